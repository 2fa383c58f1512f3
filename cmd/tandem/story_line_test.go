package main

import (
	"strings"
	"testing"
	"time"

	"tandem"
)

func TestStoryTellsTheLine(t *testing.T) {
	due := time.Date(2026, 11, 22, 10, 2, 5, 0, time.Local)
	tests := []struct {
		kind    tandem.EventKind
		payload any
		want    string
	}{
		{tandem.EventTaskOpened, tandem.Task{Kind: tandem.TaskCall, Queue: "cards", Level: "gold", Skills: []string{"lang:en", "cards>=3"}, Priority: 30 * time.Second, Prefer: "anna", Due: due},
			"in line: call in cards, gold, wants lang:en, cards>=3, 30s ahead, kept for anna, due 2026-11-22 10:02:05"},
		{tandem.EventTaskChanged, tandem.TaskChanged{Kind: tandem.TaskChat, Queue: "cards", Due: due, Why: "moved"},
			"in line as chat in cards, due 2026-11-22 10:02:05: the customer goes on by another channel"},
		{tandem.EventTaskOffered, tandem.Offered{Agent: "anna", Deadline: due, Decision: tandem.Decision{Why: tandem.Words{En: "Anna is free the longest."}, Overflow: []string{"night"}, Relaxed: []string{"cards"},
			Not: []tandem.NotNow{{Reason: "skill", Detail: "lang:en", Count: 2}, {Reason: "away", Count: 1}}}},
			"offered to anna till 10:02:05: Anna is free the longest; not: 2 without the skill (lang:en), 1 away; helping out: night; asked for less: cards"},
		{tandem.EventTaskReturned, tandem.Returned{Agent: "anna", Why: "lapsed"}, "the offer to anna came to nothing, since nobody answered in time; it waits at its old place"},
		{tandem.EventTaskAssigned, tandem.Assigned{Agent: "ben", Waited: 32.4}, "ben takes it, 32 s after it arrived"},
		{tandem.EventTaskReleased, tandem.Released{Agent: "ben", Why: "transferred", Seconds: 200}, "ben has it no more after 3m20s: handed on"},
		{tandem.EventTaskWrapped, tandem.Wrapped{Agent: "ben", Seconds: 6, Late: true, Disposition: "solved"}, "ben is done with the notes after 6.0 s, when their time was over: solved"},
		{tandem.EventTaskDone, tandem.TaskOver{Agent: "ben", Outcome: "served"}, "task over: served by ben"},
		{tandem.EventTaskDone, tandem.TaskOver{Outcome: "left"}, "task over: the customer left"},
		{tandem.EventTicket, tandem.Ticket{Number: "12345678903", Form: "complaint", Due: due, Owner: "team:cards", Fields: map[string]any{"what": "late", "card": "4242"}},
			`ticket 123 4567 8903, form complaint, due 2026-11-22 10:02:05, team:cards: card = "4242", what = "late"`},
		{tandem.EventTicketChanged, tandem.TicketChanged{Status: "working", Owner: "agent:anna", Told: "soon"}, "ticket: working, goes to agent:anna, told the customer “soon”"},
		{tandem.EventSurvey, tandem.Surveyed{Form: "csat", Channel: tandem.SMS, Agent: "ben", Answers: map[string]any{"score": 5}, Partial: true}, "survey csat by sms, served by ben, not to its end: score = 5"},
		{tandem.EventSurvey, tandem.Surveyed{Form: "csat", Channel: tandem.SMS}, "survey csat by sms: nothing"},
		{tandem.EventNoted, tandem.Noted{Text: "calls back"}, "noted “calls back”"},
	}
	for _, test := range tests {
		e := tandem.NewEvent("i", "", time.Now(), test.kind, "system", test.payload)
		if got := eventLine(e); got != test.want {
			t.Errorf("%s is told as\n%s, want\n%s", test.kind, got, test.want)
		}
		e.Data = nil
		if got := eventLine(e); !strings.HasSuffix(got, "(erased)") {
			t.Errorf("%s of an erased person is told as %s", test.kind, got)
		}
	}
}
