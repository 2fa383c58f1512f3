package app

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"image"
	"image/png"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"tandem/internal/testkit"
)

// The widget stands on the pages of its site and of no other site.
func TestOrigins(t *testing.T) {
	t.Parallel()
	s := newTextServer(t, textSetup{})
	for _, tc := range []struct{ site, origin, want string }{
		{"demo", "https://www.bank.example", ""},
		{"demo", s.url, ""},
		{"night", "https://night.example", ""},
		{"demo", "https://night.example", "origin"},
		{"night", "https://www.bank.example", "origin"},
		{"demo", "https://www.bank.example.evil.example", "origin"},
		{"demo", "http://www.bank.example", "origin"},
		{"demo", "https://www.bank.example:444", "origin"},
		{"demo", "https://evil.example", "origin"},
		{"demo", "null", "403"},
		{"shop", s.url, "site"},
		{"", s.url, "site"},
	} {
		err := testkit.TryChat(t, s.url, testkit.ChatOptions{Site: tc.site, Origin: tc.origin})
		var closed websocket.CloseError
		switch {
		case tc.want == "" && err == nil:
		case tc.want == "403" && err != nil && strings.Contains(err.Error(), "status 403"):
		case tc.want != "" && errors.As(err, &closed) && closed.Code == websocket.StatusPolicyViolation && closed.Reason == tc.want:
		default:
			t.Errorf("site %q on %s: %v, want %q", tc.site, tc.origin, err, tc.want)
		}
	}
	if n := len(s.calls(t)); n != 0 {
		t.Errorf("%d interactions came of it", n)
	}
}

// What belongs to one conversation is nobody else's: its messages, pictures, links,
// transcript, and the calls booked by it.
func TestConversationsAreTheirOwn(t *testing.T) {
	t.Parallel()
	s := newDesk(t, textSetup{})
	mine, other := s.drops(t), s.drops(t)
	for _, v := range []*testkit.Chat{mine, other} {
		v.Open()
		v.Reads("Form, link, earlier")
	}
	var uploaded struct{ ID string }
	if status := mine.Post("/api/v1/chat/attachments", picture(t), &uploaded); status != http.StatusCreated {
		t.Fatalf("uploading: %d", status)
	}
	mine.Show(uploaded.ID)
	sent := mine.Wait("the picture", func(m testkit.ChatMessage) bool { return m.Attachment != nil })
	mine.Say("link")
	offered := mine.Wait("a link", func(m testkit.ChatMessage) bool { return m.Link != nil })
	picturePath, linkPath := "/api/v1/chat/attachments/"+sent.Attachment.ID, "/api/v1/chat/links/"+offered.Link.ID
	for _, tc := range []struct {
		method, path string
		token        string
		want         int
	}{
		{"GET", picturePath, mine.Token(), 200}, {"GET", picturePath, other.Token(), 404}, {"GET", picturePath, "", 401},
		{"GET", picturePath, "aaaaaaaaaaaaaaaaaaaaaaaaaa", 401},
		{"POST", linkPath, mine.Token(), 200}, {"POST", linkPath, other.Token(), 404}, {"POST", linkPath, "", 401},
		{"GET", "/api/v1/chat/transcript", mine.Token(), 200}, {"GET", "/api/v1/chat/transcript", "", 401},
		{"GET", "/api/v1/chat/transcript?conversation=" + mine.Conversation(), "", 401},
		{"POST", "/api/v1/chat/callback", "", 401},
	} {
		if status := testkit.HTTPAs(t, tc.method, s.url+tc.path, tc.token, nil, nil); status != tc.want {
			t.Errorf("%s %s is answered with %d, want %d", tc.method, tc.path, status, tc.want)
		}
	}
	var theirs string
	testkit.HTTPAs(t, "GET", s.url+"/api/v1/chat/transcript", other.Token(), nil, &theirs)
	if strings.Contains(theirs, "link") && strings.Contains(theirs, "Fill this in") {
		t.Error("a transcript has another conversation's messages")
	}
	other.Show(uploaded.ID) // used, and never theirs
	if r := other.Refused(); r.Code != "bad" {
		t.Errorf("another's picture is refused as %q", r.Code)
	}
	if err := testkit.TryChat(t, s.url, testkit.ChatOptions{Site: "demo", Token: mine.Token(), Origin: "https://www.bank.example"}); err == nil {
		t.Error("a token opens its conversation on another site")
	}
	// Only the browser that opened a link sees its page.
	var to struct{ URL string }
	mine.Post(linkPath, map[string]any{}, &to)
	first := testkit.NewBrowser(t).Get(to.URL).Send("", nil)
	if second := testkit.NewBrowser(t).Get(to.URL).Send("", nil); second.Status != http.StatusNotFound {
		t.Errorf("another browser's press is answered with %d", second.Status)
	}
	if stranger := testkit.NewBrowser(t).Get(first.Address()); stranger.Status != http.StatusNotFound {
		t.Errorf("the page without its cookie is answered with %d", stranger.Status)
	}
}

