"""What commands that connect with somebody take from the command line."""

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from messenger.core.ids import Fingerprint


class Accept(StrEnum):
    """Whose files `sotto receive` takes."""

    ALL = "all"
    VERIFIED = "verified"
    ASK = "ask"


@dataclass(frozen=True, slots=True)
class Options:
    """Options of `sotto listen` and `sotto chat`.

    Attributes:
        folder: The profile folder.
        name: The name that the person wants; empty for the one of the profile.
        ask_passphrase: A new profile gets a passphrase.
        accept_all: Accept unknown people without a question.
        expected: Accept this person only.
        command: What was asked for, as `messenger.text.terminal.in_use` knows it.
    """

    folder: Path
    name: str = ""
    ask_passphrase: bool = False
    accept_all: bool = False
    expected: Fingerprint | None = None
    command: str = ""
