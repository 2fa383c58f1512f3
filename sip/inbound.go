package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"tandem"
	"tandem/sip/gate"
	"tandem/sip/sdp"
)

// onInvite takes a call from its first request to its end: the goroutine of the
// request is the goroutine of the call.
func (s *Server) onInvite(req *gosip.Request, tx gosip.ServerTransaction) {
	if !s.basics(req, tx) {
		return
	}
	if toTag(req) != "" {
		s.inDialog(req, tx, s.onReinvite)
		return
	}
	if req.Contact() == nil { // RFC 3261 section 8.1.1.8: without it no BYE could be sent
		s.refuse(req, tx, Refusal{Code: 400, Reason: "Missing Contact"})
		return
	}
	if ok := s.acceptableBody(req, tx); !ok {
		return
	}
	c := s.newInbound(req, tx)
	if refusal := s.admit(c); refusal != nil {
		s.refuse(req, tx, *refusal)
		return
	}
	defer s.forget(c)
	if !s.route(c) {
		return
	}
	tx.OnCancel(func(*gosip.Request) { // sipgo answers 200 and 487 itself
		c.end(tandem.Terminate(tandem.ByRemote, tandem.ReasonCancelled).WithSIP(487))
	})
	tx.OnTerminate(func(_ string, err error) {
		if c.now() < stateAnswered { // the connection is gone and with it the way to answer
			c.end(tandem.Terminate(tandem.ByRemote, tandem.ReasonTransport))
		}
	})
	if errors.Is(tx.Err(), gosip.ErrTransactionCanceled) {
		return // cancelled before anybody looked
	}
	_ = c.respond(s.response(req, 100, ""))
	s.serve(c)
}

// serve runs the handler and sees to it that the call is over when it returns.
func (s *Server) serve(c *Call) {
	ctx, cancel := context.WithCancelCause(context.Background())
	c.mu.Lock()
	c.cancel = cancel
	over := c.state == stateEnded
	c.mu.Unlock()
	defer cancel(ErrEnded)
	if over {
		return
	}
	s.log.Debug("call", "call", c.ID, "source", c.Source.Addr(), "transport", c.Transport)
	c.Hangup(ctx, s.runHandler(ctx, c))
}

func (s *Server) runHandler(ctx context.Context, c *Call) (t tandem.Termination) {
	defer func() {
		if p := recover(); p != nil {
			s.panicked(p, c.ID)
			t = tandem.Terminate(tandem.BySystem, tandem.ReasonPanic)
		}
	}()
	t = s.handler.Call(ctx, c)
	if t.IsZero() {
		t = tandem.Terminate(tandem.ByFlow, tandem.ReasonCompleted)
	}
	return t
}

func (s *Server) newInbound(req *gosip.Request, tx gosip.ServerTransaction) *Call {
	from, to := req.From(), req.To()
	source, _ := netip.ParseAddrPort(req.Source())
	transport := strings.ToLower(req.Transport())
	fromTag, _ := from.Params.Get("tag")
	d := &dialog{
		server: s, callID: callIDOf(req), localTag: s.token(), remoteTag: fromTag,
		transport: transport, inbound: true, near: source.Addr().Unmap(),
		local:  gosip.FromHeader{DisplayName: to.DisplayName, Address: to.Address, Params: to.Params.Clone()},
		remote: gosip.ToHeader{DisplayName: from.DisplayName, Address: from.Address, Params: from.Params.Clone()},
		target: from.Address, remoteSeq: req.CSeq().SeqNo, source: req.Source(),
		localSeq: 1,
	}
	d.local.Params.Add("tag", d.localTag)
	if contact := contactOf(req); contact != nil {
		d.target = *contact
	}
	for _, h := range req.GetHeaders("Record-Route") { // in the order received (RFC 3261 section 12.1.1)
		if rr, ok := h.(*gosip.RecordRouteHeader); ok {
			d.routes = append(d.routes, *rr.Address.Clone())
		}
	}
	c := &Call{
		ID: d.callID, Key: d.callID + " " + fromTag + " " + strconv.FormatUint(uint64(d.remoteSeq), 10), Inbound: true,
		From:   Party{from.DisplayName, from.Address.String(), from.Address.User},
		To:     Party{to.DisplayName, req.Recipient.String(), req.Recipient.User},
		Source: netip.AddrPortFrom(source.Addr().Unmap(), source.Port()), Transport: transport,
		HasOffer: len(req.Body()) > 0,
		server:   s, dialog: d, invite: req, tx: tx,
		events: make(chan Event, eventQueue), done: make(chan struct{}), acks: make(chan *gosip.Request, 1), idle: make(chan struct{}, 1),
		cancel: func(error) {},
	}
	if t := s.trunkOf(c.Source.Addr()); t != nil {
		c.Trunk, c.TrustedCallerID = t.Name, t.TrustsCallerID
		c.auth = t
	}
	return c
}

