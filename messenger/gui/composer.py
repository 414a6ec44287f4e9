"""Where a message is written."""

import math
from typing import Final

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QTextOption
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import IconButton, label
from messenger.text import _, explain

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
    """Text box, send button, and the reason when a message was not taken.

    Args:
        theme: Colours and fonts.
    """

    submitted = Signal(str)
    """The text to send; it stays in the box until `sent` or `refused` is called."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._waiting = ""
        self._text = MessageText(_("Write a message"))
        self._text.send_asked.connect(self._submit)
        self._text.textChanged.connect(self._on_changed)
        self._send = IconButton(theme, "send", _("Send"), size=22, color="on_accent", kind="primary")
        self._send.setFixedSize(_BUTTON, _BUTTON)
        self._send.clicked.connect(self._submit)
        self._hint = label("", "small", wrap=True)
        self._error = label("", "error", wrap=True)
        row = QHBoxLayout()
        row.setSpacing(SPACE["s"])
        row.addWidget(self._text, 1)
        row.addWidget(self._send, 0, Qt.AlignmentFlag.AlignBottom)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE["l"], SPACE["m"], SPACE["l"], SPACE["m"])
        column.setSpacing(SPACE["s"])
        column.addWidget(self._hint)
        column.addLayout(row)
        column.addWidget(self._error)
        self.setFocusProxy(self._text)
        self._hint.hide()
        self._error.hide()
        self._on_changed()

    @property
    def box(self) -> MessageText:
        """The text box."""
        return self._text

    def text(self) -> str:
        """What is written."""
        return self._text.toPlainText()

    def error(self) -> str:
        """The reason why the last message was not taken, or nothing."""
        return "" if self._error.isHidden() else self._error.text()

    def load(self, draft: str) -> None:
        """Begin with a text, for another conversation."""
        self._waiting = ""
        self._text.setPlainText(draft)
        self._text.moveCursor(self._text.textCursor().MoveOperation.End)

    def hint(self, text: str) -> None:
        """Say something above the box; nothing hides it."""
        self._hint.setText(text)
        self._hint.setVisible(bool(text))

    def sent(self) -> None:
        """The text is safe on disk: take it out of the box, not what was typed since."""
        left = self.text().removeprefix(self._waiting) if self._waiting else self.text()
        self.load(left)
        self._text.setFocus()

    def refused(self, error: BaseException) -> None:
        """The text was not taken: say why and leave it."""
        self._waiting = ""
        self._error.setText(explain(error))
        self._error.show()
        self._text.setFocus()

    @Slot()
    def _submit(self) -> None:
        text = self.text()
        if text.strip() and not self._waiting:
            self._waiting = text
            self.submitted.emit(text)

    @Slot()
    def _on_changed(self) -> None:
        self._error.hide()
        self._send.setEnabled(bool(self.text().strip()))
