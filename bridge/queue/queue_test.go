package queue

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/route"
	"tandem/store"
)

func code(err error) tandem.Code {
	if err == nil {
		return ""
	}
	return tandem.CodeOf(err)
}

// TestLife follows one call through the line, and then everything through a second start.
func TestLife(t *testing.T) {
	dir := t.TempDir()
	h := newHouse(t, openStore(t, dir, nil), nil)
	var facts []string
	var mu sync.Mutex
	stop := h.Watch(func(f Fact) {
		mu.Lock()
		defer mu.Unlock()
		switch f.Output.(type) {
		case route.Placed:
			facts = append(facts, "placed")
		case route.OfferMade:
			facts = append(facts, "offer")
		case route.TaskAssigned:
			facts = append(facts, "assigned")
		case route.TaskReleased:
			facts = append(facts, "released")
		case route.TaskOver:
			facts = append(facts, "over")
		}
	})
	ctx := t.Context()
	h.come("anna")
	call := h.open(tandem.TaskCall)
	if call.State != tandem.TaskOffered || call.Agent != "anna" || call.Due.Sub(call.Arrived) != 20*time.Second {
		t.Fatalf("%+v", call)
	}
	again, err := h.Open(ctx, tandem.Task{Interaction: call.Interaction, Kind: tandem.TaskCall, Queue: "cards", Key: "visit"}, &store.Change{Key: "never"})
	if err != nil || again.ID != call.ID {
		t.Fatalf("opened again as %s, %v", again.ID, err)
	}
	if _, err := h.Accept(ctx, call.ID, "anna", call.Fence+1); code(err) != tandem.CodeConflict {
		t.Errorf("another number: %v", err)
	}
	if _, err := h.Accept(ctx, call.ID, "bo", call.Fence); code(err) != tandem.CodeConflict {
		t.Errorf("another agent: %v", err)
	}
	for range 2 { // the answer may be lost: to ask again is no error
		if got, err := h.Accept(ctx, call.ID, "anna", call.Fence); err != nil || got.State != tandem.TaskAssigned {
			t.Errorf("%+v, %v", got, err)
		}
	}
	second := h.open(tandem.TaskCall)
	if p, ok := h.Place(second.ID); !ok || p.Position != 1 {
		t.Errorf("place %+v, %t", p, ok)
	}
	if d, ok := h.Why(second.ID); !ok || d.Why.En == "" {
		t.Errorf("why %+v, %t", d, ok)
	}
	done, err := h.Release(ctx, route.Released{Task: call.ID, Agent: "anna", Fence: call.Fence, Why: "done", Outcome: tandem.OutcomeServed}, nil)
	if err != nil || done.State != tandem.TaskWrapping {
		t.Fatalf("%+v, %v", done, err)
	}
	if err := h.Wrap(ctx, "anna", call.Fence, "solved", false); err != nil {
		t.Error(err)
	}
	if err := h.Wrap(ctx, "anna", call.Fence, "solved", false); code(err) != tandem.CodeConflict {
		t.Errorf("wrapped twice: %v", err)
	}
	if _, err := h.Accept(ctx, call.ID, "anna", call.Fence); code(err) != tandem.CodeConflict {
		t.Errorf("an offer of a task that is done: %v", err)
	}
	want := []tandem.EventKind{tandem.EventTaskOpened, tandem.EventTaskOffered, tandem.EventTaskAssigned, tandem.EventTaskReleased, tandem.EventTaskWrapped, tandem.EventTaskDone}
	if got := h.kinds(call.Interaction); !slices.Equal(got, want) {
		t.Errorf("journal %v, want %v", got, want)
	}
	h.task(second.ID, tandem.TaskOffered)
	if got := h.Of(second.Interaction); len(got) != 1 || got[0].ID != second.ID {
		t.Errorf("of the interaction: %+v", got)
	}
	stop()
	mu.Lock()
	if want := []string{"placed", "offer", "assigned", "placed", "released", "over", "offer"}; !slices.Equal(facts, want) {
		t.Errorf("told %v, want %v", facts, want)
	}
	mu.Unlock()
	h.close()
	afterLife(t, dir, second)
}

// afterLife starts again with a call that was offered.
func afterLife(t *testing.T, dir string, second tandem.Task) {
	h := newHouse(t, openStore(t, dir, nil), nil)
	defer h.close()
	back := h.task(second.ID, tandem.TaskWaiting)
	if back.Kind != tandem.TaskCallback || !back.Arrived.Equal(second.Arrived) || !back.Due.Equal(second.Due) {
		t.Errorf("came back as %+v, was %+v", back, second)
	}
	if a, ok := h.Agent("anna"); !ok || a.Presence != tandem.PresenceAvailable || len(a.Holds) != 0 {
		t.Errorf("anna is %+v, %t", a, ok)
	}
	h.come("anna")
	if got := h.task(second.ID, tandem.TaskOffered); got.Fence <= second.Fence {
		t.Errorf("number %d after %d", got.Fence, second.Fence)
	}
	want := []tandem.EventKind{tandem.EventTaskOpened, tandem.EventTaskOffered, tandem.EventTaskReturned, tandem.EventTaskChanged, tandem.EventTaskOffered}
	if got := h.kinds(second.Interaction); !slices.Equal(got, want) {
		t.Errorf("journal %v, want %v", got, want)
	}
}

