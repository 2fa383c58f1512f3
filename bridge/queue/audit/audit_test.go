package audit

import (
	"context"
	"crypto/rand"
	"database/sql"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/store"
	"tandem/store/sqlite"
	"tandem/store/storetest"
)

// served makes a store with a line in which something of everything has happened.
func served(t *testing.T, dir string) {
	t.Helper()
	db, err := killStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r, err := queue.New(context.Background(), queue.Options{Store: db, Policy: killPolicy(), Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- r.Run(ctx) }()
	defer func() { stop(); <-ended }()
	for _, l := range []tandem.Load{tandem.LoadVoice, tandem.LoadChat, tandem.LoadWork} {
		r.Reachable("agent00", l, true)
	}
	if _, err := r.Present(ctx, "agent00", tandem.PresenceAvailable, ""); err != nil {
		t.Fatal(err)
	}
	for _, kind := range []tandem.TaskKind{tandem.TaskChat, tandem.TaskVoicemail, tandem.TaskCallback, tandem.TaskCallback} {
		call := storetest.NewCall(time.Now(), rand.Reader, "+861012345678")
		x, err := r.Open(ctx, tandem.Task{Interaction: call.ID, Kind: kind, Queue: "cards", Key: "visit"}, call.Opening())
		if err != nil {
			t.Fatal(err)
		}
		if kind == tandem.TaskCallback { // one is offered, the other waits
			continue
		}
		if x, err = r.Accept(ctx, x.ID, "agent00", x.Fence); err != nil {
			t.Fatal(err)
		}
		if kind == tandem.TaskVoicemail {
			continue // assigned
		}
		if _, err := r.Release(ctx, route.Released{Task: x.ID, Agent: "agent00", Fence: x.Fence, Outcome: tandem.OutcomeServed}, nil); err != nil {
			t.Fatal(err)
		}
	}
}

// TestFinds: whatever is done to the rows behind the line's back is found and said.
func TestFinds(t *testing.T) {
	for name, c := range map[string]struct{ do, want string }{
		"nothing":                  {"", ""},
		"a task is removed":        {"DELETE FROM task WHERE state = 'waiting'", "it is lost"},
		"a task is done":           {"UPDATE task SET state = 'done', outcome = 'served' WHERE state = 'waiting'", "the state of task"},
		"a place is moved":         {"UPDATE task SET due = due - 60000000000 WHERE state = 'waiting'", "the due time of task"},
		"an arrival is moved":      {"UPDATE task SET arrived = arrived + 1 WHERE state = 'waiting'", "the arrival of task"},
		"a queue is changed":       {"UPDATE task SET queue = 'loans' WHERE state = 'offered'", "the queue of task"},
		"a task is given away":     {"UPDATE task SET agent = 'agent01' WHERE state = 'assigned'", "the agent and number of task"},
		"a hold is removed":        {"DELETE FROM hold WHERE state = 'assigned'", "no row says so"},
		"a hold is over":           {"UPDATE hold SET state = 'over' WHERE state = 'offered'", "by the journal it is offered"},
		"a hold is given away":     {"UPDATE hold SET agent = 'agent01' WHERE state = 'assigned'", "by the journal it is agent00's"},
		"a hold is invented":       {"INSERT INTO hold VALUES (99, 'nothing', 'agent01', 'chat', 'assigned', 1, 1, 0, 1, '')", "no event says so"},
		"a number is forgotten":    {"UPDATE line SET fence = 1", "the newest number of an offer is stored as 1"},
		"an outcome is changed":    {"UPDATE task SET outcome = 'left' WHERE state = 'done'", "the outcome of task"},
		"an interaction is closed": {"UPDATE interaction SET state = 'closed' WHERE state = 'assigned'", "by its tasks it is assigned"},
		"an interaction is open":   {"UPDATE interaction SET state = 'queued' WHERE id IN (SELECT i.id FROM interaction i JOIN task t ON t.interaction = i.no WHERE t.state = 'done')", "by its tasks it is open or closed"},
		"too many":                 {"INSERT INTO hold SELECT 98, task, agent, load, 'assigned', 1, 1, 0, 1, '' FROM hold WHERE state = 'offered'", "may have 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			served(t, dir)
			if c.do != "" {
				tamper(t, filepath.Join(dir, "tandem.db"), c.do)
			}
			db, err := killStore(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			r, err := Read(t.Context(), db, killPolicy())
			if err != nil {
				t.Fatal(err)
			}
			all := strings.Join(append(r.Findings, r.Notes...), "\n")
			if r.OK != (c.want == "") || !strings.Contains(all, c.want) {
				t.Errorf("ok %t, want %q in:\n%s", r.OK, c.want, all)
			}
		})
	}
}

func tamper(t *testing.T, path, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("DROP INDEX hold_task"); err != nil {
		t.Fatal(err)
	}
	if r, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	} else if n, _ := r.RowsAffected(); n == 0 {
		t.Fatal("nothing was changed")
	}
}

