"""The exit codes of the program; `messenger.text.terminal.EXIT_CODES` has their meanings in words."""

import signal
from enum import IntEnum
from typing import Final

from messenger.core.errors import ConnectError, InputError, Reason, SottoError

_DECLINED: Final = (Reason.DECLINED, Reason.WRONG_PERSON, Reason.BLOCKED)
_OWN_PORT: Final = (Reason.PORT_TAKEN, Reason.PORT_FORBIDDEN, Reason.BAD_HOST)


class Exit(IntEnum):
    """How the program ends."""

    OK = 0
    FAILED = 1
    USAGE = 2
    """As shells and command-line parsers have it; also no display for a window."""
    UNREACHABLE = 3
    DECLINED = 4
    UNDELIVERED = 5
    HANGUP = 128 + getattr(signal, "SIGHUP", 1)
    """Signals as shells have them: 128 and the number of the signal."""
    INTERRUPTED = 128 + signal.SIGINT
    TERMINATED = 128 + signal.SIGTERM


def exit_for(error: SottoError) -> Exit:
    """The exit code for an error that ends a command."""
    match error:
        case InputError():
            return Exit.USAGE
        case ConnectError(reason=reason):
            if reason in _OWN_PORT:
                return Exit.FAILED
            return Exit.DECLINED if reason in _DECLINED else Exit.UNREACHABLE
    return Exit.FAILED


class Stop(SottoError):
    """Ends a command with a sentence of the terminal's own.

    Args:
        sentence: What the person is told on standard error.
        code: How the program ends.
    """

    def __init__(self, sentence: str, code: Exit) -> None:
        super().__init__(code.name)
        self.sentence = sentence
        self.code = code
