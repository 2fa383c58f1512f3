package reference

import (
	"embed"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"

	"tandem/ivr/flow/schema"
)

//go:embed pages examples
var texts embed.FS

// Examples is a folder of flows, one for each verb, NAME.flow.yaml, with its tests and
// what it uses.
func Examples() fs.FS {
	sub, err := fs.Sub(texts, "examples")
	if err != nil {
		return texts // the name is written above: it cannot fail
	}
	return sub
}

// Page is the page about the language, in English or Chinese (zh-CN).
func Page(lang string) []byte {
	p := &page{lang: lang, words: wordsIn(lang)}
	name := "pages/flow-language.md"
	if strings.HasPrefix(lang, "zh") {
		name = "pages/flow-language.zh-CN.md"
	}
	for _, row := range strings.Split(strings.TrimSuffix(embedded(name), "\n"), "\n") {
		word, ok := strings.CutPrefix(row, "{{")
		if !ok {
			p.line(row)
			continue
		}
		args := strings.Fields(strings.TrimSuffix(word, "}}"))
		p.part(args[0], args[1:])
	}
	return []byte(p.b.String())
}

// embedded is an embedded text; one that is missing shows itself on the page and in its test.
func embedded(name string) string {
	data, err := texts.ReadFile(name)
	if err != nil {
		return fmt.Sprintf("{{%s is missing}}\n", name)
	}
	return string(data)
}

// page is a reference under way.
type page struct {
	b     strings.Builder
	lang  string
	words pageWords
}

// line writes one line; without args it is written as it is.
func (p *page) line(format string, args ...any) {
	if len(args) == 0 {
		p.b.WriteString(format + "\n")
		return
	}
	fmt.Fprintf(&p.b, format+"\n", args...)
}

func (p *page) row(cells ...string) { p.line("| " + strings.Join(cells, " | ") + " |") }

func (p *page) head(cells ...string) {
	p.row(cells...)
	p.row(slices.Repeat([]string{"---"}, len(cells))...)
}

func (p *page) part(name string, args []string) {
	switch name {
	case "example":
		for i, file := range args {
			if i > 0 {
				p.line("")
			}
			p.example(file)
		}
	case "keys":
		all := structsBelow(reflect.TypeFor[schema.FlowFile](), nil)
		if i := slices.IndexFunc(all, func(t reflect.Type) bool { return t.Name() == args[0] }); i >= 0 {
			p.keys(all[i])
		}
	case "names":
		p.told(p.words.name, schema.Builtins())
	case "functions":
		p.told(p.words.function, schema.Functions())
	case "verbs":
		p.verbs()
	case "each":
		for i, v := range schema.Verbs() {
			if i > 0 {
				p.line("")
			}
			p.verb(&v)
		}
	case "files":
		p.files()
	case "article":
		p.line("```markdown\n" + embedded("examples/"+args[0]) + "```")
	}
}

func (p *page) example(file string) {
	p.line("```yaml\n# %s\n%s```", file, embedded("examples/"+file))
}

// structsBelow lists the types of maps with known keys from t on, each once.
func structsBelow(t reflect.Type, seen []reflect.Type) []reflect.Type {
	if slices.Contains(seen, t) {
		return seen
	}
	for _, f := range schema.Forms(t) {
		seen = structsBelow(f.Type, seen)
	}
	switch {
	case schema.Forms(t) != nil:
	case t.Kind() == reflect.Map || t.Kind() == reflect.Slice:
		seen = structsBelow(t.Elem(), seen)
	case t.Kind() == reflect.Struct:
		seen = append(seen, t)
		for _, f := range schema.Properties(t) {
			seen = structsBelow(f.Type, seen)
		}
	}
	return seen
}

