package rtp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"
)

// Drain is how long a released port is not used again, so that late packets of
// the old call do not reach a new one.
const Drain = 5 * time.Second

// ErrNoPorts tells that every port of the range is in use or draining.
var ErrNoPorts = errors.New("rtp: no free ports")

// Default port range when none is configured: above the registered services and
// below where Linux takes the ports of outgoing connections from.
const (
	FirstPort = 10000
	LastPort  = 32767
)

// Ports hands out pairs of ports at random (RFC 3550 section 11): the even one
// for RTP, the next one for RTCP. Random ports make a call's port hard to guess.
type Ports struct {
	random io.Reader
	first  int // even
	pairs  int

	mu       sync.Mutex
	used     map[int]bool
	draining map[int]time.Time // until when
}

// NewPorts makes a pool of the pairs within first and last, both included;
// 0, 0 is the default range.
func NewPorts(first, last int, random io.Reader) (*Ports, error) {
	if first == 0 && last == 0 {
		first, last = FirstPort, LastPort
	}
	first += first & 1
	pairs := (last - first + 1) / 2
	if first < 1 || last > 65535 || pairs < 1 {
		return nil, fmt.Errorf("ports %d to %d hold no even port with the next one", first, last)
	}
	return &Ports{random: random, first: first, pairs: pairs, used: map[int]bool{}, draining: map[int]time.Time{}}, nil
}

// Take reserves a pair and returns its even port, or ErrNoPorts.
func (p *Ports) Take(now time.Time) (int, error) {
	var b [4]byte
	if _, err := io.ReadFull(p.random, b[:]); err != nil {
		return 0, fmt.Errorf("choosing a port: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	start := int(binary.BigEndian.Uint32(b[:]) % uint32(p.pairs))
	for i := range p.pairs {
		port := p.first + 2*((start+i)%p.pairs)
		if p.used[port] {
			continue
		}
		if until, ok := p.draining[port]; ok {
			if now.Before(until) {
				continue
			}
			delete(p.draining, port)
		}
		p.used[port] = true
		return port, nil
	}
	return 0, ErrNoPorts
}

// Release gives a pair back; it drains first.
func (p *Ports) Release(port int, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.used[port] {
		delete(p.used, port)
		p.draining[port] = now.Add(Drain)
	}
}

// Pairs is the number of pairs in the range.
func (p *Ports) Pairs() int { return p.pairs }
