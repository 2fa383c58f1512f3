package beside

import (
	"regexp"
	"slices"
	"strconv"

	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

const (
	maxFields = 50 // of one form
	maxRange  = 1_000_000
)

// Form reads a form: the questions of a survey, a ticket or a page. The name is "" if
// it could not be read.
func (d *Folder) Form(f *source.File) *flow.Form {
	f.Fields(f.Root, "a form file", "form", "fields")
	form := &flow.Form{Name: named(f, "form"), Pos: f.Pos(f.Root)}
	n := f.Root.Get("fields")
	if n == nil {
		f.Fail(&source.Node{At: f.Root.At}, "missing-key", "add a line `fields: …`", "the form has no `fields`")
		return form
	}
	items := f.List(n, "fields")
	if n.Kind == source.List && len(items) == 0 {
		f.Fail(n, "empty-value", "write [ { name: score, type: int, ask: { en: \"…\" } } ]", "the form asks nothing")
	}
	if len(items) > maxFields {
		f.Fail(n, "out-of-range", "make several forms", "a form has up to %d fields; this has %d", maxFields, len(items))
		items = items[:maxFields]
	}
	seen := map[string]bool{}
	for _, item := range items {
		field := d.field(f, item)
		if field == nil {
			continue
		}
		if seen[field.Name] {
			f.Fail(item.Get("name"), "duplicate-name", "give it another name", "the form has a field `%s` already", field.Name)
			continue
		}
		seen[field.Name] = true
		form.Fields = append(form.Fields, field)
	}
	return form
}

// named reads the key that says what the file is and gives it its name.
func named(f *source.File, key string) string {
	n := f.Root.Get(key)
	if n == nil {
		f.Fail(&source.Node{At: f.Root.At}, "missing-key", "add a line `"+key+": NAME`", "the file has no `%s`", key)
		return ""
	}
	name, _ := f.Name(n, "its name")
	return name
}

// answers are the types that an answer to a form can have.
var answers = []string{"text", "string", "digits", "int", "decimal", "money", "date", "time", "bool", "phone", "email", "enum"}

// field reads one question; nil if it has no name.
func (d *Folder) field(f *source.File, n *source.Node) *flow.FormField {
	if !f.Fields(n, "a field", "name", "type", "values", "labels", "range", "ask", "optional") {
		return nil
	}
	field := &flow.FormField{Pos: f.Pos(n), Type: &expression.Type{Kind: expression.Text}}
	key := n.Get("name")
	if key == nil {
		f.Fail(n, "missing-key", "add `name: score`", "the field has no `name`")
		return nil
	}
	name, ok := f.Name(key, "a field's name")
	if !ok {
		return nil
	}
	field.Name = name
	if t := n.Get("type"); t == nil {
		f.Fail(n, "missing-key", "add `type: text`", "field `%s` has no `type`", name)
	} else if _, ok := f.Word(t, "type", answers...); ok {
		if read := f.Type(n, "field `"+name+"`", "name", "labels", "range", "ask", "optional"); read != nil {
			field.Type = read
		}
	}
	field.Least, field.Most = between(f, n.Get("range"), field.Type)
	if l := n.Get("labels"); l != nil {
		field.Labels = d.labels(f, l, field)
	}
	if a := n.Get("ask"); a != nil {
		field.Ask = d.words(f, a, "the question `"+name+"`")
	}
	if o := n.Get("optional"); o != nil {
		field.Optional = f.YesNo(o, "optional")
	}
	return field
}

// labels reads what people read in the place of an enum's values.
func (d *Folder) labels(f *source.File, n *source.Node, field *flow.FormField) map[string]*flow.Prompt {
	enum := field.Type.Kind == expression.Enum
	if !enum {
		f.Fail(n, "wrong-type", "", "`labels` belong to type enum; this field is %s", field.Type.Kind)
	}
	if !f.AnyFields(n, "labels", "write { VALUE: { en: \"…\" } }") {
		return nil
	}
	out := map[string]*flow.Prompt{}
	for _, e := range n.Entries {
		if enum && !slices.Contains(field.Type.Values, e.Key.Text) {
			f.Fail(e.Key, "unknown-word", source.DidYouMean(e.Key.Text, field.Type.Values), "`%s` is none of the field's values", e.Key.Text)
		}
		if p := d.words(f, e.Val, "the label of `"+e.Key.Text+"`"); p != nil {
			out[e.Key.Text] = p
		}
	}
	return out
}

var rangeForm = regexp.MustCompile(`^(-?[0-9]{1,7})\.\.(-?[0-9]{1,7})$`)

// between reads 1..5.
func between(f *source.File, n *source.Node, t *expression.Type) (least, most int) {
	if n == nil {
		return 0, 0
	}
	m := rangeForm.FindStringSubmatch(n.Text)
	if n.Kind != source.Text || m == nil {
		f.Fail(n, "range", "write 1..5", "range is the least and the most, with .. between them")
		return 0, 0
	}
	least, _ = strconv.Atoi(m[1])
	most, _ = strconv.Atoi(m[2])
	switch {
	case t.Kind != expression.Int:
		f.Fail(n, "wrong-type", "", "`range` belongs to type int; this field is %s", t.Kind)
	case least >= most || least < -maxRange || most > maxRange:
		f.Fail(n, "out-of-range", "", "range is from %d to %d, the smaller number first", -maxRange, maxRange)
	default:
		return least, most
	}
	return 0, 0
}

// Asks reports what a form lacks where its questions are asked, in the languages of a
// flow that uses it.
func Asks(f *source.File, form *flow.Form, used *flow.Flow) {
	for _, field := range form.Fields {
		if field.Ask == nil {
			f.Report(source.Error, source.Place{Line: field.Pos.Line, Col: field.Pos.Col}, 1, "missing-key", "add `ask: { en: \"…\" }`",
				"field `%s` has no `ask`, but flow `%s` asks it", field.Name, used.Name)
			continue
		}
		speaks(f, field.Ask, "the question `"+field.Name+"`", used)
		for _, value := range field.Type.Values {
			speaks(f, field.Labels[value], "the label of `"+value+"`", used)
		}
	}
}
