package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/identity/check"
	"tandem/bridge/link"
	"tandem/bridge/reach"
	"tandem/bridge/route"
	"tandem/ivr/flow"
	"tandem/store"
)

// A caller is checked by video on a page that the step texts them, with the sound on the
// telephone: they hear music until an officer has them, and are back in the flow once the
// check is over.

const (
	// callTime is how often the session of a caller who waits for a check looks at it by
	// itself, if it was not told.
	callTime = 5 * time.Minute
	// placeTime is how often they are told their place.
	placeTime = time.Minute
)

// officerText is what the text says that brings a caller the page of their check.
func officerText(lang string) string {
	if chinese(lang) {
		return "请打开此页面进行视频身份核验，请不要挂断电话：" + flow.LinkHere
	}
	return "Open this page for the identity check by video, and stay on the phone: " + flow.LinkHere
}

// mayShow reports whether a caller has a page, or can be sent one.
func (a *App) mayShow(ctx context.Context, w tandem.Who) (has, may bool, err error) {
	who, err := a.facedCustomer(ctx, w.Interaction)
	if err != nil || who.Page {
		return who.Page, who.Page, err
	}
	means, err := a.reach.Means(ctx, w)
	return false, slices.Contains(means, "sms"), err
}

// textPage texts a caller a page that stands beside their call. The agent, or the flow, is
// who sends it.
func (a *App) textPage(ctx context.Context, w tandem.Who, in tandem.Interaction, key, actor, text string) (link.Link, error) {
	if _, ok := a.chatSite(in.Flow); !ok {
		return link.Link{}, tandem.Errorf(tandem.CodeConflict, "there is no chat in which a page could open: no entry of a chat is configured")
	}
	l, err := a.reach.LinkFor(ctx, w, reach.AgentLink{
		Key: "screen:" + key, Agent: actor, To: tandem.Chat, Serial: reach.ByAgent, Needs: w.Assurance, By: "sms", Text: text, Expires: screenTime,
		Flow: in.Flow, FlowHash: in.FlowHash,
	})
	if err == nil && a.desk != nil {
		a.desk.Link(w.Interaction, offeredOf(l))
	}
	return l, err
}

// proveCaller begins to wait for a check with the caller: an officer is called, or has them
// already and asked for the step.
func (a *App) proveCaller(ctx context.Context, w tandem.Who, c check.Check, ask flow.Identify, hasPage bool) (flow.Turn, error) {
	p := proving{Proving: c.ID}
	officer, t := a.officerOf(w.Interaction)
	ok, err := true, error(nil)
	if officer == "" {
		ok, err = a.callOfficer(ctx, w, c)
	}
	if ok && err == nil && !hasPage {
		var story store.Story
		if story, err = a.store.Interaction(ctx, string(w.Interaction)); err == nil {
			_, err = a.textPage(ctx, w, story.Interaction, string(c.ID), "flow", officerText(w.Lang))
		}
		if tandem.CodeOf(err) == tandem.CodeConflict {
			a.log.Info("a caller could not be sent the page of their check", "interaction", w.Interaction, "check", c.ID, "error", err)
			ok, err = false, nil
		}
	}
	if ok && err == nil && officer != "" {
		if err := a.askForVideo(ctx, officer, t, c); err != nil {
			a.log.Info("the pictures of a check were not asked for", "interaction", w.Interaction, "check", c.ID, "error", err)
		}
		if err = a.phones.GiveBack(ctx, w.Interaction); err == nil {
			p.Served = true
			return a.callTurn(p)
		}
		err = fmt.Errorf("giving an officer the caller: %w", err)
	}
	if err != nil || !ok {
		return flow.Turn{Done: &flow.Result{Outcome: "unsupported"}}, errors.Join(err, a.endCall(ctx, c), a.faces.checks.Gone(ctx, w.Interaction))
	}
	if had, err := a.served(ctx, w.Interaction, checkKey+string(c.ID)); err == nil && had != nil {
		a.told.waits(waiter{task: had.ID, in: w.Interaction, serial: ask.Serial, every: placeTime, proof: true})
		a.told.add(w.Interaction)
	}
	plays := []flow.Play{a.lineWords(w.Lang, flow.LineOfficer)}
	if !hasPage {
		plays = append(plays, a.lineWords(w.Lang, flow.LineScreen))
	}
	return a.callTurn(p, plays...)
}

