"""Transfers as a list of cards, over all conversations or of one, with headings between groups."""

from collections.abc import Callable, Collection, Sequence
from typing import Any, Final

from PySide6.QtCore import (
    QAbstractListModel,
    QEvent,
    QModelIndex,
    QObject,
    QRect,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import (
    QFocusEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem

from messenger.core.ids import ConversationId
from messenger.core.transfer_deeds import FileDeed, possible
from messenger.core.transfers import Transfer, TransferId, TransferState
from messenger.gui.card import Card, card_fonts, list_inks, stepped
from messenger.gui.conversation_model import Index
from messenger.gui.theme import RADIUS, SPACE, Theme
from messenger.text import _, deed_words, transfer_sentence

_S = TransferState
_ROW: Final = Qt.ItemDataRole.UserRole
_HEADING: Final = 32

GROUPS: Final[tuple[tuple[str, frozenset[TransferState]], ...]] = (
    (_("Going on"), frozenset({_S.RUNNING, _S.FINISHING})),
    (_("Waiting"), frozenset({_S.OFFERED, _S.WAITING, _S.PAUSED})),
    (_("Done"), frozenset({_S.DONE})),
    (_("Not done"), frozenset({_S.FAILED, _S.CANCELLED, _S.DECLINED})),
)
"""The groups in order: their headings, and the states in them."""

Row = str | Transfer
"""A heading or a transfer."""


def grouped(transfers: Sequence[Transfer]) -> list[Row]:
    """Transfers below the headings of their groups; empty groups have none."""
    rows: list[Row] = []
    for heading, states in GROUPS:
        inside = [transfer for transfer in transfers if transfer.state in states]
        rows += [heading, *inside] if inside else []
    return rows


class TransferModel(QAbstractListModel):
    """Rows of the list.

    Args:
        name_of: Tells the name of somebody by their conversation.
        parent: Owner.
    """

    def __init__(self, name_of: Callable[[ConversationId], str], parent: QObject) -> None:
        super().__init__(parent)
        self.name_of = name_of
        self._rows: list[Row] = []

    def show_rows(self, rows: list[Row]) -> None:
        """Show these from now on; what stays at its place keeps it."""
        if list(map(_key, rows)) != list(map(_key, self._rows)):
            self.beginResetModel()
            self._rows = rows
            self.endResetModel()
            return
        for place, (old, new) in enumerate(zip(self._rows, rows, strict=True)):
            if old != new:
                self._rows[place] = new
                self.dataChanged.emit(self.index(place), self.index(place))

    def row(self, place: int) -> Row:
        """What a row shows."""
        return self._rows[place]

    def place(self, id_: TransferId) -> int | None:
        """The row of a transfer."""
        return next((n for n, row in enumerate(self._rows) if _key(row) == id_), None)

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802 -- Qt's name
        """How many rows there are."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401 -- Qt's signature
        """One aspect of a row."""
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        if role == _ROW:
            return row
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole}:
            return row if isinstance(row, str) else transfer_sentence(row, self.name_of(row.conversation))
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Headings cannot be chosen."""
        heading = index.isValid() and isinstance(self._rows[index.row()], str)
        return Qt.ItemFlag.NoItemFlags if heading else super().flags(index)


class _Delegate(QStyledItemDelegate):
    """Paints headings and cards.

    Args:
        theme: Colours and fonts.
        model: The rows.
        headed: Whether each card says whose it is.
    """

    def __init__(self, theme: Theme, model: TransferModel, *, headed: bool) -> None:
        super().__init__()
        self._theme, self._model, self._headed = theme, model, headed
        self._cards: dict[TransferId, tuple[tuple[object, ...], Card]] = {}
        self.width = 320
        self.focused: tuple[TransferId, FileDeed] | None = None
        self.hovered: tuple[TransferId, FileDeed] | None = None
        self.show_cursor = False
        self.find_picture: Callable[[Transfer], QImage | None] = lambda _transfer: None
        theme.changed.connect(self._cards.clear)

    def card(self, transfer: Transfer) -> Card:
        """The card of a transfer for the present width."""
        name, picture = self._model.name_of(transfer.conversation), self.find_picture(transfer)
        mirrored = QGuiApplication.layoutDirection() == Qt.LayoutDirection.RightToLeft
        key = (transfer, name, self.width, mirrored, None if picture is None else picture.cacheKey())
        known = self._cards.get(transfer.id)
        if known is None or known[0] != key:
            heading = name if self._headed else ""
            fonts = card_fonts(self._theme)
            made = Card(
                transfer, name, self.width, fonts, mirrored=mirrored, picture=picture, heading=heading
            )
            known = self._cards[transfer.id] = (key, made)
        return known[1]

    def corner(self, transfer: Transfer, rect: QRect) -> QRectF:
        """Where the card of a row stands."""
        size = self.card(transfer).size
        mirrored = QGuiApplication.layoutDirection() == Qt.LayoutDirection.RightToLeft
        left = rect.right() - size.width() - SPACE["xs"] if mirrored else rect.left() + SPACE["xs"]
        return QRectF(left, rect.top() + SPACE["xs"], size.width(), size.height())

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002, N802 -- Qt's name
        """A row is as high as its card."""
        row: Row = index.data(_ROW)
        if isinstance(row, str):
            return QSize(self.width, _HEADING)
        return QSize(self.width, round(self.card(row).size.height() + 2 * SPACE["xs"] + 0.5))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        row: Row = index.data(_ROW)
        colors = self._theme.colors
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if isinstance(row, str):
            painter.setPen(colors["muted"])
            painter.setFont(self._theme.font("small", bold=True))
            side = Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter
            inner = option.rect.adjusted(SPACE["s"], 0, -SPACE["s"], 0)
            painter.drawText(inner, QStyle.visualAlignment(option.direction, side), row)
        else:
            rect = self.corner(row, option.rect)
            marked = self.show_cursor and bool(option.state & QStyle.StateFlag.State_HasFocus)
            painter.setPen(QPen(colors["accent_text"], 2) if marked else QPen(colors["line"], 1))
            painter.setBrush(colors["raised"])
            painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), RADIUS["bubble"], RADIUS["bubble"])
            focus, hover = _at(self.focused, row), _at(self.hovered, row)
            self.card(row).draw(painter, rect.topLeft(), list_inks(self._theme), focus, hover)
        painter.restore()


