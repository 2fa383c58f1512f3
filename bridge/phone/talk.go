package phone

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/room"
)

const (
	// joinTime bounds how long an answered phone waits for the session of the customer's
	// call: what the caller must hear whole, such as that the call is recorded, comes first.
	joinTime = 30 * time.Second
	// joinTone is after how much of that the agent hears that it goes on.
	joinTone = 300 * time.Millisecond
	// mendTime is how long an agent whose connection is broken has to be back.
	mendTime = 30 * time.Second
	// inboxRoom is how many notes and commands wait for a talk; who brings more waits.
	inboxRoom = 64
	// mostParties bounds a room.
	mostParties = 8
)

// ending is how a talk ended.
type ending uint8

const (
	goesOn       ending = iota
	agentLeft           // they hung up
	agentLost           // their phone or browser went away
	customerLeft        // they hung up, or their phone went away
	taken               // the line took the task away
	tooLong
	stopped
)

// talk is what goes on in one interaction's room, from the agent's answer to the last
// goodbye, or while somebody listens to a customer whom nobody serves yet. One goroutine
// runs it and looks at its fields, but for those under mu.
type talk struct {
	s     *Switchboard
	r     *ring // whose task it is; nil = nobody's
	in    tandem.InteractionID
	log   *slog.Logger
	ctx   context.Context
	room  *room.Room
	inbox chan any
	kick  chan struct{} // holds one: something under mu is another now
	done  chan struct{} // closed when it is over
	going sync.WaitGroup

	parties  []*party // who is in the room
	leaving  []*party // who was, and is not said goodbye to yet
	agent    *party   // who has the task
	customer *party
	asked    *request // who is being asked in
	aside    *party   // whom the agent speaks with beside the customer
	cut      *time.Timer
	told     bool // the customer was told that the agent's connection is broken
	busy     map[string]bool
	quiet    bool   // the customer enters a secret
	looking  bool   // it is being asked who may listen in
	why      string // of its end

	mu     sync.Mutex
	seen   Talk
	secret bool
	lent   bool
	held   bool // the customer's phone holds us
}

// newTalk makes a talk that nobody knows of yet.
func (s *Switchboard) newTalk(r *ring, in tandem.InteractionID, ctx context.Context) *talk {
	t := &talk{s: s, r: r, in: in, ctx: ctx, log: s.o.Log.With("interaction", in), room: room.New(s.o.Engine, s.o.Music), inbox: make(chan any, inboxRoom),
		kick: make(chan struct{}, 1), done: make(chan struct{}), busy: map[string]bool{}}
	if r != nil {
		t.log = r.log
	}
	return t
}

// takeOver makes a talk the one of its interaction. Who listened to the customer before goes
// on with it. It is called on the talk's goroutine.
func (t *talk) takeOver() {
	t.s.mu.Lock()
	before := t.s.talks[t.in]
	t.s.talks[t.in] = t
	t.s.mu.Unlock()
	if before != nil && before.r == nil {
		t.adopt(before)
	}
}

// adopt takes over who listens in another talk, which ends with that.
func (t *talk) adopt(before *talk) {
	ask := give{make(chan []*party, 1)}
	select {
	case before.inbox <- ask:
	case <-before.done:
		return
	}
	<-before.done
	select {
	case parties := <-ask.parties:
		for _, p := range parties {
			t.s.sitOn(p.Name, t)
			if p.engaged {
				t.busy[p.Name] = true
			}
			t.enter(p)
			t.watch(p)
		}
	default: // it ended of itself
	}
}

// give asks a talk for its listeners.
type give struct{ parties chan []*party }

// serve joins the agent with the customer, and goes on until one of them leaves.
func (t *talk) serve(caller Caller) (ending, tandem.Termination) {
	leg := caller.Leg()
	p := &party{Party: Party{Leg: leg.ID, Role: tandem.RoleCustomer, Number: leg.From, Device: DevicePhone}, stream: caller.Stream(), caller: caller}
	if leg.Kind == tandem.LegWebRTC {
		p.Device = DeviceBrowser
	}
	if !leg.Inbound && leg.From == "" {
		p.Number = leg.To
	}
	t.customer = p
	t.enter(p)
	t.watch(p)
	t.arrange()
	caller.Joined(far{t})
	defer caller.Joined(nil)
	return t.run()
}

// run takes what happens until the talk is over.
func (t *talk) run() (ending, tandem.Termination) {
	again := time.NewTicker(t.s.again)
	defer again.Stop()
	for {
		var mend <-chan time.Time
		if t.cut != nil {
			mend = t.cut.C
		}
		select {
		case <-t.ctx.Done():
			return t.takenAway()
		case <-again.C:
			t.inspect()
		case <-mend:
			t.cut = nil
			if end, how := t.leaves(t.agent, tandem.Terminate(tandem.ByRemote, tandem.ReasonTransport)); end != goesOn {
				return end, how
			}
		case <-t.kick:
			t.look()
		case n := <-t.inbox:
			if end, how := t.take(n); end != goesOn {
				return end, how
			}
		}
	}
}

