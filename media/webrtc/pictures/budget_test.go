package pictures

import (
	"testing"
	"time"
)

// What the estimator says is followed down only if the page's own reports tell of a queue or of loss.
func TestBudget(t *testing.T) {
	type said struct {
		trip time.Duration
		loss float64
	}
	ms := time.Millisecond
	for _, test := range []struct {
		what     string
		reports  []said // one a second
		estimate int
		least    int
		most     int
	}{
		{"nothing is known", nil, startBudget, startBudget, startBudget},
		{"an estimate that nothing confirms", []said{{20 * ms, 0}, {30 * ms, 0}, {90 * ms, .02}, {20 * ms, 0}}, 100_000, startBudget, 2 * startBudget},
		{"one late report", []said{{20 * ms, 0}, {160 * ms, 0}, {20 * ms, 0}}, 100_000, startBudget, 2 * startBudget},
		{"a queue", []said{{20 * ms, 0}, {160 * ms, 0}, {170 * ms, 0}}, 200_000, 200_000, 200_000},
		{"a long queue", []said{{20 * ms, 0}, {400 * ms, 0}}, 200_000, 200_000, 200_000},
		{"loss", []said{{20 * ms, 0}, {20 * ms, .2}}, 200_000, 200_000, 200_000},
		{"loss without a round trip", []said{{0, .2}}, 200_000, 200_000, 200_000},
		{"it is over", []said{{20 * ms, .2}, {20 * ms, 0}, {20 * ms, 0}}, 200_000, 200_000 * 110 / 100, 200_000 * 120 / 100},
		{"a long way is no queue", []said{{400 * ms, 0}, {410 * ms, 0}, {420 * ms, 0}}, 100_000, startBudget, 2 * startBudget},
		{"an estimate above", []said{{20 * ms, 0}}, 5_000_000, 5_000_000, 5_000_000},
		{"no more than the most", []said{{20 * ms, 0}}, 50_000_000, maxBudget, maxBudget},
		{"no less than the least", []said{{20 * ms, .5}}, 10, minBudget, minBudget},
	} {
		b, now := budget{}, time.Unix(1_700_000_000, 0)
		got := b.follow(startBudget, now)
		for _, r := range test.reports {
			now = now.Add(time.Second)
			b.report(r.trip, r.loss)
			got = b.follow(test.estimate, now)
		}
		if got < test.least || got > test.most {
			t.Errorf("%s: %d bits per second, want %d to %d", test.what, got, test.least, test.most)
		}
	}
}
