package link

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	links "tandem/bridge/link"
)

// bare is a page without what differs by chance: tokens and nonces.
func bare(a response) string {
	text := hidden.ReplaceAllString(a.text, "")
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(`"/?`, r) }) {
		if links.ValidToken(part) {
			text = strings.ReplaceAll(text, part, "TOKEN")
		}
	}
	return text
}

func TestNeutralPage(t *testing.T) {
	h := newHouse(t, nil)
	_, token := h.token(t, h.order("k"))
	b := h.browser()
	real := b.get("/l/" + token)
	has(t, real, 200, "Harbour Bank sent you this link", `name="token" value="`+token+`"`, "<button", `src="../link.js"`)
	for _, leak := range []string{"enrol", "zhang", "online", "SMS", "13800", "bank\""} {
		if strings.Contains(real.text, leak) {
			t.Errorf("the neutral page says %q", leak)
		}
	}
	// It is the same for what was never made: whoever guesses learns nothing.
	guess := b.get("/l/" + strings.Repeat("a", 26))
	if guess.Code != 200 || bare(guess) != bare(real) {
		t.Errorf("a guess is told apart:\n%s\n%s", bare(real), bare(guess))
	}
	for _, bad := range []string{"/l/", "/l/x", "/l/" + strings.ToUpper(token), "/l/" + token + "a", "/l/" + token + "/", "/l", "/o/", "/o/x", "/o/" + strings.Repeat("0", 26)} {
		a := b.get(bad)
		if a.Code == 200 || a.Code >= 500 || strings.Contains(a.text, "<form") {
			t.Errorf("%s: %d %s", bad, a.Code, a.text)
		}
	}
	has(t, b.get("/l/open"), 200, "open the link in your message again")
	b.langs = "zh-TW,zh;q=0.9,en;q=0.8"
	has(t, b.get("/l/"+token), 200, `lang="zh-CN"`, "Harbour Bank向您发送了此链接", "打开", `href="../l/`+token+`?lang=en"`)
	has(t, b.get("/l/"+token+"?lang=en"), 200, `lang="en"`, "Open", `name="lang" value="en"`)
	b.langs = "*;q=0.1, xx-YY"
	has(t, b.get("/l/"+token), 200, `lang="en"`)
}

func TestHeaders(t *testing.T) {
	h := newHouse(t, nil)
	_, token := h.token(t, h.order("k"))
	b := h.browser()
	page := b.opened(t, token)
	for name, a := range map[string]response{
		"neutral": b.get("/l/" + token), "unusable": b.get("/l/x"), "operation": b.get(page), "picture": b.get(page + "/1"),
		"wrong": b.does(page, url.Values{"act": {"done"}}), "done": b.does(page, good()), "nothing": b.get("/else"),
	} {
		head := a.Header()
		if head.Get("Content-Security-Policy") != "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'" ||
			head.Get("Cache-Control") != "no-store" || head.Get("Referrer-Policy") != "no-referrer" || !strings.Contains(head.Get("X-Robots-Tag"), "noindex") ||
			head.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(head.Get("Permissions-Policy"), "camera=()") {
			t.Errorf("%s: %v", name, head)
		}
	}
	for name, kind := range map[string]string{"/link.css": "text/css; charset=utf-8", "/link.js": "text/javascript; charset=utf-8"} {
		if a := b.get(name); a.Code != 200 || a.Header().Get("Content-Type") != kind || a.text == "" {
			t.Errorf("%s: %d %v", name, a.Code, a.Header())
		}
	}
}

