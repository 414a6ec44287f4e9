"""Transfers as they are stored: wishes, the journal of chunks, and what an end leaves."""

import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from messenger.core import offering, store_limits
from messenger.core.chained import Chained, ChainKind
from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId, Fingerprint, MessageId
from messenger.core.models import Message, MessageState, SearchQuery, Standing
from messenger.core.offering import Offering
from messenger.core.ranges import Ranges
from messenger.core.transfers import TransferId, TransferState, Trouble, Wish
from messenger.storage import backup
from messenger.storage.endings import Ending
from messenger.storage.store import Store

OFFERED = Offering(
    names=("holiday.mp4", "plan"), tops=3, files=3, folders=1, size=9, root=bytes(32), manifest=4, media=0
)
BODY = offering.encode(OFFERED)
ID, OTHER = MessageId(b"o" * 16), MessageId(b"p" * 16)
NOW = 1_760_000_000_000


@pytest.fixture
def store(tmp_path: Path, key: bytes) -> Iterator[Store]:
    opened = Store.open(tmp_path / "sotto.db", key)
    yield opened
    opened.close()


@pytest.fixture
def bob(store: Store) -> ConversationId:
    return store.contacts.add(Fingerprint(b"b" * 32), standing=Standing.ACCEPTED, now_ms=NOW).id


def ours(store: Store, conversation: ConversationId) -> Message:
    return store.messages.add_offer(
        conversation, ID, BODY, NOW, paths=["/a", "/b"], manifest=b"list", sources=b"from"
    )


def theirs(store: Store, conversation: ConversationId, id_: MessageId = OTHER) -> TransferId:
    chained = Chained(kind=ChainKind.OFFER, id=id_, seq=1, prev=bytes(32), sent_ms=NOW, order=NOW, body=BODY)
    added = store.messages.take(conversation, chained, NOW).added
    assert added is not None
    assert added.transfer is not None
    return added.transfer


def test_our_offer_is_a_message_that_waits(store: Store, bob: ConversationId) -> None:
    message = ours(store, bob)
    assert (message.text, message.state) == ("holiday.mp4, plan …", MessageState.QUEUED)
    (waiting,) = store.messages.to_send(bob, 0, 9)
    assert (waiting.chained.kind, waiting.chained.body, waiting.chained.content) == (
        ChainKind.OFFER,
        BODY,
        "",
    )
    assert message.transfer is not None
    held = store.transfers.get(message.transfer)
    assert (held.mine, held.theirs, held.offering, held.placed) == (Wish.GO, Wish.OPEN, OFFERED, ("/a", "/b"))
    assert (store.transfers.manifest(held.id), store.transfers.sources(held.id)) == (b"list", b"from")
    assert store.transfers.find(bob, ID, outgoing=True) == held
    assert store.transfers.find(bob, ID, outgoing=False) is None


def test_it_is_found_by_its_names(store: Store, bob: ConversationId) -> None:
    ours(store, bob)
    assert [m.id for m in store.find(SearchQuery(text="holiday"), None, 9).messages] == [ID]


def test_what_is_sent_is_the_same_after_its_delivery_is_known(store: Store, bob: ConversationId) -> None:
    ours(store, bob)
    first = store.messages.to_send(bob, 0, 9)[0].chained
    store.messages.advance(bob, [ID], MessageState.FAILED)
    store.messages.advance(bob, [ID], MessageState.QUEUED)
    assert store.messages.to_send(bob, 0, 9)[0].chained == first
    store.messages.advance(bob, [ID], MessageState.DELIVERED)
    assert not store.messages.to_send(bob, 0, 9)


def test_their_offer_comes_once(store: Store, bob: ConversationId) -> None:
    transfer = theirs(store, bob)
    chained = Chained(
        kind=ChainKind.OFFER, id=OTHER, seq=1, prev=bytes(32), sent_ms=NOW, order=NOW, body=BODY
    )
    assert not store.messages.take(bob, chained, NOW).new
    assert [held.id for held in store.transfers.unfinished()] == [transfer]
    held = store.transfers.get(transfer)
    assert (held.mine, held.theirs, held.outgoing, held.manifest) == (Wish.OPEN, Wish.GO, False, False)


