package studio

import (
	"net/http"
	"sync"
	"time"

	"tandem/web/answer"
)

const (
	maxStreams = 64               // at a time; more are refused
	maxOfOne   = 8                // of one user, so that nobody takes them all
	maxQueued  = 16               // events that one stream may be behind; then it is closed, and asks for everything anew
	beatEvery  = 15 * time.Second // without an event, so that whoever is gone shows, and proxies keep the line
	streamTime = time.Hour        // then the browser connects again, and who it is is looked at again
)

// event is one thing that streams tell.
type event struct {
	name string
	data any
}

// events hands each event to all streams. It never waits for one.
type events struct {
	mu      sync.Mutex
	streams map[chan event]string // whose each is
	closed  bool
}

func newEvents() *events { return &events{streams: map[chan event]string{}} }

// join begins a stream; its channel is closed when it is to end. ok is false if there
// is no room, or none for this user.
func (e *events) join(user string) (c chan event, ok bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || len(e.streams) >= maxStreams {
		return nil, false
	}
	theirs := 0
	for _, other := range e.streams {
		if other == user {
			theirs++
		}
	}
	if theirs >= maxOfOne {
		return nil, false
	}
	c = make(chan event, maxQueued)
	e.streams[c] = user
	return c, true
}

// leave ends a stream from its own side.
func (e *events) leave(c chan event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.streams, c)
}

// send tells all streams; one that is too far behind is closed.
func (e *events) send(v event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for c := range e.streams {
		select {
		case c <- v:
		default:
			delete(e.streams, c)
			close(c)
		}
	}
}

func (e *events) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closed = true
	for c := range e.streams {
		delete(e.streams, c)
		close(c)
	}
}

func (s *Studio) getEvents(w http.ResponseWriter, r *http.Request) error {
	c, ok := s.events.join(s.o.Who(r.Context()).Name)
	if !ok {
		w.Header().Set("Retry-After", "10")
		answer.Refuse(w, http.StatusServiceUnavailable, "too_many", "Too many pages listen already.")
		return errDone
	}
	defer s.events.leave(c)
	stream, err := answer.NewStream(w)
	if err != nil {
		return err
	}
	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	end := time.NewTimer(streamTime)
	defer end.Stop()
	for {
		var err error
		select {
		case v, open := <-c:
			if !open {
				return errDone
			}
			if !s.o.Door.Still(r.Context(), lookers()...) {
				return errDone
			}
			err = stream.Event(v.name, v.data)
		case <-beat.C:
			if !s.o.Door.Still(r.Context(), lookers()...) {
				return errDone
			}
			err = stream.Beat()
		case <-end.C:
			return errDone
		case <-r.Context().Done():
			return errDone
		}
		if err != nil { // the page is gone
			return errDone
		}
	}
}
