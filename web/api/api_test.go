package api

import (
	"bytes"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/prometheus/client_golang/prometheus"
)

type fakeStatus struct {
	err     error
	entries []Entry
}

func (f fakeStatus) Ready() error     { return f.err }
func (f fakeStatus) Calls() int       { return 2 }
func (f fakeStatus) Entries() []Entry { return f.entries }

var _ Status = fakeStatus{}

func builtPages() fstest.MapFS {
	return fstest.MapFS{
		"index.html": {Data: []byte("<!doctype html><title>Tandem</title>")}, "customer.js": {Data: []byte("1")},
		"customer.css": {Data: []byte("a{}")}, ".keep": {}, "deep/file.txt": {Data: []byte("x")},
		"widget.js": {Data: []byte("3")}, "handoff.js": {Data: []byte("4")}, "chat.js": {Data: []byte("5")},
		"chat.html": {Data: []byte(`<!doctype html><script src="__ROOT__chat.js"></script>`)},
	}
}

func get(h http.Handler, method, target, host string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, target, nil)
	if host != "" {
		r.Host = host
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func checkGuarded(t *testing.T, path string, w *httptest.ResponseRecorder) {
	t.Helper()
	policy := w.Header().Get("Content-Security-Policy")
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("%s: the policy lacks %s: %q", path, want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") {
		t.Errorf("%s: the policy is unsafe: %q", path, policy)
	}
	if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Referrer-Policy") != "no-referrer" {
		t.Errorf("%s: headers %v", path, w.Header())
	}
}

func TestStaff(t *testing.T) {
	pages := builtPages()
	pages["studio.html"] = &fstest.MapFile{Data: []byte(`<meta name="csp-nonce" content="__CSP_NONCE__">`)}
	pages["login.html"] = &fstest.MapFile{Data: []byte("login")}
	pages["desk.html"] = &fstest.MapFile{Data: []byte("desk")}
	pages["board.html"] = &fstest.MapFile{Data: []byte("board")}
	pages["studio.js"] = &fstest.MapFile{Data: []byte("2")}
	pages["customer-check.html"] = &fstest.MapFile{Data: []byte("__ROOT__check")}
	pages["icon.svg"] = &fstest.MapFile{Data: []byte("<svg/>")}
	part := func(mux *http.ServeMux) {
		mux.HandleFunc("GET /api/v1/me", func(w http.ResponseWriter, r *http.Request) { plain(w, 200, "part") })
	}
	staff, customers := Staff(StaffOptions{Pages: pages, Parts: []func(*http.ServeMux){part}}), Customers(CustomersOptions{Pages: pages, Status: fakeStatus{}})
	for _, test := range []struct {
		path             string
		staff, customers int
		body             string
	}{
		{"/studio", 200, 404, `<meta name="csp-nonce"`}, {"/login", 200, 404, "login"}, {"/check", 404, 200, "nothing"}, {"/customer-check.html", 404, 404, "nothing"}, {"/desk", 200, 404, "desk"}, {"/board", 200, 404, "board"}, {"/desk.html", 404, 404, "nothing"}, {"/studio.js", 200, 404, "2"}, {"/icon.svg", 200, 200, "<svg/>"},
		{"/studio.html", 404, 404, "nothing"}, {"/login.html", 404, 404, "nothing"}, {"/customer.js", 404, 200, "nothing"}, {"/index.html", 404, 404, "nothing"},
		{"/.keep", 404, 404, "nothing"}, {"/deep/file.txt", 200, 404, "x"}, {"/deep/", 404, 404, "nothing"}, {"/metrics", 404, 404, "nothing"},
		{"/api/openapi.yaml", 200, 404, "openapi: 3.1.0"}, {"/api/v1/me", 200, 404, "part"}, {"/api/v1/entries", 404, 200, "not_found"}, {"/api/v1/none", 404, 404, "not_found"}, {"/", 303, 200, ""},
	} {
		w := get(staff, "GET", test.path, "")
		if w.Code != test.staff || !strings.Contains(w.Body.String(), test.body) {
			t.Errorf("staff %s: %d %q", test.path, w.Code, w.Body)
		}
		checkGuarded(t, test.path, w)
		if talks := test.path == "/studio" || test.path == "/desk" || test.path == "/board"; talks != strings.Contains(w.Header().Get("Permissions-Policy"), "microphone=(self)") {
			t.Errorf("staff %s: microphone in %q", test.path, w.Header().Get("Permissions-Policy"))
		}
		if sees := test.path == "/desk"; sees != strings.Contains(w.Header().Get("Permissions-Policy"), "camera=(self), display-capture=(self)") {
			t.Errorf("staff %s: camera in %q", test.path, w.Header().Get("Permissions-Policy"))
		}
		w = get(customers, "GET", test.path, "")
		if w.Code != test.customers {
			t.Errorf("customers %s: %d %q", test.path, w.Code, w.Body)
		}
		if seen := test.path == "/" || test.path == "/index.html" || test.path == "/check"; seen != strings.Contains(w.Header().Get("Permissions-Policy"), "camera=(self), microphone=(self)") {
			t.Errorf("customers %s: camera and microphone in %q", test.path, w.Header().Get("Permissions-Policy"))
		}
	}
	if w := get(staff, "POST", "/studio", ""); w.Code != 405 {
		t.Errorf("POST to a page: %d", w.Code)
	}
	if w := get(staff, "GET", "/", ""); w.Header().Get("Location") != "/login" {
		t.Errorf("/ leads to %q", w.Header().Get("Location"))
	}
	if w := get(Staff(StaffOptions{Pages: fstest.MapFS{}}), "GET", "/studio", ""); w.Code != 503 || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("without pages: %d %q", w.Code, w.Body)
	}
}

