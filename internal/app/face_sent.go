package app

import (
	"context"
	"slices"
	"time"

	"tandem"
	"tandem/bridge/link"
	"tandem/bridge/upgrade"
	"tandem/web/desk/view"
)

// wanted is what an agent asks for as soon as the customer's page is there.
type wanted struct {
	upgrade.Ask
	until time.Time
	link  tandem.LinkID // by which the page opens; "" = a step of the flow has sent it, and agents are not told of it here
}

// sent is what agents are told of w until the page is open.
func (w *wanted) sent(state string) view.Upgrade {
	return view.Upgrade{
		Task: w.Task, Interaction: w.Interaction, State: state, By: w.By, Level: w.Level, Why: w.Why, Pictures: true, Until: w.until.UTC(), Who: []view.Seer{},
	}
}

// wants has pictures asked for once the page of a caller is there.
func (f *faces) wants(w wanted) {
	f.mu.Lock()
	if len(f.wanted) >= maxFaces {
		clear(f.wanted)
	}
	f.wanted[w.Interaction] = w
	f.mu.Unlock()
	if w.link != "" {
		f.tellSent(w.sent("sent"))
	}
}

// wantedOf is what is asked for now that the page is there; false = nothing, or no more.
func (f *faces) wantedOf(in tandem.InteractionID, now time.Time) (upgrade.Ask, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	w, ok := f.wanted[in]
	delete(f.wanted, in)
	return w.Ask, ok && now.Before(w.until)
}

// allSent are the pages that were sent and are not open yet.
func (f *faces) allSent() (all []view.Upgrade) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, w := range f.wanted {
		if w.link != "" {
			all = append(all, w.sent("sent"))
		}
	}
	return all
}

// watchSent tells of each page that is sent, and of each that is so no more.
func (f *faces) watchSent(do func(view.Upgrade)) (stop func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.sentTo = append(f.sentTo, &do)
	return func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.sentTo = slices.DeleteFunc(slices.Clone(f.sentTo), func(other *func(view.Upgrade)) bool { return other == &do })
	}
}

func (f *faces) tellSent(v view.Upgrade) {
	f.mu.Lock()
	to := f.sentTo
	f.mu.Unlock()
	for _, do := range to {
		(*do)(v)
	}
}

// unsent is told of a link that an agent sent and that is over.
func (f *faces) unsent(l link.Link) {
	f.mu.Lock()
	w, ok := f.wanted[l.Interaction]
	ok = ok && w.link == l.ID
	if ok {
		delete(f.wanted, l.Interaction)
	}
	f.mu.Unlock()
	switch {
	case !ok:
	case l.State == tandem.LinkRevoked:
		f.tellSent(w.sent("withdrawn"))
	default:
		f.tellSent(w.sent("lapsed"))
	}
}

// takeBack makes the link void that an agent sent to a caller who has not opened it; false =
// there is none.
func (a *App) takeBack(ctx context.Context, in tandem.InteractionID, agent string) (bool, error) {
	a.faces.mu.Lock()
	w := a.faces.wanted[in]
	a.faces.mu.Unlock()
	if w.link == "" {
		return false, nil
	}
	return true, a.links.Revoke(ctx, w.link, agent, "taken back")
}
