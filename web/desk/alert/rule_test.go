package alert

import (
	"math"
	"testing"
	"time"

	"tandem"
	"tandem/web/desk/board"
)

var at = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// TestLook: an alert fires once its figure was beyond the bound for as long as the rule says,
// and is over once it was within the other for as long; what flickers does neither.
func TestLook(t *testing.T) {
	above := Rule{Metric: Waiting, Bound: 10, Clear: 7, Hold: 5}
	below := Rule{Metric: Free, Bound: 2, Clear: 3, Hold: 0}
	nan := math.NaN() // cannot be measured
	for _, test := range []struct {
		name   string
		rule   Rule
		values []float64 // one a second
		want   string    // F fired, R resolved, . nothing
	}{
		{"it fires after its time", above, []float64{11, 11, 11, 11, 11, 11, 11}, ".....F."},
		{"the bound itself is fine", above, []float64{10, 10, 10, 10, 10, 10, 10}, "......."},
		{"what flickers fires not", above, []float64{11, 12, 9, 11, 12, 13, 14, 10, 11}, "........."},
		{"between the bounds it goes on", above, []float64{11, 11, 11, 11, 11, 11, 8, 8, 8, 8, 8, 8, 8}, ".....F......."},
		{"it is over after its time", above, []float64{11, 11, 11, 11, 11, 11, 7, 7, 8, 7, 7, 7, 7, 7, 7}, ".....F........R"},
		{"below fires below", below, []float64{2, 1, 1, 2, 3, 3}, ".F..R."},
		{"what is not known fires not", above, []float64{nan, nan, nan, nan, nan, nan, nan, nan}, "........"},
		{"and ends what fires", below, []float64{1, nan}, "FR"},
		{"of the unknown the time begins anew", above, []float64{11, 11, 11, nan, 11, 11, 11, 11, 11, 11}, ".........F"},
	} {
		var w Watch
		got := ""
		for i, v := range test.values {
			var c Change
			w, c = w.Look(&test.rule, v, !math.IsNaN(v), at.Add(time.Duration(i)*time.Second))
			got += string(".FR"[c])
		}
		if got != test.want {
			t.Errorf("%s: %s, not %s", test.name, got, test.want)
		}
	}
}

// TestLookClockBack: a clock that is put back does not hold an alert up for ever.
func TestLookClockBack(t *testing.T) {
	r := Rule{Metric: Waiting, Bound: 1, Clear: 1, Hold: 10}
	w, _ := Watch{}.Look(&r, 2, true, at)
	w, _ = w.Look(&r, 2, true, at.Add(-time.Hour))
	if _, c := w.Look(&r, 2, true, at.Add(-time.Hour).Add(10*time.Second)); c != Fired {
		t.Errorf("it is %d", c)
	}
}

func TestMeasure(t *testing.T) {
	sum := func(answered, within, left int) board.Sum {
		return board.Sum{Answered: answered, Within: within, Left: left}
	}
	figures := []board.Figures{
		{Name: "cards", Total: 3, Waiting: map[tandem.TaskKind]int{tandem.TaskCall: 2, tandem.TaskChat: 1}, Oldest: at.Add(-time.Minute), Agents: board.Counts{Free: 2},
			Today: board.Today{Sum: sum(8, 6, 2), By: map[tandem.TaskKind]board.Sum{tandem.TaskCall: sum(4, 1, 1)}}},
		{Name: "loans", Total: 4, Oldest: at.Add(-5 * time.Minute), Agents: board.Counts{Free: 1}, Today: board.Today{Sum: sum(2, 2, 0)}},
		{Name: "new"},
	}
	for _, test := range []struct {
		rule  Rule
		value float64
		ok    bool
	}{
		{Rule{Metric: Longest}, 300, true}, {Rule{Metric: Longest, Queue: "cards"}, 60, true}, {Rule{Metric: Longest, Queue: "new"}, 0, true},
		{Rule{Metric: Waiting}, 7, true}, {Rule{Metric: Waiting, Queue: "cards", Kind: tandem.TaskCall}, 2, true},
		{Rule{Metric: Abandoned}, 2, true}, {Rule{Metric: Abandoned, Kind: tandem.TaskCall}, 1, true},
		{Rule{Metric: Level}, 8.0 / 12, true}, {Rule{Metric: Level, Queue: "cards", Kind: tandem.TaskCall}, 0.2, true},
		{Rule{Metric: Level, Queue: "loans"}, 0, false}, {Rule{Metric: Level, Queue: "new"}, 0, false},
		{Rule{Metric: Free}, 2, true}, {Rule{Metric: Free, Queue: "loans"}, 1, true}, // who serves both is one
		{Rule{Metric: Waiting, Queue: "gone"}, 0, false},
	} {
		if value, ok := Measure(&test.rule, figures, 2, at); value != test.value || ok != test.ok {
			t.Errorf("%s of %q %q is %g %t, not %g %t", test.rule.Metric, test.rule.Queue, test.rule.Kind, value, ok, test.value, test.ok)
		}
	}
}
