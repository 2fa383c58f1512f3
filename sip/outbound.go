package sip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"tandem"
)

// defaultRing is how long a dialled party may ring.
const defaultRing = 60 * time.Second

// abandonWait bounds how long a call given up may still be answered: 64·T1 for
// its INVITE and as much for its CANCEL.
const abandonWait = 64 * time.Second

// Dial says whom to call and how.
type Dial struct {
	To    string        // with Trunk: a number or user part; without: a whole sip: URI
	Trunk string        // name of a trunk; empty dials To directly, which only trusted callers of this API may ask for
	From  string        // user part shown to the other side; empty = "anonymous"
	Name  string        // display name
	About string        // what the call is about, for the other side's eyes (Subject, RFC 3261 section 20.36); empty = not said
	Ring  time.Duration // given up after it; 0 = 60 s
	Media Media
	Early func(code int) // told of 180 and 183; may be nil; must not block
}

// DialError says how a call out ended before it was up.
type DialError struct {
	Termination tandem.Termination
	Err         error // may be nil
}

func (e *DialError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("dialling: %s: %v", e.Termination, e.Err)
	}
	return "dialling: " + e.Termination.String()
}

// Unwrap gives the cause.
func (e *DialError) Unwrap() error { return e.Err }

func failed(reason tandem.Reason, by tandem.Party, err error) error {
	return &DialError{Termination: tandem.Terminate(by, reason), Err: err}
}

// Dial calls somebody: INVITE, the trunk's challenge answered, ACK. The call is
// up when it returns; otherwise the error is a *DialError, or plain for a fault of
// the caller. Redirections are not followed.
func (s *Server) Dial(ctx context.Context, d Dial) (*Call, error) {
	c, err := s.newOutbound(ctx, d)
	if err != nil {
		return nil, fmt.Errorf("dialling: %w", err)
	}
	if s.isClosed() {
		return nil, failed(tandem.ReasonShutdown, tandem.BySystem, ErrClosed)
	}
	offer, err := d.Media.Offer()
	if err != nil {
		return nil, failed(tandem.ReasonNoMedia, tandem.BySystem, err)
	}
	if d.Ring <= 0 {
		d.Ring = defaultRing
	}
	s.metrics.dials.Inc()
	s.noteDial(c)
	ring := time.NewTimer(d.Ring)
	defer ring.Stop()
	var challenge *gosip.Response
	for range 3 { // the call, the challenge answered, a stale nonce
		req := s.invitation(c, offer)
		if challenge != nil {
			if err := authorise(req, challenge, c.auth, s.random); err != nil {
				return nil, failed(tandem.ReasonAuth, tandem.ByRemote, err)
			}
		}
		res, err := s.attempt(ctx, c, req, ring.C, d.Early)
		if err != nil {
			return nil, err
		}
		if (res.StatusCode == 401 || res.StatusCode == 407) && c.auth != nil {
			challenge = res
			continue
		}
		if res.StatusCode >= 300 {
			return nil, &DialError{Termination: tandem.Terminate(tandem.ByRemote, reasonOf(res.StatusCode)).WithSIP(res.StatusCode)}
		}
		return s.establish(ctx, c, res, d.Media)
	}
	return nil, failed(tandem.ReasonAuth, tandem.ByRemote, errors.New("the trunk refuses our password"))
}

