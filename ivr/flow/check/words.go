package check

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"tandem"
	"tandem/bridge/sms/segment"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

// Lengths assumed for what is only known when it is sent.
const (
	assumedLink  = 48 // characters of the address of an operation link
	assumedValue = 10 // of any other value
)

// Parts of an SMS that nobody is told about: one where the flow writes of its own accord,
// three where it answers somebody who writes to it.
const (
	freeParts     = 1
	freeDialogues = 3
)

// words looks at what the steps say: how it travels by SMS, and whether it asks for what
// nobody takes.
func (f *subject) words() {
	for _, name := range f.Program.Order {
		s := f.Steps[name]
		if s.Verb == nil {
			continue
		}
		asked, heard := asks(s.Verb)
		if _, said := s.Verb.(*flow.Say); said && len(askedToSpeak(f, asked[0])) > 0 {
			heard = f.heardAfter(s)
		}
		for _, p := range asked {
			if !heard {
				f.asksToSpeak(s, p)
			}
			if f.visits[name].sms {
				f.travels(s, p, freeDialogues)
			}
		}
		for _, p := range written(s.Verb) {
			f.travels(s, p, freeParts)
		}
	}
}

// asks gives what a step says to somebody who may answer, and whether speech is an answer;
// that of a say is heard by a later step.
func asks(v flow.Verb) (prompts []*flow.Prompt, heard bool) {
	listens := func(p *flow.Prompt, l flow.Listen) ([]*flow.Prompt, bool) {
		return append([]*flow.Prompt{p}, l.Retry...), l.Speech
	}
	switch v := v.(type) {
	case *flow.Say:
		return []*flow.Prompt{v.Prompt}, true
	case *flow.Menu:
		return listens(v.Prompt, v.Listen)
	case *flow.Collect:
		return listens(v.Prompt, v.Listen)
	case *flow.ConsentStep:
		return listens(v.Prompt, v.Listen)
	}
	return nil, true
}

// written gives what a step sends by SMS, whatever the channel.
func written(v flow.Verb) []*flow.Prompt {
	switch v := v.(type) {
	case *flow.Message:
		if v.Prompt != nil && slices.Contains(v.By, "sms") {
			return []*flow.Prompt{v.Prompt}
		}
	case *flow.LinkStep:
		if slices.Contains(v.By, "sms") {
			return []*flow.Prompt{v.Prompt}
		}
	case *flow.Handoff:
		if v.To != tandem.Voice { // it goes to the phone number
			return []*flow.Prompt{v.Prompt}
		}
	}
	return nil
}

// askToSpeak finds words that ask to speak, by the base of the language.
var askToSpeak = map[string]*regexp.Regexp{
	"en": regexp.MustCompile(`(?i)\b(please |just |or )(say|speak)\b|^say\b|[.,;] say\b|\bspeak (now|after)\b|\btell (me|us)\b`),
	"zh": regexp.MustCompile(`请说|请讲|请直接说|请告诉我`),
}

// askedToSpeak finds the words of a prompt that ask to speak, by language.
func askedToSpeak(f *subject, p *flow.Prompt) map[string]string {
	found := map[string]string{}
	for _, lang := range f.Program.Languages {
		base, _, _ := strings.Cut(lang, "-")
		ask := askToSpeak[base]
		if p == nil || ask == nil || p.ByLang[lang] == nil || p.ByLang[lang].Text == nil {
			continue
		}
		if at := ask.FindString(p.ByLang[lang].Text.Source()); at != "" {
			found[lang] = strings.Trim(at, " .,;")
		}
	}
	return found
}

