package webrtc

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/dtls/v3"
	"github.com/pion/stun/v3"
	pion "github.com/pion/webrtc/v4"

	"tandem/media/webrtc/description"
	"tandem/media/webrtc/port"
)

// stranger is somebody who sends to the port that all peers share.
type stranger struct {
	t    testing.TB
	conn *net.UDPConn
}

func newStranger(t testing.TB, s *Server) *stranger {
	t.Helper()
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(s.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &stranger{t, conn}
}

func (x *stranger) send(b []byte) {
	x.t.Helper()
	if _, err := x.conn.Write(b); err != nil {
		x.t.Fatal(err)
	}
}

// silent fails if the stranger was answered.
func (x *stranger) silent(what string) {
	x.t.Helper()
	if err := x.conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
		x.t.Fatal(err)
	}
	var b [port.PacketSize]byte
	if n, err := x.conn.Read(b[:]); err == nil {
		x.t.Errorf("%s: it was answered %d bytes", what, n)
	}
}

// dropped waits until as many more were dropped for a reason.
func dropped(t testing.TB, s *Server, why string, before, more uint64) {
	t.Helper()
	end := time.Now().Add(patience)
	for s.counts.Of(why) < before+more {
		if time.Now().After(end) {
			t.Fatalf("%d packets dropped as %s, want %d", s.counts.Of(why)-before, why, more)
		}
		time.Sleep(time.Millisecond)
	}
}

