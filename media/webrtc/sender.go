package webrtc

import (
	"encoding/binary"
	"math"

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
		case p.MimeType == mimeEvent && p.ClockRate == opus.ClockRate:
			s.wide = uint8(p.PayloadType)
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
	event      uint8 // of telephone-event at 8 kHz
	wide       uint8 // and at 48 kHz
	header     pionrtp.Header

	began bool
	last  uint32 // time of the newest audio, by the stream's clock
	time  uint32 // and as the page was sent it
	rate  uint32 // of the page's clock, to one of the stream's: it is that of the codec

	encoder *opus.Encoder // nil unless the page takes nothing but Opus
	pcm     []int16       // decoded, not encoded yet
	seq     uint16
	out     [opus.MaxPacket]byte
}

// at is what the page is sent for a time of the stream. Where the codec changes, and the
// clock with it, times go on from the newest (RFC 7160, section 4.1).
func (s *sender) at(ts, rate uint32) uint32 {
	if !s.began {
		s.began, s.last, s.time, s.rate = true, ts, ts, rate
	}
	return s.time + uint32(int32(ts-s.last))*rate
}

// follow is at for audio, which moves the clock on.
func (s *sender) follow(ts, rate uint32) uint32 {
	s.time, s.last, s.rate = s.at(ts, rate), ts, rate
	return s.time
}

// write sends one packet of the stream, if the page takes it, or its original in its place.
// events is the payload type that the stream has for telephone-event.
func (s *sender) write(b, original []byte, events uint8) {
	h, payload, err := rtp.Parse(b)
	if err != nil {
		return
	}
	pt := h.Payload
	switch {
	case len(original) > 0 && s.opus != 0:
		if s.encoder != nil {
			s.pcm = s.pcm[:0]
			s.seq++
			h.Seq = s.seq
		}
		s.send(h.Marker, s.opus, h.Seq, s.follow(h.Time, samplesApart), original)
	case pt == codec.PCMU.Payload() && s.pcmu, pt == codec.PCMA.Payload() && s.pcma:
		s.send(h.Marker, pt, h.Seq, s.follow(h.Time, 1), payload)
	case pt == events && events != 0 && s.encoder == nil:
		s.key(h, payload)
	case pt == codec.PCMU.Payload() && s.encoder != nil:
		s.encode(h, codec.PCMU, payload)
	case pt == codec.PCMA.Payload() && s.encoder != nil:
		s.encode(h, codec.PCMA, payload)
	}
}

// key sends a telephone-event, by the clock of the audio around it if the page takes such.
func (s *sender) key(h rtp.Header, payload []byte) {
	if s.rate == samplesApart && s.wide != 0 && len(payload) == 4 {
		wide := s.out[:copy(s.out[:], payload)]
		length := uint32(binary.BigEndian.Uint16(payload[2:])) * samplesApart
		binary.BigEndian.PutUint16(wide[2:], uint16(min(length, math.MaxUint16)))
		s.send(h.Marker, s.wide, h.Seq, s.at(h.Time, samplesApart), wide)
	} else if s.event != 0 {
		s.send(h.Marker, s.event, h.Seq, s.at(h.Time, 1), payload)
	}
}

// encode sends audio as Opus, in frames of 20 ms.
func (s *sender) encode(h rtp.Header, law codec.Law, payload []byte) {
	at := len(s.pcm)
	if at > opus.MaxSamples {
		s.pcm, at = s.pcm[:0], 0
	}
	ts := s.follow(h.Time, samplesApart) - uint32(at)*samplesApart
	s.pcm = append(s.pcm, make([]int16, len(payload))...)
	law.Decode(s.pcm[at:], payload)
	for len(s.pcm) >= codec.FrameSamples {
		n, err := s.encoder.Encode(s.out[:], s.pcm[:codec.FrameSamples])
		s.pcm = s.pcm[:copy(s.pcm, s.pcm[codec.FrameSamples:])]
		if err == nil {
			s.seq++
			s.send(h.Marker, s.opus, s.seq, ts, s.out[:n])
		}
		ts += codec.FrameSamples * samplesApart
	}
}

func (s *sender) send(marker bool, pt uint8, seq uint16, ts uint32, payload []byte) {
	s.header = pionrtp.Header{Version: 2, Marker: marker, PayloadType: pt, SequenceNumber: seq, Timestamp: ts, SSRC: s.ssrc}
	_, _ = s.to.WriteRTP(&s.header, payload) // a page that is cut off takes none: the watch sees it
}
