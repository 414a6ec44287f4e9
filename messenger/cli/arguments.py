"""What several commands take on their command line, and how they begin."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from messenger.cli.options import Options
from messenger.core.errors import AddressError
from messenger.core.ids import parse_fingerprint
from messenger.text import records
from messenger.text import terminal as words

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from messenger.cli.exits import Exit
    from messenger.cli.terminal import Terminal

Profile = Annotated[Path | None, typer.Option("--profile", metavar="DIR", help=words.OPTION_PROFILE)]
Ask = Annotated[bool, typer.Option("--ask-passphrase", help=words.OPTION_ASK)]
Json = Annotated[bool, typer.Option("--json", help=records.OPTION_JSON)]
Peer = Annotated[str, typer.Argument(metavar="PEER")]
File = Annotated[Path, typer.Argument(metavar="FILE")]


def options_of(
    context: typer.Context,
    profile: Path | None,
    name: str = "",
    *,
    ask_passphrase: bool = False,
    yes: bool = False,
    expect: str = "",
) -> Options:
    """What was asked for.

    Raises:
        BadParameter: The folder cannot be one, or `expect` is no fingerprint.
    """
    folder = context.obj.folder(profile)
    try:
        expected = parse_fingerprint(expect) if expect else None
    except AddressError as e:
        raise typer.BadParameter(words.NOT_A_FINGERPRINT, param_hint="--expect") from e
    outer = context.parent.info_name if context.parent and context.parent.parent else ""
    return Options(folder, name, ask_passphrase, yes, expected, outer or context.info_name or "")


def run_job(job: "Callable[[Terminal], Awaitable[Exit]]") -> NoReturn:
    """Do it, and end the program with what it returns."""
    from messenger.cli.runner import run

    raise typer.Exit(run(job))
