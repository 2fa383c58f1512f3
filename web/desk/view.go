package desk

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/bridge/route"
)

// task is a place in line as the API shows it.
type task struct {
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
	Place       *place               `json:"place,omitempty"`
}

// place is where a waiting task stands; times in seconds from now.
type place struct {
	Position int     `json:"position"`
	AtLeast  float64 `json:"at_least,omitempty"`
	AtMost   float64 `json:"at_most,omitempty"`
}

func taskOf(t tandem.Task) task {
	return task{ID: t.ID, Interaction: t.Interaction, Kind: t.Kind, Queue: t.Queue, State: t.State, Arrived: t.Arrived.UTC(), Due: utc(t.Due), Level: t.Level, Lang: t.Lang,
		Skills: t.Skills, Priority: t.Priority.Seconds(), NotBefore: utc(t.NotBefore), Expires: utc(t.Expires), Prefer: t.Prefer, Agent: t.Agent, Fence: t.Fence,
		Since: utc(t.Since), Deadline: utc(t.Deadline), Tries: t.Tries, Outcome: t.Outcome, Audio: t.Blob != "", Ticket: t.Ticket, TicketDue: utc(t.TicketDue), Note: t.Note}
}

// utc keeps no time as it is.
func utc(t time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	return t.UTC()
}

// view is a task with its place.
func (d *Desk) view(t tandem.Task) task {
	v := taskOf(t)
	if t.State != tandem.TaskWaiting {
		return v
	}
	if p, ok := d.o.Line.Place(t.ID); ok && p.Position > 0 {
		v.Place = &place{p.Position, p.AtLeast.Seconds(), p.AtMost.Seconds()}
	}
	return v
}

// agent is somebody who serves, as the API shows them.
type agent struct {
	Name      string               `json:"name"`
	Presence  tandem.Presence      `json:"presence"`
	Reason    string               `json:"reason,omitempty"`
	Since     time.Time            `json:"since"`
	Reachable map[tandem.Load]bool `json:"reachable"`
	Idle      time.Time            `json:"idle,omitzero"`
	Missed    int                  `json:"missed,omitempty"`
	Has       map[tandem.Load]int  `json:"has"`
	Holds     []holding            `json:"holds"`
	Teams     []string             `json:"teams"`
	Skills    map[string]int       `json:"skills"`
	Capacity  map[tandem.Load]int  `json:"capacity"`
	Phone     bool                 `json:"phone"`
}

// holding is one thing that an agent has.
type holding struct {
	Task     tandem.TaskID    `json:"task"`
	Fence    uint64           `json:"fence"`
	Kind     tandem.TaskKind  `json:"kind"`
	State    tandem.TaskState `json:"state"`
	Since    time.Time        `json:"since"`
	Deadline time.Time        `json:"deadline,omitzero"`
}

func (d *Desk) agentView(a route.AgentState) agent {
	v := agent{Name: a.Name, Presence: cmp.Or(a.Presence, tandem.PresenceOffline), Reason: a.Reason, Since: a.Since.UTC(), Reachable: filled(a.Reachable), Idle: utc(a.Idle),
		Missed: a.Missed, Has: filled(a.Has), Holds: []holding{}, Teams: []string{}, Skills: map[string]int{}, Capacity: map[tandem.Load]int{}, Phone: d.o.Phone(a.Name)}
	for _, h := range a.Holds {
		v.Holds = append(v.Holds, holding{h.Task, h.Fence, h.Kind, h.State, h.Since.UTC(), utc(h.Deadline)})
	}
	if p := d.o.Line.Policy().Agents[a.Name]; p != nil {
		v.Teams, v.Skills, v.Capacity = append(v.Teams, p.Teams...), filled(p.Skills), filled(p.Capacity)
	}
	return v
}

// filled is a map that is never null in JSON.
func filled[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return map[K]V{}
	}
	return m
}

// message is a line of a talk as agents see it.
type message struct {
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
	Picture *picture        `json:"picture,omitempty"`
	Buttons []tandem.Button `json:"buttons,omitempty"`
	Link    *link           `json:"link,omitempty"`
	Secret  bool            `json:"secret,omitempty"`
	Error   string          `json:"error,omitempty"`
	Erased  bool            `json:"erased,omitempty"`
}

type picture struct {
	ID        tandem.BlobID `json:"id"`
	MediaType string        `json:"media_type"`
	Bytes     int64         `json:"bytes"`
	Width     int           `json:"width"`
	Height    int           `json:"height"`
}

type link struct {
	ID    tandem.LinkID    `json:"id"`
	Label string           `json:"label,omitempty"`
	State tandem.LinkState `json:"state"`
}

func messageOf(e *chat.Entry) message {
	m := &e.Message
	out := message{Rev: e.Rev, Seq: m.Seq, State: string(e.State), At: e.At.UTC(), From: m.From, Name: m.Name, Channel: cmp.Or(m.Channel, tandem.Chat), Lang: m.Lang, Text: m.Text,
		Buttons: m.Buttons, Secret: m.Secret, Error: e.Error, Erased: e.Erased}
	if m.From == tandem.SenderAgent {
		out.Client = m.Client
	}
	if a := m.Attachment; a != nil {
		out.Picture = &picture{a.Blob, a.MediaType, a.Bytes, a.Width, a.Height}
	}
	if m.Link != nil {
		out.Link = &link{m.Link.ID, m.Link.Label, e.Link}
	}
	return out
}

