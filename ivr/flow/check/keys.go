package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tandem/ivr/flow"
	"tandem/ivr/flow/source"
)

// keys compares what callers press and say: within each menu, among the commands, and
// the commands with the menus in which they work.
func (f *subject) keys() {
	for _, name := range f.Program.Order {
		if choices := f.Steps[name].Places["choices"]; choices != nil {
			f.collisions(choices.Items)
		}
	}
	f.collisions(f.Commands)
	if len(f.Program.Commands) == 0 {
		return
	}
	said := make([][]phrase, len(f.Program.Commands))
	for i, c := range f.Program.Commands {
		said[i] = allPhrases(c.Phrases)
	}
	for _, name := range f.Program.Order {
		if menu, ok := f.Steps[name].Verb.(*flow.Menu); ok {
			f.commandsAgainst(f.Steps[name], menu, said)
		}
	}
}

// commandsAgainst finds commands that a menu's own keys and phrases would hide; said is
// what each command is called by.
func (f *subject) commandsAgainst(s *Step, menu *flow.Menu, said [][]phrase) {
	var keys []string
	var phrases []phrase
	for _, choice := range menu.Choices {
		keys = append(keys, choice.Keys)
		phrases = append(phrases, allPhrases(choice.Phrases)...)
	}
	if menu.From != nil {
		for k := 1; k <= menu.From.Max; k++ {
			keys = append(keys, fmt.Sprint(k))
		}
	}
	for i, c := range f.Program.Commands {
		for _, q := range phrases {
			for _, p := range said[i] {
				if collide(p.folded, q.folded) {
					f.Fail(f.Commands[i].Get("phrases"), "command-collides", "choose other words for one of them", "the phrase `%s` of command `%s` collides with `%s` in menu `%s`", p.text, c.Name, q.text, s.Name)
				}
			}
		}
		for _, k := range keys {
			if collide(c.Keys, k) {
				f.Fail(f.Commands[i].Get("keys"), "command-collides", "choose another key for one of them, such as \"*0\"", "key %s of command `%s` collides with key %s in menu `%s`", c.Keys, c.Name, k, s.Name)
			}
		}
	}
}

// collide reports that one is the other or its beginning.
func collide(a, b string) bool {
	return a != "" && b != "" && (strings.HasPrefix(a, b) || strings.HasPrefix(b, a))
}

// phrase is what people may say, as written and as it is compared.
type phrase struct{ text, folded string }

// allPhrases are those of every language, in order of the languages' tags: people mix
// them, and so each is taken in all.
func allPhrases(by map[string][]string) []phrase {
	var all []phrase
	for _, lang := range slices.Sorted(maps.Keys(by)) {
		for _, text := range by[lang] {
			all = append(all, phrase{text, flow.Fold(text)})
		}
	}
	return all
}

// collisions compares the keys and phrases of one menu, or of the commands.
func (f *subject) collisions(items []*source.Node) {
	type seen struct {
		text string
		at   source.Place
		item int
		lang string
	}
	var keys []seen
	phrases := map[string]seen{}
	for i, item := range items {
		if item.Kind != source.Map {
			continue
		}
		if k := item.Get("keys"); k != nil && k.Kind == source.Text {
			for _, other := range keys {
				if k.Text == other.text {
					f.Fail(k, "keys-collide", "give one of them another key", "key %s is used twice; the first is on line %d", k.Text, other.at.Line)
				} else if collide(k.Text, other.text) {
					f.Fail(k, "keys-collide", "use keys of which none begins another", "keys %s and %s collide: one begins the other; the first is on line %d", k.Text, other.text, other.at.Line)
				}
			}
			keys = append(keys, seen{text: k.Text, at: k.At})
		}
		p := item.Get("phrases")
		if p == nil || p.Kind != source.Map {
			continue
		}
		for _, e := range p.Entries {
			list := []*source.Node{e.Val}
			if e.Val.Kind == source.List {
				list = e.Val.Items
			}
			for _, ph := range list {
				if ph.Kind != source.Text {
					continue
				}
				folded, lang := flow.Fold(ph.Text), e.Key.Text
				if other, twice := phrases[folded]; twice && (other.item != i || other.lang == lang) { // VIP may be said in two languages
					f.Fail(ph, "phrases-collide", "remove it from one of the two", "the phrase `%s` is used twice; the first is on line %d", ph.Text, other.at.Line)
				} else {
					phrases[folded] = seen{ph.Text, ph.At, i, lang}
				}
			}
		}
	}
}
