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

// facing goes over what is done with voice, pictures and checks by HTTP.
func (h *house) facing(anna, bo, sue *client) {
	h.Helper()
	of := h.served(anna, h.arrive(tandem.TaskChat).ID)
	h.others.seated("anna", webrtc.MicOK)
	anna.ok(200, "POST", path(of.ID, "upgrade"), map[string]string{"do": "ask", "level": "video", "why": "to see your card"}, nil)
	var l view.RoleLink
	anna.ok(200, "POST", path(of.ID, "role_links"), map[string]string{"role": "specialist"}, &l)
	sue.ok(200, "POST", "/api/v1/role_links/look", map[string]string{"token": l.ID}, nil)
	bo.ok(200, "POST", "/api/v1/role_links/join", map[string]string{"token": l.ID}, nil)
	anna.ok(200, "POST", path(of.ID, "role_links"), map[string]string{"role": "listener"}, &l)
	anna.ok(204, "DELETE", path(of.ID, "role_links/"+l.ID), nil, nil)
	anna.ok(200, "GET", "/api/v1/check_policies", nil, nil)
	var k view.Check
	anna.ok(200, "POST", "/api/v1/checks", map[string]any{"do": "begin", "task": of.ID, "policy": "face"}, &k)
	anna.ok(200, "POST", "/api/v1/checks", map[string]any{"do": "done", "check": k.ID, "step": "front", "said": map[string]any{"same": "yes"}}, nil)
	anna.ok(200, "GET", "/api/v1/checks?interaction="+string(of.Interaction), nil, nil)
	anna.ok(200, "GET", "/api/v1/checks/"+string(k.ID), nil, nil)
	still := h.still(&k)
	anna.ok(200, "GET", "/api/v1/checks/"+string(k.ID)+"/evidence/"+string(still)+"?why=check", nil, nil)
	media := h.recording(of.Interaction)
	sue.ok(200, "GET", "/api/v1/interactions/"+string(of.Interaction)+"/media/"+string(media)+"?why=a+complaint", nil, nil)
	anna.ok(200, "POST", path(of.ID, "release"), fence(of.Fence), nil)
}

// recording keeps one of an interaction: two clusters that are no film.
func (h *house) recording(in tandem.InteractionID) tandem.BlobID {
	return h.object(in, "video/webm", []byte(film), func(id tandem.BlobID) tandem.Event {
		return tandem.NewEvent(in, "", h.clock.Now(), tandem.EventRecorded, "system", tandem.Recorded{Blob: id, Seconds: 2})
	})
}

var film = "\x1aE\xdf\xa3" + strings.Repeat("0123456789", 20_000)

