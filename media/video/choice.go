package video

import "time"

// Rules of choosing a layer. They are slow to rise and quick enough to fall, so that a
// viewer whose line is near a limit is not thrown to and fro.
const (
	shortFor   = time.Second        // a budget that is too small for so long means a layer down
	roomyFor   = 3 * time.Second    // one that is large enough for so long, a layer up
	roomyBy    = 1.15               // large enough: so many times what the layer above takes
	easyBy     = 1.1                // not tight: so many times what the layer shown takes
	tryAfter   = 5 * time.Second    // an estimate grows with what is sent only: a layer above is tried
	tryAtMost  = 80 * time.Second   // after each trial that failed it takes twice as long, up to this
	tryBelow   = 0.8                // of the best budget since it began: the trial has failed
	tryPassed  = 20 * time.Second   // and has passed when it lasted so long
	lossHigh   = 0.10               // a share that means a layer down
	lossLow    = 0.02               // and one that lets a layer up
	withoutEnd = int(^uint(0) >> 1) // bits per second
)

// Look is what a choice goes by.
type Look struct {
	Rates  []int   // bits per second of each layer, the sharpest first; 0 = nothing comes of it
	Budget int     // bits per second; below 0 = without limit
	Loss   float64 // share of packets the viewer lost
	Now    time.Time
}

// Choice is which layer is shown and what is remembered to choose the next one.
type Choice struct {
	Layer int // -1 = none

	short    time.Time     // since when the line is too tight for the layer; zero = it is not
	roomy    time.Time     // since when there is room for the one above
	easy     time.Time     // since when nothing speaks against trying it
	tried    time.Time     // when the present trial began; zero = none
	best     int           // budget since then
	patience time.Duration // before the next trial
}

// Next is the choice after a look. A layer that comes no more is left at once; without any
// that comes the layer stays.
func (c Choice) Next(l Look) Choice {
	if l.Budget < 0 {
		l.Budget, l.Loss = withoutEnd, 0
	}
	if c.patience == 0 {
		c.patience = tryAfter
	}
	if c.Layer < 0 || c.Layer >= len(l.Rates) || l.Rates[c.Layer] == 0 {
		if fits := l.fitting(); fits >= 0 {
			c = Choice{Layer: fits, patience: c.patience}
		}
		return c
	}
	if c.falls(l) {
		if below := l.below(c.Layer); below >= 0 {
			if !c.tried.IsZero() {
				c.patience = min(2*c.patience, tryAtMost)
			}
			return Choice{Layer: below, patience: c.patience}
		}
		return c
	}
	return c.rises(l)
}

// falls notes how tight the line is; it reports whether it has been too tight for long enough.
func (c *Choice) falls(l Look) bool {
	tight := l.Loss > lossHigh
	if c.tried.IsZero() {
		tight = tight || l.Rates[c.Layer] > l.Budget
	} else { // the estimate has to grow first; it must not shrink
		c.best = max(c.best, l.Budget)
		tight = tight || float64(l.Budget) < tryBelow*float64(c.best)
		if !tight && (float64(l.Rates[c.Layer]) <= float64(l.Budget) || l.Now.Sub(c.tried) >= tryPassed) {
			c.patience = tryAfter
			if l.Rates[c.Layer] <= l.Budget {
				c.tried = time.Time{}
			}
		}
	}
	return lasts(&c.short, tight, l.Now, shortFor)
}

// rises goes a layer up where there is room, or where trying it is due.
func (c Choice) rises(l Look) Choice {
	above := l.above(c.Layer)
	if above < 0 {
		c.roomy, c.easy = time.Time{}, time.Time{}
		return c
	}
	calm := l.Loss <= lossLow && c.tried.IsZero()
	roomy := lasts(&c.roomy, calm && times(l.Rates[above], roomyBy) <= l.Budget, l.Now, roomyFor)
	easy := lasts(&c.easy, calm && times(l.Rates[c.Layer], easyBy) <= l.Budget, l.Now, c.patience)
	switch {
	case l.Budget == withoutEnd, roomy:
		return Choice{Layer: above, patience: c.patience}
	case easy:
		return Choice{Layer: above, patience: c.patience, tried: l.Now, best: l.Budget}
	}
	return c
}

// lasts notes since when something is so and reports whether that is long enough.
func lasts(since *time.Time, so bool, now time.Time, long time.Duration) bool {
	switch {
	case !so:
		*since = time.Time{}
	case since.IsZero():
		*since = now
	}
	return so && now.Sub(*since) >= long
}

func times(rate int, by float64) int { return int(float64(rate) * by) }

// fitting is the sharpest layer that comes and fits the budget, else the least that comes.
func (l Look) fitting() int {
	fits := -1
	for i, rate := range l.Rates {
		if rate > 0 {
			fits = i
			if rate <= l.Budget {
				break
			}
		}
	}
	return fits
}

// above and below are the next layers that come, -1 = there is none.
func (l Look) above(layer int) int {
	for i := layer - 1; i >= 0; i-- {
		if l.Rates[i] > 0 {
			return i
		}
	}
	return -1
}

func (l Look) below(layer int) int {
	for i := layer + 1; i < len(l.Rates); i++ {
		if l.Rates[i] > 0 {
			return i
		}
	}
	return -1
}
