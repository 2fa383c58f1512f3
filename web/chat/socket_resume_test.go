package chat

import (
	"testing"
	"time"

	"github.com/coder/websocket"

	"tandem"
	"tandem/bridge/chat"
)

// A client may say that it read what it has, also where that came by an earlier socket.
func TestReadAfterResume(t *testing.T) {
	h := newHouse(t, nil)
	w, _, token := h.begun()
	w.cut()
	w = h.dial(map[string]any{"site": "bank", "token": token, "after": 1})
	w.untilKind(kindCaughtUp)
	w.send(map[string]any{"t": kindRead, "seq": 1})
	if f := w.next(kindMessage); f.Seq != 1 || f.State != "read" || f.Rev != 2 {
		t.Errorf("%+v", f)
	}
	w.cut()
	w = h.dial(map[string]any{"site": "bank", "token": token, "after": 900}) // it knows another past
	w.next(kindWelcome)
	if f := w.next(kindMessage); f.Rev != 2 {
		t.Errorf("%+v", f)
	}
	if f := w.next(kindCaughtUp); f.Rev != 2 {
		t.Errorf("%+v", f)
	}
	w.cut()
}

func TestDoubledSay(t *testing.T) {
	h := newHouse(t, nil)
	w, id, token := h.begun()
	for range 3 {
		w.send(map[string]any{"t": kindSay, "id": "a", "text": "once"})
		w.until("its frame", func(f frame) bool { return f.ID == "a" && f.message.Text == "once" && f.Seq == 2 })
	}
	w.cut()
	w = h.dial(map[string]any{"site": "bank", "token": token, "after": 3})
	w.untilKind(kindCaughtUp)
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "another text"})
	if f := w.next(kindMessage); f.ID != "a" || f.message.Text != "once" || f.Seq != 2 {
		t.Errorf("%+v", f)
	}
	if all := h.list(id); len(all) != 3 {
		t.Errorf("%d messages", len(all))
	}
	w.cut()
}

// What changed without being published comes before what is.
func TestNothingIsLeftOut(t *testing.T) {
	h := newHouse(t, nil)
	w, id, _ := h.begun()
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "one"})
	w.until("the answer", func(f frame) bool { return f.Seq == 3 })
	silent, err := chat.New(chat.Options{Database: h.db, Journal: h.db, Blind: h.place.Keys.Blind, Now: h.now, Random: h.random})
	h.must(err)
	h.must(silent.Mark(t.Context(), id, 1, tandem.MessageDelivered, "")) // rev 4
	h.must(silent.Mark(t.Context(), id, 2, tandem.MessageRead, ""))      // rev 5
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "one"})
	for _, want := range []uint64{4, 5} {
		if f := w.next(kindMessage); f.Rev != want {
			t.Errorf("%+v, want rev %d", f, want)
		}
	}
	h.must(silent.Mark(t.Context(), id, 3, tandem.MessageDelivered, "")) // rev 6
	h.must(h.book.Mark(t.Context(), id, 1, tandem.MessageRead, ""))      // rev 7, published
	for _, want := range []uint64{6, 7} {
		if f := w.next(kindMessage); f.Rev != want {
			t.Errorf("%+v, want rev %d", f, want)
		}
	}
	h.flow.mute = true // whoever answers forgets to publish: the message is acknowledged all the same
	w.send(map[string]any{"t": kindSay, "id": "b", "text": "two"})
	w.until("its frame", func(f frame) bool { return f.ID == "b" })
	w.cut()
}

// A stranger who is cut off in the first word has one conversation, not two.
func TestStrangerComesBack(t *testing.T) {
	h := newHouse(t, nil)
	old := h.dial(map[string]any{"site": "bank"})
	token := old.next(kindWelcome).Token
	old.next(kindCaughtUp)
	// The line is cut, and the server has not noticed.
	w := h.dial(map[string]any{"site": "bank", "token": token})
	if f := w.next(kindWelcome); f.Token != token || f.Conversation != "" {
		t.Fatalf("%+v", f)
	}
	w.next(kindCaughtUp)
	old.send(map[string]any{"t": kindSay, "id": "a", "text": "late"})
	if code, reason := old.closed(); code != websocket.StatusTryAgainLater || reason != "elsewhere" {
		t.Errorf("%d %q", code, reason)
	}
	w.send(map[string]any{"t": kindSay, "id": "a", "text": "hello"})
	id := w.next(kindWelcome).Conversation
	w.next(kindMessage)
	if all := h.list(id); all[0].Message.Text != "hello" {
		t.Errorf("%+v", all)
	}
	w.cut()
	third := h.dial(map[string]any{"site": "bank", "token": token})
	if f := third.next(kindWelcome); f.Conversation != id {
		t.Errorf("%+v", f)
	}
	third.cut()
	stranger := h.dial(map[string]any{"site": "bank"})
	gone := stranger.next(kindWelcome).Token
	stranger.cut()
	h.eventually("the stranger is forgotten", func() bool { return h.door.stranger(gone) == nil })
	if code, reason := h.dial(map[string]any{"site": "bank", "token": gone}).closed(); code != websocket.StatusPolicyViolation || reason != "token" {
		t.Errorf("%d %q", code, reason)
	}
	h.eventually("all strangers are forgotten", func() bool {
		h.door.mu.Lock()
		defer h.door.mu.Unlock()
		return len(h.door.strangers) == 0
	})
}

func (h *house) eventually(what string, is func() bool) {
	h.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			h.Fatal("it never happens that ", what)
		}
	}
}
