"""The list of messages as it scrolls: it keeps its place whatever happens above and below.

Pages are read when an end comes near; a view that stands at the end of the conversation stays there,
any other keeps the message at its top where it is.
"""

from collections.abc import Collection
from typing import Final

from PySide6.QtCore import QItemSelectionModel, QPoint, QRect, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QGuiApplication, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QListView, QStyle, QWidget

from messenger.core.ids import MessageId
from messenger.core.models import Message, MessageState
from messenger.gui.theme import SPACE, Theme
from messenger.gui.timeline_delegate import TimelineDelegate
from messenger.gui.timeline_model import TimelineModel
from messenger.gui.widgets import IconButton
from messenger.text import _, unread_words

_NEAR: Final = 4
"""Pixels from the end that still count as being there."""
_FLASH_MS: Final = 1600
"""How long the message that a jump led to stands out."""
_BUTTON: Final = 40
_BADGE: Final = 16
_SHORT: Final = 100
"""Fewer rows than this may not fill the pane and are moved to its bottom."""


class JumpButton(IconButton):
    """Leads to the newest message and counts those below that nobody has seen.

    Args:
        theme: Colours and fonts.
        parent: The view over which it floats.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        super().__init__(theme, "down", _("Jump to the newest message"), size=22, kind="round")
        self._theme_of_badge = theme
        self.setParent(parent)
        self.setFixedSize(_BUTTON, _BUTTON)
        self.count = 0
        """Messages below that nobody has seen."""
        self.hide()

    def show_count(self, count: int) -> None:
        """Say how many messages below nobody has seen."""
        self.count = count
        words = f", {unread_words(count)}" if count else ""
        self.setAccessibleName(_("Jump to the newest message") + words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 -- Qt's name
        """Draw the button, and its count over it."""
        super().paintEvent(event)
        if not self.count:
            return
        colors = self._theme_of_badge.colors
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(self._theme_of_badge.font("small", bold=True))
        words = str(self.count) if self.count < 1000 else "999+"
        painter.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # else "999+" turns into "+999"
        width = max(_BADGE, painter.fontMetrics().horizontalAdvance(words) + SPACE["xs"] + 2)
        badge = QRect((self.width() - width) // 2, 0, width, _BADGE)  # above the arrow
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colors["accent"])
        painter.drawRoundedRect(badge, _BADGE / 2, _BADGE / 2)
        painter.setPen(colors["on_accent"])
        painter.drawText(badge, Qt.AlignmentFlag.AlignCenter, words)


class ScrollingTimeline(QListView):
    """The messages of one conversation: layout, scrolling, what has been seen.

    Args:
        theme: Colours and fonts.
        model: The messages.
    """

    seen = Signal(object)
    """The position of the newest message of theirs that is before the person's eyes."""

    def __init__(self, theme: Theme, model: TimelineModel) -> None:
        super().__init__()
        self._theme, self._model = theme, model
        self._paint = TimelineDelegate(theme)
        self._paint.quote_of = model.quotes.lines
        self._paint.author_of = model.author
        self._pinned, self._anchor = True, (0, 0)
        self._busy = False
        self._reported = -1
        self._below = 0
        self._goal: int | None = None
        self._fading = QTimer(self)
        self._fading.setSingleShot(True)
        self._fading.timeout.connect(self._fade)
        self._jump = JumpButton(theme, self)
        self._jump.clicked.connect(self.to_end)
        self.setObjectName("timeline")
        self.setAccessibleName(_("Messages"))
        self.setItemDelegate(self._paint)
        self.setModel(model)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSelectionMode(QListView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QListView.EditTrigger.NoEditTriggers)
        self.verticalScrollBar().setSingleStep(24)
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        model.modelReset.connect(self._on_reset)
        app = QGuiApplication.instance()
        if isinstance(app, QGuiApplication):
            app.focusWindowChanged.connect(self._report_seen)  # another window is active, perhaps ours
        theme.changed.connect(self.scheduleDelayedItemsLayout)

    @property
    def pinned(self) -> bool:
        """Whether the end of the conversation is in sight and stays there."""
        return self._pinned

    @property
    def jump_button(self) -> JumpButton:
        """The button that leads to the newest message."""
        return self._jump

    def arrived(self, messages: list[Message]) -> None:
        """Messages were stored; the view follows only if its end was in sight, or if we wrote them."""
        self._model.add(messages)
        if any(m.position < self._reported for m in messages):
            self._reported = -1  # it was long on its way, stands above others, and is seen too
        if any(m.outgoing for m in messages):
            self._model.clear_unread_line()
            self.to_end()
        elif not self._pinned:
            self._below += sum(not m.outgoing and not m.notice for m in messages)
        self._show_jump()  # laid out with whatever else comes before the next paint

    def show_unread(self, count: int) -> None:
        """Say how many messages of the conversation nobody has seen; they are below where somebody reads.

        Args:
            count: How many.
        """
        self._below = 0 if self._pinned else count
        self._show_jump()

    def vanished(self, ids: Collection[MessageId]) -> None:
        """Messages have disappeared; whatever else is in sight stays where it is."""
        self._hold(ids)
        within, self._busy = self._busy, True  # Qt moves the cursor, and scrolls to it
        self._model.vanish(ids)
        self._busy = within
        self._paint.forget(ids)
        self.executeDelayedItemsLayout()
        self._on_scrolled()

    def show_position(self, position: int) -> bool:
        """Show the message at a position in the middle and let it stand out for a moment.

        Args:
            position: As in `messenger.core.models.Message`.

        Returns:
            Whether there is such a message.
        """
        if self._model.place(position) is None:
            self._goal = position
            self._model.show_around(position)
            self._goal = None
        place = self._model.place(position)
        if place is None:
            return False
        self.executeDelayedItemsLayout()
        self._paint.flash = self._model.row(place).message.id
        self.selectionModel().setCurrentIndex(
            self._model.index(place), QItemSelectionModel.SelectionFlag.NoUpdate
        )
        self._center(place)
        self._fading.start(_FLASH_MS)
        self.viewport().update()
        return True

    def reread(self) -> None:
        """Messages may be gone from the database: stay where we are among those that are left."""
        self._model.reread()
        self.scheduleDelayedItemsLayout()

    @Slot()
    def to_end(self) -> None:
        """Show the newest message."""
        self._model.to_end()
        self._pinned = True
        self.executeDelayedItemsLayout()
        self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())
        self._after_move()

    # --- layout ---

    def doItemsLayout(self) -> None:  # noqa: N802 -- Qt's name
        """Lay out all rows and stay where we were."""
        self._busy = True
        self._paint.set_pane(self._pane())
        super().doItemsLayout()
        if self._fill():
            super().doItemsLayout()
        self._restore()
        self._busy = False
        self._after_move()

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 -- Qt's name
        """Lay out for the new size, unless a layout is what changed it: by showing or hiding a scroll bar."""
        within, self._busy = self._busy, True
        super().resizeEvent(event)
        self._busy = within
        mirrored = self.layoutDirection() == Qt.LayoutDirection.RightToLeft
        left = SPACE["l"] if mirrored else self.width() - _BUTTON - SPACE["l"]
        self._jump.move(left, self.height() - _BUTTON - SPACE["m"])
        if not within:
            self.doItemsLayout()

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 -- Qt's name
        """What was opened before the view could be seen is before the person's eyes now."""
        super().showEvent(event)
        self._report_seen()

    def _pane(self) -> int:
        bar = self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent, None, self.verticalScrollBar())
        return max(self.width() - bar, 1)

    def _fill(self) -> bool:
        """Move few rows to the bottom; whether the rows must be laid out again."""
        count = self._model.rowCount()
        filler = 0
        if 0 < count < _SHORT and self._model.at_start:
            first, last = self.visualRect(self._model.index(0)), self.visualRect(self._model.index(count - 1))
            content = last.bottom() + 1 - first.top() - self._paint.filler
            filler = max(0, self.viewport().height() - content)
        changed, self._paint.filler = filler != self._paint.filler, filler
        return changed

    def _restore(self) -> None:
        bar = self.verticalScrollBar()
        if self._pinned and self._model.at_end:
            bar.setValue(bar.maximum())
            return
        place = self._model.place(self._anchor[0])
        if place is not None:
            rect = self.visualRect(self._model.index(place))
            wanted = max(self._anchor[1], 2 - rect.height())  # it may have become lower than it was
            bar.setValue(bar.value() + rect.top() - wanted)

    def _hold(self, ids: Collection[MessageId]) -> None:
        """Take for the message at the top the next one that stays, or if there is none, the one before."""
        index = self.indexAt(QPoint(1, 1))
        if self._pinned or not index.isValid():
            return
        top, count = index.row(), self._model.rowCount()
        for place in (*range(top, count), *range(top - 1, -1, -1)):
            message = self._model.row(place).message
            if message.id not in ids:
                self._anchor = (message.position, self.visualRect(self._model.index(place)).top())
                return

    def _center(self, place: int) -> None:
        """Scroll a row to the middle; the top of one that is higher than the view to the top."""
        rect, height = self.visualRect(self._model.index(place)), self.viewport().height()
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + rect.top() - max(0, height - rect.height()) // 2)
        self._note_place()
        self._after_move()

    @Slot()
    def _fade(self) -> None:
        self._paint.flash = None
        self.viewport().update()

    def _note_place(self) -> None:
        bar = self.verticalScrollBar()
        self._pinned = self._model.at_end and bar.value() >= bar.maximum() - _NEAR
        index = self.indexAt(QPoint(1, 1))
        if index.isValid():
            position = self._model.row(index.row()).message.position
            self._anchor = (position, self.visualRect(index).top())

    # --- scrolling ---

    @Slot()
    def _on_reset(self) -> None:
        self._reported = -1
        self._paint.filler = 0
        unread = self._model.unread_place()
        goal = None if self._goal is None else self._model.place(self._goal)
        self._pinned = unread is None and goal is None
        self.doItemsLayout()
        if goal is not None:
            self._center(goal)
        elif unread is not None:
            bar, rect = self.verticalScrollBar(), self.visualRect(self._model.index(unread))
            bar.setValue(bar.value() + rect.top() - self.viewport().height() // 4)
            self._note_place()
        self._after_move()

    @Slot()
    def _on_scrolled(self) -> None:
        if self._busy:
            return
        self._note_place()
        bar, page = self.verticalScrollBar(), self.viewport().height()
        if (bar.value() < page and self._model.load_older()) or (
            bar.maximum() - bar.value() < page and self._model.load_newer()
        ):
            self.executeDelayedItemsLayout()
        self._note_place()
        self._after_move()

    def _after_move(self) -> None:
        if self._pinned:
            self._below = 0
        self._show_jump()
        self._report_seen()

    def _show_jump(self) -> None:
        self._jump.setVisible(not self._pinned and self._model.rowCount() > 0)
        self._jump.show_count(self._below)

    @Slot()
    def _report_seen(self) -> None:
        """Tell which messages are before the person's eyes: whole window active, bubble's end in sight."""
        count = self._model.rowCount()
        if not count or not self.isActiveWindow() or not self.isVisible():
            return
        index = self.indexAt(QPoint(1, self.viewport().height() - 1))
        last = index.row() if index.isValid() else count - 1
        for place in range(last, max(-1, last - _SHORT), -1):
            message = self._model.row(place).message
            if message.state is MessageState.UNREAD:
                if message.position > self._reported:
                    self._reported = message.position
                    self.seen.emit(message.position)
                return