// TestStart says what becomes of what a program that ended has left.
func TestStart(t *testing.T) {
	dir := t.TempDir()
	h := newHouse(t, openStore(t, dir, nil), func(o *Options) { o.Policy = housePolicy("anna", "bo", "chen", "dora") })
	ctx := t.Context()
	h.come("anna", "bo", "chen", "dora")
	take := func(kind tandem.TaskKind) tandem.Task {
		x := h.open(kind)
		x, err := h.Accept(ctx, x.ID, x.Agent, x.Fence)
		if err != nil {
			t.Fatal(err)
		}
		return x
	}
	call, kept, wraps, chat := take(tandem.TaskCall), take(tandem.TaskCall), take(tandem.TaskCall), take(tandem.TaskChat)
	if _, err := h.Release(ctx, route.Released{Task: wraps.ID, Agent: wraps.Agent, Fence: wraps.Fence, Outcome: tandem.OutcomeServed}, nil); err != nil {
		t.Fatal(err)
	}
	h.close()
	h = newHouse(t, openStore(t, dir, nil), func(o *Options) {
		o.Policy = housePolicy("anna", "bo", "chen", "dora")
		o.Cut = func(_ context.Context, x tandem.Task) bool { return x.ID == kept.ID }
	})
	defer h.close()
	if _, ok := h.Task(call.ID); ok {
		t.Error("a call that nobody is to call back goes on")
	}
	if got := h.task(kept.ID, tandem.TaskWaiting); got.Kind != tandem.TaskCallback || got.Prefer != kept.Agent || !got.Due.Equal(kept.Due) {
		t.Errorf("%+v", got)
	}
	if got := h.task(wraps.ID, tandem.TaskWrapping); got.Deadline.IsZero() {
		t.Errorf("%+v", got)
	}
	if got := h.task(chat.ID, tandem.TaskAssigned); got.Agent != chat.Agent || got.Fence != chat.Fence {
		t.Errorf("%+v", got)
	}
	if _, err := h.Release(ctx, route.Released{Task: chat.ID, Agent: chat.Agent, Fence: chat.Fence, Outcome: tandem.OutcomeServed}, nil); err != nil {
		t.Error(err)
	}
}

