package view

import (
	"time"

	"tandem"
)

// Upgrade is voice or pictures beside the text or the call of an interaction.
type Upgrade struct {
	ID          tandem.UpgradeID     `json:"id,omitempty"`   // "" = sent
	Task        tandem.TaskID        `json:"task,omitempty"` // "" = nobody serves the customer
	Interaction tandem.InteractionID `json:"interaction"`
	State       string               `json:"state"` // sent, asked, agreed, up; refused, lapsed, withdrawn, over
	By          string               `json:"by"`    // an agent's name, flow, customer
	Level       tandem.Level         `json:"level"`
	Agreed      tandem.Level         `json:"agreed"`
	Now         tandem.Level         `json:"now"`
	Why         string               `json:"why,omitempty"`
	Fallen      string               `json:"fallen,omitempty"` // network, camera, microphone
	Pictures    bool                 `json:"pictures,omitempty"`
	Kept        bool                 `json:"kept,omitempty"`
	Who         []Seer               `json:"who"`
	Until       time.Time            `json:"until,omitzero"`
	Check       tandem.CheckID       `json:"check,omitempty"`
}

// Seer is somebody who sees and hears a customer, or will.
type Seer struct {
	Name  string       `json:"name"`
	Role  tandem.Role  `json:"role"`
	Leg   tandem.LegID `json:"leg,omitempty"`   // once they are in
	Muted bool         `json:"muted,omitempty"` // their microphone is off
}

// Over reports whether an upgrade has ended.
func (u *Upgrade) Over() bool {
	switch u.State {
	case "sent", "asked", "agreed", "up":
		return false
	}
	return true
}

// Check is an identity check as those see it who carry it out.
type Check struct {
	ID           tandem.CheckID       `json:"id"`
	Interaction  tandem.InteractionID `json:"interaction"`
	Task         tandem.TaskID        `json:"task,omitempty"`
	Policy       string               `json:"policy"`
	Title        map[string]string    `json:"title,omitempty"` // by language
	State        string               `json:"state"`           // asked, running, broken, second; passed, failed, declined, stopped
	Round        int                  `json:"round"`
	Officer      string               `json:"officer,omitempty"`
	Second       string               `json:"second,omitempty"` // once they have looked
	NeedsSecond  bool                 `json:"needs_second,omitempty"`
	Level        string               `json:"level"`
	CustomerLang string               `json:"customer_lang,omitempty"`
	Consent      *CheckConsent        `json:"consent,omitempty"`
	Steps        []CheckStep          `json:"steps"`
	Present      string               `json:"present,omitempty"`
	Code         *CheckCode           `json:"code,omitempty"`
	Capturing    *CheckCapture        `json:"capturing,omitempty"`
	Broken       []CheckBroken        `json:"broken,omitempty"`
	Interruption float64              `json:"interruption,omitempty"` // seconds that may pass
	Reasons      map[string][]string  `json:"reasons,omitempty"`      // the closed lists for a verdict, by outcome
	Verdict      *CheckVerdict        `json:"verdict,omitempty"`
	By           string               `json:"by"`              // flow, or the agent who began it
	Waits        string               `json:"waits,omitempty"` // officer, consent, picture, verdict, second; "" = for nothing but its present step
	Bars         []CheckBar           `json:"bars,omitempty"`  // for which it cannot be passed now; none = it may be
	Camera       string               `json:"camera,omitempty"`
	Virtual      bool                 `json:"virtual,omitempty"`    // Camera looks like a program's: a hint
	Record       bool                 `json:"record,omitempty"`     // the policy wants a recording
	Unrecorded   bool                 `json:"unrecorded,omitempty"` // and none runs
	Begun        time.Time            `json:"begun"`
	Ended        time.Time            `json:"ended,omitzero"`

	// Seconds are the agents who may look at it as the second, while its state is second.
	Seconds []string `json:"-"`
}

// Over reports whether a check has ended.
func (k *Check) Over() bool {
	switch k.State {
	case "asked", "running", "broken", "second":
		return false
	}
	return true
}

// Has reports whether a still is evidence of the check.
func (k *Check) Has(id tandem.BlobID) bool {
	for _, s := range k.Steps {
		for _, still := range s.Stills {
			if still.Blob == id {
				return true
			}
		}
	}
	return false
}

