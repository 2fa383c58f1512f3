package link

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"tandem"
	links "tandem/bridge/link"
	"tandem/ivr/flow"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
	"tandem/store"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const host = "https://pages.example"

// every has a field of each type.
const every = `form: every
fields:
  - { name: user, type: string, ask: { en: "The user name you would like", zh-CN: "您想用的用户名" } }
  - { name: card, type: digits, ask: { en: "Card number", zh-CN: "卡号" } }
  - { name: people, type: int, range: 1..5, ask: { en: "How many people?", zh-CN: "几位？" } }
  - { name: rate, type: decimal, optional: true, ask: { en: "Rate", zh-CN: "利率" } }
  - { name: amount, type: money, ask: { en: "Daily limit in yuan", zh-CN: "每日限额（元）" } }
  - { name: day, type: date, ask: { en: "From which day?", zh-CN: "从哪天开始？" } }
  - { name: hour, type: time, optional: true, ask: { en: "What time suits you?", zh-CN: "什么时间方便？" } }
  - { name: news, type: bool, optional: true, ask: { en: "Send me a text for every payment", zh-CN: "每笔支出都发短信" } }
  - { name: abroad, type: bool, ask: { en: "Payments abroad?", zh-CN: "开通境外支付？" } }
  - { name: phone, type: phone, ask: { en: "Mobile number", zh-CN: "手机号" } }
  - { name: mail, type: email, optional: true, ask: { en: "Mail address for notices", zh-CN: "接收通知的邮箱" } }
  - name: kind
    type: enum
    values: [basic, gold]
    labels: { basic: { en: "Basic", zh-CN: "基础版" }, gold: { en: "Gold", zh-CN: "金卡版" } }
    ask: { en: "Which one?", zh-CN: "哪一种？" }
  - { name: branch, type: enum, values: [north, east, south, west, centre, airport, harbour, market], optional: true, ask: { en: "Branch", zh-CN: "网点" } }
`

const enrol = `operation: enrol
title: { en: "Set up online banking", zh-CN: "开通网上银行" }
steps:
  - { show: { en: "It takes two minutes. Keep your card at hand.", zh-CN: "约需两分钟，请准备好银行卡。" } }
  - { show: { en: "You find the number on the back.", zh-CN: "卡号在卡片背面。" }, image: card.png }
  - { form: every }
confirm: { en: "Switch it on", zh-CN: "确认开通" }
result: { en: "Online banking is switched on. You can close this page.", zh-CN: "网上银行已开通，您可以关闭本页。" }
`

const flowFile = `flow: bank
channels: [chat]
languages: [en, zh-CN]
start: go
steps:
  go: { link: { operation: enrol, prompt: { en: "${link.url}", zh-CN: "${link.url}" }, by: [chat] }, next: end }
`

func library(t testing.TB) *flow.Library {
	t.Helper()
	lib, found := read.FS(fstest.MapFS{
		"every.form.yaml": {Data: []byte(every)}, "enrol.operation.yaml": {Data: []byte(enrol)}, "bank.flow.yaml": {Data: []byte(flowFile)}, "card.png": {Data: picture},
	}, read.Options{})
	if source.HasErrors(found) {
		t.Fatal(found)
	}
	return lib
}

// house is the pages over a real desk and database.
type house struct {
	http.Handler
	desk  *links.Desk
	db    *sqlite.DB
	clock *storetest.Clock
	call  storetest.Call
	who   tandem.CustomerID
	log   *bytes.Buffer

	key     []byte
	options Options

	operation *flow.Operation
	forms     map[string]*flow.Form
	said      []string
	accepted  int
	late      error

	mu      sync.Mutex
	changes []tandem.LinkState
	fields  map[string]any
}

