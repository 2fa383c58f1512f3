package voice

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tandem"
	"tandem/media/webrtc"
)

// A page calls, hears that it rings, talks, and hangs up.
func TestAPageCalls(t *testing.T) {
	h := newHouse(t, nil, nil)
	l := h.open()
	l.say(map[string]any{"t": kindHello, "to": "95599", "langs": []string{"zh-CN", "en"}})
	w := l.until(kindWelcome, "")
	if len(w.Call) != 22 || w.Resumed || w.Servers == nil {
		t.Errorf("welcome %+v", w)
	}
	l.page()
	c := <-h.calls.got
	if c.To != "95599" || !slices.Equal(c.Langs, []string{"zh-CN", "en"}) || !c.Address.IsLoopback() || c.Staff != "" || c.ID == "" {
		t.Errorf("call %+v", c.Incoming)
	}
	l.until(kindState, Ringing)
	l.until(kindState, Up)
	l.say(map[string]any{"t": kindPing})
	l.until(kindPong, "")
	l.say(map[string]any{"t": kindBye})
	if f := l.until(kindState, Over); f.Why != "hangup" || f.Message["en"] == "" || f.Message["zh-CN"] == "" {
		t.Errorf("over: %+v", f)
	}
	if code := l.closed(); code != closeOver {
		t.Errorf("closed with %d", code)
	}
	ends(t, c, tandem.ReasonHangup)
}

// Whoever runs the call ends it: the page is told why.
func TestWeHangUp(t *testing.T) {
	h := newHouse(t, nil, nil)
	h.calls.run = func(ctx context.Context, c *Call) tandem.Termination {
		c.Answer(ctx)
		c.Hangup(ctx, tandem.Terminate(tandem.ByFlow, tandem.ReasonCompleted))
		if c.Answer(ctx) == nil {
			t.Error("a call that is over was answered")
		}
		return c.Termination()
	}
	l := h.open()
	l.say(map[string]any{"t": kindHello, "to": "95599"})
	l.until(kindWelcome, "")
	l.page()
	if f := l.until(kindState, Over); f.Why != "ended" {
		t.Errorf("over: %+v", f)
	}
}

// A call that runs into a fault of ours ends itself alone.
func TestAPanicEndsOneCall(t *testing.T) {
	var panics atomic.Int32
	h := newHouse(t, func(o *Options) { o.Panicked = func() { panics.Add(1) } }, nil)
	well, _, _, _ := h.call()
	h.calls.mu.Lock()
	h.calls.run = func(context.Context, *Call) tandem.Termination { panic("a flow") }
	h.calls.mu.Unlock()
	l := h.open()
	l.say(map[string]any{"t": kindHello, "to": "95599"})
	l.until(kindWelcome, "")
	l.page()
	if f := l.until(kindState, Over); f.Why != "fault" || panics.Load() != 1 {
		t.Errorf("over: %+v, %d panics", f, panics.Load())
	}
	well.say(map[string]any{"t": kindPing})
	well.until(kindPong, "")
}

// The socket drops and comes back by its token while the call goes on.
func TestTheSocketComesBack(t *testing.T) {
	h := newHouse(t, nil, nil)
	l, c, token, _ := h.call()
	l.conn.CloseNow()
	again := h.open()
	again.say(map[string]any{"t": kindHello, "call": token})
	if w := again.until(kindWelcome, ""); !w.Resumed || w.Call != token {
		t.Errorf("welcome %+v", w)
	}
	again.until(kindState, Up)
	third := h.open() // before the second is noticed to be gone
	third.say(map[string]any{"t": kindHello, "call": token})
	third.until(kindState, Up)
	if code := again.closed(); code != closeElsewhere {
		t.Errorf("the socket before was closed with %d", code)
	}
	select {
	case <-c.Done():
		t.Error("the call has ended")
	default:
	}
	third.say(map[string]any{"t": kindBye})
	ends(t, c, tandem.ReasonHangup)
	late := h.open()
	late.say(map[string]any{"t": kindHello, "call": token})
	if f := late.until(kindState, Over); f.Why != "ended" {
		t.Errorf("over: %+v", f)
	}
}

