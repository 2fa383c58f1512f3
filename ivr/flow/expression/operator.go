package expression

import (
	"fmt"
	"math"
	"regexp"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
)

func (c *compiler) binary(n *ast.BinaryNode) (typed, *Error) {
	a, fault := c.node(n.Left)
	if fault != nil {
		return a, fault
	}
	b, fault := c.node(n.Right)
	if fault != nil {
		return b, fault
	}
	switch n.Operator {
	case "and", "&&", "or", "||":
		return c.logic(n, a, b)
	case "==", "!=", "<", "<=", ">", ">=":
		return c.comparison(n, a, b)
	case "in":
		return c.in(n, a, b)
	case "contains", "startsWith", "endsWith", "matches":
		return c.search(n, a, b)
	case "+", "-", "*", "/", "%":
		return c.arithmetic(n, a, b)
	}
	return a, faultAt(n, "", "the flow language has no operator %s", n.Operator)
}

func (c *compiler) logic(n *ast.BinaryNode, a, b typed) (typed, *Error) {
	for _, x := range []typed{a, b} {
		if x.t.Kind != Bool {
			return x, &Error{Col: x.col, Message: fmt.Sprintf("%s joins conditions, this is %s", n.Operator, x.t)}
		}
	}
	stop := n.Operator == "or" || n.Operator == "||"
	return typed{t: simple(Bool), secret: a.secret || b.secret, col: a.col, eval: func(f *frame) (any, error) {
		v, err := truth(a, f)
		if err != nil || v == stop {
			return v, err
		}
		return truth(b, f)
	}}, nil
}

// comparison compares. Its result is no secret: rule 4 lets a secret reach one.
func (c *compiler) comparison(n *ast.BinaryNode, a, b typed) (typed, *Error) {
	if fault := alike(n, a, b); fault != nil {
		return a, fault
	}
	equality := n.Operator == "==" || n.Operator == "!="
	if !equality {
		for _, x := range []typed{a, b} {
			switch x.t.Kind {
			case Int, Decimal, Money, Duration, DateTime, Date, Time, Any:
			case Bool, List, Object:
				return a, faultAt(n, "", "%s has no order", x.t)
			default:
				if !x.written() {
					return a, faultAt(n, "int(x) makes a number of it", "%s is not ordered by %s", x.t, n.Operator)
				}
			}
		}
	}
	op := n.Operator
	return typed{t: simple(Bool), col: a.col, eval: func(f *frame) (any, error) {
		x, y, err := both(a, b, f)
		if err != nil {
			return nil, err
		}
		order, err := compare(x, y)
		if err != nil {
			return nil, err
		}
		switch op {
		case "==":
			return order == 0, nil
		case "!=":
			return order != 0, nil
		case "<":
			return order < 0, nil
		case "<=":
			return order <= 0, nil
		case ">":
			return order > 0, nil
		}
		return order >= 0, nil
	}}, nil
}

// both evaluates the two sides of an operator.
func both(a, b typed, f *frame) (x, y any, err error) {
	if x, err = a.eval(f); err == nil {
		y, err = b.eval(f)
	}
	return x, y, err
}

// alike checks that two parts may be compared, literals against what they meet; of
// conditionals each arm is held against the other side.
func alike(n ast.Node, a, b typed) *Error {
	if a.arms != nil || b.arms != nil {
		for _, x := range a.picks() {
			for _, y := range b.picks() {
				if fault := alike(n, x, y); fault != nil {
					return fault
				}
			}
		}
		return nil
	}
	switch {
	case a.t.Kind == Any || b.t.Kind == Any, a.t.numeric() && b.t.numeric():
		return nil
	case a.t.Kind == Duration && b.t.numeric(), b.t.Kind == Duration && a.t.numeric():
		return faultAt(n, "write the number with its unit, such as 60s", "a duration and a number do not mix")
	case a.t.textual() && b.t.textual():
		if b.literal != nil && b.t.Kind == Text {
			return literalFits(b, a.t)
		}
		if a.literal != nil && a.t.Kind == Text {
			return literalFits(a, b.t)
		}
		if plain(a.t) && plain(b.t) || a.t.Kind == b.t.Kind {
			return nil
		}
	case a.t.Kind == b.t.Kind:
		if a.t.Kind == List || a.t.Kind == Object {
			return faultAt(n, "compare what is in it", "%s cannot be compared whole", a.t)
		}
		return nil
	case a.t.numeric() && b.t.textual(), b.t.numeric() && a.t.textual():
		return faultAt(n, "use int(x) or decimal(x), or put the number in quotes", "%s and %s cannot be compared", a.t, b.t)
	}
	return faultAt(n, "", "%s and %s cannot be compared", a.t, b.t)
}

