package survey

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"tandem"
	"tandem/ivr/flow"
)

func answers(m map[string]any) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, fmt.Sprintf("%s=%v", k, m[k]))
	}
	return strings.Join(out, " ")
}

func TestTalk(t *testing.T) {
	const notes = "For yes, press 1. For no, press 2."
	for _, test := range []struct {
		name    string
		channel tandem.Channel
		lang    string
		form    string
		entries []string
		said    []string // nil = not looked at
		outcome string
		answers string
		partial bool
		events  int
	}{
		{name: "a call", channel: tandem.Voice, lang: "en", form: "every", entries: []string{"5", "1", "2"},
			said:    []string{"How was it, from 1 to 5?", "Would you call again? " + notes, "What was best? For How fast it was, press 1. For manner, press 2.", ""},
			outcome: "done", answers: "again=true best=manner score=5", events: 3},
		{name: "a chat", channel: tandem.Chat, lang: "en", form: "every", entries: []string{"4", "Yes", "How fast it was", "Thank you & bye <b>"},
			said: []string{"How was it, from 1 to 5? [1 1] [2 2] [3 3] [4 4] [5 5] [ Quit]", "Would you call again? [1 Yes] [2 No] [ Quit]",
				"What was best? [1 How fast it was] [2 manner] [ Quit]", "Anything else? [ Skip] [ Quit]", ""},
			outcome: "done", answers: "again=true best=speed score=4 words=Thank you & bye <b>", events: 4},
		{name: "texts in Chinese", channel: tandem.SMS, lang: "zh-CN", form: "every", entries: []string{"五分", "是", "速度", "跳过"},
			said:    []string{"请用1到5评分。", "您还会再来吗？ [1 是] [2 否]", "最满意的是？ [1 速度] [2 manner]", "还有别的吗？", ""},
			outcome: "done", answers: "again=true best=speed score=5", events: 4},
		{name: "wrong twice", channel: tandem.Voice, lang: "en", form: "every", entries: []string{"9", "0", "2"},
			said:    []string{"How was it, from 1 to 5?", "Please answer with a number from 1 to 5. How was it, from 1 to 5?", "Would you call again? " + notes, "What was best? For How fast it was, press 1. For manner, press 2."},
			outcome: "", answers: "again=false", partial: true, events: 1},
		{name: "the last is passed over", channel: tandem.Voice, lang: "en", form: "every", entries: []string{"3", "2", "9", "9"}, outcome: "done", answers: "again=false score=3", events: 3},
		{name: "all is passed over", channel: tandem.Voice, lang: "en", form: "score", entries: []string{"99", "98"}, outcome: "skipped"},
		{name: "silence on voice", channel: tandem.Voice, lang: "en", form: "every", entries: []string{"5", "", ""}, outcome: "done", answers: "score=5", partial: true, events: 1},
		{name: "silence, then an answer", channel: tandem.Voice, lang: "en", form: "score", entries: []string{"", "10"}, outcome: "done", answers: "score=10", events: 1},
		{name: "nothing but silence", channel: tandem.Voice, lang: "en", form: "every", entries: []string{"", ""}, outcome: "skipped"},
		{name: "silence in a chat", channel: tandem.Chat, lang: "en", form: "every", entries: []string{""}, outcome: "skipped"},
		{name: "the star ends it", channel: tandem.Voice, lang: "en", form: "every", entries: []string{"4", "*"}, outcome: "done", answers: "score=4", partial: true, events: 1},
		{name: "a word ends it", channel: tandem.SMS, lang: "en", form: "every", entries: []string{"Quit."}, outcome: "skipped"},
		{name: "a word ends a text", channel: tandem.Chat, lang: "en", form: "every", entries: []string{"1", "2", "2", "no thanks"}, outcome: "done", answers: "again=false best=manner score=1", partial: true, events: 3},
		{name: "a language that the form has not", channel: tandem.Chat, lang: "fr", form: "score", entries: []string{"7"}, said: []string{
			"How likely, from 0 to 10? [0 0] [1 1] [2 2] [3 3] [4 4] [5 5] [6 6] [7 7] [8 8] [9 9] [10 10] [ Quit]", ""}, outcome: "done", answers: "score=7", events: 1},
		{name: "hostile", channel: tandem.Chat, lang: "en", form: "every", entries: []string{"5\x00", "${x}", "'; DROP TABLE survey; --", "\u202e5", "2", "a\x1b[31mb", strings.Repeat("长", 2001)},
			outcome: "done", answers: "best=manner", events: 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHouse(t).on(test.channel, test.lang)
			said, outcome := h.talk(h.effect(test.form), test.entries...)
			if test.said != nil && !slices.Equal(said, test.said) {
				t.Errorf("said\n  %s\nwant\n  %s", strings.Join(said, "\n  "), strings.Join(test.said, "\n  "))
			}
			last, events := h.kept()
			if outcome != test.outcome || answers(last.Answers) != test.answers || last.Partial != test.partial || events != test.events {
				t.Errorf("%q, %q partial %t in %d events; want %q, %q partial %t in %d", outcome, answers(last.Answers), last.Partial, events, test.outcome, test.answers, test.partial, test.events)
			}
			if events > 0 && (last.Form != test.form || last.Channel != test.channel || last.Visit != "f/rate#1") {
				t.Errorf("%+v", last)
			}
		})
	}
}

