package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/urfave/cli/v2"
)

const tryTests = `flow: try
tests:
  - name: nobody presses anything
    channel: [voice, chat]
    script: [ { hears: "Press 1." }, { waits: silence }, { waits: silence }, { waits: silence }, { ends: completed } ]
  - name: a card that is not known
    given: { http: { ask: { status: 404 } } }
    script: [ { presses: "1" }, { presses: "1234" }, { hears: "Goodbye." } ]
`

// tryFolder is a folder with tryFlow and its tests.
func tryFolder(t *testing.T, tests string) (file string) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	for name, text := range map[string]string{"try.flow.yaml": tryFlow, "desk.queues.yaml": tryStaff, "try.test.yaml": tests} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, "try.test.yaml")
}

func TestFlowTest(t *testing.T) {
	wrong := strings.Replace(tryTests, "Goodbye.", "Welcome.", 1)
	tests := []struct {
		name   string
		tests  string
		args   []string
		status int
		want   []string // in what is printed, mistakes included
		absent []string
	}{
		{"this folder", tryTests, nil, exitFine, []string{"5 tests passed, 0 failed", "coverage of try: steps 4 of 7", "nobody went from ask to owed (ok)"}, []string{"begins"}},
		{"a test file", tryTests, []string{"try.test.yaml"}, exitFine, []string{"5 tests passed"}, nil},
		{"a flow file", tryTests, []string{"try.flow.yaml"}, exitFine, []string{"5 tests passed"}, nil},
		{"a folder", tryTests, []string{"."}, exitFine, []string{"5 tests passed"}, nil},
		{"the same thrice", tryTests, []string{".", "try.flow.yaml", "try.test.yaml"}, exitFine, []string{"5 tests passed"}, nil},
		{"some", tryTests, []string{"--run", "card.*chat"}, exitFine, []string{"1 test passed"}, []string{"coverage"}},
		{"transcripts", tryTests, []string{"-v"}, exitFine, []string{"passed: nobody presses anything [voice]", "hears  Press 1."}, nil},
		{"a failure", wrong, nil, exitInput, []string{"try.test.yaml:8:56: failed: a card that is not known [sms]", `expected  hears "Welcome."`, "got       bye: reads  Goodbye.", "2 tests passed, 3 failed"}, nil},
		{"too little is walked", tryTests, []string{"--min", "80"}, exitInput, []string{"less than the 80 % asked for", "5 tests passed, 0 failed"}, nil},
		{"enough is walked", tryTests, []string{"--min", "40"}, exitFine, []string{"5 tests passed"}, nil},
		{"a mistake", strings.Replace(tryTests, "{ presses", "{ pressed", 1), nil, exitInput, []string{"try.test.yaml:8:17: error[unknown-key]", "write `presses`"}, nil},
		{"no such file", tryTests, []string{"x.test.yaml"}, exitInput, []string{"there is no file or folder x.test.yaml"}, nil},
		{"no test file", tryTests, []string{"try.yaml"}, exitInput, []string{"there is no file or folder try.yaml"}, nil},
		{"another format", tryTests, []string{"--format", "xml"}, exitInput, []string{"there is no format \"xml\""}, nil},
		{"no percentage", tryTests, []string{"--min", "120"}, exitInput, []string{"not 120"}, nil},
		{"no expression", tryTests, []string{"--run", "("}, exitInput, []string{"is no regular expression"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tryFolder(t, tt.tests)
			status, out, errOut := flowCommandLine(t, append([]string{"test"}, tt.args...)...)
			if status != tt.status {
				t.Errorf("status %d", status)
			}
			for _, w := range tt.want {
				if !strings.Contains(out+errOut, w) {
					t.Errorf("%q is missing in\n%s%s", w, out, errOut)
				}
			}
			for _, a := range tt.absent {
				if strings.Contains(out, a) {
					t.Errorf("%q is in\n%s", a, out)
				}
			}
		})
	}
}

func TestFlowTestWithoutTests(t *testing.T) {
	file := tryFolder(t, tryTests)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
	if status, _, errOut := flowCommandLine(t, "test"); status != exitInput || !strings.Contains(errOut, "there are no tests for .") {
		t.Errorf("status %d: %s", status, errOut)
	}
	if err := os.WriteFile("try.flow.yaml", []byte(strings.Replace(tryFlow, "go: pin", "go: pni", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(tryTests), 0o600); err != nil {
		t.Fatal(err)
	}
	if status, _, errOut := flowCommandLine(t, "test"); status != exitInput || !strings.Contains(errOut, "error[unknown-step]") || !strings.Contains(errOut, "no test is run while") {
		t.Errorf("status %d: %s", status, errOut)
	}
}

func TestFlowTestFiles(t *testing.T) {
	tryFolder(t, strings.Replace(tryTests, "Goodbye.", "Welcome.", 1))
	status, out, errOut := flowCommandLine(t, "test", "--format", "json", "--junit", "junit.xml", "--run", "card")
	var got struct {
		Passed, Failed int
		Cases          []struct {
			Name, Message, Transcript string
			OK                        bool
			Line                      int
		}
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || status != exitInput {
		t.Fatalf("status %d, %v: %s%s", status, err, out, errOut)
	}
	if got.Failed != 3 || len(got.Cases) != 3 || got.Cases[0].Line != 8 || !strings.Contains(got.Cases[0].Message, "Welcome.") {
		t.Errorf("got %+v", got)
	}
	junit, err := os.ReadFile("junit.xml")
	if err != nil || !strings.Contains(string(junit), `<testsuites tests="3" failures="3"`) {
		t.Errorf("%v: %s", err, junit)
	}
}

func TestFlowTestUpdates(t *testing.T) {
	file := tryFolder(t, strings.Replace(tryTests, "Goodbye.", "Welcome.", 1))
	status, out, errOut := flowCommandLine(t, "test", "--update", "--run", "card")
	if status != exitFine || !strings.Contains(errOut, "\"a card that is not known\" is written anew") {
		t.Fatalf("status %d: %s%s", status, out, errOut)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(text), "      - hears: \"Goodbye.\"\n      - ends: completed\n") || strings.Contains(string(text), "Welcome") {
		t.Errorf("%v:\n%s", err, text)
	}
}

// buffer is a bytes.Buffer that may be looked at while it is written.
type buffer struct {
	mu  sync.Mutex
	all bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.all.Write(p)
}

func (b *buffer) count(s string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.all.String(), s)
}

// What is saved is tested again, until somebody ends the watching.
func TestFlowTestWatches(t *testing.T) {
	file := tryFolder(t, tryTests)
	var out buffer
	app := &cli.App{
		Name: "tandem", Writer: &out, ErrWriter: &out, Commands: []*cli.Command{flowTestCommand()}, ExitErrHandler: func(*cli.Context, error) {},
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- app.RunContext(ctx, []string{"tandem", "test", "--watch", "--run", "card", file}) }()
	wait := func(what string) {
		t.Helper()
		deadline := time.After(20 * time.Second)
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for out.count(what) == 0 || out.count("watching for changes") == 0 {
			select {
			case <-deadline:
				t.Fatalf("%q does not come:\n%s", what, out.all.String())
			case <-tick.C:
			}
		}
	}
	wait("3 tests passed, 0 failed")
	if err := os.WriteFile(file, []byte(strings.Replace(tryTests, "Goodbye.", "Welcome to all.", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	wait("0 tests passed, 3 failed")
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
