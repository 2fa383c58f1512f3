package flow

import (
	"encoding/json"
	"time"

	"tandem"
)

// SessionVersion is the format of a stored session. Decode reads this one and all
// before it, and refuses a newer one by name.
const SessionVersion = 1

// Session is one running flow as plain data: it can be stored, moved and resumed
// at any wait. Encode writes it; secrets are in Frame.Secrets, apart from the rest.
type Session struct {
	Version int     `json:"v"`
	Facts   Facts   `json:"facts"`
	Lang    string  `json:"lang"`
	Frames  []Frame `json:"frames"`            // the called flow last; empty once finished
	Wait    Wait    `json:"wait"`              // what it waits for
	Serial  int     `json:"serial"`            // counts waits, so that a late answer is known
	Steps   int     `json:"steps"`             // steps since the last wait that waited: the run-time guard
	Idle    int     `json:"idle,omitempty"`    // answers that came without waiting since then
	Faults  int     `json:"faults,omitempty"`  // since then
	Hushed  bool    `json:"hushed,omitempty"`  // the entry of a secret is going on
	Leaving bool    `json:"leaving,omitempty"` // the customer has left: only on_leave's steps run
	Outcome string  `json:"outcome,omitempty"` // the step that was going on when the customer left; "answered" = an agent had them
	Ended   string  `json:"ended,omitempty"`   // the end reason once finished

	// World is what the world keeps beside the present wait, such as how far it has come in
	// finding out who the customer is; the engine drops it once the wait is over or is
	// asked anew.
	World json.RawMessage `json:"world,omitempty"`

	// Taken is set while an agent has the customer out of a step that is no queue: the
	// frames stand where they were taken.
	Taken *Taken `json:"taken,omitempty"`
	// Asked is set while one step runs for the agent who has the customer.
	Asked *Asked `json:"asked,omitempty"`

	// On is the channel of the present wait: a session that is resumed with another in its
	// Facts has been moved meanwhile.
	On tandem.Channel `json:"on,omitempty"`

	// Keys were typed ahead and not yet taken. Nobody knows yet what they are for, and
	// they may be a PIN: they are never stored or traced. A resumed session asks again.
	Keys string `json:"-"`
}

// Taken is a customer whom an agent has out of a step. The session waits as one in a queue
// does whom an agent serves, and the times of the step stand still: handed back there, it is
// begun anew.
type Taken struct {
	Key  string   `json:"key"`  // by which the world knows what the agent does for them
	Kind WaitKind `json:"kind"` // what the step waited for
}

// Asked is one step that runs for the agent who has the customer. When it is over they
// have them back, and the flow stands where it stood.
type Asked struct {
	Flow  string          `json:"flow"`
	Step  string          `json:"step"`
	Guest bool            `json:"guest,omitempty"` // the last frame was made for the step and goes with it
	At    Frame           `json:"at"`              // where the step's frame stood: all of it but the values
	Over  []Frame         `json:"over,omitempty"`  // the flows that it had called
	Wait  Wait            `json:"wait"`            // the wait with the agent, which goes on
	World json.RawMessage `json:"world,omitempty"` // what was kept beside that
}

// WithAgent reports whether an agent has the customer, if only while a step is asked.
func (s Session) WithAgent() bool {
	return s.Asked != nil || s.Wait.Kind == WaitQueue && s.Wait.Served
}

// EntersSecret reports that the customer may be entering a secret just now: nobody takes them
// out of that, or the rest of it would go to whoever has them then.
func (s Session) EntersSecret() bool {
	switch s.Wait.Kind {
	case WaitListen, WaitIdentify, WaitResume:
		return s.Wait.Secret
	}
	return false
}

// Line is the wait in which the session stands in line or is with an agent: the present one,
// or that behind the step which an agent asks. Its Kind is WaitQueue if there is one.
func (s Session) Line() Wait {
	if s.Asked != nil {
		return s.Asked.Wait
	}
	return s.Wait
}

// Facts is what a session knows from outside; all of it is data handed in.
type Facts struct {
	Number         tandem.Number    `json:"number"`
	Entry          string           `json:"entry"`
	Channel        tandem.Channel   `json:"channel"`
	Caller         string           `json:"caller"`             // number or account as signalled; "" = withheld
	Customer       string           `json:"customer,omitempty"` // the bound customer's id
	Phone          string           `json:"phone,omitempty"`    // a phone number that was proved to be the customer's; "" = none was
	Browser        []string         `json:"browser,omitempty"`  // languages a browser asks for
	CallerLang     string           `json:"caller_lang,omitempty"`
	Assurance      tandem.Assurance `json:"assurance"`
	AssuranceUntil time.Time        `json:"assurance_until,omitzero"`
	Place          *Place           `json:"place,omitempty"` // the last known, in the queue the customer is or was in
}

