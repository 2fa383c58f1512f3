package app

import (
	"context"
	"encoding/json"
	"fmt"

	"tandem"
	"tandem/bridge/route"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	drawn "tandem/ivr/flow/picture"
	"tandem/store"
)

// HandBack gives a customer back to the flow: at "" where the agent has them from (a queue
// leads on as after an agent, any other step begins anew), else at "flow/step", if what that
// needs holds now. The agent has the task no more, and wraps up.
func (a *App) HandBack(ctx context.Context, t tandem.Task, agent, step string) error {
	s, lib, k, err := a.sessionOf(ctx, t.Interaction)
	if err == nil {
		err = a.has(t, agent, s)
	}
	if err != nil && step == "" { // there is nothing to go on with: the agent is done with it all the same
		return a.letGo(ctx, t, agent, nil)
	}
	if err != nil {
		return err
	}
	to := tandem.TakenOver{Agent: agent, Task: t.ID}
	if step != "" {
		n, err := a.nodeOf(lib, s, step)
		if err != nil {
			return err
		}
		if !n.Go.IsZero() {
			return tandem.Errorf(tandem.CodeConflict, "the customer cannot be handed back at %s: %s", step, n.Go.En)
		}
		to.Flow, to.Step = n.Flow, n.Step
	} else {
		under := engine.Unasked(s)
		f := under.Frames[len(under.Frames)-1]
		if to.Flow = f.Flow; s.Taken != nil {
			to.Step = f.Step
		}
	}
	leg := tandem.LegID("")
	if k != nil {
		leg = k.leg.ID
	}
	c := &store.Change{Events: []tandem.Event{tandem.NewEvent(t.Interaction, leg, a.now(), tandem.EventHandedBack, agent, to)}}
	return a.letGo(ctx, t, agent, c)
}

// letGo ends an agent's part in a task, with what the journal keeps of that.
func (a *App) letGo(ctx context.Context, t tandem.Task, agent string, c *store.Change) error {
	_, err := a.line.Release(ctx, route.Released{Task: t.ID, Agent: agent, Fence: t.Fence, Why: "handed_back", Outcome: tandem.OutcomeServed}, c)
	if err == nil {
		a.told.add(t.Interaction)
	}
	return err
}

// has is an error unless the agent has the customer by that task.
func (a *App) has(t tandem.Task, agent string, s flow.Session) error {
	now, ok := a.line.Task(t.ID)
	switch {
	case !ok || now.State != tandem.TaskAssigned || now.Agent != agent || t.Fence != 0 && now.Fence != t.Fence:
		return tandem.Errorf(tandem.CodeConflict, "you have this customer no more")
	case !s.WithAgent():
		return tandem.Errorf(tandem.CodeConflict, "you do not have the customer yet; wait until you are joined")
	}
	return nil
}

// nodeOf finds a step by "flow/step".
func (a *App) nodeOf(lib *flow.Library, s flow.Session, step string) (engine.Node, error) {
	nodes, err := engine.Nodes(lib, s, a.now())
	if err != nil {
		return engine.Node{}, err
	}
	for _, n := range nodes {
		if n.Flow+"/"+n.Step == step {
			return n, nil
		}
	}
	return engine.Node{}, tandem.Errorf(tandem.CodeNotFound, "the customer's flows have no step %q", step)
}

// backAt is the step, "flow/step", at which an agent has handed a task's customer back; "" =
// none: they go on where they were.
func (a *App) backAt(ctx context.Context, t tandem.Task) (string, error) {
	story, err := a.store.Interaction(ctx, string(t.Interaction))
	if err != nil {
		return "", fmt.Errorf("looking where a customer was handed back: %w", err)
	}
	step := ""
	for _, e := range story.Events {
		var d tandem.TakenOver
		if e.Kind == tandem.EventHandedBack && json.Unmarshal(e.Data, &d) == nil && d.Task == t.ID && d.Step != "" {
			step = d.Flow + "/" + d.Step
		}
	}
	return step, nil
}

// Node is a step of the flows that a customer is in, as an agent sees it who has them.
type Node struct {
	Flow, Step, Verb string
	Words            tandem.Words // what the step is called
	Allowed          bool         // the customer may be handed back there now
	Asks             bool         // the step may be run for the agent (Ask), now
	Why              tandem.Words // why not, if neither may be, or they may not be handed back there
	Here             bool         // where the customer was taken out
	Secret           bool         // it asks for a secret: nothing of that is heard or seen meanwhile
}

// Nodes lists the steps of the flows that an interaction's customer is in, each flow in the
// order of its file, the one called last first; after them those that may be asked alone.
func (a *App) Nodes(ctx context.Context, in tandem.InteractionID) ([]Node, error) {
	s, lib, _, err := a.sessionOf(ctx, in)
	if err != nil {
		return nil, err
	}
	nodes, err := engine.Nodes(lib, s, a.now())
	if err != nil {
		return nil, err
	}
	out := make([]Node, 0, len(nodes))
	for _, n := range nodes {
		f := lib.Flows[n.Flow]
		out = append(out, Node{
			Flow: n.Flow, Step: n.Step, Verb: n.Verb.Verb(), Here: n.Here, Secret: n.Secret, Allowed: n.Go.IsZero(), Asks: n.Ask.IsZero(), Why: tandem.Words(n.Go),
			Words: tandem.Words{En: drawn.Label(f, n.Step, "en"), Zh: drawn.Label(f, n.Step, "zh-CN")},
		})
	}
	return out, nil
}
