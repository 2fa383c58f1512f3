package phone

import (
	"context"
	"sync"

	"tandem"
	"tandem/store"
)

// books is a Store that notes events and legs.
type books struct {
	mu    sync.Mutex
	keys  map[string]bool
	kinds []tandem.EventKind
	noted []tandem.Event
	legs  map[tandem.LegID]tandem.Leg
	order []tandem.LegID
	down  bool
}

func (b *books) Commit(_ context.Context, c *store.Change) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.down {
		return store.ErrUnavailable
	}
	if c.Key != "" && b.keys[c.Key] {
		return store.ErrDuplicate
	}
	b.keys[c.Key] = true
	b.take(c)
	return nil
}

func (b *books) Settle(c *store.Change) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.take(c)
}

func (b *books) Note(e tandem.Event) { b.Settle(&store.Change{Events: []tandem.Event{e}}) }

func (b *books) take(c *store.Change) {
	for _, e := range c.Events {
		b.kinds, b.noted = append(b.kinds, e.Kind), append(b.noted, e)
	}
	for _, l := range c.Legs {
		if _, known := b.legs[l.ID]; !known {
			b.order = append(b.order, l.ID)
		}
		b.legs[l.ID] = l
	}
}

// all are the legs in the order in which they began.
func (b *books) all() (legs []tandem.Leg) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range b.order {
		legs = append(legs, b.legs[id])
	}
	return legs
}

func (b *books) has(key string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.keys[key]
}

func (b *books) events() []tandem.Event {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]tandem.Event(nil), b.noted...)
}
