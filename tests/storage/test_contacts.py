import logging
from pathlib import Path

import msgspec
import pytest

from messenger.core import limits
from messenger.core.errors import DatabaseDamaged, InputError, InputProblem, StorageBug
from messenger.core.ids import ConversationId, Fingerprint
from messenger.core.models import Contact, Standing
from messenger.storage.contacts import ContactChanges
from messenger.storage.database import Database
from messenger.storage.store import Store
from tests.helpers.storage import ZEROS, add_contact, add_theirs, fingerprint, message_id

NOBODY = ConversationId(4711)


def test_add_and_find(store: Store) -> None:
    contact = store.contacts.add(
        fingerprint(1),
        name="Bob 👋",
        standing=Standing.REQUEST,
        awaiting=True,
        addresses=["10.0.0.1:42000", "[fe80::1%eth0]:42000"],
        now_ms=1_700_000_000_000,
    )
    assert contact == Contact(
        id=contact.id,
        fingerprint=fingerprint(1),
        name="Bob 👋",
        standing=Standing.REQUEST,
        awaiting=True,
        addresses=("10.0.0.1:42000", "[fe80::1%eth0]:42000"),
        created_ms=1_700_000_000_000,
    )
    assert store.contacts.get(contact.id) == contact
    assert store.contacts.by_fingerprint(fingerprint(1)) == contact
    assert store.contacts.get(NOBODY) is None
    assert store.contacts.by_fingerprint(fingerprint(2)) is None


def test_all_in_the_order_of_adding_and_after_a_restart(path: Path, key: bytes) -> None:
    store = Store.open(path, key)
    contacts = [add_contact(store, number) for number in (3, 1, 2)]
    store.close()
    store = Store.open(path, key)
    assert store.contacts.all() == contacts
    store.close()


def test_adding_somebody_again_changes_nothing(store: Store) -> None:
    contact = store.contacts.add(fingerprint(1), name="Bob", standing=Standing.BLOCKED, now_ms=5)
    again = store.contacts.add(fingerprint(1), name="Mallory", standing=Standing.ACCEPTED, now_ms=6)
    assert again == contact
    assert store.contacts.all() == [contact]


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_fingerprint_of_another_length_is_a_bug(store: Store, size: int) -> None:
    with pytest.raises(StorageBug):
        store.contacts.add(Fingerprint(bytes(size)), standing=Standing.ACCEPTED, now_ms=0)
    assert store.contacts.all() == []


@pytest.mark.parametrize(
    "changes",
    [
        ContactChanges(name="Robert"),
        ContactChanges(alias="my brother"),
        ContactChanges(standing=Standing.BLOCKED),
        ContactChanges(awaiting=True),
        ContactChanges(verified=True),
        ContactChanges(seen_ms=123),
        ContactChanges(name="Robert", alias="", verified=True, seen_ms=5),
        ContactChanges(),
    ],
)
def test_update_changes_what_is_named_and_nothing_else(store: Store, changes: ContactChanges) -> None:
    before, other = add_contact(store), add_contact(store, 2)
    after = store.contacts.update(before.id, **changes)
    assert after == msgspec.structs.replace(before, **changes)
    assert store.contacts.all() == [after, other]


def test_update_can_take_back(store: Store) -> None:
    contact = add_contact(store)
    store.contacts.update(contact.id, alias="x", verified=True, awaiting=True, seen_ms=1)
    assert (
        store.contacts.update(contact.id, alias="", verified=False, awaiting=False, seen_ms=None) == contact
    )


def test_the_newest_address_stands_first(store: Store) -> None:
    contact = add_contact(store)
    for address in ("a:1", "b:1", "c:1", "a:1"):
        contact = store.contacts.note_address(contact.id, address)
    assert contact.addresses == ("a:1", "c:1", "b:1")
    assert store.contacts.get(contact.id) == contact


def test_only_the_newest_addresses_are_kept(store: Store) -> None:
    contact = add_contact(store)
    addresses = [f"h{number}:1" for number in range(limits.ADDRESSES_PER_CONTACT + 3)]
    for address in addresses:
        contact = store.contacts.note_address(contact.id, address)
    newest_first = tuple(reversed(addresses))[: limits.ADDRESSES_PER_CONTACT]
    assert contact.addresses == newest_first
    added = store.contacts.add(fingerprint(9), standing=Standing.ACCEPTED, addresses=addresses, now_ms=0)
    assert added.addresses == tuple(addresses[: limits.ADDRESSES_PER_CONTACT])


def test_knock_secrets_are_kept_for_each_contact_and_listed_for_accepted_ones(store: Store) -> None:
    friend = store.contacts.add(Fingerprint(bytes([1]) * 32), standing=Standing.ACCEPTED, now_ms=1)
    stranger = store.contacts.add(Fingerprint(bytes([2]) * 32), standing=Standing.REQUEST, now_ms=1)
    assert store.contacts.knock(friend.id) == b""
    assert store.contacts.knocks() == []
    store.contacts.set_knock(friend.id, bytes([7]) * 32)
    store.contacts.set_knock(stranger.id, bytes([8]) * 32)
    assert store.contacts.knock(friend.id) == bytes([7]) * 32
    assert store.contacts.knock(NOBODY) == b""
    assert store.contacts.knocks() == [bytes([7]) * 32]
    with pytest.raises(InputError):
        store.contacts.set_knock(NOBODY, b"")


