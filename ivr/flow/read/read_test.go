package read

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

func testOptions() Options {
	return Options{
		Settings:  map[string]any{"core": "http://127.0.0.1:8099", "bank": "Harbour Bank"},
		HTTPAllow: []string{"127.0.0.1:8099", "*.bank.example"},
		Now:       time.Date(2026, 11, 23, 2, 0, 0, 0, time.UTC),
	}
}

func shown(ds []source.Diagnostic) string {
	var b strings.Builder
	source.Print(&b, ds, false)
	return b.String()
}

// readText reads one flow from its text.
func readText(text string) (*flow.Library, []source.Diagnostic) {
	return FS(fstest.MapFS{"x.flow.yaml": {Data: []byte(text)}}, testOptions())
}

func goodCorpus(t testing.TB) *flow.Library {
	t.Helper()
	lib, ds := Dir("testdata/good", testOptions())
	if len(ds) != 0 {
		t.Fatalf("diagnostics for good files:\n%s", shown(ds))
	}
	return lib
}

func TestLibraryIsComplete(t *testing.T) {
	lib := goodCorpus(t)
	door, rate := lib.Flows["front_door"], lib.Flows["rate_us"]
	if door == nil || rate == nil || len(lib.Flows) != 2 {
		t.Fatalf("flows: %v", lib.Flows)
	}
	for _, f := range lib.Flows {
		if len(f.Hash) != 64 || f.Env == nil || len(f.Order) != len(f.Steps) || f.Steps[f.Start] == nil {
			t.Errorf("flow %s is not complete", f.Name)
		}
		for name, s := range f.Steps {
			if s.Name != name || s.Verb == nil || s.Pos.Line == 0 || s.Pos.File == "" {
				t.Errorf("step %s.%s is not complete: %+v", f.Name, name, s)
			}
		}
	}
	if door.OnLeave != "left" || door.OnError != "person" || door.Order[0] != "opening" {
		t.Errorf("on_leave %q, on_error %q, first %q", door.OnLeave, door.OnError, door.Order[0])
	}
	menu := door.Steps["main"].Verb.(*flow.Menu)
	want := flow.Listen{
		DTMF: true, BargeIn: flow.BargeDTMF, TypeAhead: true, Tries: 3,
		Timeout: map[tandem.Channel]time.Duration{tandem.Voice: 5 * time.Second, tandem.Chat: 3 * time.Minute, tandem.SMS: 12 * time.Hour},
		Retry:   []*flow.Prompt{door.Prompts["again"]},
	}
	if !reflect.DeepEqual(menu.Listen, want) {
		t.Errorf("listen %+v, want %+v", menu.Listen, want)
	}
	ask := rate.Steps["ask"].Verb.(*flow.Collect)
	if ask.Tries != 2 || ask.Timeout[tandem.Voice] != 4*time.Second || ask.Timeout[tandem.Chat] != time.Minute || ask.Timeout[tandem.SMS] != 12*time.Hour {
		t.Errorf("collect listens with %+v", ask.Listen)
	}
	if menu.Choices[0].Keys != "1" || menu.Choices[1].Phrases["zh-CN"][0] != "客服" || menu.Choices[0].Go != "number" {
		t.Errorf("choices %+v", menu.Choices)
	}
	number := door.Steps["number"].Verb.(*flow.Collect)
	if number.Min != 16 || number.Max != 19 || number.Secrecy != flow.Secret || number.Type.Kind != expression.Digits {
		t.Errorf("collect %+v", number)
	}
	if code := door.Steps["code"].Verb.(*flow.Collect); code.Min != 6 || code.Max != 6 || code.Secrecy != flow.Ephemeral {
		t.Errorf("collect %+v", code)
	}
	body := door.Steps["look_up"].Verb.(*flow.HTTP).JSON
	deep := body.Fields[2].Value.List
	if !body.Object || body.Fields[0].Value.Text == nil || body.Fields[1].Value.Literal != int64(5) ||
		deep[0].Literal != true || deep[1].Literal != nil || deep[2].Literal != 1.5 {
		t.Errorf("body %+v", body)
	}
	call := door.Steps["survey"].Verb.(*flow.Subflow)
	if call.Into != "card_rating" || len(call.With) != 1 || !reflect.DeepEqual(call.Outcomes(), []string{"rated", "declined"}) {
		t.Errorf("subflow %+v", call)
	}
	cal := lib.Calendars["head_office"]
	if cal.Zone.String() != "Asia/Shanghai" || len(cal.Weekly[time.Saturday]) != 2 || cal.Weekly[time.Monday][0] != (flow.Span{From: 540, Until: 1080}) ||
		len(cal.Weekly[time.Sunday]) != 0 || cal.Holidays["2027-01-01"].ByLang["zh-CN"] == nil {
		t.Errorf("calendar %+v", cal)
	}
	if spans, ok := cal.Overrides["2026-12-25"]; !ok || len(spans) != 0 {
		t.Errorf("closed override: %v %v", spans, ok)
	}
	if lib.Boxes["cards"].Queue != "cards" || lib.Queues["cards"] == nil {
		t.Errorf("boxes %v", lib.Boxes)
	}
	tier := door.Vars[2]
	if tier.Name != "tier" || tier.Default != "basic" || !reflect.DeepEqual(tier.Type.Values, []string{"basic", "gold"}) {
		t.Errorf("variable %+v", tier)
	}
	if door.Steps["told"].Verb.(*flow.Say).Announces != "recording" {
		t.Error("the announcement was lost")
	}
}

