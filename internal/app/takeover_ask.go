package app

import (
	"context"
	"fmt"
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// Asked is what came of a step that an agent asked.
type Asked struct {
	Interaction tandem.InteractionID
	Task        tandem.TaskID // "" = the agent has the customer no more
	Agent       string
	flow.Told
}

// WatchAsked has what came of each asked step told to do, which never blocks. stop ends it.
func (a *App) WatchAsked(do func(Asked)) (stop func()) {
	a.takes.mu.Lock()
	defer a.takes.mu.Unlock()
	w := &do
	a.takes.watchers = append(a.takes.watchers, w)
	return func() {
		a.takes.mu.Lock()
		defer a.takes.mu.Unlock()
		for i, x := range a.takes.watchers {
			if x == w {
				a.takes.watchers = append(append([]*func(Asked){}, a.takes.watchers[:i]...), a.takes.watchers[i+1:]...)
				return
			}
		}
	}
}

// askTime bounds what a step that is asked waits for before it begins: the switchboard, and
// the session.
const askTime = 5 * time.Second

// Ask has the flow run one step, "flow/step", with a customer whom an agent has: once it
// returns that has begun. The agent stays and has them back after it; what came of it is told
// to WatchAsked.
func (a *App) Ask(ctx context.Context, t tandem.Task, agent, step string) error {
	s, lib, k, err := a.sessionOf(ctx, t.Interaction)
	if err != nil {
		return err
	}
	if err := a.has(t, agent, s); err != nil {
		return err
	}
	if s.Asked != nil {
		return tandem.Errorf(tandem.CodeConflict, "the customer is asked %s just now; wait until that is over", s.Asked.Step)
	}
	n, err := a.nodeOf(lib, s, step)
	if err != nil {
		return err
	}
	if !n.Ask.IsZero() {
		return tandem.Errorf(tandem.CodeConflict, "%s cannot be asked: %s", step, n.Ask.En)
	}
	in := flow.Input{Kind: flow.InputAsk, At: a.now(), Step: step}
	if k != nil {
		return a.askCall(ctx, k, in)
	}
	if _, err := a.talk.Tell(ctx, t.Interaction, in); err != nil {
		return fmt.Errorf("asking a customer: %w", err)
	}
	return nil
}

// askCall lends a caller to the flow for a step.
func (a *App) askCall(ctx context.Context, k *call, in flow.Input) error {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	id := k.interaction.ID
	if err := a.phones.Lend(ctx, id); err != nil {
		return err
	}
	k.stay.mu.Lock()
	before := k.stay.asked
	k.stay.mu.Unlock()
	began := false
	select {
	case k.inbox <- in:
		began = k.stay.untilSession(ctx, func(s flow.Session) bool { return s.Asked != nil || k.stay.asked != before })
	default:
	}
	if began {
		return nil
	}
	if err := a.phones.GiveBack(context.WithoutCancel(ctx), id); err != nil {
		a.log.Warn("an agent could not be given their customer back", "interaction", id, "error", err)
	}
	return errTooLate
}

// toldOf tells an agent what came of the step they asked: they have the customer back.
func (a *App) toldOf(ctx context.Context, in tandem.InteractionID, t flow.Told) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	if k := a.live.get(in); k != nil {
		k.stay.mu.Lock()
		k.stay.asked++
		k.stay.tell()
		k.stay.mu.Unlock()
		if err := a.phones.GiveBack(ctx, in); err != nil && t.Outcome != "left" && t.Outcome != "cut" {
			a.log.Warn("an agent could not be given their customer back", "interaction", in, "error", err)
		}
	}
	told := Asked{Interaction: in, Told: t}
	for _, task := range a.line.Of(in) {
		if task.State == tandem.TaskAssigned && task.Kind.Live() {
			told.Task, told.Agent = task.ID, task.Agent
		}
	}
	a.takes.mu.Lock()
	watchers := a.takes.watchers
	a.takes.mu.Unlock()
	for _, do := range watchers {
		(*do)(told)
	}
}
