package live

import (
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/phone"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/web/desk/view"
)

// maxFacts bounds the facts that wait to be told. When there are more they are dropped, and
// the line is read instead: whoever looks gets everything as it is.
const maxFacts = 8192

// inbox holds facts between the router, which may not wait, and the follower.
type inbox struct {
	mu    sync.Mutex
	facts []any // queue.Fact, phone.Talk, phone.Invite, view.Upgrade, view.Check, and what live itself has to tell in its turn
	lost  bool
	over  bool
	wake  chan struct{} // of one: there is something
}

func newInbox() *inbox { return &inbox{wake: make(chan struct{}, 1)} }

func (b *inbox) put(f any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.facts) >= maxFacts {
		b.facts, b.lost = nil, true
	}
	b.facts = append(b.facts, f)
	b.stir()
}

// stir wakes the follower. mu is held.
func (b *inbox) stir() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

func (b *inbox) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	b.stir()
}

// take empties it. lost says that there were others before these.
func (b *inbox) take() (facts []any, lost, over bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	facts, lost, over = b.facts, b.lost, b.over
	b.facts, b.lost = nil, false
	return facts, lost, over
}

// follow tells what happens in the line to whoever looks, until Close.
func (d *Floor) follow() {
	tick := time.NewTicker(d.o.Times.Board)
	defer tick.Stop()
	for {
		select {
		case <-d.facts.wake:
			facts, lost, over := d.facts.take()
			if over {
				return
			}
			if !d.contained(func() { d.tellAll(facts, lost) }) {
				d.contained(func() { d.tellAll(nil, true) })
			}
		case <-tick.C:
			d.contained(d.tellBoard)
		}
	}
}

// contained does something and outlives a fault of ours in it.
func (d *Floor) contained(do func()) (well bool) {
	defer func() {
		if p := recover(); p != nil {
			if d.o.Panicked != nil {
				d.o.Panicked()
			}
			d.o.Log.Error("following the line met a fault of ours", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
		}
	}()
	do()
	return true
}

// tellAll tells facts; lost says that there were others before them.
func (d *Floor) tellAll(facts []any, lost bool) {
	if lost {
		d.o.Log.Warn("the desk could not follow the line and reads it anew")
		d.o.Board.Read(d.o.Line)
		d.readTalks()
		d.readFaces()
		d.lookAllFaces()
		d.startOver()
	}
	for _, f := range facts {
		switch f := f.(type) {
		case queue.Fact:
			d.o.Board.Took(f)
			d.tellAgent(f)
			d.endListening(f)
			d.lookFaces(about(f))
		case phone.Talk:
			d.tellTalk(f)
			d.lookFaces(f.Interaction)
		case view.Upgrade:
			d.tellUpgrade(f)
		case view.Check:
			d.tellCheck(f)
		case lookAt:
			d.lookFaces(f.in)
		case linked:
			d.tellRoleLink(f)
		case beside:
			d.hearBeside(f.in)
		case phone.Invite:
			d.tellInvite(f)
		case linkTold:
			d.tellLink(f)
		case asked:
			d.toFeed(f.agent, func(n uint64) any { return askedFrame{kindAsked, n, f.told} })
		}
	}
}

// tellAgent tells a fact to the agent it is about, if they have a feed.
func (d *Floor) tellAgent(f queue.Fact) {
	switch o := f.Output.(type) {
	case route.OfferMade:
		d.toFeed(o.Task.Agent, func(n uint64) any { return offerFrame{kindOffer, n, d.task(o.Task), &o.Decision} })
	case route.OfferOver:
		d.toFeed(o.Agent, func(n uint64) any { return offerOver{kindOfferOver, n, o.Task.ID, o.Fence, o.Why} })
	case route.TaskAssigned:
		if fd := d.feed(o.Task.Agent); fd != nil {
			fd.tell(func(n uint64) any { return taskFrame{kindTask, n, d.task(o.Task), "assigned"} })
			d.hear(fd, o.Task)
		}
	case route.TaskChanged:
		if o.Task.Agent == "" || (o.Task.State != tandem.TaskAssigned && o.Task.State != tandem.TaskOffered) {
			return
		}
		if fd := d.feed(o.Task.Agent); fd != nil {
			fd.tell(func(n uint64) any { return taskFrame{kindTask, n, d.task(o.Task), "changed"} })
			if o.Task.State == tandem.TaskAssigned {
				d.hear(fd, o.Task)
			}
		}
	case route.TaskReleased:
		if fd := d.feed(o.Agent); fd != nil {
			fd.tell(func(n uint64) any { return taskFrame{kindTask, n, d.task(o.Task), o.Why} })
			fd.deaf(o.Task.ID)
		}
	case route.WrapBegun:
		d.toFeed(o.Agent, func(n uint64) any { return wrapFrame{kindWrap, n, o.Task, o.Fence, view.UTC(o.Until)} })
	case route.WrapOver:
		d.toFeed(o.Agent, func(n uint64) any { return wrapFrame{T: kindWrap, N: n, Task: o.Task, Fence: o.Fence} })
	case route.AgentChanged:
		d.toFeed(o.Agent.Name, func(n uint64) any { return stateFrame{kindState, n, d.agent(o.Agent)} })
	}
}

// about is whose task a fact is about; "" = nobody's who is talked with.
func about(f queue.Fact) tandem.InteractionID {
	switch o := f.Output.(type) {
	case route.TaskAssigned:
		return o.Task.Interaction
	case route.TaskChanged:
		return o.Task.Interaction
	case route.TaskReleased:
		return o.Task.Interaction
	case route.TaskOver:
		return o.Task.Interaction
	}
	return ""
}

// lookAt asks the follower to look who may know of an interaction's upgrade now.
type lookAt struct{ in tandem.InteractionID }

// toFeed tells an agent's sockets something, if there are any.
func (d *Floor) toFeed(name string, frame func(n uint64) any) {
	if f := d.feed(name); f != nil {
		f.tell(frame)
	}
}

// guard looks again, every few seconds, who everybody is, who can be reached, and which
// feeds nobody needs any more, until Close.
func (d *Floor) guard() {
	tick := time.NewTicker(d.o.Times.Guard)
	defer tick.Stop()
	for {
		select {
		case <-d.guarded.Done():
			return
		case <-d.soon:
		case <-tick.C:
		}
		d.contained(d.recheck)
		d.contained(d.measure)
		d.contained(d.doubt)
		d.contained(d.giveBack)
		d.contained(d.sweepFeeds)
	}
}

// LookAgain has the guard look at once: somebody may have lost what let them in. It does not wait.
func (d *Floor) LookAgain() {
	select {
	case d.soon <- struct{}{}:
	default:
	}
}
