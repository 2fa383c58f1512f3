// Package leg ties one SIP leg's description to its stream: what offer and answer
// agree on, the stream does. It runs no goroutine and holds no state but that.
package leg

import (
	"net/netip"
	"sync/atomic"

	"tandem/media"
	"tandem/media/codec"
	"tandem/sip/sdp"
)

// Audio is the audio of one leg. Signalling calls Offer, Answer, Accept and Hold,
// never two at once; Law and Stream may be used from anywhere.
type Audio struct {
	Stream *media.Stream
	neg    *sdp.Negotiator
	host   netip.Addr
	law    atomic.Uint32
}

// NewAudio opens a stream that the far end is told to reach at addr. Host is where
// the leg's signalling comes from; id is a random number for the description
// (RFC 8866 section 5.2).
func NewAudio(e *media.Engine, addr, host netip.Addr, id uint64) (*Audio, error) {
	stream, err := e.Open()
	if err != nil {
		return nil, err
	}
	here := netip.AddrPortFrom(addr, uint16(stream.Port()))
	return &Audio{Stream: stream, neg: sdp.NewNegotiator(sdp.Local{Addr: here, Far: host, ID: id}), host: host}, nil
}

// Offer writes an offer.
func (a *Audio) Offer() ([]byte, error) { return a.neg.Offer(), nil }

// Answer answers an offer; sdp.ErrNotAcceptable if there is no audio in common.
func (a *Audio) Answer(offer []byte) ([]byte, error) {
	answer, agreed, err := a.neg.Answer(offer)
	if err != nil {
		return nil, err
	}
	a.apply(agreed)
	return answer, nil
}

// Accept takes the answer to the last offer.
func (a *Audio) Accept(answer []byte) error {
	agreed, err := a.neg.Accept(answer)
	if err != nil {
		return err
	}
	a.apply(agreed)
	return nil
}

// Hold sets whether the next offer puts the far end on hold.
func (a *Audio) Hold(on bool) { a.neg.Hold(on) }

// Law is the G.711 law in use.
func (a *Audio) Law() codec.Law { return codec.Law(a.law.Load()) }

func (a *Audio) apply(g sdp.Agreed) {
	law := codec.PCMU
	if g.PCMA {
		law = codec.PCMA
	}
	a.law.Store(uint32(law))
	a.Stream.Set(media.Params{
		Remote: g.Remote, RTCP: g.RTCP, Host: a.host, Law: law, Payload: g.Payload, Event: g.Event,
		Send: g.Send, Recv: g.Recv, Tones: g.Event == 0,
	})
}
