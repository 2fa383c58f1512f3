package login

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"tandem/store/staff"
)

// TestCallers: an address for people and programs lets in roles by their login and scopes by
// their key, and neither by the other's.
func TestCallers(t *testing.T) {
	s := newSite(t)
	var last Caller
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last = CallerOf(r.Context())
		if err := s.door.Record(r.Context(), "thing.do", "x", ""); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusNoContent)
	})
	s.mux.Handle("POST /api/v1/thing", s.door.RequireCaller(h, []staff.Role{staff.Supervisor}, []staff.Scope{staff.ScopeAgent}))
	key := func(agent string, scope staff.Scope) func(*http.Request) {
		secret, _, err := s.staff.MakeKey(t.Context(), staff.Actor{Name: "test"}, staff.Key{Name: strings.ReplaceAll(string(scope), ":", "-"), Scopes: []staff.Scope{scope}, Agent: agent})
		if err != nil {
			t.Fatal(err)
		}
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret) }
	}
	acting, reading := key("agent", staff.ScopeAgent), key("", staff.ScopeLineRead)
	program := func(change func(*http.Request)) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Del("Origin")
			r.Header.Del("X-CSRF-Token")
			change(r)
		}
	}
	for _, test := range []struct {
		name   string
		b      *browser
		change func(*http.Request)
		status int
		code   string
		who    string // in the audit log
		agent  string
	}{
		{"a supervisor", s.as(t, "supervisor"), func(*http.Request) {}, 204, "", "supervisor", ""},
		{"an agent", s.as(t, "agent"), func(*http.Request) {}, 403, "forbidden", "", ""},
		{"nobody", s.browser(t), func(*http.Request) {}, 401, "login", "", ""},
		{"a key", s.browser(t), program(acting), 204, "", "key ", "agent"},
		{"a key of another scope", s.browser(t), program(reading), 403, "forbidden", "", ""},
		{"a key of another scope in a supervisor's browser", s.as(t, "supervisor"), reading, 403, "forbidden", "", ""},
		{"a key from a page elsewhere", s.browser(t), func(r *http.Request) { acting(r); r.Header.Set("Origin", "https://evil.example") }, 403, "origin", "", ""},
		{"a key under another name", s.browser(t), func(r *http.Request) { program(acting)(r); r.Host = "evil.example" }, 421, "host", "", ""},
		{"a key where only people come", s.browser(t), program(acting), 401, "login", "", ""},
	} {
		last = Caller{}
		method, path := "POST", "/api/v1/thing"
		if strings.HasSuffix(test.name, "only people come") {
			method, path = "GET", "/api/v1/me"
		}
		r := test.b.do(method, path, map[string]string{}, test.change)
		if r.StatusCode != test.status || r.code() != test.code {
			t.Errorf("%s: %d %s", test.name, r.StatusCode, r.body)
		}
		if !strings.HasPrefix(last.Name(), test.who) || (test.who == "") != (last.Name() == "") || last.Agent() != test.agent {
			t.Errorf("%s is %q, agent %q", test.name, last.Name(), last.Agent())
		}
		if test.who == "" {
			continue
		}
		entries, err := s.staff.Entries(t.Context(), 0, 1)
		if err != nil || entries[0].Action != "thing.do" || !strings.HasPrefix(entries[0].Actor, test.who) || entries[0].Source != "127.0.0.1" {
			t.Errorf("%s: the log has %+v, %v", test.name, entries, err)
		}
		if now, err := s.door.Again(t.Context(), last); err != nil || now.Name() != last.Name() {
			t.Errorf("%s, again: %q, %v", test.name, now.Name(), err)
		}
	}
	if _, err := s.door.Again(t.Context(), Caller{}); !errors.Is(err, staff.ErrNoLogin) {
		t.Errorf("nobody, again: %v", err)
	}
	s.full.Store(true)
	if r := s.browser(t).do("POST", "/api/v1/thing", map[string]string{}, program(reading)); r.StatusCode == 204 {
		t.Errorf("while nothing can be written down: %d", r.StatusCode)
	}
}
