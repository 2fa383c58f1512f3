package chat

import (
	"context"
	"crypto/tls"
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

// A client may say that it read what it has, also where that came by an earlier socket.
func TestReadAfterResume(t *testing.T) {
	h := newHouse(t, nil)
	w, _, token := h.begun()
	w.cut()
	w = h.dial(map[string]any{"site": "bank", "token": token, "after": 1})
	w.untilKind(kindCaughtUp)
	w.send(map[string]any{"t": kindRead, "seq": 1})
	if f := w.next(kindMessage); f.Seq != 1 || f.State != "read" || f.Rev != 2 {
		t.Errorf("%+v", f)
	}
	w.cut()
	w = h.dial(map[string]any{"site": "bank", "token": token, "after": 900}) // it knows another past
	w.next(kindWelcome)
	if f := w.next(kindMessage); f.Rev != 2 {
		t.Errorf("%+v", f)
	}
	if f := w.next(kindCaughtUp); f.Rev != 2 {
		t.Errorf("%+v", f)
	}
	w.cut()
}

func TestDoubledSay(t *testing.T) {
	h := newHouse(t, nil)
	w, id, token := h.begun()
	for range 3 {
		w.send(map[string]any{"t": kindSay, "id": "a", "text": "once"})
		w.until("its frame", func(f frame) bool { return f.ID == "a" && f.message.Text == "once" && f.Seq == 2 })
	}
	w.cut()
	w = h.dial(map[string]any{"site": "bank", "token": token, "after": 3})
	w.untilKind(kindCaughtUp)
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "another text"})
	if f := w.next(kindMessage); f.ID != "a" || f.message.Text != "once" || f.Seq != 2 {
		t.Errorf("%+v", f)
	}
	if all := h.list(id); len(all) != 3 {
		t.Errorf("%d messages", len(all))
	}
	w.cut()
}

// What changed without being published comes before what is.
func TestNothingIsLeftOut(t *testing.T) {
	h := newHouse(t, nil)
	w, id, _ := h.begun()
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "one"})
	w.until("the answer", func(f frame) bool { return f.Seq == 3 })
	silent, err := chat.New(chat.Options{Database: h.db, Journal: h.db, Blind: h.place.Keys.Blind, Now: h.now, Random: h.random})
	h.must(err)
	h.must(silent.Mark(t.Context(), id, 1, tandem.MessageDelivered, "")) // rev 4
	h.must(silent.Mark(t.Context(), id, 2, tandem.MessageRead, ""))      // rev 5
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "one"})
	for _, want := range []uint64{4, 5} {
		if f := w.next(kindMessage); f.Rev != want {
			t.Errorf("%+v, want rev %d", f, want)
		}
	}
	h.must(silent.Mark(t.Context(), id, 3, tandem.MessageDelivered, "")) // rev 6
	h.must(h.book.Mark(t.Context(), id, 1, tandem.MessageRead, ""))      // rev 7, published
	for _, want := range []uint64{6, 7} {
		if f := w.next(kindMessage); f.Rev != want {
			t.Errorf("%+v, want rev %d", f, want)
		}
	}
	h.flow.mute = true // whoever answers forgets to publish: the message is acknowledged all the same
	w.send(map[string]any{"t": kindSay, "id": "b", "text": "two"})
	w.until("its frame", func(f frame) bool { return f.ID == "b" })
	w.cut()
}

// A stranger who is cut off in the first word has one conversation, not two.
func TestStrangerComesBack(t *testing.T) {
	h := newHouse(t, nil)
	old := h.dial(map[string]any{"site": "bank"})
	token := old.next(kindWelcome).Token
	old.next(kindCaughtUp)
	// The line is cut, and the server has not noticed.
	w := h.dial(map[string]any{"site": "bank", "token": token})
	if f := w.next(kindWelcome); f.Token != token || f.Conversation != "" {
		t.Fatalf("%+v", f)
	}
	w.next(kindCaughtUp)
	old.send(map[string]any{"t": kindSay, "id": "a", "text": "late"})
	if code, reason := old.closed(); code != websocket.StatusTryAgainLater || reason != "elsewhere" {
		t.Errorf("%d %q", code, reason)
	}
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "hello"})
	id := w.next(kindWelcome).Conversation
	w.next(kindMessage)
	if all := h.list(id); all[0].Message.Text != "hello" {
		t.Errorf("%+v", all)
	}
	w.cut()
	third := h.dial(map[string]any{"site": "bank", "token": token})
	if f := third.next(kindWelcome); f.Conversation != id {
		t.Errorf("%+v", f)
	}
	third.cut()
	stranger := h.dial(map[string]any{"site": "bank"})
	gone := stranger.next(kindWelcome).Token
	stranger.cut()
	h.eventually("the stranger is forgotten", func() bool { return h.door.stranger(gone) == nil })
	if code, reason := h.dial(map[string]any{"site": "bank", "token": gone}).closed(); code != websocket.StatusPolicyViolation || reason != "token" {
		t.Errorf("%d %q", code, reason)
	}
	h.eventually("all strangers are forgotten", func() bool {
		h.door.mu.Lock()
		defer h.door.mu.Unlock()
		return len(h.door.strangers) == 0
	})
}

