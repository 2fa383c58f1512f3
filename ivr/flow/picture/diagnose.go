package picture

import (
	"cmp"
	"path/filepath"
	"slices"
	"strconv"

	"tandem/ivr/flow"
	"tandem/ivr/flow/source"
)

// diagnose gives each step the errors and warnings that lie in its lines, or in those
// of a prompt it uses.
func (g *graph) diagnose() {
	type start struct {
		line int
		n    *node
	}
	var starts []start
	prompts := map[int][]*node{} // by line
	for _, n := range g.nodes {
		if n.step == nil || n.mark == removed {
			continue
		}
		starts = append(starts, start{n.step.Pos.Line, n})
		for _, p := range promptsOf(n.step.Verb) {
			if p.Name != "" {
				prompts[p.Pos.Line] = append(prompts[p.Pos.Line], n)
				for _, w := range p.ByLang {
					if w != nil && w.Pos.Line != p.Pos.Line {
						prompts[w.Pos.Line] = append(prompts[w.Pos.Line], n)
					}
				}
			}
		}
	}
	for _, line := range g.otherLines() {
		starts = append(starts, start{line, nil})
	}
	slices.SortStableFunc(starts, func(a, b start) int { return cmp.Compare(a.line, b.line) })
	for _, d := range g.o.Diagnostics {
		if d.File != "" && g.flow.Pos.File != "" && filepath.Base(d.File) != filepath.Base(g.flow.Pos.File) {
			continue
		}
		at := prompts[d.Line]
		if len(at) == 0 {
			for _, s := range starts {
				if s.line <= d.Line {
					at = []*node{s.n}
				}
			}
			if len(at) > 0 && at[0] == nil {
				at = nil
			}
		}
		if len(at) == 0 {
			if d.Severity == source.Error {
				g.loose++
			} else {
				g.looseWarnings++
			}
		}
		for _, n := range at {
			if d.Rule == ruleUnreachable {
				n.messages = append(n.messages, d.Message)
				n.unreachable = true
				continue
			}
			line := strconv.Itoa(d.Line) + ": " + oneLine(d.Message)
			if slices.Contains(n.messages, line) {
				continue
			}
			n.messages = append(n.messages, line)
			if d.Severity == source.Error {
				n.errors++
			} else {
				n.warnings++
			}
		}
	}
}

// otherLines are where something begins that is no step.
func (g *graph) otherLines() []int {
	var out []int
	for _, p := range g.flow.Prompts {
		if p != nil {
			out = append(out, p.Pos.Line)
		}
	}
	for _, c := range g.flow.Commands {
		if c != nil {
			out = append(out, c.Pos.Line)
		}
	}
	for _, list := range [][]*flow.Variable{g.flow.Inputs, g.flow.Vars} {
		for _, v := range list {
			out = append(out, v.Pos.Line)
		}
	}
	return out
}

// ruleUnreachable is the checker's rule for steps that no path leads to.
const ruleUnreachable = "unreachable-step"