// The hash is that of the file and of what it uses, and of nothing else.
func TestHash(t *testing.T) {
	read := func(change string) (door, rate string) {
		fsys := fstest.MapFS{}
		for _, name := range []string{"front_door.flow.yaml", "rate_us.flow.yaml", "head_office.calendar.yaml", "cards.queues.yaml"} {
			data, err := os.ReadFile("testdata/good/" + name)
			if err != nil {
				t.Fatal(err)
			}
			if name == change {
				data = append(data, "# changed\n"...)
			}
			fsys[name] = &fstest.MapFile{Data: data}
		}
		lib, ds := FS(fsys, testOptions())
		if lib == nil {
			t.Fatal(shown(ds))
		}
		return lib.Flows["front_door"].Hash, lib.Flows["rate_us"].Hash
	}
	door, rate := read("")
	for change, want := range map[string][2]bool{
		"front_door.flow.yaml": {true, false}, "rate_us.flow.yaml": {true, true},
		"head_office.calendar.yaml": {true, false}, "cards.queues.yaml": {true, false},
	} {
		d, r := read(change)
		if (d != door) != want[0] || (r != rate) != want[1] {
			t.Errorf("%s changed: front_door %v, rate_us %v; want %v", change, d != door, r != rate, want)
		}
	}
}

func TestFiveMistakes(t *testing.T) {
	lib, ds := readText(`flow: x
channels: [voice]
languages: [en]
start: hello
vars:
  name: { type: text }
steps:
  hello: { say: { en: "Hello ${nmae}." }, next: maim }
  main:
    menu:
      prompt: { en: "Press 1." }
      choices: [ { keys: 1, go: over } ]
      tires: 2
    next: { no_input: over }
  over: { end: {} }
`)
	if lib != nil {
		t.Error("a library with mistakes")
	}
	var got []string
	for _, d := range ds {
		got = append(got, strings.Join([]string{d.Rule, d.Snippet[d.Column-1 : d.Column+3]}, " "))
	}
	want := []string{"expression nmae", "unknown-step maim", "unquoted 1, g", "unknown-key tire", "missing-outcome { no"}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q\n%s", got, want, shown(ds))
	}
}

// A syntax error is the only thing said of a file, but other files are read.
func TestSyntaxErrorEndsOneFile(t *testing.T) {
	_, ds := FS(fstest.MapFS{
		"a.flow.yaml":     {Data: []byte("flow: a\nsteps: { hello: { say: nothing\n")},
		"b.calendar.yaml": {Data: []byte("calendar: b\ntime_zone: UTC\nweekly: { someday: closed }\n")},
	}, testOptions())
	if len(ds) != 2 || ds[0].Rule != "syntax" || ds[1].Rule != "weekday" {
		t.Errorf("got\n%s", shown(ds))
	}
}

func TestFileReportsWhatItUses(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(dir+"/"+name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	head := "channels: [voice]\nlanguages: [en]\nstart: hello\n"
	write("a.flow.yaml", "flow: a\n"+head+"steps:\n  hello: { hours: { calendar: used }, next: end }\n")
	write("used.calendar.yaml", "calendar: used\ntime_zone: Nowhere\nweekly: {}\n")
	write("other.flow.yaml", "flow: other\n"+head+"steps: {}\n")
	_, ds := File(dir+"/a.flow.yaml", testOptions())
	if len(ds) != 1 || ds[0].Rule != "time-zone" || ds[0].File != dir+"/used.calendar.yaml" {
		t.Errorf("got\n%s", shown(ds))
	}
	for name, rule := range map[string]string{"gone.flow.yaml": "file", "notes.txt": "file-name"} {
		if _, ds := File(dir+"/"+name, testOptions()); len(ds) != 1 || ds[0].Rule != rule {
			t.Errorf("%s: got\n%s", name, shown(ds))
		}
	}
	if lib, ds := Dir(dir+"/nowhere", testOptions()); lib != nil || len(ds) != 1 || ds[0].Rule != "file" {
		t.Errorf("a folder that is not there: %s", shown(ds))
	}
}
