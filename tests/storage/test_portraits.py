"""Profile pictures in the database: only what is missing is taken, and it goes with its contact."""

from hashlib import sha256
from pathlib import Path

import pytest

from messenger.core.ids import ConversationId
from messenger.core.models import Contact
from messenger.storage.reader import Reader
from messenger.storage.store import Store
from tests.helpers.portraits import portrait, with_segment
from tests.helpers.storage import add_contact

FIRST, SECOND = portrait(1), portrait(2)
NOBODY = ConversationId(99)


@pytest.fixture
def bob(store: Store) -> Contact:
    return add_contact(store)


def digest(content: bytes) -> bytes:
    return sha256(content).digest()


def test_our_own(store: Store, path: Path, key: bytes) -> None:
    assert (store.portraits.own(), store.portraits.own_hash()) == (None, None)
    store.portraits.set_own(FIRST)
    assert (store.portraits.own(), store.portraits.own_hash()) == (FIRST, digest(FIRST))
    reader = Reader.open(path, key)
    assert reader.portrait(digest(FIRST)) == FIRST
    assert reader.portrait(digest(SECOND)) == b""
    store.portraits.set_own(b"")
    assert (store.portraits.own(), store.portraits.own_hash()) == (b"", b"")
    assert reader.portrait(digest(FIRST)) == b""
    reader.close()


def test_what_was_announced_is_taken_and_shown(store: Store, bob: Contact, path: Path, key: bytes) -> None:
    assert store.portraits.announced(bob.id, digest(FIRST))
    assert store.portraits.wanted(bob.id) == digest(FIRST)
    assert not store.portraits.announced(bob.id, digest(FIRST)), "nothing new"
    assert store.portraits.take(bob.id, FIRST)
    assert store.portraits.wanted(bob.id) == b""
    contact = store.contacts.get(bob.id)
    assert contact is not None
    assert contact.portrait == digest(FIRST)
    reader = Reader.open(path, key)
    assert reader.portrait(digest(FIRST)) == FIRST
    reader.close()
    assert not store.portraits.announced(bob.id, digest(FIRST)), "it is here"


def test_the_old_one_stays_until_the_new_one_is_here(store: Store, bob: Contact) -> None:
    store.portraits.announced(bob.id, digest(FIRST))
    store.portraits.take(bob.id, FIRST)
    assert store.portraits.announced(bob.id, digest(SECOND))
    assert store.portraits.get(bob.id) == FIRST
    assert not store.portraits.take(bob.id, FIRST), "that is not the one"
    assert store.portraits.announced(bob.id, digest(FIRST)), "they have gone back to it"
    assert store.portraits.wanted(bob.id) == b""
    store.portraits.announced(bob.id, digest(SECOND))
    assert store.portraits.take(bob.id, SECOND)
    assert store.portraits.get(bob.id) == SECOND
    assert store.portraits.announced(bob.id, b"")
    assert store.portraits.get(bob.id) == b""
    assert store._database.number("SELECT count(*) FROM portraits") == 0


def test_what_nobody_asked_for_or_is_no_portrait_is_not_taken(store: Store, bob: Contact) -> None:
    assert not store.portraits.take(bob.id, FIRST)
    for wrong in (with_segment(0xE1, b"Exif\0\0a place"), b"\x89PNG\r\n\x1a\n", b""):
        store.portraits.announced(bob.id, digest(wrong))
        assert not store.portraits.take(bob.id, wrong)
        assert store.portraits.get(bob.id) == b""


def test_it_goes_with_the_contact(store: Store, bob: Contact) -> None:
    store.portraits.announced(bob.id, digest(FIRST))
    store.portraits.take(bob.id, FIRST)
    store.contacts.hide(bob.id)
    assert store._database.number("SELECT count(*) FROM portraits") == 0, "before the messages"
    row = store._database.row("SELECT portrait, portrait_wanted, portrait_asked FROM contacts")
    assert row == (b"", b"", 0)
    assert not store.portraits.announced(bob.id, digest(SECOND))
    assert not store.portraits.take(bob.id, FIRST)
    assert not store.portraits.announced(NOBODY, digest(FIRST))


def test_who_asked_is_given_ours_once(store: Store, bob: Contact) -> None:
    assert not store.portraits.asked(bob.id)
    store.portraits.ask(bob.id)
    assert store.portraits.asked(bob.id)
    change = store.queues.change(bob.id)
    assert store.queues.untold() == [bob.id]
    store.queues.note_news(bob.id)
    store.queues.told(bob.id, change - 1)
    assert store.portraits.asked(bob.id), "something else was told"
    store.queues.told(bob.id, change)
    assert not store.portraits.asked(bob.id)
