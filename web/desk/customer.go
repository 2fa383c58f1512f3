package desk

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tandem"
	"tandem/store"
	"tandem/web/answer"
	"tandem/web/desk/duty"
	"tandem/web/desk/view"
	"tandem/web/login"
)

const (
	maxNotes = 3   // of a contact before, the newest
	maxOwn   = 50  // of this one
	maxLinks = 50  // that are shown, the newest
	maxOpen  = 20  // tasks that are in line for a customer
	maxPast  = 200 // interactions of a customer that are looked at for those
)

// customer is what is known of who a task is about, in one view.
type customer struct {
	Task        view.Task         `json:"task"`
	Interaction interaction       `json:"interaction"`
	Customer    tandem.CustomerID `json:"customer,omitempty"`
	Since       time.Time         `json:"since,omitzero"`
	Assurance   string            `json:"assurance"`
	Until       time.Time         `json:"assurance_until,omitzero"`
	Details     map[string]any    `json:"details"`
	Bindings    []binding         `json:"bindings"`
	Contacts    []past            `json:"contacts"`
	Open        []view.Task       `json:"open"`
	Answers     map[string]any    `json:"answers"`
	Notes       []note            `json:"notes"`
	Links       []view.Offered    `json:"links"`
}

// binding is by what a customer is reached, masked.
type binding struct {
	Kind    tandem.IdentityKind `json:"kind"`
	Value   string              `json:"value"`
	Since   time.Time           `json:"since"`
	Checked time.Time           `json:"checked,omitzero"`
}

// note is what an agent wrote.
type note struct {
	At   time.Time `json:"at"`
	By   string    `json:"by"`
	Text string    `json:"text"`
}

// past is an interaction before this one, with what came of it.
type past struct {
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
	Notes       []note               `json:"notes"`
}

func (d *Desk) getCustomer(w http.ResponseWriter, r *http.Request) error {
	id, err := taskID(r)
	if err != nil {
		return err
	}
	t, theirs, err := d.visible(login.CallerOf(r.Context()), id, duty.Readers)
	if err != nil {
		return err
	}
	if !theirs {
		if err := d.o.Door.Record(r.Context(), "interaction.look", string(t.Interaction), "customer"); err != nil {
			return err
		}
	}
	v, err := d.customer(r.Context(), t)
	if err != nil {
		return err
	}
	answer.JSON(w, http.StatusOK, v)
	return nil
}

// customer reads what is known of who a task is about.
func (d *Desk) customer(ctx context.Context, t tandem.Task) (customer, error) {
	head, s, err := d.head(ctx, string(t.Interaction))
	if err != nil {
		return customer{}, err
	}
	v := customer{Task: d.View(t), Interaction: head.Interaction, Customer: s.Interaction.Customer, Since: view.UTC(s.Customer.Created), Assurance: head.Assurance,
		Details: map[string]any{}, Bindings: []binding{}, Contacts: []past{}, Open: []view.Task{}, Answers: head.Answers, Notes: notesOf(s.Events, maxOwn), Links: linksOf(s.Events)}
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
	bound, err := d.o.Journal.Identities(ctx, s.Interaction.Customer)
	if err != nil {
		return v, err
	}
	for _, b := range bound {
		v.Bindings = append(v.Bindings, binding{b.Identity.Kind, masked(b.Identity), b.Since.UTC(), view.UTC(b.Checked)})
	}
	return v, d.before(ctx, &v, s.Interaction)
}

// before fills in the contacts before one, and what else is in line for its customer.
func (d *Desk) before(ctx context.Context, v *customer, in tandem.Interaction) error {
	list, err := d.o.Journal.List(ctx, store.Filter{Customer: in.Customer, Before: in.ID, Limit: maxContacts})
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
	going, err := d.o.Journal.List(ctx, store.Filter{Customer: in.Customer, Going: true, Limit: maxPast})
	if err != nil {
		return err
	}
	for n := range going {
		for _, t := range d.o.Line.Of(going[n].ID) {
			if t.ID != v.Task.ID && len(v.Open) < maxOpen {
				v.Open = append(v.Open, d.View(t))
			}
		}
	}
	return nil
}

