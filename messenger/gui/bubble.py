"""One message laid out for one width: where its lines, its time and its links are.

Everything here is measured once and kept; painting and clicking only look it up. Each paragraph is a
layout of its own, so that one that runs from right to left stands at the right within the same bubble.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import (
    QColor,
    QFont,
    QFontMetricsF,
    QPainter,
    QTextCharFormat,
    QTextLayout,
    QTextLine,
    QTextOption,
)

from messenger.core.models import Message
from messenger.core.words import Phrase
from messenger.gui import content
from messenger.gui.direction import runs_left
from messenger.gui.quote import Quote
from messenger.gui.theme import RADIUS, SPACE
from messenger.text import _, clock, marks, shown_text

TICK: Final = 16
"""Edge of the tick in pixels."""
TIMER: Final = 14
"""Edge of the mark of a message that disappears, in pixels."""
PADDING: Final = SPACE["m"]
_ABOVE: Final = SPACE["s"] - 1
_GAP: Final = SPACE["s"]
_LINE_GAP: Final = 1.5
_CODE_EDGE: Final = SPACE["xs"]
_CODE_GAP: Final = SPACE["xs"]
"""Between lines of code and other lines."""


class Fonts(msgspec.Struct, frozen=True):
    """The fonts of a bubble."""

    text: QFont
    emoji: QFont
    small: QFont
    strong: QFont
    """As small, but bold."""
    code: QFont | None = None
    """Of code, all characters equally wide; None for as the text."""


class Inks(msgspec.Struct, frozen=True):
    """Colours behind and of parts of the text."""

    code: QColor
    """Behind code."""
    found: QColor
    """Behind words that are sought."""
    found_text: QColor
    """Of words that are sought."""
    bar: QColor
    """Beside the beginning of what is answered, and of its author."""


class Span(msgspec.Struct, frozen=True):
    """Selected characters of a message as it is shown."""

    start: int
    end: int


class _Paragraph:
    """Lines of one paragraph.

    Args:
        text: Its characters.
        font: Their font.
        width: Most pixels a line may take.
        start: Where it begins in the whole text.
        codes: Where code stands in the whole text.
        code: The font of code.
    """

    def __init__(
        self,
        text: str,
        font: QFont,
        width: float,
        start: int,
        codes: Sequence[tuple[int, int]] = (),
        code: QFont | None = None,
    ) -> None:
        self.start, self.text = start, text
        self.layout = QTextLayout(text, font)
        if codes and code is not None:
            style = QTextCharFormat()
            style.setFont(code)
            self.layout.setFormats([part for span in codes for part in _range(self, *span, style)])
        option = QTextOption()
        option.setWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.mirrored = runs_left(text)
        direction = Qt.LayoutDirection.RightToLeft if self.mirrored else Qt.LayoutDirection.LeftToRight
        option.setTextDirection(direction)
        side = Qt.AlignmentFlag.AlignRight if self.mirrored else Qt.AlignmentFlag.AlignLeft
        option.setAlignment(side | Qt.AlignmentFlag.AlignAbsolute)
        self.layout.setTextOption(option)
        self.layout.setCacheEnabled(True)
        self.natural = self.height = self.last = 0.0
        self.layout.beginLayout()
        while (line := self.layout.createLine()).isValid():
            line.setLineWidth(width)
            line.setPosition(QPointF(0, self.height))
            self.height += line.height() + _LINE_GAP
            self.last = line.naturalTextWidth()
            self.natural = max(self.natural, self.last)
        self.layout.endLayout()
        self.top = self.left = 0.0
        end = start + len(text)
        self.block = any(a <= start and end <= b for a, b in codes)
        """Whether all of it is code."""

    def place(self, top: float, inner: float, laid: float) -> None:
        """Say where the paragraph stands in its bubble.

        Args:
            top: Below the bubble's edge.
            inner: The width of the text in the bubble.
            laid: The width that the lines were laid out for.
        """
        self.top = top
        self.left = inner - laid if self.mirrored else 0.0


class Bubble:
    """A message, measured.

    Args:
        message: The message.
        width: Most pixels that the bubble may be wide.
        fonts: The fonts.
        quote: The beginning of what it answers, as one line; its author, if known, in a line above.
        author: Who has done what a line about the conversation says.
        phrases: Words that are sought, to be marked.
    """

    def __init__(
        self,
        message: Message,
        width: int,
        fonts: Fonts,
        quote: str = "",
        author: str = "",
        phrases: Sequence[Phrase] = (),
    ) -> None:
        self.text, self.cut = content.shown(shown_text(message, author))
        plain = message.deleted or message.notice
        self.text, self._codes = (self.text, []) if plain else content.formatted(self.text)
        self._sought = content.sought(self.text, phrases) if phrases and not plain else []
        self.large = content.only_emoji(self.text) and not quote
        bare = msgspec.structs.replace(message, reactions=())  # those stand below
        self.time = "" if message.notice else marks(bare, clock(message.sent_ms))
        self.timed = bool(message.timer) and not (message.notice or message.deleted)
        self.more = _("Show all") if self.cut else ""
        self._links = [] if self.large else self._plain(content.links(self.text))
        small = QFontMetricsF(fonts.small)
        strong = QFontMetricsF(fonts.strong)
        room = float(width - 2 * PADDING)
        font = QFont(fonts.emoji if self.large else fonts.strong if message.notice else fonts.text)
        font.setItalic(message.deleted)
        self._quote = Quote(quote, fonts.small, fonts.strong, room)
        self.quote = self._quote.text
        self._paragraphs: list[_Paragraph] = []
        self._blocks: list[QRectF] = []
        start = 0
        for text in self.text.split("\n"):
            self._paragraphs.append(_Paragraph(text, font, room, start, self._codes, fonts.code))
            start += len(text) + 1
        beside = (TICK + 3 if message.outgoing else 0) + (TIMER + 2 if self.timed else 0)
        meta = QSizeF(small.horizontalAdvance(self.time) + beside, small.height())
        if message.notice:
            meta = QSizeF(0, 0)
        self._measure(meta, room, strong.horizontalAdvance(self.more))
        if message.notice:  # nothing stands beside its words
            widest = max(paragraph.natural for paragraph in self._paragraphs)
            high = sum(paragraph.height for paragraph in self._paragraphs)
            self.size = QSizeF(widest + 2 * PADDING, high + 2 * _ABOVE - _LINE_GAP)

    def _measure(self, meta: QSizeF, room: float, more: float) -> None:
        quote = self._quote.size
        inner = max(*(p.natural for p in self._paragraphs), meta.width(), more, quote.width())
        last = self._paragraphs[-1]
        beside = not (last.mirrored or self.cut or last.block) and last.last + _GAP + meta.width() <= room
        if beside:
            inner = max(inner, last.last + _GAP + meta.width())
        self._quote.place(PADDING, _ABOVE + 1, inner)
        top = self._place(_ABOVE + quote.height(), inner, room)
        self.more_rect = QRectF(PADDING, top, more, meta.height() + 4) if self.cut else QRectF()
        if self.cut:
            top += meta.height() + 4
        bottom = top - meta.height() + 1 if beside else top + 1
        self.meta = QRectF(PADDING + inner - meta.width(), bottom, meta.width(), meta.height())
        self.size = QSizeF(inner + 2 * PADDING, self.meta.bottom() + _ABOVE - 1)

    @property
    def quote_rect(self) -> QRectF:
        """Where the beginning of what it answers stands."""
        return self._quote.rect

    def _place(self, top: float, inner: float, room: float) -> float:
        """Put paragraphs below each other, those of code with room around them; where the last one ends."""
        first, within = top, False
        for paragraph in self._paragraphs:
            if paragraph.block != within:
                top += _CODE_EDGE + (_CODE_GAP if top > first else 0)
                if paragraph.block:
                    self._blocks.append(QRectF(PADDING - _CODE_EDGE, top - _CODE_EDGE, 0, 0))
                within = paragraph.block
            paragraph.place(top, inner, room)
            top += paragraph.height
            if within:
                block = self._blocks[-1]
                block.setSize(QSizeF(inner + 2 * _CODE_EDGE, top - _LINE_GAP + _CODE_EDGE - block.top()))
        return top + (_CODE_EDGE if within else 0)

    def draw(
        self,
        painter: QPainter,
        origin: QPointF,
        text: QColor,
        link: QColor,
        chosen: "Choice | None",
        inks: Inks | None = None,
    ) -> None:
        """Paint the characters; bubble, time and tick are the delegate's.

        Args:
            painter: Where to.
            origin: The corner of the bubble.
            text: Colour of the characters.
            link: Colour of links.
            chosen: What is selected, and its background.
            inks: Colours of code, of words that are sought, and of the bar beside what is answered.
        """
        painter.setPen(text)
        bar, behind = (text, None) if inks is None else (inks.bar, inks.code)
        self._quote.draw(painter, origin, text, bar, behind)
        if inks is not None:
            self._draw_blocks(painter, origin, inks.code)
            painter.setPen(text)
        clip = painter.clipBoundingRect() if painter.hasClipping() else None
        for paragraph in self._paragraphs:
            at = QPointF(origin.x() + PADDING + paragraph.left, origin.y() + paragraph.top)
            if clip is not None and (at.y() > clip.bottom() or at.y() + paragraph.height < clip.top()):
                continue
            paragraph.layout.draw(painter, at, self._formats(paragraph, link, chosen, inks))

    def _draw_blocks(self, painter: QPainter, origin: QPointF, color: QColor) -> None:
        """What is behind lines of code."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        for block in self._blocks:
            painter.drawRoundedRect(block.translated(origin), RADIUS["small"], RADIUS["small"])

    def hit(self, point: QPointF) -> int:
        """The place in the shown text that is nearest to a point of the bubble."""
        paragraph = next((p for p in self._paragraphs if point.y() < p.top + p.height), self._paragraphs[-1])
        y = point.y() - paragraph.top
        line = _line_at(paragraph.layout, y)
        units = line.xToCursor(point.x() - PADDING - paragraph.left)
        return paragraph.start + content.characters(paragraph.text, units)

    def over_text(self, point: QPointF) -> bool:
        """Whether a point of the bubble is where characters stand."""
        first, last = self._paragraphs[0], self._paragraphs[-1]
        return (
            PADDING <= point.x() <= self.size.width() - PADDING
            and first.top <= point.y() <= last.top + last.height
        )

    def link_at(self, point: QPointF) -> str:
        """The link under a point of the bubble, or nothing."""
        if not self._links or not self.over_text(point):
            return ""
        place = self.hit(point)
        return next((self.text[start:end] for start, end in self._links if start <= place < end), "")

    def word_at(self, place: int) -> Span:
        """The word around a place in the shown text."""
        start = end = place
        while start > 0 and not self.text[start - 1].isspace():
            start -= 1
        while end < len(self.text) and not self.text[end].isspace():
            end += 1
        return Span(start, end)

    def _plain(self, spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
        """Those spans that do not begin within code."""
        return [span for span in spans if not any(a <= span[0] < b for a, b in self._codes)]

    def _formats(
        self, paragraph: _Paragraph, link: QColor, chosen: "Choice | None", inks: Inks | None
    ) -> Sequence[QTextLayout.FormatRange]:
        formats = []
        if inks is not None:
            for spans, back, fore in (
                ([] if paragraph.block else self._codes, inks.code, None),
                (self._sought, inks.found, inks.found_text),
            ):
                style = QTextCharFormat()
                style.setBackground(back)
                if fore is not None:
                    style.setForeground(fore)
                for start, end in spans:
                    formats += _range(paragraph, start, end, style)
        for start, end in self._links:
            style = QTextCharFormat()
            style.setForeground(link)
            style.setFontUnderline(True)
            formats += _range(paragraph, start, end, style)
        if chosen is not None:
            style = QTextCharFormat()
            style.setBackground(chosen.background)
            formats += _range(paragraph, chosen.span.start, chosen.span.end, style)
        return formats


class Choice(msgspec.Struct, frozen=True):
    """A selection and its background."""

    span: Span
    background: QColor


def _range(
    paragraph: _Paragraph, start: int, end: int, style: QTextCharFormat
) -> list[QTextLayout.FormatRange]:
    first, last = max(start - paragraph.start, 0), min(end - paragraph.start, len(paragraph.text))
    if first >= last:
        return []
    part = QTextLayout.FormatRange()
    part.start = content.units(paragraph.text, first)
    part.length = content.units(paragraph.text, last) - part.start
    part.format = style
    return [part]


def _line_at(layout: QTextLayout, y: float) -> QTextLine:
    count = layout.lineCount()
    place = next((n for n in range(count) if y < layout.lineAt(n).y() + layout.lineAt(n).height()), count - 1)
    return layout.lineAt(place)