func (s *Server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// dialled is a user part that may be put into a URI as it is.
func dialled(user string) bool {
	const most = 64
	if user == "" || len(user) > most {
		return false
	}
	for i := range len(user) {
		ch := user[i]
		if (ch < '0' || ch > '9') && (ch < 'a' || ch > 'z') && (ch < 'A' || ch > 'Z') && !strings.ContainsRune("+*#-_.", rune(ch)) {
			return false
		}
	}
	return true
}

func (s *Server) newOutbound(ctx context.Context, d Dial) (*Call, error) {
	if d.Media == nil {
		return nil, errors.New("no media")
	}
	if d.From == "" {
		d.From = "anonymous"
	}
	if !dialled(d.From) || strings.ContainsAny(d.Name+d.About, "\"\\\r\n\x00") {
		return nil, errors.New("the number or name to show holds a character that cannot be sent")
	}
	if d.Trunk != "" && !dialled(d.To) {
		return nil, errors.New("the number to call holds a character that cannot be dialled")
	}
	target, transport, trunk, err := s.target(d)
	if err != nil {
		return nil, err
	}
	domain := target.Host
	if trunk != nil {
		target.User = strings.ReplaceAll(d.To, "#", "%23")
		if trunk.Domain != "" {
			domain = trunk.Domain
		}
	}
	near := lookup(ctx, target.Host)
	local := s.public(transport, near)
	from := gosip.Uri{Scheme: "sip", User: d.From, Host: hostOf(local.Addr())}
	if trunk != nil {
		from.Host = domain
	}
	to := gosip.Uri{Scheme: "sip", User: target.User, Host: domain}
	if trunk == nil {
		to.Port = target.Port
	}
	callID, tag := s.token(), s.token()
	dl := &dialog{
		server: s, callID: callID, localTag: tag, transport: transport, near: near,
		local:  gosip.FromHeader{DisplayName: d.Name, Address: from, Params: gosip.HeaderParams{{K: "tag", V: tag}}},
		remote: gosip.ToHeader{Address: to},
		target: target, localSeq: 0,
	}
	return &Call{
		ID: callID, Key: callID + " " + tag + " 1",
		From: Party{d.Name, from.String(), d.From}, To: Party{"", to.String(), d.To},
		Transport: transport, HasOffer: true, Trunk: d.Trunk,
		server: s, dialog: dl, auth: trunk, media: d.Media, about: d.About,
		events: make(chan Event, eventQueue), done: make(chan struct{}), acks: make(chan *gosip.Request, 1), idle: make(chan struct{}, 1),
		cancel: func(error) {},
	}, nil
}

// invitation is the next INVITE of a call that is not up yet.
func (s *Server) invitation(c *Call, offer []byte) *gosip.Request {
	req := c.dialog.request(gosip.INVITE)
	req.AppendHeader(s.contact(c.From.User, c.Transport, c.dialog.near))
	req.AppendHeader(gosip.NewHeader("Allow", allow))
	if c.about != "" {
		req.AppendHeader(gosip.NewHeader("Subject", c.about))
	}
	req.AppendHeader(gosip.NewHeader("Content-Type", acceptBody))
	req.SetBody(offer)
	c.setOurs(req)
	return req
}

// attempt sends one INVITE and waits for its final answer.
func (s *Server) attempt(ctx context.Context, c *Call, req *gosip.Request, ring <-chan time.Time, early func(int)) (*gosip.Response, error) {
	tx, err := s.begin(ctx, req)
	if err != nil {
		return nil, failed(tandem.ReasonTransport, tandem.BySystem, err)
	}
	heard := false
	for {
		select {
		case res := <-tx.Responses():
			if !res.IsProvisional() {
				s.repeatAcks(tx, c)
				c.Source, _ = netip.ParseAddrPort(res.Source())
				return res, nil
			}
			heard = true
			if res.StatusCode > 100 && c.advance(stateRinging) || res.StatusCode == 183 {
				if early != nil {
					early(res.StatusCode)
				}
			}
		case <-tx.Done():
			if s.isClosed() {
				return nil, failed(tandem.ReasonShutdown, tandem.BySystem, ErrClosed)
			}
			return nil, failed(tandem.ReasonTransport, tandem.ByRemote, tx.Err())
		case <-ring:
			s.calling.Go(func() { s.guard(c.ID, func() { s.abandon(tx, req, heard) }) })
			return nil, failed(tandem.ReasonNoAnswer, tandem.ByRemote, nil)
		case <-ctx.Done():
			s.calling.Go(func() { s.guard(c.ID, func() { s.abandon(tx, req, heard) }) })
			return nil, failed(tandem.ReasonCancelled, tandem.BySystem, context.Cause(ctx))
		}
	}
}

// connectTime bounds finding the next hop and, over TCP, reaching it.
const connectTime = 5 * time.Second

// errNoSocket: only TCP is listened on.
var errNoSocket = errors.New("no UDP address is listened on to send from")

// homeless: over UDP, and no socket of ours to leave by. sipgo would open one.
func homeless(req *gosip.Request) bool {
	return req.Transport() == "UDP" && req.Laddr.IP == nil
}

// begin sends a request in a transaction of its own.
func (s *Server) begin(ctx context.Context, req *gosip.Request) (*gosip.ClientTx, error) {
	ctx, stop := context.WithTimeout(ctx, connectTime)
	defer stop()
	s.wire.RLock()
	defer s.wire.RUnlock()
	if s.shut {
		return nil, ErrClosed
	}
	if homeless(req) {
		return nil, errNoSocket
	}
	return s.agentUA.TransactionLayer().Request(ctx, req)
}

// repeatAcks acknowledges each repeated 200, and ends forks that answer too.
func (s *Server) repeatAcks(tx *gosip.ClientTx, c *Call) {
	tx.OnRetransmission(func(res *gosip.Response) {
		go s.guard(c.ID, func() { s.acceptStray(res) }) // the transaction's lock is held here
	})
}

// guard runs f and keeps a panic in it from going further.
func (s *Server) guard(callID string, f func()) {
	defer func() {
		if p := recover(); p != nil {
			s.panicked(p, callID)
		}
	}()
	f()
}

// abandon cancels an INVITE once that is allowed (RFC 3261 section 9.1) and hangs
// up on a 200 that comes all the same.
func (s *Server) abandon(tx *gosip.ClientTx, req *gosip.Request, heard bool) {
	defer tx.Terminate()
	if heard {
		s.sendCancel(req)
	}
	limit := time.NewTimer(abandonWait)
	defer limit.Stop()
	for {
		select {
		case res := <-tx.Responses():
			switch {
			case res.IsProvisional() && !heard:
				heard = true
				s.sendCancel(req)
			case res.IsSuccess():
				s.acceptStray(res)
				return
			case !res.IsProvisional():
				<-tx.Done() // sipgo repeats its ACK until timer D
				return
			}
		case <-tx.Done():
			return
		case <-limit.C:
			return
		}
	}
}

func (s *Server) sendCancel(invite *gosip.Request) {
	req := gosip.NewRequest(gosip.CANCEL, *invite.Recipient.Clone())
	req.AppendHeader(invite.Via().Clone())
	gosip.CopyHeaders("Route", invite, req)
	for _, name := range [...]string{"From", "To", "Call-ID", "Max-Forwards"} {
		gosip.CopyHeaders(name, invite, req)
	}
	req.AppendHeader(&gosip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: gosip.CANCEL})
	req.SetTransport(invite.Transport())
	req.SetDestination(invite.Destination())
	req.Laddr = invite.Laddr
	req.SetBody(nil)
	ctx, stop := context.WithTimeout(context.Background(), byeWait)
	defer stop()
	if _, err := s.roundTrip(ctx, req); err != nil {
		s.log.Debug("CANCEL not answered", "call", callIDOf(invite), "error", err)
	}
}

