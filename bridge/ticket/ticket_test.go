package ticket

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/route"
	"tandem/store"
)

func TestOpen(t *testing.T) {
	h := newHouse(t)
	e := h.effect("visit", "", 4*time.Hour)
	r, words, err := h.Open(t.Context(), h.who, "cards", e)
	if err != nil || r.Outcome != "opened" || len(words) != 0 {
		t.Fatalf("%+v %v %v", r, words, err)
	}
	number := tandem.Number(r.Value.(string))
	if _, err := tandem.ParseNumber(string(number)); err != nil {
		t.Error(err)
	}
	again, _, err := h.Open(t.Context(), h.who, "cards", e) // the session was resumed
	if err != nil || again.Value != r.Value || h.journal(tandem.EventTicket) != 1 || h.journal(tandem.EventTaskOpened) != 1 {
		t.Errorf("%+v %v", again, err)
	}
	d, err := h.ByNumber(t.Context(), number)
	h.must(err)
	if d.Form != "request" || d.Status != StatusOpen || d.Owner != "queue:cards" || d.Queue != "cards" || d.Fields["wish"] != "a secret wish" || d.Due.Sub(d.Opened) != 4*time.Hour {
		t.Errorf("%+v", d)
	}
	task := h.task(d.Task)
	if task.Kind != tandem.TaskTicket || task.Ticket != number || !task.Due.Equal(d.Due) || !task.TicketDue.Equal(d.Due) || task.Queue != "cards" || task.Key != "visit" {
		t.Errorf("%+v", task)
	}
	if n := h.notes[0]; n.Text != "Your request has the number "+number.String()+"." || n.Key != "ticket/visit" || n.Key != h.notes[1].Key {
		t.Errorf("%+v", n)
	}
	if strings.Contains(h.log.String(), "wish") || strings.Contains(h.log.String(), h.token()) {
		t.Error(h.log.String())
	}
	if _, err := h.Find(t.Context(), "nothing"); tandem.CodeOf(err) != tandem.CodeNotFound {
		t.Error(err)
	}
	// Two at once, as a session that is resumed twice: one ticket.
	e.Key = "other"
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, _, err := h.Open(t.Context(), h.who, "cards", e); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if h.journal(tandem.EventTicket) != 2 {
		t.Errorf("%d tickets", h.journal(tandem.EventTicket))
	}
}

func TestWords(t *testing.T) {
	h := newHouse(t)
	h.who.Channel, h.who.Lang = tandem.Chat, "zh-CN"
	e := h.effect("chat", "", 0)
	_, words, err := h.Open(t.Context(), h.who, "loans", e)
	if n := h.notes[0]; err != nil || len(words) != 0 || n.URL != "" || n.Link == "" || n.Button != "查看进度" || !strings.HasPrefix(n.Text, "您的受理号是") {
		t.Errorf("%+v %v %v", n, words, err)
	}
	d, err := h.byKey(t.Context(), h.call.ID, "chat")
	h.must(err)
	if d.Due.Sub(d.Opened) != 2*time.Hour { // what the queue gives
		t.Errorf("%+v", d)
	}
	url, err := h.Reissue(t.Context(), h.notes[0].Link)
	h.must(err)
	if v, err := h.Look(t.Context(), strings.TrimPrefix(url, "https://pages.example/t/")); err != nil || v.Number != d.Number {
		t.Errorf("%+v %v", v, err)
	}
	if _, err := h.Reissue(t.Context(), "nothing"); !errors.Is(err, ErrUnusable) {
		t.Error(err)
	}
	for _, fails := range []error{errors.New("no gateway")} { // the ticket is opened all the same, and the number said
		h.fails = fails
		_, words, err = h.Open(t.Context(), h.who, "loans", h.effect("failing", "", 0))
		if err != nil || len(words) != 1 || !strings.HasPrefix(words[0].Parts[0].Text, "您的受理号是") {
			t.Errorf("%+v %v", words, err)
		}
	}
	h.who.Channel = tandem.Voice
	if _, words, err = h.Open(t.Context(), h.who, "loans", h.effect("voice", "", 0)); err != nil || len(words) != 0 {
		t.Errorf("%+v %v", words, err)
	}
}

