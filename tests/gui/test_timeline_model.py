"""The window of rows that slides over the database."""

import pytest
from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtTest import QAbstractItemModelTester

from messenger.core import limits
from messenger.core.chained import ChainKind
from messenger.core.ids import MessageId
from messenger.core.models import FailReason, MessageState
from messenger.gui.timeline_model import KEPT, ROW, TimelineModel, frames
from tests.helpers.history import START, History


@pytest.fixture
def model(history: History) -> TimelineModel:
    model = TimelineModel(history.reader)
    QAbstractItemModelTester(model, QAbstractItemModelTester.FailureReportingMode.Warning, model)
    return model


def shown(model: TimelineModel) -> list[str]:
    return [model.row(place).message.text for place in range(model.rowCount())]


def numbers(first: int, last: int) -> list[str]:
    return [f"message {n}" for n in range(first, last)]


def ends(model: TimelineModel) -> tuple[bool, bool]:
    """Whether the beginning and the end of the conversation are held."""
    return model.at_start, model.at_end


def framed(model: TimelineModel) -> list[tuple[bool, bool, bool]]:
    """Day, join above and join below of every row, worked out anew."""
    rows = [model.row(place) for place in range(model.rowCount())]
    return [(row.new_day, row.joins_above, row.joins_below) for row in rows]


def test_opening_reads_one_page(model: TimelineModel, history: History) -> None:
    history.add(3 * limits.PAGE)
    model.open(history.conversation, "Bob")
    assert shown(model) == numbers(2 * limits.PAGE, 3 * limits.PAGE)
    assert ends(model) == (False, True)


def test_a_short_conversation_is_there_at_once(model: TimelineModel, history: History) -> None:
    history.add(5)
    model.open(history.conversation, "Bob")
    assert shown(model) == numbers(0, 5)
    assert ends(model) == (True, True)
    model.open(None)
    assert shown(model) == []
    assert not model.load_older()
    assert not model.load_newer()


def test_it_slides_to_the_beginning_and_back_and_never_holds_more_than_its_limit(
    model: TimelineModel, history: History
) -> None:
    count = 7 * limits.PAGE + 11
    history.add(count)
    model.open(history.conversation, "Bob")
    seen = set(shown(model))
    while model.load_older():
        assert model.rowCount() <= KEPT
        texts = shown(model)
        seen |= set(texts)
        first = int(texts[0].split()[1])
        assert texts == numbers(first, first + len(texts))
    assert ends(model) == (True, False)
    assert seen == set(numbers(0, count))
    assert shown(model)[0] == "message 0"
    while model.load_newer():
        assert model.rowCount() <= KEPT
    assert ends(model) == (False, True)
    assert shown(model)[-1] == f"message {count - 1}"
    assert shown(model) == numbers(count - model.rowCount(), count)


def test_frames_after_sliding_are_those_of_reading_at_once(model: TimelineModel, history: History) -> None:
    history.add(KEPT)
    fresh = TimelineModel(history.reader)
    model.open(history.conversation, "Bob")
    while model.load_older():
        pass
    rows = [model.row(place).message for place in range(model.rowCount())]
    fresh._rows = frames(rows, None)
    assert framed(model) == framed(fresh)


def test_it_opens_at_the_first_unread_message(model: TimelineModel, history: History) -> None:
    history.add(2 * limits.PAGE)
    history.add(3 * limits.PAGE, unread=True)
    model.open(history.conversation, "Bob")
    place = model.unread_place()
    assert place is not None
    assert model.row(place).message.text == f"message {2 * limits.PAGE}"
    assert model.rowCount() == limits.PAGE
    assert ends(model) == (False, False)
    while model.load_newer():
        pass
    assert shown(model)[-1] == f"message {5 * limits.PAGE - 1}"
    model.clear_unread_line()
    assert model.unread_place() is None


def test_few_unread_messages_need_no_jump(model: TimelineModel, history: History) -> None:
    history.add(limits.PAGE)
    history.add(3, unread=True)
    model.open(history.conversation, "Bob")
    assert model.at_end
    assert model.unread_place() == model.rowCount() - 3


def test_new_messages_appear_at_the_end_once(model: TimelineModel, history: History) -> None:
    history.add(3)
    model.open(history.conversation, "Bob")
    new = [history.one("one"), history.one("two")]
    model.add(new)
    model.add(new)
    assert shown(model) == [*numbers(0, 3), "one", "two"]


def test_new_messages_wait_while_the_end_is_not_shown(model: TimelineModel, history: History) -> None:
    history.add(6 * limits.PAGE)
    model.open(history.conversation, "Bob")
    while model.load_older():
        pass
    before = shown(model)
    model.add([history.one("later")])
    assert shown(model) == before
    model.to_end()
    assert shown(model)[-1] == "later"
    assert model.rowCount() == limits.PAGE


