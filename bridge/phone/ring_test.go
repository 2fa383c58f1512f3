package phone

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/leg"
	"tandem/bridge/route"
	"tandem/internal/testkit"
)

// joined has the agent's phone ring for a caller, answers it, and holds that both hear each
// other.
func joined(h *house) (*customer, *testkit.Dialog) {
	h.t.Helper()
	c := h.waits()
	h.line.offer(task(tandem.TaskCall, "anna"))
	d := h.anna.Rung(patience)
	d.Says(180, "Ringing")
	d.RTP.Talk(testkit.Tone(agentHz, time.Second))
	d.Picks()
	d.RTP.Hear(patience, time.Time{}, callerHz, 500*time.Millisecond)
	c.phone.Hear(patience, time.Time{}, agentHz, 500*time.Millisecond)
	return c, d
}

// The agent's phone rings once, shows who calls and for which queue, and once it is answered
// both hear each other; who hangs up first says how it ends.
func TestACallIsGiven(t *testing.T) {
	for name, tc := range map[string]struct {
		end    func(h *house, c *customer, d *testkit.Dialog)
		told   string
		reason tandem.Reason
	}{
		"the agent hangs up": {func(_ *house, _ *customer, d *testkit.Dialog) { d.Bye() }, "release done over served", tandem.ReasonHangup},
		"the caller hangs up": {func(_ *house, c *customer, d *testkit.Dialog) {
			c.leaves(tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup))
			d.WaitBye(patience)
		}, "release left over served", tandem.ReasonHangup},
		"the line takes it away": {func(h *house, _ *customer, d *testkit.Dialog) {
			h.line.tell(route.TaskReleased{Task: task(tandem.TaskCall, "anna"), Agent: "anna", Fence: 7, Why: "transferred"})
			d.WaitBye(patience)
		}, "", tandem.ReasonHangup},
		"a supervisor closes it": {func(h *house, _ *customer, d *testkit.Dialog) {
			h.line.tell(route.TaskOver{Task: task(tandem.TaskCall, "anna")})
			d.WaitBye(patience)
		}, "", tandem.ReasonHangup},
		"the server stops": {func(h *house, _ *customer, d *testkit.Dialog) {
			go h.stop()
			d.WaitBye(patience)
		}, "", tandem.ReasonShutdown},
		"the server ends the call": {func(_ *house, c *customer, d *testkit.Dialog) {
			c.leaves(tandem.Terminate(tandem.BySystem, tandem.ReasonShutdown))
			d.WaitBye(patience)
		}, "", tandem.ReasonHangup},
		"the phone dies": {func(h *house, _ *customer, d *testkit.Dialog) {
			d.RTP.Quiet()
			d.WaitBye(patience)
		}, "release lost again", tandem.ReasonMediaTimeout},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			c, d := joined(h)
			if !h.anna.Silent(moment) {
				t.Error("the phone rang again")
			}
			tc.end(h, c, d)
			legs := h.ended(tc.reason)
			want := []string{"accept anna 7"}
			if tc.told != "" {
				want = append(want, tc.told)
			}
			h.lineTold(want...)
			if s := c.story(); s != "served by anna, joined, parted" {
				t.Errorf("the caller's call was told: %s", s)
			}
			if l := legs[0]; l.Role != tandem.RoleAgent || l.Answered.IsZero() || l.To != h.anna.URI("anna") {
				t.Errorf("the leg is %+v", l)
			}
			if want := []tandem.EventKind{tandem.EventDialled, tandem.EventLegStarted, tandem.EventLegAnswered,
				tandem.EventJoined, tandem.EventJoined, tandem.EventParted, tandem.EventParted, tandem.EventMedia, tandem.EventLegEnded}; !slices.Equal(h.books.kinds, want) {
				t.Errorf("the journal has %v, want %v", h.books.kinds, want)
			}
			if !h.saw(CountedRung) || !h.saw(CountedAnswered) || name == "the phone dies" && !h.saw(CountedLost) {
				t.Errorf("counted %v", h.counted)
			}
			if name == "the phone dies" {
				h.line.until(t, "out of reach", func() bool { return slices.Contains(h.line.reach, "anna voice false") })
			}
		})
	}
}

