package oidc

import (
	"errors"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem/store/sqlite"
	"tandem/store/staff"
	"tandem/store/storetest"
	"tandem/web/login"
)

func newProvider(i *issuer, change ...func(*Options)) *Provider {
	o := Options{ID: "company", Name: "The Company", Issuer: i.URL, ClientID: clientID, ClientSecret: clientSecret, Scopes: []string{"email", "profile"},
		NameClaim: "email", RolesClaim: "groups", Roles: map[string]staff.Role{"flow-team": staff.Designer, "admins": staff.Operator}}
	for _, f := range change {
		f(&o)
	}
	return New(o)
}

func newTrip(name string) login.Trip {
	return login.Trip{Redirect: "https://staff.example/api/v1/oidc/company/callback", State: "state " + name, Nonce: "nonce " + name, Verifier: strings.Repeat("v", 43) + name}
}

// went sends a browser to the provider and gives the code it comes back with.
func went(t *testing.T, p *Provider, trip login.Trip) (code, iss string) {
	t.Helper()
	away, err := p.Away(t.Context(), trip)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	defer client.CloseIdleConnections()
	resp, err := client.Get(away)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	back, err := resp.Location()
	if err != nil || !strings.HasPrefix(back.String(), trip.Redirect) || back.Query().Get("state") != trip.State {
		t.Fatalf("back at %v, %v", back, err)
	}
	return back.Query().Get("code"), back.Query().Get("iss")
}

func TestAway(t *testing.T) {
	i := newIssuer(t)
	away, err := newProvider(i).Away(t.Context(), newTrip("a"))
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(away)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	for key, want := range map[string]string{"response_type": "code", "client_id": clientID, "scope": "openid email profile", "state": "state a", "nonce": "nonce a",
		"code_challenge_method": "S256", "redirect_uri": newTrip("a").Redirect} {
		if q.Get(key) != want {
			t.Errorf("%s is %q, want %q", key, q.Get(key), want)
		}
	}
	if strings.Contains(away, newTrip("a").Verifier) || strings.Contains(away, "s3cret") || len(q.Get("code_challenge")) != 43 {
		t.Errorf("the address is %s", away)
	}
}

func TestBack(t *testing.T) {
	i := newIssuer(t)
	p := newProvider(i)
	for _, alg := range []string{"RS256", "ES256"} {
		i.set(func() { i.signWith = alg })
		code, iss := went(t, p, newTrip(alg))
		c, err := p.Back(t.Context(), newTrip(alg), code, &iss)
		if err != nil {
			t.Fatalf("%s: %v", alg, err)
		}
		if c.Provider != "company" || c.Subject != "s-1" || c.Name != "ann@bank.example" || c.Display != "Ann" || len(c.Roles) != 1 || c.Roles[0] != staff.Designer {
			t.Errorf("%s: %+v", alg, c)
		}
		if _, err := p.Back(t.Context(), newTrip(alg), code, &iss); !errors.Is(err, login.ErrRefused) {
			t.Errorf("%s: the code again: %v", alg, err)
		}
	}
}

