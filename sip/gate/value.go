package gate

import (
	"iter"
	"net/netip"
	"strconv"
	"strings"
)

// splitCommas yields the values of a list header: commas in quotes and between
// < and > do not part it.
func splitCommas(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		start, quoted, angle := 0, false, false
		for i := 0; i < len(s); i++ {
			switch c := s[i]; {
			case quoted && c == '\\':
				i++
			case c == '"':
				quoted = !quoted
			case quoted:
			case c == '<':
				angle = true
			case c == '>':
				angle = false
			case c == ',' && !angle:
				if !yield(strings.Trim(s[start:i], " \t")) {
					return
				}
				start = i + 1
			}
		}
		yield(strings.Trim(s[start:], " \t"))
	}
}

// via is one Via value.
type via struct {
	transport string
	host      string // without brackets
	port      uint16 // 0 = none
	params    []param
}

type param struct {
	name, value string
	has         bool // with "="
}

func (v via) param(name string) (string, bool) {
	for _, p := range v.params {
		if strings.EqualFold(p.name, name) {
			return p.value, true
		}
	}
	return "", false
}

// String writes it in the plainest form.
func (v via) String() string {
	var b strings.Builder
	b.WriteString("SIP/2.0/")
	b.WriteString(v.transport)
	b.WriteByte(' ')
	if strings.Contains(v.host, ":") {
		b.WriteString("[" + v.host + "]")
	} else {
		b.WriteString(v.host)
	}
	if v.port != 0 {
		b.WriteString(":" + strconv.Itoa(int(v.port)))
	}
	writeParams(&b, v.params)
	return b.String()
}

func writeParams(b *strings.Builder, params []param) {
	for _, p := range params {
		b.WriteByte(';')
		b.WriteString(p.name)
		if p.has {
			b.WriteByte('=')
			b.WriteString(p.value)
		}
	}
}

// parseVia reads "SIP/2.0/UDP host:port;params" with spaces anywhere RFC 3261
// allows them.
func parseVia(s string) (via, bool) {
	var v via
	protocol, rest, ok1 := strings.Cut(s, "/")
	version, rest, ok2 := strings.Cut(rest, "/")
	rest = strings.TrimLeft(rest, " \t")
	transport, rest, ok3 := cutSpace(rest)
	if !ok1 || !ok2 || !ok3 || !strings.EqualFold(trim(protocol), "SIP") || trim(version) != "2.0" || !isToken(transport) {
		return v, false
	}
	v.transport = transport
	sentBy, params, has := strings.Cut(rest, ";")
	host, port, ok := hostPort(strings.ReplaceAll(trim(sentBy), " ", ""))
	if !ok {
		return v, false
	}
	v.host, v.port = host, port
	if has {
		if v.params, ok = parseParams(params); !ok {
			return v, false
		}
	}
	return v, true
}

func trim(s string) string { return strings.Trim(s, " \t") }

// cutSpace parts s at its first run of spaces.
func cutSpace(s string) (a, b string, ok bool) {
	i := strings.IndexAny(s, " \t")
	if i < 0 {
		return s, "", false
	}
	return s[:i], strings.TrimLeft(s[i:], " \t"), true
}

// hostPort reads a host name, an IPv4 address or a bracketed IPv6 one, and a port.
func hostPort(s string) (host string, port uint16, ok bool) {
	rest := ""
	if strings.HasPrefix(s, "[") {
		end := strings.IndexByte(s, ']')
		if end < 0 {
			return "", 0, false
		}
		host, rest = s[1:end], s[end+1:]
		if a, err := netip.ParseAddr(host); err != nil || !a.Is6() || a.Zone() != "" {
			return "", 0, false
		}
	} else {
		i := strings.IndexByte(s, ':')
		if i < 0 {
			i = len(s)
		}
		host, rest = s[:i], s[i:]
		if !isHost(host) {
			return "", 0, false
		}
	}
	if rest == "" {
		return host, 0, true
	}
	n, valid := number(strings.TrimPrefix(rest, ":"), 65535)
	if !valid || rest[0] != ':' || n == 0 {
		return "", 0, false
	}
	return host, uint16(n), true
}

func isHost(s string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && c != '-' && c != '.' && c != '_' {
			return false
		}
	}
	return s != ""
}

