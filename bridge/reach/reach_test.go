package reach

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/link"
	"tandem/bridge/sms"
	"tandem/ivr/flow"
	"tandem/store"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	ours   = "+861055550100"
	theirs = "+8613800000001"
)

// house is a Reach over real parts; only the gateway is not there: what it would be
// handed lies in the outbox.
type house struct {
	*Reach
	t       *testing.T
	db      *sqlite.DB
	book    *chat.Book
	links   *link.Desk
	who     tandem.Who
	session flow.Session
	clock   *storetest.Clock

	mu      sync.Mutex
	answers []string
	told    chan struct{}
}

// nowhere is a gateway that nothing is sent by.
type nowhere struct{}

func (nowhere) Send(context.Context, sms.Message) (string, error) { return "", errors.New("not here") }
func (nowhere) Receive(*http.Request, []byte) ([]sms.Inbound, []sms.Receipt, sms.Answer, error) {
	return nil, nil, sms.Answer{}, errors.New("not here")
}

func newHouse(t *testing.T) *house {
	t.Helper()
	p := storetest.NewPlace(t)
	h := &house{t: t, clock: p.Clock, told: make(chan struct{}, 16)}
	log := slog.New(slog.DiscardHandler)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var err error
	h.db, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(p.Dir, "tandem.db"), Keys: p.Keys, Log: log, Now: p.Clock.Now})
	must(err)
	t.Cleanup(func() { h.db.Close() })
	h.book, err = chat.New(chat.Options{Database: h.db, Journal: h.db, Blind: p.Keys.Blind, Now: p.Clock.Now, Random: rand.Reader, Log: log})
	must(err)
	texts, err := sms.New(sms.Options{
		Gateways: map[string]sms.Gateway{"first": nowhere{}}, Numbers: []sms.Number{{Ours: ours, Gateway: "first"}}, Database: h.db, Blind: p.Keys.Blind,
		Policy: sms.Policy{Allowed: func(n string) (bool, string) { return strings.HasPrefix(n, "+86138"), "not listed" },
			PerHour: 100, PerDay: 100, PerNumberPerHour: 3, PerNumberPerDay: 3, PartsPerDay: 100},
		Arrived: func(context.Context, sms.Inbound) error { return nil }, Marked: func(context.Context, string, sms.Receipt) error { return nil },
		Log: log, Now: p.Clock.Now,
	})
	must(err)
	h.links, err = link.New(link.Options{Database: h.db, URL: "https://pages.example", Blind: p.Keys.Blind, Now: p.Clock.Now, Random: rand.Reader, Log: log,
		Changed: func(context.Context, link.Link, tandem.LinkState, map[string]any) {}})
	must(err)
	h.Reach = New(Options{
		Typed: func(n string) (string, bool) {
			if e, ok := sms.Normal(n); ok {
				return e, ok
			}
			return sms.Normal("+86" + strings.TrimPrefix(n, "0"))
		},
		Store: h.db, Book: h.book, Texts: texts, Links: h.links, Now: p.Clock.Now, Random: rand.Reader, Log: log,
		Answer: func(_ context.Context, _ tandem.InteractionID, in flow.Input) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.answers = append(h.answers, in.Result.Outcome)
			h.told <- struct{}{}
		},
		Needs: func(context.Context, flow.Session, string) tandem.Assurance { return tandem.None },
		Dial:  func(string) string { return "95588" }, Chat: func() bool { return true },
		Open: func(ctx context.Context, t tandem.Task, c *store.Change) error {
			c.Tasks = []tandem.Task{t}
			c.Events = append([]tandem.Event{tandem.NewEvent(t.Interaction, "", p.Clock.Now(), tandem.EventTaskOpened, "flow", t)}, c.Events...)
			return h.db.Commit(ctx, c)
		},
		Callable: func(n string) bool { return !strings.HasPrefix(n, "+1900") },
		Tell: func(t tandem.Task, of tandem.Interaction) []store.Outgoing {
			return []store.Outgoing{{Key: "task-" + string(t.ID), Kind: "webhook", Target: "https://hook.example", Body: []byte(of.Entry)}}
		},
	})
	t.Cleanup(h.Close)
	call := storetest.NewCall(p.Clock.Now(), rand.Reader, theirs)
	c := call.Opening()
	must(h.db.Commit(t.Context(), c))
	h.who = tandem.Who{Interaction: call.ID, Leg: call.Leg, Customer: c.Interaction.Customer, Channel: tandem.Voice, Entry: "95588", Caller: theirs, Lang: "en"}
	h.session = flow.Session{Frames: []flow.Frame{{Flow: "counter", Hash: "h", Step: "ask"}}, Wait: flow.Wait{Serial: 7}}
	return h
}

