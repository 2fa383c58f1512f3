package chat

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"tandem"
	"tandem/store"
)

// request is one request of a test; headers are "Name: value".
func (h *house) request(method, path string, body []byte, headers ...string) (*http.Response, []byte) {
	h.Helper()
	r, err := http.NewRequestWithContext(h.Context(), method, h.url+path, bytes.NewReader(body))
	h.must(err)
	for _, line := range headers {
		if name, value, _ := strings.Cut(line, ": "); value != "" {
			r.Header.Add(name, value)
		}
	}
	resp, err := http.DefaultClient.Do(r)
	h.must(err)
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	h.must(err)
	return resp, data
}

const asJSON = "Content-Type: application/json"

func bearer(token string) string { return "Authorization: Bearer " + token }

func problem(data []byte) string {
	var p struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	if json.Unmarshal(data, &p) != nil || p.Message == "" {
		return "no problem: " + string(data)
	}
	return p.Code
}

func TestPreflight(t *testing.T) {
	h := newHouse(t, nil)
	for _, path := range []string{"/api/v1/chat/attachments", "/api/v1/chat/links/x", "/api/v1/chat/transcript", "/api/v1/chat/callback", "/api/v1/chat/site", "/api/v1/chat/images/a.png"} {
		for origin, ok := range map[string]bool{pageOrigin: true, "https://shop.example:8443": true, h.url: true,
			"https://evil.example": false, "null": false, "https://www.bank.example.evil.example": false, "": false} {
			resp, _ := h.request("OPTIONS", path, nil, "Origin: "+origin, "Access-Control-Request-Method: POST", "Access-Control-Request-Headers: authorization,content-type")
			allowed := resp.Header.Get("Access-Control-Allow-Origin")
			switch {
			case !ok && (resp.StatusCode != 403 || allowed != ""):
				t.Errorf("%s from %q: %d, %q", path, origin, resp.StatusCode, allowed)
			case ok && (resp.StatusCode != 204 || allowed != origin || !strings.Contains(resp.Header.Get("Access-Control-Allow-Headers"), "Authorization")):
				t.Errorf("%s from %q: %d %v", path, origin, resp.StatusCode, resp.Header)
			}
			if resp.Header.Get("Access-Control-Allow-Credentials") != "" || resp.Header.Get("Vary") != "Origin" {
				t.Errorf("%s from %q: %v", path, origin, resp.Header)
			}
		}
	}
}

func TestSite(t *testing.T) {
	h := newHouse(t, nil)
	for _, c := range []struct {
		query, origin string
		status        int
	}{
		{"?site=bank", pageOrigin, 200}, {"?site=bank", "", 200}, {"?qr=DESK-7", pageOrigin, 200},
		{"?site=bank", "https://shop.example:8443", 403}, {"?site=bank", "https://evil.example", 403}, {"?site=bank", "null", 403},
		{"?site=nowhere", "", 404}, {"?site=nowhere", "https://evil.example", 403}, {"", "", 404},
	} {
		resp, data := h.request("GET", "/api/v1/chat/site"+c.query, nil, "Origin: "+c.origin)
		want := ""
		if c.status == 200 {
			want = c.origin
		}
		if resp.StatusCode != c.status || resp.Header.Get("Access-Control-Allow-Origin") != want {
			t.Errorf("%+v: %d %v", c, resp.StatusCode, resp.Header)
		}
		if c.status == 200 && !strings.Contains(string(data), `"call_back":true`) {
			t.Errorf("%+v: %s", c, data)
		}
	}
}

