package chat

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"tandem"
)

const ownMessages = 30 // and as many answers, and a welcome: 61

// talk has a client say its messages and checks that both sides have the same list:
// nothing lost, doubled or out of order. It returns how many frames there were.
func talk(h *house, name string, cut func(sending bool, n int) (before, after bool)) (frames int) {
	c := newWidget(h)
	c.cut = cut
	if err := c.talk(name); err != nil {
		h.Errorf("%s: %v", name, err)
		return 0
	}
	c.compare(name, h)
	return c.frames
}

// talk says ownMessages and waits for all answers.
func (c *widget) talk(name string) error {
	for n := range ownMessages {
		c.outbox = append(c.outbox, message{ID: fmt.Sprintf("%s-%d", name, n), Text: fmt.Sprint("message ", n)})
	}
	return c.run(2*ownMessages + 1)
}

// compare holds what a client has after its talk against what a server has.
func (c *widget) compare(name string, h *house) {
	theirs, ours := c.list(), h.list(c.id)
	if all := 2*ownMessages + 1; len(theirs) != all || len(ours) != all {
		h.Errorf("%s: the client has %d messages, the server %d, want %d", name, len(theirs), len(ours), all)
		return
	}
	own := 0
	for i := range ours {
		want, got := messageOf(&ours[i]), theirs[i]
		if got.Seq != uint64(i+1) || got.Rev != want.Rev || got.State != want.State || got.Text != want.Text || got.ID != want.ID {
			h.Errorf("%s: message %d is %+v at the client, %+v at the server", name, i+1, got, want)
		}
		text := "welcome"
		switch {
		case i > 0 && want.From == tandem.SenderCustomer:
			text = fmt.Sprint("message ", own)
			own++
		case i > 0:
			text = fmt.Sprint("re: message ", own-1)
		}
		if want.Text != text {
			h.Errorf("%s: message %d is %q, want %q", name, i+1, want.Text, text)
		}
	}
}

// TestCutAtEveryFrame cuts the line once at every frame of a talk, in each of four ways:
// a frame from the client that never leaves, or leaves just before; a frame to the client
// that is lost, or is the last to come.
func TestCutAtEveryFrame(t *testing.T) {
	h := newHouse(t, nil)
	frames := talk(h, "whole", nil)
	if frames < 2*ownMessages {
		t.Fatalf("a whole talk had %d frames", frames)
	}
	step := 1
	if testing.Short() {
		step = 10
	}
	var wait sync.WaitGroup
	indices := make(chan int)
	var cuts atomic.Int64
	for range 8 {
		wait.Go(func() {
			for at := range indices {
				for way := range 2 {
					done := false
					talk(h, fmt.Sprintf("at-%d-%d", at, way), func(_ bool, n int) (before, after bool) {
						if n < at || done {
							return false, false
						}
						done = true
						cuts.Add(1)
						return way == 0, way == 1
					})
				}
			}
		})
	}
	for at := 1; at <= frames; at += step {
		indices <- at
	}
	close(indices)
	wait.Wait()
	t.Logf("a talk has %d frames; %d cuts", frames, cuts.Load())
}

// TestCutAgainAndAgain cuts the line every few frames.
func TestCutAgainAndAgain(t *testing.T) {
	h := newHouse(t, nil)
	var wait sync.WaitGroup
	for seed := range uint64(8) {
		wait.Go(func() {
			random := rand.New(rand.NewPCG(seed, 2))
			left := 0
			talk(h, fmt.Sprint("seed-", seed), func(bool, int) (before, after bool) {
				if left--; left > 0 {
					return false, false
				}
				left = 4 + random.IntN(20)
				return random.IntN(2) == 0, true
			})
		})
	}
	wait.Wait()
}