// A socket that does not come back, audio that does not, and a page that never connects end the call.
func TestCallsThatAreLost(t *testing.T) {
	h := newHouse(t, nil, func(w *times) { w.away = 300 * time.Millisecond })
	l, c, _, _ := h.call()
	l.conn.CloseNow()
	ends(t, c, tandem.ReasonTransport)

	silent := newHouse(t, nil, func(w *times) { w.connect = 300 * time.Millisecond }).open()
	silent.say(map[string]any{"t": kindHello, "to": "95599"})
	if f := silent.until(kindState, Over); f.Why != "no_media" {
		t.Errorf("over: %+v", f)
	}
	if testing.Short() {
		return
	}
	l, c, _, stop := h.call()
	stop()
	if f := l.until(kindState, Over); f.Why != "lost" {
		t.Errorf("over: %+v", f)
	}
	ends(t, c, tandem.ReasonMediaTimeout)
}

// Who may not call is told why.
func TestRefusals(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Limits.CallsPerAddress = 2; o.Limits.CallsPerHour = 4 }, nil)
	over := func(what string, hello map[string]any, why string) {
		t.Helper()
		l := h.open()
		l.say(hello)
		if f := l.until(kindState, Over); f.Why != why || f.Message["zh-CN"] == "" {
			t.Errorf("%s: %+v", what, f)
		}
	}
	over("unknown", map[string]any{"t": kindHello, "to": "404"}, "unknown")
	over("nothing", map[string]any{"t": kindHello}, "unknown")
	over("too long", map[string]any{"t": kindHello, "to": strings.Repeat("1", 200)}, "unknown")
	over("no such token", map[string]any{"t": kindHello, "call": "AAAAAAAAAAAAAAAAAAAAAA"}, "ended")
	one, two := h.open(), h.open()
	for _, l := range []*line{one, two} {
		l.say(map[string]any{"t": kindHello, "to": "95599"})
		l.until(kindWelcome, "")
	}
	over("a third at once", map[string]any{"t": kindHello, "to": "95599"}, "many")
	one.say(map[string]any{"t": kindBye})
	one.until(kindState, Over)
	one.closed()
	for {
		h.door.mu.Lock()
		n := len(h.door.calls)
		h.door.mu.Unlock()
		if n < 2 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	l := h.open()
	l.say(map[string]any{"t": kindHello, "to": "95599"})
	l.until(kindWelcome, "")
	l.say(map[string]any{"t": kindBye})
	l.closed()
	over("a fifth in an hour", map[string]any{"t": kindHello, "to": "95599"}, "many")
}

// Pages that are not listed, and who does not say hello, get nothing.
func TestStrangers(t *testing.T) {
	h := newHouse(t, nil, func(w *times) { w.hello = 1500 * time.Millisecond })
	for _, origin := range []string{"", "null", "https://evil.example", "https://www.bank.example.evil.example", "http://www.bank.example"} {
		_, resp, err := h.dial(origin)
		if err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
			t.Errorf("%q: %v", origin, err)
		}
	}
	for _, origin := range []string{"https://voice.bank.example", h.http.URL} {
		if _, _, err := h.dial(origin); err != nil {
			t.Errorf("%q: %v", origin, err)
		}
	}
	if code := h.open().closed(); code != closePolicy {
		t.Errorf("without hello it is closed with %d", code)
	}
	for _, text := range []string{"no frame", `{"t":"voice"}`, `{}`, `[]`} {
		l := h.open()
		l.raw(text)
		if code := l.closed(); code != closePolicy {
			t.Errorf("%s: closed with %d", text, code)
		}
	}
	l := h.open()
	l.say(map[string]any{"t": kindHello, "to": "95599"})
	l.until(kindWelcome, "")
	for range 50 * floodBurst { // until the door is shut, however slow this machine is
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err := l.conn.Write(ctx, websocket.MessageText, []byte(`{"t":"nothing that we know"}`))
		cancel()
		if err != nil {
			break
		}
	}
	if code := l.closed(); code != closePolicy && code != -1 { // -1: the connection was gone before the word got through
		t.Errorf("a flood: closed with %d", code)
	}
}

