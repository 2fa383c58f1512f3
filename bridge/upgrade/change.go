package upgrade

import (
	"context"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/media"
	"tandem/media/webrtc"
	"tandem/store"
)

type queueFact = queue.Fact

// taskOf is the task that a fact is about, if it may matter to an upgrade.
func taskOf(f queueFact) (tandem.Task, bool) {
	switch o := f.Output.(type) {
	case route.TaskAssigned:
		return o.Task, true
	case route.TaskReleased:
		return o.Task, true
	case route.TaskOver:
		return o.Task, true
	case route.TaskChanged:
		return o.Task, true
	}
	return tandem.Task{}, false
}

// word is how the journal names what has become of a plan, "" if there is nothing to tell.
func word(before, after plan) string {
	switch {
	case after.State.Over():
		return string(after.State)
	case after.Pending && (!before.Pending || after.Level != before.Level):
		return string(Asked)
	case before.State == Asked && after.State == Agreed:
		return string(Agreed)
	case before.Agreed != after.Agreed:
		return "changed"
	case before.Pending && !after.Pending:
		return string(Refused)
	}
	return ""
}

// changes are what is to be written of a change of plans by somebody.
func (x *upgrade) changes(next plan, by, lang, why string) *store.Change {
	c := &store.Change{Of: x.in}
	kept := x.kept || x.keeps && above(next.Given, x.plan.Given) // they agree to what they have read
	kinds := consents(x.plan, next, kept)
	var names []string
	who := x.people()
	for _, p := range who {
		names = append(names, p.Name)
	}
	is := Upgrade{Kept: kept, Pictures: next.Pictures, Who: who, Why: x.reason, By: next.By}
	for _, kind := range kinds {
		c.Events = append(c.Events, x.event(tandem.EventConsent, "caller", tandem.Consent{
			Kind: kind, Answer: "yes", Lang: language(lang), Text: x.u.Text(lang, is, next.Agreed), Version: Version, Who: names,
		}))
	}
	if w := word(x.plan, next); w != "" {
		e := tandem.Upgraded{Upgrade: x.id, By: next.By, Level: next.Level, State: w, Why: why, Kept: kept}
		switch {
		case w == string(Asked):
			e.Why = plainReason(x.reason)
		case next.State.Over():
			e.Why = next.Why
		}
		c.Events = append(c.Events, x.event(tandem.EventUpgrade, actor(by), e))
	}
	if voice, _ := next.needs(); voice && x.leg.Started.IsZero() {
		x.leg.Started = x.u.now()
		c.Legs = append(c.Legs, x.leg)
		c.Events = append(c.Events, x.event(tandem.EventLegStarted, "caller", x.leg))
	}
	return c
}

func actor(by string) string {
	switch by {
	case ByCustomer:
		return "caller"
	case "":
		return BySystem
	}
	return by
}

// promise makes a plan the one that holds, once it is durable.
func (x *upgrade) promise(ctx context.Context, next plan, by, lang, why string) error {
	started := x.leg.Started
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
	defer cancel()
	if err := x.u.o.Store.Commit(ctx, x.changes(next, by, lang, why)); err != nil {
		x.leg.Started = started
		return &tandem.Error{Code: tandem.CodeUnavailable, Message: "this cannot be written down now, so it is not done; try again in a moment", Err: err}
	}
	x.becomes(next)
	return nil
}

// settle makes a plan the one that holds that nobody can refuse: one for less.
func (x *upgrade) settle(next plan, by, why string) {
	c := x.changes(next, by, "", why)
	x.becomes(next) // before it is written: nothing is shown for longer because a disk is slow
	if len(c.Events) > 0 {
		x.u.o.Store.Settle(c)
	}
}

func (x *upgrade) becomes(next plan) {
	now := x.u.now()
	before := x.plan
	x.plan = next
	x.kept = x.kept || x.keeps && above(next.Given, before.Given)
	x.keeps = x.keeps && next.Pending
	if next.Pending && (!before.Pending || before.Level != next.Level) {
		x.asked, x.until = now, now.Add(x.u.o.Limits.Answer)
		x.u.o.Counted(CountedAsked)
	}
	if before.State == Asked && next.State == Agreed {
		x.agreed = now
	}
	switch w := word(before, next); w {
	case string(Agreed), string(Refused), string(Lapsed), string(Over):
		x.u.o.Counted(w)
	}
	x.disconnect()
}

