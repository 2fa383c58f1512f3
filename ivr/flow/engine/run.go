package engine

import (
	"fmt"
	"slices"
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// run is one call of Start, Advance or Resume: the session under change and the
// effects so far. Exactly one of three holds after loop: it waits, or it has ended.
type run struct {
	lib     *flow.Library
	s       flow.Session
	f       *flow.Frame // the called flow
	flow    *flow.Flow
	step    *flow.Step // nil before the first
	now     time.Time
	via     string // how the key or text at hand came in
	effects []flow.Effect
	next    string // where to go; "" = stay
	owned   [maxFrames]uint8
	todo    todo
	anew    bool           // a resumed session asks: the question itself, not that nobody was understood
	set     map[string]any // variables the step has changed, secrets masked
	under   bool           // an asked step is over, and the wait behind it goes on
}

// masked stands for a secret's value in traces.
const masked = "•••"

// someEffects is how many effects most runs have.
const someEffects = 12

func (r *run) emit(e flow.Effect) {
	if r.effects == nil {
		r.effects = make([]flow.Effect, 0, someEffects)
	}
	r.effects = append(r.effects, e)
}

func (r *run) trace(kind tandem.EventKind, data any) { r.emit(flow.Trace{Kind: kind, Data: data}) }
func (r *run) over() bool                            { return len(r.s.Frames) == 0 }

// top points f, flow and step at the called flow.
func (r *run) top() {
	r.f = &r.s.Frames[len(r.s.Frames)-1]
	r.flow = r.lib.Flows[r.f.Flow]
	r.step = r.flow.Steps[r.f.Step]
}

// awaits reports whether the session waits for this very answer.
func (r *run) awaits(kind flow.WaitKind, serial int) bool {
	return r.s.Wait.Kind == kind && r.s.Wait.Serial == serial
}

// waited notes that somebody outside has moved the session: loops begin to count anew.
func (r *run) waited() {
	r.s.Steps, r.s.Idle, r.s.Faults = 0, 0, 0
	for i := range r.s.Frames {
		r.s.Frames[i].Failing = false
	}
}

// wait stays in the step until the answer with the new serial comes.
func (r *run) wait(w flow.Wait) int {
	r.s.Serial++
	w.Serial, w.Step = r.s.Serial, r.f.Step
	if r.s.Asked != nil {
		w.Under = r.s.Asked.Wait.Serial
	}
	r.s.Wait, r.s.On = w, r.s.Facts.Channel
	return w.Serial
}

// loop goes from step to step until one waits or the flow ends.
func (r *run) loop() {
	for r.next != "" && !r.over() {
		name := r.next
		r.next = ""
		if err := r.enter(name); err != nil {
			r.fault(err)
		}
	}
}

// enter goes to a step or a reserved target, if the rules for entering hold.
func (r *run) enter(name string) error {
	r.hush(false)
	switch name {
	case flow.ToEnd:
		r.finish(flow.ReasonCompleted, false)
		return nil
	case flow.ToRepeat:
		name = r.f.Step
	}
	step, ok := r.flow.Steps[name]
	if !ok {
		return faultf("there is no step %q", name)
	}
	r.f.Step, r.step = name, step
	if r.s.Steps++; r.s.Steps > maxSteps {
		return faultf("%d steps without waiting for anybody", maxSteps)
	}
	if r.s.Idle > maxIdle {
		return faultf("%d answers of others in a row, and nobody was waited for", maxIdle)
	}
	if step.If != nil {
		v, err := r.eval(step.If)
		if err != nil {
			return err
		}
		if v != true {
			return r.leave("skipped")
		}
	}
	if !r.assured() {
		return r.notAssured()
	}
	own(r, ownVisits, &r.f.Visits)
	r.f.Visits[name]++
	if step.MaxVisits > 0 && r.f.Visits[name] > step.MaxVisits {
		if _, named := step.Next.By["loop"]; !named {
			return faultf("more than %d visits", step.MaxVisits)
		}
		return r.leave("loop")
	}
	r.trace(tandem.EventStep, tandem.StepEntered{Flow: r.flow.Name, Step: name, Verb: step.Verb.Verb()})
	return r.perform()
}

// perform does what the step's verb says.
func (r *run) perform() error {
	if r.s.Leaving && flow.Speaks(r.step.Verb) {
		return faultf("%s after the customer has left", r.step.Verb.Verb())
	}
	switch v := r.step.Verb.(type) {
	case *flow.Say:
		play, err := r.play(v.Prompt, v.BargeIn, nil)
		if err != nil {
			return err
		}
		play.Announces = v.Announces
		r.emit(play)
		return r.leave("done")
	case *flow.Language:
		return r.language(v)
	case *flow.Set:
		return r.assignAll(v.Assign)
	case *flow.Branch:
		return r.branch(v)
	case *flow.Hours:
		return r.hours(v)
	case *flow.Subflow:
		return r.call(v)
	case *flow.Classify:
		return r.classify(v)
	case *flow.Answer:
		return r.answer(v)
	case *flow.End:
		return r.end(v)
	}
	if e := hear(r.step.Verb); e != nil {
		return r.listen(e)
	}
	return r.ask()
}

// ask carries out a verb that asks something of the world; a resumed session does it
// again, perhaps on a channel that the way to this step was not checked for.
func (r *run) ask() error {
	if !flow.Works(r.step.Verb, r.s.Facts.Channel) {
		return faultf("%s cannot be done on %s", r.step.Verb.Verb(), r.s.Facts.Channel)
	}
	switch v := r.step.Verb.(type) {
	case *flow.HTTP:
		return r.fetch(v)
	case *flow.Transfer:
		return r.connect(v)
	case *flow.Voicemail:
		return r.voicemail(v)
	case *flow.RecordStep:
		return r.record(v)
	case *flow.Message:
		return r.message(v)
	case *flow.LinkStep:
		return r.link(v)
	case *flow.Handoff:
		return r.handoff(v)
	case *flow.IdentifyStep:
		return r.identify(v)
	case *flow.ResumeStep:
		return r.resume()
	case *flow.QueueStep:
		return r.queue(v)
	case *flow.CallbackStep:
		return r.callback(v)
	case *flow.TicketStep:
		return r.ticket(v)
	case *flow.SurveyStep:
		return r.survey(v)
	}
	return faultf("this program does not know the verb %s", r.step.Verb.Verb())
}

// leave takes the step's outcome.
func (r *run) leave(outcome string) error {
	to, ok := r.step.Next.Target(outcome)
	if !ok {
		return faultf("the outcome %s leads nowhere", outcome)
	}
	r.leaveTo(outcome, to)
	return nil
}

// outcome takes an outcome that came from outside, or the other one if the verb has
// no such outcome.
func (r *run) outcome(outcome, otherwise string) {
	if !slices.Contains(r.step.Verb.Outcomes(), outcome) {
		if outcome = otherwise; outcome == "" {
			r.fault(faultf("the answer is none that %s has", r.step.Verb.Verb()))
			return
		}
	}
	if flow.Waits(r.step.Verb, outcome) {
		r.waited()
	}
	if err := r.leave(outcome); err != nil {
		r.fault(err)
	}
}

func (r *run) leaveTo(outcome, to string) {
	if c, ok := r.step.Verb.(*flow.Collect); ok && r.f.Confirming && outcome != "ok" {
		collect{c}.forget(r)
	}
	if r.s.Asked != nil { // it is one step's time
		r.answered(outcome)
		return
	}
	r.trace(tandem.EventOutcome, tandem.StepLeft{Flow: r.flow.Name, Step: r.f.Step, Outcome: outcome, Next: to, Set: r.set})
	r.set = nil
	if r.s.Wait.Kind != flow.WaitNone {
		r.s.Idle++
	}
	r.s.Wait = flow.Wait{}
	r.f.Choices, r.f.Return, r.f.Confirming, r.f.Draft, r.f.Try = nil, nil, false, "", 0
	r.todo = nothing
	r.next = to
}

// stepFault is why a step failed, in words without values.
type stepFault struct {
	message string
	again   string // the step that asks anew for a value that was not kept
}

func (e *stepFault) Error() string { return e.message }

func faultf(format string, args ...any) error {
	return &stepFault{message: fmt.Sprintf(format, args...)}
}

// fault goes to on_error: that of the flow, then of those that called it. A second
// fault before anything was waited for is that flow's last.
func (r *run) fault(err error) {
	if r.over() {
		return
	}
	r.trace(tandem.EventFlowError, tandem.FlowFault{Step: r.f.Step, Message: err.Error()})
	r.unconfirmed()
	if r.s.Asked != nil {
		r.answered("error")
		return
	}
	r.s.Taken = nil
	r.s.Wait, r.s.Keys, r.set, r.todo, r.next = flow.Wait{}, "", nil, nothing, ""
	r.f.Choices, r.f.Return, r.f.Confirming, r.f.Draft = nil, nil, false, ""
	if lost, ok := err.(*stepFault); ok && lost.again != "" && !r.s.Leaving {
		r.next = lost.again
		return
	}
	if r.s.Leaving {
		r.finish(flow.ReasonLeft, true)
		return
	}
	for {
		if r.flow.OnError != "" && !r.f.Failing {
			r.f.Failing = true
			// A flow that is called again and again fails each time anew; the outermost
			// fails once.
			if r.s.Faults++; r.s.Faults <= maxFaults || len(r.s.Frames) == 1 {
				r.s.Steps, r.s.Idle = 0, 0
			}
			r.next = r.flow.OnError
			return
		}
		if len(r.s.Frames) == 1 {
			r.finish(flow.ReasonError, true)
			return
		}
		r.pop()
	}
}

// pop leaves the called flow.
func (r *run) pop() {
	last := len(r.s.Frames) - 1
	r.s.Frames[last] = flow.Frame{}
	r.s.Frames = r.s.Frames[:last]
	r.top()
}

// onLeft goes to on_leave: that of the flow, or of the nearest that called it. What was
// recorded until then is known there.
func (r *run) onLeft(in flow.Input) {
	if r.s.Leaving {
		return
	}
	r.set = nil
	if v, ok := r.step.Verb.(*flow.RecordStep); ok && in.Result != nil && in.Result.Outcome == "done" && r.awaits(flow.WaitRecord, in.Serial) {
		if err := r.assign(v.Into, in.Result.Value); err != nil {
			r.trace(tandem.EventFlowError, tandem.FlowFault{Step: r.f.Step, Message: err.Error()})
		}
	}
	r.unconfirmed()
	if r.s.Asked != nil {
		r.answered("left")
	}
	r.s.Leaving = true
	r.s.Outcome = r.f.Step
	switch {
	case r.s.Wait.Served:
		r.s.Outcome = "answered" // they had what the step is for
	case r.s.Wait.Taken != "":
		r.s.Outcome = "moved" // they have the way to where their place is kept
	}
	r.s.Keys, r.s.Steps, r.s.Idle, r.s.Faults = "", 0, 0, 0
	r.trace(tandem.EventOutcome, tandem.StepLeft{Flow: r.flow.Name, Step: r.f.Step, Outcome: "left", Next: r.flow.OnLeave, Set: r.set})
	r.set = nil
	r.s.Wait, r.s.Taken, r.todo = flow.Wait{}, nil, nothing
	r.f.Choices, r.f.Return, r.f.Confirming, r.f.Draft = nil, nil, false, ""
	for r.flow.OnLeave == "" {
		if len(r.s.Frames) == 1 {
			r.finish(flow.ReasonLeft, false)
			return
		}
		r.pop()
	}
	r.f.Left = true
	r.next = r.flow.OnLeave
}

// climb goes on to the on_leave of the nearest flow that called this one, whose own
// has run.
func (r *run) climb() {
	for len(r.s.Frames) > 1 {
		r.pop()
		if r.flow.OnLeave != "" {
			r.f.Left = true
			r.next = r.flow.OnLeave
			return
		}
	}
	r.finish(flow.ReasonLeft, false)
}

// finish ends the session and forgets what it knew, secrets first of all.
func (r *run) finish(reason string, failed bool) {
	r.hush(false)
	r.trace(tandem.EventFlowEnded, tandem.FlowEnd{Reason: reason})
	r.emit(flow.Finish{Reason: reason, Failed: failed})
	r.s.Frames, r.s.Wait, r.s.Keys, r.s.Ended = nil, flow.Wait{}, "", reason
	r.s.Taken, r.s.Asked = nil, nil
	r.next, r.todo = "", nothing
}

// hush begins or ends the entry of a secret.
func (r *run) hush(on bool) {
	if r.s.Hushed != on {
		r.s.Hushed = on
		r.emit(flow.Hush{On: on})
	}
}
