package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"time"

	"tandem"
	"tandem/store"
	"tandem/web/answer"
	"tandem/web/desk/duty"
	"tandem/web/desk/view"
	"tandem/web/login"
)

const (
	maxEvents   = 500 // of a story, the newest
	maxContacts = 5   // of the customer, before this one
	maxOffers   = 100 // of a task, the newest
)

// interaction is one in a list, or at the head of its story.
type interaction struct {
	ID       tandem.InteractionID `json:"id"`
	Number   tandem.Number        `json:"number"`
	Customer tandem.CustomerID    `json:"customer,omitempty"`
	Entry    string               `json:"entry"`
	Flow     string               `json:"flow"`
	Lang     string               `json:"lang,omitempty"`
	State    tandem.State         `json:"state"`
	Started  time.Time            `json:"started"`
	Ended    time.Time            `json:"ended,omitzero"`
	Outcome  string               `json:"outcome,omitempty"`
	Channels []tandem.LegKind     `json:"channels"`
	From     string               `json:"from,omitempty"`
	Erased   bool                 `json:"erased,omitempty"`
}

func interactionOf(i tandem.Interaction) interaction {
	return interaction{ID: i.ID, Number: i.Number, Customer: i.Customer, Entry: i.Entry, Flow: i.Flow, Lang: i.Lang, State: i.State,
		Started: i.Started.UTC(), Ended: view.UTC(i.Ended), Outcome: i.Outcome, Channels: []tandem.LegKind{}}
}

func summaryOf(s *store.Summary) interaction {
	v := interactionOf(s.Interaction)
	v.Channels, v.From, v.Erased = append(v.Channels, s.Kinds...), s.From, s.Erased
	return v
}

// leg is one way a party takes part.
type leg struct {
	ID             tandem.LegID   `json:"id"`
	Kind           tandem.LegKind `json:"kind"`
	Inbound        bool           `json:"inbound"`
	Role           tandem.Role    `json:"role"`
	From           string         `json:"from,omitempty"`
	To             string         `json:"to,omitempty"`
	Assurance      string         `json:"assurance"`
	AssuranceUntil time.Time      `json:"assurance_until,omitzero"`
	Started        time.Time      `json:"started"`
	Answered       time.Time      `json:"answered,omitzero"`
	Ended          time.Time      `json:"ended,omitzero"`
}

// event is one fact of the journal.
type event struct {
	Seq   uint64           `json:"seq"`
	At    time.Time        `json:"at"`
	Kind  tandem.EventKind `json:"kind"`
	Leg   tandem.LegID     `json:"leg,omitempty"`
	Actor string           `json:"actor,omitempty"`
	Data  json.RawMessage  `json:"data,omitempty"`
}

// story is what is known of an interaction.
type story struct {
	Interaction interaction    `json:"interaction"`
	Assurance   string         `json:"assurance"` // the highest that holds now
	Legs        []leg          `json:"legs"`
	Answers     map[string]any `json:"answers"` // what the flow knows, secrets masked
	Tasks       []view.Task    `json:"tasks"`
	Events      []event        `json:"events"`
	Earlier     int            `json:"earlier,omitempty"` // events left out
	Contacts    []interaction  `json:"contacts"`
}

// tell reads an interaction's story; ref is an id or a spoken number.
func (d *Desk) tell(ctx context.Context, ref string) (story, store.Story, error) {
	v, s, err := d.head(ctx, ref)
	if err != nil {
		return v, s, err
	}
	for _, t := range s.Tasks {
		v.Tasks = append(v.Tasks, d.View(t))
	}
	v.Earlier = max(0, len(s.Events)-maxEvents)
	for _, e := range s.Events[v.Earlier:] {
		v.Events = append(v.Events, event{e.Seq, e.At.UTC(), e.Kind, e.Leg, e.Actor, e.Data})
	}
	v.Contacts, err = d.contacts(ctx, s.Interaction)
	return v, s, err
}

