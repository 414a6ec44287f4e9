"""From version 5 of the tables to version 6: until when a relay keeps what it has; how transfers ended."""

from typing import Final

VERSION_6: Final = """
ALTER TABLE sealed_outbox ADD COLUMN until_ms INTEGER NOT NULL DEFAULT 0; -- a relay has it; 0 if none has
UPDATE sealed_outbox SET until_ms = 1 -- since when they have it was not noted: they are handed over again
WHERE position IN (SELECT position FROM messages WHERE outgoing = 1 AND state = 2)
    OR position IN (SELECT position FROM actions WHERE outgoing = 1 AND state = 2);
CREATE INDEX sealed_outbox_by_end ON sealed_outbox (until_ms) WHERE until_ms > 0;

CREATE TABLE endings ( -- of transfers whose messages are gone from here: the other side may not know
    conversation INTEGER NOT NULL REFERENCES contacts ON DELETE CASCADE,
    message BLOB NOT NULL CHECK (length(message) = 16),
    outgoing INTEGER NOT NULL,
    wish INTEGER NOT NULL, -- ours
    trouble INTEGER NOT NULL,
    count INTEGER NOT NULL,
    heard INTEGER NOT NULL, -- count of theirs
    root BLOB NOT NULL,
    until_ms INTEGER NOT NULL,
    PRIMARY KEY (conversation, outgoing, message)
) STRICT, WITHOUT ROWID;
CREATE INDEX endings_by_end ON endings (until_ms);

DROP TRIGGER offer_removed;
CREATE TRIGGER offer_removed AFTER DELETE ON messages WHEN old.transfer IS NOT NULL BEGIN
    INSERT OR REPLACE INTO endings -- for 90 days
    SELECT conversation, message, outgoing, mine, my_trouble, my_count, their_count, coalesce(root, x''),
        (unixepoch() + 7776000) * 1000
    FROM transfers WHERE id = old.transfer AND mine > 3 AND theirs < 4;
    DELETE FROM transfers WHERE id = old.transfer AND (mine > 3 OR theirs > 3);
END;
"""
"""What brings a database there, as `messenger.storage.schema.MIGRATIONS` wants it."""
