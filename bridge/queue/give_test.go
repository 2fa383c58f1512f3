package queue

import (
	"slices"
	"testing"

	"tandem"
	"tandem/bridge/route"
)

// TestGiven: an agent gives a task to another in one commit. Whoever had it can do nothing with
// it any more, and a third who has no room gets nothing.
func TestGiven(t *testing.T) {
	dir := t.TempDir()
	h := newHouse(t, openStore(t, dir, nil), nil)
	ctx := t.Context()
	h.come("anna")
	call := h.open(tandem.TaskCall)
	if _, err := h.Reassign(ctx, call.ID, "anna", call.Fence, "bo"); code(err) != tandem.CodeConflict {
		t.Errorf("what is only offered was given away: %v", err)
	}
	if _, err := h.Accept(ctx, call.ID, "anna", call.Fence); err != nil {
		t.Fatal(err)
	}
	for to, want := range map[string]tandem.Code{"bo": tandem.CodeConflict, "anna": tandem.CodeConflict, "carl": tandem.CodeConflict} { // bo is offline
		if _, err := h.Reassign(ctx, call.ID, "anna", call.Fence, to); code(err) != want {
			t.Errorf("given to %s: %v", to, err)
		}
	}
	h.Consulted("bo", true)
	h.come("bo")
	second := h.open(tandem.TaskCall) // nobody is free: bo is asked in
	h.task(second.ID, tandem.TaskWaiting)
	given, err := h.Reassign(ctx, call.ID, "anna", call.Fence, "bo")
	if err != nil || given.Agent != "bo" || given.State != tandem.TaskAssigned || given.Fence <= call.Fence {
		t.Fatalf("%+v, %v", given, err)
	}
	if _, err := h.Reassign(ctx, call.ID, "anna", call.Fence, "bo"); code(err) != tandem.CodeConflict {
		t.Errorf("given twice: %v", err)
	}
	if _, err := h.Release(ctx, route.Released{Task: call.ID, Agent: "anna", Fence: call.Fence, Why: "done"}, nil); code(err) != tandem.CodeConflict {
		t.Errorf("released by who gave it away: %v", err)
	}
	if err := h.Wrap(ctx, "anna", call.Fence, "passed on", false); err != nil {
		t.Errorf("who gave it away writes nothing up: %v", err)
	}
	h.task(second.ID, tandem.TaskOffered) // anna is free
	want := []tandem.EventKind{tandem.EventTaskOpened, tandem.EventTaskOffered, tandem.EventTaskAssigned, tandem.EventTaskReleased, tandem.EventTaskAssigned, tandem.EventTaskWrapped}
	if got := h.kinds(call.Interaction); !slices.Equal(got, want) {
		t.Errorf("journal %v, want %v", got, want)
	}
	h.close()

	h = newHouse(t, openStore(t, dir, nil), nil) // bo had it as the program ended
	defer h.close()
	if back := h.task(call.ID, tandem.TaskWaiting); back.Prefer != "bo" || back.Kind != tandem.TaskCallback {
		t.Errorf("came back as %+v", back)
	}
	if a, _ := h.Agent("bo"); a.Consulted {
		t.Error("a consult outlived the program")
	}
}

// TestTaken: a supervisor takes a task from whoever has it; the journal says who did.
func TestTaken(t *testing.T) {
	h := newHouse(t, openStore(t, t.TempDir(), nil), nil)
	defer h.close()
	h.come("anna")
	call := h.open(tandem.TaskCall)
	if _, err := h.Take(t.Context(), "lead", route.Released{Task: call.ID, Why: "transferred", Again: true}); code(err) != tandem.CodeConflict {
		t.Errorf("what nobody has was taken away: %v", err)
	}
	if _, err := h.Accept(t.Context(), call.ID, "anna", call.Fence); err != nil {
		t.Fatal(err)
	}
	got, err := h.Take(t.Context(), "lead", route.Released{Task: call.ID, Why: "transferred", Again: true, Queue: "cards", NoWrap: true})
	if err != nil || got.State != tandem.TaskWaiting || got.Arrived != call.Arrived {
		t.Fatalf("%+v, %v", got, err)
	}
	s, err := h.db.Interaction(t.Context(), string(call.Interaction))
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(s.Events, func(e tandem.Event) bool { return e.Kind == tandem.EventTaskReleased && e.Actor == "lead" }) {
		t.Error("the journal does not say who took it")
	}
	if _, err := h.Take(t.Context(), "lead", route.Released{Task: "nothing", Why: "transferred", Again: true}); code(err) != tandem.CodeNotFound {
		t.Errorf("what is not there was taken away: %v", err)
	}
}

// TestReachIsToldAgain: whose phone was found to be there before the policy had them is in
// reach once it has.
func TestReachIsToldAgain(t *testing.T) {
	h := newHouse(t, openStore(t, t.TempDir(), nil), func(o *Options) { o.Policy = housePolicy("anna") })
	defer h.close()
	h.come("anna")
	h.Reachable("bo", tandem.LoadVoice, true)
	if _, err := h.Present(t.Context(), "anna", tandem.PresenceAway, "lunch"); err != nil { // a step with the reach told
		t.Fatal(err)
	}
	h.Repolice(housePolicy("anna", "bo"))
	if _, err := h.Present(t.Context(), "bo", tandem.PresenceAvailable, ""); err != nil {
		t.Fatal(err)
	}
	if call := h.open(tandem.TaskCall); call.State != tandem.TaskOffered || call.Agent != "bo" {
		t.Errorf("the call is %+v", call)
	}
}
