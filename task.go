package tandem

import "time"

// TaskKind is what an agent is asked to do.
type TaskKind string

const (
	TaskCall      TaskKind = "call"      // a caller waits on the line
	TaskChat      TaskKind = "chat"      // a customer waits in a chat
	TaskText      TaskKind = "sms"       // a customer waits for a text
	TaskCallback  TaskKind = "callback"  // somebody is to be called
	TaskVoicemail TaskKind = "voicemail" // a message is to be heard
	TaskTicket    TaskKind = "ticket"    // a work order is to be done
)

// Load is the class of work by which an agent's capacity is counted.
type Load string

const (
	LoadVoice Load = "voice" // calls and callbacks
	LoadChat  Load = "chat"
	LoadSMS   Load = "sms"
	LoadWork  Load = "work" // voicemails and tickets
)

// Load is how a task of the kind is counted.
func (k TaskKind) Load() Load {
	switch k {
	case TaskCall, TaskCallback:
		return LoadVoice
	case TaskChat:
		return LoadChat
	case TaskText:
		return LoadSMS
	}
	return LoadWork
}

// Live reports whether a customer waits at the other end while the task does.
func (k TaskKind) Live() bool { return k == TaskCall || k == TaskChat || k == TaskText }

// TaskState is where a task is in its life. It is in exactly one at a time.
type TaskState string

const (
	TaskWaiting  TaskState = "waiting"  // in line
	TaskOffered  TaskState = "offered"  // proposed to Agent, till Deadline
	TaskAssigned TaskState = "assigned" // Agent does it
	TaskWrapping TaskState = "wrapping" // done but for Agent's notes, till Deadline
	TaskDone     TaskState = "done"     // Outcome says how
)

// Outcomes of a task that is done.
const (
	OutcomeServed    = "served"    // an agent did it
	OutcomeLeft      = "left"      // the customer left
	OutcomeMaxWait   = "max_wait"  // it waited as long as it may
	OutcomeUnreached = "unreached" // callback: nobody answered, as often as the policy tries
	OutcomeRefused   = "refused"   // callback: the number may not be called
	OutcomeClosed    = "closed"    // by a supervisor
	OutcomeMoved     = "moved"     // another task goes on in its place
)

// Task is a place in line for one interaction. The line is ordered by Due, then
// Arrived, then ID.
type Task struct {
	ID          TaskID        `json:"id"`
	Interaction InteractionID `json:"interaction"`
	Kind        TaskKind      `json:"kind"`
	Queue       string        `json:"queue"`
	State       TaskState     `json:"state"`
	// Arrived is when the customer came into line, whatever they changed to since: for a
	// callback after a lost call, the time the lost call arrived.
	Arrived time.Time `json:"arrived"`
	// Due is Arrived and the queue's target for kind and level, less the priority. It is
	// fixed as the task is opened, and moves only with queue or priority.
	Due       time.Time     `json:"due,omitzero"`
	Level     string        `json:"level,omitempty"`     // of the customer, as the policy names them; "" = ordinary
	Lang      string        `json:"lang,omitempty"`      // of the customer
	Skills    []string      `json:"skills,omitempty"`    // wanted, as "lang:en" or "cards>=3"
	Priority  time.Duration `json:"priority,omitempty"`  // head start, as asked for; the policy bounds it
	NotBefore time.Time     `json:"not_before,omitzero"` // it is not offered before: a callback at a time of the customer's choice
	Expires   time.Time     `json:"expires,omitzero"`    // it is given up then if nobody has it; zero = never
	Prefer    string        `json:"prefer,omitempty"`    // the agent who knows the customer
	// PreferTill is until when it is kept for Prefer, and As the kind whose target counts for
	// Due: what it was as it came into line, whatever it changed to since. The line sets both unless they are given.
	PreferTill time.Time `json:"prefer_till,omitzero"`
	As         TaskKind  `json:"as,omitempty"`
	Agent      string    `json:"agent,omitempty"`     // offered to, or done by
	Fence      uint64    `json:"fence,omitempty"`     // number of the newest offer; grows over all tasks
	Since      time.Time `json:"since,omitzero"`      // when it came into State
	Deadline   time.Time `json:"deadline,omitzero"`   // of an offer, or of the wrap-up
	Tries      int       `json:"tries,omitempty"`     // callback: how often the customer was dialled
	Outcome    string    `json:"outcome,omitempty"`   // done: one of the Outcome constants
	Blob       BlobID    `json:"blob,omitempty"`      // the recording of a voicemail
	Ticket     Number    `json:"ticket,omitempty"`    // a ticket's own number
	TicketDue  time.Time `json:"ticket_due,omitzero"` // when a ticket is to be done
	Key        string    `json:"key,omitempty"`       // what opened it, once for each interaction: the flow's visit of a step
	Note       string    `json:"note,omitempty"`      // why it was opened, in words without personal data
}

// Presence is what an agent has chosen to be. Whether they can be reached is measured,
// and stands beside it.
type Presence string

const (
	PresenceOffline   Presence = "offline"
	PresenceAvailable Presence = "available"
	PresenceAway      Presence = "away" // with one of the policy's reasons
)

// Words is one sentence in the languages that staff read.
type Words struct {
	En string `json:"en"`
	Zh string `json:"zh"`
}

// Decision is why a task was offered to an agent: who could have taken it, why the
// others could not, and why this one.
type Decision struct {
	Waited   float64  `json:"waited"`             // seconds since it arrived
	Position int      `json:"position"`           // in its queue, when it was chosen; 1 = first
	Eligible int      `json:"eligible"`           // agents who could have taken it, the chosen one too
	Agents   []string `json:"agents,omitempty"`   // some of them, in the order of choice
	Not      []NotNow `json:"not,omitempty"`      // the others, by reason
	Overflow []string `json:"overflow,omitempty"` // teams that help out, by now
	Relaxed  []string `json:"relaxed,omitempty"`  // skills that are asked for less, or no more, by now
	Why      Words    `json:"why"`                // why this agent, as one plain sentence
}

// NotNow is a group of agents who could not take a task, for one reason.
type NotNow struct {
	Reason string   `json:"reason"` // team, skill, offline, away, unreachable, offered, capacity, blocked, wrap_up, held_for_other, declined
	Detail string   `json:"detail,omitempty"`
	Count  int      `json:"count"`
	Agents []string `json:"agents,omitempty"` // some of them, by name
}
