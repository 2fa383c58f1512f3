package chat

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tandem"
	"tandem/bridge/chat"
	"tandem/store"
)

func TestWelcome(t *testing.T) {
	h := newHouse(t, nil)
	for _, c := range []struct {
		hello map[string]any
		lang  string
		place string
	}{
		{map[string]any{"site": "bank"}, "en", ""},
		{map[string]any{"site": "bank", "langs": []string{"fr", "zh-Hans", "en"}}, "zh-CN", ""},
		{map[string]any{"site": "bank", "langs": []string{"EN-gb"}}, "en", ""},
		{map[string]any{"qr": "DESK-7", "langs": []string{"zh-CN"}}, "zh-CN", "Desk 7"},
	} {
		w := h.dial(c.hello)
		f := w.next(kindWelcome)
		if f.Lang != c.lang || f.Place != c.place || f.Conversation != "" || len(f.Token) != 22 || f.Rev != 0 ||
			f.Site.Title["zh-CN"] != "海港银行" || !f.Site.CallBack || len(f.Site.Languages) != 2 {
			t.Errorf("%v: %+v", c.hello, f)
		}
		if f := w.next(kindCaughtUp); f.Rev != 0 {
			t.Errorf("%+v", f)
		}
		w.cut()
	}
}

func TestConversationIsMadeByTheFirstWord(t *testing.T) {
	h := newHouse(t, nil)
	w := h.dial(map[string]any{"qr": "DESK-7", "langs": []string{"zh-CN"}})
	token := w.next(kindWelcome).Token
	w.next(kindCaughtUp)
	w.send(`{"t":"read","seq":1}{`) // no frame, and nothing to read
	w.next(kindRefused)
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "hello"})
	f := w.next(kindWelcome)
	if f.Token != token || f.Conversation == "" || f.Place != "Desk 7" {
		t.Fatalf("%+v", f)
	}
	own := w.next(kindMessage)
	if own.ID != "a" || own.message.Text != "hello" || own.Seq != 1 || own.From != tandem.SenderCustomer || own.State != "sent" {
		t.Errorf("%+v", own)
	}
	if answer := w.next(kindMessage); answer.message.Text != "re: hello" || answer.Seq != 2 || answer.ID != "" {
		t.Errorf("%+v", answer)
	}
	c, err := h.book.Find(t.Context(), f.Conversation)
	if err != nil || c.Entry != "qr:DESK-7" || c.Channel != tandem.Chat || c.Lang != "zh-CN" {
		t.Errorf("%+v, %v", c, err)
	}
	w.send(map[string]any{"t": kindBegin}) // there is one: nothing to tell
	w.send(map[string]any{"t": kindPing})
	w.next(kindPong)
	w.cut()
}

