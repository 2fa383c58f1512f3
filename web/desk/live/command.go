package live

import (
	"context"
	"errors"
	"net/http"
	"time"

	"tandem"
	"tandem/bridge/phone"
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
	case kindVoice, kindScreen:
		if !s.voices.take(40, 100*time.Millisecond, now) {
			s.push(failed{T: kindError, Seat: in.Seat, Page: in.Page, Code: "too_fast", Message: "Too much signalling at once. Wait a little.", RetryAfter: 1})
			return
		}
	default:
		if !s.commands.take(20, 100*time.Millisecond, now) {
			s.push(failed{T: kindError, ID: in.ID, Code: "too_fast", Message: "Too many commands at once. Wait a little.", RetryAfter: 1})
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
	switch {
	case err != nil:
	case in.T == kindVoice:
		err = s.signal(ctx, c, in)
	case in.T == kindScreen:
		err = s.screen(ctx, c, in)
	case s.feed != nil && again(&in):
		err = s.doOnce(ctx, c, in, &out)
		if err == nil {
			return
		}
	default:
		err = s.do(ctx, c, in, &out)
	}
	if in.T == kindTyping || (in.T == kindVoice || in.T == kindScreen) && err == nil {
		return
	}
	if err != nil {
		s.fail(in, err)
		return
	}
	s.push(out)
}

// doOnce is do of what is not done twice, and answers it.
func (s *socket) doOnce(ctx context.Context, c login.Caller, in incoming, out *done) error {
	was, known := s.feed.begin(&in)
	switch {
	case known && was == nil:
		return tandem.Errorf(tandem.CodeUnavailable, "this is being done; ask again in a moment")
	case known:
		s.pushRaw(was)
		return nil
	}
	var data []byte
	defer func() { s.feed.settle(&in, data) }() // a fault of ours forgets it, too
	if err := s.do(ctx, c, in, out); err != nil {
		return err
	}
	data = raw(out)
	s.pushRaw(data)
	return nil
}

// fail answers a command that was not done.
func (s *socket) fail(in incoming, err error) {
	p, status := s.desk.o.Work.Problem(err)
	f := failed{T: kindError, ID: in.ID, Code: p.Code, Message: p.Message}
	switch in.T {
	case kindVoice:
		f.ID, f.Seat = "", in.Seat
	case kindScreen:
		f.ID, f.Page = "", in.Page
	}
	switch status {
	case http.StatusServiceUnavailable, http.StatusTooManyRequests:
		f.RetryAfter = 5
	case http.StatusInternalServerError:
		s.desk.o.Log.Error("a command of the desk failed", "command", in.T, "error", err)
	}
	s.push(f)
}

// do is one command, if whoever sent it may.
func (s *socket) do(ctx context.Context, c login.Caller, in incoming, out *done) error {
	who := asks(in.T)
	switch {
	case who == 0:
		return tandem.Errorf(CodeBad, "there is no frame of this kind")
	case who&byAgents != 0 && c.Agent() != "", who&bySupervisors != 0 && s.desk.o.Supervises(c):
	case who&byAgents != 0:
		return tandem.Errorf(tandem.CodeForbidden, "only agents do this; supervisors work by HTTP")
	default:
		return tandem.Errorf(tandem.CodeForbidden, "only supervisors do this")
	}
	if who&ofTask != 0 && !tandem.ValidID(string(in.Task)) {
		return tandem.Errorf(tandem.CodeNotFound, "you have no such task")
	}
	w := s.desk.o.Work
	var t view.Task
	var err error
	switch in.T {
	case kindAccept:
		t, err = w.Accept(ctx, c, in.Task, in.Fence)
	case kindRelease:
		t, err = w.Release(ctx, c, in.Task, in.Fence, "done")
	case kindHandBack:
		t, err = w.HandBack(ctx, c, in.Task, in.Fence, in.Step)
	case kindTransfer:
		t, err = w.Transfer(ctx, c, in.Task, in.Fence, in.Queue, in.Agent)
	case kindTakeOver:
		t, err = w.TakeOver(ctx, c, in.Interaction, in.Agent, in.Why)
	case kindPlace:
		var to string
		if to, err = in.to(); err == nil {
			t, err = w.Place(ctx, c, Placing{Client: in.ID, To: to, Interaction: in.Interaction, Queue: in.Queue})
		}
	case kindMove:
		var to string
		if to, err = in.to(); err == nil {
			t, err = w.Move(ctx, c, in.Task, tandem.Channel(to))
		}
	default:
		return s.doMore(ctx, c, in, out)
	}
	out.Task = &t
	return err
}

// doMore is do of what is not answered by a task.
func (s *socket) doMore(ctx context.Context, c login.Caller, in incoming, out *done) error {
	w := s.desk.o.Work
	switch in.T {
	case kindDecline:
		return w.Decline(ctx, c, in.Task, in.Fence, in.Why)
	case kindWrap:
		return w.Wrap(ctx, c, in.Task, in.Fence, in.Disposition)
	case kindTyping:
		return w.Typing(ctx, c, in.Task, in.On)
	case kindNote:
		return w.Note(ctx, c, in.Task, in.ID, in.Text)
	case kindAsk:
		return w.Ask(ctx, c, in.Task, in.Fence, in.Step)
	case kindWhisper:
		return w.Whisper(ctx, c, in.Task, in.ID, in.Text)
	case kindInvite:
		return w.Answer(ctx, c, in.Invite, in.Accept)
	case kindCall:
		to, err := in.target()
		if err != nil {
			return err
		}
		return w.Call(ctx, c, phone.Command{Task: in.Task, Interaction: in.Interaction, Do: phone.Doing(in.Do), To: phone.Target(to), Keys: in.Keys, Leg: in.Leg, Why: in.Why})
	case kindLink:
		l, err := w.SendLink(ctx, c, in.Task, LinkOrder{Client: in.ID, Operation: in.Operation, Params: in.Params, By: in.By})
		out.Link = &l
		return err
	case kindSay:
		m, err := w.Say(ctx, c, in.Task, in.ID, in.Text)
		out.Message = &m
		return err
	case kindUpgrade, kindCheck, kindInviteBy, kindJoin:
		return s.doFace(ctx, c, in, out)
	case kindPresence:
		a, err := w.Present(ctx, c.Agent(), in.Presence, in.Reason)
		out.Agent = &a
		return err
	}
	return tandem.Errorf(CodeBad, "there is no frame of this kind")
}

// doFace is do of what is about voice and pictures, and identity checks.
func (s *socket) doFace(ctx context.Context, c login.Caller, in incoming, out *done) error {
	if s.desk.o.Faces == nil {
		return tandem.Errorf(tandem.CodeUnavailable, "there are no voice and pictures here: webrtc.listen is empty")
	}
	w := s.desk.o.Work
	switch in.T {
	case kindUpgrade:
		u, err := w.Upgrade(ctx, c, in.Task, UpgradeOrder{Do: in.Do, Level: in.Level, Why: in.Why})
		out.Upgrade = &u
		return err
	case kindCheck:
		k, err := w.Check(ctx, c, CheckOrder{Task: in.Task, Policy: in.Policy, Check: in.Check, Do: in.Do, Step: in.Step, Said: in.Said, Why: in.Why, Outcome: in.Outcome, Reasons: in.Reasons, Agree: in.Agree})
		out.Check = &k
		return err
	case kindJoin:
		j, err := w.Join(ctx, c, in.Token)
		out.Joined = &j
		return err
	}
	switch in.Do {
	case "":
		l, err := w.InviteLink(ctx, c, in.Task, in.Role)
		out.Invite = &l
		return err
	case "revoke":
		return w.RevokeLink(ctx, c, in.Task, in.Invite)
	}
	return tandem.Errorf(tandem.CodeInvalid, "do is revoke, or left out, here")
}

// rule says who may send frames of a kind, before what they are about is looked at.
type rule uint8

const (
	byAgents rule = 1 << iota
	bySupervisors
	ofTask // they name a task
)

// asks is the rule of frames that ask for something, as do does it; 0 of any other.
func asks(kind string) rule {
	switch kind {
	case kindAccept, kindDecline, kindNote, kindRelease, kindHandBack, kindTransfer, kindWrap, kindTyping, kindAsk, kindLink, kindMove, kindUpgrade, kindInviteBy:
		return byAgents | ofTask
	case kindPresence, kindPlace, kindInvite, kindCheck:
		return byAgents
	case kindSay:
		return byAgents | bySupervisors | ofTask
	case kindCall, kindTakeOver, kindJoin:
		return byAgents | bySupervisors
	case kindWhisper:
		return bySupervisors | ofTask
	}
	return 0
}
