package format

import (
	"strconv"
	"strings"
	"unicode"

	"tandem/ivr/flow/source"
)

// block reports a text written below | or >.
func (v *value) block() bool {
	return v.node.Kind == source.Text && (v.node.Style == '|' || v.node.Style == '>')
}

// scalar finds the lines of a text in the file.
func (b *builder) scalar(v *value, indent int) {
	n := v.node
	switch n.Style {
	case '|', '>':
		b.blockText(v, indent)
	case '"', '\'':
		b.quoted(v)
	default:
		b.plain(v)
	}
}

// plain follows an unquoted text. One that goes over several lines becomes one line.
func (b *builder) plain(v *value) {
	at := v.node.At
	row := b.d.runes(at.Line)
	col := at.Col
	v.end = at
	for _, want := range v.node.Text {
		if unicode.IsSpace(want) {
			continue
		}
		for col > len(row) || row[col-1] == ' ' || row[col-1] == '\t' {
			if col > len(row) {
				at.Line++
				if at.Line > len(b.d.lines) {
					b.lost = v.node
					return
				}
				row, col = b.d.runes(at.Line), 1
				continue
			}
			col++
		}
		if row[col-1] != want {
			b.lost = v.node
			return
		}
		v.end = source.Place{Line: at.Line, Col: col}
		col++
	}
	v.raw = []string{v.node.Text}
	if strings.Contains(v.node.Text, "\n") {
		v.raw[0] = double(v.node.Text)
	}
}

// quoted follows a text to its closing quote. On one line it is written with ", unless
// that would need escapes; over several lines it stays as it is.
func (b *builder) quoted(v *value) {
	quote, at := rune(v.node.Style), v.node.At
	row := b.d.runes(at.Line)
	if at.Col > len(row) || row[at.Col-1] != quote {
		b.lost = v.node
		return
	}
	from := at.Col - 1
	for i := at.Col; ; i++ {
		for i >= len(row) { // the text goes on below
			b.rawLine(v, string(row[min(from, len(row)):]))
			at.Line++
			if at.Line > len(b.d.lines) {
				b.lost = v.node
				return
			}
			row, from, i = b.d.runes(at.Line), 0, 0
		}
		switch {
		case quote == '"' && row[i] == '\\':
			i++
		case row[i] == quote && quote == '\'' && i+1 < len(row) && row[i+1] == quote:
			i++
		case row[i] == quote:
			b.rawLine(v, string(row[from:i+1]))
			v.end = source.Place{Line: at.Line, Col: i + 1}
			if len(v.raw) == 1 && quote == '\'' && !strings.ContainsAny(v.node.Text, "\"\\\t") {
				v.raw[0] = `"` + v.node.Text + `"`
			}
			return
		}
	}
}

// rawLine adds one line of a quoted text; the indentation of all but the first means
// nothing.
func (b *builder) rawLine(v *value, s string) {
	if len(v.raw) > 0 {
		s = strings.TrimLeft(s, " \t")
	}
	v.raw = append(v.raw, s)
}

// blockText takes the lines below | or > without their indentation.
func (b *builder) blockText(v *value, indent int) {
	at := v.node.At
	row := b.d.runes(at.Line)
	if at.Col > len(row) {
		b.lost = v.node
		return
	}
	head, _, _ := strings.Cut(string(row[at.Col-1:]), "#")
	head = strings.TrimSpace(head)
	depth := 0
	if i := strings.IndexAny(head, "123456789"); i >= 0 {
		depth = indent - 1 + int(head[i]-'0')
		head = head[:i] + "2" + head[i+1:]
	}
	v.raw = []string{head}
	n := at.Line + 1
	for ; n <= len(b.d.lines); n++ {
		s := b.d.row(n)
		lead := len(s) - len(strings.TrimLeft(s, " "))
		if strings.Trim(s, " ") == "" {
			v.raw = append(v.raw, s[min(len(s), max(depth, 0)):])
			continue
		}
		if depth == 0 {
			if lead < indent {
				break
			}
			depth = lead
		}
		if lead < depth {
			break
		}
		v.raw = append(v.raw, s[depth:])
	}
	if !strings.Contains(head, "+") {
		for len(v.raw) > 1 && strings.TrimSpace(v.raw[len(v.raw)-1]) == "" {
			v.raw = v.raw[:len(v.raw)-1]
		}
	} else if n > len(b.d.lines) && len(v.raw) > 1 {
		v.raw = v.raw[:len(v.raw)-1] // what follows the last line break of the file
	}
}

// double quotes a text.
func double(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case !unicode.IsPrint(r):
			q := strconv.QuoteRuneToASCII(r)
			b.WriteString(q[1 : len(q)-1])
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
