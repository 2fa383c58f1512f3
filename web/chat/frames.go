package chat

import (
	"encoding/json"
	"errors"
	"net/url"
	"strings"
	"time"

	"tandem"
	"tandem/bridge/chat"
	"tandem/media/webrtc"
)

// protocol is the WebSocket's subprotocol.
const protocol = "tandem.chat.1"

// Kinds of frames: what stands in t. docs/chat-protocol.md has each of them.
const (
	// From the client.
	kindHello = "hello"
	kindBegin = "begin"
	kindOpen  = "open"
	kindSay   = "say"
	kindRead  = "read"
	kindGot   = "got"
	kindPing  = "ping"
	kindLang  = "lang"
	// Both ways.
	kindTyping  = "typing"
	kindUpgrade = "upgrade"
	kindVoice   = "voice"
	kindScreen  = "screen"
	kindCheck   = "check"
	// From the server.
	kindWelcome  = "welcome"
	kindMessage  = "message"
	kindCaughtUp = "caught_up"
	kindRefused  = "refused"
	kindOver     = "over"
	kindPlace    = "place"
	kindPong     = "pong"
	kindDone     = "done"
)

// Bounds of frames from the client.
const (
	maxFrame  = 64 << 10 // bytes
	maxText   = 4000     // characters of a message
	maxClient = 64       // characters of a message's id
	maxLangs  = 10       // that are looked at
)

// incoming is a frame from the client, whatever its kind.
type incoming struct {
	T          string   `json:"t"`
	Site       string   `json:"site"`
	QR         string   `json:"qr"`
	Token      string   `json:"token"`
	After      uint64   `json:"after"`
	Langs      []string `json:"langs"`
	ID         string   `json:"id"`
	Text       string   `json:"text"`
	Attachment string   `json:"attachment"`
	Secret     bool     `json:"secret"`
	Seq        uint64   `json:"seq"`
	On         bool     `json:"on"`
	Lang       string   `json:"lang"`

	Page    string           `json:"page"`
	Do      string           `json:"do"`
	Upgrade tandem.UpgradeID `json:"upgrade"`
	Level   tandem.Level     `json:"level"`
	Words   string           `json:"words"`
	Check   tandem.CheckID   `json:"check"`
	Signal  json.RawMessage  `json:"signal"`
}

var errFrame = errors.New("not a frame")

// parse reads a frame: one JSON object with t. Fields it does not know are left alone, so
// that clients may be newer.
func parse(data []byte) (in incoming, err error) {
	if len(data) > maxFrame || json.Unmarshal(data, &in) != nil || in.T == "" {
		return incoming{}, errFrame
	}
	return in, nil
}

// clientID reports whether s may be a message's id: of the characters of base64url. What
// the server itself gives ids to has others in them.
func clientID(s string) bool {
	if s == "" || len(s) > maxClient {
		return false
	}
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == ""
}

