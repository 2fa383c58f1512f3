package phone

import (
	"encoding/json"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tandem"
	"tandem/internal/testkit"
	"tandem/media"
)

// A supervisor listens unseen, whispers to the agent alone, and barges in; the journal has
// each before they hear.
func TestSupervise(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c, anna := d.talking()
	lead := d.sit("lead", leadHz)
	d.refuses("lead", Command{Do: Listen}, tandem.CodeInvalid) // no reason
	d.refuses("ben", Command{Do: Listen, Why: "curious"}, tandem.CodeNotFound)
	before, _ := d.Talk("t1")
	d.do("lead", Command{Do: Listen, Why: "quality"})
	mixed(t, lead.phone, callerHz, agentHz)
	if is, _ := d.Talk("t1"); !is.Direct || len(is.Parties) != 3 || len(is.Seen("anna", false).Parties) != len(before.Parties) || len(is.Seen("lead", true).Parties) != 3 {
		t.Errorf("the talk is %+v", is)
	}
	for _, p := range []*testkit.RTP{c.phone, anna.phone} {
		if got := heardBy(p, leadHz); len(got) > 0 {
			t.Errorf("who listens is heard: %v", got)
		}
	}
	d.do("lead", Command{Do: Whisper, Why: "coaching"})
	mixed(t, anna.phone, callerHz, leadHz)
	mixed(t, c.phone, agentHz)
	if got := heardBy(c.phone, leadHz); len(got) > 0 {
		t.Errorf("while somebody whispers the customer hears %v", got)
	}
	if is, _ := d.Talk("t1"); !is.Direct {
		t.Error("a whisperer changes how the customer is sent the agent's packets")
	}
	d.do("lead", Command{Do: Barge, Why: "complaint"})
	mixed(t, c.phone, agentHz, leadHz)
	d.do("lead", Command{Do: Leave})
	c.hears(t, agentHz)
	d.do("anna", Command{Do: Leave})
	d.idle()
	heard := 0
	for _, e := range d.books.events() {
		switch e.Kind {
		case tandem.EventListened:
			heard++
		case tandem.EventJoined:
			var is tandem.Joined
			_ = json.Unmarshal(e.Data, &is)
			if is.Role == tandem.RoleListener && heard == 0 {
				t.Error("somebody listened before the journal had it")
			}
		}
	}
	if heard != 3 {
		t.Errorf("%d audit events, want 3", heard)
	}
	d.sums(c)
}

// Nobody listens while that cannot be written down.
func TestNoListeningWithoutAJournal(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	d.talking()
	lead := d.sit("lead", leadHz)
	d.books.mu.Lock()
	d.books.down = true
	d.books.mu.Unlock()
	d.refuses("lead", Command{Do: Listen, Why: "quality"}, tandem.CodeUnavailable)
	if got := heardBy(lead.phone, callerHz, agentHz); len(got) > 0 {
		t.Errorf("they hear %v", got)
	}
	d.books.mu.Lock()
	d.books.down = false
	d.books.mu.Unlock()
	d.do("lead", Command{Do: Listen, Why: "quality"})
}

// A supervisor listens to a customer whom nobody serves yet, and goes on as an agent does.
func TestListenInTheFlow(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c := d.waits()
	lead, anna := d.sit("lead", leadHz), d.sit("anna", agentHz)
	if err := c.stream.Play(media.Item{ID: 1, Clips: []*media.Clip{media.Tone(busyHz, 1000)}, Loop: true}); err != nil {
		t.Fatal(err)
	}
	ask := Command{Interaction: "i1", Do: Listen, Why: "stuck"}
	if err := d.Do(t.Context(), "anna", ask); tandem.CodeOf(err) != tandem.CodeNotFound {
		t.Error(err)
	}
	if err := d.Do(t.Context(), "lead", ask); err != nil {
		t.Fatal(err)
	}
	mixed(t, lead.phone, callerHz, busyHz)
	c.hears(t, busyHz)
	if err := d.Do(t.Context(), "lead", Command{Interaction: "i1", Do: Barge, Why: "stuck"}); tandem.CodeOf(err) != tandem.CodeConflict {
		t.Errorf("barged in on nobody: %v", err)
	}
	c.stream.Stop()
	d.house.line.offer(task(tandem.TaskCall, "anna"))
	d.house.line.assign()
	anna.hears(t, callerHz)
	mixed(t, lead.phone, callerHz, agentHz)
	d.do("anna", Command{Do: Leave})
	d.idle()
	d.sees("all over", func() bool { return len(d.Switchboard.Talks()) == 0 })
	d.sums(c)
}

