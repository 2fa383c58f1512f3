package read

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of a file (rule 7). They are checked before the parser runs, because its
// time grows with the square of what it is given.
const (
	maxFileBytes = 1 << 20
	maxDepth     = 32
	maxEntries   = 40_000 // keys, list items and commas: 2,000 steps of 20
	maxSiblings  = 4_000  // keys of one map, the part the parser is slowest at
	maxSteps     = 2_000
)

type kind uint8

const (
	isNull kind = iota
	isText      // any scalar; style says how it was written
	isMap
	isList
)

// node is one value of a file with its place. It keeps what the designer wrote:
// an unquoted 01 stays text "01" of style plain.
type node struct {
	kind    kind
	at      place
	style   byte // of text: 0 plain, or ' " | >
	text    string
	flow    bool // written with { } or [ ]
	entries []entry
	items   []*node
}

// entry is one key with its value, in the order written.
type entry struct{ key, val *node }

// width is how many characters an error at n underlines.
func (n *node) width() int {
	if n.kind != isText || n.style == '|' || n.style == '>' || strings.ContainsRune(n.text, '\n') {
		return 1
	}
	w := utf8.RuneCountInString(n.text)
	if n.style != 0 {
		w += 2
	}
	return w
}

// get is the value of a key, nil if it is not there.
func (n *node) get(key string) *node {
	for _, e := range n.entries {
		if e.key.text == key {
			return e.val
		}
	}
	return nil
}

// parse reads the file's text into f.root. At the first syntax error it reports one
// diagnostic and returns false.
func (f *file) parse(data []byte) bool {
	if len(data) > maxFileBytes {
		f.report(Error, place{1, 1}, 1, "file-size", "split it into several files", "the file has %d bytes; %d are allowed", len(data), maxFileBytes)
		return false
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	text := strings.ReplaceAll(strings.ReplaceAll(string(data), "\r\n", "\n"), "\r", "\n")
	f.lines = strings.Split(text, "\n")
	if !utf8.ValidString(text) {
		f.badEncoding(text)
		return false
	}
	if i := strings.IndexFunc(text, func(r rune) bool { return r < ' ' && r != '\n' && r != '\t' || r == 0x7f }); i >= 0 {
		f.report(Error, placeOf(text, i), 1, "encoding", "remove it", "the file holds a control character (U+%04X)", text[i])
		return false
	}
	for i, line := range f.lines {
		if indent := strings.TrimLeft(line, " "); strings.HasPrefix(indent, "\t") && strings.TrimSpace(indent) != "" && !strings.HasPrefix(strings.TrimSpace(indent), "#") {
			f.report(Error, place{i + 1, len(line) - len(indent) + 1}, 1, "syntax", "indent with spaces", "a tab stands where YAML wants spaces")
			return false
		}
	}
	root, ok := f.tree(text)
	if !ok {
		return false
	}
	if root == nil || root.kind != isMap {
		f.report(Error, place{1, 1}, 1, "syntax", "begin with a line such as `flow: name`", "the file is not a list of `key: value` lines")
		return false
	}
	f.root = root
	return true
}

// tree runs the lexer, the bounds and the parser. A panic of the library is the
// file's fault as far as the designer can help it.
func (f *file) tree(text string) (root *node, ok bool) {
	defer func() {
		if p := recover(); p != nil {
			f.report(Error, place{1, 1}, 1, "syntax", "write the file in plainer YAML", "the file cannot be read as YAML (%v)", p)
			root, ok = nil, false
		}
	}()
	tokens := lexer.Tokenize(text)
	keys, ok := f.bounds(tokens)
	if !ok {
		return nil, false
	}
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		f.syntaxError(err)
		return nil, false
	}
	var body ast.Node
	for _, doc := range parsed.Docs {
		if doc.Body == nil {
			continue
		}
		if body != nil {
			f.report(Error, tokenPlace(doc.Body.GetToken()), 1, "syntax", "put it into a file of its own", "a second document begins here; a file holds one")
			return nil, false
		}
		body = doc.Body
	}
	if body == nil {
		return nil, true
	}
	c := converter{f: f, keys: keys}
	root = c.node(body, 0)
	return root, !c.failed
}

func (f *file) badEncoding(text string) {
	i := 0
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		i += size
	}
	f.report(Error, placeOf(text, i), 1, "encoding", "save the file as UTF-8", "the file is not UTF-8: byte 0x%02x", text[i])
}

func placeOf(text string, offset int) place {
	before := text[:offset]
	line := strings.Count(before, "\n")
	return place{line + 1, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1}
}

