package source

import (
	"slices"
	"strconv"

	"tandem/ivr/flow/expression"
)

var (
	typeNames = []string{"text", "string", "digits", "int", "decimal", "money", "date", "time", "bool", "phone", "email", "recording", "enum", "list", "object"}
	typeKeys  = []string{"type", "values", "fields", "of"}
)

// Type reads a type: its name, or a map with `type` and what else belongs to it. more
// are the keys of that map that the caller reads. nil = it could not be read.
func (f *File) Type(n *Node, what string, more ...string) *expression.Type {
	switch n.Kind {
	case Text:
		return f.typeNamed(n, n, what)
	case Map:
		f.Fields(n, what, append(slices.Clone(typeKeys), more...)...)
		name := n.Get("type")
		if name == nil {
			f.Fail(n, "missing-key", "write { type: text }", "%s has no `type`", what)
			return nil
		}
		return f.typeNamed(name, n, what)
	case Null:
		f.Empty(n, what)
	default:
		f.WrongKind(n, what, "a type")
	}
	return nil
}

func (f *File) typeNamed(name, n *Node, what string) *expression.Type {
	w, ok := f.Word(name, "type", typeNames...)
	if !ok {
		return nil
	}
	if w == "string" {
		w = "text"
	}
	t := &expression.Type{Kind: expression.Kind(w)}
	for key, only := range map[string]expression.Kind{"values": expression.Enum, "fields": expression.Object, "of": expression.List} {
		if extra := n.Get(key); extra != nil && t.Kind != only {
			f.Fail(extra, "wrong-type", "", "`%s` belongs to type %s; %s is %s", key, only, what, t.Kind)
		}
	}
	switch t.Kind {
	case expression.Enum:
		f.readValues(n, what, t)
	case expression.Object:
		fields := n.Get("fields")
		if fields == nil {
			f.Fail(name, "missing-key", "write { type: object, fields: { name: text } }", "%s is an object and needs `fields`", what)
			return t
		}
		t.Fields = map[string]*expression.Type{}
		if fields.Kind != Map {
			f.WrongKind(fields, "fields", "a map of `name: type`")
			return t
		}
		for _, e := range fields.Entries {
			if ft := f.Type(e.Val, "field `"+e.Key.Text+"`"); ft != nil {
				t.Fields[e.Key.Text] = ft
			}
		}
	case expression.List:
		if of := n.Get("of"); of != nil {
			t.Elem = f.Type(of, "each element")
		}
	}
	return t
}

func (f *File) readValues(n *Node, what string, t *expression.Type) {
	values := n.Get("values")
	if values == nil {
		f.Fail(n, "missing-key", "write { type: enum, values: [basic, gold] }", "%s is an enum and needs `values`", what)
		return
	}
	for _, item := range f.List(values, "values") {
		if s, ok := f.Text(item, "a value"); ok && !slices.Contains(t.Values, s) {
			t.Values = append(t.Values, s)
		}
	}
	if values.Kind == List && len(values.Items) == 0 {
		f.Fail(values, "empty-value", "", "values lists nothing")
	}
}

// Value makes a Go value of a default, minding the type: text must look like text.
// It is not converted to the type yet; ok is false if an error was reported.
func (f *File) Value(n *Node, t *expression.Type) (any, bool) {
	switch n.Kind {
	case Null:
		f.Empty(n, "default")
		return nil, false
	case List:
		elem := t.Elem
		if elem == nil {
			elem = &expression.Type{Kind: expression.Any}
		}
		out := []any{}
		for _, item := range n.Items {
			v, ok := f.Value(item, elem)
			if !ok {
				return nil, false
			}
			out = append(out, v)
		}
		return out, true
	case Map:
		out := map[string]any{}
		for _, e := range n.Entries {
			ft := t.Fields[e.Key.Text]
			if ft == nil {
				ft = &expression.Type{Kind: expression.Any}
			}
			v, ok := f.Value(e.Val, ft)
			if !ok {
				return nil, false
			}
			out[e.Key.Text] = v
		}
		return out, true
	}
	switch t.Kind {
	case expression.Int, expression.Decimal, expression.Money, expression.Any:
		if n.Style == 0 {
			if i, err := strconv.Atoi(n.Text); err == nil {
				return i, true
			}
			if f, err := expression.ParseNumber(n.Text); err == nil && numberLike.MatchString(n.Text) {
				return f, true
			}
		}
		if t.Kind == expression.Any && n.Style == 0 && (n.Text == "true" || n.Text == "false") {
			return n.Text == "true", true
		}
	case expression.Bool:
		return f.YesNo(n, "default"), true
	case expression.Date, expression.Time:
		return n.Text, true
	}
	s, ok := f.Text(n, "default")
	return s, ok
}
