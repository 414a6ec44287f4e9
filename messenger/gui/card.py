"""A transfer of files laid out for one width: picture, names, progress, and buttons that are only painted.

Like a `messenger.gui.bubble.Bubble` it is measured once and kept; painting and clicking only look it up.
Everything is laid out from left to right, and turned round where writing runs from right to left.
"""

from collections.abc import Sequence
from typing import Final, TypeVar

import msgspec
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPainterPath, QPen

from messenger.core.transfer_deeds import FileDeed, possible
from messenger.core.transfers import ENDS, Transfer, TransferState
from messenger.gui import icons
from messenger.gui.direction import direction_of
from messenger.gui.theme import FILE, RADIUS, SPACE, Theme
from messenger.text import DEEDS, amount_words, files_title, program_words, state_words

D = TypeVar("D")

PADDING: Final = SPACE["m"]
_ABOVE: Final = SPACE["s"] + 2
_GAP: Final = SPACE["s"]
_TALL: Final = 10_000
_NEARLY: Final = 0.75
"""A picture that is nearly as wide as the card, as a share of it, is drawn as wide as the card."""
_BAD: Final = frozenset({TransferState.FAILED})
_NOT_OF_BAR: Final = ENDS | {TransferState.OFFERED}
_ICONS: Final = {"picture": "picture", "sound": "sound", "film": "film", "folder": "folder"}


class CardFonts(msgspec.Struct, frozen=True):
    """The fonts of a card."""

    title: QFont
    small: QFont
    strong: QFont
    """As small, but bold."""


class CardInks(msgspec.Struct, frozen=True):
    """The colours of a card."""

    text: QColor
    meta: QColor
    button: QColor
    """Behind buttons, the picture of the kind, and what is still missing in the bar."""
    button_text: QColor
    fill: QColor
    """What is there in the bar."""
    bad: QColor
    """Why it failed."""


class Line(msgspec.Struct, frozen=True):
    """Words at a place of a card."""

    rect: QRectF
    text: str
    role: str
    """``title``, ``meta``, ``warning``, ``state`` or ``heading``."""


