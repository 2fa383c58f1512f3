package storetest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/store"
)

// suite is one test's place and what opens it.
type suite struct {
	Place
	random *Random
	open   func(testing.TB, Place) Store
}

// Run runs the whole suite against a driver. open opens a place, which may have been
// opened and closed before.
func Run(t *testing.T, open func(testing.TB, Place) Store) {
	tests := []struct {
		name string
		run  func(*testing.T, *suite)
	}{
		{"a call is told as it was", testStory},
		{"a key happens once", testDuplicate},
		{"a spoken number is taken once", testNumberTaken},
		{"a bad change leaves nothing and its neighbours alone", testNeighbours},
		{"changes that do not fit together are refused", testInvalid},
		{"callers are known again", testCustomers},
		{"events are numbered without gaps among many writers", testNumbering},
		{"happenings and sessions trail", testNotes},
		{"what is open is found at start", testUnfinished},
		{"calls out are counted again", testDialled},
		{"lists are filtered and paged", testList},
		{"found by number and by the beginning of the id", testFind},
		{"erased and still whole", testErase},
		{"objects are opened on the record", testBlobs},
		{"objects go when their time is over", testDispose},
		{"objects that grew are finished after a crash", testGrowing},
		{"the outbox lends, takes back and gives up", testOutbox},
		{"what was lent is lent again after a restart", testLeaseRestart},
		{"given up waiting writes nothing", testCancelled},
		{"closed is closed", testClosed},
		{"other records are written with a change or not at all", testWith},
		{"a record that fails leaves its neighbours alone", testWithNeighbours},
		{"sessions without a call are found with their times", testSessions},
		{"parked sessions can be taken up, for a time", testParked},
		{"events and legs are read by their places", testEventsAt},
		{"identities are bound, and unbound again", testBinding},
		{"unbinding brings back nobody erased", testUnbindErased},
		{"merged customers are seen as one", testMerge},
		{"a task comes back as it was written", testTasks},
		{"what opened a task opens it once", testTaskKey},
		{"an interaction is what its tasks are", testStates},
		{"an erased person is led out of the line", testEraseInLine},
		{"lists show who waits", testLineList},
		{"several changes are one", testCommitAll},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.run(t, &suite{Place: NewPlace(t), random: NewRandom(1), open: open})
		})
	}
}

func (s *suite) start(t *testing.T) Store {
	t.Helper()
	st := s.open(t, s.Place)
	t.Cleanup(func() { st.Close() })
	return st
}

func (s *suite) call(from string) Call { return NewCall(s.Clock.Now(), s.random, from) }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mustBe(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error is %v, want %v", err, want)
	}
}

func story(t *testing.T, st Store, ref string) store.Story {
	t.Helper()
	s, err := st.Interaction(t.Context(), ref)
	must(t, err)
	return s
}

// right checks that the journal verifies and has so many events.
func right(t *testing.T, st Store, events int) {
	t.Helper()
	v, err := st.Verify(t.Context())
	must(t, err)
	if !v.OK || v.Events != events {
		t.Fatalf("verdict %+v, want right with %d events", v, events)
	}
}

