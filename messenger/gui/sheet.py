"""What all dialogs have in common, and the small ones that only ask or show one thing."""

from collections.abc import Coroutine
from typing import Any

from PySide6.QtCore import SIGNAL, QEvent, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from messenger.core import limits
from messenger.core.ids import MessageId
from messenger.gui.notice import Notice
from messenger.gui.reading import in_order, takes_tab
from messenger.gui.tasks import Tasks
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import button, label, press_by_enter
from messenger.text import _


class Sheet(QDialog):
    """A dialog over one window: title, contents, a bar for errors, buttons. Closing ends what it started.

    Args:
        parent: The window.
        theme: Colours and fonts.
        title: What it is about.
        fills: Whether the contents take all the height there is; otherwise the dialog is as high as they are.
    """

    def __init__(self, parent: QWidget, theme: Theme, title: str, *, fills: bool = False) -> None:
        super().__init__(parent)
        self.theme, self._fills = theme, fills
        self.about: MessageId | None = None
        """The message that it shows, if it shows one: it closes when that disappears."""
        self.setWindowTitle(title)
        self.setWindowModality(Qt.WindowModality.WindowModal)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._held: set[QWidget] = set()
        self.notice = Notice(theme)
        self.tasks = Tasks(self.notice.error)
        self.finished.connect(self._on_finished)
        column = QVBoxLayout(self)
        column.setContentsMargins(SPACE["xl"], SPACE["xl"], SPACE["xl"], SPACE["l"])
        column.setSpacing(SPACE["l"])
        self.body = QVBoxLayout()
        self.body.setSpacing(SPACE["m"])
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(SPACE["s"])
        self._buttons.addStretch(1)
        column.addLayout(self.body, 1 if fills else 0)
        column.addWidget(self.notice)
        if not fills:
            column.addStretch(1)
        column.addLayout(self._buttons)

    def add_button(self, words: str, kind: str = "plain", *, enter: bool = True) -> QPushButton:
        """Add a button at the end of the row of buttons.

        Args:
            words: What it says.
            kind: As in `widgets.button`.
            enter: Whether Enter presses a primary button; not where Enter confirms what stands in a field.
        """
        result = button(words, kind)
        result.setAutoDefault(result.autoDefault() and enter)
        self._buttons.addWidget(result)
        return result

    def run(self, work: Coroutine[Any, Any, Any], name: str) -> None:
        """Start something whose errors are shown in this dialog and that ends with it.

        Args:
            work: The coroutine.
            name: What it does, for the log.
        """
        self.notice.clear()
        self.tasks.start(work, name=name)

    def hold(self, *parts: QWidget) -> None:
        """Let nobody use controls that do not show yet what holds: what is chosen there would be lost.

        Args:
            parts: Until they are given to `free`.
        """
        self._held.update(parts)
        for part in parts:
            part.setEnabled(False)

    def free(self, *parts: QWidget) -> None:
        """Controls show what holds, and can be used. Those that were not held stay as they are."""
        before = self._first_stop()
        for part in self._held.intersection(parts):
            part.setEnabled(True)
        self._held.difference_update(parts)
        first = self._first_stop()
        if first is not before and self.focusWidget() in {None, before} and first is not None:
            first.setFocus()  # the cursor stands there because this was not ready

    def _first_stop(self) -> QWidget | None:
        """Where Tab leads first."""
        return next((part for part in in_order(self) if takes_tab(part)), None)

    def fit(self) -> None:
        """Become as high as the contents need; never lower than before, so that nothing jumps."""
        layout = self.layout()
        if layout is not None and not self._fills:
            layout.activate()
            width = max(self.width(), self.minimumWidth(), layout.totalMinimumSize().width())
            needed = max(layout.totalHeightForWidth(width), self.minimumHeight())
            self.resize(width, max(needed, self.height()) if self.isVisible() else needed)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802 -- Qt's name
        """Take the right height."""
        self.fit()
        super().showEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Enter does what has the cursor, else presses the one button of this dialog.

        Qt would press the first default button that it finds, those of dialogs above this one included, and
        after a field has used the key already: wrong digits and Enter would end in "They are the same".
        """
        plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.key() not in {Qt.Key.Key_Return, Qt.Key.Key_Enter} or not plain:
            super().keyPressEvent(event)
            return
        used = self.focusWidget()
        if not press_by_enter(event, used) and not _uses_enter(used):
            for part in self.findChildren(QPushButton):
                if part.isDefault() and part.isVisible() and part.window() is self:
                    part.click()
                    break

    def focusNextPrevChild(self, forward: bool) -> bool:  # noqa: N802 -- Qt's name and signature
        """Tab goes through what is there in the order of reading, whenever it was put in."""
        places = list(in_order(self))
        stops = [part for part in places if takes_tab(part)]
        if not stops:
            return False
        now = self.focusWidget()
        at = places.index(now) if now in places else -1
        if forward:
            later = [part for part in stops if places.index(part) > at]
            (later or stops)[0].setFocus(Qt.FocusReason.TabFocusReason)
        else:
            before = [part for part in stops if places.index(part) < at]
            (before or stops)[-1].setFocus(Qt.FocusReason.BacktabFocusReason)
        return True

    def event(self, event: QEvent) -> bool:
        """Contents that want more room get it."""
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest and self.isVisible():
            self.fit()
        return done

    @Slot()
    def _on_finished(self) -> None:
        self.tasks.close()


def _uses_enter(part: QWidget | None) -> bool:
    """Whether Enter already did something in a field or list."""
    if isinstance(part, QLineEdit):
        return part.receivers(SIGNAL("returnPressed()")) > 0
    return isinstance(part, QAbstractItemView) and part.currentIndex().isValid()


class ConfirmSheet(Sheet):
    """Asks before something that cannot be taken back.

    Args:
        parent: The window.
        theme: Colours and fonts.
        title: What is about to happen, as a question.
        words: What it means.
        action: What the button says.
    """

    def __init__(self, parent: QWidget, theme: Theme, title: str, words: str, action: str) -> None:
        super().__init__(parent, theme, title)
        self.body.addWidget(label(title, "title", wrap=True))
        self.body.addWidget(label(words, "muted", wrap=True))
        self.cancel_button = self.add_button(_("Cancel"))
        self.action_button = self.add_button(action, "danger")
        self.cancel_button.clicked.connect(self.reject)
        self.action_button.clicked.connect(self.accept)
        self.cancel_button.setFocus()
        self.setMinimumWidth(400)


class RenameSheet(Sheet):
    """Asks for the name that we give somebody.

    Args:
        parent: The window.
        theme: Colours and fonts.
        name: The name that they give themselves.
        alias: The name that we give them so far, or nothing.
    """

    renamed = Signal(str)

    def __init__(self, parent: QWidget, theme: Theme, name: str, alias: str) -> None:
        super().__init__(parent, theme, _("Rename"))
        words = _("Only you see this name. Leave it empty to use the name they chose: {name}")
        self.field = QLineEdit(alias)
        self.field.setMaxLength(limits.NAME_MAX)
        self.field.setPlaceholderText(name)
        self.field.setAccessibleName(_("Your name for them"))
        self.body.addWidget(label(_("What do you call them?"), "title"))
        self.body.addWidget(label(words.format(name=name or "?"), "muted", wrap=True))
        self.body.addWidget(self.field)
        self.add_button(_("Cancel")).clicked.connect(self.reject)
        self.save_button = self.add_button(_("Save"), "primary")
        self.save_button.clicked.connect(self._on_save)
        self.setMinimumWidth(400)

    @Slot()
    def _on_save(self) -> None:
        self.renamed.emit(self.field.text())
        self.accept()


class TextSheet(Sheet):
    """Shows the whole of a long message.

    Args:
        parent: The window.
        theme: Colours and fonts.
        author: Who wrote it.
        text: All of it.
    """

    def __init__(self, parent: QWidget, theme: Theme, author: str, text: str) -> None:
        super().__init__(parent, theme, author, fills=True)
        self.view = QPlainTextEdit(text)
        self.view.setObjectName("viewerText")
        self.view.setReadOnly(True)
        self.view.setTabChangesFocus(True)
        self.view.setAccessibleName(_("The whole message"))
        self.body.addWidget(self.view)
        close = self.add_button(_("Close"), "primary")
        close.clicked.connect(self.accept)
        self.resize(640, 560)
