package hook

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tandem"
	"tandem/store"
)

// message is the body of a letter, as Standard Webhooks has it.
type message struct {
	Type      tandem.EventKind `json:"type"`
	Timestamp time.Time        `json:"timestamp"` // when it happened
	Data      fields           `json:"data"`
}

// fields are what a letter tells. Each has one meaning, whatever the type.
type fields map[string]any

// set adds a field that has a value.
func set[T comparable](f fields, name string, value T) {
	var none T
	if value != none {
		f[name] = value
	}
}

// at adds a time, if it is one.
func (f fields) at(name string, t time.Time) {
	if !t.IsZero() {
		f[name] = t.UTC()
	}
}

// word adds a word of a closed list or of a flow's file. What is no word might be a
// customer's, and is left out.
func (f fields) word(name, value string) {
	plain := func(c rune) bool {
		return c == '_' || c == '.' || c == '-' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
	}
	if value != "" && len(value) <= 64 && strings.TrimFunc(value, plain) == "" {
		f[name] = value
	}
}

// task names a task. What more is known of it stands beside its id.
func (f fields) task(id tandem.TaskID) { f["task"] = fields{"id": id} }

// describe adds to the named task what it is.
func (f fields) describe(tasks []tandem.Task) {
	named, _ := f["task"].(fields)
	if named == nil {
		return
	}
	for _, t := range tasks {
		if t.ID != named["id"] {
			continue
		}
		named["kind"], named["state"] = t.Kind, t.State
		set(named, "queue", t.Queue)
		set(named, "agent", t.Agent)
		named.word("outcome", t.Outcome)
		set(named, "ticket", t.Ticket)
		named.at("arrived", t.Arrived)
		named.at("due", t.Due)
		named.at("not_before", t.NotBefore)
	}
}

// content makes fields of an event's payload.
type content func(data json.RawMessage, f fields) error

// of makes a content of a payload's type.
func of[T any](tell func(p T, f fields)) content {
	return func(data json.RawMessage, f fields) error {
		var p T
		if err := json.Unmarshal(data, &p); err != nil {
			return err
		}
		tell(p, f)
		return nil
	}
}

