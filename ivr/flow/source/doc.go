// Package source is the text of the files in a flows folder: their YAML as a tree in
// which every value knows its place, and diagnostics that point there. It owns the
// part of YAML that flow files may use, the bounds of a file, what a scalar, a list,
// a name or a type looks like, and how a mistake is printed.
//
// It knows no verb and no flow, reads no disk, starts no goroutine and never panics
// on what a file holds. A File belongs to one goroutine.
package source
