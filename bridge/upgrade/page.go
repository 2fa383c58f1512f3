package upgrade

import (
	"context"
	"time"

	"tandem"
	"tandem/bridge/phone"
	"tandem/media/webrtc"
)

// Signal carries out what the customer's page signals of its sound or its pictures. A page
// that has not the media is answered by conflict.
func (u *Upgrades) Signal(ctx context.Context, in tandem.InteractionID, page, conn string, s webrtc.Signal) error {
	x := u.find(in)
	if x == nil {
		return errOver
	}
	is := x.shown()
	switch {
	case is.State != Agreed && is.State != Up:
		return errNone
	case page == "" || is.Page != page:
		return errOther
	case s.Kind == webrtc.KindBye: // a page says so as it is loaded anew; the end is End
		return nil
	}
	x.back()
	defer x.stir()
	switch conn {
	case ConnVoice:
		x.mu.Lock()
		p := x.peer
		x.mu.Unlock()
		if p == nil {
			return errNone
		}
		return plainly(p.Take(ctx, s))
	case ConnScreen:
		p, err := x.screenFor(ctx, s.Kind == webrtc.KindOffer)
		if err != nil {
			return err
		}
		return plainly(p.Take(ctx, s))
	}
	return tandem.Errorf(tandem.CodeInvalid, "%.20q is no connection", conn)
}

// screenFor is the page's Screen; a new one if it offers and the one before has ended.
func (x *upgrade) screenFor(ctx context.Context, offers bool) (Screen, error) {
	x.mu.Lock()
	s := x.screen
	x.mu.Unlock()
	if s != nil && offers && s.State() == webrtc.StateGone {
		if err := x.do(ctx, x.connect); err != nil {
			return nil, err
		}
		x.mu.Lock()
		s = x.screen
		x.mu.Unlock()
	}
	if s == nil {
		return nil, errNone
	}
	return s, nil
}

// Gone tells that a customer's page has no socket any more. It does not wait.
func (u *Upgrades) Gone(in tandem.InteractionID, page string) { u.there(in, page, false) }

// Back tells that it has one again.
func (u *Upgrades) Back(in tandem.InteractionID, page string) { u.there(in, page, true) }

func (u *Upgrades) there(in tandem.InteractionID, page string, is bool) {
	x := u.find(in)
	if x == nil {
		return
	}
	x.mu.Lock()
	switch {
	case x.seen.Page != page || page == "":
	case is:
		x.away = time.Time{}
	case x.away.IsZero():
		x.away = u.now()
	}
	x.mu.Unlock()
	x.stir()
}

// Screen is by what a party of a talk shows and sees pictures: the customer's is known by its
// leg, those of staff by their names. It neither waits nor calls anybody.
func (u *Upgrades) Screen(in tandem.InteractionID, leg tandem.LegID, name string) (phone.Screen, bool) {
	if name != "" {
		return u.sightOf(in, name)
	}
	x := u.find(in)
	if x == nil {
		return phone.Screen{}, false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.screen == nil || x.seen.Leg != leg {
		return phone.Screen{}, false
	}
	return phone.Screen{Camera: x.screen.Camera(), Display: x.screen.Display(), Eyes: x.screen}, true
}
