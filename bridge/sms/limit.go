package sms

import (
	"sync"
	"time"
)

// maxCounted is how many names a limiter remembers; beyond that it forgets them all and
// begins anew, which lets somebody in early but nobody in for ever.
const maxCounted = 10_000

// limiter counts by name within spans of time. The zero value is not ready: see its
// span. It is safe for concurrent use.
type limiter struct {
	span time.Duration

	mu     sync.Mutex
	begun  time.Time // of the span
	counts map[string]int
}

// take counts one more, and reports whether it was within most of the span.
func (l *limiter) take(name string, most int, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn(now)
	if l.counts[name] >= most {
		return false
	}
	l.counts[name]++
	return true
}

// spent reports whether most of the span are used up, and counts nothing.
func (l *limiter) spent(name string, most int, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn(now)
	return l.counts[name] >= most
}

// turn begins a new span when it is time. The caller holds mu.
func (l *limiter) turn(now time.Time) {
	if now.Sub(l.begun) >= l.span || now.Before(l.begun) || len(l.counts) > maxCounted {
		l.begun, l.counts = now, map[string]int{}
	}
}
