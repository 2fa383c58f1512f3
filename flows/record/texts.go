package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"tandem"
	"tandem/bridge/identity"
	"tandem/bridge/reach"
	"tandem/bridge/survey"
	"tandem/flows"
	"tandem/internal/mockbank"
	"tandem/ivr/flow"
	"tandem/ivr/flow/read"
)

// text is one piece of a prompt to be recorded.
type text struct {
	lang string
	file string // name without .wav
	said string
}

// served are the sample flows that calls are put through to, with those they call: they
// have recordings.
func served() []string {
	return []string{"hotline", "counter", "appointment", "night_desk", "front_door", "remote_counter"}
}

// sampleTexts is every piece of literal text that callers hear of the served flows, of
// the program's own words, and of the questions of the demonstration's bank, in a fixed
// order.
func sampleTexts() ([]text, error) {
	lib, found := read.FS(flows.Sample(), read.Options{})
	if lib == nil {
		return nil, fmt.Errorf("reading the sample flows: %v", found)
	}
	var all []text
	for _, name := range served() {
		for _, p := range spoken(lib.Flows[name]) {
			for _, lang := range slices.Sorted(maps.Keys(p.prompt.ByLang)) {
				w := p.prompt.ByLang[lang]
				if w.Text == nil {
					continue
				}
				all = append(all, pieces(lang, name+"/"+p.name, w.Text.Segments())...)
			}
		}
	}
	for _, w := range identity.Words() {
		all = append(all, pieces(w.Lang, "identity/"+strings.TrimPrefix(w.Name, "identity_"), w.Pieces)...)
	}
	for _, s := range flow.LineSentences() {
		all = append(all, pieces(s.Lang, "line/"+strings.TrimPrefix(s.Name, "line_"), s.Pieces)...)
	}
	for _, p := range asked(lib) {
		for _, lang := range slices.Sorted(maps.Keys(p.prompt.ByLang)) {
			if w := p.prompt.ByLang[lang]; w.Text != nil {
				all = append(all, pieces(lang, "survey/"+p.name, w.Text.Segments())...)
			}
		}
	}
	for _, w := range survey.Words() {
		all = append(all, pieces(w.Lang, "survey/"+strings.TrimPrefix(w.Name, "survey_"), w.Pieces)...)
	}
	for _, lang := range []string{"en", "zh-CN"} {
		said, _ := reach.CodeText(lang)
		all = append(all, text{lang: lang, file: "link_code", said: said})
	}
	for _, q := range mockbank.Questions() {
		for _, lang := range slices.Sorted(maps.Keys(q.Text)) {
			all = append(all, text{lang: lang, file: "identity/question_" + q.ID, said: q.Text[lang]})
		}
	}
	return all, nil
}

// asked are the questions of the forms that any flow asks by voice.
func asked(lib *flow.Library) (all []namedPrompt) {
	forms := map[string]bool{}
	for _, f := range lib.Flows {
		for _, step := range f.Steps {
			if v, ok := step.Verb.(*flow.SurveyStep); ok && slices.Contains(v.By, tandem.Voice) {
				forms[v.Form] = true
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(forms)) {
		for _, f := range lib.Forms[name].Fields {
			if f.Ask != nil {
				all = append(all, namedPrompt{name + "." + f.Name, f.Ask})
			}
			for _, v := range slices.Sorted(maps.Keys(f.Labels)) {
				all = append(all, namedPrompt{name + "." + f.Name + "." + v, f.Labels[v]})
			}
		}
	}
	return all
}

// pieces are the texts of one sentence.
func pieces(lang, file string, said []string) (all []text) {
	for i, s := range said {
		t := text{lang: lang, file: file, said: s}
		if len(said) > 1 {
			t.file = fmt.Sprintf("%s-%d", file, i+1)
		}
		all = append(all, t)
	}
	return all
}

type namedPrompt struct {
	name   string
	prompt *flow.Prompt
}

// spoken are a flow's prompts that callers hear, those written in place under the name of
// their step. What is only ever written, such as the text with a link, needs no voice.
func spoken(f *flow.Flow) []namedPrompt {
	var inPlace []namedPrompt
	heard, written := map[string]bool{}, map[string]bool{}
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
		case *flow.LinkStep:
			found = append(found, v.OnOpened)
			note(written, v.Prompt)
		case *flow.Handoff:
			note(written, v.Prompt)
		case *flow.Message:
			note(written, v.Prompt)
		}
		for i, p := range found {
			note(heard, p)
			if p != nil && p.Name == "" {
				inPlace = append(inPlace, namedPrompt{fmt.Sprintf("%s.%d", step, i+1), p})
			}
		}
	}
	var all []namedPrompt
	for _, name := range slices.Sorted(maps.Keys(f.Prompts)) {
		if heard[name] || !written[name] {
			all = append(all, namedPrompt{name, f.Prompts[name]})
		}
	}
	return append(all, inPlace...)
}

func note(names map[string]bool, p *flow.Prompt) {
	if p != nil && p.Name != "" {
		names[p.Name] = true
	}
}
