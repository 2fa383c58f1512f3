package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"tandem/internal/nearest"
)

// Entry maps where customers come in to a flow.
type Entry struct {
	Name   string        `yaml:"-"`      // as written: "95599", a prefix "1800*", later "chat:site" and others
	Flow   string        `yaml:"flow"`   // the flow's name
	Ring   time.Duration `yaml:"ring"`   // how long it rings before it is answered
	Auth   bool          `yaml:"auth"`   // the caller must be one of sip.users
	Record bool          `yaml:"record"` // the whole call; the flow must announce it
}

// Entries are in the order of the file.
type Entries []Entry

// Match finds the entry of a called number: the exact name, else the longest
// prefix that fits. It is a pure function, so that a remapped file can serve the
// next call while calls of the old mapping go on.
func Match(entries []Entry, number string) (Entry, bool) {
	best, found := Entry{}, false
	for _, e := range entries {
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

// LostEntries are the entries that lead to none of the flows, each told at its place
// with the flow that was probably meant.
func (l *Loaded) LostEntries(flows []string) Problems {
	var lost Problems
	for _, e := range l.Entries {
		if slices.Contains(flows, e.Flow) {
			continue
		}
		p := Problem{File: l.File, Message: fmt.Sprintf("entry %q: there is no flow %q in %s", e.Name, e.Flow, l.Flows.Dir)}
		if near := nearest.Name(e.Flow, flows); near != "" {
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

// entryKinds are the prefixes of entries that are not SIP numbers.
var entryKinds = [...]string{"chat:", "sms:", "wechat:", "mail:", "qr:"}

// checkEntryName says what is wrong with an entry's name, or nil.
func checkEntryName(name string) error {
	for _, kind := range entryKinds {
		if strings.HasPrefix(name, kind) {
			return fmt.Errorf("entry %q: only numbers are served by this version, %s entries come later", name, strings.TrimSuffix(kind, ":"))
		}
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
