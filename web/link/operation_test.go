package link

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tandem"
	links "tandem/bridge/link"
	"tandem/ivr/flow/expression"
)

func TestOperation(t *testing.T) {
	h := newHouse(t, nil)
	_, token := h.token(t, h.order("k"))
	b := h.browser()
	page := b.opened(t, token)
	a := b.get(page)
	has(t, a, 200, "Set up online banking", "It takes two minutes.", `<img src="../o/`, `name="f2-amount" type="text" value="120.50"`, `>
zhang</textarea>`, `type="checkbox" id="f2-news" name="f2-news" value="true" checked`, "<legend><bdi>Which one?</bdi>", `value="gold" required> <bdi>Gold</bdi>`,
		`<option value="harbour">harbour</option>`, `type="tel"`, `type="email"`, `type="date"`, `type="time"`, `inputmode="decimal"`, `inputmode="numeric"`,
		`autocomplete="tel"`, "From 1 to 5", "Switch it on", "Not now", "about 14 minutes more", `aria-describedby="f2-people-hint"`)
	if strings.Contains(a.text, "<script") {
		t.Error("there is a script on the page")
	}
	// Every field that is asked for has its words, and every id is there once.
	seen := map[string]bool{}
	for _, m := range regexp.MustCompile(` id="([^"]+)"`).FindAllStringSubmatch(a.text, -1) {
		if seen[m[1]] {
			t.Errorf("two things have the id %s", m[1])
		}
		seen[m[1]] = true
	}
	for _, m := range regexp.MustCompile(`<label for="([^"]+)"`).FindAllStringSubmatch(a.text, -1) {
		if !seen[m[1]] {
			t.Errorf("a label is of %s, which is not there", m[1])
		}
	}

	wrong := good()
	wrong.Set("f2-people", "9")
	wrong.Set("f2-mail", "li@")
	wrong.Del("f2-abroad")
	wrong.Del("f2-news")
	a = b.does(page, wrong)
	has(t, a, 422, "<title>Mistake: Set up online banking", "3 answers are not right yet", `role="alert" tabindex="-1" autofocus`, `<a href="#f2-people">`,
		`id="f2-people-error">A whole number from 1 to 5.`, `aria-describedby="f2-people-hint f2-people-error" aria-invalid="true"`, `<a href="#f2-abroad">`, `id="f2-abroad"`,
		"Choose one.", "A mail address, such as name@example.com.", `value="1,200.50"`, `value="9"`, `value="gold" checked`, `value="harbour" selected`)
	if strings.Contains(a.text, `name="f2-news" value="true" checked`) {
		t.Error("what was unticked is ticked again")
	}
	if len(h.told()) != 1 {
		t.Fatalf("told %v", h.told())
	}
	a = b.does(page, good())
	if a.Code != 303 || a.Header().Get("Location") != strings.TrimPrefix(page, "/o/") {
		t.Fatalf("%d %v %s", a.Code, a.Header(), a.text)
	}
	amount, err := expression.ParseNumber("1200.50")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"user": "li", "card": "62220200", "people": 3, "amount": amount, "day": "2026-12-01", "hour": "09:30", "news": false, "abroad": false,
		"phone": "+8613800000000", "mail": "li@example.com", "kind": "gold", "branch": "harbour"}
	if fmt.Sprint(h.fields) != fmt.Sprint(want) {
		t.Errorf("filled in:\n%v, want\n%v", h.fields, want)
	}
	h.said = []string{"I see you have finished.", "Is there anything else?"}
	has(t, b.get(page), 200, "Done", "Online banking is switched on.", "Since then", "Is there anything else?", "Show what is new")
	h.clock.Add(minutes(61))
	has(t, b.get(page), 404, "This link cannot be used")

	// A link that asks for nothing may be in anybody's hands: what is said to a customer
	// who has shown more is not for its page.
	o := h.order("k2")
	o.Assurance = tandem.Verified
	_, token = h.token(t, o)
	page = b.opened(t, token)
	b.does(page, good())
	if a := b.get(page); a.Code != 200 || strings.Contains(a.text, "Is there anything else?") {
		t.Errorf("%d %s", a.Code, a.text)
	}
}

func TestDecline(t *testing.T) {
	h := newHouse(t, nil)
	_, token := h.token(t, h.order("k"))
	b := h.browser()
	page := b.opened(t, token)
	if a := b.does(page, url.Values{"act": {"decline"}}); a.Code != 303 {
		t.Fatal(a.Code)
	}
	has(t, b.get(page), 200, "You chose not to do this now.")
	if a := b.does(page, good()); a.Code != 400 && a.Code != 303 || !slices.Equal(h.told(), []tandem.LinkState{tandem.LinkOpened, tandem.LinkDeclined}) {
		t.Errorf("%d, told %v", a.Code, h.told())
	}
}

