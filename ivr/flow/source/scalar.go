package source

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"tandem/ivr/flow/expression"
)

// Empty reports a value that is not there, and says so if a # swallowed it.
func (f *File) Empty(n *Node, what string) {
	line := ""
	if n.At.Line <= len(f.lines) {
		line = f.lines[n.At.Line-1]
	}
	if _, after, ok := strings.Cut(line, " #"); ok && n.Text != "null" && n.Text != "~" {
		f.Fail(n, "empty-value", fmt.Sprintf("if # belongs to it, put quotes around it: \"#%s\"", strings.TrimSpace(after)),
			"nothing is given for %s: what follows # is a comment", what)
		return
	}
	f.Fail(n, "empty-value", "write a value, or remove the line", "nothing is given for %s", what)
}

// looksLike says what YAML or a person could take an unquoted word for, other than
// text. It covers YAML 1.1 too: files travel through other tools.
func looksLike(word string) string {
	switch strings.ToLower(word) {
	case "yes", "no", "on", "off", "true", "false":
		return "a yes or no"
	case "null", "~":
		return "nothing at all"
	}
	if numberLike.MatchString(word) {
		return "a number"
	}
	return ""
}

var numberLike = regexp.MustCompile(`^[-+]?(0[xob])?[0-9][0-9_a-fA-F]*$|^[-+]?[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?$|^[-+]?\.(inf|nan|[0-9]+)$`)

// Text reads a value that must be text, and refuses unquoted numbers and yes or no.
func (f *File) Text(n *Node, what string) (string, bool) {
	if n == nil {
		return "", false
	}
	switch n.Kind {
	case Null:
		if n.Text == "null" || n.Text == "~" {
			f.Fail(n, "unquoted", fmt.Sprintf("write %q", n.Text), "`%s` without quotes is nothing at all; %s is text", n.Text, what)
			return "", false
		}
		f.Empty(n, what)
		return "", false
	case Text:
		if n.Style == 0 {
			if like := looksLike(n.Text); like != "" {
				f.Fail(n, "unquoted", fmt.Sprintf("write %q", n.Text), "`%s` without quotes is %s; %s is text", n.Text, like, what)
				return "", false
			}
		}
		return n.Text, true
	}
	f.WrongKind(n, what, "text")
	return "", false
}

// Expression reads a value that is an expression: any scalar as it was written.
func (f *File) Expression(n *Node, what string) (string, bool) {
	if n.Kind == Text {
		return n.Text, true
	}
	if n.Kind == Null && n.Text != "null" {
		f.Empty(n, what)
		return "", false
	}
	f.WrongKind(n, what, "an expression")
	return "", false
}

func (f *File) WrongKind(n *Node, what, want string) {
	have := map[Kind]string{Null: "nothing", Text: "text", Map: "a map of `key: value`", List: "a list"}[n.Kind]
	fix := ""
	switch {
	case want == "a list" && n.Kind == Text:
		fix = fmt.Sprintf("write [%s]", n.Text)
	case want == "a list":
		fix = "write [ … ], or put each on a line of its own after `- `"
	case n.Kind == Map && n.Flow:
		fix = "put quotes around text that begins with {"
	case n.Kind == List && want == "text":
		fix = "write one value, without [ ]"
	}
	f.Fail(n, "wrong-type", fix, "%s must be %s; this is %s", what, want, have)
}

// Word reads one word of a closed set.
func (f *File) Word(n *Node, what string, set ...string) (string, bool) {
	if n == nil {
		return "", false
	}
	if n.Kind != Text {
		if n.Kind == Null {
			f.Empty(n, what)
		} else {
			f.WrongKind(n, what, "one of: "+strings.Join(set, ", "))
		}
		return "", false
	}
	for _, w := range set {
		if n.Text == w {
			return w, true
		}
	}
	f.Fail(n, "unknown-word", DidYouMean(n.Text, set), "`%s` is not a value of %s, which may be %s", n.Text, what, strings.Join(set, ", "))
	return "", false
}

// YesNo reads true or false.
func (f *File) YesNo(n *Node, what string) bool {
	if n == nil {
		return false
	}
	if n.Kind == Text && n.Style == 0 {
		switch n.Text {
		case "true":
			return true
		case "false":
			return false
		}
	}
	fix := "write true or false"
	if n.Kind == Text {
		switch strings.ToLower(n.Text) {
		case "yes", "on", "y", "true":
			fix = "write true"
		case "no", "off", "n", "false":
			fix = "write false"
		}
	}
	f.Fail(n, "wrong-type", fix, "%s is true or false", what)
	return false
}

