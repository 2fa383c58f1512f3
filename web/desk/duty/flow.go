package duty

import (
	"context"
	"strings"

	"tandem"
	"tandem/bridge/route"
	"tandem/web/desk/live"
	"tandem/web/desk/view"
	"tandem/web/login"
)

// fenced is a task that an agent does under a fence.
func (d *Duty) fenced(c login.Caller, id tandem.TaskID, fence uint64) (Held, error) {
	h, err := d.Holding(c, id)
	if err != nil || h.Now != tandem.TaskAssigned || h.fence != fence {
		return Held{}, tandem.Errorf(tandem.CodeConflict, "you do not have this task any more")
	}
	return h, nil
}

// HandBack ends an agent's part in a task; the flow goes on with the customer, where it
// would or at a step.
func (d *Duty) HandBack(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, step string) (view.Task, error) {
	if h, err := d.Holding(c, id); err == nil && h.Now == tandem.TaskWrapping && h.fence == fence { // it was done, and the answer was lost
		return d.View(h.Task), nil
	}
	h, err := d.fenced(c, id, fence)
	if err != nil {
		return view.Task{}, err
	}
	if step == "" && !h.Kind.Live() { // no flow waits for it
		return d.letGo(ctx, c, route.Released{Task: id, Fence: fence, Why: "handed_back", Outcome: tandem.OutcomeServed})
	}
	if step != "" {
		if err := stepFits(step); err != nil {
			return view.Task{}, err
		}
	}
	if err := d.o.Flows.HandBack(ctx, h.Task, h.agent, step); err != nil {
		return view.Task{}, err
	}
	if t, ok := d.o.Line.Task(id); ok {
		return d.View(t), nil
	}
	h.State, h.Outcome = tandem.TaskDone, tandem.OutcomeServed
	return d.View(h.Task), nil
}

func stepFits(step string) error {
	flow, name, ok := strings.Cut(step, "/")
	if !ok || flow == "" || name == "" || len(step) > 2*MaxName || strings.ContainsFunc(step, forbidden) {
		return Invalid("a step is named as flow/step")
	}
	return nil
}

// Ask has the flow run one step with a customer whom an agent keeps.
func (d *Duty) Ask(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, step string) error {
	h, err := d.fenced(c, id, fence)
	if err == nil {
		err = stepFits(step)
	}
	if err != nil {
		return err
	}
	return d.o.Flows.Ask(ctx, h.Task, h.agent, step)
}

// TakeOver takes a customer out of a flow: an agent one of whom they have a task, a
// supervisor anyone, for themselves or for an agent.
func (d *Duty) TakeOver(ctx context.Context, c login.Caller, in tandem.InteractionID, agent, why string) (view.Task, error) {
	why, err := Text(why, "why", MaxReason)
	if err != nil {
		return view.Task{}, err
	}
	over := Group(Overseers).Holds(c)
	if agent == "" {
		agent = name(c)
	}
	switch {
	case !over && (c.Agent() == "" || agent != c.Agent()):
		return view.Task{}, tandem.Errorf(tandem.CodeForbidden, "only supervisors give customers to others")
	case !tandem.ValidID(string(in)) || !over && !d.serves(c.Agent(), in):
		return view.Task{}, tandem.Errorf(tandem.CodeNotFound, "there is no such interaction of yours")
	case d.o.Line.Policy().Agents[agent] == nil:
		return view.Task{}, Invalid("say which agent takes them over: there is none of the name %s in the queues file", agent)
	}
	if over {
		if err := d.o.Door.Record(ctx, "interaction.take_over", string(in), "for "+agent+": "+why); err != nil {
			return view.Task{}, err
		}
	}
	t, err := d.o.Flows.TakeOver(ctx, in, agent, why)
	if err != nil {
		return view.Task{}, err
	}
	return d.View(t), nil
}