// Every address that is somebody's own asks for the token, and for the page it may come from.
func TestTokenOfOnesOwn(t *testing.T) {
	h := newHouse(t, nil)
	w, _, token := h.begun()
	defer w.cut()
	for _, a := range []struct{ method, path string }{
		{"GET", "/api/v1/chat/transcript"}, {"GET", "/api/v1/chat/attachments/x"}, {"POST", "/api/v1/chat/attachments"},
		{"POST", "/api/v1/chat/links/x"}, {"POST", "/api/v1/chat/callback"}, {"POST", "/api/v1/chat/callback/x"},
	} {
		for name, headers := range map[string][]string{
			"none":    nil,
			"guessed": {bearer(strings.Repeat("A", 22))},
			"basic":   {"Authorization: Basic " + token},
			"in path": {"X: y"},
		} {
			path := a.path
			if name == "in path" {
				path += "?token=" + token + "&access_token=" + token
			}
			resp, data := h.request(a.method, path, nil, append(headers, "Origin: "+pageOrigin)...)
			if resp.StatusCode != 401 || problem(data) != "token" || resp.Header.Get("Access-Control-Allow-Origin") != pageOrigin {
				t.Errorf("%s, token %s: %d %s", a.path, name, resp.StatusCode, data)
			}
		}
		for _, origin := range []string{"https://shop.example:8443", "https://evil.example", "null", "https://www.bank.example:444"} {
			resp, data := h.request(a.method, a.path, nil, bearer(token), "Origin: "+origin)
			if resp.StatusCode != 403 || problem(data) != "origin" || resp.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s from %s: %d %s %v", a.path, origin, resp.StatusCode, data, resp.Header)
			}
		}
	}
	for _, origin := range []string{"", pageOrigin, h.url} {
		if resp, data := h.request("GET", "/api/v1/chat/transcript", nil, bearer(token), "Origin: "+origin); resp.StatusCode != 200 {
			t.Errorf("from %q: %d %s", origin, resp.StatusCode, data)
		}
	}
	if strings.Contains(h.log.String(), token) {
		t.Error("the token is in the log")
	}
}

func TestGuessingByHTTPIsBounded(t *testing.T) {
	now := time.Now()
	h := newHouse(t, func(o *Options) { o.Now = func() time.Time { return now } })
	for n := range 31 {
		resp, _ := h.request("GET", "/api/v1/chat/transcript", nil, bearer(strings.Repeat("B", 22)))
		if want := map[bool]int{true: 401, false: 429}[n < 30]; resp.StatusCode != want {
			t.Fatalf("guess %d: %s", n, resp.Status)
		}
	}
}

func TestLinks(t *testing.T) {
	asked := []tandem.LinkID{}
	var answer error
	h := newHouse(t, func(o *Options) {
		o.Links = func(_ context.Context, _ tandem.ConversationID, l tandem.LinkID) (string, error) {
			asked = append(asked, l)
			return "https://bank.example/l/token", answer
		}
	})
	w, _, token := h.begun()
	link := tandem.NewID[tandem.LinkID](time.Now(), h.random)
	h.flow.reply = func(string, int) tandem.Message {
		return tandem.Message{Text: "here", Link: &tandem.MessageLink{ID: link, Label: "Sign"}}
	}
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "b"})
	if f := w.until("the link", func(f frame) bool { return f.Link != nil }); f.Link.ID != link || f.Link.State != tandem.LinkMade || f.Link.Label != "Sign" {
		t.Errorf("%+v", f.Link)
	}
	h.must(h.book.MarkLink(t.Context(), link, tandem.LinkOpened))
	if f := w.next(kindMessage); f.Link.State != tandem.LinkOpened {
		t.Errorf("%+v", f.Link)
	}
	w.cut()
	other, _, foreign := h.begun()
	other.cut()
	post := func(token string, link tandem.LinkID) (int, string) {
		resp, data := h.request("POST", "/api/v1/chat/links/"+string(link), nil, bearer(token))
		return resp.StatusCode, string(data)
	}
	if status, body := post(token, link); status != 200 || !strings.Contains(body, `"url":"https://bank.example/l/token"`) {
		t.Errorf("%d %s", status, body)
	}
	if status, _ := post(foreign, link); status != 404 {
		t.Errorf("another conversation's link: %d", status)
	}
	if status, _ := post(token, "nothing"); status != 404 || len(asked) != 1 {
		t.Errorf("an unknown link: %d, asked for %v", status, asked)
	}
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{&Refused{Code: "over", Message: map[string]string{"en": "It was used."}}, 422, "over"},
		{store.ErrNotFound, 404, "not_found"}, {store.ErrErased, 410, "erased"}, {store.ErrUnavailable, 503, "unavailable"}, {errors.New("x"), 500, "internal"},
	} {
		answer = c.err
		if status, body := post(token, link); status != c.status || problem([]byte(body)) != c.code {
			t.Errorf("%v: %d %s", c.err, status, body)
		}
	}
}

// calls books calls by script.
type calls struct {
	asked []string
	err   error
}

func (c *calls) Ask(_ context.Context, _ tandem.ConversationID, phone string, at time.Time, address string) (string, error) {
	c.asked = append(c.asked, strings.Join([]string{phone, at.Format(time.RFC3339), address}, " "))
	return "check-1", c.err
}

func (c *calls) Confirm(_ context.Context, _ tandem.ConversationID, check, code string) (tandem.Number, time.Time, error) {
	if check != "check-1" || code != "123456" {
		return "", time.Time{}, &Refused{Code: "wrong_code", Message: map[string]string{"en": "Wrong.", "zh-CN": "验证码错误。"}}
	}
	return "12345678901", time.Time{}, c.err
}

