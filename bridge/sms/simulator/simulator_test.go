package simulator

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem"
	"tandem/bridge/sms"
	"tandem/store"
	"tandem/store/outbox"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	secret  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	token   = "a token of tests"
	ours    = "+861055550100"
	oursToo = "+15005550006"
	theirs  = "+8613800000001"
)

// town is a simulator, a desk, the store and the worker between them, all over HTTP.
type town struct {
	*Simulator
	address string // of the simulator
	door    string // of the desk
	desk    *sms.Desk
	db      *sqlite.DB

	mu      sync.Mutex
	arrived []sms.Inbound
	marks   map[string]tandem.MessageState
	trail   map[string][]tandem.MessageState
	down    bool // nothing can be kept
	changed chan struct{}
}

func newTown(t *testing.T, knobs Knobs) *town {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	at := storetest.NewPlace(t)
	x := &town{marks: map[string]tandem.MessageState{}, trail: map[string][]tandem.MessageState{}, changed: make(chan struct{}, 1)}
	var err error
	if x.db, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(at.Dir, "tandem.db"), Keys: at.Keys, Log: quiet}); err != nil {
		t.Fatal(err)
	}
	var handler http.Handler
	var mu sync.Mutex
	desk := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		h := handler
		mu.Unlock()
		h.ServeHTTP(w, r)
	}))
	x.door = desk.URL + "/api/v1/sms/"
	if x.Simulator, err = New(Options{Knobs: knobs, Seed: 11, Log: quiet, Gateways: []Gateway{
		{Kind: Webhook, Numbers: []string{ours}, Target: x.door + "first", Secret: secret},
		{Kind: Twilio, Numbers: []string{oursToo}, Target: x.door + "second", Secret: token},
	}}); err != nil {
		t.Fatal(err)
	}
	simulator := httptest.NewServer(x.Simulator)
	x.address = simulator.URL
	first, err := sms.NewWebhook(sms.WebhookOptions{URL: simulator.URL + "/webhook", Secret: secret, Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	second, err := sms.NewTwilio(sms.TwilioOptions{URL: simulator.URL, Account: NoAccount, Token: token, Callback: x.door + "second", Log: quiet, Templates: map[string]string{"code": "HX1"}})
	if err != nil {
		t.Fatal(err)
	}
	if x.desk, err = sms.New(sms.Options{
		Gateways: map[string]sms.Gateway{"first": first, "second": second}, Numbers: []sms.Number{{Ours: ours, Gateway: "first"}, {Ours: oursToo, Gateway: "second"}},
		Policy: sms.Policy{Allowed: func(string) (bool, string) { return true, "" }, PerHour: 1e4, PerDay: 1e4, PerNumberPerHour: 1e4, PerNumberPerDay: 1e4,
			PerVisitorPerHour: 1, PerAddressPerHour: 1, PartsPerDay: 1e5},
		Database: x.db, Blind: at.Keys.Blind, Log: quiet, PerSecond: 1e6,
		Arrived: func(_ context.Context, in sms.Inbound) error {
			x.mu.Lock()
			defer x.mu.Unlock()
			if x.down {
				return store.ErrUnavailable
			}
			x.arrived = append(x.arrived, in)
			x.note()
			return nil
		},
		Marked: func(_ context.Context, key string, r sms.Receipt) error {
			x.mu.Lock()
			defer x.mu.Unlock()
			if r.State.After(x.marks[key]) {
				x.marks[key] = r.State
			}
			x.trail[key] = append(x.trail[key], r.State)
			x.note()
			return nil
		},
	}); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	handler = x.desk.Handler()
	mu.Unlock()
	ctx, stop := context.WithCancel(context.Background())
	worker := &outbox.Worker{Store: x.db, Deliver: x.desk.Deliver, Log: quiet, Jitter: func() float64 { return 0 }, Poll: 5 * time.Millisecond, First: 10 * time.Millisecond, Longest: 20 * time.Millisecond, Tries: 200}
	var running sync.WaitGroup
	running.Go(func() { worker.Run(ctx) })
	running.Go(func() { x.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
		first.Close()
		second.Close()
		simulator.Close()
		desk.Close()
		if err := x.db.Close(); err != nil {
			t.Error(err)
		}
	})
	return x
}

// note says that something changed. The caller holds mu.
func (x *town) note() {
	select {
	case x.changed <- struct{}{}:
	default:
	}
}

// until waits for what is to be true.
func (x *town) until(t *testing.T, what string, true_ func() bool) {
	t.Helper()
	late := time.After(20 * time.Second)
	look := time.NewTicker(20 * time.Millisecond) // for what only the simulator knows
	defer look.Stop()
	for {
		x.mu.Lock()
		ok := true_()
		x.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-x.changed:
		case <-look.C:
		case <-late:
			t.Fatalf("%s: not so: marks %v, %d arrived, %+v", what, x.marks, len(x.arrived), x.Counts())
		}
	}
}

