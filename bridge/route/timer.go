package route

import "time"

// timer is when something has to be looked at again: a task, or an agent's wrap-up.
type timer struct {
	at    int64 // as of nanos
	pos   int   // in the heap, from 1; 0 = not in
	id    string
	fence uint64
	task  *task
	hold  *hold
	agent *agent // of hold
}

// timers is a heap: the next one is first. Which of two at the same time comes first is
// fixed, so that the same events give the same outputs in the same order.
type timers []*timer

func (a *timer) before(b *timer) bool {
	switch {
	case a.at != b.at:
		return a.at < b.at
	case a.id != b.id:
		return a.id < b.id
	}
	return a.fence < b.fence
}

// set has t come at a time; noTime takes it out.
func (h *timers) set(t *timer, at int64) {
	switch {
	case t.pos == 0 && at == noTime:
		return
	case t.pos == 0:
		t.at = at
		*h = append(*h, t)
		t.pos = len(*h)
		h.up(t.pos)
	case at == noTime:
		h.out(t)
	case at != t.at:
		t.at = at
		h.up(t.pos)
		h.down(t.pos)
	}
}

func (h *timers) out(t *timer) {
	i, last := t.pos, len(*h)
	h.swap(i, last)
	*h = (*h)[:last-1]
	t.pos = 0
	if i < last {
		h.up(i)
		h.down(i)
	}
}

func (h timers) swap(i, j int) {
	h[i-1], h[j-1] = h[j-1], h[i-1]
	h[i-1].pos, h[j-1].pos = i, j
}

func (h timers) up(i int) {
	for i > 1 && h[i-1].before(h[i/2-1]) {
		h.swap(i, i/2)
		i /= 2
	}
}

func (h timers) down(i int) {
	for {
		least := i
		for _, child := range [2]int{2 * i, 2*i + 1} {
			if child <= len(h) && h[child-1].before(h[least-1]) {
				least = child
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}

// noTime is when nothing is to happen, and the zero time in order.
const noTime = int64(-1 << 63)

// nanos is a time as a number: times are compared by it, and kept in order.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return noTime
	}
	return t.UnixNano()
}
