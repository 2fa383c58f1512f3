package suite

import (
	"slices"

	"tandem/ivr/flow"
)

// Coverage is how much of a flow was walked.
type Coverage struct {
	Flow  string      `json:"flow"`
	File  string      `json:"file"`
	Least int         `json:"least,omitempty"` // percent of edges that its test files ask for
	Steps StepsWalked `json:"steps"`
	Edges EdgesWalked `json:"edges"`

	tested bool // has a test file of its own among those that ran
}

// StepsWalked are steps; Missing are those that were never entered.
type StepsWalked struct {
	Covered int      `json:"covered"`
	Total   int      `json:"total"`
	Missing []string `json:"missing"`
}

// EdgesWalked are the ways out of steps, commands that lead to a step, and on_leave.
type EdgesWalked struct {
	Covered int           `json:"covered"`
	Total   int           `json:"total"`
	Missing []MissingEdge `json:"missing"`
}

// MissingEdge is a way that nobody went. Step is "" for a command and for on_leave.
type MissingEdge struct {
	Step  string `json:"step"`
	Label string `json:"label"`
	To    string `json:"to"`
	Line  int    `json:"line"`
}

// Percent is the share of edges covered, in hundredths of a percent rounded down; all
// of none is all.
func (e EdgesWalked) Percent() float64 {
	if e.Total == 0 {
		return 100
	}
	return float64(e.Covered*10000/e.Total) / 100
}

// Short tells whether a flow is covered less than its files, or least, ask for. A flow
// that is only called is held to least too.
func (c Coverage) Short(least int) bool {
	if c.tested || c.Steps.Covered > 0 {
		return c.Edges.Covered*100 < max(least, c.Least)*c.Edges.Total
	}
	return false
}

// counter adds up what cases have walked.
type counter struct {
	lib   *flow.Library
	order []*flow.Flow
	least map[string]int
	own   map[string]bool // flows with test files
	steps map[string]map[string]bool
	ways  map[string]map[[2]string]bool // by flow: step and outcome
}

func newCounter(lib *flow.Library) *counter {
	return &counter{
		lib: lib, least: map[string]int{}, own: map[string]bool{},
		steps: map[string]map[string]bool{}, ways: map[string]map[[2]string]bool{},
	}
}

// tested notes a test file.
func (c *counter) tested(d *document) {
	c.own[d.flow.Name] = true
	c.least[d.flow.Name] = max(c.least[d.flow.Name], d.coverage)
	for _, f := range d.flows {
		if !slices.Contains(c.order, f) {
			c.order = append(c.order, f)
		}
	}
}

func (c *counter) add(w walked) {
	for _, v := range w.entered {
		if c.steps[v.Flow] == nil {
			c.steps[v.Flow] = map[string]bool{}
		}
		c.steps[v.Flow][v.Step] = true
	}
	for _, l := range w.left {
		if c.ways[l.Flow] == nil {
			c.ways[l.Flow] = map[[2]string]bool{}
		}
		c.ways[l.Flow][[2]string{l.Step, l.Outcome}] = true
	}
}

// report is the coverage of each flow, those with test files first.
func (c *counter) report() []Coverage {
	out := []Coverage{}
	for _, own := range []bool{true, false} {
		for _, f := range c.order {
			if c.own[f.Name] == own {
				out = append(out, c.of(f))
			}
		}
	}
	return out
}

func (c *counter) of(f *flow.Flow) Coverage {
	out := Coverage{
		Flow: f.Name, File: f.Pos.File, Least: c.least[f.Name], tested: c.own[f.Name],
		Steps: StepsWalked{Missing: []string{}}, Edges: EdgesWalked{Missing: []MissingEdge{}},
	}
	ways := c.ways[f.Name]
	count := func(e MissingEdge, walked bool) {
		out.Edges.Total++
		if walked {
			out.Edges.Covered++
		} else {
			out.Edges.Missing = append(out.Edges.Missing, e)
		}
	}
	byName := map[string]bool{} // outcomes by which any step was left, where no edge of it has them
	for _, name := range f.Order {
		step := f.Steps[name]
		out.Steps.Total++
		if c.steps[f.Name][name] || ways[[2]string{name, "skipped"}] {
			out.Steps.Covered++
		} else {
			out.Steps.Missing = append(out.Steps.Missing, name)
		}
		own := map[string]bool{}
		for _, e := range step.Edges() {
			walked := false
			for _, outcome := range e.Outcomes {
				own[outcome] = true
				walked = walked || ways[[2]string{name, outcome}]
			}
			count(MissingEdge{Step: name, Label: e.Label, To: e.To, Line: step.Pos.Line}, walked)
		}
		for way := range ways {
			if way[0] == name && !own[way[1]] {
				byName[way[1]] = true
			}
		}
	}
	for _, command := range f.Commands {
		if command.Go != "" {
			count(MissingEdge{Label: "command " + command.Name, To: command.Go, Line: command.Pos.Line}, byName[command.Name])
		}
	}
	if f.OnLeave != "" {
		count(MissingEdge{Label: "on_leave", To: f.OnLeave, Line: f.Pos.Line}, byName["left"])
	}
	return out
}