// TestUpgradeFrames: what becomes of an upgrade is told to who has the customer, who is in the
// call and who listens, comes again to who comes back, and is taken back from who has nothing
// to do with it any more.
func TestUpgradeFrames(t *testing.T) {
	h := newHouse(t)
	anna, bo, sue := h.as("anna"), h.as("bo"), h.as("sue")
	of := h.served(anna, h.arrive(tandem.TaskChat).ID)
	w, _ := anna.open(nil)
	b, _ := bo.open(nil)
	s, _ := sue.open(nil)
	h.faces.is(upgraded(of, "agreed"))
	f := w.last("upgrade")
	var u view.Upgrade
	h.must(json.Unmarshal(f.Upgrade, &u))
	if u.State != "agreed" || f.task().ID != of.ID || f.Interaction != of.Interaction || f.N == 0 {
		t.Errorf("anna is told %s", f.text)
	}
	s.done(map[string]any{"t": "call", "id": "l", "task": of.ID, "do": "listen", "why": "a test"})
	if f := s.last("upgrade"); string(f.Upgrade) == "null" {
		t.Errorf("who listens is told %s", f.text)
	}
	talk := phone.Talk{Task: of.ID, Interaction: of.Interaction, Agent: "anna", Parties: []phone.Party{
		{Leg: "01h00000000000000000000005", Role: tandem.RoleCustomer, State: phone.StateJoined}, {Leg: "01h00000000000000000000006", Role: tandem.RoleAgent, Name: "anna", State: phone.StateJoined, Camera: true},
		{Leg: "01h00000000000000000000007", Role: tandem.RoleSpecialist, Name: "bo", State: phone.StateJoined, Guest: true}}}
	rung := talk
	rung.Parties = slices.Clone(talk.Parties)
	rung.Parties[2].State = phone.StateRinging
	h.others.says(rung)
	h.faces.is(upgraded(of, "up"))
	w.last("upgrade")
	h.others.says(talk)
	if f := b.last("upgrade"); string(f.Upgrade) == "null" || f.task().ID != of.ID || !strings.Contains(f.text, `"up"`) { // who is only rung is told nothing
		t.Errorf("who is in the call is told %s", f.text)
	}
	h.customer(of.Interaction, "can you both see it?") // a guest reads the chat
	if f := b.last("message"); !strings.Contains(string(f.Message), "both") {
		t.Errorf("a guest reads %s", f.text)
	}
	bo.ok(200, "GET", path(of.ID, "messages"), nil, nil)

	again, all := anna.open(map[string]any{"epoch": "another"}) // everything as it is
	if n := slices.IndexFunc(all, func(f frame) bool { return f.T == "upgrade" }); n < 0 || all[n].task().ID != of.ID {
		t.Errorf("who comes anew is told %s", kindsOf(all))
	}
	again.conn.CloseNow()
	w.conn.CloseNow()
	since := all[0].N
	h.faces.is(upgraded(of, "up"))
	back, all := anna.open(map[string]any{"epoch": all[0].Epoch, "since": since})
	if !all[0].Resumed || !strings.Contains(kindsOf(all), "upgrade") {
		t.Errorf("who comes back is told %s", kindsOf(all))
	}

	talk.Parties = talk.Parties[:2] // bo leaves
	h.others.says(talk)
	for f := b.last("upgrade"); string(f.Upgrade) != "null"; f = b.last("upgrade") {
	}
	bo.refused(404, "not_found", "GET", path(of.ID, "messages"), nil)
	s.done(map[string]any{"t": "call", "id": "m", "task": of.ID, "do": "leave"})
	for f := s.last("upgrade"); string(f.Upgrade) != "null"; f = s.last("upgrade") {
	}
	over := upgraded(of, "over")
	h.faces.is(over)
	f = back.last("upgrade")
	for ; !strings.Contains(f.text, `"over"`); f = back.last("upgrade") {
	}
	if _, all = anna.open(nil); strings.Contains(kindsOf(all), "upgrade") {
		t.Errorf("what is over is told anew: %s", kindsOf(all))
	}
}

// TestSupervisorsHearAndReadAnUpgradedChat: who listens to a chat that has voice beside it
// hears that and reads on, by one command, written down; they leave both by one.
func TestSupervisorsHearAndReadAnUpgradedChat(t *testing.T) {
	h := newHouse(t)
	anna, sue := h.as("anna"), h.as("sue")
	of := h.served(anna, h.arrive(tandem.TaskChat).ID)
	s, _ := sue.open(nil)
	talk := phone.Talk{Task: of.ID, Interaction: of.Interaction, Agent: "anna", Parties: []phone.Party{{Role: tandem.RoleAgent, Name: "anna", State: phone.StateJoined, Leg: "01h00000000000000000000006"}}}
	h.others.says(talk)
	if _, before := h.others.last(); true { // who has no microphone here reads along, and is told nothing else
		s.done(map[string]any{"t": "call", "id": "r", "task": of.ID, "do": "listen", "why": "a test"})
		if _, n := h.others.last(); n != before || !h.audited("sue", "chat.listen") || h.audited("sue", "call.listen") {
			t.Errorf("who reads along is in the call %d times", n-before)
		}
		s.done(map[string]any{"t": "call", "id": "rl", "task": of.ID, "do": "leave"})
	}
	h.others.seated("sue", webrtc.MicOK)
	for i, do := range []string{"listen", "barge", "whisper"} {
		_, before := h.others.last()
		s.done(map[string]any{"t": "call", "id": "d-" + do, "task": of.ID, "do": do, "why": "a test"})
		if last, n := h.others.last(); n != before+1 || last != "sue: "+do+"   a test" {
			t.Errorf("%s comes through %d times as %q", do, n-before, last)
		}
		if !h.audited("sue", "call."+do) || i < 2 && !h.audited("sue", "chat."+do) {
			t.Errorf("%s is not in the audit log", do)
		}
	}
	h.customer(of.Interaction, "do you hear me?")
	s.last("message")
	talk.Parties = append(talk.Parties, phone.Party{Role: tandem.RoleListener, Name: "sue", State: phone.StateJoined, Leg: "01h00000000000000000000007"})
	h.others.says(talk)
	left := s.done(map[string]any{"t": "call", "id": "l", "task": of.ID, "do": "leave"})
	if last, _ := h.others.last(); !strings.HasPrefix(last, "sue: leave") {
		t.Errorf("leaving comes through as %q", last)
	}
	if !slices.ContainsFunc(left, func(f frame) bool { return f.T == "listening" && strings.Contains(f.text, `"role":""`) }) {
		left = append(left, s.last("listening"))
		if !strings.Contains(left[len(left)-1].text, `"role":""`) {
			t.Errorf("she reads on: %s", kindsOf(left))
		}
	}
	talk.Over = true
	h.others.says(talk)
	if f, _ := s.ask(map[string]any{"t": "call", "id": "w", "task": of.ID, "do": "whisper", "why": "a test"}); f.Code != "invalid" {
		t.Errorf("whispering once there is no voice: %s", f.text)
	}
}

