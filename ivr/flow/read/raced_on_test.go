//go:build race

package read

// raced says that the race detector slows the tests down.
const raced = true
