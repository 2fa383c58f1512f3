package media

import "tandem/media/codec"

// Hearing is what one stream of a mix hears.
type Hearing struct {
	Stream *Stream
	Hears  []*Stream // what their far ends say; hushed ones are not heard
	Both   []*Stream // what their far ends say and are sent, whatever they do (playing, joined, mixed); while one is hushed, nothing of what it says
}

// Mix lets more than two streams hear each other, each what it is to hear: mix-minus by
// a matrix. Its methods may be called from any goroutine.
type Mix struct{ engine *Engine }

// NewMix makes a mix without parties.
func NewMix(e *Engine) *Mix { return &Mix{engine: e} }

// Set says who hears whom, the whole at once.
func (m *Mix) Set(parties []Hearing) error { return nil }

// Close lets every stream go on by itself. It may be called twice.
func (m *Mix) Close() {}

// Path is how a stream's audio goes now.
type Path struct {
	Direct     bool // the joined stream's packets pass straight through
	Mixed      bool // it is sent a mix
	Law        codec.Law
	Passed     uint64 // packets sent so far as the joined stream received them
	Transcoded uint64 // packets sent so far in the other law than received, by table
}

// Path tells how the stream's audio goes now.
func (s *Stream) Path() Path {
	var p Path
	_ = s.call(func() { // a closed stream has none
		p = Path{Direct: s.peer != nil, Law: s.params.Law, Passed: s.stats.Passed, Transcoded: s.stats.Transcoded}
	})
	return p
}
