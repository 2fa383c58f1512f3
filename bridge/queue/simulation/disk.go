package simulation

import (
	"context"
	"errors"
	"slices"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/queue/audit"
	"tandem/bridge/route"
	"tandem/store"
)

// fault is what a disk does with the next commit.
type fault int

const (
	well         fault = iota
	refuses            // not written, and says so
	forgetsToSay       // written, and says that it is not
	diesBefore         // the program dies, nothing is written
	diesAfter          // the program dies, all is written
)

// died is the panic of a program that dies in the middle of a commit.
type died struct{}

// disk is the store's model: what is durable, by rows and by journal. It does what
// store/sqlite promises, and fails as it is told.
type disk struct {
	w            *World
	next         fault
	full         bool // every commit is refused
	gone         bool // nothing can be read either
	version      int64
	fence        uint64
	tasks        []tandem.Task // in the order they were opened
	places       map[tandem.TaskID]int
	holds        []audit.BookedHold
	held         map[uint64]int
	since        map[uint64]route.Holding
	agents       []route.AgentState
	interactions map[tandem.InteractionID]*tandem.Interaction
	done         map[string]bool
	seq          map[tandem.InteractionID]uint64
	journal      []tandem.Event
	entered      int // of journal, by the ledger
}

func newDisk(w *World) *disk {
	return &disk{w: w, places: map[tandem.TaskID]int{}, held: map[uint64]int{}, since: map[uint64]route.Holding{},
		interactions: map[tandem.InteractionID]*tandem.Interaction{}, done: map[string]bool{}, seq: map[tandem.InteractionID]uint64{}}
}

var _ queue.Keeper = (*disk)(nil)

var errFull = errors.Join(store.ErrUnavailable, errors.New("disk full"))

// Load reads the line.
func (d *disk) Load(context.Context) (queue.Kept, error) {
	if d.gone {
		return queue.Kept{}, errFull
	}
	k := queue.Kept{Version: d.version, Saved: route.Saved{Fence: d.fence}}
	for i := range d.tasks {
		if d.tasks[i].State != tandem.TaskDone {
			t := d.tasks[i]
			t.Skills = slices.Clone(t.Skills)
			k.Saved.Tasks = append(k.Saved.Tasks, t)
		}
	}
	for _, a := range d.agents {
		a.Holds, a.Has, a.Reachable = nil, map[tandem.Load]int{}, nil
		for i := range d.holds {
			if h := &d.holds[i]; h.Agent == a.Name && h.State != over {
				a.Holds = append(a.Holds, d.since[h.Fence])
				a.Has[h.Load]++
			}
		}
		k.Saved.Agents = append(k.Saved.Agents, a)
	}
	return k, nil
}

// Commit writes all or nothing.
func (d *disk) Commit(_ context.Context, w *queue.Written) error {
	f := d.next
	d.next = well
	if d.full || f == refuses {
		return errFull
	}
	if f == diesBefore {
		panic(died{})
	}
	if w.Rows.Version != d.version && !d.w.is(NoLease) {
		return queue.ErrTaken
	}
	if d.w.is(Liar) && d.w.random.IntN(20) == 0 {
		return nil
	}
	if err := d.fits(w); err != nil {
		return err
	}
	d.write(w)
	d.w.committed()
	switch f {
	case forgetsToSay:
		return errFull
	case diesAfter:
		panic(died{})
	}
	return nil
}

// fits refuses what a change is itself at fault for.
func (d *disk) fits(w *queue.Written) error {
	keys := map[string]bool{}
	made := map[tandem.InteractionID]bool{}
	for _, c := range w.Changes {
		if c.Key != "" && (d.done[c.Key] || keys[c.Key]) {
			return store.ErrDuplicate
		}
		keys[c.Key] = true
		if c.Interaction != nil {
			made[c.Interaction.ID] = true
		}
		for i := range c.Events {
			if in := c.Events[i].Interaction; d.interactions[in] == nil && !made[in] {
				return store.ErrNotFound
			}
		}
		if c.With != nil {
			if err := c.With(nil); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *disk) write(w *queue.Written) {
	for _, c := range w.Changes {
		if c.Key != "" {
			d.done[c.Key] = true
		}
		if c.Interaction != nil {
			in := *c.Interaction
			d.interactions[in.ID] = &in
		}
		for _, e := range c.Events {
			if d.w.is(ForgetsEvent) && e.Kind == tandem.EventTaskReturned {
				continue
			}
			d.seq[e.Interaction]++
			e.Seq = d.seq[e.Interaction]
			d.journal = append(d.journal, e)
		}
		for _, t := range c.Tasks {
			d.putTask(t)
		}
	}
	d.putRows(&w.Rows)
}

func (d *disk) putTask(t tandem.Task) {
	t.Skills = slices.Clone(t.Skills)
	i, known := d.places[t.ID]
	switch {
	case known:
		d.tasks[i] = t
	case d.w.is(ForgetsTask) && d.w.random.IntN(10) == 0:
	default:
		d.places[t.ID], d.tasks = len(d.tasks), append(d.tasks, t)
	}
}

const over = "over"

func (d *disk) putRows(r *queue.Rows) {
	d.version, d.fence = r.Next, r.Fence
	for _, o := range r.Over {
		if i, ok := d.held[o.Fence]; ok {
			d.holds[i].State = over
		}
	}
	for _, h := range r.Holds {
		i, known := d.held[h.Fence]
		if !known {
			if d.w.is(ForgetsHold) && d.w.random.IntN(10) == 0 {
				continue
			}
			i = len(d.holds)
			d.held[h.Fence], d.holds = i, append(d.holds, audit.BookedHold{Fence: h.Fence, Task: h.Task, Agent: h.Agent})
		}
		d.holds[i].Load, d.holds[i].State, d.holds[i].Deadline = h.Load, string(h.State), h.Deadline
		d.since[h.Fence] = h.Holding
	}
	for _, a := range r.Agents {
		i := slices.IndexFunc(d.agents, func(b route.AgentState) bool { return b.Name == a.Name })
		if i < 0 {
			i, d.agents = len(d.agents), append(d.agents, a)
		}
		d.agents[i] = a
	}
}

// books are the rows, as an audit reads them.
func (d *disk) books() *audit.Books {
	b := &audit.Books{Tasks: d.tasks, Holds: d.holds, Fence: d.fence}
	live := map[tandem.InteractionID]tandem.State{}
	var ids []tandem.InteractionID
	for i := range d.tasks {
		t := &d.tasks[i]
		if t.State == tandem.TaskDone {
			continue
		}
		was, known := live[t.Interaction]
		if !known {
			ids = append(ids, t.Interaction)
		}
		if s := stateOf(t.State); rank(s) > rank(was) {
			live[t.Interaction] = s
		}
	}
	for _, id := range ids {
		b.Interactions = append(b.Interactions, tandem.Interaction{ID: id, State: live[id]})
	}
	return b
}

func stateOf(s tandem.TaskState) tandem.State {
	switch s {
	case tandem.TaskOffered:
		return tandem.InOffer
	case tandem.TaskAssigned:
		return tandem.InService
	case tandem.TaskWrapping:
		return tandem.Wrapping
	}
	return tandem.Queued
}

func rank(s tandem.State) int {
	return slices.Index([]tandem.State{"", tandem.Queued, tandem.InOffer, tandem.Wrapping, tandem.InService}, s)
}
