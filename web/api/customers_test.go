package api

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
)

func TestCustomers(t *testing.T) {
	h := Customers(CustomersOptions{Pages: builtPages(), Status: fakeStatus{}})
	for _, test := range []struct {
		method, path string
		status       int
		kind, body   string
	}{
		{"GET", "/", 200, "text/html; charset=utf-8", "<!doctype html>"},
		{"HEAD", "/", 200, "text/html; charset=utf-8", ""},
		{"GET", "/customer.js", 200, "text/javascript; charset=utf-8", "1"},
		{"GET", "/customer.css", 200, "text/css; charset=utf-8", "a{}"},
		{"GET", "/widget.js", 200, "text/javascript; charset=utf-8", "3"},
		{"GET", "/handoff.js", 200, "text/javascript; charset=utf-8", "4"},
		{"GET", "/chat?site=bank", 200, "text/html; charset=utf-8", `<script src="chat.js">`},
		{"HEAD", "/chat", 200, "text/html; charset=utf-8", ""},
		{"GET", "/q/branch-12", 200, "text/html; charset=utf-8", `<script src="../chat.js">`},
		{"GET", "/q/branch-12/more", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/q/", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/chat.html", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/chat/", 404, "text/plain; charset=utf-8", "nothing"},
		{"POST", "/chat", 405, "text/plain; charset=utf-8", ""},
		{"POST", "/q/branch-12", 405, "text/plain; charset=utf-8", ""},
		{"GET", "/deep/", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/deep", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/.keep", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/none", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/metrics", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/debug/pprof/", 404, "text/plain; charset=utf-8", "nothing"},
		{"GET", "/api/v1/none", 404, "application/json; charset=utf-8", "not_found"},
		{"POST", "/", 405, "text/plain; charset=utf-8", ""},
	} {
		w := get(h, test.method, test.path, "")
		if w.Code != test.status || w.Header().Get("Content-Type") != test.kind || !strings.Contains(w.Body.String(), test.body) {
			t.Errorf("%s %s: %d %s %q", test.method, test.path, w.Code, w.Header().Get("Content-Type"), w.Body)
		}
		checkGuarded(t, test.path, w)
	}
}

func TestEntries(t *testing.T) {
	status := fakeStatus{entries: []Entry{
		{Number: "95599", Flow: "bank", Languages: []string{"en", "zh-CN"}, Dial: []string{"sip:95599@127.0.0.1:5060"}}, {Number: "1800*", Flow: "bank"},
	}}
	w := get(Customers(CustomersOptions{Pages: builtPages(), Status: status, Version: "v1", Demo: true}), "GET", "/api/v1/entries", "")
	var got Overview
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if !got.Demo || got.Version != "v1" || !got.Ready || got.Calls != 2 || len(got.Entries) != 2 || got.Entries[0].Dial[0] != "sip:95599@127.0.0.1:5060" {
		t.Errorf("got %+v", got)
	}
	if strings.Contains(w.Body.String(), "null") {
		t.Errorf("a list is null, which the page cannot walk: %s", w.Body)
	}
	down := fakeStatus{err: errors.New("disk full at /secret/place")}
	w = get(Customers(CustomersOptions{Pages: builtPages(), Status: down}), "GET", "/api/v1/entries", "")
	if strings.Contains(w.Body.String(), "disk") || !strings.Contains(w.Body.String(), `"ready":false`) || !strings.Contains(w.Body.String(), `"entries":[]`) {
		t.Errorf("customers are told %s", w.Body)
	}
}

func TestPagesNotBuilt(t *testing.T) {
	h := Customers(CustomersOptions{Pages: fstest.MapFS{".keep": {}}, Status: fakeStatus{}})
	if w := get(h, "GET", "/", ""); w.Code != 503 || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("%d %q", w.Code, w.Body)
	}
	if w := get(h, "GET", "/chat", ""); w.Code != 503 || !strings.Contains(w.Body.String(), "make build") {
		t.Errorf("the chat's page: %d %q", w.Code, w.Body)
	}
	if w := get(h, "GET", "/api/v1/entries", ""); w.Code != 200 {
		t.Errorf("the API needs no pages, got %d", w.Code)
	}
}

// TestWidgetStandsAnywhere: other people's pages may load the script and nothing else.
func TestWidgetStandsAnywhere(t *testing.T) {
	h := Customers(CustomersOptions{Pages: builtPages(), Status: fakeStatus{}})
	for path, want := range map[string]string{
		"/widget.js": "cross-origin", "/chat.js": "same-origin", "/": "same-origin", "/chat": "same-origin", "/handoff.js": "same-origin", "/api/v1/entries": "same-origin",
	} {
		w := get(h, "GET", path, "")
		if got := w.Header().Get("Cross-Origin-Resource-Policy"); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
		if strings.HasSuffix(path, ".js") && w.Header().Get("Cache-Control") != "no-cache" {
			t.Errorf("%s: Cache-Control %q", path, w.Header().Get("Cache-Control"))
		}
	}
}

// TestPhone: the simulator's address is told and let in in the demo only, and nothing
// but its origin can get into the policy.
func TestPhone(t *testing.T) {
	for _, test := range []struct {
		name    string
		demo    bool
		phone   *Phone
		connect string
	}{
		{"demo", true, &Phone{URL: "http://127.0.0.1:8083", Number: "+8613800000001"}, "connect-src 'self' http://127.0.0.1:8083;"},
		{"with a path", true, &Phone{URL: "http://127.0.0.1:8083/phones?x=1", Number: "+1"}, "connect-src 'self' http://127.0.0.1:8083;"},
		{"none", true, nil, "connect-src 'self';"},
		{"not the demo", false, &Phone{URL: "http://127.0.0.1:8083", Number: "+1"}, "connect-src 'self';"},
		{"no address", true, &Phone{URL: "", Number: "+1"}, "connect-src 'self';"},
		{"another scheme", true, &Phone{URL: "javascript:1", Number: "+1"}, "connect-src 'self';"},
		{"a second directive", true, &Phone{URL: "http://a;script-src *", Number: "+1"}, "connect-src 'self';"},
		{"every host", true, &Phone{URL: "http://*", Number: "+1"}, "connect-src 'self';"},
	} {
		w := get(Customers(CustomersOptions{Pages: builtPages(), Status: fakeStatus{}, Demo: test.demo, Phone: test.phone}), "GET", "/api/v1/entries", "")
		policy := w.Header().Get("Content-Security-Policy")
		if !strings.Contains(policy, test.connect) || !strings.Contains(policy, "img-src 'self' data: blob:;") || !strings.Contains(policy, "script-src 'self';") {
			t.Errorf("%s: %q", test.name, policy)
		}
		var got Overview
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
			t.Fatal(err)
		}
		if shown := got.Phone != nil; shown != (test.demo && test.phone != nil) {
			t.Errorf("%s: the phone is told: %v", test.name, shown)
		}
	}
}

