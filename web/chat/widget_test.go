package chat

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"tandem"
)

// frame is what a client reads, whatever its kind.
type frame struct {
	message
	Conversation tandem.ConversationID `json:"conversation"`
	Token        string                `json:"token"`
	Lang         string                `json:"lang"`
	Site         siteView              `json:"site"`
	Place        string                `json:"place"`
	Code         string                `json:"code"`
	Message      map[string]string     `json:"message"`
	RetryAfter   int                   `json:"retry_after"`
	On           bool                  `json:"on"`
	Position     int                   `json:"position"`
	AtLeast      int                   `json:"at_least"`
	AtMost       int                   `json:"at_most"`
	Offers       []offerView           `json:"offers"`
	Agent        string                `json:"agent"`
}

// line is one connection of a client.
type wire struct {
	h     *house
	conn  *websocket.Conn
	pings atomic.Int64 // that came, if connect made it
}

// connect opens a socket from a page of an origin; "" is the server's own.
func (h *house) connect(origin string) (*wire, *http.Response, error) {
	if origin == "" {
		origin = h.url
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	header := http.Header{}
	if origin != "none" {
		header.Set("Origin", origin)
	}
	w := &wire{h: h}
	conn, resp, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(h.url, "http")+"/api/v1/chat/socket",
		&websocket.DialOptions{Subprotocols: []string{protocol}, HTTPHeader: header,
			OnPingReceived: func(context.Context, []byte) bool { w.pings.Add(1); return true }})
	if err != nil {
		return nil, resp, err
	}
	conn.SetReadLimit(1 << 20)
	w.conn = conn
	h.Cleanup(w.cut) // before the house closes, which would wait for it to say goodbye
	return w, resp, nil
}

// dial connects and says hello.
func (h *house) dial(hello map[string]any) *wire {
	h.Helper()
	w, _, err := h.connect(pageOrigin)
	h.must(err)
	hello["t"] = kindHello
	w.send(hello)
	return w
}

func (w *wire) send(f any) {
	w.h.Helper()
	w.h.must(w.trySend(f))
}

