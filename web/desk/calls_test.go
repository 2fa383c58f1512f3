package desk

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/phone"
	"tandem/media/webrtc"
	"tandem/store/staff"
	"tandem/web/desk/view"
)

// audited reports whether the audit log has an entry of somebody's.
func (h *house) audited(who, action string) bool {
	h.Helper()
	all, err := h.staff.Entries(h.Context(), 0, 200)
	h.must(err)
	return slices.ContainsFunc(all, func(e staff.Entry) bool { return e.Actor == who && e.Action == action })
}

// talking is a call of anna's, with its talk.
func (h *house) talking(anna *client) (tandem.Task, phone.Talk) {
	h.Helper()
	h.others.seated("anna", webrtc.MicOK)
	h.router.Reachable("anna", tandem.LoadVoice, true)
	t := h.served(anna, h.arrive(tandem.TaskCallback).ID)
	talk := phone.Talk{Task: t.ID, Interaction: t.Interaction, Agent: "anna", Direct: true, Codec: "PCMU", Parties: []phone.Party{
		{Leg: tandem.NewID[tandem.LegID](h.clock.Now(), h.random), Role: tandem.RoleCustomer, Number: "+8613800138000", Device: phone.DevicePhone, State: phone.StateJoined, Since: h.clock.Now()},
		{Leg: tandem.NewID[tandem.LegID](h.clock.Now(), h.random), Role: tandem.RoleAgent, Name: "anna", Device: phone.DeviceBrowser, State: phone.StateJoined, Since: h.clock.Now()},
	}}
	h.others.says(talk)
	return t, talk
}

// with is a talk with one more party.
func with(t phone.Talk, h *house, role tandem.Role, name string) phone.Talk {
	t.Parties = append(slices.Clone(t.Parties), phone.Party{Leg: tandem.NewID[tandem.LegID](h.clock.Now(), h.random), Role: role, Name: name, Device: phone.DeviceBrowser, State: phone.StateJoined, Since: h.clock.Now()})
	return t
}

// TestCallsAreTold: who is in a call is told of it as it changes, and comes back to it; who
// listens unseen is not shown to the agent.
func TestCallsAreTold(t *testing.T) {
	h := newHouse(t)
	anna, bo, sue := h.as("anna"), h.as("bo"), h.as("sue")
	w, _ := anna.open(nil)
	of, first := h.talking(anna)
	f := w.last("talk")
	var v view.Talk
	h.must(json.Unmarshal(f.Talk, &v))
	if v.Agent != "anna" || len(v.Parties) != 2 || !v.Direct || v.Parties[0].Number == "" {
		t.Errorf("anna is told %s", f.text)
	}
	sees, _ := sue.open(nil)
	h.others.says(with(with(first, h, tandem.RoleListener, "sue"), h, tandem.RoleSpecialist, "bo"))
	if f := w.last("talk"); strings.Contains(f.text, "listener") || !strings.Contains(f.text, `"bo"`) {
		t.Errorf("anna sees %s", f.text)
	}
	if f := sees.last("talk"); !strings.Contains(f.text, "listener") {
		t.Errorf("sue sees %s", f.text)
	}
	other, all := bo.open(nil)
	if at := slices.IndexFunc(all, func(f frame) bool { return f.T == "talk" }); at < 0 || strings.Contains(all[at].text, "listener") {
		t.Errorf("bo, who was asked in, is told %s", kindsOf(all))
	}
	h.others.says(with(first, h, tandem.RoleSpecialist, "bo"))
	if f := sees.last("talk"); string(f.Talk) != "null" || f.task().ID != of.ID {
		t.Errorf("sue, who left, is told %s", f.text)
	}
	n := w.last("talk").N
	over := first
	over.Over = true
	h.others.says(over)
	for _, who := range []*wire{w, other} {
		for {
			if f := who.last("talk"); string(f.Talk) == "null" {
				break
			}
		}
	}
	back, missed := anna.open(map[string]any{"epoch": h.epoch(anna), "since": n})
	if at := slices.IndexFunc(missed, func(f frame) bool { return f.T == "talk" && string(f.Talk) == "null" }); at < 0 {
		t.Errorf("who comes back is told %s", kindsOf(missed))
	}
	h.others.rings(phone.Invite{ID: "i-1", From: "anna", To: "bo", Task: of.ID, Interaction: of.Interaction, Until: h.clock.Now().Add(time.Minute)})
	if f := other.last("invite"); !strings.Contains(f.text, `"from":"anna"`) {
		t.Errorf("bo is asked %s", f.text)
	}
	bo.ok(200, "GET", path(of.ID, "customer"), nil, nil) // who is asked sees what it is about
	bo.refused(404, "not_found", "POST", path(of.ID, "notes"), map[string]string{"client": "n", "text": "mine"})
	h.as("cleo").refused(404, "not_found", "GET", path(of.ID, "customer"), nil)
	if f, _ := back.ask(map[string]any{"t": "invite", "id": "x", "invite": "i-1", "accept": true}); f.Code != "not_found" {
		t.Errorf("anna answers for bo: %s", f.text)
	}
	other.done(map[string]any{"t": "invite", "id": "x", "invite": "i-1", "accept": true})
	if last, _ := h.others.last(); last != "bo: answer i-1 yes" {
		t.Errorf("the switchboard was told %q", last)
	}
	h.others.rings(phone.Invite{ID: "i-1", From: "anna", To: "bo", Over: "accepted"})
	bo.refused(404, "not_found", "GET", path(of.ID, "customer"), nil)
	if f := other.last("invite_over"); f.Why != "accepted" {
		t.Errorf("bo is told %s", f.text)
	}
}

