package live

import (
	"encoding/json"
	"errors"
	"time"

	"tandem"
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
	kindPing     = "ping"
	// Both ways.
	kindTyping = "typing"
	kindWrap   = "wrap"
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
	}
	failed struct {
		T          string `json:"t"`
		ID         string `json:"id,omitempty"`
		Code       string `json:"code"`
		Message    string `json:"message"`
		RetryAfter int    `json:"retry_after,omitempty"` // seconds
	}
	boardFrame struct {
		T      string            `json:"t"`
		Fresh  bool              `json:"fresh,omitempty"`
		Last   bool              `json:"last,omitempty"`
		Queues []json.RawMessage `json:"queues,omitempty"` // board.Figures
		Agents []json.RawMessage `json:"agents,omitempty"` // view.Agent
	}
	bare struct {
		T string `json:"t"`
	}
)