// The last listener's leaving ends a talk that nobody serves, and so does the customer's.
func TestListeningEnds(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c := d.waits()
	d.sit("lead", leadHz)
	for _, end := range []func(){
		func() {
			if err := d.Do(t.Context(), "lead", Command{Interaction: "i1", Do: Leave}); err != nil {
				t.Error(err)
			}
		},
		func() { c.leaves(tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup)) },
	} {
		if err := d.Do(t.Context(), "lead", Command{Interaction: "i1", Do: Listen, Why: "stuck"}); err != nil {
			t.Fatal(err)
		}
		end()
		d.sees("over", func() bool { return d.last().Over })
	}
	d.sums(c)
}

// The flow has the customer for a step: the agent hears it, and gets them back.
func TestLend(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c, anna := d.talking()
	if err := d.Lend(t.Context(), "i1"); err != nil {
		t.Fatal(err)
	}
	if err := c.stream.Play(media.Item{ID: 1, Clips: []*media.Clip{media.Tone(busyHz, 1000)}, Loop: true}); err != nil {
		t.Fatal(err)
	}
	c.hears(t, busyHz)
	mixed(t, anna.phone, callerHz, busyHz)
	d.refuses("anna", Command{Do: Hold}, tandem.CodeConflict)
	c.stream.Hush(true)
	d.Secret("i1", true)
	d.sees("secret", func() bool { return d.last().Secret && d.last().Lent })
	mixed(t, anna.phone, busyHz)
	if got := heardBy(anna.phone, callerHz); len(got) > 0 {
		t.Errorf("while the customer enters a secret the agent hears %v", got)
	}
	c.stream.Hush(false)
	d.Secret("i1", false)
	c.stream.Stop()
	if err := d.GiveBack(t.Context(), "i1"); err != nil {
		t.Fatal(err)
	}
	c.hears(t, agentHz)
	anna.hears(t, callerHz)
	if err := d.Lend(t.Context(), "i9"); tandem.CodeOf(err) != tandem.CodeNotFound {
		t.Error(err)
	}
}

// Who loses the right to listen in is sent away within seconds, from talks and from customers
// whom nobody serves.
func TestTheRightIsTakenAway(t *testing.T) {
	for _, where := range []string{"a talk", "the flow"} {
		t.Run(where, func(t *testing.T) {
			t.Parallel()
			var may atomic.Bool
			may.Store(true)
			d := newDesk(t, func(_ *desk, o *Options) {
				o.Supervises = func(who string, _ tandem.InteractionID) bool { return who == "lead" && may.Load() }
			})
			d.again = 20 * time.Millisecond
			ask := Command{Interaction: "i1", Do: Listen, Why: "quality"}
			if where == "a talk" {
				d.talking()
			} else {
				d.waits()
			}
			lead := d.sit("lead", leadHz)
			if err := d.Do(t.Context(), "lead", ask); err != nil {
				t.Fatal(err)
			}
			want := []int{callerHz}
			if where == "a talk" {
				want = append(want, agentHz)
			}
			mixed(t, lead.phone, want...)
			may.Store(false)
			d.sees("sent away", func() bool {
				return !slices.ContainsFunc(d.last().Parties, func(p Party) bool { return p.Role == tandem.RoleListener })
			})
			if got := heardBy(lead.phone, callerHz, agentHz); len(got) > 0 {
				t.Errorf("they hear %v", got)
			}
			for _, e := range d.books.events() {
				var is tandem.Parted
				if _ = json.Unmarshal(e.Data, &is); e.Kind == tandem.EventParted && e.Actor == "lead" && is.Why != "removed" && is.Why != "over" {
					t.Errorf("they left: %+v", is)
				}
			}
		})
	}
}

// Two who begin to listen to one customer at once, as an agent takes them, are in one room.
func TestAllAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(_ *desk, o *Options) {
		o.Supervises = func(who string, _ tandem.InteractionID) bool { return who == "lead" || who == "chief" }
	})
	d.sit("lead", leadHz)
	d.sit("chief", benHz)
	anna := d.sit("anna", agentHz)
	for round := range 20 {
		c := d.waits()
		offer := task(tandem.TaskCall, "anna")
		offer.Fence = uint64(10 * (round + 1))
		var all sync.WaitGroup
		for _, who := range []string{"lead", "chief"} {
			all.Go(func() {
				err := d.Do(t.Context(), who, Command{Interaction: "i1", Do: Listen, Why: "quality"})
				if code := tandem.CodeOf(err); err != nil && code != tandem.CodeConflict && code != tandem.CodeUnavailable {
					t.Errorf("%s: %v", who, err)
				}
			})
		}
		d.house.line.offer(offer)
		d.house.line.assign()
		all.Wait()
		anna.hears(t, callerHz)
		d.do("anna", Command{Do: Leave})
		d.idle()
		c.leaves(tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup))
		d.sees("over", func() bool { return len(d.Switchboard.Talks()) == 0 })
		if d.sits("lead") || d.sits("chief") || d.sits("anna") {
			t.Fatal("somebody sits in a talk that is over")
		}
	}
	d.sums(nil)
}
