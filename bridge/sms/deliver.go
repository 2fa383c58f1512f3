package sms

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"tandem"
	"tandem/store"
	"tandem/store/outbox"
)

// How long the tables keep what is only of use for a while.
const (
	keepOut    = 14 * day // what gateways took: receipts of a phone that was off come late
	keepEarly  = time.Hour
	keepSeen   = 30 * day
	sweepEvery = 10 * time.Minute
	sweepMost  = 2000 // rows of a table at once: the writer has other work
	settleFor  = 10 * time.Second
)

// letter is a message in the outbox.
type letter struct {
	Message
	// Final is the answer to a STOP: it goes out although its reader has stopped texts.
	Final bool `json:"final,omitempty"`
}

// Letter is a message as the outbox keeps it.
func (d *Desk) Letter(m Message) store.Outgoing { return d.letter(m, false) }

func (d *Desk) letter(m Message, final bool) store.Outgoing {
	body, err := json.Marshal(letter{m, final})
	if err != nil {
		panic("sms: a message cannot be written: " + err.Error()) // it is made of strings
	}
	return store.Outgoing{Key: m.Key, Kind: Kind, Target: m.To, Body: body}
}

// Deliver hands a letter to its gateway, once more asking whether it may: its reader may
// have stopped texts since it was posted. The outbox's worker calls it. A letter that a
// gateway took is not handed over again; only a stop between the gateway's answer and
// the note of it makes a second text, under the same key.
func (d *Desk) Deliver(ctx context.Context, o store.Outgoing) error {
	var l letter
	if err := json.Unmarshal(o.Body, &l); err != nil {
		return fmt.Errorf("the letter is no text: %w", outbox.ErrPermanent)
	}
	if l.Key != o.Key {
		return fmt.Errorf("the letter's key is not its message's: %w", outbox.ErrPermanent)
	}
	defer d.sweep(ctx, d.o.Now())
	before, known, err := d.taken(ctx, l.Key)
	if err != nil {
		return err
	}
	if known { // it was handed over, and only what followed is missing
		return d.mark(ctx, l.Key, before)
	}
	if err := d.pass(ctx, &l); err != nil {
		return d.failed(ctx, l.Key, err)
	}
	name := d.ours[l.From]
	id, err := d.o.Gateways[name].Send(ctx, l.Message)
	switch {
	case errors.Is(err, ErrStopped):
		if err := d.stoppedThere(ctx, &l); err != nil {
			return err
		}
		if l.Final { // the provider has answered already
			return nil
		}
		return d.failed(ctx, l.Key, err)
	case err != nil:
		return d.failed(ctx, l.Key, fmt.Errorf("by %s: %w", name, err))
	}
	return d.handedOver(ctx, name, id, &l)
}

// pass is the last gate before a gateway: the rules as they are now, and the caps unless
// it was counted when it was posted.
func (d *Desk) pass(ctx context.Context, l *letter) error {
	var refused *Refused
	counted := false
	err := d.o.Database.View(ctx, func(tx store.Tx) (err error) {
		if refused, err = d.permitted(tx, &l.Message, l.Final); err == nil && refused == nil {
			counted, err = isCounted(tx, l.Key)
		}
		return err
	})
	switch {
	case err != nil:
		return err
	case refused != nil:
		err = d.verdict(refused)
	case !counted: // it was given up more than a day ago, and is tried again
		err = d.o.Database.Update(ctx, func(tx store.Tx) error { return d.reserve(tx, &l.Message, l.Parts(), l.Final) })
	}
	if errors.As(err, &refused) {
		return fmt.Errorf("%w: %w", refused, outbox.ErrPermanent)
	}
	return err
}

// failed tells of a message that will not be tried again.
func (d *Desk) failed(ctx context.Context, key string, err error) error {
	if !errors.Is(err, outbox.ErrPermanent) {
		return err
	}
	r := Receipt{Key: key, State: tandem.MessageFailed, Error: err.Error(), At: d.o.Now().UTC()}
	if err := d.mark(ctx, key, r); err != nil {
		return fmt.Errorf("noting that a text failed: %w", err)
	}
	return err
}

