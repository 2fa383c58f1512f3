package desk

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/store/staff"
	"tandem/web/desk/duty"
)

// offered makes an agent available and waits till a task is offered to them.
func (h *house) offered(c *client, id tandem.TaskID) tandem.Task {
	h.Helper()
	c.ok(204, "PUT", "/api/v1/agent/alive", nil, nil)
	c.ok(200, "PUT", "/api/v1/agent/presence", map[string]string{"presence": "available"}, nil)
	h.until("the task is offered", func() bool { return h.task(id).State == tandem.TaskOffered })
	return h.task(id)
}

func (h *house) served(c *client, id tandem.TaskID) tandem.Task {
	h.Helper()
	t := h.offered(c, id)
	c.ok(200, "POST", path(id, "accept"), fence(t.Fence), nil)
	return h.task(id)
}

func path(id tandem.TaskID, what string) string { return "/api/v1/tasks/" + string(id) + "/" + what }

func fence(n uint64) map[string]any { return map[string]any{"fence": n} }

// TestEveryOperation drives all that the document describes, against the real line, store
// and door.
func TestEveryOperation(t *testing.T) {
	h := newHouse(t)
	anna, bo, sue, oli := h.as("anna"), h.as("bo"), h.as("sue"), h.as("oli")
	anna.ok(200, "GET", "/api/v1/me", nil, nil)

	chat := h.wholeChat(anna, sue)
	h.moves(anna, bo, sue)
	h.voicemail(anna, sue)
	h.order(anna, sue)
	h.calling(anna, bo, sue)
	h.facing(anna, bo, sue)

	// What supervisors see.
	for _, at := range []string{"queues", "line", "line?queue=cards&state=waiting&limit=1", "agents", "policy", "interactions", "interactions?state=closed&limit=2", "interactions/" + string(chat.Interaction), "surveys", "surveys?since=2026-11-01T00:00:00Z"} {
		sue.ok(200, "GET", "/api/v1/"+at, nil, nil)
	}
	h.boards(sue)
	h.machines(oli)
	anna.ok(204, "POST", "/api/v1/logout", map[string]string{}, nil)
	h.doc.mu.Lock()
	defer h.doc.mu.Unlock()
	for _, o := range h.doc.ops {
		if !h.doc.answered[o.id] && o.id != "socket" { // that one has tests of its own
			t.Errorf("%s was never answered well", o.id)
		}
	}
}

// wholeChat is a chat from offer to wrap-up.
func (h *house) wholeChat(anna, sue *client) tandem.Task {
	h.Helper()
	chat := h.arrive(tandem.TaskChat)
	var me struct {
		Agent   struct{ Phone bool }
		Reasons []duty.Reason
	}
	anna.ok(200, "GET", "/api/v1/agent", nil, &me)
	if me.Agent.Phone || len(me.Reasons) != 1 {
		h.Errorf("anna is told %+v", me)
	}
	sue.ok(200, "GET", path(chat.ID, "decisions"), nil, nil)
	offer := h.offered(anna, chat.ID)
	var seen struct {
		Task     struct{ State string }
		Decision struct{ Why tandem.Words }
		Story    struct {
			Assurance string
			Answers   map[string]any
			Events    []any
		}
	}
	anna.ok(200, "GET", "/api/v1/tasks/"+string(chat.ID), nil, &seen)
	if seen.Task.State != "offered" || seen.Decision.Why.En == "" || seen.Story.Assurance != "verified" || fmt.Sprint(seen.Story.Answers["account"]) == "" || len(seen.Story.Events) < 3 {
		h.Errorf("anna sees %+v", seen)
	}
	if r := anna.do("GET", "/api/v1/tasks/"+string(chat.ID), nil); !strings.Contains(r.body, `"account":1234567890123456789`) {
		h.Errorf("a long number is another: %s", r.body)
	}
	anna.ok(200, "POST", path(chat.ID, "accept"), fence(offer.Fence), nil)
	anna.ok(200, "POST", path(chat.ID, "accept"), fence(offer.Fence), nil) // the answer was lost
	h.customer(chat.Interaction, "hello")
	say := map[string]string{"client": "c-1", "text": "Good morning.\r\nHow can I help?"}
	var first, second struct{ Seq int }
	anna.ok(200, "POST", path(chat.ID, "messages"), say, &first)
	anna.ok(200, "POST", path(chat.ID, "messages"), say, &second)
	if first != second {
		h.Errorf("said twice: %v and %v", first, second)
	}
	var talk struct {
		Rev      int
		Messages []struct{ From, Text string }
	}
	anna.ok(200, "GET", path(chat.ID, "messages"), nil, &talk)
	if len(talk.Messages) != 2 || talk.Messages[1].Text != "Good morning.\nHow can I help?" {
		h.Errorf("the talk is %+v", talk)
	}
	anna.ok(200, "GET", path(chat.ID, fmt.Sprint("messages?since=", talk.Rev)), nil, &talk)
	if len(talk.Messages) != 0 {
		h.Errorf("after the last there is %+v", talk)
	}
	anna.ok(204, "POST", path(chat.ID, "typing"), map[string]bool{"on": true}, nil)
	if who := <-h.typed; who != "anna" {
		h.Errorf("%s types", who)
	}
	note := map[string]string{"client": "n-1", "text": "Wants a card."}
	anna.ok(204, "POST", path(chat.ID, "notes"), note, nil)
	anna.ok(204, "POST", path(chat.ID, "notes"), note, nil)
	anna.ok(200, "POST", path(chat.ID, "release"), map[string]any{"fence": offer.Fence, "outcome": "done"}, nil)
	anna.ok(200, "POST", path(chat.ID, "release"), fence(offer.Fence), nil) // the answer was lost
	anna.ok(204, "POST", path(chat.ID, "wrap"), map[string]any{"fence": offer.Fence, "disposition": "solved"}, nil)
	h.count(chat.Interaction, tandem.EventNoted, 1)
	h.count(chat.Interaction, tandem.EventTaskWrapped, 1)
	var done struct{ Task struct{ State string } }
	h.until("sue to find what is done", func() bool { return sue.do("GET", "/api/v1/tasks/"+string(chat.ID), nil).StatusCode == 200 })
	sue.ok(200, "GET", "/api/v1/tasks/"+string(chat.ID), nil, &done)
	if done.Task.State != "done" {
		h.Errorf("sue finds %+v", done)
	}
	anna.refused(404, "not_found", "GET", "/api/v1/tasks/"+string(chat.ID), nil)
	return chat
}