// TestFigures: what an audit counts.
func TestFigures(t *testing.T) {
	dir := t.TempDir()
	served(t, dir)
	db, err := killStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	r, err := Read(t.Context(), db, nil)
	if err != nil || !r.OK || len(r.Queues) != 1 {
		t.Fatalf("%+v, %v", r, err)
	}
	q := r.Queues[0]
	if r.Tasks != 4 || r.Live != 3 || r.Offers != 3 || q.Opened != 4 || q.Waiting != 2 || q.Assigned != 1 || q.Outcomes[tandem.OutcomeServed] != 1 {
		t.Errorf("%+v", r)
	}
}

// TestBesideAServer: an audit beside a line at work sees one moment of it, which is right.
func TestBesideAServer(t *testing.T) {
	dir := t.TempDir()
	db, err := killStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	policy := killPolicy()
	r, err := queue.New(context.Background(), queue.Options{Store: db, Policy: policy, Now: time.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var all sync.WaitGroup
	all.Go(func() { r.Run(ctx) })
	for name := range policy.Agents {
		for _, l := range []tandem.Load{tandem.LoadVoice, tandem.LoadChat, tandem.LoadWork} {
			r.Reachable(name, l, true)
		}
		if _, err := r.Present(ctx, name, tandem.PresenceAvailable, ""); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 8 {
		all.Go(func() {
			for n := i; ctx.Err() == nil; n++ {
				call := storetest.NewCall(time.Now(), rand.Reader, "+861012345678")
				x, err := r.Open(ctx, tandem.Task{Interaction: call.ID, Kind: []tandem.TaskKind{tandem.TaskChat, tandem.TaskCallback}[n%2], Queue: "cards"}, call.Opening())
				if err == nil && x.Agent != "" {
					x, err = r.Accept(ctx, x.ID, x.Agent, x.Fence)
				}
				if err == nil && x.State == tandem.TaskAssigned {
					_, err = r.Release(ctx, route.Released{Task: x.ID, Agent: x.Agent, Fence: x.Fence, Outcome: tandem.OutcomeServed}, nil)
				}
				if err != nil && ctx.Err() == nil && tandem.CodeOf(err) != tandem.CodeConflict { // another's offer was taken
					t.Error(err)
					return
				}
			}
		})
	}
	for range 10 {
		report, err := besideIt(t, dir, policy)
		if err != nil || !report.OK || len(report.Notes) > 0 {
			t.Errorf("%+v, %v", report, err)
		}
	}
	stop()
	all.Wait()
}

// besideIt opens the store as a command does, and audits.
func besideIt(t *testing.T, dir string, p *route.Policy) (*Report, error) {
	t.Helper()
	keys, err := store.NewKeyring(make([]byte, store.KeySize))
	if err != nil {
		return nil, err
	}
	db, err := sqlite.OpenReader(t.Context(), sqlite.Options{Path: filepath.Join(dir, "tandem.db"), Keys: keys, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return nil, err
	}
	defer db.Close()
	return Read(t.Context(), db, p)
}

// TestErased: what the journal tells no more, because the person was erased, is no finding.
func TestErased(t *testing.T) {
	dir := t.TempDir()
	served(t, dir)
	db, err := killStore(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	list, err := db.List(t.Context(), store.Filter{})
	if err != nil || len(list) != 4 {
		t.Fatal(len(list), err)
	}
	if err := db.Erase(t.Context(), list[0].Customer, "operator", "asked"); err != nil {
		t.Fatal(err)
	}
	r, err := Read(t.Context(), db, killPolicy())
	if err != nil || !r.OK || len(r.Notes) > 0 || r.Erased == 0 {
		t.Errorf("%+v, %v", r, err)
	}
}
