package survey

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/sms"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/store"
	"tandem/store/storetest"
)

func (h *house) later(by ...tandem.Channel) flow.Result {
	h.t.Helper()
	e := h.effect("every")
	e.After, e.By = time.Hour, by
	r, err := h.Later(h.t.Context(), h.who, h.session(), e)
	h.must(err)
	return r
}

func (h *house) pass(d time.Duration) {
	h.t.Helper()
	h.place.Clock.Add(d)
	h.must(h.sweep(h.t.Context()))
}

func (h *house) state() string {
	h.t.Helper()
	all, err := h.Of(h.t.Context(), h.call.ID)
	h.must(err)
	if len(all) == 0 {
		return ""
	}
	return all[0].State
}

// A survey that was put off is asked once, when it is due, by day, in an interaction of
// its own; what is answered there is about the first.
func TestLater(t *testing.T) {
	h := newHouse(t).on(tandem.Voice, "zh-CN") // it is nine in the morning
	if r := h.later(tandem.Voice, tandem.SMS); r.Outcome != "done" || h.later(tandem.SMS).Outcome != "done" {
		t.Fatal(r)
	}
	closing := h.call.Closing(h.now(), tandem.Terminate(tandem.ByRemote, tandem.ReasonCompleted))
	closing.Interaction.Customer = h.who.Customer
	h.must(h.db.Commit(t.Context(), closing)) // they have hung up
	if h.pass(59 * time.Minute); len(h.starts) != 0 || h.state() != "waiting" {
		t.Fatal(h.starts, h.state())
	}
	h.pass(2 * time.Minute)
	if len(h.starts) != 1 || h.state() != "asked" {
		t.Fatal(h.starts, h.state())
	}
	s := h.starts[0]
	if s.Of != h.call.ID || s.Interaction == s.Of || s.Channel != tandem.SMS || s.Customer != h.who.Customer || s.Lang != "zh-CN" || s.Flow != "survey:every" {
		t.Errorf("%+v", s)
	}
	if h.pass(time.Hour); len(h.starts) != 1 {
		t.Errorf("asked %d times", len(h.starts))
	}

	// The flow that asks it.
	name, hash, form, ok := Base(s.Flow, s.Library.Flows[s.Flow].Hash)
	if !ok || name != "f" || hash != "abc" || form != "every" {
		t.Errorf("%q %q %q %t", name, hash, form, ok)
	}
	h.who.Interaction = s.Interaction
	session, effects, err := engine.Start(s.Library, s.Flow, flow.Facts{Channel: tandem.SMS, CallerLang: s.Lang}, nil, h.now())
	h.must(err)
	asks := flow.Survey{}
	for _, e := range effects {
		if e, ok := e.(flow.Survey); ok {
			asks = e
		}
	}
	if asks.Lang != "zh-CN" || asks.Form != "every" || session.Wait.Kind != flow.WaitSurvey {
		t.Fatalf("%+v", asks)
	}
	h.on(tandem.SMS, "zh-CN")
	turn, err := h.Begin(t.Context(), h.who, session, s.Library, asks)
	h.must(err)
	if said := shown(turn); !strings.Contains(said, "回复“退出”") || !strings.Contains(said, "请用1到5评分。") {
		t.Errorf("%q", said)
	}
	for _, entry := range []string{"5", "yes", "manner", "Fine."} {
		turn = h.hear(turn, entry)
	}
	if last, events := h.kept(); turn.Done == nil || turn.Done.Outcome != "done" || events != 4 || last.Partial || last.Channel != tandem.SMS || last.Visit != "f/rate#1" {
		t.Errorf("%+v, %+v in %d events", turn.Done, last, events)
	}
	session, effects, err = engine.Advance(s.Library, session, flow.Input{Kind: flow.InputResult, At: h.now(), Serial: session.Wait.Serial, Result: turn.Done})
	if err != nil || len(session.Frames) != 0 || len(effects) == 0 {
		t.Errorf("%+v %v", effects, err)
	}
}

func TestNotByNight(t *testing.T) {
	h := newHouse(t)
	h.place.Clock.Add(10*time.Hour + 30*time.Minute) // it is due at half past eight in the evening
	h.later(tandem.SMS)
	for range 14 {
		if h.pass(time.Hour); len(h.starts) > 0 {
			break
		}
	}
	if len(h.starts) != 1 || h.place.Clock.Now().Hour() < 9 || h.place.Clock.Now().Hour() > 10 {
		t.Errorf("%d at %v", len(h.starts), h.place.Clock.Now())
	}
	if _, err := New(Options{Database: h.db, From: 20, To: 9}); err == nil {
		t.Error("hours over midnight")
	}
}

