"""Turning to somebody by a few letters of their name."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QListView, QWidget

from messenger.core.words import folded
from messenger.gui.conversation_delegate import HEIGHT, ConversationDelegate
from messenger.gui.conversation_model import ROW, ConversationModel, Row
from messenger.gui.sheet import Sheet
from messenger.gui.theme import Theme
from messenger.text import _

_SIZE = (440, 420)
_MOST = 50


def fit(wanted: str, title: str) -> int | None:
    """How well some letters fit a name: the lower the better, None if they do not.

    They must stand in the name in their order; what stands together counts most, above all at the
    beginning of a word.

    Args:
        wanted: The letters, as typed.
        title: The name.
    """
    letters, name = folded("".join(wanted.split())), folded(title)
    if not letters:
        return 0
    together = folded(" ".join(wanted.split()))
    if (place := name.find(together)) >= 0:
        starts = place == 0 or not name[place - 1].isalnum()
        return place if starts else 100 + place
    cost, at = 200, 0
    for letter in letters:
        found = name.find(letter, at)
        if found < 0:
            return None
        cost += found - at
        at = found + 1
    return cost


class SwitcherField(QLineEdit):
    """Up and Down go through the list below."""

    moved = Signal(int)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Go through the list."""
        if event.key() in {Qt.Key.Key_Up, Qt.Key.Key_Down}:
            self.moved.emit(1 if event.key() == Qt.Key.Key_Down else -1)
        else:
            super().keyPressEvent(event)


class Switcher(Sheet):
    """A field and the conversations that fit, the best above; Enter turns to the one that is marked.

    Args:
        parent: The window.
        theme: Colours and fonts.
        rows: All conversations, the latest first.
    """

    chosen = Signal(object)
    """The conversation to turn to."""

    def __init__(self, parent: QWidget, theme: Theme, rows: list[Row]) -> None:
        super().__init__(parent, theme, _("Go to conversation"), fills=True)
        self._rows = rows
        self.field = SwitcherField()
        self.field.setPlaceholderText(_("Name"))
        self.field.setAccessibleName(_("Name of a conversation"))
        self.model = ConversationModel(self)
        self.list = QListView()
        self.list.setObjectName("conversations")
        self.list.setAccessibleName(_("Conversations that fit"))
        self.list.setModel(self.model)
        self._painter = ConversationDelegate(theme)
        self.list.setItemDelegate(self._painter)
        theme.faces.changed.connect(self.list.viewport().update)
        self.list.setUniformItemSizes(True)
        self.list.setMouseTracking(True)
        self.list.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.setMinimumHeight(3 * HEIGHT)
        self.body.addWidget(self.field)
        self.body.addWidget(self.list)
        self.field.textChanged.connect(self._fill)
        self.field.moved.connect(self._on_moved)
        self.field.returnPressed.connect(self._on_enter)
        self.list.clicked.connect(self._on_enter)
        self.list.activated.connect(self._on_enter)
        self._fill("")
        self.field.setFocus()
        self.resize(*_SIZE)

    @Slot(str)
    def _fill(self, wanted: str) -> None:
        fits = []
        for number, row in enumerate(self._rows):
            contact = row.conversation.contact
            costs = [
                cost for name in (contact.title, contact.name) if (cost := fit(wanted, name)) is not None
            ]
            if costs:
                fits.append((min(costs), number, row))
        self.model.show_rows([row for _cost, _number, row in sorted(fits, key=lambda one: one[:2])[:_MOST]])
        self.list.setCurrentIndex(self.model.index(0))

    @Slot(int)
    def _on_moved(self, by: int) -> None:
        count = self.model.rowCount()
        if count:
            self.list.setCurrentIndex(self.model.index((self.list.currentIndex().row() + by) % count))

    @Slot()
    def _on_enter(self) -> None:
        index = self.list.currentIndex()
        if index.isValid():
            conversation = index.data(ROW).conversation.id
            self.accept()
            self.chosen.emit(conversation)
