package sdp

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// ErrTooLarge is the cause when a description is over a bound of this package.
var ErrTooLarge = errors.New("description too large")

// Parse reads a description. Line ends may be CRLF or LF. An error names the
// line; the description is then unusable and the caller answers 400 or 488.
func Parse(body []byte) (*Session, error) {
	if len(body) > MaxBytes {
		return nil, fmt.Errorf("reading SDP of %d bytes: %w", len(body), ErrTooLarge)
	}
	p := parser{s: &Session{Timing: "0 0"}}
	rest := string(body)
	for n := 1; rest != ""; n++ {
		line, tail, _ := strings.Cut(rest, "\n")
		rest = tail
		line = strings.TrimSuffix(line, "\r")
		if line == "" {
			continue
		}
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("reading SDP line %d: %w", n, err)
		}
	}
	if !p.version {
		return nil, errors.New("reading SDP: no v= line")
	}
	p.finish()
	return p.s, nil
}

type parser struct {
	s         *Session
	version   bool
	direction Direction // of the session
	maps      []rtpmap  // a= lines of the current stream
}

type rtpmap struct {
	payload uint8
	name    string
	clock   int
	params  string
}

func (p *parser) media() *Media {
	if len(p.s.Media) == 0 {
		return nil
	}
	return &p.s.Media[len(p.s.Media)-1]
}

func (p *parser) line(line string) error {
	if len(line) < 2 || line[1] != '=' {
		return errors.New("not of the form x=value")
	}
	value := line[2:]
	if strings.ContainsAny(value, "\x00\r") {
		return errors.New("a control character in the value")
	}
	if !p.version && line[0] != 'v' {
		return errors.New("the first line is not v=")
	}
	switch line[0] {
	case 'v':
		if value != "0" {
			return errors.New("version is not 0")
		}
		p.version = true
	case 'o':
		return p.origin(value)
	case 's':
		p.s.Name = value
	case 't':
		if validTiming(value) && len(p.s.Media) == 0 {
			p.s.Timing = value
		}
	case 'c':
		addr, err := connection(value)
		if err != nil {
			return err
		}
		if m := p.media(); m != nil {
			m.Addr = addr
		} else {
			p.s.Addr = addr
		}
	case 'm':
		return p.stream(value)
	case 'a':
		return p.attribute(value)
	}
	return nil
}

func (p *parser) origin(value string) error {
	f := strings.Fields(value)
	if len(f) != 6 {
		return errors.New("o= needs six fields")
	}
	p.s.User, p.s.ID, p.s.Version = f[0], f[1], f[2]
	p.s.Origin, _ = netip.ParseAddr(f[5]) // a name is allowed and of no use here
	return nil
}

func validTiming(v string) bool {
	a, b, ok := strings.Cut(v, " ")
	return ok && digits(a) && digits(b)
}

func digits(s string) bool {
	if s == "" || len(s) > 20 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// connection reads c=; a host name gives an invalid address and no error: nothing
// is resolved here, and a stream with it is not acceptable.
func connection(value string) (netip.Addr, error) {
	f := strings.Fields(value)
	if len(f) != 3 || f[0] != "IN" || (f[1] != "IP4" && f[1] != "IP6") {
		return netip.Addr{}, errors.New("c= is not IN IP4 or IN IP6 and one address")
	}
	host, _, _ := strings.Cut(f[2], "/") // multicast TTL
	addr, err := netip.ParseAddr(host)
	if err != nil || addr.Zone() != "" {
		return netip.Addr{}, nil
	}
	return addr.Unmap(), nil
}

func (p *parser) stream(value string) error {
	p.closeStream()
	if len(p.s.Media) == MaxMedia {
		return fmt.Errorf("more than %d m= lines: %w", MaxMedia, ErrTooLarge)
	}
	f := strings.Fields(value)
	if len(f) < 4 {
		return errors.New("m= needs media, port, protocol and a format")
	}
	if len(f)-3 > MaxCodecs {
		return fmt.Errorf("more than %d formats: %w", MaxCodecs, ErrTooLarge)
	}
	number, _, _ := strings.Cut(f[1], "/")
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		return errors.New("m= port is no port")
	}
	p.s.Media = append(p.s.Media, Media{
		Kind: strings.ToLower(f[0]), Port: uint16(port), Proto: f[2], Formats: f[3:],
		Addr: p.s.Addr, Direction: p.direction,
	})
	return nil
}

