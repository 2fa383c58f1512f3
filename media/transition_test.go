package media

import (
	"fmt"
	"testing"
	"time"

	"tandem/media/codec"
	"tandem/media/rtp"
)

// taken keeps every packet that a wire was given.
type taken struct {
	packets   []packet
	originals []string // of each; "" = none
}

func (k *taken) Send(b, original []byte) {
	if h, payload, err := rtp.Parse(b); err == nil {
		k.originals = append(k.originals, string(original))
		k.packets = append(k.packets, packet{Header: h, payload: append([]byte(nil), payload...)})
	}
}

// stage is a shard in simulated time whose streams are on wires. Each far end says one
// constant value, which is 1000 times a power of two, so that a sum tells who is in it.
type stage struct {
	*loopback
	ears []*taken
	opus bool // the far ends speak Opus
}

func newStage(t *testing.T, streams int) *stage {
	g := &stage{loopback: newLoopback(t, streams, func(int, *Params) {})}
	for _, s := range g.streams {
		k := &taken{}
		g.wire(s)
		s.wire = k
		g.ears = append(g.ears, k)
	}
	return g
}

// value is what the far end of a stream says, as G.711 has it.
func value(i int) byte { return codec.PCMU.Sample(int16(1000 << i)) }

// original is what a stream's far end says as Opus: here, who it is.
func original(i int) []byte { return []byte{'o', byte('0' + i)} }

// run lets time go on. The far ends speak at phases of their own.
func (g *stage) run(d time.Duration) {
	for end := g.at + d; g.at < end; {
		g.at += time.Millisecond
		step := int(g.at / time.Millisecond)
		for i, s := range g.streams {
			if step%20 != (7*i+3)%20 {
				continue
			}
			b := packetOf(step/20, 0, codec.FrameSamples)
			for k := range b[rtp.HeaderSize:] {
				b[rtp.HeaderSize+k] = value(i)
			}
			if g.opus {
				s.Deliver(b, original(i))
				continue
			}
			s.Deliver(b, nil)
		}
		g.turn(g.at)
		g.look(g.at)
	}
}

// gap is the longest time in which a stream's far end was not sent what another says, on
// the clock of its packets. The packets' numbers must go on without a break.
func (g *stage) gap(t *testing.T, to, from int) time.Duration {
	t.Helper()
	quiet, longest := 0, 0
	ps := g.ears[to].packets
	for i, p := range ps {
		if i > 0 {
			was := ps[i-1]
			step := int(int32(p.Time - was.Time))
			if p.SSRC != was.SSRC || p.Seq != was.Seq+1 || step <= 0 {
				t.Errorf("stream %d: %d %d %d after %d %d %d", to, p.SSRC, p.Seq, p.Time, was.SSRC, was.Seq, was.Time)
			}
			quiet += max(0, step-len(was.payload))
		}
		for _, b := range p.payload {
			if in := (int(codec.PCMU.Linear(b)) + 300) / 1000; in>>from&1 == 1 {
				quiet = 0
				continue
			}
			quiet++
			longest = max(longest, quiet)
		}
	}
	return time.Duration(longest) * time.Second / codec.Rate
}

// Two who talk are joined, mixed with a third, listened to, and joined again, at any
// phase of the clock: neither misses more than 100 ms of the other, and there is one stream of
// packets all the time.
func TestTransitionsHaveNoGap(t *testing.T) {
	for offset := range 20 {
		t.Run(fmt.Sprint(offset), func(t *testing.T) {
			g := newStage(t, 4)
			cu, ag, sp, su := g.streams[0], g.streams[1], g.streams[2], g.streams[3]
			hear := func(s *Stream, of ...*Stream) Hearing { return Hearing{Stream: s, Hears: of} }
			whisper := []Hearing{hear(cu, ag), hear(ag, cu, su), hear(su, cu, ag)}
			three := []Hearing{hear(cu, ag, sp), hear(ag, cu, sp), hear(sp, cu, ag)}
			if err := cu.join(ag); err != nil {
				t.Fatal(err)
			}
			g.run(200 * time.Millisecond)
			for _, k := range g.ears {
				k.packets = nil
			}
			each := 300*time.Millisecond + time.Duration(offset)*time.Millisecond
			g.run(each)
			exchange(g.shard, nil, whisper)
			g.run(each)
			exchange(g.shard, []*Stream{cu, ag, su}, three)
			g.run(each)
			exchange(g.shard, []*Stream{cu, ag, sp}, append(three, Hearing{Stream: su, Both: []*Stream{cu}}))
			g.run(each)
			exchange(g.shard, []*Stream{cu, ag, sp, su}, []Hearing{{Stream: su, Both: []*Stream{cu}}})
			if err := cu.join(ag); err != nil {
				t.Fatal(err)
			}
			g.run(each)
			a, b := g.gap(t, 0, 1), g.gap(t, 1, 0)
			if t.Logf("gaps of %v and %v", a, b); a > 100*time.Millisecond || b > 100*time.Millisecond {
				t.Error("more than 100 ms")
			}
		})
	}
}

// What mixing adds to the way of the sound: 40 ms at first, at least 20, and less than 40
// where packets come in time.
func TestDelayOfAMix(t *testing.T) {
	g := newStage(t, 4)
	for _, s := range g.streams[:2] {
		s.params.Recv = false // they are silent
	}
	exchange(g.shard, nil, []Hearing{{Stream: g.streams[0], Hears: []*Stream{g.streams[1], g.streams[2]}}})
	g.streams[2].params.Recv = false
	g.run(time.Second)
	g.streams[2].params.Recv = true
	g.ears[0].packets = nil
	began := g.at
	g.run(200 * time.Millisecond)
	first := time.Duration(-1)
	start := g.ears[0].packets[0].Time
	for _, p := range g.ears[0].packets {
		for i, b := range p.payload {
			if first < 0 && b == value(2) {
				first = time.Duration(int(p.Time-start)+i) * time.Second / codec.Rate
			}
		}
	}
	// the far end's first packet came 17 ms into a period; the first frame left 5 ms at most after began
	came := 17 * time.Millisecond
	if late := first - came; began%period != 0 || late < 20*time.Millisecond || late > 60*time.Millisecond {
		t.Errorf("%v late", late)
	}
}
