package program

import (
	"slices"

	"tandem/ivr/flow"
)

var commandNames = []string{"help", "agent", "repeat", "back"}

// readCommands reads what works in every menu and collect.
func (ff *File) readCommands() {
	n := ff.Root.Get("commands")
	if n == nil || !ff.Fields(n, "commands", commandNames...) {
		return
	}
	for _, e := range n.Entries {
		if !slices.Contains(commandNames, e.Key.Text) || !ff.Fields(e.Val, "command `"+e.Key.Text+"`", "keys", "phrases", "go") {
			continue
		}
		c := &flow.Command{Name: e.Key.Text, Pos: ff.Pos(e.Key), Keys: ff.keys(e.Val.Get("keys")), Phrases: ff.phrases(e.Val.Get("phrases"))}
		switch to := e.Val.Get("go"); {
		case to != nil:
			c.Go = ff.stepName(to, "go")
		case c.Name == "help" || c.Name == "agent":
			ff.Fail(e.Val, "missing-key", "add `go: STEP`", "command `%s` has no `go`", c.Name)
		}
		if e.Val.Get("keys") == nil && e.Val.Get("phrases") == nil {
			ff.Fail(e.Val, "missing-key", "add `keys: \"*0\"`", "command `%s` has neither keys nor phrases", c.Name)
		}
		ff.Flow.Commands = append(ff.Flow.Commands, c)
		ff.Checked.Commands = append(ff.Checked.Commands, e.Val)
	}
}
