package sip

import (
	"strconv"
	"strings"
)

// message is what the peer received, taken apart.
type message struct {
	raw     string
	first   string
	headers map[string][]string // lower-case names
	body    string
}

func parseMessage(raw string) message {
	head, body, _ := strings.Cut(raw, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	m := message{raw: raw, first: lines[0], headers: map[string][]string{}, body: body}
	for _, l := range lines[1:] {
		name, value, _ := strings.Cut(l, ":")
		name = strings.ToLower(strings.TrimSpace(name))
		m.headers[name] = append(m.headers[name], strings.TrimSpace(value))
	}
	return m
}

func (m message) get(name string) string {
	if v := m.headers[strings.ToLower(name)]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func (m message) code() int {
	f := strings.SplitN(m.first, " ", 3)
	if len(f) < 2 || f[0] != "SIP/2.0" {
		return 0
	}
	n, _ := strconv.Atoi(f[1])
	return n
}

func (m message) method() string {
	if m.code() != 0 {
		return ""
	}
	return strings.SplitN(m.first, " ", 2)[0]
}

func (m message) toTag() string { return tagOf(m.get("To")) }

func tagOf(v string) string {
	_, tag, _ := strings.Cut(v, ";tag=")
	tag, _, _ = strings.Cut(tag, ";")
	return tag
}
