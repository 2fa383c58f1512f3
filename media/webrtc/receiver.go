package webrtc

import (
	"encoding/binary"

	"tandem/media/codec"
	"tandem/media/codec/opus"
	"tandem/media/rtp"
)

// receiver makes a page's packets those that the stream takes: G.711 and
// telephone-event at 8 kHz as they are, Opus and its events (RFC 7587, RFC 4733) turned
// into them. Opus stays beside the G.711 that was made of it, for who takes it as it is. It
// belongs to the goroutine that reads the page's track.
type receiver struct {
	opus   uint8 // payload types; 0 = none
	event  uint8 // of telephone-event at 8 kHz, or what stands for it
	wide   uint8 // of telephone-event at 48 kHz
	to     func(packet, original []byte)
	failed uint64 // packets of Opus that could not be decoded

	decoder *opus.Decoder
	started bool
	last    uint32 // timestamp of the page's newest audio
	apart   uint32 // samples of its clock to one of ours: that of the codec
	now     uint32 // ours for it, 8 kHz
	from    uint16 // sequence of the page
	seq     uint16 // ours
	pcm     [opus.MaxSamples]int16
	out     [rtp.HeaderSize + codec.FrameSamples]byte
}

const (
	samplesApart = opus.ClockRate / codec.Rate // of a 48 kHz clock, to one of ours
	// maxStep is the longest pause in which a page's codec may change, in samples of ours.
	maxStep = 10 * codec.Rate
)

// take hands one packet on.
func (r *receiver) take(b []byte) {
	h, payload, err := rtp.Parse(b)
	if err != nil {
		return
	}
	switch {
	case r.opus != 0 && h.Payload == r.opus:
		r.decode(h, payload)
	case r.wide != 0 && h.Payload == r.wide, r.event != 0 && h.Payload == r.event:
		r.key(h, payload)
	case h.Payload == codec.PCMU.Payload(), h.Payload == codec.PCMA.Payload():
		r.follow(h, 1)
		binary.BigEndian.PutUint16(b[2:], r.seq) // RFC 3550, section 5.1
		binary.BigEndian.PutUint32(b[4:], r.now)
		r.to(b, nil)
	default:
		r.to(b, nil)
	}
}

// follow moves our clock and sequence as far as the page's moved, whose clock is that of
// its codec: where that changes, so does the clock, and the page's times are to go on (RFC
// 7160, section 4.1). Of one whose do not, a frame has gone by.
func (r *receiver) follow(h rtp.Header, apart uint32) {
	if !r.started {
		r.started, r.last, r.apart, r.now, r.from, r.seq = true, h.Time, apart, h.Time/apart, h.Seq, h.Seq
		return
	}
	step := int32(h.Time-r.last) / int32(apart)
	if apart != r.apart && (step <= 0 || step > maxStep) {
		step = codec.FrameSamples
	}
	r.now += uint32(step)
	r.last, r.apart = h.Time, apart
	r.seq += h.Seq - r.from
	r.from = h.Seq
}

// decode hands a packet of Opus on as PCMU, in frames of 20 ms; if it is one frame, with the
// packet as it came.
func (r *receiver) decode(h rtp.Header, payload []byte) {
	if r.decoder == nil {
		d, err := opus.NewDecoder()
		if err != nil {
			return
		}
		r.decoder = d
	}
	if len(payload) == 0 {
		return
	}
	n, err := r.decoder.Decode(r.pcm[:], payload)
	if err != nil {
		r.failed++
		return
	}
	r.follow(h, samplesApart)
	original := payload
	if n > codec.FrameSamples {
		original = nil
	}
	for at := 0; at < n; at += codec.FrameSamples {
		size := min(codec.FrameSamples, n-at)
		if at > 0 {
			r.seq++
		}
		head := rtp.Header{Marker: h.Marker && at == 0, Payload: codec.PCMU.Payload(), Seq: r.seq, Time: r.now + uint32(at), SSRC: h.SSRC}
		head.Put(r.out[:])
		codec.PCMU.Encode(r.out[rtp.HeaderSize:], r.pcm[at:at+size])
		r.to(r.out[:rtp.HeaderSize+size], original)
	}
}

// key hands a telephone-event on. Its time is by the clock of the audio around it, its
// length by its own.
func (r *receiver) key(h rtp.Header, payload []byte) {
	if len(payload) < 4 || r.event == 0 {
		return
	}
	ts, seq := h.Time, h.Seq
	if r.started {
		ts = r.now + uint32(int32(h.Time-r.last)/int32(r.apart))
		r.seq += h.Seq - r.from
		r.from, seq = h.Seq, r.seq
	}
	head := rtp.Header{Marker: h.Marker, Payload: r.event, Seq: seq, Time: ts, SSRC: h.SSRC}
	head.Put(r.out[:])
	event := r.out[rtp.HeaderSize : rtp.HeaderSize+4]
	copy(event, payload[:4])
	if h.Payload == r.wide {
		binary.BigEndian.PutUint16(event[2:], binary.BigEndian.Uint16(payload[2:])/samplesApart)
	}
	r.to(r.out[:rtp.HeaderSize+4], nil)
}
