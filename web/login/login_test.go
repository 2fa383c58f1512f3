package login

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"tandem/store/staff"
)

// TestEveryAddressAndRole: who gets what, and who is not logged in gets nothing.
func TestEveryAddressAndRole(t *testing.T) {
	s := newSite(t)
	everybody := staff.Roles()
	browsers := map[staff.Role]*browser{}
	for _, role := range everybody {
		browsers[role] = s.as(t, string(role))
	}
	stranger := s.browser(t)
	for _, test := range []struct {
		method, path string
		body         any
		roles        []staff.Role // who is let in
		status       int          // what they get
	}{
		{"GET", "/api/v1/me", nil, everybody, 200},
		{"PUT", "/api/v1/me/lang", map[string]string{"lang": "zh-CN"}, everybody, 204},
		{"PUT", "/api/v1/me/lang", map[string]string{"lang": "xx"}, everybody, 422},
		{"POST", "/api/v1/me/password", map[string]string{"old": good, "new": "short"}, everybody, 422},
		{"POST", "/api/v1/me/totp", map[string]string{}, everybody, 200},
		{"POST", "/api/v1/me/totp/confirm", map[string]string{"code": "1"}, everybody, 403},
		{"POST", "/api/v1/me/totp/remove", map[string]string{"code": "1"}, everybody, 403},
		{"GET", "/api/v1/users", nil, []staff.Role{staff.Operator}, 200},
		{"POST", "/api/v1/users", map[string]any{"name": "bad name", "roles": []string{"agent"}}, []staff.Role{staff.Operator}, 422},
		{"POST", "/api/v1/users/nobody", map[string]any{"disabled": true}, []staff.Role{staff.Operator}, 404},
		{"GET", "/api/v1/audit", nil, []staff.Role{staff.Operator, staff.Auditor}, 200},
		{"GET", "/api/v1/audit?before=x", nil, []staff.Role{staff.Operator, staff.Auditor}, 400},
		{"GET", "/api/v1/flows", nil, []staff.Role{staff.Designer, staff.Supervisor}, 204},
		{"POST", "/api/v1/flows", map[string]string{}, []staff.Role{staff.Designer}, 204},
		{"POST", "/api/v1/logout", map[string]string{}, everybody, 204}, // last: it ends the logins
	} {
		r := stranger.do(test.method, test.path, test.body)
		if r.StatusCode != 401 || r.code() != "login" || !strings.Contains(r.body, `"login":{"local":true,"oidc":[]}`) {
			t.Errorf("a stranger, %s %s: %d %s", test.method, test.path, r.StatusCode, r.body)
		}
		for _, role := range everybody {
			want, code := 403, "forbidden"
			for _, let := range test.roles {
				if let == role {
					want, code = test.status, ""
				}
			}
			r := browsers[role].do(test.method, test.path, test.body)
			if r.StatusCode != want || (code != "" && r.code() != code) {
				t.Errorf("%s, %s %s: %d %s, want %d", role, test.method, test.path, r.StatusCode, r.body, want)
			}
			if r.body != "" && r.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %s may be kept: %v", test.method, test.path, r.Header)
			}
		}
	}
	for role, b := range browsers {
		if r := b.do("GET", "/api/v1/me", nil); r.StatusCode != 401 {
			t.Errorf("%s after logging out: %d", role, r.StatusCode)
		}
	}
}

