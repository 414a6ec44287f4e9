"""Sealed sessions and prekeys on the disk: what belongs together, and what goes when."""

from pathlib import Path

import pytest

from messenger.core.errors import StorageBug
from messenger.core.ids import ConversationId, Fingerprint
from messenger.core.models import MessageState, Standing
from messenger.storage.database import Database
from messenger.storage.schema import MIGRATIONS, copy_name, open_current
from messenger.storage.sealed import SealedCopy
from messenger.storage.store import Store
from tests.helpers.storage import add_contact, fingerprint, message_id

ME, BEFORE = fingerprint(1000), fingerprint(1001)
SID = [bytes([number]) * 32 for number in range(9)]


def queued(store: Store, conversation: ConversationId, number: int) -> int:
    """A message of ours that waits; its position."""
    outgoing = store.messages.add_outgoing(conversation, message_id(number), "text", number, number)
    return outgoing.message.position


def test_sessions_and_their_ids(store: Store) -> None:
    one, two = add_contact(store, 1).id, add_contact(store, 2).id
    assert store.sealed.state(one, ME) is None
    store.sealed.put(one, ME, b"first", [SID[1], SID[2]])
    store.sealed.put(two, ME, b"other", [SID[5]])
    store.sealed.put(one, ME, b"second", [SID[2], SID[3]])
    assert (store.sealed.state(one, ME), store.sealed.state(two, ME)) == (b"second", b"other")
    assert [store.sealed.with_sid(sid) for sid in SID[:6]] == [None, None, one, one, None, two]
    assert store.sealed.conversations() == [one, two]
    assert store.sealed.state(one, BEFORE) is None, "those of somebody else, who we were"
    with pytest.raises(StorageBug):
        store.sealed.put(two, ME, b"stolen", [SID[5], SID[2]])
    assert store.sealed.state(two, ME) == b"other"


def test_sealed_copies_go_with_the_receipt(store: Store) -> None:
    contact = add_contact(store).id
    places = {number: queued(store, contact, number) for number in (1, 2, 3)}
    for number, position in places.items():
        store.sealed.keep_copy(position, SealedCopy(SID[number], 1, b"sealed"))
    assert store.sealed.copy(places[1]) == SealedCopy(SID[1], 1, b"sealed")
    assert store.sealed.waiting(contact, message_id(1)) == store.messages.pending(contact, 0, 1)[0]
    store.messages.advance(contact, [message_id(1)], MessageState.DELIVERED)
    store.messages.advance(contact, [message_id(2)], MessageState.FAILED)
    assert [store.sealed.copy(position) for position in places.values()] == [
        None,
        None,
        SealedCopy(SID[3], 1, b"sealed"),
    ]
    assert store.sealed.waiting(contact, message_id(1)) is None
    assert store.sealed.waiting(contact, message_id(9)) is None
    store.messages.advance(contact, [message_id(2)], MessageState.QUEUED)
    assert store.sealed.copy(places[2]) is None
    assert "sealed" not in repr(SealedCopy(SID[1], 1, b"sealed")).removeprefix("SealedCopy")


def test_another_session_for_sending(store: Store) -> None:
    one, two = add_contact(store, 1).id, add_contact(store, 2).id
    places = [queued(store, one, 1), queued(store, one, 2), queued(store, two, 3)]
    for position, sid in zip(places, SID, strict=False):
        store.sealed.keep_copy(position, SealedCopy(sid, 1, b"sealed"))
    store.messages.advance(one, [message_id(1)], MessageState.SENT)
    store.messages.advance(two, [message_id(3)], MessageState.SENT)
    failed = queued(store, one, 4)
    store.messages.advance(one, [message_id(4)], MessageState.FAILED)
    moved = store.sealed.replaced(one, SID[1])
    assert [(message.id, message.state) for message in moved] == [(message_id(1), MessageState.QUEUED)]
    assert [store.sealed.copy(position) is None for position in places] == [True, False, False]
    (last,) = [each for each in store.messages.page(one) if each.position == failed]
    assert last.state is MessageState.FAILED


