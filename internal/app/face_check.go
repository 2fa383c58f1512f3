package app

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/identity"
	"tandem/bridge/identity/check"
	"tandem/bridge/upgrade"
	"tandem/ivr/flow"
	"tandem/media/video"
	"tandem/store"
	webchat "tandem/web/chat"
)

const (
	// lookTime is how often it is looked who has the customer of a check, and whether they
	// are seen.
	lookTime = 250 * time.Millisecond
	// seenTime is for how long a camera counts as live after its last packet.
	seenTime = 2 * time.Second
	// shownTime is how long a customer is shown how their check ended.
	shownTime = 30 * time.Second
	// decideTime bounds telling a session of a check once.
	decideTime = 10 * time.Second
)

// decided is the checks that have ended and whose sessions are to be told.
type decided struct {
	mu    sync.Mutex
	those map[tandem.CheckID]check.Check
}

// makeChecks makes the identity checks. The upgrades are there.
func (a *App) makeChecks() error {
	f := &a.faces
	f.decided.those = map[tandem.CheckID]check.Check{}
	f.checks = check.New(check.Options{
		Store: a.store, Blobs: a.blobs, Sign: f.sign,
		Still: func(ctx context.Context, in tandem.InteractionID) (video.Frame, error) {
			camera, ok := f.upgrades.Camera(in)
			if !ok {
				return video.Frame{}, video.ErrDark
			}
			return camera.Still(ctx)
		},
		SendCode: a.sendCheckCode,
		CheckCode: func(ctx context.Context, id, typed string) (bool, int, error) {
			return a.identity.CheckCode(ctx, identity.CheckID(id), typed)
		},
		May:     a.mayCheck,
		Live:    a.seen,
		Decided: f.decided.add,
		Now:     a.now, Random: a.random, Log: a.log,
	})
	f.checks.Watch(func(c check.Check) { a.facesChanged(c.Interaction) })
	return nil
}

// seen reports whether the customer of an interaction shows themselves now.
func (a *App) seen(in tandem.InteractionID) bool {
	camera, ok := a.faces.upgrades.Camera(in)
	return ok && camera.Live()
}

// mayCheck reports whether an agent has the skills that a policy asks of officers.
func (a *App) mayCheck(officer string, p *flow.CheckPolicy) bool {
	return a.skilled(officer, p.Officers)
}

// skilled reports whether somebody is an agent with these skills.
func (a *App) skilled(agent string, skills []string) bool {
	who := a.line.Policy().Agents[agent]
	if who == nil {
		return false
	}
	for _, skill := range skills {
		name, level, wants := strings.Cut(skill, ">=")
		least := 1
		if n, err := strconv.Atoi(level); wants && err == nil {
			least = n
		}
		if who.Skills[name] < least {
			return false
		}
	}
	return true
}

// officerOf is the agent who has the customer of an interaction now, "" = nobody.
func (a *App) officerOf(in tandem.InteractionID) (string, tandem.Task) {
	for _, t := range a.line.Of(in) {
		if t.State == tandem.TaskAssigned && (t.Kind.Live() || t.Kind.Load() == tandem.LoadVoice) {
			return t.Agent, t
		}
	}
	return "", tandem.Task{}
}

// sendCheckCode sends the code of a check to what was proved to be its customer's.
func (a *App) sendCheckCode(ctx context.Context, c check.Check) (id, to string, err error) {
	_, t := a.officerOf(c.Interaction)
	if t.ID == "" {
		t.Interaction = c.Interaction
	}
	w, s, _, err := a.whoIs(ctx, t)
	if err != nil {
		return "", "", err
	}
	sent, to, err := a.identity.SendKnown(ctx, "check", identity.Who{
		Interaction: c.Interaction, Leg: w.Leg, Customer: known(c.Customer, s), Channel: w.Channel, Conversation: w.Conversation, Caller: w.Caller,
		Entry: w.Entry, Lang: w.Lang, Address: a.addressOf.get(w.Conversation),
	})
	var refused *identity.Refused
	switch {
	case errors.Is(err, identity.ErrNowhere):
		err = check.ErrNowhere
	case errors.As(err, &refused):
		err = check.ErrLimit
	}
	return string(sent), to, err
}

// runChecks runs the checks: their clocks, who has their customers, whether those are seen,
// and what sessions are told of them, until ctx ends.
func (a *App) runChecks(ctx context.Context) {
	var all sync.WaitGroup
	all.Go(func() { a.faces.checks.Run(ctx) })
	defer all.Wait()
	a.endCutChecks(ctx)
	a.recallChecks(ctx)
	every := time.NewTicker(lookTime)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-every.C:
		}
		for _, c := range a.faces.checks.Open() {
			if err := a.lookAtCheck(ctx, c); err != nil && ctx.Err() == nil && !errors.Is(err, store.ErrUnavailable) {
				a.log.Warn("an identity check could not be brought up to date", "interaction", c.Interaction, "check", c.ID, "error", err)
			}
		}
		for _, c := range a.faces.decided.all() {
			a.tellDecided(ctx, c)
		}
	}
}

func (d *decided) add(c check.Check) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.those[c.ID] = c
}

func (d *decided) all() []check.Check {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Collect(maps.Values(d.those))
}

func (d *decided) over(id tandem.CheckID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.those, id)
}

