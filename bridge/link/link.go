package link

import (
	"time"

	"tandem"
)

// Order asks for a link.
type Order struct {
	Key          string // names the visit to the step: a second Order of the interaction with it makes nothing
	Interaction  tandem.InteractionID
	Leg          tandem.LegID // the flow runs on
	Customer     tandem.CustomerID
	Conversation tandem.ConversationID // that the link goes to; "" = none
	Number       tandem.Number
	Serial       int            // of the session's wait
	Operation    string         // "" = the link is a way to go on by another channel
	To           tandem.Channel // that channel
	Params       map[string]any // what the page's fields hold when it is opened
	Needs        tandem.Assurance
	// Assurance is that of the session, and until when it holds; zero = to the session's end.
	Assurance      tandem.Assurance
	AssuranceUntil time.Time
	// Told says that a code for the page can be told where the session runs, by another
	// way than the link goes: said in a call, or shown in a chat while the link is texted.
	Told     bool
	Lang     string
	Expires  time.Duration // 0 = 15 min
	By       string        // sms, chat, mail
	Actor    string        // who gives it, for the journal; "" = the flow
	Flow     string
	FlowHash string
}

// Link is a link as it stands.
type Link struct {
	ID             tandem.LinkID
	Key            string
	Interaction    tandem.InteractionID
	Leg            tandem.LegID
	Customer       tandem.CustomerID
	Conversation   tandem.ConversationID
	Number         tandem.Number
	Serial         int
	Operation      string
	To             tandem.Channel
	Needs          tandem.Assurance
	Assurance      tandem.Assurance
	AssuranceUntil time.Time
	Lang           string
	By             string
	Flow           string
	FlowHash       string

	State    tandem.LinkState
	Made     time.Time
	Expires  time.Time
	Opened   time.Time    // zero = it was not
	Over     time.Time    // when it was done, declined, expired or revoked
	Page     tandem.LegID // the page's leg; "" until it is opened
	Proved   time.Time    // until when the second factor holds; zero = none was given
	Attempts int          // at the second factor

	// Code is what the customer has to be told, and types on the page: six digits. Only
	// Make gives it, for it is kept nowhere; "" = the page asks for no such code.
	Code string

	no      int64
	seq     uint64
	browser []byte
	code    []byte
	by, why string // who revokes it, and why, for the journal
}

// Handoff reports whether the link is a way to go on by another channel.
func (l *Link) Handoff() bool { return l.Operation == "" }
