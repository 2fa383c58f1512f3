package webrtc

// State is how a Peer is connected.
type State string

// The states of a Peer.
const (
	StateNew        State = "new"        // nothing was offered yet
	StateConnecting State = "connecting" // offer and answer are exchanged, no packet has come
	StateUp         State = "up"         // it is heard
	StateCut        State = "cut"        // it is heard no more, and may mend
	StateGone       State = "gone"       // it has ended
)