// Count reads a whole number between low and high.
func (f *File) Count(n *Node, what string, low, high int) (int, bool) {
	if n == nil {
		return 0, false
	}
	if n.Kind == Text && (n.Style == 0 || n.Style == '"' || n.Style == '\'') {
		if v, err := strconv.Atoi(n.Text); err == nil {
			if v >= low && v <= high {
				return v, true
			}
			f.Fail(n, "out-of-range", "", "%s is from %d to %d; this is %d", what, low, high, v)
			return 0, false
		}
	}
	if n.Kind == Null {
		f.Empty(n, what)
		return 0, false
	}
	f.Fail(n, "wrong-type", "", "%s is a whole number from %d to %d", what, low, high)
	return 0, false
}

// Duration reads 500ms, 5s, 8m, 2h or 3d, between low and high.
func (f *File) Duration(n *Node, what string, low, high time.Duration) (time.Duration, bool) {
	if n == nil {
		return 0, false
	}
	if n.Kind == Null {
		f.Empty(n, what)
		return 0, false
	}
	d, ok := expression.ParseDuration(n.Text)
	if n.Kind != Text || !ok {
		fix := "write a number and s, m, h or d, such as 5s"
		if n.Kind == Text && numberLike.MatchString(n.Text) {
			fix = fmt.Sprintf("write %ss for seconds", n.Text)
		}
		f.Fail(n, "duration", fix, "%s is a duration such as 5s, 8m, 2h or 3d", what)
		return 0, false
	}
	if d < low || d > high {
		f.Fail(n, "out-of-range", "", "%s is from %s to %s; this is %s", what, ShortDuration(low), bound(high), n.Text)
		return 0, false
	}
	return d, true
}

// bound writes a bound as the reference does, which has a day as 24h.
func bound(d time.Duration) string {
	if d == 24*time.Hour {
		return "24h"
	}
	return ShortDuration(d)
}

// ShortDuration writes a duration as flow files do: 5s, 8m, 2h, 3d.
func ShortDuration(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if d >= u.unit && d%u.unit == 0 {
			return fmt.Sprintf("%d%s", d/u.unit, u.name)
		}
	}
	return fmt.Sprintf("%dms", d.Milliseconds())
}

var nameForm = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// Name reads something the designer named.
func (f *File) Name(n *Node, what string) (string, bool) {
	s, ok := f.Text(n, what)
	if !ok {
		return "", false
	}
	return s, f.GoodName(n, what)
}

// GoodName checks the pattern of names at a key or value.
func (f *File) GoodName(n *Node, what string) bool {
	if nameForm.MatchString(n.Text) && len(n.Text) <= 64 {
		return true
	}
	fix := "use a-z, 0-9 and _, beginning with a letter"
	if better := AsName(n.Text); nameForm.MatchString(better) {
		fix = fmt.Sprintf("write `%s`", better)
	}
	f.Fail(n, "name", fix, "`%s` cannot be %s: names have small letters, digits and _, begin with a letter and have up to 64 characters", n.Text, what)
	return false
}

// IsName reports whether s has the pattern of names.
func IsName(s string) bool { return nameForm.MatchString(s) }

// AsName is what is left of s when it is made a name; it may be none.
func AsName(s string) string {
	return strings.Trim(strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_':
			return r
		case r == '-', r == ' ', r == '.':
			return '_'
		}
		return -1
	}, s), "_")
}

// Fields checks that n is a map with known keys only, and reports whether it is a map.
func (f *File) Fields(n *Node, what string, known ...string) bool {
	if n == nil {
		return false
	}
	if n.Kind == Null {
		f.Empty(n, what)
		return false
	}
	if n.Kind != Map {
		f.WrongKind(n, what, "a map of `key: value`")
		return false
	}
	for _, e := range n.Entries {
		ok := false
		for _, k := range known {
			ok = ok || e.Key.Text == k
		}
		if !ok {
			f.Fail(e.Key, "unknown-key", DidYouMean(e.Key.Text, known), "%s has no `%s`", what, e.Key.Text)
		}
	}
	return true
}

// List reads a list.
func (f *File) List(n *Node, what string) []*Node {
	if n == nil {
		return nil
	}
	if n.Kind == Null {
		f.Empty(n, what)
		return nil
	}
	if n.Kind != List {
		f.WrongKind(n, what, "a list")
		return nil
	}
	return n.Items
}

// AnyFields checks that n is a map, whatever its keys.
func (f *File) AnyFields(n *Node, what, fix string) bool {
	switch n.Kind {
	case Map:
		return true
	case Null:
		f.Empty(n, what)
	default:
		f.Fail(n, "wrong-type", fix, "%s is a map", what)
	}
	return false
}

// IsLanguage accepts the common form of BCP 47: a language, then subtags.
func IsLanguage(s string) bool {
	for i, part := range strings.Split(s, "-") {
		if i == 0 && (len(part) < 2 || len(part) > 3) || len(part) == 0 || len(part) > 8 {
			return false
		}
		for _, c := range part {
			if c > unicode.MaxASCII || !unicode.IsLetter(c) && (i == 0 || !unicode.IsDigit(c)) {
				return false
			}
		}
	}
	return true
}
