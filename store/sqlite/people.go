package sqlite

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"tandem"
	"tandem/store"
)

// person lists the numbers of all customers who are the same person as the one with an
// id, that one among them.
const person = `WITH RECURSIVE p(no) AS (SELECT no FROM customer WHERE id = ?
	UNION SELECT m.target FROM p JOIN customer_merge m ON m.source = p.no AND m.undone = 0
	UNION SELECT m.source FROM p JOIN customer_merge m ON m.target = p.no AND m.undone = 0)
	SELECT no FROM p`

// customerRow is what the writer needs to know of a customer.
type customerRow struct {
	no  int64
	id  tandem.CustomerID
	key *store.Key
}

// changePerson does what a change says about who somebody is.
func (w *writer) changePerson(in *entry, c *store.Change, now time.Time) error {
	if c.Unbind != nil {
		if err := w.unbind(*c.Unbind, now); err != nil {
			return err
		}
	}
	if c.Bind != nil {
		to := c.Bind.Customer
		if to == "" {
			to = in.customerID
		}
		if err := w.bind(to, c.Bind, now); err != nil {
			return err
		}
	}
	switch {
	case c.Merge == nil:
		return nil
	case c.Merge.Undo:
		return w.unmerge(c.Merge, now)
	}
	return w.merge(c.Merge, now)
}

// living finds a customer who is not erased.
func (w *writer) living(id tandem.CustomerID) (r customerRow, err error) {
	var keyErr error
	found, err := w.c.one("SELECT no, key FROM customer WHERE id = ?", func(row []driver.Value) {
		r = customerRow{no: asInt(row[0]), id: id}
		r.key, keyErr = w.db.keys.get(r.no, string(id), asBytes(row[1]))
	}, string(id))
	switch {
	case err != nil || keyErr != nil:
		return r, errors.Join(err, keyErr)
	case !found:
		return r, fmt.Errorf("customer %s: %w", id, store.ErrNotFound)
	case r.key == nil:
		return r, fmt.Errorf("customer %s: %w", id, store.ErrErased)
	}
	return r, nil
}

// bind closes the tie an identity has and makes a new one, which knows the old. A tie
// to the same customer that was checked before is only checked again.
func (w *writer) bind(to tandem.CustomerID, b *tandem.Binding, now time.Time) error {
	customer, err := w.living(to)
	if err != nil {
		return err
	}
	hidden := blind(w.db.o.Keys, b.Identity)
	var old, had, checked int64
	if _, err := w.c.one("SELECT no, customer, checked FROM identity WHERE blind = ? AND until = 0", func(row []driver.Value) {
		old, had, checked = asInt(row[0]), asInt(row[1]), asInt(row[2])
	}, hidden); err != nil {
		return err
	}
	if had == customer.no && (checked != 0 || b.Checked.IsZero()) {
		_, err := w.c.exec("UPDATE identity SET checked = max(checked, ?) WHERE no = ?", b.Checked, old)
		return err
	}
	if _, err := w.c.exec("UPDATE identity SET until = ? WHERE no = ?", now, old); err != nil {
		return err
	}
	value, err := customer.key.Seal(w.random, []byte(b.Identity.Value), []byte("identity"))
	if err != nil {
		return err
	}
	_, err = w.c.exec("INSERT INTO identity (blind, customer, kind, value, since, checked, before) VALUES (?, ?, ?, ?, ?, ?, ?)",
		hidden, customer.no, string(b.Identity.Kind), value, now, b.Checked, old)
	return err
}

// unbind closes the tie an identity has and opens the one before again, unless that
// customer was erased since.
func (w *writer) unbind(i tandem.Identity, now time.Time) error {
	hidden := blind(w.db.o.Keys, i)
	var no, before int64
	found, err := w.c.one("SELECT no, before FROM identity WHERE blind = ? AND until = 0", func(row []driver.Value) {
		no, before = asInt(row[0]), asInt(row[1])
	}, hidden)
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("a binding of this %s: %w", i.Kind, store.ErrNotFound)
	}
	if _, err := w.c.exec("UPDATE identity SET until = ? WHERE no = ?", now, no); err != nil {
		return err
	}
	_, err = w.c.exec("UPDATE identity SET until = 0 WHERE no = ? AND blind = ?", before, hidden)
	return err
}

