package sip

import (
	"context"
	"errors"
	"fmt"

	gosip "github.com/emiago/sipgo/sip"

	"tandem"
)

// errGlare: both sides sent a re-INVITE at once.
var errGlare = errors.New("the other side changes the call at this moment")

// onReinvite answers a new offer, or a request for one, inside a call.
func (s *Server) onReinvite(c *Call, req *gosip.Request, tx gosip.ServerTransaction) {
	if ok := s.acceptableBody(req, tx); !ok {
		return
	}
	media, other, err := c.beginTheirs()
	switch {
	case err == nil:
	case other == exchangeOurs:
		s.refuse(req, tx, Refusal{Code: 491})
		return
	case c.now() == stateEnded:
		s.refuse(req, tx, Refusal{Code: 481})
		return
	default: // their last INVITE still waits for its ACK (RFC 3261 section 14.2)
		s.refuse(req, tx, Refusal{Code: 500, RetryAfter: s.cfg.Limits.RetryAfter})
		return
	}
	defer c.finishExchange()
	body, err := c.describe(media, req)
	if err != nil { // the call goes on as it was
		s.refuse(req, tx, Refusal{Code: 488})
		return
	}
	c.dialog.retarget(req)
	c.noteHold(req.Body())
	s.metrics.answer(200)
	ack, err := c.untilAck(context.Background(), c.okResponse(req, body), req, tx)
	if err != nil || len(req.Body()) > 0 {
		return
	}
	if err := media.Accept(ack.Body()); err != nil {
		s.log.Debug("re-INVITE: the answer in the ACK does not fit", "call", c.ID, "error", err)
		c.Hangup(context.Background(), tandem.Terminate(tandem.BySystem, tandem.ReasonNoMedia))
		return
	}
	c.noteHold(ack.Body())
}

// change sends a re-INVITE that holds the other side or takes it back. If that fails
// our descriptions go on saying what they said before.
func (c *Call) change(ctx context.Context, h Holder, media Media, on bool) error {
	h.Hold(on)
	if err := c.reinvite(ctx, media); err != nil {
		h.Hold(c.holding)
		return err
	}
	c.holding = on
	return nil
}

// reinvite sends our own new offer and settles the answer.
func (c *Call) reinvite(ctx context.Context, media Media) error {
	offer, err := media.Offer()
	if err != nil {
		return fmt.Errorf("writing a new offer: %w", err)
	}
	build := func() *gosip.Request {
		req := c.dialog.request(gosip.INVITE)
		req.AppendHeader(c.server.contact(c.localUser(), c.Transport, c.dialog.near))
		req.AppendHeader(gosip.NewHeader("Allow", allow))
		req.AppendHeader(gosip.NewHeader("Content-Type", "application/sdp"))
		req.SetBody(offer)
		return req
	}
	req := build()
	res, err := c.server.inviteTrip(ctx, c, req)
	if err == nil && (res.StatusCode == 401 || res.StatusCode == 407) && c.auth != nil {
		req = build()
		if authErr := authorise(req, res, c.auth, c.server.random); authErr != nil {
			return fmt.Errorf("changing the call: %w", authErr)
		}
		res, err = c.server.inviteTrip(ctx, c, req)
	}
	switch {
	case err != nil:
		return fmt.Errorf("changing the call: %w", err)
	case res.StatusCode == 491:
		return errGlare
	case res.StatusCode == 481 || res.StatusCode == 408: // RFC 3261 section 12.2.1.2
		c.Hangup(ctx, tandem.Terminate(tandem.ByRemote, tandem.ReasonTransport).WithSIP(res.StatusCode))
		return ErrEnded
	case res.StatusCode >= 300:
		return fmt.Errorf("changing the call: refused with %d", res.StatusCode)
	}
	c.dialog.retarget(res)
	if err := media.Accept(res.Body()); err != nil {
		return fmt.Errorf("changing the call: %w", err)
	}
	return nil
}

func (c *Call) localUser() string {
	if c.Inbound {
		return c.To.User
	}
	return c.From.User
}