func TestLanguages(t *testing.T) {
	h := newHouse(t, nil)
	o := h.order("k")
	o.Lang = "zh-CN"
	_, token := h.token(t, o)
	b := h.browser() // whose own language is English
	page := b.opened(t, token)
	has(t, b.get(page), 200, `<html lang="zh-CN">`, "开通网上银行", "约需两分钟", "确认开通", "暂不办理", "金卡版", "选填", `>English</a>`)
	english := page + "?lang=en"
	has(t, b.get(english), 200, `<html lang="en">`, "Set up online banking", "Switch it on", `name="lang" value="en"`, `>中文</a>`)
	has(t, b.does(english, url.Values{"act": {"done"}}), 422, "Fill this in.", "Choose one.", `name="lang" value="en"`)
	form := good()
	a := b.does(english, form)
	if a.Code != 303 || !strings.HasSuffix(a.Header().Get("Location"), "?lang=en") {
		t.Fatal(a.Code, a.Header())
	}
	has(t, b.get(english), 200, "Online banking is switched on.")
	has(t, b.get(page+"?lang=%22%3E%3Cscript%3E"), 200, `<html lang="zh-CN">`)

	// An operation in a language that the pages do not have words in.
	for _, p := range h.operation.Steps[0].Show.ByLang {
		h.operation.Steps[0].Show.ByLang["fr"] = p
	}
	o.Key, o.Lang = "k2", "fr"
	_, token = h.token(t, o)
	has(t, b.get(b.opened(t, token)), 200, `<html lang="en">`, `<h1 lang="en">`)
}

func TestPicture(t *testing.T) {
	h := newHouse(t, nil)
	_, token := h.token(t, h.order("k"))
	b := h.browser()
	page := b.opened(t, token)
	if a := b.get(page + "/1"); a.Code != 200 || a.Header().Get("Content-Type") != "image/png" || a.Body.Len() != len(picture) {
		t.Errorf("%d %v", a.Code, a.Header())
	}
	has(t, h.browser().get(page+"/1"), 404)
	for _, name := range []string{"/0", "/2", "/3", "/-1", "/x", "/1.png", "/..%2f..%2fcard.png"} {
		has(t, b.get(page+name), 404)
	}
	h.operation.Steps[1].Image = "evil.svg"
	has(t, b.get(page+"/1"), 404)
	h.operation.Steps[1].Image = "gone.png"
	has(t, b.get(page+"/1"), 404)
}

func TestCode(t *testing.T) {
	h := newHouse(t, nil)
	o := h.order("k")
	o.Needs, o.Assurance, o.Told = tandem.Verified, tandem.Verified, true
	l, token := h.token(t, o)
	b := h.browser()
	page := b.opened(t, token)
	a := b.get(page)
	has(t, a, 200, "Is it you?", "six digits that you were told", `autocomplete="one-time-code"`, `inputmode="numeric"`, "Not now")
	for _, leak := range []string{"online", "zhang", "Switch", "Send a new code", l.Code} {
		if strings.Contains(a.text, leak) {
			t.Errorf("before the code the page says %q", leak)
		}
	}
	has(t, b.get(page+"/1"), 404)
	if a := b.does(page, good()); a.Code != 303 || len(h.told()) != 1 {
		t.Errorf("done without the code: %d, told %v", a.Code, h.told())
	}
	has(t, b.does(page, url.Values{"act": {"code"}, "code": {" "}}), 422, "Fill this in.")
	wrong := "123456"
	if l.Code == wrong {
		wrong = "654321"
	}
	has(t, b.does(page, url.Values{"act": {"code"}, "code": {wrong}}), 422, "You can try 4 more times.", `aria-describedby="code-hint code-error" aria-invalid="true"`)
	if a := b.does(page, url.Values{"act": {"code"}, "code": {l.Code[:3] + " " + l.Code[3:]}}); a.Code != 303 {
		t.Fatal(a.Code, a.text)
	}
	has(t, b.get(page), 200, "Set up online banking")
	if a := b.does(page, good()); a.Code != 303 || !slices.Contains(h.told(), tandem.LinkDone) {
		t.Error(a.Code, h.told())
	}

	o.Key = "k2"
	l, token = h.token(t, o)
	page = b.opened(t, token)
	for n := 4; n > 0; n-- {
		has(t, b.does(page, url.Values{"act": {"code"}, "code": {wrongFor(l.Code)}}), 422, "That was not right.")
	}
	has(t, b.does(page, url.Values{"act": {"code"}, "code": {wrongFor(l.Code)}}), 404, "This link cannot be used")
	has(t, b.get(page), 404, "This link cannot be used")
}

func wrongFor(code string) string {
	if code == "123456" {
		return "654321"
	}
	return "123456"
}

// sends is a factor that sends codes.
type sends struct {
	sent  int
	err   error
	words string
}

func (f *sends) Ask(_ context.Context, _ links.Link, lang string) (links.Question, error) {
	if f.err != nil {
		return links.Question{}, f.err
	}
	f.sent++
	if f.words != "" {
		return links.Question{Kind: "text", Words: f.words}, nil
	}
	return links.Question{Kind: "code", Words: "We texted a code to •••• 0000. " + lang, State: json.RawMessage("1")}, nil
}