// TestPreviewers: programs that look at addresses in messages do no harm.
func TestPreviewers(t *testing.T) {
	h := newHouse(t, nil)
	l, token := h.token(t, h.order("k"))
	for i := range 100 {
		b := h.browser()
		b.agent = "facebookexternalhit/1.1"
		method := "GET"
		if i%2 == 1 {
			method = "HEAD"
		}
		a := b.send(method, "/l/"+token, nil)
		if a.Code != 200 || len(b.cookies) != 0 || len(a.Header()["Set-Cookie"]) != 0 {
			t.Fatalf("%s: %d, cookies %v", method, a.Code, b.cookies)
		}
		for _, method := range []string{"PUT", "DELETE", "OPTIONS", "PATCH", "POST"} {
			if a := b.send(method, "/l/"+token, nil); a.Code < 400 {
				t.Fatalf("%s: %d", method, a.Code)
			}
		}
	}
	if told := h.told(); len(told) != 0 {
		t.Errorf("told %v", told)
	}
	if got, err := h.desk.Find(t.Context(), l.ID); err != nil || got.State != tandem.LinkMade || got.Attempts != 0 {
		t.Errorf("%s %v", got.State, err)
	}
	if a := h.browser().press(token); a.Code != 303 {
		t.Errorf("the person: %d", a.Code)
	}
}

func TestPress(t *testing.T) {
	h := newHouse(t, nil)
	l, token := h.token(t, h.order("k"))
	b := h.browser()
	a := b.press(token)
	cookie := a.Header().Get("Set-Cookie")
	name := "__Host-l-" + string(l.ID)
	if a.Code != 303 || a.Header().Get("Location") != "o/"+string(l.ID) || !strings.HasPrefix(cookie, name+"=") {
		t.Fatalf("%d %v", a.Code, a.Header())
	}
	for _, part := range []string{"Path=/", "HttpOnly", "Secure", "SameSite=Strict", "Max-Age="} {
		if !strings.Contains(cookie, part) {
			t.Errorf("no %s in %s", part, cookie)
		}
	}
	if strings.Contains(cookie, "Domain") || len(b.cookies[name]) != 22 {
		t.Errorf("cookie %s", cookie)
	}
	// The same browser may go on, from the page or from the message.
	has(t, b.get("/o/"+string(l.ID)), 200, "Set up online banking")
	if a := b.press(token); a.Code != 303 {
		t.Errorf("pressed again: %d", a.Code)
	}
	// Another may not: neither with the token nor with the page's address.
	other := h.browser()
	has(t, other.press(token), 404, "This link cannot be used")
	has(t, other.get("/o/"+string(l.ID)), 404, "This link cannot be used")
	has(t, other.send("POST", "/o/"+string(l.ID), good()), 404, "This link cannot be used")
	other.cookies[name] = "AAAAAAAAAAAAAAAAAAAAAA"
	has(t, other.press(token), 404, "This link cannot be used")
	has(t, other.get("/o/"+string(l.ID)), 404, "This link cannot be used")
	if told := h.told(); !slices.Equal(told, []tandem.LinkState{tandem.LinkOpened}) {
		t.Errorf("told %v", told)
	}
}

// TestPressedTwice: a double tap gives the browser the same secret, and only within
// seconds, and only that browser.
func TestPressedTwice(t *testing.T) {
	h := newHouse(t, nil)
	_, token := h.token(t, h.order("k"))
	b, second := h.browser(), h.browser() // the answer to the first press is lost, with its cookie
	form := b.get("/l/" + token).sealed()
	if a := b.send("POST", "/l", form); a.Code != 303 {
		t.Fatal(a.Code)
	}
	if a := second.send("POST", "/l", form); a.Code != 303 || len(second.cookies) != 1 {
		t.Errorf("the second tap: %d", a.Code)
	}
	stranger := h.browser()
	stranger.agent = "curl/8"
	has(t, stranger.send("POST", "/l", form), 404, "This link cannot be used")
	h.clock.Add(twice)
	late := h.browser()
	has(t, late.send("POST", "/l", form), 404, "This link cannot be used")
}

