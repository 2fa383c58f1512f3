package suite

import (
	"maps"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/simulate"
	"tandem/ivr/flow/source"
)

// item is one line of a script: what somebody does, or what is expected to come.
type item struct {
	word    string
	node    *source.Node // the line; nil for one that was recorded
	text    string       // words, keys, a name, an outcome
	prompt  bool         // text names a prompt
	means   string       // of gets; "" = any
	outcome string       // of surveyed and transferred, where the script gives it; the step of an agent
	wait    time.Duration
	silence bool // waits until something falls due
	values  map[string]any
	given   simulate.Given
}

// Words are all words of a script, in the order of the documentation.
func Words() []string {
	return []string{
		"hears", "reads", "gets", "presses", "says", "types", "taps", "waits", "opens", "finishes", "declines", "accepts", "leaves",
		"queued", "agent", "transferred", "records", "callback", "surveyed", "ticketed", "identified", "resumes", "given", "sets", "var", "ends",
	}
}

// expects tells whether a line only looks at what came.
func (it *item) expects() bool {
	switch it.word {
	case "hears", "reads", "gets", "queued", "ticketed", "sets", "var", "ends":
		return true
	case "surveyed", "transferred":
		return it.outcome == ""
	}
	return false
}

// readItem reads one line of a script, nil if it cannot be read.
func (d *document) readItem(n *source.Node, channels []tandem.Channel) *item {
	if n.Kind == source.Text && n.Text == "leaves" {
		return &item{word: "leaves", node: n}
	}
	if n.Kind != source.Map {
		d.Fail(n, "wrong-type", "write a word and what it is about, such as `- hears: hello`", "a line of a script is a word with a value")
		return nil
	}
	if len(n.Entries) != 1 {
		d.Fail(n.Entries[min(1, len(n.Entries)-1)].Key, "wrong-type", "put each on a line of its own after `- `", "a line of a script has one word; this has %d", len(n.Entries))
		return nil
	}
	key, value := n.Entries[0].Key, n.Entries[0].Val
	if !slices.Contains(Words(), key.Text) {
		d.Fail(key, "unknown-key", source.DidYouMean(key.Text, Words()), "a script has no word `%s`", key.Text)
		return nil
	}
	it := &item{word: key.Text, node: n}
	if key.Text != "leaves" && value.Kind == source.Null {
		d.Empty(value, "`"+key.Text+"`")
		return nil
	}
	if !d.readWord(it, value, channels) {
		return nil
	}
	return it
}

// readWord reads the value of a line and reports whether it could be read.
func (d *document) readWord(it *item, v *source.Node, channels []tandem.Channel) (ok bool) {
	switch it.word {
	case "leaves":
		return true
	case "hears", "reads":
		it.text, ok = d.Text(v, it.word)
		it.prompt = d.isPrompt(it.text)
	case "gets":
		ok = d.readGets(it, v)
	case "presses":
		it.text, ok = d.Text(v, it.word)
		if ok && strings.Trim(it.text, "0123456789*#ABCD") != "" {
			d.Fail(v, "keys", "for words write `types`, `taps` or `says`", "`%s` are no keys: a phone has 0 to 9, * and #", it.text)
		}
	case "says", "types", "taps":
		it.text, ok = d.Text(v, it.word)
	case "waits":
		if v.Kind == source.Text && v.Text == "silence" {
			it.silence = true
			return true
		}
		it.wait, ok = d.Duration(v, "waits", time.Millisecond, longest)
	case "opens", "finishes":
		it.text, ok = d.Word(v, it.word, "link")
	case "declines":
		it.text, ok = d.Word(v, it.word, "link", "handoff", "callback", "survey")
	case "accepts":
		it.text, ok = d.Word(v, it.word, "handoff")
	case "queued":
		ok = d.readQueued(it, v)
	case "agent":
		ok = d.readAgent(it, v)
	case "transferred":
		ok = d.readTransferred(it, v)
	case "records":
		it.text, ok = d.Word(v, it.word, "left", "done", "too_short")
	case "callback":
		it.text, ok = d.Word(v, it.word, "booked", "declined")
	case "surveyed":
		ok = d.readSurveyed(it, v)
	case "ticketed":
		ok = d.readTicketed(it, v)
	case "identified":
		it.text, ok = d.Word(v, it.word, "passed", "failed", "declined", "unsupported")
	case "resumes":
		it.text, ok = d.Word(v, it.word, "failed", "declined", "found")
	case "given":
		it.given, ok = d.readGiven(v), true
	case "sets", "var":
		it.values = d.readValues(v, it.word)
		ok = len(it.values) > 0
	case "ends":
		it.text, ok = d.Text(v, it.word)
	}
	return ok
}

// isPrompt reports whether a prompt of the flow, or of one it calls, has the name.
func (d *document) isPrompt(name string) bool {
	return slices.ContainsFunc(d.flows, func(f *flow.Flow) bool { return f.Prompts[name] != nil })
}

// prompts are the names of all prompts.
func (d *document) prompts() []string {
	var names []string
	for _, f := range d.flows {
		names = append(names, slices.Collect(maps.Keys(f.Prompts))...)
	}
	return names
}

