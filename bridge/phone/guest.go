package phone

import (
	"context"

	"tandem"
)

// Notes about those who come by a role link.
type (
	entering struct {
		who   string
		role  tandem.Role
		reply chan error
	}
	expelling struct{ who string }
)

// Enter has one of the staff take part in an interaction's talk, as a specialist or a
// listener, by their seat. They may mute themselves and leave, and nothing else: they never
// become who has the task. Whoever calls this has seen that they were asked in.
func (s *Switchboard) Enter(ctx context.Context, in tandem.InteractionID, who string, role tandem.Role) error {
	if role != tandem.RoleSpecialist && role != tandem.RoleListener {
		return tandem.Errorf(tandem.CodeInvalid, "%q is no role in which somebody can be asked in", role)
	}
	s.mu.Lock()
	t := s.talks[in]
	s.mu.Unlock()
	if t == nil || t.r == nil {
		return tandem.Errorf(tandem.CodeConflict, "nobody speaks in this conversation now; ask again once they do")
	}
	ctx, cancel := context.WithTimeout(ctx, doTime)
	defer cancel()
	n := entering{who, role, make(chan error, 1)}
	select {
	case t.inbox <- n:
	case <-t.done:
		return errOver
	case <-ctx.Done():
		return errBusy
	}
	select {
	case err := <-n.reply:
		return plainly(err)
	case <-t.done:
		return errOver
	case <-ctx.Done():
		return errBusy
	}
}

// Expel sends away somebody who came by Enter; who did not stays. It does not wait.
func (s *Switchboard) Expel(in tandem.InteractionID, who string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	t, ctx := s.talks[in], s.ctx
	if t == nil || ctx == nil {
		return
	}
	s.going.Go(func() {
		select {
		case t.inbox <- expelling{who}:
		case <-t.done:
		case <-ctx.Done():
		}
	})
}

// guest has somebody take part who was asked in by a link.
func (t *talk) guest(who string, role tandem.Role) error {
	switch {
	case t.customer == nil:
		return errNotJoined
	case t.of(who) != nil:
		return tandem.Errorf(tandem.CodeConflict, "you are in this call already")
	case len(t.parties) >= mostParties:
		return tandem.Errorf(tandem.CodeConflict, "%d are in this call already, and no more can be", mostParties)
	}
	p, err := t.seatParty(who, role)
	if err != nil {
		return err
	}
	p.Guest = true
	if _, known := t.s.o.Router.Agent(who); known {
		t.engage(who)
	}
	t.enter(p)
	t.watch(p)
	t.arrange()
	return nil
}

// TalkOf is what goes on in an interaction's room.
func (s *Switchboard) TalkOf(in tandem.InteractionID) (Talk, bool) {
	s.mu.Lock()
	t := s.talks[in]
	s.mu.Unlock()
	if t == nil {
		return Talk{}, false
	}
	return t.shown()
}
