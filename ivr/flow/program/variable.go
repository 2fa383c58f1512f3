package program

import (
	"fmt"
	"slices"

	"tandem/internal/nearest"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

// builtins are the names every flow has.
func (k *Known) builtins() map[string]*expression.Type {
	simple := func(k expression.Kind) *expression.Type { return &expression.Type{Kind: k} }
	object := func(fields map[string]*expression.Type) *expression.Type {
		return &expression.Type{Kind: expression.Object, Fields: fields}
	}
	settings := simple(expression.Any)
	if k.Settings != nil {
		settings = expression.Infer(map[string]any(k.Settings))
	}
	return map[string]*expression.Type{
		"channel":  {Kind: expression.Enum, Values: channels},
		"lang":     simple(expression.Text),
		"entry":    simple(expression.Text),
		"now":      simple(expression.DateTime),
		"outcome":  simple(expression.Text),
		"settings": settings,
		"queue": object(map[string]*expression.Type{
			"name": simple(expression.Text), "position": simple(expression.Int),
			"at_least": simple(expression.Duration), "at_most": simple(expression.Duration),
		}),
		"interaction": object(map[string]*expression.Type{"number": simple(expression.Text)}),
		"caller": object(map[string]*expression.Type{
			"number":    simple(expression.Phone),
			"customer":  simple(expression.Text),
			"phone":     simple(expression.Phone),
			"assurance": {Kind: expression.Enum, Values: []string{"none", "recognised", "verified", "proofed"}},
		}),
	}
}

// readEnv reads inputs and vars and declares every name expressions may use.
func (ff *File) readEnv() {
	ff.env = expression.NewEnv()
	for name, t := range ff.known.builtins() {
		ff.env.Declare(name, t, false)
	}
	seen := map[string]string{}
	ff.Flow.Inputs = ff.readVariables("inputs", seen)
	ff.Flow.Vars = ff.readVariables("vars", seen)
	for _, v := range slices.Concat(ff.Flow.Inputs, ff.Flow.Vars) {
		ff.env.Declare(v.Name, v.Type, v.Secrecy != flow.Open)
	}
	ff.Flow.Env = ff.env
}

func (ff *File) readVariables(section string, seen map[string]string) []*flow.Variable {
	n := ff.Root.Get(section)
	if n == nil || n.Kind == source.Map && len(n.Entries) == 0 {
		return nil
	}
	if n.Kind != source.Map {
		ff.WrongKind(n, section, "a map of `name: { type: … }`")
		return nil
	}
	var out []*flow.Variable
	for _, e := range n.Entries {
		if !ff.GoodName(e.Key, "a variable's name") || !ff.freeName(e.Key) {
			continue
		}
		if where, twice := seen[e.Key.Text]; twice {
			ff.Fail(e.Key, "duplicate-name", "give it another name", "`%s` is already one of the %s", e.Key.Text, where)
			continue
		}
		seen[e.Key.Text] = section
		out = append(out, ff.readVariable(e))
	}
	return out
}

// freeName refuses names that mean something else in expressions.
func (ff *File) freeName(key *source.Node) bool {
	taken := key.Text == "link" || ff.known.builtins()[key.Text] != nil
	switch {
	case taken:
		ff.Fail(key, "reserved-name", fmt.Sprintf("call it `my_%s`", key.Text), "`%s` is a built-in name", key.Text)
		return false
	case keyword(key.Text):
		ff.Fail(key, "reserved-name", fmt.Sprintf("call it `my_%s`", key.Text), "`%s` is a word of the expression language", key.Text)
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

func (ff *File) readVariable(e source.Entry) *flow.Variable {
	v := &flow.Variable{Name: e.Key.Text, Pos: ff.Pos(e.Key), Type: &expression.Type{Kind: expression.Any}}
	if t := ff.Type(e.Val, "`"+e.Key.Text+"`", "secret", "default"); t != nil {
		v.Type = t
	}
	if e.Val.Kind != source.Map {
		return v
	}
	if s := e.Val.Get("secret"); s != nil {
		if s.Kind == source.Text && s.Text == "ephemeral" {
			v.Secrecy = flow.Ephemeral
		} else if s.Kind == source.Text && s.Style == 0 && (s.Text == "true" || s.Text == "false") {
			if s.Text == "true" {
				v.Secrecy = flow.Secret
			}
		} else {
			ff.Fail(s, "wrong-type", "write true, or ephemeral for what must never be stored", "secret is true, false or ephemeral")
		}
	}
	if d := e.Val.Get("default"); d != nil {
		if plain, ok := ff.Value(d, v.Type); ok {
			value, err := expression.Convert(v.Type, plain)
			if err != nil {
				ff.Fail(d, "default", "", "the default does not fit: %v", err)
			} else {
				v.Default = value
			}
		}
	}
	return v
}

// variable finds the variable or input that n names.
func (ff *File) variable(n *source.Node, what string) *flow.Variable {
	s, ok := ff.Text(n, what)
	if !ok {
		return nil
	}
	var names []string
	for _, v := range slices.Concat(ff.Flow.Inputs, ff.Flow.Vars) {
		if v.Name == s {
			return v
		}
		names = append(names, v.Name)
	}
	fix := fmt.Sprintf("add `%s: { type: text }` under vars", source.AsName(s))
	if near := nearest.Name(s, names); near != "" {
		fix = fmt.Sprintf("write `%s`", near)
	}
	ff.Fail(n, "unknown-variable", fix, "there is no variable `%s`", s)
	return nil
}
