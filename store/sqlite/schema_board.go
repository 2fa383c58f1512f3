package sqlite

// schema11 is for the board: figures of the line by five minutes (bridge/queue/figures), which
// the journal can be held against, and the alert rules with what came of them (web/desk/alert).
// Nothing in it is about customers. Times and lengths of time are nanoseconds, 0 = none.
const schema11 = `
CREATE TABLE figure (
	at       INTEGER NOT NULL,          -- when the five minutes began
	queue    TEXT NOT NULL,             -- '' = of all
	kind     TEXT NOT NULL,             -- of task; '' = of all
	opened   INTEGER NOT NULL,
	answered INTEGER NOT NULL,
	within   INTEGER NOT NULL,
	gone     INTEGER NOT NULL,          -- left before anybody had them
	waiting  INTEGER NOT NULL,          -- at the end
	most     INTEGER NOT NULL,          -- that waited at once
	waits    TEXT NOT NULL,             -- STEP:COUNT, ...
	PRIMARY KEY (at, queue, kind)
) WITHOUT ROWID;

CREATE TABLE alert_rule (
	no       INTEGER PRIMARY KEY,
	id       TEXT NOT NULL UNIQUE,
	name     TEXT NOT NULL,
	queue    TEXT NOT NULL,             -- '' = all together
	kind     TEXT NOT NULL,             -- '' = of all
	metric   TEXT NOT NULL,             -- longest, waiting, level, free, abandoned
	bound    TEXT NOT NULL,             -- it fires beyond this
	clear    TEXT NOT NULL,             -- and is over within this
	hold     INTEGER NOT NULL,          -- for so long, either way
	severity TEXT NOT NULL,             -- warning, critical
	sound    INTEGER NOT NULL,
	active   INTEGER NOT NULL,
	made     INTEGER NOT NULL,
	made_by  TEXT NOT NULL
);

CREATE TABLE alert (
	no       INTEGER PRIMARY KEY,
	id       TEXT NOT NULL UNIQUE,
	rule     TEXT NOT NULL,
	name     TEXT NOT NULL,             -- of the rule, and what it said, as it fired
	queue    TEXT NOT NULL,
	kind     TEXT NOT NULL,
	metric   TEXT NOT NULL,
	bound    TEXT NOT NULL,
	severity TEXT NOT NULL,
	sound    INTEGER NOT NULL,
	fired    INTEGER NOT NULL,
	value    TEXT NOT NULL,             -- as it fired
	resolved INTEGER NOT NULL DEFAULT 0,
	why      TEXT NOT NULL DEFAULT '',  -- resolved: over, changed, removed
	seen     INTEGER NOT NULL DEFAULT 0,
	seen_by  TEXT NOT NULL DEFAULT ''
);
CREATE INDEX alert_firing ON alert(no) WHERE resolved = 0;
`