// TestRequestsFromElsewhere: every address that changes something refuses requests that
// our own pages have not made, whoever is logged in.
func TestRequestsFromElsewhere(t *testing.T) {
	s := newSite(t)
	s.add(t, "all", staff.Roles()...)
	b := s.as(t, "all")
	for _, to := range []struct{ method, path string }{
		{"POST", "/api/v1/login"}, {"POST", "/api/v1/logout"}, {"POST", "/api/v1/me/password"}, {"PUT", "/api/v1/me/lang"}, {"POST", "/api/v1/me/totp"},
		{"POST", "/api/v1/me/totp/confirm"}, {"POST", "/api/v1/me/totp/remove"}, {"POST", "/api/v1/users"}, {"POST", "/api/v1/users/agent"}, {"POST", "/api/v1/flows"},
	} {
		for _, test := range []struct {
			name   string
			change func(*http.Request)
			status int
			code   string
		}{
			{"another origin", func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }, 403, "origin"},
			{"an opaque origin", func(r *http.Request) { r.Header.Set("Origin", "null") }, 403, "origin"},
			{"our host by plain http", func(r *http.Request) { r.Header.Set("Origin", strings.Replace(s.URL, "https", "ftp", 1)) }, 403, "origin"},
			{"another port", func(r *http.Request) { r.Header.Set("Origin", s.URL+"1") }, 403, "origin"},
			{"two origins", func(r *http.Request) { r.Header.Add("Origin", s.URL) }, 403, "origin"},
			{"no origin", func(r *http.Request) { r.Header.Del("Origin") }, 403, "origin"},
			{"no origin, another site", func(r *http.Request) { r.Header.Del("Origin"); r.Header.Set("Sec-Fetch-Site", "same-site") }, 403, "origin"},
			{"another host", func(r *http.Request) { r.Host = "evil.example" }, 421, "host"},
			{"no token", func(r *http.Request) { r.Header.Del("X-CSRF-Token") }, 403, "csrf"},
			{"another's token", func(r *http.Request) { r.Header.Set("X-CSRF-Token", strings.Repeat("A", 43)) }, 403, "csrf"},
		} {
			if to.path == "/api/v1/login" && test.code == "csrf" {
				continue // there is no page's token before there is a login
			}
			r := b.do(to.method, to.path, map[string]string{}, test.change)
			if r.StatusCode != test.status || r.code() != test.code {
				t.Errorf("%s %s with %s: %d %s", to.method, to.path, test.name, r.StatusCode, r.body)
			}
		}
	}
	sameOrigin := func(r *http.Request) { r.Header.Del("Origin"); r.Header.Set("Sec-Fetch-Site", "same-origin") }
	if r := b.do("POST", "/api/v1/flows", map[string]string{}, sameOrigin); r.StatusCode != 204 {
		t.Errorf("without Origin, by Sec-Fetch-Site: %d %s", r.StatusCode, r.body)
	}
	if r := b.do("GET", "/api/v1/me", nil, func(r *http.Request) { r.Host = "evil.example" }); r.StatusCode != 421 {
		t.Errorf("a name that leads here: %d", r.StatusCode)
	}
}

// TestLoopbackOrigins: by plain http only this machine's own addresses are origins.
func TestLoopbackOrigins(t *testing.T) {
	s := newSite(t, func(o *Options) { o.URL = "https://staff.bank.example" })
	for _, test := range []struct {
		host, origin string
		status       int
	}{
		{"staff.bank.example", "https://staff.bank.example", 401},
		{"STAFF.bank.example", "https://staff.bank.example", 401},
		{"127.0.0.1:8081", "https://staff.bank.example", 401}, // a proxy that does not pass the name on
		{"127.0.0.1:8081", "http://127.0.0.1:8081", 401},
		{"[::1]:8081", "http://[::1]:8081", 401},
		{"localhost:8081", "http://localhost:8081", 401},
		{"127.0.0.1:8081", "http://127.0.0.1:8080", 403}, // the customers' page on this machine
		{"127.0.0.1:8081", "http://localhost:8081", 403},
		{"staff.bank.example", "http://staff.bank.example", 403},
		{"staff.bank.example", "http://127.0.0.1:8081", 403},
		{"127.0.0.1.evil.example", "http://127.0.0.1.evil.example", 421},
		{"localhost:8081.evil.example", "http://localhost:8081.evil.example", 421},
		{"evil.example", "https://staff.bank.example", 421},
	} {
		b := s.browser(t)
		b.origin = test.origin
		r := b.do("POST", "/api/v1/login", credentials{"designer", "wrong wrong wrong", ""}, func(r *http.Request) { r.Host = test.host })
		if r.StatusCode != test.status {
			t.Errorf("%s from %s: %d %s", test.host, test.origin, r.StatusCode, r.body)
		}
		s.clock.Add(time.Hour) // so that none is slowed down
	}
}

