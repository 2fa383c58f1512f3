package read

import (
	"slices"
	"strings"

	"tandem/ivr/flow"
)

// refuse reports in the flows that entries lead to, and in all that these call, what
// this server does not carry out.
func (r *reading) refuse() {
	if r.o.Carried == nil {
		return
	}
	seen := map[string]bool{}
	for todo := slices.Clone(r.o.Needed); len(todo) > 0; todo = todo[1:] {
		ff := r.Flows[todo[0]]
		if ff == nil || seen[todo[0]] {
			continue
		}
		seen[todo[0]] = true
		for _, name := range ff.Flow.Order {
			s := ff.Checked.Steps[name]
			if s.Verb == nil {
				continue
			}
			todo = append(todo, called(s.Verb)...)
			if !slices.Contains(r.o.Carried, s.Verb.Verb()) {
				ff.Fail(s.At("verb"), "unsupported-verb", "lead the entry to another flow till then, or take the step out", "step `%s` uses `%s`, which this server does not carry out yet", name, s.Verb.Verb())
			} else if to := transfersTo(s.Verb); to != "" && !slices.Contains(r.o.Carried, "transfer "+to) {
				ff.Fail(s.At("verb"), "unsupported-verb", "transfer to sip: or tel: till then", "step `%s` transfers to `%s:`, which this server does not carry out yet", name, to)
			}
		}
	}
}

// called is the flows that a verb may start.
func called(v flow.Verb) []string {
	switch v := v.(type) {
	case *flow.Subflow:
		return []string{v.Name}
	case *flow.QueueStep:
		if v.During != "" {
			return []string{v.During}
		}
	}
	return nil
}

// transfersTo is agent or queue where a transfer's address says so.
func transfersTo(v flow.Verb) string {
	t, ok := v.(*flow.Transfer)
	if !ok || t.To == nil {
		return ""
	}
	for _, to := range []string{"agent", "queue"} {
		if segments := t.To.Segments(); len(segments) > 0 && strings.HasPrefix(segments[0], to+":") {
			return to
		}
	}
	return ""
}

// Uncarried says in words what of a step's verb a server does not carry out that carries
// out what is listed (see Options.Carried), as "uses `link`"; "" = it carries out all of it.
func Uncarried(v flow.Verb, carried []string) string {
	if carried == nil || v == nil {
		return ""
	}
	if !slices.Contains(carried, v.Verb()) {
		return "uses `" + v.Verb() + "`"
	}
	if to := transfersTo(v); to != "" && !slices.Contains(carried, "transfer "+to) {
		return "transfers to `" + to + ":`"
	}
	return ""
}
