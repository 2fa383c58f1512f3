package expression

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"

	"tandem/internal/nearest"
)

// compiler turns a tree into typed parts, checking as it goes.
type compiler struct {
	env       *Env
	source    []rune // as the parser saw it
	durations map[int]time.Duration
	items     []typed // what # is in the predicates around, innermost last
	uses      []string
	calendars []string
	masks     []string
}

func column(n ast.Node) int { return n.Location().From + 1 }

func faultAt(n ast.Node, hint, format string, args ...any) *Error {
	return &Error{Col: column(n), Message: fmt.Sprintf(format, args...), Hint: hint}
}

// constant is a part whose value is written down.
func constant(t *Type, v any) typed {
	return typed{t: t, literal: v, eval: func(*frame) (any, error) { return v, nil }}
}

func (c *compiler) node(n ast.Node) (typed, *Error) {
	p, fault := c.part(n)
	if fault != nil {
		return typed{}, fault
	}
	if p.col == 0 {
		p.col = column(n)
	}
	eval := p.eval
	if p.literal == nil {
		p.eval = func(f *frame) (any, error) {
			if f.fuel--; f.fuel < 0 {
				return nil, fmt.Errorf("the expression takes too long")
			}
			return eval(f)
		}
	}
	return p, nil
}

func (c *compiler) part(n ast.Node) (typed, *Error) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return c.identifier(n)
	case *ast.IntegerNode:
		return constant(simple(Int), n.Value), nil
	case *ast.FloatNode:
		loc := n.Location()
		v, err := ParseNumber(strings.ReplaceAll(string(c.source[loc.From:loc.To]), "_", ""))
		if err != nil {
			return typed{}, faultAt(n, "write it as 0.5", "%v", err)
		}
		return constant(simple(Decimal), v), nil
	case *ast.BoolNode:
		return constant(simple(Bool), n.Value), nil
	case *ast.StringNode:
		return constant(simple(Text), n.Value), nil
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.ConditionalNode:
		return c.conditional(n)
	case *ast.MemberNode:
		return c.member(n)
	case *ast.ArrayNode:
		return c.array(n)
	case *ast.MapNode:
		return c.object(n)
	case *ast.PointerNode:
		return c.pointer(n)
	case *ast.CallNode:
		return c.call(n)
	case *ast.BuiltinNode:
		return c.predicate(n)
	case *ast.NilNode:
		return typed{}, faultAt(n, "compare with '' or 0, or ask len(x) == 0", "nothing is nil here")
	case nil:
		return typed{}, &Error{Col: 1, Message: "the expression cannot be read"}
	}
	return typed{}, faultAt(n, "", "the flow language has no such expression; comparisons, and, or, not, + - * / %%, ? : and the helper functions are there")
}

func (c *compiler) identifier(n *ast.IdentifierNode) (typed, *Error) {
	name := n.Value
	if d, ok := c.durations[n.Location().From]; ok {
		return constant(simple(Duration), d), nil
	}
	d, ok := c.env.names[name]
	if !ok {
		hint := ""
		if near := nearest.Name(name, c.env.Names()); near != "" {
			hint = "did you mean " + near + "?"
		} else if slices.Contains(helperNames(), name) {
			hint = "write " + name + "(…)"
		}
		return typed{}, faultAt(n, hint, "unknown name %q", name)
	}
	c.uses = append(c.uses, name)
	return typed{t: d.t, secret: d.secret, eval: func(f *frame) (any, error) {
		v, ok := f.vars[name]
		if !ok {
			return nil, fmt.Errorf("%s has no value", name)
		}
		return v, nil
	}}, nil
}

func (c *compiler) unary(n *ast.UnaryNode) (typed, *Error) {
	x, fault := c.node(n.Node)
	if fault != nil {
		return x, fault
	}
	switch n.Operator {
	case "!", "not":
		if x.t.Kind != Bool {
			return x, faultAt(n, "", "%s needs true or false, this is %s", n.Operator, x.t)
		}
		return typed{t: x.t, secret: x.secret, eval: func(f *frame) (any, error) {
			v, err := truth(x, f)
			return !v, err
		}}, nil
	case "-":
		if x.t.numeric() || x.t.Kind == Duration {
			return typed{t: x.t, secret: x.secret, eval: func(f *frame) (any, error) {
				v, err := x.eval(f)
				if err != nil {
					return nil, err
				}
				return negate(v)
			}}, nil
		}
	case "+":
		if x.t.numeric() {
			return x, nil
		}
	}
	return x, faultAt(n, "", "%s needs a number, this is %s", n.Operator, x.t)
}

// truth evaluates a part whose type is bool.
func truth(x typed, f *frame) (bool, error) {
	v, err := x.eval(f)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("true or false is needed, this is %s", describe(v))
	}
	return b, nil
}

func (c *compiler) conditional(n *ast.ConditionalNode) (typed, *Error) {
	cond, fault := c.node(n.Cond)
	if fault != nil {
		return cond, fault
	}
	if cond.t.Kind != Bool {
		return cond, &Error{Col: cond.col, Message: fmt.Sprintf("before ? stands a condition, this is %s", cond.t)}
	}
	yes, fault := c.node(n.Exp1)
	if fault != nil {
		return yes, fault
	}
	no, fault := c.node(n.Exp2)
	if fault != nil {
		return no, fault
	}
	t, ok := common(yes, no)
	if !ok {
		return no, &Error{Col: no.col, Message: fmt.Sprintf("both sides of : must be of one type, these are %s and %s", yes.t, no.t)}
	}
	return typed{t: t, secret: cond.secret || yes.secret || no.secret, col: cond.col, arms: append(yes.picks(), no.picks()...), eval: func(f *frame) (any, error) {
		v, err := truth(cond, f)
		if err != nil {
			return nil, err
		}
		pick := no
		if v {
			pick = yes
		}
		x, err := pick.eval(f)
		if err != nil || pick.t.Kind == t.Kind {
			return x, err
		}
		return convert(t, x)
	}}, nil
}