func newHouse(t testing.TB, factor links.Factor) *house {
	t.Helper()
	place := storetest.NewPlace(t)
	lib := library(t)
	h := &house{clock: place.Clock, log: &bytes.Buffer{}, operation: lib.Operations["enrol"], forms: lib.Forms}
	log := slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	var err error
	h.db, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(place.Dir, "tandem.db"), Keys: place.Keys, Log: slog.New(slog.DiscardHandler), Now: h.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.db.Close() })
	h.call = storetest.NewCall(h.clock.Now(), rand.Reader, "+8613800000000")
	opening := h.call.Opening()
	if err := h.db.Commit(t.Context(), opening); err != nil {
		t.Fatal(err)
	}
	h.who = opening.Interaction.Customer
	h.desk, err = links.New(links.Options{
		Database: h.db, URL: host, Blind: place.Keys.Blind, Factor: factor, Now: h.clock.Now, Log: log,
		Changed: func(_ context.Context, _ links.Link, s tandem.LinkState, fields map[string]any) {
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.changes = append(h.changes, s); s == tandem.LinkDone {
				h.fields = fields
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.key = []byte("the key of the test's forms")
	h.options = Options{
		Key: h.key, Desk: h.desk, URL: host, Name: "Harbour Bank", Images: fstest.MapFS{"card.png": {Data: picture}, "evil.svg": {Data: []byte("<svg/>")}}, Now: h.clock.Now, Log: log,
		Operations: func(context.Context, links.Link) (*flow.Operation, map[string]*flow.Form, error) {
			return h.operation, h.forms, nil
		},
		Said: func(context.Context, links.Link) []string { return h.said },
		Accept: func(_ context.Context, l links.Link, _ *http.Request) (string, string, error) {
			if h.late != nil {
				return "", "", h.late
			}
			h.accepted++
			return "bank", "chat-token", nil
		},
		Address: func(r *http.Request) netip.Addr { return address(r.Header.Get("X-Test-Address")) },
	}
	h.Handler = Handler(h.options)
	return h
}

func (h *house) order(key string) links.Order {
	return links.Order{Key: key, Interaction: h.call.ID, Leg: h.call.Leg, Customer: h.who, Operation: "enrol", Lang: "en", By: "sms", Flow: "bank",
		Params: map[string]any{"user": "zhang", "amount": 120.5, "news": true}}
}

// token makes a link and returns it with its token.
func (h *house) token(t testing.TB, o links.Order) (links.Link, string) {
	t.Helper()
	token := ""
	l, _, err := h.desk.Make(t.Context(), o, func(url string, _ links.Link) (store.Change, error) {
		token = strings.TrimPrefix(url, host+"/l/")
		return store.Change{}, nil
	})
	if err != nil || token == "" {
		t.Fatal(token, err)
	}
	return l, token
}

func (h *house) told() []tandem.LinkState {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]tandem.LinkState{}, h.changes...)
}

// browser keeps cookies and sends what a browser does.
type browser struct {
	h       http.Handler
	cookies map[string]string
	agent   string
	langs   string
	address string
}

func (h *house) browser() *browser {
	return &browser{h: h, cookies: map[string]string{}, agent: "Chromium/140", langs: "en-GB,en;q=0.9", address: "192.0.2.1"}
}

type response struct {
	*httptest.ResponseRecorder
	text string
}

func (b *browser) send(method, target string, form url.Values, change ...func(*http.Request)) response {
	var r *http.Request
	if form == nil {
		r = httptest.NewRequest(method, target, nil)
	} else {
		r = httptest.NewRequest(method, target, strings.NewReader(form.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Origin", "null")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	r.Header.Set("User-Agent", b.agent)
	r.Header.Set("Accept-Language", b.langs)
	r.Header.Set("X-Test-Address", b.address)
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	for _, f := range change {
		f(r)
	}
	w := httptest.NewRecorder()
	b.h.ServeHTTP(w, r)
	for _, c := range w.Result().Cookies() {
		b.cookies[c.Name] = c.Value
	}
	return response{w, w.Body.String()}
}

func (b *browser) get(target string) response { return b.send("GET", target, nil) }

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

// sealed are the hidden inputs of a page.
func (a response) sealed() url.Values {
	v := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(a.text, -1) {
		v.Set(m[1], strings.ReplaceAll(m[2], "&#43;", "+"))
	}
	return v
}

// press opens a link as a person does and returns the answer to the press.
func (b *browser) press(token string, change ...func(*http.Request)) response {
	return b.send("POST", "/l", b.get("/l/"+token).sealed(), change...)
}

// opened opens a link and returns its page's address.
func (b *browser) opened(t testing.TB, token string) string {
	t.Helper()
	a := b.press(token)
	to := a.Header().Get("Location")
	if a.Code != 303 || !strings.HasPrefix(to, "o/") {
		t.Fatalf("%d to %q: %s", a.Code, to, a.text)
	}
	return "/" + to
}

// does sends a page's form with more values.
func (b *browser) does(page string, with url.Values, change ...func(*http.Request)) response {
	form := b.get(page).sealed()
	for name, values := range with {
		form[name] = values
	}
	return b.send("POST", strings.Split(page, "?")[0], form, change...)
}

// good is an answer to every field.
func good() url.Values {
	return url.Values{
		"act": {"done"}, "f2-user": {"li"}, "f2-card": {"6222 0200"}, "f2-people": {"3"}, "f2-rate": {""}, "f2-amount": {"1,200.50"}, "f2-day": {"2026-12-01"},
		"f2-hour": {"09:30"}, "f2-abroad": {"false"}, "f2-phone": {"+86 138-0000-0000"}, "f2-mail": {"li@example.com"}, "f2-kind": {"gold"}, "f2-branch": {"harbour"},
	}
}

func has(t testing.TB, a response, status int, parts ...string) {
	t.Helper()
	if a.Code != status {
		t.Errorf("status %d, want %d: %s", a.Code, status, a.text)
	}
	for _, part := range parts {
		if !strings.Contains(a.text, part) {
			t.Errorf("%q is missing in %s", part, a.text)
		}
	}
}

func address(s string) netip.Addr { a, _ := netip.ParseAddr(s); return a }

func hex(n int) string { return strconv.FormatInt(int64(n), 16) }

func ids(n int) string { return fmt.Sprint("k", n) }

func minutes(n int) time.Duration { return time.Duration(n) * time.Minute }

// picture is a PNG of one pixel.
var picture = func() []byte {
	data, err := base64.StdEncoding.DecodeString("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
	if err != nil {
		panic(err)
	}
	return data
}()
