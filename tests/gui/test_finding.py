"""Finding words, people and days: in one conversation, everywhere, and by a few letters of a name."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QDateTime, Qt

from messenger.core import limits
from messenger.core.models import Message
from messenger.core.words import phrases_of
from messenger.gui import content
from messenger.gui.bubble import Bubble
from messenger.gui.found import HIT, hit_of
from messenger.gui.message_sheets import DateSheet
from messenger.gui.switcher import Switcher, fit
from tests.gui.conftest import Desks
from tests.gui.test_chat import meet
from tests.gui.test_deeds import say
from tests.gui.test_keyboard import EVERYWHERE
from tests.helpers.gui import Desk

CONTROL = Qt.KeyboardModifier.ControlModifier
SHIFT = Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def two(desks: Desks) -> tuple[Desk, Desk]:
    alice, bob = desks("alice"), desks("bob")
    meet(alice, bob)
    return alice, bob


def flashed(desk: Desk) -> Callable[[], str]:
    """The text of the message that a jump led to."""

    def text() -> str:
        rows = [desk.chat.model.row(place).message for place in range(desk.chat.model.rowCount())]
        return next((row.text for row in rows if row.id == desk.chat.view._paint.flash), "")

    return text


def filled(desk: Desk, count: int) -> None:
    """Put many messages into the conversation that is shown, which nobody there has got."""
    conversation, engine = desk.chat.conversation, desk.bridge.engine
    assert conversation is not None

    async def fill() -> None:
        for number in range(count):
            await engine.send_text(conversation, f"number {number}")

    desk.call(fill)
    desk.hands.until(lambda: desk.texts()[-1:] == [f"number {count - 1}"])


def test_control_f_goes_from_hit_to_hit_and_marks_them(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    for text in ("a red boat", "a house", "a boat house", "boats"):
        say(alice, bob, text)
    hands, search, at = alice.hands, alice.front().chat.search, flashed(alice)
    hands.press(Qt.Key.Key_F, CONTROL, alice.window)
    assert search.field.hasFocus()
    hands.type("boat", search.field)
    hands.until(lambda: search.words() == "1 of 3")
    assert at() == "boats"
    bubble = alice.chat.view._paint.bubble(alice.chat.model.row(2).message)
    assert isinstance(bubble, Bubble)
    assert [bubble.text[a:b] for a, b in bubble._sought] == ["boat"]
    hands.press(Qt.Key.Key_Return, widget=search.field)
    assert (search.words(), at()) == ("2 of 3", "a boat house")
    hands.press(Qt.Key.Key_Up, widget=search.field)
    assert (search.words(), at()) == ("3 of 3", "a red boat")
    assert not search.older_button.isEnabled()
    hands.press(Qt.Key.Key_Return, SHIFT, search.field)
    assert (search.words(), at()) == ("2 of 3", "a boat house")
    hands.type("x", search.field)
    hands.until(lambda: search.words() == "Nothing found")
    hands.press(Qt.Key.Key_Escape, widget=search.field)
    assert search.isHidden()
    bubble = alice.chat.view._paint.bubble(alice.chat.model.row(2).message)
    assert isinstance(bubble, Bubble)
    assert bubble._sought == []
    assert alice.chat.composer.box.hasFocus()


def test_a_hit_far_above_is_shown_with_what_stands_around_it(two: tuple[Desk, Desk]) -> None:
    alice, _bob = two
    filled(alice, 3 * limits.PAGE)
    alice.front().chat.open(alice.page.model.row(alice.chat.conversation))  # type: ignore[arg-type]
    assert "number 5" not in alice.texts()
    alice.chat.search.begin("number 5")
    alice.hands.until(lambda: "of" in alice.chat.search.words())
    while flashed(alice)() != "number 5":
        before = alice.chat.search.words()
        alice.hands.press(Qt.Key.Key_Up, widget=alice.chat.search.field)
        alice.hands.until(lambda before=before: alice.chat.search.words() != before)  # type: ignore[misc]
    assert {"number 4", "number 6"} <= set(alice.texts())
    view = alice.chat.view
    place = alice.texts().index("number 5")
    assert view.viewport().rect().contains(view.visualRect(alice.chat.model.index(place)))
    assert not view.pinned


def test_words_are_found_everywhere_and_lead_to_their_conversation(desks: Desks) -> None:
    alice, bob, carol = desks("alice"), desks("bob"), desks("carol")
    meet(alice, bob)
    say(bob, alice, "the ladder is blue")
    meet(alice, carol)
    say(carol, alice, "bring a ladder")
    hands, sidebar = alice.hands, alice.front().page.sidebar
    hands.press(Qt.Key.Key_F, EVERYWHERE, alice.window)
    assert sidebar.search.hasFocus()
    hands.type("ladder", sidebar.search)
    hands.until(lambda: sidebar.found.hits.rowCount() == 2)
    assert sidebar.found.isVisible()
    assert not sidebar.list.isVisible(), "nobody is called so"
    hands.press(Qt.Key.Key_Down, widget=sidebar.search)
    hands.until(lambda: flashed(alice)() == "bring a ladder")
    hands.press(Qt.Key.Key_Down, widget=sidebar.found)
    hands.until(lambda: flashed(alice)() == "the ladder is blue")
    assert alice.contact("Bob") is None, "the search goes on"
    assert sidebar.search.text() == "ladder"
    assert "Bob" in alice.chat.header._title.text()
    sentence = sidebar.found.hits.index(1).data(Qt.ItemDataRole.AccessibleTextRole)
    assert sentence.startswith("Bob, ")
    hit = sidebar.found.hits.index(1).data(HIT)
    assert [hit.words[a:b] for a, b in hit.marked] == ["ladder"]
    hands.press(Qt.Key.Key_Escape, widget=sidebar.search)
    hands.until(lambda: not sidebar.found.isVisible())
    assert alice.contact("Bob") is not None


def test_people_and_messages_stand_below_each_other(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(bob, alice, "I am Bob")
    sidebar = alice.front().page.sidebar
    sidebar.search.setText("bob")
    alice.hands.until(sidebar.found.isVisible)
    assert sidebar.list.isVisible()
    assert sidebar.found.y() > sidebar.list.y() + sidebar.list.height() - 2
    sidebar.search.setText("qwertz")
    alice.hands.until(sidebar._nothing.isVisible)


def test_the_part_with_the_words_is_shown(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(alice, bob, "word " * 30 + "needle" + " word" * 10)
    message: Message = alice.chat.model.row(0).message
    hit = hit_of(message, "Bob", phrases_of("need"))
    assert hit.words.startswith("…word")
    assert [hit.words[a:b] for a, b in hit.marked] == ["need"]


@pytest.mark.parametrize(
    ("wanted", "title", "fits"),
    [
        ("", "Bob", True),
        ("bo", "Bob Example", True),
        ("ex", "Bob Example", True),
        ("bex", "Bob Example", True),
        ("elise", "Élise", True),
        ("xb", "Bob Example", False),
        ("zz", "Bob", False),
    ],
)
def test_a_few_letters_fit_a_name(wanted: str, title: str, fits: bool) -> None:
    assert (fit(wanted, title) is not None) is fits


def test_better_fits_stand_above() -> None:
    names = ["Clara Roland", "Anna Carol", "Oscar Ole", "Carol"]
    costs = {name: cost for name in names if (cost := fit("carol", name)) is not None}
    assert sorted(costs, key=costs.__getitem__)[:2] == ["Carol", "Anna Carol"]


def test_control_k_turns_to_somebody(desks: Desks) -> None:
    alice, bob, carol = desks("alice"), desks("bob"), desks("carol")
    meet(alice, bob)
    meet(alice, carol)
    hands = alice.hands
    hands.press(Qt.Key.Key_K, CONTROL, alice.front().window)
    sheet = alice.sheet(Switcher)
    assert sheet.field.hasFocus()
    assert sheet.model.rowCount() == 2
    hands.type("bb", sheet.field)
    assert sheet.model.rowCount() == 1
    hands.press(Qt.Key.Key_Return, widget=sheet.field)
    hands.until(lambda: alice.chat.header._title.text() == "Bob")
    hands.press(Qt.Key.Key_K, CONTROL, alice.front().window)
    sheet = alice.sheet(Switcher)
    hands.press(Qt.Key.Key_Down, widget=sheet.field)
    hands.press(Qt.Key.Key_Down, widget=sheet.field)
    assert sheet.list.currentIndex().row() == 0, "it goes round"
    hands.press(Qt.Key.Key_Escape, widget=sheet.field)
    hands.until(lambda: alice.no_sheet(Switcher))


def test_a_day_is_jumped_to(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(alice, bob, "first")
    say(alice, bob, "second")
    alice.hands.press(Qt.Key.Key_G, CONTROL, alice.front().window)
    sheet = alice.sheet(DateSheet)
    first = QDateTime.fromMSecsSinceEpoch(alice.chat.model.row(0).message.stored_ms)
    sheet.calendar.setSelectedDate(first.date())  # not today, if midnight was a moment ago
    alice.hands.click(sheet.go_button)
    alice.hands.until(lambda: flashed(alice)() == "first")
    alice.chat.to_date(2**50)
    assert alice.chat.view.pinned, "after the last message is its end"


def test_the_first_unread_message_is_jumped_to(two: tuple[Desk, Desk]) -> None:
    alice, bob = two
    say(bob, alice, "old")
    alice.front()
    alice.hands.until(lambda: alice.page.model.unread() == 0)
    alice.page.leave_conversation()
    for text in ("new one", "new two"):
        bob.front().chat.composer.load("")
        say_unseen(bob, text)
    alice.hands.until(lambda: alice.page.model.unread() == 2)
    alice.front().open_chat("Bob")
    alice.hands.until(lambda: alice.page.model.unread() == 0)
    assert alice.chat.model.unread_place() == 1
    alice.hands.press(Qt.Key.Key_U, CONTROL, alice.window)
    assert flashed(alice)() == "new one"


def say_unseen(desk: Desk, text: str) -> None:
    """Write something to somebody who looks elsewhere."""
    desk.hands.type(text, desk.chat.composer.box)
    desk.hands.press(Qt.Key.Key_Return, widget=desk.chat.composer.box)
    desk.hands.until(lambda: desk.texts()[-1:] == [text])


def test_links_show_where_they_really_lead() -> None:
    assert content.target("https://example.org/a").where == "example.org"
    deceiving = content.target("https://bank.example@evil.example/")
    assert (deceiving.where, deceiving.odd) == ("evil.example", True)
    cyrillic = content.target("https://ехample.org/")
    assert cyrillic.where.startswith("xn--")
    assert cyrillic.odd
    assert content.target("mailto:bob@example.org?subject=x").where == "bob@example.org"
    assert [content.may_open(link) for link in ("https://a.b", "mailto:a@b", "sotto:x", "file:///etc")] == [
        True,
        True,
        True,
        False,
    ]