type (
	// CheckConsent is what the customer has agreed to.
	CheckConsent struct {
		At      time.Time `json:"at"`
		Lang    string    `json:"lang"`
		Version string    `json:"version"`
	}
	// CheckStep is one step.
	CheckStep struct {
		Name     string            `json:"name"`
		Kind     string            `json:"kind"`           // code, questions, document, face, request, compare
		Side     string            `json:"side,omitempty"` // of a document: front, back
		State    string            `json:"state"`          // "", present, done, failed, skipped
		Text     map[string]string `json:"text,omitempty"`
		Asks     []CheckAsk        `json:"asks,omitempty"` // of questions and compare
		Expect   string            `json:"expect,omitempty"`
		Requests []CheckRequest    `json:"requests,omitempty"` // as they were drawn
		Likeness bool              `json:"likeness,omitempty"` // a score may be noted, as advice
		Said     map[string]any    `json:"said,omitempty"`
		Stills   []CheckStill      `json:"stills"`
	}
	// CheckBar is one thing for which a check cannot be passed now.
	CheckBar struct {
		Step string            `json:"step,omitempty"`
		Kind string            `json:"kind,omitempty"`
		Ask  map[string]string `json:"ask,omitempty"`  // of a comparison: the question
		What string            `json:"what,omitempty"` // the request that was not followed
		Why  string            `json:"why"`            // consent, picture, not_done, failed, skipped, no, unsure, not_followed
	}
	// CheckAsk is one thing that the officer asks, or compares.
	CheckAsk struct {
		Name string            `json:"name"`
		Ask  map[string]string `json:"ask"`
	}
	// CheckRequest is one thing that the customer is asked to do.
	CheckRequest struct {
		What   string `json:"what"`
		Number string `json:"number,omitempty"` // to be read aloud
	}
	// CheckStill is a still that was kept.
	CheckStill struct {
		Blob      tandem.BlobID `json:"blob"`
		Source    string        `json:"source"` // server, page
		MediaType string        `json:"media_type"`
		Width     int           `json:"width"`
		Height    int           `json:"height"`
		At        time.Time     `json:"at"`
		N         int           `json:"n,omitempty"`
		Round     int           `json:"round"`
	}
	// CheckCode is a code that was sent to the customer.
	CheckCode struct {
		To   string    `json:"to"` // masked
		Sent time.Time `json:"sent"`
		OK   bool      `json:"ok,omitempty"`
	}
	// CheckCapture is a still that is awaited.
	CheckCapture struct {
		Step string `json:"step"`
		N    int    `json:"n"`
	}
	// CheckBroken is a round that is void.
	CheckBroken struct {
		Round   int       `json:"round"`
		Why     string    `json:"why"` // cut, second_face, changed_person, officer
		Seconds float64   `json:"seconds,omitempty"`
		At      time.Time `json:"at"`
	}
	// CheckVerdict is how a check ended.
	CheckVerdict struct {
		Outcome string    `json:"outcome"` // passed, failed, declined
		Reasons []string  `json:"reasons"`
		Text    string    `json:"text,omitempty"`
		Officer string    `json:"officer,omitempty"`
		Second  string    `json:"second,omitempty"`
		Until   time.Time `json:"until,omitzero"`
	}
	// CheckPolicy is one that can be begun.
	CheckPolicy struct {
		Name        string            `json:"name"`
		Title       map[string]string `json:"title,omitempty"`
		Level       string            `json:"level"`
		Steps       []CheckStep       `json:"steps"`
		NeedsSecond bool              `json:"needs_second,omitempty"`
	}
	// RoleLink is a link by which somebody may join.
	RoleLink struct {
		ID      string      `json:"id"`
		URL     string      `json:"url,omitempty"` // told once, to who made it
		Role    tandem.Role `json:"role"`
		By      string      `json:"by"`
		State   string      `json:"state"` // made, used, revoked, expired
		UsedBy  string      `json:"used_by,omitempty"`
		Expires time.Time   `json:"expires"`
	}
	// RoleLook is what such a link tells before it is used.
	RoleLook struct {
		From    string        `json:"from"`
		Display string        `json:"display,omitempty"` // as customers know them
		Role    tandem.Role   `json:"role"`
		Number  tandem.Number `json:"number,omitempty"` // of the interaction
		Queue   string        `json:"queue,omitempty"`
		Expires time.Time     `json:"expires"`
	}
	// Joined is what somebody has joined by one.
	Joined struct {
		Interaction tandem.InteractionID `json:"interaction"`
		Task        tandem.TaskID        `json:"task,omitempty"`
		Role        tandem.Role          `json:"role"`
	}
)
