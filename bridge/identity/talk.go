package identity

import (
	"encoding/json"
	"fmt"
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// Bounds of a talk.
const (
	codeDigits   = 6
	codeLife     = 5 * time.Minute
	codesPerTalk = 3
	resendAfter  = time.Minute // from one code of a talk to the next
	wrongPerTalk = 3           // wrong codes or PINs, or sets of answers
	maxMissed    = 3           // silences and entries that are none, in a row
	// A caller has to find the text message and read it: silence is borne longer, since
	// on voice it is only voiceTime long.
	maxMissedReading = 6

	voiceTime = 8 * time.Second
	chatTime  = 3 * time.Minute
	smsTime   = 30 * time.Minute
)

// stage is what a talk asks for.
type stage string

const (
	askPhone    stage = "phone"
	askCode     stage = "code"
	askPIN      stage = "pin"
	askQuestion stage = "question"
	askNumber   stage = "number"      // of an earlier interaction
	askReturn   stage = "return_code" // to go on with it
)

// talk is the state of one talk: plain data, kept with the session and sealed with it.
// It holds no code and no PIN; answers to questions stay until the last is given.
type talk struct {
	Stage   stage            `json:"stage,omitempty"`
	Channel tandem.Channel   `json:"channel"`
	Country string           `json:"country"` // prefix of numbers typed without one
	Step    string           `json:"step"`
	Lang    string           `json:"lang"`
	Level   tandem.Assurance `json:"level,omitempty"`
	By      []string         `json:"by,omitempty"`     // methods that are still to be considered
	Method  string           `json:"method,omitempty"` // the one under way
	Can     known            `json:"can,omitzero"`
	Missed  int              `json:"missed,omitempty"`
	Wrong   int              `json:"wrong,omitempty"`
	Refused bool             `json:"refused,omitempty"` // a limit made a method impossible
	Down    bool             `json:"down,omitempty"`    // the service did

	// Of a code.
	Check  CheckID   `json:"check,omitempty"`
	To     target    `json:"to,omitzero"` // where it went
	Sent   int       `json:"sent,omitempty"`
	SentAt time.Time `json:"sent_at,omitzero"`

	// Of questions.
	Form      string     `json:"form,omitempty"`
	Questions []question `json:"questions,omitempty"`
	Answers   []string   `json:"answers,omitempty"`

	// Of going on with an earlier interaction. Target is empty where there is none to go
	// on with, and the customer is not to notice.
	Number tandem.Number        `json:"number,omitempty"`
	Target tandem.InteractionID `json:"target,omitempty"`
}

// target is where a code can go.
type target struct {
	tandem.Identity
	Checked bool `json:"checked,omitempty"` // it is bound to the customer already
	Typed   bool `json:"typed,omitempty"`   // by the customer: nothing ties it to anybody yet
}

// step is what a talk does next: an order for the Desk, whose answer it then takes, or a
// turn of the customer's. Exactly one is set.
type step struct {
	order any
	turn  *flow.Turn
}

// Orders of a talk, each answered by the type named.
type (
	orderLook      struct{}               // how can the customer be identified? known
	orderSend      struct{ To target }    // send a code there: sent
	orderCheck     struct{ Typed string } // is that the code? checked
	orderProve     struct{}               // tie To, which the code has proved, to the customer: tied
	orderPIN       struct{ PIN string }   // ask the service: checked
	orderQuestions struct{}               // have the service ask: asked
	orderAnswers   struct{}               // have the service check them: checked
	orderFind      struct{}               // look for the interaction with Number and send a code, if one is needed: found
	orderReturn    struct{ Typed string } // is that the code, and does Target still wait? checked
)

// Answers to orders.
type (
	known struct {
		To      []target `json:"to,omitempty"`      // where codes can go, the best first
		Service bool     `json:"service,omitempty"` // the service can check PINs and questions of this customer
		Over    bool     `json:"over,omitempty"`    // there were too many wrong tries lately
	}
	sent struct {
		Check   CheckID
		Refused bool // by a limit
		Cannot  bool // nothing is sent there
	}
	checked struct {
		OK     bool
		Over   bool   // too many wrong tries lately, here or with the service: no other will be taken
		Locked bool   // the service says so
		Down   bool   // the service cannot check anything now
		Phone  string // whose account the service checked
	}
	tied struct {
		Customer tandem.CustomerID // whom the leg belongs to now; "" = as before
		Known    bool              // a phone that had been a hint is bound
		Bound    bool              // chat and phone are bound to one customer
		Merged   bool              // who were two customers before
	}
	asked struct {
		Form      string
		Questions []question
		Down      bool
	}
	found struct {
		Over   bool             // too many tries or codes lately
		Tied   bool             // the leg is tied to it beyond doubt: no code is needed
		Level  tandem.Assurance // of a leg that is tied
		Target tandem.InteractionID
		To     tandem.Identity // the phone, if it is known
		Check  CheckID
	}
)

// question is one that the service asks.
type question struct {
	ID   string            `json:"id"`
	Text map[string]string `json:"text"` // by language
	Type string            `json:"type"` // digits or text
}

// begin starts the talk that an effect asks for.
func begin(w Who, country string, e flow.Effect) (talk, step, error) {
	switch e := e.(type) {
	case flow.Identify:
		t := talk{Channel: w.Channel, Country: country, Step: e.Step, Lang: e.Lang, Level: e.Level}
		for _, method := range append(e.By[:len(e.By):len(e.By)], e.Fallback) {
			if flow.Gives(method) >= e.Level && flow.Gives(method) != tandem.None {
				t.By = append(t.By, method)
			}
		}
		return t, step{order: orderLook{}}, nil
	case flow.Resume:
		t := talk{Channel: w.Channel, Country: country, Step: e.Step, Lang: e.Lang, Stage: askNumber}
		return t, t.ask(t.say("identity_resume_ask", "")), nil
	}
	return talk{}, step{}, fmt.Errorf("identity: %T is no talk", e)
}

// heard goes on with what was entered.
func (t talk) heard(in flow.Input) (talk, step) {
	if in.Kind == flow.InputTimeout {
		if t.Channel == tandem.SMS { // nobody is asked again by text
			return t.fail()
		}
		return t.missed(t.question())
	}
	if declines(in.Text) {
		return t, t.over("declined", t.say("identity_declined", ""))
	}
	switch t.Stage {
	case askQuestion:
		if len(t.Answers) < len(t.Questions) {
			return t.heardAnswer(in.Text)
		}
	case askPhone:
		return t.heardPhone(in.Text)
	case askCode, askReturn:
		return t.heardCode(in)
	case askPIN:
		return t.heardPIN(in.Text)
	case askNumber:
		return t.heardNumber(in.Text)
	}
	return t.fail()
}

// answered goes on with the answer to an order.
func (t talk) answered(now time.Time, answer any) (talk, step) {
	switch a := answer.(type) {
	case known:
		t.Can = a
		if a.Over {
			return t.fail()
		}
		return t.choose()
	case sent:
		return t.onSent(now, a)
	case checked:
		return t.onChecked(a)
	case tied:
		return t.onTied(a)
	case asked:
		return t.onAsked(a)
	case found:
		return t.onFound(now, a)
	}
	return t.fail()
}

// question is what the stage asks.
func (t talk) question() flow.Play {
	switch t.Stage {
	case askPhone:
		return t.say("identity_phone_ask", "")
	case askPIN:
		return t.say("identity_pin_ask", "")
	case askQuestion:
		return t.nextQuestion()
	case askNumber:
		return t.say("identity_resume_ask", "")
	}
	return t.say("identity_code_ask", "")
}

// missed asks again after silence, or after an entry that leads nowhere.
func (t talk) missed(p flow.Play) (talk, step) {
	t.Missed++
	most := maxMissed
	if t.Channel == tandem.Voice && t.reading() {
		most = maxMissedReading
	}
	if t.Missed >= most {
		return t.fail()
	}
	return t, t.ask(p)
}

// reading reports whether a code is asked for.
func (t talk) reading() bool { return t.Stage == askCode || t.Stage == askReturn }

// fail ends the talk without success, in the same words whatever the reason.
func (t talk) fail() (talk, step) {
	return t, t.over("failed", t.say("identity_failed", ""))
}

// passed ends the talk: the customer is who they should be.
func (t talk) passed(plays ...flow.Play) (talk, step) {
	s := t.over("passed", append([]flow.Play{t.say("identity_passed", "")}, plays...)...)
	s.turn.Assurance, s.turn.Done.Phone = flow.Gives(t.Method), t.phone()
	return t, s
}

// phone is the number that was proved, if one was.
func (t talk) phone() string {
	if t.To.Kind != tandem.IdentityPhone {
		return ""
	}
	return t.To.Value
}

// over ends the talk.
func (t talk) over(outcome string, plays ...flow.Play) step {
	return step{turn: &flow.Turn{Plays: plays, Done: &flow.Result{Outcome: outcome}}}
}

// ask says something and waits for an entry of the stage's kind. A caller hears which
// keys do what; others see it as buttons.
func (t talk) ask(plays ...flow.Play) step {
	turn := &flow.Turn{Plays: plays, Wait: flow.Wait{Kind: flow.WaitListen, Step: t.Step, Secret: true}}
	switch t.Channel {
	case tandem.Voice:
		turn.Wait.Timeout = voiceTime
	case tandem.SMS:
		turn.Wait.Timeout = smsTime
	default:
		turn.Wait.Timeout = chatTime
	}
	switch {
	case t.Channel != tandem.Voice:
		again, stop := labels(t.Lang)
		if t.reading() {
			turn.Wait.Options = append(turn.Wait.Options, flow.Option{Keys: "1", Label: again})
		}
		turn.Wait.Options = append(turn.Wait.Options, flow.Option{Keys: "0", Label: stop})
	case t.reading():
		turn.Plays = append(turn.Plays, t.say("identity_code_keys", ""))
		turn.Digits = codeDigits
	case t.Stage == askPIN || t.Stage == askQuestion:
		turn.Plays = append(turn.Plays, t.say("identity_open_keys", ""))
	case t.Stage == askNumber:
		turn.Digits = numberDigits
	}
	turn.Entry = map[stage]string{askPhone: "phone", askNumber: "number", askCode: "code", askReturn: "code"}[t.Stage]
	for i := range turn.Plays {
		turn.Plays[i].Secret = true
	}
	return step{turn: turn}
}

// encode writes the state for the session.
func (t talk) encode() (json.RawMessage, error) {
	b, err := json.Marshal(t)
	if err != nil {
		return nil, fmt.Errorf("keeping the state of a talk: %w", err)
	}
	return b, nil
}

// decode reads what encode wrote.
func decode(state json.RawMessage) (t talk, err error) {
	if err := json.Unmarshal(state, &t); err != nil {
		return t, fmt.Errorf("reading the state of a talk: %w", err)
	}
	return t, nil
}
