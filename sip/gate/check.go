package gate

import (
	"bytes"
	"strings"
	"time"
)

// Reason says why a message did not pass: a closed list, fit for a metric label.
type Reason string

const (
	ReasonNoSIP       Reason = "not_sip"        // no SIP start line
	ReasonVersion     Reason = "version"        // 505
	ReasonRequestLine Reason = "request_line"   // its form
	ReasonScheme      Reason = "scheme"         // 416
	ReasonTooLarge    Reason = "too_large"      // message or body
	ReasonHeaderLine  Reason = "header_line"    // longer than allowed, or not "name: value"
	ReasonHeaders     Reason = "headers"        // too many
	ReasonMissing     Reason = "missing_header" // one that every message needs
	ReasonTwice       Reason = "header_twice"   // one that may be there once
	ReasonLength      Reason = "content_length" // missing on TCP, no number, or a lie
	ReasonVia         Reason = "via"
	ReasonCSeq        Reason = "cseq"
	ReasonAddress     Reason = "address" // From, To, Contact, routes
	ReasonValue       Reason = "value"   // another header's value
	ReasonResponse    Reason = "response"
	ReasonRate        Reason = "rate"        // 503
	ReasonFlood       Reason = "flood"       // over UDP, from all sources together
	ReasonConnections Reason = "connections" // too many from one source
	ReasonFault       Reason = "fault"       // ours: judging it panicked
	ReasonSlow        Reason = "slow"        // a connection that dripped or slept
)

// Verdict is what Check makes of a message.
type Verdict struct {
	Reason Reason // empty: it passes
	Code   int    // answer to give; 0 = none
	Detail string // for the reason phrase: our words only

	message    []byte // what the library gets
	head       *head
	invite     bool // a call that is not up yet
	retryAfter time.Duration
}

// Check judges one message, raw from a socket. It is pure. On a datagram the body
// may be longer than Content-Length says (RFC 3261 section 18.3); the rest is cut off.
func Check(raw []byte, stream bool, l Limits) Verdict {
	l = l.withDefaults()
	if len(raw) > l.Message {
		return refusal(nil, ReasonTooLarge, 0, "")
	}
	h, fault := scan(raw, l)
	if h == nil {
		return refusal(nil, ReasonNoSIP, 0, "")
	}
	if fault == nil {
		fault = h.check(stream, l)
	}
	if fault != nil {
		return refusal(h, fault.reason, fault.code, fault.detail)
	}
	message := raw[:h.body+h.length]
	if h.odd {
		message = h.plain(raw)
	}
	return Verdict{message: message, head: h, invite: h.method == "INVITE" && !h.toTagged}
}

// counted reports whether a message that passes is one of the source's requests. An
// ACK is not: it has no answer that could turn it away, and nothing remembers it.
func (v *Verdict) counted() bool { return !v.head.response && v.head.method != "ACK" }

// fault is one thing wrong with a message.
type fault struct {
	reason Reason
	code   int
	detail string
}

func bad(r Reason, detail string) *fault { return &fault{r, 400, detail} }

// refusal keeps the rule of who is answered: requests but ACK whose Via can be
// read and who carry From, To, Call-ID and CSeq. A request that lacks some of the
// last four is answered too if its CSeq can be read: the sender cannot match
// anything less (RFC 4475 section 3.3.1 asks for it).
func refusal(h *head, r Reason, code int, detail string) Verdict {
	v := Verdict{Reason: r, Code: code, Detail: detail, head: h}
	if h == nil || h.response || h.method == "ACK" || !h.answerable() {
		v.Code = 0
	}
	return v
}

// single are the headers that may be there once only.
var single = [...]string{"from", "to", "call-id", "cseq", "max-forwards", "content-type", "content-length", "date", "expires"}

func (h *head) check(stream bool, l Limits) *fault {
	if !h.response {
		if f := h.checkRequestLine(); f != nil {
			return f
		}
	}
	for _, name := range single {
		if h.count(name) > 1 {
			return bad(ReasonTwice, "More Than One "+canonical(name))
		}
	}
	for _, name := range [...]string{"via", "from", "to", "call-id", "cseq"} {
		if h.count(name) == 0 {
			return bad(ReasonMissing, "Missing "+canonical(name))
		}
	}
	if f := h.checkLength(stream, l); f != nil {
		return f
	}
	if f := h.checkVia(l); f != nil {
		return f
	}
	if f := h.checkCSeq(); f != nil {
		return f
	}
	if id := h.value("call-id"); id == "" || strings.ContainsAny(id, " \t,;") {
		return bad(ReasonValue, "Bad Call-ID")
	}
	if f := h.checkAddresses(); f != nil {
		return f
	}
	return h.checkValues()
}