// epoch is that of a client's feed.
func (h *house) epoch(c *client) string {
	h.Helper()
	_, all := c.open(nil)
	return all[0].Epoch
}

// TestCallCommands: what is asked of a call comes to the switchboard from those who are in it
// and from supervisors, with a reason and written down, from nobody else.
func TestCallCommands(t *testing.T) {
	h := newHouse(t)
	anna, bo, sue, aud := h.as("anna"), h.as("bo"), h.as("sue"), h.as("aud")
	of, first := h.talking(anna)
	chat := h.arrive(tandem.TaskChat)
	for _, test := range []struct {
		c      *client
		task   tandem.TaskID
		body   map[string]any
		status int
		says   string // to the switchboard
	}{
		{anna, of.ID, map[string]any{"do": "hold"}, 204, "anna: hold   "},
		{anna, of.ID, map[string]any{"do": "keys", "keys": "12#"}, 204, "anna: keys  12# "},
		{anna, of.ID, map[string]any{"do": "keys"}, 422, ""},
		{anna, of.ID, map[string]any{"do": "hold", "keys": "1"}, 422, ""},
		{anna, of.ID, map[string]any{"do": "keys", "keys": "1,2"}, 422, ""},
		{anna, of.ID, map[string]any{"do": "consult", "to": map[string]string{"agent": "bo"}}, 204, "anna: consult bo  "},
		{anna, of.ID, map[string]any{"do": "consult", "to": map[string]string{"number": "+441"}}, 204, "anna: consult tel:+441  "},
		{anna, of.ID, map[string]any{"do": "consult", "to": map[string]string{"number": "0900"}}, 403, ""},
		{anna, of.ID, map[string]any{"do": "consult", "to": map[string]string{"agent": "anna"}}, 422, ""},
		{anna, of.ID, map[string]any{"do": "consult", "to": map[string]string{"agent": "nobody"}}, 422, ""},
		{anna, of.ID, map[string]any{"do": "consult"}, 422, ""},
		{anna, of.ID, map[string]any{"do": "dance"}, 422, ""},
		{anna, of.ID, map[string]any{"do": "listen", "why": "curious"}, 403, ""},
		{anna, chat.ID, map[string]any{"do": "hold"}, 404, ""},
		{bo, of.ID, map[string]any{"do": "hold"}, 404, ""},
		{bo, of.ID, map[string]any{"do": "remove", "leg": first.Parties[0].Leg}, 404, ""},
		{bo, of.ID, map[string]any{"do": "leave"}, 404, ""},
		{sue, of.ID, map[string]any{"do": "hold"}, 404, ""},
		{sue, of.ID, map[string]any{"do": "listen"}, 422, ""},
		{sue, of.ID, map[string]any{"do": "listen", "why": "a new agent"}, 204, "sue: listen   a new agent"},
		{sue, of.ID, map[string]any{"do": "remove", "leg": first.Parties[0].Leg, "why": "rude"}, 204, "sue: remove   rude"},
		{sue, chat.ID, map[string]any{"do": "whisper", "why": "help"}, 422, ""},
		{sue, chat.ID, map[string]any{"do": "listen", "why": "help"}, 409, ""}, // nobody serves it
		{sue, "00000000000000000000000000", map[string]any{"do": "listen", "why": "help"}, 404, ""},
		{aud, of.ID, map[string]any{"do": "listen", "why": "curious"}, 403, ""},
	} {
		_, before := h.others.last()
		r := test.c.do("POST", path(test.task, "call"), test.body)
		last, now := h.others.last()
		if now == before {
			last = ""
		}
		if r.StatusCode != test.status || last != test.says {
			t.Errorf("%s, %v: %d %s, told %q", test.c.name, test.body, r.StatusCode, r.body, last)
		}
	}
	if !h.audited("sue", "call.listen") || !h.audited("sue", "call.remove") || h.audited("anna", "call.listen") {
		t.Error("the audit log does not have what sue did, or has what anna did not")
	}
	h.others.says(with(first, h, tandem.RoleListener, "sue"))
	sue.refused(403, "forbidden", "POST", path(of.ID, "call"), map[string]any{"do": "keys", "keys": "1"})
	sue.refused(403, "forbidden", "POST", path(of.ID, "call"), map[string]any{"do": "consult", "to": map[string]string{"agent": "bo"}})
	sue.ok(204, "POST", path(of.ID, "call"), map[string]any{"do": "leave"}, nil)
	h.others.says(with(first, h, tandem.RoleSpecialist, "bo"))
	bo.ok(204, "POST", path(of.ID, "call"), map[string]any{"do": "mute"}, nil)
	bo.ok(200, "GET", path(of.ID, "talk"), nil, nil)
	h.as("cleo").refused(404, "not_found", "GET", path(of.ID, "talk"), nil)
}

