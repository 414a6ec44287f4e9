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


def choose_files(parent: QWidget, title: str, chosen: Callable[[list[Path]], object]) -> None:
    """Ask for one or more files that are there.

    Args:
        parent: The window.
        title: What it is about.
        chosen: Called with the files, unless the person gives up.
    """
    dialog = _dialog(parent, title, [])
    dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
    dialog.filesSelected.connect(lambda paths: chosen([Path(path) for path in paths]))
    dialog.open()


def choose_folder(
    parent: QWidget, title: str, chosen: Callable[[Path], object], begin: Path | None = None
) -> None:
    """Ask for a folder; the dialog can make one.

    Args:
        parent: The window.
        title: What it is about.
        chosen: Called with the folder, unless the person gives up.
        begin: Where to begin.
    """
    dialog = _dialog(parent, title, [])
    dialog.setFileMode(QFileDialog.FileMode.Directory)
    dialog.setOption(QFileDialog.Option.ShowDirsOnly)
    if begin is not None:
        dialog.setDirectory(str(begin))
    dialog.fileSelected.connect(lambda path: chosen(Path(path)))
    dialog.open()


def _dialog(parent: QWidget, title: str, kinds: list[str]) -> QFileDialog:
    dialog = QFileDialog(parent, title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowModality(Qt.WindowModality.WindowModal)
    if kinds:
        dialog.setNameFilters(kinds)
    return dialog