// TestScreens: pictures are signalled by who has to do with the customer, as what they are
// there, and answered to the page that asked.
func TestScreens(t *testing.T) {
	h := newHouse(t)
	anna, bo, sue, aud, key := h.as("anna"), h.as("bo"), h.as("sue"), h.as("aud"), h.with("cleo", staff.ScopeAgent)
	of := h.served(anna, h.arrive(tandem.TaskChat).ID)
	offer := func(page string) map[string]any {
		return map[string]any{"t": "screen", "interaction": of.Interaction, "page": page, "signal": map[string]string{"kind": "offer", "sdp": "v=0"}}
	}
	w, _ := anna.open(nil)
	other, _ := anna.open(nil)
	w.send(offer("s1"))
	if f := w.last("screen"); f.Page != "s1" || f.Interaction != of.Interaction {
		t.Errorf("answered %s", f.text)
	}
	if last, _ := h.others.last(); last != "anna: screen agent s1 offer" {
		t.Errorf("came through as %q", last)
	}
	other.send(map[string]any{"t": "ping"})
	if all := other.upto("pong"); strings.Contains(kindsOf(all), "screen") {
		t.Error("another page of hers was told")
	}
	for name, c := range map[string]*client{"another agent": bo, "a supervisor who does not listen": sue, "an auditor": aud, "a key": key} {
		x, _ := c.open(nil)
		_, before := h.others.last()
		x.send(offer("s1"))
		f := x.last("error")
		if want := map[bool]string{true: "forbidden", false: "not_found"}[name == "an auditor" || name == "a key"]; f.Code != want || f.Page != "s1" {
			t.Errorf("%s: %s, want %s", name, f.text, want)
		}
		if last, n := h.others.last(); n != before {
			t.Errorf("%s came through: %s", name, last)
		}
		x.conn.CloseNow()
	}
	// Who is in the call comes through as what they are in it, and not while it rings for them.
	party := func(name string, role tandem.Role, state string) phone.Talk {
		return phone.Talk{Task: of.ID, Interaction: of.Interaction, Agent: "anna", Parties: []phone.Party{{Role: tandem.RoleAgent, Name: "anna", State: phone.StateJoined, Leg: "01h00000000000000000000006"},
			{Role: role, Name: name, State: state, Leg: "01h00000000000000000000007"}}}
	}
	b, _ := bo.open(nil)
	h.others.says(party("bo", tandem.RoleSpecialist, phone.StateRinging))
	b.send(offer("s2"))
	if f := b.last("error"); f.Code != "not_found" {
		t.Errorf("while it rings: %s", f.text)
	}
	for _, role := range []tandem.Role{tandem.RoleSpecialist, tandem.RoleListener} {
		h.others.says(party("bo", role, phone.StateJoined))
		b.send(offer("s2"))
		b.last("screen")
		if last, _ := h.others.last(); last != "bo: screen "+string(role)+" s2 offer" {
			t.Errorf("came through as %q", last)
		}
	}
	s, _ := sue.open(nil)
	h.others.says(party("sue", tandem.RoleWhisperer, phone.StateJoined))
	s.send(offer("s3"))
	s.last("screen")
	b.send(offer("s2"))
	if f := b.last("error"); f.Code != "not_found" {
		t.Errorf("who has left: %s", f.text)
	}
	for _, f := range []map[string]any{{"t": "screen"}, {"t": "screen", "interaction": of.Interaction, "page": "a b", "signal": map[string]string{"kind": "offer"}},
		{"t": "screen", "interaction": "x", "page": "s1", "signal": map[string]string{"kind": "offer"}}, {"t": "screen", "interaction": of.Interaction, "page": "s1", "signal": 5},
		{"t": "screen", "interaction": of.Interaction, "page": "s1", "signal": map[string]string{}}} {
		w.send(f)
		if got := w.last("error"); got.Code != "bad" {
			t.Errorf("%v: %s", f, got.text)
		}
	}
	anna.ok(200, "POST", path(of.ID, "release"), fence(of.Fence), nil)
	h.others.says(phone.Talk{Task: of.ID, Interaction: of.Interaction, Over: true})
	w.send(offer("s1"))
	if f := w.last("error"); f.Code != "not_found" {
		t.Errorf("once she has given the customer back: %s", f.text)
	}
}

