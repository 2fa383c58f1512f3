package desk

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"tandem"
	"tandem/store/staff"
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

	// A chat, from offer to wrap-up.
	chat := h.arrive(tandem.TaskChat)
	var me struct {
		Agent   struct{ Phone bool }
		Reasons []Reason
	}
	anna.ok(200, "GET", "/api/v1/agent", nil, &me)
	if me.Agent.Phone || len(me.Reasons) != 1 {
		t.Errorf("anna is told %+v", me)
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
		t.Errorf("anna sees %+v", seen)
	}
	if r := anna.do("GET", "/api/v1/tasks/"+string(chat.ID), nil); !strings.Contains(r.body, `"account":1234567890123456789`) {
		t.Errorf("a long number is another: %s", r.body)
	}
	anna.ok(200, "POST", path(chat.ID, "accept"), fence(offer.Fence), nil)
	anna.ok(200, "POST", path(chat.ID, "accept"), fence(offer.Fence), nil) // the answer was lost
	h.customer(chat.Interaction, "hello")
	say := map[string]string{"client": "c-1", "text": "Good morning.\r\nHow can I help?"}
	var first, second struct{ Seq int }
	anna.ok(200, "POST", path(chat.ID, "messages"), say, &first)
	anna.ok(200, "POST", path(chat.ID, "messages"), say, &second)
	if first != second {
		t.Errorf("said twice: %v and %v", first, second)
	}
	var talk struct {
		Rev      int
		Messages []struct{ From, Text string }
	}
	anna.ok(200, "GET", path(chat.ID, "messages"), nil, &talk)
	if len(talk.Messages) != 2 || talk.Messages[1].Text != "Good morning.\nHow can I help?" {
		t.Errorf("the talk is %+v", talk)
	}
	anna.ok(200, "GET", path(chat.ID, fmt.Sprint("messages?since=", talk.Rev)), nil, &talk)
	if len(talk.Messages) != 0 {
		t.Errorf("after the last there is %+v", talk)
	}
	anna.ok(204, "POST", path(chat.ID, "typing"), map[string]bool{"on": true}, nil)
	if who := <-h.typed; who != "anna" {
		t.Errorf("%s types", who)
	}
	note := map[string]string{"client": "n-1", "text": "Wants a card."}
	anna.ok(204, "POST", path(chat.ID, "notes"), note, nil)
	anna.ok(204, "POST", path(chat.ID, "notes"), note, nil)
	anna.ok(200, "POST", path(chat.ID, "release"), map[string]any{"fence": offer.Fence, "outcome": "done"}, nil)
	anna.ok(200, "POST", path(chat.ID, "release"), fence(offer.Fence), nil) // the answer was lost
	anna.ok(204, "POST", path(chat.ID, "wrap"), map[string]any{"fence": offer.Fence, "disposition": "solved"}, nil)
	h.count(chat.Interaction, tandem.EventNoted, 1)
	h.count(chat.Interaction, tandem.EventTaskWrapped, 1)

	// Declined, pulled, transferred, handed back.
	second2 := h.arrive(tandem.TaskChat)
	o2 := h.offered(anna, second2.ID)
	anna.ok(204, "POST", path(second2.ID, "decline"), map[string]any{"fence": o2.Fence, "why": "declined"}, nil)
	bo.ok(204, "PUT", "/api/v1/agent/alive", nil, nil)
	bo.ok(200, "PUT", "/api/v1/agent/presence", map[string]string{"presence": "away", "reason": "lunch"}, nil)
	sue.ok(200, "PUT", "/api/v1/agents/bo/presence", map[string]string{"presence": "available"}, nil)
	h.until("bo is offered it", func() bool { return h.task(second2.ID).Agent == "bo" })
	bo.ok(200, "POST", path(second2.ID, "accept"), fence(h.task(second2.ID).Fence), nil)
	bo.ok(200, "POST", path(second2.ID, "transfer"), map[string]any{"fence": h.task(second2.ID).Fence, "queue": "loans"}, nil)
	if got := h.task(second2.ID); got.Queue != "loans" || !got.Arrived.Equal(second2.Arrived) {
		t.Errorf("transferred: %+v", got)
	}
	var a struct{ Holds []struct{ Fence uint64 } }
	bo.ok(200, "PUT", "/api/v1/agent/presence", map[string]string{"presence": "offline"}, &a)
	sue.ok(204, "POST", "/api/v1/agents/bo/wrap", fence(a.Holds[0].Fence), nil)
	sue.ok(200, "POST", path(second2.ID, "priority"), map[string]float64{"seconds": 30}, nil)
	sue.ok(200, "POST", path(second2.ID, "pull"), map[string]string{"agent": "anna"}, nil)
	anna.ok(200, "POST", path(second2.ID, "accept"), fence(h.task(second2.ID).Fence), nil)
	var d struct{ Offers []struct{ End string } }
	sue.ok(200, "GET", path(second2.ID, "decisions"), nil, &d)
	if len(d.Offers) != 3 || d.Offers[0].End != "declined" || d.Offers[2].End != "assigned" {
		t.Errorf("the offers were %+v", d)
	}
	anna.ok(200, "POST", path(second2.ID, "hand_back"), fence(h.task(second2.ID).Fence), nil)
	third := h.arrive(tandem.TaskCallback)
	sue.ok(200, "POST", path(third.ID, "queue"), map[string]string{"queue": "loans"}, nil)
	sue.ok(204, "POST", path(third.ID, "end"), map[string]string{"why": "called by mistake"}, nil)

	h.voicemail(anna, sue)
	h.order(anna, sue)

	// What supervisors see.
	for _, at := range []string{"queues", "line", "line?queue=cards&state=waiting&limit=1", "agents", "policy", "interactions", "interactions?state=closed&limit=2", "interactions/" + string(chat.Interaction), "surveys", "surveys?since=2026-11-01T00:00:00Z"} {
		sue.ok(200, "GET", "/api/v1/"+at, nil, nil)
	}
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