class Card:
    """A transfer, measured.

    Args:
        transfer: How it stands.
        name: Of the other person.
        width: How wide it is, in pixels.
        fonts: The fonts.
        mirrored: Whether writing runs from right to left.
        picture: A small picture of it, of trusted pixels; None for that of its kind.
        heading: Stands above it; empty for nothing.
        meta: Pixels that the time and its marks need at the end of the last line; empty for none.
    """

    def __init__(
        self,
        transfer: Transfer,
        name: str,
        width: int,
        fonts: CardFonts,
        *,
        mirrored: bool,
        picture: QImage | None = None,
        heading: str = "",
        meta: QSizeF | None = None,
    ) -> None:
        self.transfer, self.picture, self._mirrored = transfer, picture, mirrored
        self._fonts = fonts
        self.program = program_words(transfer)
        self.lines: list[Line] = []
        self.buttons: list[tuple[FileDeed, QRectF]] = []
        """What can be pressed, in order, and where."""
        self.bar = self.picture_rect = self.icon_rect = QRectF()
        self.percent = self._share(transfer)
        self._room = float(width - 2 * PADDING)
        self._top = float(_ABOVE)
        if heading:
            self._line(heading, "heading")
            self._top += SPACE["xs"]
        self._head(transfer)
        if self.program:
            self._wrapped(self.program, "warning")
        if transfer.state not in _NOT_OF_BAR:
            self.bar = QRectF(PADDING, self._top + _GAP / 2, self._room, FILE["bar"])
            self._top += _GAP / 2 + FILE["bar"] + SPACE["xs"]
        self._wrapped(state_words(transfer, name), "state")
        self._foot(transfer, meta or QSizeF(0, 0))
        self.size = QSizeF(self._room + 2 * PADDING, self._top + _ABOVE - 2)
        if mirrored:
            self._turn()

    def deed_at(self, point: QPointF) -> FileDeed | None:
        """The button under a point of the card; its picture opens it."""
        for deed, rect in self.buttons:
            if rect.contains(point):
                return deed
        can_open = any(deed is FileDeed.OPEN for deed, _rect in self.buttons)
        return FileDeed.OPEN if can_open and self.picture_rect.contains(point) else None

    def draw(
        self,
        painter: QPainter,
        origin: QPointF,
        inks: CardInks,
        focused: FileDeed | None = None,
        hovered: FileDeed | None = None,
    ) -> None:
        """Paint everything but the time.

        Args:
            painter: Where to.
            origin: The corner of the card.
            inks: Colours.
            focused: The button that Enter presses.
            hovered: The button under the mouse.
        """
        self._draw_picture(painter, origin, inks)
        colors = {"title": inks.text, "heading": inks.text, "warning": inks.bad, "meta": inks.meta}
        side = Qt.AlignmentFlag.AlignRight if self._mirrored else Qt.AlignmentFlag.AlignLeft
        side |= Qt.AlignmentFlag.AlignAbsolute
        for line in self.lines:
            painter.setFont(self._font(line.role))
            bad = line.role == "state" and self.transfer.state in _BAD
            painter.setPen(inks.bad if bad else colors.get(line.role, inks.text))
            painter.setLayoutDirection(
                direction_of(line.text)
            )  # a name stays as it is, wherever the window begins
            painter.drawText(line.rect.translated(origin), Qt.TextFlag.TextWordWrap | side, line.text)
        painter.setPen(Qt.PenStyle.NoPen)
        if not self.bar.isEmpty():
            self._draw_bar(painter, self.bar.translated(origin), inks)
        for deed, rect in self.buttons:
            box = rect.translated(origin)
            mark = deed in (focused, hovered)
            painter.setPen(QPen(inks.button_text, 2 if deed is focused else 1) if mark else Qt.PenStyle.NoPen)
            painter.setBrush(inks.button)
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), RADIUS["control"], RADIUS["control"])
            painter.setPen(inks.button_text)
            painter.setFont(self._fonts.strong)
            painter.setLayoutDirection(direction_of(DEEDS[deed]))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, DEEDS[deed])

    # --- measuring ---

    def _head(self, transfer: Transfer) -> None:
        """Picture, names and size."""
        if self.picture is not None and not self.picture.isNull():
            size = QSizeF(self.picture.size()) / self.picture.devicePixelRatio()
            most = QSizeF(self._room, FILE["preview"])
            if size.width() > self._room * _NEARLY or size.height() > most.height():
                size.scale(most, Qt.AspectRatioMode.KeepAspectRatio)
            self.picture_rect = QRectF(QPointF(PADDING, self._top), size)
            self._top += size.height() + _GAP
            self._line(files_title(transfer), "title")
            self._line(amount_words(transfer), "meta")
            return
        edge = float(FILE["icon"])
        self.icon_rect = QRectF(PADDING, self._top, edge, edge)
        top, indent = self._top, edge + SPACE["m"]
        self._line(files_title(transfer), "title", indent)
        self._line(amount_words(transfer), "meta", indent)
        self._top = max(self._top, top + edge + SPACE["xs"])

    def _foot(self, transfer: Transfer, meta: QSizeF) -> None:
        """Buttons, in several lines if need be, and the time behind the last of them."""
        metrics, x = QFontMetricsF(self._fonts.strong), 0.0
        deeds = possible(transfer)
        if deeds:
            self._top += _GAP
        for deed in deeds:
            wide = metrics.horizontalAdvance(DEEDS[deed]) + 2 * SPACE["m"]
            if x and x + wide > self._room:
                x, self._top = 0.0, self._top + FILE["button"] + SPACE["xs"]
            self.buttons.append((deed, QRectF(PADDING + x, self._top, wide, FILE["button"])))
            x += wide + SPACE["xs"]
        if deeds:
            self._top += FILE["button"]
        last = self.lines[-1]
        if deeds:
            beside = x + meta.width() <= self._room
        else:
            used = self._metrics("state").horizontalAdvance(last.text)
            beside = used + _GAP + meta.width() <= self._room
        if not beside:
            self._top += meta.height() + SPACE["xs"]
        at = self._top - meta.height()
        self.meta = QRectF(PADDING + self._room - meta.width(), at, meta.width(), meta.height())

    def _line(self, text: str, role: str, indent: float = 0.0) -> None:
        """One line; what has no room is left out of its middle, so that the suffix shows."""
        metrics, room = self._metrics(role), self._room - indent
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideMiddle, room)
        self.lines.append(Line(QRectF(PADDING + indent, self._top, room, metrics.height()), shown, role))
        self._top += metrics.height() + 1

    def _wrapped(self, text: str, role: str) -> None:
        box = self._metrics(role).boundingRect(
            QRectF(0, 0, self._room, _TALL), Qt.TextFlag.TextWordWrap, text
        )
        self.lines.append(Line(QRectF(PADDING, self._top, self._room, box.height() + 1), text, role))
        self._top += box.height() + 1

    def _font(self, role: str) -> QFont:
        match role:
            case "title":
                return self._fonts.title
            case "heading" | "warning":
                return self._fonts.strong
        return self._fonts.small

    def _metrics(self, role: str) -> QFontMetricsF:
        return QFontMetricsF(self._font(role))

    def _turn(self) -> None:
        self.lines = [Line(self._flip(line.rect), line.text, line.role) for line in self.lines]
        self.buttons = [(deed, self._flip(rect)) for deed, rect in self.buttons]
        self.bar, self.meta = self._flip(self.bar), self._flip(self.meta)
        self.picture_rect, self.icon_rect = self._flip(self.picture_rect), self._flip(self.icon_rect)

    def _flip(self, rect: QRectF) -> QRectF:
        if rect.isEmpty():
            return rect
        return QRectF(self.size.width() - rect.right(), rect.top(), rect.width(), rect.height())

    @staticmethod
    def _share(transfer: Transfer) -> float:
        if transfer.state in {TransferState.FINISHING, TransferState.DONE}:
            return 1.0
        return min(transfer.done / transfer.size, 1.0) if transfer.size else 0.0

    # --- painting ---

    def _draw_picture(self, painter: QPainter, origin: QPointF, inks: CardInks) -> None:
        if self.picture is not None and not self.picture_rect.isEmpty():
            painter.save()
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            shape, box = QPainterPath(), self.picture_rect.translated(origin)
            shape.addRoundedRect(box, RADIUS["small"], RADIUS["small"])
            painter.setClipPath(shape, Qt.ClipOperation.IntersectClip)
            painter.drawImage(box, self.picture)
            painter.restore()
            return
        box = self.icon_rect.translated(origin)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(inks.button)
        painter.drawRoundedRect(box, RADIUS["control"], RADIUS["control"])
        kind = "program" if self.program else _ICONS.get(self.transfer.media, "file")
        glyph, ratio = FILE["glyph"], painter.device().devicePixelRatio()
        drawn = icons.pixmap(kind, inks.button_text.name(), glyph, ratio)
        painter.drawPixmap(box.center() - QPointF(glyph / 2, glyph / 2), drawn)

    def _draw_bar(self, painter: QPainter, rect: QRectF, inks: CardInks) -> None:
        round_ = FILE["bar"] / 2
        painter.setBrush(inks.button)
        painter.drawRoundedRect(rect, round_, round_)
        full = QRectF(rect)
        full.setWidth(rect.width() * self.percent)
        if self._mirrored:
            full.moveRight(rect.right())
        if full.width() >= 1:
            painter.setBrush(inks.fill)
            painter.drawRoundedRect(full, round_, round_)


