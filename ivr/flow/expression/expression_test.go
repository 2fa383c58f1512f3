package expression

import (
	"errors"
	"math"
	"testing"
	"time"
)

func testEnv() *Env {
	e := NewEnv()
	e.Declare("tier", &Type{Kind: Enum, Values: []string{"basic", "gold"}}, false)
	e.Declare("channel", &Type{Kind: Enum, Values: []string{"voice", "chat", "sms"}}, false)
	e.Declare("account", simple(Digits), true)
	e.Declare("pin", simple(Digits), true)
	e.Declare("words", simple(Text), false)
	e.Declare("n", simple(Int), false)
	e.Declare("rate", simple(Decimal), false)
	e.Declare("due", simple(Date), false)
	e.Declare("open", simple(Bool), false)
	e.Declare("now", simple(DateTime), false)
	e.Declare("phone", simple(Phone), false)
	e.Declare("card", &Type{Kind: Object, Fields: map[string]*Type{"balance": simple(Money), "name": simple(Text)}}, false)
	e.Declare("slots", &Type{Kind: List, Elem: &Type{Kind: Object, Fields: map[string]*Type{"day": simple(Date), "free": simple(Int)}}}, false)
	e.Declare("settings", &Type{Kind: Object, Fields: map[string]*Type{"core": simple(Text)}}, false)
	return e
}

