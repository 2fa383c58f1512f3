package simulator

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func quietly(t *testing.T, o Options) *Simulator {
	t.Helper()
	o.Gateways = []Gateway{{Kind: Webhook, Numbers: []string{ours}, Target: "http://127.0.0.1:1/x", Secret: secret}}
	o.Log = slog.New(slog.DiscardHandler)
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestWhoMayUseTheAPI(t *testing.T) {
	s := quietly(t, Options{Origin: "http://127.0.0.1:8080", Hosts: []string{"sms.internal"}})
	for _, c := range []struct {
		name, method, path, host, origin, kind, body string
		status                                       int
		allowed                                      string
	}{
		{"a program", "POST", "/phones/" + theirs + "/reply", "127.0.0.1:8091", "", "application/json", `{"text":"x"}`, 202, ""},
		{"its own page", "POST", "/phones/" + theirs + "/reply", "127.0.0.1:8091", "http://127.0.0.1:8091", "application/json", `{"text":"x"}`, 202, ""},
		{"by its name", "GET", "/phones", "sms.internal:8091", "http://sms.internal:8091", "", "", 200, ""},
		{"the demo's page", "GET", "/phones", "127.0.0.1:8091", "http://127.0.0.1:8080", "", "", 200, "http://127.0.0.1:8080"},
		{"the demo's page asks first", "OPTIONS", "/phones/" + theirs + "/reply", "127.0.0.1:8091", "http://127.0.0.1:8080", "", "", 204, "http://127.0.0.1:8080"},
		{"a stranger's page", "POST", "/phones/" + theirs + "/reply", "127.0.0.1:8091", "https://evil.example", "application/json", `{"text":"x"}`, 403, ""},
		{"a stranger's page asks first", "OPTIONS", "/phones/" + theirs + "/reply", "127.0.0.1:8091", "https://evil.example", "", "", 403, ""},
		{"a stranger's page reads", "GET", "/phones", "127.0.0.1:8091", "https://evil.example", "", "", 403, ""},
		{"no origin at all", "GET", "/phones", "127.0.0.1:8091", "null", "", "", 403, ""},
		{"a stranger's name", "GET", "/phones", "evil.example:8091", "", "", "", 421, ""},
		{"a form, without asking first", "POST", "/phones/" + theirs + "/reply", "127.0.0.1:8091", "", "text/plain", `{"text":"x"}`, 415, ""},
		{"a reply to nobody of ours", "POST", "/phones/" + theirs + "/reply", "[::1]:8091", "", "application/json", `{"text":"x","to":"+49"}`, 400, ""},
		{"a reply by no phone", "POST", "/phones/x/reply", "localhost", "", "application/json", `{"text":"x"}`, 400, ""},
		{"an empty reply", "POST", "/phones/" + theirs + "/reply", "localhost", "", "application/json", `{"text":""}`, 400, ""},
		{"what nobody knows", "POST", "/phones/" + theirs + "/reply", "localhost", "", "application/json", `{"text":"x","colour":"red"}`, 400, ""},
		{"a knob beyond its end", "PUT", "/knobs", "localhost", "", "application/json", `{"fail":1.5}`, 400, ""},
		{"a delay beyond its end", "PUT", "/knobs", "localhost", "", "application/json", `{"delay_ms":99999999}`, 400, ""},
		{"a knob", "PUT", "/knobs", "localhost", "", "application/json", `{"fail":0.5}`, 200, ""},
		{"after what", "GET", "/phones/" + theirs + "/messages?after=x", "localhost", "", "", "", 400, ""},
	} {
		r := httptest.NewRequest(c.method, "http://"+c.host+c.path, strings.NewReader(c.body))
		if c.origin != "" {
			r.Header.Set("Origin", c.origin)
		}
		if c.kind != "" {
			r.Header.Set("Content-Type", c.kind)
		}
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != c.status || w.Header().Get("Access-Control-Allow-Origin") != c.allowed {
			t.Errorf("%s: %d %s %q", c.name, w.Code, w.Body, w.Header().Get("Access-Control-Allow-Origin"))
		}
	}
	without := quietly(t, Options{})
	r := httptest.NewRequest("GET", "http://localhost/phones", nil)
	r.Header.Set("Origin", "http://127.0.0.1:8080")
	w := httptest.NewRecorder()
	if without.ServeHTTP(w, r); w.Code != 403 {
		t.Errorf("without an origin named: %d", w.Code)
	}
}

func TestThePage(t *testing.T) {
	s := quietly(t, Options{})
	for path, kind := range map[string]string{"/": "text/html", "/phone.js": "text/javascript", "/words.js": "text/javascript", "/phone.css": "text/css", "/favicon.svg": "image/svg"} {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest("GET", "http://localhost"+path, nil))
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), kind) || !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s: %d %v", path, w.Code, w.Header())
		}
		if strings.Contains(w.Body.String(), "innerHTML") || strings.Contains(w.Body.String(), "https://fonts") {
			t.Errorf("%s writes markup or fetches from elsewhere", path)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	good := Gateway{Kind: Webhook, Numbers: []string{ours}, Target: "http://127.0.0.1:1/x", Secret: secret}
	for name, change := range map[string]func(*Gateway){
		"no kind":      func(g *Gateway) { g.Kind = "pigeon" },
		"no number":    func(g *Gateway) { g.Numbers = nil },
		"no target":    func(g *Gateway) { g.Target = "tandem" },
		"a bad secret": func(g *Gateway) { g.Secret = "whsec_x" },
		"no token":     func(g *Gateway) { g.Kind, g.Secret = Twilio, "" },
	} {
		g := good
		change(&g)
		if _, err := New(Options{Gateways: []Gateway{g}}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if _, err := New(Options{}); err == nil {
		t.Error("a simulator of nothing was made")
	}
	if _, err := New(Options{Gateways: []Gateway{good}, Knobs: Knobs{Fail: -1}}); err == nil {
		t.Error("a chance below 0 was taken")
	}
}

// FuzzSend: whatever comes in is answered.
func FuzzSend(f *testing.F) {
	s, err := New(Options{Gateways: []Gateway{{Kind: Webhook, Numbers: []string{ours}, Target: "http://127.0.0.1:1/x", Secret: secret}, {Kind: Twilio, Numbers: []string{oursToo}, Target: "http://127.0.0.1:1/x", Secret: token}}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	f.Add("/webhook", "application/json", `{"type":"message.send"}`)
	f.Add("/2010-04-01/Accounts/"+NoAccount+"/Messages.json", "application/x-www-form-urlencoded", "From=%2B15005550006&To=%2B861380000000&ContentSid=HX&ContentVariables=[")
	f.Add("/phones/+861380000000/reply", "application/json", `{"text":"x"}`)
	f.Add("/phones/%zz/reply", "application/json", `{"text":1}`)
	f.Fuzz(func(t *testing.T, path, kind, body string) {
		r, err := http.NewRequestWithContext(t.Context(), "POST", "http://localhost", strings.NewReader(body))
		if err != nil || !strings.HasPrefix(path, "/") {
			return
		}
		r.URL.Path = path
		r.Header["Content-Type"] = []string{kind}
		r.SetBasicAuth(NoAccount, token)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code >= 500 && w.Code != 503 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		s.mu.Lock()
		s.waiting = nil
		s.mu.Unlock()
	})
}
