package media

import "time"

// Resolution of the lateness figures: steps of 100 us, the last one open-ended.
const (
	lateStep  = 100 * time.Microsecond
	lateSteps = 512
)

// lateness keeps how late wake-ups were in this second and the one before.
type lateness struct {
	now, before   [lateSteps]uint16
	nNow, nBefore int
}

func (l *lateness) note(d time.Duration) {
	l.now[max(0, min(lateSteps-1, int(d/lateStep)))]++
	l.nNow++
}

// percentile is the 99th of both seconds, rounded up to a step; it starts a new
// second.
func (l *lateness) percentile() time.Duration {
	allowed := (l.nNow + l.nBefore) / 100
	result := time.Duration(0)
	for i := lateSteps - 1; i >= 0; i-- {
		allowed -= int(l.now[i]) + int(l.before[i])
		if allowed < 0 {
			result = time.Duration(i+1) * lateStep
			break
		}
	}
	l.before, l.nBefore = l.now, l.nNow
	l.now, l.nNow = [lateSteps]uint16{}, 0
	return result
}
