package engine

import (
	"slices"
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// assured reports whether the customer's level, if not expired, is what the step needs.
func (r *run) assured() bool { return r.s.Facts.Level(r.now) >= r.step.Needs }

// notAssured leaves a step for want of a level: as its next says, or else to the first
// identify step of the file that can give the level, and back from there.
func (r *run) notAssured() error {
	if _, named := r.step.Next.By["not_assured"]; named {
		return r.leave("not_assured")
	}
	for _, name := range r.flow.Order {
		v, ok := r.flow.Steps[name].Verb.(*flow.IdentifyStep)
		if !ok || v.Level < r.step.Needs || name == r.f.Step || slices.Contains(r.f.Return, name) {
			continue
		}
		back := append(slices.Clone(r.f.Return), r.f.Step)
		r.leaveTo("not_assured", name)
		r.f.Return = back
		return nil
	}
	return faultf("the step needs the level %s, and no step here identifies the customer", r.step.Needs)
}

// recheck looks whether the level still is what the steps under way need, of the
// outermost flows so many. It ends the flows called by a step for which it is too low,
// and leaves that step.
func (r *run) recheck(flows int) (low bool, err error) {
	for i := range flows {
		f := &r.s.Frames[i]
		if r.s.Facts.Level(r.now) >= r.lib.Flows[f.Flow].Steps[f.Step].Needs {
			continue
		}
		for len(r.s.Frames) > i+1 {
			r.pop()
		}
		return true, r.notAssured()
	}
	return false, nil
}

// identify is the verb identify. A level that holds is not asked for again.
func (r *run) identify(v *flow.IdentifyStep) error {
	if r.s.Facts.Level(r.now) >= v.Level {
		return r.passed()
	}
	serial := r.pend(flow.Wait{Kind: flow.WaitIdentify, Secret: true})
	r.emit(flow.Identify{Serial: serial, Step: r.f.Step, Level: v.Level, By: v.By, Fallback: v.Fallback, Check: v.Check, Lang: r.s.Lang})
	return nil
}

// resume is the verb resume.
func (r *run) resume() error {
	serial := r.pend(flow.Wait{Kind: flow.WaitResume, Secret: true})
	r.emit(flow.Resume{Serial: serial, Step: r.f.Step, Lang: r.s.Lang})
	return nil
}

// Assure is the session after it was proved beside its flow who the customer is, as by an
// officer who has them: what the step waits for goes on. r is as of identify; a level that is
// over already changes nothing. It is pure and s is not changed. The error is that of Advance.
func Assure(l *flow.Library, s flow.Session, at time.Time, level tandem.Assurance, r flow.Result) (flow.Session, error) {
	s, _, err := Advance(l, s, flow.Input{Kind: flow.InputAssured, At: at, Level: level, Result: &r})
	return s, err
}

// onAssured takes in a level that was proved beside the flow.
func (r *run) onAssured(in flow.Input) {
	if in.Result == nil || r.s.Leaving || !in.Result.Until.IsZero() && !in.Result.Until.After(r.now) {
		return
	}
	r.proved(in.Level, *in.Result)
}

// proved takes in what was proved of the customer.
func (r *run) proved(level tandem.Assurance, a flow.Result) {
	r.grant(level, a.Until)
	if customer, ok := a.Value.(string); ok && customer != "" {
		r.s.Facts.Customer = customer
	}
	if a.Phone != "" {
		r.s.Facts.Phone = a.Phone
	}
}

// grant raises the level; what holds already and is as good stays.
func (r *run) grant(level tandem.Assurance, until time.Time) {
	f := &r.s.Facts
	have := f.Level(r.now)
	longer := f.AssuranceUntil.IsZero() || !until.IsZero() && until.Before(f.AssuranceUntil)
	if have > level || have == level && longer {
		return
	}
	f.Assurance, f.AssuranceUntil = level, until
}

// passed leaves an identify step: back to the step that needed it, or on.
func (r *run) passed() error {
	n := len(r.f.Return)
	if n == 0 {
		return r.leave("passed")
	}
	back := r.f.Return
	r.leaveTo("passed", back[n-1])
	r.f.Return = back[:n-1]
	return nil
}

// moved is a customer who now is on another channel.
func (r *run) moved(to tandem.Channel, carried bool) {
	r.s.Facts.Channel = to
	r.s.Keys, r.f.Draft = "", ""
	r.forgetBack()
	if !carried {
		r.s.Facts.Assurance, r.s.Facts.AssuranceUntil, r.s.Facts.Phone = tandem.None, time.Time{}, ""
	}
}

// forgetBack is for who has changed channels: back leads to no question of the other one.
func (r *run) forgetBack() {
	for i := range r.s.Frames {
		r.s.Frames[i].Back = nil
	}
}

// serves reports whether all flows under way serve a channel; refuses names the first
// that does not.
func (r *run) serves(c tandem.Channel) bool { return r.refuses(c) == "" }

func (r *run) refuses(c tandem.Channel) string {
	for i := range r.s.Frames {
		if name := r.s.Frames[i].Flow; !slices.Contains(r.lib.Flows[name].Channels, c) {
			return name
		}
	}
	return ""
}
