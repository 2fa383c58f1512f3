package webrtc

// Kinds of Signal.
const (
	KindOffer   = "offer"   // SDP; the page offers first, both may later
	KindAnswer  = "answer"  // SDP
	KindRestart = "restart" // to the page: offer anew, with new ICE credentials
	KindMic     = "mic"     // from the page: Mic says how the microphone is
	KindBye     = "bye"     // the end; Why says the reason
)

// States of a page's microphone, as the page tells them in Signal.Mic.
const (
	MicOK        = "ok"
	MicMuted     = "muted"     // by the system or the browser, not by the agent
	MicUnplugged = "unplugged" // the device is gone
	MicDenied    = "denied"    // the browser may not use it
	MicSilent    = "silent"    // it is open and has given nothing but zeros for long
)

// Signal is what a page and its Peer tell each other, by whatever socket they have.
type Signal struct {
	Kind string `json:"kind"`
	SDP  string `json:"sdp,omitempty"` // of offer and answer, whole: candidates do not trickle
	Mic  string `json:"mic,omitempty"`
	Why  string `json:"why,omitempty"` // of bye and restart, a word for programs
}
