package program

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

// Bounds and defaults of the verbs that reach the customer by another way.
const (
	defaultExpires = 15 * time.Minute // of a link
	maxExpires     = 7 * 24 * time.Hour
	maxLinkWait    = time.Hour // a caller holds the line meanwhile
)

var means = []string{"sms", "chat", "mail"}

// means reads how something is sent; all of them, in the order of the language page,
// where nothing is said.
func (ff *File) means(n *source.Node) []string {
	if n == nil {
		return slices.Clone(means)
	}
	return ff.oneOfEach(n, "by", "[sms, mail]", means...)
}

// oneOfEach reads a list of words, each once.
func (ff *File) oneOfEach(n *source.Node, what, example string, set ...string) []string {
	var out []string
	for _, item := range ff.List(n, what) {
		w, ok := ff.Word(item, what, set...)
		switch {
		case !ok:
		case slices.Contains(out, w):
			ff.Fail(item, "duplicate-name", "remove one", "`%s` is listed twice", w)
		default:
			out = append(out, w)
		}
	}
	if n.Kind == source.List && len(n.Items) == 0 {
		ff.Fail(n, "empty-value", "write "+example, "%s lists nothing", what)
	}
	return out
}

// mustHave reads the value of a key that must be there; nil if it is not.
func (ff *File) mustHave(n *source.Node, verb, key, fix string) *source.Node {
	v := n.Get(key)
	if v == nil {
		ff.Fail(n, "missing-key", fix, "%s has no `%s`", verb, key)
	}
	return v
}

func (ff *File) readMessage(s *step, n *source.Node) flow.Verb {
	m := &flow.Message{}
	if !ff.Fields(n, "message", "prompt", "template", "with", "by", "to", "image") {
		return m
	}
	prompt, template := n.Get("prompt"), n.Get("template")
	switch {
	case prompt == nil && template == nil:
		ff.Fail(n, "missing-key", "add `prompt: …`", "message has neither `prompt` nor `template`")
	case prompt != nil && template != nil:
		ff.Fail(template, "wrong-type", "write one of the two", "a message has a `prompt` or a `template`, which the gateway knows by name")
	case prompt != nil:
		m.Prompt = ff.prompt(prompt, "message", ff.env)
	default:
		m.Template, _ = ff.Text(template, "template")
	}
	if with := n.Get("with"); with != nil {
		if template == nil {
			ff.Fail(with, "wrong-type", "write the values into the prompt, as ${…}", "`with` fills a template, and this message has none")
		} else {
			m.With = ff.parameters(with, "a message")
		}
	}
	m.By = ff.means(n.Get("by"))
	if to := n.Get("to"); to != nil {
		m.To = ff.address(to, "to", expression.Phone, expression.Email)
	}
	if i := n.Get("image"); i != nil {
		m.Image = ff.known.Media.Image(ff.File, i)
	}
	return m
}

// parameters reads named expressions of any type; where says what they reach.
func (ff *File) parameters(n *source.Node, where string) []flow.Assignment {
	if !ff.AnyFields(n, "with", "write { name: expression }") {
		return nil
	}
	var out []flow.Assignment
	for _, e := range n.Entries {
		if !ff.GoodName(e.Key, "a parameter's name") {
			continue
		}
		if p := ff.open(e.Val, "`"+e.Key.Text+"`", nil, where); p != nil {
			out = append(out, flow.Assignment{Pos: ff.Pos(e.Key), Name: e.Key.Text, Expr: p})
		}
	}
	return out
}

// open compiles an expression whose value leaves the flow for where, so that it may not
// be secret.
func (ff *File) open(n *source.Node, what string, want *expression.Type, where string) *expression.Program {
	p := ff.compile(n, what, ff.env, want)
	if p != nil && p.Secret() {
		ff.leak(n, p.Uses(), leaving(where), where)
	}
	return p
}

// leaving tells what people read from what is only used: a mask is of no use there.
func leaving(where string) string {
	if slices.Contains([]string{"a message", "a page", "a ticket"}, where) {
		return "put"
	}
	return "use"
}

// openTemplate reads text with ${…} that may not be secret.
func (ff *File) openTemplate(n *source.Node, what, where string) *expression.Template {
	t := ff.template(n, what, ff.env)
	if t != nil && t.Secret() {
		ff.leak(n, t.Uses(), "use", where)
	}
	return t
}

