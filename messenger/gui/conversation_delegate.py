"""Paints one row of the conversation list."""

import time
from typing import Final

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from messenger.core.models import Connecting, Message, MessageState, Online, Standing
from messenger.gui import icons
from messenger.gui.avatar import paint_avatar, pixels_of
from messenger.gui.conversation_model import ROW, Index, Row
from messenger.gui.strip import Strip
from messenger.gui.theme import RADIUS, SPACE, Theme
from messenger.text import _, one_line, short_moment, shown_text, typing_words

HEIGHT: Final = 68
_AVATAR: Final = 46
_DOT: Final = 12
_LINE: Final = 20
_MARK: Final = 16

TICKS: Final[dict[MessageState, tuple[str, str]]] = {
    MessageState.QUEUED: ("clock", "muted"),
    MessageState.SENT: ("tick", "muted"),
    MessageState.DELIVERED: ("ticks", "muted"),
    MessageState.READ: ("ticks", "accent_text"),
    MessageState.FAILED: ("alert", "danger"),
}
"""Icon and colour for the states of own messages, on the background of the window."""


class ConversationDelegate(QStyledItemDelegate):
    """Avatar with presence, title with marks, last words, time, unread badge.

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
        row: Row = index.data(ROW)
        colors = self._theme.colors
        rect: QRect = option.rect.adjusted(SPACE["s"], 1, -SPACE["s"], -1)
        state = option.state
        selected = bool(state & QStyle.StateFlag.State_Selected)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        background = "window"
        if selected or state & QStyle.StateFlag.State_MouseOver:
            background = "selected" if selected else "hover"
            path = QPainterPath()
            path.addRoundedRect(QRectF(rect), RADIUS["control"], RADIUS["control"])
            painter.fillPath(path, colors[background])
        inner = rect.adjusted(SPACE["s"], 0, -SPACE["s"], 0)
        mirrored = option.direction == Qt.LayoutDirection.RightToLeft
        columns = Strip(inner, mirrored=mirrored)
        disc = columns.start(_AVATAR, SPACE["m"])
        disc.setRect(disc.left(), inner.center().y() - _AVATAR // 2, _AVATAR, _AVATAR)
        contact = row.conversation.contact
        face = self._theme.faces.get(contact.portrait, pixels_of(painter, QRectF(disc)))
        paint_avatar(painter, QRectF(disc), contact.title, contact.fingerprint, face)
        self._paint_presence(painter, disc, row, colors[background])
        lines = columns.rest()
        upper = QRect(lines.left(), rect.top() + SPACE["m"], lines.width(), _LINE)
        self._paint_upper(painter, Strip(upper, mirrored=mirrored), row)
        self._paint_lower(painter, Strip(upper.translated(0, _LINE + SPACE["xs"]), mirrored=mirrored), row)
        painter.restore()

    def _paint_presence(self, painter: QPainter, disc: QRect, row: Row, background: QColor) -> None:
        colors = self._theme.colors
        match row.presence:
            case Online():
                fill = colors["online"]
            case Connecting():
                fill = colors["warning"]
            case _:
                return
        center = QPointF(disc.right() - _DOT / 2 + 2, disc.bottom() - _DOT / 2 + 2)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(background)
        painter.drawEllipse(center, _DOT / 2 + 2, _DOT / 2 + 2)
        painter.setBrush(fill)
        painter.drawEllipse(center, _DOT / 2 - 1, _DOT / 2 - 1)

    def _paint_upper(self, painter: QPainter, strip: Strip, row: Row) -> None:
        """Title and marks at the start, tick and time at the end."""
        colors, contact, last = self._theme.colors, row.conversation.contact, row.conversation.last
        if last is not None:
            painter.setFont(self._theme.font("small"))
            words = short_moment(last.sent_ms, time.time_ns() // 1_000_000)
            painter.setPen(colors["accent_text"] if row.conversation.unread else colors["muted"])
            part = strip.end(painter.fontMetrics().horizontalAdvance(words), SPACE["xs"])
            painter.drawText(part, Qt.AlignmentFlag.AlignVCenter, words)
            if last.outgoing and not last.notice:
                self._paint_icon(painter, strip.end(_MARK, SPACE["xs"]), *TICKS[last.state])
        marks = self._marks(row)
        painter.setFont(self._theme.font("body", bold=True))
        painter.setPen(colors["text"])
        metrics = painter.fontMetrics()
        room = strip.room - len(marks) * (_MARK + SPACE["xs"]) - SPACE["xs"]
        title = metrics.elidedText(contact.title, Qt.TextElideMode.ElideRight, room)
        painter.drawText(
            strip.start(metrics.horizontalAdvance(title) + 1, SPACE["xs"]),
            Qt.AlignmentFlag.AlignVCenter,
            title,
        )
        for name, color in marks:
            self._paint_icon(painter, strip.start(_MARK, SPACE["xs"]), name, color)

    def _paint_lower(self, painter: QPainter, strip: Strip, row: Row) -> None:
        """Last words at the start, unread badge at the end."""
        colors, unread = self._theme.colors, row.conversation.unread
        if unread:
            painter.setFont(self._theme.font("small", bold=True))
            words = str(unread) if unread < 1000 else "999+"
            width = max(_LINE, painter.fontMetrics().horizontalAdvance(words) + SPACE["m"])
            badge = strip.end(width, SPACE["s"])
            painter.setPen(Qt.PenStyle.NoPen)
            quiet = row.conversation.contact.muted
            painter.setBrush(colors["chip" if quiet else "accent"])
            painter.drawRoundedRect(badge, _LINE / 2, _LINE / 2)
            painter.setPen(colors["chip_text" if quiet else "on_accent"])
            painter.save()
            painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # else "999+" turns into "+999"
            painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, words)
            painter.restore()
        words, color = self._last_words(row)
        painter.setFont(self._theme.font("body"))
        painter.setPen(colors[color])
        words = painter.fontMetrics().elidedText(words, Qt.TextElideMode.ElideRight, strip.room)
        side = Qt.AlignmentFlag.AlignRight if strip.mirrored else Qt.AlignmentFlag.AlignLeft
        # the words run as they are written, wherever the line begins
        painter.setLayoutDirection(Qt.LayoutDirection.LayoutDirectionAuto)
        painter.drawText(
            strip.rest(), Qt.AlignmentFlag.AlignVCenter | side | Qt.AlignmentFlag.AlignAbsolute, words
        )

    def _paint_icon(self, painter: QPainter, rect: QRect, name: str, color: str) -> None:
        scale = painter.device().devicePixelRatio()
        picture = icons.pixmap(name, self._theme.colors[color].name(), _MARK, scale)
        painter.drawPixmap(rect.left(), rect.top() + (rect.height() - _MARK) // 2, picture)

    @staticmethod
    def _marks(row: Row) -> list[tuple[str, str]]:
        contact = row.conversation.contact
        marks = [("shield", "success")] if contact.verified else []
        if contact.pinned:
            marks.append(("pin", "muted"))
        if contact.muted:
            marks.append(("mute", "muted"))
        if row.conversation.missing or row.conversation.forked:
            marks.append(("gap", "warning"))
        match contact.standing:
            case Standing.REQUEST:
                marks.append(("knock", "accent_text"))
            case Standing.BLOCKED:
                marks.append(("block", "danger"))
        return marks

    @staticmethod
    def _last_words(row: Row) -> tuple[str, str]:
        contact, last = row.conversation.contact, row.conversation.last
        if contact.standing is Standing.REQUEST:
            return _("Wants to talk to you"), "accent_text"
        if contact.standing is Standing.BLOCKED:
            return _("Blocked"), "muted"
        if row.typing:
            return typing_words(), "success"
        if row.draft:
            return _("Draft: {text}").format(text=one_line(row.draft)), "danger"
        if last is None:
            return (_("Waits for them to accept") if contact.awaiting else _("No messages yet")), "muted"
        return _preview(last, contact.title), "text" if row.conversation.unread else "muted"


def _preview(message: Message, title: str) -> str:
    words = one_line(shown_text(message, title))
    if message.deleted or message.notice:
        return words
    return _("You: {text}").format(text=words) if message.outgoing else words
