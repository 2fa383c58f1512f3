package source

import (
	"fmt"
	"strings"

	"tandem/ivr/flow"
)

// MaxDiagnostics per file: more help nobody and would make a hostile file costly.
const MaxDiagnostics = 100

// Place is a position in a file, lines and columns from 1, columns in characters.
type Place struct{ Line, Col int }

// File is one file: its text, its tree and what is wrong with it. Errors are collected,
// so that a reader can go on to the next.
type File struct {
	Base string // name without the folder
	Path string // as shown to people
	Root *Node  // the map that the file is; nil until Parse has read it without error

	lines    []string
	broken   bool // has an error
	found    []Diagnostic
	reported map[string]bool
}

// New begins a file. path is what diagnostics call it.
func New(base, path string) *File {
	return &File{Base: base, Path: path, reported: map[string]bool{}}
}

// Broken reports whether an error has been found.
func (f *File) Broken() bool { return f.broken }

// Found is every diagnostic so far, in the order of finding.
func (f *File) Found() []Diagnostic { return f.found }

// Report adds a diagnostic about width characters at p. fix is what to write instead,
// "" = nothing to add; rule is its stable name.
func (f *File) Report(severity string, p Place, width int, rule, fix, format string, args ...any) {
	f.broken = f.broken || severity == Error
	key := fmt.Sprint(p, rule, fmt.Sprintf(format, args...))
	if f.reported[key] {
		return // the same part of the file, looked at twice
	}
	f.reported[key] = true
	if len(f.reported) > MaxDiagnostics {
		return
	}
	d := Diagnostic{
		File: f.Path, Line: p.Line, Column: p.Col, Severity: severity, Rule: rule,
		Message: fmt.Sprintf(format, args...), Suggestion: fix, Width: width,
	}
	if p.Line >= 1 && p.Line <= len(f.lines) {
		d.Snippet = strings.TrimRight(f.lines[p.Line-1], " \t")
	}
	f.found = append(f.found, d)
}

// Fail reports an error at a node.
func (f *File) Fail(n *Node, rule, fix, format string, args ...any) {
	f.Report(Error, n.At, n.width(), rule, fix, format, args...)
}

// Warn reports a warning at a node.
func (f *File) Warn(n *Node, rule, fix, format string, args ...any) {
	f.Report(Warning, n.At, n.width(), rule, fix, format, args...)
}

// FailWithin reports an error at the col-th character, from 1, of n's text.
func (f *File) FailWithin(n *Node, col int, rule, fix, format string, args ...any) {
	p := f.within(n, col)
	f.Report(Error, p, f.wordAt(p), rule, fix, format, args...)
}

// Pos is a node's place as the program keeps it.
func (f *File) Pos(n *Node) flow.Pos {
	return flow.Pos{File: f.Path, Line: n.At.Line, Col: n.At.Col}
}
