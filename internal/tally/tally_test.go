package tally

import (
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"testing"
	"time"

	"tandem"
)

type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func newClock() *clock { return &clock{t: time.Date(2026, 3, 4, 12, 0, 30, 0, time.UTC)} }

func left(step, outcome string) tandem.StepLeft {
	return tandem.StepLeft{Flow: "bank", Step: step, Outcome: outcome, Next: "x"}
}

func TestFlow(t *testing.T) {
	c := newClock()
	tally := New(c.now)
	for range 3 {
		tally.Note(c.now(), tandem.FlowRef{Flow: "bank"})
		tally.Note(c.now(), tandem.StepEntered{Flow: "bank", Step: "main"})
	}
	tally.Note(c.now(), left("main", "1"))
	tally.Note(c.now(), left("main", "left"))
	tally.Note(c.now(), tandem.StepEntered{Flow: "other", Step: "main"})
	tally.Note(c.now(), tandem.Pressed{Step: "main"})
	c.add(59 * time.Minute)
	tally.Note(c.now(), left("main", "1"))

	got := tally.Flow("bank", Hour)
	if got.Started != 3 || !maps.Equal(got.Steps, map[string]int{"main": 3}) || !maps.Equal(got.Edges, map[[2]string]int{{"main", "1"}: 2, {"main", "left"}: 1}) {
		t.Errorf("the hour has %+v", got)
	}
	if want := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC); !got.From.Equal(want) || !got.Until.Equal(c.now()) {
		t.Errorf("from %v until %v", got.From, got.Until)
	}
	c.add(time.Minute) // the first minute is past the hour now
	if got := tally.Flow("bank", Hour); got.Started != 0 || got.Edges[[2]string{"main", "1"}] != 1 {
		t.Errorf("a minute later the hour has %+v", got)
	}
	if got := tally.Flow("bank", Day); got.Started != 3 || got.Edges[[2]string{"main", "1"}] != 2 {
		t.Errorf("the day has %+v", got)
	}
	c.add(24 * time.Hour)
	if got := tally.Flow("bank", Day); got.Started != 0 || len(got.Edges) != 0 {
		t.Errorf("a day later there is %+v", got)
	}
	tally.Note(c.now(), left("main", "1")) // takes the place of a minute of yesterday
	if got := tally.Flow("bank", Day); got.Edges[[2]string{"main", "1"}] != 1 {
		t.Errorf("a minute used again has %+v", got)
	}
}

// What the journal has from before the start counts once, and nothing counts twice.
func TestEarlier(t *testing.T) {
	c := newClock()
	tally := New(c.now)
	event := func(ago time.Duration, kind tandem.EventKind, data any) tandem.Event {
		return tandem.NewEvent("i", "l", c.now().Add(-ago), kind, "flow", data)
	}
	tally.Earlier(event(time.Minute, tandem.EventFlowStarted, tandem.FlowRef{Flow: "bank"}))
	tally.Earlier(event(time.Minute, tandem.EventStep, tandem.StepEntered{Flow: "bank", Step: "main"}))
	tally.Earlier(event(2*time.Hour, tandem.EventOutcome, left("main", "1")))
	tally.Earlier(event(25*time.Hour, tandem.EventOutcome, left("main", "1")))         // too old
	tally.Earlier(event(0, tandem.EventOutcome, left("main", "1")))                    // Note has it
	tally.Earlier(event(time.Minute, tandem.EventInput, tandem.Pressed{Step: "main"})) // not counted
	tally.Earlier(tandem.Event{At: c.now().Add(-time.Minute), Kind: tandem.EventStep}) // erased
	tally.Earlier(tandem.Event{At: c.now().Add(-time.Minute), Kind: tandem.EventStep, Data: json.RawMessage(`[`)})
	got := tally.Flow("bank", Day)
	if got.Started != 1 || got.Steps["main"] != 1 || got.Edges[[2]string{"main", "1"}] != 1 {
		t.Errorf("got %+v", got)
	}
}

// A clock that is put back after the start, by hours, does not end the counting.
func TestClockPutBack(t *testing.T) {
	c := newClock()
	tally := New(c.now)
	tally.Note(c.now(), left("main", "1"))
	c.add(-8 * time.Hour)
	tally.Note(c.now(), left("main", "1"))
	if got := tally.Flow("bank", Day).Edges[[2]string{"main", "1"}]; got != 1 {
		t.Errorf("counted %d up to now", got)
	}
}

func TestBound(t *testing.T) {
	c := newClock()
	tally := New(c.now)
	for i := range maxKeys + 5 {
		tally.Note(c.now(), tandem.StepEntered{Flow: "bank", Step: fmt.Sprint(i)})
	}
	tally.Note(c.now(), tandem.StepEntered{Flow: "bank", Step: "0"})
	if got := tally.Flow("bank", Hour); len(got.Steps) != maxKeys || got.Steps["0"] != 2 || tally.Lost() != 5 {
		t.Errorf("%d steps, %d lost", len(got.Steps), tally.Lost())
	}
}

func TestAtOnce(t *testing.T) {
	c := newClock()
	tally := New(c.now)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 1000 {
				tally.Note(c.now(), left("main", "1"))
				tally.Flow("bank", Hour)
			}
		})
	}
	wg.Wait()
	if got := tally.Flow("bank", Hour).Edges[[2]string{"main", "1"}]; got != 4000 {
		t.Errorf("counted %d of 4000", got)
	}
}

func BenchmarkNote(b *testing.B) {
	tally := New(time.Now)
	for b.Loop() {
		tally.Note(time.Now(), tandem.StepEntered{Flow: "bank", Step: "main"})
	}
}