// policy is the routing policy as the API shows it; times in seconds.
type policy struct {
	Queues       map[string]policyQueue        `json:"queues"`
	Teams        map[string]policyTeam         `json:"teams"`
	Agents       map[string]policyAgent        `json:"agents"`
	MostPriority float64                       `json:"most_priority"`
	Blocks       map[tandem.Load][]tandem.Load `json:"blocks"`
	Offer        map[tandem.Load]float64       `json:"offer"`
	WrapUp       map[tandem.Load]float64       `json:"wrap_up"`
	DeclineRest  float64                       `json:"decline_rest"`
	Misses       int                           `json:"misses"`
}

type policyQueue struct {
	Teams    []string                               `json:"teams"`
	Target   map[tandem.TaskKind]float64            `json:"target"`
	Levels   map[string]map[tandem.TaskKind]float64 `json:"levels,omitempty"`
	Full     int                                    `json:"full,omitempty"`
	MaxWait  float64                                `json:"max_wait,omitempty"`
	Prefer   float64                                `json:"prefer,omitempty"`
	Relax    []policyRelax                          `json:"relax,omitempty"`
	Overflow []policyOverflow                       `json:"overflow,omitempty"`
	Callback policyCallback                         `json:"callback"`
	Escalate []string                               `json:"escalate,omitempty"`
}

type policyRelax struct {
	After  float64        `json:"after"`
	Skills map[string]int `json:"skills"`
}

type policyOverflow struct {
	After float64  `json:"after"`
	Teams []string `json:"teams"`
}

type policyCallback struct {
	Tries int     `json:"tries,omitempty"`
	Gap   float64 `json:"gap,omitempty"`
}

type policyTeam struct {
	Site string `json:"site,omitempty"`
}

type policyAgent struct {
	Teams    []string            `json:"teams"`
	Skills   map[string]int      `json:"skills"`
	Capacity map[tandem.Load]int `json:"capacity"`
}

func policyOf(p *route.Policy) policy {
	out := policy{Queues: map[string]policyQueue{}, Teams: map[string]policyTeam{}, Agents: map[string]policyAgent{}, MostPriority: p.MostPriority.Seconds(),
		Blocks: filled(p.Blocks), Offer: seconds(p.Offer), WrapUp: seconds(p.WrapUp), DeclineRest: p.DeclineRest.Seconds(), Misses: p.Misses}
	for name, q := range p.Queues {
		v := policyQueue{Teams: append([]string{}, q.Teams...), Target: targets(q), Full: q.Full, MaxWait: q.MaxWait.Seconds(), Prefer: q.Prefer.Seconds(),
			Callback: policyCallback{q.CallbackTries, q.CallbackGap.Seconds()}, Escalate: q.Escalate}
		for level, of := range q.TargetOf {
			if v.Levels == nil {
				v.Levels = map[string]map[tandem.TaskKind]float64{}
			}
			v.Levels[level] = seconds(of)
		}
		for _, r := range q.Relax {
			v.Relax = append(v.Relax, policyRelax{r.After.Seconds(), filled(r.Levels)})
		}
		for _, o := range q.Over {
			v.Overflow = append(v.Overflow, policyOverflow{o.After.Seconds(), append([]string{}, o.Teams...)})
		}
		out.Queues[name] = v
	}
	for name, t := range p.Teams {
		out.Teams[name] = policyTeam{t.Site}
	}
	for name, a := range p.Agents {
		out.Agents[name] = policyAgent{append([]string{}, a.Teams...), filled(a.Skills), filled(a.Capacity)}
	}
	return out
}

func seconds[K comparable](m map[K]time.Duration) map[K]float64 {
	out := make(map[K]float64, len(m))
	for k, v := range m {
		out[k] = v.Seconds()
	}
	return out
}

// kinds are all that a task may be.
func kinds() []tandem.TaskKind {
	return []tandem.TaskKind{tandem.TaskCall, tandem.TaskChat, tandem.TaskText, tandem.TaskCallback, tandem.TaskVoicemail, tandem.TaskTicket}
}

// targets are a queue's for every kind, in seconds.
func targets(q *route.Queue) map[tandem.TaskKind]float64 {
	out := map[tandem.TaskKind]float64{}
	for _, k := range kinds() {
		out[k] = target(q, "", k).Seconds()
	}
	return out
}

// target is in which time a task of a queue is to be taken up.
func target(q *route.Queue, level string, k tandem.TaskKind) time.Duration {
	if q != nil {
		if t, ok := q.TargetOf[level][k]; ok {
			return t
		}
		if t, ok := q.Target[k]; ok {
			return t
		}
	}
	return route.DefaultTarget(k)
}

// sorted are a map's keys in their order.
func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
