package sms

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/store/outbox"
)

const (
	account  = "AC00000000000000000000000000000001"
	token    = "12345" // of the published examples
	callback = "https://tandem.example/api/v1/sms/first"
)

func twilio(t *testing.T, o TwilioOptions) *Twilio {
	t.Helper()
	if o.URL == "" {
		o.URL = "https://api.twilio.example"
	}
	if o.Callback == "" {
		o.Callback = callback
	}
	o.Account, o.Token = account, token
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	g, err := NewTwilio(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	return g
}

// The examples that the provider publishes in its documentation and with its libraries.
func TestTwilioSignsAsPublished(t *testing.T) {
	form := func(number string) url.Values {
		return url.Values{"CallSid": {"CA1234567890ABCDE"}, "Caller": {number}, "Digits": {"1234"}, "From": {number}, "To": {"+18005551212"}}
	}
	const query = "/myapp.php?foo=1&bar=2"
	for _, c := range []struct {
		callback string // the address without its query, as the operator gave it
		form     url.Values
		want     string
		fits     bool
	}{
		{"https://mycompany.com", form("+14158675309"), "RSOYDt4T1cUTdK1PDd93/VVr8B8=", true},
		{"https://mycompany.com", form("+12349013030"), "0/KCTR6DLpKmkAf8muzZqo1nDgQ=", true}, // of the documentation
		{"https://mycompany.com:1234", form("+14158675309"), "RSOYDt4T1cUTdK1PDd93/VVr8B8=", true},
		{"https://mycompany.com:1234", form("+14158675309"), "CYn1h0gLBdNxDGkKJg6hYohgeD8=", true},
		{"http://mycompany.com:1234", form("+14158675309"), "Zmvh+3yNM1Phv2jhDCwEM3q5ebU=", true},
		{"https://mycompany.com", form("+14158675309"), "kvajT1Ptam85bY51eRf/AJRuM3w=", true}, // with port 443
		{"http://mycompany.com", form("+14158675309"), "0ZXoZLH/DfblKGATFgpif+LLRf4=", true},  // with port 80
		{"https://MyCompany.com", form("+14158675309"), "g9IN/x4Cft2g517EjYvEvM/W7LU=", true},
		{"https://MyCompany.com:1234", form("+14158675309"), "PCqOZm8cnu/L6+u5i5fuEd+Iac4=", true},
		{"https://mycompany.com", url.Values{"Sid": {"CA123"}, "SidAccount": {"AC123"}, "Digits": {"5678", "1234", "1234"}}, "IK+Dwps556ElfBT0I3Rgjkr1wJU=", true},
		{"https://MyCompany.com", form("+14158675309"), "RSOYDt4T1cUTdK1PDd93/VVr8B8=", false},
		{"http://mycompany.com", form("+14158675309"), "RSOYDt4T1cUTdK1PDd93/VVr8B8=", false},
		{"https://mycompany.com", form("+14158675308"), "RSOYDt4T1cUTdK1PDd93/VVr8B8=", false},
		{"https://mycompany.com", form("+14158675309"), "NOTRSOYDt4T1cUTdK1PDd93/VVr8B8=", false},
		{"https://mycompany.com", form("+14158675309"), "", false},
	} {
		g := twilio(t, TwilioOptions{Callback: c.callback + "/myapp.php"})
		r := httptest.NewRequest("POST", query, nil)
		r.Header.Set("X-Twilio-Signature", c.want)
		if err := g.signed(r, c.form); (err == nil) != c.fits {
			t.Errorf("%s %v with %s: %v", c.callback, c.form, c.want, err)
		}
	}
}

// call posts a signed form as the provider does.
func call(g *Twilio, query string, form url.Values, change ...func(*http.Request)) ([]Inbound, []Receipt, Answer, error) {
	body := form.Encode()
	r := httptest.NewRequest("POST", "/api/v1/sms/first"+query, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(g.sign(callback+query, form)))
	for _, c := range change {
		c(r)
	}
	return g.Receive(r, []byte(body))
}

// came is what the provider posts for a text, as it documents it.
func came() url.Values {
	return url.Values{"ToCountry": {"US"}, "ToState": {""}, "SmsMessageSid": {"SM1"}, "NumMedia": {"0"}, "ToCity": {""}, "FromZip": {""}, "SmsSid": {"SM1"}, "FromState": {"CA"},
		"SmsStatus": {"received"}, "FromCity": {""}, "Body": {"退订 & more = 100%"}, "FromCountry": {"US"}, "To": {"+15005550006"}, "ToZip": {""}, "NumSegments": {"1"},
		"MessageSid": {"SM1"}, "AccountSid": {account}, "From": {"+14155550100"}, "ApiVersion": {"2010-04-01"}}
}

func TestTwilioReceives(t *testing.T) {
	g := twilio(t, TwilioOptions{})
	in, receipts, answer, err := call(g, "", came())
	if err != nil || len(receipts) != 0 || len(in) != 1 || in[0] != (Inbound{ID: "SM1", From: "+14155550100", To: "+15005550006", Text: "退订 & more = 100%"}) {
		t.Fatalf("%+v %v %v", in, receipts, err)
	}
	if answer.Type != "text/xml; charset=utf-8" || !strings.Contains(answer.Body, "<Response/>") {
		t.Errorf("answered %+v", answer)
	}
	picture := came()
	picture.Set("NumMedia", "2")
	picture.Set("Body", "")
	if in, _, _, err := call(g, "", picture); err != nil || in[0].Media != 2 || in[0].Text != "" {
		t.Errorf("with pictures: %+v %v", in, err)
	}
	query := "?k=" + base64.RawURLEncoding.EncodeToString([]byte("int_1/7:2"))
	for status, want := range map[string]tandem.MessageState{
		"accepted": "sent", "queued": "sent", "sending": "sent", "sent": "sent", "delivered": "delivered", "read": "read", "undelivered": "failed", "failed": "failed", "canceled": "failed", "new": "",
	} {
		form := url.Values{"AccountSid": {account}, "MessageSid": {"SM2"}, "SmsSid": {"SM2"}, "MessageStatus": {status}, "SmsStatus": {status}, "To": {"+14155550100"}, "From": {"+15005550006"}, "ErrorCode": {"30003"}}
		in, receipts, answer, err := call(g, query, form)
		if err != nil || len(in) != 0 || (want == "") != (len(receipts) == 0) || answer.Status != 204 {
			t.Fatalf("%s: %+v %+v %v", status, in, receipts, err)
		}
		if want == "" {
			continue
		}
		reason := ""
		if want == tandem.MessageFailed {
			reason = "the phone is off or out of reach (30003)"
		}
		if receipts[0] != (Receipt{ID: "SM2", Key: "int_1/7:2", State: want, Error: reason}) {
			t.Errorf("%s: %+v", status, receipts[0])
		}
	}
}

func TestTwilioRefuses(t *testing.T) {
	g := twilio(t, TwilioOptions{})
	other := came()
	other.Set("AccountSid", "AC00000000000000000000000000000002")
	none := came()
	none.Del("MessageSid")
	none.Del("SmsSid")
	nobody := came()
	nobody.Del("From")
	for _, c := range []struct {
		name, query string
		form        url.Values
		change      func(*http.Request)
		rule        string
	}{
		{"unsigned", "", came(), func(r *http.Request) { r.Header.Del("X-Twilio-Signature") }, "unsigned"},
		{"another signature", "", came(), func(r *http.Request) { r.Header.Set("X-Twilio-Signature", "RSOYDt4T1cUTdK1PDd93/VVr8B8=") }, "forged"},
		{"no signature at all", "", came(), func(r *http.Request) { r.Header.Set("X-Twilio-Signature", "§") }, "forged"},
		{"another query", "", came(), func(r *http.Request) { r.URL.RawQuery = "k=other" }, "forged"},
		{"another account", "", other, nil, "wrong_account"},
		{"about nothing", "", none, nil, "malformed"},
		{"by nobody", "", nobody, nil, "malformed"},
		{"JSON", "", came(), func(r *http.Request) { r.Header.Set("Content-Type", "application/json") }, "malformed"},
	} {
		change := []func(*http.Request){}
		if c.change != nil {
			change = append(change, c.change)
		}
		_, _, _, err := call(g, c.query, c.form, change...)
		var r *Rejected
		if !errors.As(err, &r) || r.Rule != c.rule {
			t.Errorf("%s: %v", c.name, err)
		}
		if err != nil && (strings.Contains(err.Error(), token) || strings.Contains(err.Error(), "+1415")) {
			t.Errorf("%s: the error shows too much: %v", c.name, err)
		}
	}
}

func TestTwilioSends(t *testing.T) {
	var got *http.Request
	var form url.Values
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r
		_ = r.ParseForm()
		form = r.PostForm
		w.WriteHeader(201)
		_, _ = io.WriteString(w, `{"sid": "SM7", "status": "queued", "error_code": null}`)
	}))
	defer server.Close()
	g := twilio(t, TwilioOptions{URL: server.URL + "/", Service: "MG1", Templates: map[string]string{"code": "HX1"}})
	id, err := g.Send(t.Context(), Message{Key: "int_1/7:2", From: "+15005550006", To: "+14155550100", Text: "好 & well"})
	if err != nil || id != "SM7" {
		t.Fatal(id, err)
	}
	user, password, _ := got.BasicAuth()
	if got.Method != "POST" || got.URL.Path != "/2010-04-01/Accounts/"+account+"/Messages.json" || user != account || password != token {
		t.Errorf("%s %s by %s", got.Method, got.URL, user)
	}
	want := url.Values{"To": {"+14155550100"}, "From": {"+15005550006"}, "Body": {"好 & well"}, "MessagingServiceSid": {"MG1"}, "StatusCallback": {callback + "?k=aW50XzEvNzoy#rc=5&rp=all"}}
	if form.Encode() != want.Encode() {
		t.Errorf("posted %v", form)
	}
	if _, err := g.Send(t.Context(), Message{Key: "k", From: "+15005550006", To: "+14155550100", Text: "words", Template: "code", Params: map[string]string{"1": "4711"}}); err != nil {
		t.Fatal(err)
	}
	if form.Get("ContentSid") != "HX1" || form.Get("ContentVariables") != `{"1":"4711"}` || form.Has("Body") {
		t.Errorf("posted %v", form)
	}
}

