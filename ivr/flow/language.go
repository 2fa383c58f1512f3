package flow

import "strconv"

// language is the verb language: set, or the first means that answers.
func (r *run) language(v *Language) error {
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
			return r.listen(v)
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
	r.emit(Speak{Lang: lang})
}

func (v *Language) listening() *Listen       { return &v.Listen }
func (v *Language) question() *Prompt        { return v.Prompt }
func (v *Language) secret() bool             { return false }
func (v *Language) commands() bool           { return false }
func (v *Language) begin(*run) (bool, error) { return true, nil }
func (v *Language) gap(r *run) error         { r.miss(v, false); return nil }
func (v *Language) failed(bool) string       { return "done" }

func (v *Language) options(r *run) []Option {
	out := make([]Option, len(r.flow.Languages))
	for i, lang := range r.flow.Languages {
		out[i] = Option{Keys: strconv.Itoa(i + 1), Label: languageNames(lang)[0]}
	}
	return out
}

func (v *Language) key(r *run) error { return v.text(r, r.f.draft) }

// text takes a number, a language's name or its code.
func (v *Language) text(r *run, s string) error {
	s = Fold(s)
	for i, lang := range r.flow.Languages {
		match := s == strconv.Itoa(i+1) || s == Fold(lang)
		for _, name := range languageNames(lang) {
			match = match || s == Fold(name)
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
func (r *run) sayInAll(p *Prompt, barge BargeIn) error {
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