// address compiles an expression that must be of one of the kinds.
func (ff *File) address(n *source.Node, what string, kinds ...expression.Kind) *expression.Program {
	src, ok := ff.Expression(n, what)
	if !ok {
		return nil
	}
	for _, k := range kinds {
		if _, err := ff.env.Compile(src, &expression.Type{Kind: k}); err == nil {
			return ff.open(n, what, &expression.Type{Kind: k}, "an address")
		}
	}
	p := ff.compile(n, what, ff.env, nil)
	if p == nil {
		return nil
	}
	want := "a phone number"
	if len(kinds) > 1 {
		want += " or a mail address"
	}
	ff.Fail(n, "wrong-type", "name a variable of type "+string(kinds[0])+", such as caller.number", "%s must be %s; this is %s", what, want, p.Type())
	return nil
}

// linkEnv is the names of a prompt that is sent with a link.
func (ff *File) linkEnv() *expression.Env {
	if ff.linked == nil {
		ff.linked = ff.env.With("link", &expression.Type{Kind: expression.Object, Fields: map[string]*expression.Type{"url": {Kind: expression.Text}}}, false)
	}
	return ff.linked
}

func (ff *File) readLink(s *step, n *source.Node) flow.Verb {
	l := &flow.LinkStep{Expires: defaultExpires}
	if !ff.Fields(n, "link", "operation", "prompt", "by", "with", "expires", "wait", "on_opened") {
		return l
	}
	var operation *flow.Operation
	if key := ff.mustHave(n, "link", "operation", "add `operation: NAME`"); key != nil {
		if name, ok := ff.Text(key, "operation"); ok {
			l.Operation = name
			s.Places["operation"] = key
			operation = ff.operation(key, name)
		}
	}
	if operation != nil && operation.Needs > s.Needs {
		s.Needs = operation.Needs
	}
	if p := ff.mustHave(n, "link", "prompt", "add `prompt: { en: \"…: ${link.url}\" }`"); p != nil {
		l.Prompt = ff.prompt(p, "link", ff.linkEnv())
		ff.hasAddress(p, l.Prompt)
	}
	l.By = ff.means(n.Get("by"))
	if with := n.Get("with"); with != nil {
		l.With = ff.prefilled(with, operation)
	}
	if d, ok := ff.Duration(n.Get("expires"), "expires", time.Minute, maxExpires); ok {
		l.Expires = d
	}
	wait := n.Get("wait")
	if d, ok := ff.Duration(wait, "wait", time.Second, maxLinkWait); ok {
		l.Wait = d
	}
	if o := n.Get("on_opened"); o != nil {
		l.OnOpened = ff.prompt(o, "on_opened", ff.env)
		if wait == nil {
			ff.Fail(o, "wrong-type", "add `wait: 3m`, or remove it", "`on_opened` is said while the step waits, and this one does not wait")
		}
	}
	return l
}

// hasAddress reports words without ${link.url}: the customer would have nothing to open.
func (ff *File) hasAddress(n *source.Node, p *flow.Prompt) {
	if p == nil {
		return
	}
	for _, lang := range namesOf(p.ByLang) {
		if w := p.ByLang[lang]; w.Text != nil && !slices.Contains(w.Text.Uses(), "link") {
			ff.Report(source.Error, source.Place{Line: w.Pos.Line, Col: w.Pos.Col}, 1, "missing-address", "write ${link.url} where the address goes", "the words sent with the link have no address in %s", lang)
		}
	}
}

// prefilled reads what the operation's forms hold when the page is opened.
func (ff *File) prefilled(n *source.Node, o *flow.Operation) []flow.Assignment {
	if !ff.AnyFields(n, "with", "write { field: expression }") || o == nil {
		return nil
	}
	types := map[string]*expression.Type{}
	for _, s := range o.Steps {
		if form := ff.known.Forms[s.Form]; form != nil {
			for _, f := range form.Value.Fields {
				types[f.Name] = f.Type
			}
		}
	}
	return ff.fill(n, types, "operation `"+o.Name+"` asks for no `%s`", "a page")
}

