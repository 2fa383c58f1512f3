package chat

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"time"

	"tandem"
	"tandem/store"
)

const (
	tokenSize  = 16                  // bytes of chance in a token
	maxTokens  = 10                  // of one conversation: one for each device; the oldest goes
	tokenLasts = 90 * 24 * time.Hour // without being used
	tokenUsed  = 24 * time.Hour      // how exactly its use is known: each look is not written
)

// Strict: a token has one spelling.
var tokenEncoding = base64.RawURLEncoding.Strict()

// NewToken draws a token, 22 characters, that is good for nothing until it is kept.
func (b *Book) NewToken() (string, error) {
	var raw [tokenSize]byte
	if _, err := io.ReadFull(b.o.Random, raw[:]); err != nil {
		return "", fmt.Errorf("drawing a token: %w", err)
	}
	return tokenEncoding.EncodeToString(raw[:]), nil
}

// hashToken is what is kept of a token; ok is false for what cannot be one.
func hashToken(token string) (hash []byte, ok bool) {
	raw, err := tokenEncoding.DecodeString(token)
	if err != nil || len(raw) != tokenSize {
		return nil, false
	}
	sum := sha256.Sum256(raw)
	return sum[:], true
}

// Keep makes a token open a conversation.
func (b *Book) Keep(tx store.Tx, id tandem.ConversationID, token string) error {
	hash, ok := hashToken(token)
	if !ok {
		return fmt.Errorf("keeping a token that is none: %w", store.ErrInvalid)
	}
	now := b.o.Now()
	n, err := tx.Exec("INSERT INTO chat_token (hash, conversation, made, used) SELECT ?, no, ?, ? FROM chat_conversation WHERE id = ?", hash, now, now, string(id))
	if err == nil && n == 0 {
		err = store.ErrNotFound
	}
	if err == nil {
		_, err = tx.Exec(`DELETE FROM chat_token WHERE hash IN (SELECT hash FROM chat_token
			WHERE conversation = (SELECT no FROM chat_conversation WHERE id = ?) ORDER BY made DESC, hash LIMIT -1 OFFSET ?)`, string(id), maxTokens)
	}
	if err == nil {
		_, err = tx.Exec("DELETE FROM chat_token WHERE used < ?", now.Add(-tokenLasts))
	}
	if err != nil {
		return fmt.Errorf("keeping a token of conversation %s: %w", id, err)
	}
	return nil
}

// Token makes a token that opens a conversation, for one more device. Only its hash is
// kept. It lives until it is not used for 90 days, or ten newer ones are there.
func (b *Book) Token(ctx context.Context, id tandem.ConversationID) (string, error) {
	token, err := b.NewToken()
	if err != nil {
		return "", err
	}
	if err := b.o.Database.Update(ctx, func(tx store.Tx) error { return b.Keep(tx, id, token) }); err != nil {
		return "", err
	}
	return token, nil
}

// ByToken reads the conversation that a token opens; store.ErrNotFound if it opens none.
func (b *Book) ByToken(ctx context.Context, token string) (Conversation, error) {
	hash, ok := hashToken(token)
	if !ok {
		return Conversation{}, fmt.Errorf("looking for a conversation by token: %w", store.ErrNotFound)
	}
	now := b.o.Now()
	id, used := tandem.ConversationID(""), time.Time{}
	err := b.o.Database.View(ctx, func(tx store.Tx) error {
		_, err := tx.One("SELECT c.id, t.used FROM chat_token t JOIN chat_conversation c ON c.no = t.conversation WHERE t.hash = ?", func(row store.Row) {
			id, used = tandem.ConversationID(row.Text(0)), row.Time(1)
		}, hash)
		return err
	})
	if err == nil && (id == "" || now.Sub(used) > tokenLasts) {
		err = store.ErrNotFound
	}
	if err != nil {
		return Conversation{}, fmt.Errorf("looking for a conversation by token: %w", err)
	}
	if now.Sub(used) > tokenUsed {
		err := b.o.Database.Update(ctx, func(tx store.Tx) error {
			_, err := tx.Exec("UPDATE chat_token SET used = ? WHERE hash = ?", now, hash)
			return err
		})
		if err != nil { // the token is good all the same
			b.log.Warn("the use of a conversation's token could not be noted", "conversation", id, "error", err)
		}
	}
	return b.Find(ctx, id)
}

// Begin makes a conversation, as Create does, that a token opens which NewToken has drawn.
func (b *Book) Begin(ctx context.Context, c *Conversation, token string) error {
	return b.o.Database.Update(ctx, func(tx store.Tx) error {
		if err := b.Create(tx, c); err != nil {
			return err
		}
		return b.Keep(tx, c.ID, token)
	})
}
