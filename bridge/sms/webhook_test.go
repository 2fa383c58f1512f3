package sms

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/store/outbox"
)

// The example published with the reference libraries of Standard Webhooks.
const (
	vectorSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	vectorID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	vectorUnix      = 1614265330
	vectorBody      = `{"test": 2432232314}`
	vectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	newerSecret     = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
)

func webhook(t *testing.T, o WebhookOptions) *Webhook {
	t.Helper()
	if o.URL == "" {
		o.URL = "https://sms.example/send"
	}
	if o.Secret == "" {
		o.Secret = vectorSecret
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = func() time.Time { return time.Unix(vectorUnix, 0) }
	}
	g, err := NewWebhook(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

func request(id string, unix int64, signature, body string) *http.Request {
	r := httptest.NewRequest("POST", "/api/v1/sms/first", strings.NewReader(body))
	r.Header.Set("webhook-id", id)
	r.Header.Set("webhook-timestamp", strconv.FormatInt(unix, 10))
	r.Header.Set("webhook-signature", signature)
	return r
}

func TestVerifyAsPublished(t *testing.T) {
	old := "v1," + base64.StdEncoding.EncodeToString(make([]byte, 32))
	many := strings.Repeat(old+" ", maxSignatures)
	at := func(d time.Duration) time.Time { return time.Unix(vectorUnix, 0).Add(d) }
	for _, c := range []struct {
		name                string
		id, signature, body string
		now                 time.Time
		rule                string
	}{
		{"the example", vectorID, vectorSignature, vectorBody, at(0), ""},
		{"among several", vectorID, old + " v1a,abc " + vectorSignature + " v2,x", vectorBody, at(0), ""},
		{"in time", vectorID, vectorSignature, vectorBody, at(5 * time.Minute), ""},
		{"our clock is behind", vectorID, vectorSignature, vectorBody, at(-5 * time.Minute), ""},
		{"replayed", vectorID, vectorSignature, vectorBody, at(5*time.Minute + time.Second), "stale"},
		{"of the future", vectorID, vectorSignature, vectorBody, at(-5*time.Minute - time.Second), "stale"},
		{"another body", vectorID, vectorSignature, vectorBody + " ", at(0), "forged"},
		{"another id", vectorID + "x", vectorSignature, vectorBody, at(0), "forged"},
		{"another version", vectorID, "v2" + vectorSignature[2:], vectorBody, at(0), "forged"},
		{"too many signatures", vectorID, many + vectorSignature, vectorBody, at(0), "forged"},
		{"no signature", vectorID, "", vectorBody, at(0), "unsigned"},
		{"no id", "", vectorSignature, vectorBody, at(0), "unsigned"},
	} {
		secret, err := outbox.ParseSecret(vectorSecret)
		if err != nil {
			t.Fatal(err)
		}
		err = verify([]outbox.Secret{secret}, request(c.id, vectorUnix, c.signature, c.body).Header, []byte(c.body), c.now)
		var r *Rejected
		errors.As(err, &r)
		if (err == nil) != (c.rule == "") || r != nil && r.Rule != c.rule {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, stamp := range []string{"", "now", "0x10", " 1614265330", "+1614265330", "99999999999999999999"} {
		r := request(vectorID, vectorUnix, vectorSignature, vectorBody)
		r.Header.Set("webhook-timestamp", stamp)
		if verify(webhook(t, WebhookOptions{}).secrets, r.Header, []byte(vectorBody), at(0)) == nil {
			t.Errorf("timestamp %q was taken", stamp)
		}
	}
}

// sign has a program that shares no code with ours sign.
func sign(t *testing.T, secret, message string) string {
	t.Helper()
	key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	path, err := exec.LookPath("openssl")
	if err != nil {
		if os.Getenv("REQUIRE_ALL") == "1" {
			t.Fatal("openssl is needed and not found")
		}
		t.Skip("SKIP: openssl is not installed")
	}
	hexKey := ""
	for _, b := range key {
		hexKey += strconv.FormatUint(uint64(b)+256, 16)[1:]
	}
	c := exec.CommandContext(t.Context(), path, "dgst", "-sha256", "-mac", "HMAC", "-macopt", "hexkey:"+hexKey, "-binary")
	c.Stdin = strings.NewReader(message)
	out, err := c.Output()
	if err != nil {
		t.Fatal(err)
	}
	return "v1," + base64.StdEncoding.EncodeToString(out)
}

func TestSignedByOpenssl(t *testing.T) {
	const body = `{"type":"message.received","timestamp":"2021-02-25T15:02:10Z","data":{"id":"in_1","from":"+8613800000001","to":"+861055550100","text":"你好","media":1,"at":"2021-02-25T23:02:10+08:00","more":{"x":1}}}`
	message := "evt_1." + strconv.Itoa(vectorUnix) + "." + body
	g := webhook(t, WebhookOptions{Secret: newerSecret, Old: vectorSecret})
	for _, secret := range []string{newerSecret, vectorSecret} { // either, while they are changed
		in, _, answer, err := g.Receive(request("evt_1", vectorUnix, sign(t, secret, message), body), []byte(body))
		if err != nil || answer.Status != 204 || len(in) != 1 {
			t.Fatal(in, err)
		}
		want := Inbound{ID: "in_1", From: "+8613800000001", To: "+861055550100", Text: "你好", Media: 1, At: time.Unix(vectorUnix, 0).UTC()}
		if in[0] != want {
			t.Errorf("%+v", in[0])
		}
	}
	if _, _, _, err := webhook(t, WebhookOptions{Secret: newerSecret}).Receive(request("evt_1", vectorUnix, sign(t, vectorSecret, message), body), []byte(body)); err == nil {
		t.Error("the old secret is still taken")
	}
}

func TestWebhookSends(t *testing.T) {
	var got *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.WriteHeader(202)
		_, _ = io.WriteString(w, `{"id": "out-9"}`)
	}))
	defer server.Close()
	g := webhook(t, WebhookOptions{URL: server.URL + "/send", Templates: map[string]string{"code": "TPL-1"}, Old: newerSecret})
	id, err := g.Send(t.Context(), Message{Key: "int_1:7", From: ours, To: theirs, Text: "你好", Lang: "zh-CN", Visitor: "v", Address: "a"})
	if err != nil || id != "out-9" {
		t.Fatal(id, err)
	}
	want := `{"type":"message.send","timestamp":"2021-02-25T15:02:10Z","data":{"key":"int_1:7","from":"+861055550100","to":"+8613800000001","text":"你好","lang":"zh-CN","parts":1}}`
	if string(body) != want || got.URL.Path != "/send" || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s", got.URL, body)
	}
	if s := sign(t, vectorSecret, "int_1:7."+strconv.Itoa(vectorUnix)+"."+string(body)); got.Header.Get("webhook-id") != "int_1:7" || got.Header.Get("webhook-signature") != s {
		t.Errorf("signed %v, openssl says %s", got.Header, s)
	}
	if _, err := g.Send(t.Context(), Message{Key: "k", From: ours, To: theirs, Template: "code", Params: map[string]string{"code": "4711"}}); err != nil {
		t.Fatal(err)
	}
	var said struct{ Data map[string]any }
	if err := json.Unmarshal(body, &said); err != nil || said.Data["template"] != "TPL-1" || said.Data["text"] != nil || said.Data["params"].(map[string]any)["code"] != "4711" {
		t.Errorf("%s", body)
	}
	if _, err := g.Send(t.Context(), Message{Key: "a.b", From: ours, To: theirs, Text: "x"}); !errors.Is(err, outbox.ErrPermanent) {
		t.Errorf("a key with a full stop: %v", err)
	}
}

