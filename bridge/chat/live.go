package chat

import (
	"hash/maphash"
	"slices"
	"sync"

	"tandem"
)

const (
	shards         = 64 // of what is live, so that conversations seldom wait for each other
	maxSubscribers = 32 // of one conversation: tabs, devices, agents
)

// shard is what lives of some conversations. Both maps have only what is in use.
type shard struct {
	mu    sync.Mutex
	subs  map[tandem.ConversationID][]*Subscription
	locks map[tandem.ConversationID]*turn
}

func (b *Book) shard(id tandem.ConversationID) *shard {
	return &b.live[maphash.String(b.seed, string(id))%shards]
}

// Subscription is one who looks on.
type Subscription struct {
	book    *Book
	id      tandem.ConversationID
	deliver func(Frame) bool
}

// Subscribe has deliver called with every frame that is published for a conversation,
// until Close, or until deliver returns false: it has no room, and whoever it works for
// asks again for all after the last Rev it has. deliver must return at once, and must not
// call the Book. More than maxSubscribers are refused with ErrFull.
//
// Frames of one publisher come in their order. Those of several may be swapped: an entry
// may come before one with a lower Rev.
func (b *Book) Subscribe(id tandem.ConversationID, deliver func(Frame) bool) (*Subscription, error) {
	s := b.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.subs[id]) >= maxSubscribers {
		return nil, ErrFull
	}
	if s.subs == nil {
		s.subs = map[tandem.ConversationID][]*Subscription{}
	}
	sub := &Subscription{b, id, deliver}
	s.subs[id] = append(s.subs[id], sub)
	return sub, nil
}

// Close ends it; deliver is not called after Close has returned. A second Close does
// nothing.
func (s *Subscription) Close() {
	shard := s.book.shard(s.id)
	shard.mu.Lock()
	defer shard.mu.Unlock()
	shard.keep(s.id, slices.DeleteFunc(shard.subs[s.id], func(one *Subscription) bool { return one == s }))
}

// keep sets who looks on. mu is held.
func (s *shard) keep(id tandem.ConversationID, subs []*Subscription) {
	if len(subs) == 0 {
		delete(s.subs, id)
		return
	}
	s.subs[id] = subs
}

// Publish gives frames to all who look on. Call it after what they tell is durable.
func (b *Book) Publish(id tandem.ConversationID, frames ...Frame) {
	s := b.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	subs := s.subs[id]
	if len(subs) == 0 {
		return
	}
	s.keep(id, slices.DeleteFunc(subs, func(sub *Subscription) bool {
		for _, f := range frames {
			if !sub.deliver(f) {
				return true
			}
		}
		return false
	}))
}

// watched reports whether anybody looks on.
func (b *Book) watched(id tandem.ConversationID) bool {
	s := b.shard(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.subs[id]) > 0
}

// turn is a conversation's lock while somebody has it or waits for it.
type turn struct {
	mu    sync.Mutex
	users int
}

// Lock takes a conversation's lock, under which messages are added and its flow runs.
// It waits for whoever has it.
func (b *Book) Lock(id tandem.ConversationID) (unlock func()) {
	s := b.shard(id)
	s.mu.Lock()
	t := s.locks[id]
	if t == nil {
		if s.locks == nil {
			s.locks = map[tandem.ConversationID]*turn{}
		}
		t = &turn{}
		s.locks[id] = t
	}
	t.users++
	s.mu.Unlock()
	t.mu.Lock()
	return func() {
		t.mu.Unlock()
		s.mu.Lock()
		defer s.mu.Unlock()
		if t.users--; t.users == 0 {
			delete(s.locks, id)
		}
	}
}
