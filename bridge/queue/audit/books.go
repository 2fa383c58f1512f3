package audit

import (
	"fmt"
	"slices"
	"time"

	"tandem"
)

// Books are the rows that a line is stored as.
type Books struct {
	Tasks        []tandem.Task // done ones too
	Holds        []BookedHold
	Interactions []tandem.Interaction // those with a task that is not done, or in a state that says so
	Fence        uint64
}

// BookedHold is a row of who holds what, or held it.
type BookedHold struct {
	Fence    uint64
	Task     tandem.TaskID
	Agent    string
	Load     tandem.Load
	State    string // offered, assigned, wrapping, over
	Deadline time.Time
}

const holdOver = "over"

// Compare holds the rows against what the journal says, up to the same event.
func (l *Ledger) Compare(b *Books) {
	rows := make(map[tandem.TaskID]*tandem.Task, len(b.Tasks))
	for i := range b.Tasks {
		t := &b.Tasks[i]
		rows[t.ID] = t
		l.compareTask(t)
	}
	var lost []tandem.TaskID
	for id := range l.tasks {
		if rows[id] == nil {
			lost = append(lost, id)
		}
	}
	for _, id := range slices.Sorted(slices.Values(lost)) {
		l.wrong("task %s is in the journal and not among the tasks: it is lost", id)
	}
	l.compareHolds(b, rows)
	l.compareInteractions(b)
	if b.Fence < l.fence {
		l.wrong("the newest number of an offer is stored as %d, the journal has %d", b.Fence, l.fence)
	}
}

