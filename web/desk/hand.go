package desk

import (
	"context"
	"errors"
	"strings"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/route"
	"tandem/store"
	"tandem/web/answer"
	"tandem/web/desk/live"
	"tandem/web/desk/view"
	"tandem/web/login"
)

// hand does what agents do, by HTTP or by socket. ctx is of a caller who is an agent, unless
// it is said.
type hand struct{ o *Options }

var _ live.Work = hand{}

// held is a task as an agent has it.
type held struct {
	tandem.Task
	agent string
	state tandem.TaskState // offered, assigned, wrapping: for this agent, whatever became of the task
	fence uint64
}

// holding is what an agent has of a task; not found if nothing.
func (d hand) holding(c login.Caller, id tandem.TaskID) (held, error) {
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

// readable is holding, of a task whose story is the agent's to read: not one that goes on
// with somebody else while they write it up.
func (d hand) readable(c login.Caller, id tandem.TaskID) (held, error) {
	h, err := d.holding(c, id)
	if err == nil && h.state == tandem.TaskWrapping && h.State != tandem.TaskWrapping && h.State != tandem.TaskDone {
		err = noTask()
	}
	return h, err
}

// assigned is holding, of a task that the agent is doing.
func (d hand) assigned(c login.Caller, id tandem.TaskID) (held, error) {
	h, err := d.holding(c, id)
	if err == nil && h.state != tandem.TaskAssigned {
		err = tandem.Errorf(tandem.CodeConflict, "you are not serving this task now")
	}
	return h, err
}

func (d hand) Accept(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64) (view.Task, error) {
	t, ok := d.o.Line.Task(id)
	if ok && t.Kind.Load() == tandem.LoadVoice && !d.o.Phone(c.Agent()) {
		return view.Task{}, tandem.Errorf(tandem.CodeConflict, "a call is taken on a phone, and none is configured for you: agents.%s.phone", c.Agent())
	}
	t, err := d.o.Line.Accept(ctx, id, c.Agent(), fence)
	if tandem.CodeOf(err) == tandem.CodeConflict { // perhaps it was this agent, and the answer was lost
		now, ok := d.o.Line.Task(id)
		if ok && now.State == tandem.TaskAssigned && now.Agent == c.Agent() && now.Fence == fence {
			return d.view(now), nil
		}
	}
	if err != nil {
		return view.Task{}, err
	}
	return d.view(t), nil
}

func (d hand) Decline(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, why string) error {
	switch why {
	case "":
		why = "declined"
	case "declined", "unreachable":
	default:
		return invalid("why is declined or unreachable")
	}
	return d.o.Line.Decline(ctx, id, c.Agent(), fence, why)
}

// Release ends an agent's part in a task: why is done or handed_back.
func (d hand) Release(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, why string) (view.Task, error) {
	return d.letGo(ctx, c, route.Released{Task: id, Fence: fence, Why: why, Outcome: tandem.OutcomeServed})
}

// Transfer puts a task back at its place, for a queue or for another agent.
func (d hand) Transfer(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, queue, agent string) (view.Task, error) {
	p := d.o.Line.Policy()
	switch {
	case (queue == "") == (agent == ""):
		return view.Task{}, invalid("say a queue or an agent, one of them")
	case queue != "" && p.Queues[queue] == nil:
		return view.Task{}, invalid("there is no queue of this name")
	case agent != "" && p.Agents[agent] == nil:
		return view.Task{}, invalid("there is no agent of this name")
	case agent == c.Agent():
		return view.Task{}, invalid("you have it already")
	}
	return d.letGo(ctx, c, route.Released{Task: id, Fence: fence, Why: "transferred", Again: true, Queue: queue, Prefer: agent})
}

func (d hand) letGo(ctx context.Context, c login.Caller, e route.Released) (view.Task, error) {
	h, err := d.holding(c, e.Task)
	if err == nil && h.state == tandem.TaskWrapping && h.fence == e.Fence { // it was done, and the answer was lost
		return d.view(h.Task), nil
	}
	if err != nil || h.state != tandem.TaskAssigned || h.fence != e.Fence {
		return view.Task{}, tandem.Errorf(tandem.CodeConflict, "you do not have this task any more")
	}
	e.Agent = h.agent
	t, err := d.o.Line.Release(ctx, e, nil)
	if err != nil {
		return view.Task{}, err
	}
	return d.view(t), nil
}

func (d hand) Wrap(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, disposition string) error {
	disposition, err := word(disposition, "the disposition", maxShort)
	if err != nil {
		return err
	}
	if h, err := d.holding(c, id); err != nil || h.state != tandem.TaskWrapping || h.fence != fence {
		return tandem.Errorf(tandem.CodeConflict, "this wrap-up is over")
	}
	return d.o.Line.Wrap(ctx, c.Agent(), fence, disposition, false)
}

func (d hand) Present(ctx context.Context, name string, p tandem.Presence, reason string) (view.Agent, error) {
	reason, err := word(reason, "the reason", maxName)
	if err != nil {
		return view.Agent{}, err
	}
	switch p {
	case tandem.PresenceAvailable, tandem.PresenceOffline:
		if reason != "" {
			return view.Agent{}, invalid("only who is away has a reason")
		}
	case tandem.PresenceAway:
		if err := d.reasonFits(reason); err != nil {
			return view.Agent{}, err
		}
	default:
		return view.Agent{}, invalid("presence is available, away or offline")
	}
	if d.o.Line.Policy().Agents[name] == nil {
		return view.Agent{}, noAgent()
	}
	a, err := d.o.Line.Present(ctx, name, p, reason)
	if err != nil {
		return view.Agent{}, err
	}
	return d.agentView(a), nil
}

// Lost puts those back in line, at their place, to whom an agent wrote who is gone. What
// else they have waits for them, or for a supervisor.
func (d hand) Lost(ctx context.Context, name string) error {
	a, _ := d.o.Line.Agent(name) // of nobody known nothing is held
	var errs []error
	for _, h := range a.Holds {
		if _, talks := channelOf(h.Kind); !talks || h.State != tandem.TaskAssigned {
			continue
		}
		_, err := d.o.Line.Release(ctx, route.Released{Task: h.Task, Agent: name, Fence: h.Fence, Why: "lost", Again: true, NoWrap: true}, nil)
		if code := tandem.CodeOf(err); err != nil && code != tandem.CodeConflict && code != tandem.CodeNotFound {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func noAgent() error {
	return tandem.Errorf(tandem.CodeNotFound, "no agent of this name stands in the queues file; a flow designer adds them to it")
}

// reasonFits says what is wrong with a reason to be away: it must be one of the policy's.
// Where that has none, none is asked for.
func (d hand) reasonFits(reason string) error {
	var names []string
	for _, r := range d.o.Reasons() {
		if r.Name == reason {
			return nil
		}
		names = append(names, r.Name)
	}
	switch {
	case len(names) == 0 && reason == "":
		return nil
	case len(names) == 0:
		return invalid("the policy has no reasons to be away: leave reason out")
	case reason == "":
		return invalid("away needs a reason: %s", strings.Join(names, ", "))
	}
	return invalid("the policy has no such reason to be away; there is %s", strings.Join(names, ", "))
}

// Note writes about a task that the agent has, or had till their wrap-up.
func (d hand) Note(ctx context.Context, c login.Caller, id tandem.TaskID, client, words string) error {
	h, err := d.holding(c, id)
	if err == nil && h.state == tandem.TaskOffered {
		err = tandem.Errorf(tandem.CodeConflict, "accept the offer first")
	}
	if err != nil {
		return err
	}
	return d.note(ctx, c, h.Interaction, id, client, words)
}

// note writes into the journal; the same client id again is the same note.
func (d hand) note(ctx context.Context, c login.Caller, in tandem.InteractionID, id tandem.TaskID, client, words string) error {
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

// Talk is the conversation of a task; conflict if it has none.
func (d hand) Talk(ctx context.Context, t *tandem.Task) (chat.Conversation, error) {
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

func (d hand) Say(ctx context.Context, c login.Caller, id tandem.TaskID, client, words string) (view.Message, error) {
	h, err := d.assigned(c, id)
	if err != nil {
		return view.Message{}, err
	}
	if err := clientID(client); err != nil {
		return view.Message{}, err
	}
	if words, err = text(words, "the message", maxText); err != nil {
		return view.Message{}, err
	}
	talk, err := d.Talk(ctx, &h.Task)
	if err != nil {
		return view.Message{}, err
	}
	e, err := d.o.Say.Reply(ctx, talk.ID, Reply{Agent: h.agent, Client: client, Text: words})
	if err != nil {
		return view.Message{}, err
	}
	return view.MessageOf(&e), nil
}

func (d hand) Typing(ctx context.Context, c login.Caller, id tandem.TaskID, on bool) error {
	h, err := d.assigned(c, id)
	if err != nil {
		return err
	}
	talk, err := d.Talk(ctx, &h.Task)
	if err != nil {
		return err
	}
	return d.o.Say.Typing(ctx, talk.ID, h.agent, on)
}

// Problem is an error as whoever asked sees it.
func (d hand) Problem(err error) (answer.Problem, int) { return problem(err) }

// view is a task with its place.
func (d hand) view(t tandem.Task) view.Task { return view.Placed(t, d.o.Line) }

// agentView is an agent as everybody sees them.
func (d hand) agentView(a route.AgentState) view.Agent {
	return view.AgentOf(a, d.o.Line.Policy().Agents[a.Name], d.o.Phone(a.Name))
}
