package check

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/store"
)

// Order is a check that is to begin.
type Order struct {
	// Key is of the flow's visit to its step: what began under it before is what comes back,
	// also if it has ended. "" = none.
	Key         string
	Interaction tandem.InteractionID
	Customer    tandem.CustomerID
	Leg         tandem.LegID
	Policy      *flow.CheckPolicy
	By          string // flow, or an agent's name
	Officer     string // who has the customer; "" = nobody yet
}

// Input is what a customer does.
type Input struct {
	Do   string // code, stop
	Text string // code: as typed
}

// Begin begins a check: the customer is asked for their consent first. One that is open in
// the interaction comes back if it is the same policy's, else the error is
// tandem.CodeConflict.
func (d *Desk) Begin(ctx context.Context, o Order) (Check, error) {
	if err := usable(o.Policy); err != nil {
		return Check{}, err
	}
	if o.Officer != "" && !d.may(o.Officer, o.Policy) {
		if o.By == o.Officer {
			return Check{}, tandem.Errorf(tandem.CodeForbidden, "the policy %s asks for skills that %s does not have: pass the customer to somebody who has", o.Policy.Name, o.Officer)
		}
		o.Officer = ""
	}
	if err := d.load(ctx); err != nil {
		return Check{}, err
	}
	d.begin.Lock()
	defer d.begin.Unlock()
	had, err := d.o.Store.Checks(ctx, store.CheckFilter{Interaction: o.Interaction})
	if err != nil {
		return Check{}, err
	}
	for _, r := range had {
		if r.Data == nil {
			continue
		}
		c, err := decode(r)
		switch {
		case err != nil:
			return Check{}, err
		case o.Key != "" && c.Key == o.Key:
			return c, nil
		case r.Ended.IsZero() && r.Policy == o.Policy.Name:
			return c, nil
		case r.Ended.IsZero():
			return Check{}, conflict("an identity check is going on: end it before another begins")
		}
	}
	return d.make(ctx, o)
}

// make makes a check and commits it.
func (d *Desk) make(ctx context.Context, o Order) (Check, error) {
	now := d.o.Now()
	c := Check{ID: tandem.NewID[tandem.CheckID](now, d.o.Random), Interaction: o.Interaction, Customer: o.Customer, Leg: o.Leg, Key: o.Key,
		Policy: o.Policy, By: o.By, Officer: o.Officer, State: Asked, Round: 1, Version: 1, Begun: now, Changed: now}
	for _, s := range o.Policy.Steps {
		c.Steps = append(c.Steps, Step{Name: s.Name, Kind: s.Kind})
	}
	if d.o.Live != nil && !d.o.Live(o.Interaction) {
		c.Cut = now
	}
	m := machine{c: c, now: now}
	m.begun()
	l := &live{c: c}
	l.mu.Lock()
	if err := d.commit(ctx, l, result{Check: c, Events: m.events}, now); err != nil {
		l.mu.Unlock()
		if errors.Is(err, store.ErrNotFound) {
			return Check{}, tandem.Errorf(tandem.CodeNotFound, "there is no interaction %s", o.Interaction)
		}
		return Check{}, err
	}
	d.mu.Lock()
	d.open[c.ID] = l
	d.mu.Unlock()
	l.release(d)
	return c, nil
}

// usable refuses a policy that could not be carried out. What a file may say is checked as
// it is read.
func usable(p *flow.CheckPolicy) error {
	switch {
	case p == nil:
		return tandem.Errorf(tandem.CodeNotFound, "there is no such policy")
	case p.Consent.Version == "" || len(p.Consent.Text) == 0, len(p.Steps) == 0, p.Level == tandem.None, p.Grants <= 0, p.Interruption <= 0:
		return tandem.Errorf(tandem.CodeInvalid, "the policy %s has no consent, steps, level, time or interruption", p.Name)
	}
	for i, s := range p.Steps {
		if s.Name == "" || slices.ContainsFunc(p.Steps[:i], func(o flow.CheckPolicyStep) bool { return o.Name == s.Name }) {
			return tandem.Errorf(tandem.CodeInvalid, "the policy %s has two steps of one name, or one without", p.Name)
		}
	}
	return nil
}

