"""What a hosted relay sees, as rows that run by."""

import time
from typing import Any, Final

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView

from messenger.core import relay_limits
from messenger.gui.theme import Theme
from messenger.text import hosting

_WIDTHS: Final = (96, 184, 184, 104)
_ROW: Final = 24

Index = QModelIndex | QPersistentModelIndex
Row = tuple[str, ...]


class TrafficModel(QAbstractTableModel):
    """The last `relay_limits.TRAFFIC_ROWS` lines of a relay, oldest first."""

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[Row] = []

    def add(self, lines: tuple[dict[str, Any], ...]) -> None:
        """Show more lines; the oldest go."""
        rows = [_row(line) for line in lines if line.get("event") != "watching"][-relay_limits.TRAFFIC_ROWS :]
        if not rows:
            return
        over = len(self._rows) + len(rows) - relay_limits.TRAFFIC_ROWS
        if over > 0:
            self.beginRemoveRows(QModelIndex(), 0, over - 1)
            del self._rows[:over]
            self.endRemoveRows()
        first = len(self._rows)
        self.beginInsertRows(QModelIndex(), first, first + len(rows) - 1)
        self._rows += rows
        self.endInsertRows()

    def rowCount(self, parent: Index | None = None) -> int:  # noqa: N802 -- Qt's name
        """How many lines there are."""
        return 0 if parent is not None and parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index | None = None) -> int:  # noqa: N802 -- Qt's name
        """Time, from, to, size, content."""
        return 0 if parent is not None and parent.isValid() else len(hosting.COLUMNS)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: ANN401 -- Qt's
        """The words of a cell."""
        if role in {Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole}:
            return self._rows[index.row()][index.column()]
        return None

    def headerData(  # noqa: N802 -- Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:  # noqa: ANN401 -- Qt's
        """What a column is."""
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return hosting.COLUMNS[section]
        return None


class TrafficView(QTableView):
    """The rows; it stays at the newest unless the person has scrolled back.

    Args:
        theme: Colours and fonts.
        model: The rows.
    """

    def __init__(self, theme: Theme, model: TrafficModel) -> None:
        super().__init__()
        self._follows, self._theme = True, theme
        self.setObjectName("traffic")
        self.setModel(model)
        self.setAccessibleName(hosting.ABOUT)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setFont(theme.font("code"))
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW)
        header = self.horizontalHeader()
        header.setStretchLastSection(True)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        for column, width in enumerate(_WIDTHS):
            self.setColumnWidth(column, width)
        model.rowsAboutToBeInserted.connect(self._before)
        model.rowsInserted.connect(self._after)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802 -- Qt's name
        """Say so while there is nothing."""
        super().paintEvent(event)
        if not self.model().rowCount():
            painter = QPainter(self.viewport())
            painter.setFont(self._theme.font())
            painter.setPen(self._theme.colors["muted"])
            painter.drawText(self.viewport().rect(), Qt.AlignmentFlag.AlignCenter, hosting.QUIET)

    def _before(self) -> None:
        bar = self.verticalScrollBar()
        self._follows = bar.value() >= bar.maximum() - 1

    def _after(self) -> None:
        if self._follows:
            self.scrollToBottom()


def _row(line: dict[str, Any]) -> Row:
    moment = line.get("time")
    shown = time.strftime("%H:%M:%S", time.localtime(moment)) if isinstance(moment, int | float) else ""
    return shown, *hosting.traffic(line)
