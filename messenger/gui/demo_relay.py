"""The relay of the demonstration in a window of its own: everything that it sees, as it passes."""

import json

from PySide6.QtWidgets import QVBoxLayout, QWidget

from messenger.demo.relay_process import RelayProcess
from messenger.gui.relay_monitor import TrafficModel, TrafficView
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import label
from messenger.text import demo as words


class RelayWindow(QWidget):
    """Shows what a relay prints.

    Args:
        theme: Colours and fonts.
    """

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self.setObjectName("page")
        self.setWindowTitle(words.RELAY_WINDOW)
        self.model = TrafficModel()
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE["m"], SPACE["s"], SPACE["m"], SPACE["m"])
        column.setSpacing(SPACE["s"])
        column.addWidget(label(words.RELAY_SEES, "muted", wrap=True))
        column.addWidget(TrafficView(theme, self.model), 1)

    def watch(self, relay: RelayProcess) -> None:
        """Show what it prints from now on."""
        relay.on_line = self._add

    def _add(self, line: str) -> None:
        if line.startswith("{"):
            self.model.add((json.loads(line),))
