package app

import (
	"context"

	"tandem"
	"tandem/bridge/leg"
	"tandem/media"
	"tandem/media/codec"
	"tandem/sip"
)

// incoming is a customer's call as it is signalled: by SIP, or from a page.
type incoming interface {
	// Audio opens the stream of the call, before it is answered.
	Audio(a *App) (*media.Stream, error)
	Law() codec.Law
	Ring(ctx context.Context) error
	// Answer takes the call. It fails with sip.ErrNoMedia if nothing can be agreed on.
	Answer(ctx context.Context) error
	// Events are keys and holds by signalling and, last, sip.Ended.
	Events() <-chan sip.Event
	// Done is closed once the call has ended; Termination is zero before.
	Done() <-chan struct{}
	Termination() tandem.Termination
	Hangup(ctx context.Context, t tandem.Termination)
}

// sipIncoming is a call by SIP.
type sipIncoming struct {
	*sip.Call
	audio *leg.Audio
}

func (c *sipIncoming) Audio(a *App) (*media.Stream, error) {
	audio, err := a.openAudio(c.Source.Addr())
	if err != nil {
		return nil, err
	}
	c.audio = audio
	return audio.Stream, nil
}

func (c *sipIncoming) Law() codec.Law                   { return c.audio.Law() }
func (c *sipIncoming) Answer(ctx context.Context) error { return c.Call.Answer(ctx, c.audio) }
