package rtp

import (
	"bytes"
	"crypto/rand"
	"errors"
	"testing"
	"time"
)

func TestPorts(t *testing.T) {
	now := time.Unix(1e9, 0)
	p, err := NewPorts(4001, 4010, rand.Reader) // pairs 4002, 4004, 4006, 4008
	if err != nil {
		t.Fatal(err)
	}
	seen := map[int]bool{}
	for range 4 {
		port, err := p.Take(now)
		if err != nil || port%2 != 0 || port < 4002 || port > 4008 || seen[port] {
			t.Fatalf("took %d, %v", port, err)
		}
		seen[port] = true
	}
	if _, err := p.Take(now); !errors.Is(err, ErrNoPorts) {
		t.Fatalf("a fifth: %v", err)
	}
	p.Release(4006, now)
	p.Release(4006, now.Add(time.Second)) // twice changes nothing
	p.Release(5000, now)                  // nor does one never taken
	if _, err := p.Take(now.Add(Drain - 1)); !errors.Is(err, ErrNoPorts) {
		t.Errorf("while draining: %v", err)
	}
	if port, err := p.Take(now.Add(Drain)); err != nil || port != 4006 {
		t.Errorf("after draining: %d, %v", port, err)
	}
}

func TestPortsRange(t *testing.T) {
	tests := []struct {
		first, last, pairs int
	}{
		{0, 0, (LastPort - FirstPort + 1) / 2}, {4000, 4001, 1}, {4001, 4003, 1}, {4000, 65535, 30768},
		{4000, 4000, 0}, {4001, 4002, 0}, {5000, 4000, 0}, {-4, 10, 0}, {65534, 65536, 0},
	}
	for _, tt := range tests {
		p, err := NewPorts(tt.first, tt.last, rand.Reader)
		if (err == nil) != (tt.pairs > 0) || err == nil && p.Pairs() != tt.pairs {
			t.Errorf("%d to %d: %v", tt.first, tt.last, err)
		}
	}
	p, err := NewPorts(0, 0, bytes.NewReader(nil))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Take(time.Now()); err == nil {
		t.Error("a port without randomness")
	}
}
