package schema

import (
	"reflect"
	"strings"

	"github.com/invopop/jsonschema"
)

// has is a map with these keys.
func has(keys ...string) *jsonschema.Schema { return &jsonschema.Schema{Required: keys} }

// at is what holds for the value of one key.
func at(key string, s *jsonschema.Schema) *jsonschema.Schema {
	p := jsonschema.NewProperties()
	p.Set(key, s)
	return &jsonschema.Schema{Properties: p}
}

// without is a map that must not have a key.
func without(key string) *jsonschema.Schema { return at(key, jsonschema.FalseSchema) }

func when(test, then, otherwise *jsonschema.Schema) *jsonschema.Schema {
	return &jsonschema.Schema{If: test, Then: then, Else: otherwise}
}

// oneOf is a map with one of these keys.
func (b *builder) oneOf(keys ...string) []*jsonschema.Schema {
	out := make([]*jsonschema.Schema, len(keys))
	all := strings.Join(keys, ", ")
	for i, k := range keys {
		out[i] = b.says(has(k), "One of these keys is needed: "+all+".", "须写下列键之一:"+all+"。")
	}
	return out
}

// says gives a schema the message that editors show where it is not met, in English and
// Chinese. The keyword is none of JSON Schema's; what does not know it passes over it.
func (b *builder) says(s *jsonschema.Schema, en, zh string) *jsonschema.Schema {
	if s.Extras == nil {
		s.Extras = map[string]any{}
	}
	s.Extras["errorMessage"] = en
	if strings.HasPrefix(b.names.Lang, "zh") {
		s.Extras["errorMessage"] = zh
	}
	return s
}

// extend adds the rules that hold between the keys of a map.
func (b *builder) extend(t reflect.Type, s *jsonschema.Schema) {
	switch t {
	case reflect.TypeFor[FlowFile]():
		s.AllOf = append(s.AllOf, when(has("returns"), has("outcomes"), nil))
		if list, ok := s.Properties.Get("outcomes"); ok {
			list.Items.Not = &jsonschema.Schema{Enum: []any{Else, Skipped, Loop, NotAssured}}
		}
	case reflect.TypeFor[StepBody]():
		b.step(s)
	case reflect.TypeFor[WordsParts](), reflect.TypeFor[PlainParts]():
		s.AnyOf = b.oneOf("text", "audio")
	case reflect.TypeFor[TypeFull](), reflect.TypeFor[DeclaredFull](), reflect.TypeFor[Field]():
		for _, part := range [][2]string{{"values", "enum"}, {"fields", "object"}} {
			key := part[0]
			if _, ok := s.Properties.Get(key); !ok {
				continue
			}
			is := at("type", &jsonschema.Schema{Const: part[1]})
			is.Required = []string{"type"}
			s.AllOf = append(s.AllOf, when(is, has(key), without(key)))
		}
		if _, ok := s.Properties.Get("range"); ok {
			is := at("type", &jsonschema.Schema{Const: "int"})
			s.AllOf = append(s.AllOf, when(has("range"), is, nil))
		}
	case reflect.TypeFor[Commands]():
		for _, key := range []string{"help", "agent"} {
			s.AllOf = append(s.AllOf, at(key, has("go")))
		}
	case reflect.TypeFor[Command]():
		s.AnyOf = b.oneOf("keys", "phrases")
	case reflect.TypeFor[LanguageVerb]():
		s.OneOf = b.oneOf("by", "set")
		menu := at("by", &jsonschema.Schema{Contains: &jsonschema.Schema{Const: "menu"}})
		menu.Required = []string{"by"}
		s.AllOf = append(s.AllOf, when(menu, has("prompt"), nil))
	case reflect.TypeFor[HTTP]():
		s.OneOf = b.oneOf("get", "post", "put", "patch", "delete")
		s.AllOf = append(s.AllOf, when(has("get"), without("json"), nil))
	case reflect.TypeFor[Message]():
		s.OneOf = b.oneOf("prompt", "template")
		s.AllOf = append(s.AllOf, when(has("with"), has("template"), nil))
	case reflect.TypeFor[Link]():
		s.AllOf = append(s.AllOf, when(has("on_opened"), has("wait"), nil))
	case reflect.TypeFor[ClassifyInto](), reflect.TypeFor[Facets](), reflect.TypeFor[Offer]():
		n := uint64(1)
		s.MinProperties = &n
	case reflect.TypeFor[Callback](), reflect.TypeFor[End](), reflect.TypeFor[QueueBody](), reflect.TypeFor[TeamBody](), reflect.TypeFor[AgentBody]():
		s.Type, s.Extras = "", map[string]any{"type": []string{"object", "null"}}
		if t == reflect.TypeFor[End]() {
			alone := b.says(without("reason"), "A called flow ends by as, any other by reason: one of the two.", "被调用的流程用 as 结束,其他流程用 reason,只写其一。")
			s.AllOf = append(s.AllOf, when(has("as"), alone, nil))
		}
	case reflect.TypeFor[Page]():
		s.OneOf = b.oneOf("show", "form")
		s.AllOf = append(s.AllOf, when(has("form"), without("image"), nil))
	case reflect.TypeFor[CheckStep]():
		s.OneOf = b.oneOf("code", "questions", "document", "face", "request", "compare")
		s.AllOf = append(s.AllOf, when(has("count"), has("request"), nil), when(has("likeness"), has("compare"), nil))
	case reflect.TypeFor[Identify]():
		by, fallback := at("by", &jsonschema.Schema{Contains: &jsonschema.Schema{Const: "video"}}), at("fallback", &jsonschema.Schema{Const: "video"})
		by.Required, fallback.Required = []string{"by"}, []string{"fallback"}
		video := b.says(&jsonschema.Schema{AnyOf: []*jsonschema.Schema{by, fallback}}, "An identity check is made by video; add it to by.", "身份核验通过视频进行,请在 by 中加入 video。")
		s.AllOf = append(s.AllOf, when(has("check"), video, nil))
	case reflect.TypeFor[LineWord](), reflect.TypeFor[GetsWay]():
		one := uint64(1)
		s.MinProperties, s.MaxProperties = &one, &one
	}
}

