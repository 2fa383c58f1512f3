package app

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/route"
	"tandem/internal/config"
	"tandem/internal/testkit"
	"tandem/ivr/flow"
	"tandem/media"
	"tandem/store"
)

const (
	agentHz, callerHz, waitingHz = 1000, 1300, 620

	// quiet is how long something is watched that must not happen.
	quiet = 400 * time.Millisecond
)

// lineFlow says 440 Hz, waits in line, and says 1130 Hz to whom an agent had; 1600 Hz is for
// who was not served.
const lineFlow = `start: hello
on_leave: left
steps:
  hello: { say: { en: { audio: low.wav } }, next: wait }
  wait:
    queue: { name: cards, announce_every: 30s, offer: { callback: "1" } }
    next: { answered: after, callback: end, else: sorry }
  after: { say: { en: { audio: high.wav } }, next: end }
  sorry: { say: { en: { audio: third.wav } }, next: end }
  left: { end: { reason: left } }
`

const linePolicy = `queues:
  cards: { teams: [day], target: { voice: 20s }, callback: { tries: 2, gap: 15m } }
teams: { day: { site: here } }
agents:
  anna: { teams: [day], skills: { "lang:en": 3 } }
  ben: { teams: [day], skills: { "lang:en": 3 } }
policy:
  offer: { voice: 2m }
  wrap_up: { voice: 0s }
`

// lapsing is linePolicy with offers that lapse soon. An agent who is to answer one does so
// before anything else.
var lapsing = strings.Replace(linePolicy, "voice: 2m", "voice: 5s", 1)

// hotline is a server with a line, two agents with phones, and a trunk.
type hotline struct {
	*server
	anna, ben, carrier *testkit.Callee
}

// newHotline starts one at which the agents named are available; with none anna is there,
// but away. more are flows by name.
func newHotline(t *testing.T, more map[string]string, agents ...string) *hotline {
	t.Helper()
	return newHotlineOf(t, hotlineSetup{flows: more}, agents...)
}

// hotlineSetup is what a hotline has another way; "" = as above.
type hotlineSetup struct {
	flows                  map[string]string // more of them, by name
	files                  map[string]string // of the flows folder
	line, policy, outbound string
	fault                  func(string) error
}

// newHotlineOf is newHotline of another set-up.
func newHotlineOf(t *testing.T, o hotlineSetup, agents ...string) *hotline {
	t.Helper()
	o.line, o.policy, o.outbound = cmp.Or(o.line, lineFlow), cmp.Or(o.policy, linePolicy), cmp.Or(o.outbound, `outbound: { allow: ["+86"] }`)
	h := &hotline{anna: testkit.NewCallee(t), ben: testkit.NewCallee(t), carrier: testkit.NewCallee(t)}
	files := map[string]string{"cards.queues.yaml": o.policy}
	maps.Copy(files, o.files)
	flows := map[string]string{"line": o.line}
	entries := `"1": line`
	for name, text := range o.flows {
		flows[name] = text
		entries += fmt.Sprintf(", %q: %s", name, name)
	}
	h.server = newServerWith(t, setup{
		flows: flows, files: files, entries: "{ " + entries + " }", fault: o.fault,
		more: fmt.Sprintf(`agents: { anna: { phone: %q }, ben: { phone: %q } }
line: { verify: true }
%s
`, h.anna.URI("anna"), h.ben.URI("ben"), o.outbound),
		change: func(c *config.Config) {
			c.Limits.Late, c.Limits.CPU, c.Limits.StoreTime = 0, 0, 0 // a busy machine must not hide a fault
			c.SIP.Trunks = map[string]config.Trunk{"carrier": {Host: h.carrier.Local().String(), From: "+861055550100"}}
		},
		before: func(a *App) { a.sounds.music = []*media.Clip{media.Tone(waitingHz, 500)} },
	})
	for _, name := range agents {
		h.presents(t, name, tandem.PresenceAvailable)
	}
	if len(agents) == 0 {
		h.presents(t, "anna", tandem.PresenceAway)
	}
	return h
}

// presents has an agent choose what they are, once their phone is there.
func (h *hotline) presents(t *testing.T, name string, p tandem.Presence) {
	t.Helper()
	until(t, name+" to be reached", func() bool { a, _ := h.line.Agent(name); return a.Reachable[tandem.LoadVoice] })
	if _, err := h.line.Present(t.Context(), name, p, ""); err != nil {
		t.Fatal(err)
	}
}