func TestCookie(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	r := b.login("designer", good, "")
	set := r.Header.Values("Set-Cookie")
	if len(set) != 1 {
		t.Fatalf("cookies %q", set)
	}
	for _, want := range []string{"__Host-tandem=", "Path=/", "HttpOnly", "Secure", "SameSite=Strict"} {
		if !strings.Contains(set[0], want) {
			t.Errorf("%s lacks %s", set[0], want)
		}
	}
	for _, no := range []string{"Domain", "Max-Age", "Expires"} {
		if strings.Contains(set[0], no) {
			t.Errorf("%s has %s", set[0], no)
		}
	}
	if strings.Contains(r.body, b.cookie()) {
		t.Error("the answer's body has the cookie's token")
	}
	if r := b.do("POST", "/api/v1/logout", nil); !strings.Contains(r.Header.Get("Set-Cookie"), "Max-Age=0") || b.cookie() != "" {
		t.Errorf("logging out leaves the cookie: %v", r.Header)
	}
}

// TestFixation: a token that somebody planted before the login is not the login's.
func TestFixation(t *testing.T) {
	s := newSite(t)
	attacker := s.as(t, "agent")
	planted := attacker.cookie()
	victim := s.browser(t)
	r := victim.do("POST", "/api/v1/login", credentials{"operator", good, ""}, func(r *http.Request) {
		r.AddCookie(&http.Cookie{Name: cookieName, Value: planted})
	})
	if r.StatusCode != 200 || victim.cookie() == "" || victim.cookie() == planted {
		t.Fatalf("%d, the same token: %t", r.StatusCode, victim.cookie() == planted)
	}
	if r := attacker.do("GET", "/api/v1/me", nil); r.StatusCode != 401 {
		t.Errorf("the planted login goes on: %d %s", r.StatusCode, r.body)
	}
}

// TestRevocation: what an operator does to a user holds at that user's next request.
func TestRevocation(t *testing.T) {
	for name, change := range map[string]map[string]any{
		"disabled": {"disabled": true}, "roles": {"roles": []string{"agent"}}, "reset": {"reset": true},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			operator, designer := s.as(t, "operator"), s.as(t, "designer")
			if r := designer.do("GET", "/api/v1/flows", nil); r.StatusCode != 204 {
				t.Fatal(r.body)
			}
			r := operator.do("POST", "/api/v1/users/designer", change)
			if r.StatusCode != 200 || strings.Contains(r.body, "password") != (name == "reset") {
				t.Fatalf("%d %s", r.StatusCode, r.body)
			}
			if r := designer.do("GET", "/api/v1/flows", nil); r.StatusCode != 401 {
				t.Errorf("%d %s", r.StatusCode, r.body)
			}
		})
	}
}

// TestStill: a request that goes on for long can ask whether its user is still let in,
// and does not keep the login alive by asking.
func TestStill(t *testing.T) {
	for name, end := range map[string]func(*site, *browser){
		"logged out": func(_ *site, b *browser) { b.do("POST", "/api/v1/logout", nil) },
		"disabled": func(s *site, _ *browser) {
			s.as(t, "operator").do("POST", "/api/v1/users/designer", map[string]any{"disabled": true})
		},
		"another role": func(s *site, _ *browser) {
			s.as(t, "operator").do("POST", "/api/v1/users/designer", map[string]any{"roles": []string{"agent"}})
		},
		"idle": func(s *site, _ *browser) { s.clock.Add(10 * time.Minute) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			asked, answers := make(chan bool), make(chan bool, 3)
			s.mux.Handle("GET /api/v1/long", s.door.Require(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				for range asked {
					answers <- s.door.Still(r.Context(), staff.Designer) && !s.door.Still(r.Context(), staff.Operator)
				}
			})))
			b := s.as(t, "designer")
			done := make(chan struct{})
			go func() { defer close(done); b.do("GET", "/api/v1/long", nil) }()
			asked <- true
			if !<-answers {
				t.Error("not let in while logged in")
			}
			s.clock.Add(20 * time.Minute)
			asked <- true
			if !<-answers {
				t.Error("not let in before the idle time is over")
			}
			end(s, b)
			asked <- true
			if <-answers {
				t.Error("still let in")
			}
			close(asked)
			<-done
		})
	}
	if newSite(t).door.Still(t.Context()) {
		t.Error("somebody without a login is let in")
	}
}

