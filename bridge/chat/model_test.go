package chat

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"tandem"
)

// TestAnyClientEndsWithTheSameList has messages and receipts come in any order, and
// clients resume at any time: each of them ends with what the book has.
func TestAnyClientEndsWithTheSameList(t *testing.T) {
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { anyClient(t, rand.New(rand.NewPCG(seed, 1))) })
	}
}

func anyClient(t *testing.T, random *rand.Rand) {
	h := newHouse(t)
	c := h.begin("")
	type client struct {
		rev uint64
		by  map[uint64]Entry // by Seq
	}
	clients := make([]client, 4)
	for i := range clients {
		clients[i].by = map[uint64]Entry{}
	}
	resume := func(k *client, limit int) {
		for {
			some, err := h.book.Since(t.Context(), c.ID, k.rev, limit)
			h.must(err)
			for _, e := range some {
				if e.Rev <= k.rev {
					t.Fatalf("rev %d after %d", e.Rev, k.rev)
				}
				if before, had := k.by[e.Message.Seq]; had && before.State.After(e.State) {
					t.Fatalf("message %d went back from %s to %s", e.Message.Seq, before.State, e.State)
				}
				k.rev, k.by[e.Message.Seq] = e.Rev, e
			}
			if len(some) < limit {
				return
			}
		}
	}
	states := []tandem.MessageState{tandem.MessagePending, tandem.MessageSent, tandem.MessageFailed, tandem.MessageDelivered, tandem.MessageRead}
	for step := range 300 {
		switch n := random.IntN(10); {
		case n < 4:
			from := []tandem.Sender{tandem.SenderCustomer, tandem.SenderFlow, tandem.SenderAgent}[random.IntN(3)]
			h.say(&c, from, fmt.Sprint("text ", step), fmt.Sprint("id-", step))
		case n < 8:
			h.must(h.book.Mark(t.Context(), c.ID, 1+random.Uint64N(c.Seq+1), states[random.IntN(len(states))], ""))
		case n == 8:
			h.must(h.book.MarkTo(t.Context(), c.ID, 1+random.Uint64N(c.Seq+1), states[3+random.IntN(2)]))
		default:
			resume(&clients[random.IntN(len(clients))], 1+random.IntN(5))
		}
	}
	want := h.since(c.ID, 0)
	if last, err := h.book.Find(t.Context(), c.ID); err != nil || last.Rev != want[len(want)-1].Rev || last.Seq != uint64(len(want)) {
		t.Errorf("%+v, %v, and %d messages", last, err, len(want))
	}
	slices.SortFunc(want, func(a, b Entry) int { return int(a.Message.Seq) - int(b.Message.Seq) })
	for i := range clients {
		resume(&clients[i], 7)
		if len(clients[i].by) != len(want) {
			t.Fatalf("client %d has %d of %d messages", i, len(clients[i].by), len(want))
		}
		for n, e := range want {
			if got := clients[i].by[uint64(n+1)]; got.Rev != e.Rev || got.State != e.State || got.Message.Text != e.Message.Text {
				t.Errorf("client %d: message %d is %+v, want %+v", i, n+1, got, e)
			}
		}
	}
}
