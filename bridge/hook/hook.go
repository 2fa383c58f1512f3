// Package hook tells other programs what happens: outgoing webhooks, by subscription. It
// owns the table webhook. What it tells is thin: ids, kinds, states, names of queues and
// agents, and times; never what a customer said, wrote or is called.
//
// A letter for each receiver goes into the outbox in the transaction that writes the event
// (Letters), and is delivered at least once by the outbox's worker (Deliver), signed by
// Standard Webhooks 1.0.0. Letters are not ordered: data.seq orders those of one
// interaction. What a receiver has missed is sent again out of the journal, under the same
// id (Replay).
//
// A Desk runs no goroutine. It never calls the store while the store asks it for letters.
package hook

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"tandem"
	"tandem/store"
	"tandem/store/outbox"
)

// Kind names letters of this package in the outbox.
const Kind = store.KindHook

// Bounds.
const (
	maxSubscriptions = 50
	maxWaiting       = 10_000           // letters that wait for one receiver; what comes then is passed over, and its subscription says since when
	maxReplay        = 10_000           // events of one Replay
	maxURL           = 500              // bytes
	maxNote          = 200              // bytes
	maxPatterns      = 50               // of one subscription
	keepSecret       = 24 * time.Hour   // how long the secret before a rotation signs as well
	recountEvery     = time.Minute      // how often the letters that wait are counted
	pauseAfter       = 5                // failures in a row, then the receiver has a pause
	pauseFirst       = 5 * time.Second  // doubled with each further failure
	pauseLongest     = 60 * time.Second // of one pause
	wrongAtMost      = 10               // letters in a row that no repeat can cure, then the subscription is off
	atOnce           = 500              // letters of a replay in one transaction
)

// Store is what a Desk asks of the store; store/sqlite's DB is one.
type Store interface {
	Commit(ctx context.Context, c *store.Change) error
	Update(ctx context.Context, do func(tx store.Tx) error) error
	View(ctx context.Context, do func(tx store.Tx) error) error
	EventsAt(ctx context.Context, refs []store.EventRef) ([]tandem.Event, error)
	Happened(ctx context.Context, since time.Time, kinds []tandem.EventKind, fn func(tandem.Event) error) error
	LettersUnder(ctx context.Context, prefix, before string, limit int) ([]store.Letter, error)
}

// Options is what a Desk is made of.
type Options struct {
	Keys *store.Keyring // required: its system key seals addresses and secrets
	// Private are the networks of receivers of our own. Any other private address is refused
	// when a letter is delivered; without one here, addresses must be https.
	Private []netip.Prefix
	Now     func() time.Time // time.Now if nil
	Random  io.Reader        // crypto/rand if nil
	Log     *slog.Logger     // slog.Default if nil
}

// Desk is the subscriptions of one server. Its methods are safe for concurrent use.
type Desk struct {
	o      Options
	sender *outbox.Webhook
	store  Store // set by Open

	changing sync.Mutex // held while a subscription changes; never taken under mu

	mu      sync.Mutex // guards what is below; the store is not called under it
	opened  time.Time
	by      map[string]*receiver
	wants   map[tandem.EventKind][]*receiver // that are active
	counted time.Time                        // when what waits was last counted
}

// New makes a Desk without subscriptions. Give its Letters to the store, then Open it.
func New(o Options) (*Desk, error) {
	if o.Keys == nil {
		return nil, errors.New("hook: Options need Keys")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	return &Desk{o: o, sender: outbox.NewWebhook(nil, o.Now, o.Private...), by: map[string]*receiver{}}, nil
}

// Open reads the subscriptions. Before it nobody is told of anything.
func (d *Desk) Open(ctx context.Context, st Store) error {
	d.changing.Lock()
	defer d.changing.Unlock()
	by := map[string]*receiver{}
	err := st.View(ctx, func(tx store.Tx) error {
		return tx.Each("SELECT id, sealed, kinds, active, why, note, made, made_by, missed, old_until FROM webhook ORDER BY no", func(row store.Row) error {
			r, err := d.row(row)
			by[r.ID] = r
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("reading who is told of what happens: %w", err)
	}
	waiting, err := waiting(ctx, st)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.store, d.by, d.opened, d.counted = st, by, d.o.Now(), d.o.Now()
	for id, r := range by {
		r.Waiting = waiting[id]
	}
	d.index()
	return nil
}

// Close lets go of idle connections.
func (d *Desk) Close() { d.sender.Close() }

// index works out who wants which kind. mu is held.
func (d *Desk) index() {
	d.wants = map[tandem.EventKind][]*receiver{}
	for _, r := range d.sorted() {
		if !r.Active {
			continue
		}
		for kind := range contents {
			if matches(r.Kinds, kind) {
				d.wants[kind] = append(d.wants[kind], r)
			}
		}
	}
}

// waiting counts the letters in the outbox that wait, by subscription.
func waiting(ctx context.Context, st Store) (map[string]int, error) {
	out := map[string]int{}
	err := st.View(ctx, func(tx store.Tx) error {
		return tx.Each("SELECT key FROM outbox WHERE state = 'waiting' AND kind = ?", func(row store.Row) error {
			if l, ok := parseKey(row.Text(0)); ok {
				out[l.subscription]++
			}
			return nil
		}, Kind)
	})
	if err != nil {
		return nil, fmt.Errorf("counting what waits for receivers: %w", err)
	}
	return out, nil
}
