package live

import (
	"crypto/rand"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/web/desk/view"
	"tandem/web/login"
)

const (
	maxMissed = 256             // frames that are kept for who comes back
	feedStays = 2 * time.Minute // after its last socket
)

// feed is what one person is told: numbered frames, the same to all of their sockets, the
// newest kept for who comes back. It hears the chats of the tasks that they are doing, or
// that they listen to.
type feed struct {
	name  string
	epoch string

	mu      sync.Mutex
	super   bool     // they are a supervisor, as of their newest socket
	n       uint64   // of the newest frame
	missed  [][]byte // the newest, the last is n
	sockets map[*socket]struct{}
	idle    time.Time              // since when nobody listens; zero while somebody does
	talks   map[tandem.TaskID]*ear // wanted, and heard
	seats   map[string]*socket     // who spoke last of each, up to maxSeats
	screens map[string]*socket     // likewise, of pages that look at a customer
	once    once
}

// ear hears one talk.
type ear struct {
	task tandem.Task
	call bool               // it is looked for once: a call need not have one
	sub  *chat.Subscription // nil until it was found
	busy bool               // somebody looks for it
	over bool
}

// Feeds of agents stand under their names, those of users who are none under theirs with
// this before it: so that who is an agent no more is told nothing of what they had.
const plainUser = "user "

// whose is the feed that a caller has, and their name: an agent's, or that of a user who has
// logged in; "" of any other program.
func whose(c login.Caller) (key, name string) {
	if a := c.Agent(); a != "" || c.Key.ID != "" {
		return a, a
	}
	return plainUser + c.User.Name, c.User.Name
}

// feedsOf are the feeds of a person.
func (d *Floor) feedsOf(name string) []*feed {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []*feed
	for _, key := range []string{name, plainUser + name} {
		if f := d.feeds[key]; f != nil {
			out = append(out, f)
		}
	}
	return out
}

// Present reports whether somebody has a socket.
func (d *Floor) There(name string) bool {
	for _, f := range d.feedsOf(name) {
		f.mu.Lock()
		there := len(f.sockets) > 0
		f.mu.Unlock()
		if there {
			return true
		}
	}
	return false
}

// feed is an agent's feed, nil if nobody has listened lately.
func (d *Floor) feed(name string) *feed {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.feeds[name]
}

// joinFeed makes a socket one of somebody's. What it missed, or everything as it is, is
// queued for it before all that comes after.
func (d *Floor) joinFeed(c login.Caller, s *socket, in incoming, hello func(f *feed, resumed bool) bool) *feed {
	super := d.o.Supervises(c)
	key, name := whose(c)
	d.mu.Lock()
	f := d.feeds[key]
	if f == nil {
		f = newFeed(name)
		d.feeds[key] = f
	}
	f.mu.Lock() // before d.mu is free, so that no sweep comes between
	d.mu.Unlock()
	defer f.mu.Unlock()
	f.sockets[s], f.idle, f.super = struct{}{}, time.Time{}, super
	since := in.Since
	resumed := in.Epoch == f.epoch && since <= f.n && f.n-since <= uint64(len(f.missed))
	if !hello(f, resumed) {
		return f
	}
	if resumed {
		for _, data := range f.missed[uint64(len(f.missed))-(f.n-since):] {
			s.pushRaw(data)
		}
	} else {
		d.snapshot(f, s)
	}
	s.push(ready{kindReady, f.n})
	return f
}

func newFeed(name string) *feed {
	return &feed{name: name, epoch: rand.Text(), sockets: map[*socket]struct{}{}, talks: map[tandem.TaskID]*ear{}, seats: map[string]*socket{}, screens: map[string]*socket{}}
}

// snapshot queues everything as it is. f.mu is held.
func (d *Floor) snapshot(f *feed, s *socket) {
	defer d.snapshotFaces(f, s)
	defer d.heard.snapshot(f, s)
	a, ok := d.o.Line.Agent(f.name)
	if c := s.who.Load(); !ok || c.Agent() != f.name {
		return
	}
	s.push(stateFrame{kindState, f.n, d.agent(a)})
	for _, h := range a.Holds {
		t, ok := d.o.Line.Task(h.Task)
		switch {
		case h.State == tandem.TaskWrapping:
			s.push(wrapFrame{kindWrap, f.n, h.Task, h.Fence, view.UTC(h.Deadline)})
		case !ok:
		case h.State == tandem.TaskOffered:
			s.push(offerFrame{kindOffer, f.n, d.task(t), nil})
		default:
			s.push(taskFrame{kindTask, f.n, d.task(t), "assigned"})
		}
	}
}

// leaveFeed takes a socket off its feed; last says that it was the only one.
func (f *feed) leave(s *socket, now time.Time) (last bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.sockets, s)
	for seat, of := range f.seats {
		if of == s {
			delete(f.seats, seat)
		}
	}
	maps.DeleteFunc(f.screens, func(_ string, of *socket) bool { return of == s })
	if len(f.sockets) == 0 {
		f.idle = now
	}
	return len(f.sockets) == 0
}