// TestScreensAreBounded: signals have a bound of their own, and pages are no more than a
// person has.
func TestScreensAreBounded(t *testing.T) {
	h := newHouse(t)
	anna := h.as("anna")
	of := h.served(anna, h.arrive(tandem.TaskChat).ID)
	w, _ := anna.open(nil)
	send := func(page string) {
		w.send(map[string]any{"t": "screen", "interaction": of.Interaction, "page": page, "signal": map[string]string{"kind": "cam"}})
	}
	for range 41 { // the clock stands still
		send("s1")
	}
	if f := w.last("error"); f.Code != "too_fast" || f.Page != "s1" {
		t.Errorf("%s", f.text)
	}
	for i := range 33 {
		h.clock.Add(time.Second)
		send(fmt.Sprint("p", i))
	}
	if f := w.last("error"); f.Code != "conflict" {
		t.Errorf("too many pages: %s", f.text)
	}
}

// TestRoleLinks: a link opens once, for people who have logged in, while it holds; what is
// forged, used, revoked or old opens nothing, in the same words; a look uses nothing up.
func TestRoleLinks(t *testing.T) {
	h := newHouse(t)
	anna, bo, sue, aud, oli, key := h.as("anna"), h.as("bo"), h.as("sue"), h.as("aud"), h.as("oli"), h.with("cleo", staff.ScopeAgent)
	of := h.served(anna, h.arrive(tandem.TaskChat).ID)
	w, _ := anna.open(nil)
	made := func(role string) view.RoleLink {
		f, _ := w.ask(map[string]any{"t": "invite_link", "id": "i-" + string(tandem.NewID[tandem.TaskID](h.clock.Now(), h.random)), "task": of.ID, "role": role})
		var l view.RoleLink
		h.must(json.Unmarshal(f.Invite, &l))
		return l
	}
	for _, role := range []string{"agent", "customer", "whisperer", "", "supervisor"} {
		if f, _ := w.ask(map[string]any{"t": "invite_link", "id": "r-" + role, "task": of.ID, "role": role}); f.Code != "invalid" {
			t.Errorf("a link as %q: %s", role, f.text)
		}
	}
	l := made("specialist")
	if !strings.HasSuffix(l.URL, l.ID) || l.State != "made" {
		t.Errorf("made %+v", l)
	}
	for range 2 { // looking uses nothing up
		bo.ok(200, "POST", "/api/v1/role_links/look", map[string]string{"token": l.ID}, nil)
	}
	for name, c := range map[string]*client{"an auditor": aud, "an operator": oli, "a key": key} {
		for _, at := range []string{"look", "join"} {
			c.refused(403, "forbidden", "POST", "/api/v1/role_links/"+at, map[string]string{"token": l.ID})
			if t.Failed() {
				t.Fatal(name)
			}
		}
	}
	h.stranger().refused(401, "login", "POST", "/api/v1/role_links/join", map[string]string{"token": l.ID})
	b, _ := bo.open(nil)
	if f, _ := b.ask(map[string]any{"t": "join", "id": "j", "token": l.ID}); f.T != "done" || !strings.Contains(string(f.Joined), `"specialist"`) {
		t.Errorf("joining: %s", f.text)
	}
	if f, _ := b.ask(map[string]any{"t": "join", "id": "j", "token": l.ID}); f.T != "done" { // its answer was lost
		t.Errorf("joining again with the same id: %s", f.text)
	}
	revoked, old := made("listener"), made("specialist")
	w.done(map[string]any{"t": "invite_link", "id": "v", "task": of.ID, "do": "revoke", "invite": revoked.ID})
	h.clock.Add(11 * time.Minute)
	if f, _ := w.ask(map[string]any{"t": "invite_link", "id": "v2", "task": of.ID, "do": "revoke", "invite": "../x"}); f.Code != "not_found" {
		t.Errorf("revoking what is none: %s", f.text)
	}
	said := map[string]bool{}
	s, _ := sue.open(nil)
	for i, token := range []string{l.ID, revoked.ID, old.ID, "forged", "01h00000000000000000000001", strings.Repeat("A", 22), strings.Repeat("A", 101), ""} {
		f, _ := s.ask(map[string]any{"t": "join", "id": fmt.Sprint("f-", i), "token": token})
		if f.Code != "not_found" {
			t.Errorf("%q: %s", token, f.text)
		}
		var p struct{ Message string }
		h.must(json.Unmarshal([]byte(f.text), &p))
		said[p.Message] = true
		for _, at := range []string{"look", "join"} {
			sue.refused(404, "not_found", "POST", "/api/v1/role_links/"+at, map[string]string{"token": token})
		}
	}
	if len(said) != 1 {
		t.Errorf("what opens nothing is told apart: %v", said)
	}
	if log := h.log.String(); strings.Contains(log, l.ID) {
		t.Error("a token was logged")
	}
	joined := 0
	h.others.mu.Lock()
	for _, a := range h.others.asked {
		if strings.Contains(a, " join ") {
			joined++
		}
	}
	h.others.mu.Unlock()
	if joined != 1 {
		t.Errorf("%d joined by one link", joined)
	}
}

