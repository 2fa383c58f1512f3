package sqlite

// schemaChat is for conversations (bridge/chat). A message's words are in its event.
// Times are Unix nanoseconds, 0 = none.
const schemaChat = `
CREATE TABLE chat_conversation (
	no          INTEGER PRIMARY KEY,
	id          TEXT NOT NULL UNIQUE,
	channel     TEXT NOT NULL,
	entry       TEXT NOT NULL,
	interaction TEXT NOT NULL,              -- the present one; '' = none
	leg         TEXT NOT NULL,
	customer    TEXT NOT NULL,
	lang        TEXT NOT NULL,
	seq         INTEGER NOT NULL DEFAULT 0, -- of the newest message
	rev         INTEGER NOT NULL DEFAULT 0, -- of the newest change
	taken       INTEGER NOT NULL,           -- the newest message the flow has taken
	ours        TEXT NOT NULL,              -- our number, of texts
	peer        BLOB,                       -- keyed hash of both numbers, of texts
	started     INTEGER NOT NULL,
	seen        INTEGER NOT NULL            -- when the customer last wrote
);
CREATE UNIQUE INDEX chat_conversation_peer ON chat_conversation(peer) WHERE peer IS NOT NULL;
CREATE INDEX chat_conversation_interaction ON chat_conversation(interaction) WHERE interaction <> '';

CREATE TABLE chat_message (
	conversation INTEGER NOT NULL REFERENCES chat_conversation(no),
	seq          INTEGER NOT NULL,          -- from 1 without gaps
	rev          INTEGER NOT NULL,          -- the conversation's when this last changed
	sender       TEXT NOT NULL,
	state        TEXT NOT NULL,
	error        TEXT NOT NULL DEFAULT '',  -- a word
	interaction  TEXT NOT NULL,
	event        INTEGER NOT NULL,          -- its seq there
	client       BLOB,                      -- hash of the sender's own id
	link         TEXT,
	link_state   TEXT,
	blob         TEXT,
	PRIMARY KEY (conversation, seq)
) WITHOUT ROWID;
CREATE UNIQUE INDEX chat_message_rev ON chat_message(conversation, rev);
CREATE UNIQUE INDEX chat_message_client ON chat_message(conversation, client) WHERE client IS NOT NULL;
CREATE INDEX chat_message_link ON chat_message(link) WHERE link IS NOT NULL;

CREATE TABLE chat_token (
	hash         BLOB PRIMARY KEY,          -- SHA-256
	conversation INTEGER NOT NULL REFERENCES chat_conversation(no),
	made         INTEGER NOT NULL,
	used         INTEGER NOT NULL           -- to the day
) WITHOUT ROWID;
CREATE INDEX chat_token_conversation ON chat_token(conversation);
CREATE INDEX chat_token_used ON chat_token(used);
`
