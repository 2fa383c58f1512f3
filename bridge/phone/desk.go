package phone

import (
	"context"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/media"
	"tandem/media/video"
	"tandem/store"
)

// Tracks keeps a recording of each party who speaks with a customer: what the customer says
// and hears is in the recording of their own call. Its methods do not block for long.
type Tracks interface {
	// Begin begins the recording of what a party says, if this interaction is recorded at
	// all, and reports whether it does. screen has the party's pictures as they are when it is
	// called, from any goroutine; nil = there are none now. A customer is a party only where no
	// call of theirs is recorded by itself: on a page, or with a page beside their call.
	Begin(in tandem.InteractionID, leg tandem.LegID, s *media.Stream, screen func() (camera, display *video.Source)) bool
	// Pictured tells that a party's pictures may be others than before.
	Pictured(leg tandem.LegID)
	// Pause leaves out what a party says, while they are on hold, and goes on.
	Pause(leg tandem.LegID, on bool)
	// End ends it, and adds what is to be kept of it to c.
	End(leg tandem.LegID, c *store.Change)
}

// doTime bounds a command whose asker sets no bound.
const doTime = 15 * time.Second

// command is a Command on its way to a talk.
type command struct {
	who   string
	c     Command
	super bool       // who asks supervises, as far as that matters
	reply chan error // holds one
}

// relayed has a key that came by the customer's signalling passed on.
const relayed Doing = "relayed"

var (
	errNotThere = tandem.Errorf(tandem.CodeNotFound, "there is no such call, or it is none of yours")
	errOver     = tandem.Errorf(tandem.CodeConflict, "the call is over")
	errLent     = tandem.Errorf(tandem.CodeConflict, "the flow has the customer for a step; wait until it is done")
)

// Do does what somebody asks of a talk: the agent who has its task, an agent or supervisor who
// is in it, or a supervisor. It returns once it is done, or under way where it takes
// somebody's answer. Errors are *tandem.Error.
func (s *Switchboard) Do(ctx context.Context, who string, c Command) error {
	t := s.find(c)
	if t == nil {
		if c.Interaction != "" && (c.Do == Listen || c.Do == Whisper) {
			return plainly(s.vigil(ctx, who, c))
		}
		return errNotThere
	}
	return plainly(t.ask(ctx, who, c))
}

// find is the talk that a command is about.
func (s *Switchboard) find(c Command) *talk {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.Task != "" {
		for _, t := range s.talks {
			if t.r != nil && t.r.id == c.Task {
				return t
			}
		}
		return nil
	}
	return s.talks[c.Interaction]
}

// ask hands a command to the talk and waits for its answer.
func (t *talk) ask(ctx context.Context, who string, c Command) error {
	ctx, cancel := context.WithTimeout(ctx, doTime)
	defer cancel()
	q := command{who: who, c: c, reply: make(chan error, 1)}
	if q.c.Do == Remove || roles[q.c.Do] != "" || !t.has(who) { // asked here, so that the talk does not wait for it
		q.super = t.s.supervises(who, t.in)
	}
	select {
	case t.inbox <- q:
	case <-t.done:
		return errOver
	case <-ctx.Done():
		return errBusy
	}
	select {
	case err := <-q.reply:
		return err
	case <-t.done:
		select {
		case err := <-q.reply:
			return err
		default:
			return errOver
		}
	case <-ctx.Done():
		return errBusy
	}
}

// has reports whether somebody is in the talk, as it was last told.
func (t *talk) has(who string) bool {
	is, _ := t.shown()
	return slices.ContainsFunc(is.Parties, func(p Party) bool { return p.Name == who && p.State != StateRinging })
}

var errBusy = tandem.Errorf(tandem.CodeUnavailable, "the call did not answer in time; look at it, then try again")

