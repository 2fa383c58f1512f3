package expression

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"

	"tandem/internal/nearest"
)

// helperNames lists the functions of the flow language.
func helperNames() []string {
	return []string{"money", "date", "time", "digits", "mask", "plural", "in_hours", "int", "decimal", "text", "round",
		"upper", "lower", "trim", "len", "any", "all", "none", "count", "filter"}
}

// call is a helper with its arguments.
func (c *compiler) call(n *ast.CallNode) (typed, *Error) {
	callee, ok := n.Callee.(*ast.IdentifierNode)
	if !ok {
		return typed{}, faultAt(n, "", "only the helper functions can be called")
	}
	if callee.Value == "mask" && len(n.Arguments) > 0 && !isPath(n.Arguments[0]) {
		return typed{}, c.maskFault(n)
	}
	args := make([]typed, len(n.Arguments))
	secret := false
	for i, a := range n.Arguments {
		var fault *Error
		if args[i], fault = c.node(a); fault != nil {
			return typed{}, fault
		}
		secret = secret || args[i].secret
	}
	least, most := 1, 1
	switch callee.Value {
	case "money", "mask", "round":
		most = 2
	case "plural":
		least, most = 3, 3
	}
	build, ok := c.helper(callee.Value)
	if !ok {
		hint := "there are " + strings.Join(helperNames(), ", ")
		if near := nearest.Name(callee.Value, helperNames()); near != "" {
			hint = "did you mean " + near + "?"
		}
		return typed{}, faultAt(n, hint, "unknown function %q", callee.Value)
	}
	if len(args) < least || len(args) > most {
		return typed{}, faultAt(n, "", "%s takes %s, this has %d", callee.Value, counted(least, most), len(args))
	}
	p, fault := build(n, args)
	if fault != nil {
		return p, fault
	}
	p.col = column(n)
	p.secret = secret && !p.masked
	return p, nil
}

func counted(least, most int) string {
	switch {
	case least != most:
		return fmt.Sprintf("%d or %d values", least, most)
	case least == 1:
		return "one value"
	}
	return fmt.Sprintf("%d values", least)
}

type builder func(n *ast.CallNode, args []typed) (typed, *Error)

func (c *compiler) helper(name string) (builder, bool) {
	switch name {
	case "money":
		return c.money, true
	case "date", "time":
		return moment, true
	case "digits":
		return digits, true
	case "mask":
		return c.mask, true
	case "plural":
		return c.plural, true
	case "in_hours":
		return c.inHours, true
	case "int":
		return cast(Int), true
	case "decimal":
		return cast(Decimal), true
	case "text":
		return cast(Text), true
	case "round":
		return round, true
	case "upper":
		return change(strings.ToUpper), true
	case "lower":
		return change(strings.ToLower), true
	case "trim":
		return change(strings.TrimSpace), true
	case "len":
		return length, true
	}
	return nil, false
}

func wrong(n ast.Node, x typed, needs string) *Error {
	callee := ""
	if call, ok := n.(*ast.CallNode); ok {
		if id, ok := call.Callee.(*ast.IdentifierNode); ok {
			callee = id.Value
		}
	}
	return &Error{Col: x.col, Message: fmt.Sprintf("%s takes %s, this is %s", callee, needs, x.t)}
}

// money says that a number is an amount. A currency, the second value, tells how it
// is said, so it counts only where the amount is said.
func (c *compiler) money(n *ast.CallNode, args []typed) (typed, *Error) {
	x := args[0]
	if !x.t.numeric() && x.t.Kind != Any {
		return x, wrong(n, x, "a number")
	}
	p := converted(simple(Money), x)
	if len(args) == 2 {
		code := args[1]
		if !code.t.textual() && code.t.Kind != Any {
			return code, wrong(n, code, "a currency such as 'CNY' after the amount")
		}
		if s, ok := code.literal.(string); ok && !isCurrency(s) {
			return code, &Error{Col: code.col, Message: fmt.Sprintf("%q is no currency", s), Hint: "write its three capital letters, such as 'CNY'"}
		}
		p.currency = code.eval
	}
	return p, nil
}