func TestTwilioAnswers(t *testing.T) {
	var status int
	var body, after string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if after != "" {
			w.Header().Set("Retry-After", after)
		}
		if status == 302 {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	defer server.Close()
	log := &bytes.Buffer{}
	g := twilio(t, TwilioOptions{URL: server.URL, Log: slog.New(slog.NewTextHandler(log, nil))})
	for _, c := range []struct {
		status    int
		body      string
		after     string
		permanent bool
		wait      time.Duration
		words     string
	}{
		{400, `{"code": 21211, "message": "The 'To' number +14155550100 is not a valid phone number.", "status": 400}`, "", true, 0, "the number is not valid (21211)"},
		{400, `{"code": 21614, "status": 400}`, "", true, 0, "takes no texts (21614)"},
		{400, `{"code": 21610, "status": 400}`, "", true, 0, "stopped texts at the provider"},
		{400, `{"code": 99999, "status": 400}`, "", true, 0, "error 99999"},
		{401, `{"code": 20003, "status": 401}`, "", true, 0, "not accepted (20003)"},
		{404, `not found`, "", true, 0, "answers 404"},
		{302, ``, "", true, 0, "redirects are not followed"},
		{429, `{"code": 20429, "status": 429}`, "7", false, 7 * time.Second, "too many requests at once (20429)"},
		{400, `{"code": 21611, "status": 400}`, "", false, 0, "as many texts waiting"},
		{500, `<html>`, "", false, 0, "answers 500"},
		{503, ``, "30", false, 30 * time.Second, "answers 503"},
		{201, `{"sid": ""}`, "", true, 0, "has no sid"},
		{200, `<html>a page</html>`, "", true, 0, "has no sid"},
	} {
		status, body, after = c.status, c.body, c.after
		_, err := g.Send(t.Context(), Message{Key: "k", From: "+15005550006", To: "+14155550100", Text: "hush-text"})
		var later *outbox.RetryAfter
		errors.As(err, &later)
		if err == nil || errors.Is(err, outbox.ErrPermanent) != c.permanent || (later != nil) != (c.wait > 0) || later != nil && later.Wait != c.wait || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%d %s: %v", c.status, c.body, err)
			continue
		}
		if errors.Is(err, ErrStopped) != strings.Contains(c.body, "21610") {
			t.Errorf("%s: stopped? %v", c.body, err)
		}
		for _, secret := range []string{token, account, "+1415", "hush"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error shows %s: %v", secret, err)
			}
		}
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 || strings.Contains(log.String(), token) {
		t.Errorf("the log: %s", log)
	}
	server.Close()
	if _, err := g.Send(t.Context(), Message{Key: "k", Text: "x"}); err == nil || errors.Is(err, outbox.ErrPermanent) || strings.Contains(err.Error(), account) {
		t.Errorf("nobody there: %v", err)
	}
}

