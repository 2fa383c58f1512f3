package suite_test

import (
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/ivr/flow/simulate"
	"tandem/ivr/flow/suite"
)

// before is a file in many ways of writing; all that passes or is no script stays.
const before = `# Tests of the desk.
flow: desk
note: "kept: # as it is"   # and this

given:
  http:
    look_up: { status: 200, json: { balance: 12.5, tier: gold } }
tests:
  # this one passes, and stays
  - name: passes
    channel: voice
    lang: en
    script: [ { hears: hello },   leaves ]   # so does this

  - name: empty
    channel: voice
    lang: en
    script: []   # the comment behind it stays
    note: after the script

  - name: no script
    channel: chat
    lang: en
  # a comment before the next

  - name: nothing
    lang: en
    channel: voice
    script:   # nothing yet
  - { name: in braces, channel: voice, lang: en, script: [ { hears: nonsense }, { presses: "2" } ] }
  - { name: 'in braces, without', channel: sms, lang: zh-CN }
  - name: acts
    channel: voice
    lang: en
    script:
      # above the first
      - hears: no such words
      - presses: "1"
      # above the second act
      - presses: "1"   # balance
      - hears: also wrong
      - presses: '123456'
      - identified: passed
      - var: { tier: basic }
      - given: { agents: none }
      - presses: "0"
      # at the end
  - name: same column
    channel: voice
    lang: en
    script:
    - hears: wrong
    - presses: "2"
  - name: cannot go on
    channel: voice
    lang: en
    script:
      - presses: "2"
      - presses: "1"
  - name: a link
    channel: voice
    lang: en
    script: [ { presses: "1" }, { presses: "3" }, { opens: link }, { finishes: link }, { ends: otherwise } ]
  - name: a survey
    channel: voice
    lang: en
    script: [ { presses: "1" }, { presses: "0" }, { agent: answers }, { agent: hands_back }, { surveyed: { csat: skipped } }, { ends: otherwise } ]
`

const after = `# Tests of the desk.
flow: desk
note: "kept: # as it is"   # and this

given:
  http:
    look_up: { status: 200, json: { balance: 12.5, tier: gold } }
tests:
  # this one passes, and stays
  - name: passes
    channel: voice
    lang: en
    script: [ { hears: hello },   leaves ]   # so does this

  - name: empty
    channel: voice
    lang: en
    script:
      - hears: hello
      - hears: agree   # the comment behind it stays
    note: after the script

  - name: no script
    channel: chat
    lang: en
    script:
      - reads: hello
      - reads: agree
  # a comment before the next

  - name: nothing
    lang: en
    channel: voice
    script:   # nothing yet
      - hears: hello
      - hears: agree
  - { name: in braces, channel: voice, lang: en, script: [ { hears: hello }, { hears: agree }, { presses: "2" }, { hears: thanks }, { ends: completed } ] }
  - { name: 'in braces, without', channel: sms, lang: zh-CN, script: [ { reads: hello }, { reads: agree } ] }
  - name: acts
    channel: voice
    lang: en
    script:
      # above the first
      - hears: hello
      - hears: agree
      - presses: "1"
      - hears: pick
      # above the second act
      - presses: "1"   # balance
      - hears: code
      - presses: '123456'
      - identified: passed
      - hears: owed
      - hears: pick
      - var: { tier: gold }
      - given: { agents: none }
      - presses: "0"
      - queued: service
      # at the end
  - name: same column
    channel: voice
    lang: en
    script:
    - hears: hello
    - hears: agree
    - presses: "2"
    - hears: thanks
    - ends: completed
  - name: cannot go on
    channel: voice
    lang: en
    script:
      - hears: hello
      - hears: agree
      - presses: "2"
      - hears: thanks
      - ends: completed
  - name: a link
    channel: voice
    lang: en
    script:
      - hears: hello
      - hears: agree
      - presses: "1"
      - hears: pick
      - presses: "3"
      - gets: { sms: form }
      - opens: link
      - hears: seen
      - finishes: link
      - hears: thanks
      - ends: completed
  - name: a survey
    channel: voice
    lang: en
    script:
      - hears: hello
      - hears: agree
      - presses: "1"
      - hears: pick
      - presses: "0"
      - queued: service
      - agent: answers
      - agent: hands_back
      - surveyed: { csat: skipped }
      - ends: completed
`

