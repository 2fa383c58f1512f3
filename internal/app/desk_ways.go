package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tandem"
	"tandem/bridge/link"
	"tandem/bridge/reach"
	"tandem/internal/config"
	"tandem/ivr/flow"
	"tandem/store"
	"tandem/web/desk/duty"
	desklive "tandem/web/desk/live"
	"tandem/web/desk/view"
)

// handing is what flows do with customers whom agents have.
type handing struct{ a *App }

var _ duty.Flows = handing{}

func (h handing) TakeOver(ctx context.Context, in tandem.InteractionID, agent, why string) (tandem.Task, error) {
	return h.a.TakeOver(ctx, in, agent, why)
}

func (h handing) HandBack(ctx context.Context, t tandem.Task, agent, step string) error {
	return h.a.HandBack(ctx, t, agent, step)
}

func (h handing) Ask(ctx context.Context, t tandem.Task, agent, step string) error {
	return h.a.Ask(ctx, t, agent, step)
}

// Nodes are the steps of an interaction's flows.
func (h handing) Nodes(ctx context.Context, in tandem.InteractionID) ([]view.Node, error) {
	all, err := h.a.Nodes(ctx, in)
	out := make([]view.Node, 0, len(all))
	for _, n := range all {
		v := view.Node{Flow: n.Flow, Step: n.Step, Verb: n.Verb, Words: n.Words, Allowed: n.Allowed, Asks: n.Asks, Here: n.Here, Secret: n.Secret}
		if n.Why != (tandem.Words{}) {
			v.Why = &n.Why
		}
		out = append(out, v)
	}
	return out, err
}

// Replies are canned replies, filled in.
func (h handing) Replies(ctx context.Context, t tandem.Task, agent, word string) ([]view.Reply, error) {
	all, err := h.a.Replies(ctx, t, agent, word)
	out := make([]view.Reply, 0, len(all))
	for _, r := range all {
		out = append(out, view.Reply{Name: r.Name, Lang: r.Lang, Text: r.Text, Missing: r.Missing})
	}
	return out, err
}

// ways are how agents reach customers beside a talk.
type ways struct{ a *App }

var _ duty.Ways = ways{}

// whoIs is the customer of a task, on the leg that they are on, and what their session
// knows; a session that is not there has no Frames.
func (a *App) whoIs(ctx context.Context, t tandem.Task) (tandem.Who, flow.Session, tandem.Interaction, error) {
	story, err := a.store.Interaction(ctx, string(t.Interaction))
	if err != nil {
		return tandem.Who{}, flow.Session{}, tandem.Interaction{}, err
	}
	s, err := a.stored(ctx, t.Interaction)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return tandem.Who{}, s, story.Interaction, err
	}
	in := story.Interaction
	w := tandem.Who{Interaction: in.ID, Customer: known(in.Customer, s), Channel: tandem.Voice, Number: in.Number, Entry: in.Entry,
		Lang: cmp.Or(s.Lang, t.Lang, in.Lang), Assurance: s.Facts.Level(a.now()), Until: s.Facts.AssuranceUntil}
	for _, l := range slices.Backward(story.Legs) { // the number they speak from, whatever they do now
		if l.Role != tandem.RoleCustomer || l.Kind != tandem.LegSIP {
			continue
		}
		from := l.From
		if !l.Inbound {
			from = strings.TrimPrefix(l.To, "tel:")
		}
		w.Leg, w.Caller = l.ID, a.identity.Phone(from).Value
		break
	}
	channel, writes := map[tandem.TaskKind]tandem.Channel{tandem.TaskChat: tandem.Chat, tandem.TaskText: tandem.SMS}[t.Kind]
	if !writes {
		return w, s, in, nil
	}
	c, err := a.book.ByInteraction(ctx, in.ID, channel)
	if err != nil {
		return w, s, in, fmt.Errorf("finding the talk of a task: %w", err)
	}
	w.Channel, w.Conversation, w.Leg = channel, c.ID, c.Leg
	if channel == tandem.SMS {
		w.Caller = c.Theirs
	}
	return w, s, in, nil
}

// shownBy is the version of the flows whose operations an interaction's customer is shown,
// with the flow that names it: that which it began with, or today's.
func (a *App) shownBy(ctx context.Context, in tandem.Interaction) (lib *flow.Library, name, hash string) {
	if lib, err := a.Library(ctx, in.Flow, in.FlowHash); err == nil {
		return lib, in.Flow, in.FlowHash
	}
	lib = a.shelf.Current()
	for _, name := range slices.Sorted(maps.Keys(lib.Flows)) {
		return lib, name, lib.Flows[name].Hash
	}
	return lib, "", ""
}

