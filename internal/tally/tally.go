// Package tally counts what callers do in flows: how often each step was entered and
// by which outcome it was left, by the minute, for the last day. It is fed with the
// journal's events as they are noted, and with those of the day before a start.
//
// It runs no goroutine and keeps no customer's data: only flows, steps, outcomes and
// numbers. It never blocks the call that an event comes from for longer than one
// minute's counts take to be summed.
package tally

import (
	"encoding/json"
	"sync"
	"time"

	"tandem"
)

const (
	minutes = 24 * 60 // that are kept
	// maxKeys bounds a minute: what a folder of flows can have of steps and outcomes is
	// far less. Counts beyond it are lost, and told by Lost.
	maxKeys = 50_000
)

// Spans that can be asked for.
const (
	Hour = time.Hour
	Day  = minutes * time.Minute
)

// key is one thing counted: a flow's start (no step), a step's entry (no outcome), or
// an outcome.
type key struct{ flow, step, outcome string }

// Counts is what happened in one flow over a span.
type Counts struct {
	Started int               // times the flow was begun, called by others included
	Steps   map[string]int    // entries
	Edges   map[[2]string]int // by step and outcome; a hang-up is the outcome "left"
	From    time.Time         // a whole minute
	Until   time.Time
}

// Tally counts. Its methods are safe from any goroutine.
type Tally struct {
	now   func() time.Time
	since time.Time

	mu      sync.Mutex
	buckets [minutes]bucket
	lost    int
}

// bucket is one minute.
type bucket struct {
	minute int64 // since 1970
	counts map[key]uint32
}

// New makes an empty tally. now is the clock that spans end at.
func New(now func() time.Time) *Tally { return &Tally{now: now, since: now()} }

// Since is when this tally began: Earlier counts no event from then on, since Note has it.
func (t *Tally) Since() time.Time { return t.since }

// Kinds lists the kinds of events that are counted.
func Kinds() []tandem.EventKind {
	return []tandem.EventKind{tandem.EventFlowStarted, tandem.EventStep, tandem.EventOutcome}
}

// Note counts an event as it happens, by its payload as the engine gives it, from before
// Since too: then the clock was put back. Other payloads count nothing.
func (t *Tally) Note(at time.Time, data any) {
	if k, ok := keyOf(data); ok {
		t.add(at, k)
	}
}

// Earlier counts an event of the journal from before this tally began. Events without
// a payload (their customer is erased) count nothing.
func (t *Tally) Earlier(e tandem.Event) {
	if !e.At.Before(t.since) || len(e.Data) == 0 {
		return
	}
	var data any
	switch e.Kind {
	case tandem.EventFlowStarted:
		data = decoded[tandem.FlowRef](e.Data)
	case tandem.EventStep:
		data = decoded[tandem.StepEntered](e.Data)
	case tandem.EventOutcome:
		data = decoded[tandem.StepLeft](e.Data)
	}
	if k, ok := keyOf(data); ok {
		t.add(e.At, k)
	}
}

func decoded[T any](raw json.RawMessage) any {
	var v T
	if json.Unmarshal(raw, &v) != nil {
		return nil
	}
	return v
}

func keyOf(data any) (key, bool) {
	switch d := data.(type) {
	case tandem.FlowRef:
		return key{flow: d.Flow}, true
	case tandem.StepEntered:
		return key{flow: d.Flow, step: d.Step}, true
	case tandem.StepLeft:
		return key{d.Flow, d.Step, d.Outcome}, d.Outcome != ""
	}
	return key{}, false
}

func (t *Tally) add(at time.Time, k key) {
	m := at.Unix() / 60
	now := t.now().Unix() / 60
	if m <= now-minutes || m > now+1 { // too old, or a clock that ran ahead
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	b := &t.buckets[m%minutes]
	if b.minute > m {
		return // its place is taken by a newer minute
	}
	if b.minute != m || b.counts == nil {
		*b = bucket{m, make(map[key]uint32, len(b.counts))}
	}
	if _, has := b.counts[k]; !has && len(b.counts) >= maxKeys {
		t.lost++
		return
	}
	b.counts[k]++
}

// Flow sums what happened in a flow in the span (Hour or Day) that ends now. The
// minute that runs is among it.
func (t *Tally) Flow(name string, span time.Duration) Counts {
	n := min(int64(span/time.Minute), minutes)
	until := t.now()
	last := until.Unix() / 60
	c := Counts{
		Steps: map[string]int{}, Edges: map[[2]string]int{},
		From: time.Unix((last-n+1)*60, 0).UTC(), Until: until,
	}
	for i := range t.buckets {
		t.sum(&c, &t.buckets[i], name, last-n, last)
	}
	return c
}

// sum adds a bucket to c if its minute is after the one and up to the other. It holds
// calls up for one bucket at a time.
func (t *Tally) sum(c *Counts, b *bucket, name string, after, upTo int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if b.minute <= after || b.minute > upTo {
		return
	}
	for k, count := range b.counts {
		switch {
		case k.flow != name:
		case k.step == "":
			c.Started += int(count)
		case k.outcome == "":
			c.Steps[k.step] += int(count)
		default:
			c.Edges[[2]string{k.step, k.outcome}] += int(count)
		}
	}
}

// Lost is how many events found no room.
func (t *Tally) Lost() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lost
}