func (w *writer) merge(m *store.Merge, now time.Time) error {
	from, err := w.living(m.From)
	if err != nil {
		return err
	}
	into, err := w.living(m.Into)
	if err != nil {
		return err
	}
	same, err := w.c.one("SELECT 1 FROM ("+person+") WHERE no = ?", func([]driver.Value) {}, string(m.From), into.no)
	if err != nil {
		return err
	}
	taken, err := w.c.one("SELECT 1 FROM customer_merge WHERE source = ? AND undone = 0", func([]driver.Value) {}, from.no)
	if err != nil {
		return err
	}
	if same || taken {
		return fmt.Errorf("customer %s is merged already, undo that first: %w", m.From, store.ErrInvalid)
	}
	_, err = w.c.exec("INSERT INTO customer_merge (source, target, at) VALUES (?, ?, ?)", from.no, into.no, now)
	return err
}

func (w *writer) unmerge(m *store.Merge, now time.Time) error {
	n, err := w.c.exec(`UPDATE customer_merge SET undone = ? WHERE undone = 0 AND source = (SELECT no FROM customer WHERE id = ?)
		AND target = (SELECT no FROM customer WHERE id = ?)`, now, string(m.From), string(m.Into))
	if err == nil && n == 0 {
		return fmt.Errorf("customer %s is not merged into %s: %w", m.From, m.Into, store.ErrNotFound)
	}
	return err
}

// CustomerOf finds who has an identity now; found is false if nobody does.
func (db *DB) CustomerOf(ctx context.Context, i tandem.Identity) (b tandem.Binding, found bool, err error) {
	err = db.each(ctx, db.pool, `SELECT c.id, i.since, i.checked, coalesce(f.id, '') FROM identity i JOIN customer c ON c.no = i.customer
		LEFT JOIN identity b ON b.no = i.before LEFT JOIN customer f ON f.no = b.customer WHERE i.blind = ? AND i.until = 0`,
		func(row []driver.Value) error {
			found = true
			b = tandem.Binding{Customer: tandem.CustomerID(asText(row[0])), Identity: i, Since: fromNanos(asInt(row[1])), Checked: fromNanos(asInt(row[2])),
				From: tandem.CustomerID(asText(row[3]))}
			return nil
		}, blind(db.o.Keys, i))
	if err != nil {
		return b, false, fmt.Errorf("looking for a customer by %s: %w", i.Kind, err)
	}
	return b, found, nil
}

// Identities lists by what a person is reached now, of all customers merged with this
// one, in the order they were bound. An erased person has none.
func (db *DB) Identities(ctx context.Context, customer tandem.CustomerID) ([]tandem.Binding, error) {
	var out []tandem.Binding
	err := db.each(ctx, db.pool, `SELECT c.no, c.id, c.key, i.kind, i.value, i.since, i.checked FROM identity i JOIN customer c ON c.no = i.customer
		WHERE i.until = 0 AND i.customer IN (`+person+`) ORDER BY i.no`, func(row []driver.Value) error {
		b := tandem.Binding{Customer: tandem.CustomerID(asText(row[1])), Since: fromNanos(asInt(row[5])), Checked: fromNanos(asInt(row[6]))}
		key, err := db.keys.get(asInt(row[0]), string(b.Customer), asBytes(row[2]))
		if err != nil || key == nil {
			return err
		}
		value, err := key.Open(asBytes(row[4]), []byte("identity"))
		b.Identity = tandem.Identity{Kind: tandem.IdentityKind(asText(row[3])), Value: string(value)}
		out = append(out, b)
		return err
	}, string(customer))
	if err != nil {
		return nil, fmt.Errorf("reading identities of customer %s: %w", customer, err)
	}
	return out, nil
}

// Person lists all customers who are the same person as this one, it among them; the one
// the others are merged into comes first. An unknown customer gives none.
func (db *DB) Person(ctx context.Context, customer tandem.CustomerID) ([]tandem.CustomerID, error) {
	var out []tandem.CustomerID
	err := db.each(ctx, db.pool, `SELECT c.id FROM customer c WHERE c.no IN (`+person+`)
		ORDER BY EXISTS (SELECT 1 FROM customer_merge WHERE source = c.no AND undone = 0), c.no`, func(row []driver.Value) error {
		out = append(out, tandem.CustomerID(asText(row[0])))
		return nil
	}, string(customer))
	if err != nil {
		return nil, fmt.Errorf("reading who customer %s is: %w", customer, err)
	}
	return out, nil
}
