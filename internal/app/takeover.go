package app

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/ivr/flow"
	"tandem/store"
)

// takenKey begins the key of a task that was opened for somebody who is in a flow, in no
// queue of it: they are taken out of their step once the agent is there.
const takenKey = "taken:"

func isTaken(t tandem.Task) bool { return strings.HasPrefix(t.Key, takenKey) }

// takes are the interactions that are being taken over right now, and what is told of asked
// steps.
type takes struct {
	mu       sync.Mutex
	now      map[tandem.InteractionID]struct{}
	why      map[tandem.TaskID]taking // till the journal has it
	watchers []*func(Asked)
}

// taking is by whom a task's customer is taken over, and why.
type taking struct{ agent, why string }

// begin keeps others from taking the same customer meanwhile.
func (t *takes) begin(in tandem.InteractionID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, under := t.now[in]; under {
		return false
	}
	if t.now == nil {
		t.now, t.why = map[tandem.InteractionID]struct{}{}, map[tandem.TaskID]taking{}
	}
	t.now[in] = struct{}{}
	return true
}

// because keeps why a customer is taken over, until the journal has it or nobody takes them.
func (t *takes) because(id tandem.TaskID, agent, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.why[id] = taking{agent, why}
}

// waits reports whether somebody is about to have a task by taking its customer over.
func (t *takes) waits(id tandem.TaskID) (who taking, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	who, ok = t.why[id]
	return who, ok
}

func (t *takes) forget(id tandem.TaskID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.why, id)
}

func (t *takes) end(in tandem.InteractionID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.now, in)
}

func (t *takes) under(in tandem.InteractionID) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, under := t.now[in]
	return under
}

// sessionOf is the session of a customer who can be spoken with, wherever it runs, and the
// call it runs on; nil for a conversation.
func (a *App) sessionOf(ctx context.Context, in tandem.InteractionID) (s flow.Session, lib *flow.Library, k *call, err error) {
	if k = a.live.get(in); k != nil {
		k.stay.mu.Lock()
		s = k.stay.session
		k.stay.mu.Unlock()
	} else if s, err = a.stored(ctx, in); err != nil && !errors.Is(err, store.ErrNotFound) {
		return s, nil, nil, err
	}
	switch {
	case len(s.Frames) == 0, s.Leaving:
		return s, nil, k, tandem.Errorf(tandem.CodeConflict, "the customer is in no flow now; look again where they are")
	case k == nil && s.Facts.Channel != tandem.Chat && s.Facts.Channel != tandem.SMS:
		return s, nil, nil, tandem.Errorf(tandem.CodeConflict, "the customer has hung up; call them, or wait until they are back")
	}
	top := s.Frames[0]
	if lib, err = a.Library(ctx, top.Flow, top.Hash); err != nil {
		return s, nil, k, fmt.Errorf("finding the flow of interaction %s: %w", in, err)
	}
	return s, lib, k, nil
}

// takeTime bounds taking a customer over, but for the time an agent's phone rings.
const takeTime = 15 * time.Second

// TakeOver takes a customer out of whatever step of a flow they are in and gives them to an
// agent, past the line: under the line's rules of presence, reach and capacity. Who waits in a
// queue already is taken from there. An agent who speaks by a telephone has it ring; the
// customer goes on in the flow till it is answered. why is kept in the journal. The error is
// a *tandem.Error that says what stands against it.
func (a *App) TakeOver(ctx context.Context, in tandem.InteractionID, agent, why string) (t tandem.Task, err error) {
	ctx, cancel := context.WithTimeout(ctx, takeTime)
	defer cancel()
	s, _, k, err := a.sessionOf(ctx, in)
	if err != nil {
		return t, err
	}
	if s.EntersSecret() {
		return t, errSecret
	}
	if !a.takes.begin(in) {
		return t, tandem.Errorf(tandem.CodeConflict, "somebody takes this customer over already")
	}
	defer func() {
		a.takes.end(in)
		a.told.add(in) // what came of it meanwhile
	}()
	t, have, err := a.inHand(in, agent)
	switch {
	case err != nil:
		return t, err
	case have && t.State == tandem.TaskAssigned:
		return t, nil
	case !have:
		if t, err = a.openTaken(ctx, in, s, agent, k != nil); err != nil {
			return t, err
		}
	}
	a.takes.because(t.ID, agent, why)
	if t, err = a.pull(ctx, t, agent); err != nil {
		a.takes.forget(t.ID)
		if !have {
			a.closeTaken(ctx, t.ID)
		}
		return t, err
	}
	if _, seated := a.seat(agent); k != nil && !seated {
		return t, nil // their phone rings, and answering it takes the task
	}
	accepted, err := a.line.Accept(ctx, t.ID, agent, t.Fence)
	if err != nil {
		a.takes.forget(t.ID)
		if !have {
			a.closeTaken(ctx, t.ID)
		}
		return t, err
	}
	t = accepted
	if k != nil || have { // the switchboard takes them, as it joins; or they are served as anybody in line
		return t, nil
	}
	if err := a.takeText(ctx, t); err != nil {
		a.untake(ctx, t)
		return t, err
	}
	return t, nil
}

