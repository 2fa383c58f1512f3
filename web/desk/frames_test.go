package desk

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"tandem"
	"tandem/media/webrtc"
	"tandem/store/staff"
	"tandem/web/desk/duty"
)

// commands is a frame of each kind that asks for something, about a task that anna serves.
func commands(of tandem.Task) map[string]map[string]any {
	about := func(more ...any) map[string]any {
		f := map[string]any{"task": of.ID, "fence": of.Fence}
		for i := 0; i < len(more); i += 2 {
			f[more[i].(string)] = more[i+1]
		}
		return f
	}
	return map[string]map[string]any{
		"accept": about(), "decline": about(), "say": about("text", "hello"), "note": about("text", "hello"), "presence": {"presence": "available"}, "release": about(),
		"hand_back": about("step", "bank/menu"), "transfer": about("queue", "loans"), "wrap": about(), "ask": about("step", "bank/card"), "take_over": {"interaction": of.Interaction, "why": "a test"},
		"call": about("do", "hold"), "invite": {"invite": "i-1", "accept": true}, "place": {"to": "+44123456"}, "link": about("operation", "block"), "move": about("to", "sms"),
		"whisper": about("text", "hello"), "upgrade": about("do", "ask", "level", "video"), "check": about("do", "begin"), "invite_link": about("role", "specialist"), "join": {"token": "forged"},
	}
}

// TestEachFrameIsLookedAt goes over every command and everybody: nobody does by the socket
// what is not theirs, whatever the frame says.
func TestEachFrameIsLookedAt(t *testing.T) {
	h := newHouse(t)
	anna := h.as("anna")
	of := h.served(anna, h.arrive(tandem.TaskChat).ID)
	h.others.seated("bo", webrtc.MicOK)
	h.router.Reachable("bo", tandem.LoadVoice, true)
	everybody := map[string]*client{"another agent": h.as("bo"), "supervisor": h.as("sue"), "auditor": h.as("aud"), "key of another agent": h.with("cleo", staff.ScopeAgent), "key that reads": h.with("", staff.ScopeLineRead)}
	own := []string{"presence", "place"} // which are about nobody else
	for who, c := range everybody {
		w, _ := c.open(nil)
		for kind, f := range commands(of) {
			if slices.Contains(own, kind) && c.name != "sue" && c.name != "aud" && who != "key that reads" {
				continue
			}
			f["t"], f["id"] = kind, fmt.Sprintf("%s-%d", kind, len(who))
			want := []string{"not_found", "conflict"} // an agent learns nothing of what others have
			switch agent := who == "another agent" || who == "key of another agent"; {
			case kind == "whisper" && who == "supervisor": // theirs to do; looked at elsewhere
				continue
			case kind == "join" && (agent || who == "supervisor"):
				if want = []string{"not_found"}; who == "key of another agent" { // people alone
					want = []string{"forbidden"}
				}
			case kind == "take_over" && who == "supervisor":
				want = []string{"invalid"} // sue is no agent whom one could give a customer to
			case kind == "call" && who == "supervisor", kind == "say" && who == "supervisor":
				want = []string{"not_found"} // she is not in it
			case !agent, kind == "whisper":
				want = []string{"forbidden"}
			}
			h.clock.Add(time.Second) // so that no bound is in the way
			before := h.task(of.ID)
			_, asked := h.others.last()
			a, _ := w.ask(f)
			if a.T != "error" || !slices.Contains(want, a.Code) {
				t.Errorf("%s, %s: %s, want one of %v", who, kind, a.text, want)
			}
			now := h.task(of.ID)
			if now.State != before.State || now.Agent != before.Agent || now.Queue != before.Queue || now.Kind != before.Kind {
				t.Fatalf("%s changed the task by %s: %+v", who, kind, now)
			}
			if last, n := h.others.last(); n != asked {
				t.Errorf("%s, %s: came through: %s", who, kind, last)
			}
		}
		w.conn.CloseNow()
	}
	h.count(of.Interaction, tandem.EventNoted, 0)
	h.count(of.Interaction, tandem.EventMessage, 0)
	if h.audited("sue", "interaction.take_over") {
		t.Error("what was refused is in the audit log as done")
	}
}

// TestOwnFrames: what is theirs an agent does, each of it once though it is asked again with
// the same id.
func TestOwnFrames(t *testing.T) {
	h := newHouse(t)
	anna := h.as("anna")
	of := h.served(anna, h.arrive(tandem.TaskChat).ID)
	h.others.seated("anna", webrtc.MicOK)
	w, _ := anna.open(nil)
	for _, kind := range []string{"ask", "link", "move", "place", "hand_back"} {
		f := commands(of)[kind]
		f["t"], f["id"] = kind, "k-"+kind
		_, before := h.others.last()
		first, _ := w.ask(f)
		second, _ := w.ask(f)
		if first.T != "done" || first.text != second.text {
			t.Errorf("%s: %s, then %s", kind, first.text, second.text)
		}
		if last, n := h.others.last(); n != before+1 {
			t.Errorf("%s was done %d times: %s", kind, n-before, last)
		}
		if kind == "link" && (first.Link == nil || len(first.Task) != 0) {
			t.Errorf("a link is answered %s", first.text)
		}
	}
	if f, _ := w.ask(map[string]any{"t": "ask", "id": "late", "task": of.ID, "fence": of.Fence, "step": "bank/menu"}); f.Code != "conflict" {
		t.Errorf("of a task that is given back: %s", f.text)
	}
	if is := h.task(of.ID); is.State == tandem.TaskAssigned {
		t.Errorf("it was not given back: %+v", is)
	}
}

