"""How a process that handles what nobody has vouched for gives up everything that it does not need."""

import contextlib
import sys
from typing import Final

_ADDRESS_SPACE: Final = 2 * 1024**3
"""Everything mapped by Python and the libraries is in it."""


def confine(cpu_seconds: int | None = None) -> None:
    """Open no file or socket, start no process or thread and write nothing to a disk from now on.

    What is open stays open. Windows has no such limits.

    Args:
        cpu_seconds: Of the whole process, after which the system ends it; None for no bound.
    """
    if sys.platform == "win32":
        return
    import resource

    bounds = [
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_NOFILE, 0),  # what is open stays; nothing new gets a number
        (resource.RLIMIT_AS, _ADDRESS_SPACE),
    ]
    if cpu_seconds is not None:
        bounds.append((resource.RLIMIT_CPU, cpu_seconds))
    for limit, most in bounds:
        with contextlib.suppress(ValueError, OSError):  # a system that bounds it more already
            resource.setrlimit(limit, (most, most))
