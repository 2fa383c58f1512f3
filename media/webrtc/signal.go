package webrtc

// Kinds of Signal.
const (
	KindOffer   = "offer"   // SDP; the page offers first, both may later
	KindAnswer  = "answer"  // SDP
	KindRestart = "restart" // to the page: offer anew, with new ICE credentials
	KindMic     = "mic"     // from the page: Mic says how the microphone is
	KindCam     = "cam"     // from the page: Cam says how the camera is
	KindSpeak   = "speak"   // to the page: it is to send its audio in Codec, if it can, without a new offer
	KindSlots   = "slots"   // to the page: Slots says what each of its places shows
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

// States of a page's camera, as the page tells them in Signal.Cam.
const (
	CamOK        = "ok"
	CamMuted     = "muted"     // by the system or the browser
	CamUnplugged = "unplugged" // the device is gone
	CamDenied    = "denied"    // the browser may not use it
	CamOff       = "off"       // the person has switched it off
)

// Signal is what a page and its Peer or Screen tell each other, by whatever socket they have.
type Signal struct {
	Kind string `json:"kind"`
	SDP  string `json:"sdp,omitempty"` // of offer and answer, whole: candidates do not trickle
	Mic  string `json:"mic,omitempty"`
	Cam  string `json:"cam,omitempty"`
	Why  string `json:"why,omitempty"` // of bye and restart, a word for programs

	Codec string `json:"codec,omitempty"` // opus, PCMU, PCMA

	Slots []Slot `json:"slots,omitempty"` // all of them
}

// Slot is a place where a page is shown a picture.
type Slot struct {
	Mid string `json:"mid"` // of the page's section (RFC 5888)
	ID  string `json:"id"`  // of the video.Source that it shows; "" = none
}
