package echo

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/pion/ice/v4"
	pionrtp "github.com/pion/rtp"
	pion "github.com/pion/webrtc/v4"
	"go.uber.org/goleak"

	"tandem/media"
	"tandem/media/webrtc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	patience = 15 * time.Second
	bank     = "https://www.bank.example"
)

// house is a door with a server behind it.
type house struct {
	*testing.T
	door *Door
	http *httptest.Server
}

func newHouse(t *testing.T, change func(*Options)) *house {
	t.Helper()
	e, err := media.NewEngine(media.Config{Address: netip.AddrFrom4([4]byte{127, 0, 0, 1}), Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	s, err := webrtc.New(webrtc.Config{Listen: "127.0.0.1:0", Engine: e})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{T: t}
	o := Options{Peers: s, Origins: func() []string { return []string{bank} }, URL: "https://pages.bank.example", Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	if change != nil {
		change(&o)
	}
	if h.door, err = New(o); err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	h.door.Routes(mux)
	h.http = httptest.NewServer(mux)
	t.Cleanup(func() {
		h.door.Close()
		http.DefaultClient.CloseIdleConnections()
		h.http.Close()
		if err := errors.Join(s.Close(), e.Close()); err != nil {
			t.Error(err)
		}
	})
	return h
}

// line is a page's socket.
type line struct {
	h    *house
	conn *websocket.Conn
}

func (h *house) dial(origin string) (*line, *http.Response, error) {
	ctx, cancel := context.WithTimeout(h.Context(), patience)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(h.http.URL, "http")+Path,
		&websocket.DialOptions{Subprotocols: []string{Protocol}, HTTPHeader: http.Header{"Origin": {origin}}})
	if err != nil {
		return nil, resp, err
	}
	conn.SetReadLimit(1 << 20)
	h.Cleanup(func() { conn.CloseNow() })
	return &line{h, conn}, resp, nil
}

// open is a socket that has said hello.
func (h *house) open() *line {
	h.Helper()
	l, _, err := h.dial(bank)
	if err != nil {
		h.Fatal(err)
	}
	l.send(map[string]any{"t": kindHello})
	return l
}

func (l *line) send(v any) {
	l.h.Helper()
	data, err := json.Marshal(v)
	if err == nil {
		err = l.conn.Write(l.h.Context(), websocket.MessageText, data)
	}
	if err != nil {
		l.h.Fatal(err)
	}
}

// frame is what a page is told.
type frame struct {
	T          string
	Signal     webrtc.Signal
	Servers    []webrtc.ICEServer
	Seconds    int
	Voice      string
	Screen     string
	Why        string
	RetryAfter int `json:"retry_after"`
}

// until reads frames up to one that fits.
func (l *line) until(what string, fits func(frame) bool) frame {
	l.h.Helper()
	ctx, cancel := context.WithTimeout(l.h.Context(), patience)
	defer cancel()
	for {
		_, data, err := l.conn.Read(ctx)
		if err != nil {
			l.h.Fatalf("waiting for %s: %v", what, err)
		}
		var f frame
		if err := json.Unmarshal(data, &f); err != nil {
			l.h.Fatal(err)
		}
		if fits(f) {
			return f
		}
	}
}

func (l *line) kind(kind string) frame {
	l.h.Helper()
	return l.until(kind, func(f frame) bool { return f.T == kind })
}

// leaves ends a trial from the page's side.
func (l *line) leaves() {
	l.h.Helper()
	l.send(map[string]any{"t": kindBye})
	if f := l.kind(kindOver); f.Why != "bye" {
		l.h.Errorf("over: %+v", f)
	}
	l.conn.CloseNow()
}

// connection is a browser's, played by pion.
func (h *house) connection() *pion.PeerConnection {
	h.Helper()
	e := pion.SettingEngine{}
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.SetIncludeLoopbackCandidate(true)
	e.SetIPFilter(func(ip net.IP) bool { return ip.IsLoopback() })
	pc, err := pion.NewAPI(pion.WithSettingEngine(e)).NewPeerConnection(pion.Configuration{})
	if err != nil {
		h.Fatal(err)
	}
	h.Cleanup(func() { pc.Close() })
	return pc
}

// offers has a connection offered, and answered.
func (l *line) offers(pc *pion.PeerConnection, kind string) {
	l.h.Helper()
	offer, err := pc.CreateOffer(nil)
	if err == nil {
		err = pc.SetLocalDescription(offer)
	}
	if err != nil {
		l.h.Fatal(err)
	}
	l.send(map[string]any{"t": kind, "signal": map[string]any{"kind": "offer", "sdp": pc.LocalDescription().SDP}})
	f := l.until("the answer", func(f frame) bool { return f.T == kind && f.Signal.Kind == webrtc.KindAnswer })
	if err := pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeAnswer, SDP: f.Signal.SDP}); err != nil {
		l.h.Fatal(err)
	}
}

