package testkit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// ChatMessage is a message of a chat as a client sees it (docs/chat-protocol.md).
type ChatMessage struct {
	Rev     uint64    `json:"rev"`
	Seq     uint64    `json:"seq"`
	State   string    `json:"state"`
	At      time.Time `json:"at"`
	From    string    `json:"from"`
	Name    string    `json:"name"` // of an agent
	ID      string    `json:"id"`
	Lang    string    `json:"lang"`
	Text    string    `json:"text"`
	Image   string    `json:"image"`
	Buttons []struct {
		Label string `json:"label"`
		Keys  string `json:"keys"`
	} `json:"buttons"`
	Link *struct {
		ID    string `json:"id"`
		Label string `json:"label"`
		State string `json:"state"`
	} `json:"link"`
	Attachment *struct {
		ID string `json:"id"`
	} `json:"attachment"`
	Secret     bool   `json:"secret"`
	AsksSecret bool   `json:"asks_secret"`
	Error      string `json:"error"`
	Erased     bool   `json:"erased"`
}

// ChatRefusal is a frame that says that something was not done.
type ChatRefusal struct {
	ID      string            `json:"id"`
	Code    string            `json:"code"`
	Message map[string]string `json:"message"`
}

// ChatOptions say whose chat it is.
type ChatOptions struct {
	Site, QR string   // one of them
	Origin   string   // of the page; "" = the server's own
	Token    string   // of a conversation there is
	After    uint64   // the newest change that is known of it
	Langs    []string // nil = English
}

// Chat is a visitor of the widget. It sends what the test says, and again what was not
// acknowledged when it connects anew. It holds the server to what the protocol promises:
// changes come in order, none is left out, a message stays what it is, and its state only
// goes forward. One goroutine reads each socket; Cut and the end of the test end it.
type Chat struct {
	t    testing.TB
	base string
	o    ChatOptions

	mu      sync.Mutex
	conn    *websocket.Conn
	news    chan struct{} // closed and replaced at each change
	lost    bool          // the socket has ended
	closed  websocket.CloseError
	welcome chatWelcome
	caught  uint64 // the rev of the newest caught_up; 0 with caughtUp false
	ready   bool
	rev     uint64
	by      map[uint64]ChatMessage // by seq
	outbox  []chatSay
	refused []ChatRefusal
	overs   int
	stands  ChatStanding // in line, as it was told last
	taken   uint64       // seq of the newest message that Reads has returned
	said    int
	readers sync.WaitGroup
}

type chatWelcome struct {
	Conversation string `json:"conversation"`
	Token        string `json:"token"`
	Rev          uint64 `json:"rev"`
	Lang         string `json:"lang"`
	Place        string `json:"place"`
	Site         struct {
		Title     map[string]string `json:"title"`
		Languages []string          `json:"languages"`
		CallBack  bool              `json:"call_back"`
	} `json:"site"`
}

type chatSay struct {
	T          string `json:"t"`
	ID         string `json:"id"`
	Text       string `json:"text,omitempty"`
	Secret     bool   `json:"secret,omitempty"`
	Attachment string `json:"attachment,omitempty"`
}

// NewChat connects to a server (http://HOST:PORT), says hello and waits until it has all
// there is. It fails the test if it is not let in.
func NewChat(t testing.TB, base string, o ChatOptions) *Chat {
	t.Helper()
	c := LaterChat(t, base, o)
	if err := c.Connect(Patience); err != nil {
		t.Fatalf("a visitor of %s%s: %v", o.Site, o.QR, err)
	}
	return c
}

// LaterChat is NewChat before it connects.
func LaterChat(t testing.TB, base string, o ChatOptions) *Chat {
	c := &Chat{t: t, base: base, o: o, news: make(chan struct{}), by: map[uint64]ChatMessage{}, rev: o.After}
	t.Cleanup(func() {
		c.Cut()
		c.readers.Wait()
	})
	return c
}

