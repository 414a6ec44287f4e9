"""The list of messages as it is used: characters and links by mouse, rows by keyboard, a menu for each."""

from collections.abc import Callable, Collection, Mapping
from typing import Final

from PySide6.QtCore import QModelIndex, QPoint, QRect, Qt, Signal, Slot
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QImage,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
)
from PySide6.QtWidgets import QApplication, QMenu

from messenger.core.ids import MessageId
from messenger.core.models import Message
from messenger.core.transfer_deeds import FileDeed, possible
from messenger.core.transfers import ENDS, Transfer, TransferId
from messenger.core.words import Phrase
from messenger.gui.content import first_links
from messenger.gui.message_menu import Deed, Given, MessageMenu
from messenger.gui.no_messages import NoMessages
from messenger.gui.theme import Theme
from messenger.gui.timeline_buttons import RowButtons
from messenger.gui.timeline_model import TimelineModel
from messenger.gui.timeline_pick import Picker, Spot
from messenger.gui.timeline_scroll import ScrollingTimeline
from messenger.text import moment

_MENU: Final = "menu"
_PLAIN, _SHIFT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
_KEYS: Final[dict[tuple[int, Qt.KeyboardModifier], str]] = {
    (Qt.Key.Key_Menu, _PLAIN): _MENU,
    (Qt.Key.Key_F10, _SHIFT): _MENU,
    (Qt.Key.Key_Return, _PLAIN): Deed.REPLY,
    (Qt.Key.Key_Enter, Qt.KeyboardModifier.KeypadModifier): Deed.REPLY,
    (Qt.Key.Key_R, _PLAIN): Deed.REPLY,
    (Qt.Key.Key_E, _PLAIN): Deed.EDIT,
    (Qt.Key.Key_I, _PLAIN): Deed.INFO,
    (Qt.Key.Key_Plus, _PLAIN): Deed.PICK,
    (Qt.Key.Key_Plus, _SHIFT): Deed.PICK,
    (Qt.Key.Key_Delete, _PLAIN): Deed.DELETE,
}
"""What keys do with the message that is marked."""
_COMMAND: Final = (
    Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier | Qt.KeyboardModifier.MetaModifier
)