// check makes a connectivity check as pages send them.
func checkFor(t testing.TB, name, theirs, password string, more ...stun.Setter) []byte {
	t.Helper()
	parts := []stun.Setter{stun.BindingRequest, stun.TransactionID, stun.NewUsername(name + ":" + theirs)}
	parts = append(parts, more...)
	if password != "" {
		parts = append(parts, stun.NewShortTermIntegrity(password))
	}
	parts = append(parts, stun.Fingerprint)
	m, err := stun.Build(parts...)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

// Of a DTLS record (RFC 6347, section 4.1).
const (
	recordHeader     = 13
	recordAlert      = 21
	recordHandshake  = 22
	handshakeRequest = 1 // ClientHello
)

// record is a record of DTLS in the clear.
func record(kind byte, epoch uint16, body ...byte) []byte {
	b := make([]byte, recordHeader, recordHeader+len(body))
	b[0], b[1], b[2] = kind, 0xfe, 0xfd
	binary.BigEndian.PutUint16(b[3:], epoch)
	b[10] = 77 // a sequence number of its own
	binary.BigEndian.PutUint16(b[11:], uint16(len(body)))
	return append(b, body...)
}

// hello is a ClientHello that nobody can serve.
func hello() []byte {
	body := append([]byte{handshakeRequest, 0, 0, 41, 0, 0, 0, 0, 0, 0, 0, 41, 0xfe, 0xfd}, make([]byte, 32)...)
	return record(recordHandshake, 0, append(body, 0, 0, 0, 2, 0, 0, 1, 0)...)
}

// A check without the peer's password does nothing: no answer, and its sender stays a stranger.
func TestChecksNeedThePassword(t *testing.T) {
	s := newServer(t, nil)
	p, w, g := up(t, s, pageOptions{})
	name, pwd := description.Credentials(g.pc.RemoteDescription().SDP)
	theirs, _ := description.Credentials(g.pc.LocalDescription().SDP)
	for _, test := range []struct {
		what string
		b    []byte
		why  string
	}{
		{"no integrity", checkFor(t, name, theirs, ""), port.DropSTUN},
		{"wrong password", checkFor(t, name, theirs, strings.Repeat("x", 32)), port.DropIntegrity},
		{"nobody's name", checkFor(t, "nobody", theirs, pwd), port.DropUnchecked},
		{"empty name", checkFor(t, "", "", pwd), port.DropUnchecked},
		{"cut short", checkFor(t, name, theirs, pwd)[:30], port.DropSTUN},
		{"an answer", func() []byte {
			m, err := stun.Build(stun.BindingSuccess, stun.TransactionID, stun.NewShortTermIntegrity(pwd), stun.Fingerprint)
			if err != nil {
				t.Fatal(err)
			}
			return m.Raw
		}(), port.DropSTUN},
		{"a change after signing", func() []byte {
			b := checkFor(t, name, theirs, pwd)
			b[26] ^= 1 // in the name's value
			return b
		}(), ""},
	} {
		x, before := newStranger(t, s), s.counts.Of(test.why)
		x.send(test.b)
		if test.why != "" {
			dropped(t, s, test.why, before, 1)
		}
		x.silent(test.what)
		before = s.counts.Of(port.DropUnchecked)
		x.send(hello())
		dropped(t, s, port.DropUnchecked, before, 1)
	}
	if p.State() != StateUp {
		t.Errorf("the peer is %s", p.State())
	}
	hears(t, p, 700)
	_ = w
}

// Who has passed no check reaches nobody: not with DTLS, not with audio.
func TestStrangersReachNobody(t *testing.T) {
	s := newServer(t, nil)
	p, _, _ := up(t, s, pageOptions{})
	x := newStranger(t, s)
	unchecked, unknown := s.counts.Of(port.DropUnchecked), s.counts.Of(port.DropUnknown)
	rtp := append([]byte{0x80, 0}, make([]byte, 170)...)
	for range 50 {
		x.send(hello())
		x.send(rtp)
		x.send([]byte("GET / HTTP/1.1\r\n\r\n"))
	}
	dropped(t, s, port.DropUnchecked, unchecked, 100)
	dropped(t, s, port.DropUnknown, unknown, 50)
	x.silent("a stranger")
	if f := p.Figures(); f.State != StateUp || f.Bad != 0 {
		t.Errorf("figures %+v", f)
	}
}

// upWithSocket connects a page by whose socket a test may send, too: as who can forge the
// page's address. before is done all the while it connects.
func upWithSocket(t testing.TB, s *Server, before func(send func([]byte))) (*Peer, *told, *page, func([]byte)) {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	mux := pion.NewICEUDPMux(quiet{}, conn)
	t.Cleanup(func() { mux.Close() })
	send := func(b []byte) {
		if _, err := conn.WriteToUDPAddrPort(b, s.Addr()); err != nil {
			t.Fatal(err)
		}
	}
	p, w := newPeer(t, s)
	g := newPage(t, pageOptions{settings: func(e *pion.SettingEngine) { e.SetICEUDPMux(mux) }})
	g.talks(700)
	if before != nil {
		stop, ended := make(chan struct{}), make(chan struct{})
		go func() { // all the while it connects
			defer close(ended)
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
					before(send)
				}
			}
		}()
		defer func() { close(stop); <-ended }()
	}
	g.connect(p, w, false)
	w.reaches(t, StateUp)
	return p, w, g, send
}

// ClientHellos and alerts in the page's name, before, during and after the handshake, change nothing.
func TestForeignHandshakesEndNothing(t *testing.T) {
	s := newServer(t, nil)
	alert := record(recordAlert, 0, 2, 40)
	closing := record(recordAlert, 0, 1, 0)
	p, w, _, send := upWithSocket(t, s, func(send func([]byte)) {
		send(hello())
		send(alert)
		send(closing)
	})
	before := s.counts.Of(port.DropDTLS)
	for range 20 {
		send(hello())
		send(alert)
		send(closing)
		send(record(recordHandshake, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)) // ServerHello
		send(record(20, 0, 1))                                               // ChangeCipherSpec
		send(record(recordHandshake, 0))
		send(record(23, 7, 1, 2, 3)[:recordHeader+1])
	}
	dropped(t, s, port.DropDTLS, before, 140)
	hears(t, p, 700)
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, one := range w.states {
		if one == StateCut || one == StateGone {
			t.Errorf("states %v", w.states)
		}
	}
}

