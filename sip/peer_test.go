package sip

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem"
	"tandem/sip/gate"
	"tandem/sip/sdp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of a test.
const patience = 5 * time.Second

// peer is a scripted SIP endpoint: it sends what it is told and keeps what comes.
type peer struct {
	t      testing.TB
	tcp    bool
	server string
	conn   net.Conn
	udp    *net.UDPConn
	inbox  chan message
	held   []message // received and not what the test waited for
}

func newPeer(t *testing.T, s *Server, transport string) *peer {
	t.Helper()
	p := &peer{t: t, tcp: transport == "tcp", inbox: make(chan message, 256)}
	for _, a := range s.Addrs() {
		if rest, ok := strings.CutPrefix(a, transport+"://"); ok {
			p.server = rest
		}
	}
	if p.tcp {
		c, err := net.Dial("tcp", p.server)
		if err != nil {
			t.Fatal(err)
		}
		p.conn = c
		go p.readTCP()
	} else {
		return listeningPeer(t).attach(s)
	}
	t.Cleanup(p.close)
	return p
}

// listeningPeer is a UDP peer that waits for a server to be made.
func listeningPeer(t testing.TB) *peer {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, udp: c, inbox: make(chan message, 256)}
	go p.readUDP()
	t.Cleanup(p.close)
	return p
}

func (p *peer) attach(s *Server) *peer {
	for _, a := range s.Addrs() {
		if rest, ok := strings.CutPrefix(a, "udp://"); ok {
			p.server = rest
		}
	}
	return p
}

func (p *peer) close() {
	if p.conn != nil {
		p.conn.Close()
	}
	if p.udp != nil {
		p.udp.Close()
	}
}

func (p *peer) readUDP() {
	buf := make([]byte, 65536)
	for {
		n, _, err := p.udp.ReadFromUDP(buf)
		if err != nil {
			close(p.inbox)
			return
		}
		p.inbox <- parseMessage(string(buf[:n]))
	}
}

func (p *peer) readTCP() {
	defer close(p.inbox)
	r := bufio.NewReader(p.conn)
	for {
		var head strings.Builder
		for !strings.HasSuffix(head.String(), "\r\n\r\n") {
			line, err := r.ReadString('\n')
			if err != nil {
				return
			}
			head.WriteString(line)
			if head.String() == "\r\n" { // a pong
				p.inbox <- message{raw: "\r\n", first: "pong"}
				head.Reset()
			}
		}
		m := parseMessage(head.String())
		n, _ := strconv.Atoi(m.get("Content-Length"))
		body := make([]byte, n)
		if _, err := io.ReadFull(r, body); err != nil {
			return
		}
		p.inbox <- parseMessage(head.String() + string(body))
	}
}

func (p *peer) addr() string {
	if p.tcp {
		return p.conn.LocalAddr().String()
	}
	return p.udp.LocalAddr().String()
}

func (p *peer) transport() string {
	if p.tcp {
		return "TCP"
	}
	return "UDP"
}

