package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"

	"tandem"
)

// draft names the version that editors know best. The keywords used are those that it
// has in common with 2020-12.
const draft = "http://json-schema.org/draft-07/schema#"

// JSON is the JSON Schema of flow files. names adds what is in a folder; nil = any name.
func JSON(names *Names) ([]byte, error) { return JSONOf("flow", names) }

// JSONOf is the JSON Schema of a kind of file, by its name.
func JSONOf(kind string, names *Names) ([]byte, error) {
	kinds := Kinds()
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == kind })
	if i < 0 {
		known := make([]string, len(kinds))
		for i, k := range kinds {
			known[i] = k.Name
		}
		return nil, tandem.Errorf(tandem.CodeInvalid, "there is no kind of file %q; there are %s", kind, strings.Join(known, ", "))
	}
	if names == nil {
		names = &Names{}
	}
	if kind == "queues" { // a queue or a team may be named that is being written
		own := *names
		own.Queues, own.Teams, names = nil, nil, &own
	}
	b := &builder{names: names, defs: jsonschema.Definitions{}}
	root := b.object(kinds[i].Type)
	root.Version = draft
	root.Title = "Tandem " + kinds[i].Name + " file"
	root.Description = kinds[i].About(names.Lang)
	root.Definitions = b.defs
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(root); err != nil {
		return nil, fmt.Errorf("writing the schema: %w", err)
	}
	return out.Bytes(), nil
}

// builder makes schemas of Go types.
type builder struct {
	names *Names
	defs  jsonschema.Definitions
}

// object is the schema of a map with known keys. The library reads the keys and which
// of them must be there; what stands below a key is made here.
func (b *builder) object(t reflect.Type) *jsonschema.Schema {
	r := &jsonschema.Reflector{
		Anonymous: true, DoNotReference: true,
		Mapper: func(inner reflect.Type) *jsonschema.Schema {
			if inner == t {
				return nil
			}
			return &jsonschema.Schema{}
		},
	}
	s := r.ReflectFromType(t)
	s.Version = ""
	for _, f := range Properties(t) {
		property := b.of(f.Type, f.Words)
		b.bounds(property, &f)
		property.Description = f.About(b.names.Lang)
		s.Properties.Set(f.Key, property)
	}
	b.extend(t, s)
	return s
}

// bounds adds what the tags of a field say about its value.
func (b *builder) bounds(s *jsonschema.Schema, f *Property) {
	switch f.Type {
	case reflect.TypeFor[Count](), reflect.TypeFor[Share]():
		s.Minimum, s.Maximum = json.Number(f.Least), json.Number(f.Most)
	}
	if f.fewest != "" {
		n := uint64(1)
		if f.Type.Kind() == reflect.Map {
			s.MinProperties = &n
		} else {
			s.MinItems = &n
		}
	}
	if f.Default == "" {
		return
	}
	switch f.Type {
	case reflect.TypeFor[Count](), reflect.TypeFor[Share](), reflect.TypeFor[YesNo]():
		s.Default = json.RawMessage(f.Default)
	case reflect.TypeFor[Word](), reflect.TypeFor[Duration](), reflect.TypeFor[NewName]():
		s.Default = f.Default
	}
}

// of is the schema of any type; words are those of the field it belongs to.
func (b *builder) of(t reflect.Type, words []string) *jsonschema.Schema {
	t = plainType(t)
	if forms := Forms(t); forms != nil {
		return b.defined(t, func() *jsonschema.Schema { return b.forms(t, forms) })
	}
	switch t.Kind() {
	case reflect.Struct:
		return b.defined(t, func() *jsonschema.Schema { return b.object(t) })
	case reflect.Map:
		s := &jsonschema.Schema{Type: "object", AdditionalProperties: b.of(t.Elem(), words), PropertyNames: b.key(t)}
		if t.Key() == reflect.TypeFor[Language]() {
			s.Title = "words by language"
		}
		if t.Key() == reflect.TypeFor[Language]() && t.Elem() != reflect.TypeFor[PhraseList]() && t.Elem() != reflect.TypeFor[Plain]() {
			n := uint64(1)
			s.MinProperties = &n
		}
		return s
	case reflect.Slice:
		return &jsonschema.Schema{Type: "array", Items: b.of(t.Elem(), words)}
	}
	return b.scalar(t, words)
}

// defined puts a type's schema under $defs, once, and refers to it.
func (b *builder) defined(t reflect.Type, make func() *jsonschema.Schema) *jsonschema.Schema {
	if b.defs[t.Name()] == nil {
		b.defs[t.Name()] = &jsonschema.Schema{} // a type may hold itself
		*b.defs[t.Name()] = *make()
	}
	return reference(t.Name())
}

func reference(name string) *jsonschema.Schema { return &jsonschema.Schema{Ref: "#/$defs/" + name} }

// forms is a value of several forms.
func (b *builder) forms(t reflect.Type, forms []Form) *jsonschema.Schema {
	if t == reflect.TypeFor[Next]() {
		return b.next("", nil)
	}
	s := &jsonschema.Schema{}
	for _, f := range forms {
		one := b.of(f.Type, f.Words)
		if f.Kind == "list" && f.Type.Elem() == reflect.TypeFor[Choice]() {
			least, most := uint64(1), uint64(64)
			one.MinItems, one.MaxItems = &least, &most
		}
		s.AnyOf = append(s.AnyOf, one)
	}
	return s
}

// next is where a step leads. With outcomes it is closed: each is there, or else.
func (b *builder) next(verb string, outcomes []string) *jsonschema.Schema {
	target := b.scalar(reflect.TypeFor[Target](), nil)
	s := &jsonschema.Schema{Extras: map[string]any{"type": []string{"string", "object"}}, Pattern: target.Pattern}
	if outcomes == nil {
		s.AdditionalProperties = target
		return s
	}
	s.AdditionalProperties = jsonschema.FalseSchema
	s.Properties = jsonschema.NewProperties()
	for _, o := range outcomes {
		s.Properties.Set(o, b.outcome(verb, o))
	}
	for _, o := range []string{Else, Skipped, Loop, NotAssured} {
		if !slices.Contains(outcomes, o) {
			s.Properties.Set(o, b.outcome(verb, o))
		}
	}
	s.If = &jsonschema.Schema{Required: []string{Else}}
	s.Else = &jsonschema.Schema{Required: outcomes}
	return s
}

// outcome is where one outcome leads.
func (b *builder) outcome(verb, name string) *jsonschema.Schema {
	s := b.scalar(reflect.TypeFor[Target](), nil)
	s.Description = AboutOutcome(verb, name, b.names.Lang)
	return s
}

// key is what the keys of a map must look like.
func (b *builder) key(t reflect.Type) *jsonschema.Schema {
	s := b.scalar(t.Key(), nil)
	switch t.Elem() {
	case reflect.TypeFor[StepBody]():
		s.Not = &jsonschema.Schema{Enum: []any{"end", "repeat"}}
	case reflect.TypeFor[Declared]():
		s.Not = &jsonschema.Schema{}
		for _, n := range Builtins() {
			if !strings.Contains(n.Name, ".") {
				s.Not.Enum = append(s.Not.Enum, n.Name)
			}
		}
	}
	return s
}