// At a door for staff it is asked again who they are; another's call is not theirs.
func TestStaff(t *testing.T) {
	var who atomic.Value
	who.Store("anna")
	h := newHouse(t, func(o *Options) {
		o.Who = func(*http.Request) (string, bool) { name := who.Load().(string); return name, name != "" }
	}, func(w *times) { w.ping = 100 * time.Millisecond })
	l, c, token, _ := h.call()
	if c.Staff != "anna" {
		t.Errorf("staff %q", c.Staff)
	}
	who.Store("bo")
	if code := l.closed(); code != closePolicy {
		t.Errorf("another login: closed with %d", code)
	}
	other := h.open()
	other.say(map[string]any{"t": kindHello, "call": token})
	if f := other.until(kindState, Over); f.Why != "ended" {
		t.Errorf("over: %+v", f)
	}
	who.Store("")
	if _, resp, err := h.dial("https://www.bank.example"); err == nil || resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("nobody: %v", err)
	}
}

// A server that stops says so.
func TestClose(t *testing.T) {
	h := newHouse(t, nil, nil)
	l, c, _, _ := h.call()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := h.door.Close(ctx); err != nil {
		t.Fatal(err)
	}
	ends(t, c, tandem.ReasonShutdown)
	if code := l.closed(); code != closeRestart && code != closeOver && code != -1 {
		t.Errorf("closed with %d", code)
	}
}

// Every word that a termination leads to has its sentence in both languages.
func TestWords(t *testing.T) {
	for _, r := range []tandem.Reason{
		tandem.ReasonCompleted, tandem.ReasonHangup, tandem.ReasonNoEntry, tandem.ReasonBusy, tandem.ReasonShutdown, tandem.ReasonForbidden,
		tandem.ReasonNoMedia, tandem.ReasonMediaTimeout, tandem.ReasonMaxDuration, tandem.ReasonPanic, tandem.ReasonMoved,
	} {
		for _, by := range []tandem.Party{tandem.ByRemote, tandem.BySystem} {
			if w := words[whyOf(tandem.Terminate(by, r))]; w["en"] == "" || w["zh-CN"] == "" {
				t.Errorf("%s by %s has no words", r, by)
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"t":"hello","to":"95599","langs":["en"],"call":""}`))
	f.Add([]byte(`{"t":"voice","signal":{"kind":"offer","sdp":"v=0"}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		in, err := parse(data)
		if err != nil {
			return
		}
		if to, langs, ok := in.asked(); ok && (to == "" || len(to) > maxTo || len(langs) > maxLangs) {
			t.Errorf("%q %q", to, langs)
		}
	})
}

// slow holds up who asks for a connection.
type slow struct {
	Peers
	asked, on chan struct{}
}

func (s slow) NewPeer(o webrtc.PeerOptions) (*webrtc.Peer, error) {
	close(s.asked)
	<-s.on
	return s.Peers.NewPeer(o)
}

// A server that stops while a call is being made ends that one too.
func TestCloseWhileACallOpens(t *testing.T) {
	asked, on := make(chan struct{}), make(chan struct{})
	h := newHouse(t, func(o *Options) { o.Peers = slow{o.Peers, asked, on} }, nil)
	l := h.open()
	l.say(map[string]any{"t": kindHello, "to": "95599"})
	<-asked
	closed := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		closed <- h.door.Close(ctx)
	}()
	for {
		h.door.mu.Lock()
		closing := h.door.closed
		h.door.mu.Unlock()
		if closing {
			break
		}
		time.Sleep(time.Millisecond)
	}
	close(on)
	if err := <-closed; err != nil {
		t.Fatal(err)
	}
	h.door.mu.Lock()
	defer h.door.mu.Unlock()
	if len(h.door.calls) != 0 {
		t.Error("a call is left")
	}
}