// lookAtCheck tells a check who has its customer, and whether they are seen.
func (a *App) lookAtCheck(ctx context.Context, c check.Check) error {
	checks := a.faces.checks
	officer, _ := a.officerOf(c.Interaction)
	if officer != "" && !a.mayCheck(officer, c.Policy) {
		officer = ""
	}
	if officer != c.Officer {
		if c.By == check.ByFlow && c.Officer == "" { // the first of one that a flow asks for: both questions come at once
			_, t := a.officerOf(c.Interaction)
			if err := a.askForVideo(ctx, officer, t, c); err != nil {
				a.log.Info("the pictures of a check were not asked for", "interaction", c.Interaction, "check", c.ID, "error", err)
			}
		}
		if err := checks.Officer(ctx, c.Interaction, officer); err != nil {
			return err
		}
	}
	live := a.seen(c.Interaction)
	if films := a.films(c.Interaction); live && c.Policy.Record && c.State == check.Running && films == c.Unrecorded {
		if err := checks.Recorded(ctx, c.Interaction, films); err != nil {
			return err
		}
	}
	switch {
	case live && !c.Cut.IsZero():
		return checks.Mended(ctx, c.Interaction)
	case !live && c.Cut.IsZero():
		return checks.Cut(ctx, c.Interaction, a.now().Add(-seenTime))
	}
	return nil
}

// askForVideo asks the customer of a check for the pictures that it needs: of a caller who
// has no page the link of one is sent first.
func (a *App) askForVideo(ctx context.Context, agent string, t tandem.Task, c check.Check) error {
	ask := upgrade.Ask{Interaction: t.Interaction, Task: t.ID, By: agent, Level: tandem.LevelVideo, Check: c.ID, Record: c.Policy.Record}
	who, err := a.facedCustomer(ctx, t.Interaction)
	if err != nil {
		return err
	}
	if who.Call && !who.Page && c.By == check.ByFlow { // the step has sent it
		a.faces.wants(wanted{Ask: ask, until: a.now().Add(screenTime)})
		return nil
	}
	if who.Call && !who.Page {
		return a.sendScreen(ctx, t, ask)
	}
	_, err = a.faces.upgrades.Ask(ctx, ask)
	return err
}

// checkNow is the check of an interaction as its customer sees it; nil = there is none.
func (a *App) checkNow(ctx context.Context, in tandem.InteractionID) (*webchat.Check, error) {
	c, ok := a.faces.checks.Of(in)
	if !ok {
		last, err := a.faces.checks.List(ctx, store.CheckFilter{Interaction: in, Limit: 1})
		if err != nil || len(last) == 0 || last[0].Ended.IsZero() || a.now().Sub(last[0].Ended) > shownTime {
			return nil, err
		}
		c = last[0]
	}
	is := check.CustomerView(c)
	texts, _ := a.consentOf(c)
	v := &webchat.Check{
		ID: is.ID, Policy: is.Policy, State: string(is.State), Round: is.Round, Consent: &webchat.CheckConsent{Text: texts, Version: is.Consent.Version},
		Agreed: is.Agreed, Away: is.Away, Waits: is.Waits, Again: is.Again, Why: is.Why, Words: wordsOf(texts),
		Steps: []webchat.CheckStep{}, Present: is.Present, Request: is.Request, Number: is.Number, Code: is.Code, Until: is.Until,
	}
	for _, s := range is.Steps {
		v.Steps = append(v.Steps, webchat.CheckStep{Name: s.Name, Kind: string(s.Kind), State: string(s.State), Text: s.Text})
	}
	if is.Capture != nil && !is.Capture.Page {
		v.Capture = &webchat.CheckCapture{Step: is.Capture.Step, N: is.Capture.N}
	}
	return v, nil
}

// wrongCheckCode is said of a code that is not right.
var wrongCheckCode = &webchat.Refused{Code: "wrong", Message: map[string]string{
	"en":    "That code is wrong, or too old. Type it again, or ask for a new one.",
	"zh-CN": "验证码不正确或已过期。请重新输入，或请对方重新发送。",
}}

// Check does what a customer wants of their identity check.
func (c customerFace) Check(ctx context.Context, p webchat.Page, o webchat.CheckOrder) error {
	in, err := c.interaction(ctx, p)
	if err != nil {
		return err
	}
	checks := c.a.faces.checks
	is, err := checks.Find(ctx, o.Check)
	switch {
	case err != nil:
		return err
	case is.Interaction != in:
		return tandem.Errorf(tandem.CodeNotFound, "there is no identity check %s", o.Check)
	}
	switch o.Do {
	case "accept":
		err = c.a.agree(ctx, is, o)
	case "refuse":
		_, err = checks.Consent(ctx, is.ID, o.Lang, false)
	case "code", "stop":
		if _, err = checks.Customer(ctx, is.ID, check.Input{Do: o.Do, Text: o.Text}); errors.Is(err, check.ErrWrongCode) {
			return wrongCheckCode
		}
	default:
		err = tandem.Errorf(tandem.CodeInvalid, "do is accept, refuse, code or stop")
	}
	return err
}

// Still takes a page's own still of a step, from the page that has the media.
func (c customerFace) Still(ctx context.Context, p webchat.Page, id tandem.CheckID, step string, s webchat.Still) (n int, err error) {
	in, err := c.interaction(ctx, p)
	if err != nil {
		return 0, err
	}
	is, err := c.a.faces.checks.Find(ctx, id)
	switch {
	case err != nil:
		return 0, err
	case is.Interaction != in:
		return 0, tandem.Errorf(tandem.CodeNotFound, "there is no identity check %s", id)
	}
	if u, ok := c.a.faces.upgrades.Of(in); !ok || u.Page != p.ID {
		return 0, tandem.Errorf(tandem.CodeConflict, "another page has the camera")
	}
	return c.a.faces.checks.PageStill(ctx, id, step, s.Camera, s.Data)
}