func isCurrency(s string) bool {
	return len(s) == 3 && strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// converted turns x into a value of t when it is evaluated.
func converted(t *Type, x typed) typed {
	return typed{t: t, eval: func(f *frame) (any, error) {
		v, err := x.eval(f)
		if err != nil {
			return nil, err
		}
		return convert(t, v)
	}}
}

// moment is date(x) or time(x).
func moment(n *ast.CallNode, args []typed) (typed, *Error) {
	x := args[0]
	t, layout := simple(Date), time.DateOnly
	if n.Callee.(*ast.IdentifierNode).Value == "time" {
		t, layout = simple(Time), "15:04"
	}
	switch {
	case x.t.Kind == DateTime:
	case x.literal != nil && x.t.Kind == Text:
		if fault := literalFits(x, t); fault != nil {
			return x, fault
		}
	case x.t.Kind == t.Kind, x.t.Kind == Text, x.t.Kind == Any:
	default:
		return x, wrong(n, x, fmt.Sprintf("a %s or now", t))
	}
	return typed{t: t, eval: func(f *frame) (any, error) {
		v, err := x.eval(f)
		if err != nil {
			return nil, err
		}
		if at, ok := v.(time.Time); ok {
			return at.Format(layout), nil
		}
		return convert(t, v)
	}}, nil
}

// digits says that a text or whole number is read digit by digit. It drops spaces
// and hyphens.
func digits(n *ast.CallNode, args []typed) (typed, *Error) {
	x := args[0]
	if !x.t.textual() && x.t.Kind != Int && x.t.Kind != Any {
		return x, wrong(n, x, "a text or a whole number")
	}
	return typed{t: simple(Digits), eval: func(f *frame) (any, error) {
		v, err := x.eval(f)
		if err != nil {
			return nil, err
		}
		if s, ok := v.(string); ok {
			v = strings.NewReplacer(" ", "", "-", "", "+", "").Replace(s)
		}
		return convert(simple(Digits), v)
	}}, nil
}

const (
	maskKeep  = 4 // characters that mask shows unless told to show fewer
	maskDots  = 4 // that stand for the rest; they do not tell how long it is
	maskWhole = 8 // a value shorter than this is hidden whole: its end would be half of it
)

// mask releases a secret: it shows the last characters, four at most, of a value that is
// eight long at least, and nothing of a shorter one.
func (c *compiler) mask(n *ast.CallNode, args []typed) (typed, *Error) {
	x, keep := args[0], maskKeep
	if !x.t.textual() && x.t.Kind != Int {
		return x, wrong(n, x, "a text, digits or a whole number")
	}
	if len(args) == 2 {
		k, ok := args[1].literal.(int)
		if !ok || k < 0 || k > maskKeep {
			return args[1], &Error{Col: args[1].col, Message: fmt.Sprintf("how many characters mask shows is a number from 0 to %d", maskKeep)}
		}
		keep = k
	}
	c.masks = append(c.masks, rootOf(n.Arguments[0]))
	return typed{t: simple(Text), masked: true, eval: func(f *frame) (any, error) {
		v, err := x.eval(f)
		if err != nil {
			return nil, err
		}
		s, err := convert(simple(Text), v)
		if err != nil {
			return nil, err
		}
		r := []rune(s.(string))
		shown := 0
		if len(r) >= maskWhole {
			shown = keep
		}
		return strings.Repeat("•", maskDots) + string(r[len(r)-shown:]), nil
	}}, nil
}

// rootOf is the name that a path begins with.
func rootOf(n ast.Node) string {
	for {
		switch at := n.(type) {
		case *ast.IdentifierNode:
			return at.Value
		case *ast.MemberNode:
			n = at.Node
		default:
			return ""
		}
	}
}

// isPath reports whether n is a name, or a field or element of one.
func isPath(n ast.Node) bool {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return true
	case *ast.MemberNode:
		switch n.Property.(type) {
		case *ast.StringNode, *ast.IntegerNode:
			return isPath(n.Node)
		}
	}
	return false
}

