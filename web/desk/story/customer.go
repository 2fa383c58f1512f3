package story

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tandem"
	"tandem/store"
	"tandem/web/desk/view"
)

const (
	maxNotes = 3   // of a contact before, the newest
	maxOwn   = 50  // of this one
	maxLinks = 50  // that are shown, the newest
	maxOpen  = 20  // tasks that are in line for a customer
	maxPast  = 200 // interactions of a customer that are looked at for those
)

// Customer is what is known of who a task is about, in one view.
type Customer struct {
	Task        view.Task         `json:"task"`
	Interaction Interaction       `json:"interaction"`
	Customer    tandem.CustomerID `json:"customer,omitempty"`
	Since       time.Time         `json:"since,omitzero"`
	Assurance   string            `json:"assurance"`
	Until       time.Time         `json:"assurance_until,omitzero"`
	Details     map[string]any    `json:"details"`
	Bindings    []Binding         `json:"bindings"`
	Contacts    []Contact         `json:"contacts"`
	Open        []view.Task       `json:"open"`
	Answers     map[string]any    `json:"answers"`
	Notes       []Note            `json:"notes"`
	Links       []view.Offered    `json:"links"`
}

// Binding is by what a customer is reached, masked.
type Binding struct {
	Kind    tandem.IdentityKind `json:"kind"`
	Value   string              `json:"value"`
	Since   time.Time           `json:"since"`
	Checked time.Time           `json:"checked,omitzero"`
}

// Note is what an agent wrote.
type Note struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Text string    `json:"text"`
}

// Contact is an interaction before this one, with what came of it.
type Contact struct {
	ID          tandem.InteractionID `json:"id"`
	Number      tandem.Number        `json:"number"`
	Flow        string               `json:"flow,omitempty"`
	State       tandem.State         `json:"state"`
	Started     time.Time            `json:"started"`
	Ended       time.Time            `json:"ended,omitzero"`
	Channels    []tandem.LegKind     `json:"channels"`
	Outcome     string               `json:"outcome,omitempty"`
	Queue       string               `json:"queue,omitempty"`
	Agents      []string             `json:"agents"`
	Disposition string               `json:"disposition,omitempty"`
	Notes       []Note               `json:"notes"`
}

// Customer reads what is known of who a task is about.
func (d *Teller) Customer(ctx context.Context, t tandem.Task) (Customer, error) {
	head, s, err := d.head(ctx, string(t.Interaction))
	if err != nil {
		return Customer{}, err
	}
	v := Customer{Task: view.Placed(t, d.Line), Interaction: head.Interaction, Customer: s.Interaction.Customer, Since: view.UTC(s.Customer.Created), Assurance: head.Assurance,
		Details: map[string]any{}, Bindings: []Binding{}, Contacts: []Contact{}, Open: []view.Task{}, Answers: head.Answers, Notes: notesOf(s.Events, maxOwn), Links: LinksOf(s.Events)}
	if s.Interaction.Customer == "" {
		v.Since = time.Time{}
	}
	for _, l := range s.Legs {
		if l.Role == tandem.RoleCustomer && l.Assurance.String() == v.Assurance && l.Assurance > tandem.None && l.AssuranceUntil.After(v.Until) {
			v.Until = l.AssuranceUntil.UTC()
		}
	}
	v.Details = details(v.Answers)
	for _, one := range [][2]string{{"lang", cmp.Or(t.Lang, s.Interaction.Lang)}, {"level", t.Level}} {
		if one[1] != "" {
			v.Details[one[0]] = one[1]
		}
	}
	if s.Interaction.Customer == "" || v.Interaction.Erased {
		return v, nil
	}
	bound, err := d.Journal.Identities(ctx, s.Interaction.Customer)
	if err != nil {
		return v, err
	}
	for _, b := range bound {
		v.Bindings = append(v.Bindings, Binding{b.Identity.Kind, masked(b.Identity), b.Since.UTC(), view.UTC(b.Checked)})
	}
	return v, d.before(ctx, &v, s.Interaction)
}

// before fills in the contacts before one, and what else is in line for its customer.
func (d *Teller) before(ctx context.Context, v *Customer, in tandem.Interaction) error {
	list, err := d.Journal.List(ctx, store.Filter{Customer: in.Customer, Before: in.ID, Limit: maxContacts})
	if err != nil {
		return err
	}
	for n := range list {
		c, err := d.pastOf(ctx, &list[n])
		if err != nil {
			return err
		}
		v.Contacts = append(v.Contacts, c)
	}
	going, err := d.Journal.List(ctx, store.Filter{Customer: in.Customer, Going: true, Limit: maxPast})
	if err != nil {
		return err
	}
	for n := range going {
		for _, t := range d.Line.Of(going[n].ID) {
			if t.ID != v.Task.ID && len(v.Open) < maxOpen {
				v.Open = append(v.Open, view.Placed(t, d.Line))
			}
		}
	}
	return nil
}