func TestAllThatIsRefusedLooksAlike(t *testing.T) {
	h := newHouse(t, nil)
	refused := map[string]response{}
	_, token := h.token(t, h.order(ids(1)))
	h.browser().press(token)
	refused["another browser"] = h.browser().press(token)
	refused["a guess"] = h.browser().press(strings.Repeat("b", 26))
	flipped := []byte(token)
	for i := range flipped {
		for bit := range 8 {
			one := slices.Clone(flipped)
			one[i] ^= 1 << bit
			b := h.browser()
			b.address = "192.0.2." + string(rune('0'+i%10)) + string(rune('0'+bit))
			form := b.get("/l/" + token).sealed()
			form.Set("token", string(one))
			form.Set("nonce", formsOf(h).make("press", string(one))) // even with a nonce of its own
			a := b.send("POST", "/l", form)
			if a.Code != 404 {
				t.Fatalf("bit %d of sign %d flipped: %d", bit, i, a.Code)
			}
			refused["a flipped bit"] = a
		}
	}
	l, token := h.token(t, h.order(ids(2)))
	if err := h.desk.Revoke(t.Context(), l.ID, "anna", "test"); err != nil {
		t.Fatal(err)
	}
	refused["revoked"] = h.browser().press(token)
	_, token = h.token(t, h.order(ids(3)))
	h.clock.Add(minutes(15))
	refused["expired"] = h.browser().press(token)
	want := refused["a guess"]
	for name, a := range refused {
		if a.Code != 404 || a.text != want.text || len(a.Header()["Set-Cookie"]) != 0 {
			t.Errorf("%s: %d %s", name, a.Code, a.text)
		}
	}
	has(t, want, 404, "This link cannot be used", "Ask for a new one")
}

// formsOf are the nonces of a house whose key is known to the test.
func formsOf(h *house) nonces { return newNonces(h.key, h.clock.Now) }

