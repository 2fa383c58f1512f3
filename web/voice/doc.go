// Package voice is the door by which pages call: a WebSocket that signals, beside media
// that goes by WebRTC. docs/webrtc.md is what it speaks.
//
// It owns two goroutines for each socket (one reads, one writes) and one for each call;
// Close ends them all. A call outlives its socket for a while, and the page comes back to
// it by a token. It trusts no frame, gives a call to whoever runs calls only once the
// page is heard, and logs neither tokens nor what a page describes of itself.
package voice
