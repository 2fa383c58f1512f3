package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
	"tandem/store/staff"
	"tandem/web/desk/view"
)

// An agent sends a customer who texts the link of an operation, and follows what becomes of
// it; asked twice it is sent once. What the page does not have is refused, and nobody else
// sends anything.
func TestAnAgentSendsALink(t *testing.T) {
	t.Parallel()
	s := newCounter(t)
	phone := s.texts.Inbox(customer)
	phone.Says("hello")
	phone.Gets("You are number 1 in line.")
	id := s.latest(t, "sms:"+ourNumber).Interaction.ID
	task := s.serves(t, id, tandem.TaskText)
	wang := s.program(t, "wang", staff.ScopeAgent)
	at := "/tasks/" + string(task.ID) + "/"
	var can struct {
		Operations []view.Operation
		By         []string
	}
	wang.asks(t, 200, "GET", at+"operations", nil, &can)
	if len(can.By) == 0 || can.By[0] != "sms" || len(can.Operations) == 0 || can.Operations[0].Name != "online_banking" || len(can.Operations[0].Params) == 0 {
		t.Fatalf("wang can send %+v", can)
	}
	field := can.Operations[0].Params[0].Name
	wang.asks(t, 422, "POST", at+"links", map[string]any{"client": "l-0", "operation": "nothing"}, nil)
	wang.asks(t, 422, "POST", at+"links", map[string]any{"client": "l-0", "operation": "online_banking", "params": map[string]any{"nothing": "1"}}, nil)
	wang.asks(t, 422, "POST", at+"links", map[string]any{"client": "l-0", "operation": "online_banking", "params": map[string]any{field: map[string]any{"a": 1}}}, nil)
	wang.asks(t, 409, "POST", at+"links", map[string]any{"client": "l-0", "operation": "online_banking", "by": "chat"}, nil)
	order := map[string]any{"client": "l-1", "operation": "online_banking"}
	var first, second view.Offered
	wang.asks(t, 200, "POST", at+"links", order, &first)
	wang.asks(t, 200, "POST", at+"links", order, &second)
	if first.ID == "" || first.ID != second.ID || first.State != tandem.LinkMade || first.By != "sms" {
		t.Errorf("sent %+v, then %+v", first, second)
	}
	text := phone.Gets("/l/").Text
	page := testkit.NewBrowser(t).Get(address(t, text)).Send("", nil)
	if page.Status != 200 {
		t.Errorf("the page answers %d: %s", page.Status, page.Words())
	}
	var links struct{ Links []view.Offered }
	until(t, "wang to see that it is open", func() bool {
		wang.try("GET", at+"links", nil, &links)
		return len(links.Links) == 1 && links.Links[0].State == tandem.LinkOpened
	})
	story := s.read(t, id)
	for _, e := range story.Events {
		if e.Kind == tandem.EventLinkMade && e.Actor != "wang" {
			t.Errorf("the journal says that %s made it", e.Actor)
		}
		if strings.Contains(string(e.Data), text[strings.Index(text, "/l/"):]) {
			t.Error("the journal has the link's token")
		}
	}
	if w, err := s.waitOf(t.Context(), id); err != nil || !w.Served {
		t.Errorf("the session is in %+v, %v", w, err)
	}
	s.program(t, "other", staff.ScopeAgent).asks(t, 404, "POST", at+"links", order, nil)
	s.releases(t, task)
	phone.Gets("Cards or loans?")
	s.sound(t)
}

// newMoved is a counter whose agent has a telephone.
func newMoved(t *testing.T) (*textServer, *testkit.Callee) {
	t.Helper()
	callee := testkit.NewCallee(t)
	s := newTextServer(t, textSetup{
		flows: map[string]string{"lined.flow.yaml": queueFlow, "counter.queues.yaml": counterPolicy},
		wavs:  map[string]time.Duration{"blip.wav": 100 * time.Millisecond},
		base:  "\n  \"3\": lined\n  \"chat:demo\": lined\n  \"sms:+861055550100\": lined\n",
		texts: `{ allow: [ "+86138" ], per_number_per_hour: 100, per_number_per_day: 100 }`,
		more:  fmt.Sprintf("line: { verify: true }\nagents: { wang: { phone: %q } }\n", callee.URI("wang")),
	})
	return s, callee
}

