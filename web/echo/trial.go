package echo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"github.com/coder/websocket"

	"tandem/media/video"
	"tandem/media/webrtc"
	"tandem/web/answer"
	"tandem/web/upgrade"
)

// Kinds of frames: what stands in t.
const (
	kindHello   = "hello"   // from the client
	kindBye     = "bye"     // from the client
	kindVoice   = "voice"   // both ways
	kindScreen  = "screen"  // both ways
	kindWelcome = "welcome" // from the server
	kindState   = "state"   // from the server
	kindOver    = "over"    // from the server
)

const (
	maxFrame  = 64 << 10        // bytes from the client
	maxFrames = 200             // from the client; then it is over
	maxQueued = 64              // frames that wait to be written; then it is over
	helloTime = 5 * time.Second // to the first frame
	writeTime = 10 * time.Second
	loop      = "loop" // what the page is shown itself as
)

// incoming is a frame from the client, whatever its kind.
type incoming struct {
	T      string        `json:"t"`
	Signal webrtc.Signal `json:"signal"`
}

// Frames to the client.
type (
	welcome struct {
		T       string             `json:"t"`
		Servers []webrtc.ICEServer `json:"servers"`
		Seconds int                `json:"seconds"` // that it lasts
	}
	signalFrame struct {
		T      string        `json:"t"`
		Signal webrtc.Signal `json:"signal"`
	}
	stateFrame struct {
		T      string `json:"t"`
		Voice  string `json:"voice"`
		Screen string `json:"screen"`
	}
	over struct {
		T          string `json:"t"`
		Why        string `json:"why"`                   // time, bye, many, busy, closed, lost
		RetryAfter int    `json:"retry_after,omitempty"` // seconds
	}
)

// trial is one page that tries.
type trial struct {
	door   *Door
	conn   *websocket.Conn
	raw    net.Conn // below it
	from   netip.Addr
	peer   *webrtc.Peer
	screen *webrtc.Screen
	queue  chan any
	ended  chan struct{} // closed once it is over
	once   sync.Once
	last   over // of ended

	mu    sync.Mutex
	state stateFrame
}

// getSocket makes a socket of a request.
func (d *Door) getSocket(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Origin")
	switch {
	case !d.stands(r):
		answer.Refuse(w, http.StatusForbidden, "origin", "This page may not try its devices here. Add its origin to webrtc.origins in the configuration.")
		return
	case !upgrade.Speaks(r, Protocol):
		answer.Refuse(w, http.StatusBadRequest, "protocol", "Connect with the WebSocket subprotocol "+Protocol+".")
		return
	}
	t := &trial{door: d, from: answer.Source(r, d.o.Proxies), queue: make(chan any, maxQueued), ended: make(chan struct{})}
	t.state = stateFrame{kindState, string(webrtc.StateNew), string(webrtc.StateNew)}
	why, wait := d.enter(t)
	if why == "" && d.o.Ready != nil && d.o.Ready() != nil {
		d.leave(t)
		why, wait = "closed", 5*time.Second
	}
	var err error
	if t.conn, t.raw, err = upgrade.Accept(w, r, Protocol); err != nil { // it has answered
		if why == "" {
			d.leave(t)
		}
		return
	}
	if why != "" { // by a frame: a page could not tell a refused socket from a lost network
		t.refuse(why, wait)
		return
	}
	t.conn.SetReadLimit(maxFrame)
	go t.run() // this goroutine, and what net/http keeps for it, ends
}

// refuse tells a page that nothing is tried.
func (t *trial) refuse(why string, wait time.Duration) {
	t.write(over{T: kindOver, Why: why, RetryAfter: int(math.Ceil(wait.Seconds()))})
	t.conn.CloseNow() // it waits for nobody who is not let in
}

// run is a trial from its first frame to its end.
func (t *trial) run() {
	defer t.door.leave(t)
	var writing sync.WaitGroup
	defer writing.Wait()
	defer t.close()
	defer t.end("lost", 0)
	defer t.contain()
	late := time.AfterFunc(helloTime, func() { t.end("hello", 0); t.conn.CloseNow() })
	in, ok := t.next()
	if !late.Stop() || !ok || in.T != kindHello {
		t.conn.CloseNow()
		return
	}
	if err := t.open(); err != nil {
		if !errors.Is(err, webrtc.ErrFull) {
			t.door.o.Log.Warn("a page cannot try its devices", "error", err)
		}
		t.refuse("busy", t.door.o.Limits.Time)
		return
	}
	writing.Go(t.writes)
	for range maxFrames {
		if in, ok = t.next(); !ok {
			return
		}
		switch in.T {
		case kindVoice:
			t.take(t.peer.Take, in.Signal)
		case kindScreen:
			t.take(t.screen.Take, in.Signal)
		case kindBye:
			t.end("bye", 0)
			return
		}
	}
}

