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
	Hushed  bool    `json:"hushed,omitempty"`  // the entry of a secret is going on
	Leaving bool    `json:"leaving,omitempty"` // the customer has left: only on_leave's steps run
	Outcome string  `json:"outcome,omitempty"` // the step that was going on when the customer left
	Ended   string  `json:"ended,omitempty"`   // the end reason once finished

	// Keys were typed ahead and not yet taken. Nobody knows yet what they are for, and
	// they may be a PIN: they are never stored or traced. A resumed session asks again.
	Keys string `json:"-"`
}

// Facts is what a session knows from outside; all of it is data handed in.
type Facts struct {
	Number         tandem.Number    `json:"number"`
	Entry          string           `json:"entry"`
	Channel        tandem.Channel   `json:"channel"`
	Caller         string           `json:"caller"`             // number or account as signalled; "" = withheld
	Customer       string           `json:"customer,omitempty"` // the bound customer's id
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
)

// WaitKind is what a session waits for.
type WaitKind string

const (
	WaitNone      WaitKind = ""          // finished
	WaitListen    WaitKind = "listen"    // keys, text or speech
	WaitHTTP      WaitKind = "http"      // Fetched
	WaitTransfer  WaitKind = "transfer"  // Transferred
	WaitVoicemail WaitKind = "voicemail" // Recorded

	// Each of these is ended by a Result.
	WaitMessage  WaitKind = "message"
	WaitLink     WaitKind = "link" // also by the time in Until
	WaitHandoff  WaitKind = "handoff"
	WaitIdentify WaitKind = "identify"
	WaitQueue    WaitKind = "queue"
	WaitCallback WaitKind = "callback"
	WaitRecord   WaitKind = "record"
	WaitTicket   WaitKind = "ticket"
	WaitSurvey   WaitKind = "survey"
)

// Wait describes what would move the session on.
type Wait struct {
	Kind   WaitKind `json:"kind"`
	Serial int      `json:"serial"` // goes with the answer
	Step   string   `json:"step,omitempty"`
	// Timeout runs from the end of the last prompt, or from the last key.
	Timeout time.Duration `json:"timeout,omitempty"`
	// While true, digits and their tones reach nobody but the flow.
	Secret  bool     `json:"secret,omitempty"`
	Speech  bool     `json:"speech,omitempty"`
	Options []Option `json:"options,omitempty"` // how a menu looks: buttons or numbered lines
	// Until is when an InputTimeout is due for a wait that does not listen; zero = never.
	Until time.Time `json:"until,omitzero"`
}

// Option is one choice as shown in text.
type Option struct {
	Keys  string `json:"keys"`
	Label string `json:"label"`
}

// InputKind names what happened.
type InputKind string

const (
	InputKey         InputKind = "key"     // one key: 0-9 * # A-D
	InputText        InputKind = "text"    // a typed line or a tapped button; taken only while listening, so the channel holds it back till then
	InputSpeech      InputKind = "speech"  // a recognised utterance
	InputTimeout     InputKind = "timeout" // of the wait with that serial
	InputFetched     InputKind = "fetched"
	InputTransferred InputKind = "transferred"
	InputRecorded    InputKind = "recorded"
	InputResult      InputKind = "result"  // of the effect with that serial
	InputPlace       InputKind = "place"   // in the line, while waiting there
	InputMoved       InputKind = "moved"   // the customer took an offer and goes on waiting by Channel
	InputOutcome     InputKind = "outcome" // replay only: the step is left by Text, with Set as its variables
	InputLeft        InputKind = "left"    // hang-up, closed page
	InputFault       InputKind = "fault"   // an effect could not be carried out; Text says why
)

// Input is one thing that happened, with the time it happened.
type Input struct {
	Kind   InputKind `json:"kind"`
	At     time.Time `json:"at"`
	Serial int       `json:"serial,omitempty"` // of the wait it answers: timeout, fetched, transferred, recorded
	Text   string    `json:"text,omitempty"`   // key, text, utterance, or the fault's reason
	Via    string    `json:"via,omitempty"`    // rfc4733, info, inband, text, speech
	// Early is set on a key pressed while a prompt plays that keys do not stop, or
	// before the question of the current step has begun to be said. Steps without
	// type-ahead, and consent, do not take it.
	Early bool `json:"early,omitempty"`

	Fetched     *Fetched     `json:"fetched,omitempty"`
	Transferred *Transferred `json:"transferred,omitempty"`
	Recorded    *Recorded    `json:"recorded,omitempty"`

	Result  *Result        `json:"result,omitempty"`
	Place   *Place         `json:"place,omitempty"`
	Channel tandem.Channel `json:"channel,omitempty"`
	Carried bool           `json:"carried,omitempty"` // moved: the assurance came along
	Set     map[string]any `json:"set,omitempty"`
}

