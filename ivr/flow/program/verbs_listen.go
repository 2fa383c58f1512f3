package program

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

// Bounds of listening.
const (
	maxTries   = 10
	maxDigits  = 64
	maxTimeout = 7 * 24 * time.Hour
	maxKeys    = 8 // of one choice
	maxChoices = 64
	maxPhrases = 100 // of one choice or command in one language
	maxDynamic = 9   // keys 1 to 9, one digit each, so that none begins another
)

var listenKeys = []string{"with", "barge_in", "type_ahead", "tries", "timeout", "retry_prompts"}

func listening(own ...string) []string { return append(own, listenKeys...) }

// listen reads the listening fields of n over those in l.
func (ff *File) listen(n *source.Node, l flow.Listen) flow.Listen {
	if with := n.Get("with"); with != nil {
		l.DTMF, l.Speech = false, false
		for _, item := range ff.List(with, "with") {
			switch w, _ := ff.Word(item, "with", "dtmf", "speech"); w {
			case "dtmf":
				l.DTMF = true
			case "speech":
				l.Speech = true
			}
		}
		if with.Kind == source.List && len(with.Items) == 0 {
			ff.Fail(with, "empty-value", "write [dtmf]", "with lists nothing to listen to")
		}
		ff.checkSpeech(with, l)
	}
	if w, ok := ff.Word(n.Get("barge_in"), "barge_in", "none", "dtmf", "speech", "any"); ok {
		l.BargeIn = flow.BargeIn(w)
	}
	if t := n.Get("type_ahead"); t != nil {
		l.TypeAhead = ff.YesNo(t, "type_ahead")
	}
	if tries, ok := ff.Count(n.Get("tries"), "tries", 1, maxTries); ok {
		l.Tries = tries
	}
	l.Timeout = maps.Clone(l.Timeout)
	if t := n.Get("timeout"); t != nil {
		if t.Kind == source.Map {
			ff.Fields(t, "timeout", channels...)
			for _, e := range t.Entries {
				if d, ok := ff.Duration(e.Val, "timeout", 500*time.Millisecond, maxTimeout); ok && slices.Contains(channels, e.Key.Text) {
					l.Timeout[tandem.Channel(e.Key.Text)] = d
				}
			}
		} else if d, ok := ff.Duration(t, "timeout", 500*time.Millisecond, maxTimeout); ok {
			l.Timeout[tandem.Voice] = d
		}
	}
	if r := n.Get("retry_prompts"); r != nil {
		l.Retry = nil
		for _, item := range ff.List(r, "retry_prompts") {
			if p := ff.prompt(item, "retry_prompts", ff.env); p != nil {
				l.Retry = append(l.Retry, p)
			}
		}
	}
	return l
}

// checkSpeech looks for languages nobody can recognise.
func (ff *File) checkSpeech(n *source.Node, l flow.Listen) {
	if !l.Speech {
		return
	}
	var deaf []string
	for _, lang := range ff.Flow.Languages {
		if !ff.known.Speech[lang] {
			deaf = append(deaf, lang)
		}
	}
	switch {
	case len(deaf) == 0:
	case !l.DTMF:
		ff.Fail(n, "no-recogniser", "write [dtmf, speech]", "only speech is listened to, but no recogniser is configured for %s", strings.Join(deaf, ", "))
	default:
		ff.Warn(n, "no-recogniser", "configure a recogniser, or remove speech", "speech is not heard: no recogniser is configured for %s", strings.Join(deaf, ", "))
	}
}

func (ff *File) readSay(s *step, n *source.Node) flow.Verb {
	say := &flow.Say{BargeIn: ff.Flow.Defaults.BargeIn}
	sayKeys := []string{"prompt", "barge_in", "image", "announces"}
	byFields := n.Kind == source.Map && slices.ContainsFunc(n.Entries, func(e source.Entry) bool { return slices.Contains(sayKeys, e.Key.Text) })
	if !byFields {
		say.Prompt = ff.prompt(n, "say", ff.env)
		return say
	}
	ff.Fields(n, "say", sayKeys...)
	say.Prompt = ff.needPrompt(n, "say")
	if w, ok := ff.Word(n.Get("barge_in"), "barge_in", "none", "dtmf", "speech", "any"); ok {
		say.BargeIn = flow.BargeIn(w)
	}
	if w, ok := ff.Word(n.Get("announces"), "announces", "recording"); ok {
		say.Announces = w
	}
	if i := n.Get("image"); i != nil {
		image := ff.known.Media.Image(ff.File, i)
		say.Prompt = withImage(say.Prompt, image)
	}
	return say
}

