// Package complete lists what may be written at a place of a file in a flows folder: the
// keys, verbs, outcomes, names and functions that fit there, each with a sentence. It
// works on files that are half written or broken, by indentation and brackets, and
// collects the names that the files of a folder declare.
//
// What a file may hold comes from package schema. It reads no disk, starts no goroutine,
// and keeps no state.
package complete
