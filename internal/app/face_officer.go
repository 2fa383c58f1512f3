package app

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/identity/check"
	"tandem/ivr/flow"
	"tandem/store"
	"tandem/web/desk/duty"
	desklive "tandem/web/desk/live"
	"tandem/web/desk/view"
)

// Checks are those that go on.
func (s staffFaces) Checks() []view.Check {
	all := s.a.faces.checks.Open()
	out := make([]view.Check, len(all))
	for i, c := range all {
		out[i] = s.a.officersView(c)
	}
	return out
}

// WatchChecks tells of each change.
func (s staffFaces) WatchChecks(do func(view.Check)) (stop func()) {
	return s.a.faces.checks.Watch(func(c check.Check) { do(s.a.officersView(c)) })
}

// staffChecks is identity checks as officers have them.
type staffChecks struct{ a *App }

var _ duty.Checks = staffChecks{}

// Policies are those that a check can be begun by, by name.
func (s staffChecks) Policies() []view.CheckPolicy {
	all := s.a.shelf.Current().Checks
	out := []view.CheckPolicy{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		p := all[name]
		v := view.CheckPolicy{Name: name, Level: p.Level.String(), NeedsSecond: p.SecondOfficer, Steps: []view.CheckStep{}}
		for i := range p.Steps {
			v.Steps = append(v.Steps, stepView(&p.Steps[i], check.Step{Name: p.Steps[i].Name, Kind: p.Steps[i].Kind}, 0))
		}
		out = append(out, v)
	}
	return out
}

// Begin begins a check of the customer whom an agent has, and asks them for the pictures that
// it needs.
func (s staffChecks) Begin(ctx context.Context, agent string, t tandem.Task, policy string) (view.Check, error) {
	a := s.a
	all := a.shelf.Current().Checks
	p := all[policy]
	if policy == "" && len(all) == 1 {
		for _, p = range all { // the only one
		}
	}
	switch {
	case len(all) == 0:
		return view.Check{}, tandem.Errorf(tandem.CodeNotFound, "there is no policy of identity checks here: whoever keeps the flows folder adds one as NAME.check.yaml")
	case p == nil:
		return view.Check{}, tandem.Errorf(tandem.CodeNotFound, "say by which policy: %s", strings.Join(slices.Sorted(maps.Keys(all)), ", "))
	}
	who, _, _, err := a.whoIs(ctx, t)
	if err != nil {
		return view.Check{}, err
	}
	had, open := a.faces.checks.Of(t.Interaction)
	c, err := a.faces.checks.Begin(ctx, check.Order{Interaction: t.Interaction, Customer: who.Customer, Leg: who.Leg, Policy: p, By: agent, Officer: agent})
	switch {
	case err != nil, c.State.Over():
		return a.officersView(c), err
	case open && had.ID == c.ID: // pressed again, or a flow's: the pictures may not have been asked for
		if !a.seen(t.Interaction) {
			err = a.askForVideo(ctx, agent, t, c)
		}
		return a.officersView(c), err
	}
	if err := a.askForVideo(ctx, agent, t, c); err != nil {
		if _, undo := a.faces.checks.Do(context.WithoutCancel(ctx), agent, check.Command{Check: c.ID, Do: "abort", Why: "no pictures could be asked for"}); undo != nil {
			a.log.Warn("a check that cannot go on could not be ended", "interaction", t.Interaction, "check", c.ID, "error", undo)
		}
		return view.Check{}, err
	}
	return a.officersView(c), nil
}

// Do does what the officer wants.
func (s staffChecks) Do(ctx context.Context, officer string, o desklive.CheckOrder) (view.Check, error) {
	is, err := s.a.faces.checks.Find(ctx, o.Check)
	if err != nil {
		return view.Check{}, err
	}
	if !is.State.Over() {
		if err := s.a.lookAtCheck(ctx, is); err != nil {
			return view.Check{}, err
		}
	}
	is, err = s.a.faces.checks.Do(ctx, officer, check.Command{Check: o.Check, Do: o.Do, Step: o.Step, Said: o.Said, Why: o.Why, Outcome: check.State(o.Outcome), Reasons: o.Reasons})
	return s.a.officersView(is), err
}

// Second is the word of another agent.
func (s staffChecks) Second(ctx context.Context, officer string, id tandem.CheckID, agree bool, why string) (view.Check, error) {
	is, err := s.a.faces.checks.Second(ctx, officer, id, agree, why)
	return s.a.officersView(is), err
}

// Find is one check, over or not.
func (s staffChecks) Find(ctx context.Context, id tandem.CheckID) (view.Check, error) {
	is, err := s.a.faces.checks.Find(ctx, id)
	return s.a.officersView(is), err
}

// List are checks of an interaction, or all in a state; the newest first.
func (s staffChecks) List(ctx context.Context, in tandem.InteractionID, state string, limit int) ([]view.Check, error) {
	all, err := s.a.faces.checks.List(ctx, store.CheckFilter{Interaction: in, State: state, Limit: limit})
	out := make([]view.Check, 0, len(all))
	for _, c := range all {
		out = append(out, s.a.officersView(c))
	}
	return out, err
}

