package program

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"tandem/internal/nearest"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

// TeamsOf is every team that may serve a queue, those that help out later too, each once.
func TeamsOf(q *flow.Queue) []string {
	out := slices.Clone(q.Teams)
	for _, o := range q.Over {
		for _, t := range o.Teams {
			if !slices.Contains(out, t) {
				out = append(out, t)
			}
		}
	}
	return out
}

// Serving is the agents of a queue's teams, those that help out later too, by name.
func (k *Known) Serving(q *flow.Queue) []*flow.Agent {
	teams := TeamsOf(q)
	var out []*flow.Agent
	for _, a := range k.Agents {
		if slices.ContainsFunc(a.Value.Teams, func(t string) bool { return slices.Contains(teams, t) }) {
			out = append(out, a.Value)
		}
	}
	slices.SortFunc(out, func(a, b *flow.Agent) int { return cmp.Compare(a.Name, b.Name) })
	return out
}

// SkillsOf is what some of the agents can do, sorted.
func SkillsOf(agents []*flow.Agent) []string {
	all := map[string]bool{}
	for _, a := range agents {
		for s := range a.Skills {
			all[s] = true
		}
	}
	return slices.Sorted(maps.Keys(all))
}

// wanted checks a skill that a queue step asks for, as far as it is written out or hangs on
// the language alone.
func (ff *File) wanted(n *source.Node, t *expression.Template, queue string) {
	var all []string
	if text, plain := t.Literal(); plain {
		all = []string{text}
	} else if uses := t.Uses(); len(uses) == 1 && uses[0] == "lang" {
		for _, lang := range ff.Flow.Languages {
			if text, err := t.Text(map[string]any{"lang": lang}); err == nil && text != "" {
				all = append(all, text)
			}
		}
	}
	for _, text := range all {
		skill, level, ok := flow.Wanted(text)
		if !ok {
			ff.Fail(n, "skill", "write it as \"lang:en\" or \"cards>=3\"", "`%s` asks for no skill: a skill has Latin letters, digits and : _ - ., and a level from 1 to %d", text, flow.BestSkill)
			return
		}
		if q := ff.known.Queues[queue]; q != nil {
			ff.had(n, q.Value, skill, level)
		}
	}
}

// had warns of a skill that nobody has who serves the queue, relaxed as far as it may be.
func (ff *File) had(n *source.Node, q *flow.Queue, skill string, level int) {
	least := level
	for _, stage := range q.Relax {
		by, named := stage.Levels[skill]
		if !named {
			by = stage.Levels["*"]
		}
		least -= by
	}
	agents := ff.known.Serving(q)
	if least <= 0 || len(agents) == 0 || slices.ContainsFunc(agents, func(a *flow.Agent) bool { return a.Skills[skill] >= least }) {
		return
	}
	asked, relaxed := "`"+skill+"`", ""
	if level > 1 {
		asked = fmt.Sprintf("`%s` at %d", skill, level)
	}
	if least < level {
		relaxed = ", even relaxed"
	}
	fix := "give it to an agent, or relax it in the queue"
	if near := nearest.Name(skill, SkillsOf(agents)); near != "" && near != skill && !strings.Contains(n.Text, "${") {
		fix = fmt.Sprintf("write `%s`", near)
	}
	ff.Warn(n, "unknown-skill", fix, "nobody who serves queue `%s` has the skill %s%s: whoever needs it waits in vain", q.Name, asked, relaxed)
}

// level reads the level that a queue step gives the customer. One that is written out has
// to be a level of the queue; what is only known in a call may be any.
func (ff *File) level(n *source.Node, queue string) *expression.Template {
	t := ff.openTemplate(n, "level", "a queue")
	if t == nil {
		return nil
	}
	asked := ff.known.Asked[queue]
	if asked == nil {
		asked = map[string]bool{}
		ff.known.Asked[queue] = asked
	}
	var may []string
	switch text, plain := t.Literal(); {
	case plain:
		may = []string{text}
	case t.Type().Kind == expression.Enum:
		may = t.Type().Values
	default:
		asked["*"] = true
		return t
	}
	for _, v := range may {
		asked[v] = true
	}
	q := ff.known.Queues[queue]
	if q == nil {
		return t
	}
	levels := slices.Sorted(maps.Keys(q.Value.TargetOf))
	if slices.ContainsFunc(may, func(v string) bool { return slices.Contains(levels, v) }) {
		return t
	}
	asked["*"] = true // it is a slip: nobody knows which level is meant
	fix := "write `levels: { " + source.AsName(may[0]) + ": { voice: 10s } }` in the queue"
	if len(levels) > 0 {
		fix = source.DidYouMean(may[0], levels)
	}
	if len(may) == 1 {
		ff.Fail(n, "unknown-level", fix, "queue `%s` has no level `%s`", queue, may[0])
	} else {
		ff.Fail(n, "unknown-level", fix, "queue `%s` has none of the levels that this can be", queue)
	}
	return t
}