func (w *wire) trySend(f any) error {
	data, ok := f.(string)
	if !ok {
		b, err := json.Marshal(f)
		if err != nil {
			return err
		}
		data = string(b)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return w.conn.Write(ctx, websocket.MessageText, []byte(data))
}

func (w *wire) tryNext() (f frame, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	_, data, err := w.conn.Read(ctx)
	if err != nil {
		return f, err
	}
	return f, json.Unmarshal(data, &f)
}

// next reads a frame, which must be of one of the kinds.
func (w *wire) next(kinds ...string) frame {
	w.h.Helper()
	f, err := w.tryNext()
	if err != nil {
		w.h.Fatalf("waiting for %v: %v", kinds, err)
	}
	if len(kinds) > 0 && !slices.Contains(kinds, f.T) {
		w.h.Fatalf("a frame %+v, want %v", f, kinds)
	}
	return f
}

// until reads frames up to one that fits, and returns it.
func (w *wire) until(what string, fits func(frame) bool) frame {
	w.h.Helper()
	for range 1000 {
		f, err := w.tryNext()
		if err != nil {
			w.h.Fatalf("waiting for %s: %v", what, err)
		}
		if fits(f) {
			return f
		}
	}
	w.h.Fatalf("%s never came", what)
	return frame{}
}

func (w *wire) untilKind(kind string) frame {
	w.h.Helper()
	return w.until(kind, func(f frame) bool { return f.T == kind })
}

// closed reads to the end and returns its code and reason.
func (w *wire) closed() (code websocket.StatusCode, reason string) {
	w.h.Helper()
	for {
		if _, err := w.tryNext(); err != nil {
			var e websocket.CloseError
			if !errors.As(err, &e) {
				return -1, err.Error()
			}
			return e.Code, e.Reason
		}
	}
}

func (w *wire) cut() { w.conn.CloseNow() }

// begun opens a conversation and returns what a client keeps of it.
func (h *house) begun() (w *wire, id tandem.ConversationID, token string) {
	h.Helper()
	w = h.dial(map[string]any{"site": "bank", "langs": []string{"en"}})
	token = w.next(kindWelcome).Token
	w.next(kindCaughtUp)
	w.send(map[string]any{"t": kindOpen})
	id = w.next(kindWelcome).Conversation
	w.next(kindMessage)
	return w, id, token
}

// errCut says that the line was cut where the test wanted it.
var errCut = errors.New("cut")

// widget is a client as docs/chat-protocol.md describes one: it keeps by seq, remembers
// the highest rev, and sends again what was not acknowledged.
type widget struct {
	h      *house
	cut    func(sending bool, n int) (before, after bool) // n-th frame, both ways
	killed bool                                           // the server may be gone at any time
	frames int

	token   string
	begun   bool // something was sent that may have made the conversation
	id      tandem.ConversationID
	rev     uint64
	by      map[uint64]message
	outbox  []message // not acknowledged: ID and Text
	read    uint64
	resumed int
}

func newWidget(h *house) *widget { return &widget{h: h, by: map[uint64]message{}} }

func (c *widget) send(w *wire, f map[string]any) error {
	c.frames++
	before, after := false, false
	if c.cut != nil {
		before, after = c.cut(true, c.frames)
	}
	if before {
		return errCut
	}
	if err := w.trySend(f); err != nil {
		return err
	}
	if after {
		return errCut
	}
	return nil
}

func (c *widget) take(w *wire) error {
	f, err := w.tryNext()
	if err != nil {
		return err
	}
	c.frames++
	before, after := false, false
	if c.cut != nil {
		before, after = c.cut(false, c.frames)
	}
	if before { // lost on its way
		return errCut
	}
	switch f.T {
	case kindWelcome:
		if f.Token != "" {
			c.token = f.Token
		}
		if f.Conversation != "" {
			c.id = f.Conversation
		}
	case kindMessage:
		if had := c.by[f.Seq]; f.Rev <= c.rev { // one of its own that it sent again
			if had.Rev < f.Rev || f.ID == "" {
				return fmt.Errorf("rev %d after %d", f.Rev, c.rev)
			}
		} else {
			c.rev, c.by[f.Seq] = f.Rev, f.message
		}
		c.outbox = slices.DeleteFunc(c.outbox, func(m message) bool { return m.ID == f.ID })
	case kindCaughtUp:
	default:
		return fmt.Errorf("a frame %+v", f)
	}
	if after {
		return errCut
	}
	return nil
}

// run connects, again and again, until the outbox is empty and there are want messages.
func (c *widget) run(want int) error {
	for tries := 0; ; tries++ {
		if tries > 2000 {
			return errors.New("it never ends")
		}
		err := c.once(want)
		if err == nil {
			return nil
		}
		var closing websocket.CloseError
		switch {
		case errors.Is(err, errCut), c.killed && !errors.As(err, &closing):
		case errors.As(err, &closing) && closing.Reason == "token" && c.id == "":
			c.token = ""
		default:
			return err
		}
		c.resumed++
	}
}

func (c *widget) once(want int) error {
	w, _, err := c.h.connect(pageOrigin)
	if err != nil {
		return err
	}
	defer w.cut()
	hello := map[string]any{"t": kindHello, "site": "bank", "langs": []string{"en"}}
	if c.token != "" && (c.begun || c.id != "") {
		hello["token"], hello["after"] = c.token, c.rev
	}
	if err := c.send(w, hello); err != nil {
		return err
	}
	if err := c.take(w); err != nil { // welcome
		return err
	}
	c.begun = true
	if err := c.send(w, map[string]any{"t": kindOpen}); err != nil {
		return err
	}
	const window = 3 // messages under way
	sent := map[string]bool{}
	for {
		underway := 0
		for _, m := range slices.Clone(c.outbox) {
			if underway++; underway > window || sent[m.ID] {
				continue
			}
			sent[m.ID] = true
			if err := c.send(w, map[string]any{"t": kindSay, "id": m.ID, "text": m.Text}); err != nil {
				return err
			}
		}
		if len(c.outbox) == 0 && len(c.by) >= want && c.allRead() {
			return nil
		}
		if err := c.take(w); err != nil {
			return err
		}
		if top := uint64(len(c.by)); top >= c.read+5 || (top == uint64(want) && c.read < top) { // now and then
			c.read = top
			if err := c.send(w, map[string]any{"t": kindRead, "seq": top}); err != nil {
				return err
			}
		}
	}
}

// allRead reports whether all messages of the other side are known to be read.
func (c *widget) allRead() bool {
	for _, m := range c.by {
		if m.From != tandem.SenderCustomer && m.State != string(tandem.MessageRead) {
			if c.read > 0 && c.resumed > 0 { // a receipt may have been lost with the line
				c.read = 0
			}
			return false
		}
	}
	return true
}

// list is what the client shows.
func (c *widget) list() (out []message) {
	for _, seq := range slices.Sorted(maps.Keys(c.by)) {
		out = append(out, c.by[seq])
	}
	return out
}
