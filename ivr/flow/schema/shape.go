package schema

import (
	"reflect"
	"slices"
	"strings"
)

// field is one key of a map, as its Go field tells.
type field struct {
	key      string
	typ      reflect.Type // without a pointer
	required bool
	en, zh   string
	value    string // the default, as it is written; "" = none
	least    string
	most     string
	words    []string
	fewest   string // how many there must be
}

// about is the field's sentence in a language.
func (f *field) about(lang string) string {
	if strings.HasPrefix(lang, "zh") && f.zh != "" {
		return f.zh
	}
	return f.en
}

// fieldsOf lists the keys of a map in the order of the Go type, those of embedded
// types in their place.
func fieldsOf(t reflect.Type) []field {
	t = plainType(t)
	if t.Kind() != reflect.Struct || formsOf(t) != nil {
		return nil
	}
	var out []field
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			out = append(out, fieldsOf(f.Type)...)
			continue
		}
		key, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		out = append(out, field{
			key: key, typ: plainType(f.Type), required: rest == "", words: wordsOf(f.Tag),
			en: f.Tag.Get("en"), zh: f.Tag.Get("zh"), value: f.Tag.Get("def"), least: f.Tag.Get("least"), most: f.Tag.Get("most"),
			fewest: f.Tag.Get("fewest"),
		})
	}
	return out
}

// form is one of the forms that a value can have: text, map or list.
type form struct {
	kind  string
	typ   reflect.Type
	words []string
}

// formsOf lists the forms of a value that has several, nil for any other type.
func formsOf(t reflect.Type) []form {
	t = plainType(t)
	if t.Kind() != reflect.Struct || t.NumField() == 0 || t.Field(0).Tag.Get("form") == "" {
		return nil
	}
	out := make([]form, t.NumField())
	for i := range out {
		f := t.Field(i)
		out[i] = form{f.Tag.Get("form"), plainType(f.Type), wordsOf(f.Tag)}
	}
	return out
}

func plainType(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

func wordsOf(tag reflect.StructTag) []string {
	if w := tag.Get("words"); w != "" {
		return strings.Split(w, ",")
	}
	return nil
}

// Kind is a kind of file in a flows folder.
type Kind struct {
	Name   string // as `tandem flow schema --kind` knows it
	Suffix string // how its files end
	typ    reflect.Type
	en, zh string
}

// Kinds lists the kinds of files that have a schema.
func Kinds() []Kind {
	return []Kind{
		{"flow", ".flow.yaml", reflect.TypeFor[FlowFile](), "A flow: what a customer hears or reads, what they may answer, and what happens then.", "流程:客户听到或看到什么、可以怎样回答、然后发生什么。"},
		{"calendar", ".calendar.yaml", reflect.TypeFor[CalendarFile](), "Opening hours with their exceptions, in one time zone.", "营业时间及其例外,属于一个时区。"},
		{"queues", ".queues.yaml", reflect.TypeFor[QueuesFile](), "Lines in which customers wait, and voicemail boxes.", "客户等候的队列,以及语音信箱。"},
		{"form", ".form.yaml", reflect.TypeFor[FormFile](), "Questions of a survey, a ticket or a page.", "调查、工单或页面中的问题。"},
		{"operation", ".operation.yaml", reflect.TypeFor[OperationFile](), "What a link opens: a page that shows and asks, in order.", "链接打开的页面:依次显示和询问。"},
		{"classify", ".classify.yaml", reflect.TypeFor[ClassifierFile](), "Rules by which texts are sorted.", "对文字分类的规则。"},
		{"test", ".test.yaml", reflect.TypeFor[TestFile](), "Tests of a flow, in simulated time.", "流程测试,使用模拟时间。"},
	}
}

// kindOf is the kind of a file by its name; a file of no known kind is taken for a flow.
func kindOf(file string) Kind {
	kinds := Kinds()
	if i := slices.IndexFunc(kinds, func(k Kind) bool { return strings.HasSuffix(file, k.Suffix) }); i >= 0 {
		return kinds[i]
	}
	return kinds[0]
}
