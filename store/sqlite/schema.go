package sqlite

import (
	"context"
	"database/sql/driver"
	"encoding/hex"
	"fmt"
	"io"
	"os"

	"tandem/store"
)

// copySuffix, and the number of its schema, name a copy made before that changes.
const copySuffix = ".schema-"

// migrations returns the schema's history: applied in order, never changed once
// released. The schema's number is how many were applied.
func migrations() []string {
	return []string{schema1, schema2, schema3, schema4, schema5, schema6, schema7, schema8, schema9, schema10, schema11, schema12}
}

// schema1 is the first. Everything personal is in columns called key, sealed, parties,
// value, letter, error or data, each sealed under its customer's key. Times are Unix nanoseconds,
// 0 = none.
const schema1 = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

CREATE TABLE customer (
	no      INTEGER PRIMARY KEY,
	id      TEXT NOT NULL UNIQUE,
	key     BLOB,                       -- wrapped by the master key; NULL once erased
	created INTEGER NOT NULL,
	erased  INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE identity (
	no       INTEGER PRIMARY KEY,
	blind    BLOB NOT NULL,             -- keyed hash of kind and value, to look it up
	customer INTEGER NOT NULL REFERENCES customer(no),
	kind     TEXT NOT NULL,
	value    BLOB NOT NULL,
	since    INTEGER NOT NULL,
	checked  INTEGER NOT NULL DEFAULT 0,
	until    INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX identity_blind ON identity(blind) WHERE until = 0;
CREATE INDEX identity_customer ON identity(customer);

CREATE TABLE interaction (
	no        INTEGER PRIMARY KEY,
	id        TEXT NOT NULL UNIQUE,
	number    TEXT UNIQUE,
	customer  INTEGER NOT NULL REFERENCES customer(no),
	entry     TEXT NOT NULL,
	flow      TEXT NOT NULL,
	flow_hash TEXT NOT NULL,
	lang      TEXT NOT NULL,
	state     TEXT NOT NULL,
	started   INTEGER NOT NULL,
	ended     INTEGER NOT NULL,
	outcome   TEXT NOT NULL
);
CREATE INDEX interaction_customer ON interaction(customer);
CREATE INDEX interaction_open ON interaction(no) WHERE state <> 'closed';

CREATE TABLE leg (
	no              INTEGER PRIMARY KEY,
	id              TEXT NOT NULL UNIQUE,
	interaction     INTEGER NOT NULL REFERENCES interaction(no),
	kind            TEXT NOT NULL,
	inbound         INTEGER NOT NULL,
	role            TEXT NOT NULL,
	parties         BLOB,
	assurance       INTEGER NOT NULL,
	assurance_until INTEGER NOT NULL,
	started         INTEGER NOT NULL,
	answered        INTEGER NOT NULL,
	ended           INTEGER NOT NULL,
	ended_by        TEXT NOT NULL,
	class           TEXT NOT NULL,
	reason          TEXT NOT NULL,
	sip             INTEGER NOT NULL
);
CREATE INDEX leg_interaction ON leg(interaction);
CREATE INDEX leg_out ON leg(started) WHERE inbound = 0;

CREATE TABLE event (
	n           INTEGER PRIMARY KEY,    -- place in the store-wide chain, from 1 without gaps
	interaction INTEGER NOT NULL REFERENCES interaction(no),
	seq         INTEGER NOT NULL,       -- place in the interaction, from 1 without gaps
	at          INTEGER NOT NULL,
	kind        TEXT NOT NULL,
	leg         TEXT NOT NULL,
	actor       TEXT NOT NULL,
	sealed      BLOB,                   -- salt and payload; NULL for events of an erased customer
	digest      BLOB NOT NULL,
	hash        BLOB NOT NULL,
	chain       BLOB NOT NULL
);
CREATE UNIQUE INDEX event_seq ON event(interaction, seq);

CREATE TABLE task (
	no          INTEGER PRIMARY KEY,
	id          TEXT NOT NULL UNIQUE,
	interaction INTEGER NOT NULL REFERENCES interaction(no),
	kind        TEXT NOT NULL,
	queue       TEXT NOT NULL,
	state       TEXT NOT NULL,
	arrived     INTEGER NOT NULL,
	blob        TEXT NOT NULL,
	note        TEXT NOT NULL
);
CREATE INDEX task_interaction ON task(interaction);

CREATE TABLE session (
	interaction INTEGER PRIMARY KEY REFERENCES interaction(no),
	at          INTEGER NOT NULL,
	data        BLOB NOT NULL
);

CREATE TABLE blob (
	id          TEXT PRIMARY KEY,
	interaction INTEGER NOT NULL REFERENCES interaction(no),
	media_type  TEXT NOT NULL,
	size        INTEGER NOT NULL,
	sha256      BLOB NOT NULL,
	key         BLOB,                   -- sealed by the customer's key; NULL once erased
	made        INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX blob_interaction ON blob(interaction);

CREATE TABLE done (                     -- idempotency keys, blinded
	key BLOB PRIMARY KEY,
	at  INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX done_at ON done(at);

CREATE TABLE outbox (
	no          INTEGER PRIMARY KEY,
	key         TEXT NOT NULL UNIQUE,
	interaction INTEGER REFERENCES interaction(no),
	kind        TEXT NOT NULL,
	letter      BLOB,                   -- target and body; NULL once delivered
	state       TEXT NOT NULL,
	attempts    INTEGER NOT NULL DEFAULT 0,
	made        INTEGER NOT NULL,
	next        INTEGER NOT NULL,       -- when to try next; while leased, when the lease ends
	error       BLOB
);
CREATE INDEX outbox_next ON outbox(next) WHERE state = 'waiting';
CREATE INDEX outbox_interaction ON outbox(interaction);
`

// schema2 is for staff: who they are, their logins, and what they did. Their names are
// plain, what proves who they are is sealed or hashed.
const schema2 = `
CREATE TABLE staff_user (
	no          INTEGER PRIMARY KEY,
	name        TEXT NOT NULL UNIQUE,       -- lower case
	display     TEXT NOT NULL,
	roles       TEXT NOT NULL,              -- with blanks between
	lang        TEXT NOT NULL,
	provider    TEXT NOT NULL,              -- the OIDC provider's id; '' = a local user
	subject     TEXT NOT NULL,              -- who it is there
	password    TEXT NOT NULL,              -- argon2id, PHC form; '' = none
	must_change INTEGER NOT NULL,
	totp        BLOB,                       -- secret, sealed; NULL = none
	totp_next   BLOB,                       -- one that is not confirmed yet
	totp_step   INTEGER NOT NULL DEFAULT 0, -- the newest time step whose code was taken
	disabled    INTEGER NOT NULL DEFAULT 0,
	created     INTEGER NOT NULL,
	last_login  INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX staff_user_subject ON staff_user(provider, subject) WHERE provider <> '';

CREATE TABLE staff_recovery (
	user INTEGER NOT NULL REFERENCES staff_user(no),
	hash BLOB NOT NULL,                     -- keyed
	PRIMARY KEY (user, hash)
) WITHOUT ROWID;

CREATE TABLE staff_login (
	hash   BLOB PRIMARY KEY,                -- SHA-256 of the cookie's token
	user   INTEGER NOT NULL REFERENCES staff_user(no),
	csrf   TEXT NOT NULL,                   -- of no use without the cookie
	source TEXT NOT NULL,
	made   INTEGER NOT NULL,
	seen   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX staff_login_user ON staff_login(user);

CREATE TABLE staff_audit (
	n      INTEGER PRIMARY KEY,             -- from 1 without gaps
	at     INTEGER NOT NULL,
	actor  TEXT NOT NULL,
	action TEXT NOT NULL,
	object TEXT NOT NULL,
	detail TEXT NOT NULL,
	source TEXT NOT NULL,
	hash   BLOB NOT NULL                    -- keyed, over the hash before and this entry
);
CREATE TRIGGER staff_audit_update BEFORE UPDATE ON staff_audit BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
CREATE TRIGGER staff_audit_delete BEFORE DELETE ON staff_audit BEGIN SELECT RAISE(ABORT, 'the audit log is only added to'); END;
`

// migrate brings the schema up to date, each step in a transaction of its own. An
// existing database is copied beside itself first, and a newer one is refused.
func (db *DB) migrate(c *conn, steps []string) error {
	var have int64
	if _, err := c.one("PRAGMA user_version", func(row []driver.Value) { have = asInt(row[0]) }); err != nil {
		return fmt.Errorf("reading the schema's number: %w", err)
	}
	if have > int64(len(steps)) {
		return fmt.Errorf("%s has schema %d, this version knows %d: use the newer program, or the copy it made before: %w",
			db.o.Path, have, len(steps), store.ErrNewerSchema)
	}
	if have == int64(len(steps)) {
		return nil
	}
	if !db.owner {
		return fmt.Errorf("%s has schema %d, this version needs %d: restart the server with this version first", db.o.Path, have, len(steps))
	}
	if have > 0 {
		backup := fmt.Sprintf("%s%s%d", db.o.Path, copySuffix, have)
		if err := backupTo(c, backup); err != nil {
			return fmt.Errorf("copying the database before changing its schema: %w", err)
		}
		db.log.Info("database copied before its schema changes", "copy", backup, "from", have, "to", len(steps))
	}
	for i := have; i < int64(len(steps)); i++ {
		err := c.script(fmt.Sprintf("BEGIN IMMEDIATE;\n%s;\nPRAGMA user_version = %d;\nCOMMIT;", steps[i], i+1))
		if err != nil {
			c.script("ROLLBACK")
			return fmt.Errorf("changing the schema to %d: %w", i+1, err)
		}
	}
	return nil
}

// backupTo writes a copy of the database to a new file, which is durable when it
// returns. A file there is replaced, but only by a complete copy.
func backupTo(c *conn, path string) error {
	part := path + ".part"
	if err := os.Remove(part); err != nil && !os.IsNotExist(err) {
		return err
	}
	f, err := os.OpenFile(part, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600) // VACUUM INTO takes an empty file
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := c.exec("VACUUM INTO ?", part); err != nil {
		os.Remove(part)
		return err
	}
	if err := f.Sync(); err != nil {
		os.Remove(part)
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return err
	}
	return syncDir(path)
}

// Backup writes a copy of the database, as it is now, to a file while work goes on.
// The copy needs the same master key, and is not reached by later erasures.
func (db *DB) Backup(_ context.Context, path string) error {
	c, err := openConn(db.o.Path, "rw") // of its own, so that no change waits for it
	if err != nil {
		return err
	}
	defer c.close()
	if err := backupTo(c, path); err != nil {
		return fmt.Errorf("copying the database to %s: %w", path, err)
	}
	return nil
}

// identify reads the database's own id, or gives it one.
func (db *DB) identify(c *conn) error {
	found, err := c.one("SELECT value FROM meta WHERE name = 'id'", func(row []driver.Value) { db.id = asText(row[0]) })
	if err != nil || found {
		return err
	}
	if !db.owner {
		return fmt.Errorf("%s has no id: %w", db.o.Path, store.ErrDamaged)
	}
	var b [16]byte
	if _, err := io.ReadFull(db.o.Random, b[:]); err != nil {
		return err
	}
	db.id = hex.EncodeToString(b[:])
	_, err = c.exec("INSERT INTO meta VALUES ('id', ?)", db.id)
	return err
}
