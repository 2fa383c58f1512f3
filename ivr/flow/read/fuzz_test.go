package read

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tandem/ivr/flow/source"
)

// readBound is how long any file within the bounds may take; generous, for busy machines.
const readBound = 5 * time.Second

func fuzzRead(t *testing.T, fsys fstest.MapFS) {
	begin := time.Now()
	lib, ds := FS(fsys, testOptions())
	if took := time.Since(begin); took > readBound {
		t.Errorf("reading took %s", took)
	}
	if (lib == nil) != source.HasErrors(ds) {
		t.Errorf("library %v, errors %v", lib != nil, source.HasErrors(ds))
	}
	var b bytes.Buffer
	source.Print(&b, ds, true)
	r := newReading(fsys, "", testOptions())
	r.read()
	for _, f := range r.library().Flows {
		for _, name := range f.Order {
			f.Steps[name].Edges()
		}
	}
	for _, d := range ds {
		if d.Line < 1 || d.Column < 1 || d.Rule == "" || d.Message == "" || d.Severity != source.Error && d.Severity != source.Warning {
			t.Errorf("diagnostic %+v", d)
		}
	}
}

// soundFiles is the files that a fuzzed flow may name things of.
func soundFiles(t testing.TB) fstest.MapFS {
	t.Helper()
	fsys := fstest.MapFS{}
	for _, name := range []string{"head_office.calendar.yaml", "cards.queues.yaml", "csat.form.yaml", "request.form.yaml", "enrol.operation.yaml", "triage.classify.yaml", "child.flow.yaml", "knowledge/cards/opening.md"} {
		data, err := os.ReadFile("testdata/broken/beside/" + name)
		if err != nil {
			t.Fatal(err)
		}
		fsys[name] = &fstest.MapFile{Data: data}
	}
	return fsys
}

