package testkit

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/zaf/g711"
)

const (
	frame     = 20 * time.Millisecond
	frameLen  = Rate / 50 // samples, and bytes of G.711
	eventType = 101
	keys      = "0123456789*#ABCD" // by event number, RFC 4733 section 3.2
)

// Packet is one RTP packet as it came in.
type Packet struct {
	At      time.Time
	From    netip.AddrPort
	SSRC    uint32
	Seq     uint16
	TS      uint32
	Type    uint8
	Marker  bool
	Payload []byte
}

// RTP is one UDP port that sends a frame every 20 ms once it is aimed and keeps
// all it receives. One goroutine sends, one reads; both end with the test. It
// has no jitter buffer and answers no RTCP.
type RTP struct {
	t    testing.TB
	conn *net.UDPConn
	stop chan struct{}

	mu       sync.Mutex
	to       netip.AddrPort
	sending  bool
	talk     []byte // mu-law, repeated for ever
	talkAt   int
	ssrc, ts uint32
	seq      uint16
	presses  []*press // at most what a test queues
	got      []Packet
	news     chan struct{} // closed and replaced at each packet
}

// Key says how a key is sent.
type Key struct {
	Digit byte
	For   time.Duration // 0 = 100 ms
	Ends  int           // copies of the end packet; 0 = 3 (RFC 4733 section 2.5.1.4)
	Gap   time.Duration // silence after it; 0 = 60 ms
}

type press struct {
	Key
	sent  int // packets so far
	gap   int // frames of pause left
	begun chan time.Time
	done  chan struct{}
}

// NewRTP opens a port on 127.0.0.1 that talks silence when aimed.
func NewRTP(t testing.TB) *RTP {
	t.Helper()
	return NewRTPAt(t, Loopback(0).Addr())
}

// NewRTPAt opens a port on another address of this machine, such as 127.0.0.2.
func NewRTPAt(t testing.TB, at netip.Addr) *RTP {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, 0)))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadBuffer(1 << 20) // a smaller one is no fault, only less patient
	r := &RTP{t: t, conn: conn, stop: make(chan struct{}), news: make(chan struct{}),
		ssrc: rand.Uint32(), seq: uint16(rand.Uint32()), ts: rand.Uint32(), talk: g711.EncodeUlaw(toBytes(Silence(frame)))}
	var running sync.WaitGroup
	running.Go(r.read)
	running.Go(r.send)
	t.Cleanup(func() {
		close(r.stop)
		conn.Close()
		running.Wait()
	})
	return r
}

// Port is the local port.
func (r *RTP) Port() int { return r.conn.LocalAddr().(*net.UDPAddr).Port }

// Addr is the local address.
func (r *RTP) Addr() netip.AddrPort { return r.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

// SSRC is the source this end sends under.
func (r *RTP) SSRC() uint32 { return r.ssrc }

// Aim starts sending to an address.
func (r *RTP) Aim(to netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to, r.sending = to, to.IsValid()
}

// Quiet stops sending.
func (r *RTP) Quiet() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.sending = false
}

// Talk sets what is sent, over and over.
func (r *RTP) Talk(pcm []int16) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.talk, r.talkAt = g711.EncodeUlaw(toBytes(pcm)), 0
}

// Press sends keys one after the other in place of audio, and returns when the last
// is over. The times are when each one's first packet left.
func (r *RTP) Press(keys ...Key) []time.Time {
	r.t.Helper()
	var queued []*press
	total := Patience
	r.mu.Lock()
	for _, k := range keys {
		if k.For == 0 {
			k.For = 100 * time.Millisecond
		}
		if k.Ends == 0 {
			k.Ends = 3
		}
		if k.Gap == 0 {
			k.Gap = 60 * time.Millisecond
		}
		total += k.For + k.Gap + time.Duration(k.Ends)*frame
		queued = append(queued, &press{Key: k, gap: int(k.Gap / frame), begun: make(chan time.Time, 1), done: make(chan struct{})})
	}
	r.presses = append(r.presses, queued...)
	r.mu.Unlock()
	deadline := time.After(total)
	var times []time.Time
	for _, p := range queued {
		select {
		case <-p.done:
			times = append(times, <-p.begun)
		case <-deadline:
			r.t.Fatalf("key %c was not sent: is the RTP aimed?", p.Digit)
		}
	}
	return times
}

// Type presses digits in plain manner.
func (r *RTP) Type(digits string) []time.Time {
	r.t.Helper()
	var ks []Key
	for _, d := range []byte(digits) {
		ks = append(ks, Key{Digit: d})
	}
	return r.Press(ks...)
}

func (r *RTP) send() {
	next := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-r.stop:
			return
		case <-timer.C:
		}
		r.tick()
		next = next.Add(frame)
		timer.Reset(time.Until(next))
	}
}

// tick sends what belongs to these 20 ms.
func (r *RTP) tick() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.sending {
		return
	}
	if len(r.presses) > 0 {
		r.press(r.presses[0])
		return
	}
	payload := make([]byte, frameLen)
	for i := range payload {
		payload[i] = r.talk[r.talkAt]
		r.talkAt = (r.talkAt + 1) % len(r.talk)
	}
	r.out(0, false, r.ts, payload)
	r.ts += frameLen
}

