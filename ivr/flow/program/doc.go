// Package program reads one flow file into a flow.Flow: its variables, prompts, commands
// and steps with all verbs, each field held against what the language and the other files
// of the folder allow. It owns the verbs and names of the language as they are written, and
// follows secrets through expressions; what holds over whole flows is in package check,
// which files there are in package read.
//
// Files are read through the syntax tree, never into Go structs, so that every error has
// a place. It reads no disk but for recordings and images, starts no goroutine, runs no
// flow and evaluates no expression on a customer's data.
package program