// untake takes a task from an agent who got it and then not its customer.
func (a *App) untake(ctx context.Context, t tandem.Task) {
	a.takes.forget(t.ID)
	out := route.Released{Task: t.ID, Agent: t.Agent, Fence: t.Fence, Why: "left", Outcome: tandem.OutcomeClosed, NoWrap: true}
	if _, err := a.line.Release(context.WithoutCancel(ctx), out, nil); err != nil && tandem.CodeOf(err) != tandem.CodeConflict {
		a.log.Warn("a task of a customer who was not taken over could not be ended", "task", t.ID, "error", err)
	}
}

// inHand is what the line has of an interaction's customer: in line, or with the agent.
func (a *App) inHand(in tandem.InteractionID, agent string) (t tandem.Task, ok bool, err error) {
	for _, t := range a.line.Of(in) {
		switch {
		case !t.Kind.Live() || t.State == tandem.TaskWrapping || t.Key == "":
		case t.State == tandem.TaskAssigned && t.Agent != agent:
			return t, true, tandem.Errorf(tandem.CodeConflict, "%s has this customer; ask them to hand over, or listen in", t.Agent)
		default:
			return t, true, nil
		}
	}
	return t, false, nil
}

// openTaken opens a task for a customer who is in a flow: for that agent alone, in a queue of
// theirs.
func (a *App) openTaken(ctx context.Context, in tandem.InteractionID, s flow.Session, agent string, call bool) (tandem.Task, error) {
	t := tandem.Task{
		ID: tandem.NewID[tandem.TaskID](a.now(), a.random), Interaction: in, Kind: kindOn(s.Facts.Channel), Arrived: a.now(), Lang: s.Lang,
		Prefer: agent, Note: "taken over from the flow",
	}
	if call {
		t.Kind = tandem.TaskCall
	}
	t.Key = takenKey + string(t.ID)
	t.PreferTill = t.Arrived.Add(24 * time.Hour) // it is nobody else's
	if t.Queue = a.queueAt(s); !a.serves(agent, t.Queue) {
		if t.Queue = a.queueOf(agent); t.Queue == "" {
			return t, tandem.Errorf(tandem.CodeForbidden, "%s is no agent of any queue; ask whoever keeps the queues file for a team", agent)
		}
	}
	opened, err := a.line.Open(ctx, t, nil)
	var refused *queue.Refused
	switch {
	case errors.As(err, &refused) && refused.Why == "full":
		return t, tandem.Errorf(tandem.CodeConflict, "the queue %s is full; serve somebody of it first", t.Queue)
	case errors.As(err, &refused):
		return t, tandem.Errorf(tandem.CodeConflict, "the queue %s is closed, or nobody of it is there; set yourself available, or wait until it opens", t.Queue)
	case err != nil:
		return t, fmt.Errorf("opening a task for a customer who is taken over: %w", err)
	}
	return opened, nil
}

// closeTaken ends a task for somebody who was not taken over: they never waited, so that
// nobody counts them as one who left.
func (a *App) closeTaken(ctx context.Context, id tandem.TaskID) {
	err := a.line.End(context.WithoutCancel(ctx), id, tandem.OutcomeClosed, nil)
	if err != nil && tandem.CodeOf(err) != tandem.CodeConflict {
		a.log.Warn("a task of a customer who was not taken over could not be ended", "task", id, "error", err)
	}
}

// serves reports whether an agent is in a team of a queue.
func (a *App) serves(agent, queue string) bool {
	p := a.line.Policy()
	q, who := p.Queues[queue], p.Agents[agent]
	if q == nil || who == nil {
		return false
	}
	for _, team := range q.Teams {
		for _, of := range who.Teams {
			if team == of {
				return true
			}
		}
	}
	return false
}

// pull has a waiting task offered to an agent. The line may have offered it to them already.
func (a *App) pull(ctx context.Context, t tandem.Task, agent string) (tandem.Task, error) {
	for range 3 {
		now, ok := a.line.Task(t.ID)
		if !ok {
			return t, errTooLate
		}
		if now.State == tandem.TaskOffered && now.Agent == agent {
			return now, nil
		}
		pulled, err := a.line.Pull(ctx, t.ID, agent)
		if err == nil {
			return pulled, nil
		}
		if tandem.CodeOf(err) != tandem.CodeConflict {
			return t, err
		}
		if again, ok := a.line.Task(t.ID); !ok || again.State == now.State && again.Agent == now.Agent {
			return t, err
		}
	}
	return t, tandem.Errorf(tandem.CodeConflict, "this customer is just being offered to somebody; try again")
}

