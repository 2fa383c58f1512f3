package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

func TestReorder(t *testing.T) {
	app := &cli.App{Commands: []*cli.Command{
		{Name: "call", Flags: []cli.Flag{
			&cli.StringFlag{Name: "keys", Aliases: []string{"k"}}, &cli.BoolFlag{Name: "json"}, &cli.DurationFlag{Name: "for"},
		}},
		{Name: "flow", Subcommands: []*cli.Command{{Name: "check", Flags: []cli.Flag{&cli.BoolFlag{Name: "json"}}}}},
	}}
	for _, test := range []struct{ in, want string }{
		{"t", "t"},
		{"t call sip:a --keys 12", "t call --keys 12 sip:a"},
		{"t call --keys 12 sip:a", "t call --keys 12 sip:a"},
		{"t call sip:a --keys=12 --json", "t call --keys=12 --json sip:a"},
		{"t call sip:a --json -k 5", "t call --json -k 5 sip:a"},
		{"t call --json sip:a b", "t call --json sip:a b"},
		{"t flow check a.yaml --json b.yaml", "t flow check --json a.yaml b.yaml"},
		{"t flow --json check a.yaml", "t flow check --json a.yaml"},
		{"t --keys 1 call sip:a", "t call --keys 1 sip:a"},
		{"t call -- --keys", "t call -- --keys"},
		{"t call -", "t call -- -"},
		{"t call call", "t call call"},
		{"t call a flow check", "t call a flow check"},
		{"t call --keys", "t call --keys"},
		{"t cal sip:a --keys 1", "t --keys 1 cal sip:a"},
		{"t --help", "t --help"},
	} {
		in := strings.Fields(test.in)
		before := slices.Clone(in)
		if got := strings.Join(reorder(app, in), " "); got != test.want {
			t.Errorf("%q becomes %q, want %q", test.in, got, test.want)
		}
		if !slices.Equal(in, before) {
			t.Errorf("%q was changed to %q", before, in)
		}
	}
}

// tandemRun runs the program and gives its exit status and what it printed.
func tandemRun(args ...string) (status int, out, errOut string) {
	var o, e bytes.Buffer
	status = run(context.Background(), append([]string{"tandem"}, args...), strings.NewReader(""), &o, &e)
	return status, o.String(), e.String()
}

func TestExitStatusAndWords(t *testing.T) {
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "good.yaml"), filepath.Join(dir, "bad.yaml")
	for path, text := range map[string]string{good: "limits: { calls: 3 }\n", bad: "limts: {}\nlog: { level: loud }\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	for _, test := range []struct {
		args   string
		status int
		out    string // must be in standard output
		errOut string // must be in standard error
	}{
		{"", 0, "COMMANDS", ""},
		{"--version", 0, "tandem version", ""},
		{"version", 0, "tandem version", ""},
		{"help", 0, "COMMANDS", ""},
		{"help config check", 0, "every mistake", ""},
		{"config", 0, "check", ""},
		{"config check --help", 0, "every mistake", ""},
		{"confg check", 1, "", `tandem has no command "confg"; did you mean tandem config?`},
		{"config chek", 1, "", `tandem config has no command "chek"; did you mean tandem config check?`},
		{"config check " + good, 0, "is right", ""},
		{"config check --config " + good, 0, "is right", ""},
		{"config check " + good + " --confg x", 1, "", "did you mean --config?"},
		{"config check " + good + " more", 1, "", "one argument too many"},
		{"config check", 1, "", "--config FILE"},
		{"config check " + bad, 1, "", "bad.yaml:1:1: limts is no key; did you mean limits?\n" + bad + ":2:8: log.level"},
		{"config print " + good, 0, "calls: 3", ""},
		{"config print", 0, "# default", ""},
		{"config check none.yaml", 1, "", "no configuration file none.yaml"},
		{"config check --config", 1, "", "flag needs an argument"},
	} {
		status, out, errOut := tandemRun(strings.Fields(test.args)...)
		if status != test.status || !strings.Contains(out, test.out) || !strings.Contains(errOut, test.errOut) {
			t.Errorf("tandem %s: status %d, want %d\nout: %s\nerr: %s\nwant err: %s", test.args, status, test.status, out, errOut, test.errOut)
		}
	}
}
