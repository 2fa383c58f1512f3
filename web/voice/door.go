package voice

import (
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"time"

	"tandem"
	"tandem/media/webrtc"
)

// Protocol is the subprotocol of the socket.
const Protocol = "tandem.voice.1"

// Incoming is what a page asks for.
type Incoming struct {
	To      string     // what it calls: a number or another entry; of staff "try:FLOW" too
	Langs   []string   // what the person reads, best first
	Address netip.Addr // where the page's socket comes from
	Staff   string     // the name of who is logged in, of a door for staff; "" = a customer
}

// Calls runs calls; internal/app.
type Calls interface {
	// Admit says, before anything is spent, whether such a call would be taken now. Its
	// error may be *Refused.
	Admit(ctx context.Context, in Incoming) error
	// Call runs one to its end, and tells how it ended. ctx ends when the server stops.
	// The page is connected: its audio can be heard and played to.
	Call(ctx context.Context, c *Call) tandem.Termination
}

// Refused is an answer of Calls that the page is told.
type Refused struct {
	Why        string        // one of the words of docs/webrtc.md: unknown, busy, many, forbidden, closed
	RetryAfter time.Duration // 0 = trying again is of no use
}

func (r *Refused) Error() string { return "refused: " + r.Why }

// Peers makes the pages' connections; media/webrtc's Server.
type Peers interface {
	NewPeer(o webrtc.PeerOptions) (*webrtc.Peer, error)
	Servers(who string) []webrtc.ICEServer
}

// Limits bounds what strangers can take. Zero fields are the defaults.
type Limits struct {
	Calls           int // at once; 200
	CallsPerAddress int // at once; 4
	CallsPerHour    int // begun from one address; 30
}

// Options is what a Door is made of. Who, Ready, Panicked, Proxies and Limits may be left out.
type Options struct {
	Calls    Calls
	Peers    Peers
	Origins  func() []string // pages that may call, besides the server's own
	URL      string          // how pages reach the server, http.public_url
	Proxies  []netip.Prefix  // whose X-Forwarded-For is believed
	Limits   Limits
	Ready    func() error // why no new calls are let in now; nil = they are
	Panicked func()       // counts a fault of ours, which ends its call only
	Now      func() time.Time
	Random   io.Reader
	Log      *slog.Logger

	// Who makes this a door for staff: it names who is logged in and may call from the
	// page, and is asked again every ten seconds while they do. ok is false for nobody.
	Who func(r *http.Request) (name string, ok bool)
}

// times of sockets and calls.
type times struct {
	hello   time.Duration // to a socket's first frame
	write   time.Duration // for one frame to leave
	ping    time.Duration // between pings, and between looks at who it is
	pong    time.Duration // to the answer to one
	connect time.Duration // to the page's first audio
	away    time.Duration // of a page's socket, or of its audio, before the call ends
}

// standardTimes are those of a Door, but for tests.
func standardTimes() times {
	return times{hello: 5 * time.Second, write: 10 * time.Second, ping: 10 * time.Second, pong: 10 * time.Second, connect: 20 * time.Second, away: 30 * time.Second}
}

// Door lets pages call.
type Door struct {
	o      Options
	own    string // the server's origin
	limits *limits
	times  times
	ctx    context.Context // of calls; ends with Close
	cancel context.CancelFunc

	mu      sync.Mutex
	sockets map[*socket]struct{}
	calls   map[string]*Call // by token
	closed  bool
	running sync.WaitGroup
}

// New makes a Door.
func New(o Options) (*Door, error) {
	if o.Calls == nil || o.Peers == nil || o.Origins == nil || o.Now == nil || o.Random == nil || o.Log == nil {
		return nil, errors.New("web/voice: Options need Calls, Peers, Origins, Now, Random and Log")
	}
	own, ok := normalOrigin(o.URL)
	if !ok {
		return nil, errors.New("web/voice: Options need URL, http://HOST or https://HOST")
	}
	for of, standard := range map[*int]int{&o.Limits.Calls: 200, &o.Limits.CallsPerAddress: 4, &o.Limits.CallsPerHour: 30} {
		if *of <= 0 {
			*of = standard
		}
	}
	d := &Door{o: o, own: own, limits: newLimits(o.Now), times: standardTimes(), sockets: map[*socket]struct{}{}, calls: map[string]*Call{}}
	d.ctx, d.cancel = context.WithCancel(context.Background())
	return d, nil
}

// Routes adds the door's address, /api/v1/voice/socket.
func (d *Door) Routes(mux *http.ServeMux) {
	mux.HandleFunc("GET /api/v1/voice/socket", d.getSocket)
}

