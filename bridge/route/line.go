package route

import (
	"time"

	"tandem"
)

// Line is the one line. It is not safe for concurrent use.
type Line struct{}

// New makes a line by a policy, as it was saved.
func New(p *Policy, s Saved) *Line { panic("not yet") }

// Save is the whole line: New makes one of it that does the same from there on.
func (l *Line) Save() Saved { panic("not yet") }

// Apply takes an event in and returns what came of it.
func (l *Line) Apply(e Event) []Output { panic("not yet") }

// Next is when a Tick is due; ok is false if nothing waits for time to pass.
func (l *Line) Next() (at time.Time, ok bool) { panic("not yet") }

// Place is where a task waits; ok is false if it does not.
func (l *Line) Place(id tandem.TaskID, now time.Time) (p Place, ok bool) { panic("not yet") }

// Task is a task that is not done.
func (l *Line) Task(id tandem.TaskID) (t tandem.Task, ok bool) { panic("not yet") }

// Tasks are those of a queue that are not done, in the order of the line; "" = of all.
// limit 0 is no limit.
func (l *Line) Tasks(queue string, limit int) []tandem.Task { panic("not yet") }

// Agent is one agent, Agents all, by name.
func (l *Line) Agent(name string) (a AgentState, ok bool) { panic("not yet") }
func (l *Line) Agents() []AgentState                      { panic("not yet") }

// Why is why a waiting task waits: who is there to take it, and why none of them does,
// as a decision without a choice.
func (l *Line) Why(id tandem.TaskID, now time.Time) (d tandem.Decision, ok bool) { panic("not yet") }

// Check holds the line against its invariants and says what is broken, a sentence each.
func (l *Line) Check() []string { panic("not yet") }