// step adds that a step has exactly one verb, and what each verb asks of next.
func (b *builder) step(s *jsonschema.Schema) {
	var names []string
	for _, v := range Verbs() {
		names = append(names, v.Key)
	}
	all := strings.Join(names, ", ")
	none := &jsonschema.Schema{Not: &jsonschema.Schema{AnyOf: b.oneOf(names...)}}
	s.AllOf = append(s.AllOf, when(none, b.says(has(names[0]), "A step needs a verb: "+all+".", "步骤需要一个动作:"+all+"。"), nil))
	for _, v := range Verbs() {
		alone := &jsonschema.Schema{Properties: jsonschema.NewProperties()}
		for _, other := range names {
			if other != v.Key {
				alone.Properties.Set(other, jsonschema.FalseSchema)
			}
		}
		then := b.verbNext(&v)
		then.AllOf = append(then.AllOf, b.says(alone, "A step has one verb; this one has "+v.Key+" already.", "步骤只有一个动作;这里已有 "+v.Key+"。"))
		s.AllOf = append(s.AllOf, when(has(v.Key), then, nil))
	}
	s.AllOf = append(s.AllOf,
		when(has("if"), at("next", when(&jsonschema.Schema{Type: "object"}, &jsonschema.Schema{AnyOf: b.oneOf(Else, Skipped)}, nil)), nil),
		when(&jsonschema.Schema{AnyOf: b.oneOf("if", "survey")}, nil, at("next", without(Skipped))), // a survey has it as an outcome of its own
		when(has("max_visits"), nil, at("next", without(Loop))),
		when(has("needs"), nil, at("next", without(NotAssured))),
	)
}

// verbNext is what a verb asks of the step it is in.
func (b *builder) verbNext(v *Verb) *jsonschema.Schema {
	last := v.Variants[len(v.Variants)-1]
	switch {
	case v.Key == "end":
		s := without("next")
		s.Properties.Set("if", jsonschema.FalseSchema)
		return s
	case last.Outcomes == nil:
		return b.childNext(v)
	}
	s := &jsonschema.Schema{}
	otherwise := at("next", b.closed(v.Key, "", last.Outcomes))
	for _, one := range v.Variants[:len(v.Variants)-1] {
		keys := strings.Split(one.When, ".")
		last := len(keys) - 1
		test := &jsonschema.Schema{Type: "object", Required: keys[last:]}
		for i := last - 1; i >= 0; i-- {
			test = at(keys[i], test)
			test.Type, test.Required = "object", keys[i:i+1]
		}
		s.AllOf = append(s.AllOf, when(at(v.Key, test), at("next", b.closed(v.Key, "_"+strings.ReplaceAll(one.When, ".", "_"), one.Outcomes)), otherwise))
	}
	if s.AllOf == nil {
		s = otherwise
	}
	s.Required = []string{"next"}
	return s
}

// closed is next of a verb with an outcome set, under $defs; variant tells those of one
// verb apart.
func (b *builder) closed(verb, variant string, outcomes []string) *jsonschema.Schema {
	name := "next_" + verb + variant
	if b.defs[name] == nil {
		b.defs[name] = b.next(verb, outcomes)
	}
	return reference(name)
}

// childNext is what calling a flow asks of the step, for each flow that is known.
func (b *builder) childNext(v *Verb) *jsonschema.Schema {
	s := has("next")
	for _, f := range b.names.Flows {
		if len(f.Outcomes) == 0 {
			continue
		}
		called := at("name", &jsonschema.Schema{Const: f.Name})
		called.Required = []string{"name"}
		then := at("next", b.next(v.Key, f.Outcomes))
		var inputs []string
		for _, in := range f.Inputs {
			inputs = append(inputs, in.Name)
		}
		with := &jsonschema.Schema{PropertyNames: enum(inputs)}
		if inputs == nil {
			none := uint64(0)
			with = &jsonschema.Schema{MaxProperties: &none}
		}
		then.Properties.Set(v.Key, at("with", with))
		s.AllOf = append(s.AllOf, when(at(v.Key, called), then, nil))
	}
	return s
}
