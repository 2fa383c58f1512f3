package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
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