func (p *peer) send(raw string) {
	p.t.Helper()
	var err error
	if p.tcp {
		_, err = io.WriteString(p.conn, raw)
	} else {
		to, _ := netip.ParseAddrPort(p.server)
		_, err = p.udp.WriteToUDPAddrPort([]byte(raw), to)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

// expect waits for the next message that fits; others wait for their turn.
func (p *peer) expect(what string, fits func(message) bool) message {
	p.t.Helper()
	for i, m := range p.held {
		if fits(m) {
			p.held = append(p.held[:i:i], p.held[i+1:]...)
			return m
		}
	}
	limit := time.After(patience)
	for {
		select {
		case m, ok := <-p.inbox:
			if !ok {
				p.t.Fatalf("connection closed while waiting for %s", what)
			}
			if fits(m) {
				return m
			}
			p.held = append(p.held, m)
		case <-limit:
			var had []string
			for _, m := range p.held {
				had = append(had, m.first)
			}
			p.t.Fatalf("no %s; got %q", what, had)
		}
	}
}

func (p *peer) expectCode(code int, method string) message {
	p.t.Helper()
	return p.expect(fmt.Sprintf("%d to %s", code, method), func(m message) bool {
		return m.code() == code && strings.HasSuffix(m.get("CSeq"), " "+method)
	})
}

func (p *peer) expectFinal(method string) message {
	p.t.Helper()
	return p.expect("final answer to "+method, func(m message) bool {
		return m.code() >= 200 && strings.HasSuffix(m.get("CSeq"), " "+method)
	})
}

func (p *peer) expectRequest(method string) message {
	p.t.Helper()
	return p.expect(method, func(m message) bool { return m.method() == method })
}

// leg is a dialog as the peer sees it.
type leg struct {
	p                *peer
	callID           string
	fromTag, toTag   string
	user             string
	branch           int
	cseq             int
	invite           string // the last, for copies of it
	extra            string // header lines put into each request
	contact, uri, to string
}

var legs struct {
	sync.Mutex
	n int
}

func (p *peer) leg(user string) *leg {
	legs.Lock()
	legs.n++
	n := legs.n
	legs.Unlock()
	return &leg{
		p: p, callID: fmt.Sprintf("call-%d-%d@test", n, time.Now().UnixNano()), fromTag: fmt.Sprintf("ft%d", n), user: user,
		contact: "<sip:peer@" + p.addr() + ">", uri: "sip:" + user + "@" + p.server, to: "<sip:" + user + "@" + p.server + ">",
	}
}

func (l *leg) request(method, branch string, cseq int, extra, body string) string {
	to := l.to
	if l.toTag != "" {
		to += ";tag=" + l.toTag
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=%s;rport\r\n", method, l.uri, l.p.transport(), l.p.addr(), branch)
	fmt.Fprintf(&b, "Max-Forwards: 70\r\nFrom: <sip:peer@%s>;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n", l.p.addr(), l.fromTag, to, l.callID, cseq, method)
	fmt.Fprintf(&b, "Contact: %s\r\n", l.contact)
	b.WriteString(l.extra + extra)
	if body != "" && !strings.Contains(extra, "Content-Type") {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.String()
}

func (l *leg) newBranch() string {
	l.branch++
	return fmt.Sprintf("z9hG4bK-%s-%d", strings.ReplaceAll(l.callID, "@", "-"), l.branch)
}

// sendInvite sends an INVITE with a new CSeq.
func (l *leg) sendInvite(extra, body string) {
	l.cseq++
	l.invite = l.request("INVITE", l.newBranch(), l.cseq, extra, body)
	l.p.send(l.invite)
}

func (l *leg) do(method, extra, body string) {
	l.cseq++
	l.p.send(l.request(method, l.newBranch(), l.cseq, extra, body))
}

// ack acknowledges a final answer to the last INVITE.
func (l *leg) ack(m message, body string) {
	branch := l.newBranch()
	to := l.toTag
	l.toTag = m.toTag()
	if m.code() >= 300 { // belongs to the INVITE's transaction
		_, rest, _ := strings.Cut(l.invite, ";branch=")
		branch, _, _ = strings.Cut(rest, ";")
		defer func() { l.toTag = to }()
	}
	l.p.send(l.request("ACK", branch, l.cseq, "", body))
}

// cancel cancels the last INVITE.
func (l *leg) cancel() {
	_, rest, _ := strings.Cut(l.invite, ";branch=")
	branch, _, _ := strings.Cut(rest, ";")
	l.p.send(l.request("CANCEL", branch, l.cseq, "", ""))
}

func (l *leg) up(extra, body string) message {
	l.p.t.Helper()
	l.sendInvite(extra, body)
	ok := l.p.expectCode(200, "INVITE")
	l.ack(ok, "")
	return ok
}

// respond answers a request the server sent to this peer.
func (p *peer) respond(req message, code int, tag, extra, body string) {
	p.t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d Test\r\n", code)
	for _, v := range req.headers["via"] {
		fmt.Fprintf(&b, "Via: %s\r\n", v)
	}
	to := req.get("To")
	if tag != "" && tagOf(to) == "" {
		to += ";tag=" + tag
	}
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\n", req.get("From"), to, req.get("Call-ID"), req.get("CSeq"))
	fmt.Fprintf(&b, "Contact: <sip:callee@%s>\r\n%s", p.addr(), extra)
	if body != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	p.send(b.String())
}

const offerSDP = "v=0\r\no=peer 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" +
	"m=audio 4000 RTP/AVP 8 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n"

func holdSDP(direction string) string { return offerSDP + "a=" + direction + "\r\n" }

// media is the app's side in tests: a negotiator and a record of what it settled.
type media struct {
	mu     sync.Mutex
	n      *sdp.Negotiator
	agreed []sdp.Agreed
	up     chan struct{} // one for each call that talks
}

func newMedia() *media {
	return &media{up: make(chan struct{}, 64), n: sdp.NewNegotiator(sdp.Local{Addr: netip.MustParseAddrPort("127.0.0.1:5000"), Far: netip.MustParseAddr("127.0.0.1"), ID: 7})}
}

func (m *media) Offer() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.n.Offer(), nil
}

func (m *media) Answer(offer []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	answer, agreed, err := m.n.Answer(offer)
	if err == nil {
		m.agreed = append(m.agreed, agreed)
	}
	return answer, err
}

func (m *media) Accept(answer []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	agreed, err := m.n.Accept(answer)
	if err == nil {
		m.agreed = append(m.agreed, agreed)
	}
	return err
}

func (m *media) Hold(on bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.n.Hold(on)
}

func (m *media) last() sdp.Agreed {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.agreed) == 0 {
		return sdp.Agreed{}
	}
	return m.agreed[len(m.agreed)-1]
}

// app is a Handler made of functions.
type app struct {
	route func(to string) Route
	call  func(ctx context.Context, c *Call) tandem.Termination
	ended chan *Call // each inbound call when its handler has returned
}

func (a *app) Route(to string, _ netip.AddrPort, _ string) Route {
	if a.route != nil {
		return a.route(to)
	}
	return Route{Found: to != "404"}
}

func (a *app) Call(ctx context.Context, c *Call) tandem.Termination {
	defer func() { a.ended <- c }()
	return a.call(ctx, c)
}

func (a *app) wait(t *testing.T) *Call {
	t.Helper()
	select {
	case c := <-a.ended:
		return c
	case <-time.After(patience):
		t.Fatal("the call did not end")
		return nil
	}
}

// talk answers and stays until the other side leaves.
func talk(m *media) func(ctx context.Context, c *Call) tandem.Termination {
	return func(ctx context.Context, c *Call) tandem.Termination {
		if err := c.Answer(ctx, m); err != nil {
			return c.Termination()
		}
		m.up <- struct{}{}
		<-c.Done()
		return c.Termination()
	}
}

func (m *media) waitUp(t *testing.T) {
	t.Helper()
	select {
	case <-m.up:
	case <-time.After(patience):
		t.Fatal("the call did not come up")
	}
}

func start(t testing.TB, a *app, change func(*Config)) *Server {
	t.Helper()
	a.ended = make(chan *Call, 64)
	cfg := Config{
		Listen: []string{"udp://127.0.0.1:0", "tcp://127.0.0.1:0"},
		Log:    slog.New(slog.DiscardHandler),
		T1:     20 * time.Millisecond, T2: 80 * time.Millisecond,
		Limits: Limits{Gate: gate.Limits{InvitesPerSecond: -1}},
	}
	if change != nil {
		change(&cfg)
	}
	s, err := NewServer(cfg, a)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, stop := context.WithTimeout(context.Background(), patience)
		defer stop()
		if err := s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}
