package link

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

const (
	maxBody  = 64 << 10 // of what is sent with a page
	maxText  = 2000     // characters of a text
	maxShort = 200      // of any other answer
)

// readBody reads what a page sends.
func readBody(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
		return nil, errCross // no page of ours sends anything else
	}
	r.Body = http.MaxBytesReader(w, r.Body, maxBody)
	if err := r.ParseForm(); err != nil {
		var long *http.MaxBytesError
		if errors.As(err, &long) {
			return nil, errTooLong
		}
		return nil, errCross
	}
	return r.PostForm, nil
}

// asked is a field of an operation's page.
type asked struct {
	*flow.FormField
	ID  string // in the page
	Key string // of its answer: the field's name, after the form's where two forms have it
}

// fieldsOf lists what an operation asks, in order. A form that is not there asks nothing.
func fieldsOf(o *flow.Operation, forms map[string]*flow.Form) map[int][]asked {
	all, seen := map[int][]asked{}, map[string]bool{}
	for i, s := range o.Steps {
		form := forms[s.Form]
		if form == nil {
			continue
		}
		for _, f := range form.Fields {
			a := asked{FormField: f, ID: fmt.Sprintf("f%d-%s", i, f.Name), Key: f.Name}
			if seen[a.Key] {
				a.Key = form.Name + "." + f.Name
			}
			seen[a.Key] = true
			all[i] = append(all[i], a)
		}
	}
	return all
}

// fault is what is wrong with an answer; "" = nothing.
type fault string

const (
	faultMissing fault = "missing"
	faultChoose  fault = "choose"
	faultLong    fault = "long"
	faultSigns   fault = "signs"
	faultRange   fault = "range"
	faultWrong   fault = "wrong" // a code
)

// read makes a value of what was typed into a field: nil if it was left out and may be.
// Any other fault than those named is the type's: its answer does not have that form.
func (a asked) read(typed []string) (any, fault) {
	text := ""
	if len(typed) > 0 {
		text = typed[0]
	}
	kind := a.Type.Kind
	most := maxShort
	if kind == expression.Text {
		most = maxText
		text = strings.ReplaceAll(text, "\r\n", "\n")
	}
	switch {
	case utf8.RuneCountInString(text) > most:
		return nil, faultLong
	case !utf8.ValidString(text) || strings.ContainsFunc(text, unkept):
		return nil, faultSigns
	}
	text = strings.TrimSpace(text)
	if text == "" {
		switch {
		case kind == expression.Bool && a.Optional: // a box that is not ticked
			return false, ""
		case a.Optional:
			return nil, ""
		case kind == expression.Bool || kind == expression.Enum:
			return nil, faultChoose
		}
		return nil, faultMissing
	}
	if text = plain(kind, text); text == "" { // a hyphen alone
		return nil, fault(kind)
	}
	value, err := expression.Convert(a.Type, text)
	if err != nil {
		return nil, fault(kind)
	}
	if n, ok := value.(int); ok && (a.Least != 0 || a.Most != 0) && (n < a.Least || n > a.Most) {
		return nil, faultRange
	}
	return value, ""
}

// unkept are characters that nobody can see and no text needs.
func unkept(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }

var (
	grouped    = regexp.MustCompile(`^-?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$`)
	dateForm   = regexp.MustCompile(`^([0-9]{4})[-/.年]?([0-9]{1,2})[-/.月]?([0-9]{1,2})日?$`)
	timeForm   = regexp.MustCompile(`^([0-9]{1,2}):([0-9]{2})(:00)?$`)
	phoneSigns = strings.NewReplacer(" ", "", "-", "", "(", "", ")", "", ".", "")
)

// plain is an answer as the type has it, of the ways in which people and their input
// methods write it.
func plain(kind expression.Kind, s string) string {
	switch kind {
	case expression.Text, expression.Enum, expression.Bool:
		return s
	}
	s = strings.Map(func(r rune) rune {
		switch {
		case r >= '！' && r <= '～': // full width
			return r - '！' + '!'
		case r == '\u3000' || r == '\u00a0':
			return ' '
		case r == '。' && kind != expression.Email:
			return '.'
		}
		return r
	}, s)
	switch kind {
	case expression.Digits:
		return strings.NewReplacer(" ", "", "-", "").Replace(s)
	case expression.Int, expression.Decimal, expression.Money:
		if grouped.MatchString(s) {
			s = strings.ReplaceAll(s, ",", "")
		}
		return s
	case expression.Date:
		if m := dateForm.FindStringSubmatch(s); m != nil {
			return fmt.Sprintf("%s-%02s-%02s", m[1], m[2], m[3])
		}
	case expression.Time:
		if m := timeForm.FindStringSubmatch(s); m != nil {
			return fmt.Sprintf("%02s:%s", m[1], m[2])
		}
	case expression.Phone:
		s = phoneSigns.Replace(s)
		if rest, ok := strings.CutPrefix(s, "00"); ok {
			s = "+" + rest
		}
	}
	return s
}

