package alert

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/hook"
	"tandem/store"
	"tandem/web/desk/board"
)

// Every is how often the rules are looked at.
const Every = time.Second

const (
	maxPast    = 200  // alerts that are over and at hand
	keptAlerts = 5000 // in the table, the newest; more are deleted
)

// Store is what rules and alerts are kept in; store/sqlite's DB is one.
type Store interface {
	View(ctx context.Context, do func(tx store.Tx) error) error
	Update(ctx context.Context, do func(tx store.Tx) error) error
	Commit(ctx context.Context, c *store.Change) error
}

// Hooks makes letters of alerts; bridge/hook's Desk does.
type Hooks interface {
	Notices(kind tandem.EventKind, id string, seq uint64, at time.Time, a hook.Alert) []store.Outgoing
}

var _ Hooks = (*hook.Desk)(nil)

// Alert is what came of a rule once.
type Alert struct {
	ID       string          `json:"id"`
	Rule     string          `json:"rule"`
	Name     string          `json:"name"`
	Queue    string          `json:"queue"`
	Kind     tandem.TaskKind `json:"kind"`
	Metric   Metric          `json:"metric"`
	Bound    float64         `json:"bound"`
	Severity Severity        `json:"severity"`
	Sound    bool            `json:"sound"`
	Fired    time.Time       `json:"fired"`
	Value    float64         `json:"value"` // as it fired; while it fires, now
	Resolved time.Time       `json:"resolved,omitzero"`
	Why      string          `json:"why,omitempty"` // over, changed, removed
	Seen     time.Time       `json:"seen,omitzero"` // a supervisor has taken note
	SeenBy   string          `json:"seen_by,omitempty"`
}

// Options is what a Keeper is made of. Hooks, Panicked and Log may be left out.
type Options struct {
	Store    Store
	Hooks    Hooks
	Picture  func() board.Picture
	Now      func() time.Time
	Random   io.Reader
	Panicked func()
	Log      *slog.Logger
}

// Keeper has the rules and the alerts. Its methods are safe from any goroutine.
type Keeper struct {
	o Options

	changing sync.Mutex // held while rules or alerts change; never taken under mu

	mu     sync.Mutex
	rules  []Rule // in the order they were made
	watch  map[string]Watch
	firing map[string]*Alert // by rule
	past   []Alert           // the newest last
	turn   uint64
}

// New reads rules and alerts.
func New(ctx context.Context, o Options) (*Keeper, error) {
	if o.Store == nil || o.Picture == nil || o.Now == nil || o.Random == nil {
		return nil, errors.New("alert: Options need Store, Picture, Now and Random")
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	k := &Keeper{o: o, watch: map[string]Watch{}, firing: map[string]*Alert{}}
	if err := o.Store.View(ctx, k.read); err != nil {
		return nil, fmt.Errorf("reading the alert rules: %w", err)
	}
	return k, nil
}

// Run looks at the rules every second, until ctx ends.
func (k *Keeper) Run(ctx context.Context) {
	tick := time.NewTicker(Every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			k.look(ctx)
		}
	}
}

// look is one round; a fault of ours in it ends the round only.
func (k *Keeper) look(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			if k.o.Panicked != nil {
				k.o.Panicked()
			}
			k.o.Log.Error("looking at the alert rules met a fault of ours", "panic", fmt.Sprint(p))
		}
	}()
	if err := k.Look(ctx); err != nil && ctx.Err() == nil {
		k.o.Log.Warn("an alert could not be kept; it is tried again", "error", err)
	}
}

// Look measures every rule once and keeps what comes of it. Run does it; tests do.
func (k *Keeper) Look(ctx context.Context) error {
	k.changing.Lock()
	defer k.changing.Unlock()
	k.mu.Lock()
	rules := slices.Clone(k.rules)
	k.mu.Unlock()
	if len(rules) == 0 {
		return nil
	}
	p, now := k.o.Picture(), k.o.Now().UTC()
	var errs []error
	for i := range rules {
		r := &rules[i]
		if !r.Active {
			continue
		}
		value, known := Measure(r, p.Queues, p.Agents.Free, now)
		if !p.Whole && (r.Metric == Level || r.Metric == Abandoned) {
			known = false // half a day is no day
		}
		k.mu.Lock()
		was := k.watch[r.ID]
		k.mu.Unlock()
		if !known && !p.Whole && was.Firing {
			continue
		}
		next, change := was.Look(r, value, known, now)
		var err error
		switch change {
		case Fired:
			err = k.fired(ctx, r, value, now)
		case Resolved:
			err = k.resolved(ctx, r.ID, "over", now)
		}
		if err != nil { // as if it had not been looked at
			errs = append(errs, err)
			continue
		}
		k.mu.Lock()
		k.watch[r.ID] = next
		if a := k.firing[r.ID]; a != nil && known && a.Value != value {
			again := *a
			again.Value = value
			k.firing[r.ID] = &again
			k.turn++
		}
		k.mu.Unlock()
	}
	return errors.Join(errs...)
}

