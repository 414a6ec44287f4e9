"""How transfers are shown by a command: as bars on a terminal, as lines, or as JSON for programs."""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Protocol

import msgspec

from messenger.cli.safe import safe_text
from messenger.cli.terminal import Terminal, error_console
from messenger.core.transfers import ENDS, Transfer, TransferId, TransferState
from messenger.text import files_title, state_words
from messenger.text import terminal_files as words

if TYPE_CHECKING:
    from rich.progress import TaskID


class Bars(Protocol):
    """Shows transfers."""

    def show(self, transfer: Transfer, name: str) -> None:
        """A transfer stands so now; `name` is the other person's."""

    def quiet(self) -> "contextlib.AbstractContextManager[None]":
        """Nothing is drawn meanwhile, so that a question can be asked."""

    def close(self) -> None:
        """Nothing more is shown."""


def bars_for(terminal: Terminal, *, json: bool) -> Bars:
    """What suits the output.

    Args:
        terminal: Where it goes.
        json: For programs.
    """
    if json:
        return JsonBars(terminal)
    console = error_console()
    return DrawnBars() if console.is_terminal and not console.is_dumb_terminal else PlainBars(terminal)


class JsonBars:
    """One object a line on standard output, for each change.

    Args:
        terminal: Where it goes.
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def show(self, transfer: Transfer, name: str) -> None:
        """Write a line; the words for people are left to the program."""
        values = {
            "event": "transfer",
            "id": transfer.id,
            "peer": name,
            "outgoing": transfer.outgoing,
            "names": transfer.names,
            "files": transfer.files,
            "folders": transfer.folders,
            "size": transfer.size,
            "state": transfer.state.value,
            "done": transfer.done,
            "speed": transfer.speed,
            "seconds_left": transfer.seconds_left,
            "trouble": transfer.trouble.name.lower(),
            "paths": [_text(path) for path in transfer.placed if transfer.state is TransferState.DONE],
        }
        self._terminal.out(msgspec.json.encode(values).decode())

    def quiet(self) -> "contextlib.AbstractContextManager[None]":
        """Nothing is drawn ever."""
        return contextlib.nullcontext()

    def close(self) -> None:
        """Nothing to end."""


class PlainBars:
    """A line on standard error whenever a transfer stands differently.

    Args:
        terminal: Where it goes.
    """

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._told: dict[TransferId, TransferState] = {}

    def show(self, transfer: Transfer, name: str) -> None:
        """Say it, unless it was said."""
        if self._told.get(transfer.id) is not transfer.state:
            self._told[transfer.id] = transfer.state
            self._terminal.say(f"{files_title(transfer)}: {state_words(transfer, name)}")

    def quiet(self) -> "contextlib.AbstractContextManager[None]":
        """Nothing is drawn ever."""
        return contextlib.nullcontext()

    def close(self) -> None:
        """Nothing to end."""


class DrawnBars:
    """Bars on standard error, one for each transfer; a line stays when one has ended."""

    def __init__(self) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        plain = {"markup": False}
        self._progress: Progress = Progress(
            TextColumn("{task.description}", **plain),  # type: ignore[arg-type]
            BarColumn(),
            TextColumn("{task.fields[amount]}", **plain),  # type: ignore[arg-type]
            TextColumn("{task.fields[state]}", **plain),  # type: ignore[arg-type]
            console=error_console(),
        )
        self._tasks: dict[TransferId, TaskID] = {}
        self._progress.start()

    def show(self, transfer: Transfer, name: str) -> None:
        """Move the bar."""
        state = safe_text(state_words(transfer, name))
        total, done = max(transfer.size, 1), transfer.done
        if transfer.state is TransferState.DONE:
            done = total
        task = self._tasks.get(transfer.id)
        amount = words.bar_words(transfer)
        if task is None:
            title = safe_text(files_title(transfer))
            task = self._tasks[transfer.id] = self._progress.add_task(
                title, total=total, state=state, amount=amount
            )
        self._progress.update(task, completed=done, state=state, amount=amount)
        if transfer.state in ENDS:
            self._progress.refresh()

    @contextlib.contextmanager
    def _still(self) -> Iterator[None]:
        self._progress.stop()
        try:
            yield
        finally:
            self._progress.start()

    def quiet(self) -> "contextlib.AbstractContextManager[None]":
        """Leave the lines as they are until the question is answered."""
        return self._still()

    def close(self) -> None:
        """Leave the last state of each on the screen."""
        self._progress.stop()


def _text(path: str) -> str:
    """A path in JSON, which takes text alone: not every name of a file is."""
    return path.encode(errors="replace").decode()
