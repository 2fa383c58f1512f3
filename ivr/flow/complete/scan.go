package complete

import "strings"

// maxOpen is how many maps and lists may be open: twice what a file that can be read has.
const maxOpen = 64

// scanner reads a file as far as it goes, whatever is wrong with it: by indentation,
// brackets and colons, without ever giving up. It is for names and for completion;
// package source is what reads files.
type scanner struct {
	frames  []frame
	hidden  int // lines indented deeper than this are a text below | or >; -1 = none
	onKey   func(path []string, line int)
	onValue func(path []string, text string, line int)
	line    int

	last token // what the text ends in
}

// frame is a map or a list that is open.
type frame struct {
	indent int  // of its keys or dashes; of one in brackets, of the line where it opened
	open   byte // { or [, 0 in block style
	list   bool
	key    string // whose value comes
	keys   []string
}

// token is a word of a file.
type token struct {
	at    int  // characters before it on its line
	quote byte // " or ', 0 = none
	text  string
	ended bool // by a closing quote, or something after it
	there bool
}

func newScanner() *scanner { return &scanner{hidden: -1} }

// scan reads a text.
func (s *scanner) scan(lines []string) {
	for i, l := range lines {
		s.line = i + 1
		s.row([]rune(l))
	}
}

// path is where the scanner stands: keys, and [] for an item of a list.
func (s *scanner) path() []string {
	var out []string
	for _, f := range s.frames {
		switch {
		case f.list:
			out = append(out, "[]")
		case f.key != "":
			out = append(out, f.key)
		}
	}
	return out
}

func (s *scanner) top() *frame {
	if len(s.frames) == 0 {
		return nil
	}
	return &s.frames[len(s.frames)-1]
}

func (s *scanner) push(f frame) {
	if len(s.frames) < maxOpen {
		s.frames = append(s.frames, f)
	}
}

func (s *scanner) pop() {
	if len(s.frames) > 0 {
		s.frames = s.frames[:len(s.frames)-1]
	}
}

// leave closes what is indented deeper than a line, and a list at its own depth where
// a key comes.
func (s *scanner) leave(indent int, dash bool) {
	for f := s.top(); f != nil && (f.indent > indent || f.open != 0 && f.indent >= indent || f.list && f.indent == indent && !dash); f = s.top() {
		s.pop()
	}
}

func (s *scanner) row(r []rune) {
	s.last = token{}
	indent := 0
	for indent < len(r) && r[indent] == ' ' {
		indent++
	}
	if indent == len(r) || r[indent] == '#' {
		s.last.at = indent
		return
	}
	if s.hidden >= 0 && indent > s.hidden {
		s.last = token{at: indent, text: string(r[indent:]), quote: '|', there: true}
		return
	}
	s.hidden = -1
	if f := s.top(); f != nil && f.open != 0 {
		if indent > f.indent || !startsEntry(r[indent:]) {
			s.brackets(r, indent)
			return
		}
	}
	s.block(r, indent)
}

// startsEntry reports a line that can only be a new entry: `key:` or `- `.
func startsEntry(r []rune) bool {
	if r[0] == '-' {
		return len(r) == 1 || r[1] == ' '
	}
	t := word(r, 0, ":,{}[]\"'")
	i := t.at + len([]rune(t.text))
	return t.text != "" && i < len(r) && r[i] == ':' && (i+1 == len(r) || r[i+1] == ' ')
}

// block reads the rest of a line in block style, from a column on.
func (s *scanner) block(r []rune, i int) {
	dash := r[i] == '-' && (i+1 == len(r) || r[i+1] == ' ')
	s.leave(i, dash)
	if dash {
		if f := s.top(); f == nil || !f.list || f.indent != i {
			s.push(frame{indent: i, list: true})
		}
		for i++; i < len(r) && r[i] == ' '; {
			i++
		}
		if i < len(r) && r[i] != '#' {
			s.item(r, i)
		} else {
			s.last = token{at: i}
		}
		return
	}
	s.item(r, i)
}