func TestTemplates(t *testing.T) {
	names := map[string]string{"code": "TPL-1"}
	for _, c := range []struct {
		m         Message
		only      bool
		want, why string
	}{
		{Message{Text: "x"}, false, "", ""},
		{Message{Text: "x"}, true, "", "templates only"},
		{Message{Template: "code"}, true, "TPL-1", ""},
		{Message{Template: "code", Text: "x"}, false, "TPL-1", ""},
		{Message{Template: "other", Text: "x"}, false, "", ""},
		{Message{Template: "other", Text: "x"}, true, "", `no template "other"`},
		{Message{Template: "other"}, false, "", `no template "other"`},
		{Message{}, false, "", "empty"},
	} {
		got, err := template(&c.m, names, c.only)
		if got != c.want || (err == nil) != (c.why == "") || err != nil && (!strings.Contains(err.Error(), c.why) || !errors.Is(err, outbox.ErrPermanent)) {
			t.Errorf("%+v, only %t: %q, %v", c.m, c.only, got, err)
		}
	}
}

// An answer without end is not read to its end, and a slow one is given up.
func TestABoundlessAnswer(t *testing.T) {
	wrote := make(chan int, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(400)
		n := 0
		for ; n < 1<<30; n += 1 << 16 {
			if _, err := w.Write(make([]byte, 1<<16)); err != nil {
				break
			}
		}
		wrote <- n
	}))
	defer server.Close()
	if _, err := twilio(t, TwilioOptions{URL: server.URL}).Send(t.Context(), Message{Key: "k", Text: "x"}); !errors.Is(err, outbox.ErrPermanent) {
		t.Error(err)
	}
	if n := <-wrote; n > 32<<20 { // what lay in buffers
		t.Errorf("%d bytes were taken", n)
	}
	hang := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hang:
		case <-r.Context().Done():
		}
	}))
	defer silent.Close()
	defer close(hang)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := twilio(t, TwilioOptions{URL: silent.URL}).Send(ctx, Message{Key: "k", Text: "x"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// The certificate of whom texts are handed to is checked.
func TestTLSIsVerified(t *testing.T) {
	hit := false
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hit = true }))
	defer server.Close()
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, 0)
	if _, err := twilio(t, TwilioOptions{URL: server.URL}).Send(t.Context(), Message{Key: "k", Text: "x"}); err == nil || hit || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("%v, hit %t", err, hit)
	}
}

