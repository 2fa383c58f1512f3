package format

import (
	"fmt"
	"slices"
	"strings"

	"tandem/ivr/flow/source"
)

// maxColumns is how many columns of a terminal a line may take before its brackets are
// opened up. A text that is longer by itself stays as it is.
const maxColumns = 140

// Error says why a text cannot be laid out, at its place.
type Error struct{ Diagnostic source.Diagnostic }

// Error is the message with its place.
func (e *Error) Error() string {
	return fmt.Sprintf("line %d, column %d: %s", e.Diagnostic.Line, e.Diagnostic.Column, e.Diagnostic.Message)
}

// Source lays out one file of any kind. A text that cannot be read as a flow file
// reads is an *Error, and nothing is made of it. What is laid out once stays the same.
func Source(src []byte) ([]byte, error) {
	f := source.New("", "")
	if !f.Parse(src) || f.Broken() {
		return nil, refused(f)
	}
	d, err := newDocument(text(src), f.Root)
	if err != nil {
		return nil, err
	}
	d.arrange()
	out := d.print()
	if err := d.verify(out); err != nil {
		return nil, err
	}
	return out, nil
}

// refused is the first error of a file.
func refused(f *source.File) error {
	for _, d := range f.Found() {
		if d.Severity == source.Error {
			return &Error{Diagnostic: d}
		}
	}
	return unable(1, "the file cannot be read")
}

// unable is a text that is fine, but that this package cannot lay out.
func unable(line int, why string) error {
	return &Error{Diagnostic: source.Diagnostic{
		Line: line, Column: 1, Severity: source.Error, Rule: "layout", Message: why,
		Suggestion: "write this part in plainer YAML",
	}}
}

// text is a file as lines are counted in it: without a BOM, lines ended by \n.
func text(src []byte) string {
	s := strings.TrimPrefix(string(src), "\xef\xbb\xbf")
	return strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n")
}

// verify reads a laid out text and holds it against the document: the same values in
// the arranged order, and the same comments.
func (d *document) verify(out []byte) error {
	f := source.New("", "")
	if !f.Parse(out) || f.Broken() {
		return unable(1, "the file cannot be laid out without changing it")
	}
	if at, ok := same(d.root, f.Root); !ok {
		return unable(at.Line, "this cannot be laid out without changing it")
	}
	var after []string
	found, err := comments(text(out), scan(text(out)))
	if err != nil {
		return err
	}
	for _, c := range found {
		after = append(after, c.text)
	}
	before := slices.Clone(d.comments)
	slices.Sort(before)
	slices.Sort(after)
	if !slices.Equal(before, after) {
		return unable(1, "the comments of the file cannot be laid out")
	}
	return nil
}

// same compares a value with a node that was read again, and says where they part.
func same(v *value, n *source.Node) (source.Place, bool) {
	at := v.node.At
	if v.node.Kind != n.Kind || v.node.Text != n.Text {
		return at, false
	}
	switch n.Kind {
	case source.Text:
		return at, (v.node.Style == 0) == (n.Style == 0) || strings.Contains(n.Text, "\n")
	case source.Map:
		if len(v.entries) != len(n.Entries) {
			return at, false
		}
		for i, e := range v.entries {
			if e.key.Text != n.Entries[i].Key.Text {
				return e.key.At, false
			}
			if p, ok := same(e.val, n.Entries[i].Val); !ok {
				return p, false
			}
		}
	case source.List:
		if len(v.entries) != len(n.Items) {
			return at, false
		}
		for i, e := range v.entries {
			if p, ok := same(e.val, n.Items[i]); !ok {
				return p, false
			}
		}
	}
	return at, true
}
