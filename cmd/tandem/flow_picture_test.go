package main

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func runFlowPicture(args ...string) (status int, out, errOut string) {
	var stdout, stderr bytes.Buffer
	status = run(context.Background(), append([]string{"tandem", "flow", "picture"}, args...), strings.NewReader(""), &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

func wellFormed(t *testing.T, svg string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("the picture is no XML: %v", err)
		}
	}
}

func TestFlowPicture(t *testing.T) {
	t.Chdir(t.TempDir()) // away from any configuration
	const good = "flow: x\nchannels: [voice]\nlanguages: [en, zh-CN]\nstart: a\nsteps:\n" +
		"  a: { say: { en: \"Hello there.\", zh-CN: \"您好。\" }, next: b }\n  b: { end: { reason: over } }\n"
	if err := os.Mkdir("f", 0o700); err != nil {
		t.Fatal(err)
	}
	path := writeFlow(t, "f", "x.flow.yaml", good)

	status, out, errOut := runFlowPicture(path)
	if status != exitFine || errOut != "" || !strings.Contains(out, `data-step="b"`) || !strings.Contains(out, "Hello there.") || !strings.Contains(out, "<style>") {
		t.Errorf("%d %q\n%s", status, errOut, out)
	}
	wellFormed(t, out)
	file := filepath.Join("f", "x.svg")
	if status, out, errOut := runFlowPicture(path, "-o", file, "--lang", "zh-CN", "--dark"); status != exitFine || out != "" || errOut != "" {
		t.Errorf("to a file: %d %q %q", status, out, errOut)
	}
	data, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(data), "您好。") || !strings.Contains(string(data), `class="picture dark"`) {
		t.Errorf("the file holds %s, %v", data, err)
	}
	if status, out, _ := runFlowPicture("--format", "mermaid", path); status != exitFine || !strings.HasPrefix(out, "flowchart TD\n") || !strings.Contains(out, "  s_a --> s_b\n") {
		t.Errorf("mermaid: %d %q", status, out)
	}

	writeFlow(t, "f", "x.flow.yaml", strings.Replace(good, "next: b", "next: c", 1))
	status, out, errOut = runFlowPicture(path)
	if status != exitInput || !strings.Contains(errOut, "x.flow.yaml:6:") || !strings.Contains(out, `class="step speak wrong"`) || !strings.Contains(out, "1 error") {
		t.Errorf("with a mistake: %d %q\n%s", status, errOut, out)
	}
	wellFormed(t, out)
	writeFlow(t, "f", "x.flow.yaml", "flow: x\nsteps: { a: { say: hello\n")
	if status, out, errOut := runFlowPicture(path); status != exitInput || out != "" || !strings.Contains(errOut, "x.flow.yaml:") {
		t.Errorf("no YAML: %d %q %q", status, errOut, out)
	}

	for _, args := range [][]string{{"f"}, {"f/none.flow.yaml"}, {"f/x.svg"}, {path, "--format", "png"}, {}} {
		if status, out, errOut := runFlowPicture(args...); status == exitFine || out != "" || errOut == "" {
			t.Errorf("%v: %d %q %q", args, status, out, errOut)
		}
	}
}