// command does what is asked, by who asks it.
func (t *talk) command(q command) (end ending, how tandem.Termination) {
	if q.c.Do == relayed {
		t.keys(q.c.Keys, t.customer)
		q.reply <- nil
		return goesOn, how
	}
	p := t.of(q.who)
	if p == nil && !q.super {
		q.reply <- errNotThere
		return goesOn, how
	}
	if q.c.Do == Leave {
		if p == nil {
			q.reply <- errNotThere
			return goesOn, how
		}
		q.reply <- nil
		return t.leaves(p, tandem.Terminate(tandem.ByAgent, tandem.ReasonHangup))
	}
	q.reply <- t.do(p, q)
	return goesOn, how
}

// do does what anybody may ask but to leave; p is who asks, nil if they are not in the talk.
func (t *talk) do(p *party, q command) error {
	c := q.c
	switch c.Do {
	case Listen, Whisper, Barge:
		return t.supervise(q)
	case Remove:
		return t.remove(p, c.Leg)
	case Mute, Unmute:
		return t.mute(p, c)
	}
	if p == nil || t.agent == nil || p != t.agent {
		return tandem.Errorf(tandem.CodeForbidden, "only the agent who has the call can do this")
	}
	if t.isLent() {
		return errLent
	}
	switch c.Do {
	case Hold, Resume:
		return t.holdLeg(c)
	case Keys:
		return t.keys(c.Keys, t.agent)
	case Consult:
		return t.consult(c.To)
	case Swap:
		return t.swap()
	case Merge:
		return t.merge()
	case Complete:
		return t.complete()
	case Drop:
		return t.drop()
	}
	return tandem.Errorf(tandem.CodeInvalid, "%q is nothing that can be done in a call", c.Do)
}

// of is the party of an agent or supervisor.
func (t *talk) of(who string) *party {
	for _, p := range t.parties {
		if who != "" && p.Name == who {
			return p
		}
	}
	return nil
}

// at is the party with a leg.
func (t *talk) at(leg tandem.LegID) *party {
	for _, p := range t.parties {
		if p.Leg == leg {
			return p
		}
	}
	return nil
}

func (t *talk) holdLeg(c Command) error {
	p := t.customer
	if c.Leg != "" {
		p = t.at(c.Leg)
	}
	switch {
	case p == nil || p.Role == tandem.RoleListener:
		return errNotThere
	case p == t.agent || p.Role == tandem.RoleWhisperer:
		return tandem.Errorf(tandem.CodeInvalid, "hold puts others on hold: name the customer, or who was asked in")
	case t.asked != nil:
		return tandem.Errorf(tandem.CodeConflict, "the customer is on hold until who is asked in has answered")
	}
	p.Held = c.Do == Hold
	t.arrange()
	return nil
}

func (t *talk) mute(p *party, c Command) error {
	at := p
	if c.Leg != "" {
		at = t.at(c.Leg)
	}
	switch {
	case p == nil, at == nil, at.Role == tandem.RoleListener && at != p:
		return errNotThere
	case at != p && p != t.agent:
		return tandem.Errorf(tandem.CodeForbidden, "only the agent who has the call can mute others")
	case at != p && at.Name != "":
		return tandem.Errorf(tandem.CodeForbidden, "colleagues mute themselves")
	}
	at.Muted = c.Do == Mute
	t.arrange()
	return nil
}

// remove sends away a party: agents whom they brought in, supervisors anybody but the
// customer and the agent.
func (t *talk) remove(p *party, leg tandem.LegID) error {
	at := t.at(leg)
	super := p == nil || p.overseer
	switch {
	case at == nil, !super && at.overseer && at.Role == tandem.RoleListener:
		return errNotThere
	case at == t.customer || at == t.agent:
		return tandem.Errorf(tandem.CodeInvalid, "customer and agent cannot be sent away: end the call, or take the task away")
	case !super && (p != t.agent || at.overseer):
		return tandem.Errorf(tandem.CodeForbidden, "only supervisors can send this party away")
	}
	t.sendAway(at, "removed", tandem.Terminate(tandem.ByPeer, tandem.ReasonHangup))
	return nil
}

// mostKeys bounds what is keyed at once.
const mostKeys = 32

