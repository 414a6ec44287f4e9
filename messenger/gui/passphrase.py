"""Typing a passphrase: hidden unless asked, and how strong a new one is."""

import math
from enum import StrEnum
from itertools import pairwise
from typing import Final

from PySide6.QtCore import QEvent, Qt, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QProgressBar, QWidget

from messenger.core import limits
from messenger.gui import icons
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import label, set_role
from messenger.text import _


class Strength(StrEnum):
    """How long a passphrase would withstand somebody who has the key file."""

    WEAK = "weak"
    FAIR = "fair"
    GOOD = "good"
    STRONG = "strong"


WORDS: Final = {
    Strength.WEAK: _("Weak: easily guessed"),
    Strength.FAIR: _("Fair: a few more words make it good"),
    Strength.GOOD: _("Good"),
    Strength.STRONG: _("Strong"),
}

_BITS: Final = ((Strength.STRONG, 75.0), (Strength.GOOD, 55.0), (Strength.FAIR, 38.0))
"""Least bits for each level. Argon2id with 256 MiB makes one guess cost about a second of one core, so
that 38 bits are thousands of core years and 55 bits are out of reach."""

_KINDS: Final = ((str.islower, 26), (str.isupper, 26), (str.isdigit, 10), (str.isspace, 2))
_OTHER: Final = 30
_WORD_BITS: Final = 11.0
"""A word that a person thinks of carries no more than a word of a 2,048-word list."""


def strength(passphrase: str) -> Strength:
    """Estimate how strong a passphrase is: the smaller of what its characters and its words can carry.

    Characters that repeat or continue the one before (``aaaa``, ``1234``) count for little.
    """
    bits = _character_bits(passphrase)
    words = passphrase.split()
    if len(words) > 1 and all(word.isalpha() for word in words):
        bits = min(bits, _WORD_BITS * len({word.casefold() for word in words}))
    return next((level for level, least in _BITS if bits >= least), Strength.WEAK)


def _character_bits(text: str) -> float:
    alphabet = sum(size for test, size in _KINDS if any(map(test, text)))
    if any(not any(test(c) for test, _size in _KINDS) for c in text):
        alphabet += _OTHER
    if alphabet < 2:
        return 0.0
    steps = sum(1 for a, b in pairwise(text) if abs(ord(a) - ord(b)) <= 1)
    return math.log2(alphabet) * min(len(text) - 0.8 * steps, 3.0 * len(set(text)))


class PassphraseField(QLineEdit):
    """A field for a passphrase with a button that shows what was typed.

    Args:
        theme: Where the colour of the button comes from.
        title: What to type.
    """

    def __init__(self, theme: Theme, title: str) -> None:
        super().__init__()
        self._theme = theme
        self.setEchoMode(QLineEdit.EchoMode.Password)
        self.setPlaceholderText(title)
        self.setAccessibleName(title)
        self.setMaxLength(limits.PASSPHRASE_MAX)
        self._eye = QAction(self)
        self._eye.setCheckable(True)
        self._eye.setShortcut("Ctrl+E")
        self._eye.setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self._eye.toggled.connect(self._on_toggled)
        self.addAction(self._eye, QLineEdit.ActionPosition.TrailingPosition)
        theme.changed.connect(self._dress)
        self._dress()

    def changeEvent(self, event: QEvent) -> None:  # noqa: N802 -- Qt's name
        """Hide what was typed again when the field is switched off."""
        super().changeEvent(event)
        if event.type() is QEvent.Type.EnabledChange and not self.isEnabled():
            self._eye.setChecked(False)

    @Slot(bool)
    def _on_toggled(self, shown: bool) -> None:
        self.setEchoMode(QLineEdit.EchoMode.Normal if shown else QLineEdit.EchoMode.Password)
        self._dress()

    @Slot()
    def _dress(self) -> None:
        shown = self._eye.isChecked()
        self._eye.setIcon(icons.icon("eye-off" if shown else "eye", self._theme.colors["muted"]))
        self._eye.setText(_("Hide the passphrase") if shown else _("Show the passphrase"))
        self._eye.setToolTip(f"{self._eye.text()} (Ctrl+E)")


class StrengthMeter(QWidget):
    """A bar and a word for the strength of a new passphrase."""

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(SPACE["m"])
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, len(Strength))
        self._bar.setAccessibleName(_("Strength of the passphrase"))
        self._bar.setFixedWidth(140)
        self._words = label("", "small")
        row.addWidget(self._bar)
        row.addWidget(self._words, 1)

    def words(self) -> str:
        """What it says."""
        return self._words.text()

    def rate(self, passphrase: str) -> None:
        """Show the strength of a passphrase; nothing for none."""
        if not passphrase:
            self._bar.setValue(0)
            self._words.setText("")
            return
        level = strength(passphrase)
        self._bar.setValue(list(Strength).index(level) + 1)
        set_role(self._bar, "level", level.value)
        self._words.setText(WORDS[level])
