package desk

import (
	"context"
	"encoding/csv"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/queue/figures"
	"tandem/web/desk/alert"
	"tandem/web/desk/board"
)

// overview is a real one over the house's line and store. Its rules are looked at when a test
// says so (h.alerts.Look).
func (h *house) overview(log *slog.Logger) Overview {
	h.Helper()
	book, err := figures.New(figures.Options{Store: h.db, Now: h.clock.Now, Log: log})
	h.must(err)
	seen := board.New(h.clock.Now, book)
	h.alerts, err = alert.New(h.Context(), alert.Options{Store: h.db, Hooks: h.hooks, Picture: func() board.Picture { return seen.Picture(h.router) }, Now: h.clock.Now, Random: h.random, Log: log})
	h.must(err)
	unwatch := h.router.Watch(func(queue.Fact) { book.Stir() })
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { book.Follow(ctx); close(ended) }()
	h.Cleanup(func() { unwatch(); stop(); <-ended })
	where := func(_ context.Context, flow string) ([]Whereabouts, int, error) {
		return []Whereabouts{{Interaction: "06h0f8hig3moi0efio3rg5jqe8", Number: "08798529501", Entry: "95599", Channel: tandem.LegSIP, State: tandem.Open, Flow: "hotline", Step: "menu", Since: h.clock.Now().UTC()}}, 0, nil
	}
	return Overview{Board: seen, Book: book, Alerts: h.alerts, Where: where}
}

// boards drives what the board has beside the line: figures of the past, contacts, where
// customers are, alert rules.
func (h *house) boards(sue *client) {
	h.Helper()
	for _, at := range []string{"board", "board/history", "board/history?queue=cards&kind=chat&step=3600&since=2026-11-22T00:00:00Z", "board/contacts?what=answered", "board/where?flow=hotline", "board/history.csv?queue=cards"} {
		sue.ok(200, "GET", "/api/v1/"+at, nil, nil)
	}
	for _, bad := range []string{"history?step=1", "history?kind=fax", "history?since=yesterday", "contacts?what=lost", "history?since=2026-10-23T00:00:00Z&step=300"} {
		sue.refused(422, "invalid", "GET", "/api/v1/board/"+bad, nil)
	}
	var rule alert.Rule
	sue.ok(201, "POST", "/api/v1/board/alerts", map[string]any{"name": "Cards wait", "queue": "cards", "metric": "waiting", "bound": 0, "sound": true}, &rule)
	if rule.ID == "" || !rule.Active || rule.Clear != 0 || rule.By != "sue" {
		h.Errorf("the rule is %+v", rule)
	}
	for _, bad := range []map[string]any{{"name": "x", "metric": "level", "bound": 80}, {"name": "x", "metric": "longest", "bound": 60, "clear": 90}, {"name": " ", "metric": "free", "bound": 1},
		{"name": "x", "metric": "free", "bound": 1, "queue": "nobodys"}, {"name": "x", "metric": "free", "bound": 1, "kind": "chat"}} {
		sue.refused(422, "invalid", "POST", "/api/v1/board/alerts", bad)
	}
	h.arrive(tandem.TaskTicket)
	h.clock.Add(time.Second)
	h.must(h.alerts.Look(h.Context()))
	firing := h.alerts.Firing()
	if len(firing) != 1 || firing[0].Name != "Cards wait" {
		h.Fatalf("what fires is %+v", firing)
	}
	sue.ok(200, "POST", "/api/v1/board/alerts/"+firing[0].ID+"/seen", map[string]any{}, nil)
	sue.ok(200, "GET", "/api/v1/board/alerts", nil, nil)
	sue.ok(200, "GET", "/api/v1/board", nil, nil)
	sue.ok(200, "PUT", "/api/v1/board/alerts/"+rule.ID, map[string]any{"name": "Cards wait", "queue": "cards", "metric": "waiting", "bound": 50}, nil)
	if left := h.alerts.Firing(); len(left) != 0 {
		h.Errorf("of a rule that changed there fires %+v", left)
	}
	sue.ok(204, "DELETE", "/api/v1/board/alerts/"+rule.ID, nil, nil)
	sue.refused(404, "not_found", "DELETE", "/api/v1/board/alerts/"+rule.ID, nil)
	sue.ok(200, "GET", "/api/v1/board/alerts", nil, nil)
}

// TestReasonsAreAudited: what supervisors do stands in the audit log with the reason they gave.
func TestReasonsAreAudited(t *testing.T) {
	h := newHouse(t)
	sue := h.as("sue")
	task := h.arrive(tandem.TaskTicket)
	sue.ok(200, "POST", path(task.ID, "priority"), map[string]any{"seconds": 60, "why": "an old customer"}, nil)
	sue.ok(200, "POST", path(task.ID, "queue"), map[string]any{"queue": "loans", "why": "it is about a loan"}, nil)
	sue.ok(200, "PUT", "/api/v1/agents/anna/presence", map[string]any{"presence": "offline", "why": "went home"}, nil)
	sue.refused(422, "invalid", "POST", path(task.ID, "priority"), map[string]any{"seconds": 60, "why": strings.Repeat("a", 501)})
	found, err := h.staff.Entries(t.Context(), 1<<40, 50)
	h.must(err)
	all := ""
	for _, e := range found {
		all += fmt.Sprintf("%s %s %s %s\n", e.Actor, e.Action, e.Object, e.Detail)
	}
	for _, want := range []string{"sue task.priority " + string(task.ID) + " 60 s: an old customer", "sue task.queue " + string(task.ID) + " to loans: it is about a loan", "sue agent.presence anna offline: went home"} {
		if !strings.Contains(all, want) {
			t.Errorf("the log lacks %q:\n%s", want, all)
		}
	}
}

// TestHistoryAsTable: the table is what the columns are, and no name in it is a formula.
func TestHistoryAsTable(t *testing.T) {
	h := newHouse(t)
	sue := h.as("sue")
	h.arrive(tandem.TaskChat)
	h.until("it is counted", func() bool {
		_, total := h.desk.o.Overview.Book.Contacts(figures.Key{}, "", time.Time{}, time.Time{}, 1)
		r := sue.do("GET", "/api/v1/board/history.csv", nil)
		rows, err := csv.NewReader(strings.NewReader(r.body)).ReadAll()
		return err == nil && len(rows) == 5 && total == 0 && strings.Join(rows[0], ",") == "from,queue,kind,opened,answered,within,left,waiting,most,p50,p90" &&
			strings.Contains(r.body, "cards,chat,1,0,0,0,1,1,,") && strings.HasPrefix(r.Header.Get("Content-Type"), "text/csv")
	})
	if plainCell("=1+1") != "'=1+1" || plainCell("cards") != "cards" {
		t.Error("a name may be a formula")
	}
}
