package program

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/check"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

// File is one flow while it is read.
type File struct {
	*Document
	Flow    *flow.Flow
	env     *expression.Env
	linked  *expression.Env         // env and `link`; nil until it is needed
	names   map[string]*source.Node // steps, by name: known before any is read
	Checked *check.Flow             // what the checks over whole flows will need
	prompts map[string]*promptInfo
	current *step // being read; nil outside steps
	body    bool  // Body has run
}

// step is a step with its body, while it is read.
type step struct {
	*check.Step
	body *source.Node
}

const maxLanguages = 50

var (
	flowKeys = []string{"flow", "channels", "languages", "start", "on_leave", "on_error", "inputs", "vars", "defaults", "prompts", "commands", "outcomes", "returns", "steps"}
	channels = []string{string(tandem.Voice), string(tandem.Chat), string(tandem.SMS)}
)

// Head begins a flow: it reads what other flows need to know of this one, and its names.
func (k *Known) Head(f *Document) {
	gather(f)
	f.Fields(f.Root, "a flow file", flowKeys...)
	ff := &File{
		Document: f, Flow: &flow.Flow{Pos: f.Pos(f.Root)}, names: map[string]*source.Node{}, prompts: map[string]*promptInfo{},
	}
	ff.Checked = &check.Flow{File: f.File, Program: ff.Flow, Steps: map[string]*check.Step{}}
	ff.need("flow", "channels", "languages", "start", "steps")
	if n := f.Root.Get("flow"); n != nil {
		if name, ok := f.Name(n, "the flow's name"); ok {
			if other := k.Flows[name]; other != nil {
				f.Fail(n, "duplicate-name", "give one of the two another name", "flow `%s` is also in %s", name, other.Path)
			} else {
				ff.Flow.Name = name
				k.Flows[name] = ff
			}
		}
	}
	if ff.Flow.Name == "" {
		ff.Flow.Name = strings.TrimSuffix(f.Base, ".flow.yaml")
		k.Flows[Nameless(f.Base)] = ff // read on for its other mistakes, but nobody can call it
	}
	ff.readChannels(f.Root.Get("channels"))
	ff.readLanguages(f.Root.Get("languages"))
	ff.readEnv()
	ff.readOutcomes()
	if steps := f.Root.Get("steps"); steps != nil && steps.Kind == source.Map {
		for _, e := range steps.Entries {
			ff.names[e.Key.Text] = e.Key
		}
	}
}

// Nameless is the key of a flow whose name could not be read.
func Nameless(file string) string { return " " + file }

// need reports keys that must be there.
func (ff *File) need(keys ...string) {
	for _, k := range keys {
		if ff.Root.Get(k) == nil {
			ff.Fail(&source.Node{At: ff.Root.At}, "missing-key", fmt.Sprintf("add a line `%s: …`", k), "the flow has no `%s`", k)
		}
	}
}

func (ff *File) readChannels(n *source.Node) {
	for _, item := range ff.List(n, "channels") {
		if w, ok := ff.Word(item, "channels", channels...); ok && !slices.Contains(ff.Flow.Channels, tandem.Channel(w)) {
			ff.Flow.Channels = append(ff.Flow.Channels, tandem.Channel(w))
		}
	}
	if n != nil && n.Kind == source.List && len(n.Items) == 0 {
		ff.Fail(n, "empty-value", "write [voice]", "channels lists nothing")
	}
}

func (ff *File) readLanguages(n *source.Node) {
	items := ff.List(n, "languages")
	if len(items) > maxLanguages {
		ff.Fail(n, "out-of-range", "make a flow for each part of the world", "a flow speaks up to %d languages; this lists %d", maxLanguages, len(items))
		items = items[:maxLanguages]
	}
	for _, item := range items {
		l, ok := ff.Text(item, "a language")
		if !ok && item.Kind == source.Text { // one error is enough
			ff.Flow.Languages = append(ff.Flow.Languages, item.Text)
		}
		if ok && !source.IsLanguage(l) {
			ff.Fail(item, "language", "write a tag such as en or zh-CN", "`%s` is no language tag", l)
		} else if ok && !slices.Contains(ff.Flow.Languages, l) {
			ff.Flow.Languages = append(ff.Flow.Languages, l)
		}
	}
	if n != nil && n.Kind == source.List && len(n.Items) == 0 {
		ff.Fail(n, "empty-value", "write [en]", "languages lists nothing")
	}
}

// speaks checks that n is one of the flow's languages. If none could be read, that is
// the mistake that was reported.
func (ff *File) speaks(n *source.Node) bool {
	known := slices.Contains(ff.Flow.Languages, n.Text)
	if !known && len(ff.Flow.Languages) > 0 {
		ff.Fail(n, "unknown-language", source.DidYouMean(n.Text, ff.Flow.Languages), "`%s` is not one of the flow's languages", n.Text)
	}
	return known
}

func (ff *File) readOutcomes() {
	for _, item := range ff.List(ff.Root.Get("outcomes"), "outcomes") {
		name, ok := ff.Name(item, "an outcome")
		switch {
		case !ok:
		case slices.Contains([]string{"else", "skipped", "loop", "not_assured"}, name):
			ff.Fail(item, "reserved-name", "choose another word", "`%s` has a meaning of its own in `next`", name)
		case slices.Contains(ff.Flow.Outcomes, name):
			ff.Fail(item, "duplicate-name", "remove one", "outcome `%s` is listed twice", name)
		default:
			ff.Flow.Outcomes = append(ff.Flow.Outcomes, name)
		}
	}
	returns := ff.Root.Get("returns")
	for _, item := range ff.List(returns, "returns") {
		if v := ff.variable(item, "returns"); v != nil {
			ff.Flow.Returns = append(ff.Flow.Returns, v.Name)
		}
	}
	if returns != nil && ff.Root.Get("outcomes") == nil {
		ff.Fail(returns, "returns", "add `outcomes: [done]` and end with `end: { as: done }`", "only a flow with `outcomes` is called by others and can return something")
	}
}