func TestNewTwilioRefuses(t *testing.T) {
	good := TwilioOptions{URL: "https://api.twilio.com", Account: account, Token: token, Callback: callback}
	for name, change := range map[string]func(*TwilioOptions){
		"no url":                func(o *TwilioOptions) { o.URL = "" },
		"a password in the url": func(o *TwilioOptions) { o.URL = "https://a:hush@b" },
		"no token":              func(o *TwilioOptions) { o.Token = "" },
		"a path for an account": func(o *TwilioOptions) { o.Account = "../x" },
		"no callback":           func(o *TwilioOptions) { o.Callback = "" },
		"a query":               func(o *TwilioOptions) { o.Callback = callback + "?a=b" },
	} {
		o := good
		change(&o)
		if _, err := NewTwilio(o); err == nil || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzTwilioReceive(f *testing.F) {
	g, err := NewTwilio(TwilioOptions{URL: "https://api.twilio.example", Account: account, Token: token, Callback: callback, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		f.Fatal(err)
	}
	for _, s := range []string{came().Encode(), "MessageStatus=delivered&MessageSid=SM1&AccountSid=" + account, "a=%zz", "", "a=1;b=2", "AccountSid=" + account + "&MessageSid=x&From=1&To=2&NumMedia=-1"} {
		f.Add(s, "k=aW50")
	}
	f.Fuzz(func(t *testing.T, body, query string) {
		r := &http.Request{Method: "POST", URL: &url.URL{Path: "/", RawQuery: query}, Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "X-Twilio-Signature": {"AAAA"}}}
		if _, _, _, err := g.Receive(r, []byte(body)); err == nil {
			t.Fatal("a forged request was taken")
		}
		form, err := url.ParseQuery(body)
		if err != nil {
			return
		}
		address := callback
		if query != "" {
			address += "?" + query
		}
		r.Header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(g.sign(address, form)))
		in, receipts, _, err := g.Receive(r, []byte(body))
		var rejected *Rejected
		switch {
		case err != nil && !errors.As(err, &rejected):
			t.Fatal(err)
		case err != nil && slices.Contains([]string{"forged", "unsigned"}, rejected.Rule):
			t.Fatalf("a signed request was refused: %v", err)
		case err == nil && len(in)+len(receipts) > 1:
			t.Fatalf("%v %v", in, receipts)
		}
		for _, i := range in {
			if i.ID == "" || i.From == "" || i.To == "" || i.Media < 0 {
				t.Fatalf("%+v", i)
			}
		}
	})
}
