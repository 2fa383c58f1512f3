package upgrade

import "tandem"

// State is where an upgrade is in its life.
type State string

// The states of an upgrade. It is asked, agreed and up in this order, and may end in any of
// them; once it has ended it stays what it is.
const (
	Asked     State = "asked"     // an answer is waited for
	Agreed    State = "agreed"    // the page may connect; nothing got through yet
	Up        State = "up"        // something got through: Now says what does
	Refused   State = "refused"   // by whom it was asked of
	Lapsed    State = "lapsed"    // nobody answered in time
	Withdrawn State = "withdrawn" // by whom it was asked by, or because nobody serves any more
	Over      State = "over"
)

// Over reports whether an upgrade in this state has ended.
func (s State) Over() bool { return s != Asked && s != Agreed && s != Up }

// plan is what was asked for and agreed to.
type plan struct {
	State    State
	Level    tandem.Level // asked for
	Agreed   tandem.Level // to run now
	Given    tandem.Level // the most that the customer consents to
	Let      tandem.Level // the most that staff has asked for or approved
	By       string       // who asked last
	Pending  bool         // an answer is waited for
	Pictures bool         // pictures alone: the sound is on the telephone
	Why      string       // of the end
}

// doing is what happens to a plan.
type doing uint8

const (
	accept  doing = iota // the customer says yes
	refuse               // the customer says no
	approve              // the agent says yes to what the customer asked for
	deny                 // the agent says no to it
	raise                // event.By wants event.Level from now on, more or less than now
	lapse                // nobody has answered
	connect              // something gets through for the first time
	end                  // event.Why says why
	doings
)

// event is what happens, with what it needs.
type event struct {
	Do    doing
	Level tandem.Level // of accept and raise
	By    string       // of raise and end
	Most  tandem.Level // of raise: the most that a customer may ask for
	Why   string       // of end
}

var (
	errOver     = tandem.Errorf(tandem.CodeConflict, "voice and video are over here; ask anew")
	errAnswered = tandem.Errorf(tandem.CodeConflict, "this was answered already")
	errNotYours = tandem.Errorf(tandem.CodeConflict, "the other side is asked, and has not answered yet")
	errPolicy   = tandem.Errorf(tandem.CodeForbidden, "this cannot be asked for here; the agent can offer it")
	errLevel    = tandem.Errorf(tandem.CodeInvalid, "name voice or video, and no more than was asked for")
	errText     = tandem.Errorf(tandem.CodeInvalid, "the sound is on the telephone: there are pictures, or none")
)

// above reports whether a is more than b.
func above(a, b tandem.Level) bool { return rank(a) > rank(b) }

func rank(l tandem.Level) int {
	switch l {
	case tandem.LevelVoice:
		return 1
	case tandem.LevelVideo:
		return 2
	}
	return 0
}

func most(a, b tandem.Level) tandem.Level {
	if above(a, b) {
		return a
	}
	return b
}

// known reports whether a level is one.
func known(l tandem.Level) bool {
	return l == tandem.LevelText || l == tandem.LevelVoice || l == tandem.LevelVideo
}

// begin is the plan of what is asked for.
func begin(by string, l tandem.Level, pictures bool) plan {
	p := plan{State: Asked, Level: l, By: by, Pending: true, Pictures: pictures}
	if by != ByCustomer {
		p.Let = l
	}
	return p
}

// step is what becomes of a plan. An error says that it cannot be, for whoever wants it; the
// plan stays what it was.
func step(p plan, e event) (plan, error) {
	if p.State.Over() {
		if e.Do == lapse || e.Do == connect || e.Do == end {
			return p, nil
		}
		return p, errOver
	}
	switch e.Do {
	case accept, refuse, approve, deny:
		return answer(p, e)
	case raise:
		return change(p, e)
	case lapse:
		if !p.Pending {
			return p, nil
		}
		return unanswered(p, Lapsed, "lapsed"), nil
	case connect:
		if p.State == Agreed {
			p.State = Up
		}
		return p, nil
	case end:
		return finish(p, e), nil
	}
	return p, errLevel
}

