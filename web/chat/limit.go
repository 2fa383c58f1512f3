package chat

import (
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"tandem/web/answer"
)

// rate is how often something may be done: burst at once, then one each every.
type rate struct {
	name  string
	burst float64
	every time.Duration
}

// Rates that no operator needs to change.
var (
	saying   = rate{"say", 10, time.Second}       // messages, of one conversation
	guessing = rate{"token", 30, 2 * time.Second} // tokens nobody knows, of one address
	coding   = rate{"code", 5, time.Minute}       // codes tried, of one conversation
	looking  = rate{"look", 60, time.Second}      // pictures seen, of one conversation: each is an event
	keeping  = rate{"keep", 5, 10 * time.Second}  // transcripts, of one conversation: each reads all of it
)

// perHour is what an operator sets.
func perHour(name string, n int) rate {
	return rate{name, float64(n), time.Hour / time.Duration(n)}
}

const maxBuckets = 100_000 // remembered; beyond that any one is forgotten

// limits counts what addresses and conversations do.
type limits struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[string]*bucket
	sockets map[string]int // open, by network
}

// bucket is refilled by one each rate.every.
type bucket struct {
	left float64
	at   time.Time
}

func newLimits(now func() time.Time) *limits {
	return &limits{now: now, buckets: map[string]*bucket{}, sockets: map[string]int{}}
}

// take counts one more of what key does; if it may not, wait says for how long.
func (l *limits) take(r rate, key string) (wait time.Duration) { return l.ask(r, key, true) }

// look says whether key may do something without counting it.
func (l *limits) look(r rate, key string) (wait time.Duration) { return l.ask(r, key, false) }

func (l *limits) ask(r rate, key string, count bool) (wait time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key = r.name + " " + key
	now := l.now()
	b := l.buckets[key]
	if b == nil {
		if !count {
			return 0
		}
		if len(l.buckets) >= maxBuckets {
			for any := range l.buckets { // in no order
				delete(l.buckets, any)
				break
			}
		}
		b = &bucket{left: r.burst, at: now}
		l.buckets[key] = b
	}
	b.left = min(r.burst, b.left+float64(now.Sub(b.at))/float64(r.every))
	b.at = now
	if b.left < 1 {
		return time.Duration((1 - b.left) * float64(r.every))
	}
	if count {
		b.left--
	}
	return 0
}

// admit counts an open socket of an address; false if it has too many.
func (l *limits) admit(a netip.Addr, most int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := answer.Network(a)
	if l.sockets[key] >= most {
		return false
	}
	l.sockets[key]++
	return true
}

func (l *limits) release(a netip.Addr) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := answer.Network(a)
	if l.sockets[key]--; l.sockets[key] <= 0 {
		delete(l.sockets, key)
	}
}

func seconds(wait time.Duration) int { return int(math.Ceil(wait.Seconds())) }

func tooMany(w http.ResponseWriter, wait time.Duration) {
	w.Header().Set("Retry-After", strconv.Itoa(seconds(wait)))
	answer.Refuse(w, http.StatusTooManyRequests, "too_many", "Too many requests. Wait a little.")
}