// lineWords is a sentence that keys may stop.
func (a *App) lineWords(lang, name string) flow.Play {
	p := flow.LinePlay(lang, name)
	p.BargeIn = flow.BargeDTMF
	return p
}

// callTurn waits for the end of a check on a call.
func (a *App) callTurn(p proving, plays ...flow.Play) (flow.Turn, error) {
	state, err := json.Marshal(p)
	if err != nil {
		return flow.Turn{}, fmt.Errorf("keeping the state of a talk: %w", err)
	}
	return flow.Turn{Plays: plays, State: state, Digits: 1, Wait: flow.Wait{Kind: flow.WaitQueue, Served: p.Served, Until: a.now().Add(callTime)}}, nil
}

// hearCaller goes on with a caller's talk about a check: their place in line, the officer who
// has them now, their wish to stop, or the check's end.
func (k *call) hearCaller(ctx context.Context, w tandem.Who, state json.RawMessage, in flow.Input) (flow.Turn, error) {
	a := k.app
	var p proving
	if err := json.Unmarshal(state, &p); err != nil {
		return flow.Turn{}, fmt.Errorf("reading the state of a talk: %w", err)
	}
	c, err := a.faces.checks.Find(ctx, p.Proving)
	if err != nil {
		return flow.Turn{Done: &flow.Result{Outcome: "failed"}}, nil
	}
	if in.Kind == flow.InputText && in.Text == "0" && !p.Served && !c.State.Over() {
		if c, err = a.faces.checks.Customer(ctx, c.ID, check.Input{Do: "stop"}); err != nil {
			return flow.Turn{}, err
		}
	}
	if c.State.Over() {
		return provedTurn(c), nil
	}
	var plays []flow.Play
	switch in.Kind {
	case flow.InputServed:
		p.Served = true
	case flow.InputPlace:
		p.Served = false
		plays = append(plays, flow.Announce(w.Lang, flow.Wait{Place: in.Place}))
	}
	k.stay.check(p.Served)
	return a.callTurn(p, plays...)
}

// provesWith reports whether an agent has the caller of an interaction for the check that a
// step waits for.
func (a *App) provesWith(in tandem.InteractionID, agent string) bool {
	for _, t := range a.line.Of(in) {
		if isProof(t) && t.Agent == agent && t.State == tandem.TaskAssigned {
			return true
		}
	}
	return false
}

// isProof reports a task by which an officer comes for a check.
func isProof(t tandem.Task) bool { return strings.HasPrefix(t.Key, checkKey) }

// tellProof brings the session of one who waits for an officer up to date: with their place,
// or with the end of what they wait for. Who had the caller for the check has them on if the
// flow brings the caller back into their line, and otherwise no more.
func (a *App) tellProof(ctx context.Context, w waiter) error {
	s, err := a.sessionNow(ctx, w.in)
	if errors.Is(err, store.ErrNotFound) {
		a.told.over(w.in)
		return nil
	}
	if err != nil {
		return err
	}
	k := a.live.get(w.in)
	if s.Wait.Serial < w.serial && k != nil { // what it waits for has just begun
		time.AfterFunc(soonTime, func() { a.told.add(w.in) })
		return nil
	}
	t, open := a.line.Task(w.task)
	if s.Wait.Kind != flow.WaitIdentify || s.Wait.Serial != w.serial {
		return a.proofOver(ctx, w, s, t, open && k != nil && t.State == tandem.TaskAssigned)
	}
	c, checking := a.faces.checks.Of(w.in)
	switch {
	case !checking: // its end is on its way to the session
		time.AfterFunc(lineTick, func() { a.told.add(w.in) })
	case !open || t.State == tandem.TaskWrapping || t.State == tandem.TaskDone: // nobody came, or they have left
		if c.By == check.ByFlow && !a.comes(w.in) {
			return a.faces.checks.Gone(ctx, w.in)
		}
	case t.State == tandem.TaskAssigned && k == nil:
		a.told.update(w, func(w *waiter) { w.served = a.now() })
		a.hidePlace(w)
	case t.State != tandem.TaskAssigned && k != nil && (w.next.IsZero() || k.stay.isChecked()):
		a.told.update(w, func(w *waiter) { w.next = a.now().Add(w.every) })
		return a.hand(ctx, w.in, flow.Input{Kind: flow.InputPlace, At: a.now(), Serial: w.serial, Place: a.placeOf(t)})
	}
	return nil
}