func testStory(t *testing.T, s *suite) {
	st := s.start(t)
	call := s.call("+8613800138000")
	opening := call.Opening()
	must(t, st.Commit(t.Context(), opening))
	if opening.Interaction.Customer == "" || opening.Events[1].Seq != 2 {
		t.Errorf("not filled in: customer %q, second event's number %d", opening.Interaction.Customer, opening.Events[1].Seq)
	}
	at := s.Clock.Now()
	st.Note(call.Event(at, tandem.EventPrompt, tandem.Prompted{Step: "greet", Lang: "en", Text: "Welcome, \"Zoë\" 你好"}))
	task := tandem.Task{ID: tandem.NewID[tandem.TaskID](at, s.random), Interaction: call.ID, Kind: tandem.TaskCallback, Queue: "cards",
		State: tandem.TaskWaiting, Arrived: at, Note: "cut off"}
	must(t, st.Commit(t.Context(), &store.Change{Tasks: []tandem.Task{task}, Events: []tandem.Event{call.Event(at, tandem.EventTaskOpened, task)}}))
	ended := s.Clock.Now()
	must(t, st.Commit(t.Context(), call.Closing(ended, tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup).WithSIP(200))))

	got := story(t, st, string(call.ID))
	if got.Interaction.State != tandem.Queued || !got.Interaction.Ended.Equal(ended) || got.Interaction.Number != call.Number {
		t.Errorf("interaction is %+v", got.Interaction)
	}
	if len(got.Legs) != 1 || got.Legs[0].From != call.From || got.Legs[0].To != "95599" || got.Legs[0].Termination.SIP != 200 {
		t.Errorf("legs are %+v", got.Legs)
	}
	if len(got.Tasks) != 1 || !reflect.DeepEqual(got.Tasks[0], task) {
		t.Errorf("tasks are %+v, want %+v", got.Tasks, task)
	}
	var kinds []tandem.EventKind
	for i, e := range got.Events {
		kinds = append(kinds, e.Kind)
		if e.Seq != uint64(i+1) {
			t.Errorf("event %d has number %d", i+1, e.Seq)
		}
	}
	want := "[interaction.opened leg.started flow.prompt task.opened leg.ended interaction.closed]"
	if fmt.Sprint(kinds) != want {
		t.Fatalf("events are %v, want %v", kinds, want)
	}
	var p tandem.Prompted
	must(t, json.Unmarshal(got.Events[2].Data, &p))
	if p.Text != "Welcome, \"Zoë\" 你好" || !got.Events[2].At.Equal(at) || got.Events[2].Actor != "system" || got.Events[2].Leg != call.Leg {
		t.Errorf("the prompt came back as %+v: %+v", got.Events[2], p)
	}
	if got.Events[1].Data != nil {
		t.Errorf("an event without payload came back with %s", got.Events[1].Data)
	}
	right(t, st, 6)
}

func testDuplicate(t *testing.T, s *suite) {
	st := s.start(t)
	call := s.call("+1")
	must(t, st.Commit(t.Context(), call.Opening()))
	again := call.Opening()
	mustBe(t, st.Commit(t.Context(), again), store.ErrDuplicate)
	other := s.call("+1").Opening()
	other.Key = "invite " + string(call.ID)
	mustBe(t, st.Commit(t.Context(), other), store.ErrDuplicate)
	mustBe(t, errOf(st.Interaction(t.Context(), string(other.Interaction.ID))), store.ErrNotFound)
	right(t, st, 2)
	must(t, st.Close())
	st = s.start(t)
	mustBe(t, st.Commit(t.Context(), call.Opening()), store.ErrDuplicate)
}

func errOf[T any](_ T, err error) error { return err }

func testNumberTaken(t *testing.T, s *suite) {
	st := s.start(t)
	a, b := s.call("+1"), s.call("+2")
	must(t, st.Commit(t.Context(), a.Opening()))
	number := b.Number
	b.Number = a.Number
	mustBe(t, st.Commit(t.Context(), b.Opening()), store.ErrNumberTaken)
	b.Number = number
	must(t, st.Commit(t.Context(), b.Opening())) // the refused one has left nothing, its key neither
	right(t, st, 4)
}

func testNeighbours(t *testing.T, s *suite) {
	st := s.start(t)
	call := s.call("+1")
	must(t, st.Commit(t.Context(), call.Opening()))
	taken := s.call("+2")
	taken.Number = call.Number
	var group sync.WaitGroup
	errs := make([]error, 200)
	for i := range errs {
		c := call.Opening()
		switch i % 4 {
		case 0: // good
			c = s.call("+3").Opening()
		case 1: // duplicate key
		case 2: // fails after its events are written
			c = s.call("+4").Opening()
			c.Outbox = []store.Outgoing{{Key: "", Kind: "webhook"}}
		case 3: // number taken
			c = taken.Opening()
			c.Key = ""
		}
		group.Go(func() { errs[i] = st.Commit(context.Background(), c) })
	}
	group.Wait()
	for i, want := range []error{nil, store.ErrDuplicate, store.ErrInvalid, store.ErrNumberTaken} {
		for k := i; k < len(errs); k += 4 {
			mustBe(t, errs[k], want)
		}
	}
	right(t, st, 2+2*50)
}

