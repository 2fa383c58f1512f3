package engine

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

func (c collect) listening() *flow.Listen   { return &c.Listen }
func (c collect) question() *flow.Prompt    { return c.Prompt }
func (c collect) secret() bool              { return c.Secrecy != flow.Open }
func (c collect) commands() bool            { return true }
func (c collect) failed(silent bool) string { return noInputOrMatch(silent) }
func (c collect) begin(*run) (bool, error)  { return true, nil }

// options offers what an enum or a yes-or-no may be.
func (c collect) options(r *run) []flow.Option {
	switch c.kind() {
	case expression.Bool:
		return yesNo(r.s.Lang)
	case expression.Enum:
		out := make([]flow.Option, len(c.Type.Values))
		for i, v := range c.Type.Values {
			out[i] = flow.Option{Keys: strconv.Itoa(i + 1), Label: v}
		}
		return out
	}
	return nil
}

func (c collect) kind() expression.Kind {
	if c.Type == nil {
		return expression.Text
	}
	return c.Type.Kind
}

// limits are how many keys a value has: those the step names, or those of its type;
// most is 0 where only # or silence ends the entry.
func (c collect) limits() (least, most int) {
	if c.Max > 0 || c.Min > 0 {
		return c.Min, c.Max
	}
	switch c.kind() {
	case expression.Date:
		return 8, 8 // 20261123
	case expression.Time:
		return 4, 4 // 0930
	case expression.Bool:
		return 1, 1
	case expression.Enum:
		if len(c.Type.Values) <= 9 {
			return 1, 1
		}
	}
	return 1, 0
}

// key takes the draft: complete at its full length or at #, else more is to come.
func (c collect) key(r *run) error {
	if r.f.Confirming {
		return r.confirm(c, r.f.Draft)
	}
	_, most := c.limits()
	entry, ended := strings.CutSuffix(r.f.Draft, "#")
	if ended || most > 0 && len(entry) >= most {
		return c.complete(r, entry)
	}
	r.todo = more
	return nil
}

// gap is the silence after a key: it ends an entry as # does.
func (c collect) gap(r *run) error { return c.complete(r, r.f.Draft) }

func (c collect) complete(r *run, keys string) error {
	least, _ := c.limits()
	value, ok := c.fromKeys(keys)
	if !ok || len(keys) < least {
		r.miss(c, false)
		return nil
	}
	return c.take(r, value)
}

// fromKeys writes keys as the type is written: * is the point of an amount, a date
// is eight digits, a yes 1, a value of an enum its number.
func (c collect) fromKeys(keys string) (string, bool) {
	kind := c.kind()
	if kind == expression.Money || kind == expression.Decimal {
		keys = strings.Replace(keys, "*", ".", 1)
	}
	if strings.Trim(keys, "0123456789.") != "" || keys == "" {
		return "", false
	}
	switch kind {
	case expression.Date, expression.Time, expression.Bool, expression.Enum:
		return c.fromText(keys)
	case expression.Email, expression.Recording, expression.List, expression.Object:
		return "", false
	}
	return keys, true
}

// fromText writes a typed line as the type is written.
func (c collect) fromText(s string) (string, bool) {
	switch c.kind() {
	case expression.Digits, expression.Phone:
		s = strings.NewReplacer(" ", "", "-", "").Replace(flow.Fold(s))
	case expression.Int, expression.Decimal, expression.Money:
		s = strings.NewReplacer(" ", "", ",", "").Replace(flow.Fold(s))
	case expression.Date:
		return dateFrom(flow.Fold(s))
	case expression.Time:
		return timeFrom(flow.Fold(s))
	case expression.Bool:
		yes, ok := answer(flow.Fold(s))
		return strconv.FormatBool(yes), ok
	case expression.Enum:
		for i, v := range c.Type.Values {
			if flow.Fold(s) == flow.Fold(v) || flow.Fold(s) == strconv.Itoa(i+1) {
				return v, true
			}
		}
		return "", false
	}
	return s, s != ""
}

// dateFrom reads 20261123, 2026-11-23, 2026/11/23 and 2026年11月23日.
func dateFrom(s string) (string, bool) {
	if len(s) == 8 && strings.Trim(s, "0123456789") == "" {
		return s[:4] + "-" + s[4:6] + "-" + s[6:], true
	}
	p := strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune("-/.年月日 ", c) })
	if len(p) != 3 {
		return "", false
	}
	return p[0] + "-" + twoDigits(p[1]) + "-" + twoDigits(p[2]), true
}

// timeFrom reads 0930, 9:30 and 9点30分.
func timeFrom(s string) (string, bool) {
	if len(s) == 4 && strings.Trim(s, "0123456789") == "" {
		return s[:2] + ":" + s[2:], true
	}
	p := strings.FieldsFunc(s, func(c rune) bool { return strings.ContainsRune(":.点分 ", c) })
	if len(p) != 2 {
		return "", false
	}
	return twoDigits(p[0]) + ":" + twoDigits(p[1]), true
}

func twoDigits(s string) string {
	if len(s) == 1 {
		return "0" + s
	}
	return s
}

func (c collect) text(r *run, s string) error {
	value, ok := c.fromText(s)
	if n := utf8.RuneCountInString(value); !ok || c.counted() && (n < c.Min || c.Max > 0 && n > c.Max) {
		r.miss(c, false)
		return nil
	}
	return c.take(r, value)
}

// counted tells whether digits: counts the characters of the value.
func (c collect) counted() bool {
	return slices.Contains([]expression.Kind{expression.Digits, expression.Text, expression.Phone, expression.Int}, c.kind())
}

// take keeps a value that fits the type and the pattern, and has it confirmed where
// the step asks for that.
func (c collect) take(r *run, s string) error {
	if c.Pattern != "" {
		re, err := regexp.Compile(`^(?:` + c.Pattern + `)$`)
		if err != nil {
			return faultf("the pattern cannot be read: %v", err)
		}
		if !re.MatchString(s) {
			r.miss(c, false)
			return nil
		}
	}
	if c.Type != nil {
		if _, err := expression.Convert(c.Type, s); err != nil {
			r.miss(c, false)
			return nil
		}
	}
	if err := r.assign(c.Into, s); err != nil {
		return err
	}
	r.f.Draft = ""
	if c.Confirm != nil {
		r.f.Confirming = true
		r.s.Keys = "" // a key typed ahead confirms nothing: the value was not yet read back
		r.todo = ask
		return nil
	}
	return r.leave("ok")
}

// confirm takes 1 or yes, 2 or no. A no counts as a try and asks for the value anew.
func (r *run) confirm(c collect, s string) error {
	yes, understood := answer(flow.Fold(s))
	switch {
	case !understood:
		r.miss(c, false)
	case yes:
		return c.stands(r)
	default:
		c.forget(r)
		r.f.Confirming = false
		r.miss(c, false)
	}
	return nil
}

// stands leaves with a value that was confirmed; it was set before the question.
func (c collect) stands(r *run) error {
	value, err := r.value(c.Into)
	if err != nil {
		return err
	}
	r.changed(r.flow.Variable(c.Into), value)
	return r.leave("ok")
}

// forget drops a value that was not confirmed.
func (c collect) forget(r *run) {
	if v := r.flow.Variable(c.Into); v != nil {
		r.put(v, v.Initial())
		delete(r.set, c.Into)
		if len(r.set) == 0 {
			r.set = nil
		}
	}
}
