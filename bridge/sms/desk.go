// Package sms sends and takes texts by the gateways of providers.
//
// A Desk stands between flows and gateways. Nothing leaves but through Deliver, which
// asks the policy, the caps and the list of those who want no texts. Nothing comes in
// but through Handler: signed, once, and STOP before any flow sees it. It owns the
// tables sms_sent, sms_spent, sms_out, sms_seen and sms_stop, which hold keyed hashes of
// numbers, never numbers or texts. It starts no goroutine and is safe for concurrent use.
package sms

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"tandem/store"
)

// Kind is what the outbox calls letters that are texts.
const Kind = "sms"

// Database is where the tables lie; store/sqlite's DB is one.
type Database interface {
	Update(ctx context.Context, do func(tx store.Tx) error) error
	View(ctx context.Context, do func(tx store.Tx) error) error
	Commit(ctx context.Context, c *store.Change) error
}

// Number is a number of ours and the gateway that serves it.
type Number struct {
	Ours    string // E.164, or a short number as the provider gives it
	Gateway string
}

// Options is what a Desk is made of.
type Options struct {
	Name     string             // of the organisation, for confirmations; "" = none
	Gateways map[string]Gateway // by the name in the webhook's address
	Numbers  []Number           // the first writes to whom no other is nearer
	Policy   Policy
	Database Database
	Blind    func(purpose, value string) []byte // store.Keyring's

	// Arrived hands a text on. It is idempotent by Inbound.Client, and has kept the text
	// when it returns nil; until then the provider is asked to try again.
	Arrived func(ctx context.Context, in Inbound) error
	// Marked is told how far a message has come, by its key; it may be told the same
	// twice, and in any order. An error makes the provider, or the outbox, try again.
	Marked func(ctx context.Context, key string, r Receipt) error
	// Stopped returns what is written with a STOP or START, in the same transaction: the
	// event, in the person's interaction if one is known. nil writes nothing more.
	Stopped func(ctx context.Context, s Stop) (store.Change, error)

	PerSecond int                        // requests of one gateway; default 200
	Source    func(*http.Request) string // network address a request comes from; nil = of the connection
	Refused   func(rule string)          // told of each text that may not go out; never waits
	Rejected  func(rule string)          // told of each request that is refused; never waits
	Log       *slog.Logger               // slog.Default if nil
	Now       func() time.Time           // time.Now if nil
}

const defaultPerSecond = 200

// Desk sends and takes texts.
type Desk struct {
	o     Options
	ours  map[string]string // number → gateway
	first []string          // numbers in the order of Options

	told     told
	sources  limiter         // refused requests, by network address
	requests limiter         // requests, by gateway
	floods   limiter         // texts that came, by pair of numbers
	places   chan struct{}   // one for each request that is handed on
	seed     maphash.Seed    // of pairs
	pairs    [256]sync.Mutex // one for the texts of one person at a time, shared by several

	mu    sync.Mutex
	swept time.Time
}

// New makes a Desk.
func New(o Options) (*Desk, error) {
	if o.Database == nil || o.Blind == nil || o.Arrived == nil || o.Marked == nil {
		return nil, errors.New("sms: Options need Database, Blind, Arrived and Marked")
	}
	if o.PerSecond <= 0 {
		o.PerSecond = defaultPerSecond
	}
	if o.Source == nil {
		o.Source = connection
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &Desk{o: o, ours: map[string]string{}, places: make(chan struct{}, maxAtOnce), seed: maphash.MakeSeed()}
	d.sources.span, d.requests.span, d.floods.span = time.Minute, time.Second, time.Minute
	for _, n := range o.Numbers {
		if o.Gateways[n.Gateway] == nil {
			return nil, fmt.Errorf("sms: number %s is served by gateway %q, which there is not", n.Ours, n.Gateway)
		}
		if owner := d.ours[n.Ours]; owner != "" {
			return nil, fmt.Errorf("sms: number %s is served by both %q and %q", n.Ours, owner, n.Gateway)
		}
		d.ours[n.Ours] = n.Gateway
		d.first = append(d.first, n.Ours)
	}
	return d, nil
}

// Close lets go of the gateways' idle connections, once nothing is delivered any more.
func (d *Desk) Close() {
	for _, g := range d.o.Gateways {
		if c, ok := g.(interface{ Close() }); ok {
			c.Close()
		}
	}
}

// From is the number of ours that writes: that of an entry "sms:NUMBER", or, to a number
// of somebody else's, the first one of their country, else the first of all.
func (d *Desk) From(entryOrTo string) (ours string, ok bool) {
	if number, entry := strings.CutPrefix(entryOrTo, "sms:"); entry {
		return d.oursAs(number)
	}
	to, ok := Normal(entryOrTo)
	if !ok || len(d.first) == 0 {
		return "", false
	}
	for _, n := range d.first {
		if country(n) == country(to) {
			return n, true
		}
	}
	return d.first[0], true
}

// oursAs finds a number of ours as a gateway may write it.
func (d *Desk) oursAs(number string) (ours string, ok bool) {
	number = strings.TrimSpace(number)
	for _, n := range []string{number, "+" + number, strings.TrimPrefix(number, "+")} {
		if d.ours[n] != "" {
			return n, true
		}
	}
	n, ok := Normal(number)
	return n, ok && d.ours[n] != ""
}

// country is the calling code of a number, E.164; "" for a short number. One that begins
// with 1 or 7 has one digit, those listed two, all others three (ITU-T E.164.1).
func country(number string) string {
	digits, ok := strings.CutPrefix(number, "+")
	if !ok || len(digits) < 3 {
		return ""
	}
	n := 3
	if digits[0] == '1' || digits[0] == '7' {
		n = 1
	} else if strings.Contains(" 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 ", " "+digits[:2]+" ") {
		n = 2
	}
	return digits[:n]
}