// establish makes the dialog of a 2xx (RFC 3261 section 12.1.2) and acknowledges it.
func (s *Server) establish(ctx context.Context, c *Call, res *gosip.Response, m Media) (*Call, error) {
	d := c.dialog
	d.remoteTag, _ = res.To().Params.Get("tag")
	d.mu.Lock()
	d.remote.Params.Add("tag", d.remoteTag)
	if contact := contactOf(res); contact != nil {
		d.target = *contact
	}
	d.routes = routesOf(res)
	d.mu.Unlock()
	s.mu.Lock()
	s.calls[d.key()] = c
	s.metrics.calls.Set(float64(len(s.calls)))
	s.mu.Unlock()
	err := m.Accept(res.Body()) // before the other side can open an exchange of its own
	c.advance(stateConfirmed)
	s.ack(c, res)
	if err != nil {
		c.Hangup(ctx, tandem.Terminate(tandem.BySystem, tandem.ReasonNoMedia))
		return nil, failed(tandem.ReasonNoMedia, tandem.BySystem, err)
	}
	return c, nil
}

// routesOf is the route set a response gives its caller: Record-Route turned round.
func routesOf(res *gosip.Response) []gosip.Uri {
	var routes []gosip.Uri
	for _, h := range res.GetHeaders("Record-Route") {
		if rr, ok := h.(*gosip.RecordRouteHeader); ok {
			routes = append([]gosip.Uri{*rr.Address.Clone()}, routes...)
		}
	}
	return routes
}

