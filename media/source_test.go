package media

import (
	"errors"
	"net"
	"testing"
	"time"

	"tandem/media/codec"
	"tandem/media/rtp"
)

// A stranger who sprays before and after the phone's first packet gets nothing,
// is not heard, and cannot take the call over.
func TestStrangers(t *testing.T) {
	e := newEngine(t, Config{})
	s, p := call(t, e, codec.PCMU)
	stranger := newPhone(t, s.Port())
	control := newPhone(t, s.Port()+1)
	spray := func() {
		stranger.speak(20, 440)
		stranger.press('9')
		if _, err := control.conn.WriteToUDPAddrPort(rtp.Report{SSRC: 1}.Append(nil), control.to); err != nil && !refused(err) {
			t.Fatal(err)
		}
	}
	spray()
	p.press('1')
	if got := nextEvent[Key](t, s); got.Digit != '1' {
		t.Fatalf("heard %+v", got)
	}
	for range 5 {
		spray()
		p.hear(2, codec.PCMU) // the phone is still the one that is spoken to
	}
	p.press('2')
	if got := nextEvent[Key](t, s); got.Digit != '2' {
		t.Fatalf("heard %+v", got)
	}
	st := s.Close()
	if st.Strangers < 20 || st.Digits != 2 {
		t.Errorf("%d strangers, %d digits", st.Strangers, st.Digits)
	}
	for name, other := range map[string]*phone{"RTP": stranger, "RTCP": control} {
		if pk, ok := other.within(10 * time.Millisecond); ok {
			t.Errorf("%s: the stranger was sent %+v", name, pk.Header)
		}
	}
}

// A phone behind a NAT: signalling names an address where nobody is.
func TestNAT(t *testing.T) {
	e := newEngine(t, Config{})
	s, p := call(t, e, codec.PCMU)
	wrong := newPhone(t, s.Port())
	announced := params(wrong, codec.PCMU)
	s.Set(announced)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); ; <-tick.C {
		p.speak(1, 440)
		if _, ok := p.within(time.Millisecond); ok {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the phone's real address was not learned")
		}
	}
	p.press('3')
	if got := nextEvent[Key](t, s); got.Digit != '3' {
		t.Errorf("heard %+v", got)
	}
}

func TestSetLearnsAnew(t *testing.T) {
	e := newEngine(t, Config{})
	s, p := call(t, e, codec.PCMU)
	p.press('1')
	nextEvent[Key](t, s)
	moved := newPhone(t, s.Port())
	moved.press('8') // before signalling has said so
	s.Set(params(moved, codec.PCMA))
	moved.hear(3, codec.PCMA)
	moved.press('2')
	if got := nextEvent[Key](t, s); got.Digit != '2' {
		t.Errorf("heard %+v", got)
	}
	p.press('9')
	moved.press('4')
	if got := nextEvent[Key](t, s); got.Digit != '4' {
		t.Errorf("heard %+v", got)
	}
}

func TestSilent(t *testing.T) {
	e := newEngine(t, Config{Timeout: 50 * time.Millisecond})
	gone, p := call(t, e, codec.PCMU)
	held, q := call(t, e, codec.PCMU)
	on := params(q, codec.PCMU)
	on.Recv = false
	held.Set(on)
	p.speak(1, 440)
	nextEvent[Silent](t, gone)
	p.press('1')
	nextEvent[Key](t, gone)
	nextEvent[Silent](t, gone) // told again after a sign of life
	select {
	case e := <-held.Events():
		t.Errorf("on hold, but %#v", e)
	default:
	}
}

// SIPp and some phones send their keys under an SSRC and sequence of their own.
func TestKeysUnderAnotherSSRC(t *testing.T) {
	e := newEngine(t, Config{})
	s, p := call(t, e, codec.PCMU)
	p.speak(3, 440)
	audio := p.head
	for i, digit := range []byte("12") {
		p.head.SSRC, p.head.Seq, p.head.Time = 0x12345678, uint16(100+8*i), uint32(8000+2000*i)
		p.press(digit)
		if got := nextEvent[Key](t, s); got.Digit != digit {
			t.Errorf("heard %+v", got)
		}
		p.head = audio
		p.speak(3, 440)
		audio = p.head
	}
	if st := s.Close(); st.Digits != 2 || st.Lost != 0 {
		t.Errorf("figures: %+v", st)
	}
}

func TestTonesAreKeysOnlyIfAsked(t *testing.T) {
	e := newEngine(t, Config{})
	dual := func(p *phone) {
		pcm, high := sine(770, 800), sine(1336, 800)
		for i := range pcm {
			pcm[i] = pcm[i]/2 + high[i]/2
		}
		for i := 0; i < len(pcm); i += codec.FrameSamples {
			b := make([]byte, codec.FrameSamples)
			codec.PCMU.Encode(b, pcm[i:])
			p.send(b)
			p.head.Time += codec.FrameSamples
		}
		p.speak(5, 0)
	}
	s, p := call(t, e, codec.PCMU)
	on := params(p, codec.PCMU)
	on.Tones = true
	s.Set(on) // events were agreed on: tones are no keys
	dual(p)
	on.Event = 0
	waitStats(t, s, func(st Stats) bool { return st.Received >= 10 })
	s.Set(on)
	dual(p)
	if got := nextEvent[Key](t, s); got.Digit != '5' || got.Via.String() != "tone" {
		t.Errorf("heard %+v", got)
	}
	if st := s.Close(); st.Digits != 1 {
		t.Errorf("%d digits", st.Digits)
	}
}

