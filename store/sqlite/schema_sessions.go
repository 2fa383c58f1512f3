package sqlite

// schemaSessions is for stored sessions that outlive a call, for letters that a stopped
// process had lent, for identities that are bound to another customer, and for customers
// who are one person.
const schemaSessions = `
ALTER TABLE session ADD COLUMN due INTEGER NOT NULL DEFAULT 0;    -- when its wait ends by itself
ALTER TABLE session ADD COLUMN parked INTEGER NOT NULL DEFAULT 0; -- kept until then though the interaction is closed
CREATE INDEX session_parked ON session(parked) WHERE parked <> 0;

ALTER TABLE outbox ADD COLUMN lent INTEGER NOT NULL DEFAULT 0;    -- next is when the lease ends, not when it is tried again

ALTER TABLE identity ADD COLUMN before INTEGER NOT NULL DEFAULT 0; -- no of the row it took the place of

CREATE TABLE customer_merge (
	no     INTEGER PRIMARY KEY,
	source INTEGER NOT NULL REFERENCES customer(no),
	target INTEGER NOT NULL REFERENCES customer(no),
	at     INTEGER NOT NULL,
	undone INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX customer_merge_source ON customer_merge(source) WHERE undone = 0;
CREATE INDEX customer_merge_target ON customer_merge(target) WHERE undone = 0;
`
