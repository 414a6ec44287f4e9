"""Small controls of one look: labels by role, buttons by kind, icon buttons that follow the theme."""

from PySide6.QtCore import QLocale, QSize, Qt, Signal, Slot
from PySide6.QtGui import QIcon, QIntValidator, QKeyEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QLabel,
    QLineEdit,
    QMainWindow,
    QPushButton,
    QSizePolicy,
    QStyle,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from messenger.core.ids import Fingerprint, format_fingerprint
from messenger.gui import icons
from messenger.gui.theme import Theme

_GROUPS_PER_LINE = 7


def label(
    text: str = "", role: str = "body", *, wrap: bool = False, select: bool = False, title: str = ""
) -> QLabel:
    """A text in one of the roles of the style sheet; always plain text, whatever it holds.

    Args:
        text: What it says.
        role: ``body``, ``heading``, ``title``, ``strong``, ``muted``, ``small``, ``error`` and so on.
        wrap: Whether long text takes several lines.
        select: Whether it can be selected and copied.
        title: What it is, said before the text to those who do not see where it stands.
    """
    result = TitledLabel(title) if title else QLabel()
    result.setText(text)
    result.setTextFormat(Qt.TextFormat.PlainText)
    result.setProperty("role", role)
    result.setWordWrap(wrap)
    if wrap:
        # Not Minimum: it keeps room for the lines of a narrow label, and dialogs too high.
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        result.setSizePolicy(policy)
    if select:
        result.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
    return result


def button(text: str, kind: str = "plain") -> QPushButton:
    """A push button.

    Args:
        text: What it says, with ``&`` before its access key.
        kind: ``plain``, ``primary``, ``danger`` or ``quiet``.
    """
    result = QPushButton(text)
    result.setProperty("kind", kind)
    result.setAutoDefault(kind == "primary")
    return result


def press_by_enter(event: QKeyEvent, used: QWidget | None) -> bool:
    """Press the button that has the cursor, if a key is Enter alone; Qt lets only Space do that.

    Args:
        event: A key that nothing has taken.
        used: What has the cursor.

    Returns:
        Whether it was Enter on such a button; those that stay down or switch something are left to Space.
    """
    plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    if event.key() not in {Qt.Key.Key_Return, Qt.Key.Key_Enter} or not plain:
        return False
    if not isinstance(used, QPushButton | QToolButton) or used.isCheckable():
        return False
    used.click()
    return True


class Window(QMainWindow):
    """A window in which Enter presses the button that has the cursor, as in dialogs."""

    def keyPressEvent(self, event: QKeyEvent) -> None:  # noqa: N802 -- Qt's name
        """Enter on a button, which Qt leaves to Space; everything else as in any window."""
        if not press_by_enter(event, self.focusWidget()):
            super().keyPressEvent(event)


def set_role(widget: QWidget, name: str, value: str) -> None:
    """Change a property that the style sheet selects by, and dress the widget anew.

    Args:
        widget: Any widget.
        name: The property.
        value: Its new value.
    """
    if widget.property(name) == value:
        return
    widget.setProperty(name, value)
    style: QStyle = widget.style()
    style.unpolish(widget)
    style.polish(widget)


def fingerprint_text(fingerprint: Fingerprint) -> str:
    """A fingerprint in two lines of seven groups."""
    groups = format_fingerprint(fingerprint).split(" ")
    lines = (groups[start : start + _GROUPS_PER_LINE] for start in range(0, len(groups), _GROUPS_PER_LINE))
    return "\n".join("  ".join(line) for line in lines)


class TitledLabel(QLabel):
    """A text that a screen reader says together with what it is.

    Args:
        title: What it is.
    """

    def __init__(self, title: str) -> None:
        super().__init__()
        self._title = title

    def setText(self, text: str) -> None:  # noqa: N802 -- Qt's name
        """Show a text."""
        super().setText(text)
        self.setAccessibleName(f"{self._title}: {' '.join(text.split())}" if text else self._title)


