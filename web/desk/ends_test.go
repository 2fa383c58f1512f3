package desk

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/store/staff"
	"tandem/web/desk/live"
	"tandem/web/login"
)

// TestSlowReaders: a socket that is not read is closed before it takes much memory, and
// others do not wait for it.
func TestSlowReaders(t *testing.T) {
	if testing.Short() {
		t.Skip("fills a network's buffers")
	}
	h := newHouse(t, func(o *Options) { o.Times.Write = time.Minute })
	anna := h.as("anna")
	slow, first := anna.open(nil)
	chat := h.arrive(tandem.TaskChat)
	h.served(anna, chat.ID)
	quick, _ := anna.open(nil)
	h.until("the talk is heard", func() bool {
		c, err := h.book.ByInteraction(t.Context(), chat.Interaction, tandem.Chat)
		return err == nil && h.book.Watched(c.ID)
	})
	for n := 0; h.desk.Sockets() == 2 && n < 20_000; n++ { // the kernel keeps tens of megabytes before we have to
		h.customer(chat.Interaction, strings.Repeat("x", 8000))
		quick.last("message")
	}
	if h.desk.Sockets() != 1 {
		t.Errorf("%d sockets are open", h.desk.Sockets())
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for err := error(nil); err == nil; { // the word 4000 gets through only where there is room for it
		_, _, err = slow.conn.Read(ctx)
	}
	if ctx.Err() != nil {
		t.Error("it goes on")
	}
	_, got := anna.open(map[string]any{"epoch": first[0].Epoch, "since": first[0].N})
	if last := got[len(got)-1]; last.T != "ready" {
		t.Errorf("who comes back is told %s", kindsOf(got))
	}
}

// TestCloseTellsAll: who has a socket as the server stops is told to come back.
func TestCloseTellsAll(t *testing.T) {
	h := newHouse(t)
	w, _ := h.as("anna").open(nil)
	board, _ := h.as("sue").open(map[string]any{"board": true})
	ended := make(chan error, 1)
	go func() { ended <- h.desk.Close(t.Context()) }()
	w.isClosed(1012, "restart")
	board.isClosed(1012, "restart")
	h.must(<-ended)
	late, _, err := h.as("anna").dial()
	h.must(err)
	late.isClosed(1013, "full")
}

// TestNobodys: strangers' sockets are few, and end when they say nothing.
func TestNobodys(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Times.Hello = 100 * time.Millisecond })
	w, _, err := h.stranger().dial()
	h.must(err)
	w.isClosed(1008, "hello")
	h.until("it is gone", func() bool { return h.desk.Sockets() == 0 })
	h2 := newHouse(t, func(o *Options) { o.Times.Hello = time.Minute })
	for range 64 {
		_, _, err := h2.stranger().dial()
		h2.must(err)
	}
	h2.until("all are in", func() bool { return h2.desk.Sockets() == 64 })
	w, _, err = h2.stranger().dial()
	h2.must(err)
	w.isClosed(1013, "full")
	if _, got := h2.as("anna").open(nil); got[0].Name != "anna" {
		t.Errorf("anna is told %s", kindsOf(got))
	}
}

// TestNotInThePolicy: a user who is an agent by role alone is told so.
func TestNotInThePolicy(t *testing.T) {
	h := newHouse(t)
	_, err := h.staff.Add(t.Context(), staff.Actor{Name: "test"}, staff.User{Name: "eve", Roles: []staff.Role{staff.Agent}}, password)
	h.must(err)
	eve := h.as("eve")
	eve.refused(404, "not_found", "GET", "/api/v1/agent", nil)
	eve.refused(404, "not_found", "PUT", "/api/v1/agent/alive", nil)
	eve.refused(404, "not_found", "PUT", "/api/v1/agent/presence", map[string]string{"presence": "available"})
	w, got := eve.open(nil)
	if f := w.last("error"); f.Code != "not_found" {
		t.Errorf("after %s eve is told %s", kindsOf(got), f.text)
	}
}

