"""The small controls: switches, segments, steps, notices, passphrases, numbers."""

from enum import StrEnum

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from messenger.core.errors import ConnectError, Reason
from messenger.core.ids import Fingerprint, format_fingerprint
from messenger.gui.notice import Notice
from messenger.gui.passphrase import PassphraseField, Strength, StrengthMeter, strength
from messenger.gui.progress import Spinner, StepList
from messenger.gui.sheet import Sheet
from messenger.gui.switches import Segments, Switch
from messenger.gui.theme import Theme
from messenger.gui.widgets import ElidedLabel, FittingStack, IconButton, NumberField, fingerprint_text, label
from tests.helpers.gui import PATIENCE_MS

LEFT = Qt.MouseButton.LeftButton


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"
    BLUE = "blue"


def shown(qtbot: QtBot, widget: QWidget) -> None:
    qtbot.addWidget(widget)
    widget.show()


def test_a_switch_is_a_check_box_to_a_screen_reader(qtbot: QtBot, theme: Theme) -> None:
    switch = Switch(theme, "Let others in")
    shown(qtbot, switch)
    clicks: list[bool] = []
    switch.toggled.connect(clicks.append)
    QTest.mouseClick(switch, LEFT)
    QTest.keyClick(switch, Qt.Key.Key_Space)
    assert clicks == [True, False]
    interface = QAccessible.queryAccessibleInterface(switch)
    assert interface.role() is QAccessible.Role.CheckBox
    assert interface.text(QAccessible.Text.Name) == "Let others in"
    pictures = []
    for on in (False, True):
        switch.setChecked(on)
        pictures.append(switch.grab().toImage())
    assert pictures[0] != pictures[1]


def test_segments_choose_one(qtbot: QtBot) -> None:
    segments = Segments("Colour", {colour: colour.name for colour in Colour})
    shown(qtbot, segments)
    chosen: list[Colour] = []
    segments.chosen.connect(chosen.append)
    segments.show_choice(Colour.GREEN)
    assert chosen == []
    buttons = segments._buttons
    assert buttons[Colour.GREEN].isChecked()
    QTest.mouseClick(buttons[Colour.BLUE], LEFT)
    assert chosen == [Colour.BLUE]
    assert not buttons[Colour.GREEN].isChecked()
    assert buttons[Colour.RED].accessibleName() == "Colour: RED"


def test_tab_leads_to_the_choice_that_holds_and_arrows_to_the_others(qtbot: QtBot) -> None:
    around, segments = QWidget(), Segments("Colour", {colour: colour.name for colour in Colour})
    column, before = QVBoxLayout(around), QPushButton("before")
    for part in (before, segments, QPushButton("after")):
        column.addWidget(part)
    shown(qtbot, around)
    around.activateWindow()
    qtbot.waitUntil(around.isActiveWindow, timeout=PATIENCE_MS)
    chosen: list[Colour] = []
    segments.chosen.connect(chosen.append)
    segments.show_choice(Colour.RED)
    segments.show_choice(Colour.BLUE)
    buttons = segments._buttons
    before.setFocus()
    QTest.keyClick(before, Qt.Key.Key_Tab)
    assert buttons[Colour.BLUE].hasFocus()
    QTest.keyClick(buttons[Colour.BLUE], Qt.Key.Key_Left)
    assert buttons[Colour.GREEN].hasFocus()
    assert chosen == [Colour.GREEN]


def test_steps_are_ticked_off(qtbot: QtBot, theme: Theme) -> None:
    steps = StepList(theme, {"one": "First", "two": "Second", "three": "Third"})
    shown(qtbot, steps)
    assert steps.done() == []
    steps.begin("two", "192.0.2.1")
    assert steps.done() == ["one"]
    assert steps._labels[1].text() == "Second · 192.0.2.1"
    steps.begin("three")
    assert steps.done() == ["one", "two"]
    steps.fail()
    assert steps._labels[2].property("role") == "error"
    steps.begin("one")
    assert steps.done() == []
    steps.finish()
    assert steps.done() == ["one", "two", "three"]
    steps.reset()
    assert steps.done() == []
    steps.fail()
    assert steps._labels[0].property("role") == "error"


def test_a_spinner_turns_only_while_it_is_seen(qtbot: QtBot, theme: Theme) -> None:
    spinner = Spinner(theme)
    shown(qtbot, spinner)
    angle = spinner._angle
    qtbot.waitUntil(lambda: spinner._angle != angle, timeout=PATIENCE_MS)
    spinner.hide()
    assert spinner._timer == 0


def test_a_notice_explains_an_error_until_it_is_closed(qtbot: QtBot, theme: Theme) -> None:
    notice = Notice(theme)
    qtbot.addWidget(notice)
    assert notice.text() == ""
    notice.error(ConnectError(Reason.NOBODY, "192.0.2.1:42000"))
    assert "Nobody answers at 192.0.2.1:42000" in notice.text()
    assert notice.accessibleName() == notice.text()
    assert not notice._timer.isActive()
    QTest.mouseClick(notice._close, LEFT)
    assert notice.text() == ""


def test_good_news_goes_away_by_itself(qtbot: QtBot, theme: Theme) -> None:
    notice = Notice(theme)
    qtbot.addWidget(notice)
    notice.say("Copied")
    assert notice.text() == "Copied"
    assert notice._timer.isActive()
    notice._timer.start(0)
    qtbot.waitUntil(lambda: notice.text() == "", timeout=PATIENCE_MS)


