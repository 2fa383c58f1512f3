package expression

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser"
)

const (
	maxSource = 4096   // characters of one expression
	maxNodes  = 200    // parts of one expression's tree
	maxFuel   = 50_000 // parts evaluated in one evaluation: only predicates over lists evaluate a part twice
)

// Program is a compiled expression.
type Program struct {
	source    string
	node      typed
	want      *Type
	uses      []string
	calendars []string
	masks     []string
	root      ast.Node
}

// typed is a part of an expression: its type, whether rule 4 taints it, its value
// if it is written down in the source, and how to work it out.
type typed struct {
	t       *Type
	secret  bool
	literal any
	col     int
	eval    func(*frame) (any, error)

	arms  []typed // of a conditional: what it picks from, conditionals in it taken apart
	elems []typed // of a list written down: what it holds

	fields map[string]typed // of an object written down

	currency func(*frame) (any, error) // of money(x, currency)
	masked   bool                      // the result of mask
}

// frame is one evaluation under way.
type frame struct {
	vars  map[string]any
	items []any // the elements that predicates are at, innermost last
	fuel  int
}

// Compile reads src and checks it against the names of e. With want, the result
// must be of that type or be turned into it without loss. The error is an *Error.
func (e *Env) Compile(src string, want *Type) (*Program, error) {
	p, err := e.compile(src, want)
	if err != nil {
		return nil, err
	}
	if p.node.currency != nil {
		return nil, &Error{Col: p.node.col, Message: "money with a currency is for saying, not for keeping", Hint: "write money(x) here, and money(x, currency) in a prompt"}
	}
	return p, nil
}

func (e *Env) compile(src string, want *Type) (*Program, error) {
	if strings.TrimSpace(src) == "" {
		return nil, &Error{Col: 1, Message: "the expression is empty"}
	}
	if len([]rune(src)) > maxSource {
		return nil, &Error{Col: 1, Message: fmt.Sprintf("the expression is longer than %d characters", maxSource)}
	}
	if before, _, ok := strings.Cut(src, "${"); ok {
		hint := "write the names as they are, without ${ }"
		if s := strings.TrimSpace(src); strings.HasPrefix(s, "${") && strings.HasSuffix(s, "}") && strings.Count(s, "${") == 1 {
			hint = "write " + strings.TrimSpace(s[2:len(s)-1])
		}
		return nil, &Error{Col: len([]rune(before)) + 1, Message: "this whole field is an expression, ${ } is for texts", Hint: hint}
	}
	plain, durations, fault := durations(src)
	if fault != nil {
		return nil, fault
	}
	root, fault := parse(plain)
	if fault != nil {
		return nil, fault
	}
	c := &compiler{env: e, source: []rune(plain), durations: durations}
	node, fault := c.node(root)
	if fault != nil {
		return nil, fault
	}
	if want != nil {
		if fault := c.fits(node, want); fault != nil {
			return nil, fault
		}
	}
	slices.Sort(c.uses)
	return &Program{source: src, node: node, want: want, uses: slices.Compact(c.uses), calendars: c.calendars, masks: c.masks, root: root}, nil
}

// parse has expr's parser read the source, with every builtin but the predicates off.
func parse(src string) (ast.Node, *Error) {
	config := conf.CreateNew()
	config.MaxNodes = maxNodes
	config.DisableIfOperator = true
	for name := range config.Builtins {
		config.Disabled[name] = true
	}
	tree, err := parser.ParseWithConfig(src, config)
	var fault *file.Error
	switch {
	case errors.As(err, &fault):
		message := fault.Message
		switch {
		case strings.Contains(message, "maximum allowed nodes"):
			message = fmt.Sprintf("the expression has more than %d parts: split it over several steps", maxNodes)
		case strings.Contains(message, "token EOF"):
			return nil, &Error{Col: len([]rune(src)) + 1, Message: "the expression ends too early"}
		case strings.Contains(message, `unexpected token Operator("=")`):
			return nil, &Error{Col: fault.From + 1, Message: "one = does not compare", Hint: "write =="}
		}
		return nil, &Error{Col: fault.From + 1, Message: message}
	case err != nil:
		return nil, &Error{Col: 1, Message: err.Error()}
	}
	return tree.Node, nil
}

// Source is the expression as written.
func (p *Program) Source() string { return p.source }

// Tree is the expression as parsed, durations in it as plain numbers. It must not be changed.
func (p *Program) Tree() ast.Node { return p.root }

// Type is the type of the result: the wanted one, or what is known where that was open.
func (p *Program) Type() *Type {
	if w := p.want; w != nil && w.Kind != Any && !(w.Kind == List && w.Elem == nil) && !(w.Kind == Object && w.Fields == nil) {
		return w
	}
	return p.node.t
}

// Secret reports whether the result is tainted: made from a secret by anything but
// a comparison or mask.
func (p *Program) Secret() bool { return p.node.secret }

// Uses lists the declared names it reads, in order.
func (p *Program) Uses() []string { return p.uses }

// Masks lists the names that it shows the end of by mask. What was put together from a
// secret and kept under such a name could be seen whole.
func (p *Program) Masks() []string { return p.masks }

// Copies reports that the result is the value of a name, or of a field of one, as it is.
func (p *Program) Copies() bool { return isPath(p.root) }

// Calendars lists the calendars it asks by in_hours, for looking them up.
func (p *Program) Calendars() []string { return p.calendars }

// Eval works the expression out. vars holds the names of Uses, and under "in_hours"
// an InHours if Calendars is not empty. Errors never hold a value.
func (p *Program) Eval(vars map[string]any) (any, error) {
	return evaluate(p.node, p.want, vars)
}

func evaluate(node typed, want *Type, vars map[string]any) (any, error) {
	v, err := node.eval(&frame{vars: vars, fuel: maxFuel})
	if err != nil || want == nil || want.Kind == node.t.Kind && want.Kind != List && want.Kind != Object && want.Kind != Enum {
		return v, err
	}
	return convert(want, v)
}

// InHours tells whether a calendar is open now. The engine hands one in as the
// variable "in_hours", so that expressions stay free of clocks.
type InHours func(calendar string) (bool, error)
