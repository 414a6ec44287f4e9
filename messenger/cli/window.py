"""A start without a command opens the window; it is by far the most frequent one, and loads no parser.

What stands on such a command line is a profile folder, a link, both or nothing. Everything else, and whatever
is wrong with these, is for `messenger.cli.app`, which says it.
"""

import contextlib
import signal
import sys
from pathlib import Path
from typing import Final, Protocol

from messenger.cli.exits import Exit
from messenger.core import limits

_SCHEME: Final = "sotto:"
_PROFILE: Final = "--profile"


class Windows(Protocol):
    """The window, which this package must not import; `messenger.__main__` brings it."""

    def prepare(self) -> None:
        """Do what must be done before anything that costs is imported; called once, if at all."""

    def load(self) -> None:
        """Get ready to open windows.

        Raises:
            ImportError: Qt, or a library of the system that it needs, is missing.
        """

    def open(self, folder: Path, link: str) -> int:
        """Open the window on a profile, and a link in it if there is one; returns the exit code."""

    def demonstrate(self) -> int:
        """Run the demonstration in two windows; returns the exit code."""


def run_plain(arguments: list[str], windows: Windows) -> int | None:
    """Do what a command line asks, if that is a window and nothing else.

    Args:
        arguments: Those after the program name.
        windows: Opens windows.

    Returns:
        The exit code, see `messenger.cli.exits`; None if it asks for something else, or wrongly.
    """
    rest, link = take_link(arguments)
    folder = _only_folder(rest)
    if folder is None or len(link) > limits.INVITE_TEXT_MAX:
        return None
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:  # while it was loaded
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        windows.prepare()
        return open_window(windows, folder, link)
    except KeyboardInterrupt:
        return Exit.INTERRUPTED


def open_window(windows: Windows, folder: Path, link: str) -> int:
    """Raise the window that is open on a profile already, open one, or say why neither is possible.

    Args:
        windows: Opens windows.
        folder: The profile folder, absolute.
        link: To be followed there; empty for none.

    Returns:
        The exit code.
    """
    from messenger.cli.display import window_problem
    from messenger.control import raise_running
    from messenger.text import terminal as words

    if raise_running(folder, link):
        _say(words.RAISED)
        return Exit.OK
    if problem := window_problem(windows.load):
        _say(problem)
        return Exit.USAGE
    return windows.open(folder, link)


def _say(sentence: str) -> None:
    with contextlib.suppress(OSError):  # nobody can read it; the exit code says it too
        print(sentence, file=sys.stderr)


def take_link(arguments: list[str]) -> tuple[list[str], str]:
    """Take away a link in the place of a command: so desktops hand over what was clicked elsewhere."""
    before = arguments[:-1]
    if len(before) > 1 and before[-2] == _PROFILE:
        before = before[:-2]
    link = arguments[-1] if arguments else ""
    if not link.lower().startswith(_SCHEME) or any(not word.startswith(f"{_PROFILE}=") for word in before):
        return arguments, ""
    return arguments[:-1], link


def usable_folder(named: Path | None) -> Path:
    """The profile folder: as named, or the usual one.

    Raises:
        RuntimeError, OSError, UnicodeEncodeError: It is relative to something that is not there, or its
            name is not UTF-8.
    """
    if named is None:
        from messenger.core.profiles import default_folder

        named = Path(default_folder())
    folder = named.expanduser().absolute()
    str(folder).encode()
    return folder


def _only_folder(arguments: list[str]) -> Path | None:
    """The profile folder, if a command line asks for nothing else; None if it asks for more, or wrongly."""
    match arguments:
        case []:
            named = None
        case ["--profile", name] if name and not name.startswith("-"):
            named = Path(name)
        case [word] if word.startswith(f"{_PROFILE}=") and len(word) > len(_PROFILE) + 1:
            named = Path(word.partition("=")[2])
        case _:
            return None
    try:
        return usable_folder(named)
    except (RuntimeError, OSError, UnicodeEncodeError):
        return None