// head reads an interaction's story without its tasks, events and contacts.
func (d *Desk) head(ctx context.Context, ref string) (story, store.Story, error) {
	s, err := d.o.Journal.Interaction(ctx, ref)
	if err != nil {
		return story{}, s, err
	}
	v := story{Interaction: interactionOf(s.Interaction), Legs: []leg{}, Answers: answers(s.Events), Tasks: []view.Task{}, Events: []event{}, Contacts: []interaction{}}
	v.Interaction.Erased = !s.Customer.Erased.IsZero()
	level := tandem.None
	seen := map[tandem.LegKind]bool{}
	for _, l := range s.Legs {
		v.Legs = append(v.Legs, leg{l.ID, l.Kind, l.Inbound, l.Role, l.From, l.To, l.Assurance.String(), view.UTC(l.AssuranceUntil), l.Started.UTC(), view.UTC(l.Answered), view.UTC(l.Ended)})
		if l.Role != tandem.RoleCustomer {
			continue
		}
		if l.AssuranceUntil.IsZero() || l.AssuranceUntil.After(d.o.Now()) {
			level = max(level, l.Assurance)
		}
		if !seen[l.Kind] {
			seen[l.Kind] = true
			v.Interaction.Channels = append(v.Interaction.Channels, l.Kind)
		}
		if v.Interaction.From == "" {
			v.Interaction.From = l.From
			if !l.Inbound {
				v.Interaction.From = l.To
			}
		}
	}
	v.Assurance = level.String()
	return v, s, nil
}

// contacts are the customer's last interactions before one.
func (d *Desk) contacts(ctx context.Context, i tandem.Interaction) ([]interaction, error) {
	out := []interaction{}
	if i.Customer == "" {
		return out, nil
	}
	list, err := d.o.Journal.List(ctx, store.Filter{Customer: i.Customer, Before: i.ID, Limit: maxContacts})
	for n := range list {
		out = append(out, summaryOf(&list[n]))
	}
	return out, err
}

// answers are the variables that steps have set, the last word of each.
func answers(events []tandem.Event) map[string]any {
	out := map[string]any{}
	for _, e := range events {
		if e.Kind != tandem.EventOutcome || e.Data == nil {
			continue
		}
		var p struct {
			Set map[string]any `json:"set"`
		}
		numbers := json.NewDecoder(bytes.NewReader(e.Data))
		numbers.UseNumber() // an account's number is no float
		if numbers.Decode(&p) == nil {
			for name, v := range p.Set {
				out[name] = v
			}
		}
	}
	return out
}

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
		Story    story            `json:"story"`
	}{Task: d.View(t)}
	var all store.Story
	if out.Story, all, err = d.tell(r.Context(), string(t.Interaction)); err != nil {
		return err
	}
	if offers := offersOf(all.Events, id); len(offers) > 0 {
		out.Decision = &offers[len(offers)-1].Decision
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}

// offer is one that was made, with what came of it.
type offer struct {
	At       time.Time       `json:"at"`
	Agent    string          `json:"agent"`
	Fence    uint64          `json:"fence"`
	Decision tandem.Decision `json:"decision"`
	Ended    time.Time       `json:"ended,omitzero"`
	End      string          `json:"end,omitempty"` // assigned, or why it came to nothing
}

// offersOf finds the offers of a task in its interaction's journal, oldest first.
func offersOf(events []tandem.Event, id tandem.TaskID) []offer {
	out := []offer{}
	end := func(at time.Time, fence uint64, how string) {
		for i := range out {
			if out[i].Fence == fence {
				out[i].Ended, out[i].End = at.UTC(), how
			}
		}
	}
	for _, e := range events {
		switch e.Kind {
		case tandem.EventTaskOffered:
			var p tandem.Offered
			if json.Unmarshal(e.Data, &p) == nil && p.Task == id {
				out = append(out, offer{At: e.At.UTC(), Agent: p.Agent, Fence: p.Fence, Decision: p.Decision})
			}
		case tandem.EventTaskReturned:
			var p tandem.Returned
			if json.Unmarshal(e.Data, &p) == nil && p.Task == id {
				end(e.At, p.Fence, p.Why)
			}
		case tandem.EventTaskAssigned:
			var p tandem.Assigned
			if json.Unmarshal(e.Data, &p) == nil && p.Task == id {
				end(e.At, p.Fence, "assigned")
			}
		}
	}
	return out[max(0, len(out)-maxOffers):]
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
		Offers []offer          `json:"offers"`
		Now    *tandem.Decision `json:"now,omitempty"`
	}{Task: d.View(t), Offers: offersOf(s.Events, id)}
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
		Interactions []interaction `json:"interactions"`
	}{[]interaction{}}
	for i := range list {
		out.Interactions = append(out.Interactions, summaryOf(&list[i]))
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
	s, _, err := d.tell(r.Context(), ref)
	if err != nil {
		return err
	}
	answer.JSON(w, http.StatusOK, s)
	return nil
}
