"""Paints one row of a conversation: date, divider of unread messages, bubble, time and tick."""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection
from typing import Final, cast

import msgspec
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPainterPath, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from messenger.core.ids import MessageId
from messenger.core.models import Message, MessageState
from messenger.core.words import Phrase
from messenger.gui import icons
from messenger.gui.below import Below, Belows
from messenger.gui.bubble import TICK, TIMER, Bubble, Choice, Fonts, Inks, Span
from messenger.gui.conversation_model import Index
from messenger.gui.direction import direction_of
from messenger.gui.file_bubble import FileBubble, FileBubbles
from messenger.gui.message_menu import Deed
from messenger.gui.theme import BUBBLE_SHARE, BUBBLE_WIDTH, RADIUS, SPACE, Theme
from messenger.gui.timeline_model import KEPT, ROW, Row, TimelineModel
from messenger.text import _, day

_TICKS: Final = {
    MessageState.QUEUED: "clock",
    MessageState.SENT: "tick",
    MessageState.DELIVERED: "ticks",
    MessageState.READ: "ticks",
    MessageState.FAILED: "alert",
}
_MARGIN: Final = SPACE["l"]
_CHIP: Final = 24
_DATE: Final = _CHIP + SPACE["m"] + SPACE["xs"]
_DIVIDER: Final = _CHIP + SPACE["s"] + SPACE["xs"]
_APART: Final = SPACE["s"] + 2
_CLOSE: Final = 2
_BOTTOM: Final = SPACE["m"]
_CORNER: Final = 4
"""Radius of a corner that touches a neighbour of the same group."""


class Selection(msgspec.Struct, frozen=True):
    """Characters selected in one bubble."""

    message: MessageId
    span: Span


