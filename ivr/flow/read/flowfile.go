package read

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/expr-lang/expr/ast"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

// flowFile is one flow under way.
type flowFile struct {
	*file
	flow    *flow.Flow
	env     *expression.Env
	names   map[string]*node // steps, by name: known before any is read
	steps   map[string]*step
	prompts map[string]*promptInfo
	current *step // being read; nil outside steps
	body    bool  // readBody has run

	walked     bool             // by checkPaths
	visits     map[string]visit // what the walks came to
	once       map[string]bool  // what failOnce has said
	conditions map[*expression.Program]ast.Node
}

// step is a flow.Step with what only the checks need.
type step struct {
	*flow.Step
	key    *node            // its name
	node   *node            // its body
	places map[string]*node // parts that later checks point at
	uses   []use
}

// use is a name that an expression reads, and where the expression stands.
type use struct {
	name string
	at   place
}

// at is a part of the step, the step's name if there is no such part.
func (s *step) at(part string) *node {
	if n := s.places[part]; n != nil {
		return n
	}
	return s.key
}

var (
	flowKeys = []string{"flow", "channels", "languages", "start", "on_leave", "on_error", "inputs", "vars", "defaults", "prompts", "commands", "outcomes", "returns", "steps"}
	channels = []string{string(tandem.Voice), string(tandem.Chat), string(tandem.SMS)}
)

// readHead reads what other flows need to know of this one, and its names.
func (r *reading) readHead(f *file) {
	f.fields(f.root, "a flow file", flowKeys...)
	ff := &flowFile{
		file: f, flow: &flow.Flow{Pos: f.pos(f.root)}, names: map[string]*node{}, steps: map[string]*step{}, prompts: map[string]*promptInfo{},
		visits: map[string]visit{}, once: map[string]bool{}, conditions: map[*expression.Program]ast.Node{},
	}
	ff.need("flow", "channels", "languages", "start", "steps")
	if n := f.root.get("flow"); n != nil {
		if name, ok := f.name(n, "the flow's name"); ok {
			if other := r.flows[name]; other != nil {
				f.fail(n, "duplicate-name", "give one of the two another name", "flow `%s` is also in %s", name, other.path)
			} else {
				ff.flow.Name = name
				r.flows[name] = ff
			}
		}
	}
	if ff.flow.Name == "" {
		ff.flow.Name = strings.TrimSuffix(f.base, ".flow.yaml")
		key := " " + f.base // read on for its other mistakes, but nobody can call it
		r.flows[key] = ff
	}
	ff.readChannels(f.root.get("channels"))
	ff.readLanguages(f.root.get("languages"))
	ff.readEnv()
	ff.readOutcomes()
	if steps := f.root.get("steps"); steps != nil && steps.kind == isMap {
		for _, e := range steps.entries {
			ff.names[e.key.text] = e.key
		}
	}
}

// need reports keys that must be there.
func (ff *flowFile) need(keys ...string) {
	for _, k := range keys {
		if ff.root.get(k) == nil {
			ff.fail(&node{at: ff.root.at}, "missing-key", fmt.Sprintf("add a line `%s: …`", k), "the flow has no `%s`", k)
		}
	}
}

func (ff *flowFile) readChannels(n *node) {
	for _, item := range ff.list(n, "channels") {
		if w, ok := ff.word(item, "channels", channels...); ok && !slices.Contains(ff.flow.Channels, tandem.Channel(w)) {
			ff.flow.Channels = append(ff.flow.Channels, tandem.Channel(w))
		}
	}
	if n != nil && n.kind == isList && len(n.items) == 0 {
		ff.fail(n, "empty-value", "write [voice]", "channels lists nothing")
	}
}

func (ff *flowFile) readLanguages(n *node) {
	for _, item := range ff.list(n, "languages") {
		l, ok := ff.text(item, "a language")
		if !ok && item.kind == isText { // one error is enough
			ff.flow.Languages = append(ff.flow.Languages, item.text)
		}
		if ok && !languageTag(l) {
			ff.fail(item, "language", "write a tag such as en or zh-CN", "`%s` is no language tag", l)
		} else if ok && !slices.Contains(ff.flow.Languages, l) {
			ff.flow.Languages = append(ff.flow.Languages, l)
		}
	}
	if n != nil && n.kind == isList && len(n.items) == 0 {
		ff.fail(n, "empty-value", "write [en]", "languages lists nothing")
	}
}

// languageTag accepts the common form of BCP 47: a language, then subtags.
func languageTag(s string) bool {
	for i, part := range strings.Split(s, "-") {
		if i == 0 && (len(part) < 2 || len(part) > 3) || len(part) == 0 || len(part) > 8 {
			return false
		}
		for _, c := range part {
			if c > unicode.MaxASCII || !unicode.IsLetter(c) && (i == 0 || !unicode.IsDigit(c)) {
				return false
			}
		}
	}
	return true
}

