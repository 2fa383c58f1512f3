package read

import (
	"maps"
	"slices"
	"time"

	"tandem/ivr/flow"
	"tandem/ivr/flow/source"
)

func (r *reading) readQueues(f *document) {
	f.Fields(f.Root, "a queues file", "queues", "boxes")
	if n := f.Root.Get("queues"); n != nil && f.AnyFields(n, "queues", "write { cards: {} }") {
		for _, e := range n.Entries {
			if !f.GoodName(e.Key, "a queue's name") || !free(f, e.Key, "queue", r.queues) {
				continue
			}
			r.queues[e.Key.Text] = &named[flow.Queue]{&flow.Queue{Name: e.Key.Text, Pos: f.Pos(e.Key)}, f}
			f.readQueue(e.Val)
		}
	}
	if n := f.Root.Get("boxes"); n != nil && f.AnyFields(n, "boxes", "write { cards: { queue: cards } }") {
		for _, e := range n.Entries {
			if !f.GoodName(e.Key, "a box's name") || !free(f, e.Key, "box", r.boxes) {
				continue
			}
			b := &flow.Box{Name: e.Key.Text, Pos: f.Pos(e.Key)}
			r.boxes[e.Key.Text] = &named[flow.Box]{b, f}
			if f.Fields(e.Val, "a box", "queue") {
				if q := e.Val.Get("queue"); q == nil {
					f.Fail(e.Val, "missing-key", "write { queue: NAME }", "the box has no `queue`")
				} else {
					b.Queue, _ = f.Text(q, "queue")
				}
			}
		}
	}
}

// readQueue looks at what routing will use; only the name is kept now.
func (f *document) readQueue(n *source.Node) {
	if n.Kind == source.Null || !f.Fields(n, "a queue", "teams", "target", "full") {
		return
	}
	for _, item := range f.List(n.Get("teams"), "teams") {
		f.Name(item, "a team")
	}
	if t := n.Get("target"); t != nil && f.Fields(t, "target", channels...) {
		for _, e := range t.Entries {
			f.Duration(e.Val, "target", time.Second, 7*24*time.Hour)
		}
	}
	f.Count(n.Get("full"), "full", 1, 1_000_000)
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
			n := b.file.Root.Get("boxes").Get(name).Get("queue")
			b.file.Fail(n, "unknown-queue", source.DidYouMean(b.value.Queue, slices.Sorted(maps.Keys(r.queues))), "there is no queue `%s`", b.value.Queue)
			continue
		}
		if q.file != b.file {
			b.file.uses[q.file.Base] = true
		}
	}
}
