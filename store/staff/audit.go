package staff

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"tandem/store"
)

// Actor is who does something, and from where.
type Actor struct {
	Name   string // a user's name, or "operator NAME" of the system for a command
	Source string // the address a request came from, or "command"
}

// Entry is one line of the audit log.
type Entry struct {
	N      int64     `json:"n"` // from 1 without gaps
	At     time.Time `json:"at"`
	Actor  string    `json:"actor"`
	Action string    `json:"action"` // such as login, user.add, flow.publish
	Object string    `json:"object"` // what it was done to
	Detail string    `json:"detail"`
	Source string    `json:"source"`
}

const (
	maxAuditText = 1000 // bytes of one text of an entry; more is cut
	maxEntries   = 500  // of one page
)

// Record adds an entry: it is durable when Record returns nil. Never give it a
// password, a code or a token.
func (r *Register) Record(ctx context.Context, by Actor, action, object, detail string) error {
	err := r.db.Update(ctx, func(tx store.Tx) error { return r.record(tx, by, action, object, detail) })
	if err != nil {
		return fmt.Errorf("writing the audit log: %w", err)
	}
	return nil
}

// record adds an entry within a change, so that there is never one without the other.
func (r *Register) record(tx store.Tx, by Actor, action, object, detail string) error {
	e := Entry{N: 1, At: r.now().UTC(), Actor: cut(by.Name), Action: cut(action), Object: cut(object), Detail: cut(detail), Source: cut(by.Source)}
	var before []byte
	_, err := tx.One("SELECT n, hash FROM staff_audit ORDER BY n DESC LIMIT 1", func(row store.Row) { e.N, before = row.Int(0)+1, row.Bytes(1) })
	if err != nil {
		return err
	}
	hash := r.chain(before, e)
	_, err = tx.Insert("INSERT INTO staff_audit (n, at, actor, action, object, detail, source, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		e.N, e.At, e.Actor, e.Action, e.Object, e.Detail, e.Source, hash)
	if err != nil {
		return err
	}
	_, err = tx.Exec("INSERT OR REPLACE INTO meta VALUES ('staff_audit', ?)", r.end(e.N, hash))
	return err
}

// chain is an entry's hash. It is keyed, so that who can change the database but does
// not have the master key cannot make a log that verifies.
func (r *Register) chain(before []byte, e Entry) []byte {
	b := binary.BigEndian.AppendUint16(nil, uint16(len(before)))
	b = append(b, before...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.N))
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixNano()))
	for _, s := range []string{e.Actor, e.Action, e.Object, e.Detail, e.Source} {
		b = binary.BigEndian.AppendUint16(b, uint16(len(s)))
		b = append(b, s...)
	}
	return r.keys.Blind("staff audit 1", string(b))
}

// end says which entry is the last, so that none can be taken off unseen.
func (r *Register) end(n int64, hash []byte) []byte {
	return r.keys.Blind("staff audit end 1", fmt.Sprintf("%d %x", n, hash))
}

// cut keeps a text within bounds, and valid.
func cut(s string) string {
	if len(s) > maxAuditText {
		s = s[:maxAuditText]
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// Entries returns a page of the log, the newest first: those before entry number
// before, or the last ones if it is 0.
func (r *Register) Entries(ctx context.Context, before int64, limit int) ([]Entry, error) {
	if before <= 0 {
		before = 1<<63 - 1
	}
	out := []Entry{}
	err := r.db.View(ctx, func(tx store.Tx) error {
		return tx.Each("SELECT n, at, actor, action, object, detail, source FROM staff_audit WHERE n < ? ORDER BY n DESC LIMIT ?", func(row store.Row) error {
			out = append(out, entryRow(row))
			return nil
		}, before, max(1, min(limit, maxEntries)))
	})
	if err != nil {
		return nil, fmt.Errorf("reading the audit log: %w", err)
	}
	return out, nil
}

func entryRow(row store.Row) Entry {
	return Entry{N: row.Int(0), At: row.Time(1), Actor: row.Text(2), Action: row.Text(3), Object: row.Text(4), Detail: row.Text(5), Source: row.Text(6)}
}

// Verify recomputes the whole log. finding is a sentence that says what is wrong, ""
// if nothing is: every entry stands as it was written, and none is missing.
func (r *Register) Verify(ctx context.Context) (entries int64, finding string, err error) {
	var before, last []byte
	var users int64
	err = r.db.View(ctx, func(tx store.Tx) error {
		err := tx.Each("SELECT n, at, actor, action, object, detail, source, hash FROM staff_audit ORDER BY n", func(row store.Row) error {
			if finding != "" {
				return nil
			}
			e, hash := entryRow(row), row.Bytes(7)
			entries++
			switch {
			case e.N != entries:
				finding = fmt.Sprintf("entry %d of the audit log is missing", entries)
			case !bytes.Equal(hash, r.chain(before, e)):
				finding = fmt.Sprintf("entry %d of the audit log is not as it was written", e.N)
			}
			before = hash
			return nil
		})
		if err != nil {
			return err
		}
		if _, err = tx.One("SELECT value FROM meta WHERE name = 'staff_audit'", func(row store.Row) { last = row.Bytes(0) }); err != nil {
			return err
		}
		_, err = tx.One("SELECT count(*) FROM staff_user", func(row store.Row) { users = row.Int(0) })
		return err
	})
	if err != nil {
		return 0, "", fmt.Errorf("verifying the audit log: %w", err)
	}
	if finding == "" && (entries > 0 || users > 0 || last != nil) && !bytes.Equal(last, r.end(entries, before)) {
		finding = fmt.Sprintf("the audit log ends with entry %d, which is not where it ended when it was written", entries)
	}
	return entries, finding, nil
}
