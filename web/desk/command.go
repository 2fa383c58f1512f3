package desk

import (
	"context"
	"errors"
	"net/http"
	"time"

	"tandem"
	"tandem/store/staff"
	"tandem/web/login"
)

// handle does what a frame asks, if whoever sent it may, as they are now.
func (s *socket) handle(in incoming) {
	now := s.desk.o.Now()
	switch in.T {
	case kindPing:
		s.push(bare{kindPong})
		return
	case kindTyping:
		if !s.types.take(2, 500*time.Millisecond, now) {
			return
		}
	default:
		if !s.commands.take(20, 100*time.Millisecond, now) {
			s.push(failed{kindError, in.ID, "too_fast", "Too many commands at once. Wait a little.", 1})
			return
		}
		if err := clientID(in.ID); err != nil {
			s.push(failed{T: kindError, Code: codeBad, Message: "A command has an id of 1 to 64 characters of A-Z a-z 0-9 - _."})
			return
		}
	}
	ctx, cancel := s.context()
	defer cancel()
	c, err := s.again(ctx)
	if errors.Is(err, staff.ErrNoLogin) {
		return // it ends
	}
	out := done{T: kindDone, ID: in.ID}
	if err == nil {
		err = s.do(ctx, c, in, &out)
	}
	if in.T == kindTyping {
		return
	}
	if err != nil {
		s.fail(in, err)
		return
	}
	s.push(out)
}

// fail answers a command that was not done.
func (s *socket) fail(in incoming, err error) {
	p, status := problem(err)
	f := failed{T: kindError, ID: in.ID, Code: p.Code, Message: p.Message}
	switch status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		f.RetryAfter = 5
	case http.StatusInternalServerError:
		s.desk.o.Log.Error("a command of the desk failed", "command", in.T, "error", err)
	}
	s.push(f)
}

// do is one command of an agent's.
func (s *socket) do(ctx context.Context, c login.Caller, in incoming, out *done) error {
	d := s.desk
	if c.Agent() == "" {
		return tandem.Errorf(tandem.CodeForbidden, "only agents do this; supervisors work by HTTP")
	}
	if in.T != kindPresence && !tandem.ValidID(string(in.Task)) {
		return noTask()
	}
	var t task
	var err error
	switch in.T {
	case kindAccept:
		t, err = d.accept(ctx, c, in.Task, in.Fence)
	case kindRelease:
		t, err = d.release(ctx, c, in.Task, in.Fence, "done")
	case kindHandBack:
		t, err = d.release(ctx, c, in.Task, in.Fence, "handed_back")
	case kindTransfer:
		t, err = d.transfer(ctx, c, in.Task, in.Fence, in.Queue, in.Agent)
	case kindDecline:
		return d.decline(ctx, c, in.Task, in.Fence, in.Why)
	case kindWrap:
		return d.wrap(ctx, c, in.Task, in.Fence, in.Disposition)
	case kindTyping:
		return d.typing(ctx, c, in.Task, in.On)
	case kindNote:
		h, err := d.holding(c, in.Task)
		if err == nil && h.state == tandem.TaskOffered {
			err = tandem.Errorf(tandem.CodeConflict, "accept the offer first")
		}
		if err != nil {
			return err
		}
		return d.note(ctx, c, h.Interaction, in.Task, in.ID, in.Text)
	case kindSay:
		m, err := d.say(ctx, c, in.Task, in.ID, in.Text)
		out.Message = &m
		return err
	case kindPresence:
		a, err := d.present(ctx, c.Agent(), in.Presence, in.Reason)
		out.Agent = &a
		return err
	default:
		return tandem.Errorf(codeBad, "there is no command of this name; docs/protocol.md lists them")
	}
	out.Task = &t
	return err
}
