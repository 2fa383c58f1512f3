package phone

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/route"
	"tandem/internal/testkit"
)

// An agent whose connection breaks: the customer is told and kept. If it mends they go on,
// also by a page that was loaded anew.
func TestTheLidIsClosed(t *testing.T) {
	for _, name := range []string{"mends", "comes back by another page"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, nil)
			c, anna := d.talking()
			anna.states <- SeatCut
			d.sees("cut", func() bool { return len(d.last().Parties) == 2 && d.last().Parties[0].State == StateCut })
			c.until(t, "interrupted")
			if name == "mends" {
				anna.states <- SeatUp
			} else {
				anna.states <- SeatGone
				anna = d.sit("anna", agentHz)
			}
			c.until(t, "mended")
			c.hears(t, agentHz)
			anna.hears(t, callerHz)
			d.do("anna", Command{Do: Leave})
			d.idle()
			d.lineTold("release done over served")
			d.sums(c)
		})
	}
}

// until waits until the customer's call was told something.
func (c *customer) until(t *testing.T, what string) {
	t.Helper()
	for limit := time.Now().Add(patience); !strings.Contains(c.story(), what); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatalf("the caller's call was never told %q: %s", what, c.story())
		}
	}
}

// An agent who is not back in time is lost, and out of reach: the customer is back in line.
func TestTheLidStaysClosed(t *testing.T) {
	if testing.Short() {
		t.Skip("takes 30 s")
	}
	t.Parallel()
	d := newDesk(t, nil)
	c, anna := d.talking()
	d.mu.Lock()
	delete(d.seats, "anna")
	d.mu.Unlock()
	d.Seated("anna", false)
	anna.states <- SeatGone
	c.until(t, "interrupted")
	d.house.line.until(t, "lost", func() bool { return true })
	for limit := time.Now().Add(mendTime + patience); !slices.Contains(d.house.line.wasTold(), "release lost again"); time.Sleep(time.Millisecond) {
		if time.Now().After(limit) {
			t.Fatal("the line was never told")
		}
	}
	d.idle()
	if !d.saw(CountedLost) || !d.house.line.outOfReach() {
		t.Error("the agent counts as there")
	}
	d.sums(c)
}

// An offer at a desk that is closed meanwhile is given to the next at once.
func TestTheDeskIsClosedAsItRings(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	d.waits()
	d.sit("anna", agentHz)
	d.house.line.offer(task(tandem.TaskCall, "anna"))
	d.mu.Lock()
	delete(d.seats, "anna")
	d.mu.Unlock()
	d.Seated("anna", false)
	d.house.line.told(t, "decline anna 7 unreachable")
	d.idle()
}

// A customer who was called back is kept as their agent passes the task on: they hear music
// until the next agent has them, and nobody is dialled again.
func TestACalledCustomerIsKept(t *testing.T) {
	for _, name := range []string{"passed on", "lost", "leaves meanwhile", "closed meanwhile"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHouse(t, nil)
			agent := agentWaits(h, task(tandem.TaskCallback, "anna"))
			customer := h.number.Rung(patience)
			customer.RTP.Talk(testkit.Tone(customerHz, time.Second))
			customer.Picks()
			customer.RTP.Hear(patience, time.Time{}, agentHz, steady)
			if name == "lost" {
				agent.RTP.Quiet()
				h.line.told(t, "release lost again")
			} else {
				h.line.mu.Lock()
				h.line.task.State = tandem.TaskWaiting
				waits := h.line.task
				h.line.mu.Unlock()
				h.line.tell(route.TaskReleased{Task: waits, Agent: "anna", Fence: 7, Why: "transferred"})
			}
			agent.WaitBye(patience)
			customer.RTP.Hear(patience, time.Now(), musicHz, steady)
			if name == "closed meanwhile" {
				h.line.mu.Lock()
				h.line.task.State = tandem.TaskDone
				over := h.line.task
				h.line.mu.Unlock()
				h.line.tell(route.TaskOver{Task: over})
				customer.WaitBye(patience)
				for limit := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
					legs := h.books.all()
					if how := legs[len(legs)-1].Termination; how.Reason == tandem.ReasonHangup {
						break
					} else if how.Reason != "" || time.Now().After(limit) {
						t.Fatalf("the customer's leg ended by %s", how)
					}
				}
				h.idle()
				return
			}
			if name == "leaves meanwhile" {
				customer.Bye()
				h.line.told(t, "end left")
				h.idle()
				return
			}
			again := task(tandem.TaskCallback, "anna")
			again.Fence = 8
			h.line.offer(again)
			next := h.anna.Rung(patience)
			next.RTP.Talk(testkit.Tone(benHz, time.Second))
			next.Picks()
			customer.RTP.Hear(patience, time.Now(), benHz, steady)
			next.RTP.Hear(patience, time.Now(), customerHz, steady)
			if !h.number.Silent(0) {
				t.Error("the customer was dialled again")
			}
			next.Bye()
			customer.WaitBye(patience)
			h.idle()
		})
	}
}

// Asks that nobody answers do not hang.
func TestAskOfATalkThatIsOver(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c, _ := d.talking()
	c.leaves(tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup))
	d.idle()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := d.Do(ctx, "anna", Command{Task: "t1", Do: Hold}); tandem.CodeOf(err) != tandem.CodeNotFound {
		t.Error(err)
	}
	if err := d.Answer(ctx, "anna", "x", true); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Error(err)
	}
	if err := d.GiveBack(ctx, "i1"); tandem.CodeOf(err) != tandem.CodeNotFound {
		t.Error(err)
	}
}
