"""What somebody is about to send: names, how much, what is left out and why, and a text to go with it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QListWidget, QPlainTextEdit, QWidget

from messenger.core import limits, transfer_limits
from messenger.core.errors import InputError, InputProblem, SottoError
from messenger.core.file_choice import Choice
from messenger.core.ids import ConversationId
from messenger.gui.bridge import Bridge
from messenger.gui.pictures import Pictures
from messenger.gui.sheet import Sheet
from messenger.gui.theme import Theme
from messenger.gui.widgets import label
from messenger.text import _, choice_words, explain, left_out_words, ngettext

_WIDTH: Final = 480
_LIST: Final = 140
_TEXT: Final = 72


class SendSheet(Sheet):
    """Asks before files are sent. The engine walks through folders; meanwhile the sheet says so.

    Args:
        parent: The window.
        theme: Colours and fonts.
        bridge: The way to the engine.
        pictures: Makes the small picture that goes along.
        conversation: To whom.
        name: Their name.
        paths: Files and folders.
    """

    sent = Signal()
    """The offer is on disk."""

    def __init__(
        self,
        parent: QWidget,
        theme: Theme,
        bridge: Bridge,
        pictures: Pictures,
        conversation: ConversationId,
        name: str,
        paths: Sequence[Path],
    ) -> None:
        super().__init__(parent, theme, _("Send files"))
        self._bridge, self._pictures = bridge, pictures
        self._conversation, self._paths = conversation, list(paths)
        self._offered = False
        self.body.addWidget(label(_("Send files to {name}?").format(name=name), "title", wrap=True))
        self.amount = label(_("Looking at the files…"), "muted", wrap=True)
        self.body.addWidget(self.amount)
        self.names = _list(_("What is sent"))
        self.left_title = label("", "warning", wrap=True)
        self.left_out = _list(_("What is left out"))
        self.text = QPlainTextEdit()
        self.text.setPlaceholderText(_("Add a message"))
        self.text.setAccessibleName(_("A message to go with the files"))
        self.text.setTabChangesFocus(True)
        self.text.setFixedHeight(_TEXT)
        for part in (self.names, self.left_title, self.left_out, self.text):
            self.body.addWidget(part)
        self.left_title.hide()
        self.left_out.hide()
        self.cancel_button = self.add_button(_("Cancel"))
        self.cancel_button.clicked.connect(self.reject)
        self.send_button = self.add_button(_("Send"), "primary")
        self.send_button.setEnabled(False)
        self.send_button.clicked.connect(self._on_send)
        self.setMinimumWidth(_WIDTH)
        self.run(self._look(), "look at files")

    async def _look(self) -> None:
        try:
            choice = await self._bridge.call(self._bridge.engine.look_at_files, self._paths)
        except SottoError as e:
            self.amount.setText(explain(e))
            return
        self._show(choice)

    def _show(self, choice: Choice) -> None:
        if not choice.tops:
            self.amount.setText(_("Nothing of this can be sent."))
        else:
            self.amount.setText(choice_words(choice))
        self.names.addItems(list(choice.names))
        if choice.tops > len(choice.names):
            more = choice.tops - len(choice.names)
            self.names.addItem(ngettext("and {n} more", "and {n} more", more).format(n=more))
        _shrink(self.names)
        if choice.left_out:
            count = len(choice.left_out)
            words = ngettext("{n} thing is left out:", "{n} things are left out:", count)
            self.left_title.setText(words.format(n=count))
            shown = choice.left_out[: transfer_limits.NAMES_SHOWN]
            self.left_out.addItems([left_out_words(left) for left in shown])
            _shrink(self.left_out)
            self.left_title.show()
            self.left_out.show()
        self.send_button.setEnabled(bool(choice.tops))
        if choice.tops:
            self.send_button.setFocus()
        self.fit()

    @Slot()
    def _on_send(self) -> None:
        self.send_button.setEnabled(False)
        self.run(self._send(), "offer files")

    async def _send(self) -> None:
        engine, call = self._bridge.engine, self._bridge.call
        text = self.text.toPlainText()
        try:
            if len(text.encode("utf-8", "replace")) > limits.TEXT_MAX:
                raise InputError(InputProblem.TOO_LONG, str(limits.TEXT_MAX))
            if not self._offered:
                thumbnail = await self._pictures.thumbnail_of(self._paths)
                await call(engine.offer_files, self._conversation, self._paths, thumbnail)
                self._offered = True  # if only the text was refused, the files do not go twice
            if text.strip():
                await call(engine.send_text, self._conversation, text)
        except SottoError as e:
            self.notice.error(e)
            self.send_button.setEnabled(True)
            self.fit()
            return
        self.sent.emit()
        self.accept()


def _list(title: str) -> QListWidget:
    result = QListWidget()
    result.setAccessibleName(title)
    result.setObjectName("backups")
    result.setMaximumHeight(_LIST)
    return result


def _shrink(part: QListWidget) -> None:
    """No higher than its lines need."""
    height = sum(part.sizeHintForRow(row) for row in range(min(part.count(), 6)))
    part.setFixedHeight(min(height + 2 * part.frameWidth() + 4, _LIST))
