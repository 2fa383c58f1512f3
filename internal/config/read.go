package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"

	"tandem"
	"tandem/internal/nearest"
)

const (
	maxFileBytes = 256 << 10 // a configuration of thousands of entries; the parser's time grows with its square
	maxTokens    = 30_000    // the same bound on short lines
	maxDepth     = 16        // nesting of flows.settings, the only free part
)

// Loaded is a checked configuration and where each value came from.
type Loaded struct {
	*Config
	File     string            // "" = defaults and environment only
	Origins  map[string]Origin // by key; a key that is missing has its default
	Warnings Problems          // does not stop the program
}

// Load reads the file, or only defaults if path is "", applies the environment
// (as os.Environ gives it) and checks everything. All that is wrong comes in one
// error of code invalid; a file that cannot be read is one too.
func Load(path string, environ []string) (*Loaded, error) {
	var data []byte
	if path != "" {
		var err error
		if data, err = os.ReadFile(path); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil, tandem.Errorf(tandem.CodeInvalid, "there is no configuration file %s; docs/tandem.sample.yaml is one to begin with", path)
			}
			return nil, tandem.Errorf(tandem.CodeInvalid, "reading the configuration: %w", err)
		}
	}
	return Parse(path, data, environ)
}

// Parse is Load for a file already read. Relative paths in it count from the
// folder of file.
func Parse(file string, data []byte, environ []string) (*Loaded, error) {
	r := &reader{file: file, dir: filepath.Dir(file), origins: map[string]Origin{}}
	cfg := Default()
	if node := r.syntax(data); node != nil {
		r.structure("", reflect.ValueOf(cfg).Elem(), node)
	}
	r.environment(cfg, environ)
	r.check(cfg)
	if len(r.problems) > 0 {
		r.problems.sort()
		return nil, Refused(r.problems)
	}
	r.resolvePaths(cfg)
	return &Loaded{Config: cfg, File: file, Origins: r.origins, Warnings: r.warnings}, nil
}

// reader gathers values, their origins and all problems of one reading.
type reader struct {
	file     string
	dir      string
	origins  map[string]Origin
	problems Problems
	warnings Problems
}

// at records a problem at a place in the file.
func (r *reader) at(node ast.Node, key, message, hint string) {
	p := Problem{File: r.file, Key: key, Message: message, Hint: hint}
	if node != nil && node.GetToken() != nil {
		pos := node.GetToken().Position
		p.Line, p.Column = pos.Line, pos.Column
	}
	r.problems = append(r.problems, p)
}

// wrong records a problem of a value already read, wherever it came from.
func (r *reader) wrong(key, format string, args ...any) {
	p := Problem{File: r.file, Key: key, Message: fmt.Sprintf(format, args...)}
	for k := key; k != ""; k = parent(k) {
		if o, ok := r.origins[k]; ok {
			if o.Env != "" {
				p.File = o.Env
			}
			p.Line, p.Column = o.Line, o.Column
			break
		}
	}
	r.problems = append(r.problems, p)
}

func parent(key string) string {
	i := strings.LastIndexByte(key, '.')
	if i < 0 {
		return ""
	}
	return key[:i]
}

func join(key, name string) string {
	if key == "" {
		return name
	}
	return key + "." + name
}

// syntax parses the file; nil if it is empty or broken.
func (r *reader) syntax(data []byte) ast.Node {
	text := strings.TrimPrefix(string(data), "\ufeff")
	if len(text) > maxFileBytes {
		r.at(nil, "", fmt.Sprintf("the file has %d bytes, at most %d are read", len(text), maxFileBytes), "")
		return nil
	}
	tokens := lexer.Tokenize(text)
	if len(tokens) > maxTokens {
		r.at(nil, "", fmt.Sprintf("the file has more than %d words and signs", maxTokens), "")
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		p := Problem{File: r.file, Message: err.Error()}
		var syntax yaml.Error
		if errors.As(err, &syntax) {
			p.Message = syntax.GetMessage()
			if t := syntax.GetToken(); t != nil {
				p.Line, p.Column = t.Position.Line, t.Position.Column
			}
		}
		r.problems = append(r.problems, p)
		return nil
	}
	if len(file.Docs) > 1 && file.Docs[1].Body != nil {
		r.at(file.Docs[1].Body, "", "a configuration is one document, here a second begins", "remove the --- line")
	}
	if len(file.Docs) == 0 || file.Docs[0].Body == nil {
		return nil
	}
	return file.Docs[0].Body
}