// keys is a table of a map's keys. Those of a verb and of listening, which have a table
// of their own, are left out where they only stand beside others.
func (p *page) keys(t reflect.Type) {
	p.head(p.words.key, p.words.kind, p.words.what)
	listening := schema.Properties(reflect.TypeFor[schema.Listen]())
	for _, f := range schema.Properties(t) {
		if t == reflect.TypeFor[schema.StepBody]() && schema.VerbNamed(f.Key) != nil {
			continue
		}
		if t != reflect.TypeFor[schema.Listen]() && slices.ContainsFunc(listening, func(l schema.Property) bool { return l.Key == f.Key && l.About("en") == f.About("en") }) {
			continue
		}
		what := f.About(p.lang)
		what += p.bounds(&f)
		key := "`" + f.Key + "`"
		if f.Required {
			key += " " + p.words.required
		}
		p.row(key, p.typeText(f.Type, f.Words), what)
	}
}

// bounds is what a field's tags say in words.
func (p *page) bounds(f *schema.Property) string {
	out := ""
	if f.Least != "" {
		out += fmt.Sprintf(p.words.from, f.Least, f.Most)
	}
	if f.Default != "" {
		out += fmt.Sprintf(p.words.def, "`"+f.Default+"`")
	}
	return out
}

// typeText says what a value is.
func (p *page) typeText(t reflect.Type, of []string) string {
	if s := p.words.types[t]; s != "" {
		return s
	}
	if len(of) > 0 && t == reflect.TypeFor[schema.Word]() {
		return "`" + strings.Join(of, "`, `") + "`"
	}
	switch t.Kind() {
	case reflect.Slice:
		return fmt.Sprintf(p.words.list, p.typeText(t.Elem(), of))
	case reflect.Map:
		return fmt.Sprintf(p.words.mapOf, p.typeText(t.Key(), nil), p.typeText(t.Elem(), of))
	}
	if forms := schema.Forms(t); forms != nil {
		var parts []string
		for _, f := range forms {
			if s := p.typeText(f.Type, f.Words); !slices.Contains(parts, s) {
				parts = append(parts, s)
			}
		}
		return strings.Join(parts, p.words.or)
	}
	var keys []string
	for _, f := range schema.Properties(t) {
		keys = append(keys, f.Key)
	}
	if len(keys) > 5 {
		return "{ … }"
	}
	return "{ " + strings.Join(keys, ", ") + " }"
}

// told is a table of names.
func (p *page) told(title string, list []schema.Term) {
	p.head(title, p.words.kind, p.words.what)
	for _, t := range list {
		p.row("`"+t.Name+"`", t.Detail, t.About(p.lang))
	}
}

// verbs is the table of all verbs.
func (p *page) verbs() {
	p.head(p.words.name, p.words.does, p.words.outcomes, p.words.channel["voice"], p.words.channel["chat"], p.words.channel["sms"])
	for _, v := range schema.Verbs() {
		cells := []string{"[`" + v.Key + "`](#" + v.Key + ")", v.About(p.lang), p.outcomes(&v)}
		for _, c := range []string{"voice", "chat", "sms"} {
			mark := "✓"
			switch {
			case slices.Contains(v.On, c):
			case v.Where == "voice":
				mark = "–"
			default:
				mark = "(✓)" // under a condition, which its chapter tells
			}
			cells = append(cells, mark)
		}
		p.row(cells...)
	}
}

// outcomes lists the outcomes of a verb in one line.
func (p *page) outcomes(v *schema.Verb) string {
	last := v.Variants[len(v.Variants)-1].Outcomes
	switch {
	case v.Key == "end":
		return "–"
	case last == nil:
		return p.words.called
	}
	s := "`" + strings.Join(last, "`, `") + "`"
	for _, one := range v.Variants[:len(v.Variants)-1] {
		s += "; " + fmt.Sprintf(p.words.also, "`"+one.When+"`", "`"+strings.Join(minus(one.Outcomes, last), "`, `")+"`")
	}
	return s
}

