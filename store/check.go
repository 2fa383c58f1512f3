package store

import (
	"time"

	"tandem"
)

// Classes of objects: what they are kept as, and for how long.
const (
	ClassRecording = "recording"
	ClassVoicemail = "voicemail"
	ClassPicture   = "picture"  // what a customer sent
	ClassEvidence  = "evidence" // a still of an identity check
)

// CheckRecord is an identity check as it stands. Data is sealed under the customer's key;
// that of an erased customer is nil.
type CheckRecord struct {
	ID          tandem.CheckID
	Interaction tandem.InteractionID
	Policy      string // its name
	State       string
	Officer     string
	Begun       time.Time
	Ended       time.Time // zero = it is open
	// Version is one more with each change: saving needs the one that was read plus one, 1 for
	// a new check, else the change fails with ErrConflict.
	Version int64
	Data    []byte
}

// CheckFilter says which checks to list, newest first. Zero fields ask nothing.
type CheckFilter struct {
	Interaction tandem.InteractionID
	Open        bool // not ended
	State       string
	Policy      string
	Since       time.Time // begun at or after
	Before      tandem.CheckID
	Limit       int // 0 = 50; at most 1000
}
