package duty

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/route"
	"tandem/store"
	"tandem/web/answer"
	"tandem/web/desk/view"
	"tandem/web/login"
)

// Held is a task as an agent has it.
type Held struct {
	tandem.Task
	agent string
	Now   tandem.TaskState // offered, assigned, wrapping: for this agent, whatever became of the task
	fence uint64
}

// Holding is what an agent has of a task; not found if nothing.
func (d *Duty) Holding(c login.Caller, id tandem.TaskID) (Held, error) {
	name := c.Agent()
	if name == "" {
		return Held{}, NoTask()
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
		return Held{t, name, h.State, h.Fence}, nil
	}
	return Held{}, NoTask()
}

// Readable is holding, of a task whose story is the agent's to read: not one that goes on
// with somebody else while they write it up.
func (d *Duty) Readable(c login.Caller, id tandem.TaskID) (Held, error) {
	h, err := d.Holding(c, id)
	if err == nil && h.Now == tandem.TaskWrapping && h.State != tandem.TaskWrapping && h.State != tandem.TaskDone {
		err = NoTask()
	}
	return h, err
}

// assigned is holding, of a task that the agent is doing.
func (d *Duty) assigned(c login.Caller, id tandem.TaskID) (Held, error) {
	h, err := d.Holding(c, id)
	if err == nil && h.Now != tandem.TaskAssigned {
		err = tandem.Errorf(tandem.CodeConflict, "you are not serving this task now")
	}
	return h, err
}

func (d *Duty) Accept(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64) (view.Task, error) {
	t, ok := d.o.Line.Task(id)
	if ok && t.Kind.Load() == tandem.LoadVoice && !d.o.Phone(c.Agent()) {
		if up, _ := d.o.Seat(c.Agent()); !up {
			return view.Task{}, noVoice(c.Agent())
		}
	}
	t, err := d.o.Line.Accept(ctx, id, c.Agent(), fence)
	if tandem.CodeOf(err) == tandem.CodeConflict { // perhaps it was this agent, and the answer was lost
		now, ok := d.o.Line.Task(id)
		if ok && now.State == tandem.TaskAssigned && now.Agent == c.Agent() && now.Fence == fence {
			return d.View(now), nil
		}
	}
	if err != nil {
		return view.Task{}, err
	}
	return d.View(t), nil
}

func (d *Duty) Decline(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, why string) error {
	switch why {
	case "":
		why = "declined"
	case "declined", "unreachable":
	default:
		return Invalid("why is declined or unreachable")
	}
	return d.o.Line.Decline(ctx, id, c.Agent(), fence, why)
}

// Release ends an agent's part in a task: why is done or handed_back.
func (d *Duty) Release(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, why string) (view.Task, error) {
	return d.letGo(ctx, c, route.Released{Task: id, Fence: fence, Why: why, Outcome: tandem.OutcomeServed})
}

// Transfer puts a task back at its place, for a queue or for another agent.
func (d *Duty) Transfer(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, queue, agent string) (view.Task, error) {
	p := d.o.Line.Policy()
	switch {
	case (queue == "") == (agent == ""):
		return view.Task{}, Invalid("say a queue or an agent, one of them")
	case queue != "" && p.Queues[queue] == nil:
		return view.Task{}, Invalid("there is no queue of this name")
	case agent != "" && p.Agents[agent] == nil:
		return view.Task{}, Invalid("there is no agent of this name")
	case agent == c.Agent():
		return view.Task{}, Invalid("you have it already")
	}
	if t, ok := d.o.Line.Task(id); ok && agent != "" {
		if err := d.Rings(t, agent); err != nil {
			return view.Task{}, err
		}
	}
	return d.letGo(ctx, c, route.Released{Task: id, Fence: fence, Why: "transferred", Again: true, Queue: queue, Prefer: agent, Alone: agent != ""})
}

// Rings refuses to keep a call for an agent who cannot be called: it would be theirs alone, and
// ring nowhere.
func (d *Duty) Rings(t tandem.Task, agent string) error {
	if a, _ := d.o.Line.Agent(agent); t.Kind.Load() == tandem.LoadVoice && !a.Reachable[tandem.LoadVoice] {
		return tandem.Errorf(tandem.CodeConflict, "they cannot be reached for calls now: they have neither a telephone nor a microphone at their desk. Choose another, or a queue")
	}
	return nil
}

func (d *Duty) letGo(ctx context.Context, c login.Caller, e route.Released) (view.Task, error) {
	h, err := d.Holding(c, e.Task)
	if err == nil && h.Now == tandem.TaskWrapping && h.fence == e.Fence { // it was done, and the answer was lost
		return d.View(h.Task), nil
	}
	if err != nil || h.Now != tandem.TaskAssigned || h.fence != e.Fence {
		return view.Task{}, tandem.Errorf(tandem.CodeConflict, "you do not have this task any more")
	}
	e.Agent = h.agent
	t, err := d.o.Line.Release(ctx, e, nil)
	if err != nil {
		return view.Task{}, err
	}
	return d.View(t), nil
}

func (d *Duty) Wrap(ctx context.Context, c login.Caller, id tandem.TaskID, fence uint64, disposition string) error {
	disposition, err := Word(disposition, "the disposition", MaxShort)
	if err != nil {
		return err
	}
	h, err := d.Holding(c, id)
	if err != nil || h.Now != tandem.TaskWrapping || h.fence != fence {
		return tandem.Errorf(tandem.CodeConflict, "this wrap-up is over")
	}
	if err := d.disposes(h.Queue, disposition); err != nil {
		return err
	}
	return d.o.Line.Wrap(ctx, c.Agent(), fence, disposition, false)
}

