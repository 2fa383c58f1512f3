package engine

import (
	"strconv"

	"tandem/ivr/flow"
)

// language is the verb language: set, or the first means that answers.
func (r *run) language(v *flow.Language) error {
	if v.Set != "" {
		r.speak(v.Set)
		return r.leave("done")
	}
	for _, by := range v.By {
		var wanted []string
		switch by {
		case "caller":
			wanted = []string{r.s.Facts.CallerLang}
		case "browser":
			wanted = r.s.Facts.Browser
		case "menu":
			return r.listen(language{v})
		}
		for _, w := range wanted {
			if lang, ok := matchLanguage(w, r.flow.Languages); ok {
				r.speak(lang)
				return r.leave("done")
			}
		}
	}
	return r.leave("done")
}

func (r *run) speak(lang string) {
	r.s.Lang = lang
	r.emit(flow.Speak{Lang: lang})
}

func (v language) listening() *flow.Listen  { return &v.Listen }
func (v language) question() *flow.Prompt   { return v.Prompt }
func (v language) secret() bool             { return false }
func (v language) commands() bool           { return false }
func (v language) begin(*run) (bool, error) { return true, nil }
func (v language) gap(r *run) error         { r.miss(v, false); return nil }
func (v language) failed(bool) string       { return "done" }

func (v language) options(r *run) []flow.Option {
	out := make([]flow.Option, len(r.flow.Languages))
	for i, lang := range r.flow.Languages {
		out[i] = flow.Option{Keys: strconv.Itoa(i + 1), Label: languageNames(lang)[0]}
	}
	return out
}

func (v language) key(r *run) error { return v.text(r, r.f.Draft) }

// text takes a number, a language's name or its code.
func (v language) text(r *run, s string) error {
	s = flow.Fold(s)
	for i, lang := range r.flow.Languages {
		match := s == strconv.Itoa(i+1) || s == flow.Fold(lang)
		for _, name := range languageNames(lang) {
			match = match || s == flow.Fold(name)
		}
		if match {
			r.speak(lang)
			return r.leave("done")
		}
	}
	r.miss(v, false)
	return nil
}

// sayInAll says a prompt in every language it has, each in its own voice: who is
// asked for a language does not have one yet.
func (r *run) sayInAll(p *flow.Prompt, barge flow.BargeIn) error {
	if p == nil {
		return faultf("a prompt is missing")
	}
	chosen := r.s.Lang
	defer func() { r.s.Lang = chosen }()
	for _, lang := range r.flow.Languages {
		if p.ByLang[lang] == nil {
			continue
		}
		r.s.Lang = lang
		if err := r.say(p, barge, false, nil); err != nil {
			return err
		}
	}
	return nil
}
