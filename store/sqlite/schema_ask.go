package sqlite

// schema10 is for tickets (bridge/ticket) and surveys (bridge/survey). What was asked,
// told and answered is in the journal, under the customer's key: here is nothing personal.
// Times are Unix nanoseconds, 0 = none.
const schema10 = `
CREATE TABLE ticket (
	no          INTEGER PRIMARY KEY,
	task        TEXT NOT NULL UNIQUE,
	interaction TEXT NOT NULL,
	customer    TEXT NOT NULL,
	number      TEXT NOT NULL UNIQUE,       -- the ticket's own
	key         TEXT NOT NULL,              -- of the step's visit that asked for it
	link        TEXT NOT NULL UNIQUE,       -- what a chat's button names; it opens nothing
	form        TEXT NOT NULL,
	lang        TEXT NOT NULL,
	queue       TEXT NOT NULL,              -- whose list of owners it goes down
	owner       TEXT NOT NULL,              -- agent:NAME, team:NAME or queue:NAME
	status      TEXT NOT NULL,              -- open, working, waiting, done
	allowance   INTEGER NOT NULL,           -- nanoseconds: what the flow gave, and each owner is given anew
	due         INTEGER NOT NULL,
	step        INTEGER NOT NULL DEFAULT 0, -- how far down that list it is
	alarmed     INTEGER NOT NULL DEFAULT 0, -- the last owner's time has passed, too
	opened      INTEGER NOT NULL,
	done        INTEGER NOT NULL DEFAULT 0,
	seq         INTEGER NOT NULL            -- of the event ticket.opened
);
CREATE UNIQUE INDEX ticket_key ON ticket(interaction, key);
CREATE INDEX ticket_due ON ticket(due) WHERE done = 0 AND alarmed = 0;
CREATE INDEX ticket_open ON ticket(no) WHERE done = 0;

CREATE TABLE ticket_link (
	hash   BLOB PRIMARY KEY,                -- SHA-256 of the token
	ticket INTEGER NOT NULL REFERENCES ticket(no),
	made   INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX ticket_link_ticket ON ticket_link(ticket);

CREATE TABLE survey (                       -- one row for each time a form is asked
	no          INTEGER PRIMARY KEY,
	interaction TEXT NOT NULL,              -- that the answers belong to
	visit       TEXT NOT NULL,              -- of the flow's step
	asking      TEXT NOT NULL,              -- the interaction that asks it: the same, or one of its own later
	form        TEXT NOT NULL,
	flow        TEXT NOT NULL,              -- whose version of the form it is
	hash        TEXT NOT NULL,
	lang        TEXT NOT NULL,
	ways        TEXT NOT NULL,              -- channels, the first that can goes
	customer    TEXT NOT NULL,
	channel     TEXT NOT NULL DEFAULT '',   -- it was asked by
	agent       TEXT NOT NULL DEFAULT '',   -- who served the customer last, and in which queue
	queue       TEXT NOT NULL DEFAULT '',
	state       TEXT NOT NULL,              -- waiting, asked, answered, given_up
	due         INTEGER NOT NULL DEFAULT 0, -- waiting: it is asked then
	until       INTEGER NOT NULL DEFAULT 0, -- waiting: it is given up then
	asked       INTEGER NOT NULL DEFAULT 0,
	seq         INTEGER NOT NULL DEFAULT 0  -- of the newest event survey.answered
);
CREATE UNIQUE INDEX survey_visit ON survey(interaction, visit);
CREATE UNIQUE INDEX survey_asking ON survey(asking, visit);
CREATE INDEX survey_due ON survey(due) WHERE state = 'waiting';
CREATE INDEX survey_asked ON survey(asked) WHERE asked <> 0;
`
