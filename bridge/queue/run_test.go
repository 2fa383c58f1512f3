package queue

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tandem"
	"tandem/bridge/route"
	"tandem/store"
)

// memory is a keeper that keeps nothing but what a line needs to be read again, and blocks
// or fails as it is told.
type memory struct {
	mu      sync.Mutex
	fail    error
	hold    chan struct{} // not nil: a commit waits until it is closed
	inside  chan struct{} // told when a commit waits
	version int64
	commits int
	tasks   map[tandem.TaskID]tandem.Task
	agents  map[string]route.AgentState
	fence   uint64
}

func newMemory() *memory {
	return &memory{tasks: map[tandem.TaskID]tandem.Task{}, agents: map[string]route.AgentState{}, inside: make(chan struct{}, 1)}
}

func (m *memory) Load(context.Context) (Kept, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := Kept{Version: m.version, Saved: route.Saved{Fence: m.fence}}
	for _, t := range m.tasks {
		if t.State != tandem.TaskDone {
			k.Saved.Tasks = append(k.Saved.Tasks, t)
		}
	}
	for _, a := range m.agents {
		k.Saved.Agents = append(k.Saved.Agents, a)
	}
	return k, m.fail
}

func (m *memory) Commit(_ context.Context, w *Written) error {
	m.mu.Lock()
	hold := m.hold
	m.mu.Unlock()
	if hold != nil {
		m.inside <- struct{}{}
		<-hold
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.commits++
	if m.fail != nil {
		return m.fail
	}
	m.version, m.fence = w.Rows.Next, w.Rows.Fence
	for _, c := range w.Changes {
		for _, t := range c.Tasks {
			m.tasks[t.ID] = t
		}
	}
	for _, a := range w.Rows.Agents {
		m.agents[a.Name] = a
	}
	return nil
}

func (m *memory) set(change func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	change()
}

// inMemory runs a router over a memory.
func inMemory(t *testing.T, m *memory, change func(*CoreOptions)) (r *Router, stop func()) {
	t.Helper()
	o := CoreOptions{Keeper: m, Policy: housePolicy("anna", "bo"), Random: rand.Reader}
	if change != nil {
		change(&o)
	}
	core, err := NewCore(context.Background(), o, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	r = newRouter(Options{Now: time.Now, Log: slog.New(slog.DiscardHandler), Panicked: func(string, any) {}}, core)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.Run(ctx) }()
	return r, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func callback(in string) tandem.Task {
	return tandem.Task{Interaction: tandem.InteractionID(in), Kind: tandem.TaskCallback, Queue: "cards"}
}

// TestReadersDoNotWait: while a commit hangs readers see what was durable before it.
func TestReadersDoNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		r, stop := inMemory(t, m, nil)
		defer stop()
		first, err := r.Open(t.Context(), callback("one"), nil)
		if err != nil {
			t.Fatal(err)
		}
		hold := make(chan struct{})
		m.set(func() { m.hold = hold })
		answered := make(chan error)
		go func() {
			_, err := r.Change(t.Context(), route.Changed{Task: first.ID, Prefer: "bo"}, nil)
			answered <- err
		}()
		<-m.inside
		if got, ok := r.Task(first.ID); !ok || got.Prefer != "" {
			t.Errorf("readers see what is not durable: %+v, %t", got, ok)
		}
		m.set(func() { m.hold = nil })
		close(hold)
		if err := <-answered; err != nil {
			t.Error(err)
		}
		if got, _ := r.Task(first.ID); got.Prefer != "bo" {
			t.Errorf("%+v", got)
		}
	})
}

