// Package room joins the legs of an interaction so that they hear and see each other. It
// decides purely who hears whom (Hear) and who sees whom (See), by the roles they have, and
// has media do it: packets pass straight while two talk, a mixer joins a third; pictures are
// forwarded. It runs no goroutine; the media engine moves the packets. It knows nothing of
// who may have which role: whoever fills it does.
package room

import (
	"errors"
	"fmt"
	"sync"

	"tandem/media"
)

// musicID names hold music among a stream's items; prompts number upwards from 1.
const musicID = 1 << 31

// Pair is two legs that hear each other. While one holds, the other hears music.
type Pair struct {
	music []*media.Clip

	mu    sync.Mutex
	legs  [2]*media.Stream
	held  [2]bool
	part  func() // nil while not joined
	ended bool
}

// NewPair joins a and b. Music is looped to a leg whose partner holds.
func NewPair(a, b *media.Stream, music []*media.Clip) (*Pair, error) {
	p := &Pair{legs: [2]*media.Stream{a, b}, music: music}
	if err := p.join(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *Pair) join() error {
	part, err := media.Join(p.legs[0], p.legs[1])
	if err != nil {
		return fmt.Errorf("joining two legs: %w", err)
	}
	p.part = part
	return nil
}

// Hold says that the party on leg began or ended holding the other.
func (p *Pair) Hold(leg *media.Stream, on bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	side := 0
	if leg == p.legs[1] {
		side = 1
	}
	if p.ended || p.held[side] == on {
		return nil
	}
	p.held[side] = on
	if p.part != nil {
		p.part()
		p.part = nil
	}
	var errs []error
	for i, s := range p.legs {
		s.Stop(musicID)
		if p.held[1-i] && !p.held[i] && len(p.music) > 0 {
			errs = append(errs, s.Play(media.Item{ID: musicID, Clips: p.music, Loop: true}))
		}
	}
	if !p.held[0] && !p.held[1] {
		errs = append(errs, p.join())
	}
	return errors.Join(errs...)
}

// Part ends the pair; the legs go on by themselves. It may be called twice.
func (p *Pair) Part() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	p.ended = true
	if p.part != nil {
		p.part()
	}
	for _, s := range p.legs {
		s.Stop(musicID)
	}
}