// Frames to the client.
type (
	welcome struct {
		T            string                `json:"t"`
		Conversation tandem.ConversationID `json:"conversation,omitempty"`
		Token        string                `json:"token,omitempty"`
		Rev          uint64                `json:"rev"`
		Lang         string                `json:"lang"`
		Site         siteView              `json:"site"`
		Place        string                `json:"place,omitempty"`
	}
	siteView struct {
		Title     map[string]string `json:"title"`
		Languages []string          `json:"languages"`
		CallBack  bool              `json:"call_back"`
	}
	message struct {
		T          string          `json:"t"`
		Rev        uint64          `json:"rev"`
		Seq        uint64          `json:"seq"`
		State      string          `json:"state"`
		At         time.Time       `json:"at"`
		From       tandem.Sender   `json:"from"`
		Name       string          `json:"name,omitempty"`
		ID         string          `json:"id,omitempty"`
		Lang       string          `json:"lang,omitempty"`
		Text       string          `json:"text"`
		Image      string          `json:"image,omitempty"`
		Attachment *attachmentView `json:"attachment,omitempty"`
		Buttons    []tandem.Button `json:"buttons,omitempty"`
		Link       *linkView       `json:"link,omitempty"`
		Secret     bool            `json:"secret,omitempty"`
		AsksSecret bool            `json:"asks_secret,omitempty"`
		Entry      string          `json:"entry,omitempty"`
		Error      string          `json:"error,omitempty"`
		Erased     bool            `json:"erased,omitempty"`
	}
	attachmentView struct {
		ID        tandem.BlobID `json:"id"`
		MediaType string        `json:"media_type"`
		Width     int           `json:"width"`
		Height    int           `json:"height"`
		Bytes     int64         `json:"bytes"`
	}
	linkView struct {
		ID    tandem.LinkID    `json:"id"`
		Label string           `json:"label,omitempty"`
		State tandem.LinkState `json:"state"`
	}
	caughtUp struct {
		T   string `json:"t"`
		Rev uint64 `json:"rev"`
	}
	typing struct {
		T    string        `json:"t"`
		From tandem.Sender `json:"from"`
		Name string        `json:"name,omitempty"`
		On   bool          `json:"on"`
	}
	refused struct {
		T          string            `json:"t"`
		ID         string            `json:"id,omitempty"`
		Code       string            `json:"code"`
		Message    map[string]string `json:"message"`
		RetryAfter int               `json:"retry_after,omitempty"` // seconds
		About      string            `json:"about,omitempty"`       // of a signal: voice, screen
	}
	// place is how the customer stands in line, shown in one place and not as messages.
	place struct {
		T        string      `json:"t"`
		State    string      `json:"state"`              // waiting, served, over
		Position int         `json:"position,omitempty"` // 1 = next; missing = not known
		AtLeast  int         `json:"at_least,omitempty"` // seconds
		AtMost   int         `json:"at_most,omitempty"`  // seconds; missing = not known
		Offers   []offerView `json:"offers,omitempty"`
		Agent    string      `json:"agent,omitempty"`
	}
	offerView struct {
		Keys  string `json:"keys,omitempty"`
		What  string `json:"what"` // callback, chat, sms
		Label string `json:"label"`
	}
	upgradeFrame struct {
		T       string         `json:"t"`
		Upgrade *Upgrade       `json:"upgrade"` // nil = there is none
		May     []tandem.Level `json:"may,omitempty"`
	}
	checkFrame struct {
		T     string `json:"t"`
		Check *Check `json:"check"`
	}
	signalFrame struct {
		T      string        `json:"t"` // voice, screen
		Signal webrtc.Signal `json:"signal"`
	}
	doneFrame struct {
		T  string `json:"t"`
		ID string `json:"id"`
	}
	bare struct {
		T string `json:"t"`
	}
)

// messageOf is an entry as the customer sees it. The id is that of a message of their
// own: what the server gives others is no business of theirs.
func messageOf(e *chat.Entry) message {
	m := &e.Message
	out := message{T: kindMessage, Rev: e.Rev, Seq: m.Seq, State: string(e.State), At: e.At, From: m.From, Name: m.Name, Lang: m.Lang, Text: m.Text,
		Buttons: m.Buttons, Secret: m.Secret, AsksSecret: m.AsksSecret, Entry: m.Entry, Error: e.Error, Erased: e.Erased}
	if m.From == tandem.SenderCustomer {
		out.ID = m.Client
	}
	if m.Image != "" {
		out.Image = (&url.URL{Path: imagesPath + m.Image}).EscapedPath()
	}
	if a := m.Attachment; a != nil {
		out.Attachment = &attachmentView{ID: a.Blob, MediaType: a.MediaType, Width: a.Width, Height: a.Height, Bytes: a.Bytes}
	}
	if m.Link != nil {
		out.Link = &linkView{ID: m.Link.ID, Label: m.Link.Label, State: e.Link}
	}
	return out
}

// placeOf is a place in line as the customer sees it: the queue's name is the operator's.
func placeOf(p chat.Place) place {
	out := place{T: kindPlace, State: "over"}
	switch {
	case p.Queue == "":
	case p.Served:
		out.State, out.Agent = "served", p.Agent
	default:
		out.State, out.Position, out.AtLeast, out.AtMost = "waiting", p.Position, seconds(p.AtLeast), seconds(p.AtMost)
		for _, o := range p.Offers {
			out.Offers = append(out.Offers, offerView(o))
		}
	}
	return out
}

// view is what everybody may know of a site.
func (s *Site) view() siteView {
	title, languages := s.Title, s.Languages
	if title == nil {
		title = map[string]string{}
	}
	if languages == nil {
		languages = []string{}
	}
	return siteView{title, languages, s.CallBack}
}

// choose is the first language a person asks for that a site has, else the site's first.
func choose(wanted, have []string) string {
	if lang, ok := match(wanted, have); ok || len(have) == 0 {
		return lang
	}
	return have[0]
}

// match finds the first language a person asks for that a site has: by its whole tag, else
// by its first part, so that zh and zh-Hans find zh-CN.
func match(wanted, have []string) (lang string, ok bool) {
	first := func(tag string) string { base, _, _ := strings.Cut(tag, "-"); return base }
	for _, w := range wanted[:min(len(wanted), maxLangs)] {
		for _, h := range have {
			if strings.EqualFold(w, h) {
				return h, true
			}
		}
		for _, h := range have {
			if strings.EqualFold(first(w), first(h)) {
				return h, true
			}
		}
	}
	return "", false
}