// taken looks whether a gateway took a message before, and how far it has come.
func (d *Desk) taken(ctx context.Context, key string) (r Receipt, known bool, err error) {
	err = d.o.Database.View(ctx, func(tx store.Tx) (err error) {
		known, err = tx.One("SELECT id, state, error, at FROM sms_out WHERE key = ? AND key != '' ORDER BY at DESC", func(row store.Row) {
			r = Receipt{ID: row.Text(0), Key: key, State: tandem.MessageState(row.Text(1)), Error: row.Text(2), At: row.Time(3)}
		}, key)
		return err
	})
	return r, known, err
}

// handedOver notes what a gateway took. That it did cannot be undone: if it cannot be
// noted it is not sent again all the same, and only its receipts will not be known.
func (d *Desk) handedOver(ctx context.Context, gateway, id string, l *letter) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleFor)
	defer cancel()
	sent := Receipt{ID: id, Key: l.Key, State: tandem.MessageSent, At: d.o.Now().UTC()}
	var early Receipt
	err := d.o.Database.Update(ctx, func(tx store.Tx) error {
		var err error
		early, err = d.note(tx, gateway, &sent)
		return err
	})
	if err != nil {
		d.o.Log.Error("a gateway took a text, but that could not be noted: its receipts will not be known", "gateway", gateway, "key", l.Key, "error", err)
	}
	if err := d.mark(ctx, l.Key, sent); err != nil {
		return err
	}
	if early.State.After(sent.State) {
		return d.mark(ctx, l.Key, early)
	}
	return nil
}

// mark tells how far a message has come. Our own answers to STOP are nobody's messages.
func (d *Desk) mark(ctx context.Context, key string, r Receipt) error {
	if strings.HasPrefix(key, answerPrefix) {
		return nil
	}
	return d.o.Marked(ctx, key, r)
}

// note keeps the provider's id of a message. A receipt may have been faster: early is
// what it said.
func (d *Desk) note(tx store.Tx, gateway string, sent *Receipt) (early Receipt, err error) {
	known, err := tx.One("SELECT state, error, at FROM sms_out WHERE gateway = ? AND id = ?", func(row store.Row) {
		early = Receipt{ID: sent.ID, Key: sent.Key, State: tandem.MessageState(row.Text(0)), Error: row.Text(1), At: row.Time(2)}
	}, gateway, sent.ID)
	if err != nil {
		return early, err
	}
	if known {
		_, err = tx.Exec("UPDATE sms_out SET key = ? WHERE gateway = ? AND id = ?", sent.Key, gateway, sent.ID)
		return early, err
	}
	_, err = tx.Exec("INSERT INTO sms_out (gateway, id, key, state, at) VALUES (?, ?, ?, ?, ?)",
		gateway, sent.ID, sent.Key, string(sent.State), sent.At.UnixNano())
	return early, err
}

// stoppedThere keeps that a provider refuses texts to a person.
func (d *Desk) stoppedThere(ctx context.Context, l *letter) error {
	to, _ := Normal(l.To)
	s := Stop{Ours: l.From, Theirs: to, On: true, At: d.o.Now().UTC()}
	return d.o.Database.Update(ctx, func(tx store.Tx) error { return d.setStop(tx, s) })
}

