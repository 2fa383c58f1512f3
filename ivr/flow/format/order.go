package format

import (
	"slices"
	"strings"

	"tandem/ivr/flow/source"
)

// The orders of keys: of a file by a key that only such a file has, and of a step,
// where a verb stands in the place of verbKey.
const verbKey = "VERB"

var (
	stepOrder   = []string{"note", "if", "needs", "max_visits", verbKey, "next"}
	queueOrder  = []string{"teams", "target", "levels", "full", "hours", "max_wait", "prefer_last", "relax", "overflow", "offer_after", "callback", "escalate", "disposition"}
	agentOrder  = []string{"teams", "skills", "capacity"}
	policyOrder = []string{"most_priority", "capacity", "blocks", "offer", "wrap_up", "decline_rest", "misses", "away", "dispositions"}
	replyOrder  = []string{"text", "queues"}
	fileOrders  = [][]string{
		{"flow", "channels", "languages", "start", "on_leave", "on_error", "inputs", "outcomes", "returns", "vars", "defaults", "prompts", "commands", "steps"},
		{"calendar", "time_zone", "weekly", "holidays", "overrides"},
		{"queues", "boxes", "teams", "agents", "policy"},
		{"form", "fields"},
		{"operation", "needs", "steps", "confirm", "result"},
		{"classifier", "rules"},
		{"check", "level", "grants", "queue", "officers", "consent", "steps", "second_officer", "interruption", "record", "keep"},
		{"replies"},
	}
)

// arrange puts the keys of the file and of its steps in order. Comments and blank
// lines travel with their entry; the words at the head of the file stay there.
func (d *document) arrange() {
	d.takeHeader()
	of := map[string]*value{}
	for _, e := range d.root.entries {
		of[e.key.Text] = e.val
	}
	if of["tests"] != nil {
		return // a test reads like a story: its keys stay as written
	}
	for _, order := range fileOrders {
		if slices.ContainsFunc(markOf(order), func(k string) bool { return of[k] != nil }) {
			reorder(d.root, order)
			break
		}
	}
	for key, order := range map[string][]string{"queues": queueOrder, "agents": agentOrder, "replies": replyOrder} {
		if of[key] == nil || of[key].node.Kind != source.Map {
			continue
		}
		for _, e := range of[key].entries {
			if e.val.node.Kind == source.Map {
				reorder(e.val, order)
			}
		}
	}
	if p := of["policy"]; p != nil && p.node.Kind == source.Map {
		reorder(p, policyOrder)
	}
	if of["flow"] == nil || of["steps"] == nil || of["steps"].node.Kind != source.Map {
		return
	}
	for _, step := range of["steps"].entries {
		if step.val.node.Kind == source.Map {
			reorder(step.val, stepOrder)
		}
	}
}

// markOf is the keys that tell the kind of a file.
func markOf(order []string) []string {
	if order[0] == "queues" {
		return order // any of them may stand alone
	}
	return order[:min(2, len(order))]
}

// reorder sorts the entries of a map. A key that the order does not have is a verb
// where the order has a place for one; else it stays behind the key before it.
func reorder(v *value, order []string) {
	rank := map[*entry]int{}
	last := -1
	for _, e := range v.entries {
		at := slices.Index(order, e.key.Text)
		if at < 0 {
			at = slices.Index(order, verbKey)
		}
		if at < 0 {
			at = last
		}
		rank[e], last = at, at
	}
	slices.SortStableFunc(v.entries, func(a, b *entry) int { return rank[a] - rank[b] })
}

// takeHeader parts the words about the whole file from those about its first key: a
// blank line stands between them, or they are meant for an editor.
func (d *document) takeHeader() {
	if len(d.root.entries) == 0 {
		return
	}
	first := d.root.entries[0]
	n := 0
	for n < len(first.head) && strings.HasPrefix(first.head[n].text, "# yaml-language-server:") {
		n++
	}
	for i := n; i < len(first.head); i++ {
		gap := first.blank
		if i+1 < len(first.head) {
			gap = first.head[i+1].blank
		}
		if gap {
			n = i + 1
		}
	}
	if n == 0 {
		return
	}
	d.header, first.head = first.head[:n:n], first.head[n:]
	if len(first.head) > 0 {
		d.gap, first.head[0].blank = first.head[0].blank, false
	} else {
		d.gap, first.blank = first.blank, false
	}
}