// FuzzFlow reads one flow of any text beside sound files: no panic, no hang, every
// diagnostic placed, and what could be read can be looked at.
func FuzzFlow(f *testing.F) {
	for _, pattern := range []string{"testdata/broken/*.flow.yaml", "testdata/good/*.flow.yaml", "testdata/bank/*.flow.yaml"} {
		paths, _ := filepath.Glob(pattern)
		for _, p := range paths {
			data, err := os.ReadFile(p)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	for _, odd := range oddities() {
		f.Add([]byte(odd))
	}
	sound := soundFiles(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		fsys := maps.Clone(sound)
		fsys["x.flow.yaml"] = &fstest.MapFile{Data: data}
		fuzzRead(t, fsys)
	})
}

// FuzzDir reads a flow beside files of every kind and a called flow, all of any text.
func FuzzDir(f *testing.F) {
	bank := func(name string) []byte {
		data, err := os.ReadFile("testdata/" + name)
		if err != nil {
			f.Fatal(err)
		}
		return data
	}
	f.Add(bank("bank/front_door.flow.yaml"), bank("good/rate_us.flow.yaml"), bank("bank/head_office.calendar.yaml"), bank("bank/cards.queues.yaml"),
		bank("bank/csat.form.yaml"), bank("bank/enrol.operation.yaml"), bank("bank/triage.classify.yaml"), bank("broken/beside/knowledge/cards/opening.md"))
	paths, _ := filepath.Glob("testdata/broken/*.*")
	slots := map[string]int{".calendar.yaml": 2, ".queues.yaml": 3, ".form.yaml": 4, ".operation.yaml": 5, ".classify.yaml": 6, ".md": 7}
	for _, p := range paths {
		if i, ok := slots[source.KindOf("knowledge/x/"+filepath.Base(p))+source.KindOf(filepath.Base(p))]; ok {
			var files [8][]byte
			files[0], files[i] = bank("good/front_door.flow.yaml"), bank("broken/"+filepath.Base(p))
			f.Add(files[0], files[1], files[2], files[3], files[4], files[5], files[6], files[7])
		}
	}
	f.Fuzz(func(t *testing.T, a, b, calendar, queues, form, operation, classify, article []byte) {
		fuzzRead(t, fstest.MapFS{
			"a.flow.yaml": {Data: a}, "b.flow.yaml": {Data: b}, "c.calendar.yaml": {Data: calendar}, "d.queues.yaml": {Data: queues},
			"e.form.yaml": {Data: form}, "f.operation.yaml": {Data: operation}, "g.classify.yaml": {Data: classify}, "knowledge/h/i.md": {Data: article},
		})
	})
}

// oddities are texts YAML readers trip over.
func oddities() []string {
	head := "flow: x\nchannels: [voice]\nlanguages: [en]\nstart: a\nsteps:\n"
	return []string{
		"", "\xef\xbb\xbf", "\x00", "-", "?", ":", "{", "[", "}", "]", "{}", "[]", "&a", "*a", "!!", "|", ">", "%", "@", "`", "---", "...", "--- |\n", "'", "\"", "\"\\", "\"\\x", "\"\\uD800\"",
		"? a\n: b", "? [a]\n: b", "{a: b}: c", "[a]: b", "a: |\n", "a: |9\n b", "a: >-\n\n\n", "a: 'x\n\n y'", "a: \"x\\\n  y\"", "<<: a", "<<: [a]", "a: {<<: b}", "{a, b, c}", "{a:b}", "[a: b]", "[a: b, c: d]", "- a\n- - b\n  - c",
		"a:\n- b\n- c", "a:\n  b: c\n d: e", "a: b\r\nc: d\r", "\ta: b", "a:\tb", "a: b\t# c", "a: [b,\n c]", "a: {b: c,\n d: e}", "a: {b: c", "a: b: c", "a: \"b\" c", "a: 'b'c", "a: #b", "a: b #c", "a: null", "a: ~", "~: a", "null: a", "1: a", "true: a", "? |\n  a\n: b",
		head + "  a: { say: { en: }, next: end }\n", head + "  a: { say: { en: , }, next: end }\n", head + "  a:\n", head + "  ? a\n", head + "  - a\n", head + "  a: { menu: { choices: [ , ] } }\n", head + "  a: { set: { '': 1 } }\n", head + "  a: { branch: [ ], next: { } }\n",
		head + "  a: { say: { en: \"${\" }, next: end }\n", head + "  a: { say: { en: \"${}\" }, next: end }\n", head + "  a: { if: \"\", say: { en: \"\" }, next: repeat }\n",
		"steps: []\nflow: []\nchannels: {}\nlanguages: {}\nstart: []\nvars: []\nprompts: []\ncommands: []\ndefaults: []\n", "flow: x\nvars: { a: { type: list, of: { type: list, of: { type: object, fields: { b: [] } } } } }\n",
	}
}

func TestOddities(t *testing.T) {
	for _, odd := range oddities() {
		fuzzRead(t, fstest.MapFS{"x.flow.yaml": {Data: []byte(odd)}})
		fuzzRead(t, fstest.MapFS{
			"x.calendar.yaml": {Data: []byte(odd)}, "x.queues.yaml": {Data: []byte(odd)}, "x.form.yaml": {Data: []byte(odd)}, "x.operation.yaml": {Data: []byte(odd)},
			"x.classify.yaml": {Data: []byte(odd)}, "knowledge/x/y.md": {Data: []byte(odd)}, "knowledge/x/z.md": {Data: []byte("---\n" + odd + "\n---\n" + odd)},
		})
	}
}

// TestBounds: large and hostile files are refused or read in bounded time.
func TestBounds(t *testing.T) {
	const meg = 1 << 18 // a quarter of what is allowed: the whole of it takes a race detector too long
	for name, text := range map[string]string{
		"too large":       strings.Repeat("#", source.MaxBytes+1),
		"comments":        strings.Repeat("# a\n", meg/4),
		"one long line":   "flow: " + strings.Repeat("a", meg-10),
		"quoted":          "flow: \"" + strings.Repeat("\\n", meg/2-10) + "\"",
		"spaces":          "flow:" + strings.Repeat(" ", meg-10),
		"empty lines":     strings.Repeat("\n", meg-1),
		"brackets":        "a: " + strings.Repeat("[", meg/2),
		"braces":          strings.Repeat("{a: ", meg/4),
		"closed brackets": strings.Repeat("]", meg/2),
		"dashes":          strings.Repeat("- ", meg/2-1),
		"items":           "a: [" + strings.Repeat("b,", meg/2-10) + "]",
		"keys":            strings.Repeat("a: b\n", meg/5),
		"block":           "a: |\n" + strings.Repeat("  b\n", meg/4-10),
		"folded":          "a: >\n" + strings.Repeat("  b\n", meg/4-10),
		"plain lines":     "a: b\n" + strings.Repeat("  c\n", meg/4-10),
		"quoted lines":    "a: \"b\n" + strings.Repeat("  c\n", meg/4-10) + "\"",
		"colons":          strings.Repeat(":", meg),
		"questions":       strings.Repeat("? ", meg/2),
		"indents":         deepIndents(1000),
	} {
		t.Run(name, func(t *testing.T) {
			begin := time.Now()
			lib, ds := readText(text)
			if took := time.Since(begin); took > readBound {
				t.Errorf("took %s", took)
			}
			if lib != nil || len(ds) == 0 || len(ds) > source.MaxDiagnostics {
				t.Errorf("%d diagnostics", len(ds))
			}
		})
	}
}

func deepIndents(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i) + "a:\n")
	}
	return b.String()
}