// contents are the types that can be told, and what of each is. The list is closed: a kind
// that is not in it is nobody's business outside, or would tell too much or too often.
var contents = map[tandem.EventKind]content{
	AlertFired:    of(notice),
	AlertResolved: of(notice),
	tandem.EventOpened: of(func(p tandem.Opened, f fields) {
		set(f, "entry", p.Entry)
		set(f, "channel", p.Channel)
	}),
	tandem.EventClosed: of(func(p tandem.Closing, f fields) {
		f.word("outcome", p.Outcome)
		f.ended(p.Termination)
	}),
	tandem.EventErased: of(func(tandem.Audit, fields) {}),
	tandem.EventLegStarted: of(func(p tandem.Leg, f fields) {
		set(f, "leg_kind", p.Kind)
		set(f, "role", p.Role)
		f["inbound"] = p.Inbound
	}),
	tandem.EventLegEnded: of(func(p tandem.Termination, f fields) { f.ended(p) }),
	tandem.EventMoved: of(func(p tandem.Moved, f fields) {
		set(f, "channel", p.Channel)
	}),
	tandem.EventMessage: of(func(p tandem.Message, f fields) {
		set(f, "conversation", p.Conversation)
		set(f, "message", p.Seq)
		set(f, "channel", p.Channel)
		set(f, "from", p.From)
	}),
	tandem.EventConsent: of(func(p tandem.Consent, f fields) {
		f.word("consent", p.Kind)
		f.word("answer", p.Answer)
	}),
	tandem.EventVoicemail: of(func(p tandem.Recorded, f fields) {
		set(f, "blob", p.Blob)
		set(f, "seconds", p.Seconds)
		set(f, "box", p.Box)
	}),
	tandem.EventRecorded: of(func(p tandem.Recorded, f fields) {
		set(f, "blob", p.Blob)
		set(f, "seconds", p.Seconds)
	}),
	tandem.EventIdentified: of(func(p tandem.Identified, f fields) {
		f.word("method", p.Method)
		f["assurance"] = p.Level
		f.word("outcome", p.Outcome)
		f.at("until", p.Until)
	}),
	tandem.EventMerged:   of(func(p tandem.Merged, f fields) { f["from_customer"], f["customer"] = p.From, p.Into }),
	tandem.EventUnmerged: of(func(p tandem.Merged, f fields) { f["from_customer"], f["customer"] = p.From, p.Into }),
	tandem.EventLinkState: of(func(p tandem.LinkChanged, f fields) {
		f["link"], f["link_state"] = p.Link, p.State
	}),
	tandem.EventCallback: of(func(p tandem.Callback, f fields) { f.task(p.Task) }),
	tandem.EventTaskOpened: of(func(p tandem.Task, f fields) {
		f.task(p.ID)
		f.describe([]tandem.Task{p})
	}),
	tandem.EventTaskChanged: of(func(p tandem.TaskChanged, f fields) {
		f.task(p.Task)
		f.word("why", p.Why)
	}),
	tandem.EventTaskOffered: of(func(p tandem.Offered, f fields) {
		f.task(p.Task)
		f["agent"], f["fence"] = p.Agent, p.Fence
		f.at("deadline", p.Deadline)
		set(f, "waited", p.Decision.Waited)
	}),
	tandem.EventTaskReturned: of(func(p tandem.Returned, f fields) {
		f.task(p.Task)
		f["agent"], f["fence"] = p.Agent, p.Fence
		f.word("why", p.Why)
	}),
	tandem.EventTaskAssigned: of(func(p tandem.Assigned, f fields) {
		f.task(p.Task)
		f["agent"], f["fence"] = p.Agent, p.Fence
		set(f, "waited", p.Waited)
	}),
	tandem.EventTaskReleased: of(func(p tandem.Released, f fields) {
		f.task(p.Task)
		f["agent"], f["fence"] = p.Agent, p.Fence
		f.word("why", p.Why)
		set(f, "seconds", p.Seconds)
	}),
	tandem.EventTaskWrapped: of(func(p tandem.Wrapped, f fields) {
		f.task(p.Task)
		f["agent"], f["fence"] = p.Agent, p.Fence
		set(f, "seconds", p.Seconds)
		f["late"] = p.Late
	}),
	tandem.EventTaskDone: of(func(p tandem.TaskOver, f fields) {
		f.task(p.Task)
		set(f, "agent", p.Agent)
		f.word("outcome", p.Outcome)
	}),
	tandem.EventTicket: of(func(p tandem.Ticket, f fields) {
		f.task(p.Task)
		f["ticket"] = p.Number
		set(f, "form", p.Form)
		set(f, "owner", p.Owner)
		f.at("due", p.Due)
	}),
	tandem.EventTicketChanged: of(func(p tandem.TicketChanged, f fields) {
		f.task(p.Task)
		f.word("status", p.Status)
		set(f, "owner", p.Owner)
		f.at("due", p.Due)
	}),
	tandem.EventSurvey: of(func(p tandem.Surveyed, f fields) {
		set(f, "form", p.Form)
		set(f, "channel", p.Channel)
		set(f, "agent", p.Agent)
		f["partial"] = p.Partial
	}),
	tandem.EventNoted: of(func(p tandem.Noted, f fields) {
		if p.Task != "" {
			f.task(p.Task)
		}
	}),
}

// ended says how a leg or an interaction ended.
func (f fields) ended(t tandem.Termination) {
	set(f, "ended_by", t.By)
	set(f, "class", t.Class)
	f.word("reason", string(t.Reason))
}

// Types are the types that can be told, by name.
func Types() []string {
	var out []string
	for kind := range contents {
		out = append(out, string(kind))
	}
	slices.Sort(out)
	return out
}

