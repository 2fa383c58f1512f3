package program

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tandem/internal/nearest"
	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/serving"
	"tandem/ivr/flow/source"
)

// Serving is the agents of a queue's teams, those that help out later too, by name.
func (k *Known) Serving(q *flow.Queue) []*flow.Agent {
	return serving.Agents(q, k.Agents, func(a *Named[flow.Agent]) *flow.Agent { return a.Value })
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
	agents := ff.known.Serving(q)
	lack, eased := serving.Lack(q, agents, skill, level)
	if !lack || len(agents) == 0 {
		return // of a queue without agents the checks of the line tell
	}
	asked, relaxed := "`"+skill+"`", ""
	if level > 1 {
		asked = fmt.Sprintf("`%s` at %d", skill, level)
	}
	if eased {
		relaxed = ", even relaxed"
	}
	fix := "give it to an agent, or relax it in the queue"
	if near := nearest.Name(skill, serving.Skills(agents)); near != "" && near != skill && !strings.Contains(n.Text, "${") {
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
