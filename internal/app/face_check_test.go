package app

import (
	"testing"
	"time"

	"tandem"
	"tandem/bridge/identity/check"
	"tandem/internal/testkit"
	"tandem/store"
)

// proofFlow has a visitor proved by video.
const proofFlow = `flow: proof
channels: [chat]
languages: [en]
start: who
prompts:
  in: { en: { text: "You are in." } }
  doubt: { en: { text: "We could not be sure." } }
  unwanted: { en: { text: "You did not want that." } }
  cannot: { en: { text: "That cannot be done here." } }
steps:
  who:
    identify: { level: proofed, by: [video], check: glance }
    next: { passed: in, failed: doubt, declined: unwanted, unsupported: cannot }
  in: { needs: proofed, say: in, next: end }
  doubt: { say: doubt, next: end }
  unwanted: { say: unwanted, next: end }
  cannot: { say: cannot, next: end }
`

const glancePolicy = `check: glance
level: proofed
grants: 30m
queue: counter
consent: { version: "1", text: { en: "We look at you." } }
steps:
  - { name: look, face: {} }
`

func newProof(t *testing.T) *textServer {
	t.Helper()
	s := newTextServer(t, textSetup{
		flows: map[string]string{"proof.flow.yaml": proofFlow, "glance.check.yaml": glancePolicy, "counter.queues.yaml": counterPolicy},
		base:  "\n  \"chat:demo\": proof\n",
		more:  "line: { verify: true }\nwebrtc: { listen: \"127.0.0.1:0\" }\n",
	})
	if _, err := s.line.Present(t.Context(), "wang", tandem.PresenceAway, ""); err != nil { // there, and busy
		t.Fatal(err)
	}
	return s
}

// asked is the check that a visitor is in.
func (s *textServer) asked(t *testing.T, id tandem.InteractionID, fits func(check.Check) bool) (c check.Check) {
	t.Helper()
	until(t, "the identity check", func() bool {
		var ok bool
		c, ok = s.faces.checks.Of(id)
		return ok && fits(c)
	})
	return c
}

// A step that is proved by video has an officer come; the check's end goes on in the flow,
// also over a restart.
func TestAStepIsProvedByVideo(t *testing.T) {
	t.Parallel()
	s := newProof(t)
	c := s.visit(t)
	c.Open()
	c.Reads("A colleague will check with you by video who you are. You are asked in a moment whether you agree; until then please stay on this page.")
	id := s.latest(t, "chat:demo").Interaction.ID
	is := s.asked(t, id, func(c check.Check) bool { return c.State == check.Asked && c.Officer == "" && c.By == check.ByFlow })
	task := s.place(t, id, tandem.TaskChat)
	if task.Queue != "counter" || task.Note != "identity check" {
		t.Errorf("%+v", task)
	}
	s.restart(t)
	c.Connect(testkit.Patience)
	s.serves(t, id, tandem.TaskChat)
	now := s.asked(t, id, func(c check.Check) bool { return c.Officer == "wang" })
	if now.ID != is.ID || len(s.line.Of(id)) != 1 {
		t.Fatalf("check %s, then %s", is.ID, now.ID)
	}
	c.Frame(map[string]any{"t": "check", "id": "k1", "do": "accept", "check": is.ID, "lang": "en"})
	s.asked(t, id, func(c check.Check) bool { return c.State == check.Running && c.Consent != nil && c.Consent.Yes })
	if _, err := s.faces.checks.Do(t.Context(), "wang", check.Command{Check: is.ID, Do: "capture", Step: "look"}); err == nil {
		t.Error("a still of nobody was taken")
	}
	if _, err := s.faces.checks.Do(t.Context(), "wang", check.Command{Check: is.ID, Do: "decide", Outcome: check.Passed}); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("passed with nothing done: %v", err)
	}
	if _, err := s.faces.checks.Do(t.Context(), "wang", check.Command{Check: is.ID, Do: "decide", Outcome: check.Failed, Reasons: []string{"picture_bad"}}); err != nil {
		t.Fatal(err)
	}
	c.Reads("We could not be sure.")
	s.verify(t)
}

// Whoever refuses is told so by the flow, and nobody is called for them any more.
func TestAVisitorRefusesTheCheck(t *testing.T) {
	t.Parallel()
	s := newProof(t)
	for _, how := range []string{"refuse", "stop", "say"} {
		c := s.visit(t)
		c.Open()
		c.Wait("the check's words", func(m testkit.ChatMessage) bool { return m.From == "system" || m.From == "flow" })
		id := s.latest(t, "chat:demo").Interaction.ID
		is := s.asked(t, id, func(check.Check) bool { return true })
		task := s.place(t, id, tandem.TaskChat)
		if how == "say" {
			c.Say("Stop")
		} else {
			c.Frame(map[string]any{"t": "check", "id": "k1", "do": how, "check": is.ID, "lang": "en"})
		}
		c.Reads("You did not want that.")
		until(t, "its task to be over", func() bool { _, open := s.line.Task(task.ID); return !open })
		s.shows(t, id, "the refusal", func(story store.Story) bool {
			for _, e := range story.Events {
				if e.Kind == tandem.EventVerdict {
					return true
				}
			}
			return false
		})
	}
	s.verify(t)
}

// A check that was passed shortly before the program ended counts for the session of the
// next one, as long as it holds.
func TestPassedChecksAreRecalled(t *testing.T) {
	t.Parallel()
	s := newProof(t)
	c := s.visit(t)
	c.Open()
	c.Wait("the check's words", func(m testkit.ChatMessage) bool { return m.From == "system" || m.From == "flow" })
	id := s.latest(t, "chat:demo").Interaction.ID
	is := s.asked(t, id, func(check.Check) bool { return true })
	is.State, is.Ended = check.Passed, s.now()
	is.Verdict = &check.Verdict{Outcome: check.Passed, Until: s.now().Add(time.Minute)}
	s.tellDecided(t.Context(), is)
	c.Reads("You are in.")
	s.shows(t, id, "who they are", func(story store.Story) bool {
		for _, l := range story.Legs {
			if l.Assurance == tandem.Proofed && l.AssuranceUntil.Equal(is.Verdict.Until) {
				return true
			}
		}
		return false
	})
}