// waits has a caller come into line and hear music.
func (h *hotline) waits(t *testing.T, entry, from string) *testkit.Dialog {
	t.Helper()
	d := h.peer(t).Call(entry, testkit.Options{From: from})
	d.RTP.Talk(testkit.Tone(callerHz, time.Second))
	return d
}

// picks has an agent's phone be answered, and holds that agent and caller hear each other.
func picks(t *testing.T, phone, caller *testkit.Dialog) {
	t.Helper()
	phone.RTP.Talk(testkit.Tone(agentHz, time.Second))
	since := time.Now()
	phone.Picks()
	phone.RTP.Hear(patience, since, callerHz, 500*time.Millisecond)
	caller.RTP.Hear(patience, since, agentHz, 500*time.Millisecond)
}

// told is how often a caller was told their place.
func placesTold(story store.Story) (n int) {
	for _, data := range events(story, tandem.EventPrompt) {
		if strings.Contains(data, `"line_place"`) {
			n++
		}
	}
	return n
}

// outcomes are those of a story's tasks that are done.
func outcomes(story store.Story) (out []string) {
	for _, t := range story.Tasks {
		out = append(out, string(t.Kind)+" "+string(t.State)+" "+t.Outcome)
	}
	return out
}

// A caller in line hears music and where they are; as an agent is free their phone rings
// once, both hear each other, and as they hang up the flow goes on.
func TestACallerIsServed(t *testing.T) {
	t.Parallel()
	h := newHotline(t, nil)
	d := h.waits(t, "1", "13900000001")
	d.RTP.Hear(patience, time.Time{}, waitingHz, 500*time.Millisecond)
	until(t, "a place to be told", func() bool {
		list, err := h.store.List(t.Context(), store.Filter{})
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		story, err := h.store.Interaction(t.Context(), string(list[0].Interaction.ID))
		if err != nil {
			t.Fatal(err)
		}
		return placesTold(story) == 1 && story.Interaction.State == tandem.Queued
	})
	if !h.anna.Silent(quiet) {
		t.Error("the phone of an agent who is away rang")
	}
	h.presents(t, "anna", tandem.PresenceAvailable)
	phone := h.anna.Rung(patience)
	phone.Says(180, "Ringing")
	if from := phone.Invite.Get("From"); !strings.Contains(from, `"cards"`) || !strings.Contains(from, "sip:13900000001@") {
		t.Errorf("the phone shows %s", from)
	}
	d.RTP.Hear(patience, time.Now(), waitingHz, 300*time.Millisecond) // till the agent answers
	picks(t, phone, d)
	d.RTP.Type("1") // which was an offer
	phone.RTP.Wait(patience, time.Time{}, func(ps []testkit.Packet) bool { return testkit.Digits(ps) == "1" })
	d.Info('7', 160) // by signalling, too
	phone.RTP.Wait(patience, time.Time{}, func(ps []testkit.Packet) bool { return testkit.Digits(ps) == "17" })
	if got := testkit.Digits(phone.RTP.Packets(time.Time{})); got != "17" {
		t.Errorf("the agent's phone got the keys %q", got)
	}
	over := time.Now()
	phone.Bye()
	d.RTP.Hear(patience, over, 1130, 300*time.Millisecond)
	d.WaitBye(patience)
	story := h.story(t, "13900000001")
	if got := outcomes(story); !slices.Equal(got, []string{"call done served"}) {
		t.Errorf("the tasks are %v", got)
	}
	if len(story.Legs) != 2 || story.Legs[1].Role != tandem.RoleAgent || story.Legs[1].Termination.Reason != tandem.ReasonHangup {
		t.Errorf("the legs are %+v", story.Legs)
	}
	for kind, want := range map[tandem.EventKind]int{
		tandem.EventTaskOffered: 1, tandem.EventTaskAssigned: 1, tandem.EventTaskReleased: 1, tandem.EventTaskDone: 1, tandem.EventDialled: 1, tandem.EventClosed: 1,
	} {
		if n := len(events(story, kind)); n != want {
			t.Errorf("%d of %s in the journal, want %d", n, kind, want)
		}
	}
	if !h.anna.Silent(quiet) {
		t.Error("the phone rang again")
	}
}

