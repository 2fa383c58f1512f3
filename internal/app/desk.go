package app

import (
	"context"
	"maps"
	"slices"

	"tandem"
	"tandem/bridge/chat"
	"tandem/ivr/text"
	"tandem/web/desk"
)

// makeDesk makes the API of agents and supervisors.
func (a *App) makeDesk() (err error) {
	a.desk, err = desk.New(desk.Options{
		Line: a.line, Door: a.login, Keys: a.staff, Journal: a.store, Talks: a.book, Say: saying{a}, Tickets: a.tickets, Surveys: a.surveys, Hooks: a.hooks,
		Reasons: a.awayReasons, Phone: func(agent string) bool { return a.cfg.Agents[agent].Phone != "" },
		Panicked: func() { a.metrics.panics.WithLabelValues("desk").Inc() }, Now: a.now, Log: a.log,
	})
	return err
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
func (a *App) awayReasons() []desk.Reason {
	away := a.shelf.Current().Routing.Away
	out := make([]desk.Reason, 0, len(away))
	for _, name := range slices.Sorted(maps.Keys(away)) {
		r := desk.Reason{Name: name, Words: map[string]string{}}
		for lang, w := range away[name].ByLang {
			if text, ok := w.Text.Literal(); ok {
				r.Words[lang] = text
			}
		}
		out = append(out, r)
	}
	return out
}

// saying is what agents write to customers.
type saying struct{ a *App }

// Reply sends what an agent writes, under the name that customers know them by.
func (s saying) Reply(ctx context.Context, id tandem.ConversationID, r desk.Reply) (chat.Entry, error) {
	return s.a.talk.Reply(ctx, id, text.Reply{Agent: r.Agent, Display: s.a.agentName(ctx, r.Agent), Client: r.Client, Text: r.Text})
}

// Typing shows the customer that the agent writes.
func (s saying) Typing(ctx context.Context, id tandem.ConversationID, agent string, on bool) error {
	return s.a.talk.Typing(ctx, id, s.a.agentName(ctx, agent), on)
}
