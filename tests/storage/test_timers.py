"""Messages that disappear: when their time runs, what is gone afterwards, and what wrong clocks do to it."""

import itertools
from pathlib import Path
from typing import Final

import pytest

from messenger.core import deed_limits, limits, store_limits
from messenger.core.chained import Chained, ChainKind
from messenger.core.errors import InputError, InputProblem
from messenger.core.ids import ConversationId, MessageId
from messenger.core.models import Draft, FailReason, Message, MessageState, SearchQuery
from messenger.storage.chain import chain_hash
from messenger.storage.store import Store
from tests.helpers.storage import ZEROS, add_contact, check_index, message_id

NOW: Final = 1_800_000_000_000
HOUR: Final = 3600
SECRET: Final = "elderberry"
DELIVERED, READ, FAILED = MessageState.DELIVERED, MessageState.READ, MessageState.FAILED


class Clocks:
    """The clock of the wall, which can be set, and the one that cannot.

    Args:
        store: Whose clocks they become.
    """

    def __init__(self, store: Store) -> None:
        self.wall, self.steady = NOW, 1000.0
        store.timers.clock = lambda: self.wall
        store.timers.steady = lambda: self.steady

    def pass_by(self, seconds: float) -> None:
        self.wall += round(seconds * 1000)
        self.steady += seconds


@pytest.fixture
def clocks(store: Store) -> Clocks:
    return Clocks(store)


def theirs(number: int, text: str = SECRET, timer: int = HOUR, **fields: object) -> Chained:
    made: dict[str, object] = {
        "kind": ChainKind.TEXT,
        "id": message_id(number),
        "seq": number,
        "prev": ZEROS,
        "sent_ms": NOW,
        "order": NOW + number,
        "content": text,
        "timer": timer,
    }
    return Chained(**(made | fields))  # type: ignore[arg-type]


def set_by_them(number: int, timer: int, order: int) -> Chained:
    return theirs(number, "", timer, kind=ChainKind.TIMER, order=order)


def take(store: Store, conversation: ConversationId, chained: Chained) -> Message:
    added = store.messages.take(conversation, chained, NOW).added
    assert added is not None
    return added


def ours(store: Store, conversation: ConversationId, number: int, text: str = SECRET) -> Message:
    return store.messages.add_outgoing(conversation, message_id(number), text, NOW, NOW).message


def gone(store: Store) -> list[MessageId]:
    """Delete what is due."""
    return [id_ for each in store.timers.expire() for id_ in each.ids]


def hits(store: Store, words: str = SECRET) -> int:
    return len(store.find(SearchQuery(text=words), None, 10).messages)


def lines(store: Store, conversation: ConversationId) -> list[tuple[bool, int]]:
    """Who has set which timer, as the conversation shows it."""
    page = store.messages.page(conversation)
    return [(message.outgoing, message.timer) for message in page if message.notice]


def test_the_timer_goes_into_what_is_written_under_it(store: Store, clocks: Clocks) -> None:
    contact = add_contact(store)
    assert (contact.timer, store.timers.never_set(contact.id)) == (0, True)
    before = ours(store, contact.id, 1)
    line = store.timers.change(contact.id, message_id(2), HOUR, NOW)
    under = ours(store, contact.id, 3)
    store.timers.change(contact.id, message_id(4), 0, NOW)
    after = ours(store, contact.id, 5)
    assert [message.timer for message in (before, under, after)] == [0, HOUR, 0]
    assert (line.kind, line.timer, line.notice, line.text) == (ChainKind.TIMER, HOUR, True, "")
    assert lines(store, contact.id) == [(True, HOUR), (True, 0)]
    assert not store.timers.never_set(contact.id)
    sent = [item.chained for item in store.messages.to_send(contact.id, 0, 10)]
    assert [(each.kind, each.seq, each.timer) for each in sent] == [
        (ChainKind.TEXT, 1, 0),
        (ChainKind.TIMER, 2, HOUR),
        (ChainKind.TEXT, 3, HOUR),
        (ChainKind.TIMER, 4, 0),
        (ChainKind.TEXT, 5, 0),
    ]
    assert [each.prev for each in sent] == [ZEROS, *(chain_hash(each) for each in sent[:-1])]
    for each in sent:
        store.messages.advance(contact.id, [each.id], DELIVERED)
    assert store.messages.to_send(contact.id, 0, 10) == []
    assert store._database.number("SELECT count(*) FROM outbox") == 0
    assert store._database.number("SELECT count(*) FROM actions") == 0
    clocks.pass_by(HOUR)
    assert gone(store) == [message_id(3)]
    assert lines(store, contact.id) == [(True, HOUR), (True, 0)]