// order is a work order that its agent and a supervisor change.
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
		h.Errorf("the work order is %+v", got)
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

// TestWhoIsLetIn goes over every operation and everybody: what the document says of who may
// is what happens.
func TestWhoIsLetIn(t *testing.T) {
	h := newHouse(t)
	waiting := h.arrive(tandem.TaskChat)
	callers := []*client{h.stranger(), h.as("anna"), h.as("sue"), h.as("oli"), h.as("aud"), h.as("dee")}
	role := map[string]string{"anna": "agent", "sue": "supervisor", "oli": "operator", "aud": "auditor", "dee": "designer"}
	for _, s := range staff.Scopes() {
		name := ""
		if s == staff.ScopeAgent {
			name = "cleo"
		}
		callers = append(callers, h.with(name, s))
	}
	for _, o := range h.doc.ops {
		if o.id == "login" || o.id == "logout" || o.id == "socket" {
			continue
		}
		at := strings.ReplaceAll(o.path, "/tasks/{id}", "/tasks/"+string(waiting.ID))
		at = strings.ReplaceAll(strings.ReplaceAll(at, "{name}", "nobody-here"), "{id}", "00000000000000000000000000")
		for _, c := range callers {
			who := c.name
			if role[who] != "" {
				who = role[who]
			}
			var body any
			if o.method != "GET" {
				body = map[string]any{"surely": "not this"} // refused after who it is was looked at
			}
			r := c.do(o.method, at, body)
			may := false
			for _, one := range o.who {
				may = may || one == who
			}
			switch {
			case c.name == "nobody":
				if r.StatusCode != 401 || r.code() != "login" {
					t.Errorf("nobody, %s: %d %s", o.id, r.StatusCode, r.body)
				}
			case o.id == "getMe" && c.key != "": // is of logins alone
				if r.StatusCode != 401 {
					t.Errorf("%s, %s: %d %s", c.name, o.id, r.StatusCode, r.body)
				}
			case may:
				if r.StatusCode == 401 || r.StatusCode == 403 || r.StatusCode == 500 {
					t.Errorf("%s may, %s: %d %s", c.name, o.id, r.StatusCode, r.body)
				}
			case r.StatusCode != 403 || r.code() != "forbidden":
				t.Errorf("%s may not, %s: %d %s", c.name, o.id, r.StatusCode, r.body)
			}
		}
	}
	if got := h.task(waiting.ID); got.State != tandem.TaskWaiting || got.Queue != "cards" {
		t.Errorf("the task is another: %+v", got)
	}
}

