// Package suite is tests beside flows: it reads test files, plays each test on each of
// its channels in a simulated world, tells what was expected and what came, counts the
// steps and edges that were walked, and can write down what really happened as a test.
//
// It decides nothing of what a flow does: package simulate plays. Run spreads cases
// over goroutines that have ended when it returns; nothing else here runs one. It reads
// no disk and no clock: texts of files come in, texts go out.
package suite

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/simulate"
	"tandem/ivr/flow/source"
)

// Suffix is how the name of a test file ends.
const Suffix = ".test.yaml"

// File is the text of a test file. Path is what people call it.
type File struct {
	Path string
	Text []byte
}

// Flow is the name of the flow that a test file, or a flow file, is about; "" if it
// names none.
func Flow(file File) string {
	f := source.New(file.Path, file.Path)
	if !f.Parse(file.Text) {
		return ""
	}
	if n := f.Root.Get("flow"); n != nil {
		return n.Text
	}
	return ""
}

// document is a test file as it was read.
type document struct {
	*source.File
	file     File
	lib      *flow.Library
	flow     *flow.Flow
	flows    []*flow.Flow // it and those it calls, itself first
	given    simulate.Given
	inputs   map[string]any
	coverage int // percent of edges; 0 = none asked for
	opening  time.Time
	tests    []*test
}

// test is one entry of tests.
type test struct {
	node     *source.Node
	name     string
	place    source.Place
	channels []tandem.Channel
	at       time.Time
	entry    string
	lang     string
	browser  []string
	inputs   map[string]any
	given    simulate.Given
	script   []*item
}

