package storetest

import (
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"tandem"
	"tandem/store"
)

// task makes a task of a call with every field set.
func (s *suite) task(call Call) tandem.Task {
	at := s.Clock.Now()
	return tandem.Task{
		ID: tandem.NewID[tandem.TaskID](at, s.random), Interaction: call.ID, Kind: tandem.TaskCall, Queue: "cards", State: tandem.TaskWaiting, Arrived: at,
		Due: at.Add(20 * time.Second), Level: "gold", Lang: "zh-CN", Skills: []string{"lang:zh-CN", "cards>=3"}, Priority: 5 * time.Second,
		NotBefore: at.Add(time.Second), Expires: at.Add(time.Hour), Prefer: "anna", Agent: "ben", Fence: 1 << 40, Since: at, Deadline: at.Add(time.Minute), Tries: 2,
		Outcome: tandem.OutcomeLeft, Blob: tandem.NewID[tandem.BlobID](at, s.random), Ticket: tandem.NewNumber(s.random), TicketDue: at.Add(48 * time.Hour),
		Key: "visit 3", Note: "cut off", PreferTill: at.Add(time.Minute), As: tandem.TaskChat,
	}
}

// put writes a task and the event that says so.
func (s *suite) put(t *testing.T, st Store, call Call, task tandem.Task, kind tandem.EventKind, payload any) {
	t.Helper()
	must(t, st.Commit(t.Context(), &store.Change{Tasks: []tandem.Task{task}, Events: []tandem.Event{call.Event(s.Clock.Now(), kind, payload)}}))
}

func testTasks(t *testing.T, s *suite) {
	st := s.start(t)
	call := s.call("+1")
	must(t, st.Commit(t.Context(), call.Opening()))
	full := s.task(call)
	for i := range reflect.TypeOf(full).NumField() {
		if reflect.ValueOf(full).Field(i).IsZero() {
			t.Errorf("the test says nothing of %s", reflect.TypeOf(full).Field(i).Name)
		}
	}
	bare := tandem.Task{ID: tandem.NewID[tandem.TaskID](s.Clock.Now(), s.random), Interaction: call.ID, Kind: tandem.TaskTicket, State: tandem.TaskWaiting, Arrived: s.Clock.Now()}
	s.put(t, st, call, full, tandem.EventTaskOpened, full)
	s.put(t, st, call, bare, tandem.EventTaskOpened, bare)
	same := func(want ...tandem.Task) {
		t.Helper()
		told := story(t, st, string(call.ID)).Tasks
		read, err := st.Tasks(t.Context(), call.ID)
		must(t, err)
		if !reflect.DeepEqual(told, want) || !reflect.DeepEqual(read, want) {
			t.Fatalf("tasks are\n%+v and\n%+v, want\n%+v", told, read, want)
		}
	}
	same(full, bare)
	full.Kind, full.Queue, full.Skills, full.Agent, full.Deadline, full.Tries = tandem.TaskCallback, "loans", nil, "", time.Time{}, 3
	s.put(t, st, call, full, tandem.EventTaskChanged, tandem.TaskChanged{Task: full.ID, Kind: full.Kind, Queue: full.Queue, Due: full.Due})
	same(full, bare)
	other := s.call("+2")
	must(t, st.Commit(t.Context(), other.Opening()))
	stolen := full
	stolen.Interaction = other.ID
	mustBe(t, st.Commit(t.Context(), &store.Change{Tasks: []tandem.Task{stolen}}), store.ErrInvalid)
	must(t, st.View(t.Context(), func(tx store.Tx) error {
		live, err := store.LiveTasks(tx)
		if err == nil && !reflect.DeepEqual(live, []tandem.Task{full, bare}) {
			t.Errorf("live are %+v", live)
		}
		return err
	}))
	must(t, st.Close())
	st = s.start(t)
	same(full, bare)
	if none, err := st.Tasks(t.Context(), "06h0f8hig3moi0efio3rg5jqe0"); err != nil || len(none) != 0 {
		t.Errorf("tasks of nobody: %v, %v", none, err)
	}
}

// testTaskKey: what opened a task opens it once while it lives.
func testTaskKey(t *testing.T, s *suite) {
	st := s.start(t)
	a, b := s.call("+1"), s.call("+2")
	must(t, st.Commit(t.Context(), a.Opening()))
	must(t, st.Commit(t.Context(), b.Opening()))
	first, second, others := s.task(a), s.task(a), s.task(b)
	s.put(t, st, a, first, tandem.EventTaskOpened, first)
	mustBe(t, st.Commit(t.Context(), &store.Change{Tasks: []tandem.Task{second}, Events: []tandem.Event{a.Event(s.Clock.Now(), tandem.EventTaskOpened, second)}}), store.ErrDuplicate)
	s.put(t, st, b, others, tandem.EventTaskOpened, others)
	first.State = tandem.TaskDone
	s.put(t, st, a, first, tandem.EventTaskDone, tandem.TaskOver{Task: first.ID, Outcome: first.Outcome})
	second.Agent = ""
	s.put(t, st, a, second, tandem.EventTaskOpened, second)
	none := s.task(a)
	none.Key = ""
	none.Agent = ""
	s.put(t, st, a, none, tandem.EventTaskOpened, none)
}