// TestFaultOfOne: what is wrong with one caller's change is that caller's business alone.
func TestFaultOfOne(t *testing.T) {
	h := newHouse(t, openStore(t, t.TempDir(), nil), nil)
	defer h.close()
	ctx := t.Context()
	own := errors.New("own")
	first := h.open(tandem.TaskCallback)
	var wg sync.WaitGroup
	var good, bad, twice atomic.Int32
	for i := range 30 {
		wg.Go(func() {
			in, c := h.call()
			switch i % 3 {
			case 1:
				c.With = func(store.Tx) error { return own }
			case 2:
				c.Key = "the same"
			}
			_, err := h.Open(ctx, tandem.Task{Interaction: in, Kind: tandem.TaskCallback, Queue: "cards", Key: "visit"}, c)
			switch {
			case err == nil:
				good.Add(1)
			case errors.Is(err, own):
				bad.Add(1)
			case errors.Is(err, store.ErrDuplicate):
				twice.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if good.Load() != 11 || bad.Load() != 10 || twice.Load() != 9 {
		t.Errorf("%d opened, %d failed by themselves, %d were there", good.Load(), bad.Load(), twice.Load())
	}
	if got := len(h.Tasks("cards", 0)); got != 12 {
		t.Errorf("%d in line", got)
	}
	if err := h.End(ctx, first.ID, tandem.OutcomeLeft, &store.Change{Of: first.Interaction, With: func(store.Tx) error { return own }}); !errors.Is(err, own) {
		t.Error(err)
	}
	h.task(first.ID, tandem.TaskWaiting)
}

// TestRefused: a task that is not let in leaves no trace, its change neither.
func TestRefused(t *testing.T) {
	h := newHouse(t, openStore(t, t.TempDir(), nil), func(o *Options) {
		o.Policy = housePolicy("anna")
		o.Policy.Queues["cards"].Full = 1
	})
	defer h.close()
	ctx := t.Context()
	in, c := h.call()
	refused := (*Refused)(nil)
	if _, err := h.Open(ctx, tandem.Task{Interaction: in, Kind: tandem.TaskCall, Queue: "cards"}, c); !errors.As(err, &refused) || refused.Why != "no_agents" {
		t.Fatalf("%v", err)
	}
	if _, err := h.db.Interaction(ctx, string(in)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("its change was written: %v", err)
	}
	for _, id := range []tandem.TaskID{"", "nobody"} {
		if _, err := h.Change(ctx, route.Changed{Task: id}, nil); id != "" && code(err) != tandem.CodeNotFound {
			t.Errorf("%q: %v", id, err)
		}
	}
	if _, err := h.Present(ctx, "nobody", tandem.PresenceAvailable, ""); code(err) != tandem.CodeNotFound {
		t.Error(err)
	}
	if err := h.End(ctx, "unknown", tandem.OutcomeLeft, nil); err != nil {
		t.Error(err)
	}
}

// TestStoreFails: while the store cannot write callers are refused in words and readers see
// what was durable; afterwards everything goes on.
func TestStoreFails(t *testing.T) {
	var broken atomic.Bool
	db := openStore(t, t.TempDir(), func(point string) error {
		if broken.Load() && point == "commit" {
			return errors.New("disk full")
		}
		return nil
	})
	h := newHouse(t, db, nil)
	defer h.close()
	ctx := t.Context()
	h.come("anna")
	first := h.open(tandem.TaskCall)
	broken.Store(true)
	for range 3 {
		in, c := h.call()
		if _, err := h.Open(ctx, tandem.Task{Interaction: in, Kind: tandem.TaskCall, Queue: "cards"}, c); code(err) != tandem.CodeUnavailable {
			t.Errorf("%v", err)
		}
	}
	h.task(first.ID, tandem.TaskOffered)
	broken.Store(false)
	for { // the store tries again by itself, and the line after it
		_, err := h.Accept(ctx, first.ID, "anna", first.Fence)
		if err == nil {
			break
		}
		if code(err) != tandem.CodeUnavailable {
			t.Fatal(err)
		}
		time.Sleep(time.Millisecond)
	}
	h.task(first.ID, tandem.TaskAssigned)
	if a, _ := h.Agent("anna"); !a.Reachable[tandem.LoadVoice] {
		t.Error("what was measured is forgotten")
	}
}

// TestTakenOver: a second router takes the line over, and the first does nothing any more.
func TestTakenOver(t *testing.T) {
	db := openStore(t, t.TempDir(), nil)
	old := newHouse(t, db, nil)
	first := old.open(tandem.TaskCallback)
	h := newHouse(t, db, nil)
	if _, err := old.Change(t.Context(), route.Changed{Task: first.ID, Prefer: "bo"}, nil); code(err) != tandem.CodeUnavailable {
		t.Errorf("%v", err)
	}
	if err := <-old.ended; !errors.Is(err, ErrTaken) {
		t.Errorf("ended with %v", err)
	}
	if err := old.End(t.Context(), first.ID, tandem.OutcomeLeft, nil); code(err) != tandem.CodeUnavailable {
		t.Errorf("%v", err)
	}
	h.task(first.ID, tandem.TaskWaiting)
	old.stop()
	h.close()
}

// TestDrain: nothing is offered any more; what is asked still works.
func TestDrain(t *testing.T) {
	h := newHouse(t, openStore(t, t.TempDir(), nil), nil)
	defer h.close()
	h.come("anna")
	if err := h.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	x := h.open(tandem.TaskCallback)
	h.task(x.ID, tandem.TaskWaiting)
}

// TestRepolice takes another policy into use.
func TestRepolice(t *testing.T) {
	h := newHouse(t, openStore(t, t.TempDir(), nil), nil)
	defer h.close()
	p := housePolicy("anna", "bo", "chen")
	h.Repolice(p)
	h.come("anna")
	if _, err := h.Present(t.Context(), "chen", tandem.PresenceAvailable, ""); err != nil || h.Policy() != p {
		t.Error(err)
	}
}

// TestErased: a person who is erased while they wait is still led out of the line.
func TestErased(t *testing.T) {
	h := newHouse(t, openStore(t, t.TempDir(), nil), nil)
	defer h.close()
	ctx := t.Context()
	x := h.open(tandem.TaskCallback)
	s, err := h.db.Interaction(ctx, string(x.Interaction))
	if err != nil {
		t.Fatal(err)
	}
	if err := h.db.Erase(ctx, s.Interaction.Customer, "operator", "asked"); err != nil {
		t.Fatal(err)
	}
	h.come("anna")
	x = h.task(x.ID, tandem.TaskOffered)
	if _, err := h.Accept(ctx, x.ID, "anna", x.Fence); err != nil {
		t.Fatal(err)
	}
	if _, err := h.Release(ctx, route.Released{Task: x.ID, Agent: "anna", Fence: x.Fence, Why: "done", Outcome: tandem.OutcomeRefused, NoWrap: true}, nil); err != nil {
		t.Fatal(err)
	}
	if _, ok := h.Task(x.ID); ok {
		t.Error("it goes on")
	}
}