// tell numbers a frame, keeps it, and queues it for all sockets. It does not wait.
func (f *feed) tell(frame func(n uint64) any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	data, err := json.Marshal(frame(f.n + 1))
	if err != nil {
		panic("desk: a frame cannot be written: " + err.Error())
	}
	f.n++
	if len(f.missed) >= maxMissed {
		copy(f.missed, f.missed[1:])
		f.missed = f.missed[:len(f.missed)-1]
	}
	f.missed = append(f.missed, data)
	for s := range f.sockets {
		s.pushRaw(data)
	}
}

// pass tells something that is not kept.
func (f *feed) pass(frame any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for s := range f.sockets {
		s.push(frame)
	}
}

// hear has a feed told what is said in the talk of a task, if it has one.
func (d *Floor) hear(f *feed, t tandem.Task) {
	f.mu.Lock()
	e := f.talks[t.ID]
	if e != nil && e.task.Kind == t.Kind {
		f.mu.Unlock()
		return
	}
	sub := f.end(t.ID)
	call := t.Kind.Load() == tandem.LoadVoice
	talks := t.Kind == tandem.TaskChat || t.Kind == tandem.TaskText || call
	if talks {
		f.talks[t.ID] = &ear{task: t, call: call}
	}
	f.mu.Unlock()
	closeAll(sub)
	if talks {
		d.listen(f)
	}
}

// end takes an ear off and gives what is to be closed once no lock of ours is held: the
// book's are taken before ours when it delivers. mu is held.
func (f *feed) end(id tandem.TaskID) *chat.Subscription {
	e := f.talks[id]
	if e == nil {
		return nil
	}
	delete(f.talks, id)
	e.over = true
	return e.sub
}

// deaf ends the hearing of a talk.
func (f *feed) deaf(id tandem.TaskID) {
	f.mu.Lock()
	sub := f.end(id)
	f.mu.Unlock()
	closeAll(sub)
}

func closeAll(subs ...*chat.Subscription) {
	for _, s := range subs {
		if s != nil {
			s.Close()
		}
	}
}

// listen looks for talks that are wanted and not heard yet, on a goroutine of its own: it
// reads the store.
func (d *Floor) listen(f *feed) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, e := range f.talks {
		if e.sub != nil || e.busy {
			continue
		}
		e.busy = true
		d.running.Go(func() { d.findTalk(f, e) })
	}
}

func (d *Floor) findTalk(f *feed, e *ear) {
	talk, err := d.o.Work.Talk(d.ctx, &e.task)
	var sub *chat.Subscription
	if err == nil {
		id := e.task.ID
		sub, err = d.o.Talks.Subscribe(talk.ID, func(fr chat.Frame) bool { return f.heard(id, fr) })
	}
	if err != nil && e.call {
		f.mu.Lock()
		if f.talks[e.task.ID] == e {
			f.end(e.task.ID)
		}
		f.mu.Unlock()
		return
	}
	if err != nil && d.ctx.Err() == nil { // it is tried again before long
		d.o.Log.Warn("an agent's page does not hear a talk", "interaction", e.task.Interaction, "error", err)
	}
	f.mu.Lock()
	e.busy, e.sub = false, sub
	over := e.over
	f.mu.Unlock()
	if over {
		closeAll(sub)
	}
}

// heard takes what a talk publishes. It must not wait.
func (f *feed) heard(id tandem.TaskID, fr chat.Frame) bool {
	switch fr := fr.(type) {
	case *chat.Entry:
		m := view.MessageOf(fr)
		f.tell(func(n uint64) any { return messageFrame{kindMessage, n, id, m} })
	case chat.Typing:
		if fr.From == tandem.SenderCustomer {
			f.pass(typingFrame{kindTyping, id, fr.On})
		}
	}
	return true
}

// startOver gives every socket everything as it is, after facts were lost.
func (d *Floor) startOver() {
	d.mu.Lock()
	feeds := make([]*feed, 0, len(d.feeds))
	for _, f := range d.feeds {
		feeds = append(feeds, f)
	}
	d.mu.Unlock()
	for _, f := range feeds {
		f.mu.Lock()
		f.epoch, f.missed = rand.Text(), nil // whoever comes back did not get what was lost
		for s := range f.sockets {
			s.end(closeLater, "later")
		}
		f.mu.Unlock()
	}
}

// sweepFeeds drops feeds that nobody has listened to for long, and tries again to hear the
// talks of the others.
func (d *Floor) sweepFeeds() {
	now := d.o.Now()
	d.mu.Lock()
	var gone, kept []*feed
	for name, f := range d.feeds {
		f.mu.Lock()
		if !f.idle.IsZero() && now.Sub(f.idle) >= feedStays {
			delete(d.feeds, name)
			gone = append(gone, f)
		} else {
			kept = append(kept, f)
		}
		f.mu.Unlock()
	}
	d.mu.Unlock()
	for _, f := range gone {
		d.heard.forget(f.name)
		f.silence()
	}
	for _, f := range kept {
		d.listen(f)
	}
}

// silence ends the hearing of all talks.
func (f *feed) silence() {
	f.mu.Lock()
	var subs []*chat.Subscription
	for id := range f.talks {
		subs = append(subs, f.end(id))
	}
	f.mu.Unlock()
	closeAll(subs...)
}

func (d *Floor) dropFeeds() {
	d.mu.Lock()
	feeds := d.feeds
	d.feeds = map[string]*feed{}
	d.mu.Unlock()
	for _, f := range feeds {
		f.silence()
	}
}
