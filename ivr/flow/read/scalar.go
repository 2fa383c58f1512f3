package read

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// trace maps each character of n's text to its place in the file: quotes, escapes,
// folding and indentation are undone. A character that cannot be followed has the
// place of the one before it.
func (f *file) trace(n *node) []place {
	s := source{lines: f.lines, at: n.at}
	switch n.style {
	case '"', '\'':
		s.step()
	case '|', '>':
		s.at = place{n.at.line + 1, 1}
	}
	out := make([]place, 0, len(n.text)+1)
	last := s.at
	for _, want := range n.text {
		p, ok := s.find(want, n.style)
		if !ok {
			p = last
		}
		out, last = append(out, p), p
	}
	return append(out, place{last.line, last.col + 1})
}

// source walks over the characters of a file.
type source struct {
	lines []string
	at    place
	row   []rune // of the line rowOf
	rowOf int
}

// peek is the character at the place; '\n' at a line's end, 0 at the file's.
func (s *source) peek() rune {
	if s.at.line > len(s.lines) {
		return 0
	}
	if s.rowOf != s.at.line {
		s.row, s.rowOf = []rune(s.lines[s.at.line-1]), s.at.line
	}
	if s.at.col > len(s.row) {
		return '\n'
	}
	return s.row[s.at.col-1]
}

func (s *source) step() {
	if s.peek() == '\n' {
		s.at = place{s.at.line + 1, 1}
	} else {
		s.at.col++
	}
}

func blank(r rune) bool { return r == ' ' || r == '\t' || r == '\n' }

// find moves past the source of one character of the text and says where it began.
func (s *source) find(want rune, style byte) (place, bool) {
	for {
		got := s.peek()
		p := s.at
		switch {
		case got == 0:
			return p, false
		case style == '"' && got == '\\':
			s.escape()
			if p.line != s.at.line {
				continue // an escaped line break stands for nothing
			}
			return p, true
		case got == want:
			s.step()
			if style == '\'' && want == '\'' {
				s.step()
			}
			return p, true
		case blank(want) && blank(got): // folded
			for blank(s.peek()) {
				s.step()
			}
			return p, true
		case blank(want):
			return p, true // one of several breaks that were folded together
		case blank(got):
			s.step() // indentation
		default:
			return p, false
		}
	}
}

// escape steps over a backslash and what belongs to it.
func (s *source) escape() {
	s.step()
	n := map[rune]int{'x': 2, 'u': 4, 'U': 8}[s.peek()]
	if s.peek() == '\n' {
		for blank(s.peek()) {
			s.step()
		}
		return
	}
	for range n + 1 {
		s.step()
	}
}

// within is the place of the col-th character (from 1) of n's text.
func (f *file) within(n *node, col int) place {
	if n.kind != isText || col < 1 {
		return n.at
	}
	places := f.trace(n)
	return places[min(col-1, len(places)-1)]
}

