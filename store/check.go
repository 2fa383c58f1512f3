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
	Number      tandem.Number // of the interaction, as it is read
	Policy      string        // its name
	State       string        // erased = with its customer
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

// Link is an event with its place in its interaction's chain of hashes: who has no key can
// still see that it was not altered. See EventHash.
type Link struct {
	tandem.Event
	Salt   []byte // of the payload; nil of an event whose payload cannot be read
	Digest Hash   // of salt and payload
	Hash   Hash   // of the hash before, the header and the digest
}

// OpenSalted is OpenEvent that returns the salt, too: with it whoever is given the payload
// can hold it against the digest.
func OpenSalted(e *tandem.Event, content []byte, digest Hash, key *Key) (salt, data []byte, err error) {
	if data, err = OpenEvent(e, content, digest, key); err != nil {
		return nil, nil, err
	}
	plain, err := key.Open(content, Header(nil, e))
	if err != nil {
		return nil, nil, err
	}
	return plain[:saltSize:saltSize], data, nil
}