func (h *house) eventually(what string, is func() bool) {
	h.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			h.Fatal("it never happens that ", what)
		}
	}
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

// A fault of ours ends its own socket, and is counted.
func TestPanicEndsItsSocketOnly(t *testing.T) {
	var panics atomic.Int64
	h := newHouse(t, func(o *Options) { o.Panicked = func() { panics.Add(1) } })
	other, _, _ := h.begun()
	w, _, _ := h.begun()
	h.flow.before = func(s Said) error {
		if s.Text == "bang" {
			panic("bang")
		}
		return nil
	}
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "bang"})
	if code, reason := w.closed(); code != websocket.StatusInternalError || reason != "fault" {
		t.Errorf("%d %q", code, reason)
	}
	other.send(map[string]any{"t": kindSay, "id": "a", "text": "fine"})
	other.next(kindMessage)
	other.cut()
	if panics.Load() != 1 || !strings.Contains(h.log.String(), "a fault of ours") {
		t.Errorf("%d panics are counted", panics.Load())
	}
	h.log.b.Reset()
}

func TestAddressesAreBounded(t *testing.T) {
	now := time.Now()
	h := newHouse(t, func(o *Options) {
		o.Limits = Limits{SocketsPerAddress: 3, ConversationsPerHour: 2}
		o.Now = func() time.Time { return now }
	})
	var open []*wire
	for n := range 3 {
		w := h.dial(map[string]any{"site": "bank"})
		w.next(kindWelcome)
		w.next(kindCaughtUp)
		w.send(map[string]any{"t": kindOpen})
		f := w.next()
		if n < 2 && f.T != kindWelcome || n == 2 && (f.Code != codeFull || f.RetryAfter < 60) {
			t.Errorf("conversation %d: %+v", n+1, f)
		}
		open = append(open, w)
	}
	if _, resp, err := h.connect(pageOrigin); err == nil || resp.StatusCode != 429 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("a fourth socket: %v %v", resp, err)
	}
	open[0].cut()
	h.eventually("there is room", func() bool {
		w, _, err := h.connect(pageOrigin)
		if err == nil {
			w.cut()
		}
		return err == nil
	})
	open[1].cut()
	open[2].cut()
}

func TestFullServer(t *testing.T) {
	h := newHouse(t, func(o *Options) { o.Limits.Sockets = 1 })
	w, _, _ := h.begun()
	second, _, err := h.connect(pageOrigin)
	h.must(err)
	if code, reason := second.closed(); code != websocket.StatusTryAgainLater || reason != "full" {
		t.Errorf("%d %q", code, reason)
	}
	w.cut()
}

func TestDrainingServer(t *testing.T) {
	var draining atomic.Bool
	h := newHouse(t, func(o *Options) {
		o.Ready = func() error {
			if draining.Load() {
				return errors.New("draining")
			}
			return nil
		}
	})
	w, _, _ := h.begun()
	draining.Store(true)
	if _, resp, err := h.connect(pageOrigin); err == nil || resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("%v %v", resp, err)
	}
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "I was here before"})
	w.next(kindMessage)
	w.next(kindMessage)
	ended := make(chan error)
	go func() { ended <- h.door.Close(context.Background()) }()
	if code, reason := w.closed(); code != websocket.StatusServiceRestart || reason != "restart" {
		t.Errorf("%d %q", code, reason)
	}
	h.must(<-ended)
	draining.Store(false)
	late, _, err := h.connect(pageOrigin)
	h.must(err)
	if code, _ := late.closed(); code != websocket.StatusTryAgainLater {
		t.Errorf("a socket after the end: %d", code)
	}
}

