"""Small dialogs about one message: deleting it, what became of it, the address of a link, a day to go to."""

import time
from datetime import date, datetime, timedelta
from typing import Final

from PySide6.QtCore import QDate, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication, QTextCharFormat
from PySide6.QtWidgets import QCalendarWidget, QGridLayout, QTableView, QToolButton, QWidget

from messenger.core.models import Message, MessageState, Moments
from messenger.gui import content, icons
from messenger.gui.sheet import Sheet
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import label
from messenger.text import STATES, _, failure, local, long_moment, one_line, shown_text
from messenger.text.relaying import STATE_WORDS

_LEAST: Final = 420


class DeleteSheet(Sheet):
    """Asks for whom a message shall be deleted.

    Args:
        parent: The window.
        theme: Colours and fonts.
        message: Which.
        name: The other person.
        both: Whether it can be deleted there too.
    """

    chosen = Signal(bool)
    """For both."""

    def __init__(self, parent: QWidget, theme: Theme, message: Message, name: str, *, both: bool) -> None:
        super().__init__(parent, theme, _("Delete message"))
        waits = message.outgoing and message.state in {MessageState.QUEUED, MessageState.SENT}
        both = both and message.outgoing and not message.deleted
        self.body.addWidget(label(_("Delete this message?"), "title", wrap=True))
        self.body.addWidget(label(one_line(shown_text(message)), "strong", wrap=True))
        words = _("It is gone from this computer for good; {name} keeps what they have.").format(name=name)
        if both:
            words = _(
                "For both takes it away from {name} as well, as soon as they can be reached. Who has read or"
                " copied it before still knows it."
            ).format(name=name)
        self.body.addWidget(label(words, "muted", wrap=True))
        self.cancel_button = self.add_button(_("Cancel"))
        self.cancel_button.clicked.connect(self.reject)
        self.here_button = self.add_button(_("Delete for me"), "danger")
        self.here_button.clicked.connect(lambda: self._choose(both=False))
        self.here_button.setVisible(not waits or not both)
        self.both_button = self.add_button(_("Delete for both"), "danger")
        self.both_button.clicked.connect(lambda: self._choose(both=True))
        self.both_button.setVisible(both)
        self.cancel_button.setFocus()
        self.setMinimumWidth(_LEAST)

    def _choose(self, *, both: bool) -> None:
        self.chosen.emit(both)
        self.accept()


