package app

import (
	"context"
	"fmt"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/reach"
	"tandem/ivr/flow"
	"tandem/web/desk/view"
)

// sentOn is which customers were asked by their agent to go on by another channel: they may
// leave a wait in which somebody serves them. It is forgotten as the program stops; the agent
// asks again.
type sentOn struct {
	mu  sync.Mutex
	all map[tandem.InteractionID]int // serial of the wait
}

func (k *sentOn) set(in tandem.InteractionID, serial int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.all == nil || len(k.all) >= maxSentOn {
		k.all = map[tandem.InteractionID]int{}
	}
	k.all[in] = serial
}

// moveAgain is about how long the same way is not sent again.
const moveAgain = 2 * time.Minute

// maxSentOn bounds what is remembered; then all is forgotten.
const maxSentOn = 10_000

func (k *sentOn) is(in tandem.InteractionID, serial int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	was, ok := k.all[in]
	return ok && was == serial
}

func (k *sentOn) done(in tandem.InteractionID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.all, in)
}

// Move asks the customer whom an agent has to go on by another channel. The task is of that
// channel as soon as they are there.
func (w ways) Move(ctx context.Context, t tandem.Task, agent string, to tandem.Channel) (tandem.Task, error) {
	a := w.a
	who, s, in, err := a.whoIs(ctx, t)
	if err != nil {
		return tandem.Task{}, err
	}
	wait, err := a.waitOf(ctx, t.Interaction)
	if err != nil || wait.Kind != flow.WaitQueue || !wait.Served || s.Asked != nil {
		return tandem.Task{}, tandem.Errorf(tandem.CodeConflict, "this customer's flow cannot go on elsewhere now")
	}
	if err := a.servesBy(ctx, t.Interaction, to); err != nil {
		return tandem.Task{}, err
	}
	if _, ok := a.chatSite(in.Flow); to == tandem.Chat && !ok {
		return tandem.Task{}, tandem.Errorf(tandem.CodeConflict, "there is no chat to go on in: no entry of a chat is configured")
	}
	a.sentOn.set(t.Interaction, wait.Serial)
	key := fmt.Sprintf("move:%s/%s/%d", t.ID, to, a.now().Unix()/int64(moveAgain/time.Second)) // asked twice in a row it is sent once
	if to == tandem.SMS {
		err = a.reach.MoveFor(ctx, who, key, wait.Serial, reach.MoveText(who.Lang, to))
	} else {
		by := "sms"
		l, failed := a.reach.LinkFor(ctx, who, reach.AgentLink{Key: key, Agent: agent, To: to, Serial: wait.Serial, Needs: who.Assurance, By: by, Text: reach.MoveText(who.Lang, to),
			Flow: in.Flow, FlowHash: in.FlowHash})
		if err = failed; err == nil {
			a.desk.Link(t.Interaction, offeredOf(l))
		}
	}
	if err != nil {
		a.sentOn.done(t.Interaction)
		return tandem.Task{}, err
	}
	if now, ok := a.line.Task(t.ID); ok {
		t = now
	}
	return t, nil
}

// linkTold tells those who serve a customer what became of a link; true if an agent sent it,
// for whom no session waits.
func (a *App) linkTold(in tandem.InteractionID, l view.Offered, serial int) (byAgent bool) {
	if a.desk != nil {
		a.desk.Link(in, l)
	}
	return serial == reach.ByAgent
}

// mayGo reports whether a session's customer may go on by another channel now: out of a
// handoff, a line in which nobody serves them yet, or from an agent who has asked them to.
func (a *App) mayGo(in tandem.InteractionID, w flow.Wait, serial int) bool {
	return movable(w, serial, a.sentOn.is(in, serial))
}

// servedBy is the agent who has an interaction's customer; "" = nobody.
func (a *App) servedBy(in tandem.InteractionID) string {
	for _, t := range a.line.Of(in) {
		if t.State == tandem.TaskAssigned && t.Kind.Live() {
			return t.Agent
		}
	}
	return ""
}