// answer is what becomes of what waits for an answer.
func answer(p plan, e event) (plan, error) {
	customers := e.Do == accept || e.Do == refuse
	switch {
	case !p.Pending:
		return p, errAnswered
	case customers != (p.By != ByCustomer):
		return p, errNotYours
	case e.Do == refuse || e.Do == deny:
		return unanswered(p, Refused, "refused"), nil
	}
	l := p.Level
	if e.Do == accept && e.Level != tandem.LevelText {
		l = e.Level
	}
	switch {
	case !known(l) || above(l, p.Level):
		return p, errLevel
	case p.Pictures && l != tandem.LevelVideo:
		return p, errText
	case !above(l, p.Agreed): // what there is already, and no more than that
		return unanswered(p, Refused, "refused"), nil
	}
	return grant(p, l), nil
}

// grant has a level run that the customer consents to and staff lets.
func grant(p plan, l tandem.Level) plan {
	if p.State == Asked {
		p.State = Agreed
	}
	p.Let = most(p.Let, l)
	p.Given = most(p.Given, l)
	p.Level, p.Agreed, p.Pending = l, l, false
	return p
}

// unanswered ends a first ask, or leaves things as they were before one for more.
func unanswered(p plan, s State, why string) plan {
	p.Pending = false
	if p.State == Asked {
		p.State, p.Why = s, why
		return p
	}
	p.Level = p.Agreed
	return p
}

// change is more or less than there is now. Less is at once, and of a customer takes back
// what they consented to; more is at once as far as both sides have agreed to it.
func change(p plan, e event) (plan, error) {
	customer := e.By == ByCustomer
	switch {
	case !known(e.Level):
		return p, errLevel
	case e.Level == tandem.LevelText:
		return finish(p, event{Do: end, By: e.By, Why: "ended"}), nil
	case p.Pictures && e.Level != tandem.LevelVideo:
		return p, errText
	case p.State == Asked && customer:
		return p, errNotYours
	case p.State == Asked && p.By == ByCustomer && !above(e.Level, p.Level):
		return grant(p, e.Level), nil // it is what they ask for
	case p.State == Asked: // staff asks anew: for both
		p.Level, p.By = most(p.Level, e.Level), e.By
		p.Let = most(p.Let, p.Level)
		return p, nil
	case !above(e.Level, p.Agreed):
		p.Pending = false
		p.Level, p.Agreed = e.Level, e.Level
		if customer {
			p.Given = e.Level
		}
		return p, nil
	case customer && (!above(e.Level, p.Let) || p.Pending && p.By != ByCustomer && !above(e.Level, p.Level)):
		return grant(p, e.Level), nil // staff has asked for it or lets it, and to want it is to consent
	case !customer && (!above(e.Level, p.Given) || p.Pending && p.By == ByCustomer && !above(e.Level, p.Level)):
		return grant(p, e.Level), nil // the customer has consented to it, or asks for it
	case customer && above(e.Level, e.Most):
		return p, errPolicy
	}
	p.Level, p.By, p.Pending = e.Level, e.By, true
	if !customer {
		p.Let = most(p.Let, e.Level)
	}
	return p, nil
}

// finish is the end.
func finish(p plan, e event) plan {
	p.Why, p.Pending = e.Why, false
	switch {
	case p.State != Asked:
		p.State = Over
	case e.By == BySystem || (e.By == ByCustomer) == (p.By == ByCustomer):
		p.State = Withdrawn
	default:
		p.State, p.Why = Refused, "refused"
	}
	if p.Why == "" {
		p.Why = string(p.State)
	}
	return p
}

// needs are the connections that a plan wants of the customer's page.
func (p plan) needs() (voice, screen bool) {
	runs := p.State == Agreed || p.State == Up
	return runs && !p.Pictures && p.Agreed != tandem.LevelText, runs && p.Agreed == tandem.LevelVideo
}

// consents are the kinds of consent that a change of plans is, in the order in which they are
// written down.
func consents(before, after plan, kept bool) []string {
	var kinds []string
	if !after.Pictures && above(tandem.LevelVoice, before.Given) && !above(tandem.LevelVoice, after.Given) {
		kinds = append(kinds, "voice")
	}
	if above(tandem.LevelVideo, before.Given) && after.Given == tandem.LevelVideo {
		kinds = append(kinds, "video")
	}
	if kept && len(kinds) > 0 {
		kinds = append(kinds, "recording")
	}
	return kinds
}
