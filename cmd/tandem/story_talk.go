package main

import (
	"fmt"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/reach"
	"tandem/store"
)

// spoken is one message of a conversation, with how far it has come.
type spoken struct {
	tandem.Message
	At        time.Time           `json:"at"`
	State     tandem.MessageState `json:"state,omitempty"`      // of one to the customer
	Error     string              `json:"error,omitempty"`      // why it failed
	LinkState tandem.LinkState    `json:"link_state,omitempty"` // of the link in it
}

// talkOf is the messages of an interaction in the order they were said. How far each has
// come is told by the receipts that followed; those of an erased person are gone.
func talkOf(s store.Story) []spoken {
	type place struct {
		conversation tandem.ConversationID
		seq          uint64
	}
	out := []spoken{}
	at, links := map[place]int{}, map[tandem.LinkID]tandem.LinkState{}
	for _, e := range s.Events {
		if empty(e) {
			continue
		}
		switch e.Kind {
		case tandem.EventMessage:
			m, err := payload[tandem.Message](e)
			if err != nil {
				continue // it stands in the list of events as it is
			}
			line := spoken{Message: m, At: e.At}
			if m.From != tandem.SenderCustomer {
				line.State = tandem.MessageSent
				if m.Channel == tandem.SMS {
					line.State = tandem.MessagePending
				}
			}
			at[place{m.Conversation, m.Seq}] = len(out)
			out = append(out, line)
		case tandem.EventReceipt:
			r, err := payload[tandem.Receipt](e)
			if n, known := at[place{r.Conversation, r.Seq}]; err == nil && known && r.State.After(out[n].State) {
				out[n].State, out[n].Error = r.State, r.Error
			}
		case tandem.EventLinkState:
			if c, err := payload[tandem.LinkChanged](e); err == nil {
				links[c.Link] = c.State
			}
		}
	}
	for n := range out {
		if l := out[n].Link; l != nil {
			if out[n].LinkState = links[l.ID]; out[n].LinkState == "" {
				out[n].LinkState = tandem.LinkMade
			}
		}
	}
	return out
}

// ofTalk reports whether an event is told with the messages: one of them, its receipt, or
// the delivery of the letter that carried it.
func ofTalk(e tandem.Event) bool {
	switch e.Kind {
	case tandem.EventMessage:
		return true
	case tandem.EventReceipt:
		r, err := payload[tandem.Receipt](e)
		return err != nil || r.Conversation != ""
	case tandem.EventOutboxDone:
		d, err := payload[tandem.Delivery](e)
		_, _, text := reach.LetterKey(d.Key)
		return err == nil && text
	}
	return false
}

// writeTalk tells the messages, each with when it was said and how far it has come.
func writeTalk(b *strings.Builder, talk []spoken, start time.Time) {
	if len(talk) == 0 {
		return
	}
	channels := map[tandem.Channel]bool{}
	for _, m := range talk {
		channels[m.Channel] = true
	}
	b.WriteString("\nMessages\n")
	for _, m := range talk {
		head := fmt.Sprintf("%s  ", offset(m.At.Sub(start)))
		if len(channels) > 1 {
			head += fmt.Sprintf("%-5s", m.Channel)
		}
		who := string(m.From)
		if m.Name != "" {
			who += " " + m.Name
		}
		head += fmt.Sprintf("%3d  %-9s %-9s ", m.Seq, printable(who), m.State)
		for n, line := range spokenLines(m) {
			if n == 1 {
				head = strings.Repeat(" ", len([]rune(head)))
			}
			fmt.Fprintf(b, "  %s%s\n", head, printable(line))
		}
	}
}

// spokenLines is what stands in a message, line by line; it has one at least.
func spokenLines(m spoken) []string {
	lines := strings.Split(m.Text, "\n")
	note := func(format string, args ...any) {
		if lines[0] == "" && len(lines) == 1 {
			lines = nil
		}
		lines = append(lines, fmt.Sprintf(format, args...))
	}
	if m.Image != "" {
		note("(picture %s)", m.Image)
	}
	if a := m.Attachment; a != nil {
		note("(picture, %d × %d)", a.Width, a.Height)
	}
	if m.Link != nil {
		note("(link: %s)", m.LinkState)
	}
	if len(m.Buttons) > 0 {
		labels := make([]string, len(m.Buttons))
		for i, b := range m.Buttons {
			labels[i] = b.Label
		}
		note("[%s]", strings.Join(labels, " | "))
	}
	if m.AsksSecret {
		note("(asks for a secret)")
	}
	if m.State == tandem.MessageFailed && m.Error != "" {
		note("(%s)", m.Error)
	}
	return lines
}

// told is a story with its messages, for programs.
type told struct {
	store.Story
	Messages []spoken `json:"messages,omitempty"`
}
