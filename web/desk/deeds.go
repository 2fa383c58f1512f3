package desk

import (
	"context"
	"errors"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/route"
	"tandem/store"
	"tandem/web/login"
)

// What agents do, by HTTP or by socket. ctx is of a caller who is an agent.

// held is a task as an agent has it.
type held struct {
	tandem.Task
	agent string
	state tandem.TaskState // offered, assigned, wrapping: for this agent, whatever became of the task
	fence uint64
}

// holding is what an agent has of a task; not found if nothing.
func (d *Desk) holding(c login.Caller, id tandem.TaskID) (held, error) {
	name := c.Agent()
	if name == "" {
		return held{}, noTask()
	}
	a, _ := d.o.Line.Agent(name) // of nobody known nothing is held
	for _, h := range a.Holds {
		if h.Task != id {
			continue
		}
		t, ok := d.o.Line.Task(id)
		if !ok { // another task went on in its place, or the wrap-up outlives it
			t = tandem.Task{ID: id, Interaction: h.Interaction, Kind: h.Kind, State: tandem.TaskDone}
		}
		return held{t, name, h.State, h.Fence}, nil
	}
	return held{}, noTask()
}

// assigned is holding, of a task that the agent is doing.
func (d *Desk) assigned(c login.Caller, id tandem.TaskID) (held, error) {
	h, err := d.holding(c, id)
	if err == nil && h.state != tandem.TaskAssigned {
		err = tandem.Errorf(tandem.CodeConflict, "you are not serving this task now")
	}
	return h, err
}

func (d *Desk) accept(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64) (task, error) {
	t, ok := d.o.Line.Task(id)
	if ok && t.Kind.Load() == tandem.LoadVoice && !d.o.Phone(c.Agent()) {
		return task{}, tandem.Errorf(tandem.CodeConflict, "a call is taken on a phone, and none is configured for you: agents.%s.phone", c.Agent())
	}
	t, err := d.o.Line.Accept(ctx, id, c.Agent(), fence)
	if tandem.CodeOf(err) == tandem.CodeConflict { // perhaps it was this agent, and the answer was lost
		now, ok := d.o.Line.Task(id)
		if ok && now.State == tandem.TaskAssigned && now.Agent == c.Agent() && now.Fence == fence {
			return d.view(now), nil
		}
	}
	if err != nil {
		return task{}, err
	}
	return d.view(t), nil
}

func (d *Desk) decline(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, why string) error {
	switch why {
	case "":
		why = "declined"
	case "declined", "unreachable":
	default:
		return invalid("why is declined or unreachable")
	}
	return d.o.Line.Decline(ctx, id, c.Agent(), fence, why)
}

// release ends an agent's part in a task: why is done or handed_back.
func (d *Desk) release(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, why string) (task, error) {
	return d.letGo(ctx, c, route.Released{Task: id, Fence: fence, Why: why, Outcome: tandem.OutcomeServed})
}

// transfer puts a task back at its place, for a queue or for another agent.
func (d *Desk) transfer(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, queue, agent string) (task, error) {
	p := d.o.Line.Policy()
	switch {
	case (queue == "") == (agent == ""):
		return task{}, invalid("say a queue or an agent, one of them")
	case queue != "" && p.Queues[queue] == nil:
		return task{}, invalid("there is no queue of this name")
	case agent != "" && p.Agents[agent] == nil:
		return task{}, invalid("there is no agent of this name")
	case agent == c.Agent():
		return task{}, invalid("you have it already")
	}
	return d.letGo(ctx, c, route.Released{Task: id, Fence: fence, Why: "transferred", Again: true, Queue: queue, Prefer: agent})
}

func (d *Desk) letGo(ctx context.Context, c login.Caller, e route.Released) (task, error) {
	h, err := d.holding(c, e.Task)
	if err == nil && h.state == tandem.TaskWrapping && h.fence == e.Fence { // it was done, and the answer was lost
		return d.view(h.Task), nil
	}
	if err != nil || h.state != tandem.TaskAssigned || h.fence != e.Fence {
		return task{}, tandem.Errorf(tandem.CodeConflict, "you do not have this task any more")
	}
	e.Agent = h.agent
	t, err := d.o.Line.Release(ctx, e, nil)
	if err != nil {
		return task{}, err
	}
	return d.view(t), nil
}