// admit enters the call into the tables, or says why not: before any work is done.
func (s *Server) admit(c *Call) *Refusal {
	merged := inviteKey{c.ID, c.dialog.remoteTag, c.dialog.remoteSeq}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, served := s.invites[merged]; served { // by another path: copies by the same one stop at the transaction
		return &Refusal{Code: 482}
	}
	if s.draining {
		return &Refusal{Code: 503, RetryAfter: s.cfg.Limits.RetryAfter}
	}
	l := s.cfg.Limits
	source := gate.Group(c.Source.Addr())
	if (l.Calls > 0 && len(s.calls) >= l.Calls) || (l.CallsPerSource > 0 && c.Trunk == "" && s.sources[source] >= l.CallsPerSource) {
		return &Refusal{Code: 503, RetryAfter: l.RetryAfter}
	}
	s.invites[merged] = struct{}{}
	s.calls[c.dialog.key()] = c
	s.sources[source]++
	s.metrics.calls.Set(float64(len(s.calls)))
	return nil
}

// forget takes the call out of the tables.
func (s *Server) forget(c *Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.calls, c.dialog.key())
	if c.Inbound {
		delete(s.invites, inviteKey{c.ID, c.dialog.remoteTag, c.invite.CSeq().SeqNo})
		source := gate.Group(c.Source.Addr())
		if s.sources[source]--; s.sources[source] <= 0 {
			delete(s.sources, source)
		}
	}
	s.metrics.calls.Set(float64(len(s.calls)))
}

// route asks the handler where the call goes and answers those that go nowhere.
func (s *Server) route(c *Call) bool {
	route := s.handler.Route(c.To.User, c.Source, c.Transport)
	if !route.Found {
		c.end(tandem.Terminate(tandem.BySystem, tandem.ReasonNoEntry).WithSIP(404))
		s.refuse(c.invite, c.tx, Refusal{Code: 404})
		return false
	}
	if route.Refuse != nil {
		c.end(tandem.Terminate(tandem.BySystem, tandem.ReasonOverload).WithSIP(route.Refuse.Code))
		s.refuse(c.invite, c.tx, *route.Refuse)
		return false
	}
	if !route.Auth {
		return true
	}
	user, verdict := s.digest.check(c.invite, c.Source.Addr())
	if verdict == proven {
		c.User = user
		return true
	}
	c.end(tandem.Terminate(tandem.ByRemote, tandem.ReasonAuth).WithSIP(401))
	s.challenge(c.invite, c.tx, verdict)
	return false
}

// respond sends an answer to the INVITE. When a CANCEL was quicker the transaction
// is already answered 487 and the call is over.
func (c *Call) respond(res *gosip.Response) error {
	if res.StatusCode > 100 {
		res.To().Params.Add("tag", c.dialog.localTag)
	}
	err := c.tx.Respond(res)
	if errors.Is(err, gosip.ErrTransactionCanceled) {
		// sipgo repeats the last response it was handed: give it the 487 back.
		_ = c.tx.Respond(c.tagged(487))
		c.end(tandem.Terminate(tandem.ByRemote, tandem.ReasonCancelled).WithSIP(487))
		return ErrCancelled
	}
	if res.StatusCode >= 200 {
		c.server.metrics.answer(res.StatusCode)
	}
	return err
}

func (c *Call) tagged(code int) *gosip.Response {
	res := c.server.response(c.invite, code, "")
	res.To().Params.Add("tag", c.dialog.localTag)
	return res
}

// over is the error of a call that has ended already.
func (c *Call) over() error {
	if c.Termination().Reason == tandem.ReasonCancelled {
		return ErrCancelled
	}
	return ErrEnded
}

// Ring tells an inbound caller that it rings: 180, once or again.
func (c *Call) Ring(ctx context.Context) error {
	if !c.advance(stateRinging) && c.now() != stateRinging {
		return c.over()
	}
	res := c.tagged(180)
	res.AppendHeader(c.server.contact(c.localUser(), c.Transport, c.dialog.near))
	if err := c.respond(res); err != nil {
		return fmt.Errorf("ringing: %w", err)
	}
	return nil
}

// Refuse turns an inbound call away before its answer; headers are "Name: value"
// pairs one after another: "Retry-After", "5".
func (c *Call) Refuse(code int, reason string, headers ...string) error {
	if code < 300 || code > 699 || len(headers)%2 != 0 {
		return ErrState
	}
	if c.now() >= stateAnswered {
		return c.over()
	}
	c.end(tandem.Terminate(tandem.BySystem, reasonOf(code)).WithSIP(code))
	res := c.server.response(c.invite, code, reason)
	for i := 0; i < len(headers); i += 2 {
		res.AppendHeader(gosip.NewHeader(headers[i], headers[i+1]))
	}
	return c.respond(res)
}