// testStates: an interaction is what its tasks are, and whether it has ended stands apart.
func testStates(t *testing.T, s *suite) {
	st := s.start(t)
	call := s.call("+1")
	must(t, st.Commit(t.Context(), call.Opening()))
	is := func(want tandem.State, running bool) {
		t.Helper()
		i := story(t, st, string(call.ID)).Interaction
		if i.State != want || i.Ended.IsZero() != running {
			t.Fatalf("it is %s, ended %v; want %s, running %v", i.State, i.Ended, want, running)
		}
	}
	is(tandem.Open, true)
	task := s.task(call)
	task.Agent, task.Key = "", ""
	s.put(t, st, call, task, tandem.EventTaskOpened, task)
	is(tandem.Queued, true)
	ticket := s.task(call)
	ticket.Kind, ticket.Agent, ticket.Key = tandem.TaskTicket, "", ""
	s.put(t, st, call, ticket, tandem.EventTaskOpened, ticket)
	task.State, task.Agent = tandem.TaskOffered, "anna"
	s.put(t, st, call, task, tandem.EventTaskOffered, tandem.Offered{Task: task.ID, Agent: "anna"})
	is(tandem.InOffer, true)
	task.State = tandem.TaskAssigned
	s.put(t, st, call, task, tandem.EventTaskAssigned, tandem.Assigned{Task: task.ID, Agent: "anna"})
	is(tandem.InService, true)
	// Its record is written as it was once: what its tasks are is not forgotten.
	opening := call.Opening().Interaction
	opening.Lang, opening.State = "en", tandem.Open
	must(t, st.Commit(t.Context(), &store.Change{Interaction: opening}))
	is(tandem.InService, true)
	must(t, st.Commit(t.Context(), call.Closing(s.Clock.Now(), tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup))))
	is(tandem.InService, false)
	task.State = tandem.TaskWrapping
	s.put(t, st, call, task, tandem.EventTaskReleased, tandem.Released{Task: task.ID, Agent: "anna"})
	is(tandem.Wrapping, false)
	task.State = tandem.TaskDone
	s.put(t, st, call, task, tandem.EventTaskDone, tandem.TaskOver{Task: task.ID, Outcome: task.Outcome})
	is(tandem.Queued, false) // for the ticket
	must(t, st.Commit(t.Context(), &store.Change{Interaction: opening}))
	is(tandem.Queued, true) // the customer came back
	must(t, st.Commit(t.Context(), call.Closing(s.Clock.Now(), tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup))))
	must(t, st.Close())
	st = s.start(t)
	if u, err := st.Unfinished(t.Context()); err != nil || len(u) != 0 {
		t.Errorf("what only waits is called unfinished: %+v, %v", u, err)
	}
	ticket.State = tandem.TaskDone
	s.put(t, st, call, ticket, tandem.EventTaskDone, tandem.TaskOver{Task: ticket.ID, Outcome: ticket.Outcome})
	is(tandem.Closed, false)
	v, err := st.Verify(t.Context())
	must(t, err)
	if !v.OK {
		t.Errorf("verdict %+v", v)
	}
}

// testEraseInLine: an erased person's interaction stays what its tasks are, and right.
func testEraseInLine(t *testing.T, s *suite) {
	st := s.start(t)
	call := s.call("+1")
	opening := call.Opening()
	opening.Legs[0].Kind = tandem.LegChat // which nobody ends but the erasure
	must(t, st.Commit(t.Context(), opening))
	task := s.task(call)
	task.Kind, task.Agent, task.Outcome = tandem.TaskCallback, "", ""
	s.put(t, st, call, task, tandem.EventTaskOpened, task)
	must(t, st.Erase(t.Context(), opening.Interaction.Customer, "op", "asked"))
	is := func(want tandem.State) {
		t.Helper()
		got := story(t, st, string(call.ID))
		if got.Interaction.State != want || got.Interaction.Ended.IsZero() || got.Interaction.Outcome != "erased" || len(got.Tasks) != 1 {
			t.Errorf("it is %+v", got.Interaction)
		}
		v, err := st.Verify(t.Context())
		must(t, err)
		if !v.OK {
			t.Errorf("verdict %+v", v)
		}
	}
	is(tandem.Queued)
	task.State, task.Outcome = tandem.TaskDone, tandem.OutcomeRefused
	s.put(t, st, call, task, tandem.EventTaskDone, tandem.TaskOver{Task: task.ID, Outcome: task.Outcome})
	is(tandem.Closed)
}

