package sip

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo"
	gosip "github.com/emiago/sipgo/sip"

	"tandem"
	"tandem/sip/gate"
)

const (
	defaultT1         = 500 * time.Millisecond
	defaultT2         = 4 * time.Second
	defaultCalls      = 5000
	defaultPerSource  = 200
	defaultRetryAfter = 5 * time.Second
	largestDatagram   = 65000 // bytes sipgo may send in one datagram; its own default loses long answers
)

// Server is the signalling of one process.
type Server struct {
	cfg     Config
	handler Handler
	log     *slog.Logger
	random  io.Reader
	now     func() time.Time
	agent   string
	metrics *metrics
	gate    *gate.Gate
	digest  *challenger
	agentUA *sipgo.UserAgent
	engine  *sipgo.Server
	calling sync.WaitGroup // calls and readers

	wire sync.RWMutex // held for reading by who may make sipgo open a socket
	shut bool         // none may be opened any more

	mu       sync.Mutex
	sockets  []socket
	calls    map[key]*Call
	invites  map[inviteKey]struct{} // those being served
	sources  map[netip.Addr]int     // dialogs of each source
	dialled  map[string]time.Time   // Call-ID and tag of calls out, while answers may still come
	draining bool
	closed   bool
}

type socket struct {
	network string
	addr    netip.AddrPort
	close   func() error
}

// inviteKey names an INVITE apart from the path it took (RFC 3261 section 8.2.2.2).
type inviteKey struct {
	callID, fromTag string
	seq             uint32
}

// NewServer checks the configuration; nothing is opened before Start.
func NewServer(cfg Config, h Handler) (*Server, error) {
	if h == nil {
		return nil, errors.New("setting up SIP: no handler")
	}
	cfg = withDefaults(cfg)
	for _, l := range cfg.Listen {
		if _, _, err := listenAddress(l); err != nil {
			return nil, fmt.Errorf("setting up SIP: %w", err)
		}
	}
	for i := range cfg.Trunks {
		if err := cfg.Trunks[i].check(); err != nil {
			return nil, fmt.Errorf("setting up SIP: %w", err)
		}
	}
	m, err := newMetrics(cfg.Registerer)
	if err != nil {
		return nil, fmt.Errorf("setting up SIP: %w", err)
	}
	s := &Server{
		cfg: cfg, handler: h, log: cfg.Log, random: cfg.Random, now: cfg.Now, agent: cfg.UserAgent, metrics: m,
		calls: make(map[key]*Call), invites: make(map[inviteKey]struct{}), sources: make(map[netip.Addr]int), dialled: make(map[string]time.Time),
	}
	if s.digest, err = newChallenger(cfg); err != nil {
		return nil, fmt.Errorf("setting up SIP: %w", err)
	}
	s.gate = gate.New(gate.Options{
		Limits: cfg.Limits.Gate, Log: cfg.Log, Now: cfg.Now,
		Dropped:  func(r gate.Reason) { m.dropped.WithLabelValues(string(r)).Inc() },
		Answered: func(r gate.Reason, code int) { m.refused.WithLabelValues(string(r)).Inc(); m.answer(code) },
		InUse:    s.carries,
	})
	if err := s.build(); err != nil {
		return nil, fmt.Errorf("setting up SIP: %w", err)
	}
	return s, nil
}

func withDefaults(cfg Config) Config {
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.T1 == 0 {
		cfg.T1 = defaultT1
	}
	if cfg.T2 == 0 {
		cfg.T2 = defaultT2
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = "Tandem"
	}
	if cfg.Realm == "" {
		cfg.Realm = "tandem"
	}
	if cfg.Limits.Calls == 0 {
		cfg.Limits.Calls = defaultCalls
	}
	if cfg.Limits.CallsPerSource == 0 {
		cfg.Limits.CallsPerSource = defaultPerSource
	}
	if cfg.Limits.RetryAfter == 0 {
		cfg.Limits.RetryAfter = defaultRetryAfter
	}
	return cfg
}

// settings of sipgo that are the whole program's, which tests start servers in at once.
var settings sync.Once

