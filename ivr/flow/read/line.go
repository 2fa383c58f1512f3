package read

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/beside"
	"tandem/ivr/flow/program"
	"tandem/ivr/flow/serving"
	"tandem/ivr/flow/source"
)

// mention is a name in a queues file that something in this or another file must have.
type mention struct {
	beside.Mention
	file *program.Document
}

// declareLine reads a queues file.
func (r *reading) declareLine(f *program.Document) {
	r.Media.Queues(f.File, beside.Line{
		Queue: func(n *source.Node, q *flow.Queue) { keep(f, n, "queue", r.Queues, q) },
		Box:   func(n *source.Node, b *flow.Box) { keep(f, n, "box", r.Boxes, b) },
		Team:  func(n *source.Node, t *flow.Team) { keep(f, n, "team", r.Teams, t) },
		Agent: func(n *source.Node, a *flow.Agent) {
			if other := r.Agents[a.Name]; other != nil {
				f.Fail(n, "duplicate-name", "keep one of the two", "agent `%s` is also in %s", a.Name, other.File.Path)
				return
			}
			r.Agents[a.Name] = &program.Named[flow.Agent]{Value: a, File: f}
		},
		Mention: func(m beside.Mention) { r.mentions = append(r.mentions, mention{m, f}) },
		Policy: func(n *source.Node, p *flow.Routing) {
			if r.Policy != nil {
				f.Fail(n, "duplicate-name", "keep one of the two", "`policy` is also in %s, and holds for the whole line", r.Policy.File.Path)
				return
			}
			r.Policy = &program.Named[flow.Routing]{Value: p, File: f}
		},
	})
}

// keep takes what is declared at n, unless its name is taken.
func keep[T any](f *program.Document, n *source.Node, what string, taken map[string]*program.Named[T], v *T) {
	if program.Free(f, n, what, taken) {
		taken[n.Text] = &program.Named[T]{Value: v, File: f}
	}
}

// checkLine looks up what queues files name, once all files are read, and looks at the
// line as a whole if nothing is wrong with its parts.
func (r *reading) checkLine() {
	for _, m := range r.mentions {
		switch m.Kind {
		case "queue":
			known(m, r.Queues, source.QueuesFile, "unknown-queue", "there is no queue `%s`", "add `queues: { %s: {} }`")
		case "team":
			known(m, r.Teams, source.QueuesFile, "unknown-team", "there is no team `%s`", "add `teams: { %s: {} }`")
		case "agent":
			known(m, r.Agents, source.QueuesFile, "unknown-agent", "there is no agent `%s`", "add `agents: { %s: { teams: [TEAM] } }`")
		case "calendar":
			known(m, r.Calendars, source.CalendarFile, "unknown-calendar", "there is no calendar `%s`", "make a file %s.calendar.yaml beside it")
		}
	}
	for name, f := range r.Files {
		if source.KindOf(name) == source.QueuesFile && (f.Root == nil || f.Broken()) {
			return // the mistake there is enough
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.Queues)) {
		r.checkQueue(r.Queues[name])
	}
	for _, name := range slices.Sorted(maps.Keys(r.Agents)) {
		r.checkAgent(r.Agents[name])
	}
	for _, name := range slices.Sorted(maps.Keys(r.Teams)) {
		r.checkTeam(r.Teams[name])
	}
	for _, ff := range r.inOrder() {
		if !ff.Broken() {
			r.checkPriorities(ff)
		}
	}
}

// known looks a name up and notes that one file uses the other.
func known[T any](m mention, of map[string]*program.Named[T], kind, rule, message, make string) {
	if thing := of[m.Name]; thing != nil {
		if thing.File != m.file {
			m.file.Uses[thing.File.Base] = true
		}
		return
	}
	at := *m.At
	at.At.Col += m.Lead // before which there is no more than a quote
	at.Text = m.Name
	if m.Lead > 0 && m.At.Style != 0 {
		at.At.Col++
		at.Style = 0
	}
	m.file.Unknown(&at, rule, kind, m.Name, slices.Sorted(maps.Keys(of)), message, fmt.Sprintf(make, source.AsName(m.Name)))
}

// checkQueue warns of a queue that nobody serves, that promises nothing, or that asks and
// tells apart what nobody has.
func (r *reading) checkQueue(q *program.Named[flow.Queue]) {
	at := q.File.Root.Get("queues").KeyOf(q.Value.Name)
	body := q.File.Root.Get("queues").Get(q.Value.Name)
	people := r.Serving(q.Value)
	teams := serving.Teams(q.Value)
	switch {
	case len(people) > 0:
	case len(teams) == 0:
		q.File.Warn(at, "nobody-serves", "add `teams: [TEAM]`", "queue `%s` has no team: nobody serves it", q.Value.Name)
	default:
		q.File.Warn(at, "nobody-serves", fmt.Sprintf("add `agents: { NAME: { teams: [%s] } }`", teams[0]), "nobody serves queue `%s`: no agent is in %s", q.Value.Name, listed("team", teams))
	}
	if q.Value.Target == nil {
		var said []string
		for _, k := range flow.TargetKinds() {
			said = append(said, k.Word+" "+source.ShortDuration(flow.DefaultTarget(k.Kind)))
		}
		q.File.Warn(at, "missing-target", "add `target: { voice: 20s }`", "queue `%s` names no target, so these hold: %s", q.Value.Name, strings.Join(said, ", "))
	}
	for _, stage := range items(body.Get("relax")) {
		skills := stage.Get("skills")
		for _, e := range entries(skills) {
			if e.Key.Text != "*" && len(people) > 0 && !slices.ContainsFunc(people, func(a *flow.Agent) bool { return a.Skills[e.Key.Text] > 0 }) {
				q.File.Warn(e.Key, "unknown-skill", source.DidYouMean(e.Key.Text, serving.Skills(people)), "nobody who serves queue `%s` has the skill `%s`", q.Value.Name, e.Key.Text)
			}
		}
	}
	asked := r.Asked[q.Value.Name]
	if asked["*"] || q.File.Unread(source.FlowFile) || slices.ContainsFunc(r.inOrder(), func(ff *program.File) bool { return ff.Broken() }) {
		return
	}
	for _, e := range entries(body.Get("levels")) {
		if !asked[e.Key.Text] {
			q.File.Warn(e.Key, "unused-level", fmt.Sprintf("write `level: %s` in a step that puts such customers in line, or take it out", e.Key.Text), "no step puts anybody in queue `%s` with the level `%s`", q.Value.Name, e.Key.Text)
		}
	}
}

