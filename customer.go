package tandem

import "time"

// Customer is a person. Everything personal about them lies under one key, so
// that destroying the key erases the person and leaves the journal whole.
type Customer struct {
	ID      CustomerID `json:"id"`
	Created time.Time  `json:"created"`
	Erased  time.Time  `json:"erased,omitzero"`
}

// Who is a customer at hand, and the leg that they are on, as a session's effects need them.
type Who struct {
	Interaction  InteractionID
	Leg          LegID
	Customer     CustomerID // who they have proved to be, else the interaction's
	Channel      Channel
	Conversation ConversationID // chat and SMS
	Number       Number
	Entry        string
	Caller       string // phone number in E.164; "" = withheld, or a chat
	Lang         string
	Address      string // network address of who chats, for the caps; "" = not known
	Assurance    Assurance
	Until        time.Time // of it
}

// IdentityKind says what an identity's value is.
type IdentityKind string

const (
	IdentityPhone IdentityKind = "phone" // E.164 with +, or a local number as signalled
	IdentityEmail IdentityKind = "email"
	IdentityChat  IdentityKind = "chat" // account at an adapter, such as "wechat:openid"
)

// Identity is one name by which a person is reached.
type Identity struct {
	Kind  IdentityKind `json:"kind"`
	Value string       `json:"value"`
}

// Binding ties an identity to a customer. Checked says when, and by which event,
// the tie was proved; a binding never checked is a hint. It can be undone.
type Binding struct {
	Customer CustomerID `json:"customer"`
	Identity Identity   `json:"identity"`
	Since    time.Time  `json:"since"`
	Checked  time.Time  `json:"checked,omitzero"`
	Until    time.Time  `json:"until,omitzero"` // when it was undone
	From     CustomerID `json:"from,omitempty"` // whose the identity was before, and will be when this is undone
}
