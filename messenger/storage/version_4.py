"""From version 3 of the tables to version 4: relays, our queues there, and where contacts are written to."""

from typing import Final

VERSION_4: Final = """
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