// keys sends keys to those outside whom a party speaks with: the customer, and numbers.
func (t *talk) keys(keys string, from *party) error {
	if keys == "" || len(keys) > mostKeys || strings.Trim(keys, "0123456789*#ABCD") != "" {
		return tandem.Errorf(tandem.CodeInvalid, "keys are 0 to 9, *, # and A to D, %d at most", mostKeys)
	}
	sent := false
	for _, p := range t.parties {
		outside := p == t.customer || p.Name == "" || from == t.customer && p.Device == DevicePhone
		if p == from || !outside || p.Held || p.lent || p.Role == tandem.RoleListener || p.Role == tandem.RoleWhisperer {
			continue
		}
		for i := range len(keys) {
			if err := p.stream.SendKey(keys[i], keyTime); err != nil {
				return &tandem.Error{Code: tandem.CodeConflict, Message: "the other side takes no keys now", Err: err}
			}
		}
		sent = true
	}
	if !sent {
		return tandem.Errorf(tandem.CodeConflict, "nobody is there who could take keys: they are on hold")
	}
	return nil
}

// Lend gives the flow the customer of a talk for a step: once it returns the customer hears
// the flow alone. The agent hears them and the flow, but nothing of what is secret.
func (s *Switchboard) Lend(ctx context.Context, in tandem.InteractionID) error {
	return s.lend(ctx, in, true)
}

// GiveBack gives the agent the customer back.
func (s *Switchboard) GiveBack(ctx context.Context, in tandem.InteractionID) error {
	return s.lend(ctx, in, false)
}

func (s *Switchboard) lend(ctx context.Context, in tandem.InteractionID, on bool) error {
	s.mu.Lock()
	t := s.talks[in]
	s.mu.Unlock()
	if t == nil || t.r == nil {
		return errNotThere
	}
	ctx, cancel := context.WithTimeout(ctx, doTime)
	defer cancel()
	n := lending{on, make(chan error, 1)}
	select {
	case t.inbox <- n:
	case <-t.done:
		return errOver
	case <-ctx.Done():
		return errBusy
	}
	select {
	case err := <-n.reply:
		return err
	case <-t.done:
		return errOver
	case <-ctx.Done():
		return errBusy
	}
}

// lending is the flow's having the customer, or giving them back.
type lending struct {
	on    bool
	reply chan error
}

func (t *talk) lending(on bool) error {
	switch {
	case t.customer == nil:
		return errNotJoined
	case on && (t.asked != nil || t.aside != nil || t.customer.Held):
		return tandem.Errorf(tandem.CodeConflict, "the customer is on hold: take them back first")
	case on && t.told:
		return tandem.Errorf(tandem.CodeConflict, "the agent's connection is broken; wait until it is mended")
	}
	t.mu.Lock()
	t.lent = on
	t.mu.Unlock()
	t.customer.lent = on
	t.arrange()
	if !on && t.agent.State == StateCut {
		t.tell()
	}
	return nil
}

// Secret tells that a customer enters a secret from now on, or no more: their stream is
// hushed by whoever tells this. It does not block.
func (s *Switchboard) Secret(in tandem.InteractionID, on bool) {
	s.mu.Lock()
	t := s.talks[in]
	s.mu.Unlock()
	if t == nil {
		return
	}
	t.mu.Lock()
	t.secret = on
	t.mu.Unlock()
	t.stir()
}

// Answer answers an invite. One that is over is answered by code conflict.
func (s *Switchboard) Answer(ctx context.Context, agent, invite string, accept bool) error {
	s.mu.Lock()
	i := slices.IndexFunc(s.invites, func(i inviting) bool { return i.ID == invite })
	var t *talk
	if i >= 0 && s.invites[i].To == agent {
		t = s.invites[i].talk
	}
	s.mu.Unlock()
	if t == nil {
		return errInviteOver
	}
	ctx, cancel := context.WithTimeout(ctx, doTime)
	defer cancel()
	n := answered{id: invite, accept: accept, reply: make(chan error, 1)}
	select {
	case t.inbox <- n:
	case <-t.done:
		return errInviteOver
	case <-ctx.Done():
		return errBusy
	}
	select {
	case err := <-n.reply:
		return plainly(err)
	case <-t.done:
		return errInviteOver
	case <-ctx.Done():
		return errBusy
	}
}
