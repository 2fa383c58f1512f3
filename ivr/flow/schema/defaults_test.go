package schema

import (
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"tandem/ivr/flow/read"
)

// TestReaderHasTheSameDefaults writes the default of each key of a verb: the step is the
// same as without it.
func TestReaderHasTheSameDefaults(t *testing.T) {
	least := map[string]string{
		"say": "prompt: p", "menu": `prompt: p, choices: [ { keys: "1", label: p, go: end } ]`, "collect": "prompt: p, into: v",
		"language": "by: [menu], prompt: p", "http": `get: "https://orders.example/x"`, "message": "prompt: p",
		"link": `operation: enrol, prompt: { en: "${link.url}" }`, "handoff": `to: chat, prompt: { en: "${link.url}" }`, "answer": "knowledge: shop, text: v",
		"transfer": `to: "tel:+8610"`, "voicemail": "box: shop", "record": "into: r", "consent": "kind: data, prompt: p",
		"survey": "form: csat",
	}
	tried := 0
	for _, v := range Verbs() {
		typ := v.Type
		if forms := Forms(typ); forms != nil {
			typ = forms[len(forms)-1].Type
		}
		for _, f := range Properties(typ) {
			if f.Default == "" || v.Key == "end" { // which the engine gives its reason
				continue
			}
			tried++
			body, ok := least[v.Key]
			if !ok {
				t.Errorf("%s.%s has a default, and there is no step to try it in", v.Key, f.Key)
				continue
			}
			written := stepOf(t, v.Key, strings.TrimPrefix(body+", "+f.Key+": "+f.Default, ", "))
			if left := stepOf(t, v.Key, body); written != left {
				t.Errorf("%s.%s: with %s it is\n%s, without\n%s", v.Key, f.Key, f.Default, written, left)
			}
		}
	}
	if tried < 20 {
		t.Errorf("only %d defaults were tried", tried)
	}
}

var address = regexp.MustCompile("0x[0-9a-f]+")

// stepOf is what the reader makes of a verb in a flow for the phone, printed.
func stepOf(t *testing.T, verb, body string) string {
	t.Helper()
	files := fstest.MapFS{"x.flow.yaml": {Data: []byte("flow: x\nchannels: [voice, chat]\nlanguages: [en]\nstart: only\nvars: { v: text, r: recording }\n" +
		"prompts: { p: { en: x } }\nsteps:\n  only: { branch: [ { if: \"channel == 'voice'\", go: a } ], next: { else: end } }\n" +
		"  a: { " + verb + ": { " + body + " }, next: end }\n")}}
	examples := os.DirFS("../reference/examples")
	err := fs.WalkDir(examples, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || strings.HasSuffix(name, ".flow.yaml") || strings.HasSuffix(name, ".test.yaml") {
			return err
		}
		data, err := fs.ReadFile(examples, name)
		files[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	lib, ds := read.FS(files, read.Options{HTTPAllow: []string{"orders.example"}, Speech: map[string]bool{"en": true}})
	if lib == nil || lib.Flows["x"] == nil {
		t.Fatalf("%s: { %s }: %s", verb, body, printed(ds))
	}
	return address.ReplaceAllString(fmt.Sprintf("%+v", lib.Flows["x"].Steps["a"].Verb), "")
}
