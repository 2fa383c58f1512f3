package flow

import "tandem"

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
	yes, understood := answer(Fold(s))
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