class InfoSheet(Sheet):
    """What became of a message, and when.

    Args:
        parent: The window.
        theme: Colours and fonts.
        message: Which.
        author: Who wrote it, as shown.
        moments: When receipts came.
    """

    def __init__(
        self, parent: QWidget, theme: Theme, message: Message, author: str, moments: Moments
    ) -> None:
        super().__init__(parent, theme, _("Message info"))
        self.body.addWidget(label(_("Message info"), "title"))
        self.body.addWidget(label(one_line(shown_text(message)), "muted", wrap=True))
        grid = QGridLayout()
        grid.setHorizontalSpacing(SPACE["xl"])
        grid.setVerticalSpacing(SPACE["s"])
        self.facts = _facts(message, author, moments)
        for line, (name, words) in enumerate(self.facts):
            grid.addWidget(label(name, "strong"), line, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(label(words, wrap=True, select=True), line, 1)
        grid.setColumnStretch(1, 1)
        self.body.addLayout(grid)
        self.meaning = label(STATE_WORDS.get(message.state, ""), "small", wrap=True)
        self.meaning.setVisible(message.outgoing and bool(self.meaning.text()))
        self.body.addWidget(self.meaning)
        self.add_button(_("Close"), "primary").clicked.connect(self.accept)
        self.setMinimumWidth(_LEAST)


def _facts(message: Message, author: str, moments: Moments) -> list[tuple[str, str]]:
    facts = [(_("From"), author), (_("Sent"), long_moment(message.sent_ms))]
    if not message.outgoing:
        facts.append((_("Arrived"), long_moment(message.stored_ms)))
    if message.outgoing and moments.delivered_ms is not None:
        facts.append((_("Delivered"), long_moment(moments.delivered_ms)))
    if moments.read_ms is not None:
        facts.append((_("Read"), long_moment(moments.read_ms)))
    if message.edited_ms is not None:
        facts.append((_("Edited"), long_moment(message.edited_ms)))
    if message.outgoing:
        facts.append((_("State"), STATES[message.state]))
    if message.state is MessageState.FAILED:
        facts.append((_("Reason"), failure(message.reason)))
    for reaction in message.reactions:
        who = _("Your reaction") if reaction.outgoing else _("Their reaction")
        facts.append((who, reaction.emoji))
    return facts


class LinkSheet(Sheet):
    """Shows where a link really leads before it is opened.

    Args:
        parent: The window.
        theme: Colours and fonts.
        link: As it stands in the message.
    """

    def __init__(self, parent: QWidget, theme: Theme, link: str) -> None:
        super().__init__(parent, theme, _("Open link"))
        target = content.target(link)
        self.body.addWidget(label(_("Open this link?"), "title"))
        words = _("It leads to {where}. Open it only if you trust whoever sent it.")
        self.body.addWidget(label(words.format(where=target.where), "body", wrap=True))
        if target.odd:
            odd = _("Look closely: this address has letters that look like others, or a name before an @.")
            self.body.addWidget(label(odd, "warning", wrap=True))
        self.address = label(target.address, "mono", wrap=True, select=True, title=_("The real address"))
        self.body.addWidget(self.address)
        self.cancel_button = self.add_button(_("Cancel"))
        self.cancel_button.clicked.connect(self.reject)
        self.open_button = self.add_button(_("Open"), "primary")
        self.open_button.clicked.connect(self.accept)
        self.cancel_button.setFocus()
        self.setMinimumWidth(_LEAST)


class DateSheet(Sheet):
    """Asks for a day of a conversation.

    Args:
        parent: The window.
        theme: Colours and fonts.
        first_ms: When the conversation began, Unix milliseconds.
    """

    chosen = Signal(object)
    """When the day begins, Unix milliseconds."""

    def __init__(self, parent: QWidget, theme: Theme, first_ms: int) -> None:
        super().__init__(parent, theme, _("Jump to a date"))
        self.calendar = QCalendarWidget()
        self.calendar.setAccessibleName(_("Day to jump to"))
        self.calendar.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.NoVerticalHeader)
        self.calendar.setGridVisible(False)
        plain = QTextCharFormat()
        plain.setForeground(theme.colors["text"])
        for weekday in (Qt.DayOfWeek.Saturday, Qt.DayOfWeek.Sunday):
            self.calendar.setWeekdayTextFormat(weekday, plain)
        mirrored = QGuiApplication.layoutDirection() == Qt.LayoutDirection.RightToLeft
        for part, words, arrow in (
            ("qt_calendar_prevmonth", _("Month before"), "right" if mirrored else "back"),
            ("qt_calendar_nextmonth", _("Month after"), "back" if mirrored else "right"),
            ("qt_calendar_monthbutton", _("Month"), ""),
            ("qt_calendar_yearbutton", _("Year"), ""),
        ):
            press = self.calendar.findChild(QToolButton, part)
            if isinstance(press, QToolButton):
                press.setAccessibleName(words)
                press.setFocusPolicy(Qt.FocusPolicy.TabFocus)
                if arrow:
                    press.setIcon(icons.icon(arrow, theme.colors["text"], disabled=theme.colors["line"]))
        days = self.calendar.findChild(QTableView)
        if isinstance(days, QTableView):
            days.setAccessibleName(_("Day to jump to"))
        today = local(time.time_ns() // 1_000_000).date()
        first = min(local(first_ms).date(), today)
        self.calendar.setDateRange(_qt(first), _qt(today + timedelta(days=1)))
        self.calendar.setSelectedDate(_qt(today))
        self.calendar.activated.connect(self._on_chosen)
        self.body.addWidget(label(_("Which day?"), "title"))
        self.body.addWidget(self.calendar)
        self.add_button(_("Cancel")).clicked.connect(self.reject)
        self.go_button = self.add_button(_("Jump"), "primary")
        self.go_button.clicked.connect(self._on_chosen)
        self.calendar.setFocus()

    @Slot()
    def _on_chosen(self) -> None:
        picked = self.calendar.selectedDate()
        day = datetime(picked.year(), picked.month(), picked.day()).astimezone()
        self.chosen.emit(round(day.timestamp() * 1000))
        self.accept()


def _qt(day: date) -> QDate:
    return QDate(day.year, day.month, day.day)
