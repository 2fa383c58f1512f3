package testkit

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Arrived is a message with the time it came in.
type Arrived struct {
	*Message
	At time.Time
}

// Peer is one end of SIP signalling that does only what the test says: it
// retransmits nothing, answers nothing and drops nothing by itself. Over TCP it
// is one connection. One goroutine reads; what came lies in order until a test
// takes it.
type Peer struct {
	t         testing.TB
	transport string
	conn      net.Conn // to the server; nil for a listening UDP peer
	packet    *net.UDPConn
	aim       sync.Mutex // of server, which of a phone that is called is whoever called last
	server    netip.AddrPort
	local     netip.AddrPort

	mu      sync.Mutex
	waiting []Arrived     // without bound: a test takes or ends
	news    chan struct{} // closed and replaced at each arrival
	closed  bool
}

// NewPeer opens a peer to a server by "udp" or "tcp". It is closed with the test.
func NewPeer(t testing.TB, transport string, server netip.AddrPort) *Peer {
	t.Helper()
	p := &Peer{t: t, transport: transport, server: server, news: make(chan struct{})}
	switch transport {
	case "udp":
		c, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		p.packet, p.local = c, c.LocalAddr().(*net.UDPAddr).AddrPort()
		go p.readPackets()
	case "tcp":
		c, err := net.DialTimeout("tcp4", server.String(), 5*time.Second)
		if err != nil {
			t.Fatalf("connecting to %s: %v", server, err)
		}
		p.conn, p.local = c, c.LocalAddr().(*net.TCPAddr).AddrPort()
		go p.readStream()
	default:
		t.Fatalf("%q is no transport of this peer", transport)
	}
	t.Cleanup(p.Close)
	return p
}

// Local is the peer's own address.
func (p *Peer) Local() netip.AddrPort { return p.local }

// Close ends the peer; over TCP it cuts the connection.
func (p *Peer) Close() {
	if p.conn != nil {
		p.conn.Close()
	}
	if p.packet != nil {
		p.packet.Close()
	}
}

func (p *Peer) readPackets() {
	buf := make([]byte, 1<<16)
	for {
		n, _, err := p.packet.ReadFromUDPAddrPort(buf)
		if err != nil {
			p.arrive(nil)
			return
		}
		if m, err := ParseMessage(append([]byte(nil), buf[:n]...)); err == nil {
			p.arrive(m)
		}
	}
}

func (p *Peer) readStream() {
	r := bufio.NewReader(p.conn)
	for {
		m, err := readFramed(r)
		p.arrive(m)
		if err != nil {
			return
		}
	}
}

// readFramed reads one message of a stream by its Content-Length (RFC 3261 section 18.3).
func readFramed(r *bufio.Reader) (*Message, error) {
	var head bytes.Buffer
	for {
		line, err := r.ReadString('\n')
		if err != nil {
			return nil, err
		}
		if line == "\r\n" && head.Len() == 0 {
			continue // keep-alive
		}
		head.WriteString(line)
		if line == "\r\n" {
			break
		}
	}
	m, err := ParseMessage(head.Bytes())
	if err != nil {
		return nil, err
	}
	length := m.Get("Content-Length")
	if length == "" {
		length = m.Get("l")
	}
	n, err := strconv.Atoi(length)
	if err != nil {
		return nil, fmt.Errorf("content length %q: %w", length, err)
	}
	m.Body = make([]byte, n)
	_, err = io.ReadFull(r, m.Body)
	return m, err
}

func (p *Peer) arrive(m *Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m == nil {
		p.closed = true
	} else {
		p.waiting = append(p.waiting, Arrived{m, time.Now()})
	}
	close(p.news)
	p.news = make(chan struct{})
}

// SendRaw writes bytes as they are.
func (p *Peer) SendRaw(b []byte) {
	p.t.Helper()
	var err error
	if p.conn != nil {
		_, err = p.conn.Write(b)
	} else {
		p.aim.Lock() // not mu: what fits may send
		to := p.server
		p.aim.Unlock()
		_, err = p.packet.WriteToUDPAddrPort(b, to)
	}
	if err != nil {
		p.t.Errorf("sending: %v", err)
	}
}

