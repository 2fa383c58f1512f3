package testkit

import (
	"bytes"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Message is a SIP message as a list of lines, so that a test can write what no
// well-behaved library would. Content-Length is set on writing unless the test
// put one in.
type Message struct {
	Start   string
	Headers []Header
	Body    []byte
}

// Header is one header line.
type Header struct{ Name, Value string }

// ParseMessage reads a whole message: what follows the empty line is the body.
func ParseMessage(b []byte) (*Message, error) {
	head, body, found := bytes.Cut(b, []byte("\r\n\r\n"))
	if !found {
		return nil, errors.New("no empty line after the headers")
	}
	lines := strings.Split(string(head), "\r\n")
	m := &Message{Start: lines[0], Body: body}
	for _, line := range lines[1:] {
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			return nil, fmt.Errorf("header line %q has no colon", line)
		}
		m.Headers = append(m.Headers, Header{strings.TrimSpace(name), strings.TrimSpace(value)})
	}
	return m, nil
}

// Get returns the first value of a header, "" if there is none.
func (m *Message) Get(name string) string {
	for _, h := range m.Headers {
		if strings.EqualFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}

// All returns every value of a header.
func (m *Message) All(name string) []string {
	var values []string
	for _, h := range m.Headers {
		if strings.EqualFold(h.Name, name) {
			values = append(values, h.Value)
		}
	}
	return values
}

// Set replaces the header, or adds it. It returns m.
func (m *Message) Set(name, value string) *Message {
	for i, h := range m.Headers {
		if strings.EqualFold(h.Name, name) {
			m.Headers[i].Value = value
			return m
		}
	}
	return m.Add(name, value)
}

// Add appends a header line. It returns m.
func (m *Message) Add(name, value string) *Message {
	m.Headers = append(m.Headers, Header{name, value})
	return m
}

// Del drops every line of the header. It returns m.
func (m *Message) Del(name string) *Message {
	kept := m.Headers[:0:0]
	for _, h := range m.Headers {
		if !strings.EqualFold(h.Name, name) {
			kept = append(kept, h)
		}
	}
	m.Headers = kept
	return m
}

// With sets body and its type. It returns m.
func (m *Message) With(contentType, body string) *Message {
	m.Set("Content-Type", contentType)
	m.Body = []byte(body)
	return m
}

// Copy returns a message that can be changed without touching m.
func (m *Message) Copy() *Message {
	c := *m
	c.Headers = append([]Header(nil), m.Headers...)
	c.Body = append([]byte(nil), m.Body...)
	return &c
}

// Status is a response's code, 0 for a request.
func (m *Message) Status() int {
	rest, ok := strings.CutPrefix(m.Start, "SIP/2.0 ")
	if !ok {
		return 0
	}
	code, _, _ := strings.Cut(rest, " ")
	n, _ := strconv.Atoi(code)
	return n
}

// Method is a request's method, or for a response the one of its CSeq.
func (m *Message) Method() string {
	if m.Status() != 0 {
		_, method, _ := strings.Cut(m.Get("CSeq"), " ")
		return strings.TrimSpace(method)
	}
	method, _, _ := strings.Cut(m.Start, " ")
	return method
}

// CSeq is the number in CSeq, 0 if there is none.
func (m *Message) CSeq() int {
	number, _, _ := strings.Cut(m.Get("CSeq"), " ")
	n, _ := strconv.Atoi(number)
	return n
}

// Tag is the tag of From or To.
func (m *Message) Tag(header string) string { return parameter(m.Get(header), "tag") }

// Branch is the branch of the topmost Via.
func (m *Message) Branch() string { return parameter(m.Get("Via"), "branch") }

func parameter(value, name string) string {
	if i := strings.LastIndex(value, ">"); i >= 0 {
		value = value[i:]
	}
	for _, p := range strings.Split(value, ";") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(p), name+"="); ok {
			return v
		}
	}
	return ""
}

// Contact is the address inside Contact, without brackets and parameters.
func (m *Message) Contact() string {
	value := m.Get("Contact")
	if _, inside, ok := strings.Cut(value, "<"); ok {
		uri, _, _ := strings.Cut(inside, ">")
		return uri
	}
	uri, _, _ := strings.Cut(value, ";")
	return uri
}

// Bytes writes the message.
func (m *Message) Bytes() []byte {
	var b bytes.Buffer
	b.WriteString(m.Start + "\r\n")
	for _, h := range m.Headers {
		b.WriteString(h.Name + ": " + h.Value + "\r\n")
	}
	if m.Get("Content-Length") == "" && m.Get("l") == "" {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(m.Body))
	}
	b.WriteString("\r\n")
	b.Write(m.Body)
	return b.Bytes()
}

// Reply makes a response to m with the headers that RFC 3261 section 8.2.6.2 copies.
// The tag goes on To unless it has one.
func (m *Message) Reply(code int, reason, tag string) *Message {
	r := &Message{Start: fmt.Sprintf("SIP/2.0 %d %s", code, reason)}
	for _, h := range m.Headers {
		switch strings.ToLower(h.Name) {
		case "via", "from", "call-id", "cseq", "record-route":
			r.Headers = append(r.Headers, h)
		case "to":
			if parameter(h.Value, "tag") == "" && tag != "" && code > 100 {
				h.Value += ";tag=" + tag
			}
			r.Headers = append(r.Headers, h)
		}
	}
	return r
}

// Media is what an SDP body says of its first audio line.
type Media struct {
	Address   netip.AddrPort
	Payloads  []string
	Direction string // sendrecv if not said
	Lines     []string
}

// ParseMedia reads the audio line of an SDP body.
func ParseMedia(body []byte) (Media, error) {
	m := Media{Direction: "sendrecv"}
	var address string
	port, audio := 0, false
	for _, line := range strings.Split(string(body), "\n") {
		line = strings.TrimRight(line, "\r")
		m.Lines = append(m.Lines, line)
		switch {
		case strings.HasPrefix(line, "c=IN IP4 "):
			address = strings.TrimPrefix(line, "c=IN IP4 ")
		case strings.HasPrefix(line, "m=audio "):
			fields := strings.Fields(line)
			if audio || len(fields) < 4 {
				continue
			}
			audio = true
			port, _ = strconv.Atoi(fields[1])
			m.Payloads = fields[3:]
		case line == "a=sendonly", line == "a=recvonly", line == "a=inactive", line == "a=sendrecv":
			m.Direction = line[2:]
		}
	}
	if !audio {
		return m, fmt.Errorf("no audio line in %q", body)
	}
	ip, err := netip.ParseAddr(address)
	if err != nil {
		return m, fmt.Errorf("connection address: %w", err)
	}
	m.Address = netip.AddrPortFrom(ip, uint16(port))
	return m, nil
}

// SDP writes a session of one audio line at 127.0.0.1:port with PCMU, PCMA and
// telephone-event 101 at 8000 Hz, in the direction given ("" = sendrecv). version counts up with each
// change (RFC 3264 section 8).
func SDP(port, version int, direction string) string {
	if direction == "" {
		direction = "sendrecv"
	}
	return fmt.Sprintf("v=0\r\no=- 4711 %d IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"+
		"m=audio %d RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"+
		"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=%s\r\n", version, port, direction)
}