// TestNonce: each answer lets in styles by a number of its own, and by nothing else.
func TestNonce(t *testing.T) {
	h := Staff(StaffOptions{Pages: fstest.MapFS{"studio.html": {Data: []byte("a __CSP_NONCE__ b")}}})
	seen := map[string]bool{}
	for range 3 {
		w := get(h, "GET", "/studio", "")
		nonce := strings.TrimSuffix(strings.TrimPrefix(w.Body.String(), "a "), " b")
		if len(nonce) < 22 || seen[nonce] || !strings.Contains(w.Header().Get("Content-Security-Policy"), "style-src 'self' 'nonce-"+nonce+"';") {
			t.Errorf("nonce %q, policy %q", nonce, w.Header().Get("Content-Security-Policy"))
		}
		if w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("a page with a nonce is kept: %v", w.Header())
		}
		seen[nonce] = true
	}
}

func TestAdmin(t *testing.T) {
	registry := prometheus.NewRegistry()
	counter := prometheus.NewCounter(prometheus.CounterOpts{Name: "tandem_test_total"})
	registry.MustRegister(counter)
	well := Admin(AdminOptions{Metrics: registry, Status: fakeStatus{}, Profiles: true})
	behind := Admin(AdminOptions{Metrics: registry, Status: fakeStatus{}, Notice: func() string { return "the flows have mistakes" }})
	quiet := Admin(AdminOptions{Metrics: registry, Status: fakeStatus{}, Notice: func() string { return "" }})
	ill := Admin(AdminOptions{Metrics: registry, Status: fakeStatus{err: errors.New("the disk is full")}})
	for _, test := range []struct {
		h          http.Handler
		path, host string
		status     int
		body       string
	}{
		{well, "/metrics", "127.0.0.1:8082", 200, "tandem_test_total 0"},
		{well, "/livez", "localhost:8082", 200, "ok"},
		{well, "/readyz", "[::1]:8082", 200, "ok"},
		{well, "/readyz", "127.0.0.1", 200, "ok"},
		{behind, "/readyz", "127.0.0.1", 200, "ok\nthe flows have mistakes\n"},
		{quiet, "/readyz", "127.0.0.1", 200, "ok\n"},
		{well, "/debug/pprof/cmdline", "127.0.0.1:1", 200, ""},
		{well, "/metrics", "evil.example:8082", 403, "loopback"},
		{well, "/metrics", "127.0.0.1.evil.example", 403, "loopback"},
		{ill, "/livez", "127.0.0.1:1", 200, "ok"},
		{ill, "/readyz", "127.0.0.1:1", 503, "the disk is full"},
		{ill, "/debug/pprof/", "127.0.0.1:1", 404, ""},
	} {
		if w := get(test.h, "GET", test.path, test.host); w.Code != test.status || !strings.Contains(w.Body.String(), test.body) {
			t.Errorf("%s at %s: %d %q", test.path, test.host, w.Code, w.Body)
		}
	}
}

func TestPanicEndsItsRequestOnly(t *testing.T) {
	var log bytes.Buffer
	var panics atomic.Int32
	mux := http.NewServeMux()
	mux.HandleFunc("/bad", func(http.ResponseWriter, *http.Request) { panic("boom") })
	mux.HandleFunc("/good", func(w http.ResponseWriter, r *http.Request) { plain(w, 200, "ok") })
	h := NewServer(mux, slog.New(slog.NewTextHandler(&log, nil)), func() { panics.Add(1) }, SmallBody).Handler
	if w := get(h, "GET", "/bad", ""); w.Code != 500 || strings.Contains(w.Body.String(), "boom") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	if w := get(h, "GET", "/good", ""); w.Code != 200 {
		t.Errorf("after a panic: %d", w.Code)
	}
	if panics.Load() != 1 || strings.Count(log.String(), "fault of ours") != 1 {
		t.Errorf("%d panics counted, log %q", panics.Load(), &log)
	}
}

// TestServerBounds runs a real server: too many requests at once are refused, too
// long a head and too long a body too, and the first ones still get their answer.
func TestServerBounds(t *testing.T) {
	entered, leave := make(chan struct{}, maxAtOnce), make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/wait", func(w http.ResponseWriter, r *http.Request) {
		entered <- struct{}{}
		<-leave
	})
	mux.HandleFunc(socketAddress, func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) })
	mux.HandleFunc("/read", func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
	})
	srv := NewServer(mux, slog.New(slog.DiscardHandler), nil, SmallBody)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	defer func() {
		srv.Close()
		<-served
	}()
	base := "http://" + l.Addr().String()
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()

	do := func(body io.Reader, path, header string) int {
		req, err := http.NewRequest("POST", base+path, body)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-Long", header)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	if got := do(strings.NewReader(strings.Repeat("x", SmallBody)), "/read", ""); got != 200 {
		t.Errorf("a body at the limit: %d", got)
	}
	if got := do(strings.NewReader(strings.Repeat("x", SmallBody+1)), "/read", ""); got != 413 {
		t.Errorf("a body one over the limit: %d", got)
	}
	if got := do(nil, "/read", strings.Repeat("x", 2*maxHeaderBytes)); got != 431 {
		t.Errorf("too long a head: %d", got)
	}
	results := make(chan int, maxAtOnce)
	for range maxAtOnce {
		go func() {
			resp, err := client.Get(base + "/wait")
			if err != nil {
				results <- 0
				return
			}
			resp.Body.Close()
			results <- resp.StatusCode
		}()
	}
	for range maxAtOnce {
		<-entered
	}
	if got := do(nil, "/read", ""); got != 429 {
		t.Errorf("one request too many: %d", got)
	}
	close(leave)
	for range maxAtOnce {
		if got := <-results; got != 200 {
			t.Errorf("a request let in got %d", got)
		}
	}
}
