package phone

import (
	"tandem"
	"tandem/media"
)

// Seat is an agent's browser with a microphone, connected for as long as their page is open.
type Seat interface {
	// Stream is its audio. While it is in a talk the switchboard reads its events.
	Stream() *media.Stream
	// States tells each change; it is buffered, the newest wins, and it is closed after
	// SeatGone.
	States() <-chan SeatState
}

// seat is an agent's seat, if it can be used.
func (s *Switchboard) seat(who string) (Seat, bool) {
	if s.o.Seat == nil || who == "" {
		return nil, false
	}
	return s.o.Seat(who)
}

func (s *Switchboard) supervises(who string, in tandem.InteractionID) bool {
	return s.o.Supervises != nil && s.o.Supervises(who, in)
}

// sit notes that somebody's seat is in a talk: it can be in one.
func (s *Switchboard) sit(who string, t *talk) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sitting[who] != nil {
		return false
	}
	s.sitting[who] = t
	return true
}

// sitOn notes that their seat is in another talk now.
func (s *Switchboard) sitOn(who string, t *talk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sitting[who] = t
}

func (s *Switchboard) stand(who string, t *talk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.sitting[who] == t {
		delete(s.sitting, who)
	}
}

func (s *Switchboard) sits(who string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.sitting[who] != nil
}

// Seated tells that an agent's seat can be used for calls from now on, or cannot. It does
// not block. An agent is in reach by either, seat or phone.
func (s *Switchboard) Seated(agent string, on bool) {
	s.mu.Lock()
	s.seated[agent] = on
	reach := on || s.found[agent]
	sits := s.sitting[agent]
	var asked []inviting
	for _, i := range s.invites {
		if i.To == agent && i.desk && !on {
			asked = append(asked, i)
		}
	}
	var offer *ring
	for _, r := range s.rings {
		if r.desk && r.agent == agent && !on {
			offer = r
		}
	}
	s.mu.Unlock()
	s.o.Router.Reachable(agent, tandem.LoadVoice, reach)
	if sits != nil {
		sits.stir()
	}
	for _, i := range asked {
		select {
		case i.talk.inbox <- lapsed{i.ID, "unreachable"}:
		default: // it lapses by itself
		}
	}
	if offer != nil {
		select {
		case offer.unseated <- struct{}{}:
		default:
		}
	}
}
