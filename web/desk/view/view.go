// Package view is what agents and supervisors see, as JSON: tasks, agents and messages. Every
// type stands in web/api/openapi.yaml under its name. It owns no goroutine and decides nothing.
package view

import (
	"cmp"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/route"
)

// Task is a place in line as the API shows it.
type Task struct {
	ID          tandem.TaskID        `json:"id"`
	Interaction tandem.InteractionID `json:"interaction"`
	Kind        tandem.TaskKind      `json:"kind"`
	Queue       string               `json:"queue"`
	State       tandem.TaskState     `json:"state"`
	Arrived     time.Time            `json:"arrived"`
	Due         time.Time            `json:"due,omitzero"`
	Level       string               `json:"level,omitempty"`
	Lang        string               `json:"lang,omitempty"`
	Skills      []string             `json:"skills,omitempty"`
	Priority    float64              `json:"priority,omitempty"` // seconds
	NotBefore   time.Time            `json:"not_before,omitzero"`
	Expires     time.Time            `json:"expires,omitzero"`
	Prefer      string               `json:"prefer,omitempty"`
	Agent       string               `json:"agent,omitempty"`
	Fence       uint64               `json:"fence,omitempty"`
	Since       time.Time            `json:"since,omitzero"`
	Deadline    time.Time            `json:"deadline,omitzero"`
	Tries       int                  `json:"tries,omitempty"`
	Outcome     string               `json:"outcome,omitempty"`
	Audio       bool                 `json:"audio,omitempty"`
	Ticket      tandem.Number        `json:"ticket,omitempty"`
	TicketDue   time.Time            `json:"ticket_due,omitzero"`
	Note        string               `json:"note,omitempty"`
	Place       *Place               `json:"place,omitempty"`
}

// Place is where a waiting task stands; times in seconds from now.
type Place struct {
	Position int     `json:"position"`
	AtLeast  float64 `json:"at_least,omitempty"`
	AtMost   float64 `json:"at_most,omitempty"`
}

// taskOf is a task without its place.
func taskOf(t tandem.Task) Task {
	return Task{ID: t.ID, Interaction: t.Interaction, Kind: t.Kind, Queue: t.Queue, State: t.State, Arrived: t.Arrived.UTC(), Due: UTC(t.Due), Level: t.Level, Lang: t.Lang,
		Skills: t.Skills, Priority: t.Priority.Seconds(), NotBefore: UTC(t.NotBefore), Expires: UTC(t.Expires), Prefer: t.Prefer, Agent: t.Agent, Fence: t.Fence,
		Since: UTC(t.Since), Deadline: UTC(t.Deadline), Tries: t.Tries, Outcome: t.Outcome, Audio: t.Blob != "", Ticket: t.Ticket, TicketDue: UTC(t.TicketDue), Note: t.Note}
}

