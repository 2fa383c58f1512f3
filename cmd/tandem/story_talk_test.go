package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/store"
)

// aTalk is a chat with a text, a link, a picture and a secret.
func aTalk() store.Story {
	start := time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)
	s := store.Story{Interaction: tandem.Interaction{ID: "06h03ui6lbl9pq52hds2l1omtk", Number: "12345678903", Entry: "chat:bank", Flow: "counter", Started: start}}
	leg := tandem.Leg{ID: "l", Kind: tandem.LegChat, Inbound: true, Role: tandem.RoleCustomer, From: "chat:c", To: "chat:bank", Started: start, Answered: start}
	s.Legs = []tandem.Leg{leg}
	add := func(seconds int, kind tandem.EventKind, data any) {
		s.Events = append(s.Events, tandem.NewEvent(s.Interaction.ID, leg.ID, start.Add(time.Duration(seconds)*time.Second), kind, "flow", data))
	}
	say := func(at int, channel tandem.Channel, seq uint64, from tandem.Sender, change func(*tandem.Message)) {
		m := tandem.Message{Conversation: tandem.ConversationID("c-" + channel), Seq: seq, Channel: channel, From: from}
		change(&m)
		add(at, tandem.EventMessage, m)
	}
	say(0, tandem.Chat, 1, tandem.SenderFlow, func(m *tandem.Message) {
		m.Text, m.Buttons = "What can we do for you?", []tandem.Button{{Keys: "1", Label: "Balance"}, {Label: "A person"}}
	})
	say(3, tandem.Chat, 2, tandem.SenderCustomer, func(m *tandem.Message) { m.Text = "hello\nit is \x1b[2Jme" })
	add(3, tandem.EventInput, tandem.Pressed{Step: "main", Keys: "hello", Via: "text"})
	say(4, tandem.Chat, 3, tandem.SenderFlow, func(m *tandem.Message) { m.Text, m.AsksSecret = "Your PIN?", true })
	say(5, tandem.Chat, 4, tandem.SenderCustomer, func(m *tandem.Message) { m.Text, m.Secret = "••••", true })
	say(6, tandem.Chat, 5, tandem.SenderFlow, func(m *tandem.Message) {
		m.Text, m.Link = "Set it up here:", &tandem.MessageLink{ID: "link1"}
	})
	add(7, tandem.EventLinkState, tandem.LinkChanged{Link: "link1", State: tandem.LinkOpened})
	say(8, tandem.SMS, 1, tandem.SenderFlow, func(m *tandem.Message) { m.Text = "By text" })
	say(9, tandem.SMS, 2, tandem.SenderFlow, func(m *tandem.Message) { m.Text = "Once more" })
	say(10, tandem.Chat, 6, tandem.SenderCustomer, func(m *tandem.Message) {
		m.Attachment = &tandem.Attachment{Blob: "b", Width: 800, Height: 600}
	})
	say(11, tandem.Chat, 7, tandem.SenderAgent, func(m *tandem.Message) { m.Text, m.Name = "Hi", "Mei" })
	receipt := func(c string, seq uint64, state tandem.MessageState, why string) {
		add(12, tandem.EventReceipt, tandem.Receipt{Conversation: tandem.ConversationID("c-" + c), Seq: seq, State: state, Error: why})
	}
	receipt("chat", 1, tandem.MessageRead, "")
	receipt("chat", 1, tandem.MessageDelivered, "") // late
	receipt("sms", 1, tandem.MessageDelivered, "")
	receipt("sms", 2, tandem.MessageFailed, "refused")
	receipt("chat", 99, tandem.MessageRead, "") // of a message that stands in another interaction
	add(12, tandem.EventOutboxDone, tandem.Delivery{Key: "text:c-sms:1", Attempts: 1})
	add(12, tandem.EventOutboxDone, tandem.Delivery{Key: "task-7", Attempts: 2})
	return s
}

func TestStoryTellsTheTalk(t *testing.T) {
	var b bytes.Buffer
	if err := writeStory(&b, aTalk(), time.Now()); err != nil {
		t.Fatal(err)
	}
	want := `
Messages
       0:00.000  chat   1  flow      read      What can we do for you?
                                               [Balance | A person]
       0:03.000  chat   2  customer            hello
                                               it is �[2Jme
       0:04.000  chat   3  flow      sent      Your PIN?
                                               (asks for a secret)
       0:05.000  chat   4  customer            ••••
       0:06.000  chat   5  flow      sent      Set it up here:
                                               (link: opened)
       0:08.000  sms    1  flow      delivered By text
       0:09.000  sms    2  flow      failed    Once more
                                               (refused)
       0:10.000  chat   6  customer            (picture, 800 × 600)
       0:11.000  chat   7  agent Mei sent      Hi

What happened
       0:03.000  wrote “hello”
       0:07.000  link opened
       0:12.000  delivered task-7, try 2
`
	if _, got, _ := strings.Cut(b.String(), "; not ended\n"); got != want {
		t.Errorf("the talk is told as\n%s\nwant\n%s", got, want)
	}
	out, err := json.Marshal(told{aTalk(), talkOf(aTalk())})
	if err != nil || !strings.Contains(string(out), `"messages":[{"conversation":"c-chat","seq":1`) || !strings.Contains(string(out), `"link_state":"opened"`) {
		t.Errorf("as JSON: %s, %v", out, err)
	}
	s := aTalk()
	s.Customer.Erased = time.Now()
	for i := range s.Events {
		s.Events[i].Data = nil
	}
	b.Reset()
	if err := writeStory(&b, s, time.Now()); err != nil || strings.Contains(b.String(), "Messages") || strings.Contains(b.String(), "(erased)") {
		t.Errorf("of an erased person: %v\n%s", err, b.String())
	}
}

func TestChannels(t *testing.T) {
	kinds := []tandem.LegKind{tandem.LegSIP, tandem.LegSMS, tandem.LegLink, tandem.LegWebRTC, tandem.LegChat}
	if got := channels(kinds); got != "voice, sms, page, chat" {
		t.Errorf("channels are told as %q", got)
	}
}
