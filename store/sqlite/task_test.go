package sqlite

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/store"
	"tandem/store/storetest"
)

// TestMigrateTasks: a database of schema 8 with callbacks that nobody served.
func TestMigrateTasks(t *testing.T) {
	p := storetest.NewPlace(t)
	db, err := open(t.Context(), options(p), migrations()[:8])
	if err != nil {
		t.Fatal(err)
	}
	random := storetest.NewRandom(1)
	arrived := p.Clock.Now()
	var calls []storetest.Call
	for i, kind := range []string{"callback", "voicemail", "callback", "callback"} {
		call := storetest.NewCall(p.Clock.Now(), random, fmt.Sprint("+", i))
		commit(t, db, call.Opening())
		calls = append(calls, call)
		id := tandem.NewID[tandem.TaskID](p.Clock.Now(), random)
		old := json.RawMessage(fmt.Sprintf(`{"id":%q,"interaction":%q,"kind":%q,"queue":"cards","state":"waiting","arrived":%q,"note":"cut off"}`,
			id, call.ID, kind, arrived.Format(time.RFC3339Nano)))
		commit(t, db, &store.Change{Events: []tandem.Event{call.Event(p.Clock.Now(), tandem.EventTaskOpened, old)}, With: func(tx store.Tx) error {
			_, err := tx.Exec(`INSERT INTO task (id, interaction, kind, queue, state, arrived, blob, note)
				VALUES (?, (SELECT no FROM interaction WHERE id = ?), ?, 'cards', 'waiting', ?, '', 'cut off')`, string(id), string(call.ID), kind, arrived)
			return err
		}})
		if i != 3 {
			commit(t, db, call.Closing(p.Clock.Now(), tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup)))
		}
	}
	db.Close()
	tamper(t, options(p).Path, "UPDATE interaction SET state = 'closed' WHERE ended <> 0") // as the version before wrote it
	tamper(t, options(p).Path, "UPDATE customer SET erased = 1, key = NULL WHERE no = 3; UPDATE event SET sealed = NULL WHERE interaction = 3")

	db = openAt(t, p)
	for i, want := range []struct {
		state tandem.State
		task  tandem.TaskState
		due   time.Duration
	}{{tandem.Queued, tandem.TaskWaiting, 20 * time.Second}, {tandem.Queued, tandem.TaskWaiting, 4 * time.Hour}, {tandem.Closed, tandem.TaskDone, 20 * time.Second}, {tandem.Queued, tandem.TaskWaiting, 20 * time.Second}} {
		s, err := db.Interaction(t.Context(), string(calls[i].ID))
		if err != nil {
			t.Fatal(err)
		}
		task := s.Tasks[0]
		if s.Interaction.State != want.state || task.State != want.task || !task.Due.Equal(arrived.Add(want.due)) || !task.Since.Equal(arrived) || task.Note != "cut off" {
			t.Errorf("%d: %s, %+v", i, s.Interaction.State, task)
		}
	}
	if u, err := db.Unfinished(t.Context()); err != nil || len(u) != 1 || u[0].Interaction.ID != calls[3].ID {
		t.Errorf("unfinished: %+v, %v", u, err)
	}
	v, err := db.Verify(t.Context())
	if err != nil || strings.Contains(strings.Join(v.Findings, "\n"), "ask") {
		t.Errorf("verdict %+v, %v", v, err)
	}
	// They go on as any other.
	s, err := db.Interaction(t.Context(), string(calls[0].ID))
	if err != nil {
		t.Fatal(err)
	}
	task := s.Tasks[0]
	task.State, task.Agent, task.Fence = tandem.TaskOffered, "anna", 1
	commit(t, db, &store.Change{Tasks: []tandem.Task{task}, Events: []tandem.Event{
		calls[0].Event(p.Clock.Now(), tandem.EventTaskOffered, tandem.Offered{Task: task.ID, Agent: "anna", Fence: 1})}})
	if err := db.Update(t.Context(), func(tx store.Tx) error {
		live, err := store.LiveTasks(tx)
		if err == nil && (len(live) != 3 || !reflect.DeepEqual(live[0], task)) {
			t.Errorf("live are %+v", live)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

// served writes an interaction with a task that came as far as state.
func served(t *testing.T, db *DB, p storetest.Place, state tandem.TaskState) (storetest.Call, tandem.Task) {
	t.Helper()
	random := storetest.NewRandom(uint64(p.Clock.Now().UnixNano()))
	call := storetest.NewCall(p.Clock.Now(), random, "+8613800138000")
	commit(t, db, call.Opening())
	task := tandem.Task{ID: tandem.NewID[tandem.TaskID](p.Clock.Now(), random), Interaction: call.ID, Kind: tandem.TaskCall, Queue: "cards",
		State: tandem.TaskWaiting, Arrived: p.Clock.Now(), Key: "visit 1"}
	task.Due = task.Arrived.Add(20 * time.Second)
	step := func(kind tandem.EventKind, payload any) {
		commit(t, db, &store.Change{Tasks: []tandem.Task{task}, Events: []tandem.Event{call.Event(p.Clock.Now(), kind, payload)}})
	}
	step(tandem.EventTaskOpened, task)
	for _, next := range []tandem.TaskState{tandem.TaskOffered, tandem.TaskAssigned, tandem.TaskWrapping, tandem.TaskDone} {
		if task.State == state {
			break
		}
		task.State = next
		switch next {
		case tandem.TaskOffered:
			task.Agent, task.Fence = "anna", 7
			step(tandem.EventTaskOffered, tandem.Offered{Task: task.ID, Agent: "anna", Fence: 7})
		case tandem.TaskAssigned:
			step(tandem.EventTaskAssigned, tandem.Assigned{Task: task.ID, Agent: "anna", Fence: 7})
		case tandem.TaskWrapping:
			task.Outcome = tandem.OutcomeServed
			step(tandem.EventTaskReleased, tandem.Released{Task: task.ID, Agent: "anna", Fence: 7, Why: "done"})
		case tandem.TaskDone:
			step(tandem.EventTaskDone, tandem.TaskOver{Task: task.ID, Agent: "anna", Outcome: tandem.OutcomeServed})
		}
	}
	return call, task
}

func TestVerifyTasks(t *testing.T) {
	tests := []struct {
		name   string
		state  tandem.TaskState
		script string
		says   string // of the one finding about the task; %t and %i stand for the ids. "" = there is none
	}{
		{"waiting", tandem.TaskWaiting, "", ""},
		{"offered", tandem.TaskOffered, "", ""},
		{"assigned", tandem.TaskAssigned, "", ""},
		{"wrapping", tandem.TaskWrapping, "", ""},
		{"done", tandem.TaskDone, "", ""},
		{"state", tandem.TaskWaiting, "UPDATE task SET state = 'done'", `Task %t of interaction %i was altered: its state is "done", the journal says "waiting"`},
		{"brought back", tandem.TaskDone, "UPDATE task SET state = 'waiting', agent = ''", `its state is "waiting", the journal says "done"`},
		{"queue", tandem.TaskOffered, "UPDATE task SET queue = 'vip'", `its queue is "vip", the journal says "cards"`},
		{"kind", tandem.TaskOffered, "UPDATE task SET kind = 'ticket'", `its kind is "ticket", the journal says "call"`},
		{"first in line", tandem.TaskWaiting, "UPDATE task SET due = due - 60000000000", "its due time is"},
		{"another's", tandem.TaskAssigned, "UPDATE task SET agent = 'ben'", `its agent is "ben", the journal says "anna"`},
		{"outcome", tandem.TaskDone, "UPDATE task SET outcome = 'left'", `its outcome is "left", the journal says "served"`},
		{"deleted", tandem.TaskWaiting, "DELETE FROM task; UPDATE interaction SET state = 'open'", "Task %t was deleted, but its events are there"},
		{"put there", tandem.TaskDone, `INSERT INTO task (id, interaction, kind, queue, state, arrived, blob, note)
			SELECT '06h0f8hig3moi0efio3rg5jqe0', interaction, kind, queue, 'waiting', 0, '', '' FROM task; UPDATE interaction SET state = 'queued'`, "which no event opened"},
		{"interaction's state", tandem.TaskOffered, "UPDATE interaction SET state = 'open'", `Interaction %i was altered: its state is "open", by its tasks and its end it is "offered"`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := storetest.NewPlace(t)
			db := openAt(t, p)
			call, task := served(t, db, p, test.state)
			db.Close()
			if test.script != "" {
				tamper(t, options(p).Path, test.script)
			}
			v, found := verify(t, p), ""
			for _, f := range v.Findings {
				found += f + "\n"
			}
			says := strings.NewReplacer("%i", string(call.ID), "%t", string(task.ID)).Replace(test.says)
			if v.OK != (test.says == "") || !strings.Contains(found, says) {
				t.Errorf("OK is %v, found:\n%s", v.OK, found)
			}
		})
	}
}

// TestLetters: what is asked for of an event is sent if, and only if, the event is written.
func TestLetters(t *testing.T) {
	p := storetest.NewPlace(t)
	var heard []string
	db := openAt(t, p, func(o *Options) {
		o.Letters = func(e *tandem.Event, about store.About) []store.Outgoing {
			heard = append(heard, fmt.Sprintf("%s %d %s %d", e.Kind, e.Seq, about.Number, len(about.Tasks)))
			return []store.Outgoing{{Key: fmt.Sprintf("hook/x/%s/%d", e.Interaction, e.Seq), Kind: store.KindHook, Target: "x", Body: []byte(e.Kind)}}
		}
	})
	call, task := served(t, db, p, tandem.TaskOffered)
	want := fmt.Sprintf("[interaction.opened 1 %[1]s 0 leg.started 2 %[1]s 0 task.opened 3 %[1]s 1 task.offered 4 %[1]s 1]", string(call.Number))
	if got := fmt.Sprint(heard); got != strings.ReplaceAll(want, string(call.Number), call.Number.String()) {
		t.Errorf("asked of %s, want %s", got, want)
	}
	refused := errors.New("no")
	err := db.Commit(t.Context(), &store.Change{Events: []tandem.Event{call.Event(p.Clock.Now(), tandem.EventNoted, tandem.Noted{Task: task.ID})},
		With: func(store.Tx) error { return refused }})
	if !errors.Is(err, refused) {
		t.Fatal(err)
	}
	db.Note(call.Event(p.Clock.Now(), tandem.EventPrompt, tandem.Prompted{}))
	if err := db.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	story, err := db.Interaction(t.Context(), string(call.ID))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Erase(t.Context(), story.Customer.ID, "op", "asked"); err != nil {
		t.Fatal(err)
	}
	letters, err := db.LettersUnder(t.Context(), "hook/x/", "", 10)
	if err != nil || len(letters) != 5 || letters[0].Key != fmt.Sprintf("hook/x/%s/6", call.ID) || letters[0].Interaction != "" {
		t.Errorf("letters are %+v, %v", letters, err)
	}
	if letters, err = db.LettersUnder(t.Context(), "hook/x/", letters[3].Key, 10); err != nil || len(letters) != 1 {
		t.Errorf("the next page is %+v, %v", letters, err)
	}
	leased, err := db.Only(store.KindHook).Lease(t.Context(), 10, time.Minute)
	if err != nil || len(leased) != 5 {
		t.Fatalf("leased %+v, %v", leased, err)
	}
	for _, l := range leased {
		if err := db.Delivered(t.Context(), l.Key); err != nil {
			t.Fatal(err)
		}
	}
	story, err = db.Interaction(t.Context(), string(call.ID))
	if err != nil || len(story.Events) != 6 {
		t.Errorf("delivering wrote events: %d, %v", len(story.Events), err)
	}
}

// TestShares: the parts of the outbox are lent apart, and given up letters of events are
// swept as delivered ones are.
func TestShares(t *testing.T) {
	p := storetest.NewPlace(t)
	db := openAt(t, p)
	post := func(again bool, keys ...string) {
		t.Helper()
		c := &store.Change{}
		for _, key := range keys {
			kind, _, _ := strings.Cut(key, "/")
			c.Outbox = append(c.Outbox, store.Outgoing{Key: key, Kind: kind, Target: "x", Body: []byte("b"), Again: again})
		}
		commit(t, db, c)
	}
	lent := func(from interface {
		Lease(ctx context.Context, max int, lease time.Duration) ([]store.Leased, error)
	}) string {
		t.Helper()
		l, err := from.Lease(t.Context(), 10, time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		keys := []string{}
		for _, one := range l {
			keys = append(keys, one.Key)
		}
		return fmt.Sprint(keys)
	}
	post(false, "sms/1", "hook/1", "webhook/1", "hook/2")
	if got := lent(db.But("hook")); got != "[sms/1 webhook/1]" {
		t.Errorf("all but hooks: %s", got)
	}
	if got := lent(db.Only("hook")); got != "[hook/1 hook/2]" {
		t.Errorf("hooks: %s", got)
	}
	failed := errors.New("no")
	for _, err := range []error{db.Delivered(t.Context(), "hook/1"), db.Failed(t.Context(), "hook/2", failed, time.Time{}), db.Failed(t.Context(), "sms/1", failed, time.Time{})} {
		if err != nil {
			t.Fatal(err)
		}
	}
	post(true, "hook/1", "hook/2", "webhook/1") // the last one still waits
	if got := lent(db); got != "[hook/1 hook/2]" {
		t.Errorf("sent again: %s", got)
	}
	if err := db.Commit(t.Context(), &store.Change{Outbox: []store.Outgoing{{Key: "hook/1", Kind: "hook"}}}); !errors.Is(err, store.ErrDuplicate) {
		t.Errorf("the same key: %v", err)
	}
	if err := db.Failed(t.Context(), "hook/1", failed, time.Time{}); err != nil {
		t.Fatal(err)
	}
	p.Clock.Add(keepDone + time.Minute)
	db.Close()
	db = openAt(t, p, func(o *Options) { o.CheckpointEvery = time.Millisecond })
	await(t, "the given up letter is swept", func() bool {
		l, err := db.LettersUnder(t.Context(), "hook/1", "", 10)
		return err == nil && len(l) == 0
	})
	if all, err := db.Outbox(t.Context()); err != nil || len(all) != 3 {
		t.Errorf("left are %+v, %v", all, err)
	}
}
