package sqlite

// schemaSMS is for texts. bridge/sms owns its tables. They have no number and no text:
// number, visitor and address are keyed hashes; ours is a number of the operator's.
const schemaSMS = `
-- Texts out of the last 25 hours, for the caps on one number, visitor and address.
CREATE TABLE sms_sent (
	no      INTEGER PRIMARY KEY,
	key     TEXT NOT NULL UNIQUE,       -- of the message: counted once
	at      INTEGER NOT NULL,
	number  BLOB NOT NULL,
	parts   INTEGER NOT NULL,
	visitor BLOB,
	address BLOB
);
CREATE INDEX sms_sent_at ON sms_sent(at);
CREATE INDEX sms_sent_number ON sms_sent(number, at);
CREATE INDEX sms_sent_visitor ON sms_sent(visitor, at) WHERE visitor IS NOT NULL;
CREATE INDEX sms_sent_address ON sms_sent(address, at) WHERE address IS NOT NULL;

-- The same in spans of five minutes, for the caps on all.
CREATE TABLE sms_spent (
	span   INTEGER PRIMARY KEY,         -- Unix time / 300
	texts  INTEGER NOT NULL,
	parts  INTEGER NOT NULL,
	price  INTEGER NOT NULL             -- millionths
);

-- What gateways took: the provider's id of a message of ours.
CREATE TABLE sms_out (
	gateway TEXT NOT NULL,
	id      TEXT NOT NULL,
	key     TEXT NOT NULL DEFAULT '',   -- '' = a receipt that came before the id was noted
	state   TEXT NOT NULL,
	error   TEXT NOT NULL DEFAULT '',
	at      INTEGER NOT NULL,
	PRIMARY KEY (gateway, id)
) WITHOUT ROWID;
CREATE INDEX sms_out_key ON sms_out(key) WHERE key != '';
CREATE INDEX sms_out_at ON sms_out(at);

-- Texts that came, by the provider's id, against doubles.
CREATE TABLE sms_seen (
	gateway TEXT NOT NULL,
	id      TEXT NOT NULL,
	at      INTEGER NOT NULL,
	PRIMARY KEY (gateway, id)
) WITHOUT ROWID;
CREATE INDEX sms_seen_at ON sms_seen(at);

-- Who wants no texts from a number of ours. It outlives the erasure of a person.
CREATE TABLE sms_stop (
	ours   TEXT NOT NULL,
	number BLOB NOT NULL,
	at     INTEGER NOT NULL,
	PRIMARY KEY (ours, number)
) WITHOUT ROWID;
`