// withImage is a prompt that shows an image in each language.
func withImage(p *flow.Prompt, image string) *flow.Prompt {
	if p == nil || image == "" {
		return p
	}
	out := *p
	out.ByLang = map[string]*flow.Words{}
	for lang, w := range p.ByLang {
		words := *w
		words.Image = image
		out.ByLang[lang] = &words
	}
	return &out
}

// needPrompt reads the field prompt, which must be there.
func (ff *File) needPrompt(n *source.Node, verb string) *flow.Prompt {
	p := n.Get("prompt")
	if p == nil {
		ff.Fail(n, "missing-key", "add `prompt: …`", "%s has no `prompt`", verb)
		return nil
	}
	return ff.prompt(p, verb, ff.env)
}

func (ff *File) readMenu(s *step, n *source.Node) flow.Verb {
	m := &flow.Menu{Listen: ff.Flow.Defaults}
	if !ff.Fields(n, "menu", listening("prompt", "choices")...) {
		return m
	}
	m.Listen = ff.listen(n, m.Listen)
	m.Prompt = ff.needPrompt(n, "menu")
	choices := n.Get("choices")
	switch {
	case choices == nil:
		ff.Fail(n, "missing-key", "add `choices: [ { keys: \"1\", go: … } ]`", "menu has no `choices`")
	case choices.Kind == source.Map:
		m.From = ff.dynamicChoices(choices)
	default:
		items := ff.List(choices, "choices")
		if choices.Kind == source.List && len(items) == 0 {
			ff.Fail(choices, "empty-value", "", "the menu has nothing to choose from")
		}
		if len(items) > maxChoices {
			ff.Fail(choices, "out-of-range", "make several menus", "a menu has up to %d choices; this has %d", maxChoices, len(items))
			items = items[:maxChoices]
		} else if choices.Kind == source.List {
			s.Places["choices"] = choices
		}
		for i, item := range items {
			if c := ff.choice(s, i, item, m); c != nil {
				m.Choices = append(m.Choices, c)
			}
		}
	}
	return m
}

func (ff *File) choice(s *step, i int, n *source.Node, m *flow.Menu) *flow.Choice {
	if !ff.Fields(n, "a choice", "keys", "phrases", "label", "go") {
		return nil
	}
	c := &flow.Choice{Pos: ff.Pos(n), Keys: ff.keys(n.Get("keys")), Phrases: ff.phrases(n.Get("phrases"))}
	if l := n.Get("label"); l != nil {
		c.Label = ff.prompt(l, "label", ff.env)
	}
	c.Go = ff.needTarget(n, "a choice")
	s.Places["choice "+strconv.Itoa(i+1)] = n.Get("go")
	voice := slices.Contains(ff.Flow.Channels, tandem.Voice)
	switch {
	case n.Get("keys") == nil && (voice && !m.Speech || len(c.Phrases) == 0 && c.Label == nil):
		ff.Fail(n, "missing-key", "add `keys: \"1\"`", "no caller can take this choice: it has no `keys`")
	case len(ff.Flow.Channels) > 0 && !(voice && len(ff.Flow.Channels) == 1) && c.Label == nil:
		for _, lang := range ff.Flow.Languages {
			if n.Get("phrases") == nil || n.Get("phrases").Get(lang) == nil {
				ff.Warn(n, "missing-label", "add `label` or `phrases`", "in text this choice has nothing to be shown by in %s", lang)
				break
			}
		}
	}
	return c
}

// needTarget reads the field go, which must be there.
func (ff *File) needTarget(n *source.Node, what string) string {
	to := n.Get("go")
	if to == nil {
		ff.Fail(n, "missing-key", "add `go: STEP`", "%s has no `go`", what)
		return ""
	}
	return ff.target(to, "go")
}

func (ff *File) dynamicChoices(n *source.Node) *flow.DynamicChoices {
	ff.Fields(n, "choices", "from", "as", "label", "max", "into", "go")
	d := &flow.DynamicChoices{Pos: ff.Pos(n), Max: maxDynamic, Go: ff.needTarget(n, "choices")}
	for _, k := range []string{"from", "as", "label", "into"} {
		if n.Get(k) == nil {
			ff.Fail(n, "missing-key", "write { from: slots, as: slot, label: …, into: chosen, go: STEP }", "choices has no `%s`", k)
		}
	}
	var elem *expression.Type
	if from := n.Get("from"); from != nil {
		d.From = ff.compile(from, "from", ff.env, &expression.Type{Kind: expression.List})
		if d.From != nil {
			if d.From.Secret() {
				ff.leak(from, d.From.Uses(), "offer", "a menu")
			}
			elem = d.From.Type().Elem
		}
	}
	if elem == nil {
		elem = &expression.Type{Kind: expression.Any}
	}
	if as := n.Get("as"); as != nil {
		if name, ok := ff.Name(as, "as"); ok && ff.freeName(as) {
			d.As = name
			if l := n.Get("label"); l != nil {
				key := &expression.Type{Kind: expression.Digits} // what to press for it
				d.Label = ff.prompt(l, "label", ff.env.With(name, elem, false).With("key", key, false))
			}
		}
	}
	if m, ok := ff.Count(n.Get("max"), "max", 1, maxDynamic); ok {
		d.Max = m
	}
	if into := n.Get("into"); into != nil {
		if v := ff.variable(into, "into"); v != nil {
			d.Into = v.Name
			ff.takesElement(into, v, elem)
		}
	}
	return d
}

