"""All transfers over all conversations, and the line of the window that says how they go."""

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QProgressBar,
    QStyle,
    QStyleOption,
    QVBoxLayout,
    QWidget,
)

from messenger.core.ids import ConversationId
from messenger.core.transfer_deeds import FileDeed
from messenger.core.transfers import Transfer
from messenger.gui.bridge import Bridge
from messenger.gui.file_deeds import FileDeeds
from messenger.gui.pictures import Pictures
from messenger.gui.sheet import Sheet
from messenger.gui.theme import SPACE, Theme
from messenger.gui.transfer_book import RUNNING, TransferBook
from messenger.gui.transfer_list import TransferList, grouped
from messenger.gui.widgets import ElidedLabel, IconLabel, label
from messenger.text import _, total_words

_SIZE: Final = (480, 620)
_BAR: Final = 160


class TransfersSheet(Sheet):
    """Going on, waiting, done and failed, with the same buttons as in the conversations.

    Args:
        parent: The window.
        theme: Colours and fonts.
        bridge: The way to the engine.
        book: All transfers.
        pictures: Their small pictures.
        name_of: Tells the name of somebody by their conversation.
    """

    message_asked = Signal(object)
    """The transfer whose message shall be shown."""

    def __init__(
        self,
        parent: QWidget,
        theme: Theme,
        bridge: Bridge,
        book: TransferBook,
        pictures: Pictures,
        name_of: Callable[[ConversationId], str],
    ) -> None:
        super().__init__(parent, theme, _("Transfers"), fills=True)
        self._book = book
        self.total = label("", "muted")
        self.empty = label(
            _("No files yet. Drag some onto a conversation, or press the paper clip there."),
            "muted",
            wrap=True,
        )
        self.list = TransferList(theme, name_of, _("Transfers"), headed=True)
        self.list.show_pictures(pictures.get)
        self._deeds = FileDeeds(self, theme, bridge, self.tasks, self.notice.say)
        self.list.deed_asked.connect(self._on_deed)
        self.list.chosen.connect(self._on_chosen)
        pictures.ready.connect(self._on_picture)
        self.body.addWidget(label(_("Transfers"), "title"))
        self.body.addWidget(self.total)
        self.body.addWidget(self.empty)
        self.body.addWidget(self.list, 1)
        self.clear_button = self.add_button(_("Clear finished"))
        self.clear_button.clicked.connect(book.clear_finished)
        self.add_button(_("Close"), "primary", enter=False).clicked.connect(self.accept)
        book.changed.connect(self._show)
        self.resize(*_SIZE)
        self._show()
        self.list.setFocus(Qt.FocusReason.TabFocusReason)

    @Slot()
    def _show(self) -> None:
        shown = self._book.listed()
        self.list.show_rows(grouped(shown))
        self.list.setVisible(bool(shown))
        self.empty.setVisible(not shown)
        self.total.setText(_summary(self._book))
        self.total.setVisible(bool(self.total.text()))
        self.clear_button.setEnabled(self._book.has_finished())

    @Slot(object)
    def _on_picture(self, transfer: Transfer) -> None:
        self.list.refresh({transfer.id})

    @Slot(object, object)
    def _on_deed(self, deed: FileDeed, transfer: Transfer) -> None:
        self.notice.clear()
        self._deeds.do(deed, transfer)

    @Slot(object)
    def _on_chosen(self, transfer: Transfer) -> None:
        self.accept()
        self.message_asked.emit(transfer)


class TransferStrip(QAbstractButton):
    """One line below the conversations while files are on their way; a click or Enter shows all of them.

    Args:
        theme: Colours and fonts.
        book: All transfers.
    """

    def __init__(self, theme: Theme, book: TransferBook) -> None:
        super().__init__()
        self._book = book
        self.setObjectName("transferStrip")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(_("Show all transfers"))
        self.words = ElidedLabel("small")
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setRange(0, 1000)
        self.bar.setMinimumWidth(_BAR // 2)
        self.bar.setMaximumWidth(_BAR)
        self.bar.setAccessibleName(_("Progress of all transfers"))
        row = QHBoxLayout()
        row.setSpacing(SPACE["m"])
        row.addWidget(IconLabel(theme, "transfers", "muted", 18))
        row.addWidget(self.words)
        row.addStretch(1)
        row.addWidget(self.bar)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE["l"], SPACE["s"], SPACE["l"], SPACE["s"])
        column.addLayout(row)
        book.changed.connect(self._show)
        self._show()

    def sizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """The size of its line, which a button would not ask for."""
        layout = self.layout()
        return super().sizeHint() if layout is None else layout.sizeHint()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Enter presses it too."""
        if event.key() in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            self.click()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Draw what the style sheet says; the line stands upon it."""
        option = QStyleOption()
        option.initFrom(self)
        self.style().drawPrimitive(QStyle.PrimitiveElement.PE_Widget, option, QPainter(self), self)

    @Slot()
    def _show(self) -> None:
        going = self._book.going_on()
        words = _summary(self._book)
        self.setVisible(bool(words))
        self.words.setText(words)
        size = sum(transfer.size for transfer in going)
        done = sum(transfer.done for transfer in going)
        self.bar.setValue(done * 1000 // size if size else 0)
        percent = _("{percent} %").format(percent=done * 100 // size if size else 0)
        self.setAccessibleName(f"{_('Transfers')}: {words}, {percent}" if words else "")


def _summary(book: TransferBook) -> str:
    going = book.going_on()
    running = [transfer for transfer in going if transfer.state in RUNNING]
    return total_words(len(running), len(going) - len(running), sum(transfer.speed for transfer in running))
