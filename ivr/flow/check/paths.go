package check

import (
	"fmt"
	"slices"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/source"
)

// state is what the checker knows about a customer at a step, besides the step.
type state struct {
	channel tandem.Channel
	level   tandem.Assurance // the least they have shown
	told    bool             // that they are recorded, or they are not
	leaving bool             // after hanging up
}

// point is one step in one state.
type point struct {
	step string
	state
}

// arrival is how the walk first came to a point.
type arrival struct {
	from point
	via  string // "" = an outcome; or what happened
}

// walk is the exploration of one flow from one state at its start.
type walk struct {
	f      *subject
	prefix []string // the steps of callers
	before map[point]arrival
	todo   []point
	exits  []exit // of a called flow, each once
}

// exit is a way a called flow returns.
type exit struct {
	outcome string
	state
}

type visit struct{ live, leaving bool }

type walkKey struct {
	flow *subject
	state
}

// paths walks every flow over all paths, on all its channels, and proves what
// rules 6, 8, 10 and 11 ask. Called flows are walked from where they are called.
func (c *checker) paths() {
	called := map[string]bool{}
	for _, f := range c.order {
		for _, name := range f.Program.Order {
			if call, ok := f.Steps[name].Verb.(*flow.Subflow); ok {
				called[call.Name] = true
			}
		}
	}
	for _, f := range c.order {
		recorded := slices.Contains(c.recorded, f.Program.Name)
		if called[f.Program.Name] && len(f.Program.Outcomes) > 0 && !recorded {
			continue
		}
		for _, channel := range f.Program.Channels {
			c.walk(f, state{channel: channel, told: !recorded}, nil)
		}
	}
	for _, f := range c.order {
		f.reached()
	}
}

// walk explores a flow once for each state at its start and returns its exits.
func (c *checker) walk(f *subject, start state, prefix []string) *walk {
	key := walkKey{f, start}
	if w := c.walks[key]; w != nil {
		return w
	}
	w := &walk{f: f, prefix: prefix, before: map[point]arrival{}}
	c.walks[key] = w
	f.walked = true
	w.reach(point{}, "", f.Program.Start, start)
	for len(w.todo) > 0 {
		p := w.todo[0]
		w.todo = w.todo[1:]
		w.visit(p)
	}
	return w
}

// reach adds a point that can be come to.
func (w *walk) reach(from point, via, to string, st state) {
	if to == flow.ToRepeat {
		to = from.step
	}
	p := point{to, st}
	if w.f.Steps[to] == nil {
		return
	}
	if _, seen := w.before[p]; !seen {
		w.before[p] = arrival{from, via}
		w.todo = append(w.todo, p)
	}
}

// path tells how the walk came to a point.
func (w *walk) path(p point) string {
	var names []string
	for p.step != "" {
		a := w.before[p]
		name := p.step
		if a.via != "" {
			name = "(" + a.via + ") " + name
		}
		names = append(names, name)
		p = a.from
	}
	slices.Reverse(names)
	return stepList(append(slices.Clone(w.prefix), names...))
}

func (w *walk) visit(p point) {
	f := w.f
	s := f.Steps[p.step]
	v := f.visits[p.step]
	v.live, v.leaving = v.live || !p.leaving, v.leaving || p.leaving
	f.visits[p.step] = v

	if s.If != nil {
		holds := f.onChannelTruth(s.If, p.channel)
		if holds != yes {
			if to, ok := s.Next.Target("skipped"); ok {
				w.reach(p, "", to, p.state)
			}
		}
		if holds == no {
			return
		}
	}
	if s.MaxVisits > 0 {
		if to, ok := s.Next.By["loop"]; ok {
			w.reach(p, "", to, p.state)
		}
	}
	st := p.state
	if s.Needs > st.level {
		if to, ok := s.Next.By["not_assured"]; ok {
			w.reach(p, "", to, st)
		} else if !p.leaving {
			w.notAssured(p, s)
		}
		st.level = s.Needs
	}
	if !p.leaving {
		w.judge(p, s)
	}
	st = w.follow(p, s, st)
	if !p.leaving {
		if f.Program.OnError != "" {
			unproved := st
			unproved.level = p.level // a fault in if or max_visits comes before the level is looked at
			w.reach(p, "error", f.Program.OnError, unproved)
			w.reach(p, "error", f.Program.OnError, st)
		}
		if f.Program.OnLeave != "" {
			left := st
			left.leaving = true
			w.reach(p, "left", f.Program.OnLeave, left)
		}
	}
}