class TransferList(QListView):
    """Cards of transfers; their buttons by mouse, and by arrows, Tab and Enter.

    Args:
        theme: Colours and fonts.
        name_of: Tells the name of somebody by their conversation.
        title: What a screen reader says.
        headed: Whether each card says whose it is.
    """

    deed_asked = Signal(object, object)
    """A `FileDeed` and its transfer."""
    chosen = Signal(object)
    """The transfer whose message shall be shown."""

    def __init__(
        self, theme: Theme, name_of: Callable[[ConversationId], str], title: str, *, headed: bool
    ) -> None:
        super().__init__()
        self.rows = TransferModel(name_of, self)
        self._paint = _Delegate(theme, self.rows, headed=headed)
        self.setAccessibleName(title)
        self.setItemDelegate(self._paint)
        self.setModel(self.rows)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.selectionModel().currentChanged.connect(self._leave)
        theme.changed.connect(self.scheduleDelayedItemsLayout)

    def show_pictures(self, find: Callable[[Transfer], QImage | None]) -> None:
        """Say how small pictures are looked up."""
        self._paint.find_picture = find

    def show_rows(self, rows: list[Row]) -> None:
        """Show these from now on; the cursor stays at its transfer."""
        now = self._current()
        focused = self._paint.focused
        self.rows.show_rows(rows)
        place = None if now is None else self.rows.place(now.id)
        if place is not None and place != self.currentIndex().row():
            self.setCurrentIndex(self.rows.index(place))
        if focused is not None and place is not None:
            row = self.rows.row(place)
            keeps = isinstance(row, Transfer) and focused[0] == row.id and focused[1] in possible(row)
            self._paint.focused = focused if keeps else None

    def card(self, transfer: Transfer) -> tuple[Card, QRectF]:
        """The card of a transfer, and where it stands in the view."""
        place = self.rows.place(transfer.id)
        rect = QRect() if place is None else self.visualRect(self.rows.index(place))
        return self._paint.card(transfer), self._paint.corner(transfer, rect)

    def refresh(self, ids: Collection[TransferId]) -> None:
        """There are other pictures."""
        for id_ in ids:
            if (place := self.rows.place(id_)) is not None:
                self.rows.dataChanged.emit(self.rows.index(place), self.rows.index(place))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Lay out for the new width."""
        self._paint.width = max(160, self.viewport().width() - 2 * SPACE["xs"])
        super().resizeEvent(event)
        self.scheduleDelayedItemsLayout()

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 -- Qt's name
        """Coming in by keyboard, begin at the first transfer."""
        by_key = event.reason() in {Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason}
        self._paint.show_cursor = self._paint.show_cursor or by_key
        if self._current() is None:
            first = next(
                (n for n in range(self.rows.rowCount()) if not isinstance(self.rows.row(n), str)), None
            )
            if first is not None:
                self.setCurrentIndex(self.rows.index(first))
        super().focusInEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: N802 -- Qt's name and signature
        """Tab goes through the buttons of the card that is marked, and then on."""
        return self._step(1 if forward else -1) or super().focusNextPrevChild(forward)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Go through buttons and press them; without one, Enter shows the message."""
        self._paint.show_cursor = True
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        ways = {Qt.Key.Key_Right: -1 if mirrored else 1, Qt.Key.Key_Left: 1 if mirrored else -1}
        transfer = self._current()
        if event.key() in ways and self._step(ways[Qt.Key(event.key())]):
            return
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space} and transfer is not None:
            if self._paint.focused is not None:
                self._press(transfer, self._paint.focused[1])
            else:
                self.chosen.emit(transfer)
            return
        super().keyPressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Show what a click would press."""
        found = self._under(event)
        before, over = self._paint.hovered, None
        if found is not None and found[1] is not None:
            over = (found[0].id, found[1])
        self._paint.hovered = over
        if before != over:
            self.viewport().update()
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """A click presses the button that is under it."""
        super().mouseReleaseEvent(event)
        found = self._under(event)
        if found is not None and found[1] is not None and event.button() is Qt.MouseButton.LeftButton:
            self._press(found[0], found[1])

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Show the message."""
        found = self._under(event)
        if found is not None and found[1] is None:
            self.chosen.emit(found[0])

    def leaveEvent(self, event: QEvent) -> None:  # noqa: N802 -- Qt's name
        """The mouse is over nothing any more."""
        self._paint.hovered = None
        self.viewport().update()
        super().leaveEvent(event)

    def _under(self, event: QMouseEvent) -> tuple[Transfer, FileDeed | None] | None:
        """The transfer under the mouse, and its button."""
        index = self.indexAt(event.position().toPoint())
        row = self.rows.row(index.row()) if index.isValid() else ""
        if isinstance(row, str):
            return None
        card, rect = self.card(row)
        return row, card.deed_at(event.position() - rect.topLeft())

    def _current(self) -> Transfer | None:
        index: QModelIndex = self.currentIndex()
        row = self.rows.row(index.row()) if index.isValid() and index.row() < self.rows.rowCount() else ""
        return None if isinstance(row, str) else row

    def _press(self, transfer: Transfer, deed: FileDeed) -> None:
        if deed in possible(transfer):
            self.deed_asked.emit(deed, transfer)

    def _step(self, by: int) -> bool:
        transfer = self._current()
        if transfer is None:
            return False
        now = self._paint.focused[1] if self._paint.focused is not None else None
        deed = stepped([deed for deed, _rect in self._paint.card(transfer).buttons], now, by)
        self._leave()
        if deed is not None:
            self._paint.focused = (transfer.id, deed)
            self.setAccessibleDescription(deed_words(deed, transfer))
        self.viewport().update()
        return deed is not None

    @Slot()
    def _leave(self) -> None:
        self._paint.focused = None
        self.setAccessibleDescription("")


def _key(row: Row) -> object:
    return row if isinstance(row, str) else row.id


def _at(place: tuple[TransferId, FileDeed] | None, transfer: Transfer) -> FileDeed | None:
    return place[1] if place is not None and place[0] == transfer.id else None
