package voice

import (
	"context"

	"tandem"
	"tandem/media"
	"tandem/media/codec"
)

// Call is one call of a page. Its methods may be called from any goroutine.
type Call struct {
	Incoming
	ID string // by chance; names the call for as long as it lasts

	stream *media.Stream
	done   chan struct{}
}

// Stream is the page's audio. Whoever runs the call may close it.
func (c *Call) Stream() *media.Stream { return c.stream }

// Law is what the page sends and is sent; Opus of a page comes as PCMU.
func (c *Call) Law() codec.Law { return codec.PCMU }

// Ring tells the page that it rings.
func (c *Call) Ring(context.Context) error { return nil }

// Answer tells the page that it is answered.
func (c *Call) Answer(context.Context) error { return nil }

// Done is closed once the page has hung up, or is gone for too long, or Hangup was called.
func (c *Call) Done() <-chan struct{} { return c.done }

// Termination says how it ended; zero before Done.
func (c *Call) Termination() tandem.Termination { return tandem.Termination{} }

// Hangup ends the call from our side, and tells the page why. One that is over stays as it ended.
func (c *Call) Hangup(ctx context.Context, t tandem.Termination) {}