// follow reaches what comes after a step and returns the state its faults leave with.
func (w *walk) follow(p point, s *Step, st state) state {
	f := w.f
	switch v := s.Verb.(type) {
	case nil: // could not be read: expect the best of it, so that its error stands alone
		st.level, st.told = tandem.Proofed, true
	case *flow.End:
		if v.As != "" {
			if e := (exit{v.As, st}); !slices.Contains(w.exits, e) {
				w.exits = append(w.exits, e)
			}
		}
		return st
	case *flow.Branch:
		w.followBranch(p, s, v, st)
		return st
	case *flow.Subflow:
		child := f.checker.flows[v.Name]
		if child == nil || p.leaving || !slices.Contains(child.Program.Channels, p.channel) {
			break
		}
		called := f.checker.walk(child, st, []string{w.path(p), v.Name + ":"})
		for _, e := range called.exits {
			if e.leaving {
				continue // it returns to nobody: the caller's on_leave is next
			}
			if to, ok := s.Next.Target(e.outcome); ok {
				w.reach(p, "", to, e.state)
			}
		}
		return st
	case *flow.IdentifyStep:
		for _, e := range f.verbEdges(s) {
			after := st
			if e.outcome == "passed" {
				after.level = max(st.level, v.Level)
			}
			w.reach(p, "", e.to, after)
		}
		return st
	case *flow.Say:
		st.told = st.told || v.Announces == "recording"
	case *flow.ConsentStep:
		st.told = st.told || v.Kind == "recording"
	case *flow.Menu:
		w.commands(p, st)
	case *flow.Collect:
		if v.Secrecy == flow.Open || v.Confirm != nil { // the yes or no to a secret is none
			w.commands(p, st)
		}
	}
	for _, e := range f.verbEdges(s) {
		w.reach(p, "", e.to, st)
	}
	return st
}

func (w *walk) followBranch(p point, s *Step, b *flow.Branch, st state) {
	for _, arm := range b.Arms {
		holds := w.f.onChannelTruth(arm.If, p.channel)
		if holds != no {
			w.reach(p, "", arm.Go, st)
		}
		if holds == yes {
			return
		}
	}
	if to, ok := s.Next.Target("else"); ok {
		w.reach(p, "", to, st)
	}
}

func (w *walk) commands(p point, st state) {
	for _, c := range w.f.Program.Commands {
		if c.Go != "" {
			w.reach(p, c.Name, c.Go, st)
		}
	}
}

// judge holds one step in one state against rules 6 and 11.
func (w *walk) judge(p point, s *Step) {
	f := w.f
	if !onChannel(s.Verb, p.channel) {
		_, alternative := voiceOnly(s.Verb)
		f.failOnce(s, "channel "+string(p.channel), s.At("verb"), "channel", alternative,
			"step `%s` uses `%s`, which %s cannot do, and it can be reached there: %s", s.Name, s.Verb.Verb(), p.channel, w.path(p))
	}
	switch v := s.Verb.(type) {
	case *flow.Subflow:
		child := f.checker.flows[v.Name]
		if child != nil && len(child.Program.Channels) > 0 && !slices.Contains(child.Program.Channels, p.channel) {
			f.failOnce(s, "channel "+string(p.channel), s.At("name"), "channel", fmt.Sprintf("add %s to the channels of `%s`, or branch on `channel` before this step", p.channel, v.Name),
				"step `%s` calls flow `%s`, which does not serve %s, and it can be reached there: %s", s.Name, v.Name, p.channel, w.path(p))
		}
	case *flow.Transfer:
		if !p.told {
			f.failOnce(s, "recording", s.At("verb"), "recording", "say something with `announces: recording` first, or ask a `consent` of kind recording",
				"the entry records, but on this path nobody has told the caller before they speak to a person: %s", w.path(p))
		}
	}
}

func (w *walk) notAssured(p point, s *Step) {
	fix := "add `not_assured: STEP` to its `next`"
	if s.Next.To != "" {
		fix = fmt.Sprintf("write `next: { not_assured: STEP, else: %s }`", s.Next.To)
	}
	have := "nothing is known of the caller"
	if p.level > tandem.None {
		have = "the caller is only " + p.level.String()
	}
	w.f.failOnce(s, "needs", s.At("needs"), "assurance", fix, "step `%s` needs %s, but %s on this path: %s", s.Name, s.Needs, have, w.path(p))
}

// failOnce reports a thing about a step the first time it is met.
func (f *subject) failOnce(s *Step, what string, n *source.Node, rule, fix, format string, args ...any) {
	key := s.Name + " " + what
	if !f.once[key] {
		f.once[key] = true
		f.Fail(n, rule, fix, format, args...)
	}
}

// reached looks at what the walks did and did not reach.
func (f *subject) reached() {
	complete := f.walked && !f.Broken()
	for _, name := range f.Program.Order {
		s := f.Steps[name]
		v := f.visits[name]
		if !v.live && !v.leaving && complete {
			f.Warn(s.Key, "unreachable-step", "lead to it from another step, or remove it", "no path leads to step `%s`", name)
		}
		if v.leaving && !v.live && speaks(s.Verb) {
			f.Fail(s.At("verb"), "leave-speaks", "use set, http, branch or end there", "step `%s` runs only after the customer left, when nobody hears or answers `%s`", name, s.Verb.Verb())
		}
		if v.live {
			for _, u := range s.Uses {
				if u.Name == "outcome" {
					f.Report(source.Error, u.At, 1, "outcome-scope", "use it in steps that only `on_leave` leads to", "`outcome` has a value only after the customer left; step `%s` also runs before", name)
				}
			}
		}
	}
}

// stepList writes a path of steps for people.
func stepList(names []string) string {
	const most = 12
	if len(names) > most {
		names = append(append(slices.Clone(names[:most/2]), fmt.Sprintf("… %d more …", len(names)-most)), names[len(names)-most/2:]...)
	}
	out := ""
	for i, n := range names {
		if i > 0 {
			out += " → "
		}
		out += n
	}
	return out
}
