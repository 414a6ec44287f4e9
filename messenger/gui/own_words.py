"""What a profile keeps of spelling, brought to where words are checked; and the personal dictionary."""

from PySide6.QtCore import QObject, Slot

from messenger.gui.bridge import Bridge
from messenger.gui.speller import Speller
from messenger.gui.tasks import Tasks


class OwnWords(QObject):
    """Binds the speller to the engine; nothing is read before the first word is typed.

    Args:
        bridge: The way to the engine.
        tasks: Runs what is begun, and reports errors.
        speller: Knows the words.
    """

    def __init__(self, bridge: Bridge, tasks: Tasks, speller: Speller) -> None:
        super().__init__(speller)
        self._bridge, self._tasks, self._speller = bridge, tasks, speller
        speller.wanted.connect(self._on_wanted)
        speller.add_asked.connect(self._on_add)
        speller.remove_asked.connect(self._on_remove)

    def changed(self) -> None:
        """The profile keeps something else from now on."""
        if self._speller.awake:
            self._on_wanted()

    @Slot()
    def _on_wanted(self) -> None:
        self._tasks.start(self._load(), name="read the personal dictionary")

    async def _load(self) -> None:
        spelling = await self._bridge.call(self._bridge.engine.spelling)
        if self._speller.awake:
            self._speller.use(spelling)

    @Slot(str)
    def _on_add(self, word: str) -> None:
        work = self._bridge.call(self._bridge.engine.add_word, word)
        self._tasks.start(work, name="add a word to the personal dictionary")

    @Slot(str)
    def _on_remove(self, word: str) -> None:
        work = self._bridge.call(self._bridge.engine.remove_word, self._speller.own_form(word))
        self._tasks.start(work, name="take a word out of the personal dictionary")
