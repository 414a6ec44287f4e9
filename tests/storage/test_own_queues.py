"""Relays, our queues there, and where contacts are written to."""

import pytest

from messenger.core.ids import Fingerprint
from messenger.core.models import Standing
from messenger.core.relays import Listing, OwnQueue, PersonStatus, RelayUse
from messenger.storage.store import Store
from tests.helpers.storage import add_contact, fingerprint

ONE, OTHER, THEIRS = (Fingerprint(bytes((number,)) * 32) for number in (1, 2, 3))
KEYS = (bytes(32), b"s" * 32, b"q" * 32)


@pytest.fixture
def relays(store: Store) -> Store:
    """Two relays of ours, the one before the other, and one of a contact's."""
    store.relays.add(ONE, ["one.example:42000", "192.0.2.1:42000"], RelayUse.OWN, 1)
    store.relays.add(OTHER, ["other.example:42000"], RelayUse.OWN, 2, b"token")
    store.relays.learn(THEIRS, "theirs.example:42000", RelayUse.UNASKED, 3)
    return store


def made(store: Store, relay: Fingerprint, conversation: object, number: int) -> OwnQueue:
    queue = store.queues.add(relay, conversation, KEYS, 10 + number)  # type: ignore[arg-type]
    store.queues.made(queue.id, bytes((number,)) * 24, bytes((100 + number,)) * 24)
    found = store.queues.get(queue.id)
    assert found is not None
    return found


def test_relays_are_kept_as_they_were_added(relays: Store) -> None:
    one, other, theirs = relays.relays.all()
    assert (one.address, one.addresses, one.use) == (
        "one.example:42000",
        ("one.example:42000", "192.0.2.1:42000"),
        RelayUse.OWN,
    )
    assert (relays.relays.token(ONE), relays.relays.token(OTHER)) == (b"", b"token")
    assert (other.listing, theirs.use) == (None, RelayUse.UNASKED)
    assert not relays.relays.learn(ONE, "elsewhere.example:1", RelayUse.UNASKED, 9), "ours stays ours"
    assert relays.relays.get(ONE) == one
    relays.relays.list_at(ONE, Listing(PersonStatus.AWAY, "about me"))
    listed = relays.relays.get(ONE)
    assert listed is not None
    assert listed.listing == Listing(PersonStatus.AWAY, "about me")
    assert relays.relays.next_serial(ONE, 50) == 50
    assert relays.relays.next_serial(ONE, 50) == 51, "it grows, whatever the clock says"


def test_a_contact_is_told_of_the_newest_queue_at_each_relay_of_ours(relays: Store) -> None:
    contact = add_contact(relays)
    late = made(relays, OTHER, contact.id, 1)
    made(relays, ONE, contact.id, 2)
    newest = made(relays, ONE, contact.id, 3)
    unmade = relays.queues.add(ONE, contact.id, KEYS, 20)
    assert not unmade.send_id
    assert relays.queues.for_contact(contact.id) == [newest, late]
    relays.queues.retire([late.id], 99)
    assert relays.queues.for_contact(contact.id) == [newest]
    relays.relays.set_use(ONE, RelayUse.LEAVING)
    assert relays.queues.for_contact(contact.id) == []
    assert "q" * 8 not in repr(newest)


def test_what_has_changed_is_told_once(relays: Store) -> None:
    contact = add_contact(relays)
    assert relays.queues.untold() == []
    queue = made(relays, ONE, contact.id, 1)
    first = relays.queues.change(contact.id)
    assert (relays.queues.untold(), first > 0) == ([contact.id], True)
    relays.queues.retire([queue.id], 99)
    relays.queues.told(contact.id, first)
    assert relays.queues.change(contact.id) > first, "something has changed meanwhile"
    relays.queues.told(contact.id, relays.queues.change(contact.id))
    assert relays.queues.untold() == []
    assert relays.queues.heard(queue.id, 100, known=True), "they write to a retired one: tell them again"
    assert relays.queues.untold() == [contact.id]
    after = relays.queues.get(queue.id)
    assert after is not None
    assert (after.used_ms, after.known, after.retired) == (100, True, True)


def test_the_queue_of_a_deleted_contact_is_wanted_by_nobody(relays: Store) -> None:
    contact = add_contact(relays)
    queue, requests = made(relays, ONE, contact.id, 1), made(relays, ONE, None, 2)
    assert relays.queues.for_requests() == [requests]
    relays.contacts.remove(contact.id)
    left = {each.id: each.unwanted for each in relays.queues.at(ONE)}
    assert left == {queue.id: True, requests.id: False}


def test_no_prekey_is_at_two_queues(relays: Store) -> None:
    ids = [bytes((number,)) * 16 for number in range(10)]
    relays.prekeys.add(fingerprint(1), [(id_, 1, b"secret") for id_ in ids])
    one, other = made(relays, ONE, None, 1), made(relays, OTHER, None, 2)
    first = relays.queues.assign_prekeys(one.id, ids, 4)
    second = relays.queues.assign_prekeys(other.id, ids, 4)
    assert (len(first), len(second), set(first) & set(second)) == (4, 4, set())
    assert relays.queues.assign_prekeys(one.id, ids, 0) == first, "they stay where they are"
    assert len(relays.queues.assign_prekeys(one.id, ids, 9)) == 6, "as many as there are"
    assert relays.queues.assign_prekeys(777, [b"x" * 16], 1) == [], "both are gone"
    relays.prekeys.use(first[0])
    assert first[0] not in relays.queues.assign_prekeys(one.id, ids[1:], 0)


def test_relays_that_nobody_needs_are_forgotten(relays: Store) -> None:
    contact = add_contact(relays)
    relays.places.put(contact.id, [(THEIRS, b"a place")])
    assert relays.relays.tidy() == [ONE, OTHER, THEIRS]
    assert relays.places.at(THEIRS) == [contact.id]
    assert not relays.places.put(contact.id, [(THEIRS, b"a place")]), "nothing new"
    assert relays.places.put(contact.id, [])
    assert relays.relays.tidy() == [ONE, OTHER]
    relays.places.put_first(contact.id, [(THEIRS, b"for requests")], b"secret of 16 byt")
    assert relays.places.first(contact.id) == ([(THEIRS, b"for requests")], b"secret of 16 byt")
    assert relays.places.at(THEIRS) == [contact.id]


def test_a_request_by_a_new_key_brings_its_places_along(relays: Store) -> None:
    contact = add_contact(relays)
    request = relays.contacts.add(fingerprint(77), standing=Standing.REQUEST, now_ms=5)
    relays.places.put(contact.id, [(THEIRS, b"old")])
    relays.places.put(request.id, [(THEIRS, b"new")])
    queue = made(relays, ONE, request.id, 1)
    relays.contacts.succeed(contact.id, fingerprint(77), old=contact.fingerprint, serial=1)
    assert relays.places.get(contact.id) == [(THEIRS, b"new")]
    moved = relays.queues.get(queue.id)
    assert moved is not None
    assert moved.conversation == contact.id