def test_receipts_that_are_due(store: Store) -> None:
    contact = add_contact(store).id
    ids = [message_id(number) for number in range(5)]
    store.sealed.add_receipts(contact, ids[:3])
    store.sealed.add_receipts(contact, ids[2:])
    assert sorted(store.sealed.receipts(contact, 100)) == ids
    assert len(store.sealed.receipts(contact, 2)) == 2
    store.sealed.drop_receipts(contact, [*ids[:4], message_id(77)])
    assert store.sealed.receipts(contact, 100) == ids[4:]


def test_first_contacts_are_remembered_for_a_while(store: Store) -> None:
    store.sealed.take(fingerprint(1), message_id(1), 100)
    assert store.sealed.taken(fingerprint(1), message_id(1))
    assert not store.sealed.taken(fingerprint(2), message_id(1))
    assert not store.sealed.taken(fingerprint(1), message_id(2))
    store.sealed.purge(100)
    assert store.sealed.taken(fingerprint(1), message_id(1))
    store.sealed.purge(101)
    assert not store.sealed.taken(fingerprint(1), message_id(1))


def test_serials_rise_only(store: Store) -> None:
    contact = add_contact(store).id
    seen = []
    for serial in (5, 3, 8):
        store.sealed.pin_serial(contact, serial)
        seen.append(store.sealed.serial(contact))
    assert seen == [5, 5, 8]


def test_a_new_key_of_a_contact_ends_their_sessions(store: Store) -> None:
    """What was with a carrier waits again; receipts of a request that is merged go on."""
    contact = add_contact(store, 1)
    request = add_contact(store, 2, standing=Standing.REQUEST)
    position = queued(store, contact.id, 1)
    for each in (contact, request):
        store.sealed.put(each.id, ME, b"state", [SID[each.id]])
        store.sealed.add_receipts(each.id, [message_id(each.id)])
    store.sealed.keep_copy(position, SealedCopy(SID[contact.id], 1, b"sealed"))
    store.sealed.pin_serial(contact.id, 9)
    store.messages.advance(contact.id, [message_id(1)], MessageState.SENT)
    store.contacts.succeed(contact.id, request.fingerprint, old=contact.fingerprint, serial=1)
    assert store.sealed.conversations() == []
    assert [store.sealed.with_sid(sid) for sid in SID] == [None] * len(SID)
    assert store.sealed.copy(position) is None
    assert store.sealed.serial(contact.id) == 0
    assert [message.state for message in store.messages.page(contact.id)] == [MessageState.QUEUED]
    assert len(store.sealed.receipts(contact.id, 9)) == 2


def test_a_contact_takes_everything_along(store: Store) -> None:
    contact = add_contact(store).id
    position = queued(store, contact, 1)
    store.sealed.put(contact, ME, b"state", [SID[0]])
    store.sealed.keep_copy(position, SealedCopy(SID[0], 1, b"sealed"))
    store.sealed.add_receipts(contact, [message_id(5)])
    store.contacts.remove(contact)
    assert store.sealed.with_sid(SID[0]) is None
    assert store.sealed.copy(position) is None
    assert store.sealed.receipts(contact, 9) == []
    store.integrity_check()


def test_who_we_were(store: Store) -> None:
    one, two = add_contact(store, 1).id, add_contact(store, 2).id
    store.sealed.put(one, BEFORE, b"old", [SID[1]])
    store.sealed.put(two, ME, b"new", [SID[2]])
    queued(store, one, 1)
    store.messages.advance(one, [message_id(1)], MessageState.SENT)
    store.prekeys.add(BEFORE, [(bytes(16), 1, b"old")])
    store.prekeys.add(ME, [(b"n" * 16, 1, b"new")])
    store.prekeys.put_list(BEFORE, 1, b"old list")
    store.prekeys.put_list(ME, 1, b"new list")
    assert [message.state for message in store.sealed.keep_only(ME)] == [MessageState.QUEUED]
    assert store.sealed.conversations() == [two]
    assert (store.prekeys.all(BEFORE), store.prekeys.all(ME)) == ([], [b"new"])
    assert store.prekeys.list(BEFORE) is None
    assert store.prekeys.list(ME) == (1, b"new list")
    assert store.sealed.keep_only(ME) == []


