package text

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
	"tandem/store"
)

var errFault = errors.New("a fault of ours")

// Deliver brings an answer to what a session asked for, or what else happened to its
// interaction. It is taken after what is going on in the conversation, or by this call; if
// the store fails, it is tried again. What nobody waits for is ignored, and so is what is
// for an interaction that does not run here. An error says that it was not taken: there
// is too much to be tried already.
//
// A handoff that was accepted is not delivered: it takes Release and Adopt.
func (d *Driver) Deliver(ctx context.Context, id tandem.InteractionID, in flow.Input) error {
	return d.perform(ctx, job{interaction: id, kind: jobInput, input: in})
}

// perform does a job, or has it done by whoever has the conversation's turn.
func (d *Driver) perform(ctx context.Context, j job) error {
	key, err := d.where(ctx, j.interaction)
	if err != nil {
		return d.again(j, err)
	}
	if key == "" {
		return nil
	}
	ln, err := d.lanes.hand(key, j)
	if err != nil {
		return d.again(j, err)
	}
	if ln == nil {
		return nil
	}
	ctx, cancel := detach(ctx)
	defer cancel()
	err = d.do(ctx, ln, j)
	d.leave(ctx, ln)
	return err
}

// leave does what was handed over meanwhile and gives up the turn.
func (d *Driver) leave(ctx context.Context, ln *lane) {
	var after []func(context.Context)
	for {
		after, ln.after = append(after, ln.after...), nil
		j, ok := d.lanes.next(ln)
		if !ok {
			break
		}
		d.leaving(ctx, func(ctx context.Context) {
			if err := d.do(ctx, ln, j); err != nil {
				d.lost(j, err)
			}
		})
	}
	for _, do := range after {
		d.leaving(ctx, do)
	}
}

// leaving gives something a turn's time of its own.
func (d *Driver) leaving(ctx context.Context, do func(context.Context)) {
	ctx, cancel := detach(ctx)
	defer cancel()
	do(ctx)
}

// lost tells of a job that nobody will do.
func (d *Driver) lost(j job, why error) {
	d.log.Error("what was to happen in a conversation is lost", "interaction", j.interaction, "error", why)
}

// do does a job in its lane; if that fails it is tried again later.
func (d *Driver) do(ctx context.Context, ln *lane, j job) error {
	err := d.try(ctx, ln, j)
	if errors.Is(err, errPointed) {
		return nil // what it was for is over
	}
	if err != nil {
		return d.again(j, err)
	}
	return nil
}

// again has a job tried once more, later, unless that is of no use.
func (d *Driver) again(j job, why error) error {
	if errors.Is(why, store.ErrErased) {
		return nil
	}
	if j.tries++; j.tries >= maxTries && !errors.Is(why, store.ErrUnavailable) {
		return fmt.Errorf("given up after %d tries: %w", j.tries, why)
	}
	wait := retryMost
	if j.tries < 10 {
		wait = min(retryMost, retryFirst<<(j.tries-1))
	}
	if !d.timers.retry(j, d.o.Now().Add(wait)) {
		return fmt.Errorf("too much is to be tried again: %w", why)
	}
	if j.tries == 1 && d.ctx.Err() == nil {
		d.log.Warn("a turn of a conversation failed and is tried again", "interaction", j.interaction, "error", why)
	}
	return nil
}

// try does a job. What the job is for may be over: then there is nothing to do.
func (d *Driver) try(ctx context.Context, ln *lane, j job) (err error) {
	defer d.contain("turn", &err)
	if ln.key == string(j.interaction) {
		hand, err := d.hands.enter(ctx, ln.key)
		if err != nil {
			return err
		}
		defer d.hands.exit(hand)
	}
	st, err := d.load(ctx, ln.key, j.interaction)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	switch {
	case st.elsewhere && ln.key == string(j.interaction): // it came to a conversation meanwhile
		ln.after = append(ln.after, func(ctx context.Context) {
			if err := d.perform(ctx, j); err != nil {
				d.lost(j, err)
			}
		})
		return nil
	case st.conv.Interaction != j.interaction || st.elsewhere:
		return nil
	case st.dropped():
		return d.drop(ctx, ln, st)
	case j.kind == jobGone && (!st.released || d.claimed(j.interaction)): // somebody came for it after all
		return nil
	case !st.runs(), st.released && j.kind != jobTimer && j.kind != jobRestore && j.kind != jobGone:
		return nil
	case st.released && j.kind != jobGone:
		ln.after = append(ln.after, func(ctx context.Context) { d.back(ctx, j) })
		return nil
	}
	t := d.turn(st)
	if !t.does(ctx, j) {
		return nil
	}
	if err := t.settle(ctx); err != nil {
		return err
	}
	err = t.commit(ctx)
	if errors.Is(err, store.ErrErased) {
		st.erased = true
		return d.drop(ctx, ln, st)
	}
	if err == nil {
		d.after(ctx, ln, t)
	}
	return err
}