// build wires sipgo. Its log is thrown away: it would print every bad message
// whole; the gate tells of those in its own words.
func (s *Server) build() error {
	quiet := slog.New(slog.DiscardHandler)
	settings.Do(func() {
		gosip.UDPMTUSize = largestDatagram
		gosip.TransportBufferReadSize = math.MaxUint16 // its 32 KiB would cut off what the gate lets in
		gosip.SetDefaultLogger(quiet)
	})
	ua, err := sipgo.NewUA(
		sipgo.WithUserAgent(s.agent),
		sipgo.WithUserAgentTransportLayerOptions(gosip.WithTransportLayerLogger(quiet)),
		sipgo.WithUserAgentTransactionLayerOptions(
			gosip.WithTransactionLayerLogger(quiet),
			gosip.WithTransactionLayerTerminateOnConnClose(),
			gosip.WithTransactionLayerUnhandledResponseHandler(s.onStrayResponse),
		),
	)
	if err != nil {
		return err
	}
	engine, err := sipgo.NewServer(ua, sipgo.WithServerLogger(quiet))
	if err != nil {
		return err
	}
	s.agentUA, s.engine = ua, engine
	handlers := map[gosip.RequestMethod]func(*gosip.Request, gosip.ServerTransaction){
		gosip.INVITE: s.onInvite, gosip.ACK: s.onAck, gosip.BYE: s.onBye, gosip.CANCEL: s.onCancel,
		gosip.OPTIONS: s.onOptions, gosip.INFO: s.onInfo,
	}
	for method, h := range handlers {
		engine.OnRequest(method, s.guarded(h))
	}
	engine.OnNoRoute(s.guarded(s.onOther))
	return nil
}

// guarded counts a request and keeps a panic in its handling from going further.
func (s *Server) guarded(h func(*gosip.Request, gosip.ServerTransaction)) sipgo.RequestHandler {
	return func(req *gosip.Request, tx gosip.ServerTransaction) {
		s.metrics.request(req.Method)
		defer func() {
			if p := recover(); p != nil {
				s.panicked(p, callIDOf(req))
				s.answer(req, tx, 500, "")
			}
		}()
		h(req, tx)
	}
}

func (s *Server) panicked(p any, callID string) {
	s.metrics.panics.Inc()
	s.log.Error("panic in signalling, this call only", "call", callID, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
}

func listenAddress(l string) (network string, addr string, err error) {
	u, err := url.Parse(l)
	if err != nil || (u.Scheme != "udp" && u.Scheme != "tcp") || u.Port() == "" {
		return "", "", fmt.Errorf("%q is no address to listen on: use udp://ADDRESS:PORT or tcp://ADDRESS:PORT", l)
	}
	return u.Scheme, u.Host, nil
}

// Start opens every listener or none. It returns once calls can come.
func (s *Server) Start(ctx context.Context) error {
	var lc net.ListenConfig
	var begin []func()
	fail := func(l string, err error) error {
		for _, k := range s.sockets {
			_ = k.close()
		}
		return fmt.Errorf("listening on %s: %w", l, err)
	}
	for _, l := range s.cfg.Listen {
		network, address, err := listenAddress(l)
		if err != nil {
			return fail(l, err)
		}
		if network == "udp" {
			conn, err := lc.ListenPacket(ctx, "udp", address)
			if err != nil {
				return fail(l, err)
			}
			gated := s.gate.PacketConn(conn)
			gated.Ending = s.spare(gated)
			s.sockets = append(s.sockets, socket{"udp", addrPort(conn.LocalAddr()), conn.Close})
			begin = append(begin, func() { s.readUDP(gated) })
			continue
		}
		listener, err := lc.Listen(ctx, "tcp", address)
		if err != nil {
			return fail(l, err)
		}
		gated := s.gate.Listener(listener)
		s.sockets = append(s.sockets, socket{"tcp", addrPort(listener.Addr()), gated.Close})
		begin = append(begin, func() { _ = s.engine.ServeTCP(gated) })
	}
	for _, b := range begin {
		s.calling.Go(b)
	}
	return s.awaitReaders(ctx)
}

// awaitReaders waits until sipgo knows each UDP socket, so that a request sent
// right after Start leaves by it.
func (s *Server) awaitReaders(ctx context.Context) error {
	for _, k := range s.sockets {
		for k.network == "udp" {
			if c, err := s.agentUA.TransportLayer().GetConnection("udp", k.addr.String()); err == nil {
				_, _ = c.TryClose()
				break
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Millisecond):
			}
		}
	}
	return nil
}

