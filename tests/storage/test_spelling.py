"""The personal dictionary, in the encrypted database."""

from pathlib import Path

import pytest

from messenger.core import window_limits as limits
from messenger.core.errors import InputError
from messenger.core.spelling import Spelling
from messenger.storage.store import Store


def test_words_and_languages_come_back_after_a_restart(path: Path, key: bytes) -> None:
    store = Store.open(path, key)
    assert store.spelling.get() == Spelling()
    store.spelling.set_languages(("de_DE", "en_GB"))
    store.spelling.add("Sotto")
    assert store.spelling.add("Sotto") == store.spelling.get()
    store.spelling.add("Zoë")
    store.close()
    store = Store.open(path, key)
    assert store.spelling.get() == Spelling(("de_DE", "en_GB"), ("Sotto", "Zoë"))
    assert store.spelling.remove("Sotto").words == ("Zoë",)
    assert store.spelling.set_languages(()).words == ("Zoë",)
    store.close()


def test_no_file_has_the_words_as_they_are(path: Path, key: bytes) -> None:
    store = Store.open(path, key)
    store.spelling.add("Unmistakable")
    for file in path.parent.iterdir():
        assert b"Unmistakable" not in file.read_bytes(), file
    store.close()


def test_there_is_an_end_to_it(store: Store) -> None:
    words = tuple(f"word{number}" for number in range(limits.SPELLED_WORDS_MAX))
    store.spelling._put(Spelling((), words))
    with pytest.raises(InputError):
        store.spelling.add("onemore")
    assert store.spelling.get().words == words


@pytest.mark.parametrize("stored", [b"", b"[", b"[1]", b'{"words":[1]}', b"\xff", b'{"words":["\xff"]}'])
def test_what_cannot_be_read_is_nothing(store: Store, stored: bytes) -> None:
    store.meta.put("spelling", stored)
    assert store.spelling.get() == Spelling()
