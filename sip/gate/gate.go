// Package gate stands between the sockets and the SIP library: every message is
// read raw and judged here first. What is well-formed goes on, put into a plain
// form if it was folded or oddly spaced; a malformed request that can still be
// answered gets its answer from here; the rest is dropped and counted. Sources
// that send too much are told 503, or are not let in.
//
// Check is pure. The wrappers run no goroutine of their own: they work inside the
// reads of whoever serves the socket. Nothing here keeps a dialog or a
// transaction, resolves a name, or logs what a stranger wrote beyond the first
// line of a bad message, cut and escaped.
package gate

import (
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"sync"
	"time"
)

// Limits of one gate. Zero takes the default named. A negative rate, or a negative
// number of connections, switches that limit off; the rest cannot be switched off, and
// below zero takes the default too.
type Limits struct {
	Message          int     // bytes in a message: 65,535
	HeaderLine       int     // bytes in one header field, unfolded: 8 KiB
	Headers          int     // header fields: 128
	Body             int     // bytes: 32 KiB
	Vias             int     // Via values: 20
	InvitesPerSecond float64 // new calls from one address: 50
	InviteBurst      int     // on top of the rate: 100
	// requests of any kind but ACK from one address: ten times those for INVITE
	RequestsPerSecond float64
	RequestBurst      int
	// requests of any kind but ACK over UDP from all addresses together, which may be
	// forged: 5,000. The last quarter of the burst is kept for calls that are up.
	AllRequestsPerSecond float64
	AllRequestBurst      int           // on top of that rate: 10,000
	Connections          int           // TCP connections from one address: 100
	AllConnections       int           // TCP connections in all: 10,000
	Sources              int           // addresses kept in the table: 16,384
	HeaderTime           time.Duration // for a message begun on TCP to be complete: 10 s
	Idle                 time.Duration // between messages on TCP: 120 s
	RetryAfter           time.Duration // told with 503: 5 s
}

func (l Limits) withDefaults() Limits {
	set := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	counts := func(v *int, d int) { // negative is off
		if *v == 0 {
			*v = d
		}
	}
	set(&l.Message, 65535)
	set(&l.HeaderLine, 8<<10)
	set(&l.Headers, 128)
	set(&l.Body, 32<<10)
	set(&l.Vias, 20)
	set(&l.InviteBurst, 100)
	set(&l.AllRequestBurst, 10000)
	set(&l.Sources, 16384)
	counts(&l.Connections, 100)
	counts(&l.AllConnections, 10000)
	if l.InvitesPerSecond == 0 {
		l.InvitesPerSecond = 50
	}
	if l.RequestsPerSecond == 0 {
		l.RequestsPerSecond = 10 * l.InvitesPerSecond
	}
	if l.AllRequestsPerSecond == 0 {
		l.AllRequestsPerSecond = 5000
	}
	set(&l.RequestBurst, 10*l.InviteBurst)
	if l.HeaderTime == 0 {
		l.HeaderTime = 10 * time.Second
	}
	if l.Idle == 0 {
		l.Idle = 120 * time.Second
	}
	if l.RetryAfter == 0 {
		l.RetryAfter = 5 * time.Second
	}
	return l
}

// Options of a Gate. The functions must be quick and safe for use by many goroutines.
type Options struct {
	Limits   Limits
	Log      *slog.Logger
	Now      func() time.Time
	Dropped  func(Reason)      // a message or connection that got no answer
	Answered func(Reason, int) // a message answered here, with the code
	// InUse reports whether a call can be reached by this TCP connection only: such a
	// one may be idle for as long as the call is up. It is asked once each Limits.Idle.
	InUse func(from netip.AddrPort) bool
}

// Gate judges messages for all sockets of a server.
type Gate struct {
	limits  Limits
	log     *slog.Logger
	now     func() time.Time
	o       Options
	sources *sources

	mu       sync.Mutex
	logTime  time.Time // start of the second in which logged lines are counted
	logCount int
	silent   int // bad messages not logged since the last that was
	conns    map[*conn]struct{}
	closed   bool
}

// logsPerSecond bounds what bad messages can write to the log.
const logsPerSecond = 5

// New makes a gate.
func New(o Options) *Gate {
	o.Limits = o.Limits.withDefaults()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Dropped == nil {
		o.Dropped = func(Reason) {}
	}
	if o.Answered == nil {
		o.Answered = func(Reason, int) {}
	}
	if o.InUse == nil {
		o.InUse = func(netip.AddrPort) bool { return false }
	}
	return &Gate{
		limits: o.Limits, log: o.Log, now: o.Now, o: o,
		sources: newSources(o.Limits), conns: make(map[*conn]struct{}),
	}
}

// Close closes every TCP connection that was let in.
func (g *Gate) Close() {
	g.mu.Lock()
	g.closed = true
	open := make([]*conn, 0, len(g.conns))
	for c := range g.conns {
		open = append(open, c)
	}
	g.mu.Unlock()
	for _, c := range open {
		_ = c.Close() // it may be closed already
	}
}

// pass judges one message: what goes on to the library (nil = nothing), and what
// goes back to the sender (nil = nothing).
func (g *Gate) pass(raw []byte, stream bool, from netip.AddrPort) (forward, reply []byte, v Verdict) {
	defer func() {
		if p := recover(); p != nil {
			g.fault(p, from)
			forward, reply, v = nil, nil, Verdict{Reason: ReasonFault}
		}
	}()
	v = Check(raw, stream, g.limits)
	if v.Reason == "" && v.counted() && !g.sources.request(from.Addr(), v.invite, g.now()) {
		v.Reason, v.Code, v.retryAfter = ReasonRate, 503, g.limits.RetryAfter
	}
	if v.Reason == "" && v.counted() && !stream && !g.sources.all(v.head.toTagged, g.now()) {
		v.Reason = ReasonFlood // no answer: it would go to whose addresses are forged
	}
	if v.Reason == "" {
		return v.message, nil, v
	}
	g.note(raw, v, from)
	if v.Code == 0 {
		g.o.Dropped(v.Reason)
		return nil, nil, v
	}
	g.o.Answered(v.Reason, v.Code)
	return nil, v.answer(from), v
}

// fault counts and logs a panic that lost one message or one connection.
func (g *Gate) fault(p any, from netip.AddrPort) {
	g.o.Dropped(ReasonFault)
	g.log.Error("a fault of ours lost a message", "source", from.Addr(), "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
}

// note logs a bad message: its hash and its first line, a few in a second.
func (g *Gate) note(raw []byte, v Verdict, from netip.AddrPort) {
	now := g.now()
	g.mu.Lock()
	if now.Sub(g.logTime) >= time.Second {
		g.logTime, g.logCount = now, 0
	}
	g.logCount++
	if g.logCount > logsPerSecond {
		g.silent++
		g.mu.Unlock()
		return
	}
	silent := g.silent
	g.silent = 0
	g.mu.Unlock()
	g.log.Info("bad SIP message", "source", from.Addr(), "reason", string(v.Reason), "code", v.Code,
		"hash", digestOf(raw), "line", firstLine(raw), "unlogged", silent)
}

func addrPort(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.UDPAddr:
		ap = a.AddrPort()
	case *net.TCPAddr:
		ap = a.AddrPort()
	default:
		ap, _ = netip.ParseAddrPort(a.String())
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
