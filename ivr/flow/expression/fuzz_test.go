package expression

import (
	"errors"
	"testing"
)

// FuzzCompile compiles anything as an expression and as a template and evaluates
// what compiles: no panic, no hang, errors within the source, and the result of an
// expression without a secret's name is no secret.
func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		"tier == 'gold' ? 60s : 0s", "card.balance + n * 2 - rate / 3 % 1", "any(slots, .free > 0 and #.day == '2026-11-24')", "您${money(n, 'CNY')}",
		"mask(account, 2) + upper(trim(words))", "${n} $${ ${'}'}", "{a: 1, b: [1, 2.5]}.a", "filter(slots, count(slots, .free > 1) > 0)[0].free", "words matches '^a'", "not open || in_hours('head')",
		"(((((1)))))", "ǆ60s", "0x10 + 1_000", "n in [1, 2]", "-(-9223372036854775807 - 1)", "let x = 1; x", "a?.b ?? c", "#", "1..2", "'\\u00e9' == words",
	} {
		f.Add(s)
	}
	env := testEnv()
	f.Fuzz(func(t *testing.T, src string) {
		vars := testVars(t)
		if p, err := env.Compile(src, nil); err == nil {
			_, _ = p.Eval(vars)
		} else {
			place(t, src, err)
		}
		tmpl, err := env.Template(src)
		if err != nil {
			place(t, src, err)
			return
		}
		_, _ = tmpl.Value(vars)
		_, _ = tmpl.URL(vars)
		_, _ = tmpl.Parts(vars, "zh-CN")
	})
}

func place(t *testing.T, src string, err error) {
	t.Helper()
	var fault *Error
	if !errors.As(err, &fault) || fault.Col < 1 || fault.Col > len([]rune(src))+1 {
		t.Fatalf("%q: %+v", src, err)
	}
}

func BenchmarkEval(b *testing.B) {
	p, err := testEnv().Compile("tier == 'gold' and n > 2", nil)
	if err != nil {
		b.Fatal(err)
	}
	vars := map[string]any{"tier": "gold", "n": 3}
	b.ReportAllocs()
	for b.Loop() {
		if v, err := p.Eval(vars); err != nil || v != true {
			b.Fatal(v, err)
		}
	}
}
