"""Contacts who go on with another key, and what we have told them of our own."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from messenger.core import limits
from messenger.core.errors import InputError, InputProblem, StorageBug
from messenger.core.ids import ConversationId, Fingerprint
from messenger.core.models import Contact, KeyNews, MessageState, Standing
from messenger.storage.store import Store
from tests.helpers.storage import add_contact, add_theirs, fingerprint, message_id

NOBODY = ConversationId(4711)
OLD, NEW, NEWER = fingerprint(1), fingerprint(2), fingerprint(3)


def refused(action: Callable[[], object], problem: InputProblem = InputProblem.NOT_ALLOWED) -> None:
    with pytest.raises(InputError) as caught:
        action()
    assert caught.value.problem is problem


def succeed(store: Store, contact: Contact, new: Fingerprint = NEW, serial: int = 1) -> Contact:
    return store.contacts.succeed(contact.id, new, old=contact.fingerprint, serial=serial)


def test_the_same_contact_with_another_key(store: Store) -> None:
    contact, other = add_contact(store), add_contact(store, 9)
    store.contacts.update(contact.id, alias="my brother", verified=True, awaiting=True, seen_ms=7)
    before = store.contacts.note_address(contact.id, "a:1")
    store.contacts.set_pins(contact.id, 500, 3)
    store.contacts.set_knock(contact.id, bytes(32))
    assert store.contacts.succession(contact.id) == 0
    changed = succeed(store, contact, serial=5)
    stopped = KeyNews.STOP
    assert changed == msgspec.structs.replace(before, fingerprint=NEW, verified=False, key_news=stopped)
    assert store.contacts.by_fingerprint(NEW) == store.contacts.get(contact.id) == changed
    assert store.contacts.by_fingerprint(OLD) is None
    assert store.contacts.pins(contact.id) == (0, 0)
    assert store.contacts.knock(contact.id) == b""
    assert store.contacts.succession(contact.id) == 5
    assert store.contacts.all() == [changed, other]


def test_messages_and_what_waits_stay_where_they_are(store: Store) -> None:
    contact = add_contact(store)
    ours = store.messages.add_outgoing(contact.id, message_id(100), "ours", 1, 1)
    add_theirs(store, contact.id, 1)
    page = store.messages.page(contact.id)
    succeed(store, contact)
    assert store.messages.page(contact.id) == page
    assert store.messages.pending(contact.id, 0, 9) == [ours]
    next_ = store.messages.add_outgoing(contact.id, message_id(101), "ours too", 2, 2)
    assert next_.seq == ours.seq + 1


def test_a_key_that_was_given_up_never_comes_back(store: Store, path: Path, key: bytes) -> None:
    contact = succeed(store, add_contact(store))
    for standing in Standing:
        refused(lambda standing=standing: store.contacts.add(OLD, standing=standing, now_ms=1))  # type: ignore[misc]
    other = add_contact(store, 9)
    refused(lambda: succeed(store, other, OLD))
    refused(lambda: succeed(store, contact, OLD, serial=2))
    assert store.contacts.retired(OLD) == contact.id
    assert store.contacts.retired(NEW) is None
    store.close()
    again = Store.open(path, key)
    assert again.contacts.retired(OLD) == contact.id
    again.contacts.remove(contact.id)  # who is forgotten is forgotten
    assert again.contacts.retired(OLD) is None
    assert again.contacts.add(OLD, standing=Standing.REQUEST, now_ms=1).fingerprint == OLD
    again.close()


def test_several_steps_at_once_give_up_every_key_but_the_last(store: Store) -> None:
    contact = add_contact(store)
    changed = store.contacts.succeed(contact.id, NEWER, old=OLD, between=[NEW], serial=2)
    assert changed.fingerprint == NEWER
    assert store.contacts.retired(OLD) == store.contacts.retired(NEW) == contact.id
    assert store.contacts.retired(NEWER) is None
    refused(lambda: store.contacts.add(NEW, standing=Standing.REQUEST, now_ms=1))


@pytest.mark.parametrize("serial", [-1, 0, 4, 5])
def test_numbers_only_rise(store: Store, serial: int) -> None:
    contact = succeed(store, add_contact(store), serial=5)
    refused(lambda: succeed(store, contact, NEWER, serial=serial))
    assert store.contacts.get(contact.id) == contact
    assert succeed(store, contact, NEWER, serial=6).fingerprint == NEWER


def test_who_is_not_the_one_named(store: Store) -> None:
    contact = add_contact(store)
    refused(lambda: store.contacts.succeed(NOBODY, NEW, old=OLD, serial=1), InputProblem.UNKNOWN)
    refused(lambda: store.contacts.succeed(contact.id, NEW, old=NEWER, serial=1), InputProblem.UNKNOWN)
    assert store.contacts.all() == [contact]


def test_a_fingerprint_of_another_length_changes_nothing(store: Store) -> None:
    contact = add_contact(store)
    with pytest.raises(StorageBug):
        succeed(store, contact, Fingerprint(bytes(31)))
    assert store.contacts.all() == [contact]
    assert store.contacts.retired(OLD) is None


def test_a_request_by_the_new_key_is_merged(store: Store) -> None:
    contact = add_contact(store)
    request = add_contact(store, 2, standing=Standing.REQUEST)
    before = add_theirs(store, contact.id, 1, "before")
    add_theirs(store, request.id, 2, "meanwhile")
    ours = store.messages.add_outgoing(contact.id, message_id(100), "ours", 3, 3)
    add_theirs(store, request.id, 4, "and again")
    store.messages.mark_seen(contact.id, before)
    changed = succeed(store, contact)
    page = store.messages.page(contact.id)
    assert [message.text for message in page] == ["before", "meanwhile", "ours", "and again"]
    assert [message.state for message in page if not message.outgoing] == [
        MessageState.SEEN,
        MessageState.UNREAD,
        MessageState.UNREAD,
    ]
    assert {message.conversation for message in page} == {contact.id}
    assert store.messages.unread(contact.id) == 2
    assert store.messages.pending(contact.id, 0, 9) == [ours]
    assert store.contacts.all() == [changed]
    assert store.contacts.get(request.id) is None
    assert store.messages.page(request.id) == []
    assert [row.id for row in store.conversations()] == [contact.id]
    store.integrity_check()


def test_a_message_that_is_in_both_is_kept_once(store: Store) -> None:
    contact, request = add_contact(store), add_contact(store, 2, standing=Standing.REQUEST)
    for number, conversation in ((1, contact.id), (2, contact.id), (2, request.id), (3, request.id)):
        add_theirs(store, conversation, number, f"{number}")
    mine = store.messages.add_outgoing(contact.id, message_id(3), "the same id, but ours", 1, 1)
    succeed(store, contact)
    texts = [message.text for message in store.messages.page(contact.id)]
    assert texts == ["1", "2", "3", mine.message.text]
    assert store._database.number("SELECT count(*) FROM messages") == 4


def test_what_the_request_knew_is_kept(store: Store) -> None:
    contact, request = add_contact(store), add_contact(store, 2, standing=Standing.REQUEST)
    for address in ("b:1", "a:1"):
        store.contacts.note_address(contact.id, address)
    for address in ("b:1", "c:1"):
        store.contacts.note_address(request.id, address)
    store.contacts.update(contact.id, alias="my brother", seen_ms=5)
    store.contacts.update(request.id, seen_ms=8)
    changed = succeed(store, contact)
    assert changed.addresses == ("c:1", "b:1", "a:1")
    assert (changed.seen_ms, changed.title, changed.standing) == (8, "my brother", Standing.ACCEPTED)


def test_no_more_addresses_than_allowed(store: Store) -> None:
    contact, request = add_contact(store), add_contact(store, 2, standing=Standing.REQUEST)
    for number in range(limits.ADDRESSES_PER_CONTACT):
        store.contacts.note_address(contact.id, f"old{number}:1")
        store.contacts.note_address(request.id, f"new{number}:1")
    changed = succeed(store, contact)
    assert len(changed.addresses) == limits.ADDRESSES_PER_CONTACT
    assert all(address.startswith("new") for address in changed.addresses)


def test_requests_by_keys_between_are_merged_too(store: Store) -> None:
    contact = add_contact(store)
    for number in (2, 3):
        request = add_contact(store, number, standing=Standing.REQUEST)
        add_theirs(store, request.id, number, f"{number}")
    store.contacts.succeed(contact.id, NEWER, old=OLD, between=[NEW], serial=2)
    assert [message.text for message in store.messages.page(contact.id)] == ["2", "3"]
    assert len(store.contacts.all()) == 1


@pytest.mark.parametrize("standing", [Standing.ACCEPTED, Standing.BLOCKED])
def test_somebody_of_their_own_is_not_merged(store: Store, standing: Standing) -> None:
    contact = add_contact(store)
    request = add_contact(store, 2, standing=Standing.REQUEST)
    other = add_contact(store, 3, standing=standing)
    for number, conversation in ((1, contact.id), (2, request.id), (3, other.id)):
        add_theirs(store, conversation, number)
    before = [store.messages.page(each) for each in (contact.id, request.id, other.id)]
    refused(lambda: store.contacts.succeed(contact.id, NEWER, old=OLD, between=[NEW], serial=2))
    refused(lambda: succeed(store, contact, NEWER))
    assert store.contacts.all() == [contact, request, other]
    assert [store.messages.page(each) for each in (contact.id, request.id, other.id)] == before
    assert store.contacts.retired(OLD) is None


def test_who_is_blocked_stays_who_they_are(store: Store) -> None:
    contact = add_contact(store, standing=Standing.BLOCKED)
    refused(lambda: succeed(store, contact))
    assert store.contacts.all() == [contact]


def test_a_request_stays_a_request(store: Store) -> None:
    contact = add_contact(store, standing=Standing.REQUEST)
    assert succeed(store, contact).standing is Standing.REQUEST


# --- our own ---


def test_statements_by_number(store: Store, path: Path, key: bytes) -> None:
    assert store.successions.last() is None
    assert store.successions.next_serial() == 1
    store.successions.add(1, b"one", 5)
    store.successions.add(2, b"two", 6)
    store.close()
    again = Store.open(path, key)
    assert again.successions.last() == (2, b"two")
    assert again.successions.next_serial() == 3
    with pytest.raises(StorageBug):
        again.successions.add(2, b"another", 7)
    again.successions.drop_after(1)
    assert again.successions.last() == (1, b"one")
    again.successions.drop_after(0)
    assert again.successions.last() is None
    again.close()


def test_who_was_there_is_told_until_they_confirm(store: Store) -> None:
    friend, other = add_contact(store), add_contact(store, 2)
    store.successions.add(1, b"one", 5)
    store.successions.add(2, b"two", 6)
    store.successions.add(3, b"three", 7)
    assert store.successions.untold(friend.id, 3) == [b"one", b"two", b"three"]
    assert store.successions.untold(friend.id, 2) == [b"one", b"two"], "not those that are not in force"
    store.successions.confirm(friend.id, 2)
    assert store.successions.untold(friend.id, 3) == [b"three"]
    store.successions.confirm(friend.id, 1)
    assert store.successions.untold(friend.id, 3) == [b"three"], "a confirmation that comes late"
    store.successions.confirm(friend.id, 3)
    assert store.successions.untold(friend.id, 3) == []
    assert len(store.successions.untold(other.id, 3)) == 3
    assert store.successions.most_untold() == 3
    store.successions.confirm(NOBODY, 3)
    assert store.successions.untold(NOBODY, 3) == []


def test_who_comes_later_is_told_nothing(store: Store) -> None:
    store.successions.add(1, b"one", 5)
    late = add_contact(store)
    assert store.successions.untold(late.id, 1) == []
    store.successions.add(2, b"two", 6)
    assert store.successions.untold(late.id, 2) == [b"two"]
    assert add_contact(store) == late
    assert store.successions.untold(late.id, 2) == [b"two"]


def test_nobody_confirms_what_was_not_said(store: Store) -> None:
    """Whoever tries neither misses what follows nor uses up our numbers."""
    contact = add_contact(store)
    store.successions.confirm(contact.id, 2**32 - 1)
    assert store.successions.next_serial() == 1
    store.successions.add(1, b"one", 5)
    store.successions.confirm(contact.id, 2**32 - 1)
    store.successions.add(2, b"two", 6)
    assert store.successions.untold(contact.id, 2) == [b"two"]
    assert store.successions.next_serial() == 3


def test_a_number_is_not_used_again_once_somebody_may_have_seen_it(store: Store) -> None:
    store.successions.add(1, b"dropped", 5)
    contact = add_contact(store)
    store.successions.drop_after(0)
    serial = store.successions.next_serial()
    store.successions.add(serial, b"real", 6)
    assert store.successions.untold(contact.id, serial) == [b"real"]


def test_who_is_told_stays_told_when_they_move_themselves(store: Store) -> None:
    contact = add_contact(store)
    store.successions.add(1, b"one", 5)
    store.successions.confirm(contact.id, 1)
    moved = succeed(store, contact)
    assert store.successions.untold(moved.id, 1) == []


def test_the_longest_debt(store: Store) -> None:
    assert store.successions.most_untold() == 0
    for number, standing in ((1, Standing.ACCEPTED), (2, Standing.REQUEST), (3, Standing.BLOCKED)):
        add_contact(store, number, standing=standing)
    for serial in range(1, 5):
        store.successions.add(serial, b"statement", serial)
    for number, told in ((1, 3), (2, 2)):
        contact = store.contacts.by_fingerprint(fingerprint(number))
        assert contact is not None
        store.successions.confirm(contact.id, told)
    assert store.successions.most_untold() == 2, "who is blocked is told nothing"
