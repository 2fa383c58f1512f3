package media

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tandem/media/codec"
	"tandem/media/mix"
)

// Hearing is what one stream of a mix hears.
type Hearing struct {
	Stream *Stream
	Hears  []*Stream // what their far ends say, and their telephone-events; nothing of hushed ones
	Both   []*Stream // what their far ends say and are sent, whatever they do (playing, joined, mixed); while one is hushed, nothing of what it says
}

// Mix lets more than two streams hear each other, each what it is to hear: mix-minus by
// a matrix. Its methods may be called from any goroutine.
//
// What a far end says is decoded once, however many hear it, waits in a jitter buffer of
// 20 to 100 ms, and is added up for each who hears it in that one's own slot of each 20 ms.
type Mix struct {
	engine *Engine

	// Engine.topology guards the rest.
	closed  bool
	parties []*Stream
	members []*Stream // parties, and whom they hear
}

// edge is that one stream hears what another's far end says.
type edge struct {
	from, to *Stream
	begun    event // the newest from the far end as it began: neither it nor one before is passed
}

// party is what a stream of a mix hears; it belongs to the shard.
type party struct {
	hears []*edge
	both  []*Stream
}

// NewMix makes a mix without parties.
func NewMix(e *Engine) *Mix { return &Mix{engine: e} }

// Set says who hears whom, the whole at once: a stream that is in no more goes on by
// itself, one that is named in Stream is taken out of its pair first. A stream that hears
// nobody plays its playlist, and is heard; the playlist of one that does stands still. Nobody
// hears themselves, and nobody hears anything twice.
//
// Who hears one stream and nothing else is sent its packets straight, as in a pair.
//
// Those in Hears and Both need not be parties, and go on as they are: a pair that is
// listened to stays direct. A stream may be heard in several mixes but be party of
// one: else ErrJoined. Streams that have closed are left out.
func (m *Mix) Set(parties []Hearing) error {
	m.engine.topology.Lock()
	defer m.engine.topology.Unlock()
	if m.closed {
		return ErrClosed
	}
	return m.set(parties)
}

// Close lets every stream go on by itself. It may be called twice.
func (m *Mix) Close() {
	m.engine.topology.Lock()
	defer m.engine.topology.Unlock()
	if !m.closed {
		m.closed = true
		_ = m.set(nil) // what cannot be told has closed, and is in no mix
	}
}

func (m *Mix) set(parties []Hearing) error {
	var named []*Stream
	for _, h := range parties {
		for _, s := range slices.Concat([]*Stream{h.Stream}, h.Hears, h.Both) {
			if s == nil || s.engine != m.engine {
				return errors.New("media: a mix needs streams of its engine")
			}
			named = append(named, s)
		}
	}
	all := cluster(slices.Concat(m.members, named))
	release := hold(all)
	defer release()
	plan, err := m.plan(parties)
	if err != nil {
		return err
	}
	home := m.home(plan)
	if home == nil {
		return nil
	}
	open := slices.DeleteFunc(slices.Clone(all), func(s *Stream) bool { return s.closed })
	if err := gather(open, home); err != nil {
		return fmt.Errorf("mixing streams: %w", err)
	}
	old := m.parties
	if err := home.call(nil, func() { exchange(home, old, plan) }); err != nil {
		return fmt.Errorf("mixing streams: %w", err)
	}
	m.note(plan)
	return nil
}

// plan is what is to be, without doubles and without streams that have closed.
func (m *Mix) plan(parties []Hearing) ([]Hearing, error) {
	clean := func(list []*Stream, self *Stream) (kept []*Stream) {
		for _, s := range list {
			if s != self && !s.closed && !slices.Contains(kept, s) {
				kept = append(kept, s)
			}
		}
		return kept
	}
	var plan []Hearing
	for _, h := range parties {
		s := h.Stream
		if s.closed {
			continue
		}
		for _, other := range s.ties.mixes {
			if other != m && slices.Contains(other.parties, s) {
				return nil, ErrJoined
			}
		}
		if slices.ContainsFunc(plan, func(h Hearing) bool { return h.Stream == s }) {
			return nil, errors.New("media: a stream is in a mix twice")
		}
		plan = append(plan, Hearing{Stream: s, Hears: clean(h.Hears, s), Both: clean(h.Both, s)})
	}
	return plan, nil
}

