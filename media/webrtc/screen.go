package webrtc

import (
	"context"
	"net/netip"

	"tandem/media/video"
)

// ScreenOptions is what a Screen is made of.
type ScreenOptions struct {
	Name            string       // for the log
	From            netip.Addr   // where the page's socket comes from; the zero Addr if that is not known
	Send            func(Signal) // to the page; it must not wait
	Changed         func(State)  // told in order from the screen's goroutine; it must not wait. May be nil
	Slots           int          // how many pictures the page can be shown at once, 1 to 8; 0 is 4
	ID              string       // what the ids of its sources begin with: the leg
	Camera, Display bool         // whether the page may show them from the start
}

// Screen is one page's connection for pictures: VP8 both ways, beside its Peer and without any sound.
type Screen struct{ camera, display *video.Source }

// NewScreen makes a screen, which waits for its page's offer.
func (s *Server) NewScreen(o ScreenOptions) (*Screen, error) {
	return &Screen{
		camera: video.NewSource(video.SourceOptions{ID: o.ID + ":camera", Layers: 2}), display: video.NewSource(video.SourceOptions{ID: o.ID + ":display", Layers: 1}),
	}, nil
}

// Take carries out a signal of the page, as Peer.Take does: offer, cam and bye.
func (p *Screen) Take(ctx context.Context, sig Signal) error { return ErrClosed }

// Allow says what the page may show. What it may no longer is dropped from that instant;
// the page is asked to offer anew, for the answer says what it may send.
func (p *Screen) Allow(camera, display bool) {}

// Camera is what the page's camera shows, open till Close.
func (p *Screen) Camera() *video.Source { return p.camera }

// Display is the screen that the page shares, open till Close.
func (p *Screen) Display() *video.Source { return p.display }

// Show says what the page is to see. What it sees already stays in its slot.
func (p *Screen) Show(shown []video.Shown) {}

// State is how it is connected.
func (p *Screen) State() State { return StateNew }

// Cam is how the page says that its camera is; "" before it has said.
func (p *Screen) Cam() string { return "" }

// ScreenFigures are what is measured of a Screen.
type ScreenFigures struct {
	State State `json:"state"`
}

// Figures are what is measured now.
func (p *Screen) Figures() ScreenFigures { return ScreenFigures{} }

// Restart asks the page to connect anew by other ICE credentials (RFC 8445, section 9), or
// altogether if the connection has ended. why is a word for the page.
func (p *Screen) Restart(ctx context.Context, why string) error { return nil }

// Close ends the screen and its sources, and the page is told. It may be called twice.
func (p *Screen) Close() {}
