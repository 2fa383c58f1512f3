// Package simulate is a world for one interaction in simulated time: a customer by
// voice, chat or SMS, the systems a flow asks, the pages its links open, the agents it
// queues for. It carries out what the engine asks for, tells it what people do, and
// writes down what happened, line by line. The same seed and the same acts give the
// same lines, byte for byte.
//
// It is pure: it runs no goroutine and uses no clock, network, disk or randomness but
// its seed. Time moves only when somebody waits. A Talk belongs to one goroutine;
// Clone makes another that goes its own way.
package simulate

import (
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
)

// DefaultCaller is the number of a customer of whom nothing is said.
const DefaultCaller = "+8613800000000"

// maxReplies is how often the world may answer at once without time passing or
// anybody acting: beyond it the flow runs in a circle that the engine has not seen.
const maxReplies = 2000

// Options say how an interaction begins.
type Options struct {
	Channel tandem.Channel // "" = the first of the flow
	At      time.Time      // zero = Opening
	Entry   string
	Lang    string         // the language known of the caller; "" = none
	Browser []string       // languages a browser asks for
	Inputs  map[string]any // values for the flow's inputs
	Given   Given
	Seed    uint64 // makes numbers, addresses of links and the like
}

// Talk is one interaction. Its methods are what people and other systems do; what the
// flow does in answer is in Lines.
type Talk struct {
	lib  *flow.Library
	flow *flow.Flow

	s      flow.Session
	began  time.Time
	now    time.Time
	since  time.Time // when the present wait began
	random rand.PCG

	given  Given
	asked  map[string]int // answers of an http step that are used up
	step   string         // entered last
	wanted flow.Effect    // what the session waits for, if it is something of the world
	links  []link
	line   place
	under  place // while an agent asks a step

	final flow.Frame // the values as they were at the end

	lines   []Line
	entered []Visit
	left    []tandem.StepLeft
	fault   error
}

// Visit is one entry into a step.
type Visit struct{ Flow, Step string }

// New begins the named flow. The error is a *tandem.Error: CodeNotFound for an unknown
// flow, CodeInvalid for a wrong input or a channel the flow does not list.
func New(lib *flow.Library, name string, o Options) (*Talk, error) {
	f, ok := lib.Flows[name]
	if !ok {
		return nil, tandem.Errorf(tandem.CodeNotFound, "there is no flow %q", name)
	}
	if o.Channel == "" && len(f.Channels) > 0 {
		o.Channel = f.Channels[0]
	}
	if o.At.IsZero() {
		o.At = Opening(lib, f)
	}
	if o.Entry == "" {
		o.Entry = "test"
	}
	t := &Talk{
		lib: lib, flow: f, began: o.At, now: o.At, since: o.At,
		random: *rand.NewPCG(o.Seed, 0x7461_6e64_656d), asked: map[string]int{},
	}
	t.given.Merge(o.Given)
	facts := flow.Facts{
		Number: tandem.NewNumber(reader{&t.random}), Entry: o.Entry, Channel: o.Channel, Caller: t.caller(),
		Customer: t.given.Customer, Browser: o.Browser, CallerLang: o.Lang,
	}
	if t.given.Assurance != nil {
		facts.Assurance = *t.given.Assurance
	}
	s, effects, err := engine.Start(lib, name, facts, o.Inputs, o.At)
	if err != nil {
		return nil, err
	}
	t.run(s, effects)
	return t, nil
}

// Clone is a talk that stands where t stands and goes its own way.
func (t *Talk) Clone() *Talk {
	c := *t
	c.given = Given{}
	c.given.Merge(t.given)
	c.asked = maps.Clone(t.asked)
	c.links = slices.Clone(t.links)
	c.lines, c.entered, c.left = slices.Clip(t.lines), slices.Clip(t.entered), slices.Clip(t.left)
	return &c
}

// Session is the session as it stands.
func (t *Talk) Session() flow.Session { return t.s }

// Flow is the flow that the interaction began with.
func (t *Talk) Flow() *flow.Flow { return t.flow }

// Now is the simulated time, Began that at which the interaction began.
func (t *Talk) Now() time.Time   { return t.now }
func (t *Talk) Began() time.Time { return t.began }

// Channel is how the customer is there now.
func (t *Talk) Channel() tandem.Channel { return t.s.Facts.Channel }

// Running is the name of the flow that runs, or ran last.
func (t *Talk) Running() string {
	if _, over := t.Ended(); over {
		return t.final.Flow
	}
	return t.here()
}

// Connected tells whether the customer talks with an agent.
func (t *Talk) Connected() bool { return t.line.connected }

// Ended is the reason of the end; false while the interaction goes on.
func (t *Talk) Ended() (string, bool) { return t.s.Ended, t.s.Wait.Kind == flow.WaitNone }