// officersView is a check as its officers see it; of none it is empty.
func (a *App) officersView(c check.Check) view.Check {
	if c.Policy == nil {
		return view.Check{}
	}
	v := view.Check{
		ID: c.ID, Interaction: c.Interaction, Policy: c.Policy.Name, State: string(c.State), Round: c.Round, Officer: c.Officer,
		NeedsSecond: c.Policy.SecondOfficer, Level: c.Policy.Level.String(), Interruption: c.Policy.Interruption.Seconds(), Steps: []view.CheckStep{},
		By: c.By, Waits: c.Waits(), Camera: c.Camera, Virtual: c.Virtual, Record: c.Policy.Record, Unrecorded: c.Unrecorded,
		Reasons: map[string][]string{}, Begun: c.Begun.UTC(), Ended: view.UTC(c.Ended),
	}
	for _, outcome := range []check.State{check.Passed, check.Failed, check.Declined} {
		v.Reasons[string(outcome)] = check.Reasons(outcome)
	}
	if !c.State.Over() {
		_, t := a.officerOf(c.Interaction)
		v.Task = t.ID
		for _, b := range c.Bars() {
			v.Bars = append(v.Bars, view.CheckBar{Step: b.Step, Kind: string(b.Kind), Ask: b.Ask, What: b.What, Why: b.Why})
		}
	}
	if k := c.Consent; k != nil && k.Yes {
		v.Consent, v.CustomerLang = &view.CheckConsent{At: k.At.UTC(), Lang: k.Lang, Version: k.Version}, k.Lang
	}
	for _, s := range c.Steps {
		v.Steps = append(v.Steps, stepView(c.Policy.Step(s.Name), s, c.Round))
		if s.State == check.Present {
			v.Present = s.Name
		}
	}
	if c.Code != nil {
		v.Code = &view.CheckCode{To: c.Code.To, Sent: c.Code.Sent.UTC()}
	}
	if c.Capture != nil && !c.Capture.Page {
		v.Capturing = &view.CheckCapture{Step: c.Capture.Step, N: c.Capture.N}
	}
	for _, b := range c.Voided {
		v.Broken = append(v.Broken, view.CheckBroken{Round: b.Round, Why: b.Why, Seconds: b.Seconds, At: b.At.UTC()})
	}
	if d := c.Verdict; d != nil {
		v.Verdict = &view.CheckVerdict{Outcome: string(d.Outcome), Reasons: d.Reasons, Text: d.Text, Officer: d.Officer, Second: d.Second, Until: view.UTC(d.Until)}
		v.Second = d.Second
	}
	if c.State == check.Second {
		for _, name := range slices.Sorted(maps.Keys(a.line.Policy().Agents)) {
			if name != c.Officer && a.mayCheck(name, c.Policy) {
				v.Seconds = append(v.Seconds, name)
			}
		}
	}
	return v
}

// stepView is a step as officers see it.
func stepView(p *flow.CheckPolicyStep, s check.Step, round int) view.CheckStep {
	v := view.CheckStep{Name: s.Name, Kind: string(s.Kind), Side: p.Document, State: string(s.State), Text: p.Text, Likeness: p.Likeness != "", Said: s.Said, Stills: []view.CheckStill{}}
	for i := range p.Questions {
		v.Asks = append(v.Asks, view.CheckAsk{Name: p.Questions[i].Called(i), Ask: p.Questions[i].Ask})
		v.Expect = p.Questions[i].Expect
	}
	for _, q := range p.Compare {
		v.Asks = append(v.Asks, view.CheckAsk{Name: q.Name, Ask: q.Ask})
	}
	for _, what := range s.Drawn {
		r := view.CheckRequest{What: what}
		if what == "read_number" {
			r.Number = s.Number
		}
		v.Requests = append(v.Requests, r)
	}
	for _, k := range s.Stills {
		v.Stills = append(v.Stills, view.CheckStill{Blob: k.Blob, Source: k.Source, MediaType: k.MediaType, Width: k.Width, Height: k.Height, At: k.At.UTC(), N: k.N, Round: round})
	}
	return v
}

// recallChecks has sessions know of checks that were passed shortly before the program
// ended: they may not have been told.
func (a *App) recallChecks(ctx context.Context) {
	const day = 24 * time.Hour
	passed, err := a.faces.checks.List(ctx, store.CheckFilter{State: string(check.Passed), Since: a.now().Add(-day), Limit: 1000})
	if err != nil {
		a.log.Warn("it is not known which identity checks were passed before", "error", err)
		return
	}
	for _, c := range passed {
		if c.Verdict.Until.After(a.now()) {
			a.faces.decided.add(c)
		}
	}
}

// tellDecided tells the session of a check that has ended: what proves its customer counts
// from now on.
func (a *App) tellDecided(ctx context.Context, c check.Check) {
	ctx, cancel := context.WithTimeout(ctx, decideTime)
	defer cancel()
	err := errors.Join(a.assured(ctx, c), a.answerStep(ctx, c))
	if errors.Is(err, store.ErrUnavailable) || ctx.Err() != nil {
		return // it is tried again
	}
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		a.log.Warn("a session was not told of an identity check", "interaction", c.Interaction, "check", c.ID, "error", err)
	}
	a.faces.decided.over(c.ID)
}

// assured tells a session that its customer has proved who they are.
func (a *App) assured(ctx context.Context, c check.Check) error {
	if c.State != check.Passed || !c.Verdict.Until.After(a.now()) {
		return nil
	}
	in := flow.Input{Kind: flow.InputAssured, At: a.now(), Level: c.Policy.Level, Result: &flow.Result{Until: c.Verdict.Until}}
	if a.live.tell(c.Interaction, in) {
		return nil
	}
	_, err := a.talk.Tell(ctx, c.Interaction, in)
	return err
}
