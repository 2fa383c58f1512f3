package main

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"tandem"
)

// lineEventWords say what happened in line: offers with their reason, who served, work
// orders and surveys.
var lineEventWords = map[tandem.EventKind]func(json.RawMessage) (string, error){
	tandem.EventTaskOpened:  words(openedLine),
	tandem.EventTaskChanged: words(changedLine),
	tandem.EventTaskOffered: words(offeredLine),
	tandem.EventTaskReturned: words(func(p tandem.Returned) string {
		return fmt.Sprintf("the offer to %s came to nothing, %s; it waits at its old place", p.Agent, oneOf(returnWords, p.Why))
	}),
	tandem.EventTaskAssigned: words(func(p tandem.Assigned) string {
		return fmt.Sprintf("%s takes it, %s after it arrived", p.Agent, lengthOf(p.Waited))
	}),
	tandem.EventTaskReleased: words(func(p tandem.Released) string {
		return fmt.Sprintf("%s has it no more after %s: %s", p.Agent, lengthOf(p.Seconds), oneOf(releaseWords, p.Why))
	}),
	tandem.EventTaskWrapped: words(func(p tandem.Wrapped) string {
		line := fmt.Sprintf("%s is done with the notes after %s", p.Agent, lengthOf(p.Seconds))
		if p.Late {
			line += ", when their time was over"
		}
		if p.Disposition != "" {
			line += ": " + p.Disposition
		}
		return line
	}),
	tandem.EventTaskDone: words(func(p tandem.TaskOver) string {
		line := "task over: " + oneOf(overWords, p.Outcome)
		if p.Agent != "" && p.Outcome == tandem.OutcomeServed {
			line += " by " + p.Agent
		}
		return line
	}),
	tandem.EventTicket:        words(ticketLine),
	tandem.EventTicketChanged: words(ticketChangedLine),
	tandem.EventSurvey: words(func(p tandem.Surveyed) string {
		line := fmt.Sprintf("survey %s by %s", p.Form, p.Channel)
		if p.Agent != "" {
			line += ", served by " + p.Agent
		}
		if p.Partial {
			line += ", not to its end"
		}
		return line + ":" + fieldWords(p.Answers)
	}),
	tandem.EventNoted: words(func(p tandem.Noted) string { return fmt.Sprintf("noted “%s”", p.Text) }),
}

// Words of why and how, by the words of the journal.
var (
	changeWords = map[string]string{
		"moved": "the customer goes on by another channel", "callback": "the customer is to be called", "transfer": "it is handed on", "overflow": "others help out",
		"priority": "its head start is another", "escalated": "its deadline passed", "crash": "the call was cut off by a crash of the server",
	}
	returnWords = map[string]string{
		"lapsed": "since nobody answered in time", "declined": "since it was declined", "unreachable": "since the phone could not be rung",
		"restart": "since the server started anew", "gone": "since the task changed or ended",
	}
	releaseWords = map[string]string{
		"done": "done", "handed_back": "handed back to the line", "transferred": "handed on", "left": "the customer left",
		"moved": "the customer went on by another channel", "crash": "cut off by a crash of the server", "lost": "the agent's phone was lost",
	}
	overWords = map[string]string{
		tandem.OutcomeServed: "served", tandem.OutcomeLeft: "the customer left", tandem.OutcomeMaxWait: "it waited as long as it may",
		tandem.OutcomeUnreached: "nobody answered the callback", tandem.OutcomeRefused: "the number may not be called",
		tandem.OutcomeClosed: "closed by a supervisor", tandem.OutcomeMoved: "another task goes on in its place",
	}
	notNowWords = map[string]string{
		"team": "of other teams", "skill": "without the skill", "offline": "offline", "away": "away", "unreachable": "not reachable", "offered": "with an offer",
		"capacity": "at capacity", "blocked": "blocked by other work", "wrap_up": "writing notes", "held_for_other": "as it is kept for another", "declined": "who let it pass",
	}
)

