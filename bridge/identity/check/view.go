package check

import (
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// Texts is a text by language.
type Texts = map[string]string

// ForCustomer is a check as its customer may see it: never what the officer noted.
type ForCustomer struct {
	ID      tandem.CheckID    `json:"id"`
	Policy  string            `json:"policy"`
	State   State             `json:"state"`
	Round   int               `json:"round"`
	Consent ConsentText       `json:"consent"`
	Agreed  bool              `json:"agreed,omitempty"`
	Steps   []StepForCustomer `json:"steps"`
	Present string            `json:"present,omitempty"`
	Request []string          `json:"request,omitempty"` // of the present step
	Number  string            `json:"number,omitempty"`  // to read aloud
	Code    string            `json:"code,omitempty"`    // where a code went, masked
	Capture *Capture          `json:"capture,omitempty"`
	Away    bool              `json:"away,omitempty"`  // they are not seen just now
	Until   time.Time         `json:"until,omitzero"`  // how long the level holds
	Waits   string            `json:"waits,omitempty"` // officer: nobody has come yet, and nothing is asked before
	Again   string            `json:"again,omitempty"` // why the round before this one does not count
	Why     string            `json:"why,omitempty"`   // at the end: what is the customer's to know of it
}

// ConsentText is what the customer agrees to.
type ConsentText struct {
	Version string `json:"version"`
	Text    Texts  `json:"text"`
}

// StepForCustomer is one step of their list.
type StepForCustomer struct {
	Name  string             `json:"name"`
	Kind  flow.CheckStepKind `json:"kind"`
	State StepState          `json:"state"`
	Side  string             `json:"side,omitempty"` // document: front, back
	Text  Texts              `json:"text,omitempty"`
}

// What a check may wait for, beside the one who does its present step.
const (
	WaitsOfficer = "officer" // nobody who may decide has the customer
	WaitsConsent = "consent"
	WaitsPicture = "picture" // the customer is not seen: not yet, or no more
	WaitsVerdict = "verdict" // all steps are over
	WaitsSecond  = "second"
)

// Waits is what a check waits for; "" = for nothing but its present step.
func (c *Check) Waits() string {
	switch {
	case c.State.Over():
		return ""
	case c.State == Second:
		return WaitsSecond
	case c.Officer == "":
		return WaitsOfficer
	case c.State == Asked:
		return WaitsConsent
	case !c.Cut.IsZero():
		return WaitsPicture
	case c.State == Running && c.present() == nil:
		return WaitsVerdict
	}
	return ""
}

// Again is why the round before the present one does not count, "" if nothing was void.
func (c *Check) Again() string {
	if n := len(c.Voided); n > 0 && !c.State.Over() {
		return c.Voided[n-1].Why
	}
	return ""
}

// ended is why a check has ended, as far as its customer is told: what they did themselves,
// and why there is no verdict. What an officer found is not theirs to say to programs.
func (c *Check) ended() string {
	if c.Verdict == nil || len(c.Verdict.Reasons) == 0 {
		return ""
	}
	switch why := c.Verdict.Reasons[0]; {
	case c.State == Stopped, c.State == Declined && (why == reasonStopped || why == reasonDeclined):
		return why
	}
	return ""
}

// CustomerView shows a check to its customer.
func CustomerView(c Check) ForCustomer {
	v := ForCustomer{ID: c.ID, Policy: c.Policy.Name, State: c.State, Round: c.Round, Consent: ConsentText{c.Policy.Consent.Version, c.Policy.Consent.Text},
		Agreed: c.Consent != nil && c.Consent.Yes, Steps: []StepForCustomer{}, Capture: c.Capture, Away: !c.Cut.IsZero()}
	for _, s := range c.Steps {
		p := c.Policy.Step(s.Name)
		v.Steps = append(v.Steps, StepForCustomer{s.Name, s.Kind, s.State, p.Document, p.Text})
	}
	if s := c.present(); s != nil {
		v.Present, v.Request, v.Number = s.Name, s.Drawn, s.Number
		if c.Code != nil {
			v.Code = c.Code.To
		}
	}
	if c.State == Passed && c.Verdict != nil {
		v.Until = c.Verdict.Until
	}
	if c.State == Asked && c.Officer == "" {
		v.Waits = WaitsOfficer
	}
	v.Again, v.Why = c.Again(), c.ended()
	return v
}

// ForOfficer is a check as its officer, a second one, and whoever reads it later may see it.
type ForOfficer struct {
	ID            tandem.CheckID       `json:"id"`
	Interaction   tandem.InteractionID `json:"interaction"`
	Policy        string               `json:"policy"`
	State         State                `json:"state"`
	Round         int                  `json:"round"`
	Version       int64                `json:"version"`
	Officer       string               `json:"officer,omitempty"`
	SecondOfficer bool                 `json:"second_officer,omitempty"` // one is needed
	Level         tandem.Assurance     `json:"level"`
	Lang          string               `json:"lang,omitempty"`         // that the customer agreed in
	Interruption  float64              `json:"interruption,omitempty"` // seconds
	Consent       *Consent             `json:"consent,omitempty"`
	Present       string               `json:"present,omitempty"`
	Likeness      string               `json:"likeness,omitempty"`
	Steps         []StepForOfficer     `json:"steps"`
	Code          *Code                `json:"code,omitempty"`
	Capture       *Capture             `json:"capture,omitempty"`
	Broken        []Break              `json:"broken,omitempty"`
	Away          time.Time            `json:"away,omitzero"` // since when the customer is not seen
	Camera        string               `json:"camera,omitempty"`
	Virtual       bool                 `json:"virtual,omitempty"`
	Verdict       *Verdict             `json:"verdict,omitempty"` // of state second: the officer's, not final
	Reasons       map[State][]string   `json:"reasons"`           // that a verdict may have
	Begun         time.Time            `json:"begun"`
	Ended         time.Time            `json:"ended,omitzero"`
}

// StepForOfficer is one step with what it asks of the officer and what came of it.
type StepForOfficer struct {
	StepForCustomer
	Questions []Question     `json:"questions,omitempty"`
	Compare   []Question     `json:"compare,omitempty"`
	Request   []string       `json:"request,omitempty"`
	Number    string         `json:"number,omitempty"`
	Said      map[string]any `json:"said,omitempty"`
	Stills    []Still        `json:"stills,omitempty"`
}

// Question is one that the officer asks, or compares by.
type Question struct {
	Name   string `json:"name"`
	Ask    Texts  `json:"ask"`
	Expect string `json:"expect,omitempty"`
}

// OfficerView shows a check to staff. Stills are named, not shown: each look is written down.
func OfficerView(c Check) ForOfficer {
	v := ForOfficer{ID: c.ID, Interaction: c.Interaction, Policy: c.Policy.Name, State: c.State, Round: c.Round, Version: c.Version, Officer: c.Officer,
		SecondOfficer: c.Policy.SecondOfficer, Level: c.Policy.Level, Interruption: c.Policy.Interruption.Seconds(), Consent: c.Consent,
		Steps: []StepForOfficer{}, Code: c.Code, Capture: c.Capture, Broken: c.Voided, Away: c.Cut, Camera: c.Camera, Virtual: c.Virtual,
		Verdict: c.Verdict, Reasons: map[State][]string{Passed: Reasons(Passed), Failed: Reasons(Failed), Declined: Reasons(Declined)},
		Begun: c.Begun, Ended: c.Ended}
	if c.Consent != nil {
		v.Lang = c.Consent.Lang
	}
	for _, s := range c.Steps {
		p := c.Policy.Step(s.Name)
		o := StepForOfficer{StepForCustomer: StepForCustomer{s.Name, s.Kind, s.State, p.Document, p.Text}, Request: s.Drawn, Number: s.Number,
			Said: s.Said, Stills: s.Stills}
		for i := range p.Questions {
			o.Questions = append(o.Questions, Question{p.Questions[i].Called(i), p.Questions[i].Ask, p.Questions[i].Expect})
		}
		for _, q := range p.Compare {
			o.Compare = append(o.Compare, Question{Name: q.Name, Ask: q.Ask})
		}
		if p.Likeness != "" {
			v.Likeness = p.Likeness
		}
		v.Steps = append(v.Steps, o)
	}
	if s := c.present(); s != nil {
		v.Present = s.Name
	}
	return v
}