// TestRolesAreLookedUp: a role that is taken away in the database counts at once.
func TestRolesAreLookedUp(t *testing.T) {
	s := newSite(t)
	b := s.as(t, "designer")
	if err := s.staff.Change(t.Context(), staff.Actor{Name: "test"}, "designer", staff.Change{Roles: []staff.Role{staff.Agent}}); err != nil {
		t.Fatal(err)
	}
	b.login("designer", good, "")
	if r := b.do("GET", "/api/v1/flows", nil); r.StatusCode != 403 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

func TestTimeEndsLogins(t *testing.T) {
	s := newSite(t)
	b := s.as(t, "designer")
	s.clock.Add(29 * time.Minute)
	if r := b.do("GET", "/api/v1/me", nil); r.StatusCode != 200 {
		t.Errorf("after 29 min: %d", r.StatusCode)
	}
	s.clock.Add(30 * time.Minute)
	if r := b.do("GET", "/api/v1/me", nil); r.StatusCode != 401 {
		t.Errorf("after 30 min more: %d", r.StatusCode)
	}
}

// TestSameAnswer: an unknown name, a wrong password and a disabled user look alike.
func TestSameAnswer(t *testing.T) {
	s := newSite(t)
	yes := true
	if err := s.staff.Change(t.Context(), staff.Actor{Name: "test"}, "agent", staff.Change{Disabled: &yes}); err != nil {
		t.Fatal(err)
	}
	first := ""
	for _, c := range []credentials{{"designer", "wrong wrong wrong", ""}, {"nobody", good, ""}, {"agent", good, ""}, {"not a name", good, ""}, {"", "", ""}, {"designer", strings.Repeat("x", 5000), ""}} {
		r := s.browser(t).do("POST", "/api/v1/login", c)
		if first == "" {
			first = r.body
		}
		if r.StatusCode != 401 || r.code() != "login_failed" || r.body != first || len(r.Header.Values("Set-Cookie")) != 0 {
			t.Errorf("%s: %d %s %v", c.Name, r.StatusCode, r.body, r.Header)
		}
	}
}

func TestMustChange(t *testing.T) {
	s := newSite(t)
	operator := s.as(t, "operator")
	r := operator.do("POST", "/api/v1/users", map[string]any{"name": "Fang", "display": "王芳", "roles": []string{"designer"}})
	var made drawnPassword
	if err := json.Unmarshal([]byte(r.body), &made); err != nil || r.StatusCode != 200 || made.Password == "" {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	if r := operator.do("POST", "/api/v1/users", map[string]any{"name": "fang", "display": "", "roles": []string{"designer"}}); r.StatusCode != 409 || r.code() != "taken" {
		t.Errorf("a second one: %d %s", r.StatusCode, r.body)
	}
	b := s.browser(t)
	if r := b.login("fang", made.Password, ""); !strings.Contains(r.body, `"must_change":true`) || !strings.Contains(r.body, "王芳") {
		t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	if r := b.do("GET", "/api/v1/flows", nil); r.StatusCode != 403 || r.code() != "must_change" {
		t.Errorf("before the change: %d %s", r.StatusCode, r.body)
	}
	before := b.cookie()
	if r := b.do("POST", "/api/v1/me/password", map[string]string{"old": "wrong wrong wrong", "new": next}); r.StatusCode != 403 || r.code() != "wrong" {
		t.Errorf("with a wrong old one: %d %s", r.StatusCode, r.body)
	}
	if r := b.do("POST", "/api/v1/me/password", map[string]string{"old": made.Password, "new": next}); r.StatusCode != 204 || b.cookie() == before {
		t.Errorf("%d %s; the same token: %t", r.StatusCode, r.body, b.cookie() == before)
	}
	if r := b.do("POST", "/api/v1/flows", map[string]string{}); r.StatusCode != 204 {
		t.Errorf("after it, with the page's token: %d %s", r.StatusCode, r.body)
	}
}

func TestOwnUserIsNotChanged(t *testing.T) {
	s := newSite(t)
	if r := s.as(t, "operator").do("POST", "/api/v1/users/operator", map[string]any{"disabled": true}); r.StatusCode != 409 || r.code() != "own" {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
}

func TestBodies(t *testing.T) {
	s := newSite(t)
	b := s.browser(t)
	for name, test := range map[string]struct {
		body   any
		kind   string
		status int
	}{
		"no JSON":       {"{", "application/json", 400},
		"unknown field": {`{"name":"a","passwort":"b"}`, "application/json", 400},
		"two":           {`{}{}`, "application/json", 400},
		"a list":        {`[]`, "application/json", 400},
		"a form":        {"name=a&password=b", "application/x-www-form-urlencoded", 415},
		"plain text":    {"{}", "text/plain", 415},
		"too long":      {`{"name":"` + strings.Repeat("a", maxBody) + `"}`, "application/json", 413},
	} {
		r := b.do("POST", "/api/v1/login", test.body, func(r *http.Request) { r.Header.Set("Content-Type", test.kind) })
		if r.StatusCode != test.status {
			t.Errorf("%s: %d %s", name, r.StatusCode, r.body)
		}
	}
}

// TestStoreDown: nobody gets in when what they do cannot be accounted for, and it is
// said why.
func TestStoreDown(t *testing.T) {
	s := newSite(t)
	s.db.Close()
	r := s.browser(t).login("designer", good, "")
	if r.StatusCode != 500 && r.StatusCode != 503 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if strings.Contains(r.body, "sql") {
		t.Errorf("the answer tells of our insides: %s", r.body)
	}
}

// TestStoreFull: while failed logins cannot be written to the audit log, the answer does
// not tell a right password from a wrong one.
func TestStoreFull(t *testing.T) {
	s := newSite(t)
	in := s.as(t, "operator")
	s.full.Store(true)
	for what, r := range map[string]reply{
		"right":          s.browser(t).login("designer", good, ""),
		"wrong":          s.browser(t).login("designer", next, ""),
		"unknown":        s.browser(t).login("nobody", next, ""),
		"wrong, once in": in.do("POST", "/api/v1/me/password", map[string]string{"old": next, "new": next}),
	} {
		if r.StatusCode != 503 || r.code() != "unavailable" {
			t.Errorf("%s: %d %s", what, r.StatusCode, r.body)
		}
	}
	for _, password := range []string{good, next} { // nor does the delay
		s.clock.Add(forgetAfter)
		for i := range freeByName + 1 {
			want := 503
			if i == freeByName {
				want = 429
			}
			if r := s.browser(t).login("auditor", password, ""); r.StatusCode != want {
				t.Errorf("attempt %d: %d", i+1, r.StatusCode)
			}
		}
	}
}

func TestSource(t *testing.T) {
	trusting := &Door{o: Options{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
	for _, test := range []struct {
		remote    string
		forwarded []string
		want      string
	}{
		{"192.0.2.1:5", nil, "192.0.2.1"},
		{"192.0.2.1:5", []string{"198.51.100.9"}, "192.0.2.1"}, // no proxy of ours
		{"10.0.0.1:5", nil, "10.0.0.1"},
		{"10.0.0.1:5", []string{"198.51.100.9"}, "198.51.100.9"},
		{"10.0.0.1:5", []string{"1.2.3.4, 198.51.100.9"}, "198.51.100.9"}, // what it was told is not believed
		{"10.0.0.1:5", []string{"1.2.3.4", "198.51.100.9, 10.2.2.2"}, "198.51.100.9"},
		{"10.0.0.1:5", []string{"rubbish"}, "10.0.0.1"},
		{"[::ffff:10.0.0.1]:5", []string{"2001:db8::1"}, "2001:db8::1"},
		{"rubbish", nil, "0.0.0.0"},
	} {
		r := &http.Request{RemoteAddr: test.remote, Header: http.Header{"X-Forwarded-For": test.forwarded}}
		if got := trusting.source(r).String(); got != test.want {
			t.Errorf("%s for %q: %s, want %s", test.remote, test.forwarded, got, test.want)
		}
	}
}

func TestOutsideARequest(t *testing.T) {
	s := newSite(t)
	if u := From(t.Context()); u.Name != "" || u.Is(staff.Roles()...) {
		t.Errorf("somebody: %+v", u)
	}
	if err := s.door.Record(t.Context(), "a", "b", "c"); err == nil {
		t.Error("nobody's doing was recorded")
	}
	for _, o := range []Options{{}, {Register: s.staff, Log: slog.Default()}, {Register: s.staff, Log: slog.Default(), URL: "staff.example"}} {
		if _, err := New(o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
	if errors.Is(errExpired, ErrRefused) {
		t.Error("expired is refused")
	}
}
