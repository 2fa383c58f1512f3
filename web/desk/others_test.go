package desk

import (
	"context"
	"slices"
	"strings"
	"sync"

	"tandem"
	"tandem/bridge/phone"
	"tandem/bridge/route"
	"tandem/media/webrtc"
	"tandem/web/desk/duty"
	"tandem/web/desk/live"
	"tandem/web/desk/view"
)

// others play what the desk asks of calls, flows, ways to customers and browsers' voice; they
// keep what they were asked.
type others struct {
	h *house

	mu      sync.Mutex
	talks   map[tandem.TaskID]phone.Talk
	invites []phone.Invite
	watched []func(phone.Talk)
	rung    []func(phone.Invite)
	asked   []string // "who: what", in their order
	seats   map[string]string
	gone    []string
}

func newOthers(h *house) *others {
	return &others{h: h, talks: map[tandem.TaskID]phone.Talk{}, seats: map[string]string{}}
}

var (
	_ duty.Calls = (*others)(nil)
	_ duty.Flows = (*others)(nil)
	_ duty.Ways  = (*others)(nil)
	_ live.Voice = (*others)(nil)
)

// note keeps what somebody asked.
func (o *others) note(all ...string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = append(o.asked, strings.Join(all, " "))
}

// last is what was asked last, and how much was.
func (o *others) last() (string, int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if len(o.asked) == 0 {
		return "", 0
	}
	return o.asked[len(o.asked)-1], len(o.asked)
}

// says has a call be as it is said, and tells it.
func (o *others) says(t phone.Talk) {
	o.mu.Lock()
	if t.Over {
		delete(o.talks, t.Task)
	} else {
		o.talks[t.Task] = t
	}
	watched := slices.Clone(o.watched)
	o.mu.Unlock()
	for _, do := range watched {
		do(t)
	}
}

// rings has an invite be as it is said, and tells it.
func (o *others) rings(i phone.Invite) {
	o.mu.Lock()
	o.invites = slices.DeleteFunc(o.invites, func(old phone.Invite) bool { return old.ID == i.ID })
	if i.Over == "" {
		o.invites = append(o.invites, i)
	}
	rung := slices.Clone(o.rung)
	o.mu.Unlock()
	for _, do := range rung {
		do(i)
	}
}

func (o *others) Talks() (all []phone.Talk) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, t := range o.talks {
		all = append(all, t)
	}
	return all
}

func (o *others) Talk(id tandem.TaskID) (phone.Talk, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	t, ok := o.talks[id]
	return t, ok
}

func (o *others) WatchTalks(do func(phone.Talk)) (stop func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.watched = append(o.watched, do)
	return func() {}
}

func (o *others) WatchInvites(do func(phone.Invite)) (stop func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.rung = append(o.rung, do)
	return func() {}
}

func (o *others) Invites(agent string) (all []phone.Invite) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, i := range o.invites {
		if i.To == agent {
			all = append(all, i)
		}
	}
	return all
}

func (o *others) Do(_ context.Context, who string, c phone.Command) error {
	o.note(who+":", string(c.Do), c.To.Agent+c.To.Number, c.Keys, c.Why)
	return nil
}

func (o *others) Answer(_ context.Context, agent, invite string, accept bool) error {
	o.note(agent+":", "answer", invite, map[bool]string{true: "yes", false: "no"}[accept])
	return nil
}

func (o *others) TakeOver(ctx context.Context, in tandem.InteractionID, agent, why string) (tandem.Task, error) {
	o.note(agent+":", "take over", why)
	for _, t := range o.h.router.Of(in) {
		return t, nil
	}
	return tandem.Task{}, tandem.Errorf(tandem.CodeNotFound, "there is no such interaction")
}

func (o *others) HandBack(ctx context.Context, t tandem.Task, agent, step string) error {
	o.note(agent+":", "hand back", step)
	_, err := o.h.router.Release(ctx, route.Released{Task: t.ID, Agent: agent, Fence: t.Fence, Why: "handed_back", Outcome: tandem.OutcomeServed}, nil)
	return err
}

func (o *others) Ask(_ context.Context, t tandem.Task, agent, step string) error {
	o.note(agent+":", "ask", step)
	return nil
}

func (o *others) Nodes(context.Context, tandem.InteractionID) ([]view.Node, error) {
	return []view.Node{{Flow: "bank", Step: "menu", Verb: "menu", Words: tandem.Words{En: "Menu", Zh: "菜单"}, Allowed: true},
		{Flow: "bank", Step: "card", Verb: "collect", Words: tandem.Words{En: "Card", Zh: "卡号"}, Asks: true, Why: &tandem.Words{En: "Not verified", Zh: "未核实"}, Secret: true}}, nil
}

func (o *others) Replies(_ context.Context, t tandem.Task, agent, word string) ([]view.Reply, error) {
	o.note(agent+":", "replies", word)
	return []view.Reply{{Name: "hello", Lang: "en", Text: "Dear ‹customer.name›, I am " + agent + ".", Missing: []string{"customer.name"}}}, nil
}

func (o *others) Operations(context.Context, tandem.Task) ([]view.Operation, []string, error) {
	return []view.Operation{{Name: "block", Words: map[string]string{"en": "Block a card"}, Params: []view.Param{{Name: "card", Type: "text", Required: true}}, Needs: "verified"}}, []string{"chat", "sms"}, nil
}

func (o *others) SendLink(_ context.Context, t tandem.Task, agent string, l live.LinkOrder) (view.Offered, error) {
	o.note(agent+":", "link", l.Operation, l.By)
	v := view.Offered{ID: tandem.NewID[tandem.LinkID](o.h.clock.Now(), o.h.random), Operation: l.Operation, State: tandem.LinkMade, By: "chat", At: o.h.clock.Now().UTC()}
	o.h.desk.Link(t.Interaction, v)
	return v, nil
}

func (o *others) Move(_ context.Context, t tandem.Task, agent string, to tandem.Channel) (tandem.Task, error) {
	o.note(agent+":", "move", string(to))
	return t, nil
}

func (o *others) Place(ctx context.Context, agent string, p live.Placing) (tandem.Task, error) {
	o.note(agent+":", "place", p.To+string(p.Interaction))
	return o.h.arrive(tandem.TaskCallback), nil
}

func (o *others) Number(typed string) (string, error) {
	if !strings.HasPrefix(typed, "+") {
		return "", tandem.Errorf(tandem.CodeForbidden, "this number may not be called from here")
	}
	return "tel:" + typed, nil
}

func (o *others) Signal(_ context.Context, who, seat string, s webrtc.Signal) error {
	o.note(who+":", "signal", seat, s.Kind)
	if s.Kind == webrtc.KindOffer {
		o.h.desk.Voice(who, seat, webrtc.Signal{Kind: webrtc.KindAnswer, SDP: "v=0"})
	}
	return nil
}

func (o *others) Gone(who string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.gone = append(o.gone, who)
}

// seat is how somebody's browser is.
func (o *others) seat(who string) (bool, string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	mic := o.seats[who]
	return mic == webrtc.MicOK, mic
}

// seated has somebody's browser be so.
func (o *others) seated(who, mic string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.seats[who] = mic
}
