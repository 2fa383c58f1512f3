package queue

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"time"

	"tandem"
	"tandem/bridge/route"
	"tandem/store"
)

// Line is what a Core works on: *route.Line.
type Line interface {
	Apply(e route.Event) []route.Output
	Next() (at time.Time, ok bool)
	Place(id tandem.TaskID, now time.Time) (p route.Place, ok bool)
	Task(id tandem.TaskID) (t tandem.Task, ok bool)
	Tasks(queue string, limit int) []tandem.Task
	Agent(name string) (a route.AgentState, ok bool)
	Agents() []route.AgentState
	Why(id tandem.TaskID, now time.Time) (d tandem.Decision, ok bool)
	Check() []string
	Save() route.Saved
}

var _ Line = (*route.Line)(nil)

// ErrTaken: somebody else has taken the line over since this Core read it. It may not
// assign any more, and does not.
var ErrTaken = errors.New("another process has taken the line over")

// A version is the number of the term, which grows with each start, and below it that of the
// commit in the term: a commit that was answered with an error, and is there, is one's own;
// another term is somebody else's.
const termBits = 40

// How long a store that fails is left alone before the next try.
const (
	leastRest = 50 * time.Millisecond
	mostRest  = time.Second
)

// CoreOptions is what a Core is made of. All are needed but Open, Cut and NewLine.
type CoreOptions struct {
	Keeper Keeper
	Policy *route.Policy
	Open   func(queue string, at time.Time) bool         // see Options
	Cut    func(ctx context.Context, t tandem.Task) bool // see Options
	Random io.Reader                                     // for ids
	Log    *slog.Logger
	// NewLine makes the line; nil = route.New. The simulator makes broken ones, to show
	// that it finds them.
	NewLine func(p *route.Policy, s route.Saved) Line
}

// Core is the router without goroutine, clock and inbox: what the Router runs, and what
// the simulator runs step by step. It works on one line that runs ahead while a batch is
// applied, and keeps a second one for readers, to which the same events are applied once
// they are durable. Its methods are for one goroutine; View's are for all.
type Core struct {
	o       CoreOptions
	policy  *route.Policy // of the line in hand
	wanted  *route.Policy // to be taken into use by the next step
	reach   map[reachable]bool
	stirred []reachable // measured since the last step
	drain   bool        // no offers any more

	line    Line                                     // nil: to be read from the store
	second  Line                                     // for readers, once the first commit since the reading is done
	of      map[tandem.InteractionID][]tandem.TaskID // of line
	kept    *kept
	before  []route.Event // of the start, with their times
	drained bool          // line knows
	view    View
	last    time.Time       // of the newest event
	open    map[string]bool // queues, as the line was told
	hours   time.Time       // when they are to be asked about again
	again   time.Time       // a store that failed is left alone till then
	rest    time.Duration
	taken   bool
}

// reachable names something that is measured and kept nowhere.
type reachable struct {
	agent string
	load  tandem.Load // "" = whether they are asked in to a call of another's
}

// Ask is one thing that is asked of the line.
type Ask struct {
	Event  route.Event   // its time is filled in
	Change *store.Change // written with what comes of it, or not at all; may be nil
	Actor  string        // who asks, for the journal; "" = the system
}

// Answer is what became of an Ask: durably, unless Err says otherwise.
type Answer struct {
	Task  tandem.Task      // as it is then, where the ask is about one
	Agent route.AgentState // of route.Present
	Err   error
}

