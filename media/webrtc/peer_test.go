package webrtc

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	pion "github.com/pion/webrtc/v4"

	"tandem/media"
	"tandem/media/webrtc/description"
)

// A page connects, is heard and hears.
func TestAPageTalks(t *testing.T) {
	s := newServer(t, nil)
	p, _, g := up(t, s, pageOptions{})
	hears(t, p, 700)
	says(t, p, 1100)
	g.hears(1100)
	f := p.Figures()
	if f.State != StateUp || f.Codec != "PCMU" || f.Local != "udp" || f.Setup <= 0 || f.Bad != 0 {
		t.Errorf("figures %+v", f)
	}
}

// The page is told our address alone, whole, with PCMU first.
func TestTheAnswer(t *testing.T) {
	s := newServer(t, nil)
	p, w := newPeer(t, s)
	g := newPage(t, pageOptions{})
	if err := p.Take(context.Background(), g.offer(false)); err != nil {
		t.Fatal(err)
	}
	sdp := w.next(t, KindAnswer, 0).SDP
	if n := strings.Count(sdp, "a=candidate:"); n != 1 || !strings.Contains(line(sdp, "a=candidate:"), " udp ") {
		t.Errorf("%d candidates in %s", n, sdp)
	}
	if !strings.HasPrefix(line(sdp, "m=audio"), "m=audio 9 UDP/TLS/RTP/SAVPF 0 8 111 126") {
		t.Errorf("codecs in %s", sdp)
	}
	if line(sdp, "a=ice-lite") == "" || line(sdp, "a=setup:") != "a=setup:active" {
		t.Errorf("no lite DTLS client in %s", sdp)
	}
}

// Opus alone is turned into G.711 and back.
func TestAPageWithOpusAlone(t *testing.T) {
	s := newServer(t, nil)
	p, w := newPeer(t, s)
	g := newPage(t, pageOptions{codec: pion.MimeTypeOpus})
	g.talksOpus(700)
	g.connect(p, w, false)
	w.reaches(t, StateUp)
	if err := p.Stream().Play(media.Item{ID: 1, Clips: []*media.Clip{media.Tone(1100, 1000)}, Loop: true}); err != nil {
		t.Fatal(err)
	}
	hears(t, p, 700)
	g.hears(1100)
	if f := p.Figures(); f.Codec != "opus" {
		t.Errorf("figures %+v", f)
	}
}

// New ICE credentials, by the page and by us, change nothing of what is heard.
func TestICERestart(t *testing.T) {
	s := newServer(t, nil)
	p, w, g := up(t, s, pageOptions{})
	before, _ := description.Credentials(g.pc.RemoteDescription().SDP)
	g.connect(p, w, true)
	now, _ := description.Credentials(g.pc.RemoteDescription().SDP)
	if before == now {
		t.Error("our credentials are the same")
	}
	hears(t, p, 700)
	n := w.heard()
	if err := p.Restart(context.Background(), "test"); err != nil {
		t.Fatal(err)
	}
	offer := w.next(t, KindOffer, n)
	if again, _ := description.Credentials(offer.SDP); again == now {
		t.Error("our credentials are the same")
	}
	if err := p.Take(context.Background(), g.answer(offer)); err != nil {
		t.Fatal(err)
	}
	says(t, p, 1100)
	hears(t, p, 700)
	g.hears(1100)
	if p.link.Load().pc.SignalingState() != pion.SignalingStateStable {
		t.Error("signalling is not stable")
	}
}

// Where offers cross, the page takes ours; one that it never got is sent again.
func TestGlare(t *testing.T) {
	s := newServer(t, nil)
	p, w, g := up(t, s, pageOptions{})
	if err := p.Restart(context.Background(), "test"); err != nil {
		t.Fatal(err)
	}
	w.next(t, KindOffer, 0)
	n := w.heard()
	theirs, err := g.pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Take(context.Background(), Signal{Kind: KindOffer, SDP: theirs.SDP}); err != nil {
		t.Fatal(err)
	}
	if err := p.Take(context.Background(), g.answer(w.next(t, KindOffer, n))); err != nil {
		t.Fatal(err)
	}
	if err := p.Take(context.Background(), Signal{Kind: KindAnswer, SDP: "late"}); err != nil {
		t.Errorf("an answer to nothing: %v", err)
	}
	hears(t, p, 700)
	g.connect(p, w, false) // and the page offers again
	hears(t, p, 700)
}

// A page that reloads brings a new connection; the stream, and what is played on it, goes on.
func TestAPageComesAnew(t *testing.T) {
	s := newServer(t, nil)
	p, w, g := up(t, s, pageOptions{})
	says(t, p, 1100)
	g.hears(1100)
	g.close()
	again := newPage(t, pageOptions{})
	again.talks(900)
	again.connect(p, w, false)
	hears(t, p, 900)
	again.hears(1100)
	w.reaches(t, StateUp)
}