def test_prekeys(store: Store) -> None:
    ids = [bytes([number]) * 16 for number in range(4)]
    store.prekeys.add(ME, [(id_, 100 + number, id_[:3]) for number, id_ in enumerate(ids)])
    assert store.prekeys.get(ids[1], ME) == ids[1][:3]
    assert store.prekeys.get(ids[1], BEFORE) is None
    store.prekeys.use(ids[1])
    assert store.prekeys.get(ids[1], ME) is None
    assert store.prekeys.all(ME) == [ids[0][:3], ids[2][:3], ids[3][:3]]
    store.prekeys.purge(102)
    assert store.prekeys.all(ME) == [ids[2][:3], ids[3][:3]]
    store.prekeys.put_list(ME, 5, b"list")
    store.prekeys.put_list(ME, 6, b"newer")
    assert store.prekeys.list(ME) == (6, b"newer")


def test_a_used_prekey_is_nowhere_in_the_file(path: Path, key: bytes) -> None:
    """Not even for somebody who has the key of the database: its pages hold zeros, and its log is empty."""
    store = Store.open(path, key)
    used, unused = bytes(range(64)), bytes(range(64, 128))
    store.prekeys.add(ME, [(bytes(16), 1, used), (b"u" * 16, 1, unused)])
    store.prekeys.use(bytes(16))
    store.prekeys.shred()
    assert path.with_name(f"{path.name}-wal").stat().st_size == 0
    store.close()
    database = Database.open(path, key)
    database.rows("PRAGMA journal_mode = delete")
    database.rows("PRAGMA rekey = ''")
    database.close()
    plain = path.read_bytes()
    assert unused in plain
    assert used not in plain


def test_a_copy_is_marked_and_holds_no_prekeys(path: Path, key: bytes) -> None:
    """The copy that is made before a migration is a backup; the database itself goes on as it was."""
    store = Store.open(path, key)
    contact = add_contact(store).id
    position = queued(store, contact, 1)
    store.sealed.put(contact, ME, b"state", [SID[0]])
    store.sealed.keep_copy(position, SealedCopy(SID[0], 1, b"sealed"))
    store.prekeys.add(ME, [(bytes(16), 1, b"secret")])
    store.prekeys.put_list(ME, 1, b"list")
    assert not store.sealed.restored()
    store.close()
    next_ = (*MIGRATIONS, "CREATE TABLE later (a INTEGER) STRICT")
    open_current(path, key, next_).close()
    database = Database.open(path, key)
    assert not Store(database).sealed.restored()
    assert Store(database).prekeys.all(ME) == [b"secret"]
    database.close()
    copy = Store(Database.open(copy_name(path, len(MIGRATIONS)), key))
    assert copy.sealed.restored()
    assert copy.prekeys.all(ME) == []
    assert copy.prekeys.list(ME) is None
    assert copy.sealed.copy(position) is None
    assert copy.sealed.state(contact, ME) == b"state", "what was sent to it can be opened"
    copy.sealed.settle_restored()
    assert not copy.sealed.restored()
    copy.close()


def test_one_transaction_of_several(store: Store) -> None:
    """All of it or nothing, also if the last step fails."""
    contact = add_contact(store).id

    def several(last: Fingerprint) -> None:
        with store.transaction():
            store.sealed.put(contact, ME, b"state", [SID[0]])
            store.messages.add_incoming(contact, message_id(1), 1, bytes(32), "text", 1, 1)
            store.contacts.add(last, standing=Standing.REQUEST, now_ms=1)

    with pytest.raises(StorageBug):
        several(Fingerprint(b"too short"))
    assert store.sealed.state(contact, ME) is None
    assert store.messages.page(contact) == []
    several(fingerprint(7))
    assert store.sealed.state(contact, ME) == b"state"
    assert len(store.messages.page(contact)) == 1
