package live

import (
	"encoding/json"
	"errors"
	"time"

	"tandem"
	"tandem/media/webrtc"
	"tandem/web/desk/board"
	"tandem/web/desk/view"
)

// protocol is the WebSocket's subprotocol.
const (
	protocol = "tandem.desk.1"
	maxFrame = 64 << 10 // bytes, each way
)

// Kinds of frames: what stands in t. docs/protocol.md has each of them.
const (
	// From the client.
	kindHello    = "hello"
	kindAccept   = "accept"
	kindDecline  = "decline"
	kindSay      = "say"
	kindNote     = "note"
	kindPresence = "presence"
	kindRelease  = "release"
	kindHandBack = "hand_back"
	kindTransfer = "transfer"
	kindAsk      = "ask"
	kindTakeOver = "take_over"
	kindCall     = "call"
	kindPlace    = "place"
	kindMove     = "move"
	kindInviteBy = "invite_link"
	kindJoin     = "join"
	kindPing     = "ping"
	// Both ways.
	kindTyping  = "typing"
	kindWrap    = "wrap"
	kindVoice   = "voice"
	kindInvite  = "invite"
	kindLink    = "link"
	kindWhisper = "whisper"
	kindUpgrade = "upgrade"
	kindScreen  = "screen"
	kindCheck   = "check"
	// From the server.
	kindWelcome   = "welcome"
	kindState     = "state"
	kindOffer     = "offer"
	kindOfferOver = "offer_over"
	kindTask      = "task"
	kindMessage   = "message"
	kindReady     = "ready"
	kindDone      = "done"
	kindError     = "error"
	kindBoard     = "board"
	kindPong      = "pong"
	kindTalk      = "talk"
	kindInviteEnd = "invite_over"
	kindListening = "listening"
	kindAsked     = "asked"
	kindRoleLink  = "role_link"
)

// incoming is a frame from the client, whatever its kind.
type incoming struct {
	T           string          `json:"t"`
	Token       string          `json:"token"`
	Epoch       string          `json:"epoch"`
	Since       uint64          `json:"since"`
	Board       bool            `json:"board"`
	ID          string          `json:"id"`
	Task        tandem.TaskID   `json:"task"`
	Fence       uint64          `json:"fence"`
	Why         string          `json:"why"`
	Text        string          `json:"text"`
	On          bool            `json:"on"`
	Presence    tandem.Presence `json:"presence"`
	Reason      string          `json:"reason"`
	Queue       string          `json:"queue"`
	Agent       string          `json:"agent"`
	Disposition string          `json:"disposition"`

	Seat        string               `json:"seat"`
	Signal      json.RawMessage      `json:"signal"`
	Step        string               `json:"step"`
	Do          string               `json:"do"`
	To          json.RawMessage      `json:"to"` // call: a Target; place and move: a string
	Keys        string               `json:"keys"`
	Leg         tandem.LegID         `json:"leg"`
	Invite      string               `json:"invite"`
	Accept      bool                 `json:"accept"`
	Interaction tandem.InteractionID `json:"interaction"`
	Operation   string               `json:"operation"`
	Params      map[string]any       `json:"params"`
	By          string               `json:"by"`

	Page    string         `json:"page"`
	Level   tandem.Level   `json:"level"`
	Check   tandem.CheckID `json:"check"`
	Policy  string         `json:"policy"`
	Said    map[string]any `json:"said"`
	Outcome string         `json:"outcome"`
	Reasons []string       `json:"reasons"`
	Agree   *bool          `json:"agree"`
	Role    tandem.Role    `json:"role"`
}

// to is where place and move lead: a string.
func (in *incoming) to() (s string, err error) {
	if len(in.To) > 0 {
		err = json.Unmarshal(in.To, &s)
	}
	if err != nil {
		return "", tandem.Errorf(tandem.CodeInvalid, "to is a text here")
	}
	return s, nil
}

// target is whom a call is for.
func (in *incoming) target() (t Target, err error) {
	if len(in.To) > 0 && json.Unmarshal(in.To, &t) != nil {
		return Target{}, tandem.Errorf(tandem.CodeInvalid, `to is {"agent": …} or {"number": …} here`)
	}
	return t, nil
}

// Path is the socket's address.
const Path = "/api/v1/desk/socket"

var errFrame = errors.New("not a frame")

// parse reads a frame: one JSON object with t. Fields it does not know are left alone, so
// that clients may be newer.
func parse(data []byte) (in incoming, err error) {
	if len(data) > maxFrame || json.Unmarshal(data, &in) != nil || in.T == "" {
		return incoming{}, errFrame
	}
	return in, nil
}

