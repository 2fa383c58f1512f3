package phone

import (
	"context"

	"tandem"
	"tandem/media"
	"tandem/store"
)

// Tracks keeps a recording of each party. Its methods do not block.
type Tracks interface {
	// Begin begins the recording of what a party says, if this interaction is recorded at
	// all, and reports whether it does.
	Begin(in tandem.InteractionID, leg tandem.LegID, s *media.Stream) bool
	// Pause leaves out what a party says, while they are on hold, and goes on.
	Pause(leg tandem.LegID, on bool)
	// End ends it, and adds what is to be kept of it to c.
	End(leg tandem.LegID, c *store.Change)
}

var errNotYet = tandem.Errorf(tandem.CodeUnavailable, "this cannot be done yet")

// Seated tells that an agent's seat can be used for calls from now on, or cannot. It does
// not block.
func (s *Switchboard) Seated(agent string, on bool) {}

// Do does what somebody asks of a talk: the agent who has its task, an agent or supervisor who
// is in it, or a supervisor. It returns once it is done, or under way where it takes
// somebody's answer. Errors are *tandem.Error.
func (s *Switchboard) Do(ctx context.Context, who string, c Command) error { return errNotYet }

// Talk is what goes on in a task's room.
func (s *Switchboard) Talk(id tandem.TaskID) (Talk, bool) { return Talk{}, false }

// Talks are all.
func (s *Switchboard) Talks() []Talk { return nil }

// WatchTalks has each change of a talk told to do, the last time with Over. Changes of one
// talk are told in their order; do never blocks and calls no method of the Switchboard.
func (s *Switchboard) WatchTalks(do func(Talk)) (stop func()) { return func() {} }

// WatchInvites has each invite told to do, as it is made and as it is over; do as of
// WatchTalks.
func (s *Switchboard) WatchInvites(do func(Invite)) (stop func()) { return func() {} }

// Invites are those that ring at an agent.
func (s *Switchboard) Invites(agent string) []Invite { return nil }

// Answer answers an invite. One that is over is answered by code conflict.
func (s *Switchboard) Answer(ctx context.Context, agent, invite string, accept bool) error {
	return errNotYet
}

// Lend gives the flow the customer of a talk for a step: once it returns the customer hears
// the flow alone. The agent hears them and the flow, but nothing of what is secret.
func (s *Switchboard) Lend(ctx context.Context, in tandem.InteractionID) error { return errNotYet }

// GiveBack gives the agent the customer back.
func (s *Switchboard) GiveBack(ctx context.Context, in tandem.InteractionID) error { return errNotYet }

// Secret tells that a customer enters a secret from now on, or no more: their stream is
// hushed by whoever tells this. It does not block.
func (s *Switchboard) Secret(in tandem.InteractionID, on bool) {}
