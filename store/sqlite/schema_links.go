package sqlite

// schemaLinks is for links. A token, the secret of a browser and a code are kept as
// hashes alone; what a page is filled in with lies in the journal, under link.seq.
const schemaLinks = `
CREATE TABLE link (
	no              INTEGER PRIMARY KEY,
	id              TEXT NOT NULL UNIQUE,
	interaction     TEXT NOT NULL,
	key             TEXT NOT NULL,              -- of the step's visit that asked for it
	leg             TEXT NOT NULL,              -- that the flow ran on
	customer        TEXT NOT NULL,
	conversation    TEXT NOT NULL,              -- that the link was sent to; '' = none
	number          TEXT NOT NULL,
	serial          INTEGER NOT NULL,           -- of the session's wait
	operation       TEXT NOT NULL,              -- '' = to go on by another channel
	channel         TEXT NOT NULL,              -- that channel
	needs           INTEGER NOT NULL,
	assurance       INTEGER NOT NULL,           -- of the session when the link was made
	assurance_until INTEGER NOT NULL,
	lang            TEXT NOT NULL,
	by              TEXT NOT NULL,
	flow            TEXT NOT NULL,
	flow_hash       TEXT NOT NULL,
	seq             INTEGER NOT NULL,           -- of the event link.made
	code            BLOB,                       -- keyed hash of the code that was told; NULL = none
	state           TEXT NOT NULL,
	made            INTEGER NOT NULL,
	expires         INTEGER NOT NULL,
	opened          INTEGER NOT NULL DEFAULT 0,
	over            INTEGER NOT NULL DEFAULT 0,
	page            TEXT NOT NULL DEFAULT '',   -- the page's leg
	browser         BLOB,                       -- SHA-256 of the secret of the browser that opened it
	proved          INTEGER NOT NULL DEFAULT 0, -- until when the second factor holds; 0 = not given
	attempts        INTEGER NOT NULL DEFAULT 0  -- at the second factor
);
CREATE UNIQUE INDEX link_key ON link(interaction, key);
CREATE INDEX link_due ON link(expires) WHERE state IN ('made', 'opened');
CREATE INDEX link_over ON link(over) WHERE over <> 0;

CREATE TABLE link_token (
	hash BLOB PRIMARY KEY,                      -- SHA-256
	link INTEGER NOT NULL REFERENCES link(no) ON DELETE CASCADE,
	made INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX link_token_link ON link_token(link);
`
