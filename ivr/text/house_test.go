package text

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"go.uber.org/goleak"

	"tandem"
	"tandem/bridge/chat"
	"tandem/ivr/flow"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
	"tandem/store"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ Store = (*sqlite.DB)(nil)

const (
	ours   = "+861055550100"
	theirs = "+8613800138000"
)

// house is a driver on a database of its own, in a small world.
type house struct {
	testing.TB
	place  storetest.Place
	random *storetest.Random
	db     *sqlite.DB
	mortal *mortal
	book   *chat.Book
	world  *world
	d      *Driver
	stop   func()
	fault  atomic.Pointer[error] // of the database
	said   atomic.Int64
}

// newHouse serves the given flows; the entry's is the one called f.
func newHouse(t testing.TB, flows ...string) *house {
	t.Helper()
	h := &house{TB: t, place: storetest.NewPlace(t), random: storetest.NewRandom(3)}
	var err error
	h.db, err = sqlite.Open(context.Background(), sqlite.Options{
		Path: filepath.Join(h.place.Dir, "tandem.db"), Keys: h.place.Keys, Blobs: h.place.Blobs, Log: slog.New(slog.DiscardHandler),
		Now: h.place.Clock.Now, Random: storetest.NewRandom(4), Flush: 10 * time.Millisecond, Probe: 10 * time.Millisecond,
		Fault: func(point string) error {
			if e := h.fault.Load(); e != nil {
				return *e
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.book, err = chat.New(chat.Options{Database: h.db, Journal: h.db, Blind: h.place.Keys.Blind, Now: h.place.Clock.Now, Random: h.random})
	if err != nil {
		t.Fatal(err)
	}
	h.world = &world{h: h, library: library(t, flows...), begun: map[string]int{}}
	h.start()
	t.Cleanup(func() {
		h.stop()
		if v, err := h.db.Verify(context.Background()); err != nil || !v.OK {
			t.Errorf("the journal does not verify: %+v, %v", v, err)
		}
		h.db.Close()
	})
	return h
}

func library(t testing.TB, flows ...string) *flow.Library {
	t.Helper()
	files := fstest.MapFS{}
	for i, text := range flows {
		files[fmt.Sprintf("%c.flow.yaml", 'f'+i)] = &fstest.MapFile{Data: []byte(text)}
	}
	files["o.operation.yaml"] = &fstest.MapFile{Data: []byte("operation: o\nneeds: none\nsteps:\n  - { show: { en: Look. } }\nconfirm: { en: Done }\n")}
	files["q.queues.yaml"] = &fstest.MapFile{Data: []byte("queues: { q: { teams: [q] } }\n")}
	lib, ds := read.FS(files, read.Options{Settings: map[string]any{}, HTTPAllow: []string{"core"}})
	if lib == nil {
		var b strings.Builder
		source.Print(&b, ds, false)
		t.Fatal(b.String())
	}
	return lib
}

// start begins to serve, with nothing at hand.
func (h *house) start() {
	h.mortal = &mortal{DB: h.db}
	var err error
	h.d, err = New(Options{
		Store: h.mortal, Book: h.book, World: &mortalWorld{h.world, h.mortal}, Now: h.place.Clock.Now, Random: h.random,
		Log: slog.New(slog.DiscardHandler),
		Panicked: func(what string, p any) {
			if p != "injected" {
				h.Errorf("panic in %s: %v", what, p)
			}
		},
	})
	if err != nil {
		h.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	d := h.d
	go func() { ended <- d.Run(ctx) }()
	h.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			h.Error(err)
		}
	})
}

// crash ends the driver where it is and begins another.
func (h *house) crash() {
	h.mortal.kill()
	h.stop()
	h.start()
}

// chat makes a conversation by the widget; texts one by SMS.
func (h *house) chat() tandem.ConversationID {
	return h.conversation(chat.Conversation{Channel: tandem.Chat, Entry: "chat:bank", Lang: "en"})
}

func (h *house) texts() tandem.ConversationID {
	return h.conversation(chat.Conversation{Channel: tandem.SMS, Entry: "sms:" + ours, Lang: "en", Ours: ours, Theirs: theirs})
}

func (h *house) conversation(c chat.Conversation) tandem.ConversationID {
	h.Helper()
	h.must(h.db.Update(context.Background(), func(tx store.Tx) error { return h.book.Create(tx, &c) }))
	return c.ID
}

func (h *house) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

// say says something.
func (h *house) say(id tandem.ConversationID, text string) chat.Entry {
	h.Helper()
	e, err := h.d.Say(context.Background(), id, Said{Text: text, Client: fmt.Sprint("c", h.said.Add(1)), From: theirs})
	h.must(err)
	return e
}

func (h *house) open(id tandem.ConversationID) {
	h.Helper()
	h.must(h.d.Open(context.Background(), id))
}

func (h *house) deliver(in tandem.InteractionID, input flow.Input) {
	h.Helper()
	h.must(h.d.Deliver(context.Background(), in, input))
}

func (h *house) conv(id tandem.ConversationID) chat.Conversation {
	h.Helper()
	c, err := h.book.Find(context.Background(), id)
	h.must(err)
	return c
}

// wait moves the clock and has what is due done.
func (h *house) wait(d time.Duration) {
	h.place.Clock.Add(d)
	h.d.timers.tell()
}

// eventually waits till something is so.
func (h *house) eventually(what string, so func() bool) {
	h.Helper()
	for range 2000 {
		if so() {
			return
		}
		time.Sleep(time.Millisecond)
	}
	h.Fatalf("not within two seconds: %s", what)
}

// talked waits till the conversation reads so.
func (h *house) talked(id tandem.ConversationID, want ...string) {
	h.Helper()
	var got []string
	for range 2000 {
		if got = h.read(id); len(got) >= len(want) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if !slices.Equal(got, want) {
		h.Fatalf("the conversation reads\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

// read is a conversation as people see it: "> " before what the customer said.
func (h *house) read(id tandem.ConversationID) []string {
	h.Helper()
	entries, err := h.book.Since(context.Background(), id, 0, 1000)
	h.must(err)
	slices.SortFunc(entries, func(a, b chat.Entry) int { return int(a.Message.Seq) - int(b.Message.Seq) })
	var out []string
	for i, e := range entries {
		if e.Message.Seq != uint64(i+1) {
			h.Fatalf("message %d has number %d", i+1, e.Message.Seq)
		}
		out = append(out, line(e))
	}
	return out
}

func line(e chat.Entry) string {
	m := e.Message
	text := strings.ReplaceAll(m.Text, "\n", " / ")
	if m.From == tandem.SenderCustomer {
		text = "> " + text
	}
	if m.Attachment != nil {
		text += " (picture)"
	}
	if len(m.Buttons) > 0 {
		var labels []string
		for _, b := range m.Buttons {
			labels = append(labels, b.Label)
		}
		text += " [" + strings.Join(labels, "|") + "]"
	}
	if m.AsksSecret {
		text += " (secret)"
	}
	if e.State == tandem.MessageFailed {
		text += " (failed)"
	}
	return text
}

// journal lists the kinds of an interaction's events.
func (h *house) journal(in tandem.InteractionID) []string {
	h.Helper()
	story := h.story(in)
	var out []string
	for _, e := range story.Events {
		out = append(out, string(e.Kind))
	}
	return out
}

func (h *house) story(in tandem.InteractionID) store.Story {
	h.Helper()
	story, err := h.db.Interaction(context.Background(), string(in))
	h.must(err)
	return story
}

// ended waits till the interaction is closed and returns its story.
func (h *house) ended(in tandem.InteractionID) store.Story {
	h.Helper()
	h.eventually("the interaction ends", func() bool { return h.story(in).Interaction.State == tandem.Closed })
	return h.story(in)
}

// mortal is a store that dies: from then on nothing is written.
type mortal struct {
	*sqlite.DB
	mu    sync.Mutex
	made  int  // commits so far
	left  int  // commits until it dies; 0 = it does not
	after bool // the last is written
	dead  bool
}

var errDead = errors.New("dead")

func (m *mortal) Commit(ctx context.Context, c *store.Change) error {
	m.mu.Lock()
	m.made++
	dies := false
	if m.left > 0 {
		m.left--
		dies = m.left == 0
	}
	dead := m.dead || dies && !m.after
	m.dead = m.dead || dies
	m.mu.Unlock()
	if dead {
		return errDead
	}
	err := m.DB.Commit(ctx, c)
	if dies && err == nil {
		err = errDead // nobody hears of it
	}
	return err
}

// die has it die at a commit from now, the next being 1.
func (m *mortal) die(n int, after bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.left, m.after = n, after
}

func (m *mortal) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.made
}

func (m *mortal) kill() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dead = true
}

func (m *mortal) isDead() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.dead
}

// world is what sessions ask. What it was asked by is in log.
type world struct {
	h       *house
	library *flow.Library
	old     []*flow.Library
	fetch   func(ctx context.Context, f flow.Fetch) flow.Fetched
	begin   func(ctx context.Context, r Ref, s flow.Session, e flow.Effect) ([]flow.Play, error)
	talk    func(r Ref, s flow.Session, e flow.Effect, in flow.Input) (flow.Turn, error)
	resume  func(ctx context.Context, c chat.Conversation, earlier tandem.InteractionID, t flow.Turn) error
	refuse  error // of letters

	mu    sync.Mutex
	log   []string
	begun map[string]int // how often each key was begun
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

func (w *world) noted() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.log)
}

func (w *world) Fetch(ctx context.Context, r Ref, f flow.Fetch) flow.Fetched {
	w.note("fetch %s", f.URL)
	if w.fetch != nil {
		return w.fetch(ctx, f)
	}
	return flow.Fetched{Status: 200, Body: json.RawMessage("{}"), Tries: 1}
}

func (w *world) Begin(ctx context.Context, r Ref, s flow.Session, e flow.Effect) ([]flow.Play, error) {
	key, answer := "", "sent"
	switch e := e.(type) {
	case flow.Send:
		key = e.Key
	case flow.SendLink:
		key = e.Key
	case flow.Move:
		key, answer = e.Key, ""
	case flow.Book:
		key, answer = e.Key, "booked"
	}
	w.mu.Lock()
	w.begun[key]++
	w.mu.Unlock()
	w.note("begin %T %s", e, key)
	if w.begin != nil {
		return w.begin(ctx, r, s, e)
	}
	if answer != "" {
		return nil, w.h.d.Deliver(ctx, r.Interaction, flow.Input{Kind: flow.InputResult, Serial: serialOf(e), Result: &flow.Result{Outcome: answer}})
	}
	return nil, nil
}

func (w *world) Withdraw(ctx context.Context, r Ref, s flow.Session) {
	w.note("withdraw %s", s.Wait.Kind)
}

// Talk asks for the code 123456, three times at most.
func (w *world) Talk(ctx context.Context, r Ref, s flow.Session, e flow.Effect, in flow.Input) (flow.Turn, error) {
	if w.talk != nil {
		return w.talk(r, s, e, in)
	}
	w.note("talk %T %s %s", e, in.Kind, in.Text)
	tries := 0
	if e == nil {
		if err := json.Unmarshal(s.World, &tries); err != nil {
			return flow.Turn{}, err
		}
		if in.Kind == flow.InputText && in.Text == "123456" {
			return flow.Turn{Plays: []flow.Play{words("Thank you.")}, Done: &flow.Result{Outcome: "passed"}}, nil
		}
		if tries++; tries == 3 {
			return flow.Turn{Plays: []flow.Play{words("That was wrong.")}, Done: &flow.Result{Outcome: "failed"}}, nil
		}
	}
	state, _ := json.Marshal(tries)
	return flow.Turn{Plays: []flow.Play{words("Your code?")}, State: state, Wait: flow.Wait{Kind: flow.WaitListen, Secret: true, Timeout: time.Minute}}, nil
}

func words(text string) flow.Play {
	return flow.Play{Lang: "en", Parts: []tandem.Part{{Text: text}}}
}

func (w *world) Library(ctx context.Context, name, hash string) (*flow.Library, error) {
	for _, l := range append([]*flow.Library{w.library}, w.old...) {
		if f := l.Flows[name]; f != nil && f.Hash == hash {
			return l, nil
		}
	}
	return nil, tandem.Errorf(tandem.CodeNotFound, "no such version")
}

func (w *world) Entry(name string) (string, *flow.Library, bool) {
	return "f", w.library, name != "chat:nobody"
}

func (w *world) Letter(ctx context.Context, c chat.Conversation, m *tandem.Message, lang string) (*store.Outgoing, error) {
	if w.refuse != nil {
		return nil, w.refuse
	}
	return &store.Outgoing{Key: fmt.Sprintf("text:%s:%d", c.ID, m.Seq), Kind: "sms", Target: c.Theirs, Body: []byte(m.Text)}, nil
}

func (w *world) Resume(ctx context.Context, c chat.Conversation, earlier tandem.InteractionID, t flow.Turn) error {
	w.note("resume %s", earlier)
	if w.resume != nil {
		return w.resume(ctx, c, earlier, t)
	}
	return nil
}

func (w *world) Ended(ctx context.Context, r Ref, reason string) { w.note("ended %s", reason) }

// mortalWorld is a world that does nothing for the dead.
type mortalWorld struct {
	*world
	m *mortal
}

func (w *mortalWorld) Fetch(ctx context.Context, r Ref, f flow.Fetch) flow.Fetched {
	if w.m.isDead() {
		return flow.Fetched{}
	}
	return w.world.Fetch(ctx, r, f)
}

func (w *mortalWorld) Begin(ctx context.Context, r Ref, s flow.Session, e flow.Effect) ([]flow.Play, error) {
	if w.m.isDead() {
		return nil, errDead
	}
	return w.world.Begin(ctx, r, s, e)
}

func (w *mortalWorld) Talk(ctx context.Context, r Ref, s flow.Session, e flow.Effect, in flow.Input) (flow.Turn, error) {
	if w.m.isDead() {
		return flow.Turn{}, errDead
	}
	return w.world.Talk(ctx, r, s, e, in)
}
