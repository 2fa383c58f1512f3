package suite

import (
	"encoding/json"
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

// longest is the most time that one line of a script lets pass.
const longest = 31 * 24 * time.Hour

var meansOf = []string{"sms", "chat", "mail"}

// readGiven reads what the world is to answer.
func (d *document) readGiven(n *source.Node) (g simulate.Given) {
	if !d.Fields(n, "given", "http", "agents", "queues", "assurance", "caller", "customer", "undeliverable") {
		return g
	}
	if h := n.Get("http"); h != nil && d.AnyFields(h, "http", "write { look_up: { status: 200, json: { … } } }") {
		g.HTTP = map[string][]simulate.Answer{}
		for _, e := range h.Entries {
			if d.httpStep(e.Key) {
				g.HTTP[e.Key.Text] = d.readAnswers(e.Val)
			}
		}
	}
	if a := n.Get("agents"); a != nil {
		g.Agents = d.readAgents(a)
	}
	if q := n.Get("queues"); q != nil && d.AnyFields(q, "queues", "write { cards: full }") {
		g.Queues = map[string]string{}
		for _, e := range q.Entries {
			if !d.known(e.Key, "unknown-queue", "queue", slices.Sorted(maps.Keys(d.lib.Queues))) {
				continue
			}
			if s, ok := d.Word(e.Val, "a queue", "full", "no_agents"); ok {
				g.Queues[e.Key.Text] = s
			}
		}
	}
	if a := n.Get("assurance"); a != nil {
		if s, ok := d.Word(a, "assurance", "none", "recognised", "verified", "proofed"); ok {
			if level, err := tandem.ParseAssurance(s); err == nil {
				g.Assurance = &level
			}
		}
	}
	if c := n.Get("caller"); c != nil {
		if s, ok := d.Text(c, "caller"); ok {
			if s == "withheld" {
				s = ""
			}
			g.Caller = &s
		}
	}
	if c := n.Get("customer"); c != nil {
		g.Customer, _ = d.Text(c, "customer")
	}
	if u := n.Get("undeliverable"); u != nil {
		g.Undeliverable = []string{}
		for _, item := range d.List(u, "undeliverable") {
			if s, ok := d.Word(item, "undeliverable", meansOf...); ok {
				g.Undeliverable = append(g.Undeliverable, s)
			}
		}
	}
	return g
}

// httpStep looks up STEP or FLOW.STEP among the flow and those it calls.
func (d *document) httpStep(key *source.Node) bool {
	inFlow, step, dotted := strings.Cut(key.Text, ".")
	if !dotted {
		inFlow, step = "", key.Text
	}
	var names []string
	for _, f := range d.flows {
		for _, name := range f.Order {
			if _, ok := f.Steps[name].Verb.(*flow.HTTP); !ok {
				continue
			}
			if step == name && (inFlow == "" || inFlow == f.Name) {
				return true
			}
			if dotted {
				name = f.Name + "." + name
			}
			names = append(names, name)
		}
	}
	if f := d.flow.Steps[step]; f != nil && !dotted {
		d.Fail(key, "unknown-step", source.DidYouMean(key.Text, names), "step `%s` is no http step but %s", step, f.Verb.Verb())
		return false
	}
	d.Fail(key, "unknown-step", source.DidYouMean(key.Text, names), "neither `%s` nor a flow it calls has an http step `%s`", d.flow.Name, key.Text)
	return false
}

// readAnswers reads one answer, or a list of them for one time after the other.
func (d *document) readAnswers(n *source.Node) []simulate.Answer {
	nodes := []*source.Node{n}
	if n.Kind == source.List {
		nodes = n.Items
		if len(nodes) == 0 {
			d.Fail(n, "empty-value", "write at least one answer", "no answer is given")
		}
	}
	var out []simulate.Answer
	for _, n := range nodes {
		if n.Kind == source.Text {
			if s, ok := d.Word(n, "an answer", "timeout", "error"); ok {
				out = append(out, simulate.Answer{Failed: s})
			}
			continue
		}
		if !d.Fields(n, "an answer", "status", "json") {
			continue
		}
		a := simulate.Answer{Status: 200}
		if s := n.Get("status"); s != nil {
			a.Status, _ = d.Count(s, "status", 100, 599)
		}
		if j := n.Get("json"); j != nil {
			body, err := json.Marshal(plain(j))
			if err != nil {
				d.Fail(j, "wrong-type", "", "this cannot be written as JSON: %v", err)
			}
			a.Body = body
		}
		out = append(out, a)
	}
	return out
}

// plain makes a JSON value of a node as YAML means it.
func plain(n *source.Node) any {
	switch n.Kind {
	case source.List:
		out := make([]any, len(n.Items))
		for i, item := range n.Items {
			out[i] = plain(item)
		}
		return out
	case source.Map:
		out := make(map[string]any, len(n.Entries))
		for _, e := range n.Entries {
			out[e.Key.Text] = plain(e.Val)
		}
		return out
	case source.Text:
		if n.Style != 0 {
			return n.Text
		}
		switch n.Text {
		case "true", "false":
			return n.Text == "true"
		}
		if json.Valid([]byte(n.Text)) { // a number: anything else that is JSON is quoted or a map
			return json.Number(n.Text)
		}
		return n.Text
	}
	return nil
}

func (d *document) readAgents(n *source.Node) *simulate.Agents {
	const fix = "write none, a number such as 2, or { after: 3m }"
	switch {
	case n.Kind == source.Text && n.Text == "none":
		return &simulate.Agents{None: true}
	case n.Kind == source.Text:
		if free, err := json.Number(n.Text).Int64(); err == nil && free >= 0 && free <= 1000 {
			return &simulate.Agents{Free: int(free)}
		}
	case n.Kind == source.Map:
		if d.Fields(n, "agents", "after") {
			after, _ := d.Duration(n.Get("after"), "after", time.Second, longest)
			return &simulate.Agents{After: after}
		}
		return nil
	}
	d.Fail(n, "wrong-type", fix, "agents are none, so many who are free, or one who is free after a while")
	return nil
}

// known reports that a name is one of those that are there.
func (d *document) known(n *source.Node, rule, what string, names []string) bool {
	if slices.Contains(names, n.Text) {
		return true
	}
	d.Fail(n, rule, source.DidYouMean(n.Text, names), "there is no %s `%s`", what, n.Text)
	return false
}

// readValues reads variables with the values they should have, by name.
func (d *document) readValues(n *source.Node, what string) map[string]any {
	if !d.AnyFields(n, what, "write { tier: gold }") {
		return nil
	}
	out := map[string]any{}
	for _, e := range n.Entries {
		v := d.variable(e.Key.Text)
		if v == nil {
			var names []string
			for _, f := range d.flows {
				for _, v := range slices.Concat(f.Inputs, f.Vars) {
					names = append(names, v.Name)
				}
			}
			d.Fail(e.Key, "unknown-variable", source.DidYouMean(e.Key.Text, names), "there is no variable `%s`", e.Key.Text)
			continue
		}
		value, ok := d.Value(e.Val, v.Type)
		if !ok {
			continue
		}
		if err := fits(v.Type, value); err != nil {
			d.Fail(e.Val, "wrong-type", "", "`%s`: %v", v.Name, err)
			continue
		}
		out[v.Name] = value
	}
	return out
}

// variable finds a variable of the flow, or of one it calls.
func (d *document) variable(name string) *flow.Variable {
	for _, f := range d.flows {
		if v := f.Variable(name); v != nil {
			return v
		}
	}
	return nil
}

// fits checks an expected value against a type. An object may name some fields only.
func fits(t *expression.Type, v any) error {
	if o, ok := v.(map[string]any); ok && t.Kind == expression.Object && t.Fields != nil {
		for _, name := range slices.Sorted(maps.Keys(o)) {
			ft := t.Fields[name]
			if ft == nil {
				return fmt.Errorf("the object has no field %q", name)
			}
			if err := fits(ft, o[name]); err != nil {
				return fmt.Errorf("field %q: %w", name, err)
			}
		}
		return nil
	}
	_, err := expression.Convert(t, v)
	return err
}

// equal compares an expected value with one of that type. Fields of an object that are
// not expected are passed over.
func equal(t *expression.Type, want, got any) bool {
	if o, ok := want.(map[string]any); ok {
		have, ok := got.(map[string]any)
		if !ok {
			return false
		}
		for name, w := range o {
			ft := t.Fields[name]
			if ft == nil {
				ft = &expression.Type{Kind: expression.Any}
			}
			if g, ok := have[name]; !ok || !equal(ft, w, g) {
				return false
			}
		}
		return true
	}
	v, err := expression.Convert(t, want)
	return err == nil && simulate.JSON(v) == simulate.JSON(got)
}
