"""Colours, sizes and style sheet, all from resources/tokens.json.

Painting code asks `Theme.colors`; widgets are dressed by the one style sheet. When the system or the
person changes between light and dark, everything is filled in again and `changed` is emitted.
"""

import json
from string import Template
from typing import Any, Final

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QFontDatabase, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory

from messenger import assets
from messenger.core import settings
from messenger.gui.faces import Faces
from messenger.gui.zoom import NORMAL, Zoom

Choice = settings.Theme

_TOKENS: Final[dict[str, Any]] = json.loads(assets.read_text("tokens.json"))

SPACE: Final[dict[str, int]] = _TOKENS["space"]
"""Distances in pixels, steps of four."""
RADIUS: Final[dict[str, int]] = _TOKENS["radius"]
"""Corner radii in pixels."""
TYPE: Final[dict[str, int]] = _TOKENS["type"]
"""Text sizes in pixels."""
BUBBLE_WIDTH: Final[int] = _TOKENS["bubble"]["width"]
"""Widest bubble in pixels."""
BUBBLE_SHARE: Final[int] = _TOKENS["bubble"]["share"]
"""Widest bubble in percent of the pane."""
FILE: Final[dict[str, int]] = _TOKENS["file"]
"""Pixels of a card that shows files: its width, icon, the picture in it, buttons, bar, highest preview."""
BELOW: Final[dict[str, int]] = _TOKENS["below"]
"""Pixels of what stands below a bubble: chips, how far they reach into it, a button, the picture in it."""
AVATARS: Final[tuple[str, ...]] = tuple(_TOKENS["avatars"])
"""Colours behind initials; white stands out on each."""

_ROLES: Final = (
    (QPalette.ColorRole.Window, "window"),
    (QPalette.ColorRole.WindowText, "text"),
    (QPalette.ColorRole.Base, "field"),
    (QPalette.ColorRole.AlternateBase, "hover"),
    (QPalette.ColorRole.Text, "text"),
    (QPalette.ColorRole.Button, "field"),
    (QPalette.ColorRole.ButtonText, "text"),
    (QPalette.ColorRole.BrightText, "danger"),
    (QPalette.ColorRole.Highlight, "accent"),
    (QPalette.ColorRole.HighlightedText, "on_accent"),
    (QPalette.ColorRole.Link, "accent_text"),
    (QPalette.ColorRole.LinkVisited, "accent_text"),
    (QPalette.ColorRole.PlaceholderText, "muted"),
    (QPalette.ColorRole.ToolTipBase, "tooltip"),
    (QPalette.ColorRole.ToolTipText, "tooltip_text"),
    (QPalette.ColorRole.Mid, "line"),
    (QPalette.ColorRole.Accent, "accent"),
)


class Colors:
    """The colours of one scheme by their token names.

    Args:
        scheme: ``light`` or ``dark``.
    """

    def __init__(self, scheme: str) -> None:
        self.names: dict[str, str] = _TOKENS["colors"][scheme]
        self._colors = {name: QColor(value) for name, value in self.names.items()}

    def __getitem__(self, name: str) -> QColor:
        return self._colors[name]


class Theme(QObject):
    """Dresses one application, and says how.

    Args:
        app: The application to dress.
        choice: What the person chose.
        zoom: The size of everything that the application was made with, in percent.
    """

    changed = Signal()
    """Colours are different from now on."""

    def __init__(self, app: QApplication, choice: Choice = Choice.SYSTEM, zoom: int = NORMAL) -> None:
        super().__init__(app)
        self._app = app
        self._choice = choice
        self.faces = Faces(self)
        """Pictures of people."""
        self.zoom = Zoom(app, zoom)
        self.zoom.changed.connect(self.changed)  # pictures are drawn for the size of a pixel
        self._fonts: dict[tuple[str, bool], QFont] = {}
        app.setStyle(QStyleFactory.create("Fusion"))
        app.setFont(self.font())
        hints = app.styleHints()
        hints.colorSchemeChanged.connect(self._follow)
        self._dark = self._wants_dark()
        self.colors = Colors("dark" if self._dark else "light")
        self._dress()

    @property
    def dark(self) -> bool:
        """Whether the dark scheme is in use."""
        return self._dark

    def choose(self, choice: Choice) -> None:
        """Use what the person chose from now on."""
        self._choice = choice
        self._apply()

    def font(self, size: str = "body", *, bold: bool = False) -> QFont:
        """The font of the system in one of the sizes of the design; ``code`` has characters of one width.

        Args:
            size: A name of `TYPE`.
            bold: Whether it stands out.
        """
        font = self._fonts.get((size, bold))
        if font is None:
            kind = QFontDatabase.SystemFont
            font = QFontDatabase.systemFont(kind.FixedFont if size == "code" else kind.GeneralFont)
            font.setPixelSize(TYPE[size])
            font.setWeight(QFont.Weight.DemiBold if bold else QFont.Weight.Normal)
            self._fonts[size, bold] = font
        return font

    @Slot()
    def _follow(self) -> None:
        self._apply()

    def _apply(self) -> None:
        if self._wants_dark() == self._dark:
            return
        self._dark = not self._dark
        self.colors = Colors("dark" if self._dark else "light")
        self._dress()
        self.changed.emit()

    def _wants_dark(self) -> bool:
        if self._choice is Choice.SYSTEM:
            return self._app.styleHints().colorScheme() is Qt.ColorScheme.Dark
        return self._choice is Choice.DARK

    def _dress(self) -> None:
        palette = QPalette()
        for role, name in _ROLES:
            palette.setColor(role, self.colors[name])
        palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.Text, self.colors["muted"])
        palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole.ButtonText, self.colors["muted"])
        self._app.setPalette(palette)
        self._app.setStyleSheet(style_sheet(self.colors))


def style_sheet(colors: Colors) -> str:
    """Fill the style sheet of the design with one scheme.

    Args:
        colors: The scheme.

    Raises:
        KeyError: The style sheet names a token that does not exist.
    """
    mono = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont).family()
    values: dict[str, object] = {**colors.names, "mono": mono, "resources": assets.path("").as_posix()}
    for group, sizes in (("space", SPACE), ("radius", RADIUS), ("type", TYPE)):
        values.update({f"{group}_{name}": size for name, size in sizes.items()})
    return Template(assets.read_text("style.qss")).substitute(values)
