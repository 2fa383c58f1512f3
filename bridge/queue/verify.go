package queue

import (
	"context"
	"fmt"
	"reflect"
	"slices"

	"tandem"
	"tandem/bridge/route"
)

// verify holds the line against its invariants and against what is stored.
func (r *Router) verify(ctx context.Context) {
	defer func() {
		if p := recover(); p != nil {
			r.panicked("looking at the line", p)
		}
	}()
	for _, finding := range r.core.Verify(ctx) {
		r.o.Log.Error("an invariant of the line is broken", "finding", finding)
		if r.o.Broken != nil {
			r.o.Broken(finding)
		}
	}
}

// Verify holds the line, the readers' line and the store against each other and against
// their invariants, a sentence for each thing that is wrong. A line that is to be read
// again, or a store that cannot be read now, is no finding.
func (c *Core) Verify(ctx context.Context) (findings []string) {
	if c.line == nil || c.taken {
		return nil
	}
	findings = append(findings, c.line.Check()...)
	k, err := c.o.Keeper.Load(ctx)
	if err != nil || k.Version>>termBits != c.kept.version>>termBits {
		return findings
	}
	if k.Version != c.kept.version || k.Saved.Fence != c.kept.fence {
		findings = append(findings, fmt.Sprintf("the store is at version %d with fence %d, the line at %d with %d", k.Version, k.Saved.Fence, c.kept.version, c.kept.fence))
	}
	c.view.mu.Lock()
	defer c.view.mu.Unlock()
	for _, other := range []struct {
		what   string
		tasks  []tandem.Task
		agents []route.AgentState
	}{{"the store", k.Saved.Tasks, k.Saved.Agents}, {"the readers' line", c.view.line.Tasks("", 0), c.view.line.Agents()}} {
		findings = append(findings, differTasks(other.what, c.line.Tasks("", 0), other.tasks)...)
		findings = append(findings, differHolds(other.what, c.line.Agents(), other.agents)...)
	}
	return findings
}

// differTasks says which tasks of a line are not the same elsewhere.
func differTasks(what string, line, other []tandem.Task) (findings []string) {
	there := make(map[tandem.TaskID]*tandem.Task, len(other))
	for i := range other {
		there[other[i].ID] = &other[i]
	}
	for i := range line {
		t := &line[i]
		switch o := there[t.ID]; {
		case o == nil:
			findings = append(findings, fmt.Sprintf("task %s is in the line and not in %s", t.ID, what))
		case !sameTask(t, o):
			findings = append(findings, fmt.Sprintf("task %s is %+v in the line and %+v in %s", t.ID, *t, *o, what))
		}
		delete(there, t.ID)
	}
	for i := range other {
		if there[other[i].ID] != nil {
			findings = append(findings, fmt.Sprintf("task %s is in %s and not in the line", other[i].ID, what))
		}
	}
	return findings
}

// sameTask compares two tasks; times are the same if they are the same instants.
func sameTask(a, b *tandem.Task) bool {
	x, y := *a, *b
	if len(x.Skills) == 0 && len(y.Skills) == 0 {
		x.Skills, y.Skills = nil, nil
	}
	p, q := reflect.ValueOf(&x).Elem(), reflect.ValueOf(&y).Elem()
	for i := range p.NumField() {
		if t, ok := p.Field(i).Interface().(interface{ UnixNano() int64 }); ok {
			u := q.Field(i).Interface().(interface{ UnixNano() int64 })
			if t.UnixNano() != u.UnixNano() {
				return false
			}
			continue
		}
		if !reflect.DeepEqual(p.Field(i).Interface(), q.Field(i).Interface()) {
			return false
		}
	}
	return true
}

// differHolds says which holds of a line are not the same elsewhere.
func differHolds(what string, line, other []route.AgentState) (findings []string) {
	type place struct {
		agent    string
		task     tandem.TaskID
		state    tandem.TaskState
		deadline int64
	}
	list := func(agents []route.AgentState) map[uint64]place {
		holds := map[uint64]place{}
		for i := range agents {
			for _, h := range agents[i].Holds {
				p := place{agents[i].Name, h.Task, h.State, 0}
				if !h.Deadline.IsZero() {
					p.deadline = h.Deadline.UnixNano()
				}
				holds[h.Fence] = p
			}
		}
		return holds
	}
	here, there := list(line), list(other)
	for fence, p := range here {
		if q, ok := there[fence]; !ok {
			findings = append(findings, fmt.Sprintf("hold %d of %s on task %s is in the line and not in %s", fence, p.agent, p.task, what))
		} else if p != q {
			findings = append(findings, fmt.Sprintf("hold %d is %+v in the line and %+v in %s", fence, p, q, what))
		}
		delete(there, fence)
	}
	for fence, p := range there {
		findings = append(findings, fmt.Sprintf("hold %d of %s on task %s is in %s and not in the line", fence, p.agent, p.task, what))
	}
	slices.Sort(findings)
	return findings
}
