package schema

// Names is what the files of a folder declare, for a schema and for completion. The
// zero value knows nothing; nil lists offer nothing and refuse nothing.
type Names struct {
	Lang string // of the sentences in a schema and beside completions: en or zh-CN
	File string // the name of the file that is being written; its end says what it is

	Calendars   []string
	Queues      []string
	Teams       []string
	Agents      []string
	Skills      []string            // of all agents
	Levels      map[string][]string // of each queue
	Boxes       []string
	Forms       []string
	Operations  []string
	Classifiers []string
	Checks      []string
	Knowledge   []string
	Prompts     []string // of all flows
	Settings    []string // flows.settings of the configuration
	Flows       []FlowNames
}

// FlowNames is one flow as others see it.
type FlowNames struct {
	Name     string
	Inputs   []Named
	Outcomes []string
	Returns  []string
	Steps    []string
	HTTP     []string // steps that ask another system
	Vars     []Named  // with its inputs; fields of objects as card.balance
	Prompts  []string
}

// Named is a name with the type that was declared for it.
type Named struct{ Name, Type string }

// Flow is the flow of a name, nil if none is known by it.
func (n *Names) Flow(name string) *FlowNames {
	for i := range n.Flows {
		if n.Flows[i].Name == name {
			return &n.Flows[i]
		}
	}
	return nil
}
