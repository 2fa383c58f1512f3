package flow

import (
	"encoding/json"
	"time"

	"tandem"
)

// InputKind names what happened.
type InputKind string

const (
	InputKey     InputKind = "key"     // one key: 0-9 * # A-D
	InputText    InputKind = "text"    // a typed line or a tapped button; taken while listening and in a queue, so the channel holds it back till then
	InputSpeech  InputKind = "speech"  // a recognised utterance
	InputTimeout InputKind = "timeout" // of the wait with that serial
	InputFetched InputKind = "fetched" // of the Fetch with that serial
	InputResult  InputKind = "result"  // of any other effect with that serial
	InputPlace   InputKind = "place"   // in the line of the Enqueue with that serial
	InputServed  InputKind = "served"  // an agent has the customer of that Enqueue; Text is the name they go by
	InputMoved   InputKind = "moved"   // the customer took an offer of that Enqueue and goes on waiting by Channel
	InputTaken   InputKind = "taken"   // an agent takes the customer out of the step they are in, whatever it is but one that takes a secret; Text is the name they go by, Key what the world knows that by
	InputBack    InputKind = "back"    // the agent hands the customer back: at Step, or, without, or if that may not be, where they had them from
	InputAsk     InputKind = "ask"     // the agent has the flow run Step
	InputAssured InputKind = "assured" // who the customer is was proved beside the flow: Level and Result say how well
	InputOutcome InputKind = "outcome" // replay only: the step is left by Text, with Set as its variables
	InputLeft    InputKind = "left"    // hang-up, closed page
	InputFault   InputKind = "fault"   // an effect could not be carried out; Text says why
)

// Input is one thing that happened, with the time it happened.
type Input struct {
	Kind   InputKind `json:"kind"`
	At     time.Time `json:"at"`
	Serial int       `json:"serial,omitempty"` // of the wait it answers; a fault without one is of the present wait
	Text   string    `json:"text,omitempty"`   // key, text, utterance, outcome, or the fault's reason
	Via    string    `json:"via,omitempty"`    // rfc4733, info, inband, text, speech
	Key    string    `json:"key,omitempty"`    // taken: see Taken.Key
	Step   string    `json:"step,omitempty"`   // back, ask: as "flow/step"
	// Early is set on a key pressed while a prompt plays that keys do not stop, or
	// before the question of the current step has begun to be said. Steps without
	// type-ahead, and consent, do not take it.
	Early bool `json:"early,omitempty"`

	Fetched *Fetched         `json:"fetched,omitempty"`
	Result  *Result          `json:"result,omitempty"` // left: of a Record that was kept all the same; assured: as of identify
	Level   tandem.Assurance `json:"level,omitempty"`  // assured
	Place   *Place           `json:"place,omitempty"`
	Channel tandem.Channel   `json:"channel,omitempty"` // moved: where to
	Carried bool             `json:"carried,omitempty"` // moved: the assurance came along
	Kept    bool             `json:"kept,omitempty"`    // moved: the agent who has them asked for it, and has them still; served: the agent had them before, and what is being said is heard to its end
	Set     map[string]any   `json:"set,omitempty"`     // outcome, back: replay only, as tandem.StepLeft has it, masked values and all
}

// Result is the answer to an effect that asked for something. An outcome that the
// step's verb does not have counts as the worst one it has.
type Result struct {
	Outcome string    `json:"outcome"`           // of the verb; link also "sent" and "opened"
	Until   time.Time `json:"until,omitzero"`    // identify: how long the level holds; zero = to the end
	Carried bool      `json:"carried,omitempty"` // handoff: the assurance came along
	Value   any       `json:"value,omitempty"`   // ticket: its number; record: the recording's id; identify: the customer's id, if it is another now
	Phone   string    `json:"phone,omitempty"`   // identify: a phone number that is proved to be the customer's
}

// Place is where the interaction stands in a line, with an honest range for the wait.
type Place struct {
	Queue    string        `json:"queue"`
	Position int           `json:"position"` // 1 = next; 0 = not known
	AtLeast  time.Duration `json:"at_least"`
	AtMost   time.Duration `json:"at_most"`          // both 0 = not known
	Waited   time.Duration `json:"waited,omitempty"` // in line so far: what offers with a delay go by
}

// Fetched is the answer to a Fetch effect.
type Fetched struct {
	Status int             `json:"status"`           // 0 = no answer
	Failed string          `json:"failed,omitempty"` // "timeout", or what went wrong
	Body   json.RawMessage `json:"body,omitempty"`
	MS     int64           `json:"ms"`
	Tries  int             `json:"tries"`
}
