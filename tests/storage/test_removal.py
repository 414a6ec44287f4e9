"""Deleting a conversation: unseen at once, overwritten in steps, whatever happens in between."""

from collections.abc import Callable
from pathlib import Path

import pytest

from messenger.core import store_limits
from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId
from messenger.core.models import Draft, SearchQuery
from messenger.storage import backup, removal
from messenger.storage.reader import Reader
from messenger.storage.store import Store
from tests.helpers.storage import (
    ZEROS,
    add_contact,
    add_theirs,
    check_index,
    decrypted,
    fingerprint,
    message_id,
)

COUNT = 60


@pytest.fixture(autouse=True, params=[5, 10**9], ids=["many", "few"])
def small_steps(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways of clearing the index, in steps so small that there are some."""
    for name, number in (("SEARCH_BULK", request.param), ("REMOVE_STEP", 7), ("REMOVE_STEP_FEW", 7)):
        monkeypatch.setattr(store_limits, name, number)
    monkeypatch.setattr(store_limits, "SEARCH_MERGE", 1)


def two_conversations(store: Store) -> tuple[ConversationId, ConversationId]:
    gone, stays = add_contact(store, 1).id, add_contact(store, 2).id
    for number in range(1, COUNT + 1):
        add_theirs(store, gone, number, f"secretword{number} rendezvous")
        add_theirs(store, stays, number, f"harmless{number}")
    store.messages.add_outgoing(gone, message_id(1000), "secretword ours", 1, 1)
    store.drafts.set(gone, Draft("secretdraft"))
    store.contacts.note_address(gone, "secret.example:42000")
    return gone, stays


def nothing_shows(store: Store, reader: Reader, gone: ConversationId, stays: ConversationId) -> None:
    """Whoever asks for it by any way gets nothing."""
    assert [contact.id for contact in store.contacts.all()] == [stays]
    assert [row.id for row in reader.conversations()] == [stays]
    assert reader.conversation(gone) is None
    assert store.contacts.get(gone) is None
    assert store.contacts.by_fingerprint(fingerprint(1)) is None
    assert reader.messages(gone, count=99) == reader.messages(gone, after=0, count=99) == []
    assert reader.message(gone, message_id(1)) is None
    for text in ("rendezvous", "rendez", "secretword ours"):
        assert reader.find(SearchQuery(text=text)).messages == ()
        assert reader.find(SearchQuery(text=text, conversation=gone)).messages == ()
    assert [size.conversation for size in reader.sizes()] == [stays]
    assert store.messages.pending_conversations() == []
    assert store.messages.to_send(gone, 0, 9) == []
    assert store.drafts.get(gone) == Draft()
    assert store.retention.expire(1, 10**15) in (stays, None)


def test_it_is_unseen_at_once(store: Store, path: Path, key: bytes) -> None:
    gone, stays = two_conversations(store)
    reader = Reader.open(path, key)
    store.contacts.hide(gone)
    assert store._database.number("SELECT count(*) FROM messages WHERE conversation = ?", (gone,)) > COUNT
    nothing_shows(store, reader, gone, stays)
    reader.close()


def test_nothing_more_can_be_done_with_it(store: Store) -> None:
    gone, _ = two_conversations(store)
    store.contacts.hide(gone)
    deeds: tuple[Callable[[], object], ...] = (
        lambda: store.messages.add_outgoing(gone, message_id(5000), "x", 1, 1),
        lambda: store.messages.add_incoming(gone, message_id(5000), 99, ZEROS, "x", 1, 1),
        lambda: store.contacts.update(gone, alias="x"),
        lambda: store.contacts.note_address(gone, "x:1"),
        lambda: store.contacts.pins(gone),
        lambda: store.contacts.set_pins(gone, 1, 1),
        lambda: store.contacts.set_knock(gone, bytes(32)),
        lambda: store.drafts.set(gone, Draft("x")),
        lambda: store.retention.set(gone, 5),
    )
    for deed in deeds:
        with pytest.raises(InputError) as caught:
            deed()
        assert caught.value.problem is InputProblem.UNKNOWN
    store.contacts.hide(gone)  # and hiding it again changes nothing
    store.contacts.hide(ConversationId(4711))


def test_killed_between_any_two_steps(path: Path, key: bytes) -> None:
    """Each step in a program of its own; meanwhile others write, and the same person comes back."""
    store = Store.open(path, key)
    gone, stays = two_conversations(store)
    store.contacts.hide(gone)
    back = add_contact(store, 1).id
    add_theirs(store, back, 1, "hello again")
    assert back != gone
    steps = 0
    while True:
        store.close()
        store = Store.open(path, key)
        left = store._database.number("SELECT count(*) FROM messages WHERE conversation = ?", (gone,))
        if not store.contacts.remove_more():
            break
        now = store._database.number("SELECT count(*) FROM messages WHERE conversation = ?", (gone,))
        assert left - now <= 7
        steps += 1
        add_theirs(store, stays, COUNT + steps, f"meanwhile{steps}")
        store.integrity_check()
    assert steps > COUNT // 7
    check_index(store)
    assert [message.text for message in store.messages.page(back)] == ["hello again"]
    assert len(store.messages.page(stays)) == COUNT + steps
    for word in (b"ecretword", b"endezvous", b"ecretdraft", b"ecret.example"):
        assert word not in decrypted(path, key), word
    assert store._database.number("SELECT count(*) FROM contacts") == 2
    add_theirs(store, stays, 999, "fleeting")
    store._database.rows("DELETE FROM messages WHERE text = 'fleeting'")
    store._database.empty_log()
    assert b"fleeting" not in decrypted(path, key), "what is deleted later is overwritten at once again"
    store.close()


def test_a_backup_from_in_between_goes_on_with_it(store: Store, path: Path, key: bytes) -> None:
    gone, stays = two_conversations(store)
    store.contacts.hide(gone)
    store.contacts.remove_more()
    made = backup.make(path, key, 1_760_000_000_000)
    store.contacts.remove(gone)
    store.close()
    backup.restore(path, key, made.name, 1_760_000_000_000)
    store, reader = Store.open(path, key), Reader.open(path, key)
    nothing_shows(store, reader, gone, stays)
    reader.close()
    while store.contacts.remove_more():
        pass
    check_index(store)
    assert b"armless" in decrypted(path, key)
    assert b"ecretword" not in decrypted(path, key)
    store.close()


def test_two_at_a_time(store: Store, path: Path, key: bytes) -> None:
    gone, stays = two_conversations(store)
    store.contacts.hide(gone)
    store.contacts.remove_more()
    store.contacts.hide(stays)
    while store.contacts.remove_more():
        pass
    assert store.contacts.all() == []
    assert b"armless" not in decrypted(path, key)
    check_index(store)


def test_every_table_of_a_conversation_is_thought_of(store: Store) -> None:
    """A new one belongs into the list too, unless it can be long."""
    tables = [row[0] for row in store._database.rows("SELECT name FROM pragma_table_list WHERE strict")]
    parents = "SELECT 1 FROM pragma_foreign_key_list(?) WHERE \"table\" IN ('contacts', 'sealed_sessions')"
    of_contacts = {table for table in tables if store._database.row(parents, (table,))}
    named = {each.partition(" ")[0] for each in removal._AT_ONCE}
    with_them = {"sealed_ids", "queues"}  # go with the session, and when their relays have deleted them
    assert of_contacts - named - with_them == {"messages", "forgotten"}
