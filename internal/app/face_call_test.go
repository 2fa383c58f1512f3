package app

import (
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/identity/check"
	"tandem/bridge/route"
	"tandem/flows"
	"tandem/internal/config"
	"tandem/internal/testkit"
	"tandem/ivr/text"
	"tandem/media"
	"tandem/store"
)

// callFlow has a caller proved by video: in is 1130 Hz, in doubt 1600 Hz and then the line,
// unwanted and impossible 620 Hz. Who is through can press 5.
const callFlow = `flow: proof
channels: [voice, chat]
languages: [en]
start: who
on_leave: left
steps:
  who:
    identify: { level: proofed, by: [video], check: glance }
    next: { passed: in, failed: doubt, declined: unwanted, unsupported: cannot }
  in: { needs: proofed, say: { en: { text: "You are in.", audio: high.wav } }, next: wish }
  wish:
    menu: { prompt: { en: { text: "Press 5.", audio: high.wav } }, tries: 1, timeout: 60s, choices: [ { keys: "5", label: { en: "Go on" }, go: bye } ] }
    next: { no_input: end, no_match: end }
  doubt: { say: { en: { text: "We could not be sure.", audio: third.wav } }, next: line }
  line:
    queue: { name: desk, skills: [ "lang:en" ] }
    next: { answered: bye, else: bye }
  unwanted: { say: { en: { text: "You did not want that.", audio: fourth.wav } }, next: end }
  cannot: { say: { en: { text: "That cannot be done here.", audio: fourth.wav } }, next: end }
  bye: { say: { en: { text: "Good bye.", audio: low.wav } }, next: end }
  left: { end: { reason: left } }
`

const callQueues = `queues:
  counter: { teams: [day], max_wait: %s }
  desk: { teams: [%s] }
teams: { day: { site: here }, night: { site: here } }
agents:
  ella: { teams: [day], skills: { "lang:en": 3 } }
  omar: { teams: [night], skills: { "lang:en": 3 } }
`

// proofLine is a server whose callers are proved by video by ella, who has a telephone.
type proofLine struct {
	*textServer
	ella *testkit.Callee
}

type proofSetup struct {
	maxWait string // at the officers' queue; "" = 10m
	team    string // of the queue after a failed check; "" = ella's
	agents  []string
}