// takesElement checks that a variable can hold what is chosen from a list.
func (ff *File) takesElement(n *source.Node, v *flow.Variable, elem *expression.Type) {
	if why, _ := elem.Misfit(v.Type); why != "" {
		ff.Fail(n, "wrong-type", fmt.Sprintf("name a variable of type %s", elem), "`%s` cannot hold what is chosen: %s", v.Name, why)
	}
}

var keysForm = regexp.MustCompile(`^[0-9*#A-D]+$`)

// inPlain writes full-width signs as a plain keyboard does.
func inPlain(s string) string {
	return strings.Map(func(r rune) rune {
		if plain := source.Plain(r); plain != 0 {
			return plain
		}
		return r
	}, s)
}

// keys reads what a caller presses.
func (ff *File) keys(n *source.Node) string {
	if n == nil {
		return ""
	}
	s, ok := ff.Text(n, "keys")
	if !ok {
		return ""
	}
	if !keysForm.MatchString(s) || len(s) > maxKeys {
		fix := "write digits, * or #, such as \"1\" or \"*0\""
		if plain := inPlain(s); plain != s && keysForm.MatchString(plain) {
			fix = fmt.Sprintf("write \"%s\", with the keyboard in English", plain)
		}
		ff.Fail(n, "keys", fix, "`%s` cannot be pressed on a phone, or has more than %d keys", s, maxKeys)
		return ""
	}
	return s
}

// phrases reads what a caller says or types, by language.
func (ff *File) phrases(n *source.Node) map[string][]string {
	if n == nil || !ff.AnyFields(n, "phrases", "write { en: [card] }") {
		return nil
	}
	out := map[string][]string{}
	for _, e := range n.Entries {
		if !ff.speaks(e.Key) {
			continue
		}
		items := []*source.Node{e.Val}
		if e.Val.Kind == source.List {
			items = e.Val.Items
		}
		if len(items) > maxPhrases {
			ff.Fail(e.Val, "out-of-range", "keep those that people say", "there are up to %d phrases in one language; these are %d", maxPhrases, len(items))
			continue
		}
		for _, item := range items {
			if s, ok := ff.Text(item, "a phrase"); ok {
				if strings.TrimSpace(s) == "" {
					ff.Fail(item, "empty-value", "", "a phrase is empty")
					continue
				}
				out[e.Key.Text] = append(out[e.Key.Text], s)
			}
		}
	}
	return out
}

// typeable are the types an answer can be given in.
var typeable = []string{"text", "digits", "int", "decimal", "money", "date", "time", "bool", "phone", "email"}

var digitsForm = regexp.MustCompile(`^([0-9]{1,3})(?:\.\.([0-9]{1,3}))?$`)

func (ff *File) readCollect(s *step, n *source.Node) flow.Verb {
	c := &flow.Collect{Listen: ff.Flow.Defaults}
	if !ff.Fields(n, "collect", listening("prompt", "into", "type", "digits", "pattern", "confirm", "secret")...) {
		return c
	}
	c.Listen = ff.listen(n, c.Listen)
	c.Prompt = ff.needPrompt(n, "collect")
	c.Type = &expression.Type{Kind: expression.Text}
	if into := n.Get("into"); into == nil {
		ff.Fail(n, "missing-key", "add `into: VARIABLE`", "collect has no `into`")
	} else if v := ff.variable(into, "into"); v != nil {
		c.Into, c.Type, c.Secrecy = v.Name, v.Type, v.Secrecy
		ff.collectable(into, v)
		ff.collectSecret(n.Get("secret"), v)
	}
	if t := n.Get("type"); t != nil {
		if w, ok := ff.Word(t, "type", typeable...); ok && c.Into != "" && expression.Kind(w) != c.Type.Kind {
			if c.Type.Kind != expression.Text {
				ff.Fail(t, "wrong-type", fmt.Sprintf("write `type: %s`, or remove it", c.Type.Kind), "`%s` has type %s", c.Into, c.Type.Kind)
			} else {
				c.Type = &expression.Type{Kind: expression.Kind(w)}
			}
		}
	}
	ff.collectForm(n, c)
	if confirm := n.Get("confirm"); confirm != nil {
		c.Confirm = ff.prompt(confirm, "confirm", ff.env)
	}
	return c
}

