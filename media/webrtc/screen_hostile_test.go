package webrtc

import (
	"errors"
	"strings"
	"testing"
	"time"

	pionrtp "github.com/pion/rtp"

	"tandem/media/video"
	"tandem/media/webrtc/port"
)

// An offer that is not the layout is refused with a sentence, and the picture goes on.
func TestOffersOfPicturesThatCannotBe(t *testing.T) {
	s := newServer(t, func(c *Config) { c.Limits.Signals = 50 })
	p, w, g := shown(t, s, "a")
	v, _, far := watching(t, s, "b")
	v.Show([]video.Shown{cameraOf("a", p)})
	far.sees("2", 640)
	good := g.pc.LocalDescription().SDP
	section := good[strings.LastIndex(good, "m=video"):]
	n := w.heard()
	for what, sig := range map[string]Signal{
		"no kind":                {Kind: "shout"},
		"an unknown camera":      {Kind: KindCam, Cam: "shut"},
		"a microphone":           {Kind: KindMic, Mic: MicOK},
		"empty":                  {Kind: KindOffer},
		"too long":               {Kind: KindOffer, SDP: good + strings.Repeat("a=x:y\r\n", 20000)},
		"100 sections":           {Kind: KindOffer, SDP: good + strings.Repeat("m=video 9 UDP/TLS/RTP/SAVPF 96\r\n", 94)},
		"one section more":       {Kind: KindOffer, SDP: good + strings.Replace(section, "a=mid:5", "a=mid:6", 1)},
		"a second camera":        {Kind: KindOffer, SDP: strings.Replace(good, section, strings.Replace(section, "a=recvonly", "a=sendonly", 1), 1)},
		"sound":                  {Kind: KindOffer, SDP: strings.Replace(good, section, strings.Replace(section, "m=video", "m=audio", 1), 1)},
		"another codec":          {Kind: KindOffer, SDP: strings.ReplaceAll(good, "VP8/90000", "VP9/90000")},
		"not secured":            {Kind: KindOffer, SDP: strings.ReplaceAll(good, "UDP/TLS/RTP/SAVPF", "RTP/AVP")},
		"SDES":                   {Kind: KindOffer, SDP: strings.ReplaceAll(good, "UDP/TLS/RTP/SAVPF", "RTP/SAVP")},
		"it is the DTLS client":  {Kind: KindOffer, SDP: strings.ReplaceAll(good, "a=setup:actpass", "a=setup:active")},
		"no fingerprint":         {Kind: KindOffer, SDP: strings.ReplaceAll(good, "a=fingerprint", "a=fingerless")},
		"layers of other names":  {Kind: KindOffer, SDP: strings.NewReplacer("a=rid:l", "a=rid:x", "send l;h", "send x;h").Replace(good)},
		"the layout of a peer":   {Kind: KindOffer, SDP: newPage(t, pageOptions{}).offer(false).SDP},
		"a display with simulca": {Kind: KindOffer, SDP: strings.Replace(good, section, section+"a=simulcast:send l;h\r\n", 1)},
	} {
		if err := p.Take(t.Context(), sig); !errors.Is(err, ErrSignal) || len(err.Error()) < 60 {
			t.Errorf("%s: %v", what, err)
		}
	}
	if w.heard() != n {
		t.Error("one was answered")
	}
	far.goesOn("2", 10)
}

// A page whose certificate is another than signalling told shows nothing, and sees nothing.
func TestTheFingerprintOfPicturesIsChecked(t *testing.T) {
	s := newServer(t, nil)
	a, _, _ := shown(t, s, "a")
	p, w := newScreen(t, s, ScreenOptions{ID: "b", Camera: true, Display: true})
	p.Show([]video.Shown{cameraOf("a", a)})
	g := newViewer(t, viewerOptions{})
	g.shows(false)
	o := g.offer(false)
	mine := strings.TrimPrefix(line(o.SDP, "a=fingerprint:sha-256 "), "a=fingerprint:sha-256 ")
	forged := "00" + mine[2:]
	if forged == mine {
		forged = "01" + mine[2:]
	}
	if err := p.Take(t.Context(), Signal{Kind: KindOffer, SDP: strings.ReplaceAll(o.SDP, mine, forged)}); err != nil {
		t.Fatal(err)
	}
	g.accept(w.next(t, KindAnswer, 0))
	w.until(t, "the handshake fails", func() bool { return p.link.Load() != nil && p.link.Load().dead.Load() || tickle(w) })
	f := p.Figures()
	if p.State() == StateUp || p.link.Load().owner.Secured.Load() || f.Camera.Packets+f.Camera.Forbidden != 0 || f.Slots[0].Packets != 0 {
		t.Errorf("it is %s, %+v", p.State(), f)
	}
}

