package live

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"tandem"
	"tandem/store/staff"
	"tandem/web/answer"
	"tandem/web/login"
	"tandem/web/upgrade"
)

const (
	doTime    = 30 * time.Second // for what one frame asks
	doubtTime = 30 * time.Second // for which a socket stays while the store cannot say who it is
	maxQueued = 256              // frames that wait to be written; then the socket is closed, and its client resumes
	maxBytes  = 4 << 20          // and their bytes
	// maxNobodys bounds the sockets whose first frame is to say who they are of: strangers
	// can open them.
	maxNobodys = 64
)

// Close codes: RFC 6455, section 7.4.1, and two of our own.
const (
	closeBinary  = websocket.StatusUnsupportedData // 1003
	closePolicy  = websocket.StatusPolicyViolation // 1008: login, hello, flood
	closeFault   = websocket.StatusInternalError   // 1011
	closeRestart = websocket.StatusServiceRestart  // 1012
	closeLater   = websocket.StatusTryAgainLater   // 1013
	closeSlow    = websocket.StatusCode(4000)
	closeChanged = websocket.StatusCode(4001)
)

// socket is one WebSocket. Its reader is a goroutine for as long as it is open; a writer
// runs only while something is to be written, so that one that is idle costs little.
type socket struct {
	desk *Floor
	conn *websocket.Conn
	raw  net.Conn        // below it
	ctx  context.Context // of the request: who it is, for the audit log; not its end

	// The reader's.
	feed     *feed
	frames   bucket
	commands bucket
	types    bucket
	voices   bucket

	who   atomic.Pointer[login.Caller] // as last seen; set by the reader and the guard
	busy  atomic.Bool                  // the reader does what a frame asks, and reads no pong
	sure  atomic.Int64                 // when it was last known who it is, Unix nanoseconds
	wants atomic.Bool                  // the board, too

	mu      sync.Mutex
	beat    *time.Timer
	queue   [][]byte
	bytes   int
	fresh   bool // the board is to come whole
	writing bool
	over    bool // nothing is queued any more
}

// getSocket makes a socket of a request.
func (d *Floor) getSocket(w http.ResponseWriter, r *http.Request) {
	if !upgrade.Speaks(r, protocol) {
		answer.Refuse(w, http.StatusBadRequest, "protocol", "Connect with the WebSocket subprotocol "+protocol+".")
		return
	}
	c := login.CallerOf(r.Context())
	if c.Name() != "" && !d.welcomed(c) {
		answer.Refuse(w, http.StatusForbidden, "forbidden", "Neither your roles nor this key's scopes include the desk.")
		return
	}
	s := &socket{desk: d, ctx: context.WithoutCancel(r.Context())}
	s.who.Store(&c)
	var err error
	if s.conn, s.raw, err = upgrade.Accept(w, r, protocol); err != nil { // it has answered; the door looked at the origin
		return
	}
	if !d.enter(s) {
		s.conn.Close(closeLater, "full")
		return
	}
	s.conn.SetReadLimit(maxFrame)
	go s.run() // this goroutine, and what net/http keeps for it, ends
}

// welcomed reports whether a caller may have a socket.
func (d *Floor) welcomed(c login.Caller) bool { return c.Agent() != "" || d.o.Reads(c) }

// enter counts a socket in. It is false once the desk is closed, or full.
func (d *Floor) enter(s *socket) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	unknown := s.who.Load().Name() == ""
	if d.closed || len(d.sockets) >= d.o.Sockets || unknown && d.nobodys >= maxNobodys {
		return false
	}
	if unknown {
		d.nobodys++
	}
	d.sockets[s] = struct{}{}
	d.running.Add(1)
	return true
}

// known says that a socket that was let in as nobody's has said hello, or has ended.
func (d *Floor) known() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.nobodys--
}

// claim counts a socket as one of whoever it turned out to be.
func (d *Floor) claim(name string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.of[name] >= d.o.Each {
		return false
	}
	d.of[name]++
	return true
}