// TestInboxIsBounded: who asks too much at once is refused in words, and all others are
// answered.
func TestInboxIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		r, stop := inMemory(t, m, nil)
		defer stop()
		hold := make(chan struct{})
		m.set(func() { m.hold = hold })
		var mu sync.Mutex
		results := map[tandem.Code]int{}
		var wg sync.WaitGroup
		ask := func(i int) {
			wg.Go(func() {
				_, err := r.Open(t.Context(), callback(fmt.Sprint(i)), nil)
				mu.Lock()
				defer mu.Unlock()
				results[code(err)]++
			})
		}
		ask(0)
		<-m.inside // the router waits for the store
		for i := range maxWaiting + 10 {
			ask(i + 1)
		}
		synctest.Wait()
		m.set(func() { m.hold = nil })
		close(hold)
		wg.Wait()
		if results[""] != maxWaiting+1 || results[tandem.CodeUnavailable] != 10 {
			t.Errorf("%v", results)
		}
	})
}

// TestGivenUp: an ask whose caller has gone is not done; one that is asked of a router that
// has ended is refused.
func TestGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		r, stop := inMemory(t, m, nil)
		hold := make(chan struct{})
		m.set(func() { m.hold = hold })
		answered := make(chan error, 2)
		go func() { _, err := r.Open(t.Context(), callback("one"), nil); answered <- err }()
		<-m.inside
		ctx, cancel := context.WithCancel(t.Context())
		go func() { _, err := r.Open(ctx, callback("two"), nil); answered <- err }()
		synctest.Wait()
		cancel()
		if err := <-answered; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		m.set(func() { m.hold = nil })
		close(hold)
		if err := <-answered; err != nil {
			t.Error(err)
		}
		if _, err := r.Open(t.Context(), callback("three"), nil); err != nil {
			t.Error(err)
		}
		if got := len(r.Tasks("cards", 0)); got != 2 {
			t.Errorf("%d in line", got)
		}
		stop()
		if _, err := r.Open(t.Context(), callback("four"), nil); code(err) != tandem.CodeUnavailable {
			t.Error(err)
		}
	})
}

// TestTimers: what is due happens without being asked for, the opening of queues too.
func TestTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		opens := time.Now().Add(90 * time.Second)
		r, stop := inMemory(t, m, func(o *CoreOptions) {
			o.Open = func(_ string, at time.Time) bool { return !at.Before(opens) }
		})
		defer stop()
		r.Reachable("anna", tandem.LoadVoice, true)
		if _, err := r.Present(t.Context(), "anna", tandem.PresenceAvailable, ""); err != nil {
			t.Fatal(err)
		}
		x, err := r.Open(t.Context(), callback("one"), nil)
		if err != nil || x.State != tandem.TaskWaiting {
			t.Fatalf("%+v, %v", x, err)
		}
		time.Sleep(3 * time.Minute) // simulated
		synctest.Wait()
		x, _ = r.Task(x.ID)
		if a, _ := r.Agent("anna"); a.Missed == 0 || x.Fence == 0 {
			t.Errorf("nothing was offered, or did not lapse: %+v, %+v", x, a)
		}
	})
}

// TestOutage: while nothing can be written or read the store is left alone between tries.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		r, stop := inMemory(t, m, nil)
		defer stop()
		x, err := r.Open(t.Context(), callback("one"), nil)
		if err != nil {
			t.Fatal(err)
		}
		m.set(func() { m.fail, m.commits = store.ErrUnavailable, 0 })
		for range 1000 {
			if err := r.End(t.Context(), x.ID, tandem.OutcomeLeft, nil); code(err) != tandem.CodeUnavailable {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		if m.commits > 50 {
			t.Errorf("%d tries in ten seconds", m.commits)
		}
		m.set(func() { m.fail = nil })
		time.Sleep(2 * time.Second)
		if err := r.End(t.Context(), x.ID, tandem.OutcomeLeft, nil); err != nil {
			t.Error(err)
		}
	})
}