// Letters are what goes to receivers of an event. It is for the store to ask, in the
// transaction that writes the event: it takes no time and calls nobody.
func (d *Desk) Letters(e *tandem.Event, about store.About) []store.Outgoing {
	d.mu.Lock()
	defer d.mu.Unlock()
	receivers := d.wants[e.Kind]
	if len(receivers) == 0 {
		return nil
	}
	body, err := body(e, about)
	if err != nil {
		d.o.Log.Error("receivers are not told of an event", "interaction", e.Interaction, "kind", e.Kind, "error", err)
		return nil
	}
	return d.outgoing(receivers, e, body)
}

// outgoing are letters of one body to those who are not full. mu is held.
func (d *Desk) outgoing(receivers []*receiver, e *tandem.Event, body []byte) []store.Outgoing {
	out := make([]store.Outgoing, 0, len(receivers))
	for _, r := range receivers {
		if r.full = r.full || r.Waiting >= maxWaiting; r.full {
			if r.MissedSince.IsZero() {
				r.MissedSince, r.unsaid = e.At.UTC(), true
			}
			continue
		}
		r.Waiting++
		out = append(out, store.Outgoing{Key: keyOf(r.ID, e), Kind: Kind, Target: r.ID, Body: body})
	}
	return out
}

// body is a letter's. Of an erased customer's event it has what its header says.
func body(e *tandem.Event, about store.About) ([]byte, error) {
	f := fields{"interaction": e.Interaction, "seq": e.Seq}
	set(f, "number", about.Number)
	set(f, "leg", e.Leg)
	if len(e.Data) > 0 && string(e.Data) != "null" {
		if err := contents[e.Kind](e.Data, f); err != nil {
			return nil, fmt.Errorf("payload of %s: %w", e.Kind, err)
		}
	}
	f.describe(about.Tasks)
	return json.Marshal(message{Type: e.Kind, Timestamp: e.At.UTC(), Data: f})
}

// letter is what the key of a letter says: hook/SUBSCRIPTION/TIME/INTERACTION/SEQ/TYPE, the
// time in nanoseconds as 16 hexadecimal digits, so that keys sort by it.
type letter struct {
	subscription string
	at           time.Time
	ref          store.EventRef
	kind         tandem.EventKind
}

func keyOf(subscription string, e *tandem.Event) string {
	return fmt.Sprintf("%s%016x/%s/%d/%s", prefix(subscription), e.At.UnixNano(), e.Interaction, e.Seq, e.Kind)
}

func prefix(subscription string) string { return Kind + "/" + subscription + "/" }

func parseKey(key string) (l letter, ok bool) {
	parts := strings.Split(key, "/")
	if len(parts) != 6 || parts[0] != Kind {
		return l, false
	}
	at, err := strconv.ParseInt(parts[2], 16, 64)
	seq, err2 := strconv.ParseUint(parts[4], 10, 64)
	return letter{subscription: parts[1], at: time.Unix(0, at).UTC(), ref: store.EventRef{Interaction: tandem.InteractionID(parts[3]), Seq: seq},
		kind: tandem.EventKind(parts[5])}, err == nil && err2 == nil
}

// idPrefix begins the ids that receivers see.
const idPrefix = "evt_"

// eventID is what a receiver drops repeats by: the same for every letter of an event.
func eventID(ref store.EventRef) string {
	return fmt.Sprintf("%s%s_%d", idPrefix, ref.Interaction, ref.Seq)
}

func parseEventID(id string) (ref store.EventRef, ok bool) {
	rest, ok := strings.CutPrefix(id, idPrefix)
	interaction, seq, found := strings.Cut(rest, "_")
	n, err := strconv.ParseUint(seq, 10, 63)
	ref = store.EventRef{Interaction: tandem.InteractionID(interaction), Seq: n}
	return ref, ok && found && err == nil && tandem.ValidID(interaction)
}

// kindsOf are the kinds that some patterns mean, by name.
func kindsOf(patterns []string) []tandem.EventKind {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(contents)), func(k tandem.EventKind) bool { return !matches(patterns, k) })
}