func (d *Floor) leave(s *socket, claimed string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.sockets, s)
	if claimed != "" {
		if d.of[claimed]--; d.of[claimed] <= 0 {
			delete(d.of, claimed)
		}
	}
	d.running.Done()
}

// run reads frames until the socket ends.
func (s *socket) run() {
	claimed := ""
	defer func() { s.desk.leave(s, claimed) }()
	defer s.finish()
	defer s.contain()
	if claimed = s.hello(); claimed == "" {
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
		if s.desk.o.Panicked != nil {
			s.desk.o.Panicked()
		}
		s.desk.o.Log.Error("a socket met a fault of ours", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		s.end(closeFault, "fault")
	}
}

// finish gives back all that the socket has. end may be closing it in good form: that must
// not be cut short.
func (s *socket) finish() {
	if f := s.feed; f != nil && f.leave(s, s.desk.o.Now()) && !s.desk.There(f.name) {
		if s.desk.o.Voice != nil {
			s.desk.o.Voice.Gone(f.name)
		}
		if s.desk.o.Faces != nil {
			s.desk.o.Faces.Gone(f.name)
		}
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
	s.endLocked(code, reason)
}

func (s *socket) endLocked(code websocket.StatusCode, reason string) {
	if s.over {
		return
	}
	s.over, s.queue = true, nil
	s.desk.running.Go(func() { s.conn.Close(code, reason) }) // with its own bounds of time
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
		if !s.frames.take(100, 50*time.Millisecond, s.desk.o.Now()) {
			s.end(closePolicy, "flood")
			return in, false
		}
		if in, err = parse(data); err == nil {
			return in, true
		}
		s.push(failed{T: kindError, Code: CodeBad, Message: "This is no frame: send one JSON object with t."})
	}
}

// CodeBad is an error's code where a frame is none that we know.
const CodeBad = "bad"

// hello reads the first frame and answers it. It returns who the socket counts as, "" if it
// ends.
func (s *socket) hello() (claimed string) {
	if s.who.Load().Name() == "" {
		defer s.desk.known()
	}
	late := time.AfterFunc(s.desk.o.Times.Hello, func() { s.end(closePolicy, "hello") })
	in, ok := s.next()
	if !late.Stop() || !ok {
		return ""
	}
	if in.T != kindHello {
		s.end(closePolicy, "hello")
		return ""
	}
	ctx, cancel := s.context()
	defer cancel()
	c := *s.who.Load()
	if in.Token != "" && c.Name() == "" {
		var err error
		if c, s.ctx, err = s.desk.o.Door.WithKey(s.ctx, in.Token); err != nil {
			s.refuse(err)
			return ""
		}
		s.who.Store(&c)
	}
	c, err := s.desk.o.Door.Again(ctx, c)
	if err != nil {
		s.refuse(err)
		return ""
	}
	if !s.desk.welcomed(c) {
		s.end(closePolicy, "login")
		return ""
	}
	if !s.desk.claim(c.Name()) {
		s.end(closeLater, "full")
		return ""
	}
	s.sure.Store(s.desk.o.Now().UnixNano())
	s.join(c, in)
	return c.Name()
}

// refuse ends a socket whose caller could not be made out.
func (s *socket) refuse(err error) {
	if errors.Is(err, staff.ErrNoLogin) {
		s.end(closePolicy, "login")
		return
	}
	s.end(closeLater, "later")
}

// join answers hello, and begins to tell what happens.
func (s *socket) join(c login.Caller, in incoming) {
	d, name := s.desk, c.Agent()
	w := welcome{T: kindWelcome, Name: c.Called(), Agent: name != "", Board: in.Board && d.o.Reads(c)}
	s.wants.Store(w.Board)
	s.mu.Lock()
	s.fresh = w.Board
	s.beat = time.AfterFunc(d.o.Times.Ping, s.ping)
	s.mu.Unlock()
	if _, whose := whose(c); whose == "" { // a program that reads the line
		s.push(w)
		s.push(ready{T: kindReady})
		return
	}
	if name != "" {
		d.Seen(name)
	}
	d.unlisten(c)
	s.feed = d.joinFeed(c, s, in, func(f *feed, resumed bool) bool {
		w.Epoch, w.N, w.Resumed = f.epoch, f.n, resumed
		return s.push(w)
	})
	if name == "" {
		return
	}
	a, ok := d.o.Line.Agent(name) // of nobody known nothing is held
	if !ok {
		s.push(failed{T: kindError, Code: string(tandem.CodeNotFound), Message: "You do not stand in the queues file, so nothing is offered to you; a flow designer adds agents to it."})
	}
	for _, h := range a.Holds {
		if t, ok := d.o.Line.Task(h.Task); ok && h.State == tandem.TaskAssigned {
			d.hear(s.feed, t)
		}
	}
}

// context is that of one frame: who it is by, and how long it may take.
func (s *socket) context() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(s.ctx, doTime)
	stop := context.AfterFunc(s.desk.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

// ping ends a socket that does not answer: its client is gone without a word. One that does
// is there.
func (s *socket) ping() {
	s.mu.Lock()
	if s.over {
		s.mu.Unlock()
		return
	}
	s.desk.running.Add(1)
	s.mu.Unlock()
	defer s.desk.running.Done()
	ctx, cancel := context.WithTimeout(context.Background(), s.desk.o.Times.Pong)
	defer cancel()
	err := s.conn.Ping(ctx)
	if err != nil && !s.busy.Load() {
		s.conn.CloseNow()
		return
	}
	if c := s.who.Load(); err == nil && c.Agent() != "" {
		s.desk.Seen(c.Agent())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.over {
		s.beat.Reset(s.desk.o.Times.Ping)
	}
}

// recheck looks anew who each socket is of. Who is nobody any more, or may do other things
// than before, is closed.
func (d *Floor) recheck() {
	d.mu.Lock()
	all := make([]*socket, 0, len(d.sockets))
	for s := range d.sockets {
		all = append(all, s)
	}
	d.mu.Unlock()
	for _, s := range all {
		if s.sure.Load() != 0 { // it has said hello
			ctx, cancel := context.WithTimeout(d.ctx, doTime)
			s.again(ctx)
			cancel()
		}
	}
}

// again looks anew who the socket is of; an error says why its frame is not acted on. One
// whose caller is known no more, or is another, ends.
func (s *socket) again(ctx context.Context) (login.Caller, error) {
	was := *s.who.Load()
	now, err := s.desk.o.Door.Again(ctx, was)
	switch {
	case errors.Is(err, staff.ErrNoLogin), err == nil && !s.desk.welcomed(now):
		s.end(closePolicy, "login")
		if was.Agent() != "" && !s.desk.others(was.Agent(), s) {
			s.desk.unseen(was.Agent())
		}
		return now, staff.ErrNoLogin
	case err != nil:
		if s.desk.o.Now().Sub(time.Unix(0, s.sure.Load())) > doubtTime {
			s.end(closeLater, "later")
		}
		return now, err
	case now.Agent() != was.Agent() || s.desk.o.Reads(now) != s.desk.o.Reads(was) || s.desk.o.Supervises(now) != s.desk.o.Supervises(was):
		s.end(closeChanged, "changed")
		return now, staff.ErrNoLogin
	}
	s.who.Store(&now)
	s.sure.Store(s.desk.o.Now().UnixNano())
	return now, nil
}

// others reports whether an agent has another socket that goes on.
func (d *Floor) others(name string, but *socket) bool {
	f := d.feed(name)
	if f == nil {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.sockets {
		if s != but {
			s.mu.Lock()
			over := s.over
			s.mu.Unlock()
			if !over {
				return true
			}
		}
	}
	return false
}

// bucket bounds how often something is done: burst at once, then one each every.
type bucket struct {
	left  float64
	at    time.Time
	begun bool
}

func (b *bucket) take(burst float64, every time.Duration, now time.Time) bool {
	if !b.begun {
		b.left, b.at, b.begun = burst, now, true
	}
	b.left = min(burst, b.left+float64(now.Sub(b.at))/float64(every))
	b.at = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}
