// Package route is the one line of calls, chats, texts, callbacks, voicemails and tickets:
// in which order they are served, which agent is offered which, and why. It is a function
// of a line and what happens: no clock, no database, no goroutine, no randomness. Times,
// ids and names come in as data, and the same events give the same outputs, always.
package route

import (
	"time"

	"tandem"
)

// Policy is the published rule. It is not changed once a Line has it.
type Policy struct {
	Queues map[string]*Queue
	Teams  map[string]*Team
	Agents map[string]*Agent
	// MostPriority bounds a task's head start.
	MostPriority time.Duration
	// Blocks says which loads are not offered to an agent who has some of a load: a call
	// blocks chats, for example. A load always keeps to its own capacity as well.
	Blocks map[tandem.Load][]tandem.Load
	// Offer is how long an agent has to answer an offer, WrapUp how long notes may take
	// (0 = there is no wrap-up), by load. DeclineRest is how long an agent is not offered
	// the same task again after they let it pass.
	Offer       map[tandem.Load]time.Duration
	WrapUp      map[tandem.Load]time.Duration
	DeclineRest time.Duration
	// Misses is how many offers in a row an agent may let lapse before they are away with
	// the reason "missed"; 0 = any number.
	Misses int
}

// Queue is one named part of the line.
type Queue struct {
	Name  string
	Teams []string // who serves it
	// Target is in which time a task is to be taken up, by kind; TargetOf by level, then
	// kind, where it differs. A kind without one has DefaultTarget.
	Target   map[tandem.TaskKind]time.Duration
	TargetOf map[string]map[tandem.TaskKind]time.Duration
	Full     int           // live tasks that may wait; 0 = any number. Work that is not live is always let in
	MaxWait  time.Duration // for live kinds, where the task has no bound of its own; 0 = none
	// Prefer is how long a task is kept for the agent it prefers before everybody may have
	// it; 0 = it is not kept.
	Prefer time.Duration
	Relax  []Relax    // by After, ascending
	Over   []Overflow // by After, ascending
	// CallbackTries is how often a callback is dialled before it is given up, CallbackGap
	// the time between.
	CallbackTries int
	CallbackGap   time.Duration
	// Escalate are the owners that a ticket goes to, one at each missed deadline:
	// "agent:NAME", "team:NAME" or "queue:NAME".
	Escalate []string
}

// Relax asks for less of skills after a time in line.
type Relax struct {
	After time.Duration
	// Levels is by how much the level asked of a skill is lowered, by skill; "*" is every
	// skill. What falls to 0 is asked for no more.
	Levels map[string]int
}

// Overflow lets other teams help after a time in line.
type Overflow struct {
	After time.Duration
	Teams []string
}

// Team is people who serve the same queues, at one site.
type Team struct {
	Name string
	Site string
}

// Agent is somebody who serves.
type Agent struct {
	Name   string
	Teams  []string
	Skills map[string]int // 1 to 9
	// Capacity is how many tasks of a load they may have at once. One not named is 0.
	Capacity map[tandem.Load]int
}

// DefaultTarget is the target of a kind that a queue does not name.
func DefaultTarget(k tandem.TaskKind) time.Duration {
	switch k {
	case tandem.TaskCall, tandem.TaskCallback:
		return 20 * time.Second
	case tandem.TaskChat:
		return time.Minute
	case tandem.TaskText:
		return 15 * time.Minute
	case tandem.TaskVoicemail:
		return 4 * time.Hour
	}
	return 24 * time.Hour
}

// Event is what happens to the line.
type Event interface{ event() }

