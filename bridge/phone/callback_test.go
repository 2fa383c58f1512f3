package phone

import (
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/caps"
	"tandem/internal/testkit"
)

func contains(s string, all ...string) bool {
	for _, part := range all {
		if !strings.Contains(s, part) {
			return false
		}
	}
	return true
}

// none is caps under which nothing may be dialled, by this rule.
type none string

func (n none) Reserve(time.Time, string) (*caps.Hold, error) {
	return nil, &caps.Refused{Rule: string(n), Why: "none"}
}

// agentWaits has an agent answer for a callback and hear that it rings.
func agentWaits(h *house, t tandem.Task) *testkit.Dialog {
	h.t.Helper()
	h.line.offer(t)
	d := h.anna.Rung(patience)
	if !h.number.Silent(0) {
		h.t.Fatal("the customer was dialled before the agent was there")
	}
	d.RTP.Talk(testkit.Tone(agentHz, time.Second))
	d.Picks()
	return d
}

// A callback rings the agent first, then dials the customer, once its promise is durable;
// both hear each other until one hangs up.
func TestCallback(t *testing.T) {
	for name, end := range map[string]func(agent, customer *testkit.Dialog){
		"the agent hangs up":    func(agent, customer *testkit.Dialog) { agent.Bye(); customer.WaitBye(patience) },
		"the customer hangs up": func(agent, customer *testkit.Dialog) { customer.Bye(); agent.WaitBye(patience) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			agent := agentWaits(h, task(tandem.TaskCallback, "anna"))
			customer := h.number.Rung(patience)
			if !h.books.has("dial:t1:1") {
				t.Error("the customer was dialled before that was durable")
			}
			agent.RTP.Hear(patience, time.Time{}, ringHz, 300*time.Millisecond)
			customer.RTP.Talk(testkit.Tone(customerHz, time.Second))
			customer.Picks()
			customer.RTP.Hear(patience, time.Time{}, agentHz, 300*time.Millisecond)
			agent.RTP.Hear(patience, time.Now(), customerHz, 300*time.Millisecond)
			agent.Reinvite("sendonly")
			customer.RTP.Hear(patience, time.Now(), musicHz, 300*time.Millisecond)
			agent.Reinvite("sendrecv")
			customer.RTP.Hear(patience, time.Now(), agentHz, 300*time.Millisecond)
			end(agent, customer)
			legs := h.ended(tandem.ReasonHangup, tandem.ReasonHangup)
			if legs[0].Role != tandem.RoleAgent || legs[1].Role != tandem.RoleCustomer || legs[1].To != "tel:+8613900000001" {
				t.Errorf("legs %+v", legs)
			}
			want := "release done over served"
			if strings.HasPrefix(name, "the customer") {
				want = "release left over served"
			}
			h.lineTold("accept anna 7", want)
		})
	}
}

// A customer who does not answer is called again later, as often as the policy says; the
// agent hears it.
func TestCustomerNotReached(t *testing.T) {
	for tries, want := range []string{"release handed_back again dialled later", "release done over unreached dialled"} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			what := task(tandem.TaskCallback, "anna")
			what.Tries = tries
			agent := agentWaits(h, what)
			customer := h.number.Rung(patience)
			customer.Rejects(486, "Busy Here")
			agent.RTP.Hear(patience, time.Time{}, busyHz, 300*time.Millisecond)
			agent.WaitBye(patience)
			h.ended(tandem.ReasonCompleted, tandem.ReasonBusy)
			h.lineTold("accept anna 7", want)
		})
	}
}

// A try that was promised before the server stopped counts as made: nobody is dialled.
func TestATryIsMadeOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	h.books.keys["dial:t1:1"] = true
	agent := agentWaits(h, task(tandem.TaskCallback, "anna"))
	agent.WaitBye(patience)
	h.ended(tandem.ReasonCompleted)
	h.lineTold("accept anna 7", "release handed_back again dialled later")
	if !h.number.Silent(moment) {
		t.Error("the customer was dialled twice for one try")
	}
}

