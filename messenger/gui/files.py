"""Asking for a file, without ever waiting for the answer."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QWidget


def choose_new_file(
    parent: QWidget, title: str, name: str, kinds: dict[str, str], chosen: Callable[[Path], object]
) -> None:
    """Ask where something shall be written; the dialog asks itself before a file is replaced.

    Args:
        parent: The window.
        title: What it is about.
        name: What the file is called unless the person says otherwise, without its ending.
        kinds: Kinds of file as they are offered, each with its ending.
        chosen: Called with the file, unless the person gives up.
    """
    dialog = _dialog(parent, title, list(kinds))
    dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
    dialog.setDefaultSuffix(next(iter(kinds.values())))
    dialog.filterSelected.connect(lambda kind: dialog.setDefaultSuffix(kinds[kind]))
    dialog.selectFile(name + next(iter(kinds.values())))
    dialog.fileSelected.connect(lambda path: chosen(Path(path)))
    dialog.open()


def choose_file(parent: QWidget, title: str, kinds: list[str], chosen: Callable[[Path], object]) -> None:
    """Ask for a file that is there.

    Args:
        parent: The window.
        title: What it is about.
        kinds: Kinds of file as they are offered.
        chosen: Called with the file, unless the person gives up.
    """
    dialog = _dialog(parent, title, kinds)
    dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
    dialog.fileSelected.connect(lambda path: chosen(Path(path)))
    dialog.open()


def _dialog(parent: QWidget, title: str, kinds: list[str]) -> QFileDialog:
    dialog = QFileDialog(parent, title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowModality(Qt.WindowModality.WindowModal)
    dialog.setNameFilters(kinds)
    return dialog
