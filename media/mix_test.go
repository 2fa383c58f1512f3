package media_test

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
	"time"

	"tandem/internal/testkit"
	"tandem/media"
	"tandem/media/codec"
)

// cast are the people of these tests: a customer on a phone, an agent in a browser, a
// specialist on a phone of the other law, a supervisor in a browser.
type cast struct {
	engine                                  *media.Engine
	mix                                     *media.Mix
	customer, agent, specialist, supervisor *who
}

func newCast(t *testing.T) *cast {
	t.Helper()
	e := engine(t, 2) // the parties begin on both shards
	c := &cast{engine: e, mix: media.NewMix(e),
		customer: onPhone(t, e, 400, codec.PCMU), agent: onWire(t, e, 600),
		specialist: onPhone(t, e, 900, codec.PCMA), supervisor: onWire(t, e, 1300)}
	t.Cleanup(c.mix.Close)
	return c
}

func streams(list ...*who) (all []*media.Stream) {
	for _, w := range list {
		all = append(all, w.Stream)
	}
	return all
}

// hearing says whom somebody hears.
func hearing(w *who, hears ...*who) media.Hearing {
	return media.Hearing{Stream: w.Stream, Hears: streams(hears...)}
}

func (c *cast) set(t *testing.T, h ...media.Hearing) {
	t.Helper()
	if err := c.mix.Set(h); err != nil {
		t.Fatal(err)
	}
}

func join(t *testing.T, a, b *who) (part func()) {
	t.Helper()
	part, err := media.Join(a.Stream, b.Stream)
	if err != nil {
		t.Fatal(err)
	}
	return part
}

func play(t *testing.T, w *who, hz float64) {
	t.Helper()
	if err := w.Play(media.Item{ID: 1, Clips: []*media.Clip{media.Tone(hz, 1000)}, Loop: true}); err != nil {
		t.Fatal(err)
	}
}

// Who hears whom, in everything that one call may become, one after the other.
func TestWhoHearsWhom(t *testing.T) {
	c := newCast(t)
	cu, ag, sp, su := c.customer, c.agent, c.specialist, c.supervisor
	play(t, cu, music)
	both := func(w *who, of ...*who) media.Hearing {
		return media.Hearing{Stream: w.Stream, Both: streams(of...)}
	}
	for _, tt := range []struct {
		name string
		set  []media.Hearing
		want map[*who][]int
	}{
		{"two", []media.Hearing{hearing(cu, ag), hearing(ag, cu)},
			map[*who][]int{cu: {600}, ag: {400}, su: {}}},
		{"consult, the customer held", []media.Hearing{hearing(cu), hearing(ag, sp), hearing(sp, ag)},
			map[*who][]int{cu: {music}, ag: {900}, sp: {600}}},
		{"three", []media.Hearing{hearing(cu, ag, sp), hearing(ag, cu, sp), hearing(sp, cu, ag)},
			map[*who][]int{cu: {600, 900}, ag: {400, 900}, sp: {400, 600}}},
		{"three, the agent muted", []media.Hearing{hearing(cu, sp), hearing(ag, cu, sp), hearing(sp, cu)},
			map[*who][]int{cu: {900}, ag: {400, 900}, sp: {400}}},
		{"a supervisor listens", []media.Hearing{hearing(cu, ag), hearing(ag, cu), hearing(su, cu, ag)},
			map[*who][]int{cu: {600}, ag: {400}, su: {400, 600}}},
		{"and whispers to the agent", []media.Hearing{hearing(cu, ag), hearing(ag, cu, su), hearing(su, cu, ag)},
			map[*who][]int{cu: {600}, ag: {400, 1300}, su: {400, 600}}},
		{"and is in", []media.Hearing{hearing(cu, ag, su), hearing(ag, cu, su), hearing(su, cu, ag)},
			map[*who][]int{cu: {600, 1300}, ag: {400, 1300}, su: {400, 600}}},
		{"listens to the agent's both sides", []media.Hearing{hearing(cu, ag), hearing(ag, cu), both(su, ag)},
			map[*who][]int{cu: {600}, ag: {400}, su: {400, 600}}},
		{"and whispers, without hearing themselves", []media.Hearing{hearing(cu, ag), hearing(ag, cu, su), both(su, ag, cu)},
			map[*who][]int{cu: {600}, ag: {400, 1300}, su: {400, 600}}},
		{"both sides of the held customer", []media.Hearing{hearing(cu), hearing(ag), both(su, cu)},
			map[*who][]int{cu: {music}, ag: {}, su: {400, music}}},
		{"somebody who is no party", []media.Hearing{hearing(su, cu, sp)},
			map[*who][]int{cu: {music}, sp: {}, su: {400, 900}}},
		{"nobody", nil,
			map[*who][]int{cu: {music}, ag: {}, sp: {}, su: {}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c.set(t, tt.set...)
			for w, want := range tt.want {
				w.hears(t, want...)
			}
		})
	}
}

