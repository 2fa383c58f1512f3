package app

import (
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
	"tandem/ivr/flow"
	"tandem/store/staff"
)

// stands waits until a caller is in line and has been told where, and returns their task.
func (h *hotline) stands(t *testing.T, from string) (task tandem.Task) {
	t.Helper()
	until(t, from+" to be told their place", func() bool {
		for _, task = range h.line.Tasks("", 0) {
			k := h.live.get(task.Interaction)
			if k == nil || k.leg.From != from {
				continue
			}
			k.stay.mu.Lock()
			defer k.stay.mu.Unlock()
			return k.stay.wait.Kind == flow.WaitQueue && k.stay.wait.Place != nil
		}
		return false
	})
	return task
}

// books has a caller take a callback, and returns its task.
func (h *hotline) books(t *testing.T, from string) tandem.Task {
	t.Helper()
	d := h.waits(t, "1", from)
	id := h.stands(t, from).ID
	var task tandem.Task
	until(t, "the callback", func() bool { // a key is not heard before the offer is
		d.RTP.Type("1")
		task, _ = h.line.Task(id)
		return task.Kind == tandem.TaskCallback
	})
	d.WaitBye(patience)
	return task
}

// A callback that an agent passes on before the customer has answered is dialled anew for
// the colleague, at once and once. In the middle of the talk the customer is kept: they hear
// music until the colleague has them, and are not dialled again.
func TestACallbackIsPassedOn(t *testing.T) {
	t.Parallel()
	for _, amid := range []string{"ringing", "talk"} {
		t.Run(amid, func(t *testing.T) {
			t.Parallel()
			h := newHotline(t, nil, "anna")
			anna := h.program(t, "anna", staff.ScopeAgent)
			h.presents(t, "anna", tandem.PresenceAway)
			task := h.books(t, "13900000001")
			h.presents(t, "anna", tandem.PresenceAvailable)
			phone := h.anna.Rung(patience)
			phone.RTP.Talk(testkit.Tone(agentHz, time.Second))
			phone.Picks()
			customer := h.carrier.Rung(patience)
			customer.RTP.Talk(testkit.Tone(callerHz, time.Second))
			if amid == "talk" {
				customer.Picks()
				customer.RTP.Hear(patience, time.Time{}, agentHz, 300*time.Millisecond)
			} else {
				customer.Says(180, "Ringing")
			}
			h.presents(t, "ben", tandem.PresenceAvailable)
			now, _ := h.line.Task(task.ID)
			anna.asks(t, 200, "POST", "/tasks/"+string(task.ID)+"/transfer", map[string]any{"fence": now.Fence, "agent": "ben"}, nil)
			if amid == "ringing" {
				customer.Cancelled(patience)
			}
			phone.WaitBye(patience)
			colleague := h.ben.Rung(patience)
			colleague.RTP.Talk(testkit.Tone(agentHz, time.Second))
			colleague.Picks()
			again, from := customer, time.Now()
			if amid == "ringing" {
				again = h.carrier.Rung(patience)
				again.RTP.Talk(testkit.Tone(callerHz, time.Second))
				again.Picks()
			}
			again.RTP.Hear(patience, from, agentHz, 300*time.Millisecond)
			again.Bye()
			colleague.WaitBye(patience)
			story := h.story(t, "13900000001")
			if got := outcomes(story); !slices.Equal(got, []string{"callback done served"}) {
				t.Errorf("the tasks are %v", got)
			}
			if !h.carrier.Silent(quiet) {
				t.Error("the customer was called once more")
			}
			h.idle(t)
			h.sound(t)
		})
	}
}

