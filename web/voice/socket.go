package voice

import (
	"context"
	"encoding/json"
	"math"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"

	"github.com/coder/websocket"

	"tandem/web/answer"
	"tandem/web/upgrade"
)

const (
	maxQueued  = 64               // frames that wait to be written; then the socket is closed, and its page comes back
	signalTime = 10 * time.Second // for one signal to be carried out
)

// Close codes: RFC 6455, section 7.4.1, and two of our own.
const (
	closeOver      = websocket.StatusNormalClosure   // 1000
	closeBinary    = websocket.StatusUnsupportedData // 1003
	closePolicy    = websocket.StatusPolicyViolation // 1008: origin, hello, flood, login
	closeFault     = websocket.StatusInternalError   // 1011
	closeRestart   = websocket.StatusServiceRestart  // 1012
	closeLater     = websocket.StatusTryAgainLater   // 1013
	closeSlow      = websocket.StatusCode(4000)
	closeElsewhere = websocket.StatusCode(4002) // the page has come back by another socket
)

// socket is one WebSocket. Its reader is a goroutine for as long as it is open; so is its
// writer.
type socket struct {
	door   *Door
	conn   *websocket.Conn
	raw    net.Conn // below it
	from   netip.Addr
	who    *http.Request // of a door for staff: by which it is asked again who they are
	staff  string
	call   *Call // the reader's
	frames flood

	queue chan any
	gone  chan struct{} // closed once it ends
	once  sync.Once
	last  chan struct{} // closed once nothing more is to be written: the call is over
	done  sync.Once
}

// getSocket makes a socket of a request.
func (d *Door) getSocket(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Origin")
	switch {
	case !d.stands(r):
		answer.Refuse(w, http.StatusForbidden, "origin", "This page may not call. Add its origin to webrtc.origins in the configuration.")
		return
	case !upgrade.Speaks(r, Protocol):
		answer.Refuse(w, http.StatusBadRequest, "protocol", "Connect with the WebSocket subprotocol "+Protocol+".")
		return
	}
	s := &socket{door: d, from: answer.Source(r, d.o.Proxies), queue: make(chan any, maxQueued), gone: make(chan struct{}), last: make(chan struct{})}
	if d.o.Who != nil {
		s.who = r.WithContext(context.WithoutCancel(r.Context())) // it outlives the request
		name, ok := d.o.Who(s.who)
		if !ok {
			answer.Refuse(w, http.StatusUnauthorized, "login", "Log in to call.")
			return
		}
		s.staff = name
	}
	if !d.limits.socket(s.from) {
		w.Header().Set("Retry-After", "10")
		answer.Refuse(w, http.StatusTooManyRequests, "too_many", "Too many calls from here. Wait a little.")
		return
	}
	var err error
	if s.conn, s.raw, err = upgrade.Accept(w, r, Protocol); err != nil { // it has answered
		d.limits.close(s.from)
		return
	}
	if !d.enter(s) {
		d.limits.close(s.from)
		s.conn.Close(closeLater, "full")
		return
	}
	s.conn.SetReadLimit(maxFrame)
	go s.run() // this goroutine, and what net/http keeps for it, ends
}

// run reads frames until the socket ends.
func (s *socket) run() {
	defer s.door.leave(s)
	var writing sync.WaitGroup
	writing.Go(s.write)
	defer writing.Wait()
	defer s.end(closeOver, "")
	defer func() {
		if s.call != nil {
			s.call.detach(s)
		}
	}()
	defer s.contain()
	late := time.AfterFunc(s.door.times.hello, func() { s.end(closePolicy, "hello") })
	in, ok := s.next()
	if !late.Stop() || !ok {
		return
	}
	if !s.hello(in) {
		return
	}
	for {
		if in, ok = s.next(); !ok {
			return
		}
		switch in.T {
		case kindVoice:
			ctx, cancel := context.WithTimeout(s.door.ctx, signalTime)
			err := s.call.take(ctx, in.Signal)
			cancel()
			if err != nil {
				s.end(closePolicy, "flood")
				return
			}
		case kindBye:
			s.call.bye()
		case kindPing:
			s.push(bare{kindPong})
		}
	}
}