def test_pins_never_become_smaller(store: Store) -> None:
    contact, other = add_contact(store), add_contact(store, 2)
    assert store.contacts.pins(contact.id) == (0, 0)
    for pins, expected in [((5, 1), (5, 1)), ((4, 2), (5, 2)), ((6, 1), (6, 2)), ((0, 0), (6, 2))]:
        store.contacts.set_pins(contact.id, *pins)
        assert store.contacts.pins(contact.id) == expected
    assert store.contacts.pins(other.id) == (0, 0)


def test_count_requests(store: Store) -> None:
    assert store.contacts.count_requests() == 0
    for number, standing in enumerate(
        [Standing.REQUEST, Standing.ACCEPTED, Standing.REQUEST, Standing.BLOCKED]
    ):
        contact = add_contact(store, number, standing=standing)
    assert store.contacts.count_requests() == 2
    store.contacts.update(contact.id, standing=Standing.REQUEST)
    assert store.contacts.count_requests() == 3


def test_remove_takes_messages_and_outbox_too(store: Store) -> None:
    contact, other = add_contact(store), add_contact(store, 2)
    for conversation in (contact.id, other.id):
        store.messages.add_outgoing(conversation, message_id(conversation), "ours", 1, 1)
        add_theirs(store, conversation, 1)
    store.contacts.remove(contact.id)
    store.contacts.remove(contact.id)
    assert store.contacts.all() == [other]
    assert store.messages.page(contact.id) == []
    assert store.messages.pending(contact.id, 0, 9) == []
    assert len(store.messages.page(other.id)) == 2
    assert len(store.messages.pending(other.id, 0, 9)) == 1
    assert store._database.number("SELECT count(*) FROM outbox") == 1
    store.integrity_check()


def test_a_number_is_never_given_to_somebody_else(store: Store) -> None:
    removed = add_contact(store)
    store.contacts.remove(removed.id)
    back = add_contact(store)
    assert back.id > removed.id
    outgoing = store.messages.add_outgoing(back.id, message_id(1), "first", 1, 1)
    assert (outgoing.seq, outgoing.prev) == (1, ZEROS)


def test_remove_empties_the_log(store: Store, path: Path) -> None:
    contact = add_contact(store)
    log = path.with_name(path.name + "-wal")
    assert log.stat().st_size > 0
    store.contacts.remove(contact.id)
    assert log.stat().st_size == 0


def test_remove_while_somebody_reads(
    store: Store, path: Path, key: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    contact = add_contact(store)
    reading = Database.open(path, key, read_only=True)
    reading.rows("BEGIN")
    assert reading.number("SELECT count(*) FROM contacts") == 1
    store._database._connection.set_busy_timeout(0)
    with caplog.at_level(logging.WARNING):
        store.contacts.remove(contact.id)
    assert "could not be emptied" in caplog.text
    assert store.contacts.all() == []
    assert reading.number("SELECT count(*) FROM contacts") == 1
    reading.rows("COMMIT")
    assert reading.number("SELECT count(*) FROM contacts") == 0
    reading.close()


def test_who_is_not_there_is_refused(store: Store) -> None:
    for action in (
        lambda: store.contacts.update(NOBODY, name="x"),
        lambda: store.contacts.note_address(NOBODY, "a:1"),
        lambda: store.contacts.pins(NOBODY),
        lambda: store.contacts.set_pins(NOBODY, 1, 1),
    ):
        with pytest.raises(InputError) as caught:
            action()
        assert caught.value.problem is InputProblem.UNKNOWN
    assert add_contact(store) == store.contacts.all()[0]  # no transaction was left open


@pytest.mark.parametrize(
    "damage", ["standing = 99", "addresses = x'c1'", "addresses = x'9101'", "addresses = x'91a1ff'"]
)
def test_values_that_nobody_wrote(store: Store, damage: str) -> None:
    contact = add_contact(store)
    store._database.rows(f"UPDATE contacts SET {damage}")  # noqa: S608
    with pytest.raises(DatabaseDamaged):
        store.contacts.get(contact.id)


def test_how_a_conversation_is_kept_in_order_survives_a_restart(path: Path, key: bytes) -> None:
    store = Store.open(path, key)
    contact = add_contact(store)
    assert (contact.note, contact.pinned, contact.muted, contact.archived) == ("", False, False, False)
    changed = store.contacts.update(contact.id, note="tall", pinned=True, muted=True, archived=True)
    assert changed == msgspec.structs.replace(contact, note="tall", pinned=True, muted=True, archived=True)
    store.close()
    store = Store.open(path, key)
    assert store.contacts.get(contact.id) == changed
    row = store.conversation(contact.id)
    assert row is not None
    assert row.contact == changed
    store.close()
