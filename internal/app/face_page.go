package app

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/link"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/bridge/upgrade"
	"tandem/ivr/flow"
	"tandem/store"
)

// screenText is what a text says by which a caller opens a page beside their call.
func screenText(lang string) string {
	if chinese(lang) {
		return "请打开此页面，通话中即可向我们的同事展示资料：" + flow.LinkHere
	}
	return "Open this page to show things to our colleague while you talk: " + flow.LinkHere
}

// screenTime is how long pictures are asked for once a caller's page is there.
const screenTime = 15 * time.Minute

// sendScreen texts a caller the link of a page that stands beside their call, and asks for
// their pictures once it is open.
func (a *App) sendScreen(ctx context.Context, t tandem.Task, ask upgrade.Ask) error {
	who, _, in, err := a.whoIs(ctx, t)
	if err != nil {
		return err
	}
	until := a.now().Add(screenTime)
	key := string(t.ID) + "/" + a.now().Truncate(moveAgain).Format(time.RFC3339)
	l, err := a.textPage(ctx, who, in, key, ask.By, screenText(who.Lang))
	if err == nil && l.State.Over() { // taken back a moment ago
		l, err = a.textPage(ctx, who, in, key+"/"+string(l.ID), ask.By, screenText(who.Lang))
	}
	if err != nil {
		return err
	}
	a.faces.wants(wanted{ask, until, l.ID})
	return nil
}

// acceptScreen lets a caller open a page beside their call, by a link that their agent sent:
// a chat of the same interaction, in which the agent of the call writes. The flow goes on in
// the call. token opens it in the customer's browser.
func (a *App) acceptScreen(ctx context.Context, l link.Link, site string) (_, token string, err error) {
	k := a.live.get(l.Interaction)
	if k == nil {
		return "", "", errTooLate // they have hung up
	}
	if known, err := a.book.ByInteraction(ctx, l.Interaction, tandem.Chat); err == nil {
		was, err := a.store.Leg(ctx, known.Leg)
		// Pressed again, or by a second link. A chat from before the call is theirs alone who have
		// shown that they are the customer: whoever has the text would read what was said there.
		if ours := err == nil && was.Ended.IsZero() && was.Started.After(k.leg.Started); ours || l.Needs > tandem.None {
			if token, err = a.book.Token(ctx, known.ID); err != nil {
				return "", "", err
			}
			a.beside(ctx, l.Interaction, known.ID)
			return site, token, nil
		}
		if err := a.closeChat(ctx, known.ID, l.Interaction); err != nil {
			return "", "", err
		}
	}
	now := a.now()
	leg := tandem.Leg{
		ID: tandem.NewID[tandem.LegID](now, a.random), Interaction: l.Interaction, Kind: tandem.LegChat, Inbound: true, Role: tandem.RoleCustomer,
		To: "chat:" + site, Started: now, Answered: now,
	}
	c := chat.Conversation{
		ID: tandem.NewID[tandem.ConversationID](now, a.random), Channel: tandem.Chat, Entry: "chat:" + site, Customer: l.Customer, Lang: l.Lang, Started: now,
		Interaction: l.Interaction, Leg: leg.ID,
	}
	if token, err = a.book.NewToken(); err != nil {
		return "", "", err
	}
	err = a.store.Commit(ctx, &store.Change{
		Legs:   []tandem.Leg{leg},
		Events: []tandem.Event{tandem.NewEvent(l.Interaction, leg.ID, now, tandem.EventLegStarted, "caller", leg)},
		With: func(tx store.Tx) error {
			if err := a.book.Create(tx, &c); err != nil {
				return err
			}
			return a.book.Keep(tx, c.ID, token)
		},
	})
	if err != nil {
		return "", "", fmt.Errorf("making a page beside a call: %w", err)
	}
	a.beside(ctx, l.Interaction, c.ID)
	return site, token, nil
}

// besideChanged has the page beside a call told, if there is one, when somebody gets or leaves
// its caller. It does not wait.
func (a *App) besideChanged(f queue.Fact) {
	var in tandem.InteractionID
	switch o := f.Output.(type) {
	case route.TaskAssigned:
		in = o.Task.Interaction
	case route.TaskReleased:
		in = o.Task.Interaction
	case route.TaskOver:
		in = o.Task.Interaction
	}
	if in != "" && a.faces.chatOf(in) != "" && a.live.get(in) != nil {
		a.facesChanged(in)
	}
}

// placeBeside is who serves the caller of a call, as the page beside it shows that: nothing of a
// place in line, which is told in the call. false = there is no call.
func (a *App) placeBeside(ctx context.Context, in tandem.InteractionID) (chat.Place, bool) {
	if a.live.get(in) == nil {
		return chat.Place{}, false
	}
	agent, t := a.officerOf(in)
	if agent == "" {
		return chat.Place{}, true
	}
	return chat.Place{Queue: cmp.Or(t.Queue, agent), Served: true, Agent: a.agentName(ctx, agent)}, true
}

// beside has the agent of a call see the page that stands beside it now, and asks for the
// pictures that the agent wanted.
func (a *App) beside(ctx context.Context, in tandem.InteractionID, id tandem.ConversationID) {
	a.faces.know(in, id)
	if d := a.desk; d != nil {
		d.Beside(in)
	}
	ask, ok := a.faces.wantedOf(in, a.now())
	if !ok || a.faces.upgrades == nil {
		return
	}
	if _, err := a.faces.upgrades.Ask(ctx, ask); err != nil {
		a.log.Warn("a caller with a page could not be asked for pictures", "interaction", in, "error", err)
	}
}