// Operations are those whose link a task's customer can be sent.
func (w ways) Operations(ctx context.Context, t tandem.Task) ([]view.Operation, []string, error) {
	who, _, in, err := w.a.whoIs(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	by, err := w.a.reach.Means(ctx, who)
	if err != nil {
		return nil, nil, err
	}
	lib, _, _ := w.a.shownBy(ctx, in)
	var out []view.Operation
	for _, name := range slices.Sorted(maps.Keys(lib.Operations)) {
		o := lib.Operations[name]
		v := view.Operation{Name: name, Words: literals(o.Title), Params: []view.Param{}, Needs: o.Needs.String()}
		for _, f := range fieldsOf(lib, o) {
			p := view.Param{Name: f.Name, Type: string(f.Type.Kind), Words: literals(f.Ask)}
			p.Values = append(p.Values, f.Type.Values...)
			v.Params = append(v.Params, p)
		}
		out = append(out, v)
	}
	return out, by, nil
}

// fieldsOf are the fields of an operation's page: all of them can be filled in beforehand.
func fieldsOf(lib *flow.Library, o *flow.Operation) (out []*flow.FormField) {
	for _, s := range o.Steps {
		if f := lib.Forms[s.Form]; f != nil {
			out = append(out, f.Fields...)
		}
	}
	return out
}

// SendLink sends the link of an operation.
func (w ways) SendLink(ctx context.Context, t tandem.Task, agent string, o desklive.LinkOrder) (view.Offered, error) {
	who, _, in, err := w.a.whoIs(ctx, t)
	if err != nil {
		return view.Offered{}, err
	}
	lib, name, hash := w.a.shownBy(ctx, in)
	op := lib.Operations[o.Operation]
	if op == nil {
		return view.Offered{}, tandem.Errorf(tandem.CodeInvalid, "there is no operation %s", o.Operation)
	}
	params, err := paramsOf(lib, op, o.Params)
	if err != nil {
		return view.Offered{}, err
	}
	if o.By == "" {
		means, err := w.a.reach.Means(ctx, who)
		if err != nil {
			return view.Offered{}, err
		}
		if len(means) == 0 {
			return view.Offered{}, tandem.Errorf(tandem.CodeConflict, "there is no way to this customer: they write in no chat, and no number of theirs can be texted")
		}
		o.By = means[0]
	}
	text := flow.LinkHere
	if title := literals(op.Title)[who.Lang]; title != "" {
		text = title + " " + flow.LinkHere
	}
	l, err := w.a.reach.LinkFor(ctx, who, reach.AgentLink{
		Key: "agent:" + agent + "/" + o.Client, Agent: agent, Operation: o.Operation, Serial: reach.ByAgent, Params: params, Needs: op.Needs, By: o.By,
		Text: text, Flow: name, FlowHash: hash,
	})
	if err != nil {
		return view.Offered{}, err
	}
	v := offeredOf(l)
	w.a.desk.Link(t.Interaction, v)
	return v, nil
}

// paramsOf checks what an agent fills in beforehand: fields that the page has, in plain
// values; the page checks them as it does what is typed there.
func paramsOf(lib *flow.Library, o *flow.Operation, given map[string]any) (map[string]any, error) {
	has := map[string]bool{}
	for _, f := range fieldsOf(lib, o) {
		has[f.Name] = true
	}
	for name, v := range given {
		text, isText := v.(string)
		switch v.(type) {
		case string, float64, bool:
		default:
			return nil, tandem.Errorf(tandem.CodeInvalid, "%s is a text, a number, or true or false", name)
		}
		if !has[name] {
			return nil, tandem.Errorf(tandem.CodeInvalid, "the page of this operation has no field %s", name)
		}
		if isText && len(text) > maxParam {
			return nil, tandem.Errorf(tandem.CodeInvalid, "%s is longer than %d bytes", name, maxParam)
		}
	}
	return given, nil
}

// maxParam bounds what an agent fills in of one field, in bytes.
const maxParam = 1000

// offeredOf is a link as it is shown at the desk.
func offeredOf(l link.Link) view.Offered {
	v := view.Offered{ID: l.ID, Operation: l.Operation, To: l.To, State: l.State, By: l.By, At: l.Made.UTC(), Expires: l.Expires.UTC()}
	switch {
	case l.State == tandem.LinkOpened:
		v.At = l.Opened.UTC()
	case l.State.Over():
		v.At = l.Over.UTC()
	}
	return v
}

// Number is how a number that an agent typed is dialled, if outbound.allow lists it.
func (w ways) Number(typed string) (string, error) {
	number, ok := config.E164(typed, w.a.cfg.Identity.Country)
	if !ok || len(typed) > maxTyped {
		return "", tandem.Errorf(tandem.CodeInvalid, "this is no phone number: write it with its country, such as +44 20 7946 0000")
	}
	to := "tel:" + number
	if allowed, why := w.a.cfg.Outbound.Allows(to); !allowed {
		return "", tandem.Errorf(tandem.CodeForbidden, "this number may not be called from here: %s", why)
	}
	return to, nil
}

// maxTyped bounds a number as it is typed, in bytes.
const maxTyped = 40
