package upgrade

import (
	"context"
	"log/slog"
	"reflect"
	"slices"
	"sync"
	"time"

	"tandem"
	"tandem/bridge/phone"
	"tandem/media/webrtc"
	"tandem/store"
)

const (
	// lookEvery is how often an upgrade is looked at, besides when something happens.
	lookEvery = 500 * time.Millisecond
	// joinEvery is the time between two tries to join a customer with their agent.
	joinEvery = 2 * time.Second
	// partTime bounds the wait for a talk to let go of the customer's stream.
	partTime = 2 * time.Second
	// doTime bounds an order whose asker sets no bound; keepTime a write that somebody waits for.
	doTime   = 15 * time.Second
	keepTime = 10 * time.Second
	// inboxRoom is how many orders wait for an upgrade; who brings more waits.
	inboxRoom = 16
)

// upgrade is one that goes on. Its goroutine looks at its fields, but for those under mu.
type upgrade struct {
	u     *Upgrades
	id    tandem.UpgradeID
	in    tandem.InteractionID
	task  tandem.TaskID
	log   *slog.Logger
	inbox chan order
	kick  chan struct{} // holds one: something is another now
	done  chan struct{} // closed once it is over

	plan     plan
	leg      tandem.Leg // of the customer's page; of a caller, their call's id alone
	agent    string
	page     string
	lang     string
	reason   string
	check    tandem.CheckID
	kept     bool
	keeps    bool              // once what waits for an answer is agreed to
	names    map[string]string // that customers know people by
	asked    time.Time
	until    time.Time
	agreed   time.Time // when it was agreed for the first time
	silent   time.Time // since when nothing gets through that did
	tried    time.Time // when the customer was last tried to be joined
	caller   *caller
	joined   bool
	unjoined bool // the agent could not be joined when it was tried last
	was      bool // something got through
	now      tandem.Level
	fallen   string
	live     [4]bool // which pictures come, as the talk was told last

	mu     sync.Mutex
	seen   Upgrade
	peer   Peer   // nil = none
	screen Screen // nil = none
	away   time.Time
	talk   string // how the talk ended, "" = it has not
}

// order is what somebody wants of an upgrade.
type order struct {
	do    func() error
	reply chan error // holds one
}

// do has an upgrade's goroutine do something, and waits for it.
func (x *upgrade) do(ctx context.Context, f func() error) error {
	ctx, cancel := context.WithTimeout(ctx, doTime)
	defer cancel()
	o := order{f, make(chan error, 1)}
	select {
	case x.inbox <- o:
	case <-x.done:
		return errOver
	case <-ctx.Done():
		return errBusy
	}
	select {
	case err := <-o.reply:
		return err
	case <-x.done:
		select {
		case err := <-o.reply:
			return err
		default:
			return errOver
		}
	case <-ctx.Done():
		return errBusy
	}
}

// stir has it look at what is another now.
func (x *upgrade) stir() {
	select {
	case x.kick <- struct{}{}:
	default:
	}
}

// run is its goroutine.
func (x *upgrade) run(ctx context.Context) {
	defer close(x.done)
	defer x.u.forget(x)
	defer func() {
		if p := recover(); p != nil {
			x.u.o.Panicked(p)
			x.plan = finish(x.plan, event{Do: end, By: BySystem, Why: "ended"})
			x.close(ctx)
		}
	}()
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for !x.plan.State.Over() {
		select {
		case <-ctx.Done():
			x.finish(BySystem, "stopped")
		case <-tick.C:
			x.look(ctx)
		case <-x.kick:
			x.look(ctx)
		case o := <-x.inbox:
			o.reply <- o.do()
			x.look(ctx)
		}
	}
	x.close(ctx)
}

// look brings it up to date with what is there.
func (x *upgrade) look(ctx context.Context) {
	if x.plan.State.Over() {
		return
	}
	now := x.u.now()
	if why := x.stands(); why != "" {
		x.finish(BySystem, why)
		return
	}
	if x.plan.Pending && !now.Before(x.until) {
		next, _ := step(x.plan, event{Do: lapse})
		x.settle(next, BySystem, "lapsed")
	}
	x.join(ctx, now)
	x.measure(now)
	if why := x.lost(now); why != "" {
		x.finish(BySystem, why)
		return
	}
	x.publish()
}