func testInvalid(t *testing.T, s *suite) {
	st := s.start(t)
	a, b := s.call("+1"), s.call("+2")
	must(t, st.Commit(t.Context(), a.Opening()))
	must(t, st.Commit(t.Context(), b.Opening()))
	now := s.Clock.Now()
	long := make([]byte, 70_000)
	foreign := b.Closing(now, tandem.Terminate(tandem.BySystem, tandem.ReasonCrash)).Legs
	foreign[0].Interaction = a.ID
	tests := map[string]struct {
		change store.Change
		want   error
	}{
		"two interactions": {store.Change{Events: []tandem.Event{a.Event(now, tandem.EventConsent, nil), b.Event(now, tandem.EventConsent, nil)}}, store.ErrInvalid},
		"no time":          {store.Change{Events: []tandem.Event{a.Event(time.Time{}, tandem.EventConsent, nil)}}, store.ErrInvalid},
		"no kind":          {store.Change{Events: []tandem.Event{a.Event(now, "", nil)}}, store.ErrInvalid},
		"actor too long":   {store.Change{Events: []tandem.Event{{Interaction: a.ID, At: now, Kind: tandem.EventConsent, Actor: string(long)}}}, store.ErrInvalid},
		"session of none":  {store.Change{Session: &store.SessionRecord{Data: []byte("{}"), At: now}}, store.ErrInvalid},
		"another's leg":    {store.Change{Legs: foreign}, store.ErrInvalid},
		"unknown":          {store.Change{Events: []tandem.Event{s.call("+3").Event(now, tandem.EventConsent, nil)}}, store.ErrNotFound},
		"new, no event":    {store.Change{Interaction: s.call("+3").Opening().Interaction}, store.ErrInvalid},
	}
	for name, test := range tests {
		if err := st.Commit(t.Context(), &test.change); !errors.Is(err, test.want) {
			t.Errorf("%s: error is %v, want %v", name, err, test.want)
		}
	}
	right(t, st, 4)
}

