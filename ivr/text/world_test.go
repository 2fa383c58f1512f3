package text

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/ivr/flow"
	"tandem/store"
	"tandem/store/sqlite"
)

// mortal is a store that dies: from then on nothing is written.
type mortal struct {
	*sqlite.DB
	mu    sync.Mutex
	made  int  // commits so far
	left  int  // commits until it dies; 0 = it does not
	after bool // the last is written
	dead  bool
	asked *atomic.Pointer[func()] // what is done as a session was read, and before a commit
}

func (m *mortal) Session(ctx context.Context, id tandem.InteractionID) ([]byte, time.Time, error) {
	data, at, err := m.DB.Session(ctx, id)
	m.isAsked()
	return data, at, err
}

func (m *mortal) isAsked() {
	if do := m.asked.Load(); do != nil {
		(*do)()
	}
}

var errDead = errors.New("dead")

func (m *mortal) Commit(ctx context.Context, c *store.Change) error {
	m.isAsked()
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
	case flow.Enqueue:
		key, answer = e.Key, ""
	case flow.OpenTicket:
		key, answer = e.Key, "opened"
	case flow.Survey:
		key, answer = e.Key, "done"
	case flow.Take:
		key, answer = e.What, ""
	}
	w.mu.Lock()
	w.begun[key]++
	w.mu.Unlock()
	w.note("begin %T %s", e, key)
	if w.begin != nil {
		return w.begin(ctx, r, s, e)
	}
	if answer != "" {
		return nil, w.h.d.Deliver(ctx, r.Interaction, flow.Input{Kind: flow.InputResult, Serial: serialOf(e), Result: &flow.Result{Outcome: answer, Value: "12345678901"}})
	}
	return nil, nil
}

func (w *world) Told(_ context.Context, _ Ref, t flow.Told) {
	w.note("told %s %s %v", t.Step, t.Outcome, t.Set)
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
