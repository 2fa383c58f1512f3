package main

import (
	"encoding/json"
	"fmt"
	"time"

	"tandem"
)

// textEventWords say what happened in conversations, by links, and of who customers are.
var textEventWords = map[tandem.EventKind]func(json.RawMessage) (string, error){
	tandem.EventMessage: words(func(p tandem.Message) string {
		line := fmt.Sprintf("%s %d, %s: “%s”", p.Channel, p.Seq, p.From, p.Text)
		if p.Attachment != nil {
			line += fmt.Sprintf(" (picture, %d × %d)", p.Attachment.Width, p.Attachment.Height)
		}
		if p.Link != nil {
			line += " (link)"
		}
		for i, b := range p.Buttons {
			if i == 0 {
				line += " ["
			} else {
				line += " | "
			}
			line += b.Label
			if i == len(p.Buttons)-1 {
				line += "]"
			}
		}
		return line
	}),
	tandem.EventReceipt: words(func(p tandem.Receipt) string {
		if p.Conversation == "" {
			return "a text was not sent, " + p.Error
		}
		if p.Error != "" {
			return fmt.Sprintf("message %d %s: %s", p.Seq, p.State, p.Error)
		}
		return fmt.Sprintf("message %d %s", p.Seq, p.State)
	}),
	tandem.EventLinkMade: words(func(p tandem.LinkIssued) string {
		what := "operation " + p.Operation
		if p.Operation == "" {
			what = "going on by " + string(p.To)
		}
		return fmt.Sprintf("link for %s, by %s, valid to %s", what, p.By, p.Expires.Local().Format(time.TimeOnly))
	}),
	tandem.EventLinkState: words(func(p tandem.LinkChanged) string {
		line := "link " + string(p.State)
		for _, name := range sortedKeys(p.Fields) {
			value, err := json.Marshal(p.Fields[name])
			if err != nil {
				value = []byte("?")
			}
			line += fmt.Sprintf(", %s = %s", name, value)
		}
		return line + because(p.Why)
	}),
	tandem.EventMoved: words(func(p tandem.Moved) string { return "goes on by " + string(p.Channel) + carriedWords(p) }),
	tandem.EventResumed: words(func(p tandem.Moved) string {
		return "goes on where it was, by " + string(p.Channel) + carriedWords(p)
	}),
	tandem.EventIdentified: words(func(p tandem.Identified) string {
		line := fmt.Sprintf("identified by %s: %s", p.Method, p.Outcome)
		if p.Outcome == "passed" {
			line += fmt.Sprintf(", %s", p.Level)
			if !p.Until.IsZero() {
				line += " until " + p.Until.Local().Format(time.TimeOnly)
			}
		}
		return line
	}),
	tandem.EventCodeSent: words(func(p tandem.CodeSent) string { return fmt.Sprintf("code sent to %s by %s, for %s", p.To, p.By, p.Why) }),
	tandem.EventBound: words(func(p tandem.Bound) string {
		return fmt.Sprintf("%s %s bound to the customer, by %s", p.Identity.Kind, p.Identity.Value, p.Method)
	}),
	tandem.EventUnbound: words(func(p tandem.Bound) string {
		return fmt.Sprintf("%s %s bound to the customer no more", p.Identity.Kind, p.Identity.Value) + because(p.Why)
	}),
	tandem.EventMerged: words(func(p tandem.Merged) string {
		return fmt.Sprintf("customer %s is one with %s: %s", p.From, p.Into, p.Why)
	}),
	tandem.EventUnmerged: words(func(p tandem.Merged) string {
		return fmt.Sprintf("customer %s is one with %s no more", p.From, p.Into) + because(p.Why)
	}),
	tandem.EventCallback: words(func(p tandem.Callback) string {
		when, proven := "as soon as somebody is free", ""
		if p.At != "" {
			when = "at " + p.At
		}
		if !p.Proven {
			proven = " (the number has not answered a code)"
		}
		return fmt.Sprintf("call to %s booked, %s%s", p.To, when, proven)
	}),
	tandem.EventStopped: words(func(p tandem.Stopped) string {
		if p.On {
			return fmt.Sprintf("wants no more texts: wrote %s", p.Word)
		}
		return fmt.Sprintf("wants texts again: wrote %s", p.Word)
	}),
}

func because(why string) string {
	if why == "" {
		return ""
	}
	return ", because: " + why
}

func carriedWords(p tandem.Moved) string {
	if p.Carried {
		return ", who they are is carried along"
	}
	return ""
}