// TestSeats: signalling goes to and fro between a page and its seat, for who may speak alone,
// at a rate of its own.
func TestSeats(t *testing.T) {
	h := newHouse(t)
	w, _ := h.as("anna").open(nil)
	second, _ := h.as("anna").open(nil)
	offer := map[string]any{"t": "voice", "seat": "s1", "signal": map[string]any{"kind": "offer", "sdp": strings.Repeat("a", 60<<10)}}
	w.send(offer)
	if f := w.last("voice"); f.Seat != "s1" || !strings.Contains(f.text, "answer") {
		t.Errorf("the page is told %s", f.text)
	}
	second.done(map[string]any{"t": "presence", "id": "p", "presence": "offline"}) // the other page was told nothing of it
	second.send(map[string]any{"t": "voice", "seat": "s1", "signal": map[string]any{"kind": "mic", "mic": "ok"}})
	second.send(map[string]any{"t": "ping"})
	second.last("pong")
	h.desk.Voice("anna", "s1", webrtc.Signal{Kind: webrtc.KindRestart})
	if f := second.last("voice"); !strings.Contains(f.text, "restart") {
		t.Errorf("who spoke last of the seat is told %s", f.text)
	}
	for _, bad := range []map[string]any{{"t": "voice", "signal": map[string]any{"kind": "bye"}}, {"t": "voice", "seat": "a b", "signal": map[string]any{"kind": "bye"}}, {"t": "voice", "seat": "s2", "signal": "bye"}, {"t": "voice", "seat": "s2"}} {
		w.send(bad)
		if f := w.last("error"); f.Code != "bad" || f.ID != "" {
			t.Errorf("%v is answered %s", bad, f.text)
		}
	}
	aud, _ := h.as("aud").open(nil)
	aud.send(map[string]any{"t": "voice", "seat": "s1", "signal": map[string]any{"kind": "offer"}})
	if f := aud.last("error"); f.Code != "forbidden" || f.Seat != "s1" {
		t.Errorf("an auditor is answered %s", f.text)
	}
	prog, _ := h.with("", staff.ScopeLineRead).open(nil)
	prog.send(map[string]any{"t": "voice", "seat": "s1", "signal": map[string]any{"kind": "offer"}})
	prog.last("error")
	sue, _ := h.as("sue").open(nil)
	sue.send(map[string]any{"t": "voice", "seat": "s9", "signal": map[string]any{"kind": "offer"}})
	sue.last("voice")
	for range 60 {
		second.send(map[string]any{"t": "voice", "seat": "s1", "signal": map[string]any{"kind": "mic", "mic": "ok"}})
	}
	if f := second.last("error"); f.Code != "too_fast" {
		t.Errorf("a flood is answered %s", f.text)
	}
	second.conn.CloseNow()
	w.conn.CloseNow()
	h.until("the seats are told that anna is gone", func() bool {
		h.others.mu.Lock()
		defer h.others.mu.Unlock()
		return slices.Contains(h.others.gone, "anna")
	})
}

