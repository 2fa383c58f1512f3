package webrtc

import (
	"context"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/ice/v4"
	pionrtp "github.com/pion/rtp"
	pion "github.com/pion/webrtc/v4"
	"go.uber.org/goleak"

	"tandem/internal/testkit"
	"tandem/media"
	"tandem/media/codec"
	"tandem/media/codec/opus"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 15 * time.Second

var home = netip.AddrFrom4([4]byte{127, 0, 0, 1})

// newServer makes a server on loopback.
func newServer(t testing.TB, change func(*Config)) *Server {
	t.Helper()
	e, err := media.NewEngine(media.Config{Address: home, Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	c := Config{Listen: "127.0.0.1:0", Engine: e, Panicked: func() { t.Error("a panic") }, Log: slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))}
	if change != nil {
		change(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// told is what a peer has told: its states and signals, in order.
type told struct {
	mu      sync.Mutex
	changed *sync.Cond
	states  []State
	signals []Signal
}

func newTold() *told {
	w := &told{}
	w.changed = sync.NewCond(&w.mu)
	return w
}

func (w *told) state(s State) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.states = append(w.states, s)
	w.changed.Broadcast()
}

func (w *told) signal(s Signal) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.signals = append(w.signals, s)
	w.changed.Broadcast()
}

// until waits for ok, which is called under the lock.
func (w *told) until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	late := time.AfterFunc(patience, w.changed.Broadcast)
	defer late.Stop()
	end := time.Now().Add(patience)
	w.mu.Lock()
	defer w.mu.Unlock()
	for !ok() {
		if !time.Now().Before(end) {
			t.Fatalf("%s: not within %v; states %v, %d signals", what, patience, w.states, len(w.signals))
		}
		w.changed.Wait()
	}
}

func (w *told) last() State {
	if len(w.states) == 0 {
		return StateNew
	}
	return w.states[len(w.states)-1]
}

// reaches waits for a state.
func (w *told) reaches(t testing.TB, s State) {
	t.Helper()
	w.until(t, "reaching "+string(s), func() bool { return w.last() == s })
}

// next waits for a signal of a kind, after the first n of all.
func (w *told) next(t testing.TB, kind string, n int) (s Signal) {
	t.Helper()
	w.until(t, "a signal "+kind, func() bool {
		for _, one := range w.signals[min(n, len(w.signals)):] {
			if one.Kind == kind {
				s = one
				return true
			}
		}
		return false
	})
	return s
}

func (w *told) heard() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.signals)
}

func newPeer(t testing.TB, s *Server) (*Peer, *told) {
	t.Helper()
	w := newTold()
	p, err := s.NewPeer(PeerOptions{Name: "test", From: home, Send: w.signal, Changed: w.state})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p, w
}

// page is a browser played by pion.
type page struct {
	t    testing.TB
	pc   *pion.PeerConnection
	out  *pion.TrackLocalStaticRTP
	seq  uint16
	time uint32

	mu  sync.Mutex
	pcm []int16 // heard
	as  uint8   // payload type of what was heard last
	got chan struct{}
}

type pageOptions struct {
	codec    string // pion's MIME type; PCMU
	all      bool   // it offers G.711, whatever it speaks
	settings func(*pion.SettingEngine)
	servers  []ICEServer
	relay    bool
}