// connect makes the connections that the plan wants. What a customer may show is allowed here
// and nowhere else: promise has returned, their consent is durable.
func (x *upgrade) connect() error {
	voice, screen := x.plan.needs()
	if voice && x.peer == nil {
		p, err := x.u.o.Media.NewPeer(webrtc.PeerOptions{Name: string(x.in), Send: x.send(ConnVoice), Changed: x.changed})
		if err != nil {
			return plainly(err)
		}
		x.mu.Lock()
		x.peer = p
		x.mu.Unlock()
		x.u.going.Go(func() { drain(p.Stream()) })
	}
	if screen && (x.screen == nil || x.screen.State() == webrtc.StateGone) {
		s, err := x.u.o.Media.NewScreen(webrtc.ScreenOptions{Name: string(x.in), ID: string(x.leg.ID), Slots: customerSlots, Send: x.send(ConnScreen), Changed: x.changed})
		if err != nil {
			return plainly(err)
		}
		s.Allow(true, false)
		x.mu.Lock()
		before := x.screen
		x.screen = s
		x.mu.Unlock()
		x.u.o.Switchboard.Pictured(x.in)
		if before != nil {
			before.Close()
		}
	}
	return nil
}

// customerSlots and staffSlots are how many pictures are shown to a page at once.
const (
	customerSlots = 4
	staffSlots    = 6
)

// disconnect ends the pictures that the plan wants no more. The sound ends with the upgrade.
func (x *upgrade) disconnect() {
	_, screen := x.plan.needs()
	if screen || x.screen == nil {
		return
	}
	x.mu.Lock()
	s := x.screen
	x.screen = nil
	x.mu.Unlock()
	s.Allow(false, false)
	x.u.o.Switchboard.Pictured(x.in)
	s.Close()
}

// send tells the page that has the media something. It does not wait.
func (x *upgrade) send(conn string) func(webrtc.Signal) {
	return func(s webrtc.Signal) {
		if page := x.pageNow(); page != "" {
			x.u.o.TellCustomer(x.in, page, conn, s)
		}
	}
}

func (x *upgrade) pageNow() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.seen.Page
}

func (x *upgrade) changed(webrtc.State) { x.stir() }

// drain reads a stream's events until it ends, so that nothing waits for room among them.
func drain(s *media.Stream) {
	if s == nil {
		return
	}
	for range s.Events() {
	}
}

// finish ends it; what it has is given back by close.
func (x *upgrade) finish(by, why string) {
	next, _ := step(x.plan, event{Do: end, By: by, Why: why})
	x.settle(next, by, why)
	x.publish()
}

// close gives back what it has, once it is over.
func (x *upgrade) close(ctx context.Context) {
	x.publish()
	x.u.endSights(x.in)
	if x.joined && x.caller != nil {
		x.caller.how = ending(x.plan.Why)
		close(x.caller.left)
		x.parted(ctx)
	}
	x.mu.Lock()
	peer, screen := x.peer, x.screen
	x.peer, x.screen = nil, nil
	x.mu.Unlock()
	if screen != nil {
		screen.Allow(false, false)
		x.u.o.Switchboard.Pictured(x.in)
		screen.Close()
	}
	var events []tandem.Event
	if peer != nil {
		events = append(events, x.event(tandem.EventMedia, "system", figures(peer.Close())))
	}
	if !x.leg.Started.IsZero() {
		x.leg.Ended, x.leg.Termination = x.u.now(), ending(x.plan.Why)
		events = append(events, x.event(tandem.EventLegEnded, "system", x.leg.Termination))
		x.u.o.Store.Settle(&store.Change{Legs: []tandem.Leg{x.leg}, Events: events})
	}
	x.log.Info("an upgrade is over", "state", x.plan.State, "why", x.plan.Why)
}

// parted waits until the talk has let go of the customer's stream.
func (x *upgrade) parted(ctx context.Context) {
	if x.peer != nil && x.peer.Stream() != nil { // however long the talk takes, they are heard no more
		x.peer.Stream().Hush(true)
	}
	late := time.NewTimer(partTime)
	defer late.Stop()
	for {
		talk, up := x.u.o.Switchboard.TalkOf(x.in)
		if !up || talk.Task != x.task {
			return
		}
		select {
		case <-x.kick:
		case <-late.C:
			return
		}
	}
}

// ending is how the customer's leg ended, by the word of the upgrade's end.
func ending(why string) tandem.Termination {
	switch why {
	case "lost":
		return tandem.Terminate(tandem.ByRemote, tandem.ReasonTransport)
	case "stopped":
		return tandem.Terminate(tandem.BySystem, tandem.ReasonShutdown)
	case "transferred":
		return tandem.Terminate(tandem.ByAgent, tandem.ReasonTransferred)
	case "left", "done", "agent":
		return tandem.Terminate(tandem.ByAgent, tandem.ReasonHangup)
	}
	return tandem.Terminate(tandem.ByRemote, tandem.ReasonHangup)
}

func figures(s media.Stats) tandem.MediaFigures {
	return tandem.MediaFigures{
		Sent: s.Sent, Received: s.Received, Lost: s.Lost, Late: s.Late, JitterMS: float64(s.Jitter) / 1e6, Strangers: s.Strangers, Digits: s.Digits,
		RemoteLost: s.RemoteLost, RoundTripMS: float64(s.RoundTrip) / 1e6, Passed: s.Passed, Transcoded: s.Transcoded, Mixed: s.Mixed,
	}
}
