package check

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/media/video"
	"tandem/store"
	"tandem/store/blob"
)

// Store is what the desk needs of the store; sqlite.DB is one.
type Store interface {
	Commit(ctx context.Context, c *store.Change) error
	Check(ctx context.Context, id tandem.CheckID) (store.CheckRecord, error)
	Checks(ctx context.Context, f store.CheckFilter) ([]store.CheckRecord, error)
	OpenBlob(ctx context.Context, id tandem.BlobID, actor, why string) (io.ReadSeekCloser, store.BlobRef, error)
}

// Blobs is where stills lie; blob.Dir is one.
type Blobs interface {
	Create(in tandem.InteractionID, mediaType string) (*blob.Writer, error)
}

// Options is what a Desk is made of.
type Options struct {
	Store Store
	Blobs Blobs
	// Sign signs stills: store.Keyring.Evidence.
	Sign ed25519.PrivateKey
	// Still takes a keyframe of the customer's camera. It returns soon after ctx ends.
	Still func(ctx context.Context, in tandem.InteractionID) (video.Frame, error)
	// SendCode sends a one-time code to what is bound to the check's customer; to is where it
	// went, masked. Its error is ErrNowhere, ErrLimit, or another.
	SendCode func(ctx context.Context, c Check) (id, to string, err error)
	// CheckCode holds what was typed against a code; left is how many tries there still are.
	CheckCode func(ctx context.Context, id, typed string) (ok bool, left int, err error)
	// May reports whether somebody has what a policy asks of officers; nil = everybody.
	May func(officer string, p *flow.CheckPolicy) bool
	// Live reports whether the customer is seen just now; nil = always.
	Live func(in tandem.InteractionID) bool
	// Decided is told of a check that has ended, once for each, after it is durable. A program
	// that ends in between does not tell it: who waits for a check asks Begin again.
	Decided func(Check)

	Now    func() time.Time
	Random io.Reader    // crypto/rand.Reader
	Log    *slog.Logger // nil = none
}

// Errors of Options.SendCode, and of a code that was typed.
var (
	ErrNowhere   = errors.New("nothing that a code could be sent to is bound to the customer")
	ErrLimit     = errors.New("too many codes were asked for")
	ErrWrongCode = tandem.Errorf(tandem.CodeInvalid, "the code is wrong, or too old: type it again, or have a new one sent")
)

// watchEvery is how often the clocks of open checks are looked at.
const watchEvery = 250 * time.Millisecond

// sendTime is how long the sending of a code may take: it is written down, and goes out later.
const sendTime = 2 * time.Second

// decodeAtOnce bounds how many pages' stills are decoded at once: each may take 160 MB.
const decodeAtOnce = 2

// Desk holds the checks. It is safe for concurrent use.
type Desk struct {
	o        Options
	decoding chan struct{}
	begin    sync.Mutex    // one check begins at a time
	sendTime time.Duration // sendTime, but in tests

	mu      sync.Mutex
	open    map[tandem.CheckID]*live
	loaded  bool // open has all that were found at the start
	watches map[int]func(Check)
	nextID  int
}

// live is an open check.
type live struct {
	mu     sync.Mutex
	c      Check
	unread bool    // c is not what the store has
	found  bool    // the store had it open before this program touched it
	told   []Check // committed, and nobody was told yet

	tell sync.Mutex // taken before mu is released: watches are told in order
	seen Check      // the newest committed; under Desk.mu
}

// New makes a Desk. Run has it watch the clock.
func New(o Options) *Desk {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Desk{o: o, sendTime: sendTime, decoding: make(chan struct{}, decodeAtOnce), open: map[tandem.CheckID]*live{}, watches: map[int]func(Check){}}
}

// Run finds checks that a stopped program left open, voids their rounds, and watches the
// clocks of all until ctx ends.
func (d *Desk) Run(ctx context.Context) {
	every := time.NewTicker(watchEvery)
	defer every.Stop()
	for {
		if err := d.Sweep(ctx); err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrUnavailable) {
			d.o.Log.Warn("the clocks of identity checks", "error", err)
		}
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}

