package outbox

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"tandem/store"
)

// The vector published with the reference libraries of Standard Webhooks.
const (
	vectorSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorUnix      = 1614265330
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func TestSignStandardWebhooks(t *testing.T) {
	for _, text := range []string{vectorSecret, strings.TrimPrefix(vectorSecret, "whsec_")} {
		secret, err := ParseSecret(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := secret.Sign(vectorID, time.Unix(vectorUnix, 0), []byte(vectorBody)); got != vectorSignature {
			t.Errorf("signature is %s, want %s", got, vectorSignature)
		}
	}
}

func TestParseSecretRefuses(t *testing.T) {
	for _, text := range []string{"", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!!", "whsec_" + strings.Repeat("QUFB", 22)} {
		if _, err := ParseSecret(text); err == nil {
			t.Errorf("%q was taken", text)
		} else if text != "" && len(text) > 8 && strings.Contains(err.Error(), text[8:]) {
			t.Errorf("the error shows the secret: %v", err)
		}
	}
}

func webhook(t *testing.T, private ...netip.Prefix) *Webhook {
	t.Helper()
	secret, err := ParseSecret(vectorSecret)
	if err != nil {
		t.Fatal(err)
	}
	w := NewWebhook(func(string) (Secret, error) { return secret, nil }, func() time.Time { return time.Unix(vectorUnix, 0) }, private...)
	t.Cleanup(w.Close)
	return w
}

var loopback = netip.MustParsePrefix("127.0.0.0/8")

func TestWebhookOnTheWire(t *testing.T) {
	var got *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	}))
	defer server.Close()
	err := webhook(t, loopback).Deliver(t.Context(), store.Outgoing{Key: vectorID, Target: server.URL + "/in", Body: []byte(vectorBody)})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"webhook-id": vectorID, "webhook-timestamp": "1614265330", "webhook-signature": vectorSignature, "Content-Type": "application/json"}
	for name, value := range want {
		if got.Header.Get(name) != value {
			t.Errorf("%s is %q, want %q", name, got.Header.Get(name), value)
		}
	}
	if string(body) != vectorBody || got.Method != "POST" || got.URL.Path != "/in" {
		t.Errorf("%s %s with %s", got.Method, got.URL, body)
	}
}

func TestWebhookAnswers(t *testing.T) {
	hits := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits++
		switch r.URL.Path {
		case "/gone":
			w.WriteHeader(410)
		case "/redirect":
			http.Redirect(w, r, "/204", http.StatusFound)
		case "/204":
			w.WriteHeader(204)
		case "/busy":
			w.Header().Set("Retry-After", "90")
			w.WriteHeader(503)
		case "/date":
			w.Header().Set("Retry-After", time.Unix(vectorUnix+30, 0).UTC().Format(http.TimeFormat))
			w.WriteHeader(429)
		default:
			w.WriteHeader(500)
		}
	}))
	defer server.Close()
	tests := []struct {
		target    string
		ok        bool
		permanent bool
		wait      time.Duration
		hits      int
	}{
		{server.URL + "/204", true, false, 0, 1},
		{server.URL + "/gone", false, true, 0, 1},
		{server.URL + "/redirect", false, true, 0, 1}, // once: it is not followed
		{server.URL + "/busy", false, false, 90 * time.Second, 1},
		{server.URL + "/date", false, false, 30 * time.Second, 1},
		{server.URL + "/500?token=hush", false, false, 0, 1},
		{"ftp://127.0.0.1/", false, true, 0, 0},
		{"http://", false, true, 0, 0},
		{"http://127.0.0.1:1/?token=hush", false, false, 0, 0},
	}
	w := webhook(t, loopback)
	for _, test := range tests {
		hits = 0
		err := w.Deliver(t.Context(), store.Outgoing{Key: "k", Target: test.target})
		var later *RetryAfter
		errors.As(err, &later)
		if (err == nil) != test.ok || errors.Is(err, ErrPermanent) != test.permanent || (later != nil) != (test.wait > 0) || hits != test.hits {
			t.Errorf("%s: %v after %d requests", test.target, err, hits)
		}
		if later != nil && later.Wait != test.wait {
			t.Errorf("%s: wait %v, want %v", test.target, later.Wait, test.wait)
		}
		if err != nil && strings.Contains(err.Error(), "hush") {
			t.Errorf("the error shows the query: %v", err)
		}
	}
	if err := w.Deliver(t.Context(), store.Outgoing{Key: "a.b", Target: server.URL}); !errors.Is(err, ErrPermanent) {
		t.Errorf("a key with a full stop: %v", err)
	}
}

func TestWebhookRefusesPrivateAddresses(t *testing.T) {
	hit := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit = true }))
	defer server.Close()
	if err := webhook(t).Deliver(context.Background(), store.Outgoing{Key: "k", Target: server.URL}); !errors.Is(err, ErrPermanent) || hit {
		t.Errorf("a request to %s: %v", server.URL, err)
	}
	for address, want := range map[string]bool{
		"93.184.216.34": true, "2606:2800:220:1::1": true, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "127.0.0.1": false,
		"169.254.169.254": false, "100.64.0.1": false, "0.0.0.0": false, "224.0.0.1": false, "::1": false, "fe80::1": false, "fd00::1": false,
		"64:ff9b::a00:1": false, "255.255.255.255": false, "::": false,
	} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("public(%s) is %v", address, got)
		}
	}
}