// readUDP serves one socket. sipgo remembers every source address for the life of
// its read loop; the gate ends the loop after a bounded number and it starts anew.
func (s *Server) readUDP(conn *gate.PacketConn) {
	for {
		panicked := true // in the library's reader: it begins again
		s.guard("", func() {
			_ = s.engine.ServeUDP(conn)
			panicked = false
		})
		if !panicked && !conn.Renew() {
			return
		}
	}
}

// spare keeps sipgo from opening sockets of its own. Each message has a goroutine
// there, which looks for the socket to answer by only when it comes to run: if the
// read loop has ended by then, at a renewal or at the end of all, and with it the
// sources it knew, it would open a new one. So for those whose messages are on their
// way, and for our requests, a way by the same socket is put in the loop's place.
func (s *Server) spare(conn *gate.PacketConn) func(sources []string) {
	local := conn.LocalAddr().String()
	by := &gosip.UDPConnection{PacketConn: conn, PacketAddr: local, Listener: true} // a listener: never closed by sipgo
	var before []string
	return func(sources []string) {
		pool := s.agentUA.TransportLayer().Pool("udp")
		pool.DeleteMultiple(before)
		before = append(before[:0], sources...)
		pool.Add(local, by)
		for _, source := range sources {
			pool.Add(source, by)
		}
	}
}

func addrPort(a net.Addr) netip.AddrPort {
	ap, _ := netip.ParseAddrPort(a.String())
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}

// Addrs are the addresses listened on, as "udp://127.0.0.1:5060".
func (s *Server) Addrs() []string {
	out := make([]string, len(s.sockets))
	for i, k := range s.sockets {
		out[i] = k.network + "://" + k.addr.String()
	}
	return out
}

// Calls is how many calls are up, those that ring among them.
func (s *Server) Calls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls)
}

// Drain turns new calls away with 503 and keeps those that are up.
func (s *Server) Drain() {
	s.mu.Lock()
	s.draining = true
	s.mu.Unlock()
}

// Close ends every call with shutdown, waits for their handlers until ctx ends,
// and closes the sockets. It may be called once.
func (s *Server) Close(ctx context.Context) error {
	s.mu.Lock()
	s.draining, s.closed = true, true
	calls := make([]*Call, 0, len(s.calls))
	for _, c := range s.calls {
		calls = append(calls, c)
	}
	s.mu.Unlock()
	var goodbye sync.WaitGroup
	for _, c := range calls {
		goodbye.Go(func() {
			s.guard(c.ID, func() { c.Hangup(ctx, tandem.Terminate(tandem.BySystem, tandem.ReasonShutdown)) })
		})
	}
	finished := make(chan struct{})
	go func() {
		goodbye.Wait()
		s.awaitCalls()
		close(finished)
	}()
	var errs []error
	select {
	case <-finished:
	case <-ctx.Done():
		errs = append(errs, fmt.Errorf("closing SIP: calls still up: %w", ctx.Err()))
	}
	s.wire.Lock() // sipgo would open a socket anew for what is sent once ours are closed
	s.shut = true
	s.wire.Unlock()
	for _, k := range s.sockets {
		if err := k.close(); err != nil && !errors.Is(err, net.ErrClosed) {
			errs = append(errs, fmt.Errorf("closing SIP: %w", err))
		}
	}
	s.gate.Close()
	s.agentUA.TransactionLayer().Close()
	_ = s.agentUA.TransportLayer().Pool("tcp").Clear() // its errors are of connections already gone; "udp" keeps the spares
	if len(errs) == 0 {
		s.calling.Wait()
	}
	return errors.Join(errs...)
}