// NewCore reads the line, takes it over from whoever had it before, and does what a start
// has to do: offers come back, and calls that ended with the program become callbacks.
func NewCore(ctx context.Context, o CoreOptions, now time.Time) (*Core, error) {
	if o.NewLine == nil {
		o.NewLine = func(p *route.Policy, s route.Saved) Line { return route.New(p, s) }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	c := &Core{o: o, policy: o.Policy, wanted: o.Policy, reach: map[reachable]bool{}}
	saved, err := c.read(ctx)
	if err != nil {
		return nil, err
	}
	c.before = afterStart(ctx, saved, o.Cut)
	if _, _, err := c.try(ctx, c.tick(now), nil, true); err != nil {
		return nil, fmt.Errorf("taking the line over: %w", err)
	}
	return c, nil
}

// SetPolicy takes another policy into use with the next step.
func (c *Core) SetPolicy(p *route.Policy) { c.wanted = p }

// SetReachable tells what was measured, for the next step.
func (c *Core) SetReachable(agent string, load tandem.Load, on bool) {
	c.set(reachable{agent, load}, on)
}

// SetConsulted tells whether an agent is asked in to a call of another's, for the next step.
func (c *Core) SetConsulted(agent string, on bool) { c.set(reachable{agent: agent}, on) }

func (c *Core) set(r reachable, on bool) {
	if was, known := c.reach[r]; known && was == on {
		return
	}
	c.reach[r] = on
	if !slices.Contains(c.stirred, r) {
		c.stirred = append(c.stirred, r)
	}
}

// Drain stops offers with the next step, for good.
func (c *Core) Drain() { c.drain = true }

// View is the line as of the last step that is durable.
func (c *Core) View() *View { return &c.view }

// Taken reports whether somebody else has taken the line over.
func (c *Core) Taken() bool { return c.taken }

// Next is when a step is due although nobody asks for anything.
func (c *Core) Next() (at time.Time, ok bool) {
	switch {
	case c.taken:
		return at, false
	case c.line == nil:
		return c.again, true
	}
	at, ok = c.line.Next()
	if c.o.Open != nil && (!ok || c.hours.Before(at)) {
		at, ok = c.hours, true
	}
	return at, ok
}

// Step lets time pass to now and does what is asked, in this order, as one durable change.
// answers are those of asks. If it returns no answer with an error of the store, all of
// what facts say is durable and seen by readers.
func (c *Core) Step(ctx context.Context, now time.Time, asks []Ask) (answers []Answer, facts []Fact) {
	now = c.tick(now)
	if err := c.ready(ctx, now); err != nil {
		return refuse(asks, err), nil
	}
	answers, facts, err := c.try(ctx, now, asks, false)
	if err == nil {
		c.rest = 0
		return answers, facts
	}
	c.line, c.second = nil, nil
	switch {
	case errors.Is(err, ErrTaken):
		c.taken = true
		c.o.Log.Error("the line was taken over by another process; this one assigns nothing any more")
	case ctx.Err() != nil || errors.Is(err, store.ErrUnavailable):
		c.leave(now)
		c.o.Log.Warn("the line could not be written; it is read again", "cause", err, "after", c.rest)
	case len(asks) > 1: // one of them is at fault: the others are not to suffer
		return c.oneByOne(ctx, now, asks)
	case len(asks) == 1:
		return []Answer{{Err: err}}, nil
	default:
		c.leave(now)
		c.o.Log.Error("what came of time passing could not be written", "cause", err, "after", c.rest)
	}
	return refuse(asks, c.unavailable(err)), nil
}

func (c *Core) oneByOne(ctx context.Context, now time.Time, asks []Ask) (answers []Answer, facts []Fact) {
	for i := range asks {
		a, f := c.Step(ctx, now, asks[i:i+1])
		answers, facts = append(answers, a...), append(facts, f...)
	}
	return answers, facts
}

// tick is now, but never before what was.
func (c *Core) tick(now time.Time) time.Time {
	if now.Before(c.last) {
		now = c.last
	}
	c.last = now
	return now
}

// leave has the store left alone for a while.
func (c *Core) leave(now time.Time) {
	c.rest = min(max(2*c.rest, leastRest), mostRest)
	c.again = now.Add(c.rest)
}

// ready reads the line if it is not at hand.
func (c *Core) ready(ctx context.Context, now time.Time) error {
	switch {
	case c.taken:
		return c.unavailable(ErrTaken)
	case c.line != nil:
		return nil
	case now.Before(c.again):
		return c.unavailable(store.ErrUnavailable)
	}
	if _, err := c.read(ctx); err != nil {
		c.leave(now)
		c.o.Log.Warn("the line could not be read", "cause", err, "after", c.rest)
		return c.unavailable(err)
	}
	return nil
}

func (c *Core) unavailable(err error) error {
	say := "the line cannot be written now; nothing was changed, try again in a moment"
	if c.taken {
		say = "this process does not run the line any more; nothing was changed"
	}
	return &tandem.Error{Code: tandem.CodeUnavailable, Message: say, Err: err}
}

func refuse(asks []Ask, err error) []Answer {
	answers := make([]Answer, len(asks))
	for i := range answers {
		answers[i].Err = err
	}
	return answers
}

// read makes both lines of what the store has. What is known here and not stored they are
// told with the next step.
func (c *Core) read(ctx context.Context) (route.Saved, error) {
	k, err := c.o.Keeper.Load(ctx)
	if err != nil {
		return route.Saved{}, fmt.Errorf("reading the line: %w", err)
	}
	if c.kept != nil && k.Version>>termBits != c.kept.version>>termBits {
		c.taken = true
		return route.Saved{}, ErrTaken
	}
	k.Saved.At = newest(&k.Saved)
	k.Saved.Rests, k.Saved.Paces = c.view.learned()
	c.last = c.tick(k.Saved.At)
	c.kept = newKept(k)
	c.line, c.second = c.o.NewLine(c.policy, k.Saved), c.o.NewLine(c.policy, k.Saved)
	c.of = tasksOf(c.line)
	c.open, c.hours = map[string]bool{}, time.Time{}
	c.drained = false
	c.tellAll()
	return k.Saved, nil
}

// tellAll has the line told anew what is measured.
func (c *Core) tellAll() {
	c.stirred = c.stirred[:0]
	for r := range c.reach {
		c.stirred = append(c.stirred, r)
	}
	slices.SortFunc(c.stirred, func(a, b reachable) int {
		return cmp.Or(cmp.Compare(a.agent, b.agent), cmp.Compare(a.load, b.load))
	})
}

// newest is when something last happened to a line, as far as it is stored.
func newest(s *route.Saved) (at time.Time) {
	later := func(t time.Time) {
		if t.After(at) {
			at = t
		}
	}
	for i := range s.Tasks {
		later(s.Tasks[i].Since)
	}
	for i := range s.Agents {
		later(s.Agents[i].Since)
		for _, h := range s.Agents[i].Holds {
			later(h.Since)
		}
	}
	return at
}

// due is what the line is to be told before anything that is asked.
func (c *Core) due(now time.Time) []route.Event {
	events := append(c.before[:len(c.before):len(c.before)], route.Tick{})
	if c.wanted != c.policy {
		events = append(events, route.Repoliced{Policy: c.wanted})
		c.hours = time.Time{}
		c.tellAll() // of whom it has now, and had not
	}
	if c.drain && !c.drained {
		events = append(events, route.Drained{})
	}
	if !now.Before(c.hours) {
		c.hours = now.Truncate(time.Minute).Add(time.Minute)
		events = append(events, c.openings(now)...)
	}
	for _, r := range c.stirred {
		if r.load == "" {
			events = append(events, route.Consulted{Agent: r.agent, On: c.reach[r]})
			continue
		}
		events = append(events, route.Reachable{Agent: r.agent, Load: r.load, On: c.reach[r]})
	}
	return events
}

// openings are the queues that open or close now.
func (c *Core) openings(now time.Time) []route.Event {
	if c.o.Open == nil {
		return nil
	}
	names := make([]string, 0, len(c.wanted.Queues))
	for name := range c.wanted.Queues {
		names = append(names, name)
	}
	slices.Sort(names)
	var events []route.Event
	for _, name := range names {
		open := c.o.Open(name, now)
		if was, told := c.open[name]; !told || was != open {
			c.open[name] = open
			events = append(events, route.Hours{Queue: name, Open: open})
		}
	}
	return events
}

// try applies what is due and what is asked, makes it durable, and lets readers see it.
// After an error the line is not what is durable. Nobody is answered but after a commit,
// which renews the lease: the version. The first one takes the line over.
func (c *Core) try(ctx context.Context, now time.Time, asks []Ask, first bool) ([]Answer, []Fact, error) {
	b := newBatch(c, now)
	for _, e := range c.due(now) {
		b.apply(e, "")
	}
	answers := make([]Answer, len(asks))
	for i := range asks {
		answers[i] = b.ask(&asks[i])
	}
	w := b.written()
	if first {
		w.Rows.Next = (w.Rows.Version>>termBits + 1) << termBits
	}
	if first || len(asks) > 0 || !w.empty() {
		if err := c.o.Keeper.Commit(ctx, w); err != nil {
			return nil, nil, err
		}
		c.kept.wrote(w, b.agents)
	}
	c.policy, c.before, c.drained = c.wanted, nil, c.drain
	c.stirred = c.stirred[:0]
	c.view.take(c.second, c.policy, b.events, b.facts)
	return answers, b.facts, nil
}

// Drop throws the line away after a fault of ours in the middle of a step; it is read again
// with the next, after a rest.
func (c *Core) Drop(now time.Time) {
	c.line, c.second = nil, nil
	c.leave(c.tick(now))
}