func TestNobodyIsReached(t *testing.T) {
	busy := tandem.Errorf(tandem.CodeConflict, "busy")
	for _, test := range []struct {
		name   string
		by     []tandem.Channel
		answer func(Start) error
		state  string
		tries  int // at most in three days
	}{
		{"no way", []tandem.Channel{tandem.Chat, tandem.SMS}, func(Start) error { return fmt.Errorf("looking: %w", store.ErrNotFound) }, "given_up", 2},
		{"a stop of the gateway's", []tandem.Channel{tandem.SMS}, func(Start) error { return fmt.Errorf("saying: %w", &sms.Refused{Rule: "stopped"}) }, "given_up", 1},
		{"a cap of the gateway's", []tandem.Channel{tandem.SMS}, func(s Start) error { return &sms.Refused{Rule: "per_hour"} }, "given_up", 200},
		{"the second way", []tandem.Channel{tandem.Chat, tandem.SMS}, func(s Start) error {
			if s.Channel == tandem.Chat {
				return store.ErrNotFound
			}
			return nil
		}, "asked", 2},
		{"begun before", []tandem.Channel{tandem.SMS}, func(Start) error { return store.ErrDuplicate }, "asked", 1},
		{"busy for ever", []tandem.Channel{tandem.SMS}, func(Start) error { return busy }, "given_up", 200},
		{"the caps", []tandem.Channel{tandem.SMS}, func(Start) error { return errors.New("too many texts") }, "given_up", 200},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t)
			h.answer = test.answer
			h.later(test.by...)
			for range 3 * 24 {
				h.pass(time.Hour)
			}
			if h.state() != test.state || len(h.starts) > test.tries || len(h.starts) == 0 {
				t.Errorf("%s after %d tries", h.state(), len(h.starts))
			}
			for _, s := range h.starts {
				if s.Interaction != h.starts[0].Interaction {
					t.Error("another interaction each time")
				}
			}
		})
	}
	h := newHouse(t)
	if r := h.later(tandem.Voice); r.Outcome != "skipped" || h.state() != "" {
		t.Errorf("by voice: %+v", r)
	}
	e := h.effect("every")
	e.By = []tandem.Channel{tandem.SMS} // the caller is asked by text: the step goes on
	turn, err := h.Begin(t.Context(), h.who, h.session(), h.lib, e)
	if err != nil || turn.Done == nil || turn.Done.Outcome != "done" || h.state() != "waiting" {
		t.Errorf("%+v %v %s", turn, err, h.state())
	}
	h.must(h.db.Erase(t.Context(), h.who.Customer, "anna", "asked for"))
	if h.pass(time.Minute); h.state() != "given_up" || len(h.starts) != 0 {
		t.Errorf("an erased person: %s, %d", h.state(), len(h.starts))
	}
}