// A client that is gone without a word does not hold up the end for long.
func TestCloseDoesNotWaitForTheDead(t *testing.T) {
	h := newHouse(t, nil)
	w, _, _ := h.begun() // never reads again
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	begun := time.Now()
	if err := h.door.Close(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
	w.cut()
}

func TestSilentClientIsPinged(t *testing.T) {
	h := newHouse(t, nil)
	h.door.times.ping, h.door.times.pong = 20*time.Millisecond, time.Second
	alive, _, _ := h.begun()
	dead, _, _ := h.begun() // never reads, so it answers no ping
	go func() {
		for {
			if _, err := alive.tryNext(); err != nil {
				return
			}
		}
	}()
	h.eventually("only the living one is left", func() bool {
		h.door.mu.Lock()
		defer h.door.mu.Unlock()
		return len(h.door.sockets) == 1
	})
	before := alive.pings.Load()
	h.eventually("the living one is pinged again and again", func() bool { return alive.pings.Load() >= before+5 })
	alive.send(map[string]any{"t": kindPing})
	h.door.mu.Lock()
	if len(h.door.sockets) != 1 {
		t.Errorf("%d sockets", len(h.door.sockets))
	}
	h.door.mu.Unlock()
	alive.cut()
	dead.cut()
}

// slowDial connects with small buffers, so that a client that does not read is noticed.
func (h *house) slowDial() *wire {
	h.Helper()
	dialer := &net.Dialer{}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSNextProto: map[string]func(string, *tls.Conn) http.RoundTripper{},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			c, err := dialer.DialContext(ctx, network, address)
			if err == nil {
				err = c.(*net.TCPConn).SetReadBuffer(4096)
			}
			return c, err
		}}}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(h.url, "http")+"/api/v1/chat/socket",
		&websocket.DialOptions{Subprotocols: []string{protocol}, HTTPHeader: http.Header{"Origin": {pageOrigin}}, HTTPClient: client})
	h.must(err)
	conn.SetReadLimit(1 << 20)
	return &wire{h: h, conn: conn}
}

func (h *house) sockets() int {
	h.door.mu.Lock()
	defer h.door.mu.Unlock()
	return len(h.door.sockets)
}

// A reader that is too slow is closed, holds up nobody, and resumes without a gap.
func TestSlowReader(t *testing.T) {
	h := newHouse(t, nil)
	h.door.times.write = 2 * time.Second
	quick, id, token := h.begun()
	slow := h.slowDial()
	slow.send(map[string]any{"t": kindHello, "site": "bank", "token": token})
	slow.untilKind(kindCaughtUp) // and reads no more
	long := strings.Repeat("x", 60_000)
	h.flow.replies = 20
	h.flow.reply = func(string, int) tandem.Message { return tandem.Message{Text: long} }
	for said := range 8 { // 10 MB: more than lies in any buffer
		quick.send(map[string]any{"t": kindSay, "id": fmt.Sprint("n", said), "text": "more"})
		last := uint64(1 + (h.flow.replies+1)*(said+1))
		quick.until("the last answer", func(f frame) bool { return f.Seq == last })
	}
	h.eventually("the slow one is closed", func() bool { return h.sockets() == 1 })
	slow.cut()
	slow = h.dial(map[string]any{"site": "bank", "token": token, "after": 1})
	slow.next(kindWelcome)
	rev := uint64(1)
	slow.until("the end of the backlog", func(f frame) bool {
		if f.T == kindMessage {
			if f.Rev != rev+1 {
				t.Fatalf("rev %d after %d", f.Rev, rev)
			}
			rev = f.Rev
		}
		return f.T == kindCaughtUp
	})
	if want := uint64(len(h.list(id))); rev != want {
		t.Errorf("it has %d of %d", rev, want)
	}
	slow.cut()
	quick.cut()
}

// Frames that cannot be read again, more than fit, close the socket with a code of its own.
func TestFullQueue(t *testing.T) {
	h := newHouse(t, nil)
	w, _, _ := h.begun()
	var s *socket
	h.door.mu.Lock()
	for s = range h.door.sockets {
	}
	h.door.mu.Unlock()
	s.mu.Lock()
	s.writing = true // a writer that is held up
	s.mu.Unlock()
	for n := range 200 { // changes of messages take no more room
		if !s.push(&chat.Entry{Rev: uint64(n + 2)}) {
			t.Fatalf("change %d finds no room", n)
		}
	}
	fits := 0
	for s.push(bare{kindPong}) {
		fits++
	}
	if fits != maxQueued-maxReady-1 {
		t.Errorf("%d frames fit beside the changes", fits)
	}
	if code, reason := w.closed(); code != closeSlow || reason != "slow" {
		t.Errorf("%d %q", code, reason)
	}
}

// More messages than a queue holds, marked at once, do not close a socket that reads.
func TestManyReceiptsAtOnce(t *testing.T) {
	h := newHouse(t, nil)
	h.flow.replies = 300
	w, _, _ := h.begun()
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "b"})
	w.until("the last", func(f frame) bool { return f.Seq == 302 })
	w.send(map[string]any{"t": kindRead, "seq": 302})
	w.until("all read", func(f frame) bool { return f.Seq == 302 && f.State == "read" })
	w.cut()
}
