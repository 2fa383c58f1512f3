package media

import (
	"slices"
)

// Streams that are tied (joined, mixed, listened to) live on one shard, so that audio
// goes from one to another without a queue. Ties are known twice: by the streams' shard,
// which acts on them, and under Engine.topology, which says what has to move together.
// Whoever holds topology may lock the routes of several streams; whoever does not, of one.

// ties are what a stream is tied to; Engine.topology guards them. A stream that has
// failed keeps them until it is closed, which only lets more move than must.
type ties struct {
	peer  *Stream
	mixes []*Mix // that it is a member of
}

// retie brings what others read without the lock up to date; the stream's route is held.
func (s *Stream) retie() { s.tied.Store(s.ties.peer != nil || len(s.ties.mixes) > 0) }

// cluster is everything that is tied to these streams, themselves included.
func cluster(of []*Stream) []*Stream {
	var all []*Stream
	seen := map[*Stream]bool{}
	add := func(s *Stream) {
		if s != nil && !seen[s] {
			seen[s] = true
			all = append(all, s)
		}
	}
	for _, s := range of {
		add(s)
	}
	for i := 0; i < len(all); i++ {
		add(all[i].ties.peer)
		for _, m := range all[i].ties.mixes {
			for _, s := range m.members {
				add(s)
			}
		}
	}
	return all
}

// hold locks the routes of streams; topology is held.
func hold(all []*Stream) (release func()) {
	for _, s := range all {
		s.route.Lock()
	}
	return func() {
		for _, s := range all {
			s.route.Unlock()
		}
	}
}

// gather brings a whole cluster to one shard; its routes are held. Streams keep their
// slots, hence their rhythm.
func gather(all []*Stream, to *shard) error {
	moving := map[*shard][]*Stream{}
	for _, s := range all {
		if s.shard != to && !s.closed {
			moving[s.shard] = append(moving[s.shard], s)
		}
	}
	for from, streams := range moving {
		if err := from.call(nil, func() {
			for _, s := range streams {
				from.joined -= s.weight()
				from.release(s)
			}
		}); err != nil {
			return err
		}
		for _, s := range streams {
			s.shard = to
		}
		from.load.Add(-int32(len(streams)))
		to.load.Add(int32(len(streams)))
		if err := to.call(nil, func() {
			for _, s := range streams {
				to.adopt(s)
				to.joined += s.weight()
			}
		}); err != nil {
			return err
		}
	}
	return nil
}

// weight is what the stream counts for in its shard's joined.
func (s *Stream) weight() (n int) {
	if s.peer != nil {
		n++
	}
	if s.party != nil {
		n++
	}
	return n
}

// untie takes the stream out of everything on the shard: its pair, its mix, and what
// others hear.
func (s *Stream) untie() {
	s.part()
	touched := append(s.leave(), s)
	for _, e := range s.hearers {
		if p := e.to.party; p != nil {
			p.hears = without(p.hears, e)
			touched = append(touched, e.to)
		}
	}
	for _, l := range s.listeners {
		if p := l.party; p != nil {
			p.both = without(p.both, s)
			touched = append(touched, l)
		}
	}
	s.hearers, s.listeners = nil, nil
	tuneAll(touched)
}

// forgetTies is untie under topology; the stream's route is held.
func (s *Stream) forgetTies() {
	if p := s.ties.peer; p != nil && p.ties.peer == s {
		p.ties.peer = nil
		p.tied.Store(len(p.ties.mixes) > 0)
	}
	for _, m := range s.ties.mixes {
		m.members = without(m.members, s)
		m.parties = without(m.parties, s)
	}
	s.ties = ties{}
	s.retie()
}

// without takes x out of a list, in place.
func without[T comparable](list []T, x T) []T {
	if i := slices.Index(list, x); i >= 0 {
		return slices.Delete(list, i, i+1)
	}
	return list
}
