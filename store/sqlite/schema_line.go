package sqlite

// schema9 is for the one line: what a task is, who holds which and who is there; for
// receivers of webhooks; and for keys of programs. Tasks are written by Change; hold,
// agent, presence and line are bridge/queue's, webhook is bridge/hook's, staff_key is
// store/staff's. Nothing in it is about customers but a task's level and language. Times
// and lengths of time are nanoseconds, 0 = none.
const schema9 = schemaTasks + schemaLine + schemaHooks + schemaKeys

const schemaTasks = `
ALTER TABLE task ADD COLUMN due         INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN level       TEXT NOT NULL DEFAULT '';
ALTER TABLE task ADD COLUMN lang        TEXT NOT NULL DEFAULT '';
ALTER TABLE task ADD COLUMN skills      TEXT NOT NULL DEFAULT '';    -- a JSON list; '' = none
ALTER TABLE task ADD COLUMN priority    INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN not_before  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN expires     INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN prefer      TEXT NOT NULL DEFAULT '';
ALTER TABLE task ADD COLUMN prefer_till INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN came_as     TEXT NOT NULL DEFAULT '';
ALTER TABLE task ADD COLUMN agent       TEXT NOT NULL DEFAULT '';
ALTER TABLE task ADD COLUMN fence       INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN since       INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN deadline    INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN tries       INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN outcome     TEXT NOT NULL DEFAULT '';
ALTER TABLE task ADD COLUMN ticket      TEXT NOT NULL DEFAULT '';
ALTER TABLE task ADD COLUMN ticket_due  INTEGER NOT NULL DEFAULT 0;
ALTER TABLE task ADD COLUMN key         TEXT NOT NULL DEFAULT '';

-- Tasks from before there was a line: nobody is called back who was erased, and the
-- others are due by the targets that hold where a policy names none.
UPDATE task SET state = 'done', outcome = 'closed' WHERE state <> 'done'
	AND interaction IN (SELECT i.no FROM interaction i JOIN customer c ON c.no = i.customer WHERE c.erased <> 0);
UPDATE task SET since = arrived, came_as = kind, due = arrived + 1000000000 * CASE kind WHEN 'callback' THEN 20 WHEN 'voicemail' THEN 4 * 3600 ELSE 24 * 3600 END;

CREATE INDEX task_live ON task(no) WHERE state <> 'done';
CREATE INDEX task_of ON task(interaction) WHERE state <> 'done';
CREATE UNIQUE INDEX task_key ON task(interaction, key) WHERE key <> '' AND state <> 'done';
CREATE INDEX task_ticket ON task(ticket) WHERE ticket <> '';

-- ended says whether a session or call runs, state what the interaction is with its tasks.
DROP INDEX interaction_open;
CREATE INDEX interaction_running ON interaction(no) WHERE ended = 0;
CREATE INDEX interaction_live ON interaction(id) WHERE state <> 'closed';
UPDATE interaction SET state = 'queued' WHERE no IN (SELECT interaction FROM task WHERE state <> 'done');
`

const schemaLine = `
CREATE TABLE hold (                     -- who was offered which task, and what came of it
	fence    INTEGER PRIMARY KEY,
	task     TEXT NOT NULL,
	agent    TEXT NOT NULL,
	load     TEXT NOT NULL,
	state    TEXT NOT NULL,             -- offered, assigned, wrapping, over
	made     INTEGER NOT NULL,
	since    INTEGER NOT NULL,          -- of state
	deadline INTEGER NOT NULL,
	assigned INTEGER NOT NULL,
	why      TEXT NOT NULL              -- over: what came of it
);
CREATE UNIQUE INDEX hold_task ON hold(task) WHERE state IN ('offered', 'assigned');
CREATE INDEX hold_agent ON hold(agent) WHERE state <> 'over';

CREATE TABLE agent (
	name     TEXT PRIMARY KEY,
	presence TEXT NOT NULL,
	reason   TEXT NOT NULL,
	since    INTEGER NOT NULL,
	idle     INTEGER NOT NULL,          -- since they last took or ended something
	missed   INTEGER NOT NULL           -- offers in a row that lapsed
) WITHOUT ROWID;

CREATE TABLE presence (                 -- who was there when
	no       INTEGER PRIMARY KEY,
	agent    TEXT NOT NULL,
	at       INTEGER NOT NULL,
	presence TEXT NOT NULL,
	reason   TEXT NOT NULL
);
CREATE INDEX presence_agent ON presence(agent, at);

CREATE TABLE line (
	id      INTEGER PRIMARY KEY CHECK (id = 1),
	version INTEGER NOT NULL,
	fence   INTEGER NOT NULL            -- the newest
);
INSERT INTO line VALUES (1, 0, 0);
`

const schemaHooks = `
CREATE TABLE webhook (
	no        INTEGER PRIMARY KEY,
	id        TEXT NOT NULL UNIQUE,
	sealed    BLOB NOT NULL,            -- address and secrets, under the store's own key
	kinds     TEXT NOT NULL,            -- with blanks between
	active    INTEGER NOT NULL,
	why       TEXT NOT NULL,            -- not active: why
	note      TEXT NOT NULL,
	made      INTEGER NOT NULL,
	made_by   TEXT NOT NULL,
	missed    INTEGER NOT NULL,         -- since when it was told of nothing: it was off, or too much waited for it
	old_until INTEGER NOT NULL          -- for so long the secret before is used too; 0 = there is none
);
`

const schemaKeys = `
CREATE TABLE staff_key (
	no      INTEGER PRIMARY KEY,
	id      TEXT NOT NULL UNIQUE,
	hash    BLOB NOT NULL UNIQUE,       -- keyed, of the key
	name    TEXT NOT NULL,
	scopes  TEXT NOT NULL,              -- with blanks between
	agent   TEXT NOT NULL,              -- in whose name it acts; '' = its own
	made    INTEGER NOT NULL,
	made_by TEXT NOT NULL,
	expires INTEGER NOT NULL,
	used    INTEGER NOT NULL DEFAULT 0, -- last, to the minute
	revoked INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX staff_key_name ON staff_key(name) WHERE revoked = 0;
`
