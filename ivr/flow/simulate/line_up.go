package simulate

import (
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
)

// The figures told to one who waits: a plain estimate by place, the same each time.
const perPlace = time.Minute

// enqueue puts the interaction in line. One that is closed lets nobody in, unless the
// test says who is there.
func (t *Talk) enqueue(e flow.Enqueue) *flow.Input {
	t.note(Line{Word: Queued, Step: e.Step, Name: e.Queue, Fields: asked(e)})
	a, closed := t.given.Agents, false
	if q := t.lib.Queues[e.Queue]; q != nil {
		if e.MaxWait == 0 {
			e.MaxWait = q.MaxWait
		}
		hours := t.lib.Calendars[q.Hours]
		closed = a == nil && hours != nil && hours.Status(t.now) != "open"
	}
	t.line = place{asked: e, since: t.now, told: t.now, position: 1}
	switch {
	case t.given.Queues[e.Queue] != "":
		return result(e.Serial, flow.Result{Outcome: t.given.Queues[e.Queue]})
	case closed, a != nil && a.None:
		return result(e.Serial, flow.Result{Outcome: "no_agents"})
	case a != nil && a.Free > 0:
		return t.connect(true)
	}
	return t.placed()
}

// asked is what a step says of the customer and asks of the agent, nil if nothing.
func asked(e flow.Enqueue) map[string]any {
	var out map[string]any
	set := func(name string, value any) {
		if out == nil {
			out = map[string]any{}
		}
		out[name] = value
	}
	if e.Level != "" {
		set("level", e.Level)
	}
	if len(e.Skills) > 0 {
		set("skills", strings.Join(e.Skills, " "))
	}
	if e.Priority > 0 {
		set("priority", Short(e.Priority))
	}
	return out
}

// connect lets an agent answer, by itself or because the script says so: whom they take
// out of a line is served.
func (t *Talk) connect(self bool) *flow.Input {
	t.line.connected = true
	t.note(Line{Word: Agent, Text: AgentAnswers, Self: self})
	if t.line.asked.Serial == 0 {
		return nil // it is a transfer
	}
	return &flow.Input{Kind: flow.InputServed, Serial: t.line.asked.Serial}
}

// placed tells the place in the line.
func (t *Talk) placed() *flow.Input {
	n := time.Duration(t.line.position)
	return &flow.Input{Kind: flow.InputPlace, Serial: t.line.asked.Serial, Place: &flow.Place{
		Queue: t.line.asked.Queue, Position: t.line.position, AtLeast: (n - 1) * perPlace, AtMost: n * perPlace, Waited: t.now.Sub(t.line.since),
	}}
}

// lineTimers adds what time brings to one who waits in line.
func (t *Talk) lineTimers(add func(time.Time, func())) {
	q := t.line.asked
	if q.MaxWait > 0 {
		add(t.line.since.Add(q.MaxWait), func() { t.Do(*result(q.Serial, flow.Result{Outcome: "max_wait"})) })
	}
	if a := t.given.Agents; a != nil && a.After > 0 {
		add(t.line.since.Add(a.After), func() { t.Do(*t.connect(true)) })
	}
	tell := func() {
		t.line.told = t.now
		t.Do(*t.placed())
		t.tell()
	}
	if q.AnnounceEvery > 0 {
		add(t.line.told.Add(q.AnnounceEvery), tell)
	}
	if after, ok := t.OffersIn(); ok {
		add(t.now.Add(after), tell)
	}
}

// OffersIn is how long it takes until one who waits in line is offered more than now; ok
// is false if nothing is to come.
func (t *Talk) OffersIn() (after time.Duration, ok bool) {
	if t.s.Wait.Kind != flow.WaitQueue || t.line.connected {
		return 0, false
	}
	waited := t.now.Sub(t.line.since)
	for _, o := range t.line.asked.Offers {
		if a := t.line.asked.OfferAfter[o.Label]; a > waited && (!ok || a-waited < after) && o.Label != string(t.Channel()) {
			after, ok = a-waited, true
		}
	}
	return after, ok
}

// taken is what comes of an offer that the customer takes while waiting.
func (t *Talk) taken(e flow.Take) *flow.Input {
	if e.What == "callback" {
		t.note(Line{Word: CallsBack, Step: e.Step, Name: t.line.asked.Queue, Text: t.s.Facts.Caller})
		return result(e.Serial, flow.Result{Outcome: "callback"})
	}
	to := tandem.Channel(e.What)
	t.note(Line{Word: Moves, Step: e.Step, Text: "to " + e.What})
	return &flow.Input{Kind: flow.InputMoved, Serial: e.Serial, Channel: to, Carried: carried(to)}
}

// carried tells whether a level of assurance comes along to a channel: a link ties a
// chat to the customer who opens it.
func carried(to tandem.Channel) bool { return to == tandem.Chat }
