package check

import (
	"slices"
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// command does what the officer says.
func (m *machine) command(in Command) error {
	c := &m.c
	why, err := words(in.Why)
	if err != nil {
		return err
	}
	in.Why = why
	if m.repeated(in) {
		return m.nothing()
	}
	if c.State.Over() {
		return conflict("this check is over: it is %s", c.State)
	}
	if in.Round != 0 && in.Round != c.Round {
		return conflict("this check is in round %d by now: look at where it stands", c.Round)
	}
	switch in.Do {
	case "decide":
		return m.decide(in)
	case "abort":
		m.end(Stopped, c.Officer, Verdict{Reasons: []string{reasonOfficer}, Text: in.Why})
		return nil
	case "restart", "second_face":
		if c.State != Running || c.Consent == nil {
			return conflict("this check is %s: nothing is running that could begin again", c.State)
		}
		m.void(voidedBy(in), c.Officer, 0)
		return nil
	case "capture", "done", "fail", "skip", "resend_code":
		return m.onStep(in)
	}
	return tandem.Errorf(tandem.CodeInvalid, "%q is nothing that can be done in a check", in.Do)
}

// repeated reports whether a command was carried out already, as by a key pressed twice.
func (m *machine) repeated(in Command) bool {
	c := &m.c
	switch in.Do {
	case "done", "fail", "skip":
		s := c.step(in.Step)
		if in.Step == "" || s == nil || in.Round != 0 && in.Round != c.Round {
			return false
		}
		return s.State == map[string]StepState{"done": StepDone, "fail": StepFailed, "skip": StepSkipped}[in.Do]
	case "restart", "second_face":
		return slices.ContainsFunc(c.Voided, func(b Break) bool {
			return b.Why == voidedBy(in) && (b.Round == in.Round || in.Round == 0 && m.now.Sub(b.At) < twice)
		})
	case "decide":
		return c.Verdict != nil && c.Verdict.Outcome == in.Outcome && slices.Equal(c.Verdict.Reasons, in.Reasons)
	case "abort":
		return c.State == Stopped
	}
	return false
}

// twice is within what time a command that names no round is the same one again.
const twice = 2 * time.Second

// voidedBy is the reason for which an officer has a round void.
func voidedBy(in Command) string {
	switch {
	case in.Do == "second_face":
		return in.Do
	case in.Why == "changed_person" || in.Why == "second_face" || in.Why == "cut":
		return in.Why
	}
	return "officer"
}

// onStep does what is about one step: the present one, in its order.
func (m *machine) onStep(in Command) error {
	c := &m.c
	if c.State != Running {
		return conflict("this check is %s: no step of it is being done", c.State)
	}
	s := c.present()
	if s == nil {
		return conflict("no step is being done just now")
	}
	if in.Step == "" && in.Do != "capture" && in.Do != "resend_code" {
		return tandem.Errorf(tandem.CodeInvalid, "say which step is over")
	}
	if in.Step != "" && in.Step != s.Name {
		if c.step(in.Step) == nil {
			return tandem.Errorf(tandem.CodeInvalid, "the policy has no step %q", in.Step)
		}
		return conflict("the present step is %s: steps are done in their order", s.Name)
	}
	c.Changed = m.now
	p := c.Policy.Step(s.Name)
	switch in.Do {
	case "capture":
		return m.capture(s)
	case "resend_code":
		if s.Kind != flow.CheckCode {
			return conflict("step %s has no code", s.Name)
		}
		m.wants.Code = true
		return nil
	case "fail", "skip":
		said := map[string]any(nil)
		if in.Why != "" {
			said = map[string]any{"why": in.Why}
		}
		state := StepFailed
		if in.Do == "skip" {
			state = StepSkipped
		}
		m.over(s, state, c.Officer, said)
		return nil
	}
	return m.done(in, s, p)
}

// capture has stills taken of a step that shows something.
func (m *machine) capture(s *Step) error {
	c := &m.c
	switch {
	case s.Kind != flow.CheckDocument && s.Kind != flow.CheckFace && s.Kind != flow.CheckRequest:
		return conflict("step %s has nothing to take a picture of", s.Name)
	case !c.Cut.IsZero():
		return conflict("the customer is not seen just now: wait until the picture is back")
	case c.Captures >= MaxCaptures:
		return conflict("this check has %d pictures, which is the most: go on with what there is", c.Captures)
	}
	c.Captures++
	c.Capture = &Capture{Step: s.Name, N: c.Captures}
	m.wants.Capture = true
	return nil
}

// done ends the present step well, if it has what it needs.
func (m *machine) done(in Command, s *Step, p *flow.CheckPolicyStep) error {
	if !m.c.Cut.IsZero() {
		return conflict("the customer is not seen just now: wait until the picture is back")
	}
	switch s.Kind {
	case flow.CheckCode:
		return conflict("the right code does this step: the customer types it")
	case flow.CheckDocument, flow.CheckFace:
		if !slices.ContainsFunc(s.Stills, func(k Still) bool { return k.Source == sourceServer }) {
			return conflict("take a picture for step %s first", s.Name)
		}
	}
	said, err := noted(p, s, in.Said, true)
	if err != nil {
		return err
	}
	if len(s.Stills) > 0 && !slices.ContainsFunc(s.Stills, func(k Still) bool { return k.Source == sourcePage }) {
		if said == nil {
			said = map[string]any{}
		}
		said["page_still"] = "missing"
	}
	m.over(s, StepDone, m.c.Officer, said)
	return nil
}

// kept adds a still to its step, if that is still the present one of the same round.
func (m *machine) kept(in kept) error {
	c := &m.c
	s := c.present()
	if c.State != Running || in.Round != c.Round || s == nil || s.Name != in.Step {
		return conflict("step %s is over by now: the picture is not kept", in.Step)
	}
	if in.Still.Source == sourcePage {
		if c.Capture == nil || c.Capture.Step != in.Step || c.Capture.N != in.Still.N || c.Capture.Page {
			return conflict("no picture of step %s is wanted", in.Step)
		}
		c.Capture.Page = true
	}
	if in.Camera != "" {
		c.Camera, c.Virtual = in.Camera, in.Virtual
	}
	s.Stills = append(s.Stills, in.Still)
	c.Kept = append(c.Kept, in.Still.Blob)
	c.Changed = m.now
	m.event(tandem.EventEvidence, c.Officer, in.Event)
	return nil
}

// codeSent notes that a code is on its way, or why none is.
func (m *machine) codeSent(in codeSent) error {
	s := m.c.present()
	if m.c.State != Running || s == nil || s.Kind != flow.CheckCode {
		return m.nothing()
	}
	m.c.Code = &Code{ID: in.ID, To: in.To, Sent: m.now, Left: codeTries, Trouble: in.Trouble}
	if in.Trouble != "" {
		m.c.Code.Left = 0
	}
	return nil
}

// codeTries is how often a code may be typed wrong; bridge/identity counts.
const codeTries = 3

// codeTyped: the right code does the step.
func (m *machine) codeTyped(in codeTyped) error {
	s := m.c.present()
	if m.c.State != Running || s == nil || s.Kind != flow.CheckCode || m.c.Code == nil {
		return conflict("no code is waited for just now")
	}
	m.c.Changed = m.now
	if in.OK {
		m.over(s, StepDone, byCustomer, nil)
		return nil
	}
	m.c.Code.Left = in.Left
	return nil
}

// decide takes the officer's verdict.
func (m *machine) decide(in Command) error {
	c := &m.c
	if in.Outcome != Passed && in.Outcome != Failed && in.Outcome != Declined {
		return tandem.Errorf(tandem.CodeInvalid, "a check is decided passed, failed or declined, not %q", in.Outcome)
	}
	if c.State == Second {
		return conflict("a second officer looks at it: wait for them")
	}
	if c.Officer == "" {
		return conflict("nobody has the customer: a check is decided by its officer")
	}
	if err := reasoned(in.Outcome, in.Reasons, in.Why); err != nil {
		return err
	}
	v := Verdict{Outcome: in.Outcome, Reasons: append([]string{}, in.Reasons...), Text: in.Why}
	if in.Outcome != Passed {
		m.end(in.Outcome, c.Officer, v)
		return nil
	}
	if c.State != Running {
		return conflict("this check is %s: it cannot be passed", c.State)
	}
	if err := c.mayPass(); err != nil {
		return err
	}
	if !c.Policy.SecondOfficer {
		m.end(Passed, c.Officer, v)
		return nil
	}
	v.Officer, v.At = c.Officer, m.now
	c.Verdict, c.State, c.Changed = &v, Second, m.now
	m.event(tandem.EventCheckStep, c.Officer, tandem.CheckStep{Check: c.ID, Round: c.Round, Step: stepSecond, State: "asked"})
	return nil
}

// agreed takes the second officer's answer: it is passed only if they agree.
func (m *machine) agreed(in agreed) error {
	c := &m.c
	if c.Verdict != nil && c.Verdict.Second == in.Officer && in.Officer != "" && (c.State == Passed) == in.Yes {
		return m.nothing()
	}
	why, err := words(in.Why)
	switch {
	case err != nil:
		return err
	case c.State != Second:
		return conflict("this check is %s: no second officer is asked for", c.State)
	case in.Officer == "" || in.Officer == c.Verdict.Officer || in.Officer == c.Officer:
		return tandem.Errorf(tandem.CodeForbidden, "the second officer is another person than the one who decided")
	case !in.Yes && why == "":
		return tandem.Errorf(tandem.CodeInvalid, "say why you do not agree")
	}
	v := *c.Verdict
	v.Second = in.Officer
	if !in.Yes {
		v.Reasons, v.Text = []string{reasonSecond}, why
		m.end(Failed, in.Officer, v)
		return nil
	}
	m.end(Passed, in.Officer, v)
	return nil
}
