package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"strings"

	"tandem"
	"tandem/store"
)

// querier is a pool or a transaction of it.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// each calls fn for every row; a row is valid during the call only.
func (db *DB) each(ctx context.Context, q querier, query string, fn func(row []driver.Value) error, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	row, places := make([]driver.Value, len(columns)), make([]any, len(columns))
	for i := range row {
		places[i] = (*any)(&row[i])
	}
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			return err
		}
		if err := fn(row); err != nil {
			return err
		}
	}
	return rows.Err()
}

const interactionColumns = `i.no, i.id, i.number, i.entry, i.flow, i.flow_hash, i.lang, i.state, i.started, i.ended, i.outcome, c.no, c.id, c.key, c.created, c.erased`

// interactionRow is a row of interactionColumns.
type interactionRow struct {
	no       int64
	i        tandem.Interaction
	customer tandem.Customer
	key      *store.Key // nil once erased
}

func (db *DB) interactionRow(row []driver.Value) (r interactionRow, err error) {
	r.no = asInt(row[0])
	r.customer = tandem.Customer{ID: tandem.CustomerID(asText(row[12])), Created: fromNanos(asInt(row[14])), Erased: fromNanos(asInt(row[15]))}
	r.i = tandem.Interaction{ID: tandem.InteractionID(asText(row[1])), Number: tandem.Number(asText(row[2])), Customer: r.customer.ID,
		Entry: asText(row[3]), Flow: asText(row[4]), FlowHash: asText(row[5]), Lang: asText(row[6]), State: tandem.State(asText(row[7])),
		Started: fromNanos(asInt(row[8])), Ended: fromNanos(asInt(row[9])), Outcome: asText(row[10])}
	r.key, err = db.keys.get(asInt(row[11]), string(r.customer.ID), asBytes(row[13]))
	return r, err
}

// filtered is a filter as a condition on interaction i, and its arguments, the limit last.
func filtered(f store.Filter) (where string, args []any) {
	limit := f.Limit
	if limit <= 0 {
		limit = 50
	}
	where = "1"
	and := func(condition string, arg ...any) { where += " AND " + condition; args = append(args, arg...) }
	if f.State != "" {
		and("i.state = ?", string(f.State))
	}
	if f.Going || f.Queue+f.Agent != "" || f.State != "" && f.State != tandem.Closed {
		and("i.state <> 'closed'")
	}
	if f.Queue != "" {
		and("EXISTS (SELECT 1 FROM task WHERE interaction = i.no AND state <> 'done' AND queue = ?)", f.Queue)
	}
	if f.Agent != "" {
		and("EXISTS (SELECT 1 FROM task WHERE interaction = i.no AND state <> 'done' AND agent = ?)", f.Agent)
	}
	if f.Entry != "" {
		and("i.entry = ?", f.Entry)
	}
	if f.Flow != "" {
		and("i.flow = ?", f.Flow)
	}
	if f.Customer != "" {
		and("i.customer IN ("+person+")", string(f.Customer))
	}
	if !f.Since.IsZero() {
		and("i.started >= ?", nanos(f.Since))
	}
	if !f.Until.IsZero() {
		and("i.started < ?", nanos(f.Until))
	}
	if f.Before != "" {
		and("i.id < ?", string(f.Before))
	}
	return where, append(args, min(limit, 1000))
}

