// Package upgrade is how a conversation in text gains voice and pictures, and loses them
// again, while its text goes on: asking, consent, the customer's connections, what of them
// gets through, and the end. It also makes the links by which specialists join (Invite).
//
// Asking and agreeing is decided purely (fold.go), and so is what gets through (carried.go).
// A customer's consent is durable before anything exists that could carry their camera or
// microphone. The talk itself is bridge/phone's, who sees and hears whom bridge/room's.
//
// Goroutines: one for each upgrade from its being asked for to its end; a page's signals
// are carried out on the goroutines of its socket. All end with Run.
//
// It never asks for anything by itself, never decides who serves a customer, keeps nothing
// but the rows of role links, and logs neither words nor tokens.
package upgrade

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/phone"
	"tandem/bridge/queue"
	"tandem/media/webrtc"
	"tandem/store"
)

// Upgrade is one as it is shown.
type Upgrade struct {
	ID          tandem.UpgradeID
	Interaction tandem.InteractionID
	Task        tandem.TaskID
	// Leg is that of the customer in the talk, by which their pictures are named: a LegWebRTC
	// of its own, or of a caller on a telephone the one of their call.
	Leg    tandem.LegID
	Page   string       // the customer's page that has the media; "" = none has agreed yet
	By     string       // who asked last: an agent's name, "flow", "customer"
	Agent  string       // who has the task
	Level  tandem.Level // what was asked for; above Agreed and with an Until it waits for an answer
	Agreed tandem.Level // what is to run now
	Now    tandem.Level // what gets through
	State  State
	Why    string // asked: the reason that is shown, in words or as one of Reasons; at the end: refused, lapsed, withdrawn, ended, left, lost, done, transferred, stopped
	Kept   bool   // it is recorded
	Keeps  bool   // it will be, once what is asked now is agreed to
	Who    []Person
	Fallen string    // why less gets through than was agreed: "", network, camera, microphone, agent: theirs is broken
	Asked  time.Time // when it was asked for last
	Until  time.Time // till when an answer is waited for; zero = none is
	Check  tandem.CheckID
	Lang   string // of the customer, as far as known
	// Pictures says that the sound stays on the customer's telephone.
	Pictures bool
}

// Person is somebody who will see and hear the customer, or does.
type Person struct {
	Name  string // as customers know them; "" = somebody by telephone
	Role  tandem.Role
	Leg   tandem.LegID // "" before the talk has begun
	Muted bool
}

// Open reports whether the upgrade goes on.
func (u Upgrade) Open() bool { return !u.State.Over() }

// Waits reports whether it waits for an answer, and of whom: of the customer, or of the agent.
func (u Upgrade) Waits() (customer, agent bool) {
	if u.Until.IsZero() || !u.Open() {
		return false, false
	}
	return u.By != ByCustomer, u.By == ByCustomer
}

// Who asks beside agents, whose names are their own.
const (
	ByCustomer = "customer"
	ByFlow     = "flow"
	BySystem   = "system"
)

// Customer is what is known of whom an interaction is with.
type Customer struct {
	ID   tandem.CustomerID
	Leg  tandem.LegID // of their call, if they are on the telephone
	Lang string
	Page bool // they have a chat in which they can be asked, or come to be shown
	Call bool // they are on the telephone
}

// Line is the running line.
type Line interface {
	Watch(do func(queue.Fact)) (stop func())
	Task(id tandem.TaskID) (tandem.Task, bool)
	Of(in tandem.InteractionID) []tandem.Task
}

// Switchboard has the talks: a *phone.Switchboard.
type Switchboard interface {
	Join(ctx context.Context, task tandem.TaskID, c phone.Caller) error
	Ready(agent string) error
	Pictured(in tandem.InteractionID)
	TalkOf(in tandem.InteractionID) (phone.Talk, bool)
	WatchTalks(do func(phone.Talk)) (stop func())
	Enter(ctx context.Context, in tandem.InteractionID, who string, role tandem.Role) error
	Expel(in tandem.InteractionID, who string)
}

var _ Switchboard = (*phone.Switchboard)(nil)

// Store keeps the journal, and the rows of role links.
type Store interface {
	Commit(ctx context.Context, c *store.Change) error
	Settle(c *store.Change)
	Note(e tandem.Event)
	View(ctx context.Context, do func(tx store.Tx) error) error
}

// Options is what Upgrades are made of. All down to TellStaff are needed.
type Options struct {
	Line        Line
	Switchboard Switchboard
	Store       Store
	Media       Media // Browsers makes it of a *webrtc.Server; nil = browsers cannot speak here
	// Customer looks up whom an interaction is with.
	Customer func(ctx context.Context, in tandem.InteractionID) (Customer, error)
	// Name is what customers know an agent by.
	Name func(agent string) string
	// TellCustomer sends a signal to the page of a customer that has the media; conn is ConnVoice
	// or ConnScreen. TellStaff sends one of pictures to a page of somebody at the desk. Neither waits.
	TellCustomer func(in tandem.InteractionID, page, conn string, s webrtc.Signal)
	TellStaff    func(who string, in tandem.InteractionID, page string, s webrtc.Signal)

	// Customers is the most that customers may ask for; LevelText = nothing.
	Customers tandem.Level
	Record    bool // upgrades are recorded, and the customer is asked for that too
	// May reports whether somebody may be asked in, as they are now; nil = everybody.
	May func(ctx context.Context, who string, role tandem.Role) bool

	Counted  func(what string) // of asks and ends, one of the Counted constants; it never blocks. nil = nobody counts
	Panicked func(p any)
	Now      func() time.Time // nil = time.Now
	Random   io.Reader        // nil = crypto/rand.Reader
	Log      *slog.Logger
	Limits   Limits
}