func TestWhatAPhoneShows(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	h.waits()
	h.line.offer(task(tandem.TaskCall, "anna"))
	d := h.anna.Rung(patience)
	if from := d.Invite.Get("From"); !contains(from, `"cards"`, "sip:13900000001@") {
		t.Errorf("From is %s", from)
	}
	if about := d.Invite.Get("Subject"); about != "12345678901" {
		t.Errorf("Subject is %q", about)
	}
	d.Rejects(486, "Busy Here")
	h.ended(tandem.ReasonBusy)
}

// What a phone refuses with is the agent's wish, or says that nobody is there.
func TestRefusals(t *testing.T) {
	for code, tc := range map[int]struct {
		why    string
		reason tandem.Reason
	}{
		486: {"declined", tandem.ReasonBusy}, 600: {"declined", tandem.ReasonBusy}, 603: {"declined", tandem.ReasonDeclined},
		302: {"declined", tandem.ReasonDeclined}, 487: {"declined", tandem.ReasonCancelled},
		404: {"unreachable", tandem.ReasonNoEntry}, 410: {"unreachable", tandem.ReasonDeclined}, 480: {"unreachable", tandem.ReasonNoAnswer},
		408: {"unreachable", tandem.ReasonNoAnswer}, 488: {"unreachable", tandem.ReasonNoMedia}, 503: {"unreachable", tandem.ReasonOverload},
		502: {"unreachable", tandem.ReasonDeclined}, 401: {"unreachable", tandem.ReasonAuth},
	} {
		t.Run(tc.why+" "+string(rune('0'+code/100))+"xx", func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			h.waits()
			h.line.offer(task(tandem.TaskCall, "anna"))
			d := h.anna.Rung(patience)
			other := testkit.NewCallee(t)
			d.Send(d.Invite.Reply(code, "No", "x").Add("Contact", "<"+other.URI("eve")+">"))
			h.ended(tc.reason)
			h.lineTold("decline anna 7 " + tc.why)
			if code == 302 && !other.Silent(moment) {
				t.Error("a redirection was followed")
			}
			if h.line.outOfReach() != (tc.why == "unreachable") {
				t.Errorf("%d: the phone is out of reach: %v", code, h.line.outOfReach())
			}
		})
	}
}

// Who has no phone cannot be rung, and whom the operator's rules forbid is not.
func TestNotRung(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	h.waits()
	h.line.offer(task(tandem.TaskCall, "ben"))
	h.line.told(t, "decline ben 7 unreachable")
	h.allowed = errRefused
	second := task(tandem.TaskCall, "tel")
	second.ID, second.Fence = "t2", 8
	h.line.offer(second)
	h.line.told(t, "decline tel 8 unreachable")
	h.idle()
	if !h.number.Silent(moment) || len(h.books.all()) != 0 {
		t.Errorf("somebody was called: %+v", h.books.all())
	}
	if h.Serves("ben") || !h.Serves("anna") {
		t.Error("Serves is wrong")
	}
	if chat := (tandem.Task{ID: "t3", Interaction: "i1", Kind: tandem.TaskChat, Agent: "ben", Fence: 9}); true {
		h.line.offer(chat) // is none of ours
		h.idle()
		h.lineTold("decline ben 7 unreachable", "decline tel 8 unreachable")
	}
}

// That we have no port free says nothing of the phone.
func TestNoPort(t *testing.T) {
	h := newHouse(t, func(_ *house, o *Options) {
		o.Audio = func(netip.Addr) (*leg.Audio, error) { return nil, errRefused }
	})
	h.waits()
	h.line.offer(task(tandem.TaskCall, "anna"))
	h.line.told(t, "decline anna 7 unreachable")
	h.ended(tandem.ReasonOverload)
	if h.line.outOfReach() {
		t.Error("the phone counts as out of reach")
	}
}