func newPage(t testing.TB, o pageOptions) *page {
	t.Helper()
	if o.codec == "" {
		o.codec = pion.MimeTypePCMU
	}
	m := &pion.MediaEngine{}
	for _, c := range spoken {
		if o.codec == pion.MimeTypeOpus && !o.all && (c.MimeType == pion.MimeTypePCMU || c.MimeType == pion.MimeTypePCMA) {
			continue
		}
		if err := m.RegisterCodec(c, pion.RTPCodecTypeAudio); err != nil {
			t.Fatal(err)
		}
	}
	e := pion.SettingEngine{LoggerFactory: &loggers{}}
	e.SetIncludeLoopbackCandidate(true)
	e.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	e.SetNetworkTypes([]pion.NetworkType{pion.NetworkTypeUDP4})
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	if o.settings != nil {
		o.settings(&e)
	}
	c := pion.Configuration{}
	for _, s := range o.servers {
		c.ICEServers = append(c.ICEServers, pion.ICEServer{URLs: s.URLs, Username: s.Username, Credential: s.Credential})
	}
	if o.relay {
		c.ICETransportPolicy = pion.ICETransportPolicyRelay
	}
	pc, err := pion.NewAPI(pion.WithMediaEngine(m), pion.WithSettingEngine(e)).NewPeerConnection(c)
	if err != nil {
		t.Fatal(err)
	}
	g := &page{t: t, pc: pc, got: make(chan struct{}, 1)}
	t.Cleanup(g.close)
	rate := uint32(8000)
	channels := uint16(0)
	if o.codec == pion.MimeTypeOpus {
		rate, channels = 48000, 2
	}
	g.out, err = pion.NewTrackLocalStaticRTP(pion.RTPCodecCapability{MimeType: o.codec, ClockRate: rate, Channels: channels}, "mic", "page")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := pc.AddTrack(g.out); err != nil {
		t.Fatal(err)
	}
	decoder, err := opus.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	pc.OnTrack(func(r *pion.TrackRemote, _ *pion.RTPReceiver) {
		for {
			p, _, err := r.ReadRTP()
			if err != nil {
				return
			}
			var pcm []int16
			switch p.PayloadType {
			case 0:
				pcm = make([]int16, len(p.Payload))
				codec.PCMU.Decode(pcm, p.Payload)
			case 111:
				pcm = make([]int16, opus.MaxSamples)
				n, err := decoder.Decode(pcm, p.Payload)
				if err != nil {
					continue
				}
				pcm = pcm[:n]
			}
			g.mu.Lock()
			g.pcm, g.as = append(g.pcm, pcm...), p.PayloadType
			g.mu.Unlock()
			select {
			case g.got <- struct{}{}:
			default:
			}
		}
	})
	return g
}

func (g *page) close() {
	if err := g.pc.GracefulClose(); err != nil {
		g.t.Log(err)
	}
}

// offer writes one, gathered whole.
func (g *page) offer(restart bool) Signal {
	g.t.Helper()
	o, err := g.pc.CreateOffer(&pion.OfferOptions{ICERestart: restart})
	if err != nil {
		g.t.Fatal(err)
	}
	done := pion.GatheringCompletePromise(g.pc)
	if err := g.pc.SetLocalDescription(o); err != nil {
		g.t.Fatal(err)
	}
	<-done
	return Signal{Kind: KindOffer, SDP: g.pc.LocalDescription().SDP}
}

func (g *page) accept(s Signal) {
	g.t.Helper()
	if err := g.pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeAnswer, SDP: s.SDP}); err != nil {
		g.t.Fatalf("%v in %s", err, s.SDP)
	}
}

// answer answers our offer.
func (g *page) answer(s Signal) Signal {
	g.t.Helper()
	if err := g.pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeOffer, SDP: s.SDP}); err != nil {
		g.t.Fatalf("%v in %s", err, s.SDP)
	}
	a, err := g.pc.CreateAnswer(nil)
	if err != nil {
		g.t.Fatal(err)
	}
	done := pion.GatheringCompletePromise(g.pc)
	if err := g.pc.SetLocalDescription(a); err != nil {
		g.t.Fatal(err)
	}
	<-done
	return Signal{Kind: KindAnswer, SDP: g.pc.LocalDescription().SDP}
}

// connect exchanges an offer and its answer.
func (g *page) connect(p interface {
	Take(context.Context, Signal) error
}, w *told, restart bool) {
	g.t.Helper()
	n := w.heard()
	if err := p.Take(context.Background(), g.offer(restart)); err != nil {
		g.t.Fatal(err)
	}
	g.accept(w.next(g.t, KindAnswer, n))
}

// talks sends a tone until stop is called.
func (g *page) talks(hz float64) (stop func()) {
	tone := testkit.Tone(hz, time.Second)
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for at := 0; ; at = (at + codec.FrameSamples) % len(tone) {
			select {
			case <-tick.C:
			case <-done:
				return
			}
			b := make([]byte, codec.FrameSamples)
			codec.PCMU.Encode(b, tone[at:at+codec.FrameSamples])
			g.send(b, 0, codec.FrameSamples)
		}
	}()
	var once sync.Once
	stop = func() { once.Do(func() { close(done); <-ended }) }
	g.t.Cleanup(stop)
	return stop
}

