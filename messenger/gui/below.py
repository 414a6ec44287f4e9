"""What stands below a bubble: reactions, why the message was not sent, and a button that tries again.

Like a `messenger.gui.bubble.Bubble` it is measured once and kept. Everything is counted from the lower left
corner of the bubble.
"""

from collections.abc import Collection
from typing import Final, NamedTuple

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFontMetricsF, QGuiApplication, QPainter, QPen

from messenger.core.ids import MessageId
from messenger.core.models import Message, MessageState
from messenger.gui import icons
from messenger.gui.direction import direction_of
from messenger.gui.laid_out import LaidOut
from messenger.gui.message_menu import Deed
from messenger.gui.theme import BELOW, SPACE, Theme
from messenger.text import TRY_AGAIN, failure

_TALL: Final = 10_000
_CHIP_TEXT: Final = 96
"""Most pixels of the emoji in a chip, whoever sent it."""
_GAP: Final = SPACE["xs"]
_INSET: Final = SPACE["s"]
"""Between the edge of the bubble and the first chip."""


class Chip(NamedTuple):
    """One emoji, and who has chosen it."""

    emoji: str
    votes: int
    mine: bool
    """We have, perhaps with others."""
    rect: QRectF

    @property
    def words(self) -> str:
        """What stands in it."""
        return f"{self.emoji} {self.votes}" if self.votes > 1 else self.emoji


