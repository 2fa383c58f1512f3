package desk

import (
	"net/http"

	"tandem"
	"tandem/store"
	"tandem/web/answer"
	"tandem/web/desk/duty"
	"tandem/web/desk/story"
	"tandem/web/desk/view"
	"tandem/web/login"
)

func (d *Desk) getTask(w http.ResponseWriter, r *http.Request) error {
	id, err := taskID(r)
	if err != nil {
		return err
	}
	t, theirs, err := d.visible(login.CallerOf(r.Context()), id, duty.Readers)
	if err != nil {
		return err
	}
	if !theirs {
		if err := d.o.Door.Record(r.Context(), "interaction.look", string(t.Interaction), "desk"); err != nil {
			return err
		}
	}
	out := struct {
		Task     view.Task        `json:"task"`
		Decision *tandem.Decision `json:"decision,omitempty"`
		Story    story.Story      `json:"story"`
	}{Task: d.View(t)}
	var all store.Story
	if out.Story, all, err = d.told.Tell(r.Context(), string(t.Interaction)); err != nil {
		return err
	}
	if offers := story.OffersOf(all.Events, id); len(offers) > 0 {
		out.Decision = &offers[len(offers)-1].Decision
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}

func (d *Desk) getDecisions(w http.ResponseWriter, r *http.Request) error {
	id, err := taskID(r)
	if err != nil {
		return err
	}
	t, ok := d.o.Line.Task(id)
	if !ok {
		return tandem.Errorf(tandem.CodeNotFound, "there is no such task in line; what is done is found by its interaction")
	}
	s, err := d.o.Journal.Interaction(r.Context(), string(t.Interaction))
	if err != nil {
		return err
	}
	out := struct {
		Task   view.Task        `json:"task"`
		Offers []story.Offer    `json:"offers"`
		Now    *tandem.Decision `json:"now,omitempty"`
	}{Task: d.View(t), Offers: story.OffersOf(s.Events, id)}
	if why, ok := d.o.Line.Why(id); ok && t.State == tandem.TaskWaiting {
		out.Now = &why
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}

// pastPage is how many interactions come at once, unless it is said.
const pastPage = 50

func (d *Desk) getInteractions(w http.ResponseWriter, r *http.Request) error {
	q := r.URL.Query()
	f := store.Filter{State: tandem.State(q.Get("state")), Entry: q.Get("entry"), Flow: q.Get("flow"), Customer: tandem.CustomerID(q.Get("customer")),
		Before: tandem.InteractionID(q.Get("before"))}
	var err error
	if f.Since, f.Until, err = span(q.Get("since"), q.Get("until")); err != nil {
		return err
	}
	if f.Limit, err = limit(q.Get("limit"), pastPage); err != nil {
		return err
	}
	for _, id := range []string{q.Get("customer"), q.Get("before")} {
		if id != "" && !tandem.ValidID(id) {
			return duty.Invalid("customer and before are ids")
		}
	}
	switch f.State {
	case "", tandem.Open, tandem.Queued, tandem.InOffer, tandem.InService, tandem.Wrapping, tandem.Closed:
	default:
		return duty.Invalid("the states are open, queued, offered, assigned, wrapping and closed")
	}
	list, err := d.o.Journal.List(r.Context(), f)
	if err != nil {
		return err
	}
	out := struct {
		Interactions []story.Interaction `json:"interactions"`
	}{[]story.Interaction{}}
	for i := range list {
		out.Interactions = append(out.Interactions, story.SummaryOf(&list[i]))
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}

func (d *Desk) getInteraction(w http.ResponseWriter, r *http.Request) error {
	ref := r.PathValue("id")
	if !tandem.ValidID(ref) {
		n, err := tandem.ParseNumber(ref)
		if err != nil {
			return duty.Invalid("give an interaction by its id or its spoken number")
		}
		ref = string(n)
	}
	if err := d.o.Door.Record(r.Context(), "interaction.look", ref, "desk"); err != nil {
		return err
	}
	s, _, err := d.told.Tell(r.Context(), ref)
	if err != nil {
		return err
	}
	answer.JSON(w, http.StatusOK, s)
	return nil
}