// Level is the assurance that holds at a time.
func (f Facts) Level(now time.Time) tandem.Assurance {
	if !f.AssuranceUntil.IsZero() && !now.Before(f.AssuranceUntil) {
		return tandem.None
	}
	return f.Assurance
}

// Frame is one flow on the stack of called flows.
type Frame struct {
	Flow    string            `json:"flow"`
	Hash    string            `json:"hash"`
	Step    string            `json:"step"`
	Vars    map[string]any    `json:"vars,omitempty"`
	Secrets map[string]any    `json:"secrets,omitempty"` // secret values; ephemeral ones are never stored
	Asked   map[string]string `json:"asked,omitempty"`   // ephemeral variable: the collect step that filled it, "" for another verb
	Visits  map[string]int    `json:"visits,omitempty"`
	Back    []string          `json:"back,omitempty"`    // listening steps visited, the current one last
	Return  []string          `json:"return,omitempty"`  // steps to go back to once the present identify step has passed, the next one last
	Choices []any             `json:"choices,omitempty"` // what the current menu offers from a list
	Try     int               `json:"try,omitempty"`     // of the current listening step, from 1
	// Confirming is set while the value just given waits for its yes or no.
	Confirming bool `json:"confirming,omitempty"`
	// Failing is set from a fault until something is waited for again: a fault in between is final.
	Failing bool `json:"failing,omitempty"`
	// Left is set on the flow whose on_leave runs: what it ends as returns to nobody.
	Left bool `json:"left,omitempty"`

	Ephemeral map[string]any `json:"-"` // nil after Decode: the values are lost and are asked for again when needed
	Draft     string         `json:"-"` // keys of the current step so far; not stored, since a resumed session asks again
}

// Reasons of a session's end that no flow gives.
const (
	ReasonCompleted = "completed" // the flow reached its end and named no reason
	ReasonLeft      = "left"      // the customer left
	ReasonError     = "error"     // the flow could not go on
	ReasonResumed   = "resumed"   // an earlier interaction goes on in its place; the world writes it, the engine hears no more
)

// WaitKind is what a session waits for.
type WaitKind string

const (
	WaitNone   WaitKind = ""       // finished
	WaitListen WaitKind = "listen" // keys, text or speech
	WaitHTTP   WaitKind = "http"   // Fetched

	// Each of these is ended by a Result.
	WaitTransfer  WaitKind = "transfer"
	WaitVoicemail WaitKind = "voicemail"
	WaitRecord    WaitKind = "record"
	WaitMessage   WaitKind = "message"
	WaitLink      WaitKind = "link" // also by the time in Until
	WaitHandoff   WaitKind = "handoff"
	WaitIdentify  WaitKind = "identify"
	WaitResume    WaitKind = "resume"
	WaitQueue     WaitKind = "queue" // takes keys and text for its offers
	WaitCallback  WaitKind = "callback"
	WaitTicket    WaitKind = "ticket"
	WaitSurvey    WaitKind = "survey"
)

// Wait describes what would move the session on.
type Wait struct {
	Kind   WaitKind `json:"kind"`
	Serial int      `json:"serial"` // goes with the answer
	Step   string   `json:"step,omitempty"`
	// Timeout runs from the end of the last prompt, or from the last key.
	Timeout time.Duration `json:"timeout,omitempty"`
	// While true, digits and their tones reach nobody but the flow, or for identify
	// and resume nobody but the world.
	Secret  bool     `json:"secret,omitempty"`
	Speech  bool     `json:"speech,omitempty"`
	Options []Option `json:"options,omitempty"` // how a menu looks: buttons or numbered lines
	// Until is when an InputTimeout is due for a wait that does not listen; zero = never.
	Until  time.Time `json:"until,omitzero"`
	Opened bool      `json:"opened,omitempty"` // link: the customer has opened the page
	Place  *Place    `json:"place,omitempty"`  // queue: the last that was told; nil = none yet
	// Served is set on a queue once an agent has the customer: nothing is offered, played
	// or told any more, and what the customer enters is for the agent.
	Served bool `json:"served,omitempty"`
	// Taken is set on a queue once the customer has asked for the way to chat or sms.
	Taken string `json:"taken,omitempty"`
	// Under is the serial of the wait with an agent that goes on behind this one: what
	// comes for it is to be told as well. 0 = none.
	Under int `json:"under,omitempty"`
}

// Option is one choice as shown in text.
type Option struct {
	Keys  string `json:"keys"`
	Label string `json:"label"`
}
