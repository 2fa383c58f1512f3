package source

import (
	"fmt"
	"strings"
	"testing"
)

// However many warnings there are, an error is told: what it stops must not serve.
func TestErrorsBeforeWarnings(t *testing.T) {
	f := New("x.flow.yaml", "x.flow.yaml")
	for i := range 3 * MaxDiagnostics {
		f.Report(Warning, Place{i + 1, 1}, 1, "unused-prompt", "", "no step says it")
	}
	if f.Broken() || len(f.Found()) != MaxDiagnostics {
		t.Fatalf("broken %v, %d diagnostics", f.Broken(), len(f.Found()))
	}
	f.Report(Error, Place{1, 1}, 1, "secret-leak", "", "it leaks")
	if !f.Broken() || !HasErrors(f.Found()) || len(f.Found()) != MaxDiagnostics {
		t.Errorf("broken %v, errors %v, %d diagnostics", f.Broken(), HasErrors(f.Found()), len(f.Found()))
	}
	for i := range 2 * MaxDiagnostics {
		f.Report(Error, Place{i + 1, 1}, 1, "unknown-step", "", "there is no step")
	}
	if !f.Full() || len(f.Found()) != MaxDiagnostics {
		t.Errorf("full %v, %d diagnostics", f.Full(), len(f.Found()))
	}
	for _, d := range f.Found() {
		if d.Severity != Error {
			t.Fatalf("a warning is left among %d errors", MaxDiagnostics)
		}
	}
}

// Long names are cut in messages, long lists of names in fixes.
func TestShortTexts(t *testing.T) {
	f := New("x.flow.yaml", "x.flow.yaml")
	f.Report(Error, Place{1, 1}, 1, "unknown-step", "", "there is no step `%s`", strings.Repeat("银", 100_000))
	if got := f.Found()[0].Message; len([]rune(got)) > maxMessage+3 || !strings.HasSuffix(got, "银`") {
		t.Errorf("a message of %d characters", len([]rune(got)))
	}
	var names []string
	for i := range 2000 {
		names = append(names, fmt.Sprint("step", i))
	}
	if got := DidYouMean("quite_another", names); !strings.HasSuffix(got, "step23 … and 1976 more") {
		t.Errorf("got %s", got)
	}
}

// A file that is one word takes no longer than one of many.
func TestLookAlikesInOneWord(t *testing.T) {
	f := New("x.flow.yaml", "x.flow.yaml")
	f.lines = []string{strings.Repeat("а", 500_000), "cаrd кард cart_а"}
	f.lookAlikes()
	var at []Place
	for _, d := range f.Found() {
		at = append(at, Place{d.Line, d.Column})
	}
	if want := []Place{{2, 2}, {2, 16}}; fmt.Sprint(at) != fmt.Sprint(want) {
		t.Errorf("found at %v, want %v", at, want)
	}
}
