package app

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/route"
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
		Arrived: now, Lang: in.Lang, Prefer: agent, PreferTill: now.Add(placeFor), Key: placedKey + agent + ":" + p.Client, Note: "placed by an agent",
	}
	booked := tandem.Callback{Task: t.ID, To: to, Queue: t.Queue, Proven: true} // it answers to the agent, and to outbound.allow
	of.Events = append(of.Events, tandem.NewEvent(in.ID, "", now, tandem.EventCallback, agent, booked))
	opened, err := a.line.Open(ctx, t, of)
	if err != nil {
		return tandem.Task{}, err
	}
	return a.give(ctx, opened, agent)
}

const (
	// placeFor keeps a call for the agent who places it, alone: longer than anything waits.
	placeFor = 16 * 365 * 24 * time.Hour
	// placedKey begins the keys of the tasks of calls that agents place.
	placedKey = "place:"
	// placedTime bounds the ending of one that came to nothing.
	placedTime = 10 * time.Second
)

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

// followPlaced ends the calls that agents placed once they are back in line: the agent let the
// offer pass, or the customer was not reached. They were asked for once, by that agent, and are
// nobody else's. One that they hand on waits for whom it was handed to.
func (a *App) followPlaced(f queue.Fact) {
	switch o := f.Output.(type) {
	case route.OfferOver:
		a.placedBack(o.Task)
	case route.TaskReleased:
		if o.Why != "transferred" && o.Why != "lost" {
			a.placedBack(o.Task)
		}
	}
}

func (a *App) placedBack(t tandem.Task) {
	if t.State != tandem.TaskWaiting || !strings.HasPrefix(t.Key, placedKey) {
		return
	}
	outcome := tandem.OutcomeClosed
	if t.Tries > 0 {
		outcome = tandem.OutcomeUnreached
	}
	a.lining.Go(func() {
		a.contain("line", func() {
			ctx, cancel := context.WithTimeout(context.Background(), placedTime)
			defer cancel()
			if err := a.line.End(ctx, t.ID, outcome, nil); err != nil {
				a.log.Warn("a call that an agent placed is still in line", "task", t.ID, "error", err)
			}
		})
	})
}

// endPlaced ends those that a start finds in line: nobody waits for them any more.
func (a *App) endPlaced() {
	for _, t := range a.line.Tasks("", 0) {
		a.placedBack(t)
	}
}