// A caller who hangs up ends the talk and was served; one who hangs up while a phone rings
// has left, and the ringing stops.
func TestACallerLeaves(t *testing.T) {
	t.Parallel()
	h := newHotline(t, nil, "anna")
	d := h.waits(t, "1", "13900000001")
	phone := h.anna.Rung(patience)
	picks(t, phone, d)
	d.Bye()
	phone.WaitBye(patience)
	if got := outcomes(h.story(t, "13900000001")); !slices.Equal(got, []string{"call done served"}) {
		t.Errorf("the tasks are %v", got)
	}

	d = h.waits(t, "1", "13900000002")
	phone = h.anna.Rung(patience)
	phone.Says(180, "Ringing")
	d.Bye()
	phone.Cancelled(patience)
	if got := outcomes(h.story(t, "13900000002")); !slices.Equal(got, []string{"call done left"}) {
		t.Errorf("the tasks are %v", got)
	}
}

// Who is not answered by one agent is back in line, with music, and reaches the other; whom
// an agent hands back is in line again, too.
func TestACallerIsGivenOn(t *testing.T) {
	t.Parallel()
	h := newHotlineOf(t, hotlineSetup{policy: lapsing}, "anna")
	d := h.waits(t, "1", "13900000001")
	first := h.anna.Rung(patience)
	first.Says(180, "Ringing")
	first.Cancelled(patience)
	d.RTP.Hear(patience, time.Now(), waitingHz, 300*time.Millisecond) // when their place is told
	h.presents(t, "ben", tandem.PresenceAvailable)
	second := h.ben.Rung(patience)
	picks(t, second, d)
	for _, task := range h.line.Tasks("cards", 0) { // as by the desk
		if _, err := h.line.Release(t.Context(), route.Released{At: time.Now(), Task: task.ID, Agent: task.Agent, Fence: task.Fence, Why: "transferred", Again: true}, nil); err != nil {
			t.Fatal(err)
		}
	}
	second.WaitBye(patience)
	phone := h.anna.Rung(patience)
	until(t, "the session to be in line again", func() bool { // its place is being told: the answer cuts that
		k := h.live.get(h.line.Tasks("cards", 0)[0].Interaction)
		k.stay.mu.Lock()
		defer k.stay.mu.Unlock()
		return k.stay.wait.Kind == flow.WaitQueue && !k.stay.wait.Served
	})
	picks(t, phone, d)
	phone.Bye()
	d.RTP.Hear(patience, time.Now(), 1130, 200*time.Millisecond)
	d.WaitBye(patience)
	story := h.story(t, "13900000001")
	if got := outcomes(story); !slices.Equal(got, []string{"call done served"}) || len(events(story, tandem.EventTaskOffered)) != 3 {
		t.Errorf("the tasks are %v, with %d offers", got, len(events(story, tandem.EventTaskOffered)))
	}
}

// A caller takes a callback by key, at their place: the call ends, an agent's phone rings,
// and only then the customer's, by the trunk; both hear each other.
func TestACallerTakesACallback(t *testing.T) {
	t.Parallel()
	h := newHotline(t, nil)
	d := h.waits(t, "1", "13900000001")
	d.RTP.Hear(patience, time.Time{}, waitingHz, 300*time.Millisecond)
	arrived := h.line.Tasks("cards", 0)
	d.RTP.Type("1")
	d.WaitBye(patience)
	until(t, "the callback", func() bool {
		tasks := h.line.Tasks("cards", 0)
		return len(tasks) == 1 && tasks[0].Kind == tandem.TaskCallback && tasks[0].Arrived.Equal(arrived[0].Arrived) && tasks[0].Due.Equal(arrived[0].Due)
	})
	if !h.carrier.Silent(quiet) {
		t.Error("the customer was dialled with nobody there")
	}
	h.presents(t, "anna", tandem.PresenceAvailable)
	agent := h.anna.Rung(patience)
	if !h.carrier.Silent(quiet) {
		t.Error("the customer was dialled before the agent answered")
	}
	agent.RTP.Talk(testkit.Tone(agentHz, time.Second))
	agent.Picks()
	customer := h.carrier.Rung(patience)
	if start := customer.Invite.Start; !strings.HasPrefix(start, "INVITE sip:+8613900000001@") || !strings.Contains(customer.Invite.Get("From"), "+861055550100") {
		t.Errorf("the customer is called by %s, from %s", start, customer.Invite.Get("From"))
	}
	customer.RTP.Talk(testkit.Tone(callerHz, time.Second))
	customer.Picks()
	customer.RTP.Hear(patience, time.Time{}, agentHz, 500*time.Millisecond)
	agent.RTP.Hear(patience, time.Time{}, callerHz, 500*time.Millisecond)
	customer.Bye()
	agent.WaitBye(patience)
	story := h.story(t, "13900000001")
	if got := outcomes(story); !slices.Equal(got, []string{"callback done served"}) || len(story.Legs) != 3 || len(events(story, tandem.EventDialled)) != 2 {
		t.Errorf("the tasks are %v, the legs %+v", got, story.Legs)
	}
	if n := len(events(story, tandem.EventClosed)); n != 1 {
		t.Errorf("closed %d times", n)
	}
}