func tokenPlace(t *token.Token) place {
	if t == nil || t.Position == nil {
		return place{1, 1}
	}
	return place{max(t.Position.Line, 1), max(t.Position.Column, 1)}
}

// bounds checks the token stream before the parser sees it and returns the places
// of all tokens that a colon follows: the true keys.
func (f *file) bounds(tokens token.Tokens) (map[place]bool, bool) {
	keys := map[place]bool{}
	entries, brackets := 0, 0
	var columns, siblings []int // of the block collections that are open
	for i, t := range tokens {
		if rule, fix, message := refused(t, tokens, i); rule != "" {
			f.report(Error, tokenPlace(t), max(1, utf8.RuneCountInString(strings.TrimSpace(t.Origin))), rule, fix, "%s", message)
			return nil, false
		}
		begins := 0
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			brackets++
		case token.MappingEndType, token.SequenceEndType:
			brackets = max(0, brackets-1)
		case token.CollectEntryType:
			entries++
		case token.SequenceEntryType:
			entries++
			begins = t.Position.Column
		case token.MappingValueType:
			entries++
			if i > 0 {
				keys[tokenPlace(tokens[i-1])] = true
				begins = tokens[i-1].Position.Column
			}
		}
		if begins > 0 && brackets == 0 {
			for len(columns) > 0 && columns[len(columns)-1] > begins {
				columns, siblings = columns[:len(columns)-1], siblings[:len(siblings)-1]
			}
			if len(columns) == 0 || columns[len(columns)-1] < begins {
				columns, siblings = append(columns, begins), append(siblings, 0)
			}
			siblings[len(siblings)-1]++
			if siblings[len(siblings)-1] > maxSiblings {
				f.report(Error, tokenPlace(t), 1, "file-size", "split it into several files", "this map or list has more than %d entries", maxSiblings)
				return nil, false
			}
		}
		if brackets+len(columns) > maxDepth {
			f.report(Error, tokenPlace(t), 1, "too-deep", "make steps of it, or a flow of its own", "this is nested more than %d deep", maxDepth)
			return nil, false
		}
		if entries > maxEntries {
			f.report(Error, tokenPlace(t), 1, "file-size", "split it into several files", "the file has more than %d keys and list items", maxEntries)
			return nil, false
		}
	}
	return keys, true
}

// refused finds the parts of YAML that flow files do without.
func refused(t *token.Token, tokens token.Tokens, i int) (rule, fix, message string) {
	next := ""
	if i+1 < len(tokens) {
		next = tokens[i+1].Value
	}
	switch t.Type {
	case token.AliasType:
		return "alias", fmt.Sprintf("write \"*%s\"", next), fmt.Sprintf("`*%s` without quotes is a YAML alias; keys that callers press must be quoted", next)
	case token.AnchorType:
		return "anchor", fmt.Sprintf("put quotes around text that begins with &, as in \"&%s\"; for a value used twice, write it twice or give it a name under `prompts`", next), "YAML anchors are not used in flow files"
	case token.TagType:
		return "tag", "put quotes around text that begins with !", "YAML tags are not used in flow files"
	case token.MergeKeyType:
		return "merge-key", "write the keys out", "YAML merge keys are not used in flow files"
	case token.MappingKeyType:
		return "complex-key", "put quotes around text that begins with ?", "a key is a plain word before a colon"
	case token.DirectiveType:
		return "directive", "remove the line", "YAML directives are not used in flow files"
	}
	return "", "", ""
}

// syntaxError says in plain words what the parser or the lexer tripped over.
func (f *file) syntaxError(err error) {
	var at interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if !errors.As(err, &at) {
		f.report(Error, place{1, 1}, 1, "syntax", "", "the file cannot be read as YAML: %v", err)
		return
	}
	p := tokenPlace(at.GetToken())
	said := at.GetMessage()
	for _, w := range syntaxWords {
		if strings.Contains(said, w.said) {
			f.report(Error, p, 1, "syntax", w.fix, "%s", w.message)
			return
		}
	}
	f.report(Error, p, 1, "syntax", "put quotes around text with special characters, and look at the indentation", "this is not YAML: %s", said)
}

