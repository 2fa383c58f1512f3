package flow

import (
	"strconv"
	"time"

	"tandem"
)

// What an identity check asks for, as `*.check.yaml` says it. Texts are by language; the
// language that has none gets the first of the file.
type (
	// CheckPolicy is how an officer proves, by video, who a customer is: steps in order.
	CheckPolicy struct {
		Name  string
		Pos   Pos
		Level tandem.Assurance
		// Grants is how long the level holds after it was passed.
		Grants time.Duration
		// Queue is where an officer is looked for if nobody has the customer; "" = where the
		// customer is.
		Queue string
		// Officers are the skills of whoever may decide; none = any agent who has the customer.
		Officers []string
		Consent  CheckConsent
		Steps    []CheckPolicyStep
		// SecondOfficer asks that another person than the officer agrees before it is passed.
		SecondOfficer bool
		// Interruption is how long picture or sound may be away before the round is void.
		Interruption time.Duration
		// Record keeps sound and pictures as well.
		Record bool
		// KeepEvidence and KeepRecording are for how long stills and recordings are kept; 0 = as
		// the configuration says.
		KeepEvidence  time.Duration
		KeepRecording time.Duration
		// Hash is the SHA-256 of the file's text in hex, Text the file as it was written.
		Hash string
		Text string
	}
	// CheckConsent is what the customer is asked first of all.
	CheckConsent struct {
		Version string
		Text    map[string]string
	}
	// CheckPolicyStep is one step. What is not of its Kind is zero.
	CheckPolicyStep struct {
		Name      string
		Pos       Pos
		Kind      CheckStepKind
		Text      map[string]string // shown to the customer; nil = what the product says
		Document  string            // document: front, back
		Requests  []string          // request: what may be asked, see CheckRequests
		Count     int               // request: how many of them are drawn
		Questions []CheckQuestion   // questions
		Compare   []CheckCompare    // compare
		// Likeness of compare: "advice" = the officer's browser computes how alike two faces
		// are, marked as advice; "" = it does not.
		Likeness string
	}
	// CheckQuestion is asked by the officer, who notes whether the answer was right. The answer
	// itself is kept nowhere.
	CheckQuestion struct {
		Name   string // "" = its place in the list, from 1
		Ask    map[string]string
		Expect string // free: the officer judges; service: the service of identity.service knows
	}
	// CheckCompare is one line of the officer's checklist, put so that yes speaks for the
	// customer: a check passes only with all of them answered yes.
	CheckCompare struct {
		Name string
		Ask  map[string]string
	}
)

// CheckStepKind is what a step of an identity check does.
type CheckStepKind string

const (
	CheckCode      CheckStepKind = "code"      // a one-time code to what is bound to the customer
	CheckQuestions CheckStepKind = "questions" // asked and judged by the officer
	CheckDocument  CheckStepKind = "document"  // a still of one side
	CheckFace      CheckStepKind = "face"      // a still of the face
	CheckRequest   CheckStepKind = "request"   // drawn at random, judged by the officer
	CheckCompareBy CheckStepKind = "compare"   // a checklist over the stills
)

// Defaults of a policy that does not say otherwise.
const (
	CheckInterruption = 5 * time.Second
	CheckGrants       = 30 * time.Minute
)

// Called is the name of a question that is at place i, from 0.
func (q *CheckQuestion) Called(i int) string {
	if q.Name != "" {
		return q.Name
	}
	return strconv.Itoa(i + 1)
}

// CheckRequests are what a customer may be asked to do, in the order of the documentation.
func CheckRequests() []string {
	return []string{"turn_left", "turn_right", "look_up", "read_number", "hand_over_face"}
}

// Step is the policy's step of a name, nil if it has none.
func (p *CheckPolicy) Step(name string) *CheckPolicyStep {
	for i := range p.Steps {
		if p.Steps[i].Name == name {
			return &p.Steps[i]
		}
	}
	return nil
}
