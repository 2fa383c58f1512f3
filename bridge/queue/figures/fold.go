// Package figures counts what became of the tasks in line: by queue, by kind and by five
// minutes, from the journal's events and nothing else. A Fold is that rule, pure; a Book
// follows the journal with one, serves the figures of now and of the past, and keeps those of
// the past in the table figure. bridge/queue/audit works them out again and compares.
//
// A Book runs one goroutine, Follow. It never speaks to the router, and what it has is never
// ahead of what is durable. It knows queues, kinds, agents and ids, and nothing of customers.
package figures

import (
	"encoding/json"
	"fmt"
	"time"

	"tandem"
)

// Span is how long a bucket is. Every time zone's midnight begins one.
const Span = 5 * time.Minute

// Key is what figures are of. An empty field is all of its kind.
type Key struct {
	Queue string
	Kind  tandem.TaskKind
}

// keys are those that a task of a queue and kind counts under.
func keys(queue string, kind tandem.TaskKind) [4]Key {
	return [4]Key{{queue, kind}, {queue, ""}, {"", kind}, {}}
}

// Counts is what became of tasks in a time.
type Counts struct {
	Opened   int   // came into line
	Answered int   // were taken up for the first time
	Within   int   // of those: in the time that the policy then gave them
	Left     int   // left before anybody had taken them up
	Waiting  int   // waited, or were on offer, at the end
	Most     int   // did so at once
	Waits    Waits // of Answered
}

func (c *Counts) empty() bool {
	return c.Opened == 0 && c.Answered == 0 && c.Left == 0 && c.Waiting == 0 && c.Most == 0
}

// Add puts what came next after c.
func (c *Counts) Add(next *Counts) {
	c.Opened += next.Opened
	c.Answered += next.Answered
	c.Within += next.Within
	c.Left += next.Left
	c.Waiting, c.Most = next.Waiting, max(c.Most, next.Most)
	c.Waits.add(next.Waits)
}

// Level is the service level: which part of those that were taken up or left was taken up in
// time; ok is false if there was none.
func (c *Counts) Level() (level float64, ok bool) {
	n := c.Answered + c.Left
	if n == 0 {
		return 0, false
	}
	return float64(c.Within) / float64(n), true
}

// Bucket is one Span, from At.
type Bucket struct {
	At time.Time
	By map[Key]*Counts
	// Erased are events of customers who were erased since: that they were is known, and no
	// more. Live are tasks of theirs that were not done at the end.
	Erased Erased
}

// Erased counts events without a payload.
type Erased struct{ Opened, Assigned, Done, Live int }

// Contact is one task behind a number.
type Contact struct {
	At          time.Time
	Task        tandem.TaskID
	Interaction tandem.InteractionID
	Queue       string
	Kind        tandem.TaskKind
	What        What
	Agent       string        // who took it up
	Waited      time.Duration // from when it could be taken up
	Within      bool
}

// What is a number that has contacts behind it.
type What string

const (
	Answered What = "answered"
	Left     What = "left"
)

// Fold counts. Events are entered in the order of the journal.
type Fold struct {
	from   time.Time // nothing before is counted
	closed func(Bucket)
	took   func(Contact)
	tasks  map[tandem.TaskID]*task
	lines  map[Key]int
	now    Bucket
	erased int  // tasks of erased customers that are not done
	begun  bool // something of from or later was seen
}

// task is one that is not done.
type task struct {
	queue  string
	kind   tandem.TaskKind
	from   time.Time     // it waits since then
	target time.Duration // to be taken up in; of journals that do not say it with the assignment
	waits  bool
	taken  bool
}

// NewFold makes an empty one that counts from a time on: what is entered of before only says
// who waits. closed is told each bucket that is over, took each task as it is taken up or
// left; both may be nil.
func NewFold(from time.Time, closed func(Bucket), took func(Contact)) *Fold {
	from = from.UTC().Truncate(Span)
	return &Fold{from: from, closed: closed, took: took, tasks: map[tandem.TaskID]*task{}, lines: map[Key]int{}, now: Bucket{At: from, By: map[Key]*Counts{}}}
}

// Enter takes in the next event; one that is not of a task is passed over. The error is that
// of a payload that cannot be read.
func (f *Fold) Enter(e *tandem.Event) error {
	switch e.Kind {
	case tandem.EventTaskOpened, tandem.EventTaskChanged, tandem.EventTaskAssigned, tandem.EventTaskReleased, tandem.EventTaskDone:
	default:
		return nil
	}
	f.Advance(e.At)
	if len(e.Data) == 0 || string(e.Data) == "null" {
		f.enterErased(e.Kind)
		return nil
	}
	var err error
	switch e.Kind {
	case tandem.EventTaskOpened:
		err = enter(e, f.opened)
	case tandem.EventTaskChanged:
		err = enter(e, f.changed)
	case tandem.EventTaskAssigned:
		err = enter(e, f.assigned)
	case tandem.EventTaskReleased:
		err = enter(e, f.released)
	case tandem.EventTaskDone:
		err = enter(e, f.done)
	}
	return err
}

func enter[P any](e *tandem.Event, take func(*tandem.Event, *P)) error {
	var p P
	if err := json.Unmarshal(e.Data, &p); err != nil {
		return fmt.Errorf("event %d of interaction %s cannot be read: %w", e.Seq, e.Interaction, err)
	}
	take(e, &p)
	return nil
}

