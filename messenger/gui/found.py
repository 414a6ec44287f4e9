"""Messages of all conversations that a search has found, as a list below the people."""

import time
from typing import Any, Final

import msgspec
from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QRect,
    QRectF,
    QSize,
    Qt,
    QTimer,
    Signal,
    Slot,
)
from PySide6.QtGui import QFont, QPainter, QPainterPath, QTextCharFormat, QTextLayout, QTextOption
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from messenger.core.models import Message, SearchQuery
from messenger.core.words import Phrase, phrases_of
from messenger.gui import content
from messenger.gui.bridge import Bridge
from messenger.gui.conversation_model import ConversationModel, Index
from messenger.gui.strip import Strip
from messenger.gui.tasks import Tasks
from messenger.gui.theme import RADIUS, SPACE, Theme
from messenger.text import _, message_sentence, one_line, short_moment

HIT: Final = Qt.ItemDataRole.UserRole
"""Role of the `Hit`."""
HEIGHT: Final = 56
_LINE: Final = 20
_BEFORE: Final = 24
"""Characters that are shown before the first word that was sought."""
_REST_MS: Final = 150
"""It is looked for when nothing was typed for so long."""


class Hit(msgspec.Struct, frozen=True):
    """A message that was found, and whose conversation it stands in."""

    message: Message
    title: str
    words: str
    """The part of its text with the first word that was sought."""
    marked: tuple[tuple[int, int], ...]
    """Where in `words` they stand, as start and end."""


def hit_of(message: Message, title: str, phrases: list[Phrase]) -> Hit:
    """Make what the list shows of a message.

    Args:
        message: What was found.
        title: The name of the other person.
        phrases: What was sought.
    """
    text = " ".join(message.text[: content.SHOWN_CHARACTERS].split())
    spans = content.sought(text, phrases)
    start = max(0, spans[0][0] - _BEFORE) if spans else 0
    if start:
        start = text.find(" ", start, spans[0][0]) + 1 or start
    prefix = "…" if start else ""
    shift = len(prefix) - start
    words = prefix + one_line(text[start:], 160)
    marked = tuple((a + shift, b + shift) for a, b in spans if a >= start and b + shift <= len(words))
    return Hit(message, title, words, marked)


