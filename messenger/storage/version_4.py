"""From version 3 of the tables to version 4: keys, timers, order of conversations, files, relays."""

from typing import Final

VERSION_4: Final = """
ALTER TABLE contacts ADD COLUMN key_news INTEGER NOT NULL DEFAULT 0; -- they have a new key: 1 say so, 2 stop
ALTER TABLE contacts ADD COLUMN timer INTEGER NOT NULL DEFAULT 0; -- seconds, of what is written now
ALTER TABLE contacts ADD COLUMN timer_key BLOB; -- of the change that holds: order, id; NULL if there was none
ALTER TABLE messages ADD COLUMN kind INTEGER NOT NULL DEFAULT 2; -- a text, or a line about the timer
ALTER TABLE messages ADD COLUMN timer INTEGER NOT NULL DEFAULT 0; -- seconds from when its time runs
ALTER TABLE messages ADD COLUMN expires_ms INTEGER; -- when it disappears; NULL if its time does not run
ALTER TABLE actions ADD COLUMN timer INTEGER NOT NULL DEFAULT 0; -- seconds that a change of the timer sets
CREATE INDEX messages_expiring ON messages (expires_ms) WHERE expires_ms IS NOT NULL;
UPDATE heard SET before = NULL, hash = NULL; -- hashes are of more fields now: those of before fit nothing
ALTER TABLE contacts ADD COLUMN note TEXT NOT NULL DEFAULT ''; -- our own words about them
ALTER TABLE contacts ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0; -- stands above the others
ALTER TABLE contacts ADD COLUMN muted INTEGER NOT NULL DEFAULT 0; -- nothing calls for attention
ALTER TABLE contacts ADD COLUMN archived INTEGER NOT NULL DEFAULT 0; -- stands in a list of its own
ALTER TABLE messages ADD COLUMN delivered_ms INTEGER; -- when their receipt came; NULL before this version
ALTER TABLE messages ADD COLUMN read_ms INTEGER; -- when they, or we here, had seen it
ALTER TABLE messages ADD COLUMN transfer INTEGER; -- of a message that offers files
ALTER TABLE messages ADD COLUMN body BLOB; -- of an offer of ours that is not delivered: as it is sent

CREATE TABLE transfers (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never given to another transfer
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    message BLOB NOT NULL CHECK (length(message) = 16),
    outgoing INTEGER NOT NULL,
    body BLOB NOT NULL, -- of the offer
    mine INTEGER NOT NULL, -- our wish
    my_trouble INTEGER NOT NULL DEFAULT 0,
    my_count INTEGER NOT NULL DEFAULT 0,
    theirs INTEGER NOT NULL, -- theirs, as it was heard last
    their_trouble INTEGER NOT NULL DEFAULT 0,
    their_count INTEGER NOT NULL DEFAULT 0,
    staging BLOB NOT NULL DEFAULT (randomblob(16)), -- names the place where it grows
    folder TEXT NOT NULL DEFAULT '', -- where it goes, of theirs
    placed BLOB, -- MessagePack: array of paths at its top; of ours where it comes from
    manifest BLOB, -- of theirs once it has come
    sources BLOB, -- of ours
    done INTEGER NOT NULL DEFAULT 0, -- bytes
    root BLOB, -- hash over the hashes of all chunks, once all are there
    made_ms INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX transfers_by_message ON transfers (conversation, outgoing, message);
CREATE INDEX transfers_going_on ON transfers (conversation) WHERE mine < 4 AND theirs < 4;

CREATE TABLE chunks ( -- that are here, or of ours were read, in runs
    transfer INTEGER NOT NULL REFERENCES transfers ON DELETE CASCADE,
    first INTEGER NOT NULL,
    hashes BLOB NOT NULL, -- 32 bytes each
    PRIMARY KEY (transfer, first)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER offer_removed AFTER DELETE ON messages WHEN old.transfer IS NOT NULL BEGIN
    DELETE FROM transfers WHERE id = old.transfer AND (mine > 3 OR theirs > 3);
END;
ALTER TABLE contacts ADD COLUMN news INTEGER NOT NULL DEFAULT 0; -- of ours that they must know: a count
ALTER TABLE contacts ADD COLUMN news_told INTEGER NOT NULL DEFAULT 0; -- as much of it as they were told

CREATE TABLE relays ( -- that we use, or that contacts use
    fingerprint BLOB PRIMARY KEY CHECK (length(fingerprint) = 32),
    addresses TEXT NOT NULL, -- with blanks between, the best first
    use INTEGER NOT NULL,
    token BLOB NOT NULL,
    added_ms INTEGER NOT NULL,
    status INTEGER, -- in its directory; NULL if we are not there
    about TEXT NOT NULL DEFAULT '',
    serial INTEGER NOT NULL DEFAULT 0 -- of the last entry there
) STRICT, WITHOUT ROWID;

CREATE TABLE queues ( -- ours
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    relay BLOB NOT NULL REFERENCES relays ON DELETE CASCADE,
    conversation INTEGER REFERENCES contacts ON DELETE SET NULL,
    requests INTEGER NOT NULL,
    recv_id BLOB NOT NULL, -- empty until the relay has made it, as send_id
    send_id BLOB NOT NULL,
    recv_key BLOB NOT NULL CHECK (length(recv_key) = 32),
    send_key BLOB NOT NULL CHECK (length(send_key) = 32),
    queue_key BLOB NOT NULL CHECK (length(queue_key) = 32),
    made_ms INTEGER NOT NULL,
    used_ms INTEGER NOT NULL, -- when something last came, or when it was retired
    known INTEGER NOT NULL DEFAULT 0,
    retired INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX queues_by_relay ON queues (relay);
CREATE INDEX queues_by_conversation ON queues (conversation);

CREATE TABLE prekey_queues ( -- at which queue a prekey is handed out: at no two
    id BLOB PRIMARY KEY REFERENCES prekeys ON DELETE CASCADE,
    queue INTEGER NOT NULL REFERENCES queues ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE INDEX prekey_queues_by_queue ON prekey_queues (queue);

CREATE TABLE places ( -- where contacts can be written to, the best first
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    number INTEGER NOT NULL,
    relay BLOB NOT NULL CHECK (length(relay) = 32),
    place BLOB NOT NULL,
    PRIMARY KEY (conversation, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX places_by_relay ON places (relay);

CREATE TABLE first_places ( -- of queues for requests, where a first contact can be left
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    number INTEGER NOT NULL,
    relay BLOB NOT NULL CHECK (length(relay) = 32),
    place BLOB NOT NULL,
    secret BLOB NOT NULL, -- of the invite, or empty
    PRIMARY KEY (conversation, number)
) STRICT, WITHOUT ROWID;
"""
"""What brings a database there, as `messenger.storage.schema.MIGRATIONS` wants it."""