func newProofLine(t *testing.T, o proofSetup) *proofLine {
	t.Helper()
	p := &proofLine{ella: testkit.NewCallee(t)}
	files := map[string]string{"proof.flow.yaml": callFlow, "glance.check.yaml": glancePolicy,
		"counter.queues.yaml": fmt.Sprintf(callQueues, orElse(o.maxWait, "10m"), orElse(o.team, "day"))}
	staff, err := fs.ReadFile(flows.Sample(), "service.queues.yaml")
	if err != nil {
		t.Fatal(err)
	}
	files["service.queues.yaml"] = strings.NewReplacer("wrap_up: { voice: 60s, chat: 30s", "wrap_up: { voice: 0s, chat: 0s", "decline_rest: 60s", "decline_rest: 1s").Replace(string(staff))
	for name, hz := range tones {
		path := t.TempDir() + "/tone.wav"
		if err := testkit.WriteWAV(path, testkit.Tone(hz, 500*time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		sound, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		files[name+".wav"] = string(sound)
	}
	p.textServer = newTextServer(t, textSetup{
		flows: files,
		base:  "\n  \"4\": proof\n  \"chat:demo\": proof\n",
		more: fmt.Sprintf("line: { verify: true }\nwebrtc: { listen: \"127.0.0.1:0\", upgrades: { customers: video } }\nagents: { ella: { phone: %q } }\n",
			p.ella.URI("ella")),
		change: func(c *config.Config) {
			c.Outbound.Allow = append(c.Outbound.Allow, "sip:")
		},
		before: func(a *App) { a.sounds.music = []*media.Clip{media.Tone(waitingHz, 500)} },
	})
	until(t, "ella to be reached", func() bool { a, _ := p.line.Agent("ella"); return a.Reachable[tandem.LoadVoice] })
	presence := tandem.PresenceAway
	if len(o.agents) > 0 {
		presence = tandem.PresenceAvailable
	}
	if _, err := p.line.Present(t.Context(), "ella", presence, ""); err != nil {
		t.Fatal(err)
	}
	return p
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// calls up the counter from a number that the text goes to, and waits for an officer.
func (p *proofLine) rings(t *testing.T, from string) (*caller, check.Check) {
	t.Helper()
	c := p.dials(t, "4", from)
	c.RTP.Talk(testkit.Tone(callerHz, time.Second))
	is := p.asked(t, c.id, func(check.Check) bool { return true })
	return c, is
}

// comes has ella be there and answer.
func (p *proofLine) comes(t *testing.T, c *caller) *testkit.Dialog {
	t.Helper()
	if _, err := p.line.Present(t.Context(), "ella", tandem.PresenceAvailable, ""); err != nil {
		t.Fatal(err)
	}
	phone := p.ella.Rung(patience)
	phone.Says(180, "Ringing")
	picks(t, phone, c.Dialog)
	return phone
}

// goesOn presses the key that ends the flow, until that is heard.
func (c *caller) goesOn() {
	c.t.Helper()
	c.at("wish")
	until(c.t, "the key to be heard", func() bool {
		if lastStep(c.s.read(c.t, c.id)) == "wish" {
			c.presses("5")
		}
		return lastStep(c.s.read(c.t, c.id)) == "bye"
	})
	c.hears("Good bye.")
}

// decides ends a check as its officer would, if there were a camera.
func (p *proofLine) decides(t *testing.T, is check.Check, as check.State) {
	t.Helper()
	if as == check.Passed { // which takes a camera: only the session is told
		is.State, is.Ended = check.Passed, p.now()
		is.Verdict = &check.Verdict{Outcome: check.Passed, Until: p.now().Add(time.Minute)}
		p.faces.decided.add(is)
		return
	}
	if _, err := p.faces.checks.Do(t.Context(), "ella", check.Command{Check: is.ID, Do: "decide", Outcome: as, Reasons: []string{"picture_bad"}}); err != nil {
		t.Fatal(err)
	}
}

// doubts has the officer fail a check and go on with the caller, as the flow has it.
func (p *proofLine) doubts(t *testing.T, c *caller, is check.Check) {
	t.Helper()
	p.decides(t, is, check.Failed)
	until(t, "ella to have them in line", func() bool {
		s, err := p.sessionNow(t.Context(), c.id)
		return err == nil && s.WithAgent()
	})
}

// agrees opens the page that the text leads to, and agrees to the check there.
func (p *proofLine) agrees(t *testing.T, is check.Check, from string) *testkit.Chat {
	t.Helper()
	chat := p.goesOnInChat(t, address(t, p.texts.Inbox(from).Gets("identity check").Text))
	chat.Open()
	p.asked(t, is.Interaction, func(c check.Check) bool { return c.Officer == "ella" })
	chat.Frame(map[string]any{"t": "check", "id": "k1", "do": "accept", "check": is.ID, "lang": "en"})
	p.asked(t, is.Interaction, func(c check.Check) bool { return c.State == check.Running })
	return chat
}

// A caller is texted a page and hears music until the officer has them; the check goes on with
// the sound on the telephone, and passed they are on in the flow, with their level, in the same
// call. What they press before is the officer's, and the page's words reach the officer.
func TestACallerIsProvedByVideo(t *testing.T) {
	t.Parallel()
	p := newProofLine(t, proofSetup{})
	c, is := p.rings(t, customer)
	c.hears("line_officer")
	c.hears("line_screen")
	c.RTP.Hear(patience, time.Time{}, waitingHz, 500*time.Millisecond)
	c.hears("line_place")
	phone := p.comes(t, c)
	task := p.place(t, c.id, tandem.TaskCall)
	if task.Note != "identity check" || task.Queue != "counter" {
		t.Errorf("%+v", task)
	}
	page := p.agrees(t, is, customer)
	c.RTP.Type("0")
	phone.RTP.Wait(patience, time.Time{}, func(ps []testkit.Packet) bool { return testkit.Digits(ps) == "0" })
	if conv, err := p.book.ByInteraction(t.Context(), c.id, tandem.Chat); err != nil {
		t.Fatal(err)
	} else if _, err := p.talk.Reply(t.Context(), conv.ID, text.Reply{Agent: "ella", Text: "Please hold it closer"}); err != nil {
		t.Errorf("the officer's words: %v", err)
	}
	page.Reads("Please hold it closer")
	over := time.Now()
	p.decides(t, p.asked(t, c.id, func(check.Check) bool { return true }), check.Passed)
	c.RTP.Hear(patience, over, 1130, 300*time.Millisecond)
	phone.WaitBye(patience)
	c.goesOn()
	c.WaitBye(patience)
	story := p.shows(t, c.id, "the end", func(story store.Story) bool { return story.Interaction.State == tandem.Closed })
	if got := outcomes(story); !slices.Equal(got, []string{"call done served"}) {
		t.Errorf("the tasks are %v", got)
	}
	if !slices.ContainsFunc(story.Legs, func(l tandem.Leg) bool { return l.Kind == tandem.LegSIP && l.Assurance == tandem.Proofed }) {
		t.Errorf("the legs are %+v", story.Legs)
	}
	p.verify(t)
}

// Whom the officer does not know and whom the flow brings into a line of that officer's goes on
// with them: one task, and what the flow says before is heard to its end.
func TestAnOfficerGoesOnWithACaller(t *testing.T) {
	t.Parallel()
	p := newProofLine(t, proofSetup{})
	c, is := p.rings(t, customer)
	phone := p.comes(t, c)
	p.agrees(t, is, customer)
	over := time.Now()
	p.decides(t, is, check.Failed)
	c.RTP.Hear(patience, over, 1600, 450*time.Millisecond)
	back := time.Now()
	c.RTP.Hear(patience, back, agentHz, 500*time.Millisecond)
	phone.RTP.Hear(patience, back, callerHz, 500*time.Millisecond)
	if tasks := p.line.Of(c.id); len(tasks) != 1 || tasks[0].State != tandem.TaskAssigned || tasks[0].Agent != "ella" {
		t.Errorf("the tasks are %+v", tasks)
	}
	phone.Bye()
	c.hears("Good bye.")
	c.WaitBye(patience)
	story := p.shows(t, c.id, "the end", func(story store.Story) bool { return story.Interaction.State == tandem.Closed })
	if got := outcomes(story); !slices.Equal(got, []string{"call done served"}) {
		t.Errorf("the tasks are %v", got)
	}
	if strings.Contains(p.log.String(), "an answer was dropped") {
		t.Error("the call was told again and again whose it is")
	}
	p.verify(t)
}

// If that line is none of theirs, they are done with the caller, who is in line once.
func TestAnOfficerLetsACallerGo(t *testing.T) {
	t.Parallel()
	p := newProofLine(t, proofSetup{team: "night"})
	if _, err := p.line.Present(t.Context(), "omar", tandem.PresenceAway, ""); err != nil {
		t.Fatal(err)
	}
	c, is := p.rings(t, customer)
	phone := p.comes(t, c)
	p.agrees(t, is, customer)
	p.decides(t, is, check.Failed)
	phone.WaitBye(patience)
	c.hears("We could not be sure.")
	until(t, "the caller to be out of the officer's hands", func() bool {
		return !slices.ContainsFunc(p.line.Of(c.id), func(t tandem.Task) bool { return t.Agent == "ella" })
	})
	c.Bye()
	p.shows(t, c.id, "the end", func(story store.Story) bool { return story.Interaction.State == tandem.Closed })
	p.verify(t)
}

// A caller's check ends in whichever way, and the flow goes on as that leads, or the call is over; nobody
// is called for them any more.
func TestHowACallersCheckEnds(t *testing.T) {
	t.Parallel()
	gone := func(t *testing.T, p *proofLine, c *caller, is check.Check, as check.State) {
		t.Helper()
		until(t, "the tasks to be over", func() bool { return !p.App.comes(c.id) })
		until(t, "the check to be over", func() bool { now, err := p.faces.checks.Find(t.Context(), is.ID); return err == nil && now.State == as })
		p.verify(t)
	}
	t.Run("they press 0", func(t *testing.T) {
		t.Parallel()
		p := newProofLine(t, proofSetup{agents: []string{"ella"}})
		c, is := p.rings(t, customer)
		phone := p.ella.Rung(patience)
		phone.Says(180, "Ringing")
		c.RTP.Type("0")
		c.hears("You did not want that.")
		c.WaitBye(patience)
		gone(t, p, c, is, check.Declined)
	})
	t.Run("they hang up in line", func(t *testing.T) {
		t.Parallel()
		p := newProofLine(t, proofSetup{})
		c, is := p.rings(t, customer)
		p.place(t, c.id, tandem.TaskCall)
		c.Bye()
		gone(t, p, c, is, check.Stopped)
	})
	t.Run("they hang up before the officer", func(t *testing.T) {
		t.Parallel()
		p := newProofLine(t, proofSetup{})
		c, is := p.rings(t, customer)
		phone := p.comes(t, c)
		c.Bye()
		phone.WaitBye(patience)
		gone(t, p, c, is, check.Stopped)
	})
	t.Run("nobody comes", func(t *testing.T) {
		t.Parallel()
		p := newProofLine(t, proofSetup{maxWait: "2s", team: "night"})
		c, is := p.rings(t, customer)
		c.hears("We could not be sure.")
		until(t, "the check to be over", func() bool {
			now, err := p.faces.checks.Find(t.Context(), is.ID)
			return err == nil && now.State == check.Stopped
		})
		c.Bye()
		gone(t, p, c, is, check.Stopped)
	})
	t.Run("the officer hangs up", func(t *testing.T) {
		t.Parallel()
		p := newProofLine(t, proofSetup{team: "night"})
		c, is := p.rings(t, customer)
		p.comes(t, c).Bye()
		c.hears("We could not be sure.")
		c.Bye()
		gone(t, p, c, is, check.Stopped)
	})
	t.Run("the officer gives them back to the line", func(t *testing.T) {
		t.Parallel()
		p := newProofLine(t, proofSetup{})
		c, is := p.rings(t, customer)
		phone := p.comes(t, c)
		task := p.place(t, c.id, tandem.TaskCall)
		back := time.Now()
		if _, err := p.line.Release(t.Context(), route.Released{At: p.now(), Task: task.ID, Agent: task.Agent, Fence: task.Fence, Why: "handed_back", Again: true, NoWrap: true}, nil); err != nil {
			t.Fatal(err)
		}
		phone.WaitBye(patience)
		c.RTP.Hear(patience, back, waitingHz, 300*time.Millisecond)
		p.asked(t, c.id, func(now check.Check) bool { return now.ID == is.ID && now.Officer == "" })
		p.comes(t, c)
		p.asked(t, c.id, func(now check.Check) bool { return now.ID == is.ID && now.Officer == "ella" })
		c.Bye()
		gone(t, p, c, is, check.Stopped)
	})
	t.Run("the program ends", func(t *testing.T) {
		t.Parallel()
		p := newProofLine(t, proofSetup{})
		c, is := p.rings(t, customer)
		p.place(t, c.id, tandem.TaskCall)
		p.restart(t)
		until(t, "the check to be over", func() bool {
			now, err := p.faces.checks.Find(t.Context(), is.ID)
			return err == nil && now.State == check.Stopped
		})
		p.verify(t)
	})
}

// Where there is no number to text to, or no officer's queue to come into, the step says so, and
// nobody is called.
func TestACheckThatNoCallerCanHave(t *testing.T) {
	t.Parallel()
	p := newProofLine(t, proofSetup{})
	c := p.dials(t, "4", stranger) // no texts to them
	c.hears("That cannot be done here.")
	c.WaitBye(patience)
	if story := p.read(t, c.id); len(story.Tasks) != 0 || len(events(story, tandem.EventCheckBegun)) != 0 {
		t.Errorf("tasks %v, %d checks", outcomes(story), len(events(story, tandem.EventCheckBegun)))
	}
}

// A check that an agent began in a call gives its level to the session: handed back at a step
// that needs it, the caller is on there.
func TestAnAgentsCheckOnACallGivesItsLevel(t *testing.T) {
	t.Parallel()
	p := newProofLine(t, proofSetup{})
	c, is := p.rings(t, customer)
	phone := p.comes(t, c)
	p.agrees(t, is, customer)
	p.doubts(t, c, is)
	task := p.place(t, c.id, tandem.TaskCall)
	if err := p.HandBack(t.Context(), task, "ella", "proof/in"); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Fatalf("handed back to what needs proof: %v", err)
	}
	if _, err := (staffChecks{p.App}).Begin(t.Context(), "ella", task, "glance"); err != nil {
		t.Fatal(err)
	}
	p.decides(t, p.asked(t, c.id, func(now check.Check) bool { return now.By == "ella" }), check.Passed)
	until(t, "the level", func() bool { return p.HandBack(t.Context(), task, "ella", "proof/in") == nil })
	over := time.Now()
	phone.WaitBye(patience)
	c.RTP.Hear(patience, over, 1130, 300*time.Millisecond)
	c.goesOn()
	c.WaitBye(patience)
	p.verify(t)
}

// An officer who has a caller without a page asks the step for the check: the page is texted anew,
// and the officer goes on with the caller.
func TestAnOfficerAsksForACallersCheck(t *testing.T) {
	t.Parallel()
	p := newProofLine(t, proofSetup{})
	c, is := p.rings(t, customer)
	p.comes(t, c)
	p.doubts(t, c, is)
	texts := func() (n int) {
		for _, m := range p.texts.Inbox(customer).Got() {
			if strings.Contains(m.Text, "identity check") {
				n++
			}
		}
		return n
	}
	before := texts()
	if err := p.Ask(t.Context(), p.place(t, c.id, tandem.TaskCall), "ella", "proof/who"); err != nil {
		t.Fatal(err)
	}
	until(t, "another page to be texted", func() bool { return texts() == before+1 })
	p.asked(t, c.id, func(now check.Check) bool { return now.ID != is.ID && now.Officer == "ella" })
	c.Bye()
	p.verify(t)
}

// A visitor who waits for the officer of their check reads their place as in any line, and what the
// officer writes meanwhile. Whom the officer does not know they go on with.
func TestAnOfficerGoesOnWithAVisitor(t *testing.T) {
	t.Parallel()
	for team, keeps := range map[string]bool{"day": true, "night": false} {
		t.Run(team, func(t *testing.T) {
			t.Parallel()
			p := newProofLine(t, proofSetup{team: team})
			if _, err := p.line.Present(t.Context(), "omar", tandem.PresenceAway, ""); err != nil {
				t.Fatal(err)
			}
			c := p.visit(t)
			c.Open()
			c.Stands("a place", func(s testkit.ChatStanding) bool { return s.State == "waiting" && s.Position == 1 })
			conv := p.latest(t, "chat:demo")
			id := conv.Interaction.ID
			is := p.asked(t, id, func(check.Check) bool { return true })
			if _, err := p.line.Present(t.Context(), "ella", tandem.PresenceAvailable, ""); err != nil {
				t.Fatal(err)
			}
			until(t, "ella to have them", func() bool {
				p.line.Reachable("ella", tandem.LoadChat, true)
				now := p.place(t, id, tandem.TaskChat)
				if now.State == tandem.TaskOffered {
					_, err := p.line.Accept(t.Context(), now.ID, "ella", now.Fence)
					return err == nil
				}
				return now.State == tandem.TaskAssigned
			})
			c.Stands("no place", func(s testkit.ChatStanding) bool { return s.State == "over" })
			chat, err := p.book.ByInteraction(t.Context(), id, tandem.Chat)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := p.talk.Reply(t.Context(), chat.ID, text.Reply{Agent: "ella", Text: "Hold it up, please"}); err != nil {
				t.Errorf("the officer's words: %v", err)
			}
			c.Reads("Hold it up, please")
			p.asked(t, id, func(c check.Check) bool { return c.Officer == "ella" })
			p.decides(t, is, check.Failed)
			c.Reads("We could not be sure.")
			if !keeps {
				c.Stands("another line", func(s testkit.ChatStanding) bool { return s.State == "waiting" })
				until(t, "ella to be done with them", func() bool {
					return !slices.ContainsFunc(p.line.Of(id), func(t tandem.Task) bool { return t.Agent == "ella" && t.State == tandem.TaskAssigned })
				})
				return
			}
			c.Stands("ella", func(s testkit.ChatStanding) bool { return s.State == "served" && s.Agent == "ella" })
			tasks := p.line.Of(id)
			if len(tasks) != 1 || tasks[0].Agent != "ella" {
				t.Fatalf("the tasks are %+v", tasks)
			}
			p.restart(t) // and it is still she who has them
			c.Connect(testkit.Patience)
			c.Stands("ella", func(s testkit.ChatStanding) bool { return s.State == "served" })
			p.releases(t, p.place(t, id, tandem.TaskChat))
			c.Reads("Good bye.")
			p.verify(t)
		})
	}
}