// does takes the job's first step; false = there is nothing to do.
func (t *turn) does(ctx context.Context, j job) bool {
	w := t.st.s.Wait
	switch j.kind {
	case jobInput:
		if w.Kind == flow.WaitHandoff && j.input.Result != nil && j.input.Result.Outcome == "accepted" {
			t.d.log.Error("an accepted handoff was delivered instead of being moved", "interaction", t.interaction)
			return false
		}
		t.advance(j.input)
		t.lined(j.input)
		away := j.input.Kind == flow.InputLeft || j.input.Kind == flow.InputFault || j.input.Kind == flow.InputTaken || j.input.Kind == flow.InputBack
		t.withdraw = away && wanted(t.was) && t.st.s.Wait.Serial != w.Serial
	case jobTell:
		for _, p := range j.plays {
			t.tell(p)
		}
	case jobTimer:
		at := dueOf(t.st.s, t.st.at)
		if at.IsZero() || at.After(t.now) {
			t.d.timers.set(t.interaction, at)
			return false
		}
		if silent := (flow.Input{Kind: flow.InputTimeout}); talking(t.st.s) {
			t.talk(ctx, nil, silent)
		} else {
			t.answer(silent)
		}
	case jobTalk:
		if w.Serial != serialOf(j.talk) || talking(t.st.s) {
			return false
		}
		t.talk(ctx, j.talk, flow.Input{})
	case jobRestore:
		return t.restore()
	case jobGone:
		t.advance(flow.Input{Kind: flow.InputLeft})
	}
	return true
}

// back has a session that was released, and that nobody has come for, go on in the
// conversation it ran in: whoever was to take it over was stopped. If that has another
// interaction by now the customer has left this one.
func (d *Driver) back(ctx context.Context, j job) {
	err := func() (err error) {
		defer d.contain("back", &err)
		data, _, err := d.o.Store.Session(ctx, j.interaction)
		if err != nil {
			return err
		}
		s, err := flow.Decode(data)
		if err != nil || s.Facts.Channel != "" { // it was taken over just now
			return err
		}
		c, err := d.o.Book.ByInteraction(ctx, j.interaction, s.On)
		if err != nil {
			return err
		}
		f := s.Facts
		return d.adopt(ctx, c.ID, s, nil, Adopted{
			Interaction: j.interaction, Resumed: true, Assurance: f.Assurance, Until: f.AssuranceUntil, Phone: f.Phone, Theirs: f.Caller,
		}, true)
	}()
	if err == nil {
		return
	}
	if errors.Is(err, store.ErrUnavailable) {
		err = d.again(j, err)
	} else {
		err = d.perform(ctx, job{interaction: j.interaction, kind: jobGone})
	}
	if err != nil {
		d.lost(j, err)
	}
}

// restore goes on with a session that a stop or a crash has left. What the customer was
// told is durable, so it is not told again; what was asked of the world is asked again.
func (t *turn) restore() bool {
	switch {
	case t.st.deaf() && needsEar(t.st.s.Wait.Kind) && (t.st.s.Wait.Kind != flow.WaitSurvey || talking(t.st.s)):
		return true
	case queues(t.st.s), t.st.s.Asked != nil && listens(t.st.s):
		return t.waitsAgain()
	case listens(t.st.s):
		t.d.timers.set(t.interaction, dueOf(t.st.s, t.st.at))
		return false
	}
	t.step(func() (flow.Session, []flow.Effect, error) { return t.d.resumed(t.st, t.now) })
	return true
}

// resumed is a session as it would be resumed.
func (d *Driver) resumed(st state, now time.Time) (s flow.Session, effects []flow.Effect, err error) {
	defer d.contain("flow", &err)
	return engine.Resume(st.lib, st.s, now)
}

// after does what a turn has asked for, now that it is durable. The caller has the lane's
// turn.
func (d *Driver) after(ctx context.Context, ln *lane, t *turn) {
	r := t.st.ref()
	r.Interaction, r.Leg, r.Number, r.Entry = t.interaction, t.leg, t.st.s.Facts.Number, t.st.s.Facts.Entry
	if t.withdraw {
		d.safely("withdraw", func() { d.o.World.Withdraw(ctx, r, t.gone()) })
	}
	for _, told := range t.told {
		d.safely("told", func() { d.o.World.Told(ctx, r, told) })
	}
	if t.closed != "" {
		d.safely("end", func() { d.o.World.Ended(ctx, r, t.closed) })
		return
	}
	if t.goOn != nil {
		ln.after = append(ln.after, func(ctx context.Context) { d.goOn(ctx, r, t) })
		return
	}
	if t.inLine && d.o.InLine != nil {
		d.safely("line", func() { d.o.InLine(ctx, r, t.st.s) })
	}
	switch e := t.ask.(type) {
	case nil:
	case flow.Fetch:
		d.fetch(ln, r, e)
	default:
		if talks(e, r.Channel) {
			d.lanes.first(ln, job{interaction: r.Interaction, kind: jobTalk, talk: e})
			break
		}
		words, err := d.begin(ctx, r, t.st.s, e)
		if err != nil {
			fault := flow.Input{Kind: flow.InputFault, Serial: serialOf(e), Text: err.Error()}
			d.lanes.first(ln, job{interaction: r.Interaction, kind: jobInput, input: fault})
		}
		if len(words) > 0 {
			d.lanes.first(ln, job{interaction: r.Interaction, kind: jobTell, plays: words})
		}
	}
	for _, e := range t.takes {
		d.take(ctx, ln, r, t.st.s, e)
	}
}

