package interop

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
)

// clerk is an agent's program.
type clerk struct {
	t         *testing.T
	base, key string
}

// clerk makes a user who is an agent, and their key.
func (d *desk) clerk(name string) *clerk {
	d.t.Helper()
	if _, errs, status := d.Command(d.t, "user", "add", name, "--config", d.Config, "--role", "agent", "--draw"); status != 0 {
		d.t.Fatalf("adding %s: %s", name, errs)
	}
	out, errs, status := d.Command(d.t, "key", "add", "--config", d.Config, "--agent", name, "--scope", "agent")
	if status != 0 {
		d.t.Fatalf("making a key for %s: %s", name, errs)
	}
	return &clerk{d.t, "http://" + d.Staff.String() + "/api/v1", strings.TrimSpace(out)}
}

func (c *clerk) asks(method, path string, body, out any) int {
	c.t.Helper()
	return testkit.HTTPAs(c.t, method, c.base+path, c.key, body, out)
}

func (c *clerk) must(method, path string, body, out any) {
	c.t.Helper()
	if code := c.asks(method, path, body, out); code < 200 || code > 299 {
		c.t.Fatalf("%s %s: %d", method, path, code)
	}
}

// offered waits until a task of a kind is offered to them.
func (c *clerk) offered(kind tandem.TaskKind) (id tandem.TaskID, fence uint64) {
	c.t.Helper()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(offerTime); time.Now().Before(deadline); <-look.C {
		var me struct {
			Agent struct {
				Holds []struct {
					Task  tandem.TaskID
					Kind  tandem.TaskKind
					State tandem.TaskState
					Fence uint64
				}
			}
		}
		c.must(http.MethodPut, "/agent/alive", nil, nil)
		c.must(http.MethodGet, "/agent", nil, &me)
		for _, h := range me.Agent.Holds {
			if h.Kind == kind && h.State == tandem.TaskOffered {
				return h.Task, h.Fence
			}
		}
	}
	c.t.Fatalf("no %s is offered", kind)
	return "", 0
}

// all are the tasks that are not done, by id.
func (d *desk) all() map[tandem.TaskID]tandem.Task {
	d.t.Helper()
	var line struct{ Tasks []tandem.Task }
	if code := d.api(http.MethodGet, "/api/v1/line?limit=100", nil, &line); code != http.StatusOK {
		d.t.Fatalf("the line: %d", code)
	}
	by := map[tandem.TaskID]tandem.Task{}
	for _, t := range line.Tasks {
		by[t.ID] = t
	}
	return by
}

