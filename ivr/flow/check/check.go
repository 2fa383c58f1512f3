package check

import (
	"maps"
	"slices"
	"strings"

	"tandem/ivr/flow"
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
	Places map[string]*source.Node // parts that checks point at: a key of the step, "verb", "name", "during", "choices", "choice 1", "arm 1", "next OUTCOME"
	Uses   []Use
}

// calls is the flows that a step may start, by the part that names them.
func (s *Step) calls() map[string]string {
	switch v := s.Verb.(type) {
	case *flow.Subflow:
		return map[string]string{"name": v.Name}
	case *flow.QueueStep:
		if v.During != "" {
			return map[string]string{"during": v.During}
		}
	}
	return nil
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

// Options is what the checks need to know from outside the files.
type Options struct {
	Entered  []string        // the flows that entries lead to
	Recorded []string        // those of entries that record
	Speech   map[string]bool // the languages that a recogniser is configured for
}

// Flows holds flows against the rules and reports into their files. They are given by
// the name under which subflow finds them.
func Flows(flows map[string]*Flow, o Options) {
	c := &checker{o: o, flows: map[string]*subject{}, quick: map[string]map[string]bool{}, walks: map[walkKey]*walk{}}
	for name, f := range flows {
		c.flows[name] = &subject{Flow: f, checker: c, visits: map[string]visit{}, once: map[string]bool{}}
	}
	c.order = slices.SortedFunc(maps.Values(c.flows), func(a, b *subject) int { return strings.Compare(a.Base, b.Base) })
	for _, f := range c.order {
		f.keys()
	}
	c.calls()
	c.paths()
	for _, f := range c.order {
		f.words()
		f.loops()
	}
}

// checker is one run over all flows.
type checker struct {
	o     Options
	flows map[string]*subject
	order []*subject                 // by file
	quick map[string]map[string]bool // outcomes of called flows, by quickOutcomes
	walks map[walkKey]*walk
}

// subject is one flow under check.
type subject struct {
	*Flow
	checker *checker

	walked bool             // by paths
	visits map[string]visit // what the walks came to
	once   map[string]bool  // what failOnce has said
}
