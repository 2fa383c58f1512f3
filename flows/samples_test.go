package flows_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"

	"tandem/flows"
	"tandem/ivr/flow/format"
	"tandem/ivr/flow/picture"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
	"tandem/ivr/flow/suite"
)

// settings are what the samples ask of a configuration, and no more.
func settings() map[string]any {
	return map[string]any{"core": "http://127.0.0.1:8090", "agent": "sip:agent@127.0.0.1:5090"}
}

// sampleFiles are the samples' files of a kind, by the end of their names.
func sampleFiles(t *testing.T, suffix string) []suite.File {
	t.Helper()
	names, err := fs.Glob(flows.Sample(), "*"+suffix)
	if err != nil || len(names) == 0 {
		t.Fatalf("files named *%s: %v, %v", suffix, names, err)
	}
	var files []suite.File
	for _, name := range names {
		text, err := fs.ReadFile(flows.Sample(), name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, suite.File{Path: name, Text: text})
	}
	return files
}

// The tests beside the samples pass, and walk what is written here and no less. What
// stays is not to be had: a step that goes wrong (trouble), and a text that is no text.
func TestSamplesPassTheirTests(t *testing.T) {
	r := suite.Run(library(t, flows.Sample(), settings()), sampleFiles(t, suite.Suffix), suite.Options{})
	if r.Bad(95) {
		var b bytes.Buffer
		suite.Print(&b, r, suite.Style{Least: 95})
		t.Errorf("flow test fails:\n%s", &b)
	}
	var got []string
	for _, c := range r.Coverage {
		got = append(got, fmt.Sprintf("%s: steps %d of %d, edges %d of %d", c.Flow, c.Steps.Covered, c.Steps.Total, c.Edges.Covered, c.Edges.Total))
		for _, m := range c.Edges.Missing {
			got = append(got, fmt.Sprintf("  %s to %s (%s)", m.Step, m.To, m.Label))
		}
	}
	want := []string{
		"appointment: steps 28 of 28, edges 66 of 66",
		"counter: steps 52 of 53, edges 110 of 112",
		"  balance to prove (not_assured)",
		"  trouble to call_back ()",
		"front_door: steps 50 of 51, edges 95 of 97",
		"  ask_wish to bye (no_match)",
		"  trouble to mailbox ()",
		"hotline: steps 34 of 35, edges 67 of 68",
		"  trouble to nobody_here ()",
		"night_desk: steps 10 of 10, edges 18 of 18",
		"remote_counter: steps 14 of 15, edges 26 of 27",
		"  trouble to end ()",
		"service_line: steps 68 of 69, edges 122 of 127",
		"  write_how to urgency (no_match)",
		"  mood to urgency (else)",
		"  question to bye (no_match)",
		"  write to bye (no_match)",
		"  trouble to leave_word ()",
		"service_visit: steps 11 of 11, edges 22 of 22",
	}
	if !slices.Equal(got, want) {
		t.Errorf("walked\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, c := range r.Cases {
		if c.Flow == "front_door" && strings.Contains(c.Transcript, "100001") {
			t.Errorf("%s [%s]: the account is in the transcript", c.Name, c.Channel)
		}
	}
}

func TestSamplesAreFormatted(t *testing.T) {
	for _, f := range sampleFiles(t, ".yaml") {
		if got, err := format.Source(f.Text); err != nil || !bytes.Equal(got, f.Text) {
			t.Errorf("%s: run tandem flow fmt flows/%s (%v)", f.Path, f.Path, err)
		}
	}
}

func TestSamplesAreDrawn(t *testing.T) {
	lib := library(t, flows.Sample(), settings())
	for _, name := range slices.Sorted(maps.Keys(lib.Flows)) {
		f := lib.Flows[name]
		for _, lang := range f.Languages {
			drawn := string(picture.Draw(lib, f, picture.Options{Lang: lang, Standalone: true}))
			for _, step := range f.Order {
				if !strings.Contains(drawn, `data-step="`+step+`"`) {
					t.Errorf("%s in %s: step %s is not drawn", name, lang, step)
				}
			}
		}
		if text := picture.Mermaid(f); !strings.Contains(text, f.Start) {
			t.Errorf("%s as mermaid: %s", name, text)
		}
	}
}

// edited checks the samples with one text of one file replaced.
func edited(t *testing.T, file, old, with string) []source.Diagnostic {
	t.Helper()
	text, err := fs.ReadFile(flows.Sample(), file)
	if err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(text, []byte(old)); n != 1 {
		t.Fatalf("%s has %q %d times", file, old, n)
	}
	draft := map[string][]byte{file: bytes.Replace(text, []byte(old), []byte(with), 1)}
	_, found := read.Overlay(".", draft, read.Options{Settings: settings(), Now: open})
	return found
}

// Who takes a guard out of the front door is told by the checker, before any caller is.
func TestFrontDoorIsGuarded(t *testing.T) {
	const prove = `  prove:
    identify: { level: verified, by: [code, pin] }
    next: { passed: look_up, failed: not_proved, declined: not_proved, unsupported: not_proved }
`
	for _, tt := range []struct {
		name, old, with string
		rule, step      string   // expected
		says            []string // of the message
	}{
		{
			"identify is passed by", "next: { ok: prove,", "next: { ok: look_up,",
			"assurance", "look_up", []string{"choose_language", "main", "number", "look_up"},
		},
		{
			"identify is taken out", prove, "  prove: { say: hello, next: look_up }\n",
			"assurance", "look_up", []string{"choose_language", "main", "number", "prove", "look_up"},
		},
		{
			"a weaker level", "level: verified, by: [code, pin]", "level: recognised, by: [code, pin]",
			"assurance", "look_up", []string{"recognised", "prove"},
		},
		{
			"a secret in an SMS", `en: "Harbour Bank: your balance is `, `en: "Harbour Bank, ${account}: your balance is `,
			"secret-leak", "", []string{"account"},
		},
		{
			"a secret in an address", `post: "${settings.core}/accounts/find"`, `post: "${settings.core}/accounts/${account}"`,
			"secret-leak", "", []string{"account"},
		},
		{
			"a secret in a prompt", `en: "Your balance is `, `en: "Account ${account}: your balance is `,
			"secret-leak", "", []string{"account"},
		},
		{
			"a secret in a ticket", `with: { wish: "'Gave up waiting: please call.'" }`, `with: { wish: account }`,
			"secret-leak", "", []string{"account"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := edited(t, "front_door.flow.yaml", tt.old, tt.with)
			for _, d := range found {
				if d.Severity != source.Error || d.Rule != tt.rule || !strings.Contains(d.Message, tt.step) {
					continue
				}
				at := 0
				for _, word := range tt.says { // in this order
					i := strings.Index(d.Message[at:], word)
					if i < 0 {
						t.Fatalf("%q does not say %s after %q", d.Message, word, d.Message[:at])
					}
					at += i
				}
				return
			}
			t.Errorf("found %v, want %s", found, tt.rule)
		})
	}
}

// The front door as it is shipped may be edited: a change that breaks nothing is fine.
func TestEditedFrontDoorIsFine(t *testing.T) {
	if found := edited(t, "front_door.flow.yaml", "level: verified, by: [code, pin]", "level: verified, by: [questions]"); len(found) > 0 {
		t.Errorf("found %v", found)
	}
}
