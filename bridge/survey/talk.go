package survey

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

// For how long an answer is waited for.
const (
	voiceTime = 8 * time.Second
	chatTime  = 3 * time.Minute
	smsTime   = 12 * time.Hour
)

// talk is the state of one talk: plain data, kept with the session and sealed with it.
type talk struct {
	Form    string         `json:"form"`
	Visit   string         `json:"visit"` // of the row, by which answers are kept
	Of      string         `json:"of"`    // the interaction they are about
	Step    string         `json:"step"`
	Channel tandem.Channel `json:"channel"`
	Lang    string         `json:"lang"`
	At      int            `json:"at"` // the field that is asked
	Try     int            `json:"try,omitempty"`
	Silent  int            `json:"silent,omitempty"` // in a row
	Answers map[string]any `json:"answers"`
	Alone   bool           `json:"alone,omitempty"` // nothing else is said in this conversation: it says what it is about
}

// move is what a talk does next: keep its answers, if save is set, and then turn.
type move struct {
	save    bool
	partial bool // there is more to ask
	turn    flow.Turn
}

// fields are the questions of a form that are asked at all.
func fields(form *flow.Form) []*flow.FormField {
	return form.Fields[:min(len(form.Fields), flow.MostQuestions)]
}

// next is the first field from one on that the channel can ask; len(all) if there is none.
func (t *talk) next(all []*flow.FormField, from int) int {
	for from < len(all) && !asks(t.Channel, all[from]) {
		from++
	}
	return from
}

// begin asks the first question that has no answer yet.
func (t *talk) begin(form *flow.Form) move {
	all := fields(form)
	after := 0
	for i, f := range all {
		if _, ok := t.Answers[f.Name]; ok {
			after = i + 1
		}
	}
	t.At = t.next(all, after)
	m := t.goOn(all, false)
	if t.Alone && after == 0 && m.turn.Done == nil {
		m.turn.Plays = append([]flow.Play{t.own("survey_intro")}, m.turn.Plays...)
	}
	return m
}

// heard goes on with what was entered, or with silence.
func (t *talk) heard(form *flow.Form, in flow.Input) move {
	all := fields(form)
	if t.At >= len(all) { // a form that has become shorter
		return t.over()
	}
	if in.Kind == flow.InputTimeout {
		if t.Silent++; t.Channel != tandem.Voice || t.Silent >= triesEach {
			return t.over()
		}
		return move{turn: t.wait(all[t.At], t.question(all[t.At])...)}
	}
	t.Silent = 0
	f := all[t.At]
	if value, ok := answer(t.Channel, f, in.Text); ok && !(f.Type.Kind == expression.Text && (stops(t.Channel, in.Text) || passes(in.Text))) {
		t.Answers[f.Name] = value
		t.At = t.next(all, t.At+1)
		return t.goOn(all, true)
	}
	if stops(t.Channel, in.Text) {
		return t.over()
	}
	if t.Try++; t.Try >= triesEach || passes(in.Text) {
		t.At = t.next(all, t.At+1)
		return t.goOn(all, t.At >= len(all) && len(t.Answers) > 0) // nothing new, but that it was all
	}
	return move{turn: t.wait(f, append(t.wrong(f), t.question(f)...)...)}
}

// goOn asks the field that it is at, or ends where there is none.
func (t *talk) goOn(all []*flow.FormField, save bool) move {
	t.Try, t.Silent = 0, 0
	if t.At >= len(all) {
		m := t.over()
		m.save = save
		return m
	}
	return move{save: save, partial: true, turn: t.wait(all[t.At], t.question(all[t.At])...)}
}

// over ends the talk. What was answered is kept already.
func (t *talk) over() move {
	outcome := "skipped"
	if len(t.Answers) > 0 {
		outcome = "done"
	}
	m := move{turn: flow.Turn{Done: &flow.Result{Outcome: outcome}}}
	if t.Alone && outcome == "done" {
		m.turn.Plays = []flow.Play{t.own("survey_thanks")}
	}
	return m
}