def stepped(deeds: Sequence[D], now: D | None, by: int) -> D | None:
    """The button after another one, or before; None beyond the ends.

    Args:
        deeds: All of them, in order.
        now: The one where keys act; None for none of them.
        by: 1 for the next, -1 for the one before.
    """
    at = (deeds.index(now) if now in deeds else -1 if by > 0 else len(deeds)) + by
    return deeds[at] if 0 <= at < len(deeds) else None


def card_fonts(theme: Theme) -> CardFonts:
    """The fonts of every card."""
    return CardFonts(theme.font("message", bold=True), theme.font("small"), theme.font("small", bold=True))


def bubble_inks(theme: Theme, side: str) -> CardInks:
    """The colours of a card in a bubble.

    Args:
        theme: Colours.
        side: ``own`` or ``other``.
    """
    colors = theme.colors
    return CardInks(
        text=colors[f"bubble_{side}_text"],
        meta=colors[f"bubble_{side}_meta"],
        button=colors[f"code_{side}"],
        button_text=colors[f"bubble_{side}_text"],
        fill=colors[f"bubble_{side}_link"],
        bad=colors["bubble_own_text"] if side == "own" else colors["danger"],
    )


def list_inks(theme: Theme) -> CardInks:
    """The colours of a card in a list, on the background of the window."""
    colors = theme.colors
    return CardInks(
        text=colors["text"],
        meta=colors["muted"],
        button=colors["pressed"],
        button_text=colors["text"],
        fill=colors["accent_text"],
        bad=colors["danger"],
    )
