package source

import (
	"slices"
	"strings"
	"testing"
)

// TestWithin follows each X of a decoded text back to the X in its source.
func TestWithin(t *testing.T) {
	for name, source := range map[string]string{
		"plain":            "k: a X b",
		"plain, chinese":   "k: 您好,X 和 X",
		"plain, folded":    "k: one X\n  two X\n\n  three X",
		"single":           "k: 'it''s X, isn''t X'",
		"single, folded":   "k: 'one\n   two X'",
		"double":           `k: "say \"X\" \u4f60\x41 X\tX"`,
		"double, folded":   "k: \"one X\n    two \\\n   three X\n\n  four X\"",
		"literal":          "k: |\n  one X\n    two X\n\n  three X\n",
		"literal, indent":  "k: |2\n    one X\n  two X\n",
		"folded":           "k: >-\n  one X\n  two X\n\n  three X\n    four X\n",
		"in a flow map":    "k: { a: 1, b: 'X', c: one X, d: \"X\" }",
		"in a list":        "k:\n  - X\n  - a X\n  - - \"X\"",
		"after a BOM":      "\xef\xbb\xbfk: a X",
		"windows lines":    "a: b\r\nk: >\r\n  one\r\n  two X\r\n",
		"a comment before": "# X in a comment is not counted\nk: a X # nor this one",
	} {
		t.Run(name, func(t *testing.T) {
			f := New("x.flow.yaml", "x.flow.yaml")
			if !f.Parse([]byte(source)) {
				t.Fatalf("not read:\n%s", shown(f.found))
			}
			var got []Place
			var walk func(*Node)
			walk = func(n *Node) {
				for i, c := range []rune(n.Text) {
					if n.Kind == Text && c == 'X' {
						got = append(got, f.within(n, i+1))
					}
				}
				for _, e := range n.Entries {
					walk(e.Val)
				}
				for _, i := range n.Items {
					walk(i)
				}
			}
			walk(f.Root)
			var want []Place
			for i, line := range f.lines {
				before, _, _ := strings.Cut(line, "#")
				for j, c := range []rune(before) {
					if c == 'X' {
						want = append(want, Place{i + 1, j + 1})
					}
				}
			}
			if len(want) == 0 || !slices.Equal(got, want) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}