// A caller whom an agent speaks with goes on with them in the chat, by a link that is texted,
// and from there by text: one interaction, one task, always that agent's.
func TestAnAgentMovesACaller(t *testing.T) {
	t.Parallel()
	s, wang := newMoved(t)
	phone := s.texts.Inbox(customer)
	until(t, "wang to be reached", func() bool { a, _ := s.line.Agent("wang"); return a.Reachable[tandem.LoadVoice] })
	for _, l := range []tandem.Load{tandem.LoadChat, tandem.LoadSMS} {
		s.line.Reachable("wang", l, true)
	}
	if _, err := s.line.Present(t.Context(), "wang", tandem.PresenceAvailable, ""); err != nil {
		t.Fatal(err)
	}
	call := s.dials(t, "3", customer)
	ring := wang.Rung(patience)
	ring.RTP.Talk(testkit.Tone(700, time.Second))
	ring.Picks()
	task := s.place(t, call.id, tandem.TaskCall)
	until(t, "wang to have the caller", func() bool { w, err := s.waitOf(t.Context(), call.id); return err == nil && w.Served })
	program := s.program(t, "wang", staff.ScopeAgent)
	at := "/tasks/" + string(task.ID) + "/"
	program.asks(t, 422, "POST", at+"move", map[string]string{"to": "voice"}, nil)
	program.asks(t, 200, "POST", at+"move", map[string]string{"to": "chat"}, nil)
	program.asks(t, 200, "POST", at+"move", map[string]string{"to": "chat"}, nil) // asked twice it is sent once
	link := address(t, phone.Gets("Go on with our colleague in the chat").Text)
	if is, _ := s.line.Task(task.ID); is.Kind != tandem.TaskCall || is.State != tandem.TaskAssigned {
		t.Errorf("before they come the task is %+v", is)
	}
	c := s.goesOnInChat(t, link)
	call.WaitBye(patience)
	s.stays(t, task, tandem.TaskChat)
	until(t, "wang to write", func() bool {
		status, _ := program.try("POST", at+"messages", map[string]string{"client": "m-1", "text": "Here I am again."}, nil)
		return status == 200
	})
	c.Reads("Here I am again.")
	program.asks(t, 200, "POST", at+"move", map[string]string{"to": "sms"}, nil)
	phone.Gets("go on with our colleague by text")
	phone.Says("Here?")
	s.stays(t, task, tandem.TaskText)
	until(t, "wang to text", func() bool {
		status, _ := program.try("POST", at+"messages", map[string]string{"client": "m-2", "text": "Yes, here."}, nil)
		return status == 200
	})
	phone.Gets("Yes, here.")
	ring.WaitBye(patience)
	now, _ := s.line.Task(task.ID)
	s.releases(t, now)
	phone.Gets("Cards or loans?")
	s.sound(t)
}

// stays waits until a task is of another kind, and holds that it was never anybody else's.
func (s *textServer) stays(t *testing.T, was tandem.Task, kind tandem.TaskKind) {
	t.Helper()
	until(t, "the task to be a "+string(kind), func() bool { now, _ := s.line.Task(was.ID); return now.Kind == kind })
	now, _ := s.line.Task(was.ID)
	if now.State != tandem.TaskAssigned || now.Agent != "wang" {
		t.Errorf("the task is %+v", now)
	}
	released := 0
	for _, e := range s.read(t, was.Interaction).Events {
		if e.Kind == tandem.EventTaskReleased {
			released++
		}
	}
	if released > 0 {
		t.Errorf("the task was released %d times on the way", released)
	}
}

// An agent calls a number, and later the customer of an interaction that they have: their
// phone rings, then the customer's; what may not be called is not, and nothing is left in
// line of it.
func TestAnAgentPlacesACall(t *testing.T) {
	t.Parallel()
	h := newHotline(t, nil, "anna")
	anna := h.program(t, "anna", staff.ScopeAgent)
	for number, want := range map[string]int{"+447700900123": http.StatusForbidden, "nobody": http.StatusUnprocessableEntity, "sip:me@evil.example": http.StatusUnprocessableEntity, "": http.StatusUnprocessableEntity} {
		anna.asks(t, want, "POST", "/calls", map[string]string{"client": "p-0", "to": number}, nil)
	}
	if n := len(h.line.Tasks("", 0)); n != 0 {
		t.Fatalf("%d tasks are in line of what was refused", n)
	}
	var placed struct {
		ID          tandem.TaskID
		Interaction tandem.InteractionID
		Kind        tandem.TaskKind
	}
	anna.asks(t, 200, "POST", "/calls", map[string]string{"client": "p-1", "to": "+86 139 0000 0077"}, &placed)
	phone := h.anna.Rung(patience)
	phone.RTP.Talk(testkit.Tone(agentHz, time.Second))
	phone.Picks()
	customer := h.carrier.Rung(patience)
	customer.RTP.Talk(testkit.Tone(callerHz, time.Second))
	customer.Picks()
	customer.RTP.Hear(patience, time.Time{}, agentHz, 300*time.Millisecond)
	phone.RTP.Hear(patience, time.Time{}, callerHz, 300*time.Millisecond)
	customer.Bye()
	phone.WaitBye(patience)
	h.idle(t)
	h.notReached(t, anna)
	anna.asks(t, 404, "POST", "/calls", map[string]any{"client": "p-2", "interaction": placed.Interaction}, nil) // it is none of hers any more
	story, err := h.store.Interaction(t.Context(), string(placed.Interaction))
	if err != nil || story.Interaction.Entry != deskEntry || story.Interaction.State != tandem.Closed {
		t.Errorf("the interaction is %+v, %v", story.Interaction, err)
	}
	if bound, err := h.store.Identities(t.Context(), story.Interaction.Customer); err != nil || len(bound) != 1 || bound[0].Identity.Value != "+8613900000077" {
		t.Errorf("it is with %+v, %v", bound, err)
	}
	h.sound(t)
}

// notReached holds that a call which an agent places is tried once and nobody else's: whether
// they let it pass, or the customer does not answer.
func (h *hotline) notReached(t *testing.T, anna *clerk) {
	t.Helper()
	h.presents(t, "ben", tandem.PresenceAvailable)
	for _, how := range []string{"lets it pass", "reaches nobody"} {
		var placed struct{ ID tandem.TaskID }
		anna.asks(t, 200, "POST", "/calls", map[string]string{"client": strings.ReplaceAll(how, " ", "-"), "to": "13900000078"}, &placed)
		phone := h.anna.Rung(patience)
		if how == "lets it pass" {
			phone.Says(486, "Busy Here")
		} else {
			phone.RTP.Talk(testkit.Tone(agentHz, time.Second))
			phone.Picks()
			h.carrier.Rung(patience).Says(486, "Busy Here")
			phone.WaitBye(patience)
		}
		until(t, "the call to be out of line", func() bool { _, there := h.line.Task(placed.ID); return !there })
	}
	if !h.ben.Silent(quiet) {
		t.Error("a colleague was rung")
	}
}
