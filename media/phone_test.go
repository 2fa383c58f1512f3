package media

import (
	"errors"
	"math"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem/media/codec"
	"tandem/media/dtmf"
	"tandem/media/rtp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests.
const patience = 5 * time.Second

// phone is a far end: a plain UDP socket that speaks RTP by hand.
type phone struct {
	t    *testing.T
	conn *net.UDPConn
	to   netip.AddrPort
	head rtp.Header
	buf  [2048]byte
}

func newPhone(t *testing.T, to int) *phone {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &phone{t: t, conn: conn, to: local(to), head: rtp.Header{Seq: 65530, Time: 4294960000, SSRC: uint32(conn.LocalAddr().(*net.UDPAddr).Port)}}
}

func local(port int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port))
}

func (p *phone) addr() netip.AddrPort {
	return local(p.conn.LocalAddr().(*net.UDPAddr).Port)
}

// send sends one packet; the sequence goes on.
func (p *phone) send(payload []byte) {
	p.t.Helper()
	b := make([]byte, rtp.HeaderSize, rtp.HeaderSize+len(payload))
	p.head.Put(b)
	p.head.Seq++
	if _, err := p.conn.WriteToUDPAddrPort(append(b, payload...), p.to); err != nil && !refused(err) {
		p.t.Fatal(err)
	}
}

func refused(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "write" // the port of a closed or connected stream
}

// speak sends n frames of PCMU of a tone, all at once.
func (p *phone) speak(n int, hz float64) {
	p.t.Helper()
	pcm := sine(hz, n*codec.FrameSamples)
	for i := range n {
		frame := make([]byte, codec.FrameSamples)
		codec.PCMU.Encode(frame, pcm[i*codec.FrameSamples:])
		p.head.Payload, p.head.Marker = 0, false
		p.send(frame)
		p.head.Time += codec.FrameSamples
	}
}

// press sends a whole key as telephone-event 101: five updates and three ends.
func (p *phone) press(digit byte) {
	p.t.Helper()
	for _, e := range eventPackets(digit, p.head.Time) {
		p.event(e)
	}
	p.head.Time += 8 * codec.FrameSamples
}

func (p *phone) event(e dtmf.Packet) {
	p.t.Helper()
	at := p.head.Time
	p.head.Payload, p.head.Marker, p.head.Time = 101, e.Marker, e.Time
	var b [dtmf.EventSize]byte
	e.Event.Put(b[:])
	p.send(b[:])
	p.head.Payload, p.head.Marker, p.head.Time = 0, false, at
}

// eventPackets are the packets of one 100 ms press.
func eventPackets(digit byte, at uint32) []dtmf.Packet {
	var s dtmf.Sender
	s.Press(digit, 100)
	var all []dtmf.Packet
	for s.Busy() {
		if p, ok := s.Next(at); ok {
			all = append(all, p)
		}
	}
	return all
}

// packet is one received packet.
type packet struct {
	rtp.Header
	payload []byte
	at      time.Time
}

// next waits for one packet.
func (p *phone) next() packet {
	p.t.Helper()
	pk, ok := p.within(patience)
	if !ok {
		p.t.Fatal("no packet came")
	}
	return pk
}

// within waits for one packet for at most d.
func (p *phone) within(d time.Duration) (packet, bool) {
	p.t.Helper()
	deadline := time.Now().Add(d)
	for {
		if err := p.conn.SetReadDeadline(deadline); err != nil {
			p.t.Fatal(err)
		}
		n, err := p.conn.Read(p.buf[:])
		at := time.Now()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return packet{}, false
		}
		if err != nil {
			continue // a refusal that an earlier packet earned
		}
		h, payload, err := rtp.Parse(p.buf[:n])
		if err != nil {
			p.t.Fatalf("bad packet: %v", err)
		}
		return packet{h, append([]byte(nil), payload...), at}, true
	}
}

// hear collects n packets and decodes their audio.
func (p *phone) hear(n int, law codec.Law) ([]packet, []int16) {
	p.t.Helper()
	var all []packet
	var pcm []int16
	for len(all) < n {
		pk := p.next()
		all = append(all, pk)
		if pk.Payload == law.Payload() {
			part := make([]int16, len(pk.payload))
			law.Decode(part, pk.payload)
			pcm = append(pcm, part...)
		}
	}
	return all, pcm
}

// waitTone reads until 100 ms of the tone in a row were heard.
func (p *phone) waitTone(hz float64, law codec.Law) {
	p.t.Helper()
	var pcm []int16
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		_, part := p.hear(1, law)
		pcm = append(pcm, part...)
		if len(pcm) > 800 {
			pcm = pcm[len(pcm)-800:]
			if level(pcm, hz) > 0.8 {
				return
			}
		}
	}
	p.t.Fatalf("no tone of %v Hz came", hz)
}

// level is the share of the tone in the audio's energy, by Goertzel; 0 for silence.
func level(pcm []int16, hz float64) float64 {
	w := 2 * math.Cos(2*math.Pi*hz/codec.Rate)
	var v1, v2, energy float64
	for _, s := range pcm {
		x := float64(s)
		energy += x * x
		v1, v2 = x+w*v1-v2, v1
	}
	if energy < 100*float64(len(pcm)) {
		return 0
	}
	return (v1*v1 + v2*v2 - w*v1*v2) * 2 / float64(len(pcm)) / energy
}

func sine(hz float64, n int) []int16 {
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16(8000 * math.Sin(2*math.Pi*hz*float64(i)/codec.Rate))
	}
	return pcm
}

func newEngine(t *testing.T, cfg Config) *Engine {
	t.Helper()
	cfg.Address = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	e, err := NewEngine(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// call is a stream and the phone at its other end.
func call(t *testing.T, e *Engine, law codec.Law) (*Stream, *phone) {
	t.Helper()
	s, err := e.Open()
	if err != nil {
		t.Fatal(err)
	}
	p := newPhone(t, s.Port())
	s.Set(params(p, law))
	return s, p
}

func params(p *phone, law codec.Law) Params {
	return Params{Remote: p.addr(), Law: law, Payload: law.Payload(), Event: 101, Send: true, Recv: true}
}

// nextEvent waits for an event of one type and skips others.
func nextEvent[E Event](t *testing.T, s *Stream) E {
	t.Helper()
	late := time.After(patience)
	for {
		select {
		case e := <-s.Events():
			if want, ok := e.(E); ok {
				return want
			}
		case <-late:
			var want E
			t.Fatalf("no %T came", want)
		}
	}
}

// waitStats waits until the stream's figures are as they should be.
func waitStats(t *testing.T, s *Stream, good func(Stats) bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for st := s.Stats(); !good(st); st = s.Stats() {
		if time.Now().After(deadline) {
			t.Fatalf("figures: %+v", st)
		}
	}
}
