package engine

import (
	"tandem"
	"tandem/ivr/flow"
)

func (c consent) listening() *flow.Listen      { return &c.Listen }
func (c consent) question() *flow.Prompt       { return c.Prompt }
func (c consent) secret() bool                 { return false }
func (c consent) commands() bool               { return false }
func (c consent) begin(*run) (bool, error)     { return true, nil }
func (c consent) options(r *run) []flow.Option { return yesNo(r.s.Lang) }
func (c consent) gap(r *run) error             { r.miss(c, false); return nil }

// failed is no_input also for answers nobody understood: silence is no consent.
func (c consent) failed(bool) string { return "no_input" }

func (c consent) key(r *run) error { return c.text(r, r.f.Draft) }

// text takes a yes or a no and makes it a promise before the flow goes on.
func (c consent) text(r *run, s string) error {
	yes, understood := answer(flow.Fold(s))
	if !understood {
		r.miss(c, false)
		return nil
	}
	if yes {
		return c.given(r, "yes")
	}
	return c.given(r, "no")
}

// given keeps the answer as a promise and leaves with it.
func (c consent) given(r *run, answer string) error {
	_, lang, err := r.words(c.Prompt)
	if err != nil {
		return err
	}
	r.emit(flow.Promise{Kind: tandem.EventConsent, Data: tandem.Consent{
		Kind: c.Kind, Answer: answer, Lang: lang, Text: r.plain(c.Prompt, nil), Flow: r.flow.Hash,
	}})
	return r.leave(answer)
}
