package phone

import (
	"context"
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/internal/testkit"
	"tandem/store"
	"tandem/store/sqlite"
)

// realLine is the line itself over a store, with two agents who have phones.
type realLine struct {
	*house
	router *queue.Router
	db     *sqlite.DB
	ben    *testkit.Callee
	in     tandem.InteractionID
}

func newRealLine(t *testing.T, set ...func(*house, *Options)) *realLine {
	t.Helper()
	l := &realLine{ben: testkit.NewCallee(t), in: tandem.NewID[tandem.InteractionID](time.Now(), rand.Reader)}
	keys, err := store.NewKeyring(make([]byte, store.KeySize))
	if err != nil {
		t.Fatal(err)
	}
	l.db, err = sqlite.Open(t.Context(), sqlite.Options{Path: filepath.Join(t.TempDir(), "tandem.db"), Keys: keys, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.db.Close(); err != nil {
			t.Error(err)
		}
	})
	now := time.Now()
	opened := tandem.NewEvent(l.in, "", now, tandem.EventOpened, "system", tandem.Opened{Entry: "1", Channel: tandem.Voice})
	err = l.db.Commit(t.Context(), &store.Change{Events: []tandem.Event{opened}, Interaction: &tandem.Interaction{
		ID: l.in, Number: tandem.NewNumber(rand.Reader), Entry: "1", Flow: "f", State: tandem.Open, Started: now,
	}})
	if err != nil {
		t.Fatal(err)
	}
	voice := map[tandem.Load]int{tandem.LoadVoice: 1}
	policy := &route.Policy{
		Queues: map[string]*route.Queue{"cards": {Name: "cards", Teams: []string{"day"}, CallbackTries: 2, CallbackGap: time.Minute}},
		Teams:  map[string]*route.Team{"day": {Name: "day"}},
		Agents: map[string]*route.Agent{"anna": {Name: "anna", Teams: []string{"day"}, Capacity: voice}, "ben": {Name: "ben", Teams: []string{"day"}, Capacity: voice}},
		Offer:  map[tandem.Load]time.Duration{tandem.LoadVoice: 2 * time.Second}, DeclineRest: time.Minute,
	}
	l.router, err = queue.New(t.Context(), queue.Options{Store: l.db, Policy: policy, Now: time.Now, Random: rand.Reader, Verify: true, Broken: func(f string) { t.Error(f) }})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.router.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil && ctx.Err() == nil {
			t.Error(err)
		}
	})
	l.house = newHouse(t, func(h *house, o *Options) {
		o.Router, o.Store = l.router, l.db
		o.Phones = map[string]string{"anna": h.anna.URI("anna"), "ben": l.ben.URI("ben")}
		for _, more := range set {
			more(h, o)
		}
	})
	for _, name := range []string{"anna", "ben"} {
		l.until("there", func() bool { a, _ := l.router.Agent(name); return a.Reachable[tandem.LoadVoice] })
		if _, err := l.router.Present(t.Context(), name, tandem.PresenceAvailable, ""); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func (l *realLine) until(what string, is func() bool) {
	l.t.Helper()
	for limit := time.Now().Add(patience); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			l.t.Fatalf("never %s", what)
		}
	}
}

func (l *realLine) open(kind tandem.TaskKind) tandem.TaskID {
	l.t.Helper()
	t, err := l.router.Open(l.t.Context(), tandem.Task{Interaction: l.in, Kind: kind, Queue: "cards", Arrived: time.Now()}, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	return t.ID
}

// kinds is what the journal has of the task and its calls.
func (l *realLine) kinds() (kinds []tandem.EventKind) {
	l.t.Helper()
	for _, e := range l.journal() {
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func (l *realLine) journal() []tandem.Event {
	l.t.Helper()
	if err := l.db.Flush(l.t.Context()); err != nil { // what a leg's end is told by may trail
		l.t.Fatal(err)
	}
	story, err := l.db.Interaction(l.t.Context(), string(l.in))
	if err != nil {
		l.t.Fatal(err)
	}
	return story.Events
}

func count(kinds []tandem.EventKind, k tandem.EventKind) (n int) {
	for _, has := range kinds {
		if has == k {
			n++
		}
	}
	return n
}

// Whose phone is not answered loses the offer: it stops ringing, the call is back at its
// place, and the other agent's phone rings. When that dies in mid-call, the caller is back
// at the place they had, and the first is rung again; each rings once for each offer.
func TestTheLineGivesACallOn(t *testing.T) {
	t.Parallel()
	l := newRealLine(t)
	c := l.waits()
	id := l.open(tandem.TaskCall)
	first := l.anna.Rung(patience)
	first.Says(180, "Ringing")
	if !l.ben.Silent(moment) {
		t.Error("two phones ring for one call")
	}
	first.Cancelled(patience) // after two seconds
	second := l.ben.Rung(patience)
	second.RTP.Talk(testkit.Tone(agentHz, time.Second))
	second.Picks()
	second.RTP.Hear(patience, time.Time{}, callerHz, 500*time.Millisecond)
	c.phone.Hear(patience, time.Time{}, agentHz, 500*time.Millisecond)
	if task, ok := l.router.Task(id); !ok || task.State != tandem.TaskAssigned || task.Agent != "ben" {
		t.Errorf("the task is %+v", task)
	}
	second.RTP.Quiet()
	second.WaitBye(patience)
	third := l.anna.Rung(patience)
	third.Says(180, "Ringing")
	if a, _ := l.router.Agent("ben"); a.Reachable[tandem.LoadVoice] {
		t.Error("a phone that died is still to be reached")
	}
	c.leaves(tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup))
	if err := l.router.End(t.Context(), id, tandem.OutcomeLeft, nil); err != nil {
		t.Fatal(err)
	}
	third.Cancelled(patience)
	l.idle()
	got := l.kinds()
	for kind, want := range map[tandem.EventKind]int{
		tandem.EventTaskOffered: 3, tandem.EventTaskReturned: 2, tandem.EventTaskAssigned: 1, tandem.EventTaskReleased: 1, tandem.EventTaskDone: 1,
		tandem.EventDialled: 3, tandem.EventLegStarted: 3, tandem.EventLegAnswered: 1, tandem.EventLegEnded: 3,
	} {
		if n := count(got, kind); n != want {
			t.Errorf("%d of %s in the journal, want %d: %v", n, kind, want, got)
		}
	}
}

// A callback is dialled only for an agent who is there; a try that fails is counted, and the
// next is later.
func TestTheLineCallsBack(t *testing.T) {
	t.Parallel()
	l := newRealLine(t)
	id := l.open(tandem.TaskCallback)
	agent := l.anna.Rung(patience)
	agent.Picks()
	customer := l.number.Rung(patience)
	customer.Rejects(486, "Busy Here")
	agent.WaitBye(patience)
	var task tandem.Task
	l.until("back in line", func() bool { task, _ = l.router.Task(id); return task.State == tandem.TaskWaiting })
	if task.Tries != 1 || !task.NotBefore.After(time.Now().Add(50*time.Second)) {
		t.Errorf("the task is %+v", task)
	}
	l.idle()
	if !l.number.Silent(moment) || !l.ben.Silent(0) {
		t.Error("somebody was called before the next try")
	}
	if kinds := l.kinds(); count(kinds, tandem.EventDialled) != 2 || slices.Index(kinds, tandem.EventTaskAssigned) > slices.Index(kinds, tandem.EventLegEnded) {
		t.Errorf("the journal has %v", kinds)
	}
}
