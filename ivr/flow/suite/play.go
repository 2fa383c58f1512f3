package suite

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/simulate"
)

// play is one test on one channel.
type play struct {
	d    *document
	t    *test
	talk *simulate.Talk
	seen mark // how far the script has looked
}

// mark is a place in what came: the line, and how much of that line was looked at.
type mark struct{ line, prompt, text int }

// run plays the whole script; nil = everything came as expected.
func (p *play) run() *Failure {
	for _, it := range p.t.script {
		if f := p.step(it); f != nil {
			return f
		}
	}
	return nil
}

// step does or looks for one line of the script.
func (p *play) step(it *item) *Failure {
	if err := p.talk.Fault(); err != nil {
		return p.failed(it, "", err.Error())
	}
	if it.expects() {
		return p.expect(it)
	}
	before := len(p.talk.Lines())
	if err := p.act(it); err != nil {
		f := p.failed(it, "", err.Error())
		if it.word != "agent" {
			f.Hint = p.hint(it)
		}
		return f
	}
	if len(p.talk.Lines()) > before && it.word != "given" {
		p.seen = mark{line: before} // what came before it is passed over
	}
	return nil
}

// act does what somebody does.
func (p *play) act(it *item) error {
	switch it.word {
	case "given":
		p.talk.Given(it.given)
		return nil
	case "leaves":
		return p.talk.Leave()
	case "opens":
		return p.talk.Link(simulate.Opens)
	case "finishes":
		return p.talk.Link(simulate.Finishes)
	case "declines":
		if it.text == "link" {
			return p.talk.Link(simulate.Declines)
		}
		return p.decline(it.text)
	case "waits":
		return p.wait(it)
	case "presses":
		p.goOn(flow.WaitListen, flow.WaitQueue, flow.WaitHTTP)
		return p.talk.Press(it.text)
	case "types":
		p.goOn(flow.WaitListen, flow.WaitQueue)
		return p.talk.Type(it.text)
	case "taps":
		p.goOn(flow.WaitListen, flow.WaitQueue)
		return p.talk.Tap(it.text)
	case "says":
		p.goOn(flow.WaitListen)
		return p.talk.Say(it.text)
	case "accepts":
		p.goOn(flow.WaitHandoff)
		return p.talk.Decide(simulate.Accepts, "accepted")
	case "agent":
		if it.outcome != "" || it.text == simulate.AgentTakesOver {
			return p.talk.AgentAt(it.text, it.outcome)
		}
		p.goOn(flow.WaitQueue, flow.WaitTransfer)
		return p.talk.AgentDoes(it.text)
	case "transferred":
		return p.transfer(it)
	case "records":
		p.goOn(flow.WaitVoicemail, flow.WaitRecord)
		return p.talk.Decide(simulate.Records, recorded(p.talk.Session().Wait.Kind, it.text))
	case "identified":
		p.goOn(flow.WaitIdentify)
		return p.talk.Decide(simulate.Identified, it.text)
	case "resumes":
		p.goOn(flow.WaitResume)
		if it.text == "found" {
			return p.talk.Found()
		}
		return p.talk.Decide(simulate.Resumes, it.text)
	case "callback":
		return p.callback(it)
	case "surveyed":
		return p.survey(it)
	}
	return fmt.Errorf("a script has no word %q", it.word)
}

// wait lets time pass. Who waits has answered no survey meanwhile.
func (p *play) wait(it *item) error {
	if !it.silence {
		p.talk.Pass(it.wait)
		return nil
	}
	if !p.talk.Silence() {
		return fmt.Errorf("waiting brings nothing: the flow %s", p.talk.Waiting())
	}
	return nil
}

// goOn lets what nobody needs to decide have its usual end, until the flow waits for
// one of these.
func (p *play) goOn(kinds ...flow.WaitKind) {
	for !slices.Contains(kinds, p.talk.Session().Wait.Kind) && p.talk.GoOn() {
	}
}

func (p *play) decline(what string) error {
	wait, outcome := flow.WaitHandoff, "declined"
	switch what {
	case "callback":
		wait = flow.WaitCallback
	case "survey":
		wait, outcome = flow.WaitSurvey, "skipped"
	}
	if p.talk.Session().Wait.Kind != wait {
		p.goOn(wait)
	}
	if p.talk.Session().Wait.Kind != wait {
		return fmt.Errorf("there is no %s to decline: the flow %s", what, p.talk.Waiting())
	}
	return p.talk.Decide(simulate.Declines, outcome)
}

