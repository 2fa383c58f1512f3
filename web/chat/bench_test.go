package chat

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

// BenchmarkIdleSockets measures what a socket costs that has nothing to say: heap and
// stacks of both ends, of which the client's is a bare connection. b.N is how many there
// are: -benchtime 5000x. Conversations are many, one for each socket.
func BenchmarkIdleSockets(b *testing.B) {
	for _, kind := range []string{"stranger", "conversation"} {
		b.Run(kind, func(b *testing.B) {
			h := newHouse(b, nil)
			begin := inUse()
			conns := make([]net.Conn, b.N)
			for i := range conns {
				conns[i] = h.bare(kind == "conversation")
			}
			b.StopTimer()
			h.eventually("all are idle", func() bool {
				h.door.mu.Lock()
				defer h.door.mu.Unlock()
				return len(h.door.sockets) == b.N
			})
			time.Sleep(100 * time.Millisecond)
			b.ReportMetric(float64(inUse()-begin)/float64(b.N), "B/socket")
			b.ReportMetric(float64(runtime.NumGoroutine())/float64(b.N), "goroutines/socket")
			for _, c := range conns {
				c.Close()
			}
			h.eventually("all are gone", func() bool { return h.sockets() == 0 })
		})
	}
}

// inUse is the memory of heap and stacks, after what is not needed was given back.
func inUse() int64 {
	for range 3 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// bare connects, says hello and, if asked to, begins a conversation.
func (h *house) bare(begin bool) net.Conn {
	c, err := net.Dial("tcp", h.server.Listener.Addr().String())
	h.must(err)
	fmt.Fprintf(c, "GET /api/v1/chat/socket HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: %s\r\nOrigin: %s\r\nUser-Agent: %s\r\n\r\n", protocol, pageOrigin, strings.Repeat("x", 100))
	r := bufio.NewReaderSize(c, 16)
	resp, err := http.ReadResponse(r, nil)
	h.must(err)
	if resp.StatusCode != 101 {
		h.Fatal(resp.Status)
	}
	bareFrame(h, c, `{"t":"hello","site":"bank","langs":["en"]}`)
	want := []string{kindWelcome, kindCaughtUp}
	if begin {
		bareFrame(h, c, `{"t":"open"}`)
		want = append(want, kindWelcome, kindMessage)
	}
	for _, kind := range want {
		var head [4]byte
		if _, err := r.Read(head[:1]); err != nil {
			h.Fatal(err)
		}
		size, err := r.ReadByte()
		h.must(err)
		n := int(size)
		if size == 126 {
			a, _ := r.ReadByte()
			b, _ := r.ReadByte()
			n = int(a)<<8 | int(b)
		}
		data := make([]byte, n)
		for i := range data {
			data[i], err = r.ReadByte()
			h.must(err)
		}
		if !strings.HasPrefix(string(data), `{"t":"`+kind+`"`) {
			h.Fatalf("%s, want %s", data, kind)
		}
	}
	return c
}

// bareFrame writes a frame masked with zeros.
func bareFrame(h *house, c net.Conn, text string) {
	_, err := c.Write(append([]byte{0x81, 0x80 | byte(len(text)), 0, 0, 0, 0}, text...))
	h.must(err)
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
