// Package video forwards pictures packet by packet: a Source is one camera or shared screen
// in up to three simulcast layers of VP8 (RFC 7741), a Sink is what one viewer gets of it,
// rewritten so that its sequence numbers, timestamps and picture numbers have no gap
// whatever the viewer is shown. Whole frames are put together for who records them (Tap)
// or takes a still (Still); Picture decodes keyframes.
//
// Packets move on the goroutine that brings them. The package runs one goroutine per Tap
// and none besides. It neither encodes nor decodes on the way, opens no socket, knows
// nothing of peers and their rights, and never sends a packet of a source that is not
// allowed.
package video