// TestWaitingKilled ends the server by SIGKILL while one visitor is served in the chat,
// another is being offered to the same agent, a third is asked a survey, and a message, a
// ticket and a callback wait: everything is where it was, and goes on.
func TestWaitingKilled(t *testing.T) {
	t.Parallel()
	d := newDesk(t, testkit.Set("chat.sites", map[string]any{"counter": map[string]any{}}), testkit.Set("entries.chat:counter", "counter"),
		testkit.Set("entries.mailbox", "mailbox"))
	anna := d.clerk("anna")
	visit := func(first string) *testkit.Chat {
		c := testkit.NewChat(t, "http://"+d.HTTP.String(), testkit.ChatOptions{Site: "counter"})
		c.Open()
		c.Reads("Agent, order or rate?")
		c.Say(first)
		return c
	}
	anna.must(http.MethodPut, "/agent/alive", nil, nil)
	anna.must(http.MethodPut, "/agent/presence", map[string]any{"presence": "available"}, nil)
	d.anna.Answers(480) // at her desk, not at her phone
	served := visit("agent")
	with, fence := anna.offered(tandem.TaskChat)
	anna.must(http.MethodPost, "/tasks/"+string(with)+"/accept", map[string]any{"fence": fence}, nil)
	watchLine(t, "the session knows that an agent has them", func() bool {
		return anna.asks(http.MethodPost, "/tasks/"+string(with)+"/messages", map[string]any{"client": "m1", "text": "Good day."}, nil) < 300
	})
	served.Reads("Good day.")
	waits := visit("agent")
	out, _ := anna.offered(tandem.TaskChat)
	files := visit("order")
	files.Reads("It is filed.")
	asked := visit("rate")
	asked.Reads("How was it, from 1 to 5?")
	asked.Say("4")
	asked.Reads("Why?")
	mail := testkit.NewPeer(t, "udp", d.SIP).Call("mailbox", testkit.Options{From: "13900000004"})
	mail.RTP.Hear(soon, time.Time{}, 1000, 200*time.Millisecond) // the beep
	mail.RTP.Talk(testkit.Tone(customerHz, time.Second))
	wait := time.NewTimer(2500 * time.Millisecond) // they speak
	<-wait.C
	mail.Bye()
	books := testkit.NewPeer(t, "udp", d.SIP).Call("line", testkit.Options{From: "13900000005"})
	key := time.NewTicker(time.Second)
	defer key.Stop()
	for { // a key that is pressed before the offer is made is not heard
		if bye, ok := books.Take(time.Second, testkit.Requests("BYE")); ok {
			books.Send(bye.Reply(200, "OK", ""))
			break
		}
		books.RTP.Type("1")
		<-key.C
	}
	var before map[tandem.TaskID]tandem.Task
	watchLine(t, "five tasks", func() bool { before = d.all(); return len(before) == 5 })
	d.Kill(t)
	d.Start(t)
	after := d.all()
	kinds := map[tandem.TaskKind]int{}
	for id, was := range before {
		is, there := after[id]
		kinds[is.Kind]++
		if !there || is.Kind != was.Kind || !is.Arrived.Equal(was.Arrived) || !is.Due.Equal(was.Due) || is.Queue != was.Queue {
			t.Errorf("a task was %+v and is %+v", was, is)
		}
	}
	if len(after) != 5 || kinds[tandem.TaskChat] != 2 || kinds[tandem.TaskVoicemail] != 1 || kinds[tandem.TaskTicket] != 1 || kinds[tandem.TaskCallback] != 1 {
		t.Errorf("after the crash there are %v", kinds)
	}
	for _, c := range []*testkit.Chat{served, waits, asked} {
		if err := c.Connect(soon); err != nil {
			t.Fatal(err)
		}
	}
	served.Stands("still with anna", func(p testkit.ChatStanding) bool { return p.State == "served" && p.Agent == "anna" })
	waits.Stands("still in line", func(p testkit.ChatStanding) bool { return p.State == "waiting" })
	anna.must(http.MethodPost, "/tasks/"+string(with)+"/messages", map[string]any{"client": "m1", "text": "Good day."}, nil) // her program asks again
	anna.must(http.MethodPost, "/tasks/"+string(with)+"/messages", map[string]any{"client": "m2", "text": "Still here."}, nil)
	served.Reads("Still here.")
	served.Say("So am I.")
	served.Acknowledged()
	var said struct{ Messages []struct{ Text string } }
	anna.must(http.MethodGet, "/tasks/"+string(with)+"/messages", nil, &said)
	if n := len(said.Messages); n == 0 || said.Messages[n-1].Text != "So am I." {
		t.Errorf("the agent reads %+v", said.Messages)
	}
	days := 0
	for _, m := range served.Messages() {
		if m.Text == "Good day." {
			days++
		}
	}
	if days != 1 {
		t.Errorf("the agent's message is there %d times", days)
	}
	again, newer := anna.offered(tandem.TaskChat)
	if again != out {
		t.Errorf("offered is %s, not %s", again, out)
	}
	anna.must(http.MethodPost, "/tasks/"+string(again)+"/accept", map[string]any{"fence": newer}, nil)
	waits.Stands("with anna", func(p testkit.ChatStanding) bool { return p.State == "served" })
	anna.must(http.MethodPost, "/tasks/"+string(with)+"/release", map[string]any{"fence": fence}, nil)
	served.Reads("Thank you.")
	asked.Say("It was quick.")
	asked.Reads("Thank you.")
	d.Verify(t)
	if out, errs, status := d.Command(t, "audit", "--config", d.Config); status != 0 {
		t.Errorf("the audit of the line:\n%s%s", out, errs)
	}
	if log := d.Log(); strings.Contains(log, "the line is broken") {
		t.Error("the line was broken: ", log)
	}
}

// watchLine waits for what shows nowhere as an event.
func watchLine(t *testing.T, what string, there func() bool) {
	t.Helper()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for deadline := time.Now().Add(offerTime); !there(); <-look.C {
		if time.Now().After(deadline) {
			t.Fatalf("it never came to %s", what)
		}
	}
}
