package interop

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
	"tandem/store"
)

const (
	agentHz, customerHz = 1000, 1600
	// offerTime is a little more than an offer of the set-up holds.
	offerTime = 15 * time.Second
)

// desk is a server with a line that two agents serve by telephone, and a trunk to
// customers' phones.
type desk struct {
	*testkit.Server
	t                  *testing.T
	anna, ben, carrier *testkit.Callee
	key                string
}

func newDesk(t *testing.T, more ...testkit.Setting) *desk {
	t.Helper()
	d := &desk{t: t, anna: testkit.NewCallee(t), ben: testkit.NewCallee(t), carrier: testkit.NewCallee(t)}
	phones := map[string]any{"anna": map[string]any{"phone": d.anna.URI("anna")}, "ben": map[string]any{"phone": d.ben.URI("ben")}}
	d.Server = serve(t, append([]testkit.Setting{
		testkit.Set("entries.line", "line"), testkit.Set("agents", phones), testkit.Set("line.verify", true),
		testkit.Set("sip.trunks.carrier", map[string]any{"host": d.carrier.Local().String(), "from": "+861055550100"}),
		testkit.Set("outbound.allow", []string{"+86"}),
	}, more...)...)
	out, errs, status := d.Command(t, "key", "add", "test", "--config", d.Config, "--scope", "line:read,line:write")
	if status != 0 {
		t.Fatalf("making a key: %s", errs)
	}
	d.key = strings.TrimSpace(out)
	return d
}

// api asks the staff API.
func (d *desk) api(method, path string, body, out any) int {
	d.t.Helper()
	return testkit.HTTPAs(d.t, method, "http://"+d.Staff.String()+path, d.key, body, out)
}

func (d *desk) presents(agent string, p tandem.Presence) {
	d.t.Helper()
	if code := d.api(http.MethodPut, "/api/v1/agents/"+agent+"/presence", map[string]any{"presence": p}, nil); code != http.StatusOK {
		d.t.Fatalf("setting the presence of %s: %d", agent, code)
	}
}

// calls has a customer come into line.
func (d *desk) calls(from string) *testkit.Dialog {
	d.t.Helper()
	c := testkit.NewPeer(d.t, "udp", d.SIP).Call("line", testkit.Options{From: from})
	c.RTP.Talk(testkit.Tone(customerHz, time.Second))
	c.RTP.Hear(soon, time.Time{}, briefHz, time.Second)
	return c
}

// meet has both sides of a call hear each other.
func meet(agent, customer *testkit.Dialog) {
	agent.RTP.Talk(testkit.Tone(agentHz, time.Second))
	agent.Picks()
	agent.RTP.Hear(soon, time.Now(), customerHz, 500*time.Millisecond)
	customer.RTP.Hear(soon, time.Now(), agentHz, 500*time.Millisecond)
}

// of is the story of a caller.
func (d *desk) of(from string) (found store.Story) {
	d.t.Helper()
	for _, i := range d.Interactions(d.t) {
		if strings.Contains(i.From, from) {
			return d.Story(d.t, string(i.ID))
		}
	}
	d.t.Fatalf("there is no call of %s", from)
	return found
}

// becomes waits until a caller's only task is so.
func (d *desk) becomes(from, what string, is func(tandem.Task) bool) tandem.Task {
	d.t.Helper()
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	deadline := time.After(offerTime)
	for {
		tasks := d.of(from).Tasks
		if len(tasks) == 1 && is(tasks[0]) {
			return tasks[0]
		}
		select {
		case <-look.C:
		case <-deadline:
			d.t.Fatalf("the task of %s is never %s: %+v", from, what, tasks)
		}
	}
}

