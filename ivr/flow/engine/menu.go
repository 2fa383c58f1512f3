package engine

import (
	"strconv"
	"strings"

	"tandem"
	"tandem/ivr/flow"
)

func (m menu) listening() *flow.Listen   { return &m.Listen }
func (m menu) question() *flow.Prompt    { return m.Prompt }
func (m menu) secret() bool              { return false }
func (m menu) commands() bool            { return true }
func (m menu) gap(r *run) error          { r.miss(m, false); return nil }
func (m menu) failed(silent bool) string { return noInputOrMatch(silent) }

func noInputOrMatch(silent bool) string {
	if silent {
		return "no_input"
	}
	return "no_match"
}

// begin takes down what a menu from a list offers: it must not change while the
// caller thinks.
func (m menu) begin(r *run) (bool, error) {
	if m.From == nil {
		return true, nil
	}
	v, err := r.evalOpen(m.From.From)
	if err != nil {
		return false, err
	}
	list, ok := v.([]any)
	if !ok {
		return false, faultf("the menu's choices are no list")
	}
	if len(list) == 0 {
		return false, r.leave("none")
	}
	most := 9 // one key each
	if m.From.Max > 0 && m.From.Max < most {
		most = m.From.Max
	}
	r.f.Choices = list[:min(len(list), most)]
	return true, nil
}

// count is how many choices there are now; keys gives the keys of one.
func (m menu) count(r *run) int {
	if m.From != nil {
		return len(r.f.Choices)
	}
	return len(m.Choices)
}

func (m menu) keys(i int) string {
	if m.From != nil {
		return strconv.Itoa(i + 1)
	}
	return m.Choices[i].Keys
}

// outcome is what a choice is called when it is taken.
func (m menu) outcome(i int) string {
	if keys := m.keys(i); keys != "" {
		return keys
	}
	return "choice " + strconv.Itoa(i+1)
}

// chosen is the choice with exactly these keys, or -1.
func (m menu) chosen(r *run, keys string) int {
	for i := range m.count(r) {
		if keys != "" && m.keys(i) == keys {
			return i
		}
	}
	return -1
}

func (m menu) key(r *run) error {
	if i := m.chosen(r, r.f.Draft); i >= 0 {
		return m.choose(r, i)
	}
	for i := range m.count(r) {
		if strings.HasPrefix(m.keys(i), r.f.Draft) {
			r.todo = more
			return nil
		}
	}
	r.miss(m, false)
	return nil
}

// text takes the keys, a phrase, or what a button says.
func (m menu) text(r *run, s string) error {
	s = flow.Fold(s)
	if i := m.chosen(r, strings.ToUpper(s)); i >= 0 {
		return m.choose(r, i)
	}
	for i := range m.count(r) {
		if m.From == nil && says(s, m.Choices[i].Phrases) || m.labelled(r, i, s) {
			return m.choose(r, i)
		}
	}
	r.miss(m, false)
	return nil
}

func (m menu) choose(r *run, i int) error {
	outcome := m.outcome(i)
	if m.From == nil {
		r.leaveTo(outcome, m.Choices[i].Go)
		return nil
	}
	if m.From.Into != "" {
		if err := r.assign(m.From.Into, r.f.Choices[i]); err != nil {
			return err
		}
	}
	r.leaveTo(outcome, m.From.Go)
	return nil
}

// labelNames are the names a label from a list may use besides the flow's.
func (m menu) labelNames(r *run, i int) map[string]any {
	return map[string]any{m.From.As: r.f.Choices[i], "key": m.keys(i)}
}

// sayChoices says the labels of a menu from a list. One that does not name its key
// is said after it. In text they are the options.
func (m menu) sayChoices(r *run) error {
	if r.s.Facts.Channel != tandem.Voice {
		return nil
	}
	for i := range r.f.Choices {
		before := len(r.effects)
		if err := r.say(m.From.Label, m.BargeIn, false, m.labelNames(r, i)); err != nil {
			return err
		}
		words, _, err := r.words(m.From.Label)
		if err != nil {
			return err
		}
		if play, ok := r.effects[before].(flow.Play); ok && !usesKey(words) {
			key := tandem.Part{Kind: tandem.PartDigits, Text: m.keys(i) + " ", Value: m.keys(i)}
			play.Parts = append([]tandem.Part{key}, play.Parts...)
			r.effects[before] = play
		}
	}
	return nil
}

func usesKey(w *flow.Words) bool {
	if w.Text != nil {
		for _, name := range w.Text.Uses() {
			if name == "key" {
				return true
			}
		}
	}
	return false
}

// options is the menu as text: its labels, or the first phrase of each choice.
func (m menu) options(r *run) []flow.Option {
	out := make([]flow.Option, m.count(r))
	for i := range out {
		out[i].Keys = m.keys(i)
		switch {
		case m.From != nil:
			out[i].Label = r.label(m.From.Label, m.labelNames(r, i))
		case m.Choices[i].Label != nil:
			out[i].Label = r.label(m.Choices[i].Label, nil)
		default:
			for _, lang := range append([]string{r.s.Lang}, r.flow.Languages...) {
				if p := m.Choices[i].Phrases[lang]; len(p) > 0 {
					out[i].Label = p[0]
					break
				}
			}
		}
		if out[i].Label == "" {
			out[i].Label = out[i].Keys
		}
	}
	return out
}

// labelled tells whether a folded text is what a choice is called, in words or on its
// button.
func (m menu) labelled(r *run, i int, s string) bool {
	var p *flow.Prompt
	var more map[string]any
	if m.From != nil {
		p, more = m.From.Label, m.labelNames(r, i)
	} else if p = m.Choices[i].Label; p == nil {
		return false
	}
	words, _, err := r.words(p)
	return err == nil && (flow.Fold(r.plain(p, more)) == s || words.Button != "" && flow.Fold(words.Button) == s)
}

// label is a prompt on a button, or in a numbered line.
func (r *run) label(p *flow.Prompt, more map[string]any) string {
	if words, _, err := r.words(p); err == nil && words.Button != "" && r.s.Facts.Channel == tandem.Chat {
		return words.Button
	}
	return r.plain(p, more)
}

// plain is a prompt as text, "" if it cannot be worked out.
func (r *run) plain(p *flow.Prompt, more map[string]any) string {
	words, lang, err := r.words(p)
	if err != nil || words.Text == nil {
		return ""
	}
	parts, err := r.parts(words.Text, lang, more)
	if err != nil {
		return ""
	}
	return flow.Text(parts)
}