// A voice that is heard by two ways is not twice as loud.
func TestNothingIsHeardTwice(t *testing.T) {
	c := newCast(t)
	join(t, c.customer, c.agent)
	c.set(t, media.Hearing{Stream: c.supervisor.Stream, Hears: streams(c.agent),
		Both: streams(c.customer, c.agent)})
	c.supervisor.hears(t, 400, 600)
	since := time.Now()
	c.supervisor.wait(waits, since, func(ps []testkit.Packet) bool { return len(ps) > 10 })
	most := int16(0)
	for _, s := range testkit.Audio(c.supervisor.packets(since)) {
		most = max(most, s)
	}
	one := int16(0)
	for _, s := range testkit.Tone(400, time.Second) {
		one = max(one, s)
	}
	if int(most) > 2*int(one)+200 {
		t.Errorf("two voices of %d peak at %d", one, most)
	}
}

// One who listens to a pair changes nothing of it: its packets pass untouched.
func TestListeningLeavesThePairAlone(t *testing.T) {
	c := newCast(t)
	second := media.NewMix(c.engine)
	defer second.Close()
	part := join(t, c.customer, c.agent)
	c.agent.hears(t, 400)
	c.set(t, media.Hearing{Stream: c.supervisor.Stream, Both: streams(c.customer)})
	if err := second.Set([]media.Hearing{{Stream: c.specialist.Stream, Both: streams(c.customer)}}); err != nil {
		t.Fatal(err)
	}
	c.supervisor.hears(t, 400, 600)
	c.specialist.hears(t, 400, 600)
	since := time.Now()
	before := c.agent.Path()
	c.agent.hears(t, 400)
	path := c.agent.Path()
	if !path.Direct || path.Mixed || path.Passed == before.Passed || path.Transcoded != 0 || path.Mixes != 0 {
		t.Errorf("the agent's path: %+v", path)
	}
	if st := c.agent.Stats(); st.Mixed != 0 || st.Transcoded != 0 || st.Passed < path.Passed {
		t.Errorf("the agent's figures: %+v", st)
	}
	if path := c.supervisor.Path(); path.Direct || !path.Mixed || path.Mixes == 0 {
		t.Errorf("the supervisor's path: %+v", path)
	}
	said := make([]byte, codec.Rate)
	codec.PCMU.Encode(said, testkit.Tone(400, time.Second))
	said = append(said, said...)
	for _, p := range c.agent.packets(since) {
		if p.Type == 0 && !bytes.Contains(said, p.Payload) && !bytes.Equal(p.Payload, bytes.Repeat([]byte{0xff}, 160)) {
			t.Fatal("a packet was touched on its way")
		}
	}
	// the pair parts and plays, and is still listened to
	part()
	play(t, c.customer, music)
	c.supervisor.hears(t, 400, music)
	join(t, c.customer, c.specialist2(t))
	c.supervisor.hears(t, 400, 2300)
}

// specialist2 is one more party, who is on any shard.
func (c *cast) specialist2(t *testing.T) *who { return onPhone(t, c.engine, 2300, codec.PCMU) }