func TestOrigins(t *testing.T) {
	h := newHouse(t, nil)
	port := h.server.Listener.Addr().(*net.TCPAddr).Port
	for _, c := range []struct {
		origin, site string
		status       int    // of the upgrade; 0 = it is made
		reason       string // the socket is closed with 1008
	}{
		{pageOrigin, "bank", 0, ""},
		{"", "bank", 0, ""},
		{"", "shop", 0, ""},
		{"https://shop.example:8443", "shop", 0, ""},
		{pageOrigin, "shop", 0, "origin"},
		{"https://shop.example:8443", "bank", 0, "origin"},
		{pageOrigin, "nowhere", 0, "site"},
		{pageOrigin, "", 0, "site"},
		{"none", "bank", 403, ""},
		{"null", "bank", 403, ""},
		{" ", "bank", 403, ""},
		{"http://www.bank.example", "bank", 0, "origin"},
		{"https://www.bank.example:8443", "bank", 0, "origin"},
		{"https://www.bank.example:443", "bank", 403, ""}, // no browser writes it so
		{"https://shop.example", "shop", 0, "origin"},
		{"https://bank.example", "bank", 0, "origin"},
		{"https://a.www.bank.example", "bank", 0, "origin"},
		{"https://www.bank.example.evil.example", "bank", 0, "origin"},
		{"https://evilwww.bank.example", "bank", 0, "origin"},
		{"https://www.bank.example@evil.example", "bank", 403, ""},
		{"https://evil.example/https://www.bank.example", "bank", 403, ""},
		{"https://evil.example#https://www.bank.example", "bank", 403, ""},
		{"https://www.bank.example/", "bank", 403, ""},
		{"https://WWW.bank.example", "bank", 0, ""},
		{"https://www.bank.example.", "bank", 0, "origin"},
		{"https://www.bank.example, https://evil.example", "bank", 403, ""},
		{"file://", "bank", 403, ""},
		{fmt.Sprintf("http://localhost:%d", port), "bank", 0, "origin"}, // the request went to 127.0.0.1
		{fmt.Sprintf("http://127.0.0.1:%d", port+1), "bank", 0, "origin"},
		{fmt.Sprintf("https://127.0.0.1:%d", port), "bank", 0, "origin"},
	} {
		w, resp, err := h.connect(c.origin)
		if c.status != 0 {
			if err == nil || resp == nil || resp.StatusCode != c.status {
				t.Errorf("origin %q: %v %v", c.origin, resp, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("origin %q: %v", c.origin, err)
			continue
		}
		w.send(map[string]any{"t": kindHello, "site": c.site})
		if c.reason == "" {
			w.next(kindWelcome)
		} else if code, reason := w.closed(); code != websocket.StatusPolicyViolation || reason != c.reason {
			t.Errorf("origin %q at %s: %d %q", c.origin, c.site, code, reason)
		}
		w.cut()
	}
	// Two of them, one of which is listed.
	r, _ := http.NewRequest("GET", h.url+"/api/v1/chat/socket", nil)
	r.Header["Origin"] = []string{pageOrigin, "https://evil.example"}
	for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
		"Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol": protocol} {
		r.Header.Set(k, v)
	}
	resp, err := http.DefaultClient.Do(r)
	h.must(err)
	resp.Body.Close()
	if resp.StatusCode != 403 {
		t.Errorf("two origins: %s", resp.Status)
	}
}

func TestSubprotocolIsAskedFor(t *testing.T) {
	h := newHouse(t, nil)
	_, resp, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(h.url, "http")+"/api/v1/chat/socket",
		&websocket.DialOptions{Subprotocols: []string{"tandem.chat.2"}, HTTPHeader: http.Header{"Origin": {pageOrigin}}})
	if err == nil || resp.StatusCode != 400 {
		t.Errorf("%v %v", resp, err)
	}
	resp, err = http.Get(h.url + "/api/v1/chat/socket") // no upgrade at all
	h.must(err)
	resp.Body.Close()
	if resp.StatusCode != 403 { // it has no origin
		t.Errorf("%s", resp.Status)
	}
}

func TestHelloComesFirst(t *testing.T) {
	h := newHouse(t, nil)
	h.door.times.hello = 50 * time.Millisecond
	w, _, err := h.connect(pageOrigin)
	h.must(err)
	if code, reason := w.closed(); code != websocket.StatusPolicyViolation || reason != "hello" {
		t.Errorf("silence: %d %q", code, reason)
	}
	h.door.times.hello = 5 * time.Second
	for _, first := range []string{`{"t":"open"}`, `{"t":"say","id":"a","text":"b"}`, `{"t":"what"}`} {
		w, _, err := h.connect(pageOrigin)
		h.must(err)
		w.send(first)
		if code, reason := w.closed(); code != websocket.StatusPolicyViolation || reason != "hello" {
			t.Errorf("%s: %d %q", first, code, reason)
		}
	}
}

