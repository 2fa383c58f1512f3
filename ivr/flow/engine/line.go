package engine

import (
	"math"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

// connect is the verb transfer.
func (r *run) connect(v *flow.Transfer) error {
	to, err := r.openTemplate(v.To)
	if err != nil {
		return err
	}
	serial := r.pend(flow.Wait{Kind: flow.WaitTransfer})
	r.emit(flow.Connect{Serial: serial, Step: r.f.Step, To: to, Mode: v.Mode, Ring: v.Ring})
	return nil
}

// voicemail is the verb voicemail.
func (r *run) voicemail(v *flow.Voicemail) error {
	box, ok := r.lib.Boxes[v.Box]
	if !ok {
		return faultf("there is no box %q", v.Box)
	}
	serial := r.pend(flow.Wait{Kind: flow.WaitVoicemail})
	r.emit(flow.Record{Serial: serial, Step: r.f.Step, Box: v.Box, Queue: box.Queue, Max: longest(v.Max), Lang: r.s.Lang})
	return nil
}

// record is the verb record.
func (r *run) record(v *flow.RecordStep) error {
	serial := r.pend(flow.Wait{Kind: flow.WaitRecord})
	r.emit(flow.Record{Serial: serial, Step: r.f.Step, Into: v.Into, Max: longest(v.Max), Lang: r.s.Lang})
	return nil
}

func longest(d time.Duration) time.Duration {
	if d <= 0 {
		return maxRecord
	}
	return d
}

// queue is the verb queue.
func (r *run) queue(v *flow.QueueStep) error {
	if _, ok := r.lib.Queues[v.Name]; !ok {
		return faultf("there is no queue %q", v.Name)
	}
	q := flow.Enqueue{
		Step: r.f.Step, Key: r.visit(), Queue: v.Name, MaxWait: v.MaxWait, AnnounceEvery: v.AnnounceEvery, During: v.During, Lang: r.s.Lang,
	}
	level, err := r.openTemplate(v.Level)
	if err != nil {
		return err
	}
	q.Level = level
	for _, t := range v.Skills {
		skill, err := r.openTemplate(t)
		if err != nil {
			return err
		}
		if skill != "" {
			q.Skills = append(q.Skills, skill)
		}
	}
	if v.Priority != nil {
		start, err := r.evalOpen(v.Priority)
		if err != nil {
			return err
		}
		d, ok := start.(time.Duration)
		if !ok {
			return faultf("the priority is no duration")
		}
		q.Priority = max(d, 0)
	}
	q.Offers, q.OfferAfter = r.offers(v, forGood), r.lib.Queues[v.Name].OfferAfter
	w := flow.Wait{Kind: flow.WaitQueue, Place: r.s.Wait.Place, Served: r.s.Wait.Served} // told before the session was stored
	if w.Place == nil {
		r.s.Facts.Place = &flow.Place{Queue: v.Name}
	}
	q.Serial = r.pend(w)
	r.offerAnew(v)
	r.emit(q)
	return nil
}

// forGood is longer than anybody waits: every offer holds by then.
const forGood = time.Duration(math.MaxInt64)

// offers are the ways out of a queue for somebody who has waited so long: nobody is
// offered the channel they are on.
func (r *run) offers(v *flow.QueueStep, waited time.Duration) []flow.Option {
	var after map[string]time.Duration
	if q := r.lib.Queues[v.Name]; q != nil {
		after = q.OfferAfter
	}
	var out []flow.Option
	for _, o := range v.Offer {
		if o.What != string(r.s.Facts.Channel) && after[o.What] <= waited {
			out = append(out, flow.Option{Keys: o.Keys, Label: o.What})
		}
	}
	return out
}

// offerAnew keeps what is offered by now: nothing to whom an agent has.
func (r *run) offerAnew(v *flow.QueueStep) {
	r.s.Wait.Options = nil
	if r.s.Wait.Served {
		return
	}
	var waited time.Duration
	if p := r.s.Wait.Place; p != nil {
		waited = p.Waited
	}
	r.s.Wait.Options = r.offers(v, waited)
}

// onPlace keeps the place in line for those who tell it. Whom an agent had waits again.
func (r *run) onPlace(p flow.Place) {
	r.s.Facts.Place, r.s.Wait.Place, r.s.Wait.Served = &p, &p, false
	if v, ok := r.step.Verb.(*flow.QueueStep); ok {
		r.offerAnew(v)
	}
}

// onServed ends the offers: from here on what the customer enters is for the agent.
func (r *run) onServed() {
	r.waited()
	r.s.Wait.Served, r.s.Wait.Options, r.f.Draft = true, nil, ""
}

// onMoved goes on waiting by another channel, if the level that the steps under way
// need came along. Whom an agent has meanwhile stays where they are, unless it was the agent
// who asked them to move: then the level is looked at as they are handed back.
func (r *run) onMoved(in flow.Input) {
	if !r.serves(in.Channel) || r.s.Wait.Served && !in.Kept {
		return
	}
	r.moved(in.Channel, in.Carried)
	if r.s.Wait.Served {
		r.s.On = in.Channel
		return
	}
	r.s.Wait.Taken = ""
	if v, ok := r.step.Verb.(*flow.QueueStep); ok {
		r.offerAnew(v)
	}
	if _, err := r.recheck(len(r.s.Frames)); err != nil {
		r.fault(err)
	}
}

// pressedInLine takes a key of somebody who waits in line: it may be an offer's. Other
// keys are not for the flow, and not traced: who speaks with an agent may enter anything.
func (r *run) pressedInLine(k string) {
	r.f.Draft += k
	begun := false
	for _, o := range r.s.Wait.Options {
		if o.Keys == r.f.Draft {
			r.trace(tandem.EventInput, tandem.Pressed{Step: r.f.Step, Keys: o.Keys, Via: r.via})
			r.accept(o.Label)
			return
		}
		begun = begun || strings.HasPrefix(o.Keys, r.f.Draft)
	}
	if !begun {
		r.f.Draft = ""
	}
}

// saidInLine takes what somebody in line writes or says, if it is an offer: its number,
// its word, or what its button says. All else is not for the flow.
func (r *run) saidInLine(s string) {
	s = flow.Fold(s)
	for _, o := range r.s.Wait.Options {
		same := o.Keys != "" && strings.ToUpper(s) == o.Keys || s == o.Label
		for _, lang := range []string{"en", "zh"} {
			same = same || s == flow.Fold(flow.Offered(lang, o.Label))
		}
		if same {
			if r.via == "" {
				r.via = "text"
			}
			r.trace(tandem.EventInput, tandem.Pressed{Step: r.f.Step, Keys: s, Via: r.via})
			r.accept(o.Label)
			return
		}
	}
}

// accept takes an offer. What comes of it is an input of its own.
func (r *run) accept(offer string) {
	r.f.Draft = ""
	r.emit(flow.Cut{})
	if offer != "callback" {
		r.s.Wait.Taken = offer
	}
	r.emit(flow.Take{Serial: r.s.Wait.Serial, Step: r.f.Step, What: offer})
}

// callback is the verb callback.
func (r *run) callback(v *flow.CallbackStep) (err error) {
	q := flow.Book{Step: r.f.Step, Key: r.visit(), Window: v.Window, Queue: v.Queue, Lang: r.s.Lang}
	if q.Queue == "" && r.s.Facts.Place != nil {
		q.Queue = r.s.Facts.Place.Queue
	}
	if v.To != nil {
		if q.To, err = r.openText(v.To); err != nil {
			return err
		}
	}
	if q.At, err = r.openTemplate(v.At); err != nil {
		return err
	}
	if of := r.lib.Queues[q.Queue]; of != nil && q.At != "" && q.Window == 0 {
		q.Window = of.CallbackWindow
	}
	q.Serial = r.pend(flow.Wait{Kind: flow.WaitCallback})
	r.emit(q)
	return nil
}

// ticket is the verb ticket.
func (r *run) ticket(v *flow.TicketStep) (err error) {
	form, ok := r.lib.Forms[v.Form]
	if !ok {
		return faultf("there is no form %q", v.Form)
	}
	q := flow.OpenTicket{Step: r.f.Step, Key: r.visit(), Form: v.Form, Due: v.Due, Lang: r.s.Lang}
	given, err := r.params(v.With)
	if err != nil {
		return err
	}
	q.Fields = make(map[string]any, len(form.Fields))
	for _, field := range form.Fields {
		value, ok := given[field.Name]
		if !ok {
			if value, ok, err = r.fieldOfFlow(field.Name); err != nil {
				return err
			}
		}
		switch {
		case !ok && field.Optional:
			continue
		case !ok:
			return faultf("the form's field %s is not given", field.Name)
		}
		if field.Type != nil {
			if value, err = expression.Convert(field.Type, value); err != nil {
				return faultf("the form's field %s: %v", field.Name, err)
			}
		}
		q.Fields[field.Name] = value
	}
	if q.Owner, err = r.openTemplate(v.Owner); err != nil {
		return err
	}
	q.Serial = r.pend(flow.Wait{Kind: flow.WaitTicket})
	r.emit(q)
	return nil
}

// fieldOfFlow is the variable of a form's field, if the flow has one.
func (r *run) fieldOfFlow(name string) (value any, ok bool, err error) {
	v := r.flow.Variable(name)
	if v == nil {
		return nil, false, nil
	}
	if v.Secrecy != flow.Open {
		return nil, false, faultf("the form's field %s would tell a secret", name)
	}
	value, err = r.value(name)
	return value, err == nil, err
}

// survey is the verb survey.
func (r *run) survey(v *flow.SurveyStep) error {
	if _, ok := r.lib.Forms[v.Form]; !ok {
		return faultf("there is no form %q", v.Form)
	}
	by := v.By
	if i := slices.Index(by, r.s.Facts.Channel); i > 0 {
		by = slices.Concat([]tandem.Channel{by[i]}, by[:i], by[i+1:])
	}
	serial := r.pend(flow.Wait{Kind: flow.WaitSurvey})
	r.emit(flow.Survey{Serial: serial, Step: r.f.Step, Key: r.visit(), Form: v.Form, By: by, After: v.After, Lang: r.s.Lang})
	return nil
}