// moves is a chat that is declined, transferred, pulled and handed back.
func (h *house) moves(anna, bo, sue *client) {
	h.Helper()
	chat := h.arrive(tandem.TaskChat)
	of := h.offered(anna, chat.ID)
	anna.ok(204, "POST", path(chat.ID, "decline"), map[string]any{"fence": of.Fence, "why": "declined"}, nil)
	bo.ok(204, "PUT", "/api/v1/agent/alive", nil, nil)
	bo.ok(200, "PUT", "/api/v1/agent/presence", map[string]string{"presence": "away", "reason": "lunch"}, nil)
	sue.ok(200, "PUT", "/api/v1/agents/bo/presence", map[string]string{"presence": "available"}, nil)
	h.until("bo is offered it", func() bool { return h.task(chat.ID).Agent == "bo" })
	bo.ok(200, "POST", path(chat.ID, "accept"), fence(h.task(chat.ID).Fence), nil)
	bo.ok(200, "POST", path(chat.ID, "transfer"), map[string]any{"fence": h.task(chat.ID).Fence, "queue": "loans"}, nil)
	if got := h.task(chat.ID); got.Queue != "loans" || !got.Arrived.Equal(chat.Arrived) {
		h.Errorf("transferred: %+v", got)
	}
	var a struct{ Holds []struct{ Fence uint64 } }
	bo.ok(200, "PUT", "/api/v1/agent/presence", map[string]string{"presence": "offline"}, &a)
	sue.ok(204, "POST", "/api/v1/agents/bo/wrap", fence(a.Holds[0].Fence), nil)
	sue.ok(200, "POST", path(chat.ID, "priority"), map[string]float64{"seconds": 30}, nil)
	sue.ok(200, "POST", path(chat.ID, "pull"), map[string]string{"agent": "anna"}, nil)
	anna.ok(200, "POST", path(chat.ID, "accept"), fence(h.task(chat.ID).Fence), nil)
	var d struct{ Offers []struct{ End string } }
	sue.ok(200, "GET", path(chat.ID, "decisions"), nil, &d)
	if len(d.Offers) != 3 || d.Offers[0].End != "declined" || d.Offers[2].End != "assigned" {
		h.Errorf("the offers were %+v", d)
	}
	anna.ok(200, "POST", path(chat.ID, "hand_back"), fence(h.task(chat.ID).Fence), nil)
	third := h.arrive(tandem.TaskCallback)
	sue.ok(200, "POST", path(third.ID, "queue"), map[string]string{"queue": "loans"}, nil)
	sue.ok(204, "POST", path(third.ID, "end"), map[string]string{"why": "called by mistake"}, nil)
}

