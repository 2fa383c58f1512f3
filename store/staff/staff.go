// Package staff keeps who works here: users with their roles, how they prove who they
// are, their logins, the keys of programs, and the audit log of what was done. It owns the
// tables staff_user, staff_recovery, staff_login, staff_audit and staff_key.
//
// Every change writes its entry of the audit log in the same transaction. It starts no
// goroutine and is safe for concurrent use. It never stores a password, a code's secret,
// a login's token or a program's key in a form that can be used, and never logs.
package staff

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"tandem/store"
)

// Database is where the tables lie; store/sqlite's DB is one.
type Database interface {
	Update(ctx context.Context, do func(tx store.Tx) error) error
	View(ctx context.Context, do func(tx store.Tx) error) error
}

// Options is what a Register is made of.
type Options struct {
	Database Database
	Keys     *store.Keyring
	Idle     time.Duration    // a login ends after so long without a request; default 30 min
	Longest  time.Duration    // and after so long in any case; default 12 h
	Now      func() time.Time // time.Now if nil
	Random   io.Reader        // crypto/rand if nil
	Cost     Cost             // of a password; zero = the constants here. Tests take less
}

// Defaults of Options, as OWASP has them for work that is worth something.
const (
	defaultIdle    = 30 * time.Minute
	defaultLongest = 12 * time.Hour
)

// Register is the staff of one server.
type Register struct {
	db      Database
	keys    *store.Keyring
	idle    time.Duration
	longest time.Duration
	now     func() time.Time
	random  io.Reader
	hasher  *hasher

	mu       sync.Mutex // guards failures
	failures failures
}

// failures bounds how fast strangers can make the audit log grow.
type failures struct {
	minute  time.Time // when the count began
	written int
	dropped int // since the last one that was written
}

// maxFailures of a minute are written to the audit log; the next one that is written
// says how many were not.
const maxFailures = 60

// New makes a Register over an open database.
func New(o Options) (*Register, error) {
	if o.Database == nil || o.Keys == nil {
		return nil, errors.New("staff: Options need Database and Keys")
	}
	r := &Register{db: o.Database, keys: o.Keys, idle: o.Idle, longest: o.Longest, now: o.Now, random: o.Random}
	if r.idle <= 0 {
		r.idle = defaultIdle
	}
	if r.longest <= 0 {
		r.longest = defaultLongest
	}
	if r.now == nil {
		r.now = time.Now
	}
	if r.random == nil {
		r.random = rand.Reader
	}
	var err error
	r.hasher, err = newHasher(o.Cost, r.random)
	return r, err
}

// Users returns everybody, by name.
func (r *Register) Users(ctx context.Context) ([]User, error) {
	out := []User{}
	err := r.db.View(ctx, func(tx store.Tx) error {
		return tx.Each("SELECT "+userColumns+" FROM staff_user u ORDER BY u.name", func(row store.Row) error {
			out = append(out, userRow(row))
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading the users: %w", err)
	}
	return out, nil
}

// User returns one user; ErrNoUser if there is none.
func (r *Register) User(ctx context.Context, name string) (u User, err error) {
	err = r.db.View(ctx, func(tx store.Tx) error {
		u, err = find(tx, name)
		return err
	})
	if err != nil {
		return u, fmt.Errorf("looking for user %s: %w", name, err)
	}
	return u, nil
}

// Failed writes a failed login to the audit log, within maxFailures. object is the
// user's name if there is such a user: what a stranger typed may be a password.
func (r *Register) Failed(ctx context.Context, source, object, detail string) error {
	r.mu.Lock()
	f, now := &r.failures, r.now()
	if now.Sub(f.minute) >= time.Minute || now.Before(f.minute) {
		f.minute, f.written = now, 0
	}
	if f.written >= maxFailures {
		f.dropped++
		r.mu.Unlock()
		return nil
	}
	f.written++
	if f.dropped > 0 {
		detail = fmt.Sprintf("%s; %d more before this one were not written", detail, f.dropped)
		f.dropped = 0
	}
	r.mu.Unlock()
	return r.Record(ctx, Actor{Name: Nobody, Source: source}, "login.failed", object, detail)
}

// Nobody is the actor of what somebody did who had not logged in.
const Nobody = "nobody"
