package read

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"tandem/ivr/flow"
)

func (r *reading) readQueues(f *file) {
	f.fields(f.root, "a queues file", "queues", "boxes")
	if n := f.root.get("queues"); n != nil && f.fieldsAny(n, "queues", "write { cards: {} }") {
		for _, e := range n.entries {
			if !f.goodName(e.key, "a queue's name") {
				continue
			}
			if other := r.queues[e.key.text]; other != nil {
				f.fail(e.key, "duplicate-name", "give one of the two another name", "queue `%s` is also in %s", e.key.text, other.file.path)
				continue
			}
			r.queues[e.key.text] = &named[flow.Queue]{&flow.Queue{Name: e.key.text, Pos: f.pos(e.key)}, f}
			f.readQueue(e.val)
		}
	}
	if n := f.root.get("boxes"); n != nil && f.fieldsAny(n, "boxes", "write { cards: { queue: cards } }") {
		for _, e := range n.entries {
			if !f.goodName(e.key, "a box's name") {
				continue
			}
			if other := r.boxes[e.key.text]; other != nil {
				f.fail(e.key, "duplicate-name", "give one of the two another name", "box `%s` is also in %s", e.key.text, other.file.path)
				continue
			}
			b := &flow.Box{Name: e.key.text, Pos: f.pos(e.key)}
			r.boxes[e.key.text] = &named[flow.Box]{b, f}
			if f.fields(e.val, "a box", "queue") {
				if q := e.val.get("queue"); q == nil {
					f.fail(e.val, "missing-key", "write { queue: NAME }", "the box has no `queue`")
				} else {
					b.Queue, _ = f.text(q, "queue")
				}
			}
		}
	}
}

// readQueue looks at what routing will use; only the name is kept now.
func (f *file) readQueue(n *node) {
	if n.kind == isNull || !f.fields(n, "a queue", "teams", "target", "full") {
		return
	}
	for _, item := range f.list(n.get("teams"), "teams") {
		f.name(item, "a team")
	}
	if t := n.get("target"); t != nil && f.fields(t, "target", channels...) {
		for _, e := range t.entries {
			f.duration(e.val, "target", time.Second, 7*24*time.Hour)
		}
	}
	f.count(n.get("full"), "full", 1, 1_000_000)
}

// checkBoxes looks up the queues of boxes, once all files are read.
func (r *reading) checkBoxes() {
	for _, name := range slices.Sorted(maps.Keys(r.boxes)) {
		b := r.boxes[name]
		if b.value.Queue == "" {
			continue
		}
		q := r.queues[b.value.Queue]
		if q == nil {
			n := b.file.root.get("boxes").get(name).get("queue")
			b.file.fail(n, "unknown-queue", didYouMean(b.value.Queue, slices.Collect(maps.Keys(r.queues))), "there is no queue `%s`", b.value.Queue)
			continue
		}
		if q.file != b.file {
			b.file.uses[q.file.base] = true
		}
	}
}

// checkCalls finds flows that call themselves, even through others.
func (r *reading) checkCalls(flows []*flowFile) {
	for _, ff := range flows {
		for _, name := range ff.flow.Order {
			s := ff.steps[name]
			call, ok := s.Verb.(*flow.Subflow)
			if !ok || r.flows[call.Name] == nil {
				continue
			}
			if path := r.callPath(call.Name, ff.flow.Name, map[string]bool{}); path != nil {
				way := ff.flow.Name
				for _, p := range path {
					way += " → " + p
				}
				ff.fail(s.at("name"), "recursion", "end the called flow instead and loop in the caller", "flow `%s` calls itself: %s", ff.flow.Name, way)
			}
		}
	}
}

// callPath is the chain of calls from one flow to another, nil if there is none.
func (r *reading) callPath(from, to string, seen map[string]bool) []string {
	if from == to {
		return []string{to}
	}
	if seen[from] || r.flows[from] == nil {
		return nil
	}
	seen[from] = true
	ff := r.flows[from]
	for _, name := range ff.flow.Order {
		if call, ok := ff.steps[name].Verb.(*flow.Subflow); ok {
			if rest := r.callPath(call.Name, to, seen); rest != nil {
				return append([]string{from}, rest...)
			}
		}
	}
	return nil
}

// stepList writes a path of steps for people.
func stepList(names []string) string {
	const most = 12
	if len(names) > most {
		names = append(append(slices.Clone(names[:most/2]), fmt.Sprintf("… %d more …", len(names)-most)), names[len(names)-most/2:]...)
	}
	out := ""
	for i, n := range names {
		if i > 0 {
			out += " → "
		}
		out += n
	}
	return out
}