func TestWrongTokens(t *testing.T) {
	i := newIssuer(t)
	p := newProvider(i)
	for _, test := range []struct {
		name   string
		claims map[string]any
		sign   string
		want   error // nil = let in
		says   string
	}{
		{"as it should be", nil, "RS256", nil, ""},
		{"wrong nonce", map[string]any{"nonce": "another"}, "RS256", login.ErrRefused, "another login"},
		{"no nonce", map[string]any{"nonce": nil}, "RS256", login.ErrRefused, "another login"},
		{"wrong audience", map[string]any{"aud": "somebody"}, "RS256", login.ErrRefused, "audience"},
		{"no audience", map[string]any{"aud": nil}, "RS256", login.ErrRefused, "audience"},
		{"more audiences, for us", map[string]any{"aud": []string{clientID, "other"}, "azp": clientID}, "RS256", nil, ""},
		{"more audiences, for another", map[string]any{"aud": []string{clientID, "other"}, "azp": "other"}, "RS256", login.ErrRefused, "another client"},
		{"more audiences, for whom?", map[string]any{"aud": []string{clientID, "other"}}, "RS256", login.ErrRefused, "another client"},
		{"expired", map[string]any{"exp": time.Now().Add(-time.Minute).Unix()}, "RS256", login.ErrRefused, "expired"},
		{"without an end", map[string]any{"exp": nil}, "RS256", login.ErrRefused, "expired"},
		{"wrong issuer", map[string]any{"iss": "https://evil.example"}, "RS256", login.ErrRefused, "different provider"},
		{"foreign signature", nil, "foreign", login.ErrRefused, "signature"},
		{"no signature", nil, "none", login.ErrRefused, ""},
		{"signed with a shared secret", nil, "HS256", login.ErrRefused, ""},
		{"no subject", map[string]any{"sub": nil}, "RS256", login.ErrRefused, "no subject"},
		{"a long subject", map[string]any{"sub": strings.Repeat("s", 300)}, "RS256", login.ErrRefused, "no subject"},
		{"address not verified", map[string]any{"email_verified": false}, "RS256", login.ErrRefused, "not verified"},
		{"verification not said", map[string]any{"email_verified": nil}, "RS256", nil, ""},
		{"no name", map[string]any{"email": nil}, "RS256", login.ErrRefused, "claim email"},
		{"a name with blanks", map[string]any{"email": "a b"}, "RS256", login.ErrRefused, "claim email"},
		{"a name that is a list", map[string]any{"email": []string{"a"}}, "RS256", login.ErrRefused, "claim email"},
		{"no role", map[string]any{"groups": []string{"everybody"}}, "RS256", login.ErrNoRole, ""},
		{"no claim of roles", map[string]any{"groups": nil}, "RS256", login.ErrNoRole, ""},
		{"one role as text", map[string]any{"groups": "admins"}, "RS256", nil, ""},
		{"roles that are none", map[string]any{"groups": map[string]any{"flow-team": true}}, "RS256", login.ErrNoRole, ""},
		{"our own words for roles", map[string]any{"groups": "operator"}, "RS256", login.ErrNoRole, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			i.set(func() { i.claims, i.signWith = test.claims, test.sign })
			code, _ := went(t, p, newTrip("x"))
			_, err := p.Back(t.Context(), newTrip("x"), code, nil)
			if !errors.Is(err, test.want) || (err != nil && !strings.Contains(err.Error(), test.says)) {
				t.Errorf("%v, want %v: %s", err, test.want, test.says)
			}
		})
	}
}

func TestWrongTrips(t *testing.T) {
	i := newIssuer(t)
	p := newProvider(i)
	other := "https://other.example"
	for name, try := range map[string]func(code string) error{
		"another verifier": func(code string) error {
			trip := newTrip("x")
			trip.Verifier = strings.Repeat("w", 43)
			_, err := p.Back(t.Context(), trip, code, nil)
			return err
		},
		"another issuer's answer": func(code string) error { _, err := p.Back(t.Context(), newTrip("x"), code, &other); return err },
		"an invented code":        func(string) error { _, err := p.Back(t.Context(), newTrip("x"), "c", nil); return err },
		"a wrong secret of ours": func(code string) error {
			wrong := newProvider(i, func(o *Options) { o.ClientSecret = "wrong" })
			_, err := wrong.Back(t.Context(), newTrip("x"), code, nil)
			return err
		},
		"no ID token": func(code string) error {
			i.set(func() { i.answer = `{"access_token":"at-secret","token_type":"Bearer"}` })
			defer i.set(func() { i.answer = "" })
			_, err := p.Back(t.Context(), newTrip("x"), code, nil)
			return err
		},
		"rubbish": func(code string) error {
			i.set(func() { i.answer = `at-secret {{{` })
			defer i.set(func() { i.answer = "" })
			_, err := p.Back(t.Context(), newTrip("x"), code, nil)
			return err
		},
		"a very long answer": func(code string) error {
			i.set(func() { i.answer = `{"access_token":"` + strings.Repeat("a", 2*answerBytes) + `"}` })
			defer i.set(func() { i.answer = "" })
			_, err := p.Back(t.Context(), newTrip("x"), code, nil)
			return err
		},
	} {
		code, _ := went(t, p, newTrip("x"))
		err := try(code)
		if !errors.Is(err, login.ErrRefused) {
			t.Errorf("%s: %v", name, err)
		}
		for _, secret := range []string{code, "s3cret", "at-secret", "token-like-secret", newTrip("x").Verifier} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%s: the error has a secret: %v", name, err)
			}
		}
	}
}

