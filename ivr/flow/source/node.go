package source

import (
	"strings"
	"unicode/utf8"
)

// Kind is what a node is.
type Kind uint8

// Kinds of nodes.
const (
	Null Kind = iota
	Text      // any scalar; Style says how it was written
	Map
	List
)

// Node is one value of a file with its place. It keeps what the designer wrote:
// an unquoted 01 stays text "01" of style plain.
type Node struct {
	Kind    Kind
	At      Place
	Style   byte // of text: 0 plain, or ' " | >
	Text    string
	Flow    bool // written with { } or [ ]
	Entries []Entry
	Items   []*Node
}

// Entry is one key with its value, in the order written.
type Entry struct{ Key, Val *Node }

// width is how many characters an error at n underlines.
func (n *Node) width() int {
	if n.Kind != Text || n.Style == '|' || n.Style == '>' || strings.ContainsRune(n.Text, '\n') {
		return 1
	}
	w := utf8.RuneCountInString(n.Text)
	if n.Style != 0 {
		w += 2
	}
	return w
}

// Get is the value of a key, nil if it is not there.
func (n *Node) Get(key string) *Node {
	for _, e := range n.Entries {
		if e.Key.Text == key {
			return e.Val
		}
	}
	return nil
}

// KeyOf is the node of a key itself, n if it is not there.
func (n *Node) KeyOf(key string) *Node {
	for _, e := range n.Entries {
		if e.Key.Text == key {
			return e.Key
		}
	}
	return n
}
