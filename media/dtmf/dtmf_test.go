package dtmf

import (
	"math/rand/v2"
	"testing"
	"time"
)

// wire is one telephone-event packet under way.
type wire struct {
	ssrc uint32
	Packet
}

// keyed is what a phone sends for these keys, 100 ms each.
func keyed(digits string, ssrc, at uint32, ms int) (packets []wire, ticks []int) {
	var s Sender
	for _, d := range []byte(digits) {
		s.Press(d, ms)
	}
	for tick := 0; s.Busy(); tick++ {
		if p, ok := s.Next(at + uint32(tick*frame)); ok {
			packets, ticks = append(packets, wire{ssrc, p}), append(ticks, tick)
		}
	}
	return packets, ticks
}

func hear(r *Receiver, packets []wire) string {
	var got []byte
	for _, p := range packets {
		if d, fresh := r.Note(p.ssrc, p.Time, p.Marker, p.Event); fresh {
			got = append(got, d)
		}
	}
	return string(got)
}

func TestSender(t *testing.T) {
	packets, ticks := keyed("5", 1, 1000, 100)
	if len(packets) != 5+2 {
		t.Fatalf("%d packets", len(packets))
	}
	for i, p := range packets {
		want := Packet{Event{Code: 5, Volume: volume, Duration: uint16(min(i+1, 5) * frame), End: i >= 4}, 1000, i == 0}
		if p.Packet != want || ticks[i] != i {
			t.Errorf("packet %d at %d: %+v, not %+v", i, ticks[i], p.Packet, want)
		}
	}
}

func TestSenderPausesBetweenKeys(t *testing.T) {
	packets, ticks := keyed("55", 1, 0, 40)
	ends, starts := 0, 0
	last := 0
	for i, p := range packets {
		if p.Event.End {
			ends++
		}
		if p.Marker {
			starts++
			if pause := ticks[i] - last; i > 0 && pause < gapFrames {
				t.Errorf("pause of %d frames", pause)
			}
		}
		last = ticks[i]
	}
	if ends != 2*3 || starts != 2 {
		t.Errorf("%d ends, %d starts", ends, starts)
	}
	var s Sender
	if s.Press('x', 100) {
		t.Error("x is no key")
	}
	for i := range maxQueue + 1 {
		if ok := s.Press('1', 100); ok != (i < maxQueue) {
			t.Errorf("press %d: %v", i, ok)
		}
	}
}

// A press of 10 s is longer than a packet can tell: RFC 4733 section 2.5.1.3.
func TestLongPress(t *testing.T) {
	packets, _ := keyed("9", 1, 4294900000, 10000)
	var r Receiver
	if got := hear(&r, packets); got != "9" {
		t.Errorf("heard %q", got)
	}
	if first, last := packets[0], packets[len(packets)-1]; last.Time-first.Time != segment || last.Event.Duration != 80000-segment || !last.Event.End {
		t.Errorf("last packet %+v, first %+v", last, first)
	}
	for i, p := range packets[1:] {
		if p.Marker {
			t.Errorf("packet %d has a marker", i+1)
		}
	}
}

func TestReceiver(t *testing.T) {
	one, _ := keyed("1", 1, 1000, 100)
	oneEarlier, _ := keyed("7", 1, 400, 100)
	again, _ := keyed("1", 1, 3000, 100)
	other, _ := keyed("1", 2, 1000, 100)
	flash := []wire{{1, Packet{Event: Event{Code: 16, Duration: 160}, Time: 9000}}}
	join := func(parts ...[]wire) (all []wire) {
		for _, p := range parts {
			all = append(all, p...)
		}
		return all
	}
	tests := []struct {
		name    string
		packets []wire
		want    string
	}{
		{"whole", one, "1"},
		{"only the start", one[:1], "1"},
		{"only an update", one[2:3], "1"},
		{"only the last end", one[len(one)-1:], "1"},
		{"three ends", one[4:], "1"},
		{"twice the same packets", join(one, one), "1"},
		{"end lost, same key again", join(one[:4], again), "11"},
		{"all but the ends lost, same key again", join(one[4:], again[4:]), "11"},
		{"late duplicate after the next key", join(one, again, one[5:]), "11"},
		{"reordered within the key", join(one[4:], one[:4]), "1"},
		{"a key wholly late", join(one, oneEarlier), "1"},
		{"another SSRC at the same time", join(one, other), "11"},
		{"a code that is no key", flash, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var r Receiver
			if got := hear(&r, tt.packets); got != tt.want {
				t.Errorf("heard %q, not %q", got, tt.want)
			}
		})
	}
}