// open makes the two connections. What the page shows is shown to the page alone, and from
// the start: nobody else sees it.
func (t *trial) open() (err error) {
	name := fmt.Sprint("trial ", t.door.number.Add(1))
	t.peer, err = t.door.o.Peers.NewPeer(webrtc.PeerOptions{Name: name, From: t.from,
		Send: func(s webrtc.Signal) { t.push(signalFrame{kindVoice, s}) }, Changed: func(s webrtc.State) { t.changed(&t.state.Voice, s) }})
	if err != nil {
		return err
	}
	t.screen, err = t.door.o.Peers.NewScreen(webrtc.ScreenOptions{Name: name, From: t.from, ID: loop, Camera: true,
		Send: func(s webrtc.Signal) { t.push(signalFrame{kindScreen, s}) }, Changed: func(s webrtc.State) { t.changed(&t.state.Screen, s) }})
	if err != nil {
		return err
	}
	servers := t.door.o.Peers.Servers(name)
	if servers == nil {
		servers = []webrtc.ICEServer{}
	}
	t.push(welcome{kindWelcome, servers, int(t.door.o.Limits.Time / time.Second)})
	t.screen.Show([]video.Shown{{ID: loop + ":camera", Source: t.screen.Camera()}})
	return nil
}

// take carries out a signal. What a page does wrong is its own matter: it is told by the
// connection that does not come.
func (t *trial) take(do func(context.Context, webrtc.Signal) error, s webrtc.Signal) {
	ctx, cancel := context.WithTimeout(t.door.ctx, writeTime)
	defer cancel()
	if s.Kind == webrtc.KindBye { // it ends by the frame
		return
	}
	if err := do(ctx, s); errors.Is(err, webrtc.ErrRate) {
		t.end("many", time.Minute)
	}
}

// changed tells the page how a connection is. It must not wait.
func (t *trial) changed(of *string, s webrtc.State) {
	t.mu.Lock()
	*of = string(s)
	now := t.state
	t.mu.Unlock()
	t.push(now)
}

// next reads a frame; ok is false when the socket ends.
func (t *trial) next() (in incoming, ok bool) {
	for range maxFrames {
		kind, data, err := t.conn.Read(context.Background())
		if err != nil || kind != websocket.MessageText {
			return in, false
		}
		if in = (incoming{}); json.Unmarshal(data, &in) == nil && in.T != "" {
			return in, true
		}
	}
	return in, false
}

// push queues a frame. A page that does not read is let go.
func (t *trial) push(frame any) {
	select {
	case <-t.ended:
	case t.queue <- frame:
	default:
		t.end("lost", 0)
	}
}

// end has it be over, once.
func (t *trial) end(why string, wait time.Duration) {
	t.once.Do(func() {
		t.last = over{T: kindOver, Why: why, RetryAfter: int(math.Ceil(wait.Seconds()))}
		close(t.ended)
	})
}

// writes writes what is queued, till it is over or its time is.
func (t *trial) writes() {
	defer t.contain()
	defer t.conn.CloseNow()
	late := time.NewTimer(t.door.o.Limits.Time)
	defer late.Stop()
	for {
		select {
		case frame := <-t.queue:
			if !t.write(frame) {
				t.end("lost", 0)
				return
			}
			continue
		case <-late.C:
			t.end("time", 0)
		case <-t.door.ctx.Done():
			t.end("closed", 5*time.Second)
		case <-t.ended:
		}
		t.write(t.last)
		t.conn.Close(websocket.StatusNormalClosure, t.last.Why)
		return
	}
}

func (t *trial) write(frame any) bool {
	data, err := json.Marshal(frame)
	if err != nil {
		panic("web/echo: a frame cannot be written: " + err.Error())
	}
	ctx, cancel := context.WithTimeout(context.Background(), writeTime)
	defer cancel()
	return t.conn.Write(ctx, websocket.MessageText, data) == nil
}

// close ends the connections.
func (t *trial) close() {
	if t.peer != nil {
		t.peer.Close()
	}
	if t.screen != nil {
		t.screen.Close()
	}
}

// contain ends this trial only when the program is at fault.
func (t *trial) contain() {
	if p := recover(); p != nil {
		t.door.fault(p, debug.Stack())
		t.end("lost", 0)
		t.conn.CloseNow()
	}
}