// begin carries an effect out and returns the answers so far.
func (h *house) begin(e flow.Effect) []string {
	h.t.Helper()
	if _, err := h.Begin(h.t.Context(), h.who, h.session, e); err != nil {
		h.t.Fatal(err)
	}
	return h.said()
}

func (h *house) said() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.answers
	h.answers = nil
	return out
}

// letters are the texts in the outbox.
func (h *house) letters() []sms.Message {
	h.t.Helper()
	leased, err := h.db.Lease(h.t.Context(), 100, time.Nanosecond)
	if err != nil {
		h.t.Fatal(err)
	}
	h.clock.Add(time.Second)
	var out []sms.Message
	for _, l := range leased {
		var m sms.Message
		if err := json.Unmarshal(l.Body, &m); err != nil {
			h.t.Fatal(err)
		}
		out = append(out, m)
	}
	return out
}

// journal is the messages of the interaction, as its journal has them.
func (h *house) journal() []tandem.Message {
	h.t.Helper()
	story, err := h.db.Interaction(h.t.Context(), string(h.who.Interaction))
	if err != nil {
		h.t.Fatal(err)
	}
	var out []tandem.Message
	for _, e := range story.Events {
		if e.Kind == tandem.EventMessage {
			var m tandem.Message
			if err := json.Unmarshal(e.Data, &m); err != nil {
				h.t.Fatal(err)
			}
			out = append(out, m)
		}
	}
	return out
}

func words(s string) []tandem.Part { return []tandem.Part{{Text: s}} }

func TestATextIsSentOnceUnderItsKey(t *testing.T) {
	h := newHouse(t)
	e := flow.Send{Serial: 7, Key: "k1", By: []string{"mail", "chat", "sms"}, Lang: "en", Parts: words("hello")}
	if got := h.begin(e); got != nil {
		t.Errorf("answered %v before the gateway had it", got)
	}
	h.begin(e) // the session was resumed
	sent := h.letters()
	if len(sent) != 1 || sent[0].Text != "hello" || sent[0].To != theirs || sent[0].From != ours {
		t.Fatalf("in the outbox: %+v", sent)
	}
	h.Marked(sent[0].Key, tandem.MessageSent)
	if got := h.said(); len(got) != 1 || got[0] != "sent" {
		t.Errorf("answered %v, want sent once", got)
	}
	h.Marked(sent[0].Key, tandem.MessageDelivered)
	if got := h.said(); got != nil {
		t.Errorf("answered %v again", got)
	}
	if j := h.journal(); len(j) != 1 || j[0].Channel != tandem.SMS || j[0].Text != "hello" {
		t.Errorf("the journal has %+v", j)
	}
}

// Nobody is texted who did not call, write, or answer a code; and no more than the caps allow.
func TestWhoIsNotTexted(t *testing.T) {
	h := newHouse(t)
	for what, e := range map[string]flow.Send{
		"typed":           {To: "+8613800000002", Parts: words("x")},
		"premium":         {To: "+8616868123", Parts: words("x")},
		"not a number":    {To: "bank", Parts: words("x")},
		"no means":        {By: []string{"mail"}, Parts: words("x")},
		"a chat, on call": {By: []string{"chat"}, Parts: words("x")},
	} {
		e.Serial, e.Key = 7, what
		if e.By == nil {
			e.By = []string{"sms"}
		}
		if got := h.begin(e); len(got) != 1 || got[0] != "undeliverable" {
			t.Errorf("%s: %v", what, got)
		}
	}
	h.who.Caller = "+4479111"
	if got := h.begin(flow.Send{Serial: 7, Key: "abroad", By: []string{"sms"}, Parts: words("x")}); len(got) != 1 || got[0] != "undeliverable" {
		t.Errorf("not listed: %v", got)
	}
	h.who.Caller = theirs
	for i, key := range []string{"1", "2", "3", "4"} {
		got := h.begin(flow.Send{Serial: 7, Key: key, By: []string{"sms"}, Parts: words("x")})
		if over := i == 3; over != (len(got) == 1 && got[0] == "undeliverable") {
			t.Errorf("text %d: %v", i+1, got)
		}
	}
	if sent := h.letters(); len(sent) != 3 {
		t.Errorf("%d texts are in the outbox, want 3", len(sent))
	}
	story, err := h.db.Interaction(t.Context(), string(h.who.Interaction))
	if err != nil {
		t.Fatal(err)
	}
	var rules []string
	for _, e := range story.Events {
		var told tandem.Receipt
		if e.Kind == tandem.EventReceipt && json.Unmarshal(e.Data, &told) == nil {
			rule, _, _ := strings.Cut(told.Error, ":")
			rules = append(rules, rule)
		}
	}
	if strings.Join(rules, " ") != "denied per_number" {
		t.Errorf("the journal has the rules %v", rules)
	}
}