@pytest.mark.parametrize(
    ("passphrase", "expected"),
    [
        ("", Strength.WEAK),
        ("password", Strength.WEAK),
        ("aaaaaaaaaaaaaaaaaaaaaaaa", Strength.WEAK),
        ("123456789012345678", Strength.WEAK),
        ("dog dog dog dog dog dog", Strength.WEAK),
        ("Tr0ub4dor&3", Strength.GOOD),
        ("correct horse battery staple", Strength.FAIR),
        ("ladder rope bridge heights survey", Strength.GOOD),
        ("ladder rope bridge heights survey boat nine coffee", Strength.STRONG),
        ("q7#Lm2!xVw9@", Strength.STRONG),
    ],
)
def test_strength(passphrase: str, expected: Strength) -> None:
    assert strength(passphrase) is expected


def test_more_of_the_same_kind_is_never_weaker() -> None:
    levels = [list(Strength).index(strength("k2#Xp9!w"[:n] + "Lq" * 0)) for n in range(9)]
    assert levels == sorted(levels)


def test_the_meter_shows_the_strength(qtbot: QtBot) -> None:
    meter = StrengthMeter()
    shown(qtbot, meter)
    meter.rate("password")
    assert "Weak" in meter.words()
    meter.rate("q7#Lm2!xVw9@")
    assert meter.words() == "Strong"
    assert meter._bar.value() == len(Strength)
    meter.rate("")
    assert meter.words() == ""


def test_a_passphrase_is_hidden_unless_asked(qtbot: QtBot, theme: Theme) -> None:
    field = PassphraseField(theme, "Passphrase")
    shown(qtbot, field)
    assert field.echoMode() is QLineEdit.EchoMode.Password
    field.setFocus()
    field.activateWindow()
    qtbot.waitUntil(field.isActiveWindow, timeout=PATIENCE_MS)
    QTest.keyClick(field, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    assert field.echoMode() is QLineEdit.EchoMode.Normal
    assert "Hide" in field._eye.text()
    field.setEnabled(False)
    assert field.echoMode() is QLineEdit.EchoMode.Password


def test_a_number_field_takes_only_numbers_within_bounds(qtbot: QtBot) -> None:
    field = NumberField("Port", 1, 65535)
    shown(qtbot, field)
    numbers: list[int] = []
    field.changed.connect(numbers.append)
    field.show_value(42000)
    assert numbers == []
    field.selectAll()
    QTest.keyClicks(field, "8x0,8 0")
    assert field.text() == "8080"
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert numbers == [8080]
    field.selectAll()
    QTest.keyClicks(field, "99999")
    QTest.keyClick(field, Qt.Key.Key_Return)
    assert numbers == [8080]
    assert field.value() == 99999


def test_an_icon_button_has_a_name_and_follows_the_theme(qtbot: QtBot, theme: Theme) -> None:
    press = IconButton(theme, "lock", "Lock")
    shown(qtbot, press)
    assert press.accessibleName() == press.toolTip() == "Lock"
    press.show_icon("key", "Unlock", "danger")
    assert press.accessibleName() == "Unlock"
    assert not press.icon().isNull()


def test_text_from_others_is_never_markup(qtbot: QtBot) -> None:
    text = label("<b>Bob</b> <img src=file:///etc/passwd>")
    elided = ElidedLabel("title")
    for part in (text, elided):
        shown(qtbot, part)
        assert part.textFormat() is Qt.TextFormat.PlainText


def test_a_line_without_room_ends_in_an_ellipsis(qtbot: QtBot) -> None:
    line = ElidedLabel("small")
    line.setText("a rather long line of words")
    shown(qtbot, line)
    line.resize(400, 20)
    line.grab()
    assert line.toolTip() == ""
    line.resize(40, 20)
    line.grab()
    assert line.toolTip() == "a rather long line of words"


def test_a_fitting_stack_is_as_high_as_its_page(qtbot: QtBot) -> None:
    stack, pages = FittingStack(), [QWidget(), QWidget()]
    for page, height in zip(pages, (20, 200), strict=True):
        page.setMinimumHeight(height)
        stack.addWidget(page)
    shown(qtbot, stack)
    assert stack.currentWidget() is pages[0]
    assert stack.sizeHint().height() == 20
    stack.setCurrentWidget(pages[1])
    assert stack.currentWidget() is pages[1]
    assert not pages[0].isVisible()
    assert stack.sizeHint().height() == 200


def test_a_dialog_is_as_wide_as_what_cannot_be_narrower(qtbot: QtBot, theme: Theme) -> None:
    window = QWidget()
    shown(qtbot, window)
    sheet = Sheet(window, theme, "Wide")
    sheet.body.addWidget(Segments("Unit", dict.fromkeys(Colour, "a rather long word " * 3)))
    sheet.setMinimumWidth(200)  # of the dialog; what is in it needs more
    sheet.open()
    parts = sheet.findChildren(QPushButton)
    assert len(parts) == len(Colour)
    assert all(part.width() >= part.sizeHint().width() for part in parts)


def test_a_dialog_grows_with_what_comes_into_it(qtbot: QtBot, theme: Theme) -> None:
    window = QWidget()
    shown(qtbot, window)
    sheet = Sheet(window, theme, "Grows")
    words = label("short", wrap=True)
    sheet.body.addWidget(words)
    sheet.open()
    before = sheet.height()
    words.setText("long " * 300)
    qtbot.waitUntil(lambda: words.height() >= words.heightForWidth(words.width()), timeout=PATIENCE_MS)
    assert sheet.height() > before


def test_a_fingerprint_stands_in_two_lines_of_seven_groups() -> None:
    fingerprint = Fingerprint(bytes(range(32)))
    lines = fingerprint_text(fingerprint).split("\n")
    assert [len(line.split()) for line in lines] == [7, 7]
    assert " ".join(" ".join(lines).split()) == format_fingerprint(fingerprint)