// TestTwoLives: what waits for an agent comes to them again after a wrap-up, and a task that
// goes on with somebody else is no longer theirs to read.
func TestTwoLives(t *testing.T) {
	h := newHouse(t)
	anna, bo := h.as("anna"), h.as("bo")
	chat := h.arrive(tandem.TaskChat)
	of := h.served(anna, chat.ID)
	bo.ok(204, "PUT", "/api/v1/agent/alive", nil, nil)
	bo.ok(200, "PUT", "/api/v1/agent/presence", map[string]string{"presence": "available"}, nil)
	anna.ok(200, "POST", path(chat.ID, "transfer"), map[string]any{"fence": of.Fence, "agent": "bo"}, nil)
	h.until("bo is offered it", func() bool { now := h.task(chat.ID); return now.Agent == "bo" && now.State == tandem.TaskOffered })
	anna.refused(404, "not_found", "GET", path(chat.ID, "messages"), nil)
	anna.refused(404, "not_found", "GET", "/api/v1/tasks/"+string(chat.ID), nil)
	anna.ok(204, "POST", path(chat.ID, "notes"), map[string]string{"client": "n", "text": "Bo knows the card."}, nil)
	anna.ok(204, "POST", path(chat.ID, "wrap"), fence(of.Fence), nil)
	anna.refused(404, "not_found", "POST", path(chat.ID, "notes"), map[string]string{"client": "n2", "text": "too late"})
	bo.ok(200, "GET", "/api/v1/tasks/"+string(chat.ID), nil, nil)
}

// BenchmarkIdleSockets measures what an agent's socket costs that has nothing to say: heap,
// stacks and goroutines, the clients' ends (a connection each, without TLS) counted in. b.N
// is how many there are: -benchtime 1000x.
func BenchmarkIdleSockets(b *testing.B) {
	h := newHouse(b, func(o *Options) { o.Each = b.N; o.Times = live.Times{Ping: time.Hour} })
	mux := http.NewServeMux()
	h.desk.Routes(mux)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	h.must(err)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: time.Minute}
	go func() { _ = server.Serve(l) }() // it ends with Close
	defer server.Close()
	key := h.with("anna", staff.ScopeAgent)
	heap, goroutines := inUse(), runtime.NumGoroutine()
	conns := make([]net.Conn, 0, b.N)
	for range b.N {
		c, err := net.Dial("tcp", l.Addr().String())
		h.must(err)
		conns = append(conns, c)
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: tandem.desk.1\r\nAuthorization: Bearer %s\r\n\r\n", live.Path, l.Addr(), key.key)
		c.Write(append([]byte{0x81, 0x80 | 13, 0, 0, 0, 0}, `{"t":"hello"}`...)) // a text frame, masked with zeros
		r := bufio.NewReaderSize(c, 4096)
		for seen := ""; !strings.Contains(seen, `"ready"`); {
			part := make([]byte, 4096)
			n, err := r.Read(part)
			h.must(err)
			seen += string(part[:n])
		}
	}
	b.StopTimer()
	if h.desk.Sockets() != b.N {
		b.Errorf("%d sockets are open of %d", h.desk.Sockets(), b.N)
	}
	h.until("nothing is written", func() bool { return runtime.NumGoroutine()-goroutines <= b.N+8 })
	b.ReportMetric(float64(inUse()-heap)/float64(b.N), "B/socket")
	b.ReportMetric(float64(runtime.NumGoroutine()-goroutines)/float64(b.N), "goroutines/socket")
	for _, c := range conns {
		c.Close()
	}
	h.until("all are gone", func() bool { return h.desk.Sockets() == 0 })
}

// inUse is what heap and stacks take now.
func inUse() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// BenchmarkWhoIsIt measures the look at who a socket is of, which each has every two seconds
// and for each frame it sends.
func BenchmarkWhoIsIt(b *testing.B) {
	h := newHouse(b)
	for name, c := range map[string]*client{"key": h.with("anna", staff.ScopeAgent), "login": h.as("anna")} {
		var who login.Caller
		mux := http.NewServeMux()
		mux.Handle("/", h.door.Greet(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { who = login.CallerOf(r.Context()) })))
		r := httptest.NewRequest("GET", h.server.URL+"/", nil)
		r.Header.Set("Origin", h.server.URL)
		if c.key != "" {
			r.Header.Set("Authorization", "Bearer "+c.key)
		}
		for _, cookie := range c.http.Jar.Cookies(r.URL) {
			r.AddCookie(cookie)
		}
		mux.ServeHTTP(httptest.NewRecorder(), r)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := h.door.Again(b.Context(), who); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
