package voice

import (
	"encoding/json"
	"errors"

	"tandem"
	"tandem/media/webrtc"
)

// Kinds of frames: what stands in t. docs/webrtc.md has each of them.
const (
	kindHello   = "hello"   // from the client
	kindBye     = "bye"     // from the client
	kindPing    = "ping"    // from the client
	kindVoice   = "voice"   // both ways
	kindWelcome = "welcome" // from the server
	kindState   = "state"   // from the server
	kindPong    = "pong"    // from the server
)

// Bounds of frames from the client.
const (
	maxFrame = 64 << 10 // bytes
	maxTo    = 128      // bytes of what is called
	maxLangs = 10       // that are looked at
	maxLang  = 35       // bytes of one (RFC 5646, section 4.4.1)
)

// incoming is a frame from the client, whatever its kind.
type incoming struct {
	T      string        `json:"t"`
	To     string        `json:"to"`
	Langs  []string      `json:"langs"`
	Call   string        `json:"call"` // the token of a call to come back to
	Signal webrtc.Signal `json:"signal"`
}

var errFrame = errors.New("not a frame")

// parse reads a frame: one JSON object with t. Fields it does not know are left alone.
func parse(data []byte) (in incoming, err error) {
	if len(data) > maxFrame || json.Unmarshal(data, &in) != nil || in.T == "" {
		return incoming{}, errFrame
	}
	return in, nil
}

// asked is what a hello asks for; ok is false if it is none.
func (in *incoming) asked() (to string, langs []string, ok bool) {
	if in.To == "" || len(in.To) > maxTo {
		return "", nil, false
	}
	for _, l := range in.Langs[:min(len(in.Langs), maxLangs)] {
		if l != "" && len(l) <= maxLang {
			langs = append(langs, l)
		}
	}
	return in.To, langs, true
}

type welcome struct {
	T       string             `json:"t"`
	Call    string             `json:"call"`    // the token by which the page comes back
	Servers []webrtc.ICEServer `json:"servers"` // for RTCPeerConnection
	Resumed bool               `json:"resumed"`
}

type voiceFrame struct {
	T      string        `json:"t"`
	Signal webrtc.Signal `json:"signal"`
}

// State is how far a call is.
type State string

// The states of a call.
const (
	Connecting State = "connecting" // the page's audio is not there yet
	Ringing    State = "ringing"
	Up         State = "up"
	Over       State = "over"
)

type stateFrame struct {
	T          string            `json:"t"`
	State      State             `json:"state"`
	Why        string            `json:"why,omitempty"`         // of over: a word for programs
	Message    map[string]string `json:"message,omitempty"`     // by language
	RetryAfter int               `json:"retry_after,omitempty"` // seconds
}

type bare struct {
	T string `json:"t"`
}

// Why a call is over, in words for those who called.
var words = map[string]map[string]string{
	"ended":     {"en": "The call has ended.", "zh-CN": "通话已结束。"},
	"hangup":    {"en": "You have hung up.", "zh-CN": "您已挂断。"},
	"unknown":   {"en": "This number cannot be called from a page.", "zh-CN": "此号码不能从网页拨打。"},
	"busy":      {"en": "All lines are busy. Please try again in a moment.", "zh-CN": "线路繁忙，请稍后再试。"},
	"many":      {"en": "You have called too often or have too many calls up. Please try again later.", "zh-CN": "您的通话过多，请稍后再试。"},
	"forbidden": {"en": "You may not make this call.", "zh-CN": "您无权进行此通话。"},
	"closed":    {"en": "Calls from the page are closed at the moment.", "zh-CN": "网页通话暂时关闭。"},
	"no_media":  {"en": "No sound came through. Your network may block calls; try another one, or call by phone.", "zh-CN": "声音无法连通。您的网络可能限制了通话，请更换网络或使用电话拨打。"},
	"lost":      {"en": "The connection was lost.", "zh-CN": "连接已中断。"},
	"too_long":  {"en": "The longest time for a call is over.", "zh-CN": "已达到最长通话时间。"},
	"restart":   {"en": "The server is being restarted. Please call again in a moment.", "zh-CN": "服务器正在重启，请稍后再拨。"},
	"fault":     {"en": "Something went wrong here. Please call again.", "zh-CN": "系统出现故障，请重新拨打。"},
}

// whyOf is the word for a termination.
func whyOf(t tandem.Termination) string {
	switch t.Reason {
	case tandem.ReasonHangup, tandem.ReasonCancelled:
		if t.By == tandem.ByRemote {
			return "hangup"
		}
		return "ended"
	case tandem.ReasonNoEntry:
		return "unknown"
	case tandem.ReasonBusy, tandem.ReasonOverload, tandem.ReasonStoreDown, tandem.ReasonNoAnswer:
		return "busy"
	case tandem.ReasonDraining, tandem.ReasonShutdown:
		return "restart"
	case tandem.ReasonForbidden, tandem.ReasonAuth, tandem.ReasonDeclined:
		return "forbidden"
	case tandem.ReasonNoMedia:
		return "no_media"
	case tandem.ReasonMediaTimeout, tandem.ReasonTransport, tandem.ReasonAckLost:
		return "lost"
	case tandem.ReasonMaxDuration:
		return "too_long"
	case tandem.ReasonFlowError, tandem.ReasonPanic, tandem.ReasonCrash, tandem.ReasonBadRequest:
		return "fault"
	}
	return "ended"
}
