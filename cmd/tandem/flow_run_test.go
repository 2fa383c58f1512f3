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
channels: [voice, chat, sms]
languages: [en]
start: main
on_leave: left
vars:
  pin: { type: digits, secret: ephemeral }
  card: { type: object, fields: { balance: money } }
steps:
  main:
    menu: { prompt: { en: "Press 1." }, choices: [ { keys: "1", phrases: { en: [Card] }, go: pin } ] }
    next: { no_input: bye, no_match: bye }
  pin:
    collect: { prompt: { en: "Your PIN?" }, into: pin, digits: 4 }
    next: { ok: ask, else: bye }
  ask:
    http: { post: "${settings.core}/find", json: { pin: "${pin}" }, into: card }
    next: { ok: owed, else: bye }
  owed: { say: { en: "You owe ${card.balance}." }, next: desk }
  desk: { transfer: { to: "agent:wang" }, next: { else: bye } }
  bye:  { say: { en: "Goodbye." }, next: end }
  left: { end: { reason: left } }
`

// tryStaff is who serves there.
const tryStaff = "queues: { desk: { teams: [desk], target: { voice: 20s } } }\nteams: { desk: {} }\nagents: { wang: { teams: [desk] } }\n"

// runFlow plays tryFlow with lines typed in.
func runFlow(t *testing.T, lines string, flags ...string) (status int, out, errOut string) {
	t.Helper()
	dir := t.TempDir()
	t.Chdir(dir)
	file := filepath.Join(dir, "try.flow.yaml")
	if err := os.WriteFile(file, []byte(tryFlow), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "desk.queues.yaml"), []byte(tryStaff), 0o600); err != nil {
		t.Fatal(err)
	}
	return flowLines(t.Context(), lines, append([]string{"run", file}, flags...)...)
}

// flowCommandLine runs tandem flow with arguments.
func flowCommandLine(t *testing.T, args ...string) (status int, out, errOut string) {
	t.Helper()
	return flowLines(t.Context(), "", args...)
}

// flowLines runs tandem flow with lines typed in.
func flowLines(ctx context.Context, lines string, args ...string) (status int, out, errOut string) {
	var o, e bytes.Buffer
	app := &cli.App{
		Name: "tandem", Reader: strings.NewReader(lines), Writer: &o, ErrWriter: &e,
		Commands:       []*cli.Command{{Name: "flow", Subcommands: []*cli.Command{flowRunCommand(), flowTestCommand()}}},
		ExitErrHandler: func(*cli.Context, error) {},
	}
	err := app.RunContext(ctx, reorder(app, append([]string{"tandem", "flow"}, args...)))
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
				"connects to agent:wang", `card = {"balance":1234.5}`, "Goodbye.", "ended: completed"}, []string{"1234\""}},
		{"what is usual", "1\n1234\n\n\n\n", core,
			[]string{`answer of ask (JSON, a status, timeout or error) [200 {"balance":0.0}]> `, "You owe 0.00 yuan.", "transfer (ok, busy, no_answer, failed) [ok]> ", "desk: ok → bye"}, nil},
		{"a setting that is not known", "11234\n404\n", nil, []string{"asks POST ${settings.core}/find", "ended: completed"}, nil},
		{"silence", "\n\n\n", core, []string{"· 5s pass", "main: no_input → bye", "ended: completed"}, nil},
		{"time", "!wait 4s\n!wait\n!wait 10s\n", core, []string{"· 4s pass", "· 1s pass", "main: no_input → bye", "ended: completed"}, nil},
		{"all keys in one line", "11234\n!keys 5\n404\n", core, []string{"ask: not_found → bye"}, []string{"1234"}},
		{"the lines end", "1\n", core, []string{"Your PIN?", "secret keys> !hangup", "ended: left"}, nil},
		{"hang-up", "!hangup\n", core, []string{"main: left → left", "ended: left"}, nil},
		{"what is no key", "x\n!help\n!nonsense\n1\n", core, []string{"a phone has the keys", "!hangup ·", "there is no !nonsense"}, nil},
		{"wrong answers", "11234\nwhat?\ntimeout\n", core, []string{"write the answer's JSON", "ask: timeout → bye"}, nil},
		{"wrong decisions", "11234\n{\"balance\": 1}\nwhat?\n\nwhat?\n", core, []string{"write ok, busy, no_answer, failed", "ended: completed", "the flow has ended"}, nil},
		{"at a time", "\n\n\n", append([]string{"--at", "2026-11-23T10:00:00+08:00"}, core...), []string{"ended: completed"}, nil},
		{"a turn back", "!back\n1\n9999\n!back\n!back\n!vars\n\n\n\n", core, []string{"this is the beginning", "back in step pin\n    · main: 1 → pin\n  [en] Your PIN?", "back in step main\n  [en] Press 1.", "main: no_input → bye"}, nil},
		{"back from the end", "\n\n\n!back\n1\n!path\n", core, []string{"back in step main", "    " + "   0:10  main  presses  1", "Your PIN?"}, nil},
		{"variables always", "1\n1234\n{\"balance\": 3}\n", append([]string{"--vars"}, core...), []string{"card = {\"balance\":3.0}", "pin = \"•••\""}, []string{"1234\""}},
		{"chat", "Card\n12x4\n1234\n404\n", append([]string{"--as", "chat"}, core...), []string{"[en] Press 1.\n      [1 Card]", "main: 1 → pin", "secret writes> ", "ask: not_found → bye"}, []string{"1234"}},
		{"SMS", "1\n1234\n404\n", append([]string{"--as", "sms"}, core...), []string{"writes> ", "ask: not_found → bye"}, nil},
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
			if strings.Contains(out, "\x1b") {
				t.Errorf("colours where there is no terminal:\n%s", out)
			}
		})
	}
}

// A talk that was saved is a test that passes, again and again; it says that it holds
// secrets.
func TestFlowRunSaves(t *testing.T) {
	status, out, errOut := runFlow(t, "1\n1234\n{\"balance\": 12.5}\n!save half way\nbusy\n!save to the end\n!save to the end\n!save\n\n",
		"--setting", "core=http://core.test", "--at", "2026-11-23T10:00:00+08:00", "--from", "+8613900000001")
	if status != exitFine || strings.Count(out, "kept as a test in") != 2 || strings.Contains(out, "does not pass") {
		t.Fatalf("status %d: %s\n%s", status, errOut, out)
	}
	for _, w := range []string{"it holds the secrets that were typed", "has a test \"to the end\" already", "write !save NAME"} {
		if !strings.Contains(out, w) {
			t.Errorf("%q is missing in\n%s", w, out)
		}
	}
	got, err := os.ReadFile("try.test.yaml")
	if err != nil {
		t.Fatal(err)
	}
	const want = `flow: try

tests:
  - name: "half way"
    channel: voice
    at: 2026-11-23T10:00:00+08:00
    from: "+8613900000001"
    given:
      http:
        ask: { status: 200, json: { balance: 12.5 } }
    script:
      - hears: "Press 1."
      - presses: "1"
      - hears: "Your PIN?"
      - presses: "1234"
      - hears: "You owe 12.50 yuan."
`
	if !strings.HasPrefix(string(got), want) || !strings.HasSuffix(string(got), "      - transferred: busy\n      - hears: \"Goodbye.\"\n      - ends: completed\n") {
		t.Errorf("saved:\n%s", got)
	}
	if status, out, errOut := flowCommandLine(t, "test"); status != exitFine || !strings.Contains(out, "2 tests passed") {
		t.Errorf("status %d: %s%s", status, out, errOut)
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
		{[]string{"--as", "fax"}, `cannot be played as "fax"; its channels are voice, chat, sms`},
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
