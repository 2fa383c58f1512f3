package picture

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden holds got against a file of testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	a, b := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			t.Fatalf("%s:%d differs (go test ./ivr/flow/picture -update writes it anew)\ngot:\n%s", path, i+1, strings.Join(a[min(i, len(a)):min(i+2, len(a))], "\n"))
		}
	}
}

// small is a flow with a bit of everything: a cycle, a way to the end, one to itself,
// a called flow, conditions and levels.
const small = `
@flow small
@languages en zh-CN
@on_leave gone
@command agent *0 person
hello say | Welcome & "hello". / 欢迎致电。 | >main
main menu visits=3 | Cards, press 1. / 信用卡请按1。 | 1:card>pin no_input>repeat no_match>person
pin secret code if=n>1 | Your PIN? | ok>book skipped>main no_input,no_match>person
book subflow booking needs=verified || booked>tell gave_up>main
tell say | Booked at ${n}. / 已预约。 | >end
person queue cards || else>end
gone end left
`

func smallCounts() *Counts {
	return &Counts{
		Steps: map[string]int{"hello": 200, "main": 240, "pin": 150, "book": 90, "tell": 80, "person": 40},
		Edges: map[[2]string]int{
			{"hello", "done"}: 200, {"main", "1"}: 150, {"main", "no_match"}: 20, {"main", "no_input"}: 30, {"main", "agent"}: 7,
			{"pin", "ok"}: 90, {"pin", "skipped"}: 1, {"pin", "no_input"}: 13, {"book", "booked"}: 80, {"tell", "done"}: 80, {"person", "no_agents"}: 40,
		},
		Left: map[string]int{"main": 33, "pin": 46},
	}
}

// smallChanged is small after a change: a step more, one less, one reworded, edges moved.
const smallChanged = `
@flow small
@languages en zh-CN
@on_leave gone
@command agent *9 person
hello say | Welcome & "hello". / 欢迎致电。 | >main
main menu visits=3 | Cards, press 1. Loans, press 2. / 信用卡请按1。 | 1:card>pin 2:loan>loan no_input>repeat no_match>person
loan say | Loans are for people. / 贷款。 | >person
pin secret code if=n>1 | Your PIN? | ok>book skipped>main no_input>main no_match>person
book subflow booking needs=verified || booked>end gave_up>main
person queue cards || else>end
gone end left
`

func TestGolden(t *testing.T) {
	f := sketch(t, small)
	diagnostics := []source.Diagnostic{
		{File: "sketch.flow.yaml", Line: f.Steps["book"].Pos.Line, Severity: source.Error, Rule: "assurance", Message: "a path <below> `verified` leads here"},
		{File: "sketch.flow.yaml", Line: f.Steps["tell"].Pos.Line, Severity: source.Warning, Rule: "odd", Message: "odd"},
		{File: "sketch.flow.yaml", Line: f.Steps["gone"].Pos.Line, Severity: source.Warning, Rule: ruleUnreachable, Message: "no path leads to step `gone`"},
		{File: "other.flow.yaml", Line: f.Steps["hello"].Pos.Line, Severity: source.Error, Rule: "odd", Message: "elsewhere"},
	}
	path := []Taken{{"hello", "done"}, {"main", "1"}, {"pin", "skipped"}, {"main", "agent"}, {"person", "no_agents"}}
	tests := []struct {
		name string
		got  []byte
	}{
		{"plain.svg", Draw(nil, f, Options{Lang: "en"})},
		{"chinese.svg", Draw(nil, f, Options{Lang: "zh-CN", Standalone: true, Dark: true, ID: "a"})},
		{"counts.svg", Draw(nil, f, Options{Lang: "en", Counts: smallCounts()})},
		{"path.svg", Draw(nil, f, Options{Lang: "en", Path: path})},
		{"errors.svg", Draw(nil, f, Options{Lang: "en", Diagnostics: diagnostics})},
		{"difference.svg", Difference(f, sketch(t, smallChanged), Options{Lang: "en"})},
		{"front_door.svg", Draw(nil, sketch(t, frontDoor), Options{Lang: "zh-CN"})},
		{"small.mmd", []byte(Mermaid(f))},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) { golden(t, test.name, test.got) })
	}
}