func (x *town) send(t *testing.T, m sms.Message) {
	t.Helper()
	err := x.db.Commit(t.Context(), &store.Change{Outbox: []store.Outgoing{x.desk.Letter(m)}, With: func(tx store.Tx) error {
		return x.desk.Reserve(t.Context(), tx, m, m.Parts())
	}})
	if err != nil {
		t.Fatal(err)
	}
}

// settled reports whether no letter waits.
func (x *town) settled(t *testing.T) bool {
	t.Helper()
	letters, err := x.db.Outbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range letters {
		if l.State == store.LetterWaiting {
			return false
		}
	}
	return true
}

// inbox is what a phone has, by the API.
func (x *town) inbox(t *testing.T, number string) []Message {
	t.Helper()
	var got struct{ Messages []Message }
	x.call(t, "GET", "/phones/"+number+"/messages", nil, http.StatusOK, &got)
	return got.Messages
}

func (x *town) call(t *testing.T, method, path string, body any, status int, into any) {
	t.Helper()
	data, err := json.Marshal(body)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), method, x.address+path, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	defer http.DefaultClient.CloseIdleConnections()
	answer, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != status {
		t.Fatalf("%s %s: %d %s %v", method, path, resp.StatusCode, answer, err)
	}
	if into != nil {
		if err := json.Unmarshal(answer, into); err != nil {
			t.Fatalf("%s %s: %s", method, path, answer)
		}
	}
}

func TestThereAndBackByBothGateways(t *testing.T) {
	x := newTown(t, Knobs{Read: true})
	for i, from := range []string{ours, oursToo} {
		key, phone := fmt.Sprintf("k-%d", i), fmt.Sprintf("+86138000000%02d", i)
		words := "您好：请打开 https://tandem.example/l/abc 继续。" + strings.Repeat("好", 60)
		x.send(t, sms.Message{Key: key, From: from, To: phone, Text: words, Lang: "zh-CN"})
		x.until(t, "read", func() bool { return x.marks[key] == tandem.MessageRead })
		got := x.inbox(t, phone)
		if len(got) != 1 || got[0].Text != words || got[0].From != from || got[0].Parts != 2 || got[0].Encoding != "UCS-2" || got[0].State != "read" {
			t.Errorf("%s has %+v", phone, got)
		}
		var reply Message
		x.call(t, "POST", "/phones/"+phone+"/reply", Reply{Text: "谢谢 & bye"}, http.StatusAccepted, &reply)
		x.until(t, "arrived", func() bool { return len(x.arrived) == i+1 })
		in := x.arrived[i]
		if in.Text != "谢谢 & bye" || in.From != phone || in.To != from || in.ID != reply.ID || in.Gateway != []string{"first", "second"}[i] {
			t.Errorf("arrived %+v", in)
		}
		x.until(t, "taken", func() bool { m := x.inbox(t, phone); return m[1].State == "sent" && m[1].ByPhone })
	}
	x.send(t, sms.Message{Key: "k-t", From: oursToo, To: "+8613700000000", Template: "code", Params: map[string]string{"1": "4711"}})
	x.until(t, "the template", func() bool { return x.marks["k-t"] == tandem.MessageRead })
	if got := x.inbox(t, "+8613700000000"); got[0].Template != "HX1" || got[0].Params["1"] != "4711" {
		t.Errorf("%+v", got)
	}
	if c := x.Counts(); c.Forged != 0 || c.Taken != 3 {
		t.Errorf("%+v", c)
	}
}

// With all that goes wrong at once each text is on its phone, once by the gateway that
// knows keys, and each reply arrives once.
func TestAllThatGoesWrongAtOnce(t *testing.T) {
	x := newTown(t, Knobs{DelayMS: 5, Temporary: 0.3, TooMany: 0.2, Vanish: 0.2, LostReceipt: 0.1, Double: 0.5, Reorder: 0.5, DoubleIn: 0.5})
	const n = 40
	for i := range n {
		x.send(t, sms.Message{Key: fmt.Sprintf("w-%d", i), From: ours, To: theirs, Text: fmt.Sprint("text ", i)})
		x.send(t, sms.Message{Key: fmt.Sprintf("t-%d", i), From: oursToo, To: "+14155550100", Text: fmt.Sprint("text ", i)})
		if _, err := x.Reply(fmt.Sprintf("+8613900000%03d", i%7), Reply{Text: fmt.Sprint("reply ", i), To: []string{ours, oursToo}[i%2]}); err != nil {
			t.Fatal(err)
		}
	}
	x.until(t, "all with the gateways and all arrived", func() bool { return len(x.marks) == 2*n && len(x.arrived) == n && x.settled(t) })
	count := map[string]int{}
	for _, m := range x.inbox(t, theirs) {
		count[m.Text]++
	}
	for i := range n {
		if c := count[fmt.Sprint("text ", i)]; c != 1 {
			t.Errorf("text %d came %d times by the gateway that knows keys", i, c)
		}
	}
	doubled := len(x.inbox(t, "+14155550100")) - n // that one knows none: an answer that is lost can make a second text
	if doubled < 0 || doubled > x.Counts().Vanished {
		t.Errorf("%d doubled, %+v", doubled, x.Counts())
	}
	seen := map[string]bool{}
	for _, in := range x.arrived {
		if seen[in.Text] {
			t.Errorf("%q arrived twice", in.Text)
		}
		seen[in.Text] = true
	}
	if c := x.Counts(); c.Refused == 0 || c.Vanished == 0 || c.Forged != 0 {
		t.Errorf("the knobs did nothing: %+v", c)
	}
}

