package beside

import (
	"errors"
	"regexp"
	"slices"
	"strings"

	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

const (
	maxReplies   = 1000 // of one file: nobody finds more by name
	maxReplyText = 2000 // characters of one, as an agent may write
)

// Answers are the variables of flows, as replies may name them.
type Answers struct {
	env *expression.Env
	two map[string][2]*flow.Variable // of different types in different flows
	of  map[string]string            // the flow that a variable is of
}

// NewAnswers makes them of all flows, in their order. settings nil means that they are not
// known here.
func NewAnswers(flows []*flow.Flow, settings map[string]any) *Answers {
	a := &Answers{env: expression.NewEnv(), two: map[string][2]*flow.Variable{}, of: map[string]string{}}
	first := map[string]*flow.Variable{}
	secret := map[string]bool{}
	for _, f := range flows {
		for _, v := range slices.Concat(f.Inputs, f.Vars) {
			secret[v.Name] = secret[v.Name] || v.Secrecy != flow.Open
			t, was := v.Type, first[v.Name]
			switch {
			case was == nil:
				first[v.Name], a.of[v.Name] = v, f.Name
			case was.Type.String() != t.String():
				a.two[v.Name] = [2]*flow.Variable{was, v}
				t = &expression.Type{Kind: expression.Any}
			}
			a.env.Declare(v.Name, t, secret[v.Name])
		}
	}
	text := func(names ...string) *expression.Type {
		t := &expression.Type{Kind: expression.Object, Fields: map[string]*expression.Type{}}
		for _, name := range names {
			t.Fields[name] = &expression.Type{Kind: expression.Text}
		}
		return t
	}
	for name, t := range map[string]*expression.Type{
		"customer": text("name", "phone"), "interaction": text("number"), "agent": text("name"), "queue": text("name"),
		"channel": {Kind: expression.Text}, "lang": {Kind: expression.Text}, "now": {Kind: expression.DateTime},
	} {
		a.env.Declare(name, t, false)
	}
	known := &expression.Type{Kind: expression.Any}
	if settings != nil {
		known = expression.Infer(settings)
	}
	a.env.Declare("settings", known, false)
	return a
}

// Replies reads a replies file: texts that agents send by name. queue looks a queue up.
// Each reply is handed to take with the node of its name.
func Replies(f *source.File, a *Answers, queue func(n *source.Node, name string), take func(n *source.Node, r *flow.Reply)) {
	f.Fields(f.Root, "a replies file", "replies")
	n := f.Root.Get("replies")
	if n == nil {
		f.Fail(&source.Node{At: f.Root.At}, "missing-key", "add `replies: { hello: { text: { en: \"…\" } } }`", "the file has no `replies`")
		return
	}
	if !f.AnyFields(n, "replies", "write { hello: { text: { en: \"…\" } } }") {
		return
	}
	if len(n.Entries) == 0 {
		f.Fail(n, "empty-value", "write { hello: { text: { en: \"…\" } } }", "the file has no replies")
	}
	if len(n.Entries) > maxReplies {
		f.Fail(n, "out-of-range", "make several files", "a replies file has up to %d replies; this has %d", maxReplies, len(n.Entries))
		return
	}
	var all []*flow.Reply
	for _, e := range n.Entries {
		if !f.GoodName(e.Key, "a reply's name") || !f.Fields(e.Val, "reply `"+e.Key.Text+"`", "text", "queues") {
			continue
		}
		r := &flow.Reply{Name: e.Key.Text, Pos: f.Pos(e.Key), ByLang: map[string]*expression.Template{}}
		if q := e.Val.Get("queues"); q != nil {
			for _, item := range f.List(q, "queues") {
				if name, ok := f.Name(item, "a queue's name"); ok {
					queue(item, name)
					r.Queues = append(r.Queues, name)
				}
			}
			if q.Kind == source.List && len(q.Items) == 0 {
				f.Fail(q, "empty-value", "name a queue, or leave `queues` out for all", "the list is empty")
			}
		}
		if t := e.Val.Get("text"); t == nil {
			f.Fail(e.Val, "missing-key", "add `text: { en: \"…\" }`", "reply `%s` has no `text`", r.Name)
		} else if f.AnyFields(t, "text", "write { en: \"…\" }") {
			replyTexts(f, a, t, r)
		}
		take(e.Key, r)
		all = append(all, r)
	}
	lacking(f, n, all)
}

// replyTexts reads a reply's texts by language.
func replyTexts(f *source.File, a *Answers, n *source.Node, r *flow.Reply) {
	if len(n.Entries) == 0 {
		f.Fail(n, "empty-value", "write { en: \"…\" }", "reply `%s` has no words", r.Name)
	}
	for _, e := range n.Entries {
		if !source.IsLanguage(e.Key.Text) {
			f.Fail(e.Key, "language", "write a tag such as en or zh-CN", "`%s` is no language tag", e.Key.Text)
			continue
		}
		if t := a.text(f, e.Val, r.Name); t != nil {
			r.Langs, r.ByLang[e.Key.Text] = append(r.Langs, e.Key.Text), t
		}
	}
}

// text reads one text of a reply.
func (a *Answers) text(f *source.File, n *source.Node, name string) *expression.Template {
	s, ok := f.Text(n, "reply `"+name+"`")
	if !ok {
		return nil
	}
	if len([]rune(s)) > maxReplyText {
		f.Fail(n, "out-of-range", "make two replies of it", "a reply has up to %d characters; this has %d", maxReplyText, len([]rune(s)))
		return nil
	}
	t, err := a.env.Template(s)
	if err != nil {
		var e *expression.Error
		if errors.As(err, &e) {
			f.FailWithin(n, e.Col, "expression", e.Hint, "%s", e.Message)
		} else {
			f.Fail(n, "expression", "", "%v", err)
		}
		return nil
	}
	for _, used := range t.Uses() {
		if two, ok := a.two[used]; ok {
			f.FailWithin(n, len([]rune(s[:max(strings.Index(s, used), 0)]))+1, "expression", "give the two variables one type, or one of them another name",
				"`%s` is %s in one flow and %s in another", used, two[0].Type, two[1].Type)
			return nil
		}
	}
	if t.Secret() {
		f.Fail(n, "secret-leak", "leave it out, or write mask(…)", "a secret would be sent in a reply")
		return nil
	}
	a.unfilled(f, n, s)
	return t
}

var (
	filledIn  = regexp.MustCompile(`\$?\$\{[^}]*\}`)
	notFilled = regexp.MustCompile(`\{\{? *([a-z][a-z0-9_.]*) *\}?\}`)
)

// unfilled reports a name in braces without its $.
func (a *Answers) unfilled(f *source.File, n *source.Node, s string) {
	text := filledIn.ReplaceAllStringFunc(s, func(s string) string { return strings.Repeat(" ", len(s)) })
	for _, m := range notFilled.FindAllStringSubmatchIndex(text, -1) {
		name := text[m[2]:m[3]]
		if _, err := a.env.Compile(name, nil); err == nil {
			f.FailWithin(n, len([]rune(s[:m[0]]))+1, "placeholder", "write ${"+name+"}", "`%s` is sent as it stands: nothing is filled in there", s[m[0]:m[1]])
			return
		}
	}
}

// lacking warns of a reply that has no words in a language which others of its file have.
func lacking(f *source.File, n *source.Node, all []*flow.Reply) {
	var langs []string
	for _, r := range all {
		for _, l := range r.Langs {
			if !slices.Contains(langs, l) {
				langs = append(langs, l)
			}
		}
	}
	for _, r := range all {
		for _, l := range langs {
			if _, ok := r.ByLang[l]; !ok && len(r.Langs) > 0 && n.Get(r.Name).Get("text").Get(l) == nil {
				f.Report(source.Warning, source.Place{Line: r.Pos.Line, Col: r.Pos.Col}, len([]rune(r.Name)), "missing-language", "add `"+l+": \"…\"`",
					"reply `%s` has no words in %s; %s is used instead", r.Name, l, r.Langs[0])
			}
		}
	}
}