func testNumbering(t *testing.T, s *suite) {
	st := s.start(t)
	const calls, changes, notes = 8, 20, 30
	var group sync.WaitGroup
	for range calls {
		call := s.call("+1")
		group.Go(func() {
			if err := st.Commit(context.Background(), call.Opening()); err != nil {
				t.Error(err)
				return
			}
			for i := range changes {
				for range notes / changes {
					st.Note(call.Event(s.Clock.Now(), tandem.EventInput, tandem.Pressed{Keys: "1"}))
				}
				e := call.Event(s.Clock.Now(), tandem.EventConsent, tandem.Consent{Kind: fmt.Sprint(i)})
				if err := st.Commit(context.Background(), &store.Change{Events: []tandem.Event{e}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	must(t, st.Flush(t.Context()))
	right(t, st, calls*(2+changes+changes*(notes/changes)))
	list, err := st.List(t.Context(), store.Filter{})
	must(t, err)
	for _, sum := range list {
		consents := 0
		for i, e := range story(t, st, string(sum.ID)).Events {
			if e.Seq != uint64(i+1) {
				t.Fatalf("event %d has number %d", i+1, e.Seq)
			}
			if e.Kind == tandem.EventConsent {
				var c tandem.Consent
				must(t, json.Unmarshal(e.Data, &c))
				if c.Kind != fmt.Sprint(consents) {
					t.Fatalf("consent %s in place %d", c.Kind, consents)
				}
				consents++
			}
		}
	}
}

func testNotes(t *testing.T, s *suite) {
	st := s.start(t)
	call := s.call("+1")
	must(t, st.Commit(t.Context(), call.Opening()))
	for i := range 1500 {
		st.Note(call.Event(s.Clock.Now(), tandem.EventInput, tandem.Pressed{Keys: fmt.Sprint(i)}))
	}
	st.NoteSession(call.ID, []byte("old"))
	st.NoteSession(call.ID, []byte("new"))
	must(t, st.Flush(t.Context()))
	data, _, err := st.Session(t.Context(), call.ID)
	must(t, err)
	if string(data) != "new" {
		t.Errorf("session is %q", data)
	}
	events := story(t, st, string(call.ID)).Events
	if len(events) != 1502 || string(events[1501].Data) != string(call.Event(s.Clock.Now(), tandem.EventInput, tandem.Pressed{Keys: "1499"}).Data) {
		t.Fatalf("%d events, last %s", len(events), events[len(events)-1].Data)
	}
	// One of an interaction nobody knows is dropped alone.
	st.Note(s.call("+2").Event(s.Clock.Now(), tandem.EventInput, nil))
	st.Note(call.Event(s.Clock.Now(), tandem.EventInput, nil))
	must(t, st.Flush(t.Context()))
	right(t, st, 1503)

	must(t, st.Commit(t.Context(), call.Closing(s.Clock.Now(), tandem.Terminate(tandem.ByFlow, tandem.ReasonCompleted))))
	mustBe(t, errOf2(st.Session(t.Context(), call.ID)), store.ErrNotFound)
	st.NoteSession(call.ID, []byte("late"))
	must(t, st.Flush(t.Context()))
	mustBe(t, errOf2(st.Session(t.Context(), call.ID)), store.ErrNotFound)

	// Unasked, they trail by a fifth of a second; the deadline here is generous.
	st.Note(call.Event(s.Clock.Now(), tandem.EventMedia, nil))
	deadline := time.Now().Add(10 * time.Second)
	for len(story(t, st, string(call.ID)).Events) != 1503+2+1 {
		if time.Now().After(deadline) {
			t.Fatal("a happening was not written by itself")
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func errOf2[A, B any](_ A, _ B, err error) error { return err }

func testUnfinished(t *testing.T, s *suite) {
	st := s.start(t)
	open, closed := s.call("+1"), s.call("+2")
	must(t, st.Commit(t.Context(), open.Opening()))
	must(t, st.Commit(t.Context(), closed.Opening()))
	must(t, st.Commit(t.Context(), closed.Closing(s.Clock.Now(), tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup))))
	second := tandem.Leg{ID: tandem.NewID[tandem.LegID](s.Clock.Now(), s.random), Interaction: open.ID, Kind: tandem.LegSIP, Role: tandem.RoleAgent,
		Started: s.Clock.Now(), Ended: s.Clock.Now(), Termination: tandem.Terminate(tandem.ByPeer, tandem.ReasonBusy)}
	last := s.Clock.Now()
	must(t, st.Commit(t.Context(), &store.Change{Legs: []tandem.Leg{second}, Events: []tandem.Event{open.Event(last, tandem.EventConsent, nil)},
		Session: &store.SessionRecord{Data: []byte("waits"), At: last}}))
	if u, err := st.Unfinished(t.Context()); err != nil || len(u) != 0 {
		t.Fatalf("unfinished at first start: %v, %v", u, err)
	}
	must(t, st.Close())

	st = s.start(t)
	must(t, st.Commit(t.Context(), s.call("+3").Opening())) // of this life, not the last
	u, err := st.Unfinished(t.Context())
	must(t, err)
	if len(u) != 1 || u[0].Interaction.ID != open.ID || len(u[0].Legs) != 1 || u[0].Legs[0].ID != open.Leg || u[0].Legs[0].From != "+1" ||
		!u[0].Last.Equal(last) || string(u[0].Session) != "waits" {
		t.Fatalf("unfinished: %+v", u)
	}
	crash := tandem.Terminate(tandem.BySystem, tandem.ReasonCrash)
	must(t, st.Commit(t.Context(), open.Closing(s.Clock.Now(), crash)))
	if got := story(t, st, string(open.ID)).Legs[0].Termination; got != crash {
		t.Errorf("termination is %v", got)
	}
}

func testDialled(t *testing.T, s *suite) {
	st := s.start(t)
	var legs []tandem.Leg
	for range 3 {
		call := s.call("+1")
		must(t, st.Commit(t.Context(), call.Opening()))
		at := s.Clock.Now()
		out := tandem.Leg{ID: tandem.NewID[tandem.LegID](at, s.random), Interaction: call.ID, Kind: tandem.LegSIP, Role: tandem.RoleAgent,
			From: "95599", To: "+8621", Started: at}
		must(t, st.Commit(t.Context(), &store.Change{Legs: []tandem.Leg{out}, Events: []tandem.Event{call.Event(at, tandem.EventDialled, tandem.Dialled{To: out.To})}}))
		legs = append(legs, out)
	}
	got, err := st.Dialled(t.Context(), legs[1].Started)
	must(t, err)
	if fmt.Sprint(got) != fmt.Sprint(legs[1:]) {
		t.Errorf("calls out are %v, want %v", got, legs[1:])
	}
}

func testList(t *testing.T, s *suite) {
	st := s.start(t)
	var calls []Call
	for i := range 7 {
		s.Clock.Add(time.Minute)
		c := s.call(fmt.Sprintf("+%d", i%2))
		calls = append(calls, c)
		must(t, st.Commit(t.Context(), c.Opening()))
	}
	bye := tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup)
	must(t, st.Commit(t.Context(), calls[2].Closing(s.Clock.Now(), bye)))
	ids := func(f store.Filter) []tandem.InteractionID {
		t.Helper()
		list, err := st.List(t.Context(), f)
		must(t, err)
		var out []tandem.InteractionID
		for _, l := range list {
			out = append(out, l.ID)
		}
		return out
	}
	want := func(f store.Filter, which ...int) {
		t.Helper()
		var w []tandem.InteractionID
		for _, i := range which {
			w = append(w, calls[i].ID)
		}
		if got := ids(f); fmt.Sprint(got) != fmt.Sprint(w) {
			t.Errorf("%+v lists %v, want %v", f, got, w)
		}
	}
	all, err := st.List(t.Context(), store.Filter{})
	must(t, err)
	if all[4].From != "+0" || all[4].Termination != bye || all[4].Events != 4 || all[4].State != tandem.Closed {
		t.Errorf("the closed one is listed as %+v", all[4])
	}
	if l := all[4]; l.Voicemails+l.Recordings+l.FlowErrors+l.Callbacks != 0 {
		t.Errorf("nothing of note happened, but it is listed as %+v", l)
	}
	st.Note(calls[6].Event(s.Clock.Now(), tandem.EventFlowError, tandem.FlowFault{Step: "x"}))
	task := tandem.Task{ID: tandem.NewID[tandem.TaskID](s.Clock.Now(), s.random), Interaction: calls[6].ID, Kind: tandem.TaskCallback,
		State: tandem.TaskWaiting, Arrived: s.Clock.Now()}
	must(t, st.Commit(t.Context(), &store.Change{Tasks: []tandem.Task{task}, Events: []tandem.Event{
		calls[6].Event(s.Clock.Now(), tandem.EventVoicemail, tandem.Recorded{Box: "b"}),
		calls[6].Event(s.Clock.Now(), tandem.EventRecorded, tandem.Recorded{}),
		calls[6].Event(s.Clock.Now(), tandem.EventVoicemail, tandem.Recorded{Box: "b"}),
	}}))
	noted, err := st.List(t.Context(), store.Filter{Limit: 1})
	must(t, err)
	if l := noted[0]; l.Voicemails != 2 || l.Recordings != 1 || l.FlowErrors != 1 || l.Callbacks != 1 {
		t.Errorf("what is of note is listed as %+v", l)
	}
	leg := func(kind tandem.LegKind, role tandem.Role) tandem.Leg {
		return tandem.Leg{ID: tandem.NewID[tandem.LegID](s.Clock.Now(), s.random), Interaction: calls[6].ID, Kind: kind, Role: role, Started: s.Clock.Now()}
	}
	must(t, st.Commit(t.Context(), &store.Change{Legs: []tandem.Leg{leg(tandem.LegWebRTC, tandem.RoleAgent), leg(tandem.LegSMS, tandem.RoleCustomer), leg(tandem.LegSMS, tandem.RoleCustomer)}}))
	noted, err = st.List(t.Context(), store.Filter{Limit: 1})
	must(t, err)
	if fmt.Sprint(noted[0].Kinds) != "[sip sms]" {
		t.Errorf("the customer came by %v", noted[0].Kinds)
	}
	want(store.Filter{}, 6, 5, 4, 3, 2, 1, 0)
	want(store.Filter{Limit: 2}, 6, 5)
	want(store.Filter{Limit: 2, Before: calls[5].ID}, 4, 3)
	want(store.Filter{State: tandem.Closed}, 2)
	want(store.Filter{Customer: all[0].Customer}, 6, 4, 2, 0)
	want(store.Filter{Entry: "1000"})
	want(store.Filter{Since: calls[3].at, Until: calls[5].at}, 4, 3)
}

func testFind(t *testing.T, s *suite) {
	st := s.start(t)
	a, b := s.call("+1"), s.call("+2")
	must(t, st.Commit(t.Context(), a.Opening()))
	must(t, st.Commit(t.Context(), b.Opening()))
	for _, ref := range []string{string(a.ID), string(a.Number), a.Number.String(), string(a.ID[:16]), " " + string(a.ID), string(a.Number[:9]), a.Number.String()[:8]} {
		if got := story(t, st, ref); got.Interaction.ID != a.ID {
			t.Errorf("%q finds %s", ref, got.Interaction.ID)
		}
	}
	for ref, code := range map[string]tandem.Code{string(a.ID[:6]): tandem.CodeConflict, "x": tandem.CodeInvalid, "": tandem.CodeInvalid,
		"vvvvvvvv": tandem.CodeNotFound, "%": tandem.CodeInvalid, "____%": tandem.CodeNotFound} {
		if _, err := st.Interaction(t.Context(), ref); tandem.CodeOf(err) != code {
			t.Errorf("%q: error is %v (%s), want %s", ref, err, tandem.CodeOf(err), code)
		}
	}
}
