"""What every key does."""

from typing import Final

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QGridLayout, QScrollArea, QVBoxLayout, QWidget

from messenger.gui.sheet import Sheet
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import label
from messenger.text import _

_SIZE: Final = (560, 600)

KEYS: Final[tuple[tuple[str, tuple[tuple[str, str], ...]], ...]] = (
    (
        _("While writing"),
        (
            ("Return", _("Send, or break the line, as the settings say")),
            ("Shift+Return", _("Break the line")),
            ("Up", _("Change the last message, if nothing is written")),
            ("F7", _("Next word that may be misspelt")),
            ("Menu", _("Suggestions for the word, and what every text box has; also Shift+F10")),
            ("Esc", _("Leave the answer or the change")),
        ),
    ),
    (
        _("In the messages"),
        (
            ("Up", _("Message above; Down: message below")),
            ("Menu", _("Menu of the message; also Shift+F10")),
            ("R", _("Reply; also Enter")),
            ("+", _("React")),
            ("E", _("Change a message of yours")),
            ("I", _("What became of it")),
            ("Tab", _("Buttons of files, or Try again, one after the other; Enter presses")),
            ("Del", _("Delete")),
            ("Ctrl+C", _("Copy what is selected")),
        ),
    ),
    (
        _("In other places"),
        (
            ("Menu", _("Menu of the conversation, in the list; also Shift+F10")),
            ("Ctrl+W", _("Close the window of a single conversation")),
            ("Ctrl+E", _("Show or hide the passphrase that is typed")),
        ),
    ),
)
"""Keys that belong to one place, by place."""


class ShortcutsSheet(Sheet):
    """Two columns: keys, and what they do.

    Args:
        parent: The window.
        theme: Colours and fonts.
        actions: What can be done from anywhere.
    """

    def __init__(self, parent: QWidget, theme: Theme, actions: list[QAction]) -> None:
        super().__init__(parent, theme, _("Keyboard shortcuts"), fills=True)
        anywhere = tuple(
            (keys.toString(), action.text().rstrip("…")) for action in actions for keys in action.shortcuts()
        )
        inner = QWidget()
        inner.setObjectName("scrolled")
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, SPACE["m"], 0)
        column.setSpacing(SPACE["m"])
        self.lines: list[str] = []
        for title, keys in ((_("Anywhere"), anywhere), *KEYS):
            column.addWidget(label(title, "title"))
            column.addLayout(self._table(keys))
        column.addStretch(1)
        area = QScrollArea()
        area.setWidgetResizable(True)
        area.setWidget(inner)
        area.setAccessibleName(_("Keyboard shortcuts"))
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.body.addWidget(area)
        self.close_button = self.add_button(_("Close"), "primary")
        self.close_button.clicked.connect(self.accept)
        self.resize(*_SIZE)

    def _table(self, keys: tuple[tuple[str, str], ...]) -> QGridLayout:
        table = QGridLayout()
        table.setHorizontalSpacing(SPACE["l"])
        table.setVerticalSpacing(SPACE["s"])
        table.setColumnMinimumWidth(0, 130)
        for line, (key, words) in enumerate(keys):
            shown = QKeySequence(key).toString(QKeySequence.SequenceFormat.NativeText) or key
            cap = label(shown, "key")
            cap.setAccessibleName(f"{shown}: {words}")
            self.lines.append(f"{shown}: {words}")
            table.addWidget(cap, line, 0, Qt.AlignmentFlag.AlignLeading)
            table.addWidget(label(words, wrap=True), line, 1)
        table.setColumnStretch(1, 1)
        return table