// stands is why it can go on no longer, "" if it can: its agent has the task, or who it was
// handed on to within the talk.
func (x *upgrade) stands() (why string) {
	t, ok := x.u.o.Line.Task(x.task)
	talk, up := x.u.o.Switchboard.TalkOf(x.in)
	up = up && talk.Task == x.task
	x.mu.Lock()
	ended := x.talk
	x.mu.Unlock()
	switch {
	case ok && (t.State == tandem.TaskWaiting || t.State == tandem.TaskOffered): // back in line, or handed to a queue
		return "transferred"
	case !ok || t.State != tandem.TaskAssigned:
		return "done"
	case (t.Kind.Load() == tandem.LoadVoice) != x.plan.Pictures: // they have moved to another channel
		return "done"
	case t.Agent == x.agent:
	case up && talk.Agent == t.Agent:
		x.agent = t.Agent
	case !up:
		return "transferred"
	}
	switch {
	case !x.joined || up:
	case x.plan.Pictures:
		return "done"
	case ended == "left" || ended == "lost":
		return ended
	case ended != "": // else it is told in a moment
		return "ended"
	}
	return ""
}

// join has the customer and their agent speak with each other, once the page is heard.
func (x *upgrade) join(ctx context.Context, now time.Time) {
	voice, screen := x.plan.needs()
	switch {
	case x.joined:
	case x.plan.Pictures:
		talk, up := x.u.o.Switchboard.TalkOf(x.in)
		if x.joined = screen && up && talk.Task == x.task; x.joined {
			x.u.o.Switchboard.Pictured(x.in)
		}
	case voice && x.peer != nil && x.peer.State() == webrtc.StateUp && now.Sub(x.tried) >= joinEvery:
		x.tried = now
		x.mu.Lock()
		x.talk = ""
		x.mu.Unlock()
		x.caller = &caller{leg: x.leg, peer: x.peer, left: make(chan struct{})}
		if err := x.u.o.Switchboard.Join(ctx, x.task, x.caller); err != nil {
			x.log.Warn("a customer could not be joined with their agent; it is tried again", "error", err)
			x.unjoined, x.caller = true, nil
			return
		}
		x.joined, x.unjoined = true, false
		x.leg.Answered = x.u.now()
		x.u.o.Store.Settle(&store.Change{Legs: []tandem.Leg{x.leg}, Events: []tandem.Event{x.event(tandem.EventLegAnswered, "system", nil)}})
		x.u.o.Switchboard.Pictured(x.in)
	}
}

// measure takes in what gets through.
func (x *upgrade) measure(now time.Time) {
	l := links{Joined: x.joined, Alone: x.joined && x.alone()}
	if x.peer != nil {
		l.Voice, l.Mic = x.peer.State(), x.peer.Mic()
	}
	if x.screen != nil {
		l.Screen, l.Cam = x.screen.State(), x.screen.Cam()
	}
	before, fell := x.now, x.fallen
	x.now, x.fallen = carried(x.plan.Agreed, x.plan.Pictures, x.was, l)
	switch {
	case x.now != tandem.LevelText:
		x.silent = time.Time{}
	case x.was && x.silent.IsZero():
		x.silent = now
	}
	if !x.was && x.now != tandem.LevelText {
		x.was = true
		x.plan, _ = step(x.plan, event{Do: connect})
		x.u.o.Counted(CountedUp)
	}
	if x.now != before || x.fallen != fell {
		x.carries(before, fell)
	}
	x.pictures()
}

// alone reports whether the connections of all who serve the customer are broken.
func (x *upgrade) alone() bool {
	talk, up := x.u.o.Switchboard.TalkOf(x.in)
	return up && !slices.ContainsFunc(talk.Parties, func(p phone.Party) bool { return shows(p.Role) && p.State == phone.StateJoined })
}

// carries tells of what gets through now.
func (x *upgrade) carries(before tandem.Level, fell string) {
	why := x.fallen
	switch {
	case fell == "" && why != "" && x.was:
		x.u.o.Counted(CountedFell)
	case fell != "" && why == "" && x.was:
		x.u.o.Counted(CountedMended)
		why = "back"
	}
	if x.now != before {
		x.u.o.Store.Note(x.event(tandem.EventCarried, "system", tandem.Carried{Upgrade: x.id, Now: x.now, Why: why}))
	}
}

// pictures has the talk told when other pictures come than before.
func (x *upgrade) pictures() {
	var live [4]bool
	if x.screen != nil {
		live[0], live[1] = x.screen.Camera().Live(), true
	}
	live[2], live[3] = x.u.sightsLive(x.in)
	if live != x.live {
		x.live = live
		x.u.o.Switchboard.Pictured(x.in)
	}
}