func TestUpdate(t *testing.T) {
	lib, _ := desk(t)
	for _, end := range []string{"\n", "\r\n"} {
		file := suite.File{Path: "x.test.yaml", Text: []byte(strings.ReplaceAll(before, "\n", end))}
		got, err := suite.Update(lib, file, suite.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if string(got.Text) != strings.ReplaceAll(after, "\n", end) {
			a, b := strings.Split(string(got.Text), "\n"), strings.Split(after, "\n")
			for i := range min(len(a), len(b)) {
				if strings.TrimSuffix(a[i], "\r") != b[i] {
					t.Fatalf("line %d is %q, want %q; all:\n%s", i+1, a[i], b[i], got.Text)
				}
			}
			t.Fatalf("got\n%s", got.Text)
		}
		if len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "before `presses: \"1\"`: the flow has ended") {
			t.Errorf("notes %q", got.Notes)
		}
		if len(got.Tests) != 10 {
			t.Errorf("rewritten: %q", got.Tests)
		}
		file.Text = got.Text
		if r := suite.Run(lib, []suite.File{file}, suite.Options{}); r.Bad(0) {
			t.Errorf("what was recorded fails:\n%s", printed(r, suite.Style{}))
		}
		again, err := suite.Update(lib, file, suite.Options{})
		if err != nil || len(again.Tests) != 0 || string(again.Text) != string(got.Text) {
			t.Errorf("a second update changes %q, %v", again.Tests, err)
		}
	}
	if _, err := suite.Update(lib, suite.File{Path: "x.test.yaml", Text: []byte("flow: desk\ntest: []\n")}, suite.Options{}); tandem.CodeOf(err) != tandem.CodeInvalid {
		t.Errorf("a broken file: %v", err)
	}
}

// A talk kept as a test passes as one, however the file was written.
func TestAppend(t *testing.T) {
	lib, _ := desk(t)
	caller := "+8613900000001"
	o := simulate.Options{
		Channel: tandem.Voice, Lang: "en", Seed: suite.DefaultSeed, At: time.Date(2026, 2, 3, 11, 0, 0, 0, time.FixedZone("", 8*3600)),
		Given: simulate.Given{Caller: &caller},
	}
	talk, err := simulate.New(lib, "desk", o)
	if err != nil {
		t.Fatal(err)
	}
	for _, act := range []func() error{
		func() error { return talk.Press("1") },
		func() error { return talk.Press("2") },
		func() error { return talk.Answer(simulate.Answer{Failed: "timeout"}) },
		func() error { talk.Silence(); return talk.Press("1") },
		func() error { return talk.Press("1") },
	} {
		act()
	}
	kept := suite.Talk{Name: "kept: \"so\"", Talk: talk, Options: o}
	tests := []struct{ name, text, want string }{
		{"new", "", "flow: desk\n\ntests:\n  - name: \"kept: \\\"so\\\"\"\n    channel: voice\n    at: 2026-02-03T11:00:00+08:00\n    from: \"+8613900000001\"\n"},
		{"at the end", "flow: desk\ntests:\n  - name: first\n    script: [ leaves ]\n", "script: [ leaves ]\n  - name: \"kept"},
		{"at the end without a line break", "flow: desk\ntests:\n  - name: first\n    script: [ leaves ]", "script: [ leaves ]\n  - name: \"kept"},
		{"other column", "flow: desk\ntests:\n- name: first\n  script:\n    - leaves\n\ngiven: {}\n", "    - leaves\n- name: \"kept"},
		{"before another key", "tests:\n  - name: first\n    script: [ leaves ]\n\n# which flow\nflow: desk\n", "\n# which flow\nflow: desk\n"},
		{"no tests yet", "flow: desk\ntests: []\n", "tests:\n  - name: \"kept"},
		{"windows", "flow: desk\r\ntests:\r\n  - name: first\r\n    script: [ leaves ]\r\n", "script: [ leaves ]\r\n  - name: \"kept"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			text, err := suite.Append(lib, suite.File{Path: "x.test.yaml", Text: []byte(tt.text)}, kept)
			if err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(string(text), tt.want) {
				t.Errorf("%q is missing in\n%s", tt.want, text)
			}
			r := suite.Run(lib, []suite.File{{Path: "x.test.yaml", Text: text}}, suite.Options{})
			if r.Bad(0) || len(r.Cases) == 0 {
				t.Fatalf("it fails:\n%s%s", text, printed(r, suite.Style{}))
			}
			if last := r.Cases[len(r.Cases)-1]; last.Transcript != talk.Transcript() {
				t.Errorf("the test plays\n%s\nthe talk was\n%s\nwritten as\n%s", last.Transcript, talk.Transcript(), text)
			}
			if _, err := suite.Append(lib, suite.File{Path: "x.test.yaml", Text: text}, kept); tandem.CodeOf(err) != tandem.CodeConflict {
				t.Errorf("a second test of the name: %v", err)
			}
		})
	}
	for _, text := range []string{"flow: visit\ntests: []\n", "flow: desk\nx: 1\n", "flow: desk\ntests: [ { name: a } ]\n"} {
		if _, err := suite.Append(lib, suite.File{Path: "x.test.yaml", Text: []byte(text)}, kept); tandem.CodeOf(err) != tandem.CodeInvalid {
			t.Errorf("%q is added to: %v", text, err)
		}
	}
}