func (f *sends) Check(_ context.Context, _ links.Link, _ links.Question, typed string) (bool, error) {
	return typed == "4711", f.err
}

func TestFactor(t *testing.T) {
	f := &sends{}
	h := newHouse(t, f)
	o := h.order("k")
	o.Needs = tandem.Verified
	_, token := h.token(t, o)
	b := h.browser()
	page := b.opened(t, token)
	has(t, b.get(page), 200, "We texted a code to •••• 0000. en", "Send a new code")
	has(t, b.get(page), 200, "We texted a code")
	if f.sent != 1 {
		t.Errorf("%d codes were sent", f.sent)
	}
	has(t, b.does(page, url.Values{"act": {"again"}}), 429, "every 30 seconds")
	h.clock.Add(minutes(1))
	has(t, b.does(page, url.Values{"act": {"again"}}), 200, "A new code is on its way.")
	f.err = errors.New("the core is down")
	has(t, b.does(page, url.Values{"act": {"code"}, "code": {"4711"}}), 500, "does not work at the moment")
	f.err = nil
	if a := b.does(page, url.Values{"act": {"code"}, "code": {"4711"}}); a.Code != 303 {
		t.Error(a.Code, a.text)
	}
	has(t, b.get(page), 200, "Set up online banking")

	f.err = links.ErrNoFactor
	o.Key = "k2"
	_, token = h.token(t, o)
	has(t, b.get(b.opened(t, token)), 200, "We cannot see here who you are")
}

func TestHandoff(t *testing.T) {
	h := newHouse(t, nil)
	o := h.order("k")
	o.Operation, o.To = "", tandem.Chat
	_, token := h.token(t, o)
	b := h.browser()
	a := b.press(token)
	has(t, a, 200, `{"site":"bank","token":"chat-token","lang":"en"}`, `src="handoff.js"`)
	if a.Header().Get("Set-Cookie") == "" || !slices.Equal(h.told(), []tandem.LinkState{tandem.LinkOpened, tandem.LinkDone}) {
		t.Errorf("%v, told %v", a.Header(), h.told())
	}
	has(t, b.press(token), 200, "chat-token") // again, in the same browser
	has(t, h.browser().press(token), 404)
	if h.accepted != 2 || len(h.told()) != 2 {
		t.Errorf("accepted %d times, told %v", h.accepted, h.told())
	}

	o.Key, o.Needs, o.Assurance, o.Told = "k2", tandem.Verified, tandem.Verified, true
	l, token := h.token(t, o)
	page := b.opened(t, token)
	has(t, b.get(page), 200, "Is it you?")
	if a := b.does(page, url.Values{"act": {"done"}}); a.Code != 303 || h.accepted != 2 {
		t.Errorf("%d, accepted %d times", a.Code, h.accepted)
	}
	has(t, b.does(page, url.Values{"act": {"code"}, "code": {l.Code}}), 200, "chat-token", `src="../handoff.js"`)
	h.late = tandem.Errorf(tandem.CodeConflict, "nobody waits any more")
	has(t, b.does(page, url.Values{"act": {"done"}}), 404, "This link cannot be used")
	h.late = nil
	has(t, b.get(page), 200, "Go on here") // back from there
	has(t, b.does(page, url.Values{"act": {"done"}}), 200, "chat-token")
}

// TestBesideACall: a link to a page beside a call says that the call goes on.
func TestBesideACall(t *testing.T) {
	h := newHouse(t, nil)
	h.options.Beside = func(l links.Link) bool { return l.Serial < 0 }
	h.Handler = Handler(h.options)
	o := h.order("k")
	o.Operation, o.To, o.Serial = "", tandem.Chat, -1
	o.Needs, o.Assurance, o.Told = tandem.Verified, tandem.Verified, true
	l, token := h.token(t, o)
	b := h.browser()
	page := b.opened(t, token)
	has(t, b.does(page, url.Values{"act": {"code"}, "code": {l.Code}}), 200, "chat-token", "A page beside your call")
	has(t, b.get(page), 200, "Stay on the phone", "Open the page")
	has(t, b.get(page+"?lang=zh-CN"), 200, "请不要挂断电话")
	o.Key, o.Serial = "k2", 7
	l, token = h.token(t, o)
	page = b.opened(t, token)
	has(t, b.does(page, url.Values{"act": {"code"}, "code": {l.Code}}), 200, "Go on here")
}

func TestTooMuchText(t *testing.T) {
	h := newHouse(t, nil)
	_, token := h.token(t, h.order("k"))
	b := h.browser()
	page := b.opened(t, token)
	form := good()
	form.Set("f2-user", strings.Repeat("字", maxText+1))
	has(t, b.does(page, form), 422, "At most 2000 characters.")
	form.Set("f2-user", strings.Repeat("字", maxBody))
	has(t, b.does(page, form), 413, "too much text")
	form.Set("f2-user", strings.Repeat("字", maxText))
	if a := b.does(page, form); a.Code != 303 {
		t.Error(a.Code)
	}
}