// fired keeps an alert and has it told. changing is held.
func (k *Keeper) fired(ctx context.Context, r *Rule, value float64, now time.Time) error {
	a := &Alert{ID: tandem.NewID[string](now, k.o.Random), Rule: r.ID, Name: r.Name, Queue: r.Queue, Kind: r.Kind, Metric: r.Metric, Bound: r.Bound,
		Severity: r.Severity, Sound: r.Sound, Fired: now, Value: value}
	err := k.o.Store.Commit(ctx, &store.Change{Outbox: k.letters(hook.AlertFired, 1, now, a), With: a.insert})
	if err != nil {
		return fmt.Errorf("keeping that %q fired: %w", r.Name, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.firing[r.ID] = a
	k.turn++
	return nil
}

// resolved keeps that a rule's alert is over. changing is held.
func (k *Keeper) resolved(ctx context.Context, rule, why string, now time.Time) error {
	k.mu.Lock()
	was := k.firing[rule]
	k.mu.Unlock()
	if was == nil {
		return nil
	}
	a := *was
	a.Resolved, a.Why = now, why
	err := k.o.Store.Commit(ctx, &store.Change{Outbox: k.letters(hook.AlertResolved, 2, now, &a), With: func(tx store.Tx) error {
		_, err := tx.Exec("UPDATE alert SET resolved = ?, why = ? WHERE id = ?", a.Resolved, a.Why, a.ID)
		return err
	}})
	if err != nil {
		return fmt.Errorf("keeping that the alert %q is over: %w", a.Name, err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.firing, rule)
	k.past = append(k.past, a)
	k.past = k.past[max(0, len(k.past)-maxPast):]
	k.turn++
	return nil
}

func (k *Keeper) letters(kind tandem.EventKind, seq uint64, at time.Time, a *Alert) []store.Outgoing {
	if k.o.Hooks == nil {
		return nil
	}
	return k.o.Hooks.Notices(kind, a.ID, seq, at, hook.Alert{Alert: a.ID, Rule: a.Rule, Title: a.Name, Queue: a.Queue, Kind: a.Kind, Metric: string(a.Metric),
		Bound: a.Bound, Value: a.Value, Severity: string(a.Severity), Fired: a.Fired, Resolved: a.Resolved, Why: a.Why})
}

// Turn is another number whenever Firing is.
func (k *Keeper) Turn() uint64 {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.turn
}

// Firing are the alerts that fire, the oldest first.
func (k *Keeper) Firing() []Alert {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := make([]Alert, 0, len(k.firing))
	for _, a := range k.firing {
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b Alert) int { return a.Fired.Compare(b.Fired) })
	return out
}

// Past are alerts that are over, the newest first.
func (k *Keeper) Past() []Alert {
	k.mu.Lock()
	defer k.mu.Unlock()
	out := slices.Clone(k.past)
	slices.Reverse(out)
	return out
}

// Seen says that somebody has taken note of an alert.
func (k *Keeper) Seen(ctx context.Context, id, by string) (Alert, error) {
	k.changing.Lock()
	defer k.changing.Unlock()
	k.mu.Lock()
	var a *Alert
	for _, x := range k.firing {
		if x.ID == id {
			again := *x
			a = &again
		}
	}
	k.mu.Unlock()
	if a == nil {
		return Alert{}, tandem.Errorf(tandem.CodeNotFound, "no such alert fires")
	}
	if !a.Seen.IsZero() {
		return *a, nil
	}
	a.Seen, a.SeenBy = k.o.Now().UTC(), by
	err := k.o.Store.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Exec("UPDATE alert SET seen = ?, seen_by = ? WHERE id = ?", a.Seen, by, id)
		return err
	})
	if err != nil {
		return Alert{}, fmt.Errorf("keeping that an alert was seen: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.firing[a.Rule] = a
	k.turn++
	return *a, nil
}
