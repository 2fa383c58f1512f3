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
	exits  []exit  // of a called flow, each once
	stood  []state // in which it may fail or be left, each once
}

// exit is a way a called flow returns.
type exit struct {
	outcome string
	state
}

// visit is how the walks came to a step: before or after the customer left, and by
// which kinds of channel.
type visit struct{ live, leaving, voice, sms bool }

// onlyText reports that nobody comes to the step by voice.
func (v visit) onlyText() bool { return v.live && !v.voice }

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
			for _, child := range f.Steps[name].calls() {
				called[child] = true
			}
		}
	}
	for _, f := range c.order {
		recorded := slices.Contains(c.o.Recorded, f.Program.Name)
		entered := recorded || slices.Contains(c.o.Entered, f.Program.Name)
		if called[f.Program.Name] && len(f.Program.Outcomes) > 0 && !entered {
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
	v.voice, v.sms = v.voice || p.channel == tandem.Voice, v.sms || p.channel == tandem.SMS
	f.visits[p.step] = v

	if s.If != nil {
		holds := onChannelTruth(s.If, p.channel)
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
		} else {
			w.notAssured(p, s)
		}
		st.level = s.Needs
	}
	if p.leaving {
		w.follow(p, s, st)
		return
	}
	w.judge(p, s)
	unproved := st
	unproved.level = p.level // a fault in if or max_visits comes before the level is looked at
	w.breakOff(p, unproved)
	for _, st := range w.follow(p, s, st) {
		w.breakOff(p, st)
	}
}

// breakOff reaches what comes where a step fails or the customer leaves during it.
func (w *walk) breakOff(p point, st state) {
	if st.leaving || !w.serves(st.channel) {
		return
	}
	if !slices.Contains(w.stood, st) {
		w.stood = append(w.stood, st)
	}
	if w.f.Program.OnError != "" {
		w.reach(p, "error", w.f.Program.OnError, st)
	}
	if w.f.Program.OnLeave != "" {
		st.leaving, st.told = true, true // nobody is spoken to any more
		w.reach(p, "left", w.f.Program.OnLeave, st)
	}
}

// serves reports a channel that the flow lists. Where it goes to another, that is an
// error of its own, and nothing more is said of what follows.
func (w *walk) serves(c tandem.Channel) bool { return slices.Contains(w.f.Program.Channels, c) }

// moved is the state after the customer has gone on by another channel: a link ties a
// chat to who they were, nothing does so for the others.
func (st state) moved(to tandem.Channel) state {
	if to != st.channel && to != tandem.Chat {
		st.level = tandem.None
	}
	st.channel = to
	return st
}

