package read

import (
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/source"
)

// folderOf lays texts into a new folder.
func folderOf(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	askFlow = `flow: ask
channels: [chat]
languages: [en]
start: question
vars: { words: { type: text } }
steps:
  question: { collect: { prompt: { en: "Your question?" }, into: words }, next: { ok: reply, else: end } }
  reply:    { answer: { knowledge: cards, text: words }, next: { else: end } }
`
	opening = "---\ntitle: Opening\nwords: [open, hours]\nlanguage: en\n---\nWe open at nine.\n\n---\nAnd close at six.\n"
)

func TestOverlay(t *testing.T) {
	dir := folderOf(t, map[string]string{"ask.flow.yaml": askFlow, "knowledge/cards/opening.md": opening, "knowledge/readme.md": "not an article", "notes.md": "nor this"})
	lib, ds := Overlay(dir, nil, testOptions())
	if len(ds) != 0 {
		t.Fatalf("got\n%s", shown(ds))
	}
	a := lib.Knowledge["cards"].Articles
	if len(a) != 1 || a[0].File != "knowledge/cards/opening.md" || a[0].Lang != "en" || len(a[0].Words) != 2 || a[0].Text != "We open at nine.\n\n---\nAnd close at six." {
		t.Errorf("articles %+v", a)
	}
	before := lib.Flows["ask"].Hash
	lib, ds = Overlay(dir, map[string][]byte{
		"knowledge/cards/opening.md": []byte(strings.Replace(opening, "nine", "ten", 1)),
		"more.flow.yaml":             []byte(strings.Replace(smallFlow, "flow: x", "flow: more", 1)),
	}, testOptions())
	if lib == nil || lib.Flows["more"] == nil || lib.Flows["ask"].Hash == before {
		t.Errorf("the drafts do not count:\n%s", shown(ds))
	}
	_, ds = Overlay(dir, map[string][]byte{"knowledge/cards/opening.md": nil}, testOptions())
	if len(ds) != 1 || ds[0].Rule != "unknown-knowledge" || ds[0].File != filepath.Join(dir, "ask.flow.yaml") {
		t.Errorf("an article taken away, but got\n%s", shown(ds))
	}
}

func TestPartial(t *testing.T) {
	dir := folderOf(t, map[string]string{"ask.flow.yaml": askFlow, "knowledge/cards/opening.md": opening})
	broken := strings.NewReplacer("next: { else: end }", "next: { els: end }", "into: words", "into: wrods").Replace(askFlow)
	lib, f, ds := Partial(dir, "ask.flow.yaml", map[string][]byte{"ask.flow.yaml": []byte(broken)}, testOptions())
	if !source.HasErrors(ds) || f == nil || lib.Flows["ask"] != f || lib.Knowledge["cards"] == nil {
		t.Fatalf("flow %v of %v\n%s", f, lib.Flows, shown(ds))
	}
	if f.Steps["question"].Next.By["ok"] != "reply" || f.Steps["reply"].Verb.Verb() != "answer" || len(f.Order) != 2 {
		t.Errorf("steps %+v", f.Steps)
	}
	if _, f, ds := Partial(dir, "ask.flow.yaml", map[string][]byte{"ask.flow.yaml": []byte("flow: [")}, testOptions()); f != nil || len(ds) != 1 {
		t.Errorf("flow %v of what is no YAML\n%s", f, shown(ds))
	}
	// No broken file makes its picture impossible: steps are there, whatever they lack.
	paths, _ := filepath.Glob("testdata/broken/*.flow.yaml")
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, f, _ := Partial(dir, "x.flow.yaml", map[string][]byte{"x.flow.yaml": data}, testOptions())
		if f == nil {
			continue
		}
		for _, name := range f.Order {
			if f.Steps[name] == nil {
				t.Errorf("%s: step %s is listed and not there", path, name)
			} else {
				f.Steps[name].Edges()
			}
		}
	}
}

