-- What version 1 of the database was, as its own program left it: schema, then rows.
-- Kept for ever: `tests/storage/test_versions.py` makes a file of it and opens that with today's program.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE contacts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given to another contact
    fingerprint BLOB NOT NULL UNIQUE CHECK (length(fingerprint) = 32),
    name TEXT NOT NULL,
    alias TEXT NOT NULL,
    standing INTEGER NOT NULL,
    awaiting INTEGER NOT NULL,
    verified INTEGER NOT NULL,
    addresses BLOB NOT NULL, -- MessagePack: array of texts
    created_ms INTEGER NOT NULL,
    seen_ms INTEGER,
    peer_not_before INTEGER NOT NULL DEFAULT 0, -- highest start of their exchange certificate
    peer_version INTEGER NOT NULL DEFAULT 0, -- highest protocol version they spoke
    knock BLOB NOT NULL DEFAULT (zeroblob(0)), -- secret of the last link, which spares us puzzles
    next_seq INTEGER NOT NULL DEFAULT 1, -- of our next message
    last_hash BLOB NOT NULL DEFAULT (zeroblob(32)), -- of our last message
    succession INTEGER NOT NULL DEFAULT 0, -- number of the statement by which they came to this key
    prekey_serial INTEGER NOT NULL DEFAULT 0, -- of the newest list of prekeys that was seen of them
    told INTEGER NOT NULL DEFAULT 0 -- number of the last statement of ours that they have confirmed
) STRICT;

CREATE TABLE retired_keys ( -- fingerprints that contacts have given up
    fingerprint BLOB PRIMARY KEY CHECK (length(fingerprint) = 32),
    contact INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX retired_keys_by_contact ON retired_keys (contact);

CREATE TABLE successions ( -- our own
    serial INTEGER PRIMARY KEY,
    statement BLOB NOT NULL,
    made_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE messages (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    id BLOB NOT NULL CHECK (length(id) = 16),
    outgoing INTEGER NOT NULL,
    seq INTEGER NOT NULL, -- the author's count
    prev BLOB NOT NULL CHECK (length(prev) = 32), -- hash of the author's message before
    state INTEGER NOT NULL,
    reason TEXT NOT NULL,
    text TEXT NOT NULL,
    sent_ms INTEGER NOT NULL,
    stored_ms INTEGER NOT NULL
) STRICT;

-- The position is part of every index as its last column, so pages are read in order from the first two.
CREATE INDEX messages_of_conversation ON messages (conversation);
CREATE INDEX messages_unread ON messages (conversation) WHERE state = 6;
CREATE INDEX messages_by_state ON messages (conversation, outgoing, state, seq);
CREATE UNIQUE INDEX messages_by_id ON messages (conversation, outgoing, id);

CREATE TABLE outbox (
    position INTEGER PRIMARY KEY REFERENCES messages ON DELETE CASCADE,
    conversation INTEGER NOT NULL,
    seq INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX outbox_by_seq ON outbox (conversation, seq);

CREATE TABLE invites (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given to another invite
    secret BLOB NOT NULL CHECK (length(secret) = 16),
    created_ms INTEGER NOT NULL,
    expires_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE sealed_sessions ( -- with one contact; only the engine can read them
    conversation INTEGER PRIMARY KEY REFERENCES contacts ON DELETE CASCADE,
    own BLOB NOT NULL CHECK (length(own) = 32), -- who we are in them
    state BLOB NOT NULL
) STRICT;

CREATE TABLE sealed_ids ( -- of the sessions in each state
    sid BLOB PRIMARY KEY CHECK (length(sid) = 32),
    conversation INTEGER NOT NULL REFERENCES sealed_sessions ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX sealed_ids_by_conversation ON sealed_ids (conversation);

CREATE TABLE sealed_outbox ( -- what waits in the outbox, as it was sealed
    position INTEGER PRIMARY KEY REFERENCES outbox ON DELETE CASCADE,
    sid BLOB NOT NULL CHECK (length(sid) = 32), -- of the session
    kind INTEGER NOT NULL, -- of the envelope
    content BLOB NOT NULL
) STRICT;

CREATE TABLE sealed_receipts ( -- due for what came sealed
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    id BLOB NOT NULL CHECK (length(id) = 16),
    PRIMARY KEY (conversation, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE first_contacts ( -- that were taken, so that none is taken twice
    fingerprint BLOB NOT NULL CHECK (length(fingerprint) = 32), -- of the sender
    id BLOB NOT NULL CHECK (length(id) = 16), -- of the message
    until INTEGER NOT NULL, -- Unix seconds
    PRIMARY KEY (fingerprint, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE prekeys ( -- our own; never part of a backup
    id BLOB PRIMARY KEY CHECK (length(id) = 16),
    own BLOB NOT NULL CHECK (length(own) = 32), -- who we are to those who use it
    made INTEGER NOT NULL, -- Unix seconds
    secret BLOB NOT NULL
) STRICT;

CREATE TABLE prekey_lists ( -- the newest that was signed
    own BLOB PRIMARY KEY CHECK (length(own) = 32),
    serial INTEGER NOT NULL,
    list BLOB NOT NULL
) STRICT, WITHOUT ROWID;

INSERT INTO meta (name, value) VALUES
    ('name', CAST('Alice Ångström' AS BLOB)),
    ('settings', CAST('{"port":42123,"theme":"dark"}' AS BLOB));

INSERT INTO contacts
    (id, fingerprint, name, alias, standing, awaiting, verified, addresses, created_ms, seen_ms, next_seq, last_hash)
VALUES
    (1, CAST(x'01' || zeroblob(31) AS BLOB), 'Bob', 'Bobby', 2, 0, 1, x'91af3139322e302e322e313a3432303030', 1760000000000, 1760600000000, 4, CAST(x'aa' || zeroblob(31) AS BLOB)),
    (3, CAST(x'03' || zeroblob(31) AS BLOB), 'Carol', '', 1, 0, 0, x'90', 1760100000000, NULL, 1, zeroblob(32));
INSERT INTO retired_keys (fingerprint, contact) VALUES (CAST(x'09' || zeroblob(31) AS BLOB), 1);

INSERT INTO messages
    (position, conversation, id, outgoing, seq, prev, state, reason, text, sent_ms, stored_ms)
VALUES
    (3690987522097152001, 1, CAST(x'11' || zeroblob(15) AS BLOB), 1, 1, zeroblob(32), 4, '', 'Déjà vu at the café', 1760000001000, 1760000001000),
    (3690987524194304002, 1, CAST(x'12' || zeroblob(15) AS BLOB), 0, 1, zeroblob(32), 7, '', '東京で会いましょう', 1760000002000, 1760000003000),
    (3691197235200000005, 3, CAST(x'13' || zeroblob(15) AS BLOB), 0, 1, zeroblob(32), 6, '', 'Hello, do you know the café?', 1760100000000, 1760100000500),
    (3691826380800000006, 1, CAST(x'14' || zeroblob(15) AS BLOB), 1, 2, zeroblob(32), 5, 'blocked', 'never sent', 1760400000000, 1760400000000),
    (3692036096000000007, 1, CAST(x'15' || zeroblob(15) AS BLOB), 1, 3, zeroblob(32), 1, '', 'waiting 👍', 1760500000000, 1760500000000);
INSERT INTO outbox (position, conversation, seq) VALUES (3692036096000000007, 1, 3);
INSERT INTO invites (id, secret, created_ms, expires_ms) VALUES (4, zeroblob(16), 1760000000000, 9999999999999);

PRAGMA user_version = 1;
