package media

import (
	"time"

	"tandem/media/codec"
	"tandem/media/dtmf"
	"tandem/media/rtp"
)

// secondFrames is the number of frames in a second.
const secondFrames = int64(time.Second / period)

// frame sends what is due in one period of the wheel.
func (s *Stream) frame(sh *shard, at int64, now time.Duration) {
	if at <= s.lastPeriod || s.failed { // done already on the shard the stream came from, or never again
		return
	}
	s.lastPeriod = at
	if len(s.pending) > 0 {
		s.deliver()
	}
	if (at+int64(s.number))%secondFrames == 0 {
		s.everySecond(sh, now)
	}
	if !s.sends() {
		s.sending = false
		return
	}
	ts := s.base + uint32(at)*codec.FrameSamples
	payload := sh.out[rtp.HeaderSize : rtp.HeaderSize+codec.FrameSamples]
	switch {
	case s.keysOut.Busy():
		if p, ok := s.keysOut.Next(ts); ok {
			s.sendEvent(sh, p.Event, p.Time, p.Marker)
			return
		}
		s.params.Law.Fill(payload)
	case s.direct():
		if s.relay.live && now-s.relay.last < relayGap {
			return
		}
		s.params.Law.Fill(payload)
	case s.party.hearsAny():
		s.mixFrame(sh, at, payload)
	default:
		if s.fill(payload) && s.told != nil {
			n := s.params.Law.Decode(sh.pcm[:], payload)
			s.told.Put(uint32(at*codec.FrameSamples), s.position(at), sh.pcm[:n])
		}
	}
	s.relay.live = false // what is passed from now on goes on after this frame
	if step := int32(ts - s.lastTime); s.stats.Sent > 0 && step <= 0 {
		// relayed packets ran ahead of our clock: it steps forward, never back
		s.base += uint32(codec.FrameSamples - step)
		ts += uint32(codec.FrameSamples - step)
	}
	s.sendAudio(sh, len(payload), nil, ts, !s.sending, now)
}

// sends reports whether the far end wants to hear us and can be reached.
func (s *Stream) sends() bool {
	return s.set && s.params.Send && (s.remote.size > 0 || s.wire != nil)
}

// sendAudio sends the n bytes of payload that lie in sh.out behind the header, or what they
// were decoded from.
func (s *Stream) sendAudio(sh *shard, n int, original []byte, ts uint32, marker bool, now time.Duration) {
	s.lastTime, s.sending, s.opus = ts, true, len(original) > 0
	for _, r := range s.recordings {
		if r.stereo {
			r.put(sent, sh.out[rtp.HeaderSize:rtp.HeaderSize+n], s.params.Law, ts, now)
		}
	}
	s.transmit(sh, rtp.Header{Marker: marker, Payload: s.params.Payload, Time: ts}, n, original)
}

// transmit numbers and sends one packet whose payload lies in sh.out.
func (s *Stream) transmit(sh *shard, h rtp.Header, n int, original []byte) {
	h.Seq, h.SSRC = s.seq, s.ssrc
	s.seq++
	h.Put(sh.out[:])
	if s.wire != nil {
		of := sh.work // a panic there is this stream's, whoever's packet it is
		sh.work = s
		s.wire.Send(sh.out[:rtp.HeaderSize+n], original)
		sh.work = of
	} else if !s.sockets.rtp.send(sh.out[:rtp.HeaderSize+n], &s.remote) {
		s.stats.Faults++
		sh.counts.sendErrors++
		return
	}
	s.stats.Sent++
	s.stats.SentBytes += uint64(n)
	sh.counts.sent++
}

// sendEvent sends one telephone-event packet.
func (s *Stream) sendEvent(sh *shard, e dtmf.Event, ts uint32, marker bool) {
	e.Put(sh.out[rtp.HeaderSize:])
	s.transmit(sh, rtp.Header{Marker: marker, Payload: s.params.Event, Time: ts}, dtmf.EventSize, nil)
}
