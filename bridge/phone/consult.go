package phone

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/caps"
	"tandem/sip"
)

// inviteTime is how long who is asked in has to answer.
const inviteTime = 30 * time.Second

// request is who is being asked in to a talk: a consult that rings.
type request struct {
	Invite
	number string
	seat   bool // rings at the desk alone; else out is dialled
	out    *out
	since  time.Time
	cancel context.CancelCauseFunc // of out
	timer  *time.Timer
}

// Notes of a consult.
type (
	answered struct { // a phone was answered, or could not be reached; or a desk answers
		id     string
		err    error
		out    *out // of a phone: ours to close, unless it could not be reached
		accept bool
		reply  chan error // of a desk; nil = a phone
	}
	lapsed struct{ id, why string }
)

// consult asks an agent or a number in. The customer hears music from now on.
func (t *talk) consult(to Target) error {
	switch {
	case t.asked != nil || t.aside != nil:
		return tandem.Errorf(tandem.CodeConflict, "somebody is asked in already: complete, merge or drop that first")
	case len(t.parties) >= mostParties:
		return tandem.Errorf(tandem.CodeConflict, "%d are in this call already, and no more can be", mostParties)
	case (to.Agent == "") == (to.Number == ""):
		return tandem.Errorf(tandem.CodeInvalid, "name an agent or a number to ask in")
	}
	now := t.s.o.Now()
	a := &request{Invite: Invite{ID: string(tandem.NewID[tandem.LegID](now, t.s.o.Random)), From: t.agent.Name, To: to.Agent, Task: t.r.task.ID, Interaction: t.in,
		Until: now.Add(inviteTime)}, number: to.Number, since: now}
	begin := t.askNumber
	if to.Agent != "" {
		begin = t.askAgent
	}
	if err := begin(a); err != nil {
		return err
	}
	t.asked = a
	a.timer = time.AfterFunc(inviteTime, func() {
		select {
		case t.inbox <- lapsed{a.ID, "lapsed"}:
		case <-t.done:
		}
	})
	t.holdAll(true)
	t.play(t.agent, t.s.o.Ringback)
	if a.To != "" {
		t.s.invited(t, a)
	}
	t.arrange()
	return nil
}

// askAgent sees whether an agent can be asked, and has the line know that they are.
func (t *talk) askAgent(a *request) error {
	s := t.s
	agent, known := s.o.Router.Agent(a.To)
	var most int
	if p := s.o.Router.Policy(); p != nil && p.Agents[a.To] != nil {
		most = p.Agents[a.To].Capacity[tandem.LoadVoice]
	}
	_, seated := s.seat(a.To)
	switch {
	case !known:
		return tandem.Errorf(tandem.CodeNotFound, "there is no agent %q", a.To)
	case t.of(a.To) != nil:
		return tandem.Errorf(tandem.CodeConflict, "%s is in this call already", a.To)
	case agent.Presence == tandem.PresenceOffline:
		return tandem.Errorf(tandem.CodeConflict, "%s is offline", a.To)
	case agent.Consulted || agent.Has[tandem.LoadVoice] >= most || s.sits(a.To):
		return tandem.Errorf(tandem.CodeConflict, "%s is on another call", a.To)
	case !seated && s.o.Phones[a.To] == "":
		return tandem.Errorf(tandem.CodeConflict, "%s cannot be reached by voice: no microphone at the desk, and no phone", a.To)
	}
	a.seat = seated
	if !seated {
		if err := t.dialAside(a, s.o.Phones[a.To], tandem.RoleAgent); err != nil {
			return err
		}
	}
	t.busy[a.To] = true
	s.o.Router.Consulted(a.To, true)
	return nil
}

func (t *talk) askNumber(a *request) error {
	return t.dialAside(a, a.number, tandem.RoleSpecialist)
}

// dialAside begins to call a phone; it says so by a note once that is answered, or is not.
func (t *talk) dialAside(a *request, to string, role tandem.Role) error {
	s := t.s
	w, free := Way{Dial: sip.Dial{To: to}}, true
	if a.To == "" || strings.HasPrefix(to, "tel:") {
		var err error
		if w, err = s.o.Way(to); err != nil {
			return &tandem.Error{Code: tandem.CodeForbidden, Message: "this number may not be called: the operator's list does not allow it", Err: err}
		}
		free = false
	} else {
		w.Dial.From, w.Dial.Name = "anonymous", a.From
	}
	o := s.newOut(t.r.task, role, to, w)
	o.free, o.key, o.ring = free, "consult:"+a.ID, inviteTime
	a.out = o
	ctx, cancel := context.WithCancelCause(t.ctx)
	a.cancel = cancel
	t.going.Go(func() {
		n := answered{id: a.ID, accept: true, out: o}
		if n.err = s.tries(ctx, o); n.err != nil {
			o.close(unanswered(ctx, n.err))
		}
		select {
		case t.inbox <- n:
		case <-t.done:
			n.close()
		}
	})
	return nil
}

