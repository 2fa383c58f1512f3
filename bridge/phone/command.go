package phone

import (
	"time"

	"tandem"
)

// Doing is what somebody asks of a talk.
type Doing string

// What can be asked. Hold, Resume, Mute and Unmute are of whoever asks, unless Command.Leg
// names another party: an agent may hold or mute whom they brought in, and the customer.
const (
	Hold     Doing = "hold"     // the customer, or Leg, hears music and is not heard
	Resume   Doing = "resume"   // and is back
	Mute     Doing = "mute"     // who asks is not heard
	Unmute   Doing = "unmute"   //
	Keys     Doing = "keys"     // Command.Keys are sent, as keys, to whom the agent speaks with outside
	Consult  Doing = "consult"  // Command.To is asked in; the customer hears music meanwhile
	Swap     Doing = "swap"     // between the customer and who was asked in
	Merge    Doing = "merge"    // all hear each other
	Complete Doing = "complete" // the task becomes the second agent's
	Drop     Doing = "drop"     // who was asked in is sent away, the customer is back
	Remove   Doing = "remove"   // the party of Command.Leg is sent away
	Listen   Doing = "listen"   // supervisors: hear all, heard by nobody
	Whisper  Doing = "whisper"  // supervisors: hear all, heard by agents alone
	Barge    Doing = "barge"    // supervisors: as an agent
	Leave    Doing = "leave"    // whoever asks goes; the others go on
)

// Target is who is to be asked in: an agent, or a number as "tel:NUMBER" or "sip:USER@HOST".
type Target struct{ Agent, Number string }

// Command is one thing that is asked of a talk.
type Command struct {
	Task tandem.TaskID
	// Interaction names whom Listen and Whisper are about where no task is assigned yet: the
	// customer is in the flow, or waits in line.
	Interaction tandem.InteractionID
	Do          Doing
	To          Target       // of Consult
	Keys        string       // 0-9 * # A-D, 32 at most
	Leg         tandem.LegID // of Hold, Resume, Mute, Unmute and Remove
	Why         string       // the reason for Listen, Whisper and Barge, which the journal keeps
}

// Talk is what goes on in the room of one interaction, for those who show it.
type Talk struct {
	Task        tandem.TaskID // "" = nobody serves the customer yet, somebody listens
	Interaction tandem.InteractionID
	Agent       string // who has the task
	Parties     []Party
	Recording   string // "", on, paused
	Secret      bool   // what the customer says and keys now reaches nobody
	Lent        bool   // the flow has the customer for a step; the agent hears them
	Over        bool   // it has ended
	Direct      bool   // customer and agent hear each other's packets as they are sent, without a mixer
	Codec       string // of the customer's leg: PCMU, PCMA; Opus where the two have browsers that both take it
	Why         string // of one that is over: left, lost (by or of the agent), customer, taken (by the line), over
}

// Party is one leg in a room.
type Party struct {
	Leg     tandem.LegID
	Role    tandem.Role
	Name    string // of an agent or supervisor
	Number  string // of a customer, or of a number that was asked in
	Device  string // phone, browser
	State   string // ringing, joined, cut
	Muted   bool
	Held    bool
	Since   time.Time // of State
	Guest   bool      // came by a role link: has the conversation in no other way than to take part
	Camera  bool      // their camera's picture comes
	Display bool      // so does that of a screen they share
}

// What a Party is.
const (
	StateRinging = "ringing"
	StateJoined  = "joined"
	StateCut     = "cut" // the connection is broken and may mend

	DevicePhone   = "phone"
	DeviceBrowser = "browser"
)

// Seen is the talk as somebody may see it: who listens unseen is shown to nobody but
// themselves and other supervisors. Listeners who were asked in by a link are no secret.
func (t Talk) Seen(by string, supervisor bool) Talk {
	if supervisor {
		return t
	}
	parties := make([]Party, 0, len(t.Parties))
	for _, p := range t.Parties {
		if p.Role != tandem.RoleListener || p.Guest || p.Name == by {
			parties = append(parties, p)
		}
	}
	t.Parties = parties
	return t
}

// Invite is an agent asked in by another, who has until Until to answer.
type Invite struct {
	ID, From, To string
	Task         tandem.TaskID
	Interaction  tandem.InteractionID
	Until        time.Time
	Over         string // "" = it rings; accepted, declined, lapsed, withdrawn, unreachable
}

// SeatState is how an agent's browser is connected.
type SeatState uint8

const (
	SeatUp   SeatState = iota // they hear and can be heard
	SeatCut                   // the connection is broken and may mend
	SeatGone                  // the page is closed
)