class FoundModel(QAbstractListModel):
    """What was found so far, newest first."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._hits: list[Hit] = []

    def load(self, hits: list[Hit]) -> None:
        """Show these and nothing else."""
        self.beginResetModel()
        self._hits = hits
        self.endResetModel()

    def append(self, hits: list[Hit]) -> None:
        """Show these as well."""
        if hits:
            first = len(self._hits)
            self.beginInsertRows(QModelIndex(), first, first + len(hits) - 1)
            self._hits += hits
            self.endInsertRows()

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802 -- Qt's name
        """How many were found so far."""
        return 0 if parent is not None and parent.isValid() else len(self._hits)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401 -- Qt's signature
        """One aspect of a hit."""
        if not index.isValid():
            return None
        hit = self._hits[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return hit.words
        if role == Qt.ItemDataRole.AccessibleTextRole:
            author = _("You, to {name}").format(name=hit.title) if hit.message.outgoing else hit.title
            return message_sentence(hit.message, author, time.time_ns() // 1_000_000)
        return hit if role == HIT else None


class FoundDelegate(QStyledItemDelegate):
    """Paints a hit: whose conversation, when, and the words around what was sought.

    Args:
        theme: Colours and fonts.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002, N802 -- Qt's name
        """All rows are equally high."""
        return QSize(200, HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        hit: Hit = index.data(HIT)
        colors, state = self._theme.colors, option.state
        rect: QRect = option.rect.adjusted(SPACE["s"], 1, -SPACE["s"], -1)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        selected = bool(state & QStyle.StateFlag.State_Selected)
        if selected or state & QStyle.StateFlag.State_MouseOver:
            path = QPainterPath()
            path.addRoundedRect(QRectF(rect), RADIUS["control"], RADIUS["control"])
            painter.fillPath(path, colors["selected" if selected else "hover"])
        inner = rect.adjusted(SPACE["m"], SPACE["s"], -SPACE["m"], 0)
        mirrored = option.direction == Qt.LayoutDirection.RightToLeft
        strip = Strip(QRect(inner.left(), inner.top(), inner.width(), _LINE), mirrored=mirrored)
        painter.setFont(self._theme.font("small"))
        painter.setPen(colors["muted"])
        when = short_moment(hit.message.sent_ms, time.time_ns() // 1_000_000)
        part = strip.end(painter.fontMetrics().horizontalAdvance(when), SPACE["s"])
        painter.drawText(part, Qt.AlignmentFlag.AlignVCenter, when)
        painter.setFont(self._theme.font("body", bold=True))
        painter.setPen(colors["text"])
        title = painter.fontMetrics().elidedText(hit.title, Qt.TextElideMode.ElideRight, strip.room)
        side = Qt.AlignmentFlag.AlignRight if mirrored else Qt.AlignmentFlag.AlignLeft
        side |= Qt.AlignmentFlag.AlignAbsolute
        painter.drawText(strip.rest(), side | Qt.AlignmentFlag.AlignVCenter, title)
        below = QRect(inner.left(), inner.top() + _LINE, inner.width(), _LINE)
        self._paint_words(painter, below, hit, side)
        painter.restore()

    def _paint_words(self, painter: QPainter, rect: QRect, hit: Hit, side: Qt.AlignmentFlag) -> None:
        painter.setFont(self._theme.font("body"))
        words = painter.fontMetrics().elidedText(hit.words, Qt.TextElideMode.ElideRight, rect.width())
        layout = QTextLayout(words, QFont(self._theme.font("body")))
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.NoWrap)
        option.setAlignment(side)
        layout.setTextOption(option)
        layout.beginLayout()
        layout.createLine().setLineWidth(rect.width())
        layout.endLayout()
        marks = []
        for start, end in hit.marked:
            if words[start:end] != hit.words[start:end]:
                continue  # there is no room for it
            mark = QTextLayout.FormatRange()
            mark.start = content.units(hit.words, start)
            mark.length = content.units(hit.words, end) - mark.start
            mark.format = QTextCharFormat()
            mark.format.setForeground(self._theme.colors["found_text"])
            mark.format.setBackground(self._theme.colors["found"])
            marks.append(mark)
        painter.setPen(self._theme.colors["muted"])
        painter.setClipRect(rect)
        layout.draw(painter, QRectF(rect).topLeft(), marks)


class FoundList(QListView):
    """The list; a click or Enter opens the message.

    Args:
        theme: Colours and fonts.
    """

    chosen = Signal(object)
    """The message that shall be shown."""
    more_asked = Signal()
    """The end of the list is near."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.hits = FoundModel(self)
        self.setObjectName("conversations")
        self.setAccessibleName(_("Messages found"))
        self.setModel(self.hits)
        self._painter = FoundDelegate(theme)
        self.setItemDelegate(self._painter)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.selectionModel().currentChanged.connect(self._on_current)
        self.clicked.connect(self._on_current)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        theme.changed.connect(self.viewport().update)

    @Slot(QModelIndex)
    def _on_current(self, index: QModelIndex) -> None:
        if index.isValid() and (self.hasFocus() or self.viewport().hasFocus()):
            self.chosen.emit(index.data(HIT).message)

    @Slot()
    def _on_scrolled(self) -> None:
        bar = self.verticalScrollBar()
        if bar.maximum() - bar.value() < self.viewport().height():
            self.more_asked.emit()


class Finder(QObject):
    """Looks for words in all conversations and fills the list, page by page.

    Args:
        bridge: The way to the engine.
        tasks: Runs the search.
        people: Tells the names.
        found: The list.
    """

    searched = Signal()
    """What was typed last has been looked for."""

    def __init__(self, bridge: Bridge, tasks: Tasks, people: ConversationModel, found: FoundList) -> None:
        super().__init__(found)
        self._bridge, self._tasks, self._people, self._found = bridge, tasks, people, found
        self._text = ""
        self._asked = 0
        self._next: int | None = None
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_REST_MS)
        self._timer.timeout.connect(self._look)
        found.more_asked.connect(self._more)

    def seek(self, text: str) -> None:
        """Look for something else from now on; nothing empties the list."""
        self._asked += 1
        self._text, self._next = text, None
        if text.strip():
            self._timer.start()
        else:
            self._timer.stop()
            self._found.hits.load([])

    @Slot()
    def _look(self) -> None:
        self._tasks.start(self._find(self._text, self._asked, None), name="search everywhere")

    @Slot()
    def _more(self) -> None:
        if self._next is not None:
            before, self._next = self._next, None
            self._tasks.start(self._find(self._text, self._asked, before), name="search everywhere")

    async def _find(self, text: str, asked: int, before: int | None) -> None:
        found = await self._bridge.call(self._bridge.engine.find, SearchQuery(text=text), before)
        if asked != self._asked:
            return
        self._next = found.next
        phrases = phrases_of(text)
        hits = [hit_of(message, self._title(message), phrases) for message in found.messages]
        if before is None:
            self._found.hits.load(hits)
        else:
            self._found.hits.append(hits)
        self.searched.emit()

    def _title(self, message: Message) -> str:
        row = self._people.row(message.conversation)
        return "" if row is None else row.conversation.contact.title