// member is x.name or x[0].
func (c *compiler) member(n *ast.MemberNode) (typed, *Error) {
	if n.Optional || n.Method {
		return typed{}, faultAt(n, "", "?. and methods are not part of the flow language")
	}
	x, fault := c.node(n.Node)
	if fault != nil {
		return x, fault
	}
	if name, ok := n.Property.(*ast.StringNode); ok {
		return c.field(n, x, name.Value)
	}
	at, fault := c.node(n.Property)
	if fault != nil {
		return at, fault
	}
	if x.t.Kind != List || at.t.Kind != Int {
		return x, faultAt(n, "", "[ ] takes a list and a whole number, these are %s and %s", x.t, at.t)
	}
	return typed{t: x.t.Elements(), secret: x.secret || at.secret, col: x.col, eval: func(f *frame) (any, error) {
		l, err := elements(x, f)
		if err != nil {
			return nil, err
		}
		i, err := at.eval(f)
		if err != nil {
			return nil, err
		}
		index, ok := i.(int)
		if !ok || index < 0 || index >= len(l) {
			return nil, fmt.Errorf("the list has %d elements, there is none at that place", len(l))
		}
		return l[index], nil
	}}, nil
}

func (c *compiler) field(n *ast.MemberNode, x typed, name string) (typed, *Error) {
	t := anyType()
	switch {
	case x.t.Kind == Object && x.t.Fields == nil:
		return x, faultAt(n, "declare its fields", "this object declares no field %q", name)
	case x.t.Kind == Object:
		var ok bool
		if t, ok = x.t.Fields[name]; !ok {
			names := make([]string, 0, len(x.t.Fields))
			for k := range x.t.Fields {
				names = append(names, k)
			}
			slices.Sort(names)
			hint := "it has " + strings.Join(names, ", ")
			if near := nearest.Name(name, names); near != "" {
				hint = "did you mean " + near + "?"
			}
			return x, faultAt(n, hint, "there is no field %q", name)
		}
	case x.t.Kind != Any:
		return x, faultAt(n, "", "%s has no fields, so there is no %q in it", x.t, name)
	}
	return typed{t: t, secret: x.secret, col: x.col, eval: func(f *frame) (any, error) {
		v, err := x.eval(f)
		if err != nil {
			return nil, err
		}
		o, ok := v.(map[string]any)
		if !ok {
			return nil, fmt.Errorf("there is no %s in %s", name, describe(v))
		}
		e, ok := o[name]
		if !ok {
			return nil, fmt.Errorf("field %s has no value", name)
		}
		return e, nil
	}}, nil
}

// elements evaluates a part whose type is a list.
func elements(x typed, f *frame) ([]any, error) {
	v, err := x.eval(f)
	if err != nil {
		return nil, err
	}
	l, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("a list is needed, this is %s", describe(v))
	}
	return l, nil
}

func (c *compiler) array(n *ast.ArrayNode) (typed, *Error) {
	parts := make([]typed, len(n.Nodes))
	list := typed{t: &Type{Kind: List}, elems: parts}
	var literals []any
	for i, e := range n.Nodes {
		p, fault := c.node(e)
		if fault != nil {
			return p, fault
		}
		parts[i] = p
		list.secret = list.secret || p.secret
		if i == 0 {
			list.t.Elem = p.t
		} else if t, ok := common(typed{t: list.t.Elem}, p); ok {
			list.t.Elem = t
		} else {
			return p, faultAt(e, "", "a list holds values of one type, this holds %s and %s", list.t.Elem, p.t)
		}
		if p.literal != nil {
			literals = append(literals, p.literal)
		}
	}
	elem := list.t.Elem
	list.eval = func(f *frame) (any, error) {
		out := make([]any, len(parts))
		for i, p := range parts {
			v, err := p.eval(f)
			if err != nil {
				return nil, err
			}
			if p.t.Kind != elem.Kind {
				if v, err = convert(elem, v); err != nil {
					return nil, err
				}
			}
			out[i] = v
		}
		return out, nil
	}
	if len(literals) == len(parts) && len(parts) > 0 {
		v, err := list.eval(&frame{})
		if err != nil {
			return list, faultAt(n, "", "%v", err)
		}
		whole := constant(list.t, v)
		whole.elems = parts
		return whole, nil
	}
	return list, nil
}

func (c *compiler) object(n *ast.MapNode) (typed, *Error) {
	o := typed{t: &Type{Kind: Object, Fields: map[string]*Type{}}}
	parts := map[string]typed{}
	o.fields = parts
	for _, pair := range n.Pairs {
		pair, ok := pair.(*ast.PairNode)
		if !ok {
			return o, faultAt(n, "", "an object is written { name: value }")
		}
		key, ok := pair.Key.(*ast.StringNode)
		if !ok {
			return o, faultAt(pair.Key, "", "a field's name is a plain word")
		}
		p, fault := c.node(pair.Value)
		if fault != nil {
			return p, fault
		}
		if _, twice := parts[key.Value]; twice {
			return o, faultAt(key, "", "the field %q is written twice", key.Value)
		}
		parts[key.Value], o.t.Fields[key.Value] = p, p.t
		o.secret = o.secret || p.secret
	}
	o.eval = func(f *frame) (any, error) {
		out := make(map[string]any, len(parts))
		for name, p := range parts {
			v, err := p.eval(f)
			if err != nil {
				return nil, err
			}
			out[name] = v
		}
		return out, nil
	}
	return o, nil
}
