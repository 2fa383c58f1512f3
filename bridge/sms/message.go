package sms

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/sms/segment"
	"tandem/store/outbox"
)

// Message is one text to a phone: words, or a template of the provider's with what is
// filled into it. If it has both, a gateway that knows the template sends that, and one
// that does not sends the words, unless it takes templates only.
type Message struct {
	Key      string            `json:"key"`  // stays the same however often it is tried; without a full stop
	From     string            `json:"from"` // a number of ours
	To       string            `json:"to"`   // E.164
	Text     string            `json:"text,omitempty"`
	Template string            `json:"template,omitempty"` // the flow's name for it
	Params   map[string]string `json:"params,omitempty"`   // of the template
	Lang     string            `json:"lang,omitempty"`

	// Who caused it, for the caps; "" = nobody from outside. Neither is sent or kept.
	Visitor string `json:"-"` // of a page: a key of the caller's choice
	Address string `json:"-"` // network address
}

// Parts is how many parts a message is counted as: those of its text, or for a template
// alone those of one as long as what is filled in and a sentence around it.
func (m *Message) Parts() int {
	text := m.Text
	if text == "" {
		text = strings.Repeat("字", 50)
		for _, v := range m.Params {
			text += v
		}
	}
	return segment.Of(text).Parts
}

// Receipt is what a gateway says of a message it took.
type Receipt struct {
	ID    string // the provider's
	Key   string // the message's own, from gateways that hand it back; "" = found by ID
	State tandem.MessageState
	Error string // why it failed, without numbers or text; "" = not said
	At    time.Time
}

// Inbound is a text that somebody sent us.
type Inbound struct {
	Gateway string // filled in by the Desk
	ID      string // the provider's: the same for the same text
	From    string
	To      string // a number of ours
	Text    string
	Media   int // pictures that came along and are not kept
	At      time.Time
}

// Client is the id of the message in its conversation, against doubles.
func (in *Inbound) Client() string { return "sms:" + in.Gateway + ":" + in.ID }

// Answer is what a gateway's request is answered with once all it brought is kept.
type Answer struct {
	Status int // 0 = 200
	Type   string
	Body   string
}

// Gateway is a driver for one account with one provider. It is safe for concurrent use
// and starts no goroutine that outlives a call. What goes into its errors is logged: no
// secret, no number, no text.
type Gateway interface {
	// Send hands a message over and returns the provider's id of it, which its receipts
	// will have. An error that no repeat cures wraps outbox.ErrPermanent; one whose
	// provider said when to come back is an *outbox.RetryAfter; ErrStopped says that the
	// provider refuses texts to this person. Any other is tried again.
	Send(ctx context.Context, m Message) (id string, err error)
	// Receive checks that a request comes from the provider, and reads it: body is the
	// whole of it. It changes nothing. What is refused is a *Rejected.
	Receive(r *http.Request, body []byte) (inbound []Inbound, receipts []Receipt, answer Answer, err error)
}

// checkKey refuses keys that not every gateway can carry.
func checkKey(key string) error {
	if key == "" || len(key) > maxKey || strings.ContainsFunc(key, func(r rune) bool { return r <= ' ' || r == '.' || r > '~' }) {
		return fmt.Errorf("sms: a message's key has 1 to %d printable ASCII characters without blanks and full stops", maxKey)
	}
	return nil
}

const maxKey = 256 // bytes

// ErrStopped is a provider's refusal to send to somebody who wants no more texts.
var ErrStopped = fmt.Errorf("the person has stopped texts at the provider: %w", outbox.ErrPermanent)

// Rejected is a request that is refused. Rule is from a closed list, for metrics:
// unsigned, forged, stale, wrong_account, malformed, too_large, unknown_gateway,
// unknown_number, too_many; and no_number for a text from a name, which is taken and
// goes nowhere.
type Rejected struct {
	Rule   string
	Status int
	Why    string
}

func (r *Rejected) Error() string { return r.Why }

func reject(rule string, status int, why string) *Rejected { return &Rejected{rule, status, why} }

// Normal is a phone number in the one spelling, E.164, from what people write: "+86 138
// 0000-0000", "008613800000000". ok is false for anything that names no country.
func Normal(number string) (e164 string, ok bool) {
	var b strings.Builder
	for i, r := range strings.TrimSpace(number) {
		switch {
		case r >= '0' && r <= '9', r == '+' && i == 0:
			b.WriteRune(r)
		case r == '-', r == ' ', r == '.', r == '(', r == ')':
		default:
			return "", false
		}
	}
	e164 = b.String()
	if rest, found := strings.CutPrefix(e164, "00"); found {
		e164 = "+" + rest
	}
	digits, international := strings.CutPrefix(e164, "+")
	if !international || len(digits) < 6 || len(digits) > 15 || digits[0] == '0' {
		return "", false
	}
	return e164, true
}
