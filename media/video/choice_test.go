package video

import (
	"testing"
	"time"
)

const (
	kbit  = 1000
	never = -1
)

// TestChoice has a viewer look every tenth of a second; each line is what it sees from a
// moment on, and what it is to show just before the next line.
func TestChoice(t *testing.T) {
	type line struct {
		until  float64 // seconds
		rates  []int   // kbit/s
		budget int     // kbit/s; -1 = without limit
		loss   float64
		layer  int // at the end
		moves  int // within, at most
	}
	both, sharp, small, none := []int{1200, 200}, []int{1200, 0}, []int{0, 200}, []int{0, 0}
	for name, lines := range map[string][]line{
		"nothing comes":                          {{1, none, never, 0, -1, 0}},
		"one layer, no budget":                   {{1, []int{900}, never, 0, 0, 1}},
		"one layer, too small a budget":          {{9, []int{900}, 100, 0.5, 0, 1}},
		"the sharpest without a limit":           {{0.1, both, never, 0, 0, 1}},
		"loss alone does not count without one":  {{5, both, never, 0.5, 0, 1}},
		"the sharpest that fits":                 {{0.1, both, 1300, 0, 0, 1}},
		"the small one where it does not":        {{0.1, both, 800, 0, 1, 1}},
		"the small one where nothing fits":       {{9, both, 50, 0, 1, 1}},
		"three layers, the middle":               {{0.1, []int{2000, 700, 150}, 800, 0, 1, 1}},
		"a layer that ends":                      {{1, both, never, 0, 0, 1}, {1.1, small, never, 0, 1, 1}},
		"one that comes":                         {{1, small, never, 0, 1, 1}, {1.1, both, never, 0, 0, 1}},
		"all end: it stays":                      {{1, small, never, 0, 1, 1}, {9, none, never, 0, 1, 0}},
		"the other comes after all ended":        {{1, small, never, 0, 1, 1}, {9, none, never, 0, 1, 0}, {9.1, sharp, never, 0, 0, 1}},
		"a short dip is nothing":                 {{1, both, 1500, 0, 0, 1}, {1.8, both, 100, 0, 0, 0}, {5, both, 1500, 0, 0, 0}},
		"a dip of a second":                      {{1, both, 1500, 0, 0, 1}, {2.2, both, 100, 0, 1, 1}},
		"loss of a second":                       {{1, both, 1500, 0, 0, 1}, {2.2, both, 1500, 0.2, 1, 1}},
		"loss below the limit":                   {{9, both, 1500, 0.09, 0, 1}},
		"room has to last":                       {{1, both, 500, 0, 1, 1}, {3.8, both, 1500, 0, 1, 0}, {4.3, both, 1500, 0, 0, 1}},
		"room that comes and goes is none":       {{1, both, 150, 0, 1, 1}, {3, both, 1500, 0, 1, 0}, {3.5, both, 150, 0, 1, 0}, {6, both, 1500, 0, 1, 0}},
		"room is no room while packets are lost": {{1, both, 500, 0, 1, 1}, {60, both, 1500, 0.05, 1, 0}},
		"within a little of the limit: no room":  {{0.5, both, 500, 0, 1, 1}, {4.5, both, 1250, 0, 1, 0}},
		"an easy line is tried":                  {{4.9, both, 300, 0, 1, 1}, {5.5, both, 300, 0, 0, 1}},
		"a tight one is not":                     {{60, both, 205, 0, 1, 1}},
		"nor one that loses":                     {{60, both, 300, 0.03, 1, 1}},
		"the trial passes as the estimate grows": {{5.5, both, 300, 0, 0, 2}, {9, both, 700, 0, 0, 0}, {15, both, 1400, 0, 0, 0}, {60, both, 1300, 0, 0, 0}},
		"an estimate that stops short is enough": {{5.5, both, 300, 0, 0, 2}, {9, both, 700, 0, 0, 0}, {90, both, 900, 0, 0, 0}},
		"it fails when packets are lost":         {{5.5, both, 300, 0, 0, 2}, {7, both, 300, 0.2, 1, 1}},
		"it fails when the estimate falls":       {{5.5, both, 300, 0, 0, 2}, {6, both, 500, 0, 0, 0}, {7.5, both, 390, 0, 1, 1}},
		"after a failure it waits for longer":    {{5.5, both, 300, 0, 0, 2}, {7, both, 200, 0.2, 1, 1}, {16, both, 300, 0, 1, 0}, {17.5, both, 300, 0, 0, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			c := Choice{Layer: -1}
			start := time.Unix(1_800_000_000, 0)
			now := start
			for i, l := range lines {
				moves := 0
				for ; now.Sub(start) < time.Duration(l.until*float64(time.Second)); now = now.Add(lookEvery) {
					look := Look{Budget: l.budget, Loss: l.loss, Now: now}
					if l.budget > 0 {
						look.Budget *= kbit
					}
					for _, r := range l.rates {
						look.Rates = append(look.Rates, r*kbit)
					}
					was := c.Layer
					if c = c.Next(look); c.Layer != was {
						moves++
					}
				}
				if c.Layer != l.layer || moves > l.moves {
					t.Fatalf("after line %d, %.1f s, it is layer %d, %d moves; want %d, at most %d", i, l.until, c.Layer, moves, l.layer, l.moves)
				}
			}
		})
	}
}

// A line that carries 500 kbit/s for ever, with an estimate that behaves as congestion control's does:
// it is tried ever less often, and the viewer sees the sharp layer hardly ever.
func TestChoiceSettles(t *testing.T) {
	const capacity = 500 * kbit
	c, now := Choice{Layer: -1}, time.Unix(1_800_000_000, 0)
	rates := []int{1200 * kbit, 200 * kbit}
	budget, moves, sharp := 300*kbit, 0, 0
	const looks = 10 * 60 * 10 // ten minutes
	for range looks {
		sent := 0
		if c.Layer >= 0 {
			sent = rates[c.Layer]
		}
		loss := 0.0
		if sent > capacity {
			loss = 1 - float64(capacity)/float64(sent)
			budget = max(150*kbit, budget*98/100)
		} else {
			budget = max(150*kbit, min(sent*3/2, budget*101/100))
		}
		was := c.Layer
		if c = c.Next(Look{Rates: rates, Budget: budget, Loss: loss, Now: now}); c.Layer != was {
			moves++
		}
		if c.Layer == 0 {
			sharp++
		}
		now = now.Add(lookEvery)
	}
	if moves > 30 || sharp*100 > looks*4 || c.patience != tryAtMost {
		t.Errorf("%d moves in ten minutes, %d of %d looks too sharp, the next trial after %v", moves, sharp, looks, c.patience)
	}
}

// A budget that swings about what the layer takes does not have it swing.
func TestChoiceDoesNotSwing(t *testing.T) {
	c, now, moves := Choice{Layer: -1}, time.Unix(1_800_000_000, 0), 0
	for i := range 3000 {
		budget := 1200 * kbit
		if i%16 < 8 {
			budget = 1500 * kbit
		} else if i > 100 {
			budget = 1000 * kbit
		}
		was := c.Layer
		if c = c.Next(Look{Rates: []int{1200 * kbit, 200 * kbit}, Budget: budget, Now: now}); c.Layer != was {
			moves++
		}
		now = now.Add(lookEvery)
	}
	if moves > 1 {
		t.Errorf("%d moves in five minutes", moves)
	}
}
