package format

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tandem/ivr/flow/source"
)

// corpus is every file of a flows folder that the repository holds.
func corpus(t testing.TB) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	for _, pattern := range []string{"../../../flows/*.yaml", "../*/testdata/*.yaml", "../*/testdata/*/*.yaml", "../*/testdata/*/*/*.yaml", "../reference/examples/*.yaml"} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range paths {
			data, err := os.ReadFile(p)
			if err != nil {
				t.Fatal(err)
			}
			out[p] = data
		}
	}
	if len(out) < 100 {
		t.Fatalf("only %d files", len(out))
	}
	return out
}

// TestCorpus lays every file out: those that can be read keep their meaning, which
// Source itself holds against the text, and are not changed a second time.
func TestCorpus(t *testing.T) {
	laidOut := 0
	for path, data := range corpus(t) {
		f := source.New(path, path)
		fine := f.Parse(data) && !f.Broken()
		out, err := Source(data)
		if fine != (err == nil) {
			t.Errorf("%s: read %v, but %v", path, fine, err)
			continue
		}
		if err != nil {
			continue
		}
		laidOut++
		again, err := Source(out)
		if err != nil || string(again) != string(out) {
			t.Errorf("%s: not the same again (%v):\n%s\n---\n%s", path, err, out, again)
		}
		for i, l := range strings.Split(string(out), "\n") {
			if l != strings.TrimRight(l, " ") && !strings.Contains(string(data), "|") && !strings.Contains(string(data), ">") {
				t.Errorf("%s:%d: blanks at the end of the line", path, i+1)
			}
		}
	}
	if laidOut < 80 {
		t.Errorf("only %d files were laid out", laidOut)
	}
}

func TestLayout(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"order of a file and of a step", `
# about the steps
steps:
  a: # tail of a
    next: { done: end, loop: b }
    # about say
    say: hello # tail of say
    max_visits: 3
    note: once
  b: { next: end, say: hello, if: "x > 1" }

# about the flow
flow: x
start: a`, `
# about the flow
flow: x
start: a
# about the steps
steps:
  a: # tail of a
    note: once
    max_visits: 3
    # about say
    say: hello # tail of say
    next: { done: end, loop: b }
  b: { if: "x > 1", say: hello, next: end }
`},
		{"order of a queues file", `
policy: { misses: 3, most_priority: 10m }
agents:
  anna: { skills: { "lang:en": 5 }, teams: [cards] }
teams: { cards: {} }
queues:
  cards:
    escalate: ["team:cards"]
    # about whom
    teams: [cards]
    full: 5
    target: { voice: 20s }`, `
queues:
  cards:
    # about whom
    teams: [cards]
    target: { voice: 20s }
    full: 5
    escalate: ["team:cards"]
teams: { cards: {} }
agents:
  anna: { teams: [cards], skills: { "lang:en": 5 } }
policy: { most_priority: 10m, misses: 3 }
`},
		{"the head of the file stays", `
# yaml-language-server: $schema=./flow.schema.json
# Our front door.

# the steps
steps: {}
flow: x`, `
# yaml-language-server: $schema=./flow.schema.json
# Our front door.

flow: x
# the steps
steps: {}
`},
		{"an editor's line stays", "# yaml-language-server: $schema=x\nsteps: {}\nflow: x\n", "# yaml-language-server: $schema=x\nflow: x\nsteps: {}\n"},
		{"indentation, spaces and quotes", `
calendar:   'head'
weekly:     {mon-fri:   '09:00-18:00',sat: "9" }
holidays:
- {date: 2027-01-01,name: {en: New Year}}
-  date: 2027-01-02
   name:
      en: 'it''s "the" day'
overrides: { }`, `
calendar: "head"
weekly: { mon-fri: "09:00-18:00", sat: "9" }
holidays:
  - { date: 2027-01-01, name: { en: New Year } }
  - date: 2027-01-02
    name:
      en: 'it''s "the" day'
overrides: {}
`},
		{"lists", `
flow: x
channels: [ voice,chat ]
steps:
  a: { branch: [{if: "a",go: b},  { if: "b", go: c }], next: {else: end} }`, `
flow: x
channels: [voice, chat]
steps:
  a: { branch: [ { if: "a", go: b }, { if: "b", go: c } ], next: { else: end } }
`},
		{"a long step is opened, as far as it is long", `
flow: x
steps:
  a: { say: { en: "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789", zh-CN: "您好您好您好" }, next: end }`, `
flow: x
steps:
  a:
    say: { en: "0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789 0123456789", zh-CN: "您好您好您好" }
    next: end
`},
		{"brackets over several lines are opened", `
flow: x
steps: {
  # before a
  a: { say: hello, # said
    next: end }, # gone

  b: { end: {} }
  # after b
} # the end`, `
flow: x
steps: # the end
  # before a
  a: # gone
    say: hello # said
    next: end

  b: { end: {} }
  # after b
`},
		{"comments at the ends", `
flow: x
steps:

  a: { end: {} }


  # still of the steps


  # so is this
# of the file
  # and this`, `
flow: x
steps:
  a: { end: {} }

  # still of the steps

  # so is this
# of the file
# and this
`},
		{"comments before what is further in", `
flow: x
vars:
# of a
  a: { type: text }
      # of b
  b:
    # the type
    type: text
prompts: {}`, `
flow: x
vars:
  # of a
  a: { type: text }
  # of b
  b:
    # the type
    type: text
prompts: {}
`},
		{"texts of several lines", `
flow: x
prompts:
    a:
        en: |-
            one # not a comment
              two

            three
        zh-CN: >+  # kept
            四

    b: { en: "one
            two\
            \ three", zh-CN: plain }
    c:
      en: first
        second # last`, `
flow: x
prompts:
  a:
    en: |-
      one # not a comment
        two

      three
    zh-CN: >+ # kept
      四

  b:
    en: "one
      two\
      \ three"
    zh-CN: plain
  c:
    en: first second # last
`},
		{"what is not there", "flow: x\nsteps:\n  a: { end: }\n  b:\n    end:\n  c: {say: ~, next: null}\n", "flow: x\nsteps:\n  a: { end: }\n  b:\n    end:\n  c: { say: ~, next: null }\n"},
		{"a test reads as it was written", "tests:\n  - script: [ {hears: a} ]\n    name: b\nflow: x\n", "tests:\n  - script: [ { hears: a } ]\n    name: b\nflow: x\n"},
		{"Windows", "\xef\xbb\xbfflow: x\r\nsteps: {}\r\n", "flow: x\nsteps: {}\n"},
		{"lists in lists", "flow: x\nvars: { a: { type: list, default: [[1,2],[]] } }\nreturns:\n- - a\n  - b\n-\n  - c\n- d\n", "flow: x\nreturns:\n  - - a\n    - b\n  - - c\n  - d\nvars: { a: { type: list, default: [ [1, 2], [] ] } }\n"},
		{"a comment behind a dash", "flow: x\nreturns:\n  - # one\n    a: 1\n  - # two\n    - b\n", "flow: x\nreturns:\n  # one\n  - a: 1\n  # two\n  - - b\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := Source([]byte(strings.TrimPrefix(c.in, "\n")))
			if err != nil {
				t.Fatal(err)
			}
			if want := strings.TrimPrefix(c.want, "\n"); string(got) != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			if again, err := Source(got); err != nil || string(again) != string(got) {
				t.Errorf("not the same again (%v):\n%s", err, again)
			}
		})
	}
}

