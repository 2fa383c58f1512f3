// Package description reads what a page's SDP says of one section of audio, or of the fixed
// layout of pictures, and writes it anew: so that nothing else of what strangers send is
// interpreted by anybody. It also puts our addresses into the descriptions that pages are
// sent, and what they may not send.
//
// It is pure: it starts no goroutine, does no input or output, and resolves no name.
package description

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"

	"tandem/media/codec"
)

// ErrInvalid is wrapped by every error of Parse, which says what is wrong in words.
var ErrInvalid = errors.New("description: not one that can be taken")

// Bounds of a description, whatever its length.
const (
	maxLines      = 500
	maxCodecs     = 32
	maxCandidates = 32
	maxFmtp       = 256 // bytes
)

// Head is what a page's SDP says of its connection (RFC 8866, RFC 8829).
type Head struct {
	Setup      string                    // who is the DTLS client (RFC 8842)
	Candidates map[netip.AddrPort]string // types of the page's, for figures only

	session     string // number of the page's RTCPeerConnection
	version     string
	ufrag, pwd  string
	hash, print string // of the page's certificate (RFC 8122)
}

// Description is what is taken of a page's SDP of audio.
type Description struct {
	Head
	Direction string // sendrecv, sendonly, recvonly, inactive: of the page

	mid    string
	ssrc   uint32 // 0 = none told
	codecs []codecLine
}

type codecLine struct {
	payload  int
	name     string // as in codecNames
	rate     int
	channels int
	fmtp     string
}

// codecNames are those that we speak, by their name in lower case.
var codecNames = map[string]string{"pcmu": "PCMU", "pcma": "PCMA", "opus": "opus", "telephone-event": "telephone-event"}

func wrong(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrInvalid}, args...)...)
}

// Parse reads an SDP with one section of audio.
func Parse(text string) (Description, error) {
	d := Description{Direction: "sendrecv", Head: Head{Candidates: map[netip.AddrPort]string{}}}
	lines := strings.Split(text, "\n")
	if len(lines) > maxLines {
		return d, wrong("its description has more than %d lines", maxLines)
	}
	var formats []string
	muxed, sections := false, 0
	rtpmaps, fmtps := map[int]codecLine{}, map[int]string{}
	for _, line := range lines {
		line = strings.TrimSuffix(line, "\r")
		if len(line) < 2 || line[1] != '=' {
			continue
		}
		value := line[2:]
		switch line[0] {
		case 'o':
			d.origin(value)
		case 'm':
			if sections++; sections > 1 {
				return d, wrong("it offers more than one section: audio alone is spoken here")
			}
			f := strings.Fields(value)
			if len(f) < 4 || f[0] != "audio" || f[1] == "0" || f[2] != "UDP/TLS/RTP/SAVPF" {
				return d, wrong("it does not offer audio by UDP/TLS/RTP/SAVPF")
			}
			formats = f[3:]
		case 'a':
			name, rest, _ := strings.Cut(value, ":")
			switch name {
			case "rtpmap":
				if c, ok := parseMap(rest); ok && len(rtpmaps) < maxCodecs {
					rtpmaps[c.payload] = c
				}
			case "fmtp":
				if payload, params, ok := strings.Cut(rest, " "); ok && number(payload, 3) && len(fmtps) < maxCodecs && plain(params, maxFmtp) {
					n, _ := strconv.Atoi(payload)
					fmtps[n] = params
				}
			case "rtcp-mux":
				muxed = true
			default:
				d.attribute(name, rest)
			}
		}
	}
	for _, f := range formats {
		if n, err := strconv.Atoi(f); err == nil && len(d.codecs) < maxCodecs {
			d.codec(n, rtpmaps, fmtps)
		}
	}
	return d, d.judge(muxed)
}

// attribute takes a line of its session or section that is not of codecs.
func (d *Description) attribute(name, value string) {
	switch name {
	case "mid":
		d.mid = value
	case "sendrecv", "sendonly", "recvonly", "inactive":
		d.Direction = name
	case "ssrc":
		id, _, _ := strings.Cut(value, " ")
		if n, err := strconv.ParseUint(id, 10, 32); err == nil && d.ssrc == 0 {
			d.ssrc = uint32(n)
		}
	default:
		d.Head.attribute(name, value)
	}
}

// origin takes the line that names the session.
func (d *Head) origin(value string) {
	if f := strings.Fields(value); len(f) == 6 && number(f[1], 20) && number(f[2], 20) {
		d.session, d.version = f[1], f[2]
	}
}

