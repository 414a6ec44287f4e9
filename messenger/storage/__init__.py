"""The only user of SQLite: the encrypted profile database."""
