package phone

import (
	"tandem"
	"tandem/bridge/room"
	"tandem/media/video"
)

// Screen is by what a party shows and sees pictures.
type Screen struct {
	Camera, Display *video.Source // nil = they have none
	Eyes            room.Eyes     // nil = they see nothing
}

// screen is a party's, empty if they have none.
func (s *Switchboard) screen(in tandem.InteractionID, leg tandem.LegID, name string) Screen {
	if s.o.Screen == nil {
		return Screen{}
	}
	is, ok := s.o.Screen(in, leg, name)
	if !ok {
		return Screen{}
	}
	return is
}

// pictured takes in what a party shows now. Whether they are recorded may be another thing now,
// too: the customer agrees to it, or no more.
func (t *talk) pictured(p *party, now Screen) {
	p.screen = now
	p.Camera, p.Display = live(now.Camera), live(now.Display)
	switch {
	case p.taped:
		t.s.o.Tracks.Pictured(p.Leg)
	case !p.joined.IsZero() && t.tapes(p):
		t.tape(p)
	}
}

func live(s *video.Source) bool { return s != nil && s.Live() }

// Pictured tells that what is shown in an interaction's talk may be something else now. It
// does not block.
func (s *Switchboard) Pictured(in tandem.InteractionID) {
	s.mu.Lock()
	t := s.talks[in]
	s.mu.Unlock()
	if t != nil {
		t.stir()
	}
}