// receipt takes what a gateway says of a message: in any order, and as often as it likes.
func (d *Desk) receipt(ctx context.Context, gateway string, r *Receipt) error {
	if r.ID == "" || len(r.ID) > maxID || len(r.Key) > maxKey {
		return reject("malformed", 400, "the receipt has no id, or one that is too long")
	}
	if r.At.IsZero() {
		r.At = d.o.Now().UTC()
	}
	var key string
	var state tandem.MessageState
	look := func(tx store.Tx) (bool, error) {
		return tx.One("SELECT key, state FROM sms_out WHERE gateway = ? AND id = ?", func(row store.Row) {
			key, state = row.Text(0), tandem.MessageState(row.Text(1))
		}, gateway, r.ID)
	}
	if err := d.o.Database.View(ctx, func(tx store.Tx) error { _, err := look(tx); return err }); err != nil {
		return err
	}
	if state != "" && !r.State.After(state) {
		return nil
	}
	if key == "" && r.Key != "" && d.isOurs(ctx, r.Key) {
		key = r.Key
	}
	if key != "" {
		r.Key = key
		// Before it is noted here, so that a crash between brings it again.
		if err := d.mark(ctx, key, *r); err != nil {
			return err
		}
	}
	late, now := false, d.o.Now()
	err := d.o.Database.Update(ctx, func(tx store.Tx) error {
		marked := key
		known, err := look(tx)
		switch {
		case err != nil:
			return err
		case !known:
			_, err = tx.Exec("INSERT INTO sms_out (gateway, id, key, state, error, at) VALUES (?, ?, ?, ?, ?, ?)",
				gateway, r.ID, marked, string(r.State), r.Error, now.UnixNano())
			key = marked
			return err
		case !r.State.After(state):
			return nil
		}
		late = marked == "" && key != "" // Send returned its id meanwhile
		key = cmp.Or(key, marked)
		_, err = tx.Exec("UPDATE sms_out SET key = ?, state = ?, error = ?, at = ? WHERE gateway = ? AND id = ?",
			key, string(r.State), r.Error, now.UnixNano(), gateway, r.ID)
		return err
	})
	if err == nil && late {
		r.Key = key
		err = d.mark(ctx, key, *r)
	}
	return err
}

// isOurs reports whether a key that a gateway hands back is of a text that was counted.
func (d *Desk) isOurs(ctx context.Context, key string) (known bool) {
	err := d.o.Database.View(ctx, func(tx store.Tx) (err error) {
		known, err = isCounted(tx, key)
		return err
	})
	return err == nil && known
}

// isCounted reports whether a message was counted towards the caps.
func isCounted(tx store.Tx, key string) (bool, error) {
	return tx.One("SELECT 1 FROM sms_sent WHERE key = ?", func(store.Row) {}, key)
}

// sweep forgets what is old, now and then.
func (d *Desk) sweep(ctx context.Context, now time.Time) {
	d.mu.Lock()
	due := now.Sub(d.swept) >= sweepEvery
	if due {
		d.swept = now
	}
	d.mu.Unlock()
	if !due {
		return
	}
	err := d.o.Database.Update(ctx, func(tx store.Tx) error {
		for _, s := range []struct {
			query string
			until int64
		}{
			{"DELETE FROM sms_sent WHERE no IN (SELECT no FROM sms_sent WHERE at < ? ORDER BY at LIMIT ?)", now.Add(-keepSent).UnixNano()},
			{"DELETE FROM sms_spent WHERE span IN (SELECT span FROM sms_spent WHERE span < ? LIMIT ?)", span(now.Add(-keepSent))},
			{"DELETE FROM sms_out WHERE (gateway, id) IN (SELECT gateway, id FROM sms_out WHERE at < ? ORDER BY at LIMIT ?)", now.Add(-keepOut).UnixNano()},
			{"DELETE FROM sms_out WHERE (gateway, id) IN (SELECT gateway, id FROM sms_out WHERE key = '' AND at < ? LIMIT ?)", now.Add(-keepEarly).UnixNano()},
			{"DELETE FROM sms_seen WHERE (gateway, id) IN (SELECT gateway, id FROM sms_seen WHERE at < ? ORDER BY at LIMIT ?)", now.Add(-keepSeen).UnixNano()},
		} {
			if _, err := tx.Exec(s.query, s.until, sweepMost); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil && ctx.Err() == nil {
		d.o.Log.Warn("old records of texts cannot be removed now", "error", err)
	}
}
