"""What is known of the spelling of words; a process looks them up, and the window never waits for it.

Nothing is started or loaded before the first word is typed. What is typed is kept in memory alone, and
forgotten with the page that it was typed on: when the profile is locked, left or closed, the process ends.
"""

import logging
import sys
from collections import OrderedDict, deque
from collections.abc import Callable
from itertools import islice
from typing import Final

import msgspec
from PySide6.QtCore import QCoreApplication, QLocale, QObject, QProcess, QTimer, Signal, Slot

from messenger.core import window_limits as limits
from messenger.core.spelling import Spelling, is_tag, plain_word
from messenger.gui.pictures import surroundings
from messenger.gui.spell_process import Check, Checked, Hello, Suggest, Suggested
from messenger.gui.spell_text import script_of, scripts_of
from messenger.text.catalogue import LANGUAGE

_log = logging.getLogger(__name__)

_ENDING: Final[set[QProcess]] = set()
"""Processes that were told to end, kept until they have."""

Suggestions = Callable[[tuple[str, ...]], object]


class Speller(QObject):
    """The spelling of words in the languages of a profile.

    Args:
        parent: Owner.
    """

    wanted = Signal()
    """The first word was typed: answer with `use`."""
    checked = Signal()
    """More words are known, or others are right: mark anew."""
    add_asked = Signal(str)
    """The person wants a word in the personal dictionary."""
    remove_asked = Signal(str)
    """The person wants a word out of the personal dictionary."""
    greeted = Signal(object)
    """What can be checked, a `Hello`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._on = True
        self._awake = False
        self._spelling: Spelling | None = None
        self._own: frozenset[str] = frozenset()
        self._hello, self._greeted = Hello(), False
        self._scripts: frozenset[str] = frozenset()
        self._right: OrderedDict[str, bool] = OrderedDict()
        self._queue: dict[str, None] = {}
        self._asked: deque[tuple[str, ...] | Suggestions] = deque()
        self._said = bytearray()
        self._failures = 0
        self._process: QProcess | None = None
        self._soon = _timer(self, 0, self._pump)
        self._patience = _timer(self, limits.SPELLING_SECONDS * 1000, self._on_silence)

    @property
    def awake(self) -> bool:
        """Whether a word was typed, and words are checked."""
        return self._awake

    @property
    def busy(self) -> bool:
        """Whether a process is there, or has not ended yet."""
        return self._process is not None or bool(_ENDING)

    @property
    def idle(self) -> bool:
        """Whether every word that was asked about is known."""
        return not self._queue and not self._asked

    def wake(self) -> None:
        """A word is typed: words are checked from now on, if the settings say so."""
        if self._on and not self._awake:
            self._awake = True
            self.wanted.emit()

    def switch(self, *, on: bool) -> None:
        """Follow the settings: check spelling, or leave it."""
        if on != self._on:
            self._on = on
            if not on:
                self.forget()

    def use(self, spelling: Spelling) -> None:
        """Check with these languages, and take these words for right; begin if that was wanted."""
        before, self._spelling = self._spelling, spelling
        self._own = frozenset(spelling.words)
        if before is not None and before.languages != spelling.languages:
            self._end()
            self._right.clear()
        if self._awake:
            self._start()
            self.checked.emit()

    def forget(self) -> None:
        """Forget every word, and end the process: the profile is locked or left, or the settings say so."""
        self._end()
        self._awake, self._spelling, self._own, self._failures = False, None, frozenset(), 0
        self._right.clear()
        self.checked.emit()

    def is_wrong(self, word: str) -> bool:
        """Whether a word is known to be misspelt; else it is looked up if need be, and `checked` tells."""
        if not self._scripts:
            return False
        word = plain_word(word)
        right = self._right.get(word)
        if right is None:
            if script_of(word) not in self._scripts:
                self._know((word,), (True,))
            elif len(self._queue) < limits.SPELLED_KEPT:
                self._queue[word] = None
                if not self._soon.isActive():
                    self._soon.start()
            return False
        return not right and not self.is_own(word)

    def is_own(self, word: str) -> bool:
        """Whether a word is in the personal dictionary; at the beginning of a sentence it has a capital."""
        word = plain_word(word)
        return word in self._own or word[:1].lower() + word[1:] in self._own

    def own_form(self, word: str) -> str:
        """The word of the personal dictionary that makes this one right."""
        word = plain_word(word)
        return word if word in self._own else word[:1].lower() + word[1:]

    def suggest(self, word: str, done: Suggestions) -> None:
        """Ask what a word could have been meant to be.

        Args:
            word: It.
            done: Called with the suggestions, perhaps at once with none.
        """
        if self._process is None or not self._hello.used:
            done(())
        else:
            self._ask(Suggest(plain_word(word)), done)

    @Slot()
    def _pump(self) -> None:
        """Ask about the next words, if the answer to those before has come."""
        if self._process is None:
            self._start()
        if not self._queue or any(isinstance(waiting, tuple) for waiting in self._asked):
            return
        words = tuple(islice(self._queue, limits.SPELLED_AT_ONCE))
        for word in words:
            del self._queue[word]
        self._ask(Check(words), words)

    def _ask(self, question: Check | Suggest, waiting: tuple[str, ...] | Suggestions) -> None:
        if self._process is not None:
            self._asked.append(waiting)
            self._process.write(msgspec.json.encode(question) + b"\n")
            self._patience.start()

    def _start(self) -> None:
        if (
            self._process is not None
            or self._spelling is None
            or self._failures >= limits.SPELLING_FAILURES_MAX
        ):
            return
        self._process = process = QProcess(QCoreApplication.instance())  # it may take longer to end than this
        process.setProcessEnvironment(surroundings())
        process.setStandardErrorFile(QProcess.nullDevice())
        process.readyReadStandardOutput.connect(self._on_said)
        process.finished.connect(self._on_failed)
        process.errorOccurred.connect(self._on_failed)
        program, *arguments = _command(",".join(self._spelling.languages), ",".join(own_languages()))
        process.start(program, arguments)
        self._patience.start()

    def _end(self) -> None:
        """End the process, whatever it is at; who waits for suggestions gets none."""
        self._soon.stop()
        self._patience.stop()
        asked, self._asked = self._asked, deque()
        self._queue.clear()
        self._said.clear()
        self._hello, self._greeted, self._scripts = Hello(), False, frozenset()
        process, self._process = self._process, None
        if process is not None:
            process.readyReadStandardOutput.disconnect(self._on_said)
            process.finished.disconnect(self._on_failed)
            process.errorOccurred.disconnect(self._on_failed)
            _ENDING.add(process)
            if process.state() is QProcess.ProcessState.NotRunning:
                _ended(process)
            else:
                process.finished.connect(lambda: _ended(process))
                process.kill()
        for waiting in asked:
            if not isinstance(waiting, tuple):
                waiting(())

    @Slot()
    def _on_said(self) -> None:
        if self._process is None:
            return
        self._said += self._process.readAllStandardOutput().data()
        while b"\n" in self._said:
            line, _end, rest = self._said.partition(b"\n")
            self._said = rest
            try:
                self._take(bytes(line))
            except (msgspec.MsgspecError, UnicodeDecodeError, IndexError, ValueError):
                self._on_failed()
                return
        if len(self._said) > limits.SPELLING_ANSWER_MAX:
            self._on_failed()

    def _take(self, line: bytes) -> None:
        """Understand one answer; raises if it is none to what was asked."""
        if not self._greeted:
            self._greeted = True
            self._hello = msgspec.json.decode(line, type=Hello)
            self._scripts = scripts_of(self._hello.used)
            self._patience.stop()
            self.greeted.emit(self._hello)
            self.checked.emit()
            return
        waiting = self._asked.popleft()
        if self._asked:
            self._patience.start()
        else:
            self._patience.stop()
        if not isinstance(waiting, tuple):
            waiting(msgspec.json.decode(line, type=Suggested).words[: limits.SUGGESTIONS_MAX])
            return
        right = msgspec.json.decode(line, type=Checked).right
        self._know(waiting, right)
        self._pump()
        if not all(right):
            self.checked.emit()

    @Slot()
    def _on_silence(self) -> None:
        self._on_failed()

    def _know(self, asked: tuple[str, ...], right: tuple[bool, ...]) -> None:
        self._right.update(zip(asked, right, strict=True))
        while len(self._right) > limits.SPELLED_KEPT:
            self._right.popitem(last=False)

    def _on_failed(self, *_why: object) -> None:
        """It ended, or says what it should not: what it was asked about is not asked again."""
        self._failures += 1
        _log.info("the process that checks spelling failed")  # no word of what it was asked
        asked = tuple(word for words in self._asked if isinstance(words, tuple) for word in words)
        self._end()
        self._know(asked, (True,) * len(asked))
        if self._failures >= limits.SPELLING_FAILURES_MAX:
            self.greeted.emit(Hello())
        self._soon.start()  # begin anew, if it may; `checked` will ask for the other words again


def _ended(process: QProcess) -> None:
    _ENDING.discard(process)
    process.deleteLater()


def own_languages() -> list[str]:
    """The languages of the program and of the system, as `wanted_languages` takes them."""
    system = [tag.replace("-", "_") for tag in QLocale.system().uiLanguages()]
    short = LANGUAGE.partition("_")[0]
    first = [tag for tag in system if tag.partition("_")[0] == short]
    tags = [*first, LANGUAGE, QLocale(LANGUAGE).name()]
    for tag in system:
        tags += [tag, QLocale(tag).name()]
    return [tag for tag in dict.fromkeys(tags) if is_tag(tag)]


def _timer(owner: QObject, wait_ms: int, act: Callable[[], object]) -> QTimer:
    timer = QTimer(owner)
    timer.setSingleShot(True)
    timer.setInterval(wait_ms)
    timer.timeout.connect(act)
    return timer


def _command(*arguments: str) -> list[str]:
    if getattr(sys, "frozen", False):
        return [sys.executable, "--spelling", *arguments]
    return [sys.executable, "-P", "-m", "messenger.gui.spell_process", *arguments]
