package studio

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/store"
)

// interaction keeps a past interaction of flow a and returns its id.
func (b *bench) interaction(hash string, events ...tandem.Event) tandem.InteractionID {
	b.t.Helper()
	now := b.clock.Now()
	in := tandem.Interaction{ID: tandem.NewID[tandem.InteractionID](now, bytes.NewReader(fmt.Appendf(nil, "%010d", now.UnixNano()%1e9))), Number: tandem.Number(fmt.Sprintf("%011d", now.UnixNano()%1e11)),
		Entry: "95599", Flow: "a", FlowHash: hash, State: tandem.Closed, Started: now, Ended: now.Add(42 * time.Second), Outcome: "completed"}
	leg := tandem.Leg{ID: tandem.LegID("leg" + in.ID), Interaction: in.ID, Kind: tandem.LegSIP, Inbound: true, From: "+8613800000000", Started: now}
	for i := range events {
		events[i].Interaction = in.ID
	}
	err := b.db.Commit(b.t.Context(), &store.Change{Interaction: &in, Caller: &tandem.Identity{Kind: tandem.IdentityPhone, Value: leg.From}, Legs: []tandem.Leg{leg},
		Events: append([]tandem.Event{tandem.NewEvent(in.ID, "", now, tandem.EventOpened, "system", nil)}, events...)})
	if err != nil {
		b.t.Fatal(err)
	}
	return in.ID
}

// walk is the events of somebody who pressed 1, and before that a secret.
func (b *bench) walk() []tandem.Event {
	at := b.clock.Now()
	e := func(kind tandem.EventKind, data any) tandem.Event {
		return tandem.NewEvent("", "", at, kind, "flow", data)
	}
	return []tandem.Event{
		e(tandem.EventFlowStarted, tandem.FlowRef{Flow: "a"}),
		e(tandem.EventStep, tandem.StepEntered{Flow: "a", Step: "hello", Verb: "say"}),
		e(tandem.EventOutcome, tandem.StepLeft{Flow: "a", Step: "hello", Outcome: "done", Next: "pick"}),
		e(tandem.EventStep, tandem.StepEntered{Flow: "a", Step: "pick", Verb: "menu"}),
		e(tandem.EventPrompt, tandem.Prompted{Step: "hello", Text: "One"}),
		e(tandem.EventInput, tandem.Pressed{Step: "pick", Keys: "•"}),
		e(tandem.EventInput, tandem.Pressed{Step: "pick", Keys: "1"}),
		e(tandem.EventOutcome, tandem.StepLeft{Flow: "a", Step: "pick", Outcome: "1", Next: "bye", Set: map[string]any{"tier": "gold"}}),
		e(tandem.EventStep, tandem.StepEntered{Flow: "other", Step: "inner", Verb: "say"}),
		e(tandem.EventStep, tandem.StepEntered{Flow: "a", Step: "bye", Verb: "say"}),
		e(tandem.EventFlowError, tandem.FlowFault{Step: "bye", Message: "no such prompt"}),
	}
}

