package suite

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tandem/internal/nearest"
	"tandem/ivr/flow"
	"tandem/ivr/flow/simulate"
	"tandem/ivr/flow/source"
)

// Failure is why a case did not pass.
type Failure struct {
	Line     int    `json:"line"` // of the test file
	Column   int    `json:"column"`
	Step     string `json:"step"`
	Expected string `json:"expected"`
	Got      string `json:"got"`
	Hint     string `json:"hint,omitempty"`

	Snippet string `json:"-"`
	Width   int    `json:"-"`
}

// wordsOf is what the script expected, in words.
func (p *play) wordsOf(it *item) string {
	s := it.word
	if it.means != "" {
		s += " by " + it.means
	}
	switch {
	case it.word == "sets" || it.word == "var":
		for _, name := range slices.Sorted(maps.Keys(it.values)) {
			value := simulate.JSON(it.values[name])
			if v := p.d.variable(name); v != nil && v.Secrecy != flow.Open {
				value = "•••"
			}
			s += " " + name + " = " + value
		}
		return s
	case it.prompt:
		return s + " prompt " + it.text
	case it.word == "hears" || it.word == "reads" || it.word == "gets":
		return fmt.Sprintf("%s %q", s, it.text)
	}
	s += " " + it.text
	if len(it.values) > 0 {
		s += " " + simulate.JSON(it.values)
	}
	return s
}

// failed makes a failure of a line; got is what came if nothing was given for it.
func (p *play) failed(it *item, expected, got string) *Failure {
	f := &Failure{Step: p.talk.Session().Wait.Step, Expected: expected, Got: got}
	if expected == "" {
		f.Expected = p.wordsOf(it)
	}
	if it.node != nil {
		key := it.node
		if it.node.Kind == source.Map {
			key = it.node.Entries[0].Key
		}
		f.Line, f.Column, f.Width = key.At.Line, key.At.Col, len([]rune(key.Text))
		f.Snippet = p.d.line(key.At.Line)
	}
	if err := p.talk.Fault(); err != nil {
		f.Got = err.Error()
		return f
	}
	if got == "" {
		f.Got = p.came()
		f.Hint = p.hint(it)
	}
	return f
}

const mostCame = 6 // lines of what came instead that a failure shows

// came is what there was instead of what was expected.
func (p *play) came() string {
	var rows []string
	lines := p.talk.Lines()
	for _, l := range lines[min(p.seen.line, len(lines)):] {
		if l.Word == simulate.Leads || l.Word == simulate.Asks || l.Word == simulate.Keeps || l.Word == simulate.Speaks || l.Act() {
			continue
		}
		if len(rows) == mostCame {
			rows = append(rows, "…")
			break
		}
		row := l.String()
		if l.Step != "" {
			row = l.Step + ": " + row
		}
		rows = append(rows, row)
	}
	now := "the flow " + p.talk.Waiting()
	if len(rows) > 0 {
		now = "then " + now
	}
	return strings.Join(append(rows, now), "\n")
}

// hint says what is probably to be written instead, "" if nothing is known.
func (p *play) hint(it *item) string {
	w := p.talk.Session().Wait
	if it.expects() && p.earlier(it) {
		return "it came earlier than this line looks: a script is in the order of what happens"
	}
	switch w.Kind {
	case flow.WaitHTTP:
		return fmt.Sprintf("no answer is given for http step %s; write given: { http: { %s: { status: 200, json: { … } } } }", w.Step, w.Step)
	case flow.WaitIdentify:
		return "before it, write how the customer is identified: `identified: passed`, failed, declined or unsupported"
	case flow.WaitResume:
		return "before it, write what comes of the number: `resumes: found`, failed or declined"
	case flow.WaitQueue:
		if p.talk.Connected() {
			return "before it, write `agent: hands_back`"
		}
		if after, ok := p.talk.OffersIn(); ok && it.word == "callback" {
			return fmt.Sprintf("more is offered in %s (`offer_after` of the queue): write `waits: %s` before the key", simulate.Short(after), simulate.Short(after))
		}
		return "before it, write `agent: answers` and `agent: hands_back`, or let time pass with `waits`"
	case flow.WaitTransfer:
		return "before it, write how the transfer goes: `transferred: ok`, busy, no_answer or failed"
	case flow.WaitVoicemail, flow.WaitRecord:
		return "before it, write `records: left` or `records: too_short`"
	case flow.WaitHandoff:
		return "before it, write `accepts: handoff` or `declines: handoff`"
	case flow.WaitLink:
		return "before it, write `finishes: link` or `declines: link`, or let time pass with `waits`"
	}
	if (it.word == "hears" || it.word == "reads" || it.word == "gets") && !it.prompt && source.IsName(it.text) {
		if near := nearest.Name(it.text, p.d.prompts()); near != "" {
			return "did you mean the prompt `" + near + "`?"
		}
	}
	return ""
}

// earlier tells whether words came before the place where the script looks for them.
func (p *play) earlier(it *item) bool {
	if it.word != "hears" && it.word != "reads" && it.word != "gets" {
		return false
	}
	lines := p.talk.Lines()
	for i, l := range lines[:min(p.seen.line, len(lines))] {
		if _, ok := within(it, l, mark{line: i}); ok && p.reaches(it, l) {
			return true
		}
	}
	return false
}