func TestDigits(t *testing.T) {
	h := newHouse(t)
	for form, want := range map[string]int{"every": 1, "score": 2} {
		e := h.effect(form)
		e.Key = form
		turn, err := h.Begin(t.Context(), h.who, h.session(), h.lib, e)
		h.must(err)
		if turn.Digits != want || turn.Wait.Timeout != voiceTime || turn.Wait.Kind != flow.WaitListen || turn.Wait.Secret {
			t.Errorf("%s: %+v", form, turn)
		}
	}
}

// Who hangs up, or moves to another channel, goes on where they were; nothing is asked or
// kept twice.
func TestGoesOn(t *testing.T) {
	h := newHouse(t)
	_, outcome := h.talk(h.effect("every"), "5", "1")
	if outcome != "" {
		t.Fatal(outcome)
	}
	h.on(tandem.Chat, "en")
	said, outcome := h.talk(h.effect("every"), "2", "All well.")
	if said[0] != "What was best? [1 How fast it was] [2 manner] [ Quit]" || outcome != "done" {
		t.Errorf("%q %q", said, outcome)
	}
	if last, events := h.kept(); answers(last.Answers) != "again=true best=manner score=5 words=All well." || last.Partial || events != 4 {
		t.Errorf("%+v in %d events", last, events)
	}
	// The flow asks again, since a crash came before it heard.
	said, outcome = h.talk(h.effect("every"))
	if said[0] != "" || outcome != "done" {
		t.Errorf("%q %q", said, outcome)
	}
	// Another visit of the step is another survey.
	e := h.effect("every")
	e.Key = "f/rate#2"
	if said, _ = h.talk(e, "1"); !strings.HasPrefix(said[0], "How was it") {
		t.Errorf("%q", said)
	}
	all, err := h.Of(t.Context(), h.call.ID)
	if err != nil || len(all) != 2 || all[0].State != "answered" || all[0].Partial || !all[1].Partial || answers(all[1].Answers) != "score=1" || all[0].Channel != tandem.Chat {
		t.Errorf("%+v %v", all, err)
	}
}

// A form that was changed under a running talk is no panic.
func TestChangedForm(t *testing.T) {
	h := newHouse(t)
	turn, err := h.Begin(t.Context(), h.who, h.session(), h.lib, h.effect("every"))
	h.must(err)
	turn = h.hear(turn, "5")
	short := *h.lib.Forms["every"]
	short.Fields = short.Fields[:1]
	h.lib.Forms["every"] = &short
	if turn = h.hear(turn, "1"); turn.Done == nil || turn.Done.Outcome != "done" {
		t.Errorf("%+v", turn)
	}
	delete(h.lib.Forms, "every")
	if _, err := h.Hear(t.Context(), h.who, h.lib, json.RawMessage(`{"form":"every"}`), flow.Input{}); err == nil {
		t.Error("no error")
	}
}

func FuzzRead(f *testing.F) {
	lib := library(f)
	for _, s := range []string{"5", "五分", "yes", "1.5", "-5", "5 stars", "12345678901234567890", "\xff", ""} {
		f.Add(s, uint8(0), true)
	}
	f.Fuzz(func(t *testing.T, s string, n uint8, voice bool) {
		channel := tandem.Chat
		if voice {
			channel = tandem.Voice
		}
		field := lib.Forms["every"].Fields[int(n)%4]
		value, ok := answer(channel, field, s)
		if i, number := value.(int); number && (i < field.Least || i > field.Most) {
			t.Errorf("%q is %d", s, i)
		}
		if ok && value == nil {
			t.Errorf("%q is nothing", s)
		}
		if _, err := json.Marshal(value); err != nil {
			t.Error(err)
		}
		stops(channel, s)
		passes(s)
	})
}

func TestNumbers(t *testing.T) {
	for s, want := range map[string]int{"4": 4, "４": 4, "4 stars": 4, "4!": 4, "五": 5, "5分": 5, "three": 3, "十分": 10, "-3": -3} {
		if n, ok := number(flow.Fold(s), tandem.Chat); !ok || n != want {
			t.Errorf("%q is %d %t", s, n, ok)
		}
	}
	for _, s := range []string{"4 of 5", "4.5", "x", "", "1e3", "99999999999999999999"} {
		if n, ok := number(flow.Fold(s), tandem.Chat); ok {
			t.Errorf("%q is %d", s, n)
		}
	}
}
