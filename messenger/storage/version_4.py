"""From version 3 of the tables to version 4: how conversations are kept in order, and when receipts came."""

from typing import Final

VERSION_4: Final = """
ALTER TABLE contacts ADD COLUMN note TEXT NOT NULL DEFAULT ''; -- our own words about them
ALTER TABLE contacts ADD COLUMN pinned INTEGER NOT NULL DEFAULT 0; -- stands above the others
ALTER TABLE contacts ADD COLUMN muted INTEGER NOT NULL DEFAULT 0; -- nothing calls for attention
ALTER TABLE contacts ADD COLUMN archived INTEGER NOT NULL DEFAULT 0; -- stands in a list of its own
ALTER TABLE messages ADD COLUMN delivered_ms INTEGER; -- when their receipt came; NULL before this version
ALTER TABLE messages ADD COLUMN read_ms INTEGER; -- when they, or we here, had seen it
"""
"""What brings a database there, as `messenger.storage.schema.MIGRATIONS` wants it."""
