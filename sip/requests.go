package sip

import (
	"errors"
	"net"
	"strconv"
	"strings"
	"time"

	gosip "github.com/emiago/sipgo/sip"

	"tandem"
)

const (
	allow      = "INVITE, ACK, BYE, CANCEL, OPTIONS, INFO"
	acceptBody = "application/sdp"
)

// basics checks what every request must pass (RFC 3261 section 8.2), and answers
// those that do not. Max-Forwards is not among it: here a request has arrived.
func (s *Server) basics(req *gosip.Request, tx gosip.ServerTransaction) bool {
	if req.Recipient.Scheme != "sip" && req.Recipient.Scheme != "sips" {
		s.refuse(req, tx, Refusal{Code: 416})
		return false
	}
	var unknown []string
	for _, name := range [...]string{"Require", "Proxy-Require"} {
		for _, h := range req.GetHeaders(name) {
			unknown = append(unknown, h.Value())
		}
	}
	if len(unknown) > 0 { // no extension is supported that a request could require
		res := s.response(req, 420, "")
		res.AppendHeader(gosip.NewHeader("Unsupported", strings.Join(unknown, ", ")))
		s.send(res, tx)
		return false
	}
	return true
}

// acceptableBody: an INVITE carries SDP or nothing, and takes SDP in return.
func (s *Server) acceptableBody(req *gosip.Request, tx gosip.ServerTransaction) bool {
	if len(req.Body()) > 0 {
		t := req.ContentType()
		if t == nil || mediaType(t.Value()) != acceptBody || !plain(req) {
			res := s.response(req, 415, "")
			res.AppendHeader(gosip.NewHeader("Accept", acceptBody))
			s.send(res, tx)
			return false
		}
	}
	if !takes(req, "application", "sdp") {
		s.refuse(req, tx, Refusal{Code: 406})
		return false
	}
	return true
}

func mediaType(v string) string {
	t, _, _ := strings.Cut(v, ";")
	return strings.ToLower(strings.TrimSpace(t))
}

// plain: no content encoding but identity.
func plain(req *gosip.Request) bool {
	h := req.GetHeader("Content-Encoding")
	if h == nil {
		h = req.GetHeader("e")
	}
	return h == nil || strings.EqualFold(strings.TrimSpace(h.Value()), "identity")
}

// takes reads Accept; none means SDP is welcome (RFC 3261 section 20.1).
func takes(req *gosip.Request, kind, subtype string) bool {
	headers := req.GetHeaders("Accept")
	if len(headers) == 0 {
		return true
	}
	for _, h := range headers {
		for v := range strings.SplitSeq(h.Value(), ",") {
			switch mediaType(v) {
			case "*/*", kind + "/*", kind + "/" + subtype:
				return true
			}
		}
	}
	return false
}

func toTag(req *gosip.Request) string {
	tag, _ := req.To().Params.Get("tag")
	return tag
}

func callIDOf(m gosip.Message) string {
	if h := m.CallID(); h != nil {
		return h.Value()
	}
	return ""
}

// find is the call a request belongs to.
func (s *Server) find(req *gosip.Request) *Call {
	fromTag, _ := req.From().Params.Get("tag")
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[key{callIDOf(req), toTag(req), fromTag}]
}

// inDialog hands a request to its call: 481 if there is none, 500 if it is out of
// order (RFC 3261 section 12.2.2).
func (s *Server) inDialog(req *gosip.Request, tx gosip.ServerTransaction, h func(*Call, *gosip.Request, gosip.ServerTransaction)) {
	c := s.find(req)
	if c == nil {
		s.refuse(req, tx, Refusal{Code: 481})
		return
	}
	if !c.dialog.accept(req) {
		s.refuse(req, tx, Refusal{Code: 500, Reason: "CSeq Out Of Order"})
		return
	}
	h(c, req, tx)
}

