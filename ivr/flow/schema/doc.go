// Package schema describes the files of a flows folder as designers write them: one Go
// type for each map, with its keys, their types, bounds and a sentence in English and
// Chinese. From these types it makes the JSON Schema for editors; package complete makes
// the completion in the studio of them, and package reference the pages of the language.
//
// Package read decides what a file means and whether it is right; this package follows
// it, and tests hold the two together. It reads no disk, starts no goroutine, and keeps
// no state.
package schema
