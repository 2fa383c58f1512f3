package gate

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"
)

// Listener is a TCP socket behind the gate: its connections deliver whole
// messages that passed, and nothing else.
type Listener struct {
	net.Listener
	gate *Gate
}

// Listener puts a listening socket behind the gate.
func (g *Gate) Listener(l net.Listener) *Listener { return &Listener{l, g} }

// Accept returns the next connection that is let in; others are closed.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		from := addrPort(c.RemoteAddr())
		e, ok := l.gate.sources.connect(from.Addr(), l.gate.now())
		if !ok {
			l.gate.o.Dropped(ReasonConnections)
			_ = c.Close()
			continue
		}
		gated := &conn{Conn: c, gate: l.gate, from: from, source: e}
		l.gate.mu.Lock()
		closed := l.gate.closed
		l.gate.conns[gated] = struct{}{}
		l.gate.mu.Unlock()
		if closed {
			_ = gated.Close()
			continue
		}
		return gated, nil
	}
}

// writeTime bounds one write to a peer that does not read.
const writeTime = 5 * time.Second

// errRefused ends a connection whose framing cannot be trusted any more.
var errRefused = errors.New("the stream holds no SIP messages")

// conn is one TCP connection. Read is called by one goroutine, Write by any.
type conn struct {
	net.Conn
	gate   *Gate
	from   netip.AddrPort
	source *source
	buf    []byte // read and not yet judged
	out    []byte // passed and not yet fetched
	begun  time.Time

	closing sync.Once
	writing sync.Mutex
}

// Close may be called more than once.
func (c *conn) Close() error {
	err := net.ErrClosed
	c.closing.Do(func() {
		c.gate.mu.Lock()
		delete(c.gate.conns, c)
		c.gate.mu.Unlock()
		c.gate.sources.disconnect(c.source)
		err = c.Conn.Close()
	})
	return err
}

// Write sends one message whole, within writeTime.
func (c *conn) Write(b []byte) (int, error) {
	c.writing.Lock()
	defer c.writing.Unlock()
	if err := c.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return 0, err
	}
	return c.Conn.Write(b)
}

// Read delivers messages that passed. A message must be complete HeaderTime after
// its first byte; a connection may be idle for Idle, and longer while a call needs it.
func (c *conn) Read(b []byte) (n int, err error) {
	defer func() {
		if p := recover(); p != nil {
			c.gate.fault(p, c.from)
			_ = c.Close()
			n, err = 0, io.EOF
		}
	}()
	for len(c.out) == 0 {
		done, err := c.next()
		if err != nil {
			_ = c.Close()
			return 0, err
		}
		if done {
			continue
		}
		if err := c.fill(); err != nil {
			_ = c.Close()
			return 0, err
		}
	}
	n = copy(b, c.out)
	c.out = c.out[n:]
	return n, nil
}

// fill reads once more from the socket.
func (c *conn) fill() error {
	wait := c.gate.limits.Idle
	now := time.Now()
	if len(c.buf) > 0 {
		if c.begun.IsZero() {
			c.begun = now
		}
		wait = c.gate.limits.HeaderTime - now.Sub(c.begun)
	} else {
		c.begun = time.Time{}
	}
	if err := c.SetReadDeadline(now.Add(wait)); err != nil {
		return err
	}
	var chunk [4096]byte
	n, err := c.Conn.Read(chunk[:])
	if n == 0 && err != nil {
		var timeout net.Error
		if errors.As(err, &timeout) && timeout.Timeout() {
			if len(c.buf) == 0 && c.gate.o.InUse(c.from) {
				return nil
			}
			c.gate.o.Dropped(ReasonSlow)
			return io.EOF
		}
		return err
	}
	c.buf = append(c.buf, chunk[:n]...)
	return nil
}

// next takes one message from the buffer; done is false when more must be read.
func (c *conn) next() (done bool, err error) {
	c.skipLines()
	if len(c.buf) == 0 {
		c.buf = nil // an idle connection holds no memory
		return false, nil
	}
	size, f := frame(c.buf, c.gate.limits)
	if f == frameShort {
		return false, nil
	}
	raw := c.buf[:size]
	forward, reply, _ := c.gate.pass(raw, true, c.from)
	if reply != nil {
		if _, err := c.Write(reply); err != nil {
			return false, err
		}
	}
	if f == frameBad {
		return false, errRefused
	}
	c.out = append([]byte(nil), forward...)
	c.buf = c.buf[size:]
	c.begun = time.Time{}
	return true, nil
}

// skipLines drops line ends between messages and answers a ping of two with one
// (RFC 5626 section 3.5.1).
func (c *conn) skipLines() {
	n := 0
	for n < len(c.buf) && (c.buf[n] == '\r' || c.buf[n] == '\n') {
		n++
	}
	if bytes.HasPrefix(c.buf[:n], []byte("\r\n\r\n")) {
		_, _ = c.Write([]byte("\r\n")) // a peer that is gone shows at the next read
	}
	c.buf = c.buf[n:]
}

type framing uint8

const (
	frameShort framing = iota // more bytes needed
	frameWhole
	frameBad // what follows cannot be found: answer this one and close
)

// frame finds the end of the first message by its Content-Length. It is strict,
// since two readers who see different ends can be made to see different messages.
func frame(b []byte, l Limits) (int, framing) {
	end := bytes.Index(b, []byte("\r\n\r\n"))
	if end < 0 {
		if len(b) > l.Message {
			return len(b), frameBad
		}
		return 0, frameShort
	}
	end += 4
	length, ok := contentLength(b[:end])
	if !ok || length > l.Message || end+length > l.Message {
		return end, frameBad
	}
	if len(b) < end+length {
		return 0, frameShort
	}
	return end + length, frameWhole
}