class Below:
    """What stands below one bubble, measured.

    Args:
        message: The message.
        bubble: The width of its bubble, in pixels.
        most: The width that a bubble may have.
        theme: Fonts.
        at_right: Whether the bubble stands at the right edge of the pane.
        answerable: Whether the other person can be written to.
    """

    def __init__(
        self, message: Message, bubble: float, most: int, theme: Theme, *, at_right: bool, answerable: bool
    ) -> None:
        self.chips: list[Chip] = []
        self.again = self.reason_rect = QRectF()
        self.height = 0.0
        self.answerable = answerable
        self._at_right, self._bubble, self._most = at_right, bubble, max(float(most), bubble)
        if message.notice or message.deleted:
            self.reason = ""
            return
        self._lay_chips(message, QFontMetricsF(theme.font("body")))
        failed = message.state is MessageState.FAILED
        self.reason = failure(message.reason) if failed else ""
        if failed:
            self._lay_failure(theme, button=answerable)

    @property
    def deeds(self) -> tuple[Deed, ...]:
        """The buttons that keys go through."""
        return () if self.again.isEmpty() else (Deed.RETRY,)

    def deed_at(self, point: QPointF) -> tuple[Deed, str] | None:
        """What a click at a point does: a `Deed`, and the emoji of a reaction."""
        if self.again.contains(point):
            return Deed.RETRY, ""
        if not self.answerable:
            return None
        chip = next((chip for chip in self.chips if chip.rect.contains(point)), None)
        return None if chip is None else (Deed.REACT, "" if chip.mine else chip.emoji)

    def draw(
        self,
        painter: QPainter,
        origin: QPointF,
        theme: Theme,
        *,
        focused: bool = False,
        hovered: bool = False,
    ) -> None:
        """Paint it.

        Args:
            painter: Where to.
            origin: The lower left corner of the bubble.
            theme: Colours and fonts.
            focused: Whether Enter presses the button.
            hovered: Whether the mouse is over it.
        """
        for chip in self.chips:
            self._draw_chip(painter, origin, theme, chip)
        if not self.reason:
            return
        side = Qt.AlignmentFlag.AlignRight if self._at_right else Qt.AlignmentFlag.AlignLeft
        side |= Qt.AlignmentFlag.AlignAbsolute
        painter.setPen(theme.colors["danger"])
        painter.setFont(theme.font("small"))
        painter.setLayoutDirection(direction_of(self.reason))
        painter.drawText(self.reason_rect.translated(origin), Qt.TextFlag.TextWordWrap | side, self.reason)
        if not self.again.isEmpty():
            self._draw_again(painter, origin, theme, focused=focused, hovered=hovered)

    def _draw_chip(self, painter: QPainter, origin: QPointF, theme: Theme, chip: Chip) -> None:
        colors, rect = theme.colors, chip.rect.translated(origin)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colors["canvas"])  # it stands out from the bubble that it touches
        around = rect.adjusted(-1.5, -1.5, 1.5, 1.5)
        painter.drawRoundedRect(around, around.height() / 2, around.height() / 2)
        painter.setPen(QPen(colors["accent_text" if chip.mine else "line"], 1))
        painter.setBrush(colors["selected" if chip.mine else "raised"])
        painter.drawRoundedRect(rect.adjusted(0.5, 0.5, -0.5, -0.5), rect.height() / 2, rect.height() / 2)
        painter.setPen(colors["text"])
        painter.setFont(theme.font("body"))
        words = QFontMetricsF(theme.font("body")).elidedText(
            chip.words, Qt.TextElideMode.ElideRight, _CHIP_TEXT
        )
        painter.drawText(rect, Qt.AlignmentFlag.AlignCenter, words)

    def _draw_again(
        self, painter: QPainter, origin: QPointF, theme: Theme, *, focused: bool, hovered: bool
    ) -> None:
        colors, rect = theme.colors, self.again.translated(origin)
        round_ = rect.height() / 2
        painter.setPen(QPen(colors["danger"], 2 if focused else 1))
        painter.setBrush(colors["danger_surface" if hovered or focused else "raised"])
        painter.drawRoundedRect(rect.adjusted(1, 1, -1, -1), round_ - 1, round_ - 1)
        glyph, ratio = BELOW["glyph"], painter.device().devicePixelRatio()
        mirrored = QGuiApplication.layoutDirection() == Qt.LayoutDirection.RightToLeft
        left = rect.right() - SPACE["s"] - 2 - glyph if mirrored else rect.left() + SPACE["s"] + 2
        picture = icons.pixmap("retry", colors["danger"].name(), glyph, ratio)
        painter.drawPixmap(QPointF(left, rect.center().y() - glyph / 2), picture)
        beside = SPACE["s"] + 2 + glyph + _GAP
        words = rect.adjusted(0, 0, -beside, 0) if mirrored else rect.adjusted(beside, 0, 0, 0)
        side = Qt.AlignmentFlag.AlignRight if mirrored else Qt.AlignmentFlag.AlignLeft
        side |= Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignVCenter
        painter.setPen(colors["danger"])
        painter.setFont(theme.font("small", bold=True))
        painter.setLayoutDirection(direction_of(TRY_AGAIN))
        painter.drawText(words, side, TRY_AGAIN)

    # --- measuring ---

    def _lay_chips(self, message: Message, metrics: QFontMetricsF) -> None:
        """One chip for each emoji, in as many lines as it takes; the first line touches the bubble."""
        if not message.reactions:
            return
        x, top = 0.0, -float(BELOW["overlap"])
        lines: list[list[Chip]] = [[]]
        for emoji in dict.fromkeys(reaction.emoji for reaction in message.reactions):
            those = [reaction for reaction in message.reactions if reaction.emoji == emoji]
            chip = Chip(emoji, len(those), any(reaction.outgoing for reaction in those), QRectF())
            words = min(metrics.horizontalAdvance(chip.words), _CHIP_TEXT)
            wide = max(words + 2 * SPACE["s"], float(BELOW["chip"]))
            if x and x + wide > self._most - 2 * _INSET:
                x, top = 0.0, top + BELOW["chip"] + _GAP
                lines.append([])
            lines[-1].append(chip._replace(rect=QRectF(x, top, wide, BELOW["chip"])))
            x += wide + _GAP
        for line in lines:
            left = self._bubble - _INSET - line[-1].rect.right() if self._at_right else _INSET
            self.chips += [chip._replace(rect=chip.rect.translated(left, 0)) for chip in line]
        self.height = top + BELOW["chip"] + _GAP / 2

    def _lay_failure(self, theme: Theme, *, button: bool) -> None:
        """The reason, and the button beside it, or below where there is no room."""
        small, strong = QFontMetricsF(theme.font("small")), QFontMetricsF(theme.font("small", bold=True))
        again = QSizeF(0, 0)
        if button:
            wide = BELOW["glyph"] + _GAP + strong.horizontalAdvance(TRY_AGAIN) + 2 * (SPACE["s"] + 2)
            again = QSizeF(wide, max(float(BELOW["again"]), strong.height() + _GAP))
        flags = Qt.TextFlag.TextWordWrap
        words = small.boundingRect(QRectF(0, 0, self._most, _TALL), flags, self.reason).size()
        words += QSizeF(1, 0)
        gap = SPACE["s"] if button else 0
        beside = words.width() + gap + again.width() <= self._most and words.height() < 2 * small.height()
        top = self.height + _GAP
        high = max(words.height(), again.height()) if beside else words.height()
        at = again.width() + gap if beside else 0.0
        self.reason_rect = self._at(at, top + (high - words.height()) / 2, words)
        if button:
            below = top if beside else top + words.height() + _GAP
            self.again = self._at(0.0, below, again)
            high = max(high, self.again.bottom() - top)
        self.height = top + high + _GAP / 2

    def _at(self, inset: float, top: float, size: QSizeF) -> QRectF:
        """A part so many pixels from the edge of the bubble that is at the edge of the pane."""
        left = self._bubble - inset - size.width() if self._at_right else inset
        return QRectF(QPointF(left, top), size)


class Belows:
    """What stands below the bubbles of the conversation that is shown, each laid out once.

    Args:
        theme: Colours and fonts.
    """

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._laid: LaidOut[Below] = LaidOut()
        self.answerable = True
        """Whether the other person can be written to."""

    def get(self, message: Message, bubble: float, most: int, *, at_right: bool) -> Below | None:
        """What stands below a bubble, or None.

        Args:
            message: The message.
            bubble: The width of its bubble, in pixels.
            most: The width that a bubble may have.
            at_right: Whether the bubble stands at the right edge of the pane.
        """
        if not message.reactions and message.state is not MessageState.FAILED:
            return None
        state = message.state, message.reason, message.reactions, message.deleted, message.notice
        key = (*state, bubble, most, at_right, self.answerable)
        return self._laid.get(
            message.id,
            key,
            lambda: Below(message, bubble, most, self._theme, at_right=at_right, answerable=self.answerable),
        )

    def forget(self, ids: Collection[MessageId]) -> None:
        """Messages have disappeared."""
        self._laid.forget(ids)

    def clear(self) -> None:
        """Lay everything out anew."""
        self._laid.clear()