// parseParams reads what follows the first ";". Empty ones are refused.
func parseParams(s string) ([]param, bool) {
	params := make([]param, 0, 4)
	for s != "" || len(params) == 0 {
		end := semicolon(s)
		piece := s[:end]
		if end < len(s) {
			s = s[end+1:]
			if s == "" {
				return nil, false // ends with ";"
			}
		} else {
			s = ""
		}
		name, value, has := strings.Cut(piece, "=")
		name, value = trim(name), trim(value)
		if !isToken(name) || !isParamValue(value) || (has && value == "" && !strings.EqualFold(name, "rport")) {
			return nil, false
		}
		params = append(params, param{name, value, has})
	}
	return params, true
}

// semicolon finds the next ";" outside quotes, or the end.
func semicolon(s string) int {
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == ';' && !quoted:
			return i
		}
	}
	return len(s)
}

// isParamValue: a token, a host, or a quoted string.
func isParamValue(s string) bool {
	if strings.HasPrefix(s, `"`) {
		return quotedEnd(s) == len(s)
	}
	for i := range len(s) {
		if s[i] <= ' ' || s[i] == 0x7f || strings.ContainsRune("<>\",;=", rune(s[i])) {
			return false
		}
	}
	return true
}

// quotedEnd is the offset behind a quoted string at the start of s; -1 if it is open.
func quotedEnd(s string) int {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return -1
}

// address is From, To, Contact or a route.
type address struct {
	display string // as written, with its quotes
	uri     string
	params  []param
	tag     string
}

// String writes it with angle brackets.
func (a address) String() string {
	var b strings.Builder
	if a.display != "" {
		b.WriteString(a.display)
		b.WriteByte(' ')
	}
	b.WriteString("<" + a.uri + ">")
	writeParams(&b, a.params)
	return b.String()
}

// parseAddress reads name-addr or addr-spec and its parameters (RFC 3261 section 20.10).
func parseAddress(s string) (address, bool) {
	var a address
	s = trim(s)
	if strings.HasPrefix(s, `"`) {
		end := quotedEnd(s)
		if end < 0 || !strings.HasPrefix(trim(s[end:]), "<") {
			return a, false
		}
		a.display, s = s[:end], trim(s[end:])
	} else if i := strings.IndexByte(s, '<'); i > 0 {
		a.display, s = trim(s[:i]), s[i:]
		for word := range strings.FieldsSeq(a.display) {
			if !isToken(word) {
				return a, false
			}
		}
	}
	rest := ""
	if strings.HasPrefix(s, "<") {
		end := strings.IndexByte(s, '>')
		if end < 0 {
			return a, false
		}
		a.uri, rest = s[1:end], trim(s[end+1:])
		if rest != "" && rest[0] != ';' {
			return a, false
		}
	} else {
		i := strings.IndexByte(s, ';')
		if i < 0 {
			i = len(s)
		}
		a.uri, rest = trim(s[:i]), s[i:]
		if strings.ContainsAny(a.uri, "?,") { // must be in brackets then
			return a, false
		}
	}
	if !validURI(a.uri) {
		return a, false
	}
	if rest != "" {
		var ok bool
		if a.params, ok = parseParams(rest[1:]); !ok {
			return a, false
		}
	}
	for _, p := range a.params {
		if strings.EqualFold(p.name, "tag") {
			if a.tag != "" || !isToken(p.value) {
				return a, false
			}
			a.tag = p.value
		}
	}
	return a, true
}

// validURI: any scheme; sip and sips are looked into.
func validURI(s string) bool {
	scheme, rest, ok := strings.Cut(s, ":")
	if !ok || !isScheme(scheme) || rest == "" || !printable(s) {
		return false
	}
	if strings.EqualFold(scheme, "sip") || strings.EqualFold(scheme, "sips") {
		return validSIPURI(s, true)
	}
	return true
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] >= 0x7f || s[i] == '<' || s[i] == '>' || s[i] == '"' {
			return false
		}
	}
	return true
}

// validSIPURI checks user, host, port and escapes; headers ("?a=b") only where
// they may be: not in a Request-URI (RFC 3261 section 19.1.1).
func validSIPURI(s string, headers bool) bool {
	_, rest, _ := strings.Cut(s, ":")
	if !printable(rest) || !validEscapes(rest) {
		return false
	}
	if i := strings.LastIndexByte(rest, '@'); i >= 0 {
		if i == 0 || strings.ContainsAny(rest[:i], "@[]") {
			return false
		}
		rest = rest[i+1:]
	}
	rest, _, query := strings.Cut(rest, "?")
	if query && !headers {
		return false
	}
	host, _, _ := strings.Cut(rest, ";")
	_, _, ok := hostPort(host)
	return ok
}

// validEscapes: each % is followed by two hex digits.
func validEscapes(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
			return false
		}
		i += 2
	}
	return true
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}
