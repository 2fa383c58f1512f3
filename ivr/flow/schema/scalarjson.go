package schema

import (
	"reflect"

	"github.com/invopop/jsonschema"
)

// The forms of single values.
const (
	namePattern     = `^[a-z][a-z0-9_]*$`
	durationPattern = `^[0-9]+(ms|s|m|h|d)$`
	languagePattern = `^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$`
	spanPattern     = `[0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2}`
	dayPattern      = `(mon|tue|wed|thu|fri|sat|sun)`
	countPattern    = `^[-+]?[0-9]+$`
	longestName     = 64
)

// scalar is the schema of a single value.
func (b *builder) scalar(t reflect.Type, words []string) *jsonschema.Schema {
	text := func(pattern string) *jsonschema.Schema { return &jsonschema.Schema{Type: "string", Pattern: pattern} }
	types := func(names ...string) *jsonschema.Schema {
		return &jsonschema.Schema{Extras: map[string]any{"type": names}}
	}
	switch t {
	case reflect.TypeFor[NewName]():
		s, longest := b.name(), uint64(longestName)
		s.MaxLength = &longest
		return s
	case reflect.TypeFor[StepName]():
		s := b.name()
		s.Not = &jsonschema.Schema{Enum: []any{"end", "repeat"}}
		return s
	case reflect.TypeFor[Target](), reflect.TypeFor[Outcome](), reflect.TypeFor[VariableName]():
		return b.name()
	case reflect.TypeFor[Expression]():
		return types("string", "number", "boolean")
	case reflect.TypeFor[Duration]():
		return b.says(text(durationPattern), "A duration is a number with its unit: 500ms, 5s, 8m, 2h or 3d.", "时长是带单位的数:500ms、5s、8m、2h 或 3d。")
	case reflect.TypeFor[Pause]():
		return text(`^([0-9]+(ms|s|m|h|d)|silence)$`)
	case reflect.TypeFor[AgentCount]():
		s := types("integer", "string")
		s.Pattern, s.Minimum, s.Maximum = `^(none|[0-9]+)$`, "0", "1000"
		return s
	case reflect.TypeFor[Count]():
		s := types("integer", "string")
		s.Pattern = countPattern
		return s
	case reflect.TypeFor[Share]():
		s := types("number", "string")
		s.Pattern = `^(0|1|[01]\.[0-9]+)$`
		return s
	case reflect.TypeFor[Digits]():
		s := types("integer", "string")
		s.Pattern, s.Minimum, s.Maximum = `^[0-9]{1,3}(\.\.[0-9]{1,3})?$`, "1", "64"
		return s
	case reflect.TypeFor[Range]():
		return text(`^-?[0-9]{1,7}\.\.-?[0-9]{1,7}$`)
	case reflect.TypeFor[Keys]():
		return b.says(text(`^[0-9*#A-D]{1,8}$`), "Keys are digits, * or #, in quotes: \"1\".", "按键是加引号的数字、* 或 #:\"1\"。")
	case reflect.TypeFor[Pressed]():
		return text(`^[0-9*#A-D]*$`)
	case reflect.TypeFor[YesNo]():
		return b.says(&jsonschema.Schema{Type: "boolean"}, "Write true or false.", "请写 true 或 false。")
	case reflect.TypeFor[Word]():
		return enum(words)
	case reflect.TypeFor[Secrecy]():
		return &jsonschema.Schema{Enum: []any{true, false, "ephemeral"}}
	case reflect.TypeFor[Language]():
		return b.says(text(languagePattern), "A language is a tag such as en or zh-CN.", "语言写作标签,如 en、zh-CN。")
	case reflect.TypeFor[Date]():
		return text(`^[0-9]{4}-[0-9]{2}-[0-9]{2}$`)
	case reflect.TypeFor[Days]():
		return text(`^` + dayPattern + `(-` + dayPattern + `)?$`)
	case reflect.TypeFor[Hours]():
		return text(`^(closed|` + spanPattern + `(\s*,\s*` + spanPattern + `)*)$`)
	case reflect.TypeFor[TeamName]():
		if len(b.names.Teams) == 0 {
			return b.name()
		}
	case reflect.TypeFor[AgentName]():
		return b.says(text(`^[a-z0-9][a-z0-9._@+-]{0,99}$`), "An agent is named as they log in: small letters, digits and . _ - @ +.", "客服写登录名:小写字母、数字和 . _ - @ +。")
	case reflect.TypeFor[SkillName]():
		return b.says(text(`^([A-Za-z0-9][A-Za-z0-9:_.-]{0,63}|\*)$`), "A skill has letters, digits and : _ - .", "技能由字母、数字和 : _ - . 组成。")
	case reflect.TypeFor[SkillLevel]():
		s := types("integer", "string")
		s.Pattern, s.Minimum, s.Maximum = `^[1-9]$`, "1", "9"
		return s
	case reflect.TypeFor[OwnerName]():
		return b.says(text(`^(agent|team|queue):.+$`), "An owner is \"agent:NAME\", \"team:NAME\" or \"queue:NAME\".", "负责人写作 \"agent:名称\"、\"team:名称\" 或 \"queue:名称\"。")
	case reflect.TypeFor[Header]():
		return text("^[A-Za-z0-9!#$%&'*+.^_`|~-]+$")
	case reflect.TypeFor[Note]():
		return types("string", "number", "boolean", "null")
	case reflect.TypeFor[Any]():
		return &jsonschema.Schema{}
	case reflect.TypeFor[PromptName]():
		if len(b.names.Prompts) == 0 {
			return text(namePattern)
		}
		// A file may have prompts that were written after the schema was made.
		return &jsonschema.Schema{AnyOf: []*jsonschema.Schema{enum(b.names.Prompts), text(namePattern)}}
	}
	if known := b.names.Of(t); len(known) > 0 {
		return enum(known)
	}
	return text("")
}

// name is the form of all names.
func (b *builder) name() *jsonschema.Schema {
	return b.says(&jsonschema.Schema{Type: "string", Pattern: namePattern},
		"A name has small letters, digits and _, and begins with a letter.", "名称由小写字母、数字和 _ 组成,以字母开头。")
}

func enum(words []string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, w := range words {
		s.Enum = append(s.Enum, w)
	}
	return s
}

// Of lists the names that a value of a type may be.
func (n *Names) Of(t reflect.Type) []string {
	switch t {
	case reflect.TypeFor[PromptName]():
		return n.Prompts
	case reflect.TypeFor[CalendarName]():
		return n.Calendars
	case reflect.TypeFor[QueueName]():
		return n.Queues
	case reflect.TypeFor[TeamName]():
		return n.Teams
	case reflect.TypeFor[BoxName]():
		return n.Boxes
	case reflect.TypeFor[FormName]():
		return n.Forms
	case reflect.TypeFor[OperationName]():
		return n.Operations
	case reflect.TypeFor[ClassifierName]():
		return n.Classifiers
	case reflect.TypeFor[CheckName]():
		return n.Checks
	case reflect.TypeFor[KnowledgeName]():
		return n.Knowledge
	case reflect.TypeFor[FlowName]():
		var out []string
		for _, f := range n.Flows {
			out = append(out, f.Name)
		}
		return out
	}
	return nil
}