// lost is why it is to end because nothing gets through for too long, "" if it is not.
func (x *upgrade) lost(now time.Time) (why string) {
	limits := x.u.o.Limits
	x.mu.Lock()
	away := x.away
	x.mu.Unlock()
	switch {
	case x.plan.State == Asked: // nothing is to get through yet
		return ""
	case !away.IsZero() && now.Sub(away) >= limits.Away:
	case !x.silent.IsZero() && now.Sub(x.silent) >= limits.Away:
	case x.peer != nil && x.peer.State() == webrtc.StateGone:
	case x.plan.State == Agreed && now.Sub(x.agreed) >= limits.Connect:
	default:
		return ""
	}
	if x.unjoined {
		return "agent"
	}
	return "lost"
}

// people are those who will see and hear the customer, or do: agents and specialists, and
// who listens by a link. Supervisors who listen for quality are told of in the words.
func (x *upgrade) people() []Person {
	talk, up := x.u.o.Switchboard.TalkOf(x.in)
	if !up || talk.Task != x.task {
		return []Person{{Name: x.nameOf(x.agent), Role: tandem.RoleAgent}}
	}
	out := []Person{}
	for _, p := range talk.Parties {
		if p.State == phone.StateRinging {
			continue
		}
		switch p.Role {
		case tandem.RoleAgent, tandem.RoleSpecialist:
		case tandem.RoleListener:
			if !p.Guest {
				continue
			}
		default:
			continue
		}
		out = append(out, Person{x.nameOf(p.Name), p.Role, p.Leg, p.Muted})
	}
	return out
}

// nameOf is what customers know somebody by, who is asked about once.
func (x *upgrade) nameOf(who string) string {
	if who == "" {
		return ""
	}
	name, known := x.names[who]
	if !known {
		name = x.u.o.Name(who)
		x.names[who] = name
	}
	return name
}

// publish tells who watches what it is now, if that is another than before.
func (x *upgrade) publish() {
	is := Upgrade{
		ID: x.id, Interaction: x.in, Task: x.task, Leg: x.leg.ID, Page: x.page, By: x.plan.By, Agent: x.agent, Level: x.plan.Level, Agreed: x.plan.Agreed,
		Now: x.now, State: x.plan.State, Why: x.reason, Kept: x.kept, Keeps: x.keeps, Who: x.people(), Fallen: x.fallen, Asked: x.asked, Check: x.check, Lang: x.lang, Pictures: x.plan.Pictures,
	}
	if x.plan.Pending {
		is.Until = x.until
	}
	if x.plan.State.Over() {
		is.Why, is.Now, is.Agreed, is.Fallen, is.Keeps = x.plan.Why, tandem.LevelText, tandem.LevelText, "", false
	}
	x.mu.Lock()
	same := reflect.DeepEqual(is, x.seen)
	x.seen = is
	x.mu.Unlock()
	if same {
		return
	}
	x.u.mu.Lock()
	watchers := x.u.watchers
	x.u.mu.Unlock()
	for _, w := range watchers {
		x.safely(func() { w.do(is) })
	}
}

// safely keeps a fault of who watches from the upgrade.
func (x *upgrade) safely(do func()) {
	defer func() {
		if p := recover(); p != nil {
			x.u.o.Panicked(p)
		}
	}()
	do()
}

// shown is it as it was last told.
func (x *upgrade) shown() Upgrade {
	x.mu.Lock()
	defer x.mu.Unlock()
	is := x.seen
	is.Who = slices.Clone(is.Who)
	return is
}

func (x *upgrade) event(kind tandem.EventKind, actor string, data any) tandem.Event {
	return tandem.NewEvent(x.in, x.leg.ID, x.u.now(), kind, actor, data)
}

// lineSays takes a fact of the line. It never blocks.
func (u *Upgrades) lineSays(f queueFact) {
	if t, ok := taskOf(f); ok {
		if x := u.find(t.Interaction); x != nil && x.task == t.ID {
			x.stir()
		}
	}
}

// talkSays takes what a talk is now. It never blocks.
func (u *Upgrades) talkSays(t phone.Talk) {
	u.reviewSights(t)
	x := u.find(t.Interaction)
	if x == nil || t.Task != x.task {
		return
	}
	if t.Over {
		x.mu.Lock()
		x.talk = t.Why
		x.mu.Unlock()
	}
	x.stir()
}

// forget takes an upgrade out that is over.
func (u *Upgrades) forget(x *upgrade) {
	u.mu.Lock()
	if u.by[x.in] == x {
		delete(u.by, x.in)
	}
	u.mu.Unlock()
}
