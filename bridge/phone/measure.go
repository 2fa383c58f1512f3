package phone

import (
	"context"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"tandem"
)

const (
	// defaultEvery is about how long a phone is not asked whether it is there.
	defaultEvery = 20 * time.Second
	// askTime is how long it has to answer: enough for three repetitions.
	askTime = 5 * time.Second
	// askAtOnce bounds the questions under way: those to phones that are off all take
	// askTime.
	askAtOnce = 64
	// misses is how many questions in a row a phone may leave without an answer.
	misses = 2
)

// measure asks each phone in turn whether it is there, so that each is asked about every
// Options.Every, and tells the line what it finds, until ctx ends. At first all are asked
// without a pause.
func (s *Switchboard) measure(ctx context.Context) {
	agents := slices.Sorted(maps.Keys(s.o.Phones))
	if len(agents) == 0 {
		<-ctx.Done()
		return
	}
	room := make(chan struct{}, askAtOnce)
	var asking sync.WaitGroup
	defer asking.Wait()
	for first := true; ; first = false {
		for _, agent := range agents {
			pause := s.pause(len(agents))
			if first {
				pause = 0
			}
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return
			}
			select {
			case room <- struct{}{}:
			case <-ctx.Done():
				return
			}
			asking.Go(func() {
				defer func() {
					if p := recover(); p != nil {
						s.o.Panicked(p)
					}
					<-room
				}()
				s.ask(ctx, agent)
			})
		}
	}
}

// pause is how long to wait before the next of n phones is asked: the share of one in
// Every, between 3/4 and 3/2 of it.
func (s *Switchboard) pause(n int) time.Duration {
	var b [1]byte
	_, _ = io.ReadFull(s.o.Random, b[:]) // crypto/rand does not fail
	share := s.o.Every / time.Duration(n)
	return share*3/4 + share*3/4*time.Duration(b[0])/256
}

// ask asks one phone. One behind a trunk cannot be asked: it counts as there until a call
// to it fails.
func (s *Switchboard) ask(ctx context.Context, agent string) {
	phone := s.o.Phones[agent]
	if strings.HasPrefix(phone, "tel:") {
		s.finds(agent, true)
		return
	}
	once, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	code, err := s.o.Dialer.Ping(once, phone)
	if ctx.Err() == nil {
		s.finds(agent, err == nil && There(code))
	}
}

// There reports whether an answer to OPTIONS tells that a phone could ring. The answer is
// that which an INVITE would get (RFC 3261 section 11.2), so a phone that is busy is there,
// and one that a proxy does not know is not.
func There(code int) bool {
	switch code {
	case 404, 408, 410, 480, 604:
		return false
	}
	return true
}

// finds takes what a question has shown.
func (s *Switchboard) finds(agent string, there bool) {
	s.mu.Lock()
	if there {
		s.misses[agent] = 0
	} else {
		s.misses[agent]++
	}
	known := there || s.misses[agent] >= misses
	if known {
		s.found[agent] = there
	}
	seated := s.seated[agent]
	s.mu.Unlock()
	if known {
		s.o.Router.Reachable(agent, tandem.LoadVoice, there || seated)
	}
}

// gone takes it that an agent's device has failed in a call: they are out of reach until
// their phone answers again, or their seat is told to be there.
func (s *Switchboard) gone(agent string) {
	_, seated := s.seat(agent)
	s.mu.Lock()
	s.misses[agent] = misses
	s.found[agent] = false
	s.seated[agent] = seated
	s.mu.Unlock()
	s.o.Router.Reachable(agent, tandem.LoadVoice, seated)
}