// Frames to the client.
type (
	welcome struct {
		T       string `json:"t"`
		Name    string `json:"name"`
		Agent   bool   `json:"agent"`
		Board   bool   `json:"board"`
		Epoch   string `json:"epoch"`
		N       uint64 `json:"n"`
		Resumed bool   `json:"resumed"`
	}
	stateFrame struct {
		T     string     `json:"t"`
		N     uint64     `json:"n"`
		Agent view.Agent `json:"agent"`
	}
	offerFrame struct {
		T        string           `json:"t"`
		N        uint64           `json:"n"`
		Task     view.Task        `json:"task"`
		Decision *tandem.Decision `json:"decision,omitempty"`
	}
	offerOver struct {
		T     string        `json:"t"`
		N     uint64        `json:"n"`
		Task  tandem.TaskID `json:"task"`
		Fence uint64        `json:"fence"`
		Why   string        `json:"why"`
	}
	taskFrame struct {
		T    string    `json:"t"`
		N    uint64    `json:"n"`
		Task view.Task `json:"task"`
		Why  string    `json:"why"`
	}
	messageFrame struct {
		T       string        `json:"t"`
		N       uint64        `json:"n"`
		Task    tandem.TaskID `json:"task"`
		Message view.Message  `json:"message"`
	}
	typingFrame struct {
		T    string        `json:"t"`
		Task tandem.TaskID `json:"task"`
		On   bool          `json:"on"`
	}
	wrapFrame struct {
		T     string        `json:"t"`
		N     uint64        `json:"n"`
		Task  tandem.TaskID `json:"task"`
		Fence uint64        `json:"fence"`
		Until time.Time     `json:"until,omitzero"`
	}
	ready struct {
		T string `json:"t"`
		N uint64 `json:"n"`
	}
	done struct {
		T       string        `json:"t"`
		ID      string        `json:"id"`
		Task    *view.Task    `json:"task,omitempty"`
		Message *view.Message `json:"message,omitempty"`
		Agent   *view.Agent   `json:"agent,omitempty"`
		Link    *view.Offered `json:"link,omitempty"`

		Upgrade *view.Upgrade  `json:"upgrade,omitempty"`
		Check   *view.Check    `json:"check,omitempty"`
		Invite  *view.RoleLink `json:"invite,omitempty"`
		Joined  *view.Joined   `json:"joined,omitempty"`
	}
	talkFrame struct {
		T           string               `json:"t"`
		N           uint64               `json:"n"`
		Task        tandem.TaskID        `json:"task,omitempty"` // "" = nobody serves the customer yet
		Interaction tandem.InteractionID `json:"interaction"`
		Talk        *view.Talk           `json:"talk"` // nil once it is over
	}
	inviteFrame struct {
		T      string      `json:"t"`
		N      uint64      `json:"n"`
		Invite view.Invite `json:"invite"`
	}
	inviteOver struct {
		T      string `json:"t"`
		N      uint64 `json:"n"`
		Invite string `json:"invite"`
		Why    string `json:"why"`
	}
	linkFrame struct {
		T    string        `json:"t"`
		N    uint64        `json:"n"`
		Task tandem.TaskID `json:"task"`
		Link view.Offered  `json:"link"`
	}
	whisperFrame struct {
		T    string        `json:"t"`
		N    uint64        `json:"n"`
		Task tandem.TaskID `json:"task"`
		From string        `json:"from"`
		Text string        `json:"text"`
		At   time.Time     `json:"at"`
	}
	listeningFrame struct {
		T    string        `json:"t"`
		N    uint64        `json:"n"`
		Task tandem.TaskID `json:"task"`
		Role tandem.Role   `json:"role"` // "" = it is over
	}
	askedFrame struct {
		T string `json:"t"`
		N uint64 `json:"n"`
		view.Told
	}
	voiceFrame struct {
		T      string        `json:"t"`
		Seat   string        `json:"seat"`
		Signal webrtc.Signal `json:"signal"`
	}
	failed struct {
		T          string `json:"t"`
		ID         string `json:"id,omitempty"`
		Code       string `json:"code"`
		Message    string `json:"message"`
		RetryAfter int    `json:"retry_after,omitempty"` // seconds
		Seat       string `json:"seat,omitempty"`        // of a voice frame
		Page       string `json:"page,omitempty"`        // of a screen frame
	}
	boardFrame struct {
		T      string            `json:"t"`
		Fresh  bool              `json:"fresh,omitempty"`
		Last   bool              `json:"last,omitempty"`
		At     time.Time         `json:"at"`               // when it was counted
		Queues []json.RawMessage `json:"queues,omitempty"` // board.Figures
		Agents []json.RawMessage `json:"agents,omitempty"` // view.Agent
		All    json.RawMessage   `json:"all,omitempty"`    // boardAll, in the last of a picture
		Alerts json.RawMessage   `json:"alerts,omitempty"` // alerts that fire, all of them, if they changed
	}
	// boardAll is of all queues together.
	boardAll struct {
		Agents board.Counts `json:"agents"`
		Today  board.Today  `json:"today"`
		Since  time.Time    `json:"since"`
		Whole  bool         `json:"whole"`
	}
	bare struct {
		T string `json:"t"`
	}
)
