package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/internal/config"
	"tandem/ivr/flow"
)

// connects are transfers to an agent or a queue that wait for their task.
type connects struct {
	mu sync.Mutex
	by map[tandem.TaskID]chan tandem.Task
}

// expect has the end of a task told.
func (c *connects) expect(id tandem.TaskID) <-chan tandem.Task {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by == nil {
		c.by = map[tandem.TaskID]chan tandem.Task{}
	}
	ch := make(chan tandem.Task, 1)
	c.by[id] = ch
	return ch
}

func (c *connects) forget(id tandem.TaskID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.by, id)
}

// over tells who waits for it that a task is done.
func (c *connects) over(t tandem.Task) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ch := c.by[t.ID]; ch != nil {
		ch <- t
		delete(c.by, t.ID)
	}
}

// declined ends the wait of a transfer to an agent who let it pass. One to a queue goes on
// to others.
func (c *connects) declined(t tandem.Task) {
	t.Outcome = outcomeDeclined
	c.over(t)
}

// outcomeDeclined is told where the agent who was asked for does not want the call.
const outcomeDeclined = "declined"

// toLine reports whether a transfer goes to an agent or a queue.
func toLine(to string) (kind, name string, ok bool) {
	kind, name, _ = strings.Cut(to, ":")
	return kind, name, name != "" && (kind == "agent" || kind == "queue")
}

// connectLine transfers a caller to an agent or a queue: a task of its own, which is over
// when they part, or when nobody took it while it rang.
func (w *world) connectLine(ctx context.Context, c flow.Connect) (outcome string, err error) {
	k := w.call
	a := k.app
	kind, name, _ := toLine(c.To)
	t := tandem.Task{
		ID: tandem.NewID[tandem.TaskID](a.now(), a.random), Interaction: k.interaction.ID, Kind: tandem.TaskCall, Queue: name, Arrived: a.now(),
		Lang: k.interaction.Lang, Note: "transferred in the flow",
	}
	if kind == "agent" {
		t.Prefer, t.Queue = name, a.queueOf(name)
		if t.Queue == "" {
			return "failed", fmt.Errorf("agent %q serves no queue", name)
		}
		if who, ok := a.line.Agent(name); !ok || who.Presence != tandem.PresenceAvailable || !who.Reachable[tandem.LoadVoice] {
			return "no_answer", nil // or it would go to somebody else
		}
	}
	if c.Ring > 0 {
		t.Expires = t.Arrived.Add(c.Ring)
	}
	if kind == "agent" { // it is nobody else's
		if t.Expires.IsZero() {
			t.Expires = t.Arrived.Add(agentRing)
		}
		t.PreferTill = t.Expires
	}
	done := a.connects.expect(t.ID)
	defer a.connects.forget(t.ID)
	defer w.sounds(c.Mode)()
	_, err = a.line.Open(ctx, t, nil)
	var refused *queue.Refused
	switch {
	case errors.As(err, &refused):
		return "busy", nil
	case err != nil:
		return "failed", err
	}
	select {
	case t = <-done:
	case <-ctx.Done(): // the caller left
		if !k.stopped() {
			a.endTask(context.WithoutCancel(ctx), t.ID)
		}
		return "failed", nil
	}
	switch t.Outcome {
	case "", tandem.OutcomeServed: // "" = the agent writes notes
		return "ok", nil
	case outcomeDeclined:
		a.endTask(context.WithoutCancel(ctx), t.ID)
		return "busy", nil
	case tandem.OutcomeMaxWait:
		return "no_answer", nil
	}
	return "failed", nil
}

// agentRing is how long a caller waits for an agent whom a flow names, where it says no time.
const agentRing = time.Minute

// queueOf is the first queue, by name, that an agent serves; "" = none.
func (a *App) queueOf(agent string) string {
	p := a.line.Policy()
	who := p.Agents[agent]
	if who == nil {
		return ""
	}
	first := ""
	for name, q := range p.Queues {
		for _, team := range q.Teams {
			for _, of := range who.Teams {
				if team == of && (first == "" || name < first) {
					first = name
				}
			}
		}
	}
	return first
}

// callbackNumber is the number that a callback dials: the one it was booked for, else the
// one that the interaction's caller called from. ok is false for one that is not proven or
// that outbound.allow does not list.
func (a *App) callbackNumber(ctx context.Context, t tandem.Task) (to string, ok bool, err error) {
	story, err := a.store.Interaction(ctx, string(t.Interaction))
	if err != nil {
		return "", false, fmt.Errorf("looking for the number to call: %w", err)
	}
	number, proven := "", false
	for i := len(story.Events) - 1; i >= 0 && number == ""; i-- {
		var booked tandem.Callback
		if e := story.Events[i]; e.Kind != tandem.EventCallback || json.Unmarshal(e.Data, &booked) != nil || booked.Task != t.ID {
			continue
		}
		number, proven = booked.To, booked.Proven
	}
	for i := len(story.Legs) - 1; i >= 0 && number == ""; i-- {
		if l := story.Legs[i]; l.Inbound && l.Role == tandem.RoleCustomer && l.Kind == tandem.LegSIP && l.From != "" {
			number, proven = l.From, true
		}
	}
	if number == "" || !proven {
		return "", false, nil
	}
	if e, isNumber := config.E164(number, a.cfg.Identity.Country); isNumber {
		number = e
	}
	allowed, _ := a.cfg.Outbound.Allows("tel:" + number)
	return "tel:" + number, allowed, nil
}