// syntaxWords translates the library's messages.
var syntaxWords = []struct{ said, message, fix string }{
	{"mapping value is not allowed", "a second `key: value` cannot begin here", "put quotes around text that holds a colon; or look at the indentation of the next line"},
	{"could not find end character of double-quoted", "a text that begins with \" has no end", "close it with \"; inside it, write \\\" for a quotation mark"},
	{"could not find end character of single-quoted", "a text that begins with ' has no end", "close it with '; inside it, write '' for an apostrophe"},
	{"',' or '}' must be specified", "a { has no }", "close it with }, and put quotes around text with , # { or }"},
	{"',' or ']' must be specified", "a [ has no ]", "close it with ], and put quotes around text with , # [ or ]"},
	{"sequence end token ']' not found", "a [ has no ]", "close it with ]"},
	{"could not find flow mapping end token '}'", "a { has no }", "close it with }"},
	{"is a reserved character", "text cannot begin with this character", "put quotes around the text"},
	{"unexpected directive value", "text cannot begin with %", "put quotes around the text"},
	{"value is not allowed in this context", "this does not belong here", "look at the indentation and at the brackets before it; put quotes around text with special characters"},
	{"unexpected key name", "this line is no `key: value`", "put a colon and a space after the key, or quotes around text that goes over several lines"},
	{"non-map value is specified", "this line is no `key: value`", "put a colon and a space after the key"},
	{"found an invalid key", "this cannot be a key", "write a plain word before the colon"},
	{"cannot start any token", "this character cannot stand here", "indent with spaces"},
}

// converter makes nodes of the library's tree and checks for duplicate keys.
type converter struct {
	f      *file
	keys   map[place]bool
	failed bool
}

func (c *converter) node(n ast.Node, depth int) *node {
	if n == nil || depth > 4*maxDepth {
		return &node{kind: isNull, at: place{1, 1}}
	}
	at := tokenPlace(n.GetToken())
	switch n := n.(type) {
	case *ast.MappingNode:
		return c.mapping(n.Values, at, n.IsFlowStyle, depth)
	case *ast.MappingValueNode:
		return c.mapping([]*ast.MappingValueNode{n}, at, n.IsFlowStyle, depth)
	case *ast.SequenceNode:
		out := &node{kind: isList, at: at, flow: n.IsFlowStyle}
		for _, v := range n.Values {
			out.items = append(out.items, c.node(v, depth+1))
		}
		return out
	case *ast.NullNode:
		out := &node{kind: isNull, at: at}
		if c.f.wordAt(at) == len("null") || c.f.runeAt(at) == '~' {
			out.text = n.GetToken().Value // written out; otherwise nothing is
		}
		return out
	case *ast.LiteralNode:
		out := &node{kind: isText, at: at, style: '|'}
		if n.Start != nil && n.Start.Type == token.FoldedType {
			out.style = '>'
		}
		if n.Value != nil {
			out.text = n.Value.Value
		}
		return out
	case *ast.StringNode:
		out := &node{kind: isText, at: at, text: n.Value}
		switch n.GetToken().Type {
		case token.SingleQuoteType:
			out.style = '\''
		case token.DoubleQuoteType:
			out.style = '"'
		}
		return out
	case ast.ScalarNode:
		return &node{kind: isText, at: at, text: n.GetToken().Value}
	}
	c.failed = true
	c.f.report(Error, at, 1, "syntax", "put quotes around text with special characters", "this kind of YAML is not used in flow files")
	return &node{kind: isNull, at: at}
}

func (c *converter) mapping(values []*ast.MappingValueNode, at place, flowStyle bool, depth int) *node {
	out := &node{kind: isMap, at: at, flow: flowStyle}
	first := map[string]place{}
	for i, v := range values {
		key := c.node(v.Key, depth+1)
		if key.kind == isNull && v.Key != nil && v.Key.GetToken() != nil {
			key.text = v.Key.GetToken().Value
		}
		key.kind = isText
		val := c.node(v.Value, depth+1)
		if i > 0 && !c.keys[key.at] && val.kind == isNull {
			c.f.report(Error, key.at, key.width(), "comma-in-text", "put quotes around the whole text before it: { en: \"one, two\" }",
				"the comma before `%s` ended the text: inside { } text with a comma must be quoted", key.text)
			continue
		}
		if p, ok := first[key.text]; ok {
			c.f.report(Error, key.at, key.width(), "duplicate-key", "remove or rename one of the two", "`%s` is written twice here; the first is on line %d, column %d", key.text, p.line, p.col)
		} else {
			first[key.text] = key.at
			out.entries = append(out.entries, entry{key, val})
		}
		if val.kind == isNull {
			val.at = key.at
		}
	}
	if len(out.entries) > 0 && !flowStyle {
		out.at = out.entries[0].key.at
	}
	return out
}