// UTC keeps no time as it is.
func UTC(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

// Places tells where a task stands; the line does.
type Places interface {
	Place(id tandem.TaskID) (route.Place, bool)
}

// Placed is a task with its place.
func Placed(t tandem.Task, l Places) Task {
	v := taskOf(t)
	if t.State != tandem.TaskWaiting {
		return v
	}
	if p, ok := l.Place(t.ID); ok && p.Position > 0 {
		v.Place = &Place{p.Position, p.AtLeast.Seconds(), p.AtMost.Seconds()}
	}
	return v
}

// Agent is somebody who serves, as the API shows them.
type Agent struct {
	Name      string               `json:"name"`
	Presence  tandem.Presence      `json:"presence"`
	Reason    string               `json:"reason,omitempty"`
	Since     time.Time            `json:"since,omitzero"`
	Reachable map[tandem.Load]bool `json:"reachable"`
	Idle      time.Time            `json:"idle,omitzero"`
	Missed    int                  `json:"missed,omitempty"`
	Has       map[tandem.Load]int  `json:"has"`
	Holds     []Holding            `json:"holds"`
	Teams     []string             `json:"teams"`
	Skills    map[string]int       `json:"skills"`
	Capacity  map[tandem.Load]int  `json:"capacity"`
	Phone     bool                 `json:"phone"`
	Seat      bool                 `json:"seat,omitempty"` // their browser can take calls
	Mic       string               `json:"mic,omitempty"`  // of the browser, in the words of media/webrtc
}

// Holding is one thing that an agent has.
type Holding struct {
	Task     tandem.TaskID    `json:"task"`
	Fence    uint64           `json:"fence"`
	Kind     tandem.TaskKind  `json:"kind"`
	State    tandem.TaskState `json:"state"`
	Since    time.Time        `json:"since"`
	Deadline time.Time        `json:"deadline,omitzero"`
}

// AgentOf is an agent as the line and the policy have them; p is nil for one whom the policy
// has no more, phone says that one is configured for them, seat how their browser is.
func AgentOf(a route.AgentState, p *route.Agent, phone bool, seat func(agent string) (up bool, mic string)) Agent {
	v := Agent{Name: a.Name, Presence: cmp.Or(a.Presence, tandem.PresenceOffline), Reason: a.Reason, Since: UTC(a.Since), Reachable: Filled(a.Reachable), Idle: UTC(a.Idle),
		Missed: a.Missed, Has: Filled(a.Has), Holds: []Holding{}, Teams: []string{}, Skills: map[string]int{}, Capacity: map[tandem.Load]int{}, Phone: phone}
	v.Seat, v.Mic = seat(a.Name)
	for _, h := range a.Holds {
		v.Holds = append(v.Holds, Holding{h.Task, h.Fence, h.Kind, h.State, h.Since.UTC(), UTC(h.Deadline)})
	}
	if p != nil {
		v.Teams, v.Skills, v.Capacity = append(v.Teams, p.Teams...), Filled(p.Skills), Filled(p.Capacity)
	}
	return v
}

// Filled is a map that is never null in JSON.
func Filled[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return m
}

// Message is a line of a talk as agents see it.
type Message struct {
	Rev     uint64          `json:"rev"`
	Seq     uint64          `json:"seq"`
	State   string          `json:"state"`
	At      time.Time       `json:"at"`
	From    tandem.Sender   `json:"from"`
	Name    string          `json:"name,omitempty"`
	Client  string          `json:"client,omitempty"` // of agents' own
	Channel tandem.Channel  `json:"channel"`
	Lang    string          `json:"lang,omitempty"`
	Text    string          `json:"text"`
	Picture *Picture        `json:"picture,omitempty"`
	Buttons []tandem.Button `json:"buttons,omitempty"`
	Link    *Link           `json:"link,omitempty"`
	Secret  bool            `json:"secret,omitempty"`
	Error   string          `json:"error,omitempty"`
	Erased  bool            `json:"erased,omitempty"`
}

// Picture is one that was sent.
type Picture struct {
	ID        tandem.BlobID `json:"id"`
	MediaType string        `json:"media_type"`
	Bytes     int64         `json:"bytes"`
	Width     int           `json:"width"`
	Height    int           `json:"height"`
}

// Link is one that the customer was given.
type Link struct {
	ID    tandem.LinkID    `json:"id"`
	Label string           `json:"label,omitempty"`
	State tandem.LinkState `json:"state"`
}

// MessageOf is a message as agents see it.
func MessageOf(e *chat.Entry) Message {
	m := &e.Message
	out := Message{Rev: e.Rev, Seq: m.Seq, State: string(e.State), At: e.At.UTC(), From: m.From, Name: m.Name, Channel: cmp.Or(m.Channel, tandem.Chat), Lang: m.Lang, Text: m.Text,
		Buttons: m.Buttons, Secret: m.Secret, Error: e.Error, Erased: e.Erased}
	if m.From == tandem.SenderAgent {
		out.Client = m.Client
	}
	if a := m.Attachment; a != nil {
		out.Picture = &Picture{a.Blob, a.MediaType, a.Bytes, a.Width, a.Height}
	}
	if m.Link != nil {
		out.Link = &Link{m.Link.ID, m.Link.Label, e.Link}
	}
	return out
}

// ClientID reports whether s may be the id that a client gives what it sends: 1 to 64 of the
// characters of base64url.
func ClientID(s string) bool {
	return s != "" && len(s) <= 64 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}