// fill reads expressions for named fields.
func (ff *File) fill(n *source.Node, types map[string]*expression.Type, none, where string) []flow.Assignment {
	var out []flow.Assignment
	for _, e := range n.Entries {
		t := types[e.Key.Text]
		if t == nil {
			ff.Unknown(e.Key, "unknown-field", "", e.Key.Text, namesOf(types), none, "remove it")
			continue
		}
		if p := ff.open(e.Val, "`"+e.Key.Text+"`", t, where); p != nil {
			out = append(out, flow.Assignment{Pos: ff.Pos(e.Key), Name: e.Key.Text, Expr: p})
		}
	}
	return out
}

func (ff *File) readHandoff(s *step, n *source.Node) flow.Verb {
	h := &flow.Handoff{}
	if !ff.Fields(n, "handoff", "to", "prompt", "keep_place") {
		return h
	}
	if to := ff.mustHave(n, "handoff", "to", "add `to: chat`"); to != nil {
		if w, ok := ff.Word(to, "to", "sms", "chat", "voice"); ok {
			h.To = tandem.Channel(w)
			ff.goesTo(to, w, "hands off to")
		}
	}
	if p := ff.mustHave(n, "handoff", "prompt", "add `prompt: …`"); p != nil {
		h.Prompt = ff.prompt(p, "handoff", ff.linkEnv())
	}
	if k := n.Get("keep_place"); k != nil {
		h.KeepPlace = ff.YesNo(k, "keep_place")
	}
	return h
}

// goesTo reports a channel that the flow goes to and does not list (rule 6).
func (ff *File) goesTo(n *source.Node, channel, how string) {
	if len(ff.Flow.Channels) > 0 && !slices.Contains(ff.Flow.Channels, tandem.Channel(channel)) {
		ff.Fail(n, "channel", fmt.Sprintf("add %s to `channels`", channel), "step `%s` %s %s, which the flow's `channels` do not list", ff.current.Name, how, channel)
	}
}

func (ff *File) readIdentify(s *step, n *source.Node) flow.Verb {
	i := &flow.IdentifyStep{}
	if !ff.Fields(n, "identify", "level", "by", "fallback", "check") {
		return i
	}
	if l := ff.mustHave(n, "identify", "level", "add `level: verified`"); l != nil {
		if w, ok := ff.Word(l, "level", "recognised", "verified", "proofed"); ok {
			i.Level, _ = tandem.ParseAssurance(w)
		}
	}
	methods := []string{flow.ByCode, flow.ByPIN, flow.ByQuestions, flow.ByVideo}
	if by := ff.mustHave(n, "identify", "by", "add `by: [code]`"); by != nil {
		i.By = ff.oneOfEach(by, "by", "[code]", methods...)
		for _, item := range ff.List(by, "by") {
			ff.gives(item, i.Level)
		}
	}
	if f := n.Get("fallback"); f != nil {
		if w, ok := ff.Word(f, "fallback", methods...); ok {
			i.Fallback = w
			ff.gives(f, i.Level)
			if slices.Contains(i.By, w) {
				ff.Fail(f, "duplicate-name", "name another, or remove it", "`%s` is one of `by` already", w)
			}
		}
	}
	ff.readCheck(i, n)
	return i
}

// readCheck reads how video proves who a customer is, where it is among the methods.
func (ff *File) readCheck(i *flow.IdentifyStep, n *source.Node) {
	c := n.Get("check")
	byVideo := i.Fallback == flow.ByVideo || slices.Contains(i.By, flow.ByVideo)
	switch {
	case c != nil && !byVideo:
		ff.Fail(n.KeyOf("check"), "unknown-key", "add `video` to `by`, or remove it", "an identity check is made by video, which is none of the methods")
	case c != nil:
		if name, ok := ff.Name(c, "an identity check's name"); ok {
			i.Check = ff.check(c, name, i.Level)
		}
	case byVideo:
		for _, at := range append(ff.List(n.Get("by"), "by"), n.Get("fallback")) {
			if at != nil && at.Text == flow.ByVideo {
				i.Check = ff.check(at, "", i.Level)
			}
		}
	}
}

func (ff *File) readResume(s *step, n *source.Node) flow.Verb {
	if n.Kind == source.Null && n.Text != "null" {
		return &flow.ResumeStep{}
	}
	if n.Kind != source.Map {
		ff.Fail(n, "wrong-type", "write `resume: {}`", "resume has no fields: the program asks for the number in words of its own")
		return &flow.ResumeStep{}
	}
	for _, e := range n.Entries {
		ff.Fail(e.Key, "unknown-key", "write `resume: {}`; put words of your own into a `say` before it", "resume has no `%s`: the program asks for the number in words of its own", e.Key.Text)
	}
	return &flow.ResumeStep{}
}

