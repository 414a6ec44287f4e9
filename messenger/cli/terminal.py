"""The person's terminal: what is said, what is asked, and the same where there is none.

Everything that is printed goes through `safe_text`, so that nobody's words can command the terminal.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import IO, TYPE_CHECKING, Final, TextIO

from messenger.cli.exits import Exit, Stop
from messenger.cli.output import Writer, give_up
from messenger.cli.safe import safe_text
from messenger.core.errors import SottoError
from messenger.text import terminal as words

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.input import Input
    from rich.console import Console


_CANNOT_DRAW: Final = ("dumb", "unknown")
"""Names of terminals that show the sequences which move a cursor instead of obeying them."""


class Interrupted(SottoError):
    """The person pressed Ctrl-C at a question or prompt."""


class InputClosed(SottoError):
    """The person pressed Ctrl-D at a question or prompt."""


class OutputClosed(SottoError):
    """Nobody reads our output any more."""


class Terminal:
    """Standard input, output and error of a command.

    A conversation is drawn when input and output are both terminals that can draw (`interactive`). Otherwise
    the output carries nothing but incoming messages, and everything else is said on standard error.
    Questions are asked where any of the three is a terminal (`can_ask`).

    What does not go to a terminal is written on a thread: whoever writes much should `await` its `room`, and
    `finish` at the end.
    """

    def __init__(self) -> None:
        for stream in (sys.stdout, sys.stderr):
            _never_fail(stream)
        can_draw = os.environ.get("TERM", "") not in _CANNOT_DRAW
        self.interactive: Final = can_draw and _is_tty(sys.stdin) and _is_tty(sys.stdout)
        self.can_ask: Final = any(_is_tty(stream) for stream in (sys.stdin, sys.stdout, sys.stderr))
        self._writers = _writers(sys.stdout, sys.stderr)

    def say(self, text: str) -> None:
        """Tell the person something that is not part of the conversation."""
        self._write(sys.stdout if self.interactive else sys.stderr, text)

    def fail(self, text: str) -> None:
        """Tell the person what went wrong."""
        self._write(sys.stderr, text)

    def out(self, text: str) -> None:
        """Write a line of the conversation or of a result to standard output.

        Raises:
            OutputClosed: Nobody reads it any more.
            Stop: It cannot be written: the disk is full, or the terminal is gone.
        """
        self._write(sys.stdout, text)

    async def room(self) -> None:
        """Wait until those who read the output have taken most of what was written.

        Raises:
            OutputClosed, Stop: As for `out`.
        """
        for writer in self._writers.values():
            try:
                await writer.room()
            except OSError as e:
                raise _unwritten(e) from e

    def finish(self, patience: float | None) -> None:
        """Wait until everything is written; nothing can be said afterwards. Blocks.

        Args:
            patience: Seconds after which what nobody reads is given up; None for never.

        Raises:
            OutputClosed, Stop: As for `out`.
        """
        for writer in set(self._writers.values()):
            try:
                writer.finish(patience)
            except OSError as e:
                raise _unwritten(e) from e

    def on_failed(self, told: Callable[[], None]) -> None:
        """Let somebody be called, on another thread, when the output cannot be written any more."""
        for writer in self._writers.values():
            writer.on_failed = told

    @contextlib.contextmanager
    def busy(self, text: str) -> "Iterator[Busy]":
        """Show that something goes on, while it does; only on a terminal."""
        console = error_console()
        if not console.is_terminal:
            yield Busy(None)
            return
        from rich.text import Text

        with console.status(Text(safe_text(text))) as status:
            yield Busy(lambda now: status.update(Text(safe_text(now))))

    async def ask(self, question: str, *, secret: bool = False, default: str = "") -> str:
        """Ask for a line.

        Args:
            question: Ends with a space.
            secret: The answer is not shown.
            default: What stands there already.

        Raises:
            Interrupted: Ctrl-C.
            InputClosed: Ctrl-D.
        """
        from prompt_toolkit.patch_stdout import patch_stdout

        with patch_stdout(raw=True) if self.interactive else contextlib.nullcontext():
            session = prompt_session()
            answer = await session.prompt_async(
                safe_text(question), is_password=secret, default=default, handle_sigint=False
            )
        return answer if secret else answer.strip()

    async def confirm(self, question: str) -> bool:
        """Ask a question of yes or no; Enter alone and Ctrl-D mean no.

        Raises:
            Interrupted: Ctrl-C.
        """
        try:
            return (await self.ask(question)).lower() in words.YES_ANSWERS.split()
        except InputClosed:
            return False

    def _write(self, stream: TextIO, text: str) -> None:
        line = safe_text(text) + "\n"
        writer = self._writers.get(stream)
        try:
            if writer is not None:
                writer.put(line.encode(stream.encoding, "replace"))
                return
            stream.write(line)
            stream.flush()
        except OSError as e:
            if writer is not None:
                raise _unwritten(e) from e
            give_up(stream)
            raise _unwritten(e) from e


class Busy:
    """A line that tells what goes on; `tell` changes it."""

    def __init__(self, update: Callable[[str], None] | None) -> None:
        self._update = update

    def tell(self, text: str) -> None:
        """Show another text."""
        if self._update is not None:
            self._update(text)


def prompt_session(
    message: Callable[[], str] | None = None, toolbar: Callable[[], str] | None = None
) -> "PromptSession[str]":
    """A prompt on whichever of the standard streams is a terminal; Ctrl-C and Ctrl-D raise errors of ours.

    Args:
        message: Stands before the input, for a prompt that disappears when its line is done.
        toolbar: Stands below it.
    """
    from prompt_toolkit import PromptSession
    from prompt_toolkit.history import DummyHistory, InMemoryHistory
    from prompt_toolkit.output import create_output

    return PromptSession(
        message=message or "",
        bottom_toolbar=toolbar,
        erase_when_done=message is not None,
        input=_prompt_input(),
        output=create_output(always_prefer_tty=True),
        history=InMemoryHistory() if message is not None else DummyHistory(),
        interrupt_exception=Interrupted,
        eof_exception=InputClosed,
    )


def _prompt_input() -> "Input":
    """Keys from the first standard stream that is a terminal.

    While something is printed above a prompt, prompt_toolkit returns the terminal to line mode.
    A Ctrl-D that is pressed in that moment would be taken for an end of file by the terminal
    and reach nobody, so it stays in raw mode: the keys wait there until the prompt reads again.
    """
    if sys.platform == "win32":
        from prompt_toolkit.input import create_input

        return create_input(always_prefer_tty=True)
    from prompt_toolkit.input.vt100 import Vt100Input

    class RawInput(Vt100Input):
        def cooked_mode(self) -> contextlib.AbstractContextManager[None]:
            return contextlib.nullcontext()

    streams = (sys.stdin, sys.stdout, sys.stderr)
    return RawInput(next(filter(_is_tty, streams), sys.stdin))


def error_console() -> "Console":
    """Where progress is drawn."""
    from rich.console import Console

    return Console(stderr=True, markup=False, highlight=False, emoji=False)


def _is_tty(stream: IO[str] | None) -> bool:
    return stream is not None and stream.isatty()


def _unwritten(error: OSError) -> SottoError:
    if isinstance(error, BrokenPipeError):
        return OutputClosed("nobody reads the output")
    return Stop(words.output_failed(error.strerror or type(error).__name__), Exit.FAILED)


def _writers(*streams: TextIO | None) -> dict[TextIO, Writer]:
    """A writer for each stream that is no terminal; one for both if they lead to the same place."""
    found: dict[TextIO, Writer] = {}
    places: dict[tuple[int, int], Writer] = {}
    for stream in streams:
        if stream is None or stream.isatty():
            continue
        try:
            status = os.fstat(stream.fileno())
        except OSError:  # somebody who runs us as a part of theirs collects it in memory
            continue
        place = (status.st_dev, status.st_ino)
        found[stream] = places.setdefault(place, Writer(stream.fileno()))
    return found


def _never_fail(stream: IO[str]) -> None:
    """Characters that an encoding does not have become question marks instead of errors."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")