// take takes one note or command.
func (t *talk) take(n any) (end ending, how tandem.Termination) {
	switch n := n.(type) {
	case left:
		if slices.Contains(t.parties, n.p) {
			return t.leaves(n.p, n.t)
		}
	case holds:
		if slices.Contains(t.parties, n.p) {
			n.p.away = n.on
			t.s.hold(n.p.out, n.on)
			t.arrange()
		}
	case moved:
		if slices.Contains(t.parties, n.p) && n.seat == n.p.seat {
			t.moves(n.p, n.state)
		}
	case inspected:
		return t.inspected(n)
	case answered:
		t.arrives(n)
	case lapsed:
		if t.asked != nil && t.asked.ID == n.id {
			t.unask(n.why)
		}
	case command:
		end, how = t.command(n)
	case lending:
		n.reply <- t.lending(n.on)
	case entering:
		n.reply <- t.guest(n.who, n.role)
	case expelling:
		if p := t.of(n.who); p != nil && p.Guest {
			t.sendAway(p, "removed", tandem.Terminate(tandem.BySystem, tandem.ReasonForbidden))
		}
	case give: // a talk of somebody who serves the customer begins beside this one: only to be
		n.parties <- nil
	}
	return end, how
}

// takenAway is the end of a talk by the line's word, or as the server stops: the next
// start decides about what was going on.
func (t *talk) takenAway() (ending, tandem.Termination) {
	var o over
	if errors.As(context.Cause(t.ctx), &o) {
		return taken, tandem.Terminate(tandem.ByPeer, tandem.ReasonHangup)
	}
	return stopped, tandem.Terminate(tandem.BySystem, tandem.ReasonShutdown)
}

// leaves takes it that a party is gone. If it is the agent, another one who is there goes on
// with the customer; else the talk is over.
func (t *talk) leaves(p *party, how tandem.Termination) (ending, tandem.Termination) {
	hangup := tandem.Terminate(tandem.ByPeer, tandem.ReasonHangup)
	switch {
	case p == t.customer:
		if how.Reason == tandem.ReasonShutdown {
			return stopped, hangup
		}
		return customerLeft, hangup
	case p == t.agent:
		if how.Reason == tandem.ReasonShutdown {
			return stopped, how
		}
		late := how.Reason == tandem.ReasonMaxDuration
		lost := how.Class != tandem.ClassNormal && !late
		if next := t.heir(); next != nil && !t.joined() && t.passOn(next, whyLeft(how), how) == nil {
			if lost {
				t.lose(p)
			}
			return goesOn, how
		}
		switch {
		case late:
			return tooLong, how
		case lost:
			return agentLost, how
		}
		return agentLeft, how
	}
	t.sendAway(p, whyLeft(how), how)
	if t.r == nil && len(t.parties) == 1 {
		return customerLeft, hangup
	}
	return goesOn, how
}

// whyLeft is the word by which the journal tells how a leg ended.
func whyLeft(how tandem.Termination) string {
	if how.Reason == tandem.ReasonMaxDuration {
		return "over"
	}
	if how.Class != tandem.ClassNormal {
		return "lost"
	}
	return "left"
}

// sendAway ends a party other than customer and agent.
func (t *talk) sendAway(p *party, why string, how tandem.Termination) {
	if t.aside == p {
		t.aside = nil
		t.holdAll(false)
	}
	t.exit(p, why)
	t.idle(p.Name)
	t.arrange()
	t.going.Go(func() { t.goodbye(p, how) })
}

// lose counts an agent whose phone or browser went away, who is out of reach now.
func (t *talk) lose(p *party) {
	t.s.o.Counted(CountedLost)
	t.s.gone(p.Name)
}

// moves takes what a seat is now.
func (t *talk) moves(p *party, state SeatState) {
	switch {
	case state == SeatUp && p.State == StateJoined:
		return
	case state == SeatUp:
		p.State, p.Since = StateJoined, t.s.o.Now()
		if p == t.agent {
			t.mended()
		}
	case p.State == StateCut && p == t.agent, p.State == StateCut && state != SeatGone:
	case p == t.agent: // a page that is loaded anew comes back by another seat
		p.State, p.Since = StateCut, t.s.o.Now()
		t.cut = time.NewTimer(mendTime)
		t.tell()
		t.look() // the other page may be there already
		return
	case state == SeatGone:
		t.sendAway(p, "lost", tandem.Terminate(tandem.ByRemote, tandem.ReasonTransport))
		return
	default:
		p.State, p.Since = StateCut, t.s.o.Now()
	}
	t.arrange()
}