// TestCallsAreTakenAtTheDesk: an agent without a phone takes calls by a browser that can be
// heard.
func TestCallsAreTakenAtTheDesk(t *testing.T) {
	h := newHouse(t)
	anna := h.as("anna")
	h.router.Reachable("anna", tandem.LoadVoice, true)
	call := h.arrive(tandem.TaskCallback)
	o := h.offered(anna, call.ID)
	h.others.seated("anna", webrtc.MicMuted)
	anna.refused(409, "conflict", "POST", path(call.ID, "accept"), fence(o.Fence))
	var me struct {
		Agent struct {
			Seat bool
			Mic  string
		}
	}
	anna.ok(200, "GET", "/api/v1/agent", nil, &me)
	if me.Agent.Seat || me.Agent.Mic != "muted" {
		t.Errorf("anna is %+v", me)
	}
	anna.refused(409, "conflict", "POST", "/api/v1/calls", map[string]string{"client": "p-1", "to": "+44123456"})
	h.others.seated("anna", webrtc.MicOK)
	anna.ok(200, "POST", path(call.ID, "accept"), fence(o.Fence), nil)
}

// TestNoCallIsKeptForWhoCannotBeCalled: neither its agent nor a supervisor gives a call to
// somebody alone who has no phone and no microphone.
func TestNoCallIsKeptForWhoCannotBeCalled(t *testing.T) {
	h := newHouse(t)
	anna, sue := h.as("anna"), h.as("sue")
	call, _ := h.talking(anna)
	given := map[string]any{"fence": call.Fence, "agent": "bo"}
	taken := map[string]string{"agent": "bo", "why": "a test"}
	anna.refused(409, "conflict", "POST", path(call.ID, "transfer"), given)
	sue.refused(409, "conflict", "POST", path(call.ID, "take"), taken)
	if now := h.task(call.ID); now.State != tandem.TaskAssigned || now.Agent != "anna" {
		t.Errorf("anna has it no more: %+v", now)
	}
	h.router.Reachable("bo", tandem.LoadVoice, true)
	h.until("bo can be called", func() bool { a, _ := h.router.Agent("bo"); return a.Reachable[tandem.LoadVoice] })
	sue.ok(200, "POST", path(call.ID, "take"), taken, nil)
	if now := h.task(call.ID); now.Prefer != "bo" {
		t.Errorf("it is not kept for bo: %+v", now)
	}
}