// hello begins a call, or comes back to one.
func (s *socket) hello(in incoming) bool {
	if in.T != kindHello {
		s.end(closePolicy, "hello")
		return false
	}
	if in.Call != "" {
		c := s.door.find(in.Call, s.staff)
		if c != nil && c.attach(s, true) {
			s.call = c
			return true
		}
		s.refuse("ended", 0)
		return false
	}
	to, langs, ok := in.asked()
	if !ok {
		s.refuse("unknown", 0)
		return false
	}
	c, why, retry := s.door.begin(Incoming{To: to, Langs: langs, Address: s.from, Staff: s.staff})
	if c == nil {
		s.refuse(why, retry)
		return false
	}
	s.call = c
	return c.attach(s, false)
}

// refuse tells a page that there is no call, and ends.
func (s *socket) refuse(why string, retry time.Duration) {
	s.push(stateFrame{T: kindState, State: Over, Why: why, Message: words[why], RetryAfter: int(math.Ceil(retry.Seconds()))})
	s.finishSoon()
	<-s.gone
}

// next reads a frame; ok is false when the socket ends.
func (s *socket) next() (in incoming, ok bool) {
	for {
		kind, data, err := s.conn.Read(context.Background())
		if err != nil {
			return in, false
		}
		if kind != websocket.MessageText {
			s.end(closeBinary, "binary")
			return in, false
		}
		if !s.frames.one(s.door.o.Now()) {
			s.end(closePolicy, "flood")
			return in, false
		}
		if in, err = parse(data); err == nil {
			return in, true
		}
		if s.call == nil {
			s.end(closePolicy, "hello")
			return in, false
		}
	}
}

// push queues a frame. A full queue ends the socket: its page comes back.
func (s *socket) push(frame any) {
	select {
	case <-s.gone:
	case s.queue <- frame:
	default:
		s.end(closeSlow, "slow")
	}
}

// finishSoon ends the socket once what is queued is written.
func (s *socket) finishSoon() { s.done.Do(func() { close(s.last) }) }

// write writes what is queued, pings, and looks who it is.
func (s *socket) write() {
	defer s.contain()
	tick := time.NewTicker(s.door.times.ping)
	defer tick.Stop()
	for {
		select {
		case frame := <-s.queue:
			if !s.send(frame) {
				return
			}
		case <-s.last:
			for len(s.queue) > 0 {
				if !s.send(<-s.queue) {
					return
				}
			}
			s.end(closeOver, "over")
			return
		case <-tick.C:
			if !s.alive() {
				return
			}
		case <-s.gone:
			return
		}
	}
}

// alive pings the page, and asks again who is logged in.
func (s *socket) alive() bool {
	if s.who != nil {
		if name, ok := s.door.o.Who(s.who); !ok || name != s.staff {
			s.end(closePolicy, "login")
			return false
		}
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.door.times.pong)
	defer cancel()
	if s.conn.Ping(ctx) != nil {
		s.end(closeOver, "")
		return false
	}
	return true
}

func (s *socket) send(frame any) bool {
	data, err := json.Marshal(frame)
	if err != nil {
		panic("web/voice: a frame cannot be written: " + err.Error())
	}
	ctx, cancel := context.WithTimeout(context.Background(), s.door.times.write)
	defer cancel()
	if s.conn.Write(ctx, websocket.MessageText, data) != nil {
		s.end(closeOver, "")
		return false
	}
	return true
}

// end closes the socket with a code and a reason for its page. It does not wait.
func (s *socket) end(code websocket.StatusCode, reason string) {
	s.once.Do(func() {
		close(s.gone)
		s.door.running.Go(func() { s.conn.Close(code, reason) }) // with its own bounds of time
	})
}

// contain ends this socket only when the program is at fault.
func (s *socket) contain() {
	if p := recover(); p != nil {
		s.door.fault("a socket met a fault of ours", p, string(debug.Stack()))
		s.end(closeFault, "fault")
	}
}
