package beside

import (
	"fmt"
	"slices"
	"strings"

	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

var wordKeys = []string{"text", "audio", "image"}

// words reads a map by language. These files have no list of languages of their own:
// any tag will do, and Speaks holds them against the languages of a flow. The text is
// plain: no value is known where it is shown.
func (d *Folder) words(f *source.File, n *source.Node, what string) *flow.Prompt {
	if !f.AnyFields(n, what, "write { en: \"…\" }") {
		return nil
	}
	if slices.ContainsFunc(n.Entries, func(e source.Entry) bool { return slices.Contains(wordKeys, e.Key.Text) }) {
		f.Fail(n, "wrong-type", "write { en: { text: \"…\" } }", "%s is a map by language; text, audio and image belong below a language", what)
		return nil
	}
	if len(n.Entries) == 0 {
		f.Fail(n, "empty-value", "write { en: \"…\" }", "%s has no words", what)
	}
	p := &flow.Prompt{Pos: f.Pos(n), ByLang: map[string]*flow.Words{}}
	for _, e := range n.Entries {
		if !source.IsLanguage(e.Key.Text) {
			f.Fail(e.Key, "language", "write a tag such as en or zh-CN", "`%s` is no language tag", e.Key.Text)
			continue
		}
		if w := d.wordsIn(f, e.Val, what); w != nil {
			p.ByLang[e.Key.Text] = w
		}
	}
	return p
}

func (d *Folder) wordsIn(f *source.File, n *source.Node, what string) *flow.Words {
	w := &flow.Words{Pos: f.Pos(n)}
	if n.Kind != source.Map {
		w.Text = plainText(f, n, what)
		if w.Text == nil {
			return nil
		}
		return w
	}
	f.Fields(n, what, wordKeys...)
	if t := n.Get("text"); t != nil {
		w.Text = plainText(f, t, what)
	}
	if a := n.Get("audio"); a != nil {
		w.Audio = d.Audio(f, a)
	}
	if i := n.Get("image"); i != nil {
		w.Image = d.Image(f, i)
	}
	if n.Get("text") == nil && n.Get("audio") == nil {
		f.Fail(n, "missing-key", "add text or audio", "%s has neither text nor audio", what)
	}
	return w
}

// plainText is a template of text without ${ }.
func plainText(f *source.File, n *source.Node, what string) *expression.Template {
	s, ok := f.Text(n, what)
	if !ok {
		return nil
	}
	if before, _, has := strings.Cut(s, "${"); has && !strings.HasSuffix(before, "$") {
		f.FailWithin(n, len([]rune(before))+1, "expression", "write plain text", "%s is the same for everybody: no value is known where it is shown", what)
		return nil
	}
	t, err := expression.NewEnv().Template(s)
	if err != nil {
		f.Fail(n, "expression", "write plain text", "%v", err)
		return nil
	}
	return t
}

// speaks reports at a prompt the languages of a flow in which it has no words.
func speaks(f *source.File, p *flow.Prompt, what string, used *flow.Flow) {
	if p == nil {
		return
	}
	at := source.Place{Line: p.Pos.Line, Col: p.Pos.Col}
	for i, lang := range used.Languages {
		if p.ByLang[lang] != nil {
			continue
		}
		fix := fmt.Sprintf("add `%s: \"…\"`", lang)
		if i == 0 {
			f.Report(source.Error, at, 1, "missing-language", fix, "%s has no words in %s, the first language of flow `%s`", what, lang, used.Name)
		} else {
			f.Report(source.Warning, at, 1, "missing-language", fix, "%s has no words in %s, which flow `%s` speaks", what, lang, used.Name)
		}
	}
}