// SRTP that cannot be opened is dropped and counted, and the call goes on.
func TestBadSRTPIsDroppedAndCounted(t *testing.T) {
	s := newServer(t, nil)
	p, _, _, send := upWithSocket(t, s, nil)
	before := s.counts.Of(port.DropSRTP)
	b := append([]byte{0x80, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4}, make([]byte, 180)...)
	for i := range uint64(20) { // no faster than they are taken
		binary.BigEndian.PutUint16(b[2:], uint16(i))
		send(b)
		send(append([]byte{0x80, 200, 0, 6}, make([]byte, 40)...)) // RTCP
		send([]byte{0x80, 0, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4})        // no tag at all
		dropped(t, s, port.DropSRTP, before, 3*(i+1))
	}
	if f := p.Figures(); f.Bad < 60 || f.State != StateUp {
		t.Errorf("figures %+v", f)
	}
	hears(t, p, 700)
}

// A page whose certificate is another than signalling told is never heard.
func TestTheFingerprintIsChecked(t *testing.T) {
	s := newServer(t, nil)
	p, w := newPeer(t, s)
	g := newPage(t, pageOptions{})
	g.talks(700)
	o := g.offer(false)
	at := strings.Index(o.SDP, "a=fingerprint:sha-256 ") + len("a=fingerprint:sha-256 ")
	forged := "00"
	if o.SDP[at:at+2] == forged {
		forged = "01"
	}
	if err := p.Take(context.Background(), Signal{Kind: KindOffer, SDP: o.SDP[:at] + forged + o.SDP[at+2:]}); err != nil {
		t.Fatal(err)
	}
	g.accept(w.next(t, KindAnswer, 0))
	end := time.Now().Add(patience)
	for p.link.Load() == nil || !p.link.Load().dead.Load() {
		if time.Now().After(end) {
			t.Fatal("the handshake did not fail")
		}
		time.Sleep(time.Millisecond)
	}
	if p.State() == StateUp || p.link.Load().owner.Secured.Load() || p.Stream().Stats().Received != 0 {
		t.Errorf("it is %s", p.State())
	}
}

// A page that speaks no profile of ours is not connected; both of ours are spoken.
func TestSRTPProfiles(t *testing.T) {
	s := newServer(t, nil)
	for _, test := range []struct {
		what    string
		profile dtls.SRTPProtectionProfile
		ok      bool
	}{
		{"GCM", dtls.SRTP_AEAD_AES_128_GCM, true},
		{"SHA1_80", dtls.SRTP_AES128_CM_HMAC_SHA1_80, true},
		{"SHA1_32", dtls.SRTP_AES128_CM_HMAC_SHA1_32, false},
		{"GCM 256", dtls.SRTP_AEAD_AES_256_GCM, false},
		{"NULL", dtls.SRTP_NULL_HMAC_SHA1_80, false},
	} {
		t.Run(test.what, func(t *testing.T) {
			p, w := newPeer(t, s)
			g := newPage(t, pageOptions{settings: func(e *pion.SettingEngine) { e.SetSRTPProtectionProfiles(test.profile) }})
			g.talks(700)
			refused, alerts := make(chan struct{}), s.counts.Of(port.DropDTLS)
			var once sync.Once
			g.pc.OnConnectionStateChange(func(s pion.PeerConnectionState) {
				if s == pion.PeerConnectionStateFailed {
					once.Do(func() { close(refused) })
				}
			})
			g.connect(p, w, false)
			if test.ok {
				w.reaches(t, StateUp)
				return
			}
			end := time.Now().Add(patience + handshakeTime)
			for over := false; !over; over = p.link.Load().dead.Load() { // its alert is not believed: time ends it at the latest
				select {
				case <-refused:
					over = true
				case <-time.After(10 * time.Millisecond):
				}
				if over || s.counts.Of(port.DropDTLS) > alerts {
					break
				}
				if time.Now().After(end) {
					t.Fatal("it was not refused")
				}
			}
			if p.State() == StateUp || p.link.Load().owner.Secured.Load() {
				t.Error("it is up")
			}
		})
	}
}