// home is the shard where the mix is to be: that of somebody listened to, so that those
// need not move; else of a party; nil if there is nobody.
func (m *Mix) home(plan []Hearing) *shard {
	for _, h := range plan {
		if len(h.Both) > 0 {
			return h.Both[0].shard
		}
	}
	if len(plan) > 0 {
		return plan[0].Stream.shard
	}
	for _, s := range m.members {
		if !s.closed {
			return s.shard
		}
	}
	return nil
}

// note keeps who is in the mix now; the routes of all are held.
func (m *Mix) note(plan []Hearing) {
	for _, s := range m.members {
		s.ties.mixes = without(s.ties.mixes, m)
		s.retie()
	}
	m.parties, m.members = nil, nil
	for _, h := range plan {
		if p := h.Stream.ties.peer; p != nil { // it was taken out of its pair
			h.Stream.ties.peer = nil
			if p.ties.peer == h.Stream {
				p.ties.peer = nil
				p.retie()
			}
		}
		m.parties = append(m.parties, h.Stream)
		for _, s := range slices.Concat([]*Stream{h.Stream}, h.Hears, h.Both) {
			if !slices.Contains(m.members, s) {
				m.members = append(m.members, s)
				s.ties.mixes = append(s.ties.mixes, m)
				s.retie()
			}
		}
	}
}

// exchange puts what is planned in the place of what was, on the shard. Whoever is heard
// before and after keeps their jitter buffer.
func exchange(sh *shard, old []*Stream, plan []Hearing) {
	was := slices.Clone(old)
	for _, h := range plan {
		if !slices.Contains(was, h.Stream) {
			was = append(was, h.Stream)
		}
	}
	var known []*edge
	var touched []*Stream
	for _, s := range was {
		if s.party != nil {
			known = append(known, s.party.hears...)
		} else if s.peer != nil {
			known = append(known, &edge{from: s.peer, to: s, begun: s.peer.begun})
		}
		touched = append(touched, s.leave()...)
	}
	for _, h := range plan {
		s := h.Stream
		if s.failed {
			continue
		}
		s.part()
		s.party = &party{both: h.Both}
		sh.joined++
		for _, from := range h.Hears {
			e := &edge{from: from, to: s}
			if i := slices.IndexFunc(known, func(k *edge) bool { return k.from == from && k.to == s }); i >= 0 {
				e.begun = known[i].begun
			} else {
				e.begun.ssrc, e.begun.time, e.begun.any = from.keysIn.Newest()
			}
			s.party.hears = append(s.party.hears, e)
			from.hearers = append(from.hearers, e)
		}
		for _, y := range h.Both {
			y.listeners = append(y.listeners, s)
		}
		touched = append(touched, s)
		touched = append(touched, h.Hears...)
		touched = append(touched, h.Both...)
	}
	tuneAll(touched)
}

// leave takes the stream out of its mix as a party; others still hear it. It returns
// who is to be tuned then.
func (s *Stream) leave() (touched []*Stream) {
	p := s.party
	if p == nil {
		return nil
	}
	s.party = nil
	s.shard.joined--
	for _, e := range p.hears {
		e.from.hearers = without(e.from.hearers, e)
		touched = append(touched, e.from)
	}
	for _, y := range p.both {
		y.listeners = without(y.listeners, s)
	}
	return append(append(touched, p.both...), s)
}

// tuneAll tunes streams, and those whom their far ends hear: who listens to both sides
// hears them too.
func tuneAll(streams []*Stream) {
	for _, s := range streams {
		s.tune()
		if s.peer != nil {
			s.peer.tune()
		}
		if s.party != nil {
			for _, e := range s.party.hears {
				e.from.tune()
			}
		}
	}
}

// sole reports whether the stream hears one voice and nothing else: then packets pass
// straight, as in a pair.
func (p *party) sole() bool { return p != nil && len(p.hears) == 1 && len(p.both) == 0 }

// direct reports whether the stream is sent another's packets.
func (s *Stream) direct() bool { return s.peer != nil || s.party.sole() }

// hearsAny reports whether the stream is sent a mix, not its playlist.
func (p *party) hearsAny() bool { return p != nil && len(p.hears)+len(p.both) > 0 }

