package description

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// Sections of a page that shows pictures, in their fixed order; those where it is shown
// pictures follow.
const (
	Camera  = 0
	Display = 1
	Slots   = 2
)

// Layers are the rids of a camera's simulcast (RFC 8853), the sharpest first.
var layers = []string{"h", "l"}

// Layer is the place of a rid among the layers, the sharpest 0; without simulcast there is one.
func Layer(rid string) (int, bool) {
	if rid == "" {
		return 0, true
	}
	i := slices.Index(layers, rid)
	return i, i >= 0
}

// Header extensions that are spoken (RFC 8285): by the names of their URIs.
const (
	extMid = "urn:ietf:params:rtp-hdrext:sdes:mid"                                       // RFC 9143
	extRid = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id"                             // RFC 8852
	extTCC = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01" // transport-wide congestion control
)

var extensions = []string{extMid, extRid, extTCC}

// maxPictureLines bounds an SDP of pictures: a browser says some 110 lines of each section.
const maxPictureLines = 2000

// Pictures is what is taken of a page's SDP of pictures: VP8 (RFC 7741) in sections of a
// fixed layout, all on one transport (RFC 9143).
type Pictures struct {
	Head
	Mids []string // names of the sections in their order

	payload  int
	ids      map[string]int // of extensions
	sections []picture
}

// picture is one section.
type picture struct {
	formats   []string
	mid       string
	direction string
	rids      []string // in the page's order
	simulcast string
	ssrc      uint32 // the first told; 0 = none
	maps      map[int]string
	ids       map[string]int
	muxed     bool
	head      Head // what it says of the transport itself
}

// ParsePictures reads an SDP with a camera, a shared screen, and places where the page is
// shown pictures.
func ParsePictures(text string, slots int) (Pictures, error) {
	d := Pictures{Head: Head{Candidates: map[netip.AddrPort]string{}}}
	if strings.Count(text, "\n") > maxPictureLines {
		return d, wrong("its description has more than %d lines", maxPictureLines)
	}
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		if len(line) < 2 || line[1] != '=' {
			continue
		}
		value := line[2:]
		switch line[0] {
		case 'o':
			d.origin(value)
		case 'm':
			if len(d.sections) == Slots+slots {
				return d, wrong("it offers more than %d sections: a camera, a display and %d places", Slots+slots, slots)
			}
			f := strings.Fields(value)
			if len(f) < 4 || f[0] != "video" || f[2] != "UDP/TLS/RTP/SAVPF" {
				return d, wrong("its section %d is not video by UDP/TLS/RTP/SAVPF", len(d.sections))
			}
			// Sections that share the transport of the first may have no port (RFC 9143, section 6).
			if f[1] == "0" && len(d.sections) == 0 {
				return d, wrong("its first section is refused")
			}
			d.sections = append(d.sections, picture{formats: f[3:], direction: "sendrecv", maps: map[int]string{}, ids: map[string]int{}})
		case 'a':
			name, rest, _ := strings.Cut(value, ":")
			if len(d.sections) == 0 {
				d.attribute(name, rest)
				continue
			}
			s := &d.sections[len(d.sections)-1]
			s.attribute(name, rest)
			if len(d.sections) == 1 { // the one whose transport it is
				d.attribute(name, rest)
			}
		}
	}
	if len(d.sections) != Slots+slots {
		return d, wrong("it offers %d sections, not %d: a camera, a display and %d places", len(d.sections), Slots+slots, slots)
	}
	return d, d.judge()
}

// attribute takes a line of a section.
func (s *picture) attribute(name, value string) {
	switch name {
	case "mid":
		s.mid = value
	case "rtcp-mux":
		s.muxed = true
	case "sendrecv", "sendonly", "recvonly", "inactive":
		s.direction = name
	case "rtpmap":
		if payload, what, ok := strings.Cut(value, " "); ok && number(payload, 3) && len(s.maps) < maxCodecs {
			n, _ := strconv.Atoi(payload)
			s.maps[n] = strings.ToLower(strings.TrimSpace(what))
		}
	case "extmap":
		id, uri, _ := strings.Cut(value, " ")
		id, _, _ = strings.Cut(id, "/")
		if n, err := strconv.Atoi(id); err == nil && n >= 1 && n <= 14 && slices.Contains(extensions, uri) {
			s.ids[uri] = n
		}
	case "rid":
		if id, way, ok := strings.Cut(value, " "); ok && strings.HasPrefix(way, "send") && len(s.rids) <= len(layers) {
			s.rids = append(s.rids, id)
		}
	case "simulcast":
		s.simulcast = value
	case "ssrc":
		id, _, _ := strings.Cut(value, " ")
		if n, err := strconv.ParseUint(id, 10, 32); err == nil && s.ssrc == 0 {
			s.ssrc = uint32(n)
		}
	case "ice-ufrag", "ice-pwd", "fingerprint", "setup":
		s.head.attribute(name, value)
	}
}

// judge says what is wrong, and takes what all sections must agree on.
func (d *Pictures) judge() error {
	if err := d.Head.judge(); err != nil {
		return err
	}
	d.payload, d.ids = -1, map[string]int{}
	for i := range d.sections {
		s := &d.sections[i]
		if err := d.judgeSection(i, s); err != nil {
			return err
		}
		d.Mids = append(d.Mids, s.mid)
	}
	if len(d.sections[Camera].rids) > 0 && (d.ids[extMid] == 0 || d.ids[extRid] == 0) {
		return wrong("its layers cannot be told apart: the header extensions mid and rtp-stream-id are missing")
	}
	if a, b := d.sections[Camera].ssrc, d.sections[Display].ssrc; a != 0 && a == b {
		return wrong("its camera and its display are one stream")
	}
	return nil
}