func num(t *testing.T, s string) Number {
	t.Helper()
	n, err := ParseNumber(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func testVars(t *testing.T) map[string]any {
	return map[string]any{
		"tier": "gold", "channel": "voice", "account": "62220001", "pin": "1234", "words": "hello", "n": 3, "rate": num(t, "0.1"),
		"due": "2026-12-01", "open": true, "now": time.Date(2026, 11, 23, 10, 5, 0, 0, time.UTC), "phone": "+8613800000000",
		"card":     map[string]any{"balance": num(t, "1234.5"), "name": "Li"},
		"slots":    []any{map[string]any{"day": "2026-11-24", "free": 0}, map[string]any{"day": "2026-11-25", "free": 2}},
		"settings": map[string]any{"core": "http://core:8080"},
		"in_hours": InHours(func(c string) (bool, error) { return c == "head", nil }),
	}
}

func TestEval(t *testing.T) {
	tests := []struct {
		src    string
		want   any
		secret bool
	}{
		{"n + 1", 4, false},
		{"n / 2", num(t, "1.5"), false},
		{"rate + rate + rate == 0.3", true, false},
		{"card.balance * 2", num(t, "2469"), false},
		{"card.balance - 0.005", num(t, "1234.495"), false},
		{"tier == 'gold' ? 60s : 0s", time.Minute, false},
		{"2h > 8m", true, false},
		{"3d", 72 * time.Hour, false},
		{"now + 2h > now", true, false},
		{"'60s' + words", "60shello", false},
		{"due > date(now)", true, false},
		{"due == '2026-12-01'", true, false},
		{"account", "62220001", true},
		{"account + '1'", "622200011", true},
		{"upper(account)", "62220001", true},
		{"len(account)", 8, true},
		{"account == '62220001'", true, false},
		{"account startsWith '622'", true, false},
		{"mask(account)", "••••0001", false},
		{"mask(pin)", "••••", false},
		{"mask(words)", "••••", false}, // shorter than eight: its end would tell half of it
		{"mask(card.name)", "••••", false},
		{"mask(slots[0].day)", "••••1-24", false},
		{"mask(account, 2) + '!'", "••••01!", false},
		{"open ? account : ''", "62220001", true},
		{"open and not (n > 5)", true, false},
		{"channel in ['voice', 'chat']", true, false},
		{"count(slots, .free > 0)", 1, false},
		{"any(slots, #.day == '2026-11-24')", true, false},
		{"filter(slots, .free > 0)[0].day", "2026-11-25", false},
		{"len(slots)", 2, false},
		{"plural(n, 'slot', 'slots')", "slots", false},
		{"in_hours('head')", true, false},
		{"int('12') + 1", 13, false},
		{"int(card.balance)", 1234, false},
		{"text(n) + words", "3hello", false},
		{"round(card.balance)", num(t, "1235"), false},
		{"words matches '^h.*o$'", true, false},
		{"digits('12-34')", "1234", false},
		{"-n", -3, false},
		{"1 < n < 5", true, false},
	}
	for _, tt := range tests {
		p, err := testEnv().Compile(tt.src, nil)
		if err != nil {
			t.Errorf("%s: %v", tt.src, err)
			continue
		}
		got, err := p.Eval(testVars(t))
		if err != nil || got != tt.want {
			t.Errorf("%s = %v (%T), %v; want %v", tt.src, got, got, err, tt.want)
		}
		if p.Secret() != tt.secret {
			t.Errorf("%s: secret is %v, want %v", tt.src, p.Secret(), tt.secret)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	tests := []struct {
		src  string
		want *Type
		col  int
		err  string
	}{
		{"tier == 'gld'", nil, 9, `the enum has no value "gld": did you mean 'gold'?`},
		{"channel in ['voice', 'chta']", nil, 22, `the enum has no value "chta": did you mean 'chat'?`},
		{"60s + 1", nil, 5, "a duration and a number do not mix: write the number with its unit, such as 60s"},
		{"'é' == words and 60s > 5", nil, 22, "a duration and a number do not mix: write the number with its unit, such as 60s"},
		{"  teir == 'gold'", nil, 3, `unknown name "teir": did you mean tier?`},
		{"card.balanse", nil, 6, `there is no field "balanse": did you mean balance?`},
		{"${n} > 1", nil, 1, "this whole field is an expression, ${ } is for texts: write the names as they are, without ${ }"},
		{"${n > 1}", nil, 1, "this whole field is an expression, ${ } is for texts: write n > 1"},
		{"n = 1", nil, 3, "one = does not compare: write =="},
		{"n +", nil, 4, "the expression ends too early"},
		{"mony(n)", nil, 1, `unknown function "mony": did you mean money?`},
		{"words + n", nil, 7, "+ does not take text and int: text(x) makes a text of a number; in a prompt write ${x}"},
		{"n == '1'", nil, 3, "int and text cannot be compared: use int(x) or decimal(x), or put the number in quotes"},
		{"account > '1'", nil, 9, "digits is not ordered by >: int(x) makes a number of it"},
		{"due == 'soon'", nil, 8, `"soon" is no date: a date is written 2026-11-23`},
		{"n", simple(Bool), 1, "bool is needed here, this is int"},
		{"rate", simple(Int), 1, "int is needed here, this is decimal: int(x) drops what is after the point"},
		{"'silver'", &Type{Kind: Enum, Values: []string{"basic", "gold"}}, 1, `the enum has no value "silver": it has basic, gold`},
		{"money(n, 'usd')", nil, 10, `"usd" is no currency: write its three capital letters, such as 'CNY'`},
		{"words matches '('", nil, 15, "the pattern after matches must be written down, in quotes"},
		{"nil == words", nil, 1, "nothing is nil here: compare with '' or 0, or ask len(x) == 0"},
		{"let x = 1; x", nil, 5, "the flow language has no such expression; comparisons, and, or, not, + - * / %, ? : and the helper functions are there"},
		{"1..1000000", nil, 2, "the flow language has no operator .."},
		{"map(slots, .day)", nil, 1, "the flow language has no map: there are any, all, none, count and filter"},
		{"0.1234567891", nil, 1, "0.1234567891 has more than 18 digits, or more than 9 after the point: write it as 0.5"},
		{"", nil, 1, "the expression is empty"},
		{"n // note", nil, 3, "an expression has no comments: put it into the step's note"},
		{"400d", nil, 1, "the duration is longer than 366 days"},
		{"in_hours(words)", nil, 10, "in_hours takes the name of a calendar, in quotes"},
		{"mask('0000' + pin)", nil, 1, "mask takes a name or a field, nothing put together: write mask(pin) and the rest around it"},
		{"mask(text(pin))", nil, 1, "mask takes a name or a field, nothing put together: write mask(pin) and the rest around it"},
		{"mask(open ? pin : words)", nil, 1, "mask takes a name or a field, nothing put together: write mask(pin) and the rest around it"},
		{"mask('12345678')", nil, 1, "mask takes a name or a field, nothing put together: mask one name by itself and write the rest around it"},
		{"mask(account, 12)", nil, 15, "how many characters mask shows is a number from 0 to 4"},
	}
	for _, tt := range tests {
		_, err := testEnv().Compile(tt.src, tt.want)
		var fault *Error
		if !errors.As(err, &fault) {
			t.Errorf("%s: no error", tt.src)
			continue
		}
		if tt.src == "words matches '('" {
			if fault.Col != tt.col {
				t.Errorf("%s: column %d", tt.src, fault.Col)
			}
			continue
		}
		if fault.Col != tt.col || fault.Error() != tt.err {
			t.Errorf("%s: %d: %s\nwant %d: %s", tt.src, fault.Col, fault, tt.col, tt.err)
		}
	}
}

// A text written down is held against the enum it meets, wherever it stands: in the
// arms of conditionals, in lists and in objects.
func TestEnums(t *testing.T) {
	tier := &Type{Kind: Enum, Values: []string{"basic", "gold"}}
	rated := &Type{Kind: Object, Fields: map[string]*Type{"score": simple(Int), "tier": tier}}
	tests := []struct {
		src  string
		want *Type
		got  any // nil = an error
		col  int
		err  string
	}{
		{"n > 1 ? 'gold' : 'basic'", tier, "gold", 0, ""},
		{"n > 1 ? 'gld' : 'basic'", tier, nil, 9, `the enum has no value "gld": did you mean 'gold'?`},
		{"n > 1 ? 'gold' : 'basc'", tier, nil, 18, `the enum has no value "basc": did you mean 'basic'?`},
		{"n > 1 ? tier : 'basic'", tier, "gold", 0, ""},
		{"n > 1 ? tier : 'basc'", tier, nil, 16, `the enum has no value "basc": did you mean 'basic'?`},
		{"n > 5 ? 'basic' : open ? 'gold' : tier", tier, "gold", 0, ""},
		{"n > 5 ? 'basic' : (open ? 'silver' : tier)", tier, nil, 27, `the enum has no value "silver": it has basic, gold`},
		{"n > 5 ? 'basic' : words", tier, nil, 19, "enum (basic, gold) is needed here, this is text"},
		{"n > 5 ? 'basic' : channel", tier, nil, 19, `the enum needed here has no value "voice"`},
		{"open ? '12' : account", simple(Digits), "12", 0, ""},
		{"open ? '1a' : account", simple(Digits), nil, 8, `"1a" is no digits: digits only`},
		{"open ? 1 : rate", simple(Int), nil, 12, "int is needed here, this is decimal: int(x) drops what is after the point"},

		{"tier == (n > 1 ? 'gold' : 'basic')", nil, true, 0, ""},
		{"tier == (n > 1 ? 'gold' : 'basc')", nil, nil, 27, `the enum has no value "basc": did you mean 'basic'?`},
		{"(open ? 'gld' : 'basic') != tier", nil, nil, 9, `the enum has no value "gld": did you mean 'gold'?`},
		{"(open ? tier : channel) == 'gold'", nil, nil, 28, `the enum has no value "gold": it has voice, chat, sms`},
		{"due < (open ? '2026-12-02' : '2026-12-01')", nil, true, 0, ""},
		{"due < (open ? '2026-12-02' : 'soon')", nil, nil, 30, `"soon" is no date: a date is written 2026-11-23`},

		{"tier in ['gold', words]", nil, true, 0, ""},
		{"tier in [words, 'gld']", nil, nil, 17, `the enum has no value "gld": did you mean 'gold'?`},
		{"tier in (open ? ['gold'] : ['gld'])", nil, nil, 29, `the enum has no value "gld": did you mean 'gold'?`},
		{"tier in ['basic', open ? 'gold' : 'gld']", nil, nil, 35, `the enum has no value "gld": did you mean 'gold'?`},
		{"(open ? tier : 'gold') in ['gold']", nil, true, 0, ""},
		{"(open ? 'gold' : tier) in ['gld']", nil, nil, 28, `the enum has no value "gld": did you mean 'gold'?`},

		{"len(open ? ['gold', 'basic'] : [])", nil, 2, 0, ""},
		{"['gold', 'gld']", &Type{Kind: List, Elem: tier}, nil, 10, `the enum has no value "gld": did you mean 'gold'?`},
		{"{score: n, tier: 'gld'}", rated, nil, 18, `the enum has no value "gld": did you mean 'gold'?`},
		{"{score: n}", rated, nil, 1, `the field "tier" is missing`},
	}
	for _, tt := range tests {
		p, err := testEnv().Compile(tt.src, tt.want)
		if tt.got == nil {
			var fault *Error
			if !errors.As(err, &fault) || fault.Col != tt.col || fault.Error() != tt.err {
				t.Errorf("%s: %v\nwant %d: %s", tt.src, err, tt.col, tt.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", tt.src, err)
			continue
		}
		if got, err := p.Eval(testVars(t)); err != nil || got != tt.got {
			t.Errorf("%s = %v, %v; want %v", tt.src, got, err, tt.got)
		}
	}
	for src, want := range map[string]*Type{"['gold', tier]": {Kind: List, Elem: tier}, "{score: n, tier: 'gold', more: 1}": rated} {
		p, err := testEnv().Compile(src, want)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if _, err := p.Eval(testVars(t)); err != nil {
			t.Errorf("%s: %v", src, err)
		}
	}
}

// Of several fields that are missing, the error names the first by name, always: a
// stored session replayed must say the same.
func TestConvertNamesTheSameField(t *testing.T) {
	object := &Type{Kind: Object, Fields: map[string]*Type{"a": simple(Text), "b": simple(Text), "c": simple(Text), "d": simple(Text)}}
	for range 50 {
		if _, err := Convert(object, map[string]any{}); err == nil || err.Error() != `field "a" is missing` {
			t.Fatalf("got %v", err)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"500ms": 500 * time.Millisecond, "0s": 0, "5s": 5 * time.Second, "8m": 8 * time.Minute, "2h": 2 * time.Hour, "3d": 72 * time.Hour,
		"106751d": 106751 * 24 * time.Hour, "106752d": math.MaxInt64, "99999999999999999999s": math.MaxInt64,
	} {
		if got, ok := ParseDuration(text); !ok || got != want {
			t.Errorf("%s: got %v, %v, want %v", text, got, ok, want)
		}
	}
	for _, text := range []string{"", "5", "s", "ms", "-5s", "+5s", "5.5s", "5 s", "5sm", "5hm", "5S", "٥s"} {
		if got, ok := ParseDuration(text); ok {
			t.Errorf("%q is read as %v", text, got)
		}
	}
}
