package reference

import (
	"flag"
	"io/fs"
	"maps"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tandem/ivr/flow"
	"tandem/ivr/flow/format"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/schema"
	"tandem/ivr/flow/source"
	"tandem/ivr/flow/suite"
)

var update = flag.Bool("update", false, "write the pages of docs anew")

func exampleOptions() read.Options {
	return read.Options{Now: time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC), HTTPAllow: []string{"orders.example", "cards.example"}, Settings: map[string]any{}}
}

func printed(ds []source.Diagnostic) string {
	var b strings.Builder
	source.Print(&b, ds, false)
	return b.String()
}

func exampleLibrary(t testing.TB) *flow.Library {
	t.Helper()
	lib, ds := read.FS(Examples(), exampleOptions())
	if len(ds) > 0 {
		t.Fatalf("the examples:\n%s", printed(ds))
	}
	return lib
}

// TestExamples: each verb has one that is read without a word, uses the verb, is laid
// out as tandem flow fmt does, and passes its tests.
func TestExamples(t *testing.T) {
	lib := exampleLibrary(t)
	for _, v := range schema.Verbs() {
		f := lib.Flows[v.Key]
		if f == nil {
			t.Errorf("no example of %s", v.Key)
			continue
		}
		if !slices.ContainsFunc(slices.Collect(maps.Values(f.Steps)), func(s *flow.Step) bool { return s.Verb.Verb() == v.Key }) {
			t.Errorf("the example of %s does not use it", v.Key)
		}
	}
	names, err := fs.Glob(Examples(), "*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]bool{}
	for _, name := range names {
		data, err := fs.ReadFile(Examples(), name)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := format.Source(data); err != nil || string(out) != string(data) {
			t.Errorf("%s is laid out otherwise (%v):\n%s", name, err, out)
		}
		flowName, isTest := strings.CutSuffix(name, ".test.yaml")
		if !isTest {
			continue
		}
		tests[flowName] = true
		report := suite.Run(lib, []suite.File{{Path: name, Text: data}}, suite.Options{})
		if len(report.Problems) > 0 {
			t.Errorf("%s:\n%s", name, printed(report.Problems))
		}
		for _, c := range report.Cases {
			if !c.OK {
				t.Errorf("%s:%d: %s [%s]: %s\n%s", c.File, c.Line, c.Name, c.Channel, c.Message, c.Transcript)
			}
		}
		if report.Passed == 0 {
			t.Errorf("%s tests nothing", name)
		}
	}
	for _, v := range schema.Verbs() {
		if !tests[v.Key] {
			t.Errorf("the example of %s has no tests", v.Key)
		}
	}
}

// TestChannelsOfVerbs holds the table of channels against the checker: each example on
// one channel alone.
func TestChannelsOfVerbs(t *testing.T) {
	all := fstest.MapFS{}
	err := fs.WalkDir(Examples(), ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(Examples(), name)
		all[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range schema.Verbs() {
		for _, channel := range []string{"voice", "chat", "sms"} {
			fsys := maps.Clone(all)
			file := v.Key + ".flow.yaml"
			text := regexp.MustCompile(`(?m)^channels: .*$`).ReplaceAllString(string(all[file].Data), "channels: ["+channel+"]")
			if v.Key == "identify" {
				text = strings.Replace(text, "by: [code, pin], fallback: questions", "by: [video]", 1)
			}
			fsys[file] = &fstest.MapFile{Data: []byte(text)}
			_, ds := read.FS(fsys, exampleOptions())
			refused := ""
			for _, d := range ds {
				if path.Base(d.File) == file && d.Rule == "channel" && !strings.Contains(d.Message, "hands off to") && (strings.Contains(d.Message, "`"+v.Key+"`") || strings.Contains(d.Snippet, v.Key+":")) {
					refused = d.Message
				}
			}
			if runs := slices.Contains(v.On, channel); runs != (refused == "") {
				t.Errorf("%s on %s: the table says %v, the checker %q", v.Key, channel, runs, refused)
			}
		}
	}
}

// TestReference holds the committed pages against what is made now.
func TestReference(t *testing.T) {
	for lang, file := range map[string]string{"en": "flow-language.md", "zh-CN": "flow-language.zh-CN.md"} {
		page := string(Page(lang))
		if i := strings.Index(page, "{{"); i >= 0 {
			t.Errorf("%s: %.80s", file, page[i:])
		}
		for _, v := range schema.Verbs() {
			if !strings.Contains(page, "### "+v.Key+"\n") {
				t.Errorf("%s has no chapter on %s", file, v.Key)
			}
		}
		for i, row := range strings.Split(page, "\n") {
			if strings.HasPrefix(row, "| ") && strings.Contains(row, "{  }") {
				t.Errorf("%s:%d: a type without a name: %s", file, i+1, row)
			}
		}
		where := "../../../docs/" + file
		if *update {
			if err := os.WriteFile(where, []byte(page), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if committed, err := os.ReadFile(where); err != nil || string(committed) != page {
			t.Errorf("docs/%s is not what the types say (%v): run go test ./ivr/flow/reference -update", file, err)
		}
	}
}
