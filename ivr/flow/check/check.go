package check

import (
	"maps"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"tandem/ivr/flow"
	"tandem/ivr/flow/expression"
	"tandem/ivr/flow/source"
)

// Flow is one flow to check, with the places of its parts.
type Flow struct {
	*source.File
	Program  *flow.Flow
	Steps    map[string]*Step // all of Program.Order
	Commands []*source.Node   // what stands under each of Program.Commands
}

// Step is a step with what only the checks need.
type Step struct {
	*flow.Step
	Key    *source.Node            // its name
	Places map[string]*source.Node // parts that checks point at: a key of the step, "verb", "name", "choices", "choice 1", "arm 1", "next OUTCOME"
	Uses   []Use
}

// Use is a name that an expression of a step reads, and where the expression stands.
type Use struct {
	Name string
	At   source.Place
}

// At is a part of the step, the step's name if there is no such part.
func (s *Step) At(part string) *source.Node {
	if n := s.Places[part]; n != nil {
		return n
	}
	return s.Key
}

// Flows holds flows against the rules and reports into their files. They are given by
// the name under which subflow finds them; recorded names those of entries that record.
func Flows(flows map[string]*Flow, recorded []string) {
	c := &checker{flows: map[string]*subject{}, recorded: recorded, quick: map[string]map[string]bool{}, walks: map[walkKey]*walk{}}
	for name, f := range flows {
		c.flows[name] = &subject{Flow: f, checker: c, visits: map[string]visit{}, once: map[string]bool{}, conditions: map[*expression.Program]ast.Node{}}
	}
	c.order = slices.SortedFunc(maps.Values(c.flows), func(a, b *subject) int { return strings.Compare(a.Base, b.Base) })
	for _, f := range c.order {
		f.keys()
	}
	c.calls()
	c.paths()
	for _, f := range c.order {
		f.loops()
	}
}

// checker is one run over all flows.
type checker struct {
	flows    map[string]*subject
	order    []*subject // by file
	recorded []string
	quick    map[string]map[string]bool // outcomes of called flows, by quickOutcomes
	walks    map[walkKey]*walk
}

// subject is one flow under check.
type subject struct {
	*Flow
	checker *checker

	walked     bool             // by paths
	visits     map[string]visit // what the walks came to
	once       map[string]bool  // what failOnce has said
	conditions map[*expression.Program]ast.Node
}
