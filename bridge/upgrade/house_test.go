package upgrade

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"tandem"
	"tandem/bridge/phone"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/media"
	"tandem/media/video"
	"tandem/media/webrtc"
	"tandem/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds every wait of these tests.
const patience = 10 * time.Second

// house is a driver among things that are played: a line, a switchboard, a store and pages.
type house struct {
	*Upgrades
	t *testing.T

	mu       sync.Mutex
	now      time.Time
	news     chan struct{} // closed and replaced at each change
	story    []string      // what was done, in its order
	tasks    map[tandem.TaskID]tandem.Task
	line     func(queue.Fact)
	talks    map[tandem.InteractionID]phone.Talk
	told     func(phone.Talk)
	callers  map[tandem.InteractionID]phone.Caller
	peers    []*peer
	screens  []*screen
	customer Customer
	down     bool // the store
	unready  error
	refuses  error // of Join
	events   []tandem.Event
	legs     map[tandem.LegID]tandem.Leg
	sent     []string
	seen     []Upgrade
	entering func() // before somebody is in the talk; nil = nothing
}

const (
	in1  = tandem.InteractionID("i1")
	chat = tandem.TaskID("t1")
)

func newHouse(t *testing.T, change func(*Options)) *house {
	t.Helper()
	h := &house{t: t, now: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC), news: make(chan struct{}), tasks: map[tandem.TaskID]tandem.Task{}, talks: map[tandem.InteractionID]phone.Talk{},
		callers: map[tandem.InteractionID]phone.Caller{}, customer: Customer{ID: "c1", Lang: "en", Page: true}, legs: map[tandem.LegID]tandem.Leg{}}
	h.tasks[chat] = tandem.Task{ID: chat, Interaction: in1, Kind: tandem.TaskChat, State: tandem.TaskAssigned, Agent: "anna", Fence: 1}
	o := Options{
		Line: (*fakeLine)(h), Switchboard: (*fakeBoard)(h), Store: (*fakeStore)(h), Media: (*fakeMedia)(h), Customers: tandem.LevelVoice,
		Customer: func(context.Context, tandem.InteractionID) (Customer, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.customer, nil
		},
		Name: func(agent string) string { return strings.ToUpper(agent[:1]) + agent[1:] },
		TellCustomer: func(_ tandem.InteractionID, page, conn string, s webrtc.Signal) {
			h.note(func() { h.sent = append(h.sent, page+" "+conn+" "+s.Kind) })
		},
		TellStaff: func(who string, _ tandem.InteractionID, page string, s webrtc.Signal) {
			h.note(func() { h.sent = append(h.sent, who+"@"+page+" "+s.Kind) })
		},
		Now:    func() time.Time { h.mu.Lock(); defer h.mu.Unlock(); return h.now },
		Random: rand.Reader, Log: slog.New(slog.DiscardHandler), Panicked: func(p any) { t.Errorf("a panic: %v", p) },
	}
	if change != nil {
		change(&o)
	}
	h.Upgrades = New(o)
	h.Watch(func(u Upgrade) { h.note(func() { h.seen = append(h.seen, u) }) })
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { h.Run(ctx); close(done) }()
	h.until("it runs", func() bool { return h.line != nil && h.told != nil })
	t.Cleanup(func() { cancel(); <-done })
	return h
}

// note does something under the house's lock, and has who waits look again.
func (h *house) note(do func()) {
	h.mu.Lock()
	defer h.mu.Unlock()
	do()
	close(h.news)
	h.news = make(chan struct{})
}

func (h *house) tells(format string, args ...any) {
	h.note(func() { h.story = append(h.story, fmt.Sprintf(format, args...)) })
}

// until waits until is says so.
func (h *house) until(what string, is func() bool) {
	h.t.Helper()
	limit := time.After(patience)
	for {
		h.mu.Lock()
		ok, news := is(), h.news
		h.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-news:
		case <-limit:
			h.mu.Lock()
			defer h.mu.Unlock()
			last := Upgrade{}
			if len(h.seen) > 0 {
				last = h.seen[len(h.seen)-1]
			}
			h.t.Fatalf("never: %s; the story is %q, the upgrade %+v", what, h.story, last)
		}
	}
}

