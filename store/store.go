// Package store holds what every storage driver shares: the unit of work, the
// journal's hashing and sealing, and the errors. Consumers declare the small
// interfaces they use; drivers live below this folder and pass store/storetest.
package store

import (
	"errors"
	"time"

	"tandem"
)

var (
	// ErrDuplicate: a change with this idempotency key was committed before.
	ErrDuplicate = errors.New("already done")
	// ErrNotFound: no such record.
	ErrNotFound = errors.New("not found")
	// ErrUnavailable: the store cannot keep promises now (disk full, I/O error, closed).
	// The caller refuses in words; what was asked is not done and may be tried again.
	ErrUnavailable = errors.New("store unavailable")
	// ErrNewerSchema: the database was written by a newer version of Tandem.
	ErrNewerSchema = errors.New("written by a newer version")
	// ErrErased: the person's data has been erased.
	ErrErased = errors.New("erased")
	// ErrConflict: what is to be changed is another by now than what was read.
	ErrConflict = errors.New("changed meanwhile")
	// ErrNumberTaken: another interaction has this spoken number; draw a new one.
	ErrNumberTaken = errors.New("spoken number is taken")
	// ErrInvalid: the change does not fit together, a fault in the calling code.
	ErrInvalid = errors.New("invalid change")
	// ErrInUse: another process serves this database.
	ErrInUse = errors.New("in use by another process")
	// ErrDamaged: the database or an object does not hold together.
	ErrDamaged = errors.New("damaged")
)

// Change is what one durable transaction writes: all of it, or nothing.
type Change struct {
	// Of names the interaction of a change that has no record, event or leg of it; "" = that
	// of what it has.
	Of tandem.InteractionID
	// Key makes the change happen once: a second change with the same key returns
	// ErrDuplicate and writes nothing. "" = no such guard. Keys are kept 72 h.
	Key         string
	Interaction *tandem.Interaction // made or updated; a new one gets its Customer filled in
	// Caller is the identity a new interaction came from: its customer is found by
	// it or made. nil makes an anonymous customer of its own.
	Caller     *tandem.Identity
	Legs       []tandem.Leg   // made or updated
	Events     []tandem.Event // numbered and chained in this order; all of one interaction
	Tasks      []tandem.Task  // made or updated
	Outbox     []Outgoing
	Session    *SessionRecord // replaces the interaction's stored session
	EndSession bool           // destroys it, secrets with it
	// Park keeps the stored session until then although the interaction closes, so that
	// the customer can come back to it: see Parked. Zero with a new Session parks no more.
	Park  time.Time
	Blobs []BlobRef    // made by store/blob, kept by this change; one that was open is brought up to date, or is none if it has no Key
	Check *CheckRecord // an identity check as it stands now
	// Bind ties an identity to a customer, away from whoever had it: "" is the customer of
	// this change's interaction. Since and Until are not looked at. Unbind undoes the newest
	// tie of an identity and brings back the one it took the place of, if there was one.
	Bind   *tandem.Binding
	Unbind *tandem.Identity
	Merge  *Merge
	// Living refuses the change with ErrErased if the interaction's customer is erased; else
	// what is personal in it is left out.
	Living bool
	// With runs in the same transaction after all else, when the events have their
	// numbers and a new interaction its customer: for records of other packages' tables. Its error undoes the whole change
	// and comes back as it is. In a change that is settled it may run again, after the
	// transaction it ran in before was undone. As in Update, it computes nothing slow and
	// waits for nothing.
	With func(tx Tx) error
}

// Merge says that two customers are one person, or undoes that. Every view of one shows
// both from then on; interactions, identities and keys stay whose they are, so that
// undoing leaves no trace but the journal's. One customer is merged into at most one.
type Merge struct {
	From, Into tandem.CustomerID
	Undo       bool
}

// KindHook is of Outgoings that tell of an event. They can be made again from the journal:
// those that are given up are kept no longer than those that were delivered.
const KindHook = "hook"

// Outgoing is an outside effect to be delivered at least once under a stable key.
type Outgoing struct {
	Key    string // idempotency key the receiver sees
	Kind   string // which deliverer: "webhook", "sms", KindHook
	Target string
	Body   []byte
	// Again sends once more what went, or was given up, under the same key; what still
	// waits under it stays as it is.
	Again bool
}

// About is what is told of an event beside itself.
type About struct {
	Number tandem.Number // of the interaction; "" = it has none
	Tasks  []tandem.Task // those that were changed with it, as they are then
}

// SessionRecord is a flow session at a wait.
type SessionRecord struct {
	Data []byte // flow.Encode
	At   time.Time
	Due  time.Time // when its wait ends by itself; zero = never, or not the store's to know
}

// BlobRef is something heard or seen, lying encrypted outside the database under a
// key of its own, which is wrapped by the customer's key.
type BlobRef struct {
	ID          tandem.BlobID
	Interaction tandem.InteractionID
	MediaType   string // such as "audio/PCMU;rate=8000;channels=1"
	Size        int64  // of the plain content, in bytes
	SHA256      []byte // of the plain content, salted by the object's key
	Key         []byte // the object's key; wrapped before it is stored
	Made        time.Time
	Class       string    // ClassRecording and the like; "" = as the media type and the events tell
	Open        bool      // it is still written: Size and SHA256 are not known yet
	Until       time.Time // when it is removed; zero = as its class is
}
