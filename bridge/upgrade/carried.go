package upgrade

import (
	"tandem"
	"tandem/media/webrtc"
)

// Words of Upgrade.Fallen.
const (
	fellNetwork    = "network"
	fellCamera     = "camera"
	fellMicrophone = "microphone"
	fellAgent      = "agent" // the connection of those who serve the customer
)

// links are a customer's connections as they are.
type links struct {
	Joined        bool // they are in the talk
	Alone         bool // and nobody who serves them can be heard: their connections are broken
	Voice, Screen webrtc.State
	Mic, Cam      string // as the page tells them; "" = it has not yet
}

// carried is what gets through of what was agreed, and why no more does. Without sound there
// is text, whatever is seen: a talk in which one cannot hear is none. Nothing falls that has
// not been: while it connects for the first time no network is blamed.
func carried(agreed tandem.Level, pictures, was bool, l links) (now tandem.Level, fallen string) {
	if agreed == tandem.LevelText {
		return tandem.LevelText, ""
	}
	mic, cam := broken(l.Mic, webrtc.MicOK, webrtc.MicSilent), broken(l.Cam, webrtc.CamOK, webrtc.CamOff)
	heard := l.Joined && l.Voice == webrtc.StateUp
	seen := agreed == tandem.LevelVideo && l.Joined && l.Screen == webrtc.StateUp
	if pictures {
		switch {
		case seen && !cam:
			return tandem.LevelVideo, ""
		case cam:
			return tandem.LevelText, fellCamera
		}
		return tandem.LevelText, network(was)
	}
	switch {
	case heard && l.Alone:
		return tandem.LevelText, fellAgent
	case !heard && mic && l.Voice != webrtc.StateCut:
		return tandem.LevelText, fellMicrophone
	case !heard:
		return tandem.LevelText, network(was)
	case mic && seen && !cam:
		return tandem.LevelVideo, fellMicrophone
	case mic:
		return tandem.LevelVoice, fellMicrophone
	case agreed == tandem.LevelVoice:
		return tandem.LevelVoice, ""
	case cam:
		return tandem.LevelVoice, fellCamera
	case !seen:
		return tandem.LevelVoice, network(was && l.Screen != webrtc.StateNew && l.Screen != webrtc.StateConnecting)
	}
	return tandem.LevelVideo, ""
}

func network(was bool) string {
	if was {
		return fellNetwork
	}
	return ""
}

// broken reports whether a page says that a device gives nothing, other than as its user wants.
func broken(is string, fine ...string) bool {
	if is == "" {
		return false
	}
	for _, f := range fine {
		if is == f {
			return false
		}
	}
	return true
}