def test_both_may_choose_the_same_id(store: Store, bob: ConversationId) -> None:
    ours(store, bob)
    transfer = theirs(store, bob, ID)
    other = store.transfers.find(bob, ID, outgoing=True)
    assert other is not None
    assert other.id != transfer
    assert other.staging != store.transfers.get(transfer).staging


def test_an_offer_is_no_text(store: Store, bob: ConversationId) -> None:
    message = ours(store, bob)
    with pytest.raises(InputError) as caught:
        store.actions.add_outgoing(bob, ChainKind.EDIT, MessageId(b"e" * 16), message.id, "other", NOW)
    assert caught.value.problem is InputProblem.NOT_ALLOWED
    theirs(store, bob)
    edit = Chained(
        kind=ChainKind.EDIT, id=MessageId(b"e" * 16), seq=2, prev=bytes(32), sent_ms=NOW, order=NOW + 1,
        about=OTHER, content="other",
    )  # fmt: skip
    arrival = store.messages.take(bob, edit, NOW)
    assert arrival.new
    assert arrival.changed is None


def test_wishes(store: Store, bob: ConversationId) -> None:
    transfers, id_ = store.transfers, theirs(store, bob)
    held = transfers.accept(id_, "/there")
    assert (held.mine, held.my_count, held.folder, held.state) == (
        Wish.GO,
        1,
        "/there",
        TransferState.WAITING,
    )
    held = transfers.wish(id_, Wish.PAUSED, Trouble.NO_ROOM)
    assert (held.state, held.trouble, held.my_count) == (TransferState.PAUSED, Trouble.NO_ROOM, 2)
    assert transfers.wish(id_, Wish.PAUSED).trouble is Trouble.NONE
    assert transfers.wish(id_, Wish.OPEN).mine is Wish.PAUSED
    assert transfers.accept(id_, "/elsewhere").folder == "/there"


def test_their_wishes(store: Store, bob: ConversationId) -> None:
    transfers, id_ = store.transfers, theirs(store, bob)
    assert transfers.heard(id_, Wish.PAUSED, Trouble.NONE, 5).theirs is Wish.PAUSED
    assert transfers.heard(id_, Wish.CANCELLED, Trouble.NONE, 4).theirs is Wish.PAUSED
    assert transfers.heard(id_, Wish.GO, Trouble.NONE, 6).theirs is Wish.GO
    assert transfers.heard(id_, Wish.CANCELLED, Trouble.NONE, 7).state is TransferState.CANCELLED
    assert transfers.heard(id_, Wish.GO, Trouble.NONE, 8).theirs is Wish.CANCELLED
    assert not transfers.unfinished()


def test_an_old_copy_catches_up(store: Store, bob: ConversationId) -> None:
    id_ = theirs(store, bob)
    assert store.transfers.overtake(id_, 9).my_count == 10
    assert store.transfers.overtake(id_, 3).my_count == 10


def test_the_journal(store: Store, bob: ConversationId) -> None:
    transfers, id_ = store.transfers, theirs(store, bob)
    hashes = {index: bytes((index,)) * 32 for index in range(9)}
    transfers.journal(id_, [(index, hashes[index]) for index in (0, 1, 4)], 3)
    transfers.journal(id_, [(index, hashes[index]) for index in (3, 2)], 5)
    assert transfers.held_chunks(id_) == Ranges([(0, 5)])
    assert b"".join(transfers.hashes(id_)) == b"".join(hashes[index] for index in range(5))
    assert transfers.get(id_).done == 5
    transfers.begin_anew(id_)
    assert transfers.held_chunks(id_) == Ranges()
    assert transfers.get(id_).done == 0


def test_an_end_leaves_what_is_history(store: Store, bob: ConversationId) -> None:
    transfers, id_ = store.transfers, theirs(store, bob)
    transfers.accept(id_, "/there")
    transfers.set_manifest(id_, b"list")
    transfers.journal(id_, [(0, bytes(32))], 9)
    transfers.complete(id_, b"r" * 32)
    held = transfers.place(id_, ["/there/holiday.mp4"])
    assert (held.mine, held.root, held.placed) == (Wish.DONE, b"r" * 32, ("/there/holiday.mp4",))
    assert held.shown().done == OFFERED.size
    assert (transfers.manifest(id_), transfers.hashes(id_)) == (b"", [])
    transfers.journal(id_, [(0, bytes(32))], 9)
    assert not transfers.hashes(id_)