// An answer that is lost: the gateway that knows keys sends one text; the other one two,
// unless a receipt tells of the first before the second try.
func TestAnAnswerThatIsLost(t *testing.T) {
	x := newTown(t, Knobs{})
	for i, from := range []string{ours, oursToo} {
		key, phone := fmt.Sprintf("k-%d", i), fmt.Sprintf("+86138000000%02d", i)
		x.call(t, "PUT", "/knobs/next", Knobs{Vanish: 1, LostReceipt: 1}, http.StatusOK, nil)
		x.send(t, sms.Message{Key: key, From: from, To: phone, Text: "x"})
		x.until(t, "with the gateway", func() bool { return x.marks[key] != "" && x.settled(t) })
		if got := x.inbox(t, phone); len(got) != i+1 {
			t.Errorf("from %s: %d texts", from, len(got))
		}
	}
	if c := x.Counts(); c.Vanished != 2 || c.Doubled != 1 {
		t.Errorf("%+v", c)
	}
	// The receipt has the key. Then the letter is not handed over again.
	m := sms.Message{Key: "k-told", From: oursToo, To: "+14155550100", Text: "x"}
	err := x.db.Update(t.Context(), func(tx store.Tx) error { return x.desk.Reserve(t.Context(), tx, m, 1) })
	if err != nil {
		t.Fatal(err)
	}
	x.call(t, "PUT", "/knobs/next", Knobs{Vanish: 1}, http.StatusOK, nil)
	x.until(t, "the receipts of the second text", func() bool { return x.Counts().Posted == 2 })
	if x.desk.Deliver(t.Context(), x.desk.Letter(m)) == nil {
		t.Fatal("the answer was not lost")
	}
	x.until(t, "told by its receipts", func() bool { return x.marks["k-told"] == tandem.MessageDelivered && x.Counts().Posted == 4 })
	if err := x.desk.Deliver(t.Context(), x.desk.Letter(m)); err != nil || len(x.inbox(t, "+14155550100")) != 1 {
		t.Errorf("%v, %d texts", err, len(x.inbox(t, "+14155550100")))
	}
}

func TestRefusedAndUndelivered(t *testing.T) {
	x := newTown(t, Knobs{Undelivered: 1})
	for i, from := range []string{ours, oursToo} {
		x.call(t, "PUT", "/knobs/next", Knobs{Fail: 1}, http.StatusOK, nil)
		refused, lost := fmt.Sprintf("refused-%d", i), fmt.Sprintf("lost-%d", i)
		x.send(t, sms.Message{Key: refused, From: from, To: theirs, Text: "x"})
		x.until(t, "refused", func() bool { return x.marks[refused] == tandem.MessageFailed })
		x.send(t, sms.Message{Key: lost, From: from, To: theirs, Text: "x"})
		x.until(t, "not delivered", func() bool { return x.marks[lost] == tandem.MessageFailed })
	}
	if got := x.inbox(t, theirs); len(got) != 2 || got[0].State != "undelivered" {
		t.Errorf("%+v", got)
	}
}

func TestRepliesWaitForTheServer(t *testing.T) {
	x := newTown(t, Knobs{})
	x.mu.Lock()
	x.down = true
	x.mu.Unlock()
	if _, err := x.Reply(theirs, Reply{Text: "hello", Double: true}); err != nil {
		t.Fatal(err)
	}
	x.until(t, "tried", func() bool { return x.inbox(t, theirs)[0].Tries > 1 })
	x.mu.Lock()
	x.down = false
	x.mu.Unlock()
	x.until(t, "taken", func() bool { return x.inbox(t, theirs)[0].State == "sent" })
	if len(x.arrived) != 1 {
		t.Errorf("%d arrived", len(x.arrived))
	}
}

