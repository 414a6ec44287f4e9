"""Parts of the Find people dialog: whether one can be found oneself, and the list of people."""

from enum import StrEnum
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from messenger.core import relay_limits
from messenger.core.ids import Fingerprint
from messenger.core.relays import Listed, PersonStatus, Relay
from messenger.core.words import folded
from messenger.gui import icons
from messenger.gui.switches import Segments, Switch
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import label
from messenger.text import finding

_ICON: Final = 20
_PERSON: Final = Qt.ItemDataRole.UserRole
_COLORS: Final = {
    PersonStatus.ONLINE: "success",
    PersonStatus.BUSY: "danger",
    PersonStatus.AWAY: "warning",
    PersonStatus.OFFLINE: "muted",
}


class Shown(StrEnum):
    """How the person here wants to be seen."""

    FREE = "free"
    BUSY = "busy"
    AWAY = "away"


_STATUS: Final = {
    Shown.FREE: PersonStatus.ONLINE,
    Shown.BUSY: PersonStatus.BUSY,
    Shown.AWAY: PersonStatus.AWAY,
}
_SHOWN: Final = {status: shown for shown, status in _STATUS.items()}


class ListingPart(QWidget):
    """Whether one can be found at a relay, with which status and words.

    Args:
        theme: Colours and fonts.
    """

    wanted = Signal(bool, object, str)
    """Whether to be found; the `PersonStatus`, and words about oneself."""
    status_wanted = Signal(object)
    """Another `PersonStatus`."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("card")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._about_shown = ""
        self._words = label("", "small", wrap=True)
        self.switch = Switch(theme, finding.BE_FOUND)
        self.switch.clicked.connect(self._on_switch)
        self.status = Segments(
            finding.STATUS, {shown: finding.STATUSES[status] for shown, status in _STATUS.items()}
        )
        self.status.show_choice(Shown.FREE)
        self._status = PersonStatus.ONLINE
        self.status.chosen.connect(self._on_status)
        self.about = QLineEdit()
        self.about.setMaxLength(relay_limits.ABOUT_MAX)
        self.about.setPlaceholderText(finding.ABOUT)
        self.about.setAccessibleName(finding.ABOUT)
        self.about.editingFinished.connect(self._on_about)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(label(finding.BE_FOUND, "strong"))
        texts.addWidget(self._words)
        head = QHBoxLayout()
        head.setSpacing(SPACE["l"])
        head.addLayout(texts, 1)
        head.addWidget(self.switch, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE["m"], SPACE["m"], SPACE["m"], SPACE["m"])
        column.setSpacing(SPACE["s"])
        column.addLayout(head)
        column.addWidget(self.status)
        column.addWidget(self.about)

    def show_name(self, name: str) -> None:
        """Say under which name one is found."""
        self._words.setText(finding.be_found_words(name))
        self.switch.setAccessibleDescription(self._words.text())

    def show_relay(self, relay: Relay) -> None:
        """Show how one can be found at a relay."""
        listing = relay.listing
        self.switch.setChecked(listing is not None)
        if listing is not None:
            self._status = listing.status
            self.status.show_choice(_SHOWN.get(listing.status, Shown.FREE))
            if not self.about.hasFocus():
                self.about.setText(listing.about)
            self._about_shown = listing.about
        self.status.setVisible(listing is not None)
        self.about.setVisible(listing is not None)

    @Slot(bool)
    def _on_switch(self, wanted: bool) -> None:
        self.wanted.emit(wanted, self._status, self.about.text().strip())

    @Slot(object)
    def _on_status(self, shown: Shown) -> None:
        self.status_wanted.emit(_STATUS[shown])

    @Slot()
    def _on_about(self) -> None:
        words = self.about.text().strip()
        if self.switch.isChecked() and words != self._about_shown:
            self._about_shown = words
            self.wanted.emit(True, self._status, words)  # noqa: FBT003 -- a signal has no names


class PeopleList(QListWidget):
    """People of a directory, those who fit what is searched for.

    Args:
        theme: Colours and fonts.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self.me: Fingerprint | None = None
        self.setAccessibleName(finding.PEOPLE)
        self.setIconSize(QSize(_ICON, _ICON))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideRight)

    def show_people(self, people: list[Listed], wanted: str) -> int:
        """Show those whose name or words have what is searched for; returns how many.

        Args:
            people: All.
            wanted: What is searched for; empty for everybody.
        """
        before = self.person()
        self.clear()
        letters = folded(wanted.strip())
        for person in people:
            if letters not in folded(f"{person.name}\n{person.about}"):
                continue
            words = finding.row(person, me=person.fingerprint == self.me)
            item = QListWidgetItem(words)
            color = self._theme.colors[_COLORS[person.status]]
            item.setIcon(icons.icon("person", color, _ICON))
            item.setData(_PERSON, person)
            item.setData(Qt.ItemDataRole.AccessibleTextRole, words.replace("\n", ", "))
            self.addItem(item)
            if before is not None and before.fingerprint == person.fingerprint:
                self.setCurrentItem(item)
        if self.currentRow() < 0 and self.count():
            self.setCurrentRow(0)
        return self.count()

    def person(self) -> Listed | None:
        """Who is marked; None also for the person here."""
        item = self.currentItem()
        person: Listed | None = None if item is None else item.data(_PERSON)
        return None if person is None or person.fingerprint == self.me else person