// TestGuestsMayLittle: who joined by a link signals, speaks, reads and leaves; every other
// command about the task is refused, and comes through to nobody.
func TestGuestsMayLittle(t *testing.T) {
	h := newHouse(t)
	anna, bo := h.as("anna"), h.as("bo")
	of := h.served(anna, h.arrive(tandem.TaskChat).ID)
	h.others.seated("bo", webrtc.MicOK)
	var k view.Check
	h.others.seated("anna", webrtc.MicOK)
	anna.ok(200, "POST", "/api/v1/checks", map[string]any{"do": "begin", "task": of.ID}, &k)
	for _, role := range []tandem.Role{tandem.RoleSpecialist, tandem.RoleListener} {
		h.others.says(phone.Talk{Task: of.ID, Interaction: of.Interaction, Agent: "anna", Parties: []phone.Party{{Role: tandem.RoleAgent, Name: "anna", State: phone.StateJoined, Leg: "01h00000000000000000000006"},
			{Role: role, Name: "bo", State: phone.StateJoined, Guest: true, Leg: "01h00000000000000000000007"}}})
		w, _ := bo.open(nil)
		all := commands(of)
		for _, do := range []string{"capture", "done", "decide", "abort", "second", "restart"} {
			all["check "+do] = map[string]any{"check": k.ID, "do": do, "outcome": map[bool]string{true: "passed"}[do == "decide"], "why": "a test", "agree": true}
			if do == "decide" {
				all["check "+do]["reasons"] = []string{"same_person"}
			}
		}
		for _, do := range []string{"hold", "resume", "keys", "consult", "swap", "merge", "complete", "drop", "remove"} {
			all["call "+do] = map[string]any{"task": of.ID, "do": do, "to": map[string]string{"number": map[bool]string{true: "+4412345"}[do == "consult"]}, "keys": map[bool]string{true: "1"}[do == "keys"], "leg": "01h00000000000000000000006"}
		}
		for kind, f := range all {
			if kind == "presence" || kind == "place" { // which are about nobody else
				continue
			}
			f["t"], _, _ = strings.Cut(kind, " ")
			f["id"] = strings.ReplaceAll(kind, " ", "-") + "-" + string(role)
			h.clock.Add(time.Second) // so that no bound is in the way
			_, before := h.others.last()
			a, _ := w.ask(f)
			if a.T != "error" || !slices.Contains([]string{"not_found", "conflict", "forbidden"}, a.Code) {
				t.Errorf("a guest as %s, %s: %s", role, kind, a.text)
			}
			if last, n := h.others.last(); n != before {
				t.Errorf("a guest as %s, %s: came through: %s", role, kind, last)
			}
		}
		for _, do := range []string{"mute", "unmute", "leave"} {
			w.done(map[string]any{"t": "call", "id": do + "-" + string(role), "task": of.ID, "do": do})
		}
		for _, at := range []string{"", "/customer", "/ticket", "/links", "/operations", "/nodes"} {
			bo.refused(404, "not_found", "GET", "/api/v1/tasks/"+string(of.ID)+at, nil)
		}
		if r := bo.do("GET", path(of.ID, "messages"), nil); (r.StatusCode == 200) != (role == tandem.RoleSpecialist) {
			t.Errorf("messages to a guest as %s: %d", role, r.StatusCode)
		}
		w.conn.CloseNow()
	}
	if is := h.task(of.ID); is.Agent != "anna" || is.State != tandem.TaskAssigned {
		t.Errorf("the task is another: %+v", is)
	}
}