// Result is the answer to an effect that asked for something.
type Result struct {
	Outcome string    `json:"outcome"`           // of the verb
	Until   time.Time `json:"until,omitzero"`    // identify: how long the level holds; zero = to the end
	Carried bool      `json:"carried,omitempty"` // handoff: the assurance came along
	Value   any       `json:"value,omitempty"`   // ticket: its number; record: the recording's id
}

// Place is where the interaction stands in a line, with an honest range for the wait.
type Place struct {
	Queue    string        `json:"queue"`
	Position int           `json:"position"` // 1 = next
	AtLeast  time.Duration `json:"at_least"`
	AtMost   time.Duration `json:"at_most"`
}

// Fetched is the answer to a Fetch effect.
type Fetched struct {
	Status int             `json:"status"`           // 0 = no answer
	Failed string          `json:"failed,omitempty"` // "timeout", or what went wrong
	Body   json.RawMessage `json:"body,omitempty"`
	MS     int64           `json:"ms"`
	Tries  int             `json:"tries"`
}

// Transferred is the answer to a Transfer effect, given when the parties part or
// when nobody was reached.
type Transferred struct {
	Outcome string `json:"outcome"` // ok, busy, no_answer, failed
}

// Recorded is the answer to a Record effect.
type Recorded struct {
	Outcome string `json:"outcome"` // left, too_short
}

// Effect is something the engine asks the world to do, in order.
type Effect interface{ effect() }

type (
	// Play says a prompt after those before it have ended.
	Play struct {
		Step    string
		Name    string // of the prompt; "" = written in place
		Lang    string
		Parts   []tandem.Part
		Audio   string // a recording that replaces Parts on voice; path relative to the flows folder
		BargeIn BargeIn
		Secret  bool // part of a step that takes a secret
		// Announces is "recording" if hearing this prompt whole allows recording; else "".
		Announces string
	}
	// Cut stops prompts that keys may stop, playing and waiting; others go on.
	Cut struct{}
	// Fetch makes one HTTP exchange, retries included; answer with Fetched.
	Fetch struct {
		Serial  int
		Step    string
		Method  string
		URL     string
		Headers [][2]string
		Body    []byte // JSON, or nil
		Timeout time.Duration
		Retries int
		// Key names this visit to the step within the session, also after Resume. It is
		// set where the request may be made twice; "" = it is made once.
		Key string
	}
	// Connect joins somebody to the customer; answer with Transferred.
	Connect struct {
		Serial int
		Step   string
		To     string
		Mode   string
		Ring   time.Duration
	}
	// Record takes a voicemail once the prompts have ended; answer with Recorded.
	Record struct {
		Serial int
		Step   string
		Box    string
		Queue  string
		Max    time.Duration
		Lang   string
	}
	// Promise is an event to be durable before the next effect is carried out.
	Promise struct {
		Kind tandem.EventKind
		Data any
	}
	// Trace is a happening for the journal. It never holds a secret.
	Trace struct {
		Kind tandem.EventKind
		Data any
	}
	// Speak changes the language from here on.
	Speak struct{ Lang string }
	// Hush begins or ends the entry of a secret: recording, transcript and relaying pause.
	Hush struct{ On bool }
	// Finish ends the session; prompts already asked for are played out first.
	Finish struct {
		Reason string
		Failed bool // the flow could not go on
	}
)

func (Play) effect()    {}
func (Cut) effect()     {}
func (Fetch) effect()   {}
func (Connect) effect() {}
func (Record) effect()  {}
func (Promise) effect() {}
func (Trace) effect()   {}
func (Speak) effect()   {}
func (Hush) effect()    {}
func (Finish) effect()  {}
