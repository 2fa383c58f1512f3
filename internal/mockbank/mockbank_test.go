package mockbank

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time { c.mu.Lock(); defer c.mu.Unlock(); return c.at }
func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// counting is randomness that never repeats.
type counting struct{ n byte }

func (c *counting) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = c.n
		c.n++
	}
	return len(p), nil
}

func newBank(t *testing.T) (*Bank, *httptest.Server, *clock) {
	t.Helper()
	c := &clock{at: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}
	b := New(Options{Now: c.now, Random: &counting{}})
	s := httptest.NewServer(b)
	t.Cleanup(s.Close)
	return b, s, c
}

func ask(t *testing.T, method, url, body, token string) (int, map[string]string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var got map[string]string
	var raw bytes.Buffer
	if _, err := raw.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	if raw.Len() > 0 && json.Unmarshal(raw.Bytes(), &got) != nil {
		got = map[string]string{"text": raw.String()}
	}
	return resp.StatusCode, got
}

func signIn(t *testing.T, s *httptest.Server, account, pin string) string {
	t.Helper()
	status, got := ask(t, "POST", s.URL+"/sessions", `{"account":"`+account+`","pin":"`+pin+`"}`, "")
	if status != http.StatusCreated || got["token"] == "" {
		t.Fatalf("sign in: %d %v", status, got)
	}
	return got["token"]
}

func TestEveryAccountSignsInAndReads(t *testing.T) {
	_, s, _ := newBank(t)
	for _, a := range Accounts() {
		token := signIn(t, s, a.Number, a.PIN)
		status, got := ask(t, "GET", s.URL+"/account/balance", "", token)
		if status != 200 || got["balance"] != a.Balance || got["currency"] != a.Currency {
			t.Errorf("balance of %s: %d %v", a.Number, status, got)
		}
		status, got = ask(t, "GET", s.URL+"/account/latest", "", token)
		switch {
		case a.Latest == nil:
			if status != 404 {
				t.Errorf("latest of %s: %d, want 404", a.Number, status)
			}
		case status != 200 || got["day"] != a.Latest.Day || got["amount"] != a.Latest.Amount:
			t.Errorf("latest of %s: %d %v", a.Number, status, got)
		}
	}
}

func TestRefusals(t *testing.T) {
	_, s, c := newBank(t)
	token := signIn(t, s, "100001", "2468")
	for _, x := range []struct {
		name, method, path, body, token string
		want                            int
	}{
		{"unknown account", "POST", "/sessions", `{"account":"999999","pin":"2468"}`, "", 404},
		{"wrong pin", "POST", "/sessions", `{"account":"100001","pin":"0000"}`, "", 404},
		{"no json", "POST", "/sessions", `account=100001`, "", 400},
		{"too large", "POST", "/sessions", `{"account":"` + strings.Repeat("1", maxBody) + `"}`, "", 400},
		{"no token", "GET", "/account/balance", "", "", 401},
		{"wrong token", "GET", "/account/balance", "", "00", 401},
		{"wrong method", "GET", "/sessions", "", "", 405},
		{"no such path", "GET", "/accounts/100001", "", token, 404},
	} {
		if got, body := ask(t, x.method, s.URL+x.path, x.body, x.token); got != x.want {
			t.Errorf("%s: %d %v, want %d", x.name, got, body, x.want)
		}
	}
	c.add(sessionLife)
	if got, _ := ask(t, "GET", s.URL+"/account/balance", "", token); got != 401 {
		t.Errorf("a session past its life: %d, want 401", got)
	}
}

func TestFiveWrongPINsLock(t *testing.T) {
	_, s, _ := newBank(t)
	for range maxWrong {
		if got, _ := ask(t, "POST", s.URL+"/sessions", `{"account":"100002","pin":"0000"}`, ""); got != 404 {
			t.Fatalf("wrong PIN: %d, want 404", got)
		}
	}
	if got, _ := ask(t, "POST", s.URL+"/sessions", `{"account":"100002","pin":"1357"}`, ""); got != 423 {
		t.Errorf("right PIN of a locked account: %d, want 423", got)
	}
	signIn(t, s, "100001", "2468")
}

func TestKnobs(t *testing.T) {
	b, s, _ := newBank(t)
	b.Fail(503)
	if got, _ := ask(t, "GET", s.URL+"/account/balance", "", ""); got != 503 {
		t.Errorf("failing: %d, want 503", got)
	}
	b.Fail(0)
	b.Delay(time.Hour)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", s.URL+"/account/balance", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err == nil {
		resp.Body.Close()
	}
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("delayed: %v, want a deadline exceeded", err)
	}
	b.Delay(0)
	signIn(t, s, "100001", "2468")
	if b.Asked() != 3 {
		t.Errorf("asked %d times, want 3", b.Asked())
	}
}
