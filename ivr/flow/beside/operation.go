package beside

import (
	"tandem"
	"tandem/ivr/flow"
	"tandem/ivr/flow/source"
)

const maxPages = 50 // steps of one operation

// Operation reads what a link opens. form is asked for each form that a step names and
// reports those that do not exist. The name is "" if it could not be read.
func (d *Folder) Operation(f *source.File, form func(n *source.Node, name string)) *flow.Operation {
	f.Fields(f.Root, "an operation file", "operation", "needs", "title", "steps", "confirm", "result")
	o := &flow.Operation{Name: named(f, "operation"), Pos: f.Pos(f.Root)}
	if w, ok := f.Word(f.Root.Get("needs"), "needs", "none", "recognised", "verified", "proofed"); ok {
		o.Needs, _ = tandem.ParseAssurance(w)
	}
	if t := f.Root.Get("title"); t != nil {
		o.Title = d.words(f, t, "title")
	}
	n := f.Root.Get("steps")
	if n == nil {
		f.Fail(&source.Node{At: f.Root.At}, "missing-key", "add a line `steps: …`", "the operation has no `steps`")
	}
	items := f.List(n, "steps")
	if n != nil && n.Kind == source.List && len(items) == 0 {
		f.Fail(n, "empty-value", "write [ { show: { en: \"…\" } } ]", "the operation has nothing to show")
	}
	if len(items) > maxPages {
		f.Fail(n, "out-of-range", "make several operations", "an operation has up to %d steps; this has %d", maxPages, len(items))
		items = items[:maxPages]
	}
	for _, item := range items {
		if f.Fields(item, "a step of an operation", "show", "image", "form") {
			o.Steps = append(o.Steps, d.page(f, item, form))
		}
	}
	if c := f.Root.Get("confirm"); c != nil {
		o.Confirm = d.words(f, c, "confirm")
	}
	if r := f.Root.Get("result"); r != nil {
		o.Result = d.words(f, r, "result")
	}
	return o
}

func (d *Folder) page(f *source.File, n *source.Node, form func(*source.Node, string)) flow.OperationStep {
	s := flow.OperationStep{Pos: f.Pos(n)}
	show, image, asks := n.Get("show"), n.Get("image"), n.Get("form")
	switch {
	case show == nil && asks == nil:
		f.Fail(n, "missing-key", "write { show: { en: \"…\" } } or { form: NAME }", "the step has neither `show` nor `form`")
	case asks != nil && (show != nil || image != nil):
		f.Fail(asks, "wrong-type", "make a step of its own for the form", "a step of an operation shows something or asks a form, not both")
	}
	if show != nil {
		s.Show = d.words(f, show, "show")
	}
	if image != nil {
		s.Image = d.Image(f, image)
	}
	if asks != nil {
		if name, ok := f.Text(asks, "form"); ok {
			s.Form = name
			form(asks, name)
		}
	}
	return s
}

// Shows reports the words an operation lacks in the languages of a flow that links to
// it. Its forms are looked at by Asks.
func Shows(f *source.File, o *flow.Operation, used *flow.Flow) {
	speaks(f, o.Title, "title", used)
	for _, s := range o.Steps {
		speaks(f, s.Show, "the step", used)
	}
	speaks(f, o.Confirm, "confirm", used)
	speaks(f, o.Result, "result", used)
}
