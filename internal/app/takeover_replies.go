package app

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"

	"tandem"
	"tandem/ivr/flow"
)

// Replies previews the canned replies that an agent may send in a task, those whose name or
// text has the query in it, by name: in the customer's language, with what their flow knows
// of them. What is missing is named in each.
func (a *App) Replies(ctx context.Context, t tandem.Task, agent, query string) ([]flow.ReplyPreview, error) {
	story, err := a.store.Interaction(ctx, string(t.Interaction))
	if err != nil {
		return nil, err
	}
	lang := story.Interaction.Lang
	known := map[string]any{
		"interaction": map[string]any{"number": string(story.Interaction.Number)}, "agent": map[string]any{"name": a.agentName(ctx, agent)},
		"queue": map[string]any{"name": t.Queue}, "now": a.now(), "settings": a.shelf.Current().Settings,
	}
	customer := map[string]any{"name": "", "phone": ""}
	if s, lib, _, err := a.sessionOf(ctx, t.Interaction); err == nil { // one that is over knows nothing more
		lang = s.Lang
		known["lang"], known["channel"] = s.Lang, string(s.Facts.Channel)
		answers(lib, s, known)
		if customer["phone"] = s.Facts.Phone; s.Facts.Phone == "" && s.Facts.Channel != tandem.Chat {
			customer["phone"] = s.Facts.Caller
		}
	}
	for _, name := range []string{"customer_name", "name"} {
		if s, ok := known[name].(string); ok && customer["name"] == "" {
			customer["name"] = s
		}
	}
	known["customer"] = customer
	if t.Lang != "" && lang == "" {
		lang = t.Lang
	}
	replies := a.shelf.Current().Replies
	out := []flow.ReplyPreview{}
	query = strings.ToLower(strings.TrimPrefix(query, "/"))
	for _, name := range slices.Sorted(maps.Keys(replies)) {
		if r := replies[name]; r.For(t.Queue) {
			p := r.Preview(lang, known)
			if query == "" || strings.Contains(name, query) || strings.Contains(strings.ToLower(p.Text), query) {
				out = append(out, p)
			}
		}
	}
	slices.SortStableFunc(out, func(x, y flow.ReplyPreview) int { // what begins with it comes first
		switch begins := strings.HasPrefix(x.Name, query); {
		case begins == strings.HasPrefix(y.Name, query):
			return 0
		case begins:
			return -1
		}
		return 1
	})
	return out, nil
}

// answers are the open variables of a session's flows that somebody has set, or that have a
// default: those of a flow called last hide others. A reply must not say that they owe 0.
func answers(lib *flow.Library, s flow.Session, into map[string]any) {
	for _, frame := range s.Frames {
		f := lib.Flows[frame.Flow]
		if f == nil {
			continue
		}
		for _, v := range slices.Concat(f.Inputs, f.Vars) {
			value, ok := frame.Vars[v.Name]
			if v.Secrecy != flow.Open || !ok || v.Default == nil && reflect.DeepEqual(value, v.Initial()) { // nobody has said it
				continue
			}
			into[v.Name] = value
		}
	}
}