// An agent who is called by a trunk counts towards the caps, and one with a phone of the
// house does not.
func TestCapsOfAgents(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(_ *house, o *Options) { o.Caps = none("per_day") })
	h.waits()
	h.line.offer(task(tandem.TaskCall, "tel"))
	h.line.told(t, "decline tel 7 unreachable")
	if !h.number.Silent(moment) {
		t.Error("an agent was called over the caps")
	}
	h.idle()
	_, d := joined(h)
	d.Bye()
	h.ended(tandem.ReasonHangup)
}

// An offer that is over stops the ringing, and the line need not be told.
func TestAnOfferIsOver(t *testing.T) {
	for why, reason := range map[string]tandem.Reason{"lapsed": tandem.ReasonNoAnswer, "gone": tandem.ReasonCancelled} {
		t.Run(why, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			h.waits()
			h.line.offer(task(tandem.TaskCall, "anna"))
			h.line.tell(route.OfferMade{Task: task(tandem.TaskCall, "anna")}) // told twice: rings once
			d := h.anna.Rung(patience)
			d.Says(180, "Ringing")
			h.line.over(why)
			d.Cancelled(patience)
			h.ended(reason)
			h.lineTold()
			if !h.anna.Silent(moment) {
				t.Error("the phone rang again")
			}
		})
	}
}

// Signalling that is closed under a phone that rings says nothing of the agent.
func TestSignallingCloses(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	h.waits()
	h.line.offer(task(tandem.TaskCall, "anna"))
	d := h.anna.Rung(patience)
	d.Says(180, "Ringing")
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := h.sip.Close(ctx); err != nil {
		t.Fatal(err)
	}
	h.ended(tandem.ReasonShutdown)
	h.lineTold()
	if h.line.outOfReach() {
		t.Error("the phone counts as out of reach")
	}
}

// Who answers too late is hung up on: as the offer was over already, or as the phone was
// picked up in the moment at which it was given up.
func TestTooLate(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	c := h.waits()
	h.line.late = true
	h.line.offer(task(tandem.TaskCall, "anna"))
	d := h.anna.Rung(patience)
	d.Picks()
	d.WaitBye(patience)
	h.ended(tandem.ReasonCancelled)
	h.lineTold("accept anna: late")

	h.line.late = false
	again := task(tandem.TaskCall, "anna")
	again.Fence = 8
	h.line.offer(again)
	d = h.anna.Rung(patience)
	d.Says(180, "Ringing")
	h.line.over("lapsed")
	d.Want(patience, "CANCEL", testkit.Requests("CANCEL"))
	d.Picks() // the two cross
	d.WaitBye(patience)
	h.idle()
	if s := c.story(); s != "" {
		t.Errorf("the caller's call was told: %s", s)
	}
}

// An agent may take the offer by other means while the phone rings; then they pick it up,
// or give the call back.
func TestTakenByOtherMeans(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	c := h.waits()
	h.line.offer(task(tandem.TaskCall, "anna"))
	d := h.anna.Rung(patience)
	h.line.assign()
	d.RTP.Talk(testkit.Tone(agentHz, time.Second))
	d.Picks()
	c.phone.Hear(patience, time.Time{}, agentHz, 300*time.Millisecond)
	d.Bye()
	h.line.told(t, "release done over served")
	h.idle()

	again := task(tandem.TaskCall, "anna")
	again.Fence = 8
	h.line.offer(again)
	d = h.anna.Rung(patience)
	h.line.assign()
	d.Rejects(486, "Busy Here")
	h.line.told(t, "release handed_back again")
	h.ended(tandem.ReasonHangup, tandem.ReasonBusy)
}

