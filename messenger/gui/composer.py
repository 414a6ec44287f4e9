"""Where a message is written, answered and changed."""

import math
from collections.abc import Callable
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QMimeData, QPoint, QRect, Qt, Signal, Slot
from PySide6.QtGui import QContextMenuEvent, QDragEnterEvent, QImage, QKeyEvent, QTextOption
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPlainTextEdit, QVBoxLayout, QWidget

from messenger.core.models import Message
from messenger.gui.compose_bar import ComposeBar
from messenger.gui.drop import local_paths
from messenger.gui.entries import Entry, menu_of
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import IconButton, label
from messenger.text import _, explain

if TYPE_CHECKING:
    from messenger.gui.spell_box import SpellBox
    from messenger.gui.speller import Speller

_LINES: Final = 6
_FRAME: Final = 2 * 5 + 2
"""Padding and border of the text box as the style sheet has them."""
_BUTTON: Final = 38


class MessageText(QPlainTextEdit):
    """A text box that grows to six lines.

    Args:
        title: What to write.
    """

    send_asked = Signal()
    up_asked = Signal()
    """Up was pressed while nothing is written."""
    files_pasted = Signal(object)
    """A list of paths."""
    picture_pasted = Signal(object)
    """A `QImage`."""
    menu_asked = Signal(int, QPoint, bool)
    """The menu is wanted: for which place of the text, where on the screen, and whether by a key."""
    next_asked = Signal()
    """The next word that may be misspelt is wanted."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.enter_sends = True
        """Whether Enter sends; otherwise Ctrl+Enter does."""
        self.setObjectName("composerText")
        self.setPlaceholderText(title)
        self.setAccessibleName(title)
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(SPACE["xs"])
        self.document().documentLayout().documentSizeChanged.connect(self._fit)
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Send or break the line, as the settings say; everything else as in any text box."""
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.key() == Qt.Key.Key_Up and plain and not self.toPlainText():
            self.up_asked.emit()
            return
        shift = event.modifiers() == Qt.KeyboardModifier.ShiftModifier
        if (event.key() == Qt.Key.Key_Menu and plain) or (event.key() == Qt.Key.Key_F10 and shift):
            corner = self.viewport().mapToGlobal(self.cursorRect().bottomLeft())
            self.menu_asked.emit(self.textCursor().position(), corner, True)  # noqa: FBT003 -- Qt's signature
            return
        if event.key() == Qt.Key.Key_F7 and plain:
            self.next_asked.emit()
            return
        if event.key() not in {Qt.Key.Key_Return, Qt.Key.Key_Enter}:
            super().keyPressEvent(event)
            return
        held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        sends = Qt.KeyboardModifier.NoModifier if self.enter_sends else Qt.KeyboardModifier.ControlModifier
        if held == sends:
            self.send_asked.emit()
        else:
            self.insertPlainText("\n")
            self.ensureCursorVisible()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:  # noqa: N802 -- Qt's name
        """The menu of what is under the mouse; keys ask for themselves."""
        if event.reason() is QContextMenuEvent.Reason.Mouse:
            place = self.cursorForPosition(event.pos()).position()
            self.menu_asked.emit(place, event.globalPos(), False)  # noqa: FBT003 -- Qt's signature

    def canInsertFromMimeData(self, source: QMimeData) -> bool:  # noqa: N802 -- Qt's name
        """Text, and what becomes files."""
        return bool(local_paths(source)) or source.hasImage() or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:  # noqa: N802 -- Qt's name
        """Text is written; files, and pictures that come without text, are offered to be sent."""
        if paths := local_paths(source):
            self.files_pasted.emit(paths)
        elif source.hasImage() and not source.hasText():
            if isinstance(image := source.imageData(), QImage):
                self.picture_pasted.emit(image)
        else:
            super().insertFromMimeData(source)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:  # noqa: N802 -- Qt's name
        """Files are taken by the whole conversation, text by the box."""
        if local_paths(event.mimeData()):
            event.ignore()
        else:
            super().dragEnterEvent(event)

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 -- Qt's name
        """Another font may need another height."""
        super().changeEvent(event)
        if event.type() in {QEvent.Type.FontChange, QEvent.Type.StyleChange}:
            self._fit()

    @Slot()
    def _fit(self) -> None:
        lines = max(1, round(self.document().size().height()))  # a plain text document counts lines
        text = min(lines, _LINES) * self.fontMetrics().lineSpacing()
        height = math.ceil(text + 2 * self.document().documentMargin()) + _FRAME
        policy = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(
            policy.ScrollBarAsNeeded if lines > _LINES else policy.ScrollBarAlwaysOff
        )
        self.setFixedHeight(max(height, _BUTTON))


