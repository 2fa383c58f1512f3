package sqlite

// schemaIdentity is for checks of who customers are. Whoever caused one and where a code
// went are keyed hashes, and so is the code: nothing in it can be read back.
const schemaIdentity = `
CREATE TABLE check_code (
	id      TEXT PRIMARY KEY,
	hash    BLOB NOT NULL,              -- of the code
	purpose TEXT NOT NULL,
	who     BLOB NOT NULL,              -- it was sent to
	expires INTEGER NOT NULL,
	tries   INTEGER NOT NULL            -- wrong ones so far
) WITHOUT ROWID;
CREATE INDEX check_code_expires ON check_code(expires);

CREATE TABLE code_try (                 -- of the last 24 h
	no   INTEGER PRIMARY KEY,
	kind TEXT NOT NULL,
	who  BLOB NOT NULL,
	at   INTEGER NOT NULL
);
CREATE INDEX code_try_who ON code_try(kind, who, at);
CREATE INDEX code_try_at ON code_try(at);
`
