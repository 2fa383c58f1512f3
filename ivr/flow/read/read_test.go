package read

import (
	"strings"
	"testing"
	"time"
)

func testOptions() Options {
	return Options{
		Settings:  map[string]any{"core": "http://127.0.0.1:8099", "bank": "Harbour Bank"},
		HTTPAllow: []string{"127.0.0.1:8099", "*.bank.example"},
		Now:       time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC),
	}
}

func shown(ds []Diagnostic) string {
	var b strings.Builder
	Print(&b, ds, false)
	return b.String()
}

func TestGoodCorpus(t *testing.T) {
	lib, ds := Dir("testdata/good", testOptions())
	if len(ds) != 0 {
		t.Fatalf("diagnostics for good files:\n%s", shown(ds))
	}
	if len(lib.Flows) != 2 {
		t.Fatalf("%d flows", len(lib.Flows))
	}
}