// A stop ends a reply's wait, too.
func TestStopByText(t *testing.T) {
	x := newTown(t, Knobs{})
	x.send(t, sms.Message{Key: "k-1", From: ours, To: theirs, Text: "hello"})
	x.until(t, "there", func() bool { return x.marks["k-1"] == tandem.MessageDelivered })
	if _, err := x.Reply(theirs, Reply{Text: "退订"}); err != nil {
		t.Fatal(err)
	}
	x.until(t, "answered", func() bool { return len(x.inbox(t, theirs)) == 3 })
	var refused *sms.Refused
	if err := x.desk.Allow(t.Context(), theirs); !errors.As(err, &refused) || refused.Rule != "stopped" {
		t.Errorf("%v", err)
	}
	if len(x.arrived) != 0 {
		t.Errorf("a flow saw %v", x.arrived)
	}
}

func TestForgers(t *testing.T) {
	x := newTown(t, Knobs{})
	for _, c := range []struct {
		path, kind, body string
		change           func(*http.Request)
		status           int
	}{
		{"/webhook", "application/json", `{"type":"message.send","data":{"from":"` + ours + `","to":"` + theirs + `","text":"x"}}`, nil, 401},
		{"/webhook", "application/json", `{"type":"message.send","data":{"from":"+49","to":"` + theirs + `","text":"x"}}`, nil, 400},
		{"/webhook", "application/json", `{`, nil, 400},
		{"/2010-04-01/Accounts/" + NoAccount + "/Messages.json", "application/x-www-form-urlencoded", "From=%2B15005550006&To=%2B8613800000001&Body=x", nil, 401},
		{"/2010-04-01/Accounts/" + NoAccount + "/Messages.json", "application/x-www-form-urlencoded", "From=%2B15005550006&To=%2B8613800000001&Body=x", func(r *http.Request) { r.SetBasicAuth(NoAccount, "guess") }, 401},
		{"/2010-04-01/Accounts/AC1/Messages.json", "application/x-www-form-urlencoded", "From=%2B15005550006&To=%2B8613800000001&Body=x", func(r *http.Request) { r.SetBasicAuth(NoAccount, token) }, 401},
		{"/2010-04-01/Accounts/" + NoAccount + "/Messages.json", "application/x-www-form-urlencoded", "From=%2B49&To=%2B8613800000001&Body=x", func(r *http.Request) { r.SetBasicAuth(NoAccount, token) }, 400},
		{"/2010-04-01/Accounts/" + NoAccount + "/Messages.json", "application/x-www-form-urlencoded", "From=%2B15005550006&To=138&Body=x", func(r *http.Request) { r.SetBasicAuth(NoAccount, token) }, 400},
	} {
		r := httptest.NewRequest("POST", "http://127.0.0.1"+c.path, strings.NewReader(c.body))
		r.Header.Set("Content-Type", c.kind)
		if c.change != nil {
			c.change(r)
		}
		w := httptest.NewRecorder()
		x.ServeHTTP(w, r)
		if w.Code != c.status {
			t.Errorf("%s %s: %d %s", c.path, c.body, w.Code, w.Body)
		}
	}
	if x.Counts().Taken != 0 {
		t.Errorf("%+v", x.Counts())
	}
}

func TestMemoryIsBounded(t *testing.T) {
	s, err := New(Options{Gateways: []Gateway{{Kind: Webhook, Numbers: []string{ours}, Target: "http://127.0.0.1:1/x", Secret: secret}}, Seed: 1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxPhones + 50 {
		for range 1 + (i/(maxPhones+49))*(maxMessages+10) {
			s.mu.Lock()
			s.put(s.phoneOf(fmt.Sprintf("+86138%08d", i)), &Message{ID: fmt.Sprint(i), Text: "x"})
			s.mu.Unlock()
		}
	}
	if len(s.phones) != maxPhones || len(s.phones[fmt.Sprintf("+86138%08d", maxPhones+49)].messages) != maxMessages {
		t.Errorf("%d phones, %d texts", len(s.phones), len(s.phones[fmt.Sprintf("+86138%08d", maxPhones+49)].messages))
	}
	for i := range maxKnown + 10 {
		s.remember(fmt.Sprint(i), "x")
	}
	if len(s.known) != maxKnown || len(s.order) != maxKnown {
		t.Errorf("%d known", len(s.known))
	}
	refused := 0
	for range maxWaiting + 10 {
		if _, err := s.Reply(theirs, Reply{Text: "x"}); errors.Is(err, errFull) {
			refused++
		}
	}
	if len(s.waiting) > maxWaiting || refused < 10 {
		t.Errorf("%d wait, %d refused", len(s.waiting), refused)
	}
}
