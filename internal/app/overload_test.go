package app

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"tandem/internal/config"
)

// overloaded is an overload on a clock of its own.
type overloaded struct {
	*overload
	at  time.Time
	cpu time.Duration
}

func newOverloaded(l config.Limits) *overloaded {
	o := &overloaded{at: time.Unix(1_800_000_000, 0)}
	o.overload = newOverload(l, func() time.Time { return o.at })
	o.overload.cpu = 0
	return o
}

// second lets one pass in which calls are asked for and share of the processors is used,
// and returns how many calls were let in.
func (o *overloaded) second(calls int, share float64, goroutines int) (let int) {
	for range calls {
		o.at = o.at.Add(time.Second / time.Duration(calls))
		if o.admit() == nil {
			let++
		}
	}
	if calls == 0 {
		o.at = o.at.Add(time.Second)
	}
	o.cpu += time.Duration(share * float64(runtime.GOMAXPROCS(0)) * float64(time.Second))
	o.sample(o.at, o.cpu, goroutines)
	return let
}

// Under a load that cannot be served the rate falls step by step, never to nothing, and
// grows back until every call is let in again.
func TestOverloadRate(t *testing.T) {
	o := newOverloaded(config.Limits{CPU: 90})
	for range 10 {
		if let := o.second(50, 0.3, 10); let != 50 {
			t.Fatalf("with room for all, %d of 50 calls were let in", let)
		}
	}
	fell, before := 0, 50
	for range 30 {
		let := o.second(50, 1, 10)
		if let < before {
			fell++
		}
		before = let
	}
	if before < 1 || before > 3 || fell < 8 {
		t.Errorf("after half a minute of overload %d calls a second are let in; the rate fell %d times", before, fell)
	}
	if no := o.refusedNow(); no == nil || !strings.Contains(no.why, "limits.cpu") {
		t.Errorf("it is refused with %v", no)
	}
	back := 0
	for ; back < 60 && o.second(50, 0.2, 10) < 50; back++ {
	}
	if back < 10 || back >= 60 {
		t.Errorf("all calls are let in again after %d s", back)
	}
	for range 20 {
		o.second(50, 0.2, 10)
	}
	if o.allowed() != 0 {
		t.Errorf("the rate is still %v", o.allowed())
	}
}

// refusedNow asks until it is refused.
func (o *overloaded) refusedNow() *refusal {
	for range 100 {
		if no := o.admit(); no != nil {
			return no
		}
	}
	return nil
}

func TestOverloadByWhatIsScarce(t *testing.T) {
	for _, test := range []struct {
		name   string
		limits config.Limits
		do     func(*overloaded)
		want   string
	}{
		{"goroutines", config.Limits{Goroutines: 100}, func(o *overloaded) { o.second(5, 0, 101) }, "limits.goroutines"},
		{"store", config.Limits{StoreTime: time.Second}, func(o *overloaded) {
			for range 20 {
				o.committed(2 * time.Second)
			}
			o.second(5, 0, 1)
		}, "limits.store_time"},
		{"nothing", config.Limits{CPU: 90, Goroutines: 100, StoreTime: time.Second}, func(o *overloaded) { o.second(5, 0.5, 50) }, ""},
		{"no limit", config.Limits{}, func(o *overloaded) { o.second(5, 1, 1e6) }, ""},
	} {
		o := newOverloaded(test.limits)
		test.do(o)
		switch no := o.refusedNow(); {
		case test.want == "" && no != nil:
			t.Errorf("%s: refused: %v", test.name, no)
		case test.want != "" && (no == nil || no.rule != "overload" || !strings.Contains(no.why, test.want)):
			t.Errorf("%s: %v, want %s", test.name, no, test.want)
		}
	}
}

// A store that was slow once is not held to be slow for ever when no call times it.
func TestOverloadForgetsTheStore(t *testing.T) {
	o := newOverloaded(config.Limits{StoreTime: time.Second})
	for range 20 {
		o.committed(5 * time.Second)
	}
	for range 60 {
		o.second(0, 0, 1)
	}
	if o.commit > time.Second || o.allowed() > 0 && o.scarce != "" {
		t.Errorf("a minute later the store is held to take %v, rate %v", o.commit, o.allowed())
	}
}
