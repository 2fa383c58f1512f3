package chat

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tandem"
	"tandem/bridge/chat"
)

// A fault of ours ends its own socket, and is counted.
func TestPanicEndsItsSocketOnly(t *testing.T) {
	var panics atomic.Int64
	h := newHouse(t, func(o *Options) { o.Panicked = func() { panics.Add(1) } })
	other, _, _ := h.begun()
	w, _, _ := h.begun()
	h.flow.before = func(s Said) error {
		if s.Text == "bang" {
			panic("bang")
		}
		return nil
	}
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "bang"})
	if code, reason := w.closed(); code != websocket.StatusInternalError || reason != "fault" {
		t.Errorf("%d %q", code, reason)
	}
	other.send(map[string]any{"t": kindSay, "id": "a", "text": "fine"})
	other.next(kindMessage)
	other.cut()
	if panics.Load() != 1 || !strings.Contains(h.log.String(), "a fault of ours") {
		t.Errorf("%d panics are counted", panics.Load())
	}
	h.log.b.Reset()
}

func TestAddressesAreBounded(t *testing.T) {
	now := time.Now()
	h := newHouse(t, func(o *Options) {
		o.Limits = Limits{SocketsPerAddress: 3, ConversationsPerHour: 2}
		o.Now = func() time.Time { return now }
	})
	var open []*wire
	for n := range 3 {
		w := h.dial(map[string]any{"site": "bank"})
		w.next(kindWelcome)
		w.next(kindCaughtUp)
		w.send(map[string]any{"t": kindOpen})
		f := w.next()
		if n < 2 && f.T != kindWelcome || n == 2 && (f.Code != codeFull || f.RetryAfter < 60) {
			t.Errorf("conversation %d: %+v", n+1, f)
		}
		open = append(open, w)
	}
	if _, resp, err := h.connect(pageOrigin); err == nil || resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("a fourth socket: %v %v", resp, err)
	}
	open[0].cut()
	h.eventually("there is room", func() bool {
		w, _, err := h.connect(pageOrigin)
		if err == nil {
			w.cut()
		}
		return err == nil
	})
	open[1].cut()
	open[2].cut()
}

func TestFullServer(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Limits.Sockets = 1 })
	w, _, _ := h.begun()
	second, _, err := h.connect(pageOrigin)
	h.must(err)
	if code, reason := second.closed(); code != websocket.StatusTryAgainLater || reason != "full" {
		t.Errorf("%d %q", code, reason)
	}
	w.cut()
}

func TestDrainingServer(t *testing.T) {
	var draining atomic.Bool
	h := newHouse(t, func(o *Options) {
		o.Ready = func() error {
			if draining.Load() {
				return errors.New("draining")
			}
			return nil
		}
	})
	w, _, _ := h.begun()
	draining.Store(true)
	if _, resp, err := h.connect(pageOrigin); err == nil || resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%v %v", resp, err)
	}
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "I was here before"})
	w.next(kindMessage)
	w.next(kindMessage)
	ended := make(chan error)
	go func() { ended <- h.door.Close(context.Background()) }()
	if code, reason := w.closed(); code != websocket.StatusServiceRestart || reason != "restart" {
		t.Errorf("%d %q", code, reason)
	}
	h.must(<-ended)
	draining.Store(false)
	late, _, err := h.connect(pageOrigin)
	h.must(err)
	if code, _ := late.closed(); code != websocket.StatusTryAgainLater {
		t.Errorf("a socket after the end: %d", code)
	}
}

// A client that is gone without a word does not hold up the end for long.
func TestCloseDoesNotWaitForTheDead(t *testing.T) {
	h := newHouse(t, nil)
	w, _, _ := h.begun() // never reads again
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if err := h.door.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
	w.cut()
}

func TestSilentClientIsPinged(t *testing.T) {
	h := newHouse(t, nil)
	h.door.times.ping, h.door.times.pong = 20*time.Millisecond, time.Second
	alive, _, _ := h.begun()
	dead, _, _ := h.begun() // never reads, so it answers no ping
	go func() {
		for {
			if _, err := alive.tryNext(); err != nil {
				return
			}
		}
	}()
	h.eventually("only the living one is left", func() bool {
		h.door.mu.Lock()
		defer h.door.mu.Unlock()
		return len(h.door.sockets) == 1
	})
	before := alive.pings.Load()
	h.eventually("the living one is pinged again and again", func() bool { return alive.pings.Load() >= before+5 })
	alive.send(map[string]any{"t": kindPing})
	h.door.mu.Lock()
	if len(h.door.sockets) != 1 {
		t.Errorf("%d sockets", len(h.door.sockets))
	}
	h.door.mu.Unlock()
	alive.cut()
	dead.cut()
}

