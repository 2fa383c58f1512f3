package link

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

func number(t *testing.T, s string) expression.Number {
	t.Helper()
	n, err := expression.ParseNumber(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func TestAnswers(t *testing.T) {
	const none = "(left out)"
	for _, test := range []struct {
		kind     expression.Kind
		optional bool
		typed    string
		want     any
		fault    fault
	}{
		{expression.Text, false, "  a name \r\n of two lines ", "a name \n of two lines", ""},
		{expression.Text, false, "", nil, faultMissing},
		{expression.Text, false, " \t\n ", nil, faultMissing},
		{expression.Text, true, " ", none, ""},
		{expression.Text, false, "a\x00b", nil, faultSigns},
		{expression.Text, false, "a\x1b[31mb", nil, faultSigns},
		{expression.Text, false, "a\u0085b", nil, faultSigns},
		{expression.Text, false, "a\xffb", nil, faultSigns},
		{expression.Text, false, strings.Repeat("字", maxText+1), nil, faultLong},
		{expression.Text, false, "<b>${x}</b>", "<b>${x}</b>", ""},
		{expression.Digits, false, "6222 0200-11", "6222020011", ""},
		{expression.Digits, false, "６２２２", "6222", ""},
		{expression.Digits, false, "62a", nil, "digits"},
		{expression.Digits, false, strings.Repeat("1", maxShort+1), nil, faultLong},
		{expression.Int, false, "3", 3, ""},
		{expression.Int, false, "３", 3, ""},
		{expression.Int, false, "1,200", 1200, ""},
		{expression.Int, false, "0", 0, ""},
		{expression.Int, false, "1.5", nil, "int"},
		{expression.Int, false, "99999999999999999999", nil, "int"},
		{expression.Int, false, "three", nil, "int"},
		{expression.Decimal, false, "12.5", number(t, "12.5"), ""},
		{expression.Decimal, false, "-12。5", number(t, "-12.5"), ""},
		{expression.Decimal, false, "12,5", nil, "decimal"},
		{expression.Decimal, false, "NaN", nil, "decimal"},
		{expression.Decimal, false, "Inf", nil, "decimal"},
		{expression.Decimal, false, "1e999", nil, "decimal"},
		{expression.Money, false, "1,234,567.89", number(t, "1234567.89"), ""},
		{expression.Money, false, "1,23", nil, "money"},
		{expression.Money, false, "￥5", nil, "money"},
		{expression.Date, false, "2026-11-23", "2026-11-23", ""},
		{expression.Date, false, "2026年1月3日", "2026-01-03", ""},
		{expression.Date, false, "2026/1/3", "2026-01-03", ""},
		{expression.Date, false, "20261123", "2026-11-23", ""},
		{expression.Date, false, "2026-02-30", nil, "date"},
		{expression.Date, false, "tomorrow", nil, "date"},
		{expression.Time, false, "09:30", "09:30", ""},
		{expression.Time, false, "9：30", "09:30", ""},
		{expression.Time, false, "09:30:00", "09:30", ""},
		{expression.Time, false, "25:00", nil, "time"},
		{expression.Bool, false, "true", true, ""},
		{expression.Bool, false, "false", false, ""},
		{expression.Bool, false, "", nil, faultChoose},
		{expression.Bool, true, "", false, ""},
		{expression.Bool, false, "perhaps", nil, "bool"},
		{expression.Phone, false, "+86 138-0000 (0000)", "+8613800000000", ""},
		{expression.Phone, false, "0086 13800000000", "+8613800000000", ""},
		{expression.Phone, false, "call me", nil, "phone"},
		{expression.Phone, false, "(", nil, "phone"},
		{expression.Digits, true, "-", nil, "digits"},
		{expression.Email, false, "li@example.com", "li@example.com", ""},
		{expression.Email, false, "li＠example.com", "li@example.com", ""},
		{expression.Email, false, "Li <li@example.com>", nil, "email"},
		{expression.Email, false, "li@example.com\nBcc: x@example.com", nil, "email"},
		{expression.Enum, false, "gold", "gold", ""},
		{expression.Enum, false, "silver", nil, "enum"},
		{expression.Enum, false, "", nil, faultChoose},
		{expression.Enum, true, "", none, ""},
	} {
		a := asked{FormField: &flow.FormField{Name: "a", Type: &expression.Type{Kind: test.kind, Values: []string{"basic", "gold"}}, Optional: test.optional}}
		got, wrong := a.read([]string{test.typed})
		want := test.want
		if want == none {
			want = nil
		}
		if got != want || wrong != test.fault {
			t.Errorf("%s %q: %v %q, want %v %q", test.kind, test.typed, got, wrong, want, test.fault)
		}
		for _, w := range allWords() {
			if said := w.fault(wrong, a); (said == "") != (wrong == "") || strings.Contains(said, "%!") {
				t.Errorf("%s says of %q: %q", w.Tag, wrong, said)
			}
		}
	}
	ranged := asked{FormField: &flow.FormField{Type: &expression.Type{Kind: expression.Int}, Least: -3, Most: 5}}
	for typed, want := range map[string]fault{"-3": "", "5": "", "6": faultRange, "-4": faultRange, "": faultMissing} {
		if _, wrong := ranged.read([]string{typed}); wrong != want {
			t.Errorf("%q: %q", typed, wrong)
		}
	}
	if _, wrong := ranged.read(nil); wrong != faultMissing {
		t.Error(wrong)
	}
}

// TestTwoForms: two forms may ask for things of one name.
func TestTwoForms(t *testing.T) {
	field := &flow.FormField{Name: "name", Type: &expression.Type{Kind: expression.Text}}
	forms := map[string]*flow.Form{"you": {Name: "you", Fields: []*flow.FormField{field}}, "them": {Name: "them", Fields: []*flow.FormField{field}}}
	o := &flow.Operation{Steps: []flow.OperationStep{{Form: "you"}, {Form: "them"}, {Form: "gone"}}}
	values, faults := readAll(fieldsOf(o, forms), url.Values{"f0-name": {"li"}, "f1-name": {"wang"}, "f2-name": {"x"}, "else": {"y"}})
	if len(faults) != 0 || fmt.Sprint(values) != "map[name:li them.name:wang]" {
		t.Errorf("%v %v", values, faults)
	}
}

// TestWordsAreThere: every language has every word.
func TestWordsAreThere(t *testing.T) {
	lines := func(w *words) []string {
		var out []string
		for _, part := range strings.Split(fmt.Sprintf("%#v", *w), `, `) {
			if name, value, ok := strings.Cut(part, ":"); ok && value == `""` {
				out = append(out, name)
			}
		}
		return out
	}
	for _, w := range allWords() {
		if missing := lines(w); len(missing) != 0 {
			t.Errorf("%s lacks %v", w.Tag, missing)
		}
		for f := range english.Faults {
			if w.Faults[f] == "" {
				t.Errorf("%s lacks what is wrong with %s", w.Tag, f)
			}
		}
	}
}

func FuzzForm(f *testing.F) {
	fields := fieldsOf(&flow.Operation{Steps: []flow.OperationStep{{}, {}, {Form: "every"}}}, library(f).Forms)
	f.Add(good().Encode())
	for _, seed := range hostile() {
		form := url.Values{}
		for _, a := range fields[2] {
			form.Set(a.ID, seed)
		}
		f.Add(form.Encode())
	}
	f.Add("f2-user=a&f2-user=b&f2-people=%zz&;")
	f.Fuzz(func(t *testing.T, body string) {
		in, err := url.ParseQuery(body)
		if err != nil && len(in) == 0 {
			return
		}
		values, faults := readAll(fields, in)
		for _, a := range fields[2] {
			value, given := values[a.Key]
			wrong, bad := faults[a.ID]
			if given && bad || !given && !bad && !a.Optional {
				t.Errorf("%s: %v and %q", a.Name, value, wrong)
			}
			if s, ok := value.(string); ok && (!utf8.ValidString(s) || s == "" || utf8.RuneCountInString(s) > maxText || strings.ContainsFunc(s, unkept)) {
				t.Errorf("%s: %q was let through", a.Name, s)
			}
			if s, ok := value.(string); ok && a.Type.Kind == expression.Enum && !slices.Contains(a.Type.Values, s) {
				t.Errorf("%s: %q is no value", a.Name, s)
			}
			if n, ok := value.(int); ok && (n < a.Least || n > a.Most) {
				t.Errorf("%s: %d", a.Name, n)
			}
			if given { // what was taken is taken again as it stands
				if again, wrong := a.read([]string{a.written(value)}); wrong != "" || again != value {
					t.Errorf("%s: %v becomes %v, %q", a.Name, value, again, wrong)
				}
			}
			for _, w := range allWords() {
				if said := w.fault(wrong, a); (said == "") != (wrong == "") {
					t.Errorf("%s: %q of %q", a.Name, said, wrong)
				}
			}
		}
	})
}