// serves reports whether an agent does a task of an interaction.
func (d *Duty) serves(agent string, in tandem.InteractionID) bool {
	a, _ := d.o.Line.Agent(agent)
	for _, h := range a.Holds {
		if h.Interaction == in && h.State == tandem.TaskAssigned {
			return true
		}
	}
	return false
}

// Nodes are the steps that a task's customer can be given back to.
func (d *Duty) Nodes(ctx context.Context, c login.Caller, id tandem.TaskID) ([]view.Node, error) {
	h, err := d.assigned(c, id)
	if err != nil {
		return nil, err
	}
	return d.o.Flows.Nodes(ctx, h.Interaction)
}

// maxReplies is how many canned replies come at once.
const maxReplies = 50

// Replies are canned replies for a task's customer that have a word in them.
func (d *Duty) Replies(ctx context.Context, c login.Caller, id tandem.TaskID, q string) ([]view.Reply, error) {
	h, err := d.assigned(c, id)
	if err == nil {
		q, err = Word(q, "q", MaxName)
	}
	if err != nil {
		return nil, err
	}
	all, err := d.o.Flows.Replies(ctx, h.Task, h.agent, q)
	return all[:min(len(all), maxReplies)], err
}

// Operations are those whose link a task's customer can be sent.
func (d *Duty) Operations(ctx context.Context, c login.Caller, id tandem.TaskID) ([]view.Operation, []string, error) {
	h, err := d.assigned(c, id)
	if err != nil {
		return nil, nil, err
	}
	return d.o.Ways.Operations(ctx, h.Task)
}

// SendLink sends the customer of a task the link of an operation.
func (d *Duty) SendLink(ctx context.Context, c login.Caller, id tandem.TaskID, o live.LinkOrder) (view.Offered, error) {
	h, err := d.assigned(c, id)
	if err == nil {
		err = clientID(o.Client)
	}
	if err == nil {
		o.Operation, err = Word(o.Operation, "the operation", MaxName)
	}
	switch {
	case err != nil:
		return view.Offered{}, err
	case o.Operation == "":
		return view.Offered{}, Invalid("say which operation")
	case o.By != "" && o.By != "sms" && o.By != "chat":
		return view.Offered{}, Invalid("by is sms or chat")
	}
	return d.o.Ways.SendLink(ctx, h.Task, h.agent, o)
}

// Move has the customer of a task go on by another channel.
func (d *Duty) Move(ctx context.Context, c login.Caller, id tandem.TaskID, to tandem.Channel) (view.Task, error) {
	h, err := d.assigned(c, id)
	if err != nil {
		return view.Task{}, err
	}
	kind := map[tandem.Channel]tandem.TaskKind{tandem.Chat: tandem.TaskChat, tandem.SMS: tandem.TaskText}[to]
	switch {
	case kind == "":
		return view.Task{}, Invalid("to is chat or sms")
	case h.Kind == kind: // they are there
		return d.View(h.Task), nil
	case !h.Kind.Live() || h.Kind == tandem.TaskText || h.Kind == tandem.TaskChat && to != tandem.SMS:
		return view.Task{}, tandem.Errorf(tandem.CodeConflict, "a call goes on by chat or SMS, a chat by SMS")
	}
	if err := d.room(h.agent, kind); err != nil {
		return view.Task{}, err
	}
	t, err := d.o.Ways.Move(ctx, h.Task, h.agent, to)
	if err != nil {
		return view.Task{}, err
	}
	return d.View(t), nil
}

// room is an error if an agent has no room for one more of a kind.
func (d *Duty) room(agent string, kind tandem.TaskKind) error {
	a, _ := d.o.Line.Agent(agent)
	p := d.o.Line.Policy().Agents[agent]
	if l := kind.Load(); p == nil || a.Has[l] >= p.Capacity[l] {
		return tandem.Errorf(tandem.CodeConflict, "you have as much of %s as you may: end one first, or hand this one on", l)
	}
	return nil
}
