package route

import (
	"math"
	"slices"
	"time"

	"tandem"
)

// put gives a waiting task its places in the indexes, as of now: in its queue, for
// everybody to count, and in the class of those that the same agents can take, unless it is
// not to be offered now.
func (l *Line) put(t *task) {
	l.lift(t)
	if t.State != tandem.TaskWaiting {
		return
	}
	if t.Kind.Live() {
		t.counted = true
		t.in.live++
	}
	parked := t.NotBefore.After(l.now)
	if !parked {
		t.lined = true
		t.in.pace.count(t.in.line.Size(), 1, l.now)
		t.in.line.Insert(t)
	}
	if !parked && t.served.live == nil {
		l.class(t)
	}
	l.timers.set(&t.wake, l.wakeOf(t))
}

// class puts a task among those that the same agents can take, or with the agent whom it
// is kept for.
func (l *Line) class(t *task) {
	d := l.demandOf(t)
	t.class = d
	if d.users++; d.users == 1 {
		l.usedDemands++
	}
	if t.Prefer != "" && l.now.Before(t.PreferTill) {
		if a := l.agents[t.Prefer]; a != nil {
			t.prefers = a
			a.prefer.Insert(t)
			if l.keeps(a, t) {
				t.keeper = a
				a.kept[d.load].Insert(t)
				l.stirTask(t)
				return
			}
		}
	}
	d.tasks.Insert(t)
	if d.tasks.Size() == 1 && d.serves() {
		l.waiting[d.load].Add(d.id)
	}
	l.stirTask(t)
}

// keeps reports whether a task that prefers an agent is kept for them: while they are
// there and not found to be out of reach, could take it but for what they do now, and have
// not let it pass. A ticket may be kept for days: not for who has gone home. What is theirs
// alone is kept whatever they do, until they go offline.
func (l *Line) keeps(a *agent, t *task) bool {
	load := t.class.load
	if t.alone() {
		return a.class != nil && a.presence != tandem.PresenceOffline && a.capacity(load) > 0 && t.class.can.Has(a.class.id)
	}
	return a.class != nil && a.presence == tandem.PresenceAvailable && (a.reach[load] || !a.told[load]) && a.capacity(load) > 0 &&
		t.class.can.Has(a.class.id) && !t.rested(a.name, l.now)
}

// aloneSpan is for how long a task is kept for somebody alone: for good. Half of it tells
// such a task from one that is only preferred, however long it has waited.
const aloneSpan = 16 * 365 * 24 * time.Hour

// alone reports whether nobody but whom it prefers is offered it.
func (t *task) alone() bool { return isAlone(&t.Task) }

func isAlone(t *tandem.Task) bool {
	return t.Prefer != "" && t.PreferTill.Sub(t.Arrived) > aloneSpan/2
}

// lift takes a task out of the places that put gave it.
func (l *Line) lift(t *task) {
	if t.counted {
		t.counted = false
		t.in.live--
	}
	if t.lined {
		t.lined = false
		t.in.line.Remove(t)
		t.in.pace.count(t.in.line.Size(), 0, l.now)
	}
	l.unclass(t)
	l.timers.set(&t.wake, noTime)
}

func (l *Line) unclass(t *task) {
	d := t.class
	if d == nil {
		return
	}
	if t.keeper != nil {
		t.keeper.kept[d.load].Remove(t)
	} else {
		d.tasks.Remove(t)
		if d.tasks.Size() == 0 {
			l.waiting[d.load].Drop(d.id)
		}
	}
	if t.prefers != nil {
		t.prefers.prefer.Remove(t)
	}
	if d.users--; d.users == 0 {
		l.usedDemands--
	}
	t.class, t.keeper, t.prefers = nil, nil, nil
}

// wakeOf is when a task has to be looked at again.
func (l *Line) wakeOf(t *task) int64 {
	switch t.State {
	case tandem.TaskOffered:
		return nanos(t.Deadline)
	case tandem.TaskWaiting:
	default:
		return noTime
	}
	next := nanos(t.Expires)
	soon := func(at int64) {
		if at > nanos(l.now) && (next == noTime || at < next) {
			next = at
		}
	}
	if t.NotBefore.After(l.now) {
		soon(nanos(t.NotBefore))
		return next
	}
	_, _, step := t.steps(l.now)
	soon(step)
	if t.Prefer != "" {
		soon(nanos(t.PreferTill))
	}
	for _, r := range t.rests {
		soon(nanos(r.Until))
	}
	return next
}