func TestNoncesAndOrigins(t *testing.T) {
	h := newHouse(t, nil)
	l, token := h.token(t, h.order(ids(1)))
	_, other := h.token(t, h.order(ids(2)))
	b := h.browser()
	mine := b.get("/l/" + token).sealed()
	set := func(name, value string) url.Values {
		v := url.Values{"token": mine["token"], "nonce": mine["nonce"]}
		v.Set(name, value)
		return v
	}
	for name, form := range map[string]url.Values{
		"none":               set("nonce", ""),
		"rubbish":            set("nonce", "rubbish"),
		"of another page":    set("nonce", b.get("/l/"+other).sealed().Get("nonce")),
		"of another purpose": set("nonce", formsOf(h).make("page", token)),
		"of another key":     set("nonce", newNonces([]byte("another"), h.clock.Now).make("press", token)),
		"with a bit more":    set("nonce", mine.Get("nonce")+"A"),
		"very long":          set("nonce", strings.Repeat("A", 10_000)),
	} {
		a := b.send("POST", "/l", form)
		if a.Code != 400 || len(a.Header()["Set-Cookie"]) != 0 || !strings.Contains(a.text, "press the button again") {
			t.Errorf("a nonce %s: %d", name, a.Code)
		}
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	for name, change := range map[string]func(*http.Request){
		"another origin":          header("Origin", "https://evil.example"),
		"another site":            header("Sec-Fetch-Site", "cross-site"),
		"another host's page":     header("Sec-Fetch-Site", "same-site"),
		"no page":                 header("Sec-Fetch-Site", "none"),
		"an origin with a suffix": header("Origin", host+".evil.example"),
		"json":                    header("Content-Type", "application/json"),
		"text":                    header("Content-Type", "text/plain"),
		"no type":                 header("Content-Type", ""),
		"parts":                   header("Content-Type", "multipart/form-data; boundary=x"),
	} {
		if a := b.send("POST", "/l", mine, change); a.Code != 403 || len(a.Header()["Set-Cookie"]) != 0 {
			t.Errorf("%s: %d", name, a.Code)
		}
	}
	if told := h.told(); len(told) != 0 {
		t.Fatalf("told %v", told)
	}
	long := h.order(ids(3))
	long.Expires = 2 * time.Hour
	_, token = h.token(t, long)
	mine = b.get("/l/" + token).sealed()
	h.clock.Add(nonceLife)
	has(t, b.send("POST", "/l", mine), 400, "press the button again")
	mine.Set("nonce", formsOf(h).make("press", token))
	for name, change := range map[string]func(*http.Request){ // what browsers of ours send
		"an old browser": func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Del("Origin") },
		"own origin":     header("Origin", host),
		"own name":       header("Origin", "https://example.com"), // httptest's Host
	} {
		if a := b.send("POST", "/l", mine, change); a.Code != 303 {
			t.Errorf("%s: %d", name, a.Code)
		}
	}

	// On the operation's page.
	b = h.browser()
	l, token = h.token(t, h.order(ids(4)))
	page := b.opened(t, token)
	two, token2 := h.token(t, h.order(ids(5)))
	page2 := b.opened(t, token2)
	for name, nonce := range map[string]string{
		"none": "", "of the press": b.get("/l/" + token).sealed().Get("nonce"), "of another link's page": b.get(page2).sealed().Get("nonce"),
		"of another browser": formsOf(h).make("page", string(l.ID)+" AAAAAAAAAAAAAAAAAAAAAA"),
	} {
		form := good()
		form.Set("nonce", nonce)
		a := b.send("POST", page, form)
		has(t, a, 400, "press the button again", `value="6222 0200"`) // what was filled in is not lost
		if got, err := h.desk.Find(t.Context(), l.ID); err != nil || got.State != tandem.LinkOpened {
			t.Errorf("a nonce %s: %s", name, got.State)
		}
	}
	form := good()
	form.Set("nonce", b.get(page).sealed().Get("nonce"))
	has(t, b.send("POST", page, form, header("Origin", "https://evil.example")), 403, "This link cannot be used")
	if a := b.send("POST", page, form); a.Code != 303 {
		t.Errorf("%d %s", a.Code, a.text)
	}
	// The nonce of what is done does nothing again, neither here nor at another link.
	before := len(h.told())
	if a := b.send("POST", page, form); a.Code != 303 || len(h.told()) != before {
		t.Errorf("replayed: %d, told %v", a.Code, h.told())
	}
	has(t, b.send("POST", "/o/"+string(two.ID), form), 400)
	if len(h.told()) != before {
		t.Errorf("told %v", h.told())
	}
}

func TestThousandPressesAtOnce(t *testing.T) {
	h := newHouse(t, nil)
	_, token := h.token(t, h.order("k"))
	var mu sync.Mutex
	codes := map[int]int{}
	var wg sync.WaitGroup
	for i := range 1000 {
		b := h.browser()
		b.address = "2001:db8:0:" + hex(i) + "::1"
		form := b.get("/l/" + token).sealed()
		wg.Go(func() {
			a := b.send("POST", "/l", form)
			mu.Lock()
			defer mu.Unlock()
			codes[a.Code]++
		})
	}
	wg.Wait()
	if codes[303] != 1 || codes[404] != 999 || len(h.told()) != 1 {
		t.Errorf("answers %v, told %v", codes, h.told())
	}
}

func TestThousandActsAtOnce(t *testing.T) {
	h := newHouse(t, nil)
	_, token := h.token(t, h.order("k"))
	b := h.browser()
	page := b.opened(t, token)
	form := good()
	form.Set("nonce", b.get(page).sealed().Get("nonce"))
	var mu sync.Mutex
	codes := map[int]int{}
	var wg sync.WaitGroup
	for i := range 1000 {
		one := &browser{h: h, cookies: map[string]string{}, agent: b.agent, address: "2001:db8:0:" + hex(i) + "::1"}
		for name, value := range b.cookies {
			one.cookies[name] = value
		}
		wg.Go(func() {
			a := one.send("POST", page, form)
			mu.Lock()
			defer mu.Unlock()
			codes[a.Code]++
		})
	}
	wg.Wait()
	if codes[303] != 1000 || !slices.Equal(h.told(), []tandem.LinkState{tandem.LinkOpened, tandem.LinkDone}) {
		t.Errorf("answers %v, told %v", codes, h.told())
	}
	has(t, b.get(page), 200, "Online banking is switched on.")
}

