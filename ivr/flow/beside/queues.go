package beside

import (
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/source"
)

const (
	maxTarget = 7 * 24 * time.Hour
	maxPlaces = 1_000_000
)

// Queues reads a queues file. declare is told of every queue and box with its name's
// node, and reports names that are taken.
func Queues(f *source.File, queue func(*source.Node, *flow.Queue), box func(*source.Node, *flow.Box)) {
	f.Fields(f.Root, "a queues file", "queues", "boxes")
	if n := f.Root.Get("queues"); n != nil && f.AnyFields(n, "queues", "write { cards: {} }") {
		for _, e := range n.Entries {
			if f.GoodName(e.Key, "a queue's name") {
				queue(e.Key, readQueue(f, e))
			}
		}
	}
	if n := f.Root.Get("boxes"); n != nil && f.AnyFields(n, "boxes", "write { cards: { queue: cards } }") {
		for _, e := range n.Entries {
			if f.GoodName(e.Key, "a box's name") {
				box(e.Key, readBox(f, e))
			}
		}
	}
}

func readQueue(f *source.File, e source.Entry) *flow.Queue {
	q := &flow.Queue{Name: e.Key.Text, Pos: f.Pos(e.Key)}
	if e.Val.Kind == source.Null || !f.Fields(e.Val, "a queue", "teams", "target", "full") {
		return q
	}
	for _, item := range f.List(e.Val.Get("teams"), "teams") {
		if name, ok := f.Name(item, "a team"); ok {
			q.Teams = append(q.Teams, name)
		}
	}
	q.Target = readTargets(f, e.Val.Get("target"), "target")
	q.Full, _ = f.Count(e.Val.Get("full"), "full", 1, maxPlaces)
	return q
}

func readBox(f *source.File, e source.Entry) *flow.Box {
	b := &flow.Box{Name: e.Key.Text, Pos: f.Pos(e.Key)}
	if f.Fields(e.Val, "a box", "queue") {
		if q := e.Val.Get("queue"); q == nil {
			f.Fail(e.Val, "missing-key", "write { queue: NAME }", "the box has no `queue`")
		} else {
			b.Queue, _ = f.Text(q, "queue")
		}
	}
	return b
}

// readTargets reads times by kind of task.
func readTargets(f *source.File, n *source.Node, what string) map[tandem.TaskKind]time.Duration {
	var words []string
	kinds := map[string]tandem.TaskKind{}
	for _, k := range flow.TargetKinds() {
		words, kinds[k.Word] = append(words, k.Word), k.Kind
	}
	if n == nil || !f.Fields(n, what, words...) {
		return nil
	}
	out := map[tandem.TaskKind]time.Duration{}
	for _, e := range n.Entries {
		if d, ok := f.Duration(e.Val, "target", time.Second, maxTarget); ok {
			out[kinds[e.Key.Text]] = d
		}
	}
	return out
}