// parsed reads an SVG as strict XML and gives its elements.
func parsed(t testing.TB, svg []byte) []xml.StartElement {
	t.Helper()
	var out []xml.StartElement
	d := xml.NewDecoder(bytes.NewReader(svg))
	ids := map[string]bool{}
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("no XML: %v", err)
		}
		e, ok := token.(xml.StartElement)
		if !ok {
			continue
		}
		out = append(out, e.Copy())
		if e.Name.Local == "script" || e.Name.Local == "foreignObject" {
			t.Errorf("there is an element %s", e.Name.Local)
		}
		for _, a := range e.Attr {
			if a.Name.Local == "style" || strings.HasPrefix(a.Name.Local, "on") {
				t.Errorf("there is an attribute %s", a.Name.Local)
			}
			if a.Name.Local == "href" && !strings.HasPrefix(a.Value, "#") {
				t.Errorf("there is a link to %s", a.Value)
			}
			if a.Name.Local == "id" {
				if ids[a.Value] {
					t.Errorf("id %q is there twice", a.Value)
				}
				ids[a.Value] = true
			}
		}
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func has(e xml.StartElement, class string) bool {
	return strings.Contains(" "+attr(e, "class")+" ", " "+class+" ")
}

// find gives the elements of a class that carry a value under an attribute.
func find(all []xml.StartElement, class, name, value string) []xml.StartElement {
	var out []xml.StartElement
	for _, e := range all {
		if has(e, class) && (name == "" || attr(e, name) == value) {
			out = append(out, e)
		}
	}
	return out
}

func TestMarks(t *testing.T) {
	f := sketch(t, small)
	all := parsed(t, Draw(nil, f, Options{
		Path:        []Taken{{"hello", "done"}, {"main", "agent"}, {"person", ""}, {"unknown", "x"}},
		Diagnostics: []source.Diagnostic{{Line: f.Steps["book"].Pos.Line, Severity: source.Error}, {Line: f.Steps["tell"].Pos.Line, Severity: source.Warning}},
	}))
	tests := []struct {
		class, name, value, also string
		want                     bool
	}{
		{"step", "data-step", "book", "wrong", true},
		{"step", "data-step", "book", "taken", false},
		{"step", "data-step", "tell", "warned", true},
		{"step", "data-step", "main", "taken", true},
		{"step", "data-step", "main", "wrong", false},
		{"edge", "data-edge", "hello > main", "taken", true},
		{"edge", "data-edge", "main > pin", "taken", false},
		{"edge", "data-edge", "book > main", "back", true},
		{"edge", "data-edge", "book > tell", "back", false},
		{"pill", "", "", "command", true},
		{"row", "data-edge", "main > main", "again", true},
		{"row", "data-edge", "tell > end", "end", true},
	}
	for _, test := range tests {
		found := find(all, test.class, test.name, test.value)
		if len(found) == 0 {
			t.Errorf("there is no %s %s", test.class, test.value)
			continue
		}
		got := false
		for _, e := range found {
			got = got || has(e, test.also)
		}
		if got != test.want {
			t.Errorf("%s %s is %s: %v", test.class, test.value, test.also, got)
		}
	}
	if taken := find(find(all, "pill", "", ""), "command", "", ""); len(taken) != 1 || !has(taken[0], "taken") {
		t.Errorf("the command that was used is not highlighted: %v", taken)
	}
}

// A step that has moved in its file has not changed; words, conditions and ways have.
func TestFingerprint(t *testing.T) {
	tests := []struct {
		name, from, to string
		same           bool
	}{
		{"moved", "hello say", "\n\nhello say", true},
		{"words", "Welcome", "Hallo", false},
		{"words in another language", "欢迎", "您好", false},
		{"level", "needs=verified", "needs=proofed", false},
		{"condition", "if=n>1", "if=n>2", false},
		{"visits", "visits=3", "visits=4", false},
		{"called flow", "subflow booking", "subflow banking", false},
		{"phrase of a choice", "1:card", "1:cards", false},
	}
	for _, test := range tests {
		old, now := sketch(t, small), sketch(t, strings.Replace(small, test.from, test.to, 1))
		g := newGraph(nil, old, now, Options{})
		var marked []string
		for _, n := range g.nodes[:g.steps] {
			if n.mark != kept {
				marked = append(marked, n.name)
			}
		}
		if (len(marked) == 0) != test.same || len(marked) > 1 {
			t.Errorf("%s: changed are %v", test.name, marked)
		}
	}
}

func TestDifferenceMarks(t *testing.T) {
	all := parsed(t, Difference(sketch(t, small), sketch(t, smallChanged), Options{Lang: "en"}))
	for step, want := range map[string]string{"loan": "added", "tell": "removed", "main": "changed", "pin": "changed", "book": "changed", "hello": "", "person": ""} {
		found := find(all, "step", "data-step", step)
		if len(found) != 1 {
			t.Fatalf("step %s is there %d times", step, len(found))
		}
		for _, class := range []string{"added", "removed", "changed"} {
			if has(found[0], class) != (class == want) {
				t.Errorf("step %s: class %q", step, attr(found[0], "class"))
			}
		}
	}
	for edge, want := range map[string]string{"loan > person": "added", "book > tell": "removed", "main > loan": "added", "pin > main": "changed"} {
		if found := find(all, "edge", "data-edge", edge); len(found) != 1 || !has(found[0], want) {
			t.Errorf("edge %s is not %s: %v", edge, want, found)
		}
	}
	if parsed(t, Difference(nil, sketch(t, small), Options{})); bytes.Contains(Difference(nil, nil, Options{}), []byte("data-step")) {
		t.Error("two flows that are not there have steps")
	}
}