// What is keyed and said while the customer is hushed reaches nobody, in a pair, in a mix
// and by listening; what they are told still reaches who listens.
func TestHushReachesEverybody(t *testing.T) {
	for _, way := range []string{"pair", "mix", "alone"} {
		t.Run(way, func(t *testing.T) {
			c := newCast(t)
			listener := media.Hearing{Stream: c.supervisor.Stream, Both: streams(c.customer)}
			switch way {
			case "pair":
				join(t, c.customer, c.agent)
				c.set(t, listener)
			case "mix":
				c.set(t, hearing(c.customer, c.agent, c.specialist), hearing(c.agent, c.customer, c.specialist),
					hearing(c.specialist, c.customer, c.agent), listener)
			case "alone":
				play(t, c.customer, music)
				c.set(t, listener, hearing(c.agent, c.customer))
			}
			told := map[string][]int{"pair": {600}, "mix": {600, 900}, "alone": {music}}[way]
			c.supervisor.hears(t, append([]int{400}, told...)...)
			var taken bytes.Buffer
			r := c.supervisor.Record(&taken, true)
			c.customer.Hush(true)
			c.supervisor.hears(t, told...)
			since := time.Now()
			c.customer.press("123")
			for i := range 3 {
				if key, ok := (<-c.customer.Events()).(media.Key); !ok || key.Digit != '1'+byte(i) {
					t.Fatalf("the owner got %+v", key)
				}
			}
			c.supervisor.hears(t, told...)
			if way == "mix" {
				c.agent.hears(t, 900)
				c.specialist.hears(t, 600)
			} else {
				c.agent.hears(t)
			}
			if _, err := r.Stop(); err != nil {
				t.Fatal(err)
			}
			for _, w := range []*who{c.agent, c.specialist, c.supervisor} {
				if d := testkit.Digits(w.packets(time.Time{})); d != "" {
					t.Errorf("%d Hz got keys %s", w.hz, d)
				}
				if w != c.specialist && tones(testkit.Audio(w.packets(since)), []int{400})[400] {
					t.Errorf("%d Hz heard the hushed", w.hz)
				}
			}
			pcm := make([]int16, taken.Len()/2)
			for i := range pcm {
				pcm[i] = r.Law().Linear(taken.Bytes()[2*i+1])
			}
			if in := tones(pcm[len(pcm)/4:], []int{400, 600}); in[400] {
				t.Error("the hushed was recorded")
			}
			c.customer.Hush(false)
			c.supervisor.hears(t, append([]int{400}, told...)...)
		})
	}
}

// A key reaches those who hear its sender as telephone-events, once each, and not those
// who listen.
func TestKeysInAMix(t *testing.T) {
	c := newCast(t)
	c.set(t, hearing(c.customer, c.agent, c.specialist), hearing(c.agent, c.customer, c.specialist),
		hearing(c.specialist, c.agent), media.Hearing{Stream: c.supervisor.Stream, Both: streams(c.agent)})
	c.customer.hears(t, 600, 900)
	c.agent.press("42")
	for _, w := range []*who{c.customer, c.specialist} {
		if !w.wait(waits, time.Time{}, func(ps []testkit.Packet) bool { return testkit.Digits(ps) == "42" }) {
			t.Errorf("%d Hz got keys %q", w.hz, testkit.Digits(w.packets(time.Time{})))
		}
	}
	c.customer.press("7")
	if !c.agent.wait(waits, time.Time{}, func(ps []testkit.Packet) bool { return testkit.Digits(ps) == "7" }) {
		t.Errorf("the agent got keys %q", testkit.Digits(c.agent.packets(time.Time{})))
	}
	if d := testkit.Digits(c.supervisor.packets(time.Time{})); d != "" {
		t.Errorf("the listener got keys %q", d)
	}
	if d := testkit.Digits(c.specialist.packets(time.Time{})); d != "42" {
		t.Errorf("one who does not hear the customer got keys %q", d)
	}
}

// A stream of a mix records what its far end says and what it is sent.
func TestRecordingInAMix(t *testing.T) {
	c := newCast(t)
	c.set(t, hearing(c.customer, c.agent, c.specialist), hearing(c.agent, c.customer, c.specialist))
	c.customer.hears(t, 600, 900)
	var taken bytes.Buffer
	r := c.customer.Record(&taken, true)
	c.customer.hears(t, 600, 900)
	if _, err := r.Stop(); err != nil {
		t.Fatal(err)
	}
	sides := [2][]int16{}
	for i, b := range taken.Bytes() {
		sides[i%2] = append(sides[i%2], r.Law().Linear(b))
	}
	for i, want := range [2]map[int]bool{{400: true}, {600: true, 900: true}} {
		pcm := sides[i][len(sides[i])/2:]
		if got := tones(pcm[:800], every); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("side %d has %v", i, got)
		}
	}
}

