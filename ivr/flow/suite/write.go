package suite

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/simulate"
	"tandem/ivr/flow/source"
)

// longWords is the most of what was said that is written into a script.
const longWords = 60

// recorded items of what came out of the flow, in lines.
func expectations(lines []simulate.Line, acts bool) []*item {
	var out []*item
	for _, l := range lines {
		switch {
		case l.Act() && acts:
			if it := actOf(l); it != nil {
				out = append(out, it)
			}
		case l.Word == simulate.Hears && !l.Place, l.Word == simulate.Gets:
			out = append(out, heard(l)...)
		case l.Word == simulate.Queued, l.Word == simulate.Ticketed, l.Word == simulate.Surveyed:
			out = append(out, &item{word: string(l.Word), text: l.Name})
		case l.Word == simulate.CallsBack:
			out = append(out, &item{word: "callback", text: "booked"})
		case l.Word == simulate.Ends:
			out = append(out, &item{word: "ends", text: l.Text})
		}
	}
	return out
}

// heard is a message as a script expects it: by the names of its prompts, or by the
// words it begins with.
func heard(l simulate.Line) []*item {
	word, means := "hears", ""
	switch {
	case l.Word == simulate.Gets:
		word, means = "gets", l.Means
		if !slices.Contains(meansOf, means) {
			means = ""
		}
	case l.Means != string(tandem.Voice):
		word = "reads"
	}
	var out []*item
	for _, name := range l.Names {
		if name != "" {
			out = append(out, &item{word: word, means: means, text: name, prompt: true})
		}
	}
	if words := beginning(l.Text); len(out) == 0 && words != "" {
		out = append(out, &item{word: word, means: means, text: words})
	}
	return out
}

// beginning is the first line of a text, cut before an address and where it is long.
func beginning(text string) string {
	text, _, _ = strings.Cut(text, "\n")
	text, _, _ = strings.Cut(text, simulate.LinkHost)
	if runes := []rune(text); len(runes) > longWords {
		text = string(runes[:longWords])
		if i := strings.LastIndexByte(text, ' '); i > 0 {
			text = text[:i]
		}
	}
	text = strings.TrimSpace(text)
	if flow.Fold(text) == "" {
		return ""
	}
	return text
}

// actOf is what somebody did as a line of a script; nil for the answers of other
// systems, which are given beforehand.
func actOf(l simulate.Line) *item {
	if l.Word == simulate.Answers {
		return nil
	}
	it := &item{word: string(l.Word), text: l.Text}
	if l.Secret != "" {
		it.text = l.Secret
	}
	if l.Word == simulate.Agent {
		it.outcome = l.Name
	}
	return it
}

// yaml writes a line of a script, without its dash.
func (it *item) yaml() string {
	value := scalar(it.text)
	switch it.word {
	case "leaves":
		return "leaves"
	case "presses", "types", "says":
		value = quoted(it.text)
	case "waits":
		value = it.text
		if value == "" {
			value = simulate.Short(it.wait)
		}
	case "sets", "var":
		value = inline(it.values)
	case "agent":
		if it.outcome != "" {
			value = "{ " + it.text + ": " + scalar(it.outcome) + " }"
		}
	}
	if it.means != "" {
		value = "{ " + it.means + ": " + value + " }"
	}
	return it.word + ": " + value
}

// scalar writes text for YAML: plain where it is a name, quoted otherwise.
func scalar(s string) string {
	if source.IsName(s) && !slices.Contains([]string{"yes", "no", "on", "off", "y", "n", "true", "false", "null"}, s) {
		return s
	}
	return quoted(s)
}

// quoted writes text in double quotes; what JSON escapes YAML reads alike.
func quoted(s string) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		return `""`
	}
	return strings.TrimSpace(b.String())
}

// inline writes a value in YAML's short form: { balance: 12.5 }.
func inline(v any) string {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			return "{}"
		}
		var parts []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, scalar(name)+": "+inline(v[name]))
		}
		return "{ " + strings.Join(parts, ", ") + " }"
	case []any:
		if len(v) == 0 {
			return "[]"
		}
		var parts []string
		for _, e := range v {
			parts = append(parts, inline(e))
		}
		return "[ " + strings.Join(parts, ", ") + " ]"
	case string:
		return scalar(v)
	case nil:
		return "null"
	}
	return simulate.JSON(v)
}

// Talk is a talk to be kept as a test, with how it began.
type Talk struct {
	Name    string
	Talk    *simulate.Talk
	Options simulate.Options
}

// yaml writes the test, each line after indent; the first begins with a dash.
func (t Talk) yaml(lib *flow.Library, indent string) string {
	var rows []string
	o, talk := t.Options, t.Talk
	rows = append(rows, "name: "+quoted(t.Name), "channel: "+string(o.Channel))
	if !talk.Began().Equal(simulate.Opening(lib, talk.Flow())) {
		at := talk.Began()
		if zone := talk.Flow().Zone; zone != nil {
			at = at.In(zone)
		}
		rows = append(rows, "at: "+at.Format(time.RFC3339Nano))
	}
	if c := o.Given.Caller; c != nil && *c != simulate.DefaultCaller {
		rows = append(rows, "from: "+quoted(*c))
	}
	if o.Lang != "" {
		rows = append(rows, "lang: "+o.Lang)
	}
	if len(o.Inputs) > 0 {
		rows = append(rows, "inputs: "+inline(o.Inputs))
	}
	if http := answersOf(talk.Lines()); len(http) > 0 {
		rows = append(rows, "given:", "  http:")
		for _, step := range slices.Sorted(maps.Keys(http)) {
			rows = append(rows, "    "+step+": "+http[step])
		}
	}
	rows = append(rows, "script:")
	for _, it := range expectations(talk.Lines(), true) {
		rows = append(rows, "  - "+it.yaml())
	}
	if len(rows) > 0 && rows[len(rows)-1] == "script:" {
		rows[len(rows)-1] = "script: []"
	}
	return indent + "- " + strings.Join(rows, "\n"+indent+"  ") + "\n"
}

// answersOf is what other systems answered, by step, as a test gives it. A step whose
// name is in several flows is named with its flow.
func answersOf(lines []simulate.Line) map[string]string {
	all := map[string][]string{}
	flows := map[string][]string{}
	for _, l := range lines {
		if l.Word == simulate.Answers && !slices.Contains(flows[l.Step], l.Flow) {
			flows[l.Step] = append(flows[l.Step], l.Flow)
		}
	}
	for _, l := range lines {
		if l.Word != simulate.Answers || l.Answer == nil {
			continue
		}
		key := l.Step
		if len(flows[l.Step]) > 1 {
			key = l.Flow + "." + l.Step
		}
		all[key] = append(all[key], answerYAML(*l.Answer))
	}
	out := map[string]string{}
	for key, list := range all {
		for len(list) > 1 && list[len(list)-1] == list[len(list)-2] {
			list = list[:len(list)-1] // the last repeats
		}
		out[key] = list[0]
		if len(list) > 1 {
			out[key] = "[ " + strings.Join(list, ", ") + " ]"
		}
	}
	return out
}

func answerYAML(a simulate.Answer) string {
	if a.Failed != "" {
		if a.Failed != "timeout" {
			return "error"
		}
		return a.Failed
	}
	s := fmt.Sprintf("{ status: %d", a.Status)
	if len(a.Body) > 0 {
		d := json.NewDecoder(bytes.NewReader(a.Body))
		d.UseNumber()
		var v any
		if d.Decode(&v) == nil {
			s += ", json: " + inline(v)
		}
	}
	return s + " }"
}