func TestPast(t *testing.T) {
	b := newBench(t, false, "a.flow.yaml", flowText("a", "One"))
	hash := b.shelf.Current().Flows["a"].Hash
	id := b.interaction(hash, b.walk()...)
	later := b.interaction("feed")
	var list struct{ Interactions []past }
	if b.do("x auditor", "flows/a/interactions", nil, &list); len(list.Interactions) != 2 || list.Interactions[0].ID != later || list.Interactions[1].Channel != tandem.Voice || list.Interactions[1].Seconds != 42 || list.Interactions[1].Hash != hash {
		t.Errorf("listed %+v", list)
	}
	if b.do("x auditor", "flows/a/interactions?before="+string(later), nil, &list); len(list.Interactions) != 1 || list.Interactions[0].ID != id {
		t.Errorf("the page after: %+v", list)
	}
	if status := b.do("x auditor", "flows/a/interactions?before=x", nil, nil); status != 400 {
		t.Errorf("before what: %d", status)
	}
	var path struct {
		Number, Flow, Hash string
		Steps              []taken
	}
	if status := b.do("x auditor", "interactions/"+string(id)+"/path", nil, &path); status != 200 || !b.door.said("x interaction.look "+string(id)) {
		t.Errorf("%d, or it is not in the audit log", status)
	}
	if len(path.Steps) != 4 || path.Hash != hash {
		t.Fatalf("path %+v", path)
	}
	hello, pick, bye := path.Steps[0], path.Steps[1], path.Steps[3]
	if hello.Outcome != "done" || hello.Next != "pick" || !slices.Equal(hello.Said, []string{"One"}) {
		t.Errorf("hello %+v", hello)
	}
	if pick.Outcome != "1" || pick.Pressed != "•1" || pick.Set["tier"] != "gold" || pick.Verb != "menu" {
		t.Errorf("pick %+v", pick)
	}
	if bye.Outcome != "" || bye.Fault != "no such prompt" {
		t.Errorf("bye %+v", bye)
	}

	var v drawn
	if status := b.do("x auditor", "flows/a/picture?lang=en&interaction="+string(id), nil, &v); status != 200 || len(v.Path) != 3 || v.Hash != hash || v.Other || !strings.Contains(v.Picture, "<svg") || !b.door.said("x interaction.look") {
		t.Errorf("%d %+v", status, v)
	}
	plain := drawn{}
	if b.do("x auditor", "flows/a/picture?lang=en", nil, &plain); plain.Picture == v.Picture || b.door.said("x interaction.look") {
		t.Error("the path makes no difference to the picture, or a picture alone is a look at somebody")
	}
	other := drawn{}
	if status := b.do("x auditor", "flows/a/picture?interaction="+string(later), nil, &other); status != 200 || !other.Other || other.Hash != hash {
		t.Errorf("a version that is not stored: %d %+v", status, other)
	}

	// Without an entry in the audit log nobody sees anything.
	b.door.fail(fmt.Errorf("full: %w", store.ErrUnavailable))
	for _, address := range []string{"interactions/" + string(id) + "/path", "flows/a/picture?interaction=" + string(id)} {
		var e refusedWith
		if status := b.do("x auditor", address, nil, &e); status != 503 || e.Code != "unavailable" {
			t.Errorf("%s: %d %+v", address, status, e)
		}
	}
	b.door.fail(nil)
	for address, want := range map[string]int{"interactions/x/path": 400, "interactions/00000000000000000000000000/path": 404, "flows/none/picture": 404, "flows/a/picture?span=week": 400} {
		if status := b.do("x auditor", address, nil, nil); status != want {
			t.Errorf("%s: %d", address, status)
		}
	}

	// Once the caller is erased, the path is empty.
	story, err := b.db.Interaction(t.Context(), string(id))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.db.Erase(t.Context(), story.Customer.ID, "li", "asked"); err != nil {
		t.Fatal(err)
	}
	var erased struct {
		Erased bool
		Steps  []taken
	}
	if b.do("x auditor", "interactions/"+string(id)+"/path", nil, &erased); !erased.Erased || len(erased.Steps) != 0 {
		t.Errorf("erased %+v", erased)
	}
}

func TestCounts(t *testing.T) {
	b := newBench(t, false, "a.flow.yaml", flowText("a", "One"))
	for range 3 {
		for _, data := range []any{
			tandem.FlowRef{Flow: "a"}, tandem.StepEntered{Flow: "a", Step: "pick"}, tandem.StepLeft{Flow: "a", Step: "pick", Outcome: "1"},
			tandem.StepLeft{Flow: "a", Step: "pick", Outcome: "7"}, tandem.StepLeft{Flow: "a", Step: "bye", Outcome: "left"}, tandem.StepEntered{Flow: "a", Step: "gone"},
		} {
			b.tally.Note(b.clock.Now(), data)
		}
	}
	var v drawn
	if status := b.do("x supervisor", "flows/a/picture?lang=en&span=hour", nil, &v); status != 200 || v.Counts == nil || v.Counts.Entered != 3 || v.Counts.Until.Sub(v.Counts.From) > time.Hour {
		t.Errorf("%d %+v", status, v.Counts)
	}
	c := counts(b.shelf.Current().Flows["a"], b.tally.Flow("a", time.Hour))
	if len(c.Steps) != 1 || c.Steps["pick"] != 3 || len(c.Edges) != 1 || c.Edges[[2]string{"pick", "1"}] != 3 || len(c.Left) != 1 || c.Left["bye"] != 3 {
		t.Errorf("what is drawn: %+v", c)
	}
}
