package schema

import (
	"embed"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
)

//go:embed reference examples
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

// Reference is the page about the language, in English or Chinese (zh-CN).
func Reference(lang string) []byte {
	p := &page{lang: lang, words: wordsIn(lang)}
	name := "reference/flow-language.md"
	if strings.HasPrefix(lang, "zh") {
		name = "reference/flow-language.zh-CN.md"
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
		all := structsBelow(reflect.TypeFor[FlowFile](), nil)
		if i := slices.IndexFunc(all, func(t reflect.Type) bool { return t.Name() == args[0] }); i >= 0 {
			p.keys(all[i])
		}
	case "names":
		p.told(p.words.name, builtins())
	case "functions":
		p.told(p.words.function, functions())
	case "verbs":
		p.verbs()
	case "each":
		for i, v := range verbs() {
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
	t = plainType(t)
	if slices.Contains(seen, t) {
		return seen
	}
	for _, f := range formsOf(t) {
		seen = structsBelow(f.typ, seen)
	}
	switch {
	case formsOf(t) != nil:
	case t.Kind() == reflect.Map || t.Kind() == reflect.Slice:
		seen = structsBelow(t.Elem(), seen)
	case t.Kind() == reflect.Struct:
		seen = append(seen, t)
		for _, f := range fieldsOf(t) {
			seen = structsBelow(f.typ, seen)
		}
	}
	return seen
}

// keys is a table of a map's keys. Those of a verb and of listening, which have a table
// of their own, are left out where they only stand beside others.
func (p *page) keys(t reflect.Type) {
	p.head(p.words.key, p.words.kind, p.words.what)
	listening := fieldsOf(reflect.TypeFor[Listen]())
	for _, f := range fieldsOf(t) {
		if t == reflect.TypeFor[StepBody]() && verbNamed(f.key) != nil {
			continue
		}
		if t != reflect.TypeFor[Listen]() && slices.ContainsFunc(listening, func(l field) bool { return l.key == f.key && l.en == f.en }) {
			continue
		}
		what := f.about(p.lang)
		what += p.bounds(&f)
		key := "`" + f.key + "`"
		if f.required {
			key += " " + p.words.required
		}
		p.row(key, p.typeText(f.typ, f.words), what)
	}
}

// bounds is what a field's tags say in words.
func (p *page) bounds(f *field) string {
	out := ""
	if f.least != "" {
		out += fmt.Sprintf(p.words.from, f.least, f.most)
	}
	if f.value != "" {
		out += fmt.Sprintf(p.words.def, "`"+f.value+"`")
	}
	return out
}

// typeText says what a value is.
func (p *page) typeText(t reflect.Type, of []string) string {
	t = plainType(t)
	if s := p.words.types[t]; s != "" {
		return s
	}
	if len(of) > 0 && t == reflect.TypeFor[Word]() {
		return "`" + strings.Join(of, "`, `") + "`"
	}
	switch t.Kind() {
	case reflect.Slice:
		return fmt.Sprintf(p.words.list, p.typeText(t.Elem(), of))
	case reflect.Map:
		return fmt.Sprintf(p.words.mapOf, p.typeText(t.Key(), nil), p.typeText(t.Elem(), of))
	}
	if forms := formsOf(t); forms != nil {
		var parts []string
		for _, f := range forms {
			if s := p.typeText(f.typ, f.words); !slices.Contains(parts, s) {
				parts = append(parts, s)
			}
		}
		return strings.Join(parts, p.words.or)
	}
	var keys []string
	for _, f := range fieldsOf(t) {
		keys = append(keys, f.key)
	}
	if len(keys) > 5 {
		return "{ … }"
	}
	return "{ " + strings.Join(keys, ", ") + " }"
}

// told is a table of names.
func (p *page) told(title string, list []told) {
	p.head(title, p.words.kind, p.words.what)
	for _, t := range list {
		p.row("`"+t.name+"`", t.detail, t.about(p.lang))
	}
}

// verbs is the table of all verbs.
func (p *page) verbs() {
	p.head(p.words.name, p.words.does, p.words.outcomes, p.words.channel["voice"], p.words.channel["chat"], p.words.channel["sms"])
	for _, v := range verbs() {
		cells := []string{"[`" + v.key + "`](#" + v.key + ")", v.about(p.lang), p.outcomes(&v)}
		for _, c := range []string{"voice", "chat", "sms"} {
			mark := "✓"
			switch {
			case slices.Contains(v.on, c):
			case v.where == "voice":
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
func (p *page) outcomes(v *verb) string {
	last := v.variants[len(v.variants)-1].outcomes
	switch {
	case v.key == "end":
		return "–"
	case last == nil:
		return p.words.called
	}
	s := "`" + strings.Join(last, "`, `") + "`"
	for _, one := range v.variants[:len(v.variants)-1] {
		s += "; " + fmt.Sprintf(p.words.also, "`"+one.when+"`", "`"+strings.Join(minus(one.outcomes, last), "`, `")+"`")
	}
	return s
}

// minus is a without what is in b.
func minus(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

// verb is the chapter of one verb.
func (p *page) verb(v *verb) {
	p.line("### " + v.key)
	p.line("")
	p.line(v.about(p.lang) + p.words.where[v.where])
	p.line("")
	if note := p.note(v.key); note != "" {
		p.line(note)
		p.line("")
	}
	p.verbKeys(v.typ)
	var outcomes []string
	for _, one := range v.variants {
		outcomes = append(outcomes, minus(one.outcomes, outcomes)...)
	}
	if len(outcomes) > 0 {
		p.head(p.words.outcome, p.words.means)
		for _, o := range outcomes {
			p.row("`"+o+"`", aboutOutcome(o, p.lang))
		}
		p.line("")
	}
	p.example(v.key + ".flow.yaml")
	p.line("")
	p.line(p.words.example)
	p.line("")
	p.example(v.key + ".test.yaml")
}

// note is what there is to say of a verb besides its keys and outcomes, "" if nothing.
func (p *page) note(verb string) string {
	name := "reference/notes.md"
	if strings.HasPrefix(p.lang, "zh") {
		name = "reference/notes.zh-CN.md"
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
	if forms := formsOf(t); forms != nil {
		t = forms[len(forms)-1].typ // the fullest
	}
	p.keys(t)
	p.line("")
	for _, f := range fieldsOf(t) {
		below := f.typ
		if below.Kind() == reflect.Slice {
			below = below.Elem()
		}
		list := []reflect.Type{below}
		for _, one := range formsOf(below) {
			inner := one.typ
			if inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			list = append(list, inner)
		}
		for _, inner := range list {
			if inner.Kind() != reflect.Struct || formsOf(inner) != nil || p.words.types[inner] != "" || inner == reflect.TypeFor[TimeoutChannels]() || inner == reflect.TypeFor[PhraseList]() {
				continue
			}
			p.line(p.words.each, "`"+f.key+"`")
			p.line("")
			p.keys(inner)
			p.line("")
		}
	}
}

// files is a chapter for each kind of file beside the flows.
func (p *page) files() {
	examples := map[string]string{"calendar": "office.calendar.yaml", "queues": "shop.queues.yaml", "form": "csat.form.yaml", "operation": "enrol.operation.yaml", "classify": "triage.classify.yaml"}
	first := true
	for _, k := range Kinds() {
		example := examples[k.Name]
		if example == "" {
			continue // a flow is above; tests have a page of their own
		}
		if !first {
			p.line("")
		}
		first = false
		about := k.en
		if strings.HasPrefix(p.lang, "zh") {
			about = k.zh
		}
		p.line("### NAME" + k.Suffix)
		p.line("")
		p.line(about)
		p.line("")
		p.verbKeys(k.typ)
		for _, f := range fieldsOf(k.typ) {
			if f.typ.Kind() == reflect.Map && f.typ.Elem().Kind() == reflect.Struct && formsOf(f.typ.Elem()) == nil {
				p.line(p.words.each, "`"+f.key+"`")
				p.line("")
				p.keys(f.typ.Elem())
				p.line("")
			}
		}
		p.example(example)
	}
}