func TestForeignTokens(t *testing.T) {
	h := newHouse(t, nil)
	w, id, token := h.begun()
	w.cut()
	flipped := "A" + token[1:]
	if token[0] == 'A' {
		flipped = "B" + token[1:]
	}
	for _, c := range []struct {
		origin, token, site, reason string
	}{
		{pageOrigin, token, "bank", ""},
		{pageOrigin, token, "", ""},
		{"", token, "bank", ""},
		{"", token, "shop", ""}, // the server's own page shows whatever the token opens
		{pageOrigin, flipped, "bank", "token"},
		{pageOrigin, strings.Repeat("A", 22), "bank", "token"},
		{pageOrigin, "' OR ''='", "bank", "token"},
		{pageOrigin, string(id), "bank", "token"},
		{pageOrigin, token, "shop", "token"},
		{"https://shop.example:8443", token, "shop", "token"},
		{"https://shop.example:8443", token, "", "origin"},
	} {
		w, _, err := h.connect(c.origin)
		h.must(err)
		w.send(map[string]any{"t": kindHello, "site": c.site, "token": c.token})
		if c.reason != "" {
			if code, reason := w.closed(); code != websocket.StatusPolicyViolation || reason != c.reason {
				t.Errorf("%+v: %d %q", c, code, reason)
			}
			continue
		}
		if f := w.next(kindWelcome); f.Conversation != id || f.Token != "" || f.Rev != 1 {
			t.Errorf("%+v: %+v", c, f)
		}
		w.cut()
	}
	if strings.Contains(h.log.String(), token) || strings.Contains(h.log.String(), flipped) {
		t.Error("a token is in the log")
	}
}

// Whoever guesses tokens is soon not answered any more.
func TestGuessingIsBounded(t *testing.T) {
	now := time.Now()
	h := newHouse(t, func(o *Options) { o.Now = func() time.Time { return now } })
	for n := range 40 {
		w := h.dial(map[string]any{"site": "bank", "token": fmt.Sprintf("%022d", n)})
		code, reason := w.closed()
		if n < 30 && reason != "token" || n >= 30 && (code != websocket.StatusTryAgainLater || reason != "later") {
			t.Fatalf("guess %d: %d %q", n, code, reason)
		}
	}
}

func TestBadFrames(t *testing.T) {
	h := newHouse(t, nil)
	w, id, _ := h.begun()
	for _, f := range []string{
		`{"t":"sey","id":"a","text":"b"}`, `{"t":"hello","site":"bank"}`, `{"t":"welcome"}`, `{"t":"message","seq":1,"text":"forged"}`,
		`{"t":"say","id":"","text":"b"}`, `{"t":"say","text":"b"}`, `{"t":"say","id":"a b","text":"b"}`, `{"t":"say","id":"flow:x","text":"b"}`,
		`{"t":"say","id":"` + strings.Repeat("a", 65) + `","text":"b"}`, `{"t":"say","id":"a","text":""}`, `{"t":"say","id":"a","text":" \n\t "}`,
		`{"t":"say","id":"a","text":7}`, `{"t":"say","id":["a"],"text":"b"}`, `{"t":"say","id":"a","attachment":"nothing"}`,
		`{"t":"read","seq":-1}`, `{"t":"read","seq":1e999}`, `{"t":"read","seq":18446744073709551616}`, `{"t":"got","seq":"1"}`,
		``, ` `, `null`, `[]`, `"say"`, `7`, `{}`, `{"t":null}`, `{"t":""}`, `{`, `{"t":"say"`, "\x00", "\xff\xfe", `{"t":"say"}{"t":"say"}`,
		strings.Repeat(`[`, 60_000), strings.Repeat(`{"t":`, 10_000), `{"t":"ping","x":` + strings.Repeat(`[`, 30_000) + strings.Repeat(`]`, 30_000) + `}`,
	} {
		w.send(f)
		if r := w.next(kindRefused); r.Code != codeBad || r.Message["en"] == "" || r.Message["zh-CN"] == "" {
			t.Errorf("%.60s: %+v", f, r)
		}
	}
	w.send(`{"t":"ping","newer":{"fields":[1,2]},"T":"ping"}`) // what it does not know it leaves alone
	w.next(kindPong)
	w.send(map[string]any{"t": kindTyping, "on": true})
	w.send(map[string]any{"t": kindGot, "seq": 1 << 60})
	w.next(kindMessage)
	if all := h.list(id); len(all) != 1 {
		t.Errorf("%d messages are kept", len(all))
	}
	w.cut()
}