// An agent who holds has the caller hear music, and a repeated answer changes nothing.
func TestAgentHolds(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	c, d := joined(h)
	d.Send(d.Invite.Reply(200, "OK", d.OwnTag()).Add("Contact", "<sip:anna@"+h.anna.Local().String()+">").
		With("application/sdp", testkit.SDP(d.RTP.Port(), 1, ""))) // our ACK was lost, it thinks
	d.Want(patience, "ACK again", testkit.Requests("ACK"))
	d.Reinvite("sendonly")
	held := time.Now()
	c.phone.Hear(patience, held, musicHz, 500*time.Millisecond)
	d.Reinvite("sendrecv")
	back := time.Now()
	c.phone.Hear(patience, back, agentHz, 500*time.Millisecond)
	d.RTP.Hear(patience, back, callerHz, 500*time.Millisecond)
	d.Bye()
	h.ended(tandem.ReasonHangup)
	h.lineTold("accept anna 7", "release done over served")
}

// Whoever is gone as the agent answers: the agent's phone is hung up on, and the line told,
// also of one who goes on waiting by another channel.
func TestNobodyThere(t *testing.T) {
	for name, tc := range map[string]struct {
		set  func(h *house)
		told string
	}{
		"no call":     {func(h *house) { h.caller = nil }, "release left over left"},
		"not in line": {func(h *house) { h.caller.mu.Lock(); defer h.caller.mu.Unlock(); h.caller.served = errRefused }, "release left over left"},
		"too busy": {func(h *house) {
			h.caller.mu.Lock()
			defer h.caller.mu.Unlock()
			h.caller.served = fmt.Errorf("waiting: %w", context.DeadlineExceeded)
		}, "release handed_back again"},
		"went to chat": {func(h *house) {
			h.caller = nil
			h.line.mu.Lock()
			defer h.line.mu.Unlock()
			h.line.task.Kind = tandem.TaskChat
		}, "release moved again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			h.waits()
			h.line.offer(task(tandem.TaskCall, "anna"))
			d := h.anna.Rung(patience)
			h.mu.Lock()
			tc.set(h)
			h.mu.Unlock()
			d.Picks()
			d.WaitBye(patience)
			h.ended(tandem.ReasonHangup)
			h.lineTold("accept anna 7", tc.told)
		})
	}
}

// What the caller must hear whole comes before the talk: the agent hears ringing meanwhile,
// and may hang up.
func TestTheAgentWaitsForTheSession(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	c := h.waits()
	c.busy = make(chan struct{})
	h.line.offer(task(tandem.TaskCall, "anna"))
	d := h.anna.Rung(patience)
	d.Picks()
	d.RTP.Hear(patience, time.Time{}, ringHz, 300*time.Millisecond)
	close(c.busy)
	d.RTP.Hear(patience, time.Now(), callerHz, 300*time.Millisecond)
	d.Bye()
	h.idle()
	h.lineTold("accept anna 7", "release done over served")

	c = h.waits()
	c.busy = make(chan struct{})
	again := task(tandem.TaskCall, "anna")
	again.ID, again.Fence = "t2", 8
	h.line.offer(again)
	d = h.anna.Rung(patience)
	d.Picks()
	d.RTP.Hear(patience, time.Time{}, ringHz, 300*time.Millisecond)
	d.Bye()
	h.line.told(t, "release handed_back again")
	h.idle()
	if s := c.story(); s != "" {
		t.Errorf("the caller's call was told: %s", s)
	}
}

// A panic ends this talk only, says goodbye to the phone and gives the caller back; a store
// that is down is told again.
func TestFaults(t *testing.T) {
	t.Parallel()
	h := newHouse(t, nil)
	c := h.waits()
	c.mu.Lock()
	c.panics = true
	c.mu.Unlock()
	h.line.down = 1
	h.line.offer(task(tandem.TaskCall, "anna"))
	d := h.anna.Rung(patience)
	d.Picks()
	d.WaitBye(patience)
	h.line.told(t, "release handed_back again")
	h.ended(tandem.ReasonHangup)
	h.lineTold("accept anna 7", "release: down", "release handed_back again")
	if len(h.panics) != 1 {
		t.Errorf("%d panics were reported", len(h.panics))
	}
	h.books.down = true
	again := task(tandem.TaskCall, "anna")
	again.Fence = 8
	h.line.offer(again)
	h.idle()
	if !h.anna.Silent(moment) {
		t.Error("a call was made of which there is no record")
	}
}
