"""The part of the settings where one chooses the picture that contacts see."""

from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from messenger.core.models import Me
from messenger.gui.bridge import Bridge
from messenger.gui.chat_header import AvatarLabel
from messenger.gui.files import choose_file
from messenger.gui.pictures import PictureQueue, portrait_of
from messenger.gui.theme import SPACE, Theme
from messenger.gui.widgets import button, label
from messenger.text import _

Run = Callable[[Coroutine[Any, Any, Any], str], None]

_DISC: Final = 64
_KINDS: Final = "*.jpg *.jpeg *.png *.gif *.webp"


class PortraitPart(QWidget):
    """Our picture, a button for another one and one for none.

    Args:
        theme: Colours and fonts.
        bridge: The way to the engine.
        run: Runs what is begun, and shows errors.
    """

    said = Signal(str, str)
    """A sentence about what was done, and how it is meant, as `messenger.gui.notice.Notice.say` wants it."""

    def __init__(self, theme: Theme, bridge: Bridge, run: Run) -> None:
        super().__init__()
        self._bridge, self._run = bridge, run
        self._queue = PictureQueue()
        self.disc = AvatarLabel(theme, _DISC)
        self.disc.setAccessibleName(_("Your picture"))
        self.choose_button = button(_("Choose a picture…"))
        self.choose_button.clicked.connect(self._on_choose)
        self.remove_button = button(_("Remove"), "quiet")
        self.remove_button.clicked.connect(self._on_remove)
        self.remove_button.hide()
        words = _("Your contacts see it. It is sent without what the file says of place, time or camera.")
        row = QHBoxLayout()
        row.setSpacing(SPACE["m"])
        row.addWidget(self.disc)
        row.addWidget(self.choose_button)
        row.addWidget(self.remove_button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE["s"])
        column.addWidget(label(_("Your picture"), "strong"))
        column.addWidget(label(words, "small", wrap=True))
        column.addLayout(row)

    def show_me(self, me: Me) -> None:
        """Show ourselves as contacts see us."""
        self.disc.show_person(me)
        self.remove_button.setVisible(bool(me.portrait))

    def use(self, path: Path) -> None:
        """Make a picture of a file ours."""
        self._run(self._use(path), "choose a picture")

    def stop(self) -> None:
        """End what is being read, because the dialog closes."""
        self._queue.stop()

    async def _use(self, path: Path) -> None:
        content = await portrait_of(self._queue, path)
        if not content:
            self.said.emit(_("This file cannot be read as a picture. Choose a JPEG or PNG."), "error")
            return
        await self._bridge.call(self._bridge.engine.set_portrait, content)
        self.said.emit(_("Your contacts see this picture from now on."), "info")

    @Slot()
    def _on_choose(self) -> None:
        kinds = [_("Pictures ({kinds})").format(kinds=_KINDS), _("All files (*)")]
        choose_file(self.window(), _("Choose a picture"), kinds, self.use)

    @Slot()
    def _on_remove(self) -> None:
        self._run(self._bridge.call(self._bridge.engine.set_portrait, None), "remove the picture")