// plain types are texts without a form of their own to compare by.
func plain(t *Type) bool { return t.textual() && t.Kind != Date && t.Kind != Time }

// compare orders two run-time values.
func compare(a, b any) (int, error) {
	switch x := a.(type) {
	case int:
		if y, ok := b.(int); ok {
			return order(x, y), nil
		}
	case string:
		if y, ok := b.(string); ok {
			return strings.Compare(x, y), nil
		}
	case bool:
		if y, ok := b.(bool); ok {
			if x == y {
				return 0, nil
			}
			return 1, nil
		}
	case time.Duration:
		if y, ok := b.(time.Duration); ok {
			return order(x, y), nil
		}
	case time.Time:
		if y, ok := b.(time.Time); ok {
			return x.Compare(y), nil
		}
	}
	x, xErr := number(a)
	y, yErr := number(b)
	if xErr != nil || yErr != nil {
		return 0, fmt.Errorf("%s and %s cannot be compared", describe(a), describe(b))
	}
	return x.Cmp(y), nil
}

func order[T int | time.Duration](a, b T) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func number(v any) (Number, error) {
	switch v := v.(type) {
	case int:
		return NumberOf(v)
	case Number:
		return v, nil
	}
	return Number{}, fmt.Errorf("a number is needed, this is %s", describe(v))
}

// in asks whether a list holds a value.
func (c *compiler) in(n *ast.BinaryNode, a, b typed) (typed, *Error) {
	if b.t.Kind != List {
		return b, faultAt(n, "for a text write: a contains b", "in takes a list, this is %s", b.t)
	}
	for _, list := range b.picks() {
		elems := list.elems
		if elems == nil {
			elems = []typed{{t: list.t.Elements(), col: list.col}}
		}
		for _, e := range elems {
			if fault := alike(n, a, e); fault != nil {
				return a, fault
			}
		}
	}
	return typed{t: simple(Bool), col: a.col, eval: func(f *frame) (any, error) {
		v, err := a.eval(f)
		if err != nil {
			return nil, err
		}
		l, err := elements(b, f)
		if err != nil {
			return nil, err
		}
		for _, e := range l {
			if f.fuel--; f.fuel < 0 {
				return nil, fmt.Errorf("the expression takes too long")
			}
			if o, err := compare(v, e); err == nil && o == 0 {
				return true, nil
			}
		}
		return false, nil
	}}, nil
}

// search is contains, startsWith, endsWith and matches.
func (c *compiler) search(n *ast.BinaryNode, a, b typed) (typed, *Error) {
	if !a.t.textual() || !b.t.textual() {
		return a, faultAt(n, "", "%s takes two texts, these are %s and %s", n.Operator, a.t, b.t)
	}
	test := strings.Contains
	switch n.Operator {
	case "startsWith":
		test = strings.HasPrefix
	case "endsWith":
		test = strings.HasSuffix
	case "matches":
		pattern, ok := b.literal.(string)
		if !ok {
			return b, &Error{Col: b.col, Message: "the pattern after matches must be written down, in quotes"}
		}
		re, err := regexp.Compile(pattern)
		if err != nil {
			return b, &Error{Col: b.col, Message: "the pattern cannot be read: " + err.Error()}
		}
		test = func(s, _ string) bool { return re.MatchString(s) }
	}
	return typed{t: simple(Bool), col: a.col, eval: func(f *frame) (any, error) {
		x, err := text(a, f)
		if err != nil {
			return nil, err
		}
		y, err := text(b, f)
		return test(x, y), err
	}}, nil
}

// text evaluates a part whose type is textual.
func text(x typed, f *frame) (string, error) {
	v, err := x.eval(f)
	if err != nil {
		return "", err
	}
	s, ok := v.(string)
	if !ok {
		return "", fmt.Errorf("a text is needed, this is %s", describe(v))
	}
	return s, nil
}

