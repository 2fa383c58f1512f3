package upgrade

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"tandem"
)

// Ask is what is asked for.
type Ask struct {
	Interaction tandem.InteractionID
	Task        tandem.TaskID // "" = that which an agent has of the interaction
	By          string        // an agent's name, ByFlow, ByCustomer
	Level       tandem.Level
	Why         string         // shown to the customer: words, 200 characters at most, or one of Reasons
	Check       tandem.CheckID // "" = not for an identity check
	Page, Lang  string         // of a customer who asks: who wants it by words they have read consents
	// Record says that this one is recorded although others are not, as a check's policy wants.
	Record bool
}

// mostWhy bounds a reason, in characters.
const mostWhy = 200

var (
	errServed = tandem.Errorf(tandem.CodeConflict, "no agent has this conversation now; wait until one has")
	errAsks   = tandem.Errorf("too_fast", "this was asked for too often in this conversation; wait a few minutes")
	errFull   = tandem.Errorf(tandem.CodeUnavailable, "as many speak and show themselves as this server allows; try again later")
	errTexts  = tandem.Errorf(tandem.CodeConflict, "this customer writes texts and has no page open: call them instead")
	errPage   = tandem.Errorf(tandem.CodeConflict, "this customer has no page open: send them a link to one first")
	errSounds = tandem.Errorf(tandem.CodeConflict, "this customer is on the telephone: ask for pictures")
	errAnswer = tandem.Errorf(tandem.CodeConflict, "more is asked of you: agree to it, or refuse it")
	errOther  = tandem.Errorf(tandem.CodeConflict, "another page of yours has voice and video; go on there, or close it")
	errPageID = tandem.Errorf(tandem.CodeInvalid, "a page needs an id to have voice or video")
	errLater  = tandem.Errorf(tandem.CodeUnavailable, "your agent cannot speak at this moment; try again shortly")
	errOffice = tandem.Errorf(tandem.CodeForbidden, "only the agent who has the customer can do this")
)

// Ask asks for voice or video: an agent or a flow the customer, or the customer their agent.
// Of an upgrade that goes on it asks for more, or for an identity check within it.
func (u *Upgrades) Ask(ctx context.Context, a Ask) (Upgrade, error) {
	a.Why = strings.TrimSpace(a.Why)
	switch {
	case u.o.Media == nil:
		return Upgrade{}, errMedia
	case a.Level != tandem.LevelVoice && a.Level != tandem.LevelVideo:
		return Upgrade{}, errLevel
	case utf8.RuneCountInString(a.Why) > mostWhy:
		return Upgrade{}, tandem.Errorf(tandem.CodeInvalid, "say why in %d characters at most", mostWhy)
	case a.By == ByCustomer && above(a.Level, u.o.Customers):
		return Upgrade{}, errPolicy
	case a.By == ByCustomer && a.Page == "":
		return Upgrade{}, errPageID
	}
	t, ok := u.taskFor(a)
	if !ok {
		return Upgrade{}, errServed
	}
	if a.By != ByFlow && a.By != ByCustomer && a.By != t.Agent {
		return Upgrade{}, errOffice
	}
	if x := u.find(a.Interaction); x != nil {
		if is := x.shown(); is.ID == "" || is.Open() {
			return u.askMore(ctx, x, a)
		}
		select {
		case <-x.done: // it gives back what it had
		case <-ctx.Done():
			return Upgrade{}, errBusy
		}
	}
	pictures := t.Kind.Load() == tandem.LoadVoice
	c, err := u.o.Customer(ctx, a.Interaction)
	switch {
	case err != nil:
		return Upgrade{}, err
	case !c.Page && pictures:
		return Upgrade{}, errPage
	case !c.Page:
		return Upgrade{}, errTexts
	case pictures && a.Level != tandem.LevelVideo:
		return Upgrade{}, errSounds
	}
	if !pictures {
		if err := u.o.Switchboard.Ready(t.Agent); err != nil {
			return Upgrade{}, err
		}
	}
	x, err := u.make(a, t, c, pictures)
	if err != nil {
		return Upgrade{}, err
	}
	if err := x.promise(ctx, begin(a.By, a.Level, pictures), a.By, a.Lang, ""); err != nil {
		close(x.done)
		u.forget(x)
		return Upgrade{}, err
	}
	return u.start(x)
}