// attribute takes a line of the connection.
func (d *Head) attribute(name, value string) {
	switch name {
	case "ice-ufrag":
		d.ufrag = value
	case "ice-pwd":
		d.pwd = value
	case "fingerprint":
		if hash, print, ok := strings.Cut(value, " "); ok && d.hash != "sha-256" { // of several, the one that all speak
			d.hash, d.print = strings.ToLower(hash), strings.ToUpper(print)
		}
	case "setup":
		d.Setup = value
	case "candidate":
		f := strings.Fields(value)
		if len(f) < 8 || len(d.Candidates) >= maxCandidates {
			return
		}
		host, err := netip.ParseAddr(f[4]) // a .local name is not resolved: it is of no use to us
		port, err2 := strconv.ParseUint(f[5], 10, 16)
		if err == nil && err2 == nil && candidateTypes[f[7]] {
			d.Candidates[netip.AddrPortFrom(host.Unmap(), uint16(port))] = f[7]
		}
	}
}

// Types of candidates (RFC 8839, section 5.1).
var candidateTypes = map[string]bool{"host": true, "srflx": true, "prflx": true, "relay": true}

// parseMap reads "111 opus/48000/2".
func parseMap(value string) (codecLine, bool) {
	payload, what, ok := strings.Cut(value, " ")
	f := strings.Split(strings.TrimSpace(what), "/")
	if !ok || len(f) < 2 || !number(payload, 3) || !number(f[1], 6) {
		return codecLine{}, false
	}
	c := codecLine{channels: 1}
	c.payload, _ = strconv.Atoi(payload)
	c.rate, _ = strconv.Atoi(f[1])
	c.name = codecNames[strings.ToLower(f[0])]
	if len(f) > 2 {
		if f[2] != "1" && f[2] != "2" {
			return codecLine{}, false
		}
		c.channels = int(f[2][0] - '0')
	}
	return c, c.name != "" && c.payload <= 127
}

// codec adds what a payload type stands for, if we speak it.
func (d *Description) codec(payload int, maps map[int]codecLine, fmtps map[int]string) {
	c, ok := maps[payload]
	if !ok { // static ones need no line (RFC 3551, section 6)
		switch payload {
		case 0:
			c = codecLine{payload: 0, name: "PCMU", rate: 8000, channels: 1}
		case 8:
			c = codecLine{payload: 8, name: "PCMA", rate: 8000, channels: 1}
		default:
			return
		}
	}
	switch {
	case c.name == "PCMU" && (payload != 0 || c.rate != 8000), c.name == "PCMA" && (payload != 8 || c.rate != 8000),
		c.name == "opus" && (payload < 64 || c.rate != 48000 || c.channels != 2),
		c.name == "telephone-event" && (payload < 64 || c.rate != 8000 && c.rate != 48000):
		return
	}
	if _, twice := d.PayloadOf(c.name, c.rate); twice {
		return
	}
	c.fmtp = fmtps[payload]
	d.codecs = append(d.codecs, c)
}

// PayloadOf is the payload type of a codec by its name (PCMU, PCMA, opus, telephone-event)
// and clock rate in Hz.
func (d *Description) PayloadOf(name string, rate int) (uint8, bool) {
	for _, c := range d.codecs {
		if c.name == name && c.rate == rate {
			return uint8(c.payload), true
		}
	}
	return 0, false
}

// judge says what is missing.
func (d *Description) judge(muxed bool) error {
	_, u := d.PayloadOf("PCMU", 8000)
	_, a := d.PayloadOf("PCMA", 8000)
	_, o := d.PayloadOf("opus", 48000)
	switch {
	case len(d.codecs) == 0 || !u && !a && !o:
		return wrong("it offers none of PCMU, PCMA and opus")
	case !muxed:
		return wrong("it does not send RTP and RTCP by one port (rtcp-mux)")
	case !token(d.mid):
		return wrong("its section has no name (mid)")
	}
	return d.Head.judge()
}

func (d *Head) judge() error {
	switch {
	case d.session == "":
		return wrong("its description names no session")
	case !iceText(d.ufrag, 4), !iceText(d.pwd, 22):
		return wrong("it has no valid ICE credentials")
	case !fingerprint(d.hash, d.print):
		return wrong("it has no SHA-256 fingerprint of a certificate")
	}
	return nil
}

// Key tells one RTCPeerConnection of a page from the next.
func (d *Head) Key() string { return d.session + " " + d.print }

// Common is what descriptions of all kinds have.
func (d *Head) Common() *Head { return d }

// write writes the lines of a session, whose sections share one transport.
func (d *Head) write(line func(format string, args ...any), mids ...string) {
	line("v=0")
	line("o=- %s %s IN IP4 0.0.0.0", d.session, d.version)
	line("s=-")
	line("t=0 0")
	line("a=group:BUNDLE %s", strings.Join(mids, " "))
}

// section writes the lines that all sections have.
func (d *Head) section(line func(format string, args ...any), mid, direction string) {
	line("c=IN IP4 0.0.0.0")
	line("a=rtcp-mux")
	line("a=ice-ufrag:%s", d.ufrag)
	line("a=ice-pwd:%s", d.pwd)
	line("a=fingerprint:%s %s", d.hash, d.print)
	line("a=setup:%s", d.Setup)
	line("a=mid:%s", mid)
	line("a=%s", direction)
}