// A number that is not known, not listed or over the caps is not dialled, and not tried
// again but where the cap passes by itself.
func TestCustomerMayNotBeCalled(t *testing.T) {
	const never, later = "release done over refused", "release handed_back again later"
	for name, tc := range map[string]struct {
		set  func(*house, *Options)
		told string
	}{
		"not known":             {func(h *house, _ *Options) { h.known = false }, never},
		"not listed":            {func(h *house, _ *Options) { h.allowed = errRefused }, never},
		"over the day's caps":   {func(_ *house, o *Options) { o.Caps = none("per_day") }, never},
		"over the hour's caps":  {func(_ *house, o *Options) { o.Caps = none("per_hour") }, later},
		"all lines are in use":  {func(_ *house, o *Options) { o.Caps = none("at_once") }, later},
		"this number too often": {func(_ *house, o *Options) { o.Caps = none("per_number") }, never},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, tc.set)
			agent := agentWaits(h, task(tandem.TaskCallback, "anna"))
			agent.RTP.Hear(patience, time.Time{}, busyHz, 300*time.Millisecond)
			agent.WaitBye(patience)
			h.ended(tandem.ReasonForbidden)
			h.lineTold("accept anna 7", tc.told)
			if !h.number.Silent(moment) || !h.saw(CountedRefused) {
				t.Error("the customer was dialled")
			}
		})
	}
}

// An agent who hangs up while the customer's phone rings ends that; the try was made.
func TestAgentLeavesBeforeTheCustomerAnswers(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	agent := agentWaits(h, task(tandem.TaskCallback, "anna"))
	customer := h.number.Rung(patience)
	customer.Says(180, "Ringing")
	agent.Bye()
	customer.Cancelled(patience)
	h.ended(tandem.ReasonHangup, tandem.ReasonCancelled)
	h.lineTold("accept anna 7", "release handed_back again dialled later")
}

// A supervisor who closes the callback, or a server that stops, ends it without a word to
// the line.
func TestCallbackTakenAway(t *testing.T) {
	for name, away := range map[string]func(h *house){
		"closed":  func(h *house) { h.end("t1", 7, "closed") },
		"stopped": func(h *house) { go h.stop() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			agent := agentWaits(h, task(tandem.TaskCallback, "anna"))
			customer := h.number.Rung(patience)
			customer.Says(180, "Ringing")
			away(h)
			customer.Cancelled(patience)
			agent.WaitBye(patience)
			h.idle()
			h.lineTold("accept anna 7")
		})
	}
}

// Nobody is dialled of whom there is no record; they are called later.
func TestStoreDownBeforeTheDial(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	h.line.offer(task(tandem.TaskCallback, "anna"))
	d := h.anna.Rung(patience)
	h.books.mu.Lock()
	h.books.down = true
	h.books.mu.Unlock()
	d.Picks()
	d.WaitBye(patience)
	h.idle()
	h.lineTold("accept anna 7", "release handed_back again later")
	if !h.number.Silent(moment) {
		t.Error("the customer was dialled without a record")
	}
}

// A customer with whom nobody speaks any more is not kept on the phone till the store is back.
func TestNobodyIsKeptForTheStore(t *testing.T) {
	h := newHouse(t, nil)
	agent := agentWaits(h, task(tandem.TaskCallback, "anna"))
	customer := h.number.Rung(patience)
	customer.RTP.Talk(testkit.Tone(customerHz, time.Second))
	customer.Picks()
	agent.RTP.Hear(patience, time.Now(), customerHz, 300*time.Millisecond)
	h.line.mu.Lock()
	h.line.down = 1000
	h.line.mu.Unlock()
	agent.Bye()
	customer.WaitBye(patience)
	h.line.mu.Lock()
	h.line.down = 0
	h.line.mu.Unlock()
	h.line.told(t, "release done over served")
	h.idle()
}