// Close ends every call and every socket, and lets in no more. It returns when all that
// was begun has ended; what has not by the end of ctx is cut off.
func (d *Door) Close(ctx context.Context) error {
	d.mu.Lock()
	d.closed = true
	sockets, calls := slices.Collect(maps.Keys(d.sockets)), slices.Collect(maps.Values(d.calls))
	d.mu.Unlock()
	for _, c := range calls {
		c.end(tandem.Terminate(tandem.BySystem, tandem.ReasonShutdown), "restart")
	}
	d.cancel()
	for _, s := range sockets {
		s.end(closeRestart, "restart")
	}
	ended := make(chan struct{})
	go func() { d.running.Wait(); close(ended) }()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	for _, s := range sockets {
		s.raw.Close()
	}
	<-ended
	return context.Cause(ctx)
}

// enter counts a socket in. It is false once the door is closed, or full.
func (d *Door) enter(s *socket) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || len(d.sockets) >= 2*d.o.Limits.Calls {
		return false
	}
	d.sockets[s] = struct{}{}
	d.running.Add(1)
	return true
}

func (d *Door) leave(s *socket) {
	d.mu.Lock()
	delete(d.sockets, s)
	d.mu.Unlock()
	d.limits.close(s.from)
	d.running.Done()
}

// begin makes a call for a socket; why is a word if there is none.
func (d *Door) begin(in Incoming) (c *Call, why string, retry time.Duration) {
	if d.o.Ready != nil && d.o.Ready() != nil {
		return nil, "closed", 5 * time.Second
	}
	if wait := d.limits.call(in.Address, d.o.Limits.CallsPerAddress, d.o.Limits.CallsPerHour); wait > 0 {
		return nil, "many", wait
	}
	why, retry = d.admit(in)
	if why == "" {
		if c, why = d.open(in); c != nil {
			return c, "", 0
		}
	}
	d.limits.over(in.Address)
	return nil, why, retry
}

// admit asks Calls.
func (d *Door) admit(in Incoming) (why string, retry time.Duration) {
	ctx, cancel := context.WithTimeout(d.ctx, d.times.write)
	defer cancel()
	err := d.o.Calls.Admit(ctx, in)
	var no *Refused
	switch {
	case err == nil:
		return "", 0
	case errors.As(err, &no):
		if _, ok := words[no.Why]; ok {
			return no.Why, no.RetryAfter
		}
		return "busy", no.RetryAfter
	}
	d.o.Log.Error("a page's call could not be judged", "error", err)
	return "fault", 0
}

// open makes the call and its peer.
func (d *Door) open(in Incoming) (*Call, string) {
	token, id := make([]byte, 16), make([]byte, 12)
	if _, err := io.ReadFull(d.o.Random, token); err != nil {
		return nil, "fault"
	}
	if _, err := io.ReadFull(d.o.Random, id); err != nil {
		return nil, "fault"
	}
	c := &Call{Incoming: in, ID: hex.EncodeToString(id), door: d, token: base64.RawURLEncoding.EncodeToString(token), done: make(chan struct{}), state: Connecting}
	var err error // the peer tells of nothing before an offer: c is whole by then
	c.peer, err = d.o.Peers.NewPeer(webrtc.PeerOptions{Name: "call " + c.ID, From: in.Address, Send: c.signalled, Changed: c.changed})
	if err != nil {
		if !errors.Is(err, webrtc.ErrFull) {
			d.o.Log.Warn("no connection for a page's call", "error", err)
		}
		return nil, "busy"
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed || len(d.calls) >= d.o.Limits.Calls {
		c.mu.Lock()
		c.state = Over // so that nothing follows from the peer's end
		c.mu.Unlock()
		c.peer.Close()
		return nil, "busy"
	}
	d.calls[c.token] = c
	d.running.Add(1) // till forget
	c.connect()
	return c, ""
}

// forget gives back what a call that is over has.
func (d *Door) forget(c *Call) {
	defer d.running.Done()
	c.peer.Close()
	d.mu.Lock()
	delete(d.calls, c.token)
	d.mu.Unlock()
	d.limits.over(c.Address)
}

// find is the call of a token, if it goes on and whoever asks made it.
func (d *Door) find(token, staff string) *Call {
	d.mu.Lock()
	c := d.calls[token]
	d.mu.Unlock()
	if c == nil || c.Staff != staff {
		return nil
	}
	return c
}

// fault tells of a fault of ours.
func (d *Door) fault(what string, p any, stack string) {
	if d.o.Panicked != nil {
		d.o.Panicked()
	}
	d.o.Log.Error(what, "panic", fmt.Sprint(p), "stack", stack)
}
