package source

import "unicode"

// trace maps each character of n's text to its place in the file: quotes, escapes,
// folding and indentation are undone. A character that cannot be followed has the
// place of the one before it.
func (f *File) trace(n *Node) []Place {
	s := cursor{lines: f.lines, at: n.At}
	switch n.Style {
	case '"', '\'':
		s.step()
	case '|', '>':
		s.at = Place{n.At.Line + 1, 1}
	}
	out := make([]Place, 0, len(n.Text)+1)
	last := s.at
	for _, want := range n.Text {
		p, ok := s.find(want, n.Style)
		if !ok {
			p = last
		}
		out, last = append(out, p), p
	}
	return append(out, Place{last.Line, last.Col + 1})
}

// cursor walks over the characters of a file.
type cursor struct {
	lines []string
	at    Place
	row   []rune // of the line rowOf
	rowOf int
}

// peek is the character at the place; '\n' at a line's end, 0 at the file's.
func (s *cursor) peek() rune {
	if s.at.Line > len(s.lines) {
		return 0
	}
	if s.rowOf != s.at.Line {
		s.row, s.rowOf = []rune(s.lines[s.at.Line-1]), s.at.Line
	}
	if s.at.Col > len(s.row) {
		return '\n'
	}
	return s.row[s.at.Col-1]
}

func (s *cursor) step() {
	if s.peek() == '\n' {
		s.at = Place{s.at.Line + 1, 1}
	} else {
		s.at.Col++
	}
}

func blank(r rune) bool { return r == ' ' || r == '\t' || r == '\n' }

// find moves past the source of one character of the text and says where it began.
func (s *cursor) find(want rune, style byte) (Place, bool) {
	for {
		got := s.peek()
		p := s.at
		switch {
		case got == 0:
			return p, false
		case style == '"' && got == '\\':
			s.escape()
			if p.Line != s.at.Line {
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
func (s *cursor) escape() {
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
func (f *File) within(n *Node, col int) Place {
	if n.Kind != Text || col < 1 {
		return n.At
	}
	places := f.trace(n)
	return places[min(col-1, len(places)-1)]
}

// runeAt is the character at p, 0 at a line's end.
func (f *File) runeAt(p Place) rune {
	if p.Line <= len(f.lines) {
		if row := []rune(f.lines[p.Line-1]); p.Col >= 1 && p.Col <= len(row) {
			return row[p.Col-1]
		}
	}
	return 0
}

// wordAt is the length of the word at p, at least 1.
func (f *File) wordAt(p Place) int {
	if p.Line > len(f.lines) {
		return 1
	}
	row := []rune(f.lines[p.Line-1])
	n := 0
	for i := max(p.Col-1, 0); i < len(row) && (unicode.IsLetter(row[i]) || unicode.IsDigit(row[i]) || row[i] == '_'); i++ {
		n++
	}
	return max(n, 1)
}