// comes reports whether somebody has an interaction's customer, or is to have them.
func (a *App) comes(in tandem.InteractionID) bool {
	return slices.ContainsFunc(a.line.Of(in), func(t tandem.Task) bool {
		return t.Kind.Live() && t.State != tandem.TaskWrapping && t.State != tandem.TaskDone
	})
}

// endCutChecks ends the checks that flows wait for no more, since the program ended in the
// middle of a call. Whoever was cut off there is called back as from any line.
func (a *App) endCutChecks(ctx context.Context) {
	open, err := a.faces.checks.List(ctx, store.CheckFilter{Open: true, Limit: 1000})
	if err != nil {
		a.log.Warn("identity checks that were cut off could not be looked up; their clocks end them", "error", err)
	}
	for _, c := range open {
		if c.By != check.ByFlow || c.State.Over() {
			continue
		}
		leg, err := a.store.Leg(ctx, c.Leg)
		if err == nil && leg.Kind != tandem.LegChat && !leg.Ended.IsZero() {
			err = a.faces.checks.Gone(ctx, c.Interaction)
		}
		if err != nil {
			a.log.Warn("an identity check that was cut off could not be ended; its clock does", "interaction", c.Interaction, "check", c.ID, "error", err)
		}
	}
}

// proofOver looks where a session goes on after its check. An officer who still has the
// caller is done with them, unless it comes to people again in a moment.
func (a *App) proofOver(ctx context.Context, w waiter, s flow.Session, t tandem.Task, has bool) error {
	switch s.Wait.Kind {
	case flow.WaitHTTP, flow.WaitMessage, flow.WaitTicket, flow.WaitCallback:
		if has {
			time.AfterFunc(lineTick, func() { a.told.add(w.in) })
			return nil
		}
	}
	a.told.over(w.in)
	if !has || s.WithAgent() {
		return nil
	}
	return a.letGo(ctx, t, t.Agent, nil)
}

// officersTask is the task of the officer who has an interaction's customer for a check, if
// they are one of those whom a step's line leads to. One of another kind has no more to do
// with the customer.
func (a *App) officersTask(ctx context.Context, w tandem.Who, s flow.Session, e flow.Enqueue) (*tandem.Task, error) {
	if s.Wait.Served { // a stop came between
		all, err := a.store.Tasks(ctx, w.Interaction)
		if err != nil {
			return nil, fmt.Errorf("looking for who had the customer: %w", err)
		}
		for _, t := range slices.Backward(all) {
			if isProof(t) {
				return &t, nil
			}
		}
	}
	for _, t := range a.line.Of(w.Interaction) {
		if !isProof(t) || t.State != tandem.TaskAssigned || t.Kind != kindOn(w.Channel) {
			continue
		}
		if a.serves(t.Agent, e.Queue) && a.skilled(t.Agent, e.Skills) {
			return &t, nil
		}
		if err := a.letGo(ctx, t, t.Agent, nil); err != nil && tandem.CodeOf(err) != tandem.CodeConflict {
			return nil, err
		}
	}
	return nil, nil
}

// sessionNow is the session of an interaction, wherever it runs.
func (a *App) sessionNow(ctx context.Context, in tandem.InteractionID) (flow.Session, error) {
	if k := a.live.get(in); k != nil {
		k.stay.mu.Lock()
		defer k.stay.mu.Unlock()
		return k.stay.session, nil
	}
	return a.stored(ctx, in)
}

// abandon ends the check that a session waited for and waits for no more: its customer has
// left, or was taken over.
func (a *App) abandon(ctx context.Context, in tandem.InteractionID) {
	a.leaveLine(ctx, in)
	if err := a.faces.checks.Gone(ctx, in); err != nil {
		a.log.Warn("the identity check of a customer who has left could not be ended; its clock does", "interaction", in, "error", err)
	}
}

// lend gives the flow a caller back whom an officer has, so that they hear it. Who cannot lend
// them lets them go.
func (a *App) lend(ctx context.Context, c check.Check) error {
	if a.live.get(c.Interaction) == nil {
		return nil
	}
	err := a.phones.Lend(ctx, c.Interaction)
	if err == nil {
		return nil
	}
	for _, t := range a.line.Of(c.Interaction) {
		if t.Key == checkKey+string(c.ID) && t.State == tandem.TaskAssigned {
			_, err := a.line.Release(ctx, route.Released{Task: t.ID, Agent: t.Agent, Fence: t.Fence, Why: "handed_back", Outcome: tandem.OutcomeServed}, nil)
			return err
		}
	}
	return nil
}