// voicemail is heard by who has it and by a supervisor, and each listen is written down.
func (h *house) voicemail(anna, sue *client) {
	h.Helper()
	mail := h.arrive(tandem.TaskVoicemail)
	h.served(anna, mail.ID)
	r := anna.do("GET", path(mail.ID, "audio"), nil)
	if r.StatusCode != 200 || !strings.HasPrefix(r.body, "RIFF") || r.Header.Get("Content-Type") != "audio/wav" || len(r.body) != 8000+58 {
		h.Errorf("the voicemail is %d, %d bytes, %v", r.StatusCode, len(r.body), r.Header)
	}
	part := sue.do("GET", path(mail.ID, "audio"), nil, func(r *http.Request) { r.Header.Set("Range", "bytes=4-7") })
	if part.StatusCode != 206 || part.body != r.body[4:8] {
		h.Errorf("a part is %d %q", part.StatusCode, part.body)
	}
	if r := sue.do("GET", path(mail.ID, "audio"), nil, func(r *http.Request) { r.Header.Set("Range", "bytes=90000-") }); r.StatusCode != 416 {
		h.Errorf("a part that is not there: %d", r.StatusCode)
	}
	h.count(mail.Interaction, tandem.EventBlobOpened, 3)
	entries, err := h.staff.Entries(h.Context(), 0, 100)
	h.must(err)
	listens := map[string]int{}
	for _, e := range entries {
		if e.Action == "audio.listen" {
			listens[e.Actor]++
		}
	}
	if listens["anna"] != 1 || listens["sue"] != 2 {
		h.Errorf("listens are %v", listens)
	}
}

// order is a ticket that its agent and a supervisor change.
func (h *house) order(anna, sue *client) {
	h.Helper()
	t := h.arrive(tandem.TaskTicket)
	h.served(anna, t.ID)
	anna.ok(200, "GET", path(t.ID, "ticket"), nil, nil)
	anna.ok(200, "POST", path(t.ID, "ticket"), map[string]string{"status": "working", "note": "asked the branch", "told": "We are at it."}, nil)
	var got struct {
		Status  string
		History []any
	}
	sue.ok(200, "POST", path(t.ID, "ticket"), map[string]string{"status": "done"}, &got)
	if got.Status != "done" || len(got.History) < 2 {
		h.Errorf("the ticket is %+v", got)
	}
}

func (h *house) machines(oli *client) {
	h.Helper()
	var made struct {
		Key    struct{ ID string }
		Secret string
	}
	oli.ok(201, "POST", "/api/v1/keys", map[string]any{"name": "crm", "scopes": []string{"agent", "line:read"}, "agent": "bo", "days": 30}, &made)
	if r := oli.do("GET", "/api/v1/keys", nil); strings.Contains(r.body, made.Secret) {
		h.Errorf("the secret is shown again")
	}
	oli.refused(409, "taken", "POST", "/api/v1/keys", map[string]any{"name": "crm", "scopes": []string{"line:read"}})
	oli.refused(422, "invalid", "POST", "/api/v1/keys", map[string]any{"name": "crm2", "scopes": []string{"everything"}})
	oli.refused(422, "invalid", "POST", "/api/v1/keys", map[string]any{"name": "crm2", "scopes": []string{"agent"}, "agent": "sue"})
	oli.ok(204, "DELETE", "/api/v1/keys/"+made.Key.ID, nil, nil)
	oli.refused(404, "not_found", "DELETE", "/api/v1/keys/"+made.Key.ID, nil)

	var hook struct {
		Webhook struct{ ID string }
		Secret  string
	}
	oli.ok(201, "POST", "/api/v1/webhooks", map[string]any{"url": "https://crm.example.com/hooks", "kinds": []string{"task.*"}, "note": "crm"}, &hook)
	at := "/api/v1/webhooks/" + hook.Webhook.ID
	h.arrive(tandem.TaskChat)
	oli.ok(200, "GET", "/api/v1/webhooks", nil, nil)
	oli.ok(200, "GET", at, nil, nil)
	var list struct{ Deliveries []struct{ ID string } }
	oli.ok(200, "GET", at+"/deliveries?limit=5", nil, &list)
	if len(list.Deliveries) == 0 {
		h.Fatal("nothing was to be delivered")
	}
	oli.ok(200, "PUT", at, map[string]any{"url": "https://crm.example.com/hook", "kinds": []string{"*"}}, nil)
	oli.ok(200, "POST", at+"/rotate", nil, nil)
	oli.ok(200, "POST", at+"/replay", map[string]string{"since": "2026-11-01T00:00:00Z"}, nil)
	oli.refused(422, "invalid", "POST", at+"/replay", map[string]string{})
	oli.ok(200, "PUT", at+"/active", map[string]bool{"active": false}, nil)
	oli.ok(204, "DELETE", at, nil, nil)
	oli.refused(404, "not_found", "GET", at, nil)
	oli.refused(422, "invalid", "POST", "/api/v1/webhooks", map[string]any{"url": "javascript:alert(1)", "kinds": []string{"*"}})
}

