package read

import (
	"fmt"
	"slices"
	"strconv"

	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

var (
	typeNames = []string{"text", "string", "digits", "int", "decimal", "money", "date", "time", "bool", "phone", "email", "recording", "enum", "list", "object"}
	typeKeys  = []string{"type", "secret", "default", "values", "fields", "of"}
)

// builtins are the names every flow has.
func (r *reading) builtins() map[string]*expression.Type {
	simple := func(k expression.Kind) *expression.Type { return &expression.Type{Kind: k} }
	object := func(fields map[string]*expression.Type) *expression.Type {
		return &expression.Type{Kind: expression.Object, Fields: fields}
	}
	settings := simple(expression.Any)
	if r.o.Settings != nil {
		settings = expression.Infer(map[string]any(r.o.Settings))
	}
	return map[string]*expression.Type{
		"channel":     {Kind: expression.Enum, Values: channels},
		"lang":        simple(expression.Text),
		"entry":       simple(expression.Text),
		"now":         simple(expression.DateTime),
		"outcome":     simple(expression.Text),
		"settings":    settings,
		"interaction": object(map[string]*expression.Type{"number": simple(expression.Text)}),
		"caller": object(map[string]*expression.Type{
			"number":    simple(expression.Phone),
			"customer":  simple(expression.Text),
			"assurance": {Kind: expression.Enum, Values: []string{"none", "recognised", "verified", "proofed"}},
		}),
	}
}

// readEnv reads inputs and vars and declares every name expressions may use.
func (ff *flowFile) readEnv() {
	ff.env = expression.NewEnv()
	for name, t := range ff.reading.builtins() {
		ff.env.Declare(name, t, false)
	}
	seen := map[string]string{}
	ff.flow.Inputs = ff.readVariables("inputs", seen)
	ff.flow.Vars = ff.readVariables("vars", seen)
	for _, v := range slices.Concat(ff.flow.Inputs, ff.flow.Vars) {
		ff.env.Declare(v.Name, v.Type, v.Secrecy != flow.Open)
	}
	ff.flow.Env = ff.env
}

func (ff *flowFile) readVariables(section string, seen map[string]string) []*flow.Variable {
	n := ff.root.get(section)
	if n == nil || n.kind == isMap && len(n.entries) == 0 {
		return nil
	}
	if n.kind != isMap {
		ff.wrongKind(n, section, "a map of `name: { type: … }`")
		return nil
	}
	var out []*flow.Variable
	for _, e := range n.entries {
		if !ff.goodName(e.key, "a variable's name") || !ff.freeName(e.key) {
			continue
		}
		if where, twice := seen[e.key.text]; twice {
			ff.fail(e.key, "duplicate-name", "give it another name", "`%s` is already one of the %s", e.key.text, where)
			continue
		}
		seen[e.key.text] = section
		out = append(out, ff.readVariable(e))
	}
	return out
}

// freeName refuses names that mean something else in expressions.
func (ff *flowFile) freeName(key *node) bool {
	taken := slices.Contains([]string{"queue", "link"}, key.text) || ff.reading.builtins()[key.text] != nil
	switch {
	case taken:
		ff.fail(key, "reserved-name", fmt.Sprintf("call it `my_%s`", key.text), "`%s` is a built-in name", key.text)
		return false
	case keyword(key.text):
		ff.fail(key, "reserved-name", fmt.Sprintf("call it `my_%s`", key.text), "`%s` is a word of the expression language", key.text)
		return false
	}
	return true
}

// keyword reports a name that expressions cannot read as a name.
func keyword(name string) bool {
	env := expression.NewEnv()
	env.Declare(name, &expression.Type{Kind: expression.Text}, false)
	_, err := env.Compile(name, nil)
	return err != nil
}

func (ff *flowFile) readVariable(e entry) *flow.Variable {
	v := &flow.Variable{Name: e.key.text, Pos: ff.pos(e.key), Type: &expression.Type{Kind: expression.Any}}
	if t := ff.readType(e.val, "`"+e.key.text+"`", typeKeys); t != nil {
		v.Type = t
	}
	if e.val.kind != isMap {
		return v
	}
	if s := e.val.get("secret"); s != nil {
		if s.kind == isText && s.text == "ephemeral" {
			v.Secrecy = flow.Ephemeral
		} else if s.kind == isText && s.style == 0 && (s.text == "true" || s.text == "false") {
			if s.text == "true" {
				v.Secrecy = flow.Secret
			}
		} else {
			ff.fail(s, "wrong-type", "write true, or ephemeral for what must never be stored", "secret is true, false or ephemeral")
		}
	}
	if d := e.val.get("default"); d != nil {
		if plain, ok := ff.plainValue(d, v.Type); ok {
			value, err := expression.Convert(v.Type, plain)
			if err != nil {
				ff.fail(d, "default", "", "the default does not fit: %v", err)
			} else {
				v.Default = value
			}
		}
	}
	return v
}

// readType reads a type: its name, or a map with `type`.
func (ff *flowFile) readType(n *node, what string, keys []string) *expression.Type {
	switch n.kind {
	case isText:
		return ff.typeNamed(n, n, what)
	case isMap:
		ff.fields(n, what, keys...)
		name := n.get("type")
		if name == nil {
			ff.fail(n, "missing-key", "write { type: text }", "%s has no `type`", what)
			return nil
		}
		return ff.typeNamed(name, n, what)
	case isNull:
		ff.empty(n, what)
	default:
		ff.wrongKind(n, what, "a type")
	}
	return nil
}

func (ff *flowFile) typeNamed(name, n *node, what string) *expression.Type {
	w, ok := ff.word(name, "type", typeNames...)
	if !ok {
		return nil
	}
	if w == "string" {
		w = "text"
	}
	t := &expression.Type{Kind: expression.Kind(w)}
	for key, only := range map[string]expression.Kind{"values": expression.Enum, "fields": expression.Object, "of": expression.List} {
		if extra := n.get(key); extra != nil && t.Kind != only {
			ff.fail(extra, "wrong-type", "", "`%s` belongs to type %s; %s is %s", key, only, what, t.Kind)
		}
	}
	switch t.Kind {
	case expression.Enum:
		ff.readValues(n, what, t)
	case expression.Object:
		fields := n.get("fields")
		if fields == nil {
			ff.fail(name, "missing-key", "write { type: object, fields: { name: text } }", "%s is an object and needs `fields`", what)
			return t
		}
		t.Fields = map[string]*expression.Type{}
		if fields.kind != isMap {
			ff.wrongKind(fields, "fields", "a map of `name: type`")
			return t
		}
		for _, e := range fields.entries {
			if ft := ff.readType(e.val, "field `"+e.key.text+"`", []string{"type", "values", "fields", "of"}); ft != nil {
				t.Fields[e.key.text] = ft
			}
		}
	case expression.List:
		if of := n.get("of"); of != nil {
			t.Elem = ff.readType(of, "each element", []string{"type", "values", "fields", "of"})
		}
	}
	return t
}

func (ff *flowFile) readValues(n *node, what string, t *expression.Type) {
	values := n.get("values")
	if values == nil {
		ff.fail(n, "missing-key", "write { type: enum, values: [basic, gold] }", "%s is an enum and needs `values`", what)
		return
	}
	for _, item := range ff.list(values, "values") {
		if s, ok := ff.text(item, "a value"); ok && !slices.Contains(t.Values, s) {
			t.Values = append(t.Values, s)
		}
	}
	if values.kind == isList && len(values.items) == 0 {
		ff.fail(values, "empty-value", "", "values lists nothing")
	}
}

// plainValue makes Go values of a default, minding the type: text must look like text.
func (ff *flowFile) plainValue(n *node, t *expression.Type) (any, bool) {
	switch n.kind {
	case isNull:
		ff.empty(n, "default")
		return nil, false
	case isList:
		elem := t.Elem
		if elem == nil {
			elem = &expression.Type{Kind: expression.Any}
		}
		out := []any{}
		for _, item := range n.items {
			v, ok := ff.plainValue(item, elem)
			if !ok {
				return nil, false
			}
			out = append(out, v)
		}
		return out, true
	case isMap:
		out := map[string]any{}
		for _, e := range n.entries {
			ft := t.Fields[e.key.text]
			if ft == nil {
				ft = &expression.Type{Kind: expression.Any}
			}
			v, ok := ff.plainValue(e.val, ft)
			if !ok {
				return nil, false
			}
			out[e.key.text] = v
		}
		return out, true
	}
	switch t.Kind {
	case expression.Int, expression.Decimal, expression.Money, expression.Any:
		if n.style == 0 {
			if i, err := strconv.Atoi(n.text); err == nil {
				return i, true
			}
			if f, err := expression.ParseNumber(n.text); err == nil && numberLike.MatchString(n.text) {
				return f, true
			}
		}
		if t.Kind == expression.Any && n.style == 0 && (n.text == "true" || n.text == "false") {
			return n.text == "true", true
		}
	case expression.Bool:
		return ff.yesNo(n, "default"), true
	case expression.Date, expression.Time:
		return n.text, true
	}
	s, ok := ff.text(n, "default")
	return s, ok
}

// variable finds the variable or input that n names.
func (ff *flowFile) variable(n *node, what string) *flow.Variable {
	s, ok := ff.text(n, what)
	if !ok {
		return nil
	}
	var names []string
	for _, v := range slices.Concat(ff.flow.Inputs, ff.flow.Vars) {
		if v.Name == s {
			return v
		}
		names = append(names, v.Name)
	}
	fix := fmt.Sprintf("add `%s: { type: text }` under vars", asName(s))
	if near := nearest(s, names); near != "" {
		fix = fmt.Sprintf("write `%s`", near)
	}
	ff.fail(n, "unknown-variable", fix, "there is no variable `%s`", s)
	return nil
}
