package source

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
	MaxBytes    = 1 << 20
	maxDepth    = 32
	maxEntries  = 40_000 // keys, list items and commas: 2,000 steps of 20
	maxSiblings = 4_000  // keys of one map, the part the parser is slowest at
)

// Parse reads the file's text into f.Root. At the first syntax error it reports one
// diagnostic and returns false.
func (f *File) Parse(data []byte) bool {
	if len(data) > MaxBytes {
		f.Report(Error, Place{1, 1}, 1, "file-size", "split it into several files", "the file has %d bytes; %d are allowed", len(data), MaxBytes)
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
		f.Report(Error, placeOf(text, i), 1, "encoding", "remove it", "the file holds a control character (U+%04X)", text[i])
		return false
	}
	for i, line := range f.lines {
		if indent := strings.TrimLeft(line, " "); strings.HasPrefix(indent, "\t") && strings.TrimSpace(indent) != "" && !strings.HasPrefix(strings.TrimSpace(indent), "#") {
			f.Report(Error, Place{i + 1, len(line) - len(indent) + 1}, 1, "syntax", "indent with spaces", "a tab stands where YAML wants spaces")
			return false
		}
	}
	root, ok := f.tree(text)
	if !ok {
		return false
	}
	if root == nil || root.Kind != Map {
		f.Report(Error, Place{1, 1}, 1, "syntax", "begin with a line such as `flow: name`", "the file is not a list of `key: value` lines")
		return false
	}
	f.Root = root
	f.lookAlikes()
	return true
}