// Keys through random loss, doubling and disorder: the shares that the product holds.
func TestLoss(t *testing.T) {
	const calls, digits = 1000, "190*#"
	for _, tt := range []struct{ loss, share float64 }{{0.05, 1}, {0.10, 0.999}, {0.20, 0.995}} {
		rnd := rand.New(rand.NewPCG(4733, uint64(tt.loss*100)))
		heard, invented := 0, 0
		for call := range calls {
			packets, _ := keyed(digits, uint32(call), rnd.Uint32(), 60+rnd.IntN(100))
			var arrived []wire
			for _, p := range packets {
				if rnd.Float64() < tt.loss {
					continue
				}
				arrived = append(arrived, p)
				if rnd.Float64() < 0.02 {
					arrived = append(arrived, p)
				}
			}
			for i := range len(arrived) - 1 {
				if rnd.Float64() < 0.02 && arrived[i].Time == arrived[i+1].Time {
					arrived[i], arrived[i+1] = arrived[i+1], arrived[i]
				}
			}
			var r Receiver
			got, at := hear(&r, arrived), 0
			for _, d := range []byte(got) {
				for at < len(digits) && digits[at] != d {
					at++
				}
				if at == len(digits) {
					invented++
					continue
				}
				heard++
				at++
			}
		}
		share := float64(heard) / float64(calls*len(digits))
		if share < tt.share || invented != 0 {
			t.Errorf("at %.0f %% loss: %.4f of the keys heard, %d invented", 100*tt.loss, share, invented)
		}
	}
}

// A burst of 100 ms takes one key at most.
func TestBurst(t *testing.T) {
	const digits = "123456"
	packets, ticks := keyed(digits, 1, 77, 100)
	for start := range ticks[len(ticks)-1] {
		var arrived []wire
		for i, p := range packets {
			if ticks[i] < start || ticks[i] >= start+5 {
				arrived = append(arrived, p)
			}
		}
		var r Receiver
		if got := hear(&r, arrived); len(got) < len(digits)-1 || len(got) > len(digits) {
			t.Errorf("burst at %d: heard %q", start, got)
		}
	}
}

func TestMerger(t *testing.T) {
	start := time.Unix(1e9, 0)
	type came struct {
		digit byte
		via   Via
		ms    int
		fresh bool
	}
	tests := []struct {
		name string
		came []came
	}{
		{"one way only", []came{{'5', ViaEvent, 0, true}, {'5', ViaEvent, 200, true}}},
		{"both ways", []came{{'5', ViaEvent, 0, true}, {'5', ViaInfo, 150, false}}},
		{"both ways, INFO first", []came{{'5', ViaInfo, 0, true}, {'5', ViaEvent, 30, false}}},
		{"all three ways", []came{{'5', ViaInfo, 0, true}, {'5', ViaEvent, 30, false}, {'5', ViaTone, 60, false}}},
		{"twice by both ways, INFO behind", []came{{'5', ViaEvent, 0, true}, {'5', ViaEvent, 300, true}, {'5', ViaInfo, 400, false}, {'5', ViaInfo, 700, false}}},
		{"twice by both ways, in turn", []came{{'5', ViaEvent, 0, true}, {'5', ViaInfo, 100, false}, {'5', ViaEvent, 300, true}, {'5', ViaInfo, 400, false}}},
		{"different keys", []came{{'5', ViaEvent, 0, true}, {'6', ViaInfo, 100, true}}},
		{"long after", []came{{'5', ViaEvent, 0, true}, {'5', ViaInfo, 2500, true}}},
		{"an unknown way", []came{{'5', 9, 0, false}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var m Merger
			for i, c := range tt.came {
				if fresh := m.Accept(c.digit, c.via, start.Add(time.Duration(c.ms)*time.Millisecond)); fresh != c.fresh {
					t.Errorf("key %d: fresh %v", i, fresh)
				}
			}
		})
	}
}

func TestCodes(t *testing.T) {
	for i, want := range []byte("0123456789*#ABCD") {
		if d, ok := Key(uint8(i)); !ok || d != want {
			t.Errorf("code %d is %c", i, d)
		}
		if c, ok := Code(want); !ok || int(c) != i {
			t.Errorf("key %c is %d", want, c)
		}
	}
	if c, ok := Code('b'); !ok || c != 13 {
		t.Errorf("key b is %d", c)
	}
	if _, ok := Key(16); ok {
		t.Error("flash is no key")
	}
}

func TestReceiverDoesNotAllocate(t *testing.T) {
	var r Receiver
	var s Sender
	var ts uint32
	if n := testing.AllocsPerRun(100, func() {
		s.Press('1', 40)
		for s.Busy() {
			if p, ok := s.Next(ts); ok {
				r.Note(1, p.Time, p.Marker, p.Event)
			}
			ts += frame
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzEvent(f *testing.F) {
	f.Add([]byte{5, 0x8a, 3, 0x20}, uint32(1000), true)
	f.Add([]byte{16, 0, 0}, uint32(0), false)
	f.Add([]byte{0, 0x3f, 0xff, 0xff, 1, 2, 3, 4}, uint32(4294967295), false)
	f.Fuzz(func(t *testing.T, b []byte, ts uint32, marker bool) {
		e, err := ParseEvent(b)
		if err != nil {
			if len(b) >= EventSize {
				t.Fatalf("%v of %d bytes", err, len(b))
			}
			return
		}
		var again [EventSize]byte
		e.Put(again[:])
		if back, err := ParseEvent(again[:]); err != nil || back != e {
			t.Fatalf("%+v became %+v, %v", e, back, err)
		}
		var r Receiver
		first, fresh := r.Note(1, ts, marker, e)
		if _, ok := Key(e.Code); ok != fresh {
			t.Fatalf("code %d: %c, %v", e.Code, first, fresh)
		}
		if _, twice := r.Note(1, ts, marker, e); twice {
			t.Fatal("counted twice")
		}
	})
}
