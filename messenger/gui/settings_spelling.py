"""The part of the settings about spelling that is no declared one: the languages that are written in."""

from collections.abc import Callable, Coroutine
from typing import Any, Final

from PySide6.QtCore import QLocale, Qt, Slot
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from messenger.core import window_limits as limits
from messenger.core.errors import SottoError
from messenger.core.spelling import Spelling, wanted_languages
from messenger.gui.bridge import Bridge
from messenger.gui.spell_process import Hello
from messenger.gui.speller import Speller, own_languages
from messenger.gui.theme import SPACE
from messenger.gui.widgets import label
from messenger.text import explain
from messenger.text import spelling as words

_ROWS: Final = 5
_TAG: Final = Qt.ItemDataRole.UserRole
_CHECKED, _UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked


class SpellingPart(QWidget):
    """Chooses the languages, or says what to install.

    Args:
        bridge: The way to the engine.
        run: Starts a coroutine whose errors the dialog shows, given its name for the log.
    """

    def __init__(self, bridge: Bridge, run: Callable[[Coroutine[Any, Any, Any], str], None]) -> None:
        super().__init__()
        self._bridge, self._run = bridge, run
        self._spelling, self._hello = Spelling(), Hello()
        self._showing = False
        self.speller = Speller(self)
        """Asks what there is; ends when it has told."""
        self.speller.greeted.connect(self._on_greeted)
        self.list = QListWidget()
        self.list.setObjectName("choices")
        self.list.setAccessibleName(words.TITLE)
        self.list.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        self.list.setTabKeyNavigation(False)
        self.list.itemChanged.connect(self._on_changed)
        self.advice = label("", "small", wrap=True, select=True, title=words.TITLE)
        self.error = label("", "error", wrap=True)
        texts = QVBoxLayout()
        texts.setSpacing(2)
        texts.addWidget(label(words.TITLE, "strong"))
        texts.addWidget(
            label(words.ABOUT.format(most=limits.SPELLED_LANGUAGES_MAX) + " " + words.OWN, "small", wrap=True)
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(SPACE["s"])
        column.addLayout(texts)
        for part in (self.list, self.advice, self.error):
            column.addWidget(part)
            part.hide()

    async def load(self) -> None:
        """Show what is chosen, and ask what there is."""
        self._spelling = await self._bridge.call(self._bridge.engine.spelling)
        self.speller.wake()
        self.speller.use(Spelling(self._spelling.languages))

    @Slot()
    def stop(self) -> None:
        """Nobody looks at it any more."""
        self.speller.forget()

    @Slot(object)
    def _on_greeted(self, hello: Hello) -> None:
        self._hello = hello
        self.speller.forget()
        self._show()

    def _show(self) -> None:
        hello, chosen = self._hello, self._spelling.languages
        own, at = tuple(own_languages()), self.list.currentRow()
        self._showing = True
        self.list.clear()
        follows = [language_name(tag) for tag in wanted_languages(hello.available, (), own)]
        self._add("", words.FOLLOW.format(languages=", ".join(follows) or words.NO_LANGUAGE), on=not chosen)
        for tag in (*(tag for tag in chosen if tag not in hello.available), *hello.available):
            self._add(tag, language_name(tag), on=tag in chosen)
        self.list.setCurrentRow(at)
        self._showing = False
        height = self.list.sizeHintForRow(0) * min(self.list.count(), _ROWS) + 2 * self.list.frameWidth()
        self.list.setFixedHeight(height)
        self.list.setVisible(bool(hello.available))
        advice = ""
        if not hello.installed:
            advice = words.not_installed()
        elif not wanted_languages(hello.available, chosen, own):
            advice = words.no_dictionary()
        self.advice.setText(advice)
        self.advice.setVisible(bool(advice))

    def _add(self, tag: str, name: str, *, on: bool) -> None:
        item = QListWidgetItem(name)
        item.setData(_TAG, tag)
        item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable)
        item.setCheckState(_CHECKED if on else _UNCHECKED)
        self.list.addItem(item)

    @Slot(QListWidgetItem)
    def _on_changed(self, item: QListWidgetItem) -> None:
        if self._showing:
            return
        chosen: tuple[str, ...] = ()
        if item.data(_TAG):  # the first line leaves the choice to others
            items = [self.list.item(row) for row in range(1, self.list.count())]
            chosen = tuple(one.data(_TAG) for one in items if one.checkState() is _CHECKED)
        self._run(self._choose(chosen), "choose the languages of spelling")

    async def _choose(self, languages: tuple[str, ...]) -> None:
        self.error.hide()
        try:
            change = self._bridge.engine.set_spelling_languages
            self._spelling = await self._bridge.call(change, languages)
        except SottoError as e:
            self.error.setText(explain(e))
            self.error.show()
        self._show()


def language_name(tag: str) -> str:
    """The name of a dictionary's language, in that language, with its tag.

    Args:
        tag: As ``de_AT``.
    """
    locale = QLocale(tag)
    if locale.language() is QLocale.Language.C:
        return tag
    name = locale.nativeLanguageName()
    return f"{name[:1].upper()}{name[1:]} · {tag}"