func TestSignalsThatCannotBe(t *testing.T) {
	s := newServer(t, func(c *Config) { c.Limits.SDP, c.Limits.Signals = 8<<10, 50 })
	p, _, g := up(t, s, pageOptions{})
	good := g.pc.LocalDescription().SDP
	for _, test := range []struct {
		what string
		sig  Signal
	}{
		{"nothing", Signal{}},
		{"a kind", Signal{Kind: "eval"}},
		{"a microphone", Signal{Kind: KindMic, Mic: "loud"}},
		{"empty", Signal{Kind: KindOffer}},
		{"too long", Signal{Kind: KindOffer, SDP: good + strings.Repeat("a=x:y\r\n", 2000)}},
		{"many lines", Signal{Kind: KindOffer, SDP: good + strings.Repeat("a=\n", 600)}},
		{"not secured", Signal{Kind: KindOffer, SDP: strings.Replace(good, "UDP/TLS/RTP/SAVPF", "RTP/AVP", 1)}},
		{"SDES", Signal{Kind: KindOffer, SDP: strings.Replace(good, "UDP/TLS/RTP/SAVPF", "RTP/SAVP", 1)}},
		{"video too", Signal{Kind: KindOffer, SDP: good + "m=video 9 UDP/TLS/RTP/SAVPF 96\r\n"}},
		{"data", Signal{Kind: KindOffer, SDP: good + "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"}},
		{"no fingerprint", Signal{Kind: KindOffer, SDP: strings.ReplaceAll(good, "a=fingerprint", "a=fingerless")}},
		{"SHA-1", Signal{Kind: KindOffer, SDP: strings.ReplaceAll(good, "sha-256", "sha-1")}},
		{"short password", Signal{Kind: KindOffer, SDP: strings.Replace(good, line(good, "a=ice-pwd:"), "a=ice-pwd:short", 1)}},
		{"it is the DTLS client", Signal{Kind: KindOffer, SDP: strings.Replace(good, "a=setup:actpass", "a=setup:active", 1)}},
		{"no codec", Signal{Kind: KindOffer, SDP: strings.Replace(good, line(good, "m=audio"), "m=audio 9 UDP/TLS/RTP/SAVPF 13 97", 1)}},
		{"no mid", Signal{Kind: KindOffer, SDP: strings.Replace(good, "a=mid:0", "a=mid:<script>", 1)}},
	} {
		if err := p.Take(context.Background(), test.sig); !errors.Is(err, ErrSignal) {
			t.Errorf("%s: %v", test.what, err)
		}
	}
	hears(t, p, 700)
}

func TestTooManySignals(t *testing.T) {
	s := newServer(t, nil)
	p, _ := newPeer(t, s)
	var err error
	for range 40 {
		if err = p.Take(context.Background(), Signal{Kind: KindMic, Mic: MicOK}); err != nil {
			break
		}
	}
	if !errors.Is(err, ErrRate) || p.Mic() != MicOK {
		t.Errorf("%v, microphone %q", err, p.Mic())
	}
}

func TestTooManyPeers(t *testing.T) {
	s := newServer(t, func(c *Config) { c.Limits.Peers = 1 })
	p, w := newPeer(t, s)
	if _, err := s.NewPeer(PeerOptions{Send: func(Signal) {}}); !errors.Is(err, ErrFull) {
		t.Errorf("%v", err)
	}
	p.Close()
	w.reaches(t, StateGone)
	if _, err := s.NewPeer(PeerOptions{Send: func(Signal) {}}); err != nil {
		t.Error(err)
	}
	if err := p.Take(context.Background(), Signal{Kind: KindMic, Mic: MicOK}); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed peer takes a signal: %v", err)
	}
}