// slowDial connects with small buffers, so that a client that does not read is noticed.
func (h *house) slowDial() *wire {
	h.Helper()
	dialer := &net.Dialer{}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, address)
			if err == nil {
				err = c.(*net.TCPConn).SetReadBuffer(4096)
			}
			return c, err
		}}}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(h.url, "http")+"/api/v1/chat/socket",
		&websocket.DialOptions{Subprotocols: []string{protocol}, HTTPHeader: http.Header{"Origin": {pageOrigin}}, HTTPClient: client})
	h.must(err)
	conn.SetReadLimit(1 << 20)
	return &wire{h: h, conn: conn}
}

func (h *house) sockets() int {
	h.door.mu.Lock()
	defer h.door.mu.Unlock()
	return len(h.door.sockets)
}

// A reader that is too slow is closed, holds up nobody, and resumes without a gap.
func TestSlowReader(t *testing.T) {
	h := newHouse(t, nil)
	h.door.times.write = 2 * time.Second
	quick, id, token := h.begun()
	slow := h.slowDial()
	slow.send(map[string]any{"t": kindHello, "site": "bank", "token": token})
	slow.untilKind(kindCaughtUp) // and reads no more
	long := strings.Repeat("x", 60_000)
	h.flow.replies = 20
	h.flow.reply = func(string, int) tandem.Message { return tandem.Message{Text: long} }
	for said := range 8 { // 10 MB: more than lies in any buffer
		quick.send(map[string]any{"t": kindSay, "id": fmt.Sprint("n", said), "text": "more"})
		last := uint64(1 + (h.flow.replies+1)*(said+1))
		quick.until("the last answer", func(f frame) bool { return f.Seq == last })
	}
	h.eventually("the slow one is closed", func() bool { return h.sockets() == 1 })
	slow.cut()
	slow = h.dial(map[string]any{"site": "bank", "token": token, "after": 1})
	slow.next(kindWelcome)
	rev := uint64(1)
	slow.until("the end of the backlog", func(f frame) bool {
		if f.T == kindMessage {
			if f.Rev != rev+1 {
				t.Fatalf("rev %d after %d", f.Rev, rev)
			}
			rev = f.Rev
		}
		return f.T == kindCaughtUp
	})
	if want := uint64(len(h.list(id))); rev != want {
		t.Errorf("it has %d of %d", rev, want)
	}
	slow.cut()
	quick.cut()
}

// Frames that cannot be read again, more than fit, close the socket with a code of its own.
func TestFullQueue(t *testing.T) {
	h := newHouse(t, nil)
	w, _, _ := h.begun()
	var s *socket
	h.door.mu.Lock()
	for s = range h.door.sockets {
	}
	h.door.mu.Unlock()
	s.mu.Lock()
	s.writing = true // a writer that is held up
	s.mu.Unlock()
	for n := range 200 { // changes of messages take no more room
		if !s.push(&chat.Entry{Rev: uint64(n + 2)}) {
			t.Fatalf("change %d finds no room", n)
		}
	}
	fits := 0
	for s.push(bare{kindPong}) {
		fits++
	}
	if fits != maxQueued-maxReady-1 {
		t.Errorf("%d frames fit beside the changes", fits)
	}
	if code, reason := w.closed(); code != closeSlow || reason != "slow" {
		t.Errorf("%d %q", code, reason)
	}
}

// More messages than a queue holds, marked at once, do not close a socket that reads.
func TestManyReceiptsAtOnce(t *testing.T) {
	h := newHouse(t, nil)
	h.flow.replies = 300
	w, _, _ := h.begun()
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "b"})
	w.until("the last", func(f frame) bool { return f.Seq == 302 })
	w.send(map[string]any{"t": kindRead, "seq": 302})
	w.until("all read", func(f frame) bool { return f.Seq == 302 && f.State == "read" })
	w.cut()
}
