package live

import (
	"context"
	"errors"
	"net/http"
	"time"

	"tandem"
	"tandem/store/staff"
	"tandem/web/desk/view"
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
		if !view.ClientID(in.ID) {
			s.push(failed{T: kindError, Code: CodeBad, Message: "A command has an id of 1 to 64 characters of A-Z a-z 0-9 - _."})
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
	p, status := s.desk.o.Work.Problem(err)
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
	if !asks(in.T) {
		return tandem.Errorf(CodeBad, "there is no frame of this kind")
	}
	if c.Agent() == "" {
		return tandem.Errorf(tandem.CodeForbidden, "only agents do this; supervisors work by HTTP")
	}
	if in.T != kindPresence && !tandem.ValidID(string(in.Task)) {
		return tandem.Errorf(tandem.CodeNotFound, "you have no such task")
	}
	var t view.Task
	var err error
	switch in.T {
	case kindAccept:
		t, err = d.o.Work.Accept(ctx, c, in.Task, in.Fence)
	case kindRelease:
		t, err = d.o.Work.Release(ctx, c, in.Task, in.Fence, "done")
	case kindHandBack:
		t, err = d.o.Work.Release(ctx, c, in.Task, in.Fence, "handed_back")
	case kindTransfer:
		t, err = d.o.Work.Transfer(ctx, c, in.Task, in.Fence, in.Queue, in.Agent)
	case kindDecline:
		return d.o.Work.Decline(ctx, c, in.Task, in.Fence, in.Why)
	case kindWrap:
		return d.o.Work.Wrap(ctx, c, in.Task, in.Fence, in.Disposition)
	case kindTyping:
		return d.o.Work.Typing(ctx, c, in.Task, in.On)
	case kindNote:
		return d.o.Work.Note(ctx, c, in.Task, in.ID, in.Text)
	case kindSay:
		m, err := d.o.Work.Say(ctx, c, in.Task, in.ID, in.Text)
		out.Message = &m
		return err
	case kindPresence:
		a, err := d.o.Work.Present(ctx, c.Agent(), in.Presence, in.Reason)
		out.Agent = &a
		return err
	}
	out.Task = &t
	return err
}

// asks reports whether frames of a kind ask for something, as do does it.
func asks(kind string) bool {
	switch kind {
	case kindAccept, kindDecline, kindSay, kindNote, kindPresence, kindRelease, kindHandBack, kindTransfer, kindWrap, kindTyping:
		return true
	}
	return false
}
