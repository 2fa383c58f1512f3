package gate

import (
	"bytes"
	"strconv"
	"strings"
)

// head is a message's start line and header fields, unfolded.
type head struct {
	raw      []byte
	body     int // offset of the body
	length   int // of the body, once checked
	response bool
	status   int

	line      string // start line
	lineFault bool   // a request line of the wrong form
	method    string
	uri       string
	version   string

	fields   []field
	via      via // the first, once checked
	toTagged bool
	odd      bool // folded, or spaced in a way the library does not read
}

// field is one header field.
type field struct {
	name  string // long form, lower case
	value string // unfolded and trimmed
}

// compact are the short forms of RFC 3261 section 7.3.3 and of later RFCs.
var compact = map[string]string{
	"c": "content-type", "e": "content-encoding", "f": "from", "i": "call-id", "k": "supported", "l": "content-length",
	"m": "contact", "s": "subject", "t": "to", "v": "via", "r": "refer-to", "b": "referred-by",
}

// canonical is how a header name is written.
func canonical(lower string) string {
	switch lower {
	case "call-id":
		return "Call-ID"
	case "cseq":
		return "CSeq"
	}
	b := []byte(lower)
	for i := range b {
		if (i == 0 || b[i-1] == '-') && b[i] >= 'a' && b[i] <= 'z' {
			b[i] -= 'a' - 'A'
		}
	}
	return string(b)
}

// scan splits a message. A nil head: no SIP at all. With a fault the head holds
// what was read before it.
func scan(raw []byte, l Limits) (*head, *fault) {
	rest := raw
	for len(rest) >= 2 && rest[0] == '\r' && rest[1] == '\n' { // RFC 3261 section 7.5
		rest = rest[2:]
	}
	first, rest, ok := bytes.Cut(rest, []byte("\r\n"))
	if !ok || len(first) == 0 {
		return nil, nil
	}
	h := &head{raw: raw, line: string(first)}
	if !h.startLine() {
		return nil, nil
	}
	if len(rest) != len(raw)-len(first)-2 {
		h.odd = true // line ends before the start line
	}
	var found *fault
	keep := func(f *fault) {
		if found == nil {
			found = f
		}
	}
	for {
		line, tail, ok := bytes.Cut(rest, []byte("\r\n"))
		if !ok {
			h.body = len(raw)
			keep(bad(ReasonHeaderLine, "Headers Do Not End"))
			break
		}
		rest = tail
		if len(line) == 0 {
			h.body = len(raw) - len(rest)
			break
		}
		keep(h.field(line, l))
	}
	return h, found
}

// field takes one line of the header section.
func (h *head) field(line []byte, l Limits) *fault {
	if line[0] == ' ' || line[0] == '\t' {
		if len(h.fields) == 0 {
			return bad(ReasonHeaderLine, "Folded Start Line")
		}
		h.odd = true
		last := &h.fields[len(h.fields)-1]
		more := strings.Trim(string(line), " \t")
		if len(last.value)+len(more) >= l.HeaderLine {
			return bad(ReasonHeaderLine, "Header Too Long")
		}
		if strings.ContainsAny(more, lineBreaks) {
			return bad(ReasonHeaderLine, "Malformed Header")
		}
		if last.value != "" && more != "" {
			last.value += " "
		}
		last.value += more
		return nil
	}
	if len(line) > l.HeaderLine {
		return bad(ReasonHeaderLine, "Header Too Long")
	}
	if len(h.fields) == l.Headers {
		return bad(ReasonHeaders, "Too Many Headers")
	}
	name, value, ok := strings.Cut(string(line), ":")
	trimmed := strings.TrimRight(name, " \t")
	if trimmed != name {
		h.odd = true
	}
	if !ok || !isToken(trimmed) || strings.ContainsAny(value, lineBreaks) {
		return bad(ReasonHeaderLine, "Malformed Header")
	}
	lower := strings.ToLower(trimmed)
	if long, ok := compact[lower]; ok {
		lower = long
	}
	h.fields = append(h.fields, field{lower, strings.Trim(value, " \t")})
	if structured(lower) && spaced(value) {
		h.odd = true
	}
	return nil
}

// lineBreaks are read as the end of a line by some, and never belong into one.
const lineBreaks = "\r\n\x00"