func (s *Server) onAck(req *gosip.Request, _ gosip.ServerTransaction) {
	c := s.find(req)
	if c == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock() // held while it is handed over, so that it is not taken for a later one
	if c.pendingSeq == 0 || c.pendingSeq != req.CSeq().SeqNo {
		return
	}
	c.pendingSeq = 0
	select {
	case c.acks <- req:
	default: // cannot be: one INVITE is open at a time
	}
}

func (s *Server) onBye(req *gosip.Request, tx gosip.ServerTransaction) {
	if !s.basics(req, tx) {
		return
	}
	s.inDialog(req, tx, func(c *Call, req *gosip.Request, tx gosip.ServerTransaction) {
		s.answer(req, tx, 200, "")
		c.mu.Lock()
		c.saidBye = true // no goodbye to one who has said it
		c.mu.Unlock()
		before := c.endAs(func(state) tandem.Termination { return tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup) })
		if before < stateAnswered && c.Inbound {
			_ = c.respond(c.tagged(487)) // RFC 3261 section 15.1.2: BYE on an early dialog
		}
		if !c.Inbound {
			s.forget(c)
		}
	})
}

// onCancel sees only a CANCEL whose INVITE is not known: sipgo answers the others.
func (s *Server) onCancel(req *gosip.Request, tx gosip.ServerTransaction) {
	s.refuse(req, tx, Refusal{Code: 481})
}

func (s *Server) onOptions(req *gosip.Request, tx gosip.ServerTransaction) {
	if !s.basics(req, tx) {
		return
	}
	if !takes(req, "application", "sdp") {
		s.refuse(req, tx, Refusal{Code: 406})
		return
	}
	if toTag(req) != "" {
		s.inDialog(req, tx, func(_ *Call, req *gosip.Request, tx gosip.ServerTransaction) { s.capabilities(req, tx) })
		return
	}
	s.mu.Lock()
	full := s.draining || (s.cfg.Limits.Calls > 0 && len(s.calls) >= s.cfg.Limits.Calls)
	s.mu.Unlock()
	if full {
		s.refuse(req, tx, Refusal{Code: 503, RetryAfter: s.cfg.Limits.RetryAfter})
		return
	}
	s.capabilities(req, tx)
}

func (s *Server) capabilities(req *gosip.Request, tx gosip.ServerTransaction) {
	res := s.response(req, 200, "")
	res.AppendHeader(gosip.NewHeader("Allow", allow))
	res.AppendHeader(gosip.NewHeader("Accept", acceptBody))
	res.AppendHeader(gosip.NewHeader("Accept-Encoding", "identity"))
	res.AppendHeader(gosip.NewHeader("Accept-Language", "en, zh"))
	res.AppendHeader(gosip.NewHeader("Supported", ""))
	s.send(res, tx)
}

// onInfo takes keys (application/dtmf-relay, application/dtmf). An empty INFO is a
// keep-alive; a package we do not know gets 469 (RFC 6086 section 4.2.2).
func (s *Server) onInfo(req *gosip.Request, tx gosip.ServerTransaction) {
	if !s.basics(req, tx) {
		return
	}
	s.inDialog(req, tx, func(c *Call, req *gosip.Request, tx gosip.ServerTransaction) {
		if req.GetHeader("Info-Package") != nil {
			res := s.response(req, 469, "Bad Info Package")
			res.AppendHeader(gosip.NewHeader("Recv-Info", ""))
			s.send(res, tx)
			return
		}
		if len(req.Body()) == 0 {
			s.answer(req, tx, 200, "")
			return
		}
		kind := ""
		if t := req.ContentType(); t != nil {
			kind = mediaType(t.Value())
		}
		if kind != "application/dtmf-relay" && kind != "application/dtmf" {
			res := s.response(req, 415, "")
			res.AppendHeader(gosip.NewHeader("Accept", "application/dtmf-relay, application/dtmf"))
			s.send(res, tx)
			return
		}
		digit, ok := infoDigit(kind, req.Body())
		switch {
		case !ok:
			s.answer(req, tx, 400, "Not a Key")
		case !c.emit(Key{Digit: digit, Via: "info"}):
			s.refuse(req, tx, Refusal{Code: 503, RetryAfter: time.Second})
		default:
			s.answer(req, tx, 200, "")
		}
	})
}