// ack acknowledges a 2xx, with the credentials of its INVITE (RFC 3261 section 22.1).
func (s *Server) ack(c *Call, res *gosip.Response) {
	ack := c.dialog.build(gosip.ACK, res.CSeq().SeqNo)
	if ours := c.ourInvite(); ours != nil {
		gosip.CopyHeaders("Authorization", ours, ack)
		gosip.CopyHeaders("Proxy-Authorization", ours, ack)
	}
	s.wire.RLock()
	defer s.wire.RUnlock()
	if s.shut || homeless(ack) {
		return
	}
	if err := s.agentUA.TransportLayer().WriteMsg(ack); err != nil {
		s.log.Debug("ACK not sent", "call", c.ID, "error", err)
	}
}

// acceptStray deals with a 2xx nobody waits for: of a call that is up it is a
// repetition, acknowledged again; else a fork or one that came after our CANCEL:
// acknowledged and hung up (RFC 3261 section 13.2.2.4).
func (s *Server) acceptStray(res *gosip.Response) {
	cseq, from, to := res.CSeq(), res.From(), res.To()
	if cseq == nil || from == nil || to == nil || cseq.MethodName != gosip.INVITE || !res.IsSuccess() {
		return
	}
	local, _ := from.Params.Get("tag")
	remote, _ := to.Params.Get("tag")
	s.mu.Lock()
	c := s.calls[key{callIDOf(res), local, remote}]
	s.mu.Unlock()
	if c != nil {
		s.ack(c, res)
		return
	}
	contact := contactOf(res)
	if contact == nil || !s.dialledLately(callIDOf(res)+local) {
		return // not of an INVITE of ours: answering would make us a reflector
	}
	source, _ := netip.ParseAddrPort(res.Source())
	d := &dialog{
		server: s, callID: callIDOf(res), localTag: local, remoteTag: remote,
		transport: strings.ToLower(res.Transport()), near: source.Addr().Unmap(),
		local: *from, remote: *to, target: *contact, routes: routesOf(res), localSeq: cseq.SeqNo,
	}
	lost := &Call{ID: d.callID, server: s, dialog: d, done: make(chan struct{})}
	s.ack(lost, res)
	lost.sendBye(context.Background(), tandem.Terminate(tandem.BySystem, tandem.ReasonCancelled))
}

// noteDial remembers a call out for as long as answers to it may come.
func (s *Server) noteDial(c *Call) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	for k, at := range s.dialled {
		if now.Sub(at) > 2*abandonWait {
			delete(s.dialled, k)
		}
	}
	s.dialled[c.ID+c.dialog.localTag] = now
}

func (s *Server) dialledLately(k string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.dialled[k]
	return ok
}

func (c *Call) setOurs(req *gosip.Request) {
	c.mu.Lock()
	c.ours = req
	c.mu.Unlock()
}

func (c *Call) ourInvite() *gosip.Request {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.ours
}

// roundTrip sends a request that is not INVITE and waits for its final answer.
func (s *Server) roundTrip(ctx context.Context, req *gosip.Request) (*gosip.Response, error) {
	tx, err := s.begin(ctx, req)
	if err != nil {
		return nil, fmt.Errorf("sending %s: %w", req.Method, err)
	}
	defer tx.Terminate()
	for {
		select {
		case res := <-tx.Responses():
			if !res.IsProvisional() {
				return res, nil
			}
		case <-tx.Done():
			return nil, fmt.Errorf("waiting for the answer to %s: %w", req.Method, tx.Err())
		case <-ctx.Done():
			return nil, fmt.Errorf("waiting for the answer to %s: %w", req.Method, ctx.Err())
		}
	}
}

// inviteTrip sends a re-INVITE, waits for its final answer and acknowledges a 2xx.
func (s *Server) inviteTrip(ctx context.Context, c *Call, req *gosip.Request) (*gosip.Response, error) {
	if !c.reachable() {
		return nil, errors.New("the caller's connection is gone")
	}
	c.setOurs(req)
	tx, err := s.begin(ctx, req)
	if err != nil {
		return nil, err
	}
	for {
		select {
		case res := <-tx.Responses():
			if res.IsProvisional() {
				continue
			}
			if res.IsSuccess() {
				c.dialog.retarget(res)
				s.repeatAcks(tx, c)
				s.ack(c, res)
			}
			return res, nil
		case <-tx.Done():
			return nil, tx.Err()
		case <-c.done:
			tx.Terminate()
			return nil, ErrEnded
		case <-ctx.Done():
			tx.Terminate() // a late 200 is a stray of a known call and acknowledged
			return nil, context.Cause(ctx)
		}
	}
}
