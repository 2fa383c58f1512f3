package route

import (
	"fmt"
	"math"
	"testing"
	"time"

	"tandem"
)

func TestWaitsAreToldOnceTheyAreKnown(t *testing.T) {
	s := begin(t, working("anna"))
	s.open("first", tandem.TaskCall)
	for i := range 40 {
		s.open(fmt.Sprintf("call %02d", i), tandem.TaskCall)
	}
	if p, _ := s.l.Place("call 09", s.now); p.Position != 10 || p.AtLeast != 0 || p.AtMost != 0 {
		t.Errorf("a wait is told although nothing is known: %+v", p)
	}
	last := "first"
	for i := range 20 {
		s.accept(last)
		s.later(time.Minute)
		s.release(last, nowrap)
		last = fmt.Sprintf("call %02d", i)
	}
	p, ok := s.l.Place("call 29", s.now)
	if !ok || p.Position != 10 || p.AtLeast < 6*time.Minute || p.AtLeast > 9*time.Minute || p.AtMost < 13*time.Minute || p.AtMost > 18*time.Minute {
		t.Errorf("ten places at one a minute: %+v", p)
	}
	first, _ := s.l.Place("call 20", s.now)
	if first.Position != 1 || first.AtLeast >= time.Minute || first.AtMost <= time.Minute || first.AtMost > 4*time.Minute {
		t.Errorf("one place at one a minute: %+v", first)
	}
	if p, _ := s.l.Place("call 29", s.now.Add(10*time.Minute)); p.AtLeast <= 6*time.Minute {
		t.Errorf("nobody was taken up for ten minutes more and the wait is not longer: %+v", p)
	}
}

// The approximation is held against waits that are drawn.
func TestTheRangeHoldsWhatItSays(t *testing.T) {
	for _, k := range []int{1, 3, 10, 40} {
		for _, n := range []int{3, 8, 32} {
			low, high := gammaRatio(float64(k), float64(n), fifth), gammaRatio(float64(k), float64(n), ninetieth)
			if got := gammaRatioBelow(low, k, n); math.Abs(got-0.2) > 0.03 {
				t.Errorf("%d after %d: %.3f are below the lower bound", k, n, got)
			}
			if got := gammaRatioBelow(high, k, n); math.Abs(got-0.9) > 0.03 {
				t.Errorf("%d after %d: %.3f are below the upper bound", k, n, got)
			}
		}
	}
}

// gammaRatioBelow is the chance that a Gamma variable of k is below x times one of n: that
// at least k of k+n-1 fall to the first of two Poisson streams with rates x and 1.
func gammaRatioBelow(x float64, k, n int) float64 {
	p, sum := x/(1+x), 0.0
	for i := k; i <= k+n-1; i++ {
		a, _ := math.Lgamma(float64(k + n))
		b, _ := math.Lgamma(float64(i + 1))
		c, _ := math.Lgamma(float64(k + n - i))
		sum += math.Exp(a - b - c + float64(i)*math.Log(p) + float64(k+n-1-i)*math.Log(1-p))
	}
	return sum
}
