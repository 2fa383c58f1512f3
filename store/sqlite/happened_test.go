package sqlite

import (
	"errors"
	"slices"
	"testing"
	"time"

	"tandem"
	"tandem/store"
	"tandem/store/storetest"
)

func TestHappened(t *testing.T) {
	p := storetest.NewPlace(t)
	db := openAt(t, p)
	begun := p.Clock.Now()
	var ids []tandem.InteractionID
	for i, flow := range []string{"a", "b"} {
		in := tandem.Interaction{ID: tandem.NewID[tandem.InteractionID](p.Clock.Now(), db.o.Random), Entry: "1", Flow: flow, State: tandem.Open, Started: begun}
		ids = append(ids, in.ID)
		change := &store.Change{Interaction: &in, Caller: &tandem.Identity{Kind: tandem.IdentityPhone, Value: flow},
			Legs: []tandem.Leg{{ID: tandem.LegID("leg" + flow), Interaction: in.ID, Kind: tandem.LegSIP, Inbound: true, Started: begun}}}
		for j := range happenedAtOnce {
			kind := tandem.EventStep
			if j == 0 {
				kind = tandem.EventOpened
			}
			at := begun.Add(time.Duration(i*happenedAtOnce+j) * time.Second)
			change.Events = append(change.Events, tandem.NewEvent(in.ID, "", at, kind, "flow", tandem.StepEntered{Flow: flow, Step: "s"}))
		}
		if err := db.Commit(t.Context(), change); err != nil {
			t.Fatal(err)
		}
	}
	read := func(since time.Time, kinds ...tandem.EventKind) (got []tandem.Event) {
		t.Helper()
		if err := db.Happened(t.Context(), since, kinds, func(e tandem.Event) error { got = append(got, e); return nil }); err != nil {
			t.Fatal(err)
		}
		return got
	}
	all := read(time.Time{}, tandem.EventStep)
	if len(all) != 2*(happenedAtOnce-1) || all[0].At.Before(all[1].At) || string(all[0].Data) != `{"flow":"b","step":"s","verb":""}` {
		t.Errorf("%d events, the first %+v", len(all), all[0])
	}
	if got := read(time.Time{}, tandem.EventStep, tandem.EventOpened); len(got) != 2*happenedAtOnce {
		t.Errorf("of both kinds %d", len(got))
	}
	since := begun.Add((2*happenedAtOnce - 10) * time.Second)
	if got := read(since, tandem.EventStep); len(got) != 10 || got[9].At.Before(since) {
		t.Errorf("since then %d", len(got))
	}
	if got := read(time.Time{}); got != nil {
		t.Errorf("of no kind %d", len(got))
	}
	stop := errors.New("stop")
	if err := db.Happened(t.Context(), begun, []tandem.EventKind{tandem.EventStep}, func(tandem.Event) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("stopped with %v", err)
	}

	story, err := db.Interaction(t.Context(), string(ids[0]))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Erase(t.Context(), story.Customer.ID, "li", "asked"); err != nil {
		t.Fatal(err)
	}
	if got := read(begun, tandem.EventStep); len(got) != len(all) || !slices.ContainsFunc(got, func(e tandem.Event) bool { return e.Interaction == ids[0] && e.Data == nil }) {
		t.Errorf("after an erasure %d", len(got))
	}

	list, err := db.List(t.Context(), store.Filter{Flow: "b"})
	if err != nil || len(list) != 1 || list[0].Interaction.ID != ids[1] || list[0].Kind != tandem.LegSIP {
		t.Errorf("of flow b: %+v, %v", list, err)
	}
}