// press sends the next packet of a key: growing durations, then the end packets,
// all under the timestamp of its start (RFC 4733 section 2.5.1).
func (r *RTP) press(p *press) {
	frames := int(p.For / frame)
	switch {
	case p.sent < frames+p.Ends-1:
		if p.sent == 0 {
			p.begun <- time.Now()
		}
		r.event(p.Digit, min(p.sent+1, frames), p.sent >= frames-1, p.sent == 0)
		p.sent++
		if p.sent < frames+p.Ends-1 {
			return
		}
		r.ts += uint32(frames+p.Ends-1) * frameLen
	case p.gap > 0:
		p.gap--
		r.ts += frameLen
	}
	if p.gap == 0 {
		close(p.done)
		r.presses = r.presses[1:]
	}
}

func (r *RTP) event(digit byte, frames int, end, first bool) {
	payload := []byte{byte(strings.IndexByte(keys, digit)), 10, 0, 0}
	if end {
		payload[1] |= 0x80
	}
	binary.BigEndian.PutUint16(payload[2:], uint16(frames*frameLen))
	r.out(eventType, first, r.ts, payload)
}

func (r *RTP) out(kind uint8, marker bool, ts uint32, payload []byte) {
	b := make([]byte, 12, 12+len(payload))
	b[0], b[1] = 0x80, kind
	if marker {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], r.seq)
	binary.BigEndian.PutUint32(b[4:], ts)
	binary.BigEndian.PutUint32(b[8:], r.ssrc)
	r.seq++
	// A port that nobody has open refuses; that is the far end's affair.
	_, _ = r.conn.WriteToUDPAddrPort(append(b, payload...), r.to)
}

func (r *RTP) read() {
	buf := make([]byte, 2048)
	for {
		n, from, err := r.conn.ReadFromUDPAddrPort(buf)
		at := time.Now()
		select {
		case <-r.stop:
			return
		default:
		}
		if err != nil || n < 12 || buf[0]>>6 != 2 {
			continue // ICMP refusals come here as errors
		}
		kind := buf[1] & 0x7f
		if kind >= 64 && kind < 96 {
			continue // RTCP, RFC 5761 section 4
		}
		p := Packet{At: at, From: from, Type: kind, Marker: buf[1]&0x80 != 0,
			Seq: binary.BigEndian.Uint16(buf[2:]), TS: binary.BigEndian.Uint32(buf[4:]), SSRC: binary.BigEndian.Uint32(buf[8:]),
			Payload: append([]byte(nil), buf[12:n]...)}
		r.mu.Lock()
		r.got = append(r.got, p)
		close(r.news)
		r.news = make(chan struct{})
		r.mu.Unlock()
	}
}

// Packets returns what came in at or after a time; the zero time means all.
func (r *RTP) Packets(since time.Time) []Packet {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, p := range r.got {
		if !p.At.Before(since) {
			return append([]Packet(nil), r.got[i:]...)
		}
	}
	return nil
}

// Wait looks at all packets since a time after each arrival, until ok says that it
// has seen enough. It reports false after d.
func (r *RTP) Wait(d time.Duration, since time.Time, ok func([]Packet) bool) bool {
	deadline := time.After(d)
	for {
		r.mu.Lock()
		news := r.news
		r.mu.Unlock()
		if ok(r.Packets(since)) {
			return true
		}
		select {
		case <-news:
		case <-deadline:
			return false
		}
	}
}

// Hear waits until a tone has sounded for a while and nothing else has, and fails the
// test with a transcript when it does not within d. Frames that a busy sender has left
// out do not count.
func (r *RTP) Hear(d time.Duration, since time.Time, hz int, long time.Duration) {
	r.t.Helper()
	frames := int(long / frame)
	heard := r.Wait(d, since, func(ps []Packet) bool {
		if len(ps) < frames {
			return false
		}
		var pcm []int16
		for i := len(ps) - frames; i < len(ps); i++ {
			pcm = append(pcm, Audio(ps[i:i+1])...)
		}
		spans := Transcript(pcm, hz)
		return len(spans) == 1 && spans[0].Hz == hz
	})
	if !heard {
		r.t.Fatalf("%d Hz was not heard within %v; heard %s", hz, d, Describe(Transcript(Audio(r.Packets(since)), hz)))
	}
}

// Audio decodes packets of G.711 into one run of samples, with silence where
// timestamps leave room. Late and doubled packets are dropped.
func Audio(packets []Packet) []int16 {
	const longest = 30 * Rate // a jump beyond this is a new stream, not a pause
	var pcm []int16
	var ssrc, next uint32
	for i, p := range packets {
		var decoded []int16
		switch p.Type {
		case 0:
			decoded = fromBytes(g711.DecodeUlaw(p.Payload))
		case 8:
			decoded = fromBytes(g711.DecodeAlaw(p.Payload))
		default:
			continue
		}
		if i > 0 && p.SSRC == ssrc {
			gap := int32(p.TS - next)
			if gap < 0 && gap > -longest {
				continue
			}
			if gap > 0 && gap <= longest {
				pcm = append(pcm, make([]int16, gap)...)
			}
		}
		pcm = append(pcm, decoded...)
		ssrc, next = p.SSRC, p.TS+uint32(len(decoded))
	}
	return pcm
}

// Digits reads the keys among packets: one for each SSRC and timestamp.
func Digits(packets []Packet) string {
	type start struct{ ssrc, ts uint32 }
	seen := map[start]bool{}
	var b strings.Builder
	for _, p := range packets {
		if p.Type != eventType || len(p.Payload) < 4 || int(p.Payload[0]) >= len(keys) {
			continue
		}
		if s := (start{p.SSRC, p.TS}); !seen[s] {
			seen[s] = true
			b.WriteByte(keys[p.Payload[0]])
		}
	}
	return b.String()
}