// Many ways to one step become references, and the first stays a line.
func TestReferences(t *testing.T) {
	f := bigFlow(t, 60)
	all := parsed(t, Draw(nil, f, Options{}))
	lines, rows := find(all, "edge", "data-to", "person"), find(all, "row", "data-to", "person")
	if len(lines) == 0 || len(lines) > 6 || len(rows) < 20 {
		t.Errorf("person has %d lines and %d references", len(lines), len(rows))
	}
	for _, e := range all {
		if e.Name.Local == "a" && f.Steps[attr(e, "data-go")] == nil {
			t.Errorf("a reference leads to %q", attr(e, "data-go"))
		}
	}
}

// The flows that the reader is tested with are drawn, good or broken.
func TestReadFlows(t *testing.T) {
	files, err := filepath.Glob("../read/testdata/*/*.flow.yaml")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d flows, %v", len(files), err)
	}
	drawn, tried := 0, 0
	for i, file := range files {
		if strings.Contains(file, "broken") && i%8 != 0 { // each is read with its whole folder
			continue
		}
		tried++
		lib, f, found := read.Partial(filepath.Dir(file), filepath.Base(file), nil, read.Options{})
		if f == nil {
			continue
		}
		drawn++
		all := parsed(t, Draw(lib, f, Options{Lang: "zh-CN", Diagnostics: found, Standalone: true}))
		for name := range f.Steps {
			if len(find(all, "step", "data-step", name)) != 1 {
				t.Errorf("%s: step %s is not drawn once", file, name)
			}
		}
		checkMermaid(t, Mermaid(f))
	}
	if drawn < tried/2 {
		t.Errorf("only %d of %d flows were drawn", drawn, tried)
	}
}

var mermaidLine = regexp.MustCompile(`^  (?:[a-z][a-z0-9_]*(?:\["T"\]|\{\{"T"\}\}|\[\["T"\]\]|\(\["T"\]\))|[a-z][a-z0-9_]*(?:\(\["T"\]\))? -->(?:\|"T"\|)? [a-z][a-z0-9_]*)$`)
var mermaidWords = regexp.MustCompile(`"(?:[^"#<>&\x00-\x1f` + "`" + `\[\]{}|\\]|#[0-9]+;|<br/>)*"`)

func checkMermaid(t testing.TB, text string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if lines[0] != "flowchart TD" {
		t.Errorf("the first line is %q", lines[0])
	}
	for _, line := range lines[1:] {
		if !mermaidLine.MatchString(mermaidWords.ReplaceAllString(line, `"T"`)) {
			t.Errorf("this is no Mermaid: %q", line)
		}
	}
}

func TestCut(t *testing.T) {
	for _, s := range []string{"", "plain", "a longer line of words that goes on", "欢迎致电海港银行，信用卡请按1", "mixed 中文 and words", "……"} {
		for most := 20; most < 200; most += 7 {
			got := cut(s, smallSize, most)
			if width(got, smallSize) > most {
				t.Errorf("cut(%q, %d) = %q is %d wide", s, most, got, width(got, smallSize))
			}
			if got != s && !strings.HasSuffix(got, "…") {
				t.Errorf("cut(%q, %d) = %q does not say that it is cut", s, most, got)
			}
		}
	}
	if a, b := width("行行", 10), width("mm", 10); a != 20 || b < 18 {
		t.Errorf("widths are %d and %d", a, b)
	}
}

func BenchmarkDraw60(b *testing.B) {
	f := bigFlow(b, 54)
	if n := len(f.Steps); n < 60 || n > 66 {
		b.Fatalf("%d steps", n)
	}
	b.ReportAllocs()
	for b.Loop() {
		Draw(nil, f, Options{Lang: "en"})
	}
}

func BenchmarkDraw150(b *testing.B) {
	f := bigFlow(b, 112)
	if n := len(f.Steps); n < 140 || n > 160 {
		b.Fatalf("%d steps", n)
	}
	for b.Loop() {
		Draw(nil, f, Options{Lang: "en"})
	}
}

// The largest flow that may be is drawn, too.
func BenchmarkDraw2000(b *testing.B) {
	f := randomFlow(1, 2000)
	for b.Loop() {
		Draw(nil, f, Options{Lang: "en"})
	}
}
