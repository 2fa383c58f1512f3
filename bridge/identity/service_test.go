package identity

import (
	"crypto/rand"
	"encoding/base64"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/internal/mockbank"
	"tandem/ivr/flow"
	"tandem/store/outbox"
)

var serviceSecret = "whsec_" + base64.StdEncoding.EncodeToString([]byte("24 bytes of a secret key"))

// serves makes a desk whose service is a handler.
func serves(t *testing.T, h http.Handler) *world {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	secret, err := outbox.ParseSecret(serviceSecret)
	if err != nil {
		t.Fatal(err)
	}
	return newWorld(t, func(o *Options) { o.Service = Service{URL: s.URL + "/", Secret: secret, Allow: []string{"127.0.0.1"}} })
}

func by(method string) flow.Identify {
	return flow.Identify{Serial: 1, Step: "prove", Level: tandem.Verified, By: []string{method}, Lang: "en"}
}

// The demonstration's bank is such a service; it checks our signatures with code of its own.
func TestTheBankChecks(t *testing.T) {
	w := serves(t, mockbank.New(mockbank.Options{Now: func() time.Time { return monday }, Random: rand.Reader, Secret: serviceSecret}))
	who := w.comes(tandem.Voice, "13800000001", "")
	c := w.begin(who, by(flow.ByPIN))
	c.hears("pin_ask open_keys")
	c.enter("1111")
	c.hears("pin_wrong open_keys")
	c.enter("２４６８")
	c.hears("passed = passed")
	if c.turn.Done.Phone != phoneA || c.turn.Assurance != tandem.Verified {
		t.Errorf("%+v", c.turn)
	}
	kinds, payloads := w.journal(who.Interaction)
	if !strings.HasSuffix(kinds, "customer.identified ") || strings.Contains(payloads, "2468") || strings.Contains(payloads, "1111") {
		t.Errorf("the journal has %s %s", kinds, payloads)
	}

	c = w.begin(who, by(flow.ByQuestions))
	c.hears("question open_keys")
	if text := c.turn.Plays[0].Parts[0].Text; text != mockbank.Questions()[0].Text["en"] {
		t.Errorf("it asks %q", text)
	}
	c.enter("4")
	c.enter("1")
	c.hears("question_wrong question open_keys")
	c.enter("03")
	c.enter("1")
	c.hears("passed = passed")

	c = w.begin(w.comes(tandem.Voice, "13900000009", ""), by(flow.ByQuestions)) // the bank does not know this one
	c.hears("= unsupported")
	c = w.begin(w.comes(tandem.Chat, "", ""), by(flow.ByPIN)) // nobody knows who this is
	c.hears("= unsupported")
	c = w.begin(w.comes(tandem.Voice, "13800000002", ""), by(flow.ByPIN))
	for range 3 {
		c.enter("9999")
	}
	c.hears("failed = failed")
	c = w.begin(w.comes(tandem.Voice, "13800000002", ""), by(flow.ByPIN))
	c.enter("9999")
	c.enter("9999")
	c.enter("1357")
	c.hears("locked = failed")
}

// Ten wrong tries an hour of one caller; the right one is not looked at then.
func TestWrongPINsAreCounted(t *testing.T) {
	asked := 0
	w := serves(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { asked++; io.WriteString(rw, `{"ok":false}`) }))
	for i := range 4 {
		c := w.begin(w.comes(tandem.Voice, "13800000001", ""), by(flow.ByPIN))
		for c.turn.Done == nil {
			c.enter("1234")
		}
		if got := said(c.turn); got != "failed = failed" {
			t.Errorf("talk %d: %s", i+1, got)
		}
	}
	if asked != 10 {
		t.Errorf("the service was asked %d times", asked)
	}
	w.begin(w.comes(tandem.Voice, "13800000001", ""), byCode).hears("failed = failed")
	w.begin(w.comes(tandem.Voice, "13800000002", ""), by(flow.ByPIN)).hears("pin_ask open_keys")
}