// minus is a without what is in b.
func minus(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

// verb is the chapter of one verb.
func (p *page) verb(v *schema.Verb) {
	p.line("### " + v.Key)
	p.line("")
	p.line(v.About(p.lang) + p.words.where[v.Where])
	p.line("")
	if note := p.note(v.Key); note != "" {
		p.line(note)
		p.line("")
	}
	p.verbKeys(v.Type)
	var outcomes []string
	for _, one := range v.Variants {
		outcomes = append(outcomes, minus(one.Outcomes, outcomes)...)
	}
	if len(outcomes) > 0 {
		p.head(p.words.outcome, p.words.means)
		for _, o := range outcomes {
			p.row("`"+o+"`", schema.AboutOutcome(v.Key, o, p.lang))
		}
		p.line("")
	}
	p.example(v.Key + ".flow.yaml")
	p.line("")
	p.line(p.words.example)
	p.line("")
	p.example(v.Key + ".test.yaml")
}

// note is what there is to say of a verb besides its keys and outcomes, "" if nothing.
func (p *page) note(verb string) string {
	name := "pages/notes.md"
	if strings.HasPrefix(p.lang, "zh") {
		name = "pages/notes.zh-CN.md"
	}
	_, rest, ok := strings.Cut("\n"+embedded(name), "\n## "+verb+"\n")
	if !ok {
		return ""
	}
	note, _, _ := strings.Cut(rest, "\n## ")
	return strings.TrimSpace(note)
}

// verbKeys is the table of a verb's keys and of what stands below them.
func (p *page) verbKeys(t reflect.Type) {
	switch t.Kind() {
	case reflect.Map:
		p.line(p.words.none)
		p.line("")
		return
	case reflect.Slice:
		p.keys(t.Elem())
		p.line("")
		return
	}
	if forms := schema.Forms(t); forms != nil {
		t = forms[len(forms)-1].Type // the fullest
	}
	if len(schema.Properties(t)) == 0 {
		return
	}
	p.keys(t)
	p.line("")
	for _, f := range schema.Properties(t) {
		below := f.Type
		if below.Kind() == reflect.Slice {
			below = below.Elem()
		}
		list := []reflect.Type{below}
		for _, one := range schema.Forms(below) {
			inner := one.Type
			if inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			list = append(list, inner)
		}
		for _, inner := range list {
			if inner.Kind() != reflect.Struct || schema.Forms(inner) != nil || p.words.types[inner] != "" || inner == reflect.TypeFor[schema.TimeoutChannels]() || inner == reflect.TypeFor[schema.PhraseList]() {
				continue
			}
			p.line(p.words.each, "`"+f.Key+"`")
			p.line("")
			p.keys(inner)
			p.line("")
		}
	}
}

// files is a chapter for each kind of file beside the flows.
func (p *page) files() {
	examples := map[string]string{"calendar": "office.calendar.yaml", "queues": "shop.queues.yaml", "form": "csat.form.yaml", "operation": "enrol.operation.yaml", "classify": "triage.classify.yaml", "check": "face.check.yaml", "replies": "shop.replies.yaml"}
	first := true
	for _, k := range schema.Kinds() {
		example := examples[k.Name]
		if example == "" {
			continue // a flow is above; tests have a page of their own
		}
		if !first {
			p.line("")
		}
		first = false
		p.line("### NAME" + k.Suffix)
		p.line("")
		p.line(k.About(p.lang))
		p.line("")
		if k.Name == "queues" || k.Name == "check" {
			p.keys(k.Type)
			p.line("")
			p.below(k.Type, "", map[reflect.Type]bool{})
		} else {
			p.verbKeys(k.Type)
		}
		p.example(example)
	}
}

// below is a table for each map with known keys that stands below a type, however deep,
// each type once.
func (p *page) below(t reflect.Type, path string, seen map[reflect.Type]bool) {
	for _, f := range schema.Properties(t) {
		inner := f.Type
		for inner.Kind() == reflect.Map || inner.Kind() == reflect.Slice {
			inner = inner.Elem()
		}
		if inner.Kind() != reflect.Struct || schema.Forms(inner) != nil || seen[inner] {
			continue
		}
		seen[inner] = true
		if len(schema.Properties(inner)) == 0 {
			continue
		}
		p.line(p.words.each, "`"+path+f.Key+"`")
		p.line("")
		p.keys(inner)
		p.line("")
		p.below(inner, path+f.Key+".", seen)
	}
}
