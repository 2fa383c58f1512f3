// Package phone is the switchboard: it gives the line's calls to agents, at the desk in
// their browsers (seats) or on their telephones. An agent with a seat is rung there and
// joined once the line says that they have the call; another's phone rings, once for each
// offer. What came of it the line is told. A talk then is a room of parties: the agent may
// hold, mute, ask in a second agent or a number, and pass the customer on; supervisors may
// listen, whisper and barge in, which the journal has before they hear. For a callback the
// agent is fetched first; the customer is dialled once the agent is there, and only after
// that try is durable. It also measures which phones can be reached.
//
// Goroutines: Run, which asks the phones whether they are there, with a bounded number of
// questions at once; one for each offer of voice from its making to the last goodbye, never
// more than the agents have capacity for; one for each party of a talk, which tells the talk
// what becomes of them; one for each customer who was called, and for each talk that is only
// listened to. All end with Run.
//
// It never decides who gets a task, never dials but a configured phone, the number that
// Options.Number gives or one that Options.Way allows, never follows a redirection, and keeps
// nothing: what must outlive the process is in the journal before it happens.
//
// A chat whose customer speaks by their page has a talk as well (Join), beside its task: the
// end of that talk is told to nobody but those in it. What is shown beside the sound is
// asked for (Options.Screen) and given to the room, which decides who sees it.
package phone

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/caps"
	"tandem/bridge/leg"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/media"
	"tandem/sip"
	"tandem/store"
)

// Router is the running line.
type Router interface {
	Watch(do func(queue.Fact)) (stop func())
	Accept(ctx context.Context, id tandem.TaskID, agent string, fence uint64) (tandem.Task, error)
	Decline(ctx context.Context, id tandem.TaskID, agent string, fence uint64, why string) error
	Release(ctx context.Context, e route.Released, c *store.Change) (tandem.Task, error)
	Reassign(ctx context.Context, id tandem.TaskID, from string, fence uint64, to string) (tandem.Task, error)
	End(ctx context.Context, id tandem.TaskID, outcome string, c *store.Change) error
	Reachable(agent string, l tandem.Load, on bool)
	Consulted(agent string, on bool)
	Task(id tandem.TaskID) (tandem.Task, bool)
	Agent(name string) (route.AgentState, bool)
	Policy() *route.Policy
}

var _ Router = (*queue.Router)(nil)

// Store keeps the record of calls out.
type Store interface {
	Commit(ctx context.Context, c *store.Change) error
	Settle(c *store.Change)
	Note(e tandem.Event)
}

// Dialer is signalling: SIP makes one of a sip.Server.
type Dialer interface {
	Dial(ctx context.Context, d sip.Dial) (Call, error)
	Host(ctx context.Context, d sip.Dial) netip.Addr
	Ping(ctx context.Context, uri string) (code int, err error)
}

// Call is a call out that is up.
type Call interface {
	Events() <-chan sip.Event
	Hangup(ctx context.Context, t tandem.Termination)
	Termination() tandem.Termination
}

// Caller is a customer's call that waits in line.
type Caller interface {
	// Stream is the call's audio.
	Stream() *media.Stream
	// Served tells the session that an agent has the customer, and returns once it knows:
	// then nothing is played or offered any more. An error says that the session does not
	// wait in line; that of ctx, that it was too busy to hear.
	Served(ctx context.Context, agent string) error
	// Joined tells what the call's signalling reaches from now on: hold by the customer's
	// phone, and keys by INFO; nil = nobody any more. One that holds already says so at once.
	Joined(far Far)
	// Interrupted tells the customer that the agent's connection is broken and they are kept,
	// then plays music, until it is mended (false). It does not block.
	Interrupted(on bool)
	// Leg is of the call's record what never changes: ID, Kind, From.
	Leg() tandem.Leg
	// Left is closed once the call has ended, and Termination says how.
	Left() <-chan struct{}
	Termination() tandem.Termination
}

// Far is whom a customer in a talk reaches by signalling. Its methods do not block.
type Far interface {
	Held(on bool)   // the customer's phone holds us, or has taken us back
	Key(digit byte) // one that came by INFO
}

// Way is how an address is called.
type Way struct {
	Dial   sip.Dial // To, Trunk, From
	Number string   // by which caps count it; "" = none
}

// Shown is what an agent's phone shows of a task. User must be a user part that sip.Dial
// takes; "" shows "anonymous".
type Shown struct {
	User  string // the customer's number
	Name  string // the queue
	About string // the interaction's number
}