// gives reports a method that cannot give the level.
func (ff *File) gives(n *source.Node, level tandem.Assurance) {
	if have := flow.Gives(n.Text); n.Kind == source.Text && have > tandem.None && have < level {
		ff.Fail(n, "method-level", "write video, or a lower level", "`%s` gives %s, and this step is to give %s", n.Text, have, level)
	}
}

func (ff *File) readClassify(s *step, n *source.Node) flow.Verb {
	c := &flow.Classify{}
	if !ff.Fields(n, "classify", "classifier", "text", "into") {
		return c
	}
	var rules *flow.Classifier
	if key := ff.mustHave(n, "classify", "classifier", "add `classifier: NAME`"); key != nil {
		if name, ok := ff.Text(key, "classifier"); ok {
			c.Classifier = name
			rules = ff.classifier(key, name)
		}
	}
	if t := ff.mustHave(n, "classify", "text", "add `text: VARIABLE`"); t != nil {
		c.Text = ff.open(t, "text", &expression.Type{Kind: expression.Text}, "a classifier")
	}
	into := ff.mustHave(n, "classify", "into", "add `into: { request: VARIABLE }`")
	if into == nil || !ff.Fields(into, "into", flow.Facets()...) {
		return c
	}
	if len(into.Entries) == 0 {
		ff.Fail(into, "empty-value", "write { request: VARIABLE }", "classify keeps nothing")
	}
	for _, e := range into.Entries {
		if v := ff.variable(e.Val, "into"); v != nil && slices.Contains(flow.Facets(), e.Key.Text) {
			c.Into = append(c.Into, flow.Facet{Pos: ff.Pos(e.Key), Facet: e.Key.Text, Into: v.Name})
			ff.holdsFacet(e, v, rules)
		}
	}
	return c
}

// holdsFacet checks that a variable can hold whatever the rules set.
func (ff *File) holdsFacet(e source.Entry, v *flow.Variable, rules *flow.Classifier) {
	switch v.Type.Kind {
	case expression.Text:
	case expression.Enum:
		if rules == nil {
			return
		}
		for _, r := range rules.Rules {
			if value, ok := r.Set[e.Key.Text]; ok && !slices.Contains(v.Type.Values, value) {
				ff.Fail(e.Val, "wrong-type", fmt.Sprintf("add `%s` to the values of `%s`, or declare it as text", value, v.Name), "classifier `%s` may find the %s `%s`, which `%s` cannot hold", rules.Name, e.Key.Text, value, v.Name)
				return
			}
		}
	default:
		ff.Fail(e.Val, "wrong-type", "declare it as text or as an enum", "`%s` is %s; what a classifier finds is text", v.Name, v.Type.Kind)
	}
}

func (ff *File) readAnswer(s *step, n *source.Node) flow.Verb {
	a := &flow.Answer{MinScore: flow.DefaultMinScore}
	if !ff.Fields(n, "answer", "knowledge", "text", "min_score") {
		return a
	}
	if key := ff.mustHave(n, "answer", "knowledge", "add `knowledge: NAME`"); key != nil {
		if name, ok := ff.Text(key, "knowledge"); ok {
			a.Knowledge = name
			ff.knowledge(key, name)
		}
	}
	if t := ff.mustHave(n, "answer", "text", "add `text: VARIABLE`"); t != nil {
		a.Text = ff.open(t, "text", &expression.Type{Kind: expression.Text}, "a knowledge folder")
	}
	if m := n.Get("min_score"); m != nil {
		score, err := strconv.ParseFloat(m.Text, 64)
		switch {
		case m.Kind == source.Null:
			ff.Empty(m, "min_score")
		case m.Kind != source.Text || err != nil || !jsonNumber.MatchString(m.Text):
			ff.Fail(m, "wrong-type", "write 0.5", "min_score is a number from 0 to 1")
		case score < 0 || score > 1:
			ff.Fail(m, "out-of-range", "write 0.5 for half of an article's words", "min_score is from 0 to 1; this is %s", m.Text)
		default:
			a.MinScore = score
		}
	}
	return a
}