func (f *Fold) enterErased(kind tandem.EventKind) {
	switch kind {
	case tandem.EventTaskOpened:
		f.erased++
		f.now.Erased.Opened++
	case tandem.EventTaskAssigned:
		f.now.Erased.Assigned++
	case tandem.EventTaskDone:
		f.erased = max(0, f.erased-1)
		f.now.Erased.Done++
	}
}

// Advance closes the buckets that are over at a time. A time before the bucket in hand
// changes nothing.
func (f *Fold) Advance(to time.Time) {
	if !f.begun && !to.Before(f.from) {
		f.begun = true
		f.begin(f.from)
	}
	for next := f.now.At.Add(Span); !to.Before(next); next = f.now.At.Add(Span) {
		f.now.Erased.Live = f.erased
		if f.closed != nil {
			f.closed(f.now)
		}
		f.begin(next)
		if len(f.lines) == 0 && f.erased == 0 { // nothing happens till then
			if skip := to.UTC().Truncate(Span); skip.After(f.now.At) {
				f.now.At = skip
			}
		}
	}
}

// begin begins a bucket with those who wait.
func (f *Fold) begin(at time.Time) {
	f.now = Bucket{At: at, By: make(map[Key]*Counts, len(f.lines))}
	for k, n := range f.lines {
		f.now.By[k] = &Counts{Waiting: n, Most: n}
	}
}

// Now is the bucket in hand, as it is by now. It shares nothing.
func (f *Fold) Now() Bucket {
	out := Bucket{At: f.now.At, By: make(map[Key]*Counts, len(f.now.By)), Erased: f.now.Erased}
	for k, c := range f.now.By {
		own := *c
		own.Waits = c.Waits.clone()
		out.By[k] = &own
	}
	return out
}

// each does something with the counts that a task counts under.
func (f *Fold) each(t *task, do func(*Counts)) {
	for _, k := range keys(t.queue, t.kind) {
		c := f.now.By[k]
		if c == nil {
			c = &Counts{Waiting: f.lines[k], Most: f.lines[k]}
			f.now.By[k] = c
		}
		do(c)
	}
}

// wait has a task wait, or not.
func (f *Fold) wait(t *task, on bool) {
	if t.waits == on {
		return
	}
	t.waits = on
	step := -1
	if on {
		step = 1
	}
	f.each(t, func(c *Counts) {
		c.Waiting += step
		c.Most = max(c.Most, c.Waiting)
	})
	for _, k := range keys(t.queue, t.kind) {
		if f.lines[k] += step; f.lines[k] == 0 {
			delete(f.lines, k)
		}
	}
}

// counts reports whether an event is of a time that is counted.
func (f *Fold) counts(e *tandem.Event) bool { return !e.At.Before(f.from) }

func (f *Fold) opened(e *tandem.Event, p *tandem.Task) {
	if f.tasks[p.ID] != nil {
		return
	}
	t := &task{queue: p.Queue, kind: p.Kind, from: p.Arrived, target: p.Due.Sub(p.Arrived)}
	if p.NotBefore.After(t.from) { // nobody can take it up sooner
		t.from = p.NotBefore
	}
	f.tasks[p.ID] = t
	if f.counts(e) {
		f.each(t, func(c *Counts) { c.Opened++ })
	}
	f.wait(t, true)
}

func (f *Fold) changed(_ *tandem.Event, p *tandem.TaskChanged) {
	t := f.tasks[p.Task]
	if t == nil || t.queue == p.Queue && t.kind == p.Kind {
		return
	}
	waits := t.waits
	f.wait(t, false)
	t.queue, t.kind = p.Queue, p.Kind
	f.wait(t, waits)
}

func (f *Fold) assigned(e *tandem.Event, p *tandem.Assigned) {
	t := f.tasks[p.Task]
	if t == nil {
		return
	}
	f.wait(t, false)
	if t.taken {
		return
	}
	t.taken = true
	if !f.counts(e) {
		return
	}
	target := t.target
	if p.Target > 0 {
		target = time.Duration(p.Target * float64(time.Second))
	}
	waited := max(0, e.At.Sub(t.from))
	within := waited <= target
	f.each(t, func(c *Counts) {
		c.Answered++
		if within {
			c.Within++
		}
		c.Waits.note(waited)
	})
	f.told(e, p.Task, t, Contact{What: Answered, Agent: p.Agent, Waited: waited, Within: within})
}

func (f *Fold) released(_ *tandem.Event, p *tandem.Released) {
	if t := f.tasks[p.Task]; t != nil && p.Again {
		f.wait(t, true)
	}
}

func (f *Fold) done(e *tandem.Event, p *tandem.TaskOver) {
	t := f.tasks[p.Task]
	if t == nil {
		return
	}
	f.wait(t, false)
	delete(f.tasks, p.Task)
	if t.taken || p.Outcome != tandem.OutcomeLeft || !f.counts(e) {
		return
	}
	f.each(t, func(c *Counts) { c.Left++ })
	f.told(e, p.Task, t, Contact{What: Left, Waited: max(0, e.At.Sub(t.from))})
}

func (f *Fold) told(e *tandem.Event, id tandem.TaskID, t *task, c Contact) {
	if f.took == nil {
		return
	}
	c.At, c.Task, c.Interaction, c.Queue, c.Kind = e.At, id, e.Interaction, t.queue, t.kind
	f.took(c)
}