func TestOwners(t *testing.T) {
	for _, test := range []struct {
		owner, queue string
		want         place
		ok           bool
	}{
		{"", "cards", place{"queue:cards", "cards", ""}, true},
		{"", "none", place{"queue:cards", "cards", ""}, true},
		{"", "", place{"queue:cards", "cards", ""}, true},
		{"queue:loans", "cards", place{"queue:loans", "loans", ""}, true},
		{"team:leads", "cards", place{"team:leads", "leads", ""}, true},
		{"team:cards", "cards", place{"team:cards", "cards", ""}, true},
		{"agent:li", "loans", place{"agent:li", "loans", "li"}, true},
		{"agent:li", "leads", place{"agent:li", "cards", "li"}, true},
		{"anna", "cards", place{"agent:anna", "cards", "anna"}, true},
		{"loans", "cards", place{"team:loans", "loans", ""}, true},
		{"agent:loner", "cards", place{}, false}, // serves no queue
		{"idle", "cards", place{}, false},
		{"nobody", "cards", place{}, false},
		{"agent:cards", "cards", place{}, false},
		{"mail:x", "cards", place{}, false},
		{":", "cards", place{}, false},
	} {
		got, ok := placeOf(policy(), test.owner, test.queue)
		if ok != test.ok || ok && got != test.want {
			t.Errorf("%q in %q: %+v %t", test.owner, test.queue, got, ok)
		}
	}
	if _, ok := placeOf(&route.Policy{}, "", "cards"); ok {
		t.Error("a place without a queue")
	}
	h := newHouse(t)
	if o := h.opened("nobody", time.Hour); o.Owner != "queue:cards" { // nothing is lost for a name
		t.Errorf("%+v", o)
	}
	o := h.opened("agent:li", time.Hour)
	if task := h.task(o.Task); task.Prefer != "li" || o.Owner != "agent:li" {
		t.Errorf("%+v", task)
	}
}

func TestChange(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	o := h.opened("", time.Hour)
	if _, err := h.Change(ctx, "anna", Change{Task: o.Task, Status: StatusWorking, Note: "called twice", Told: " We called you. "}); err != nil {
		t.Fatal(err)
	}
	d := h.row(o.Task)
	if d.Status != StatusWorking || len(d.History) != 1 || d.History[0].Note != "called twice" || d.History[0].Told != "We called you." || d.History[0].Actor != "anna" {
		t.Errorf("%+v", d)
	}
	if len(h.told) != 1 || h.told[0].Text != "About your request "+o.Number.String()+": We called you." || h.told[0].URL != "" {
		t.Errorf("%+v", h.told)
	}
	due := h.now().Add(48 * time.Hour)
	if _, err := h.Change(ctx, "boss", Change{Task: o.Task, Due: due, Owner: "loans"}); err != nil {
		t.Fatal(err)
	}
	if task, d := h.task(o.Task), h.row(o.Task); task.Queue != "loans" || !task.TicketDue.Equal(due) || !task.Due.Equal(due) || d.Owner != "team:loans" || d.Queue != "loans" || !d.Due.Equal(due) {
		t.Errorf("%+v %+v", task, d)
	}
	// Whoever has it hands it over, and it takes its time along.
	h.takes("li", o.Task)
	due = h.now().Add(72 * time.Hour)
	if _, err := h.Change(ctx, "li", Change{Task: o.Task, Due: due, Owner: "agent:olga"}); err != nil {
		t.Fatal(err)
	}
	if task := h.task(o.Task); task.State != tandem.TaskWaiting || task.Queue != "leads" || task.Prefer != "olga" || !task.TicketDue.Equal(due) {
		t.Errorf("%+v", task)
	}
	// Put off, it comes back to who put it off.
	h.takes("olga", o.Task)
	until := h.now().Add(time.Hour)
	if changed, err := h.Change(ctx, "olga", Change{Task: o.Task, Until: until}); err != nil || changed.Status != StatusWaiting {
		t.Fatal(changed, err)
	}
	if task := h.task(o.Task); task.State != tandem.TaskWaiting || !task.NotBefore.Equal(until) || task.Prefer != "olga" || task.Queue != "leads" || !task.TicketDue.Equal(due) {
		t.Errorf("%+v", task)
	}
	// Done takes it out of line, and out of the hands of who has it.
	done, err := h.Change(ctx, "olga", Change{Task: o.Task, Status: StatusDone, Told: "It is done."})
	if err != nil || done.Done.IsZero() {
		t.Fatal(done, err)
	}
	if _, live := h.line.Task(o.Task); live {
		t.Error("it waits on")
	}
	if _, err := h.Change(ctx, "olga", Change{Task: o.Task, Status: StatusOpen}); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Error(err)
	}
	if _, err := h.Change(ctx, "olga", Change{Task: o.Task, Note: "filed"}); err != nil {
		t.Error(err)
	}
	_, err = h.line.Present(ctx, "li", tandem.PresenceOffline, "")
	h.must(err)
	o = h.opened("", time.Hour)
	h.takes("anna", o.Task)
	if _, err := h.Change(ctx, "anna", Change{Task: o.Task, Status: StatusDone}); err != nil {
		t.Fatal(err)
	}
	if task, live := h.line.Task(o.Task); live {
		t.Errorf("%+v", task)
	}
	if list, err := h.List(ctx, Filter{Open: true}); err != nil || len(list) != 0 {
		t.Errorf("%+v %v", list, err)
	}
}