// TestPanics: a watcher that panics harms nobody; a fault of the line ends its batch alone.
func TestPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		var bad bool
		r, stop := inMemory(t, m, func(o *CoreOptions) {
			o.NewLine = func(p *route.Policy, s route.Saved) Line { return faulty{route.New(p, s), &bad} }
		})
		defer stop()
		told := 0
		r.Watch(func(Fact) { panic("a watcher") })
		r.Watch(func(Fact) { told++ })
		x, err := r.Open(t.Context(), callback("one"), nil)
		if err != nil {
			t.Fatal(err)
		}
		bad = true
		if _, err := r.Change(t.Context(), route.Changed{Task: x.ID, Prefer: "bo"}, nil); code(err) != tandem.CodeInternal {
			t.Error(err)
		}
		bad = false
		time.Sleep(time.Second)
		if _, err := r.Change(t.Context(), route.Changed{Task: x.ID, Prefer: "bo"}, nil); err != nil {
			t.Error(err)
		}
		if told != 2 {
			t.Errorf("told of %d", told)
		}
	})
}

// faulty is a line that panics while bad.
type faulty struct {
	Line
	bad *bool
}

func (f faulty) Apply(e route.Event) []route.Output {
	if _, is := e.(route.Changed); is && *f.bad {
		panic("a fault")
	}
	return f.Line.Apply(e)
}

// Who passes a call on writes notes while a colleague is offered it, in one transaction,
// whatever their names.
func TestPassedOn(t *testing.T) {
	for _, way := range [][2]string{{"anna", "bo"}, {"bo", "anna"}} {
		t.Run(way[0], func(t *testing.T) {
			h := newHouse(t, openStore(t, t.TempDir(), nil), nil)
			defer h.close()
			h.come(way[0])
			call := h.open(tandem.TaskCall)
			if _, err := h.Accept(t.Context(), call.ID, way[0], call.Fence); err != nil {
				t.Fatal(err)
			}
			h.come(way[1])
			if _, err := h.Release(t.Context(), route.Released{Task: call.ID, Agent: way[0], Fence: call.Fence, Why: "transferred", Again: true, Prefer: way[1]}, nil); err != nil {
				t.Fatal(err)
			}
			if got := h.task(call.ID, tandem.TaskOffered); got.Agent != way[1] {
				t.Errorf("offered to %s", got.Agent)
			}
		})
	}
}

// TestFarAway: a customer who names a day centuries away is told no, and nobody else
// notices: such a time is no number of nanoseconds.
func TestFarAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, stop := inMemory(t, newMemory(), nil)
		defer stop()
		never := time.Date(2525, 1, 1, 0, 0, 0, 0, time.UTC)
		for _, far := range []func(t *tandem.Task){
			func(t *tandem.Task) { t.NotBefore = never },
			func(t *tandem.Task) { t.Expires = never },
			func(t *tandem.Task) { t.TicketDue = time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC) },
			func(t *tandem.Task) { t.Arrived = time.Date(1066, 1, 1, 0, 0, 0, 0, time.UTC) },
		} {
			task := callback("far")
			far(&task)
			if _, err := r.Open(t.Context(), task, nil); code(err) != tandem.CodeInvalid {
				t.Errorf("%+v: %v", task, err)
			}
		}
		near := callback("near")
		near.NotBefore = time.Now().AddDate(1, 0, 0)
		opened, err := r.Open(t.Context(), near, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.Change(t.Context(), route.Changed{Task: opened.ID, NotBefore: never}, nil); code(err) != tandem.CodeInvalid {
			t.Error(err)
		}
		if got := r.Tasks("", 0); len(got) != 1 || !got[0].NotBefore.Equal(near.NotBefore) {
			t.Errorf("in line are %+v", got)
		}
	})
}

// A clock that is set while somebody waits must not make the journal contradict itself: all
// times of a batch, and what is counted from them, are the journal's.
func TestTimesAreTheJournals(t *testing.T) {
	now := time.Now()
	b := newBatch(&Core{}, now)
	if told := b.now.String(); strings.Contains(told, " m=") || !b.now.Equal(now) {
		t.Errorf("a batch of %v is at %s", now, told)
	}
}