// Sweep does what is due in open checks. Run calls it.
func (d *Desk) Sweep(ctx context.Context) error {
	errs := []error{d.load(ctx)}
	for _, c := range d.Open() {
		if due := c.due(); !due.IsZero() && !d.o.Now().Before(due) {
			_, err := d.input(ctx, c.ID, tick{})
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// load finds the checks that were open when the program started.
func (d *Desk) load(ctx context.Context) error {
	d.mu.Lock()
	loaded := d.loaded
	d.mu.Unlock()
	if loaded {
		return nil
	}
	all, err := d.o.Store.Checks(ctx, store.CheckFilter{Open: true, Limit: 1000})
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.Data == nil {
			continue // its customer is erased
		}
		l, err := d.hold(ctx, r.ID)
		if err != nil {
			return err
		}
		l.release(d)
	}
	d.mu.Lock()
	d.loaded = true
	d.mu.Unlock()
	return nil
}

// hold gives the one who may change a check, which is as the store has it. Of one that has
// ended it is a copy of its own.
func (d *Desk) hold(ctx context.Context, id tandem.CheckID) (*live, error) {
	var l *live
	for same := false; !same; {
		d.mu.Lock()
		if l = d.open[id]; l == nil {
			l = &live{unread: true, found: true}
			d.open[id] = l
		}
		d.mu.Unlock()
		l.mu.Lock()
		d.mu.Lock()
		same = d.open[id] == l
		d.mu.Unlock()
		if !same { // it ended while we waited
			l.mu.Unlock()
		}
	}
	if !l.unread {
		return l, nil
	}
	if err := d.read(ctx, id, l); err != nil {
		d.drop(id, l)
		l.mu.Unlock()
		return nil, err
	}
	return l, nil
}

// read brings an open check up to date with the store. l.mu is held.
func (d *Desk) read(ctx context.Context, id tandem.CheckID, l *live) error {
	r, err := d.o.Store.Check(ctx, id)
	if errors.Is(err, store.ErrNotFound) || err == nil && r.Data == nil {
		return tandem.Errorf(tandem.CodeNotFound, "there is no identity check %s", id)
	}
	if err != nil {
		return err
	}
	if l.c, err = decode(r); err != nil {
		return err
	}
	l.unread = false
	d.show(l)
	if !l.found || l.c.State.Over() {
		return nil
	}
	l.found = false
	seen := d.o.Live == nil || d.o.Live(l.c.Interaction)
	if _, err := d.apply(ctx, l, restarted{Seen: seen && d.o.Live != nil}); err != nil {
		l.found = true
		return err
	}
	return nil
}

// show makes the newest state visible to who only looks. l.mu is held.
func (d *Desk) show(l *live) {
	d.mu.Lock()
	defer d.mu.Unlock()
	l.seen = l.c
}

// drop forgets a check that is not open any more.
func (d *Desk) drop(id tandem.CheckID, l *live) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.open[id] == l {
		delete(d.open, id)
	}
}

// release lets others at the check, once all are told what has become of it, in order.
func (l *live) release(d *Desk) {
	told, id := l.told, l.c.ID
	l.told = nil
	if l.c.State.Over() && !l.unread {
		d.drop(id, l)
	}
	if len(told) == 0 {
		l.mu.Unlock()
		return
	}
	l.tell.Lock()
	defer l.tell.Unlock()
	l.mu.Unlock()
	for _, c := range told {
		for _, do := range d.watching() {
			do(c)
		}
		if c.State.Over() && d.o.Decided != nil {
			d.o.Decided(c)
		}
	}
}

func (d *Desk) watching() []func(Check) {
	d.mu.Lock()
	defer d.mu.Unlock()
	ids := make([]int, 0, len(d.watches))
	for id := range d.watches {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	out := make([]func(Check), len(ids))
	for i, id := range ids {
		out[i] = d.watches[id]
	}
	return out
}

// Watch has do told of every check that changes, those that end among them, in order and
// after the change is durable. do must not wait for a command of the same check.
func (d *Desk) Watch(do func(Check)) (stop func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	id := d.nextID
	d.nextID++
	d.watches[id] = do
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.watches, id)
	}
}