// awaitCalls polls: the table is empty once every handler has returned.
func (s *Server) awaitCalls() {
	for s.Calls() > 0 {
		time.Sleep(2 * time.Millisecond)
	}
}

// contact is our address in a dialog over one transport with one remote address.
func (s *Server) contact(user, transport string, remote netip.Addr) *gosip.ContactHeader {
	addr := s.public(transport, remote)
	u := gosip.Uri{Scheme: "sip", User: user, Host: hostOf(addr.Addr()), Port: int(addr.Port())}
	if transport == "tcp" {
		u.UriParams = gosip.HeaderParams{{K: "transport", V: "tcp"}}
	}
	return &gosip.ContactHeader{Address: u}
}

func hostOf(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

// socketFor picks the socket requests to remote leave by: of its family, and
// loopback only for loopback.
func (s *Server) socketFor(transport string, remote netip.Addr) (socket, bool) {
	var first socket
	found := false
	for _, k := range s.sockets {
		if k.network != transport {
			continue
		}
		a := k.addr.Addr()
		if !remote.IsValid() || a.IsUnspecified() || (a.IsLoopback() == remote.IsLoopback() && a.Is4() == remote.Is4()) {
			return k, true
		}
		if !found {
			first, found = k, true
		}
	}
	return first, found
}

// public is the address remote reaches us at: the configured one, unless remote is
// this machine; of a socket on all addresses the one packets to remote leave by.
func (s *Server) public(transport string, remote netip.Addr) netip.AddrPort {
	k, ok := s.socketFor(transport, remote)
	port := uint16(5060)
	if ok {
		port = k.addr.Port()
	}
	if s.cfg.PublicAddress.IsValid() && !remote.IsLoopback() {
		return netip.AddrPortFrom(s.cfg.PublicAddress, port)
	}
	if ok && !k.addr.Addr().IsUnspecified() {
		return k.addr
	}
	if !remote.IsValid() { // a host not known yet: by the default route
		remote = netip.AddrFrom4([4]byte{192, 0, 2, 1}) // of no host (RFC 5737)
	}
	// Connecting a UDP socket sends nothing and shows the way out.
	if c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(netip.AddrPortFrom(remote, 9))); err == nil {
		defer c.Close()
		return netip.AddrPortFrom(addrPort(c.LocalAddr()).Addr(), port)
	}
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), port) // no route: only this machine is reached
}

// listener is the UDP socket requests to remote leave by.
func (s *Server) listener(remote netip.Addr) gosip.Addr {
	k, ok := s.socketFor("udp", remote)
	if !ok {
		return gosip.Addr{}
	}
	return gosip.Addr{IP: k.addr.Addr().AsSlice(), Port: int(k.addr.Port())}
}

func (s *Server) addVia(req *gosip.Request, transport string, remote netip.Addr) {
	addr := s.public(transport, remote)
	via := &gosip.ViaHeader{
		ProtocolName: "SIP", ProtocolVersion: "2.0", Transport: strings.ToUpper(transport),
		Host: strings.Trim(hostOf(addr.Addr()), "[]"), Port: int(addr.Port()),
	}
	via.Params.Add("branch", gosip.RFC3261BranchMagicCookie+s.token())
	via.Params.Add("rport", "")
	req.AppendHeader(via)
}

// token is 96 random bits in hex, for tags, branches and Call-IDs.
func (s *Server) token() string {
	var b [12]byte
	if _, err := io.ReadFull(s.random, b[:]); err != nil {
		panic(fmt.Errorf("drawing random bytes: %w", err))
	}
	return hex.EncodeToString(b[:])
}

// glareWait is the random wait of RFC 3261 section 14.1, longer for the side that
// owns the Call-ID.
func (s *Server) glareWait(owner bool) time.Duration {
	var b [1]byte
	_, _ = io.ReadFull(s.random, b[:])
	wait := time.Duration(b[0]%200) * 10 * time.Millisecond
	if owner {
		wait += 2100 * time.Millisecond
	}
	return wait
}
