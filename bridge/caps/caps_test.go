package caps

import (
	"errors"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func rule(err error) string {
	var r *Refused
	if errors.As(err, &r) {
		return r.Rule
	}
	return ""
}

func TestLists(t *testing.T) {
	p := Policy{Allow: []string{"+86", "sip:pbx.example", "sip:127.0.0.1:5080"}, Deny: []string{"+86900"}}
	for number, want := range map[string]string{
		"+8613800000000":                 "",
		"+86900123":                      "deny",
		"+441234":                        "allow",
		"":                               "allow",
		"sip:7001@pbx.example":           "",
		"sip:7001@PBX.example;user=x":    "",
		"sip:7001@pbx.example.evil.com":  "allow",
		"sip:pbx.example@evil.com":       "allow",
		"sip:a@b@127.0.0.1:5080":         "",
		"sip:7001@127.0.0.1:5081":        "allow",
		"sip:+8613800000000@evil.com":    "allow",
		"sip:evil.com?Route=pbx.example": "allow",
	} {
		_, err := NewLedger(p, nil).Reserve(noon, number)
		if got := rule(err); got != want {
			t.Errorf("%q: refused by %q, want %q", number, got, want)
		}
	}
	if _, err := NewLedger(Policy{}, nil).Reserve(noon, "+861"); rule(err) != "allow" {
		t.Error("the zero policy must allow nothing")
	}
}

func TestCounts(t *testing.T) {
	base := Policy{Allow: []string{"+"}, MaxCall: 10 * time.Minute}
	with := func(change func(*Policy)) *Ledger {
		p := base
		change(&p)
		return NewLedger(p, []Use{{At: noon.Add(-23 * time.Hour), To: "+1", Cost: 3}, {At: noon.Add(-25 * time.Hour), To: "+1", Cost: 100}})
	}
	for _, tc := range []struct {
		rule   string
		ledger *Ledger
		free   int // calls to +1 that are allowed before the rule bites
	}{
		{"per_number", with(func(p *Policy) { p.PerNumberPerDay = 3 }), 2},
		{"per_hour", with(func(p *Policy) { p.PerHour = 3 }), 3},
		{"per_day", with(func(p *Policy) { p.PerDay = 3 }), 2},
		{"concurrent", with(func(p *Policy) { p.Concurrent = 2 }), 2},
		{"money", with(func(p *Policy) { p.MoneyPerDay = 25; p.Rates = []Rate{{"+", 9}, {"+1", 1}} }), 2},
	} {
		for i := range tc.free {
			if _, err := tc.ledger.Reserve(noon, "+1"); err != nil {
				t.Fatalf("%s: call %d refused: %v", tc.rule, i+1, err)
			}
		}
		if _, err := tc.ledger.Reserve(noon, "+1"); rule(err) != tc.rule {
			t.Errorf("%s: call %d gave %v", tc.rule, tc.free+1, err)
		}
		if _, err := tc.ledger.Reserve(noon.Add(25*time.Hour), "+1"); tc.rule != "concurrent" && err != nil {
			t.Errorf("%s: still refused a day later: %v", tc.rule, err)
		}
	}
}

func TestSettleReturnsWhatWasNotSpent(t *testing.T) {
	l := NewLedger(Policy{Allow: []string{"+"}, MaxCall: 10 * time.Minute, MoneyPerDay: 10, Rates: []Rate{{"+", 1}}, Concurrent: 1}, nil)
	h, err := l.Reserve(noon, "+1")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := l.Reserve(noon, "+2"); rule(err) != "concurrent" {
		t.Fatalf("second call while the first is up: %v", err)
	}
	h.Settle(61 * time.Second)
	h.Settle(0) // counts once
	if got := l.uses[0].Cost; got != 2 {
		t.Errorf("61 s cost %v, want 2 begun minutes", got)
	}
	if _, err := l.Reserve(noon, "+2"); rule(err) != "money" {
		t.Errorf("2 spent and 10 at worst must pass the cap of 10: %v", err)
	}
}

func TestCapHoldsUnderConcurrency(t *testing.T) {
	l := NewLedger(Policy{Allow: []string{"+"}, PerDay: 50}, nil)
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
