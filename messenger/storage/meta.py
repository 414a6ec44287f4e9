"""Single values of a profile: its settings and the name of its person."""

from typing import Final

import msgspec

from messenger.core.errors import SettingError
from messenger.core.settings import Settings, changed, to_plain
from messenger.storage.database import Database

_SETTINGS: Final = "settings"
_NAME: Final = "name"


class MetaTable:
    """Values by name."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, name: str) -> bytes | None:
        """The value of a name, or None."""
        row = self._database.row("SELECT value FROM meta WHERE name = ?", (name,))
        return bytes(row[0]) if row else None

    def put(self, name: str, value: bytes) -> None:
        """Store a value, in place of the one that was there."""
        with self._database.write():
            self._database.rows("INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)", (name, value))

    def settings(self) -> Settings:
        """The stored settings; one that is unknown or no longer valid has its default, the others stay."""
        settings = Settings()
        for name, value in self._plain_settings().items():
            try:
                settings = changed(settings, {name: value})
            except SettingError:  # of another version of the program
                continue
        return settings

    def save_settings(self, settings: Settings) -> None:
        """Store all settings."""
        self.put(_SETTINGS, msgspec.json.encode(to_plain(settings)))

    def name(self) -> str:
        """The name of the person; an empty string if none was set."""
        return (self.get(_NAME) or b"").decode("utf-8", "replace")

    def set_name(self, name: str) -> None:
        """Store the name of the person, as `messenger.core.names.own_name` returned it."""
        self.put(_NAME, name.encode("utf-8", "replace"))

    def _plain_settings(self) -> dict[str, object]:
        try:
            return msgspec.json.decode(self.get(_SETTINGS) or b"{}", type=dict[str, object])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return {}