// sends writes packets of a track till the connection ends, each with payload.
func (h *house) sends(track *pion.TrackLocalStaticRTP, every time.Duration, step uint32, payload []byte) {
	stop, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(every)
		defer tick.Stop()
		for n := uint16(0); ; n++ {
			select {
			case <-stop:
				return
			case <-tick.C:
				_ = track.WriteRTP(&pionrtp.Packet{Header: pionrtp.Header{Version: 2, Marker: true, SequenceNumber: n, Timestamp: uint32(n) * step}, Payload: payload})
			}
		}
	}()
	h.Cleanup(func() { close(stop); <-ended })
}

// A page connects sound and pictures, and sees its own picture come back.
func TestAPageSeesItself(t *testing.T) {
	h := newHouse(t, nil)
	l := h.open()
	if f := l.kind(kindWelcome); f.Seconds != 20 || f.Servers == nil {
		t.Errorf("welcomed with %+v", f)
	}
	voice := h.connection()
	mic, err := pion.NewTrackLocalStaticRTP(pion.RTPCodecCapability{MimeType: pion.MimeTypePCMU, ClockRate: 8000}, "mic", "page")
	if err == nil {
		_, err = voice.AddTrack(mic)
	}
	if err != nil {
		t.Fatal(err)
	}
	h.sends(mic, 20*time.Millisecond, 160, make([]byte, 160))

	screen, back := h.connection(), make(chan string, 16)
	screen.OnTrack(func(track *pion.TrackRemote, r *pion.RTPReceiver) {
		for {
			p, _, err := track.ReadRTP()
			if err != nil {
				return
			}
			if len(p.Payload) > 0 {
				select {
				case back <- screen.GetTransceivers()[2].Mid():
				default:
				}
			}
		}
	})
	vp8 := pion.RTPCodecCapability{MimeType: pion.MimeTypeVP8, ClockRate: 90000}
	camera, err := pion.NewTrackLocalStaticRTP(vp8, "camera", "page")
	if err != nil {
		t.Fatal(err)
	}
	display, err := pion.NewTrackLocalStaticRTP(vp8, "display", "page")
	if err != nil {
		t.Fatal(err)
	}
	for _, track := range []*pion.TrackLocalStaticRTP{camera, display} {
		if _, err := screen.AddTransceiverFromTrack(track, pion.RTPTransceiverInit{Direction: pion.RTPTransceiverDirectionSendonly}); err != nil {
			t.Fatal(err)
		}
	}
	for range 4 {
		if _, err := screen.AddTransceiverFromKind(pion.RTPCodecTypeVideo, pion.RTPTransceiverInit{Direction: pion.RTPTransceiverDirectionRecvonly}); err != nil {
			t.Fatal(err)
		}
	}
	// One keyframe of 640 by 480 after another: the head is all that is looked at (RFC 6386, 9.1).
	h.sends(camera, 30*time.Millisecond, 2700, append([]byte{0x10, 0x10, 0, 0, 0x9d, 0x01, 0x2a, 0x80, 0x02, 0xe0, 0x01}, make([]byte, 200)...))

	l.offers(voice, kindVoice)
	l.offers(screen, kindScreen)
	slots := l.until("what is shown", func(f frame) bool { return f.T == kindScreen && f.Signal.Kind == webrtc.KindSlots }).Signal.Slots
	if len(slots) != 4 || slots[0].ID != "loop:camera" || slots[1].ID != "" {
		t.Errorf("shown %+v", slots)
	}
	l.until("both are up", func(f frame) bool { return f.T == kindState && f.Voice == "up" && f.Screen == "up" })
	select {
	case mid := <-back:
		if mid != slots[0].Mid {
			t.Errorf("it comes back in %s, not in %s", mid, slots[0].Mid)
		}
	case <-time.After(patience):
		t.Fatal("the page does not see itself")
	}
	l.send(map[string]any{"t": kindBye})
	if f := l.kind(kindOver); f.Why != "bye" {
		t.Errorf("over: %+v", f)
	}
}

// A trial ends by its time, whatever the page does; who stops the server ends it, too.
func TestATrialEnds(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Limits.Time = 50 * time.Millisecond })
	l := h.open()
	l.kind(kindWelcome)
	if f := l.kind(kindOver); f.Why != "time" {
		t.Errorf("over: %+v", f)
	}
	if _, _, err := l.conn.Read(t.Context()); websocket.CloseStatus(err) != websocket.StatusNormalClosure {
		t.Errorf("closed with %v", err)
	}
	h = newHouse(t, nil)
	l = h.open()
	l.kind(kindWelcome)
	go h.door.Close()
	if f := l.kind(kindOver); f.Why != "closed" {
		t.Errorf("over: %+v", f)
	}
	l, _, err := h.dial(bank)
	if err != nil {
		t.Fatal(err)
	}
	if f := l.kind(kindOver); f.Why != "closed" {
		t.Errorf("after the end: %+v", f)
	}
}

