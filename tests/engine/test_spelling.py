"""What a profile keeps about spelling, as commands."""

import pytest

from messenger.core.errors import InputError
from messenger.core.spelling import Spelling
from messenger.engine.events import SpellingChanged
from tests.helpers.engines import People


async def test_words_and_languages_are_kept_and_told_of(people: People) -> None:
    alice = await people("alice")
    assert await alice.engine.spelling() == Spelling()
    assert await alice.engine.add_word(" l’été ") == Spelling((), ("l'été",))
    await alice.wait_for(SpellingChanged)
    assert await alice.engine.set_spelling_languages(("fr_FR",)) == Spelling(("fr_FR",), ("l'été",))
    assert await alice.engine.remove_word("l'été") == Spelling(("fr_FR",))
    assert await alice.engine.spelling() == Spelling(("fr_FR",))
    for refused in ("two words", "", "x" * 1000):
        with pytest.raises(InputError):
            await alice.engine.add_word(refused)
    with pytest.raises(InputError):
        await alice.engine.set_spelling_languages(("../x",))
    assert await alice.engine.spelling() == Spelling(("fr_FR",))
    assert "été" not in repr(alice.events)
