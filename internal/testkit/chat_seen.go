package testkit

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
)

// Messages are all that the visitor sees, in their order.
func (c *Chat) Messages() []ChatMessage {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sorted()
}

func (c *Chat) sorted() []ChatMessage {
	all := make([]ChatMessage, 0, len(c.by))
	for _, m := range c.by {
		all = append(all, m)
	}
	slices.SortFunc(all, func(a, b ChatMessage) int { return int(a.Seq) - int(b.Seq) })
	return all
}

// Reads waits for a message that is not the visitor's own, newer than the last that Reads
// has returned, with these words in it.
func (c *Chat) Reads(words string) ChatMessage {
	c.t.Helper()
	var found ChatMessage
	ok := c.until(2*Patience, func() bool {
		for _, m := range c.sorted() {
			if m.Seq > c.taken && m.From != "customer" && strings.Contains(m.Text, words) {
				found, c.taken = m, m.Seq
				return true
			}
		}
		return false
	})
	if !ok {
		c.t.Fatalf("the visitor never read %q; the chat is\n%s", words, c)
	}
	return found
}

// Acknowledged waits until the server has all that was said.
func (c *Chat) Acknowledged() {
	c.t.Helper()
	if !c.until(2*Patience, func() bool { return len(c.outbox) == 0 }) {
		c.t.Fatalf("the server never took what was said; the chat is\n%s", c)
	}
}

// Unacknowledged counts what was said and is not known to be kept.
func (c *Chat) Unacknowledged() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.outbox)
}

// Sees waits up to d for a message, in a state, that fits.
func (c *Chat) Sees(d time.Duration, fits func(ChatMessage) bool) (found ChatMessage, ok bool) {
	ok = c.until(d, func() bool {
		for _, m := range c.sorted() {
			if fits(m) {
				found = m
				return true
			}
		}
		return false
	})
	return found, ok
}

// Wait is Sees that fails the test.
func (c *Chat) Wait(what string, fits func(ChatMessage) bool) ChatMessage {
	c.t.Helper()
	found, ok := c.Sees(2*Patience, fits)
	if !ok {
		c.t.Fatalf("the visitor never saw %s; the chat is\n%s", what, c)
	}
	return found
}

// Refused waits for a refusal and takes it. What was refused is in the outbox no more.
func (c *Chat) Refused() ChatRefusal {
	c.t.Helper()
	r, ok := c.refusal(Patience)
	if !ok {
		c.t.Fatalf("nothing was refused; the chat is\n%s", c)
	}
	return r
}

// WasRefused is Refused for who does not know whether something is.
func (c *Chat) WasRefused() (r ChatRefusal, ok bool) { return c.refusal(0) }

func (c *Chat) refusal(d time.Duration) (r ChatRefusal, ok bool) {
	ok = c.until(d, func() bool {
		if len(c.refused) == 0 {
			return false
		}
		r, c.refused = c.refused[0], c.refused[1:]
		c.outbox = slices.DeleteFunc(c.outbox, func(s chatSay) bool { return s.ID == r.ID })
		return true
	})
	return r, ok
}

// Over waits until so many interactions have ended while the visitor was there.
func (c *Chat) Over(n int) {
	c.t.Helper()
	if !c.until(2*Patience, func() bool { return c.overs >= n }) {
		c.t.Fatalf("the interaction did not end; the chat is\n%s", c)
	}
}

// ChatStanding is how the visitor stands in line, as the server told it last.
type ChatStanding struct {
	State    string `json:"state"` // waiting, served, over; "" = nothing was told
	Position int    `json:"position"`
	AtLeast  int    `json:"at_least"` // seconds
	AtMost   int    `json:"at_most"`
	Offers   []struct {
		Keys  string `json:"keys"`
		What  string `json:"what"`
		Label string `json:"label"`
	} `json:"offers"`
	Agent string `json:"agent"`
}

// Stands waits until the visitor stands in line as a test wants.
func (c *Chat) Stands(what string, fits func(ChatStanding) bool) (at ChatStanding) {
	c.t.Helper()
	if !c.until(Patience, func() bool { at = c.stands; return fits(at) }) {
		c.t.Fatalf("waiting for %s: the visitor stands %+v\n%s", what, at, c)
	}
	return at
}

// Lost reports whether the connection has ended.
func (c *Chat) Lost() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lost || c.conn == nil
}

// Token opens the conversation.
func (c *Chat) Token() string { c.mu.Lock(); defer c.mu.Unlock(); return c.o.Token }

// Rev is the newest change that is known.
func (c *Chat) Rev() uint64 { c.mu.Lock(); defer c.mu.Unlock(); return c.rev }

// Place is where the visitor is, by the QR code that was scanned.
func (c *Chat) Place() string { c.mu.Lock(); defer c.mu.Unlock(); return c.welcome.Place }

// Conversation is its id; "" before there is one.
func (c *Chat) Conversation() string { c.mu.Lock(); defer c.mu.Unlock(); return c.welcome.Conversation }

// String is the chat as it is seen.
func (c *Chat) String() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var b strings.Builder
	for _, m := range c.sorted() {
		fmt.Fprintf(&b, "%d %s %s: %s", m.Seq, m.State, m.From, m.Text)
		for _, button := range m.Buttons {
			fmt.Fprintf(&b, " [%s]", button.Label)
		}
		b.WriteByte('\n')
	}
	for _, r := range c.refused {
		fmt.Fprintf(&b, "refused: %s\n", r.Code)
	}
	return b.String()
}

// Post sends JSON, or bytes as they are, to an address beside the socket with the
// conversation's token, and reads the answer into out if that is not nil.
func (c *Chat) Post(path string, body, out any) (status int) {
	c.t.Helper()
	return HTTPAs(c.t, http.MethodPost, c.base+path, c.Token(), body, out)
}

// HTTPAs makes a request with a bearer's token ("" = none) and reads its JSON answer into
// out, or its text if out is a *string; nil = it is passed over.
func HTTPAs(t testing.TB, method, url, bearer string, body, out any) (status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*Patience)
	defer cancel()
	kind := "application/octet-stream"
	data, raw := body.([]byte)
	if !raw && body != nil {
		kind = "application/json"
		var err error
		if data, err = json.Marshal(body); err != nil {
			t.Fatal(err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if data != nil {
		request.Header.Set("Content-Type", kind)
	}
	if bearer != "" {
		request.Header.Set("Authorization", "Bearer "+bearer)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	answer, err := client.Do(request)
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 16<<20))
	if err != nil {
		t.Fatalf("%s %s: %v", method, url, err)
	}
	switch out := out.(type) {
	case nil:
	case *string:
		*out = string(text)
	default:
		if err := json.Unmarshal(text, out); err != nil {
			t.Fatalf("%s %s: %v in %.200s", method, url, err, text)
		}
	}
	return answer.StatusCode
}
