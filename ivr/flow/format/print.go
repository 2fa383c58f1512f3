package format

import (
	"bytes"
	"strings"

	"golang.org/x/text/width"

	"tandem/ivr/flow/source"
)

// indentation of a value below its key.
const indentation = 2

// printer writes a document.
type printer struct {
	out     bytes.Buffer
	midline bool // after `- `: the next entry goes on this line
	keeps   bool // after a text that counts the empty lines below it
}

func (d *document) print() []byte {
	p := &printer{}
	for i, l := range d.header {
		p.comment(l, 0, i == 0)
	}
	if len(d.header) > 0 && d.gap {
		p.out.WriteByte('\n')
	}
	p.collection(d.root, 0)
	return p.out.Bytes()
}

// comment writes a comment on a line of its own.
func (p *printer) comment(l line, indent int, first bool) {
	p.blank(l.blank && !first)
	p.out.WriteString(strings.Repeat(" ", indent) + l.text + "\n")
}

// blank writes an empty line where there was one.
func (p *printer) blank(there bool) {
	if there && !p.keeps {
		p.out.WriteByte('\n')
	}
	p.keeps = false
}

// collection writes a map or a list in block style.
func (p *printer) collection(v *value, indent int) {
	if len(v.entries) == 0 { // only the file itself can come here
		p.out.WriteString("{}\n")
	}
	for i, e := range v.entries {
		for j, l := range e.head {
			p.comment(l, indent, i == 0 && j == 0)
		}
		p.blank(e.blank && (i > 0 || len(e.head) > 0))
		if !p.midline {
			p.out.WriteString(strings.Repeat(" ", indent))
		}
		p.midline = false
		p.entry(e, indent)
	}
	for _, l := range v.foot {
		p.comment(l, indent, false)
	}
}

func (p *printer) entry(e *entry, indent int) {
	begin := "-"
	if e.key != nil {
		begin = keyText(e.key) + ":"
	}
	tail := ""
	if e.tail != "" {
		tail = " " + e.tail
	}
	p.out.WriteString(begin)
	v := e.val
	deeper := indent + indentation
	switch {
	case v.node.Kind == source.Text && len(v.raw) > 1 || v.block():
		p.lines(v, deeper, tail)
	case v.node.Kind == source.Text || v.node.Kind == source.Null:
		if len(v.raw) > 0 {
			p.out.WriteString(" " + v.raw[0])
		}
		p.out.WriteString(tail + "\n")
	case v.inline() && indent+columns(begin)+1+columns(v.oneLine()) <= maxColumns || len(v.entries) == 0:
		p.out.WriteString(" " + v.oneLine() + tail + "\n")
	case e.key == nil && tail == "" && len(v.entries[0].head) == 0:
		p.out.WriteByte(' ')
		p.midline = true
		p.collection(v, deeper)
	default:
		p.out.WriteString(tail + "\n")
		p.collection(v, deeper)
	}
}

// lines writes a text of several lines. After a block text the comment stands at its
// head, after a quoted one at its end.
func (p *printer) lines(v *value, indent int, tail string) {
	p.out.WriteString(" " + v.raw[0])
	if v.block() {
		p.out.WriteString(tail)
		tail, p.keeps = "", strings.Contains(v.raw[0], "+")
	}
	for _, s := range v.raw[1:] {
		p.out.WriteByte('\n')
		if s != "" {
			p.out.WriteString(strings.Repeat(" ", indent) + s)
		}
	}
	p.out.WriteString(tail + "\n")
}

// inline reports whether a value stays on one line: it was in brackets, on one line,
// and no comment is in it.
func (v *value) inline() bool {
	if !v.node.Flow || v.node.At.Line != v.end.Line {
		return false
	}
	for _, e := range v.entries {
		if e.tail != "" || len(e.head) > 0 || len(e.val.foot) > 0 {
			return false
		}
	}
	return len(v.foot) == 0
}

// oneLine is a value in brackets.
func (v *value) oneLine() string {
	switch v.node.Kind {
	case source.Text, source.Null:
		return strings.Join(v.raw, " ")
	}
	parts, nested := make([]string, len(v.entries)), v.node.Kind == source.Map
	for i, e := range v.entries {
		parts[i] = e.val.oneLine()
		if e.key != nil {
			parts[i] = strings.TrimRight(keyText(e.key)+": "+parts[i], " ")
			if e.val.node.Kind == source.Null && e.val.node.Text == "" && i+1 < len(v.entries) {
				parts[i] += " "
			}
		}
		nested = nested || len(e.val.entries) > 0
	}
	left, right := "[", "]"
	if v.node.Kind == source.Map {
		left, right = "{", "}"
	}
	if len(parts) == 0 {
		return left + right
	}
	if nested {
		left, right = left+" ", " "+right
	}
	return left + strings.Join(parts, ", ") + right
}

// keyText is a key as it is printed.
func keyText(n *source.Node) string {
	switch n.Style {
	case 0:
		return n.Text
	case '\'':
		if strings.ContainsAny(n.Text, "\"\\\t") {
			return "'" + strings.ReplaceAll(n.Text, "'", "''") + "'"
		}
	}
	return double(n.Text)
}

// columns is how many columns of a terminal a text takes: East Asian ones take two.
func columns(s string) int {
	n := 0
	for _, r := range s {
		switch width.LookupRune(r).Kind() {
		case width.EastAsianWide, width.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}
