package queue

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/route"
)

// View is the line as readers see it: that of the last durable step. Readers wait for each
// other and for the CPU time of a batch, never for the store.
type View struct {
	mu     sync.Mutex
	line   Line
	policy *route.Policy
	of     map[tandem.InteractionID][]tandem.TaskID // not done, oldest first
}

// take applies to the readers' line what has become durable. line is another one than
// before if the line was read again.
func (v *View) take(line Line, p *route.Policy, events []route.Event, facts []Fact) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.line != line {
		v.line, v.of = line, tasksOf(line)
	}
	v.policy = p
	for _, e := range events {
		v.line.Apply(e)
	}
	for _, f := range facts {
		note(v.of, f.Output)
	}
}

// learned is what a line knows that is not stored, and goes on being known when it is read
// again.
func (v *View) learned() ([]route.Rest, map[string]route.Pace) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.line == nil {
		return nil, nil
	}
	s := v.line.Save()
	return s.Rests, s.Paces
}

// tasksOf sorts a line's tasks by their interactions.
func tasksOf(l Line) map[tandem.InteractionID][]tandem.TaskID {
	tasks := l.Tasks("", 0)
	slices.SortFunc(tasks, func(a, b tandem.Task) int { return cmp.Compare(a.ID, b.ID) })
	of := make(map[tandem.InteractionID][]tandem.TaskID, len(tasks))
	for i := range tasks {
		of[tasks[i].Interaction] = append(of[tasks[i].Interaction], tasks[i].ID)
	}
	return of
}

// note keeps a list of tasks by interaction.
func note(of map[tandem.InteractionID][]tandem.TaskID, o route.Output) {
	switch o := o.(type) {
	case route.Placed:
		of[o.Task.Interaction] = append(of[o.Task.Interaction], o.Task.ID)
	case route.TaskOver:
		left := slices.DeleteFunc(of[o.Task.Interaction], func(id tandem.TaskID) bool { return id == o.Task.ID })
		if len(left) == 0 {
			delete(of, o.Task.Interaction)
		} else {
			of[o.Task.Interaction] = left
		}
	}
}

// Place is where a task stands at a time; ok is false if it does not wait.
func (v *View) Place(id tandem.TaskID, now time.Time) (route.Place, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.line.Place(id, now)
}

// Task is a task that is not done.
func (v *View) Task(id tandem.TaskID) (tandem.Task, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.line.Task(id)
}

// Tasks are those of a queue that are not done; see route.Line.
func (v *View) Tasks(queue string, limit int) []tandem.Task {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.line.Tasks(queue, limit)
}

// Of are an interaction's tasks that are not done, oldest first.
func (v *View) Of(in tandem.InteractionID) []tandem.Task {
	v.mu.Lock()
	defer v.mu.Unlock()
	return pick(v.line, v.of[in])
}

func pick(l Line, ids []tandem.TaskID) []tandem.Task {
	out := make([]tandem.Task, 0, len(ids))
	for _, id := range ids {
		if t, ok := l.Task(id); ok {
			out = append(out, t)
		}
	}
	return out
}

// Agent is one agent.
func (v *View) Agent(name string) (route.AgentState, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.line.Agent(name)
}

// Agents are all of them, by name.
func (v *View) Agents() []route.AgentState {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.line.Agents()
}

// Why is why a waiting task waits; see route.Line.
func (v *View) Why(id tandem.TaskID, now time.Time) (tandem.Decision, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.line.Why(id, now)
}

// Policy is the one in use.
func (v *View) Policy() *route.Policy {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.policy
}