func TestLimits(t *testing.T) {
	h := newHouse(t, nil)
	b := h.browser()
	codes := map[int]int{}
	for range 100 {
		codes[b.press(strings.Repeat("c", 26)).Code]++
	}
	if codes[404] != defaultAttempts || codes[429] != 40 {
		t.Errorf("guesses: %v", codes)
	}
	other := h.browser()
	other.address = "192.0.2.2"
	_, token := h.token(t, h.order("k"))
	if a := other.press(token); a.Code != 303 {
		t.Errorf("another address waits for a guesser: %d", a.Code)
	}
	h.clock.Add(minutes(1))
	has(t, b.press(strings.Repeat("c", 26)), 404)

	// All requests of one address, and then one in a while.
	busy := 0
	for range workBurst + 50 {
		if a := other.get("/o/x"); a.Code == 429 {
			busy++
			has(t, a, 429, "Wait a minute")
		}
	}
	if busy == 0 || busy > 50 {
		t.Errorf("%d of %d were refused", busy, workBurst+50)
	}
	// A network of IPv6 is one address, and there are not endlessly many.
	l := newLimiter(h.clock.Now, 1, minutes(1))
	for i := range maxAddresses + 10 {
		l.allow(address("2001:db8:"+hex(i>>8)+":"+hex(i&255)+"::"), 1)
	}
	if len(l.all) != maxAddresses {
		t.Errorf("%d addresses are remembered", len(l.all))
	}
	l = newLimiter(h.clock.Now, 1, minutes(1))
	if !l.allow(address("2001:db8::1"), 1) || l.allow(address("2001:db8::2"), 1) || !l.allow(address("2001:db8:0:1::1"), 1) || !l.allow(address(""), 1) || l.allow(address(""), 1) {
		t.Error("addresses of one network are not one")
	}
}

// TestPlainHTTP is for trying things out: cookies go without the promise of TLS.
func TestPlainHTTP(t *testing.T) {
	h := newHouse(t, nil)
	l, token := h.token(t, h.order("k"))
	o := h.options
	o.URL = "http://192.0.2.9:8080"
	b := h.browser()
	b.h = Handler(o)
	a := b.press(token, func(r *http.Request) { r.Header.Del("Sec-Fetch-Site"); r.Header.Set("Origin", "http://192.0.2.9:8080") })
	if c := a.Header().Get("Set-Cookie"); a.Code != 303 || !strings.HasPrefix(c, "l-"+string(l.ID)+"=") || strings.Contains(c, "Secure") || !strings.Contains(c, "SameSite=Strict") {
		t.Errorf("%d %s", a.Code, c)
	}
	has(t, b.get("/o/"+string(l.ID)), 200, "Set up online banking")
}

// TestLog: no token, nonce, secret of a browser or answer reaches the log.
func TestLog(t *testing.T) {
	h := newHouse(t, nil)
	l, token := h.token(t, h.order("k"))
	b := h.browser()
	form := b.get("/l/" + token).sealed()
	page := b.opened(t, token)
	b.does(page, good())
	h.browser().press(token)
	h.db.Close()
	h.clock.Add(minutes(1))
	has(t, h.browser().press(token), 500, "does not work at the moment")
	has(t, b.get(page), 500)
	log := h.log.String()
	if !strings.Contains(log, string(l.ID)) || !strings.Contains(log, "cannot be served") {
		t.Errorf("log: %s", log)
	}
	for _, secret := range []string{token, form.Get("nonce"), b.cookies["__Host-l-"+string(l.ID)], "li@example.com", "62220200"} {
		if secret == "" || strings.Contains(log, secret) {
			t.Errorf("the log has %q", secret)
		}
	}
}
