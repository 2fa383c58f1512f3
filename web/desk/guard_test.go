package desk

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/store/staff"
	"tandem/web/desk/duty"
)

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
		at = strings.NewReplacer("{link}", "00000000000000000000000000", "{blob}", "00000000000000000000000000").Replace(at)
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
		at = strings.NewReplacer("{id}", "00000000000000000000000000", "{name}", "anna", "{link}", "00000000000000000000000000").Replace(at)
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

// TestRefusalsSayWhatIsWrong: who asks in a wrong way reads what to ask for.
func TestRefusalsSayWhatIsWrong(t *testing.T) {
	h := newHouse(t)
	anna, sue := h.as("anna"), h.as("sue")
	waiting := h.arrive(tandem.TaskVoicemail)
	gone := h.with("bo", staff.ScopeAgent)
	keys, err := h.staff.Keys(t.Context())
	h.must(err)
	h.must(h.staff.RevokeKey(t.Context(), staff.Actor{Name: "test"}, keys[0].ID))
	for _, test := range []struct {
		c          *client
		method, at string
		body       any
		status     int
		says       string
	}{
		{sue, "POST", path(waiting.ID, "priority"), map[string]int{"secs": 1}, 400, `There is no field "secs" here. It takes: seconds, why.`},
		{sue, "POST", path(waiting.ID, "priority"), map[string]int{}, 400, `The field "seconds" is missing.`},
		{anna, "POST", path(waiting.ID, "accept"), map[string]int{}, 400, `The field "fence" is missing.`},
		{anna, "PUT", "/api/v1/agent/presence", map[string]string{"presence": "away"}, 422, "Away needs a reason: lunch."},
		{anna, "PUT", "/api/v1/agent/presence", map[string]string{"presence": "away", "reason": "whim"}, 422, "The policy has no such reason to be away; there is lunch."},
		{sue, "GET", "/api/v1/line?state=waitin", nil, 422, "State is one of waiting, offered, assigned, wrapping."},
		{sue, "GET", "/api/v1/line?kind=phone", nil, 422, "Kind is one of call, chat, sms, callback, voicemail, ticket."},
		{gone, "GET", "/api/v1/agent", nil, 401, "This key is not taken: it is unknown, was revoked or has expired. Send Authorization: Bearer and a key that holds."},
		{h.stranger(), "GET", "/api/v1/agent", nil, 401, "Log in first."},
	} {
		r := test.c.do(test.method, test.at, test.body)
		var p struct{ Message string }
		h.must(json.Unmarshal([]byte(r.body), &p))
		if r.StatusCode != test.status || p.Message != test.says {
			t.Errorf("%s %s: %d %q, want %d %q", test.method, test.at, r.StatusCode, p.Message, test.status, test.says)
		}
	}
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
	for i, text := range []string{"", " \n ", "a\x00b", "a\u202eb", "a\u2066b", "\x1b[31mred", strings.Repeat("长", duty.MaxText+1), "a\ufffdb"} {
		body := map[string]string{"client": fmt.Sprint("h-", i), "text": text}
		anna.refused(422, "invalid", "POST", path(chat.ID, "messages"), body)
		anna.refused(422, "invalid", "POST", path(chat.ID, "notes"), body)
		sue.refused(422, "invalid", "POST", path(chat.ID, "end"), map[string]string{"why": text})
	}
	for _, client := range []string{"", "a b", strings.Repeat("a", 65), "ü", "../x"} {
		anna.refused(422, "invalid", "POST", path(chat.ID, "messages"), map[string]string{"client": client, "text": "hello"})
		anna.refused(422, "invalid", "POST", path(chat.ID, "notes"), map[string]string{"client": client, "text": "hello"})
	}
	for i, text := range []string{"<script>alert(1)</script>", "'; DROP TABLE task; --", "{{.Secret}}", strings.Repeat("长", duty.MaxText), "line\nline\ttab", "👩‍👩‍👧"} {
		var got struct{ Text string }
		anna.ok(200, "POST", path(chat.ID, "messages"), map[string]string{"client": fmt.Sprint("g-", i), "text": text}, &got)
		if got.Text != text {
			t.Errorf("%q became %q", text, got.Text)
		}
	}
	anna.refused(422, "invalid", "POST", path(chat.ID, "release"), map[string]any{"fence": of.Fence, "outcome": "left"})
	anna.ok(200, "POST", path(chat.ID, "release"), fence(of.Fence), nil)
	anna.refused(422, "invalid", "POST", path(chat.ID, "wrap"), map[string]any{"fence": of.Fence, "disposition": "two\nlines"})
	for _, at := range []string{"line?limit=0", "line?limit=1000", "line?after=x", "line?after=1_2_3", "interactions?since=yesterday", "interactions?customer=x", "interactions?state=odd", "line?state=waitin", "line?kind=phone", "interactions?before=%00", "interactions/' OR 1=1", "surveys?since=2020-01-01T00:00:00Z",
		"surveys?since=2026-11-22T00:00:00Z&until=2026-11-21T00:00:00Z"} {
		sue.refused(422, "invalid", "GET", "/api/v1/"+strings.ReplaceAll(at, " ", "%20"), nil)
	}
	if strings.Contains(h.log.String(), "script") {
		t.Error("a text was logged")
	}
}

// TestStoreFails: while nothing can be written, what must be is refused in words and not
// done; a supervisor's change that cannot be accounted for is not made.
func TestStoreFails(t *testing.T) {
	h := newHouse(t)
	anna, sue := h.as("anna"), h.as("sue")
	chat := h.arrive(tandem.TaskChat)
	of := h.offered(anna, chat.ID)
	mail := h.arrive(tandem.TaskVoicemail)
	w, _ := anna.open(nil)
	h.full.Store(true)
	for _, test := range []struct {
		c          *client
		method, at string
		body       any
	}{
		{anna, "POST", path(chat.ID, "accept"), fence(of.Fence)}, {anna, "PUT", "/api/v1/agent/presence", map[string]string{"presence": "offline"}},
		{sue, "POST", path(mail.ID, "end"), map[string]string{"why": "a test"}}, {sue, "POST", path(mail.ID, "priority"), map[string]float64{"seconds": 5}},
		{sue, "GET", path(mail.ID, "audio"), nil}, {sue, "GET", "/api/v1/tasks/" + string(mail.ID), nil},
	} {
		r := test.c.do(test.method, test.at, test.body)
		if r.StatusCode != 503 || r.code() != "unavailable" || r.Header.Get("Retry-After") == "" {
			t.Errorf("%s %s: %d %s", test.method, test.at, r.StatusCode, r.body)
		}
	}
	if f, _ := w.ask(map[string]any{"t": "accept", "id": "a", "task": chat.ID, "fence": of.Fence}); f.Code != "unavailable" {
		t.Errorf("by the socket: %s", f.text)
	}
	sue.ok(200, "GET", "/api/v1/queues", nil, nil)
	h.full.Store(false)
	h.until("the line is written again", func() bool {
		h.clock.Add(time.Second)
		anna.ok(204, "PUT", "/api/v1/agent/alive", nil, nil)
		return anna.do("POST", path(chat.ID, "accept"), fence(max(1, h.task(chat.ID).Fence))).StatusCode == 200
	})
	if got := h.task(mail.ID); got.State == tandem.TaskDone || got.Priority != 0 {
		t.Errorf("the voicemail is another: %+v", got)
	}
}