func sorted[K ~string, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func (l *Ledger) compareTask(t *tandem.Task) {
	e := l.tasks[t.ID]
	if l.erased[t.Interaction] {
		return
	}
	if e == nil {
		l.wrong("task %s is there, and no event says so", t.ID)
		return
	}
	differs := func(what string, row, journal any) {
		l.wrong("the %s of task %s is %v, by the journal it is %v", what, t.ID, row, journal)
	}
	if t.State != e.State {
		differs("state", t.State, e.State)
	}
	if t.Interaction != e.Interaction {
		differs("interaction", t.Interaction, e.Interaction)
	}
	if e.old {
		return
	}
	if t.Kind != e.Kind {
		differs("kind", t.Kind, e.Kind)
	}
	if t.Queue != e.Queue {
		differs("queue", t.Queue, e.Queue)
	}
	if !t.Arrived.Equal(e.Arrived) {
		differs("arrival", stampOf(t.Arrived), stampOf(e.Arrived))
	}
	if !t.Due.Equal(e.Due) {
		differs("due time", stampOf(t.Due), stampOf(e.Due))
	}
	if (t.State == tandem.TaskOffered || t.State == tandem.TaskAssigned) && (t.Agent != e.Agent || t.Fence != e.Fence) {
		differs("agent and number", fmt.Sprint(t.Agent, " ", t.Fence), fmt.Sprint(e.Agent, " ", e.Fence))
	}
	if t.State == tandem.TaskOffered && !t.Deadline.Equal(e.Deadline) {
		differs("deadline", stampOf(t.Deadline), stampOf(e.Deadline))
	}
	if t.State == tandem.TaskDone && t.Outcome != e.Outcome {
		differs("outcome", t.Outcome, e.Outcome)
	}
}

// compareHolds looks that each offer, assignment and wrap-up has its row and no row is
// without, and that nobody has more than they may.
func (l *Ledger) compareHolds(b *Books, rows map[tandem.TaskID]*tandem.Task) {
	booked := make(map[uint64]*BookedHold, len(b.Holds))
	has, firm := map[agentLoad]int{}, map[agentLoad]int{}
	wrapping := map[tandem.TaskID]bool{}
	for i := range b.Holds {
		h := &b.Holds[i]
		booked[h.Fence] = h
		if t := rows[h.Task]; t != nil && l.erased[t.Interaction] {
			continue
		}
		l.compareHold(h)
		if h.State == holdOver {
			continue
		}
		k := agentLoad{h.Agent, h.Load}
		has[k]++
		if h.State != string(tandem.TaskOffered) {
			firm[k]++
		}
		if h.State == string(tandem.TaskWrapping) {
			wrapping[h.Task] = true
		}
	}
	for fence, h := range l.holds {
		row := booked[fence]
		if (h.state == tandem.TaskOffered || h.state == tandem.TaskAssigned) && (row == nil || row.State != string(h.state)) {
			l.wrong("%s has task %s with number %d %s, and no row says so", h.agent, h.task, fence, h.state)
		}
	}
	for id, t := range rows {
		if t.State == tandem.TaskWrapping && !wrapping[id] && !l.erased[t.Interaction] {
			l.wrong("task %s is wrapping and nobody writes it up", id)
		}
	}
	for k, n := range has {
		most, known := l.capacity(k.agent, k.load)
		switch {
		case !known || n <= most:
		case firm[k] == n: // a policy with less room lets them finish what they have
			l.unsure("%s has %d of %s and may have %d", k.agent, n, k.load, most)
		default:
			l.wrong("%s has %d of %s, offers among them, and may have %d", k.agent, n, k.load, most)
		}
	}
}

func (l *Ledger) compareHold(h *BookedHold) {
	e := l.holds[h.Fence]
	if e == nil {
		l.wrong("%s holds task %s with number %d, and no event says so", h.Agent, h.Task, h.Fence)
		return
	}
	if e.task != h.Task || e.agent != h.Agent {
		l.wrong("number %d is %s's of task %s, by the journal it is %s's of task %s", h.Fence, h.Agent, h.Task, e.agent, e.task)
	}
	fits := h.State == string(e.state)
	if h.State == holdOver { // what is released is wrapped up or over
		fits = e.state == tandem.TaskDone || e.state == tandem.TaskWrapping || e.state == Returned
	}
	if !fits {
		l.wrong("%s's hold %d on task %s is %s, by the journal it is %s", h.Agent, h.Fence, h.Task, h.State, e.state)
	}
}

// compareInteractions looks that each interaction is in the one state that its tasks say.
func (l *Ledger) compareInteractions(b *Books) {
	seen := map[tandem.InteractionID]bool{}
	for i := range b.Interactions {
		in := &b.Interactions[i]
		seen[in.ID] = true
		if l.erased[in.ID] {
			continue
		}
		want := stateBy(l.of[in.ID])
		switch {
		case want == "" && (in.State == tandem.Open || in.State == tandem.Closed):
		case want != in.State:
			l.wrong("interaction %s is %s, by its tasks it is %s", in.ID, in.State, cmpOr(string(want), "open or closed"))
		}
	}
	for id := range l.of {
		if !seen[id] {
			l.wrong("interaction %s has tasks that are not done, and its state does not say so", id)
		}
	}
}

func cmpOr(a, b string) string {
	if a == "" {
		return b
	}
	return a
}

// stateBy is the state of an interaction by its live tasks: what has come furthest.
func stateBy(tasks []*entry) tandem.State {
	state, rank := tandem.State(""), 0
	for _, t := range tasks {
		for i, s := range []struct {
			task tandem.TaskState
			is   tandem.State
		}{{tandem.TaskWaiting, tandem.Queued}, {tandem.TaskOffered, tandem.InOffer}, {tandem.TaskWrapping, tandem.Wrapping}, {tandem.TaskAssigned, tandem.InService}} {
			if t.State == s.task && i+1 > rank {
				state, rank = s.is, i+1
			}
		}
	}
	return state
}

// Queues are the figures of each queue, by name.
func (l *Ledger) Queues() []Figures {
	for _, t := range l.tasks {
		f := l.figures(t.Queue)
		switch t.State {
		case tandem.TaskWaiting, tandem.TaskOffered:
			f.Waiting++
		case tandem.TaskAssigned, tandem.TaskWrapping:
			f.Assigned++
		}
	}
	out := make([]Figures, 0, len(l.queues))
	for _, name := range sorted(l.queues) {
		f := *l.queues[name]
		if slices.Sort(f.waits); len(f.waits) > 0 {
			f.Median, f.Longest = f.waits[(len(f.waits)-1)/2], f.waits[len(f.waits)-1]
		}
		out = append(out, f)
	}
	return out
}
