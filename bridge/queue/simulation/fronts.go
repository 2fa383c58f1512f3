package simulation

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"tandem"
	"tandem/bridge/queue"
	"tandem/bridge/route"
	"tandem/store"
)

// fronts is how many front ends speak to the server, each for its customers and agents.
const fronts = 3

// message is something a front end asks. ask makes it anew each time it is delivered;
// reply is told the answer, if that arrives.
type message struct {
	what  string
	front int
	ready int // the step from which on it can arrive
	ask   func() queue.Ask
	reply func(queue.Answer)
}

// customer is one interaction.
type customer struct {
	no    int
	front int
	in    tandem.InteractionID
	kind  tandem.TaskKind
	task  tandem.TaskID
	state string // opening, waiting, leaving, gone
}

// agent is one agent's front end.
type agent struct {
	name  string
	front int
	reach map[tandem.Load]bool // as it is
	told  map[tandem.Load]bool // as this server was told
}

// send puts a message on the wire, which may lose or double it.
func (w *World) send(m *message) {
	if w.chance(12) {
		w.say("lost: %s", m.what)
		return
	}
	m.ready = w.step + w.random.IntN(4)
	w.wire = append(w.wire, m)
	if w.chance(12) {
		again := *m
		again.ready = w.step + w.random.IntN(30)
		w.wire = append(w.wire, &again)
	}
}

// deliver moves what has come over the wire into the server's inbox, in any order.
func (w *World) deliver() {
	var left []*message
	for _, m := range w.wire {
		switch {
		case m.ready > w.step || w.chance(5):
			left = append(left, m)
		case w.core == nil: // nobody listens
		default:
			at := w.random.IntN(len(w.inbox) + 1)
			w.inbox = slices.Insert(w.inbox, at, m)
		}
	}
	w.wire = left
}

// answer gives an answer to the wire: it is a promise from here on, whether it arrives or
// not.
func (w *World) answer(m *message, a queue.Answer) {
	q := m.ask()
	if a.Err == nil {
		w.promise(q.Event, a)
	}
	if w.chance(10) {
		w.say("answer lost: %s", m.what)
		return
	}
	if m.reply != nil {
		m.reply(a)
	}
}

// arrive lets a customer come, in one of the ways there are.
func (w *World) arrive() {
	kinds := []tandem.TaskKind{tandem.TaskCall, tandem.TaskCall, tandem.TaskCall, tandem.TaskChat, tandem.TaskChat, tandem.TaskText,
		tandem.TaskCallback, tandem.TaskVoicemail, tandem.TaskTicket}
	c := &customer{no: len(w.customers), front: w.random.IntN(fronts), in: tandem.NewID[tandem.InteractionID](w.now, w.ids),
		kind: kinds[w.random.IntN(len(kinds))], state: "opening"}
	if len(w.customers) > 0 && w.chance(8) { // a second matter of somebody who is there
		c.in = w.customers[w.random.IntN(len(w.customers))].in
	}
	w.customers = append(w.customers, c)
	t := tandem.Task{Interaction: c.in, Kind: c.kind, Queue: queueNames[w.random.IntN(len(queueNames))], Key: fmt.Sprint("visit ", c.no), Arrived: w.now}
	if w.chance(3) {
		t.Level = "gold"
	}
	if w.chance(3) {
		t.Skills = []string{"lang:en", "cards>=2"}[:1+w.random.IntN(2)]
	}
	if w.chance(4) {
		t.Priority = time.Duration(w.random.IntN(1200)) * time.Second
	}
	if w.chance(4) {
		t.Prefer = agentNames[w.random.IntN(len(agentNames))]
	}
	if c.kind == tandem.TaskCallback && w.chance(2) {
		t.NotBefore = w.now.Add(time.Duration(w.random.IntN(1800)) * time.Second)
	}
	if c.kind == tandem.TaskTicket {
		t.TicketDue = w.now.Add(time.Duration(w.random.IntN(48)) * time.Hour)
	}
	w.open(c, t)
}