// What cannot be read says why and where.
func TestRefused(t *testing.T) {
	for text, want := range map[string]string{
		"flow: x\nsteps: { a: { say: hello\n": "syntax", "flow: x\nflow: y\n": "duplicate-key", "a: { en: one, two }\n": "comma-in-text",
		"a: *b\n": "alias", "": "syntax",
	} {
		out, err := Source([]byte(text))
		var e *Error
		if out != nil || !errors.As(err, &e) || e.Diagnostic.Rule != want || e.Diagnostic.Line < 1 || !strings.Contains(err.Error(), "line ") {
			t.Errorf("%q: %s %v", text, out, err)
		}
	}
}

// FuzzFormat: any text is laid out or refused, without a crash; what is laid out stays
// as it is. Source compares the trees.
func FuzzFormat(f *testing.F) {
	for _, data := range corpus(f) {
		f.Add(data)
	}
	for _, odd := range []string{
		"a: |2\n    one\n  two\n", "a:\n  - |3\n      b\n  - >-\n   c\n", "a: [b: c, {d}]\n", "a: {b: }\n", "? a\n", "a: 'b\n\n  c'\n", "a: \"b\\\n  c\"\n", "- a\n", "a:\n- b\n# c\n- d\n", "'a\tb': c\n",
		"a: { # b\n}\n", "a: [ # b\n] # c\n", "a: b # c\n # d\n", "~: ~\n", "a:\n  # b\n  c\n", "a: |+\n\n\nb: c\n", "a: |\n\n  # b\n # c\n",
	} {
		f.Add([]byte(odd))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := Source(data)
		if err != nil {
			if out != nil {
				t.Errorf("refused, with a text")
			}
			return
		}
		again, err := Source(out)
		if err != nil || string(again) != string(out) {
			t.Errorf("%q became\n%q, and that\n%q (%v)", data, out, again, err)
		}
	})
}

// TestLargeFile: a file of the largest size, with a comment on every other line, takes
// no longer than a few times as long as it takes to read it.
func TestLargeFile(t *testing.T) {
	var b strings.Builder
	b.WriteString("flow: x\nsteps:\n")
	for i := range 2000 {
		fmt.Fprintf(&b, "  # about %d\n  s%d: { say: { en: \"Hello %d.\" }, next: end } # tail\n", i, i, i)
	}
	b.WriteString("returns: [ " + strings.Repeat("a, ", 3000) + "a ]\n")
	begin := time.Now()
	out, err := Source([]byte(b.String()))
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("took %s", took)
	}
	if err != nil || strings.Count(string(out), "# about") != 2000 || strings.Count(string(out), "# tail") != 2000 || strings.Count(string(out), "\n  - a\n") == 0 {
		t.Errorf("%v\n%.500s", err, out)
	}
}