// TestUpgradesAreAskedForWell: what an agent asks for comes through once, and what cannot be
// is refused in words.
func TestUpgradesAreAskedForWell(t *testing.T) {
	h := newHouse(t)
	anna := h.as("anna")
	of := h.served(anna, h.arrive(tandem.TaskChat).ID)
	w, _ := anna.open(nil)
	ask := map[string]any{"t": "upgrade", "id": "a", "task": of.ID, "do": "ask", "level": "video", "why": "to see your card"}
	if f, _ := w.ask(ask); f.Code != "conflict" {
		t.Errorf("without a microphone: %s", f.text)
	}
	h.others.seated("anna", webrtc.MicOK)
	_, before := h.others.last()
	for range 2 {
		if f, _ := w.ask(ask); f.T != "done" || !strings.Contains(string(f.Upgrade), `"asked"`) {
			t.Errorf("%s", f.text)
		}
	}
	if last, n := h.others.last(); n != before+1 || last != "anna: upgrade ask video to see your card" {
		t.Errorf("came through %d times as %q", n-before, last)
	}
	for i, f := range []map[string]any{{"do": "ask"}, {"do": "ask", "level": "hologram"}, {"do": "approve", "level": "video"}, {"do": "accept"}, {"do": ""}, {"do": "change", "level": "x"},
		{"do": "ask", "level": "voice", "why": strings.Repeat("长", 201)}, {"do": "ask", "level": "voice", "why": "a\u202eb"}} {
		f["t"], f["id"], f["task"] = "upgrade", fmt.Sprint("b-", i), of.ID
		if got, _ := w.ask(f); got.Code != "invalid" {
			t.Errorf("%v: %s", f, got.text)
		}
	}
	for i, f := range []map[string]any{{"do": "change", "level": ""}, {"do": "change", "level": "voice"}, {"do": "approve"}, {"do": "deny"}, {"do": "end", "why": "done"}} {
		f["t"], f["id"], f["task"] = "upgrade", fmt.Sprint("c-", i), of.ID
		w.done(f)
	}
	if f, _ := w.ask(map[string]any{"t": "upgrade", "id": "d", "task": "01h00000000000000000000009", "do": "ask", "level": "video"}); f.Code != "not_found" {
		t.Errorf("of a task that is not hers: %s", f.text)
	}
	without := newHouse(t, func(o *Options) { o.Faces, o.Checks = nil, nil })
	anna = without.as("anna")
	of = without.served(anna, without.arrive(tandem.TaskChat).ID)
	w, _ = anna.open(nil)
	for kind, f := range map[string]map[string]any{"upgrade": {"task": of.ID, "do": "end"}, "check": {"do": "begin", "task": of.ID}, "join": {"token": "x"}, "invite_link": {"task": of.ID, "role": "listener"}} {
		f["t"], f["id"] = kind, "w-"+kind
		if got, _ := w.ask(f); got.Code != "unavailable" {
			t.Errorf("%s where there is none: %s", kind, got.text)
		}
	}
	anna.refused(503, "unavailable", "GET", "/api/v1/check_policies", nil)
}