// pastOf reads what came of an interaction.
func (d *Desk) pastOf(ctx context.Context, s *store.Summary) (past, error) {
	v := past{ID: s.ID, Number: s.Number, Flow: s.Flow, State: s.State, Started: s.Started.UTC(), Ended: view.UTC(s.Ended), Channels: append([]tandem.LegKind{}, s.Kinds...),
		Outcome: s.Outcome, Agents: []string{}, Notes: []note{}}
	story, err := d.o.Journal.Interaction(ctx, string(s.ID))
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
func notesOf(events []tandem.Event, most int) []note {
	out := []note{}
	for _, e := range slices.Backward(events) {
		var p tandem.Noted
		if e.Kind != tandem.EventNoted || len(out) == most || json.Unmarshal(e.Data, &p) != nil {
			continue
		}
		out = append(out, note{e.At.UTC(), e.Actor, p.Text})
	}
	return out
}

// linksOf are the links that a customer was given, the newest first.
func linksOf(events []tandem.Event) []view.Offered {
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

func (d *Desk) getLinks(w http.ResponseWriter, r *http.Request) error {
	return listed(d, w, r, "links", func(c login.Caller, id tandem.TaskID) ([]view.Offered, map[string]any, error) {
		t, theirs, err := d.visible(c, id, duty.Readers)
		if err != nil {
			return nil, nil, err
		}
		if !theirs {
			if err := d.o.Door.Record(r.Context(), "interaction.look", string(t.Interaction), "links"); err != nil {
				return nil, nil, err
			}
		}
		s, err := d.o.Journal.Interaction(r.Context(), string(t.Interaction))
		return linksOf(s.Events), nil, err
	})
}

// maxPicture bounds a picture that is shown, in bytes; larger ones were not taken.
const maxPicture = 16 << 20

// getPicture shows a picture that was sent in the chat of a task, once it is written down
// who looks.
func (d *Desk) getPicture(w http.ResponseWriter, r *http.Request) error {
	id, err := taskID(r)
	if err != nil {
		return err
	}
	c := login.CallerOf(r.Context())
	t, _, err := d.visible(c, id, duty.Readers)
	if err != nil {
		return err
	}
	blob := tandem.BlobID(r.PathValue("picture"))
	none := tandem.Errorf(tandem.CodeNotFound, "there is no such picture in this chat")
	if !tandem.ValidID(string(blob)) {
		return none
	}
	s, err := d.o.Journal.Interaction(r.Context(), string(t.Interaction))
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(s.Events, func(e tandem.Event) bool {
		var m tandem.Message
		return e.Kind == tandem.EventMessage && bytes.Contains(e.Data, []byte(blob)) && json.Unmarshal(e.Data, &m) == nil && m.Attachment != nil && m.Attachment.Blob == blob
	}) {
		return none
	}
	if err := d.o.Door.Record(r.Context(), "picture.look", string(t.Interaction), string(blob)); err != nil {
		return err
	}
	content, ref, err := d.o.Journal.OpenBlob(r.Context(), blob, duty.Actor(c), "desk")
	if err != nil {
		return err
	}
	defer content.Close()
	if ref.MediaType != "image/jpeg" && ref.MediaType != "image/png" || ref.Size > maxPicture {
		return none
	}
	data, err := io.ReadAll(io.LimitReader(content, maxPicture)) // the whole of it: it is whole, or an error
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", ref.MediaType)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; sandbox")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	_, err = w.Write(data)
	clear(data)
	if err != nil {
		return errDone // who looked has gone
	}
	return nil
}

// getNodes, getReplies and getOperations are for who serves the customer.
func (d *Desk) getNodes(w http.ResponseWriter, r *http.Request) error {
	return listed(d, w, r, "nodes", func(c login.Caller, id tandem.TaskID) ([]view.Node, map[string]any, error) {
		all, err := d.Nodes(r.Context(), c, id)
		return all, nil, err
	})
}

func (d *Desk) getReplies(w http.ResponseWriter, r *http.Request) error {
	return listed(d, w, r, "replies", func(c login.Caller, id tandem.TaskID) ([]view.Reply, map[string]any, error) {
		all, err := d.Replies(r.Context(), c, id, r.URL.Query().Get("q"))
		return all, nil, err
	})
}

func (d *Desk) getOperations(w http.ResponseWriter, r *http.Request) error {
	return listed(d, w, r, "operations", func(c login.Caller, id tandem.TaskID) ([]view.Operation, map[string]any, error) {
		all, by, err := d.Operations(r.Context(), c, id)
		return all, map[string]any{"by": append([]string{}, by...)}, err
	})
}

// colleague is an agent as others see them who may hand them a customer.
type colleague struct {
	Name      string          `json:"name"`
	Display   string          `json:"display"`
	Presence  tandem.Presence `json:"presence"`
	Reason    string          `json:"reason,omitempty"`
	Reachable []tandem.Load   `json:"reachable"`
	Busy      []tandem.Load   `json:"busy"`
	Teams     []string        `json:"teams"`
}

// place is a queue that a customer can be handed to.
type place struct {
	Name    string `json:"name"`
	Waiting int    `json:"waiting"`
	Free    int    `json:"free"`
}

func (d *Desk) getDirectory(w http.ResponseWriter, r *http.Request) error {
	out := struct {
		Agents []colleague `json:"agents"`
		Queues []place     `json:"queues"`
	}{[]colleague{}, []place{}}
	p := d.o.Line.Policy()
	for _, a := range d.o.Line.Agents() {
		of := p.Agents[a.Name]
		if of == nil {
			continue
		}
		v := d.AgentView(a)
		one := colleague{Name: v.Name, Display: d.o.Display(r.Context(), v.Name), Presence: v.Presence, Reason: v.Reason, Reachable: []tandem.Load{}, Busy: []tandem.Load{}, Teams: v.Teams}
		for _, l := range []tandem.Load{tandem.LoadVoice, tandem.LoadChat, tandem.LoadSMS, tandem.LoadWork} {
			if v.Reachable[l] {
				one.Reachable = append(one.Reachable, l)
			}
			if v.Has[l] >= v.Capacity[l] {
				one.Busy = append(one.Busy, l)
			}
		}
		out.Agents = append(out.Agents, one)
	}
	figures, _ := d.board.Figures(d.o.Line)
	for i := range figures {
		out.Queues = append(out.Queues, place{figures[i].Name, figures[i].Total, figures[i].Agents.Free})
	}
	answer.JSON(w, http.StatusOK, out)
	return nil
}
