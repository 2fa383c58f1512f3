package survey

import (
	"context"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"go.uber.org/goleak"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/read"
	"tandem/store"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _ Database = (*sqlite.DB)(nil)

const forms = `form: every
fields:
  - { name: score, type: int, range: 1..5, ask: { en: "How was it, from 1 to 5?", zh-CN: "请用1到5评分。" } }
  - { name: again, type: bool, ask: { en: "Would you call again?", zh-CN: "您还会再来吗？" } }
  - name: best
    type: enum
    values: [speed, manner]
    labels: { speed: { en: "How fast it was", zh-CN: "速度" } }
    ask: { en: "What was best?", zh-CN: "最满意的是？" }
  - { name: words, type: text, optional: true, ask: { en: "Anything else?", zh-CN: "还有别的吗？" } }
`

const score = `form: score
fields:
  - { name: score, type: int, range: 0..10, ask: { en: "How likely, from 0 to 10?" } }
`

const tiny = `flow: f
channels: [voice, chat, sms]
languages: [en, zh-CN]
start: rate
steps:
  rate: { survey: { form: every }, next: { done: end, skipped: end } }
  more: { survey: { form: score }, next: { done: end, skipped: end } }
`

func library(t testing.TB) *flow.Library {
	t.Helper()
	lib, found := read.FS(fstest.MapFS{"every.form.yaml": {Data: []byte(forms)}, "score.form.yaml": {Data: []byte(score)}, "f.flow.yaml": {Data: []byte(tiny)}}, read.Options{})
	if lib == nil {
		t.Fatal(found)
	}
	return lib
}

// house is a desk over a real database, with an interaction whose flow asks.
type house struct {
	*Desk
	t     testing.TB
	db    *sqlite.DB
	place storetest.Place
	call  storetest.Call
	who   tandem.Who
	lib   *flow.Library
	log   *strings.Builder

	mu     sync.Mutex
	starts []Start
	answer func(Start) error
}

func newHouse(t testing.TB) *house {
	t.Helper()
	h := &house{t: t, place: storetest.NewPlace(t), lib: library(t), log: &strings.Builder{}, answer: func(Start) error { return nil }}
	var err error
	h.db, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(h.place.Dir, "tandem.db"), Keys: h.place.Keys, Log: slog.New(slog.DiscardHandler), Now: h.place.Clock.Now})
	h.must(err)
	t.Cleanup(func() { h.db.Close() })
	h.call = storetest.NewCall(h.place.Clock.Now(), rand.Reader, "+8613800000000")
	c := h.call.Opening()
	h.must(h.db.Commit(t.Context(), c))
	h.who = tandem.Who{Interaction: h.call.ID, Leg: h.call.Leg, Customer: c.Interaction.Customer, Channel: tandem.Voice, Lang: "en", Caller: "+8613800000000"}
	h.restart(h.db)
	return h
}

// restart makes a new desk, as after a crash.
func (h *house) restart(db Database) {
	h.t.Helper()
	var err error
	h.Desk, err = New(Options{
		Database: db, Now: h.place.Clock.Now, Log: slog.New(slog.NewTextHandler(h.log, nil)),
		Library: func(context.Context, string, string) (*flow.Library, error) { return h.lib, nil },
		Start: func(_ context.Context, s Start) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.starts = append(h.starts, s)
			return h.answer(s)
		},
	})
	h.must(err)
}

func (h *house) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) session() flow.Session {
	return flow.Session{Frames: []flow.Frame{{Flow: "f", Hash: "abc", Step: "rate"}}, Wait: flow.Wait{Serial: 3, Step: "rate"}}
}

func (h *house) effect(form string) flow.Survey {
	return flow.Survey{Serial: 3, Step: "rate", Key: "f/rate#1", Form: form, By: []tandem.Channel{tandem.Voice, tandem.Chat, tandem.SMS}, Lang: h.who.Lang}
}

// on has the customer somewhere else.
func (h *house) on(c tandem.Channel, lang string) *house {
	h.who.Channel, h.who.Lang = c, lang
	return h
}

// talk has the survey asked, answers it with what is entered ("" is silence), and returns
// what was said at each turn and how it ended, "" if it goes on.
func (h *house) talk(e flow.Survey, entries ...string) (said []string, outcome string) {
	h.t.Helper()
	turn, err := h.Begin(h.t.Context(), h.who, h.session(), h.lib, e)
	h.must(err)
	said = append(said, shown(turn))
	for _, entry := range entries {
		if turn.Done != nil {
			h.t.Fatalf("%q after the end, %q", entry, said)
		}
		turn = h.hear(turn, entry)
		said = append(said, shown(turn))
	}
	if turn.Done != nil {
		outcome = turn.Done.Outcome
	}
	return said, outcome
}

func (h *house) hear(turn flow.Turn, entry string) flow.Turn {
	h.t.Helper()
	in := flow.Input{Kind: flow.InputText, Text: entry}
	if entry == "" {
		in.Kind = flow.InputTimeout
	}
	turn, err := h.Hear(h.t.Context(), h.who, h.lib, turn.State, in)
	h.must(err)
	return turn
}

func shown(turn flow.Turn) string {
	var out []string
	for _, p := range turn.Plays {
		out = append(out, flow.Text(p.Parts))
	}
	for _, o := range turn.Wait.Options {
		out = append(out, strings.TrimSpace("["+o.Keys+" "+o.Label)+"]")
	}
	return strings.Join(out, " ")
}

// kept is what the journal has last of the survey, and in how many events.
func (h *house) kept() (last tandem.Surveyed, events int) {
	h.t.Helper()
	story, err := h.db.Interaction(h.t.Context(), string(h.call.ID))
	h.must(err)
	for _, e := range story.Events {
		if e.Kind == tandem.EventSurvey {
			events++
			said, err := h.said(h.t.Context(), []store.EventRef{{Interaction: e.Interaction, Seq: e.Seq}})
			h.must(err)
			last = said[0]
		}
	}
	return last, events
}
