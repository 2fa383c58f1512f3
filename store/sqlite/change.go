package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/mattn/go-sqlite3"

	"tandem"
	"tandem/store"
)

// Commit writes a change, all of it or nothing; it is durable when Commit returns nil.
// It fills in the customer of a new interaction and the numbers of the events; the state
// of an interaction is worked out, see running. Errors to branch on: store.ErrDuplicate,
// ErrNumberTaken, ErrNotFound, ErrInvalid, ErrErased, ErrUnavailable.
func (db *DB) Commit(ctx context.Context, c *store.Change) error { return db.CommitAll(ctx, c) }

// CommitAll writes several changes in their order and in one transaction: all of all of
// them, or nothing. Each is written as Commit does, and sees those before it. The error is
// that of the first that fails.
func (db *DB) CommitAll(ctx context.Context, changes ...*store.Change) error {
	of := make([]tandem.InteractionID, len(changes))
	for i, c := range changes {
		var err error
		if of[i], err = check(c); err != nil {
			return err
		}
		if len(c.Blobs) > 0 && db.o.Blobs == nil {
			return fmt.Errorf("objects without a folder to keep them: %w", store.ErrInvalid)
		}
	}
	customers := make([]tandem.CustomerID, len(changes)) // as they are to be when this returns
	for i, c := range changes {
		if c.Interaction != nil {
			customers[i] = c.Interaction.Customer
		}
	}
	made := make([]tandem.CustomerID, len(changes))
	err := db.write(ctx, func(w *writer) error {
		for i, c := range changes {
			in, err := w.apply(of[i], c)
			if err != nil {
				return err
			}
			if c.Interaction != nil {
				made[i] = in.customerID
			}
		}
		return nil
	})
	if err == nil {
		customers = made
	}
	for i, c := range changes {
		if c.Interaction != nil {
			c.Interaction.Customer = customers[i]
		}
	}
	return err
}

// check finds the one interaction a change is about ("" = none) and refuses a change
// that does not fit together.
func check(c *store.Change) (tandem.InteractionID, error) {
	var id tandem.InteractionID
	var err error
	about := func(what string, of tandem.InteractionID) {
		if id == "" {
			id = of
		}
		if err == nil && (of == "" || of != id) {
			err = fmt.Errorf("%s of interaction %q in a change of %q: %w", what, of, id, store.ErrInvalid)
		}
	}
	if c.Of != "" {
		about("session", c.Of)
	}
	if c.Interaction != nil {
		about("record", c.Interaction.ID)
		if c.Interaction.Started.IsZero() {
			err = fmt.Errorf("interaction %s without a start: %w", c.Interaction.ID, store.ErrInvalid)
		}
	}
	for i := range c.Events {
		about("event", c.Events[i].Interaction)
		err = errors.Join(err, checkEvent(&c.Events[i]))
	}
	for i := range c.Legs {
		about("leg", c.Legs[i].Interaction)
	}
	for i := range c.Tasks {
		about("task", c.Tasks[i].Interaction)
	}
	for i := range c.Blobs {
		about("object", c.Blobs[i].Interaction)
	}
	if c.Check != nil {
		about("check", c.Check.Interaction)
	}
	if err == nil && c.EndSession && (c.Session != nil || !c.Park.IsZero()) {
		err = fmt.Errorf("a session that is kept and destroyed: %w", store.ErrInvalid)
	}
	if err == nil && id == "" && (c.Session != nil || c.EndSession || c.Caller != nil || !c.Park.IsZero() || c.Bind != nil && c.Bind.Customer == "") {
		err = fmt.Errorf("a session or caller without an interaction: %w", store.ErrInvalid)
	}
	return id, err
}

func checkEvent(e *tandem.Event) error {
	if e.At.IsZero() || e.Kind == "" || max(len(e.Kind), len(e.Leg), len(e.Actor), len(e.Interaction)) > math.MaxUint16 {
		return fmt.Errorf("event %q of interaction %s without a time or kind, or with a text too long: %w", e.Kind, e.Interaction, store.ErrInvalid)
	}
	return nil
}