// readAll reads the answers to a page: the values of those that were given, and what is
// wrong with the others, by ID.
func readAll(fields map[int][]asked, in url.Values) (values map[string]any, faults map[string]fault) {
	values, faults = map[string]any{}, map[string]fault{}
	for _, some := range fields {
		for _, a := range some {
			value, wrong := a.read(in[a.ID])
			switch {
			case wrong != "":
				faults[a.ID] = wrong
			case value != nil:
				values[a.Key] = value
			}
		}
	}
	return values, faults
}

// fieldView is a field as the page shows it.
type fieldView struct {
	ID, Label, LabelLang string
	Widget               string // area, line, radio, choose, tick
	Type, Mode, Complete string // attributes of a line
	Value                string
	Ticked               bool
	Options              []optionView
	Most                 int
	Needed               bool
	Hint, Error          string
}

type optionView struct {
	ID, Value, Label, Lang string
	Chosen                 bool
}

// Described are the ids of what belongs to the field, for those who hear the page.
func (f fieldView) Described() string {
	var ids []string
	if f.Hint != "" {
		ids = append(ids, f.ID+"-hint")
	}
	if f.Error != "" {
		ids = append(ids, f.ID+"-error")
	}
	return strings.Join(ids, " ")
}

const mostRadios = 7 // values of an enum that are all seen at once

// written is how a value that the link brought along stands in the field.
func (a asked) written(value any) string {
	if value == nil {
		return ""
	}
	s := fmt.Sprint(value)
	switch a.Type.Kind {
	case expression.Decimal, expression.Money:
		n, err := expression.ParseNumber(s)
		if err != nil {
			return s
		}
		if a.Type.Kind == expression.Money && n.Round(2) == n {
			return n.Fixed(2)
		}
		return n.String()
	}
	return s
}

// view makes the field's view. value is what it holds: what was typed, or what the link
// brought along.
func (a asked) view(w *words, langs []string, value string, wrong fault) fieldView {
	v := fieldView{ID: a.ID, Value: value, Most: maxShort, Needed: !a.Optional, Widget: "line", Type: "text", Complete: "off"}
	v.Label, v.LabelLang = pick(a.Ask, langs)
	if v.Label == "" {
		v.Label = a.Name
	}
	switch a.Type.Kind {
	case expression.Text:
		v.Widget, v.Most, v.Complete = "area", maxText, ""
	case expression.Digits:
		v.Mode = "numeric"
	case expression.Int:
		if a.Least >= 0 && (a.Least != 0 || a.Most != 0) { // a phone's digits have no minus
			v.Mode = "numeric"
		}
		if a.Least != 0 || a.Most != 0 {
			v.Hint = fmt.Sprintf(w.FromTo, a.Least, a.Most)
		}
	case expression.Decimal, expression.Money:
		v.Mode = "decimal"
	case expression.Date:
		v.Type = "date"
	case expression.Time:
		v.Type = "time"
	case expression.Phone:
		v.Type, v.Mode, v.Complete = "tel", "tel", "tel"
	case expression.Email:
		v.Type, v.Mode, v.Complete = "email", "email", "email"
	case expression.Bool:
		if v.Widget = "radio"; a.Optional {
			v.Widget, v.Ticked = "tick", value == "true"
		}
		v.Options = []optionView{{ID: a.ID, Value: "true", Label: w.Yes}, {ID: a.ID + "-1", Value: "false", Label: w.No}}
	case expression.Enum:
		if v.Widget = "choose"; !a.Optional && len(a.Type.Values) <= mostRadios { // what may be left out can be taken back
			v.Widget = "radio"
		}
		for i, value := range a.Type.Values {
			o := optionView{ID: fmt.Sprintf("%s-%d", a.ID, i), Value: value}
			if i == 0 {
				o.ID = a.ID // what the list of mistakes leads to
			}
			if o.Label, o.Lang = pick(a.Labels[value], langs); o.Label == "" {
				o.Label = value
			}
			v.Options = append(v.Options, o)
		}
	}
	for i := range v.Options {
		v.Options[i].Chosen = v.Options[i].Value == value
	}
	v.Error = w.fault(wrong, a)
	return v
}

// pick is the words of a prompt in the first of some languages that it has, and the
// language's tag if it is not the first that was wanted.
func pick(p *flow.Prompt, langs []string) (text, lang string) {
	words, tag := pickWords(p, langs)
	if words == nil || words.Text == nil {
		return "", ""
	}
	text, err := words.Text.Text(nil) // plain: no value is known where it is shown
	if err != nil {
		return "", ""
	}
	if tag == langs[0] {
		tag = ""
	}
	return text, tag
}

func pickWords(p *flow.Prompt, langs []string) (*flow.Words, string) {
	if p == nil {
		return nil, ""
	}
	for _, tag := range langs {
		if w := p.ByLang[tag]; w != nil {
			return w, tag
		}
	}
	var tags []string
	for tag := range p.ByLang {
		tags = append(tags, tag)
	}
	if len(tags) == 0 {
		return nil, ""
	}
	tag := slices.Min(tags) // the same each time
	return p.ByLang[tag], tag
}