// Events. At is never before that of the event before; one that is counts as the same
// time.
type (
	// Opened puts a task into line: State waiting; Arrived, Due, PreferTill and, for a live
	// kind, Expires are filled in unless they are set. It is answered by Placed, Refused or Late.
	Opened struct {
		At   time.Time
		Task tandem.Task
	}
	// Changed changes what a waiting or offered task is; an offer that does not fit any
	// more comes back. With Kind a live task becomes another kind (a callback, or the same
	// by another channel) and keeps Arrived and Due. With Queue, Priority or TicketDue, Due is
	// worked out anew from Arrived, by the target of the kind it came as. Zero fields are left
	// alone; Prefer "-" is none. An assigned task changes its kind only. It is answered by
	// TaskChanged or Late.
	Changed struct {
		At        time.Time
		Task      tandem.TaskID
		Kind      tandem.TaskKind
		Queue     string
		Priority  *time.Duration
		Prefer    string
		NotBefore time.Time
		Expires   time.Time
		NoExpiry  bool // it waits for as long as it takes
		TicketDue time.Time
		Unserved  bool   // not if an agent has it by now: then it is answered by Late
		Why       string // as tandem.TaskChanged
	}
	// Ended takes a task out of the line, whatever its state: the customer left, or a
	// supervisor closed it. An agent who had it wraps up.
	Ended struct {
		At      time.Time
		Task    tandem.TaskID
		Outcome string
	}
	// Accepted and Declined answer an offer. One that is over is answered by Late.
	Accepted struct {
		At    time.Time
		Task  tandem.TaskID
		Agent string
		Fence uint64
	}
	Declined struct {
		At    time.Time
		Task  tandem.TaskID
		Agent string
		Fence uint64
		Why   string // declined; unreachable: their phone could not be rung; restart: no fault of theirs
	}
	// Released says that an agent has a task no more. With Again it goes back into line at
	// its place, for Queue or the agent Prefer if they are named, else it is done with
	// Outcome. With Alone it is kept for Prefer and offered to nobody else, although they let
	// it pass, until they take it, go offline, or it becomes what is served otherwise (a chat
	// a callback). A callback that was Dialled as often as its queue tries is done all the
	// same, unreached. The agent wraps up in any case, unless NoWrap; Agent "" is whoever has it.
	Released struct {
		At        time.Time
		Task      tandem.TaskID
		Agent     string
		Fence     uint64
		Why       string // as tandem.Released
		Outcome   string
		Again     bool
		Queue     string
		Prefer    string
		Alone     bool
		NotBefore time.Time // again: not before
		Dialled   bool      // callback: the customer was dialled, which counts as a try
		NoWrap    bool
	}
	// Reassigned gives the task that an agent has to another, who is there for it: it does
	// not wait in between, and they have it under a new fence. Agent wraps up. It is answered
	// by TaskReleased and TaskAssigned, or by Late.
	Reassigned struct {
		At    time.Time
		Task  tandem.TaskID
		Agent string
		Fence uint64
		To    string
	}
	// Wrapped ends an agent's wrap-up of the task with that fence; Late says that it was
	// not by the agent.
	Wrapped struct {
		At          time.Time
		Agent       string
		Fence       uint64
		Disposition string
		Late        bool
	}
	// Pulled assigns an offer of a waiting task to an agent, whoever is before it and
	// whatever skills it wants, but never over their capacity: answered by OfferMade, or
	// by Late.
	Pulled struct {
		At    time.Time
		Task  tandem.TaskID
		Agent string
	}
	// Present is what an agent chose to be; Reachable what was measured, by load.
	Present struct {
		At       time.Time
		Agent    string
		Presence tandem.Presence
		Reason   string
	}
	Reachable struct {
		At    time.Time
		Agent string
		Load  tandem.Load
		On    bool
	}
	// Consulted says that an agent is asked in to a call of another's from now on, or no
	// more: meanwhile they are offered no call, and nothing that a call blocks.
	Consulted struct {
		At    time.Time
		Agent string
		On    bool
	}
	// Hours opens or closes a queue: while it is closed nothing new is let in but
	// callbacks, voicemails and tickets, and nothing is offered.
	Hours struct {
		At    time.Time
		Queue string
		Open  bool
	}
	// Repoliced takes another policy into use. Tasks keep their Due; offers that do not
	// fit any more come back; what is assigned stays.
	Repoliced struct {
		At     time.Time
		Policy *Policy
	}
	// Drained stops offers for good: the server is stopping.
	Drained struct{ At time.Time }
	// Tick lets time pass: offers lapse, skills relax, teams help, wrap-ups and waits end.
	Tick struct{ At time.Time }
)

// Output is what came of an event, in order. Each is to be made durable before anybody is
// told of it.
type Output interface{ output() }

// Outputs. Task is the task as it is then.
type (
	// Placed: the task is in line.
	Placed struct{ Task tandem.Task }
	// Refused: it is not let in: "full", "no_agents" (nobody of its teams is there, or the
	// queue is closed).
	Refused struct {
		Task tandem.Task
		Why  string
	}
	// TaskChanged: its kind, queue, priority or owner is another now.
	TaskChanged struct {
		Task tandem.Task
		Why  string
	}
	// OfferMade: the task is proposed to Task.Agent till Task.Deadline, under Task.Fence.
	OfferMade struct {
		Task     tandem.Task
		Decision tandem.Decision
	}
	// OfferOver: an offer came to nothing; the task waits at its old place, or is done.
	OfferOver struct {
		Task  tandem.Task
		Agent string
		Fence uint64
		Why   string // as tandem.Returned
	}
	// TaskAssigned: the agent has it.
	TaskAssigned struct{ Task tandem.Task }
	// TaskReleased: the agent has it no more; Task is waiting again, wrapping, done, or assigned
	// to another.
	TaskReleased struct {
		Task    tandem.Task
		Agent   string
		Fence   uint64
		Why     string
		Seconds float64 // since it was assigned
	}
	// WrapBegun and WrapOver: the agent's notes, which hold their capacity.
	WrapBegun struct {
		Task  tandem.TaskID
		Agent string
		Fence uint64
		Until time.Time
	}
	WrapOver struct {
		Task        tandem.TaskID
		Interaction tandem.InteractionID
		Agent       string
		Fence       uint64
		Disposition string
		Seconds     float64
		Late        bool
	}
	// TaskOver: it is done.
	TaskOver struct{ Task tandem.Task }
	// AgentChanged: presence, or what can be reached, is another now.
	AgentChanged struct{ Agent AgentState }
	// Late: what was asked comes too late, or cannot be. Why is for whoever asked.
	Late struct {
		Task  tandem.TaskID
		Agent string
		Why   tandem.Words
	}
)

