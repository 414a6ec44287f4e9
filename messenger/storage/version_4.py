"""From version 3 of the tables to version 4: what is to be said about a contact's new key."""

from typing import Final

VERSION_4: Final = """
ALTER TABLE contacts ADD COLUMN key_news INTEGER NOT NULL DEFAULT 0; -- they have a new key: 1 say so, 2 stop
"""
"""What brings a database there, as `messenger.storage.schema.MIGRATIONS` wants it."""