// checkAgent warns of an agent whom nothing can be offered.
func (r *reading) checkAgent(a *program.Named[flow.Agent]) {
	at := a.File.Root.Get("agents").KeyOf(a.Value.Name)
	if len(a.Value.Teams) == 0 {
		a.File.Warn(at, "idle-agent", "add `teams: [TEAM]`", "agent `%s` is in no team: nothing is ever offered to them", a.Value.Name)
		return
	}
	for _, q := range r.Queues {
		if slices.ContainsFunc(serving.Teams(q.Value), func(t string) bool { return slices.Contains(a.Value.Teams, t) }) {
			return
		}
	}
	a.File.Warn(at, "idle-agent", "name the team in a queue's `teams` or `overflow`", "agent `%s` is in %s, which serves no queue: nothing is ever offered to them", a.Value.Name, listed("team", a.Value.Teams))
}

// checkTeam warns of a team that nobody is in, unless that was told of its queue.
func (r *reading) checkTeam(t *program.Named[flow.Team]) {
	for _, a := range r.Agents {
		if slices.Contains(a.Value.Teams, t.Value.Name) {
			return // where the team serves nothing, that is told of the agents
		}
	}
	serves := false
	for _, q := range r.Queues {
		if slices.Contains(serving.Teams(q.Value), t.Value.Name) {
			if serves = true; len(r.Serving(q.Value)) == 0 {
				return
			}
		}
	}
	at, fix := t.File.Root.Get("teams").KeyOf(t.Value.Name), fmt.Sprintf("add `agents: { NAME: { teams: [%s] } }`, or take the team out", t.Value.Name)
	if serves {
		t.File.Warn(at, "idle-team", fix, "nobody is in team `%s`", t.Value.Name)
		return
	}
	t.File.Warn(at, "idle-team", fix, "nobody is in team `%s`, and it serves no queue", t.Value.Name)
}

// checkPriorities warns of steps that give more of a head start than the policy lets count.
func (r *reading) checkPriorities(ff *program.File) {
	most := flow.DefaultRouting().MostPriority
	if r.Policy != nil {
		most = r.Policy.Value.MostPriority
	}
	for name, s := range ff.Flow.Steps {
		q, ok := s.Verb.(*flow.QueueStep)
		if !ok || q.Priority == nil || len(q.Priority.Uses()) > 0 || len(q.Priority.Calendars()) > 0 {
			continue
		}
		v, err := q.Priority.Eval(nil)
		d, is := v.(time.Duration)
		at := ff.Root.Get("steps").Get(name).Get("queue").Get("priority")
		if err != nil || !is || d <= most || at == nil {
			continue
		}
		ff.Warn(at, "priority-capped", fmt.Sprintf("write `priority: %s`, or let the policy's `most_priority` be more", source.ShortDuration(most)), "a priority counts up to %s, the policy's `most_priority`: this is %s", source.ShortDuration(most), source.ShortDuration(d))
	}
}

func items(n *source.Node) []*source.Node {
	if n == nil {
		return nil
	}
	return n.Items
}

func entries(n *source.Node) []source.Entry {
	if n == nil {
		return nil
	}
	return n.Entries
}

// listed is names as people write them.
func listed(what string, names []string) string {
	if len(names) == 1 {
		return what + " `" + names[0] + "`"
	}
	return what + "s `" + strings.Join(names, "`, `") + "`"
}

// routing is what holds for the whole line, with the capacities and targets that are not
// named filled in.
func (r *reading) routing() *flow.Routing {
	p := flow.DefaultRouting()
	if r.Policy != nil {
		p = r.Policy.Value
	}
	for _, a := range r.Agents {
		own := a.Value.Capacity
		a.Value.Capacity = maps.Clone(p.Capacity)
		maps.Copy(a.Value.Capacity, own)
	}
	for _, q := range r.Queues {
		named := q.Value.Target
		q.Value.Target = map[tandem.TaskKind]time.Duration{}
		for _, k := range flow.TargetKinds() {
			q.Value.Target[k.Kind] = flow.DefaultTarget(k.Kind)
		}
		maps.Copy(q.Value.Target, named)
	}
	return p
}
