package chat

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// clientsEnv makes the test binary the clients of BenchmarkIdleSockets: the address of the
// server, how many, and what they do.
const clientsEnv = "TANDEM_CHAT_CLIENTS"

// BenchmarkIdleSockets measures what a socket costs the server that has nothing to say:
// heap and stacks, and what the process has grown by. b.N is how many there are:
// -benchtime 10000x. The clients are in a process of their own, so that each has as many
// files as it may open. A stranger has said hello; a conversation has been opened, one for
// each socket.
func BenchmarkIdleSockets(b *testing.B) {
	for _, kind := range []string{"stranger", "conversation"} {
		b.Run(kind, func(b *testing.B) {
			h := newHouse(b, nil)
			heap, process, goroutines := inUse(), resident(), runtime.NumGoroutine()
			hangUp := h.clients(b.N, kind)
			b.StopTimer()
			h.door.mu.Lock()
			open := len(h.door.sockets)
			h.door.mu.Unlock()
			if open != b.N {
				b.Errorf("%d sockets are open of %d", open, b.N)
			}
			h.quiet()
			b.ReportMetric(float64(open), "sockets")
			b.ReportMetric(float64(inUse()-heap)/float64(b.N), "B/socket")
			b.ReportMetric(float64(resident()-process)/float64(b.N), "RSS-B/socket")
			b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(b.N), "goroutines/socket")
			hangUp()
			h.eventually("all are gone", func() bool { return h.sockets() == 0 })
		})
	}
}

// quiet waits till nothing goes on: a socket's reader is all that it has.
func (h *house) quiet() {
	for n, same := 0, 0; same < 5; time.Sleep(50 * time.Millisecond) {
		same++
		if now := runtime.NumGoroutine(); now != n {
			n, same = now, 0
		}
	}
}

// inUse is the memory of heap and stacks, after what is not needed was given back.
func inUse() int64 {
	debug.FreeOSMemory()
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// resident is the memory that the process has, by /proc; 0 where there is none.
func resident() int64 {
	data, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var size, pages int64
	fmt.Sscan(string(data), &size, &pages)
	return pages * int64(os.Getpagesize())
}

// clients starts a process with n clients and returns when all are connected; hangUp ends
// it.
func (h *house) clients(n int, kind string) (hangUp func()) {
	h.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestIdleClients$", "-test.count=1")
	cmd.Env = append(os.Environ(), fmt.Sprintf("%s=%s %d %s", clientsEnv, h.server.Listener.Addr(), n, kind))
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	h.must(err)
	out, err := cmd.StdoutPipe()
	h.must(err)
	h.must(cmd.Start())
	lines := bufio.NewScanner(out)
	for lines.Scan() && lines.Text() != "all are connected" {
		if strings.Contains(lines.Text(), "FAIL") {
			h.Error(lines.Text())
		}
	}
	return func() {
		in.Close()
		io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			h.Errorf("the clients: %v", err)
		}
	}
}

// TestIdleClients is the clients of BenchmarkIdleSockets, and nothing by itself.
func TestIdleClients(t *testing.T) {
	var address, kind string
	var n int
	if _, err := fmt.Sscan(os.Getenv(clientsEnv), &address, &n, &kind); err != nil {
		return
	}
	conns := make([]net.Conn, n)
	var next atomic.Int64
	var connecting, listening sync.WaitGroup
	for range 64 {
		connecting.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				c, r, err := dialBare(address, kind == "conversation")
				if err != nil {
					t.Error(err)
					return
				}
				conns[i] = c
				listening.Go(func() { answerPings(c, r) })
			}
		})
	}
	connecting.Wait()
	fmt.Println("\nall are connected")
	io.Copy(io.Discard, os.Stdin)
	for _, c := range conns {
		if c != nil {
			c.Close()
		}
	}
	listening.Wait()
}

// dialBare connects, says hello and, if asked to, begins a conversation.
func dialBare(address string, begin bool) (net.Conn, *bufio.Reader, error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return nil, nil, err
	}
	fmt.Fprintf(c, "GET /api/v1/chat/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: %s\r\nOrigin: %s\r\nUser-Agent: %s\r\n\r\n", protocol, pageOrigin, strings.Repeat("x", 100))
	r := bufio.NewReaderSize(c, 16)
	resp, err := http.ReadResponse(r, nil)
	if err == nil && resp.StatusCode != http.StatusSwitchingProtocols {
		err = errors.New(resp.Status)
	}
	if err != nil {
		return c, nil, err
	}
	bareFrame(c, 1, `{"t":"hello","site":"bank","langs":["en"]}`)
	want := []string{kindWelcome, kindCaughtUp}
	if begin {
		bareFrame(c, 1, `{"t":"open"}`)
		want = append(want, kindWelcome, kindMessage)
	}
	for _, kind := range want {
		_, data, err := readBare(r)
		if err != nil {
			return c, nil, err
		}
		if !strings.HasPrefix(data, `{"t":"`+kind+`"`) {
			return c, nil, fmt.Errorf("%s, want %s", data, kind)
		}
	}
	return c, r, nil
}

// answerPings is all that an idle client does.
func answerPings(c net.Conn, r *bufio.Reader) {
	for {
		kind, data, err := readBare(r)
		if err != nil {
			return
		}
		if kind == 9 {
			bareFrame(c, 10, data)
		}
	}
}

// readBare reads a frame of a server (RFC 6455, section 5.2), of 64 kB at most.
func readBare(r *bufio.Reader) (kind byte, text string, err error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:2]); err != nil {
		return 0, "", err
	}
	n := int(head[1])
	if n == 126 {
		if _, err := io.ReadFull(r, head[2:]); err != nil {
			return 0, "", err
		}
		n = int(head[2])<<8 | int(head[3])
	}
	data := make([]byte, n)
	_, err = io.ReadFull(r, data)
	return head[0] & 15, string(data), err
}

// bareFrame writes a frame of up to 125 bytes masked with zeros. If it cannot, nothing
// will be read either.
func bareFrame(c net.Conn, kind byte, text string) {
	c.Write(append([]byte{0x80 | kind, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...))
}

// BenchmarkSay measures messages kept, answered and delivered to one client each, with as
// many clients as there are processors, and more.
func BenchmarkSay(b *testing.B) {
	for _, clients := range []int{1, 64} {
		b.Run(fmt.Sprint(clients, "-clients"), func(b *testing.B) {
			h := newHouse(b, nil)
			wires := make(chan *wire, clients)
			for range clients {
				w, _, _ := h.begun()
				wires <- w
			}
			b.SetParallelism(max(1, clients/runtime.GOMAXPROCS(0)))
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				w := <-wires
				for n := 0; pb.Next(); n++ {
					id := fmt.Sprint("n", n)
					if w.trySend(map[string]any{"t": kindSay, "id": id, "text": "hello"}) != nil {
						b.Error("cut")
						return
					}
					for own := false; ; {
						f, err := w.tryNext()
						if err != nil {
							b.Error(err)
							return
						}
						if own = own || f.ID == id; own && f.ID == "" {
							break
						}
					}
				}
				wires <- w
			})
			b.StopTimer()
			close(wires)
			for w := range wires {
				w.cut()
			}
		})
	}
}