// start starts the goroutine of an upgrade that was asked for.
func (u *Upgrades) start(x *upgrade) (Upgrade, error) {
	u.mu.Lock()
	ctx := u.ctx
	if ctx != nil {
		u.going.Add(1)
	}
	u.mu.Unlock()
	if ctx == nil {
		close(x.done)
		u.forget(x)
		return Upgrade{}, errStops
	}
	x.publish()
	is := x.shown()
	go func() {
		defer u.going.Done()
		x.run(ctx)
	}()
	return is, nil
}

// taskFor is the task within which something is asked for.
func (u *Upgrades) taskFor(a Ask) (tandem.Task, bool) {
	for _, t := range u.o.Line.Of(a.Interaction) {
		if t.State == tandem.TaskAssigned && (a.Task == "" || t.ID == a.Task) && t.Kind.Load() != tandem.LoadWork {
			return t, true
		}
	}
	return tandem.Task{}, false
}

// make makes an upgrade that nobody knows of yet but that there is one.
func (u *Upgrades) make(a Ask, t tandem.Task, c Customer, pictures bool) (*upgrade, error) {
	now := u.now()
	x := &upgrade{
		u: u, id: tandem.NewID[tandem.UpgradeID](now, u.o.Random), in: a.Interaction, task: t.ID, agent: t.Agent, reason: a.Why, check: a.Check, lang: c.Lang,
		kept: u.o.Record || a.Record, inbox: make(chan order, inboxRoom), kick: make(chan struct{}, 1), done: make(chan struct{}), names: map[string]string{},
		log: u.o.Log.With("interaction", a.Interaction, "task", t.ID),
	}
	x.leg = tandem.Leg{ID: tandem.NewID[tandem.LegID](now, u.o.Random), Interaction: a.Interaction, Kind: tandem.LegWebRTC, Inbound: true, Role: tandem.RoleCustomer}
	if pictures {
		x.leg = tandem.Leg{ID: u.callersLeg(a.Interaction, c.Leg), Interaction: a.Interaction}
	}
	if a.By == ByCustomer {
		x.page, x.lang = a.Page, a.Lang
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.ctx == nil:
		return nil, errStops
	case u.by[a.Interaction] != nil:
		return nil, errNotYours
	case len(u.by) >= u.o.Limits.Open:
		return nil, errFull
	case !u.mayAsk(a.Interaction, now):
		return nil, errAsks
	}
	u.by[a.Interaction] = x
	return x, nil
}

// callersLeg is the leg by which a customer on the telephone is in the talk.
func (u *Upgrades) callersLeg(in tandem.InteractionID, known tandem.LegID) tandem.LegID {
	talk, _ := u.o.Switchboard.TalkOf(in)
	for _, p := range talk.Parties {
		if p.Role == tandem.RoleCustomer {
			return p.Leg
		}
	}
	return known
}

// mayAsk counts an ask of an interaction, and is false for one too many. The lock is held.
func (u *Upgrades) mayAsk(in tandem.InteractionID, now time.Time) bool {
	if now.Sub(u.swept) > u.o.Limits.Span { // what is older than that counts no more
		u.swept = now
		for in, times := range u.asks {
			if now.Sub(times[len(times)-1]) > u.o.Limits.Span {
				delete(u.asks, in)
			}
		}
	}
	times := u.asks[in]
	for len(times) > 0 && now.Sub(times[0]) > u.o.Limits.Span {
		times = times[1:]
	}
	if len(times) >= u.o.Limits.Asks {
		return false
	}
	u.asks[in] = append(times, now)
	return true
}