// maskFault refuses to mask what was made longer first: all of a short secret would
// then be shown as the end of it.
func (c *compiler) maskFault(n *ast.CallNode) *Error {
	hint := "mask one name by itself and write the rest around it"
	names := ast.Find(n.Arguments[0], func(n ast.Node) bool {
		id, ok := n.(*ast.IdentifierNode)
		return ok && c.env.names[id.Value].secret
	})
	if id, ok := names.(*ast.IdentifierNode); ok {
		hint = "write mask(" + id.Value + ") and the rest around it"
	}
	return faultAt(n, hint, "mask takes a name or a field, nothing put together")
}

// plural picks the word for one or for another count.
func (c *compiler) plural(n *ast.CallNode, args []typed) (typed, *Error) {
	count, one, other := args[0], args[1], args[2]
	if !count.t.numeric() {
		return count, wrong(n, count, "a number first")
	}
	for _, x := range args[1:] {
		if !x.t.textual() {
			return x, wrong(n, x, "a text for one and a text for others")
		}
	}
	return typed{t: simple(Text), eval: func(f *frame) (any, error) {
		v, err := count.eval(f)
		if err != nil {
			return nil, err
		}
		if o, err := compare(v, 1); err != nil {
			return nil, err
		} else if o == 0 {
			return text(one, f)
		}
		return text(other, f)
	}}, nil
}

// inHours asks a calendar, which is named in quotes so that it can be looked up.
func (c *compiler) inHours(n *ast.CallNode, args []typed) (typed, *Error) {
	name, ok := args[0].literal.(string)
	if !ok || name == "" {
		return args[0], &Error{Col: args[0].col, Message: "in_hours takes the name of a calendar, in quotes"}
	}
	c.calendars = append(c.calendars, name)
	return typed{t: simple(Bool), eval: func(f *frame) (any, error) {
		ask, ok := f.vars["in_hours"].(InHours)
		if !ok {
			return nil, fmt.Errorf("no calendar can be asked here")
		}
		return ask(name)
	}}, nil
}

// cast makes int(x), decimal(x) and text(x).
func cast(kind Kind) builder {
	t := simple(kind)
	return func(n *ast.CallNode, args []typed) (typed, *Error) {
		x := args[0]
		if !x.t.numeric() && !x.t.textual() && x.t.Kind != Any && !(kind == Text && x.t.Kind == Bool) {
			return x, wrong(n, x, "a number or a text")
		}
		return typed{t: t, eval: func(f *frame) (any, error) {
			v, err := x.eval(f)
			if err != nil {
				return nil, err
			}
			if kind == Text {
				return written(x.t, v)
			}
			if d, ok := v.(Number); ok && kind == Int {
				return truncated(d), nil
			}
			return convert(t, v)
		}}, nil
	}
}

// truncated drops what is after the point.
func truncated(d Number) int {
	n := d.coef
	for range d.scale {
		n /= 10
	}
	return int(n)
}

// round keeps so many digits after the point, none unless told.
func round(n *ast.CallNode, args []typed) (typed, *Error) {
	x, places := args[0], 0
	if !x.t.numeric() {
		return x, wrong(n, x, "a number")
	}
	if len(args) == 2 {
		var ok bool
		if places, ok = args[1].literal.(int); !ok || places < 0 || places > maxScale {
			return args[1], &Error{Col: args[1].col, Message: fmt.Sprintf("how many digits round keeps is a number from 0 to %d", maxScale)}
		}
	}
	return typed{t: x.t, eval: func(f *frame) (any, error) {
		v, err := x.eval(f)
		if err != nil {
			return nil, err
		}
		if d, ok := v.(Number); ok {
			return d.Round(places), nil
		}
		return v, nil
	}}, nil
}