class TimelineDelegate(QStyledItemDelegate):
    """Lays bubbles out once, keeps the layouts, and paints them.

    Args:
        theme: Colours and fonts.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._bubbles: OrderedDict[tuple[object, ...], Bubble] = OrderedDict()
        self.files = FileBubbles(theme)
        """Cards of messages that offer files."""
        self.belows = Belows(theme)
        """Reactions, and why something was not sent."""
        self._width = BUBBLE_WIDTH
        self.pane = 0
        """Pixels from edge to edge, without the scroll bar."""
        self.filler = 0
        """Pixels above the first row, so that few messages stand at the bottom."""
        self.selection: Selection | None = None
        self.show_cursor = False
        """Whether the row that keys act on is marked."""
        self.flash: MessageId | None = None
        """The message that a jump led to; its row stands out."""
        self._phrases: tuple[Phrase, ...] = ()
        self.quote_of: Callable[[Message], str] = _no_quote
        """Tells what a message answers, as one line, its author in another above."""
        self.author_of: Callable[[Message], str] = _no_quote
        """Tells the name that is shown for the author of a message."""
        theme.changed.connect(self._forget)

    def set_pane(self, width: int) -> bool:
        """Lay out for a pane of another width; whether anything changes.

        Args:
            width: Pixels from edge to edge, without the scroll bar.
        """
        if width == self.pane:
            return False
        self.pane = width
        self._width = max(120, min(BUBBLE_WIDTH, width * BUBBLE_SHARE // 100))
        return True

    def seek(self, phrases: tuple[Phrase, ...]) -> None:
        """Mark these words from now on wherever they stand."""
        self._phrases = phrases

    def bubble(self, message: Message) -> Bubble | FileBubble:
        """The layout of a message for the present width."""
        if message.transfer is not None and (card := self.files.get(message, self._width)) is not None:
            return card
        quote = self.quote_of(message)
        done = message.deleted, message.edited_ms, quote
        text = message.text if message.edited_ms is not None else ""
        author = self.author_of(message) if message.notice else ""
        key = (message.id, message.outgoing, self._width, *done, text, author, self._phrases)
        bubble = self._bubbles.get(key)
        if bubble is None:
            theme = self._theme
            small = theme.font("small"), theme.font("small", bold=True)
            fonts = Fonts(theme.font("message"), theme.font("emoji"), *small, theme.font("code"))
            bubble = Bubble(message, self._width, fonts, quote, author, self._phrases)
            self._bubbles[key] = bubble
            if len(self._bubbles) > 2 * KEPT:
                self._bubbles.popitem(last=False)
        return bubble

    def forget(self, ids: Collection[MessageId]) -> None:
        """Messages have disappeared: their characters are not kept."""
        self.files.forget(ids)
        self.belows.forget(ids)
        for key in [key for key in self._bubbles if key[0] in ids]:
            del self._bubbles[key]

    def bubble_rect(self, row: Row, rect: QRect, place: int) -> QRectF:
        """Where the bubble of a row stands.

        Args:
            row: The row.
            rect: The rectangle of the row in the view.
            place: Number of the row.
        """
        bubble = self.bubble(row.message)
        left = float(rect.left() + _MARGIN)
        if row.message.notice:
            left = rect.left() + (self.pane - bubble.size.width()) / 2
        elif row.message.outgoing != self._mirrored():
            left = rect.left() + self.pane - _MARGIN - bubble.size.width()
        return QRectF(QPointF(left, rect.top() + self._above(row, place)), bubble.size)

    def below(self, message: Message) -> Below | None:
        """What stands below the bubble of a message, or None."""
        at_right = message.outgoing != self._mirrored()
        return self.belows.get(message, self.bubble(message).size.width(), self._width, at_right=at_right)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:  # noqa: ARG002, N802 -- Qt's name
        """The height of a row; its width is that of the pane."""
        model, place = cast("TimelineModel", index.model()), index.row()
        row = model.row(place)  # not by its role: hundreds of rows are laid out at a time
        bubble, below = self.bubble(row.message), self.below(row.message)
        height = self._above(row, place) + bubble.size.height() + _CLOSE
        height += 0 if below is None else below.height
        if place == model.rowCount() - 1:
            height += _BOTTOM
        return QSize(self.pane, round(height + 0.5))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Draw a row."""
        row: Row = index.data(ROW)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        top = option.rect.top() + (self.filler if index.row() == 0 else 0)
        if row.new_day:
            words = day(row.message.sent_ms, time.time_ns() // 1_000_000)
            self._paint_chip(painter, option.rect, top + SPACE["m"], words)
            top += _DATE
        if row.unread_line:
            self._paint_divider(painter, option.rect, top + SPACE["s"])
        rect = self.bubble_rect(row, option.rect, index.row())
        if row.message.id == self.flash:
            below = self.below(row.message)
            high = rect.height() + (0 if below is None else below.height)
            band = QRectF(option.rect.left(), rect.top() - 2, self.pane, high + 4)
            painter.fillRect(band, self._theme.colors["flash"])
        at_cursor = self.show_cursor and bool(option.state & QStyle.StateFlag.State_HasFocus)
        chosen = bool(option.state & QStyle.StateFlag.State_Selected)
        self._paint_bubble(painter, row, rect, marked=at_cursor or chosen)
        painter.restore()

    def _above(self, row: Row, place: int) -> int:
        """Pixels between the top of the row and its bubble."""
        space = _CLOSE // 2 if row.joins_above else _APART
        space += _DATE if row.new_day else 0
        space += _DIVIDER if row.unread_line else 0
        return space + (self.filler if place == 0 else 0)

    def _paint_chip(self, painter: QPainter, rect: QRect, top: int, words: str) -> None:
        colors = self._theme.colors
        painter.setFont(self._theme.font("small", bold=True))
        width = painter.fontMetrics().horizontalAdvance(words) + 2 * SPACE["m"]
        chip = QRectF(rect.left() + (self.pane - width) / 2, top, width, _CHIP)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colors["chip"])
        painter.drawRoundedRect(chip, _CHIP / 2, _CHIP / 2)
        painter.setPen(colors["chip_text"])
        painter.setLayoutDirection(direction_of(words))  # a date runs as its language does
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, words)

    def _paint_divider(self, painter: QPainter, rect: QRect, top: int) -> None:
        painter.setPen(QPen(self._theme.colors["chip"], 1))
        middle = top + _CHIP // 2
        painter.drawLine(rect.left() + _MARGIN, middle, rect.left() + self.pane - _MARGIN, middle)
        self._paint_chip(painter, rect, top, _("Unread messages"))

    def _paint_bubble(self, painter: QPainter, row: Row, rect: QRectF, *, marked: bool) -> None:
        colors, message = self._theme.colors, row.message
        bubble = self.bubble(message)
        side = "own" if message.outgoing else "other"
        text, meta = colors[f"bubble_{side}_text"], colors[f"bubble_{side}_meta"]
        if message.notice:
            text = colors["chip_text"]
            painter.fillPath(self._shape(row, rect), colors["chip"])
        elif bubble.large:
            text, meta = colors["text"], colors["muted"]
        else:
            painter.fillPath(self._shape(row, rect), colors[f"bubble_{side}"])
        if marked:
            painter.setPen(QPen(colors["accent_text"], 2))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawPath(self._shape(row, rect.adjusted(-1.5, -1.5, 1.5, 1.5)))
        if isinstance(bubble, FileBubble):
            self.files.draw(painter, message, bubble, rect.topLeft())
        else:
            self._paint_words(painter, message, bubble, rect, text)
        painter.setFont(self._theme.font("small"))
        if not message.notice:
            self._paint_meta(painter, message, bubble, rect, meta)
        if (below := self.below(message)) is not None:
            focused = self.files.focused == (message.id, Deed.RETRY)
            hovered = self.files.hovered == (message.id, Deed.RETRY)
            below.draw(painter, rect.bottomLeft(), self._theme, focused=focused, hovered=hovered)

    def _paint_words(
        self, painter: QPainter, message: Message, bubble: Bubble, rect: QRectF, text: QColor
    ) -> None:
        """The characters of a message, and the link to the rest of a long one."""
        colors, side = self._theme.colors, "own" if message.outgoing else "other"
        chosen = None
        if self.selection is not None and self.selection.message == message.id:
            chosen = Choice(self.selection.span, colors[f"selection_{side}"])
        link = colors[f"bubble_{side}_link"]
        inks = Inks(colors[f"code_{side}"], colors["found"], colors["found_text"], link)
        bubble.draw(painter, rect.topLeft(), text, link, chosen, inks)
        if bubble.cut:
            left = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute
            more = bubble.more_rect.translated(rect.topLeft())
            painter.setPen(link)
            painter.setFont(self._theme.font("small", bold=True))
            painter.drawText(more, Qt.AlignmentFlag.AlignVCenter | left, bubble.more)

    def _paint_meta(
        self, painter: QPainter, message: Message, bubble: Bubble | FileBubble, rect: QRectF, color: QColor
    ) -> None:
        """How long it stays, time and tick."""
        meta = bubble.meta.translated(rect.topLeft())
        painter.setPen(color)
        if bubble.timed:
            picture = icons.pixmap("timer", color.name(), TIMER, painter.device().devicePixelRatio())
            painter.drawPixmap(QPointF(meta.left(), meta.center().y() - TIMER / 2), picture)
            meta.setLeft(meta.left() + TIMER + 2)
        side = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute
        painter.drawText(meta, Qt.AlignmentFlag.AlignVCenter | side, bubble.time)
        if message.outgoing:
            if message.state is MessageState.READ and not bubble.large:
                color = self._theme.colors["bubble_own_read"]
            picture = icons.pixmap(
                _TICKS[message.state], color.name(), TICK, painter.device().devicePixelRatio()
            )
            painter.drawPixmap(QPointF(meta.right() - TICK, meta.center().y() - TICK / 2), picture)

    def _shape(self, row: Row, rect: QRectF) -> QPainterPath:
        """A rounded rectangle whose corners towards neighbours of the same group are sharper."""
        at_right = row.message.outgoing != self._mirrored()
        near_top = _CORNER if row.joins_above else RADIUS["bubble"]
        near_bottom = _CORNER if row.joins_below else RADIUS["bubble"]
        far = RADIUS["bubble"]
        radii = (far, near_top, near_bottom, far) if at_right else (near_top, far, far, near_bottom)
        return rounded(rect, radii)

    @staticmethod
    def _mirrored() -> bool:
        return QGuiApplication.layoutDirection() == Qt.LayoutDirection.RightToLeft

    @Slot()
    def _forget(self) -> None:
        self._bubbles.clear()
        self.files.clear()
        self.belows.clear()


def _no_quote(_: Message) -> str:
    return ""


def rounded(rect: QRectF, radii: tuple[float, float, float, float]) -> QPainterPath:
    """A rectangle with four different corners.

    Args:
        rect: The rectangle.
        radii: Top left, top right, bottom right, bottom left.
    """
    left, top, right, bottom = rect.left(), rect.top(), rect.right(), rect.bottom()
    tl, tr, br, bl = (min(radius, rect.width() / 2, rect.height() / 2) for radius in radii)
    path = QPainterPath(QPointF(left + tl, top))
    path.lineTo(right - tr, top)
    path.arcTo(QRectF(right - 2 * tr, top, 2 * tr, 2 * tr), 90, -90)
    path.lineTo(right, bottom - br)
    path.arcTo(QRectF(right - 2 * br, bottom - 2 * br, 2 * br, 2 * br), 0, -90)
    path.lineTo(left + bl, bottom)
    path.arcTo(QRectF(left, bottom - 2 * bl, 2 * bl, 2 * bl), 270, -90)
    path.lineTo(left, top + tl)
    path.arcTo(QRectF(left, top, 2 * tl, 2 * tl), 180, -90)
    path.closeSubpath()
    return path
