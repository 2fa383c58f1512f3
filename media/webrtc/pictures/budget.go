package pictures

import "time"

const (
	// startBudget is what a page's network is believed to carry until it has shown, in bits
	// per second; the others are the bounds of that.
	startBudget = 1_500_000
	minBudget   = 60_000
	maxBudget   = 12_000_000
	// A network is congested when packets wait so much longer than they did, or so many are
	// lost. On a busy machine, and by radio, packets come unevenly without any queue.
	queued    = 120 * time.Millisecond // in two reports one after the other
	queuedFar = 300 * time.Millisecond // in one
	lossy     = 0.1                    // of the last few
	lossyFar  = 0.3                    // in one
	// leave is how much of what came through is sent on a congested network, so that its queue
	// empties.
	leave = 0.85
	// settle is how long that takes: till then no report says anything about the new rate.
	settle = 2 * time.Second
	// growth is by how much the budget grows each second while nothing speaks against it.
	growth = 1.08
	// forget is by how much the shortest round trip is let grow with each report.
	forget = 200 * time.Microsecond
	// fade is what is left of the highest rate with each report.
	fade = 0.8
	// apart is how far two reports have to be, so that what was sent between them is a rate.
	apart = 300 * time.Millisecond
)

// budget is how much may be sent, after what the page reports. The zero value has not begun.
type budget struct {
	bps  float64
	at   time.Time // when it grew last
	down time.Time // when it fell last

	reported time.Time // the last report
	sent     int64     // bytes, till then
	rate     float64   // the most of what was sent between two lately, in bits per second
	lost     float64   // share of the last few
	least    time.Duration
	late     int // reports one after the other that told of a queue
	short    bool
}

// report takes one report of the page; sent is how many bytes it was sent so far.
func (b *budget) report(trip time.Duration, loss float64, sent int64, now time.Time) {
	b.begin(now)
	if took := now.Sub(b.reported); took >= apart {
		b.rate = max(b.rate*fade, float64(sent-b.sent)*8/took.Seconds()) // a page that is shown less for a moment does not have less
		b.reported, b.sent = now, sent
	}
	b.lost += (loss - b.lost) / 3
	b.short = b.lost >= lossy || loss >= lossyFar || b.queue(trip)
	if !b.short || now.Sub(b.down) < settle {
		return
	}
	if through := b.rate * (1 - loss) * leave; through < b.bps {
		b.bps, b.down = max(through, minBudget), now
	}
}

// queue reports whether packets wait on their way.
func (b *budget) queue(trip time.Duration) bool {
	if trip <= 0 {
		return false
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
	return trip >= b.least+queuedFar || b.late >= 2
}

func (b *budget) begin(now time.Time) {
	if b.at.IsZero() {
		b.bps, b.at, b.reported = startBudget, now, now
	}
}

// grow brings the budget up to date.
func (b *budget) grow(now time.Time) int {
	b.begin(now)
	if !b.short && now.Sub(b.down) >= settle {
		b.bps = min(b.bps*(1+(growth-1)*min(now.Sub(b.at).Seconds(), 1)), maxBudget)
	}
	b.at = now
	return int(b.bps)
}
