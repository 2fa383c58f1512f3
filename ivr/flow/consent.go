package flow

import (
	"strconv"

	"tandem"
)

func (c *ConsentStep) listening() *Listen       { return &c.Listen }
func (c *ConsentStep) question() *Prompt        { return c.Prompt }
func (c *ConsentStep) secret() bool             { return false }
func (c *ConsentStep) commands() bool           { return false }
func (c *ConsentStep) begin(*run) (bool, error) { return true, nil }
func (c *ConsentStep) options(r *run) []Option  { return yesNo(r.s.Lang) }
func (c *ConsentStep) gap(r *run) error         { r.miss(c, false); return nil }

// failed is no_input also for answers nobody understood: silence is no consent.
func (c *ConsentStep) failed(bool) string { return "no_input" }

func (c *ConsentStep) key(r *run) error { return c.text(r, r.f.draft) }

// text takes a yes or a no and makes it a promise before the flow goes on.
func (c *ConsentStep) text(r *run, s string) error {
	yes, understood := answer(fold(s))
	if !understood {
		r.miss(c, false)
		return nil
	}
	given := "no"
	if yes {
		given = "yes"
	}
	_, lang, err := r.words(c.Prompt)
	if err != nil {
		return err
	}
	r.emit(Promise{Kind: tandem.EventConsent, Data: tandem.Consent{
		Kind: c.Kind, Answer: given, Lang: lang, Text: r.plain(c.Prompt, nil), Flow: r.flow.Hash,
	}})
	return r.leave(given)
}

// Language by menu: the keys follow the order of the flow's languages.

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
	s = fold(s)
	for i, lang := range r.flow.Languages {
		match := s == strconv.Itoa(i+1) || s == fold(lang)
		for _, name := range languageNames(lang) {
			match = match || s == fold(name)
		}
		if match {
			r.speak(lang)
			return r.leave("done")
		}
	}
	r.miss(v, false)
	return nil
}
