package source

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func shown(ds []Diagnostic) string {
	var b strings.Builder
	Print(&b, ds, false)
	return b.String()
}

func TestPrint(t *testing.T) {
	ds := []Diagnostic{{File: "x.flow.yaml", Line: 3, Column: 4, Severity: Warning, Rule: "r", Message: "m", Suggestion: "s", Snippet: "\t您x", Width: 1}}
	if got, want := shown(ds), "x.flow.yaml:3:4: warning[r]: m\n    3 | \t您x\n      | \t   ^\n  fix: s\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	var b bytes.Buffer
	Print(&b, ds, true)
	if !strings.Contains(b.String(), "\x1b[1;33mwarning[r]\x1b[0m") {
		t.Errorf("no colour in %q", b.String())
	}
	b.Reset()
	if err := PrintJSON(&b, ds); err != nil {
		t.Fatal(err)
	}
	var got []map[string]any
	if err := json.Unmarshal(b.Bytes(), &got); err != nil || len(got) != 1 || len(got[0]) != 7 || got[0]["suggestion"] != "s" || got[0]["line"] != 3.0 {
		t.Errorf("JSON %s: %v", b.String(), err)
	}
	b.Reset()
	if err := PrintJSON(&b, nil); err != nil || strings.TrimSpace(b.String()) != "[]" {
		t.Errorf("no diagnostics print as %q", b.String())
	}
}

// A long line is shown around the mistake.
func TestUnderlineLongLine(t *testing.T) {
	line, caret := underline(strings.Repeat("a", 1000)+"X"+strings.Repeat("b", 1000), 1001, 1)
	if len(line) != maxSnippet || line[len(caret)-1] != 'X' {
		t.Errorf("line of %d, X is not under the caret", len(line))
	}
}
