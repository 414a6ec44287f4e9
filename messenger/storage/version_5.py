"""From version 4 of the tables to version 5: profile pictures, and the order of files."""

from typing import Final

VERSION_5: Final = """
ALTER TABLE contacts ADD COLUMN portrait BLOB NOT NULL DEFAULT x''; -- hash of theirs that is here
ALTER TABLE contacts ADD COLUMN portrait_wanted BLOB NOT NULL DEFAULT x''; -- hash of the one that is missing
ALTER TABLE contacts ADD COLUMN portrait_asked INTEGER NOT NULL DEFAULT 0; -- news by which they get ours

ALTER TABLE transfers ADD COLUMN turn INTEGER NOT NULL DEFAULT 0; -- of ours: the greater, the sooner

CREATE TABLE portraits ( -- of contacts
    conversation INTEGER PRIMARY KEY REFERENCES contacts ON DELETE CASCADE,
    content BLOB NOT NULL
) STRICT;
"""
"""What brings a database there, as `messenger.storage.schema.MIGRATIONS` wants it."""
