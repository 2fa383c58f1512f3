package expression

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestNumber(t *testing.T) {
	good := map[string]string{
		"0": "0", "-0.00": "0", "1234.50": "1234.5", "999999999999999999": "999999999999999999", "1.5e3": "1500", "1e-9": "0.000000001",
		"-0.05": "-0.05", "123456789.123456789": "123456789.123456789", "12e0": "12", "100000000000000000000e-3": "100000000000000000",
	}
	for in, want := range good {
		n, err := ParseNumber(in)
		if err != nil || n.String() != want {
			t.Errorf("%s: %s, %v", in, n, err)
		}
	}
	for _, in := range []string{"", "-", ".5", "5.", "1,000", "+1", "1e", "1e999999999", "0x10", "1000000000000000000", "0.0000000001", "١", "1 ", "--1", strings.Repeat("9", 400)} {
		if n, err := ParseNumber(in); err == nil {
			t.Errorf("%q became %s", in, n)
		}
	}
}

func TestNumberArithmetic(t *testing.T) {
	n := func(s string) Number { return num(t, s) }
	type result struct {
		got  Number
		err  error
		want string
	}
	of := func(got Number, err error) func(string) result {
		return func(want string) result { return result{got, err, want} }
	}
	results := []result{
		of(n("0.1").Add(n("0.2")))("0.3"),
		of(n("1").Sub(n("1.000000001")))("-0.000000001"),
		of(n("1.05").Mul(n("3")))("3.15"),
		of(n("0.000000001").Mul(n("0.5")))("0.000000001"),
		of(n("-0.000000001").Mul(n("0.5")))("-0.000000001"),
		of(n("2").Div(n("3")))("0.666666667"),
		of(n("-2").Div(n("3")))("-0.666666667"),
		of(n("10").Div(n("0.004")))("2500"),
		{n("2.345").Round(2), nil, "2.35"},
		{n("-2.345").Round(2), nil, "-2.35"},
		{n("2.344").Round(2), nil, "2.34"},
		{n("0.5").Round(0), nil, "1"},
	}
	for i, r := range results {
		if r.err != nil || r.got.String() != r.want {
			t.Errorf("%d: %s, %v; want %s", i, r.got, r.err, r.want)
		}
	}
	if _, err := n("1").Div(n("0")); err == nil {
		t.Error("divided by zero")
	}
	if _, err := n("999999999999999999").Add(n("1")); err == nil {
		t.Error("a 19th digit")
	}
	if n("1.50") != n("1.5") || n("1").Cmp(n("1.000000001")) >= 0 {
		t.Error("comparing")
	}
	if got := n("1234").Fixed(2); got != "1234.00" {
		t.Error(got)
	}
}

func TestNumberJSONKeepsItsKind(t *testing.T) {
	for _, v := range []any{num(t, "3"), num(t, "-0.5"), 3} {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		back, err := FromJSON(b)
		if err != nil || back != v {
			t.Errorf("%v (%T) became %v (%T), %v", v, v, back, back, err)
		}
	}
}

func TestConvert(t *testing.T) {
	object := &Type{Kind: Object, Fields: map[string]*Type{"balance": simple(Money)}}
	tests := []struct {
		t    *Type
		json string
		want any
		err  string
	}{
		{simple(Int), `3`, 3, ""},
		{simple(Int), `3.0`, 3, ""},
		{simple(Int), `3.5`, nil, "fraction"},
		{simple(Int), `"12"`, 12, ""},
		{simple(Money), `12.34`, num(t, "12.34"), ""},
		{simple(Money), `12`, num(t, "12"), ""},
		{simple(Money), `"1234567890123456.78"`, num(t, "1234567890123456.78"), ""},
		{simple(Money), `0.1234567891`, nil, "too many digits"},
		{simple(Money), `123456789012345678901`, nil, "too many digits"},
		{simple(Money), `"twelve"`, nil, "this text is none"},
		{simple(Text), `12`, "12", ""},
		{simple(Text), `1.5`, nil, "text is needed, this is a number"},
		{simple(Digits), `"12a"`, nil, "digits only"},
		{simple(Bool), `true`, true, ""},
		{simple(Bool), `1`, nil, "bool is needed"},
		{simple(Date), `"2026-02-30"`, nil, "a date is written"},
		{simple(Time), `"9:30"`, nil, "a time is written"},
		{simple(Phone), `"+8613800000000"`, "+8613800000000", ""},
		{simple(Phone), `"call me"`, nil, "a phone number is digits"},
		{simple(Email), `"a@b.example"`, "a@b.example", ""},
		{simple(Email), `"A <a@b.example>"`, nil, "a mail address"},
		{&Type{Kind: Enum, Values: []string{"a", "b"}}, `"c"`, nil, "none of a, b"},
		{simple(Text), `null`, nil, "empty (null)"},
		{object, `{}`, nil, `field "balance" is missing`},
		{object, `{"balance":"x"}`, nil, `field "balance": money is needed`},
		{&Type{Kind: List, Elem: simple(Int)}, `[1,"x"]`, nil, "element 2"},
	}
	for _, tt := range tests {
		v, err := FromJSON([]byte(tt.json))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Convert(tt.t, v)
		if tt.err == "" && (err != nil || got != tt.want) || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s as %s: %v, %v", tt.json, tt.t, got, err)
		}
	}
}

func TestConvertErrorsHoldNoValue(t *testing.T) {
	for _, kind := range []Kind{Int, Money, Digits, Bool, Date, Time, Phone, Email, List, Object} {
		if _, err := Convert(simple(kind), "s3cret"); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}
