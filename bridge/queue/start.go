package queue

import (
	"context"

	"tandem"
	"tandem/bridge/route"
)

// afterStart is what a line is told that was left by a program that ended: offers come
// back, calls become callbacks at their place or end, wrap-ups go on to their deadlines, and
// whoever serves a chat, a text, a voicemail or a ticket goes on with it. All of it is as if
// it had happened when the program ended: the time since then is nobody's miss.
func afterStart(ctx context.Context, s route.Saved, cut func(context.Context, tandem.Task) bool) (events []route.Event) {
	for i := range s.Tasks {
		t := &s.Tasks[i]
		if t.State == tandem.TaskOffered {
			events = append(events, route.Declined{At: s.At, Task: t.ID, Agent: t.Agent, Fence: t.Fence, Why: "restart"})
		}
		if t.Kind.Load() != tandem.LoadVoice || t.State == tandem.TaskWrapping {
			continue
		}
		back := t.Kind == tandem.TaskCallback || cut == nil || cut(ctx, *t)
		events = append(events, afterCall(s, t, back)...)
	}
	return events
}

// afterCall is what becomes of a call or a callback. A call that its agent had is offered
// to them first.
func afterCall(s route.Saved, t *tandem.Task, back bool) (events []route.Event) {
	assigned := t.State == tandem.TaskAssigned
	switch {
	case back && t.Kind == tandem.TaskCall:
		events = append(events, route.Changed{At: s.At, Task: t.ID, Kind: tandem.TaskCallback, NoExpiry: true, Why: "crash"})
	case !back && !assigned:
		return append(events, route.Ended{At: s.At, Task: t.ID, Outcome: tandem.OutcomeLeft})
	}
	if assigned {
		r := route.Released{At: s.At, Task: t.ID, Agent: t.Agent, Fence: t.Fence, Why: "crash", NoWrap: true}
		if back {
			r.Again, r.Prefer = true, t.Agent
		} else {
			r.Outcome = tandem.OutcomeLeft
		}
		events = append(events, r)
	}
	return events
}