// refuseInvite answers an INVITE whose call has ended before it was answered.
func (c *Call) refuseInvite(t tandem.Termination) {
	if r := c.Termination().Reason; r == tandem.ReasonCancelled || r == tandem.ReasonTransport {
		return // answered by the transaction, or nobody there
	}
	code, retry := refusalOf(t)
	res := c.server.response(c.invite, code, "")
	if retry {
		res.AppendHeader(gosip.NewHeader("Retry-After", seconds(c.server.cfg.Limits.RetryAfter)))
	}
	res.AppendHeader(gosip.NewHeader("Reason", reasonHeader(t)))
	_ = c.respond(res) // the caller has gone if it cannot be sent
}

// Answer accepts an inbound call: 200 with a description from m, repeated until
// the ACK (RFC 3261 section 13.3.1.4). It returns when the call is up. ErrNoMedia:
// refused with 488, over. ErrCancelled: the caller was quicker. ErrAckLost: 64·T1
// passed, the call is over and BYE is sent.
func (c *Call) Answer(ctx context.Context, m Media) error {
	if c.now() >= stateAnswered {
		return c.over()
	}
	body, err := c.describe(m, c.invite)
	if err != nil {
		c.end(tandem.Terminate(tandem.BySystem, tandem.ReasonNoMedia).WithSIP(488))
		c.refuseInvite(tandem.Terminate(tandem.BySystem, tandem.ReasonNoMedia))
		return fmt.Errorf("%w: %w", ErrNoMedia, err)
	}
	c.mu.Lock()
	if c.state >= stateAnswered {
		c.mu.Unlock()
		return c.over()
	}
	c.state, c.media = stateAnswered, m
	c.mu.Unlock()
	ok := c.okResponse(c.invite, body)
	ack, err := c.untilAck(ctx, ok, c.invite, c.tx)
	if err != nil {
		return err
	}
	if !c.HasOffer {
		if err := m.Accept(ack.Body()); err != nil {
			c.Hangup(ctx, tandem.Terminate(tandem.BySystem, tandem.ReasonNoMedia))
			return fmt.Errorf("%w: %w", ErrNoMedia, err)
		}
	}
	if !c.advance(stateConfirmed) {
		return c.over()
	}
	return nil
}

// describe writes our part of an exchange the other side opened with req.
func (c *Call) describe(m Media, req *gosip.Request) ([]byte, error) {
	if len(req.Body()) == 0 {
		return m.Offer()
	}
	return m.Answer(req.Body())
}

// okResponse is a 200 to an INVITE, with all that makes a dialog.
func (c *Call) okResponse(req *gosip.Request, body []byte) *gosip.Response {
	res := c.server.response(req, 200, "")
	res.AppendHeader(c.server.contact(c.localUser(), c.Transport, c.dialog.near))
	res.AppendHeader(gosip.NewHeader("Allow", allow))
	res.AppendHeader(gosip.NewHeader("Content-Type", "application/sdp"))
	res.To().Params.Add("tag", c.dialog.localTag)
	res.SetBody(body)
	return res
}

// expectAck makes an ACK with this CSeq the one that is waited for; 0 = none. What came
// for another INVITE is forgotten.
func (c *Call) expectAck(seq uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.pendingSeq = seq
	select {
	case <-c.acks:
	default:
	}
}

// untilAck repeats the 200 to an INVITE at T1, 2·T1 … T2 until its ACK comes.
func (c *Call) untilAck(ctx context.Context, ok *gosip.Response, req *gosip.Request, tx gosip.ServerTransaction) (*gosip.Request, error) {
	c.expectAck(req.CSeq().SeqNo)
	defer c.expectAck(0)
	t1, t2 := c.server.cfg.T1, c.server.cfg.T2
	send := func() error { return tx.Respond(ok) }
	if tx == c.tx {
		send = func() error { return c.respond(ok) }
	}
	if err := send(); errors.Is(err, ErrCancelled) {
		return nil, ErrCancelled
	}
	giveUp := time.NewTimer(64 * t1)
	defer giveUp.Stop()
	interval := t1
	again := time.NewTimer(interval)
	defer again.Stop()
	for {
		select {
		case ack := <-c.acks:
			return ack, nil
		case ack := <-tx.Acks(): // a peer that puts the INVITE's branch on its ACK
			if ack.CSeq().SeqNo == req.CSeq().SeqNo {
				return ack, nil
			}
		case <-c.done:
			return nil, c.over()
		case <-ctx.Done():
			if c.now() == stateEnded {
				return nil, c.over()
			}
			return nil, context.Cause(ctx)
		case <-again.C:
			_ = tx.Respond(ok) // a lost one is what the next is for
			c.server.metrics.repeats.Inc()
			interval = min(2*interval, t2)
			again.Reset(interval)
		case <-giveUp.C:
			c.Hangup(ctx, tandem.Terminate(tandem.ByRemote, tandem.ReasonAckLost))
			return nil, ErrAckLost
		}
	}
}

// noteHold notes what an offer by the other side says about hold.
func (c *Call) noteHold(offer []byte) {
	if len(offer) > 0 {
		c.setHeld(sdp.Held(offer))
	}
}
