package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func runFlowFmt(stdin string, args ...string) (status int, out, errOut string) {
	var stdout, stderr bytes.Buffer
	status = run(context.Background(), append([]string{"tandem", "flow", "fmt"}, args...), strings.NewReader(stdin), &stdout, &stderr)
	return status, stdout.String(), stderr.String()
}

func TestFlowFmt(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir) // away from any configuration
	const ugly, neat = "calendar:   x # mine\ntime_zone: UTC\nweekly: {mon: closed}\n", "calendar: x # mine\ntime_zone: UTC\nweekly: { mon: closed }\n"
	const broken = "flow: x\nsteps: { a: { say: hello\n"
	if err := os.Mkdir("f", 0o700); err != nil {
		t.Fatal(err)
	}
	path := writeFlow(t, "f", "x.calendar.yaml", ugly)
	good := writeFlow(t, "f", "y.calendar.yaml", strings.Replace(neat, "x #", "y #", 1))
	writeFlow(t, "f", "notes.yaml", "a:    b\n")
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link.calendar.yaml")
	if err := os.Symlink(filepath.Join("f", "x.calendar.yaml"), link); err != nil {
		t.Fatal(err)
	}
	before, err := os.Stat(good)
	if err != nil {
		t.Fatal(err)
	}

	if status, out, errOut := runFlowFmt("", "--check", "f"); status != exitInput || out != path+"\n" || errOut != "" {
		t.Errorf("--check: %d %q %q", status, out, errOut)
	}
	if data, _ := os.ReadFile(path); string(data) != ugly {
		t.Errorf("--check wrote %q", data)
	}
	if status, out, errOut := runFlowFmt("", link, good); status != exitFine || out != link+"\n" || errOut != "" {
		t.Errorf("status %d %q %q", status, out, errOut)
	}
	info, err := os.Stat(path)
	if data, _ := os.ReadFile(path); string(data) != neat || err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("wrote %q with mode %v", data, info.Mode())
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&os.ModeSymlink == 0 {
		t.Error("the link is no link any more")
	}
	if after, err := os.Stat(good); err != nil || !os.SameFile(before, after) {
		t.Error("a file that was fine was written")
	}
	if status, out, _ := runFlowFmt("", "f", "--check"); status != exitFine || out != "" {
		t.Errorf("--check afterwards: %d %q", status, out)
	}
	if left, _ := filepath.Glob("f/.*"); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}

	bad := writeFlow(t, "f", "z.flow.yaml", broken)
	if status, _, errOut := runFlowFmt("", "f"); status != exitInput || !strings.Contains(errOut, bad+":") || !strings.Contains(errOut, "error[syntax]") {
		t.Errorf("status %d %q", status, errOut)
	}
	if data, _ := os.ReadFile(bad); string(data) != broken {
		t.Errorf("a file that cannot be read became %q", data)
	}

	for _, c := range []struct {
		stdin  string
		args   []string
		status int
		out    string
		has    string
	}{
		{ugly, []string{"-"}, exitFine, neat, ""},
		{ugly, []string{"-", "--check"}, exitInput, "standard input\n", ""},
		{neat, []string{"-", "--check"}, exitFine, "", ""},
		{broken, []string{"-"}, exitInput, "", "standard input:"},
		{"", []string{"nowhere"}, exitInput, "", "there is no file or folder nowhere"},
	} {
		if status, out, errOut := runFlowFmt(c.stdin, c.args...); status != c.status || out != c.out || !strings.Contains(errOut, c.has) {
			t.Errorf("%v: %d %q %q", c.args, status, out, errOut)
		}
	}
}