// pairs gives the entries of a mapping, having refused doubles and what a
// configuration does without; ok is false if node is no mapping.
func (r *reader) pairs(key string, node ast.Node) (pairs []*ast.MappingValueNode, ok bool) {
	switch n := node.(type) {
	case *ast.NullNode, *ast.CommentGroupNode:
		return nil, true
	case *ast.MappingNode:
		pairs = n.Values
	case *ast.MappingValueNode:
		pairs = []*ast.MappingValueNode{n}
	default:
		r.at(node, key, "wants keys and values, this is "+describe(node), "")
		return nil, false
	}
	seen := map[string]int{}
	kept := pairs[:0:0]
	for _, p := range pairs {
		name := p.Key.GetToken().Value
		if _, merge := p.Key.(*ast.MergeKeyNode); merge {
			r.at(p.Key, key, "merge keys (<<) are not read here", "write the values out")
			continue
		}
		if line, twice := seen[name]; twice {
			r.at(p.Key, join(key, name), fmt.Sprintf("stands here a second time; the first is on line %d", line), "")
			continue
		}
		seen[name] = p.Key.GetToken().Position.Line
		kept = append(kept, p)
	}
	return kept, true
}

// structure reads a mapping into the fields of v.
func (r *reader) structure(key string, v reflect.Value, node ast.Node) {
	pairs, _ := r.pairs(key, node)
	for _, p := range pairs {
		name := p.Key.GetToken().Value
		field, known := fieldByTag(v, name)
		if !known {
			hint := ""
			if near := nearest.Name(name, tags(v.Type())); near != "" {
				hint = fmt.Sprintf("did you mean %s?", near)
			}
			r.at(p.Key, "", fmt.Sprintf("%s is no key", join(key, name)), hint)
			continue
		}
		r.mark(join(key, name), p.Key)
		r.value(join(key, name), field, p.Value)
	}
}

func (r *reader) mark(key string, node ast.Node) {
	pos := node.GetToken().Position
	r.origins[key] = Origin{Line: pos.Line, Column: pos.Column}
}

func fieldByTag(v reflect.Value, name string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if v.Type().Field(i).Tag.Get("yaml") == name && name != "-" {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func tags(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		if name := t.Field(i).Tag.Get("yaml"); name != "-" {
			names = append(names, name)
		}
	}
	return names
}

// value reads any node into v by v's type.
func (r *reader) value(key string, v reflect.Value, node ast.Node) {
	switch n := node.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		r.at(node, key, "anchors, aliases and tags are not read here", "write the value out")
		return
	case *ast.NullNode:
		if v.Kind() == reflect.Struct || v.Kind() == reflect.Map || v.Kind() == reflect.Slice {
			return // the same as leaving it out
		}
		r.at(n, key, "has no value", `remove the line, or write "" for empty text`)
		return
	}
	switch v.Interface().(type) {
	case Entries:
		r.entries(key, v, node)
	case Secret:
		r.secret(key, v, node)
	case map[string]any:
		if free, ok := r.free(key, node, 0).(map[string]any); ok {
			v.Set(reflect.ValueOf(free))
		}
	case []string:
		r.list(key, v, node)
	default:
		switch v.Kind() {
		case reflect.Struct:
			r.structure(key, v, node)
		case reflect.Map:
			r.mapping(key, v, node)
		default:
			r.scalar(key, v, node)
		}
	}
}

// mapping reads names chosen by the operator, such as those of trunks.
func (r *reader) mapping(key string, v reflect.Value, node ast.Node) {
	pairs, ok := r.pairs(key, node)
	if !ok {
		return
	}
	m := reflect.MakeMap(v.Type())
	for _, p := range pairs {
		name := p.Key.GetToken().Value
		elem := reflect.New(v.Type().Elem()).Elem()
		r.mark(join(key, name), p.Key)
		r.value(join(key, name), elem, p.Value)
		m.SetMapIndex(reflect.ValueOf(name), elem)
	}
	v.Set(m)
}

// entries reads the map of entries in the order of the file.
func (r *reader) entries(key string, v reflect.Value, node ast.Node) {
	pairs, _ := r.pairs(key, node)
	list := Entries{}
	for _, p := range pairs {
		e := Entry{Name: p.Key.GetToken().Value}
		name := join(key, e.Name)
		r.mark(name, p.Key)
		if err := checkEntryName(e.Name); err != nil {
			r.at(p.Key, "", err.Error(), "")
			continue
		}
		before := len(r.problems)
		switch p.Value.(type) {
		case *ast.MappingNode, *ast.MappingValueNode:
			r.structure(name, reflect.ValueOf(&e).Elem(), p.Value)
		default:
			r.scalar(name, reflect.ValueOf(&e.Flow).Elem(), p.Value)
		}
		if len(r.problems) == before { // else the checks would complain of it again
			list = append(list, e)
		}
	}
	v.Set(reflect.ValueOf(list))
}

