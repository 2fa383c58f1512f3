package store

import (
	"slices"
	"time"

	"tandem"
)

// Filter says which interactions to list, newest first. Zero fields ask nothing.
type Filter struct {
	State    tandem.State
	Going    bool   // not closed: a session or call runs, or a task of it is in line or served
	Queue    string // a live task of it is in this queue
	Agent    string // a live task of it is offered to this agent, or theirs
	Entry    string
	Flow     string
	Customer tandem.CustomerID
	Since    time.Time            // started at or after
	Until    time.Time            // started before
	Before   tandem.InteractionID // older than this one: the next page
	Limit    int                  // 0 = 50; at most 1000
}

// Summary is an interaction in a list.
type Summary struct {
	tandem.Interaction
	Kind        tandem.LegKind     `json:"kind,omitempty"` // of its first leg
	Kinds       []tandem.LegKind   `json:"kinds"`          // of the customer's legs, in the order they came, each once
	From        string             `json:"from,omitempty"` // the customer's address on its first leg; "" once erased
	Termination tandem.Termination `json:"termination,omitzero"`
	Events      uint64             `json:"events"`
	Erased      bool               `json:"erased,omitempty"`
	// What is there of note; voicemails and recordings of an erased person are gone.
	Voicemails int `json:"voicemails,omitempty"`
	Recordings int `json:"recordings,omitempty"`
	FlowErrors int `json:"flow_errors,omitempty"`
	Callbacks  int `json:"callbacks,omitempty"`
	// Task is the live task that says what state the interaction is in; nil = it has none.
	Task *InLine `json:"task,omitempty"`
}

// InLine is a live task in a list.
type InLine struct {
	ID      tandem.TaskID    `json:"id"`
	Kind    tandem.TaskKind  `json:"kind"`
	Queue   string           `json:"queue"`
	State   tandem.TaskState `json:"state"`
	Agent   string           `json:"agent,omitempty"`
	Arrived time.Time        `json:"arrived"` // since when the customer waits
	Since   time.Time        `json:"since"`   // of State
	Due     time.Time        `json:"due,omitzero"`
}

// Story is all that is known of an interaction. Once its customer is erased the
// payloads and addresses are empty; headers and times stay.
type Story struct {
	Interaction tandem.Interaction `json:"interaction"`
	Customer    tandem.Customer    `json:"customer"`
	Legs        []tandem.Leg       `json:"legs"`
	Tasks       []tandem.Task      `json:"tasks,omitempty"`
	Events      []tandem.Event     `json:"events"`
	Blobs       []BlobRef          `json:"blobs,omitempty"` // without their keys
}

// Unfinished is an interaction that was open when the store was opened: left by a
// crash, unless its legs are of a kind that outlives the program.
type Unfinished struct {
	Interaction tandem.Interaction
	Legs        []tandem.Leg // those not ended
	Last        time.Time    // of its newest event
	Session     []byte       // its stored session; nil if it has none
}

// Call reports whether a call was up: its legs ended with the program. Without one the
// interaction goes on where it was if Outlives says so.
func (u *Unfinished) Call() bool {
	return slices.ContainsFunc(u.Legs, func(l tandem.Leg) bool { return l.Kind == tandem.LegSIP || l.Kind == tandem.LegWebRTC })
}

// Outlives reports whether the interaction goes on although the program ended: it has an
// open leg of a kind that needs no connection, or, with no call up, a stored session
// that goes on without an ear until a link's page is done.
func (u *Unfinished) Outlives() bool {
	text := slices.ContainsFunc(u.Legs, func(l tandem.Leg) bool { return l.Kind == tandem.LegChat || l.Kind == tandem.LegSMS })
	return text || !u.Call() && u.Session != nil
}

// Verdict is what a check of the whole journal found.
type Verdict struct {
	OK           bool     `json:"ok"`
	Interactions int      `json:"interactions"`
	Events       int      `json:"events"`
	Checkpoints  int      `json:"checkpoints"`
	Erased       int      `json:"erased"`             // interactions of erased customers: right, though unreadable
	Findings     []string `json:"findings,omitempty"` // what is wrong, a sentence each
	More         int      `json:"more,omitempty"`     // findings beyond those listed
}

// Leased is an Outgoing lent to a worker: if nothing is heard of it by Until, it is
// lent again.
type Leased struct {
	Outgoing
	Interaction tandem.InteractionID
	Attempt     int // from 1
	Until       time.Time
}

// LetterState is where an Outgoing is in its life.
type LetterState string

const (
	LetterWaiting   LetterState = "waiting"
	LetterDelivered LetterState = "delivered"
	LetterDead      LetterState = "dead" // given up; Revive makes it wait again
)

// Letter is an entry of the outbox as an operator sees it.
type Letter struct {
	Key         string               `json:"key"`
	Kind        string               `json:"kind"`
	Target      string               `json:"target,omitempty"`
	Interaction tandem.InteractionID `json:"interaction,omitempty"`
	State       LetterState          `json:"state"`
	Attempts    int                  `json:"attempts"`
	Made        time.Time            `json:"made"`
	Next        time.Time            `json:"next,omitzero"` // of the next try
	Error       string               `json:"error,omitempty"`
}

// EventRef names an event without having it.
type EventRef struct {
	Interaction tandem.InteractionID
	Seq         uint64
}

// SessionTimer is a stored session that waits without a call, and when its wait ends by
// itself.
type SessionTimer struct {
	Interaction tandem.InteractionID
	Due         time.Time // zero = never
}

// Parked is an interaction whose stored session can go on: it is open, or was parked
// when it closed.
type Parked struct {
	tandem.Interaction
	Stored time.Time // when its session was
	Until  time.Time // for how long it is parked; zero = it is open
}
