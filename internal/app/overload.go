package app

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"syscall"
	"time"

	"tandem/internal/config"
)

// overload decides how many new calls a second are let in. While nothing is scarce, any
// number is; from the moment something is, as many as were let in a moment ago less a
// fifth, each second again, and once nothing is scarce any more a tenth more each second,
// until it is as many as are asked for: a rate that a caller's side could be told (RFC
// 7339 section 4 calls it "rate"), where an on-off rule would swing.
type overload struct {
	limits config.Limits
	now    func() time.Time

	mu      sync.Mutex
	scarce  string  // what is, in words; "" = nothing
	rate    float64 // calls a second; 0 = any number
	tokens  float64
	last    time.Time // of tokens
	let     int       // since the last sample
	asked   int
	sampled time.Time
	cpu     time.Duration // used by the process, at the last sample
	busy    float64       // share of all cores that it uses, smoothed
	commit  time.Duration // how long the store takes, smoothed
}

// Figures of the rate.
const (
	overloadEvery = time.Second
	lessOf        = 0.8 // of the rate, each second while something is scarce
	moreOf        = 1.1 // each second while nothing is
	leastRate     = 1.0 // calls a second that are let in at the worst
	smooth        = 0.3 // weight of the newest sample
)

func newOverload(l config.Limits, now func() time.Time) *overload {
	at := now()
	return &overload{limits: l, now: now, last: at, sampled: at, cpu: processTime()}
}

// processTime is the processor time that this process has used.
func processTime() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// committed is told how long a call's first record took to be durable.
func (o *overload) committed(d time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.commit += time.Duration(smooth * float64(d-o.commit))
}

// run samples until ctx ends.
func (o *overload) run(ctx context.Context) {
	tick := time.NewTicker(overloadEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			o.sample(o.now(), processTime(), runtime.NumGoroutine())
		case <-ctx.Done():
			return
		}
	}
}

// sample looks at what may be scarce and sets the rate.
func (o *overload) sample(now time.Time, cpu time.Duration, goroutines int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	took := now.Sub(o.sampled)
	if took <= 0 {
		return
	}
	o.busy += smooth * (float64(cpu-o.cpu)/float64(took)/float64(runtime.GOMAXPROCS(0)) - o.busy)
	let := float64(o.let) / took.Seconds()
	asked := float64(o.asked) / took.Seconds()
	o.sampled, o.cpu, o.let, o.asked = now, cpu, 0, 0
	if let == 0 { // no call was timed: what was slow is not known to be slow still
		o.commit -= time.Duration(smooth * float64(o.commit))
	}
	l := o.limits
	switch {
	case l.CPU > 0 && o.busy*100 > float64(l.CPU):
		o.scarce = fmt.Sprintf("the program uses %.0f%% of the processors (limits.cpu)", o.busy*100)
	case l.Goroutines > 0 && goroutines > l.Goroutines:
		o.scarce = fmt.Sprintf("%d goroutines run (limits.goroutines)", goroutines)
	case l.StoreTime > 0 && o.commit > l.StoreTime:
		o.scarce = fmt.Sprintf("the store takes %v (limits.store_time)", o.commit.Round(time.Millisecond))
	default:
		o.scarce = ""
	}
	switch {
	case o.scarce != "" && o.rate == 0:
		o.rate = max(leastRate, lessOf*let)
	case o.scarce != "":
		o.rate = max(leastRate, lessOf*o.rate)
	case o.rate > 0:
		if o.rate *= moreOf; o.rate > 2*max(asked, leastRate) {
			o.rate = 0
		}
	}
}

// admit takes a new call in, or says why not.
func (o *overload) admit() *refusal {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked++
	if o.rate > 0 {
		now := o.now()
		o.tokens = min(max(1, o.rate), o.tokens+o.rate*now.Sub(o.last).Seconds())
		o.last = now
		if o.tokens < 1 {
			why := o.scarce
			if why == "" {
				why = "the server recovers from overload"
			}
			return &refusal{"overload", why}
		}
		o.tokens--
	}
	o.let++
	return nil
}

// allowed is the rate of new calls a second; 0 = any number.
func (o *overload) allowed() float64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.rate
}