// secret reads text, or { file: PATH }.
func (r *reader) secret(key string, v reflect.Value, node ast.Node) {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		var from struct {
			File string `yaml:"file"`
		}
		r.structure(key, reflect.ValueOf(&from).Elem(), node)
		if from.File == "" {
			r.at(node, key, "wants text, or { file: PATH }", "")
			return
		}
		r.secretFile(key, v, relative(r.dir, from.File))
	default:
		r.scalar(key, v, node)
	}
}

func (r *reader) secretFile(key string, v reflect.Value, path string) {
	data, err := os.ReadFile(path)
	if err != nil {
		r.wrong(key, "its file cannot be read: %v", err)
		return
	}
	v.SetString(strings.TrimRight(string(data), "\r\n"))
}

func (r *reader) list(key string, v reflect.Value, node ast.Node) {
	seq, ok := node.(*ast.SequenceNode)
	if !ok {
		r.at(node, key, "wants a list, this is "+describe(node), "write [one, two]")
		return
	}
	list := make([]string, 0, len(seq.Values))
	for _, item := range seq.Values {
		var s string
		r.scalar(key, reflect.ValueOf(&s).Elem(), item)
		list = append(list, s)
	}
	v.Set(reflect.ValueOf(list))
}

// free reads a value of flows.settings as it stands.
func (r *reader) free(key string, node ast.Node, depth int) any {
	if depth > maxDepth {
		r.at(node, key, fmt.Sprintf("is nested more than %d deep", maxDepth), "")
		return nil
	}
	switch n := node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode, *ast.CommentGroupNode:
		pairs, _ := r.pairs(key, node)
		m := make(map[string]any, len(pairs))
		for _, p := range pairs {
			name := p.Key.GetToken().Value
			r.mark(join(key, name), p.Key)
			m[name] = r.free(join(key, name), p.Value, depth+1)
		}
		return m
	case *ast.SequenceNode:
		list := make([]any, 0, len(n.Values))
		for _, item := range n.Values {
			list = append(list, r.free(key, item, depth+1))
		}
		return list
	case *ast.StringNode:
		return n.Value
	case *ast.LiteralNode:
		return n.Value.Value
	case *ast.IntegerNode:
		if i, ok := n.Value.(int64); ok {
			return int(i)
		}
		if u, ok := n.Value.(uint64); ok && u <= 1<<62 {
			return int(u)
		}
		r.at(node, key, "is too large a number", "")
	case *ast.FloatNode:
		return n.Value
	case *ast.BoolNode:
		return n.Value
	case *ast.NullNode:
		return nil
	default:
		r.at(node, key, "cannot be "+describe(node), "")
	}
	return nil
}

// scalar reads one plain value into v.
func (r *reader) scalar(key string, v reflect.Value, node ast.Node) {
	text, quoted := "", true
	switch n := node.(type) {
	case *ast.StringNode:
		text = n.Value
	case *ast.LiteralNode:
		text = n.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		text, quoted = node.GetToken().Value, false
	default:
		r.at(node, key, "wants "+want(v)+", this is "+describe(node), "")
		return
	}
	if v.Kind() == reflect.String && !quoted {
		r.at(node, key, "wants text, this is "+describe(node), fmt.Sprintf("put it in quotes: %q", text))
		return
	}
	if err := setText(v, text); err != nil {
		r.at(node, key, err.Error(), "")
	}
}

// want says in words what a value of v's type is.
func want(v reflect.Value) string {
	switch v.Interface().(type) {
	case time.Duration:
		return "a duration such as 30s"
	case PortRange:
		return "a range such as 20000-29999"
	}
	switch v.Kind() {
	case reflect.Bool:
		return "true or false"
	case reflect.Int:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	}
	return "text"
}

func describe(node ast.Node) string {
	switch node.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		return "text"
	case *ast.IntegerNode, *ast.FloatNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "keys and values"
	case *ast.NullNode:
		return "empty"
	}
	return "something else"
}

// resolvePaths makes relative paths count from the file's folder.
func (r *reader) resolvePaths(cfg *Config) {
	walk("", reflect.ValueOf(cfg).Elem(), func(key string, v reflect.Value) {
		if _, isPath := v.Interface().(Path); isPath && v.String() != "" && r.origins[key].Env == "" {
			v.SetString(relative(r.dir, v.String()))
		}
	})
}

func relative(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}