func (ff *flowFile) readOutcomes() {
	for _, item := range ff.list(ff.root.get("outcomes"), "outcomes") {
		name, ok := ff.name(item, "an outcome")
		switch {
		case !ok:
		case slices.Contains([]string{"else", "skipped", "loop", "not_assured"}, name):
			ff.fail(item, "reserved-name", "choose another word", "`%s` has a meaning of its own in `next`", name)
		case slices.Contains(ff.flow.Outcomes, name):
			ff.fail(item, "duplicate-name", "remove one", "outcome `%s` is listed twice", name)
		default:
			ff.flow.Outcomes = append(ff.flow.Outcomes, name)
		}
	}
	returns := ff.root.get("returns")
	for _, item := range ff.list(returns, "returns") {
		if v := ff.variable(item, "returns"); v != nil {
			ff.flow.Returns = append(ff.flow.Returns, v.Name)
		}
	}
	if returns != nil && ff.root.get("outcomes") == nil {
		ff.fail(returns, "returns", "add `outcomes: [done]` and end with `end: { as: done }`", "only a flow with `outcomes` is called by others and can return something")
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
	steps := ff.root.get("steps")
	if steps != nil {
		ff.readSteps(steps)
	}
	if n := ff.root.get("start"); n != nil {
		ff.flow.Start = ff.stepName(n, "start")
	}
	if n := ff.root.get("on_leave"); n != nil {
		ff.flow.OnLeave = ff.stepName(n, "on_leave")
	}
	if n := ff.root.get("on_error"); n != nil {
		ff.flow.OnError = ff.stepName(n, "on_error")
	}
	ff.readCommands()
	ff.finishPrompts()
}

// readDefaults reads defaults.listen over the built-in ones.
func (ff *flowFile) readDefaults() {
	ff.flow.Defaults = flow.DefaultListen()
	n := ff.root.get("defaults")
	if n == nil || !ff.fields(n, "defaults", "listen") {
		return
	}
	if l := n.get("listen"); l != nil && ff.fields(l, "defaults.listen", listenKeys...) {
		ff.flow.Defaults = ff.listen(l, ff.flow.Defaults)
	}
}

// stepName reads a value that names a step, not a reserved target.
func (ff *flowFile) stepName(n *node, what string) string {
	s, ok := ff.text(n, what)
	if !ok {
		return ""
	}
	if s == flow.ToEnd || s == flow.ToRepeat {
		ff.fail(n, "reserved-name", "make a step, such as `over: { end: {} }`, and name it here", "%s needs a step; `%s` is no step", what, s)
		return ""
	}
	if ff.names[s] == nil {
		ff.fail(n, "unknown-step", didYouMean(s, ff.stepNames()), "there is no step `%s`", s)
		return ""
	}
	return s
}

// target reads a value that says where to go: a step, end or repeat.
func (ff *flowFile) target(n *node, what string) string {
	if n == nil {
		return ""
	}
	if n.kind == isText && (n.text == flow.ToEnd || n.text == flow.ToRepeat) {
		return n.text
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
func (ff *flowFile) compile(n *node, what string, env *expression.Env, want *expression.Type) *expression.Program {
	src, ok := ff.expressionText(n, what)
	if !ok {
		return nil
	}
	p, err := env.Compile(src, want)
	if err != nil {
		ff.expressionError(n, err)
		return nil
	}
	ff.noteUses(n, p.Uses())
	ff.calendarsKnown(n, p.Calendars())
	return p
}

// template reads text with ${…} at n.
func (ff *flowFile) template(n *node, what string, env *expression.Env) *expression.Template {
	src, ok := ff.text(n, what)
	if !ok {
		return nil
	}
	t, err := env.Template(src)
	if err != nil {
		ff.expressionError(n, err)
		return nil
	}
	ff.noteUses(n, t.Uses())
	ff.calendarsKnown(n, t.Calendars())
	return t
}

func (ff *flowFile) noteUses(n *node, names []string) {
	if ff.current != nil {
		for _, name := range names {
			ff.current.uses = append(ff.current.uses, use{name, n.at})
		}
	}
}

func (ff *flowFile) calendarsKnown(n *node, names []string) {
	for _, name := range names {
		ff.calendar(n, name)
	}
}

// expressionError puts an expression's error at its place in the file.
func (ff *flowFile) expressionError(n *node, err error) {
	var e *expression.Error
	if !errors.As(err, &e) {
		ff.fail(n, "expression", "", "%v", err)
		return
	}
	p, fix := ff.within(n, e.Col), e.Hint
	for _, later := range []string{"link", "queue"} {
		if fix == "" && e.Message == fmt.Sprintf("unknown name %q", later) {
			fix = fmt.Sprintf("`%s` has a value once this version can serve the verb `%s`", later, later)
		}
	}
	ff.report(Error, p, ff.wordAt(p), "expression", fix, "%s", e.Message)
}

// runeAt is the character at p, 0 at a line's end.
func (f *file) runeAt(p place) rune {
	if p.line <= len(f.lines) {
		if row := []rune(f.lines[p.line-1]); p.col >= 1 && p.col <= len(row) {
			return row[p.col-1]
		}
	}
	return 0
}

// wordAt is the length of the word at p, at least 1.
func (f *file) wordAt(p place) int {
	if p.line > len(f.lines) {
		return 1
	}
	row := []rune(f.lines[p.line-1])
	n := 0
	for i := max(p.col-1, 0); i < len(row) && (unicode.IsLetter(row[i]) || unicode.IsDigit(row[i]) || row[i] == '_'); i++ {
		n++
	}
	return max(n, 1)
}
