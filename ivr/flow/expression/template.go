package expression

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"tandem"
)

const maxTemplate = 8192 // characters of one template

// Template is a text with ${…} in it. $${ stands for a plain ${.
type Template struct {
	pieces []piece
	uses   []string
	parts  []tandem.Part // of one without ${…}, made once
}

// piece is literal text, or an expression if program is set.
type piece struct {
	text    string
	program *Program
}

// Template reads a text and compiles what stands in its ${…}. The error is an *Error.
func (e *Env) Template(src string) (*Template, error) {
	in := []rune(src)
	if len(in) > maxTemplate {
		return nil, &Error{Col: 1, Message: fmt.Sprintf("the text is longer than %d characters", maxTemplate)}
	}
	t := &Template{}
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			t.pieces = append(t.pieces, piece{text: text.String()})
			text.Reset()
		}
	}
	for i := 0; i < len(in); {
		if in[i] != '$' || i+1 >= len(in) {
			text.WriteRune(in[i])
			i++
			continue
		}
		if in[i+1] == '$' && i+2 < len(in) && in[i+2] == '{' {
			text.WriteString("${")
			i += 3
			continue
		}
		if in[i+1] != '{' {
			text.WriteRune('$')
			i++
			continue
		}
		end := closing(in, i+2)
		if end < 0 {
			return nil, &Error{Col: i + 1, Message: "this ${ is never closed", Hint: "add }, or write $${ for a plain ${"}
		}
		flush()
		p, err := e.compile(string(in[i+2:end]), nil)
		if err != nil {
			var fault *Error
			if errors.As(err, &fault) {
				return nil, &Error{Col: fault.Col + i + 2, Message: fault.Message, Hint: fault.Hint}
			}
			return nil, err
		}
		t.pieces = append(t.pieces, piece{program: p})
		t.uses = append(t.uses, p.uses...)
		i = end + 1
	}
	flush()
	if fault := t.check(in); fault != nil {
		return nil, fault
	}
	slices.Sort(t.uses)
	t.uses = slices.Compact(t.uses)
	if s, ok := t.Literal(); ok && s != "" {
		t.parts = []tandem.Part{{Kind: tandem.PartText, Text: s}}
	}
	return t, nil
}

// check refuses values that have no written form inside a text.
func (t *Template) check(in []rune) *Error {
	if len(t.pieces) < 2 {
		return nil
	}
	for _, p := range t.pieces {
		if p.program == nil {
			continue
		}
		if k := p.program.node.t.Kind; k == List || k == Object {
			at := strings.Index(string(in), "${"+p.program.source)
			return &Error{Col: len([]rune(string(in)[:max(at, 0)])) + 1, Message: fmt.Sprintf("%s cannot be put into a text", p.program.node.t), Hint: "name what is in it"}
		}
	}
	return nil
}

// closing finds the } that ends an expression begun before i, or -1.
func closing(in []rune, i int) int {
	for depth := 0; i < len(in); {
		switch in[i] {
		case '\'', '"', '`':
			i = skipQuoted(in, i)
			continue
		case '{':
			depth++
		case '}':
			if depth == 0 {
				return i
			}
			depth--
		}
		i++
	}
	return -1
}

// Uses lists the declared names it reads, in order.
func (t *Template) Uses() []string { return t.uses }

// Calendars lists the calendars its expressions ask by in_hours.
func (t *Template) Calendars() []string {
	var names []string
	for _, p := range t.pieces {
		if p.program != nil {
			names = append(names, p.program.calendars...)
		}
	}
	return names
}

// Masks lists the names that its expressions show the end of, as Program.Masks.
func (t *Template) Masks() []string {
	var names []string
	for _, p := range t.pieces {
		if p.program != nil {
			names = append(names, p.program.masks...)
		}
	}
	return names
}

// Secret reports whether anything in it is tainted by a secret.
func (t *Template) Secret() bool {
	return slices.ContainsFunc(t.pieces, func(p piece) bool { return p.program != nil && p.program.Secret() })
}

