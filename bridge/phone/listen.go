package phone

import (
	"context"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tandem"
	"tandem/store"
)

// mostWhy bounds the reason for listening in, in characters.
const mostWhy = 200

// roles are those of supervisors.
var roles = map[Doing]tandem.Role{Listen: tandem.RoleListener, Whisper: tandem.RoleWhisperer, Barge: tandem.RoleAgent}

// supervise has a supervisor take part, or in another way than so far. The journal has it
// before they hear anything.
func (t *talk) supervise(q command) error {
	who, c := q.who, q.c
	role := roles[c.Do]
	why := strings.TrimSpace(c.Why)
	p := t.of(who)
	switch {
	case !q.super:
		return errNotThere
	case why == "" || utf8.RuneCountInString(why) > mostWhy:
		return tandem.Errorf(tandem.CodeInvalid, "say why, in %d characters at most: the journal keeps it", mostWhy)
	case t.agent != nil && who == t.agent.Name, p != nil && !p.overseer:
		return tandem.Errorf(tandem.CodeConflict, "you are in this call already")
	case p == nil && len(t.parties) >= mostParties:
		return tandem.Errorf(tandem.CodeConflict, "%d are in this call already, and no more can be", mostParties)
	case role == tandem.RoleAgent && t.r == nil:
		return tandem.Errorf(tandem.CodeConflict, "nobody serves the customer yet: take them over instead")
	}
	told := tandem.NewEvent(t.in, "", t.s.o.Now(), tandem.EventListened, who, tandem.Listening{Who: who, Role: role, Why: why})
	if p != nil {
		if err := t.s.commit(t.ctx, told); err != nil {
			return err
		}
		if p.Role = role; role != tandem.RoleAgent {
			t.endTape(p)
		}
		if t.tapes(p) {
			t.tape(p)
		}
		t.arrange()
		return nil
	}
	p, err := t.seatParty(who, role, told)
	if err != nil {
		return err
	}
	p.overseer = true
	if _, known := t.s.o.Router.Agent(who); known { // they are offered no call meanwhile
		p.engaged, t.busy[who] = true, true
		t.s.o.Router.Consulted(who, true)
	}
	t.enter(p)
	t.watch(p)
	t.arrange()
	return nil
}

// askAgain is how often it is asked anew whether who listens in still may.
const askAgain = 10 * time.Second

// inspected is who may listen in no more.
type inspected struct{ gone []*party }

// inspect asks, beside the talk, whether supervisors who listen in still may: their role may
// have been taken away, or they are no user any more.
func (t *talk) inspect() {
	names := map[*party]string{}
	for _, p := range t.parties {
		if p.overseer {
			names[p] = p.Name
		}
	}
	if len(names) == 0 || t.looking {
		return
	}
	t.looking = true
	t.going.Go(func() {
		var n inspected
		defer func() {
			if fault := recover(); fault != nil {
				t.s.o.Panicked(fault)
			}
			t.note(t.ctx, n)
		}()
		for p, name := range names {
			if !t.s.supervises(name, t.in) {
				n.gone = append(n.gone, p)
			}
		}
	})
}

func (t *talk) inspected(n inspected) (end ending, how tandem.Termination) {
	t.looking = false
	how = tandem.Terminate(tandem.BySystem, tandem.ReasonForbidden)
	for _, p := range n.gone {
		if slices.Contains(t.parties, p) {
			t.log.Info("somebody may listen in no more", "who", p.Name)
			t.sendAway(p, "removed", how)
		}
	}
	if t.r == nil && len(t.parties) == 1 {
		return customerLeft, how
	}
	return goesOn, how
}

// vigil begins a talk of a supervisor who listens to a customer whom nobody serves yet.
func (s *Switchboard) vigil(ctx context.Context, who string, c Command) error {
	if !s.supervises(who, c.Interaction) {
		return errNotThere
	}
	caller, ok := s.caller(c.Interaction)
	if !ok {
		return errNotThere
	}
	s.mu.Lock()
	if there := s.talks[c.Interaction]; there != nil { // somebody was faster
		s.mu.Unlock()
		return there.ask(ctx, who, c)
	}
	if s.ctx == nil {
		s.mu.Unlock()
		return errNotThere
	}
	life, cancel := context.WithCancelCause(s.ctx)
	t := s.newTalk(nil, c.Interaction, life)
	s.talks[c.Interaction] = t
	s.going.Add(1)
	s.mu.Unlock()
	go func() {
		defer s.going.Done()
		defer cancel(nil)
		defer func() {
			if p := recover(); p != nil {
				s.o.Panicked(p)
				t.finish(stopped)
				t.hangUp(tandem.Terminate(tandem.BySystem, tandem.ReasonPanic))
			}
		}()
		t.keepVigil(caller)
	}()
	return t.ask(ctx, who, c)
}

// keepVigil has whoever asks for it hear a customer with all that is played to them, until
// the customer leaves, the last listener does, or an agent serves the customer: then they
// go on in that talk.
func (t *talk) keepVigil(caller Caller) {
	first := caller.Leg()
	p := &party{Party: Party{Leg: first.ID, Role: tandem.RoleCustomer, Number: first.From, Device: DevicePhone, State: StateJoined}, stream: caller.Stream(), caller: caller, lent: true}
	if first.Kind == tandem.LegWebRTC {
		p.Device = DeviceBrowser
	}
	p.Since = t.s.o.Now()
	p.told = p.says()
	t.customer, t.parties = p, append(t.parties, p) // the journal's room has nobody who talks: they are not told as joined
	t.watch(p)
	came := false
	again := time.NewTicker(t.s.again)
	defer again.Stop()
	for {
		select {
		case <-again.C:
			t.inspect()
		case <-t.ctx.Done():
			_, how := t.takenAway()
			t.finish(stopped)
			t.hangUp(how)
			return
		case <-t.kick:
			t.look()
		case n := <-t.inbox:
			if g, is := n.(give); is {
				t.handOver(g)
				return
			}
			end, how := t.take(n)
			came = came || len(t.parties) > 1
			if c, is := n.(command); is && !came && c.c.Do != Leave { // the first could not
				end = customerLeft
			}
			if end != goesOn {
				t.finish(end)
				t.hangUp(how)
				return
			}
		}
	}
}

// handOver gives the listeners to the talk that begins.
func (t *talk) handOver(g give) {
	var listeners []*party
	for _, p := range t.parties {
		if p == t.customer {
			p.stop()
			continue
		}
		delete(t.busy, p.Name)
		t.exit(p, "over")
		listeners = append(listeners, p)
	}
	t.parties = nil
	t.customer = nil
	g.parties <- listeners
	t.finish(goesOn)
	t.hangUp(tandem.Termination{})
}

// commit writes an event that must be durable before what it tells of happens.
func (s *Switchboard) commit(ctx context.Context, events ...tandem.Event) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	if err := s.o.Store.Commit(ctx, &store.Change{Events: events}); err != nil {
		return &tandem.Error{Code: tandem.CodeUnavailable, Message: "this cannot be written down now, so it is not done; try again in a moment", Err: err}
	}
	return nil
}
