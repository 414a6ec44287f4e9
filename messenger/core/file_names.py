"""Names of files from elsewhere, made safe on one road."""

from collections.abc import Sequence
from typing import NewType

from messenger.core.file_entries import Entry

LocalName = NewType("LocalName", str)
"""The name of a file that is safe on every system, made by `safe_name`."""


def safe_name(name: str) -> LocalName:
    """Make a name that every system takes, and that leads nowhere else; never fails.

    Args:
        name: One name of a path, as anybody may have told it.
    """
    raise NotImplementedError


def local_paths(entries: Sequence[Entry]) -> list[tuple[LocalName, ...]]:
    """Where the entries of a checked list go below the folder that they come into; always the same.

    No two have the same path, whatever case or form of Unicode the system distinguishes; and no
    outermost one begins with a dot.
    """
    raise NotImplementedError


def numbered(name: LocalName, number: int) -> LocalName:
    """Another name for something whose name is taken: ``report (2).pdf``."""
    raise NotImplementedError


def folded(name: str) -> str:
    """What two names share that some system takes for one."""
    raise NotImplementedError


def runnable_suffix(name: str) -> str:
    """The suffix by which a system would run a file, with its dot and in lower case; empty for none."""
    raise NotImplementedError


def shown_name(name: str, most: int = 60) -> str:
    """A name in one line for people; what is cut is cut out of the middle, so that the real suffix shows.

    Args:
        name: Of anybody.
        most: Characters.
    """
    raise NotImplementedError