func (d *Desk) may(officer string, p *flow.CheckPolicy) bool {
	return d.o.May == nil || d.o.May(officer, p)
}

// Consent takes the customer's answer, read in a language. It is durable, with the text and
// its version, when this returns; before that no step begins.
func (d *Desk) Consent(ctx context.Context, id tandem.CheckID, lang string, yes bool) (Check, error) {
	return d.input(ctx, id, consented{Lang: lang, Yes: yes})
}

// Customer takes what the customer does beside that. A code that is not right is ErrWrongCode.
func (d *Desk) Customer(ctx context.Context, id tandem.CheckID, in Input) (Check, error) {
	switch in.Do {
	case "stop":
		c, err := d.input(ctx, id, stopped{})
		return c, err
	case "code":
		return d.typed(ctx, id, in.Text)
	}
	return Check{}, tandem.Errorf(tandem.CodeInvalid, "%q is nothing that a customer can do in a check", in.Do)
}

func (d *Desk) typed(ctx context.Context, id tandem.CheckID, text string) (Check, error) {
	l, err := d.hold(ctx, id)
	if err != nil {
		return Check{}, err
	}
	defer l.release(d)
	s := l.c.present()
	if l.c.State != Running || s == nil || s.Kind != flow.CheckCode || l.c.Code == nil || l.c.Code.ID == "" || d.o.CheckCode == nil {
		return l.c, conflict("no code is waited for just now")
	}
	ok, left := false, 0
	if l.c.Code.Left > 0 {
		if ok, left, err = d.o.CheckCode(ctx, l.c.Code.ID, strings.TrimSpace(text)); err != nil {
			return l.c, fmt.Errorf("checking a code: %w", err)
		}
	}
	if _, err := d.apply(ctx, l, codeTyped{OK: ok, Left: left}); err != nil {
		return l.c, err
	}
	if !ok {
		return l.c, ErrWrongCode
	}
	return l.c, nil
}

// Do carries out a command of the check's officer; anybody else's is tandem.CodeForbidden.
// Of a capture it returns once the server's still is kept; the page's comes by PageStill.
func (d *Desk) Do(ctx context.Context, officer string, in Command) (Check, error) {
	l, err := d.hold(ctx, in.Check)
	if err != nil {
		return Check{}, err
	}
	c, w, err := func() (Check, wants, error) {
		defer l.release(d)
		if officer == "" || l.c.Officer != officer {
			return Check{}, wants{}, tandem.Errorf(tandem.CodeForbidden, "only the officer who has the customer commands a check")
		}
		w, err := d.apply(ctx, l, in)
		return l.c, w, err
	}()
	if err != nil || !w.Capture {
		return c, err
	}
	return d.still(ctx, &c)
}

// Second takes the answer of a second officer, who is another person than the officer.
func (d *Desk) Second(ctx context.Context, officer string, id tandem.CheckID, agree bool, why string) (Check, error) {
	l, err := d.hold(ctx, id)
	if err != nil {
		return Check{}, err
	}
	defer l.release(d)
	if !d.may(officer, l.c.Policy) {
		return Check{}, tandem.Errorf(tandem.CodeForbidden, "the policy %s asks for skills that you do not have", l.c.Policy.Name)
	}
	_, err = d.apply(ctx, l, agreed{Officer: officer, Yes: agree, Why: why})
	return l.c, err
}

// Cut tells since when the customer of an interaction is not seen, Mended that they are.
func (d *Desk) Cut(ctx context.Context, in tandem.InteractionID, since time.Time) error {
	return d.ofOpen(ctx, in, cut{Since: since})
}

// Mended tells that the customer is seen again, or for the first time.
func (d *Desk) Mended(ctx context.Context, in tandem.InteractionID) error {
	return d.ofOpen(ctx, in, mended{})
}

