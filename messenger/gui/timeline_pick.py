"""Choosing characters and links in bubbles with the mouse."""

from collections.abc import Callable, Collection

import msgspec
from PySide6.QtCore import QPoint, QPointF
from PySide6.QtWidgets import QListView

from messenger.core.ids import MessageId
from messenger.core.models import Message
from messenger.core.transfer_deeds import FileDeed
from messenger.gui.bubble import Bubble, Span
from messenger.gui.file_bubble import FileBubble
from messenger.gui.message_menu import Deed
from messenger.gui.timeline_delegate import Selection, TimelineDelegate
from messenger.gui.timeline_model import ROW, Row, TimelineModel


class Spot(msgspec.Struct, frozen=True):
    """What is under a point of the view."""

    message: Message
    link: str
    more: bool
    quote: bool
    """The beginning of what the message answers."""
    text: bool
    place: int
    deed: FileDeed | Deed | None = None
    """The button of a card, or what stands below the bubble."""
    extra: str = ""
    """The emoji of a reaction below the bubble."""

    @property
    def target(self) -> tuple[object, ...]:
        """What a click does here."""
        return self.message.id, self.link, self.more, self.quote, self.deed, self.extra


class Picker:
    """The selection of characters, within one bubble at a time.

    Args:
        view: The list.
        model: The messages.
        delegate: Paints it, and knows where everything is.
        repaint: Called when the selection looks different.
    """

    def __init__(
        self,
        view: QListView,
        model: TimelineModel,
        delegate: TimelineDelegate,
        repaint: Callable[[], None],
    ) -> None:
        self._view, self._model, self._delegate, self._repaint = view, model, delegate, repaint
        self._message: Message | None = None
        self._from = 0
        self._dragging = False

    def spot(self, point: QPoint) -> Spot | None:
        """What is under a point, or None outside of all bubbles."""
        found = self._bubble_at(point)
        if found is None:
            return None
        row, bubble, at = found
        below = self._delegate.below(row.message)
        if below is not None and (there := below.deed_at(at - QPointF(0, bubble.size.height()))) is not None:
            return Spot(
                row.message, "", more=False, quote=False, text=False, place=0, deed=there[0], extra=there[1]
            )
        if not (0 <= at.x() <= bubble.size.width() and 0 <= at.y() <= bubble.size.height()):
            return None
        return Spot(
            message=row.message,
            link=bubble.link_at(at),
            more=bubble.more_rect.contains(at),
            quote=bool(bubble.quote) and bubble.quote_rect.contains(at),
            text=bubble.over_text(at),
            place=bubble.hit(at),
            deed=bubble.deed_at(at) if isinstance(bubble, FileBubble) else None,
        )

    def press(self, spot: Spot | None) -> None:
        """Begin a selection, or drop the one there is."""
        self._dragging = spot is not None and spot.text
        self._message = spot.message if spot is not None and self._dragging else None
        self._from = spot.place if spot is not None else 0
        self._choose(None)

    def drag(self, point: QPoint) -> bool:
        """Extend the selection to a point; whether one is being made."""
        if not self._dragging or self._message is None:
            return False
        found = self._bubble_of(self._message, point)
        if found is not None:
            bubble, at = found
            beyond = len(bubble.text) if at.y() > bubble.size.height() else 0
            place = bubble.hit(at) if 0 <= at.y() <= bubble.size.height() else beyond
            first, last = sorted((self._from, place))
            self._choose(Span(first, last))
        return True

    def release(self) -> None:
        """The mouse button is up."""
        self._dragging = False

    def word(self, spot: Spot) -> None:
        """Select the word at a place."""
        self._message = spot.message
        self._choose(self._delegate.bubble(spot.message).word_at(spot.place))

    def clear(self) -> None:
        """Select nothing."""
        self._message, self._dragging = None, False
        self._choose(None)

    def forget(self, ids: Collection[MessageId]) -> None:
        """Messages have disappeared; nothing of them stays selected."""
        if self._message is not None and self._message.id in ids:
            self.clear()

    def look(self) -> None:
        """Messages stand differently: nothing stays selected of one that is gone or says something else."""
        if self._message is None:
            return
        now = self._message_now(self._message)
        if now is None or (now.text, now.deleted) != (self._message.text, self._message.deleted):
            self.clear()
        else:
            self._message = now

    def text(self) -> str:
        """The selected characters."""
        selection = self._delegate.selection
        if selection is None or self._message is None:
            return ""
        return self._delegate.bubble(self._message).text[selection.span.start : selection.span.end]

    def _message_now(self, message: Message) -> Message | None:
        """A message as it stands now, if it is held."""
        place = self._model.place(message.position)
        now = None if place is None else self._model.row(place).message
        return now if now is not None and now.id == message.id else None

    def _bubble_of(self, message: Message, point: QPoint) -> tuple[Bubble | FileBubble, QPointF] | None:
        """The bubble of a message, and a point of the view as seen from its corner."""
        place = self._model.place(message.position)
        if place is None:
            return None
        row, rect = self._model.row(place), self._view.visualRect(self._model.index(place))
        corner = self._delegate.bubble_rect(row, rect, place).topLeft()
        return self._delegate.bubble(row.message), QPointF(point) - corner

    def _bubble_at(self, point: QPoint) -> tuple[Row, Bubble | FileBubble, QPointF] | None:
        index = self._view.indexAt(QPoint(1, point.y()))
        if not index.isValid():
            return None
        row: Row = index.data(ROW)
        rect = self._delegate.bubble_rect(row, self._view.visualRect(index), index.row())
        return row, self._delegate.bubble(row.message), QPointF(point) - rect.topLeft()

    def _choose(self, span: Span | None) -> None:
        before = self._delegate.selection
        chosen = span is not None and span.start < span.end and self._message is not None
        self._delegate.selection = Selection(self._message.id, span) if chosen else None  # type: ignore[union-attr, arg-type]
        if before != self._delegate.selection:
            self._repaint()