// count is how many events of a kind an interaction has.
func (h *house) count(in tandem.InteractionID, kind tandem.EventKind, want int) {
	h.Helper()
	s, err := h.db.Interaction(h.Context(), string(in))
	h.must(err)
	n := 0
	for _, e := range s.Events {
		if e.Kind == kind {
			n++
		}
	}
	if n != want {
		h.Errorf("%s is there %d times, want %d", kind, n, want)
	}
}

// TestPages: the line comes in its order, each task once, over any number of pages.
func TestPages(t *testing.T) {
	h := newHouse(t)
	sue := h.as("sue")
	var want []tandem.TaskID
	for range 7 {
		want = append(want, h.arrive(tandem.TaskChat).ID)
		h.clock.Add(1e9)
	}
	var got []tandem.TaskID
	for after := ""; ; {
		var p struct {
			Tasks []struct {
				ID    tandem.TaskID
				Place struct{ Position int }
			}
			Next  string
			Total int
		}
		h.until("the board has them all", func() bool { sue.ok(200, "GET", "/api/v1/line?limit=3&after="+after, nil, &p); return p.Total == 7 })
		for _, one := range p.Tasks {
			got = append(got, one.ID)
			if one.Place.Position != len(got) {
				t.Errorf("%s is at place %d, not %d", one.ID, one.Place.Position, len(got))
			}
		}
		if after = p.Next; after == "" {
			break
		}
		p.Next = ""
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the line is %v, not %v", got, want)
	}
}

// TestSupervisorsAreWrittenDown: what they change, and whose story they look at.
func TestSupervisorsAreWrittenDown(t *testing.T) {
	h := newHouse(t)
	sue, prog := h.as("sue"), h.with("", staff.ScopeLineWrite, staff.ScopeLineRead)
	a, b := h.arrive(tandem.TaskChat), h.arrive(tandem.TaskChat)
	sue.ok(200, "POST", path(a.ID, "priority"), map[string]float64{"seconds": 60}, nil)
	prog.ok(200, "POST", path(b.ID, "queue"), map[string]string{"queue": "loans"}, nil)
	sue.ok(200, "GET", "/api/v1/tasks/"+string(a.ID), nil, nil)
	prog.ok(200, "GET", "/api/v1/interactions/"+string(b.Interaction), nil, nil)
	sue.ok(204, "POST", path(a.ID, "end"), map[string]string{"why": "a test"}, nil)
	entries, err := h.staff.Entries(t.Context(), 0, 100)
	h.must(err)
	got := map[string]string{}
	for _, e := range entries {
		got[strings.Fields(e.Actor)[0]+" "+e.Action] = e.Object + " " + e.Detail
	}
	for what, want := range map[string]string{"sue task.priority": string(a.ID) + " 60 s", "sue task.end": string(a.ID) + " a test", "key task.queue": string(b.ID) + " to loans",
		"sue interaction.look": string(a.Interaction) + " desk", "key interaction.look": string(b.Interaction) + " desk"} {
		if got[what] != want {
			t.Errorf("%s is written as %q, want %q", what, got[what], want)
		}
	}
}

// TestLooksAreWrittenDown: whoever reads a talk of others is in the audit log, wherever in it
// they begin; and not again for each message while they follow it.
func TestLooksAreWrittenDown(t *testing.T) {
	h := newHouse(t)
	sue, prog := h.as("sue"), h.with("", staff.ScopeLineRead)
	a := h.arrive(tandem.TaskChat)
	h.customer(a.Interaction, "hello")
	looks := func() (n int) {
		entries, err := h.staff.Entries(t.Context(), 0, 100)
		h.must(err)
		for _, e := range entries {
			if e.Action == "interaction.look" && e.Object == string(a.Interaction) {
				n++
			}
		}
		return n
	}
	for range 3 {
		sue.ok(200, "GET", path(a.ID, "messages?since=1"), nil, nil)
	}
	if n := looks(); n != 1 {
		t.Errorf("%d looks are written down", n)
	}
	prog.ok(200, "GET", path(a.ID, "messages?since=1"), nil, nil)
	h.clock.Add(16 * time.Minute)
	sue.ok(200, "GET", path(a.ID, "messages?since=1"), nil, nil)
	if n := looks(); n != 3 {
		t.Errorf("%d looks are written down, of another reader and a quarter of an hour later", n)
	}
}