// Send writes a message to the server.
func (p *Peer) Send(m *Message) {
	p.t.Helper()
	p.SendRaw(m.Bytes())
}

// Take waits up to d for the first message that fits and takes it; messages before
// it that do not fit stay for later takers. ok is false when none came in time.
func (p *Peer) Take(d time.Duration, fits func(*Message) bool) (Arrived, bool) {
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	for {
		p.mu.Lock()
		for i, a := range p.waiting {
			if fits(a.Message) {
				p.waiting = append(p.waiting[:i:i], p.waiting[i+1:]...)
				p.mu.Unlock()
				return a, true
			}
		}
		news, closed := p.news, p.closed
		p.mu.Unlock()
		if closed {
			return Arrived{}, false
		}
		select {
		case <-news:
		case <-ctx.Done():
			return Arrived{}, false
		}
	}
}

// Want is Take that fails the test, saying what came instead.
func (p *Peer) Want(d time.Duration, what string, fits func(*Message) bool) Arrived {
	p.t.Helper()
	a, ok := p.Take(d, fits)
	if !ok {
		p.t.Fatalf("no %s within %v; %s", what, d, p.pending())
	}
	return a
}

// Final waits for the final response to a request (by Call-ID, CSeq and branch) and
// takes the provisional ones before it along.
func (p *Peer) Final(d time.Duration, request *Message) Arrived {
	p.t.Helper()
	a := p.Want(d, "final response to "+request.Start, func(m *Message) bool {
		return m.Status() >= 200 && Answers(request)(m)
	})
	return a
}

// Status sends a request and returns the code of its final response.
func (p *Peer) Status(d time.Duration, request *Message) int {
	p.t.Helper()
	p.Send(request)
	return p.Final(d, request).Status()
}

// Answers fits responses to the request.
func Answers(request *Message) func(*Message) bool {
	return func(m *Message) bool {
		return m.Status() != 0 && m.Get("Call-ID") == request.Get("Call-ID") && m.Get("CSeq") == request.Get("CSeq") &&
			(request.Branch() == "" || m.Branch() == request.Branch())
	}
}

// Requests fits requests of a method.
func Requests(method string) func(*Message) bool {
	return func(m *Message) bool { return m.Status() == 0 && m.Method() == method }
}

// Gone waits until the server has closed the connection (TCP only).
func (p *Peer) Gone(d time.Duration) bool {
	_, _ = p.Take(d, func(*Message) bool { return false })
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.closed
}

func (p *Peer) pending() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.waiting) == 0 {
		return "nothing came"
	}
	var starts []string
	for _, a := range p.waiting {
		starts = append(starts, a.Start+" ("+a.Get("CSeq")+")")
	}
	return "what came: " + strings.Join(starts, "; ")
}

// token makes a random word for tags, branches and Call-IDs.
func token() string { return strconv.FormatUint(rand.Uint64(), 36) }

// NewBranch makes a branch of the form RFC 3261 section 8.1.1.7 asks for.
func NewBranch() string { return "z9hG4bK" + token() }

// Request makes a request outside a dialog to a user part at the server, with all
// headers that one needs, and no body.
func (p *Peer) Request(method, user string) *Message {
	host := p.server.String()
	m := &Message{Start: method + " sip:" + user + "@" + host + " SIP/2.0"}
	m.Add("Via", "SIP/2.0/"+strings.ToUpper(p.transport)+" "+p.local.String()+";branch="+NewBranch()+";rport")
	m.Add("Max-Forwards", "70")
	m.Add("From", "<sip:tester@"+p.local.String()+">;tag="+token())
	m.Add("To", "<sip:"+user+"@"+host+">")
	m.Add("Call-ID", token()+"@127.0.0.1")
	m.Add("CSeq", "1 "+method)
	m.Add("Contact", "<"+p.contact()+">")
	return m
}

func (p *Peer) contact() string {
	uri := "sip:tester@" + p.local.String()
	if p.transport == "tcp" {
		uri += ";transport=tcp"
	}
	return uri
}