// heardAfter reports whether somebody may hear what is spoken after a say: a step that
// takes speech, records, or brings people together, before one that takes keys only.
func (f *subject) heardAfter(s *Step) bool {
	seen := map[string]bool{}
	for todo := []*Step{s}; len(todo) > 0; todo = todo[1:] {
		for _, e := range f.edges(todo[0]) {
			next := f.Steps[e.to]
			if next == nil || seen[e.to] {
				continue
			}
			seen[e.to] = true
			switch next.Verb.(type) {
			case *flow.Say, *flow.Set, *flow.Branch, *flow.Hours, *flow.HTTP, *flow.Message, *flow.TicketStep:
				todo = append(todo, next)
			case *flow.Menu, *flow.Collect, *flow.ConsentStep:
				if _, heard := asks(next.Verb); heard {
					return true
				}
			case *flow.End:
			default:
				return true
			}
		}
	}
	return false
}

func (f *subject) asksToSpeak(s *Step, p *flow.Prompt) {
	if f.visits[s.Name].onlyText() { // who writes says it so
		return
	}
	message, fix := "the words `%s` ask the caller to speak, but step `%s` listens to keys only", "ask for keys, or write `with: [dtmf, speech]` in step `"+s.Name+"`"
	if s.Verb.Verb() == "say" {
		message, fix = "the words `%s` ask the caller to speak, but after step `%s` nothing hears it", "ask for keys, or let a step follow that listens `with: [dtmf, speech]`"
	}
	found := askedToSpeak(f, p)
	for _, lang := range slices.Sorted(maps.Keys(found)) {
		w := p.ByLang[lang]
		f.Report(source.Warning, source.Place{Line: w.Pos.Line, Col: w.Pos.Col}, 1, "asks-to-speak", fix, message, found[lang], s.Name)
	}
}

// travels tells what a prompt costs by SMS: how many parts, and the one character without
// which they would be fewer.
func (f *subject) travels(s *Step, p *flow.Prompt, free int) {
	if p == nil {
		return
	}
	for _, lang := range f.Program.Languages {
		w := p.ByLang[lang]
		if w == nil || w.Text == nil {
			continue
		}
		at := source.Place{Line: w.Pos.Line, Col: w.Pos.Col}
		told := fmt.Sprint("sms ", at) // words that several steps send are told of once
		if f.once[told] {
			continue
		}
		text := assumed(w.Text)
		c := segment.Of(text)
		f.once[told] = c.Parts > free
		if cheaper := segment.Of(plainer(text)); c.Encoding == segment.UCS2 && cheaper.Encoding == segment.GSM7 && cheaper.Parts < c.Parts {
			f.Report(source.Warning, at, 1, "sms-encoding", "write a plain character instead",
				"by SMS step `%s` sends %d parts in %s instead of %d, because %q, character %d, is not in the GSM alphabet", s.Name, c.Parts, lang, cheaper.Parts, string(c.Culprit), c.At+1)
			continue
		}
		if c.Parts > free {
			f.Report(source.Warning, at, 1, "sms-length", "shorten it, or send a link to the rest",
				"by SMS step `%s` sends about %d parts in %s: %d characters of %s", s.Name, c.Parts, lang, len([]rune(text)), c.Encoding)
		}
	}
}

// assumed is a text with values of the assumed length.
func assumed(t *expression.Template) string {
	if literal, ok := t.Literal(); ok {
		return literal
	}
	var b strings.Builder
	rest := t.Source()
	for {
		before, after, found := strings.Cut(rest, "${")
		b.WriteString(before)
		if !found {
			return b.String()
		}
		value, following, _ := strings.Cut(after, "}")
		n := assumedValue
		if strings.TrimSpace(value) == "link.url" {
			n = assumedLink
		}
		b.WriteString(strings.Repeat("0", n))
		rest = following
	}
}

// plainer is a text with its typographic signs as a plain keyboard has them; letters of
// other scripts stay.
func plainer(text string) string {
	return strings.NewReplacer("‘", "'", "’", "'", "“", `"`, "”", `"`, "–", "-", "—", "-", "…", "...", "\u00a0", " ", "•", "*", "™", "TM", "×", "x",
		"\u200b", "", "â", "a", "ê", "e", "î", "i", "ô", "o", "û", "u", "ç", "c", "á", "a", "í", "i", "ó", "o", "ú", "u").Replace(text)
}