def test_nobody_there(store: Store) -> None:
    with pytest.raises(InputError) as caught:
        store.timers.change(ConversationId(9), message_id(1), HOUR, NOW)
    assert caught.value.problem is InputProblem.UNKNOWN
    assert store.timers.get(ConversationId(9)) == 0
    assert not store.timers.never_set(ConversationId(9))


@pytest.mark.parametrize("arrival", list(itertools.permutations(range(3))))
def test_the_newest_holds_whatever_order_they_come_in(store: Store, arrival: tuple[int, ...]) -> None:
    contact = add_contact(store)
    changes = [set_by_them(1, 60, NOW + 5), set_by_them(2, HOUR, NOW + 30), set_by_them(3, 0, NOW + 7)]
    for place in arrival:
        take(store, contact.id, changes[place])
        assert not store.messages.take(contact.id, changes[place], NOW).new
    assert store.timers.get(contact.id) == HOUR
    assert [timer for _, timer in lines(store, contact.id)] == [60, 0, HOUR]
    assert store.messages.unread(contact.id) == 0


def test_both_ends_agree_when_their_changes_cross(tmp_path: Path, key: bytes) -> None:
    for number, (first, second) in enumerate(((NOW, NOW + 1), (NOW + 1, NOW), (NOW, NOW))):
        stores = [Store.open(tmp_path / f"{number}{who}.db", key) for who in "ab"]
        contacts = [add_contact(store).id for store in stores]
        for store, contact, at, timer in zip(stores, contacts, (first, second), (60, 300), strict=True):
            store.timers.change(contact, MessageId(timer.to_bytes(16, "big")), timer, at)
        waiting = [
            store.messages.to_send(contact, 0, 9)[0].chained
            for store, contact in zip(stores, contacts, strict=True)
        ]
        for store, contact, chained in zip(stores, contacts, reversed(waiting), strict=True):
            take(store, contact, chained)
        held = {store.timers.get(contact) for store, contact in zip(stores, contacts, strict=True)}
        assert held == {60 if first > second else 300}
        shown = [lines(store, contact) for store, contact in zip(stores, contacts, strict=True)]
        assert [timer for _, timer in shown[0]] == [timer for _, timer in shown[1]]
        for store in stores:
            store.close()


def test_a_clock_far_ahead_does_not_hold_the_timer_for_ever(store: Store) -> None:
    """What is set after a change from the future is later than that, and stands where it was written."""
    contact = add_contact(store)
    ahead = NOW + 400 * 24 * 3600 * 1000
    take(store, contact.id, set_by_them(1, 60, ahead))
    store.timers.change(contact.id, message_id(2), HOUR, NOW)
    (waiting,) = store.messages.to_send(contact.id, 0, 9)
    assert waiting.chained.order == ahead + 1
    assert store.timers.get(contact.id) == HOUR
    tomorrow = NOW + limits.CLOCK_AHEAD * 1000
    assert ours(store, contact.id, 3).position >> limits.ORDER_TIE_BITS < tomorrow + 10
    take(store, contact.id, set_by_them(4, 300, limits.ORDER_MAX))
    store.timers.change(contact.id, message_id(5), 0, NOW)
    assert store.timers.get(contact.id) == 0


def test_a_line_is_no_message(store: Store) -> None:
    contact = add_contact(store)
    line = take(store, contact.id, set_by_them(1, 60, NOW))
    for kind in (ChainKind.REACTION, ChainKind.EDIT, ChainKind.DELETE):
        with pytest.raises(InputError) as caught:
            store.actions.add_outgoing(contact.id, kind, message_id(90), line.id, "x", NOW)
        assert caught.value.problem is InputProblem.UNKNOWN
    own = store.timers.change(contact.id, message_id(2), 0, NOW)
    assert store.messages.advance(contact.id, [own.id], READ) == []
    assert store.messages.to_send(contact.id, 0, 9) == []
    assert store.messages.mark_seen(contact.id, own.position) == []
    react = theirs(3, "👍", 0, kind=ChainKind.REACTION, about=own.id)
    assert store.messages.take(contact.id, react, NOW).changed is None
    assert not hits(store, "60")
    check_index(store)