// Officer tells who has the customer now, "" = nobody. A round that was begun is void if
// it is another one.
func (d *Desk) Officer(ctx context.Context, in tandem.InteractionID, name string) error {
	if err := d.load(ctx); err != nil {
		return err
	}
	c, ok := d.Of(in)
	if !ok {
		return nil
	}
	if name != "" && !d.may(name, c.Policy) {
		name = ""
	}
	_, err := d.input(ctx, c.ID, assigned{Name: name})
	return err
}

// Gone tells that the customer is gone for good.
func (d *Desk) Gone(ctx context.Context, in tandem.InteractionID) error {
	return d.ofOpen(ctx, in, stopped{Gone: true})
}

// Recorded tells whether what the customer shows is recorded now, as some policies want.
func (d *Desk) Recorded(ctx context.Context, in tandem.InteractionID, on bool) error {
	return d.ofOpen(ctx, in, recorded{On: on})
}

func (d *Desk) ofOpen(ctx context.Context, in tandem.InteractionID, input any) error {
	if err := d.load(ctx); err != nil {
		return err
	}
	c, ok := d.Of(in)
	if !ok {
		return nil
	}
	_, err := d.input(ctx, c.ID, input)
	return err
}

// Of is the open check of an interaction.
func (d *Desk) Of(in tandem.InteractionID) (Check, bool) {
	for _, c := range d.Open() {
		if c.Interaction == in {
			return c, true
		}
	}
	return Check{}, false
}

// Open lists the checks that are open, the oldest first.
func (d *Desk) Open() []Check {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]Check, 0, len(d.open))
	for _, l := range d.open {
		if l.seen.ID != "" && !l.seen.State.Over() {
			out = append(out, l.seen)
		}
	}
	slices.SortFunc(out, func(a, b Check) int { return strings.Compare(string(a.ID), string(b.ID)) })
	return out
}

// Find reads a check, open or not; tandem.CodeNotFound if there is none, or it is erased.
func (d *Desk) Find(ctx context.Context, id tandem.CheckID) (Check, error) {
	d.mu.Lock()
	if l := d.open[id]; l != nil && l.seen.ID != "" {
		defer d.mu.Unlock()
		return l.seen, nil
	}
	d.mu.Unlock()
	r, err := d.o.Store.Check(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return Check{}, tandem.Errorf(tandem.CodeNotFound, "there is no identity check %s", id)
	}
	if err != nil {
		return Check{}, err
	}
	return Read(r)
}

// List reads checks, the newest first, without those of erased customers.
func (d *Desk) List(ctx context.Context, f store.CheckFilter) ([]Check, error) {
	all, err := d.o.Store.Checks(ctx, f)
	if err != nil {
		return nil, err
	}
	out := []Check{}
	for _, r := range all {
		if r.Data == nil {
			continue
		}
		c, err := decode(r)
		if err != nil {
			return nil, err
		}
		out = append(out, c)
	}
	return out, nil
}

// Granted is the highest level that checks of an interaction have given and that still
// holds, and until when; ok is false if there is none.
func (d *Desk) Granted(ctx context.Context, in tandem.InteractionID) (level tandem.Assurance, until time.Time, ok bool) {
	all, err := d.List(ctx, store.CheckFilter{Interaction: in, State: string(Passed)})
	if err != nil {
		return tandem.None, time.Time{}, false
	}
	for _, c := range all {
		if c.Verdict != nil && c.Verdict.Until.After(d.o.Now()) && (c.Policy.Level > level || c.Policy.Level == level && c.Verdict.Until.After(until)) {
			level, until, ok = c.Policy.Level, c.Verdict.Until, true
		}
	}
	return level, until, ok
}

// Look opens a still of a check for somebody. That they look, and why, is in the journal
// before they get a byte. Whether they may is for the caller to know.
func (d *Desk) Look(ctx context.Context, id tandem.CheckID, still tandem.BlobID, actor, why string) (io.ReadCloser, store.BlobRef, error) {
	c, err := d.Find(ctx, id)
	if err != nil {
		return nil, store.BlobRef{}, err
	}
	if !slices.Contains(c.Kept, still) {
		return nil, store.BlobRef{}, tandem.Errorf(tandem.CodeNotFound, "check %s has no still %s", id, still)
	}
	return d.o.Store.OpenBlob(ctx, still, actor, why)
}
