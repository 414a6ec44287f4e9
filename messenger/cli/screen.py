"""How a conversation looks: drawn on a terminal, or as plain lines for other programs."""

import asyncio
import contextlib
import os
import sys
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from typing import Final, Protocol

from messenger.cli.safe import safe_text
from messenger.cli.terminal import InputClosed, Terminal, prompt_session
from messenger.core import limits
from messenger.core.models import Message, MessageState
from messenger.text import clock, failure, one_line, shown_text
from messenger.text import terminal as words

_PENDING_SHOWN: Final = 5
"""Messages on their way that stand above the prompt; further ones wait unseen."""

_READ_SIZE: Final = 64 * 1024
_PIECES_AHEAD: Final = 4
"""Pieces of the input that are read before the lines of the first of them are stored."""

_DIM: Final = "\x1b[2m"
_BOLD: Final = "\x1b[1m"
_PLAIN: Final = "\x1b[0m"


class Screen(Protocol):
    """Where a conversation is shown and typed."""

    drawn: bool
    """Whether a person looks at it: what was shown has been read, and commands can be typed."""

    def show(self, message: Message, author: str) -> None:
        """Show a message of theirs, or one of ours that has arrived or failed."""

    async def room(self) -> None:
        """Wait until what was shown has been taken by whoever reads it, or most of it."""

    def waiting(self, messages: Sequence[Message]) -> None:
        """These messages of ours are on their way."""

    def lines(self) -> AsyncGenerator[str]:
        """What is typed, line by line, until the input ends; to be closed by whoever leaves before."""

    def opened(self) -> "contextlib.AbstractContextManager[None]":
        """Lasts while the conversation does."""


class DrawnScreen:
    """A prompt that stays below what comes in, with the messages on their way above it.

    Args:
        toolbar: What stands below the prompt; called whenever it is drawn.
    """

    drawn: bool = True

    def __init__(self, toolbar: Callable[[], str]) -> None:
        self._toolbar = toolbar
        self._pending: Sequence[Message] = ()
        self._session = prompt_session(self._prompt, lambda: safe_text(self._toolbar()))

    def show(self, message: Message, author: str) -> None:
        """Print a message into the scrollback."""
        name = words.YOU if message.outgoing else author
        lines = safe_text(shown_text(message)).split("\n")
        tick = ""
        if message.outgoing:
            marks = {MessageState.FAILED: failure(message.reason), MessageState.SENT: words.AT_RELAY}
            tick = f" {_DIM}{marks.get(message.state, words.TICK)}{_PLAIN}"
        head = f"{_DIM}{clock(message.sent_ms)}{_PLAIN} {_BOLD}{one_line(safe_text(name))}{_PLAIN}: "
        body = "\n".join([lines[0], *(f"{words.CONTINUED}{line}" for line in lines[1:])])
        sys.stdout.write(f"{head}{body}{tick}\n")
        sys.stdout.flush()

    async def room(self) -> None:
        """A terminal takes what it gets."""

    def waiting(self, messages: Sequence[Message]) -> None:
        """Draw the messages on their way above the prompt."""
        self._pending = messages
        self._session.app.invalidate()

    async def lines(self) -> AsyncGenerator[str]:
        """Read lines until Ctrl-D; what is printed meanwhile goes above the prompt.

        What was printed before stands there already: the thread by which prints then go could write it over
        the first prompt.

        Raises:
            Interrupted: Ctrl-C.
        """
        from prompt_toolkit.patch_stdout import patch_stdout

        with patch_stdout(raw=True):
            while True:
                try:
                    yield await self._session.prompt_async(handle_sigint=False)
                except InputClosed:
                    return

    @contextlib.contextmanager
    def opened(self) -> Iterator[None]:
        """No key is lost before the first prompt, or between two."""
        with self._session.input.raw_mode():
            yield

    def _prompt(self) -> str:
        shown = [f"{words.PENDING} {one_line(safe_text(m.text))}" for m in self._pending[:_PENDING_SHOWN]]
        return "\n".join([*shown, words.PROMPT])


class PlainScreen:
    """Lines of the input are messages, incoming messages are lines of the output.

    Args:
        terminal: Where the output goes.
    """

    drawn: bool = False

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def show(self, message: Message, author: str) -> None:  # noqa: ARG002 -- programs know whom they called
        """Print a message of theirs; ours are known to whoever wrote them, unless they failed."""
        if not message.outgoing:
            self._terminal.out(message.text)
        elif message.state is MessageState.FAILED:
            self._terminal.fail(failure(message.reason))

    async def room(self) -> None:
        """Wait for those who read the output.

        Raises:
            OutputClosed, Stop: It cannot be written.
        """
        await self._terminal.room()

    def waiting(self, messages: Sequence[Message]) -> None:
        """Nothing is drawn."""

    async def lines(self) -> AsyncGenerator[str]:
        """The lines of standard input."""
        splitter = LineSplitter()
        async for piece in _pieces():
            for line in splitter.feed(piece):
                yield line
        yield splitter.finish()

    def opened(self) -> "contextlib.AbstractContextManager[None]":
        """Nothing to prepare."""
        return contextlib.nullcontext()


class LineSplitter:
    """Cuts bytes into lines. Of a line that is too long for a message only so much is kept as shows that."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[str]:
        """Take bytes; returns the lines that they complete, without their ends."""
        *whole, rest = data.split(b"\n")
        lines = []
        for piece in whole:
            self._keep(piece)
            lines.append(self.finish())
        self._keep(rest)
        return lines

    def finish(self) -> str:
        """The line that has begun, perhaps empty; bytes that are not UTF-8 become replacement marks."""
        line, self._rest = self._rest.decode(errors="replace"), b""
        return line.removesuffix("\r")

    def _keep(self, piece: bytes) -> None:
        self._rest += piece[: limits.TEXT_MAX + 1 - len(self._rest)]


async def _pieces() -> AsyncIterator[bytes]:
    """Standard input as it comes, whatever it is: pipe, file, terminal or socket.

    A thread reads, since a loop cannot wait for files. It holds no lock that the interpreter
    needs to end, so nobody has to wait for it.
    """
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[bytes] = asyncio.Queue()
    room = threading.Semaphore(_PIECES_AHEAD)

    def read() -> None:
        data = b"-"
        while data:
            room.acquire()
            try:
                data = os.read(0, _READ_SIZE)
            except OSError:  # closed, or a terminal that is gone: the end of the input
                data = b""
            try:
                loop.call_soon_threadsafe(queue.put_nowait, data)
            except RuntimeError:  # the loop has closed: nobody listens any more
                return

    threading.Thread(target=read, name="input", daemon=True).start()
    while data := await queue.get():
        yield data
        room.release()