// open asks to open a customer's task, and asks again until there is an answer.
func (w *World) open(c *customer, t tandem.Task) {
	started := w.now
	w.open1(c, func() queue.Ask {
		in := tandem.Interaction{ID: c.in, State: tandem.Open, Started: started}
		return queue.Ask{Event: route.Opened{Task: t}, Change: &store.Change{Key: fmt.Sprint("turn ", c.no), Interaction: &in,
			Events: []tandem.Event{tandem.NewEvent(c.in, "", started, tandem.EventOpened, "caller", nil)}}}
	})
}

func (w *World) open1(c *customer, ask func() queue.Ask) {
	m := &message{what: fmt.Sprintf("open %d %s", c.no, c.kind), front: c.front, ask: ask}
	m.reply = func(a queue.Answer) {
		refused := (*queue.Refused)(nil)
		switch {
		case c.state != "opening":
		case a.Err == nil:
			c.state, c.task = "waiting", a.Task.ID
		case errors.As(a.Err, &refused), errors.Is(a.Err, store.ErrDuplicate): // or it was opened, and is done
			c.state = "gone"
		default: // it is asked again
			again := *m
			w.send(&again)
		}
	}
	w.send(m)
}

// customerActs has somebody change their mind, or leave.
func (w *World) customerActs() {
	if len(w.customers) == 0 {
		return
	}
	c := w.customers[w.random.IntN(len(w.customers))]
	switch {
	case c.state != "waiting":
	case w.chance(3):
		w.leave(c)
	default:
		e := route.Changed{Task: c.task, Why: "moved"}
		switch w.random.IntN(5) {
		case 0:
			e.Kind, e.NoExpiry, e.Why = tandem.TaskCallback, true, "callback"
		case 1:
			e.Kind = tandem.TaskChat
		case 2:
			e.Kind = tandem.TaskText
		case 3:
			e.Queue, e.Why = queueNames[w.random.IntN(len(queueNames))], "transfer"
		case 4:
			head := time.Duration(w.random.IntN(900)) * time.Second
			e.Priority, e.Why = &head, "priority"
		}
		w.send(&message{what: fmt.Sprintf("change %d %s", c.no, e.Why), front: c.front, ask: w.with(c, e)})
	}
}

// with makes an ask that sometimes has a change of its own, which may be at fault.
func (w *World) with(c *customer, e route.Event) func() queue.Ask {
	change, at, key := w.random.IntN(8), w.now, ""
	if w.chance(2) {
		key = fmt.Sprint("act ", c.no, " ", w.step)
	}
	return func() queue.Ask {
		a := queue.Ask{Event: e}
		if change < 3 {
			a.Change = &store.Change{Key: key, Events: []tandem.Event{tandem.NewEvent(c.in, "", at, tandem.EventNoted, "flow", nil)}}
		}
		if change == 0 {
			a.Change.With = func(store.Tx) error { return errOwn }
		}
		return a
	}
}

var errOwn = errors.New("a fault of the caller's own")

// leave ends a customer's task with the change that closes their interaction; it is asked
// until it is done.
func (w *World) leave(c *customer) {
	c.state = "leaving"
	id, at := c.task, w.now
	m := &message{what: fmt.Sprint("leave ", c.no), front: c.front}
	m.ask = func() queue.Ask {
		in := tandem.Interaction{ID: c.in, State: tandem.Closed, Started: at, Ended: at}
		return queue.Ask{Event: route.Ended{Task: id, Outcome: tandem.OutcomeLeft}, Change: &store.Change{Interaction: &in, Key: fmt.Sprint("left ", c.no),
			Events: []tandem.Event{tandem.NewEvent(c.in, "", at, tandem.EventClosed, "system", nil)}}}
	}
	m.reply = func(a queue.Answer) {
		if a.Err == nil || errors.Is(a.Err, store.ErrDuplicate) {
			c.state = "gone"
			return
		}
		again := *m
		w.send(&again)
	}
	w.send(m)
}

// agentActs has an agent do something about what they see.
func (w *World) agentActs() {
	if w.core == nil {
		return
	}
	a := w.agents[w.random.IntN(len(w.agents))]
	s, known := w.core.View().Agent(a.name)
	if !known {
		return
	}
	if s.Presence != tandem.PresenceAvailable || w.chance(30) {
		p, why := tandem.PresenceAvailable, ""
		if w.chance(6) {
			p, why = tandem.PresenceAway, "lunch"
		}
		w.ask(a, fmt.Sprint("is ", p), route.Present{Agent: a.name, Presence: p, Reason: why})
		return
	}
	if len(s.Holds) == 0 {
		return
	}
	w.handle(a, s.Holds[w.random.IntN(len(s.Holds))])
}