// TestParts: parts are mounted, under the door's headers and its limit of bodies, which
// is wider for pictures only.
func TestParts(t *testing.T) {
	read := func(w http.ResponseWriter, r *http.Request) {
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			w.WriteHeader(http.StatusRequestEntityTooLarge)
		}
	}
	part := func(mux *http.ServeMux) {
		mux.HandleFunc("POST /api/v1/chat/attachments", read)
		mux.HandleFunc("POST /api/v1/chat/stills/{check}/{step}", read)
		mux.HandleFunc("POST /api/v1/sms/first", read)
		mux.HandleFunc("GET /l/{token}", func(w http.ResponseWriter, r *http.Request) { plain(w, 200, "link "+r.PathValue("token")) })
	}
	h := Customers(CustomersOptions{Pages: builtPages(), Status: fakeStatus{}, Parts: []func(*http.ServeMux){part}})
	if w := get(h, "GET", "/l/abc", ""); w.Code != 200 || w.Body.String() != "link abc\n" {
		t.Errorf("%d %q", w.Code, w.Body)
	} else {
		checkGuarded(t, "/l/abc", w)
	}
	for _, test := range []struct {
		path   string
		size   int
		status int
	}{
		{"/api/v1/chat/attachments", SmallBody + 1, 200}, {"/api/v1/chat/stills/0f1/front", SmallBody + 1, 200}, {"/api/v1/sms/first", SmallBody, 200}, {"/api/v1/sms/first", SmallBody + 1, 413},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("POST", test.path, strings.NewReader(strings.Repeat("x", test.size))))
		if w.Code != test.status {
			t.Errorf("%d bytes to %s: %d, want %d", test.size, test.path, w.Code, test.status)
		}
	}
}
