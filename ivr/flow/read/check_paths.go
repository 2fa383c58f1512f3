package read

import (
	"fmt"
	"slices"

	"tandem"
	"tandem/ivr/flow"
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
	ff     *flowFile
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
	flow string
	state
}

// checkPaths walks every flow over all paths, on all its channels, and proves what
// rules 6, 8, 10 and 11 ask. Called flows are walked from where they are called.
func (r *reading) checkPaths(flows []*flowFile) {
	called := map[string]bool{}
	for _, ff := range flows {
		for _, name := range ff.flow.Order {
			if call, ok := ff.steps[name].Verb.(*flow.Subflow); ok {
				called[call.Name] = true
			}
		}
	}
	for _, ff := range flows {
		recorded := slices.Contains(r.o.Recorded, ff.flow.Name)
		if called[ff.flow.Name] && len(ff.flow.Outcomes) > 0 && !recorded {
			continue
		}
		for _, c := range ff.flow.Channels {
			r.walk(ff, state{channel: c, told: !recorded}, nil)
		}
	}
	for _, ff := range flows {
		ff.checkVisits()
	}
}

// walk explores a flow once for each state at its start and returns its exits.
func (r *reading) walk(ff *flowFile, start state, prefix []string) *walk {
	key := walkKey{ff.base, start}
	if w := r.walks[key]; w != nil {
		return w
	}
	w := &walk{ff: ff, prefix: prefix, before: map[point]arrival{}}
	r.walks[key] = w
	ff.walked = true
	w.reach(point{}, "", ff.flow.Start, start)
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
	if w.ff.steps[to] == nil {
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
	ff := w.ff
	s := ff.steps[p.step]
	v := ff.visits[p.step]
	v.live, v.leaving = v.live || !p.leaving, v.leaving || p.leaving
	ff.visits[p.step] = v

	if s.If != nil {
		holds := ff.onChannelTruth(s.If, p.channel)
		if holds != yes {
			if to, ok := s.Next.Target("skipped"); ok {
				w.reach(p, "", to, p.state)
			}
		}
		if holds == no {
			return
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
	if s.MaxVisits > 0 {
		if to, ok := s.Next.By["loop"]; ok {
			w.reach(p, "", to, st)
		}
	}
	if !p.leaving {
		w.checkPoint(p, s)
	}
	st = w.follow(p, s, st)
	if !p.leaving {
		if ff.flow.OnError != "" {
			w.reach(p, "error", ff.flow.OnError, st)
		}
		if ff.flow.OnLeave != "" {
			left := st
			left.leaving = true
			w.reach(p, "left", ff.flow.OnLeave, left)
		}
	}
}

// follow reaches what comes after a step and returns the state its faults leave with.
func (w *walk) follow(p point, s *step, st state) state {
	ff := w.ff
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
		child := ff.reading.flows[v.Name]
		if child == nil || p.leaving || !slices.Contains(child.flow.Channels, p.channel) {
			break
		}
		called := ff.reading.walk(child, st, []string{w.path(p), v.Name + ":"})
		for _, e := range called.exits {
			if to, ok := s.Next.Target(e.outcome); ok {
				w.reach(p, "", to, e.state)
			}
		}
		return st
	case *flow.Say:
		st.told = st.told || v.Announces == "recording"
	case *flow.ConsentStep:
		st.told = st.told || v.Kind == "recording"
	case *flow.Menu:
		w.commands(p, st)
	case *flow.Collect:
		if v.Secrecy == flow.Open {
			w.commands(p, st)
		}
	}
	for _, e := range ff.verbEdges(s) {
		w.reach(p, "", e.to, st)
	}
	return st
}

func (w *walk) followBranch(p point, s *step, b *flow.Branch, st state) {
	for _, arm := range b.Arms {
		holds := w.ff.onChannelTruth(arm.If, p.channel)
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
	for _, c := range w.ff.flow.Commands {
		if c.Go != "" {
			w.reach(p, c.Name, c.Go, st)
		}
	}
}

// checkPoint holds one step in one state against rules 6 and 11.
func (w *walk) checkPoint(p point, s *step) {
	ff := w.ff
	if !onChannel(s.Verb, p.channel) {
		_, alternative := voiceOnly(s.Verb)
		ff.failOnce(s, "channel "+string(p.channel), s.at("verb"), "channel", alternative,
			"step `%s` uses `%s`, which %s cannot do, and it can be reached there: %s", s.Name, s.Verb.Verb(), p.channel, w.path(p))
	}
	switch v := s.Verb.(type) {
	case *flow.Subflow:
		child := ff.reading.flows[v.Name]
		if child != nil && len(child.flow.Channels) > 0 && !slices.Contains(child.flow.Channels, p.channel) {
			ff.failOnce(s, "channel "+string(p.channel), s.at("name"), "channel", fmt.Sprintf("add %s to the channels of `%s`, or branch on `channel` before this step", p.channel, v.Name),
				"step `%s` calls flow `%s`, which does not serve %s, and it can be reached there: %s", s.Name, v.Name, p.channel, w.path(p))
		}
	case *flow.Transfer:
		if !p.told {
			ff.failOnce(s, "recording", s.at("verb"), "recording", "say something with `announces: recording` first, or ask a `consent` of kind recording",
				"the entry records, but on this path nobody has told the caller before they speak to a person: %s", w.path(p))
		}
	}
}

func (w *walk) notAssured(p point, s *step) {
	fix := "add `not_assured: STEP` to its `next`"
	if s.Next.To != "" {
		fix = fmt.Sprintf("write `next: { not_assured: STEP, else: %s }`", s.Next.To)
	}
	have := "nothing is known of the caller"
	if p.level > tandem.None {
		have = "the caller is only " + p.level.String()
	}
	w.ff.failOnce(s, "needs", s.at("needs"), "assurance", fix, "step `%s` needs %s, but %s on this path: %s", s.Name, s.Needs, have, w.path(p))
}

// failOnce reports a thing about a step the first time it is met.
func (ff *flowFile) failOnce(s *step, what string, n *node, rule, fix, format string, args ...any) {
	key := s.Name + " " + what
	if !ff.once[key] {
		ff.once[key] = true
		ff.fail(n, rule, fix, format, args...)
	}
}

// checkVisits looks at what the walks did and did not reach.
func (ff *flowFile) checkVisits() {
	complete := ff.walked && !ff.broken
	for _, name := range ff.flow.Order {
		s := ff.steps[name]
		v := ff.visits[name]
		if !v.live && !v.leaving && complete {
			ff.warn(s.key, "unreachable-step", "lead to it from another step, or remove it", "no path leads to step `%s`", name)
		}
		if v.leaving && !v.live && speaks(s.Verb) {
			ff.fail(s.at("verb"), "leave-speaks", "use set, http, branch or end there", "step `%s` runs only after the customer left, when nobody hears or answers `%s`", name, s.Verb.Verb())
		}
		if v.live {
			for _, u := range s.uses {
				if u.name == "outcome" {
					ff.report(Error, u.at, 1, "outcome-scope", "use it in steps that only `on_leave` leads to", "`outcome` has a value only after the customer left; step `%s` also runs before", name)
				}
			}
		}
	}
}