// What the service may answer, and what it may not.
func TestWhatTheServiceAnswers(t *testing.T) {
	for _, tt := range []struct {
		name   string
		method string
		status int
		body   string
		want   string
	}{
		{"yes", flow.ByPIN, 200, `{"ok":true}`, "passed = passed"},
		{"no", flow.ByPIN, 200, `{"ok":false}`, "pin_wrong open_keys"},
		{"locked by its body", flow.ByPIN, 200, `{"ok":false,"locked":true}`, "locked = failed"},
		{"locked by its status", flow.ByPIN, 423, `locked`, "locked = failed"},
		{"nothing", flow.ByPIN, 200, `{}`, "unavailable = failed"},
		{"no JSON", flow.ByPIN, 200, `<html>`, "unavailable = failed"},
		{"a fault", flow.ByPIN, 500, `{"ok":true}`, "unavailable = failed"},
		{"created", flow.ByPIN, 201, `{"ok":true}`, "unavailable = failed"},
		{"elsewhere", flow.ByPIN, 302, ``, "unavailable = failed"},
		{"too much", flow.ByPIN, 200, `{"ok":true,"x":"` + strings.Repeat("x", maxReply) + `"}`, "unavailable = failed"},
		{"questions without an id", flow.ByQuestions, 200, `{"questions":[{"id":"a","type":"digits","text":{"en":"A?"}}]}`, "unavailable = failed"},
		{"an id that leads elsewhere", flow.ByQuestions, 200, `{"id":"../../pin","questions":[{"id":"a","type":"digits","text":{"en":"A?"}}]}`, "unavailable = failed"},
		{"no questions", flow.ByQuestions, 200, `{"id":"f","questions":[]}`, "= unsupported"},
		{"questions in Chinese only", flow.ByQuestions, 200, `{"id":"f","questions":[{"id":"a","type":"digits","text":{"zh-CN":"几月？"}}]}`, "question open_keys"},
		{"nobody it could ask", flow.ByQuestions, 404, ``, "= unsupported"},
	} {
		w := serves(t, http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if r.Method != http.MethodPost || r.Header.Get("webhook-signature") == "" || !strings.Contains(string(body), `"phone":"`+phoneA+`"`) || strings.Contains(r.URL.String(), "138") {
				t.Errorf("%s: it was asked %s %s %s", tt.name, r.Method, r.URL, body)
			}
			rw.Header().Set("Location", "/elsewhere")
			rw.WriteHeader(tt.status)
			io.WriteString(rw, tt.body)
		}))
		c := w.begin(w.comes(tandem.Voice, phoneA, ""), by(tt.method))
		if c.turn.Done == nil && tt.method == flow.ByPIN {
			c.enter("1234")
		}
		if got := said(c.turn); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestAServiceThatDoesNotAnswer(t *testing.T) {
	var log strings.Builder
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	secret, _ := outbox.ParseSecret(serviceSecret)
	w := newWorld(t, func(o *Options) {
		o.Service = Service{URL: s.URL, Secret: secret, Allow: []string{"127.0.0.1"}}
		o.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	c := w.begin(w.comes(tandem.Voice, phoneA, ""), by(flow.ByPIN))
	c.enter("271828")
	c.hears("unavailable = failed")
	if !strings.Contains(log.String(), "refused") || strings.Contains(log.String(), "271828") || strings.Contains(log.String(), phoneA) {
		t.Errorf("the log has %s", log.String())
	}
}

func TestNewRefusesAServiceThatMayNotBeAsked(t *testing.T) {
	for url, want := range map[string]string{
		"http://core.test/x":         "http_allow",
		"ftp://127.0.0.1":            "no http",
		"127.0.0.1:80":               "no http",
		"http://a:b@127.0.0.1":       "no http",
		"http://127.0.0.1/?key=x":    "no http",
		"http://127.0.0.1:8090/bank": "",
	} {
		_, err := New(Options{Service: Service{URL: url, Allow: []string{"127.0.0.1"}}})
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
