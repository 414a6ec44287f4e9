"""From version 3 of the tables to version 4: offers of files, and their transfers."""

from typing import Final

VERSION_4: Final = """
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
"""
"""What brings a database there, as `messenger.storage.schema.MIGRATIONS` wants it."""
