package media

import (
	"slices"
	"testing"
	"time"
)

// originals tells of whom a far end is sent originals, and whether G.711 alone, in 100 ms
// that begin now.
func (g *stage) originals(to int) (of []string) {
	for _, k := range g.ears {
		k.originals = nil
	}
	g.run(100 * time.Millisecond)
	of = slices.Clone(g.ears[to].originals)
	slices.Sort(of)
	return slices.Compact(of)
}

// Opus goes as it came while a browser hears one other browser and nothing else; as soon as
// there is more to hear it is G.711, and afterwards Opus again. The packets stay one stream.
func TestOpusGoesAsItCame(t *testing.T) {
	g := newStage(t, 4)
	g.opus = true
	for _, s := range g.streams {
		p := s.params
		p.Opus = true
		s.apply(p)
	}
	cu, ag, sp, su := g.streams[0], g.streams[1], g.streams[2], g.streams[3]
	hear := func(s *Stream, of ...*Stream) Hearing { return Hearing{Stream: s, Hears: of} }
	listen := Hearing{Stream: su, Both: []*Stream{cu}}
	join := func() {
		if err := cu.join(ag); err != nil {
			t.Fatal(err)
		}
	}
	all := []*Stream{cu, ag, sp, su}
	decoded := []string{""}
	for _, step := range []struct {
		what         string
		do           func()
		cu, ag, su   []string
		pair         Pair
		customerOpus bool
	}{
		{"nobody is joined", func() {}, decoded, decoded, decoded, PairNone, false},
		{"two", join, []string{"o1"}, []string{"o0"}, decoded, PairOpus, true},
		{"a listener", func() { exchange(g.shard, nil, []Hearing{listen}) }, []string{"o1"}, []string{"o0"}, decoded, PairOpus, true},
		{"a whisper for the agent", func() { exchange(g.shard, all, []Hearing{hear(cu, ag), hear(ag, cu, su), hear(su, cu, ag)}) }, []string{"o1"}, decoded, decoded, PairNone, true},
		{"three", func() { exchange(g.shard, all, []Hearing{hear(cu, ag, sp), hear(ag, cu, sp), hear(sp, cu, ag)}) }, decoded, decoded, decoded, PairNone, false},
		{"two again", func() { exchange(g.shard, all, nil); join() }, []string{"o1"}, []string{"o0"}, decoded, PairOpus, true},
		{"one who takes none", func() { p := cu.params; p.Opus = false; cu.apply(p) }, decoded, []string{"o0"}, decoded, PairG711, false},
		{"who takes it again", func() { p := cu.params; p.Opus = true; cu.apply(p) }, []string{"o1"}, []string{"o0"}, decoded, PairOpus, true},
		{"apart", func() { cu.part() }, decoded, decoded, decoded, PairNone, false},
	} {
		step.do()
		g.run(200 * time.Millisecond)
		for i, want := range map[int][]string{0: step.cu, 1: step.ag, 3: step.su} {
			if got := g.originals(i); !slices.Equal(got, want) {
				t.Errorf("%s: stream %d is sent %q, not %q", step.what, i, got, want)
			}
		}
		if cu.Pair() != step.pair || ag.Pair() != step.pair || (cu.direct() && cu.opus) != step.customerOpus {
			t.Errorf("%s: pairs %v and %v, Opus %v", step.what, cu.Pair(), ag.Pair(), cu.opus)
		}
	}
	g.gap(t, 0, 1)
	g.gap(t, 1, 0)
	if st := cu.stats; st.Opus == 0 || st.Transcoded != 0 {
		t.Errorf("figures %+v", st)
	}
}

// What a secret step hushes is not in what passes afterwards either: Opus may repeat it.
func TestOpusIsHushed(t *testing.T) {
	for _, hushed := range []time.Duration{60 * time.Millisecond, time.Second} { // within and beyond relayGap
		g := newStage(t, 2)
		g.opus = true
		for _, s := range g.streams {
			s.params.Opus = true
		}
		cu, ag := g.streams[0], g.streams[1]
		if err := cu.join(ag); err != nil {
			t.Fatal(err)
		}
		g.run(200 * time.Millisecond)
		cu.hush(true)
		g.ears[1].originals = nil
		g.run(hushed)
		for _, o := range g.ears[1].originals {
			if o != "" {
				t.Errorf("%v: an original of what is hushed was sent", hushed)
			}
		}
		cu.hush(false)
		passed, sent := ag.stats.Passed, ag.stats.Opus
		g.run(100 * time.Millisecond)
		if ag.stats.Passed != passed+1 || ag.stats.Opus < sent+3 {
			t.Errorf("%v: after it %d packets were sent decoded, and %d as they came", hushed, ag.stats.Passed-passed, ag.stats.Opus-sent)
		}
		g.gap(t, 1, 0)
	}
}

// A phone is sent what it takes, whatever a browser sends.
func TestOpusIsNotForPhones(t *testing.T) {
	l := newLoopback(t, 4, func(int, *Params) {})
	l.wire(l.streams[2])
	l.streams[2].params.Opus = true
	exchangePair(l, 0)
	for seq := range 20 {
		l.streams[2].Deliver(packetOf(seq, 0, 160), original(2))
		l.period20()
	}
	if phone, page := l.streams[1], l.streams[2]; phone.stats.Opus != 0 || phone.stats.Passed < 15 || phone.Pair() != PairG711 || page.Pair() != PairG711 {
		t.Errorf("the phone: %v, %+v; the page: %v", phone.Pair(), phone.stats, page.Pair())
	}
}