// enter has a task wait, from now.
func (l *Line) enter(t *task) {
	t.State, t.Agent, t.Since, t.Deadline = tandem.TaskWaiting, "", l.now, time.Time{}
	t.served.waiting = append(t.served.waiting, t)
	l.put(t)
}

// leave takes a waiting task out of where it waits.
func (l *Line) leave(t *task) {
	l.lift(t)
	t.served.waiting = slices.DeleteFunc(t.served.waiting, func(o *task) bool { return o == t })
}

// engage makes a task the one of its interaction that an agent has, or none (nil).
func (l *Line) engage(b *business, t *task) {
	b.live = t
	for _, o := range b.waiting {
		l.put(o)
	}
}

// businessOf is what an interaction has in the line.
func (l *Line) businessOf(in tandem.InteractionID) *business {
	b := l.served[in]
	if b == nil || in == "" { // tasks of no interaction have nothing to do with each other
		b = &business{}
		if in != "" {
			l.served[in] = b
		}
	}
	return b
}

// pace is how fast a queue is served: starts are counted on a clock that stands still
// while nobody waits, for a quiet hour says nothing of how fast a line moves.
type pace struct {
	waited time.Duration // on that clock, till since
	since  time.Time     // when it began to run; zero = it stands
	starts []Start       // the newest, oldest first
}

// What the wait is estimated from: the newest starts, none older than that, and not fewer.
const (
	mostStarts  = 33
	leastStarts = 4
	oldestStart = time.Hour
)

// count is called as the number of tasks that wait goes from one figure to one more
// (by 1), or has come down to it (by 0).
func (p *pace) count(n, by int, now time.Time) {
	switch {
	case n > 0:
	case by == 1:
		p.since = now
	default:
		p.waited, p.since = p.clock(now), time.Time{}
	}
}

func (p *pace) clock(now time.Time) time.Duration {
	if p.since.IsZero() {
		return p.waited
	}
	return p.waited + max(now.Sub(p.since), 0)
}

// start notes that a task was taken up after it had waited.
func (p *pace) start(now time.Time) {
	p.starts = append(p.starts, Start{At: now, Waited: p.clock(now)})
	if n := len(p.starts) - mostStarts; n > 0 {
		p.starts = slices.Delete(p.starts, 0, n)
	}
}

// Quantiles of the wait that are told, as those of the normal distribution: one caller in
// five waits less than the one, one in ten more than the other.
const (
	fifth     = -0.8416
	ninetieth = 1.2816
)

// wait is the range in which the k-th from now is taken up. The time that n starts took
// says how long k more may take: if starts come at a steady rate, the ratio of the two is
// that of Gamma variables of k and n, of which the quantiles are taken. Fewer starts so
// give a wider range. Both are 0 if too few are known.
func (p *pace) wait(k int, now time.Time) (atLeast, atMost time.Duration) {
	starts := p.starts
	for len(starts) > 0 && now.Sub(starts[0].At) > oldestStart {
		starts = starts[1:]
	}
	if len(starts) < leastStarts || k < 1 {
		return 0, 0
	}
	span := p.clock(now) - starts[0].Waited
	if span <= 0 {
		return 0, 0
	}
	n := len(starts) - 1
	at := func(z float64) time.Duration {
		return time.Duration(min(gammaRatio(float64(k), float64(n), z)*float64(span), math.MaxInt64/2))
	}
	return at(fifth), at(ninetieth)
}

// gammaRatio is the quantile, at z of the normal distribution, of a Gamma variable of shape
// k over an independent one of shape n, by Paulson's approximation (cube roots of Gamma
// variables are nearly normal: Wilson and Hilferty). It is good to a few percent for n of 3
// and more.
func gammaRatio(k, n, z float64) float64 {
	a, b := 1/(9*k), 1/(9*n)
	x, y := 1-a, 1-b
	low := y*y - b*z*z
	root := (x*y + z*math.Sqrt(max(y*y*a+x*x*b-a*b*z*z, 0))) / low
	root = max(root, 0)
	return root * root * root * k / n
}

// Place is where a task stands in its queue, while it waits or is offered to somebody; ok
// is false otherwise.
func (l *Line) Place(id tandem.TaskID, now time.Time) (p Place, ok bool) {
	t := l.tasks[id]
	if t == nil || t.State != tandem.TaskWaiting && t.State != tandem.TaskOffered {
		return p, false
	}
	p = Place{Queue: t.Queue, Position: t.in.line.Rank(t) + 1}
	p.AtLeast, p.AtMost = t.in.pace.wait(p.Position, now)
	return p, true
}
