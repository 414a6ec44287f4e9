"""Looking for words in the conversation that is shown: a line above the messages leads from hit to hit."""

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QToolButton, QWidget

from messenger.core import store_limits
from messenger.core.ids import ConversationId
from messenger.core.models import Message, SearchQuery
from messenger.gui.bridge import Bridge
from messenger.gui.tasks import Tasks
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import IconButton, label
from messenger.text import _

_REST_MS = 120
"""It is looked for when nothing was typed for so long."""


class HitField(QLineEdit):
    """Enter goes to the hit before, Shift+Enter to the one after; so do Up and Down."""

    older = Signal()
    newer = Signal()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Go from hit to hit."""
        enter = event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}
        shift = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
        if event.key() == Qt.Key.Key_Up or (enter and not shift):
            self.older.emit()
        elif event.key() == Qt.Key.Key_Down or enter:
            self.newer.emit()
        else:
            super().keyPressEvent(event)


class ChatSearch(QWidget):
    """Field, number of the hit, buttons; hidden until `begin`.

    Args:
        theme: Colours and fonts.
        bridge: The way to the engine.
        tasks: Runs the search.
    """

    hit = Signal(object)
    """The message that shall be shown."""
    sought = Signal(str)
    """What shall be marked; nothing when the search is over."""

    def __init__(self, theme: Theme, bridge: Bridge, tasks: Tasks) -> None:
        super().__init__()
        self.setObjectName("chatSearch")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._bridge, self._tasks = bridge, tasks
        self._conversation: ConversationId | None = None
        self._hits: list[Message] = []
        self._next: int | None = None
        self._place = -1
        self._asked = 0
        self.field = HitField()
        self.field.setPlaceholderText(_("Search in this conversation"))
        self.field.setAccessibleName(_("Search in this conversation"))
        self.field.setMaxLength(store_limits.SEARCH_QUERY_MAX)
        self.field.setClearButtonEnabled(True)
        for press in self.field.findChildren(QToolButton):
            press.setAccessibleName(_("Clear the search"))
        self._count = label("", "small")
        self.older_button = IconButton(theme, "up", _("Hit before (Enter)"))
        self.newer_button = IconButton(theme, "down", _("Hit after (Shift+Enter)"))
        self.close_button = IconButton(theme, "close", _("End the search (Esc)"), size=16)
        row = QHBoxLayout(self)
        row.setContentsMargins(SPACE["l"], SPACE["s"], SPACE["m"], SPACE["s"])
        row.setSpacing(SPACE["s"])
        row.addWidget(self.field, 1)
        for part in (self._count, self.older_button, self.newer_button, self.close_button):
            row.addWidget(part)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REST_MS)
        self._timer.timeout.connect(self._look)
        self.field.textChanged.connect(self._on_typed)
        self.field.older.connect(self._on_older)
        self.field.newer.connect(self._on_newer)
        self.older_button.clicked.connect(self._on_older)
        self.newer_button.clicked.connect(self._on_newer)
        self.close_button.clicked.connect(self.end)
        self._tell()
        self.hide()

    def words(self) -> str:
        """What it says about the hits."""
        return self._count.text()

    def turn_to(self, conversation: ConversationId | None) -> None:
        """Another conversation is shown: the search is over."""
        if conversation != self._conversation:
            self.end()
        self._conversation = conversation

    def begin(self, text: str = "") -> None:
        """Show the line and put the cursor into it.

        Args:
            text: What is looked for at once; nothing leaves what stands there.
        """
        self.show()
        if text:
            self.field.setText(text)
        self.field.setFocus()
        self.field.selectAll()

    @Slot()
    def end(self) -> bool:
        """Take the line away; whether it was there."""
        was = not self.isHidden()
        self.hide()
        self.field.clear()
        return was

    @Slot()
    def _on_typed(self) -> None:
        self._asked += 1  # what is on its way is about another text
        self._hits, self._next, self._place = [], None, -1
        self._tell()
        self.sought.emit(self.field.text())
        if self.field.text().strip():
            self._timer.start()
        else:
            self._timer.stop()

    @Slot()
    def _look(self) -> None:
        if self._conversation is not None and self.field.text().strip():
            work = self._find(self._conversation, self.field.text(), self._asked)
            self._tasks.start(work, name="search in a conversation")

    async def _find(self, conversation: ConversationId, text: str, asked: int) -> None:
        """Read the next page of hits, and go to the first of them."""
        query = SearchQuery(text=text, conversation=conversation)
        found = await self._bridge.call(self._bridge.engine.find, query, self._next)
        if asked != self._asked:
            return
        first = len(self._hits)
        self._hits += found.messages
        self._next = found.next
        if first < len(self._hits):
            self._go(first)
        self._tell(searched=True)

    def _go(self, place: int) -> None:
        self._place = place
        self.hit.emit(self._hits[place])
        self._tell(searched=True)

    @Slot()
    def _on_older(self) -> None:
        if self._place + 1 < len(self._hits):
            self._go(self._place + 1)
        elif self._next is not None:
            self._look()
        elif self._timer.isActive():
            self._timer.stop()
            self._look()

    @Slot()
    def _on_newer(self) -> None:
        if self._place > 0:
            self._go(self._place - 1)

    def _tell(self, *, searched: bool = False) -> None:
        words = ""
        if self._hits:
            more = "+" if self._next is not None else ""
            words = _("{place} of {count}").format(place=self._place + 1, count=f"{len(self._hits)}{more}")
        elif searched:
            words = _("Nothing found")
        self._count.setText(words)
        self.field.setAccessibleDescription(words)
        self.older_button.setEnabled(self._place + 1 < len(self._hits) or self._next is not None)
        self.newer_button.setEnabled(self._place > 0)