// List returns interactions, the newest first.
func (db *DB) List(ctx context.Context, f store.Filter) ([]store.Summary, error) {
	where, args := filtered(f)
	var out []store.Summary
	err := db.each(ctx, db.pool, `SELECT `+interactionColumns+`, (SELECT max(seq) FROM event WHERE interaction = i.no),
			l.id, l.parties, l.ended_by, l.class, l.reason, l.sip,
			(SELECT group_concat(kind, ' ') FROM event WHERE interaction = i.no AND kind IN ('`+string(tandem.EventVoicemail)+`', '`+string(tandem.EventRecorded)+`', '`+string(tandem.EventFlowError)+`')),
			(SELECT count(*) FROM task WHERE interaction = i.no AND kind = '`+string(tandem.TaskCallback)+`'), l.kind,
			(SELECT group_concat(kind, ' ') FROM (SELECT kind FROM leg WHERE interaction = i.no AND role = '`+string(tandem.RoleCustomer)+`' GROUP BY kind ORDER BY min(no))),
			t.id, t.kind, t.queue, t.state, t.agent, t.arrived, t.since, t.due, l.inbound
		FROM interaction i JOIN customer c ON c.no = i.customer
		LEFT JOIN leg l ON l.no = (SELECT min(no) FROM leg WHERE interaction = i.no)
		LEFT JOIN task t ON t.no = `+foremost+`
		WHERE `+where+` ORDER BY i.id DESC LIMIT ?`, func(row []driver.Value) error {
		r, err := db.interactionRow(row)
		if err != nil {
			return err
		}
		s := store.Summary{Interaction: r.i, Events: uint64(asInt(row[16])), Erased: !r.customer.Erased.IsZero(),
			Termination: tandem.Termination{By: tandem.Party(asText(row[19])), Class: tandem.Class(asText(row[20])), Reason: tandem.Reason(asText(row[21])), SIP: int(asInt(row[22]))}}
		for _, kind := range strings.Fields(asText(row[23])) {
			switch {
			case kind == string(tandem.EventFlowError):
				s.FlowErrors++
			case s.Erased:
			case kind == string(tandem.EventVoicemail):
				s.Voicemails++
			default:
				s.Recordings++
			}
		}
		s.Callbacks, s.Kind = int(asInt(row[24])), tandem.LegKind(asText(row[25]))
		s.Kinds = []tandem.LegKind{}
		for _, kind := range strings.Fields(asText(row[26])) {
			s.Kinds = append(s.Kinds, tandem.LegKind(kind))
		}
		if id := asText(row[27]); id != "" {
			s.Task = &store.InLine{ID: tandem.TaskID(id), Kind: tandem.TaskKind(asText(row[28])), Queue: asText(row[29]), State: tandem.TaskState(asText(row[30])),
				Agent: asText(row[31]), Arrived: fromNanos(asInt(row[32])), Since: fromNanos(asInt(row[33])), Due: fromNanos(asInt(row[34]))}
		}
		from, to, err := parties(r.key, asText(row[17]), asBytes(row[18]))
		if s.From = from; row[17] != nil && asInt(row[35]) == 0 { // we went to the customer
			s.From = to
		}
		out = append(out, s)
		return err
	}, args...)
	if err != nil {
		return nil, fmt.Errorf("listing interactions: %w", err)
	}
	return out, nil
}

// parties opens a leg's addresses; they are empty once erased.
func parties(key *store.Key, leg string, sealed []byte) (from, to string, err error) {
	if key == nil || sealed == nil {
		return "", "", nil
	}
	plain, err := key.Open(sealed, []byte("leg "+leg))
	if err != nil {
		return "", "", fmt.Errorf("leg %s: %w", leg, err)
	}
	from, to, _ = strings.Cut(string(plain), "\x00")
	return from, to, nil
}

// minPrefix is the fewest characters of an id or a number that may stand for it.
const minPrefix = 4

// spokenDigits is the length of a spoken number.
const spokenDigits = 11

// find looks an interaction up by id, spoken number or the beginning of either.
func (db *DB) find(ctx context.Context, q querier, ref string) (found interactionRow, err error) {
	ref = strings.ToLower(strings.TrimSpace(ref))
	where, args := "i.id = ?", []any{ref}
	digits := strings.NewReplacer(" ", "", "-", "").Replace(ref)
	spoken := strings.Trim(digits, "0123456789") == ""
	if !tandem.ValidID(ref) {
		if len(digits) < minPrefix {
			return found, tandem.Errorf(tandem.CodeInvalid, "%q is too short: give an interaction's id or its spoken number, or at least %d characters of one", ref, minPrefix)
		}
		where, args = "i.id >= ? AND i.id < ?", []any{ref, ref + "~"}
		if spoken {
			where, args = "("+where+") OR (i.number >= ? AND i.number < ?)", append(args, digits, digits+"~")
		}
	}
	count := 0
	err = db.each(ctx, q, "SELECT "+interactionColumns+" FROM interaction i JOIN customer c ON c.no = i.customer WHERE "+where+" ORDER BY i.id LIMIT 2",
		func(row []driver.Value) error {
			count++
			found, err = db.interactionRow(row)
			return err
		}, args...)
	switch {
	case err != nil:
		return found, fmt.Errorf("looking for interaction %s: %w", ref, err)
	case count == 0:
		message := fmt.Sprintf("there is no interaction %s", ref)
		if _, wrong := tandem.ParseNumber(ref); spoken && len(digits) == spokenDigits && wrong != nil {
			message += ", nor can there be: look for a wrong or swapped digit"
		}
		return found, &tandem.Error{Code: tandem.CodeNotFound, Message: message, Err: store.ErrNotFound}
	case count > 1:
		return found, tandem.Errorf(tandem.CodeConflict, "several interactions begin with %s: give more of it", ref)
	}
	return found, nil
}

