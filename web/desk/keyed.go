package desk

import (
	"net/http"
	"sync"
	"time"

	"tandem/web/answer"
	"tandem/web/login"
)

// How often a program may ask, by its key; people's pages are not bounded by it.
const (
	keyBurst = 60                     // at once
	keyEvery = 100 * time.Millisecond // one more, each
	maxKeyed = 4096                   // keys that are remembered; then all are forgotten
)

// keyed bounds what each key asks.
type keyed struct {
	mu   sync.Mutex
	left map[string]allowance // by the key's id
}

type allowance struct {
	n  float64
	at time.Time
}

// take counts a request of a key; false if there are too many.
func (k *keyed) take(id string, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.left == nil || len(k.left) >= maxKeyed {
		k.left = map[string]allowance{}
	}
	a, known := k.left[id]
	if !known {
		a = allowance{keyBurst, now}
	}
	if gone := now.Sub(a.at); gone > 0 {
		a.n = min(keyBurst, a.n+float64(gone)/float64(keyEvery))
	}
	a.at = now
	well := a.n >= 1
	if well {
		a.n--
	}
	k.left[id] = a
	return well
}

// paced refuses a program that asks too often.
func (d *Desk) paced(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c := login.CallerOf(r.Context()); c.Key.ID != "" && !d.keyed.take(c.Key.ID, d.o.Now()) {
			w.Header().Set("Retry-After", "1")
			answer.Refuse(w, http.StatusTooManyRequests, "too_fast", "This key asks too often. Wait a little, or follow the socket.")
			return
		}
		h.ServeHTTP(w, r)
	})
}
