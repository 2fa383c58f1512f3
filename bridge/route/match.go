package route

import "slices"

// Offers are made as long as there is a pair of a task that waits and an agent who can take
// it. After each event there is none. So a new pair always has something in it that has
// changed, and only what has changed is looked at: it is stirred.

func (l *Line) stirTask(t *task) {
	if !t.stirred {
		t.stirred = true
		l.stirredTasks = append(l.stirredTasks, t)
	}
}

func (l *Line) stirAgent(a *agent) {
	if !a.stirred {
		a.stirred = true
		l.stirredAgents = append(l.stirredAgents, a)
	}
}

func (l *Line) stirClass(d *demand) {
	if !d.stirred {
		d.stirred = true
		l.stirredClasses = append(l.stirredClasses, d)
	}
}

// stirAll has everything looked at.
func (l *Line) stirAll() {
	for _, d := range l.demands {
		if d != nil {
			l.stirClass(d)
		}
	}
	for _, a := range l.names {
		l.stirAgent(a)
	}
}

// stir is one thing that was stirred, with the first task in line that can be offered for
// its sake.
type stir struct {
	task  *task
	agent *agent
	class *demand
	first *task
}

// look finds the first task that can be offered for what was stirred. While offers are
// made it only ever becomes a later one.
func (l *Line) look(s *stir) {
	switch {
	case s.agent != nil:
		s.first = l.firstFor(s.agent)
	case s.class != nil:
		s.first = l.firstOf(s.class)
	case s.task.class != nil && l.takeable(s.task):
		s.first = s.task
	default:
		s.first = nil
	}
}

// match makes every offer that can be made: always of the first task in line that anybody
// can take, to the best of those who can.
func (l *Line) match() {
	if l.drained {
		l.settleStirs()
		return
	}
	for {
		t, a := l.decide()
		if t == nil {
			return
		}
		d := l.record(t)
		l.explain(&d, t, a)
		l.offer(t, a, d)
	}
}

// decide is the next decision: which task is to be offered to whom. It is nil if there is
// none to be made.
func (l *Line) decide() (*task, *agent) {
	l.gather()
	for len(l.stirs) > 0 {
		top := &l.stirs[0]
		was := top.first
		if l.look(top); top.first == was {
			return was, l.best(was)
		}
		if top.first == nil {
			last := len(l.stirs) - 1
			l.stirs[0] = l.stirs[last]
			l.stirs = l.stirs[:last]
		}
		l.sink(0)
	}
	return nil, nil
}

// gather makes a heap of what was stirred, by the first task of each.
func (l *Line) gather() {
	if len(l.stirredTasks)+len(l.stirredAgents)+len(l.stirredClasses) == 0 {
		return
	}
	push := func(s stir) {
		if l.look(&s); s.first != nil {
			l.stirs = append(l.stirs, s)
		}
	}
	for _, t := range l.stirredTasks {
		push(stir{task: t})
	}
	for _, a := range l.stirredAgents {
		push(stir{agent: a})
	}
	for _, d := range l.stirredClasses {
		push(stir{class: d})
	}
	l.settleStirs()
	for i := len(l.stirs)/2 - 1; i >= 0; i-- {
		l.sink(i)
	}
}

// settleStirs notes that all that was stirred has been looked at.
func (l *Line) settleStirs() {
	for _, t := range l.stirredTasks {
		t.stirred = false
	}
	for _, a := range l.stirredAgents {
		a.stirred = false
	}
	for _, d := range l.stirredClasses {
		d.stirred = false
	}
	clear(l.stirredTasks)
	clear(l.stirredAgents)
	clear(l.stirredClasses)
	l.stirredTasks, l.stirredAgents, l.stirredClasses = l.stirredTasks[:0], l.stirredAgents[:0], l.stirredClasses[:0]
}

func (l *Line) sink(i int) {
	for {
		least := i
		for _, child := range [2]int{2*i + 1, 2*i + 2} {
			if child < len(l.stirs) && byLine(l.stirs[child].first, l.stirs[least].first) < 0 {
				least = child
			}
		}
		if least == i {
			return
		}
		l.stirs[i], l.stirs[least] = l.stirs[least], l.stirs[i]
		i = least
	}
}

// firstFor is the first task in line that an agent can take.
func (l *Line) firstFor(a *agent) *task {
	if a.class == nil {
		return nil
	}
	var first *task
	for load := range loads {
		if a.spots[load].not != (notNow{}) {
			continue
		}
		for t := range a.kept[load].All() {
			if !t.in.closed && !t.rested(a.name, l.now) {
				first = sooner(first, t)
				break
			}
		}
		for i := range a.class.can.Both(l.waiting[load]) {
			d := l.demands[i]
			if t, _ := d.tasks.First(); first != nil && byLine(first, t) < 0 {
				continue
			} else if len(t.rests) == 0 {
				first = t
				continue
			}
			for t := range d.tasks.All() {
				if !t.rested(a.name, l.now) {
					first = sooner(first, t)
					break
				}
			}
		}
	}
	return first
}

func sooner(a, b *task) *task {
	if a == nil || byLine(b, a) < 0 {
		return b
	}
	return a
}

// firstOf is the first task of a class that anybody can take.
func (l *Line) firstOf(d *demand) *task {
	if !d.serves() {
		return nil
	}
	for t := range d.tasks.All() {
		if l.takeable(t) {
			return t
		}
		if len(t.rests) == 0 {
			return nil // nobody is free for the whole class
		}
	}
	return nil
}

// takeable reports whether anybody can take a task that has a class.
func (l *Line) takeable(t *task) bool {
	d := t.class
	switch {
	case !d.serves():
		return false
	case t.keeper != nil:
		return t.keeper.spots[d.load].not == notNow{} && !t.rested(t.keeper.name, l.now)
	}
	for i := range d.can.Both(l.ready[d.load]) {
		if l.pick(t, l.supplies[i]) != nil {
			return true
		}
	}
	return false
}

// best is who of those who can take a task takes it: the least loaded, then the longest
// idle, then the first by name.
func (l *Line) best(t *task) *agent {
	if t.keeper != nil {
		return t.keeper
	}
	d := t.class
	order := byChoice[d.load]
	var best *agent
	for i := range d.can.Both(l.ready[d.load]) {
		if a := l.pick(t, l.supplies[i]); a != nil && (best == nil || order(a, best) < 0) {
			best = a
		}
	}
	return best
}

// pick is the best of one class of agents.
func (l *Line) pick(t *task, s *supply) *agent {
	if a, _ := s.ready[t.class.load].First(); len(t.rests) == 0 {
		return a
	}
	for a := range s.ready[t.class.load].All() {
		if !t.rested(a.name, l.now) {
			return a
		}
	}
	return nil
}

// top adds to the best of those who can take a task, in the order of choice, the ones of a
// class, and keeps at most n.
func (l *Line) top(t *task, s *supply, best []*agent, n int) []*agent {
	order := byChoice[t.class.load]
	for a := range s.ready[t.class.load].All() {
		if t.rested(a.name, l.now) {
			continue
		}
		i, _ := slices.BinarySearchFunc(best, a, order)
		if i == n {
			break
		}
		best = slices.Insert(best, i, a)
		best = best[:min(len(best), n)]
	}
	return best
}
