package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tandem/internal/config"
)

// The demo's folder has all samples with their tests, and no recordings.
func TestDemoHasTheSamples(t *testing.T) {
	dir := t.TempDir()
	if _, err := prepareDemo(dir, true); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"hotline.flow.yaml", "front_door.test.yaml", "service_line.flow.yaml", "knowledge/pumps/priming.md"} {
		if _, err := os.Stat(filepath.Join(dir, "flows", name)); err != nil {
			t.Error(err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "flows", "prompts")); !os.IsNotExist(err) {
		t.Errorf("the recordings are there: %v", err)
	}
	if status, out, errs := tandemRun("flow", "check", "-c", dir+"/"+usualConfig); status != 0 || !strings.Contains(out, "no mistakes") {
		t.Errorf("check: status %d, said %s%s", status, out, errs)
	}
	if status, out, errs := tandemRun("flow", "test", filepath.Join(dir, "flows")); status != 0 || !strings.Contains(out, " 0 failed") {
		t.Errorf("test: status %d, said %s%s", status, out, errs)
	}
}

// An entry may lead only to a flow that is carried out whole; the others may lie beside.
func TestServeRefusesASampleByName(t *testing.T) {
	dir := t.TempDir()
	place, err := prepareDemo(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, usualConfig)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ flow, says string }{
		{"service_line", "step `missed` uses `ticket`, which this server does not carry out yet"},
		{"front_door", "step `line` uses `queue`, which this server does not carry out yet"},
	} {
		changed := strings.Replace(string(text), "flow: hotline, record: true", "flow: "+tt.flow, 1)
		if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
		if loaded, err := config.Load(file, nil); err != nil || loaded.HTTP.Listen != place.HTTP {
			t.Fatal(err)
		}
		status, out, errs := tandemRun("serve", "-c", file)
		if status != exitInput || !strings.Contains(errs, tt.flow+".flow.yaml") || !strings.Contains(errs, tt.says) {
			t.Errorf("%s: status %d, said %s%s", tt.flow, status, out, errs)
		}
	}
}
