package text

import (
	"container/heap"
	"sync"
	"time"

	"tandem"
)

// timers have what is due some day: the waits of sessions, and turns that failed and are
// tried again.
type timers struct {
	wake chan struct{} // told when the next one changes

	mu    sync.Mutex
	heap  dueHeap
	waits map[tandem.InteractionID]*due
	again int // those that are no waits
}

// due is one of them.
type due struct {
	at time.Time
	id tandem.InteractionID // whose wait this is
	no int                  // place in the heap
	j  *job                 // to be tried again; nil = it is a wait
}

func (t *timers) init() {
	t.wake = make(chan struct{}, 1)
	t.waits = map[tandem.InteractionID]*due{}
}

// set has the session of an interaction looked at when its wait is over; zero = never.
func (t *timers) set(id tandem.InteractionID, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	have := t.waits[id]
	switch {
	case have == nil && at.IsZero():
		return
	case have == nil:
		have = &due{at: at, id: id}
		t.waits[id] = have
		heap.Push(&t.heap, have)
	case at.IsZero():
		heap.Remove(&t.heap, have.no)
		delete(t.waits, id)
		return
	default:
		have.at = at
		heap.Fix(&t.heap, have.no)
	}
	if have.no == 0 {
		t.tell()
	}
}

// retry has a job done later; false = there are too many of them.
func (t *timers) retry(j job, at time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.again >= maxRetries {
		return false
	}
	t.again++
	d := &due{at: at, j: &j}
	heap.Push(&t.heap, d)
	if d.no == 0 {
		t.tell()
	}
	return true
}

func (t *timers) tell() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// next takes one that is due; else it says when the next one is, zero = never.
func (t *timers) next(now time.Time) (j job, ok bool, at time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.heap) == 0 {
		return j, false, at
	}
	d := t.heap[0]
	if d.at.After(now) {
		return j, false, d.at
	}
	heap.Pop(&t.heap)
	if d.j == nil {
		delete(t.waits, d.id)
		return job{interaction: d.id, kind: jobTimer}, true, at
	}
	t.again--
	return *d.j, true, at
}

// dueHeap is ordered by time.
type dueHeap []*due

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(i, j int) bool { return h[i].at.Before(h[j].at) }
func (h dueHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i]; h[i].no, h[j].no = i, j }
func (h *dueHeap) Push(x any)        { d := x.(*due); d.no = len(*h); *h = append(*h, d) }
func (h *dueHeap) Pop() any {
	old := *h
	last := len(old) - 1
	d := old[last]
	old[last] = nil
	*h = old[:last]
	return d
}