// picture is a small one.
func picture(t *testing.T) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Requests in a gateway's name are taken if they are signed with its secret, new, and
// about numbers of its own; nothing else begins an interaction or changes a message.
func TestForgedWebhooks(t *testing.T) {
	t.Parallel()
	s := newDesk(t, textSetup{})
	secret, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(s.texts.Secret, "whsec_"))
	if err != nil {
		t.Fatal(err)
	}
	text := func(id, from, to string) string {
		body, _ := json.Marshal(map[string]any{"type": "message.received", "data": map[string]any{"id": id, "from": from, "to": to, "text": "hello"}})
		return string(body)
	}
	post := func(gateway, id, body string, key []byte, at time.Time, change func(http.Header)) int {
		t.Helper()
		stamp := strconv.FormatInt(at.Unix(), 10)
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(id + "." + stamp + "." + body))
		r, err := http.NewRequest(http.MethodPost, s.url+"/api/v1/sms/"+gateway, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header = http.Header{"Content-Type": {"application/json"}, "Webhook-Id": {id}, "Webhook-Timestamp": {stamp},
			"Webhook-Signature": {"v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))}}
		if change != nil {
			change(r.Header)
		}
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		answer, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	now, good := time.Now(), text("a", customer, ourNumber)
	for what, got := range map[string]int{
		"no signature":      post("phones", "m1", good, secret, now, func(h http.Header) { h.Del("Webhook-Signature") }),
		"another secret":    post("phones", "m2", good, bytes.Repeat([]byte{1}, 24), now, nil),
		"an old request":    post("phones", "m3", good, secret, now.Add(-6*time.Minute), nil),
		"one from tomorrow": post("phones", "m4", good, secret, now.Add(6*time.Minute), nil),
		"another id":        post("phones", "m5", good, secret, now, func(h http.Header) { h.Set("Webhook-Id", "m6") }),
		"another time":      post("phones", "m7", good, secret, now, func(h http.Header) { h.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix()+1, 10)) }),
		"no gateway":        post("other", "m8", good, secret, now, nil),
		"another number":    post("phones", "m9", text("b", customer, "+861099999999"), secret, now, nil),
		"no JSON":           post("phones", "m10", "hello", secret, now, nil),
		"a receipt":         post("phones", "m11", `{"type":"message.status","data":{"id":"x","key":"text:`+strings.Repeat("0", 26)+`:1","state":"failed"}}`, bytes.Repeat([]byte{1}, 24), now, nil),
	} {
		if got < 400 || got > 404 {
			t.Errorf("%s is answered with %d", what, got)
		}
	}
	s.nothingTo(t)
	if n := len(s.calls(t)); n != 0 {
		t.Fatalf("%d interactions came of forged requests", n)
	}
	for range 3 { // the right one, three times: replayed, and sent again under another id
		if got := post("phones", "m20", good, secret, now, nil); got/100 != 2 {
			t.Errorf("the right one is answered with %d", got)
		}
	}
	post("phones", "m21", good, secret, now, nil)
	phone := s.texts.Inbox(customer)
	phone.Gets("Form")
	s.settled(t)
	if n, m := len(s.calls(t)), len(phone.Got()); n != 1 || m != 1 {
		t.Errorf("of one text came %d interactions and %d answers", n, m)
	}
	if s.metric(t, "tandem_sms_webhooks_refused_total", "rule", "forged") < 4 {
		t.Error("forged requests were not counted")
	}
}

const pinFlow = `flow: pin
channels: [voice]
languages: [zh-CN]
start: who
steps:
  who: { identify: { level: verified, by: [pin] }, next: { passed: end, else: end } }
`

