package app

import (
	"net/netip"
	"sync/atomic"

	"tandem/media"
	"tandem/media/codec"
	"tandem/sip"
	"tandem/sip/sdp"
)

// side ties one leg's description to its stream: what signalling agrees on, the
// stream does.
type side struct {
	stream *media.Stream
	neg    *sdp.Negotiator
	host   netip.Addr    // where the leg's signalling comes from
	agreed atomic.Uint32 // codec.Law in use
}

var (
	_ sip.Media  = (*side)(nil)
	_ sip.Holder = (*side)(nil)
)

// openSide opens a stream for a leg whose signalling comes from host.
func (a *App) openSide(host netip.Addr) (*side, error) {
	stream, err := a.media.Open()
	if err != nil {
		return nil, err
	}
	addr := netip.AddrPortFrom(a.addresses.toward(host), uint16(stream.Port()))
	return &side{stream: stream, neg: sdp.NewNegotiator(sdp.Local{Addr: addr, ID: a.sessionID()}), host: host}, nil
}

// Offer writes an offer.
func (s *side) Offer() ([]byte, error) { return s.neg.Offer(), nil }

// Answer answers an offer.
func (s *side) Answer(offer []byte) ([]byte, error) {
	answer, agreed, err := s.neg.Answer(offer)
	if err != nil {
		return nil, err
	}
	s.apply(agreed)
	return answer, nil
}

// Accept takes the answer to the last offer.
func (s *side) Accept(answer []byte) error {
	agreed, err := s.neg.Accept(answer)
	if err != nil {
		return err
	}
	s.apply(agreed)
	return nil
}

// Hold sets whether the next offer puts the far end on hold.
func (s *side) Hold(on bool) { s.neg.Hold(on) }

// law is the G.711 law in use.
func (s *side) law() codec.Law { return codec.Law(s.agreed.Load()) }

func (s *side) apply(a sdp.Agreed) {
	law := codec.PCMU
	if a.PCMA {
		law = codec.PCMA
	}
	s.agreed.Store(uint32(law))
	s.stream.Set(media.Params{
		Remote: a.Remote, RTCP: a.RTCP, Host: s.host, Law: law, Payload: a.Payload, Event: a.Event,
		Send: a.Send, Recv: a.Recv, Tones: a.Event == 0,
	})
}