func TestFramesThatEndTheSocket(t *testing.T) {
	h := newHouse(t, func(o *Options) {
		now := time.Now()
		o.Now = func() time.Time { return now }
	})
	w, _, _ := h.begun()
	h.must(w.conn.Write(t.Context(), websocket.MessageBinary, []byte(`{"t":"ping"}`)))
	if code, _ := w.closed(); code != websocket.StatusUnsupportedData {
		t.Errorf("a binary frame: %d", code)
	}
	w, _, _ = h.begun()
	_ = w.trySend(`{"t":"ping","x":"` + strings.Repeat("x", maxFrame) + `"}`)
	if code, _ := w.closed(); code != websocket.StatusMessageTooBig {
		t.Errorf("an oversized frame: %d", code)
	}
	w, _, _ = h.begun()
	go func() {
		for range 200 {
			if w.trySend(`{"t":"typing"}`) != nil {
				return
			}
		}
	}()
	if code, reason := w.closed(); code != websocket.StatusPolicyViolation || reason != "flood" {
		t.Errorf("a flood: %d %q", code, reason)
	}
}

func TestLongTexts(t *testing.T) {
	h := newHouse(t, nil)
	w, _, _ := h.begun()
	long := strings.Repeat("海", maxText)
	w.send(map[string]any{"t": kindSay, "id": "a", "text": long})
	if f := w.next(kindMessage); f.message.Text != long {
		t.Error("4,000 characters did not come back as they were")
	}
	w.next(kindMessage)
	w.send(map[string]any{"t": kindSay, "id": "b", "text": long + "."})
	if f := w.next(kindRefused); f.Code != codeTooLong || f.ID != "b" {
		t.Errorf("%+v", f)
	}
	w.cut()
}

func TestMessagesAreRated(t *testing.T) {
	var now atomic.Int64
	now.Store(time.Now().UnixNano())
	h := newHouse(t, func(o *Options) { o.Now = func() time.Time { return time.Unix(0, now.Load()) } })
	h.flow.replies = 0
	w, id, token := h.begun()
	say := func(w *wire, n int) { w.send(map[string]any{"t": kindSay, "id": fmt.Sprint("n", n), "text": "x"}) }
	for n := range 10 {
		say(w, n)
		w.next(kindMessage)
	}
	other := h.dial(map[string]any{"site": "bank", "token": token}) // another socket does not help
	other.untilKind(kindCaughtUp)
	for n, w := range []*wire{w, other} {
		say(w, 10+n)
		if f := w.until("a refusal", func(f frame) bool { return f.T == kindRefused }); f.Code != codeTooFast || f.RetryAfter != 1 || f.ID != fmt.Sprint("n", 10+n) {
			t.Errorf("%+v", f)
		}
	}
	now.Add(int64(time.Second))
	say(w, 10)
	w.next(kindMessage)
	say(w, 11)
	w.next(kindRefused)
	if all := h.list(id); len(all) != 12 { // and the welcome
		t.Errorf("%d messages are kept", len(all))
	}
	w.cut()
	other.cut()
}

func TestLanguageIsChanged(t *testing.T) {
	h := newHouse(t, nil)
	w := h.dial(map[string]any{"site": "bank", "langs": []string{"en"}})
	w.next(kindWelcome)
	w.next(kindCaughtUp)
	w.send(map[string]any{"t": kindLang, "lang": "zh-Hans"}) // before there is a conversation
	w.send(map[string]any{"t": kindBegin})
	f := w.next(kindWelcome)
	if f.Lang != "zh-CN" {
		t.Fatalf("%+v", f)
	}
	for _, c := range []struct {
		asked any
		want  string
	}{{"en", "en"}, {"fr", "en"}, {"", "en"}, {"zh-CN", "zh-CN"}} {
		w.send(map[string]any{"t": kindLang, "lang": c.asked})
		w.send(map[string]any{"t": kindPing})
		w.next(kindPong)
		if got, err := h.book.Find(t.Context(), f.Conversation); err != nil || got.Lang != c.want {
			t.Errorf("after %q the conversation speaks %q, %v", c.asked, got.Lang, err)
		}
	}
	w.cut()
}

