// Package story tells what has happened: an interaction's story, and what is known of the
// customer whom it is with, as agents and supervisors see them. It reads the journal and the
// line, and owns no goroutine; it looks at no rights: web/desk has done so before.
package story

import (
	"bytes"
	"context"
	"encoding/json"
	"time"

	"tandem"
	"tandem/store"
	"tandem/web/desk/view"
)

// Journal is what has happened; store/sqlite has it.
type Journal interface {
	Interaction(ctx context.Context, ref string) (store.Story, error)
	List(ctx context.Context, f store.Filter) ([]store.Summary, error)
	Identities(ctx context.Context, customer tandem.CustomerID) ([]tandem.Binding, error)
}

// Line tells where tasks stand; bridge/queue's Router.
type Line interface {
	view.Places
	Of(in tandem.InteractionID) []tandem.Task
}

// Teller reads stories.
type Teller struct {
	Journal Journal
	Line    Line
	Now     func() time.Time
}

const (
	maxEvents   = 500 // of a story, the newest
	maxContacts = 5   // of the customer, before this one
	maxOffers   = 100 // of a task, the newest
)

// Interaction is one in a list, or at the head of its story.
type Interaction struct {
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

func interactionOf(i tandem.Interaction) Interaction {
	return Interaction{ID: i.ID, Number: i.Number, Customer: i.Customer, Entry: i.Entry, Flow: i.Flow, Lang: i.Lang, State: i.State,
		Started: i.Started.UTC(), Ended: view.UTC(i.Ended), Outcome: i.Outcome, Channels: []tandem.LegKind{}}
}

// SummaryOf is an interaction in a list.
func SummaryOf(s *store.Summary) Interaction {
	v := interactionOf(s.Interaction)
	v.Channels, v.From, v.Erased = append(v.Channels, s.Kinds...), s.From, s.Erased
	return v
}

// Leg is one way a party takes part.
type Leg struct {
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

// Event is one fact of the journal.
type Event struct {
	Seq   uint64           `json:"seq"`
	At    time.Time        `json:"at"`
	Kind  tandem.EventKind `json:"kind"`
	Leg   tandem.LegID     `json:"leg,omitempty"`
	Actor string           `json:"actor,omitempty"`
	Data  json.RawMessage  `json:"data,omitempty"`
}

// Story is what is known of an interaction.
type Story struct {
	Interaction Interaction    `json:"interaction"`
	Assurance   string         `json:"assurance"` // the highest that holds now
	Legs        []Leg          `json:"legs"`
	Answers     map[string]any `json:"answers"` // what the flow knows, secrets masked
	Tasks       []view.Task    `json:"tasks"`
	Events      []Event        `json:"events"`
	Earlier     int            `json:"earlier,omitempty"` // events left out
	Contacts    []Interaction  `json:"contacts"`
}

// Tell reads an interaction's story; ref is an id or a spoken number.
func (d *Teller) Tell(ctx context.Context, ref string) (Story, store.Story, error) {
	v, s, err := d.head(ctx, ref)
	if err != nil {
		return v, s, err
	}
	for _, t := range s.Tasks {
		v.Tasks = append(v.Tasks, view.Placed(t, d.Line))
	}
	v.Earlier = max(0, len(s.Events)-maxEvents)
	for _, e := range s.Events[v.Earlier:] {
		v.Events = append(v.Events, Event{e.Seq, e.At.UTC(), e.Kind, e.Leg, e.Actor, e.Data})
	}
	v.Contacts, err = d.contacts(ctx, s.Interaction)
	return v, s, err
}

// head reads an interaction's story without its tasks, events and contacts.
func (d *Teller) head(ctx context.Context, ref string) (Story, store.Story, error) {
	s, err := d.Journal.Interaction(ctx, ref)
	if err != nil {
		return Story{}, s, err
	}
	v := Story{Interaction: interactionOf(s.Interaction), Legs: []Leg{}, Answers: answers(s.Events), Tasks: []view.Task{}, Events: []Event{}, Contacts: []Interaction{}}
	v.Interaction.Erased = !s.Customer.Erased.IsZero()
	level := provedOn(s, d.Now())
	seen := map[tandem.LegKind]bool{}
	for _, l := range s.Legs {
		v.Legs = append(v.Legs, Leg{l.ID, l.Kind, l.Inbound, l.Role, l.From, l.To, l.Assurance.String(), view.UTC(l.AssuranceUntil), l.Started.UTC(), view.UTC(l.Answered), view.UTC(l.Ended)})
		if l.Role != tandem.RoleCustomer {
			continue
		}
		if l.AssuranceUntil.IsZero() || l.AssuranceUntil.After(d.Now()) {
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
func (d *Teller) contacts(ctx context.Context, i tandem.Interaction) ([]Interaction, error) {
	out := []Interaction{}
	if i.Customer == "" {
		return out, nil
	}
	list, err := d.Journal.List(ctx, store.Filter{Customer: i.Customer, Before: i.ID, Limit: maxContacts})
	for n := range list {
		out = append(out, SummaryOf(&list[n]))
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

// Offer is one that was made, with what came of it.
type Offer struct {
	At       time.Time       `json:"at"`
	Agent    string          `json:"agent"`
	Fence    uint64          `json:"fence"`
	Decision tandem.Decision `json:"decision"`
	Ended    time.Time       `json:"ended,omitzero"`
	End      string          `json:"end,omitempty"` // assigned, or why it came to nothing
}

// OffersOf finds the offers of a task in its interaction's journal, oldest first.
func OffersOf(events []tandem.Event, id tandem.TaskID) []Offer {
	out := []Offer{}
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
				out = append(out, Offer{At: e.At.UTC(), Agent: p.Agent, Fence: p.Fence, Decision: p.Decision})
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

// provedOn is the highest level that was proved on a leg which goes on, and holds now: a
// caller's leg is written anew only as it ends.
func provedOn(s store.Story, now time.Time) tandem.Assurance {
	open := map[tandem.LegID]bool{}
	for _, l := range s.Legs {
		open[l.ID] = l.Ended.IsZero()
	}
	level := tandem.None
	for _, e := range s.Events {
		var i tandem.Identified
		if e.Kind == tandem.EventIdentified && open[e.Leg] && json.Unmarshal(e.Data, &i) == nil && i.Outcome == "passed" && i.Until.After(now) {
			level = max(level, i.Level)
		}
	}
	return level
}
