package text

import (
	"container/list"
	"sync"
	"time"

	"tandem"
)

// memory has the states used last. What it returns may be changed by nobody.
type memory struct {
	now func() time.Time

	mu    sync.Mutex
	order *list.List // of *remembered, newest first
	by    map[string]*list.Element
	lane  map[tandem.InteractionID]string // of those at hand
}

type remembered struct {
	key string
	st  *state
	at  time.Time
}

func newMemory(now func() time.Time) *memory {
	return &memory{now: now, order: list.New(), by: map[string]*list.Element{}, lane: map[tandem.InteractionID]string{}}
}

func (m *memory) get(key string) *state {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.by[key]
	if e == nil {
		return nil
	}
	return e.Value.(*remembered).st
}

// where is the lane in which an interaction runs, if that is at hand.
func (m *memory) where(id tandem.InteractionID) (string, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key, ok := m.lane[id]
	return key, ok
}

// put remembers a state in which a session runs, and forgets any other.
func (m *memory) put(st *state) {
	m.mu.Lock()
	defer m.mu.Unlock()
	key, now := st.key(), m.now()
	m.drop(key)
	if st.runs() {
		m.by[key] = m.order.PushFront(&remembered{key, st, now})
		m.lane[st.conv.Interaction] = key
	}
	for e := m.order.Back(); e != nil; e = m.order.Back() {
		r := e.Value.(*remembered)
		if m.order.Len() <= maxAtHand && now.Sub(r.at) < forgetAfter {
			break
		}
		m.drop(r.key)
	}
}

func (m *memory) forget(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.drop(key)
}

// drop removes one. mu is held.
func (m *memory) drop(key string) {
	e := m.by[key]
	if e == nil {
		return
	}
	if id := e.Value.(*remembered).st.conv.Interaction; m.lane[id] == key {
		delete(m.lane, id)
	}
	delete(m.by, key)
	m.order.Remove(e)
}
