package simulate

import (
	"slices"
	"time"

	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
)

// searched is how far from the epoch Opening looks for an open minute.
const searched = 8 * 7 * 24 * time.Hour

// epoch is the first minute of 2026 in a zone: tests of any day stand there, so that
// they give the same.
func epoch(zone *time.Location) time.Time {
	if zone == nil {
		zone = time.UTC
	}
	return time.Date(2026, 1, 1, 0, 0, 0, 0, zone)
}

// Opening is where the clock stands if nobody says: from the first minute of 2026 on,
// the first at which all calendars are open that the flow and those it calls look at;
// if they never are together, the first at which the first of them is; 2026-01-01
// 10:00 UTC for a flow without a calendar, and for one whose calendar never opens.
func Opening(lib *flow.Library, f *flow.Flow) time.Time {
	var calendars []*flow.Calendar
	for _, name := range calendarsOf(lib, f, map[string]bool{}) {
		if c := lib.Calendars[name]; c != nil {
			calendars = append(calendars, c)
		}
	}
	for len(calendars) > 0 {
		from := epoch(calendars[0].Zone)
		for at := from; at.Before(from.Add(searched)); at = at.Add(time.Minute) {
			if !slices.ContainsFunc(calendars, func(c *flow.Calendar) bool { return c.Status(at) != "open" }) {
				return at
			}
		}
		if len(calendars) == 1 {
			break
		}
		calendars = calendars[:1]
	}
	return epoch(f.Zone).Add(10 * time.Hour)
}

// calendarsOf lists the calendars of a flow, and of the queues it puts customers into, in
// the order of its steps, then those of the flows it calls.
func calendarsOf(lib *flow.Library, f *flow.Flow, seen map[string]bool) []string {
	if f == nil || seen[f.Name] {
		return nil
	}
	seen[f.Name] = true
	var names, called []string
	uses := func(p *expression.Program) {
		if p != nil {
			names = append(names, p.Calendars()...)
		}
	}
	for _, name := range f.Order {
		step := f.Steps[name]
		if step == nil {
			continue
		}
		uses(step.If)
		switch v := step.Verb.(type) {
		case *flow.Hours:
			names = append(names, v.Calendar)
		case *flow.Branch:
			for _, arm := range v.Arms {
				uses(arm.If)
			}
		case *flow.Set:
			for _, a := range v.Assign {
				uses(a.Expr)
			}
		case *flow.Subflow:
			called = append(called, v.Name)
		case *flow.QueueStep:
			if q := lib.Queues[v.Name]; q != nil && q.Hours != "" {
				names = append(names, q.Hours)
			}
		}
	}
	for _, name := range called {
		names = append(names, calendarsOf(lib, lib.Flows[name], seen)...)
	}
	return names
}

// timer is something that time alone brings about.
type timer struct {
	at   time.Time
	fire func()
}

// next is the timer due first; its fire is nil if there is none.
func (t *Talk) next() timer {
	var first timer
	add := func(at time.Time, fire func()) {
		if at.Before(t.now) {
			at = t.now
		}
		if first.fire == nil || at.Before(first.at) {
			first = timer{at, fire}
		}
	}
	w := t.s.Wait
	timeout := func() { t.Do(flow.Input{Kind: flow.InputTimeout, Serial: w.Serial}) }
	switch {
	case w.Kind == flow.WaitListen && w.Timeout > 0:
		add(t.since.Add(w.Timeout), timeout)
	case !w.Until.IsZero():
		add(w.Until, timeout)
	}
	if w.Kind == flow.WaitLink && len(t.links) > 0 {
		if l := t.links[len(t.links)-1]; l.expires > 0 && !l.over {
			add(l.sent.Add(l.expires), t.expire)
		}
	}
	if w.Kind == flow.WaitQueue && !t.line.connected {
		t.lineTimers(add)
	}
	return first
}

// Pass lets time go by; what falls due meanwhile happens at its time.
func (t *Talk) Pass(d time.Duration) {
	t.note(Line{Word: Waits, Text: Short(d)})
	until := t.now.Add(d)
	for t.fault == nil {
		due := t.next()
		if due.fire == nil || due.at.After(until) {
			break
		}
		t.now = due.at
		due.fire()
	}
	t.now = until
}

// Silence lets time go by until something falls due, and reports false if nothing will.
func (t *Talk) Silence() bool {
	due := t.next()
	if due.fire == nil {
		return false
	}
	t.note(Line{Word: Waits, Text: Short(due.at.Sub(t.now))})
	t.now = due.at
	due.fire()
	return true
}

// Short writes a duration as flow files do: 5s, 90s, 8m, 2h.
func Short(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}} {
		if d >= u.unit && d%u.unit == 0 {
			return itoa(int64(d/u.unit)) + u.name
		}
	}
	return itoa(d.Milliseconds()) + "ms"
}
