package expression

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/mail"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

const (
	maxText  = 16 << 10 // bytes of one text value: a bound on what a flow can pile up
	maxItems = 10_000   // elements of one list
)

// Zero is the value of a variable nobody has set: "", 0, false, an empty list, an
// object of zeros, the first value of an enum.
func Zero(t *Type) any {
	switch t.Kind {
	case Int:
		return 0
	case Decimal, Money:
		return Number{}
	case Bool:
		return false
	case Duration:
		return time.Duration(0)
	case DateTime:
		return time.Time{}
	case List:
		return []any{}
	case Object:
		o := make(map[string]any, len(t.Fields))
		for name, f := range t.Fields {
			o[name] = Zero(f)
		}
		return o
	case Enum:
		if len(t.Values) > 0 {
			return t.Values[0]
		}
	case Any:
		return nil
	}
	return ""
}

// FromJSON reads one JSON value into run-time values: numbers become int or, with a
// point or an exponent, Number; one too long for either stays a json.Number, which
// Convert refuses.
func FromJSON(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, fmt.Errorf("reading JSON: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return nil, fmt.Errorf("reading JSON: something follows the value")
	}
	return Normalize(v), nil
}

// Normalize makes run-time values of what JSON or YAML readers yield.
func Normalize(v any) any {
	switch v := v.(type) {
	case json.Number:
		if !strings.ContainsAny(string(v), ".eE") {
			if n, err := strconv.Atoi(string(v)); err == nil {
				return n
			}
			return v
		}
		if n, err := ParseNumber(string(v)); err == nil {
			return n
		}
		return v
	case float64:
		if n, err := ParseNumber(strconv.FormatFloat(v, 'f', -1, 64)); err == nil {
			return n
		}
	case int64:
		return int(v)
	case uint64:
		if v <= math.MaxInt {
			return int(v)
		}
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = Normalize(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, e := range v {
			out[k] = Normalize(e)
		}
		return out
	}
	return v
}

// Infer is the type of a value nobody declared, such as the operator's settings.
func Infer(v any) *Type {
	switch v := Normalize(v).(type) {
	case string:
		return simple(Text)
	case int:
		return simple(Int)
	case Number:
		return simple(Decimal)
	case bool:
		return simple(Bool)
	case []any:
		t := &Type{Kind: List}
		if len(v) > 0 {
			t.Elem = Infer(v[0])
			for _, e := range v[1:] {
				if !same(t.Elem, Infer(e)) {
					t.Elem = nil
					break
				}
			}
		}
		return t
	case map[string]any:
		t := &Type{Kind: Object, Fields: make(map[string]*Type, len(v))}
		for k, e := range v {
			t.Fields[k] = Infer(e)
		}
		return t
	}
	return anyType()
}

// same reports whether two inferred types are one.
func same(a, b *Type) bool {
	if a.Kind != b.Kind || a.Kind == Any || len(a.Fields) != len(b.Fields) {
		return false
	}
	if a.Kind == List && (a.Elem == nil || b.Elem == nil || !same(a.Elem, b.Elem)) {
		return false
	}
	for k, t := range a.Fields {
		if o, ok := b.Fields[k]; !ok || !same(t, o) {
			return false
		}
	}
	return true
}

// Convert makes a value of type t out of JSON, YAML or text that came from outside.
// Digits a number cannot hold, a value that is none of an enum's, or a declared
// field that is missing are errors; fields nobody declared are dropped. The error
// never holds the value itself, which may be a secret.
func Convert(t *Type, v any) (any, error) {
	return convert(t, Normalize(v))
}

func convert(t *Type, v any) (any, error) {
	if t == nil || t.Kind == Any {
		return v, nil
	}
	if t.textual() {
		return convertText(t, v)
	}
	switch t.Kind {
	case Int, Decimal, Money:
		return convertNumber(t, v)
	case Bool:
		switch v {
		case true, "true":
			return true, nil
		case false, "false":
			return false, nil
		}
	case Duration:
		if d, ok := v.(time.Duration); ok {
			return d, nil
		}
	case DateTime:
		if d, ok := v.(time.Time); ok {
			return d, nil
		}
	case List:
		if l, ok := v.([]any); ok {
			return convertList(t, l)
		}
	case Object:
		if o, ok := v.(map[string]any); ok {
			return convertObject(t, o)
		}
	}
	return nil, fmt.Errorf("%s is needed, this is %s", t, describe(v))
}

func convertNumber(t *Type, v any) (any, error) {
	n, isInt := v.(int)
	d, isNumber := v.(Number)
	switch v := v.(type) {
	case string:
		var err error
		if d, err = ParseNumber(strings.TrimSpace(v)); err != nil {
			return nil, fmt.Errorf("%s is needed, this text is none", t)
		}
		isNumber = true
	case json.Number:
		return nil, fmt.Errorf("the number has too many digits: %d at most, %d of them after the point", maxDigits, maxScale)
	}
	switch {
	case t.Kind == Int && isInt:
		return n, nil
	case t.Kind == Int && isNumber:
		if n, whole := d.Int(); whole {
			return n, nil
		}
		return nil, fmt.Errorf("int is needed, this number has a fraction")
	case isInt:
		return NumberOf(n)
	case isNumber:
		return d, nil
	}
	return nil, fmt.Errorf("%s is needed, this is %s", t, describe(v))
}

func convertList(t *Type, l []any) (any, error) {
	if len(l) > maxItems {
		return nil, fmt.Errorf("a list of more than %d", maxItems)
	}
	out := make([]any, len(l))
	for i, e := range l {
		var err error
		if out[i], err = convert(t.Elements(), e); err != nil {
			return nil, fmt.Errorf("element %d: %w", i+1, err)
		}
	}
	return out, nil
}

func convertObject(t *Type, o map[string]any) (any, error) {
	if t.Fields == nil {
		return o, nil
	}
	out := make(map[string]any, len(t.Fields))
	for _, name := range slices.Sorted(maps.Keys(t.Fields)) { // the same error each time
		e, ok := o[name]
		if !ok {
			return nil, fmt.Errorf("field %q is missing", name)
		}
		var err error
		if out[name], err = convert(t.Fields[name], e); err != nil {
			return nil, fmt.Errorf("field %q: %w", name, err)
		}
	}
	return out, nil
}

func convertText(t *Type, v any) (any, error) {
	var s string
	switch v := v.(type) {
	case string:
		s = v
	case int:
		s = strconv.Itoa(v)
	default:
		return nil, fmt.Errorf("%s is needed, this is %s", t, describe(v))
	}
	if len(s) > maxText {
		return nil, fmt.Errorf("the text is longer than %d bytes", maxText)
	}
	if !utf8.ValidString(s) {
		return nil, fmt.Errorf("the text is not UTF-8")
	}
	if why := textFault(t, s); why != "" && s != "" {
		return nil, fmt.Errorf("%s is needed: %s", t, why)
	}
	if t.Kind == Enum && !slices.Contains(t.Values, s) {
		return nil, fmt.Errorf("the value is none of %s", strings.Join(t.Values, ", "))
	}
	return s, nil
}

// textFault says what keeps s from being a value of the textual type, "" for nothing.
func textFault(t *Type, s string) string {
	switch t.Kind {
	case Digits:
		if strings.Trim(s, "0123456789") != "" {
			return "digits only"
		}
	case Date:
		if _, err := time.Parse(time.DateOnly, s); err != nil {
			return "a date is written 2026-11-23"
		}
	case Time:
		if _, err := time.Parse("15:04", s); err != nil || len(s) != 5 {
			return "a time is written 09:30"
		}
	case Phone:
		digits := strings.TrimPrefix(s, "+")
		if strings.Trim(digits, "0123456789") != "" || len(digits) < 3 || len(digits) > 20 {
			return "a phone number is digits, with + before a country code"
		}
	case Email:
		if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
			return "a mail address is written name@example.com"
		}
	}
	return ""
}

// describe names what a value is, without the value.
func describe(v any) string {
	switch v.(type) {
	case nil:
		return "empty (null)"
	case string:
		return "a text"
	case int:
		return "a whole number"
	case Number, float64, json.Number:
		return "a number"
	case bool:
		return "true or false"
	case []any:
		return "a list"
	case map[string]any:
		return "an object"
	case time.Duration:
		return "a duration"
	case time.Time:
		return "a date with time"
	}
	return "something else"
}
