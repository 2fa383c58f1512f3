package staff

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tandem/store"
)

// Scope is a part of the API that a key opens.
type Scope string

// The scopes. What each opens is in docs/api.md.
const (
	ScopeAgent     Scope = "agent"      // to act as one agent: presence, offers, replies, wrap-up
	ScopeLineRead  Scope = "line:read"  // to see the line, agents and interactions
	ScopeLineWrite Scope = "line:write" // to change the line: priority, queue, assignment, end
	ScopeTickets   Scope = "tickets"    // tickets and surveys
	ScopeWebhooks  Scope = "webhooks"   // receivers of webhooks
	ScopeAudio     Scope = "audio"      // to hear voicemails and recordings
)

// Scopes returns every scope.
func Scopes() []Scope {
	return []Scope{ScopeAgent, ScopeLineRead, ScopeLineWrite, ScopeTickets, ScopeWebhooks, ScopeAudio}
}

// Key lets a program in. Its secret is known to the program alone.
type Key struct {
	ID      string
	Name    string // what it is for; no two that are in use have the same
	Scopes  []Scope
	Agent   string // with ScopeAgent: the user it acts as
	By      string // who made it
	Made    time.Time
	Expires time.Time
	Used    time.Time // last, to the minute; zero = never
	Revoked time.Time // zero = it is not
}

// Has reports whether a key opens what a scope does.
func (k Key) Has(s Scope) bool { return slices.Contains(k.Scopes, s) }

// Bounds of keys.
const (
	keyPrefix  = "tk_"
	keyBytes   = 32 // random, in a key
	maxKeys    = 500
	keyDefault = 365 * 24 * time.Hour     // how long a key holds that says nothing of it
	keyLongest = 5 * 365 * 24 * time.Hour // how long any does
	keyUsed    = time.Minute              // its use is noted no more often
)

// KeyError says what is wrong with a key that is to be made.
type KeyError string

func (e KeyError) Error() string { return string(e) }

// ErrNoKey: there is no such key, or it is revoked.
var ErrNoKey = errors.New("there is no such key")

const keyColumns = "k.id, k.name, k.scopes, k.agent, k.made_by, k.made, k.expires, k.used, k.revoked"

func keyRow(row store.Row) Key {
	k := Key{ID: row.Text(0), Name: row.Text(1), Agent: row.Text(3), By: row.Text(4), Made: row.Time(5), Expires: row.Time(6), Used: row.Time(7), Revoked: row.Time(8)}
	for s := range strings.FieldsSeq(row.Text(2)) {
		k.Scopes = append(k.Scopes, Scope(s))
	}
	return k
}

// MakeKey makes a key with k's name, scopes, agent and end, which is in a year if it is
// zero. The token is what the program shows; only a hash of it is kept. The errors are a
// KeyError, ErrTaken, ErrNoUser or the store's.
func (r *Register) MakeKey(ctx context.Context, by Actor, k Key) (token string, made Key, err error) {
	now := r.now().UTC()
	if k, err = checkKey(k, now); err != nil {
		return "", k, err
	}
	var raw [keyBytes + 8]byte
	if _, err := io.ReadFull(r.random, raw[:]); err != nil {
		return "", k, fmt.Errorf("drawing a key: %w", err)
	}
	token = keyPrefix + base64.RawURLEncoding.EncodeToString(raw[:keyBytes])
	k.ID, k.By, k.Made, k.Used, k.Revoked = hex.EncodeToString(raw[keyBytes:]), by.Name, now, time.Time{}, time.Time{}
	scopes := joinedScopes(k.Scopes)
	err = r.db.Update(ctx, func(tx store.Tx) error {
		if k.Agent != "" {
			if u, err := find(tx, k.Agent); err != nil {
				return fmt.Errorf("agent %s: %w", k.Agent, err)
			} else if u.Disabled || !u.Is(Agent) {
				return KeyError(fmt.Sprintf("user %s is no agent, or is disabled", k.Agent))
			}
		}
		taken, err := tx.One("SELECT 1 FROM staff_key WHERE name = ? AND revoked = 0", func(store.Row) {}, k.Name)
		if err == nil && taken {
			return ErrTaken
		}
		n := int64(0)
		if err == nil {
			_, err = tx.One("SELECT count(*) FROM staff_key WHERE revoked = 0", func(row store.Row) { n = row.Int(0) })
		}
		if err == nil && n >= maxKeys {
			return KeyError(fmt.Sprintf("there are %d keys, the most there may be; revoke those that nobody uses", n))
		}
		if err == nil {
			_, err = tx.Insert("INSERT INTO staff_key (id, hash, name, scopes, agent, made, made_by, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
				k.ID, r.keyHash(token), k.Name, scopes, k.Agent, k.Made, k.By, k.Expires)
		}
		if err == nil {
			err = r.record(tx, by, "key.make", k.Name, keyDetail(k))
		}
		return err
	})
	if err != nil {
		return "", Key{}, fmt.Errorf("making key %s: %w", k.Name, err)
	}
	return token, k, nil
}

