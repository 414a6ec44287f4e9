"""The commands that show, keep and bring back what a profile holds, without going online."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from messenger.cli.arguments import Ask, File, Json, Peer, Profile
from messenger.cli.exits import Exit
from messenger.text import records

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from messenger.cli.options import Options
    from messenger.cli.terminal import Terminal

kept = typer.Typer()


@kept.command("contacts", help=records.HELP_CONTACTS)
def _contacts(context: typer.Context, profile: Profile = None, as_json: Json = False) -> None:
    from messenger.cli.records import contacts

    options = _options(context, profile)
    _run(lambda terminal: contacts(terminal, options, as_json=as_json))


@kept.command("history", help=records.HELP_HISTORY)
def _history(
    context: typer.Context,
    peer: Peer,
    since: Annotated[str, typer.Option("--since", metavar="DAY", help=records.OPTION_SINCE)] = "",
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    from messenger.cli.records import history

    options, begin = _options(context, profile), _day(since)
    _run(lambda terminal: history(terminal, options, peer, begin, as_json=as_json))


@kept.command("search", help=records.HELP_SEARCH)
def _search(
    context: typer.Context,
    sought: Annotated[list[str], typer.Argument(metavar="WORDS...")],
    profile: Profile = None,
    as_json: Json = False,
) -> None:
    from messenger.cli.records import search

    options = _options(context, profile)
    _run(lambda terminal: search(terminal, options, " ".join(sought), as_json=as_json))


@kept.command("invite", help=records.HELP_INVITE)
def _invite(
    context: typer.Context,
    profile: Profile = None,
    lasting: Annotated[bool, typer.Option("--lasting", help=records.OPTION_LASTING)] = False,
) -> None:
    from messenger.cli.people import invite

    options = _options(context, profile)
    _run(lambda terminal: invite(terminal, options, lasting=lasting))


@kept.command("verify", help=records.HELP_VERIFY)
def _verify(context: typer.Context, peer: Peer, profile: Profile = None) -> None:
    from messenger.cli.people import verify

    options = _options(context, profile)
    _run(lambda terminal: verify(terminal, options, peer))


@kept.command("backups", help=records.HELP_BACKUPS)
def _backups(context: typer.Context, profile: Profile = None, as_json: Json = False) -> None:
    from messenger.cli.keeping import backups

    options = _options(context, profile)
    _run(lambda terminal: backups(terminal, options, as_json=as_json))


@kept.command("restore", help=records.HELP_RESTORE)
def _restore(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="NAME")],
    profile: Profile = None,
    yes: Annotated[bool, typer.Option("--yes", help=records.OPTION_GO_BACK)] = False,
) -> None:
    from messenger.cli.keeping import restore

    options = _options(context, profile, accept_all=yes)
    _run(lambda terminal: restore(terminal, options, name))


@kept.command("export", help=records.HELP_EXPORT)
def _export(context: typer.Context, file: File, profile: Profile = None) -> None:
    from messenger.cli.keeping import export

    options = _options(context, profile)
    _run(lambda terminal: export(terminal, options, file.absolute()))


@kept.command("import", help=records.HELP_IMPORT)
def _import(context: typer.Context, file: File, profile: Profile = None, ask_passphrase: Ask = False) -> None:
    from messenger.cli.keeping import import_

    options = _options(context, profile, ask_passphrase=ask_passphrase)
    _run(lambda terminal: import_(terminal, options, file.absolute()))


def _options(
    context: typer.Context, profile: Path | None, *, ask_passphrase: bool = False, accept_all: bool = False
) -> "Options":
    from messenger.cli.options import Options

    return Options(context.obj.folder(profile), "", ask_passphrase, accept_all)


def _run(job: "Callable[[Terminal], Awaitable[Exit]]") -> None:
    from messenger.cli.runner import run as run_job

    raise typer.Exit(run_job(job))


def _day(text: str) -> datetime | None:
    """The local time that somebody typed, or None."""
    try:
        return datetime.fromisoformat(text).astimezone() if text else None
    except (ValueError, OverflowError, OSError) as e:
        raise typer.BadParameter(records.NOT_A_DAY, param_hint="--since") from e
