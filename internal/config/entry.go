package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/internal/nearest"
)

// Entry maps where customers come in to a flow.
type Entry struct {
	Name   string        `yaml:"-"`      // as written: "95599", a prefix "1800*", "chat:SITE", "sms:NUMBER", "qr:CODE"
	Flow   string        `yaml:"flow"`   // the flow's name
	Ring   time.Duration `yaml:"ring"`   // how long it rings before it is answered
	Auth   bool          `yaml:"auth"`   // the caller must be one of sip.users
	Record bool          `yaml:"record"` // the whole call; the flow must announce it
	Site   string        `yaml:"site"`   // qr: whose widget it opens
	Place  string        `yaml:"place"`  // qr: where the code hangs, as agents read it
}

// Kind is what stands before the colon of the entry's name, and what stands after it:
// chat, sms or qr; "" for a number that is called.
func (e Entry) Kind() (kind, name string) {
	for _, k := range textKinds {
		if name, ok := strings.CutPrefix(e.Name, k+":"); ok {
			return k, name
		}
	}
	return "", e.Name
}

// Entries are in the order of the file.
type Entries []Entry

// Match finds the entry of a called number: the exact name, else the longest
// prefix that fits. It is a pure function, so that a remapped file can serve the
// next call while calls of the old mapping go on.
func Match(entries []Entry, number string) (Entry, bool) {
	best, found := Entry{}, false
	for _, e := range entries {
		if kind, _ := e.Kind(); kind != "" {
			continue // nobody dials it
		}
		if e.Name == number {
			return e, true
		}
		prefix, isPrefix := strings.CutSuffix(e.Name, "*")
		if isPrefix && strings.HasPrefix(number, prefix) && number != prefix && (!found || len(e.Name) > len(best.Name)) {
			best, found = e, true
		}
	}
	return best, found
}

// Named finds the entry with this very name.
func (es Entries) Named(name string) (Entry, bool) {
	for _, e := range es {
		if e.Name == name {
			return e, true
		}
	}
	return Entry{}, false
}

// Channel is the one by which customers come in here.
func (e Entry) Channel() tandem.Channel {
	switch kind, _ := e.Kind(); kind {
	case "sms":
		return tandem.SMS
	case "chat", "qr":
		return tandem.Chat
	}
	return tandem.Voice
}

// LostEntries are the entries that lead to none of the flows, told with the flow that was
// probably meant, and those that lead to one which does not serve their channel; each at
// its place. flows are the channels of each flow, by its name.
func (l *Loaded) LostEntries(flows map[string][]tandem.Channel) Problems {
	var lost Problems
	for _, e := range l.Entries {
		channels, known := flows[e.Flow]
		if known && slices.Contains(channels, e.Channel()) {
			continue
		}
		p := Problem{File: l.File, Message: fmt.Sprintf("entry %q: there is no flow %q in %s", e.Name, e.Flow, l.Flows.Dir)}
		if known {
			p.Message = fmt.Sprintf("entry %q: the flow %s does not serve %s", e.Name, e.Flow, e.Channel())
			p.Hint = fmt.Sprintf("add %s to its channels, or name another flow", e.Channel())
		} else if near := nearest.Name(e.Flow, slices.Sorted(maps.Keys(flows))); near != "" {
			p.Hint = fmt.Sprintf("did you mean %s?", near)
		}
		key := join("entries", e.Name)
		for _, k := range []string{join(key, "flow"), key} {
			if o, ok := l.Origins[k]; ok {
				if o.Env != "" {
					p.File = o.Env
				}
				p.Line, p.Column = o.Line, o.Column
				break
			}
		}
		lost = append(lost, p)
	}
	lost.sort()
	return lost
}

// maxEntryName bounds an entry's name, in bytes: longer than any number or site.
const maxEntryName = 64

// textKinds are the entries that are not numbers to call; laterKinds are not served yet.
var (
	textKinds  = [...]string{"chat", "sms", "qr"}
	laterKinds = [...]string{"wechat:", "mail:"}
)

// checkEntryName says what is wrong with an entry's name, or nil.
func checkEntryName(name string) error {
	for _, kind := range laterKinds {
		if strings.HasPrefix(name, kind) {
			return fmt.Errorf("entry %q: this version serves numbers, chat:, sms: and qr: entries; %s entries come later", name, strings.TrimSuffix(kind, ":"))
		}
	}
	switch kind, rest := (Entry{Name: name}).Kind(); {
	case kind == "chat" && !siteName.MatchString(rest):
		return fmt.Errorf("entry %q: after chat: stands the name of one of chat.sites", name)
	case kind == "sms" && !e164.MatchString(rest) && !shortSMS.MatchString(rest):
		return fmt.Errorf("entry %q: after sms: stands one of your numbers, such as sms:+861055550100", name)
	case kind == "qr" && !qrCode.MatchString(rest):
		return fmt.Errorf("entry %q: after qr: stand at most 40 letters, digits, - and _", name)
	case kind != "":
		return nil
	}
	if name == "" || len(name) > maxEntryName {
		return fmt.Errorf("an entry's name has 1 to %d characters", maxEntryName)
	}
	for i, r := range name {
		switch {
		case r == '*' && i == len(name)-1:
		case r == '*':
			return fmt.Errorf("entry %q: * may stand only at the end, where it means any further digits", name)
		case r == '+' && i == 0, r >= '0' && r <= '9', r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r == '-', r == '_', r == '.', r == '#':
		default:
			return fmt.Errorf("entry %q: %q cannot be part of a number; write \"95599\", or \"1800*\" for all that begin so", name, r)
		}
	}
	return nil
}
