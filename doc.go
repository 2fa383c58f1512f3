// Package tandem holds the nouns of a contact centre: Interaction, Leg, Event,
// Termination, Customer, Identity, Binding, Task, and the ids and spoken number
// that name them. Every other package speaks these words.
//
// It imports the standard library only, starts no goroutine, reads no clock and
// draws no randomness: time and random bytes are handed in.
package tandem
