package format

import (
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/token"

	"tandem/ivr/flow/source"
)

// document is one file: its values, each with the words that stand around it.
type document struct {
	lines    []string
	root     *value
	order    []*entry         // every entry, a parent before its children, as in the file
	flows    []*value         // every value in brackets
	byLine   map[int][]*entry // that begin or end on a line, in the same order
	comments []string         // the text of every comment, for verify

	header []line // words about the whole file
	gap    bool   // a blank line follows them

	cut   []rune // the characters of line cutOf: many values may stand on one
	cutOf int
}

// line is a comment on a line of its own.
type line struct {
	blank bool // a blank line stands above it
	text  string
}

// entry is one `key: value` of a map or one item of a list, which has no key.
type entry struct {
	parent *value
	key    *source.Node
	val    *value
	at     source.Place
	blank  bool   // a blank line stands above it
	head   []line // comments above it
	tail   string // the comment at the end of its line
}

// value is a node with its extent.
type value struct {
	node    *source.Node
	end     source.Place // of its last character; of a block text, its first line
	entries []*entry
	foot    []line   // comments after the last entry
	raw     []string // lines of a scalar as they are printed; of a block text, without indentation
	column  int      // of a block collection
}

func before(a, b source.Place) bool {
	return a.Line < b.Line || a.Line == b.Line && a.Col < b.Col
}

// scan is the tokens of a text that has been read before.
func scan(text string) token.Tokens { return lexer.Tokenize(text) }

// newDocument joins a tree with the comments of its text.
func newDocument(text string, root *source.Node) (*document, error) {
	d := &document{lines: strings.Split(text, "\n")}
	tokens := scan(text)
	ends := map[source.Place]source.Place{}
	var open []source.Place
	for _, t := range tokens {
		at := place(t)
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			open = append(open, at)
		case token.MappingEndType, token.SequenceEndType:
			if len(open) > 0 {
				ends[open[len(open)-1]], open = at, open[:len(open)-1]
			}
		}
	}
	b := builder{d: d, ends: ends}
	d.root = b.value(root, 1)
	if b.lost != nil {
		return nil, unable(b.lost.At.Line, "this text cannot be followed from its first to its last line")
	}
	d.byLine = map[int][]*entry{}
	for _, e := range d.order {
		d.byLine[e.at.Line] = append(d.byLine[e.at.Line], e)
		if e.val.end.Line != e.at.Line {
			d.byLine[e.val.end.Line] = append(d.byLine[e.val.end.Line], e)
		}
	}
	found, err := comments(text, tokens)
	if err != nil {
		return nil, err
	}
	for _, c := range found {
		d.comments = append(d.comments, c.text)
		d.attach(c)
	}
	return d, nil
}

func place(t *token.Token) source.Place {
	return source.Place{Line: t.Position.Line, Col: t.Position.Column}
}

// builder makes values of nodes.
type builder struct {
	d    *document
	ends map[source.Place]source.Place // of brackets
	lost *source.Node                  // a scalar whose end was not found
}

// value makes the value of a node; indent is the column of the map or list around it.
func (b *builder) value(n *source.Node, indent int) *value {
	v := &value{node: n, end: n.At}
	switch n.Kind {
	case source.Text:
		b.scalar(v, indent)
		return v
	case source.Null:
		if n.Text != "" {
			v.raw = []string{n.Text}
			v.end.Col += utf8.RuneCountInString(n.Text) - 1
		}
		return v
	}
	v.column = n.At.Col
	if n.Kind == source.List && !n.Flow && len(n.Items) > 0 {
		v.column = b.dash(n)
	}
	if n.Flow {
		b.d.flows = append(b.d.flows, v)
	}
	for _, e := range n.Entries {
		b.entry(v, e.Key, e.Val)
	}
	for _, item := range n.Items {
		b.entry(v, nil, item)
	}
	if end, ok := b.ends[n.At]; ok && n.Flow {
		v.end = end
	} else if len(v.entries) > 0 {
		v.end = v.entries[len(v.entries)-1].val.end
	}
	return v
}

// dash is the column of a list's first dash.
func (b *builder) dash(list *source.Node) int {
	at := list.Items[0].At
	row := b.d.runes(at.Line)
	for i := min(at.Col-2, len(row)-1); i >= 0; i-- {
		if row[i] == '-' {
			return i + 1
		}
	}
	return max(1, at.Col-2)
}

func (b *builder) entry(parent *value, key, val *source.Node) {
	e := &entry{parent: parent, key: key, at: val.At}
	if key != nil {
		e.at = key.At
	}
	parent.entries = append(parent.entries, e)
	b.d.order = append(b.d.order, e)
	e.val = b.value(val, parent.column)
	if val.Kind == source.Null && val.Text == "" && key != nil {
		e.val.end = source.Place{Line: key.At.Line, Col: key.At.Col + utf8.RuneCountInString(key.Text)}
	}
	e.blank = b.d.blankAbove(e.at.Line) && e.at.Col <= b.d.firstWord(e.at.Line)
}

// row is a line of the file, "" outside it.
func (d *document) row(n int) string {
	if n < 1 || n > len(d.lines) {
		return ""
	}
	return d.lines[n-1]
}

// runes is the characters of a line.
func (d *document) runes(n int) []rune {
	if d.cutOf != n {
		d.cut, d.cutOf = []rune(d.row(n)), n
	}
	return d.cut
}

// firstWord is the column of the first character of a line that is no blank and no dash.
func (d *document) firstWord(n int) int {
	for i, r := range d.runes(n) {
		if r != ' ' && r != '-' {
			return i + 1
		}
	}
	return 1
}

func (d *document) blankAbove(n int) bool {
	return n > 1 && strings.TrimSpace(d.row(n-1)) == ""
}

// comment is one comment with its place.
type comment struct {
	at    source.Place
	alone bool // on a line of its own
	text  string
}

// comments finds the comments of a text, in the order written.
func comments(text string, tokens token.Tokens) ([]comment, error) {
	lines := strings.Split(text, "\n")
	var out []comment
	for _, t := range tokens {
		if t.Type != token.CommentType {
			continue
		}
		at := place(t)
		if at.Line < 1 || at.Line > len(lines) {
			return nil, unable(len(lines), "a comment cannot be followed")
		}
		row := []rune(lines[at.Line-1])
		at.Col = min(at.Col, len(row))
		for at.Col > 0 && (row[at.Col-1] != '#' || !strings.HasPrefix(string(row[at.Col:]), strings.TrimRight(t.Value, " \t"))) {
			at.Col-- // behind | and > the lexer counts too far
		}
		if at.Col == 0 {
			return nil, unable(at.Line, "the comment on this line cannot be followed")
		}
		out = append(out, comment{
			at: at, alone: strings.TrimSpace(string(row[:at.Col-1])) == "",
			text: strings.TrimRight(string(row[at.Col-1:]), " \t"),
		})
	}
	return out, nil
}
