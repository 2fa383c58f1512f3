package login

import (
	"context"
	"errors"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"tandem/store/staff"
	"tandem/store/storetest"
)

// fakeProvider says what a test wants.
type fakeProvider struct {
	id   string
	trip Trip // of the newest Away
	err  error
	said staff.Claims
	code string // that Back was given
}

func (p *fakeProvider) ID() string   { return p.id }
func (p *fakeProvider) Name() string { return "The " + p.id }

func (p *fakeProvider) Away(_ context.Context, t Trip) (string, error) {
	p.trip = t
	return "https://provider.example/auth?state=" + t.State, p.err
}

func (p *fakeProvider) Back(_ context.Context, t Trip, code string, _ *string) (staff.Claims, error) {
	p.code = code
	if t != p.trip {
		return staff.Claims{}, errors.New("another trip")
	}
	return p.said, p.err
}

var _ Provider = (*fakeProvider)(nil)

func siteWith(t *testing.T, providers ...Provider) *site {
	return newSite(t, func(o *Options) { o.Providers = providers })
}

// away begins a login and returns the state that the provider was given.
func (b *browser) away(id string) string {
	b.t.Helper()
	r := b.do("GET", "/api/v1/oidc/"+id, nil)
	u, err := url.Parse(r.Header.Get("Location"))
	if r.StatusCode != 302 || err != nil || u.Host != "provider.example" {
		b.t.Fatalf("%d %s", r.StatusCode, r.Header.Get("Location"))
	}
	return u.Query().Get("state")
}

func (b *browser) back(id, state string) string {
	b.t.Helper()
	r := b.do("GET", "/api/v1/oidc/"+id+"/callback?code=c-1&state="+url.QueryEscape(state), nil)
	if r.StatusCode != 303 {
		b.t.Fatalf("%d %s", r.StatusCode, r.body)
	}
	return r.Header.Get("Location")
}

func claims() staff.Claims {
	return staff.Claims{Provider: "company", Subject: "s-1", Name: "ann@bank.example", Display: "Ann", Roles: []staff.Role{staff.Designer}}
}