// TestWhoChecks: a check is carried out by the agent who has the customer, decided with
// reasons, and seconded by another whom the policy allows.
func TestWhoChecks(t *testing.T) {
	h := newHouse(t)
	anna, bo, sue := h.as("anna"), h.as("bo"), h.as("sue")
	of := h.served(anna, h.arrive(tandem.TaskChat).ID)
	w, _ := anna.open(nil)
	b, _ := bo.open(nil)
	f, _ := w.ask(map[string]any{"t": "check", "id": "a", "task": of.ID, "do": "begin", "policy": "face"})
	var k view.Check
	h.must(json.Unmarshal(f.Check, &k))
	if f.T != "done" || k.State != "running" {
		t.Fatalf("%s", f.text)
	}
	for i, f := range []map[string]any{{"do": "decide"}, {"do": "decide", "outcome": "failed"}, {"do": "decide", "outcome": "declined"}, {"do": "decide", "outcome": "stopped", "reasons": []string{"x"}}, {"do": "decide", "outcome": "passed", "reasons": []string{""}},
		{"do": "abort"}, {"do": "restart"}, {"do": "done", "outcome": "passed"}, {"do": "pass"}, {"do": ""}, {"do": "second"}, {"do": "capture", "step": strings.Repeat("s", 65)}, {"do": "capture", "why": strings.Repeat("s", 501)}} {
		f["t"], f["id"], f["check"] = "check", fmt.Sprint("b-", i), k.ID
		if got, _ := w.ask(f); got.Code != "invalid" {
			t.Errorf("%v: %s", f, got.text)
		}
	}
	for i, f := range []map[string]any{{"do": "capture", "step": "front"}, {"do": "done", "step": "front", "said": map[string]any{"same": "yes"}}, {"do": "fail", "step": "front"}, {"do": "skip"}, {"do": "second_face"}, {"do": "resend_code"},
		{"do": "restart", "why": "blurred"}, {"do": "decide", "outcome": "declined", "reasons": []string{"picture_bad"}}, {"do": "decide", "outcome": "passed"},
		{"do": "decide", "outcome": "passed", "reasons": []string{"same_person"}}} {
		f["t"], f["id"], f["check"] = "check", fmt.Sprint("c-", i), k.ID
		h.clock.Add(time.Second)
		_, before := h.others.last()
		w.done(f)
		w.done(f) // its answer was lost
		if last, n := h.others.last(); n != before+1 {
			t.Errorf("%v came through %d times: %s", f, n-before, last)
		}
	}
	if f, _ := w.ask(map[string]any{"t": "check", "id": "d", "check": k.ID, "do": "second", "agree": true}); f.Code != "conflict" {
		t.Errorf("before a second is due: %s", f.text)
	}
	k.State, k.Seconds = "second", []string{"bo", "anna"}
	h.faces.stands(k)
	if f := b.last("check"); f.task().ID != "" || f.Interaction != of.Interaction || string(f.Check) == "null" {
		t.Errorf("the second is told %s", f.text)
	}
	still := h.still(&k)
	bo.ok(200, "GET", "/api/v1/checks/"+string(k.ID)+"/evidence/"+string(still)+"?why=second", nil, nil)
	var list struct{ Checks []view.Check }
	bo.ok(200, "GET", "/api/v1/checks?state=second", nil, &list)
	if len(list.Checks) != 1 {
		t.Errorf("bo has %d to second", len(list.Checks))
	}
	if f, _ := w.ask(map[string]any{"t": "check", "id": "e", "check": k.ID, "do": "second", "agree": true}); f.Code != "forbidden" {
		t.Errorf("the officer seconds themselves: %s", f.text)
	}
	if f, _ := b.ask(map[string]any{"t": "check", "id": "f", "check": k.ID, "do": "decide", "outcome": "passed", "reasons": []string{"x"}}); f.Code != "not_found" {
		t.Errorf("the second decides: %s", f.text)
	}
	s, _ := sue.open(nil)
	if f, _ := s.ask(map[string]any{"t": "check", "id": "g", "check": k.ID, "do": "second", "agree": true}); f.Code != "forbidden" {
		t.Errorf("a supervisor seconds: %s", f.text)
	}
	b.done(map[string]any{"t": "check", "id": "h", "check": k.ID, "do": "second", "agree": false, "why": "another person"})
	if last, _ := h.others.last(); last != "bo: second no" {
		t.Errorf("came through as %q", last)
	}
	k.State = "failed"
	h.faces.stands(k)
	for f := b.last("check"); string(f.Check) != "null"; f = b.last("check") { // it is none of theirs any more
	}
	bo.refused(404, "not_found", "GET", "/api/v1/checks/"+string(k.ID), nil)
	bo.ok(200, "GET", "/api/v1/checks?state=failed", nil, &list)
	if len(list.Checks) != 0 {
		t.Errorf("bo is shown %d checks of others", len(list.Checks))
	}
	// Another agent has the customer now: the check is theirs to go on with.
	anna.ok(200, "POST", path(of.ID, "release"), fence(of.Fence), nil)
	if f, _ := w.ask(map[string]any{"t": "check", "id": "i", "check": k.ID, "do": "abort", "why": "a test"}); f.Code != "not_found" {
		t.Errorf("once she has given the customer back: %s", f.text)
	}
}

