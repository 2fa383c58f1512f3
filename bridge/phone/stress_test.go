package phone

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/bridge/route"
)

// Everybody does anything at any time: whatever comes of it, each call ends for all, each leg
// has one end, the journal's seconds sum, the line knows that nobody is asked in any more, and
// no goroutine is left (TestMain).
func TestEverybodyDoesAnything(t *testing.T) {
	rounds := 12
	if testing.Short() {
		rounds = 4
	}
	d := newDesk(t, func(d *desk, o *Options) {
		o.Supervises = func(who string, _ tandem.InteractionID) bool { return who == "lead" }
	})
	seats := map[string]*browser{"anna": d.sit("anna", agentHz), "ben": d.sit("ben", benHz), "lead": d.sit("lead", leadHz)}
	for round := range rounds {
		r := rand.New(rand.NewPCG(uint64(round), 7))
		c := d.waits()
		offer := task(tandem.TaskCall, "anna")
		offer.Fence = uint64(100 * (round + 1))
		if r.IntN(3) == 0 {
			_ = d.Do(t.Context(), "lead", Command{Interaction: "i1", Do: Listen, Why: "stress"})
		}
		d.house.line.offer(offer)
		d.house.line.assign()
		d.sees("a talk", func() bool { return d.last().Agent != "" && !d.last().Over })
		ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
		var all sync.WaitGroup
		for _, who := range []string{"anna", "ben", "lead"} {
			own := rand.New(rand.NewPCG(uint64(round), uint64(len(who)*100)+uint64(who[0])))
			all.Go(func() { d.anything(ctx, own, who) })
		}
		all.Go(func() { // the agent's network
			for i := 0; i < 3 && ctx.Err() == nil; i++ {
				for _, state := range []SeatState{SeatCut, SeatUp} {
					select {
					case seats["anna"].states <- state:
					case <-ctx.Done():
					}
				}
			}
		})
		all.Wait()
		cancel()
		if r.IntN(2) == 0 {
			c.leaves(tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup))
		} else {
			d.house.line.mu.Lock()
			d.house.line.task.State = tandem.TaskDone
			over := d.house.line.task
			d.house.line.mu.Unlock()
			d.house.line.tell(route.TaskOver{Task: over})
		}
		d.idle()
		d.sees("over", func() bool { return len(d.Switchboard.Talks()) == 0 })
		for {
			select {
			case <-seats["anna"].states:
				continue
			default:
			}
			break
		}
	}
	d.afterAnything()
}

// afterAnything looks that nothing was left behind.
func (d *desk) afterAnything() {
	t := d.t
	t.Helper()
	sums(t, d.books.events())
	for _, l := range d.books.all() {
		if l.Ended.IsZero() || l.Termination.Reason == "" {
			t.Errorf("a leg has no end: %+v", l)
		}
	}
	d.house.mu.Lock()
	defer d.house.mu.Unlock()
	if len(d.panics) > 0 {
		t.Errorf("faults: %v", d.panics)
	}
	asked := map[string]int{}
	for _, told := range d.house.line.wasTold() {
		switch told {
		case "consulted ben true":
			asked["ben"]++
		case "consulted ben false":
			asked["ben"]--
		}
	}
	if asked["ben"] != 0 {
		t.Errorf("ben counts as asked in %d times", asked["ben"])
	}
}

// anything does what comes to somebody's mind.
func (d *desk) anything(ctx context.Context, r *rand.Rand, who string) {
	doings := []Doing{Hold, Resume, Mute, Unmute, Keys, Consult, Consult, Swap, Merge, Complete, Drop, Remove, Listen, Whisper, Barge, Leave, "nonsense"}
	for ctx.Err() == nil {
		c := Command{Task: "t1", Do: doings[r.IntN(len(doings))], Keys: "1", Why: "stress", To: Target{Agent: []string{"anna", "ben"}[r.IntN(2)]}}
		if is, ok := d.Talk("t1"); ok && len(is.Parties) > 0 && r.IntN(3) == 0 {
			c.Leg = is.Parties[r.IntN(len(is.Parties))].Leg
		}
		if c.Do == Leave && r.IntN(6) > 0 {
			continue
		}
		var plain *tandem.Error
		if err := d.Do(ctx, who, c); err != nil && !errors.As(err, &plain) {
			d.t.Errorf("%s: %s: %v", who, c.Do, err)
		}
		for _, i := range d.Invites(who) {
			_ = d.Answer(ctx, who, i.ID, r.IntN(3) > 0)
		}
		switch r.IntN(12) {
		case 0:
			_ = d.Lend(ctx, "i1")
		case 1:
			_ = d.GiveBack(ctx, "i1")
		case 2:
			d.Secret("i1", r.IntN(2) == 0)
		}
	}
}
