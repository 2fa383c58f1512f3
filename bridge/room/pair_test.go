package room

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem/internal/testkit"
	"tandem/media"
	"tandem/media/codec"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patience = 10 * time.Second
	steady   = 200 * time.Millisecond // of a tone before it counts
	musicHz  = 620
)

// party is a stream and the phone at its other end, which says one tone for ever.
type party struct {
	*media.Stream
	phone *testkit.RTP
	hz    int
}

func newParty(t *testing.T, e *media.Engine, hz int, law codec.Law) *party {
	t.Helper()
	s, err := e.Open()
	if err != nil {
		t.Fatal(err)
	}
	p := &party{s, testkit.NewRTP(t), hz}
	s.Set(media.Params{Remote: p.phone.Addr(), Law: law, Payload: law.Payload(), Event: 101, Send: true, Recv: true})
	p.phone.Talk(testkit.Tone(float64(hz), time.Second))
	p.phone.Aim(testkit.Loopback(s.Port()))
	return p
}

// hears waits until the party's phone hears a tone from now on.
func (p *party) hears(t *testing.T, hz int) {
	t.Helper()
	p.phone.Hear(patience, time.Now(), hz, steady)
}

func newEngine(t *testing.T) *media.Engine {
	t.Helper()
	e, err := media.NewEngine(media.Config{Address: netip.AddrFrom4([4]byte{127, 0, 0, 1}), Shards: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// two is a pair of parties who talk.
func two(t *testing.T) (*Pair, *party, *party) {
	t.Helper()
	e := newEngine(t)
	a, b := newParty(t, e, 440, codec.PCMU), newParty(t, e, 1000, codec.PCMU)
	p, err := NewPair(a.Stream, b.Stream, []*media.Clip{media.Tone(musicHz, 1000)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Part)
	return p, a, b
}

func hold(t *testing.T, p *Pair, who *party, on bool) {
	t.Helper()
	if err := p.Hold(who.Stream, on); err != nil {
		t.Fatal(err)
	}
}

func TestPairHearsEachOther(t *testing.T) {
	_, a, b := two(t)
	a.hears(t, b.hz)
	b.hears(t, a.hz)
}

// Whoever holds, the other hears music and not them; afterwards they talk again.
func TestHold(t *testing.T) {
	for _, side := range []string{"first", "second"} {
		t.Run(side, func(t *testing.T) {
			p, a, b := two(t)
			if side == "second" {
				a, b = b, a
			}
			b.hears(t, a.hz)
			hold(t, p, a, true)
			hold(t, p, a, true) // told twice
			b.hears(t, musicHz)
			from := time.Now()
			b.hears(t, musicHz)
			spans := testkit.Transcript(testkit.Audio(b.phone.Packets(from)), 440, 1000, musicHz)
			if testkit.ToneTime(spans, a.hz) > 0 {
				t.Errorf("the held party heard %s", testkit.Describe(spans))
			}
			from = time.Now()
			a.phone.Wait(patience, from, func(ps []testkit.Packet) bool { return len(ps) >= 20 })
			spans = testkit.Transcript(testkit.Audio(a.phone.Packets(from)), 440, 1000, musicHz)
			if testkit.ToneTime(spans, b.hz)+testkit.ToneTime(spans, musicHz) > 0 {
				t.Errorf("the holding party heard %s", testkit.Describe(spans))
			}
			hold(t, p, a, false)
			a.hears(t, b.hz)
			b.hears(t, a.hz)
		})
	}
}

func TestBothHold(t *testing.T) {
	p, a, b := two(t)
	hold(t, p, a, true)
	b.hears(t, musicHz)
	hold(t, p, b, true) // nobody listens: no music
	from := time.Now()
	for _, x := range []*party{a, b} {
		x.phone.Wait(patience, from, func(ps []testkit.Packet) bool { return len(ps) >= 20 })
		spans := testkit.Transcript(testkit.Audio(x.phone.Packets(from.Add(100*time.Millisecond))), 440, 1000, musicHz)
		if len(spans) != 1 || spans[0].Hz != 0 {
			t.Errorf("heard %s", testkit.Describe(spans))
		}
	}
	hold(t, p, a, false)
	a.hears(t, musicHz) // b still holds
	hold(t, p, b, false)
	a.hears(t, b.hz)
	b.hears(t, a.hz)
}

// After the parting each goes on alone, with its own prompts and no music.
func TestPart(t *testing.T) {
	for _, held := range []bool{false, true} {
		p, a, b := two(t)
		b.hears(t, a.hz)
		if held {
			hold(t, p, a, true)
			b.hears(t, musicHz)
		}
		p.Part()
		p.Part()
		hold(t, p, a, !held) // too late: changes nothing
		if err := b.Play(media.Item{ID: 1, Clips: []*media.Clip{media.Tone(1500, 2000)}}); err != nil {
			t.Fatal(err)
		}
		b.hears(t, 1500)
		again, err := NewPair(b.Stream, a.Stream, nil)
		if err != nil {
			t.Fatalf("joining them again: %v", err)
		}
		a.hears(t, b.hz)
		hold(t, again, b, true) // there is no music: silence
		a.hears(t, 0)
		again.Part()
	}
}

func TestPairOfOneThatCannotBeJoined(t *testing.T) {
	p, a, b := two(t)
	if _, err := NewPair(a.Stream, b.Stream, nil); err == nil || !strings.Contains(err.Error(), "joining two legs") {
		t.Errorf("joining twice: %v", err)
	}
	b.Close()
	hold(t, p, a, false) // nothing to change
	if err := p.Hold(a.Stream, true); err == nil {
		t.Error("music on a closed stream is no error")
	}
	p.Part()
}

// Keys go to the other party; laws that differ are no hindrance.
func TestKeysAndLawsAcross(t *testing.T) {
	e := newEngine(t)
	a, b := newParty(t, e, 440, codec.PCMU), newParty(t, e, 1000, codec.PCMA)
	p, err := NewPair(a.Stream, b.Stream, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Part()
	b.hears(t, a.hz)
	from := time.Now()
	a.phone.Type("12")
	if !b.phone.Wait(patience, from, func(ps []testkit.Packet) bool { return testkit.Digits(ps) == "12" }) {
		t.Errorf("keys across: %q", testkit.Digits(b.phone.Packets(from)))
	}
	for _, x := range b.phone.Packets(from) {
		if x.Type != 8 && x.Type != 101 {
			t.Fatalf("payload type %d", x.Type)
		}
	}
}
