package upgrade

import (
	"context"

	"tandem"
	"tandem/store"
)

// Keep has voice and video that run unrecorded be recorded from now on: the customer has read
// text in lang and agreed. That is durable before anything is recorded. What is recorded
// already is no error.
func (u *Upgrades) Keep(ctx context.Context, in tandem.InteractionID, lang, text string) error {
	x := u.find(in)
	if x == nil {
		return errNone
	}
	return x.do(ctx, func() error {
		switch {
		case x.plan.Agreed == tandem.LevelText:
			return errNone
		case x.kept:
			return nil
		}
		var names []string
		for _, p := range x.people() {
			names = append(names, p.Name)
		}
		err := u.commit(ctx, &store.Change{Of: x.in, Events: []tandem.Event{
			x.event(tandem.EventConsent, "caller", tandem.Consent{Kind: "recording", Answer: "yes", Lang: lang, Text: text, Version: Version, Who: names}),
			x.event(tandem.EventUpgrade, "caller", tandem.Upgraded{Upgrade: x.id, By: x.plan.By, Level: x.plan.Level, State: "changed", Kept: true}),
		}})
		if err != nil {
			return err
		}
		x.kept, x.keeps = true, false
		x.publish()
		u.o.Switchboard.Pictured(x.in)
		return nil
	})
}