// takenBy is the task for which an agent takes a customer out of a flow.
func (a *App) takenBy(in tandem.InteractionID, agent string) (tandem.Task, bool) {
	for _, t := range a.line.Of(in) {
		if isTaken(t) && t.Agent == agent && (t.State == tandem.TaskAssigned || t.State == tandem.TaskOffered) {
			return t, true
		}
	}
	return tandem.Task{}, false
}

// errSecret refuses to take somebody over in the middle of a secret.
var errSecret error = tandem.Errorf(tandem.CodeConflict, "the customer enters a secret just now; try again when that is over")

// noteTaken keeps in the journal that a customer is taken out of a step, before they are.
func (a *App) noteTaken(ctx context.Context, t tandem.Task, leg tandem.LegID, s flow.Session) error {
	who, _ := a.takes.waits(t.ID)
	f := s.Frames[len(s.Frames)-1]
	event := tandem.NewEvent(t.Interaction, leg, a.now(), tandem.EventTakenOver, t.Agent, tandem.TakenOver{Agent: t.Agent, Task: t.ID, Flow: f.Flow, Step: f.Step, Why: who.why})
	if err := a.store.Commit(ctx, &store.Change{Events: []tandem.Event{event}}); err != nil {
		return fmt.Errorf("keeping that a customer is taken over: %w", err)
	}
	a.takes.forget(t.ID)
	return nil
}

// noteInLine does so for one who was taken out of the line they waited in, once the agent has
// them.
func (a *App) noteInLine(ctx context.Context, t tandem.Task) {
	who, ok := a.takes.waits(t.ID)
	switch {
	case !ok || isTaken(t):
	case t.State == tandem.TaskAssigned && t.Agent == who.agent:
		s, _, k, err := a.sessionOf(ctx, t.Interaction)
		leg := tandem.LegID("")
		if k != nil {
			leg = k.leg.ID
		}
		if err == nil {
			err = a.noteTaken(ctx, t, leg, s)
		}
		if err != nil {
			a.log.Warn("the journal lacks why a customer was taken over", "task", t.ID, "error", err)
		}
	case t.State != tandem.TaskOffered && !a.takes.under(t.Interaction):
		a.takes.forget(t.ID)
	}
}

// takeText takes a customer who writes out of their step, for a task that the agent has. Who
// waits in a queue is told of the agent as anybody there.
func (a *App) takeText(ctx context.Context, t tandem.Task) error {
	s, _, _, err := a.sessionOf(ctx, t.Interaction)
	if err != nil {
		return err
	}
	if s.WithAgent() {
		return nil
	}
	if err := a.noteTaken(ctx, t, "", s); err != nil {
		return err
	}
	s, err = a.talk.Tell(ctx, t.Interaction, flow.Input{Kind: flow.InputTaken, Text: a.agentName(ctx, t.Agent), Key: t.Key})
	switch {
	case err == nil && s.EntersSecret():
		return errSecret
	case errors.Is(err, store.ErrNotFound), err == nil && !s.WithAgent():
		return tandem.Errorf(tandem.CodeConflict, "the customer has left the flow meanwhile; look again where they are")
	case err != nil:
		return fmt.Errorf("taking a customer out of a flow: %w", err)
	}
	return nil
}

// bringTaken looks after tasks for customers who are in a flow. One that nobody has goes: it
// is no place in line. One that an agent of texts has takes its customer now, if a stop came
// between.
func (a *App) bringTaken(ctx context.Context, in tandem.InteractionID) {
	if a.takes.under(in) {
		return
	}
	for _, t := range a.line.Of(in) {
		switch {
		case !isTaken(t):
		case t.State == tandem.TaskWaiting:
			a.takes.forget(t.ID)
			a.closeTaken(ctx, t.ID)
		case t.State == tandem.TaskAssigned && t.Kind != tandem.TaskCall:
			if err := a.takeText(ctx, t); err != nil {
				a.log.Warn("a customer could not be taken out of a flow; their task is over", "interaction", in, "error", err)
				a.untake(ctx, t)
			}
		}
	}
}

// withAgent has a session that an agent has taken out of a step told what becomes of their
// task.
func (a *App) withAgent(ctx context.Context, w tandem.Who, e flow.Enqueue) error {
	had, err := a.served(ctx, w.Interaction, e.Key)
	if err != nil {
		return err
	}
	if had == nil {
		a.answerLine(ctx, w.Interaction, e.Serial, flow.Result{Outcome: "no_agents"})
		return nil
	}
	a.told.waits(waiter{task: had.ID, in: w.Interaction, conversation: w.Conversation, serial: e.Serial})
	a.told.add(w.Interaction)
	return nil
}