// What may not be dialled is not, whatever asks for it, and says so; what the operator's
// figures stand against now is tried later.
func TestCallbacksThatAreNotDialled(t *testing.T) {
	t.Parallel()
	type set = struct {
		name, from, more string
		state            tandem.TaskState
		outcome          string
	}
	for _, c := range []set{
		{"as often as one number may be", "13900000001", `outbound: { allow: ["+86"], per_number_per_hour: 0 }`, tandem.TaskDone, tandem.OutcomeRefused},
		{"calls within the hour", "13900000002", `outbound: { allow: ["+86"], calls_per_hour: 0 }`, tandem.TaskWaiting, ""},
		{"minutes of the day", "13900000003", `outbound: { allow: ["+86"], minutes_per_day: 0 }`, tandem.TaskDone, tandem.OutcomeRefused},
		{"money", "13900000004", `outbound: { allow: ["+86"], prices: { "+86": 10 }, money_per_day: 1 }`, tandem.TaskDone, tandem.OutcomeRefused},
		{"denied since", "13900000005", `outbound: { allow: ["+86"] }`, tandem.TaskDone, tandem.OutcomeRefused},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := newHotlineOf(t, hotlineSetup{outbound: c.more}, "anna")
			h.presents(t, "anna", tandem.PresenceAway)
			task := h.books(t, c.from)
			if strings.HasPrefix(c.name, "denied") {
				h.cfg.Outbound.Deny = []string{"+8613900000005"}
			}
			h.presents(t, "anna", tandem.PresenceAvailable)
			phone := h.anna.Rung(patience)
			phone.Picks()
			phone.WaitBye(patience) // after the tone
			h.idle(t)
			if !h.carrier.Silent(0) {
				t.Error("the customer was dialled")
			}
			all, err := h.store.Tasks(t.Context(), task.Interaction)
			if err != nil || len(all) != 1 || all[0].State != c.state || all[0].Outcome != c.outcome || all[0].Tries != 0 {
				t.Errorf("the tasks are %+v, %v", all, err)
			}
			if c.state == tandem.TaskWaiting && !all[0].NotBefore.After(time.Now()) {
				t.Errorf("it is tried again at %v", all[0].NotBefore)
			}
			h.sound(t)
		})
	}
}

// A customer who does not answer is called as often as the queue says, with its gap between,
// by whoever is there then; a supervisor may end it, and it does not come back.
func TestTriesAndTheirEnd(t *testing.T) {
	t.Parallel()
	h := newHotline(t, nil, "anna")
	sue := h.program(t, "", staff.ScopeLineRead, staff.ScopeLineWrite)
	h.presents(t, "anna", tandem.PresenceAway)
	first, second := h.books(t, "13900000001"), h.books(t, "13900000002")
	h.presents(t, "anna", tandem.PresenceAvailable)
	for range 2 {
		phone := h.anna.Rung(patience)
		phone.Picks()
		h.carrier.Rung(patience).Rejects(486, "Busy Here")
		phone.WaitBye(patience)
	}
	h.idle(t)
	for _, id := range []tandem.TaskID{first.ID, second.ID} {
		task, ok := h.line.Task(id)
		if wait := time.Until(task.NotBefore); !ok || task.Tries != 1 || wait < 14*time.Minute || wait > 15*time.Minute {
			t.Errorf("after a try it is %+v", task)
		}
	}
	sue.asks(t, 409, "POST", "/tasks/"+string(first.ID)+"/pull", map[string]any{"agent": "anna"}, nil) // its hour has not come
	sue.asks(t, 204, "POST", "/tasks/"+string(first.ID)+"/end", map[string]any{"why": "they wrote since"}, nil)
	if got := outcomes(h.story(t, "13900000001")); !slices.Equal(got, []string{"callback done closed"}) {
		t.Errorf("the tasks are %v", got)
	}
	if !h.anna.Silent(quiet) || !h.carrier.Silent(0) {
		t.Error("somebody is called before the gap is over")
	}
	h.sound(t)
}

// Who calls in by themselves while their callback waits is served, and is not called back
// by the step they come to again; the number booked twice waits twice, and is called once for each.
func TestCallingInWhileACallbackWaits(t *testing.T) {
	t.Parallel()
	h := newHotline(t, nil, "anna")
	h.presents(t, "anna", tandem.PresenceAway)
	first := h.books(t, "13900000001")
	d := h.waits(t, "1", "13900000001")
	until(t, "the caller's place", func() bool { return len(h.line.Tasks("cards", 0)) == 2 })
	tasks := h.line.Tasks("cards", 0)
	if len(tasks) != 2 || tasks[0].ID != first.ID || tasks[1].Kind != tandem.TaskCall {
		t.Fatalf("in line are %+v", tasks)
	}
	h.presents(t, "anna", tandem.PresenceAvailable)
	phone := h.anna.Rung(patience) // the callback, which was first
	phone.Picks()
	h.carrier.Rung(patience).Rejects(486, "Busy Here") // they are on the phone with us
	phone.WaitBye(patience)
	phone = h.anna.Rung(patience)
	picks(t, phone, d)
	phone.Bye()
	d.WaitBye(patience)
	h.idle(t)
	h.sound(t)
}
