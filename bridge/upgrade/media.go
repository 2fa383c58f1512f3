package upgrade

import (
	"context"
	"errors"

	"tandem"
	"tandem/bridge/phone"
	"tandem/bridge/room"
	"tandem/media"
	"tandem/media/video"
	"tandem/media/webrtc"
)

// Peer is a page's sound: a *webrtc.Peer.
type Peer interface {
	Take(ctx context.Context, s webrtc.Signal) error
	Stream() *media.Stream
	State() webrtc.State
	Mic() string
	Close() media.Stats
}

// Screen is a page's pictures: a *webrtc.Screen. Close does not wait, and may be called again.
type Screen interface {
	room.Eyes
	Take(ctx context.Context, s webrtc.Signal) error
	Allow(camera, display bool)
	Camera() *video.Source
	Display() *video.Source
	State() webrtc.State
	Cam() string
	Close()
}

var (
	_ Peer   = (*webrtc.Peer)(nil)
	_ Screen = (*webrtc.Screen)(nil)
)

// Media makes connections of pages.
type Media interface {
	NewPeer(o webrtc.PeerOptions) (Peer, error)
	NewScreen(o webrtc.ScreenOptions) (Screen, error)
	Servers(who string) []webrtc.ICEServer
}

// Browsers is the Media of a server; nil of none.
func Browsers(s *webrtc.Server) Media {
	if s == nil {
		return nil
	}
	return browsers{s}
}

type browsers struct{ s *webrtc.Server }

func (b browsers) NewPeer(o webrtc.PeerOptions) (Peer, error) {
	p, err := b.s.NewPeer(o)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (b browsers) NewScreen(o webrtc.ScreenOptions) (Screen, error) {
	p, err := b.s.NewScreen(o)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (b browsers) Servers(who string) []webrtc.ICEServer { return b.s.Servers(who) }

// plainly is an error of a connection as a page is told it.
func plainly(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, webrtc.ErrSignal):
		return tandem.Errorf(tandem.CodeInvalid, "%w", err)
	case errors.Is(err, webrtc.ErrRate):
		return tandem.Errorf("too_fast", "your page signals too often")
	case errors.Is(err, webrtc.ErrClosed):
		return tandem.Errorf(tandem.CodeConflict, "this connection has ended; connect anew")
	case errors.Is(err, webrtc.ErrFull):
		return tandem.Errorf(tandem.CodeUnavailable, "as many browsers are connected as webrtc.peers allows; try again later")
	}
	return err
}

// caller is the customer's page as the switchboard knows a call.
type caller struct {
	leg  tandem.Leg
	peer Peer
	left chan struct{}
	how  tandem.Termination // written before left is closed
}

var _ phone.Caller = (*caller)(nil)

// Stream is the page's audio.
func (c *caller) Stream() *media.Stream { return c.peer.Stream() }

// Served has nothing to tell: the chat's session knows who serves since they do.
func (c *caller) Served(context.Context, string) error { return nil }

// Joined is passed over: a page neither holds nor sends keys by signalling.
func (c *caller) Joined(phone.Far) {}

// Interrupted is passed over: the page shows it, and the chat goes on.
func (c *caller) Interrupted(bool) {}

// Leg is the customer's in the talk.
func (c *caller) Leg() tandem.Leg { return c.leg }

// Left is closed at the end, and Termination says how it came.
func (c *caller) Left() <-chan struct{}           { return c.left }
func (c *caller) Termination() tandem.Termination { return c.how }
