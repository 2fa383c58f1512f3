package login

import (
	"net/netip"
	"sync"
	"time"

	"tandem/web/answer"
)

// Bounds of guessing. The delay after a number of failures is doubled with each more.
const (
	freeByName   = 5           // failures of one name before there is a delay
	freeBySource = 10          // of one address: several people may share it
	maxByName    = time.Minute // a stranger must not be able to keep a user out for long
	maxBySource  = 15 * time.Minute
	firstDelay   = 2 * time.Second
	forgetAfter  = time.Hour // without a failure
	maxBuckets   = 10_000    // names and addresses remembered; the one longest quiet goes
	maxKnown     = 2_000     // pairs of name and address that have logged in
)

// limiter slows down who guesses passwords: by the name that is tried, and by the
// address that tries. A name is counted apart for addresses it has logged in from, and
// does not wait for what else comes from there, so that strangers do not slow down its
// owner: neither from elsewhere, nor behind the same router or unnamed proxy.
type limiter struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[string]*bucket
	known   map[string]time.Time
}

type bucket struct {
	failures int
	last     time.Time
	until    time.Time // no attempt before
}

func newLimiter(now func() time.Time) *limiter {
	return &limiter{now: now, buckets: map[string]*bucket{}, known: map[string]time.Time{}}
}

// outcome is how an attempt ended.
type outcome int

const (
	wrong     outcome = iota
	right             // the name is no longer slowed down, and known from this address
	undecided         // nothing was learned about the secret; as if it had not been
)

// try counts an attempt as wrong in advance, so that many at once gain nothing. Without
// a wait it may go on, and tells by done how it ended.
func (l *limiter) try(name string, source netip.Addr) (done func(outcome), wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now, from := l.now(), answer.Network(source)
	byName := "name " + name
	_, known := l.known[name+" "+from]
	if known {
		byName += " " + from
	}
	n, s := l.bucket(byName, now), l.bucket("source "+from, now)
	if known {
		s = &bucket{} // neither waits for it nor counts in it
	}
	if wait = max(n.until.Sub(now), s.until.Sub(now)); wait > 0 {
		return nil, wait
	}
	n.fail(now, freeByName, maxByName)
	s.fail(now, freeBySource, maxBySource)
	return func(o outcome) {
		if o == wrong {
			return
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		n.forgive()
		s.forgive()
		if o == undecided {
			return
		}
		delete(l.buckets, byName)
		if len(l.known) >= maxKnown {
			drop(l.known, func(t time.Time) time.Time { return t })
		}
		l.known[name+" "+from] = now
	}, 0
}

// forgive takes back one attempt, and the delay it brought.
func (b *bucket) forgive() { b.failures, b.until = max(0, b.failures-1), time.Time{} }

func (l *limiter) bucket(key string, now time.Time) *bucket {
	b := l.buckets[key]
	if b != nil && now.Sub(b.last) < forgetAfter {
		return b
	}
	if b == nil && len(l.buckets) >= maxBuckets {
		drop(l.buckets, func(b *bucket) time.Time { return b.last })
	}
	b = &bucket{last: now}
	l.buckets[key] = b
	return b
}

func (b *bucket) fail(now time.Time, free int, longest time.Duration) {
	b.failures++
	b.last = now
	if over := b.failures - free; over >= 0 {
		b.until = now.Add(min(longest, firstDelay<<min(over, 20)))
	}
}

// drop removes the entry whose time is the oldest.
func drop[V any](m map[string]V, at func(V) time.Time) {
	oldest, found := "", false
	for key, v := range m {
		if !found || at(v).Before(at(m[oldest])) {
			oldest, found = key, true
		}
	}
	delete(m, oldest)
}