func (c *compiler) arithmetic(n *ast.BinaryNode, a, b typed) (typed, *Error) {
	t, hint := arithmeticType(n.Operator, a.t, b.t)
	if t == nil {
		if (a.t.Kind == Duration && b.t.numeric()) || (b.t.Kind == Duration && a.t.numeric()) {
			return a, faultAt(n, "write the number with its unit, such as 60s", "a duration and a number do not mix")
		}
		return a, faultAt(n, hint, "%s does not take %s and %s", n.Operator, a.t, b.t)
	}
	op := n.Operator[0]
	return typed{t: t, secret: a.secret || b.secret, col: a.col, eval: func(f *frame) (any, error) {
		x, y, err := both(a, b, f)
		if err != nil {
			return nil, err
		}
		return calculate(op, t.Kind, x, y)
	}}, nil
}

// arithmeticType is the type of a op b, or nil with a hint.
func arithmeticType(op string, a, b *Type) (*Type, string) {
	switch {
	case op == "+" && a.textual() && b.textual():
		return simple(Text), ""
	case op == "+" && (a.textual() || b.textual()):
		return nil, "text(x) makes a text of a number; in a prompt write ${x}"
	case a.Kind == Duration && b.Kind == Duration && (op == "+" || op == "-"):
		return a, ""
	case a.Kind == DateTime && b.Kind == Duration && (op == "+" || op == "-"):
		return a, ""
	case a.Kind == DateTime && b.Kind == DateTime && op == "-":
		return simple(Duration), ""
	case !a.numeric() || !b.numeric():
		return nil, ""
	case op == "%":
		if a.Kind == Int && b.Kind == Int {
			return a, ""
		}
		return nil, "% takes whole numbers"
	case op == "/" && a.Kind == Money && b.Kind == Money:
		return simple(Decimal), ""
	case a.Kind == Money || b.Kind == Money && op != "/":
		return simple(Money), ""
	case a.Kind == Int && b.Kind == Int && op != "/":
		return a, ""
	}
	return simple(Decimal), ""
}

// calculate is a op b, giving a value of the kind.
func calculate(op byte, kind Kind, a, b any) (any, error) {
	switch x := a.(type) {
	case string:
		y, ok := b.(string)
		if !ok {
			return nil, fmt.Errorf("a text is needed, this is %s", describe(b))
		}
		if len(x)+len(y) > maxText {
			return nil, fmt.Errorf("the text is longer than %d bytes", maxText)
		}
		return x + y, nil
	case time.Duration:
		if y, ok := b.(time.Duration); ok {
			if op == '-' {
				y = -y
			}
			return x + y, nil
		}
	case time.Time:
		switch y := b.(type) {
		case time.Duration:
			if op == '-' {
				y = -y
			}
			return x.Add(y), nil
		case time.Time:
			return x.Sub(y), nil
		}
	case int:
		if y, ok := b.(int); ok && kind == Int {
			return whole(op, x, y)
		}
	}
	x, err := number(a)
	if err != nil {
		return nil, err
	}
	y, err := number(b)
	if err != nil {
		return nil, err
	}
	switch op {
	case '+':
		return x.Add(y)
	case '-':
		return x.Sub(y)
	case '*':
		return x.Mul(y)
	}
	return x.Div(y)
}

// whole calculates with whole numbers and refuses what does not fit one.
func whole(op byte, a, b int) (any, error) {
	switch op {
	case '+':
		if s := a + b; (s > a) == (b > 0) {
			return s, nil
		}
		return nil, tooLarge()
	case '-':
		if d := a - b; (d < a) == (b > 0) {
			return d, nil
		}
		return nil, tooLarge()
	case '*':
		if a == 0 || b == 0 {
			return 0, nil
		}
		if p := a * b; p/b == a && !(a == -1 && b == math.MinInt) && !(b == -1 && a == math.MinInt) {
			return p, nil
		}
		return nil, tooLarge()
	}
	if b == 0 {
		return nil, fmt.Errorf("division by zero")
	}
	return a % b, nil
}

func tooLarge() error { return fmt.Errorf("the number is too large") }

func negate(v any) (any, error) {
	switch v := v.(type) {
	case int:
		if v == math.MinInt {
			return nil, tooLarge()
		}
		return -v, nil
	case Number:
		return v.Neg(), nil
	case time.Duration:
		return -v, nil
	}
	return nil, fmt.Errorf("a number is needed, this is %s", describe(v))
}
