// Package picture draws a flow: layered SVG for pages and files, and Mermaid as text.
// It owns what stands on a picture and how it looks, and runs no goroutine; where
// things lie is tandem/internal/layered's. It never reads a file, never judges a flow
// (it shows the checker's diagnostics), and the same input gives the same bytes.
package picture

import (
	"tandem/ivr/flow"
	"tandem/ivr/flow/source"
)

// Options is what a picture shows besides the flow. All of it may be left out.
type Options struct {
	// Lang is the language of labels (en, zh-CN) and, if the flow has it, of prompts.
	Lang string
	// Diagnostics are the checker's, of this flow's file: errors are shown red,
	// warnings amber, unreachable steps grey.
	Diagnostics []source.Diagnostic
	// Counts writes numbers on steps and edges and widens lines by their share.
	Counts *Counts
	// Path is what one interaction did, in order: its steps and edges are highlighted.
	Path []Taken
	// ID begins the ids in the picture, so that a page may hold several; "" = "flow".
	ID string
	// Standalone makes a file of its own: with a heading and with Style, light or
	// dark as the viewer likes. Without it the page supplies the style.
	Standalone bool
	// Dark makes a standalone picture dark, whatever the viewer likes.
	Dark bool
}

// Counts is how many interactions came by, in some span of time.
type Counts struct {
	Steps map[string]int    // entered
	Edges map[[2]string]int // left by: step, outcome of tandem.StepLeft
	Left  map[string]int    // hung up, or closed the page, in the step
}

// Taken is one step of an interaction's path and the outcome it was left by, "" if
// it was not left.
type Taken struct{ Step, Outcome string }

// Draw makes the SVG of a flow. lib may be nil; it tells which called flows exist. A
// flow that could only be read in part is drawn as far as it goes.
func Draw(lib *flow.Library, f *flow.Flow, o Options) []byte {
	return draw(newGraph(lib, nil, f, o), o)
}

// Difference makes the SVG of what changed between two versions of a flow: steps and
// edges of both, marked + added, − removed, ~ changed. Either may be nil.
func Difference(old, new *flow.Flow, o Options) []byte {
	if new == nil {
		new = &flow.Flow{}
	}
	if old == nil {
		old = &flow.Flow{}
	}
	return draw(newGraph(nil, old, new, o), o)
}

func draw(g *graph, o Options) []byte {
	g.write()
	g.lay.Lay()
	return svg(g, o)
}
