"""From version 3 of the tables to version 4: new keys, messages that disappear, conversations in order."""

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
"""
"""What brings a database there, as `messenger.storage.schema.MIGRATIONS` wants it."""