// apply writes a change inside the transaction.
func (w *writer) apply(id tandem.InteractionID, c *store.Change) (_ *entry, err error) {
	now := w.db.o.Now()
	if c.Key != "" {
		n, err := w.c.exec("INSERT OR IGNORE INTO done (key, at) VALUES (?, ?)", w.db.o.Keys.Blind("done", c.Key), now)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, store.ErrDuplicate
		}
	}
	var in *entry
	if id != "" {
		var err error
		if in, err = w.target(id, c, now); err != nil {
			return nil, err
		}
		if c.Living && in.key == nil {
			return nil, fmt.Errorf("interaction %s: %w", id, store.ErrErased)
		}
	}
	for i := range c.Legs {
		if err := w.saveLeg(in, &c.Legs[i]); err != nil {
			return nil, err
		}
	}
	for i := range c.Events {
		if err := w.append(in, &c.Events[i]); err != nil {
			return nil, err
		}
	}
	for i := range c.Tasks {
		if err := w.saveTask(in, &c.Tasks[i]); err != nil {
			return nil, err
		}
	}
	if in != nil && in.tasks && (c.Interaction != nil || len(c.Tasks) > 0) {
		if err := w.restate(in); err != nil {
			return nil, err
		}
	}
	for i := range c.Blobs {
		if err := w.saveBlob(in, &c.Blobs[i], c.Events); err != nil {
			return nil, err
		}
	}
	if c.Check != nil {
		if err := w.saveCheck(in, c.Check); err != nil {
			return nil, err
		}
	}
	if in != nil {
		if err := w.letters(in, c.Events, c.Tasks, now); err != nil {
			return nil, err
		}
	}
	for i := range c.Outbox {
		if err := w.post(in, &c.Outbox[i], now); err != nil {
			return nil, err
		}
	}
	if err := w.changeSession(in, id, c); err != nil {
		return nil, err
	}
	if err := w.changePerson(in, c, now); err != nil {
		return nil, err
	}
	if c.With == nil {
		return in, nil
	}
	if c.Interaction != nil {
		was := c.Interaction.Customer
		c.Interaction.Customer = in.customerID
		defer func() { // a customer made with a change that fails is none
			if err != nil {
				c.Interaction.Customer = was
			}
		}()
	}
	if err := c.With(writeTx{w.c}); err != nil {
		return nil, err
	}
	return in, nil
}

// target finds, makes or updates the interaction a change is about.
func (w *writer) target(id tandem.InteractionID, c *store.Change, now time.Time) (*entry, error) {
	in, err := w.entry(id)
	switch {
	case err == nil && c.Interaction == nil:
		return in, nil
	case err == nil:
		return in, w.updateInteraction(in, c.Interaction)
	case errors.Is(err, store.ErrNotFound) && c.Interaction != nil:
		return w.newInteraction(c, now)
	}
	return nil, err
}

func (w *writer) updateInteraction(in *entry, i *tandem.Interaction) error {
	w.touched = true
	state, ended := running(i, w.db.o.Now())
	in.open, in.number = ended.IsZero(), i.Number
	_, err := w.c.exec(`UPDATE interaction SET number = ?, entry = ?, flow = ?, flow_hash = ?, lang = ?, state = ?, started = ?, ended = ?, outcome = ? WHERE no = ?`,
		textOrNull(string(i.Number)), i.Entry, i.Flow, i.FlowHash, i.Lang, string(state), i.Started, ended, i.Outcome, in.no)
	return numberTaken(err)
}