// Options is what a Switchboard is made of. All fields down to Random are needed.
type Options struct {
	Router Router
	Store  Store
	Dialer Dialer
	// Phones are where agents take calls, by their names: "sip:USER@HOST", dialled as it
	// is, or "tel:NUMBER", dialled as Way says and under Caps.
	Phones map[string]string
	// Caller finds the call of an interaction that waits in line.
	Caller func(in tandem.InteractionID) (Caller, bool)
	// Number is the number that a callback is to dial, as "tel:NUMBER". ok is false if there
	// is none that may be dialled: one that the customer called from or that answered a code
	// may be, and one that an agent places a call to.
	Number func(ctx context.Context, t tandem.Task) (to string, ok bool, err error)
	// Way is how an address is called, or an error that says why it may not be.
	Way  func(to string) (Way, error)
	Caps interface {
		Reserve(now time.Time, number string) (*caps.Hold, error)
	}
	// Audio opens the audio of a call out to host.
	Audio  func(host netip.Addr) (*leg.Audio, error)
	Engine *media.Engine // of all streams
	Now    func() time.Time
	Random io.Reader // crypto/rand.Reader

	// Seat is an agent's browser, if it is connected and its microphone works. nil = nobody
	// has one.
	Seat func(agent string) (Seat, bool)
	// Supervises reports whether somebody may listen, whisper, barge and remove; nil = nobody.
	Supervises func(who string, in tandem.InteractionID) bool
	// Screen is by what a party shows and sees pictures, if they have such a thing now: a
	// customer (name "") or somebody of the staff. It neither waits nor calls the
	// Switchboard; Pictured tells of changes. nil = nobody has one.
	Screen func(in tandem.InteractionID, leg tandem.LegID, name string) (Screen, bool)
	// Tracks keeps recordings; nil = nothing is recorded.
	Tracks Tracks

	Shows                 func(ctx context.Context, t tandem.Task) Shown // nil = nothing but the queue's name
	Music, Ringback, Busy []*media.Clip                                  // of who is held, who waits for the customer, who was not answered
	// Counted is told of what happened to phones and callbacks, each one of the Counted
	// constants; it never blocks.
	Counted  func(what string)
	Panicked func(p any)
	Log      *slog.Logger
	// Every is about how long a phone is not asked whether it is there: between 3/4 and 3/2
	// of it. 0 = 20 s.
	Every time.Duration
}

// What Options.Counted is told.
const (
	CountedRung        = "rung"        // an agent's phone rang
	CountedAnswered    = "answered"    // and was answered in time
	CountedDeclined    = "declined"    // the agent, or their phone, refused
	CountedUnreachable = "unreachable" // the phone could not be rung
	CountedLapsed      = "lapsed"      // nobody answered in time, or the offer was over
	CountedLost        = "lost"        // the phone went away in mid-call
	CountedDialled     = "dialled"     // a customer was called back
	CountedReached     = "reached"     // and answered
	CountedUnreached   = "unreached"   // and did not answer
	CountedRefused     = "refused"     // a customer may not be called back
)

// Switchboard rings agents' phones and joins them with customers.
type Switchboard struct {
	o Options

	mu     sync.Mutex
	ctx    context.Context // of Run; nil = it does not run
	rings  map[tandem.TaskID]*ring
	going  sync.WaitGroup        // goroutines of rings
	misses map[string]int        // questions in a row that a phone left without an answer
	passed map[tandem.TaskID]int // callbacks in line that the line took away once they were dialled, and how often

	talks    map[tandem.InteractionID]*talk
	parked   map[tandem.TaskID]*called // customers who were called and wait for the next agent
	sitting  map[string]*talk          // in which talk an agent's seat is
	seated   map[string]bool           // whose seat can be used
	found    map[string]bool           // whose phone was last found to be there
	invites  []inviting                // those that ring
	watchers []*watcher                // replaced, never changed

	again time.Duration // how often a talk asks whether who listens in still may
}

