package gate

import (
	"bytes"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A panic while one message is judged loses that message: the socket, or the
// connection if its place in the stream is still known, goes on.
func TestPanicLosesOneMessage(t *testing.T) {
	invite := bytes.ReplaceAll(options(), []byte("OPTIONS"), []byte("INVITE"))
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			var log bytes.Buffer
			var dropped atomic.Int32
			var bad atomic.Bool
			g := New(Options{
				Log: slog.New(slog.NewTextHandler(&log, nil)),
				Now: func() time.Time { // asked for each request
					if bad.CompareAndSwap(true, false) {
						panic("injected")
					}
					return time.Now()
				},
				Dropped: func(r Reason) {
					if r == ReasonFault {
						dropped.Add(1)
					}
				},
			})
			got := make([]byte, 32768)
			if transport == "udp" {
				server, client := udpPair(t)
				bad.Store(true)
				for _, m := range [][]byte{invite, options()} {
					if _, err := client.WriteTo(m, server.LocalAddr()); err != nil {
						t.Fatal(err)
					}
				}
				n, _, err := g.PacketConn(server).ReadFrom(got)
				if err != nil || !bytes.Equal(got[:n], options()) {
					t.Errorf("%q, %v", got[:n], err)
				}
			} else {
				server, client := tcpPair(t, g)
				bad.Store(true)
				if _, err := client.Write(append(bytes.Clone(invite), options()...)); err != nil {
					t.Fatal(err)
				}
				n, err := server.Read(got)
				if err != nil || !bytes.Equal(got[:n], options()) {
					t.Errorf("%q, %v", got[:n], err)
				}
			}
			if n := strings.Count(log.String(), "stack="); n != 1 || dropped.Load() != 1 {
				t.Errorf("logged %d times, counted %d times", n, dropped.Load())
			}
		})
	}
}

// hostile is a connection that panics when it is read.
type hostile struct{ net.Conn }

func (hostile) Read([]byte) (int, error) { panic("injected") }

// A panic outside of judging one message ends that connection; others go on.
func TestPanicEndsOneConnection(t *testing.T) {
	g := New(Options{})
	server, _ := tcpPair(t, g)
	other, second := tcpPair(t, g)
	server.(*conn).Conn = hostile{server.(*conn).Conn}
	if _, err := server.Read(make([]byte, 100)); err != io.EOF {
		t.Errorf("the read gave %v", err)
	}
	if _, err := second.Write(options()); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 32768)
	if n, err := other.Read(got); err != nil || !bytes.Equal(got[:n], options()) {
		t.Errorf("the other connection: %q, %v", got[:n], err)
	}
}
