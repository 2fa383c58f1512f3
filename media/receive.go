package media

import (
	"time"

	"tandem/media/codec"
	"tandem/media/dtmf"
	"tandem/media/rtp"
)

// read takes packets from the RTP socket: one a look once the source is known,
// which also bounds what a flood from it can cost; more while it is not, so that
// strangers cannot fill the socket.
func (s *Stream) read(sh *shard, now time.Duration) {
	budget := 1
	if !s.locked {
		budget = learnReads
	}
	for range budget {
		n, ok := s.sockets.rtp.receive(sh.in[:], &sh.from)
		if !ok {
			return
		}
		if n > 0 {
			s.packet(sh, sh.in[:n], nil, now)
		}
	}
}

// packet judges one packet and gives it to whom it concerns, with its original if it has one.
func (s *Stream) packet(sh *shard, b, original []byte, now time.Duration) {
	sh.original = original
	if s.locked && !s.remote.same(&sh.from) {
		s.stats.Strangers++ // it lay in the socket before the kernel filtered
		return
	}
	h, payload, err := rtp.Parse(b)
	if err != nil {
		s.stats.Malformed++
		return
	}
	if s.wire != nil && !s.set {
		return
	}
	if s.wire == nil && !s.locked && !s.learn(sh, h, now) {
		s.stats.Strangers++
		return
	}
	if !s.params.Recv {
		return
	}
	s.heard, s.silent = now, false
	s.stats.Received++
	s.stats.ReceivedBytes += uint64(len(payload))
	sh.counts.received++
	if h.Payload == s.params.Event && s.params.Event != 0 {
		s.hearEvent(sh, h, payload, now)
		return
	}
	law := s.params.Law
	if h.Payload != s.params.Payload {
		switch h.Payload { // the other law, which far ends may send unasked once it was offered
		case codec.PCMU.Payload():
			law = codec.PCMU
		case codec.PCMA.Payload():
			law = codec.PCMA
		default:
			return // comfort noise and the like: a sign of life, no audio
		}
	}
	if s.reception.Note(h, uint32(now/(time.Second/codec.Rate))) == rtp.Suspect {
		return
	}
	s.hearAudio(sh, h, payload, law, now)
}

// learn asks whether the packet's source is the far end, and connects to it if so.
func (s *Stream) learn(sh *shard, h rtp.Header, now time.Duration) bool {
	known := h.Payload == s.params.Payload || h.Payload == s.params.Event || h.Payload == 0 || h.Payload == 8
	if !s.set || !known || !s.source.Accept(sh.from.addrPort(), h, sh.epoch.Add(now)) {
		return false
	}
	s.locked, s.lockedAt = true, now
	s.remote = sh.from
	s.sockets.rtp.connect(&s.remote)
	return true
}

// unlock opens the sockets to every source again.
func (s *Stream) unlock() {
	s.locked, s.trusted = false, false
	s.sockets.rtp.disconnect()
	s.sockets.rtcp.disconnect()
	s.tune()
}

const (
	// keyLost is how long a key may be without a packet before it counts as ended.
	keyLost = 200 * time.Millisecond
	// keyTail is how long after its end the audio may still have its tone: some far ends
	// send both.
	keyTail = 60 * time.Millisecond
)

// fade ends a hush that was to end as soon as no key sounds any more. What is left of
// that key, such as repeated ends, does not pass afterwards either.
func (s *Stream) fade(now time.Duration) {
	if !s.fading {
		return
	}
	wait := keyTail
	if s.pressed {
		wait = keyLost
	}
	if s.pressedAt > 0 && now-s.pressedAt < wait || s.detector != nil && s.detector.Sounds() {
		return
	}
	s.hushed, s.fading = false, false
	s.hushedTo.ssrc, s.hushedTo.time, s.hushedTo.any = s.keysIn.Newest()
}

// hearEvent takes a telephone-event packet. It may have an SSRC and sequence of
// its own.
func (s *Stream) hearEvent(sh *shard, h rtp.Header, payload []byte, now time.Duration) {
	if s.reception.Heard() && h.SSRC == s.reception.SSRC {
		s.reception.Note(h, uint32(now/(time.Second/codec.Rate)))
	}
	e, err := dtmf.ParseEvent(payload)
	if err != nil {
		s.stats.Malformed++
		return
	}
	s.fade(now)
	s.pressed, s.pressedAt = !e.End, now
	if digit, fresh := s.keysIn.Note(h.SSRC, h.Time, h.Marker, e); fresh {
		s.key(digit, dtmf.ViaEvent)
	}
	if s.hushed || s.hushedTo.covers(h) {
		return
	}
	if s.peer != nil && !s.begun.covers(h) { // a key pressed before was not for them
		s.passEvent(s.peer, sh, h, e, now)
	}
	for _, hearer := range s.hearers {
		if !hearer.begun.covers(h) {
			s.passEvent(hearer.to, sh, h, e, now)
		}
	}
}

// hearAudio gives audio to those who listen.
func (s *Stream) hearAudio(sh *shard, h rtp.Header, payload []byte, law codec.Law, now time.Duration) {
	var pcm []int16
	if s.detector != nil {
		pcm = sh.pcm[:law.Decode(sh.pcm[:], payload)]
		s.detector.Note(pcm, s.found)
	}
	s.fade(now)
	if s.hushed {
		return
	}
	if s.repeats { // Opus may repeat within a packet what was in the one before (RFC 6716 section 2.1.7)
		s.repeats, sh.original = false, nil
	}
	for _, r := range s.recordings {
		r.put(received, payload, law, h.Time, now)
	}
	if s.peer != nil {
		s.passAudio(s.peer, sh, h, payload, law, now)
	}
	for _, hearer := range s.hearers {
		if hearer.to.party.sole() {
			s.passAudio(hearer.to, sh, h, payload, law, now)
		}
	}
	if s.voice != nil {
		if pcm == nil {
			pcm = sh.pcm[:law.Decode(sh.pcm[:], payload)]
		}
		s.voice.Put(h.Time, wall(now), pcm)
	}
}

// everySecond does what has time: the silence clocks and RTCP.
func (s *Stream) everySecond(sh *shard, now time.Duration) {
	if !s.set {
		return
	}
	if s.params.Recv {
		quiet := now - s.heard
		if quiet >= sh.timeout && !s.silent {
			s.silent = true
			s.tell(Silent{})
		}
		if s.locked && quiet >= rtp.ProvenSilence {
			s.source.Silent(sh.epoch.Add(now))
			s.unlock()
		}
	}
	s.economise(now)
	if s.reportIn--; s.reportIn <= 0 {
		s.report(sh, now, false)
	}
}
