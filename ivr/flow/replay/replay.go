// Package replay takes interactions of the past through flows as they are now, and tells
// where each would have gone elsewhere. What a customer answered, and what other systems
// said, is taken from the journal as outcomes and variables: nothing is asked again. No
// journal holds a secret: where a condition asks for one, the way is unknown. It runs no
// goroutine and is pure.
package replay

import (
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/engine"
)

// Past is what one interaction did in its flow.
type Past struct {
	Facts  flow.Facts
	Flow   string
	Hash   string // of the version it began with
	At     time.Time
	Steps  []Step // in the order they were entered; the last may not have been left
	Reason string // why the flow ended; "" = it did not
}

// Step is one step that was entered.
type Step struct {
	Flow    string
	Step    string
	At      time.Time // when it was left
	Outcome string    // "" = it was not left by any
	Next    string
	Set     map[string]any // variables it changed, secrets masked
	Carried bool           // a handoff: the assurance came along
	Fault   bool           // it failed, and the flow went to on_error
	Served  bool           // an agent had the customer when they left it

	asked map[string]any // variables that changed as an agent asked steps
}

// Verdict is what became of one interaction.
type Verdict string

const (
	Same      Verdict = "same"      // every step and outcome as it was
	Elsewhere Verdict = "elsewhere" // it would have gone another way
	Unknown   Verdict = "unknown"   // it would have been asked something that nobody has answered, or its way hangs on a secret
)

// Result tells where an interaction would have left the way it took. For Same, only
// Added and Removed are set.
type Result struct {
	Verdict Verdict `json:"verdict"`
	Flow    string  `json:"flow,omitempty"`  // in which
	After   string  `json:"after,omitempty"` // the last step they have in common; "" = none
	By      string  `json:"by,omitempty"`    // the outcome by which it was left then
	Then    string  `json:"then,omitempty"`  // the step, or "ends: REASON", that came next then
	Now     string  `json:"now,omitempty"`   // and what comes now
	// Added are steps that the flow did not have then and that it now passes; Removed are
	// steps it passed then that are no more.
	Added   []string `json:"added,omitempty"`
	Removed []string `json:"removed,omitempty"`
}

// maxWaits bounds one replay: an interaction that waited more often is not followed further.
const maxWaits = 2000

// Run takes one interaction through lib. had tells whether a flow had a step then: see
// Had and Always. The error, a *tandem.Error, says that the flow cannot be begun at all.
func Run(lib *flow.Library, had func(name, step string) bool, p Past) (Result, error) {
	s, effects, err := engine.Start(lib, p.Flow, p.Facts, nil, p.At)
	if err != nil {
		return Result{}, err
	}
	c := &course{lib: lib, had: had, past: p}
	for range maxWaits {
		if c.follow(effects); c.done {
			return c.result, nil
		}
		if s.Wait.Kind == flow.WaitNone {
			c.ends(s.Ended)
			return c.result, nil
		}
		in, ok := c.answer(s)
		if !ok {
			return c.result, nil
		}
		if (in.Kind == flow.InputLeft || in.Kind == flow.InputBack) && c.here.Served {
			if s, _, err = engine.Advance(lib, s, flow.Input{Kind: flow.InputTaken, At: in.At}); err != nil {
				return Result{}, err
			}
		}
		next, more, err := engine.Advance(lib, s, in)
		if err != nil || in.Kind == flow.InputBack && !left(more) { // that outcome is no more
			c.after, c.by, c.result.Flow = c.here.Step, c.here.Outcome, c.here.Flow
			c.part("no such way", c.here.Next)
			return c.result, nil
		}
		s, effects = next, more
	}
	c.result.Verdict = Unknown
	return c.result, nil
}

// left reports that a step was left.
func left(effects []flow.Effect) bool {
	return slices.ContainsFunc(effects, func(e flow.Effect) bool {
		t, ok := e.(flow.Trace)
		return ok && t.Kind == tandem.EventOutcome
	})
}

// Had answers for interactions that ran on a library.
func Had(before *flow.Library) func(name, step string) bool {
	return func(name, step string) bool {
		f := before.Flows[name]
		return f != nil && f.Steps[step] != nil
	}
}

// Always answers where the library of then is not kept: no step counts as new, so that
// none is taken for one that is only passed on the way.
func Always(name, step string) bool { return true }

// course compares the way that is taken now with the one taken then.
type course struct {
	lib       *flow.Library
	had       func(name, step string) bool
	past      Past
	at        int    // of past.Steps, the next to be entered
	here      *Step  // the step entered last, as it was then; nil if it is new
	after, by string // the last step in common, and how it was left then
	result    Result
	done      bool
}