// own is a sentence of the program's own, as part of the step.
func (t *talk) own(name string) flow.Play {
	p := say(name, t.Lang)
	p.Step = t.Step
	return p
}

// question is a field as it is asked on the channel.
func (t *talk) question(f *flow.FormField) []flow.Play {
	q := ask(f.Ask, t.Lang)
	plays := []flow.Play{q}
	if t.Channel != tandem.Voice {
		return plays
	}
	switch text := flow.Text(q.Parts); f.Type.Kind {
	case expression.Bool:
		if !names(text, 2) {
			plays = append(plays, say("survey_yes_no", t.Lang))
		}
	case expression.Enum:
		if names(text, len(f.Type.Values)) {
			break
		}
		for i, v := range f.Type.Values {
			n := strconv.Itoa(i + 1)
			plays = append(plays, say("survey_choice", t.Lang, tandem.Part{Kind: tandem.PartText, Text: t.label(f, v)}, tandem.Part{Kind: tandem.PartDigits, Text: n, Value: n}))
		}
	}
	return plays
}

// names reports whether a question names the keys from 1 to n itself.
func names(text string, n int) bool {
	for i := 1; i <= n; i++ {
		if !strings.Contains(text, strconv.Itoa(i)) {
			return false
		}
	}
	return true
}

// label is what people read in the place of an enum's value.
func (t *talk) label(f *flow.FormField, value string) string {
	if s := flow.Text(ask(f.Labels[value], t.Lang).Parts); s != "" {
		return s
	}
	return value
}

// wrong says what an answer looks like.
func (t *talk) wrong(f *flow.FormField) []flow.Play {
	if f.Type.Kind == expression.Int && (f.Least != 0 || f.Most != 0) {
		return []flow.Play{say("survey_again_range", t.Lang, numberPart(f.Least), numberPart(f.Most))}
	}
	return []flow.Play{say("survey_again", t.Lang)}
}

// mostButtons is how many numbers of a range are buttons in a chat.
const mostButtons = 11

// wait says something and waits for the answer to a field.
func (t *talk) wait(f *flow.FormField, plays ...flow.Play) flow.Turn {
	turn := flow.Turn{Plays: plays, Wait: flow.Wait{Kind: flow.WaitListen, Step: t.Step}}
	for i := range turn.Plays {
		turn.Plays[i].Step = t.Step
	}
	yes, no, skip, stop := labels(t.Lang)
	switch t.Channel {
	case tandem.Voice:
		turn.Wait.Timeout, turn.Digits = voiceTime, keys(f)
		return turn
	case tandem.SMS:
		turn.Wait.Timeout = smsTime
	default:
		turn.Wait.Timeout = chatTime
	}
	option := func(keys, label string) {
		turn.Wait.Options = append(turn.Wait.Options, flow.Option{Keys: keys, Label: label})
	}
	switch f.Type.Kind {
	case expression.Bool:
		option("1", yes)
		option("2", no)
	case expression.Enum:
		for i, v := range f.Type.Values {
			option(strconv.Itoa(i+1), t.label(f, v))
		}
	case expression.Int:
		if t.Channel == tandem.Chat && f.Most > f.Least && f.Most-f.Least < mostButtons {
			for n := f.Least; n <= f.Most; n++ {
				option(strconv.Itoa(n), strconv.Itoa(n))
			}
		}
	}
	if t.Channel == tandem.Chat {
		if f.Optional {
			option("", skip)
		}
		option("", stop)
	}
	return turn
}

func (t *talk) encode() (json.RawMessage, error) {
	b, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("keeping the state of a survey: %w", err)
	}
	return b, nil
}

func decode(state json.RawMessage) (*talk, error) {
	t := &talk{}
	d := json.NewDecoder(bytes.NewReader(state))
	d.UseNumber()
	if err := d.Decode(t); err != nil {
		return nil, fmt.Errorf("reading the state of a survey: %w", err)
	}
	if t.Answers == nil {
		t.Answers = map[string]any{}
	}
	return t, nil
}