// infoDigit reads "Signal=5\r\nDuration=160" or, for application/dtmf, a bare key.
func infoDigit(kind string, body []byte) (byte, bool) {
	const most = 256 // bytes such a body ever needs
	if len(body) > most {
		return 0, false
	}
	value := ""
	for line := range strings.Lines(string(body)) {
		name, v, found := strings.Cut(line, "=")
		switch {
		case found && strings.EqualFold(strings.TrimSpace(name), "signal"):
			value = strings.TrimSpace(v)
		case !found && kind == "application/dtmf" && value == "":
			value = strings.TrimSpace(line)
		}
	}
	switch value {
	case "10":
		value = "*"
	case "11":
		value = "#"
	}
	if len(value) != 1 {
		return 0, false
	}
	d := value[0]
	switch {
	case d >= '0' && d <= '9', d == '*', d == '#', d >= 'A' && d <= 'D':
		return d, true
	case d >= 'a' && d <= 'd':
		return d - 'a' + 'A', true
	}
	return 0, false
}

// onOther refuses what is off: MESSAGE, SUBSCRIBE, NOTIFY, PUBLISH, REFER, UPDATE,
// PRACK, REGISTER and methods nobody knows.
func (s *Server) onOther(req *gosip.Request, tx gosip.ServerTransaction) {
	if !s.basics(req, tx) {
		return
	}
	res := s.response(req, 405, "")
	res.AppendHeader(gosip.NewHeader("Allow", allow))
	s.send(res, tx)
}

// onStrayResponse: a response no transaction waits for, such as one that came late.
func (s *Server) onStrayResponse(res *gosip.Response) {
	s.metrics.dropped.WithLabelValues("stray_response").Inc()
	s.guard(callIDOf(res), func() { s.acceptStray(res) })
}

// response builds an answer with our Server header and, if the Via names another
// address than the packet came from, received (RFC 3261 section 18.2.1).
func (s *Server) response(req *gosip.Request, code int, reason string) *gosip.Response {
	if reason == "" {
		reason = phrase(code)
	}
	res := gosip.NewResponseFromRequest(req, code, reason, nil)
	if via := res.Via(); via != nil && !via.Params.Has("received") {
		if host, _, err := net.SplitHostPort(req.Source()); err == nil && host != strings.Trim(via.Host, "[]") {
			via.Params.Add("received", host)
		}
	}
	res.AppendHeader(gosip.NewHeader("Server", s.agent))
	return res
}

func (s *Server) send(res *gosip.Response, tx gosip.ServerTransaction) {
	s.metrics.answer(res.StatusCode)
	if err := tx.Respond(res); err != nil && !errors.Is(err, gosip.ErrTransactionCanceled) {
		s.log.Debug("answer not sent", "code", res.StatusCode, "error", err)
	}
}

func (s *Server) answer(req *gosip.Request, tx gosip.ServerTransaction, code int, reason string) {
	if req.IsAck() {
		return
	}
	s.send(s.response(req, code, reason), tx)
}

// refuse sends a Refusal.
func (s *Server) refuse(req *gosip.Request, tx gosip.ServerTransaction, r Refusal) {
	res := s.response(req, r.Code, r.Reason)
	if r.RetryAfter > 0 {
		res.AppendHeader(gosip.NewHeader("Retry-After", seconds(r.RetryAfter)))
	}
	s.send(res, tx)
}

func seconds(d time.Duration) string {
	return strconv.Itoa(max(1, int(d.Round(time.Second)/time.Second)))
}