// A file that cannot be read may be the one that is named: its mistake is told alone, also
// where only what a flow uses is told.
func TestUnreadFileIsNotUnknown(t *testing.T) {
	dir := folderOf(t, map[string]string{
		"ask.flow.yaml": askFlow, "knowledge/cards/opening.md": opening, "knowledge/cards/closing.md": "no head",
		"x.flow.yaml":    strings.Replace(smallFlow, "say: { en: \"WORDS\" }, next: end", "survey: { form: csat }, next: end", 1),
		"csat.form.yaml": "form: [",
	})
	for name, rule := range map[string]string{"ask.flow.yaml": "article", "x.flow.yaml": "syntax"} {
		if _, ds := File(filepath.Join(dir, name), testOptions()); len(ds) != 1 || ds[0].Rule != rule {
			t.Errorf("%s: want %s alone, got\n%s", name, rule, shown(ds))
		}
	}
}

// What Files keeps makes the same library later, whatever has become of the folder.
func TestRelease(t *testing.T) {
	dir := folderOf(t, map[string]string{"ask.flow.yaml": askFlow, "ask.test.yaml": "flow: ask\n", "knowledge/cards/opening.md": opening, "notes.txt": "x"})
	files, err := Files(dir)
	if err != nil {
		t.Fatal(err)
	}
	if names := slices.Sorted(maps.Keys(files)); !reflect.DeepEqual(names, []string{"ask.flow.yaml", "knowledge/cards/opening.md"}) {
		t.Errorf("files %v", names)
	}
	now, _ := Dir(dir, testOptions())
	if err := os.WriteFile(filepath.Join(dir, "ask.flow.yaml"), []byte("flow: [\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "other.flow.yaml"), []byte(smallFlow), 0o600); err != nil {
		t.Fatal(err)
	}
	then, ds := Release(dir, files, testOptions())
	if then == nil || len(then.Flows) != 1 || then.Flows["ask"].Hash != now.Flows["ask"].Hash {
		t.Errorf("got\n%s", shown(ds))
	}
	if _, err := Files(filepath.Join(dir, "nowhere")); err == nil {
		t.Error("the files of a folder that is not there")
	}
}

// A saved article is a change; one that was only touched is none.
func TestFolderSeesKnowledge(t *testing.T) {
	dir := folderOf(t, map[string]string{"ask.flow.yaml": askFlow, "knowledge/cards/opening.md": opening})
	f, ds, err := OpenFolder(dir, testOptions(), nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, shown(ds))
	}
	first := f.Current()
	if err := os.WriteFile(filepath.Join(dir, "knowledge/cards/opening.md"), []byte(strings.Replace(opening, "nine", "eight", 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if ds, read := f.Reload(t.Context()); !read || len(ds) != 0 || f.Current() == first {
		t.Errorf("read %v\n%s", read, shown(ds))
	}
	if !strings.Contains(f.Current().Knowledge["cards"].Articles[0].Text, "eight") || !strings.Contains(first.Knowledge["cards"].Articles[0].Text, "nine") {
		t.Error("the old library changed, or the new one did not")
	}
}

// A flow that an entry leads to may not lose the entry's channel while it serves.
func TestServed(t *testing.T) {
	o := testOptions()
	o.Needed, o.Served = []string{"door"}, map[string][]tandem.Channel{"door": {tandem.Voice, tandem.Chat}}
	for channels, want := range map[string]string{"[voice, chat]": "", "[voice]": "an entry of chat leads to flow `door`, which does not serve that channel"} {
		dir := folderOf(t, map[string]string{
			"door.flow.yaml": "flow: door\nchannels: " + channels + "\nlanguages: [en]\nstart: hi\nsteps: { hi: { say: { en: Hello. }, next: end } }\n",
		})
		lib, ds := Dir(dir, o)
		if got := shown(ds); (lib == nil) != (want != "") || !strings.Contains(got, want) {
			t.Errorf("%s: library %t\n%s", channels, lib != nil, got)
		}
	}
}

// The hash covers the forms that an operation asks.
func TestHashOfOperation(t *testing.T) {
	hash := func(question string) string {
		lib, ds := FS(fstest.MapFS{
			"x.flow.yaml": {Data: []byte("flow: x\nchannels: [voice]\nlanguages: [en]\nstart: a\nsteps:\n" +
				"  a: { link: { operation: enrol, prompt: { en: \"${link.url}\" }, with: { mail: \"'a@b.example'\" } }, next: { else: end } }\n")},
			"enrol.operation.yaml": {Data: []byte("operation: enrol\nsteps: [ { form: ask } ]\n")},
			"ask.form.yaml":        {Data: []byte("form: ask\nfields: [ { name: mail, type: email, ask: { en: \"" + question + "\" } } ]\n")},
		}, testOptions())
		if lib == nil {
			t.Fatal(shown(ds))
		}
		return lib.Flows["x"].Hash
	}
	if hash("Your mail?") == hash("Your address?") {
		t.Error("a changed question does not change the flow's hash")
	}
}

// What a page asks and shows must be there in the languages of the flow that links to
// it; what only a ticket holds needs no question.
func TestFilesBesideSpeak(t *testing.T) {
	head := "flow: x\nchannels: [voice]\nlanguages: [en, zh-CN]\nstart: a\nvars: { mail: { type: email } }\nsteps:\n"
	words := "prompt: { en: \"${link.url}\", zh-CN: \"${link.url}\" }"
	for _, tt := range []struct{ step, form, page, want string }{
		{"survey: { form: ask, by: [sms] }, next: { else: end }", "ask: { en: \"Mail?\", zh-CN: 邮箱 }", "", ""},
		{"survey: { form: ask, by: [sms] }, next: { else: end }", "ask: { zh-CN: 邮箱 }", "", "error[missing-language]"},
		{"survey: { form: ask, by: [sms] }, next: { else: end }", "ask: { en: \"Mail?\" }", "", "warning[missing-language]"},
		{"survey: { form: ask, by: [sms] }, next: { else: end }", "optional: true", "", "error[missing-key]"},
		{"ticket: { form: ask }, next: end", "optional: true", "", ""},
		{"link: { operation: page, " + words + " }, next: { else: end }", "optional: true", "form: ask", "error[missing-key]"},
		{"link: { operation: page, " + words + " }, next: { else: end }", "ask: { en: \"Mail?\", zh-CN: 邮箱 }", "show: { en: Look }", "warning[missing-language]"},
		{"link: { operation: page, " + words + " }, next: { else: end }", "ask: { en: \"Mail?\", zh-CN: 邮箱 }", "show: { zh-CN: 看 }", "error[missing-language]"},
	} {
		fsys := fstest.MapFS{
			"x.flow.yaml":   {Data: []byte(head + "  a: { " + tt.step + " }\n")},
			"ask.form.yaml": {Data: []byte("form: ask\nfields: [ { name: mail, type: email, " + tt.form + " } ]\n")},
		}
		if tt.page != "" {
			fsys["page.operation.yaml"] = &fstest.MapFile{Data: []byte("operation: page\nsteps: [ { " + tt.page + " } ]\n")}
		}
		_, ds := FS(fsys, testOptions())
		if tt.want == "" && len(ds) != 0 || tt.want != "" && (len(ds) != 1 || !strings.Contains(shown(ds), tt.want)) {
			t.Errorf("%s with %s and %s: want %q, got\n%s", tt.step, tt.form, tt.page, tt.want, shown(ds))
		}
	}
}

// A link's words are kept under their name although they use what only a link knows.
func TestWordsOfALink(t *testing.T) {
	text := "flow: x\nchannels: [voice]\nlanguages: [en]\nstart: a\nprompts: { here: { en: \"${link.url}\" } }\nsteps:\n" +
		"  a: { link: { operation: page, prompt: here }, next: { done: b, else: end } }\n  b: { SECOND, next: { else: end } }\n"
	read := func(second string) (*flow.Library, []source.Diagnostic) {
		return FS(fstest.MapFS{
			"x.flow.yaml":         {Data: []byte(strings.Replace(text, "SECOND", second, 1))},
			"page.operation.yaml": {Data: []byte("operation: page\nsteps: [ { show: { en: Look } } ]\n")},
		}, testOptions())
	}
	lib, ds := read("handoff: { to: voice, prompt: here }")
	if lib == nil || lib.Flows["x"].Prompts["here"] == nil {
		t.Errorf("got\n%s", shown(ds))
	}
	if _, ds := read("say: here"); len(ds) != 1 || ds[0].Rule != "expression" {
		t.Errorf("said where there is no link, but got\n%s", shown(ds))
	}
}
