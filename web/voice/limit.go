package voice

import (
	"net/netip"
	"sync"
	"time"

	"tandem/web/answer"
)

const (
	socketsPerAddress = 16      // at once
	maxAddresses      = 100_000 // remembered; beyond that any one without a call is forgotten
)

// limits counts what addresses do.
type limits struct {
	now func() time.Time

	mu   sync.Mutex
	seen map[string]*address
}

type address struct {
	sockets, calls int
	left           float64 // calls it may still begin
	at             time.Time
}

func newLimits(now func() time.Time) *limits {
	return &limits{now: now, seen: map[string]*address{}}
}

// of finds or makes an address's counts. The caller holds the lock.
func (l *limits) of(a netip.Addr) *address {
	key := answer.Network(a)
	if s := l.seen[key]; s != nil {
		return s
	}
	if len(l.seen) >= maxAddresses {
		for k, s := range l.seen { // in no order
			if s.sockets == 0 && s.calls == 0 {
				delete(l.seen, k)
				break
			}
		}
	}
	s := &address{left: -1}
	l.seen[key] = s
	return s
}

// socket counts one more of an address; false if it has too many.
func (l *limits) socket(a netip.Addr) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.of(a)
	if s.sockets >= socketsPerAddress {
		return false
	}
	s.sockets++
	return true
}

func (l *limits) close(a netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of(a).sockets--
}

// call counts one more; if it may not be, wait says for how long.
func (l *limits) call(a netip.Addr, atOnce, perHour int) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, now := l.of(a), l.now()
	each := time.Hour / time.Duration(perHour)
	if s.left < 0 {
		s.left = float64(perHour)
	} else {
		s.left = min(float64(perHour), s.left+float64(now.Sub(s.at))/float64(each))
	}
	s.at = now
	switch {
	case s.calls >= atOnce:
		return 30 * time.Second
	case s.left < 1:
		return time.Duration((1 - s.left) * float64(each))
	}
	s.left--
	s.calls++
	return 0
}

// over counts a call out.
func (l *limits) over(a netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.of(a).calls--
}

// flood bounds frames of one socket: a burst, then so many a second.
type flood struct {
	left float64
	at   time.Time
}

const (
	floodBurst  = 100
	floodSecond = 20
)

// one more frame; false if that is too many.
func (f *flood) one(now time.Time) bool {
	if f.at.IsZero() {
		f.left = floodBurst
	} else {
		f.left = min(floodBurst, f.left+floodSecond*now.Sub(f.at).Seconds())
	}
	f.at = now
	f.left--
	return f.left >= 0
}