func (w *writer) newInteraction(c *store.Change, now time.Time) (*entry, error) {
	i := c.Interaction
	if len(c.Events) == 0 {
		return nil, fmt.Errorf("new interaction %s without an event: %w", i.ID, store.ErrInvalid)
	}
	state, ended := running(i, now)
	in := &entry{open: ended.IsZero(), number: i.Number}
	if err := w.customer(in, i.Customer, c.Caller, now); err != nil {
		return nil, err
	}
	var err error
	in.no, err = w.c.insert(`INSERT INTO interaction (id, number, customer, entry, flow, flow_hash, lang, state, started, ended, outcome)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		string(i.ID), textOrNull(string(i.Number)), in.customer, i.Entry, i.Flow, i.FlowHash, i.Lang, string(state), i.Started, ended, i.Outcome)
	if err != nil {
		return nil, numberTaken(err)
	}
	w.touched = true
	w.entries.put(i.ID, in)
	return in, nil
}

func numberTaken(err error) error {
	var e sqlite3.Error
	if errors.As(err, &e) && e.ExtendedCode == sqlite3.ErrConstraintUnique && strings.Contains(e.Error(), "interaction.number") {
		return store.ErrNumberTaken
	}
	return err
}

// customer finds who an interaction is with, by id or by identity, or makes one.
func (w *writer) customer(in *entry, id tandem.CustomerID, caller *tandem.Identity, now time.Time) error {
	var hidden []byte
	query, arg := "", any(nil)
	switch {
	case id != "":
		query, arg = "SELECT no, id, key FROM customer WHERE id = ?", string(id)
	case caller != nil:
		hidden = blind(w.db.o.Keys, *caller)
		query, arg = "SELECT c.no, c.id, c.key FROM identity i JOIN customer c ON c.no = i.customer WHERE i.blind = ? AND i.until = 0", hidden
	}
	if query != "" {
		var wrapped []byte
		found, err := w.c.one(query, func(row []driver.Value) {
			in.customer, in.customerID, wrapped = asInt(row[0]), tandem.CustomerID(asText(row[1])), asBytes(row[2])
		}, arg)
		if err != nil {
			return err
		}
		if found && wrapped == nil {
			return fmt.Errorf("customer %s: %w", in.customerID, store.ErrErased)
		}
		if found {
			in.key, err = w.db.keys.get(in.customer, string(in.customerID), wrapped)
			return err
		}
		if id != "" {
			return fmt.Errorf("customer %s: %w", id, store.ErrNotFound)
		}
	}
	return w.newCustomer(in, caller, hidden, now)
}

// blind is what an identity is looked up by.
func blind(keys *store.Keyring, i tandem.Identity) []byte {
	return keys.Blind("identity "+string(i.Kind), i.Value)
}

func (w *writer) newCustomer(in *entry, caller *tandem.Identity, hidden []byte, now time.Time) error {
	var raw [store.KeySize]byte
	if _, err := io.ReadFull(w.random, raw[:]); err != nil {
		return fmt.Errorf("drawing a customer's key: %w", err)
	}
	defer clear(raw[:])
	in.customerID = tandem.NewID[tandem.CustomerID](now, w.random)
	wrapped, err := w.db.o.Keys.WrapKey(w.random, raw[:], string(in.customerID))
	if err != nil {
		return err
	}
	in.customer, err = w.c.insert("INSERT INTO customer (id, key, created) VALUES (?, ?, ?)", string(in.customerID), wrapped, now)
	if err != nil {
		return err
	}
	w.touched = true
	if in.key, err = w.db.keys.get(in.customer, string(in.customerID), wrapped); err != nil || caller == nil {
		return err
	}
	value, err := in.key.Seal(w.random, []byte(caller.Value), []byte("identity"))
	if err != nil {
		return err
	}
	_, err = w.c.exec("INSERT INTO identity (blind, customer, kind, value, since) VALUES (?, ?, ?, ?, ?)",
		hidden, in.customer, string(caller.Kind), value, now)
	return err
}

// saveLeg makes or updates a leg. Its addresses are sealed as one text.
func (w *writer) saveLeg(in *entry, l *tandem.Leg) error {
	var parties []byte
	if in.key != nil {
		var err error
		if parties, err = in.key.Seal(w.random, []byte(l.From+"\x00"+l.To), []byte("leg "+l.ID)); err != nil {
			return err
		}
	}
	n, err := w.c.exec(`INSERT INTO leg (id, interaction, kind, inbound, role, parties, assurance, assurance_until, started, answered, ended, ended_by, class, reason, sip)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, inbound = excluded.inbound, role = excluded.role, parties = excluded.parties,
			assurance = excluded.assurance, assurance_until = excluded.assurance_until, started = excluded.started, answered = excluded.answered,
			ended = excluded.ended, ended_by = excluded.ended_by, class = excluded.class, reason = excluded.reason, sip = excluded.sip
		WHERE leg.interaction = excluded.interaction`,
		string(l.ID), in.no, string(l.Kind), l.Inbound, string(l.Role), parties, int(l.Assurance), l.AssuranceUntil, l.Started, l.Answered, l.Ended,
		string(l.Termination.By), string(l.Termination.Class), string(l.Termination.Reason), l.Termination.SIP)
	if err == nil && n == 0 {
		return fmt.Errorf("leg %s belongs to another interaction: %w", l.ID, store.ErrInvalid)
	}
	return err
}

// saveBlob keeps an object's record, or brings that of one that was open up to date; of one
// that came to nothing there is none. That of
// an erased customer is kept without its key, so that the object is noise, and is swept at
// the next start.
func (w *writer) saveBlob(in *entry, b *store.BlobRef, events []tandem.Event) error {
	if b.Key == nil && !b.Open {
		_, err := w.c.exec("DELETE FROM blob WHERE id = ? AND open <> 0 AND interaction = ?", string(b.ID), in.no)
		return err
	}
	var key []byte
	if in.key != nil {
		var err error
		if key, err = in.key.Seal(w.random, b.Key, []byte("blob "+b.ID)); err != nil {
			return err
		}
	}
	n, err := w.c.exec(`INSERT INTO blob (id, interaction, media_type, size, sha256, key, made, class, open, until) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET size = excluded.size, sha256 = excluded.sha256, open = excluded.open
		WHERE blob.open <> 0 AND blob.interaction = excluded.interaction`,
		string(b.ID), in.no, b.MediaType, b.Size, append([]byte{}, b.SHA256...), key, b.Made, classOf(b, events), b.Open, b.Until)
	if err == nil && n == 0 {
		return fmt.Errorf("object %s is there, and is not open: %w", b.ID, store.ErrInvalid)
	}
	return err
}

// classOf is what an object is kept as: by what it says itself, or by the events that come
// with it.
func classOf(b *store.BlobRef, events []tandem.Event) string {
	voicemail := func(e tandem.Event) bool { return e.Kind == tandem.EventVoicemail }
	switch {
	case b.Class != "":
		return b.Class
	case strings.HasPrefix(b.MediaType, "image/"):
		return store.ClassPicture
	case slices.ContainsFunc(events, voicemail):
		return store.ClassVoicemail
	}
	return store.ClassRecording
}

func textOrNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