// AgentState is an agent as the line sees them.
type AgentState struct {
	Name      string               `json:"name"`
	Presence  tandem.Presence      `json:"presence"`
	Reason    string               `json:"reason,omitempty"`
	Since     time.Time            `json:"since"`               // of presence
	Reachable map[tandem.Load]bool `json:"reachable,omitempty"` // measured
	Idle      time.Time            `json:"idle"`                // since they last took, ended or let pass something, or came
	Missed    int                  `json:"missed,omitempty"`    // offers in a row that lapsed
	Consulted bool                 `json:"consulted,omitempty"` // asked in to a call of another's
	Has       map[tandem.Load]int  `json:"has,omitempty"`       // offered, assigned and wrapping
	Holds     []Holding            `json:"holds,omitempty"`
}

// Holding is one thing that an agent has.
type Holding struct {
	Task        tandem.TaskID        `json:"task"`
	Interaction tandem.InteractionID `json:"interaction"`
	Fence       uint64               `json:"fence"`
	Kind        tandem.TaskKind      `json:"kind"`
	State       tandem.TaskState     `json:"state"` // offered, assigned, wrapping
	Since       time.Time            `json:"since"`
	Deadline    time.Time            `json:"deadline,omitzero"`
}

// Place is where a task stands in its queue.
type Place struct {
	Queue    string
	Position int           // 1 = next
	AtLeast  time.Duration // of the wait to expect from now; both 0 = not known
	AtMost   time.Duration
}

// Saved is a line as it was stored: what New is given after a restart. Only Fence, Tasks
// and Agents are promises; what is below them may be left out after a crash, and is told or
// learned anew.
type Saved struct {
	At    time.Time     `json:"at"`
	Fence uint64        `json:"fence"` // the newest that was given
	Tasks []tandem.Task `json:"tasks"` // not done
	// Agents with their Holds. Offers, assignments and wrap-ups that stand in Tasks need not
	// be there; wrap-ups of a task that is back in line, or done, must.
	Agents  []AgentState    `json:"agents"`
	Rests   []Rest          `json:"rests,omitempty"`
	Closed  []string        `json:"closed,omitempty"` // queues
	Drained bool            `json:"drained,omitempty"`
	Paces   map[string]Pace `json:"paces,omitempty"` // by queue
}

// Rest keeps a task from being offered again to an agent who let it pass.
type Rest struct {
	Task  tandem.TaskID `json:"task"`
	Agent string        `json:"agent"`
	Until time.Time     `json:"until"`
}

// Pace is how fast a queue was served of late: by it the wait is estimated.
type Pace struct {
	Waited time.Duration `json:"waited"` // in all, while at least one task waited in it
	Starts []Start       `json:"starts"` // the newest, oldest first
}

// Start is one task taken up after it had waited.
type Start struct {
	At     time.Time     `json:"at"`
	Waited time.Duration `json:"waited"` // Pace.Waited then
}

func (Opened) event()     {}
func (Changed) event()    {}
func (Ended) event()      {}
func (Accepted) event()   {}
func (Declined) event()   {}
func (Released) event()   {}
func (Reassigned) event() {}
func (Wrapped) event()    {}
func (Pulled) event()     {}
func (Present) event()    {}
func (Reachable) event()  {}
func (Consulted) event()  {}
func (Hours) event()      {}
func (Repoliced) event()  {}
func (Drained) event()    {}
func (Tick) event()       {}

func (Placed) output()       {}
func (Refused) output()      {}
func (TaskChanged) output()  {}
func (OfferMade) output()    {}
func (OfferOver) output()    {}
func (TaskAssigned) output() {}
func (TaskReleased) output() {}
func (WrapBegun) output()    {}
func (WrapOver) output()     {}
func (TaskOver) output()     {}
func (AgentChanged) output() {}
func (Late) output()         {}
