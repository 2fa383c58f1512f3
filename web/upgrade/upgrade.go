// Package upgrade makes WebSockets of requests, small ones: an idle socket keeps no more
// than a kilobyte each way. It starts no goroutine, and does not look at the request's
// origin: its callers do, before or after.
package upgrade

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/coder/websocket"
)

const bufSize = 1 << 10 // bytes, each way: larger frames pass through

// Speaks reports whether a client offers a protocol of ours.
func Speaks(r *http.Request, protocol string) bool {
	offers := strings.Split(strings.Join(r.Header.Values("Sec-WebSocket-Protocol"), ","), ",")
	return slices.ContainsFunc(offers, func(one string) bool { return strings.TrimSpace(one) == protocol })
}

// Accept answers a request with a socket that speaks protocol; raw is the connection below
// it. After an error the request has been answered.
func Accept(w http.ResponseWriter, r *http.Request, protocol string) (conn *websocket.Conn, raw net.Conn, err error) {
	conn, err = websocket.Accept(small{w, &raw}, r, &websocket.AcceptOptions{Subprotocols: []string{protocol}, InsecureSkipVerify: true})
	return conn, raw, err
}

// small gives a connection buffers of its own: those of net/http are larger, and would be
// kept as long as the socket.
type small struct {
	http.ResponseWriter
	raw *net.Conn // set to the connection
}

func (s small) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(s.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	early, _ := rw.Reader.Peek(rw.Reader.Buffered())
	r := bufio.NewReaderSize(bytes.NewReader(bytes.Clone(early)), max(bufSize, len(early)))
	r.Peek(len(early))
	*s.raw = conn
	return conn, bufio.NewReadWriter(r, bufio.NewWriterSize(conn, bufSize)), nil
}