class ElidedLabel(QLabel):
    """One line that ends in an ellipsis where there is no room for all of it; the tool tip has the rest.

    Args:
        role: As in `label`.
    """

    def __init__(self, role: str) -> None:
        super().__init__()
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", role)

    def minimumSizeHint(self) -> QSize:  # noqa: N802 -- Qt's name
        """It can be narrow."""
        return QSize(0, super().minimumSizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Draw what there is room for."""
        shown = self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideRight, self.width())
        self.setToolTip("" if shown == self.text() else self.text())
        painter = QPainter(self)
        side = Qt.AlignmentFlag.AlignLeading | Qt.AlignmentFlag.AlignVCenter
        self.style().drawItemText(
            painter, self.rect(), int(side), self.palette(), self.isEnabled(), shown, self.foregroundRole()
        )


class NumberField(QLineEdit):
    """A field for a whole number.

    Args:
        title: What it is.
        least: Smallest number.
        most: Largest number.
    """

    changed = Signal(int)
    """The person entered a number within the bounds, with Enter or by leaving the field."""

    def __init__(self, title: str, least: int, most: int) -> None:
        super().__init__()
        self.setAccessibleName(title)
        digits = QLocale.c()
        digits.setNumberOptions(QLocale.NumberOption.RejectGroupSeparator)
        validator = QIntValidator(least, most, self)
        validator.setLocale(digits)
        self.setValidator(validator)
        self.setMaxLength(len(str(most)))
        self.setFixedWidth(96)
        self.editingFinished.connect(self._on_finished)

    def value(self) -> int:
        """The number; 0 while there is none."""
        return int(self.text() or "0")

    def show_value(self, value: int) -> None:
        """Show a number without emitting `changed`."""
        self.setText(str(value))

    @Slot()
    def _on_finished(self) -> None:
        self.changed.emit(self.value())


class FittingStack(QWidget):
    """Pages of which one is shown, and only that one decides how high the whole is."""

    def __init__(self) -> None:
        super().__init__()
        self._pages: list[QWidget] = []
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)

    def addWidget(self, page: QWidget) -> None:  # noqa: N802 -- as in QStackedWidget
        """Add a page; the first is shown."""
        self._pages.append(page)
        self._column.addWidget(page)
        page.setVisible(len(self._pages) == 1)

    def currentWidget(self) -> QWidget:  # noqa: N802 -- as in QStackedWidget
        """The page that is shown."""
        return next(page for page in self._pages if not page.isHidden())

    def setCurrentWidget(self, page: QWidget) -> None:  # noqa: N802 -- as in QStackedWidget
        """Show a page."""
        for other in self._pages:
            other.setVisible(other is page)


class IconButton(QToolButton):
    """A button that is only a picture; its name is its tool tip and what screen readers say.

    Args:
        theme: Where its colour comes from.
        name: The icon.
        title: What it does.
        size: Edge of the icon in pixels.
        color: The token of its colour.
        kind: ``plain``, ``primary`` or ``round``.
    """

    def __init__(
        self,
        theme: Theme,
        name: str,
        title: str,
        *,
        size: int = 20,
        color: str = "muted",
        kind: str = "plain",
    ) -> None:
        super().__init__()
        self._theme, self._icon, self._color = theme, name, color
        self.setProperty("kind", kind)
        self.setIconSize(QSize(size, size))
        self.setToolTip(title)
        self.setAccessibleName(title)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        theme.changed.connect(self._dress)
        self._dress()

    def show_icon(self, name: str, title: str, color: str | None = None) -> None:
        """Become another button.

        Args:
            name: The icon.
            title: What it does.
            color: The token of its colour; None keeps it.
        """
        self._icon, self._color = name, color or self._color
        self.setToolTip(title)
        self.setAccessibleName(title)
        self._dress()

    @Slot()
    def _dress(self) -> None:
        colors = self._theme.colors
        drawn = icons.icon(self._icon, colors[self._color], self.iconSize().width(), colors["muted"])
        self.setIcon(drawn)


class IconLabel(QLabel):
    """A picture in the text colour of a token; without an accessible name it is an ornament beside words.

    Args:
        theme: Where its colour comes from.
        name: The icon.
        color: The token of its colour.
        size: Edge in pixels.
    """

    def __init__(self, theme: Theme, name: str, color: str = "muted", size: int = 20) -> None:
        super().__init__()
        self._theme, self._icon, self._color, self._size = theme, name, color, size
        self.setFixedSize(size, size)
        theme.changed.connect(self._dress)
        self._dress()

    def show_icon(self, name: str, color: str) -> None:
        """Become another picture.

        Args:
            name: The icon.
            color: The token of its colour.
        """
        self._icon, self._color = name, color
        self._dress()

    def setAccessibleName(self, name: str) -> None:  # noqa: N802 -- Qt's name
        """Say what it means: from now on it is a picture to a screen reader too."""
        super().setAccessibleName(name)
        self._dress()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002, N802 -- Qt's name
        """Draw it."""
        QPainter(self).drawPixmap(0, 0, self._drawn)

    @Slot()
    def _dress(self) -> None:
        color = self._theme.colors[self._color].name()
        self._drawn = icons.pixmap(self._icon, color, self._size, self.devicePixelRatioF())
        if self.accessibleName():
            self.setPixmap(self._drawn)  # which makes it a picture to a screen reader
        else:
            self.clear()
        self.update()


def menu_icon(theme: Theme, name: str, color: str = "muted") -> QIcon:
    """The picture beside an entry of a menu that is made when it is opened."""
    return icons.icon(name, theme.colors[color], 18)
