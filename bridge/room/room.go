package room

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"tandem/media"
	"tandem/media/video"
)

// Party is one leg in a room.
type Party struct {
	Part
	Stream  *media.Stream
	Leg     string        // its id; "" = it neither shows nor sees
	Camera  *video.Source // nil = none
	Display *video.Source // its screen, shown to others; nil = none
	Eyes    Eyes          // nil = it sees nothing
}

// Eyes is where a party sees the others. Show tells the whole of what it is to see from now
// on, in an order that is stable: screens, then customers, agents, specialists. It is told
// when that has changed, and must neither wait nor call the room. Its values are comparable.
type Eyes interface{ Show(shown []video.Shown) }

// Room joins any number of legs, each in its role, so that they hear and see each other. While exactly two talk and nobody
// whispers their packets pass straight, whoever listens; else a mixer gives each what they
// are to hear. Its methods may be called from any goroutine.
type Room struct {
	engine *media.Engine
	music  []*media.Clip

	mu     sync.Mutex
	closed bool
	pair   [2]*media.Stream
	part   func() // of pair; nil = nobody is joined directly
	mix    *media.Mix
	held   []*media.Stream // who hears music
	sights map[Eyes][]video.Shown
}

// New makes an empty room. Music is looped to who is held.
func New(e *media.Engine, music []*media.Clip) *Room { return &Room{engine: e, music: music} }

// Set makes these the parties, the whole at once: what each hears follows from Hear, what
// each sees from See and from which sources are allowed just now. Who is in no more goes on
// by themselves, and sees nothing. An error is that of a stream which has ended, or of a
// mixer; the others hear what they are to.
func (r *Room) Set(parties []Party) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return nil
	}
	r.look(parties)
	parts := make([]Part, len(parties))
	for i := range parties {
		parts[i] = parties[i].Part
	}
	places := Hear(parts)
	a, b, direct := Direct(parts, places)
	var hearings []media.Hearing
	var music []*media.Stream
	for i := range parties {
		switch {
		case places[i].Music:
			music = append(music, parties[i].Stream)
		case direct && (i == a || i == b):
		case direct && len(places[i].Hears) > 0: // listeners: nothing of the pair moves for them
			both := slices.Concat(places[i].Hears, places[i].Both)
			hearings = append(hearings, media.Hearing{Stream: parties[i].Stream, Both: streams(parties, both)})
		case len(places[i].Hears)+len(places[i].Both) > 0:
			hearings = append(hearings, media.Hearing{Stream: parties[i].Stream, Hears: streams(parties, places[i].Hears), Both: streams(parties, places[i].Both)})
		}
	}
	want := [2]*media.Stream{}
	if direct {
		want = [2]*media.Stream{parties[a].Stream, parties[b].Stream}
	}
	return r.become(want, hearings, music)
}

func streams(parties []Party, at []int) []*media.Stream {
	var out []*media.Stream
	for _, i := range at {
		out = append(out, parties[i].Stream)
	}
	return out
}

// become brings the room to what it is to be, in an order in which nobody is without what
// they hear for longer than it takes to say so: who goes from the pair to the mixer is
// taken over by it.
func (r *Room) become(pair [2]*media.Stream, hearings []media.Hearing, music []*media.Stream) error {
	var errs []error
	for _, s := range r.held {
		if !slices.Contains(music, s) {
			s.Stop(musicID)
		}
	}
	errs = append(errs, r.blend(hearings))
	if r.part != nil && pair != r.pair {
		r.part()
		r.part = nil
	}
	if r.pair = pair; pair[0] != nil && r.part == nil {
		part, err := media.Join(pair[0], pair[1])
		if err != nil {
			errs = append(errs, fmt.Errorf("joining two legs: %w", err))
		}
		r.part = part
	}
	for _, s := range music {
		if !slices.Contains(r.held, s) && len(r.music) > 0 {
			if err := s.Play(media.Item{ID: musicID, Clips: r.music, Loop: true}); err != nil {
				errs = append(errs, fmt.Errorf("playing music: %w", err))
			}
		}
	}
	r.held = music
	return errors.Join(errs...)
}

// blend has the mixer give these what they are to hear.
func (r *Room) blend(hearings []media.Hearing) error {
	if len(hearings) == 0 {
		if r.mix != nil {
			r.mix.Close()
			r.mix = nil
		}
		return nil
	}
	if r.mix == nil {
		r.mix = media.NewMix(r.engine)
	}
	if err := r.mix.Set(hearings); err != nil {
		return fmt.Errorf("mixing: %w", err)
	}
	return nil
}

// Close ends the room; the legs go on by themselves and see nothing. It may be called twice.
func (r *Room) Close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return
	}
	r.closed = true
	r.look(nil)
	if r.mix != nil {
		r.mix.Close()
	}
	if r.part != nil {
		r.part()
	}
	for _, s := range r.held {
		s.Stop(musicID)
	}
}