def test_many_new_messages_push_the_oldest_out(model: TimelineModel, history: History) -> None:
    history.add(limits.PAGE)
    model.open(history.conversation, "Bob")
    for _turn in range(4):
        model.add(history.add(limits.PAGE))
    assert model.rowCount() == KEPT
    assert not model.at_start
    assert shown(model)[-1] == f"message {5 * limits.PAGE - 1}"


def test_a_change_of_state_changes_one_row(model: TimelineModel, history: History) -> None:
    history.add(3)
    message = history.one("mine", outgoing=True)
    model.open(history.conversation, "Bob")
    changed: list[tuple[int, int]] = []

    def note(first: QModelIndex, last: QModelIndex) -> None:
        changed.append((first.row(), last.row()))

    model.dataChanged.connect(note)
    [read] = history.store.messages.advance(history.conversation, [message.id], MessageState.READ)
    model.change(read)
    assert model.row(3).message.state is MessageState.READ
    assert changed
    assert all(first <= 3 <= last for first, last in changed)
    stranger = history.one("not shown")
    model.change(stranger)
    assert model.rowCount() == 4


def test_a_failed_message_stands_alone(model: TimelineModel, history: History) -> None:
    add = history.store.messages.add_outgoing
    first = add(history.conversation, MessageId(b"waits" * 3 + b"!"), "a", START, START).message
    second = history.one("b", outgoing=True)
    model.open(history.conversation, "Bob")
    place = model.place(first.position)
    assert place is not None
    [failed] = history.store.messages.advance(
        history.conversation, [first.id], MessageState.FAILED, FailReason.BLOCKED
    )
    model.change(failed)
    assert not model.row(place).joins_below
    assert model.place(second.position) == place + 1


def test_messages_close_together_are_joined(model: TimelineModel, history: History) -> None:
    for outgoing in (False, False, True, True, True, False):
        history.one("x", outgoing=outgoing)
    model.open(history.conversation, "Bob")
    joins = [(model.row(n).joins_above, model.row(n).joins_below) for n in range(6)]
    assert joins == [
        (False, True), (True, False), (False, True), (True, True), (True, False), (False, False),
    ]  # fmt: skip
    assert model.row(0).new_day


def test_rows_can_be_read_aloud(model: TimelineModel, history: History) -> None:
    history.one("Hello", outgoing=False)
    history.one("Hi", outgoing=True)
    model.open(history.conversation, "Bob")
    aloud = [model.index(n).data(Qt.ItemDataRole.AccessibleTextRole) for n in range(2)]
    assert aloud[0].startswith("Bob, ")
    assert aloud[0].endswith(": Hello")
    assert aloud[1].startswith("You, ")
    assert aloud[1].endswith(": Hi, delivered")
    model.set_title("Robert")
    assert model.index(0).data(Qt.ItemDataRole.AccessibleTextRole).startswith("Robert, ")
    assert model.index(0).data(ROW).message.text == "Hello"


def test_what_a_message_answers(model: TimelineModel, history: History) -> None:
    """One line of it, with who wrote it; kept up to date, and read from the disk if it is far up."""
    add = history.store.messages.add_outgoing
    asked = add(history.conversation, MessageId(b"asks" * 4), "are you\nthere?", START - 1, START).message
    history.add(limits.PAGE + 1)
    reply = add(history.conversation, MessageId(b"says" * 4), "yes", START, START, asked.id).message
    lost = add(
        history.conversation, MessageId(b"lost" * 4), "no", START, START, MessageId(b"none" * 4)
    ).message
    model.open(history.conversation, "Bob")
    assert model.place(asked.position) is None
    assert [model.quote(each) for each in (asked, reply, lost)] == ["", "You: are you there?", ""]
    edit = history.store.actions.add_outgoing
    model.change(
        edit(history.conversation, ChainKind.EDIT, MessageId(b"edit" * 4), asked.id, "edited", START)
    )
    assert model.quote(reply) == "You: edited"
    told: list[int] = []
    model.dataChanged.connect(lambda first, _last: told.append(first.row()))
    gone = edit(history.conversation, ChainKind.DELETE, MessageId(b"gone" * 4), asked.id, "", START)
    model.change(gone)
    assert model.quote(reply) == "You: You deleted this message"
    assert told == [model.place(reply.position)], "what answers it is shown anew"
    model.change(gone)
    model.set_title("Robert")
    assert told[-1] == 0, "all are shown anew: some may quote them"


def test_a_deleted_message_has_words(model: TimelineModel, history: History) -> None:
    message = history.one("secret", outgoing=True)
    model.open(history.conversation, "Bob")
    delete = history.store.actions.add_outgoing
    gone = delete(history.conversation, ChainKind.DELETE, MessageId(b"gone" * 4), message.id, "", START)
    model.change(gone)
    shown = model.index(0).data(Qt.ItemDataRole.DisplayRole)
    assert shown == "You deleted this message"
    assert "secret" not in model.index(0).data(Qt.ItemDataRole.AccessibleTextRole)
