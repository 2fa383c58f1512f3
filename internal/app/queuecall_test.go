package app

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
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
  offer: { voice: 2s }
  wrap_up: { voice: 0s }
`

// hotline is a server with a line, two agents with phones, and a trunk.
type hotline struct {
	*server
	anna, ben, carrier *testkit.Callee
}

// newHotline starts one at which the agents named are available. more are flows by name.
func newHotline(t *testing.T, more map[string]string, agents ...string) *hotline {
	t.Helper()
	h := &hotline{anna: testkit.NewCallee(t), ben: testkit.NewCallee(t), carrier: testkit.NewCallee(t)}
	flows := map[string]string{"line": lineFlow}
	entries := `"1": line`
	for name, text := range more {
		flows[name] = text
		entries += fmt.Sprintf(", %q: %s", name, name)
	}
	h.server = newServerWith(t, setup{
		flows: flows, files: map[string]string{"cards.queues.yaml": linePolicy}, entries: "{ " + entries + " }",
		more: fmt.Sprintf(`agents: { anna: { phone: %q }, ben: { phone: %q } }
line: { verify: true }
outbound: { allow: ["+86"] }
`, h.anna.URI("anna"), h.ben.URI("ben")),
		trunk: fmt.Sprintf(`trunks: { carrier: { host: %q, from: "+861055550100" } }`, h.carrier.Local()),
		before: func(a *App) { a.sounds.music = []*media.Clip{media.Tone(waitingHz, 500)} },
	})
	for _, name := range agents {
		until(t, name+" to be reached", func() bool { a, _ := h.line.Agent(name); return a.Reachable[tandem.LoadVoice] })
		if _, err := h.line.Present(t.Context(), name, tandem.PresenceAvailable, ""); err != nil {
			t.Fatal(err)
		}
	}
	return h
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
	until(t, "anna to be reached", func() bool { a, _ := h.line.Agent("anna"); return a.Reachable[tandem.LoadVoice] })
	if !h.anna.Silent(quiet) {
		t.Error("the phone of an agent who is offline rang")
	}
	if _, err := h.line.Present(t.Context(), "anna", tandem.PresenceAvailable, ""); err != nil {
		t.Fatal(err)
	}
	phone := h.anna.Rung(patience)
	phone.Says(180, "Ringing")
	if from := phone.Invite.Get("From"); !strings.Contains(from, `"cards"`) || !strings.Contains(from, "sip:13900000001@") {
		t.Errorf("the phone shows %s", from)
	}
	d.RTP.Hear(patience, time.Now(), waitingHz, 300*time.Millisecond) // till the agent answers
	picks(t, phone, d)
	d.Info('7', 160) // a key by INFO reaches the agent
	phone.RTP.Wait(patience, time.Time{}, func(ps []testkit.Packet) bool { return strings.Contains(testkit.Digits(ps), "7") })
	d.RTP.Type("1") // which was an offer
	phone.RTP.Wait(patience, time.Time{}, func(ps []testkit.Packet) bool { return strings.Contains(testkit.Digits(ps), "71") })
	if got := testkit.Digits(phone.RTP.Packets(time.Time{})); got != "71" {
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

// Who is not answered by one agent is back in line, with music, and reaches the other; when
// that phone dies they are back again, and hear so.
func TestACallerIsGivenOn(t *testing.T) {
	h := newHotline(t, nil, "anna", "ben")
	d := h.waits(t, "1", "13900000001")
	first := h.anna.Rung(patience)
	first.Says(180, "Ringing")
	first.Cancelled(patience)
	second := h.ben.Rung(patience)
	d.RTP.Hear(patience, time.Now(), waitingHz, 300*time.Millisecond)
	picks(t, second, d)
	third := time.Now()
	if _, err := h.line.Release(t.Context(), handBack(h, t), nil); err != nil { // as by the desk
		t.Fatal(err)
	}
	second.WaitBye(patience)
	phone := h.anna.Rung(patience)
	d.RTP.Hear(patience, third, waitingHz, 300*time.Millisecond)
	picks(t, phone, d)
	phone.Bye()
	d.RTP.Hear(patience, time.Now(), 1130, 200*time.Millisecond)
	d.WaitBye(patience)
	story := h.story(t, "13900000001")
	if got := outcomes(story); !slices.Equal(got, []string{"call done served"}) || len(events(story, tandem.EventTaskOffered)) != 3 {
		t.Errorf("the tasks are %v, with %d offers", got, len(events(story, tandem.EventTaskOffered)))
	}
}