// TestEvidenceIsLookedAtWithAReason: a still is shown to who may, with a reason that is in
// the audit log and in the journal before the first byte; without either it is not shown.
func TestEvidenceIsLookedAtWithAReason(t *testing.T) {
	h := newHouse(t)
	anna, bo, sue, aud := h.as("anna"), h.as("bo"), h.as("sue"), h.as("aud")
	of := h.served(anna, h.arrive(tandem.TaskChat).ID)
	k := checking(h, of)
	still := h.still(&k)
	foreign := h.arrive(tandem.TaskVoicemail)
	at := func(blob tandem.BlobID, why string) string {
		return "/api/v1/checks/" + string(k.ID) + "/evidence/" + string(blob) + "?why=" + why
	}
	h.count(of.Interaction, tandem.EventBlobOpened, 0)
	for _, test := range []struct {
		c      *client
		path   string
		status int
		code   string
	}{
		{anna, at(still, ""), 422, "invalid"}, {anna, at(still, "%20"), 422, "invalid"}, {anna, at(still, strings.Repeat("a", 201)), 422, "invalid"},
		{bo, at(still, "curious"), 404, "not_found"}, {aud, at(still, "audit"), 403, "forbidden"},
		{sue, at(foreign.Blob, "complaint"), 404, "not_found"}, {sue, at("x", "complaint"), 404, "not_found"}, {anna, at(foreign.Blob, "check"), 404, "not_found"},
		{sue, strings.Replace(at(still, "complaint"), string(k.ID), "01h00000000000000000000009", 1), 404, "not_found"},
	} {
		test.c.refused(test.status, test.code, "GET", test.path, nil)
	}
	h.count(of.Interaction, tandem.EventBlobOpened, 0)
	h.count(foreign.Interaction, tandem.EventBlobOpened, 0)
	if h.audited("anna", "evidence.look") || h.audited("sue", "evidence.look") {
		t.Error("what was refused is in the audit log")
	}
	r := anna.do("GET", at(still, "check"), nil)
	if r.StatusCode != 200 || !strings.HasPrefix(r.body, "\x89PNG") || !strings.Contains(r.Header.Get("Content-Security-Policy"), "sandbox") || r.Header.Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%d %v", r.StatusCode, r.Header)
	}
	h.count(of.Interaction, tandem.EventBlobOpened, 1)
	sue.ok(200, "GET", at(still, "complaint"), nil, nil)
	h.count(of.Interaction, tandem.EventBlobOpened, 2)
	if !h.audited("anna", "evidence.look") || !h.audited("sue", "evidence.look") {
		t.Error("a look is not in the audit log")
	}
	h.full.Store(true) // what cannot be written down is not shown
	if r := sue.do("GET", at(still, "complaint"), nil); r.StatusCode != 503 || strings.Contains(r.body, "PNG") {
		t.Errorf("while nothing is written: %d", r.StatusCode)
	}
	h.full.Store(false)
}

// TestTheChatBesideACall: who has a call reads and writes the chat that stands beside it.
func TestTheChatBesideACall(t *testing.T) {
	h := newHouse(t)
	bo := h.as("bo")
	h.router.Reachable("bo", tandem.LoadVoice, true)
	w, _ := bo.open(nil)
	call := h.arrive(tandem.TaskCallback)
	o := h.offered(bo, call.ID)
	bo.ok(200, "POST", path(call.ID, "accept"), fence(o.Fence), nil)
	bo.refused(409, "conflict", "POST", path(call.ID, "messages"), map[string]string{"client": "a", "text": "hello"})
	h.beside(call.Interaction)
	h.desk.Beside(call.Interaction)
	h.until("the chat is heard", func() bool {
		h.customer(call.Interaction, "I see you")
		w.send(map[string]any{"t": "ping"})
		return strings.Contains(kindsOf(w.upto("pong")), "message")
	})
	f, before := w.ask(map[string]any{"t": "say", "id": "s", "task": call.ID, "text": "and I you"})
	if f.T != "done" {
		t.Errorf("writing beside a call: %s", f.text)
	}
	if !strings.Contains(kindsOf(before), "message") {
		before = append(before, w.last("message"))
	}
	if at := slices.IndexFunc(before, func(f frame) bool { return f.T == "message" && f.task().ID == call.ID }); at < 0 {
		t.Errorf("told %s", kindsOf(before))
	}
}
