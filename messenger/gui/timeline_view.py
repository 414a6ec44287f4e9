"""The list of messages as it is used: characters and links by mouse, rows by keyboard, a menu for each."""

from collections.abc import Collection

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import (
    QContextMenuEvent,
    QFocusEvent,
    QGuiApplication,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
)
from PySide6.QtWidgets import QMenu

from messenger.core.ids import MessageId
from messenger.core.models import Message, MessageState
from messenger.gui.theme import Theme
from messenger.gui.timeline_model import TimelineModel
from messenger.gui.timeline_pick import Picker, Spot
from messenger.gui.timeline_scroll import ScrollingTimeline
from messenger.gui.widgets import menu_icon
from messenger.text import _, moment


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

    def __init__(self, theme: Theme, model: TimelineModel) -> None:
        super().__init__(theme, model)
        self._pick = Picker(self, self._paint, self.viewport().update)
        self.setMouseTracking(True)
        model.modelReset.connect(self._pick.clear)

    def vanished(self, ids: Collection[MessageId]) -> None:
        """Messages have disappeared, from what is selected too."""
        self._pick.forget(ids)
        super().vanished(ids)

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
        self._pick.press(self._pick.spot(event.position().toPoint()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Extend the selection, or show what a click would do."""
        point = event.position().toPoint()
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._pick.drag(point)
            return
        spot = self._pick.spot(point)
        shape = Qt.CursorShape.ArrowCursor
        if spot is not None and (spot.link or spot.more):
            shape = Qt.CursorShape.PointingHandCursor
        elif spot is not None and spot.text:
            shape = Qt.CursorShape.IBeamCursor
        self.viewport().setCursor(shape)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """A click that selected nothing opens what is under it."""
        super().mouseReleaseEvent(event)
        self._pick.release()
        if event.button() is Qt.MouseButton.LeftButton and not self._pick.text():
            spot = self._pick.spot(event.position().toPoint())
            if spot is not None and spot.link:
                self.link_clicked.emit(spot.link)
            elif spot is not None and spot.more:
                self.full_text_asked.emit(spot.message)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:  # noqa: N802 -- Qt's name
        """Select a word."""
        spot = self._pick.spot(event.position().toPoint())
        if spot is not None and spot.text:
            self._pick.word(spot)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Copy; everything else as in any list."""
        if event.matches(QKeySequence.StandardKey.Copy):
            self._copy(self.copied_text())
            return
        self._paint.show_cursor = True
        super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 -- Qt's name
        """What can be done with the message under the mouse or the cursor."""
        by_mouse = event.reason() is QContextMenuEvent.Reason.Mouse
        spot = self._pick.spot(event.pos()) if by_mouse else None
        index = self.indexAt(QPoint(1, event.pos().y())) if by_mouse else self.currentIndex()
        if index.isValid():
            message = self._model.row(index.row()).message
            at = (
                event.globalPos()
                if by_mouse
                else self.viewport().mapToGlobal(self.visualRect(index).center())
            )
            self.menu_for(message, spot).popup(at)

    def menu_for(self, message: Message, spot: Spot | None = None) -> QMenu:
        """The menu of a message; deletes itself when closed."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        if message.notice:
            return menu
        if message.state is MessageState.FAILED and not message.deleted:
            again = menu.addAction(menu_icon(self._theme, "retry"), _("Send again"))
            again.triggered.connect(lambda: self.retry_asked.emit(message))
        picked = self.copied_text()
        if picked and picked != message.text:
            copy = menu.addAction(menu_icon(self._theme, "copy"), _("Copy selected"))
            copy.triggered.connect(lambda: self._copy(picked))
        whole = menu.addAction(menu_icon(self._theme, "copy"), _("Copy text"))
        whole.triggered.connect(lambda: self._copy(message.text))
        if spot is not None and spot.link:
            link = menu.addAction(menu_icon(self._theme, "invite"), _("Copy link"))
            link.triggered.connect(lambda: self._copy(spot.link))
        if self._paint.bubble(message).cut:
            more = menu.addAction(menu_icon(self._theme, "chat"), _("Show all"))
            more.triggered.connect(lambda: self.full_text_asked.emit(message))
        return menu

    @staticmethod
    def _copy(text: str) -> None:
        if text:
            QGuiApplication.clipboard().setText(text)
