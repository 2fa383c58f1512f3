package picture

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

// promptsOf are the prompts that a verb says, the first one first.
func promptsOf(v flow.Verb) []*flow.Prompt {
	var out []*flow.Prompt
	add := func(ps ...*flow.Prompt) {
		for _, p := range ps {
			if p != nil && !slices.Contains(out, p) {
				out = append(out, p)
			}
		}
	}
	switch v := v.(type) {
	case *flow.Say:
		add(v.Prompt)
	case *flow.Menu:
		add(v.Prompt)
		add(v.Retry...)
		for _, c := range v.Choices {
			add(c.Label)
		}
		if v.From != nil {
			add(v.From.Label)
		}
	case *flow.Collect:
		add(v.Prompt)
		add(v.Retry...)
		add(v.Confirm)
	case *flow.Language:
		add(v.Prompt)
	case *flow.ConsentStep:
		add(v.Prompt)
		add(v.Retry...)
	case *flow.Message:
		add(v.Prompt)
	case *flow.LinkStep:
		add(v.Prompt, v.OnOpened)
	case *flow.Handoff:
		add(v.Prompt)
	}
	return out
}

// fingerprint is all that a step does, with the prompts it says, but not where it
// stands in its file. The ways out are not in it: edges are compared by themselves.
func fingerprint(s *flow.Step) string {
	var b strings.Builder
	bare := *s
	bare.Next = flow.Next{}
	spell(&b, reflect.ValueOf(bare), 0)
	return b.String()
}

const maxDepth = 40 // of a step as values in values; the language nests less deep

// spell writes a value without its places.
func spell(b *strings.Builder, v reflect.Value, depth int) {
	if depth > maxDepth {
		return
	}
	if v.IsValid() && v.CanInterface() {
		switch x := v.Interface().(type) {
		case flow.Pos:
			return
		case *expression.Program:
			if x != nil {
				fmt.Fprintf(b, "%q", x.Source())
			}
			return
		case *expression.Template:
			if x != nil {
				fmt.Fprintf(b, "%q", x.Source())
			}
			return
		case *expression.Type:
			if x != nil {
				b.WriteString(x.String())
			}
			return
		}
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			b.WriteString("nil")
			return
		}
		if v.Kind() == reflect.Interface {
			b.WriteString(v.Elem().Type().String())
		}
		spell(b, v.Elem(), depth+1)
	case reflect.Struct:
		b.WriteByte('{')
		for i := range v.NumField() {
			if name := v.Type().Field(i).Name; name != "Go" && name != "Note" {
				b.WriteString(name + ":")
				spell(b, v.Field(i), depth+1)
				b.WriteByte(' ')
			}
		}
		b.WriteByte('}')
	case reflect.Slice, reflect.Array:
		b.WriteByte('[')
		for i := range v.Len() {
			spell(b, v.Index(i), depth+1)
			b.WriteByte(' ')
		}
		b.WriteByte(']')
	case reflect.Map:
		var pairs []string
		for _, k := range v.MapKeys() {
			var one strings.Builder
			spell(&one, k, depth+1)
			one.WriteByte(':')
			spell(&one, v.MapIndex(k), depth+1)
			pairs = append(pairs, one.String())
		}
		slices.Sort(pairs)
		b.WriteString(strings.Join(pairs, ","))
	case reflect.String:
		fmt.Fprintf(b, "%q", v.String())
	case reflect.Bool, reflect.Int, reflect.Int64, reflect.Uint8, reflect.Float64:
		fmt.Fprint(b, v)
	}
}
