package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// runFlowCheck runs the command by itself and gives its status and output.
func runFlowCheck(t *testing.T, args ...string) (status int, out, errOut string) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	app := &cli.App{Name: "tandem", Commands: []*cli.Command{flowCheckCommand()}, Writer: &stdout, ErrWriter: &stderr, ExitErrHandler: func(*cli.Context, error) {}}
	err := app.RunContext(context.Background(), append([]string{"tandem", "check"}, args...))
	return report(&stderr, err), stdout.String(), stderr.String()
}

func writeFlow(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFlowCheck(t *testing.T) {
	const head = "channels: [voice]\nlanguages: [en]\nstart: hello\n"
	t.Chdir(t.TempDir()) // away from any configuration
	dir := t.TempDir()
	good := writeFlow(t, dir, "good.flow.yaml", "flow: good\n"+head+"steps:\n  hello: { say: { en: \"Hello.\" }, next: end }\n")
	bad := writeFlow(t, dir, "bad.flow.yaml", "flow: bad\n"+head+"steps:\n  hello: { say: { en: 1 }, next: edn }\n")
	warned := writeFlow(t, t.TempDir(), "odd.flow.yaml", "flow: odd\n"+head+"steps:\n  hello: { say: { en: \"Hello.\" }, next: end }\n  lost: { end: {} }\n")

	for _, c := range []struct {
		args   []string
		status int
		has    []string
	}{
		{[]string{good}, exitFine, []string{"no mistakes found"}},
		{[]string{bad}, exitInput, []string{bad + ":6:23: error[unquoted]", bad + ":6:34: error[unknown-step]", "2 errors, 0 warnings"}},
		{[]string{dir}, exitInput, []string{"2 errors"}},
		{[]string{good, bad, bad}, exitInput, []string{"2 errors"}},
		{[]string{warned}, exitFine, []string{"warning[unreachable-step]", "0 errors, 1 warning\n"}},
	} {
		status, out, errOut := runFlowCheck(t, c.args...)
		if status != c.status || errOut != "" {
			t.Errorf("%v: status %d, %q", c.args, status, errOut)
		}
		for _, has := range c.has {
			if !strings.Contains(out, has) {
				t.Errorf("%v: no %q in\n%s", c.args, has, out)
			}
		}
	}

	status, out, _ := runFlowCheck(t, "--format", "json", bad)
	var list []map[string]any
	if err := json.Unmarshal([]byte(out), &list); err != nil || status != exitInput || len(list) != 2 || list[0]["rule"] != "unquoted" {
		t.Errorf("JSON, status %d: %v\n%s", status, err, out)
	}
	for format, has := range map[string]string{"github": "::error file=", "sarif": `"ruleId": "unquoted"`} {
		if status, out, _ := runFlowCheck(t, "--format", format, bad); status != exitInput || !strings.Contains(out, has) {
			t.Errorf("%s: status %d\n%s", format, status, out)
		}
	}
	for _, args := range [][]string{{"--format", "xml", good}, {filepath.Join(dir, "gone.flow.yaml")}, {}} {
		if status, _, errOut := runFlowCheck(t, args...); status != exitInput || errOut == "" {
			t.Errorf("%v: status %d, %q", args, status, errOut)
		}
	}
}

// Without arguments and a configuration the present folder is read; a folder without flow
// files is a mistake of whoever named it.
func TestFlowCheckOfThePresentFolder(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for _, args := range [][]string{{}, {dir}} {
		status, out, errOut := runFlowCheck(t, args...)
		if status != exitInput || !strings.Contains(errOut, "has no flow files") || out != "" {
			t.Errorf("%v: status %d\n%s%s", args, status, out, errOut)
		}
	}
	writeFlow(t, dir, "x.flow.yaml", "flow: x\nchannels: [voice]\nlanguages: [en]\nstart: hello\nsteps:\n  hello: { say: { en: \"Hello.\" }, next: edn }\n")
	status, out, errOut := runFlowCheck(t)
	if status != exitInput || !strings.HasPrefix(out, "x.flow.yaml:6:41: error[unknown-step]") {
		t.Errorf("status %d\n%s%s", status, out, errOut)
	}
}

// With a configuration, its settings, allowed hosts and recorded entries are checked.
func TestFlowCheckKnowsTheConfiguration(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	if err := os.Mkdir("flows", 0o700); err != nil {
		t.Fatal(err)
	}
	writeFlow(t, filepath.Join(dir, "flows"), "x.flow.yaml", `flow: x
channels: [voice]
languages: [en]
start: ask
steps:
  ask: { http: { get: "${settings.core}/x" }, next: { ok: dial, else: end } }
  dial: { transfer: { to: "tel:+86100" }, next: end }
`)
	writeFlow(t, dir, "tandem.yaml", "flows: { dir: flows, settings: { core: \"https://core.example\" } }\nentries: { \"1000\": { flow: x, record: true } }\n")
	status, out, errOut := runFlowCheck(t)
	if status != exitInput || !strings.Contains(out, "error[http-host]") || !strings.Contains(out, "error[recording]") {
		t.Errorf("status %d\n%s%s", status, out, errOut)
	}
}

// An index of recordings with a mistake keeps a server from starting: it is found too.
func TestFlowCheckReadsRecordings(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.MkdirAll("flows/prompts/en", 0o700); err != nil {
		t.Fatal(err)
	}
	good := writeFlow(t, "flows", "good.flow.yaml", "flow: good\nchannels: [voice]\nlanguages: [en]\nstart: hello\nsteps:\n  hello: { say: { en: \"Hello.\" }, next: end }\n")
	writeFlow(t, "flows/prompts/en", "index.yaml", "# mine\nhello: gone.wav\n")
	for _, path := range []string{"flows", good} {
		status, out, errOut := runFlowCheck(t, path)
		if status != exitInput || !strings.Contains(out, "flows/prompts/en/index.yaml:2:1: error[recordings]: the file gone.wav is missing") {
			t.Errorf("%s: status %d\n%s%s", path, status, out, errOut)
		}
	}
}