// disposes says what is wrong with a disposition: it is one of the policy's, where that has
// any, and some queues need one.
func (d *Duty) disposes(queue, disposition string) error {
	all, must := d.o.Dispositions()
	var names []string
	for _, r := range all {
		names = append(names, r.Name)
	}
	switch {
	case disposition == "" && slices.Contains(must, queue):
		return Invalid("say what came of it: %s", cmp.Or(strings.Join(names, ", "), "in your own words"))
	case disposition != "" && len(all) > 0 && !slices.Contains(names, disposition):
		return Invalid("the policy has no such disposition; there is %s", strings.Join(names, ", "))
	}
	return nil
}

func (d *Duty) Present(ctx context.Context, name string, p tandem.Presence, reason string) (view.Agent, error) {
	reason, err := Word(reason, "the reason", MaxName)
	if err != nil {
		return view.Agent{}, err
	}
	switch p {
	case tandem.PresenceAvailable, tandem.PresenceOffline:
		if reason != "" {
			return view.Agent{}, Invalid("only who is away has a reason")
		}
	case tandem.PresenceAway:
		if err := d.reasonFits(reason); err != nil {
			return view.Agent{}, err
		}
	default:
		return view.Agent{}, Invalid("presence is available, away or offline")
	}
	if d.o.Line.Policy().Agents[name] == nil {
		return view.Agent{}, NoAgent()
	}
	a, err := d.o.Line.Present(ctx, name, p, reason)
	if err != nil {
		return view.Agent{}, err
	}
	return d.AgentView(a), nil
}

// Lost puts those back in line, at their place, to whom an agent wrote who is gone. What
// else they have waits for them, or for a supervisor.
func (d *Duty) Lost(ctx context.Context, name string) error {
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

func NoAgent() error {
	return tandem.Errorf(tandem.CodeNotFound, "no agent of this name stands in the queues file; a flow designer adds them to it")
}

// reasonFits says what is wrong with a reason to be away: it must be one of the policy's.
// Where that has none, none is asked for.
func (d *Duty) reasonFits(reason string) error {
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
		return Invalid("the policy has no reasons to be away: leave reason out")
	case reason == "":
		return Invalid("away needs a reason: %s", strings.Join(names, ", "))
	}
	return Invalid("the policy has no such reason to be away; there is %s", strings.Join(names, ", "))
}

// Note writes about a task that the agent has, or had till their wrap-up.
func (d *Duty) Note(ctx context.Context, c login.Caller, id tandem.TaskID, client, words string) error {
	h, err := d.Holding(c, id)
	if err == nil && h.Now == tandem.TaskOffered {
		err = tandem.Errorf(tandem.CodeConflict, "accept the offer first")
	}
	if err != nil {
		return err
	}
	return d.Comment(ctx, c, h.Interaction, id, client, words)
}

// Comment writes into the journal; the same client id again is the same note.
func (d *Duty) Comment(ctx context.Context, c login.Caller, in tandem.InteractionID, id tandem.TaskID, client, words string) error {
	words, err := Text(words, "the note", MaxText)
	if err == nil {
		err = clientID(client)
	}
	if err != nil {
		return err
	}
	e := tandem.NewEvent(in, "", d.o.Now(), tandem.EventNoted, Actor(c), tandem.Noted{Task: id, Text: words})
	err = d.o.Journal.Commit(ctx, &store.Change{Key: "note " + string(id) + " " + Actor(c) + " " + client, Events: []tandem.Event{e}, Living: true})
	if errors.Is(err, store.ErrDuplicate) {
		return nil
	}
	return err
}

// Actor is who it is in the journal.
func Actor(c login.Caller) string {
	if a := c.Agent(); a != "" {
		return a
	}
	return c.Name()
}

// Talk is the conversation of a task; conflict if it has none.
func (d *Duty) Talk(ctx context.Context, t *tandem.Task) (chat.Conversation, error) {
	channel, ok := channelOf(t.Kind)
	switch {
	case !ok && t.Kind.Load() == tandem.LoadVoice:
		return d.beside(ctx, t)
	case !ok:
		return chat.Conversation{}, errNoWriting()
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

func (d *Duty) Say(ctx context.Context, c login.Caller, id tandem.TaskID, client, words string) (view.Message, error) {
	h, err := d.assigned(c, id)
	if b, ok := d.barged(c, id); err != nil && ok {
		h, err = b, nil
	}
	if err != nil {
		return view.Message{}, err
	}
	if err := clientID(client); err != nil {
		return view.Message{}, err
	}
	if words, err = Text(words, "the message", MaxText); err != nil {
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

func (d *Duty) Typing(ctx context.Context, c login.Caller, id tandem.TaskID, on bool) error {
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
func (d *Duty) Problem(err error) (answer.Problem, int) { return Problem(err) }

// View is a task with its place.
func (d *Duty) View(t tandem.Task) view.Task { return view.Placed(t, d.o.Line) }

// AgentView is an agent as everybody sees them.
func (d *Duty) AgentView(a route.AgentState) view.Agent {
	return view.AgentOf(a, d.o.Line.Policy().Agents[a.Name], d.o.Phone(a.Name), d.o.Seat)
}
