// Package testkit drives real peers against a running server: baresip and SIPp as
// child processes, a scriptable SIP peer with its own RTP for what no phone does
// by itself, a lossy relay, ears that tell which tones and prompts were heard, a
// visitor of the widget, phones that text, a browser for the pages of links, and the
// server itself as a process that can be killed and started again.
//
// It speaks SIP, SDP, RTP, G.711 and the chat's protocol by code of its own, so that a
// fault in the server's parsers cannot hide itself. Each driver runs its goroutines and child
// processes for one test and ends them, by process id, in that test's cleanup.
// Every wait has a deadline. It is never part of the program.
package testkit
