package caps

import (
	"errors"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// wide has room for everything; each case narrows one figure.
var wide = Policy{AtOnce: 1000, PerHour: 1000, PerDay: 1000, PerNumberPerHour: 1000, PerNumberPerDay: 1000, MinutesPerDay: 100_000, MaxMinutes: 10}

func rule(err error) string {
	var r *Refused
	if errors.As(err, &r) {
		return r.Rule
	}
	return ""
}

func TestCaps(t *testing.T) {
	past := []Use{{At: noon.Add(-23 * time.Hour), Number: "+1", Minutes: 3}, {At: noon.Add(-25 * time.Hour), Number: "+1", Minutes: 100}}
	for _, tc := range []struct {
		name, rule string
		narrow     func(*Policy)
		free       int // calls to +1 allowed before the rule bites
	}{
		{"at once", "at_once", func(p *Policy) { p.AtOnce = 2 }, 2},
		{"per hour", "per_hour", func(p *Policy) { p.PerHour = 3 }, 3},
		{"per day counts the past day", "per_day", func(p *Policy) { p.PerDay = 3 }, 2},
		{"per number and hour", "per_number", func(p *Policy) { p.PerNumberPerHour = 3 }, 3},
		{"per number and day", "per_number", func(p *Policy) { p.PerNumberPerDay = 3 }, 2},
		{"minutes at their worst", "minutes", func(p *Policy) { p.MinutesPerDay = 25 }, 2},
		{"money at its worst", "money", func(p *Policy) {
			p.MoneyPerDay = 50
			p.Price = func(string) (float64, bool) { return 2, true }
		}, 2},
		{"unknown price", "money", func(p *Policy) {
			p.MoneyPerDay = 50
			p.Price = func(string) (float64, bool) { return 0, false }
		}, 0},
		{"zero means none", "per_hour", func(p *Policy) { p.PerHour = 0 }, 0},
		{"the zero policy", "at_once", func(p *Policy) { *p = Policy{} }, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			p := wide
			tc.narrow(&p)
			l := NewLedger(p, past)
			for i := range tc.free {
				if _, err := l.Reserve(noon, "+1"); err != nil {
					t.Fatalf("call %d refused: %v", i+1, err)
				}
			}
			_, err := l.Reserve(noon, "+1")
			if rule(err) != tc.rule {
				t.Errorf("call %d gave %v, want rule %s", tc.free+1, err, tc.rule)
			}
			if _, err := l.Reserve(noon.Add(25*time.Hour), "+1"); tc.free > 0 && tc.rule != "at_once" && err != nil {
				t.Errorf("still refused a day later: %v", err)
			}
		})
	}
}

// A call to no number, such as one to an agent at the operator's own host, has the
// sums to keep to and nothing else.
func TestNoNumber(t *testing.T) {
	p := wide
	p.PerHour, p.PerNumberPerHour, p.PerNumberPerDay = 5, 1, 1
	p.Price = func(string) (float64, bool) { return 0, false }
	l := NewLedger(p, []Use{{At: noon.Add(-time.Minute)}})
	for i := range 4 {
		if _, err := l.Reserve(noon, ""); err != nil {
			t.Fatalf("call %d refused: %v", i+1, err)
		}
	}
	if _, err := l.Reserve(noon, ""); rule(err) != "per_hour" {
		t.Errorf("the sixth call within the hour gave %v", err)
	}
}

func TestSettleReturnsWhatWasNotSpent(t *testing.T) {
	p := wide
	p.AtOnce, p.MinutesPerDay = 1, 12
	l := NewLedger(p, nil)
	h, err := l.Reserve(noon, "+1")
	if err != nil {
		t.Fatal(err)
	}
	if h.Limit != 10*time.Minute {
		t.Errorf("limit %v, want 10m", h.Limit)
	}
	if _, err := l.Reserve(noon, "+2"); rule(err) != "at_once" {
		t.Fatalf("second call while the first is up: %v", err)
	}
	h.Settle(61 * time.Second)
	h.Settle(0) // counts once
	if got := l.uses[0].Minutes; got != 2 {
		t.Errorf("61 s counted as %v begun minutes, want 2", got)
	}
	if _, err := l.Reserve(noon, "+2"); err != nil {
		t.Errorf("2 spent and 10 at worst fit in 12: %v", err)
	}
}

func TestCapHoldsUnderConcurrency(t *testing.T) {
	p := wide
	p.PerDay = 50
	l := NewLedger(p, nil)
	var wg sync.WaitGroup
	var mu sync.Mutex
	allowed := 0
	for range 200 {
		wg.Go(func() {
			if h, err := l.Reserve(noon, "+1"); err == nil {
				h.Settle(time.Minute)
				mu.Lock()
				allowed++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if allowed != 50 {
		t.Errorf("%d calls allowed under a cap of 50", allowed)
	}
}