def test_a_message_that_goes_takes_a_transfer_that_has_ended_with_it(
    store: Store, bob: ConversationId
) -> None:
    running, ended = theirs(store, bob, ID), theirs(store, bob, OTHER)
    store.transfers.wish(ended, Wish.DECLINED)
    for message in (ID, OTHER):
        store.actions.remove(bob, message, NOW)
    assert [held.id for held in store.transfers.newest(bob, 9)] == [running]
    assert (store.transfers.ids(bob), store.transfers.ids(ConversationId(bob + 1))) == ({running}, set())
    assert store.transfers.ids(bob) == {running}
    with pytest.raises(InputError):
        store.transfers.get(ended)


def test_how_it_ended_is_known_for_a_while_after_its_message_is_gone(
    store: Store, bob: ConversationId
) -> None:
    """Without names; and only if the other side may not know."""
    declined, known = theirs(store, bob, ID), theirs(store, bob, OTHER)
    store.transfers.wish(declined, Wish.DECLINED)
    store.transfers.heard(known, Wish.CANCELLED, Trouble.NONE, 1)
    for message in (ID, OTHER):
        store.actions.remove(bob, message, NOW)
    assert store.endings.find(bob, ID, outgoing=False) == Ending(Wish.DECLINED, Trouble.NONE, 1, 0, b"")
    assert store.endings.find(bob, ID, outgoing=True) is None
    assert store.endings.find(bob, OTHER, outgoing=False) is None
    until = store._database.number("SELECT until_ms FROM endings")
    assert abs(until - time.time() * 1000 - store_limits.FORGOTTEN_KEPT * 1000) < 3600_000
    store.retention.expire(0, until - 1)
    assert store.endings.find(bob, ID, outgoing=False) is not None
    store.retention.expire(0, until)
    assert store.endings.find(bob, ID, outgoing=False) is None


def test_a_conversation_takes_the_ends_of_its_transfers_with_it(store: Store, bob: ConversationId) -> None:
    store.transfers.wish(theirs(store, bob, ID), Wish.DECLINED)
    store.actions.remove(bob, ID, NOW)
    store.contacts.hide(bob)
    assert store._database.number("SELECT count(*) FROM endings") == 0


def test_what_was_deleted_for_both_leaves_no_names_when_it_has_ended(
    store: Store, bob: ConversationId
) -> None:
    transfer = ours(store, bob).transfer
    assert transfer is not None
    store.actions.add_outgoing(bob, ChainKind.DELETE, OTHER, ID, "", NOW)
    store.retention.expire(0, NOW)
    assert [held.id for held in store.transfers.newest(bob, 9)] == [transfer], "it goes on"
    store.transfers.wish(transfer, Wish.CANCELLED)
    store.retention.expire(0, NOW)
    assert not store.transfers.newest(bob, 9)
    assert [each.chained.body for each in store.messages.pending(bob, 0, 9)] == [BODY], "as it was sent"


def test_what_was_deleted_here_alone_stays_until_nobody_asks_any_more(
    store: Store, bob: ConversationId
) -> None:
    id_, kept = theirs(store, bob, ID), theirs(store, bob, OTHER)
    store.actions.remove(bob, ID, NOW)
    for each in (id_, kept):
        store.transfers.wish(each, Wish.DECLINED)
    until = NOW + store_limits.FORGOTTEN_KEPT * 1000
    store.retention.expire(0, until)
    assert [held.id for held in store.transfers.newest(bob, 9)] == [kept, id_]
    store.retention.expire(0, until + 1)
    assert [held.id for held in store.transfers.newest(bob, 9)] == [kept]


def test_a_conversation_takes_its_transfers_with_it(store: Store, bob: ConversationId) -> None:
    id_ = theirs(store, bob)
    store.transfers.journal(id_, [(0, bytes(32))], 9)
    store.contacts.remove(bob)
    assert not store.transfers.newest(None, 9)


def test_names_are_cleaned_before_they_are_shown(store: Store, bob: ConversationId) -> None:
    evil = msgspec.structs.replace(OFFERED, names=("a\u202eb\n/c",), tops=1)
    chained = Chained(
        kind=ChainKind.OFFER, id=ID, seq=1, prev=bytes(32), sent_ms=NOW, order=NOW, body=offering.encode(evil)
    )
    added = store.messages.take(bob, chained, NOW).added
    assert added is not None
    assert added.transfer is not None
    shown = store.transfers.get(added.transfer).shown().names[0]
    assert not set("\u202e\n/") & set(added.text + shown)