func TestCallback(t *testing.T) {
	booked := &calls{}
	var now atomic.Int64
	now.Store(time.Now().UnixNano())
	h := newHouse(t, func(o *Options) {
		o.Callback, o.Limits.CallbacksPerHour = booked, 2
		o.Now = func() time.Time { return time.Unix(0, now.Load()) }
	})
	w, _, token := h.begun()
	w.cut()
	ask := func(body string) (*http.Response, string) {
		resp, data := h.request("POST", "/api/v1/chat/callback", []byte(body), bearer(token), asJSON)
		return resp, string(data)
	}
	for body, status := range map[string]int{`{}`: 422, `{"phone":""}`: 422, `{"phone":"` + strings.Repeat("1", 41) + `"}`: 422, `{"phone":"1","at":"tomorrow"}`: 400, `[`: 400, `{"number":"1"}`: 400} {
		if resp, data := ask(body); resp.StatusCode != status {
			t.Errorf("%s: %s %s", body, resp.Status, data)
		}
	}
	if resp, data := ask(`{"phone":"+86 138 0013 8000"}`); resp.StatusCode != 202 || !strings.Contains(data, `"check":"check-1"`) {
		t.Errorf("%s %s", resp.Status, data)
	}
	booked.err = &Refused{Code: "too_many", Message: map[string]string{"en": "Later."}, RetryAfter: 90 * time.Second}
	if resp, data := ask(`{"phone":"+8613800138000","at":"2026-11-24T09:30:00+08:00"}`); resp.StatusCode != 429 || resp.Header.Get("Retry-After") != "90" || problem([]byte(data)) != "too_many" {
		t.Errorf("%s %s", resp.Status, data)
	}
	if resp, _ := ask(`{"phone":"+8613800138000"}`); resp.StatusCode != 429 || len(booked.asked) != 2 {
		t.Errorf("a third in an hour: %s, %q", resp.Status, booked.asked)
	}
	if want := "+8613800138000 2026-11-24T09:30:00+08:00 127.0.0.1"; booked.asked[1] != want {
		t.Errorf("asked for %q, want %q", booked.asked[1], want)
	}
	booked.err = nil
	confirm := func(check, code string) (int, string) {
		resp, data := h.request("POST", "/api/v1/chat/callback/"+check, []byte(`{"code":"`+code+`"}`), bearer(token), asJSON)
		return resp.StatusCode, string(data)
	}
	if status, body := confirm("check-1", "123456"); status != 200 || !strings.Contains(body, `"number":"12345678901"`) {
		t.Errorf("%d %s", status, body)
	}
	for n := range 5 {
		if status, body := confirm("check-1", "000000"); n < 4 && (status != 422 || problem([]byte(body)) != "wrong_code") || n == 4 && status != 429 {
			t.Errorf("wrong code %d: %d %s", n, status, body)
		}
	}
}

func TestNoCallbackWhereNoneIsOffered(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Callback = &calls{} })
	w := h.dial(map[string]any{"site": "bank"})
	w.cut()
	w, _, err := h.connect("https://shop.example:8443")
	h.must(err)
	w.send(map[string]any{"t": kindHello, "site": "shop"})
	token := w.next(kindWelcome).Token
	w.next(kindCaughtUp)
	w.send(map[string]any{"t": kindBegin})
	w.next(kindWelcome)
	w.cut()
	if resp, _ := h.request("POST", "/api/v1/chat/callback", []byte(`{"phone":"1"}`), bearer(token), asJSON); resp.StatusCode != 404 {
		t.Errorf("%s", resp.Status)
	}
}

