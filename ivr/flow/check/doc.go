// Package check holds the rules over whole flows, once every file has been read: which
// steps can be reached and by whom, on which channel, how sure of the customer and
// told of the recording or not; circles in which nobody is waited for; flows that call
// themselves; keys and phrases that collide.
//
// It walks, and reports into the files; it reads none itself, runs no flow, changes no
// program and starts no goroutine.
package check