// readGets reads words or a prompt, or { sms: WORDS }.
func (d *document) readGets(it *item, v *source.Node) (ok bool) {
	if v.Kind == source.Map {
		if !d.Fields(v, "gets", meansOf...) {
			return false
		}
		if len(v.Entries) != 1 {
			d.Fail(v, "wrong-type", "write { sms: … }, { chat: … } or { mail: … }", "gets has one way by which something comes")
			return false
		}
		it.means, v = v.Entries[0].Key.Text, v.Entries[0].Val
	}
	it.text, ok = d.Text(v, "gets")
	it.prompt = d.isPrompt(it.text)
	return ok
}

// readTransferred reads an outcome, an address, or { to, outcome }.
func (d *document) readTransferred(it *item, v *source.Node) (ok bool) {
	outcomes := (&flow.Transfer{}).Outcomes()
	if v.Kind == source.Map {
		d.Fields(v, "transferred", "to", "outcome")
		if to := v.Get("to"); to != nil {
			it.text, _ = d.Text(to, "to")
		}
		if o := v.Get("outcome"); o != nil {
			it.outcome, _ = d.Word(o, "outcome", outcomes...)
		}
		return it.text != "" || it.outcome != ""
	}
	s, ok := d.Text(v, "transferred")
	switch {
	case slices.Contains(outcomes, s):
		it.outcome = s
	case ok && !strings.Contains(s, ":"):
		d.Fail(v, "unknown-word", source.DidYouMean(s, outcomes), "`%s` is no outcome of a transfer, and no address such as tel:+8610000", s)
		return false
	default:
		it.text = s
	}
	return ok
}

// readAgent reads what an agent does, perhaps with a step: { asks: STEP }, { hands_back: STEP }.
func (d *document) readAgent(it *item, v *source.Node) (ok bool) {
	if v.Kind != source.Map {
		it.text, ok = d.Word(v, it.word, simulate.AgentAnswers, simulate.AgentHandsBack, simulate.AgentDeclines, simulate.AgentTakesOver)
		return ok
	}
	if !d.Fields(v, it.word, simulate.AgentAsks, simulate.AgentHandsBack) || len(v.Entries) != 1 {
		return false
	}
	it.text = v.Entries[0].Key.Text
	it.outcome, ok = d.Text(v.Entries[0].Val, it.text)
	return ok
}

// readQueued reads a queue, or { QUEUE: { level: gold, skills: "lang:en", priority: 60s } }.
func (d *document) readQueued(it *item, v *source.Node) bool {
	name := v
	if v.Kind == source.Map && len(v.Entries) == 1 {
		name = v.Entries[0].Key
		with := v.Entries[0].Val
		if !d.Fields(with, "queued", "level", "skills", "priority") {
			return false
		}
		it.values = map[string]any{}
		for _, e := range with.Entries {
			if s, ok := d.Text(e.Val, e.Key.Text); ok {
				it.values[e.Key.Text] = s
			}
		}
	}
	if name.Kind != source.Text {
		d.WrongKind(v, "queued", "a queue's name")
		return false
	}
	it.text = name.Text
	return d.known(name, "unknown-queue", "queue", slices.Sorted(maps.Keys(d.lib.Queues)))
}

// readSurveyed reads a form, or { FORM: skipped }.
func (d *document) readSurveyed(it *item, v *source.Node) (ok bool) {
	name := v
	if v.Kind == source.Map && len(v.Entries) == 1 {
		name = v.Entries[0].Key
		if it.outcome, ok = d.Word(v.Entries[0].Val, "a survey", "done", "skipped"); !ok {
			return false
		}
	}
	if name.Kind != source.Text {
		d.WrongKind(v, "surveyed", "a form's name, or { FORM: skipped }")
		return false
	}
	it.text = name.Text
	return d.known(name, "unknown-form", "form", slices.Sorted(maps.Keys(d.lib.Forms)))
}

// readTicketed reads a form, or { FORM: { FIELD: VALUE } }.
func (d *document) readTicketed(it *item, v *source.Node) bool {
	name := v
	if v.Kind == source.Map && len(v.Entries) == 1 {
		name = v.Entries[0].Key
		fields := v.Entries[0].Val
		form := d.lib.Forms[name.Text]
		if !d.AnyFields(fields, "a ticket", "write { request: { words: \"…\" } }") || form == nil {
			return d.known(name, "unknown-form", "form", slices.Sorted(maps.Keys(d.lib.Forms)))
		}
		it.values = map[string]any{}
		var known []string
		for _, f := range form.Fields {
			known = append(known, f.Name)
		}
		for _, e := range fields.Entries {
			i := slices.Index(known, e.Key.Text)
			if i < 0 {
				d.Fail(e.Key, "unknown-key", source.DidYouMean(e.Key.Text, known), "form `%s` has no field `%s`", form.Name, e.Key.Text)
				continue
			}
			if value, ok := d.Value(e.Val, form.Fields[i].Type); ok {
				it.values[e.Key.Text] = value
			}
		}
	}
	if name.Kind != source.Text {
		d.WrongKind(v, "ticketed", "a form's name")
		return false
	}
	it.text = name.Text
	return d.known(name, "unknown-form", "form", slices.Sorted(maps.Keys(d.lib.Forms)))
}
