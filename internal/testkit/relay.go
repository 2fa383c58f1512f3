package testkit

import (
	"errors"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
)

// Faults is what a relay does to packets, each as a probability from 0 to 1. The
// same seed gives the same fate to the same packet number of each direction.
type Faults struct {
	Seed      uint64
	Loss      float64 // this packet is dropped
	Burst     float64 // this one and the next BurstLen-1 are dropped
	BurstLen  int
	Reorder   float64 // this packet is sent after the next one
	Duplicate float64 // this packet is sent twice
}

// Relay passes UDP between two ends, with faults. It has a port on each side: what
// comes in on the near port leaves from the far port to the far end, and back.
// Both ends see one fixed address. Two goroutines, ended with the test.
type Relay struct {
	near, far *net.UDPConn
	nearEnd   atomic.Pointer[netip.AddrPort]
	farEnd    atomic.Pointer[netip.AddrPort]
	dropped   atomic.Int64
	passed    atomic.Int64
}

// NewRelay opens a relay for the near end's RTP: it tells the far end FarPort as its
// own, sends to Near, and names the far end by To.
func NewRelay(t testing.TB, nearEnd netip.AddrPort, f Faults) *Relay {
	t.Helper()
	open := func() *net.UDPConn {
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	r := &Relay{near: open(), far: open()}
	r.nearEnd.Store(&nearEnd)
	var running sync.WaitGroup
	running.Go(func() { r.pass(r.near, r.far, &r.farEnd, newFate(f, 1)) })
	running.Go(func() { r.pass(r.far, r.near, &r.nearEnd, newFate(f, 2)) })
	t.Cleanup(func() {
		r.near.Close()
		r.far.Close()
		running.Wait()
	})
	return r
}

// Near is where the near end sends.
func (r *Relay) Near() netip.AddrPort { return r.near.LocalAddr().(*net.UDPAddr).AddrPort() }

// FarPort is the port that the far end sends to, for the near end's SDP.
func (r *Relay) FarPort() int { return r.far.LocalAddr().(*net.UDPAddr).Port }

// To names the far end; before, what comes from the near end is dropped.
func (r *Relay) To(far netip.AddrPort) { r.farEnd.Store(&far) }

// Counts tells how many packets were passed and dropped, both directions together.
func (r *Relay) Counts() (passed, dropped int64) { return r.passed.Load(), r.dropped.Load() }

func (r *Relay) pass(in, out *net.UDPConn, to *atomic.Pointer[netip.AddrPort], f *fate) {
	buf := make([]byte, 2048)
	var held []byte
	for {
		n, err := in.Read(buf)
		if err != nil {
			if !errors.Is(err, net.ErrClosed) {
				continue // a refusal from an end that is not there yet
			}
			return
		}
		end := to.Load()
		drop, twice, hold := f.next()
		if end == nil || drop {
			r.dropped.Add(1)
			continue
		}
		send := func(b []byte) {
			r.passed.Add(1)
			_, _ = out.WriteToUDPAddrPort(b, *end)
		}
		if hold && held == nil {
			held = append([]byte(nil), buf[:n]...)
			continue
		}
		send(buf[:n])
		if twice {
			send(buf[:n])
		}
		if held != nil {
			send(held)
			held = nil
		}
	}
}

// fate draws what happens to each packet of one direction.
type fate struct {
	Faults
	random *rand.Rand
	burst  int // packets still to be lost
}

func newFate(f Faults, direction uint64) *fate {
	return &fate{Faults: f, random: rand.New(rand.NewPCG(f.Seed, direction))}
}

func (f *fate) next() (drop, twice, hold bool) {
	// Always four draws, so that one probability does not shift the others' fate.
	loss, burst, again, late := f.random.Float64(), f.random.Float64(), f.random.Float64(), f.random.Float64()
	if f.burst == 0 && burst < f.Burst {
		f.burst = f.BurstLen
	}
	if f.burst > 0 {
		f.burst--
		return true, false, false
	}
	return loss < f.Loss, again < f.Duplicate, late < f.Reorder
}