HOUR = 3600


def begun(store: Store, conversation: ConversationId, passed: float) -> list[MessageId]:
    """Let the time of our offer run, and delete what is due so many seconds later."""
    store.timers.clock, store.timers.steady = lambda: NOW, lambda: 0.0
    store.messages.advance(conversation, [ID], MessageState.DELIVERED)
    return due(store, passed)


def due(store: Store, passed: float) -> list[MessageId]:
    """Delete what is due at a time."""
    store.timers.clock, store.timers.steady = lambda: NOW + round(passed * 1000), lambda: passed
    return [id_ for gone in store.timers.expire() for id_ in gone.ids]


def test_an_offer_has_the_timer_of_its_conversation(store: Store, bob: ConversationId) -> None:
    store.timers.change(bob, MessageId(b"t" * 16), HOUR, NOW)
    assert ours(store, bob).timer == HOUR
    assert [each.chained.timer for each in store.messages.to_send(bob, 0, 9)] == [HOUR, HOUR]


def test_an_offer_that_has_ended_disappears_with_its_transfer(store: Store, bob: ConversationId) -> None:
    store.timers.change(bob, MessageId(b"t" * 16), HOUR, NOW)
    transfer = ours(store, bob).transfer
    assert transfer is not None
    store.transfers.wish(transfer, Wish.CANCELLED)
    assert begun(store, bob, HOUR - 1) == []
    assert due(store, HOUR) == [ID]
    assert store.transfers.newest(None, 9) == []


def test_an_offer_stays_until_its_files_are_there(store: Store, bob: ConversationId) -> None:
    store.timers.change(bob, MessageId(b"t" * 16), HOUR, NOW)
    transfer = ours(store, bob).transfer
    assert transfer is not None
    store.transfers.heard(transfer, Wish.GO, Trouble.NONE, 1)
    assert begun(store, bob, 2 * HOUR) == []
    assert store.timers.next_due() is None, "nothing would be done about it"
    store.transfers.heard(transfer, Wish.DONE, Trouble.NONE, 2)
    assert store.timers.next_due() == 0
    assert due(store, 2 * HOUR) == [ID]
    assert store.transfers.newest(None, 9) == []


@pytest.mark.parametrize("paused", [True, False])
def test_an_offer_that_nobody_has_answered_disappears_and_is_remembered(
    store: Store, bob: ConversationId, paused: bool
) -> None:
    store.timers.change(bob, MessageId(b"t" * 16), HOUR, NOW)
    transfer = ours(store, bob).transfer
    assert transfer is not None
    if paused:
        store.transfers.wish(transfer, Wish.PAUSED)
    assert begun(store, bob, HOUR - 1) == []
    assert store.timers.next_due() == 1000
    assert due(store, HOUR) == [ID]
    assert store.transfers.newest(None, 9) == []
    assert store.timers.remembers(bob, ID)
    assert not store.timers.remembers(bob, MessageId(b"x" * 16))


def test_their_offer_disappears_after_it_was_seen(store: Store, bob: ConversationId) -> None:
    chained = Chained(
        kind=ChainKind.OFFER, id=ID, seq=1, prev=bytes(32), sent_ms=NOW, order=NOW, body=BODY, timer=HOUR
    )
    added = store.messages.take(bob, chained, NOW).added
    assert added is not None
    assert added.transfer is not None
    store.transfers.wish(added.transfer, Wish.DECLINED)
    assert due(store, 9 * HOUR) == []
    store.messages.mark_seen(bob, added.position)
    assert due(store, 10 * HOUR) == [ID]
    assert store.transfers.newest(None, 9) == []


def test_no_copy_has_an_offer_that_disappears(
    store: Store, bob: ConversationId, tmp_path: Path, key: bytes
) -> None:
    store.timers.change(bob, MessageId(b"t" * 16), HOUR, NOW)
    ours(store, bob)
    path = tmp_path / "sotto.db"
    copy = Store.open(path.parent / backup.FOLDER / backup.make(path, key, NOW).name, key)
    assert copy.transfers.newest(None, 9) == []
    assert [message.notice for message in copy.messages.page(bob)] == [True]
    copy.close()
    assert len(store.transfers.newest(None, 9)) == 1