def test_theirs_run_from_when_they_are_seen(store: Store, clocks: Clocks) -> None:
    contact = add_contact(store)
    message = take(store, contact.id, theirs(1))
    assert (message.timer, message.expires_ms) == (HOUR, None)
    clocks.pass_by(100 * HOUR)
    assert store.timers.next_due() is None
    assert gone(store) == []
    assert store.messages.mark_seen(contact.id, message.position) == [(message.id, 1)]
    assert store.timers.next_due() == HOUR * 1000
    clocks.pass_by(HOUR - 0.001)
    assert gone(store) == []
    assert hits(store) == 1
    clocks.pass_by(0.001)
    assert gone(store) == [message.id]
    assert (store.messages.page(contact.id), hits(store), store.timers.next_due()) == ([], 0, None)
    check_index(store)


@pytest.mark.parametrize("state", [DELIVERED, READ, FAILED])
def test_ours_run_from_when_they_do_not_wait_any_more(
    store: Store, clocks: Clocks, state: MessageState
) -> None:
    contact = add_contact(store)
    store.timers.change(contact.id, message_id(9), HOUR, NOW)
    message = ours(store, contact.id, 1)
    store.messages.advance(contact.id, [message.id], MessageState.SENT)
    clocks.pass_by(100 * HOUR)
    assert gone(store) == []
    (moved,) = store.messages.advance(contact.id, [message.id], state, FailReason.BLOCKED)
    assert moved.expires_ms == clocks.wall + HOUR * 1000
    clocks.pass_by(HOUR / 2)
    for again in (DELIVERED, READ):
        for once_more in store.messages.advance(contact.id, [message.id], again):
            assert once_more.expires_ms == moved.expires_ms, "a later receipt does not make it live longer"
    clocks.pass_by(HOUR / 2)
    assert gone(store) == [message.id]
    check_index(store)


def test_what_is_tried_again_waits(store: Store, clocks: Clocks) -> None:
    contact = add_contact(store)
    store.timers.change(contact.id, message_id(9), HOUR, NOW)
    message = ours(store, contact.id, 1)
    store.messages.advance(contact.id, [message.id], FAILED)
    (queued,) = store.messages.advance(contact.id, [message.id], MessageState.QUEUED)
    assert queued.expires_ms is None
    clocks.pass_by(2 * HOUR)
    assert gone(store) == []
    (item,) = store.messages.pending(contact.id, 0, 9)
    assert item.chained.content == SECRET


def test_a_copy_that_comes_later_is_known(store: Store, clocks: Clocks) -> None:
    contact, text = add_contact(store), theirs(1)
    message = take(store, contact.id, text)
    store.messages.mark_seen(contact.id, message.position)
    clocks.pass_by(HOUR)
    assert gone(store) == [message.id]
    assert not store.messages.take(contact.id, text, clocks.wall).new
    after = [
        theirs(2, "edited " + SECRET, 0, kind=ChainKind.EDIT, about=message.id, prev=chain_hash(text)),
        theirs(3, "👍", 0, kind=ChainKind.REACTION, about=message.id),
    ]
    after[1] = theirs(3, "👍", 0, kind=ChainKind.REACTION, about=message.id, prev=chain_hash(after[0]))
    for each in after:
        arrival = store.messages.take(contact.id, each, clocks.wall)
        assert (arrival.new, arrival.changed, arrival.chain) == (True, None, False)
    assert store._database.rows("SELECT content, waiting FROM actions ORDER BY seq") == [("", 0), ("", 0)]
    row = store.conversation(contact.id)
    assert row is not None
    assert (row.missing, row.forked, row.unread, row.last) == (0, False, 0, None)


def test_the_next_message_still_stands_below(store: Store, clocks: Clocks) -> None:
    """A message from a clock that is ahead has gone; the answer has a greater order all the same."""
    contact = add_contact(store)
    message = take(store, contact.id, theirs(1, order=NOW + 5_000_000))
    store.messages.mark_seen(contact.id, message.position)
    clocks.pass_by(HOUR)
    assert gone(store) == [message.id]
    assert ours(store, contact.id, 2).position > message.position