// TryChat connects and says hello as NewChat does, and returns why it was not let in: the
// close code and its reason, or the HTTP status in the error. nil = it was let in.
func TryChat(t testing.TB, base string, o ChatOptions) error {
	t.Helper()
	c := &Chat{t: t, base: base, o: o, news: make(chan struct{}), by: map[uint64]ChatMessage{}}
	defer func() {
		c.Cut()
		c.readers.Wait()
	}()
	return c.once(Patience)
}

// Connect connects anew, within d: it tells the server what it knows, waits until it has
// all that came since, and sends again what was not acknowledged.
func (c *Chat) Connect(d time.Duration) error {
	deadline := time.Now().Add(d)
	retry := time.NewTicker(50 * time.Millisecond)
	defer retry.Stop()
	for {
		err := c.once(time.Until(deadline))
		var closed websocket.CloseError
		if err == nil || errors.As(err, &closed) && closed.Code == websocket.StatusPolicyViolation || time.Now().After(deadline) {
			return err
		}
		<-retry.C
	}
}

// once connects, or says why not.
func (c *Chat) once(d time.Duration) error {
	c.Cut()
	c.readers.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), max(d, 100*time.Millisecond))
	defer cancel()
	origin := c.o.Origin
	if origin == "" {
		origin = c.base
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // nothing outlives the test
	conn, answer, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(c.base, "http")+"/api/v1/chat/socket", &websocket.DialOptions{
		HTTPClient: client, Subprotocols: []string{"tandem.chat.1"}, HTTPHeader: http.Header{"Origin": {origin}},
	})
	if err != nil {
		if answer != nil {
			return fmt.Errorf("not connected: status %d: %w", answer.StatusCode, err)
		}
		return err
	}
	conn.SetReadLimit(1 << 20)
	langs := c.o.Langs
	if langs == nil {
		langs = []string{"en"}
	}
	c.mu.Lock()
	c.conn, c.lost, c.ready, c.closed = conn, false, false, websocket.CloseError{}
	hello := map[string]any{"t": "hello", "langs": langs, "after": c.rev}
	for name, value := range map[string]string{"site": c.o.Site, "qr": c.o.QR, "token": c.o.Token} {
		if value != "" {
			hello[name] = value
		}
	}
	c.mu.Unlock()
	c.readers.Go(func() { c.read(conn) })
	if err := c.write(hello); err != nil {
		return err
	}
	if !c.until(d, func() bool { return c.ready || c.lost }) {
		return errors.New("the server did not say that this was all")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.lost {
		return fmt.Errorf("not let in: %w", c.closed)
	}
	for _, s := range c.outbox {
		if err := c.writeLocked(s); err != nil {
			return err
		}
	}
	return nil
}

// Cut ends the connection as a lost network does: without a word.
func (c *Chat) Cut() {
	c.mu.Lock()
	conn := c.conn
	c.conn = nil
	c.mu.Unlock()
	if conn != nil {
		_ = conn.CloseNow()
	}
}

func (c *Chat) write(frame any) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writeLocked(frame)
}

// writeLocked writes a frame; mu is held, so that frames stay in their order.
func (c *Chat) writeLocked(frame any) error {
	if c.conn == nil {
		return errors.New("not connected")
	}
	data, err := json.Marshal(frame)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), Patience)
	defer cancel()
	return c.conn.Write(ctx, websocket.MessageText, data)
}

// Frame sends any frame.
func (c *Chat) Frame(frame any) {
	c.t.Helper()
	if err := c.write(frame); err != nil {
		c.t.Errorf("sending a frame: %v", err)
	}
}

// Open says that the visitor opened the panel.
func (c *Chat) Open() { c.t.Helper(); c.Frame(map[string]any{"t": "open"}) }

// Say writes a message and returns its id. If there is no connection it stays in the
// outbox until the next.
func (c *Chat) Say(text string) string { return c.post(chatSay{Text: text}) }

// SaySecret writes into the masked field.
func (c *Chat) SaySecret(text string) string { return c.post(chatSay{Text: text, Secret: true}) }