// TestReadingAlong: a supervisor follows a chat, whispers to its agent and writes to its
// customer; all of it is written down, and ends with the agent's part.
func TestReadingAlong(t *testing.T) {
	h := newHouse(t)
	anna, sue := h.as("anna"), h.as("sue")
	chat := h.arrive(tandem.TaskChat)
	of := h.served(anna, chat.ID)
	w, _ := anna.open(nil)
	w.done(map[string]any{"t": "say", "id": "s-0", "task": chat.ID, "text": "One moment."}) // and so the page hears the talk
	s, _ := sue.open(nil)
	if f, _ := s.ask(map[string]any{"t": "say", "id": "s-1", "task": chat.ID, "text": "hello"}); f.Code != "not_found" {
		t.Errorf("a stranger to the chat writes: %s", f.text)
	}
	if f, _ := s.ask(map[string]any{"t": "call", "id": "l-0", "task": chat.ID, "do": "listen"}); f.Code != "invalid" {
		t.Errorf("without why: %s", f.text)
	}
	h.count(chat.Interaction, tandem.EventListened, 0)
	s.send(map[string]any{"t": "call", "id": "l-1", "task": chat.ID, "do": "listen", "why": "a complaint"})
	if f := s.last("listening"); !strings.Contains(f.text, `"role":"listener"`) {
		t.Errorf("sue is told %s", f.text)
	}
	h.count(chat.Interaction, tandem.EventListened, 1)
	said := ""
	h.until("sue reads along", func() bool {
		h.customer(chat.Interaction, "Are you there?")
		said = s.last("message").text
		return strings.Contains(said, "Are you there?")
	})
	if f, _ := s.ask(map[string]any{"t": "say", "id": "s-2", "task": chat.ID, "text": "hello"}); f.Code != "not_found" {
		t.Errorf("who only listens writes: %s", f.text)
	}
	s.done(map[string]any{"t": "whisper", "id": "w-1", "task": chat.ID, "text": "Offer her a new card."})
	s.done(map[string]any{"t": "whisper", "id": "w-1", "task": chat.ID, "text": "Offer her a new card."})
	if f := w.last("whisper"); !strings.Contains(f.text, `"from":"sue"`) || !strings.Contains(f.text, "a new card") {
		t.Errorf("anna is told %s", f.text)
	}
	h.count(chat.Interaction, tandem.EventNoted, 1)
	h.count(chat.Interaction, tandem.EventMessage, strings.Count(talkOf(h, chat), "\n"))
	if strings.Contains(talkOf(h, chat), "a new card") {
		t.Error("the customer reads the whisper")
	}
	s.done(map[string]any{"t": "call", "id": "b-1", "task": chat.ID, "do": "barge", "why": "she asks for me"})
	s.done(map[string]any{"t": "say", "id": "s-3", "task": chat.ID, "text": "I am Sue."})
	if !strings.Contains(talkOf(h, chat), "sue: I am Sue.") {
		t.Errorf("the talk is\n%s", talkOf(h, chat))
	}
	for _, action := range []string{"chat.listen", "chat.barge", "chat.whisper"} {
		if !h.audited("sue", action) {
			t.Errorf("the audit log has no %s", action)
		}
	}
	back, all := sue.open(nil)
	if !strings.Contains(kindsOf(all), "listening") {
		t.Errorf("who comes back is told %s", kindsOf(all))
	}
	w.done(map[string]any{"t": "release", "id": "r", "task": chat.ID, "fence": of.Fence})
	if f := back.last("listening"); !strings.Contains(f.text, `"role":""`) {
		t.Errorf("at the end sue is told %s", f.text)
	}
	if f, _ := back.ask(map[string]any{"t": "say", "id": "s-4", "task": chat.ID, "text": "still here"}); f.Code != "not_found" {
		t.Errorf("after the end sue writes: %s", f.text)
	}
}

// talkOf is what was said in a chat, a line each.
func talkOf(h *house, t tandem.Task) (all string) {
	h.Helper()
	c, err := h.book.ByInteraction(h.Context(), t.Interaction, tandem.Chat)
	h.must(err)
	entries, err := h.book.Since(h.Context(), c.ID, 0, 100)
	h.must(err)
	for _, e := range entries {
		all += fmt.Sprintf("%s: %s\n", e.Message.Name, e.Message.Text)
	}
	return all
}

// TestNoSupervisorAnyMore: who loses the role hears nothing more of what they listened to,
// and nothing that they missed of it.
func TestNoSupervisorAnyMore(t *testing.T) {
	h := newHouse(t)
	h.must(h.staff.Change(t.Context(), staff.Actor{Name: "test"}, "sue", staff.Change{Roles: []staff.Role{staff.Supervisor, staff.Auditor}}))
	anna, sue := h.as("anna"), h.as("sue")
	chat := h.arrive(tandem.TaskChat)
	h.served(anna, chat.ID)
	s, all := sue.open(nil)
	s.done(map[string]any{"t": "call", "id": "l-1", "task": chat.ID, "do": "barge", "why": "a complaint"})
	h.must(h.staff.Change(t.Context(), staff.Actor{Name: "test"}, "sue", staff.Change{Roles: []staff.Role{staff.Auditor}}))
	if code, _ := s.closed(); code != 4001 && code != 1008 {
		t.Errorf("closed with %d", code)
	}
	h.customer(chat.Interaction, "my secret")
	again := h.as("sue")
	_, all = again.open(map[string]any{"epoch": all[0].Epoch, "since": 1})
	if all[0].Resumed || strings.Contains(kindsOf(all), "message") || strings.Contains(kindsOf(all), "listening") {
		t.Errorf("an auditor is told %s", kindsOf(all))
	}
	again.refused(403, "forbidden", "POST", path(chat.ID, "messages"), map[string]string{"client": "m", "text": "hello"})
}