func TestTyping(t *testing.T) {
	var now atomic.Int64
	now.Store(time.Now().UnixNano())
	h := newHouse(t, func(o *Options) { o.Now = func() time.Time { return time.Unix(0, now.Load()) } })
	w, id, _ := h.begun()
	seen := make(chan chat.Frame, 100)
	agent, err := h.book.Subscribe(id, func(f chat.Frame) bool { seen <- f; return true })
	h.must(err)
	defer agent.Close()
	for range 10 {
		w.send(map[string]any{"t": kindTyping, "on": true})
	}
	w.send(map[string]any{"t": kindPing})
	w.next(kindPong) // all were read, and none came back
	if n := len(seen); n != 2 {
		t.Errorf("%d of 10 at once are passed on", n)
	}
	if f := <-seen; f != (chat.Typing{From: tandem.SenderCustomer, On: true}) {
		t.Errorf("%+v", f)
	}
	h.book.Publish(id, chat.Typing{From: tandem.SenderAgent, Name: "Mei", On: true}, chat.Over{})
	if f := w.next(kindTyping); f.From != tandem.SenderAgent || f.Name != "Mei" || !f.On {
		t.Errorf("%+v", f)
	}
	w.next(kindOver)
	w.cut()
}

func TestTwoDevices(t *testing.T) {
	h := newHouse(t, nil)
	one, id, _ := h.begun()
	token, err := h.book.Token(t.Context(), id)
	h.must(err)
	two := h.dial(map[string]any{"site": "bank", "token": token})
	if f := two.next(kindWelcome); f.Conversation != id || f.Rev != 1 {
		t.Errorf("%+v", f)
	}
	if f := two.next(kindMessage); f.message.Text != "welcome" {
		t.Errorf("%+v", f)
	}
	two.next(kindCaughtUp)
	one.send(map[string]any{"t": kindSay, "id": "a", "text": "from one"})
	two.until("what one said", func(f frame) bool { return f.message.Text == "from one" && f.ID == "a" })
	two.send(map[string]any{"t": kindSay, "id": "b", "text": "from two"})
	one.until("what two said", func(f frame) bool { return f.message.Text == "from two" })
	two.until("the answer", func(f frame) bool { return f.message.Text == "re: from two" })
	two.send(map[string]any{"t": kindGot, "seq": 5})
	one.until("delivered", func(f frame) bool { return f.Seq == 5 && f.State == "delivered" })
	two.send(map[string]any{"t": kindRead, "seq": 5})
	for _, w := range []*wire{one, two} {
		w.until("read", func(f frame) bool { return f.Seq == 5 && f.State == "read" })
	}
	two.send(map[string]any{"t": kindRead, "seq": 4}) // known: nothing is told
	two.send(map[string]any{"t": kindGot, "seq": 5})
	two.send(map[string]any{"t": kindPing})
	two.next(kindPong)
	for _, e := range h.list(id) {
		if want := map[bool]tandem.MessageState{true: tandem.MessageSent, false: tandem.MessageRead}[e.Message.From == tandem.SenderCustomer]; e.State != want {
			t.Errorf("message %d is %s", e.Message.Seq, e.State)
		}
	}
	one.cut()
	two.cut()
}

func TestRefusedByTheFlow(t *testing.T) {
	h := newHouse(t, nil)
	w, id, _ := h.begun()
	var answer error
	h.flow.before = func(s Said) error {
		if s.Address != "127.0.0.1" {
			t.Errorf("the address is %q", s.Address)
		}
		return answer
	}
	for _, c := range []struct {
		err   error
		code  string
		again bool
	}{
		{chat.ErrNoSecret, codeNotNow, false},
		{fmt.Errorf("kept: %w", store.ErrUnavailable), codeNotNow, true},
		{errors.New("broken"), codeNotNow, true},
		{fmt.Errorf("who: %w", store.ErrErased), codeClosed, false},
	} {
		answer = c.err
		w.send(map[string]any{"t": kindSay, "id": "pin", "text": "4711", "secret": true})
		if f := w.next(kindRefused); f.Code != c.code || f.ID != "pin" || (f.RetryAfter > 0) != c.again {
			t.Errorf("%v: %+v", c.err, f)
		}
	}
	if all := h.list(id); len(all) != 1 {
		t.Errorf("%d messages", len(all))
	}
	if strings.Contains(h.log.String(), "4711") {
		t.Error("what was typed is in the log")
	}
	answer = nil
	w.send(map[string]any{"t": kindSay, "id": "pin", "text": "••••", "secret": true})
	if f := w.next(kindMessage); !f.Secret {
		t.Errorf("%+v", f)
	}
	w.cut()
}
