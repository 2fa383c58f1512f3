package phone

import (
	"tandem/media"
)

// Seat is an agent's browser with a microphone, connected for as long as their page is open.
type Seat interface {
	// Stream is its audio. While it is in a talk the switchboard reads its events.
	Stream() *media.Stream
	// States tells each change; it is buffered, the newest wins, and it is closed after
	// SeatGone.
	States() <-chan SeatState
}