// Write is the description in an order of ours: what a phone leg takes as it
// is comes first.
func (d *Description) Write() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	codecs := make([]codecLine, 0, len(d.codecs))
	for _, name := range []string{"PCMU", "PCMA", "opus", "telephone-event"} {
		for _, c := range d.codecs {
			if c.name == name {
				codecs = append(codecs, c)
			}
		}
	}
	d.write(line, d.mid)
	b.WriteString("m=audio 9 UDP/TLS/RTP/SAVPF")
	for _, c := range codecs {
		fmt.Fprintf(&b, " %d", c.payload)
	}
	line("")
	d.section(line, d.mid, d.Direction)
	for _, c := range codecs {
		if c.channels == 2 {
			line("a=rtpmap:%d %s/%d/2", c.payload, c.name, c.rate)
		} else {
			line("a=rtpmap:%d %s/%d", c.payload, c.name, c.rate)
		}
		if c.fmtp != "" {
			line("a=fmtp:%d %s", c.payload, c.fmtp)
		}
	}
	if d.ssrc != 0 {
		line("a=msid:page audio")
		line("a=ssrc:%d cname:page", d.ssrc)
	}
	return b.String()
}

// number reports whether s is a decimal number of at most n digits.
func number(s string, n int) bool {
	if s == "" || len(s) > n {
		return false
	}
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// plain reports whether s is short, printable ASCII.
func plain(s string, n int) bool {
	if len(s) > n {
		return false
	}
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// iceText reports whether s is a user fragment or password of at least least characters
// (RFC 8839, section 5.4).
func iceText(s string, least int) bool {
	if len(s) < least || len(s) > 256 {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '+' || c == '/') {
			return false
		}
	}
	return true
}

// fingerprint reports whether value is one of SHA-256 (RFC 8122, section 5).
func fingerprint(hash, value string) bool {
	if hash != "sha-256" || len(value) != 32*3-1 {
		return false
	}
	for i, c := range []byte(value) {
		if i%3 == 2 {
			if c != ':' {
				return false
			}
		} else if !(c >= '0' && c <= '9' || c >= 'A' && c <= 'F') {
			return false
		}
	}
	return true
}

// token reports whether s can be a mid.
func token(s string) bool {
	if s == "" || len(s) > 16 {
		return false
	}
	for _, c := range []byte(s) {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '-' || c == '_') {
			return false
		}
	}
	return true
}

// Credentials are the ICE credentials in a description of ours.
func Credentials(sdp string) (ufrag, pwd string) {
	for line := range strings.Lines(sdp) {
		line = strings.TrimRight(line, "\r\n")
		if v, ok := strings.CutPrefix(line, "a=ice-ufrag:"); ok {
			ufrag = v
		}
		if v, ok := strings.CutPrefix(line, "a=ice-pwd:"); ok {
			pwd = v
		}
	}
	return ufrag, pwd
}

// Advertise puts the addresses by which a page reaches us into a description of ours, in
// the place of those that it has (RFC 8839, section 5.1): at the end of its first section,
// whose transport is that of all (RFC 9143, section 8). udp and tcp are ports, tcp 0 = none.
func Advertise(sdp string, hosts []netip.Addr, udp, tcp uint16) string {
	var b strings.Builder
	sections := 0
	for line := range strings.Lines(sdp) {
		if strings.HasPrefix(line, "m=") {
			if sections++; sections == 2 {
				candidates(&b, hosts, udp, tcp)
			}
		}
		if !strings.HasPrefix(line, "a=candidate:") && !strings.HasPrefix(line, "a=end-of-candidates") {
			b.WriteString(line)
		}
	}
	if sections < 2 {
		candidates(&b, hosts, udp, tcp)
	}
	return b.String()
}

func candidates(b *strings.Builder, hosts []netip.Addr, udp, tcp uint16) {
	for i, host := range hosts {
		local := uint32(65535 - i)
		fmt.Fprintf(b, "a=candidate:%d 1 udp %d %s %d typ host\r\n", i+1, 126<<24|local<<8|255, host, udp)
		if tcp != 0 {
			fmt.Fprintf(b, "a=candidate:%d 1 tcp %d %s %d typ host tcptype passive\r\n", 100+i, 90<<24|local<<8|255, host, tcp)
		}
	}
	b.WriteString("a=end-of-candidates\r\n")
}

// Law is what a page sends and is sent: Opus is turned into PCMU.
func (d *Description) Law() codec.Law {
	if _, ok := d.PayloadOf("PCMU", codec.Rate); ok {
		return codec.PCMU
	}
	if _, ok := d.PayloadOf("PCMA", codec.Rate); ok {
		return codec.PCMA
	}
	return codec.PCMU
}