// Limits bound what goes on. Zero is the standard.
type Limits struct {
	Open int           // upgrades at once, 2,000
	Asks int           // of one interaction in Span, 8
	Span time.Duration // 10 min
	// Answer is how long an ask waits, 2 min; Connect how long the page may take to connect
	// once it was agreed, 2 min: somebody looks for the right button; Away how long one may be
	// without socket or sound before it is over, 60 s.
	Answer, Connect, Away time.Duration
}

// The customer's connections, as they are named in TellCustomer and Signal.
const (
	ConnVoice  = "voice"
	ConnScreen = "screen"
)

// What Options.Counted is told.
const (
	CountedAsked   = "asked"
	CountedAgreed  = "agreed"
	CountedRefused = "refused"
	CountedLapsed  = "lapsed"
	CountedUp      = "up"     // it came to be
	CountedFell    = "fell"   // less gets through than was agreed
	CountedMended  = "mended" // and all again
	CountedLost    = "lost"
	CountedOver    = "over"
)

// Upgrades are all that go on.
type Upgrades struct {
	o Options

	mu       sync.Mutex
	ctx      context.Context // of Run; nil = it does not run
	going    sync.WaitGroup
	by       map[tandem.InteractionID]*upgrade
	asks     map[tandem.InteractionID][]time.Time
	swept    time.Time
	sights   map[sightKey]*sight
	watchers []*watcher // replaced, never changed
}

type watcher struct{ do func(Upgrade) }

// New makes them. Nothing goes on before Run.
func New(o Options) *Upgrades {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Counted == nil {
		o.Counted = func(string) {}
	}
	if o.Panicked == nil {
		o.Panicked = func(p any) { panic(p) }
	}
	if o.Name == nil {
		o.Name = func(agent string) string { return agent }
	}
	if o.May == nil {
		o.May = func(context.Context, string, tandem.Role) bool { return true }
	}
	l := &o.Limits
	l.Open, l.Asks = or(l.Open, 2000), or(l.Asks, 8)
	l.Span, l.Answer = or(l.Span, 10*time.Minute), or(l.Answer, 2*time.Minute)
	l.Connect, l.Away = or(l.Connect, 2*time.Minute), or(l.Away, time.Minute)
	return &Upgrades{o: o, by: map[tandem.InteractionID]*upgrade{}, asks: map[tandem.InteractionID][]time.Time{}, sights: map[sightKey]*sight{}}
}

func or[T int | time.Duration](v, standard T) T {
	if v <= 0 {
		return standard
	}
	return v
}

var (
	errNone  = tandem.Errorf(tandem.CodeNotFound, "there is no voice or video in this conversation")
	errStops = tandem.Errorf(tandem.CodeUnavailable, "the server is stopping; try again in a moment")
	errMedia = tandem.Errorf(tandem.CodeUnavailable, "voice and video in the browser are not set up here: webrtc.listen is empty")
	errBusy  = tandem.Errorf(tandem.CodeUnavailable, "this took too long; look at it, then try again")
)

// Run follows the line and the talks until ctx ends, and then ends what goes on.
func (u *Upgrades) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	u.mu.Lock()
	u.ctx = ctx
	u.mu.Unlock()
	stops := []func(){u.o.Line.Watch(u.lineSays), u.o.Switchboard.WatchTalks(u.talkSays)}
	<-ctx.Done()
	u.mu.Lock()
	u.ctx = nil
	u.mu.Unlock()
	cancel()
	u.going.Wait()
	for _, stop := range stops {
		stop()
	}
	u.closeSights()
}

// Of is an interaction's upgrade, if one goes on.
func (u *Upgrades) Of(in tandem.InteractionID) (Upgrade, bool) {
	x := u.find(in)
	if x == nil {
		return Upgrade{}, false
	}
	is := x.shown()
	return is, is.ID != "" && is.Open()
}

// All are those that go on, by interaction.
func (u *Upgrades) All() []Upgrade {
	u.mu.Lock()
	all := slices.Collect(maps.Values(u.by))
	u.mu.Unlock()
	var out []Upgrade
	for _, x := range all {
		if is := x.shown(); is.ID != "" && is.Open() {
			out = append(out, is)
		}
	}
	slices.SortFunc(out, func(a, b Upgrade) int { return compare(a.Interaction, b.Interaction) })
	return out
}

func compare(a, b tandem.InteractionID) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Watch has each change told to do, the last time with a State that is over. Changes of one
// upgrade are told in their order; do neither waits nor calls back.
func (u *Upgrades) Watch(do func(Upgrade)) (stop func()) {
	w := &watcher{do}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.watchers = append(slices.Clone(u.watchers), w)
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.watchers = slices.DeleteFunc(slices.Clone(u.watchers), func(x *watcher) bool { return x == w })
	}
}

// May is what a customer may ask for: nothing, voice, or video too.
func (u *Upgrades) May() []tandem.Level {
	switch {
	case u.o.Media == nil:
		return nil
	case u.o.Customers == tandem.LevelVideo:
		return []tandem.Level{tandem.LevelVoice, tandem.LevelVideo}
	case u.o.Customers == tandem.LevelVoice:
		return []tandem.Level{tandem.LevelVoice}
	}
	return nil
}

// Servers are the relays that a customer's page may use.
func (u *Upgrades) Servers(in tandem.InteractionID) []webrtc.ICEServer {
	if u.o.Media == nil {
		return nil
	}
	return u.o.Media.Servers(string(in))
}

func (u *Upgrades) find(in tandem.InteractionID) *upgrade {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.by[in]
}

func (u *Upgrades) now() time.Time { return u.o.Now().UTC() }
