// Package storetest holds the one suite every storage driver passes. It runs no
// goroutines but those of its tests, and looks at a driver through its methods alone.
package storetest

import (
	"context"
	"io"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"tandem"
	"tandem/store"
	"tandem/store/blob"
)

// Store is what the suite asks of a driver.
type Store interface {
	Commit(context.Context, *store.Change) error
	CommitAll(context.Context, ...*store.Change) error
	Settle(*store.Change)
	View(context.Context, func(store.Tx) error) error
	Note(tandem.Event)
	NoteSession(tandem.InteractionID, []byte)
	Flush(context.Context) error
	Healthy() error
	Unfinished(context.Context) ([]store.Unfinished, error)
	Session(context.Context, tandem.InteractionID) ([]byte, time.Time, error)
	Sessions(context.Context) ([]store.SessionTimer, error)
	Parked(ctx context.Context, number tandem.Number, now time.Time) (store.Parked, error)
	SweepParked(context.Context) (int64, error)
	EventsAt(context.Context, []store.EventRef) ([]tandem.Event, error)
	Tasks(context.Context, tandem.InteractionID) ([]tandem.Task, error)
	Leg(context.Context, tandem.LegID) (tandem.Leg, error)
	CustomerOf(context.Context, tandem.Identity) (b tandem.Binding, found bool, err error)
	Identities(context.Context, tandem.CustomerID) ([]tandem.Binding, error)
	Person(context.Context, tandem.CustomerID) ([]tandem.CustomerID, error)
	Dialled(ctx context.Context, since time.Time) ([]tandem.Leg, error)
	List(context.Context, store.Filter) ([]store.Summary, error)
	Interaction(context.Context, string) (store.Story, error)
	Verify(context.Context) (store.Verdict, error)
	Erase(ctx context.Context, customer tandem.CustomerID, actor, why string) error
	OpenBlob(ctx context.Context, id tandem.BlobID, actor, why string) (io.ReadSeekCloser, store.BlobRef, error)
	OpenObjects(context.Context) ([]store.BlobRef, error)
	Dispose(ctx context.Context, now time.Time, keep map[string]time.Duration) (n int, err error)
	Lease(ctx context.Context, max int, lease time.Duration) ([]store.Leased, error)
	Delivered(ctx context.Context, key string) error
	Failed(ctx context.Context, key string, cause error, retryAt time.Time) error
	Outbox(context.Context) ([]store.Letter, error)
	Revive(ctx context.Context, key string) error
	Close() error
}

// Place is where a driver keeps its things: opening the same place again finds them.
type Place struct {
	Dir   string
	Keys  *store.Keyring
	Blobs *blob.Dir
	Clock *Clock
}

// Clock is a clock that tests move; each look at it moves it by a millisecond, so
// that ids sort in the order they were made. It is safe for concurrent use.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock begins on a Monday in November 2026.
func NewClock() *Clock { return &Clock{now: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)} }

// Now reads the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Millisecond)
	return c.now
}

// Add moves the clock.
func (c *Clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Still is a clock that moves only when it is told to. It is safe for concurrent use.
type Still struct {
	mu  sync.Mutex
	now time.Time
}

// NewStill stands at a time.
func NewStill(at time.Time) *Still { return &Still{now: at} }

// Now reads the clock.
func (c *Still) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Add moves the clock.
func (c *Still) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Random is a stream of bytes that looks random and is the same in every run. It is
// safe for concurrent use.
type Random struct {
	mu sync.Mutex
	x  uint64
}

// NewRandom begins the stream of a seed.
func NewRandom(seed uint64) *Random { return &Random{x: seed*2 + 1} }

// Read fills p (SplitMix64).
func (r *Random) Read(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range p {
		r.x += 0x9e3779b97f4a7c15
		z := r.x
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		p[i] = byte(z ^ z>>31)
	}
	return len(p), nil
}

// NewPlace makes an empty place.
func NewPlace(t testing.TB) Place {
	t.Helper()
	master := make([]byte, store.KeySize)
	NewRandom(7).Read(master)
	keys, err := store.NewKeyring(master)
	if err != nil {
		t.Fatal(err)
	}
	p := Place{Dir: t.TempDir(), Keys: keys, Clock: NewClock()}
	if p.Blobs, err = blob.Open(filepath.Join(p.Dir, "blobs"), p.Clock.Now, NewRandom(8)); err != nil {
		t.Fatal(err)
	}
	return p
}

// Call is an interaction as the suite and the drivers' own tests make them.
type Call struct {
	ID     tandem.InteractionID
	Leg    tandem.LegID
	Number tandem.Number
	From   string
	at     time.Time
}

// NewCall draws a call's ids.
func NewCall(now time.Time, random io.Reader, from string) Call {
	return Call{ID: tandem.NewID[tandem.InteractionID](now, random), Leg: tandem.NewID[tandem.LegID](now, random),
		Number: tandem.NewNumber(random), From: from, at: now}
}

// Event makes one event of the call.
func (c Call) Event(at time.Time, kind tandem.EventKind, payload any) tandem.Event {
	return tandem.NewEvent(c.ID, c.Leg, at, kind, "system", payload)
}

// Opening is the change that opens the call.
func (c Call) Opening() *store.Change {
	return &store.Change{
		Key:         "invite " + string(c.ID),
		Interaction: &tandem.Interaction{ID: c.ID, Number: c.Number, Entry: "95599", Flow: "hotline", FlowHash: "f00d", State: tandem.Open, Started: c.at},
		Caller:      &tandem.Identity{Kind: tandem.IdentityPhone, Value: c.From},
		Legs: []tandem.Leg{{ID: c.Leg, Interaction: c.ID, Kind: tandem.LegSIP, Inbound: true, Role: tandem.RoleCustomer,
			From: c.From, To: "95599", Started: c.at}},
		Events: []tandem.Event{
			c.Event(c.at, tandem.EventOpened, tandem.Opened{Entry: "95599", Channel: tandem.Voice, From: c.From, To: "95599"}),
			c.Event(c.at, tandem.EventLegStarted, nil),
		},
	}
}

// Closing is the change that closes the call.
func (c Call) Closing(at time.Time, why tandem.Termination) *store.Change {
	return &store.Change{
		Interaction: &tandem.Interaction{ID: c.ID, Number: c.Number, Entry: "95599", Flow: "hotline", FlowHash: "f00d", State: tandem.Closed,
			Started: c.at, Ended: at, Outcome: "done"},
		Legs: []tandem.Leg{{ID: c.Leg, Interaction: c.ID, Kind: tandem.LegSIP, Inbound: true, Role: tandem.RoleCustomer,
			From: c.From, To: "95599", Started: c.at, Ended: at, Termination: why}},
		Events:     []tandem.Event{c.Event(at, tandem.EventLegEnded, why), c.Event(at, tandem.EventClosed, tandem.Closing{Outcome: "done", Termination: why})},
		EndSession: true,
	}
}