func TestImages(t *testing.T) {
	gif := "GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"
	files := fstest.MapFS{
		"branch.gif": {Data: []byte(gif)}, "sub/map one.PNG": {Data: []byte("\x89PNG\r\n\x1a\n")},
		"hotline.flow.yaml": {Data: []byte("flow: hotline")}, "secret.png": {Data: []byte("flow: hotline")}, ".hidden.png": {Data: []byte(gif)},
		"page.png": {Data: []byte("<html><script>alert(1)</script>")}, "vector.svg": {Data: []byte("<svg/>")}, "large.gif": {Data: append([]byte(gif), make([]byte, maxImage)...)},
		"dir.png/a.txt": {Data: []byte("x")},
	}
	h := newHouse(t, func(o *Options) { o.Images = files })
	for path, want := range map[string]string{
		"branch.gif": "image/gif", "sub/map%20one.PNG": "image/png",
		"hotline.flow.yaml": "", "secret.png": "", ".hidden.png": "", "page.png": "", "vector.svg": "", "large.gif": "", "dir.png": "", "nothing.png": "",
		"": "", "sub/..%2fbranch.gif": "", "..%2f..%2fetc%2fpasswd.png": "", "%2fetc%2fx.png": "", "sub": "",
	} {
		resp, _ := h.request("GET", "/api/v1/chat/images/"+path, nil, "Origin: "+pageOrigin, "Authorization: Bearer x")
		switch {
		case want == "" && resp.StatusCode == 200:
			t.Errorf("%s is shown", path)
		case want != "" && (resp.StatusCode != 200 || resp.Header.Get("Content-Type") != want || resp.Header.Get("X-Content-Type-Options") != "nosniff" ||
			!strings.Contains(resp.Header.Get("Content-Security-Policy"), "sandbox") || resp.Header.Get("Access-Control-Allow-Origin") != pageOrigin):
			t.Errorf("%s: %s %v", path, resp.Status, resp.Header)
		}
	}
	if resp, _ := h.request("GET", "/api/v1/chat/images/branch.gif", nil, "Origin: https://evil.example"); resp.StatusCode != 403 {
		t.Errorf("another page: %s", resp.Status)
	}
	w, _, _ := h.begun()
	h.flow.reply = func(string, int) tandem.Message { return tandem.Message{Image: "sub/map one.PNG"} }
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "b"})
	f := w.until("the picture", func(f frame) bool { return f.Image != "" })
	if resp, _ := h.request("GET", f.Image, nil); resp.StatusCode != 200 {
		t.Errorf("%s: %s", f.Image, resp.Status)
	}
	w.cut()
}

func TestTranscript(t *testing.T) {
	h := newHouse(t, nil)
	w, id, token := h.begun()
	hostile := `</div><script>alert(1)</script><img src=x onerror=alert(2)>{{.}} ' " &amp; ` + "\x1b[31m\u202e"
	h.flow.reply = func(string, int) tandem.Message {
		return tandem.Message{Text: "Choose", Buttons: []tandem.Button{{Label: hostile}, {Label: "no"}}, Link: &tandem.MessageLink{ID: "l", Label: `<b>sign</b>`}}
	}
	w.send(map[string]any{"t": kindSay, "id": "a", "text": hostile})
	w.until("the answer", func(f frame) bool { return f.Seq == 3 })
	w.send(map[string]any{"t": kindRead, "seq": 3})
	w.until("read", func(f frame) bool { return f.Seq == 3 && f.State == "read" })
	w.cut()
	resp, data := h.request("GET", "/api/v1/chat/transcript?tz=Asia/Shanghai", nil, bearer(token))
	page := string(data)
	policy := resp.Header.Get("Content-Security-Policy")
	if resp.StatusCode != 200 || !strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment") || resp.Header.Get("Cache-Control") != "no-store" ||
		!strings.Contains(policy, "default-src 'none'; style-src 'sha256-") || strings.Contains(policy, "unsafe") || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s %v", resp.Status, resp.Header)
	}
	for _, tag := range []string{"<script", "<img", "<b>sign", "onerror=alert(2)>"} {
		if strings.Contains(page, tag) {
			t.Errorf("the page has %s", tag)
		}
	}
	for _, want := range []string{`<html lang="en">`, "Harbour Bank", "Asia/Shanghai", "&lt;script&gt;alert(1)", "You", "Automatic service", "· read", "· sent", "[Link: &lt;b&gt;sign", "[Choices: ", "welcome"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s:\n%s", want, page)
		}
	}
	resp, data = h.request("GET", "/api/v1/chat/transcript?as=text&tz=../../etc/passwd", nil, bearer(token))
	text := string(data)
	if resp.Header.Get("Content-Type") != "text/plain; charset=utf-8" || !strings.Contains(text, "UTC") || !strings.Contains(text, "<script>alert(1)") || strings.ContainsRune(text, 0x1b) {
		t.Errorf("%v\n%s", resp.Header, text)
	}
	c, err := h.book.Find(t.Context(), id)
	h.must(err)
	h.must(h.db.Erase(t.Context(), c.Customer, "operator", "asked for"))
	if resp, _ := h.request("GET", "/api/v1/chat/transcript", nil, bearer(token)); resp.StatusCode != 401 {
		t.Errorf("an erased person's token: %s", resp.Status)
	}
	token, err = h.book.Token(t.Context(), id)
	h.must(err)
	if _, data = h.request("GET", "/api/v1/chat/transcript", nil, bearer(token)); !strings.Contains(string(data), "This message was erased.") || strings.Contains(string(data), "alert") {
		t.Errorf("%s", data)
	}
}

