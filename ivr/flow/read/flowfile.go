package read

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

// flowFile is one flow under way.
type flowFile struct {
	*document
	flow    *flow.Flow
	env     *expression.Env
	linked  *expression.Env         // env and `link`; nil until it is needed
	names   map[string]*source.Node // steps, by name: known before any is read
	checked *check.Flow             // what the checks over whole flows will need
	prompts map[string]*promptInfo
	current *step // being read; nil outside steps
	body    bool  // readBody has run
}

// step is a step with its body, while it is read.
type step struct {
	*check.Step
	body *source.Node
}

var (
	flowKeys = []string{"flow", "channels", "languages", "start", "on_leave", "on_error", "inputs", "vars", "defaults", "prompts", "commands", "outcomes", "returns", "steps"}
	channels = []string{string(tandem.Voice), string(tandem.Chat), string(tandem.SMS)}
)

// readHead reads what other flows need to know of this one, and its names.
func (r *reading) readHead(f *document) {
	f.Fields(f.Root, "a flow file", flowKeys...)
	ff := &flowFile{
		document: f, flow: &flow.Flow{Pos: f.Pos(f.Root)}, names: map[string]*source.Node{}, prompts: map[string]*promptInfo{},
	}
	ff.checked = &check.Flow{File: f.File, Program: ff.flow, Steps: map[string]*check.Step{}}
	ff.need("flow", "channels", "languages", "start", "steps")
	if n := f.Root.Get("flow"); n != nil {
		if name, ok := f.Name(n, "the flow's name"); ok {
			if other := r.flows[name]; other != nil {
				f.Fail(n, "duplicate-name", "give one of the two another name", "flow `%s` is also in %s", name, other.Path)
			} else {
				ff.flow.Name = name
				r.flows[name] = ff
			}
		}
	}
	if ff.flow.Name == "" {
		ff.flow.Name = strings.TrimSuffix(f.Base, ".flow.yaml")
		key := " " + f.Base // read on for its other mistakes, but nobody can call it
		r.flows[key] = ff
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

// need reports keys that must be there.
func (ff *flowFile) need(keys ...string) {
	for _, k := range keys {
		if ff.Root.Get(k) == nil {
			ff.Fail(&source.Node{At: ff.Root.At}, "missing-key", fmt.Sprintf("add a line `%s: …`", k), "the flow has no `%s`", k)
		}
	}
}

func (ff *flowFile) readChannels(n *source.Node) {
	for _, item := range ff.List(n, "channels") {
		if w, ok := ff.Word(item, "channels", channels...); ok && !slices.Contains(ff.flow.Channels, tandem.Channel(w)) {
			ff.flow.Channels = append(ff.flow.Channels, tandem.Channel(w))
		}
	}
	if n != nil && n.Kind == source.List && len(n.Items) == 0 {
		ff.Fail(n, "empty-value", "write [voice]", "channels lists nothing")
	}
}

func (ff *flowFile) readLanguages(n *source.Node) {
	for _, item := range ff.List(n, "languages") {
		l, ok := ff.Text(item, "a language")
		if !ok && item.Kind == source.Text { // one error is enough
			ff.flow.Languages = append(ff.flow.Languages, item.Text)
		}
		if ok && !source.IsLanguage(l) {
			ff.Fail(item, "language", "write a tag such as en or zh-CN", "`%s` is no language tag", l)
		} else if ok && !slices.Contains(ff.flow.Languages, l) {
			ff.flow.Languages = append(ff.flow.Languages, l)
		}
	}
	if n != nil && n.Kind == source.List && len(n.Items) == 0 {
		ff.Fail(n, "empty-value", "write [en]", "languages lists nothing")
	}
}

// speaks checks that n is one of the flow's languages. If none could be read, that is
// the mistake that was reported.
func (ff *flowFile) speaks(n *source.Node) bool {
	known := slices.Contains(ff.flow.Languages, n.Text)
	if !known && len(ff.flow.Languages) > 0 {
		ff.Fail(n, "unknown-language", source.DidYouMean(n.Text, ff.flow.Languages), "`%s` is not one of the flow's languages", n.Text)
	}
	return known
}

func (ff *flowFile) readOutcomes() {
	for _, item := range ff.List(ff.Root.Get("outcomes"), "outcomes") {
		name, ok := ff.Name(item, "an outcome")
		switch {
		case !ok:
		case slices.Contains([]string{"else", "skipped", "loop", "not_assured"}, name):
			ff.Fail(item, "reserved-name", "choose another word", "`%s` has a meaning of its own in `next`", name)
		case slices.Contains(ff.flow.Outcomes, name):
			ff.Fail(item, "duplicate-name", "remove one", "outcome `%s` is listed twice", name)
		default:
			ff.flow.Outcomes = append(ff.flow.Outcomes, name)
		}
	}
	returns := ff.Root.Get("returns")
	for _, item := range ff.List(returns, "returns") {
		if v := ff.variable(item, "returns"); v != nil {
			ff.flow.Returns = append(ff.flow.Returns, v.Name)
		}
	}
	if returns != nil && ff.Root.Get("outcomes") == nil {
		ff.Fail(returns, "returns", "add `outcomes: [done]` and end with `end: { as: done }`", "only a flow with `outcomes` is called by others and can return something")
	}
}

// readBody reads prompts, defaults, commands and steps.
func (ff *flowFile) readBody() {
	if ff.body {
		return
	}
	ff.body = true
	ff.flow.Prompts = map[string]*flow.Prompt{}
	ff.flow.Steps = map[string]*flow.Step{}
	ff.declarePrompts()
	ff.readDefaults()
	steps := ff.Root.Get("steps")
	if steps != nil {
		ff.readSteps(steps)
	}
	if n := ff.Root.Get("start"); n != nil {
		ff.flow.Start = ff.stepName(n, "start")
	}
	if n := ff.Root.Get("on_leave"); n != nil {
		ff.flow.OnLeave = ff.stepName(n, "on_leave")
	}
	if n := ff.Root.Get("on_error"); n != nil {
		ff.flow.OnError = ff.stepName(n, "on_error")
	}
	ff.readCommands()
	ff.finishPrompts()
}

// readDefaults reads defaults.listen over the built-in ones.
func (ff *flowFile) readDefaults() {
	ff.flow.Defaults = flow.DefaultListen()
	n := ff.Root.Get("defaults")
	if n == nil || !ff.Fields(n, "defaults", "listen") {
		return
	}
	if l := n.Get("listen"); l != nil && ff.Fields(l, "defaults.listen", listenKeys...) {
		ff.flow.Defaults = ff.listen(l, ff.flow.Defaults)
	}
}

// stepName reads a value that names a step, not a reserved target.
func (ff *flowFile) stepName(n *source.Node, what string) string {
	s, ok := ff.Text(n, what)
	if !ok {
		return ""
	}
	if s == flow.ToEnd || s == flow.ToRepeat {
		ff.Fail(n, "reserved-name", "make a step, such as `over: { end: {} }`, and name it here", "%s needs a step; `%s` is no step", what, s)
		return ""
	}
	if ff.names[s] == nil {
		ff.Fail(n, "unknown-step", source.DidYouMean(s, ff.stepNames()), "there is no step `%s`", s)
		return ""
	}
	return s
}

// target reads a value that says where to go: a step, end or repeat.
func (ff *flowFile) target(n *source.Node, what string) string {
	if n == nil {
		return ""
	}
	if n.Kind == source.Text && (n.Text == flow.ToEnd || n.Text == flow.ToRepeat) {
		return n.Text
	}
	return ff.stepName(n, what)
}

const listedNames = 12 // more names than this are not spelled out in a fix

func (ff *flowFile) stepNames() []string {
	names := make([]string, 0, len(ff.names))
	for name := range ff.names {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// compile reads an expression at n. want nil = any type.
func (ff *flowFile) compile(n *source.Node, what string, env *expression.Env, want *expression.Type) *expression.Program {
	src, ok := ff.Expression(n, what)
	if !ok {
		return nil
	}
	p, err := env.Compile(src, want)
	if err != nil {
		ff.expressionError(n, err)
		return nil
	}
	ff.noteUses(n, p.Uses())
	ff.reading.kept.shown(ff, n, p.Masks())
	ff.calendarsKnown(n, p.Calendars())
	return p
}

// template reads text with ${…} at n.
func (ff *flowFile) template(n *source.Node, what string, env *expression.Env) *expression.Template {
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
	ff.reading.kept.shown(ff, n, t.Masks())
	ff.calendarsKnown(n, t.Calendars())
	return t
}

func (ff *flowFile) noteUses(n *source.Node, names []string) {
	if ff.current != nil {
		for _, name := range names {
			ff.current.Uses = append(ff.current.Uses, check.Use{Name: name, At: n.At})
		}
	}
}

func (ff *flowFile) calendarsKnown(n *source.Node, names []string) {
	for _, name := range names {
		ff.calendar(n, name)
	}
}

// expressionError puts an expression's error at its place in the file.
func (ff *flowFile) expressionError(n *source.Node, err error) {
	var e *expression.Error
	if !errors.As(err, &e) {
		ff.Fail(n, "expression", "", "%v", err)
		return
	}
	fix := e.Hint
	if e.Message == `unknown name "link"` {
		fix = "`link` has a value only in the prompt of a link or handoff step"
	}
	ff.FailWithin(n, e.Col, "expression", fix, "%s", e.Message)
}