def test_a_draft_and_an_answer_lose_what_they_quote(store: Store, clocks: Clocks) -> None:
    contact, other = add_contact(store), add_contact(store, 2)
    message = take(store, contact.id, theirs(1))
    elsewhere = take(store, other.id, theirs(1, timer=0))
    answer = store.messages.add_outgoing(contact.id, message_id(5), "yes", NOW, NOW, message.id).message
    store.drafts.set(contact.id, Draft("because", message.id))
    store.drafts.set(other.id, Draft("because", elsewhere.id))
    store.messages.mark_seen(contact.id, message.position)
    clocks.pass_by(HOUR)
    assert gone(store) == [message.id]
    assert store.drafts.get(contact.id) == Draft("because")
    assert store.drafts.get(other.id) == Draft("because", elsewhere.id)
    (left,) = store.messages.page(contact.id)
    assert (left.id, left.reply_to) == (answer.id, message.id)


def test_many_at_once(store: Store, clocks: Clocks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_limits, "EXPIRE_BATCH", 30)
    monkeypatch.setattr(store_limits, "SEARCH_BULK", 20)
    contacts = [add_contact(store, number) for number in (1, 2)]
    for number in range(1, 41):
        for contact in contacts:
            take(store, contact.id, theirs(number, timer=deed_limits.TIMER_MIN if number % 4 else 0))
    for contact in contacts:
        store.messages.mark_seen(contact.id, 2**62)
    clocks.pass_by(5)
    steps = []
    while step := store.timers.expire():
        steps.append(sum(len(each.ids) for each in step))
    assert steps == [30, 30]
    assert [len(store.messages.page(contact.id)) for contact in contacts] == [10, 10]
    assert hits(store) == 10
    check_index(store)


# --- clocks ---


def running(store: Store, timer: int = HOUR) -> Message:
    """A message whose time runs from now."""
    contact = add_contact(store)
    message = take(store, contact.id, theirs(1, timer=timer))
    store.messages.mark_seen(contact.id, message.position)
    return message


def test_a_clock_set_back_while_it_runs_makes_nothing_live_longer(store: Store, clocks: Clocks) -> None:
    running(store)
    for _ in range(10):
        clocks.pass_by(HOUR / 10)
        clocks.wall -= 24 * HOUR * 1000
        if gone(store):
            break
    assert clocks.steady == pytest.approx(1000.0 + HOUR, abs=1)


def test_a_clock_set_back_and_nobody_looks_until_the_end(store: Store, clocks: Clocks) -> None:
    message = running(store)
    clocks.pass_by(HOUR / 2)
    clocks.wall -= 365 * 24 * HOUR * 1000
    clocks.pass_by(HOUR / 2)
    assert gone(store) == [message.id]


def test_a_clock_set_back_between_two_starts_hides_only_the_time_between(
    store: Store, clocks: Clocks, path: Path, key: bytes
) -> None:
    message = running(store)
    clocks.pass_by(HOUR / 2)
    assert gone(store) == []
    store.close()
    clocks.wall -= 365 * 24 * HOUR * 1000
    again = Store.open(path, key)
    later = Clocks(again)
    later.wall = clocks.wall
    assert gone(again) == []
    assert again.timers.next_due() == HOUR * 1000 // 2
    later.pass_by(HOUR / 2)
    assert gone(again) == [message.id]
    again.close()


def test_a_clock_that_was_ahead_and_is_put_right(store: Store, clocks: Clocks) -> None:
    """What began under the wrong clock, and what begins after it was put right, both end in time."""
    contact = add_contact(store)
    clocks.wall += 365 * 24 * HOUR * 1000
    first = take(store, contact.id, theirs(1))
    store.messages.mark_seen(contact.id, first.position)
    clocks.wall -= 365 * 24 * HOUR * 1000
    second = take(store, contact.id, theirs(2))
    store.messages.mark_seen(contact.id, second.position)
    clocks.pass_by(HOUR - 1)
    assert gone(store) == []
    clocks.pass_by(1)
    assert set(gone(store)) == {first.id, second.id}


def test_late_after_a_long_absence(store: Store, clocks: Clocks, path: Path, key: bytes) -> None:
    message = running(store)
    store.close()
    again = Store.open(path, key)
    later = Clocks(again)
    later.wall = clocks.wall + 24 * HOUR * 1000
    assert again.timers.next_due() == 0
    assert gone(again) == [message.id]
    again.close()