// tries dials; a fault of ours is an error too.
func (s *Switchboard) tries(ctx context.Context, o *out) (err error) {
	defer func() {
		if p := recover(); p != nil {
			s.o.Panicked(p)
			err = errFault
		}
	}()
	return o.dial(ctx)
}

// unanswered is how a call ended that nobody took, or that was taken back.
func unanswered(ctx context.Context, err error) tandem.Termination {
	var o over
	switch cause := context.Cause(ctx); {
	case cause == nil:
		return terminationOf(err)
	case errors.As(cause, &o) && o.why == "lapsed":
		return tandem.Terminate(tandem.ByRemote, tandem.ReasonNoAnswer)
	case errors.As(cause, &o):
		return tandem.Terminate(tandem.ByPeer, tandem.ReasonCancelled)
	}
	return tandem.Terminate(tandem.BySystem, tandem.ReasonShutdown)
}

// close says goodbye to a phone that was answered when nobody wanted to know any more.
func (n answered) close() {
	if n.out != nil && n.err == nil {
		n.out.close(tandem.Terminate(tandem.ByPeer, tandem.ReasonCancelled))
	}
}

// arrives takes the answer of who was asked in.
func (t *talk) arrives(n answered) {
	a := t.asked
	if a == nil || a.ID != n.id {
		if n.reply != nil {
			n.reply <- errInviteOver
		}
		t.going.Go(n.close)
		return
	}
	switch {
	case n.reply != nil && !n.accept:
		t.unask("declined")
		n.reply <- nil
	case n.reply != nil && !a.seat:
		n.reply <- tandem.Errorf(tandem.CodeConflict, "your phone rings: answer it there")
	case n.reply != nil:
		p, err := t.seatParty(a.To, tandem.RoleSpecialist)
		if err == nil {
			t.joinAside(p)
		}
		n.reply <- err
	case n.err != nil:
		t.unask(t.refusal(n.err))
	default:
		t.joinAside(phoneParty(a.out, tandem.RoleSpecialist, a.To))
	}
}

var errInviteOver = tandem.Errorf(tandem.CodeConflict, "this invitation is over")

// refusal is why nobody came, as an Invite tells it.
func (t *talk) refusal(err error) string {
	var refused *caps.Refused
	var failed *sip.DialError
	switch how := terminationOf(err); {
	case errors.As(err, &refused):
		t.log.Warn("a number was not called", "error", err)
		return "refused"
	case !errors.As(err, &failed):
		t.log.Error("who was to be asked in could not be called", "error", err)
		return "unreachable"
	case how.Reason == tandem.ReasonNoAnswer && how.SIP == 0:
		return "lapsed"
	case away(how):
		return "unreachable"
	}
	return "declined"
}

// joinAside has the agent speak with who was asked in.
func (t *talk) joinAside(p *party) {
	a := t.asked
	t.asked = nil
	a.timer.Stop()
	t.agent.stream.Stop(toneID)
	t.aside = p
	t.enter(p)
	t.watch(p)
	if a.To != "" {
		t.s.inviteOver(a.Invite, "accepted")
	}
	t.arrange()
}

// unask takes an invitation back, or takes it that it came to nothing: the customer is back.
func (t *talk) unask(why string) {
	a := t.asked
	if a == nil {
		return
	}
	t.asked = nil
	a.timer.Stop()
	if a.cancel != nil {
		a.cancel(over{why})
	}
	t.idle(a.To)
	if a.To != "" {
		t.s.inviteOver(a.Invite, why)
	}
	t.agent.stream.Stop(toneID)
	t.holdAll(false)
	t.arrange()
}

// engage has the line know that an agent speaks, though they have no call of it.
func (t *talk) engage(agent string) {
	if !t.busy[agent] {
		t.busy[agent] = true
		t.s.o.Router.Consulted(agent, true)
	}
}

// idle has the line know that an agent is not asked in any more.
func (t *talk) idle(agent string) {
	if t.busy[agent] {
		delete(t.busy, agent)
		t.s.o.Router.Consulted(agent, false)
	}
}

