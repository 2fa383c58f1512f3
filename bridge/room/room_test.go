package room

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
	"tandem/media"
	"tandem/media/codec"
)

// tones are those of every that make up a fair share of what was heard.
func tones(pcm []int16, every []int) []int {
	const block = testkit.Rate / 50
	heard, blocks := map[int]int{}, 0
	for at := 0; at+block <= len(pcm); at += block {
		energy := 0.0
		for _, x := range pcm[at : at+block] {
			energy += float64(x) * float64(x)
		}
		blocks++
		if energy < 100*100*block {
			continue
		}
		for _, hz := range every {
			c := 2 * math.Cos(2*math.Pi*float64(hz)/testkit.Rate)
			var a, b float64
			for _, x := range pcm[at : at+block] {
				a, b = float64(x)+c*a-b, a
			}
			if (a*a+b*b-c*a*b)*2/block > 0.1*energy {
				heard[hz]++
			}
		}
	}
	maps.DeleteFunc(heard, func(_, n int) bool { return 2*n <= blocks })
	return slices.Sorted(maps.Keys(heard))
}

// stage is a room and who may be in it.
type stage struct {
	*Room
	t *testing.T
	p map[string]*party
}

const holdHz = 600

func newStage(t *testing.T) *stage {
	t.Helper()
	e := newEngine(t)
	s := &stage{t: t, p: map[string]*party{}, Room: New(e, []*media.Clip{media.Tone(holdHz, 1000)})}
	for i, name := range []string{"customer", "agent", "second", "lead"} {
		s.p[name] = newParty(t, e, 1000+150*i, codec.PCMU)
	}
	t.Cleanup(s.Close)
	return s
}

// set puts these into the room, written as "name role" with marks: held, muted, away, lent.
func (s *stage) set(who ...string) {
	s.t.Helper()
	var parties []Party
	for _, w := range who {
		var name, role, mark string
		_, _ = fmt.Sscan(w, &name, &role, &mark)
		parties = append(parties, Party{Stream: s.p[name].Stream, Part: Part{Role: tandem.Role(role), Held: mark == "held", Muted: mark == "muted", Away: mark == "away", Lent: mark == "lent"}})
	}
	if err := s.Set(parties); err != nil {
		s.t.Fatal(err)
	}
}

// hear waits until somebody hears just these, by name or "music"; silence without any.
func (s *stage) hear(who string, want ...string) {
	s.t.Helper()
	every, is := []int{holdHz}, []int{}
	for name, p := range s.p {
		every = append(every, p.hz)
		if slices.Contains(want, name) {
			is = append(is, p.hz)
		}
	}
	if slices.Contains(want, "music") {
		is = append(is, holdHz)
	}
	slices.Sort(is)
	var got []int
	for limit := time.Now().Add(patience); time.Now().Before(limit); {
		from := time.Now()
		s.p[who].phone.Wait(patience, from, func(ps []testkit.Packet) bool { return len(ps) >= 12 })
		if got = tones(testkit.Audio(s.p[who].phone.Packets(from)), every); slices.Equal(got, is) {
			return
		}
	}
	s.t.Fatalf("%s hears %v, want %v (%v)", who, got, want, is)
}

// direct reports whether two are sent each other's packets as they are.
func (s *stage) direct() bool {
	n := 0
	for _, p := range s.p {
		if p.Path().Direct {
			n++
		}
	}
	return n == 2
}