// is waits until the upgrade is as is says, and returns it.
func (h *house) is(what string, is func(Upgrade) bool) Upgrade {
	h.t.Helper()
	var u Upgrade
	h.until(what, func() bool {
		if len(h.seen) > 0 {
			u = h.seen[len(h.seen)-1]
		}
		return len(h.seen) > 0 && is(u)
	})
	return u
}

func (h *house) state(s State) Upgrade {
	h.t.Helper()
	return h.is("state "+string(s), func(u Upgrade) bool { return u.State == s })
}

func (h *house) carries(now tandem.Level, fallen string) {
	h.t.Helper()
	h.is(fmt.Sprintf("now %q, fallen by %q", now, fallen), func(u Upgrade) bool { return u.Now == now && u.Fallen == fallen })
}

// later moves the clock and has the upgrade look.
func (h *house) later(d time.Duration) {
	h.note(func() { h.now = h.now.Add(d) })
	if x := h.find(in1); x != nil {
		x.stir()
	}
}

func (h *house) journal(kind tandem.EventKind) (out []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.events {
		if e.Kind == kind {
			out = append(out, string(e.Data))
		}
	}
	return out
}

// states are what the journal has of the upgrade, in a few signs.
func (h *house) states() string {
	var out []string
	for _, data := range h.journal(tandem.EventUpgrade) {
		var e tandem.Upgraded
		if err := json.Unmarshal([]byte(data), &e); err != nil {
			h.t.Fatal(err)
		}
		s := e.State + " " + string(e.Level)
		if e.Why != "" {
			s += " (" + e.Why + ")"
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

func (h *house) peer() *peer {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.peers[len(h.peers)-1]
}

func (h *house) screen() *screen {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.screens[len(h.screens)-1]
}

// ask has anna ask for a level, answer the customer agree from page p1.
func (h *house) ask(l tandem.Level) Upgrade {
	h.t.Helper()
	u, err := h.Ask(h.t.Context(), Ask{Interaction: in1, By: "anna", Level: l, Why: "to see the card"})
	if err != nil {
		h.t.Fatal(err)
	}
	return u
}

func (h *house) agree(u Upgrade, l tandem.Level) Upgrade {
	h.t.Helper()
	u, err := h.Answer(h.t.Context(), in1, u.ID, "p1", true, l, "en", nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return u
}

// up is an upgrade that is agreed to and connected.
func (h *house) up(l tandem.Level) Upgrade {
	h.t.Helper()
	h.agree(h.ask(l), l)
	h.peer().becomes(webrtc.StateUp)
	if l == seeing {
		h.screen().becomes(webrtc.StateUp)
	}
	return h.is("all of "+string(l), func(u Upgrade) bool { return u.State == Up && u.Now == l })
}

func failed(t *testing.T, err error, code tandem.Code) {
	t.Helper()
	if err == nil || tandem.CodeOf(err) != code {
		t.Errorf("the error is %v, not one of code %s", err, code)
	}
}

type (
	fakeLine  house
	fakeBoard house
	fakeStore house
	fakeMedia house
)

func (f *fakeLine) Watch(do func(queue.Fact)) (stop func()) {
	(*house)(f).note(func() { f.line = do })
	return func() { (*house)(f).note(func() { f.line = nil }) }
}

func (f *fakeLine) Task(id tandem.TaskID) (tandem.Task, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t, ok := f.tasks[id]
	return t, ok
}

func (f *fakeLine) Of(in tandem.InteractionID) (out []tandem.Task) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, t := range f.tasks {
		if t.Interaction == in {
			out = append(out, t)
		}
	}
	return out
}

// task changes a task and tells so as the line does.
func (h *house) task(change func(*tandem.Task)) {
	h.mu.Lock()
	t := h.tasks[chat]
	before := t
	change(&t)
	h.tasks[chat] = t
	do := h.line
	h.mu.Unlock()
	do(queue.Fact{Output: route.TaskReleased{Task: t, Agent: before.Agent, Fence: before.Fence}})
}

func (f *fakeBoard) Ready(string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.unready
}

func (f *fakeBoard) Join(_ context.Context, id tandem.TaskID, c phone.Caller) error {
	h := (*house)(f)
	f.mu.Lock()
	err, t := f.refuses, f.tasks[id]
	f.mu.Unlock()
	if err != nil {
		h.tells("join: refused")
		return err
	}
	h.tells("join")
	h.talk(phone.Talk{Task: id, Interaction: t.Interaction, Agent: t.Agent, Parties: []phone.Party{
		{Leg: "seat", Role: tandem.RoleAgent, Name: t.Agent, State: phone.StateJoined}, {Leg: c.Leg().ID, Role: tandem.RoleCustomer, State: phone.StateJoined}}})
	h.note(func() { f.callers[t.Interaction] = c })
	h.going.Go(func() { // as the talk does
		<-c.Left()
		h.tells("the talk lets go: %s", c.Termination().Reason)
		h.over(t.Interaction, "customer")
	})
	return nil
}

// talk has a talk be as it says, and tells so.
func (h *house) talk(is phone.Talk) {
	var told func(phone.Talk)
	h.note(func() { h.talks[is.Interaction] = is; told = h.told })
	if told != nil {
		told(is)
	}
}

// over ends a talk.
func (h *house) over(in tandem.InteractionID, why string) {
	var told func(phone.Talk)
	var was phone.Talk
	up := false
	h.note(func() {
		was, up = h.talks[in]
		delete(h.talks, in)
		told = h.told
	})
	if was.Over, was.Why = true, why; up && told != nil {
		told(was)
	}
}

func (f *fakeBoard) TalkOf(in tandem.InteractionID) (phone.Talk, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t, ok := f.talks[in]
	return t, ok
}

func (f *fakeBoard) WatchTalks(do func(phone.Talk)) (stop func()) {
	(*house)(f).note(func() { f.told = do })
	return func() { (*house)(f).note(func() { f.told = nil }) }
}

func (f *fakeBoard) Pictured(tandem.InteractionID) { (*house)(f).tells("pictured") }

func (f *fakeBoard) Enter(_ context.Context, in tandem.InteractionID, who string, role tandem.Role) error {
	h := (*house)(f)
	if h.entering != nil {
		h.entering()
	}
	h.tells("enter %s %s", who, role)
	f.mu.Lock()
	t := f.talks[in]
	f.mu.Unlock()
	t.Parties = append(slices.Clone(t.Parties), phone.Party{Leg: tandem.LegID("leg of " + who), Role: role, Name: who, State: phone.StateJoined, Guest: true})
	h.talk(t)
	return nil
}

func (f *fakeBoard) Expel(_ tandem.InteractionID, who string) { (*house)(f).tells("expel %s", who) }

var errDown = fmt.Errorf("down: %w", store.ErrUnavailable)

func (f *fakeStore) write(how string, c *store.Change) error {
	h := (*house)(f)
	f.mu.Lock()
	down := f.down && how == "commit"
	f.mu.Unlock()
	if down {
		return errDown
	}
	for _, e := range c.Events {
		if e.Interaction != in1 {
			h.t.Errorf("%s is of interaction %q", e.Kind, e.Interaction)
		}
		var k tandem.Consent
		_ = json.Unmarshal(e.Data, &k)
		if e.Kind == tandem.EventConsent {
			h.tells("%s consent %s", how, k.Kind)
		} else {
			h.tells("%s %s", how, e.Kind)
		}
	}
	h.note(func() {
		f.events = append(f.events, c.Events...)
		for _, l := range c.Legs {
			f.legs[l.ID] = l
		}
	})
	return nil
}

func (f *fakeStore) Commit(_ context.Context, c *store.Change) error { return f.write("commit", c) }
func (f *fakeStore) Settle(c *store.Change)                          { _ = f.write("settle", c) }

func (f *fakeStore) Note(e tandem.Event) {
	_ = f.write("note", &store.Change{Events: []tandem.Event{e}})
}

func (f *fakeStore) View(context.Context, func(tx store.Tx) error) error {
	return errors.New("nothing is read here")
}

// peer is a page's sound.
type peer struct {
	h       *house
	o       webrtc.PeerOptions
	state   webrtc.State
	mic     string
	signals []string
	closed  int
}

func (f *fakeMedia) NewPeer(o webrtc.PeerOptions) (Peer, error) {
	h := (*house)(f)
	p := &peer{h: h, o: o, state: webrtc.StateNew}
	h.note(func() { h.peers = append(h.peers, p); h.story = append(h.story, "peer") })
	return p, nil
}

func (f *fakeMedia) Servers(string) []webrtc.ICEServer {
	return []webrtc.ICEServer{{URLs: []string{"stun:one"}}}
}

func (p *peer) becomes(s webrtc.State) {
	p.h.note(func() { p.state = s })
	p.o.Changed(s)
}

func (p *peer) Take(_ context.Context, s webrtc.Signal) error {
	p.h.note(func() {
		p.signals = append(p.signals, s.Kind)
		if s.Kind == webrtc.KindMic {
			p.mic = s.Mic
		}
	})
	return nil
}

func (p *peer) Stream() *media.Stream { return nil }
func (p *peer) State() webrtc.State   { p.h.mu.Lock(); defer p.h.mu.Unlock(); return p.state }
func (p *peer) Mic() string           { p.h.mu.Lock(); defer p.h.mu.Unlock(); return p.mic }

func (p *peer) Close() media.Stats {
	p.h.note(func() { p.closed++; p.h.story = append(p.h.story, "peer closed") })
	return media.Stats{}
}

// screen is a page's pictures.
type screen struct {
	h               *house
	o               webrtc.ScreenOptions
	state           webrtc.State
	cam             string
	camera, display *video.Source
	may             string
	signals         []string
	closed          int
}

func (f *fakeMedia) NewScreen(o webrtc.ScreenOptions) (Screen, error) {
	h := (*house)(f)
	s := &screen{h: h, o: o, state: webrtc.StateNew, camera: video.NewSource(video.SourceOptions{ID: o.ID, Layers: 2}), display: video.NewSource(video.SourceOptions{ID: o.ID, Layers: 1})}
	h.note(func() {
		h.screens = append(h.screens, s)
		h.story = append(h.story, fmt.Sprintf("screen %t %t", o.Camera, o.Display))
	})
	return s, nil
}

func (s *screen) becomes(is webrtc.State) {
	s.h.note(func() { s.state = is })
	s.o.Changed(is)
}

func (s *screen) Take(_ context.Context, sig webrtc.Signal) error {
	s.h.note(func() {
		s.signals = append(s.signals, sig.Kind)
		if sig.Kind == webrtc.KindCam {
			s.cam = sig.Cam
		}
	})
	return nil
}

func (s *screen) Allow(camera, display bool) {
	s.h.note(func() {
		s.may = fmt.Sprint(camera, " ", display)
		s.h.story = append(s.h.story, "allow "+s.may)
	})
}

func (s *screen) Camera() *video.Source  { return s.camera }
func (s *screen) Display() *video.Source { return s.display }
func (s *screen) Show([]video.Shown)     {}
func (s *screen) State() webrtc.State    { s.h.mu.Lock(); defer s.h.mu.Unlock(); return s.state }
func (s *screen) Cam() string            { s.h.mu.Lock(); defer s.h.mu.Unlock(); return s.cam }

func (s *screen) Close() {
	s.h.note(func() { s.closed++; s.h.story = append(s.h.story, "screen closed") })
	s.camera.Close()
	s.display.Close()
}
