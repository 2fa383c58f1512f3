package app

import (
	"context"
	"sync"

	"tandem"
	"tandem/bridge/reach"
	"tandem/ivr/flow"
	"tandem/web/desk/view"
)

// asked is which customers were asked by their agent to go on by another channel: they may
// leave a wait in which somebody serves them. It is forgotten as the program stops; the agent
// asks again.
type asked struct {
	mu  sync.Mutex
	all map[tandem.InteractionID]int // serial of the wait
}

func (k *asked) set(in tandem.InteractionID, serial int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.all == nil || len(k.all) >= maxAsked {
		k.all = map[tandem.InteractionID]int{}
	}
	k.all[in] = serial
}

// maxAsked bounds what is remembered; then all is forgotten.
const maxAsked = 10_000

func (k *asked) is(in tandem.InteractionID, serial int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	was, ok := k.all[in]
	return ok && was == serial
}

func (k *asked) done(in tandem.InteractionID) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.all, in)
}

// Move asks the customer whom an agent has to go on by another channel. The task is of that
// channel as soon as they are there.
func (w ways) Move(ctx context.Context, t tandem.Task, agent string, to tandem.Channel) (tandem.Task, error) {
	a := w.a
	who, _, in, err := a.whoIs(ctx, t)
	if err != nil {
		return tandem.Task{}, err
	}
	wait, err := a.waitOf(ctx, t.Interaction)
	if err != nil || wait.Kind != flow.WaitQueue || !wait.Served {
		return tandem.Task{}, tandem.Errorf(tandem.CodeConflict, "this customer's flow cannot go on elsewhere now")
	}
	if err := a.servesBy(ctx, t.Interaction, to); err != nil {
		return tandem.Task{}, err
	}
	if _, ok := a.chatSite(in.Flow); to == tandem.Chat && !ok {
		return tandem.Task{}, tandem.Errorf(tandem.CodeConflict, "there is no chat to go on in: no entry of a chat is configured")
	}
	a.asked.set(t.Interaction, wait.Serial)
	key := "move:" + string(t.ID) + "/" + string(to)
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
		a.asked.done(t.Interaction)
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
	return movable(w, serial) || w.Serial == serial && w.Kind == flow.WaitQueue && w.Served && a.asked.is(in, serial)
}
