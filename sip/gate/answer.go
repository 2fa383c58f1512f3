package gate

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// answerable: the sender can match an answer, that is, the first Via and the CSeq
// can be read.
func (h *head) answerable() bool {
	if h.via.host == "" {
		for v := range splitCommas(h.value("via")) {
			parsed, ok := parseVia(v)
			if !ok { // its parameters may be what is wrong
				v, _, _ = strings.Cut(v, ";")
				if parsed, ok = parseVia(v); !ok {
					return false
				}
			}
			h.via = parsed
			break
		}
	}
	return h.via.host != "" && h.value("cseq") != ""
}

// answer is the reply to a refused request: the headers RFC 3261 section 8.2.6
// says, as they came, and nothing else of the request.
func (v *Verdict) answer(from netip.AddrPort) []byte {
	h := v.head
	b := make([]byte, 0, 512)
	b = append(b, "SIP/2.0 "...)
	b = strconv.AppendInt(b, int64(v.Code), 10)
	b = append(b, ' ')
	b = append(b, v.phrase()...)
	b = append(b, "\r\n"...)
	first := true
	for i := range h.fields {
		f := &h.fields[i]
		switch f.name {
		case "via":
			b = append(b, "Via: "...)
			if first {
				b = h.appendVia(b, f.value, from)
				first = false
			} else {
				b = append(b, f.value...)
			}
		case "from", "call-id", "cseq":
			b = append(b, canonical(f.name)...)
			b = append(b, ": "...)
			b = append(b, f.value...)
		case "to":
			b = append(b, "To: "...)
			b = append(b, f.value...)
			if !h.toTagged && !strings.Contains(strings.ToLower(f.value), "tag") {
				sum := sha256.Sum256([]byte(h.value("call-id") + h.value("cseq")))
				b = append(b, ";tag=g"...) // the same for each copy of the request
				b = append(b, hex.EncodeToString(sum[:6])...)
			}
		default:
			continue
		}
		b = append(b, "\r\n"...)
	}
	if v.retryAfter > 0 {
		b = append(b, "Retry-After: "...)
		b = strconv.AppendInt(b, int64(max(1, v.retryAfter/time.Second)), 10)
		b = append(b, "\r\n"...)
	}
	return append(b, "Content-Length: 0\r\n\r\n"...)
}

func (v *Verdict) phrase() string {
	switch {
	case v.Code == 503:
		return "Service Unavailable"
	case v.Code == 400:
		return "Bad Request: " + v.Detail
	}
	return v.Detail
}

// appendVia writes the first Via field with received and rport filled in
// (RFC 3261 section 18.2.1, RFC 3581 section 4).
func (h *head) appendVia(b []byte, value string, from netip.AddrPort) []byte {
	n := 0
	for v := range splitCommas(value) {
		if n++; n > 1 {
			b = append(b, ", "...)
			b = append(b, v...)
			continue
		}
		p, ok := parseVia(v)
		if !ok {
			p = h.via
		}
		params := make([]param, 0, len(p.params)+2)
		for _, q := range p.params {
			switch {
			case strings.EqualFold(q.name, "received"):
				continue // not the sender's to say
			case strings.EqualFold(q.name, "rport"):
				q.value, q.has = strconv.Itoa(int(from.Port())), true
			}
			params = append(params, q)
		}
		p.params = append(params, param{"received", from.Addr().String(), true})
		b = append(b, p.String()...)
	}
	return b
}

// replyTo is where an answer over UDP goes: always to the address the packet came
// from, at its own port if asked by rport, else at the port of the Via.
func (v *Verdict) replyTo(from netip.AddrPort) netip.AddrPort {
	if _, ok := v.head.via.param("rport"); ok {
		return from
	}
	port := v.head.via.port
	if port == 0 {
		port = 5060
	}
	return netip.AddrPortFrom(from.Addr(), port)
}

// digestOf names a message in the log without showing it.
func digestOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}

// firstLine is the start of a message for the log: at most 200 bytes, line ends and
// other control characters escaped, long numbers masked.
func firstLine(raw []byte) string {
	const most = 200
	line, cut := raw, false
	for i, c := range raw {
		if c == '\n' {
			line = raw[:i+1]
			break
		}
	}
	if len(line) > most {
		line, cut = line[:most], true
	}
	s := strconv.QuoteToASCII(string(masked(line)))
	if cut {
		s += "…"
	}
	return s
}

// masked hides all but the last two of five and more digits in a row.
func masked(line []byte) []byte {
	out := append([]byte(nil), line...)
	for i := 0; i < len(out); {
		end := i
		for end < len(out) && out[end] >= '0' && out[end] <= '9' {
			end++
		}
		for k := i; end-i >= 5 && k < end-2; k++ {
			out[k] = '.'
		}
		i = end + 1
	}
	return out
}