// structured are the headers the library looks into on every message.
func structured(name string) bool {
	switch name {
	case "via", "from", "to", "cseq", "contact":
		return true
	}
	return false
}

// spaced: white space the library may not expect.
func spaced(value string) bool {
	for i := 1; i+1 < len(value); i++ {
		if value[i] != ' ' && value[i] != '\t' {
			continue
		}
		if value[i] == '\t' || value[i+1] == ' ' || strings.IndexByte("/;=,", value[i+1]) >= 0 || strings.IndexByte("/;=,", value[i-1]) >= 0 {
			return true
		}
	}
	return false
}

// startLine reads the first line; false when it is no SIP.
func (h *head) startLine() bool {
	if len(h.line) >= 8 && strings.EqualFold(h.line[:4], "SIP/") {
		h.response = true
		version, rest, _ := strings.Cut(h.line, " ")
		code, _, _ := strings.Cut(rest, " ")
		n, ok := number(code, 699)
		if !strings.EqualFold(version, "SIP/2.0") || len(code) != 3 || !ok || n < 100 {
			return false
		}
		h.version, h.status = version, int(n)
		if !strings.Contains(rest, " ") {
			h.line += " " // RFC 4475 section 3.1.1.13: the space without a phrase
			h.odd = true
		}
		return true
	}
	at := len(h.line) - len(" SIP/")
	for at >= 0 && !strings.EqualFold(h.line[at:at+len(" SIP/")], " SIP/") {
		at--
	}
	if at < 0 {
		return false
	}
	parts := strings.Split(h.line, " ")
	h.method = parts[0]
	if len(parts) != 3 || parts[1] == "" {
		h.lineFault = true // RFC 3261 section 7.1: single spaces, none elsewhere
		h.uri, h.version = "", strings.TrimSpace(h.line[at:])
		return h.method != ""
	}
	h.uri, h.version = parts[1], parts[2]
	return true
}

func (h *head) count(name string) int {
	n := 0
	for i := range h.fields {
		if h.fields[i].name == name {
			n++
		}
	}
	return n
}

// value is the first field's of that name, empty if there is none.
func (h *head) value(name string) string {
	for i := range h.fields {
		if h.fields[i].name == name {
			return h.fields[i].value
		}
	}
	return ""
}

// plain writes the message anew: no folding, long names, single spaces where the
// library expects them.
func (h *head) plain(raw []byte) []byte {
	b := make([]byte, 0, len(raw)+64)
	b = append(b, h.line...)
	b = append(b, "\r\n"...)
	for _, f := range h.fields {
		b = append(b, canonical(f.name)...)
		b = append(b, ": "...)
		switch f.name {
		case "via":
			n := 0
			for v := range splitCommas(f.value) {
				if p, ok := parseVia(v); ok {
					if n++; n > 1 {
						b = append(b, ", "...)
					}
					b = append(b, p.String()...)
				}
			}
		case "from", "to":
			if a, ok := parseAddress(f.value); ok {
				b = append(b, a.String()...)
			}
		case "cseq":
			n, method, _ := strings.Cut(f.value, " ")
			v, _ := number(n, 1<<32)
			b = strconv.AppendUint(b, v, 10)
			b = append(b, ' ')
			b = append(b, strings.TrimSpace(method)...)
		default:
			b = append(b, f.value...)
		}
		b = append(b, "\r\n"...)
	}
	b = append(b, "\r\n"...)
	return append(b, raw[h.body:h.body+h.length]...)
}

// number reads plain decimal digits up to most.
func number(s string, most uint64) (uint64, bool) {
	if s == "" || len(s) > 20 {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil && n <= most
}

// isToken is RFC 3261's token.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		alnum := c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !alnum && !strings.ContainsRune("-.!%*_+`'~", rune(c)) {
			return false
		}
	}
	return s != ""
}

func isScheme(s string) bool {
	for i := range len(s) {
		c := s[i] | 0x20
		if c >= 'a' && c <= 'z' {
			continue
		}
		if i == 0 || (s[i] < '0' || s[i] > '9') && !strings.ContainsRune("+-.", rune(s[i])) {
			return false
		}
	}
	return s != ""
}
