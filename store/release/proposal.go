package release

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"tandem"
	"tandem/store"
)

const (
	maxOpen     = 200  // open proposals; more are refused
	keepDecided = 1000 // of the newest decided ones
)

// State is where a proposal is in its life.
type State string

const (
	StateOpen      State = "open"
	StatePublished State = "published"
	StateRefused   State = "refused"
)

// Proposal is a change to one file that somebody wants published.
type Proposal struct {
	ID      int       `json:"id"`
	File    string    `json:"file"`
	Flow    string    `json:"flow"` // that the file is about; "" = none
	Base    string    `json:"-"`    // TextHash of the file it changes; "" = there is none yet
	By      string    `json:"by"`
	At      time.Time `json:"at"`
	Note    string    `json:"note"`
	State   State     `json:"state"`
	Release int       `json:"number,omitempty"` // that it was published with
	Decided time.Time `json:"decided_at,omitzero"`
	Decider string    `json:"decided_by,omitempty"`
	Why     string    `json:"why,omitempty"` // it was refused
}

// Propose keeps a new open proposal, the text it wants and the one it changes (nil =
// there is none yet), and returns it with its number, base and time. Old decided ones
// are dropped; too many open ones are refused with code conflict.
func (s *Store) Propose(ctx context.Context, p Proposal, data, base []byte) (Proposal, error) {
	p.State, p.At, p.Base = StateOpen, s.now().UTC(), ""
	t, err := pack(data)
	if err != nil {
		return p, fmt.Errorf("keeping a proposal: %w", err)
	}
	var before text
	if base != nil {
		if before, err = pack(base); err != nil {
			return p, fmt.Errorf("keeping a proposal: %w", err)
		}
		p.Base = hex.EncodeToString(before.hash)
	}
	err = s.db.Update(ctx, func(tx store.Tx) error {
		open := 0
		if _, err := tx.One("SELECT count(*) FROM proposal WHERE state = ?", func(row store.Row) { open = int(row.Int(0)) }, string(StateOpen)); err != nil {
			return err
		}
		if open >= maxOpen {
			return tandem.Errorf(tandem.CodeConflict, "there are %d open proposals; publish or refuse some first", open)
		}
		if err := putText(tx, t); err != nil {
			return err
		}
		if base != nil {
			if err := putText(tx, before); err != nil {
				return err
			}
		}
		no, err := tx.Insert(`INSERT INTO proposal (file, flow, base, text, by, at, note, state, decided, decider, why, release)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, '', '', 0)`, p.File, p.Flow, before.hash, t.hash, p.By, p.At, p.Note, string(p.State))
		if err != nil {
			return err
		}
		p.ID = int(no)
		n, err := tx.Exec(`DELETE FROM proposal WHERE state <> ? AND id <= (
			SELECT id FROM proposal WHERE state <> ? ORDER BY id DESC LIMIT 1 OFFSET ?)`, string(StateOpen), string(StateOpen), keepDecided)
		if err != nil || n == 0 {
			return err
		}
		return sweep(tx)
	})
	if err != nil {
		return p, fmt.Errorf("keeping a proposal: %w", err)
	}
	return p, nil
}

const proposalColumns = "p.id, p.file, p.flow, p.base, p.by, p.at, p.note, p.state, p.decided, p.decider, p.why, p.release"

func proposalOf(row store.Row) Proposal {
	return Proposal{ID: int(row.Int(0)), File: row.Text(1), Flow: row.Text(2), Base: hex.EncodeToString(row.Bytes(3)), By: row.Text(4), At: row.Time(5), Note: row.Text(6),
		State: State(row.Text(7)), Decided: row.Time(8), Decider: row.Text(9), Why: row.Text(10), Release: int(row.Int(11))}
}

// Proposals lists the open ones, then those decided, the newest first, at most n.
func (s *Store) Proposals(ctx context.Context, n int) (out []Proposal, err error) {
	err = s.db.View(ctx, func(tx store.Tx) error {
		return tx.Each("SELECT "+proposalColumns+" FROM proposal p ORDER BY p.state = ? DESC, p.id DESC LIMIT ?", func(row store.Row) error {
			out = append(out, proposalOf(row))
			return nil
		}, string(StateOpen), n)
	})
	if err != nil {
		return nil, fmt.Errorf("listing proposals: %w", err)
	}
	return out, nil
}

// Proposal returns one with its text, or store.ErrNotFound. The base's text is nil if
// there was none, or if nothing has it any more.
func (s *Store) Proposal(ctx context.Context, id int) (p Proposal, data, base []byte, err error) {
	found := false
	err = s.db.View(ctx, func(tx store.Tx) error {
		var text, before []byte
		var err error
		found, err = tx.One("SELECT "+proposalColumns+", p.text FROM proposal p WHERE p.id = ?", func(row store.Row) {
			p, text, before = proposalOf(row), row.Bytes(12), row.Bytes(3)
		}, id)
		if err != nil || !found {
			return err
		}
		if data, err = textOf(tx, text); err == nil && data == nil {
			err = fmt.Errorf("its text is gone: %w", store.ErrDamaged)
		}
		if err != nil || before == nil {
			return err
		}
		base, err = textOf(tx, before)
		return err
	})
	if err == nil && !found {
		err = &tandem.Error{Code: tandem.CodeNotFound, Message: fmt.Sprintf("there is no proposal %d", id), Err: store.ErrNotFound}
	}
	if err != nil {
		return p, nil, nil, fmt.Errorf("reading a proposal: %w", err)
	}
	return p, data, base, nil
}

// textOf is a stored text by its hash; nil if there is none.
func textOf(tx store.Tx, hash []byte) (data []byte, err error) {
	var packed []byte
	found, err := tx.One("SELECT data FROM release_text WHERE hash = ?", func(row store.Row) { packed = row.Bytes(0) }, hash)
	if err != nil || !found {
		return nil, err
	}
	return unpack(packed, hash)
}

// Refuse decides an open proposal. One that has been decided is an error of code
// conflict, and there being none one of code not found.
func (s *Store) Refuse(ctx context.Context, id int, by, why string) error {
	err := s.db.Update(ctx, func(tx store.Tx) error { return decide(tx, id, StateRefused, by, why, s.now(), 0) })
	if err != nil {
		return fmt.Errorf("refusing a proposal: %w", err)
	}
	return nil
}

func decide(tx store.Tx, id int, state State, by, why string, at time.Time, release int) error {
	n, err := tx.Exec("UPDATE proposal SET state = ?, decider = ?, why = ?, decided = ?, release = ? WHERE id = ? AND state = ?",
		string(state), by, why, at, release, id, string(StateOpen))
	if err != nil || n > 0 {
		return err
	}
	found, err := tx.One("SELECT 1 FROM proposal WHERE id = ?", func(store.Row) {}, id)
	switch {
	case err != nil:
		return err
	case !found:
		return &tandem.Error{Code: tandem.CodeNotFound, Message: fmt.Sprintf("there is no proposal %d", id), Err: store.ErrNotFound}
	}
	return tandem.Errorf(tandem.CodeConflict, "proposal %d has been decided already", id)
}
