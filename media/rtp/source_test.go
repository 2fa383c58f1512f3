package rtp

import (
	"net/netip"
	"testing"
	"time"
)

func TestSource(t *testing.T) {
	phone, nat, stranger := netip.MustParseAddrPort("192.0.2.1:4000"), netip.MustParseAddrPort("198.51.100.7:31000"), netip.MustParseAddrPort("203.0.113.9:5004")
	natAgain := netip.MustParseAddrPort("198.51.100.7:31002")
	start := time.Unix(1e9, 0)
	type from struct {
		addr  netip.AddrPort
		ssrc  uint32
		seq   uint16
		count int // packets, one each 20 ms
		at    int // ms of the first
	}
	tests := []struct {
		name   string
		host   netip.Addr
		came   []from
		locked netip.AddrPort
	}{
		{"the announced address at once", netip.Addr{}, []from{{phone, 1, 1, 1, 100}}, phone},
		{"the announced address late", netip.Addr{}, []from{{phone, 1, 1, 1, 60000}}, phone},
		{"behind a NAT", netip.Addr{}, []from{{nat, 1, 1, 30, 100}}, nat},
		{"a few packets are not enough", netip.Addr{}, []from{{nat, 1, 1, 10, 100}}, netip.AddrPort{}},
		{"a spray without sequence", netip.Addr{}, []from{{stranger, 1, 1, 1, 0}, {stranger, 1, 900, 1, 20}, {stranger, 1, 77, 1, 40}, {stranger, 1, 4000, 1, 900}}, netip.AddrPort{}},
		{"a stranger before the phone", netip.Addr{}, []from{{stranger, 1, 1, 15, 0}, {phone, 2, 1, 1, 310}, {stranger, 1, 16, 500, 320}}, phone},
		{"a stranger after the phone", netip.Addr{}, []from{{phone, 2, 1, 1, 10}, {stranger, 1, 1, 500, 20}}, phone},
		{"after the window", netip.Addr{}, []from{{nat, 1, 1, 100, 5100}}, netip.AddrPort{}},
		{"a stranger where signalling's host is known", nat.Addr(), []from{{stranger, 1, 1, 100, 0}}, netip.AddrPort{}},
		{"signalling's host at once", nat.Addr(), []from{{nat, 2, 1, 2, 0}}, nat},
		{"one packet of signalling's host", nat.Addr(), []from{{nat, 2, 1, 1, 0}}, netip.AddrPort{}},
		{"signalling's host among strangers", nat.Addr(), []from{{stranger, 1, 1, 100, 0}, {nat, 2, 1, 30, 2000}}, nat},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var s Source
			s.Set(phone, tt.host, start)
			for _, f := range tt.came {
				for i := range f.count {
					at := start.Add(time.Duration(f.at+20*i) * time.Millisecond)
					ok := s.Accept(f.addr, Header{SSRC: f.ssrc, Seq: f.seq + uint16(i)}, at)
					if ok != (s.Locked() == f.addr) {
						t.Fatalf("packet %d from %v: %v, locked on %v", i, f.addr, ok, s.Locked())
					}
				}
			}
			if s.Locked() != tt.locked {
				t.Errorf("locked on %v, not %v", s.Locked(), tt.locked)
			}
		})
	}
	t.Run("again", func(t *testing.T) {
		var s Source
		s.Set(phone, netip.Addr{}, start)
		s.Accept(phone, Header{}, start)
		s.Set(phone, netip.Addr{}, start.Add(time.Minute))
		if s.Locked() != phone {
			t.Error("the same address again must not unlock")
		}
		s.Set(nat, netip.Addr{}, start.Add(time.Minute))
		if s.Locked().IsValid() || !s.Accept(nat, Header{}, start.Add(time.Minute)) {
			t.Error("a new address must be learned")
		}
		s.Silent(start.Add(2 * time.Minute))
		for i := range 100 {
			at := start.Add(2*time.Minute + time.Duration(i)*20*time.Millisecond)
			if s.Accept(stranger, Header{Seq: uint16(i)}, at) {
				t.Fatal("a stranger was learned after silence")
			}
			if s.Accept(natAgain, Header{Seq: uint16(i)}, at); s.Locked() == natAgain {
				return
			}
		}
		t.Error("the new port of the same host was not learned")
	})
	t.Run("back after a long silence", func(t *testing.T) {
		var s Source
		s.Set(phone, nat.Addr(), start)
		s.Accept(nat, Header{Seq: 1}, start)
		s.Accept(nat, Header{Seq: 2}, start)
		s.Silent(start.Add(ProvenSilence))
		late := start.Add(ProvenSilence + 2*learnWindow)
		if s.Accept(natAgain, Header{Seq: 3}, late) || s.Accept(stranger, Header{Seq: 3}, late) {
			t.Error("another source was learned after the window")
		}
		if !s.Accept(nat, Header{Seq: 3}, late) {
			t.Error("the source heard before is not heard again")
		}
	})
}