// audible reports whether what the far end says is to be decoded: somebody hears it by
// other ways than its packets.
func (s *Stream) audible() bool {
	for _, e := range s.hearers {
		if !e.to.party.sole() || len(e.to.listeners) > 0 {
			return true
		}
	}
	return len(s.listeners) > 0 || s.peer != nil && len(s.peer.listeners) > 0
}

// tuneRings makes the buffers that are needed and lets go of the others.
func (s *Stream) tuneRings() {
	switch heard := s.audible(); {
	case heard && s.voice == nil:
		s.voice = mix.NewRing()
	case !heard:
		s.voice = nil
	}
	switch {
	case len(s.listeners) > 0 && s.told == nil:
		s.told = mix.NewRing()
	case len(s.listeners) == 0:
		s.told = nil
	}
}

// position is the sample with which a frame of the wheel begins to be heard: one frame
// before it is sent.
func (s *Stream) position(at int64) int64 {
	return at*codec.FrameSamples + int64(s.slot)*(codec.FrameSamples/slotCount) - codec.FrameSamples
}

// wall is a time of the wheel in samples.
func wall(now time.Duration) int64 { return int64(now / (time.Second / codec.Rate)) }

// mixFrame writes into b what the party hears in the frame at.
func (s *Stream) mixFrame(sh *shard, at int64, b []byte) {
	sh.mixes++
	clear(sh.sum[:])
	from := s.position(at)
	s.mark = sh.mixes // nobody hears themselves
	heard := s.addParty(sh, from)
	s.stats.Mixed++
	if !heard {
		s.params.Law.Fill(b)
		return
	}
	mix.Saturate(sh.pcm[:len(b)], sh.sum[:])
	s.params.Law.Encode(b, sh.pcm[:len(b)])
}

// addParty adds what a party hears to the shard's sum.
func (s *Stream) addParty(sh *shard, from int64) (heard bool) {
	for _, e := range s.party.hears {
		heard = e.from.addVoice(sh, from) || heard
	}
	for _, y := range s.party.both {
		heard = y.addVoice(sh, from) || heard
		heard = y.addSent(sh, from) || heard
	}
	return heard
}

// addVoice adds what the far end says, once in each mixing.
func (s *Stream) addVoice(sh *shard, from int64) bool {
	if s.mark == sh.mixes || s.voice == nil {
		return false
	}
	s.mark = sh.mixes
	return s.voice.Add(sh.sum[:], from)
}

// addSent adds what the far end is sent, once in each mixing: of others the voices
// themselves, so that whoever listens does not hear their own, nor one voice twice.
func (s *Stream) addSent(sh *shard, from int64) bool {
	if s.sentMark == sh.mixes || !s.sends() {
		return false
	}
	s.sentMark = sh.mixes
	switch {
	case s.peer != nil:
		return s.peer.addVoice(sh, from)
	case s.party.hearsAny():
		return s.addParty(sh, from)
	case s.told != nil:
		return s.told.Add(sh.sum[:], from)
	}
	return false
}

// Path is how a stream's audio goes.
type Path struct {
	Direct     bool // it is sent the packets of one other as they come: it is joined, or hears one alone in a mix
	Mixed      bool // it is sent audio that was mixed
	Opus       bool // it is sent Opus as it came
	Pair       Pair
	Law        codec.Law
	Passed     uint64 // packets sent so far as the joined stream received them
	Transcoded uint64 // packets sent so far in the other law than received, by table
	Mixes      uint64 // packets sent so far whose audio was mixed
}

// Path tells how the stream's audio goes now; of a closed stream the figures are left.
func (s *Stream) Path() Path {
	var p Path
	if err := s.call(func() {
		p = Path{Direct: s.direct(), Mixed: s.party.hearsAny() && !s.direct(), Opus: s.direct() && s.opus, Pair: s.Pair(), Law: s.params.Law}
		p.figures(s.stats)
	}); err != nil {
		p.Law = codec.Law(s.law.Load())
		p.figures(s.Stats())
	}
	return p
}

func (p *Path) figures(st Stats) {
	p.Passed, p.Transcoded, p.Mixes = st.Passed, st.Transcoded, st.Mixed
}
