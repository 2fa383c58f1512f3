package link

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"tandem"
	"tandem/store"
)

const (
	tokenBytes = 16 // 128 bits
	tokenLen   = 26
	maxTokens  = 8 // that lead to one link; the oldest goes
	codeDigits = 6
)

// A token stands in texts and is read by programs that make addresses clickable: no sign
// that one of them takes for the end of the address, and none that differs by case.
var tokenEncoding = base32.NewEncoding(tokenSigns).WithPadding(base32.NoPadding)

const tokenSigns = "abcdefghijklmnopqrstuvwxyz234567"

// ValidToken reports whether s has the form of a token.
func ValidToken(s string) bool {
	return len(s) == tokenLen && strings.Trim(s, tokenSigns) == ""
}

func newToken(random io.Reader) (string, error) {
	var b [tokenBytes]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("drawing a token: %w", err)
	}
	return tokenEncoding.EncodeToString(b[:]), nil
}

func newCode(random io.Reader) (string, error) {
	n, err := rand.Int(random, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("drawing a code: %w", err)
	}
	return fmt.Sprintf("%0*d", codeDigits, n), nil
}

func hash(secret string) []byte {
	h := sha256.Sum256([]byte(secret))
	return h[:]
}

const columns = `l.no, l.id, l.key, l.interaction, l.leg, l.customer, l.conversation, l.number, l.serial, l.operation, l.channel, l.needs,
	l.assurance, l.assurance_until, l.lang, l.by, l.flow, l.flow_hash, l.state, l.made, l.expires, l.opened, l.over, l.page, l.proved, l.attempts,
	l.seq, l.browser, l.code`

func linkOf(r store.Row) Link {
	return Link{
		no: r.Int(0), ID: tandem.LinkID(r.Text(1)), Key: r.Text(2), Interaction: tandem.InteractionID(r.Text(3)), Leg: tandem.LegID(r.Text(4)),
		Customer: tandem.CustomerID(r.Text(5)), Conversation: tandem.ConversationID(r.Text(6)), Number: tandem.Number(r.Text(7)), Serial: int(r.Int(8)),
		Operation: r.Text(9), To: tandem.Channel(r.Text(10)), Needs: tandem.Assurance(r.Int(11)),
		Assurance: tandem.Assurance(r.Int(12)), AssuranceUntil: r.Time(13), Lang: r.Text(14), By: r.Text(15), Flow: r.Text(16), FlowHash: r.Text(17),
		State: tandem.LinkState(r.Text(18)), Made: r.Time(19), Expires: r.Time(20), Opened: r.Time(21), Over: r.Time(22), Page: tandem.LegID(r.Text(23)),
		Proved: r.Time(24), Attempts: int(r.Int(25)), seq: uint64(r.Int(26)), browser: r.Bytes(27), code: r.Bytes(28),
	}
}

// one reads a link by a condition; store.ErrNotFound if there is none.
func (d *Desk) one(ctx context.Context, where string, args ...any) (l Link, err error) {
	found := false
	err = d.o.Database.View(ctx, func(tx store.Tx) (err error) {
		found, err = tx.One("SELECT "+columns+" FROM link l "+where, func(r store.Row) { l = linkOf(r) }, args...)
		return err
	})
	if err == nil && !found {
		err = store.ErrNotFound
	}
	if err != nil {
		return l, fmt.Errorf("looking for a link: %w", err)
	}
	return l, nil
}

// Find finds a link by its id; store.ErrNotFound if there is none.
func (d *Desk) Find(ctx context.Context, id tandem.LinkID) (Link, error) {
	return d.one(ctx, "WHERE l.id = ?", string(id))
}

// State finds the link that an interaction has under a key; store.ErrNotFound if it has
// none.
func (d *Desk) State(ctx context.Context, in tandem.InteractionID, key string) (Link, error) {
	return d.one(ctx, "WHERE l.interaction = ? AND l.key = ?", string(in), key)
}

// Of lists the links of an interaction in the order they were made, those that are over
// too as long as they are kept; of "" the newest of all that are not over.
func (d *Desk) Of(ctx context.Context, in tandem.InteractionID) ([]Link, error) {
	where, args := "WHERE l.interaction = ? ORDER BY l.no LIMIT ?", []any{string(in), listMost}
	if in == "" {
		where, args = "WHERE l.no IN (SELECT no FROM link WHERE state IN ('made', 'opened') ORDER BY no DESC LIMIT ?) ORDER BY l.no", []any{listMost}
	}
	var out []Link
	err := d.o.Database.View(ctx, func(tx store.Tx) error {
		return tx.Each("SELECT "+columns+" FROM link l "+where, func(r store.Row) error {
			out = append(out, linkOf(r))
			return nil
		}, args...)
	})
	if err != nil {
		return nil, fmt.Errorf("listing links: %w", err)
	}
	return out, nil
}

// listMost bounds a list of links.
const listMost = 1000

func insert(tx store.Tx, l *Link, seq uint64) (added bool, err error) {
	n, err := tx.Exec(`INSERT OR IGNORE INTO link (id, interaction, key, leg, customer, conversation, number, serial, operation, channel, needs,
		assurance, assurance_until, lang, by, flow, flow_hash, seq, code, state, made, expires)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(l.ID), string(l.Interaction), l.Key, string(l.Leg), string(l.Customer), string(l.Conversation), string(l.Number), l.Serial,
		l.Operation, string(l.To), int(l.Needs), int(l.Assurance), l.AssuranceUntil, l.Lang, l.By, l.Flow, l.FlowHash,
		seq, l.code, string(l.State), l.Made, l.Expires)
	return n == 1, err
}

// addToken lets one more token lead to a link.
func addToken(tx store.Tx, id tandem.LinkID, token string, now time.Time) error {
	if _, err := tx.Exec("INSERT INTO link_token (hash, link, made) SELECT ?, no, ? FROM link WHERE id = ?", hash(token), now, string(id)); err != nil {
		return err
	}
	_, err := tx.Exec(`DELETE FROM link_token WHERE hash IN (SELECT t.hash FROM link_token t JOIN link l ON l.no = t.link WHERE l.id = ?
		ORDER BY t.made DESC, t.hash LIMIT -1 OFFSET ?)`, string(id), maxTokens)
	return err
}