// askMore asks within an upgrade that goes on.
func (u *Upgrades) askMore(ctx context.Context, x *upgrade, a Ask) (Upgrade, error) {
	err := x.do(ctx, func() error {
		if !above(a.Level, x.plan.Agreed) { // it is there
			x.checks(a.Check)
			return nil
		}
		if a.By == ByCustomer && x.page != "" && x.page != a.Page {
			return errOther
		}
		u.mu.Lock()
		may := u.mayAsk(a.Interaction, u.now())
		u.mu.Unlock()
		if !may {
			return errAsks
		}
		if a.Why != "" {
			x.reason = a.Why
		}
		// A customer who asks has read that nothing is recorded, and is not asked again.
		x.kept = x.kept || a.Record && x.plan.State == Asked && x.plan.By != ByCustomer
		if err := x.change(ctx, a.By, a.Level, a.Lang); err != nil {
			return err
		}
		x.keeps = a.Record && !x.kept && x.plan.Pending && x.plan.By != ByCustomer
		if x.plan.Pending { // asked anew, it waits anew
			x.asked, x.until = u.now(), u.now().Add(u.o.Limits.Answer)
		}
		x.checks(a.Check)
		return nil
	})
	return x.shown(), err
}

// checks notes the identity check that it is for, "" = none.
func (x *upgrade) checks(id tandem.CheckID) {
	if id != "" {
		x.check = id
	}
	x.publish()
}

// Answer is the customer's answer to what was asked of them, from the page that is to have
// the media. Less may be agreed to than was asked for; "" is all of it. Their consent is
// durable before anything is made that could carry what they say or show. A yes is refused
// with the error of read, which is shown what is agreed to at that moment; nil reads nothing.
func (u *Upgrades) Answer(ctx context.Context, in tandem.InteractionID, id tandem.UpgradeID, page string, yes bool, level tandem.Level, lang string, read func(Upgrade) error) (Upgrade, error) {
	x := u.find(in)
	if x == nil || x.id != id {
		return Upgrade{}, errOver
	}
	err := x.do(ctx, func() error {
		if level == tandem.LevelText {
			level = x.plan.Level
		}
		switch {
		case page == "":
			return errPageID
		case !yes:
			return x.refuse(ctx, lang)
		case x.page != "" && x.page != page && x.plan.State != Asked:
			return x.elsewhere(page)
		case !x.plan.Pending && x.plan.State != Asked && x.page == page && !above(level, x.plan.Agreed): // said twice
			return nil
		}
		if read != nil {
			if err := read(x.shown()); err != nil {
				return err
			}
		}
		next, err := step(x.plan, event{Do: accept, Level: level})
		if err != nil {
			return err
		}
		if next.Agreed == x.plan.Agreed { // no more than there is: that was a no
			x.settle(next, ByCustomer, "refused")
			x.publish()
			return nil
		}
		return x.agree(ctx, next, page, lang)
	})
	return x.shown(), err
}

// refuse is the customer's no.
func (x *upgrade) refuse(ctx context.Context, lang string) error {
	next, err := step(x.plan, event{Do: refuse})
	if err != nil {
		return err
	}
	x.settle(next, ByCustomer, "refused")
	x.publish()
	return nil
}

// agree makes what was agreed to durable, and then the connections for it.
func (x *upgrade) agree(ctx context.Context, next plan, page, lang string) error {
	if x.plan.State == Asked && !next.Pictures {
		if err := x.u.o.Switchboard.Ready(x.agent); err != nil && page != "" {
			x.log.Warn("a customer agreed, and their agent cannot speak", "error", err)
			return errLater
		} else if err != nil {
			return err
		}
	}
	if err := x.promise(ctx, next, ByCustomer, lang, ""); err != nil {
		return err
	}
	if page != "" {
		x.page = page
		x.back()
	}
	if lang != "" {
		x.lang = lang
	}
	x.mu.Lock()
	x.seen.Page = x.page // its connections may speak before it is told
	x.mu.Unlock()
	if err := x.connect(); err != nil {
		x.finish(BySystem, "full")
		return err
	}
	x.publish()
	return nil
}

