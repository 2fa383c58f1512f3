package schema

import (
	"reflect"
	"slices"
	"strings"
)

// Property is one key of a map, as its Go field tells.
type Property struct {
	Key      string
	Type     reflect.Type // without a pointer
	Required bool
	en, zh   string
	Default  string // the default, as it is written; "" = none
	Least    string
	Most     string
	Words    []string
	fewest   string // how many there must be
}

// About is the property's sentence in a language.
func (f *Property) About(lang string) string {
	if strings.HasPrefix(lang, "zh") && f.zh != "" {
		return f.zh
	}
	return f.en
}

// Properties lists the keys of a map in the order of the Go type, those of embedded
// types in their place.
func Properties(t reflect.Type) []Property {
	t = plainType(t)
	if t.Kind() != reflect.Struct || Forms(t) != nil {
		return nil
	}
	var out []Property
	for i := range t.NumField() {
		f := t.Field(i)
		if f.Anonymous {
			out = append(out, Properties(f.Type)...)
			continue
		}
		key, rest, _ := strings.Cut(f.Tag.Get("json"), ",")
		out = append(out, Property{
			Key: key, Type: plainType(f.Type), Required: rest == "", Words: wordsOf(f.Tag),
			en: f.Tag.Get("en"), zh: f.Tag.Get("zh"), Default: f.Tag.Get("def"), Least: f.Tag.Get("least"), Most: f.Tag.Get("most"),
			fewest: f.Tag.Get("fewest"),
		})
	}
	return out
}

// Form is one of the forms that a value can have: text, map or list.
type Form struct {
	Kind  string
	Type  reflect.Type
	Words []string
}

// Forms lists the forms of a value that has several, nil for any other type.
func Forms(t reflect.Type) []Form {
	t = plainType(t)
	if t.Kind() != reflect.Struct || t.NumField() == 0 || t.Field(0).Tag.Get("form") == "" {
		return nil
	}
	out := make([]Form, t.NumField())
	for i := range out {
		f := t.Field(i)
		out[i] = Form{f.Tag.Get("form"), plainType(f.Type), wordsOf(f.Tag)}
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
	Type   reflect.Type
	en, zh string
}

// About is the kind's sentence in a language.
func (k *Kind) About(lang string) string {
	if strings.HasPrefix(lang, "zh") {
		return k.zh
	}
	return k.en
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
		{"check", ".check.yaml", reflect.TypeFor[CheckFile](), "How an officer proves by video who a customer is: an identity check, step by step.", "客服如何通过视频核实客户身份:逐步进行的身份核验。"},
		{"replies", ".replies.yaml", reflect.TypeFor[RepliesFile](), "Texts that agents send by name: canned replies.", "客服按名称发送的文字:常用回复。"},
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