class TimelineView(ScrollingTimeline):
    """The messages of one conversation.

    Args:
        theme: Colours and fonts.
        model: The messages.
    """

    link_clicked = Signal(str)
    full_text_asked = Signal(object)
    """The message whose bubble does not show all of it."""
    retry_asked = Signal(object)
    """The message that shall be sent again."""
    deed_asked = Signal(object, object, str)
    """A `Deed`, its message, and the emoji of a reaction."""
    file_asked = Signal(object, object)
    """A `FileDeed` and its transfer."""
    limit_asked = Signal(object, int)
    """A transfer, and the bound of its speed, bytes a second; 0 for none."""
    typed = Signal(str)
    """Characters that somebody has typed who wants to write, not to do something with a message."""
    quote_clicked = Signal(object)
    """The message whose beginning of what it answers was clicked."""

    def __init__(self, theme: Theme, model: TimelineModel) -> None:
        super().__init__(theme, model)
        self._heights: dict[MessageId, float] = {}
        """Of the cards that have changed since the conversation was opened: what they were laid out for."""
        self._pick = Picker(self, model, self._paint, self.viewport().update)
        self._pressed: Spot | None = None
        """Where the mouse button went down."""
        self.limits: Mapping[TransferId, int] = {}
        """The bounds of the speed of single transfers."""
        self.setMouseTracking(True)
        model.modelReset.connect(self._pick.clear)
        model.modelReset.connect(self._heights.clear)
        model.modelReset.connect(self._look_again)
        model.dataChanged.connect(self._look_again)
        model.rowsRemoved.connect(self._look_again)
        self._buttons = RowButtons(self, model, self._paint)
        self.none = NoMessages(self, model)
        """Stands in an empty conversation."""

    @property
    def answerable(self) -> bool:
        """Whether the other person can be written to."""
        return self._paint.belows.answerable

    @answerable.setter
    def answerable(self, able: bool) -> None:
        if able != self._paint.belows.answerable:
            self._paint.belows.answerable = able
            self._buttons.leave()
            self.scheduleDelayedItemsLayout()

    def vanished(self, ids: Collection[MessageId]) -> None:
        """Messages have disappeared, from what is selected too."""
        self._pick.forget(ids)
        super().vanished(ids)

    @Slot()
    def _look_again(self) -> None:
        """Messages stand differently or are gone: nothing of what they were can be copied any more."""
        self._pick.look()
        for menu in self.findChildren(MessageMenu):
            place = self._model.place(menu.message.position)
            now = None if place is None else self._model.row(place).message
            if now is None or now.id != menu.message.id or now.deleted != menu.message.deleted:
                menu.close()

    def show_files(
        self,
        find_transfer: Callable[[TransferId], Transfer | None],
        find_picture: Callable[[Transfer], QImage | None],
        find_name: Callable[[], str],
    ) -> None:
        """Say how files, their small pictures, and the name of the other person are looked up."""

        def offered(message: Message) -> Transfer | None:
            if message.transfer is None or message.deleted:
                return None
            return find_transfer(message.transfer)

        self._model.transfer = offered
        files = self._paint.files
        files.find_transfer, files.find_picture, files.find_name = offered, find_picture, find_name

    def transfers_changed(self, ids: Collection[TransferId]) -> None:
        """Transfers stand differently; rows are laid out anew only where a card needs more or less room."""
        for place in self._offering(ids):
            index, message = self._model.index(place), self._model.row(place).message
            height = self._paint.bubble(message).size.height()
            self._buttons.keep(message)
            if self._heights.get(message.id) == height:
                self.update(index)
            else:
                self._heights[message.id] = height
                self._model.dataChanged.emit(index, index)

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: N802 -- Qt's name and signature
        """Tab goes through the buttons of the card that is marked, and then on."""
        step = 1 if forward else -1
        return (self._paint.show_cursor and self._buttons.step(step)) or super().focusNextPrevChild(forward)

    def copied_text(self) -> str:
        """What Ctrl+C copies: the selected characters, else the selected messages."""
        if text := self._pick.text():
            return text
        rows = sorted(index.row() for index in self.selectedIndexes())
        if len(rows) == 1:
            return self._model.row(rows[0]).message.text
        now = self._model.row(rows[-1]).message.sent_ms if rows else 0
        lines = []
        for place in rows:
            message = self._model.row(place).message
            lines.append(f"[{moment(message.sent_ms, now)}] {self._model.author(message)}: {message.text}")
        return "\n".join(lines)

    def focusInEvent(self, event: QFocusEvent) -> None:  # noqa: N802 -- Qt's name
        """Coming in by keyboard, begin at the newest message."""
        by_key = event.reason() in {Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason}
        self._paint.show_cursor = by_key
        if by_key and not self.currentIndex().isValid() and self._model.rowCount():
            self.setCurrentIndex(self._model.index(self._model.rowCount() - 1))
        super().focusInEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Begin to select characters, or choose rows with Ctrl or Shift."""
        if (
            event.button() is not Qt.MouseButton.LeftButton
            or event.modifiers() != Qt.KeyboardModifier.NoModifier
        ):
            super().mousePressEvent(event)
            return
        self._paint.show_cursor = False
        self.clearSelection()
        self._pressed = self._pick.spot(event.position().toPoint())
        self._pick.press(self._pressed)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Extend the selection, or show what a click would do."""
        point = event.position().toPoint()
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._pick.drag(point)
            return
        spot = self._pick.spot(point)
        shape = Qt.CursorShape.ArrowCursor
        self._buttons.hover(spot)
        if spot is not None and (spot.link or spot.more or spot.quote or spot.deed):
            shape = Qt.CursorShape.PointingHandCursor
        elif spot is not None and spot.text:
            shape = Qt.CursorShape.IBeamCursor
        self.viewport().setCursor(shape)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """A click that selected nothing opens what is under it, if it was there when the button went down."""
        super().mouseReleaseEvent(event)
        self._pick.release()
        if event.button() is not Qt.MouseButton.LeftButton:
            return
        before, self._pressed = self._pressed, None
        spot = self._pick.spot(event.position().toPoint())
        if before is None or spot is None or spot.target != before.target or self._pick.text():
            return
        if spot.link:
            self.link_clicked.emit(spot.link)
        elif spot.more:
            self.full_text_asked.emit(spot.message)
        elif spot.quote:
            self.quote_clicked.emit(spot.message)
        elif spot.deed is not None:
            self._press(spot.message, spot.deed, spot.extra)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Select the word under the mouse; beside the characters, answer the message."""
        point = event.position().toPoint()
        spot = self._pick.spot(point)
        if spot is not None and spot.text:
            self._pick.word(spot)
            return
        if spot is not None and spot.deed is not None:
            return
        index = self.indexAt(QPoint(1, point.y()))
        if index.isValid():
            self._ask(self._model.row(index.row()).message, Deed.REPLY)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Copy, do something with the message that is marked, or begin to write; all else as in any list."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self._copy(self.copied_text())
            return
        key, marked = (event.key(), event.modifiers()), self._paint.show_cursor
        if _is_writing(event) and not (marked and key in _KEYS and self.currentIndex().isValid()):
            self.typed.emit(event.text())
            return
        self._paint.show_cursor = True
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        forward, back = (
            (Qt.Key.Key_Left, Qt.Key.Key_Right) if mirrored else (Qt.Key.Key_Right, Qt.Key.Key_Left)
        )
        if event.key() in {forward, back} and self._buttons.step(1 if event.key() == forward else -1):
            return
        focused = self._buttons.focused()
        if focused is not None and event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}:
            self._press(*focused)
            return
        deed, index = _KEYS.get(key), self.currentIndex()
        if deed is None or not index.isValid():
            super().keyPressEvent(event)
        elif deed is _MENU:
            self._open_menu(index)
        else:
            self._ask(self._model.row(index.row()).message, Deed(deed))

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 -- Qt's name
        """What can be done with the message under the mouse or the cursor."""
        if event.reason() is not QContextMenuEvent.Reason.Mouse:
            self._open_menu(self.currentIndex())
            return
        index = self.indexAt(QPoint(1, event.pos().y()))
        if index.isValid():
            message = self._model.row(index.row()).message
            self.menu_for(message, self._pick.spot(event.pos())).popup(event.globalPos())

    def menu_for(self, message: Message, spot: Spot | None = None) -> QMenu:
        """The menu of a message; deletes itself when closed."""
        transfer = self._model.transfer(message)
        given = Given(
            deeds=() if transfer is None else possible(transfer),
            answerable=self.answerable,
            picked=self.copied_text(),
            link="" if spot is None else spot.link,
            links=first_links(message.text) if spot is None else (spot.link,) if spot.link else (),
            cut=self._paint.bubble(message).cut,
            limit=None if transfer is None or transfer.state in ENDS else self.limits.get(transfer.id, 0),
        )
        menu = MessageMenu(self, self._theme, message, given)
        menu.asked.connect(lambda deed, extra: self._ask(message, deed, extra))
        return menu

    def mark_words(self, phrases: tuple[Phrase, ...]) -> None:
        """Mark words wherever they stand; none for an end of it."""
        self._paint.seek(phrases)
        self.viewport().update()

    def bubble_on_screen(self, message: Message) -> QRect:
        """Where the bubble of a message is on the screen; the view itself if it is not in sight."""
        place = self._model.place(message.position)
        whole = self.viewport().rect()
        if place is not None:
            rect = self.visualRect(self._model.index(place))
            found = self._paint.bubble_rect(self._model.row(place), rect, place).toRect()
            whole = found.intersected(whole) or whole
        return QRect(self.viewport().mapToGlobal(whole.topLeft()), whole.size())

    def _open_menu(self, index: QModelIndex) -> None:
        # some systems send an event for the menu beside that for the key
        if index.isValid() and QApplication.activePopupWidget() is None:
            message = self._model.row(index.row()).message
            self.menu_for(message).popup(self.bubble_on_screen(message).center())

    def _ask(self, message: Message, deed: Deed, extra: str = "") -> None:
        """Do what belongs to the view; ask for the rest."""
        match deed:
            case Deed.COPY:
                self._copy(extra)
            case Deed.LINK:
                self.link_clicked.emit(extra)
            case Deed.QUOTE:
                self.quote_clicked.emit(message)
            case Deed.WHOLE:
                self.full_text_asked.emit(message)
            case Deed.RETRY:
                self.retry_asked.emit(message)
            case Deed.FILE:
                self._press(message, FileDeed(extra))
            case Deed.LIMIT:
                self.limit_asked.emit(self._model.transfer(message), int(extra))
            case _:
                self.deed_asked.emit(deed, message, extra)

    # --- buttons of cards ---

    def _offering(self, ids: Collection[TransferId]) -> list[int]:
        """The rows that show some of these transfers."""
        return [n for n in range(self._model.rowCount()) if self._model.row(n).message.transfer in ids]

    def _press(self, message: Message, deed: FileDeed | Deed, extra: str = "") -> None:
        """Do what a button in the conversation is for, if that is still possible."""
        if isinstance(deed, Deed):
            self._ask(message, deed, extra)
            return
        transfer = self._model.transfer(message)
        if transfer is not None and deed in possible(transfer):
            self.file_asked.emit(deed, transfer)

    @staticmethod
    def _copy(text: str) -> None:
        if text:
            QGuiApplication.clipboard().setText(text)


def _is_writing(event: QKeyEvent) -> bool:
    """Whether a key writes something, and not only a blank, with which lists are gone through."""
    text = event.text()
    return text.isprintable() and bool(text.strip()) and not event.modifiers() & _COMMAND
