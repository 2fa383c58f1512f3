// Package check runs identity checks: an officer proves, by video, who a customer is, step by
// step as a policy says. What follows from a command, an answer, an interruption or the
// clock is decided by a pure function of the check as it stands (machine*.go); the Desk
// commits that with its events, and only then does anybody hear of it. It has stills of the
// customer taken, signs each and keeps it with its event in one change.
//
// It runs one goroutine, Run's, which watches the clocks of open checks. It judges nobody's
// face, opens no connection, and decides no right but two: only the check's officer commands
// it, and a second officer is another person. What a customer types as a code, and their
// answers to questions, are kept nowhere.
package check

import (
	"maps"
	"slices"
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// ByFlow is Check.By of one that a flow asks for.
const ByFlow = "flow"

// State is where a check is.
type State string

const (
	Asked    State = "asked"    // the customer is to agree
	Running  State = "running"  // a step is done, or waits for an officer or a picture
	Broken   State = "broken"   // the round is void; the next begins when all are back
	Second   State = "second"   // another officer is to agree
	Passed   State = "passed"   // ended, as all below
	Failed   State = "failed"   // the officer says it is not shown who they are
	Declined State = "declined" // the customer does not want it, or cannot
	Stopped  State = "stopped"  // without a verdict
)

// Over reports whether the check has ended.
func (s State) Over() bool { return s == Passed || s == Failed || s == Declined || s == Stopped }

// Bounds of one check. Whoever needs more begins another.
const (
	MaxRounds   = 20
	MaxCaptures = 40 // each is up to two stills
	// AskedFor is how long a customer has to agree, LostFor how long they or their officer may
	// be away, LookFor how long a second officer may take, IdleFor how long nothing may
	// happen, QueueFor how long a check waits for its first officer.
	AskedFor = 10 * time.Minute
	LostFor  = 15 * time.Minute
	LookFor  = 15 * time.Minute
	IdleFor  = 30 * time.Minute
	QueueFor = 4 * time.Hour
)

// Check is one identity check as it stands.
type Check struct {
	ID          tandem.CheckID       `json:"id"`
	Interaction tandem.InteractionID `json:"interaction"`
	Customer    tandem.CustomerID    `json:"customer"`
	Leg         tandem.LegID         `json:"leg"` // that the level is granted to
	Key         string               `json:"key,omitempty"`
	Policy      *flow.CheckPolicy    `json:"policy"` // as it was when the check began
	By          string               `json:"by"`     // flow, or the agent who began it
	Officer     string               `json:"officer,omitempty"`
	State       State                `json:"state"`
	Round       int                  `json:"round"`
	Version     int64                `json:"version"` // one more with each change
	Begun       time.Time            `json:"begun"`
	Changed     time.Time            `json:"changed"` // by people or the line; the clock counts from it
	Ended       time.Time            `json:"ended,omitzero"`
	Consent     *Consent             `json:"consent,omitempty"`
	Steps       []Step               `json:"steps"` // of the present round, as the policy orders them
	Code        *Code                `json:"code,omitempty"`
	Capture     *Capture             `json:"capture,omitempty"`
	Captures    int                  `json:"captures,omitempty"` // so far
	Voided      []Break              `json:"voided,omitempty"`
	Cut         time.Time            `json:"cut,omitzero"` // since when the customer is not seen; zero = they are
	Camera      string               `json:"camera,omitempty"`
	Virtual     bool                 `json:"virtual,omitempty"`    // Camera looks like a program's
	Unrecorded  bool                 `json:"unrecorded,omitempty"` // the policy wants a recording, and none runs
	Kept        []tandem.BlobID      `json:"kept,omitempty"`       // stills of all rounds
	Verdict     *Verdict             `json:"verdict,omitempty"`    // of state Second: the officer's alone
}

// Consent is the customer's answer.
type Consent struct {
	Yes     bool      `json:"yes"`
	Lang    string    `json:"lang"`
	Version string    `json:"version"`
	At      time.Time `json:"at"`
}

// Step is a step of the present round.
type Step struct {
	Name   string             `json:"name"`
	Kind   flow.CheckStepKind `json:"kind"`
	State  StepState          `json:"state"`
	Said   map[string]any     `json:"said,omitempty"`   // what was noted
	Drawn  []string           `json:"drawn,omitempty"`  // request: what is asked for
	Number string             `json:"number,omitempty"` // request: the one to read aloud
	Stills []Still            `json:"stills,omitempty"`
}

// StepState is where a step is; "" = not begun.
type StepState string

const (
	Present     StepState = "present"
	StepDone    StepState = "done"
	StepFailed  StepState = "failed"
	StepSkipped StepState = "skipped"
)

// Code is the one-time code of the present step.
type Code struct {
	ID      string    `json:"id"` // of bridge/identity; it is no secret
	To      string    `json:"to"` // masked
	Sent    time.Time `json:"sent"`
	Left    int       `json:"left"`              // tries
	Trouble string    `json:"trouble,omitempty"` // none: nothing to send it to; limit; failed
}

// Capture is what stills are wanted of. N is one more each time.
type Capture struct {
	Step string `json:"step"`
	N    int    `json:"n"`
	Page bool   `json:"page,omitempty"` // the page's has come
}

// Still is one that is kept.
type Still struct {
	Blob      tandem.BlobID `json:"blob"`
	Source    string        `json:"source"` // server, page
	MediaType string        `json:"media_type"`
	Width     int           `json:"width"` // pixels
	Height    int           `json:"height"`
	Hash      string        `json:"hash"` // SHA-256 in hex
	N         int           `json:"n"`
	At        time.Time     `json:"at"`
}

// Break is a round that was void.
type Break struct {
	Round   int       `json:"round"`
	Why     string    `json:"why"`               // cut, second_face, changed_person, officer, restart
	Seconds float64   `json:"seconds,omitempty"` // of a cut
	At      time.Time `json:"at"`
}

// Verdict is what the check came to.
type Verdict struct {
	Outcome State     `json:"outcome"`
	Reasons []string  `json:"reasons"`
	Text    string    `json:"text,omitempty"` // the officer's words
	Officer string    `json:"officer,omitempty"`
	Second  string    `json:"second,omitempty"`
	Until   time.Time `json:"until,omitzero"`
	At      time.Time `json:"at"`
}

// clone is a copy that shares nothing that changes.
func (c *Check) clone() Check {
	n := *c
	n.Steps = slices.Clone(c.Steps)
	for i := range n.Steps {
		n.Steps[i].Said = maps.Clone(n.Steps[i].Said)
		n.Steps[i].Stills = slices.Clone(n.Steps[i].Stills)
	}
	n.Voided, n.Kept = slices.Clone(c.Voided), slices.Clone(c.Kept)
	n.Consent, n.Code, n.Capture, n.Verdict = copied(c.Consent), copied(c.Code), copied(c.Capture), copied(c.Verdict)
	return n
}

func copied[T any](p *T) *T {
	if p == nil {
		return nil
	}
	v := *p
	return &v
}

// present is the step that is done now; nil = none.
func (c *Check) present() *Step {
	for i := range c.Steps {
		if c.Steps[i].State == Present {
			return &c.Steps[i]
		}
	}
	return nil
}

func (c *Check) step(name string) *Step {
	for i := range c.Steps {
		if c.Steps[i].Name == name {
			return &c.Steps[i]
		}
	}
	return nil
}
