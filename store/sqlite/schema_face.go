package sqlite

// schema12 is for talks face to face. An object knows what it is kept as, so that retention
// finds it, and whether it is still written. Of a link by which somebody joins a room in a
// role there is the token's hash alone (bridge/upgrade). An identity check as it stands is
// sealed under its customer's key (bridge/identity/check); what happened in it is in the
// journal. Times are Unix nanoseconds, 0 = none.
const schema12 = `
ALTER TABLE blob ADD COLUMN class TEXT NOT NULL DEFAULT '';    -- recording, voicemail, picture, evidence
ALTER TABLE blob ADD COLUMN open INTEGER NOT NULL DEFAULT 0;   -- it is still written, or a crash left it so
ALTER TABLE blob ADD COLUMN until INTEGER NOT NULL DEFAULT 0;  -- when it is removed; 0 = as its class is
UPDATE blob SET class = CASE
	WHEN media_type LIKE 'image/%' THEN 'picture'
	WHEN id IN (SELECT blob FROM task WHERE blob <> '') THEN 'voicemail'
	ELSE 'recording' END;
CREATE INDEX blob_open ON blob(id) WHERE open <> 0;
CREATE INDEX blob_class ON blob(class, made) WHERE key IS NOT NULL;
CREATE INDEX blob_until ON blob(until) WHERE until <> 0 AND key IS NOT NULL;

CREATE TABLE role_link (
	hash        BLOB PRIMARY KEY,           -- SHA-256 of the token
	id          TEXT NOT NULL UNIQUE,
	interaction TEXT NOT NULL,
	task        TEXT NOT NULL,
	role        TEXT NOT NULL,              -- specialist, listener
	by          TEXT NOT NULL,              -- the agent who made it
	made        INTEGER NOT NULL,
	expires     INTEGER NOT NULL,
	used        INTEGER NOT NULL DEFAULT 0,
	used_by     TEXT NOT NULL DEFAULT '',
	revoked     INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX role_link_interaction ON role_link(interaction);
CREATE INDEX role_link_expires ON role_link(expires);

CREATE TABLE identity_check (
	no          INTEGER PRIMARY KEY,
	id          TEXT NOT NULL UNIQUE,
	interaction INTEGER NOT NULL REFERENCES interaction(no),
	policy      TEXT NOT NULL,
	state       TEXT NOT NULL,
	officer     TEXT NOT NULL,
	begun       INTEGER NOT NULL,
	ended       INTEGER NOT NULL DEFAULT 0,
	version     INTEGER NOT NULL,           -- one more with each change
	data        BLOB                        -- NULL once the customer is erased
);
CREATE INDEX identity_check_interaction ON identity_check(interaction);
CREATE INDEX identity_check_open ON identity_check(no) WHERE ended = 0;
`
