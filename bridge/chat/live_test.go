package chat

import (
	"errors"
	"sync"
	"testing"
)

// live counts what a Book holds in memory.
func (h *house) live() (n int) {
	for i := range h.book.live {
		s := &h.book.live[i]
		s.mu.Lock()
		n += len(s.subs) + len(s.locks)
		s.mu.Unlock()
	}
	return n
}

func TestSubscribers(t *testing.T) {
	h := newHouse(t)
	var a, b []Frame
	room := 2
	first, err := h.book.Subscribe("one", func(f Frame) bool { a = append(a, f); return true })
	h.must(err)
	_, err = h.book.Subscribe("one", func(f Frame) bool {
		if room--; room < 0 {
			return false
		}
		b = append(b, f)
		return true
	})
	h.must(err)
	other, err := h.book.Subscribe("two", func(Frame) bool { t.Error("a frame of another conversation"); return true })
	h.must(err)
	h.book.Publish("one", Typing{On: true}, &Entry{Rev: 1})
	h.book.Publish("one", &Entry{Rev: 2}) // the second has no room
	h.book.Publish("one", Over{})
	if len(a) != 4 || len(b) != 2 || room != -1 {
		t.Errorf("%d and %d frames came, room %d", len(a), len(b), room)
	}
	first.Close()
	first.Close()
	h.book.Publish("one", Over{})
	if len(a) != 4 {
		t.Error("a frame came after Close")
	}
	other.Close()
	if n := h.live(); n != 0 {
		t.Errorf("%d things are kept of nobody", n)
	}
}

func TestSubscribersAreBounded(t *testing.T) {
	h := newHouse(t)
	var all []*Subscription
	for {
		s, err := h.book.Subscribe("one", func(Frame) bool { return true })
		if err != nil {
			if !errors.Is(err, ErrFull) || len(all) != maxSubscribers {
				t.Fatalf("after %d: %v", len(all), err)
			}
			break
		}
		all = append(all, s)
	}
	for _, s := range all {
		s.Close()
	}
	if n := h.live(); n != 0 {
		t.Errorf("%d things are kept of nobody", n)
	}
}

func TestLockIsOfOneConversation(t *testing.T) {
	h := newHouse(t)
	counts := make([]int, 3)
	ids := []string{"a", "b", "c"}
	var wait sync.WaitGroup
	for i := range 30 {
		wait.Go(func() {
			for range 200 {
				k := i % len(ids)
				unlock := h.book.Lock(convID(ids[k]))
				counts[k]++
				unlock()
			}
		})
	}
	wait.Wait()
	for _, n := range counts {
		if n != 2000 {
			t.Errorf("%v", counts)
		}
	}
	if n := h.live(); n != 0 {
		t.Errorf("%d locks are kept of nobody", n)
	}
	one := h.book.Lock("a")
	h.book.Lock("b")() // does not wait for it
	one()
}