func TestTranscriptInChinese(t *testing.T) {
	h := newHouse(t, nil)
	w := h.dial(map[string]any{"site": "bank", "langs": []string{"zh-CN"}})
	token := w.next(kindWelcome).Token
	w.next(kindCaughtUp)
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "你好"})
	w.until("the answer", func(f frame) bool { return f.Seq == 2 })
	w.cut()
	_, data := h.request("GET", "/api/v1/chat/transcript", nil, bearer(token))
	for _, want := range []string{`<html lang="zh-CN">`, "海港银行", "您", "你好", "自动服务", "已发送"} {
		if !strings.Contains(string(data), want) {
			t.Errorf("the page lacks %s:\n%s", want, data)
		}
	}
}

func TestSource(t *testing.T) {
	d := &Door{o: Options{Proxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}}
	for _, c := range []struct {
		remote, want string
		forwarded    []string
	}{
		{"203.0.113.7:1", "203.0.113.7", nil},
		{"203.0.113.7:1", "203.0.113.7", []string{"198.51.100.1"}}, // no proxy of ours
		{"10.0.0.1:1", "198.51.100.1", []string{"198.51.100.1"}},
		{"10.0.0.1:1", "198.51.100.1", []string{"1.2.3.4, 198.51.100.1"}}, // what the client made up comes before
		{"10.0.0.1:1", "198.51.100.1", []string{"1.2.3.4", "198.51.100.1, 10.0.0.2"}},
		{"10.0.0.1:1", "10.0.0.1", []string{"nonsense"}},
		{"10.0.0.1:1", "10.0.0.1", nil},
		{"[2001:db8::1]:1", "2001:db8::1", nil},
		{"nonsense", "0.0.0.0", nil},
	} {
		r := &http.Request{RemoteAddr: c.remote, Header: http.Header{"X-Forwarded-For": c.forwarded}}
		if got := d.source(r); got.String() != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestLimitsForget(t *testing.T) {
	now := time.Now()
	l := newLimits(func() time.Time { return now })
	r := rate{"x", 2, time.Minute}
	for n, want := range []time.Duration{0, 0, time.Minute} {
		if wait := l.take(r, "a"); wait != want {
			t.Errorf("%d: %s", n, wait)
		}
	}
	if l.look(r, "b") != 0 || len(l.buckets) != 1 {
		t.Error("looking counts")
	}
	now = now.Add(30 * time.Second)
	if wait := l.take(r, "a"); wait != 30*time.Second {
		t.Errorf("%s", wait)
	}
	now = now.Add(time.Hour)
	for n, free := range []bool{true, true, false} {
		if wait := l.take(r, "a"); (wait == 0) != free {
			t.Errorf("it is not refilled to its burst: %d waits %s", n, wait)
		}
	}
	for n := range maxBuckets + 100 {
		l.take(r, string(rune(n)))
	}
	if len(l.buckets) > maxBuckets {
		t.Errorf("%d buckets", len(l.buckets))
	}
}

// What reads much, or writes to the journal, is bounded for who has a token.
func TestReadingIsBounded(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Now = func() time.Time { return time.Unix(1795424400, 0) } })
	w, _, token := h.begun()
	_, a, _ := h.upload(token, encoded(t, "png", quarters(8, 8)))
	w.send(map[string]any{"t": kindSay, "id": "a", "attachment": a.ID})
	f := w.until("its frame", func(f frame) bool { return f.ID == "a" })
	w.cut()
	for n := range 6 {
		resp, _ := h.request("GET", "/api/v1/chat/transcript", nil, bearer(token))
		if want := map[bool]int{true: 200, false: 429}[n < 5]; resp.StatusCode != want || (want == 429) != (resp.Header.Get("Retry-After") != "") {
			t.Errorf("transcript %d: %d, Retry-After %q", n+1, resp.StatusCode, resp.Header.Get("Retry-After"))
		}
	}
	looks := 0
	for ; looks < 500; looks++ {
		if resp, _ := h.request("GET", "/api/v1/chat/attachments/"+string(f.Attachment.ID), nil, bearer(token)); resp.StatusCode == 429 {
			break
		}
	}
	if looks != 60 {
		t.Errorf("a picture is shown %d times at once", looks)
	}
}
