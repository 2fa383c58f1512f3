package pictures

import "time"

const (
	// A network is congested when packets wait so much longer than they did, or so many are
	// lost. Below that the estimator's word alone is not believed: on a busy machine, and by radio,
	// packets come unevenly without any queue.
	queued    = 120 * time.Millisecond // in two reports one after the other
	queuedFar = 300 * time.Millisecond // in one
	lossy     = 0.1
	// growth is by how much the budget grows each second while nothing speaks against it.
	growth = 1.08
	// forget is by how much the shortest round trip is let grow with each report.
	forget = 200 * time.Microsecond
)

// budget is how much may be sent, after what the estimator says and what the page reports.
// The zero value has not begun.
type budget struct {
	bps   float64
	at    time.Time
	least time.Duration // round trip without a queue
	late  int           // reports one after the other that told of a queue
	short bool          // the network is congested, as the last report says
}

// report takes one report of the page.
func (b *budget) report(trip time.Duration, loss float64) {
	if trip <= 0 { // not measured yet
		b.short = loss >= lossy
		return
	}
	if b.least == 0 || trip < b.least {
		b.least = trip
	} else {
		b.least += forget
	}
	b.late++
	if trip < b.least+queued {
		b.late = 0
	}
	b.short = loss >= lossy || trip >= b.least+queuedFar || b.late >= 2
}

// follow brings the budget up to date with what the estimator says.
func (b *budget) follow(estimate int, now time.Time) int {
	if b.at.IsZero() {
		b.bps, b.at = startBudget, now
	}
	took := min(now.Sub(b.at).Seconds(), 1)
	b.at = now
	switch {
	case b.short:
		b.bps = min(b.bps, float64(estimate))
	default:
		b.bps = max(b.bps*(1+(growth-1)*took), float64(estimate))
	}
	b.bps = min(max(b.bps, minBudget), maxBudget)
	return int(b.bps)
}
