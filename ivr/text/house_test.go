package text

import (
	"context"
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
	asked  atomic.Pointer[func()] // by the store
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
	files["s.form.yaml"] = &fstest.MapFile{Data: []byte("form: s\nfields:\n  - { name: stars, type: int, range: 1..5, ask: { en: Stars? } }\n")}
	files["q.queues.yaml"] = &fstest.MapFile{Data: []byte("queues: { q: { teams: [q] } }\nteams: { q: {} }\n")}
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
	h.mortal = &mortal{DB: h.db, asked: &h.asked}
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