// recorded is the outcome of a voicemail or of a recording: either word does for both.
func recorded(k flow.WaitKind, word string) string {
	switch {
	case word == "too_short":
	case k == flow.WaitRecord:
		return "done"
	default:
		return "left"
	}
	return word
}

// transfer looks for where to, if the script says it, and gives the outcome.
func (p *play) transfer(it *item) error {
	p.goOn(flow.WaitTransfer)
	if it.text != "" {
		if e, ok := p.talk.Wanted().(flow.Connect); !ok || !strings.Contains(e.To, it.text) {
			return fmt.Errorf("no transfer to %s is under way: the flow %s", it.text, p.talk.Waiting())
		}
	}
	return p.talk.Decide(simulate.Transferred, it.outcome)
}

// callback gives the outcome of a callback step. One that was booked in a queue, by
// its offer, is looked for.
func (p *play) callback(it *item) error {
	if it.text == "booked" && p.find(func(l simulate.Line) bool { return l.Word == simulate.CallsBack }) {
		return nil
	}
	p.goOn(flow.WaitCallback)
	if p.talk.Session().Wait.Kind != flow.WaitCallback {
		return fmt.Errorf("no callback is booked: the flow %s", p.talk.Waiting())
	}
	if it.text == "declined" {
		return p.talk.Decide(simulate.Declines, it.text)
	}
	return p.talk.Decide("", it.text)
}

func (p *play) survey(it *item) error {
	if !p.find(func(l simulate.Line) bool { return l.Word == simulate.Surveyed && l.Name == it.text }) {
		return fmt.Errorf("no survey %s is asked: the flow %s", it.text, p.talk.Waiting())
	}
	if p.talk.Session().Wait.Kind != flow.WaitSurvey {
		return fmt.Errorf("the survey %s is asked later, and waits for nobody", it.text)
	}
	if it.outcome == "skipped" {
		return p.talk.Decide(simulate.Declines, it.outcome)
	}
	return p.talk.Decide("", it.outcome)
}

// expect looks for what the script says came.
func (p *play) expect(it *item) *Failure {
	var match func(simulate.Line) bool
	switch it.word {
	case "hears", "reads", "gets":
		if !p.hear(it) {
			return p.failed(it, p.wordsOf(it), "")
		}
		return nil
	case "var":
		return p.compare(it)
	case "sets":
		match = func(l simulate.Line) bool { return l.Word == simulate.Leads && p.hasSet(it, l) }
	case "queued":
		match = func(l simulate.Line) bool {
			if l.Word != simulate.Queued || l.Name != it.text {
				return false
			}
			for name, want := range it.values {
				if got, _ := l.Fields[name].(string); got != want {
					return false
				}
			}
			return true
		}
	case "surveyed":
		match = func(l simulate.Line) bool { return l.Word == simulate.Surveyed && l.Name == it.text }
	case "ticketed":
		match = func(l simulate.Line) bool { return l.Word == simulate.Ticketed && p.isTicket(it, l) }
	case "transferred":
		match = func(l simulate.Line) bool {
			return l.Word == simulate.Transfers && strings.Contains(l.Text, it.text)
		}
	case "ends":
		match = func(l simulate.Line) bool { return l.Word == simulate.Ends && l.Text == it.text }
	}
	if p.find(match) {
		return nil
	}
	if it.word == "queued" {
		if expected, got := p.otherwiseQueued(it); got != "" {
			return p.failed(it, expected, got)
		}
	}
	return p.failed(it, p.wordsOf(it), "")
}

// otherwiseQueued says how somebody came into the queue that the script names in another
// way than it says: the fields that differ, in one form. Both are "" if nobody came.
func (p *play) otherwiseQueued(it *item) (expected, got string) {
	lines := p.talk.Lines()
	for _, l := range lines[min(p.seen.line, len(lines)):] {
		if l.Word != simulate.Queued || l.Name != it.text {
			continue
		}
		expected, got = it.word+" "+it.text, it.word+" "+it.text
		for _, name := range slices.Sorted(maps.Keys(it.values)) {
			has, there := l.Fields[name]
			if has == it.values[name] {
				continue
			}
			if !there {
				has = "none"
			}
			expected += fmt.Sprintf("  %s %v", name, it.values[name])
			got += fmt.Sprintf("  %s %v", name, has)
		}
		if expected != got {
			return expected, got
		}
	}
	return "", ""
}

