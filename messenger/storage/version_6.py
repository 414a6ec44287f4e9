"""From version 5 of the tables to version 6: until when a relay keeps what it has."""

from typing import Final

VERSION_6: Final = """
ALTER TABLE sealed_outbox ADD COLUMN until_ms INTEGER NOT NULL DEFAULT 0; -- a relay has it; 0 if none has
UPDATE sealed_outbox SET until_ms = 1 -- since when they have it was not noted: they are handed over again
WHERE position IN (SELECT position FROM messages WHERE outgoing = 1 AND state = 2)
    OR position IN (SELECT position FROM actions WHERE outgoing = 1 AND state = 2);
CREATE INDEX sealed_outbox_by_end ON sealed_outbox (until_ms) WHERE until_ms > 0;
"""
"""What brings a database there, as `messenger.storage.schema.MIGRATIONS` wants it."""
