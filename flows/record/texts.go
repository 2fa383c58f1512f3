package main

import (
	"fmt"
	"maps"
	"slices"

	"tandem/flows"
	"tandem/ivr/flow"
	"tandem/ivr/flow/read"
)

// text is one piece of a prompt to be recorded.
type text struct {
	lang string
	file string // name without .wav
	said string
}

// served are the sample flows that calls are put through to: they have recordings.
func served() []string { return []string{"hotline"} }

// sampleTexts is every piece of literal text in the served flows, in a fixed order.
func sampleTexts() ([]text, error) {
	lib, found := read.FS(flows.Sample(), read.Options{})
	if lib == nil {
		return nil, fmt.Errorf("reading the sample flows: %v", found)
	}
	var all []text
	for _, name := range served() {
		for _, p := range prompts(lib.Flows[name]) {
			for _, lang := range slices.Sorted(maps.Keys(p.prompt.ByLang)) {
				w := p.prompt.ByLang[lang]
				if w.Text == nil {
					continue
				}
				segments := w.Text.Segments()
				for i, said := range segments {
					file := p.name
					if len(segments) > 1 {
						file = fmt.Sprintf("%s-%d", p.name, i+1)
					}
					all = append(all, text{lang: lang, file: file, said: said})
				}
			}
		}
	}
	return all, nil
}

type namedPrompt struct {
	name   string
	prompt *flow.Prompt
}

// prompts is a flow's prompts, those written in place under the name of their step.
func prompts(f *flow.Flow) []namedPrompt {
	var all []namedPrompt
	for _, name := range slices.Sorted(maps.Keys(f.Prompts)) {
		all = append(all, namedPrompt{name, f.Prompts[name]})
	}
	for _, step := range f.Order {
		var found []*flow.Prompt
		switch v := f.Steps[step].Verb.(type) {
		case *flow.Say:
			found = append(found, v.Prompt)
		case *flow.Menu:
			found = append(append(found, v.Prompt), v.Retry...)
		case *flow.Collect:
			found = append(append(found, v.Prompt, v.Confirm), v.Retry...)
		case *flow.Language:
			found = append(append(found, v.Prompt), v.Retry...)
		case *flow.ConsentStep:
			found = append(append(found, v.Prompt), v.Retry...)
		}
		for i, p := range found {
			if p != nil && p.Name == "" {
				all = append(all, namedPrompt{fmt.Sprintf("%s.%d", step, i+1), p})
			}
		}
	}
	return all
}
