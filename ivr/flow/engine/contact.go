package engine

import "tandem/ivr/flow"

// pend waits for the answer to an effect. Keys typed ahead are kept for the steps after
// it if the answer comes soon. They may be a secret's where any is asked for: nobody
// hears them.
func (r *run) pend(w flow.Wait) int {
	if soon(r.step.Verb) {
		w.Secret = w.Secret || r.asksSecrets()
	} else {
		r.s.Keys = ""
	}
	r.hush(w.Secret)
	return r.wait(w)
}

// soon tells whether a verb asks for something that nobody is waited for.
func soon(v flow.Verb) bool {
	switch v := v.(type) {
	case *flow.HTTP, *flow.Message, *flow.CallbackStep, *flow.TicketStep:
		return true
	case *flow.LinkStep:
		return v.Wait <= 0
	case *flow.SurveyStep:
		return v.After > 0
	}
	return false
}

// asksSecrets tells whether any flow under way collects a secret.
func (r *run) asksSecrets() bool {
	for i := range r.s.Frames {
		for _, s := range r.lib.Flows[r.s.Frames[i].Flow].Steps {
			if c, ok := s.Verb.(*flow.Collect); ok && c.Secrecy != flow.Open {
				return true
			}
		}
	}
	return false
}

// message is the verb message.
func (r *run) message(v *flow.Message) (err error) {
	q := flow.Send{Step: r.f.Step, Key: r.visit(), By: v.By, Template: v.Template, Image: v.Image, Lang: r.s.Lang}
	if v.To != nil {
		if q.To, err = r.openText(v.To); err != nil {
			return err
		}
	}
	if v.Prompt != nil {
		p, err := r.play(v.Prompt, "", nil)
		if err != nil {
			return err
		}
		q.Name, q.Lang, q.Parts = p.Name, p.Lang, p.Parts
		if q.Image == "" {
			q.Image = p.Image
		}
	}
	if q.Params, err = r.params(v.With); err != nil {
		return err
	}
	q.Serial = r.pend(flow.Wait{Kind: flow.WaitMessage})
	r.emit(q)
	return nil
}

// link is the verb link. A session that is resumed while it waits for the page goes on
// with the same link and as long as it would have.
func (r *run) link(v *flow.LinkStep) error {
	if _, ok := r.lib.Operations[v.Operation]; !ok {
		return faultf("there is no operation %q", v.Operation)
	}
	p, err := r.play(v.Prompt, "", nil)
	if err != nil {
		return err
	}
	q := flow.SendLink{
		Step: r.f.Step, Key: r.visit(), Operation: v.Operation, By: v.By, Name: p.Name, Lang: p.Lang, Parts: p.Parts,
		Image: p.Image, Button: v.Prompt.ByLang[p.Lang].Button, Expires: v.Expires, Wait: v.Wait,
	}
	if q.Params, err = r.params(v.With); err != nil {
		return err
	}
	if q.Expires <= 0 {
		q.Expires = linkLife
	}
	w := flow.Wait{Kind: flow.WaitLink, Until: r.s.Wait.Until, Opened: r.s.Wait.Opened}
	if v.Wait > 0 && w.Until.IsZero() {
		w.Until = r.now.Add(v.Wait)
	}
	q.Serial = r.pend(w)
	r.emit(q)
	return nil
}

// onLink takes what happens to a link.
func (r *run) onLink(v *flow.LinkStep, outcome string) {
	switch {
	case outcome == "sent" && v.Wait > 0:
	case outcome == "sent":
		r.outcome("done", "")
	case outcome == "opened" && v.Wait > 0:
		if r.s.Wait.Opened {
			return
		}
		r.waited()
		r.s.Wait.Opened = true
		if v.OnOpened != nil {
			if err := r.say(v.OnOpened, r.flow.Defaults.BargeIn, false, nil); err != nil {
				r.fault(err)
			}
		}
	default:
		r.outcome(outcome, "undeliverable")
	}
}

// onLinkOver ends the wait for a page.
func (r *run) onLinkOver() {
	if r.s.Wait.Opened {
		r.outcome("opened", "undeliverable")
		return
	}
	r.outcome("expired", "undeliverable")
}

// handoff is the verb handoff. Who is there already need not come.
func (r *run) handoff(v *flow.Handoff) error {
	if r.s.Facts.Channel == v.To {
		return r.leave("accepted")
	}
	if !r.serves(v.To) {
		return faultf("the flow does not serve %s", v.To)
	}
	p, err := r.play(v.Prompt, "", nil)
	if err != nil {
		return err
	}
	q := flow.Move{
		Step: r.f.Step, Key: r.visit(), To: v.To, Name: p.Name, Lang: p.Lang, Parts: p.Parts,
		Image: p.Image, Button: v.Prompt.ByLang[p.Lang].Button, KeepPlace: v.KeepPlace,
	}
	q.Serial = r.pend(flow.Wait{Kind: flow.WaitHandoff})
	r.emit(q)
	return nil
}

// onHandoff goes on by the other channel, unless a step that called this flow needs a
// level that did not come along.
func (r *run) onHandoff(v *flow.Handoff, a flow.Result) {
	if a.Outcome != "accepted" {
		r.outcome(a.Outcome, "undeliverable")
		return
	}
	r.moved(v.To, a.Carried)
	r.outcome("accepted", "")
	if r.over() {
		return
	}
	if _, err := r.recheck(len(r.s.Frames) - 1); err != nil {
		r.fault(err)
	}
}

// onIdentify takes what came of identifying. A level that is over when it comes was
// not reached.
func (r *run) onIdentify(v *flow.IdentifyStep, a flow.Result) {
	if a.Outcome != "passed" || !a.Until.IsZero() && !a.Until.After(r.now) {
		if a.Outcome == "passed" {
			a.Outcome = "failed"
		}
		r.outcome(a.Outcome, "failed")
		return
	}
	r.waited()
	r.proved(v.Level, a)
	if err := r.passed(); err != nil {
		r.fault(err)
	}
}
