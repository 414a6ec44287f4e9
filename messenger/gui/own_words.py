"""What a profile keeps of spelling, brought to where words are checked; and the personal dictionary."""

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from messenger.gui.bridge import Bridge
from messenger.gui.tasks import Tasks

if TYPE_CHECKING:
    from messenger.gui.speller import Speller


class OwnWords(QObject):
    """Binds what checks spelling to the engine; nothing is loaded or read before the first word is typed.

    Args:
        parent: Owner.
        bridge: The way to the engine.
        tasks: Runs what is begun, and reports errors.
    """

    def __init__(self, parent: QObject, bridge: Bridge, tasks: Tasks) -> None:
        super().__init__(parent)
        self._bridge, self._tasks = bridge, tasks
        self._on = True
        self._speller: Speller | None = None

    def speller(self) -> "Speller":
        """What checks spelling; made when it is first asked for."""
        if self._speller is None:
            from messenger.gui.speller import Speller

            self._speller = made = Speller(self)
            made.switch(on=self._on)
            made.wanted.connect(self._on_wanted)
            made.add_asked.connect(self._on_add)
            made.remove_asked.connect(self._on_remove)
        return self._speller

    def switch(self, *, on: bool) -> None:
        """Follow the settings: check spelling, or leave it."""
        self._on = on
        if self._speller is not None:
            self._speller.switch(on=on)

    def changed(self) -> None:
        """The profile keeps something else from now on."""
        if self._speller is not None and self._speller.awake:
            self._on_wanted()

    def forget(self) -> None:
        """Forget every word that was typed."""
        if self._speller is not None:
            self._speller.forget()

    @Slot()
    def _on_wanted(self) -> None:
        self._tasks.start(self._load(), name="read the personal dictionary")

    async def _load(self) -> None:
        spelling = await self._bridge.call(self._bridge.engine.spelling)
        if self._speller is not None and self._speller.awake:
            self._speller.use(spelling)

    @Slot(str)
    def _on_add(self, word: str) -> None:
        work = self._bridge.call(self._bridge.engine.add_word, word)
        self._tasks.start(work, name="add a word to the personal dictionary")

    @Slot(str)
    def _on_remove(self, word: str) -> None:
        word = self.speller().own_form(word)
        work = self._bridge.call(self._bridge.engine.remove_word, word)
        self._tasks.start(work, name="take a word out of the personal dictionary")