func (w *World) ask(a *agent, what string, e route.Event) {
	w.send(&message{what: a.name + " " + what, front: a.front, ask: func() queue.Ask { return queue.Ask{Event: e, Actor: a.name} }})
}

// handle does something about one thing that an agent has. What they saw may be old by the
// time it arrives.
func (w *World) handle(a *agent, h route.Holding) {
	switch h.State {
	case tandem.TaskOffered:
		switch w.random.IntN(10) {
		case 0:
			w.ask(a, "declines", route.Declined{Task: h.Task, Agent: a.name, Fence: h.Fence, Why: "declined"})
		case 1:
			w.ask(a, "is not reached", route.Declined{Task: h.Task, Agent: a.name, Fence: h.Fence, Why: "unreachable"})
		case 2: // lets it lapse
		default:
			w.ask(a, fmt.Sprint("accepts ", h.Fence), route.Accepted{Task: h.Task, Agent: a.name, Fence: h.Fence})
		}
	case tandem.TaskAssigned:
		e := route.Released{Task: h.Task, Agent: a.name, Fence: h.Fence, Why: "done", Outcome: tandem.OutcomeServed}
		switch w.random.IntN(10) {
		case 0:
			e.Why, e.Outcome, e.Again, e.Queue = "transferred", "", true, queueNames[w.random.IntN(len(queueNames))]
		case 1:
			e.Why, e.Outcome, e.Again, e.Prefer = "transferred", "", true, agentNames[w.random.IntN(len(agentNames))]
			e.Alone = w.chance(2)
		case 2:
			e.Why, e.Outcome, e.Again, e.NoWrap = "lost", "", true, true
		case 3:
			e.Why, e.Outcome, e.Again, e.Dialled = "handed_back", "", true, h.Kind == tandem.TaskCallback
			if h.Kind == tandem.TaskCallback {
				e.NotBefore = w.now.Add(time.Minute)
			}
		}
		if w.chance(6) {
			to := agentNames[w.random.IntN(len(agentNames))]
			w.ask(a, "gives to "+to, route.Reassigned{Task: h.Task, Agent: a.name, Fence: h.Fence, To: to})
			return
		}
		w.ask(a, "releases: "+e.Why, e)
	case tandem.TaskWrapping:
		if w.chance(2) {
			w.ask(a, "wrote up", route.Wrapped{Agent: a.name, Fence: h.Fence, Disposition: "solved"})
		}
	}
}

// measure lets somebody's phone or browser come or go.
func (w *World) measure() {
	a, load := w.agents[w.random.IntN(len(w.agents))], loads[w.random.IntN(len(loads))]
	a.reach[load] = !w.chance(3)
}

// report has a front end tell the server what it measured, if that does not know.
func (w *World) report() {
	if w.core == nil {
		return
	}
	a := w.agents[w.random.IntN(len(w.agents))]
	if w.chance(20) {
		on := w.chance(3)
		w.core.SetConsulted(a.name, on)
		w.say("%s is asked in: %t", a.name, on)
	}
	for _, load := range loads {
		if on := a.reach[load]; a.told[load] != on {
			a.told[load] = on
			w.core.SetReachable(a.name, load, on)
			w.say("%s %s reachable %t", a.name, load, on)
		}
	}
}

// supervise pulls or closes a task.
func (w *World) supervise() {
	if w.core == nil {
		return
	}
	tasks := w.core.View().Tasks("", 0)
	if len(tasks) == 0 {
		return
	}
	t := tasks[w.random.IntN(len(tasks))]
	a := w.agents[w.random.IntN(len(w.agents))]
	var e route.Event = route.Pulled{Task: t.ID, Agent: a.name}
	actor := queue.Supervisor
	if w.chance(4) {
		e, actor = route.Ended{Task: t.ID, Outcome: tandem.OutcomeClosed}, "lead"
	}
	w.send(&message{what: fmt.Sprintf("supervisor %T", e), front: a.front, ask: func() queue.Ask { return queue.Ask{Event: e, Actor: actor} }})
}
