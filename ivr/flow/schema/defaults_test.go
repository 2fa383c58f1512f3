package schema

import (
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/read"
	"tandem/ivr/flow/source"
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

// TestPolicyHasTheSameDefaults holds what the schema tells of a policy, of a queue's
// callbacks and of its targets against what holds where a file says nothing.
func TestPolicyHasTheSameDefaults(t *testing.T) {
	p := flow.DefaultRouting()
	want := map[string]string{
		"most_priority": p.MostPriority.String(), "decline_rest": p.DeclineRest.String(), "misses": fmt.Sprint(p.Misses), "blocks.voice": fmt.Sprint(p.Blocks[tandem.LoadVoice]),
		"tries": fmt.Sprint(flow.DefaultCallbackTries), "gap": flow.DefaultCallbackGap.String(), "window": flow.DefaultCallbackWindow.String(),
	}
	for _, l := range flow.Loads() {
		want["capacity."+string(l)], want["offer."+string(l)], want["wrap_up."+string(l)] = fmt.Sprint(p.Capacity[l]), p.Offer[l].String(), p.WrapUp[l].String()
	}
	got := map[string]string{}
	add := func(of any, prefix string) {
		for _, f := range Properties(reflect.TypeOf(of)) {
			if f.Default == "" {
				continue
			}
			got[prefix+f.Key] = strings.ReplaceAll(f.Default, ",", "")
			if d, ok := expression.ParseDuration(f.Default); ok {
				got[prefix+f.Key] = d.String()
			}
		}
	}
	add(PolicyBody{}, "")
	add(QueueCallback{}, "")
	add(PolicyCapacity{}, "capacity.")
	add(PolicyBlocks{}, "blocks.")
	add(PolicyOffers{}, "offer.")
	add(PolicyWrapUps{}, "wrap_up.")
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the schema says\n%v\nand what holds is\n%v", got, want)
	}
	for i, f := range Properties(reflect.TypeFor[Targets]()) {
		k := flow.TargetKinds()[i]
		if said := "(" + source.ShortDuration(flow.DefaultTarget(k.Kind)) + ")"; f.Key != k.Word || !strings.Contains(f.About("en"), said) || !strings.Contains(f.About("zh"), said) {
			t.Errorf("%s: %s and %s do not say %s", f.Key, f.About("en"), f.About("zh"), said)
		}
	}
}
