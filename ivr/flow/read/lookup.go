package read

import (
	"fmt"
	"maps"
	"path"
	"slices"

	"tandem/ivr/flow"
	"tandem/ivr/flow/beside"
	"tandem/ivr/flow/source"
)

// use notes that this file depends on the one that declares a thing.
func use[T any](ff *flowFile, thing *named[T]) *T {
	ff.uses[thing.file.Base] = true
	return thing.value
}

func namesOf[T any](of map[string]T) []string { return slices.Sorted(maps.Keys(of)) }

// calendar looks a calendar up and notes that this file uses it.
func (ff *flowFile) calendar(n *source.Node, name string) {
	if c := ff.reading.calendars[name]; c != nil {
		use(ff, c)
		return
	}
	ff.unknown(n, "unknown-calendar", calendarFile, name, namesOf(ff.reading.calendars), "there is no calendar `%s`", fmt.Sprintf("make a file %s.calendar.yaml beside the flow", source.AsName(name)))
}

func (ff *flowFile) box(n *source.Node, name string) {
	if b := ff.reading.boxes[name]; b != nil {
		use(ff, b)
		return
	}
	ff.unknown(n, "unknown-box", queuesFile, name, namesOf(ff.reading.boxes), "there is no box `%s`", fmt.Sprintf("make a file NAME.queues.yaml with `boxes: { %s: { queue: NAME } }`", source.AsName(name)))
}

func (ff *flowFile) queue(n *source.Node, name string) {
	if q := ff.reading.queues[name]; q != nil {
		use(ff, q)
		return
	}
	ff.unknown(n, "unknown-queue", queuesFile, name, namesOf(ff.reading.queues), "there is no queue `%s`", fmt.Sprintf("make a file NAME.queues.yaml with `queues: { %s: {} }`", source.AsName(name)))
}

// form looks a form up; asks says that its questions are asked, in the flow's languages.
func (ff *flowFile) form(n *source.Node, name string, asks bool) *flow.Form {
	form := ff.reading.forms[name]
	if form == nil {
		ff.unknown(n, "unknown-form", formFile, name, namesOf(ff.reading.forms), "there is no form `%s`", fmt.Sprintf("make a file %s.form.yaml beside the flow", source.AsName(name)))
		return nil
	}
	if asks {
		beside.Asks(form.file.File, form.value, ff.flow)
	}
	return use(ff, form)
}

// operation looks an operation up, with the forms that it asks.
func (ff *flowFile) operation(n *source.Node, name string) *flow.Operation {
	o := ff.reading.operations[name]
	if o == nil {
		ff.unknown(n, "unknown-operation", operationFile, name, namesOf(ff.reading.operations), "there is no operation `%s`", fmt.Sprintf("make a file %s.operation.yaml beside the flow", source.AsName(name)))
		return nil
	}
	beside.Shows(o.file.File, o.value, ff.flow)
	for _, s := range o.value.Steps {
		if form := ff.reading.forms[s.Form]; form != nil {
			beside.Asks(form.file.File, form.value, ff.flow)
		}
	}
	return use(ff, o)
}

func (ff *flowFile) classifier(n *source.Node, name string) *flow.Classifier {
	if c := ff.reading.classifiers[name]; c != nil {
		return use(ff, c)
	}
	ff.unknown(n, "unknown-classifier", classifyFile, name, namesOf(ff.reading.classifiers), "there is no classifier `%s`", fmt.Sprintf("make a file %s.classify.yaml beside the flow", source.AsName(name)))
	return nil
}

// knowledge looks knowledge up and notes that this file uses its articles.
func (ff *flowFile) knowledge(n *source.Node, name string) {
	k := ff.reading.knowledge[name]
	if k == nil {
		ff.unknown(n, "unknown-knowledge", articleFile, name, namesOf(ff.reading.knowledge), "there is no knowledge `%s`", fmt.Sprintf("make a folder %s/%s with an article in it, such as opening.md", knowledgeDir, source.AsName(name)))
		return
	}
	spoken := map[string]bool{}
	for file := range ff.reading.files {
		if path.Dir(file) == path.Join(knowledgeDir, name) {
			ff.uses[file] = true
		}
	}
	for _, a := range k.Articles {
		spoken[a.Lang] = true
	}
	for i, lang := range ff.flow.Languages {
		fix := fmt.Sprintf("add an article with `language: %s` to %s/%s", lang, knowledgeDir, name)
		switch {
		case spoken[lang] || len(k.Articles) == 0: // an article that cannot be read is a mistake of its own
		case i == 0:
			ff.Fail(n, "missing-language", fix, "knowledge `%s` has no article in %s, the flow's first language", name, lang)
		default:
			ff.Warn(n, "missing-language", fix, "knowledge `%s` has no article in %s", name, lang)
		}
	}
}
