package source

import (
	"fmt"
	"slices"
	"strings"

	"tandem/ivr/flow"
)

// Bounds of what is told: more helps nobody and would make a hostile file costly.
const (
	MaxDiagnostics = 100 // of one file; an error takes the place of a warning
	maxMessage     = 800 // characters of a message or a fix
)

// Place is a position in a file, lines and columns from 1, columns in characters.
type Place struct{ Line, Col int }

// File is one file: its text, its tree and what is wrong with it. Errors are collected,
// so that a reader can go on to the next.
type File struct {
	Base string // name without the folder
	Path string // as shown to people
	Root *Node  // the map that the file is; nil until Parse has read it without error

	lines    []string
	errors   int // among found
	found    []Diagnostic
	reported map[string]bool
}

// New begins a file. path is what diagnostics call it.
func New(base, path string) *File {
	return &File{Base: base, Path: path, reported: map[string]bool{}}
}

// Broken reports whether an error has been found.
func (f *File) Broken() bool { return f.errors > 0 }

// Full reports that no further diagnostic is kept.
func (f *File) Full() bool { return f.errors == MaxDiagnostics }

// Found is every diagnostic so far, in the order of finding.
func (f *File) Found() []Diagnostic { return f.found }

// Report adds a diagnostic about width characters at p. fix is what to write instead,
// "" = nothing to add; rule is its stable name.
func (f *File) Report(severity string, p Place, width int, rule, fix, format string, args ...any) {
	if full := len(f.found) == MaxDiagnostics; f.Full() || full && severity != Error {
		return
	}
	message := fmt.Sprintf(format, args...)
	key := fmt.Sprint(p, rule, message)
	if f.reported[key] {
		return // the same part of the file, looked at twice
	}
	f.reported[key] = true
	if severity == Error {
		f.errors++
		f.makeRoom()
	}
	d := Diagnostic{
		File: f.Path, Line: p.Line, Column: p.Col, Severity: severity, Rule: rule,
		Message: cut(message), Suggestion: cut(fix), Width: width,
	}
	if p.Line >= 1 && p.Line <= len(f.lines) {
		d.Snippet = strings.TrimRight(f.lines[p.Line-1], " \t")
	}
	f.found = append(f.found, d)
}

// makeRoom drops the last warning where no more would be kept.
func (f *File) makeRoom() {
	if len(f.found) < MaxDiagnostics {
		return
	}
	for i, d := range slices.Backward(f.found) {
		if d.Severity == Warning {
			f.found = slices.Delete(f.found, i, i+1)
			return
		}
	}
}

// cut leaves the middle out of a text nobody would read to its end.
func cut(text string) string {
	if len(text) <= maxMessage {
		return text
	}
	runes := []rune(text)
	if len(runes) <= maxMessage {
		return text
	}
	return string(runes[:maxMessage/2]) + " … " + string(runes[len(runes)-maxMessage/2:])
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
