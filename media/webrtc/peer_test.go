package webrtc

import (
	"context"
	"strings"
	"testing"
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