// apply has the machine take an input, commits what comes of it, and has a code sent if
// that is wanted. l.mu is held.
func (d *Desk) apply(ctx context.Context, l *live, in any) (wants, error) {
	var seed [32]byte
	if _, err := io.ReadFull(d.o.Random, seed[:]); err != nil {
		return wants{}, fmt.Errorf("drawing for a check: %w", err)
	}
	now := d.o.Now()
	r, err := l.c.take(in, now, seed)
	if err != nil || r.Same {
		return wants{}, err
	}
	if err := d.commit(ctx, l, r, now); err != nil {
		return wants{}, err
	}
	if r.Wants.Code {
		if _, err := d.apply(ctx, l, d.code(ctx, l.c)); err != nil {
			return wants{}, err
		}
	}
	return r.Wants, nil
}

// commit writes what the machine made of a check, and what is kept with it. l.mu is held.
func (d *Desk) commit(ctx context.Context, l *live, r result, now time.Time, blobs ...store.BlobRef) error {
	change, err := changeOf(&r, now, blobs)
	if err == nil {
		err = d.o.Store.Commit(ctx, change)
	}
	switch {
	case err == nil:
		l.c = r.Check
	case errors.Is(err, store.ErrErased):
		l.c.State, l.c.Ended, l.c.Officer = Stopped, now, ""
		l.c.Steps, l.c.Kept, l.c.Verdict = nil, nil, &Verdict{Outcome: Stopped, Reasons: []string{reasonErased}, At: now}
		err = tandem.Errorf(tandem.CodeNotFound, "the customer is erased")
	case errors.Is(err, store.ErrConflict):
		l.unread = true
		return conflict("the check has changed meanwhile: look at where it stands")
	default:
		l.unread = true // it may have been written
		return err
	}
	d.show(l)
	l.told = append(l.told, l.c)
	return err
}

// changeOf is a result as one change of the store.
func changeOf(r *result, now time.Time, blobs []store.BlobRef) (*store.Change, error) {
	c := &r.Check
	data, err := json.Marshal(c)
	if err != nil {
		return nil, fmt.Errorf("writing check %s: %w", c.ID, err)
	}
	out := &store.Change{Of: c.Interaction, Living: true, Blobs: blobs, Check: &store.CheckRecord{ID: c.ID, Interaction: c.Interaction,
		Policy: c.Policy.Name, State: string(c.State), Officer: c.Officer, Begun: c.Begun, Ended: c.Ended, Version: c.Version, Data: data}}
	for _, e := range r.Events {
		out.Events = append(out.Events, tandem.NewEvent(c.Interaction, c.Leg, now, e.Kind, e.Actor, e.Data))
	}
	return out, nil
}

func decode(r store.CheckRecord) (Check, error) {
	var c Check
	if err := json.Unmarshal(r.Data, &c); err != nil {
		return c, fmt.Errorf("reading check %s: %w", r.ID, err)
	}
	return c, nil
}

// Read is a check as a record has it. The error is tandem.CodeNotFound of an erased customer's.
func Read(r store.CheckRecord) (Check, error) {
	if r.Data == nil {
		return Check{}, tandem.Errorf(tandem.CodeNotFound, "identity check %s is erased with its customer", r.ID)
	}
	return decode(r)
}

// code has a code sent. The check waits for that, and with it the clocks of all: for no longer
// than sendTime.
func (d *Desk) code(ctx context.Context, c Check) codeSent {
	if d.o.SendCode == nil {
		return codeSent{Trouble: "none"}
	}
	within, stop := context.WithTimeout(ctx, d.sendTime)
	defer stop()
	id, to, err := d.o.SendCode(within, c)
	switch {
	case err == nil:
		return codeSent{ID: id, To: to}
	case errors.Is(err, ErrNowhere):
		return codeSent{Trouble: "none"}
	case errors.Is(err, ErrLimit):
		return codeSent{Trouble: "limit"}
	}
	d.o.Log.Warn("the code of an identity check was not sent", "interaction", c.Interaction, "check", c.ID, "error", err)
	return codeSent{Trouble: "failed"}
}

// input is apply for whoever does not hold the check.
func (d *Desk) input(ctx context.Context, id tandem.CheckID, in any) (Check, error) {
	l, err := d.hold(ctx, id)
	if err != nil {
		return Check{}, err
	}
	defer l.release(d)
	_, err = d.apply(ctx, l, in)
	return l.c, err
}