// TestSecretsAreNowhere goes by every way that has a token, a code or a PIN, and looks for
// them in the log, in all files of the store, and in the journals.
func TestSecretsAreNowhere(t *testing.T) {
	t.Parallel()
	s := newTextServer(t, textSetup{
		texts: `{ allow: [ "+86138" ], per_number_per_hour: 50, per_number_per_day: 50 }`, entries: "  \"5\": pin\n",
		flows: map[string]string{"pin.flow.yaml": pinFlow},
	})
	phone := s.texts.Inbox(customer)
	var secrets []string
	keep := func(secret string) string { secrets = append(secrets, secret); return secret }

	call := s.dials(t, "1", customer)
	call.presses("2")
	link := address(t, phone.Gets("请在这里开通网上银行").Text)
	keep(link[strings.LastIndex(link, "/")+1:])
	b := testkit.NewBrowser(t).Get(link).Send("", nil)
	for _, cookie := range b.Cookies() {
		keep(cookie)
	}
	b.Send("done", map[string]string{"user": "harbour.li"})
	call.at("main")
	call.presses("6")
	call.at("from_voice")
	call.presses("1")
	link = address(t, phone.Gets("请到这里继续聊天").Text)
	keep(link[strings.LastIndex(link, "/")+1:])
	moved := s.goesOnInChat(t, link)
	keep(moved.Token())
	call.WaitBye(patience)
	moved.Reads("请问您需要什么服务")
	moved.Say("查询余额")
	moved.Reads("请输入您在我们这里登记的手机号码")
	moved.SaySecret("13800000001")
	moved.SaySecret(keep(phone.Code()))
	moved.Reads("您的余额为12345.60元")

	visitor := testkit.NewChat(t, s.url, testkit.ChatOptions{Site: "demo"})
	visitor.Open()
	visitor.Reads("What can we do")
	keep(visitor.Token())
	visitor.Say("1")
	visitor.Reads("enter the mobile number")
	visitor.SaySecret("13800000001")
	visitor.Reads("Please enter it")
	visitor.SaySecret("000000")
	visitor.Reads("not right")
	visitor.SaySecret(keep(phone.Code()))
	visitor.Reads("Your balance is")
	visitor.Say("2")
	offered := visitor.Wait("a link", func(m testkit.ChatMessage) bool { return m.Link != nil })
	var to struct{ URL string }
	visitor.Post("/api/v1/chat/links/"+offered.Link.ID, map[string]any{}, &to)
	keep(to.URL[strings.LastIndex(to.URL, "/")+1:])
	testkit.NewBrowser(t).Get(to.URL).Send("", nil)
	var asked struct{ Check string }
	visitor.Post("/api/v1/chat/callback", map[string]string{"phone": customer}, &asked)
	code := keep(phone.Code())
	visitor.Post("/api/v1/chat/callback/"+asked.Check, map[string]string{"code": code}, nil)

	second := s.texts.Inbox("+8613800000003") // by text
	second.Says("你好")
	second.Gets("1 查询余额")
	second.Says("1")
	second.Says(keep(second.Code()))
	second.Gets("您的余额为")

	pin := s.dials(t, "5", "+8613800000002")
	pin.at("who")
	pin.hears("identity_pin_ask")
	pin.presses(keep("1357") + "#")
	pin.hears("identity_passed")
	pin.Bye()
	s.shows(t, pin.id, "the end of the call", closed)

	s.settled(t)
	s.verify(t)
	var journals strings.Builder
	for _, id := range s.calls(t) {
		story, err := json.Marshal(s.read(t, id))
		if err != nil {
			t.Fatal(err)
		}
		journals.Write(story)
	}
	s.end(t)
	has := func(where, text string) {
		t.Helper()
		for _, secret := range secrets {
			if found := regexp.MustCompile(`\b` + regexp.QuoteMeta(secret) + `\b`).FindStringIndex(text); found != nil {
				t.Errorf("%s has %q: …%s…", where, secret, text[max(0, found[0]-100):min(len(text), found[1]+20)])
			}
		}
	}
	has("the log", s.log.String())
	has("a journal", journals.String())
	err := filepath.WalkDir(s.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasPrefix(path, s.path("flows")) {
			return err
		}
		data, err := os.ReadFile(path)
		has(path, string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(secrets) < 10 {
		t.Errorf("only %d secrets were used", len(secrets))
	}
}
