"""What stands in a conversation in which nothing was written yet."""

from PySide6.QtCore import QEvent, QObject, Qt, Slot
from PySide6.QtWidgets import QLabel, QListView

from messenger.gui.theme import SPACE
from messenger.gui.timeline_model import TimelineModel
from messenger.gui.widgets import set_role
from messenger.text import _


class NoMessages(QLabel):
    """Words in the middle of an empty list of messages.

    Args:
        view: The list.
        model: The messages.
    """

    def __init__(self, view: QListView, model: TimelineModel) -> None:
        super().__init__(view.viewport())
        self._model, self._around = model, view.viewport()
        self.setText(_("No messages yet. Only the two of you can read what is written here."))
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.setWordWrap(True)
        self.setMargin(SPACE["xl"])
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        set_role(self, "role", "muted")
        self._around.installEventFilter(self)
        for changed in (model.modelReset, model.rowsInserted, model.rowsRemoved):
            changed.connect(self._look)
        self._look()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 -- Qt's name
        """Fill the list, whatever its size."""
        if event.type() is QEvent.Type.Resize and watched is self._around:
            self.setGeometry(self._around.rect())
        return False

    @Slot()
    def _look(self) -> None:
        self.setVisible(self._model.conversation is not None and self._model.rowCount() == 0)
