package phone

import (
	"encoding/json"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
)

// heardBy is which tones are heard from now on, beside others or alone.
func heardBy(p *testkit.RTP, of ...int) map[int]bool {
	from := time.Now()
	p.Wait(patience, from, func(ps []testkit.Packet) bool { return len(ps) >= 15 })
	return tones(testkit.Audio(p.Packets(from.Add(60*time.Millisecond))), of)
}

// tones are those that make up a fair share of what was heard, of which there are loud ones.
func tones(pcm []int16, of []int) map[int]bool {
	const block = testkit.Rate / 50
	heard, blocks := map[int]int{}, 0
	for at := 0; at+block <= len(pcm); at += block {
		energy := 0.0
		for _, x := range pcm[at : at+block] {
			energy += float64(x) * float64(x)
		}
		blocks++
		if energy < 100*100*block {
			continue
		}
		for _, hz := range of {
			c := 2 * math.Cos(2*math.Pi*float64(hz)/testkit.Rate)
			var a, b float64
			for _, x := range pcm[at : at+block] {
				a, b = float64(x)+c*a-b, a
			}
			if (a*a+b*b-c*a*b)*2/block > 0.1*energy {
				heard[hz]++
			}
		}
	}
	out := map[int]bool{}
	for hz, n := range heard {
		if 2*n > blocks {
			out[hz] = true
		}
	}
	return out
}

// mixed waits until just these of all tones of a talk are heard together.
func mixed(t *testing.T, p *testkit.RTP, want ...int) {
	t.Helper()
	every := []int{callerHz, agentHz, benHz, leadHz, customerHz, musicHz, busyHz, ringHz}
	is := map[int]bool{}
	for _, hz := range want {
		is[hz] = true
	}
	var got map[int]bool
	for limit := time.Now().Add(patience); time.Now().Before(limit); {
		if got = heardBy(p, every...); maps.Equal(got, is) {
			return
		}
	}
	t.Fatalf("heard %v, want %v", slices.Sorted(maps.Keys(got)), want)
}

// sums holds that the journal's spans of each leg sum to what their partings say, and that
// the customer's go from the first word to the last.
func (d *desk) sums(*customer) {
	d.t.Helper()
	sums(d.t, d.books.events())
}

func sums(t *testing.T, events []tandem.Event) (seconds map[tandem.LegID]float64) {
	t.Helper()
	type span struct {
		at   time.Time
		held bool
	}
	open := map[tandem.LegID]*span{}
	seconds, held := map[tandem.LegID]float64{}, map[tandem.LegID]float64{}
	for _, e := range events {
		switch e.Kind {
		case tandem.EventJoined, tandem.EventRoomChanged:
			var is tandem.Joined
			_ = json.Unmarshal(e.Data, &is)
			s := open[e.Leg]
			if (s == nil) != (e.Kind == tandem.EventJoined) {
				t.Errorf("leg %s is told by %s out of turn", e.Leg, e.Kind)
			}
			if s != nil && s.held {
				held[e.Leg] += e.At.Sub(s.at).Seconds()
			}
			if s != nil {
				seconds[e.Leg] += e.At.Sub(s.at).Seconds()
			}
			if s == nil {
				seconds[e.Leg], held[e.Leg] = 0, 0
			}
			open[e.Leg] = &span{e.At, is.Held}
		case tandem.EventParted:
			var is tandem.Parted
			_ = json.Unmarshal(e.Data, &is)
			s := open[e.Leg]
			if s == nil {
				t.Errorf("leg %s left without having joined", e.Leg)
				continue
			}
			delete(open, e.Leg)
			seconds[e.Leg] += e.At.Sub(s.at).Seconds()
			if s.held {
				held[e.Leg] += e.At.Sub(s.at).Seconds()
			}
			if off := seconds[e.Leg] - is.Seconds; off > 0.001 || off < -0.001 {
				t.Errorf("leg %s was there for %.3f s and is said to have been for %.3f s", e.Leg, seconds[e.Leg], is.Seconds)
			}
			if off := held[e.Leg] - is.Held; off > 0.001 || off < -0.001 {
				t.Errorf("leg %s was on hold for %.3f s and is said to have been for %.3f s", e.Leg, held[e.Leg], is.Held)
			}
		}
	}
	if len(open) > 0 {
		t.Errorf("%d legs never left", len(open))
	}
	return seconds
}
