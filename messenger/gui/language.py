"""What Qt says by itself, in the language of the program: menus of text boxes, names of keys and days."""

from typing import Final

from PySide6.QtCore import QLibraryInfo, QLocale, QTranslator
from PySide6.QtWidgets import QApplication

from messenger.text.catalogue import LANGUAGE

_PLAIN: Final = "en"
"""What Qt says without a translation."""


def speak(app: QApplication) -> None:
    """Let Qt use the language of the program; without a translation of its own it stays English.

    What belongs to the country, such as the first day of the week, stays as the system has it.

    Args:
        app: Nothing may have been shown yet.
    """
    system, own = QLocale.system(), QLocale(LANGUAGE)
    if own.language() != system.language() and (LANGUAGE, system.name()) != (_PLAIN, "C"):
        QLocale.setDefault(QLocale(own.language(), system.territory()))
    words = QTranslator(app)
    if words.load(QLocale(), "qtbase", "_", QLibraryInfo.path(QLibraryInfo.LibraryPath.TranslationsPath)):
        app.installTranslator(words)
