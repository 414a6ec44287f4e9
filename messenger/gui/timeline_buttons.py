"""The buttons in a conversation, which are only painted: those of cards, and the one below what failed."""

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QListView

from messenger.core.models import Message
from messenger.core.transfer_deeds import FileDeed
from messenger.gui.card import stepped
from messenger.gui.file_bubble import FileBubble
from messenger.gui.message_menu import Deed
from messenger.gui.timeline_delegate import TimelineDelegate
from messenger.gui.timeline_model import TimelineModel
from messenger.gui.timeline_pick import Spot
from messenger.text import TRY_AGAIN, deed_words


class RowButtons(QObject):
    """Knows which button keys act on, and which is under the mouse.

    Args:
        view: The list; its description says which button keys act on.
        model: The messages.
        delegate: Paints the buttons.
    """

    def __init__(self, view: QListView, model: TimelineModel, delegate: TimelineDelegate) -> None:
        super().__init__(view)
        self._view, self._model, self._paint = view, model, delegate
        model.dataChanged.connect(self._look)
        view.selectionModel().currentChanged.connect(self.leave)

    def of(self, message: Message) -> list[FileDeed | Deed]:
        """The buttons of a message that keys go through, in order."""
        card, below = self._paint.bubble(message), self._paint.below(message)
        of_card = [deed for deed, _rect in card.buttons] if isinstance(card, FileBubble) else []
        return [*of_card, *(() if below is None else below.deeds)]

    def focused(self) -> tuple[Message, FileDeed | Deed] | None:
        """The button that keys act on, and its message."""
        focused, index = self._paint.files.focused, self._view.currentIndex()
        if focused is None or not index.isValid():
            return None
        message = self._model.row(index.row()).message
        return (message, focused[1]) if message.id == focused[0] else None

    def step(self, by: int) -> bool:
        """Go on to the next button of the message that is marked; whether there is one.

        Args:
            by: 1 for the next, -1 for the one before.
        """
        index = self._view.currentIndex()
        if not index.isValid():
            return False
        message, focused = self._model.row(index.row()).message, self.focused()
        deed = stepped(self.of(message), None if focused is None else focused[1], by)
        self.leave()
        if deed is not None:
            self._paint.files.focused = (message.id, deed)
            self._view.setAccessibleDescription(self._words(message, deed))
        self._view.update(index)
        return deed is not None

    def keep(self, message: Message) -> None:
        """A message stands differently: no key presses a button that is not there any more."""
        focused = self._paint.files.focused
        if focused is not None and focused[0] == message.id and focused[1] not in self.of(message):
            self.leave()

    def hover(self, spot: Spot | None) -> None:
        """Show what is under the mouse."""
        before = self._paint.files.hovered
        over = (spot.message.id, spot.deed) if spot is not None and spot.deed is not None else None
        self._paint.files.hovered = over
        if before != over:
            self._view.viewport().update()

    @Slot()
    def leave(self) -> None:
        """Keys act on the whole message again."""
        self._paint.files.focused = None
        self._view.setAccessibleDescription("")

    @Slot()
    def _look(self) -> None:
        if (focused := self.focused()) is not None:
            self.keep(focused[0])

    def _words(self, message: Message, deed: FileDeed | Deed) -> str:
        """What a screen reader says of a button."""
        transfer = self._model.transfer(message)
        if isinstance(deed, FileDeed) and transfer is not None:
            return deed_words(deed, transfer)
        return TRY_AGAIN