class Composer(QWidget):
    """What is answered or changed, text box, emoji, send button, and the reason when a message was not taken.

    Args:
        theme: Colours and fonts.
        speller: Gives what knows how words are spelt, when the first one is typed.
    """

    submitted = Signal(str)
    """The text to send; it stays in the box until `sent` or `refused` is called."""
    typed = Signal()
    """The text, or what it answers, is another one by the hand of the person."""
    last_asked = Signal()
    """The last message of ours shall be changed."""
    files_asked = Signal()
    """The person wants to choose files to send."""
    folder_asked = Signal()
    """The person wants to choose a folder to send."""

    def __init__(self, theme: Theme, speller: "Callable[[], Speller]") -> None:
        super().__init__()
        self._theme, self._speller = theme, speller
        self._waiting = ""
        self._before = ""
        self._shown = ""
        self._loading = False
        self.bar = ComposeBar(theme)
        self.bar.closed.connect(self.leave_bar)
        self._text = MessageText(_("Write a message"))
        self._text.send_asked.connect(self._submit)
        self._text.textChanged.connect(self._on_changed)
        self._text.up_asked.connect(self.last_asked)
        self._text.menu_asked.connect(self._on_menu)
        self._text.next_asked.connect(self._on_next)
        self.attach_button = IconButton(theme, "clip", _("Send files"), size=22)
        self.attach_button.setFixedSize(_BUTTON, _BUTTON)
        self.attach_button.clicked.connect(self._on_attach)
        self.emoji_button = IconButton(theme, "smile", _("Choose an emoji"), size=22)
        self.emoji_button.setFixedSize(_BUTTON, _BUTTON)
        self.emoji_button.clicked.connect(self._on_emoji)
        self._send = IconButton(theme, "send", _("Send"), size=22, color="on_accent", kind="primary")
        self._send.setFixedSize(_BUTTON, _BUTTON)
        self._send.clicked.connect(self._submit)
        self._hint = label("", "small", wrap=True)
        self._error = label("", "error", wrap=True)
        row = QHBoxLayout()
        row.setSpacing(SPACE["s"])
        row.addWidget(self.attach_button, 0, Qt.AlignmentFlag.AlignBottom)
        row.addWidget(self._text, 1)
        row.addWidget(self.emoji_button, 0, Qt.AlignmentFlag.AlignBottom)
        row.addWidget(self._send, 0, Qt.AlignmentFlag.AlignBottom)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE["l"], SPACE["m"], SPACE["l"], SPACE["m"])
        column.setSpacing(SPACE["s"])
        column.addWidget(self._hint)
        column.addWidget(self.bar)
        column.addLayout(row)
        column.addWidget(self._error)
        for before, after in pairwise(
            (self.bar.close_button, self._text, self.attach_button, self.emoji_button, self._send)
        ):
            QWidget.setTabOrder(before, after)
        self._hint.hide()
        self._error.hide()
        self._send.setEnabled(False)

    def setFocus(  # noqa: N802 -- Qt's name
        self, reason: Qt.FocusReason = Qt.FocusReason.OtherFocusReason
    ) -> None:
        """Put the cursor into the text box; a focus proxy would make Tab pass over what stands above it."""
        self._text.setFocus(reason)

    @property
    def box(self) -> MessageText:
        """The text box."""
        return self._text

    @cached_property
    def spelling(self) -> "SpellBox":
        """The spelling of what is written; loaded when it is first needed."""
        from messenger.gui.spell_box import SpellBox

        return SpellBox(self._text, self._theme, self._speller())

    def text(self) -> str:
        """What is written."""
        return self._text.toPlainText()

    def error(self) -> str:
        """The reason why the last message was not taken, or nothing."""
        return "" if self._error.isHidden() else self._error.text()

    def load(self, draft: str) -> None:
        """Begin with a text, for another conversation."""
        self._waiting = ""
        self.bar.clear()
        self._fill(draft)

    def begin_reply(self, message: Message, author: str) -> None:
        """Answer a message with what is written and will be written.

        Args:
            message: Which.
            author: Who wrote it, as shown.
        """
        self.leave_edit()
        self.bar.show_reply(message, author)
        self._text.setFocus()
        self.typed.emit()

    def begin_edit(self, message: Message) -> None:
        """Change a message of ours; what was written until now comes back afterwards."""
        if self.bar.editing is None:
            self._before = self.text()
        self.bar.show_edit(message)
        self._fill(message.text)
        self._text.setFocus()

    def leave_edit(self) -> None:
        """Do not change a message any more."""
        if self.bar.editing is not None:
            self.bar.clear()
            self._waiting = ""
            self._fill(self._before)

    @Slot()
    def leave_bar(self) -> bool:
        """Answer or change nothing; whether something was."""
        if self.bar.isHidden():
            return False
        if self.bar.editing is not None:
            self.leave_edit()
        else:
            self.bar.clear()
            self.typed.emit()
        self._text.setFocus()
        return True

    def hint(self, text: str) -> None:
        """Say something above the box; nothing hides it."""
        self._hint.setText(text)
        self._hint.setVisible(bool(text))

    def sent(self) -> None:
        """The text is safe on disk: take it out of the box, not what was typed since."""
        left = self.text().removeprefix(self._waiting) if self._waiting else self.text()
        self.load(left)
        self._text.setFocus()

    def edited(self) -> None:
        """The change is safe on disk: what was written before comes back."""
        self.leave_edit()
        self._text.setFocus()

    def refused(self, error: BaseException) -> None:
        """The text was not taken: say why and leave it."""
        self._waiting = ""
        self._error.setText(explain(error))
        self._error.show()
        self._text.setFocus()

    @Slot(int, QPoint, bool)
    def _on_menu(self, place: int, at: QPoint, by_key: bool) -> None:
        self.spelling.open_menu(place, at, by_key)

    @Slot()
    def _on_next(self) -> None:
        self.spelling.go_on()

    @Slot()
    def _submit(self) -> None:
        text = self.text()
        if text.strip() and not self._waiting:
            self._waiting = text
            self.submitted.emit(text)

    @Slot()
    def _on_changed(self) -> None:
        text = self.text()
        if text == self._shown and not self._loading:
            return  # words were marked
        self._shown = text
        self._error.hide()
        self._send.setEnabled(bool(text.strip()))
        if not self._loading:
            self.typed.emit()
            self.spelling.wake()

    def _fill(self, text: str) -> None:
        self._loading = True
        self._text.setPlainText(text)
        self._loading = False
        self._text.moveCursor(self._text.textCursor().MoveOperation.End)

    def attach_menu(self) -> QMenu:
        """What can be sent beside text; deletes itself when closed."""
        entries = (
            Entry("file", _("Files…"), self.files_asked.emit),
            Entry("folder", _("Folder…"), self.folder_asked.emit),
        )
        return menu_of(self, self._theme, _("Send files"), entries)

    @Slot()
    def _on_attach(self) -> None:
        menu = self.attach_menu()
        menu.popup(self.attach_button.mapToGlobal(QPoint(0, -menu.sizeHint().height())))

    @Slot()
    def _on_emoji(self) -> None:
        from messenger.gui.emoji_picker import EmojiPicker

        picker = EmojiPicker(self, self._theme)
        picker.picked.connect(self.write)
        button = self.emoji_button
        picker.open_at(QRect(button.mapToGlobal(button.rect().topLeft()), button.size()))

    @Slot(str)
    def write(self, text: str) -> None:
        """Insert something where the cursor is, and go on there."""
        self._text.insertPlainText(text)
        self._text.setFocus()