// TestKeysThatDoNotOpen: forged, expired and revoked keys, and those whose agent is none any
// more, open nothing; with one, a cookie does not either.
func TestKeysThatDoNotOpen(t *testing.T) {
	h := newHouse(t)
	good := h.with("bo", staff.ScopeAgent)
	good.ok(200, "GET", "/api/v1/agent", nil, nil)
	forged := *good
	forged.key = good.key[:len(good.key)-1] + map[bool]string{true: "A", false: "B"}[good.key[len(good.key)-1] != 'A']
	old := h.with("", staff.ScopeLineRead)
	for name, header := range map[string]string{"forged": "Bearer " + forged.key, "empty": "Bearer ", "no scheme": good.key, "basic": "Basic Ym86Ym8=", "half": "Bearer " + good.key[:20],
		"long": "Bearer tk_" + strings.Repeat("a", 4000), "hostile": "Bearer tk_' OR 1=1 --"} {
		anna := h.as("anna")
		anna.refused(401, "login", "GET", "/api/v1/agent", nil, func(r *http.Request) { r.Header.Set("Authorization", header) })
		if t.Failed() {
			t.Fatal(name)
		}
	}
	anna := h.as("anna")
	anna.refused(401, "login", "GET", "/api/v1/agent", nil, func(r *http.Request) { r.Header["Authorization"] = []string{"Bearer " + good.key, "Bearer x"} })
	h.clock.Add(366 * 24 * 3600 * 1e9)
	old.refused(401, "login", "GET", "/api/v1/line", nil)
	fresh := h.with("bo", staff.ScopeAgent)
	fresh.ok(200, "GET", "/api/v1/agent", nil, nil)
	h.must(h.staff.Change(t.Context(), staff.Actor{Name: "test"}, "bo", staff.Change{Roles: []staff.Role{staff.Designer}}))
	fresh.refused(401, "login", "GET", "/api/v1/agent", nil)
	again := h.with("cleo", staff.ScopeAgent)
	keys, err := h.staff.Keys(t.Context())
	h.must(err)
	for _, k := range keys {
		if k.Agent == "cleo" {
			h.must(h.staff.RevokeKey(t.Context(), staff.Actor{Name: "test"}, k.ID))
		}
	}
	again.refused(401, "login", "GET", "/api/v1/agent", nil)
	if strings.Contains(h.log.String(), good.key[3:]) || strings.Contains(h.log.String(), forged.key[3:]) {
		t.Error("a key was logged")
	}
}