// change makes a helper from text to text.
func change(with func(string) string) builder {
	return func(n *ast.CallNode, args []typed) (typed, *Error) {
		x := args[0]
		if !x.t.textual() {
			return x, wrong(n, x, "a text")
		}
		return typed{t: simple(Text), eval: func(f *frame) (any, error) {
			s, err := text(x, f)
			if err != nil {
				return nil, err
			}
			return with(s), nil
		}}, nil
	}
}

// length counts characters or elements.
func length(n *ast.CallNode, args []typed) (typed, *Error) {
	x := args[0]
	if !x.t.textual() && x.t.Kind != List {
		return x, wrong(n, x, "a text or a list")
	}
	return typed{t: simple(Int), eval: func(f *frame) (any, error) {
		v, err := x.eval(f)
		if err != nil {
			return nil, err
		}
		switch v := v.(type) {
		case string:
			return utf8.RuneCountInString(v), nil
		case []any:
			return len(v), nil
		}
		return nil, fmt.Errorf("a text or a list is needed, this is %s", describe(v))
	}}, nil
}

// predicate is any, all, none, count or filter over a list.
func (c *compiler) predicate(n *ast.BuiltinNode) (typed, *Error) {
	switch n.Name {
	case "any", "all", "none", "count", "filter":
	default:
		return typed{}, faultAt(n, "there are any, all, none, count and filter", "the flow language has no %s", n.Name)
	}
	if len(n.Arguments) == 0 {
		return typed{}, faultAt(n, "", "%s takes a list", n.Name)
	}
	list, fault := c.node(n.Arguments[0])
	if fault != nil {
		return list, fault
	}
	if list.t.Kind != List {
		return list, &Error{Col: list.col, Message: fmt.Sprintf("%s takes a list, this is %s", n.Name, list.t)}
	}
	test := constant(simple(Bool), true)
	if len(n.Arguments) > 1 {
		body, ok := n.Arguments[1].(*ast.PredicateNode)
		if !ok {
			return list, faultAt(n, "", "%s takes a list and a condition", n.Name)
		}
		c.items = append(c.items, typed{t: list.t.Elements(), secret: list.secret})
		test, fault = c.node(body.Node)
		c.items = c.items[:len(c.items)-1]
		if fault != nil {
			return test, fault
		}
		if test.t.Kind != Bool {
			return test, &Error{Col: test.col, Message: fmt.Sprintf("%s takes a condition, this is %s", n.Name, test.t)}
		}
	}
	result := map[string]*Type{"any": simple(Bool), "all": simple(Bool), "none": simple(Bool), "count": simple(Int), "filter": list.t}[n.Name]
	return typed{t: result, secret: list.secret || test.secret, col: column(n), eval: func(f *frame) (any, error) {
		l, err := elements(list, f)
		if err != nil {
			return nil, err
		}
		kept := []any{}
		for _, e := range l {
			f.items = append(f.items, e)
			yes, err := truth(test, f)
			f.items = f.items[:len(f.items)-1]
			if err != nil {
				return nil, err
			}
			if yes {
				kept = append(kept, e)
			}
		}
		switch n.Name {
		case "any":
			return len(kept) > 0, nil
		case "all":
			return len(kept) == len(l), nil
		case "none":
			return len(kept) == 0, nil
		case "count":
			return len(kept), nil
		}
		return kept, nil
	}}, nil
}

// pointer is # in a condition over a list: the element it is at.
func (c *compiler) pointer(n *ast.PointerNode) (typed, *Error) {
	if n.Name != "" || len(c.items) == 0 {
		return typed{}, faultAt(n, "", "# is the element in the condition of any, all, none, count and filter")
	}
	p, depth := c.items[len(c.items)-1], len(c.items)-1
	p.eval = func(f *frame) (any, error) { return f.items[depth], nil }
	return p, nil
}
