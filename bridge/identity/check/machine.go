package check

import (
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// Inputs of the machine, beside Command.
type (
	// consented is the customer's answer, in the language that they read.
	consented struct {
		Lang string
		Yes  bool
	}
	// assigned tells who has the customer now; "" = nobody.
	assigned struct{ Name string }
	// cut tells since when the customer is not seen, mended that they are again.
	cut    struct{ Since time.Time }
	mended struct{}
	// recorded tells whether what the customer shows is recorded now.
	recorded struct{ On bool }
	tick     struct{}
	// restarted: the check was found open when the program started.
	restarted struct{ Seen bool }
	// codeSent answers wants.Code; codeTyped says what a code that was typed was worth.
	codeSent struct {
		ID, To  string
		Trouble string
	}
	codeTyped struct {
		OK   bool
		Left int
	}
	// stopped: the customer ends it, or is gone.
	stopped struct{ Gone bool }
	// kept: a still was taken and signed.
	kept struct {
		Round int
		Step  string
		Still Still
		// Camera is the label that the page gave, "" of the server's.
		Camera  string
		Virtual bool
		Event   tandem.Evidence
	}
	// agreed is the second officer's answer.
	agreed struct {
		Officer string
		Yes     bool
		Why     string
	}
)

// Command is what an officer does. Round 0 and Step "" are the present ones; a command for
// another round than the present one is refused, one that was carried out before changes
// nothing.
type Command struct {
	Check   tandem.CheckID
	Do      string // capture, done, fail, skip, restart, second_face, resend_code, decide, abort
	Step    string
	Round   int
	Said    map[string]any // done: answers by name; likeness
	Why     string         // in the officer's words; restart: may be a reason of Break.Why
	Outcome State          // decide
	Reasons []string       // decide
}

// said is an event that a change writes.
type said struct {
	Kind  tandem.EventKind
	Actor string
	Data  any
}

// wants is what is to be done once a change is committed.
type wants struct {
	Code    bool // send one
	Capture bool // take the server's still
}

// result is what an input makes of a check.
type result struct {
	Check  Check
	Events []said
	Wants  wants
	Same   bool // nothing is to be written
}

// Who caused an event, beside officers' names.
const (
	byCustomer = "caller"
	bySystem   = "system"
)

// take is the machine: what a check becomes by an input. It looks at no clock and draws
// nothing: now and the seed for what is random are given. The check it is called on stays as it is.
func (c *Check) take(in any, now time.Time, seed [32]byte) (result, error) {
	m := machine{c: c.clone(), now: now, seed: seed}
	if err := m.input(in); err != nil {
		return result{}, err
	}
	if m.same {
		return result{Check: *c, Same: true}, nil
	}
	m.c.Version++
	return result{Check: m.c, Events: m.events, Wants: m.wants}, nil
}

// machine is one step of a check.
type machine struct {
	c      Check
	now    time.Time
	seed   [32]byte
	events []said
	wants  wants
	same   bool
}

func (m *machine) event(kind tandem.EventKind, actor string, data any) {
	m.events = append(m.events, said{kind, actor, data})
}

// nothing says that an input changes nothing.
func (m *machine) nothing() error { m.same = true; return nil }

func (m *machine) input(in any) error {
	switch in := in.(type) {
	case consented:
		return m.consented(in)
	case Command:
		return m.command(in)
	case agreed:
		return m.agreed(in)
	case kept:
		return m.kept(in)
	}
	if m.c.State.Over() {
		return m.nothing()
	}
	switch in := in.(type) {
	case assigned:
		return m.assigned(in.Name)
	case cut:
		return m.cut(in.Since)
	case mended:
		return m.mended()
	case recorded:
		return m.recorded(in.On)
	case tick:
		return m.tick()
	case restarted:
		return m.restarted(in.Seen)
	case codeSent:
		return m.codeSent(in)
	case codeTyped:
		return m.codeTyped(in)
	case stopped:
		if in.Gone {
			m.end(Stopped, bySystem, Verdict{Reasons: []string{reasonLeft}})
		} else {
			m.end(Declined, byCustomer, Verdict{Reasons: []string{reasonStopped}})
		}
	}
	return nil
}

func conflict(format string, args ...any) error {
	return tandem.Errorf(tandem.CodeConflict, format, args...)
}

// consented takes the customer's answer: nothing of them is kept before it is yes.
func (m *machine) consented(in consented) error {
	c := &m.c
	if c.Consent != nil && c.Consent.Yes == in.Yes {
		return m.nothing()
	}
	if c.State != Asked {
		return conflict("this check is %s: it asks nothing any more", c.State)
	}
	lang, text := TextIn(c.Policy.Consent.Text, in.Lang)
	c.Consent = &Consent{Yes: in.Yes, Lang: lang, Version: c.Policy.Consent.Version, At: m.now}
	c.Changed = m.now
	e := tandem.Consent{Kind: "video", Answer: "no", Lang: lang, Text: text, Version: c.Policy.Consent.Version, Check: c.ID}
	if in.Yes {
		e.Answer = "yes"
	}
	if c.Officer != "" {
		e.Who = []string{c.Officer}
	}
	m.event(tandem.EventConsent, byCustomer, e)
	if !in.Yes {
		m.end(Declined, byCustomer, Verdict{Reasons: []string{reasonDeclined}})
		return nil
	}
	c.State = Running
	m.advance()
	return nil
}

// advance has the first step that is not over begin, if all are there.
func (m *machine) advance() {
	c := &m.c
	if c.State != Running || c.Officer == "" || !c.Cut.IsZero() || c.present() != nil {
		return
	}
	for i := range c.Steps {
		s := &c.Steps[i]
		if s.State != "" {
			continue
		}
		s.State = Present
		c.Code, c.Capture = nil, nil
		switch s.Kind {
		case flow.CheckCode:
			m.wants.Code = true
		case flow.CheckRequest:
			s.Drawn, s.Number = draw(c.Policy.Step(s.Name), m.seed)
			m.event(tandem.EventCheckStep, bySystem, tandem.CheckStep{Check: c.ID, Round: c.Round, Step: s.Name, State: string(Present), Said: drawnSaid(s)})
		}
		return
	}
	c.Code, c.Capture = nil, nil
}

func drawnSaid(s *Step) map[string]any {
	said := map[string]any{"request": s.Drawn}
	if s.Number != "" {
		said["number"] = s.Number
	}
	return said
}

// over ends the present step and begins the next.
func (m *machine) over(s *Step, state StepState, actor string, said map[string]any) {
	s.State, s.Said = state, said
	m.c.Capture, m.c.Code = nil, nil
	m.event(tandem.EventCheckStep, actor, tandem.CheckStep{Check: m.c.ID, Round: m.c.Round, Step: s.Name, State: string(state), Said: said})
	m.advance()
}

// void ends the round: all steps but right codes are to be done again. The next begins at
// once if all are there.
func (m *machine) void(why, actor string, away time.Duration) {
	c := &m.c
	b := Break{Round: c.Round, Why: why, Seconds: away.Seconds(), At: m.now}
	c.Voided = append(c.Voided, b)
	m.event(tandem.EventCheckBroken, actor, tandem.CheckBroken{Check: c.ID, Round: b.Round, Why: why, Seconds: b.Seconds})
	for i := range c.Steps {
		s := &c.Steps[i]
		if s.Kind == flow.CheckCode && s.State == StepDone {
			continue
		}
		*s = Step{Name: s.Name, Kind: s.Kind}
	}
	c.Code, c.Capture, c.Verdict = nil, nil, nil
	c.State, c.Changed = Broken, m.now
	if c.Round >= MaxRounds {
		m.end(Stopped, bySystem, Verdict{Reasons: []string{reasonInterrupted}})
		return
	}
	m.again()
}

// again begins the next round, if all are there.
func (m *machine) again() {
	c := &m.c
	if c.State != Broken || c.Officer == "" || !c.Cut.IsZero() {
		return
	}
	c.State, c.Changed = Running, m.now
	c.Round++
	m.begun()
	m.advance()
}

func (m *machine) begun() {
	c := &m.c
	actor := c.Officer
	if actor == "" {
		actor = c.By
	}
	m.event(tandem.EventCheckBegun, actor, tandem.CheckBegun{Check: c.ID, Policy: c.Policy.Name, Hash: c.Policy.Hash, Level: c.Policy.Level,
		Officer: c.Officer, Round: c.Round})
}

// end ends the check. Of a verdict the customer's identity is told in the same change.
func (m *machine) end(outcome State, actor string, v Verdict) {
	c := &m.c
	v.Outcome, v.At, v.Officer = outcome, m.now, c.Officer
	if outcome == Passed {
		v.Until = m.now.Add(c.Policy.Grants).UTC()
	}
	c.Verdict, c.State, c.Ended, c.Changed = &v, outcome, m.now, m.now
	c.Code, c.Capture, c.Cut = nil, nil, time.Time{}
	e := tandem.Verdict{Check: c.ID, Outcome: string(outcome), Reasons: v.Reasons, Text: v.Text, Officer: v.Officer, Second: v.Second, Until: v.Until}
	who := tandem.Identified{Method: flow.ByVideo, Outcome: string(outcome), Until: v.Until}
	if outcome == Passed {
		e.Level, who.Level = c.Policy.Level, c.Policy.Level
	}
	m.event(tandem.EventVerdict, actor, e)
	if outcome != Stopped {
		m.event(tandem.EventIdentified, actor, who)
	}
}
