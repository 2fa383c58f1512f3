package expression

import (
	"errors"
	"reflect"
	"strings"
	"testing"

	"tandem"
)

func TestParts(t *testing.T) {
	part := func(kind tandem.PartKind, text, value string) tandem.Part {
		return tandem.Part{Kind: kind, Text: text, Value: value}
	}
	plain := func(s string) tandem.Part { return tandem.Part{Kind: tandem.PartText, Text: s} }
	tests := []struct {
		src, lang string
		want      []tandem.Part
	}{
		{"Hello.", "en", []tandem.Part{plain("Hello.")}},
		{"", "en", nil},
		{"${words}", "en", []tandem.Part{plain("hello")}},
		{"Pay ${card.balance}!", "en", []tandem.Part{plain("Pay "), part(tandem.PartMoney, "1,234.50 yuan", "1234.50 CNY"), plain("!")}},
		{"${money(1234567.891, 'USD')}", "en", []tandem.Part{part(tandem.PartMoney, "1,234,567.89 US dollars", "1234567.89 USD")}},
		{"${money(n, 'JPY')}", "zh-CN", []tandem.Part{part(tandem.PartMoney, "3日元", "3 JPY")}},
		{"${money(-5)}", "zh-CN", []tandem.Part{part(tandem.PartMoney, "-5.00元", "-5.00 CNY")}},
		{"${money(n, 'SGD')}", "en", []tandem.Part{part(tandem.PartMoney, "3.00 SGD", "3.00 SGD")}},
		{"${digits('6222')}", "zh-CN", []tandem.Part{part(tandem.PartDigits, "6222", "6222")}},
		{"${phone}", "en", []tandem.Part{part(tandem.PartDigits, "+8613800000000", "8613800000000")}},
		{"${mask(account)}", "en", []tandem.Part{part(tandem.PartDigits, "••••0001", "0001")}},
		{"${due} ${time(now)}", "en", []tandem.Part{part(tandem.PartDate, "1 December 2026", "2026-12-01"), plain(" "), part(tandem.PartTime, "10:05", "10:05")}},
		{"${due}${time(now)}", "zh-CN", []tandem.Part{part(tandem.PartDate, "2026年12月1日", "2026-12-01"), part(tandem.PartTime, "10点05分", "10:05")}},
		{"${n} ${plural(n, 'day', 'days')}", "en", []tandem.Part{part(tandem.PartNumber, "3", "3"), plain(" "), plain("days")}},
		{"${rate}", "en", []tandem.Part{part(tandem.PartNumber, "0.1", "0.1")}},
		{"Wait ${8m - 30s}.", "en", []tandem.Part{plain("Wait "), plain("8 minutes"), plain(".")}},
		{"${1h + 61s}", "zh-CN", []tandem.Part{plain("1小时2分钟")}},
		{"${1s} ${0s} ${2h} ${60s}", "en", []tandem.Part{plain("1 second"), plain(" "), plain("0 seconds"), plain(" "), plain("2 hours"), plain(" "), plain("60 seconds")}},
		{"$${n} costs $5", "en", []tandem.Part{plain("${n} costs $5")}},
		{"${'}' + words}", "en", []tandem.Part{plain("}hello")}},
	}
	for _, tt := range tests {
		tmpl, err := testEnv().Template(tt.src)
		if err != nil {
			t.Errorf("%s: %v", tt.src, err)
			continue
		}
		got, err := tmpl.Parts(testVars(t), tt.lang)
		if err != nil || !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %+v, %v\nwant %+v", tt.src, got, err, tt.want)
		}
	}
}

func TestPartsInTheOperatorsCurrency(t *testing.T) {
	tmpl, err := testEnv().Template("${card.balance}")
	if err != nil {
		t.Fatal(err)
	}
	vars := testVars(t)
	vars["currency"] = "HKD"
	got, err := tmpl.Parts(vars, "zh")
	if err != nil || got[0].Text != "1234.50港元" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestTemplateValues(t *testing.T) {
	tests := []struct {
		src    string
		value  any
		text   string
		url    string
		secret bool
	}{
		{"${n}", 3, "3", "3", false},
		{"${card.balance}", num(t, "1234.5"), "1234.50", "1234.50", false},
		{"n=${n}", "n=3", "n=3", "n=3", false},
		{"${account}", "62220001", "62220001", "62220001", true},
		{"x${mask(account)}", "x••••0001", "x••••0001", "x%E2%80%A2%E2%80%A2%E2%80%A2%E2%80%A20001", false},
		{"${settings.core}/a/${words + '/../b c'}?q=${words + '&x=1'}", "http://core:8080/a/hello/../b c?q=hello&x=1",
			"http://core:8080/a/hello/../b c?q=hello&x=1", "http://core:8080/a/hello%2F..%2Fb%20c?q=hello%26x%3D1", false},
	}
	for _, tt := range tests {
		tmpl, err := testEnv().Template(tt.src)
		if err != nil {
			t.Errorf("%s: %v", tt.src, err)
			continue
		}
		value, err1 := tmpl.Value(testVars(t))
		text, err2 := tmpl.Text(testVars(t))
		url, err3 := tmpl.URL(testVars(t))
		if value != tt.value || text != tt.text || url != tt.url || tmpl.Secret() != tt.secret || errors.Join(err1, err2, err3) != nil {
			t.Errorf("%s: %v, %q, %q, secret %v, %v", tt.src, value, text, url, tmpl.Secret(), errors.Join(err1, err2, err3))
		}
	}
}

func TestURLRefusesToClimb(t *testing.T) {
	tmpl, err := testEnv().Template("http://h/${words}/x")
	if err != nil {
		t.Fatal(err)
	}
	vars := testVars(t)
	vars["words"] = ".."
	if got, err := tmpl.URL(vars); err == nil {
		t.Errorf("made %s", got)
	}
}

func TestTemplateErrors(t *testing.T) {
	tests := []struct {
		src string
		col int
		err string
	}{
		{"您欠${card.balanse}", 10, `there is no field "balanse": did you mean balance?`},
		{"Hello ${words", 7, "this ${ is never closed: add }, or write $${ for a plain ${"},
		{"You have ${slots}", 10, "list of object cannot be put into a text: name what is in it"},
		{"${n} ${60s + 1}", 12, "a duration and a number do not mix: write the number with its unit, such as 60s"},
		{"a ${}", 5, "the expression is empty"},
	}
	for _, tt := range tests {
		_, err := testEnv().Template(tt.src)
		var fault *Error
		if !errors.As(err, &fault) || fault.Col != tt.col || fault.Error() != tt.err {
			t.Errorf("%s: %+v", tt.src, err)
		}
	}
}

func TestSegmentsAndUses(t *testing.T) {
	tmpl, err := testEnv().Template("You owe ${card.balance} by ${due}, ${words}.")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(tmpl.Segments(), "|"); got != "You owe | by |, |." {
		t.Errorf("segments %s", got)
	}
	if got := strings.Join(tmpl.Uses(), " "); got != "card due words" {
		t.Errorf("uses %s", got)
	}
	if _, ok := tmpl.Literal(); ok {
		t.Error("it is no literal")
	}
}
