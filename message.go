package tandem

// Sender is which side of a conversation a message is from.
type Sender string

const (
	SenderCustomer Sender = "customer"
	SenderFlow     Sender = "flow"
	SenderAgent    Sender = "agent"
	SenderSystem   Sender = "system" // Tandem itself
)

// MessageState is how far a message has come. It only ever moves down this list, but a
// failed one may still be delivered: a network may have been too pessimistic.
type MessageState string

const (
	MessagePending   MessageState = "pending"   // kept, not yet with a gateway
	MessageSent      MessageState = "sent"      // with the gateway, or kept where the other side fetches it
	MessageFailed    MessageState = "failed"    // it will not arrive
	MessageDelivered MessageState = "delivered" // on the other side's device
	MessageRead      MessageState = "read"
)

var messageOrder = map[MessageState]int{MessagePending: 1, MessageSent: 2, MessageFailed: 3, MessageDelivered: 4, MessageRead: 5}

// After reports whether s is further than other.
func (s MessageState) After(other MessageState) bool { return messageOrder[s] > messageOrder[other] }

// LinkState is where a link is in its life.
type LinkState string

const (
	LinkMade     LinkState = "made"
	LinkOpened   LinkState = "opened" // by the person's press
	LinkDone     LinkState = "done"
	LinkDeclined LinkState = "declined"
	LinkExpired  LinkState = "expired"
	LinkRevoked  LinkState = "revoked"
)

// Over reports whether nothing can be done by the link any more.
func (s LinkState) Over() bool { return s != LinkMade && s != LinkOpened }

// Notice is a message of the program's own to a customer, such as the number of a work
// order and where to follow it.
type Notice struct {
	Key    string // the same notice goes once under it
	Lang   string
	Text   string
	Follow string // said before URL, where there are no buttons
	URL    string // its token is masked in the journal; "" = none
	Link   LinkID // what a chat's button names; "" = none
	Button string // what it says
}