// empty reports a value that is not there, and says so if a # swallowed it.
func (f *file) empty(n *node, what string) {
	line := ""
	if n.at.line <= len(f.lines) {
		line = f.lines[n.at.line-1]
	}
	if _, after, ok := strings.Cut(line, " #"); ok && n.text != "null" && n.text != "~" {
		f.fail(n, "empty-value", fmt.Sprintf("if # belongs to it, put quotes around it: \"#%s\"", strings.TrimSpace(after)),
			"nothing is given for %s: what follows # is a comment", what)
		return
	}
	f.fail(n, "empty-value", "write a value, or remove the line", "nothing is given for %s", what)
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

// text reads a value that must be text, and refuses unquoted numbers and yes or no.
func (f *file) text(n *node, what string) (string, bool) {
	if n == nil {
		return "", false
	}
	switch n.kind {
	case isNull:
		if n.text == "null" || n.text == "~" {
			f.fail(n, "unquoted", fmt.Sprintf("write %q", n.text), "`%s` without quotes is nothing at all; %s is text", n.text, what)
			return "", false
		}
		f.empty(n, what)
		return "", false
	case isText:
		if n.style == 0 {
			if like := looksLike(n.text); like != "" {
				f.fail(n, "unquoted", fmt.Sprintf("write %q", n.text), "`%s` without quotes is %s; %s is text", n.text, like, what)
				return "", false
			}
		}
		return n.text, true
	}
	f.wrongKind(n, what, "text")
	return "", false
}

// source reads a value that is an expression: any scalar as it was written.
func (f *file) expressionText(n *node, what string) (string, bool) {
	if n.kind == isText {
		return n.text, true
	}
	if n.kind == isNull && n.text != "null" {
		f.empty(n, what)
		return "", false
	}
	f.wrongKind(n, what, "an expression")
	return "", false
}

func (f *file) wrongKind(n *node, what, want string) {
	have := map[kind]string{isNull: "nothing", isText: "text", isMap: "a map of `key: value`", isList: "a list"}[n.kind]
	fix := ""
	switch {
	case want == "a list" && n.kind == isText:
		fix = fmt.Sprintf("write [%s]", n.text)
	case want == "a list":
		fix = "write [ … ], or put each on a line of its own after `- `"
	case n.kind == isMap && n.flow:
		fix = "put quotes around text that begins with {"
	case n.kind == isList && want == "text":
		fix = "write one value, without [ ]"
	}
	f.fail(n, "wrong-type", fix, "%s must be %s; this is %s", what, want, have)
}

// word reads one word of a closed set.
func (f *file) word(n *node, what string, set ...string) (string, bool) {
	if n == nil {
		return "", false
	}
	if n.kind != isText {
		if n.kind == isNull {
			f.empty(n, what)
		} else {
			f.wrongKind(n, what, "one of: "+strings.Join(set, ", "))
		}
		return "", false
	}
	for _, w := range set {
		if n.text == w {
			return w, true
		}
	}
	f.fail(n, "unknown-word", didYouMean(n.text, set), "`%s` is not a value of %s, which may be %s", n.text, what, strings.Join(set, ", "))
	return "", false
}

// yesNo reads true or false.
func (f *file) yesNo(n *node, what string) bool {
	if n == nil {
		return false
	}
	if n.kind == isText && n.style == 0 {
		switch n.text {
		case "true":
			return true
		case "false":
			return false
		}
	}
	fix := "write true or false"
	if n.kind == isText {
		switch strings.ToLower(n.text) {
		case "yes", "on", "y", "true":
			fix = "write true"
		case "no", "off", "n", "false":
			fix = "write false"
		}
	}
	f.fail(n, "wrong-type", fix, "%s is true or false", what)
	return false
}

// count reads a whole number between low and high.
func (f *file) count(n *node, what string, low, high int) (int, bool) {
	if n == nil {
		return 0, false
	}
	if n.kind == isText && (n.style == 0 || n.style == '"' || n.style == '\'') {
		if v, err := strconv.Atoi(n.text); err == nil {
			if v >= low && v <= high {
				return v, true
			}
			f.fail(n, "out-of-range", "", "%s is from %d to %d; this is %d", what, low, high, v)
			return 0, false
		}
	}
	if n.kind == isNull {
		f.empty(n, what)
		return 0, false
	}
	f.fail(n, "wrong-type", "", "%s is a whole number from %d to %d", what, low, high)
	return 0, false
}

var durationForm = regexp.MustCompile(`^([0-9]{1,9})(ms|s|m|h|d)$`)

// duration reads 5s, 8m, 2h or 3d, between low and high.
func (f *file) duration(n *node, what string, low, high time.Duration) (time.Duration, bool) {
	if n == nil {
		return 0, false
	}
	if n.kind == isNull {
		f.empty(n, what)
		return 0, false
	}
	parts := durationForm.FindStringSubmatch(n.text)
	if n.kind != isText || parts == nil {
		fix := "write a number and s, m, h or d, such as 5s"
		if n.kind == isText && numberLike.MatchString(n.text) {
			fix = fmt.Sprintf("write %ss for seconds", n.text)
		}
		f.fail(n, "duration", fix, "%s is a duration such as 5s, 8m, 2h or 3d", what)
		return 0, false
	}
	count, _ := strconv.ParseInt(parts[1], 10, 64)
	unit := map[string]time.Duration{"ms": time.Millisecond, "s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[parts[2]]
	if count > int64(high/unit)+1 || time.Duration(count)*unit > high || time.Duration(count)*unit < low {
		f.fail(n, "out-of-range", "", "%s is from %s to %s; this is %s", what, shortDuration(low), shortDuration(high), n.text)
		return 0, false
	}
	return time.Duration(count) * unit, true
}

// shortDuration writes a duration as flow files do.
func shortDuration(d time.Duration) string {
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

// name reads something the designer named.
func (f *file) name(n *node, what string) (string, bool) {
	s, ok := f.text(n, what)
	if !ok {
		return "", false
	}
	return s, f.goodName(n, what)
}

// goodName checks the pattern of names at a key or value.
func (f *file) goodName(n *node, what string) bool {
	if nameForm.MatchString(n.text) && len(n.text) <= 64 {
		return true
	}
	fix := "use a-z, 0-9 and _, beginning with a letter"
	if better := asName(n.text); nameForm.MatchString(better) {
		fix = fmt.Sprintf("write `%s`", better)
	}
	f.fail(n, "name", fix, "`%s` cannot be %s: names have small letters, digits and _, begin with a letter and have up to 64 characters", n.text, what)
	return false
}

func asName(s string) string {
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

// fields checks that n is a map with known keys only, and reports whether it is a map.
func (f *file) fields(n *node, what string, known ...string) bool {
	if n == nil {
		return false
	}
	if n.kind == isNull {
		f.empty(n, what)
		return false
	}
	if n.kind != isMap {
		f.wrongKind(n, what, "a map of `key: value`")
		return false
	}
	for _, e := range n.entries {
		ok := false
		for _, k := range known {
			ok = ok || e.key.text == k
		}
		if !ok {
			f.fail(e.key, "unknown-key", didYouMean(e.key.text, known), "%s has no `%s`", what, e.key.text)
		}
	}
	return true
}

// list reads a list.
func (f *file) list(n *node, what string) []*node {
	if n == nil {
		return nil
	}
	if n.kind == isNull {
		f.empty(n, what)
		return nil
	}
	if n.kind != isList {
		f.wrongKind(n, what, "a list")
		return nil
	}
	return n.items
}
