package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	"tandem"
	"tandem/store"
)

// writeStory tells an interaction in a terminal: who and how it ended, then what
// happened with times from its start. What was pressed for a secret is masked
// already where it was noted.
func writeStory(w io.Writer, s store.Story, now time.Time) error {
	b := &strings.Builder{}
	i := s.Interaction
	fmt.Fprintf(b, "Interaction %s\n", i.Number)
	row := func(name, format string, args ...any) {
		fmt.Fprintf(b, "  %-9s %s\n", name, printable(fmt.Sprintf(format, args...)))
	}
	row("id", "%s", i.ID)
	row("entry", "%s → %s", i.Entry, i.Flow)
	if i.Lang != "" {
		row("language", "%s", i.Lang)
	}
	customer := string(s.Customer.ID)
	if !s.Customer.Erased.IsZero() {
		customer += ", erased " + s.Customer.Erased.Local().Format(time.DateTime)
	}
	row("customer", "%s", customer)
	row("started", "%s, %s", i.Started.Local().Format("2006-01-02 15:04:05 -0700"), age(now.Sub(i.Started)))
	row("ended", "%s", howEnded(i, s.Legs))

	b.WriteString("\nLegs\n")
	for n, l := range s.Legs {
		fmt.Fprintf(b, "  %d  %s\n", n+1, printable(legLine(l, i.Started)))
	}
	b.WriteString("\nWhat happened\n")
	names := legNames(s.Legs)
	for _, e := range s.Events {
		fmt.Fprintf(b, "  %s  %s%s\n", offset(e.At.Sub(i.Started)), legMark(names, e.Leg), printable(eventLine(e)))
	}
	if len(s.Tasks) > 0 {
		b.WriteString("\nTasks\n")
		for _, t := range s.Tasks {
			fmt.Fprintf(b, "  %s\n", printable(strings.TrimRight(fmt.Sprintf("%s in %s, %s, in line since %s  %s",
				t.Kind, t.Queue, t.State, t.Arrived.Local().Format(time.DateTime), t.Note), " ")))
		}
	}
	if len(s.Blobs) > 0 {
		b.WriteString("\nKept, encrypted\n")
		for _, ref := range s.Blobs {
			fmt.Fprintf(b, "  %s  %s, %d bytes\n", ref.ID, printable(ref.MediaType), ref.Size)
		}
		fmt.Fprintf(b, "  to listen: tandem interactions export %s --why REASON\n", i.ID)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func howEnded(i tandem.Interaction, legs []tandem.Leg) string {
	if i.Ended.IsZero() {
		return "not yet"
	}
	var last tandem.Termination
	for _, l := range legs {
		if l.Role == tandem.RoleCustomer {
			last = l.Termination
		}
	}
	text := "after " + lasted(i)
	if i.Outcome != "" {
		text += ", outcome " + i.Outcome
	}
	if !last.IsZero() {
		text += ": " + last.String()
	}
	return text
}

func legLine(l tandem.Leg, start time.Time) string {
	direction := "out"
	if l.Inbound {
		direction = "in"
	}
	parts := []string{fmt.Sprintf("%s %s, %s", l.Kind, direction, l.Role)}
	if l.From != "" || l.To != "" {
		parts = append(parts, fmt.Sprintf("%s → %s", l.From, l.To))
	}
	if l.Assurance != tandem.None {
		parts = append(parts, l.Assurance.String())
	}
	if l.Answered.IsZero() {
		parts = append(parts, "not answered")
	} else {
		parts = append(parts, fmt.Sprintf("answered at %s", strings.TrimSpace(offset(l.Answered.Sub(start)))))
	}
	return strings.Join(append(parts, l.Termination.String()), "; ")
}

// legNames numbers the legs, if there are several to tell apart.
func legNames(legs []tandem.Leg) map[tandem.LegID]int {
	if len(legs) < 2 {
		return nil
	}
	names := map[tandem.LegID]int{}
	for n, l := range legs {
		names[l.ID] = n + 1
	}
	return names
}

func legMark(names map[tandem.LegID]int, id tandem.LegID) string {
	if names == nil {
		return ""
	}
	if n, ok := names[id]; ok {
		return fmt.Sprintf("[%d] ", n)
	}
	return "    "
}

// offset is the time since the interaction began, in a column of its own.
func offset(d time.Duration) string {
	if d >= time.Hour {
		return fmt.Sprintf("%3d:%02d:%06.3f", int(d.Hours()), int(d.Minutes())%60, (d % time.Minute).Seconds())
	}
	return fmt.Sprintf("%6d:%06.3f", int(d.Minutes()), (d % time.Minute).Seconds())
}

// eventLine says an event in a line.
func eventLine(e tandem.Event) string {
	if len(e.Data) == 0 || string(e.Data) == "null" {
		if words, ok := bareEvents[e.Kind]; ok {
			return words
		}
		return string(e.Kind) + " (erased)"
	}
	say, ok := eventWords[e.Kind]
	if !ok {
		return string(e.Kind) + " " + string(e.Data)
	}
	line, err := say(e.Data)
	if err != nil {
		return fmt.Sprintf("%s %s", e.Kind, e.Data)
	}
	return line
}

// bareEvents are the kinds without a payload.
var bareEvents = map[tandem.EventKind]string{
	tandem.EventLegAnswered: "answered",
}

// words makes a line from a payload of type T.
func words[T any](say func(T) string) func(json.RawMessage) (string, error) {
	return func(data json.RawMessage) (string, error) {
		var p T
		if err := json.Unmarshal(data, &p); err != nil {
			return "", err
		}
		return say(p), nil
	}
}

var eventWords = map[tandem.EventKind]func(json.RawMessage) (string, error){
	tandem.EventOpened: words(func(p tandem.Opened) string {
		return fmt.Sprintf("opened by %s: %s → %s, entry %s", p.Channel, p.From, p.To, p.Entry)
	}),
	tandem.EventClosed: words(func(p tandem.Closing) string {
		return fmt.Sprintf("closed: %s, %s", p.Outcome, p.Termination)
	}),
	tandem.EventLegStarted: words(func(p tandem.Leg) string {
		if p.Inbound {
			return fmt.Sprintf("%s leg in, %s", p.Kind, p.Role)
		}
		return fmt.Sprintf("%s leg out to %s, %s", p.Kind, p.To, p.Role)
	}),
	tandem.EventLegEnded: words(func(p tandem.Termination) string { return "leg ended: " + p.String() }),
	tandem.EventConsent: words(func(p tandem.Consent) string {
		return fmt.Sprintf("consent to %s: %s, asked %q", p.Kind, p.Answer, p.Text)
	}),
	tandem.EventVoicemail: words(func(p tandem.Recorded) string {
		return fmt.Sprintf("voicemail left in %s, %.1f s", p.Box, p.Seconds)
	}),
	tandem.EventRecorded: words(func(p tandem.Recorded) string { return fmt.Sprintf("recording kept, %.1f s", p.Seconds) }),
	tandem.EventTaskOpened: words(func(p tandem.Task) string {
		return fmt.Sprintf("task opened: %s in %s", p.Kind, p.Queue)
	}),
	tandem.EventDialled: words(func(p tandem.Dialled) string {
		if p.Trunk == "" {
			return "dialled " + p.To
		}
		return fmt.Sprintf("dialled %s by %s", p.To, p.Trunk)
	}),
	tandem.EventBlobOpened: words(func(p tandem.Audit) string { return "audit: somebody listened, because: " + p.Why }),
	tandem.EventErased:     words(func(p tandem.Audit) string { return "audit: the customer was erased, because: " + p.Why }),
	tandem.EventOutboxDone: words(func(p tandem.Delivery) string {
		return fmt.Sprintf("delivered %s, try %d", p.Key, p.Attempts)
	}),
	tandem.EventOutboxDead: words(func(p tandem.Delivery) string {
		return fmt.Sprintf("delivery of %s given up after %d tries: %s", p.Key, p.Attempts, p.Error)
	}),
	tandem.EventJournalGap: words(func(p tandem.Gap) string {
		return fmt.Sprintf("GAP: %d happenings lost from %s to %s: %s", p.Lost, p.From.Local().Format(time.TimeOnly), p.Until.Local().Format(time.TimeOnly), p.Cause)
	}),
	tandem.EventFlowStarted: words(func(p tandem.FlowRef) string { return fmt.Sprintf("flow %s, version %.12s", p.Flow, p.Hash) }),
	tandem.EventStep:        words(func(p tandem.StepEntered) string { return fmt.Sprintf("%s.%s (%s)", p.Flow, p.Step, p.Verb) }),
	tandem.EventOutcome: words(func(p tandem.StepLeft) string {
		line := fmt.Sprintf("%s.%s: %s → %s", p.Flow, p.Step, p.Outcome, p.Next)
		for _, name := range sortedKeys(p.Set) {
			value, err := json.Marshal(p.Set[name])
			if err != nil {
				value = []byte("?")
			}
			line += fmt.Sprintf(", %s = %s", name, value)
		}
		return line
	}),
	tandem.EventPrompt: words(func(p tandem.Prompted) string {
		heard := ""
		if !p.Heard {
			heard = fmt.Sprintf(" (cut after %.1f s)", float64(p.HeardMS)/1000)
		}
		return fmt.Sprintf("said “%s”%s", p.Text, heard)
	}),
	tandem.EventInput: words(func(p tandem.Pressed) string { return fmt.Sprintf("keyed %s (%s)", p.Keys, p.Via) }),
	tandem.EventHTTP: words(func(p tandem.Fetched) string {
		status := ""
		if p.Status != 0 {
			status = fmt.Sprintf(" %d", p.Status)
		}
		tries := ""
		if p.Tries > 1 {
			tries = fmt.Sprintf(", %d tries", p.Tries)
		}
		return fmt.Sprintf("%s %s:%s %s, %d ms%s", p.Method, p.URL, status, p.Outcome, p.MS, tries)
	}),
	tandem.EventFlowError: words(func(p tandem.FlowFault) string { return fmt.Sprintf("FLOW ERROR at %s: %s", p.Step, p.Message) }),
	tandem.EventFlowEnded: words(func(p tandem.FlowEnd) string { return "flow ended: " + p.Reason }),
	tandem.EventRecording: words(func(tandem.Recorded) string { return "recording begins" }),
	tandem.EventMedia: words(func(p tandem.MediaFigures) string {
		return fmt.Sprintf("audio: %d packets sent, %d received, %d lost, %d late, jitter %.0f ms", p.Sent, p.Received, p.Lost, p.Late, p.JitterMS)
	}),
	tandem.EventHold: words(func(p tandem.Held) string {
		if p.On {
			return fmt.Sprintf("put on hold by %s", p.By)
		}
		return fmt.Sprintf("taken off hold by %s", p.By)
	}),
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
