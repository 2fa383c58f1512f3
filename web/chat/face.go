package chat

import (
	"context"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/media/webrtc"
)

// Face is voice and pictures beside the text of a conversation, and identity checks;
// internal/app. Errors may be *Refused or *tandem.Error. It gets nothing that is not of the
// conversation a token opened; whether a page has the media is its to hold.
type Face interface {
	// Upgrade does what a customer wants. It returns once that is durable.
	Upgrade(ctx context.Context, p Page, o UpgradeOrder) error
	// Check does what a customer wants of an identity check.
	Check(ctx context.Context, p Page, o CheckOrder) error
	// Signal takes what a page tells of a connection: voice or screen. It is refused with
	// conflict for a page that has not the media.
	Signal(ctx context.Context, p Page, conn string, s webrtc.Signal) error
	// Still takes a picture that a page took of its own camera for a step, as it was sent: it
	// is to be drawn anew before it is kept.
	Still(ctx context.Context, p Page, check tandem.CheckID, step string, s Still) (n int, err error)
	// Now is how things are; nil = there is none. May are the levels the customer may ask for.
	Now(ctx context.Context, c chat.Conversation) (u *Upgrade, may []tandem.Level, k *Check, err error)
	// Gone is told that a page has no socket any more, Back that it has one (again). They do
	// not wait.
	Gone(p Page)
	Back(p Page)
}

// Page is one page of a conversation: it stays the same when its socket breaks.
type Page struct {
	Conversation tandem.ConversationID
	ID           string // the page's own, or one of its socket
	Address      string // the customer's network address
}

// UpgradeOrder is what a customer wants of voice and pictures.
type UpgradeOrder struct {
	Do      string // ask, accept, refuse, change, end
	Upgrade tandem.UpgradeID
	Level   tandem.Level
	Lang    string // in which the words were read
	// Words is that of the Upgrade which was on the screen: a yes to others than those that
	// stand now is refused with conflict. "" = not said.
	Words string
}

// CheckOrder is what a customer wants of an identity check.
type CheckOrder struct {
	Do    string // accept, refuse, code, stop
	Check tandem.CheckID
	Text  string // of code
	Lang  string
	Words string // of accept: as of an UpgradeOrder
}

// Still is a picture of a step.
type Still struct {
	Data   []byte // JPEG, up to 8 MB and 40 megapixels
	Camera string // what the browser calls it; nobody vouches for that
}

// Upgrade is voice and pictures as a customer sees them; docs/chat-protocol.md has its fields.
type Upgrade struct {
	ID       tandem.UpgradeID   `json:"id"`
	State    string             `json:"state"` // asked, agreed, up; refused, lapsed, withdrawn, over
	By       string             `json:"by"`    // agent, flow, customer
	Name     string             `json:"name,omitempty"`
	Level    tandem.Level       `json:"level"`
	Agreed   tandem.Level       `json:"agreed"`
	Now      tandem.Level       `json:"now"`
	Why      string             `json:"why,omitempty"`
	WhyText  map[string]string  `json:"why_text,omitempty"` // Why by language, where it is one of the known reasons
	Kept     bool               `json:"kept,omitempty"`
	Keeps    bool               `json:"keeps,omitempty"` // it will be recorded once what is asked now is agreed to
	Who      []Seer             `json:"who"`
	Text     map[string]string  `json:"text,omitempty"`  // to agree to, by language
	Words    string             `json:"words,omitempty"` // names Text: it is said with accept
	Version  string             `json:"version,omitempty"`
	Until    time.Time          `json:"until,omitzero"`
	Fallen   string             `json:"fallen,omitempty"` // network, camera, microphone
	Pictures bool               `json:"pictures,omitempty"`
	Yours    bool               `json:"yours"`         // set by the door
	ICE      []webrtc.ICEServer `json:"ice,omitempty"` // of yours alone
	Check    tandem.CheckID     `json:"check,omitempty"`

	Page string `json:"-"` // that has the media
}

// Seer is somebody who sees and hears a customer, or will.
type Seer struct {
	Name  string       `json:"name"` // as customers know them
	Role  tandem.Role  `json:"role"`
	Leg   tandem.LegID `json:"leg,omitempty"`   // as in the ids of slots, once they are in
	Muted bool         `json:"muted,omitempty"` // their microphone is off
}

// Check is an identity check as a customer sees it.
type Check struct {
	ID      tandem.CheckID `json:"id"`
	Policy  string         `json:"policy"`
	State   string         `json:"state"` // asked, running, broken, second; passed, failed, declined, stopped
	Round   int            `json:"round"`
	Consent *CheckConsent  `json:"consent,omitempty"`
	Steps   []CheckStep    `json:"steps"`
	Present string         `json:"present,omitempty"`
	Request []string       `json:"request,omitempty"`
	Number  string         `json:"number,omitempty"`
	Code    string         `json:"code,omitempty"` // where one was sent, masked
	Capture *CheckCapture  `json:"capture,omitempty"`
	Until   time.Time      `json:"until,omitzero"`
	Agreed  bool           `json:"agreed,omitempty"`
	Away    bool           `json:"away,omitempty"`  // they are not seen just now
	Waits   string         `json:"waits,omitempty"` // officer: nobody has come yet, and nothing is asked before
	Again   string         `json:"again,omitempty"` // why the round before does not count: cut, second_face, changed_person, officer, restart
	Why     string         `json:"why,omitempty"`   // at the end: customer_stopped, customer_declined, lapsed, lost, officer, interrupted, customer_left
	Words   string         `json:"words,omitempty"` // names the text of Consent: it is said with accept
}

// CheckConsent is what a customer is to agree to, by language.
type CheckConsent struct {
	Text    map[string]string `json:"text"`
	Version string            `json:"version"`
}

// CheckStep is one step of a check.
type CheckStep struct {
	Name  string            `json:"name"`
	Kind  string            `json:"kind"`  // code, questions, document, face, request, compare
	State string            `json:"state"` // "", present, done, failed, skipped
	Text  map[string]string `json:"text,omitempty"`
}

// CheckCapture is a still that is awaited from the page.
type CheckCapture struct {
	Step string `json:"step"`
	N    int    `json:"n"`
}
