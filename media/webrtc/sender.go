package webrtc

import (
	pionrtp "github.com/pion/rtp"
	pion "github.com/pion/webrtc/v4"

	"tandem/media/codec"
	"tandem/media/codec/opus"
	"tandem/media/rtp"
)

// track is the audio that a page is sent: pion tells it when and as what it may be sent.
type track struct{ link *link }

var _ pion.TrackLocal = (*track)(nil)

// Bind chooses the codec: G.711, which goes to phones and back as it is, before Opus.
func (t *track) Bind(c pion.TrackLocalContext) (pion.RTPCodecParameters, error) {
	s := &sender{to: c.WriteStream(), ssrc: uint32(c.SSRC())}
	var first pion.RTPCodecParameters
	for _, p := range c.CodecParameters() {
		switch {
		case p.MimeType == pion.MimeTypePCMU:
			s.pcmu = true
		case p.MimeType == pion.MimeTypePCMA:
			s.pcma = true
		case p.MimeType == pion.MimeTypeOpus:
			s.opus = uint8(p.PayloadType)
		case p.MimeType == mimeEvent && p.ClockRate == codec.Rate:
			s.event = uint8(p.PayloadType)
			continue
		default:
			continue
		}
		if first.MimeType == "" || first.MimeType == pion.MimeTypeOpus {
			first = p
		}
	}
	if first.MimeType == "" {
		return first, pion.ErrUnsupportedCodec
	}
	if !s.pcmu && !s.pcma {
		e, err := opus.NewEncoder()
		if err != nil {
			return first, err
		}
		s.encoder = e
	}
	t.link.out.Store(s)
	return first, nil
}

// Unbind ends sending.
func (t *track) Unbind(pion.TrackLocalContext) error {
	t.link.out.Store(nil)
	return nil
}

// ID names the track on the page.
func (t *track) ID() string { return "audio" }

// RID is empty: there is one encoding.
func (t *track) RID() string { return "" }

// StreamID names its stream on the page.
func (t *track) StreamID() string { return "tandem" }

// Kind is audio.
func (t *track) Kind() pion.RTPCodecType { return pion.RTPCodecTypeAudio }

// sender writes packets of a stream to a page. It belongs to the peer's writer.
type sender struct {
	to         pion.TrackLocalWriter
	ssrc       uint32
	pcmu, pcma bool
	opus       uint8 // payload types; 0 = none
	event      uint8
	header     pionrtp.Header

	encoder *opus.Encoder // nil unless the page takes nothing but Opus
	pcm     []int16       // decoded, not encoded yet
	seq     uint16
	time    uint32
	out     [opus.MaxPacket]byte
}

// write sends one packet of the stream, if the page takes it. events is the payload type
// that the stream has for telephone-event.
func (s *sender) write(b []byte, events uint8) {
	h, payload, err := rtp.Parse(b)
	if err != nil {
		return
	}
	pt, law := h.Payload, codec.PCMU
	switch {
	case pt == codec.PCMU.Payload() && s.pcmu, pt == codec.PCMA.Payload() && s.pcma:
	case pt == events && events != 0 && s.event != 0 && s.encoder == nil:
		pt = s.event
	case pt == codec.PCMU.Payload() && s.encoder != nil:
		s.encode(h, law, payload)
		return
	case pt == codec.PCMA.Payload() && s.encoder != nil:
		s.encode(h, codec.PCMA, payload)
		return
	default:
		return
	}
	s.send(h.Marker, pt, h.Seq, h.Time, payload)
}

// encode sends audio as Opus, in frames of 20 ms.
func (s *sender) encode(h rtp.Header, law codec.Law, payload []byte) {
	at := len(s.pcm)
	if at > opus.MaxSamples {
		s.pcm, at = s.pcm[:0], 0
	}
	s.pcm = append(s.pcm, make([]int16, len(payload))...)
	law.Decode(s.pcm[at:], payload)
	for len(s.pcm) >= codec.FrameSamples {
		n, err := s.encoder.Encode(s.out[:], s.pcm[:codec.FrameSamples])
		s.pcm = s.pcm[:copy(s.pcm, s.pcm[codec.FrameSamples:])]
		s.time += codec.FrameSamples * opus.ClockRate / codec.Rate
		if err != nil {
			continue
		}
		s.seq++
		s.send(h.Marker, s.opus, s.seq, s.time, s.out[:n])
	}
}

func (s *sender) send(marker bool, pt uint8, seq uint16, ts uint32, payload []byte) {
	s.header = pionrtp.Header{Version: 2, Marker: marker, PayloadType: pt, SequenceNumber: seq, Timestamp: ts, SSRC: s.ssrc}
	_, _ = s.to.WriteRTP(&s.header, payload) // a page that is cut off takes none: the watch sees it
}
