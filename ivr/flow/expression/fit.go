package expression

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tandem/internal/nearest"
)

// picks are the parts whose value x can have: its arms, or x alone.
func (x typed) picks() []typed {
	if x.arms != nil {
		return slices.Clone(x.arms)
	}
	return []typed{x}
}

// written reports that every value x can have is written down.
func (x typed) written() bool {
	return !slices.ContainsFunc(x.picks(), func(p typed) bool { return p.literal == nil })
}

// common is the type that holds both values: that of a name before that of a literal.
func common(a, b typed) (*Type, bool) {
	switch {
	case a.t.Kind == b.t.Kind && a.t.Kind != Enum:
		return a.t, true
	case a.t.numeric() && b.t.numeric():
		if a.t.Kind == Money || b.t.Kind == Money {
			return simple(Money), true
		}
		return simple(Decimal), true
	case a.t.textual() && b.t.textual():
		if a.t.Kind == Enum && b.t.Kind == Enum && slices.Equal(a.t.Values, b.t.Values) {
			return a.t, true
		}
		return simple(Text), true
	}
	return nil, false
}

// fits checks that a value of x can be kept as want. What is written down is taken apart,
// since a text in it may be a value of an enum: each arm of a conditional, each element
// of a list, each field of an object.
func (c *compiler) fits(x typed, want *Type) *Error {
	if x.arms != nil {
		for _, arm := range x.arms {
			if fault := c.fits(arm, want); fault != nil {
				return fault
			}
		}
		return nil
	}
	if x.elems != nil && want.Kind == List && want.Elem != nil {
		for _, e := range x.elems {
			if fault := c.fits(e, want.Elem); fault != nil {
				return fault
			}
		}
		return nil
	}
	if x.fields != nil && want.Kind == Object && want.Fields != nil {
		for _, name := range slices.Sorted(maps.Keys(want.Fields)) {
			field, ok := x.fields[name]
			if !ok {
				return &Error{Col: x.col, Message: fmt.Sprintf("the field %q is missing", name)}
			}
			if fault := c.fits(field, want.Fields[name]); fault != nil {
				return fault
			}
		}
		return nil
	}
	if x.literal != nil && want.textual() && x.t.Kind == Text {
		return literalFits(x, want)
	}
	if why, hint := misfit(x.t, want); why != "" {
		return &Error{Col: x.col, Message: why, Hint: hint}
	}
	return nil
}

// literalFits checks a text written in the source against a textual type.
func literalFits(x typed, want *Type) *Error {
	s, _ := x.literal.(string)
	if want.Kind == Enum && !slices.Contains(want.Values, s) {
		hint := "it has " + strings.Join(want.Values, ", ")
		if near := nearest.Name(s, want.Values); near != "" {
			hint = "did you mean '" + near + "'?"
		}
		return &Error{Col: x.col, Message: fmt.Sprintf("the enum has no value %q", s), Hint: hint}
	}
	if why := textFault(want, s); why != "" && s != "" {
		return &Error{Col: x.col, Message: fmt.Sprintf("%q is no %s", s, want), Hint: why}
	}
	return nil
}

// Misfit says why a value of type t cannot be kept as want and what to write then, both
// "" if it can.
func (t *Type) Misfit(want *Type) (why, hint string) { return misfit(t, want) }

// misfit says why a value of type from cannot be kept as want, "" if it can.
func misfit(from, want *Type) (why, hint string) {
	clash := fmt.Sprintf("%s is needed here, this is %s", want, from)
	switch {
	case from.Kind == Any || want.Kind == Any:
		return "", ""
	case want.Kind == Int && from.numeric() && from.Kind != Int:
		return clash, "int(x) drops what is after the point"
	case want.numeric() && from.numeric():
		return "", ""
	case want.numeric() && from.textual():
		return clash, "use int(x) or decimal(x)"
	case want.Kind == Text && from.textual():
		return "", ""
	case want.Kind == Text && (from.numeric() || from.Kind == Bool):
		return clash, "use text(x)"
	case want.Kind == Digits && from.textual():
		if from.Kind != Digits {
			return clash, "use digits(x)"
		}
	case want.Kind == Enum && from.Kind == Enum:
		for _, v := range from.Values {
			if !slices.Contains(want.Values, v) {
				return fmt.Sprintf("the enum needed here has no value %q", v), ""
			}
		}
		return "", ""
	case want.Kind == List && from.Kind == List:
		if from.Elem == nil || want.Elem == nil {
			return "", ""
		}
		return misfit(from.Elem, want.Elem)
	case want.Kind == Object && from.Kind == Object && want.Fields != nil && from.Fields != nil:
		for _, name := range slices.Sorted(maps.Keys(want.Fields)) {
			f, ok := from.Fields[name]
			if !ok {
				return fmt.Sprintf("the field %q is missing", name), ""
			}
			if why, hint := misfit(f, want.Fields[name]); why != "" {
				return fmt.Sprintf("field %q: %s", name, why), hint
			}
		}
		return "", ""
	}
	if from.Kind == want.Kind {
		return "", ""
	}
	return clash, ""
}