// calling is all that is done in calls, and beside a chat.
func (h *house) calling(anna, bo, sue *client) {
	h.Helper()
	of, first := h.talking(anna)
	anna.ok(204, "POST", path(of.ID, "call"), map[string]any{"do": "hold"}, nil)
	anna.ok(200, "GET", path(of.ID, "talk"), nil, nil)
	sue.ok(204, "POST", "/api/v1/interactions/"+string(of.Interaction)+"/call", map[string]any{"do": "listen", "why": "a test"}, nil)
	sue.ok(204, "POST", "/api/v1/interactions/"+string(of.Interaction)+"/call", map[string]any{"do": "leave"}, nil)
	sue.refused(422, "invalid", "POST", "/api/v1/interactions/"+string(of.Interaction)+"/call", map[string]any{"do": "hold"})
	h.others.rings(phone.Invite{ID: "i-7", From: "anna", To: "bo", Task: of.ID, Interaction: of.Interaction, Until: h.clock.Now().Add(time.Minute)})
	bo.refused(404, "not_found", "POST", "/api/v1/invites/i-9", map[string]bool{"accept": true})
	bo.ok(204, "POST", "/api/v1/invites/i-7", map[string]bool{"accept": false}, nil)
	anna.ok(200, "GET", "/api/v1/voice/servers", nil, nil)
	first.Over = true
	h.others.says(first)
	anna.ok(200, "POST", path(of.ID, "release"), fence(of.Fence), nil)
	anna.ok(204, "POST", path(of.ID, "wrap"), fence(of.Fence), nil)
	anna.ok(200, "POST", "/api/v1/calls", map[string]string{"client": "p-1", "to": "+44123456"}, nil)

	h.router.Reachable("anna", tandem.LoadVoice, false) // that the call placed is not offered to her
	chat := h.arrive(tandem.TaskChat)
	is := h.served(anna, chat.ID)
	for _, what := range []string{"customer", "nodes", "replies?q=he", "operations", "links", "pictures/" + string(h.picture(chat))} {
		anna.ok(200, "GET", path(chat.ID, what), nil, nil)
	}
	anna.ok(200, "GET", "/api/v1/directory", nil, nil)
	anna.ok(200, "POST", path(chat.ID, "links"), map[string]any{"client": "l-1", "operation": "block", "params": map[string]string{"card": "1234"}}, nil)
	anna.ok(200, "POST", path(chat.ID, "move"), map[string]string{"to": "sms"}, nil)
	anna.ok(204, "POST", path(chat.ID, "ask"), map[string]any{"fence": is.Fence, "step": "bank/card"}, nil)
	sue.ok(204, "POST", path(chat.ID, "whisper"), map[string]string{"client": "w-1", "text": "Well done."}, nil)
	sue.ok(200, "POST", "/api/v1/interactions/"+string(chat.Interaction)+"/take_over", map[string]string{"why": "a test", "agent": "bo"}, nil)
	anna.ok(200, "POST", path(chat.ID, "hand_back"), map[string]any{"fence": is.Fence, "step": "bank/menu"}, nil)
	anna.ok(204, "POST", path(chat.ID, "wrap"), fence(is.Fence), nil)

	taken := h.arrive(tandem.TaskChat)
	sue.refused(409, "conflict", "POST", path(taken.ID, "take"), map[string]string{"queue": "loans", "why": "a test"})
	has := h.served(anna, taken.ID)
	sue.refused(400, "invalid", "POST", path(taken.ID, "take"), map[string]string{"queue": "loans"})
	sue.refused(422, "invalid", "POST", path(taken.ID, "take"), map[string]string{"agent": "anna", "why": "a test"})
	sue.ok(200, "POST", path(taken.ID, "take"), map[string]string{"queue": "loans", "why": "a test"}, nil)
	if now := h.task(taken.ID); now.Queue != "loans" || now.State == tandem.TaskAssigned || !h.audited("sue", "task.take") {
		h.Errorf("it was not taken: %+v", now)
	}
	anna.ok(204, "POST", path(taken.ID, "wrap"), fence(has.Fence), nil)
}
