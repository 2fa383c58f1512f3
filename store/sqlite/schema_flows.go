package sqlite

// schema3 is for the flows folder: its releases and what is proposed for it. Nothing in
// it is about customers. A text is named by the SHA-256 of its content.
const schema3 = `
CREATE TABLE release_text (
	hash BLOB PRIMARY KEY,
	data BLOB NOT NULL                  -- deflated
) WITHOUT ROWID;

CREATE TABLE release (
	number INTEGER PRIMARY KEY,
	at     INTEGER NOT NULL,
	by     TEXT NOT NULL,
	note   TEXT NOT NULL,
	hash   TEXT NOT NULL                -- over the names and texts of its files
);

CREATE TABLE release_file (
	release INTEGER NOT NULL REFERENCES release(number),
	name    TEXT NOT NULL,
	text    BLOB NOT NULL REFERENCES release_text(hash),
	PRIMARY KEY (release, name)
) WITHOUT ROWID;
CREATE INDEX release_file_text ON release_file(text);

CREATE TABLE release_flow (
	release INTEGER NOT NULL REFERENCES release(number),
	flow    TEXT NOT NULL,
	hash    TEXT NOT NULL,
	PRIMARY KEY (release, flow)
) WITHOUT ROWID;
CREATE INDEX release_flow_hash ON release_flow(flow, hash);

CREATE TABLE proposal (
	id      INTEGER PRIMARY KEY AUTOINCREMENT,
	file    TEXT NOT NULL,
	flow    TEXT NOT NULL,
	base    BLOB,                       -- text it changes; NULL = a new file
	text    BLOB NOT NULL REFERENCES release_text(hash),
	by      TEXT NOT NULL,
	at      INTEGER NOT NULL,
	note    TEXT NOT NULL,
	state   TEXT NOT NULL,
	decided INTEGER NOT NULL,
	decider TEXT NOT NULL,
	why     TEXT NOT NULL,
	release INTEGER NOT NULL            -- that it was published with; 0 = none
);
CREATE INDEX proposal_text ON proposal(text);
CREATE INDEX proposal_base ON proposal(base);

CREATE INDEX interaction_flow ON interaction(flow, id);
`