// elsewhere has another page of the customer go on with what they have agreed to: only once the
// one before has lost its socket.
func (x *upgrade) elsewhere(page string) error {
	x.mu.Lock()
	away := !x.away.IsZero()
	x.mu.Unlock()
	if !away {
		return errOther
	}
	x.page = page
	x.back()
	x.publish()
	return nil
}

// back notes that the page is there.
func (x *upgrade) back() {
	x.mu.Lock()
	x.away = time.Time{}
	x.mu.Unlock()
}

// Approve is the agent's answer to what the customer asked for.
func (u *Upgrades) Approve(ctx context.Context, agent string, id tandem.UpgradeID, yes bool) (Upgrade, error) {
	x := u.byID(id)
	if x == nil {
		return Upgrade{}, errOver
	}
	err := x.do(ctx, func() error {
		if agent != x.agent {
			return errOffice
		}
		do := deny
		if yes {
			do = approve
		}
		next, err := step(x.plan, event{Do: do})
		switch {
		case err != nil:
			return err
		case !yes:
			x.settle(next, agent, "refused")
			x.publish()
			return nil
		}
		return x.agree(ctx, next, "", x.lang)
	})
	return x.shown(), err
}

func (u *Upgrades) byID(id tandem.UpgradeID) *upgrade {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, x := range u.by {
		if x.id == id {
			return x
		}
	}
	return nil
}

// Change is more or less than there is. by is the agent, or ByCustomer with their page and the
// language in which they have read what they agree to by wanting more. Less is at once.
func (u *Upgrades) Change(ctx context.Context, in tandem.InteractionID, by, page string, level tandem.Level, lang string) (Upgrade, error) {
	x := u.find(in)
	if x == nil {
		return Upgrade{}, errNone
	}
	err := x.do(ctx, func() error {
		switch {
		case by != ByCustomer && by != x.agent:
			return errOffice
		case by == ByCustomer && above(level, x.plan.Agreed) && page != x.page:
			return errOther
		case by == ByCustomer && x.keeps && above(level, x.plan.Agreed): // they are to read that it is recorded
			return errAnswer
		}
		return x.change(ctx, by, level, lang)
	})
	return x.shown(), err
}

// change takes another level.
func (x *upgrade) change(ctx context.Context, by string, level tandem.Level, lang string) error {
	next, err := step(x.plan, event{Do: raise, By: by, Level: level, Most: x.u.o.Customers, Why: "ended"})
	switch {
	case err != nil:
		return err
	case above(next.Agreed, x.plan.Agreed):
		if lang == "" {
			lang = x.lang
		}
		return x.agree(ctx, next, "", lang)
	case next.Pending && next != x.plan:
		if err := x.promise(ctx, next, by, lang, ""); err != nil {
			return err
		}
	default:
		x.settle(next, by, next.Why)
	}
	x.publish()
	return nil
}

// End ends it: by the agent, ByCustomer, ByFlow or BySystem. why is a word for programs; ""
// is "ended". One that is over is no error.
func (u *Upgrades) End(ctx context.Context, in tandem.InteractionID, by, why string) error {
	x := u.find(in)
	if x == nil {
		return nil
	}
	if why == "" {
		why = "ended"
	}
	err := x.do(ctx, func() error {
		if by != ByCustomer && by != ByFlow && by != BySystem && by != x.agent {
			return errOffice
		}
		x.finish(by, why)
		return nil
	})
	if errors.Is(err, errOver) {
		return nil
	}
	return err
}