// collectable refuses types nobody can type.
func (ff *File) collectable(into *source.Node, v *flow.Variable) {
	switch v.Type.Kind {
	case expression.List, expression.Object, expression.Recording:
		ff.Fail(into, "wrong-type", "collect into text, digits or a number", "`%s` is %s, which nobody can type", v.Name, v.Type.Kind)
	}
}

func (ff *File) collectSecret(n *source.Node, v *flow.Variable) {
	if n == nil {
		return
	}
	want := n.Kind == source.Text && n.Text == "ephemeral" || ff.YesNo(n, "secret")
	switch {
	case want && v.Secrecy == flow.Open:
		ff.Fail(n, "secret", fmt.Sprintf("write `%s: { type: %s, secret: true }` under vars", v.Name, v.Type.Kind), "the answer is secret, but `%s` is not", v.Name)
	case want && n.Text == "ephemeral" && v.Secrecy != flow.Ephemeral:
		ff.Fail(n, "secret", fmt.Sprintf("write `%s: { type: %s, secret: ephemeral }` under vars", v.Name, v.Type.Kind), "the answer must never be stored, but `%s` is", v.Name)
	case !want && v.Secrecy != flow.Open:
		ff.Fail(n, "secret", "remove it", "`%s` is secret, and so is the answer", v.Name)
	}
}

// collectForm reads how the answer must look.
func (ff *File) collectForm(n *source.Node, c *flow.Collect) {
	if d := n.Get("digits"); d != nil {
		parts := digitsForm.FindStringSubmatch(d.Text)
		if d.Kind != source.Text || parts == nil {
			ff.Fail(d, "digits", "write 6, or 16..19 for a range", "digits is a count or a range")
		} else {
			c.Min, _ = strconv.Atoi(parts[1])
			c.Max = c.Min
			if parts[2] != "" {
				c.Max, _ = strconv.Atoi(parts[2])
			}
			if c.Min < 1 || c.Max < c.Min || c.Max > maxDigits {
				ff.Fail(d, "out-of-range", "", "digits is from 1 to %d, the smaller number first", maxDigits)
			}
		}
	}
	if p := n.Get("pattern"); p != nil {
		if src, ok := ff.Text(p, "pattern"); ok {
			if _, err := regexp.Compile(`^(?:` + src + `)$`); err != nil {
				ff.Fail(p, "pattern", "use RE2 syntax, without look-ahead and back-references", "the pattern cannot be read: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
			} else if len(src) > 1000 {
				ff.Fail(p, "pattern", "", "the pattern is longer than 1000 characters")
			} else {
				c.Pattern = src
			}
		}
	}
}

func (ff *File) readLanguage(s *step, n *source.Node) flow.Verb {
	l := &flow.Language{Listen: ff.Flow.Defaults}
	if !ff.Fields(n, "language", listening("by", "prompt", "set")...) {
		return l
	}
	by, set := n.Get("by"), n.Get("set")
	switch {
	case by != nil && set != nil:
		ff.Fail(set, "wrong-type", "write one of the two", "language either finds the language (`by`) or sets it (`set`)")
	case set != nil:
		if tag, ok := ff.Text(set, "set"); ok {
			ff.speaks(set)
			l.Set = tag
		}
	case by != nil:
		l.Listen = ff.listen(n, l.Listen)
		for _, item := range ff.List(by, "by") {
			if w, ok := ff.Word(item, "by", "caller", "browser", "menu"); ok {
				l.By = append(l.By, w)
			}
		}
		if p := n.Get("prompt"); p != nil {
			l.Prompt = ff.prompt(p, "language", ff.env)
		}
		if slices.Contains(l.By, "menu") && n.Get("prompt") == nil {
			ff.Fail(n, "missing-key", "add `prompt: { en: \"For English, press 1. …\" }`", "language by menu has no `prompt`")
		}
	default:
		ff.Fail(n, "missing-key", "write { by: [caller, menu], prompt: … } or { set: en }", "language has neither `by` nor `set`")
	}
	return l
}

func (ff *File) readConsent(s *step, n *source.Node) flow.Verb {
	c := &flow.ConsentStep{Listen: ff.Flow.Defaults}
	if !ff.Fields(n, "consent", listening("kind", "prompt")...) {
		return c
	}
	c.Listen = ff.listen(n, c.Listen)
	c.Prompt = ff.needPrompt(n, "consent")
	if k := n.Get("kind"); k == nil {
		ff.Fail(n, "missing-key", "add `kind: recording`", "consent has no `kind`")
	} else if w, ok := ff.Word(k, "kind", "recording", "data", "video"); ok {
		c.Kind = w
	}
	return c
}
