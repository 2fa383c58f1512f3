package read

import (
	"fmt"
	"slices"
	"strings"

	"tandem/ivr/flow"
)

var commandNames = []string{"help", "agent", "repeat", "back"}

// readCommands reads what works in every menu and collect, and holds it against the menus.
func (ff *flowFile) readCommands() {
	n := ff.root.get("commands")
	if n == nil || !ff.fields(n, "commands", commandNames...) {
		return
	}
	var nodes []*node
	for _, e := range n.entries {
		if !slices.Contains(commandNames, e.key.text) || !ff.fields(e.val, "command `"+e.key.text+"`", "keys", "phrases", "go") {
			continue
		}
		c := &flow.Command{Name: e.key.text, Pos: ff.pos(e.key), Keys: ff.keys(e.val.get("keys")), Phrases: ff.phrases(e.val.get("phrases"))}
		switch to := e.val.get("go"); {
		case to != nil:
			c.Go = ff.stepName(to, "go")
		case c.Name == "help" || c.Name == "agent":
			ff.fail(e.val, "missing-key", "add `go: STEP`", "command `%s` has no `go`", c.Name)
		}
		if e.val.get("keys") == nil && e.val.get("phrases") == nil {
			ff.fail(e.val, "missing-key", "add `keys: \"*0\"`", "command `%s` has neither keys nor phrases", c.Name)
		}
		ff.flow.Commands = append(ff.flow.Commands, c)
		nodes = append(nodes, e.val)
	}
	ff.checkCollisions(nodes)
	for _, name := range ff.flow.Order {
		menu, ok := ff.steps[name].Verb.(*flow.Menu)
		if !ok {
			continue
		}
		ff.commandsAgainst(ff.steps[name], menu, nodes)
	}
}

// commandsAgainst finds commands that a menu's own keys and phrases would hide.
func (ff *flowFile) commandsAgainst(s *step, menu *flow.Menu, commands []*node) {
	for i, c := range ff.flow.Commands {
		if i >= len(commands) {
			return
		}
		var keys []string
		for _, choice := range menu.Choices {
			keys = append(keys, choice.Keys)
			for lang, phrases := range c.Phrases {
				for _, p := range phrases {
					for _, q := range choice.Phrases[lang] {
						if collide(fold(p), fold(q)) {
							ff.fail(commands[i].get("phrases"), "command-collides", "choose other words for one of them", "the phrase `%s` of command `%s` collides with `%s` in menu `%s`", p, c.Name, q, s.Name)
						}
					}
				}
			}
		}
		if menu.From != nil {
			for k := 1; k <= menu.From.Max; k++ {
				keys = append(keys, fmt.Sprint(k))
			}
		}
		for _, k := range keys {
			if collide(c.Keys, k) {
				ff.fail(commands[i].get("keys"), "command-collides", "choose another key for one of them, such as \"*0\"", "key %s of command `%s` collides with key %s in menu `%s`", c.Keys, c.Name, k, s.Name)
			}
		}
	}
}

// collide reports that one is the other or its beginning.
func collide(a, b string) bool {
	return a != "" && b != "" && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a))
}

// fold makes phrases alike that a caller cannot tell apart.
func fold(s string) string { return strings.Join(strings.Fields(strings.ToLower(s)), " ") }

// checkCollisions compares the keys and phrases of one menu, or of the commands.
func (ff *flowFile) checkCollisions(items []*node) {
	type seen struct {
		text string
		at   place
	}
	var keys []seen
	phrases := map[string]seen{}
	for _, item := range items {
		if item.kind != isMap {
			continue
		}
		if k := item.get("keys"); k != nil && k.kind == isText {
			for _, other := range keys {
				if k.text == other.text {
					ff.fail(k, "keys-collide", "give one of them another key", "key %s is used twice; the first is on line %d", k.text, other.at.line)
				} else if collide(k.text, other.text) {
					ff.fail(k, "keys-collide", "use keys of which none begins another", "keys %s and %s collide: one begins the other; the first is on line %d", k.text, other.text, other.at.line)
				}
			}
			keys = append(keys, seen{k.text, k.at})
		}
		p := item.get("phrases")
		if p == nil || p.kind != isMap {
			continue
		}
		for _, e := range p.entries {
			list := []*node{e.val}
			if e.val.kind == isList {
				list = e.val.items
			}
			for _, ph := range list {
				if ph.kind != isText {
					continue
				}
				id := e.key.text + " " + fold(ph.text)
				if other, twice := phrases[id]; twice {
					ff.fail(ph, "phrases-collide", "remove it from one of the two", "the phrase `%s` is used twice; the first is on line %d", ph.text, other.at.line)
				} else {
					phrases[id] = seen{ph.text, ph.at}
				}
			}
		}
	}
}
