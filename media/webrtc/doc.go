// Package webrtc lets browsers talk: each Peer is one page's connection, whose audio is
// a media.Stream as any phone's.
//
// A Server owns one UDP socket that all peers share and, if asked for, one TCP listener
// and a TURN relay that reaches nothing but that socket. It is ICE-lite (RFC 8445,
// section 2.5): pages check and control, it answers. A Peer runs a goroutine that
// reads its page's audio, one that writes ours, one for the reports of each, and one
// that carries out signals in their order; Close ends them all.
//
// It never dials out, never resolves a name, never answers a STUN message without its
// integrity, and never hands on a packet before the page's certificate has the
// fingerprint that signalling told. A packet that cannot be opened is dropped and
// counted. It neither records nor mixes: the stream does.
package webrtc
