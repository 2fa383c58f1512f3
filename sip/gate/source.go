package gate

import (
	"net/netip"
	"sync"
	"time"
)

// sources counts what each address does: a token bucket of INVITEs and its open
// TCP connections. The table is bounded: when it is full, entries that are back to
// full buckets and hold no connection go first; if none is, a newcomer shares one
// bucket with all other newcomers.
type sources struct {
	limits Limits

	mu    sync.Mutex
	table map[netip.Addr]*source
	rest  source // newcomers while the table is full
	conns int    // open TCP connections in all
	swept time.Time
}

type source struct {
	tokens float64
	filled time.Time
	conns  int
}

func newSources(l Limits) *sources {
	return &sources{limits: l, table: make(map[netip.Addr]*source)}
}

// group joins the addresses one IPv6 subscriber commands: its /64.
func group(a netip.Addr) netip.Addr {
	if a.Is6() && !a.Is4In6() {
		if p, err := a.Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

func (s *sources) get(a netip.Addr, now time.Time) *source {
	a = group(a)
	if e, ok := s.table[a]; ok {
		return e
	}
	if len(s.table) >= s.limits.Sources && now.Sub(s.swept) >= time.Second {
		s.swept = now
		for k, e := range s.table {
			if e.conns == 0 && s.fill(e, now) >= float64(s.limits.InviteBurst) {
				delete(s.table, k)
			}
		}
	}
	if len(s.table) >= s.limits.Sources {
		return &s.rest
	}
	e := &source{tokens: float64(s.limits.InviteBurst), filled: now}
	s.table[a] = e
	return e
}

func (s *sources) fill(e *source, now time.Time) float64 {
	if d := now.Sub(e.filled); d > 0 {
		e.tokens = min(float64(s.limits.InviteBurst), e.tokens+d.Seconds()*s.limits.InvitesPerSecond)
		e.filled = now
	}
	return e.tokens
}

// invite takes one token; false when there is none.
func (s *sources) invite(a netip.Addr, now time.Time) bool {
	if s.limits.InvitesPerSecond < 0 {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.get(a, now)
	if s.fill(e, now) < 1 {
		return false
	}
	e.tokens--
	return true
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
