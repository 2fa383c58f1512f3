package app

import (
	"context"
	"strings"

	"tandem"
	"tandem/bridge/identity/check"
	"tandem/bridge/upgrade"
	webchat "tandem/web/chat"
)

// consentOf is what the customer of a check is to agree to, by language: the policy's text,
// and, where the policy wants a recording and voice or video run without one, that they are
// recorded from then on, which keeps says. What is asked for together with the check says by
// itself whether it is recorded.
func (a *App) consentOf(c check.Check) (texts map[string]string, keeps bool) {
	texts = c.Policy.Consent.Text
	u, up := a.faces.upgrades.Of(c.Interaction)
	if c.State != check.Asked || !c.Policy.Record || !up || u.Agreed == tandem.LevelText || u.Kept || u.Keeps {
		return texts, false
	}
	whole := make(map[string]string, len(texts))
	for lang, text := range texts {
		between := " "
		if strings.HasPrefix(lang, "zh") {
			between = ""
		}
		whole[lang] = text + between + upgrade.KeepText(lang, u.Pictures)
	}
	return whole, true
}

// agree takes a customer's yes to a check. What it has recorded is recorded by a consent of
// its own, before the check begins.
func (a *App) agree(ctx context.Context, c check.Check, o webchat.CheckOrder) error {
	texts, keeps := a.consentOf(c)
	if o.Words != "" && c.State == check.Asked && o.Words != wordsOf(texts) {
		return errOtherWords
	}
	if keeps {
		lang, text := check.TextIn(texts, o.Lang)
		if err := a.faces.upgrades.Keep(ctx, c.Interaction, lang, text); err != nil {
			return err
		}
	}
	_, err := a.faces.checks.Consent(ctx, c.ID, o.Lang, true)
	return err
}

var errOtherWords error = tandem.Errorf(tandem.CodeConflict, "what you are asked has changed meanwhile: read it, then answer")

// unfilmed notes that voice and video of an interaction cannot be recorded although that was
// agreed to, until they end. It does not wait.
func (f *faces) unfilmed(in tandem.InteractionID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dark == nil || len(f.dark) >= maxFaces {
		f.dark = map[tandem.InteractionID]struct{}{}
	}
	f.dark[in] = struct{}{}
}

// filmsAgain notes that what could not be recorded is so now.
func (f *faces) filmsAgain(in tandem.InteractionID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.dark, in)
}

// films reports whether what a customer shows is recorded, as far as is known.
func (a *App) films(in tandem.InteractionID) bool {
	f := &a.faces
	f.mu.Lock()
	_, dark := f.dark[in]
	f.mu.Unlock()
	return !dark && a.filmed(in)
}