// TestOutage: a provider that is down is told as such, is not asked again at once, and
// is used when it is back.
func TestOutage(t *testing.T) {
	i := newIssuer(t)
	now := time.Now()
	p := newProvider(i, func(o *Options) { o.Now = func() time.Time { return now } })
	i.set(func() { i.down = true })
	for range 3 {
		if _, err := p.Away(t.Context(), newTrip("x")); !errors.Is(err, login.ErrUnreached) {
			t.Fatal(err)
		}
	}
	if i.asked != 1 {
		t.Errorf("it was asked %d times", i.asked)
	}
	i.set(func() { i.down = false })
	now = now.Add(retryAfter)
	code, _ := went(t, p, newTrip("x"))
	i.Close()
	if _, err := p.Back(t.Context(), newTrip("x"), code, nil); !errors.Is(err, login.ErrUnreached) {
		t.Errorf("gone before the code was exchanged: %v", err)
	}
	other := newIssuer(t)
	wrong := newProvider(other, func(o *Options) { o.Issuer += "/" })
	if _, err := wrong.Away(t.Context(), newTrip("x")); !errors.Is(err, login.ErrUnreached) {
		t.Errorf("an issuer that calls itself otherwise: %v", err)
	}
}

func TestValues(t *testing.T) {
	all := map[string]any{"roles": "a", "list": []any{"b", 1, "c"}, "realm_access": map[string]any{"roles": []any{"d"}}, "https://x.example/roles": []any{"e"}}
	for path, want := range map[string]string{"roles": "a", "list": "b c", "realm_access.roles": "d", "https://x.example/roles": "e", "none": "", "realm_access": "", "roles.a": "", "realm_access.none": ""} {
		if got := strings.Join(values(all, path), " "); got != want {
			t.Errorf("%s is %q, want %q", path, got, want)
		}
	}
}

// TestThroughTheDoor is the whole way: a browser, the staff's door, the provider and
// back, with cookies as browsers keep them.
func TestThroughTheDoor(t *testing.T) {
	i := newIssuer(t)
	at := storetest.NewPlace(t)
	db, err := sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(at.Dir, "tandem.db"), Keys: at.Keys, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	register, err := staff.New(staff.Options{Database: db, Keys: at.Keys, Cost: staff.Cost{Memory: 64, Passes: 1, Lanes: 1}})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	server := httptest.NewUnstartedServer(mux)
	door, err := login.New(login.Options{Register: register, URL: "https://" + server.Listener.Addr().String(), Providers: []login.Provider{newProvider(i)}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	door.Routes(mux)
	mux.Handle("GET /login", door.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := w.Write([]byte(login.From(r.Context()).Name)); err != nil {
			t.Error(err)
		}
	}), staff.Designer))
	server.StartTLS()
	defer server.Close()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	var callback string
	client := server.Client()
	client.Jar = jar
	client.CheckRedirect = func(r *http.Request, _ []*http.Request) error {
		if strings.HasSuffix(r.URL.Path, "/callback") {
			callback = r.URL.String()
		}
		return nil
	}
	get := func(address string) (status int, path, body string) {
		resp, err := client.Get(address)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b := make([]byte, 100)
		n, _ := resp.Body.Read(b) // one short piece
		return resp.StatusCode, resp.Request.URL.RequestURI(), string(b[:n])
	}
	if status, path, body := get(server.URL + "/api/v1/oidc/company"); status != 200 || path != "/login" || body != "ann@bank.example" {
		t.Fatalf("%d at %s: %s", status, path, body)
	}
	if callback == "" {
		t.Fatal("the browser did not come back")
	}
	if _, path, _ := get(callback); path != "/login?failed=oidc_expired" {
		t.Errorf("the same way back again leads to %s", path)
	}
}