// gone is the session whose wait is not wanted any more: of a step that was asked, that step's
// alone, if the agent has the customer still.
func (t *turn) gone() flow.Session {
	was := t.was
	if t.st.s.WithAgent() {
		was.Asked = nil
	}
	return was
}

// take begins an offer that was taken. If that cannot be, the customer waits as before.
func (d *Driver) take(ctx context.Context, ln *lane, r Ref, s flow.Session, e flow.Take) {
	words, err := d.begin(ctx, r, s, e)
	if err != nil {
		d.log.Warn("an offer that a customer in line took could not be begun", "interaction", r.Interaction, "offer", e.What, "error", err)
	}
	if len(words) > 0 {
		d.lanes.first(ln, job{interaction: r.Interaction, kind: jobTell, plays: words})
	}
}

// talks reports what the world asks the customer for itself, in a talk: who they are, which
// interaction they mean, and a survey that is to be answered here and now.
func talks(e flow.Effect, here tandem.Channel) bool {
	switch e := e.(type) {
	case flow.Identify, flow.Resume:
		return true
	case flow.Survey:
		return e.After <= 0 && len(e.By) > 0 && e.By[0] == here
	}
	return false
}

// begin asks the world, whose panics are errors here.
func (d *Driver) begin(ctx context.Context, r Ref, s flow.Session, e flow.Effect) (words []flow.Play, err error) {
	defer d.contain("begin", &err)
	return d.o.World.Begin(ctx, r, s, e)
}

// goOn has an earlier interaction go on in the place of the turn's. If that cannot be, the
// flow goes on with the step's failure.
func (d *Driver) goOn(ctx context.Context, r Ref, t *turn) {
	err := func() (err error) {
		defer d.contain("resume", &err)
		return d.o.World.Resume(ctx, t.st.conv, t.goOn.Go, *t.goOn)
	}()
	if err == nil {
		return
	}
	d.log.Warn("an earlier interaction could not be gone on with", "interaction", r.Interaction, "earlier", t.goOn.Go, "error", err)
	failed := flow.Input{Kind: flow.InputResult, Serial: t.st.s.Wait.Serial, Result: &flow.Result{Outcome: "failed"}}
	j := job{interaction: r.Interaction, kind: jobInput, input: failed}
	if err := d.perform(ctx, j); err != nil {
		d.lost(j, err)
	}
}

// safely does something whose panics stay its own.
func (d *Driver) safely(what string, do func()) {
	var err error
	defer d.contain(what, &err)
	do()
}

// contain makes an error of a panic; it is deferred.
func (d *Driver) contain(what string, err *error) {
	if p := recover(); p != nil {
		d.panicked(what, p)
		*err = errFault
	}
}

// fetch makes an exchange beside the conversation, whose answer is delivered.
func (d *Driver) fetch(ln *lane, r Ref, e flow.Fetch) {
	answer := func(f flow.Fetched) job {
		return job{interaction: r.Interaction, kind: jobInput, input: flow.Input{Kind: flow.InputFetched, Serial: e.Serial, Fetched: &f}}
	}
	if d.fetches.Add(1) > maxFetches {
		d.fetches.Add(-1)
		d.lanes.first(ln, answer(flow.Fetched{Failed: "too many requests are under way"}))
		return
	}
	begun := d.spawn(func() {
		defer d.fetches.Add(-1)
		select {
		case d.slots <- struct{}{}:
		case <-d.ctx.Done():
			return
		}
		f := flow.Fetched{Failed: "a fault of ours"}
		d.safely("fetch", func() { f = d.o.World.Fetch(d.ctx, r, e) })
		<-d.slots
		if d.ctx.Err() != nil {
			return // the session asks again at the next start
		}
		if err := d.perform(d.ctx, answer(f)); err != nil {
			d.lost(answer(f), err)
		}
	})
	if !begun {
		d.fetches.Add(-1)
	}
}

// spawn runs something beside all turns, unless the driver is at its end.
func (d *Driver) spawn(do func()) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return false
	}
	d.beside.Add(1)
	go func() {
		defer d.beside.Done()
		do()
	}()
	return true
}

// serialOf is the wait that an effect is asked for.
func serialOf(e flow.Effect) int {
	switch e := e.(type) {
	case flow.Fetch:
		return e.Serial
	case flow.Send:
		return e.Serial
	case flow.SendLink:
		return e.Serial
	case flow.Move:
		return e.Serial
	case flow.Book:
		return e.Serial
	case flow.Identify:
		return e.Serial
	case flow.Resume:
		return e.Serial
	case flow.Enqueue:
		return e.Serial
	case flow.Take:
		return e.Serial
	case flow.OpenTicket:
		return e.Serial
	case flow.Survey:
		return e.Serial
	}
	return 0
}