// A number that may not be dialled is not, however it came into line.
func TestACallbackThatIsNotAllowed(t *testing.T) {
	t.Parallel()
	h := newHotline(t, nil)
	d := h.waits(t, "1", "+4915100000001") // the list has +86
	d.RTP.Hear(patience, time.Time{}, waitingHz, 300*time.Millisecond)
	d.RTP.Type("1")
	d.RTP.Hear(patience, time.Now(), waitingHz, 300*time.Millisecond)
	if tasks := h.line.Tasks("cards", 0); len(tasks) != 1 || tasks[0].Kind != tandem.TaskCall {
		t.Errorf("in line are %+v", tasks)
	}
	d.Bye()
	if !h.carrier.Silent(quiet) {
		t.Error("somebody was dialled")
	}
}

const connectFlow = `start: hello
on_leave: left
steps:
  hello: { say: { en: { audio: low.wav } }, next: wait }
  wait:
    transfer: { to: "%s", ring: %s }
    next: { ok: after, busy: busy, no_answer: nobody, failed: end }
  after: { say: { en: { audio: high.wav } }, next: end }
  busy: { say: { en: { audio: fourth.wav } }, next: end }
  nobody: { say: { en: { audio: third.wav } }, next: end }
  left: { end: { reason: left } }
`

// A flow may transfer to an agent, or to a queue: the caller hears ringing until they are
// joined, and the flow goes on as they part, or as nobody has answered.
func TestTransferToTheLine(t *testing.T) {
	t.Parallel()
	h := newHotline(t, map[string]string{"anna": fmt.Sprintf(connectFlow, "agent:anna", "2m"), "cards": fmt.Sprintf(connectFlow, "queue:cards", "2m")}, "ben", "anna")
	for _, entry := range []string{"anna", "cards"} {
		t.Run(entry, func(t *testing.T) {
			from := "1390000" + entry
			d := h.waits(t, entry, from)
			who := h.anna
			if entry == "cards" {
				who = h.ben // the longest idle
			}
			phone := who.Rung(patience)
			if transcript := testkit.Transcript(testkit.Audio(d.RTP.Packets(time.Time{})), 425, 440); testkit.ToneTime(transcript, 425) == 0 {
				d.RTP.Hear(patience, time.Time{}, 425, 200*time.Millisecond)
			}
			picks(t, phone, d)
			over := time.Now()
			phone.Bye()
			d.RTP.Hear(patience, over, 1130, 200*time.Millisecond)
			d.WaitBye(patience)
			if got := outcomes(h.story(t, from)); !slices.Equal(got, []string{"call done served"}) {
				t.Errorf("the tasks are %v", got)
			}
		})
	}
	t.Run("busy", func(t *testing.T) {
		d := h.waits(t, "anna", "13900000004")
		h.anna.Rung(patience).Rejects(486, "Busy Here")
		d.RTP.Hear(patience, time.Time{}, 620, 200*time.Millisecond)
		d.WaitBye(patience)
		h.ben.Silent(quiet)
	})
	t.Run("nobody", func(t *testing.T) {
		h := newHotlineOf(t, hotlineSetup{policy: lapsing, flows: map[string]string{"anna": fmt.Sprintf(connectFlow, "agent:anna", "5s")}}, "ben", "anna")
		d := h.waits(t, "anna", "13900000003")
		phone := h.anna.Rung(patience)
		phone.Says(180, "Ringing")
		phone.Cancelled(patience)
		d.RTP.Hear(patience, time.Time{}, 1600, 200*time.Millisecond)
		d.WaitBye(patience)
		if !h.ben.Silent(0) {
			t.Error("somebody else's phone rang")
		}
	})
}

// Calls to agents' own phones do not count against the caps, after a restart neither.
func TestCapsLeaveAgentsOut(t *testing.T) {
	t.Parallel()
	h := newHotline(t, nil, "anna")
	d := h.waits(t, "1", "13900000001")
	phone := h.anna.Rung(patience)
	phone.Rejects(486, "Busy Here")
	d.Bye()
	h.story(t, "13900000001")
	past, err := h.dialledSince(t.Context(), time.Now().Add(-time.Hour))
	if err != nil || len(past) != 0 {
		t.Errorf("the caps count %+v, %v", past, err)
	}
}
