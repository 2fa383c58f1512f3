package tandem

import "time"

// Channel is how a party is reached. A flow lists the channels it serves.
type Channel string

const (
	Voice Channel = "voice"
	Chat  Channel = "chat"
	SMS   Channel = "sms"
)

// State is where an interaction is in its life. It is in exactly one at a time.
type State string

// While a session or a call runs or is awaited it is Open, or what its tasks are; once
// they have ended it is what its tasks are, and Closed when none is live. The store
// works it out of both in the same transaction as either changes.
const (
	Open      State = "open"     // in self-service, or between channels
	Queued    State = "queued"   // a task of it waits in line
	InOffer   State = "offered"  // a task of it is proposed to an agent
	InService State = "assigned" // an agent serves it
	Wrapping  State = "wrapping" // an agent writes it up
	Closed    State = "closed"   // nothing runs and nothing waits
)

// Interaction is one customer's business from first ring or message to wrap-up,
// whatever channels it uses: the root of everything.
type Interaction struct {
	ID       InteractionID `json:"id"`
	Number   Number        `json:"number"` // spoken number
	Customer CustomerID    `json:"customer"`
	Entry    string        `json:"entry"` // the mapped entry, such as "95599" or "chat:site"
	Flow     string        `json:"flow"`
	FlowHash string        `json:"flow_hash"` // content hash of the flow version it began with
	Lang     string        `json:"lang,omitempty"`
	State    State         `json:"state"`
	Started  time.Time     `json:"started"`
	Ended    time.Time     `json:"ended,omitzero"`
	Outcome  string        `json:"outcome,omitempty"` // the flow's end reason
}

// LegKind is the technology of a leg.
type LegKind string

const (
	LegSIP    LegKind = "sip"
	LegWebRTC LegKind = "webrtc"
	LegChat   LegKind = "chat"
	LegSMS    LegKind = "sms"
	LegLink   LegKind = "link"
)

// Role is what a party may do in the interaction.
type Role string

const (
	RoleCustomer   Role = "customer"
	RoleAgent      Role = "agent"
	RoleSpecialist Role = "specialist"
	RoleListener   Role = "listener"
	RoleWhisperer  Role = "whisperer"
)

// Leg is one way a party takes part: a SIP call, a WebRTC call, a chat, an SMS
// thread, a link page. Its record is written at start, at answer and at end, so
// that a crash leaves one that can be closed.
type Leg struct {
	ID             LegID         `json:"id"`
	Interaction    InteractionID `json:"interaction"`
	Kind           LegKind       `json:"kind"`
	Inbound        bool          `json:"inbound"`
	Role           Role          `json:"role"`
	From           string        `json:"from"` // address as signalled: personal data
	To             string        `json:"to"`
	Assurance      Assurance     `json:"assurance"`
	AssuranceUntil time.Time     `json:"assurance_until,omitzero"`
	Started        time.Time     `json:"started"`
	Answered       time.Time     `json:"answered,omitzero"`
	Ended          time.Time     `json:"ended,omitzero"`
	Termination    Termination   `json:"termination,omitzero"`
}
