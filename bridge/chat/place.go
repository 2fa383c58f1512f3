package chat

import (
	"time"

	"tandem"
)

// Place is how a conversation stands in line: shown beside its messages, and never stored
// here. The newest holds. Queue "" says that it is in no line any more.
type Place struct {
	Queue    string
	Position int           // 1 = next; 0 = not known
	AtLeast  time.Duration // of the wait to expect from now; both 0 = not known
	AtMost   time.Duration
	Offers   []Offer // other ways to be served; none once Served
	Served   bool    // an agent has the customer
	Agent    string  // the name they go by; "" = not known
}

// Offer is another way to be served, taken by saying its Label or its Keys.
type Offer struct {
	Keys  string
	What  string // callback, chat, sms
	Label string // in the flow's language
}

func (Place) frame() {}

// Watched reports whether anybody looks on: if nobody does, there is no need to Publish.
func (b *Book) Watched(id tandem.ConversationID) bool { return b.watched(id) }