func TestRefusedChanges(t *testing.T) {
	h := newHouse(t)
	o := h.opened("", time.Hour)
	for _, c := range []Change{
		{}, {Status: "lost"}, {Owner: "nobody"}, {Owner: "agent:loner"}, {Due: h.now().Add(-time.Minute)}, {Until: h.now().Add(-time.Minute)},
		{Due: time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)}, {Until: h.now().AddDate(300, 0, 0)},
		{Until: h.now().Add(time.Hour), Status: StatusDone}, {Note: strings.Repeat("字", maxWords+1)}, {Told: "a\x00b"}, {Told: "a\x1b[31m"}, {Note: "\xff"},
	} {
		c.Task = o.Task
		if _, err := h.Change(t.Context(), "anna", c); tandem.CodeOf(err) != tandem.CodeInvalid {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if _, err := h.Change(t.Context(), "anna", Change{Task: "nothing", Note: "x"}); tandem.CodeOf(err) != tandem.CodeNotFound {
		t.Error(err)
	}
	if h.journal(tandem.EventTicketChanged) != 0 {
		t.Error("something was changed")
	}
}

func TestList(t *testing.T) {
	h := newHouse(t)
	var all []Ticket
	for _, owner := range []string{"", "loans", "anna", ""} {
		all = append(all, h.opened(owner, time.Hour))
	}
	_, err := h.Change(t.Context(), "anna", Change{Task: all[3].Task, Status: StatusDone})
	h.must(err)
	for _, test := range []struct {
		f    Filter
		want int
	}{
		{Filter{}, 4}, {Filter{Open: true}, 3}, {Filter{Queue: "loans"}, 1}, {Filter{Owner: "agent:anna"}, 1}, {Filter{Status: StatusDone}, 1},
		{Filter{Interaction: h.call.ID, Limit: 2}, 2}, {Filter{Before: all[1].No}, 1}, {Filter{Interaction: "other"}, 0},
	} {
		if got, err := h.List(t.Context(), test.f); err != nil || len(got) != test.want {
			t.Errorf("%+v: %d %v", test.f, len(got), err)
		}
	}
}

func TestLook(t *testing.T) {
	h := newHouse(t)
	ctx := t.Context()
	o := h.opened("", time.Hour)
	token := h.token()
	v, err := h.Look(ctx, token)
	if err != nil || v.Number != o.Number || v.Status != StatusOpen || v.Late || len(v.Told) != 0 || v.Lang != "en" {
		t.Fatalf("%+v %v", v, err)
	}
	h.takes("anna", o.Task)
	if v, _ = h.Look(ctx, token); v.Status != StatusWorking { // who has it has begun
		t.Errorf("%+v", v)
	}
	_, err = h.Change(ctx, "anna", Change{Task: o.Task, Note: "not for the customer", Told: "<script>alert(1)</script>"})
	h.must(err)
	h.place.Clock.Add(2 * time.Hour)
	if v, _ = h.Look(ctx, token); !v.Late || len(v.Told) != 1 || v.Told[0].Text != "<script>alert(1)</script>" {
		t.Errorf("%+v", v)
	}
	for _, wrong := range []string{"", "x", strings.Repeat("a", tokenLen), strings.ToUpper(token), token + "a", "../" + token} {
		if _, err := h.Look(ctx, wrong); !errors.Is(err, ErrUnusable) {
			t.Errorf("%q: %v", wrong, err)
		}
	}
	var there int64
	h.must(h.db.View(ctx, func(tx store.Tx) error {
		_, err := tx.One("SELECT count(*) FROM ticket_link WHERE hash = ?", func(r store.Row) { there = r.Int(0) }, token)
		return err
	}))
	if there != 0 {
		t.Error("the token itself is stored")
	}
	// Revoked, it is of no use.
	h.must(h.Revoke(ctx, o.Task, "boss", "it was forwarded"))
	if _, err := h.Look(ctx, token); !errors.Is(err, ErrUnusable) {
		t.Error(err)
	}
	if _, err := h.Reissue(ctx, o.link); !errors.Is(err, ErrUnusable) {
		t.Error(err)
	}
	// 90 days after it was done it shows no more.
	o = h.opened("", time.Hour)
	token = h.token()
	_, err = h.Change(ctx, "anna", Change{Task: o.Task, Status: StatusDone})
	h.must(err)
	h.place.Clock.Add(89 * 24 * time.Hour)
	if v, err := h.Look(ctx, token); err != nil || v.Status != StatusDone || v.Late {
		t.Errorf("%+v %v", v, err)
	}
	h.place.Clock.Add(25 * time.Hour)
	if _, err := h.Look(ctx, token); !errors.Is(err, ErrUnusable) {
		t.Error(err)
	}
	h.must(h.clear(ctx))
	if _, err := h.Reissue(ctx, o.link); !errors.Is(err, ErrUnusable) {
		t.Error(err)
	}
	// An erased person's opens nothing, and nobody is told what they wrote.
	o = h.opened("", time.Hour)
	token = h.token()
	h.must(h.db.Erase(ctx, h.who.Customer, "boss", "asked for"))
	if _, err := h.Look(ctx, token); !errors.Is(err, ErrUnusable) {
		t.Error(err)
	}
	if _, err := h.Reissue(ctx, o.link); !errors.Is(err, ErrUnusable) {
		t.Error(err)
	}
	if d := h.row(o.Task); !d.Erased || d.Fields != nil {
		t.Errorf("%+v", d)
	}
	for range 3 { // nor does it keep the desk from others
		h.pass(2 * time.Hour)
	}
	if _, err := h.Change(ctx, "boss", Change{Task: o.Task, Status: StatusDone}); err != nil && tandem.CodeOf(err) != tandem.CodeConflict {
		t.Error(err)
	}
	h.pass(time.Hour)
	if d := h.row(o.Task); d.Status != StatusDone {
		t.Errorf("%+v", d)
	}
}

// Each sending makes an address of its own; only the newest few are kept.
func TestAddresses(t *testing.T) {
	h := newHouse(t)
	o := h.opened("", time.Hour)
	first := h.token()
	for range maxTokens {
		_, err := h.issue(t.Context(), o)
		h.must(err)
	}
	if _, err := h.Look(t.Context(), first); !errors.Is(err, ErrUnusable) {
		t.Error(err)
	}
}