func TestWebhookSendAnswers(t *testing.T) {
	var status int
	var body string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Retry-After", "9")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	defer server.Close()
	log := &bytes.Buffer{}
	g := webhook(t, WebhookOptions{URL: server.URL, Log: slog.New(slog.NewTextHandler(log, nil))})
	for _, c := range []struct {
		status    int
		body      string
		id        string
		permanent bool
		wait      bool
		stopped   bool
	}{
		{200, `{"id": "x"}`, "x", false, false, false},
		{202, ``, "key-1", false, false, false}, // it has no ids: receipts say our key
		{204, ``, "key-1", false, false, false},
		{400, `{"code": "stopped", "message": "+8613800000001"}`, "", true, false, true},
		{400, `{"code": "invalid_number", "message": "+8613800000001"}`, "", true, false, false},
		{401, ``, "", true, false, false},
		{410, ``, "", true, false, false},
		{429, ``, "", false, true, false},
		{500, `{"code": "stopped"}`, "", false, true, false},
		{503, ``, "", false, true, false},
	} {
		status, body = c.status, c.body
		id, err := g.Send(t.Context(), Message{Key: "key-1", From: ours, To: theirs, Text: "x"})
		var later *outbox.RetryAfter
		if id != c.id || (err == nil) != (c.id != "") || errors.Is(err, outbox.ErrPermanent) != c.permanent || errors.As(err, &later) != c.wait || errors.Is(err, ErrStopped) != c.stopped {
			t.Errorf("%d %s: %q, %v", c.status, c.body, id, err)
		}
		if err != nil && strings.Contains(err.Error(), "138") {
			t.Errorf("the error has a number: %v", err)
		}
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
		t.Errorf("the log: %s", log)
	}
}

// post signs a body as a gateway does and has it received.
func received(g *Webhook, body string) ([]Inbound, []Receipt, Answer, error) {
	return g.Receive(request("evt", vectorUnix, g.secret.Sign("evt", time.Unix(vectorUnix, 0), []byte(body)), body), []byte(body))
}

