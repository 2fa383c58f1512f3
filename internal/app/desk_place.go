package app

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/store"
	desklive "tandem/web/desk/live"
)

// Place opens a callback for an agent and has it theirs: past the line, but never over what
// they can take. It is dialled as all callbacks are, under outbound.allow and its caps.
func (w ways) Place(ctx context.Context, agent string, p desklive.Placing) (tandem.Task, error) {
	a := w.a
	now := a.now()
	in := tandem.Interaction{ID: p.Interaction}
	of := &store.Change{}
	var to string
	if p.Interaction == "" {
		dialled, err := w.Number(p.To)
		if err != nil {
			return tandem.Task{}, err
		}
		to = strings.TrimPrefix(dialled, "tel:")
		in = tandem.Interaction{ID: tandem.NewID[tandem.InteractionID](now, a.random), Number: tandem.NewNumber(a.random), Entry: deskEntry, State: tandem.Closed, Started: now, Ended: now,
			Lang: languageOf(to)}
		of.Interaction, of.Caller = &in, &tandem.Identity{Kind: tandem.IdentityPhone, Value: to}
		of.Events = []tandem.Event{tandem.NewEvent(in.ID, "", now, tandem.EventOpened, agent, tandem.Opened{Entry: in.Entry, Channel: tandem.Voice, To: to})}
	} else {
		who, _, was, err := a.whoIs(ctx, tandem.Task{Interaction: p.Interaction})
		if err != nil {
			return tandem.Task{}, err
		}
		known, ok, err := a.reach.Callable(ctx, who, "")
		if err != nil {
			return tandem.Task{}, err
		}
		if !ok {
			return tandem.Task{}, tandem.Errorf(tandem.CodeConflict, "no number of this customer is known that may be called")
		}
		to, in = known, was
	}
	t := tandem.Task{
		ID: tandem.NewID[tandem.TaskID](now, a.random), Interaction: in.ID, Kind: tandem.TaskCallback, Queue: a.queueFor(agent, p.Queue), State: tandem.TaskWaiting,
		Arrived: now, Lang: in.Lang, Prefer: agent, PreferTill: now.Add(placeFor), Key: "place:" + agent + ":" + p.Client, Note: "placed by an agent",
	}
	booked := tandem.Callback{Task: t.ID, To: to, Queue: t.Queue, Proven: true} // it answers to the agent, and to outbound.allow
	of.Events = append(of.Events, tandem.NewEvent(in.ID, "", now, tandem.EventCallback, agent, booked))
	opened, err := a.line.Open(ctx, t, of)
	if err != nil {
		return tandem.Task{}, err
	}
	return a.give(ctx, opened, agent)
}

// placeFor is how long a call is kept for the agent who places it, from the moment it is in
// line to that in which it is theirs.
const placeFor = 30 * time.Second

// deskEntry is the entry of interactions that agents begin.
const deskEntry = "desk"

// give has a task that was opened for an agent theirs, or takes it out of line.
func (a *App) give(ctx context.Context, t tandem.Task, agent string) (tandem.Task, error) {
	if t.State == tandem.TaskAssigned && t.Agent == agent {
		return t, nil
	}
	given, err := a.line.Pull(ctx, t.ID, agent)
	if now, ok := a.line.Task(t.ID); err != nil && ok && now.Agent == agent { // the line was quicker
		given, err = now, nil
	}
	if err != nil {
		if end := a.line.End(context.WithoutCancel(ctx), t.ID, tandem.OutcomeClosed, nil); end != nil {
			a.log.Warn("a call that could not be placed is still in line", "task", t.ID, "error", end)
		}
		return tandem.Task{}, err
	}
	if up, _ := a.seatState(agent); !up || given.State != tandem.TaskOffered { // their phone rings
		return given, nil
	}
	return a.line.Accept(ctx, given.ID, agent, given.Fence)
}

// queueFor is the queue of a call that an agent places: the one they name, else the first
// that they serve, else the first of all.
func (a *App) queueFor(agent, named string) string {
	p := a.line.Policy()
	if named != "" {
		return named
	}
	of := p.Agents[agent]
	all := slices.Sorted(maps.Keys(p.Queues))
	for _, name := range all {
		if of != nil && slices.ContainsFunc(p.Queues[name].Teams, func(t string) bool { return slices.Contains(of.Teams, t) }) {
			return name
		}
	}
	if len(all) > 0 {
		return all[0]
	}
	return ""
}