// Who tries too often, too much at once, or while nobody is let in is told so; what one
// network does is nothing to another.
func TestTrialsAreBounded(t *testing.T) {
	now := time.Unix(1795424400, 0)
	var ready atomic.Bool
	h := newHouse(t, func(o *Options) {
		o.Limits = Limits{AtOnce: 3, PerAddress: 2, PerHour: 4}
		o.Now = func() time.Time { return now }
		o.Ready = func() error {
			if !ready.Load() {
				return errors.New("not now")
			}
			return nil
		}
		o.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	})
	from := func(address string) *line {
		conn, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(h.http.URL, "http")+Path,
			&websocket.DialOptions{Subprotocols: []string{Protocol}, HTTPHeader: http.Header{"Origin": {bank}, "X-Forwarded-For": {address}}})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.CloseNow() })
		return &line{h, conn}
	}
	if f := from("192.0.2.9").kind(kindOver); f.Why != "closed" || f.RetryAfter != 5 {
		t.Errorf("while nobody is let in: %+v", f)
	}
	ready.Store(true)
	one, two := from("192.0.2.1"), from("192.0.2.1")
	for _, l := range []*line{one, two} {
		l.send(map[string]any{"t": kindHello})
		l.kind(kindWelcome)
	}
	if f := from("192.0.2.1").kind(kindOver); f.Why != "many" || f.RetryAfter != 20 {
		t.Errorf("a third of one network: %+v", f)
	}
	three := from("192.0.2.2")
	three.send(map[string]any{"t": kindHello})
	three.kind(kindWelcome)
	if f := from("192.0.2.3").kind(kindOver); f.Why != "busy" {
		t.Errorf("a fourth in all: %+v", f)
	}
	for range 2 { // two are left of the hour
		one.leaves()
		h.rests("192.0.2.1", 1)
		one = from("192.0.2.1")
		one.send(map[string]any{"t": kindHello})
		one.kind(kindWelcome)
	}
	one.leaves()
	h.rests("192.0.2.1", 1)
	if f := from("192.0.2.1").kind(kindOver); f.Why != "many" || f.RetryAfter != 900 {
		t.Errorf("a fifth of an hour: %+v", f)
	}
}

// rests waits till a network has so many trials that go on.
func (h *house) rests(address string, n int) {
	h.Helper()
	late := time.After(patience)
	for {
		h.door.mu.Lock()
		is := h.door.of(netip.MustParseAddr(address)).now
		h.door.mu.Unlock()
		if is == n {
			return
		}
		select {
		case <-late:
			h.Fatalf("%s has %d trials, not %d", address, is, n)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// Nobody tries from a page that is not listed, and what is no hello or no frame opens nothing.
func TestWhoMayTry(t *testing.T) {
	h := newHouse(t, nil)
	for origin, status := range map[string]int{"https://evil.example": 403, "null": 403, "https://www.bank.example.evil.example": 403, "https://pages.bank.example": 101, bank: 101} {
		_, resp, err := h.dial(origin)
		if resp == nil || resp.StatusCode != status {
			t.Errorf("%s: %v, %v", origin, resp, err)
		}
	}
	resp, err := http.Get(h.http.URL + Path)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 403 {
		t.Errorf("without an origin: %d", resp.StatusCode)
	}
	for _, first := range []string{`{"t":"voice","signal":{"kind":"offer"}}`, `{"t":"bye"}`} {
		h := newHouse(t, nil)
		l, _, err := h.dial(bank)
		if err != nil {
			t.Fatal(err)
		}
		if err := l.conn.Write(t.Context(), websocket.MessageText, []byte(first)); err != nil {
			t.Fatal(err)
		}
		if _, data, err := l.conn.Read(t.Context()); err == nil {
			t.Errorf("%s is answered %s", first, data)
		}
	}
	l := newHouse(t, nil).open()
	l.kind(kindWelcome)
	for _, bad := range []string{"{", "[]", `{"t":5}`, `{"t":"screen","signal":{"kind":"offer","sdp":"no"}}`, `{"t":"voice","signal":{"kind":"answer"}}`, `{"t":"other"}`, `{"t":"screen","signal":{"kind":"bye"}}`} {
		if err := l.conn.Write(t.Context(), websocket.MessageText, []byte(bad)); err != nil {
			t.Fatal(err)
		}
	}
	l.send(map[string]any{"t": kindBye}) // it is still there
	if f := l.kind(kindOver); f.Why != "bye" {
		t.Errorf("over: %+v", f)
	}
}
