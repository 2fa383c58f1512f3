package media

import (
	"slices"

	"tandem/media/codec"
)

// playing is an item and how far it is.
type playing struct {
	Item
	clip, offset int
	samples      int // played in all
}

// fill writes the next audio of the playlist into b, without a gap between clips
// and items, and silence after the last. It reports whether there was any.
func (s *Stream) fill(b []byte) bool {
	law, n := s.params.Law, 0
	for n < len(b) && len(s.items) > 0 {
		it := &s.items[0]
		if it.clip == len(it.Clips) {
			if it.Loop {
				it.clip = 0
				continue
			}
			s.finish(0, true)
			continue
		}
		data, from := it.Clips[it.clip].ready(law)
		k := law.Convert(b[n:], data[it.offset:], from)
		n += k
		it.offset += k
		it.samples += k
		if it.offset == len(data) {
			it.clip, it.offset = it.clip+1, 0
		}
	}
	// an item that ends with the frame is done now, not a frame later
	for len(s.items) > 0 && s.items[0].clip == len(s.items[0].Clips) && !s.items[0].Loop {
		s.finish(0, true)
	}
	law.Fill(b[n:])
	return n > 0
}

// finish takes item i off the playlist and notes its end.
func (s *Stream) finish(i int, done bool) {
	it := &s.items[i]
	frames := (it.samples + codec.FrameSamples - 1) / codec.FrameSamples
	s.pending = append(s.pending, Played{ID: it.ID, Frames: frames, Done: done})
	s.items = slices.Delete(s.items, i, i+1)
	s.deliver()
}

// deliver hands Played events over while there is room beside that of keys.
func (s *Stream) deliver() {
	n := 0
	for n < len(s.pending) && len(s.events) < eventRoom-keyRoom {
		s.tell(s.pending[n])
		s.queued.Add(-1)
		n++
	}
	s.pending = slices.Delete(s.pending, 0, n)
}

// stop is Stop on the shard.
func (s *Stream) stop(ids []uint32) {
	for i := 0; i < len(s.items); {
		if len(ids) > 0 && !slices.Contains(ids, s.items[i].ID) {
			i++
			continue
		}
		s.finish(i, false)
	}
}
