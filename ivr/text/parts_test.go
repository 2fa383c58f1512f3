package text

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/store/storetest"
)

// Whatever is set, moved and taken away: what is due comes in the order of its time, each
// wait once, at its newest time.
func TestTimers(t *testing.T) {
	noon := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 2))
		var timers timers
		timers.init()
		waits := map[tandem.InteractionID]time.Time{}
		jobs := 0
		for range 200 {
			id := tandem.InteractionID(fmt.Sprint(r.IntN(20)))
			at := noon.Add(time.Duration(1+r.IntN(100)) * time.Second)
			switch r.IntN(4) {
			case 0:
				timers.set(id, time.Time{})
				delete(waits, id)
			case 1:
				timers.retry(job{interaction: id, kind: jobInput}, at)
				jobs++
			default:
				timers.set(id, at)
				waits[id] = at
			}
		}
		last := noon
		for now := noon; ; {
			j, ok, at := timers.next(now)
			if !ok {
				if at.IsZero() {
					break
				}
				if !at.After(now) || at.Before(last) {
					t.Fatalf("at %s the next is %s", now, at)
				}
				now, last = at, at
				continue
			}
			if j.kind == jobInput {
				jobs--
				continue
			}
			if !waits[j.interaction].Equal(now) {
				t.Fatalf("%s is due at %s, not %s", j.interaction, waits[j.interaction], now)
			}
			delete(waits, j.interaction)
		}
		if len(waits) > 0 || jobs != 0 || timers.again != 0 {
			t.Fatalf("%d waits and %d jobs are left", len(waits), jobs)
		}
	}
	var full timers
	full.init()
	for range maxRetries {
		full.retry(job{}, noon)
	}
	if full.retry(job{}, noon) {
		t.Error("more is to be tried again than there may be")
	}
}

// What is at hand is bounded in number and in time.
func TestMemory(t *testing.T) {
	clock := storetest.NewClock()
	m := newMemory(clock.Now)
	put := func(i int) {
		id := fmt.Sprint(i)
		st := &state{s: flow.Session{Frames: []flow.Frame{{}}}}
		st.conv.ID, st.conv.Interaction = tandem.ConversationID(id), tandem.InteractionID("in "+id)
		m.put(st)
	}
	for i := range maxAtHand + 10 {
		put(i)
	}
	if m.order.Len() != maxAtHand || len(m.by) != maxAtHand || len(m.lane) != maxAtHand || m.get("9") != nil || m.get("10") == nil {
		t.Errorf("%d are at hand", m.order.Len())
	}
	if key, ok := m.where("in 100"); !ok || key != "100" {
		t.Errorf("it runs in %q", key)
	}
	clock.Add(forgetAfter)
	put(1)
	if m.order.Len() != 1 || len(m.lane) != 1 {
		t.Errorf("%d are at hand after a while", m.order.Len())
	}
}

// A conversation in whose turn too much waits has the rest tried again.
func TestTooManyAnswers(t *testing.T) {
	l := lanes{by: map[string]*lane{}}
	ln, err := l.hand("a", job{})
	if err != nil || ln == nil {
		t.Fatal(ln, err)
	}
	for range maxQueue {
		if other, err := l.hand("a", job{}); err != nil || other != nil {
			t.Fatal(other, err)
		}
	}
	if _, err := l.hand("a", job{}); tandem.CodeOf(err) != tandem.CodeUnavailable {
		t.Errorf("one more gives %v", err)
	}
	gone, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := l.enter(gone, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("who has gone waits: %v", err)
	}
	for range maxQueue {
		if _, ok := l.next(ln); !ok {
			t.Fatal("an answer is lost")
		}
	}
	if _, ok := l.next(ln); ok || len(l.by) > 0 {
		t.Errorf("the lane is still there: %v", l.by)
	}
}

// An ephemeral value that is not at hand any more is asked for again.
func TestEphemeralIsAskedAgain(t *testing.T) {
	h := newHouse(t, strings.Replace(form, "start: name", "start: pin", 1))
	id := h.chat()
	h.open(id)
	h.say(id, "1234")
	h.say(id, "555")
	h.crash()
	h.say(id, "now")
	h.talked(id, "Your PIN? (secret)", "> ••••", "Your code? (secret)", "> •••", "When?", "> now", "Your code? (secret)")
}

// Nothing runs for a conversation at rest, and little is kept of it.
func TestIdle(t *testing.T) {
	const many = 600 // all of them at hand
	h := newHouse(t, pick)
	ids := make([]tandem.ConversationID, many)
	for i := range ids {
		ids[i] = h.chat()
	}
	used := func() (uint64, int) {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc, runtime.NumGoroutine()
	}
	before, goroutines := used()
	for part := range slices.Chunk(ids, 64) {
		done := make(chan error)
		for _, id := range part {
			go func() { done <- h.d.Open(context.Background(), id) }()
		}
		for range part {
			h.must(<-done)
		}
	}
	after, now := used()
	if now > goroutines+2 {
		t.Errorf("%d goroutines for %d conversations", now-goroutines, many)
	}
	if each := (int64(after) - int64(before)) / many; each > 10<<10 {
		t.Errorf("an idle conversation takes %d bytes", each)
	} else {
		t.Logf("an idle conversation takes %d bytes", each)
	}
}
