package chat

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"tandem"
	"tandem/bridge/chat"
	"tandem/web/answer"
	"tandem/web/upgrade"
)

// times of a socket.
type times struct {
	hello time.Duration // to its first frame
	write time.Duration // for one frame to leave
	ping  time.Duration // between pings
	pong  time.Duration // to the answer to one
}

// standardTimes are those of a Door, but for tests.
func standardTimes() times {
	return times{hello: 5 * time.Second, write: 10 * time.Second, ping: 30 * time.Second, pong: 10 * time.Second}
}

const (
	doTime    = time.Minute // for what one frame asks
	maxQueued = 64          // frames that wait to be written; then the socket is closed, and its client resumes
	maxReady  = 32          // from so many on, changes are not queued but read when their turn comes
	page      = 100         // messages read at once for a client that resumes
)

// frameRate bounds frames of any kind, of one socket.
var frameRate = rate{"frame", 100, 50 * time.Millisecond}

// Close codes: RFC 6455, section 7.4.1, and one of our own.
const (
	closeBinary  = websocket.StatusUnsupportedData // 1003
	closePolicy  = websocket.StatusPolicyViolation // 1008: origin, site, token, hello, flood
	closeFault   = websocket.StatusInternalError   // 1011
	closeRestart = websocket.StatusServiceRestart  // 1012
	closeLater   = websocket.StatusTryAgainLater   // 1013
	closeSlow    = websocket.StatusCode(4000)
)

// socket is one WebSocket. Its reader is a goroutine for as long as it is open; a writer
// runs only while something is to be written, so that one that is idle costs little.
type socket struct {
	door   *Door
	conn   *websocket.Conn
	raw    net.Conn // below it
	from   netip.Addr
	origin string
	own    bool // the origin is the server's

	// The reader's.
	site  Site
	lang  string
	guest *stranger // nil once there is a conversation
	sub   *chat.Subscription
	flood bucketOf
	types bucketOf
	signs bucketOf
	page  string // names the page; set by hello
	born  uint64 // sockets that came later have a higher one
	got   uint64 // told to be delivered up to
	read  uint64 // told to be read up to

	id   atomic.Pointer[tandem.ConversationID] // nil before there is one; set by the reader
	busy atomic.Bool                           // the reader does what a frame asks, and reads no pong
	top  atomic.Uint64                         // the highest Seq that was written
	sent atomic.Uint64                         // the highest Rev that was written; set by the writer

	mu      sync.Mutex
	beat    *time.Timer
	queue   []any // *chat.Entry, behind, again, backlog, standing, facing, or a frame
	faces   told  // the writer's
	writing bool
	over    bool // nothing is queued any more
}

// behind asks the writer for all changes not written yet.
type behind struct{}

// backlog asks for them too, and to say that this was all.
type backlog struct{}

// standing asks the writer for the place in line.
type standing struct{}

// again is an entry that the client asks for by its id, and may have had.
type again struct {
	*chat.Entry
	id string
}

// getSocket makes a socket of a request.
func (d *Door) getSocket(w http.ResponseWriter, r *http.Request) {
	from, given, ok := origin(r)
	own := ok && given && d.isOwn(r, from)
	switch {
	case !given || !ok:
		refuseOrigin(w)
		return
	case !upgrade.Speaks(r, protocol):
		answer.Refuse(w, http.StatusBadRequest, "protocol", "Connect with the WebSocket subprotocol "+protocol+".")
		return
	}
	if d.o.Ready != nil && d.o.Ready() != nil {
		w.Header().Set("Retry-After", "5")
		answer.Refuse(w, http.StatusServiceUnavailable, "not_now", "Nobody new is let in at the moment. Try again in a moment.")
		return
	}
	s := &socket{door: d, from: d.source(r), origin: from, own: own}
	if !d.limits.admit(s.from, d.o.Limits.SocketsPerAddress) {
		tooMany(w, 10*time.Second)
		return
	}
	var err error
	if s.conn, s.raw, err = upgrade.Accept(w, r, protocol); err != nil { // it has answered; the origin was looked at above
		d.limits.release(s.from)
		return
	}
	if !own && !lists(d.o.Origins(), from) { // a refused upgrade would look to a page like a lost network, to be tried again and again
		s.conn.Close(closePolicy, "origin")
		d.limits.release(s.from)
		return
	}
	if !d.enter(s) {
		d.limits.release(s.from)
		s.conn.Close(closeLater, "full")
		return
	}
	s.conn.SetReadLimit(maxFrame)
	go s.run() // this goroutine, and what net/http keeps for it, ends
}

