package identity

import (
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// Bounds of what the service asks.
const (
	maxQuestions = 5
	maxQuestion  = 300 // bytes of a question's text in one language
	maxAnswer    = 200 // bytes
	maxPIN       = 12  // digits
)

// choose takes the first method that is possible. Where none is, a limit or a service
// that was in the way is told; otherwise the flow says the rest.
func (t talk) choose() (talk, step) {
	for len(t.By) > 0 {
		t.Method, t.By = t.By[0], t.By[1:]
		switch {
		case t.Method == flow.ByCode && len(t.Can.To) > 0:
			t.Stage = askCode
			return t.sendTo(t.Can.To[0])
		case t.Method == flow.ByCode && t.Channel == tandem.Chat && !t.Refused:
			t.Stage = askPhone
			return t, t.ask(t.say("identity_phone_ask", ""))
		case t.Method == flow.ByPIN && t.Can.Service:
			t.Stage = askPIN
			return t, t.ask(t.say("identity_pin_ask", ""))
		case t.Method == flow.ByQuestions && t.Can.Service:
			t.Stage = askQuestion
			return t, step{order: orderQuestions{}}
		}
	}
	t.Method = ""
	switch {
	case t.Down:
		return t, t.over("failed", t.say("identity_unavailable", ""))
	case t.Refused:
		return t, t.over("failed", t.say("identity_too_many", ""))
	}
	return t, t.over("unsupported")
}

func (t talk) heardPhone(entry string) (talk, step) {
	number, ok := phone(t.Country, entry)
	if !ok {
		return t.missed(t.say("identity_phone_again", ""))
	}
	return t.sendTo(target{Identity: tandem.Identity{Kind: tandem.IdentityPhone, Value: number}, Typed: true})
}

func (t talk) sendTo(to target) (talk, step) {
	t.To = to
	return t, step{order: orderSend{to}}
}

// onSent goes on after a code was sent, or was not. A typed number that takes none may be
// replaced by another; instead of a number of the customer's own the next one is tried,
// then the next method.
func (t talk) onSent(now time.Time, a sent) (talk, step) {
	switch {
	case (a.Refused || a.Cannot) && t.Sent > 0:
		return t.missed(t.say("identity_code_no_more", ""))
	case a.Refused:
		t.Refused = true
		return t.choose()
	case a.Cannot && t.Stage == askPhone:
		return t.missed(t.say("identity_phone_elsewhere", ""))
	case a.Cannot:
		if t.Can.To = t.Can.To[1:]; len(t.Can.To) > 0 {
			return t.sendTo(t.Can.To[0])
		}
		t.Refused = true // a customer whose number is known may not name another
		return t.choose()
	}
	t.Stage, t.Check, t.SentAt, t.Missed = askCode, a.Check, now, 0
	t.Sent++
	if t.To.Kind == tandem.IdentityEmail {
		return t, t.ask(t.say("identity_code_mailed", ""))
	}
	return t, t.ask(t.say("identity_code_sent", ending(t.To.Value)))
}

// heardCode takes a code, or the wish for another.
func (t talk) heardCode(in flow.Input) (talk, step) {
	if again(in.Text) {
		switch {
		case t.Sent >= codesPerTalk:
			return t.missed(t.say("identity_code_no_more", ""))
		case in.At.Sub(t.SentAt) < resendAfter:
			return t.missed(t.say("identity_code_too_soon", ""))
		case t.Stage == askReturn:
			return t, step{order: orderFind{}}
		}
		return t, step{order: orderSend{t.To}}
	}
	code, ok := digits(in.Text, codeDigits)
	if !ok {
		return t.missed(t.say("identity_code_ask", ""))
	}
	t.Missed = 0
	if t.Stage == askReturn {
		return t, step{order: orderReturn{code}}
	}
	return t, step{order: orderCheck{code}}
}

func (t talk) heardPIN(entry string) (talk, step) {
	pin, ok := digits(entry, 0)
	if !ok || len(pin) > maxPIN {
		return t.missed(t.question())
	}
	t.Missed = 0
	return t, step{order: orderPIN{pin}}
}

// onChecked goes on after a code, a PIN or all answers were held against what is right.
func (t talk) onChecked(a checked) (talk, step) {
	switch {
	case a.Down:
		t.Down = true
		return t.choose()
	case a.OK && t.Stage == askReturn:
		return t.goOn(tandem.Verified)
	case a.OK && t.Stage == askCode && !t.To.Checked:
		return t, step{order: orderProve{}}
	case a.OK && t.Stage != askCode:
		t.To = target{Identity: tandem.Identity{Kind: tandem.IdentityPhone, Value: a.Phone}}
		return t.passed()
	case a.OK:
		return t.passed()
	case a.Locked:
		return t, t.over("failed", t.say("identity_locked", ""))
	}
	t.Wrong++
	switch {
	case a.Over || t.Wrong >= wrongPerTalk:
		return t.fail()
	case t.Stage == askPIN:
		return t, t.ask(t.say("identity_pin_wrong", ""))
	case t.Stage == askQuestion:
		t.Answers = nil
		return t, step{order: orderQuestions{}}
	}
	return t, t.ask(t.say("identity_code_wrong", ""))
}

// onTied ends with what now belongs together: nobody is bound without a word.
func (t talk) onTied(a tied) (talk, step) {
	var plays []flow.Play
	last := ending(t.To.Value)
	switch {
	case a.Bound:
		plays = append(plays, t.say("identity_bound", last))
	case a.Known && t.To.Kind == tandem.IdentityPhone:
		plays = append(plays, t.say("identity_known", last))
	}
	if a.Merged {
		plays = append(plays, t.say("identity_merged", ""))
	}
	t, s := t.passed(plays...)
	if a.Customer != "" {
		s.turn.Done.Value = string(a.Customer)
	}
	return t, s
}

// onAsked begins with the service's questions, if this channel can take the answers.
func (t talk) onAsked(a asked) (talk, step) {
	if a.Down || len(a.Questions) > maxQuestions {
		t.Down = true
		return t.choose()
	}
	if len(a.Questions) == 0 {
		if t.Wrong > 0 { // it asks nothing more after what was wrong
			return t.fail()
		}
		return t.choose()
	}
	for _, q := range a.Questions {
		if q.Type != "digits" && (q.Type != "text" || t.Channel == tandem.Voice) {
			return t.choose()
		}
		if text := q.text(t.Lang); text == "" || len(text) > maxQuestion {
			t.Down = true
			return t.choose()
		}
	}
	t.Form, t.Questions, t.Answers = a.Form, a.Questions, nil
	if t.Wrong > 0 {
		return t, t.ask(t.say("identity_question_wrong", ""), t.nextQuestion())
	}
	return t, t.ask(t.nextQuestion())
}

// text is a question in the customer's language, else in English, else in whatever
// language it has.
func (q question) text(lang string) string {
	for _, l := range []string{lang, spoken(lang), "en", "zh-CN"} {
		if q.Text[l] != "" {
			return q.Text[l]
		}
	}
	return ""
}

// nextQuestion is the first that has no answer yet.
func (t talk) nextQuestion() flow.Play {
	q := t.Questions[len(t.Answers)]
	p := flow.Play{Step: t.Step, Name: "identity_question", Lang: spoken(t.Lang), BargeIn: flow.BargeDTMF}
	p.Parts = []tandem.Part{{Kind: tandem.PartText, Text: q.text(t.Lang)}}
	return p
}

func (t talk) heardAnswer(entry string) (talk, step) {
	answer, ok := digits(entry, 0)
	if t.Questions[len(t.Answers)].Type == "text" {
		answer = strings.TrimSpace(entry)
		ok = answer != ""
	}
	if !ok || len(answer) > maxAnswer {
		return t.missed(t.say("identity_question_again", ""))
	}
	t.Missed = 0
	t.Answers = append(t.Answers[:len(t.Answers):len(t.Answers)], answer)
	if len(t.Answers) < len(t.Questions) {
		return t, t.ask(t.nextQuestion())
	}
	return t, step{order: orderAnswers{}}
}
