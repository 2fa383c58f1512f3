package media

import (
	"time"

	"tandem/media/codec"
	"tandem/media/rtp"
)

// Seconds between reports: 4 to 6, by SSRC and sequence, so that the reports of
// many calls do not leave together (RFC 3550 section 6.2 asks for 5 on average).
const (
	reportLeast  = 4
	reportSpread = 3
)

// report sends a sender or receiver report, with BYE at the end.
func (s *Stream) report(sh *shard, now time.Duration, bye bool) {
	s.reportIn = reportLeast + int((s.ssrc^uint32(s.seq))%reportSpread)
	if s.control.size == 0 || s.stats.Sent == 0 && s.stats.Received == 0 {
		return
	}
	r := rtp.Report{SSRC: s.ssrc, Bye: bye}
	if r.Sender = s.stats.Sent != s.reported; r.Sender {
		s.reported = s.stats.Sent
		r.NTP = rtp.NTP(sh.epoch.Add(now))
		r.Time = s.base + uint32(now/(time.Second/codec.Rate))
		r.Packet, r.Bytes = uint32(s.stats.Sent), uint32(s.stats.SentBytes)
	}
	var block rtp.Block
	if s.reception.Heard() {
		block = s.reception.Block()
		if s.lastNTP != 0 {
			block.LastSR = s.lastNTP
			block.Delay = uint32((now - s.ntpAt) * 65536 / time.Second)
		}
		r.Block = &block
	}
	var room [rtp.MaxReport]byte
	if !s.sockets.rtcp.send(r.Append(room[:0]), &s.control) {
		s.stats.Faults++
	}
}

// goodbye ends the session on the wire.
func (s *Stream) goodbye() {
	if s.set {
		s.report(s.shard, s.shard.now(), true)
	}
}

// readControl takes RTCP packets.
func (s *Stream) readControl(sh *shard, now time.Duration) {
	budget := 1
	if !s.trusted {
		budget = learnReads
	}
	for range budget {
		n, ok := s.sockets.rtcp.receive(sh.in[:], &sh.from)
		if !ok {
			return
		}
		if n > 0 {
			s.controlPacket(sh, sh.in[:n], now)
		}
	}
}

// controlPacket takes reports from the announced address, or from the host that
// RTP is locked on if it speaks for the same source; the first one locks.
func (s *Stream) controlPacket(sh *shard, b []byte, now time.Duration) {
	if !s.set || s.trusted && !s.control.same(&sh.from) {
		s.stats.Strangers++
		return
	}
	c, err := rtp.ParseControl(b, s.ssrc)
	if err != nil {
		s.stats.Malformed++
		return
	}
	if !s.trusted && !s.control.same(&sh.from) {
		if !s.locked || s.reception.SSRC != c.SSRC || sh.from.addrPort().Addr() != s.remote.addrPort().Addr() {
			s.stats.Strangers++
			return
		}
	}
	if !s.trusted {
		s.trusted = true
		s.control = sh.from
		s.sockets.rtcp.connect(&s.control)
	}
	s.stats.Reports++
	if c.NTP != 0 {
		s.lastNTP, s.ntpAt = uint32(c.NTP>>16), now
	}
	if c.Reports {
		s.stats.RemoteLost = uint64(max(0, c.About.Lost))
		s.stats.RemoteJitter = samples(c.About.Jitter)
		if rtt := c.About.RoundTrip(rtp.NTP(sh.epoch.Add(now))); rtt > 0 {
			s.stats.RoundTrip = rtt
		}
	}
}