// tell has a customer who is alone now told that they are kept.
func (t *talk) tell() {
	if t.told || t.customer == nil || t.isLent() {
		return
	}
	for _, p := range t.parties {
		if p != t.customer && p.Role != tandem.RoleListener && p.Role != tandem.RoleWhisperer && p.State == StateJoined && !p.Held {
			return
		}
	}
	t.told = true
	t.customer.lent = true
	t.arrange()
	t.customer.caller.Interrupted(true)
}

// mended ends what tell began.
func (t *talk) mended() {
	if t.cut != nil {
		t.cut.Stop()
		t.cut = nil
	}
	if t.told {
		t.told = false
		t.customer.caller.Interrupted(false)
		t.customer.lent = t.isLent()
	}
}

// look takes in what is told without waiting: secrets, hold by the customer's phone, and a
// seat that is there anew.
func (t *talk) look() {
	t.mu.Lock()
	held, secret := t.held, t.secret
	t.mu.Unlock()
	if t.customer != nil {
		t.customer.away = held
	}
	if secret != t.quiet {
		t.quiet = secret
		for _, p := range t.parties {
			t.pause(p)
		}
	}
	if a := t.agent; a != nil && a.seat != nil && a.State == StateCut {
		if seat, ok := t.s.seat(a.Name); ok && seat != a.seat {
			a.stop()
			a.seat, a.stream, a.before = seat, seat.Stream(), seat.Stream().Stats()
			a.State, a.Since = StateJoined, t.s.o.Now()
			t.retape(a)
			t.watch(a)
			t.mended()
		}
	}
	t.arrange()
}

// retape goes on recording a party whose stream is another now.
func (t *talk) retape(p *party) {
	if !p.taped {
		return
	}
	t.endTape(p)
	t.tape(p)
}

// arrange has everybody hear what they are to, and tells who watches.
func (t *talk) arrange() {
	parties := make([]room.Party, 0, len(t.parties))
	for _, p := range t.parties {
		parties = append(parties, t.part(p))
		t.journal(p)
	}
	if err := t.room.Set(parties); err != nil {
		t.log.Warn("not everybody hears what they are to", "error", err)
	}
	t.publish(false)
}

func (t *talk) isLent() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lent
}

// far is whom the customer's signalling reaches.
type far struct{ t *talk }

func (f far) Held(on bool) {
	f.t.mu.Lock()
	f.t.held = on
	f.t.mu.Unlock()
	f.t.stir()
}

// keyTime is how long a key passed on sounds, in ms: an INFO tells it only once it is over.
const keyTime = 160

// Key is passed to the phones that hear the customer.
func (f far) Key(digit byte) {
	select {
	case f.t.inbox <- command{c: Command{Do: relayed, Keys: string(digit)}, reply: make(chan error, 1)}:
	default: // a talk that is this busy drops a key
	}
}

// stir has the talk look at what is under mu.
func (t *talk) stir() {
	select {
	case t.kick <- struct{}{}:
	default:
	}
}

// hold notes that a phone in a talk holds us, or has taken us back.
func (s *Switchboard) hold(o *out, on bool) {
	s.o.Store.Note(o.event(tandem.EventHold, tandem.Held{By: tandem.ByRemote, On: on}))
}

// until waits for what is to come before a customer can be joined, while the agent is there
// and hears ringing after a moment.
func (t *talk) until(done <-chan error, tone time.Duration) (end ending, how tandem.Termination, err error) {
	ring := time.NewTimer(tone)
	defer ring.Stop()
	defer t.agent.stream.Stop(toneID)
	for {
		select {
		case err := <-done:
			return goesOn, how, err
		case <-ring.C:
			t.play(t.agent, t.s.o.Ringback)
		case <-t.ctx.Done():
			end, how = t.takenAway()
			return end, how, nil
		case <-t.kick:
			t.look()
		case n := <-t.inbox:
			if l, is := n.(left); is && l.p == t.agent {
				if l.t.Reason == tandem.ReasonShutdown {
					return stopped, l.t, nil
				}
				if l.t.Class != tandem.ClassNormal {
					return agentLost, l.t, nil
				}
				return agentLeft, l.t, nil
			}
			if c, is := n.(command); is && c.c.Do != Leave {
				c.reply <- errNotJoined
				continue
			}
			if m, is := n.(moved); is && m.p == t.agent && m.state == SeatGone {
				return agentLost, tandem.Terminate(tandem.ByRemote, tandem.ReasonTransport), nil
			}
			if end, how = t.take(n); end != goesOn {
				return end, how, nil
			}
		}
	}
}

var errNotJoined = tandem.Errorf(tandem.CodeUnavailable, "the customer is not on the line yet; try again in a moment")
