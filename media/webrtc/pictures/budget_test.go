package pictures

import (
	"testing"
	"time"
)

// What a network carries follows from what the page reports of queues and of loss.
func TestBudget(t *testing.T) {
	type said struct { // one a second
		sent int // bits in that second
		trip time.Duration
		loss float64
	}
	ms := time.Millisecond
	well := said{500_000, 20 * ms, 0}
	for _, test := range []struct {
		what        string
		reports     []said
		least, most int
	}{
		{"nothing is known", nil, startBudget, startBudget},
		{"all is well", []said{well, well, well}, startBudget * 12 / 10, startBudget * 13 / 10},
		{"one bad second", []said{well, {500_000, 20 * ms, .2}, well}, startBudget * 12 / 10, startBudget * 13 / 10},
		{"one late report", []said{well, {500_000, 160 * ms, 0}, well}, startBudget * 12 / 10, startBudget * 13 / 10},
		{"a queue", []said{well, {500_000, 160 * ms, 0}, {500_000, 170 * ms, 0}}, 425_000, 425_000},
		{"a long queue", []said{well, {500_000, 400 * ms, 0}}, 425_000, 425_000},
		{"loss", []said{well, {500_000, 20 * ms, .5}}, 212_500, 212_500},
		{"loss without a round trip", []said{{500_000, 0, .5}}, 212_500, 212_500},
		{"a queue that empties", []said{well, {500_000, 400 * ms, .5}, {200_000, 300 * ms, 0}, {200_000, 100 * ms, 0}}, 212_500, 212_500 * 11 / 10},
		{"one that does not", []said{well, {500_000, 400 * ms, .5}, {300_000, 500 * ms, .2}, {200_000, 500 * ms, .4}}, 163_200, 163_200},
		{"loss that lasts", []said{well, {500_000, 20 * ms, .15}, {500_000, 20 * ms, .15}, {500_000, 20 * ms, .15}, {500_000, 20 * ms, .15}}, 361_250, 361_250},
		{"less is shown, and the machine is busy", []said{well, well, {10_000, 20 * ms, 0}, {10_000, 400 * ms, 0}}, 272_000, 272_000},
		{"it is over", []said{{500_000, 20 * ms, .5}, well, well, well, well}, 212_500 * 120 / 100, 212_500 * 130 / 100},
		{"a long way is no queue", []said{{500_000, 400 * ms, 0}, {500_000, 410 * ms, 0}, {500_000, 420 * ms, 0}}, startBudget, 2 * startBudget},
		{"no less than the least", []said{{10_000, 20 * ms, .5}}, minBudget, minBudget},
	} {
		b, now, sent := budget{}, time.Unix(1_700_000_000, 0), int64(0)
		got := b.grow(now)
		for _, r := range test.reports {
			now, sent = now.Add(time.Second), sent+int64(r.sent/8)
			b.report(r.trip, r.loss, sent, now)
			got = b.grow(now)
		}
		if got < test.least || got > test.most {
			t.Errorf("%s: %d bits per second, want %d to %d", test.what, got, test.least, test.most)
		}
	}
	b, now := budget{}, time.Unix(1_700_000_000, 0)
	for range 60 {
		now = now.Add(time.Second)
		b.grow(now)
	}
	if got := b.grow(now); got != maxBudget {
		t.Errorf("after a minute %d bits per second", got)
	}
}
