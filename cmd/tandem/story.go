package main

import (
	"encoding/json"
	"fmt"
	"io"
	"sort"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
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
	erased := !s.Customer.Erased.IsZero()
	writeTalk(b, talkOf(s), i.Started)
	b.WriteString("\nWhat happened\n")
	if erased {
		b.WriteString("  it is erased with the customer; that remains:\n")
	}
	names, tell := legNames(s.Legs), &teller{verbs: map[string]string{}}
	for _, e := range s.Events {
		if erased && empty(e) || !empty(e) && ofTalk(e) {
			continue
		}
		fmt.Fprintf(b, "  %s  %s%s\n", offset(e.At.Sub(i.Started)), legMark(names, e.Leg), printable(tell.line(e)))
	}
	if len(s.Tasks) > 0 {
		b.WriteString("\nTasks\n")
		for _, t := range s.Tasks {
			fmt.Fprintf(b, "  %s\n", printable(taskLine(t, erased)))
		}
	}
	if all := keptOf(s); len(all) > 0 && !erased {
		b.WriteString("\nKept, encrypted\n")
		for _, k := range all {
			fmt.Fprintf(b, "  %s\n", printable(k.line()))
		}
		fmt.Fprintf(b, "  to listen or look: tandem interactions export %s --why REASON\n", string(i.Number))
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
	switch i.Outcome {
	case "":
	case flow.ReasonLeft:
		text += ", " + outcomeWords(i.Outcome)
	default:
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
	switch {
	case l.Kind == tandem.LegChat || l.Kind == tandem.LegSMS || l.Kind == tandem.LegLink: // there is nobody to pick up
		parts = append(parts, fmt.Sprintf("from %s", strings.TrimSpace(offset(l.Started.Sub(start)))))
	case l.Answered.IsZero():
		parts = append(parts, "not answered")
	default:
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

// outcomeWords says how a flow ended. That the caller left is not to be taken for a
// message that was left.
func outcomeWords(outcome string) string {
	if outcome == flow.ReasonLeft {
		return "the caller left"
	}
	return outcome
}

// taskLine says a task in a line. Of an erased person nobody is called back.
func taskLine(t tandem.Task, erased bool) string {
	line := taskName(t)
	if erased {
		return line + ", erased"
	}
	state := string(t.State)
	switch {
	case t.State == tandem.TaskDone && t.Outcome != "":
		state += " (" + oneOf(overWords, t.Outcome) + ")"
	case t.Agent != "":
		state += " to " + t.Agent
	}
	const form = "2006-01-02 15:04:05 -0700"
	arrived := t.Arrived.Local().Format(form)
	switch {
	case t.State != tandem.TaskDone:
		line += fmt.Sprintf(", %s, in line since %s", state, arrived)
	case t.Since.IsZero():
		line += fmt.Sprintf(", %s, was in line from %s", state, arrived)
	default:
		line += fmt.Sprintf(", %s, was in line from %s to %s", state, arrived, t.Since.Local().Format(form))
	}
	live := t.Kind == tandem.TaskCall || t.Kind == tandem.TaskChat || t.Kind == tandem.TaskText
	if t.Note != "" && !(live && t.State == tandem.TaskDone) { // of a live step it says that its flow waits
		line += ": " + t.Note
	}
	return line
}

func taskName(t tandem.Task) string {
	if t.Queue == "" {
		return string(t.Kind)
	}
	return fmt.Sprintf("%s in %s", t.Kind, t.Queue)
}

// teller tells events in their order, for some lines need what was before.
type teller struct {
	verbs     map[string]string // of the steps entered, by flow and step
	voicemail bool              // one was asked for
	kept      bool              // and is in its box
}

func (t *teller) line(e tandem.Event) string {
	switch e.Kind {
	case tandem.EventStep:
		if p, err := payload[tandem.StepEntered](e); err == nil {
			t.verbs[p.Flow+"."+p.Step] = p.Verb
			t.voicemail, t.kept = p.Verb == (*flow.Voicemail)(nil).Verb(), false
		}
	case tandem.EventVoicemail:
		t.kept = true
	case tandem.EventUpgrade:
		if p, err := payload[tandem.Upgraded](e); err == nil && !empty(e) {
			return upgradeLine(p, e.Actor)
		}
	case tandem.EventFlowError:
		return eventLine(e) + t.nothing()
	case tandem.EventOutcome:
		if p, err := payload[tandem.StepLeft](e); err == nil {
			p.Outcome = t.outcome(p)
			return stepLine(p) + t.nothing()
		}
	}
	return eventLine(e)
}

// outcome is a step's outcome in words: "left" is a message in its box after a voicemail,
// a name of the flow's own after a called flow, and else the caller.
func (t *teller) outcome(p tandem.StepLeft) string {
	verb := t.verbs[p.Flow+"."+p.Step]
	switch {
	case p.Outcome != flow.ReasonLeft, verb == (*flow.Subflow)(nil).Verb(), verb == (*flow.End)(nil).Verb():
		return p.Outcome
	case t.voicemail && t.kept:
		return "message left"
	}
	return outcomeWords(p.Outcome)
}

// nothing tells, once, that a voicemail came to nothing.
func (t *teller) nothing() string {
	lost := t.voicemail && !t.kept
	t.voicemail = false
	if lost {
		return " (voicemail: nothing kept)"
	}
	return ""
}

func payload[T any](e tandem.Event) (p T, err error) {
	return p, json.Unmarshal(e.Data, &p)
}

// empty reports whether an event has no payload, as all of an erased person's.
func empty(e tandem.Event) bool { return len(e.Data) == 0 || string(e.Data) == "null" }

// eventLine says an event in a line.
func eventLine(e tandem.Event) string {
	if empty(e) {
		if words, ok := bareEvents[e.Kind]; ok {
			return words
		}
		return string(e.Kind) + " (erased)"
	}
	say, ok := sentence(e.Kind)
	if !ok {
		return string(e.Kind) + " " + string(e.Data)
	}
	line, err := say(e.Data)
	if err != nil {
		return fmt.Sprintf("%s %s", e.Kind, e.Data)
	}
	return line
}

// sentence is what makes a line of the payload of an event.
func sentence(k tandem.EventKind) (say func(json.RawMessage) (string, error), ok bool) {
	for _, some := range []map[tandem.EventKind]func(json.RawMessage) (string, error){eventWords, textEventWords, lineEventWords, roomEventWords, faceEventWords} {
		if say, ok = some[k]; ok {
			return say, true
		}
	}
	return nil, false
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
		return fmt.Sprintf("closed: %s, %s", outcomeWords(p.Outcome), p.Termination)
	}),
	tandem.EventLegStarted: words(func(p tandem.Leg) string {
		if p.Inbound {
			return fmt.Sprintf("%s leg in, %s", p.Kind, p.Role)
		}
		return fmt.Sprintf("%s leg out to %s, %s", p.Kind, p.To, p.Role)
	}),
	tandem.EventLegEnded: words(func(p tandem.Termination) string { return "leg ended: " + p.String() }),
	tandem.EventConsent: words(func(p tandem.Consent) string {
		to := p.Kind
		if p.Check != "" {
			to = "the identity check"
		}
		return fmt.Sprintf("consent to %s: %s, asked %q", to, p.Answer, p.Text)
	}),
	tandem.EventVoicemail: words(func(p tandem.Recorded) string {
		return fmt.Sprintf("voicemail left in %s, %.1f s", p.Box, p.Seconds)
	}),
	tandem.EventTaken: words(func(p tandem.Recorded) string { return fmt.Sprintf("the customer recorded, %.1f s", p.Seconds) }),
	tandem.EventRecorded: words(func(p tandem.Recorded) string {
		line := fmt.Sprintf("recording%s kept, %.1f s", oneOf(showsWords, p.Shows), p.Seconds)
		if p.Cut {
			line += ", cut by the end of the program"
		}
		return line
	}),
	tandem.EventDialled: words(func(p tandem.Dialled) string {
		if p.Trunk == "" {
			return "dialled " + p.To
		}
		return fmt.Sprintf("dialled %s by %s", p.To, p.Trunk)
	}),
	tandem.EventBlobOpened: words(func(p tandem.Audit) string { return "audit: somebody listened or looked, because: " + p.Why }),
	tandem.EventErased:     words(func(p tandem.Audit) string { return "audit: the customer was erased, because: " + p.Why }),
	tandem.EventOutboxDone: words(func(p tandem.Delivery) string {
		return fmt.Sprintf("delivered %s, try %d", p.Key, p.Attempts)
	}),
	tandem.EventOutboxDead: words(func(p tandem.Delivery) string {
		return fmt.Sprintf("delivery of %s given up after %s: %s", p.Key, counted(p.Attempts, "try"), p.Error)
	}),
	tandem.EventJournalGap: words(func(p tandem.Gap) string {
		return fmt.Sprintf("GAP: %s lost from %s to %s: %s", counted(p.Lost, "happening"), p.From.Local().Format(time.TimeOnly), p.Until.Local().Format(time.TimeOnly), p.Cause)
	}),
	tandem.EventFlowStarted: words(func(p tandem.FlowRef) string { return fmt.Sprintf("flow %s, version %.12s", p.Flow, p.Hash) }),
	tandem.EventStep:        words(func(p tandem.StepEntered) string { return fmt.Sprintf("%s.%s (%s)", p.Flow, p.Step, p.Verb) }),
	tandem.EventOutcome:     words(stepLine),
	tandem.EventPrompt: words(func(p tandem.Prompted) string {
		heard := ""
		switch {
		case p.Heard:
		case p.HeardMS < 50:
			heard = " (not heard)"
		default:
			heard = fmt.Sprintf(" (cut after %.1f s)", float64(p.HeardMS)/1000)
		}
		return fmt.Sprintf("said “%s”%s", p.Text, heard)
	}),
	tandem.EventInput: words(func(p tandem.Pressed) string {
		if p.Via == "text" {
			return fmt.Sprintf("wrote “%s”", p.Keys)
		}
		return fmt.Sprintf("keyed %s (%s)", p.Keys, p.Via)
	}),
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
	tandem.EventFlowEnded: words(func(p tandem.FlowEnd) string { return "flow ended: " + outcomeWords(p.Reason) }),
	tandem.EventRecording: words(func(p tandem.Recorded) string { return "recording" + oneOf(showsWords, p.Shows) + " begins" }),
	tandem.EventMedia: words(func(p tandem.MediaFigures) string {
		return figuresLine(p)
	}),
	tandem.EventHold: words(func(p tandem.Held) string {
		if p.On {
			return fmt.Sprintf("put on hold by %s", p.By)
		}
		return fmt.Sprintf("taken off hold by %s", p.By)
	}),
}

// stepLine says how a step ended, and what it set.
func stepLine(p tandem.StepLeft) string {
	line := fmt.Sprintf("%s.%s: %s", p.Flow, p.Step, p.Outcome)
	if p.Next != "" {
		line += " → " + p.Next
	}
	for _, name := range sortedKeys(p.Set) {
		value, err := json.Marshal(p.Set[name])
		if err != nil {
			value = []byte("?")
		}
		line += fmt.Sprintf(", %s = %s", name, value)
	}
	return line
}

// figuresLine says what became of a leg's audio, each packet 20 ms of it.
func figuresLine(p tandem.MediaFigures) string {
	line := fmt.Sprintf("audio: %d packets sent, %d received, %d lost, %d late, jitter %.0f ms", p.Sent, p.Received, p.Lost, p.Late, p.JitterMS)
	if p.RemoteLost > 0 {
		line += fmt.Sprintf("; the far end missed %d", p.RemoteLost)
	}
	if p.RoundTripMS > 0 {
		line += fmt.Sprintf("; %.0f ms there and back", p.RoundTripMS)
	}
	if p.Strangers > 0 {
		line += fmt.Sprintf("; %d of strangers dropped", p.Strangers)
	}
	return line
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