// TestFromElsewhere: what changes something must come from our own pages, with their token.
func TestFromElsewhere(t *testing.T) {
	h := newHouse(t)
	anna, key := h.as("anna"), h.with("bo", staff.ScopeAgent)
	body := map[string]string{"presence": "offline"}
	for _, op := range h.desk.operations() {
		method, at, _ := strings.Cut(op.pattern, " ")
		if method == "GET" {
			continue
		}
		at = strings.ReplaceAll(strings.ReplaceAll(at, "{id}", "00000000000000000000000000"), "{name}", "anna")
		anna.refused(403, "origin", method, at, body, func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") })
		anna.refused(403, "origin", method, at, body, func(r *http.Request) { r.Header.Del("Origin") })
		anna.refused(403, "csrf", method, at, body, func(r *http.Request) { r.Header.Del("X-CSRF-Token") })
		anna.refused(421, "host", method, at, body, func(r *http.Request) { r.Host = "evil.example" })
		key.refused(421, "host", method, at, body, func(r *http.Request) { r.Host = "evil.example" })
		key.refused(403, "origin", method, at, body, func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") })
	}
	anna.refused(415, "not_json", "PUT", "/api/v1/agent/presence", "presence=available", func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") })
	anna.refused(413, "too_large", "PUT", "/api/v1/agent/presence", `{"presence":"`+strings.Repeat("a", 70<<10)+`"}`)
	anna.refused(400, "invalid", "PUT", "/api/v1/agent/presence", `{"presence":"offline","agent":"bo"}`)
	anna.refused(400, "invalid", "PUT", "/api/v1/agent/presence", `{"presence":`)
}

// TestWhatIsNotTheirs: an agent neither sees nor touches what others have, nor what waits.
func TestWhatIsNotTheirs(t *testing.T) {
	h := newHouse(t)
	anna, bo, aud := h.as("anna"), h.as("bo"), h.as("aud")
	mine := h.arrive(tandem.TaskChat)
	of := h.served(anna, mine.ID)
	waiting := h.arrive(tandem.TaskVoicemail)
	anna.ok(200, "PUT", "/api/v1/agent/presence", map[string]string{"presence": "offline"}, nil)
	for _, id := range []tandem.TaskID{mine.ID, waiting.ID, "00000000000000000000000000", "x", "..%2f..%2fme"} {
		for _, what := range []string{"", "/messages", "/audio", "/ticket"} {
			bo.refused(404, "not_found", "GET", "/api/v1/tasks/"+string(id)+what, nil)
		}
		bo.refused(404, "not_found", "POST", path(id, "notes"), map[string]string{"client": "a", "text": "mine now"})
		bo.refused(404, "not_found", "POST", path(id, "messages"), map[string]string{"client": "a", "text": "mine now"})
		bo.refused(404, "not_found", "POST", path(id, "typing"), map[string]bool{"on": true})
		bo.refused(404, "not_found", "POST", path(id, "ticket"), map[string]string{"status": "done"})
	}
	for _, what := range []string{"accept", "decline", "release", "hand_back", "wrap"} {
		bo.refused(409, "conflict", "POST", path(mine.ID, what), fence(of.Fence))
		anna.refused(map[bool]int{true: 409, false: 409}[true], "conflict", "POST", path(mine.ID, what), fence(of.Fence+7))
	}
	bo.refused(409, "conflict", "POST", path(mine.ID, "transfer"), map[string]any{"fence": of.Fence, "queue": "loans"})
	anna.refused(422, "invalid", "POST", path(mine.ID, "transfer"), map[string]any{"fence": of.Fence, "queue": "nowhere"})
	anna.refused(422, "invalid", "POST", path(mine.ID, "transfer"), map[string]any{"fence": of.Fence, "agent": "anna"})
	anna.refused(422, "invalid", "POST", path(mine.ID, "transfer"), map[string]any{"fence": of.Fence})
	bo.refused(422, "invalid", "PUT", "/api/v1/agent/presence", map[string]string{"presence": "away", "reason": "whim"})
	bo.refused(422, "invalid", "PUT", "/api/v1/agent/presence", map[string]string{"presence": "available", "reason": "lunch"})
	bo.refused(422, "invalid", "PUT", "/api/v1/agent/presence", map[string]string{"presence": "asleep"})
	aud.refused(403, "forbidden", "GET", path(waiting.ID, "audio"), nil)
	h.count(waiting.Interaction, tandem.EventBlobOpened, 0)
	if got := h.task(mine.ID); got.Agent != "anna" || got.State != tandem.TaskAssigned {
		t.Errorf("the task is another: %+v", got)
	}
}

// TestCallsNeedAPhone: an agent who has none cannot take a call by the API.
func TestCallsNeedAPhone(t *testing.T) {
	h := newHouse(t)
	anna, bo := h.as("anna"), h.as("bo")
	for _, load := range []string{"anna", "bo"} {
		h.router.Reachable(load, tandem.LoadVoice, true)
	}
	call := h.arrive(tandem.TaskCallback)
	o := h.offered(anna, call.ID)
	anna.refused(409, "conflict", "POST", path(call.ID, "accept"), fence(o.Fence))
	anna.ok(204, "POST", path(call.ID, "decline"), fence(o.Fence), nil)
	o = h.offered(bo, call.ID)
	bo.ok(200, "POST", path(call.ID, "accept"), fence(o.Fence), nil)
	bo.refused(409, "conflict", "POST", path(call.ID, "messages"), map[string]string{"client": "a", "text": "hello"})
}

// TestHostileTexts: texts that are none are refused, and those that look like code are kept
// as they are.
func TestHostileTexts(t *testing.T) {
	h := newHouse(t)
	anna, sue := h.as("anna"), h.as("sue")
	chat := h.arrive(tandem.TaskChat)
	of := h.served(anna, chat.ID)
	for i, text := range []string{"", " \n ", "a\x00b", "a\u202eb", "a\u2066b", "\x1b[31mred", strings.Repeat("长", maxText+1), "a\ufffdb"} {
		body := map[string]string{"client": fmt.Sprint("h-", i), "text": text}
		anna.refused(422, "invalid", "POST", path(chat.ID, "messages"), body)
		anna.refused(422, "invalid", "POST", path(chat.ID, "notes"), body)
		sue.refused(422, "invalid", "POST", path(chat.ID, "end"), map[string]string{"why": text})
	}
	for _, client := range []string{"", "a b", strings.Repeat("a", 65), "ü", "../x"} {
		anna.refused(422, "invalid", "POST", path(chat.ID, "messages"), map[string]string{"client": client, "text": "hello"})
		anna.refused(422, "invalid", "POST", path(chat.ID, "notes"), map[string]string{"client": client, "text": "hello"})
	}
	for i, text := range []string{"<script>alert(1)</script>", "'; DROP TABLE task; --", "{{.Secret}}", strings.Repeat("长", maxText), "line\nline\ttab", "👩‍👩‍👧"} {
		var got struct{ Text string }
		anna.ok(200, "POST", path(chat.ID, "messages"), map[string]string{"client": fmt.Sprint("g-", i), "text": text}, &got)
		if got.Text != text {
			t.Errorf("%q became %q", text, got.Text)
		}
	}
	anna.refused(422, "invalid", "POST", path(chat.ID, "release"), map[string]any{"fence": of.Fence, "outcome": "left"})
	anna.ok(200, "POST", path(chat.ID, "release"), fence(of.Fence), nil)
	anna.refused(422, "invalid", "POST", path(chat.ID, "wrap"), map[string]any{"fence": of.Fence, "disposition": "two\nlines"})
	for _, at := range []string{"line?limit=0", "line?limit=1000", "line?after=x", "line?after=1_2_3", "interactions?since=yesterday", "interactions?customer=x", "interactions?state=odd", "interactions?before=%00", "interactions/' OR 1=1", "surveys?since=2020-01-01T00:00:00Z",
		"surveys?since=2026-11-22T00:00:00Z&until=2026-11-21T00:00:00Z"} {
		sue.refused(422, "invalid", "GET", "/api/v1/"+strings.ReplaceAll(at, " ", "%20"), nil)
	}
	if strings.Contains(h.log.String(), "script") {
		t.Error("a text was logged")
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