func TestWebhookReceives(t *testing.T) {
	g := webhook(t, WebhookOptions{})
	for _, c := range []struct {
		name, data string
		want       *Receipt
		malformed  bool
	}{
		{"sent", `"type":"message.status","data":{"id":"o-1","key":"k:1","state":"sent"}`, &Receipt{ID: "o-1", Key: "k:1", State: tandem.MessageSent}, false},
		{"queued", `"type":"message.status","data":{"id":"o-1","state":"queued"}`, &Receipt{ID: "o-1", State: tandem.MessageSent}, false},
		{"delivered, without an id", `"type":"message.status","data":{"key":"k:1","state":"delivered"}`, &Receipt{ID: "k:1", Key: "k:1", State: tandem.MessageDelivered}, false},
		{"read", `"type":"message.status","data":{"id":"o-1","state":"read","at":"2021-02-25T15:02:10Z"}`, &Receipt{ID: "o-1", State: tandem.MessageRead, At: time.Unix(vectorUnix, 0).UTC()}, false},
		{"failed", `"type":"message.status","data":{"id":"o-1","state":"failed","error":"SPAM_RULE-4"}`, &Receipt{ID: "o-1", State: tandem.MessageFailed, Error: "SPAM_RULE-4"}, false},
		{"failed with a sentence", `"type":"message.status","data":{"id":"o-1","state":"undelivered","error":"+8613800000001 is off"}`, &Receipt{ID: "o-1", State: tandem.MessageFailed, Error: "failed"}, false},
		{"failed with a number", `"type":"message.status","data":{"id":"o-1","state":"failed","error":"to-13800000001"}`, &Receipt{ID: "o-1", State: tandem.MessageFailed, Error: "failed"}, false},
		{"a state to come", `"type":"message.status","data":{"id":"o-1","state":"pondered"}`, nil, false},
		{"a type to come", `"type":"number.ported","data":{"number":"x"}`, nil, false},
		{"no id or key", `"type":"message.status","data":{"state":"sent"}`, nil, true},
		{"a key that is none", `"type":"message.status","data":{"id":"o-1","key":"a b","state":"sent"}`, nil, true},
		{"a text by nobody", `"type":"message.received","data":{"id":"i-1","to":"+861055550100","text":"x"}`, nil, true},
		{"a time that is none", `"type":"message.status","data":{"id":"o-1","state":"sent","at":"yesterday"}`, nil, true},
		{"two bodies", `"type":"message.status","data":{"id":"o-1","state":"sent"}} {`, nil, true},
		{"a list", `"type":["message.status"]`, nil, true},
	} {
		_, receipts, _, err := received(g, "{"+c.data+"}")
		var r *Rejected
		if errors.As(err, &r) != c.malformed || err == nil && c.malformed || c.malformed && r.Rule != "malformed" {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if (c.want == nil) != (len(receipts) == 0) || c.want != nil && receipts[0] != *c.want {
			t.Errorf("%s: %+v", c.name, receipts)
		}
	}
}

func TestNewWebhookRefuses(t *testing.T) {
	for _, o := range []WebhookOptions{
		{URL: "ftp://x", Secret: vectorSecret}, {URL: "https://x"}, {URL: "https://x", Secret: "whsec_c2hvcnQ="}, {URL: "https://x", Secret: vectorSecret, Old: "whsec_hush"},
	} {
		if _, err := NewWebhook(o); err == nil || strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "MfKQ") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

func FuzzWebhookReceive(f *testing.F) {
	g, err := NewWebhook(WebhookOptions{URL: "https://x", Secret: vectorSecret, Now: func() time.Time { return time.Unix(vectorUnix, 0) }, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{vectorBody, `{"type":"message.received","data":{"id":"1","from":"+861","to":"2","text":"x"}}`, `{"type":"message.status","data":{"id":"1","state":"sent"}}`, "", "null", "[1]", `{"data":7}`} {
		f.Add([]byte(s), vectorSignature, strconv.Itoa(vectorUnix))
	}
	f.Fuzz(func(t *testing.T, body []byte, signature, stamp string) {
		r := &http.Request{Header: http.Header{"Webhook-Id": {"evt"}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {signature}}}
		if _, _, _, err := g.Receive(r, body); err == nil {
			t.Fatal("a forged request was taken")
		}
		in, receipts, _, err := received(g, string(body))
		var rejected *Rejected
		if err != nil && (!errors.As(err, &rejected) || rejected.Rule != "malformed") {
			t.Fatal(err)
		}
		for _, i := range in {
			if i.ID == "" || i.From == "" || i.To == "" || i.Media < 0 {
				t.Fatalf("%+v", i)
			}
		}
		for _, r := range receipts {
			if r.ID == "" || r.State == "" || r.Key != "" && checkKey(r.Key) != nil {
				t.Fatalf("%+v", r)
			}
		}
	})
}