func (d *Pictures) judgeSection(i int, s *picture) error {
	way := "recvonly"
	if i < Slots {
		way = "sendonly"
	}
	vp8, ok := s.vp8()
	switch {
	case !token(s.mid), slices.Contains(d.Mids, s.mid):
		return wrong("its section %d has no name (mid) of its own", i)
	case s.direction != way: // what may not be sent is said by our answer, not by the offer
		return wrong("its section %d is %.10s, not %s", i, s.direction, way)
	case !s.muxed:
		return wrong("its section %d does not send RTP and RTCP by one port (rtcp-mux)", i)
	case !d.same(&s.head):
		return wrong("its section %d is not bundled with the first: all go by one transport", i)
	case !ok:
		return wrong("its section %d does not offer VP8", i)
	case d.payload >= 0 && vp8 != d.payload:
		return wrong("its sections number VP8 differently")
	}
	d.payload = vp8
	for uri, id := range s.ids {
		if other := d.ids[uri]; other != 0 && other != id {
			return wrong("its sections number header extensions differently")
		}
		d.ids[uri] = id
	}
	for uri, id := range d.ids {
		for other, n := range d.ids {
			if other != uri && n == id {
				return wrong("its header extensions have one number")
			}
		}
	}
	return s.judgeLayers(i)
}

// judgeLayers takes simulcast as it is told here: of the camera alone, in layers of fixed names.
func (s *picture) judgeLayers(i int) error {
	for j, rid := range s.rids {
		if i != Camera || !slices.Contains(layers, rid) || slices.Contains(s.rids[:j], rid) {
			return wrong("its section %d has layers other than %s of the camera", i, strings.Join(layers, " and "))
		}
	}
	if s.simulcast != "" && i != Camera {
		return wrong("its section %d has simulcast, which the camera alone may", i)
	}
	return nil
}

// same reports whether a section's transport is that of the first.
func (d *Pictures) same(h *Head) bool {
	return (h.ufrag == "" || h.ufrag == d.ufrag) && (h.pwd == "" || h.pwd == d.pwd) && (h.print == "" || h.print == d.print) &&
		(h.Setup == "" || h.Setup == d.Setup)
}

// vp8 is the payload type of the first VP8.
func (s *picture) vp8() (int, bool) {
	for _, f := range s.formats {
		n, err := strconv.Atoi(f)
		if err == nil && n >= 35 && n <= 127 && s.maps[n] == "vp8/90000" { // dynamic ones (RFC 3551, section 3; RFC 5761)
			return n, true
		}
	}
	return 0, false
}

// Simulcast reports whether the page's camera may send layers.
func (d *Pictures) Simulcast() bool { return len(d.sections[Camera].rids) > 1 }

// Rids is the number of the header extension by which layers are told, 0 if there are none.
func (d *Pictures) Rids() int {
	if len(d.sections[Camera].rids) == 0 {
		return 0
	}
	return d.ids[extRid]
}

// Streams are the SSRCs that it tells of camera and display, 0 where layers have them.
func (d *Pictures) Streams() (ssrcs [Slots]uint32) {
	for i := range ssrcs {
		if len(d.sections[i].rids) == 0 {
			ssrcs[i] = d.sections[i].ssrc
		}
	}
	return ssrcs
}

// Write is the description in an order of ours. What the page may send is not in it: it is
// told so by our answer (Only).
func (d *Pictures) Write() string {
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\r\n", args...) }
	d.write(line, d.Mids...)
	for i := range d.sections {
		s := &d.sections[i]
		direction := "recvonly"
		if i < Slots {
			direction = "sendonly"
		}
		line("m=video 9 UDP/TLS/RTP/SAVPF %d", d.payload)
		d.section(line, s.mid, direction)
		for _, uri := range extensions {
			if id := d.ids[uri]; id != 0 {
				line("a=extmap:%d %s", id, uri)
			}
		}
		line("a=rtpmap:%d VP8/90000", d.payload)
		for _, feedback := range []string{"transport-cc", "ccm fir", "nack", "nack pli"} {
			line("a=rtcp-fb:%d %s", d.payload, feedback)
		}
		if i >= Slots {
			continue
		}
		line("a=msid:page section%d", i)
		switch {
		case len(s.rids) > 0:
			for _, rid := range s.rids {
				line("a=rid:%s send", rid)
			}
			line("a=simulcast:send %s", strings.Join(s.rids, ";"))
		case s.ssrc != 0:
			line("a=ssrc:%d cname:page", s.ssrc)
		}
	}
	return b.String()
}

// Only says in an answer of ours which of its sections the page may send: all others of
// those that it would are inactive.
func Only(answer string, may ...bool) string {
	var b strings.Builder
	section := -1
	for line := range strings.Lines(answer) {
		switch {
		case strings.HasPrefix(line, "m="):
			section++
		case strings.HasPrefix(line, "a=recvonly") && (section >= len(may) || !may[section]):
			line = "a=inactive" + strings.TrimPrefix(line, "a=recvonly")
		}
		b.WriteString(line)
	}
	return b.String()
}