// Interaction tells an interaction's story, found by its id, its spoken number, or the
// beginning of either if only one begins so.
func (db *DB) Interaction(ctx context.Context, ref string) (store.Story, error) {
	tx, err := db.pool.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return store.Story{}, fmt.Errorf("reading: %w", err)
	}
	defer tx.Rollback()
	r, err := db.find(ctx, tx, ref)
	if err != nil {
		return store.Story{}, err
	}
	s := store.Story{Interaction: r.i, Customer: r.customer}
	if s.Legs, err = db.legs(ctx, tx, r, ""); err != nil {
		return s, fmt.Errorf("reading legs of %s: %w", r.i.ID, err)
	}
	if s.Tasks, err = db.tasks(ctx, tx, "i.no = ?", r.no); err != nil {
		return s, fmt.Errorf("reading tasks of %s: %w", r.i.ID, err)
	}
	err = db.each(ctx, tx, "SELECT id, media_type, size, sha256, made FROM blob WHERE interaction = ? ORDER BY id", func(row []driver.Value) error {
		s.Blobs = append(s.Blobs, store.BlobRef{ID: tandem.BlobID(asText(row[0])), Interaction: r.i.ID, MediaType: asText(row[1]),
			Size: asInt(row[2]), SHA256: append([]byte(nil), asBytes(row[3])...), Made: fromNanos(asInt(row[4]))})
		return nil
	}, r.no)
	if err != nil {
		return s, fmt.Errorf("reading objects of %s: %w", r.i.ID, err)
	}
	err = db.each(ctx, tx, "SELECT seq, at, kind, leg, actor, sealed, digest FROM event WHERE interaction = ? ORDER BY seq", func(row []driver.Value) error {
		e := tandem.Event{Interaction: r.i.ID, Seq: uint64(asInt(row[0])), At: fromNanos(asInt(row[1])), Kind: tandem.EventKind(asText(row[2])),
			Leg: tandem.LegID(asText(row[3])), Actor: asText(row[4])}
		key := r.key
		if store.UnderSystemKey(e.Kind) {
			key = db.o.Keys.System()
		}
		if sealed := asBytes(row[5]); key != nil && sealed != nil {
			var digest store.Hash
			copy(digest[:], asBytes(row[6]))
			data, err := store.OpenEvent(&e, sealed, digest, key)
			if err != nil {
				return fmt.Errorf("event %d: %w", e.Seq, err)
			}
			e.Data = data
		}
		s.Events = append(s.Events, e)
		return nil
	}, r.no)
	if err != nil {
		return s, fmt.Errorf("reading events of %s: %w", r.i.ID, err)
	}
	return s, nil
}

// legs reads an interaction's legs for which a further condition holds, in the order
// they were made.
func (db *DB) legs(ctx context.Context, q querier, r interactionRow, and string, args ...any) ([]tandem.Leg, error) {
	var out []tandem.Leg
	err := db.each(ctx, q, `SELECT id, kind, inbound, role, parties, assurance, assurance_until, started, answered, ended, ended_by, class, reason, sip
		FROM leg WHERE interaction = ? `+and+` ORDER BY no`, func(row []driver.Value) error {
		l := tandem.Leg{ID: tandem.LegID(asText(row[0])), Interaction: r.i.ID, Kind: tandem.LegKind(asText(row[1])), Inbound: asInt(row[2]) != 0,
			Role: tandem.Role(asText(row[3])), Assurance: tandem.Assurance(asInt(row[5])), AssuranceUntil: fromNanos(asInt(row[6])),
			Started: fromNanos(asInt(row[7])), Answered: fromNanos(asInt(row[8])), Ended: fromNanos(asInt(row[9])),
			Termination: tandem.Termination{By: tandem.Party(asText(row[10])), Class: tandem.Class(asText(row[11])), Reason: tandem.Reason(asText(row[12])), SIP: int(asInt(row[13]))}}
		var err error
		l.From, l.To, err = parties(r.key, string(l.ID), asBytes(row[4]))
		out = append(out, l)
		return err
	}, append([]any{r.no}, args...)...)
	return out, err
}

// Unfinished returns the interactions whose session or call had not ended when this DB
// was opened, the oldest first; one that only has a task in line is none of them. It is empty for a reader.
func (db *DB) Unfinished(context.Context) ([]store.Unfinished, error) { return db.unfinished, nil }

func (db *DB) readUnfinished(ctx context.Context) ([]store.Unfinished, error) {
	var rows []interactionRow
	var out []store.Unfinished
	err := db.each(ctx, db.pool, "SELECT "+interactionColumns+`, (SELECT at FROM event WHERE interaction = i.no ORDER BY seq DESC LIMIT 1), s.data
		FROM interaction i JOIN customer c ON c.no = i.customer LEFT JOIN session s ON s.interaction = i.no WHERE i.ended = 0 ORDER BY i.no`,
		func(row []driver.Value) error {
			r, err := db.interactionRow(row)
			if err != nil {
				return err
			}
			u := store.Unfinished{Interaction: r.i, Last: fromNanos(asInt(row[16]))}
			if sealed := asBytes(row[17]); r.key != nil && sealed != nil {
				if u.Session, err = r.key.Open(sealed, []byte("session "+r.i.ID)); err != nil {
					return fmt.Errorf("session of %s: %w", r.i.ID, err)
				}
			}
			rows, out = append(rows, r), append(out, u)
			return nil
		})
	for i := range rows {
		if err == nil {
			out[i].Legs, err = db.legs(ctx, db.pool, rows[i], "AND ended = 0")
		}
	}
	if err != nil {
		return nil, fmt.Errorf("reading unfinished interactions: %w", err)
	}
	return out, nil
}