func (h *head) checkRequestLine() *fault {
	if h.lineFault {
		return bad(ReasonRequestLine, "Malformed Request-Line")
	}
	if !strings.EqualFold(h.version, "SIP/2.0") {
		return &fault{ReasonVersion, 505, "Version Not Supported"}
	}
	if !isToken(h.method) {
		return bad(ReasonRequestLine, "Malformed Method")
	}
	scheme, rest, ok := strings.Cut(h.uri, ":")
	if !ok || !isScheme(scheme) || rest == "" {
		return bad(ReasonRequestLine, "Malformed Request-URI")
	}
	if !strings.EqualFold(scheme, "sip") && !strings.EqualFold(scheme, "sips") {
		return &fault{ReasonScheme, 416, "Unsupported URI Scheme"}
	}
	if !validSIPURI(h.uri, false) {
		return bad(ReasonRequestLine, "Malformed Request-URI")
	}
	return nil
}

func (h *head) checkLength(stream bool, l Limits) *fault {
	present := len(h.raw) - h.body
	if h.count("content-length") == 0 {
		if stream {
			return bad(ReasonLength, "Missing Content-Length")
		}
		h.length = present
	} else {
		n, ok := number(h.value("content-length"), uint64(l.Message))
		if !ok {
			return bad(ReasonLength, "Bad Content-Length")
		}
		if int(n) > present {
			return bad(ReasonLength, "Content-Length Beyond The Message")
		}
		h.length = int(n)
	}
	if h.length > l.Body {
		return &fault{ReasonTooLarge, 413, "Request Entity Too Large"}
	}
	return nil
}

func (h *head) checkVia(l Limits) *fault {
	vias := 0
	for i := range h.fields {
		if h.fields[i].name != "via" {
			continue
		}
		for v := range splitCommas(h.fields[i].value) {
			if vias++; vias > l.Vias {
				return bad(ReasonVia, "Too Many Via")
			}
			parsed, ok := parseVia(v)
			if !ok {
				return bad(ReasonVia, "Malformed Via")
			}
			if vias == 1 {
				h.via = parsed
			} else if h.response {
				return bad(ReasonResponse, "Not Our Response")
			}
		}
	}
	return nil
}

func (h *head) checkCSeq() *fault {
	n, method, _ := strings.Cut(strings.TrimSpace(h.value("cseq")), " ")
	method = strings.TrimSpace(method)
	const most = 1<<31 - 1 // RFC 3261 section 8.1.1.5
	if _, ok := number(n, most); !ok || !isToken(method) {
		return bad(ReasonCSeq, "Bad CSeq")
	}
	if !h.response && method != h.method {
		return bad(ReasonCSeq, "CSeq Method Mismatch")
	}
	return nil
}

func (h *head) checkAddresses() *fault {
	for i := range h.fields {
		f := &h.fields[i]
		switch f.name {
		case "from", "to":
			a, ok := parseAddress(f.value)
			if !ok || (f.name == "from" && a.tag == "") {
				return bad(ReasonAddress, "Malformed "+canonical(f.name))
			}
			if f.name == "to" {
				h.toTagged = a.tag != ""
			}
		case "contact", "route", "record-route", "refer-to", "referred-by":
			if strings.TrimSpace(f.value) == "*" && f.name == "contact" && h.method == "REGISTER" {
				continue
			}
			for v := range splitCommas(f.value) {
				if _, ok := parseAddress(v); !ok {
					return bad(ReasonAddress, "Malformed "+canonical(f.name))
				}
			}
		}
	}
	return nil
}

func (h *head) checkValues() *fault {
	if h.count("max-forwards") > 0 {
		if _, ok := number(h.value("max-forwards"), 255); !ok {
			return bad(ReasonValue, "Bad Max-Forwards")
		}
	}
	if v := h.value("date"); v != "" {
		if _, err := time.Parse("Mon, 02 Jan 2006 15:04:05 GMT", v); err != nil {
			return bad(ReasonValue, "Bad Date")
		}
	}
	if h.length > 0 && h.count("content-type") == 0 && !h.response {
		return bad(ReasonMissing, "Missing Content-Type")
	}
	if h.count("content-type") > 0 {
		kind, _, _ := strings.Cut(h.value("content-type"), ";")
		a, b, ok := strings.Cut(kind, "/")
		if !ok || !isToken(strings.TrimSpace(a)) || !isToken(strings.TrimSpace(b)) {
			return bad(ReasonValue, "Bad Content-Type")
		}
	}
	return nil
}

// contentLength reads the one Content-Length of a raw header section, for framing.
// ok is false when there is none, more than one, or it is no plain number.
func contentLength(section []byte) (int, bool) {
	found, ok := 0, false
	for line := range bytes.SplitSeq(section, []byte("\r\n")) {
		name, value, has := bytes.Cut(line, []byte(":"))
		if !has {
			continue
		}
		n := strings.ToLower(string(bytes.TrimSpace(name)))
		if n != "content-length" && n != "l" {
			continue
		}
		v, valid := number(string(bytes.TrimSpace(value)), 1<<20)
		if ok || !valid {
			return 0, false
		}
		found, ok = int(v), true
	}
	return found, ok
}