func TestRubbishIsCounted(t *testing.T) {
	e := newEngine(t, Config{})
	s, p := call(t, e, codec.PCMU)
	for _, b := range []string{"", "x", "GET / HTTP/1.1\r\n\r\n"} {
		if _, err := p.conn.WriteToUDPAddrPort([]byte(b), p.to); err != nil {
			t.Fatal(err)
		}
	}
	p.press('1')
	nextEvent[Key](t, s)
	if st := s.Close(); st.Malformed != 2 || st.Digits != 1 {
		t.Errorf("figures: %+v", st)
	}
}

func TestPortsRunOutAndDrain(t *testing.T) {
	free, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	port := free.LocalAddr().(*net.UDPAddr).Port &^ 1
	free.Close()
	e := newEngine(t, Config{Ports: [2]int{port, port + 3}})
	a, err := e.Open()
	if err != nil {
		t.Fatal(err)
	}
	b, err := e.Open()
	if err != nil {
		t.Fatal(err)
	}
	if a.Port()%2 != 0 || a.Port() == b.Port() {
		t.Errorf("ports %d and %d", a.Port(), b.Port())
	}
	if _, err := e.Open(); !errors.Is(err, ErrNoPorts) {
		t.Errorf("a third stream: %v", err)
	}
	a.Close()
	if _, err := e.Open(); !errors.Is(err, ErrNoPorts) {
		t.Errorf("the port is used again at once: %v", err)
	}
	if l := e.Load(); l.Streams != 1 || l.Ports != 2 || l.Draining {
		t.Errorf("load: %+v", l)
	}
	e.Drain()
	if _, err := e.Open(); !errors.Is(err, ErrDraining) || !e.Load().Draining {
		t.Errorf("while draining: %v", err)
	}
}

func TestSendKey(t *testing.T) {
	e := newEngine(t, Config{})
	s, p := call(t, e, codec.PCMU)
	if err := s.Play(Item{ID: 1, Clips: []*Clip{Tone(600, 1000)}}); err != nil {
		t.Fatal(err)
	}
	p.waitTone(600, codec.PCMU)
	for _, d := range []byte("42") {
		if err := s.SendKey(d, 60); err != nil {
			t.Fatal(err)
		}
	}
	var got []byte
	var last packet
	other, _ := call(t, e, codec.PCMU)
	for pk := p.next(); len(got) < 2 || pk.Payload == 101; pk = p.next() {
		if pk.Payload != 101 {
			continue
		}
		if last.Payload == 101 && last.Time == pk.Time && pk.Marker {
			t.Error("a marker within the key")
		}
		if last.Time != pk.Time || last.Payload != 101 {
			got = append(got, "0123456789"[pk.payload[0]])
		}
		last = pk
	}
	if string(got) != "42" {
		t.Errorf("sent %q", got)
	}
	p.waitTone(600, codec.PCMU) // the prompt goes on
	if err := s.SendKey('x', 60); err == nil {
		t.Error("x is no key")
	}
	other.Set(Params{})
	if err := other.SendKey('1', 60); !errors.Is(err, ErrNoEvents) {
		t.Errorf("without events: %v", err)
	}
}

// Reports go to the port behind the phone's; its own are believed, and BYE ends it.
func TestControl(t *testing.T) {
	e := newEngine(t, Config{})
	s, err := e.Open()
	if err != nil {
		t.Fatal(err)
	}
	p, c := newPhone(t, s.Port()), newPhone(t, s.Port()+1)
	agreed := params(p, codec.PCMU)
	agreed.RTCP = c.addr()
	s.Set(agreed)
	p.speak(5, 440)
	ours := p.next().SSRC
	about := rtp.Block{SSRC: ours, Lost: 12, Jitter: 80}
	if _, err := c.conn.WriteToUDPAddrPort(rtp.Report{SSRC: p.head.SSRC, Sender: true, NTP: 99 << 16, Block: &about}.Append(nil), c.to); err != nil {
		t.Fatal(err)
	}
	waitStats(t, s, func(st Stats) bool { return st.Reports > 0 && st.Received >= 5 })
	st := s.Close()
	if st.RemoteLost != 12 || st.RemoteJitter != 10*time.Millisecond {
		t.Errorf("figures: %+v", st)
	}
	b := make([]byte, 500)
	for {
		if err := c.conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		n, err := c.conn.Read(b)
		if err != nil {
			t.Fatal(err)
		}
		r, err := rtp.ParseControl(b[:n], p.head.SSRC)
		if err != nil {
			t.Fatal(err)
		}
		if r.SSRC != ours || r.NTP == 0 || !r.Reports || r.About.LastSR != 99 {
			t.Errorf("report: %+v", r)
		}
		if r.Bye {
			return
		}
	}
}