// checkKey holds what a key is to be against the bounds.
func checkKey(k Key, now time.Time) (Key, error) {
	name, err := Name(k.Name)
	if err != nil {
		return k, KeyError(strings.Replace(err.Error(), "a user's name", "a key's name", 1))
	}
	k.Name = name
	var scopes []Scope
	for _, s := range k.Scopes {
		if !slices.Contains(Scopes(), s) {
			return k, KeyError(fmt.Sprintf("%q is no scope: the scopes are %s", s, strings.ReplaceAll(joinedScopes(Scopes()), " ", ", ")))
		}
		if !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	k.Scopes = scopes
	if k.Expires.IsZero() {
		k.Expires = now.Add(keyDefault)
	}
	k.Expires = k.Expires.UTC()
	switch {
	case len(scopes) == 0:
		return k, KeyError("at least one scope is needed: " + strings.ReplaceAll(joinedScopes(Scopes()), " ", ", "))
	case k.Has(ScopeAgent) && k.Agent == "":
		return k, KeyError("with the scope agent, say as which agent the key acts")
	case !k.Has(ScopeAgent) && k.Agent != "":
		return k, KeyError("a key acts as an agent only with the scope agent")
	case !k.Expires.After(now):
		return k, KeyError("the key's end is in the past")
	case k.Expires.Sub(now) > keyLongest:
		return k, KeyError("a key holds for at most five years")
	}
	return k, nil
}

func joinedScopes(scopes []Scope) string {
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = string(s)
	}
	return strings.Join(names, " ")
}

// keyDetail is what the audit log says of a new key.
func keyDetail(k Key) string {
	detail := joinedScopes(k.Scopes) + ", until " + k.Expires.Format(time.DateOnly)
	if k.Agent != "" {
		detail += ", as " + k.Agent
	}
	return detail
}

// keyHash is what a key is looked up by: keyed, so that who can write the database but
// has no master key cannot put a key of their own into it, and how long a look-up takes
// tells nothing of the keys there are.
func (r *Register) keyHash(token string) []byte { return r.keys.Blind("api key 1", token) }

// Keys returns all keys, the newest first; those that were revoked stay among them.
func (r *Register) Keys(ctx context.Context) ([]Key, error) {
	out := []Key{}
	err := r.db.View(ctx, func(tx store.Tx) error {
		return tx.Each("SELECT "+keyColumns+" FROM staff_key k ORDER BY k.no DESC", func(row store.Row) error {
			out = append(out, keyRow(row))
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("reading the keys: %w", err)
	}
	return out, nil
}

// RevokeKey ends a key at once. ErrNoKey if there is none, or it was revoked before.
func (r *Register) RevokeKey(ctx context.Context, by Actor, id string) error {
	err := r.db.Update(ctx, func(tx store.Tx) error {
		name := ""
		found, err := tx.One("SELECT name FROM staff_key WHERE id = ? AND revoked = 0", func(row store.Row) { name = row.Text(0) }, id)
		if err == nil && !found {
			return ErrNoKey
		}
		if err == nil {
			_, err = tx.Exec("UPDATE staff_key SET revoked = ? WHERE id = ?", r.now(), id)
		}
		if err == nil {
			err = r.record(tx, by, "key.revoke", name, "")
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("revoking a key: %w", err)
	}
	return nil
}

// LookKey finds the key of a token, and notes that it is used. ErrNoLogin if there is
// none, it is over or revoked, or the user it acts as is an agent no more.
func (r *Register) LookKey(ctx context.Context, token string) (Key, error) {
	if !strings.HasPrefix(token, keyPrefix) || len(token) != len(keyPrefix)+base64.RawURLEncoding.EncodedLen(keyBytes) {
		return Key{}, ErrNoLogin
	}
	k, err := r.key(ctx, "k.hash = ?", r.keyHash(token))
	if err != nil {
		return k, err
	}
	if now := r.now().UTC().Truncate(keyUsed); now.After(k.Used) {
		k.Used = now
		// A store that cannot write lets programs read all the same.
		err = r.db.Update(ctx, func(tx store.Tx) error {
			_, err := tx.Exec("UPDATE staff_key SET used = ? WHERE id = ? AND used < ?", now, k.ID, now)
			return err
		})
		if err != nil && !errors.Is(err, store.ErrUnavailable) {
			return Key{}, fmt.Errorf("noting the use of key %s: %w", k.Name, err)
		}
	}
	return k, nil
}

// KeyAgain looks whether a key still holds, for what goes on longer than one request.
func (r *Register) KeyAgain(ctx context.Context, id string) (Key, error) {
	return r.key(ctx, "k.id = ?", id)
}

// key reads a key that holds; ErrNoLogin if there is none.
func (r *Register) key(ctx context.Context, where string, arg any) (k Key, err error) {
	held := false
	err = r.db.View(ctx, func(tx store.Tx) error {
		found, err := tx.One("SELECT "+keyColumns+" FROM staff_key k WHERE "+where, func(row store.Row) { k = keyRow(row) }, arg)
		if err != nil || !found || !k.Revoked.IsZero() || !r.now().Before(k.Expires) {
			return err
		}
		if held = k.Agent == ""; held {
			return nil
		}
		u, err := find(tx, k.Agent)
		held = err == nil && !u.Disabled && u.Is(Agent)
		if errors.Is(err, ErrNoUser) {
			err = nil
		}
		return err
	})
	if err != nil {
		return Key{}, fmt.Errorf("looking for a key: %w", err)
	}
	if !held {
		return Key{}, ErrNoLogin
	}
	return k, nil
}