// TestLineKilled ends the server by SIGKILL as one caller speaks with an agent and another
// waits: both are called back, in the order in which they came, each as soon as an agent is
// there. Killed again as the second customer's phone rings, it does not ring it twice for
// that try.
func TestLineKilled(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.presents("anna", tandem.PresenceAvailable)
	first := d.calls("13900000001")
	meet(d.anna.Rung(offerTime), first)
	second := d.calls("13900000002")
	waits := d.becomes("13900000002", "in line", func(t tandem.Task) bool { return t.State == tandem.TaskWaiting })
	has := d.becomes("13900000001", "with an agent", func(t tandem.Task) bool { return t.State == tandem.TaskAssigned && t.Agent == "anna" })
	killed := time.Now()
	d.Kill(t)
	first.RTP.Quiet()
	second.RTP.Quiet()
	d.Start(t)
	for from, was := range map[string]tandem.Task{"13900000001": has, "13900000002": waits} {
		is := d.becomes(from, "a callback", func(t tandem.Task) bool { return t.Kind == tandem.TaskCallback })
		if !is.Arrived.Equal(was.Arrived) || !is.Due.Equal(was.Due) || is.ID != was.ID {
			t.Errorf("the place of %s was %+v and is %+v", from, was, is)
		}
		for _, leg := range d.of(from).Legs {
			if leg.Started.Before(killed) && leg.Termination.Reason != tandem.ReasonCrash {
				t.Errorf("a leg to %s that the crash left open is %s", leg.To, leg.Termination)
			}
		}
	}
	agent := d.anna.Rung(offerTime) // she is still there
	agent.RTP.Talk(testkit.Tone(agentHz, time.Second))
	agent.Picks()
	customer := d.carrier.Rung(soon)
	if !strings.Contains(customer.Invite.Start, "13900000001") {
		t.Errorf("who came first is not called first, but %s", customer.Invite.Start)
	}
	customer.RTP.Talk(testkit.Tone(customerHz, time.Second))
	customer.Picks()
	customer.RTP.Hear(soon, time.Now(), agentHz, 500*time.Millisecond)
	agent.RTP.Hear(soon, time.Now(), customerHz, 500*time.Millisecond)
	agent.Bye()
	customer.WaitBye(soon)
	d.becomes("13900000001", "served", func(t tandem.Task) bool { return t.State == tandem.TaskDone && t.Outcome == tandem.OutcomeServed })

	d.anna.Rung(offerTime).Picks()
	customer = d.carrier.Rung(soon)
	if !strings.Contains(customer.Invite.Start, "13900000002") {
		t.Errorf("then %s is called", customer.Invite.Start)
	}
	d.Kill(t)
	d.Start(t)
	agent = d.anna.Rung(offerTime)
	agent.Picks()
	agent.WaitBye(offerTime) // after the tone that says that nobody is called
	task := d.becomes("13900000002", "waiting for the next try", func(t tandem.Task) bool { return t.State == tandem.TaskWaiting && t.Tries == 1 })
	if !task.NotBefore.After(time.Now()) {
		t.Errorf("the next try is not before %v", task.NotBefore)
	}
	if !d.carrier.Silent(500 * time.Millisecond) {
		t.Error("the customer was called twice for one try")
	}
	d.Verify(t)
	if out, errs, status := d.Command(t, "audit", "--config", d.Config); status != 0 {
		t.Errorf("the audit of the line:\n%s%s", out, errs)
	}
	if log := d.Log(); strings.Contains(log, "the line is broken") {
		t.Error(fmt.Sprint("the line was broken: ", log))
	}
}

// TestLineStopped stops the server in order while one caller speaks with an agent and
// another waits: both were cut off by us, and keep their places as callbacks.
func TestLineStopped(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.presents("anna", tandem.PresenceAvailable)
	first := d.calls("13900000001")
	agent := d.anna.Rung(offerTime)
	meet(agent, first)
	second := d.calls("13900000002")
	waits := d.becomes("13900000002", "in line", func(t tandem.Task) bool { return t.State == tandem.TaskWaiting })
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for _, c := range []*testkit.Dialog{first, second, agent} {
			c.WaitBye(offerTime)
		}
	}()
	d.Stop(t)
	<-stopped
	d.Start(t)
	is := d.becomes("13900000002", "a callback", func(t tandem.Task) bool { return t.Kind == tandem.TaskCallback })
	if !is.Arrived.Equal(waits.Arrived) || !is.Due.Equal(waits.Due) || is.ID != waits.ID {
		t.Errorf("the place was %+v and is %+v", waits, is)
	}
	d.becomes("13900000001", "a callback", func(t tandem.Task) bool { return t.Kind == tandem.TaskCallback })
	for _, from := range []string{"13900000001", "13900000002"} {
		for _, leg := range d.of(from).Legs {
			if leg.Inbound && leg.Termination.Reason != tandem.ReasonShutdown {
				t.Errorf("the leg of %s ended by %s", from, leg.Termination)
			}
		}
	}
	d.Verify(t)
}

// TestAgentsPhone has baresip, a real phone, be an agent's: it is found there, rings for a
// caller in line, both hear each other, hold works, and the flow goes on as it hangs up.
func TestAgentsPhone(t *testing.T) {
	t.Parallel()
	testkit.Need(t, "baresip")
	phone := testkit.NewPhone(t, testkit.PhoneOptions{Name: "anna", Says: testkit.Tone(agentHz, time.Second), Answers: true})
	d := newDesk(t, testkit.Set("agents.anna.phone", phone.URI()))
	d.presents("anna", tandem.PresenceAvailable)
	c := d.calls("13900000001")
	phone.Wait(offerTime, "CALL_ESTABLISHED")
	c.RTP.Hear(soon, time.Time{}, agentHz, time.Second)
	heardTone(t, phone, customerHz, time.Second, soon)
	c.RTP.Type("1") // an offer till now, the agent's from here on
	if key := phone.Wait(soon, "CALL_DTMF_START").Param; key != "1" {
		t.Errorf("key 1 came to the phone as %q", key)
	}
	phone.Hold()
	stopsHearing(t, phone)
	phone.Resume()
	c.RTP.Hear(soon, time.Now(), agentHz, time.Second)
	over := time.Now()
	phone.Hangup()
	c.RTP.Hear(soon, over, askHz, time.Second)
	c.WaitBye(soon + 2*time.Second)
	task := d.becomes("13900000001", "served", func(t tandem.Task) bool { return t.State == tandem.TaskDone })
	if task.Outcome != tandem.OutcomeServed || task.Agent != "anna" {
		t.Errorf("the task is %+v", task)
	}
	d.Verify(t)
}