// follow reaches what comes after a step and returns the states in which it may be
// broken off.
func (w *walk) follow(p point, s *Step, st state) []state {
	switch v := s.Verb.(type) {
	case nil: // could not be read: expect the best of it, so that its error stands alone
		st.level, st.told = tandem.Proofed, true
	case *flow.End:
		if v.As != "" {
			if e := (exit{v.As, st}); !slices.Contains(w.exits, e) {
				w.exits = append(w.exits, e)
			}
		}
		return []state{st}
	case *flow.Branch:
		w.followBranch(p, s, v, st)
		return []state{st}
	case *flow.Subflow:
		if w.f.checker.flows[v.Name] != nil {
			return append(w.followCall(p, s, v, st), st)
		}
	case *flow.QueueStep:
		return w.followQueue(p, s, v, st)
	case *flow.Handoff:
		there := st
		if w.serves(v.To) {
			there = st.moved(v.To)
		}
		w.outcomes(p, s, st, "accepted", there)
		return []state{st}
	case *flow.IdentifyStep:
		passed := st
		passed.level = max(st.level, v.Level)
		w.outcomes(p, s, st, "passed", passed)
		return []state{st}
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
	w.outcomes(p, s, st, "", st)
	return []state{st}
}

// outcomes reaches what the verb's outcomes lead to, one of them in a state of its own.
func (w *walk) outcomes(p point, s *Step, st state, one string, its state) {
	for _, e := range w.f.verbEdges(s) {
		at := st
		if e.outcome == one {
			at = its
		}
		w.goOn(p, e.to, at)
	}
}

// goOn reaches a step, perhaps on another channel than that of the step before.
func (w *walk) goOn(p point, to string, st state) {
	via := ""
	if st.channel != p.channel {
		via = "on " + string(st.channel)
	}
	w.reach(p, via, to, st)
}

// followCall walks a called flow and goes on where it returns.
func (w *walk) followCall(p point, s *Step, v *flow.Subflow, st state) []state {
	called := w.call(p, s, "name", v.Name, st)
	if called == nil {
		return nil
	}
	for _, e := range called.exits {
		if to, ok := s.Next.Target(e.outcome); ok && w.comesBack(p, s, "name", v.Name, e) {
			w.goOn(p, to, e.state)
		}
	}
	return called.stood
}

// call walks a flow that a step starts; nil if it does not serve the channel, which
// judge has reported.
func (w *walk) call(p point, s *Step, place, name string, st state) *walk {
	child := w.f.checker.flows[name]
	if child == nil || !p.leaving && !slices.Contains(child.Program.Channels, st.channel) {
		return nil
	}
	return w.f.checker.walk(child, st, []string{w.path(p), name + ":"})
}

// comesBack reports an exit that the step goes on from: not one of the called flow's own
// on_leave, and on a channel that this flow lists, too.
func (w *walk) comesBack(p point, s *Step, place, name string, e exit) bool {
	if e.leaving != p.leaving {
		return false
	}
	if p.leaving || w.serves(e.channel) {
		return true
	}
	w.f.failOnce(s, "moved "+string(e.channel), s.At(place), "channel", fmt.Sprintf("add %s to `channels`", e.channel),
		"flow `%s` may come back on %s, which the `channels` of this flow do not list", name, e.channel)
	return false
}

// followQueue goes on from a place in line, also on the channels that may be taken
// there, and from what an agent may start.
func (w *walk) followQueue(p point, s *Step, v *flow.QueueStep, st state) []state {
	states := []state{st}
	for _, o := range v.Offer {
		if to := tandem.Channel(o.What); o.What != "callback" && to != st.channel && w.serves(to) {
			states = append(states, st.moved(to))
		}
	}
	broken := slices.Clone(states)
	for _, st := range states {
		w.outcomes(p, s, st, "answered", st)
		if v.During == "" {
			continue
		}
		with := st
		with.told = true // that is judged at the queue itself
		called := w.call(p, s, "during", v.During, with)
		if called == nil {
			continue
		}
		for _, e := range called.exits {
			if to, ok := s.Next.Target("answered"); ok && w.comesBack(p, s, "during", v.During, e) {
				w.goOn(p, to, e.state)
			}
		}
		broken = append(broken, called.stood...)
	}
	return broken
}

func (w *walk) followBranch(p point, s *Step, b *flow.Branch, st state) {
	for _, arm := range b.Arms {
		holds := onChannelTruth(arm.If, p.channel)
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
	if alternative, is := impossible(s.Verb, p.channel, f.hears()); is {
		f.failOnce(s, "channel "+string(p.channel), s.At("verb"), "channel", alternative,
			"step `%s` uses `%s`, which %s cannot do, and it can be reached there: %s", s.Name, s.Verb.Verb(), p.channel, w.path(p))
	}
	for place, name := range s.calls() {
		child := f.checker.flows[name]
		if child != nil && len(child.Program.Channels) > 0 && !slices.Contains(child.Program.Channels, p.channel) {
			f.failOnce(s, "channel "+string(p.channel), s.At(place), "channel", fmt.Sprintf("add %s to the channels of `%s`, or branch on `channel` before this step", p.channel, name),
				"step `%s` calls flow `%s`, which does not serve %s, and it can be reached there: %s", s.Name, name, p.channel, w.path(p))
		}
	}
	if !p.told && joinsPerson(s.Verb, p.channel) {
		f.failOnce(s, "recording", s.At("verb"), "recording", "say something with `announces: recording` first, or ask a `consent` of kind recording",
			"the entry records, but on this path nobody has told the caller before they speak to a person: %s", w.path(p))
	}
}

func (w *walk) notAssured(p point, s *Step) {
	named := "add `not_assured: STEP` to its `next`"
	if s.Next.To != "" {
		named = fmt.Sprintf("write `next: { not_assured: STEP, else: %s }`", s.Next.To)
	}
	fix := fmt.Sprintf("put an `identify` of level %s before it on this path, or %s", s.Needs, named)
	if p.leaving { // nobody is there any more to be identified
		fix = named
	}
	have := "nothing is known of the caller"
	if p.level > tandem.None {
		have = "the caller is only " + p.level.String()
	}
	needs := fmt.Sprintf("step `%s` needs %s", s.Name, s.Needs)
	place := "needs"
	if l, ok := s.Verb.(*flow.LinkStep); ok && s.Places["needs"] == nil {
		needs, place = fmt.Sprintf("operation `%s` of step `%s` needs %s", l.Operation, s.Name, s.Needs), "operation"
	}
	w.f.failOnce(s, "needs", s.At(place), "assurance", fix,
		"%s, but %s on this path: %s", needs, have, w.path(p))
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
	complete := f.walked && !f.Broken() && !f.callsBroken(map[string]bool{})
	for _, name := range f.Program.Order {
		s := f.Steps[name]
		v := f.visits[name]
		if !v.live && !v.leaving && complete {
			f.Warn(s.Key, "unreachable-step", "lead to it from another step, or remove it", "no path leads to step `%s`", name)
		}
		if v.leaving && !v.live && s.Verb != nil && flow.Speaks(s.Verb) {
			f.Fail(s.At("verb"), "leave-speaks", "use set, http, branch, message, ticket or end there", "step `%s` runs only after the customer left, when nobody hears or answers `%s`", name, s.Verb.Verb())
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

// callsBroken reports a called flow with a mistake: by which outcomes it returns is not known.
func (f *subject) callsBroken(seen map[string]bool) bool {
	seen[f.Program.Name] = true
	for _, name := range f.Program.Order {
		for _, called := range f.Steps[name].calls() {
			child := f.checker.flows[called]
			if child != nil && !seen[called] && (child.Broken() || child.callsBroken(seen)) {
				return true
			}
		}
	}
	return false
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
