package mockbank

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// post makes one exchange; change may spoil its headers.
func post(t *testing.T, b *Bank, path, body string, change func(http.Header)) (int, map[string]any) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	if change != nil {
		change(r.Header)
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	var out map[string]any
	if err := json.NewDecoder(bytes.NewReader(w.Body.Bytes())).Decode(&out); err != nil {
		t.Fatalf("%s: %v in %q", path, err, w.Body)
	}
	return w.Code, out
}

func TestCustomersAreChecked(t *testing.T) {
	clock := &clock{at: time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)}
	b := New(Options{Now: clock.now, Random: rand.Reader})
	for _, tt := range []struct {
		path, body string
		status     int
		want       string
	}{
		{"/customers/accounts", `{"phone":"+8613800000001"}`, 200, `"balance":"12345.60"`},
		{"/customers/accounts", `{"phone":"+8613900000009"}`, 404, "nobody"},
		{"/customers/accounts", `{"phone":""}`, 404, "nobody"},
		{"/customers/accounts", `[`, 400, "not understood"},
		{"/identify/pin", `{"phone":"+8613800000001","pin":"2468"}`, 200, `"ok":true`},
		{"/identify/pin", `{"phone":"+8613800000001","pin":"2469"}`, 200, `"ok":false`},
		{"/identify/pin", `{"phone":"+8613900000009","pin":"2468"}`, 200, `"ok":false`},
		{"/identify/pin", `{"pin":""}`, 200, `"ok":false`},
		{"/identify/pin", `x`, 400, "not understood"},
		{"/identify/pin", `{"phone":"` + strings.Repeat("1", maxBody) + `"}`, 400, "too large"},
		{"/identify/questions", `{"phone":"+8613900000009"}`, 404, "nobody"},
		{"/identify/questions/none", `{"answers":{"month":"3","branch":"1"}}`, 404, "no such"},
	} {
		status, got := post(t, b, tt.path, tt.body, nil)
		if text, _ := json.Marshal(got); status != tt.status || !strings.Contains(string(text), tt.want) {
			t.Errorf("%s %.60s: %d %s", tt.path, tt.body, status, text)
		}
	}
	form := func(phone string) string {
		t.Helper()
		status, got := post(t, b, "/identify/questions", `{"phone":"`+phone+`"}`, nil)
		id, _ := got["id"].(string)
		if list, _ := got["questions"].([]any); status != 200 || id == "" || len(list) != 2 {
			t.Fatalf("questions: %d %v", status, got)
		}
		return id
	}
	answers := func(id, body string) (int, any) {
		status, got := post(t, b, "/identify/questions/"+id, `{"answers":`+body+`}`, nil)
		return status, got["ok"]
	}
	id := form("+8613800000001")
	if status, ok := answers(id, `{"month":"03","branch":"1"}`); status != 200 || ok != true {
		t.Errorf("right answers: %d %v", status, ok)
	}
	if status, _ := answers(id, `{"month":"3","branch":"1"}`); status != 404 {
		t.Errorf("asked once, answered twice: %d", status)
	}
	id = form("+8613800000001")
	clock.add(formLife)
	if status, _ := answers(id, `{"month":"3","branch":"1"}`); status != 404 {
		t.Errorf("too late: %d", status)
	}
	for range maxWrong {
		if _, ok := answers(form("+8613800000002"), `{"month":"11","branch":"1"}`); ok != false {
			t.Errorf("wrong answers: %v", ok)
		}
	}
	if status, got := post(t, b, "/identify/pin", `{"phone":"+8613800000002","pin":"1357"}`, nil); status != 423 || got["locked"] != true {
		t.Errorf("locked: %d %v", status, got)
	}
	if status, _ := post(t, b, "/identify/questions", `{"phone":"+8613800000002"}`, nil); status != 423 {
		t.Errorf("locked: %d", status)
	}
	for range maxForms {
		post(t, b, "/identify/questions", `{"phone":"+8613800000001"}`, nil)
	}
	if status, _ := post(t, b, "/identify/questions", `{"phone":"+8613800000001"}`, nil); status != 503 {
		t.Errorf("too many sets of questions: %d", status)
	}
}

func TestOnlyTheOperatorAsks(t *testing.T) {
	now := time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)
	key := []byte("24 bytes of a secret key")
	b := New(Options{Now: func() time.Time { return now }, Random: &counting{}, Token: "let-me-in", Secret: "whsec_" + base64.StdEncoding.EncodeToString(key)})
	for token, want := range map[string]int{"": 401, "let-me": 401, "let-me-in": 200} {
		status, _ := post(t, b, "/customers/accounts", `{"phone":"+8613800000001"}`, func(h http.Header) { h.Set("Authorization", "Bearer "+token) })
		if status != want {
			t.Errorf("token %q: %d", token, status)
		}
	}
	const body = `{"phone":"+8613800000001","pin":"2468"}`
	sign := func(at time.Time, signed string) func(http.Header) {
		return func(h http.Header) {
			mac := hmac.New(sha256.New, key)
			fmt.Fprintf(mac, "msg_1.%d.%s", at.Unix(), signed)
			h.Set("webhook-id", "msg_1")
			h.Set("webhook-timestamp", fmt.Sprint(at.Unix()))
			h.Set("webhook-signature", "v1,x v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		}
	}
	for name, tt := range map[string]struct {
		change func(http.Header)
		want   int
	}{
		"right":         {sign(now, body), 200},
		"none":          {nil, 401},
		"another body":  {sign(now, `{}`), 401},
		"too old":       {sign(now.Add(-6*time.Minute), body), 401},
		"of the future": {sign(now.Add(6*time.Minute), body), 401},
		"another id":    {func(h http.Header) { sign(now, body)(h); h.Set("webhook-id", "msg_2") }, 401},
	} {
		if status, _ := post(t, b, "/identify/pin", body, tt.change); status != tt.want {
			t.Errorf("%s: %d", name, status)
		}
	}
	b = New(Options{Now: func() time.Time { return now }, Secret: "whsec_!"})
	if status, _ := post(t, b, "/identify/pin", body, sign(now, body)); status != 401 {
		t.Error("a secret that cannot be read lets all in")
	}
}