// Body reads prompts, defaults, commands and steps, once the heads of all flows are read.
func (ff *File) Body() {
	if ff.body {
		return
	}
	ff.body = true
	ff.Flow.Prompts = map[string]*flow.Prompt{}
	ff.Flow.Steps = map[string]*flow.Step{}
	ff.declarePrompts()
	ff.readDefaults()
	steps := ff.Root.Get("steps")
	if steps != nil {
		ff.readSteps(steps)
	}
	if n := ff.Root.Get("start"); n != nil {
		ff.Flow.Start = ff.stepName(n, "start")
	}
	if n := ff.Root.Get("on_leave"); n != nil {
		ff.Flow.OnLeave = ff.stepName(n, "on_leave")
	}
	if n := ff.Root.Get("on_error"); n != nil {
		ff.Flow.OnError = ff.stepName(n, "on_error")
	}
	ff.readCommands()
	ff.finishPrompts()
}

// readDefaults reads defaults.listen over the built-in ones.
func (ff *File) readDefaults() {
	ff.Flow.Defaults = flow.DefaultListen()
	n := ff.Root.Get("defaults")
	if n == nil || !ff.Fields(n, "defaults", "listen") {
		return
	}
	if l := n.Get("listen"); l != nil && ff.Fields(l, "defaults.listen", listenKeys...) {
		ff.Flow.Defaults = ff.listen(l, ff.Flow.Defaults)
	}
}

// stepName reads a value that names a step, not a reserved target.
func (ff *File) stepName(n *source.Node, what string) string {
	s, ok := ff.Text(n, what)
	if !ok {
		return ""
	}
	if s == flow.ToEnd || s == flow.ToRepeat {
		ff.Fail(n, "reserved-name", "make a step, such as `over: { end: {} }`, and name it here", "%s needs a step; `%s` is no step", what, s)
		return ""
	}
	if ff.names[s] == nil {
		if len(ff.names) > 0 { // that there are no steps at all is told once
			ff.unknownStep(n, s)
		}
		return ""
	}
	return s
}

func (ff *File) unknownStep(n *source.Node, s string, reserved ...string) {
	ff.Fail(n, "unknown-step", source.DidYouMean(s, append(ff.stepNames(), reserved...)), "there is no step `%s`", s)
}

// target reads a value that says where to go: a step, end or repeat.
func (ff *File) target(n *source.Node, what string) string {
	if n == nil {
		return ""
	}
	if n.Kind == source.Text && (n.Text == flow.ToEnd || n.Text == flow.ToRepeat) {
		return n.Text
	}
	s, ok := ff.Text(n, what)
	if ok && ff.names[s] == nil {
		ff.unknownStep(n, s, flow.ToEnd, flow.ToRepeat)
		return ""
	}
	return s
}

func (ff *File) stepNames() []string {
	names := make([]string, 0, len(ff.names))
	for name := range ff.names {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// compile reads an expression at n. want nil = any type.
func (ff *File) compile(n *source.Node, what string, env *expression.Env, want *expression.Type) *expression.Program {
	src, ok := ff.Expression(n, what)
	if !ok {
		return nil
	}
	p, err := env.Compile(src, want)
	if err != nil {
		ff.expressionError(n, ff.meantAsText(src, want, err))
		return nil
	}
	ff.noteUses(n, p.Uses())
	ff.known.kept.shown(ff, n, p.Masks())
	ff.calendarsKnown(n, p.Calendars())
	return p
}

// template reads text with ${…} at n.
func (ff *File) template(n *source.Node, what string, env *expression.Env) *expression.Template {
	src, ok := ff.Text(n, what)
	if !ok {
		return nil
	}
	t, err := env.Template(src)
	if err != nil {
		ff.expressionError(n, err)
		return nil
	}
	ff.noteUses(n, t.Uses())
	ff.known.kept.shown(ff, n, t.Masks())
	ff.calendarsKnown(n, t.Calendars())
	return t
}

func (ff *File) noteUses(n *source.Node, names []string) {
	if ff.current != nil {
		for _, name := range names {
			ff.current.Uses = append(ff.current.Uses, check.Use{Name: name, At: n.At})
		}
	}
}

func (ff *File) calendarsKnown(n *source.Node, names []string) {
	for _, name := range names {
		ff.calendar(n, name)
	}
}

// expressionError puts an expression's error at its place in the file.
func (ff *File) expressionError(n *source.Node, err error) {
	var e *expression.Error
	if !errors.As(err, &e) {
		ff.Fail(n, "expression", "", "%v", err)
		return
	}
	fix, message := e.Hint, e.Message
	if message == `unknown name "link"` {
		fix = "`link` has a value only in the prompt of a link or handoff step"
	}
	if r, ok := odd(message); ok {
		message, fix = source.FullWidth(r), fmt.Sprintf("write `%c`", source.Plain(r))
		if plain := source.Plain(r); plain == '"' || plain == '\'' {
			fix = `write ', and " around the whole: "'` + strings.Trim(n.Text, "“”‘’\"' ") + `'"`
			if strings.ContainsAny(strings.Trim(n.Text, "“”‘’\"' "), "“”‘’\"'") {
				fix = "write ' around a text within an expression"
			}
		}
	}
	ff.FailWithin(n, e.Col, "expression", fix, "%s", message)
}