// pastOf reads what came of an interaction.
func (d *Teller) pastOf(ctx context.Context, s *store.Summary) (Contact, error) {
	v := Contact{ID: s.ID, Number: s.Number, Flow: s.Flow, State: s.State, Started: s.Started.UTC(), Ended: view.UTC(s.Ended), Channels: append([]tandem.LegKind{}, s.Kinds...),
		Outcome: s.Outcome, Agents: []string{}, Notes: []Note{}}
	story, err := d.Journal.Interaction(ctx, string(s.ID))
	if err != nil {
		return v, err
	}
	v.Notes = notesOf(story.Events, maxNotes)
	for _, t := range story.Tasks {
		v.Queue = cmp.Or(t.Queue, v.Queue)
	}
	for _, e := range story.Events {
		switch e.Kind {
		case tandem.EventTaskAssigned:
			var p tandem.Assigned
			if json.Unmarshal(e.Data, &p) == nil && p.Agent != "" && !slices.Contains(v.Agents, p.Agent) {
				v.Agents = append(v.Agents, p.Agent)
			}
		case tandem.EventTaskWrapped:
			var p tandem.Wrapped
			if json.Unmarshal(e.Data, &p) == nil {
				v.Disposition = cmp.Or(p.Disposition, v.Disposition)
			}
		}
	}
	return v, nil
}

// notesOf are what agents wrote, the newest.
func notesOf(events []tandem.Event, most int) []Note {
	out := []Note{}
	for _, e := range slices.Backward(events) {
		var p tandem.Noted
		if e.Kind != tandem.EventNoted || len(out) == most || json.Unmarshal(e.Data, &p) != nil {
			continue
		}
		out = append(out, Note{e.At.UTC(), e.Actor, p.Text})
	}
	return out
}

// LinksOf are the links that a customer was given, the newest first.
func LinksOf(events []tandem.Event) []view.Offered {
	out := []view.Offered{}
	at := map[tandem.LinkID]int{}
	for _, e := range events {
		switch e.Kind {
		case tandem.EventLinkMade:
			var p tandem.LinkIssued
			if json.Unmarshal(e.Data, &p) == nil {
				at[p.Link] = len(out)
				out = append(out, view.Offered{ID: p.Link, Operation: p.Operation, To: p.To, State: tandem.LinkMade, By: p.By, At: e.At.UTC(), Expires: p.Expires.UTC()})
			}
		case tandem.EventLinkState:
			var p tandem.LinkChanged
			if json.Unmarshal(e.Data, &p) != nil {
				continue
			}
			if i, known := at[p.Link]; known {
				out[i].State, out[i].At = p.State, e.At.UTC()
			}
		}
	}
	slices.Reverse(out)
	return out[:min(len(out), maxLinks)]
}

// details are what a flow has looked up of the person: the fields of its variables customer
// and profile, where it has them.
func details(answers map[string]any) map[string]any {
	out := map[string]any{}
	for _, name := range []string{"profile", "customer"} {
		of, _ := answers[name].(map[string]any)
		for k, v := range of {
			out[k] = v
		}
	}
	return out
}

// masked is an identity as agents see it: enough to be sure with the customer that it is
// theirs, and too little to use it.
func masked(i tandem.Identity) string {
	at := strings.LastIndexByte(i.Value, '@')
	if i.Kind == tandem.IdentityEmail && at > 0 {
		_, first := utf8.DecodeRuneInString(i.Value)
		return i.Value[:first] + "•••" + i.Value[at:]
	}
	name, account, ok := strings.Cut(i.Value, ":")
	if i.Kind == tandem.IdentityChat && ok {
		return name + ":" + tail(account, 0)
	}
	head := 0
	if strings.HasPrefix(i.Value, "+") {
		head = min(3, len(i.Value))
	}
	return tail(i.Value, head)
}

// tail keeps the first and, where it is long enough, the last four characters.
func tail(s string, head int) string {
	runes := []rune(s)
	if len(runes) < head+8 {
		return string(runes[:min(head, len(runes))]) + "••••"
	}
	return string(runes[:head]) + "••••" + string(runes[len(runes)-4:])
}
