"""The languages that are written in, and the words of one's own: one of the single values of a profile."""

from typing import Final

import msgspec

from messenger.core import window_limits as limits
from messenger.core.errors import InputError, InputProblem
from messenger.core.spelling import Spelling
from messenger.storage.database import Database
from messenger.storage.meta import MetaTable

_SPELLING: Final = "spelling"


class SpellingTable:
    """One value, changed in transactions."""

    def __init__(self, database: Database, meta: MetaTable) -> None:
        self._database, self._meta = database, meta

    def get(self) -> Spelling:
        """What is stored; nothing if it cannot be read, or was never set."""
        try:
            return msgspec.json.decode(self._meta.get(_SPELLING) or b"{}", type=Spelling)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Spelling()

    def set_languages(self, languages: tuple[str, ...]) -> Spelling:
        """Check with these dictionaries from now on; returns what holds."""
        with self._database.write():
            return self._put(msgspec.structs.replace(self.get(), languages=languages))

    def add(self, word: str) -> Spelling:
        """Add a word to the personal dictionary; returns what holds.

        Raises:
            InputError: NOT_ALLOWED, there are `window_limits.SPELLED_WORDS_MAX` already.
        """
        with self._database.write():
            spelling = self.get()
            if word in spelling.words:
                return spelling
            if len(spelling.words) >= limits.SPELLED_WORDS_MAX:
                raise InputError(InputProblem.NOT_ALLOWED)
            return self._put(msgspec.structs.replace(spelling, words=(*spelling.words, word)))

    def remove(self, word: str) -> Spelling:
        """Take a word out of the personal dictionary; returns what holds."""
        with self._database.write():
            spelling = self.get()
            words = tuple(one for one in spelling.words if one != word)
            return self._put(msgspec.structs.replace(spelling, words=words))

    def _put(self, spelling: Spelling) -> Spelling:
        self._meta.put(_SPELLING, msgspec.json.encode(spelling))
        return spelling