// Show sends a picture that was uploaded.
func (c *Chat) Show(attachment string) string { return c.post(chatSay{Attachment: attachment}) }

func (c *Chat) post(s chatSay) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.said++
	s.T, s.ID = "say", fmt.Sprintf("c%d-%s", c.said, token())
	c.outbox = append(c.outbox, s)
	_ = c.writeLocked(s) // else it waits for the next connection
	return s.ID
}

// read takes what the server sends, until the socket ends.
func (c *Chat) read(conn *websocket.Conn) {
	var last uint64 // rev on this socket
	for {
		_, data, err := conn.Read(context.Background())
		c.mu.Lock()
		if err != nil {
			if c.conn == conn || c.conn == nil {
				c.lost = true
				errors.As(err, &c.closed)
			}
			c.tell()
			c.mu.Unlock()
			_ = conn.CloseNow()
			return
		}
		c.take(data, &last)
		c.tell()
		c.mu.Unlock()
	}
}

// take takes a frame; mu is held.
func (c *Chat) take(data []byte, last *uint64) {
	var kind struct {
		T   string `json:"t"`
		Rev uint64 `json:"rev"`
	}
	if err := json.Unmarshal(data, &kind); err != nil {
		c.t.Errorf("a frame that is no JSON: %v", err)
		return
	}
	switch kind.T {
	case "welcome":
		w := chatWelcome{}
		_ = json.Unmarshal(data, &w)
		if w.Token != "" {
			c.o.Token = w.Token
		}
		if w.Conversation == "" {
			w.Conversation = c.welcome.Conversation
		}
		c.welcome = w
	case "caught_up":
		c.ready, c.caught = true, kind.Rev
	case "over":
		c.overs++
	case "place":
		c.stands = ChatStanding{}
		if err := json.Unmarshal(data, &c.stands); err != nil {
			c.t.Errorf("a place in line that cannot be read: %v", err)
		}
	case "refused":
		var r ChatRefusal
		_ = json.Unmarshal(data, &r)
		c.refused = append(c.refused, r)
	case "message":
		var m ChatMessage
		if err := json.Unmarshal(data, &m); err != nil {
			c.t.Errorf("a message that cannot be read: %v", err)
			return
		}
		c.message(m, last)
	}
}

// states are how far a message has come, in their order.
var states = []string{"pending", "sent", "failed", "delivered", "read"}

// message takes a message, and holds it against what is known; mu is held.
func (c *Chat) message(m ChatMessage, last *uint64) {
	again := slices.IndexFunc(c.outbox, func(s chatSay) bool { return s.ID == m.ID })
	if again >= 0 {
		c.outbox = slices.Delete(c.outbox, again, again+1)
	}
	had, known := c.by[m.Seq]
	if m.Rev <= *last && again < 0 && (!known || had.Rev != m.Rev) { // what was said twice is answered twice
		c.t.Errorf("change %d came after %d", m.Rev, *last)
	}
	*last = max(*last, m.Rev)
	c.rev = max(c.rev, m.Rev)
	switch {
	case !known:
	case had.Rev > m.Rev:
		return
	case !m.Erased && (had.Text != m.Text || had.From != m.From || had.ID != m.ID):
		c.t.Errorf("message %d was %q of %s and is %q of %s", m.Seq, had.Text, had.From, m.Text, m.From)
	case slices.Index(states, m.State) < slices.Index(states, had.State):
		c.t.Errorf("message %d was %s and is %s", m.Seq, had.State, m.State)
	}
	c.by[m.Seq] = m
}

func (c *Chat) tell() {
	close(c.news)
	c.news = make(chan struct{})
}

// until waits until something holds; ok runs under mu.
func (c *Chat) until(d time.Duration, ok func() bool) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	for {
		c.mu.Lock()
		done, news := ok(), c.news
		c.mu.Unlock()
		if done {
			return true
		}
		select {
		case <-news:
		case <-timer.C:
			return false
		}
	}
}