// holdAll puts everybody but the agent, whom they speak with aside and who listens on hold,
// or takes them back.
func (t *talk) holdAll(on bool) {
	for _, p := range t.parties {
		if p != t.agent && p != t.aside && p.Role != tandem.RoleListener && p.Role != tandem.RoleWhisperer {
			p.Held = on
		}
	}
}

// swap goes from whom the agent speaks with aside to the customer, or back.
func (t *talk) swap() error {
	if t.aside == nil {
		return errNobodyAside
	}
	t.aside.Held = t.customer.Held
	t.holdAll(!t.customer.Held)
	t.arrange()
	return nil
}

var errNobodyAside = tandem.Errorf(tandem.CodeConflict, "nobody was asked in, or they have not answered yet")

// merge has all hear each other.
func (t *talk) merge() error {
	if t.aside == nil {
		return errNobodyAside
	}
	t.aside.Held = false
	t.aside = nil
	t.holdAll(false)
	t.arrange()
	return nil
}

// drop sends away who was asked in.
func (t *talk) drop() error {
	switch {
	case t.asked != nil:
		t.unask("withdrawn")
		return nil
	case t.aside == nil:
		return errNobodyAside
	}
	t.sendAway(t.aside, "removed", tandem.Terminate(tandem.ByPeer, tandem.ReasonHangup))
	return nil
}

// heir is an agent who can have the task if its agent goes: who was asked in last.
func (t *talk) heir() *party {
	if p := t.aside; p != nil && p.Name != "" && !p.Guest && p.State == StateJoined {
		return p
	}
	for i := len(t.parties) - 1; i >= 0; i-- {
		p := t.parties[i]
		if p != t.agent && p.Name != "" && !p.Guest && p.State == StateJoined && (p.Role == tandem.RoleAgent || p.Role == tandem.RoleSpecialist) {
			return p
		}
	}
	return nil
}

// complete gives the task to who was asked in.
func (t *talk) complete() error {
	next := t.heir()
	switch {
	case t.asked != nil:
		return tandem.Errorf(tandem.CodeConflict, "they have not answered yet: wait, or transfer by the line")
	case next == nil && t.aside != nil:
		return tandem.Errorf(tandem.CodeConflict, "a number cannot be given the customer: merge, and stay while they speak")
	case next == nil:
		return errNobodyAside
	}
	return t.passOn(next, "transferred", tandem.Terminate(tandem.ByAgent, tandem.ReasonTransferred))
}

// passOn makes another agent who is in the room the one who has the task, in one commit of
// the line, and then lets go of the one before.
func (t *talk) passOn(next *party, why string, how tandem.Termination) error {
	if err := t.r.reassign(next.Name); err != nil {
		t.log.Warn("a task could not be given to another agent", "to", next.Name, "error", err)
		return err
	}
	t.log = t.r.log
	before := t.agent
	t.unask("withdrawn")
	t.agent, t.aside = next, nil
	next.Role = tandem.RoleAgent
	next.Held = false
	t.exit(before, why)
	t.idle(before.Name)
	if t.joined() {
		t.engage(next.Name)
	} else {
		t.idle(next.Name)
	}
	t.mended()
	t.holdAll(false)
	t.arrange()
	t.going.Go(func() { t.goodbye(before, how) })
	return nil
}

// reassign has the line give the task to another agent, who has it from then on.
func (r *ring) reassign(to string) error {
	s := r.s
	s.mu.Lock()
	r.passing = true
	s.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), answerTime)
	defer cancel()
	now, err := s.o.Router.Reassign(ctx, r.task.ID, r.task.Agent, r.task.Fence, to)
	if err != nil {
		if is, ok := s.o.Router.Task(r.task.ID); ok && is.State == tandem.TaskAssigned && is.Agent == to && is.Fence > r.task.Fence {
			now, err = is, nil // it is done, and the answer was lost
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r.passing = false
	if err != nil {
		if is, ok := s.o.Router.Task(r.task.ID); ok && (is.State != tandem.TaskAssigned || is.Fence != r.task.Fence) {
			r.cancel(over{"transferred"}) // by somebody else, meanwhile
		}
		return fmt.Errorf("giving the task to %s: %w", to, err)
	}
	r.task, r.fence = now, now.Fence
	r.log = s.o.Log.With("interaction", now.Interaction, "task", now.ID, "agent", now.Agent)
	return nil
}
