package app

import (
	"context"

	"tandem"
	"tandem/ivr/flow"
)

// Node is a step of an interaction's flows as an agent sees it who has taken the customer
// out of them.
type Node struct {
	Flow, Step, Verb string
	Words            tandem.Words // what the step is called
	Allowed          bool         // the customer may be handed back there now
	Why              tandem.Words // if not
	Here             bool         // where the customer was taken out
	Secret           bool         // it asks for a secret: nothing of that is heard or seen meanwhile
}

// TakeOver takes a customer out of whatever step they are in and gives them to an agent.
func (a *App) TakeOver(ctx context.Context, in tandem.InteractionID, agent, why string) (tandem.Task, error) {
	return tandem.Task{}, tandem.Errorf(tandem.CodeUnavailable, "nobody can be taken over yet")
}

// HandBack gives a customer back to the flow.
func (a *App) HandBack(ctx context.Context, t tandem.Task, agent, step string) error {
	return tandem.Errorf(tandem.CodeUnavailable, "nobody can be handed back yet")
}

// Ask has the flow run one step with a customer whom an agent has, who has them back after it.
func (a *App) Ask(ctx context.Context, t tandem.Task, agent, step string) error {
	return tandem.Errorf(tandem.CodeUnavailable, "the flow cannot be asked yet")
}

// Nodes lists the steps of an interaction's flows.
func (a *App) Nodes(ctx context.Context, in tandem.InteractionID) ([]Node, error) {
	return nil, nil
}

// Replies previews the canned replies that an agent may send in a task, those whose name or
// text has the query in it.
func (a *App) Replies(ctx context.Context, t tandem.Task, agent, query string) ([]flow.ReplyPreview, error) {
	return nil, nil
}