// New makes a switchboard. It does nothing before Run.
func New(o Options) (*Switchboard, error) {
	for agent, phone := range o.Phones {
		if !strings.HasPrefix(phone, "sip:") && !strings.HasPrefix(phone, "tel:") {
			return nil, fmt.Errorf("the phone of %s is neither a sip: nor a tel: address", agent)
		}
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
	if o.Shows == nil {
		o.Shows = func(_ context.Context, t tandem.Task) Shown { return Shown{Name: t.Queue} }
	}
	if o.Every == 0 {
		o.Every = defaultEvery
	}
	return &Switchboard{o: o, rings: map[tandem.TaskID]*ring{}, misses: map[string]int{}, passed: map[tandem.TaskID]int{},
		talks: map[tandem.InteractionID]*talk{}, parked: map[tandem.TaskID]*called{}, sitting: map[string]*talk{}, seated: map[string]bool{}, found: map[string]bool{}, again: askAgain}, nil
}

// Serves reports whether an agent has a phone on which calls can be given to them.
func (s *Switchboard) Serves(agent string) bool { return s.o.Phones[agent] != "" }

// Run watches the line and measures the phones until ctx ends; then it waits until every
// call out has ended.
func (s *Switchboard) Run(ctx context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	s.mu.Lock()
	s.ctx = ctx
	s.mu.Unlock()
	stop := s.o.Router.Watch(s.happened)
	defer func() {
		stop()
		s.mu.Lock()
		s.ctx = nil
		s.mu.Unlock()
		cancel()
		s.going.Wait()
	}()
	s.measure(ctx)
}

// over is why an offer or an assignment is no more.
type over struct{ why string }

func (o over) Error() string { return "it is over: " + o.why }

// happened takes a fact of the line. It never blocks.
func (s *Switchboard) happened(f queue.Fact) {
	switch o := f.Output.(type) {
	case route.OfferMade:
		if o.Task.Kind.Load() == tandem.LoadVoice {
			s.offered(o.Task, false)
		}
	case route.OfferOver:
		s.end(o.Task.ID, o.Fence, o.Why)
	case route.TaskAssigned:
		s.assigned(o.Task)
	case route.TaskReleased:
		if !s.passes(o.Task.ID, o.Fence) {
			s.end(o.Task.ID, o.Fence, o.Why)
		}
	case route.TaskChanged: // the agent has moved the customer to another channel, and goes on there
		if o.Task.State == tandem.TaskAssigned && (o.Task.Kind.Load() == tandem.LoadVoice) == s.isJoined(o.Task.ID) {
			s.end(o.Task.ID, o.Task.Fence, "moved")
		}
	case route.TaskOver:
		s.end(o.Task.ID, o.Task.Fence, o.Task.Outcome)
		s.mu.Lock()
		delete(s.passed, o.Task.ID)
		c := s.parked[o.Task.ID]
		delete(s.parked, o.Task.ID)
		if c != nil && s.ctx != nil {
			s.going.Go(func() { c.close(tandem.Terminate(tandem.ByPeer, tandem.ReasonHangup)) })
		}
		s.mu.Unlock()
	}
}

// assigned notes that an agent has a task. One that was never offered to them was given to
// them by another, and they are fetched now.
func (s *Switchboard) assigned(t tandem.Task) {
	s.mu.Lock()
	r := s.rings[t.ID]
	switch {
	case r != nil && r.fence == t.Fence:
		if !r.assigned {
			r.assigned = true
			close(r.took)
		}
		fallthrough
	case r != nil && (r.passing || r.fence > t.Fence), t.Kind.Load() != tandem.LoadVoice:
		s.mu.Unlock()
		return
	}
	s.mu.Unlock()
	s.offered(t, true)
}

// passes reports a task whose agent is giving it to another in the same talk.
func (s *Switchboard) passes(id tandem.TaskID, fence uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rings[id]
	return r != nil && r.passing && r.fence == fence
}

// offered begins ringing. An offer that is there already is not rung twice.
func (s *Switchboard) offered(t tandem.Task, assigned bool) {
	_, desk := s.seat(t.Agent)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil {
		return
	}
	old := s.rings[t.ID]
	if old != nil {
		if old.fence >= t.Fence {
			return
		}
		old.cancel(over{"offered anew"})
	}
	ctx, cancel := context.WithCancelCause(s.ctx)
	freed := make(chan struct{})
	r := &ring{s: s, id: t.ID, in: t.Interaction, fence: t.Fence, agent: t.Agent, task: t, ctx: ctx, cancel: cancel, phone: s.o.Phones[t.Agent], desk: desk,
		before: old, freed: freed, free: sync.OnceFunc(func() { close(freed) }), took: make(chan struct{}), unseated: make(chan struct{}, 1),
		log: s.o.Log.With("interaction", t.Interaction, "task", t.ID, "agent", t.Agent)}
	if assigned {
		r.assigned = true
		close(r.took)
	}
	s.rings[t.ID] = r
	s.going.Go(r.run)
}

// end ends what goes on for an offer.
func (s *Switchboard) end(id tandem.TaskID, fence uint64, why string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r := s.rings[id]; r != nil && r.fence == fence {
		r.cancel(over{why})
	}
}

func (s *Switchboard) forget(r *ring) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.rings[r.id] == r {
		delete(s.rings, r.id)
	}
}

// Ringing is how many offers and talks are going on.
func (s *Switchboard) Ringing() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.rings)
}

// server is a Dialer made of a sip.Server.
type server struct{ *sip.Server }

// SIP makes a Dialer of signalling.
func SIP(s *sip.Server) Dialer { return server{s} }

func (s server) Dial(ctx context.Context, d sip.Dial) (Call, error) {
	c, err := s.Server.Dial(ctx, d)
	if err != nil {
		return nil, err
	}
	return c, nil
}