func (d *Desk) wrap(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, disposition string) error {
	disposition, err := word(disposition, "the disposition", maxShort)
	if err != nil {
		return err
	}
	if h, err := d.holding(c, id); err != nil || h.state != tandem.TaskWrapping || h.fence != fence {
		return tandem.Errorf(tandem.CodeConflict, "this wrap-up is over")
	}
	return d.o.Line.Wrap(ctx, c.Agent(), fence, disposition, false)
}

func (d *Desk) present(ctx context.Context, name string, p tandem.Presence, reason string) (agent, error) {
	reason, err := word(reason, "the reason", maxName)
	if err != nil {
		return agent{}, err
	}
	switch p {
	case tandem.PresenceAvailable, tandem.PresenceOffline:
		if reason != "" {
			return agent{}, invalid("only who is away has a reason")
		}
	case tandem.PresenceAway:
		if !d.hasReason(reason) {
			return agent{}, invalid("the policy has no such reason to be away; GET /api/v1/agent lists them")
		}
	default:
		return agent{}, invalid("presence is available, away or offline")
	}
	if d.o.Line.Policy().Agents[name] == nil {
		return agent{}, noAgent()
	}
	a, err := d.o.Line.Present(ctx, name, p, reason)
	if err != nil {
		return agent{}, err
	}
	return d.agentView(a), nil
}

func noAgent() error {
	return tandem.Errorf(tandem.CodeNotFound, "no agent of this name stands in the queues file; a flow designer adds them to it")
}

// hasReason reports whether the policy has a reason to be away. Without any, none is asked for.
func (d *Desk) hasReason(reason string) bool {
	all := d.o.Reasons()
	for _, r := range all {
		if r.Name == reason {
			return true
		}
	}
	return len(all) == 0 && reason == ""
}

// note writes into the journal; the same client id again is the same note.
func (d *Desk) note(ctx context.Context, c login.Caller, in tandem.InteractionID, id tandem.TaskID, client, words string) error {
	words, err := text(words, "the note", maxText)
	if err == nil {
		err = clientID(client)
	}
	if err != nil {
		return err
	}
	e := tandem.NewEvent(in, "", d.o.Now(), tandem.EventNoted, actor(c), tandem.Noted{Task: id, Text: words})
	err = d.o.Journal.Commit(ctx, &store.Change{Key: "note " + string(id) + " " + actor(c) + " " + client, Events: []tandem.Event{e}, Living: true})
	if errors.Is(err, store.ErrDuplicate) {
		return nil
	}
	return err
}

// actor is who it is in the journal.
func actor(c login.Caller) string {
	if a := c.Agent(); a != "" {
		return a
	}
	return c.Name()
}

// talk is the conversation of a task; conflict if it has none.
func (d *Desk) talk(ctx context.Context, t *tandem.Task) (chat.Conversation, error) {
	channel, ok := channelOf(t.Kind)
	if !ok {
		return chat.Conversation{}, tandem.Errorf(tandem.CodeConflict, "nobody writes to this customer now: it is no chat and no text")
	}
	return d.o.Talks.ByInteraction(ctx, t.Interaction, channel)
}

func channelOf(k tandem.TaskKind) (tandem.Channel, bool) {
	switch k {
	case tandem.TaskChat:
		return tandem.Chat, true
	case tandem.TaskText:
		return tandem.SMS, true
	}
	return "", false
}

func (d *Desk) say(ctx context.Context, c login.Caller, id tandem.TaskID, client, words string) (message, error) {
	h, err := d.assigned(c, id)
	if err != nil {
		return message{}, err
	}
	if err := clientID(client); err != nil {
		return message{}, err
	}
	if words, err = text(words, "the message", maxText); err != nil {
		return message{}, err
	}
	talk, err := d.talk(ctx, &h.Task)
	if err != nil {
		return message{}, err
	}
	e, err := d.o.Say.Reply(ctx, talk.ID, Reply{Agent: h.agent, Client: client, Text: words})
	if err != nil {
		return message{}, err
	}
	return messageOf(&e), nil
}

func (d *Desk) typing(ctx context.Context, c login.Caller, id tandem.TaskID, on bool) error {
	h, err := d.assigned(c, id)
	if err != nil {
		return err
	}
	talk, err := d.talk(ctx, &h.Task)
	if err != nil {
		return err
	}
	return d.o.Say.Typing(ctx, talk.ID, h.agent, on)
}