// A number that answered a code is the customer's, wherever they are now.
func TestABoundNumberIsTexted(t *testing.T) {
	h := newHouse(t)
	h.who.Caller = ""
	if got := h.begin(flow.Send{Serial: 7, Key: "a", By: []string{"sms"}, Parts: words("x")}); len(got) != 1 || got[0] != "undeliverable" {
		t.Errorf("without a number: %v", got)
	}
	bound := tandem.Binding{Identity: tandem.Identity{Kind: tandem.IdentityPhone, Value: "+8613800000009"}, Checked: h.clock.Now()}
	err := h.db.Commit(t.Context(), &store.Change{Bind: &bound, Events: []tandem.Event{
		tandem.NewEvent(h.who.Interaction, h.who.Leg, h.clock.Now(), tandem.EventBound, "system", tandem.Bound{Identity: bound.Identity}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	h.begin(flow.Send{Serial: 7, Key: "b", By: []string{"sms"}, Parts: words("x")})
	if sent := h.letters(); len(sent) != 1 || sent[0].To != bound.Identity.Value {
		t.Errorf("sent %+v", sent)
	}
}

// Who came to a chat from a call or from texts is texted where they were texted before,
// and nobody else is.
func TestWhoCameFromTextsIsTextedThere(t *testing.T) {
	h := newHouse(t)
	h.begin(flow.Send{Serial: 7, Key: "a", By: []string{"sms"}, Parts: words("x")})
	h.who.Channel, h.who.Caller, h.who.Customer = tandem.Chat, "", ""
	h.begin(flow.Send{Serial: 7, Key: "b", By: []string{"sms"}, Parts: words("y")})
	if sent := h.letters(); len(sent) != 2 || sent[1].To != theirs {
		t.Errorf("sent %+v", sent)
	}
	if got := h.begin(flow.Send{Serial: 7, Key: "c", By: []string{"sms"}, To: "+8613800000002", Parts: words("z")}); len(got) != 1 || got[0] != "undeliverable" {
		t.Errorf("another number: %v", got)
	}
	h.who.Interaction = "another"
	if got := h.begin(flow.Send{Serial: 7, Key: "d", By: []string{"sms"}, Parts: words("z")}); len(got) != 1 || got[0] != "undeliverable" {
		t.Errorf("another interaction: %v", got)
	}
}

func TestALinksTokenIsInTheLetterAlone(t *testing.T) {
	h := newHouse(t)
	e := flow.SendLink{Serial: 7, Key: "l", Operation: "enrol", By: []string{"sms"}, Lang: "en", Parts: words("Here: " + flow.LinkHere), Expires: time.Minute, Wait: time.Minute}
	h.begin(e)
	sent := h.letters()
	if len(sent) != 1 || !strings.HasPrefix(sent[0].Text, "Here: https://pages.example/l/") || strings.Contains(sent[0].Text, "•") {
		t.Fatalf("sent %+v", sent)
	}
	token := sent[0].Text[strings.LastIndex(sent[0].Text, "/")+1:]
	j := h.journal()
	if len(j) != 1 || j[0].Text != "Here: https://pages.example/l/••••" {
		t.Errorf("the journal has %+v", j)
	}
	if _, err := h.links.ByToken(t.Context(), token); err != nil {
		t.Errorf("the link of the letter: %v", err)
	}
	if got := h.begin(e); len(got) != 1 || got[0] != "sent" {
		t.Errorf("asked again: %v", got)
	}
	if sent := h.letters(); len(sent) > 1 {
		t.Errorf("sent again: %+v", sent)
	}
}

func TestAWayToAnotherChannel(t *testing.T) {
	h := newHouse(t)
	if got := h.begin(flow.Move{Serial: 7, Key: "m", To: tandem.SMS, Lang: "en", Parts: words("Reply OK")}); got != nil {
		t.Errorf("answered %v at once", got)
	}
	conv, err := h.book.ByPeer(t.Context(), ours, theirs)
	if err != nil || conv.Interaction != h.who.Interaction {
		t.Fatalf("conversation %+v, %v", conv, err)
	}
	if _, ok := h.Came(h.who.Interaction, tandem.Chat, conv.ID, 2); ok {
		t.Error("came by chat, where the way led to texts")
	}
	if _, ok := h.Came(h.who.Interaction, tandem.SMS, "another", 2); ok {
		t.Error("came in another conversation")
	}
	if _, ok := h.Came(h.who.Interaction, tandem.SMS, conv.ID, 1); ok {
		t.Error("came with a text from before they were asked to")
	}
	if serial, ok := h.Came(h.who.Interaction, tandem.SMS, conv.ID, 2); !ok || serial != 7 {
		t.Errorf("came: %d, %t", serial, ok)
	}
	if _, ok := h.Came(h.who.Interaction, tandem.SMS, conv.ID, 3); ok {
		t.Error("came twice")
	}
	h.begin(flow.Move{Serial: 8, Key: "n", To: tandem.Chat, Lang: "en", Parts: words("Go on: ")})
	sent := h.letters()
	if last := sent[len(sent)-1]; !strings.Contains(last.Text, "https://pages.example/l/") {
		t.Errorf("the way to the chat: %q", last.Text)
	}
	h.Withdraw(h.who.Interaction)
	if _, ok := h.Came(h.who.Interaction, tandem.Chat, "", 3); ok {
		t.Error("came by a way that was closed")
	}
}

func TestABookedCallIsBookedOnceAndToldWhetherItIsProven(t *testing.T) {
	h := newHouse(t)
	for _, tc := range []struct {
		key, to string
		answer  string
		proven  bool
	}{
		{"own", "", "booked", true},
		{"own", "", "booked", true},
		{"again", theirs, "booked", true}, // asked for twice, booked once
		{"premium", "+19005551234", "declined", false},
		{"typed", "+8613811112222", "booked", false},
		{"home", "010 5555 0100", "booked", false},
		{"nonsense", "tomorrow", "declined", false},
	} {
		if got := h.begin(flow.Book{Serial: 7, Key: tc.key, To: tc.to, Queue: "cards"}); len(got) != 1 || got[0] != tc.answer {
			t.Errorf("%s: %v, want %s", tc.key, got, tc.answer)
		}
	}
	story, err := h.db.Interaction(t.Context(), string(h.who.Interaction))
	if err != nil {
		t.Fatal(err)
	}
	if len(story.Tasks) != 3 {
		t.Errorf("%d tasks, want 3", len(story.Tasks))
	}
	var booked []tandem.Callback
	for _, e := range story.Events {
		if e.Kind == tandem.EventCallback {
			var c tandem.Callback
			if err := json.Unmarshal(e.Data, &c); err != nil {
				t.Fatal(err)
			}
			booked = append(booked, c)
		}
	}
	if len(booked) != 3 || !booked[0].Proven || booked[0].To != theirs || booked[1].Proven || booked[2].Proven || booked[2].To != "+861055550100" {
		t.Errorf("booked %+v", booked)
	}
	for i, want := range []string{"booked", "booked", "declined", "declined"} {
		if got := h.begin(flow.Book{Serial: 7, Key: fmt.Sprint(i), To: fmt.Sprintf("+861380000000%d", 5+i), Queue: "cards"}); len(got) != 1 || got[0] != want {
			t.Errorf("call %d: %v, want %s", 4+i, got, want)
		}
	}
	told := 0
	letters, err := h.db.Outbox(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range letters {
		if strings.HasPrefix(l.Key, "task-") {
			told++
		}
	}
	if told != 5 {
		t.Errorf("the operator is told of %d tasks, want 5", told)
	}
}

func TestATemplateIsForGatewaysAlone(t *testing.T) {
	h := newHouse(t)
	h.begin(flow.Send{Serial: 7, Key: "t", By: []string{"chat", "sms"}, Lang: "en", Template: "balance", Params: map[string]any{"amount": 5, "day": "Monday"}})
	sent := h.letters()
	if len(sent) != 1 || sent[0].Template != "balance" || sent[0].Params["amount"] != "5" || sent[0].Text != "" {
		t.Errorf("sent %+v", sent)
	}
	if j := h.journal(); len(j) != 1 || j[0].Text != "[balance amount=5 day=Monday]" {
		t.Errorf("the journal has %+v", j)
	}
}

func TestLetterKeys(t *testing.T) {
	if c, seq, ok := LetterKey(letterKey("06h03", 12)); !ok || c != "06h03" || seq != 12 {
		t.Errorf("%s %d %t", c, seq, ok)
	}
	for _, key := range []string{"", "text:", "text:a", "text:a:", "text:a:x", "code:1", "task-1"} {
		if _, _, ok := LetterKey(key); ok {
			t.Errorf("%q is read as a message's", key)
		}
	}
}