// Literal is the text of a template without ${…}; ok is false for any other.
func (t *Template) Literal() (s string, ok bool) {
	for _, p := range t.pieces {
		if p.program != nil {
			return "", false
		}
		s += p.text
	}
	return s, true
}

// Source is the template as it may be written in a file.
func (t *Template) Source() string {
	var b strings.Builder
	for _, p := range t.pieces {
		if p.program != nil {
			b.WriteString("${" + p.program.source + "}")
		} else {
			b.WriteString(strings.ReplaceAll(p.text, "${", "$${"))
		}
	}
	return b.String()
}

// Segments lists the pieces of literal text, for looking up recordings.
func (t *Template) Segments() []string {
	var out []string
	for _, p := range t.pieces {
		if p.program == nil {
			out = append(out, p.text)
		}
	}
	return out
}

// Type is the type of Value: that of a lone ${…}, else text.
func (t *Template) Type() *Type {
	if len(t.pieces) == 1 && t.pieces[0].program != nil {
		return t.pieces[0].program.Type()
	}
	return simple(Text)
}

// Value works it out: a lone ${…} keeps its type, all else is Text.
func (t *Template) Value(vars map[string]any) (any, error) {
	if len(t.pieces) == 1 && t.pieces[0].program != nil {
		return t.pieces[0].program.Eval(vars)
	}
	return t.Text(vars)
}

// Text works it out as machines read it: 1234.50, 2026-11-23. What people read or
// hear is made by Parts.
func (t *Template) Text(vars map[string]any) (string, error) {
	return t.join(vars, func(_ *Program, s string, _ bool) (string, error) { return s, nil })
}

// URL works it out as an address: what comes out of ${…} is escaped, so that a
// value stays within its path segment or query value. Settings alone go in as they
// are, since the operator writes them.
func (t *Template) URL(vars map[string]any) (string, error) {
	return t.join(vars, func(p *Program, s string, query bool) (string, error) {
		switch {
		case len(p.uses) == 1 && p.uses[0] == "settings":
			return s, nil
		case query:
			return url.QueryEscape(s), nil
		case s == "." || s == "..":
			return "", fmt.Errorf("a value in the address would climb to another path")
		}
		return url.PathEscape(s), nil
	})
}

func (t *Template) join(vars map[string]any, escape func(p *Program, s string, query bool) (string, error)) (string, error) {
	if s, ok := t.Literal(); ok {
		return s, nil
	}
	var out strings.Builder
	query := false
	for _, p := range t.pieces {
		s := p.text
		if p.program != nil {
			v, err := p.program.Eval(vars)
			if err != nil {
				return "", err
			}
			if s, err = written(p.program.node.t, v); err != nil {
				return "", err
			}
			if s, err = escape(p.program, s, query); err != nil {
				return "", err
			}
		}
		query = query || strings.Contains(s, "?")
		if out.Len()+len(s) > maxText {
			return "", fmt.Errorf("the text is longer than %d bytes", maxText)
		}
		out.WriteString(s)
	}
	return out.String(), nil
}

// Parts works it out for people: each value as it is written in the language and,
// for a voice, with its kind and plain value. Amounts without a currency of their
// own are in vars["currency"], or CNY. The result is shared: do not change it.
func (t *Template) Parts(vars map[string]any, lang string) ([]tandem.Part, error) {
	if t.parts != nil || len(t.pieces) == 0 {
		return t.parts, nil
	}
	parts := make([]tandem.Part, 0, len(t.pieces))
	size := 0
	for _, p := range t.pieces {
		part := tandem.Part{Kind: tandem.PartText, Text: p.text}
		if p.program != nil {
			v, err := p.program.Eval(vars)
			if err != nil {
				return nil, err
			}
			if part, err = p.program.part(v, vars, lang); err != nil {
				return nil, err
			}
		}
		if size += len(part.Text); size > maxText {
			return nil, fmt.Errorf("the text is longer than %d bytes", maxText)
		}
		if part.Text != "" {
			parts = append(parts, part)
		}
	}
	return parts, nil
}
