"""The commands of `Engine` about spelling: what a profile keeps of it. Nothing is checked here."""

from messenger.core.spelling import Spelling, clean_languages, clean_word
from messenger.engine.commands import Commands
from messenger.engine.events import SpellingChanged


class SpellingCommands(Commands):
    """Languages that are written in, and the personal dictionary; each returns when it is on disk."""

    async def spelling(self) -> Spelling:
        """What holds."""
        context = self._now().context
        return await context.stored(context.store.spelling.get)

    async def set_spelling_languages(self, languages: tuple[str, ...]) -> Spelling:
        """Check with other dictionaries from now on; `SpellingChanged` tells it too.

        Args:
            languages: Their tags, as ``en_GB``; none for the languages of the program and of the system.

        Raises:
            InputError: BAD_VALUE, they are too many, or one is no tag.
        """
        context = self._now().context
        spelling = await context.stored(context.store.spelling.set_languages, clean_languages(languages))
        context.publish(SpellingChanged())
        return spelling

    async def add_word(self, word: str) -> Spelling:
        """Add a word to the personal dictionary; `SpellingChanged` tells it too.

        Raises:
            InputError: EMPTY, TOO_LONG, BAD_VALUE (it is no single word), or NOT_ALLOWED (there are many).
        """
        context = self._now().context
        spelling = await context.stored(context.store.spelling.add, clean_word(word))
        context.publish(SpellingChanged())
        return spelling

    async def remove_word(self, word: str) -> Spelling:
        """Take a word out of the personal dictionary; `SpellingChanged` tells it too."""
        context = self._now().context
        spelling = await context.stored(context.store.spelling.remove, clean_word(word))
        context.publish(SpellingChanged())
        return spelling
