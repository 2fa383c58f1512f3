package gate

import (
	"net/netip"
	"sync"
	"time"
)

// sources counts what each address does: token buckets of its INVITEs and of its
// requests of any kind, and its open TCP connections. The table is bounded: when it
// is full, entries that are back to full buckets and hold no connection go first; if
// none is, a newcomer shares its buckets with all other newcomers.
type sources struct {
	limits Limits

	mu    sync.Mutex
	table map[netip.Addr]*source
	rest  source // newcomers while the table is full
	total bucket // requests over UDP
	conns int    // open TCP connections in all
	swept time.Time
}

type source struct {
	invites, requests bucket
	conns             int
}

// bucket holds tokens; the zero value fills up when it is first asked.
type bucket struct {
	tokens float64
	filled time.Time
}

func (b *bucket) fill(now time.Time, rate float64, burst int) float64 {
	if d := now.Sub(b.filled); d > 0 {
		b.tokens = min(float64(burst), b.tokens+d.Seconds()*rate)
		b.filled = now
	}
	return b.tokens
}

// take takes one token; false when there is none. A negative rate is no limit.
func (b *bucket) take(now time.Time, rate float64, burst int) bool {
	if rate < 0 {
		return true
	}
	if b.fill(now, rate, burst) < 1 {
		return false
	}
	b.tokens--
	return true
}

func newSources(l Limits) *sources {
	return &sources{limits: l, table: make(map[netip.Addr]*source)}
}

// Group joins the addresses one IPv6 subscriber commands: its /64. Whatever is counted
// for each source is counted for its group.
func Group(a netip.Addr) netip.Addr {
	if a.Is6() && !a.Is4In6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

func (s *sources) get(a netip.Addr, now time.Time) *source {
	a = Group(a)
	if e, ok := s.table[a]; ok {
		return e
	}
	if len(s.table) >= s.limits.Sources && now.Sub(s.swept) >= time.Second {
		s.swept = now
		for k, e := range s.table {
			if e.conns == 0 && s.rested(e, now) {
				delete(s.table, k)
			}
		}
	}
	if len(s.table) >= s.limits.Sources {
		return &s.rest
	}
	e := new(source)
	s.table[a] = e
	return e
}

// rested reports whether a source has done nothing of late.
func (s *sources) rested(e *source, now time.Time) bool {
	l := s.limits
	return (l.InvitesPerSecond < 0 || e.invites.fill(now, l.InvitesPerSecond, l.InviteBurst) >= float64(l.InviteBurst)) &&
		(l.RequestsPerSecond < 0 || e.requests.fill(now, l.RequestsPerSecond, l.RequestBurst) >= float64(l.RequestBurst))
}

// request lets one request in, or not: what the library answers it also remembers
// for half a minute, so that a flood would fill the memory.
func (s *sources) request(a netip.Addr, invite bool, now time.Time) bool {
	l := s.limits
	if l.InvitesPerSecond < 0 && l.RequestsPerSecond < 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.get(a, now)
	return e.requests.take(now, l.RequestsPerSecond, l.RequestBurst) &&
		(!invite || e.invites.take(now, l.InvitesPerSecond, l.InviteBurst))
}

// all lets one request over UDP in, or not, whoever it says it is from. One of a call
// that is up may draw what the others may not.
func (s *sources) all(inDialog bool, now time.Time) bool {
	l := s.limits
	s.mu.Lock()
	defer s.mu.Unlock()
	if l.AllRequestsPerSecond > 0 && !inDialog && s.total.fill(now, l.AllRequestsPerSecond, l.AllRequestBurst) < 1+float64(l.AllRequestBurst/4) {
		return false
	}
	return s.total.take(now, l.AllRequestsPerSecond, l.AllRequestBurst)
}

// connect lets one TCP connection in, or not.
func (s *sources) connect(a netip.Addr, now time.Time) (*source, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.limits.AllConnections > 0 && s.conns >= s.limits.AllConnections {
		return nil, false
	}
	e := s.get(a, now)
	if s.limits.Connections > 0 && e.conns >= s.limits.Connections {
		return nil, false
	}
	e.conns++
	s.conns++
	return e, true
}

func (s *sources) disconnect(e *source) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e.conns--
	s.conns--
}