func TestRun(t *testing.T) {
	h := newHouse(t)
	h.later(tandem.SMS)
	h.place.Clock.Add(2 * time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan struct{})
	h.answer = func(Start) error { close(started); return nil }
	ended := make(chan error)
	go func() { ended <- h.Run(ctx) }()
	<-started
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// mortal dies at one of its writes, before or after it.
type mortal struct {
	Database
	at, after int64
	n         atomic.Int64
}

var errDead = errors.New("dead")

func (m *mortal) dies(write func() error) error {
	n := m.n.Add(1)
	switch {
	case m.at > 0 && n > m.at, n == m.at && m.after == 0:
		return errDead
	case n == m.at:
		return errors.Join(write(), errDead)
	}
	return write()
}

func (m *mortal) Commit(ctx context.Context, c *store.Change) error {
	return m.dies(func() error { return m.Database.Commit(ctx, c) })
}

func (m *mortal) Update(ctx context.Context, do func(store.Tx) error) error {
	return m.dies(func() error { return m.Database.Update(ctx, do) })
}

// Wherever the program dies, what was answered is kept once and in full in the end, and a
// survey that was put off is begun once.
func TestCrashAtEveryCommit(t *testing.T) {
	play := func(t *testing.T, at, after int64) int64 {
		h := newHouse(t)
		m := &mortal{Database: h.db, at: at, after: after}
		h.restart(m)
		alive := func(err error) bool {
			if errors.Is(err, errDead) {
				m = &mortal{Database: h.db}
				h.restart(m)
				return false
			}
			h.must(err)
			return true
		}
		var turn flow.Turn
		var err error
		begin := func() {
			for {
				if turn, err = h.Begin(t.Context(), h.who, h.session(), h.lib, h.effect("every")); alive(err) {
					return
				}
			}
		}
		begin()
		for i, entry := range []string{"5", "1", "2"} {
			for turn.Done == nil {
				next, err := h.Hear(t.Context(), h.who, h.lib, turn.State, flow.Input{Kind: flow.InputText, Text: entry})
				if alive(err) {
					turn = next
					break
				}
				begin() // the session was stored before the answer, and asks anew
				if state, _ := decode(turn.State); turn.Done == nil && state.At > i {
					break // it was kept
				}
			}
		}
		last, events := h.kept()
		if answers(last.Answers) != "again=true best=manner score=5" || last.Partial || events != 3 || turn.Done == nil || turn.Done.Outcome != "done" {
			t.Errorf("%+v in %d events", last, events)
		}
		e := h.effect("every")
		e.Key, e.After = "f/later#1", time.Minute
		for {
			if _, err := h.Later(t.Context(), h.who, h.session(), e); alive(err) {
				break
			}
		}
		h.place.Clock.Add(time.Hour)
		begun := map[tandem.InteractionID]bool{}
		h.answer = func(s Start) error {
			if begun[s.Interaction] {
				return store.ErrDuplicate
			}
			begun[s.Interaction] = true
			return nil
		}
		for !alive(h.sweep(t.Context())) {
		}
		h.must(h.sweep(t.Context()))
		if all, err := h.Of(t.Context(), h.call.ID); err != nil || len(begun) != 1 || len(all) != 2 || all[1].State != "asked" || all[1].Asked.IsZero() {
			t.Errorf("%d begun, %+v %v", len(begun), all, err)
		}
		if v, err := h.db.Verify(t.Context()); err != nil || !v.OK {
			t.Errorf("%+v %v", v, err)
		}
		return m.n.Load()
	}
	writes := play(t, 0, 0)
	if writes < 7 {
		t.Fatal(writes)
	}
	for at := int64(1); at <= writes; at++ {
		for after := range int64(2) {
			t.Run(fmt.Sprintf("write %d, done %d", at, after), func(t *testing.T) { play(t, at, after) })
		}
	}
}

func TestFigures(t *testing.T) {
	h := newHouse(t)
	task := tandem.Task{ID: tandem.NewID[tandem.TaskID](h.now(), storetest.NewRandom(1)), Interaction: h.call.ID, Kind: tandem.TaskCall, Queue: "cards", State: tandem.TaskWaiting, Arrived: h.now()}
	has := task
	has.State, has.Agent = tandem.TaskAssigned, "anna"
	h.must(h.db.Commit(t.Context(), &store.Change{Tasks: []tandem.Task{has}, Events: []tandem.Event{
		h.call.Event(h.now(), tandem.EventTaskOpened, task), h.call.Event(h.now(), tandem.EventTaskAssigned, tandem.Assigned{Task: task.ID, Agent: "anna"}),
	}}))
	h.on(tandem.Chat, "en")
	from := h.place.Clock.Now()
	for i, entries := range [][]string{{"5", "yes", "1", "My name is Li"}, {"4", "no"}, {"skip", "yes", "2", "skip"}, {"quit"}} {
		e := h.effect("every")
		e.Key = fmt.Sprint(i)
		h.talk(e, entries...)
	}
	h.place.Clock.Add(24 * time.Hour)
	e := h.effect("score")
	e.Key = "tomorrow"
	h.talk(e, "10")
	figures, err := h.Figures(t.Context(), from, h.place.Clock.Now())
	h.must(err)
	if len(figures) != 2 || figures[0].Day != "2026-11-23" || figures[1].Day != "2026-11-24" || figures[1].Form != "score" || figures[0].Agent != "anna" || figures[0].Queue != "cards" {
		t.Fatalf("%+v", figures)
	}
	f := figures[0]
	if f.Asked != 4 || f.Answered != 3 || f.Partial != 1 || len(f.Fields) != 4 {
		t.Errorf("%+v", f)
	}
	again, best, mark, words := f.Fields[0], f.Fields[1], f.Fields[2], f.Fields[3]
	if again.Counts["true"] != 2 || again.Counts["false"] != 1 || again.Mean != nil || best.Counts["speed"] != 1 || best.Counts["manner"] != 1 ||
		mark.Count != 2 || *mark.Mean != 4.5 || mark.Counts["5"] != 1 || words.Count != 1 || words.Counts != nil {
		t.Errorf("%+v", f.Fields)
	}
	if strings.Contains(fmt.Sprint(figures), "Li") {
		t.Error("a text is told")
	}
	if none, err := h.Figures(t.Context(), from.Add(-time.Hour), from); err != nil || len(none) != 0 {
		t.Errorf("%+v %v", none, err)
	}
	h.must(h.db.Erase(t.Context(), h.who.Customer, "anna", "asked for"))
	if figures, err = h.Figures(t.Context(), from, h.place.Clock.Now()); err != nil || figures[0].Asked != 4 || figures[0].Answered != 0 {
		t.Errorf("erased: %+v %v", figures, err)
	}
	if strings.Contains(h.log.String(), "Li") {
		t.Error("a text is in the log")
	}
}
