// Package webrtc lets browsers talk, see and be seen: each Peer is one page's voice, a
// media.Stream as any phone's, each Screen its pictures, sources and sinks of media/video.
//
// A Server owns one UDP socket that all pages share and, if asked for, one TCP listener
// and a TURN relay that reaches nothing but that socket. It is ICE-lite (RFC 8445,
// section 2.5): pages check and control, it answers. A connection runs a goroutine that
// watches it, and one for each track and for the reports of each; a Peer has one more that
// writes its audio. Signals are carried out in their order, by whoever brings them. Close
// ends them all.
//
// It never dials out, never resolves a name, never answers a STUN message without its
// integrity, and never hands on a packet before the page's certificate has the
// fingerprint that signalling told. A packet that cannot be opened is dropped and
// counted, and so is a picture that its page may not show. It neither records nor mixes,
// and decodes no picture.
package webrtc