// testLineList: lists show who waits for what, and find it.
func testLineList(t *testing.T, s *suite) {
	st := s.start(t)
	var calls [4]Call
	for i := range calls {
		calls[i] = s.call(fmt.Sprint("+", i))
		must(t, st.Commit(t.Context(), calls[i].Opening()))
	}
	bye := tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup)
	must(t, st.Commit(t.Context(), calls[0].Closing(s.Clock.Now(), bye)))
	waits, served, done := s.task(calls[1]), s.task(calls[2]), s.task(calls[0])
	waits.Kind, waits.Agent = tandem.TaskCallback, ""
	served.State, served.Agent, served.Queue = tandem.TaskAssigned, "anna", "loans"
	done.State, done.Agent = tandem.TaskDone, "anna"
	for i, task := range []tandem.Task{done, waits, served} {
		s.put(t, st, calls[i], task, tandem.EventTaskOpened, task)
	}
	must(t, st.Commit(t.Context(), calls[1].Closing(s.Clock.Now(), bye)))
	for _, test := range []struct {
		filter store.Filter
		want   []int
	}{
		{store.Filter{}, []int{3, 2, 1, 0}},
		{store.Filter{Going: true}, []int{3, 2, 1}},
		{store.Filter{State: tandem.Queued}, []int{1}},
		{store.Filter{State: tandem.InService}, []int{2}},
		{store.Filter{State: tandem.Open}, []int{3}},
		{store.Filter{State: tandem.Closed}, []int{0}},
		{store.Filter{Queue: "cards"}, []int{1}},
		{store.Filter{Agent: "anna"}, []int{2}},
		{store.Filter{Agent: "anna", Queue: "cards"}, nil},
	} {
		list, err := st.List(t.Context(), test.filter)
		must(t, err)
		got := []tandem.InteractionID{}
		for _, l := range list {
			got = append(got, l.ID)
		}
		want := []tandem.InteractionID{}
		for _, i := range test.want {
			want = append(want, calls[i].ID)
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%+v lists %v, want %v", test.filter, got, want)
		}
	}
	list, err := st.List(t.Context(), store.Filter{})
	must(t, err)
	want := store.InLine{ID: served.ID, Kind: tandem.TaskCall, Queue: "loans", State: tandem.TaskAssigned, Agent: "anna", Arrived: served.Arrived, Since: served.Since, Due: served.Due}
	if list[1].Task == nil || *list[1].Task != want || list[0].Task != nil || list[3].Task != nil || list[2].Task.State != tandem.TaskWaiting {
		t.Errorf("tasks are listed as %+v, %+v", list[1].Task, list[2].Task)
	}
}

// testCommitAll: several changes are one.
func testCommitAll(t *testing.T, s *suite) {
	st := s.start(t)
	a, b := s.call("+1"), s.call("+2")
	seen := int64(0)
	see := &store.Change{With: func(tx store.Tx) error {
		_, err := tx.One("SELECT count(*) FROM interaction", func(r store.Row) { seen = r.Int(0) })
		return err
	}}
	first, second := a.Opening(), b.Opening()
	must(t, st.CommitAll(t.Context(), first, see, second))
	if seen != 1 || first.Interaction.Customer == "" || second.Interaction.Customer == "" || second.Events[1].Seq != 2 {
		t.Errorf("one saw %d interactions; customers %q and %q", seen, first.Interaction.Customer, second.Interaction.Customer)
	}
	right(t, st, 4)
	consent := func(c Call, key string) *store.Change {
		return &store.Change{Key: key, Events: []tandem.Event{c.Event(s.Clock.Now(), tandem.EventConsent, nil)}}
	}
	must(t, st.CommitAll(t.Context(), consent(a, "1"), consent(a, "2"), consent(b, "3")))
	refused := errors.New("no")
	c := s.call("+3")
	for name, test := range map[string]struct {
		last *store.Change
		want error
	}{
		"a key of before":  {consent(b, "2"), store.ErrDuplicate},
		"a key of its own": {consent(b, "10"), store.ErrDuplicate},
		"a bad one":        {&store.Change{Events: []tandem.Event{b.Event(time.Time{}, tandem.EventConsent, nil)}}, store.ErrInvalid},
		"an unknown one":   {consent(s.call("+9"), ""), store.ErrNotFound},
		"its own no":       {&store.Change{With: func(store.Tx) error { return refused }}, refused},
	} {
		opening := c.Opening()
		opening.With = func(store.Tx) error { return nil }
		mustBe(t, st.CommitAll(t.Context(), opening, consent(a, "10"), consent(a, "11"), test.last), test.want)
		if opening.Interaction.Customer != "" {
			t.Errorf("%s: a customer that there is not: %s", name, opening.Interaction.Customer)
		}
	}
	right(t, st, 7)
	must(t, st.CommitAll(t.Context(), consent(a, "10"), c.Opening())) // their keys are free
	must(t, st.CommitAll(t.Context()))
	right(t, st, 10)
}
