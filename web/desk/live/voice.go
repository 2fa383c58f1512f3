package live

import (
	"context"
	"encoding/json"

	"tandem"
	"tandem/media/webrtc"
	"tandem/web/desk/view"
	"tandem/web/login"
)

// maxSeats bounds the seats that one person's pages speak of.
const maxSeats = 32

// signal takes what a page tells of its seat.
func (s *socket) signal(ctx context.Context, c login.Caller, in incoming) error {
	d := s.desk
	switch {
	case !d.o.Work.Speaks(c) || s.feed == nil:
		return tandem.Errorf(tandem.CodeForbidden, "only agents and supervisors speak here")
	case d.o.Voice == nil:
		return tandem.Errorf(tandem.CodeUnavailable, "browsers do not speak here: webrtc.listen is empty")
	case !view.ClientID(in.Seat):
		return tandem.Errorf(CodeBad, "a seat has an id of 1 to 64 characters of A-Z a-z 0-9 - _")
	}
	var sig webrtc.Signal
	if json.Unmarshal(in.Signal, &sig) != nil || sig.Kind == "" {
		return tandem.Errorf(CodeBad, "signal is an object with kind")
	}
	if !s.feed.seated(in.Seat, s) {
		return tandem.Errorf(tandem.CodeConflict, "too many seats: close other pages")
	}
	return d.o.Voice.Signal(ctx, s.feed.name, in.Seat, sig)
}

// seated notes by which socket a seat's page speaks; false if there are too many seats.
func (f *feed) seated(seat string, s *socket) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, known := f.seats[seat]; !known && len(f.seats) >= maxSeats {
		return false
	}
	f.seats[seat] = s
	return true
}

// Voice tells the page of a seat something; nobody if it has no socket now. It does not wait.
func (d *Floor) Voice(who, seat string, sig webrtc.Signal) {
	for _, f := range d.feedsOf(who) {
		f.mu.Lock()
		s := f.seats[seat]
		f.mu.Unlock()
		if s != nil {
			s.push(voiceFrame{kindVoice, seat, sig})
		}
	}
}