// tree runs the lexer, the bounds and the parser. A panic of the library is the
// file's fault as far as the designer can help it.
func (f *File) tree(text string) (root *Node, ok bool) {
	defer func() {
		if p := recover(); p != nil {
			f.Report(Error, Place{1, 1}, 1, "syntax", "write the file in plainer YAML", "the file cannot be read as YAML (%v)", p)
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
			f.Report(Error, tokenPlace(doc.Body.GetToken()), 1, "syntax", "put it into a file of its own", "a second document begins here; a file holds one")
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

func (f *File) badEncoding(text string) {
	i := 0
	for i < len(text) {
		r, size := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		i += size
	}
	f.Report(Error, placeOf(text, i), 1, "encoding", "save the file as UTF-8", "the file is not UTF-8: byte 0x%02x", text[i])
}

func placeOf(text string, offset int) Place {
	before := text[:offset]
	line := strings.Count(before, "\n")
	return Place{line + 1, utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]) + 1}
}

func tokenPlace(t *token.Token) Place {
	if t == nil || t.Position == nil {
		return Place{1, 1}
	}
	return Place{max(t.Position.Line, 1), max(t.Position.Column, 1)}
}

// bounds checks the token stream before the parser sees it and returns the places
// of all tokens that a colon follows: the true keys.
func (f *File) bounds(tokens token.Tokens) (map[Place]bool, bool) {
	keys := map[Place]bool{}
	entries, brackets := 0, 0
	var columns, siblings []int // of the block collections that are open
	for i, t := range tokens {
		if rule, fix, message := refused(t, tokens, i); rule != "" {
			f.Report(Error, tokenPlace(t), max(1, utf8.RuneCountInString(strings.TrimSpace(t.Origin))), rule, fix, "%s", message)
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
				f.Report(Error, tokenPlace(t), 1, "file-size", "split it into several files", "this map or list has more than %d entries", maxSiblings)
				return nil, false
			}
		}
		if brackets+len(columns) > maxDepth {
			f.Report(Error, tokenPlace(t), 1, "too-deep", "make steps of it, or a flow of its own", "this is nested more than %d deep", maxDepth)
			return nil, false
		}
		if entries > maxEntries {
			f.Report(Error, tokenPlace(t), 1, "file-size", "split it into several files", "the file has more than %d keys and list items", maxEntries)
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
func (f *File) syntaxError(err error) {
	var at interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if !errors.As(err, &at) {
		f.Report(Error, Place{1, 1}, 1, "syntax", "", "the file cannot be read as YAML: %v", err)
		return
	}
	p := tokenPlace(at.GetToken())
	if f.fullWidthNear(p) {
		return
	}
	said := at.GetMessage()
	for _, w := range syntaxWords {
		if strings.Contains(said, w.said) {
			f.Report(Error, p, 1, "syntax", w.fix, "%s", w.message)
			return
		}
	}
	f.Report(Error, p, 1, "syntax", "put quotes around text with special characters, and look at the indentation", "this is not YAML: %s", said)
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
	f      *File
	keys   map[Place]bool
	failed bool
}

func (c *converter) node(n ast.Node, depth int) *Node {
	if n == nil || depth > 4*maxDepth {
		return &Node{Kind: Null, At: Place{1, 1}}
	}
	at := tokenPlace(n.GetToken())
	switch n := n.(type) {
	case *ast.MappingNode:
		return c.mapping(n.Values, at, n.IsFlowStyle, depth)
	case *ast.MappingValueNode:
		return c.mapping([]*ast.MappingValueNode{n}, at, n.IsFlowStyle, depth)
	case *ast.SequenceNode:
		out := &Node{Kind: List, At: at, Flow: n.IsFlowStyle}
		for _, v := range n.Values {
			out.Items = append(out.Items, c.node(v, depth+1))
		}
		return out
	case *ast.NullNode:
		out := &Node{Kind: Null, At: at}
		if c.f.wordAt(at) == len("null") || c.f.runeAt(at) == '~' {
			out.Text = n.GetToken().Value // written out; otherwise nothing is
		}
		return out
	case *ast.LiteralNode:
		out := &Node{Kind: Text, At: at, Style: '|'}
		if n.Start != nil && n.Start.Type == token.FoldedType {
			out.Style = '>'
		}
		if n.Value != nil {
			out.Text = n.Value.Value
		}
		return out
	case *ast.StringNode:
		out := &Node{Kind: Text, At: at, Text: n.Value}
		switch n.GetToken().Type {
		case token.SingleQuoteType:
			out.Style = '\''
		case token.DoubleQuoteType:
			out.Style = '"'
		}
		return out
	case ast.ScalarNode:
		return &Node{Kind: Text, At: at, Text: n.GetToken().Value}
	}
	c.failed = true
	c.f.Report(Error, at, 1, "syntax", "put quotes around text with special characters", "this kind of YAML is not used in flow files")
	return &Node{Kind: Null, At: at}
}

// plainText reports text without quotes that would be read otherwise than it looks.
func (c *converter) plainText(val *Node) {
	if val.Kind != Text || val.Style != 0 {
		return
	}
	switch {
	case strings.Contains(val.Text, ": ") && strings.Contains(val.Text, "，"):
		c.f.Report(Error, val.At, val.width(), "colon-in-text", "write `,` for `，`, which ends no text; or put quotes around the text",
			"a colon and a space stand in text without quotes: other programs read it as a key with a value")
	case strings.Contains(val.Text, ": "):
		c.f.Report(Error, val.At, val.width(), "colon-in-text", "put quotes around it: { en: \"Note: this\" }",
			"a colon and a space stand in text without quotes: other programs read it as a key with a value")
	}
}

func (c *converter) mapping(values []*ast.MappingValueNode, at Place, flowStyle bool, depth int) *Node {
	out := &Node{Kind: Map, At: at, Flow: flowStyle}
	first := map[string]Place{}
	for i, v := range values {
		key := c.node(v.Key, depth+1)
		if key.Kind == Null && v.Key != nil && v.Key.GetToken() != nil {
			key.Text = v.Key.GetToken().Value
		}
		key.Kind = Text
		val := c.node(v.Value, depth+1)
		if i > 0 && !c.keys[key.At] && val.Kind == Null {
			c.f.Report(Error, key.At, key.width(), "comma-in-text", "put quotes around the whole text before it: { en: \"one, two\" }",
				"the comma before `%s` ended the text: inside { } text with a comma must be quoted", key.Text)
			continue
		}
		c.plainText(val)
		if p, ok := first[key.Text]; ok {
			c.f.Report(Error, key.At, key.width(), "duplicate-key", "remove or rename one of the two", "`%s` is written twice here; the first is on line %d, column %d", key.Text, p.Line, p.Col)
		} else {
			first[key.Text] = key.At
			out.Entries = append(out.Entries, Entry{key, val})
		}
		if val.Kind == Null {
			val.At = key.At
		}
	}
	if len(out.Entries) > 0 && !flowStyle {
		out.At = out.Entries[0].Key.At
	}
	return out
}