// A page that falls silent is cut within 5 s, though its checks go on; it mends by itself, and by our offer.
func TestCutAndMended(t *testing.T) {
	if testing.Short() {
		t.Skip("waits for seconds")
	}
	s := newServer(t, nil)
	p, w := newPeer(t, s)
	g := newPage(t, pageOptions{})
	stop := g.talks(700)
	g.connect(p, w, false)
	w.reaches(t, StateUp)
	n := w.heard()
	begun := time.Now()
	stop()
	w.reaches(t, StateCut)
	if took := time.Since(begun); took > 10*time.Second || cutAfter+2*watchEvery > 5*time.Second { // this machine may be busy
		t.Errorf("the cut was noticed after %v", took)
	}
	offer := w.next(t, KindOffer, n)
	if err := p.Take(context.Background(), g.answer(offer)); err != nil {
		t.Fatal(err)
	}
	g.talks(700)
	w.reaches(t, StateUp)
	if f := p.Figures(); f.Cuts != 1 || f.Mended <= 0 {
		t.Errorf("figures %+v", f)
	}
}

// A page that says bye, or whose owner closes it, is gone; the page is told.
func TestBye(t *testing.T) {
	s := newServer(t, nil)
	p, w, _ := up(t, s, pageOptions{})
	if err := p.Take(context.Background(), Signal{Kind: KindBye, Why: "closed"}); err != nil {
		t.Fatal(err)
	}
	w.reaches(t, StateGone)
	other, v, _ := up(t, s, pageOptions{})
	hears(t, other, 700)
	n := v.heard()
	if st := other.Close(); st.Received == 0 {
		t.Errorf("stats %+v", st)
	}
	v.next(t, KindBye, n)
	v.reaches(t, StateGone)
}

// A fault of ours in one peer ends that peer alone.
func TestAPanicEndsOnePeer(t *testing.T) {
	panics := make(chan struct{}, 1)
	s := newServer(t, func(c *Config) { c.Panicked = func() { panics <- struct{}{} } })
	well, _, _ := up(t, s, pageOptions{})
	bad, err := s.NewPeer(PeerOptions{Name: "bad", Send: func(Signal) { panic("a page's socket") }})
	if err != nil {
		t.Fatal(err)
	}
	if err := bad.Take(context.Background(), newPage(t, pageOptions{}).offer(false)); !errors.Is(err, ErrClosed) {
		t.Errorf("%v", err)
	}
	select {
	case <-panics:
	case <-time.After(patience):
		t.Fatal("it was not counted")
	}
	hears(t, well, 700)
	s.c.Panicked = func() {}
	bad.Close()
}

// Pages elsewhere are told the public address, those of local networks ours.
func TestHosts(t *testing.T) {
	public := netip.MustParseAddr("203.0.113.7")
	s := newServer(t, func(c *Config) { c.Public = []netip.Addr{public} })
	for _, test := range []struct {
		page string
		want []netip.Addr
	}{
		{"127.0.0.1", []netip.Addr{home}}, {"10.1.2.3", []netip.Addr{home}}, {"::ffff:192.168.1.1", []netip.Addr{home}},
		{"198.51.100.1", []netip.Addr{public}}, {"", []netip.Addr{public, home}},
	} {
		var page netip.Addr
		if test.page != "" {
			page = netip.MustParseAddr(test.page)
		}
		if got := s.hosts(page); !slices.Equal(got, test.want) {
			t.Errorf("%s is told %v", test.page, got)
		}
	}
	all := newServer(t, func(c *Config) { c.Listen = "0.0.0.0:0" })
	if got := all.hosts(home); len(got) == 0 || !slices.Contains(got, home) {
		t.Errorf("of all interfaces it tells %v", got)
	}
}

// Over TCP alone, behind lengths.
func TestAPageByTCP(t *testing.T) {
	s := newServer(t, func(c *Config) { c.TCP = "127.0.0.1:0" })
	p, w := newPeer(t, s)
	g := newPage(t, pageOptions{settings: func(e *pion.SettingEngine) { e.SetNetworkTypes([]pion.NetworkType{pion.NetworkTypeTCP4}) }})
	g.talks(700)
	g.connect(p, w, false)
	w.reaches(t, StateUp)
	says(t, p, 1100)
	hears(t, p, 700)
	g.hears(1100)
	if f := p.Figures(); f.Local != "tcp" {
		t.Errorf("figures %+v", f)
	}
}

// A TCP connection that does not begin with an authentic check is closed.
func TestStrangersByTCP(t *testing.T) {
	s := newServer(t, func(c *Config) { c.TCP = "127.0.0.1:0" })
	for _, b := range [][]byte{[]byte("GET / HTTP/1.1\r\n\r\n"), {0xff, 0xff}, append([]byte{0, 30}, make([]byte, 30)...), append([]byte{0, 20, 0x80}, make([]byte, 19)...)} {
		conn, err := net.Dial("tcp", s.tcp.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(b); err != nil {
			t.Fatal(err)
		}
		if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Read(make([]byte, 1)); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%q: %d bytes, %v", b, n, err)
		}
		conn.Close()
	}
}
