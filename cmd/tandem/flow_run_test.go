package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

const tryFlow = `flow: try
channels: [voice]
languages: [en]
start: main
on_leave: left
vars:
  pin: { type: digits, secret: ephemeral }
  card: { type: object, fields: { balance: money } }
steps:
  main:
    menu: { prompt: { en: "Press 1." }, choices: [ { keys: "1", go: pin } ] }
    next: { no_input: bye, no_match: bye }
  pin:
    collect: { prompt: { en: "Your PIN?" }, into: pin, digits: 4 }
    next: { ok: ask, else: bye }
  ask:
    http: { post: "${settings.core}/find", json: { pin: "${pin}" }, into: card }
    next: { ok: owed, else: bye }
  owed: { say: { en: "You owe ${card.balance}." }, next: desk }
  desk: { transfer: { to: "tel:+8610000" }, next: { else: bye } }
  bye:  { say: { en: "Goodbye." }, next: end }
  left: { end: { reason: left } }
`

// runFlow plays tryFlow with lines typed in.
func runFlow(t *testing.T, lines string, flags ...string) (status int, out, errOut string) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	file := filepath.Join(dir, "try.flow.yaml")
	if err := os.WriteFile(file, []byte(tryFlow), 0o600); err != nil {
		t.Fatal(err)
	}
	var o, e bytes.Buffer
	app := &cli.App{
		Name: "tandem", Reader: strings.NewReader(lines), Writer: &o, ErrWriter: &e,
		Commands:       []*cli.Command{{Name: "flow", Subcommands: []*cli.Command{flowRunCommand()}}},
		ExitErrHandler: func(*cli.Context, error) {},
	}
	args := append([]string{"tandem", "flow", "run", file}, flags...)
	err := app.RunContext(context.Background(), reorder(app, args))
	return report(&e, err), o.String(), e.String()
}

func TestFlowRun(t *testing.T) {
	core := []string{"--setting", "core=http://core.test"}
	tests := []struct {
		name   string
		lines  string
		flags  []string
		want   []string
		absent []string
	}{
		{"to the end", "1\n1234\n{\"balance\": 1234.5}\n!vars\nbusy\n", core,
			[]string{"[en] Press 1.", "main: 1 → pin", "pin = \"•••\"", "asks POST http://core.test/find", "You owe 1,234.50 yuan.",
				"connects to tel:+8610000", `card = {"balance":1234.5}`, "Goodbye.", "ended: completed"}, []string{"1234\""}},
		{"a setting that is not known", "11234\n404\n", nil, []string{"asks POST ${settings.core}/find", "ended: completed"}, nil},
		{"silence", "\n\n\n", core, []string{"main: no_input → bye", "ended: completed"}, nil},
		{"all keys in one line", "11234\n!keys 5\n404\n", core, []string{"ask: not_found → bye"}, []string{"1234"}},
		{"the lines end", "1\n", core, []string{"Your PIN?", "secret keys> !hangup", "ended: left"}, nil},
		{"hang-up", "!hangup\n", core, []string{"main: left → left", "ended: left"}, nil},
		{"what is no key", "x\n!help\n1\n", core, []string{"a phone has the keys", "!hangup ·"}, nil},
		{"wrong answers", "11234\nwhat?\ntimeout\n", core, []string{"write the answer's JSON", "ask: timeout → bye"}, nil},
		{"at a time", "\n\n\n", append([]string{"--at", "2026-11-23T10:00:00+08:00"}, core...), []string{"ended: completed"}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			status, out, errOut := runFlow(t, tt.lines, tt.flags...)
			if status != exitFine {
				t.Fatalf("status %d: %s\n%s", status, errOut, out)
			}
			for _, w := range tt.want {
				if !strings.Contains(out, w) {
					t.Errorf("%q is missing in\n%s", w, out)
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

func TestFlowRunSendsRequests(t *testing.T) {
	asked := ""
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var body bytes.Buffer
		body.ReadFrom(r.Body)
		asked = body.String()
		w.Write([]byte(`{"balance": 7}`))
	}))
	defer server.Close()
	config := "flows: { http_allow: [\"" + strings.TrimPrefix(server.URL, "http://") + "\"] }\n"
	file := filepath.Join(t.TempDir(), "t.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	status, out, errOut := runFlow(t, "11234\nok\n", "--http", "--config", file, "--setting", "core="+server.URL)
	if status != exitFine || !strings.Contains(out, "You owe 7.00 yuan.") || asked != `{"pin":"1234"}` {
		t.Errorf("status %d, asked %s\n%s%s", status, asked, errOut, out)
	}
}

func TestFlowRunRefuses(t *testing.T) {
	tests := []struct {
		flags []string
		want  string
	}{
		{[]string{"--as", "fax"}, `"fax" cannot be played`},
		{[]string{"--at", "soon"}, `"soon" is no time`},
		{[]string{"--input", "x"}, "write --input NAME=VALUE"},
		{[]string{"--input", "x=1"}, `there is no input "x"`},
		{[]string{"--http"}, "there are none"},
		{[]string{"more.flow.yaml"}, "one argument too many"},
	}
	for _, tt := range tests {
		status, _, errOut := runFlow(t, "", tt.flags...)
		if status != exitInput || !strings.Contains(errOut, tt.want) {
			t.Errorf("%v: status %d: %s", tt.flags, status, errOut)
		}
	}
}