// talksOpus sends a tone as Opus for as long as the test runs.
func (g *page) talksOpus(hz float64) {
	tone := testkit.Tone(hz, time.Second)
	e, err := opus.NewEncoder()
	if err != nil {
		g.t.Fatal(err)
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for at := 0; ; at = (at + codec.FrameSamples) % len(tone) {
			select {
			case <-tick.C:
			case <-done:
				return
			}
			b := make([]byte, opus.MaxPacket)
			if n, err := e.Encode(b, tone[at:at+codec.FrameSamples]); err == nil {
				g.send(b[:n], 111, 960)
			}
		}
	}()
	g.t.Cleanup(func() { close(done); <-ended })
}

func (g *page) send(payload []byte, pt uint8, samples uint32) {
	g.mu.Lock()
	g.seq++
	g.time += samples
	seq, ts := g.seq, g.time
	g.mu.Unlock()
	_ = g.out.WriteRTP(&pionrtp.Packet{ // not connected yet
		Header:  pionrtp.Header{Version: 2, PayloadType: pt, SequenceNumber: seq, Timestamp: ts},
		Payload: payload,
	})
}

// hears waits until the page has heard a tone lately.
func (g *page) hears(hz int) {
	g.t.Helper()
	g.hearsAs(hz, -1)
}

// hearsAs waits until it has heard it lately by packets of a payload type; -1 is any.
func (g *page) hearsAs(hz, pt int) {
	g.t.Helper()
	g.mu.Lock()
	g.pcm = nil
	g.mu.Unlock()
	end := time.After(patience)
	for {
		select {
		case <-g.got:
		case <-end:
			g.t.Fatalf("the page did not hear %d Hz as %d", hz, pt)
		}
		g.mu.Lock()
		heard := len(g.pcm) > 1600 && sounds(g.pcm[len(g.pcm)-1600:], hz) && (pt < 0 || int(g.as) == pt)
		g.mu.Unlock()
		if heard {
			return
		}
	}
}

// hears waits until a peer's stream has heard a tone.
func hears(t testing.TB, p *Peer, hz int) {
	t.Helper()
	w := &recorded{hz: hz, found: make(chan struct{})}
	rec := p.Stream().Record(w, false)
	defer rec.Stop()
	select {
	case <-w.found:
	case <-time.After(patience):
		t.Fatalf("the peer did not hear %d Hz", hz)
	}
}

// recorded looks for a tone in what is recorded as PCMU.
type recorded struct {
	hz    int
	pcm   []int16
	once  sync.Once
	found chan struct{}
}

func (r *recorded) Write(b []byte) (int, error) {
	pcm := make([]int16, len(b))
	codec.PCMU.Decode(pcm, b)
	r.pcm = append(r.pcm, pcm...)
	if n := len(r.pcm); n > 1600 && sounds(r.pcm[n-1600:], r.hz) {
		r.once.Do(func() { close(r.found) })
	}
	return len(b), nil
}

// says plays a tone to the page for ever.
func says(t testing.TB, p *Peer, hz float64) {
	t.Helper()
	if err := p.Stream().Play(media.Item{ID: 1, Clips: []*media.Clip{media.Tone(hz, 1000)}, Loop: true}); err != nil {
		t.Fatal(err)
	}
}

// up connects a page that talks.
func up(t testing.TB, s *Server, o pageOptions) (*Peer, *told, *page) {
	t.Helper()
	p, w := newPeer(t, s)
	g := newPage(t, o)
	g.talks(700)
	g.connect(p, w, false)
	w.reaches(t, StateUp)
	return p, w, g
}

// sounds reports whether 200 ms are one tone.
func sounds(pcm []int16, hz int) bool {
	return testkit.ToneTime(testkit.Transcript(pcm, hz), hz) >= 140*time.Millisecond
}

func line(sdp, prefix string) string {
	for l := range strings.Lines(sdp) {
		if strings.HasPrefix(l, prefix) {
			return strings.TrimSpace(l)
		}
	}
	return ""
}
