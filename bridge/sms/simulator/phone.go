package simulator

import (
	"crypto/rand"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"tandem/bridge/sms/segment"
)

// Message is one text, to a phone or by it.
type Message struct {
	ID       string            `json:"id"`
	Rev      uint64            `json:"rev"` // grows with each change of any message
	At       time.Time         `json:"at"`
	From     string            `json:"from"`
	To       string            `json:"to"`
	ByPhone  bool              `json:"by_phone,omitempty"`
	Text     string            `json:"text,omitempty"`
	Template string            `json:"template,omitempty"`
	Params   map[string]string `json:"params,omitempty"`
	Lang     string            `json:"lang,omitempty"`
	Encoding string            `json:"encoding,omitempty"`
	Parts    int               `json:"parts"`
	// State is, to a phone: taken, delivered, read, undelivered. By it: sending, sent, failed.
	State string `json:"state"`
	Tries int    `json:"tries,omitempty"` // of a reply
}

// phone is one inbox.
type phone struct {
	number   string
	messages []*Message // the oldest first
	used     time.Time
}

// plain is a number without what people write between digits; "" if it is none. Phones
// need a plus, or at least six digits.
func plain(number string) string {
	var b strings.Builder
	for i, r := range strings.TrimSpace(number) {
		switch {
		case r >= '0' && r <= '9', r == '+' && i == 0:
			b.WriteRune(r)
		case r == '-', r == ' ', r == '.', r == '(', r == ')':
		default:
			return ""
		}
	}
	if n := strings.TrimPrefix(b.String(), "+"); len(n) < 3 || len(n) > 15 {
		return ""
	}
	return b.String()
}

// phoneOf finds or makes an inbox. The caller holds mu.
func (s *Simulator) phoneOf(number string) *phone {
	p := s.phones[number]
	if p == nil {
		if len(s.phones) >= maxPhones {
			oldest := ""
			for n, p := range s.phones {
				if oldest == "" || p.used.Before(s.phones[oldest].used) {
					oldest = n
				}
			}
			delete(s.phones, oldest)
		}
		p = &phone{number: number}
		s.phones[number] = p
	}
	p.used = s.now()
	return p
}

// put adds a text to an inbox. The caller holds mu.
func (s *Simulator) put(p *phone, m *Message) {
	s.rev++
	m.Rev = s.rev
	if m.Text != "" {
		c := segment.Of(m.Text)
		m.Encoding, m.Parts = string(c.Encoding), c.Parts
	}
	p.messages = append(p.messages, m)
	if len(p.messages) > maxMessages {
		p.messages = slices.Delete(p.messages, 0, len(p.messages)-maxMessages)
	}
}

// change notes a new state. The caller holds mu.
func (s *Simulator) change(m *Message, state string) {
	s.rev++
	m.Rev, m.State = s.rev, state
}

// newID is a provider's id, never the same again, not even after a restart: what is
// played to remembers ids.
func newID(prefix string) string {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails
	return prefix + hex.EncodeToString(b)
}