// TestRoom goes through a call of everything: two, on hold, three, somebody who listens,
// whispers and barges in.
func TestRoom(t *testing.T) {
	s := newStage(t)
	s.set("customer customer", "agent agent")
	s.hear("customer", "agent")
	s.hear("agent", "customer")
	if !s.direct() {
		t.Error("two are not joined directly")
	}
	s.set("customer customer", "agent agent", "lead listener")
	s.hear("lead", "agent", "customer")
	s.hear("customer", "agent")
	if !s.direct() {
		t.Error("who listens changes the pair")
	}
	s.set("customer customer", "agent agent", "lead whisperer")
	s.hear("agent", "customer", "lead")
	s.hear("customer", "agent")
	s.hear("lead", "agent", "customer")
	s.set("customer customer", "agent agent", "lead agent")
	s.hear("customer", "agent", "lead")
	s.set("customer customer held", "agent agent", "second specialist")
	s.hear("customer", "music")
	s.hear("agent", "second")
	s.hear("second", "agent")
	s.set("customer customer", "agent agent", "second specialist held")
	s.hear("customer", "agent")
	s.hear("second", "music")
	s.set("customer customer", "agent agent", "second specialist")
	s.hear("customer", "agent", "second")
	s.hear("second", "agent", "customer")
	s.set("customer customer", "agent agent muted", "second specialist")
	s.hear("customer", "second")
	s.set("customer customer", "second agent")
	s.hear("customer", "second")
	s.hear("agent")
	if !s.direct() {
		t.Error("two who are left are not joined directly")
	}
	s.set("customer customer", "second agent away")
	s.hear("customer", "music")
	s.Close()
	s.Close()
	s.hear("customer")
	s.set("customer customer", "agent agent") // too late: changes nothing
	s.hear("customer")
}

// TestLent: who is lent hears what somebody else plays, and the agent hears both.
func TestLent(t *testing.T) {
	s := newStage(t)
	s.set("customer customer", "agent agent")
	s.hear("agent", "customer")
	s.set("customer customer lent", "agent agent", "lead listener")
	if err := s.p["customer"].Play(media.Item{ID: 1, Clips: []*media.Clip{media.Tone(float64(s.p["second"].hz), 1000)}, Loop: true}); err != nil {
		t.Fatal(err)
	}
	s.hear("customer", "second") // its tone, as if a prompt
	s.hear("agent", "customer", "second")
	s.hear("lead", "customer", "second", "agent")
	s.p["customer"].Hush(true)
	s.hear("agent", "second")
	s.p["customer"].Hush(false)
	s.p["customer"].Stop(1)
	s.set("customer customer", "agent agent")
	s.hear("customer", "agent")
}

// TestNoGap: whoever is joined by a third, or left by them, hears on without a break that
// can be heard, and packets go on in their numbers. A phone of the test that a busy machine
// has not let speak is no break of ours: it has five tries.
func TestNoGap(t *testing.T) {
	s := newStage(t)
	two := []string{"customer customer", "agent agent"}
	s.set(two...)
	s.hear("customer", "agent")
	var missing time.Duration
	var heard string
	for range 5 {
		from := time.Now()
		for range 3 {
			s.set("customer customer", "agent agent", "lead whisperer")
			s.hear("agent", "customer", "lead")
			s.set("customer customer", "agent agent", "lead listener")
			s.hear("lead", "customer", "agent")
			s.set(two...)
			s.hear("agent", "customer")
		}
		packets := s.p["customer"].phone.Packets(from)
		for i := 1; i < len(packets); i++ {
			if packets[i].Seq != packets[i-1].Seq+1 {
				t.Fatalf("packet %d after %d", packets[i].Seq, packets[i-1].Seq)
			}
		}
		spans := testkit.Transcript(testkit.Audio(packets), s.p["agent"].hz)
		missing, heard = 0, testkit.Describe(spans)
		for _, span := range spans {
			if span.Hz != s.p["agent"].hz {
				missing += span.For
			}
		}
		if missing <= 100*time.Millisecond {
			return
		}
	}
	t.Errorf("in nine changes the customer missed %v: %s", missing, heard)
}

// A stream that has ended is said so, and the others hear on.
func TestAStreamThatHasEnded(t *testing.T) {
	s := newStage(t)
	s.set("customer customer", "agent agent", "second specialist")
	s.hear("customer", "agent", "second")
	s.p["second"].Close()
	s.set("customer customer", "agent agent")
	s.hear("customer", "agent")
	if err := s.Set([]Party{{Stream: s.p["customer"].Stream, Part: Part{Role: tandem.RoleCustomer}}, {Stream: s.p["second"].Stream, Part: Part{Role: tandem.RoleAgent}}}); err == nil {
		t.Error("joining a stream that has ended is no error")
	}
}
