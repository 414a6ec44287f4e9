"""Messages that offer files, as cards in the conversation."""

from collections.abc import Callable, Collection

import msgspec
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFontMetricsF, QGuiApplication, QImage, QPainter

from messenger.core.ids import MessageId
from messenger.core.models import Message
from messenger.core.transfer_deeds import FileDeed
from messenger.core.transfers import Transfer
from messenger.gui.bubble import TICK, TIMER, Span
from messenger.gui.card import Card, bubble_inks, card_fonts
from messenger.gui.laid_out import LaidOut
from messenger.gui.message_menu import Deed
from messenger.gui.theme import FILE, Theme
from messenger.text import clock, files_title, marks

Focus = tuple[MessageId, FileDeed | Deed]
"""A button in the conversation: of a card, or below a bubble."""


class FileBubble(Card):
    """A card with what every bubble has: time and tick.

    Args:
        message: The message.
        transfer: What it offers.
        name: Of the other person.
        width: Most pixels that it may be wide.
        theme: Fonts.
        picture: A small picture, if there is one.
    """

    cut = large = False
    quote = more = ""
    quote_rect = more_rect = QRectF()

    def __init__(
        self,
        message: Message,
        transfer: Transfer,
        name: str,
        width: int,
        theme: Theme,
        picture: QImage | None,
    ) -> None:
        self.text = files_title(transfer)
        bare = msgspec.structs.replace(message, reactions=())  # those stand below
        self.time = marks(bare, clock(message.sent_ms))
        self.timed = bool(message.timer)
        fonts = card_fonts(theme)
        small = QFontMetricsF(fonts.small)
        beside = (TICK + 3 if message.outgoing else 0) + (TIMER + 2 if self.timed else 0)
        meta = QSizeF(small.horizontalAdvance(self.time) + beside, small.height())
        mirrored = QGuiApplication.layoutDirection() == Qt.LayoutDirection.RightToLeft
        wide = min(width, FILE["width"])
        super().__init__(transfer, name, wide, fonts, mirrored=mirrored, picture=picture, meta=meta)

    def hit(self, _point: QPointF) -> int:
        """No characters can be chosen."""
        return 0

    def over_text(self, _point: QPointF) -> bool:
        """No characters can be chosen."""
        return False

    def link_at(self, _point: QPointF) -> str:
        """There are no links."""
        return ""

    def word_at(self, _place: int) -> Span:
        """There are no words."""
        return Span(0, 0)


class FileBubbles:
    """The cards of the conversation that is shown, laid out once for each way in which they stand.

    Args:
        theme: Colours and fonts.
    """

    def __init__(self, theme: Theme) -> None:
        self._theme = theme
        self._laid: LaidOut[FileBubble] = LaidOut()
        self.find_transfer: Callable[[Message], Transfer | None] = lambda _message: None
        """Tells what a message offers."""
        self.find_name: Callable[[], str] = str
        """Tells the name of the other person."""
        self.find_picture: Callable[[Transfer], QImage | None] = lambda _transfer: None
        """Tells the small picture of a transfer, of trusted pixels."""
        self.focused: Focus | None = None
        """The button that keys act on."""
        self.hovered: Focus | None = None
        """The button under the mouse."""

    def get(self, message: Message, width: int) -> FileBubble | None:
        """The card of a message; None if it offers nothing."""
        transfer = self.find_transfer(message)
        if transfer is None:
            return None
        picture = self.find_picture(transfer)
        shown = None if picture is None else picture.cacheKey()
        mirrored = QGuiApplication.layoutDirection()
        key = (message, transfer, self.find_name(), width, shown, mirrored)
        return self._laid.get(
            message.id,
            key,
            lambda: FileBubble(message, transfer, self.find_name(), width, self._theme, picture),
        )

    def forget(self, ids: Collection[MessageId]) -> None:
        """Messages have disappeared."""
        self._laid.forget(ids)

    def clear(self) -> None:
        """Lay everything out anew."""
        self._laid.clear()

    def draw(self, painter: QPainter, message: Message, card: FileBubble, origin: QPointF) -> None:
        """Paint a card on its bubble."""
        inks = bubble_inks(self._theme, "own" if message.outgoing else "other")
        card.draw(painter, origin, inks, self._at(self.focused, message), self._at(self.hovered, message))

    @staticmethod
    def _at(place: Focus | None, message: Message) -> FileDeed | None:
        if place is None or place[0] != message.id or not isinstance(place[1], FileDeed):
            return None
        return place[1]