// tickle wakes who waits a moment later.
func tickle(w *told) bool {
	time.AfterFunc(10*time.Millisecond, w.changed.Broadcast)
	return false
}

// Strangers and broken packets change nothing of what is seen.
func TestStrangersSpoilNoPicture(t *testing.T) {
	s := newServer(t, nil)
	p, _, g := shown(t, s, "a")
	v, _, far := watching(t, s, "b")
	v.Show([]video.Shown{cameraOf("a", p)})
	far.sees("2", 640)
	x, before := newStranger(t, s), s.counts.Of(port.DropUnchecked)
	for range 50 {
		x.send(hello())
		x.send(append([]byte{0x80, 96}, make([]byte, 1000)...))
	}
	dropped(t, s, port.DropUnchecked, before, 100)
	x.silent("a stranger")
	// In the page's own name, without its keys.
	bad := s.counts.Of(port.DropSRTP)
	for i := range 100 {
		if _, err := g.cable.PacketConn.WriteTo(append([]byte{0x80, 96, 0, byte(i)}, make([]byte, 1000)...), x.conn.RemoteAddr()); err != nil {
			t.Fatal(err)
		}
	}
	dropped(t, s, port.DropSRTP, bad, 100)
	if f := p.Figures(); f.Bad < 100 || f.State != StateUp {
		t.Errorf("figures %+v", f)
	}
	far.goesOn("2", 10)
}

// A page that begins streams without end loses its connection, and nobody else does.
func TestStreamsWithoutEnd(t *testing.T) {
	s := newServer(t, nil)
	p, _, _ := shown(t, s, "a")
	v, _, far := watching(t, s, "b")
	v.Show([]video.Shown{cameraOf("a", p)})
	far.sees("2", 640)
	q, w, g := shown(t, s, "c")
	offer := Signal{Kind: KindOffer, SDP: g.pc.LocalDescription().SDP}
	g.sends(2*maxStreams, "")
	w.until(t, "its link ends", func() bool { return q.link.Load().dead.Load() || tickle(w) })
	far.goesOn("2", 10)
	if err := q.Take(t.Context(), offer); !errors.Is(err, ErrSignal) {
		t.Errorf("its link goes on: %v", err)
	}
	if r := w.next(t, KindRestart, 0); r.Why != "new" {
		t.Errorf("it is told %+v", r)
	}
	again := newViewer(t, viewerOptions{})
	again.connect(q, w, false)
	again.shows(false)
	v.Show([]video.Shown{cameraOf("c", q)})
	far.sees("2", 640)
}

// A camera whose layer begins a second time, by another stream, ends the link: no browser
// does that within one.
func TestASecondCamera(t *testing.T) {
	s := newServer(t, nil)
	p, w, g := shown(t, s, "a")
	arrives(t, "the camera", func() uint64 { return p.Figures().Camera.Packets })
	g.sends(1, "h")
	w.until(t, "its link ends", func() bool { return p.link.Load().dead.Load() || tickle(w) })
}

// sends begins streams of the camera that nobody has offered, a few packets each.
func (g *viewer) sends(streams int, rid string) {
	g.t.Helper()
	for i := range streams {
		for seq := range uint16(3) {
			h := &pionrtp.Header{Version: 2, PayloadType: 96, SSRC: 1000 + uint32(i), SequenceNumber: seq}
			_ = h.SetExtension(g.midID, []byte("0"))
			if rid != "" {
				_ = h.SetExtension(g.ridID, []byte(rid))
			}
			_, _ = g.display.writer.WriteRTP(h, frame(true, 1, 640, 480, 100)) // the link may have ended
		}
	}
}