func (p *parser) attribute(value string) error {
	name, arg, _ := strings.Cut(value, ":")
	m := p.media()
	switch name {
	case "sendrecv", "sendonly", "recvonly", "inactive":
		for d, n := range directionNames {
			if n != name {
				continue
			}
			if m != nil {
				m.Direction = Direction(d)
			} else {
				p.direction = Direction(d)
			}
		}
	case "rtpmap", "fmtp":
		if m == nil {
			return nil
		}
		return p.mapping(name, arg)
	case "ptime":
		if ms, err := strconv.ParseUint(arg, 10, 16); err == nil && m != nil {
			m.PTime = time.Duration(ms) * time.Millisecond
		}
	case "rtcp":
		if m != nil {
			m.RTCP = rtcp(arg)
		}
	}
	return nil
}

func (p *parser) mapping(name, arg string) error {
	number, rest, ok := strings.Cut(arg, " ")
	payload, err := strconv.ParseUint(number, 10, 8)
	if err != nil || payload > 127 || !ok {
		return nil // formats of other protocols may be anything
	}
	i := -1
	for k := range p.maps {
		if p.maps[k].payload == uint8(payload) {
			i = k
		}
	}
	if i < 0 {
		if len(p.maps) == 2*MaxCodecs {
			return fmt.Errorf("too many formats described: %w", ErrTooLarge)
		}
		p.maps = append(p.maps, rtpmap{payload: uint8(payload)})
		i = len(p.maps) - 1
	}
	if name == "fmtp" {
		p.maps[i].params = strings.TrimSpace(rest)
		return nil
	}
	codec, clock, _ := strings.Cut(strings.TrimSpace(rest), "/")
	clock, channels, _ := strings.Cut(clock, "/")
	hz, err := strconv.ParseUint(clock, 10, 31)
	if err != nil || hz == 0 || (channels != "" && channels != "1") {
		p.maps[i].name = "" // not for us
		return nil
	}
	p.maps[i].name, p.maps[i].clock = codec, int(hz)
	return nil
}

// rtcp reads RFC 3605: a port, and perhaps an address.
func rtcp(arg string) netip.AddrPort {
	number, rest, _ := strings.Cut(strings.TrimSpace(arg), " ")
	port, err := strconv.ParseUint(number, 10, 16)
	if err != nil || port == 0 {
		return netip.AddrPort{}
	}
	addr := netip.Addr{}
	if rest != "" {
		addr, _ = connection(rest)
	}
	return netip.AddrPortFrom(addr, uint16(port))
}

// static holds the payload types of RFC 3551 that need no rtpmap.
var static = [...]rtpmap{
	{payload: 0, name: "PCMU", clock: 8000},
	{payload: 8, name: "PCMA", clock: 8000},
}

// closeStream turns the a= lines of the last stream into its codecs.
func (p *parser) closeStream() {
	m := p.media()
	if m == nil {
		return
	}
	defer func() { p.maps = p.maps[:0] }()
	if !strings.HasPrefix(m.Proto, "RTP/") {
		return
	}
	var seen [128]bool
	for _, f := range m.Formats {
		n, err := strconv.ParseUint(f, 10, 8)
		if err != nil || n > 127 || seen[n] {
			continue
		}
		seen[n] = true
		found, described := rtpmap{}, false
		for _, e := range p.maps {
			if e.payload == uint8(n) {
				found, described = e, true
			}
		}
		for _, e := range static {
			if e.payload == uint8(n) && (!described || found.name == "") {
				found.payload, found.name, found.clock = e.payload, e.name, e.clock
			}
		}
		if found.name != "" {
			m.Codecs = append(m.Codecs, Codec{Payload: uint8(n), Name: found.name, Clock: found.clock, Params: found.params})
		}
	}
}

func (p *parser) finish() {
	p.closeStream()
	for i := range p.s.Media {
		m := &p.s.Media[i]
		if m.Port == 0 {
			continue
		}
		switch {
		case m.RTCP.Port() == 0 && m.Port < math.MaxUint16:
			m.RTCP = netip.AddrPortFrom(m.Addr, m.Port+1)
		case m.RTCP.Port() != 0 && !m.RTCP.Addr().IsValid():
			m.RTCP = netip.AddrPortFrom(m.Addr, m.RTCP.Port())
		}
	}
}