// item reads a key with its value, or a value alone.
func (s *scanner) item(r []rune, i int) {
	if strings.ContainsRune("{[", r[i]) || !startsEntry(r[i:]) && !quotedKey(r[i:]) {
		if f := s.top(); f == nil || f.list || strings.ContainsRune("{[\"'|>", r[i]) {
			s.value(r, i)
			return
		}
		s.last = word(r, i, "#") // a key that is being written, or text gone astray
		return
	}
	if r[i] == '-' {
		s.block(r, i)
		return
	}
	t := word(r, i, ":")
	if f := s.top(); f == nil || f.list || f.indent != i {
		s.push(frame{indent: i})
	}
	s.key(t.text)
	next := end(t) + 1
	for next < len(r) && r[next] == ' ' {
		next++
	}
	s.last = token{at: next}
	if next < len(r) {
		s.value(r, next)
	}
}

// end is the column after a token.
func end(t token) int {
	n := t.at + len([]rune(t.text))
	if t.quote != 0 {
		n++
		if t.ended {
			n++
		}
	}
	return n
}

func quotedKey(r []rune) bool {
	if r[0] != '"' && r[0] != '\'' {
		return false
	}
	t := word(r, 0, ":")
	return t.ended && end(t) < len(r) && r[end(t)] == ':'
}

func (s *scanner) key(name string) {
	f := s.top()
	f.key = name
	f.keys = append(f.keys, name)
	if s.onKey != nil && name != "" { // an empty key has no place in a path
		s.onKey(s.path(), s.line)
	}
}

func (s *scanner) value(r []rune, i int) {
	switch r[i] {
	case '#':
		s.last = token{at: i, ended: true, there: true}
	case '{', '[':
		s.brackets(r, i)
	case '|', '>':
		if f := s.top(); f != nil {
			s.hidden = f.indent
		}
	default:
		s.scalar(word(r, i, "#"))
	}
}

func (s *scanner) scalar(t token) {
	t.there = true
	s.last = t
	if s.onValue != nil {
		s.onValue(s.path(), t.text, s.line)
	}
}

// brackets reads the rest of a line that is inside { } or [ ].
func (s *scanner) brackets(r []rune, i int) {
	line := 0
	for line < len(r) && r[line] == ' ' {
		line++
	}
	for i < len(r) {
		f := s.top()
		switch {
		case r[i] == ' ':
			i++
			s.last = token{at: i}
		case r[i] == '#' && (i == 0 || r[i-1] == ' '):
			s.last = token{at: i, ended: true, there: true}
			return
		case r[i] == '{' || r[i] == '[':
			s.push(frame{indent: line, open: byte(r[i]), list: r[i] == '['})
			i++
			s.last = token{at: i}
		case f == nil || f.open == 0:
			s.last = token{at: i, ended: true, there: true}
			return // after the last bracket
		case r[i] == '}' || r[i] == ']':
			s.pop()
			i++
			s.last = token{at: i, ended: true, there: true}
		case r[i] == ',':
			f.key = ""
			i++
			s.last = token{at: i}
		default:
			t := word(r, i, ",:{}[]#")
			i = max(end(t), i+1)
			if i < len(r) && r[i] == ':' && f.open == '{' && f.key == "" {
				s.key(t.text)
				i++
				s.last = token{at: i}
				continue
			}
			if f.open == '{' && f.key == "" {
				s.last = t
				s.last.there = true
				continue
			}
			s.scalar(t)
		}
	}
}

// word reads a quoted text or plain words up to one of the stops. A colon stops where
// a blank follows, a # where a blank stands before it.
func word(r []rune, i int, stops string) token {
	t := token{at: i, there: true}
	if r[i] == '"' || r[i] == '\'' {
		t.quote = byte(r[i])
		from := i + 1
		for i = from; i < len(r); i++ {
			if r[i] == '\\' && t.quote == '"' {
				i++
			} else if r[i] == rune(t.quote) {
				if t.quote == '\'' && i+1 < len(r) && r[i+1] == '\'' {
					i++
					continue
				}
				t.ended = true
				break
			}
		}
		t.text = string(r[from:min(i, len(r))])
		return t
	}
	from := i
	for ; i < len(r); i++ {
		if !strings.ContainsRune(stops, r[i]) {
			continue
		}
		if r[i] == ':' && i+1 < len(r) && r[i+1] != ' ' || r[i] == '#' && i > 0 && r[i-1] != ' ' {
			continue
		}
		if r[i] == '{' && i > from && r[i-1] == '$' { // a value put into a text
			for i < len(r) && r[i] != '}' {
				i++
			}
			continue
		}
		t.ended = true
		break
	}
	t.text = strings.TrimRight(string(r[from:min(i, len(r))]), " ")
	return t
}