// readFile reads a test file; what is wrong with it is in Found. flow is nil if it tests
// no flow that is there.
func readFile(lib *flow.Library, file File) *document {
	base := file.Path[strings.LastIndexAny(file.Path, `/\`)+1:]
	d := &document{File: source.New(base, file.Path), file: file, lib: lib}
	if !d.Parse(file.Text) {
		return d
	}
	d.Fields(d.Root, "a test file", "flow", "note", "given", "inputs", "coverage", "tests")
	name := d.Root.Get("flow")
	if name == nil {
		d.Fail(&source.Node{At: d.Root.At}, "missing-key", "begin with a line such as `flow: front_door`", "the test file names no `flow`")
		return d
	}
	text, ok := d.Name(name, "the flow's name")
	if !ok {
		return d
	}
	if d.flow = lib.Flows[text]; d.flow == nil {
		d.Fail(name, "unknown-flow", source.DidYouMean(text, slices.Sorted(maps.Keys(lib.Flows))), "there is no flow `%s`", text)
		return d
	}
	d.flows = called(lib, d.flow, nil)
	d.opening = simulate.Opening(lib, d.flow)
	d.note(d.Root)
	if n := d.Root.Get("given"); n != nil {
		d.given = d.readGiven(n)
	}
	d.inputs = d.readInputs(d.Root.Get("inputs"))
	d.coverage, _ = d.Count(d.Root.Get("coverage"), "coverage", 1, 100)
	tests := d.Root.Get("tests")
	if tests == nil {
		d.Fail(&source.Node{At: d.Root.At}, "missing-key", "add `tests:` and under it `- name: …`", "the test file has no `tests`")
		return d
	}
	first := map[string]source.Place{}
	for _, n := range d.List(tests, "tests") {
		if t := d.readTest(n); t != nil {
			if p, twice := first[t.name]; twice {
				d.Fail(n.Get("name"), "duplicate-name", "give each test a name of its own", "a test of this name is on line %d", p.Line)
			}
			first[t.name] = t.place
			d.tests = append(d.tests, t)
		}
	}
	return d
}

// called is a flow and the flows it calls, each once, itself first.
func called(lib *flow.Library, f *flow.Flow, known []*flow.Flow) []*flow.Flow {
	if f == nil || slices.Contains(known, f) {
		return known
	}
	known = append(known, f)
	for _, name := range f.Order {
		switch v := f.Steps[name].Verb.(type) {
		case *flow.Subflow:
			known = called(lib, lib.Flows[v.Name], known)
		case *flow.QueueStep:
			known = called(lib, lib.Flows[v.During], known)
		}
	}
	return known
}

func (d *document) note(n *source.Node) {
	if note := n.Get("note"); note != nil {
		d.Text(note, "note")
	}
}

func (d *document) readTest(n *source.Node) *test {
	if !d.Fields(n, "a test", "name", "note", "channel", "at", "from", "lang", "browser", "entry", "inputs", "given", "script") {
		return nil
	}
	t := &test{node: n, place: n.At, channels: d.flow.Channels}
	name := n.Get("name")
	if name == nil {
		d.Fail(&source.Node{At: n.At}, "missing-key", "write `name:` and what is tested", "the test has no `name`")
		return nil
	}
	t.place = name.At
	var ok bool
	if t.name, ok = d.Text(name, "name"); !ok {
		return nil
	}
	d.note(n)
	if c := n.Get("channel"); c != nil {
		t.channels = d.readChannels(c)
	}
	if at := n.Get("at"); at != nil {
		t.at = d.readTime(at)
	}
	if from := n.Get("from"); from != nil {
		if s, ok := d.Text(from, "from"); ok {
			t.given.Caller = &s
		}
	}
	if lang := n.Get("lang"); lang != nil {
		t.lang = d.readLang(lang)
	}
	for _, item := range d.List(n.Get("browser"), "browser") {
		t.browser = append(t.browser, d.readLang(item))
	}
	if entry := n.Get("entry"); entry != nil {
		t.entry, _ = d.Text(entry, "entry")
	}
	t.inputs = maps.Clone(d.inputs)
	if more := d.readInputs(n.Get("inputs")); more != nil {
		if t.inputs == nil {
			t.inputs = map[string]any{}
		}
		maps.Copy(t.inputs, more)
	}
	if g := n.Get("given"); g != nil {
		t.given.Merge(d.readGiven(g))
	}
	if s := n.Get("script"); s != nil && s.Kind != source.Null {
		for _, line := range d.List(s, "script") {
			if it := d.readItem(line, t.channels); it != nil {
				t.script = append(t.script, it)
			}
		}
	}
	return t
}

func (d *document) readLang(n *source.Node) string {
	s, ok := d.Text(n, "a language")
	if ok && !source.IsLanguage(s) {
		d.Fail(n, "language", "write a tag such as en or zh-CN", "`%s` is no language tag", s)
	}
	return s
}

// readChannels reads one channel or several, each one of the flow's.
func (d *document) readChannels(n *source.Node) []tandem.Channel {
	nodes := []*source.Node{n}
	if n.Kind == source.List {
		nodes = n.Items
	}
	var known []string
	for _, c := range d.flow.Channels {
		known = append(known, string(c))
	}
	var out []tandem.Channel
	for _, n := range nodes {
		if s, ok := d.Word(n, "channel", known...); ok && !slices.Contains(out, tandem.Channel(s)) {
			out = append(out, tandem.Channel(s))
		}
	}
	return out
}

// readTime reads 2026-11-23T10:00:00+08:00; without a zone it is in the flow's.
func (d *document) readTime(n *source.Node) time.Time {
	zone := d.flow.Zone
	if zone == nil {
		zone = time.UTC
	}
	if n.Kind == source.Text {
		for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04"} {
			if at, err := time.ParseInLocation(layout, n.Text, zone); err == nil {
				return at
			}
		}
	}
	d.Fail(n, "date", "write 2026-11-23T10:00:00+08:00, or 2026-11-23T10:00 in the zone of the flow's calendar", "this is no time")
	return time.Time{}
}

// readInputs reads values for the flow's inputs, nil if there are none.
func (d *document) readInputs(n *source.Node) map[string]any {
	if n == nil || !d.AnyFields(n, "inputs", "write { account: \"622200\" }") {
		return nil
	}
	var known []string
	for _, v := range d.flow.Inputs {
		known = append(known, v.Name)
	}
	out := map[string]any{}
	for _, e := range n.Entries {
		if !slices.Contains(known, e.Key.Text) {
			d.Fail(e.Key, "unknown-variable", source.DidYouMean(e.Key.Text, known), "flow `%s` has no input `%s`", d.flow.Name, e.Key.Text)
			continue
		}
		v := d.flow.Variable(e.Key.Text)
		value, ok := d.Value(e.Val, v.Type)
		if !ok {
			continue
		}
		if _, err := expression.Convert(v.Type, value); err != nil {
			d.Fail(e.Val, "wrong-type", "", "input `%s`: %v", v.Name, err)
			continue
		}
		out[v.Name] = value
	}
	return out
}

// options are how the test begins on a channel.
func (d *document) options(t *test, channel tandem.Channel, seed uint64) simulate.Options {
	o := simulate.Options{
		Channel: channel, At: t.at, Entry: t.entry, Lang: t.lang, Browser: t.browser, Inputs: t.inputs, Seed: seed,
	}
	if o.At.IsZero() {
		o.At = d.opening
	}
	o.Given.Merge(d.given)
	o.Given.Merge(t.given)
	return o
}

// title is a case's name: the test's, with the channel where the test has several.
func (t *test) title(channel tandem.Channel) string {
	if len(t.channels) > 1 {
		return fmt.Sprintf("%s [%s]", t.name, channel)
	}
	return t.name
}