// From a pair to a mix, to others and back, across shards: one stream of packets. That
// there is no gap is TestTransitionsHaveNoGap's, which has a clock that no machine disturbs.
func TestTransitionsKeepTheNumbers(t *testing.T) {
	c := newCast(t)
	cu, ag, sp := c.customer, c.agent, c.specialist
	part := join(t, cu, ag)
	cu.hears(t, 600)
	ag.hears(t, 400)
	since := time.Now()
	c.set(t, hearing(cu, ag), hearing(ag, cu, sp), hearing(sp, cu, ag)) // the customer still hears one alone
	part()
	ag.hears(t, 400, 900)
	c.set(t, hearing(cu, ag, sp), hearing(ag, cu, sp), hearing(sp, cu, ag), hearing(c.supervisor, ag))
	cu.hears(t, 600, 900)
	c.set(t, hearing(sp, cu))
	join(t, cu, ag)
	cu.hears(t, 600)
	ag.hears(t, 400)
	for _, w := range []*who{cu, ag} {
		ps := w.packets(since)
		for i, p := range ps[1:] {
			if was := ps[i]; p.SSRC != was.SSRC || p.Seq != was.Seq+1 || int32(p.TS-was.TS) <= 0 {
				t.Errorf("%d Hz: packet %d is %d %d %d after %d %d %d", w.hz, i+1, p.SSRC, p.Seq, p.TS, was.SSRC, was.Seq, was.TS)
			}
		}
	}
}

// Streams that close in the middle leave the others as they were.
func TestClosingInTheMiddle(t *testing.T) {
	c := newCast(t)
	three := []media.Hearing{hearing(c.customer, c.agent, c.specialist), hearing(c.agent, c.customer, c.specialist),
		hearing(c.specialist, c.customer, c.agent), {Stream: c.supervisor.Stream, Both: streams(c.specialist)}}
	c.set(t, three...)
	c.supervisor.hears(t, 400, 600, 900)
	c.specialist.Close()
	c.customer.hears(t, 600)
	c.agent.hears(t, 400)
	c.supervisor.hears(t)
	c.set(t, three...) // who has closed is left out
	c.customer.hears(t, 600)
	c.mix.Close()
	c.mix.Close()
	if err := c.mix.Set(three); !errors.Is(err, media.ErrClosed) {
		t.Errorf("a closed mix: %v", err)
	}
	join(t, c.customer, c.agent)
	c.customer.hears(t, 600)
}

// A fault while a party is sent to ends that one alone.
func TestPanicInAMix(t *testing.T) {
	c := newCast(t)
	c.set(t, hearing(c.customer, c.agent, c.specialist), hearing(c.agent, c.customer), hearing(c.specialist, c.customer, c.agent))
	c.customer.hears(t, 600, 900)
	b := c.agent.end.(*browser)
	b.mu.Lock()
	b.panic = true
	b.mu.Unlock()
	c.customer.hears(t, 900)
	c.specialist.hears(t, 400)
	for range c.agent.Events() { // closed, since the stream has failed
	}
	c.set(t, hearing(c.customer, c.agent, c.specialist), hearing(c.agent, c.customer), hearing(c.specialist, c.customer))
	c.customer.hears(t, 900)
	c.agent.Close()
}

func TestMixRefuses(t *testing.T) {
	c := newCast(t)
	other := media.NewMix(c.engine)
	defer other.Close()
	foreign := onWire(t, engine(t, 1), 2300)
	c.set(t, hearing(c.customer, c.agent))
	if err := other.Set([]media.Hearing{hearing(c.customer, c.specialist)}); !errors.Is(err, media.ErrJoined) {
		t.Errorf("party of two mixes: %v", err)
	}
	if _, err := media.Join(c.customer.Stream, c.specialist.Stream); !errors.Is(err, media.ErrJoined) {
		t.Errorf("joined while mixed: %v", err)
	}
	for name, h := range map[string][]media.Hearing{
		"nobody":         {{}},
		"of another one": {hearing(c.customer, foreign)},
		"twice":          {hearing(c.customer), hearing(c.customer)},
	} {
		if err := c.mix.Set(h); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	c.customer.hears(t, 600) // what was before still holds
}
