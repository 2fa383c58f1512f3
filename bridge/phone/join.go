package phone

import (
	"context"
	"sync"

	"tandem"
)

// Join begins the talk of a chat or of texts that an agent has: with the customer's page,
// and the agent by their seat. It returns once the agent is in it. The end of the talk
// leaves the task what it is; the task's end, or another agent for it, ends the talk.
// Errors are *tandem.Error, with what to do next.
func (s *Switchboard) Join(ctx context.Context, id tandem.TaskID, c Caller) error {
	task, ok := s.o.Router.Task(id)
	switch {
	case !ok || task.State != tandem.TaskAssigned:
		return tandem.Errorf(tandem.CodeConflict, "no agent has this conversation now; wait until one has")
	case task.Kind.Load() != tandem.LoadChat && task.Kind.Load() != tandem.LoadSMS:
		return tandem.Errorf(tandem.CodeConflict, "this is a call already")
	}
	if err := s.Ready(task.Agent); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, doTime)
	defer cancel()
	began, err := s.joins(task, c)
	if err != nil {
		return err
	}
	select {
	case err := <-began:
		return plainly(err)
	case <-ctx.Done():
		s.end(task.ID, task.Fence, "late")
		return errBusy
	}
}

// Ready is why an agent cannot speak now by their seat; nil = they can.
func (s *Switchboard) Ready(agent string) error {
	if _, ok := s.seat(agent); !ok {
		return tandem.Errorf(tandem.CodeConflict, "%s has no working microphone at the desk: open the desk and allow the microphone", agent)
	}
	if s.sits(agent) {
		return tandem.Errorf(tandem.CodeConflict, "%s speaks with somebody already: end that first", agent)
	}
	return nil
}

// joins starts the talk's goroutine; began holds how that went.
func (s *Switchboard) joins(task tandem.Task, c Caller) (began <-chan error, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil {
		return nil, errOver
	}
	before := s.rings[task.ID]
	if t := s.talks[task.Interaction]; t != nil && t.r != nil && (t.r != before || t.r.ctx.Err() == nil) || before != nil && before.ctx.Err() == nil {
		return nil, tandem.Errorf(tandem.CodeConflict, "there is a call in this conversation already")
	}
	ctx, cancel := context.WithCancelCause(s.ctx)
	freed := make(chan struct{})
	r := &ring{s: s, id: task.ID, in: task.Interaction, fence: task.Fence, agent: task.Agent, task: task, ctx: ctx, cancel: cancel, joined: true, assigned: true,
		before: before, freed: freed, free: sync.OnceFunc(func() { close(freed) }), took: make(chan struct{}), unseated: make(chan struct{}, 1),
		log: s.o.Log.With("interaction", task.Interaction, "task", task.ID, "agent", task.Agent)}
	close(r.took)
	s.rings[task.ID] = r
	says := make(chan error, 1)
	s.going.Go(func() { r.runJoined(c, says) })
	return says, nil
}

// runJoined is the talk of a chat, from its beginning to the last goodbye.
func (r *ring) runJoined(c Caller, began chan<- error) {
	defer r.s.forget(r)
	defer r.cancel(nil)
	defer r.free()
	defer func() {
		if p := recover(); p != nil {
			r.s.o.Panicked(p)
			r.broken(tandem.Terminate(tandem.BySystem, tandem.ReasonPanic))
			select {
			case began <- errFault:
			default:
			}
		}
	}()
	if r.before != nil {
		<-r.before.freed
	}
	t := r.s.newTalk(r, r.in, r.ctx)
	r.talk = t
	t.takeOver()
	agent, err := t.seatParty(r.task.Agent, tandem.RoleAgent)
	if err != nil {
		t.finish(stopped)
		began <- err
		t.hangUp(tandem.Terminate(tandem.BySystem, tandem.ReasonNoMedia))
		return
	}
	t.engage(agent.Name)
	r.begin(agent)
	began <- nil
	end, how := t.serve(c)
	r.part(t, end, how)
}

// joined reports whether it is the talk of a chat, whose task lives on without it.
func (t *talk) joined() bool { return t.r != nil && t.r.joined }

// isJoined reports whether what goes on with a task is the talk of a chat.
func (s *Switchboard) isJoined(id tandem.TaskID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rings[id]
	return r != nil && r.joined
}
