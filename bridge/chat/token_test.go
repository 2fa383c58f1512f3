package chat

import (
	"errors"
	"strings"
	"testing"
	"time"

	"tandem"
	"tandem/store"
)

func convID(s string) tandem.ConversationID { return tandem.ConversationID(s) }

func (h *house) opens(token string, want tandem.ConversationID) {
	h.Helper()
	c, err := h.book.ByToken(h.Context(), token)
	if want == "" {
		if !errors.Is(err, store.ErrNotFound) {
			h.Errorf("token %q opens %q: %v", token, c.ID, err)
		}
	} else if err != nil || c.ID != want {
		h.Errorf("token %q opens %q: %v", token, c.ID, err)
	}
}

func TestTokens(t *testing.T) {
	h := newHouse(t)
	one, two := h.begin(""), h.begin("")
	token, err := h.book.Token(t.Context(), one.ID)
	h.must(err)
	other, err := h.book.Token(t.Context(), two.ID)
	h.must(err)
	if len(token) != 22 || token == other {
		t.Fatalf("%q %q", token, other)
	}
	h.opens(token, one.ID)
	h.opens(other, two.ID)
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	for i := range token { // any one character changed
		for _, c := range alphabet {
			if flipped := token[:i] + string(c) + token[i+1:]; flipped != token {
				h.opens(flipped, "")
			}
		}
	}
	for _, guess := range []string{"", "x", token + "A", token[:21], token + "=", " " + token, strings.ToUpper(token) + "\n", strings.Repeat("A", 22), strings.Repeat("A", 1<<16), "' OR 1=1 --"} {
		h.opens(guess, "")
	}
	if _, err := h.book.Token(t.Context(), "nobody"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a token of nothing: %v", err)
	}
}

func TestOldestTokenGoes(t *testing.T) {
	h := newHouse(t)
	c := h.begin("")
	var all []string
	for range maxTokens + 3 {
		token, err := h.book.Token(t.Context(), c.ID)
		h.must(err)
		all = append(all, token)
	}
	for i, token := range all {
		want := c.ID
		if i < 3 {
			want = ""
		}
		h.opens(token, want)
	}
}

func TestTokenEndsUnused(t *testing.T) {
	h := newHouse(t)
	c := h.begin("")
	token, err := h.book.Token(t.Context(), c.ID)
	h.must(err)
	for range 4 { // used now and then it lives on
		h.place.Clock.Add(tokenLasts - time.Hour)
		h.opens(token, c.ID)
	}
	h.place.Clock.Add(tokenLasts + time.Hour)
	h.opens(token, "")
	_, err = h.book.Token(t.Context(), c.ID)
	h.must(err)
	kept := 0
	h.must(h.db.View(t.Context(), func(tx store.Tx) error {
		_, err := tx.One("SELECT count(*) FROM chat_token", func(row store.Row) { kept = int(row.Int(0)) })
		return err
	}))
	if kept != 1 {
		t.Errorf("%d tokens are kept", kept)
	}
}

// A token is drawn before there is a conversation, and opens it once it is made.
func TestBegin(t *testing.T) {
	h := newHouse(t)
	token, err := h.book.NewToken()
	h.must(err)
	h.opens(token, "")
	c := Conversation{Channel: tandem.Chat, Entry: "chat:bank"}
	h.must(h.book.Begin(t.Context(), &c, token))
	h.opens(token, c.ID)
	second := Conversation{Channel: tandem.Chat, Entry: "chat:bank"}
	if err := h.book.Begin(t.Context(), &second, token); err == nil {
		t.Error("a token opens two conversations")
	}
	if err := h.book.Begin(t.Context(), &second, "not a token"); !errors.Is(err, store.ErrInvalid) {
		t.Error(err)
	}
}
