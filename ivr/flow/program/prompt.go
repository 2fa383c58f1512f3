package program

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

// promptInfo is an entry of `prompts`.
type promptInfo struct {
	key, node *source.Node
	prompt    *flow.Prompt // nil until first used
	named     *flow.Prompt // where more names are known, as in a link's words
	used      bool
}

var wordKeys = []string{"text", "audio", "image", "button"}

// declarePrompts notes the names under `prompts`; their words are read on first use,
// because some uses give them more names.
func (ff *File) declarePrompts() {
	n := ff.Root.Get("prompts")
	if n == nil || n.Kind == source.Map && len(n.Entries) == 0 {
		return
	}
	if n.Kind != source.Map {
		ff.WrongKind(n, "prompts", "a map of `name: { en: … }`")
		return
	}
	for _, e := range n.Entries {
		if ff.GoodName(e.Key, "a prompt's name") {
			ff.prompts[e.Key.Text] = &promptInfo{key: e.Key, node: e.Val}
		}
	}
}

// finishPrompts reads the words of prompts nobody used, for their mistakes.
func (ff *File) finishPrompts() {
	for _, name := range slices.Sorted(maps.Keys(ff.prompts)) {
		p := ff.prompts[name]
		if p.prompt == nil && !p.used {
			p.prompt = ff.words(p.node, "prompt `"+name+"`", name, ff.env)
		}
		if p.prompt == nil {
			p.prompt = p.named
		}
		if p.prompt != nil {
			ff.Flow.Prompts[name] = p.prompt
		}
	}
}

// prompt reads words: the name of a prompt, or a map by language in place.
func (ff *File) prompt(n *source.Node, what string, env *expression.Env) *flow.Prompt {
	if n == nil {
		return nil
	}
	switch n.Kind {
	case source.Map:
		return ff.words(n, what, "", env)
	case source.Text:
		return ff.promptNamed(n, what, env)
	case source.Null:
		ff.Empty(n, what)
	default:
		ff.WrongKind(n, what, "a prompt's name or a map by language")
	}
	return nil
}

func (ff *File) promptNamed(n *source.Node, what string, env *expression.Env) *flow.Prompt {
	p := ff.prompts[n.Text]
	if p == nil {
		names := slices.Sorted(maps.Keys(ff.prompts))
		first := "en"
		if len(ff.Flow.Languages) > 0 {
			first = ff.Flow.Languages[0]
		}
		if !source.IsName(n.Text) {
			ff.Fail(n, "unknown-prompt", fmt.Sprintf("write { %s: %q }", first, n.Text), "%s takes the name of a prompt or a map by language; this is plain text", what)
			return nil
		}
		fix := source.DidYouMean(n.Text, names)
		if len(names) > listedNames || len(names) == 0 {
			fix = fmt.Sprintf("add `%s: { %s: \"…\" }` under prompts", n.Text, first)
		}
		ff.Fail(n, "unknown-prompt", fix, "there is no prompt `%s`", n.Text)
		return nil
	}
	p.used = true
	read := p.prompt
	if env != ff.env || read == nil {
		by := ff.current
		ff.current = nil // what it uses is noted where it is named
		read = ff.words(p.node, "prompt `"+n.Text+"`", n.Text, env)
		ff.current = by
	}
	if env != ff.env {
		p.named = read
	} else {
		p.prompt = read
	}
	if read != nil {
		for _, lang := range namesOf(read.ByLang) {
			if w := read.ByLang[lang]; w.Text != nil {
				ff.noteUses(n, w.Text.Uses())
			}
		}
	}
	return read
}

// words reads a map by language.
func (ff *File) words(n *source.Node, what, name string, env *expression.Env) *flow.Prompt {
	first := "en"
	if len(ff.Flow.Languages) > 0 {
		first = ff.Flow.Languages[0]
	}
	if n.Kind == source.Null {
		ff.Empty(n, what)
		return nil
	}
	if n.Kind != source.Map {
		ff.Fail(n, "wrong-type", fmt.Sprintf("write { %s: \"…\" }", first), "%s is a map by language", what)
		return nil
	}
	if slices.ContainsFunc(n.Entries, func(e source.Entry) bool { return slices.Contains(wordKeys, e.Key.Text) }) {
		ff.Fail(n, "wrong-type", fmt.Sprintf("write { %s: { audio: hello.wav } }", first), "%s is a map by language; text, audio, image and button belong below a language", what)
		return nil
	}
	p := &flow.Prompt{Name: name, Pos: ff.Pos(n), ByLang: map[string]*flow.Words{}}
	for _, e := range n.Entries {
		if !ff.speaks(e.Key) {
			continue
		}
		if w := ff.wordsIn(e.Val, what, env); w != nil {
			p.ByLang[e.Key.Text] = w
		}
	}
	for i, l := range ff.Flow.Languages {
		if n.Get(l) != nil {
			continue
		}
		fix := fmt.Sprintf("add `%s: \"…\"`", l)
		if i == 0 {
			ff.Fail(n, "missing-language", fix, "%s has no words in %s, the flow's first language", what, l)
		} else {
			ff.Warn(n, "missing-language", fix, "%s has no words in %s; %s is used instead", what, l, first)
		}
	}
	return p
}

// wordsIn reads the words of one language: text, or { text, audio, image, button }.
func (ff *File) wordsIn(n *source.Node, what string, env *expression.Env) *flow.Words {
	w := &flow.Words{Pos: ff.Pos(n)}
	if n.Kind != source.Map {
		w.Text = ff.spoken(n, what, env)
		if w.Text == nil {
			return nil
		}
		return w
	}
	ff.Fields(n, what, wordKeys...)
	if t := n.Get("text"); t != nil {
		w.Text = ff.spoken(t, what, env)
	}
	if a := n.Get("audio"); a != nil {
		w.Audio = ff.known.Media.Audio(ff.File, a)
	}
	if i := n.Get("image"); i != nil {
		w.Image = ff.known.Media.Image(ff.File, i)
	}
	if b := n.Get("button"); b != nil {
		w.Button, _ = ff.Text(b, "button")
		if strings.Contains(w.Button, "${") {
			ff.Fail(b, "expression", "write plain words here, and the value into `text`", "a button shows the same words to everybody: ${ } is not filled in there")
		}
	}
	if n.Get("text") == nil && n.Get("audio") == nil {
		ff.Fail(n, "missing-key", "add text or audio", "%s has neither text nor audio", what)
	}
	return w
}

// spoken reads text that is said or written: no secret may be in it.
func (ff *File) spoken(n *source.Node, what string, env *expression.Env) *expression.Template {
	t := ff.template(n, what, env)
	if t != nil {
		ff.unfilled(n, env)
		ff.strangeQuotes(n)
	}
	if t != nil && t.Secret() {
		where := "a prompt"
		switch what {
		case "message", "link", "handoff":
			where = "a message"
		case "confirm":
			where = "a confirmation"
		}
		ff.leak(n, t.Uses(), "say", where)
	}
	return t
}

// Unused warns of prompts that no step says. A file with errors is left alone:
// the use may be in what could not be read.
func (ff *File) Unused() {
	if ff.Broken() {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(ff.prompts)) {
		if p := ff.prompts[name]; !p.used {
			ff.Warn(p.key, "unused-prompt", "remove it, or say it", "no step says prompt `%s`", name)
		}
	}
}
