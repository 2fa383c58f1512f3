// Package format lays the files of a flows folder out in one way: two spaces, one
// order of keys, one form of brackets and quotes. It keeps every comment, the blank
// lines that group things, and what the file says: before it hands a text back it
// reads that text again and compares.
//
// It knows the order of keys and nothing else of the language, reads no disk, starts
// no goroutine, and never panics on what a file holds.
package format