// find looks for a line after what was seen, and goes on where nobody has to decide.
func (p *play) find(match func(simulate.Line) bool) bool {
	for {
		lines := p.talk.Lines()
		for i := p.seen.line; i < len(lines); i++ {
			if i == p.seen.line && p.seen != (mark{line: i}) {
				continue // a line of words that was looked at
			}
			if match(lines[i]) {
				p.seen = mark{line: i + 1}
				return true
			}
		}
		if !p.talk.GoOn() {
			return false
		}
	}
}

// hear looks for words, or for a prompt, in what was said or sent. Several may be in
// one message: in text, what a step asks is one.
func (p *play) hear(it *item) bool {
	for {
		lines := p.talk.Lines()
		for i := p.seen.line; i < len(lines); i++ {
			from := mark{line: i}
			if i == p.seen.line {
				from = p.seen
			}
			if !p.reaches(it, lines[i]) {
				continue
			}
			if end, ok := within(it, lines[i], from); ok {
				p.seen = end
				return true
			}
		}
		if !p.talk.GoOn() {
			return false
		}
	}
}

// reaches tells whether a line is what the item looks at.
func (p *play) reaches(it *item, l simulate.Line) bool {
	switch {
	case l.Word != simulate.Hears && l.Word != simulate.Gets:
		return false
	case it.means != "":
		return l.Means == it.means
	case it.word == "gets":
		return true
	}
	return l.Word == simulate.Hears || l.Means == string(p.talk.Channel())
}

// within looks for an item in one line, from a mark on.
func within(it *item, l simulate.Line, from mark) (mark, bool) {
	if it.prompt {
		if i := slices.Index(l.Names[min(from.prompt, len(l.Names)):], it.text); i >= 0 {
			from.prompt += i + 1
			return from, true
		}
		return from, false
	}
	whole := folded(l)
	i := strings.Index(whole[min(from.text, len(whole)):], flow.Fold(it.text))
	if i < 0 {
		return from, false
	}
	from.text += i + len(flow.Fold(it.text))
	return from, true
}

// folded is what a line says with its buttons, made comparable.
func folded(l simulate.Line) string {
	s := l.Text
	for _, b := range l.Buttons {
		s += " " + b.Keys + " " + b.Label
	}
	return flow.Fold(s)
}

// hasSet tells whether a step has set what the item names.
func (p *play) hasSet(it *item, l simulate.Line) bool {
	f := p.d.lib.Flows[l.Flow]
	for name, want := range it.values {
		got, ok := l.Fields[name]
		if !ok || f == nil || f.Variable(name) == nil {
			return false
		}
		v := f.Variable(name)
		if v.Secrecy != flow.Open { // the journal does not have it; the session does
			if got, _, ok = p.talk.Variable(name); !ok {
				return false
			}
		}
		if !equal(v.Type, want, got) {
			return false
		}
	}
	return true
}

func (p *play) isTicket(it *item, l simulate.Line) bool {
	form := p.d.lib.Forms[it.text]
	if l.Name != it.text || form == nil {
		return false
	}
	for _, f := range form.Fields {
		if want, ok := it.values[f.Name]; ok && !equal(f.Type, want, l.Fields[f.Name]) {
			return false
		}
	}
	return true
}

// compare looks at variables as they are now.
func (p *play) compare(it *item) *Failure {
	for _, name := range slices.Sorted(maps.Keys(it.values)) {
		v := p.d.variable(name)
		got, secret, ok := p.talk.Variable(name)
		switch {
		case v == nil || !ok:
			return p.failed(it, "", fmt.Sprintf("the flow at hand, %s, has no variable %s", p.talk.Running(), name))
		case equal(v.Type, it.values[name], got):
		case secret:
			return p.failed(it, name+" = •••", name+" = another value, which is secret")
		default:
			return p.failed(it, name+" = "+simulate.JSON(it.values[name]), name+" = "+simulate.JSON(got))
		}
	}
	return nil
}

// line is one line of the test file.
func (d *document) line(n int) string {
	rows := strings.Split(strings.ReplaceAll(string(d.file.Text), "\r\n", "\n"), "\n")
	if n < 1 || n > len(rows) {
		return ""
	}
	return strings.TrimPrefix(strings.TrimRight(rows[n-1], " \t"), "\ufeff")
}

// begin starts a test on a channel.
func (d *document) begin(t *test, channel tandem.Channel, seed uint64) (*play, error) {
	talk, err := simulate.New(d.lib, d.flow.Name, d.options(t, channel, seed))
	if err != nil {
		return nil, err
	}
	return &play{d: d, t: t, talk: talk}, nil
}
