package identity

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem"
	"tandem/ivr/flow"
	"tandem/store"
	"tandem/store/sqlite"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var monday = time.Date(2026, 11, 23, 10, 0, 0, 0, time.UTC)

const (
	phoneA = "+8613800000001"
	phoneB = "+8613800000042"
)

// letter is one that the desk had sent.
type letter struct {
	who Who
	to  tandem.Identity
	Letter
}

func (l letter) code() string { return l.Params["code"] }

// world is a desk over a real database, with everything around it in the test's hands.
type world struct {
	t    testing.TB
	dir  string
	db   *sqlite.DB
	desk *Desk

	mu     sync.Mutex
	now    time.Time
	sent   []letter
	events []tandem.Event
	slept  []time.Duration
	refuse error // what Send answers
	slow   time.Duration
}

func (w *world) Now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now
}

func (w *world) pass(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

func newWorld(t testing.TB, change ...func(*Options)) *world {
	w := &world{t: t, dir: t.TempDir(), now: monday}
	w.open(change...)
	return w
}

func (w *world) open(change ...func(*Options)) {
	w.t.Helper()
	keys, err := store.NewKeyring([]byte(strings.Repeat("k", store.KeySize)))
	if err != nil {
		w.t.Fatal(err)
	}
	w.db, err = sqlite.Open(w.t.Context(), sqlite.Options{Path: filepath.Join(w.dir, "tandem.db"), Checkpoints: filepath.Join(w.dir, "checkpoints"),
		Keys: keys, Log: slog.New(slog.DiscardHandler), Now: w.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { w.db.Close() })
	o := Options{
		Records: w.db, Blind: keys.Blind, Now: w.Now, Random: rand.Reader,
		Sleep: func(_ context.Context, d time.Duration) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.slept = append(w.slept, d)
		},
		Send: func(_ context.Context, who Who, to tandem.Identity, l Letter) error {
			w.pass(w.slow)
			if w.refuse != nil {
				return w.refuse
			}
			w.sent = append(w.sent, letter{who, to, l})
			return nil
		},
		Promise: func(ctx context.Context, who Who, kind tandem.EventKind, data any) error {
			e := tandem.NewEvent(who.Interaction, who.Leg, w.Now(), kind, "system", data)
			w.events = append(w.events, e)
			return w.db.Commit(ctx, &store.Change{Events: []tandem.Event{e}})
		},
	}
	for _, f := range change {
		f(&o)
	}
	w.desk, err = New(o)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(w.desk.Close)
}

// comes makes an interaction with one leg, and says who is on it.
func (w *world) comes(channel tandem.Channel, from string, customer tandem.CustomerID) Who {
	w.t.Helper()
	now := w.Now()
	in := tandem.Interaction{ID: tandem.NewID[tandem.InteractionID](now, rand.Reader), Number: tandem.NewNumber(rand.Reader), Customer: customer,
		Entry: "test", Flow: "x", State: tandem.Open, Started: now}
	leg := tandem.Leg{ID: tandem.NewID[tandem.LegID](now, rand.Reader), Interaction: in.ID, Kind: tandem.LegSIP, Inbound: true, Role: tandem.RoleCustomer, From: from, Started: now}
	who := Who{Interaction: in.ID, Leg: leg.ID, Channel: channel, Caller: from, Entry: "test", Lang: "en"}
	c := store.Change{Interaction: &in, Legs: []tandem.Leg{leg}, Events: []tandem.Event{tandem.NewEvent(in.ID, leg.ID, now, tandem.EventOpened, "system", nil)}}
	switch channel {
	case tandem.Chat:
		who.Caller, who.Conversation, who.Address = "", tandem.NewID[tandem.ConversationID](now, rand.Reader), "192.0.2.7"
		c.Legs[0].Kind, c.Legs[0].From = tandem.LegChat, string(who.Conversation)
	case tandem.SMS:
		c.Legs[0].Kind = tandem.LegSMS
	}
	if who.Caller != "" && customer == "" {
		i := w.desk.Phone(from)
		c.Caller = &i
	}
	if err := w.db.Commit(w.t.Context(), &c); err != nil {
		w.t.Fatal(err)
	}
	who.Customer = in.Customer
	return who
}

// customer is one with a phone that was proved.
func (w *world) customer(number string) tandem.CustomerID {
	w.t.Helper()
	who := w.comes(tandem.Voice, number, "")
	if err := w.desk.Bind(w.t.Context(), who, w.desk.Phone(number), flow.ByCode); err != nil {
		w.t.Fatal(err)
	}
	return who.Customer
}

// parks stores a session for an interaction, and returns its number.
func (w *world) parks(who Who) tandem.Number {
	w.t.Helper()
	story, err := w.db.Interaction(w.t.Context(), string(who.Interaction))
	if err != nil {
		w.t.Fatal(err)
	}
	story.Interaction.State, story.Interaction.Ended = tandem.Closed, w.Now()
	err = w.db.Commit(w.t.Context(), &store.Change{Interaction: &story.Interaction,
		Session: &store.SessionRecord{Data: []byte("{}"), At: w.Now()}, Park: w.Now().Add(defaultReturn)})
	if err != nil {
		w.t.Fatal(err)
	}
	return story.Interaction.Number
}

// talker holds one talk from the customer's side.
type talker struct {
	w    *world
	who  Who
	turn flow.Turn
}

func (w *world) begin(who Who, e flow.Effect) *talker {
	w.t.Helper()
	turn, err := w.desk.Begin(w.t.Context(), who, e)
	if err != nil {
		w.t.Fatal(err)
	}
	return &talker{w, who, turn}
}

func (c *talker) hear(in flow.Input) {
	c.w.t.Helper()
	if c.turn.Done != nil {
		c.w.t.Fatalf("the talk is over: %+v", c.turn.Done)
	}
	turn, err := c.w.desk.Hear(c.w.t.Context(), c.who, c.turn.State, in)
	if err != nil {
		c.w.t.Fatal(err)
	}
	c.turn = turn
}

func (c *talker) enter(text string) {
	c.w.t.Helper()
	c.hear(flow.Input{Kind: flow.InputText, Text: text})
}
func (c *talker) silence() { c.w.t.Helper(); c.hear(flow.Input{Kind: flow.InputTimeout}) }

// said is the names of what was said in the last turn, and the outcome if it was that.
func said(turn flow.Turn) string {
	var names []string
	for _, p := range turn.Plays {
		names = append(names, strings.TrimPrefix(p.Name, "identity_"))
	}
	if turn.Done != nil {
		names = append(names, "= "+turn.Done.Outcome)
	}
	return strings.Join(names, " ")
}

func (c *talker) hears(want string) {
	c.w.t.Helper()
	if got := said(c.turn); got != want {
		c.w.t.Fatalf("hears %q, want %q", got, want)
	}
}

// last is the newest letter.
func (w *world) last() letter {
	w.t.Helper()
	if len(w.sent) == 0 {
		w.t.Fatal("nothing was sent")
	}
	return w.sent[len(w.sent)-1]
}

// journal is the kinds of an interaction's events, and their payloads.
func (w *world) journal(id tandem.InteractionID) (kinds, payloads string) {
	w.t.Helper()
	story, err := w.db.Interaction(w.t.Context(), string(id))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, e := range story.Events {
		kinds += string(e.Kind) + " "
		payloads += string(e.Data) + "\n"
	}
	return kinds, payloads
}

// seen is all of a turn that the customer can notice.
func seen(t testing.TB, turn flow.Turn) string {
	turn.State = nil
	b, err := json.Marshal(turn)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func wrong(code string) string {
	if code == "000000" {
		return "999999"
	}
	return "000000"
}

var byCode = flow.Identify{Serial: 1, Step: "prove", Level: tandem.Verified, By: []string{flow.ByCode}, Lang: "en"}

var errNo = errors.New("not sent")