// run reads frames until the socket ends.
func (s *socket) run() {
	defer s.door.leave(s)
	defer s.finish()
	defer s.contain()
	if !s.hello() {
		return
	}
	for {
		in, ok := s.next()
		if !ok {
			return
		}
		s.busy.Store(true)
		s.handle(in)
		s.busy.Store(false)
	}
}

// contain ends this socket only when the program is at fault.
func (s *socket) contain() {
	if p := recover(); p != nil {
		if s.door.o.Panicked != nil {
			s.door.o.Panicked()
		}
		s.door.o.Log.Error("a socket met a fault of ours", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		s.end(closeFault, "fault")
	}
}

// finish gives back all that the socket has. end may be closing it in good form: that
// must not be cut short.
func (s *socket) finish() {
	if s.sub != nil {
		s.sub.Close()
	}
	if s.guest != nil {
		s.door.forget(s.guest)
	}
	s.mu.Lock()
	ended := s.over
	s.over, s.queue = true, nil
	if s.beat != nil {
		s.beat.Stop()
	}
	s.mu.Unlock()
	if !ended {
		s.conn.CloseNow()
	}
}

// end closes the socket with a code and a reason for its client. It does not wait.
func (s *socket) end(code websocket.StatusCode, reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.over {
		return
	}
	s.over, s.queue = true, nil
	s.door.running.Go(func() { s.conn.Close(code, reason) }) // with its own bounds of time
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
		if s.flood.take(frameRate, s.door.o.Now()) > 0 {
			s.end(closePolicy, "flood")
			return in, false
		}
		if in, err = parse(data); err == nil {
			return in, true
		}
		s.push(refusal("", codeBad, wordsBad, 0))
	}
}

// hello reads the first frame and answers it; ok is false if the socket ends.
func (s *socket) hello() (ok bool) {
	late := time.AfterFunc(s.door.times.hello, func() { s.end(closePolicy, "hello") })
	in, ok := s.next()
	if !late.Stop() || !ok {
		return false
	}
	if in.T != kindHello {
		s.end(closePolicy, "hello")
		return false
	}
	s.page = s.named(in.Page)
	c, why := s.recognise(in)
	if why != "" {
		code := closePolicy
		if why == "later" {
			code = closeLater
		}
		s.end(code, why)
		return false
	}
	s.beats()
	if c.ID == "" {
		return s.push(s.welcomeTo("", 0, s.guest.token)) && s.push(caughtUp{T: kindCaughtUp})
	}
	if c.Lang != "" {
		s.lang = c.Lang
	}
	if in.After <= c.Rev { // else it knows another past than we
		s.sent.Store(in.After)
	}
	s.top.Store(c.Seq)
	if !s.join(c.ID, s.welcomeTo(c.ID, c.Rev, "")) {
		return false
	}
	if s.door.o.Place != nil && c.Interaction != "" && !s.push(standing{}) {
		return false
	}
	if s.door.o.Face != nil && !s.push(facing{}) {
		return false
	}
	return s.push(backlog{})
}

func (s *socket) welcomeTo(id tandem.ConversationID, rev uint64, token string) welcome {
	return welcome{T: kindWelcome, Conversation: id, Token: token, Rev: rev, Lang: s.lang, Site: s.site.view(), Place: s.site.Place}
}

// join makes the socket one of a conversation, with a welcome before all else that it is
// told.
func (s *socket) join(id tandem.ConversationID, hello welcome) (ok bool) {
	s.id.Store(&id)
	s.door.gather(id, s)
	if !s.push(hello) {
		return false
	}
	sub, err := s.door.o.Book.Subscribe(id, s.show)
	if err != nil {
		s.end(closeLater, "devices")
		return false
	}
	s.sub = sub
	return true
}

// beats has the socket pinged from now on.
func (s *socket) beats() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.beat = time.AfterFunc(s.door.times.ping, s.ping)
}

// ping ends a socket that does not answer: its client is gone without a word.
func (s *socket) ping() {
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return
	}
	s.door.running.Add(1)
	s.mu.Unlock()
	defer s.door.running.Done()
	ctx, cancel := context.WithTimeout(context.Background(), s.door.times.pong)
	defer cancel()
	if err := s.conn.Ping(ctx); err != nil && !s.busy.Load() {
		s.conn.CloseNow()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.beat.Reset(s.door.times.ping)
	}
}