func TestLoginByProvider(t *testing.T) {
	p := &fakeProvider{id: "company", said: claims()}
	s := siteWith(t, p, &fakeProvider{id: "other", said: claims()})
	b := s.browser(t)
	if r := b.do("GET", "/api/v1/me", nil); !strings.Contains(r.body, `"oidc":[{"id":"company","name":"The company"},{"id":"other","name":"The other"}]`) {
		t.Errorf("the ways in: %s", r.body)
	}
	state := b.away("company")
	if p.trip.Redirect != s.URL+"/api/v1/oidc/company/callback" || len(p.trip.Verifier) < 43 || p.trip.Nonce == p.trip.State || p.trip.Nonce == p.trip.Verifier {
		t.Errorf("the trip: %+v", p.trip)
	}
	if to := b.back("company", state); to != "/login" || p.code != "c-1" {
		t.Fatalf("led to %s with code %s", to, p.code)
	}
	r := b.do("GET", "/api/v1/me", nil)
	if r.StatusCode != 200 || !strings.Contains(r.body, `"local":false`) || !strings.Contains(r.body, "ann@bank.example") {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if r := b.do("GET", "/api/v1/flows", nil); r.StatusCode != 204 {
		t.Errorf("%d %s", r.StatusCode, r.body)
	}
	if to := b.back("company", state); to != "/login?failed=oidc_expired" {
		t.Errorf("the same state again leads to %s", to)
	}
	if r := s.as(t, "operator").do("POST", "/api/v1/users/ann@bank.example", map[string]any{"roles": []string{"operator"}}); r.StatusCode != 409 {
		t.Errorf("roles of a provider's user: %d %s", r.StatusCode, r.body)
	}
	for _, secret := range []string{state, p.trip.Nonce, p.trip.Verifier, b.cookie()} {
		if strings.Contains(s.log.String(), secret) {
			t.Error("the log has a secret")
		}
	}
}

func TestWrongReturns(t *testing.T) {
	p := &fakeProvider{id: "company", said: claims()}
	s := siteWith(t, p, &fakeProvider{id: "other", said: claims()})
	const expired = "/login?failed=oidc_expired"
	b := s.browser(t)
	for name, state := range map[string]string{"no": "", "an invented": "AAAA"} {
		if to := b.back("company", state); to != expired {
			t.Errorf("%s state leads to %s", name, to)
		}
	}
	if to := s.browser(t).back("company", b.away("company")); to != expired {
		t.Errorf("another browser's state leads to %s", to)
	}
	if to := b.back("other", b.away("company")); to != expired {
		t.Errorf("another provider's state leads to %s", to)
	}
	state := b.away("company")
	s.clock.Add(pendingTime)
	if to := b.back("company", state); to != expired {
		t.Errorf("a state of ten minutes ago leads to %s", to)
	}
	r := b.do("GET", "/api/v1/oidc/company/callback?error=access_denied&state="+b.away("company"), nil)
	if to := r.Header.Get("Location"); to != "/login?failed=oidc_refused" {
		t.Errorf("denied there, it leads to %s", to)
	}
	if b.cookie() != "" {
		t.Error("somebody got in")
	}
	for _, path := range []string{"/api/v1/oidc/none", "/api/v1/oidc/none/callback"} {
		if r := b.do("GET", path, nil); r.StatusCode != 404 {
			t.Errorf("%s: %d", path, r.StatusCode)
		}
	}
	if r := b.do("GET", "/api/v1/oidc/company", nil, func(r *http.Request) { r.Host = "evil.example" }); r.StatusCode != 421 {
		t.Errorf("under another name: %d", r.StatusCode)
	}
}

func TestProblemsOfProviders(t *testing.T) {
	for problem, make := range map[string]func(*testing.T, *site, *fakeProvider){
		"oidc_unreached": func(_ *testing.T, _ *site, p *fakeProvider) { p.err = ErrUnreached },
		"oidc_refused":   func(_ *testing.T, _ *site, p *fakeProvider) { p.err = errors.Join(ErrRefused, errors.New("why")) },
		"oidc_no_role":   func(_ *testing.T, _ *site, p *fakeProvider) { p.err = ErrNoRole },
		"oidc_taken":     func(_ *testing.T, _ *site, p *fakeProvider) { p.said.Name = "designer" },
		"oidc_disabled": func(t *testing.T, s *site, p *fakeProvider) {
			yes := true
			if _, _, err := s.staff.Admit(t.Context(), p.said); err != nil {
				t.Fatal(err)
			}
			if err := s.staff.Change(t.Context(), staff.Actor{Name: "test"}, p.said.Name, staff.Change{Disabled: &yes}); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(problem, func(t *testing.T) {
			p := &fakeProvider{id: "company", said: claims()}
			s := siteWith(t, p)
			b := s.browser(t)
			state := b.away("company")
			make(t, s, p)
			if to := b.back("company", state); to != "/login?failed="+problem || b.cookie() != "" {
				t.Errorf("led to %s", to)
			}
			entries, err := s.staff.Entries(t.Context(), 0, 1)
			if err != nil || entries[0].Action != "login.failed" || !strings.Contains(entries[0].Detail, "company") {
				t.Errorf("the audit log has %+v, %v", entries, err)
			}
		})
	}
	p := &fakeProvider{id: "company", err: ErrUnreached}
	s := siteWith(t, p)
	if r := s.browser(t).do("GET", "/api/v1/oidc/company", nil); r.StatusCode != 303 || r.Header.Get("Location") != "/login?failed=oidc_unreached" {
		t.Errorf("down at the start: %d %s", r.StatusCode, r.Header.Get("Location"))
	}
}

func TestPendingIsBounded(t *testing.T) {
	c := storetest.NewStill(time.Unix(1795424400, 0))
	p := newPending(c.Now)
	from := netip.MustParseAddr("192.0.2.1")
	for range maxPendingAddress {
		if _, _, ok := p.begin("company", from); !ok {
			t.Fatal("refused too early")
		}
	}
	if _, _, ok := p.begin("company", from); ok {
		t.Error("one address begins too many")
	}
	for i := range maxPending {
		c.Add(time.Millisecond)
		if _, _, ok := p.begin("company", netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})); !ok {
			t.Fatal("another address is refused")
		}
	}
	if len(p.begun) != maxPending {
		t.Errorf("%d are kept", len(p.begun))
	}
	c.Add(pendingTime)
	if _, _, ok := p.begin("company", from); !ok || len(p.begun) != 1 {
		t.Errorf("after their time %d are kept", len(p.begun))
	}
}