// TestRefusalsOfFrames: what cannot be is refused in words.
func TestRefusalsOfFrames(t *testing.T) {
	h := newHouse(t)
	anna := h.as("anna")
	of := h.served(anna, h.arrive(tandem.TaskChat).ID)
	w, _ := anna.open(nil)
	for i, test := range []struct {
		f    map[string]any
		code string
	}{
		{map[string]any{"t": "hand_back", "task": of.ID, "fence": of.Fence + 1}, "conflict"},
		{map[string]any{"t": "hand_back", "task": of.ID, "fence": of.Fence, "step": "menu"}, "invalid"},
		{map[string]any{"t": "ask", "task": of.ID, "fence": of.Fence}, "invalid"},
		{map[string]any{"t": "ask", "task": of.ID, "step": "bank/menu"}, "conflict"},
		{map[string]any{"t": "take_over", "interaction": of.Interaction}, "invalid"},
		{map[string]any{"t": "take_over", "interaction": of.Interaction, "agent": "bo", "why": "a test"}, "forbidden"},
		{map[string]any{"t": "take_over", "interaction": "x", "why": "a test"}, "not_found"},
		{map[string]any{"t": "link", "task": of.ID}, "invalid"},
		{map[string]any{"t": "link", "task": of.ID, "operation": "block", "by": "post"}, "invalid"},
		{map[string]any{"t": "move", "task": of.ID, "to": "voice"}, "invalid"},
		{map[string]any{"t": "move", "task": of.ID, "to": map[string]string{"agent": "bo"}}, "invalid"},
		{map[string]any{"t": "place"}, "invalid"},
		{map[string]any{"t": "place", "to": "+44123456"}, "conflict"}, // no microphone, no phone
		{map[string]any{"t": "place", "to": "+44123456", "interaction": of.Interaction}, "invalid"},
		{map[string]any{"t": "place", "to": "+44123456", "queue": "nowhere"}, "invalid"},
		{map[string]any{"t": "call", "task": of.ID, "do": "hold"}, "conflict"},
		{map[string]any{"t": "call", "task": of.ID, "do": "consult", "to": "bo"}, "invalid"},
		{map[string]any{"t": "call", "task": "x", "do": "hold"}, "not_found"},
		{map[string]any{"t": "invite", "invite": "x"}, "not_found"},
	} {
		test.f["id"] = fmt.Sprint("r-", i)
		if f, _ := w.ask(test.f); f.Code != test.code {
			t.Errorf("%v: %s, want %s", test.f, f.text, test.code)
		}
	}
	h.others.seated("anna", webrtc.MicOK)
	if f, _ := w.ask(map[string]any{"t": "place", "id": "far", "interaction": h.arrive(tandem.TaskTicket).Interaction}); f.Code != "not_found" {
		t.Errorf("a stranger's interaction is called: %s", f.text)
	}
}

// TestDispositions: what came of a task is one of the policy's, where that has any, and must
// be said where the queue needs it.
func TestDispositions(t *testing.T) {
	h := newHouse(t)
	h.choices, h.needing = []duty.Reason{{Name: "solved", Words: map[string]string{"en": "Solved"}}, {Name: "later", Words: map[string]string{"en": "Later"}}}, []string{"cards"}
	anna := h.as("anna")
	var me struct {
		Display      string
		Dispositions []duty.Reason
		Required     []string
	}
	anna.ok(200, "GET", "/api/v1/agent", nil, &me)
	if me.Display != "Anna" || len(me.Dispositions) != 2 || len(me.Required) != 1 {
		t.Errorf("anna is told %+v", me)
	}
	of := h.served(anna, h.arrive(tandem.TaskChat).ID)
	anna.ok(200, "POST", path(of.ID, "release"), fence(of.Fence), nil)
	anna.refused(422, "invalid", "POST", path(of.ID, "wrap"), fence(of.Fence))
	anna.refused(422, "invalid", "POST", path(of.ID, "wrap"), map[string]any{"fence": of.Fence, "disposition": "whatever"})
	anna.ok(204, "POST", path(of.ID, "wrap"), map[string]any{"fence": of.Fence, "disposition": "solved"}, nil)
}

// TestKeysAreBounded: a program that asks without end is asked to wait; nobody else is.
func TestKeysAreBounded(t *testing.T) {
	h := newHouse(t)
	key, other, anna := h.with("bo", staff.ScopeAgent), h.with("cleo", staff.ScopeAgent), h.as("anna")
	refused := 0
	for range keyBurst + 5 {
		if r := key.do("GET", "/api/v1/agent", nil); r.StatusCode == 429 {
			refused++
			if r.code() != "too_fast" || r.Header.Get("Retry-After") != "1" {
				t.Fatalf("refused with %s, %v", r.body, r.Header)
			}
		}
		anna.ok(200, "GET", "/api/v1/agent", nil, nil)
	}
	if refused != 5 {
		t.Errorf("%d were refused", refused)
	}
	other.ok(200, "GET", "/api/v1/agent", nil, nil)
	h.clock.Add(2 * keyEvery)
	key.ok(200, "GET", "/api/v1/agent", nil, nil)
}