// oneOf is the words of a word; one that is not known is shown as it is.
func oneOf(list map[string]string, word string) string {
	if text, ok := list[word]; ok {
		return text
	}
	return word
}

// lengthOf says a number of seconds.
func lengthOf(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d < 10*time.Second {
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	if d < time.Minute {
		return fmt.Sprintf("%.0f s", d.Seconds())
	}
	return d.Round(time.Second).String()
}

func openedLine(p tandem.Task) string {
	line := "in line: " + taskName(p)
	if p.Level != "" {
		line += ", " + p.Level
	}
	if len(p.Skills) > 0 {
		line += ", wants " + strings.Join(p.Skills, ", ")
	}
	if p.Priority != 0 {
		line += fmt.Sprintf(", %s ahead", p.Priority)
	}
	if p.Prefer != "" {
		line += ", kept for " + p.Prefer
	}
	if !p.NotBefore.IsZero() {
		line += ", not before " + p.NotBefore.Local().Format(time.DateTime)
	}
	if !p.Due.IsZero() {
		line += ", due " + p.Due.Local().Format(time.DateTime)
	}
	return line
}

func changedLine(p tandem.TaskChanged) string {
	line := "in line as " + taskName(tandem.Task{Kind: p.Kind, Queue: p.Queue})
	if !p.Due.IsZero() {
		line += ", due " + p.Due.Local().Format(time.DateTime)
	}
	return line + ": " + oneOf(changeWords, p.Why)
}

// offeredLine says who is offered a task, why them, and why not others.
func offeredLine(p tandem.Offered) string {
	d := p.Decision
	line := fmt.Sprintf("offered to %s till %s", p.Agent, p.Deadline.Local().Format(time.TimeOnly))
	if d.Why.En != "" {
		line += ": " + strings.TrimSuffix(d.Why.En, ".")
	}
	var not []string
	for _, n := range d.Not {
		text := fmt.Sprintf("%d %s", n.Count, oneOf(notNowWords, n.Reason))
		if n.Detail != "" {
			text += " (" + n.Detail + ")"
		}
		not = append(not, text)
	}
	if len(not) > 0 {
		line += "; not: " + strings.Join(not, ", ")
	}
	if len(d.Overflow) > 0 {
		line += "; helping out: " + strings.Join(d.Overflow, ", ")
	}
	if len(d.Relaxed) > 0 {
		line += "; asked for less: " + strings.Join(d.Relaxed, ", ")
	}
	return line
}

func ticketLine(p tandem.Ticket) string {
	line := fmt.Sprintf("ticket %s, form %s, due %s", p.Number, p.Form, p.Due.Local().Format(time.DateTime))
	if p.Owner != "" {
		line += ", " + p.Owner
	}
	return line + ":" + fieldWords(p.Fields)
}

func ticketChangedLine(p tandem.TicketChanged) string {
	var parts []string
	add := func(format, value string) {
		if value != "" {
			parts = append(parts, fmt.Sprintf(format, value))
		}
	}
	add("%s", p.Status)
	add("goes to %s", p.Owner)
	if !p.Due.IsZero() {
		add("due %s", p.Due.Local().Format(time.DateTime))
	}
	add("noted “%s”", p.Note)
	add("told the customer “%s”", p.Told)
	add("because: %s", p.Why)
	return "ticket: " + strings.Join(parts, ", ")
}

// fieldWords lists what was filled in.
func fieldWords(fields map[string]any) string {
	if len(fields) == 0 {
		return " nothing"
	}
	line := ""
	for i, name := range sortedKeys(fields) {
		value, err := json.Marshal(fields[name])
		if err != nil {
			value = []byte("?")
		}
		if i > 0 {
			line += ","
		}
		line += fmt.Sprintf(" %s = %s", name, value)
	}
	return line
}
