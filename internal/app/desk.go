package app

import (
	"context"
	"maps"
	"slices"

	"tandem"
	"tandem/bridge/chat"
	"tandem/ivr/flow"
	"tandem/ivr/text"
	"tandem/web/desk"
	"tandem/web/desk/duty"
	"tandem/web/desk/view"
)

// makeDesk makes the API of agents and supervisors.
func (a *App) makeDesk() error {
	overview, err := a.makeBoard()
	if err != nil {
		return err
	}
	o := desk.Options{
		Options: duty.Options{
			Line: a.line, Door: a.login, Journal: a.store, Talks: a.book, Say: saying{a}, Calls: speaking{a.phones, a}, Flows: handing{a}, Ways: ways{a},
			Reasons: a.awayReasons, Dispositions: a.dispositions, Phone: func(agent string) bool { return a.cfg.Agents[agent].Phone != "" },
			Seat: a.seatState, Servers: a.iceServers, Display: a.agentName, Now: a.now,
		},
		Keys: a.staff, Tickets: a.tickets, Surveys: a.surveys, Hooks: a.hooks, Voice: a, Overview: overview,
		Panicked: func() { a.metrics.panics.WithLabelValues("desk").Inc() }, Log: a.log,
	}
	if a.faces.upgrades != nil {
		o.Faces, o.Checks = staffFaces{a}, staffChecks{a}
	}
	if a.desk, err = desk.New(o); err != nil {
		return err
	}
	a.line.Watch(a.followPlaced)
	a.endPlaced()
	d := a.desk
	a.WatchAsked(func(s Asked) {
		d.Asked(s.Agent, view.Told{Task: s.Task, Flow: s.Flow, Step: s.Step, Outcome: s.Outcome, Set: s.Set})
	})
	a.seats.mu.Lock()
	defer a.seats.mu.Unlock()
	a.seats.tell = a.desk.Voice
	return nil
}

// closeDesk ends what the desk runs, once.
func (a *App) closeDesk(ctx context.Context) error {
	d := a.desk
	if a.desk = nil; d == nil {
		return nil
	}
	return d.Close(ctx)
}

// awayReasons are the policy's reasons for being away, by name.
func (a *App) awayReasons() []duty.Reason { return reasonsOf(a.shelf.Current().Routing.Away) }

// dispositions are what the policy says can come of a task, by name, and the queues whose
// agents must say which.
func (a *App) dispositions() (all []duty.Reason, must []string) {
	lib := a.shelf.Current()
	for _, name := range slices.Sorted(maps.Keys(lib.Queues)) {
		if lib.Queues[name].Disposition {
			must = append(must, name)
		}
	}
	return reasonsOf(lib.Routing.Dispositions), must
}

func reasonsOf(all map[string]*flow.Prompt) []duty.Reason {
	out := make([]duty.Reason, 0, len(all))
	for _, name := range slices.Sorted(maps.Keys(all)) {
		out = append(out, duty.Reason{Name: name, Words: literals(all[name])})
	}
	return out
}

// literals are words without variables, by language.
func literals(p *flow.Prompt) map[string]string {
	out := map[string]string{}
	if p == nil {
		return out
	}
	for lang, w := range p.ByLang {
		if text, ok := w.Text.Literal(); ok {
			out[lang] = text
		}
	}
	return out
}

// saying is what agents write to customers.
type saying struct{ a *App }

// Reply sends what an agent writes, under the name that customers know them by.
func (s saying) Reply(ctx context.Context, id tandem.ConversationID, r duty.Reply) (chat.Entry, error) {
	return s.a.talk.Reply(ctx, id, text.Reply{Agent: r.Agent, Display: s.a.agentName(ctx, r.Agent), Client: r.Client, Text: r.Text})
}

// Typing shows the customer that the agent writes.
func (s saying) Typing(ctx context.Context, id tandem.ConversationID, agent string, on bool) error {
	return s.a.talk.Typing(ctx, id, s.a.agentName(ctx, agent), on)
}