// Lines are what has happened so far, oldest first. They are not to be changed.
func (t *Talk) Lines() []Line { return slices.Clip(t.lines) }

// Entered are the steps entered, Left the ways they were left by, oldest first.
func (t *Talk) Entered() []Visit        { return slices.Clip(t.entered) }
func (t *Talk) Left() []tandem.StepLeft { return slices.Clip(t.left) }

// Fault is why the interaction cannot go on though it has not ended, nil if it can:
// the engine refused the session, or the flow runs in a circle.
func (t *Talk) Fault() error { return t.fault }

// Wanted is the effect that the present wait is about, such as a flow.Fetch nobody has
// given an answer for; nil if it is about the customer's own words or keys.
func (t *Talk) Wanted() flow.Effect { return t.wanted }

// Given changes what the world gives from here on. What g does not name stays.
func (t *Talk) Given(g Given) {
	t.given.Merge(g)
	if g.Assurance != nil {
		t.s.Facts.Assurance, t.s.Facts.AssuranceUntil = *g.Assurance, time.Time{}
	}
	if g.Caller != nil {
		t.s.Facts.Caller = *g.Caller
	}
	if g.Customer != "" {
		t.s.Facts.Customer = g.Customer
	}
	for _, key := range slices.Sorted(maps.Keys(g.HTTP)) {
		delete(t.asked, key)
	}
	t.retry()
}

// Variable is the value of a variable in the flow that runs, or that ran last;
// secret tells that it must not be shown.
func (t *Talk) Variable(name string) (value any, secret, ok bool) {
	f := t.final
	if n := len(t.s.Frames); n > 0 {
		f = t.s.Frames[n-1]
	}
	if v, ok := f.Vars[name]; ok {
		return v, false, true
	}
	for _, hidden := range []map[string]any{f.Secrets, f.Ephemeral} {
		if v, ok := hidden[name]; ok {
			return v, true, true
		}
	}
	return nil, false, false
}

// Do tells the session what happened, and the world answers what it can.
func (t *Talk) Do(in flow.Input) {
	if t.fault != nil {
		return
	}
	in.At = t.now
	s, effects, err := engine.Advance(t.lib, t.s, in)
	if err != nil {
		t.fault = err
		return
	}
	t.run(s, effects)
}

// run takes a session and its effects, and gives the world's answers until there are none.
func (t *Talk) run(s flow.Session, effects []flow.Effect) {
	var reply *flow.Input
	for range maxReplies {
		t.took(s, effects)
		if reply != nil && (reply.Kind == flow.InputPlace || reply.Kind == flow.InputMoved) {
			t.tell()
		}
		reply = t.carryOut(effects)
		if reply == nil || t.fault != nil {
			return
		}
		reply.At = t.now
		var err error
		if s, effects, err = engine.Advance(t.lib, t.s, *reply); err != nil {
			t.fault = err
			return
		}
	}
	t.fault = tandem.Errorf(tandem.CodeInvalid, "the flow runs in a circle: in step %s no time passes and nobody is waited for", t.s.Wait.Step)
}

// took keeps a session; a new wait begins to count its time now.
func (t *Talk) took(s flow.Session, effects []flow.Effect) {
	before := t.line
	if s.Wait.Serial != t.s.Wait.Serial || s.Wait.Kind != t.s.Wait.Kind {
		t.since, t.wanted, t.line = t.now, nil, place{}
	}
	switch asked := t.s.Asked; {
	case asked == nil && s.Asked != nil: // the agent waits meanwhile
		t.under = before
	case asked != nil && s.Asked == nil && s.Wait.Serial == asked.Wait.Serial:
		t.line = t.under
	}
	if n := len(t.s.Frames); n > 0 && len(s.Frames) == 0 {
		t.final = atEnd(t.s.Frames[n-1], effects)
	}
	t.s = s
}

// atEnd is the last frame of a session that has ended, with what its last steps have set.
func atEnd(f flow.Frame, effects []flow.Effect) flow.Frame {
	f.Vars = maps.Clone(f.Vars)
	for _, e := range effects {
		trace, ok := e.(flow.Trace)
		if !ok {
			continue
		}
		if d, ok := trace.Data.(tandem.StepLeft); ok && d.Flow == f.Flow {
			for name, v := range d.Set {
				if _, open := f.Vars[name]; open {
					f.Vars[name] = v
				}
			}
		}
	}
	return f
}

// retry answers what the session waits for, if the world can now.
func (t *Talk) retry() {
	if t.wanted == nil || t.fault != nil {
		return
	}
	if fetch, ok := t.wanted.(flow.Fetch); ok {
		if in := t.fetch(fetch); in != nil {
			t.Do(*in)
		}
	}
}

// reader draws bytes from a seeded source.
type reader struct{ from *rand.PCG }

func (r reader) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = byte(r.from.Uint64() >> 32)
	}
	return len(b), nil
}
