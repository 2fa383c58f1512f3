// Package reference writes the pages about the flow language, in English and Chinese:
// the prose under pages, tables of the keys, outcomes, names and functions from package
// schema, and an example of each verb with its test.
//
// It reads no disk, starts no goroutine, and keeps no state.
package reference
