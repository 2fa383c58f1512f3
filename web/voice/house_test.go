package voice

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/pion/ice/v4"
	pionrtp "github.com/pion/rtp"
	pion "github.com/pion/webrtc/v4"
	"go.uber.org/goleak"

	"tandem"
	"tandem/media"
	"tandem/media/webrtc"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const patience = 15 * time.Second

// house is a door with a server behind it.
type house struct {
	t     *testing.T
	door  *Door
	http  *httptest.Server
	calls *calls
}

// calls plays internal/app.
type calls struct {
	mu     sync.Mutex
	refuse error
	got    chan *Call
	run    func(ctx context.Context, c *Call) tandem.Termination
}

func (c *calls) Admit(_ context.Context, in Incoming) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if in.To == "404" {
		return &Refused{Why: "unknown"}
	}
	return c.refuse
}

func (c *calls) Call(ctx context.Context, k *Call) tandem.Termination {
	c.got <- k
	c.mu.Lock()
	run := c.run
	c.mu.Unlock()
	if run != nil {
		return run(ctx, k)
	}
	k.Ring(ctx)
	k.Answer(ctx)
	select {
	case <-k.Done():
		return k.Termination()
	case <-ctx.Done():
		return tandem.Terminate(tandem.BySystem, tandem.ReasonShutdown)
	}
}

func newHouse(t *testing.T, change func(*Options), set func(*times)) *house {
	t.Helper()
	e, err := media.NewEngine(media.Config{Address: netip.AddrFrom4([4]byte{127, 0, 0, 1}), Shards: 1})
	if err != nil {
		t.Fatal(err)
	}
	s, err := webrtc.New(webrtc.Config{Listen: "127.0.0.1:0", Engine: e})
	if err != nil {
		t.Fatal(err)
	}
	h := &house{t: t, calls: &calls{got: make(chan *Call, 8)}}
	o := Options{
		Calls: h.calls, Peers: s, Origins: func() []string { return []string{"https://www.bank.example"} }, URL: "https://voice.bank.example",
		Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	if h.door, err = New(o); err != nil {
		t.Fatal(err)
	}
	if set != nil {
		set(&h.door.times)
	}
	mux := http.NewServeMux()
	h.door.Routes(mux)
	h.http = httptest.NewServer(mux)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := h.door.Close(ctx); err != nil {
			t.Error(err)
		}
		h.http.Close()
		if err := errors.Join(s.Close(), e.Close()); err != nil {
			t.Error(err)
		}
	})
	return h
}

// line is a page's socket.
type line struct {
	t    *testing.T
	conn *websocket.Conn
}

func (h *house) dial(origin string) (*line, *http.Response, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, resp, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(h.http.URL, "http")+"/api/v1/voice/socket",
		&websocket.DialOptions{Subprotocols: []string{Protocol}, HTTPHeader: http.Header{"Origin": {origin}}})
	if err != nil {
		return nil, resp, err
	}
	h.t.Cleanup(func() { conn.CloseNow() })
	return &line{h.t, conn}, resp, nil
}

func (h *house) open() *line {
	h.t.Helper()
	l, _, err := h.dial("https://www.bank.example")
	if err != nil {
		h.t.Fatal(err)
	}
	return l
}

func (l *line) say(frame any) {
	l.t.Helper()
	b, err := json.Marshal(frame)
	if err != nil {
		l.t.Fatal(err)
	}
	l.raw(string(b))
}

func (l *line) raw(text string) {
	l.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := l.conn.Write(ctx, websocket.MessageText, []byte(text)); err != nil {
		l.t.Fatal(err)
	}
}

// frame is any frame from the server.
type frame struct {
	T       string            `json:"t"`
	Call    string            `json:"call"`
	Servers []any             `json:"servers"`
	Resumed bool              `json:"resumed"`
	Signal  webrtc.Signal     `json:"signal"`
	State   State             `json:"state"`
	Why     string            `json:"why"`
	Message map[string]string `json:"message"`
	Retry   int               `json:"retry_after"`
}

func (l *line) read() (f frame, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_, b, err := l.conn.Read(ctx)
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	return f, err
}

// until reads until a frame of a kind, and state if it is one.
func (l *line) until(kind string, state State) frame {
	l.t.Helper()
	for {
		f, err := l.read()
		if err != nil {
			l.t.Fatalf("waiting for %s %s: %v", kind, state, err)
		}
		if f.T == kind && (kind != kindState || f.State == state) {
			return f
		}
		if f.T == kindState && f.State == Over && state != Over {
			l.t.Fatalf("waiting for %s %s: it is over: %s", kind, state, f.Why)
		}
	}
}

// closed reads until the end, and gives the code.
func (l *line) closed() websocket.StatusCode {
	l.t.Helper()
	for {
		if _, err := l.read(); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// page connects a browser played by pion to the call of a line; stop ends its audio.
func (l *line) page() (pc *pion.PeerConnection, stop func()) {
	l.t.Helper()
	e := pion.SettingEngine{}
	e.SetIncludeLoopbackCandidate(true)
	e.SetInterfaceFilter(func(name string) bool { return name == "lo" })
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	pc, err := pion.NewAPI(pion.WithSettingEngine(e)).NewPeerConnection(pion.Configuration{})
	if err != nil {
		l.t.Fatal(err)
	}
	track, err := pion.NewTrackLocalStaticRTP(pion.RTPCodecCapability{MimeType: pion.MimeTypePCMU, ClockRate: 8000}, "mic", "page")
	if err != nil {
		l.t.Fatal(err)
	}
	if _, err := pc.AddTrack(track); err != nil {
		l.t.Fatal(err)
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for n := uint16(0); ; n++ {
			select {
			case <-tick.C:
				_ = track.WriteRTP(&pionrtp.Packet{Header: pionrtp.Header{Version: 2, SequenceNumber: n, Timestamp: uint32(n) * 160}, Payload: make([]byte, 160)})
			case <-done:
				return
			}
		}
	}()
	var once sync.Once
	stop = func() { once.Do(func() { close(done); <-ended }) }
	l.t.Cleanup(func() { stop(); _ = pc.GracefulClose() })
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		l.t.Fatal(err)
	}
	gathered := pion.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		l.t.Fatal(err)
	}
	<-gathered
	l.say(map[string]any{"t": kindVoice, "signal": webrtc.Signal{Kind: webrtc.KindOffer, SDP: pc.LocalDescription().SDP}})
	for {
		if f := l.until(kindVoice, ""); f.Signal.Kind == webrtc.KindAnswer {
			if err := pc.SetRemoteDescription(pion.SessionDescription{Type: pion.SDPTypeAnswer, SDP: f.Signal.SDP}); err != nil {
				l.t.Fatal(err)
			}
			return pc, stop
		}
	}
}

// call makes a call that is up.
func (h *house) call() (l *line, c *Call, token string, stop func()) {
	h.t.Helper()
	l = h.open()
	l.say(map[string]any{"t": kindHello, "to": "95599", "langs": []string{"zh-CN", "en"}})
	token = l.until(kindWelcome, "").Call
	_, stop = l.page()
	select {
	case c = <-h.calls.got:
	case <-time.After(patience):
		h.t.Fatal("no call was run")
	}
	l.until(kindState, Up)
	return l, c, token, stop
}

func ends(t *testing.T, c *Call, reason tandem.Reason) {
	t.Helper()
	select {
	case <-c.Done():
	case <-time.After(patience):
		t.Fatal("it does not end")
	}
	if got := c.Termination().Reason; got != reason {
		t.Errorf("it ended %s, want %s", got, reason)
	}
}