// expected is the step that was next then, past those that are no more; nil at the end.
func (c *course) expected() *Step {
	for c.at < len(c.past.Steps) {
		s := &c.past.Steps[c.at]
		if f := c.lib.Flows[s.Flow]; f != nil && f.Steps[s.Step] != nil {
			return s
		}
		if !slices.Contains(c.result.Removed, s.Step) {
			c.result.Removed = append(c.result.Removed, s.Step)
		}
		c.at++
	}
	return nil
}

// follow holds what the engine did against what was done then.
func (c *course) follow(effects []flow.Effect) {
	for _, e := range effects {
		t, ok := e.(flow.Trace)
		if !ok || c.done {
			continue
		}
		switch d := t.Data.(type) {
		case tandem.StepEntered:
			c.enter(d)
		case tandem.StepLeft:
			c.leave(d)
		}
	}
}

// enter looks whether the step is the one that came then.
func (c *course) enter(d tandem.StepEntered) {
	then := c.expected()
	switch {
	case then != nil && then.Flow == d.Flow && then.Step == d.Step:
		c.here = then
		c.at++
	case !c.had(d.Flow, d.Step): // it is passed on the way
		c.here = nil
		if !slices.Contains(c.result.Added, d.Step) {
			c.result.Added = append(c.result.Added, d.Step)
		}
	default:
		c.result.Flow = d.Flow
		c.part(d.Step, "")
		if c.asksSecret() {
			c.result.Verdict = Unknown
		}
	}
}

// asksSecret reports that where to go from the last step in common hangs on a secret,
// which no journal holds.
func (c *course) asksSecret() bool {
	f := c.lib.Flows[c.result.Flow]
	if f == nil || f.Steps[c.after] == nil {
		return false
	}
	secret := func(names []string) bool {
		return slices.ContainsFunc(names, func(name string) bool {
			v := f.Variable(name)
			return v != nil && v.Secrecy != flow.Open
		})
	}
	s := f.Steps[c.after]
	if b, ok := s.Verb.(*flow.Branch); ok && slices.ContainsFunc(b.Arms, func(a flow.Arm) bool { return secret(a.If.Uses()) }) {
		return true
	}
	return s.If != nil && secret(s.If.Uses())
}

// leave notes the last step in common. That it is left by another outcome sends nobody
// elsewhere by itself: what comes next tells.
func (c *course) leave(d tandem.StepLeft) {
	for i := c.at - 1; i >= 0; i-- {
		if s := c.past.Steps[i]; s.Flow == d.Flow && s.Step == d.Step {
			c.after, c.by, c.result.Flow = s.Step, s.Outcome, s.Flow
			return
		}
	}
}

// answer is what happened at a step that waits, as it happened then; false ends the replay.
func (c *course) answer(s flow.Session) (flow.Input, bool) {
	then := c.here
	if then == nil { // a new step asks: nobody has answered it
		f := s.Frames[len(s.Frames)-1]
		c.result.Verdict, c.result.Flow, c.result.After, c.result.By, c.result.Now = Unknown, f.Flow, c.after, c.by, f.Step
		if next := c.expected(); next != nil {
			c.result.Then = next.Step
		}
		return flow.Input{}, false
	}
	in := flow.Input{At: then.At, Serial: s.Wait.Serial}
	switch {
	case then.Fault:
		in.Kind, in.Text = flow.InputFault, "as it failed then"
		c.after, c.by, c.result.Flow = then.Step, "error", then.Flow
	case then.Outcome == "": // then, too, the story ends here
		c.result.Verdict = Same
		return in, false
	case then.Outcome == "left":
		in.Kind = flow.InputLeft
	case then.Outcome == engine.HandedBack:
		in.Kind, in.Step, in.Set = flow.InputBack, then.Next, then.Set
		if !strings.Contains(then.Next, "/") {
			in.Step = then.Flow + "/" + then.Next
		}
	default:
		in.Kind, in.Text, in.Set, in.Carried = flow.InputOutcome, then.Outcome, then.Set, then.Carried
	}
	return in, true
}

// ends compares how the flow ends now with how it did.
func (c *course) ends(reason string) {
	switch {
	case c.expected() != nil:
		c.part("ends: "+reason, "")
	case c.past.Reason != "" && c.past.Reason != reason:
		c.part("ends: "+reason, "ends: "+c.past.Reason)
	default:
		c.result.Verdict = Same
	}
}

// part notes that the ways part here. then is what came then, "" = the expected step.
func (c *course) part(now, then string) {
	c.done = true
	if then == "" {
		if s := c.expected(); s != nil {
			then = s.Step
		} else {
			then = "ends: " + c.past.Reason
		}
	}
	c.result.Verdict, c.result.After, c.result.By, c.result.Then, c.result.Now = Elsewhere, c.after, c.by, then, now
}
